/* Products in float16 against sums in double, within the bound that half_product.h derives from the format: of every
 * level that has them, of all sizes and strides; numbers of any size, NaN and infinities; what is behind a product; and
 * the same bits for any number of threads and of rows. */
#include <math.h>
#include <string.h>

#include "support/sweep.h"

#include "base/env.h"
#include "kernels/kernels.h"
#include "kernels/matmul/half_product.h"
#include "kernels/matmul/sgemm.h"

enum { M = 60, N = 300, K = 1100, GUARD = 64 };
/* Large products, each of which takes an emulator half a minute. */
#if defined(ONNXRUN_EMULATED)
enum { PRODUCTS = 3 };
#else
enum { PRODUCTS = 40 };
#endif
static float a[M * K], b[N * K], c[M * N + GUARD], start[M * N + GUARD];
static _Alignas(64) char packed[(N + 64) * (K + 16) * 2];

static float largest(const float *x, size_t step, size_t count) {
  float most = 0;
  for (size_t i = 0; i < count; i++) most = fmaxf(most, fabsf(x[i * step]));
  return most;
}

/* The bound of half_product.h, and what float32 adds. */
static void expect_product(const struct onri_gemm *g, const float *weights) {
  for (size_t i = 0; i < g->m; i++)
    for (size_t j = 0; j < g->n; j++) {
      const float *row = (const float *)g->a + i * g->a_row, *column = weights + j * g->b_col;
      const float found = ((const float *)g->c)[i * g->c_row + j];
      double sum = 0, size = 0;
      for (size_t p = 0; p < g->k; p++) {
        const double term = (double)row[p * g->a_col] * (double)column[p * g->b_row];
        sum += term;
        size += fabs(term);
      }
      const double bound =
          (ONRI_HALF_TERMS + 2) * ldexp(size, -11) * 1.05 +
          (double)g->k * ldexp(1, -26) * (double)largest(row, g->a_col, g->k) * (double)largest(column, g->b_row, g->k);
      if (!(fabs((double)found - sum) <= bound + 1e-37))
        fail_msg("%zux%zux%zu at %zu,%zu: %g, expected %g within %g", g->m, g->n, g->k, i, j, (double)found, sum,
                 bound);
    }
}

static struct onri_gemm product_of(size_t m, size_t n, size_t k, int transposed_a, int transposed_b) {
  return (struct onri_gemm){.m = m,
                            .n = n,
                            .k = k,
                            .a = a,
                            .a_row = transposed_a ? 1 : k,
                            .a_col = transposed_a ? m : 1,
                            .b_row = transposed_b ? 1 : n,
                            .b_col = transposed_b ? k : 1,
                            .c = c,
                            .c_row = n,
                            .alpha = 1};
}

/* One tile of rows, one slice, one panel, as the driver calls them. */
static void check_level(struct sweep *s, const struct onri_half_product_kernels *kernels) {
  static float floats[ONRI_HALF_DEPTH * 128], scales[ONRI_HALF_ROWS];
  static uint32_t rows[ONRI_HALF_ROWS * ONRI_HALF_PITCH];
  const size_t m = (size_t)sweep_pick(s, 1, ONRI_HALF_ROWS), n = (size_t)sweep_pick(s, 1, (int64_t)kernels->columns),
               k = (size_t)sweep_pick(s, 1, sweep_chance(s, 4) ? ONRI_HALF_DEPTH : 150);
  const struct onri_gemm g = product_of(m, n, k, sweep_chance(s, 3), sweep_chance(s, 2));
  struct onri_half_slice slice = {m, n, k, rows, scales, packed, c, n, 0};
  memset(floats, 0, sizeof(floats));
  memcpy(c, start, sizeof(c));
  onri_kernels(sgemm)->pack(b, g.b_row, g.b_col, k, n, floats);
  for (size_t half = 0; half < 2; half++) { /* in two parts of the depth */
    const float *from = floats + half * k * kernels->columns / 2, *behind = from + k / 2 * kernels->columns / 2;
    int32_t sizes[64] = {0};
    kernels->measure(from, k, sizes);
    kernels->pack_half(from, 0, k / 2, half, sizes, packed);
    kernels->pack_half(behind, k / 2, k - k / 2, half, sizes, packed);
  }
  kernels->pack_rows(a, g.a_row, g.a_col, m, k, rows, scales);
  kernels->multiply(&slice);
  expect_product(&g, b);
  assert_memory_equal(c + m * n, start + m * n, GUARD * sizeof(c[0]));
  slice.accumulate = 1;
  memcpy(floats, c, m * n * sizeof(c[0]));
  kernels->multiply(&slice);
  for (size_t i = 0; i < m * n; i++) assert_true(c[i] == 2 * floats[i]);
}

static void test_every_level(void **unused) {
  struct sweep s = sweep_from(1);
  (void)unused;
  for (int level = 0; level <= (int)onri_cpu_level(); level++) {
    const struct onri_half_product_kernels *kernels = onri_kernels_at(half_product, (enum onri_cpu_level)level);
    /* A panel is two of float32, whose width is this processor's. */
    if (kernels->rows) assert_int_equal(kernels->columns, 2 * onri_kernels(sgemm)->columns);
    for (int i = 0; kernels->rows && i < sweep_cases(300); i++) check_level(&s, kernels);
  }
}

static void run(const struct onri_gemm *g, struct onr_env *env) {
  const struct onri_half_product product = {.gemm = *g, .packed = packed};
  memcpy(c, start, sizeof(c));
  onri_half_product(&product, env);
  assert_memory_equal(c + g->m * g->c_row, start + g->m * g->c_row, GUARD * sizeof(c[0]));
}

static void pack(const struct onri_gemm *g, const float *weights, struct onr_env *env) {
  assert_true(onri_half_product_packed_bytes(g->n, g->k) <= sizeof(packed));
  onri_half_product_pack(weights, g->b_row, g->b_col, g->n, g->k, packed, env);
}

static int has_half(void) { return onri_kernels(half_product)->rows > 0; }

static void halve(const void *factor, void *x, size_t count) {
  for (size_t i = 0; i < count; i++) ((float *)x)[i] *= *(const float *)factor;
}

static void test_threads(void **unused) {
  static float first[M * N];
  struct sweep s = sweep_from(2);
  struct onr_env alone = {0}, several = {0};
  (void)unused;
  if (!has_half()) skip();
  assert_int_equal(onr_threads_create(3, NULL, &several.threads, NULL), ONR_STATUS_OK);
  for (int i = 0; i < sweep_cases(PRODUCTS); i++) {
    struct onri_gemm g = product_of((size_t)sweep_pick(&s, 1, M), (size_t)sweep_pick(&s, 1, N),
                                    (size_t)sweep_pick(&s, 1, K), sweep_chance(&s, 4), sweep_chance(&s, 2));
    pack(&g, b, &several);
    run(&g, &alone);
    expect_product(&g, b);
    memcpy(first, c, g.m * g.n * sizeof(c[0]));
    run(&g, &several);
    assert_memory_equal(c, first, g.m * g.n * sizeof(c[0]));
    struct onri_gemm more = g;
    more.residual = b, more.bias = a, more.bias_col = 1, more.beta = 1, more.clamp = 1, more.min = -0.5, more.max = 2;
    more.tail = halve, more.tail_context = &(const float){0.5f};
    run(&more, &several);
    for (size_t j = 0; j < g.m * g.n; j++)
      assert_true(c[j] == fminf(2, fmaxf(-0.5f, first[j] + a[j % g.n] + b[j])) * 0.5f);
    g.a = a + (g.m - 1) * g.a_row, g.m = 1;
    run(&g, &alone);
    assert_memory_equal(c, first + (size_t)((const float *)g.a - a) / g.a_row * g.n, g.n * sizeof(c[0]));
  }
  onr_threads_destroy(several.threads);
}

/* Whatever the size of the numbers is, and however it changes from row to row and from column to column. */
static void test_any_size(void **unused) {
  static float own[M * K], weights[40 * 600];
  struct sweep s = sweep_from(3);
  struct onr_env env = {0};
  (void)unused;
  if (!has_half()) skip();
  for (int i = 0; i < sweep_cases(PRODUCTS); i++) {
    struct onri_gemm g = product_of((size_t)sweep_pick(&s, 1, 20), 40, (size_t)sweep_pick(&s, 1, 600), 0, 0);
    g.a = own;
    for (size_t r = 0; r < g.m; r++) {
      const int order = (int)sweep_pick(&s, -60, 60);
      for (size_t p = 0; p < g.k; p++) own[r * g.k + p] = ldexpf(a[r * g.k + p], order);
    }
    for (size_t j = 0; j < g.n; j++) {
      const int order = (int)sweep_pick(&s, -60, 60);
      for (size_t p = 0; p < g.k; p++) weights[p * g.n + j] = ldexpf(b[p * g.n + j], order);
    }
    pack(&g, weights, &env);
    run(&g, &env);
    expect_product(&g, weights);
  }
}

/* Rows and columns with numbers that are not finite are what the sum of their products is; the others feel nothing. */
static void test_not_finite(void **unused) {
  enum { ROWS = 20, COLUMNS = 70, DEPTH = 90 };
  static float own[ROWS * DEPTH], weights[DEPTH * COLUMNS];
  static const float special[] = {NAN, INFINITY, -INFINITY};
  struct onr_env env = {0};
  struct onri_gemm g = product_of(ROWS, COLUMNS, DEPTH, 0, 0);
  (void)unused;
  if (!has_half()) skip();
  for (int k = 0; k < 3; k++) {
    memcpy(own, a, sizeof(own));
    memcpy(weights, b, sizeof(weights));
    for (size_t i = 0; i < ROWS * DEPTH; i++) own[i] *= 1e6f; /* beyond float16 */
    own[3 * DEPTH + 5] = weights[7 * COLUMNS + 11] = special[k];
    g.a = own;
    pack(&g, weights, &env);
    run(&g, &env);
    for (size_t i = 0; i < ROWS; i++)
      for (size_t j = 0; j < COLUMNS; j++) {
        double sum = 0;
        for (size_t p = 0; p < DEPTH; p++) sum += (double)own[i * DEPTH + p] * (double)weights[p * COLUMNS + j];
        const float found = c[i * COLUMNS + j];
        if (isfinite(sum)) assert_true(fabs((double)found - sum) < 1e6);
        else assert_true(isnan(sum) ? isnan(found) : (double)found == sum);
      }
  }
}

static int fill(void **unused) {
  (void)unused;
  fill_random(a, M * K, -1.0f, 1.0f, 1);
  fill_random(b, N * K, -1.0f, 1.0f, 2);
  fill_random(start, M * N + GUARD, -1.0f, 1.0f, 3);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level), cmocka_unit_test(test_threads),
                                     cmocka_unit_test(test_any_size), cmocka_unit_test(test_not_finite)};
  return cmocka_run_group_tests(tests, fill, NULL);
}
