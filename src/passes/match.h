/* match.h: pieces of patterns that several passes look for. All look only; none changes anything. */
#ifndef ONRI_MATCH_H
#define ONRI_MATCH_H

#include "layers/layers.h"
#include "passes/rewrite.h"

/* The unary or binary node of this op (without a clamp) that makes v, or NULL. */
struct onri_node *onri_match_unary(const struct onri_rewrite *rw, int32_t v, enum onr_unary op);
struct onri_node *onri_match_binary(const struct onri_rewrite *rw, int32_t v, enum onr_binary op);
/* v = x op c with a scalar constant c that does not change x's shape. Either side for ADD and MUL, the right one for
 * SUB, DIV and POW. Returns 0 when v is not that. */
int onri_match_scalar(const struct onri_rewrite *rw, int32_t v, enum onr_binary op, int32_t *x, double *c);
/* v = factor x: a product with, or a quotient by, a scalar. v itself and 1 when it is neither. */
int32_t onri_match_scale(const struct onri_rewrite *rw, int32_t v, double *factor);
/* v = x + c or x - c. Returns 0 when v is not that. */
int onri_match_shift(const struct onri_rewrite *rw, int32_t v, int32_t *x, double *c);
/* v = min(max(x, low), high) with known bounds: clip, relu. Returns 0 when v is not that. */
int onri_match_clip(const struct onri_rewrite *rw, int32_t v, int32_t *x, double *low, double *high);
/* v = x x, also as a power. */
int onri_match_square(const struct onri_rewrite *rw, int32_t v, int32_t *x);
/* v = 1 / sqrt(x) in any spelling. */
int onri_match_rsqrt(const struct onri_rewrite *rw, int32_t v, int32_t *x);
/* v = mean (or another reduction) of x over the last n dimensions, kept as 1. Returns n, 0 when v is not that. */
int32_t onri_match_trailing_reduce(const struct onri_rewrite *rw, int32_t v, enum onr_reduce_op op, int32_t *x);
/* The axes of a reduce or squeeze node as a mask; 0 when they are not known. */
int onri_match_axes(const struct onri_rewrite *rw, const struct onri_node *node, int32_t rank,
                    uint8_t mask[ONR_MAX_RANK]);

/* v as a product: scale times up to ONRI_MATCH_FACTORS values; small powers are taken apart. Products that others read,
 * too, count as one factor. Returns the number of factors. */
#define ONRI_MATCH_FACTORS 6
size_t onri_match_product(const struct onri_rewrite *rw, int32_t v, int32_t factors[ONRI_MATCH_FACTORS], double *scale);

/* A conv node of two dimensions and one group, whose outputs see the pixel at their place alone. */
int onri_match_pixelwise(const struct onri_rewrite *rw, const struct onri_node *conv);

/* The type of v is a float type of 16 to 64 bits. */
int onri_match_is_float(const struct onri_rewrite *rw, int32_t v);
/* Equal to about float precision, as constants of exporters are. */
int onri_match_near(double a, double b);
/* A constant with one element a channel of v ([C, 1, ...] against rank `rank`, leading 1s allowed), or with one
 * element. Returns its float data and 1 or C in *count, NULL when it is neither. */
const float *onri_match_per_channel(const struct onri_rewrite *rw, int32_t c, int32_t rank, int64_t channels,
                                    int32_t channel_axis, size_t *count);

/* scale and shift of an inference-mode batch_norm with constant statistics, one each a channel, in the graph's arena; 0
 * when it is not that. rank: of its input. */
int onri_match_batch_norm(struct onri_rewrite *rw, const struct onri_node *node, int32_t rank, const float **scale,
                          const float **shift, size_t *count);

#endif
