/* slice: against a loop over the elements that a start, an end and a step name; clamping; wrong arguments. */
#include <stdlib.h>

#include "layers/layers.h"
#include "support/index_loop.h"

struct range {
  int64_t start, end, step;
};

/* The indices that the range names in a dimension of dim: the specification's words, one by one. */
static int64_t listed(struct range r, int64_t dim, int64_t *list) {
  int64_t n = 0;
  int64_t start = r.start, end = r.end;
  if (start < 0) start += dim;
  if (end < 0) end += dim;
  const int64_t high = r.step > 0 ? dim : dim - 1, far = r.step > 64 || r.step < -64;
  start = start < 0 ? 0 : start > high ? high : start;
  for (int64_t i = start; i >= 0 && i < dim && (r.step > 0 ? i < end : i > end); i += r.step) {
    list[n++] = i;
    if (far) break; /* one such step leaves any dimension of this test */
  }
  return n;
}

static void check(enum onr_dtype dtype, int32_t rank, const int64_t *dims, const struct range *ranges, int wide,
                  int refuse) {
  const size_t size = onr_dtype_size(dtype), count = count_of(rank, dims);
  unsigned char *x = malloc(count * size + 1);
  int64_t lists[ONR_MAX_RANK][64], out[ONR_MAX_RANK] = {0}, to[ONR_MAX_RANK] = {0}, from[ONR_MAX_RANK], num = rank;
  int64_t starts[ONR_MAX_RANK], ends[ONR_MAX_RANK], axes[ONR_MAX_RANK], steps[ONR_MAX_RANK];
  int32_t narrow[4][ONR_MAX_RANK];
  fill_distinct(x, count, size);
  for (int32_t d = 0; d < rank; d++) {
    const int32_t at = rank - 1 - d; /* the axes in another order than the dimensions, every other one negative */
    out[d] = listed(ranges[d], dims[d], lists[d]);
    starts[at] = ranges[d].start;
    ends[at] = ranges[d].end;
    steps[at] = ranges[d].step;
    axes[at] = d % 2 ? d : d - rank;
  }
  for (int32_t d = 0; d < rank; d++) {
    narrow[0][d] = (int32_t)starts[d];
    narrow[1][d] = (int32_t)ends[d];
    narrow[2][d] = (int32_t)axes[d];
    narrow[3][d] = (int32_t)steps[d];
  }
  struct layer_test t = {.layer = &onri_layer_slice, .num_out = 1, .threads = refuse ? 2 : 1, .refuse_wishes = refuse};
  layer_test_input(&t, dtype, rank, dims, x);
  const void *inputs[4] = {starts, ends, axes, steps};
  for (size_t i = 0; i < 4; i++)
    layer_test_input(&t, wide ? ONR_DTYPE_I64 : ONR_DTYPE_I32, 1, &num, wide ? inputs[i] : narrow[i]);
  run_ok(&t);
  const struct onr_desc desc = onr_desc_make(dtype, rank, out);
  assert_true(onr_desc_equal(&desc, &t.out[0].desc));
  if (count_of(rank, out) > 0) do {
      for (int32_t d = 0; d < rank; d++) from[d] = lists[d][to[d]];
      assert_memory_equal((char *)t.out[0].data + flat_index(to, rank, out) * size,
                          x + flat_index(from, rank, dims) * size, size);
    } while (next_index(to, rank, out));
  layer_test_clear(&t);
  free(x);
}

static void one_axis_everything(void **state) {
  static const int64_t bounds[] = {-9, -5, -4, -1, 0, 1, 3, 4, 5, 9}, steps[] = {-7, -2, -1, 1, 2, 3, 7};
  (void)state;
  for (int64_t dim = 0; dim <= 4; dim += 2)
    for (size_t a = 0; a < 10; a++)
      for (size_t b = 0; b < 10; b++)
        for (size_t c = 0; c < 7; c++)
          check(ONR_DTYPE_F32, 1, &dim, &(struct range){bounds[a], bounds[b], steps[c]}, c & 1, b & 1);
}

static void extreme_numbers(void **state) {
  static const int64_t far[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 2, INT64_MAX};
  (void)state;
  for (size_t a = 0; a < 6; a++)
    for (size_t b = 0; b < 6; b++)
      for (size_t c = 0; c < 6; c++)
        if (far[c] != 0) check(ONR_DTYPE_I64, 1, DIMS(5), &(struct range){far[a], far[b], far[c]}, 1, 0);
}

static void many_axes(void **state) {
  const struct range a[] = {{1, 3, 1}, {INT64_MAX, INT64_MIN, -2}, {0, 9, 1}, {-3, -1, 1}};
  const struct range b[] = {{0, 3, 1}, {0, 5, 1}, {2, 5, 2}, {5, 0, -1}};
  const struct range c[] = {{1, 2, 1}, {0, 5, 1}, {0, 6, 1}, {0, 7, 1}}; /* a view */
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (int refuse = 0; refuse < 2; refuse++) {
      check(sized_dtypes[i], 4, DIMS(3, 5, 6, 7), a, 1, refuse);
      check(sized_dtypes[i], 4, DIMS(3, 5, 6, 7), b, 1, refuse);
      check(sized_dtypes[i], 4, DIMS(3, 5, 6, 7), c, 1, refuse);
      check(sized_dtypes[i], 2, DIMS(60, 7), &c[2], 1, refuse);
    }
}

static void outer_runs_are_views(void **state) {
  const float x[60] = {0};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_slice, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 3, DIMS(1, 5, 12), x);
  layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(1), DIMS(2));
  layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(1), DIMS(4));
  layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(1), DIMS(1));
  run_ok(&t);
  assert_int_equal(t.view[0].of, 0);
  assert_int_equal(t.view[0].offset, 2 * 12 * sizeof(float));
  layer_test_clear(&t);
}

static void defaults(void **state) {
  const float x[6] = {0, 1, 2, 3, 4, 5}, expected[2] = {4, 5};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_slice, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 2, DIMS(2, 3), x);
  layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(2), DIMS(1, 1));
  layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(2), DIMS(2, 3));
  run_ok(&t);
  assert_int_equal(t.out[0].desc.dim[1], 2);
  assert_memory_equal(t.out[0].data, expected, sizeof(expected));
  layer_test_clear(&t);
}

static enum onr_status status_of(int64_t num_starts, int64_t num_ends, const int64_t *axes, int64_t step) {
  const float x[20] = {0};
  struct layer_test t = {.layer = &onri_layer_slice, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 2, DIMS(4, 5), x);
  layer_test_input(&t, ONR_DTYPE_I64, 1, &num_starts, DIMS(0, 0, 0));
  layer_test_input(&t, ONR_DTYPE_I64, 1, &num_ends, DIMS(1, 1, 1));
  layer_test_input(&t, ONR_DTYPE_I64, 1, &num_starts, axes);
  layer_test_input(&t, ONR_DTYPE_I64, 1, &num_starts, DIMS(step, 1, 1));
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void wrong_arguments(void **state) {
  (void)state;
  assert_int_equal(status_of(2, 2, DIMS(0, 1), 1), ONR_STATUS_OK);
  assert_int_equal(status_of(2, 2, DIMS(0, 1), 0), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(2, 2, DIMS(0, 0), 1), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(2, 2, DIMS(1, -1), 1), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(2, 2, DIMS(0, 2), 1), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(2, 1, DIMS(0, 1), 1), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(3, 3, DIMS(0, 1, 2), 1), ONR_STATUS_ATTRIBUTE);
}

/* A scalar has an axis, 0 or -1, for layers that reduce, but none to slice along. */
static void scalars(void **state) {
  const float x = 3;
  (void)state;
  for (int64_t axis = -1; axis < 1; axis++) {
    struct layer_test t = {.layer = &onri_layer_slice, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &x);
    for (int i = 0; i < 3; i++) layer_test_constant(&t, ONR_DTYPE_I64, 1, DIMS(1), &(int64_t){i == 2 ? axis : i});
    assert_int_equal(layer_test_run(&t), ONR_STATUS_SHAPE);
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_axis_everything),  cmocka_unit_test(extreme_numbers), cmocka_unit_test(many_axes),
      cmocka_unit_test(outer_runs_are_views), cmocka_unit_test(defaults),        cmocka_unit_test(scalars),
      cmocka_unit_test(wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
