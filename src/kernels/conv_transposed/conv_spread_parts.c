/* conv_spread_parts.c: see conv_spread.h. */
#include <math.h>
#include <string.h>

#include "base/numbers/checked.h"
#include "kernels/conv_transposed/conv_spread.h"

enum { PART_FLOATS = 64 << 10, LEAST_PIXELS = 32 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

int onri_spread_can(const struct onri_conv *c) {
  int64_t channels;
  return c->transposed && c->group_in > 0 && c->group_out > 0 &&
         onri_mul_i64(c->group_out, onri_conv_taps(c), &channels);
}

static struct onri_conv product_of(const struct onri_conv *c) {
  struct onri_conv all = *c;
  all.transposed = 0;
  all.group_out = c->group_out * onri_conv_taps(c);
  all.min = -INFINITY, all.max = INFINITY;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    all.axis[a] =
        (struct onri_axis){.in = c->axis[a].in, .out = c->axis[a].in, .kernel = 1, .stride = 1, .dilation = 1};
  return all;
}

/* --- packing --- */

size_t onri_spread_packed_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                                 enum onri_conv_form form) {
  const struct onri_conv all = product_of(c);
  return onri_conv_gemm_packed_floats(&all, kernels, form);
}

void onri_spread_pack(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, enum onri_conv_form form,
                      const float *weight, float *room, float *packed, struct onr_env *env) {
  const struct onri_conv all = product_of(c);
  const int64_t taps = onri_conv_taps(c);
  float *to = room;
  for (int64_t g = 0; g < c->groups; g++, weight += all.group_in * all.group_out)
    for (int64_t t = 0; t < taps; t++)
      for (int64_t m = 0; m < c->group_out; m++)
        for (int64_t k = 0; k < c->group_in; k++) *to++ = weight[(k * c->group_out + m) * taps + t];
  onri_conv_gemm_pack(&all, kernels, form, room, packed, env);
}

size_t onri_spread_bias_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                               enum onri_conv_form form) {
  const struct onri_conv all = product_of(c);
  return (size_t)(c->groups * c->group_out) + onri_conv_gemm_bias_floats(&all, kernels, form);
}

void onri_spread_pack_bias(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                           enum onri_conv_form form, const float *bias, float *packed) {
  memset(packed, 0, onri_spread_bias_floats(c, kernels, form) * sizeof(*packed));
  if (bias) memcpy(packed, bias, (size_t)(c->groups * c->group_out) * sizeof(*packed));
}

/* --- parts --- */

struct onri_spread_part onri_spread_part(const struct onri_conv *c) {
  int64_t pixels = most(PART_FLOATS / (c->group_out * onri_conv_taps(c)), LEAST_PIXELS);
  struct onri_spread_part p = {.group = 0};
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; a--) {
    p.count[a] = most(least(pixels, c->axis[a].in), 1);
    pixels /= p.count[a];
  }
  p.groups = most(least(pixels, c->groups), 1);
  return p;
}

size_t onri_spread_part_floats(const struct onri_conv *c) {
  const struct onri_spread_part p = onri_spread_part(c);
  int64_t floats = p.groups * c->group_out;
  if (!onri_mul_i64(floats, onri_conv_taps(c), &floats)) return SIZE_MAX;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    if (!onri_mul_i64(floats, p.count[a], &floats)) return SIZE_MAX;
  return floats < PTRDIFF_MAX / 8 ? (size_t)floats : SIZE_MAX;
}

struct onri_spread onri_spread_begin(const struct onri_conv *c, enum onri_conv_form form,
                                     const struct onri_conv_gemm_kernels *kernels,
                                     const struct onri_conv_gemm *operands, float *products, struct onr_env *env) {
  return (struct onri_spread){.c = c,
                              .form = form,
                              .product = product_of(c),
                              .kernels = kernels,
                              .operands = operands,
                              .env = env,
                              .products = products,
                              .part = onri_spread_part(c)};
}

int onri_spread_next_box(struct onri_spread *w) {
  const struct onri_spread_part all = onri_spread_part(w->c);
  struct onri_spread_part *p = &w->part;
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; a--) {
    const int64_t in = w->c->axis[a].in, next = p->first[a] + p->count[a];
    p->first[a] = next < in ? next : 0;
    p->count[a] = least(all.count[a], in - p->first[a]);
    if (next < in) return 1;
  }
  return 0;
}

int onri_spread_next_groups(struct onri_spread *w) {
  struct onri_spread_part *p = &w->part;
  const int64_t next = p->group + p->groups;
  p->group = next < w->c->groups ? next : 0;
  p->groups = least(onri_spread_part(w->c).groups, w->c->groups - p->group);
  return p->group > 0;
}

/* The image of the products of a box. */
static struct onri_image image_of(const struct onri_spread *w) {
  const struct onri_spread_part *p = &w->part;
  const int64_t channels = p->groups * w->product.group_out, pixels = p->count[0] * p->count[1] * p->count[2];
  const int first = w->form == ONRI_CONV_FIRST;
  struct onri_image y = {
      .batch = 1, .channels = channels, .batch_stride = channels * pixels, .channel_stride = first ? pixels : 1};
  int64_t next = first ? 1 : channels;
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; next *= p->count[a--]) {
    y.size[a] = p->count[a];
    y.stride[a] = next;
  }
  return y;
}

void onri_spread_multiply(const struct onri_spread *w) {
  const struct onri_conv *c = w->c;
  const struct onri_spread_part *p = &w->part;
  struct onri_conv box = w->product;
  struct onri_conv_gemm operands = *w->operands;
  const int64_t packed = (int64_t)onri_conv_gemm_packed_floats(&box, w->kernels, w->form) / c->groups;
  operands.form = w->form;
  operands.packed += p->group * packed;
  operands.bias += c->groups * c->group_out;
  operands.x += w->n * c->x.batch_stride + p->group * c->group_in * c->x.channel_stride;
  operands.y = w->products;
  box.groups = p->groups;
  box.x.batch = 1, box.x.channels = box.groups * c->group_in;
  box.y = image_of(w);
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    operands.x += p->first[a] * c->x.stride[a];
    box.axis[a].in = box.axis[a].out = box.x.size[a] = p->count[a];
  }
  onri_conv_gemm_f32(&box, w->kernels, &operands, w->env);
}
