/* quantized_parts.h: what the rewrites of quantized.c share. */
#ifndef ONRI_QUANTIZED_PARTS_H
#define ONRI_QUANTIZED_PARTS_H

#include "passes/quantized.h"

int onri_is_byte(enum onr_dtype dtype);
/* The numbers that a type of steps ends with. */
double onri_lowest(enum onr_dtype dtype);
double onri_highest(enum onr_dtype dtype);
/* Layers whose products kernels of bytes can do. */
int onri_multiplies(const struct onr_layer *layer);

/* v = dequantize_linear to float32. */
int onri_match_dequantize(const struct onri_rewrite *rw, int32_t v, struct onri_quantised *q);
/* The zero points as an input that is there; -1 when out of memory. */
int32_t onri_zero_input(struct onri_rewrite *rw, const struct onri_quantised *q);

/* Nodes that are looked at: quantize_linear of, perhaps, a clip of `v`. */
struct onri_quantized_target {
  struct onri_quantised y;
  int32_t v;        /* what the op makes */
  double low, high; /* of the clip, infinite where there is none */
};
int onri_match_target(const struct onri_rewrite *rw, const struct onri_node *node, struct onri_quantized_target *t);
/* The clip changes nothing that the type does not hold back anyway. */
int onri_clips_nothing(const struct onri_quantized_target *t);

/* v, dequantized weights, as bytes and their steps; *fits is 0 where they are none. */
enum onr_status onri_match_weights(struct onri_rewrite *rw, int32_t v, struct onri_quantised *w, int *fits);
/* The bias v (ONRI_NONE: none) as a float32 list; *fits is 0 where it is none. */
enum onr_status onri_real_bias(struct onri_rewrite *rw, int32_t *v, int64_t channels, int *fits);
struct onri_product_steps {
  const struct onri_quantised *x, *w;
  size_t channels;
  double y; /* a step of the result */
};
/* The bias of a product as int32; ONRI_NONE where there is none; *fits is 0 where it cannot be said so. */
enum onr_status onri_product_bias(struct onri_rewrite *rw, int32_t v, const struct onri_product_steps *p, int32_t *bias,
                                  int *fits);

/* `node` becomes the layer of bytes with these operands, quantized as `t` is. bias: ONRI_NONE for none. */
enum onr_status onri_become_quantized(struct onri_rewrite *rw, struct onri_node *node, const struct onr_layer *layer,
                                      const void *params, const struct onri_product_steps *p,
                                      const struct onri_quantized_target *t, int32_t bias);

/* `node` becomes `op` on bytes, where that is possible: a convolution, a product, layers that move what they get, parts
 * of a split, and what is put together of inputs from `first` on. */
enum onr_status onri_quantize_conv(struct onri_rewrite *rw, struct onri_node *node,
                                   const struct onri_quantized_target *t, const struct onri_node *op);
enum onr_status onri_quantize_product(struct onri_rewrite *rw, struct onri_node *node,
                                      const struct onri_quantized_target *t, const struct onri_plain_product *p);
enum onr_status onri_quantize_moved(struct onri_rewrite *rw, struct onri_node *node,
                                    const struct onri_quantized_target *t, const struct onri_node *op);
enum onr_status onri_quantize_split(struct onri_rewrite *rw, struct onri_node *node,
                                    const struct onri_quantized_target *t, const struct onri_node *op);
enum onr_status onri_quantize_joined(struct onri_rewrite *rw, struct onri_node *node,
                                     const struct onri_quantized_target *t, const struct onri_node *op, size_t first);
int onri_moves_input_0(const struct onri_rewrite *rw, const struct onri_node *op, enum onr_dtype dtype);
/* A sum of a product that nobody else reads and a list is the product with a bias. */
int onri_match_biased_product(const struct onri_rewrite *rw, const struct onri_node *sum,
                              struct onri_plain_product *product);

/* What multiplies bytes and is not quantized: real numbers. */
enum onr_status onri_real_product(struct onri_rewrite *rw, struct onri_node *op);
enum onr_status onri_real_conv(struct onri_rewrite *rw, struct onri_node *op);
/* Dynamic quantisation: sums of an integer layer that are cast and scaled, and what is added to these. */
enum onr_status onri_scale_sums(struct onri_rewrite *rw, struct onri_node *node);

enum onr_status onri_note_float_layers(struct onri_rewrite *rw);

#endif
