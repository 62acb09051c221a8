/* global_max_pool, global_average_pool, global_lp_pool: a reduction over all spatial positions.
 *
 * input 0   x  [N, C, spatial...] (1 to 6 of them), or channels-last
 * output 0  y  [N, C, 1...]
 * ONNX      GlobalMaxPool-1..22, GlobalAveragePool-1..22, GlobalLpPool-1..22
 * path      portable: any layout; averages and powers are summed in float64
 */
#include <math.h>

#include "base/env.h"
#include "base/shape.h"
#include "kernels/kernels.h"
#include "kernels/pool/pool.h"
#include "kernels/reduce/reduce_lines.h"
#include "layers/layers.h"
#include "layers/elementwise/widened.h"

enum { BLOCK = 64 };

struct global_pool_state {
  int64_t batch, channels, pixels;
  size_t x, y;
};

struct work {
  const struct global_pool_state *s;
  const void *x;
  void *y;
  enum onri_pool_kind kind;
  int32_t p, channels_last, wide;
  const struct onr_env *env;
};

static enum onr_status global_pool_infer(struct onr_call *call) {
  const struct onr_global_pool_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  ONR_TRY(onri_expect_rank(call, 0, 3, ONR_MAX_RANK));
  call->out[0] = *x;
  for (int32_t d = 1; d < x->rank; d++) {
    if (d == (p->channels_last ? x->rank - 1 : 1)) continue;
    if (x->dim[d] == 0) return onr_fail(call->error, ONR_STATUS_SHAPE, "the image has no pixels: dimension %d is 0", d);
    call->out[0].dim[d] = 1;
  }
  return ONR_STATUS_OK;
}

static enum onr_status lp_infer(struct onr_call *call) {
  const struct onr_global_pool_params *p = call->params;
  if (p->p < 1) return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected p of at least 1, found %d", p->p);
  return global_pool_infer(call);
}

static enum onr_status global_pool_plan(struct onr_call *call) {
  const struct onr_global_pool_params *p = call->params;
  struct global_pool_state *s = call->state;
  const struct onr_desc *x = &call->in[0];
  s->batch = x->dim[0];
  s->channels = x->dim[p->channels_last ? x->rank - 1 : 1];
  s->pixels = p->channels_last ? onri_product(x, 1, x->rank - 1) : onri_product(x, 2, x->rank);
  ONR_TRY(onri_widened_plan(call, x, &s->x));
  return onri_widened_plan(call, &call->out[0], &s->y);
}

static double value_at(const struct work *w, int64_t i) {
  return w->wide ? ((const double *)w->x)[i] : (double)((const float *)w->x)[i];
}

static void finish(const struct work *w, int64_t i, double a) {
  const double v = w->kind == ONRI_POOL_AVERAGE ? a / (double)w->s->pixels
                   : w->kind == ONRI_POOL_LP    ? (w->p == 2 ? sqrt(a) : pow(a, 1.0 / w->p))
                                                : a;
  if (w->wide) ((double *)w->y)[i] = v;
  else ((float *)w->y)[i] = (float)v;
}

/* Maxima, averages and norms of degree 1 and 2 by vectors: channels side by side, or each by itself. `from`: where the
 * first channel begins. */
static void vector_block(const struct work *w, int64_t from, int64_t count, double *sum) {
  const enum onri_take what = w->kind == ONRI_POOL_MAX       ? ONRI_TAKE_MAX
                              : w->kind == ONRI_POOL_AVERAGE ? ONRI_TAKE_SUM
                              : w->p == 1                    ? ONRI_TAKE_ABS
                                                             : ONRI_TAKE_SQUARE;
  const struct onri_reduce_kernels *kernels = onri_kernels(reduce);
  const size_t pixels = (size_t)w->s->pixels, channels = (size_t)w->s->channels, most = (size_t)count;
  const float *x = (const float *)w->x + from;
  const double *wide = (const double *)w->x + from;
  struct onri_pace pace = {w->env, 0};
  if (onri_pace_stop(&pace, count * w->s->pixels)) return;
  if (w->channels_last && w->wide) {
    kernels->doubles[what](&(struct onri_double_rows){wide, most, 1, pixels, channels, NULL}, sum);
  } else if (w->channels_last) {
    kernels->lines[what](&(struct onri_lines){x, most, 1, pixels, channels, NULL}, sum);
  } else if (!w->wide && pixels <= BLOCK) {
    kernels->lines[what](&(struct onri_lines){x, most, pixels, pixels, 1, NULL}, sum);
  } else {
    for (size_t c = 0; c < most; c++)
      sum[c] = w->wide ? kernels->double_run[what](wide + c * pixels, pixels, 0, sum[c])
                       : kernels->run[what](x + c * pixels, pixels, 0, sum[c]);
  }
}

/* An item is a block of channels of one batch entry. */
static void blocks(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct global_pool_state *s = w->s;
  const int64_t parts = (s->channels + BLOCK - 1) / BLOCK;
  for (size_t item = begin; item < end; item++) {
    const int64_t n = (int64_t)item / parts, first = (int64_t)item % parts * BLOCK;
    const int64_t count = s->channels - first < BLOCK ? s->channels - first : BLOCK;
    const int64_t step = w->channels_last ? s->channels : 1, next = w->channels_last ? 1 : s->pixels;
    const int64_t from = w->channels_last ? n * s->pixels * s->channels + first : (n * s->channels + first) * s->pixels;
    struct onri_pace pace = {w->env, 0};
    double sum[BLOCK];
    for (int64_t c = 0; c < count; c++) sum[c] = w->kind == ONRI_POOL_MAX ? -INFINITY : 0;
    if (w->kind != ONRI_POOL_LP || w->p <= 2) vector_block(w, from, count, sum);
    else if (w->channels_last)
      for (int64_t i = 0; i < s->pixels && !onri_pace_stop(&pace, 4 * count); i++)
        for (int64_t c = 0; c < count; c++) sum[c] += pow(fabs(value_at(w, from + i * step + c)), w->p);
    else
      for (int64_t c = 0; c < count; c++)
        for (int64_t i = 0; i < s->pixels && !onri_pace_stop(&pace, 4); i++)
          sum[c] += pow(fabs(value_at(w, from + c * next + i)), w->p);
    for (int64_t c = 0; c < count; c++) finish(w, n * s->channels + first + c, sum[c]);
  }
}

static enum onr_status run(struct onr_call *call, enum onri_pool_kind kind) {
  const struct onr_global_pool_params *p = call->params;
  const struct global_pool_state *s = call->state;
  struct work w = {.s = s,
                   .x = onri_widened_input(call, 0, s->x),
                   .y = onri_widened_output(call, 0, s->y),
                   .kind = kind,
                   .p = p->p,
                   .channels_last = p->channels_last,
                   .wide = onri_is_double(call->in[0].dtype),
                   .env = call->env};
  onr_parallel_for(call->env, (size_t)(s->batch * ((s->channels + BLOCK - 1) / BLOCK)), 1, blocks, &w);
  onri_widened_finish(call, 0, s->y);
  return ONR_STATUS_OK;
}

static enum onr_status max_run(struct onr_call *call) { return run(call, ONRI_POOL_MAX); }
static enum onr_status average_run(struct onr_call *call) { return run(call, ONRI_POOL_AVERAGE); }
static enum onr_status lp_run(struct onr_call *call) { return run(call, ONRI_POOL_LP); }

#define GLOBAL_POOL(kind, infer_function, layer_flags)                        \
  const struct onr_layer onri_layer_global_##kind##_pool = {                  \
      .name = "global_" #kind "_pool",                                        \
      .inputs_min = 1,                                                        \
      .inputs_max = 1,                                                        \
      .outputs_min = 1,                                                       \
      .outputs_max = 1,                                                       \
      .flags = layer_flags,                                                   \
      .types = {ONRI_DTYPES_FLOAT},                                           \
      .output_type = ONR_AS_INPUT(0),                                         \
      .layout = ONRI_LAYOUT_EITHER,                                           \
      .layout_param = offsetof(struct onr_global_pool_params, channels_last), \
      .params_size = sizeof(struct onr_global_pool_params),                   \
      .state_size = sizeof(struct global_pool_state),                         \
      .infer = infer_function,                                                \
      .plan = global_pool_plan,                                               \
      .run = kind##_run,                                                      \
  }
GLOBAL_POOL(max, global_pool_infer, ONRI_LAYER_NO_PRODUCTS);
GLOBAL_POOL(average, global_pool_infer, ONRI_LAYER_NO_PRODUCTS | ONRI_LAYER_NO_REDUCTIONS);
GLOBAL_POOL(lp, lp_infer, ONRI_LAYER_NO_PRODUCTS);
