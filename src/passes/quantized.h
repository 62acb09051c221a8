/* quantized.h: quantize_linear and dequantize_linear as passes see them. */
#ifndef ONRI_QUANTIZED_H
#define ONRI_QUANTIZED_H

#include "passes/match.h"

/* A value seen as (x - zero) scale. Scales are constant, positive and finite. */
struct onri_quantised {
  int32_t x, scale, zero; /* zero: ONRI_NONE for 0 */
  double step;            /* the first scale */
  double offset;          /* its zero point, when there is one */
  enum onr_dtype dtype;
  int64_t axis;
  size_t scales; /* how many */
};

/* v is integers of 8 or 16 bits (bytes: of 8) and one scale, dequantized to float32. */
int onri_match_steps(const struct onri_rewrite *rw, int32_t v, struct onri_quantised *q);
int onri_match_bytes(const struct onri_rewrite *rw, int32_t v, struct onri_quantised *q);
/* The node quantizes float32 (q->x) to integers of 8 or 16 bits and one scale. */
int onri_match_quantize(const struct onri_rewrite *rw, const struct onri_node *node, struct onri_quantised *q);

/* A B or, turned, A B^T; a bias, ONRI_NONE where there is none. */
struct onri_plain_product {
  int32_t a, b, bias;
  int turned;
};
/* 0 where the node, of a layer of products, is more than that, or the rank of B is not known. */
int onri_match_plain_product(const struct onri_rewrite *rw, const struct onri_node *op,
                             struct onri_plain_product *product);
/* The steps as layers have them in their parameters. */
static inline struct onr_fused_bytes onri_steps_of_value(const struct onri_quantised *q) {
  return (struct onr_fused_bytes){(float)q->step, (int32_t)q->offset, (int32_t)q->dtype};
}

#endif
