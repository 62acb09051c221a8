/* conv_integer_tuned.c: qlinear_conv through XNNPACK: channels-last, up to 2 spatial dimensions, everything but x
 * constant, symmetric weights, where onri_xnn_conv_fit and the plan's sizes agree. It multiplies by one ratio of
 * scales: where a result lies on the edge between two steps, it may be the other one than the portable kernel's.
 * XNNPACK knows signed bytes: unsigned ones are shifted by 128, with their zero points. */
#include <math.h>

#include "base/shape.h"
#include "layers/conv/conv_integer.h"
#include "layers/elementwise/scratch.h"

static struct onri_xnn_conv shape_of(const struct onri_conv *c) {
  return (struct onri_xnn_conv){.axis = {c->axis[0], c->axis[1], c->axis[2]},
                                .batch = c->x.batch,
                                .groups = c->groups,
                                .group_in = c->group_in,
                                .group_out = c->group_out,
                                .min = -INFINITY,
                                .max = INFINITY};
}

/* A byte as XNNPACK sees it. */
static int8_t as_signed(enum onr_dtype dtype, const void *data, size_t i) {
  return (int8_t)(onri_value8(dtype, data, i) - (dtype == ONR_DTYPE_U8 ? 128 : 0));
}

static int all_constant(const struct onr_call *call) {
  for (size_t i = 1; i < call->num_in; i++)
    if (onri_has(call, i) && !call->inputs[i]) return 0;
  return 1;
}

static int is_symmetric(const struct onr_call *call, const struct onri_qconv_roles *r) {
  const size_t count = (size_t)onr_desc_elements(&call->in[r->w_zero]);
  for (size_t i = 0; i < count; i++)
    if (as_signed(call->in[r->w_zero].dtype, call->inputs[r->w_zero], i) != 0) return 0;
  return 1;
}

static int is_scale(float scale) { return isnormal(scale) && scale > 0.0f; }

/* What XNNPACK asks of scales. */
static int scales_fit(const struct onri_xnn_qconv *q, size_t channels) {
  if (!is_scale(q->x_scale) || !is_scale(q->y_scale)) return 0;
  for (size_t m = 0; m < channels; m++) {
    const float ratio = q->x_scale * q->scales[m] / q->y_scale;
    if (!is_scale(q->scales[m]) || !(ratio >= 0x1p-32f && ratio < 256.0f)) return 0;
  }
  return 1;
}

static enum onr_status pack(struct onr_call *call, const struct onri_qconv_roles *r, const struct onri_xnn_conv *shape,
                            enum onri_xnn_fit fit) {
  struct onri_qconv_prepared *p = call->prepared;
  const size_t count = (size_t)onr_desc_elements(&call->in[r->weight]);
  int8_t *weights = onr_env_allocate(call->env, count);
  if (!weights) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
  for (size_t i = 0; i < count; i++) weights[i] = as_signed(call->in[r->weight].dtype, call->inputs[r->weight], i);
  const int32_t *bias = onri_has(call, r->bias) ? call->inputs[r->bias] : NULL;
  const enum onr_status status = onri_xnn_qconv_pack(&p->xnn, shape, &p->tuned, weights, bias, call->env, call->error);
  onr_env_release(call->env, weights);
  if (status != ONR_STATUS_OK) return status == ONR_STATUS_LIMIT ? ONR_STATUS_OK : status;
  p->fit = (int32_t)fit;
  if (fit == ONRI_XNN_ALWAYS) call->packed_inputs |= (uint64_t)1 << r->weight | (bias ? (uint64_t)1 << r->bias : 0);
  return ONR_STATUS_OK;
}

enum onr_status onri_qconv_tuned_prepare(struct onr_call *call, const struct onri_qconv_roles *r,
                                         const struct onri_conv *c) {
  const struct onr_conv_params *params = call->params;
  struct onri_qconv_prepared *p = call->prepared;
  const struct onri_xnn_conv shape = shape_of(c);
  const size_t channels = (size_t)call->in[r->weight].dim[0];
  const int one = onr_desc_elements(&call->in[r->w_scale]) == 1;
  enum onri_xnn_fit fit;
  if (!params->channels_last || call->in[r->weight].rank > 4 || !onri_xnn_usable(call->env) || !all_constant(call) ||
      !is_symmetric(call, r))
    return ONR_STATUS_OK;
  ONR_TRY(onri_xnn_conv_fit(&shape, NULL, &fit, call->env, call->error));
  if (fit == ONRI_XNN_NEVER) return ONR_STATUS_OK;
  p->scales = onr_env_allocate(call->env, channels * sizeof(float));
  if (!p->scales) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the scales of a convolution");
  for (size_t m = 0; m < channels; m++) p->scales[m] = onri_scale_of(call, r->w_scale, one ? 0 : m);
  p->tuned = (struct onri_xnn_qconv){.x_scale = onri_scale_of(call, r->x_scale, 0),
                                     .y_scale = onri_scale_of(call, r->y_scale, 0),
                                     .scales = p->scales,
                                     .x_zero = as_signed(call->in[r->x_zero].dtype, call->inputs[r->x_zero], 0),
                                     .y_zero = as_signed(call->in[r->y_zero].dtype, call->inputs[r->y_zero], 0)};
  return scales_fit(&p->tuned, channels) ? pack(call, r, &shape, fit) : ONR_STATUS_OK;
}

/* What a retired plan has, or a new operator. */
static enum onr_status make_operator(struct onr_call *call, size_t *scratch_bytes) {
  const struct onri_qconv_prepared *p = call->prepared;
  struct onri_qconv_state *s = call->state, *retired = call->retired;
  int fits = 0;
  if (retired && retired->op) {
    s->op = retired->op;
    retired->op = NULL;
    ONR_TRY(onri_xnn_qconv_resize(&s->op, &retired->shape, &s->shape, &fits, scratch_bytes, call->env, call->error));
    if (fits) return ONR_STATUS_OK;
    onri_xnn_delete(s->op);
    s->op = NULL;
  }
  return onri_xnn_qconv_plan(&s->op, &p->xnn, &s->shape, &p->tuned, scratch_bytes, call->env, call->error);
}

enum onr_status onri_qconv_tuned_plan(struct onr_call *call, const struct onri_qconv_roles *r) {
  const struct onri_qconv_prepared *p = call->prepared;
  struct onri_qconv_state *s = call->state;
  size_t bytes;
  s->shape = shape_of(&s->conv);
  ONR_TRY(make_operator(call, &bytes));
  if (!s->op && p->fit == ONRI_XNN_ALWAYS)
    return onr_fail(call->error, ONR_STATUS_LIMIT,
                    "a convolution of these sizes is beyond what its packed weights were made for");
  if (!s->op) return ONR_STATUS_OK;
  if (call->in[r->x].dtype == ONR_DTYPE_U8) s->x = onri_scratch_take(call, (size_t)onr_desc_elements(&call->in[r->x]));
  s->scratch = onri_scratch_take(call, bytes);
  call->kernel = ONR_KERNEL_XNNPACK;
  return ONR_STATUS_OK;
}

struct flip {
  const uint8_t *from;
  uint8_t *to;
};

static void flip_range(void *context, size_t begin, size_t end) {
  const struct flip *f = context;
  for (size_t i = begin; i < end; i++) f->to[i] = f->from[i] ^ 0x80u;
}

static void flip(struct onr_env *env, const void *from, void *to, size_t count) {
  struct flip f = {from, to};
  onr_parallel_for(env, count, 1 << 16, flip_range, &f);
}

enum onr_status onri_qconv_tuned_run(struct onr_call *call, const struct onri_qconv_roles *r) {
  const struct onri_qconv_state *s = call->state;
  char *scratch = call->scratch;
  const void *x = call->inputs[r->x];
  if (call->in[r->x].dtype == ONR_DTYPE_U8) {
    flip(call->env, x, scratch + s->x, (size_t)onr_desc_elements(&call->in[r->x]));
    x = scratch + s->x;
  }
  ONR_TRY(onri_xnn_qconv_run(s->op, scratch + s->scratch, x, call->outputs[0], call->env, call->error));
  if (call->out[0].dtype == ONR_DTYPE_U8)
    flip(call->env, call->outputs[0], call->outputs[0], (size_t)onr_desc_elements(&call->out[0]));
  return ONR_STATUS_OK;
}
