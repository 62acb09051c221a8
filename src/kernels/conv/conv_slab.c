/* conv_slab.c: a convolution of channels-first images as a product: what a rectangle of outputs sees of some channels
 * is gathered into a slab (conv_gemm_parts.h), and multiplied by packed weights. The taps of all outputs read the slab,
 * so a pixel is moved about once, whatever the size of the kernel. */
#include <math.h>
#include <string.h>

#include "base/env.h"
#include "kernels/conv/conv_gemm_work.h"
#include "kernels/conv/conv_slab.h"
#include "kernels/kernels.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }
static int64_t parts_of(int64_t n, int64_t part) { return (n - 1) / part + 1; }

struct work {
  const struct onri_conv *c;
  const struct onri_conv_gemm_kernels *kernels;
  const struct onri_conv_gemm *operands;
  int32_t in_planes;                /* y is channels-first */
  int32_t sees_one_pixel;           /* each output does: one tap */
  int32_t in_place;                 /* and the image is read as it lies */
  struct onri_conv_blocks channels; /* of a group */
  int64_t rows, columns;            /* of a panel */
  int64_t row_panels, column_panels;
  int64_t blocks, part, parts; /* of channels in a group; so many of them are an item */
  struct onri_conv_slots slots;
  struct onr_env *env;
};

/* Outputs of a plane, and what is known of their group. */
struct panel {
  int64_t image, group, plane, row, rows, column, columns;
  int64_t block, last_block;
  int64_t first[ONR_MAX_SPATIAL], last[ONR_MAX_SPATIAL]; /* taps that meet the image */
  float *floats;
};

/* A part of the depth: taps [first, last) of each axis, of all channels. */
struct slice {
  int64_t first[ONR_MAX_SPATIAL], last[ONR_MAX_SPATIAL];
  int is_first, is_last;
};

static int64_t taps_of(const struct slice *s, int axis) { return s->last[axis] - s->first[axis]; }

/* --- the slab --- */

/* Taps so far apart see pixels of the same rest by the stride. */
static int64_t period_of(const struct onri_axis *a) { return a->stride / onri_common_divisor(a->stride, a->dilation); }

/* By rests: where tap k begins in its list, in pixels of the list. */
static int64_t shift_of(const struct onri_axis *a, int64_t first, int64_t k) {
  return k * a->dilation / a->stride - first * a->dilation / a->stride;
}

int64_t onri_slab_size(const struct onri_axis *a, int64_t out, int64_t *lists) {
  *lists = least(a->kernel, period_of(a));
  return out + shift_of(a, 0, a->kernel - 1);
}

/* Whether lists by rests are the shorter ones, for `out` outputs. */
static int is_by_rest(const struct onri_axis *a, int64_t first, int64_t last, int64_t out) {
  const int64_t taps = last - first, lists = least(taps, period_of(a));
  return taps > 1 && lists * (out + shift_of(a, first, last - 1)) <= taps * out;
}

void onri_slab_fill(const struct onri_axis *a, const struct onri_slab_part *part, struct onri_slab_axis *to,
                    struct onri_slab_places *places) {
  const int64_t first = part->first, taps = part->last - first,
                lists = part->by_rest ? least(taps, period_of(a)) : taps;
  to->in = a->in, to->stride = a->stride, to->lists = lists;
  to->count = part->by_rest ? part->out + shift_of(a, first, part->last - 1) : part->out;
  for (int64_t i = 0; i < taps; i++) {
    places->list[i] = i % lists;
    places->shift[i] = part->by_rest ? shift_of(a, first, first + i) : 0;
    if (i < lists)
      to->at[i] = part->from * a->stride - a->begin + (first + i) * a->dilation - places->shift[i] * a->stride;
  }
}

/* Columns by rests have some between the lines, which are multiplied for nothing unless vectors end with the lines;
 * those by taps take longer to gather. */
static int has_gaps(const struct work *w, const struct panel *p, const struct slice *s, int64_t lines) {
  enum { LINE = 2, PIXELS = 8 }; /* cycles of a line, pixels in one */
  const struct onri_axis *a = &w->c->axis[2];
  const int64_t first = s->first[2], last = s->last[2], taps = taps_of(s, 1) * (last - first);
  if (!is_by_rest(a, first, last, p->columns)) return 0;
  if (!w->in_planes) return 1;
  const int64_t lanes = w->kernels->lanes, pitch = p->columns + shift_of(a, first, last - 1);
  const int64_t lost = (least(pitch, round_up(p->columns, lanes)) - p->columns) * p->rows * taps * w->c->group_out;
  return lost / lanes <= (last - first - least(last - first, period_of(a))) * lines * (LINE + p->columns / PIXELS);
}

/* What a slab and its taps depend on, beside the convolution. */
struct slab_of {
  int64_t row, rows, column, columns;
  int64_t first[ONR_MAX_SPATIAL], last[ONR_MAX_SPATIAL]; /* of the taps */
};

/* Planes one behind the other: each has the lists of some channels. */
struct slab {
  struct slab_of key;
  int64_t width; /* of the blocks that the places of weights are for; 0: none yet */
  struct onri_conv_slab of;
  struct onri_conv_tap taps[ONRI_SLAB_TAPS];
  int64_t num_taps, planes;
  int64_t floats;   /* of a channel in a plane */
  int64_t channels; /* most at a time */
  int64_t pitch;
};

enum { DEPTH = 256 }; /* weights of a block that L1 holds while the pixels change */

/* As the last one was, for panels of other channels or images. */
static int is_taken(const struct panel *p, const struct slice *s, struct slab *slab) {
  const struct slab_of key = {p->row,
                              p->rows,
                              p->column,
                              p->columns,
                              {s->first[0], s->first[1], s->first[2]},
                              {s->last[0], s->last[1], s->last[2]}};
  if (memcmp(&key, &slab->key, sizeof(key)) == 0) return 1;
  slab->key = key;
  return 0;
}

static void take_slab(const struct work *w, const struct panel *p, const struct slice *s, struct slab *slab) {
  if (is_taken(p, s, slab)) return;
  const struct onri_conv *c = w->c;
  struct onri_slab_axis *rows = &slab->of.axis[0], *columns = &slab->of.axis[1];
  struct onri_slab_places row_places, column_places;
  const int by_rest = is_by_rest(&c->axis[1], s->first[1], s->last[1], p->rows);
  onri_slab_fill(&c->axis[1], &(struct onri_slab_part){s->first[1], s->last[1], p->row, p->rows, by_rest}, rows,
                 &row_places);
  const int gaps = has_gaps(w, p, s, rows->lists * rows->count);
  onri_slab_fill(&c->axis[2], &(struct onri_slab_part){s->first[2], s->last[2], p->column, p->columns, gaps}, columns,
                 &column_places);
  slab->of.line = c->x.stride[1], slab->of.pixel = c->x.stride[2], slab->of.channel = c->x.channel_stride;
  slab->pitch = columns->count;
  slab->floats = rows->lists * columns->lists * rows->count * columns->count;
  slab->planes = taps_of(s, 0);
  slab->channels = least(DEPTH / most(slab->planes * taps_of(s, 1) * taps_of(s, 2), 1),
                         ONRI_SLAB_FLOATS / most(slab->planes * slab->floats, 1));
  slab->channels = most(slab->channels, 1);
  slab->num_taps = slab->width = 0;
  for (int64_t plane = 0; plane < slab->planes; plane++)
    for (int64_t i = 0; i < taps_of(s, 1); i++)
      for (int64_t j = 0; j < taps_of(s, 2); j++) {
        const int64_t list = row_places.list[i] * columns->lists + column_places.list[j];
        slab->taps[slab->num_taps++].x = (list * rows->count + row_places.shift[i]) * columns->count +
                                         column_places.shift[j] + plane * slab->channels * slab->floats;
      }
}

/* `count` channels from `first` on. */
static void gather(const struct work *w, const struct panel *p, const struct slice *s, struct slab *slab, int64_t first,
                   int64_t count) {
  const struct onri_conv *c = w->c;
  const struct onri_axis *a = &c->axis[0];
  const float *x =
      w->operands->x + p->image * c->x.batch_stride + (p->group * c->group_in + first) * c->x.channel_stride;
  slab->of.channels = count;
  for (int64_t i = 0; i < slab->planes; i++) {
    const int64_t plane = p->plane * a->stride - a->begin + (s->first[0] + i) * a->dilation;
    slab->of.x = plane >= 0 && plane < a->in ? x + plane * c->x.stride[0] : NULL;
    w->kernels->gather_slab(&slab->of, p->floats + i * slab->channels * slab->floats);
  }
}

/* A panel of the image itself. */
static void take_image(const struct work *w, const struct panel *p, struct slab *slab) {
  const struct onri_conv *c = w->c;
  slab->of.x = w->operands->x + p->image * c->x.batch_stride + p->group * c->group_in * c->x.channel_stride +
               p->plane * c->x.stride[0] + p->row * c->x.stride[1] + p->column;
  slab->floats = c->x.channel_stride;
  slab->pitch = c->axis[2].in;
  slab->taps[0].x = 0;
  slab->num_taps = slab->planes = 1;
  slab->channels = DEPTH;
  slab->width = slab->key.rows = 0;
}

/* Vectors of pixels of the panel's last channel would read past the end of x. */
static int is_at_the_end(const struct work *w, const struct panel *p) {
  const struct onri_conv *c = w->c;
  const struct onri_image *x = &c->x;
  int64_t begin = p->image * x->batch_stride + ((p->group + 1) * c->group_in - 1) * x->channel_stride, end = 1;
  const int64_t first[3] = {p->plane, p->row, p->column};
  for (int i = 0; i < 3; i++) begin += first[i] * x->stride[i], end += (c->axis[i].in - 1) * x->stride[i];
  end += (x->batch - 1) * x->batch_stride + (c->groups * c->group_in - 1) * x->channel_stride;
  const int64_t pixels = (p->rows - 1) * c->axis[2].in + p->columns;
  return w->in_planes && begin + pixels + w->kernels->lanes - 1 > end;
}

/* --- products --- */

/* Blocks of channels of y: sums over channels [first, first + count) of x. */
struct turn {
  int64_t first, count;
  int is_first, is_last;
};

static int64_t output_at(const struct work *w, const struct panel *p, int64_t channel) {
  const struct onri_image *y = &w->c->y;
  return p->image * y->batch_stride + (p->group * w->c->group_out + channel) * y->channel_stride +
         p->plane * y->stride[0] + p->row * y->stride[1] + p->column * y->stride[2];
}

/* Lines of outputs lie one behind the other, and so do those of the panel. */
static int is_one_line(const struct work *w, const struct panel *p, int64_t pitch) {
  return p->rows == 1 || (pitch == p->columns && w->c->y.stride[1] == p->columns * w->c->y.stride[2]);
}

static void multiply_rows(const struct work *w, const struct panel *p, int64_t pitch,
                          struct onri_conv_product *product) {
  enum { MOST = 112 };
  const struct onri_image *y = &w->c->y;
  const int one = is_one_line(w, p, pitch);
  const int64_t lines = one ? 1 : p->rows, columns = one ? p->rows * p->columns : p->columns;
  const struct onri_conv_product all = *product;
  int64_t y_at[MOST];
  product->y_at = y_at;
  for (int64_t i = 0; i < MOST && i < columns; i++) y_at[i] = i * y->stride[2];
  for (int64_t line = 0; line < lines; line++)
    for (int64_t i = 0; i < columns; i += product->pixels) {
      const int64_t at = line * y->stride[1] + i * y->stride[2];
      product->pixels = least(MOST, columns - i);
      product->panel = all.panel + line * pitch + i;
      product->y = all.y + at;
      product->from = all.from ? all.from + at : NULL;
      w->kernels->multiply(product);
    }
}

static int64_t tap_of(const struct onri_conv *c, int64_t plane, int64_t row, int64_t column) {
  return (plane * c->axis[1].kernel + row) * c->axis[2].kernel + column;
}

/* Where the taps' weights lie in blocks of that width. */
static void place_weights(const struct onri_conv *c, const struct slice *s, int64_t width, struct slab *slab) {
  struct onri_conv_tap *tap = slab->taps;
  if (slab->width == width) return;
  slab->width = width;
  for (int64_t plane = 0; plane < taps_of(s, 0); plane++)
    for (int64_t row = 0; row < taps_of(s, 1); row++)
      for (int64_t column = 0; column < taps_of(s, 2); column++, tap++) tap->w = tap_of(c, plane, row, column) * width;
}

/* Of all taps the weights of a turn lie one behind the other. What the next product reads of them is fetched meanwhile:
 * where taps are many, weights are more than caches hold, and each is read once a panel. */
static void fetch_next(const struct work *w, const struct panel *p, const struct turn *turn, int64_t block,
                       struct onri_conv_product *product) {
  const int64_t taps = onri_conv_taps(w->c), all = w->channels.channels;
  const int is_last = block + 1 == p->last_block;
  const int64_t next = is_last ? p->block : block + 1, channel = next * w->channels.width;
  const int64_t width = least(w->channels.width, all - channel);
  const int64_t first = is_last ? turn->first + turn->count : turn->first;
  const int64_t count = least(turn->count, w->c->group_in - first);
  if (product->num_taps != taps || count <= 0) return;
  product->next = w->operands->packed + (p->group * all + channel) * taps * w->c->group_in + first * taps * width;
  product->next_floats = count * taps * width;
}

static void multiply(const struct work *w, const struct panel *p, const struct slice *s, struct slab *slab,
                     const float *panel, const struct turn *turn) {
  const struct onri_conv *c = w->c;
  const int64_t all = w->channels.channels, taps = onri_conv_taps(c), depth = taps * c->group_in;
  const int64_t tap = tap_of(c, s->first[0], s->first[1], s->first[2]);
  const float *weights = w->operands->packed + p->group * all * depth, *bias = w->operands->bias + p->group * all;
  const float *from = turn->is_first ? w->operands->residual : w->operands->y;
  for (int64_t b = p->block; b < p->last_block; b++) {
    const int64_t channel = b * w->channels.width, at = output_at(w, p, channel),
                  width = least(w->channels.width, all - channel);
    place_weights(c, s, width, slab);
    struct onri_conv_product product = {.panel = panel,
                                        .w = weights + channel * depth + (turn->first * taps + tap) * width,
                                        .pixels = (p->rows - 1) * slab->pitch + p->columns,
                                        .width = width,
                                        .channels = least(width, c->group_out - channel),
                                        .bias = turn->is_first ? bias + channel : NULL,
                                        .from = from ? from + at : NULL,
                                        .y = w->operands->y + at,
                                        .min = turn->is_last ? (float)c->min : -INFINITY,
                                        .max = turn->is_last ? (float)c->max : INFINITY,
                                        .is_slab = 1,
                                        .taps = slab->taps,
                                        .num_taps = slab->num_taps,
                                        .units = turn->count,
                                        .x_unit = slab->floats,
                                        .w_unit = taps * width,
                                        .pitch = slab->pitch,
                                        .columns = p->columns,
                                        .y_line = c->y.stride[1],
                                        .y_channel = c->y.channel_stride};
    if (is_one_line(w, p, slab->pitch)) product.pitch = product.columns = product.pixels;
    if (w->in_planes) {
      fetch_next(w, p, turn, b, &product);
      w->kernels->multiply_planes(&product);
    } else multiply_rows(w, p, slab->pitch, &product);
  }
}

static void run_slice(const struct work *w, const struct panel *p, const struct slice *s, struct slab *slab) {
  const struct onri_conv *c = w->c;
  int64_t done = 0;
  const int in_place = w->in_place && !is_at_the_end(w, p);
  if (in_place) take_image(w, p, slab);
  else take_slab(w, p, s, slab);
  do {
    struct turn turn = {.first = done, .count = slab->num_taps > 0 ? least(slab->channels, c->group_in - done) : 0};
    turn.is_first = s->is_first && done == 0;
    turn.is_last = s->is_last && (turn.count == 0 || done + turn.count == c->group_in);
    if (!in_place && turn.count > 0) gather(w, p, s, slab, done, turn.count);
    multiply(w, p, s, slab, in_place ? slab->of.x + done * slab->floats : p->floats, &turn);
    done = turn.count > 0 ? done + turn.count : c->group_in;
  } while (done < c->group_in && !onr_env_cancelled(w->env));
}

/* What is done of the panel, while it is in cache. */
static void apply_tail(const struct work *w, const struct panel *p) {
  const struct onri_conv_gemm *o = w->operands;
  const struct onri_image *y = &w->c->y;
  const int64_t channel = p->block * w->channels.width,
                channels = least(w->c->group_out, p->last_block * w->channels.width) - channel;
  const int one = is_one_line(w, p, p->columns), is_whole = w->in_planes || channels == y->channels;
  const int64_t lines = one ? 1 : p->rows, columns = one ? p->rows * p->columns : p->columns;
  const int64_t runs = w->in_planes ? channels
                       : is_whole   ? 1
                                    : columns,
                step = w->in_planes ? y->channel_stride : y->stride[2];
  const int64_t each = w->in_planes ? columns : is_whole ? columns * channels : channels;
  float *at = o->y + output_at(w, p, channel);
  for (int64_t line = 0; line < lines; line++, at += y->stride[1])
    for (int64_t i = 0; i < runs; i++) o->tail(o->tail_context, at + i * step, (size_t)each);
}

/* Of the taps of a step that begins at `from`, those that meet the image. */
static int cut_taps(const struct panel *p, int axis, int64_t from, int64_t step, struct slice *s) {
  s->first[axis] = most(from, p->first[axis]);
  s->last[axis] = least(from + step, p->last[axis]);
  return s->first[axis] < s->last[axis];
}

/* Taps of an axis that a slice has, where those behind it have `others` together. */
static int64_t step_of(const struct onri_axis *a, int64_t others) {
  return least(most(a->kernel, 1), most(ONRI_SLAB_TAPS / others, 1));
}

/* Taps that meet nothing but padding for all of the panel are left out. */
static void run_item(const struct work *w, struct panel *p, struct slab *slab) {
  const struct onri_axis *a = w->c->axis;
  const int64_t step2 = step_of(&a[2], 1), step1 = step_of(&a[1], step2), step0 = step_of(&a[0], step1 * step2);
  struct slice next, now = {.is_first = 1};
  int found = 0;
  onri_conv_taps_used(&a[0], p->plane, p->plane, &p->first[0], &p->last[0]);
  onri_conv_taps_used(&a[1], p->row, p->row + p->rows - 1, &p->first[1], &p->last[1]);
  onri_conv_taps_used(&a[2], p->column, p->column + p->columns - 1, &p->first[2], &p->last[2]);
  for (int64_t k0 = 0; k0 < a[0].kernel; k0 += step0)
    for (int64_t k1 = 0; k1 < a[1].kernel; k1 += step1)
      for (int64_t k2 = 0; k2 < a[2].kernel && !onr_env_cancelled(w->env); k2 += step2) {
        if (!cut_taps(p, 0, k0, step0, &next) || !cut_taps(p, 1, k1, step1, &next) || !cut_taps(p, 2, k2, step2, &next))
          continue;
        next.is_first = !found, next.is_last = 0;
        if (found) run_slice(w, p, &now, slab);
        now = next, found = 1;
      }
  now.is_last = 1;
  run_slice(w, p, &now, slab);
  if (w->operands->tail) apply_tail(w, p);
}

/* --- items --- */

static void run_items(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct onri_axis *a = w->c->axis;
  struct panel p;
  struct slab slab; /* large: not cleared but for what says that nothing is in it */
  size_t slot;
  slab.key = (struct slab_of){0};
  p.floats = onri_conv_slot_take(&w->slots, &slot);
  for (size_t item = begin; item < end; item++) {
    int64_t rest = (int64_t)item;
    p.block = rest % w->parts * w->part, rest /= w->parts;
    p.last_block = least(w->blocks, p.block + w->part);
    p.column = rest % w->column_panels * w->columns, rest /= w->column_panels;
    p.row = rest % w->row_panels * w->rows, rest /= w->row_panels;
    p.plane = rest % a[0].out, rest /= a[0].out;
    p.group = rest % w->c->groups, p.image = rest / w->c->groups;
    p.columns = least(w->columns, a[2].out - p.column);
    p.rows = least(w->rows, a[1].out - p.row);
    run_item(w, &p, &slab);
  }
  onri_conv_slot_give(&w->slots, slot);
}

/* Panels that are large enough for what is gathered to be read often, of whole lines where these are short; and items
 * enough for all threads. */
static void cut(struct work *w) {
  enum { PIXELS = 512, FEW_CHANNELS = 8, MANY_PIXELS = 2048, UNIT = 32, NEAR_FLOATS = 16 << 10 };
  const struct onri_axis *a = w->c->axis;
  const int64_t taps = least(onri_conv_taps(w->c), ONRI_SLAB_TAPS), threads = (int64_t)w->operands->threads;
  int64_t pixels = least(w->c->group_in < FEW_CHANNELS ? MANY_PIXELS : PIXELS, ONRI_SLAB_FLOATS / most(taps, 1));
  if (w->sees_one_pixel && !w->in_place)
    pixels = least(pixels, most(NEAR_FLOATS / most(least(w->c->group_in, DEPTH), 1), UNIT));
  const int64_t others = w->c->y.batch * a[0].out * w->c->groups, wanted = threads > 1 ? 4 * threads : 1;
  w->column_panels = parts_of(a[2].out, pixels);
  w->columns = w->column_panels > 1 ? least(pixels, round_up(parts_of(a[2].out, w->column_panels), UNIT)) : a[2].out;
  w->column_panels = parts_of(a[2].out, w->columns);
  w->rows = least(a[1].out, most(pixels / w->columns, 1));
  while (w->rows > 1 && others * w->column_panels * parts_of(a[1].out, w->rows) < wanted)
    w->rows = parts_of(w->rows, 2);
  w->row_panels = parts_of(a[1].out, w->rows);
  w->rows = parts_of(a[1].out, w->row_panels);
  w->row_panels = parts_of(a[1].out, w->rows);
  const int64_t items = others * w->column_panels * w->row_panels;
  w->parts = items < wanted ? least(w->blocks, parts_of(wanted, items)) : 1;
  w->part = parts_of(w->blocks, w->parts);
  w->parts = parts_of(w->blocks, w->part);
}

/* But channels not so that they fight for the same lines of the cache, if they are read more than once or twice; and
 * what is read often is worth a copy whose vectors do not lie across two lines. */
static int is_in_place(const struct work *w) {
  enum { WAY = 1024, FEW_BLOCKS = 4 }; /* WAY: floats */
  if (w->in_planes && w->blocks > FEW_BLOCKS) return 0;
  return w->sees_one_pixel && (w->c->x.channel_stride % WAY != 0 || w->blocks <= 2);
}

/* Items that take less time than to begin them are taken together. */
static size_t grain_of(const struct work *w) {
  enum { SHORT = 1 << 14 }; /* multiply-adds */
  const int64_t each = w->rows * w->columns * onri_conv_taps(w->c) * w->c->group_in * w->part * w->channels.width;
  return (size_t)(each < SHORT ? SHORT / most(each, 1) : 1);
}

void onri_conv_slab_run(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                        const struct onri_conv_gemm *operands, struct onr_env *env) {
  struct onri_conv row;
  struct work w = {.c = c, .kernels = kernels, .operands = operands, .env = env};
  w.in_planes = operands->form == ONRI_CONV_FIRST;
  w.channels = onri_conv_blocks_of(c, kernels, operands->form);
  w.blocks = parts_of(w.channels.channels, w.channels.width);
  w.sees_one_pixel = onri_conv_sees_one_pixel(c, 1);
  w.in_place = is_in_place(&w);
  if (w.sees_one_pixel && onri_conv_is_dense(c)) row = onri_conv_in_one_row(c), w.c = c = &row;
  cut(&w);
  w.slots = onri_conv_slots_in(operands);
  onr_parallel_for(env, (size_t)(c->y.batch * c->axis[0].out * c->groups * w.row_panels * w.column_panels * w.parts),
                   grain_of(&w), run_items, &w);
}
