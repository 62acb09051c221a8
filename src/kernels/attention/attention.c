/* attention.c: see attention.h. */
#include "kernels/attention/attention.h"

#include <math.h>
#include <string.h>

#include "kernels/matmul/gemm.h"
#include "kernels/elementwise/vecmath.h"

/* Queries a tile: many, because each block of keys is packed for each tile; bounded by the stack. */
enum { QUERIES_F32 = 96, QUERIES_F64 = 48, KEYS = 128 };

struct range {
  size_t from, to;
};

static size_t clip(int64_t v, size_t most) { return v < 0 ? 0 : v > (int64_t)most ? most : (size_t)v; }

/* Query i stands at key i + offset. */
static int64_t offset_of(const struct onri_attention *a, size_t batch) {
  return a->lengths ? a->lengths[batch] - (int64_t)a->queries : (int64_t)a->past;
}

/* The last key + 1 that a query may see, by causality, window and length; the mask apart. */
static size_t last_shown(const struct onri_attention *a, size_t batch, size_t query) {
  const size_t total = a->past + a->keys;
  const int64_t position = (int64_t)query + offset_of(a, batch);
  size_t last = a->lengths ? clip(a->lengths[batch], total) : total;
  if (a->causal) last = clip(position + 1, last);
  if (a->has_window_right && a->window_right < (int64_t)total) last = clip(position + 1 + a->window_right, last);
  return last;
}

/* Which of the keys [key, key + columns) those are, counted from `key`. */
static struct range shown_keys(const struct onri_attention *a, size_t batch, size_t query, size_t key, size_t columns) {
  const int64_t position = (int64_t)query + offset_of(a, batch);
  struct range r = {0, clip((int64_t)last_shown(a, batch, query) - (int64_t)key, columns)};
  if (a->has_window_left && a->window_left < INT32_MAX)
    r.from = clip(position - a->window_left - (int64_t)key, columns);
  if (r.from > r.to) r.from = r.to;
  return r;
}

static double exp_sum_f64(const double *x, double shift, double *y, size_t count) {
  double sum = 0.0;
  for (size_t i = 0; i < count; i++) sum += y[i] = exp(x[i] - shift);
  return sum;
}

static double max_f64(const double *x, double max, size_t count) {
  for (size_t i = 0; i < count; i++) max = x[i] > max ? x[i] : max;
  return max;
}

static void tanh_f64(const double *x, double *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = tanh(x[i]);
}

#define T float
#define NAME(x) x##_f32
#define CLASS ONRI_CLASS_F32
#define QUERIES QUERIES_F32
#define EXP_SUM onri_exp_sum_f32
#define MAX onri_max_f32
#define TANH onri_tanh_f32
#include "kernels/attention/attention_type.h"
#undef T
#undef NAME
#undef CLASS
#undef QUERIES
#undef EXP_SUM
#undef MAX
#undef TANH

#define T double
#define NAME(x) x##_f64
#define CLASS ONRI_CLASS_F64
#define QUERIES QUERIES_F64
#define EXP_SUM exp_sum_f64
#define MAX max_f64
#define TANH tanh_f64
#include "kernels/attention/attention_type.h"

size_t onri_attention_items(const struct onri_attention *a) {
  const size_t rows = a->class == ONRI_CLASS_F64 ? QUERIES_F64 : QUERIES_F32;
  return a->batch * a->heads * ((a->queries + rows - 1) / rows);
}

void onri_attention(const struct onri_attention *a, size_t first_item, size_t last_item) {
  for (size_t item = first_item; item < last_item; item++) {
    if (a->class == ONRI_CLASS_F64) run_tile_f64(a, item);
    else run_tile_f32(a, item);
  }
}
