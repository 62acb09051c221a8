/* conv_gemm_pack.c: weights and biases as conv_gemm.h's products read them.
 *
 * packed   [groups][blocks][depth][channels of the block]: blocks of two vectors, the last may be one; in planes of
 *          equal size. depth: [taps][group_in], and of channels-first images [group_in][taps]
 * bias     [groups][channels of all blocks] */
#include <string.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/conv/conv_gemm_work.h"
#include "kernels/kernels.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* What is written in XNNPACK by hand is faster than vectors of 128 bits, and than short code; where it is not there,
 * plain C is slower. */
int onri_conv_gemm_is_fast(void) {
#ifdef ONNXRUN_HAVE_XNNPACK
  return onri_kernels(conv_gemm)->lanes > 4 && !onri_kernels(conv_gemm)->is_plain;
#else
  return 1;
#endif
}

size_t onri_conv_gemm_bias_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                                  enum onri_conv_form form) {
  return (size_t)(c->groups * onri_conv_blocks_of(c, kernels, form).channels);
}

size_t onri_conv_gemm_packed_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                                    enum onri_conv_form form) {
  int64_t floats = onri_conv_taps(c);
  if (!onri_mul_i64(floats, c->group_in, &floats) ||
      !onri_mul_i64(floats, onri_conv_blocks_of(c, kernels, form).channels, &floats) ||
      !onri_mul_i64(floats, c->groups, &floats) || floats > PTRDIFF_MAX / 8)
    return 0;
  return (size_t)floats;
}

struct packing {
  const struct onri_conv *c;
  struct onri_conv_blocks blocks;
  int64_t each; /* blocks in a group */
  enum onri_conv_form form;
  const float *weight;
  float *packed;
};

/* Channels [first, first + width) of a group, of which `count` are there. */
static void pack_block(const struct packing *p, const float *weight, int64_t width, int64_t count, float *to) {
  const int64_t taps = onri_conv_taps(p->c), in = p->c->group_in, depth = taps * in;
  for (int64_t k = 0; k < depth; k++, to += width) {
    const float *from = weight + (p->form == ONRI_CONV_LAST ? k % in * taps + k / in : k);
    for (int64_t j = 0; j < count; j++) to[j] = from[j * depth];
    for (int64_t j = count; j < width; j++) to[j] = 0;
  }
}

/* Blocks [begin, end) of all groups. */
static void pack_blocks(void *context, size_t begin, size_t end) {
  const struct packing *p = context;
  const struct onri_conv_blocks *b = &p->blocks;
  const int64_t depth = onri_conv_taps(p->c) * p->c->group_in;
  for (int64_t item = (int64_t)begin; item < (int64_t)end; item++) {
    const int64_t g = item / p->each, first = item % p->each * b->width, width = least(b->width, b->channels - first);
    pack_block(p, p->weight + (g * p->c->group_out + first) * depth, width, least(width, p->c->group_out - first),
               p->packed + (g * b->channels + first) * depth);
  }
}

void onri_conv_gemm_pack(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                         enum onri_conv_form form, const float *weight, float *packed, struct onr_env *env) {
  enum { GRAIN = 1 << 18 }; /* floats: waking a thread takes as long as packing some thousands */
  struct packing p = {
      .c = c, .blocks = onri_conv_blocks_of(c, kernels, form), .form = form, .weight = weight, .packed = packed};
  const int64_t block = p.blocks.width * onri_conv_taps(c) * c->group_in;
  p.each = (p.blocks.channels - 1) / p.blocks.width + 1;
  onr_parallel_for(env, (size_t)(c->groups * p.each), (size_t)(GRAIN / most(block, 1) + 1), pack_blocks, &p);
}

void onri_conv_gemm_scale(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *packed,
                          const float *scale, float *scaled) {
  const struct onri_conv_blocks blocks = onri_conv_blocks_of(c, kernels, ONRI_CONV_LAST);
  for (int64_t first = 0; first < blocks.channels; first += blocks.width) {
    const int64_t width = least(blocks.width, blocks.channels - first);
    for (int64_t k = 0; k < c->group_in; k++, packed += width, scaled += width)
      for (int64_t j = 0; j < width; j++) scaled[j] = packed[j] * scale[k];
  }
}

void onri_conv_gemm_pack_bias(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                              enum onri_conv_form form, const float *bias, float *packed) {
  const int64_t channels = onri_conv_blocks_of(c, kernels, form).channels;
  memset(packed, 0, onri_conv_gemm_bias_floats(c, kernels, form) * sizeof(float));
  for (int64_t g = 0; bias && g < c->groups; g++)
    memcpy(packed + g * channels, bias + g * c->group_out, (size_t)c->group_out * sizeof(float));
}
