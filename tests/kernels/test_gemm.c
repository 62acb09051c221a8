/* The portable product at every instruction set's tile edges, with all strides, against sums in double. */
#include <math.h>
#include <string.h>

#include "support/kernel_levels.h"
#include "support/layer_test.h"

#include "kernels/matmul/gemm_level.h"

enum { M = 40, N = 70, K = 530 };
static float a[M * K], b[K * N], start[M * N], c[M * N], expected[M * N];

static void check(void (*product)(const struct onri_gemm *), size_t m, size_t n, size_t k, int transposed_a,
                  int transposed_b, int accumulate) {
  const struct onri_gemm g = {.m = m,
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
                              .alpha = 1.0,
                              .accumulate = accumulate};
  memcpy(c, start, sizeof(c));
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < n; j++) {
      double sum = accumulate ? (double)start[i * n + j] : 0;
      for (size_t p = 0; p < k; p++) sum += (double)a[i * g.a_row + p * g.a_col] * (double)b[p * g.b_row + j * g.b_col];
      expected[i * n + j] = (float)sum;
    }
  product(&g);
  assert_close(c, expected, m * n, 1e-5, 2e-5);
  assert_memory_equal(c + m * n, start + m * n, (M * N - m * n) * sizeof(c[0]));
}

static void check_level(void (*product)(const struct onri_gemm *)) {
  fill_random(a, M * K, -1.0f, 1.0f, 1);
  fill_random(b, K * N, -1.0f, 1.0f, 2);
  fill_random(start, M * N, -1.0f, 1.0f, 3);
  for (size_t m = 1; m < M; m++) check(product, m, 33, 5, m & 1, m >> 1 & 1, m >> 2 & 1);
  for (size_t n = 1; n < N; n++) check(product, 13, n, 7, n & 1, n >> 1 & 1, n >> 2 & 1);
  for (int flags = 0; flags < 8; flags++) {
    check(product, 13, 33, K, flags & 1, flags >> 1 & 1, flags >> 2);
    check(product, 3, 9, 256, flags & 1, flags >> 1 & 1, flags >> 2);
    check(product, 3, 9, 0, flags & 1, flags >> 1 & 1, flags >> 2);
  }
}

static void test_every_level(void **unused) {
  void (*const levels[])(const struct onri_gemm *) = KERNEL_LEVELS(onri_gemm_product);
  (void)unused;
  for (size_t l = 0; l < kernel_levels(); l++) check_level(levels[l]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
