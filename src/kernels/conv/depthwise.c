/* depthwise.c: a depthwise convolution in parts: some rows of one plane of output, for some channels; or bands of rows
 * of one channel, which are copied with their padding. */
#include "kernels/conv/depthwise.h"

#include "base/env.h"
#include "base/shape.h"
#include "kernels/conv/conv_gemm.h"
#include "kernels/conv/conv_slab.h"
#include "kernels/conv/depthwise_rows.h"
#include "kernels/kernels.h"
#include "onnxrun/layer.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

struct work {
  const struct onri_conv *c;
  size_t x_size, y_size; /* of elements */
  struct onri_depthwise_bytes bytes;
  struct onri_depthwise_job job; /* of the first image, channel and plane */
  const struct onri_depthwise_kernels *kernels;
  int64_t parts, part;   /* of channels: how many, and how large */
  int64_t blocks, block; /* of rows */
};

int onri_depthwise_is_fast(void) { return onri_conv_gemm_is_fast(); }

static void run_parts(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct onri_conv *c = w->c;
  for (size_t item = begin; item < end; item++) {
    struct onri_depthwise_job job = w->job;
    int64_t rest = (int64_t)item;
    const int64_t channel = rest % w->parts * w->part, left = job.channels - channel,
                  from = channel / job.each * job.terms;
    rest /= w->parts;
    job.top = rest % w->blocks * w->block, rest /= w->blocks;
    job.bottom = least(job.axis[1].out, job.top + w->block);
    job.o0 = rest % c->axis[0].out, rest /= c->axis[0].out;
    job.x = (const char *)job.x + (rest * c->x.batch_stride + from) * (int64_t)w->x_size;
    job.y = (char *)job.y + (rest * c->y.batch_stride + job.o0 * c->y.stride[0] + channel) * (int64_t)w->y_size;
    job.w += job.terms > 1 ? channel / w->kernels->lanes * job.w_vector : channel;
    job.phase = channel % job.each;
    if (job.bias) job.bias += channel;
    struct onri_depthwise_bytes bytes = w->bytes;
    struct onri_requantise requantise;
    if (job.bytes) job.bytes = &bytes;
    if (bytes.bias) bytes.bias += channel;
    if (bytes.requantise) requantise = *bytes.requantise, requantise.scales += channel, bytes.requantise = &requantise;
    w->kernels->rows(&job, least(left, w->part));
  }
}

/* As many rows as need not be loaded from L2 again for the next ones, as many channels as let them stay in L1, and at
 * least a few parts for each thread. */
static void cut(struct work *w, const struct onr_env *env) {
  enum { CHANNELS = 128, LINE = 16, ROWS = 8 };
  const struct onri_conv *c = w->c;
  const int64_t planes = c->x.batch * c->axis[0].out, threads = (int64_t)onr_threads_count(env->threads);
  w->parts = (w->job.channels - 1) / (CHANNELS + CHANNELS / 4) + 1;
  w->part = (w->job.channels - 1) / w->parts / LINE * LINE + LINE;
  w->parts = (w->job.channels - 1) / w->part + 1;
  w->block = ROWS;
  const int64_t rows = w->job.axis[1].out;
  while (threads > 1 && w->block > 1 && planes * w->parts * rows < 4 * threads * w->block) w->block /= 2;
  w->blocks = (rows - 1) / w->block + 1;
}

static void fill_job(struct work *w, const void *x, const float *packed, const float *bias, void *y) {
  const struct onri_conv *c = w->c;
  w->kernels = onri_kernels(depthwise);
  w->job = (struct onri_depthwise_job){.axis = {c->axis[0], c->axis[1], c->axis[2]},
                                       .x_plane = c->x.stride[0],
                                       .x_line = c->x.stride[1],
                                       .x_pixel = c->x.stride[2],
                                       .y_line = c->y.stride[1],
                                       .y_pixel = c->y.stride[2],
                                       .channels = c->groups * c->group_out,
                                       .each = c->group_out,
                                       .terms = 1,
                                       .w_tap = c->groups * c->group_out,
                                       .w_line = c->axis[2].kernel * c->groups * c->group_out,
                                       .min = (float)c->min,
                                       .max = (float)c->max,
                                       .x = x,
                                       .w = packed,
                                       .bias = bias,
                                       .y = y,
                                       .bytes = w->x_size == 1 ? &w->bytes : NULL,
                                       .tail = w->job.tail,
                                       .tail_context = w->job.tail_context};
}

static void swap(int64_t *a, int64_t *b) {
  const int64_t kept = *a;
  *a = *b, *b = kept;
}

int onri_depthwise_goes_down(const struct onri_conv *c) {
  const struct onri_axis *rows = &c->axis[1], *columns = &c->axis[2];
  if (c->transposed || c->axis[0].kernel > 1 || rows->out < 1 || columns->out < 1) return 0;
  const int64_t along = rows->out * ((columns->out - 1) / ONRI_DEPTHWISE_TILE + 1),
                down = columns->out * ((rows->out - 1) / ONRI_DEPTHWISE_TILE + 1);
  return 3 * down <= 2 * along;
}

static void turn(struct onri_depthwise_job *job) {
  const struct onri_axis rows = job->axis[1];
  job->axis[1] = job->axis[2], job->axis[2] = rows;
  swap(&job->x_line, &job->x_pixel), swap(&job->y_line, &job->y_pixel), swap(&job->w_line, &job->w_tap);
}

static void run_all(struct work *w, struct onr_env *env) {
  const struct onri_conv *c = w->c;
  if (c->goes_down) turn(&w->job);
  cut(w, env);
  onr_parallel_for(env, (size_t)(c->x.batch * c->axis[0].out * w->blocks * w->parts), 1, run_parts, w);
}

static void run(struct work *w, const void *x, const float *packed, const float *bias, void *y, struct onr_env *env) {
  fill_job(w, x, packed, bias, y);
  run_all(w, env);
}

/* --- channels-first --- */

enum { BAND_FLOATS = 8192, BAND_SLACK = 64 };

/* A band: outputs, and what they see: lists of pixels of a row (conv_slab.h), lines of each. */
struct band {
  int64_t rows, columns, lists, lines;
};

static int64_t lines_of(const struct onri_axis *a, int64_t rows) {
  return (rows - 1) * a->stride + (a->kernel - 1) * a->dilation + 1;
}

/* Whole tiles of rows. rows 0: not even one fits. */
static struct band band_of(const struct onri_conv *c) {
  enum { COLUMNS = 64 };
  const struct onri_axis *a1 = &c->axis[1], *a2 = &c->axis[2];
  struct band band = {.columns = a2->out};
  const int64_t least_lines = lines_of(a1, ONRI_DEPTHWISE_TILE);
  if (onri_slab_size(a2, a2->out, &band.lists) > BAND_FLOATS / least_lines / band.lists) band.columns = COLUMNS;
  const int64_t line = onri_slab_size(a2, band.columns, &band.lists) * band.lists;
  const int64_t tiles = (a1->out - 1) / ONRI_DEPTHWISE_TILE + 1;
  while ((band.rows / ONRI_DEPTHWISE_TILE) < tiles &&
         lines_of(a1, band.rows + ONRI_DEPTHWISE_TILE) <= BAND_FLOATS / line)
    band.rows += ONRI_DEPTHWISE_TILE;
  band.lines = lines_of(a1, band.rows);
  return band;
}

int onri_depthwise_can_planes(const struct onri_conv *c) {
  const struct onri_axis *a0 = &c->axis[0];
  return onri_conv_is_depthwise(c) && !c->transposed && a0->kernel == 1 && a0->out == 1 && a0->begin == 0 &&
         c->axis[1].out > 0 && c->axis[2].out > 0 && c->axis[2].kernel <= ONRI_SLAB_TAPS &&
         lines_of(&c->axis[1], ONRI_DEPTHWISE_TILE) <= BAND_FLOATS && band_of(c).rows > 0;
}

int onri_depthwise_suits_planes(const struct onri_conv *c) {
  enum { SMALL = 5, ROW = 28, LARGE = 7, LONG_ROW = 48, APART = 2 };
  const struct onri_axis *a1 = &c->axis[1], *a2 = &c->axis[2];
  const int64_t row = a1->kernel > SMALL ? LONG_ROW : ROW;
  return c->group_out == 1 && a1->kernel * a2->kernel > 1 && a1->kernel <= LARGE && a1->stride <= APART &&
         a2->stride <= APART && a2->out >= row && a1->out >= ONRI_DEPTHWISE_TILE && onri_depthwise_can_planes(c);
}

struct planes {
  const struct work *w;
  struct band band;
  int64_t down, across; /* bands */
};

/* Rows [row, row + rows) and columns [column, column + columns) of the outputs of channel g of image n. */
static void run_band(const struct planes *p, int64_t n, int64_t g, int64_t row, int64_t column) {
  const struct onri_conv *c = p->w->c;
  const struct onri_axis *a1 = &c->axis[1], *a2 = &c->axis[2];
  const int64_t channels = c->groups * c->group_out, rows = least(p->band.rows, a1->out - row),
                columns = least(p->band.columns, a2->out - column);
  const struct onri_slab_part part = {0, a2->kernel, column, columns, 1};
  struct onri_slab_places places;
  struct onri_conv_slab slab; /* large: not cleared */
  float floats[BAND_FLOATS + BAND_SLACK];
  slab.line = c->x.stride[1], slab.pixel = c->x.stride[2], slab.channels = 1, slab.channel = 0;
  slab.x = (const float *)p->w->job.x + n * c->x.batch_stride + g * c->x.channel_stride;
  slab.axis[0].in = a1->in, slab.axis[0].stride = 1, slab.axis[0].count = p->band.lines, slab.axis[0].lists = 1;
  slab.axis[0].at[0] = row * a1->stride - a1->begin;
  onri_slab_fill(a2, &part, &slab.axis[1], &places);
  onri_kernels(conv_gemm)->gather_slab(&slab, floats);
  for (int64_t k = 0; k < a2->kernel; k++) places.shift[k] += places.list[k] * slab.axis[0].count * slab.axis[1].count;
  for (int64_t m = g * c->group_out; m < (g + 1) * c->group_out; m++) {
    struct onri_depthwise_job job = p->w->job;
    job.axis[1] = (struct onri_axis){.in = a2->kernel, .out = 1, .kernel = a2->kernel, .stride = 1, .dilation = 1};
    job.axis[2] = *a1;
    job.axis[2].in = slab.axis[0].count, job.axis[2].out = rows, job.axis[2].begin = job.axis[2].end = 0;
    job.x = floats;
    job.x_plane = job.x_line = 0, job.x_pixel = slab.axis[1].count;
    job.y = (float *)p->w->job.y + n * c->y.batch_stride + m * c->y.channel_stride + row * c->y.stride[1] +
            column * c->y.stride[2];
    job.y_pixel = c->y.stride[1];
    job.w += m, job.w_tap = a2->kernel * channels, job.w_line = channels;
    job.bias = job.bias ? job.bias + m : NULL;
    job.each = 1, job.bottom = 1, job.shifts = places.shift;
    p->w->kernels->rows(&job, columns);
  }
}

static void run_bands(void *context, size_t begin, size_t end) {
  const struct planes *p = context;
  for (size_t item = begin; item < end; item++) {
    int64_t rest = (int64_t)item;
    const int64_t column = rest % p->across * p->band.columns, row = rest / p->across % p->down * p->band.rows;
    rest = rest / p->across / p->down;
    run_band(p, rest / p->w->c->groups, rest % p->w->c->groups, row, column);
  }
}

static void run_planes(struct work *w, const float *x, const float *packed, const float *bias, float *y,
                       struct onr_env *env) {
  const struct onri_conv *c = w->c;
  struct planes p = {.w = w, .band = band_of(c)};
  fill_job(w, x, packed, bias, y);
  p.down = (c->axis[1].out - 1) / p.band.rows + 1;
  p.across = (c->axis[2].out - 1) / p.band.columns + 1;
  onr_parallel_for(env, (size_t)(c->x.batch * c->groups * p.down * p.across), 1, run_bands, &p);
}

void onri_depthwise_f32(const struct onri_conv *c, const float *x, const float *packed, const float *bias, float *y,
                        onri_depthwise_tail tail, const void *tail_context, struct onr_env *env) {
  struct work w = {
      .c = c, .x_size = sizeof(float), .y_size = sizeof(float), .job = {.tail = tail, .tail_context = tail_context}};
  if (onri_depthwise_can(c)) run(&w, x, packed, bias, y, env);
  else run_planes(&w, x, packed, bias, y, env);
}

/* --- a few channels a group --- */

int onri_grouped_can(const struct onri_conv *c, const struct onri_depthwise_kernels *kernels) {
  enum { MOST = 8, SPAN = 2 /* vectors of input that one of output may see */ };
  const int64_t in = c->group_in, out = c->group_out, lanes = kernels->lanes;
  if (c->transposed || c->groups < 2 || in < 2 || in > MOST || out < 1 || out > MOST) return 0;
  if (in == out && lanes % out == 0) return 1;
  return 2 * in <= lanes && ((lanes + out - 2) / out + 1) * in <= SPAN * lanes;
}

static int64_t vectors_of(const struct onri_conv *c, int64_t lanes) {
  return (c->groups * c->group_out - 1) / lanes + 1;
}

size_t onri_grouped_floats(const struct onri_conv *c, const struct onri_depthwise_kernels *kernels) {
  const int64_t all = ONRI_STEPS(vectors_of(c, kernels->lanes), kernels->lanes, c->group_in, onri_conv_taps(c));
  return all < INT64_MAX / (int64_t)sizeof(float) ? (size_t)all : 0;
}

void onri_grouped_pack(const struct onri_conv *c, const struct onri_depthwise_kernels *kernels, const float *weight,
                       float *packed) {
  const int64_t lanes = kernels->lanes, channels = c->groups * c->group_out, in = c->group_in, row = c->axis[2].kernel,
                lines = onri_conv_taps(c) / row;
  for (int64_t v = 0; v < vectors_of(c, lanes); v++) {
    const int64_t first = v * lanes;
    for (int64_t line = 0; line < lines; line++)
      for (int64_t t = 0; t < in; t++)
        for (int64_t k = 0; k < row; k++, packed += lanes)
          for (int64_t l = 0; l < lanes; l++)
            packed[l] = first + l < channels ? weight[(((first + l) * in + t) * lines + line) * row + k] : 0;
  }
}

void onri_grouped_f32(const struct onri_conv *c, const struct onri_depthwise_kernels *kernels, const float *x,
                      const float *packed, const float *bias, float *y, onri_depthwise_tail tail,
                      const void *tail_context, struct onr_env *env) {
  struct work w = {
      .c = c, .x_size = sizeof(float), .y_size = sizeof(float), .job = {.tail = tail, .tail_context = tail_context}};
  fill_job(&w, x, packed, bias, y);
  w.kernels = kernels;
  w.job.terms = c->group_in;
  w.job.w_tap = kernels->lanes;
  w.job.w_term = c->axis[2].kernel * w.job.w_tap;
  w.job.w_line = c->group_in * w.job.w_term;
  w.job.w_vector = c->axis[0].kernel * c->axis[1].kernel * w.job.w_line;
  run_all(&w, env);
}

void onri_depthwise_bytes(const struct onri_conv *c, const void *x, const struct onri_depthwise_bytes *bytes,
                          const float *differences, void *y, struct onr_env *env) {
  struct work w = {.c = c, .x_size = 1, .y_size = bytes->requantise ? 1 : sizeof(int32_t), .bytes = *bytes};
  run(&w, x, differences, NULL, y, env);
}
