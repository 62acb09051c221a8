/* reduce and arg_reduce against plain loops over all elements. */
#include <math.h>
#include <string.h>

#include "support/sweep.h"

#include "base/numbers/convert.h"
#include "layers/layers.h"

enum { CAPACITY = 16384 };

/* Position in the result of element i, when the dimensions of `mask` are reduced. */
static size_t result_index(const int64_t *dims, int32_t rank, unsigned mask, size_t i) {
  size_t index = 0, step = 1;
  for (int32_t d = rank; d-- > 0; i /= (size_t)dims[d])
    if (!(mask >> d & 1)) {
      index += i % (size_t)dims[d] * step;
      step *= (size_t)dims[d];
    }
  return index;
}

static void reference(enum onr_reduce_op op, const double *x, double *y, size_t count, size_t results,
                      const int64_t *dims, int32_t rank, unsigned mask) {
  const int extreme = op == ONR_REDUCE_MAX || op == ONR_REDUCE_MIN;
  for (size_t i = 0; i < results; i++)
    y[i] = op == ONR_REDUCE_PROD ? 1 : op == ONR_REDUCE_MAX ? -INFINITY : extreme ? INFINITY : 0;
  for (size_t i = 0; i < count; i++) {
    double *acc = &y[result_index(dims, rank, mask, i)];
    switch (op) {
      case ONR_REDUCE_MAX: *acc = fmax(*acc, x[i]); break;
      case ONR_REDUCE_MIN: *acc = fmin(*acc, x[i]); break;
      case ONR_REDUCE_PROD: *acc *= x[i]; break;
      case ONR_REDUCE_L1: *acc += fabs(x[i]); break;
      case ONR_REDUCE_L2:
      case ONR_REDUCE_SUM_SQUARE: *acc += x[i] * x[i]; break;
      case ONR_REDUCE_LOG_SUM_EXP: *acc += exp(x[i]); break;
      default: *acc += x[i]; break;
    }
  }
  for (size_t i = 0; i < results; i++) {
    if (op == ONR_REDUCE_MEAN) y[i] /= (double)(count / results);
    if (op == ONR_REDUCE_L2) y[i] = sqrt(y[i]);
    if (op == ONR_REDUCE_LOG_SUM || op == ONR_REDUCE_LOG_SUM_EXP) y[i] = log(y[i]);
  }
}

static void to_doubles(enum onr_dtype dtype, const void *data, size_t count, double *y) {
  static union {
    float f[CAPACITY];
    double d[CAPACITY];
    int64_t i[CAPACITY];
    uint64_t u[CAPACITY];
  } wide;
  onri_load(dtype, data, count, &wide);
  for (size_t i = 0; i < count; i++) switch (onri_dtype_class(dtype)) {
      case ONRI_CLASS_F32: y[i] = (double)wide.f[i]; break;
      case ONRI_CLASS_F64: y[i] = wide.d[i]; break;
      case ONRI_CLASS_I64: y[i] = (double)wide.i[i]; break;
      default: y[i] = (double)wide.u[i]; break;
    }
}

static void make_input(enum onr_dtype dtype, int positive, void *data, size_t count, double *x) {
  static float values[CAPACITY];
  static union {
    double d[CAPACITY];
    int64_t i[CAPACITY];
  } wide;
  const enum onri_class class = onri_dtype_class(dtype);
  const int is_integer = class == ONRI_CLASS_I64 || class == ONRI_CLASS_U64;
  fill_random(values, count, positive ? 1.0f : -1.5f, is_integer ? 3.9f : 1.5f, (uint32_t)count + dtype);
  for (size_t i = 0; i < count; i++) {
    if (is_integer) wide.i[i] = (int64_t)values[i];
    else wide.d[i] = (double)values[i];
  }
  onri_store(dtype, class == ONRI_CLASS_F32 ? (const void *)values : (const void *)&wide, count, data);
  to_doubles(dtype, data, count, x);
}

static void check(enum onr_reduce_op op, enum onr_dtype dtype, int32_t rank, const int64_t *dims, unsigned mask,
                  uint32_t threads) {
  static double raw[CAPACITY], x[CAPACITY], y[CAPACITY], expected[CAPACITY];
  const struct onr_desc desc = onr_desc_make(dtype, rank, dims);
  const size_t count = (size_t)onr_desc_elements(&desc);
  const int keep = (int)(mask & 1);
  int64_t axes[ONR_MAX_RANK], num_axes = 0;
  size_t results = 1;
  const enum onri_class class = onri_dtype_class(dtype);
  const int is_integer = class == ONRI_CLASS_I64 || class == ONRI_CLASS_U64;
  for (int32_t d = 0; d < rank; d++) {
    if (mask >> d & 1) axes[num_axes++] = d & 1 ? d : d - rank; /* both ways to write them */
    else results *= (size_t)dims[d];
  }
  const struct onr_reduce_params params = {op, keep, 1};
  make_input(dtype, op == ONR_REDUCE_LOG_SUM || is_integer, raw, count, x);
  reference(op, x, expected, count, results, dims, rank, mask);
  struct layer_test t = {.layer = &onri_layer_reduce, .params = &params, .num_out = 1, .threads = threads};
  layer_test_input(&t, dtype, rank, dims, raw);
  layer_test_constant(&t, ONR_DTYPE_I64, 1, &num_axes, axes);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(t.out[0].desc.rank, keep ? rank : rank - num_axes);
  assert_int_equal(onr_desc_elements(&t.out[0].desc), results);
  to_doubles(dtype, t.out[0].data, results, y);
  const double tolerance = dtype == ONR_DTYPE_F32 ? 1e-6 : dtype == ONR_DTYPE_F64 ? 1e-12 : 2e-3;
  for (size_t i = 0; i < results; i++) {
    const double e = is_integer ? trunc(expected[i]) : expected[i];
    if (fabs(y[i] - e) > (is_integer ? 0 : tolerance * (1 + fabs(e))))
      fail_msg("op %d %zu: %g, expected %g", (int)op, i, y[i], e);
  }
  layer_test_clear(&t);
}

static void test_every_op_and_axis(void **unused) {
  const int64_t dims[] = {3, 4, 5, 7};
  (void)unused;
  for (int op = 0; op < ONR_NUM_REDUCE_OPS; op++)
    for (unsigned mask = 1; mask < 16; mask++) {
      check((enum onr_reduce_op)op, ONR_DTYPE_F32, 4, dims, mask, 1 + (mask & 1));
      check((enum onr_reduce_op)op, ONR_DTYPE_F64, 4, dims, mask, 1);
    }
}

static void test_number_types(void **unused) {
  const enum onr_dtype dtypes[] = {ONR_DTYPE_F16, ONR_DTYPE_I32, ONR_DTYPE_U32, ONR_DTYPE_I64, ONR_DTYPE_U64};
  const int64_t dims[] = {2, 3, 4};
  (void)unused;
  for (int i = 0; i < 5; i++)
    for (int op = 0; op < ONR_NUM_REDUCE_OPS; op++)
      for (unsigned mask = 1; mask < 8; mask++)
        if (i > 0 || op != ONR_REDUCE_PROD) check((enum onr_reduce_op)op, dtypes[i], 3, dims, mask, 1);
}

/* Kept and reduced dimensions in any order, most of them small: groups that turn, runs that are joined, wide rows. */
static void test_drawn_shapes(void **unused) {
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F32, ONR_DTYPE_F32, ONR_DTYPE_F64,
                                          ONR_DTYPE_F16, ONR_DTYPE_I32, ONR_DTYPE_I64, ONR_DTYPE_U32};
  struct sweep s = sweep_from(68);
  (void)unused;
  for (int turn = 0; turn < sweep_cases(1500); turn++) {
    const enum onr_dtype dtype = dtypes[turn % 8];
    const enum onr_reduce_op op = (enum onr_reduce_op)sweep_pick(&s, 0, ONR_NUM_REDUCE_OPS - 1);
    const int32_t rank = (int32_t)sweep_pick(&s, 1, 5), long_one = (int32_t)sweep_pick(&s, 0, rank - 1);
    int64_t dims[5], count = 1;
    for (int32_t d = 0; d < rank; d++) {
      const int64_t most = d == long_one ? 700 : sweep_chance(&s, 3) ? 40 : 9, left = CAPACITY / count;
      dims[d] = sweep_pick(&s, 1, most < left ? most : left);
      count *= dims[d];
    }
    if (op == ONR_REDUCE_PROD && dtype != ONR_DTYPE_F32 && dtype != ONR_DTYPE_F64) continue; /* beyond what they hold */
    check(op, dtype, rank, dims, (unsigned)sweep_pick(&s, 0, (1 << rank) - 1), (uint32_t)sweep_pick(&s, 1, 2));
  }
}

static void test_large(void **unused) {
  (void)unused;
  for (uint32_t threads = 1; threads <= 2; threads++) {
    check(ONR_REDUCE_MEAN, ONR_DTYPE_F32, 3, (int64_t[]){2, 49, 130}, 2, threads); /* channels last */
    check(ONR_REDUCE_SUM, ONR_DTYPE_F32, 2, (int64_t[]){3, 5001}, 2, threads);
    check(ONR_REDUCE_MAX, ONR_DTYPE_F32, 2, (int64_t[]){5001, 3}, 1, threads);
    check(ONR_REDUCE_LOG_SUM_EXP, ONR_DTYPE_F32, 3, (int64_t[]){7, 600, 2}, 2, threads);
  }
}

static enum onr_status run_simple(struct layer_test *t, enum onr_dtype dtype, int32_t rank, const int64_t *dims,
                                  const void *x) {
  t->layer = !t->layer ? &onri_layer_reduce : t->layer;
  t->num_out = 1;
  layer_test_input(t, dtype, rank, dims, x);
  return layer_test_run(t);
}

static void test_without_axes(void **unused) {
  const float x[4] = {1, -2, 3, -4}, squares[4] = {1, 4, 9, 16};
  const struct onr_reduce_params all = {ONR_REDUCE_SUM, 0, 0}, none = {ONR_REDUCE_SUM_SQUARE, 0, 1};
  struct layer_test t = {.params = &all}, u = {.params = &none};
  (void)unused;
  assert_int_equal(run_simple(&t, ONR_DTYPE_F32, 2, (int64_t[]){2, 2}, x), ONR_STATUS_OK);
  assert_int_equal(t.out[0].desc.rank, 0);
  assert_true(*(const float *)t.out[0].data == -2.0f);
  layer_test_clear(&t);
  assert_int_equal(run_simple(&u, ONR_DTYPE_F32, 2, (int64_t[]){2, 2}, x), ONR_STATUS_OK);
  assert_memory_equal(u.out[0].data, squares, sizeof(squares));
  layer_test_clear(&u);
}

static void test_special_values(void **unused) {
  const float nan[3] = {1, NAN, 3}, inf[2] = {INFINITY, 0}, minus[2] = {-INFINITY, -INFINITY}, big[2] = {1000, 1000};
  const float *const inputs[] = {nan, nan, inf, minus, big};
  const int64_t lengths[] = {3, 3, 2, 2, 2};
  const enum onr_reduce_op ops[] = {ONR_REDUCE_MAX, ONR_REDUCE_MIN, ONR_REDUCE_LOG_SUM_EXP, ONR_REDUCE_LOG_SUM_EXP,
                                    ONR_REDUCE_LOG_SUM_EXP};
  const float expected[] = {NAN, NAN, INFINITY, -INFINITY, 1000.6931472f};
  (void)unused;
  for (int i = 0; i < 5; i++) {
    const struct onr_reduce_params params = {ops[i], 0, 0};
    struct layer_test t = {.params = &params};
    assert_int_equal(run_simple(&t, ONR_DTYPE_F32, 1, &lengths[i], inputs[i]), ONR_STATUS_OK);
    assert_close(t.out[0].data, &expected[i], 1, 1e-7, 0);
    layer_test_clear(&t);
  }
}

static void test_nothing_to_reduce(void **unused) {
  const int64_t dims[] = {0, 2}, dummy = 0;
  const enum onr_reduce_op ops[] = {ONR_REDUCE_SUM, ONR_REDUCE_PROD, ONR_REDUCE_MAX, ONR_REDUCE_MIN,
                                    ONR_REDUCE_LOG_SUM};
  const float expected[] = {0, 1, -INFINITY, INFINITY, -INFINITY};
  (void)unused;
  for (int i = 0; i < 5; i++) {
    const struct onr_reduce_params params = {ops[i], 0, 0};
    struct layer_test t = {.params = &params};
    assert_int_equal(run_simple(&t, ONR_DTYPE_F32, 2, dims, &dummy), ONR_STATUS_OK);
    assert_close(t.out[0].data, &expected[i], 1, 0, 0);
    layer_test_clear(&t);
  }
  const struct onr_reduce_params params = {ONR_REDUCE_MAX, 0, 0};
  struct layer_test t = {.params = &params};
  assert_int_equal(run_simple(&t, ONR_DTYPE_I8, 2, dims, &dummy), ONR_STATUS_OK);
  assert_int_equal(*(const int8_t *)t.out[0].data, INT8_MIN);
  layer_test_clear(&t);
}

/* What op makes of nothing. */
static double result_of_none(enum onr_reduce_op op) {
  switch (op) {
    case ONR_REDUCE_PROD: return 1;
    case ONR_REDUCE_MIN: return (double)INFINITY;
    case ONR_REDUCE_MAX:
    case ONR_REDUCE_LOG_SUM:
    case ONR_REDUCE_LOG_SUM_EXP: return -(double)INFINITY;
    default: return 0;
  }
}

/* x has no elements, and behind it is nothing: it must not be read. */
static void check_none(enum onr_reduce_op op, enum onr_dtype dtype, int32_t rank, const int64_t *dims, unsigned mask) {
  const struct onr_reduce_params params = {op, 1, 1};
  const double expected = result_of_none(op);
  int64_t axes[ONR_MAX_RANK], num_axes = 0;
  double y[CAPACITY];
  for (int32_t d = 0; d < rank; d++)
    if (mask >> d & 1) axes[num_axes++] = d;
  struct layer_test t = {.layer = &onri_layer_reduce, .params = &params, .num_out = 1};
  layer_test_input(&t, dtype, rank, dims, "");
  layer_test_constant(&t, ONR_DTYPE_I64, 1, &num_axes, axes);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  const size_t results = (size_t)onr_desc_elements(&t.out[0].desc);
  to_doubles(dtype, t.out[0].data, results, y);
  for (size_t i = 0; i < results; i++)
    if (op == ONR_REDUCE_MEAN ? !isnan(y[i]) : y[i] < expected || y[i] > expected || isnan(y[i]))
      fail_msg("op %d over axes %x, rank %d: %g of no elements", (int)op, mask, (int)rank, y[i]);
  layer_test_clear(&t);
}

/* All ranks up to four, all axes, a zero in every place. */
static void test_nothing_anywhere(void **unused) {
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16};
  static const int64_t sizes[] = {0, 2, 19};
  (void)unused;
  for (int k = 0; k < 81 * 16; k++) {
    const int64_t dims[] = {sizes[k / 27 % 3], sizes[k / 9 % 3], sizes[k / 3 % 3], sizes[k % 3]};
    const unsigned mask = (unsigned)k / 81;
    for (int32_t rank = 1; rank <= 4; rank++) {
      int has_zero = 0;
      for (int32_t d = 0; d < rank; d++) has_zero |= dims[d] == 0;
      if (!has_zero || mask >> rank) continue;
      for (int op = 0; op < ONR_NUM_REDUCE_OPS; op++)
        check_none((enum onr_reduce_op)op, dtypes[(k + op) % 3], rank, dims, mask);
    }
  }
}

static void test_wrong_axes(void **unused) {
  const float x[4] = {0};
  const int64_t axes[][2] = {{99, 0}, {0, 0}, {INT64_MIN, 1}}, two = 2;
  const struct onr_reduce_params params = {ONR_REDUCE_SUM, 1, 0};
  (void)unused;
  for (int i = 0; i < 3; i++) {
    struct layer_test t = {.layer = &onri_layer_reduce, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){2, 2}, x);
    layer_test_constant(&t, ONR_DTYPE_I64, 1, &two, axes[i]);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_ATTRIBUTE);
    layer_test_clear(&t);
  }
}

/* x: small whole numbers, which any type holds. */
/* a, which comes behind b, is taken. */
static int is_taken(float a, float b, const struct onr_arg_reduce_params *p) {
  if (b != b) return p->select_last && a != a;
  if (a != a) return 1;
  return (p->minimum ? a < b : a > b) || (p->select_last && a == b);
}
static void check_arg(enum onr_dtype dtype, const float *x, size_t outer, size_t length, size_t inner,
                      struct onr_arg_reduce_params params) {
  static char stored[CAPACITY * 8];
  const int64_t dims[] = {(int64_t)outer, (int64_t)length, (int64_t)inner};
  struct layer_test t = {.layer = &onri_layer_arg_reduce, .params = &params, .threads = 2};
  params.axis = -2;
  for (size_t i = 0; i < outer * length * inner; i++) {
    const double real = (double)x[i];
    const int is_float = onri_dtype_class(dtype) == ONRI_CLASS_F32 || onri_dtype_class(dtype) == ONRI_CLASS_F64;
    if (is_float) onri_store_f64(dtype, &real, 1, stored + i * onr_dtype_size(dtype));
    else onri_store(dtype, &(int64_t){(int64_t)x[i]}, 1, stored + i * onr_dtype_size(dtype));
  }
  assert_int_equal(run_simple(&t, dtype, 3, dims, stored), ONR_STATUS_OK);
  assert_int_equal(t.out[0].desc.rank, params.keep_dims ? 3 : 2);
  for (size_t o = 0; o < outer; o++)
    for (size_t j = 0; j < inner; j++) {
      int64_t best = 0;
      for (size_t i = 1; i < length; i++) {
        const float a = x[(o * length + i) * inner + j], b = x[(o * length + (size_t)best) * inner + j];
        if (is_taken(a, b, &params)) best = (int64_t)i;
      }
      assert_int_equal(((const int64_t *)t.out[0].data)[o * inner + j], best);
    }
  layer_test_clear(&t);
}

/* Sums to the shape of `like`, against the reference over the dimensions that are 1 or missing in it. */
static enum onr_status sum_to(int32_t rank, const int64_t *like) {
  const int64_t dims[] = {3, 1, 4, 5};
  float x[60], y[60];
  double wide[60], expected[60];
  unsigned mask = 0;
  struct layer_test t = {.layer = &onri_layer_sum_to, .num_out = 1, .threads = 2};
  fill_random(x, 60, -1, 1, 3);
  for (size_t i = 0; i < 60; i++) wide[i] = (double)x[i];
  for (int32_t d = 0; d < 4; d++)
    if (d < 4 - rank || like[d - 4 + rank] != dims[d]) mask |= 1u << d;
  layer_test_input(&t, ONR_DTYPE_F32, 4, dims, x);
  layer_test_input(&t, ONR_DTYPE_F32, rank, like, x);
  const enum onr_status status = layer_test_run(&t);
  if (status == ONR_STATUS_OK) {
    const struct onr_desc shape = onr_desc_make(ONR_DTYPE_F32, rank, like);
    const size_t results = (size_t)onr_desc_elements(&shape);
    assert_true(onr_desc_equal(&t.out[0].desc, &shape));
    reference(ONR_REDUCE_SUM, wide, expected, 60, results, dims, 4, mask);
    for (size_t i = 0; i < results; i++) y[i] = (float)expected[i];
    assert_close(t.out[0].data, y, results, 1e-6, 1e-6);
  }
  layer_test_clear(&t);
  return status;
}

static void test_sum_to(void **unused) {
  (void)unused;
  assert_int_equal(sum_to(4, (int64_t[]){3, 1, 4, 5}), ONR_STATUS_OK);
  assert_int_equal(sum_to(4, (int64_t[]){1, 1, 4, 1}), ONR_STATUS_OK);
  assert_int_equal(sum_to(3, (int64_t[]){1, 1, 5}), ONR_STATUS_OK);
  assert_int_equal(sum_to(2, (int64_t[]){4, 5}), ONR_STATUS_OK);
  assert_int_equal(sum_to(0, NULL), ONR_STATUS_OK);
  assert_int_equal(sum_to(2, (int64_t[]){2, 5}), ONR_STATUS_SHAPE);
  assert_int_equal(sum_to(4, (int64_t[]){3, 0, 4, 5}), ONR_STATUS_SHAPE);
  assert_int_equal(sum_to(5, (int64_t[]){1, 3, 1, 4, 1}), ONR_STATUS_SHAPE);
}

static void check_arg_types(const enum onr_dtype *types, size_t count, const float *x) {
  static const size_t shapes[][3] = {{3, 37, 1},  {5, 200, 1}, {70, 20, 1},  {130, 3, 1},  {3, 5000, 1}, {2, 21, 131},
                                     {3, 9, 3},   {1, 1, 5},   {1, 230, 70}, {9, 1, 1},    {5, 37, 4},   {2, 333, 7},
                                     {40, 20, 3}, {3, 64, 16}, {1, 33, 15},  {70, 100, 1}, {90, 40, 3},  {35, 128, 1}};
  for (int flags = 0; flags < 8; flags++) {
    const struct onr_arg_reduce_params params = {0, flags & 1, flags >> 1 & 1, flags >> 2};
    for (size_t i = 0; i < count; i++)
      for (size_t k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++)
        check_arg(types[i], x, shapes[k][0], shapes[k][1], shapes[k][2], params);
  }
}
static void test_arg_reduce(void **unused) {
  static const enum onr_dtype floats[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16, ONR_DTYPE_BF16},
                              whole[] = {ONR_DTYPE_I64, ONR_DTYPE_I32, ONR_DTYPE_I16, ONR_DTYPE_I8},
                              without_sign[] = {ONR_DTYPE_U64, ONR_DTYPE_U32, ONR_DTYPE_U16, ONR_DTYPE_U8};
  static float x[CAPACITY];
  (void)unused;
  fill_random(x, CAPACITY, 0.0f, 9.0f, 3);
  for (size_t i = 0; i < CAPACITY; i++) x[i] = floorf(x[i]); /* many equal ones */
  check_arg_types(without_sign, 4, x);
  for (size_t i = 0; i < CAPACITY; i++) x[i] -= 4;
  check_arg_types(whole, 4, x);
  for (size_t i = 0; i < CAPACITY; i++) x[i] = x[i] == 0 && i % 2 ? -0.0f : x[i] == 4 ? INFINITY : x[i];
  check_arg_types(floats, 4, x);
  for (size_t i = 0; i < CAPACITY; i += 1 + i % 97) x[i] = NAN;
  check_arg_types(floats, 4, x);
  const struct onr_arg_reduce_params params = {0, 0, 0, 0};
  const float with_nan[3] = {5, NAN, 7};
  struct layer_test t = {.layer = &onri_layer_arg_reduce, .params = &params}, u = t;
  assert_int_equal(run_simple(&t, ONR_DTYPE_F32, 1, (int64_t[]){3}, with_nan), ONR_STATUS_OK);
  assert_int_equal(*(const int64_t *)t.out[0].data, 1);
  layer_test_clear(&t);
  assert_int_equal(run_simple(&u, ONR_DTYPE_F32, 2, (int64_t[]){0, 2}, with_nan), ONR_STATUS_SHAPE);
  layer_test_clear(&u);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_op_and_axis), cmocka_unit_test(test_number_types),
      cmocka_unit_test(test_drawn_shapes),      cmocka_unit_test(test_large),
      cmocka_unit_test(test_without_axes),      cmocka_unit_test(test_special_values),
      cmocka_unit_test(test_nothing_to_reduce), cmocka_unit_test(test_nothing_anywhere),
      cmocka_unit_test(test_wrong_axes),        cmocka_unit_test(test_sum_to),
      cmocka_unit_test(test_arg_reduce),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
