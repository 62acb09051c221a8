/* winograd.c: packing of weights, and blocks of tiles on threads. */
#include "kernels/conv/winograd.h"

#include <math.h>
#include <stdatomic.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/conv/winograd_tiles.h"
#include "kernels/kernels.h"

enum {
  BLOCK_BYTES = 256 << 10, /* of a block's transformed inputs and products: they stay in L2 */
  LEAST_TILES = 24,        /* of a block, whatever they take: packed weights are read once a block */
  MOST_TILES = 96,
  SLOTS = 64
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }

static int64_t points_of(const struct onri_winograd *how) { return (int64_t)how->points[1] * how->points[2]; }

/* --- weights --- */

/* g[point][tap]: the polynomial of the taps at the point, over the product of its distances to the others. */
static void evaluation(int n, int taps, double g[ONRI_WINOGRAD_POINTS][ONRI_WINOGRAD_POINTS]) {
  const int pairs = n / 2 - 1;
  double at[ONRI_WINOGRAD_POINTS] = {0};
  if (n == 1) g[0][0] = 1;
  for (int p = 0; p < pairs; p++) {
    at[2 * p + 1] = onri_winograd_pairs[pairs][p];
    at[2 * p + 2] = -onri_winograd_pairs[pairs][p];
  }
  for (int i = 0; i < n - 1; i++) {
    double term = 1;
    for (int j = 0; j < n - 1; j++)
      if (j != i) term /= at[i] - at[j];
    for (int k = 0; k < taps; k++, term *= at[i]) g[i][k] = term;
  }
  for (int k = 0; k < taps; k++) g[n - 1][k] = k == taps - 1;
}

/* Channels of a panel. */
static int64_t panel_width(const struct onri_winograd *how) { return ONRI_WINOGRAD_PANEL * how->kernels->lanes; }

static int64_t panels_of(const struct onri_conv *c, const struct onri_winograd *how) {
  return up(c->group_out, panel_width(how));
}

int onri_winograd_packed_bytes(const struct onri_conv *c, const struct onri_winograd *how, size_t *bytes) {
  const int64_t sizes[] = {c->groups,      panels_of(c, how), panel_width(how),
                           points_of(how), c->axis[0].kernel, c->group_in};
  *bytes = sizeof(float);
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
    if (!onri_mul_size(*bytes, (size_t)sizes[i], bytes)) return 0;
  return 1;
}

struct packing {
  const struct onri_conv *c;
  const struct onri_winograd *how;
  const float *weight;
  float *packed;
  struct onri_winograd_packing matrices;
  atomic_int infinite;
};

/* Panels [begin, end) of all groups. */
static void pack_panels(void *context, size_t begin, size_t end) {
  struct packing *p = context;
  const struct onri_conv *c = p->c;
  const int64_t width = panel_width(p->how), planes = c->axis[0].kernel * c->group_in, step = planes * width;
  const int64_t taps = c->axis[1].kernel * c->axis[2].kernel, panels = panels_of(c, p->how);
  int finite = 1;
  for (int64_t item = (int64_t)begin; item < (int64_t)end; item++) {
    const int64_t first = item % panels * width, channels = least(width, c->group_out - first);
    const float *from = p->weight + (item / panels * c->group_out + first) * planes * taps;
    float *packed = p->packed + item * points_of(p->how) * step;
    for (int64_t i = 0; i < c->group_in; i++)
      for (int64_t k = 0; k < c->axis[0].kernel; k++)
        finite &= p->how->kernels->pack(&p->matrices, from + (i * c->axis[0].kernel + k) * taps, channels,
                                        planes * taps, packed + (k * c->group_in + i) * width, step);
  }
  if (!finite) atomic_store_explicit(&p->infinite, 1, memory_order_relaxed);
}

int onri_winograd_pack(const struct onri_conv *c, const struct onri_winograd *how, const float *weight, float *packed,
                       struct onr_env *env) {
  enum { GRAIN = 1 << 18 }; /* floats */
  struct packing p = {.c = c, .how = how, .weight = weight, .packed = packed};
  for (int i = 0; i < 2; i++) {
    p.matrices.points[i] = how->points[1 + i], p.matrices.taps[i] = (int32_t)c->axis[1 + i].kernel;
    evaluation(p.matrices.points[i], p.matrices.taps[i], p.matrices.g[i]);
  }
  const int64_t panel = panel_width(how) * points_of(how) * c->axis[0].kernel * c->group_in;
  onr_parallel_for(env, (size_t)(c->groups * panels_of(c, how)), (size_t)(GRAIN / most(panel, 1) + 1), pack_panels, &p);
  return !atomic_load_explicit(&p.infinite, memory_order_relaxed);
}

/* --- plan --- */

/* Tiles along an axis: outputs that lie a dilation apart make a line of their own. */
static int64_t lines_of(const struct onri_axis *a) { return least(a->dilation, a->out); }
static int64_t tiles_of(const struct onri_conv *c, const struct onri_winograd *how, int axis) {
  const struct onri_axis *a = &c->axis[axis];
  return axis == 0 ? a->out : lines_of(a) * up(up(a->out, a->dilation), how->outputs[axis]);
}

/* Lines of a vector from one point to the next: odd, so that they do not meet in the sets of a cache. */
static int64_t plane_lines(int64_t vectors, int64_t block) { return (vectors * block) | 1; }

static int elements(int64_t lines, const struct onri_winograd *how, size_t *count) {
  return onri_mul_size((size_t)lines, (size_t)(points_of(how) * how->kernels->lanes), count);
}

int onri_winograd_plan(const struct onri_conv *c, const struct onri_winograd *how, uint32_t threads,
                       struct onri_winograd_plan *plan, size_t *bytes) {
  const struct onri_winograd_kernels *kernels = how->kernels;
  const int64_t points = points_of(how), vectors = c->axis[0].kernel * up(c->group_in, kernels->lanes);
  int64_t tiles = c->x.batch, each, block;
  size_t parts;
  if (!onri_mul_i64(vectors + ONRI_WINOGRAD_PANEL, points * kernels->lanes * (int64_t)sizeof(float), &each)) return 0;
  for (int i = 0; i < ONR_MAX_SPATIAL; i++)
    if (!onri_mul_i64(tiles, tiles_of(c, how, i), &tiles)) return 0;
  block = least(MOST_TILES, most(LEAST_TILES, BLOCK_BYTES / each / kernels->rows * kernels->rows));
  *plan = (struct onri_winograd_plan){.how = *how, .tiles = tiles, .slots = least(threads, SLOTS)};
  plan->together = plan->slots > 1 && up(tiles, block) < 2 * plan->slots;
  plan->block = plan->together ? tiles : up(tiles, up(tiles, block));
  plan->parts = plan->together ? most(1, least(up(3 * plan->slots, panels_of(c, how)), tiles / kernels->rows)) : 1;
  if (plan->together) plan->slots = least(plan->slots, panels_of(c, how) * plan->parts);
  else plan->slots = least(plan->slots, up(tiles, plan->block));
  if (!onri_mul_i64(vectors, plan->block, &each) || !elements(plane_lines(vectors, plan->block), how, &plan->forward) ||
      !elements(plane_lines(ONRI_WINOGRAD_PANEL, plan->block), how, &plan->product))
    return 0;
  /* Of each slot products, and transformed inputs, or those of all. */
  return onri_mul_size(plan->product, (size_t)plan->slots, bytes) &&
         onri_mul_size(plan->forward, plan->together ? 1 : (size_t)plan->slots, &parts) &&
         onri_add_size(*bytes, parts, bytes) && onri_mul_size(*bytes, sizeof(float), bytes);
}

/* --- run --- */

struct work {
  const struct onri_conv *c;
  const struct onri_winograd_plan *plan;
  const struct onri_winograd_kernels *kernels;
  struct onr_env *env;
  struct onri_winograd_job job;
  int64_t tiles[ONR_MAX_SPATIAL];
  const float *x, *packed, *bias, *residual;
  float *y, *forward, *product;
  int64_t group; /* together: the group at hand */
  atomic_int bad;
};

/* Image and first output of a tile. */
static int64_t place(const struct work *w, int64_t tile, int64_t at[ONR_MAX_SPATIAL]) {
  for (int i = ONR_MAX_SPATIAL - 1; i >= 0; i--) {
    const struct onri_axis *a = &w->c->axis[i];
    const int64_t t = tile % w->tiles[i], lines = i == 0 ? 1 : lines_of(a);
    tile /= w->tiles[i];
    at[i] = i == 0 ? t : t % lines + t / lines * a->dilation * w->plan->how.outputs[i];
  }
  return tile;
}

static void forward(const struct work *w, int64_t group, int64_t first, int64_t begin, int64_t end, float *v) {
  int64_t at[ONR_MAX_SPATIAL];
  for (int64_t t = begin; t < end; t++) {
    const int64_t n = place(w, first + t, at);
    w->kernels->forward(&w->job, w->x + n * w->c->x.batch_stride + group * w->c->group_in, at,
                        v + t * w->kernels->lanes);
  }
}

static void make_panel(struct work *w, int64_t group, int64_t panel, int64_t first, int64_t count, const float *v,
                       float *z) {
  const struct onri_conv *c = w->c;
  const int64_t lanes = w->kernels->lanes, width = ONRI_WINOGRAD_PANEL * lanes;
  const int64_t channel = group * c->group_out + panel * width, left = least(width, c->group_out - panel * width);
  const int64_t size = points_of(&w->plan->how) * c->axis[0].kernel * c->group_in * width;
  const float *residual = w->residual;
  float finite[ONRI_WINOGRAD_LANES] = {0};
  int64_t at[ONR_MAX_SPATIAL];
  w->kernels->multiply(&w->job, count, up(left, lanes), v,
                       w->packed + (group * panels_of(c, &w->plan->how) + panel) * size, z);
  for (int64_t t = 0; t < count; t++) {
    const int64_t n = place(w, first + t, at);
    const int64_t from = n * c->y.batch_stride + channel;
    const struct onri_winograd_target to = {w->bias ? w->bias + channel : NULL, residual ? residual + from : NULL,
                                            w->y + from};
    w->kernels->backward(&w->job, z + t * lanes, at, left, &to, finite);
  }
  for (int64_t l = 1; l < lanes; l++) finite[0] += finite[l];
  if (isnan(finite[0])) atomic_store_explicit(&w->bad, 1, memory_order_relaxed);
}

static int stops(const struct work *w) {
  return onr_env_cancelled(w->env) || atomic_load_explicit(&w->bad, memory_order_relaxed);
}

static void run_blocks(void *context, size_t slot, size_t from, size_t to) {
  struct work *w = context;
  const int64_t blocks = up(w->plan->tiles, w->plan->block), panels = panels_of(w->c, &w->plan->how);
  float *v = w->forward + slot * w->plan->forward, *z = w->product + slot * w->plan->product;
  for (int64_t item = (int64_t)from; item < (int64_t)to && !stops(w); item++) {
    const int64_t group = item / blocks, first = item % blocks * w->plan->block;
    const int64_t count = least(w->plan->block, w->plan->tiles - first);
    forward(w, group, first, 0, count, v);
    for (int64_t p = 0; p < panels && !stops(w); p++) make_panel(w, group, p, first, count, v, z);
  }
}

static void forward_tiles(void *context, size_t begin, size_t end) {
  struct work *w = context;
  forward(w, w->group, 0, (int64_t)begin, (int64_t)end, w->forward);
}

static void run_panels(void *context, size_t slot, size_t from, size_t to) {
  struct work *w = context;
  const int64_t parts = w->plan->parts, tiles = w->plan->tiles;
  for (int64_t item = (int64_t)from; item < (int64_t)to && !stops(w); item++) {
    const int64_t first = tiles * (item % parts) / parts, last = tiles * (item % parts + 1) / parts;
    make_panel(w, w->group, item / parts, first, last - first, w->forward + first * w->kernels->lanes,
               w->product + slot * w->plan->product);
  }
}

static struct onri_winograd_job job_of(const struct onri_conv *c, const struct onri_winograd_plan *plan) {
  const int64_t lanes = plan->how.kernels->lanes;
  struct onri_winograd_job job = {
      .how = plan->how, .channels = c->group_in, .block = plan->block, .min = (float)c->min, .max = (float)c->max};
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) {
    job.axis[i] = c->axis[i];
    job.x_stride[i] = c->x.stride[i];
    job.y_stride[i] = c->y.stride[i];
  }
  job.v_plane = plane_lines(c->axis[0].kernel * up(c->group_in, lanes), plan->block) * lanes;
  job.z_plane = plane_lines(ONRI_WINOGRAD_PANEL, plan->block) * lanes;
  return job;
}

int onri_winograd_f32(const struct onri_conv *c, const struct onri_winograd_plan *plan, const float *x,
                      const float *packed, const float *bias, const float *residual, float *y, void *scratch,
                      struct onr_env *env) {
  struct work w = {.c = c,
                   .plan = plan,
                   .kernels = plan->how.kernels,
                   .env = env,
                   .job = job_of(c, plan),
                   .x = x,
                   .packed = packed,
                   .bias = bias,
                   .residual = residual,
                   .y = y,
                   .product = scratch,
                   .forward = (float *)scratch + (size_t)plan->slots * plan->product};
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) w.tiles[i] = tiles_of(c, &plan->how, i);
  if (plan->together) {
    for (w.group = 0; w.group < c->groups && !stops(&w); w.group++) {
      onr_parallel_for(env, (size_t)plan->tiles, 4, forward_tiles, &w);
      onri_workers_for(env, (size_t)plan->slots, (size_t)(panels_of(c, &plan->how) * plan->parts), run_panels, &w);
    }
  } else {
    onri_workers_for(env, (size_t)plan->slots, (size_t)(up(plan->tiles, plan->block) * c->groups), run_blocks, &w);
  }
  return !atomic_load(&w.bad);
}

/* --- choice --- */

/* In cycles of a multiplying unit, measured with AVX-512: to transform a vector of channels of a plane's tile there and
 * back, by half the points of an axis; a line of packed weights from memory; and what of the time the direct method
 * multiplies. */
static const double there[] = {0, 0, 90, 190, 330}, back[] = {0, 0, 70, 190, 330};
static const double memory_line = 14, direct_share = 0.75;
enum { LINE = 16, NEAR_BYTES = 1 << 20 /* of packed weights that the caches keep from one run to the next */ };
/* A way takes memory, the time that loading it takes, and digits: more of these are for more speed alone. The time that
 * it may take, as a share of the next cheaper way's, by the bytes of its packed weights. */
static const struct {
  size_t bytes;
  double share;
} worth[] = {{3 << 20, 0.92}, {10 << 20, 0.7}, {24 << 20, 0.62}, {SIZE_MAX, 0}};
/* Of an image whose size is not known. */
enum { USUAL_PLANE = 32, USUAL_LINE = 256 };

static int one_tap(const struct onri_axis *a) { return a->kernel == 1 && a->stride == 1 && !a->begin && !a->end; }

static struct onri_conv with_sizes(const struct onri_conv *c) {
  struct onri_conv known = *c;
  const int is_plane = c->axis[1].kernel > 1 && c->axis[2].kernel > 1;
  if (known.x.batch < 1) known.x.batch = 1;
  for (int i = 0; i < ONR_MAX_SPATIAL; i++)
    if (known.axis[i].out < 1) known.axis[i].out = c->axis[i].kernel == 1 ? 1 : is_plane ? USUAL_PLANE : USUAL_LINE;
  return known;
}

static double cost(const struct onri_conv *c, const struct onri_winograd *how) {
  const int64_t lanes = how->kernels->lanes;
  const double depth = (double)(c->axis[0].kernel * c->group_in), points = (double)points_of(how);
  const double in = (double)(c->axis[0].kernel * up(c->group_in, lanes)), out = (double)up(c->group_out, lanes);
  const int is_plane = how->points[1] > 1 && how->points[2] > 1;
  const int half = (how->points[1] > 1 ? how->points[1] : how->points[2]) / 2;
  const double share = is_plane ? 1 : 1.0 / half;
  const double weights = points * depth * (double)(c->group_out * c->groups);
  double tiles = (double)c->x.batch;
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) tiles *= (double)tiles_of(c, how, i);
  return (double)c->groups * tiles * (share * (there[half] * in + back[half] * out) + points * depth * out) +
         (weights * sizeof(float) > NEAR_BYTES ? weights / LINE * memory_line : 0);
}

static double direct_cost(const struct onri_conv *c) {
  const double depth = (double)(onri_conv_taps(c) * c->group_in), weights = depth * (double)(c->group_out * c->groups);
  double pixels = (double)c->x.batch;
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) pixels *= (double)c->axis[i].out;
  return (double)c->groups * pixels * depth * (double)up(c->group_out, onri_kernels(winograd)->lanes) / direct_share +
         (weights * sizeof(float) > NEAR_BYTES ? weights / LINE * memory_line : 0);
}

int onri_winograd_chosen(const struct onri_conv *c, int outputs, struct onri_winograd *how) {
  const struct onri_axis *a1 = &c->axis[1], *a2 = &c->axis[2];
  const int64_t taps = most(a1->kernel, a2->kernel);
  const int most_points = a1->kernel > 1 && a2->kernel > 1 ? ONRI_WINOGRAD_PLANE_POINTS : ONRI_WINOGRAD_POINTS;
  const struct onri_conv known = with_sizes(c);
  double best = direct_cost(&known);
  int found = 0;
  if (c->transposed || a1->stride != 1 || a2->stride != 1 || (taps != 3 && taps != 5)) return 0;
  if ((a1->kernel != taps && !one_tap(a1)) || (a2->kernel != taps && !one_tap(a2))) return 0;
  for (int n = taps == 3 ? 4 : 6; n <= most_points; n += 2) {
    struct onri_winograd way = {onri_kernels(winograd), {1, 1, 1}, {1, 1, 1}};
    size_t bytes, row = 0;
    for (int i = 1; i < ONR_MAX_SPATIAL; i++)
      if (c->axis[i].kernel > 1) way.points[i] = n, way.outputs[i] = n - (int32_t)taps + 1;
    if (!onri_winograd_packed_bytes(c, &way, &bytes) || (outputs && n - (int)taps + 1 != outputs)) continue;
    while (bytes > worth[row].bytes) row++;
    if (!outputs && cost(&known, &way) > worth[row].share * best) continue;
    best = cost(&known, &way);
    *how = way;
    found = 1;
  }
  return found;
}
