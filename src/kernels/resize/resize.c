/* resize.c: interpolation passes for float32 and float64; nearest neighbours for any element. */
#include "kernels/resize/resize.h"

#include <string.h>

#include "kernels/kernels.h"
#include "kernels/resize/resize_rows.h"

/* Rows [begin, end) of outer * out rows of `inner` elements. */
static void rows_f64(const struct onri_resize_pass *p, const double *x, double *y, size_t begin, size_t end) {
  const int64_t inner = p->inner;
  int64_t j = (int64_t)begin % p->out;
  x += (int64_t)begin / p->out * p->in * inner;
  y += (int64_t)begin * inner;
  for (size_t item = begin; item < end; item++, y += inner) {
    const int32_t *index = p->index + j * p->taps;
    const double *w = (const double *)p->weight + j * p->taps;
    for (int64_t i = 0; i < inner; i++) y[i] = w[0] * x[index[0] * inner + i];
    for (int32_t t = 1; t < p->taps; t++)
      for (int64_t i = 0; i < inner; i++) y[i] += w[t] * x[index[t] * inner + i];
    if (++j == p->out) j = 0, x += p->in * inner;
  }
}

/* Items of so many elements of y for a thread at a time. */
static size_t grain_of(const struct onri_resize_pass *pass, int64_t elements) {
  return elements * pass->taps >= 4096 ? 1 : (size_t)(4096 / (elements * pass->taps + 1) + 1);
}

struct pass_work {
  const struct onri_resize_pass *pass;
  const void *x;
  void *y;
};

static void pass_range_f32(void *context, size_t begin, size_t end) {
  const struct pass_work *w = context;
  onri_kernels(resize)->rows(w->pass, w->x, w->y, begin, end);
}

static void lines_range_f32(void *context, size_t begin, size_t end) {
  const struct pass_work *w = context;
  onri_kernels(resize)->lines(w->pass, w->x, w->y, begin, end);
}

static void pass_range_f64(void *context, size_t begin, size_t end) {
  const struct pass_work *w = context;
  rows_f64(w->pass, w->x, w->y, begin, end);
}

/* An item is a line where the axis is the last one, else what lies behind a pixel of y. */
void onri_resize_pass_f32(const struct onri_resize_pass *pass, const float *x, float *y, struct onr_env *env) {
  enum { TOGETHER = 16 }; /* lines that are done in one go */
  struct pass_work work = {.pass = pass, .x = x, .y = y};
  const size_t grain = grain_of(pass, pass->inner == 1 ? pass->out : pass->inner);
  if (pass->inner == 1)
    onr_parallel_for(env, (size_t)pass->outer, grain > TOGETHER ? grain : TOGETHER, lines_range_f32, &work);
  else onr_parallel_for(env, (size_t)(pass->outer * pass->out), grain, pass_range_f32, &work);
}

void onri_resize_pass_f64(const struct onri_resize_pass *pass, const double *x, double *y, struct onr_env *env) {
  struct pass_work work = {.pass = pass, .x = x, .y = y};
  onr_parallel_for(env, (size_t)(pass->outer * pass->out), grain_of(pass, pass->inner), pass_range_f64, &work);
}

struct gather_work {
  const struct onri_resize_gather *g;
  int32_t last; /* the last axis that changes */
  size_t run;   /* bytes of what lies behind it */
  const unsigned char *x;
  unsigned char *y;
};

/* count runs of `run` bytes, each from its own place. */
static void gather_runs(unsigned char *y, const unsigned char *x, const int32_t *index, int64_t count, size_t run) {
  switch (run) { /* a constant size makes memcpy a move */
    case 1:
      for (int64_t j = 0; j < count; j++) y[j] = x[index[j]];
      break;
    case 2:
      for (int64_t j = 0; j < count; j++) memcpy(y + j * 2, x + (int64_t)index[j] * 2, 2);
      break;
    case 4:
      for (int64_t j = 0; j < count; j++) memcpy(y + j * 4, x + (int64_t)index[j] * 4, 4);
      break;
    case 8:
      for (int64_t j = 0; j < count; j++) memcpy(y + j * 8, x + (int64_t)index[j] * 8, 8);
      break;
    default:
      for (int64_t j = 0; j < count; j++) memcpy(y + (size_t)j * run, x + (size_t)index[j] * run, run);
  }
}

/* An item is one position of the axes before `last`. */
static void gather_rows(void *context, size_t begin, size_t end) {
  const struct gather_work *w = context;
  const struct onri_resize_gather *g = w->g;
  const size_t row = (size_t)g->out[w->last] * w->run;
  int64_t before = -1;
  for (size_t item = begin; item < end; item++) {
    int64_t rest = (int64_t)item, from = 0, step = 1;
    for (int32_t d = w->last - 1; d >= 0; d--) {
      const int64_t j = rest % g->out[d];
      from += (g->index[d] ? g->index[d][j] : j) * step;
      step *= g->in[d];
      rest /= g->out[d];
    }
    if (from == before) { /* enlarged: many rows are the one before */
      memcpy(w->y + item * row, w->y + (item - 1) * row, row);
      continue;
    }
    before = from;
    gather_runs(w->y + item * row, w->x + (size_t)(from * g->in[w->last]) * w->run, g->index[w->last], g->out[w->last],
                w->run);
  }
}

void onri_resize_gather(const struct onri_resize_gather *g, const void *x, void *y, struct onr_env *env) {
  struct gather_work w = {.g = g, .last = -1, .run = g->element, .x = x, .y = y};
  size_t rows = 1;
  for (int32_t d = 0; d < g->rank; d++)
    if (g->index[d]) w.last = d;
  for (int32_t d = w.last + 1; d < g->rank; d++) w.run *= (size_t)g->out[d];
  if (w.last < 0) {
    memcpy(y, x, w.run);
    return;
  }
  for (int32_t d = 0; d < w.last; d++) rows *= (size_t)g->out[d];
  onr_parallel_for(env, rows, 8, gather_rows, &w);
}
