/* Thousands of products of random shape against sums in double: matmul with broadcast batches, gemm, linear and
 * softmax; constant and other operands, biases, residuals, clamps, activations, narrow types, threads, sizes of 0, NaN
 * and infinities; on both backends. */
#include <string.h>

#include "support/tail.h"

#include "layers/layers.h"

enum { MOST = 1 << 14 };
static double a[MOST], b[MOST], bias[MOST], residual[MOST], y[MOST];
static unsigned char stored_a[MOST * 8], stored_b[MOST * 8], stored_bias[MOST * 8], stored_residual[MOST * 8];

struct geometry {
  const struct onr_layer *layer;
  enum onr_dtype dtype;
  enum onr_backend backend;
  uint32_t threads, special;
  int64_t m, n, k, batch_a[2], batch_b[2];
  int32_t batch_rank_a, batch_rank_b;
  int transpose_a, transpose_b, constant_b, constant_bias, has_bias, bias_rows, bias_columns;
  float alpha, beta;
  struct onr_clamp clamp;
  int has_residual;
  struct onr_tail tail;
  struct onr_columns columns; /* n of `all` */
  int64_t all;
};

/* Sizes on both sides of the widths of kernels. */
static int64_t draw_size(struct sweep *s) {
  static const int64_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65};
  if (sweep_chance(s, 60)) return 0;
  return sizes[sweep_pick(s, 0, (int64_t)(sizeof(sizes) / sizeof(sizes[0])) - 1)];
}

static void draw_layer(struct sweep *s, struct geometry *g) {
  switch (sweep_pick(s, 0, 2)) {
    case 0: g->layer = &onri_layer_linear; break;
    case 1:
      g->layer = &onri_layer_gemm;
      g->transpose_a = sweep_chance(s, 3);
      if (sweep_chance(s, 3)) g->alpha = 0.5f, g->beta = -2;
      break;
    default:
      g->layer = &onri_layer_matmul;
      g->batch_rank_a = (int32_t)sweep_pick(s, 0, 2);
      g->batch_rank_b = sweep_chance(s, 2) ? 0 : (int32_t)sweep_pick(s, 0, 2);
  }
}

static struct geometry draw(struct sweep *s) {
  static const enum onr_dtype types[] = {ONR_DTYPE_F32, ONR_DTYPE_F32,  ONR_DTYPE_F32,
                                         ONR_DTYPE_F16, ONR_DTYPE_BF16, ONR_DTYPE_F64};
  struct geometry g = {.dtype = types[sweep_pick(s, 0, 5)], .alpha = 1, .beta = 1};
  draw_layer(s, &g);
  g.backend = sweep_chance(s, 3) ? ONR_BACKEND_PORTABLE : ONR_BACKEND_AUTO;
  g.threads = (uint32_t)sweep_pick(s, 0, 3);
  g.special = sweep_chance(s, 2) ? 20 : 0;
  g.m = draw_size(s), g.n = draw_size(s), g.k = draw_size(s);
  for (int i = 0; i < 2; i++) {
    const int64_t size = sweep_pick(s, 1, 3);
    g.batch_a[i] = sweep_chance(s, 3) ? 1 : size, g.batch_b[i] = sweep_chance(s, 3) ? 1 : size;
  }
  g.transpose_b = g.layer == &onri_layer_linear ? !sweep_chance(s, 2) : sweep_chance(s, 2);
  g.constant_b = sweep_chance(s, 2) || g.layer == &onri_layer_linear;
  g.has_bias = sweep_chance(s, 2);
  g.constant_bias = !sweep_chance(s, 4);
  g.bias_rows = g.layer == &onri_layer_gemm && sweep_chance(s, 2);
  g.bias_columns = g.layer != &onri_layer_gemm || !sweep_chance(s, 3);
  if (sweep_chance(s, 2)) {
    g.clamp = (struct onr_clamp){1,
                                 sweep_chance(s, 3)   ? -INFINITY
                                 : sweep_chance(s, 2) ? 0
                                                      : -1.5f,
                                 sweep_chance(s, 2) ? INFINITY : 2};
  }
  g.has_residual = sweep_chance(s, 3);
  g.tail = tail_draw(s);
  g.all = g.n;
  if (g.n > 0 && sweep_chance(s, 3)) {
    g.columns = (struct onr_columns){sweep_pick(s, 0, 40), g.n};
    g.all = g.columns.first + g.n + sweep_pick(s, 0, 40);
  }
  return g;
}

/* min(max(v, low), high) that keeps NaN. */
static double clamped(const struct onr_clamp *c, double v) {
  if (!c->enabled) return v;
  const double raised = v < (double)c->min ? (double)c->min : v;
  return raised > (double)c->max ? (double)c->max : raised;
}

/* Sizes of the batch dimensions of the result, aligned at the end. */
static void batches_of(const struct geometry *g, int64_t dims[2]) {
  for (int i = 0; i < 2; i++) {
    const int64_t da = i < 2 - g->batch_rank_a ? 1 : g->batch_a[i], db = i < 2 - g->batch_rank_b ? 1 : g->batch_b[i];
    dims[i] = da > db ? da : db;
  }
}

static int32_t rank_of(const struct geometry *g) {
  return g->batch_rank_a > g->batch_rank_b ? g->batch_rank_a : g->batch_rank_b;
}

static size_t matrix_of(int32_t rank, const int64_t *batch, const int64_t index[2]) {
  const int64_t outer = rank == 2 && batch[0] != 1 ? index[0] : 0, inner = rank >= 1 && batch[1] != 1 ? index[1] : 0;
  return (size_t)(outer * (rank >= 1 ? batch[1] : 1) + inner);
}

/* *absolute: what the roundings of the longest sum may come to. */
static size_t reference(const struct geometry *g, double *absolute) {
  const int64_t from = g->columns.first;
  int64_t dims[2];
  size_t to = 0;
  batches_of(g, dims);
  *absolute = 0;
  for (int64_t i0 = 0; i0 < dims[0]; i0++)
    for (int64_t i1 = 0; i1 < dims[1]; i1++) {
      const int64_t index[2] = {i0, i1};
      const double *x = a + matrix_of(g->batch_rank_a, g->batch_a, index) * (size_t)(g->m * g->k);
      const double *w = b + matrix_of(g->batch_rank_b, g->batch_b, index) * (size_t)(g->k * g->all);
      for (int64_t i = 0; i < g->m; i++)
        for (int64_t j = 0; j < g->n; j++, to++) {
          double sum = 0, size = 0;
          for (int64_t p = 0; p < g->k; p++) {
            const double term = x[g->transpose_a ? p * g->m + i : i * g->k + p] *
                                w[g->transpose_b ? (from + j) * g->k + p : p * g->all + from + j];
            sum += term;
            if (isfinite(term)) size += fabs(term);
          }
          sum *= (double)g->alpha;
          if (g->has_bias)
            sum += (double)g->beta *
                   bias[(g->bias_rows ? i : 0) * (g->bias_columns ? g->all : 1) + (g->bias_columns ? from + j : 0)];
          if (g->has_residual) sum += residual[to];
          y[to] = tail_value(&g->tail, clamped(&g->clamp, sum));
          if (size > *absolute) *absolute = size;
        }
    }
  return to;
}

static void complain(const struct geometry *g, const char *what, int64_t at, double found, double expected) {
  fail_msg(
      "%s %s %s on backend %d, %u threads: m %d n %d k %d, batch %dx(%d,%d) %dx(%d,%d), transposed %d %d, constant %d %d, bias %d %d %d, "
      "clamp %d [%g, %g], columns from %d of %d, residual %d, tail %d %d, specials %u: element %d is %g instead of %g",
      g->layer->name, onr_dtype_name(g->dtype), what, (int)g->backend, (unsigned)g->threads, (int)g->m, (int)g->n,
      (int)g->k, g->batch_rank_a, (int)g->batch_a[0], (int)g->batch_a[1], g->batch_rank_b, (int)g->batch_b[0],
      (int)g->batch_b[1], g->transpose_a, g->transpose_b, g->constant_b, g->constant_bias, g->has_bias, g->bias_rows,
      g->bias_columns, g->clamp.enabled, (double)g->clamp.min, (double)g->clamp.max, (int)g->columns.first, (int)g->all,
      g->has_residual, g->tail.enabled, (int)g->tail.function.op, (unsigned)g->special, (int)at, found, expected);
}

/* batch..., rows, columns; returns their product. */
static size_t shape_of(const int64_t *batch, int32_t rank, int64_t rows, int64_t columns, int64_t dims[4]) {
  size_t count = (size_t)(rows * columns);
  for (int32_t i = 0; i < rank; i++) dims[i] = batch[2 - rank + i], count *= (size_t)dims[i];
  dims[rank] = rows, dims[rank + 1] = columns;
  return count;
}

static void check(struct sweep *s, const struct geometry *g) {
  const struct onr_linear_params linear = {
      .weight_transposed = !g->transpose_b, .clamp = g->clamp, .tail = g->tail, .columns = g->columns};
  const struct onr_gemm_params gemm = {.transpose_a = g->transpose_a,
                                       .transpose_b = g->transpose_b,
                                       .alpha = g->alpha,
                                       .beta = g->beta,
                                       .clamp = g->clamp,
                                       .tail = g->tail,
                                       .columns = g->columns};
  const struct onr_matmul_params matmul = {
      .transpose_b = g->transpose_b, .clamp = g->clamp, .tail = g->tail, .columns = g->columns};
  const void *params = g->layer == &onri_layer_linear ? (const void *)&linear
                       : g->layer == &onri_layer_gemm ? (const void *)&gemm
                                                      : &matmul;
  int64_t dims_a[4], dims_b[4], dims_bias[2] = {g->bias_rows ? g->m : 1, g->bias_columns ? g->all : 1};
  const size_t count_a =
      shape_of(g->batch_a, g->batch_rank_a, g->transpose_a ? g->k : g->m, g->transpose_a ? g->m : g->k, dims_a);
  const size_t count_b =
      shape_of(g->batch_b, g->batch_rank_b, g->transpose_b ? g->all : g->k, g->transpose_b ? g->k : g->all, dims_b);
  const size_t count_bias = (size_t)(dims_bias[0] * dims_bias[1]);
  int64_t out[2];
  batches_of(g, out);
  if (count_a > MOST || count_b > MOST || count_bias > MOST || out[0] * out[1] * g->m * g->n > MOST) return;
  sweep_fill(s, g->dtype, count_a, 2, sweep_chance(s, 2) ? g->special : 0, stored_a, a);
  sweep_fill(s, g->dtype, count_b, 2, sweep_chance(s, 2) ? g->special : 0, stored_b, b);
  sweep_fill(s, g->dtype, count_bias, 2, sweep_chance(s, 3) ? g->special : 0, stored_bias, bias);
  int64_t dims_out[4];
  sweep_fill(s, g->dtype, shape_of(out, rank_of(g), g->m, g->n, dims_out), 2, sweep_chance(s, 3) ? g->special : 0,
             stored_residual, residual);
  double absolute, found;
  const size_t count = reference(g, &absolute);
  struct layer_test t = {.layer = g->layer,
                         .params = params,
                         .backend = g->backend,
                         .threads = g->threads,
                         .num_out = 1,
                         .most_steps = sweep_chance(s, 3) ? sweep_pick(s, 1, 20000) : 0}; /* in pieces */
  layer_test_input(&t, g->dtype, g->batch_rank_a + 2, dims_a, stored_a);
  (g->constant_b ? layer_test_constant : layer_test_input)(&t, g->dtype, g->batch_rank_b + 2, dims_b, stored_b);
  const int32_t bias_rank = g->bias_rows ? 2 : 1;
  if (g->has_bias)
    (g->constant_bias ? layer_test_constant : layer_test_input)(&t, g->dtype, bias_rank, dims_bias + 2 - bias_rank,
                                                                stored_bias);
  else if (g->has_residual) layer_test_input(&t, g->dtype, 0, NULL, NULL);
  if (g->has_residual) layer_test_input(&t, g->dtype, rank_of(g) + 2, dims_out, stored_residual);
  if (layer_test_run(&t) != ONR_STATUS_OK) complain(g, t.error.message, 0, 0, 0);
  if (onr_desc_elements(&t.out[0].desc) != (int64_t)count)
    complain(g, "size", 0, (double)onr_desc_elements(&t.out[0].desc), (double)count);
  const int64_t at = sweep_difference(g->dtype, t.out[0].data, y, count, sweep_rounding(g->dtype) + 1e-6,
                                      1e-6 * (absolute + 4), &found);
  if (at >= 0) complain(g, "value", at, found, y[at]);
  layer_test_clear(&t);
}

static void test_random_products(void **state) {
  struct sweep s = sweep_from(11);
  (void)state;
  for (int i = 0; i < sweep_cases(2500); i++) {
    const struct geometry g = draw(&s);
    check(&s, &g);
  }
}

/* Rows with NaN, with infinities of either sign, and of nothing but -infinity. */
static void test_random_softmax(void **state) {
  static const struct onr_layer *const layers[] = {&onri_layer_softmax, &onri_layer_log_softmax};
  static const enum onr_dtype types[] = {ONR_DTYPE_F32, ONR_DTYPE_F32, ONR_DTYPE_F16, ONR_DTYPE_F64};
  struct sweep s = sweep_from(13);
  (void)state;
  for (int i = 0; i < sweep_cases(1000); i++) {
    const int64_t outer = sweep_pick(&s, 0, 9), length = sweep_pick(&s, 1, sweep_chance(&s, 9) ? 300 : 40),
                  inner = sweep_chance(&s, 2) ? 1 : sweep_pick(&s, 1, 5);
    const enum onr_dtype dtype = types[sweep_pick(&s, 0, 3)];
    const int logarithm = sweep_chance(&s, 3);
    const size_t count = (size_t)(outer * length * inner);
    const uint32_t special = sweep_chance(&s, 2) ? 0 : sweep_chance(&s, 5) ? 1000 : 30;
    sweep_fill(&s, dtype, count, 20, special, stored_a, a);
    for (size_t k = 0; k < count && special == 1000; k++) a[k] = -(double)INFINITY;
    for (size_t k = 0; k < count && special == 1000; k++)
      onri_store_f64(dtype, a + k, 1, stored_a + k * onr_dtype_size(dtype));
    for (int64_t line = 0; line < outer * inner; line++) {
      double *to = y + line / inner * length * inner + line % inner, *const x = a + (to - y);
      double max = -(double)INFINITY, sum = 0;
      for (int64_t k = 0; k < length; k++) max = x[k * inner] > max ? x[k * inner] : max;
      for (int64_t k = 0; k < length; k++) sum += exp(x[k * inner] - max);
      for (int64_t k = 0; k < length; k++)
        to[k * inner] = logarithm ? x[k * inner] - max - log(sum) : exp(x[k * inner] - max) / sum;
    }
    const struct onr_softmax_params p = {.axis = 1};
    struct layer_test t = {.layer = layers[logarithm],
                           .params = &p,
                           .num_out = 1,
                           .threads = (uint32_t)sweep_pick(&s, 0, 3),
                           .backend = sweep_chance(&s, 3) ? ONR_BACKEND_PORTABLE : ONR_BACKEND_AUTO};
    layer_test_input(&t, dtype, 3, (int64_t[]){outer, length, inner}, stored_a);
    if (layer_test_run(&t) != ONR_STATUS_OK) fail_msg("%s", t.error.message);
    double found;
    const int64_t at =
        sweep_difference(dtype, t.out[0].data, y, count, sweep_rounding(dtype) + 5e-6, logarithm ? 2e-5 : 1e-7, &found);
    if (at >= 0)
      fail_msg("%s %s [%d,%d,%d] specials %u: element %d is %g instead of %g", layers[logarithm]->name,
               onr_dtype_name(dtype), (int)outer, (int)length, (int)inner, (unsigned)special, (int)at, found, y[at]);
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_products), cmocka_unit_test(test_random_softmax)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
