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

enum { MERGED = ONRI_TAKE_ROW /* elements of rows that are put together of short ones */, SHORT = 128 };

struct gather_work {
  const struct onri_resize_gather *g;
  int32_t outer;                       /* axes in front of a row */
  size_t run;                          /* bytes of an element of a row */
  int64_t in, out;                     /* elements of a row */
  const int32_t *index;                /* [out] */
  const struct onri_byte_takes *takes; /* the same, or NULL */
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

/* Where row `item` lies in x, and the place of each outer axis. */
static int64_t start_of(const struct gather_work *w, size_t item, int64_t at[ONR_MAX_RANK]) {
  const struct onri_resize_gather *g = w->g;
  int64_t rest = (int64_t)item, from = 0, step = 1;
  for (int32_t d = w->outer - 1; d >= 0; d--) {
    at[d] = rest % g->out[d];
    from += (g->index[d] ? g->index[d][at[d]] : at[d]) * step;
    step *= g->in[d];
    rest /= g->out[d];
  }
  return from;
}

static int64_t place_of(const struct onri_resize_gather *g, int32_t d, int64_t j) {
  return g->index[d] ? g->index[d][j] : j;
}

/* The row behind one that lies at `from`. */
static int64_t next_of(const struct gather_work *w, int64_t from, int64_t at[ONR_MAX_RANK]) {
  const struct onri_resize_gather *g = w->g;
  int64_t step = 1;
  for (int32_t d = w->outer - 1; d >= 0; step *= g->in[d], d--) {
    const int64_t before = place_of(g, d, at[d]);
    if (++at[d] < g->out[d]) return from + (place_of(g, d, at[d]) - before) * step;
    at[d] = 0;
    from += (place_of(g, d, 0) - before) * step;
  }
  return from;
}

static void gather_rows(void *context, size_t begin, size_t end) {
  const struct gather_work *w = context;
  const size_t row = (size_t)w->out * w->run;
  int64_t before = -1, at[ONR_MAX_RANK], from = start_of(w, begin, at);
  for (size_t item = begin; item < end; item++, from = next_of(w, from, at)) {
    unsigned char *y = w->y + item * row;
    const unsigned char *x = w->x + (size_t)(from * w->in) * w->run;
    if (from == before) memcpy(y, y - row, row); /* enlarged: many rows are the one before */
    else if (w->takes) onri_kernels(resize)->take(w->takes, x, y, (end - item) * row);
    else gather_runs(y, x, w->index, w->out, w->run);
    before = from;
  }
}

/* Short rows are put together, with those in front of them. */
static void merge_rows(struct gather_work *w, int32_t *index) {
  const struct onri_resize_gather *g = w->g;
  for (int64_t j = 0; j < w->out && w->out <= MERGED; j++) index[j] = w->index[j];
  while (w->outer > 0 && w->out < SHORT && g->out[w->outer - 1] <= MERGED / w->out &&
         g->in[w->outer - 1] <= INT32_MAX / w->in) {
    const int32_t d = --w->outer;
    for (int64_t i = g->out[d]; i-- > 0;)
      for (int64_t j = 0; j < w->out; j++) index[i * w->out + j] = (int32_t)(place_of(g, d, i) * w->in) + index[j];
    w->in *= g->in[d], w->out *= g->out[d];
    w->index = index;
  }
}

/* 0: some 16 bytes of a row are not within 16 of x, or there is no instruction for them. */
static int set_takes(const struct gather_work *w, struct onri_byte_takes *t) {
  if (w->run != 1 || w->out > ONRI_TAKE_ROW || w->in < ONRI_TAKE || !onri_kernels(resize)->take) return 0;
  t->count = (size_t)w->out;
  for (int64_t i = 0; i < w->out; i += ONRI_TAKE) {
    const int64_t end = i + ONRI_TAKE < w->out ? i + ONRI_TAKE : w->out, g = i / ONRI_TAKE;
    int32_t least = INT32_MAX, most = 0;
    for (int64_t j = i; j < end; j++) {
      least = w->index[j] < least ? w->index[j] : least;
      most = w->index[j] > most ? w->index[j] : most;
    }
    if (most - least >= ONRI_TAKE) return 0;
    t->from[g] = least < w->in - ONRI_TAKE ? least : (int32_t)w->in - ONRI_TAKE;
    for (int64_t j = 0; j < ONRI_TAKE; j++) t->at[g][j] = (uint8_t)(i + j < end ? w->index[i + j] - t->from[g] : 0);
  }
  return 1;
}

void onri_resize_gather(const struct onri_resize_gather *g, const void *x, void *y, struct onr_env *env) {
  struct gather_work w = {.g = g, .outer = -1, .run = g->element, .x = x, .y = y};
  struct onri_byte_takes takes;
  int32_t index[MERGED];
  size_t rows = 1;
  for (int32_t d = 0; d < g->rank; d++)
    if (g->index[d]) w.outer = d;
  for (int32_t d = w.outer + 1; d < g->rank; d++) w.run *= (size_t)g->out[d];
  if (w.outer < 0) {
    memcpy(y, x, w.run);
    return;
  }
  w.in = g->in[w.outer], w.out = g->out[w.outer], w.index = g->index[w.outer];
  merge_rows(&w, index);
  if (set_takes(&w, &takes)) w.takes = &takes;
  for (int32_t d = 0; d < w.outer; d++) rows *= (size_t)g->out[d];
  onr_parallel_for(env, rows, 8, gather_rows, &w);
}
