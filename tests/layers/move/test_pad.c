/* pad: every mode against "where does this element come from", axis by axis; crops; wrong arguments. */
#include <stdlib.h>

#include "base/numbers/convert.h"
#include "layers/layers.h"
#include "support/index_loop.h"

/* Position in x of output position i along one axis, or -1 for the constant. begin < 0 crops. */
static int64_t source(enum onr_pad_mode mode, int64_t i, int64_t dim, int64_t begin, int64_t end) {
  const int64_t low = begin < 0 ? -begin : 0, high = dim + (end < 0 ? end : 0); /* what is kept: [low, high) */
  const int64_t kept = high - low;
  int64_t at = i - (begin > 0 ? begin : 0);
  if (at >= 0 && at < kept) return low + at;
  switch (mode) {
    case ONR_PAD_EDGE: return at < 0 ? low : high - 1;
    case ONR_PAD_REFLECT: return at < 0 ? low - at : low + 2 * (kept - 1) - at;
    case ONR_PAD_WRAP: return low + ((at % kept) + kept) % kept;
    default: return -1;
  }
}

static void check(enum onr_dtype dtype, enum onr_pad_mode mode, int32_t rank, const int64_t *dims, const int64_t *begin,
                  const int64_t *end, int with_axes, uint32_t threads) {
  const struct onr_pad_params params = {mode};
  const size_t size = onr_dtype_size(dtype), count = count_of(rank, dims);
  unsigned char *x = malloc(count * size + 1), value[16], zero[16] = {0};
  int64_t pads[2 * ONR_MAX_RANK], axes[ONR_MAX_RANK], out[ONR_MAX_RANK], to[ONR_MAX_RANK] = {0}, from[ONR_MAX_RANK];
  const int64_t num = rank, twice = 2 * rank;
  fill_distinct(x, count, size);
  memset(value, 0xee, sizeof(value));
  for (int32_t d = 0; d < rank; d++) {
    const int32_t at = with_axes ? rank - 1 - d : d;
    axes[at] = d - (d & 1 ? rank : 0);
    pads[at] = begin[d];
    pads[rank + at] = end[d];
    out[d] = dims[d] + begin[d] + end[d];
  }
  struct layer_test t = {.layer = &onri_layer_pad, .params = &params, .num_out = 1, .threads = threads};
  layer_test_input(&t, dtype, rank, dims, x);
  layer_test_input(&t, ONR_DTYPE_I64, 1, &twice, pads);
  layer_test_input(&t, dtype, 0, NULL, with_axes ? value : NULL);
  if (with_axes) layer_test_input(&t, ONR_DTYPE_I64, 1, &num, axes);
  run_ok(&t);
  const struct onr_desc desc = onr_desc_make(dtype, rank, out);
  assert_true(onr_desc_equal(&desc, &t.out[0].desc));
  if (count_of(rank, out) > 0) do {
      int outside = 0;
      for (int32_t d = 0; d < rank; d++) {
        from[d] = source(mode, to[d], dims[d], begin[d], end[d]);
        outside |= from[d] < 0;
      }
      assert_memory_equal((char *)t.out[0].data + flat_index(to, rank, out) * size,
                          outside ? (with_axes ? value : zero) : x + flat_index(from, rank, dims) * size, size);
    } while (next_index(to, rank, out));
  layer_test_clear(&t);
  free(x);
}

static void every_mode(void **state) {
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (int mode = ONR_PAD_CONSTANT; mode <= ONR_PAD_WRAP; mode++)
      for (int axes = 0; axes < 2; axes++) {
        const enum onr_pad_mode m = (enum onr_pad_mode)mode;
        const enum onr_dtype t = sized_dtypes[i];
        check(t, m, 1, DIMS(5), DIMS(3), DIMS(4), axes, 1);
        check(t, m, 3, DIMS(4, 5, 6), DIMS(1, 2, 3), DIMS(3, 0, 2), axes, 1);
        check(t, m, 3, DIMS(4, 5, 6), DIMS(-1, 2, 0), DIMS(2, -2, -1), axes, 1);
        check(t, m, 4, DIMS(2, 3, 17, 19), DIMS(0, 0, 3, 3), DIMS(0, 0, 3, 3), axes, 2);
        check(t, m, 2, DIMS(3, 4), DIMS(0, 0), DIMS(0, 0), axes, 1);
        check(t, m, 2, DIMS(3, 4), DIMS(-1, -1), DIMS(-2, 0), axes, 1);
        check(t, m, 8, DIMS(2, 2, 2, 2, 2, 2, 2, 2), DIMS(1, 0, 0, 1, 0, 0, 0, 1), DIMS(0, 0, 1, 0, 0, 0, 1, 0), axes,
              1);
      }
  check(ONR_DTYPE_F32, ONR_PAD_CONSTANT, 4, DIMS(2, 5, 60, 61), DIMS(0, 0, 1, 1), DIMS(0, 0, 1, 1), 0, 3);
  check(ONR_DTYPE_F32, ONR_PAD_CONSTANT, 2, DIMS(0, 3), DIMS(1, 1), DIMS(2, 1), 1, 1);
  check(ONR_DTYPE_F32, ONR_PAD_WRAP, 2, DIMS(2, 3), DIMS(5, 7), DIMS(9, 4), 0, 1);
  check(ONR_DTYPE_F32, ONR_PAD_EDGE, 2, DIMS(1, 3), DIMS(5, 7), DIMS(9, 4), 0, 1);
}

/* A float32 value is turned into the type of x. */
static void converts_value(void **state) {
  static const struct onr_pad_params params = {ONR_PAD_CONSTANT};
  const float value = 1.5f;
  const uint16_t x = 0;
  (void)state;
  struct layer_test t = {.layer = &onri_layer_pad, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F16, 1, DIMS(1), &x);
  layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(2), DIMS(1, 1));
  layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &value);
  run_ok(&t);
  assert_memory_equal(t.out[0].data, ((const uint16_t[3]){0x3e00, 0, 0x3e00}), 6);
  layer_test_clear(&t);
}

/* Each axis about its middle; the odd element is cropped or padded at the end. */
static void centers(void **state) {
  static const int64_t dims[2] = {5, 4}, sizes[] = {0, 1, 2, 3, 4, 5, 6, 7, 9};
  int32_t x[20];
  (void)state;
  for (int32_t i = 0; i < 20; i++) x[i] = i + 1;
  for (size_t a = 0; a < 9; a++)
    for (size_t b = 0; b < 9; b++)
      for (int named = 0; named < 2; named++) {
        const struct onr_center_crop_pad_params params = {.num_axes = named ? 2 : 0, .axes = {-1, 0}};
        const int64_t out[2] = {sizes[a], sizes[b]}, list[2] = {named ? out[1] : out[0], named ? out[0] : out[1]};
        int64_t to[2] = {0};
        struct layer_test t = {.layer = &onri_layer_center_crop_pad, .params = &params, .num_out = 1};
        layer_test_input(&t, ONR_DTYPE_I32, 2, dims, x);
        layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(2), list);
        run_ok(&t);
        assert_int_equal(t.out[0].desc.dim[0], out[0]);
        assert_int_equal(t.out[0].desc.dim[1], out[1]);
        if (count_of(2, out) > 0) do {
            int64_t from[2];
            for (int d = 0; d < 2; d++)
              from[d] = out[d] > dims[d] ? to[d] - (out[d] - dims[d]) / 2 : to[d] + (dims[d] - out[d]) / 2;
            const int inside = from[0] >= 0 && from[0] < dims[0] && from[1] >= 0 && from[1] < dims[1];
            assert_int_equal(((int32_t *)t.out[0].data)[flat_index(to, 2, out)],
                             inside ? x[flat_index(from, 2, dims)] : 0);
          } while (next_index(to, 2, out));
        layer_test_clear(&t);
      }
  const struct onr_center_crop_pad_params all = {0};
  struct layer_test wrong = {.layer = &onri_layer_center_crop_pad, .params = &all, .num_out = 1};
  layer_test_input(&wrong, ONR_DTYPE_I32, 2, dims, x);
  layer_test_input(&wrong, ONR_DTYPE_I64, 1, DIMS(2), DIMS(3, -1));
  assert_int_equal(layer_test_run(&wrong), ONR_STATUS_SHAPE);
  layer_test_clear(&wrong);
}

static enum onr_status status_of(enum onr_pad_mode mode, int64_t num, const int64_t *pads, enum onr_dtype value_dtype,
                                 int64_t axis) {
  const struct onr_pad_params params = {mode};
  const int32_t x[4] = {0};
  struct layer_test t = {.layer = &onri_layer_pad, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_I32, 1, DIMS(4), x);
  layer_test_input(&t, ONR_DTYPE_I64, 1, &num, pads);
  layer_test_input(&t, value_dtype, 0, NULL, x);
  layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(1), &axis);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void wrong_arguments(void **state) {
  const enum onr_dtype i32 = ONR_DTYPE_I32;
  (void)state;
  assert_int_equal(status_of(ONR_PAD_CONSTANT, 2, DIMS(-2, -2), i32, 0), ONR_STATUS_OK);
  assert_int_equal(status_of(ONR_PAD_CONSTANT, 2, DIMS(-9, 0), i32, 0), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_PAD_CONSTANT, 2, DIMS(-9, 9), i32, 0), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_PAD_CONSTANT, 2, DIMS(INT64_MIN, INT64_MIN), i32, 0), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_PAD_CONSTANT, 2, DIMS(INT64_MAX, INT64_MAX), i32, 0), ONR_STATUS_LIMIT);
  assert_int_equal(status_of(ONR_PAD_CONSTANT, 2, DIMS(INT64_C(1) << 40, 0), i32, 0), ONR_STATUS_LIMIT);
  assert_int_equal(status_of(ONR_PAD_CONSTANT, 3, DIMS(1, 1, 1), i32, 0), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_PAD_CONSTANT, 2, DIMS(1, 1), ONR_DTYPE_I64, 0), ONR_STATUS_TYPE);
  assert_int_equal(status_of(ONR_PAD_CONSTANT, 2, DIMS(1, 1), ONR_DTYPE_F32, 0), ONR_STATUS_TYPE);
  assert_int_equal(status_of(ONR_PAD_CONSTANT, 2, DIMS(1, 1), i32, 1), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(ONR_PAD_REFLECT, 2, DIMS(3, 3), i32, 0), ONR_STATUS_OK);
  assert_int_equal(status_of(ONR_PAD_REFLECT, 2, DIMS(4, 0), i32, 0), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_PAD_EDGE, 2, DIMS(-4, 1), i32, 0), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(ONR_PAD_WRAP, 2, DIMS(-4, 1), i32, 0), ONR_STATUS_SHAPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_mode), cmocka_unit_test(converts_value),
                                     cmocka_unit_test(centers), cmocka_unit_test(wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
