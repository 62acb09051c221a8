/* weights.c: operands of quantized products: weights as bytes, biases in steps of the product or as real numbers. */
#include <math.h>

#include "base/numbers/convert.h"
#include "passes/quantized/quantized_parts.h"

/* Real values of a bias: float32, or dequantized int32 of one scale or one a channel. */
static int bias_at(const struct onri_rewrite *rw, int32_t v, size_t channels, double *bias) {
  struct onri_quantised q;
  size_t count;
  const float *reals = onri_rewrite_floats(rw, v, &count);
  if (reals) {
    for (size_t i = 0; i < channels && count == channels; i++) bias[i] = (double)reals[i];
    return count == channels;
  }
  if (!onri_match_dequantize(rw, v, &q) || q.dtype != ONR_DTYPE_I32 || q.offset != 0 ||
      (q.scales != 1 && q.scales != channels) ||
      (q.scales > 1 && q.zero != ONRI_NONE && !onri_rewrite_all_equal(rw, q.zero, 0)) ||
      !onri_rewrite_is_constant(rw, q.x))
    return 0;
  enum onr_status status = ONR_STATUS_OK;
  const int32_t *steps = onri_value_data(rw->graph, q.x, &status, NULL);
  const float *scales = onri_rewrite_floats(rw, q.scale, &count);
  if (!steps || !scales || (size_t)onr_desc_elements(&rw->graph->values[q.x].constant->desc) != channels) return 0;
  for (size_t i = 0; i < channels; i++) bias[i] = (double)steps[i] * (double)scales[q.scales > 1 ? i : 0];
  return 1;
}

/* v holds so many numbers that are known: what is made of them needs no more memory than they do. */
static int is_list_of(const struct onri_rewrite *rw, int32_t v, size_t channels) {
  struct onri_quantised q;
  if (onri_match_dequantize(rw, v, &q)) v = q.x;
  return onri_rewrite_is_constant(rw, v) && (size_t)onr_desc_elements(&rw->graph->values[v].constant->desc) == channels;
}

/* The bias v (ONRI_NONE: none) as a float32 list; *fits is 0 where it is none. */
enum onr_status onri_real_bias(struct onri_rewrite *rw, int32_t *v, int64_t channels, int *fits) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, &channels);
  struct onr_env *env = rw->graph->env;
  size_t count;
  *fits = 1;
  if (*v == ONRI_NONE) return ONR_STATUS_OK;
  *fits = channels > 0 && onri_rewrite_rank(rw, *v) == 1 && is_list_of(rw, *v, (size_t)channels);
  if (!*fits) return ONR_STATUS_OK;
  if (onri_rewrite_floats(rw, *v, &count)) return ONR_STATUS_OK;
  double *reals = onr_env_allocate(env, (size_t)channels * sizeof(*reals));
  struct onri_constant *constant = reals ? onri_constant_create(env, &desc) : NULL;
  *fits = constant && bias_at(rw, *v, (size_t)channels, reals);
  for (int64_t i = 0; i < channels && *fits; i++) ((float *)constant->data)[i] = (float)reals[i];
  onr_env_release(env, reals);
  if (!constant) return onri_rewrite_no_memory(rw);
  if (*fits) *v = onri_rewrite_constant(rw, constant);
  else onri_constant_release(constant);
  return *v < 0 ? onri_rewrite_no_memory(rw) : ONR_STATUS_OK;
}

/* What rounding a bias may move a result by, in its steps. */
static const double MOST_MOVED = 1.0 / 32;

/* The bias of a product as int32; ONRI_NONE where there is none; *fits is 0 where it cannot be said so. */
enum onr_status onri_product_bias(struct onri_rewrite *rw, int32_t v, const struct onri_product_steps *p, int32_t *bias,
                                  int *fits) {
  const size_t channels = p->channels;
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_I32, 1, (int64_t[]){(int64_t)channels});
  struct onr_env *env = rw->graph->env;
  size_t count;
  *bias = ONRI_NONE;
  *fits = 1;
  if (v == ONRI_NONE) return ONR_STATUS_OK;
  *fits = is_list_of(rw, v, channels);
  if (!*fits) return ONR_STATUS_OK;
  const float *scales = onri_rewrite_floats(rw, p->w->scale, &count);
  double *reals = onr_env_allocate(env, (channels + 1) * sizeof(*reals));
  struct onri_constant *constant = onri_constant_create(rw->graph->env, &desc);
  if (!reals || !constant) {
    onr_env_release(env, reals);
    if (constant) onri_constant_release(constant);
    return onri_rewrite_no_memory(rw);
  }
  *fits = scales && bias_at(rw, v, channels, reals);
  for (size_t i = 0; i < channels && *fits; i++) {
    const double step = p->x->step * (double)scales[p->w->scales > 1 ? i : 0], steps = rint(reals[i] / step);
    *fits = fabs(steps) < 0x1p30 && fabs(steps * step - reals[i]) <= MOST_MOVED * p->y;
    if (*fits) ((int32_t *)constant->data)[i] = (int32_t)steps;
  }
  onr_env_release(env, reals);
  if (!*fits) {
    onri_constant_release(constant);
    return ONR_STATUS_OK;
  }
  *bias = onri_rewrite_constant(rw, constant);
  return *bias < 0 ? onri_rewrite_no_memory(rw) : ONR_STATUS_OK;
}

/* v, a constant of 4 bits, as bytes. */
static enum onr_status widen(struct onri_rewrite *rw, int32_t *v) {
  const struct onr_desc from = rw->graph->values[*v].constant->desc;
  const size_t count = (size_t)onr_desc_elements(&from);
  struct onr_desc desc = from;
  enum onr_status status = ONR_STATUS_OK;
  desc.dtype = from.dtype == ONR_DTYPE_U4 ? ONR_DTYPE_U8 : ONR_DTYPE_I8;
  const uint8_t *x = onri_value_data(rw->graph, *v, &status, rw->error);
  ONR_TRY(status);
  struct onri_constant *constant = onri_constant_create(rw->graph->env, &desc);
  if (!constant) return onri_rewrite_no_memory(rw);
  for (size_t i = 0; i < count; i++) {
    int64_t value = 0;
    onri_load(from.dtype, x + i, 1, &value); /* either class of integers */
    ((uint8_t *)constant->data)[i] = (uint8_t)value;
  }
  *v = onri_rewrite_constant(rw, constant);
  return *v < 0 ? onri_rewrite_no_memory(rw) : ONR_STATUS_OK;
}

/* v, dequantized weights, as bytes and their steps; *fits is 0 where they are none. */
enum onr_status onri_match_weights(struct onri_rewrite *rw, int32_t v, struct onri_quantised *w, int *fits) {
  const int known = onri_match_dequantize(rw, v, w);
  *fits = known && onri_is_byte(w->dtype);
  if (!known || (w->dtype != ONR_DTYPE_I4 && w->dtype != ONR_DTYPE_U4) || !onri_rewrite_is_constant(rw, w->x))
    return ONR_STATUS_OK;
  ONR_TRY(widen(rw, &w->x));
  if (w->zero != ONRI_NONE) ONR_TRY(widen(rw, &w->zero));
  w->dtype = w->dtype == ONR_DTYPE_U4 ? ONR_DTYPE_U8 : ONR_DTYPE_I8;
  *fits = 1;
  return ONR_STATUS_OK;
}

enum onr_status onri_become_quantized(struct onri_rewrite *rw, struct onri_node *node, const struct onr_layer *layer,
                                      const void *params, const struct onri_product_steps *p,
                                      const struct onri_quantized_target *t, int32_t bias) {
  const int32_t x_zero = onri_zero_input(rw, p->x), w_zero = onri_zero_input(rw, p->w),
                y_zero = onri_zero_input(rw, &t->y);
  const int32_t in[] = {p->x->x, p->x->scale, x_zero, p->w->x, p->w->scale, w_zero, t->y.scale, y_zero, bias};
  if (x_zero < 0 || w_zero < 0 || y_zero < 0) return onri_rewrite_no_memory(rw);
  return onri_rewrite_become(rw, node, layer, params, in, bias == ONRI_NONE ? 8 : 9);
}
