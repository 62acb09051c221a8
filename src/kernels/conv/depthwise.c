/* depthwise.c: a depthwise convolution in parts: some rows of one plane of output, for some channels. */
#include "kernels/conv/depthwise.h"

#include "base/env.h"
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

int onri_depthwise_is_fast(void) { return onri_cpu_level() != ONRI_CPU_BASE; }

static void run_parts(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct onri_conv *c = w->c;
  for (size_t item = begin; item < end; item++) {
    struct onri_depthwise_job job = w->job;
    int64_t rest = (int64_t)item;
    const int64_t channel = rest % w->parts * w->part, left = job.channels - channel, from = channel / job.each;
    rest /= w->parts;
    job.top = rest % w->blocks * w->block, rest /= w->blocks;
    job.bottom = least(c->axis[1].out, job.top + w->block);
    job.o0 = rest % c->axis[0].out, rest /= c->axis[0].out;
    job.x = (const char *)job.x + (rest * c->x.batch_stride + from) * (int64_t)w->x_size;
    job.y = (char *)job.y + (rest * c->y.batch_stride + job.o0 * c->y.stride[0] + channel) * (int64_t)w->y_size;
    job.w += channel;
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
  while (threads > 1 && w->block > 1 && planes * w->parts * c->axis[1].out < 4 * threads * w->block) w->block /= 2;
  w->blocks = (c->axis[1].out - 1) / w->block + 1;
}

static void run(struct work *w, const void *x, const float *packed, const float *bias, void *y, struct onr_env *env) {
  const struct onri_conv *c = w->c;
  w->kernels = onri_kernels()->depthwise;
  w->job = (struct onri_depthwise_job){.axis = {c->axis[0], c->axis[1], c->axis[2]},
                                       .x_plane = c->x.stride[0],
                                       .x_line = c->x.stride[1],
                                       .x_pixel = c->x.stride[2],
                                       .y_line = c->y.stride[1],
                                       .y_pixel = c->y.stride[2],
                                       .channels = c->groups * c->group_out,
                                       .each = c->group_out,
                                       .min = (float)c->min,
                                       .max = (float)c->max,
                                       .x = x,
                                       .w = packed,
                                       .bias = bias,
                                       .y = y,
                                       .bytes = w->x_size == 1 ? &w->bytes : NULL,
                                       .tail = w->job.tail,
                                       .tail_context = w->job.tail_context};
  cut(w, env);
  onr_parallel_for(env, (size_t)(c->x.batch * c->axis[0].out * w->blocks * w->parts), 1, run_parts, w);
}

void onri_depthwise_f32(const struct onri_conv *c, const float *x, const float *packed, const float *bias, float *y,
                        onri_depthwise_tail tail, const void *tail_context, struct onr_env *env) {
  struct work w = {
      .c = c, .x_size = sizeof(float), .y_size = sizeof(float), .job = {.tail = tail, .tail_context = tail_context}};
  run(&w, x, packed, bias, y, env);
}

void onri_depthwise_bytes(const struct onri_conv *c, const void *x, const struct onri_depthwise_bytes *bytes,
                          const float *differences, void *y, struct onr_env *env) {
  struct work w = {.c = c, .x_size = 1, .y_size = bytes->requantise ? 1 : sizeof(int32_t), .bytes = *bytes};
  run(&w, x, differences, NULL, y, env);
}
