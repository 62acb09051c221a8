/* binary on both backends: every function and type, every shape of broadcast, against loops in the test. */
#include <math.h>
#include <string.h>

#include "support/sweep.h"

#include "base/numbers/convert.h"
#include "layers/layers.h"

#define CAPACITY 70001
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const enum onr_backend backends[] = {ONR_BACKEND_PORTABLE, ONR_BACKEND_AUTO};

struct shape {
  int32_t rank;
  int64_t dim[5];
};

static int64_t elements(const struct shape *s) {
  int64_t n = 1;
  for (int32_t d = 0; d < s->rank; d++) n *= s->dim[d];
  return n;
}

/* Position in x of the element at `index` of the broadcast result. */
static size_t position(const struct shape *x, const struct shape *result, size_t index) {
  size_t at = 0, stride = 1;
  for (int32_t back = 1; back <= result->rank; back++) {
    const int64_t coordinate = (int64_t)index % result->dim[result->rank - back];
    index /= (size_t)result->dim[result->rank - back];
    if (back > x->rank) continue;
    const int64_t dim = x->dim[x->rank - back];
    if (dim != 1) at += (size_t)coordinate * stride;
    stride *= (size_t)dim;
  }
  return at;
}

static double reference(enum onr_binary op, double a, double b) {
  switch (op) {
    case ONR_BINARY_ADD: return a + b;
    case ONR_BINARY_SUB: return a - b;
    case ONR_BINARY_MUL: return a * b;
    case ONR_BINARY_DIV: return a / b;
    case ONR_BINARY_POW: return pow(a, b);
    case ONR_BINARY_MOD: return a - floor(a / b) * b;
    case ONR_BINARY_FMOD: return a - trunc(a / b) * b;
    case ONR_BINARY_MIN: return a < b ? a : b;
    case ONR_BINARY_MAX: return a > b ? a : b;
    case ONR_BINARY_PRELU: return a < 0 ? a * b : a;
    case ONR_BINARY_EQUAL: return a == b;
    case ONR_BINARY_LESS: return a < b;
    case ONR_BINARY_GREATER: return a > b;
    case ONR_BINARY_LESS_OR_EQUAL: return a <= b;
    case ONR_BINARY_GREATER_OR_EQUAL: return a >= b;
    default: fail_msg("no reference for %d", (int)op); return 0;
  }
}

static double value_at(enum onr_dtype dtype, const void *data, size_t i) {
  const void *element = (const char *)data + i * onr_dtype_size(dtype);
  float f = 0;
  double d = 0;
  int64_t n = 0;
  switch (onri_dtype_class(dtype)) {
    case ONRI_CLASS_F32: onri_load(dtype, element, 1, &f); return (double)f;
    case ONRI_CLASS_F64: onri_load(dtype, element, 1, &d); return d;
    default: onri_load(dtype, element, 1, &n); return (double)n;
  }
}

/* Small whole and half numbers, never 0: exact in every type, so that the results can be compared for equality. */
static void fill(enum onr_dtype dtype, void *data, size_t count, uint32_t seed) {
  static float random[CAPACITY];
  fill_random(random, count, -6.0f, 6.0f, seed);
  for (size_t i = 0; i < count; i++) {
    const float whole = truncf(random[i]) == 0.0f ? 3.0f : truncf(random[i]);
    const int is_unsigned = onri_dtype_class(dtype) == ONRI_CLASS_U64;
    const float f = is_unsigned ? fabsf(whole) : whole;
    const double d = (double)f;
    const int64_t n = (int64_t)f;
    void *element = (char *)data + i * onr_dtype_size(dtype);
    switch (onri_dtype_class(dtype)) {
      case ONRI_CLASS_F32: onri_store(dtype, &f, 1, element); break;
      case ONRI_CLASS_F64: onri_store(dtype, &d, 1, element); break;
      default: onri_store(dtype, &n, 1, element); break;
    }
  }
}

struct binary_case {
  enum onr_binary op;
  enum onr_dtype dtype;
  struct shape a, b, result;
  struct onr_clamp clamp;
  uint32_t threads;
};

static void check_values(const struct binary_case *c, const struct layer_test *t, const void *a, const void *b) {
  const enum onr_dtype out = t->out[0].desc.dtype;
  for (size_t i = 0; i < (size_t)elements(&c->result); i++) {
    const double x = value_at(c->dtype, a, position(&c->a, &c->result, i));
    const double y = value_at(c->dtype, b, position(&c->b, &c->result, i));
    double expected = reference(c->op, x, y);
    if (c->clamp.enabled) expected = fmin(fmax(expected, (double)c->clamp.min), (double)c->clamp.max);
    if (c->op == ONR_BINARY_DIV && onri_dtype_class(c->dtype) != ONRI_CLASS_F32 && c->dtype != ONR_DTYPE_F64)
      expected = trunc(expected);
    const double found = value_at(out, t->out[0].data, i), unit = c->dtype == ONR_DTYPE_BF16  ? 4e-3
                                                                  : c->dtype == ONR_DTYPE_F16 ? 5e-4
                                                                                              : 1e-6;
    if (fabs(found - expected) > unit * fabs(expected))
      fail_msg("op %d, %s, element %zu: f(%g, %g) is %.9g, found %.9g", (int)c->op, onr_dtype_name(c->dtype), i, x, y,
               expected, found);
  }
}

static void check(const struct binary_case *c) {
  static uint64_t a[CAPACITY], b[CAPACITY];
  const struct onr_binary_params params = {.op = c->op, .clamp = c->clamp};
  fill(c->dtype, a, (size_t)elements(&c->a), 1);
  fill(c->dtype, b, (size_t)elements(&c->b), 2);
  for (size_t k = 0; k < COUNT(backends); k++) {
    struct layer_test t = {
        .layer = &onri_layer_binary, .params = &params, .backend = backends[k], .threads = c->threads, .num_out = 1};
    layer_test_input(&t, c->dtype, c->a.rank, c->a.dim, a);
    layer_test_input(&t, c->dtype, c->b.rank, c->b.dim, b);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_int_equal(t.out[0].desc.rank, c->result.rank);
    for (int32_t d = 0; d < c->result.rank; d++) assert_int_equal(t.out[0].desc.dim[d], c->result.dim[d]);
    check_values(c, &t, a, b);
    layer_test_clear(&t);
  }
}

static const struct shape broadcasts[][3] = {
    {{0, {0}}, {0, {0}}, {0, {0}}},
    {{1, {1}}, {1, {1}}, {1, {1}}},
    {{1, {19}}, {1, {19}}, {1, {19}}},
    {{2, {7, 33}}, {2, {7, 33}}, {2, {7, 33}}},
    {{2, {7, 33}}, {0, {0}}, {2, {7, 33}}},
    {{0, {0}}, {2, {7, 33}}, {2, {7, 33}}},
    {{2, {7, 33}}, {1, {33}}, {2, {7, 33}}},
    {{1, {33}}, {2, {7, 33}}, {2, {7, 33}}},
    {{2, {7, 33}}, {2, {7, 1}}, {2, {7, 33}}},
    {{2, {7, 1}}, {2, {1, 33}}, {2, {7, 33}}},
    {{4, {2, 3, 4, 17}}, {4, {2, 1, 1, 17}}, {4, {2, 3, 4, 17}}}, /* squeeze and excite, channels last */
    {{4, {2, 17, 3, 4}}, {4, {2, 17, 1, 1}}, {4, {2, 17, 3, 4}}}, /* and first */
    {{4, {2, 17, 3, 4}}, {3, {17, 1, 1}}, {4, {2, 17, 3, 4}}},
    {{4, {2, 1, 3, 1}}, {4, {1, 5, 1, 4}}, {4, {2, 5, 3, 4}}},
    {{5, {2, 1, 3, 1, 2}}, {3, {3, 4, 1}}, {5, {2, 1, 3, 4, 2}}},
    {{2, {0, 5}}, {1, {5}}, {2, {0, 5}}},
    {{2, {3, 0}}, {2, {3, 1}}, {2, {3, 0}}},
    {{2, {2, 600}}, {2, {2, 1}}, {2, {2, 600}}}, /* rows longer than a block */
};

static void test_every_broadcast(void **state) {
  (void)state;
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F16, ONR_DTYPE_I64, ONR_DTYPE_U8};
  static const enum onr_binary ops[] = {ONR_BINARY_SUB, ONR_BINARY_MAX, ONR_BINARY_LESS, ONR_BINARY_DIV};
  for (size_t s = 0; s < COUNT(broadcasts); s++)
    for (size_t d = 0; d < COUNT(dtypes); d++)
      for (size_t o = 0; o < COUNT(ops); o++) {
        const struct shape *shape = broadcasts[s];
        const int wraps = dtypes[d] == ONR_DTYPE_U8 && ops[o] == ONR_BINARY_SUB; /* see test_integers */
        const struct binary_case c = {
            wraps ? ONR_BINARY_ADD : ops[o], dtypes[d], shape[0], shape[1], shape[2], {0, 0, 0}, 1};
        check(&c);
      }
}

/* Rows of one to a few vectors, in all types: operands that are spread, kernels that take rows, ends of vectors. */
static void test_drawn_broadcasts(void **state) {
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16,
                                          ONR_DTYPE_I64, ONR_DTYPE_I32, ONR_DTYPE_I8};
  static const enum onr_binary ops[] = {ONR_BINARY_SUB, ONR_BINARY_MAX, ONR_BINARY_LESS, ONR_BINARY_EQUAL,
                                        ONR_BINARY_DIV};
  struct sweep s = sweep_from(62);
  (void)state;
  for (int turn = 0; turn < sweep_cases(300); turn++) {
    struct binary_case c = {.op = ops[sweep_pick(&s, 0, COUNT(ops) - 1)],
                            .dtype = dtypes[sweep_pick(&s, 0, COUNT(dtypes) - 1)],
                            .threads = (uint32_t)sweep_pick(&s, 1, 2)};
    c.a.rank = c.b.rank = c.result.rank = (int32_t)sweep_pick(&s, 1, 5);
    for (int32_t d = 0, total = 1; d < c.result.rank; d++) {
      const int64_t most = CAPACITY / total < 70 ? CAPACITY / total : 70, dim = sweep_pick(&s, 1, most);
      const int64_t kind = sweep_pick(&s, 0, 3);
      c.a.dim[d] = kind == 1 ? 1 : dim;
      c.b.dim[d] = kind == 2 ? 1 : dim;
      c.result.dim[d] = dim;
      total *= (int32_t)dim;
    }
    check(&c);
  }
}

static void test_every_function_in_every_type(void **state) {
  (void)state;
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16, ONR_DTYPE_BF16,
                                          ONR_DTYPE_I8,  ONR_DTYPE_I16, ONR_DTYPE_I32, ONR_DTYPE_I64,
                                          ONR_DTYPE_U8,  ONR_DTYPE_U16, ONR_DTYPE_U32, ONR_DTYPE_U64};
  static const struct shape pairs[][2] = {{{1, {37}}, {1, {37}}}, {{1, {37}}, {1, {1}}}, {{1, {1}}, {1, {37}}}};
  for (int op = 0; op <= ONR_BINARY_GREATER_OR_EQUAL; op++)
    for (size_t d = 0; d < COUNT(dtypes); d++)
      for (size_t s = 0; s < COUNT(pairs); s++) {
        const int integer =
            onri_dtype_class(dtypes[d]) == ONRI_CLASS_I64 || onri_dtype_class(dtypes[d]) == ONRI_CLASS_U64;
        const int is_unsigned = onri_dtype_class(dtypes[d]) == ONRI_CLASS_U64;
        if (integer && op == ONR_BINARY_POW) continue; /* test_powers */
        if (is_unsigned && op == ONR_BINARY_SUB) continue;
        const struct binary_case c = {(enum onr_binary)op, dtypes[d], pairs[s][0], pairs[s][1], {1, {37}},
                                      {0, 0, 0},           1};
        check(&c);
      }
}

static void test_clamp(void **state) {
  (void)state;
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16};
  for (size_t d = 0; d < COUNT(dtypes); d++)
    for (int op = ONR_BINARY_ADD; op <= ONR_BINARY_DIV; op++) {
      const struct binary_case c = {(enum onr_binary)op, dtypes[d], {2, {5, 9}}, {1, {9}}, {2, {5, 9}},
                                    {1, 0.0f, 6.0f},     1};
      check(&c);
    }
}

static void test_large_and_threaded(void **state) {
  (void)state;
  for (uint32_t threads = 1; threads <= 2; threads++) {
    check(&(struct binary_case){
        ONR_BINARY_MUL, ONR_DTYPE_F32, {1, {70001}}, {1, {70001}}, {1, {70001}}, {0, 0, 0}, threads});
    check(&(struct binary_case){
        ONR_BINARY_ADD, ONR_DTYPE_F32, {3, {3, 700, 33}}, {1, {33}}, {3, {3, 700, 33}}, {0, 0, 0}, threads});
    check(&(struct binary_case){
        ONR_BINARY_MUL, ONR_DTYPE_F32, {3, {3, 700, 33}}, {3, {3, 1, 33}}, {3, {3, 700, 33}}, {0, 0, 0}, threads});
    check(&(struct binary_case){
        ONR_BINARY_ADD, ONR_DTYPE_I32, {3, {3, 700, 33}}, {3, {3, 1, 33}}, {3, {3, 700, 33}}, {0, 0, 0}, threads});
  }
}

/* One row of exact values through both backends; status other than OK: y is not looked at. */
static void expect(enum onr_binary op, enum onr_dtype dtype, const void *a, enum onr_dtype b_type, const void *b,
                   int64_t count, enum onr_dtype out, const void *y, enum onr_status status) {
  const struct onr_binary_params params = {.op = op};
  for (size_t k = 0; k < COUNT(backends); k++) {
    struct layer_test t = {.layer = &onri_layer_binary, .params = &params, .backend = backends[k], .num_out = 1};
    layer_test_input(&t, dtype, 1, &count, a);
    layer_test_input(&t, b_type, 1, &count, b);
    assert_int_equal(layer_test_run(&t), status);
    if (status == ONR_STATUS_OK) {
      assert_int_equal(t.out[0].desc.dtype, out);
      assert_memory_equal(t.out[0].data, y, (size_t)count * onr_dtype_size(out));
    }
    layer_test_clear(&t);
  }
}
#define EXPECT(op, dtype, type, out, out_type, count, ...)                                               \
  do {                                                                                                   \
    const struct {                                                                                       \
      type a[count], b[count];                                                                           \
      out_type y[count];                                                                                 \
    } v = __VA_ARGS__;                                                                                   \
    expect(ONR_BINARY_##op, ONR_DTYPE_##dtype, v.a, ONR_DTYPE_##dtype, v.b, count, ONR_DTYPE_##out, v.y, \
           ONR_STATUS_OK);                                                                               \
  } while (0)

static void test_integers(void **state) {
  (void)state;
  EXPECT(DIV, I64, int64_t, I64, int64_t, 3, {{INT64_MIN, -7, 7}, {-1, 2, -2}, {INT64_MIN, -3, -3}});
  EXPECT(DIV, I32, int32_t, I32, int32_t, 2, {{INT32_MIN, 9}, {-1, -4}, {INT32_MIN, -2}});
  EXPECT(DIV, I8, int8_t, I8, int8_t, 2, {{-128, 100}, {-1, 7}, {-128, 14}});
  EXPECT(MOD, I64, int64_t, I64, int64_t, 4, {{INT64_MIN, -7, 7, -6}, {-1, 3, -3, 3}, {0, 2, -2, 0}});
  EXPECT(FMOD, I32, int32_t, I32, int32_t, 3, {{INT32_MIN, -7, 7}, {-1, 3, -3}, {0, -1, 1}});
  EXPECT(MOD, U8, uint8_t, U8, uint8_t, 2, {{250, 7}, {7, 250}, {5, 7}});
  EXPECT(ADD, I64, int64_t, I64, int64_t, 1, {{INT64_MAX}, {1}, {INT64_MIN}});
  EXPECT(MUL, I8, int8_t, I8, int8_t, 2, {{100, -128}, {3, -1}, {44, -128}});
  EXPECT(SUB, U8, uint8_t, U8, uint8_t, 2, {{3, 0}, {5, 255}, {254, 1}});
  EXPECT(MAX, U64, uint64_t, U64, uint64_t, 1, {{UINT64_MAX}, {1}, {UINT64_MAX}});
  EXPECT(LESS, U64, uint64_t, BOOL, uint8_t, 1, {{UINT64_MAX}, {1}, {0}});
  EXPECT(BITWISE_AND, I16, int16_t, I16, int16_t, 2, {{-1, 0x0FF0}, {0x1234, 0x00FF}, {0x1234, 0x00F0}});
  EXPECT(BITWISE_OR, U32, uint32_t, U32, uint32_t, 1, {{0xF0F00000u}, {0x0F0F1111u}, {0xFFFF1111u}});
  EXPECT(BITWISE_XOR, U8, uint8_t, U8, uint8_t, 1, {{0xAA}, {0xFF}, {0x55}});
}

static void test_shifts(void **state) {
  (void)state;
  EXPECT(SHIFT_LEFT, U8, uint8_t, U8, uint8_t, 4, {{1, 255, 3, 1}, {3, 4, 8, 200}, {8, 240, 0, 0}});
  EXPECT(SHIFT_RIGHT, U8, uint8_t, U8, uint8_t, 4, {{128, 255, 3, 255}, {3, 4, 8, 200}, {16, 15, 0, 0}});
  EXPECT(SHIFT_LEFT, U64, uint64_t, U64, uint64_t, 3, {{1, 1, 1}, {63, 64, UINT64_MAX}, {(uint64_t)1 << 63, 0, 0}});
  EXPECT(SHIFT_RIGHT, I32, int32_t, I32, int32_t, 4, {{-8, -8, 8, -1}, {1, 32, 33, -1}, {-4, -1, 0, -1}});
  EXPECT(SHIFT_LEFT, I16, int16_t, I16, int16_t, 3, {{0x4001, 1, -1}, {1, -1, 15}, {(int16_t)0x8002, 0, INT16_MIN}});
}

static void test_division_by_zero(void **state) {
  (void)state;
  const int64_t a[3] = {1, 2, 3}, b[3] = {1, 0, 2};
  const uint8_t c[3] = {1, 2, 3}, d[3] = {1, 2, 0};
  expect(ONR_BINARY_DIV, ONR_DTYPE_I64, a, ONR_DTYPE_I64, b, 3, ONR_DTYPE_I64, NULL, ONR_STATUS_ARITHMETIC);
  expect(ONR_BINARY_MOD, ONR_DTYPE_I64, a, ONR_DTYPE_I64, b, 3, ONR_DTYPE_I64, NULL, ONR_STATUS_ARITHMETIC);
  expect(ONR_BINARY_FMOD, ONR_DTYPE_U8, c, ONR_DTYPE_U8, d, 3, ONR_DTYPE_U8, NULL, ONR_STATUS_ARITHMETIC);
  EXPECT(DIV, F32, float, F32, float, 2, {{1, -1}, {0, 0}, {INFINITY, -INFINITY}});
}

static void test_floats(void **state) {
  (void)state;
  EXPECT(MOD, F32, float, F32, float, 4, {{-7.5f, 7.5f, -6, 0}, {2, -2, 3, -3}, {0.5f, -0.5f, 0, -0.0f}});
  EXPECT(FMOD, F32, float, F32, float, 3, {{-7.5f, 7.5f, 5}, {2, -2, INFINITY}, {-1.5f, 1.5f, 5}});
  EXPECT(PRELU, F32, float, F32, float, 3, {{-2, 3, -0.5f}, {0.25f, 9, 4}, {-0.5f, 3, -2}});
  EXPECT(EQUAL, F32, float, BOOL, uint8_t, 3, {{NAN, 0.0f, 1}, {NAN, -0.0f, 2}, {0, 1, 0}});
  const float a[4] = {NAN, 1, NAN, 2}, b[4] = {1, NAN, NAN, 3}, zero[1] = {0}, one[1] = {1};
  for (size_t k = 0; k < COUNT(backends); k++)
    for (int op = ONR_BINARY_MIN; op <= ONR_BINARY_MAX; op++) {
      const struct onr_binary_params params = {.op = (enum onr_binary)op};
      struct layer_test t = {.layer = &onri_layer_binary, .params = &params, .backend = backends[k], .num_out = 1};
      layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){4}, a);
      layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){4}, b);
      assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
      const float *y = t.out[0].data;
      assert_true(isnan(y[0]) && isnan(y[1]) && isnan(y[2]) && y[3] == (op == ONR_BINARY_MIN ? 2.0f : 3.0f));
      layer_test_clear(&t);
    }
  for (size_t k = 0; k < COUNT(backends); k++) { /* fmod by zero is NaN, not an error */
    const struct onr_binary_params params = {.op = ONR_BINARY_FMOD};
    struct layer_test t = {.layer = &onri_layer_binary, .params = &params, .backend = backends[k], .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, one);
    layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, zero);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_true(isnan(*(const float *)t.out[0].data));
    layer_test_clear(&t);
  }
}

static void test_powers(void **state) {
  (void)state;
  EXPECT(POW, I64, int64_t, I64, int64_t, 6, {{2, -3, 1, -1, 5, 0}, {10, 3, -4, -3, -1, 0}, {1024, -27, 1, -1, 0, 1}});
  EXPECT(POW, U8, uint8_t, U8, uint8_t, 3, {{2, 3, 2}, {7, 4, 8}, {128, 81, 0}});
  /* constant exponents that have loops of their own */
  static const float exponents[] = {2.0f, 3.0f, 0.5f, -1.0f, 1.7f};
  static const float x[6] = {0.25f, 2.0f, 9.0f, 1.5f, -0.0f, INFINITY};
  for (size_t e = 0; e < COUNT(exponents); e++)
    for (size_t k = 0; k < COUNT(backends); k++) {
      const struct onr_binary_params params = {.op = ONR_BINARY_POW};
      float expected[6];
      struct layer_test t = {.layer = &onri_layer_binary, .params = &params, .backend = backends[k], .num_out = 1};
      for (size_t i = 0; i < 6; i++) expected[i] = (float)pow((double)x[i], (double)exponents[e]);
      layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){6}, x);
      layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &exponents[e]);
      assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
      assert_close(t.out[0].data, expected, 6, 1e-6, 0);
      layer_test_clear(&t);
    }
  /* two types: the result has that of the base */
  const float f[3] = {2.0f, 0.5f, -3.0f};
  const int32_t n[3] = {2, 3, 10};
  const int64_t m[3] = {3, -2, 3};
  expect(ONR_BINARY_POW, ONR_DTYPE_F32, f, ONR_DTYPE_I64, m, 3, ONR_DTYPE_F32, (float[]){8.0f, 4.0f, -27.0f},
         ONR_STATUS_OK);
  expect(ONR_BINARY_POW, ONR_DTYPE_I32, n, ONR_DTYPE_F32, f, 3, ONR_DTYPE_I32, (int32_t[]){4, 1, 0}, ONR_STATUS_OK);
  expect(ONR_BINARY_POW, ONR_DTYPE_I32, n, ONR_DTYPE_I64, m, 3, ONR_DTYPE_I32, (int32_t[]){8, 0, 1000}, ONR_STATUS_OK);
}

static void test_logic_and_strings(void **state) {
  (void)state;
  EXPECT(AND, BOOL, uint8_t, BOOL, uint8_t, 4, {{0, 0, 1, 1}, {0, 1, 0, 1}, {0, 0, 0, 1}});
  EXPECT(OR, BOOL, uint8_t, BOOL, uint8_t, 4, {{0, 0, 1, 1}, {0, 1, 0, 1}, {0, 1, 1, 1}});
  EXPECT(XOR, BOOL, uint8_t, BOOL, uint8_t, 4, {{0, 0, 1, 1}, {0, 1, 0, 1}, {0, 1, 1, 0}});
  EXPECT(EQUAL, BOOL, uint8_t, BOOL, uint8_t, 4, {{0, 0, 1, 1}, {0, 1, 0, 1}, {1, 0, 0, 1}});
  const struct onr_string a[3] = {{"one", 3}, {"", 0}, {"a\0b", 3}}, b[3] = {{"one!", 4}, {NULL, 0}, {"a\0b", 3}};
  expect(ONR_BINARY_EQUAL, ONR_DTYPE_STRING, a, ONR_DTYPE_STRING, b, 3, ONR_DTYPE_BOOL, (uint8_t[]){0, 1, 1},
         ONR_STATUS_OK);
}

static void test_in_place_only_where_nothing_is_read_twice(void **state) {
  (void)state;
  const float x[12] = {0};
  static const struct {
    struct shape a, b;
    int32_t in_place;
  } cases[] = {{{2, {3, 4}}, {1, {4}}, 0}, {{1, {4}}, {2, {3, 4}}, 1}, {{2, {3, 1}}, {2, {1, 4}}, -1}};
  const struct onr_binary_params params = {.op = ONR_BINARY_ADD};
  for (size_t k = 0; k < COUNT(cases); k++) {
    struct layer_test t = {.layer = &onri_layer_binary, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, cases[k].a.rank, cases[k].a.dim, x);
    layer_test_input(&t, ONR_DTYPE_F32, cases[k].b.rank, cases[k].b.dim, x);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_int_equal(t.in_place, cases[k].in_place);
    layer_test_clear(&t);
  }
}

static void test_wrong_calls(void **state) {
  (void)state;
  const float f[4] = {0};
  const struct onr_binary_params add = {.op = ONR_BINARY_ADD};
  struct layer_test t = {.layer = &onri_layer_binary, .params = &add, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){4}, f);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){3}, f);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_SHAPE);
  layer_test_clear(&t);
  expect(ONR_BINARY_ADD, ONR_DTYPE_F32, f, ONR_DTYPE_I32, f, 4, ONR_DTYPE_F32, NULL, ONR_STATUS_TYPE);
  expect(ONR_BINARY_AND, ONR_DTYPE_I8, f, ONR_DTYPE_I8, f, 4, ONR_DTYPE_BOOL, NULL, ONR_STATUS_TYPE);
  expect(ONR_BINARY_SHIFT_LEFT, ONR_DTYPE_F32, f, ONR_DTYPE_F32, f, 4, ONR_DTYPE_F32, NULL, ONR_STATUS_TYPE);
  expect(ONR_NUM_BINARY, ONR_DTYPE_F32, f, ONR_DTYPE_F32, f, 4, ONR_DTYPE_F32, NULL, ONR_STATUS_ATTRIBUTE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_broadcast),
      cmocka_unit_test(test_drawn_broadcasts),
      cmocka_unit_test(test_every_function_in_every_type),
      cmocka_unit_test(test_clamp),
      cmocka_unit_test(test_large_and_threaded),
      cmocka_unit_test(test_integers),
      cmocka_unit_test(test_shifts),
      cmocka_unit_test(test_division_by_zero),
      cmocka_unit_test(test_floats),
      cmocka_unit_test(test_powers),
      cmocka_unit_test(test_logic_and_strings),
      cmocka_unit_test(test_in_place_only_where_nothing_is_read_twice),
      cmocka_unit_test(test_wrong_calls),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
