/* top_k against repeated search for the best element left; all types, ties, NaN, lines long enough for several parts.
 */
#include <math.h>
#include <stdlib.h>

#include "base/numbers/convert.h"
#include "layers/layers.h"
#include "support/index_loop.h"
#include "support/sweep.h"

static const enum onr_dtype numbers[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16, ONR_DTYPE_BF16,
                                         ONR_DTYPE_I8,  ONR_DTYPE_U8,  ONR_DTYPE_I16, ONR_DTYPE_U16,
                                         ONR_DTYPE_I32, ONR_DTYPE_U32, ONR_DTYPE_I64, ONR_DTYPE_U64};

static void write_number(enum onr_dtype dtype, char *data, size_t i, double value) {
  union {
    float f32;
    double f64;
    int64_t i64;
  } v;
  const enum onri_class class = onri_dtype_class(dtype);
  if (class == ONRI_CLASS_F32) v.f32 = (float)value;
  else if (class == ONRI_CLASS_F64) v.f64 = value;
  else v.i64 = (int64_t)value;
  onri_store(dtype, &v, 1, data + i * onr_dtype_size(dtype));
}

/* values: what x holds as doubles. a stands before b in the result. */
static int before(const double *values, size_t a, size_t b, int largest) {
  if (isnan(values[a]) != isnan(values[b])) return isnan(values[a]) ? largest : !largest;
  if (values[a] != values[b] && !isnan(values[a])) return largest ? values[a] > values[b] : values[a] < values[b];
  return a < b;
}

static void check(enum onr_dtype dtype, int32_t rank, const int64_t *dims, int32_t axis, int64_t k, int largest,
                  const double *values, uint32_t threads) {
  const struct onr_top_k_params params = {axis, largest};
  const int32_t at = axis < 0 ? axis + rank : axis;
  const size_t size = onr_dtype_size(dtype), count = count_of(rank, dims), length = (size_t)dims[at];
  const size_t inner = count_of(rank - at - 1, dims + at + 1), outer = count_of(at, dims);
  char *x = malloc(count * size + 1), *taken = calloc(count + 1, 1);
  for (size_t i = 0; i < count; i++) write_number(dtype, x, i, values[i]);
  struct layer_test t = {.layer = &onri_layer_top_k, .params = &params, .num_out = 2, .threads = threads};
  layer_test_input(&t, dtype, rank, dims, x);
  layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(1), &k);
  run_ok(&t);
  assert_int_equal(t.out[0].desc.dim[at], k);
  assert_int_equal(t.out[1].desc.dtype, ONR_DTYPE_I64);
  for (size_t line = 0; line < outer * inner; line++) {
    const size_t first = line / inner * length * inner + line % inner;
    for (size_t n = 0; n < (size_t)k; n++) {
      size_t best = SIZE_MAX;
      for (size_t i = first; i < first + length * inner; i += inner)
        if (!taken[i] && (best == SIZE_MAX || before(values, i, best, largest))) best = i;
      taken[best] = 1;
      const size_t to = (line / inner * (size_t)k + n) * inner + line % inner;
      assert_int_equal(((int64_t *)t.out[1].data)[to], (best - first) / inner);
      assert_memory_equal((char *)t.out[0].data + to * size, x + best * size, size);
    }
  }
  layer_test_clear(&t);
  free(x);
  free(taken);
}

static void every_axis_and_type(void **state) {
  static const int64_t dims[3] = {5, 70, 3};
  double values[1050];
  (void)state;
  for (size_t i = 0; i < 1050; i++) values[i] = (double)(i * 7919 % 97); /* many ties */
  for (size_t d = 0; d < 12; d++)
    for (int32_t axis = -3; axis < 3; axis++) {
      const int64_t n = dims[axis < 0 ? axis + 3 : axis];
      for (int largest = 0; largest < 2; largest++) {
        check(numbers[d], 3, dims, axis, 1, largest, values, 1);
        check(numbers[d], 3, dims, axis, n / 2, largest, values, 2);
        check(numbers[d], 3, dims, axis, n, largest, values, 1);
        check(numbers[d], 3, dims, axis, 0, largest, values, 1);
      }
    }
}

static void special_values(void **state) {
  const double values[12] = {NAN, 1, -INFINITY, NAN, 0.0, -0.0, INFINITY, -1, -NAN, 2, -2, 0.0};
  const double bounds[4] = {-9223372036854775808.0, 0, -1, 9007199254740992.0};
  (void)state;
  for (int largest = 0; largest < 2; largest++)
    for (int64_t k = 1; k <= 12; k++) {
      check(ONR_DTYPE_F32, 1, DIMS(12), 0, k, largest, values, 1);
      check(ONR_DTYPE_F64, 1, DIMS(12), 0, k, largest, values, 1);
      check(ONR_DTYPE_F16, 1, DIMS(12), 0, k, largest, values, 1);
    }
  check(ONR_DTYPE_I64, 1, DIMS(4), 0, 4, 1, bounds, 1);
  check(ONR_DTYPE_I64, 1, DIMS(4), 0, 4, 0, bounds, 1);
}

static void many_lines(void **state) {
  double *values = malloc(40 * 700 * sizeof(*values));
  (void)state;
  assert_non_null(values);
  for (size_t i = 0; i < 28000; i++) values[i] = (double)(i * 2654435761u % 100003u);
  check(ONR_DTYPE_F32, 2, DIMS(40, 700), 1, 25, 1, values, 3);
  check(ONR_DTYPE_F32, 2, DIMS(40, 700), 0, 3, 0, values, 3);
  check(ONR_DTYPE_F32, 3, DIMS(40, 1, 700), 1, 1, 0, values, 3); /* nothing to choose from */
  check(ONR_DTYPE_F16, 2, DIMS(700, 1), 1, 1, 1, values, 1);
  free(values);
}

/* Lines of several blocks, of which most elements are never among the best; with ties, NaN and infinities. */
static void lines_and_few(void **state) {
  static double values[3 * 1200 * 3];
  struct sweep s = sweep_from(17);
  (void)state;
  for (int round = 0; round < sweep_cases(300); round++) {
    const int64_t longest = round % 8 ? 400 : 1200, length = sweep_pick(&s, 1, longest),
                  inner = sweep_chance(&s, 2) ? 1 : sweep_pick(&s, 1, 3);
    const int64_t outer = sweep_pick(&s, 1, 3), most = length < 30 || round % 4 == 0 ? length : 30,
                  range = sweep_chance(&s, 2) ? 9 : 5000;
    const uint32_t special = sweep_chance(&s, 2) ? 30 : 0;
    for (int64_t i = 0; i < outer * length * inner; i++) {
      values[i] = (double)sweep_pick(&s, -range, range);
      if (special && sweep_chance(&s, special))
        values[i] = sweep_chance(&s, 2) ? NAN : sweep_chance(&s, 2) ? INFINITY : -INFINITY;
    }
    check(sweep_chance(&s, 4) ? ONR_DTYPE_F64 : ONR_DTYPE_F32, 3, DIMS(outer, length, inner), 1,
          sweep_pick(&s, 1, most), sweep_chance(&s, 2), values, 1);
  }
}

/* Short lines, that lie side by side and that do not, in groups of all sizes. */
static void short_lines(void **state) {
  enum { MOST = 60000 };
  static double values[MOST];
  struct sweep s = sweep_from(23);
  (void)state;
  for (int round = 0; round < sweep_cases(300); round++) {
    const int64_t length = sweep_pick(&s, 2, sweep_chance(&s, 4) ? 90 : 20),
                  inner = sweep_pick(&s, 1, round % 2 ? 5 : 90);
    const int64_t outer = sweep_pick(&s, 1, round % 2 ? 90 : 7), k = sweep_pick(&s, 1, length < 10 ? length : 10);
    if (outer * length * inner > MOST) continue;
    for (int64_t i = 0; i < outer * length * inner; i++)
      values[i] = sweep_chance(&s, 40) ? NAN : (double)sweep_pick(&s, -9, 9);
    check(ONR_DTYPE_F32, 3, DIMS(outer, length, inner), 1, k, sweep_chance(&s, 2), values, round % 3 ? 1 : 3);
  }
}

/* Lines of more keys than are looked at together; what rises ever again fills the room for those that may be among the
 * best; what is equal, or infinite, bounds nothing. */
static void long_lines(void **state) {
  enum { LENGTH = 40000 };
  static double values[2 * LENGTH];
  (void)state;
  for (int form = 0; form < 5; form++) {
    for (size_t i = 0; i < 2 * LENGTH; i++) {
      const double scattered = (double)(i * 2654435761u % 100003u), rising = (double)(i % LENGTH);
      values[i] = form == 0   ? scattered
                  : form == 1 ? rising
                  : form == 2 ? -rising
                  : form == 3 ? i % 7 == 0
                              : (i % LENGTH < 300 ? INFINITY : scattered);
    }
    for (int largest = 0; largest < 2; largest++) {
      check(ONR_DTYPE_F32, 2, DIMS(2, LENGTH), 1, 3, largest, values, 2);
      check(ONR_DTYPE_F32, 2, DIMS(2, LENGTH), 1, 40, largest, values, 1);
      check(ONR_DTYPE_F64, 2, DIMS(LENGTH, 2), 0, 20, largest, values, 2);
      if (form < 4) check(ONR_DTYPE_I32, 2, DIMS(2, LENGTH), 1, 20, largest, values, 1);
    }
  }
}

static enum onr_status status_of(enum onr_dtype dtype, int64_t k, int64_t axis) {
  const struct onr_top_k_params params = {axis, 1};
  const float x[4] = {0};
  struct layer_test t = {.layer = &onri_layer_top_k, .params = &params, .num_out = 2};
  layer_test_input(&t, dtype, 1, DIMS(4), x);
  layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(1), &k);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void wrong_arguments(void **state) {
  (void)state;
  assert_int_equal(status_of(ONR_DTYPE_F32, 4, 0), ONR_STATUS_OK);
  assert_int_equal(status_of(ONR_DTYPE_F32, 9, 0), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(ONR_DTYPE_F32, -1, 0), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(ONR_DTYPE_F32, 1, 1), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(ONR_DTYPE_BOOL, 1, 0), ONR_STATUS_TYPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_axis_and_type), cmocka_unit_test(special_values),
                                     cmocka_unit_test(many_lines),          cmocka_unit_test(lines_and_few),
                                     cmocka_unit_test(short_lines),         cmocka_unit_test(long_lines),
                                     cmocka_unit_test(wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
