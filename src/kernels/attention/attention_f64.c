/* attention_f64.c: attention in double, on the portable product. */
#include <math.h>
#include <string.h>

#include "kernels/attention/shown.h"
#include "kernels/convert/convert.h"
#include "kernels/matmul/gemm.h"

/* Queries a tile: bounded by the stack. */
enum { QUERIES = 48, KEYS = 64 };

static double exp_sum(const double *x, double shift, double *y, size_t count) {
  double sum = 0.0;
  for (size_t i = 0; i < count; i++) sum += y[i] = exp(x[i] - shift);
  return sum;
}

static double greatest(const double *x, double max, size_t count) {
  for (size_t i = 0; i < count; i++) max = x[i] > max ? x[i] : max;
  return max;
}

static void tanh_all(const double *x, double *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = tanh(x[i]);
}

struct tile {
  size_t batch, head, query, rows; /* first query and their number */
  size_t columns;                  /* of the current block of keys */
  size_t key;                      /* its first one, counted from the first past key */
  double max[QUERIES], sum[QUERIES];
  unsigned char visible[QUERIES]; /* some key is not hidden by the mask */
  double scores[QUERIES * KEYS];
};

/* One row of the mask as summands. */
static void mask_row(const struct onri_attention *a, const struct tile *t, size_t row, double *summands) {
  const struct onri_mask *m = &a->mask;
  const size_t left = t->key < m->columns ? m->columns - t->key : 0, count = t->columns < left ? t->columns : left;
  const size_t at = t->batch * m->batch + t->head * m->head + (t->query + row) * m->row + t->key;
  if (m->dtype == ONR_DTYPE_BOOL) {
    const unsigned char *shown = (const unsigned char *)m->data + at;
    for (size_t j = 0; j < count; j++) summands[j] = shown[j] ? 0 : -(double)INFINITY;
  } else {
    onri_widen(m->dtype, (const char *)m->data + at * onr_dtype_size(m->dtype), count, summands);
  }
  for (size_t j = count; j < t->columns; j++) summands[j] = -(double)INFINITY;
}

static double *output_row(const struct onri_attention *a, const struct tile *t, size_t row) {
  const size_t total = a->past + a->keys;
  return (double *)a->scores + ((t->batch * a->heads + t->head) * a->queries + t->query + row) * total + t->key;
}

/* Scores of a row after cap and mask. Hidden keys have -INFINITY whatever their product was, unless softmax was written
 * out. */
static void mask_scores(const struct onri_attention *a, struct tile *t, size_t row) {
  double *s = t->scores + row * KEYS, summands[KEYS];
  const int show = a->scores != NULL;
  if (show && a->scores_at == ONR_QK_SCALED) memcpy(output_row(a, t, row), s, t->columns * sizeof(double));
  if (a->softcap > 0.0) {
    const double cap = (double)a->softcap;
    for (size_t j = 0; j < t->columns; j++) s[j] /= cap;
    tanh_all(s, s, t->columns);
    for (size_t j = 0; j < t->columns; j++) s[j] *= cap;
  }
  if (show && a->scores_at == ONR_QK_CAPPED) memcpy(output_row(a, t, row), s, t->columns * sizeof(double));
  if (a->mask.data) {
    mask_row(a, t, row, summands);
    const int hides = a->blind_query == ONR_BLIND_QUERY_ZERO;
    for (size_t j = 0; j < t->columns; j++)
      s[j] = hides && summands[j] == -(double)INFINITY ? -(double)INFINITY : s[j] + summands[j];
  }
  const struct range shown = shown_keys(a, t->batch, t->query + row, t->key, t->columns);
  for (size_t j = 0; j < shown.from; j++) s[j] = -(double)INFINITY;
  for (size_t j = shown.to; j < t->columns; j++) s[j] = -(double)INFINITY;
  for (size_t j = shown.from; j < shown.to && !t->visible[row]; j++)
    t->visible[row] = !a->mask.data || summands[j] != -(double)INFINITY;
  if (show && a->scores_at >= ONR_QK_MASKED) memcpy(output_row(a, t, row), s, t->columns * sizeof(double));
}

/* The row's block becomes exp(score - largest so far); what was summed up before is scaled to the new largest one. */
static void exponentials(const struct onri_attention *a, struct tile *t, size_t row, double *y) {
  double *s = t->scores + row * KEYS;
  const double max = greatest(s, t->max[row], t->columns), shift = max == -(double)INFINITY ? 0 : max;
  double correction = 0;
  if (t->max[row] != -(double)INFINITY) {
    double difference = t->max[row] - max;
    (void)exp_sum(&difference, 0, &correction, 1);
  }
  t->max[row] = max;
  t->sum[row] = t->sum[row] * correction + exp_sum(s, shift, s, t->columns);
  if (correction != 1)
    for (size_t j = 0; j < a->value_width; j++) y[j] *= correction;
}

static double *y_row(const struct onri_attention *a, const struct tile *t, size_t row) {
  return (double *)a->y.data + t->batch * a->y.batch + t->head * a->y.head + (t->query + row) * a->y.row;
}

static const double *kv_rows(const struct onri_attention *a, const struct onri_heads *x, const struct tile *t,
                             size_t key) {
  const size_t kv_head = t->head / (a->heads / a->kv_heads);
  return (const double *)x->data + t->batch * x->batch + kv_head * x->head + key * x->row;
}

/* One block of keys, all past or all new. */
static void block(const struct onri_attention *a, struct tile *t) {
  const int past = t->key < a->past;
  const struct onri_heads *k = past ? &a->past_k : &a->k, *v = past ? &a->past_v : &a->v;
  const size_t key = past ? t->key : t->key - a->past;
  const double *q = (const double *)a->q.data + t->batch * a->q.batch + t->head * a->q.head + t->query * a->q.row;
  const struct onri_gemm qk = {.m = t->rows,
                               .n = t->columns,
                               .k = a->width,
                               .a = q,
                               .a_row = a->q.row,
                               .a_col = 1,
                               .b = kv_rows(a, k, t, key),
                               .b_row = 1,
                               .b_col = k->row,
                               .c = t->scores,
                               .c_row = KEYS,
                               .alpha = a->scale};
  onri_gemm(ONRI_CLASS_F64, &qk);
  for (size_t row = 0; row < t->rows; row++) {
    mask_scores(a, t, row);
    exponentials(a, t, row, y_row(a, t, row));
  }
  const struct onri_gemm pv = {.m = t->rows,
                               .n = a->value_width,
                               .k = t->columns,
                               .a = t->scores,
                               .a_row = KEYS,
                               .a_col = 1,
                               .b = kv_rows(a, v, t, key),
                               .b_row = v->row,
                               .b_col = 1,
                               .c = y_row(a, t, 0),
                               .c_row = a->y.row,
                               .alpha = 1.0,
                               .accumulate = 1};
  onri_gemm(ONRI_CLASS_F64, &pv);
}

static void finish(const struct onri_attention *a, struct tile *t) {
  const size_t total = a->past + a->keys;
  t->key = 0;
  for (size_t row = 0; row < t->rows; row++) {
    const int blind = !t->visible[row] || t->sum[row] == 0,
              guarded = a->blind_query == ONR_BLIND_QUERY_GUARDED && !(t->sum[row] > 0);
    const int empty = guarded || (blind && a->blind_query == ONR_BLIND_QUERY_ZERO);
    const double factor = empty ? 0 : 1 / t->sum[row];
    double *y = y_row(a, t, row);
    if (guarded) memset(y, 0, a->value_width * sizeof(double));
    for (size_t j = 0; j < a->value_width; j++) y[j] *= factor;
    if (!a->scores || a->scores_at != ONR_QK_SOFTMAX) continue;
    double *s = output_row(a, t, row);
    (void)exp_sum(s, empty ? 0 : t->max[row], s, total);
    for (size_t j = 0; j < total; j++) s[j] = empty ? 0 : s[j] * factor;
  }
}

void onri_attention_f64_item(const struct onri_attention *a, size_t item) {
  const size_t tiles = (a->queries + QUERIES - 1) / QUERIES, line = item / tiles, total = a->past + a->keys;
  struct tile t;
  t.batch = line / a->heads;
  t.head = line % a->heads;
  t.query = item % tiles * QUERIES;
  t.rows = a->queries - t.query < QUERIES ? a->queries - t.query : QUERIES;
  for (size_t row = 0; row < t.rows; row++) {
    t.max[row] = -(double)INFINITY;
    t.sum[row] = 0;
    t.visible[row] = 0;
    memset(y_row(a, &t, row), 0, a->value_width * sizeof(double));
  }
  const size_t end = a->scores ? total : last_shown(a, t.batch, t.query + t.rows - 1);
  for (t.key = 0; t.key < end && !onr_env_cancelled(a->env); t.key += t.columns) {
    const size_t border = t.key < a->past ? a->past : total;
    t.columns = border - t.key < KEYS ? border - t.key : KEYS;
    block(a, &t);
  }
  finish(a, &t);
}

size_t onri_attention_f64_items(const struct onri_attention *a) {
  return a->batch * a->heads * ((a->queries + QUERIES - 1) / QUERIES);
}
