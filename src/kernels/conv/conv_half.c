/* conv_half.c: see conv_half.h. */
#include "kernels/conv/conv_half.h"

#include <math.h>
#include <string.h>

#include "kernels/matmul/half_product.h"

static size_t depth_of(const struct onri_conv *c) { return (size_t)(onri_conv_taps(c) * c->group_in); }

const char *onri_conv_half_why_not(const struct onri_conv *c) {
  if (c->transposed) return "it is transposed";
  if (c->groups != 1) return "it has groups of channels";
  return onri_half_product_why_not((size_t)c->group_out, depth_of(c));
}

size_t onri_conv_half_packed_bytes(const struct onri_conv *c) {
  return onri_half_product_packed_bytes((size_t)c->group_out, depth_of(c));
}

void onri_conv_half_pack(const struct onri_conv *c, const float *weights, void *packed, struct onr_env *env) {
  const size_t channels = (size_t)c->group_out;
  onri_half_product_pack(weights, channels, 1, channels, depth_of(c), packed, env);
}

struct work {
  const struct onri_conv *conv;
  const struct onri_conv_half *operands;
};

/* Where channel 0 of what output pixel `row` sees through a tap lies; NULL: in the padding. */
static const float *seen(const struct work *w, size_t row, size_t tap) {
  const struct onri_conv *c = w->conv;
  const struct onri_axis *axis = c->axis;
  const int64_t height = axis[1].out, width = axis[2].out, pixel = (int64_t)row % (axis[0].out * height * width),
                at[] = {pixel / (height * width), pixel / width % height, pixel % width},
                k[] = {(int64_t)tap / (axis[1].kernel * axis[2].kernel), (int64_t)tap / axis[2].kernel % axis[1].kernel,
                       (int64_t)tap % axis[2].kernel};
  const float *x = w->operands->x + (int64_t)row / (axis[0].out * height * width) * c->x.batch_stride;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    int64_t i;
    if (!onri_axis_tap(&axis[a], at[a], k[a], &i)) return NULL;
    x += i * c->x.stride[a];
  }
  return x;
}

static void gather(const void *context, size_t row, size_t from, size_t depth, float *to) {
  const struct work *w = context;
  const size_t channels = (size_t)w->conv->group_in;
  for (size_t done = 0, count; done < depth; done += count) {
    const size_t tap = (from + done) / channels, channel = (from + done) % channels;
    const float *x = seen(w, row, tap);
    count = channels - channel < depth - done ? channels - channel : depth - done;
    if (x) memcpy(to + done, x + channel, count * sizeof(*to));
    else memset(to + done, 0, count * sizeof(*to));
  }
}

/* Pixels of output are those of input, one by one. */
static int is_pointwise(const struct onri_conv *c) {
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    if (c->axis[a].kernel != 1 || c->axis[a].stride != 1 || c->axis[a].begin != 0 || c->axis[a].end != 0) return 0;
  return 1;
}

static void apply_tail(const void *context, void *y, size_t count) {
  const struct onri_conv_half *operands = context;
  operands->tail(operands->tail_context, y, count);
}

void onri_conv_half(const struct onri_conv *c, const struct onri_conv_half *operands, struct onr_env *env) {
  const struct work w = {c, operands};
  const struct onri_half_product product = {
      .gemm = {.m = (size_t)(c->y.batch * c->axis[0].out * c->axis[1].out * c->axis[2].out),
               .n = (size_t)c->group_out,
               .k = depth_of(c),
               .a = operands->x,
               .a_row = (size_t)c->group_in,
               .a_col = 1,
               .c = operands->y,
               .c_row = (size_t)c->group_out,
               .bias = operands->bias,
               .bias_col = 1,
               .alpha = 1,
               .beta = 1,
               .clamp = c->min > -INFINITY || c->max < INFINITY,
               .min = c->min,
               .max = c->max,
               .residual = operands->residual,
               .tail = operands->tail ? apply_tail : NULL,
               .tail_context = operands},
      .packed = operands->packed,
      .gather = is_pointwise(c) ? NULL : gather,
      .context = &w};
  onri_half_product(&product, env);
}
