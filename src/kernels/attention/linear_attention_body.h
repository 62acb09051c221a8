/* linear_attention_body.h: see linear_attention.h; ONRI_LINEAR_ATTENTION names the function. Loops over a whole block
 * have a fixed length, so that its sums stay in registers. */
#include "kernels/attention/linear_attention.h"

enum { COLUMNS = ONRI_LINEAR_COLUMNS };

/* state = decay state; sum = state^T k. */
static void decay_and_recall(float *restrict state, size_t width, const float *restrict k, const float *restrict decay,
                             size_t decay_stride, float *restrict sum) {
  float total[COLUMNS];
  for (size_t c = 0; c < COLUMNS; c++) total[c] = 0.0f;
  for (size_t d = 0; d < width; d++) {
    const float factor = decay ? decay[d * decay_stride] : 1.0f, key = k[d];
    float row[COLUMNS];
    for (size_t c = 0; c < COLUMNS; c++) row[c] = factor * state[d * COLUMNS + c];
    for (size_t c = 0; c < COLUMNS; c++) total[c] += row[c] * key;
    for (size_t c = 0; c < COLUMNS; c++) state[d * COLUMNS + c] = row[c];
  }
  for (size_t c = 0; c < COLUMNS; c++) sum[c] = total[c];
}

/* state += k u^T; sum = state^T q. */
static void write_and_read(float *restrict state, size_t width, const float *restrict k, const float *restrict u,
                           const float *restrict q, float *restrict sum) {
  float total[COLUMNS], update[COLUMNS];
  for (size_t c = 0; c < COLUMNS; c++) total[c] = 0.0f;
  for (size_t c = 0; c < COLUMNS; c++) update[c] = u[c];
  for (size_t d = 0; d < width; d++) {
    const float key = k[d], query = q[d];
    float row[COLUMNS];
    for (size_t c = 0; c < COLUMNS; c++) row[c] = state[d * COLUMNS + c] + key * update[c];
    for (size_t c = 0; c < COLUMNS; c++) total[c] += row[c] * query;
    for (size_t c = 0; c < COLUMNS; c++) state[d * COLUMNS + c] = row[c];
  }
  for (size_t c = 0; c < COLUMNS; c++) sum[c] = total[c];
}

/* sum = state^T q. */
static void read_only(const float *restrict state, size_t width, const float *restrict q, float *restrict sum) {
  float total[COLUMNS];
  for (size_t c = 0; c < COLUMNS; c++) total[c] = 0.0f;
  for (size_t d = 0; d < width; d++)
    for (size_t c = 0; c < COLUMNS; c++) total[c] += state[d * COLUMNS + c] * q[d];
  for (size_t c = 0; c < COLUMNS; c++) sum[c] = total[c];
}

void ONRI_LINEAR_ATTENTION(const struct onri_linear_attention *a) {
  for (size_t t = 0; t < a->steps; t++) {
    const float *q = a->q + t * a->q_step, *k = a->k + t * a->k_step, *v = a->v + t * a->v_step;
    float *y = a->y + t * a->y_step, recalled[COLUMNS] = {0}, u[COLUMNS] = {0};
    if (a->decay || a->beta)
      decay_and_recall(a->state, a->width, k, a->decay ? a->decay + t * a->decay_step : NULL, a->decay_stride,
                       recalled);
    for (size_t c = 0; c < a->columns; c++) u[c] = a->beta ? a->beta[t * a->beta_step] * (v[c] - recalled[c]) : v[c];
    for (size_t h = 0; h < a->query_heads; h++) {
      float sum[COLUMNS];
      if (h == 0) write_and_read(a->state, a->width, k, u, q, sum);
      if (h > 0) read_only(a->state, a->width, q + h * a->width, sum);
      for (size_t c = 0; c < a->columns; c++) y[h * a->y_head + c] = a->scale * sum[c];
    }
  }
}
