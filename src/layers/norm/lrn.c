/* lrn.c: local response normalisation, y = x / (bias + alpha / size * sum of x^2 over `size` neighbouring
 * channels)^beta.
 *
 * input 0   x  [N, C, ...] (rank from 2), or channels-last
 * output 0  y  like x
 * ONNX      LRN-1..13
 * path      portable: any float; the sum of squares is taken in float64
 */
#include <math.h>

#include "base/numbers/checked.h"
#include "base/env.h"
#include "base/shape.h"
#include "layers/layers.h"
#include "layers/elementwise/widened.h"

struct lrn_state {
  int64_t outer, channels, inner;
  size_t x, y;
};

struct work {
  const struct lrn_state *s;
  const struct onr_lrn_params *p;
  const void *x;
  void *y;
  int wide;
  const struct onr_env *env;
};

static enum onr_status lrn_infer(struct onr_call *call) {
  const struct onr_lrn_params *p = call->params;
  ONR_TRY(onri_expect_dtype(call, 0, ONRI_DTYPES_FLOAT));
  ONR_TRY(onri_expect_rank(call, 0, 2, ONR_MAX_RANK));
  if (p->size < 1 || p->size >= INT32_MAX)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected size from 1 to %d, found %lld", INT32_MAX - 1,
                    (long long)p->size);
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static enum onr_status lrn_plan(struct onr_call *call) {
  const struct onr_lrn_params *p = call->params;
  struct lrn_state *s = call->state;
  const struct onr_desc *x = &call->in[0];
  const int32_t axis = p->channels_last ? x->rank - 1 : 1;
  s->outer = onri_product(x, 0, axis);
  s->channels = x->dim[axis];
  s->inner = onri_product(x, axis + 1, x->rank);
  ONR_TRY(onri_widened_plan(call, x, &s->x));
  return onri_widened_plan(call, &call->out[0], &s->y);
}

static double square_at(const struct work *w, int64_t i) {
  const double v = w->wide ? ((const double *)w->x)[i] : (double)((const float *)w->x)[i];
  return v * v;
}

/* One pixel: channels lie `inner` apart. */
static void pixel(const struct work *w, int64_t from) {
  const struct lrn_state *s = w->s;
  const struct onr_lrn_params *p = w->p;
  const int64_t before = p->odd_before ? p->size / 2 : (p->size - 1) / 2, after = p->size - 1 - before;
  for (int64_t c = 0; c < s->channels; c++) {
    const int64_t first = c > before ? c - before : 0, last = c + after < s->channels ? c + after : s->channels - 1;
    double sum = p->keep_first && first > 0 ? square_at(w, from) : 0;
    for (int64_t k = first; k <= last; k++) sum += square_at(w, from + k * s->inner);
    const double factor = pow((double)p->bias + (double)p->alpha / (double)p->size * sum, -(double)p->beta);
    const int64_t i = from + c * s->inner;
    if (w->wide) ((double *)w->y)[i] = ((const double *)w->x)[i] * factor;
    else ((float *)w->y)[i] = (float)((double)((const float *)w->x)[i] * factor);
  }
}

static void pixels(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  struct onri_pace pace = {w->env, 0};
  const uint64_t work =
      (uint64_t)(w->p->size < w->s->channels ? w->p->size : w->s->channels) * (uint64_t)w->s->channels;
  for (size_t item = begin; item < end && !onri_pace_stop(&pace, work); item++)
    pixel(w, (int64_t)item / w->s->inner * w->s->channels * w->s->inner + (int64_t)item % w->s->inner);
}

static enum onr_status lrn_run(struct onr_call *call) {
  const struct lrn_state *s = call->state;
  struct work w = {.s = s,
                   .p = call->params,
                   .x = onri_widened_input(call, 0, s->x),
                   .y = onri_widened_output(call, 0, s->y),
                   .wide = onri_is_double(call->in[0].dtype),
                   .env = call->env};
  onr_parallel_for(call->env, (size_t)(s->outer * s->inner), 64, pixels, &w);
  onri_widened_finish(call, 0, s->y);
  return ONR_STATUS_OK;
}

static int64_t lrn_steps(const struct onr_call *call) {
  const struct onr_lrn_params *p = call->params;
  const int64_t channels = call->in[0].dim[p->channels_last ? call->in[0].rank - 1 : 1];
  int64_t product;
  return onri_mul_i64(onr_desc_elements(&call->in[0]), p->size < channels ? p->size : channels, &product) ? product
                                                                                                          : INT64_MAX;
}

const struct onr_layer onri_layer_lrn = {
    .name = "lrn",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .params_size = sizeof(struct onr_lrn_params),
    .state_size = sizeof(struct lrn_state),
    .infer = lrn_infer,
    .plan = lrn_plan,
    .run = lrn_run,
    .steps = lrn_steps,
};
