/* Attention of every instruction set against its definition in double: heads of all widths, shared keys, past keys,
 * masks of both kinds, causality, windows, lengths, caps; one query and many, one block of keys and many; and the same
 * bits for any number of threads. */
#include <string.h>

#include "base/env.h"
#include "kernels/attention/attention_rows.h"
#include "kernels/kernels.h"
#include "support/sweep.h"

enum { MOST = 1 << 17, CASES = 400 };
static float q[MOST], k[MOST], v[MOST], past_k[MOST], past_v[MOST], y[MOST], again[MOST], mask_values[MOST];
static float scratch[1 << 22] __attribute__((aligned(64)));
static unsigned char mask_bits[MOST];
static int64_t lengths[4];

static struct onri_heads heads_of(struct sweep *s, float *data, size_t heads, size_t rows, size_t width) {
  const int inner = sweep_chance(s, 2);
  return (struct onri_heads){data, heads * rows * width, inner ? width : rows * width, inner ? heads * width : width};
}

static struct onri_attention draw(struct sweep *s, int64_t most_queries) {
  struct onri_attention a = {.class = ONRI_CLASS_F32, .batch = (size_t)sweep_pick(s, 1, 2)};
  const size_t group = sweep_chance(s, 2) ? 1 : (size_t)sweep_pick(s, 2, 4);
  const int long_one = sweep_chance(s, 6);
  a.kv_heads = (size_t)sweep_pick(s, 1, 3), a.heads = group * a.kv_heads;
  a.width = (size_t)sweep_pick(s, 1, sweep_chance(s, 3) ? 140 : 40);
  a.value_width = sweep_chance(s, 2) ? a.width : (size_t)sweep_pick(s, 1, 70);
  a.queries = (size_t)sweep_pick(s, 1, sweep_chance(s, 2) ? 4 : most_queries);
  a.keys = (size_t)sweep_pick(s, 1, long_one ? 400 : 90);
  a.past = sweep_chance(s, 3) ? (size_t)sweep_pick(s, 1, 70) : 0;
  while (a.batch * a.heads * (a.queries + a.keys + a.past) * (a.width + a.value_width) > MOST)
    a.batch = 1, a.keys = a.keys / 2 + 1, a.width = a.width / 2 + 1, a.value_width = a.value_width / 2 + 1;
  a.q = heads_of(s, q, a.heads, a.queries, a.width), a.y = heads_of(s, y, a.heads, a.queries, a.value_width);
  a.k = heads_of(s, k, a.kv_heads, a.keys, a.width), a.v = heads_of(s, v, a.kv_heads, a.keys, a.value_width);
  a.past_k = heads_of(s, past_k, a.kv_heads, a.past, a.width);
  a.past_v = heads_of(s, past_v, a.kv_heads, a.past, a.value_width);
  a.scale = sweep_chance(s, 2) ? 0.7 : 1 / sqrt((double)a.width);
  if (sweep_chance(s, 4)) a.softcap = 1.5;
  a.causal = sweep_chance(s, 3);
  if (sweep_chance(s, 5)) a.has_window_left = 1, a.window_left = sweep_pick(s, 0, 30);
  if (sweep_chance(s, 5)) a.has_window_right = 1, a.window_right = sweep_pick(s, 0, 30);
  a.blind_query = ONR_BLIND_QUERY_ZERO;
  if (sweep_chance(s, 4)) {
    for (size_t b = 0; b < a.batch; b++) lengths[b] = sweep_pick(s, 0, (int64_t)(a.past + a.keys));
    a.lengths = lengths;
  }
  if (sweep_chance(s, 2)) {
    const size_t total = a.past + a.keys;
    const int per_head = sweep_chance(s, 2), bits = sweep_chance(s, 2);
    a.mask = (struct onri_mask){bits ? (void *)mask_bits : (void *)mask_values,
                                bits ? ONR_DTYPE_BOOL : ONR_DTYPE_F32,
                                0,
                                per_head ? a.queries * total : 0,
                                total,
                                sweep_chance(s, 4) ? total / 2 + 1 : total};
    if (a.heads * a.queries * total > MOST) a.mask.head = 0;
  }
  if (!a.mask.data && !a.lengths && sweep_chance(s, 10)) a.keys = 0;
  return a;
}

static const float *at(const struct onri_heads *x, size_t b, size_t h, size_t row) {
  return (const float *)x->data + b * x->batch + h * x->head + row * x->row;
}

/* The score of a key, -INFINITY where it is hidden. */
static double score_of(const struct onri_attention *a, size_t b, size_t h, size_t query, size_t key) {
  const size_t kv = h / (a->heads / a->kv_heads);
  const float *row = key < a->past ? at(&a->past_k, b, kv, key) : at(&a->k, b, kv, key - a->past);
  const int64_t position = (int64_t)query + (a->lengths ? a->lengths[b] - (int64_t)a->queries : (int64_t)a->past);
  double sum = 0;
  if (a->lengths && (int64_t)key >= a->lengths[b]) return -INFINITY;
  if (a->causal && (int64_t)key > position) return -INFINITY;
  if (a->has_window_left && (int64_t)key < position - a->window_left) return -INFINITY;
  if (a->has_window_right && (int64_t)key > position + a->window_right) return -INFINITY;
  for (size_t p = 0; p < a->width; p++) sum += (double)at(&a->q, b, h, query)[p] * (double)row[p];
  sum *= a->scale;
  if (a->softcap > 0) sum = a->softcap * tanh(sum / a->softcap);
  if (!a->mask.data) return sum;
  if (key >= a->mask.columns) return -INFINITY;
  const size_t place = h * a->mask.head + query * a->mask.row + key;
  if (a->mask.dtype == ONR_DTYPE_BOOL) return mask_bits[place] ? sum : -INFINITY;
  return sum + (double)mask_values[place];
}

static void expect(const struct onri_attention *a, const char *what) {
  static double weights[1 << 12];
  const size_t total = a->past + a->keys;
  for (size_t row = 0; row < a->batch * a->heads * a->queries; row++) {
    const size_t query = row % a->queries, h = row / a->queries % a->heads, b = row / a->queries / a->heads,
                 kv = h / (a->heads / a->kv_heads);
    double most = -INFINITY, all = 0;
    for (size_t i = 0; i < total; i++) weights[i] = score_of(a, b, h, query, i), most = fmax(most, weights[i]);
    for (size_t i = 0; i < total; i++) all += weights[i] = isinf(most) ? 0 : exp(weights[i] - most);
    for (size_t j = 0; j < a->value_width; j++) {
      double sum = 0;
      for (size_t i = 0; i < total; i++)
        sum += weights[i] * (double)(i < a->past ? at(&a->past_v, b, kv, i) : at(&a->v, b, kv, i - a->past))[j];
      if (all > 0) sum /= all;
      const double found = (double)at(&a->y, b, h, query)[j];
      if (!(fabs(found - sum) <= 2e-5))
        fail_msg("%s: heads %zu/%zu, %zu queries, %zu + %zu keys of %zu and %zu: [%zu,%zu,%zu,%zu] is %g, expected %g",
                 what, a->heads, a->kv_heads, a->queries, a->past, a->keys, a->width, a->value_width, b, h, query, j,
                 found, sum);
    }
  }
}

/* All rows of a group of heads at once, as many as may be in one job. */
static void run(const struct onri_attention *a, const struct onri_attention_kernels *kernels, size_t merged) {
  const size_t rows = merged * a->queries;
  for (size_t group = 0; group < a->batch * (a->heads / merged); group++)
    for (size_t row = 0; row < rows; row += kernels->rows * 5) {
      struct onri_attention_job job = {.batch = group / (a->heads / merged),
                                       .head = group % (a->heads / merged) * merged,
                                       .first_row = row,
                                       .most_rows = rows < kernels->rows * 5 ? rows : kernels->rows * 5,
                                       .scratch = scratch};
      job.rows = rows - row < kernels->rows * 5 ? rows - row : kernels->rows * 5;
      assert_true(kernels->scratch_floats(a, job.most_rows) <= sizeof(scratch) / sizeof(scratch[0]));
      kernels->run(a, &job);
    }
}

static void test_every_level(void **unused) {
  struct sweep s = sweep_from(1);
  (void)unused;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int i = 0; i < sweep_cases(CASES); i++) {
      const struct onri_attention a = draw(&s, 60);
      memset(y, 0xFF, sizeof(y));
      run(&a, onri_kernels_at(attention, (enum onri_cpu_level)level), sweep_chance(&s, 2) ? 1 : a.heads / a.kv_heads);
      expect(&a, level == 0 ? "base" : level == 1 ? "AVX2" : "AVX-512");
    }
}

static void test_threads(void **unused) {
  struct sweep s = sweep_from(2);
  struct onr_env alone = {0}, several = {0};
  (void)unused;
  assert_int_equal(onr_threads_create(3, NULL, &several.threads, NULL), ONR_STATUS_OK);
  for (int i = 0; i < sweep_cases(200); i++) {
    const struct onri_attention a = draw(&s, 300); /* also a row or two beyond the last whole job */
    for (uint32_t threads = 1; threads <= 3; threads += 2) {
      const struct onri_attention_plan plan = onri_attention_plan(&a, threads);
      assert_true(plan.scratch_bytes <= sizeof(scratch));
      memset(y, 0, sizeof(y));
      onri_attention(&a, &plan, scratch, threads == 1 ? &alone : &several);
      if (threads == 1) memcpy(again, y, sizeof(y));
    }
    assert_memory_equal(y, again, sizeof(y));
    expect(&a, "threads");
  }
  onr_threads_destroy(several.threads);
}

static int fill(void **unused) {
  struct sweep s = sweep_from(3);
  float *const arrays[] = {q, k, v, past_k, past_v, mask_values};
  (void)unused;
  for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) fill_random(arrays[i], MOST, -1, 1, (uint32_t)i + 1);
  for (size_t i = 0; i < MOST; i++) {
    mask_bits[i] = !sweep_chance(&s, 3);
    if (sweep_chance(&s, 5)) mask_values[i] = -INFINITY;
  }
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level), cmocka_unit_test(test_threads)};
  return cmocka_run_group_tests(tests, fill, NULL);
}
