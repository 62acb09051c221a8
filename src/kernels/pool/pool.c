/* pool.c: portable pools, for float32 and float64. */
#include "kernels/pool/pool.h"

#include <math.h>

#include "base/env.h"
#include "kernels/kernels.h"
#include "kernels/move/turned.h"
#include "kernels/pool/pool_rows.h"
#include "kernels/pool/pool_window.h"

#define BLOCK 64 /* channels at a time */
#define SPANS 64 /* windows at a time */

static float root_f32(float sum, int32_t p) { return p == 1 ? sum : p == 2 ? sqrtf(sum) : powf(sum, 1.0f / (float)p); }
static double root_f64(double sum, int32_t p) { return p == 1 ? sum : p == 2 ? sqrt(sum) : pow(sum, 1.0 / p); }

/* Operations of so many windows of one channel; taps are no more than the image has pixels. */
static uint64_t work_of(const struct onri_pool *pool, int64_t windows) {
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    windows *= pool->axis[a].kernel < pool->axis[a].in ? pool->axis[a].kernel + 1 : pool->axis[a].in + 1;
  return (uint64_t)windows;
}

#define REAL float
#define NAME(x) portable_##x##_f32
#define POW powf
#define ABS fabsf
#define ROOT root_f32
#include "kernels/pool/pool.inc"
#undef REAL
#undef NAME
#undef POW
#undef ABS
#undef ROOT

#define REAL double
#define NAME(x) portable_##x##_f64
#define POW pow
#define ABS fabs
#define ROOT root_f64
#include "kernels/pool/pool.inc"

/* --- channels that lie side by side, of float32 or bytes --- */

struct row_work {
  const struct onri_pool *pool;
  void (*kernel)(const struct onri_pool_row *row, const float *x, float *y); /* NULL: bytes */
  uint8_t flip;
  const char *x;
  char *y;          /* NULL with indices: only they are wanted */
  int64_t *indices; /* NULL: none */
  int64_t image;    /* pixels of a channel that indices count; 0: they begin anew with each */
  const struct onr_env *env;
};

static int64_t size_of(const struct row_work *work) { return work->kernel ? (int64_t)sizeof(float) : 1; }

/* Windows [from, from + row->windows) of one line. */
static void part_of_row(const struct row_work *work, struct onri_pool_row *row, int64_t from, double outer,
                        const char *x, int64_t to, int64_t n) {
  const struct onri_pool *pool = work->pool;
  struct onri_pool_span span[SPANS];
  row->span = span;
  for (int64_t i = 0; i < row->windows; i++) {
    span[i].first = onri_pool_covered(pool, 2, from + i, &span[i].taps);
    span[i].divisor = pool->kind == ONRI_POOL_AVERAGE ? (float)onri_pool_row_divisor(pool, outer, from + i) : 1;
  }
  to += from * row->y_step;
  char *y = work->y ? work->y + to * size_of(work) : NULL;
  if (work->indices) {
    const struct onri_pool_places places = {work->indices + to, n * row->channels * work->image, work->image};
    onri_kernels(pool)->max_row_places(row, &places, (const float *)(const void *)x, (float *)(void *)y);
  } else if (work->kernel) work->kernel(row, (const float *)(const void *)x, (float *)(void *)y);
  else onri_kernels(pool)->max_bytes(row, (const uint8_t *)x, (uint8_t *)y, work->flip);
}

/* An item is one line of y. */
static void whole_rows(void *context, size_t begin, size_t end) {
  const struct row_work *work = context;
  struct onri_pace pace = {work->env, 0};
  const struct onri_pool *pool = work->pool;
  const struct onri_image *in = &pool->x;
  const int64_t place[ONR_MAX_SPATIAL] = {pool->column_order ? 1 : in->size[1] * in->size[2],
                                          pool->column_order ? in->size[0] : in->size[2],
                                          pool->column_order ? in->size[0] * in->size[1] : 1};
  for (size_t item = begin; item < end; item++) {
    int64_t o[ONR_MAX_SPATIAL], rest = (int64_t)item;
    o[1] = rest % pool->axis[1].out, rest /= pool->axis[1].out;
    o[0] = rest % pool->axis[0].out, rest /= pool->axis[0].out;
    const double outer = onri_pool_outer_counted(pool, o);
    struct onri_pool_row row = {.channels = in->channels,
                                .pixel = in->stride[2],
                                .dilated = pool->axis[2].dilation * in->stride[2],
                                .y_step = pool->y.stride[2]};
    const int64_t to = rest * pool->y.batch_stride + o[0] * pool->y.stride[0] + o[1] * pool->y.stride[1];
    const char *x = work->x + rest * in->batch_stride * size_of(work);
    for (int a = 0; a < 2; a++) {
      const int64_t first = onri_pool_covered(pool, a, o[a], &row.taps[a]), dilation = pool->axis[a].dilation;
      x += first * in->stride[a] * size_of(work);
      row.step[a] = dilation * in->stride[a];
      if (work->indices) row.place += (int32_t)(first * place[a]), row.place_step[a] = (int32_t)(dilation * place[a]);
    }
    if (work->indices)
      row.place_pixel = (int32_t)place[2], row.place_dilated = (int32_t)(pool->axis[2].dilation * place[2]);
    for (int64_t from = 0; from < pool->axis[2].out && !onri_pace_stop(&pace, work_of(pool, SPANS * pool->x.channels));
         from += row.windows) {
      const int64_t left = pool->axis[2].out - from;
      row.windows = left < SPANS ? left : SPANS;
      part_of_row(work, &row, from, outer, x, to, rest);
    }
  }
}

/* --- float32 pixels that lie side by side --- */

struct block_work {
  const struct onri_pool *pool;
  void (*kernel)(const struct onri_pool_block *block, const float *x, float *y);
  const float *x;
  float *y;
  const struct onr_env *env;
};

/* A few windows of a line: what they cover, and what their sums are divided by. */
struct columns {
  int64_t from, first; /* the first window, and its first pixel inside the image */
  struct onri_pool_span span[ONRI_POOL_COLUMNS];
  float divisor[ONRI_POOL_COLUMNS];
};

static int64_t extent_of(const struct onri_axis *a) { return (a->kernel - 1) * a->dilation + 1; }

/* Windows from `from` on, as many as there is room for, and the pixel at which the last of them ends. */
static int64_t windows_from(const struct onri_pool *pool, int64_t from, int64_t *end) {
  const struct onri_axis *a = &pool->axis[2];
  const int64_t start = onri_pool_start(pool, 2, from), left = a->out - from;
  int64_t count = 1;
  if (!pool->adaptive) {
    const int64_t most = (ONRI_POOL_COLUMNS - extent_of(a)) / a->stride + 1;
    count = left < most ? left : most;
    *end = start + (count - 1) * a->stride + extent_of(a);
    return count;
  }
  for (*end = onri_pool_end(pool, 2, from); count < left && count < ONRI_POOL_COLUMNS; count++) {
    const int64_t next = onri_pool_end(pool, 2, from + count);
    if (next - start > ONRI_POOL_COLUMNS) break;
    *end = next;
  }
  return count;
}

static void cut_columns(const struct onri_pool *pool, int64_t from, struct columns *c, struct onri_pool_block *b) {
  const struct onri_axis *a = &pool->axis[2];
  const int64_t start = onri_pool_start(pool, 2, from);
  int64_t end;
  b->windows = windows_from(pool, from, &end);
  b->kernel = a->kernel;
  b->dilation = a->dilation;
  b->stride = pool->adaptive ? 0 : b->windows > 1 ? a->stride : 1;
  c->from = from;
  c->first = start > 0 ? start : 0;
  b->before = c->first < end ? c->first - start : end - start;
  b->columns = end < a->in ? end - c->first : a->in - c->first;
  if (b->columns <= 0) b->columns = c->first = 0;
  b->after = end - start - b->before - b->columns;
  for (int64_t o = 0; pool->adaptive && o < b->windows; o++)
    c->span[o].first = onri_pool_covered(pool, 2, from + o, &c->span[o].taps) - start;
  for (int64_t o = 0; pool->kind == ONRI_POOL_AVERAGE && o < b->windows; o++) {
    const int64_t counted = pool->divisor ? pool->divisor : onri_pool_counted(pool, 2, from + o);
    c->divisor[o] = counted == 0 ? 1 : (float)counted;
  }
  b->span = c->span;
  b->divisor = c->divisor;
}

static int64_t line_blocks(const struct onri_pool *pool) {
  return (pool->axis[1].out + ONRI_POOL_LINES - 1) / ONRI_POOL_LINES;
}

/* Some lines from line `top` of o0 on, in any plane. */
static void cut_lines(const struct onri_pool *pool, int64_t o0, int64_t top, const struct columns *c,
                      struct onri_pool_block *b) {
  const struct onri_image *in = &pool->x, *out = &pool->y;
  const int64_t x = onri_pool_covered(pool, 0, o0, &b->planes) * in->stride[0] + c->first;
  b->lines = pool->axis[1].out - top < ONRI_POOL_LINES ? pool->axis[1].out - top : ONRI_POOL_LINES;
  for (int64_t i = 0; i < b->lines; i++) {
    struct onri_pool_line *line = &b->line[i];
    line->x = x + onri_pool_covered(pool, 1, top + i, &line->taps) * in->stride[1];
    line->y = o0 * out->stride[0] + (top + i) * out->stride[1] + c->from;
    if (pool->kind != ONRI_POOL_AVERAGE) continue;
    const double counted = (double)onri_pool_counted(pool, 0, o0) * (double)onri_pool_counted(pool, 1, top + i);
    line->counted = pool->divisor || counted == 0 ? 1 : (float)counted;
  }
}

/* Block i of all planes among items [begin, end), of which a plane has `blocks`. */
static void block_of_planes(const struct block_work *w, const struct onri_pool_block *b, size_t i, size_t blocks,
                            size_t begin, size_t end, struct onri_pace *pace) {
  const struct onri_image *in = &w->pool->x, *out = &w->pool->y;
  const uint64_t work = work_of(w->pool, ONRI_POOL_LINES * b->windows);
  for (size_t plane = begin / blocks + (i < begin % blocks); plane * blocks + i < end && !onri_pace_stop(pace, work);
       plane++) {
    const int64_t n = (int64_t)plane / in->channels, channel = (int64_t)plane % in->channels;
    w->kernel(b, w->x + n * in->batch_stride + channel * in->channel_stride,
              w->y + n * out->batch_stride + channel * out->channel_stride);
  }
}

/* An item is a few lines of one plane of y. */
static void whole_blocks(void *context, size_t begin, size_t end) {
  const struct block_work *w = context;
  const struct onri_pool *pool = w->pool;
  const int64_t of_lines = line_blocks(pool);
  const size_t blocks = (size_t)(pool->axis[0].out * of_lines), last = end - begin < blocks ? end - begin : blocks;
  struct onri_pace pace = {w->env, 0};
  struct columns columns;
  struct onri_pool_block block;
  block.plane_step = pool->axis[0].dilation * pool->x.stride[0];
  block.line_step = pool->axis[1].dilation * pool->x.stride[1];
  for (int64_t from = 0; from < pool->axis[2].out; from += block.windows) {
    cut_columns(pool, from, &columns, &block);
    for (size_t item = begin; item < begin + last; item++) {
      const int64_t i = (int64_t)(item % blocks);
      cut_lines(pool, i / of_lines, i % of_lines * ONRI_POOL_LINES, &columns, &block);
      block_of_planes(w, &block, (size_t)i, blocks, begin, end, &pace);
    }
  }
}

int onri_pool_is_pixels(const struct onri_pool *pool) {
  const struct onri_axis *a = &pool->axis[2];
  const int64_t most = ONRI_POOL_COLUMNS;
  if (pool->x.stride[2] != 1 || pool->y.stride[2] != 1) return 0;
  if (pool->adaptive) return a->in / a->out + 2 <= most;
  return a->kernel <= most && a->dilation <= most && extent_of(a) <= most;
}

static void pixels(const struct onri_pool *pool, const float *x, float *y, struct onr_env *env) {
  const struct onri_pool_kernels *kernels = onri_kernels(pool);
  const int is_max = pool->kind == ONRI_POOL_MAX;
  struct block_work work = {pool, is_max ? kernels->max_block : kernels->average_block, x, y, env};
  /* together: planes whose pixels stay in a cache share what is found of lines and columns */
  const int64_t blocks = pool->axis[0].out * line_blocks(pool), together = 32768;
  const int64_t pixels = pool->x.size[0] * pool->x.size[1] * pool->x.size[2];
  const int64_t grain =
      pixels < together ? blocks * (together / (pixels > 0 ? pixels : 1)) : blocks * together / pixels;
  onr_parallel_for(env, (size_t)(pool->x.batch * pool->x.channels * blocks), grain > 0 ? (size_t)grain : 1,
                   whole_blocks, &work);
}

/* --- planes of few pixels --- */

struct plane_work {
  const struct onri_pool *pool;
  struct onri_pool_plane plane;
  void (*kernel)(const struct onri_pool_plane *plane, const float *x, float *y);
  const float *x;
  float *y;
  const struct onr_env *env;
};

static void whole_planes(void *context, size_t begin, size_t end) {
  const struct plane_work *w = context;
  const struct onri_image *in = &w->pool->x, *out = &w->pool->y;
  struct onri_pace pace = {w->env, 0};
  for (size_t i = begin;
       i < end && !onri_pace_stop(&pace, work_of(w->pool, w->pool->axis[1].out * w->pool->axis[2].out)); i++) {
    const int64_t n = (int64_t)i / in->channels, c = (int64_t)i % in->channels;
    w->kernel(&w->plane, w->x + n * in->batch_stride + c * in->channel_stride,
              w->y + n * out->batch_stride + c * out->channel_stride);
  }
}

/* What windows reach along an axis: pixels of x, and padding in front and behind. */
static void reach_of(const struct onri_axis *a, int64_t *pixels, int64_t *before, int64_t *after) {
  const int64_t all = (a->out - 1) * a->stride + extent_of(a);
  *before = a->begin < all ? a->begin : all;
  *pixels = all - *before < a->in ? all - *before : a->in;
  *after = all - *before - *pixels;
}

static float divisor_of(const struct onri_pool *pool, int axis, int64_t o) {
  const int64_t counted = onri_pool_counted(pool, axis, o);
  return counted == 0 ? 1 : (float)counted;
}

/* 0: it is none of these. counted, divisor: [ONRI_POOL_COLUMNS] */
static int plane_of(const struct onri_pool *pool, struct onri_pool_plane *p, float *counted, float *divisor) {
  const struct onri_axis *a = pool->axis;
  int64_t right;
  if (pool->adaptive || a[0].in != 1 || a[0].out != 1 || a[0].kernel != 1 || a[1].stride * a[2].stride != 1) return 0;
  if (a[1].in > ONRI_POOL_PLANE_PIXELS || a[1].out > ONRI_POOL_COLUMNS || a[2].out > ONRI_POOL_COLUMNS) return 0;
  if (extent_of(&a[1]) > ONRI_POOL_COLUMNS) return 0;
  *p = (struct onri_pool_plane){.x_line = pool->x.stride[1],
                                .windows = {a[1].out, a[2].out},
                                .y_line = pool->y.stride[1],
                                .kernel = {a[1].kernel, a[2].kernel},
                                .dilation = {a[1].dilation, a[2].dilation},
                                .counted = counted,
                                .divisor = divisor};
  reach_of(&a[1], &p->lines, &p->top, &p->bottom);
  reach_of(&a[2], &p->columns, &p->left, &right);
  const int64_t width = (onri_pool_plane_width(p) + 15) / 16 * 16, all = p->top + p->lines + p->bottom;
  if (width > ONRI_POOL_PLANE_PIXELS || width * all > ONRI_POOL_PLANE_PIXELS ||
      width * a[1].out > ONRI_POOL_PLANE_PIXELS)
    return 0;
  if (pool->kind != ONRI_POOL_AVERAGE) return 1;
  for (int64_t o = 0; o < a[1].out; o++) counted[o] = pool->divisor ? 1 : divisor_of(pool, 1, o);
  for (int64_t o = 0; o < a[2].out; o++) divisor[o] = pool->divisor ? (float)pool->divisor : divisor_of(pool, 2, o);
  return 1;
}

static int planes(const struct onri_pool *pool, const float *x, float *y, struct onr_env *env) {
  const struct onri_pool_kernels *kernels = onri_kernels(pool);
  const int is_max = pool->kind == ONRI_POOL_MAX;
  float counted[ONRI_POOL_COLUMNS], divisor[ONRI_POOL_COLUMNS];
  struct plane_work work = {
      .pool = pool, .kernel = is_max ? kernels->max_plane : kernels->average_plane, .x = x, .y = y, .env = env};
  if (!plane_of(pool, &work.plane, counted, divisor)) return 0;
  const int64_t windows = pool->axis[1].out * pool->axis[2].out, together = 16384;
  onr_parallel_for(env, (size_t)(pool->x.batch * pool->x.channels),
                   windows < together ? (size_t)(together / windows) : 1, whole_planes, &work);
  return 1;
}

static void channels(const struct onri_pool *pool, const float *x, float *y, int64_t *indices, struct onr_env *env) {
  const struct onri_pool_kernels *kernels = onri_kernels(pool);
  const int64_t *size = pool->x.size;
  struct row_work work = {.pool = pool,
                          .kernel = pool->kind == ONRI_POOL_MAX ? kernels->max_row : kernels->average_row,
                          .x = (const char *)x,
                          .y = (char *)y,
                          .indices = indices,
                          .image = indices && !pool->plane_indices ? size[0] * size[1] * size[2] : 0,
                          .env = env};
  onr_parallel_for(env, (size_t)(pool->x.batch * pool->axis[0].out * pool->axis[1].out), 1, whole_rows, &work);
}

/* --- planes whose lines of windows are shorter than a vector --- */

static int64_t pixels_of(const struct onri_image *image) { return image->size[0] * image->size[1] * image->size[2]; }

static int is_packed(const struct onri_image *image) {
  return image->stride[2] == 1 && image->stride[1] == image->size[2] &&
         image->stride[0] == image->size[1] * image->size[2] && image->channel_stride == pixels_of(image) &&
         image->batch_stride == image->channels * image->channel_stride;
}

/* Planes go together as channels side by side. */
static int turns_planes(const struct onri_pool *pool, size_t size) {
  enum { NARROW = 8, NARROW_OF_BYTES = 16 /* windows of a line */ };
  const int64_t narrow = size > 1 ? NARROW : NARROW_OF_BYTES;
  const int64_t in = pixels_of(&pool->x), out = pixels_of(&pool->y);
  return pool->axis[2].out <= narrow && is_packed(&pool->x) && is_packed(&pool->y) && out <= in &&
         onri_turns((size_t)(pool->x.batch * pool->x.channels), (size_t)in, 1, size, SIZE_MAX);
}

static void set_channels(struct onri_image *image, int64_t count) {
  image->batch = 1, image->batch_stride = 0;
  image->channels = count, image->channel_stride = 1;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) image->stride[a] *= count;
}

/* Of float32 or bytes. */
struct turned_work {
  const struct onri_pool *pool;
  const char *x;
  char *y;
  size_t size;
  uint8_t flip;
  const struct onr_env *env;
};

static void turned_planes(void *context, size_t begin, size_t end) {
  const struct turned_work *w = context;
  const size_t in = (size_t)pixels_of(&w->pool->x), out = (size_t)pixels_of(&w->pool->y), size = w->size;
  const size_t most = ONRI_TURNED_BYTES / (in * size);
  const struct onri_pool_kernels *kernels = onri_kernels(pool);
  float x[ONRI_TURNED_BYTES / sizeof(float)], y[ONRI_TURNED_BYTES / sizeof(float)];
  for (size_t count; begin < end; begin += count) {
    struct onri_pool pool = *w->pool;
    count = end - begin < most ? end - begin : most;
    set_channels(&pool.x, (int64_t)count);
    set_channels(&pool.y, (int64_t)count);
    struct row_work work = {.pool = &pool, .flip = w->flip, .x = (const char *)x, .y = (char *)y, .env = w->env};
    if (size > 1) work.kernel = pool.kind == ONRI_POOL_MAX ? kernels->max_row : kernels->average_row;
    onri_turn(w->x + begin * in * size, x, count, in, size);
    whole_rows(&work, 0, (size_t)(pool.axis[0].out * pool.axis[1].out));
    onri_turn(y, w->y + begin * out * size, out, count, size);
  }
}

static int narrow_planes(const struct turned_work *w, struct onr_env *env) {
  const struct onri_pool *pool = w->pool;
  if (!turns_planes(pool, w->size)) return 0;
  onr_parallel_for(env, (size_t)(pool->x.batch * pool->x.channels),
                   2 * ONRI_TURNED_BYTES / w->size / (size_t)pixels_of(&pool->x), turned_planes, (void *)w);
  return 1;
}

int onri_pool_turns_bytes(const struct onri_pool *pool) {
  return !pool->plain && pool->kind == ONRI_POOL_MAX && turns_planes(pool, 1);
}

void onri_pool_max_bytes(const struct onri_pool *pool, const void *x, void *y, int is_signed, struct onr_env *env) {
  const uint8_t flip = is_signed ? 0x80 : 0;
  struct row_work work = {.pool = pool, .flip = flip, .x = x, .y = y, .env = env};
  if (!onri_pool_is_last(pool)) {
    (void)narrow_planes(&(struct turned_work){pool, x, y, 1, flip, env}, env);
    return;
  }
  onr_parallel_for(env, (size_t)(pool->x.batch * pool->axis[0].out * pool->axis[1].out), 1, whole_rows, &work);
}

int onri_pool_finds_places(const struct onri_pool *pool) {
  const uint64_t lines = (uint64_t)pool->x.size[0] * (uint64_t)pool->x.size[1]; /* sizes are below 2^31 */
  return !pool->plain && pool->kind == ONRI_POOL_MAX && onri_pool_is_last(pool) &&
         (pool->x.size[2] == 0 || lines <= INT32_MAX / (uint64_t)pool->x.size[2]);
}

void onri_pool_f32(const struct onri_pool *pool, const float *x, float *y, int64_t *indices, struct onr_env *env) {
  if (indices && onri_pool_finds_places(pool)) channels(pool, x, y, indices, env);
  else if (indices || !onri_pool_is_vector(pool)) portable_pool_f32(pool, x, y, indices, env);
  else if (!onri_pool_is_pixels(pool)) channels(pool, x, y, NULL, env);
  else if (!narrow_planes(&(struct turned_work){pool, (const char *)x, (char *)y, sizeof(float), 0, env}, env) &&
           !planes(pool, x, y, env))
    pixels(pool, x, y, env);
}

void onri_pool_f64(const struct onri_pool *pool, const double *x, double *y, int64_t *indices, struct onr_env *env) {
  portable_pool_f64(pool, x, y, indices, env);
}
