/* batch_norm.c: y = (x - mean) / sqrt(variance + epsilon) * scale + bias, for each channel.
 *
 * input 0     x         [N, C, ...] (rank from 2; rank 1: all one channel), or channels-last
 * input 1..4  scale, bias, mean, variance  [C], any float dtype
 * output 0    y         like x
 * output 1,2  training, optional: running mean and variance [C], dtype of input 3
 * ONNX        BatchNormalization-1..15
 * path        portable; statistics in float64. With constant statistics it is usually folded into a convolution.
 */
#include <math.h>

#include "kernels/convert/convert.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/kernels.h"
#include "base/shape.h"
#include "layers/layers.h"
#include "layers/elementwise/widened.h"

struct batch_norm_state {
  int64_t outer, channels, inner; /* x as [outer][channels][inner] */
  size_t x, y, factors;           /* factors: double [4][C], as inputs 1 to 4 */
};

struct work {
  const struct batch_norm_state *s;
  const void *x;
  void *y;
  const double *scale, *shift; /* [C] */
};

static int32_t channel_axis(const struct onr_call *call) {
  const struct onr_batch_norm_params *p = call->params;
  return p->channels_last && call->in[0].rank > 1 ? call->in[0].rank - 1 : 1;
}

static int64_t num_channels(const struct onr_call *call) {
  return call->in[0].rank > 1 ? call->in[0].dim[channel_axis(call)] : 1;
}

static enum onr_status batch_norm_infer(struct onr_call *call) {
  const struct onr_batch_norm_params *p = call->params;
  ONR_TRY(onri_expect_rank(call, 0, p->min_rank ? p->min_rank : 1, p->max_rank ? p->max_rank : ONR_MAX_RANK));
  for (size_t i = 1; i < 5; i++) {
    if (call->in[i].rank != 1 || call->in[i].dim[0] != num_channels(call))
      return onr_fail(call->error, ONR_STATUS_SHAPE,
                      "input %zu: expected %lld elements like the channels, found rank %d with %lld", i,
                      (long long)num_channels(call), call->in[i].rank, (long long)onr_desc_elements(&call->in[i]));
  }
  if (call->num_out > 1 && !p->training)
    return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "running statistics are only made in training mode");
  call->out[0] = call->in[0];
  for (size_t i = 1; i < call->num_out; i++) {
    call->out[i] = call->in[3];
    call->out[i].dtype = call->in[2 + i].dtype;
  }
  return ONR_STATUS_OK;
}

static enum onr_status batch_norm_plan(struct onr_call *call) {
  struct batch_norm_state *s = call->state;
  const struct onr_desc *x = &call->in[0];
  const int32_t axis = channel_axis(call);
  s->outer = x->rank > 1 ? onri_product(x, 0, axis) : x->dim[0];
  s->channels = num_channels(call);
  s->inner = x->rank > 1 ? onri_product(x, axis + 1, x->rank) : 1;
  call->in_place = 0;
  ONR_TRY(onri_widened_plan(call, x, &s->x));
  ONR_TRY(onri_widened_plan(call, &call->out[0], &s->y));
  return onri_scratch_reserve(call, (size_t)s->channels * 4 * sizeof(double), &s->factors);
}

static void put_element(const struct onr_call *call, size_t i, int64_t c, double value) {
  const enum onr_dtype dtype = call->out[i].dtype;
  const float narrow = (float)value;
  if (!call->outputs[i]) return;
  onri_narrow(dtype, onri_is_double(dtype) ? (const void *)&value : &narrow, 1,
              (unsigned char *)call->outputs[i] + (size_t)c * onr_dtype_size(dtype));
}

static double x_at(const struct onr_call *call, const void *x, int64_t i) {
  return onri_is_double(call->in[0].dtype) ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

/* Mean and (biased) variance of channel c of this batch. */
static void batch_statistics(const struct onr_call *call, const void *x, int64_t c, double *mean, double *variance) {
  const struct batch_norm_state *s = call->state;
  const double count = (double)(s->outer * s->inner);
  double sum = 0, squares = 0;
  for (int64_t o = 0; o < s->outer; o++)
    for (int64_t i = 0; i < s->inner; i++) sum += x_at(call, x, (o * s->channels + c) * s->inner + i);
  *mean = sum / count;
  for (int64_t o = 0; o < s->outer; o++)
    for (int64_t i = 0; i < s->inner; i++) {
      const double d = x_at(call, x, (o * s->channels + c) * s->inner + i) - *mean;
      squares += d * d;
    }
  *variance = squares / count;
}

/* Factors and shifts of `channels` channels, as their elements lie, `times` times. */
static void fill_pattern(const double *values, int64_t channels, int64_t inner, int64_t times, float *pattern) {
  for (int64_t t = 0; t < times; t++)
    for (int64_t c = 0; c < channels; c++)
      for (int64_t i = 0; i < inner; i++) *pattern++ = (float)values[c];
}

/* Channels of a few elements, or of one (channels-last): many of them are one row, which has a factor an element. */
static void short_channels_f32(const struct work *w, int64_t begin, int64_t end) {
  enum { PATTERN = 512 };
  const struct batch_norm_state *s = w->s;
  const int64_t most = PATTERN / s->inner, outer = s->channels * s->inner;
  float scale[PATTERN], shift[PATTERN];
  for (int64_t first = 0, count; first < s->channels; first += count) {
    count = s->channels - first < most ? s->channels - first : most;
    const int64_t times = count == s->channels ? PATTERN / outer : 1;
    fill_pattern(w->scale + first, count, s->inner, times, scale);
    fill_pattern(w->shift + first, count, s->inner, times, shift);
    for (int64_t o = begin; o < end; o += times) {
      const int64_t at = o * outer + first * s->inner, some = end - o < times ? end - o : times;
      const struct onri_affine_rows rows = {.product = {.a = (const float *)w->x + at,
                                                        .b = scale,
                                                        .y = (float *)w->y + at,
                                                        .rows = 1,
                                                        .count = (size_t)(some * count * s->inner),
                                                        .a_step = 1,
                                                        .b_step = 1,
                                                        .min = -INFINITY,
                                                        .max = INFINITY},
                                            .c = shift,
                                            .c_step = 1};
      onri_kernels(elementwise)->affine(&rows);
    }
  }
}

static void apply_f32(const struct work *w, int64_t outer) {
  const struct batch_norm_state *s = w->s;
  for (int64_t c = 0; c < s->channels; c++) {
    const float scale = (float)w->scale[c], shift = (float)w->shift[c];
    const float *x = (const float *)w->x + (outer * s->channels + c) * s->inner;
    float *y = (float *)w->y + (outer * s->channels + c) * s->inner;
    onri_unary_kernel_f32(ONR_UNARY_AFFINE)(x, y, (size_t)s->inner, scale, shift);
  }
}

static void apply_f64(const struct work *w, int64_t outer) {
  const struct batch_norm_state *s = w->s;
  for (int64_t c = 0; c < s->channels; c++) {
    const double *x = (const double *)w->x + (outer * s->channels + c) * s->inner;
    double *y = (double *)w->y + (outer * s->channels + c) * s->inner;
    for (int64_t i = 0; i < s->inner; i++) y[i] = x[i] * w->scale[c] + w->shift[c];
  }
}

static void outers_f32(void *context, size_t begin, size_t end) {
  enum { SHORT = 32 };
  const struct work *w = context;
  if (w->s->inner < SHORT) short_channels_f32(w, (int64_t)begin, (int64_t)end);
  else
    for (size_t o = begin; o < end; o++) apply_f32(w, (int64_t)o);
}

static void outers_f64(void *context, size_t begin, size_t end) {
  for (size_t o = begin; o < end; o++) apply_f64(context, (int64_t)o);
}

static enum onr_status batch_norm_run(struct onr_call *call) {
  const struct onr_batch_norm_params *p = call->params;
  const struct batch_norm_state *s = call->state;
  const void *x = onri_widened_input(call, 0, s->x);
  double *factors[4]; /* of each channel: scale, bias, mean, variance; the first two become what x is taken times and
                         plus */
  for (size_t i = 0; i < 4; i++) {
    factors[i] = (double *)(void *)((unsigned char *)call->scratch + s->factors) + (int64_t)i * s->channels;
    onri_widen_as(call->in[i + 1].dtype, call->inputs[i + 1], (size_t)s->channels, ONRI_CLASS_F64, factors[i]);
  }
  double *scale = factors[0], *shift = factors[1], *mean = factors[2], *variance = factors[3];
  struct work w = {.s = s, .x = x, .y = onri_widened_output(call, 0, s->y), .scale = scale, .shift = shift};
  for (int64_t c = 0; c < s->channels && p->training; c++) {
    const double old_mean = mean[c], old_variance = variance[c], keep = (double)p->momentum;
    batch_statistics(call, x, c, &mean[c], &variance[c]);
    for (size_t i = 1; i < call->num_out; i++)
      put_element(call, i, c,
                  i == 1 ? old_mean * keep + mean[c] * (1 - keep) : old_variance * keep + variance[c] * (1 - keep));
  }
  for (int64_t c = 0; c < s->channels; c++) {
    scale[c] /= sqrt(variance[c] + (double)p->epsilon);
    shift[c] -= mean[c] * scale[c];
  }
  const size_t grain = (size_t)(s->channels * s->inner > 4096 ? 1 : 4096 / (s->channels * s->inner + 1) + 1);
  const size_t outers = s->inner > 0 ? (size_t)s->outer : 0; /* channels of no elements: only statistics */
  onr_parallel_for(call->env, outers, grain, onri_is_double(call->in[0].dtype) ? outers_f64 : outers_f32, &w);
  onri_widened_finish(call, 0, s->y);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_batch_norm = {
    .name = "batch_norm",
    .inputs_min = 5,
    .inputs_max = 5,
    .outputs_min = 1,
    .outputs_max = 3,
    .flags = ONRI_LAYER_NO_PRODUCTS,
    .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT},
    .output_type = ONR_AS_INPUT(0),
    .layout = ONRI_LAYOUT_EITHER,
    .layout_param = offsetof(struct onr_batch_norm_params, channels_last),
    .params_size = sizeof(struct onr_batch_norm_params),
    .state_size = sizeof(struct batch_norm_state),
    .infer = batch_norm_infer,
    .plan = ONRI_WHERE(RUN_batch_norm, batch_norm_plan),
    .run = ONRI_WHERE(RUN_batch_norm, batch_norm_run),
};
