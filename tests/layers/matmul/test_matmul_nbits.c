/* matmul_nbits against sums in double over weights that are unpacked here, one element at a time: bits, blocks, depths
 * that end within a block, zero points, blocks out of order, half floats, few rows and many, any number of threads. */
#include "layers/layers.h"
#include "support/sweep.h"

enum { MOST_N = 70, MOST_K = 700, MOST_M = 300, MOST_BLOCKS = MOST_K / 16 + 1, CASES = 150 };

static uint8_t packed[MOST_N * (MOST_K + 256)], packed_zeros[MOST_N * MOST_BLOCKS];
static float a[MOST_M * MOST_K], scales[MOST_N * MOST_BLOCKS], real_zeros[MOST_N * MOST_BLOCKS], bias[MOST_N];
static double wide_a[MOST_M * MOST_K], wide_scales[MOST_N * MOST_BLOCKS], wide_zeros[MOST_N * MOST_BLOCKS],
    wide_bias[MOST_N];
static int32_t group[MOST_K];

enum zeros { MIDDLE, PACKED, REAL };
struct geometry {
  struct onr_matmul_nbits_params params;
  enum onr_dtype dtype;
  enum zeros zeros;
  int grouped, biased;
  int64_t m, blocks;
  uint32_t threads;
};

static struct geometry draw(struct sweep *s) {
  static const enum onr_dtype types[] = {ONR_DTYPE_F32, ONR_DTYPE_F32, ONR_DTYPE_F16, ONR_DTYPE_BF16};
  struct geometry g = {.dtype = types[sweep_pick(s, 0, 3)], .zeros = (enum zeros)sweep_pick(s, 0, 2)};
  g.params.bits = 2 << sweep_pick(s, 0, 2);
  g.params.block = 16 << sweep_pick(s, 0, 4);
  g.params.n = sweep_pick(s, 1, MOST_N);
  g.params.k = sweep_pick(s, 1, sweep_chance(s, 4) ? MOST_K : 100);
  g.params.in_bytes = sweep_chance(s, 2);
  g.blocks = (g.params.k + g.params.block - 1) / g.params.block;
  g.grouped = sweep_chance(s, 4), g.biased = sweep_chance(s, 2);
  g.m = sweep_chance(s, 2) ? 1 : sweep_pick(s, 0, sweep_chance(s, 8) ? MOST_M : 20);
  g.threads = sweep_chance(s, 2) ? 1 : 3;
  return g;
}

static void fill(struct sweep *s, const struct geometry *g) {
  const struct onr_matmul_nbits_params *p = &g->params;
  for (size_t i = 0; i < sizeof(packed); i++) packed[i] = (uint8_t)(sweep_next(s) >> 5);
  for (size_t i = 0; i < sizeof(packed_zeros); i++) packed_zeros[i] = (uint8_t)(sweep_next(s) >> 5);
  for (int64_t k = 0; k < p->k; k++)
    group[k] = g->grouped ? (int32_t)sweep_pick(s, 0, g->blocks - 1) : (int32_t)(k / p->block);
  sweep_fill(s, g->dtype, (size_t)(g->m * p->k), 2, 0, a, wide_a);
  sweep_fill(s, g->dtype, (size_t)(p->n * g->blocks), 0.1, 0, scales, wide_scales);
  sweep_fill(s, g->dtype, (size_t)(p->n * g->blocks), 1 << p->bits, 0, real_zeros, wide_zeros);
  sweep_fill(s, g->dtype, (size_t)p->n, 3, 0, bias, wide_bias);
}

static int bits_of(const uint8_t *row, int64_t i, int bits) {
  return row[i * bits / 8] >> (i * bits % 8) & ((1 << bits) - 1);
}

static double weight_at(const struct geometry *g, int64_t n, int64_t k) {
  const struct onr_matmul_nbits_params *p = &g->params;
  const int64_t at = n * g->blocks + group[k], zero_row = (g->blocks * p->bits + 7) / 8;
  const double zero = g->zeros == MIDDLE   ? 1 << (p->bits - 1)
                      : g->zeros == PACKED ? bits_of(packed_zeros + n * zero_row, group[k], p->bits)
                                           : wide_zeros[at];
  return (bits_of(packed + n * g->blocks * p->block * p->bits / 8, k, p->bits) - zero) * wide_scales[at];
}

static enum onr_status run(const struct geometry *g, struct layer_test *t) {
  const struct onr_matmul_nbits_params *p = &g->params;
  const int64_t zero_row = (g->blocks * p->bits + 7) / 8;
  *t = (struct layer_test){.layer = &onri_layer_matmul_nbits, .params = p, .num_out = 1, .threads = g->threads};
  layer_test_input(t, g->dtype, 3, (int64_t[]){1, g->m, p->k}, a);
  layer_test_constant(t, ONR_DTYPE_U8, 3, (int64_t[]){p->n, g->blocks, p->block * p->bits / 8}, packed);
  layer_test_constant(t, g->dtype, 1, (int64_t[]){p->n * g->blocks}, scales);
  if (g->zeros == PACKED) layer_test_constant(t, ONR_DTYPE_U8, 1, (int64_t[]){p->n * zero_row}, packed_zeros);
  else if (g->zeros == REAL) layer_test_constant(t, g->dtype, 2, (int64_t[]){p->n, g->blocks}, real_zeros);
  else layer_test_input(t, ONR_DTYPE_NONE, 0, NULL, NULL);
  if (g->grouped) layer_test_constant(t, ONR_DTYPE_I32, 1, (int64_t[]){p->k}, group);
  else layer_test_input(t, ONR_DTYPE_NONE, 0, NULL, NULL);
  if (g->biased) layer_test_input(t, g->dtype, 1, (int64_t[]){p->n}, bias);
  return layer_test_run(t);
}

static void check(struct sweep *s) {
  const struct geometry g = draw(s);
  const struct onr_matmul_nbits_params *p = &g.params;
  const double rounding = g.dtype == ONR_DTYPE_F16 ? 6e-4 : g.dtype == ONR_DTYPE_BF16 ? 5e-3 : 1e-7;
  struct layer_test t;
  fill(s, &g);
  assert_int_equal(run(&g, &t), ONR_STATUS_OK);
  for (int64_t i = 0; i < g.m; i++)
    for (int64_t j = 0; j < p->n; j++) {
      double sum = g.biased ? wide_bias[j] : 0, size = 0, bytes = 0, found;
      for (int64_t k = 0; k < p->k; k++) {
        const double w = weight_at(&g, j, k), scale = wide_scales[j * g.blocks + group[k]];
        sum += wide_a[i * p->k + k] * w;
        size += fabs(wide_a[i * p->k + k] * scale) * (1 << p->bits);
        bytes += fabs(w) * 2 / 127 * 0.5; /* |A| is at most 2 */
      }
      onri_load_f64(g.dtype, (char *)t.out[0].data + (size_t)(i * p->n + j) * onr_dtype_size(g.dtype), 1, &found);
      if (!(fabs(found - sum) <= rounding * fabs(sum) + 4e-6 * size + (p->in_bytes && !g.grouped ? bytes : 0) + 1e-6))
        fail_msg("bits %d block %d n %lld k %lld m %lld zeros %d grouped %d bytes %d: [%lld][%lld] %g instead of %g",
                 (int)p->bits, (int)p->block, (long long)p->n, (long long)p->k, (long long)g.m, (int)g.zeros, g.grouped,
                 (int)p->in_bytes, (long long)i, (long long)j, found, sum);
    }
  layer_test_clear(&t);
}

static void sweep(void **state) {
  (void)state;
  struct sweep s = sweep_from(3);
  for (int i = 0; i < sweep_cases(CASES); i++) check(&s);
}

static void weights_stay_narrow(void **state) {
  (void)state;
  struct sweep s = sweep_from(4);
  struct geometry g = {
      .params = {.bits = 4, .block = 32, .n = 64, .k = 256}, .dtype = ONR_DTYPE_F32, .m = 1, .blocks = 8, .threads = 1};
  struct layer_test t;
  fill(&s, &g);
  assert_int_equal(run(&g, &t), ONR_STATUS_OK);
  assert_int_equal(t.packed_inputs, 1 << 1 | 1 << 2);
  layer_test_clear(&t);
}

static void what_is_wrong_is_refused(void **state) {
  (void)state;
  struct sweep s = sweep_from(4);
  const struct geometry good = {.params = {.bits = 4, .block = 32, .n = 5, .k = 40},
                                .dtype = ONR_DTYPE_F32,
                                .m = 2,
                                .blocks = 2,
                                .threads = 1,
                                .grouped = 1};
  struct layer_test t;
  fill(&s, &good);
  group[7] = 2;
  assert_int_equal(run(&good, &t), ONR_STATUS_INDEX);
  layer_test_clear(&t);
  group[7] = -1;
  assert_int_equal(run(&good, &t), ONR_STATUS_INDEX);
  layer_test_clear(&t);
  group[7] = 1;
  struct geometry bad = good;
  bad.blocks = 3;
  assert_int_equal(run(&bad, &t), ONR_STATUS_SHAPE);
  layer_test_clear(&t);
  bad = good, bad.params.bits = 3;
  assert_int_equal(run(&bad, &t), ONR_STATUS_ATTRIBUTE);
  layer_test_clear(&t);
  bad = good, bad.params.block = 24;
  assert_int_equal(run(&bad, &t), ONR_STATUS_ATTRIBUTE);
  layer_test_clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sweep),
      cmocka_unit_test(weights_stay_narrow),
      cmocka_unit_test(what_is_wrong_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
