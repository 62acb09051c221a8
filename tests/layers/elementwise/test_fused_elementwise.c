/* fused_elementwise on both backends against a loop in double that walks the steps for each element. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "layers/layers.h"

#define CAPACITY 140001
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const enum onr_backend backends[] = {ONR_BACKEND_PORTABLE, ONR_BACKEND_AUTO};
static float memory[ONR_FUSED_INPUTS][CAPACITY];

struct shape {
  int32_t rank;
  int64_t dim[4];
};

static double unary(const struct onr_fused_step *s, double v) {
  switch (s->op) {
    case ONR_UNARY_SIGMOID: return 1 / (1 + exp(-v));
    case ONR_UNARY_TANH: return tanh(v);
    case ONR_UNARY_SIN: return sin(v);
    case ONR_UNARY_CLIP: return fmin(fmax(v, (double)s->alpha), (double)s->beta);
    case ONR_UNARY_AFFINE: return (double)s->alpha * v + (double)s->beta;
    default: fail_msg("no reference for %d", s->op); return 0;
  }
}

static double binary(const struct onr_fused_step *s, double a, double b) {
  double v = 0;
  switch (s->op) {
    case ONR_BINARY_ADD: v = a + b; break;
    case ONR_BINARY_SUB: v = a - b; break;
    case ONR_BINARY_MUL: v = a * b; break;
    case ONR_BINARY_DIV: v = a / b; break;
    case ONR_BINARY_MAX: v = fmax(a, b); break;
    case ONR_BINARY_PRELU: v = a < 0 ? a * b : a; break;
    default: fail_msg("no reference for %d", s->op);
  }
  return s->clamp.enabled ? fmin(fmax(v, (double)s->clamp.min), (double)s->clamp.max) : v;
}

static size_t position(const struct shape *x, const struct onr_desc *result, size_t index) {
  size_t at = 0, stride = 1;
  for (int32_t back = 1; back <= result->rank; back++) {
    const size_t coordinate = index % (size_t)result->dim[result->rank - back];
    index /= (size_t)result->dim[result->rank - back];
    if (back > x->rank) continue;
    if (x->dim[x->rank - back] != 1) at += coordinate * stride;
    stride *= (size_t)x->dim[x->rank - back];
  }
  return at;
}

static void check(const struct onr_fused_elementwise_params *p, const struct shape *in, size_t num_in,
                  uint32_t threads) {
  for (size_t i = 0; i < num_in; i++) fill_random(memory[i], CAPACITY, -2.0f, 2.0f, (uint32_t)i + 1);
  for (size_t k = 0; k < COUNT(backends); k++) {
    struct layer_test t = {
        .layer = &onri_layer_fused_elementwise, .params = p, .backend = backends[k], .threads = threads, .num_out = 1};
    for (size_t i = 0; i < num_in; i++) layer_test_input(&t, ONR_DTYPE_F32, in[i].rank, in[i].dim, memory[i]);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    const float *y = t.out[0].data;
    for (size_t i = 0; i < (size_t)onr_desc_elements(&t.out[0].desc); i++) {
      double v = (double)memory[0][position(&in[0], &t.out[0].desc, i)];
      for (int32_t s = 0; s < p->num_steps; s++) {
        const struct onr_fused_step *step = &p->steps[s];
        if (step->kind == ONR_FUSED_UNARY) {
          v = unary(step, v);
          continue;
        }
        const double w = step->operand == ONR_FUSED_CONSTANT
                             ? (double)step->constant
                             : (double)memory[step->operand][position(&in[step->operand], &t.out[0].desc, i)];
        v = step->kind == ONR_FUSED_REVERSED ? binary(step, w, v) : binary(step, v, w);
      }
      if (fabs((double)y[i] - v) > 3e-6 * fmax(1, fabs(v)))
        fail_msg("element %zu: expected %.9g, found %.9g", i, v, (double)y[i]);
    }
    layer_test_clear(&t);
  }
}

static const struct onr_fused_elementwise_params silu = {
    .num_steps = 2,
    .steps = {{.kind = ONR_FUSED_UNARY, .op = ONR_UNARY_SIGMOID},
              {.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_MUL, .operand = 0}}};
static const struct onr_fused_elementwise_params mixed = {
    .num_steps = 8,
    .steps = {{.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_ADD, .operand = 1, .clamp = {1, -1.5f, 1.5f}},
              {.kind = ONR_FUSED_UNARY, .op = ONR_UNARY_TANH},
              {.kind = ONR_FUSED_REVERSED, .op = ONR_BINARY_SUB, .operand = ONR_FUSED_CONSTANT, .constant = 3.0f},
              {.kind = ONR_FUSED_REVERSED, .op = ONR_BINARY_DIV, .operand = 2},
              {.kind = ONR_FUSED_UNARY, .op = ONR_UNARY_SIN},
              {.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_PRELU, .operand = 0},
              {.kind = ONR_FUSED_UNARY, .op = ONR_UNARY_AFFINE, .alpha = 0.5f, .beta = 0.25f},
              {.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_MAX, .operand = ONR_FUSED_CONSTANT, .constant = 0.1f}}};

static void test_silu(void **state) {
  (void)state;
  static const struct shape shapes[] = {{0, {0}}, {1, {1}}, {1, {1025}}, {2, {3, 0}}, {3, {5, 7, 9}}};
  for (size_t s = 0; s < COUNT(shapes); s++) check(&silu, &shapes[s], 1, 1);
}

static void test_every_kind_of_step_and_broadcast(void **state) {
  (void)state;
  static const struct shape shapes[][3] = {
      {{2, {7, 33}}, {2, {7, 33}}, {2, {7, 33}}},
      {{4, {2, 5, 6, 17}}, {1, {17}}, {4, {2, 1, 1, 17}}},
      {{4, {2, 17, 5, 6}}, {3, {17, 1, 1}}, {0, {0}}},
      {{1, {17}}, {4, {2, 3, 1, 17}}, {4, {1, 3, 5, 1}}}, /* the start is broadcast itself */
      {{2, {3, 1}}, {2, {1, 1500}}, {1, {1}}},
      {{2, {0, 4}}, {1, {4}}, {0, {0}}},
      {{3, {40, 50, 3}}, {3, {40, 1, 3}}, {3, {40, 50, 1}}}, /* short rows, which are spread */
      {{3, {40, 1, 7}}, {2, {50, 1}}, {1, {7}}},
  };
  for (size_t s = 0; s < COUNT(shapes); s++) check(&mixed, shapes[s], 3, 1);
}

/* A product and the sum behind it become one: by themselves, between others, in any order, clamped, of constants. */
static void test_products_with_sums(void **state) {
  (void)state;
  static const struct onr_fused_elementwise_params chains[] = {
      {.num_steps = 2,
       .steps = {{.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_MUL, .operand = 1},
                 {.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_ADD, .operand = 2}}},
      {.num_steps = 2,
       .steps = {{.kind = ONR_FUSED_REVERSED, .op = ONR_BINARY_MUL, .operand = 2},
                 {.kind = ONR_FUSED_REVERSED, .op = ONR_BINARY_ADD, .operand = 1, .clamp = {1, -0.5f, 0.75f}}}},
      {.num_steps = 2,
       .steps = {{.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_MUL, .operand = ONR_FUSED_CONSTANT, .constant = 2},
                 {.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_ADD, .operand = ONR_FUSED_CONSTANT, .constant = 1}}},
      {.num_steps = 6,
       .steps = {{.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_MUL, .operand = 0, .clamp = {1, -1, 1}},
                 {.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_ADD, .operand = 1},
                 {.kind = ONR_FUSED_UNARY, .op = ONR_UNARY_SIN},
                 {.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_MUL, .operand = 2},
                 {.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_ADD, .operand = 0},
                 {.kind = ONR_FUSED_UNARY, .op = ONR_UNARY_TANH}}},
  };
  static const struct shape shapes[][3] = {
      {{2, {3, 1100}}, {2, {3, 1100}}, {2, {3, 1}}},
      {{4, {2, 17, 5, 60}}, {3, {17, 1, 1}}, {3, {17, 1, 1}}},
      {{4, {2, 5, 6, 17}}, {1, {17}}, {1, {17}}},
      {{2, {40, 1}}, {2, {1, 33}}, {2, {40, 33}}},
  };
  for (size_t c = 0; c < COUNT(chains); c++)
    for (size_t s = 0; s < COUNT(shapes); s++) check(&chains[c], shapes[s], 3, 1);
}

static void test_large_and_threaded(void **state) {
  (void)state;
  static const struct shape shapes[3] = {{3, {2, 1000, 70}}, {1, {70}}, {3, {2, 1, 70}}};
  for (uint32_t threads = 1; threads <= 2; threads++) check(&mixed, shapes, 3, threads);
}

/* (3 bytes apart) (a - 7) 0.5 + b rounds to bytes, and saturates. */
static void test_bytes(void **state) {
  enum { ROWS = 3, COUNT = 700 };
  static const struct onr_fused_elementwise_params params = {
      .num_steps = 1,
      .steps = {{.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_ADD, .operand = 1}},
      .input = {{0.5f, 7, ONR_DTYPE_U8}, {0.25f, -3, ONR_DTYPE_I8}},
      .output = {0.75f, 5, ONR_DTYPE_I8}};
  static uint8_t a[ROWS * COUNT];
  static int8_t b[COUNT];
  (void)state;
  for (int i = 0; i < ROWS * COUNT; i++) a[i] = (uint8_t)(i * 37);
  for (int i = 0; i < COUNT; i++) b[i] = (int8_t)(i * 91);
  for (int each = 0; each < 2; each++) { /* b: one a column, or one for all */
    struct layer_test t = {.layer = &onri_layer_fused_elementwise, .params = &params, .num_out = 1, .threads = 2};
    layer_test_input(&t, ONR_DTYPE_U8, 2, (int64_t[]){ROWS, COUNT}, a);
    layer_test_input(&t, ONR_DTYPE_I8, 1, (int64_t[]){each ? COUNT : 1}, b);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_int_equal(t.out[0].desc.dtype, ONR_DTYPE_I8);
    for (int i = 0; i < ROWS * COUNT; i++) {
      const double v = (a[i] - 7) * 0.5 + (b[each ? i % COUNT : 0] + 3) * 0.25;
      const double y = rint(v / 0.75) + 5;
      assert_int_equal(((const int8_t *)t.out[0].data)[i], (int)fmin(fmax(y, -128), 127));
    }
    layer_test_clear(&t);
  }
}

static void test_wrong_chains(void **state) {
  (void)state;
  static const struct onr_fused_elementwise_params wrong[] = {
      {.num_steps = 0, .steps = {{0}}},
      {.num_steps = 9, .steps = {{0}}},
      {.num_steps = 1, .steps = {{.kind = ONR_FUSED_UNARY, .op = ONR_UNARY_IS_NAN}}},
      {.num_steps = 1, .steps = {{.kind = ONR_FUSED_UNARY, .op = ONR_UNARY_NOT}}},
      {.num_steps = 1, .steps = {{.kind = ONR_FUSED_UNARY, .op = -1}}},
      {.num_steps = 1, .steps = {{.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_LESS}}},
      {.num_steps = 1, .steps = {{.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_ADD, .operand = 1}}},
      {.num_steps = 1, .steps = {{.kind = ONR_FUSED_BINARY, .op = ONR_BINARY_ADD, .operand = -2}}},
      {.num_steps = 1, .steps = {{.kind = (enum onr_fused_kind)3, .op = ONR_BINARY_ADD}}},
  };
  const float x[2] = {1, 2};
  for (size_t k = 0; k < COUNT(wrong); k++) {
    struct layer_test t = {.layer = &onri_layer_fused_elementwise, .params = &wrong[k], .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){2}, x);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_ATTRIBUTE);
    layer_test_clear(&t);
  }
  struct layer_test t = {.layer = &onri_layer_fused_elementwise, .params = &silu, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_I32, 1, (int64_t[]){2}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_TYPE);
  layer_test_clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_silu),
      cmocka_unit_test(test_every_kind_of_step_and_broadcast),
      cmocka_unit_test(test_products_with_sums),
      cmocka_unit_test(test_large_and_threaded),
      cmocka_unit_test(test_bytes),
      cmocka_unit_test(test_wrong_chains),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
