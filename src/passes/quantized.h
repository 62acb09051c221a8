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

/* v is bytes of one scale, dequantized to float32. */
int onri_match_bytes(const struct onri_rewrite *rw, int32_t v, struct onri_quantised *q);
/* The node quantizes float32 (q->x) to bytes of one scale. */
int onri_match_quantize(const struct onri_rewrite *rw, const struct onri_node *node, struct onri_quantised *q);

#endif
