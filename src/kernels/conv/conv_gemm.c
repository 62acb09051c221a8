/* conv_gemm.c: cutting a convolution of channels-last images into panels; see conv_gemm.h. */
#include "kernels/conv/conv_gemm.h"

#include <math.h>
#include <string.h>

#include "base/env.h"
#include "kernels/conv/conv_gemm_work.h"
#include "kernels/kernels.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

/* --- work --- */

struct work {
  const struct onri_conv *c;
  const struct onri_conv_gemm_kernels *kernels;
  const struct onri_conv_gemm *operands;
  int32_t is_line;                  /* the taps of a row of the kernel lie one behind the other */
  int32_t is_dense;                 /* y is */
  int32_t in_place;                 /* the image is read as it lies: its pixels are the rows of the panel */
  int32_t by_tap;                   /* each tap is multiplied by the pixels alone that meet the image through it */
  struct onri_conv_blocks channels; /* of a group */
  int64_t depth, width;             /* of the product; of a tap, or of a line of them */
  int64_t pixels;                   /* of all images as if they were one */
  int64_t panels, per_panel;        /* of pixels */
  int64_t per_turn;                 /* of the depth, at a time */
  int64_t blocks, part;             /* of channels in a group; so many of them are an item */
  int64_t parts;
  struct onri_conv_slots slots;
  struct onr_env *env;
};

/* The pixels of a panel. */
struct panel {
  int64_t group, count, num_runs;
  int64_t low[ONR_MAX_SPATIAL], high[ONR_MAX_SPATIAL]; /* of the outputs */
  struct onri_conv_run runs[ONRI_PANEL_PIXELS];
  int64_t y_at[ONRI_PANEL_PIXELS];
  struct onri_conv_gather gather;
  float *floats;
};

static void add_run(const struct work *w, struct panel *p, int64_t n, const int64_t o[ONR_MAX_SPATIAL], int64_t count) {
  const struct onri_conv *c = w->c;
  struct onri_conv_run *run = &p->runs[p->num_runs++];
  int64_t y = n * c->y.batch_stride, x = n * c->x.batch_stride + p->group * c->group_in * c->x.channel_stride;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    run->at[a] = o[a] * c->axis[a].stride - c->axis[a].begin;
    x += run->at[a] * c->x.stride[a];
    y += o[a] * c->y.stride[a];
    p->low[a] = least(p->low[a], o[a]);
    p->high[a] = most(p->high[a], a == 2 ? o[a] + count - 1 : o[a]);
  }
  run->first = p->count;
  run->count = count;
  run->x = w->operands->x + x;
  for (int64_t i = 0; i < count; i++) p->y_at[p->count + i] = y + i * c->y.stride[2];
  p->count += count;
}

static void take_pixels(const struct work *w, int64_t group, int64_t first, struct panel *p) {
  const struct onri_conv *c = w->c;
  const int64_t s1 = c->axis[1].out, s2 = c->axis[2].out, last = least(first + w->per_panel, w->pixels);
  p->group = group;
  p->count = p->num_runs = 0;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) p->low[a] = INT64_MAX, p->high[a] = 0;
  for (int64_t i = first, count; i < last; i += count) {
    const int64_t plane = i / (s1 * s2), o[] = {plane % c->axis[0].out, i / s2 % s1, i % s2};
    count = least(s2 - o[2], last - i);
    add_run(w, p, plane / c->axis[0].out, o, count);
  }
  p->gather = (struct onri_conv_gather){.in = {c->axis[0].in, c->axis[1].in, c->axis[2].in},
                                        .width = c->group_in,
                                        .stride = c->axis[2].stride,
                                        .step = c->axis[2].stride * c->x.stride[2],
                                        .runs = p->runs,
                                        .num_runs = p->num_runs};
}

/* A place in the depth: a tap, and an element of it, or of the line of taps that begins there. */
struct cursor {
  int64_t k[ONR_MAX_SPATIAL], from;
};

static struct cursor cursor_at(const struct work *w, int64_t depth) {
  const int64_t k1 = w->c->axis[1].kernel, k2 = w->c->axis[2].kernel;
  const int64_t tap = depth / w->width * (w->is_line ? k2 : 1);
  return (struct cursor){{tap / (k1 * k2), tap / k2 % k1, tap % k2}, depth % w->width};
}

static void advance(const struct work *w, struct cursor *at, int64_t count) {
  const struct onri_axis *axis = w->c->axis;
  at->from += count;
  if (at->from < w->width) return;
  at->from = 0;
  if (!w->is_line && ++at->k[2] < axis[2].kernel) return;
  at->k[2] = 0;
  if (++at->k[1] < axis[1].kernel) return;
  at->k[1] = 0;
  at->k[0]++;
}

/* Depth [first, first + count). */
static void gather(const struct work *w, const struct panel *p, int64_t first, int64_t count) {
  const struct onri_conv *c = w->c;
  if (count == 0) return; /* a convolution without taps */
  struct cursor at = cursor_at(w, first);
  for (int64_t d = 0, n; d < count; d += n, advance(w, &at, n)) {
    struct onri_conv_piece piece = {.from = at.from};
    piece.count = n = least(w->width - at.from, count - d);
    for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
      piece.tap[a] = at.k[a] * c->axis[a].dilation;
      piece.x += piece.tap[a] * c->x.stride[a];
    }
    piece.x += at.from;
    w->kernels->gather(&p->gather, &piece, p->floats + d);
  }
}

/* Depth [first, first + count), of which the panel holds what is multiplied; the first and the last of a panel. */
struct slice {
  int64_t first, count;
  int is_first, is_last;
};

/* What is fetched meanwhile. Weights behind those of block b: of the next block, of the first one further down the
 * depth, or of the next item. Where these stay in the cache, it is the pixels of the next tile, if they are read as
 * they lie. */
static void find_next(const struct work *w, const float *weights, int64_t part, int64_t b, const struct slice *slice,
                      struct onri_conv_product *product) {
  enum { NEAR = 32 << 10 }; /* so many floats stay in the second cache */
  const int is_last = b + 1 == least(w->blocks, part + w->part), ends = is_last && slice->is_last;
  const int64_t block = !is_last ? b + 1 : !ends ? part : b + 1 < w->blocks ? b + 1 : 0;
  const int64_t channel = block * w->channels.width, depth = w->depth;
  const int64_t width = least(w->channels.width, w->channels.channels - channel);
  const int64_t first = ends ? 0 : slice->first + (is_last ? slice->count : 0),
                count = least(slice->count, depth - first);
  if (depth * w->channels.channels > NEAR && count > 0) {
    product->next = weights + channel * depth + first * width;
    product->next_floats = count * width;
  } else if (w->in_place && b == part) {
    product->next = product->panel + 2 * w->kernels->tile * product->panel_row;
    product->next_floats = product->pixels * product->panel_row;
  }
}

/* The blocks of channels [part, part + w->part). */
static void multiply(const struct work *w, const struct panel *p, int64_t part, const struct slice *slice) {
  const struct onri_conv *c = w->c;
  const int64_t last = least(w->blocks, part + w->part), all = w->channels.channels;
  const float *bias = w->operands->bias + p->group * all;
  const float *weights = w->operands->packed + p->group * all * w->depth;
  const float *from = slice->is_first ? w->operands->residual : w->operands->y;
  const float *panel = p->floats;
  int64_t row = ONRI_PANEL_ROW;
  if (w->in_place) panel = p->runs[0].x + slice->first, row = c->x.stride[2];
  for (int64_t b = part; b < last; b++) {
    const int64_t channel = b * w->channels.width, width = least(w->channels.width, all - channel);
    const int64_t first = p->group * c->group_out + channel;
    struct onri_conv_product product = {.panel = panel,
                                        .panel_row = row,
                                        .w = weights + channel * w->depth + slice->first * width,
                                        .pixels = p->count,
                                        .depth = slice->count,
                                        .width = width,
                                        .channels = least(width, c->group_out - channel),
                                        .bias = slice->is_first ? bias + channel : NULL,
                                        .from = from ? from + first : NULL,
                                        .y = w->operands->y + first,
                                        .y_at = p->y_at,
                                        .min = slice->is_last ? (float)c->min : -INFINITY,
                                        .max = slice->is_last ? (float)c->max : INFINITY};
    find_next(w, weights, part, b, slice, &product);
    w->kernels->multiply(&product);
  }
}

/* A span of the depth, cut so that the panel holds it. */
static void run_span(const struct work *w, const struct panel *p, int64_t part, struct slice span) {
  const int64_t turns = span.count > 0 ? (span.count - 1) / w->per_turn + 1 : 1,
                most_depth = span.count > 0 ? round_up((span.count - 1) / turns + 1, 8) : 1;
  int64_t done = 0;
  do {
    struct slice slice = {.first = span.first + done, .count = least(most_depth, span.count - done)};
    slice.is_first = span.is_first && done == 0;
    slice.is_last = span.is_last && done + slice.count == span.count;
    if (!w->in_place) gather(w, p, slice.first, slice.count);
    multiply(w, p, part, &slice);
    done += slice.count;
  } while (done < span.count && !onr_env_cancelled(w->env));
}

/* What is done of the panel, while it is in cache. */
static void apply_tail(const struct work *w, const struct panel *p, int64_t part) {
  const struct onri_conv *c = w->c;
  const struct onri_conv_gemm *o = w->operands;
  const int64_t first = part * w->channels.width,
                count = least(c->group_out, (part + w->part) * w->channels.width) - first,
                channel = p->group * c->group_out + first;
  if (w->is_dense && count == c->y.channels)
    o->tail(o->tail_context, o->y + p->y_at[0] + channel, (size_t)(p->count * count));
  else
    for (int64_t i = 0; i < p->count; i++) o->tail(o->tail_context, o->y + p->y_at[i] + channel, (size_t)count);
}

/* Outputs [*first, *last) of an axis that meet the image through tap k. */
static void outputs_met(const struct onri_axis *a, int64_t k, int64_t *first, int64_t *last) {
  *first = least(a->out, most(0, onri_ceil_div(a->begin - k * a->dilation, a->stride)));
  *last = most(*first, least(a->out, onri_ceil_div(a->in + a->begin - k * a->dilation, a->stride)));
}

/* Those pixels of a panel that meet the image through tap k. */
static void take_met(const struct work *w, const struct panel *p, const int64_t k[ONR_MAX_SPATIAL], struct panel *met) {
  const struct onri_axis *axis = w->c->axis;
  met->group = p->group, met->floats = p->floats, met->gather = p->gather, met->gather.runs = met->runs;
  met->count = met->num_runs = 0;
  for (const struct onri_conv_run *run = p->runs; run < p->runs + p->num_runs; run++) {
    const struct onri_axis *a = &axis[2];
    const int64_t column = run->at[2] + k[2] * a->dilation,
                  last = least(run->count, onri_ceil_div(a->in - column, a->stride));
    const int64_t i = column < 0 ? onri_ceil_div(-column, a->stride) : 0;
    int inside = last > i;
    for (int d = 0; d < 2; d++) {
      const int64_t at = run->at[d] + k[d] * axis[d].dilation;
      inside &= at >= 0 && at < axis[d].in;
    }
    if (!inside) continue;
    met->runs[met->num_runs++] = (struct onri_conv_run){.first = met->count,
                                                        .count = last - i,
                                                        .at = {run->at[0], run->at[1], run->at[2] + i * a->stride},
                                                        .x = run->x + i * p->gather.step};
    memcpy(met->y_at + met->count, p->y_at + run->first + i, (size_t)(last - i) * sizeof(*met->y_at));
    met->count += last - i;
  }
  met->gather.num_runs = met->num_runs;
}

static void tap_at(const struct onri_conv *c, int64_t tap, int64_t k[ONR_MAX_SPATIAL]) {
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; tap /= c->axis[a--].kernel) k[a] = tap % c->axis[a].kernel;
}

/* A tap that all pixels meet comes first, and the rest of its depth last. 0: there is none. */
static int run_taps(const struct work *w, const struct panel *p, int64_t part) {
  const struct onri_conv *c = w->c;
  const int64_t taps = onri_conv_taps(c), in = c->group_in, half = in / 2;
  int64_t k[ONR_MAX_SPATIAL], whole = 0;
  struct panel met;
  for (; whole < taps; whole++) {
    tap_at(c, whole, k);
    take_met(w, p, k, &met);
    if (met.count == p->count) break;
  }
  if (whole == taps) return 0;
  run_span(w, p, part, (struct slice){whole * in, half, 1, 0});
  for (int64_t tap = 0; tap < taps && !onr_env_cancelled(w->env); tap++) {
    tap_at(c, tap, k);
    if (tap != whole) take_met(w, p, k, &met);
    if (tap != whole && met.count > 0) run_span(w, &met, part, (struct slice){tap * in, in, 0, 0});
  }
  run_span(w, p, part, (struct slice){whole * in + half, in - half, 0, 1});
  return 1;
}

/* Whether taps that meet the image do so for some pixels alone, and have enough of the depth for sums to be loaded and
 * stored. */
static int is_by_tap(const struct onri_conv *c) {
  enum { DEEP = 96 };
  const double least_share = 0.96;
  double share = 1;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    double met = 0, used = 0;
    for (int64_t k = 0, first, last; k < c->axis[a].kernel; k++) {
      outputs_met(&c->axis[a], k, &first, &last);
      met += (double)(last - first), used += last > first;
    }
    share *= used > 0 ? met / ((double)c->axis[a].out * used) : 1;
  }
  return c->group_in >= DEEP && share < least_share;
}

/* Taps that meet nothing but padding for all of the panel are left out: what remains is one span of the depth, one for
 * each plane of the kernel, or one for each row. */
static void run_spans(const struct work *w, const struct panel *p, int64_t part) {
  const struct onri_conv *c = w->c;
  const int64_t k0 = c->axis[0].kernel, k1 = c->axis[1].kernel, k2 = c->axis[2].kernel;
  int64_t first[] = {0, 0, 0}, last[] = {k0, k1, k2};
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    onri_conv_taps_used(&c->axis[a], p->low[a], p->high[a], &first[a], &last[a]);
  const int64_t rows = last[1] - first[1], width = last[2] - first[2];
  const int per_row = width < k2, per_plane = per_row || rows < k1;
  const int64_t turns = (per_plane ? last[0] - first[0] : 1) * (per_row ? rows : 1);
  const int64_t taps = (per_plane ? 1 : last[0] - first[0]) * (per_row ? 1 : rows) * width;
  for (int64_t t = 0; t < most(turns, 1) && !onr_env_cancelled(w->env); t++) {
    const int64_t plane = first[0] + (per_row ? t / most(rows, 1) : t),
                  row = first[1] + (per_row ? t % most(rows, 1) : 0);
    const int64_t tap = (plane * k1 + row) * k2 + first[2];
    const struct slice span = {tap * c->group_in, turns > 0 ? taps * c->group_in : 0, t == 0, t + 1 >= turns};
    run_span(w, p, part, span);
  }
}

static void run_item(const struct work *w, struct panel *p, int64_t item) {
  const int64_t part = item % w->parts * w->part, groups = w->c->groups;
  take_pixels(w, item / w->parts % groups, item / w->parts / groups * w->per_panel, p);
  if (!w->by_tap || !run_taps(w, p, part)) run_spans(w, p, part);
  if (w->operands->tail) apply_tail(w, p, part);
}

/* --- threads: each takes a panel that no other has --- */

static void run_items(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  struct panel p;
  size_t slot;
  p.floats = onri_conv_slot_take(&w->slots, &slot);
  for (size_t item = begin; item < end; item++) run_item(w, &p, (int64_t)item);
  onri_conv_slot_give(&w->slots, slot);
}

/* Few panels: their channels are cut, too, so that all threads have work and none much more than another. What is
 * gathered is so for each part. */
static void cut_channels(struct work *w) {
  const int64_t items = w->panels * w->c->groups, threads = (int64_t)w->operands->threads;
  const int64_t wanted = threads > 1 ? (w->in_place ? 8 : 4) * threads : 1;
  w->parts = items < wanted ? least(w->blocks, (wanted - 1) / items + 1) : 1;
  w->part = (w->blocks - 1) / w->parts + 1;
  w->parts = (w->blocks - 1) / w->part + 1;
}

/* But the rows of a panel not so that they fight for the same lines of the cache. */
static int is_in_place(const struct onri_conv *c) {
  enum { WAY = 1024 }; /* floats */
  const int64_t next = c->x.stride[2];
  return next % WAY != 0 && onri_conv_sees_one_pixel(c, next) &&
         (c->x.batch == 1 || c->x.batch_stride == next * c->axis[0].in * c->axis[1].in * c->axis[2].in);
}

/* An image that is read in place: where weights stay in L2, a panel is as small as its results need it to stay in L1,
 * and as threads need to share them; and where a tile has many pixels, weights of all of the depth come from L2 in
 * time. */
static void cut_pixels(struct work *w) {
  enum { RESULTS = 6144, WEIGHTS = 96 << 10, MANY = 14 }; /* floats; pixels */
  const int64_t tile = w->kernels->tile, channels = w->channels.channels, threads = (int64_t)w->operands->threads;
  w->per_panel = ONRI_PANEL_PIXELS / tile * tile;
  w->per_turn = w->in_place && tile >= MANY ? INT64_MAX : ONRI_PANEL_DEPTH;
  if (w->in_place && w->depth * channels <= WEIGHTS) {
    const int64_t shared = threads > 1 ? (w->pixels - 1) / (8 * threads) / tile + 1 : INT64_MAX;
    w->per_panel = least(w->per_panel, tile * least(most(RESULTS / channels / tile, 1), shared));
  }
  w->panels = (w->pixels - 1) / w->per_panel + 1;
  w->per_panel = ((w->pixels - 1) / tile / w->panels + 1) * tile; /* threads get nearly the same */
  w->panels = (w->pixels - 1) / w->per_panel + 1;
}

/* Items that take less time than to begin them are taken together. */
static size_t grain_of(const struct work *w) {
  enum { SHORT = 1 << 14 }; /* multiply-adds */
  const int64_t each = w->per_panel * w->depth * w->part * w->channels.width;
  return (size_t)(each < SHORT ? SHORT / most(each, 1) : 1);
}

/* A convolution, or a rectangle of its outputs. */
static void run(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                const struct onri_conv_gemm *operands, struct onr_env *env) {
  struct onri_conv row;
  struct work w = {.c = c, .kernels = kernels, .operands = operands, .env = env};
  if (operands->form != ONRI_CONV_LAST || c->x.channels == 1) {
    onri_conv_slab_run(c, kernels, operands, env);
    return;
  }
  w.is_line = c->axis[2].dilation == 1 && c->x.stride[2] == c->group_in;
  w.width = w.is_line ? c->axis[2].kernel * c->group_in : c->group_in;
  w.in_place = is_in_place(c);
  w.by_tap = !w.in_place && is_by_tap(c);
  w.is_dense = onri_conv_is_dense(c);
  if (w.in_place && w.is_dense) row = onri_conv_in_one_row(c), w.c = c = &row;
  w.channels = onri_conv_blocks_of(c, kernels, operands->form);
  w.depth = onri_conv_taps(c) * c->group_in;
  w.pixels = c->y.batch * c->axis[0].out * c->axis[1].out * c->axis[2].out;
  cut_pixels(&w);
  w.blocks = (w.channels.channels - 1) / w.channels.width + 1;
  w.slots = onri_conv_slots_in(operands);
  cut_channels(&w);
  onr_parallel_for(env, (size_t)(w.panels * w.parts * c->groups), grain_of(&w), run_items, &w);
}

/* --- kernels that see much padding, dilated ones and those of tiny images: rectangles of outputs for which the same
 * taps meet the image --- */

enum { MOST_TAPS = 7 };

/* Spans of outputs along an axis: span i is [at[i], at[i + 1]). */
struct spans {
  int64_t at[2 * MOST_TAPS + 2];
  int count;
};

/* Where the taps of output o, and those behind it, are others for the first time; a->out: never, or for too little. */
static int64_t next_cut(const struct onri_axis *a, int64_t o) {
  int64_t met = 0, cut = a->out;
  if (a->kernel > MOST_TAPS || (a->dilation == 1 && a->in >= a->kernel)) return cut;
  for (int64_t k = 0, first, last; k < a->kernel; k++) {
    outputs_met(a, k, &first, &last);
    met += last - first;
    if (first > o) cut = least(cut, first);
    if (last > o) cut = least(cut, last);
  }
  return met * 10 > a->out * a->kernel * (a->dilation > 1 ? 9 : 4) ? a->out : cut;
}

static struct spans spans_of(const struct onri_axis *a, int cuts) {
  struct spans s = {.at = {0}};
  while (s.at[s.count] < a->out) s.count++, s.at[s.count] = cuts ? next_cut(a, s.at[s.count - 1]) : a->out;
  return s;
}

void onri_conv_gemm_f32(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                        const struct onri_conv_gemm *operands, struct onr_env *env) {
  const int cuts = operands->form != ONRI_CONV_FIRST; /* planes are vectors of pixels that lie together */
  struct spans s[ONR_MAX_SPATIAL];
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) s[a] = spans_of(&c->axis[a], cuts);
  for (int i = 0; i < s[0].count * s[1].count * s[2].count && !onr_env_cancelled(env); i++) {
    const int at[] = {i / s[2].count / s[1].count, i / s[2].count % s[1].count, i % s[2].count};
    struct onri_conv part = *c;
    struct onri_conv_gemm part_operands = *operands;
    for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
      const int64_t from = s[a].at[at[a]];
      part.axis[a].out = s[a].at[at[a] + 1] - from;
      part.axis[a].begin -= from * c->axis[a].stride;
      part_operands.y += from * c->y.stride[a];
      if (operands->residual) part_operands.residual += from * c->y.stride[a];
    }
    run(&part, kernels, &part_operands, env);
  }
}
