/* linear_attention_simd.c: see linear_attention.h. The sums of a block of columns stay in registers while the rows of
 * its state go by, so each step reads the state once or twice, from the first cache for heads of up to 200 elements. */
#include "kernels/attention/linear_attention.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"

enum { COLUMNS = ONRI_LINEAR_COLUMNS, VECTORS = COLUMNS / F32_LANES };

#define EACH_VECTOR UNROLL for (int i = 0; i < VECTORS; i++)

/* state = decay state; sum = state^T k. */
static void decay_and_recall(float *state, size_t width, const float *k, const float *decay, size_t decay_stride,
                             vf32 sum[VECTORS]) {
  vf32 total[VECTORS] = {{0}};
  for (size_t d = 0; d < width; d++, state += COLUMNS) {
    const vf32 factor = f32_set(decay ? decay[d * decay_stride] : 1), key = f32_set(k[d]);
    EACH_VECTOR {
      const vf32 row = factor * f32_load(state + i * F32_LANES);
      total[i] = f32_fma(row, key, total[i]);
      f32_store(state + i * F32_LANES, row);
    }
  }
  EACH_VECTOR sum[i] = total[i];
}

/* state += k u^T; sum = state^T q. */
static void write_and_read(float *state, size_t width, const float *k, const vf32 u[VECTORS], const float *q,
                           vf32 sum[VECTORS]) {
  vf32 total[VECTORS] = {{0}}, update[VECTORS];
  EACH_VECTOR update[i] = u[i];
  for (size_t d = 0; d < width; d++, state += COLUMNS) {
    const vf32 key = f32_set(k[d]), query = f32_set(q[d]);
    EACH_VECTOR {
      const vf32 row = f32_fma(key, update[i], f32_load(state + i * F32_LANES));
      total[i] = f32_fma(row, query, total[i]);
      f32_store(state + i * F32_LANES, row);
    }
  }
  EACH_VECTOR sum[i] = total[i];
}

/* sum = state^T q. */
static void read_only(const float *state, size_t width, const float *q, vf32 sum[VECTORS]) {
  vf32 total[VECTORS] = {{0}};
  for (size_t d = 0; d < width; d++, state += COLUMNS) {
    const vf32 query = f32_set(q[d]);
    EACH_VECTOR total[i] = f32_fma(f32_load(state + i * F32_LANES), query, total[i]);
  }
  EACH_VECTOR sum[i] = total[i];
}

static size_t left_of(size_t columns, int i) {
  const size_t from = (size_t)i * F32_LANES;
  return columns > from ? columns - from : 0;
}

static void run(const struct onri_linear_attention *attention) {
  const struct onri_linear_attention a = *attention;
  for (size_t t = 0; t < a.steps; t++) {
    const float *q = a.q + t * a.q_step, *k = a.k + t * a.k_step, *v = a.v + t * a.v_step;
    vf32 u[VECTORS], sum[VECTORS] = {{0}};
    if (a.decay || a.beta)
      decay_and_recall(a.state, a.width, k, a.decay ? a.decay + t * a.decay_step : NULL, a.decay_stride, sum);
    EACH_VECTOR {
      const vf32 value = f32_load_part(v + i * F32_LANES, left_of(a.columns, i));
      u[i] = a.beta ? a.beta[t * a.beta_step] * (value - sum[i]) : value;
    }
    for (size_t h = 0; h < a.query_heads; h++) {
      float *y = a.y + t * a.y_step + h * a.y_head;
      if (h == 0) write_and_read(a.state, a.width, k, u, q, sum);
      else read_only(a.state, a.width, q + h * a.width, sum);
      EACH_VECTOR f32_store_part(y + i * F32_LANES, a.scale * sum[i], left_of(a.columns, i));
    }
  }
}

const struct onri_linear_attention_kernels ONRI_AT_LEVEL(onri_linear_attention_kernels) = {run};
