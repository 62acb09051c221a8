/* where, clip, dropout and align. */
#include <math.h>
#include <string.h>

#include "support/sweep.h"

#include "base/numbers/convert.h"
#include "layers/layers.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const enum onr_backend backends[] = {ONR_BACKEND_PORTABLE, ONR_BACKEND_AUTO};

/* Condition [3, 1], x [4], y [3, 4] and turned around, with elements of every size. */
static void test_where_every_size(void **state) {
  (void)state;
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_BOOL, ONR_DTYPE_F16, ONR_DTYPE_F32, ONR_DTYPE_I64,
                                          ONR_DTYPE_STRING};
  const uint8_t condition[3] = {1, 0, 1};
  unsigned char x[4 * 16], y[12 * 16];
  for (size_t i = 0; i < sizeof(x); i++) x[i] = (unsigned char)(i * 7 + 1);
  for (size_t i = 0; i < sizeof(y); i++) y[i] = (unsigned char)(i * 5 + 2);
  for (size_t d = 0; d < COUNT(dtypes); d++) {
    const size_t size = onr_dtype_size(dtypes[d]);
    struct layer_test t = {.layer = &onri_layer_where, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_BOOL, 2, (int64_t[]){3, 1}, condition);
    layer_test_input(&t, dtypes[d], 1, (int64_t[]){4}, x);
    layer_test_input(&t, dtypes[d], 2, (int64_t[]){3, 4}, y);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_int_equal(t.out[0].desc.dtype, dtypes[d]);
    assert_int_equal(t.out[0].desc.dim[0], 3);
    assert_int_equal(t.in_place, 2);
    for (size_t i = 0; i < 12; i++)
      assert_memory_equal((char *)t.out[0].data + i * size, condition[i / 4] ? x + i % 4 * size : y + i * size, size);
    layer_test_clear(&t);
  }
}

static void test_where_large(void **state) {
  (void)state;
  static float x[70000], y[70000];
  static uint8_t condition[70000];
  fill_random(x, 70000, 0, 1, 1);
  fill_random(y, 70000, 0, 1, 2);
  for (size_t i = 0; i < 70000; i++) condition[i] = x[i] < y[i];
  struct layer_test t = {.layer = &onri_layer_where, .num_out = 1, .threads = 2};
  layer_test_input(&t, ONR_DTYPE_BOOL, 2, (int64_t[]){100, 700}, condition);
  layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){100, 700}, x);
  layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){100, 700}, y);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  for (size_t i = 0; i < 70000; i++) assert_true(((float *)t.out[0].data)[i] == fminf(x[i], y[i]));
  layer_test_clear(&t);
}

/* Each operand may be the same along rows, along columns or along both. */
static void test_where_drawn(void **state) {
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_I8, ONR_DTYPE_F16, ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_C128};
  static unsigned char x[40000 * 16], y[40000 * 16], condition[40000];
  struct sweep s = sweep_from(63);
  (void)state;
  for (size_t i = 0; i < sizeof(x); i++) x[i] = (unsigned char)sweep_next(&s), y[i] = (unsigned char)sweep_next(&s);
  for (size_t i = 0; i < sizeof(condition); i++) condition[i] = sweep_next(&s) % 2;
  for (int turn = 0; turn < sweep_cases(400); turn++) {
    const enum onr_dtype dtype = dtypes[sweep_pick(&s, 0, 4)];
    const int64_t dim[2] = {sweep_pick(&s, 1, 200), sweep_pick(&s, 1, 200)};
    const size_t size = onr_dtype_size(dtype);
    int64_t dims[3][2], whole[2] = {1, 1};
    for (int k = 0; k < 3; k++)
      for (int d = 0; d < 2; d++) {
        dims[k][d] = sweep_chance(&s, 2) ? 1 : dim[d];
        whole[d] = dims[k][d] > whole[d] ? dims[k][d] : whole[d];
      }
    struct layer_test t = {.layer = &onri_layer_where, .num_out = 1, .threads = (uint32_t)sweep_pick(&s, 1, 2)};
    layer_test_input(&t, ONR_DTYPE_BOOL, 2, dims[0], condition);
    layer_test_input(&t, dtype, 2, dims[1], x);
    layer_test_input(&t, dtype, 2, dims[2], y);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    for (int64_t i = 0; i < whole[0] * whole[1]; i++) {
      size_t at[3];
      for (int k = 0; k < 3; k++)
        at[k] = (size_t)((dims[k][0] == 1 ? 0 : i / whole[1] * dims[k][1]) + (dims[k][1] == 1 ? 0 : i % whole[1]));
      assert_memory_equal((char *)t.out[0].data + (size_t)i * size,
                          condition[at[0]] ? x + at[1] * size : y + at[2] * size, size);
    }
    layer_test_clear(&t);
  }
}

static void test_where_wrong(void **state) {
  (void)state;
  static const struct {
    enum onr_dtype condition, y;
    int64_t dim;
    enum onr_status status;
  } wrong[] = {{ONR_DTYPE_U8, ONR_DTYPE_F32, 4, ONR_STATUS_TYPE},
               {ONR_DTYPE_BOOL, ONR_DTYPE_I32, 4, ONR_STATUS_TYPE},
               {ONR_DTYPE_BOOL, ONR_DTYPE_F32, 3, ONR_STATUS_SHAPE}};
  const float x[4] = {0};
  for (size_t k = 0; k < COUNT(wrong); k++) {
    struct layer_test t = {.layer = &onri_layer_where, .num_out = 1};
    layer_test_input(&t, wrong[k].condition, 1, (int64_t[]){4}, x);
    layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){4}, x);
    layer_test_input(&t, wrong[k].y, 1, &wrong[k].dim, x);
    assert_int_equal(layer_test_run(&t), wrong[k].status);
    layer_test_clear(&t);
  }
}

/* NULL bounds are omitted inputs. Compares bits, except that any NaN will do where a NaN is expected. */
static void clip(enum onr_dtype dtype, const void *x, const void *least, const void *most, const void *expected,
                 int64_t count) {
  const size_t size = onr_dtype_size(dtype);
  for (size_t k = 0; k < COUNT(backends); k++) {
    struct layer_test t = {.layer = &onri_layer_clip, .backend = backends[k], .num_out = 1};
    layer_test_input(&t, dtype, 1, &count, x);
    layer_test_input(&t, dtype, 0, NULL, least);
    layer_test_input(&t, dtype, 0, NULL, most);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    for (size_t i = 0; i < (size_t)count; i++) {
      const char *e = (const char *)expected + i * size, *f = (const char *)t.out[0].data + i * size;
      if (dtype == ONR_DTYPE_F32 && isnan(*(const float *)e)) assert_true(isnan(*(const float *)f));
      else assert_memory_equal(e, f, size);
    }
    layer_test_clear(&t);
  }
}

static void test_clip(void **state) {
  (void)state;
  const float x[5] = {-3, -1, 0.5f, 4, NAN}, low = -1.5f, high = 2, nan = NAN;
  clip(ONR_DTYPE_F32, x, &low, &high, (float[]){-1.5f, -1, 0.5f, 2, NAN}, 5);
  clip(ONR_DTYPE_F32, x, &low, NULL, (float[]){-1.5f, -1, 0.5f, 4, NAN}, 5);
  clip(ONR_DTYPE_F32, x, NULL, &high, (float[]){-3, -1, 0.5f, 2, NAN}, 5);
  clip(ONR_DTYPE_F32, x, NULL, NULL, x, 5);
  clip(ONR_DTYPE_F32, x, &high, &low, (float[]){-1.5f, -1.5f, -1.5f, -1.5f, NAN}, 5);
  clip(ONR_DTYPE_F32, x, &nan, &high, (float[]){NAN, NAN, NAN, NAN, NAN}, 5);
  clip(ONR_DTYPE_F32, x, &low, &nan, (float[]){NAN, NAN, NAN, NAN, NAN}, 5);
  const int8_t i8[4] = {-128, -1, 5, 127}, three = 3, minus = -2;
  clip(ONR_DTYPE_I8, i8, &minus, &three, (int8_t[]){-2, -1, 3, 3}, 4);
  const uint64_t u64[2] = {UINT64_MAX, 1}, two = 2, top = UINT64_MAX - 1;
  clip(ONR_DTYPE_U64, u64, &two, &top, (uint64_t[]){UINT64_MAX - 1, 2}, 2);
  const double d[2] = {1e300, -1}, zero = 0;
  clip(ONR_DTYPE_F64, d, &zero, NULL, (double[]){1e300, 0}, 2);
}

static void test_clip_wrong(void **state) {
  (void)state;
  const float x[2] = {0};
  struct layer_test t = {.layer = &onri_layer_clip, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){2}, x);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){2}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_SHAPE);
  layer_test_clear(&t);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){2}, x);
  layer_test_input(&t, ONR_DTYPE_I32, 0, NULL, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_TYPE);
  layer_test_clear(&t);
}

static void test_dropout(void **state) {
  (void)state;
  const float x[3] = {1, 2, 3}, ratio[] = {0.0f, 0.5f};
  const uint8_t training[] = {0, 1};
  for (int like = 0; like < 2; like++)
    for (int r = 0; r < 2; r++)
      for (int training_mode = 0; training_mode < 2; training_mode++) {
        const struct onr_dropout_params params = {.mask_like_x = like};
        struct layer_test t = {.layer = &onri_layer_dropout, .params = &params, .num_out = 2, .refuse_wishes = r};
        layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){3}, x);
        layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &ratio[r]);
        layer_test_input(&t, ONR_DTYPE_BOOL, 0, NULL, &training[training_mode]);
        assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
        if (!(r == 1 && training_mode == 1)) { /* what training drops: test_random.c */
          assert_memory_equal(t.out[0].data, x, sizeof(x));
          if (like) assert_memory_equal(t.out[1].data, ((float[]){1, 1, 1}), sizeof(x));
          else assert_memory_equal(t.out[1].data, ((uint8_t[]){1, 1, 1}), 3);
        }
        layer_test_clear(&t);
      }
}

static void test_align(void **state) {
  (void)state;
  static const struct {
    int32_t rank, like_rank, axis, result_rank;
    int64_t dim[2], result[4];
    enum onr_status status;
  } cases[] = {
      {1, 4, 1, 3, {3}, {3, 1, 1}, ONR_STATUS_OK},    {2, 4, -3, 3, {3, 2}, {3, 2, 1}, ONR_STATUS_OK},
      {1, 4, 0, 4, {6}, {6, 1, 1, 1}, ONR_STATUS_OK}, {2, 2, 0, 2, {3, 2}, {3, 2}, ONR_STATUS_OK},
      {0, 2, 1, 0, {0}, {0}, ONR_STATUS_OK},          {2, 2, 1, 0, {3, 2}, {0}, ONR_STATUS_ATTRIBUTE},
      {1, 2, 2, 0, {3}, {0}, ONR_STATUS_ATTRIBUTE},
  };
  const float x[6] = {1, 2, 3, 4, 5, 6};
  for (size_t k = 0; k < COUNT(cases); k++)
    for (int refuse = 0; refuse < 2; refuse++) {
      const struct onr_align_params params = {.axis = cases[k].axis};
      struct layer_test t = {.layer = &onri_layer_align, .params = &params, .num_out = 1, .refuse_wishes = refuse};
      layer_test_input(&t, ONR_DTYPE_F32, cases[k].rank, cases[k].dim, x);
      layer_test_input(&t, ONR_DTYPE_F32, cases[k].like_rank, (int64_t[]){1, 1, 1, 1}, x);
      assert_int_equal(layer_test_run(&t), cases[k].status);
      if (cases[k].status == ONR_STATUS_OK) {
        const struct onr_desc expected = onr_desc_make(ONR_DTYPE_F32, cases[k].result_rank, cases[k].result);
        assert_true(onr_desc_equal(&t.out[0].desc, &expected));
        assert_memory_equal(t.out[0].data, x, onr_desc_bytes(&expected));
      }
      layer_test_clear(&t);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_where_every_size), cmocka_unit_test(test_where_large), cmocka_unit_test(test_where_drawn),
      cmocka_unit_test(test_where_wrong),      cmocka_unit_test(test_clip),        cmocka_unit_test(test_clip_wrong),
      cmocka_unit_test(test_dropout),          cmocka_unit_test(test_align),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
