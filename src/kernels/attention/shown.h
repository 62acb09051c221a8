/* shown.h: which keys a query may see, the mask apart. */
#ifndef ONRI_ATTENTION_SHOWN_H
#define ONRI_ATTENTION_SHOWN_H

#include "kernels/attention/attention.h"

/* From there on a window hides nothing, and added to a position would overflow. */
#define ONRI_WIDE_WINDOW ((int64_t)1 << 48)

struct range {
  size_t from, to;
};

static inline size_t clip(int64_t v, size_t most) { return v < 0 ? 0 : v > (int64_t)most ? most : (size_t)v; }

/* Query i stands at key i + offset. */
static inline int64_t offset_of(const struct onri_attention *a, size_t batch) {
  return a->lengths ? a->lengths[batch] - (int64_t)a->queries : (int64_t)a->past;
}

/* The last key + 1 that a query may see, by causality, window and length; the mask apart. */
static inline size_t last_shown(const struct onri_attention *a, size_t batch, size_t query) {
  const size_t total = a->past + a->keys;
  const int64_t position = (int64_t)query + offset_of(a, batch);
  size_t last = a->lengths ? clip(a->lengths[batch], total) : total;
  if (a->causal) last = clip(position + 1, last);
  if (a->has_window_right && a->window_right < ONRI_WIDE_WINDOW) last = clip(position + 1 + a->window_right, last);
  return last;
}

/* Which of the keys [key, key + columns) those are, counted from `key`. */
static inline struct range shown_keys(const struct onri_attention *a, size_t batch, size_t query, size_t key,
                                      size_t columns) {
  const int64_t position = (int64_t)query + offset_of(a, batch);
  struct range r = {0, clip((int64_t)last_shown(a, batch, query) - (int64_t)key, columns)};
  if (a->has_window_left && a->window_left < ONRI_WIDE_WINDOW)
    r.from = clip(position - a->window_left - (int64_t)key, columns);
  if (r.from > r.to) r.from = r.to;
  return r;
}

#endif
