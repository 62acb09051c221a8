/* Products of every instruction set at the edges of their tiles, slices and panels, with all strides, against sums in
 * double; packed and other operands, batches on several threads, and the same bits for any number of rows and threads.
 */
#include <math.h>
#include <string.h>

#include "support/sweep.h"

#include "base/env.h"
#include "kernels/kernels.h"
#include "kernels/matmul/sgemm.h"

enum { M = 120, N = 150, K = 1100, GUARD = 64 };
static float a[M * K], b[N * K], c[M * N + GUARD], start[M * N + GUARD], packed[(N + 64) * K];

static struct onri_gemm product_of(size_t m, size_t n, size_t k, int transposed_a, int transposed_b) {
  return (struct onri_gemm){.m = m,
                            .n = n,
                            .k = k,
                            .a = a,
                            .a_row = transposed_a ? 1 : k,
                            .a_col = transposed_a ? m : 1,
                            .b = b,
                            .b_row = transposed_b ? 1 : n,
                            .b_col = transposed_b ? k : 1,
                            .c = c,
                            .c_row = n,
                            .alpha = 1.0};
}

/* c against the sums in double, each with the error that its terms allow; what lies behind it as it was. */
static void expect_product(const struct onri_gemm *g, int adds) {
  for (size_t i = 0; i < g->m; i++)
    for (size_t j = 0; j < g->n; j++) {
      double sum = adds ? (double)start[i * g->c_row + j] : 0, size = fabs(sum);
      for (size_t p = 0; p < g->k; p++) {
        const double term =
            (double)((const float *)g->a)[i * g->a_row + p * g->a_col] * (double)b[p * g->b_row + j * g->b_col];
        sum += term;
        size += fabs(term);
      }
      const double found = (double)c[i * g->c_row + j];
      if (!(fabs(found - sum) <= 1e-7 * sqrt((double)g->k + 4) * size + 1e-30))
        fail_msg("%zux%zux%zu at %zu,%zu: %g, expected %g", g->m, g->n, g->k, i, j, found, sum);
    }
  assert_memory_equal(c + g->m * g->c_row, start + g->m * g->c_row, GUARD * sizeof(c[0]));
}

static void check_kernels(struct sweep *s, const struct onri_sgemm_kernels *kernels) {
  const size_t m = sweep_chance(s, 3) ? 1 : (size_t)sweep_pick(s, 1, 40), n = (size_t)sweep_pick(s, 1, 100),
               k = (size_t)sweep_pick(s, 0, sweep_chance(s, 8) ? ONRI_SGEMM_DEPTH : 70);
  const int adds = sweep_chance(s, 2), transposed_b = sweep_chance(s, 2),
            direct = (!transposed_b || m == 1) && sweep_chance(s, 2);
  const struct onri_gemm g = product_of(m, n, k, sweep_chance(s, 3), transposed_b);
  struct onri_sgemm_slice slice = {
      .rows = m, .columns = n, .depth = k, .a = a, .a_row = g.a_row, .a_col = g.a_col, .b = b};
  slice.c = c, slice.c_row = n, slice.accumulate = adds;
  if (direct) slice.b_row = g.b_row, slice.b_col = g.b_col;
  memcpy(c, start, sizeof(c));
  if (!direct) {
    kernels->pack(b, g.b_row, g.b_col, k, n, packed);
    slice.b = packed;
  }
  kernels->multiply(&slice);
  expect_product(&g, adds);
}

/* What is behind a product, done with it or afterwards: the same bits, whatever way B is read. */
static void check_finished_products(struct sweep *s, const struct onri_sgemm_kernels *kernels) {
  static float apart[M * N + GUARD];
  const size_t m = sweep_chance(s, 3) ? 1 : (size_t)sweep_pick(s, 1, 40), n = (size_t)sweep_pick(s, 1, 100),
               k = (size_t)sweep_pick(s, 1, 60);
  const int transposed_b = sweep_chance(s, 2), direct = (!transposed_b || m == 1) && sweep_chance(s, 2),
            narrow = !direct && sweep_chance(s, 4);
  static uint16_t halves[60 * (N + 64)];
  struct onri_gemm g = product_of(m, n, k, sweep_chance(s, 3), transposed_b);
  struct onri_sgemm_slice slice = {.rows = m,
                                   .columns = n,
                                   .depth = k,
                                   .a = a,
                                   .a_row = g.a_row,
                                   .a_col = g.a_col,
                                   .b = direct ? b : packed,
                                   .b_row = direct ? g.b_row : 0,
                                   .b_col = direct ? g.b_col : 0,
                                   .c_row = n,
                                   .accumulate = sweep_chance(s, 2)};
  if (!direct) kernels->pack(b, g.b_row, g.b_col, k, n, packed);
  if (narrow) {
    onri_store(ONR_DTYPE_F16, packed, k * ((n + kernels->columns - 1) / kernels->columns * kernels->columns), halves);
    slice.b = halves, slice.narrow = ONR_DTYPE_F16;
  }
  if (sweep_chance(s, 2)) g.alpha = 0.5, g.beta = -2;
  if (sweep_chance(s, 2)) g.bias = a, g.bias_col = (size_t)sweep_pick(s, 0, 2), g.bias_row = sweep_chance(s, 2) ? n : 0;
  if (sweep_chance(s, 2)) g.residual = b;
  g.clamp = sweep_chance(s, 2), g.min = -0.5, g.max = 0.25;
  memcpy(apart, start, sizeof(apart));
  memcpy(c, start, sizeof(c));
  slice.c = g.c = apart;
  kernels->multiply(&slice);
  kernels->finish(&g);
  slice.c = g.c = c, slice.finish = &g;
  kernels->multiply(&slice);
  assert_memory_equal(c, apart, sizeof(apart));
}

static void test_every_level(void **unused) {
  struct sweep s = sweep_from(1);
  (void)unused;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int i = 0; i < sweep_cases(1500); i++) check_kernels(&s, onri_kernels_at(sgemm, (enum onri_cpu_level)level));
}

static void test_finished_products(void **unused) {
  struct sweep s = sweep_from(8);
  (void)unused;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int i = 0; i < sweep_cases(1500); i++)
      check_finished_products(&s, onri_kernels_at(sgemm, (enum onri_cpu_level)level));
}

/* B in half of the bytes, which hold all of it: the same bits as in float32. */
static void narrow_b(enum onr_dtype type, size_t count, float *values) {
  static uint16_t halves[N * K];
  onri_store(type, values, count, halves);
  onri_load(type, halves, count, values);
}

static void check_narrow(struct sweep *s, const struct onri_sgemm_kernels *kernels) {
  static float own[ONRI_SGEMM_DEPTH * (N + 64)], first[M * N];
  static uint16_t halves[ONRI_SGEMM_DEPTH * (N + 64)];
  const enum onr_dtype type = sweep_chance(s, 2) ? ONR_DTYPE_F16 : ONR_DTYPE_BF16;
  const size_t m = (size_t)sweep_pick(s, 1, 20), n = (size_t)sweep_pick(s, 1, N),
               k = (size_t)sweep_pick(s, 1, sweep_chance(s, 8) ? ONRI_SGEMM_DEPTH : 60),
               wide = (n + kernels->columns - 1) / kernels->columns * kernels->columns;
  const int turned = sweep_chance(s, 3);
  kernels->pack(b, n, 1, k, n, own);
  narrow_b(type, k * wide, own);
  onri_store(type, own, k * wide, halves);
  struct onri_sgemm_slice slice = {.rows = m,
                                   .columns = n,
                                   .depth = k,
                                   .a = a,
                                   .a_row = turned ? 1 : k,
                                   .a_col = turned ? m : 1,
                                   .b = own,
                                   .c = c,
                                   .c_row = n,
                                   .accumulate = sweep_chance(s, 2)};
  memcpy(c, start, sizeof(c));
  kernels->multiply(&slice);
  memcpy(first, c, m * n * sizeof(c[0]));
  memcpy(c, start, sizeof(c));
  slice.b = halves, slice.narrow = type;
  kernels->multiply(&slice);
  assert_memory_equal(c, first, m * n * sizeof(c[0]));
  assert_memory_equal(c + m * n, start + m * n, GUARD * sizeof(c[0]));
}

static void test_narrow_panels(void **unused) {
  struct sweep s = sweep_from(6);
  (void)unused;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int i = 0; i < sweep_cases(300); i++) check_narrow(&s, onri_kernels_at(sgemm, (enum onri_cpu_level)level));
}

/* What is behind a product, of all strides that a bias may have; NaN and infinities stay, the sign of 0 too. */
static void check_finish(struct sweep *s, const struct onri_sgemm_kernels *kernels) {
  const int narrow = sweep_chance(s, 3); /* whole rows in a vector */
  const size_t m = (size_t)sweep_pick(s, 1, narrow ? 40 : 5), n = (size_t)sweep_pick(s, 1, narrow ? 8 : 70),
               row = n + (size_t)(sweep_chance(s, 2) ? 0 : sweep_pick(s, 1, 3));
  struct onri_gemm g = {.m = m, .n = n, .c = c, .c_row = row, .alpha = 1, .beta = 1};
  static const float special[] = {NAN, INFINITY, -INFINITY, -0.0f};
  if (sweep_chance(s, 2)) g.alpha = 0.5, g.beta = -2;
  if (sweep_chance(s, 2)) g.bias = a, g.bias_col = (size_t)sweep_pick(s, 0, 2), g.bias_row = sweep_chance(s, 2) ? n : 0;
  if (sweep_chance(s, 2)) g.residual = b;
  g.clamp = sweep_chance(s, 2), g.min = sweep_chance(s, 2) ? -0.5 : -(double)INFINITY, g.max = 0.25;
  memcpy(c, start, sizeof(c));
  for (size_t i = 0; i < m * n; i += 7) c[i / n * row + i % n] = special[i / 7 % 4];
  for (size_t i = 0; i < m * row + 16; i++) packed[i] = c[i];
  kernels->finish(&g);
  for (size_t i = 0; i < m * row + 16; i++) {
    const size_t x = i / row, j = i % row;
    double v = (double)packed[i];
    if (x < m && j < n) {
      v *= g.alpha;
      if (g.bias) v += g.beta * (double)a[x * g.bias_row + j * g.bias_col];
      if (g.residual) v += (double)b[i];
      if (g.clamp && v < g.min) v = g.min;
      if (g.clamp && v > g.max) v = g.max;
    }
    const double found = (double)c[i];
    if (isnan(v)   ? !isnan(found)
        : isinf(v) ? found != v
                   : fabs(found - v) > 4e-7 || (v == 0 && signbit(found) != signbit(v)))
      fail_msg("%zux%zu of %zu at %zu: %g, expected %g", m, n, row, i, found, v);
  }
}

static void test_behind_a_product(void **unused) {
  struct sweep s = sweep_from(4);
  (void)unused;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int i = 0; i < sweep_cases(1000); i++) check_finish(&s, onri_kernels_at(sgemm, (enum onri_cpu_level)level));
}

static void test_calling_thread(void **unused) {
  struct sweep s = sweep_from(2);
  (void)unused;
  for (int i = 0; i < sweep_cases(200); i++) {
    struct onri_gemm g =
        product_of((size_t)sweep_pick(&s, 1, M), (size_t)sweep_pick(&s, 1, N),
                   (size_t)sweep_pick(&s, 0, sweep_chance(&s, 4) ? K : 40), sweep_chance(&s, 2), sweep_chance(&s, 2));
    g.accumulate = sweep_chance(&s, 2);
    memcpy(c, start, sizeof(c));
    onri_gemm(ONRI_CLASS_F32, &g);
    expect_product(&g, g.accumulate);
  }
}

/* As onri_product does: all of it, on some threads. */
static void run_panels(const struct onri_gemm *g, const void *panels, enum onr_dtype narrow, struct onr_env *env) {
  static float scratch[1 << 21];
  const enum onri_sgemm_b kind = !panels ? ONRI_SGEMM_PLAIN : narrow ? ONRI_SGEMM_NARROW : ONRI_SGEMM_PACKED;
  const struct onri_sgemm_plan plan = onri_sgemm_plan(g, kind, 1, onr_threads_count(env->threads));
  const struct onri_sgemm_batch batch = {.gemm = *g, .packed = panels, .narrow = narrow, .batches = 1};
  assert_true(plan.scratch_bytes <= sizeof(scratch));
  memcpy(c, start, sizeof(c));
  onri_sgemm_run(&batch, &plan, scratch, env);
}

static void run(const struct onri_gemm *g, const float *panels, struct onr_env *env) {
  run_panels(g, panels, ONR_DTYPE_NONE, env);
}

static void halve(const void *factor, void *x, size_t count) {
  for (size_t i = 0; i < count; i++) ((float *)x)[i] *= *(const float *)factor;
}

/* The whole product on 1 and on 3 threads, packed and not, and its last row alone: everything has the same bits, but
 * that many rows of few columns are summed otherwise than one. */
static void test_threads(void **unused) {
  static float first[M * N];
  struct sweep s = sweep_from(3);
  struct onr_env alone = {0}, several = {0};
  (void)unused;
  assert_int_equal(onr_threads_create(3, NULL, &several.threads, NULL), ONR_STATUS_OK);
  for (int i = 0; i < sweep_cases(150); i++) {
    const size_t m = (size_t)sweep_pick(&s, 1, M), n = (size_t)sweep_pick(&s, 1, sweep_chance(&s, 3) ? 10 : N),
                 k = (size_t)sweep_pick(&s, 1, K);
    struct onri_gemm g = product_of(m, n, k, 0, sweep_chance(&s, 2));
    assert_true(onri_sgemm_packed_floats(n, k) <= sizeof(packed) / sizeof(packed[0]));
    onri_sgemm_pack(b, g.b_row, g.b_col, n, k, packed, &several);
    run(&g, packed, &alone);
    expect_product(&g, 0);
    memcpy(first, c, m * n * sizeof(c[0]));
    run(&g, packed, &several);
    assert_memory_equal(c, first, m * n * sizeof(c[0]));
    run(&g, NULL, sweep_chance(&s, 2) ? &alone : &several);
    if (m > 1 || g.b_col == 1) assert_memory_equal(c, first, m * n * sizeof(c[0]));
    struct onri_gemm more = g;
    more.residual = a, more.tail = halve, more.tail_context = &(const float){0.5f};
    run(&more, m == 1 || sweep_chance(&s, 2) ? packed : NULL, sweep_chance(&s, 2) ? &alone : &several);
    for (size_t j = 0; j < m * n; j++) assert_true(c[j] == (first[j] + a[j]) * 0.5f);
    const int few = onri_sgemm_plan(&g, ONRI_SGEMM_PACKED, 1, 1).few;
    g.m = 1, g.a = a + (m - 1) * k;
    run(&g, sweep_chance(&s, 2) || g.b_col > 1 ? packed : NULL, &alone);
    if (few) expect_product(&g, 0);
    else assert_memory_equal(c, first + (m - 1) * n, n * sizeof(c[0]));
    run(&g, NULL, &alone);
    expect_product(&g, 0);
    memcpy(first, c, n * sizeof(c[0]));
    run(&g, NULL, &several);
    assert_memory_equal(c, first, n * sizeof(c[0]));
  }
  onr_threads_destroy(several.threads);
}

/* The same of whole products, few rows and many. */
static void test_narrow_products(void **unused) {
  static float first[M * N], own[N * K];
  static uint16_t halves[(N + 64) * K];
  struct sweep s = sweep_from(7);
  struct onr_env alone = {0}, several = {0};
  (void)unused;
  assert_int_equal(onr_threads_create(3, NULL, &several.threads, NULL), ONR_STATUS_OK);
  for (int i = 0; i < sweep_cases(60); i++) {
    const enum onr_dtype type = sweep_chance(&s, 2) ? ONR_DTYPE_F16 : ONR_DTYPE_BF16;
    const size_t m = (size_t)sweep_pick(&s, 1, M), n = (size_t)sweep_pick(&s, 64, N), k = (size_t)sweep_pick(&s, 1, K);
    struct onri_gemm g = product_of(m, n, k, 0, sweep_chance(&s, 2));
    memcpy(own, b, sizeof(own));
    narrow_b(type, N * K, own);
    assert_true(onri_sgemm_packed_floats(n, k) <= sizeof(halves) / sizeof(halves[0]));
    onri_sgemm_pack(own, g.b_row, g.b_col, n, k, packed, &several);
    onri_sgemm_pack_narrow(own, g.b_row, g.b_col, n, k, type, halves, &several);
    run(&g, packed, &alone);
    memcpy(first, c, m * n * sizeof(c[0]));
    run_panels(&g, halves, type, &alone);
    assert_memory_equal(c, first, m * n * sizeof(c[0]));
    run_panels(&g, halves, type, &several);
    assert_memory_equal(c, first, m * n * sizeof(c[0]));
  }
  onr_threads_destroy(several.threads);
}

static int fill(void **unused) {
  (void)unused;
  fill_random(a, M * K, -1.0f, 1.0f, 1);
  fill_random(b, N * K, -1.0f, 1.0f, 2);
  fill_random(start, M * N + GUARD, -1.0f, 1.0f, 3);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level),       cmocka_unit_test(test_calling_thread),
                                     cmocka_unit_test(test_threads),           cmocka_unit_test(test_behind_a_product),
                                     cmocka_unit_test(test_finished_products), cmocka_unit_test(test_narrow_panels),
                                     cmocka_unit_test(test_narrow_products)};
  return cmocka_run_group_tests(tests, fill, NULL);
}
