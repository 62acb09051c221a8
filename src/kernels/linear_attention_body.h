/* linear_attention_body.h: see linear_attention.h; ONRI_LINEAR_ATTENTION names the function. Loops over a whole block have a
 * fixed length, so that its sums stay in registers. */
#include "kernels/linear_attention.h"

enum { COLUMNS = ONRI_LINEAR_COLUMNS };

/* state = decay state; sum = state^T k. */
static void decay_and_recall(const struct onri_linear_attention *a, const float *k, const float *decay, float sum[COLUMNS]) {
  float total[COLUMNS] = {0};
  for (size_t d = 0; d < a->width; d++) {
    const float factor = decay ? decay[d * a->decay_stride] : 1.0f, key = k[d];
    float *row = a->state + d * COLUMNS;
    for (int c = 0; c < COLUMNS; c++) {
      row[c] *= factor;
      total[c] += row[c] * key;
    }
  }
  for (int c = 0; c < COLUMNS; c++) sum[c] = total[c];
}

/* state += k u^T; y = scale state^T q. */
static void write_and_read(const struct onri_linear_attention *a, const float *k, const float *u, const float *q, float *y) {
  float total[COLUMNS] = {0}, update[COLUMNS];
  for (int c = 0; c < COLUMNS; c++) update[c] = u[c];
  for (size_t d = 0; d < a->width; d++) {
    const float key = k[d], query = q[d];
    float *row = a->state + d * COLUMNS;
    for (int c = 0; c < COLUMNS; c++) {
      row[c] += key * update[c];
      total[c] += row[c] * query;
    }
  }
  for (size_t c = 0; c < a->columns; c++) y[c] = a->scale * total[c];
}

static void read_only(const struct onri_linear_attention *a, const float *q, float *y) {
  float total[COLUMNS] = {0};
  for (size_t d = 0; d < a->width; d++) {
    const float query = q[d], *row = a->state + d * COLUMNS;
    for (int c = 0; c < COLUMNS; c++) total[c] += row[c] * query;
  }
  for (size_t c = 0; c < a->columns; c++) y[c] = a->scale * total[c];
}

void ONRI_LINEAR_ATTENTION(const struct onri_linear_attention *a) {
  for (size_t t = 0; t < a->steps; t++) {
    const float *q = a->q + t * a->q_step, *k = a->k + t * a->k_step, *v = a->v + t * a->v_step;
    float *y = a->y + t * a->y_step, recalled[COLUMNS] = {0}, u[COLUMNS] = {0};
    if (a->decay || a->beta) decay_and_recall(a, k, a->decay ? a->decay + t * a->decay_step : NULL, recalled);
    for (size_t c = 0; c < a->columns; c++) u[c] = a->beta ? a->beta[t * a->beta_step] * (v[c] - recalled[c]) : v[c];
    write_and_read(a, k, u, q, y);
    for (size_t h = 1; h < a->query_heads; h++) read_only(a, q + h * a->width, y + h * a->y_head);
  }
}
