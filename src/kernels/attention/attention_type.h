/* attention_type.h: attention for one type; included by attention.c with T, NAME(x), CLASS, EXP_SUM, MAX and TANH
 * defined. */
#include "kernels/convert/convert.h"

struct NAME(tile) {
  size_t batch, head, query, rows; /* first query and their number */
  size_t columns;                  /* of the current block of keys */
  size_t key;                      /* its first one, counted from the first past key */
  T max[QUERIES], sum[QUERIES];
  unsigned char visible[QUERIES]; /* some key is not hidden by the mask */
  T scores[QUERIES * KEYS];
};

/* One row of the mask as summands. */
static void NAME(mask_row)(const struct onri_attention *a, const struct NAME(tile) * t, size_t row, T *summands) {
  const struct onri_mask *m = &a->mask;
  const size_t left = t->key < m->columns ? m->columns - t->key : 0, count = t->columns < left ? t->columns : left;
  const size_t at = t->batch * m->batch + t->head * m->head + (t->query + row) * m->row + t->key;
  if (m->dtype == ONR_DTYPE_BOOL) {
    const unsigned char *shown = (const unsigned char *)m->data + at;
    for (size_t j = 0; j < count; j++) summands[j] = shown[j] ? 0 : -(T)INFINITY;
  } else {
    onri_widen(m->dtype, (const char *)m->data + at * onr_dtype_size(m->dtype), count, summands);
  }
  for (size_t j = count; j < t->columns; j++) summands[j] = -(T)INFINITY;
}

static T *NAME(output_row)(const struct onri_attention *a, const struct NAME(tile) * t, size_t row) {
  const size_t total = a->past + a->keys;
  return (T *)a->scores + ((t->batch * a->heads + t->head) * a->queries + t->query + row) * total + t->key;
}

/* Scores of a row after cap and mask. Hidden keys have -INFINITY whatever their product was, unless softmax was written
 * out. */
static void NAME(mask_scores)(const struct onri_attention *a, struct NAME(tile) * t, size_t row) {
  T *s = t->scores + row * KEYS, summands[KEYS];
  const int show = a->scores != NULL;
  if (show && a->scores_at == ONR_QK_SCALED) memcpy(NAME(output_row)(a, t, row), s, t->columns * sizeof(T));
  if (a->softcap > 0.0) {
    const T cap = (T)a->softcap;
    for (size_t j = 0; j < t->columns; j++) s[j] /= cap;
    TANH(s, s, t->columns);
    for (size_t j = 0; j < t->columns; j++) s[j] *= cap;
  }
  if (show && a->scores_at == ONR_QK_CAPPED) memcpy(NAME(output_row)(a, t, row), s, t->columns * sizeof(T));
  if (a->mask.data) {
    NAME(mask_row)(a, t, row, summands);
    const int hides = a->blind_query == ONR_BLIND_QUERY_ZERO;
    for (size_t j = 0; j < t->columns; j++)
      s[j] = hides && summands[j] == -(T)INFINITY ? -(T)INFINITY : s[j] + summands[j];
  }
  const struct range shown = shown_keys(a, t->batch, t->query + row, t->key, t->columns);
  for (size_t j = 0; j < shown.from; j++) s[j] = -(T)INFINITY;
  for (size_t j = shown.to; j < t->columns; j++) s[j] = -(T)INFINITY;
  for (size_t j = shown.from; j < shown.to && !t->visible[row]; j++)
    t->visible[row] = !a->mask.data || summands[j] != -(T)INFINITY;
  if (show && a->scores_at >= ONR_QK_MASKED) memcpy(NAME(output_row)(a, t, row), s, t->columns * sizeof(T));
}

/* The row's block becomes exp(score - largest so far); what was summed up before is scaled to the new largest one. */
static void NAME(exponentials)(const struct onri_attention *a, struct NAME(tile) * t, size_t row, T *y) {
  T *s = t->scores + row * KEYS;
  const T max = MAX(s, t->max[row], t->columns), shift = max == -(T)INFINITY ? 0 : max;
  T correction = 0;
  if (t->max[row] != -(T)INFINITY) {
    T difference = t->max[row] - max;
    (void)EXP_SUM(&difference, 0, &correction, 1);
  }
  t->max[row] = max;
  t->sum[row] = t->sum[row] * correction + EXP_SUM(s, shift, s, t->columns);
  if (correction != 1)
    for (size_t j = 0; j < a->value_width; j++) y[j] *= correction;
}

static T *NAME(y_row)(const struct onri_attention *a, const struct NAME(tile) * t, size_t row) {
  return (T *)a->y.data + t->batch * a->y.batch + t->head * a->y.head + (t->query + row) * a->y.row;
}

static const T *NAME(kv_rows)(const struct onri_attention *a, const struct onri_heads *x, const struct NAME(tile) * t,
                              size_t key) {
  const size_t kv_head = t->head / (a->heads / a->kv_heads);
  return (const T *)x->data + t->batch * x->batch + kv_head * x->head + key * x->row;
}

/* One block of keys, all past or all new. */
static void NAME(block)(const struct onri_attention *a, struct NAME(tile) * t) {
  const int past = t->key < a->past;
  const struct onri_heads *k = past ? &a->past_k : &a->k, *v = past ? &a->past_v : &a->v;
  const size_t key = past ? t->key : t->key - a->past;
  const T *q = (const T *)a->q.data + t->batch * a->q.batch + t->head * a->q.head + t->query * a->q.row;
  const struct onri_gemm qk = {.m = t->rows,
                               .n = t->columns,
                               .k = a->width,
                               .a = q,
                               .a_row = a->q.row,
                               .a_col = 1,
                               .b = NAME(kv_rows)(a, k, t, key),
                               .b_row = 1,
                               .b_col = k->row,
                               .c = t->scores,
                               .c_row = KEYS,
                               .alpha = a->scale};
  onri_gemm(CLASS, &qk);
  for (size_t row = 0; row < t->rows; row++) {
    NAME(mask_scores)(a, t, row);
    NAME(exponentials)(a, t, row, NAME(y_row)(a, t, row));
  }
  const struct onri_gemm pv = {.m = t->rows,
                               .n = a->value_width,
                               .k = t->columns,
                               .a = t->scores,
                               .a_row = KEYS,
                               .a_col = 1,
                               .b = NAME(kv_rows)(a, v, t, key),
                               .b_row = v->row,
                               .b_col = 1,
                               .c = NAME(y_row)(a, t, 0),
                               .c_row = a->y.row,
                               .alpha = 1.0,
                               .accumulate = 1};
  onri_gemm(CLASS, &pv);
}

static void NAME(finish)(const struct onri_attention *a, struct NAME(tile) * t) {
  const size_t total = a->past + a->keys;
  t->key = 0;
  for (size_t row = 0; row < t->rows; row++) {
    const int blind = !t->visible[row] || t->sum[row] == 0,
              guarded = a->blind_query == ONR_BLIND_QUERY_GUARDED && !(t->sum[row] > 0);
    const int empty = guarded || (blind && a->blind_query == ONR_BLIND_QUERY_ZERO);
    const T factor = empty ? 0 : 1 / t->sum[row];
    T *y = NAME(y_row)(a, t, row);
    if (guarded) memset(y, 0, a->value_width * sizeof(T));
    for (size_t j = 0; j < a->value_width; j++) y[j] *= factor;
    if (!a->scores || a->scores_at != ONR_QK_SOFTMAX) continue;
    T *s = NAME(output_row)(a, t, row);
    (void)EXP_SUM(s, empty ? 0 : t->max[row], s, total);
    for (size_t j = 0; j < total; j++) s[j] = empty ? 0 : s[j] * factor;
  }
}

static void NAME(run_tile)(const struct onri_attention *a, size_t item) {
  const size_t tiles = (a->queries + QUERIES - 1) / QUERIES, line = item / tiles, total = a->past + a->keys;
  struct NAME(tile) t;
  t.batch = line / a->heads;
  t.head = line % a->heads;
  t.query = item % tiles * QUERIES;
  t.rows = a->queries - t.query < QUERIES ? a->queries - t.query : QUERIES;
  for (size_t row = 0; row < t.rows; row++) {
    t.max[row] = -(T)INFINITY;
    t.sum[row] = 0;
    t.visible[row] = 0;
    memset(NAME(y_row)(a, &t, row), 0, a->value_width * sizeof(T));
  }
  const size_t end = a->scores ? total : last_shown(a, t.batch, t.query + t.rows - 1);
  for (t.key = 0; t.key < end && !onr_env_cancelled(a->env); t.key += t.columns) {
    const size_t border = t.key < a->past ? a->past : total;
    t.columns = border - t.key < KEYS ? border - t.key : KEYS;
    NAME(block)(a, &t);
  }
  NAME(finish)(a, &t);
}
