/* conv_scale.c: see conv_scale.h. */
#include "layers/conv/conv_scale.h"

#include <math.h>

#include "base/shape.h"
#include "base/types.h"
#include "kernels/elementwise/elementwise.h"
#include "layers/elementwise/scratch.h"
#include "layers/elementwise/widened.h"

enum onr_status onri_conv_scale_check(const struct onr_call *call, const struct onri_conv *c) {
  const struct onr_desc *x = &call->in[0];
  int64_t dims[ONR_MAX_RANK];
  for (int32_t d = 0; d < x->rank; d++) dims[d] = d == 0 || d == x->rank - 1 ? x->dim[d] : 1;
  if (x->dtype != ONR_DTYPE_F32 || onri_conv_taps(c) != 1 || c->groups != 1 || c->x.channel_stride != 1)
    return onr_fail(call->error, ONR_STATUS_UNSUPPORTED,
                    "channels are multiplied for single float32 pixels, channels-last and in one group, alone");
  return onri_expect_shape(call, ONRI_CONV_SCALE, x->rank, dims);
}

enum onr_status onri_conv_scale_plan(struct onr_call *call, size_t packed_floats, size_t *at) {
  const size_t floats = packed_floats ? packed_floats : (size_t)onr_desc_elements(&call->in[0]);
  return onri_scratch_reserve(call, onri_size_of((size_t[]){floats, sizeof(float)}, 2), at);
}

void onri_conv_scale_product(const struct onr_call *call, const struct onri_conv *c,
                             const struct onri_conv_gemm *operands, float *scaled) {
  const float *scale = call->inputs[ONRI_CONV_SCALE];
  struct onri_conv one = *c;
  struct onri_conv_gemm of = *operands;
  one.x.batch = one.y.batch = 1;
  of.packed = scaled;
  for (int64_t n = 0; n < c->x.batch && !onr_env_cancelled(call->env); n++, scale += c->group_in) {
    onri_conv_gemm_scale(&one, onri_kernels(conv_gemm), operands->packed, scale, scaled);
    of.x = operands->x + n * c->x.batch_stride;
    of.y = operands->y + n * c->y.batch_stride;
    if (of.residual) of.residual = operands->residual + n * c->y.batch_stride;
    onri_conv_gemm_f32(&one, onri_kernels(conv_gemm), &of, call->env);
  }
}

struct work {
  const struct onri_conv *c;
  const float *x, *scale;
  float *scaled;
};

static void scale_pixels(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const size_t channels = (size_t)w->c->x.channels, pixels = (size_t)w->c->x.batch_stride / channels;
  for (size_t from = begin, to; from < end; from = to) {
    to = (from / pixels + 1) * pixels < end ? (from / pixels + 1) * pixels : end; /* of one image */
    const struct onri_binary_rows rows = {.a = w->x + from * channels,
                                          .b = w->scale + from / pixels * channels,
                                          .y = w->scaled + from * channels,
                                          .rows = to - from,
                                          .count = channels,
                                          .a_row = channels,
                                          .a_step = 1,
                                          .b_step = 1,
                                          .min = -INFINITY,
                                          .max = INFINITY};
    onri_binary_kernel_f32(ONR_BINARY_MUL)(&rows);
  }
}

void onri_conv_scale_image(const struct onr_call *call, const struct onri_conv *c, float *scaled) {
  struct work w = {c, call->inputs[0], call->inputs[ONRI_CONV_SCALE], scaled};
  const int64_t pixels = c->x.channels > 0 ? c->x.batch * (c->x.batch_stride / c->x.channels) : 0;
  onr_parallel_for(call->env, (size_t)pixels, 64, scale_pixels, &w);
}
