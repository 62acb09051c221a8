/* match_quantized.c: see quantized.h and quantized_parts.h. */
#include <math.h>

#include "passes/quantized/quantized_parts.h"

int onri_is_byte(enum onr_dtype dtype) { return dtype == ONR_DTYPE_U8 || dtype == ONR_DTYPE_I8; }
static int is_steps(enum onr_dtype dtype) {
  return onri_is_byte(dtype) || dtype == ONR_DTYPE_U16 || dtype == ONR_DTYPE_I16;
}

/* scale and zero point of a node: constants, float32 scales. */
static int match_steps(const struct onri_rewrite *rw, const struct onri_node *node, struct onri_quantised *q) {
  const struct onr_quantize_params *p = node->params;
  size_t zeros;
  if (p->block_size != 0) return 0;
  q->scale = node->in[1];
  q->zero = node->num_in > 2 ? node->in[2] : ONRI_NONE;
  q->axis = p->axis;
  const float *scales = onri_rewrite_floats(rw, q->scale, &q->scales);
  if (!scales || q->scales == 0) return 0;
  for (size_t i = 0; i < q->scales; i++)
    if (!(scales[i] > 0) || isinf(scales[i])) return 0;
  q->step = (double)scales[0];
  q->offset = 0;
  if (q->zero == ONRI_NONE) return 1;
  if (!onri_rewrite_is_constant(rw, q->zero)) return 0;
  zeros = (size_t)onr_desc_elements(&rw->graph->values[q->zero].constant->desc);
  return zeros == q->scales && (zeros > 1 || onri_rewrite_scalar(rw, q->zero, &q->offset));
}

/* Files need not say the types of their values; zero points have those of what is quantized. */
static enum onr_dtype type_of(const struct onri_rewrite *rw, const struct onri_quantised *q, int32_t v,
                              enum onr_dtype otherwise) {
  const enum onr_dtype dtype = onri_rewrite_desc(rw, v)->dtype;
  if (q->zero != ONRI_NONE) return onri_rewrite_desc(rw, q->zero)->dtype;
  return dtype != ONR_DTYPE_NONE ? dtype : otherwise;
}

static int may_be_float(const struct onri_rewrite *rw, int32_t v) {
  const enum onr_dtype dtype = onri_rewrite_desc(rw, v)->dtype;
  return dtype == ONR_DTYPE_F32 || dtype == ONR_DTYPE_NONE;
}

/* v = dequantize_linear to float32. */
int onri_match_dequantize(const struct onri_rewrite *rw, int32_t v, struct onri_quantised *q) {
  const struct onri_node *node = onri_rewrite_match(rw, v, &onri_layer_dequantize_linear);
  if (!node || !may_be_float(rw, v) || !match_steps(rw, node, q)) return 0;
  const enum onr_dtype to = ((const struct onr_quantize_params *)node->params)->output_dtype;
  q->x = node->in[0];
  q->dtype = type_of(rw, q, q->x, ONR_DTYPE_NONE);
  return to == ONR_DTYPE_NONE || to == ONR_DTYPE_F32;
}

int onri_match_steps(const struct onri_rewrite *rw, int32_t v, struct onri_quantised *q) {
  return onri_match_dequantize(rw, v, q) && is_steps(q->dtype) && q->scales == 1;
}

int onri_match_bytes(const struct onri_rewrite *rw, int32_t v, struct onri_quantised *q) {
  return onri_match_steps(rw, v, q) && onri_is_byte(q->dtype);
}

int onri_match_quantize(const struct onri_rewrite *rw, const struct onri_node *node, struct onri_quantised *q) {
  const struct onr_quantize_params *p = node->params;
  q->x = node->in[0];
  if (p->precision != ONR_DTYPE_NONE && p->precision != ONR_DTYPE_F32) return 0;
  if (!may_be_float(rw, q->x) || !match_steps(rw, node, q) || q->scales != 1) return 0;
  q->dtype = type_of(rw, q, node->out[0], p->output_dtype != ONR_DTYPE_NONE ? p->output_dtype : ONR_DTYPE_U8);
  return is_steps(q->dtype);
}

/* The zero points as an input that is there; -1 when out of memory. */
int32_t onri_zero_input(struct onri_rewrite *rw, const struct onri_quantised *q) {
  const struct onr_desc desc = {.dtype = q->dtype};
  if (q->zero != ONRI_NONE) return q->zero;
  return onri_rewrite_data(rw, &desc, (const uint8_t[2]){0});
}

double onri_lowest(enum onr_dtype dtype) {
  return dtype == ONR_DTYPE_I8 ? INT8_MIN : dtype == ONR_DTYPE_I16 ? INT16_MIN : 0;
}
double onri_highest(enum onr_dtype dtype) {
  return onri_lowest(dtype) + (onri_is_byte(dtype) ? UINT8_MAX : UINT16_MAX);
}

int onri_multiplies(const struct onr_layer *layer) {
  return layer == &onri_layer_conv || layer == &onri_layer_matmul || layer == &onri_layer_gemm ||
         layer == &onri_layer_linear;
}

int onri_match_target(const struct onri_rewrite *rw, const struct onri_node *node, struct onri_quantized_target *t) {
  if (!onri_match_quantize(rw, node, &t->y) || rw->uses[t->y.x] != 1) return 0;
  t->v = t->y.x;
  t->low = -INFINITY, t->high = INFINITY;
  int32_t x;
  if (onri_match_clip(rw, t->y.x, &x, &t->low, &t->high) && rw->uses[x] == 1 && t->low <= t->high) t->v = x;
  else t->low = -INFINITY, t->high = INFINITY;
  return 1;
}

/* The clip changes nothing that the type does not hold back anyway. */
int onri_clips_nothing(const struct onri_quantized_target *t) {
  return rint(t->low / t->y.step) + t->y.offset <= onri_lowest(t->y.dtype) &&
         rint(t->high / t->y.step) + t->y.offset >= onri_highest(t->y.dtype);
}
