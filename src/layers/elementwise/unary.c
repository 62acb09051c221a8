/* unary.c: y = f(x), one table for all functions.
 *
 * input 0   x  any shape; types: src/params/elementwise.h
 * output 0  y  x's shape and type; bool for IS_NAN and IS_INF
 * paths     float types: vector kernels where there is one; everything else through the number class of the type
 */
#include "kernels/convert/convert.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/typed.h"
#include "kernels/kernels.h"
#include "layers/elementwise/broadcast.h"
#include "layers/elementwise/elementwise_types.h"
#include "layers/layers.h"
#include "layers/elementwise/scratch.h"
#include "layers/elementwise/unary_classes.h"

#define BLOCK 512 /* elements that are converted at a time */

struct unary_state {
  enum onr_dtype dtype;
  int gives_bool, converts;
  onri_unary_kernel kernel; /* NULL: function */
  onri_typed_unary typed;   /* elements as they lie in memory */
  onri_unary_function function;
};

static const char *const names[ONR_NUM_UNARY] = {
#define ONR_X(name, text, types) ONRI_IF(ONRI_HAS_UNARY_##name, [ONR_UNARY_##name] = text, )
    ONR_UNARY_LIST(ONR_X)
#undef ONR_X
};
static const uint32_t op_types[ONR_NUM_UNARY] = {
#define ONR_X(name, text, types) ONRI_IF(ONRI_HAS_UNARY_##name, [ONR_UNARY_##name] = ONRI_TYPES_##types, )
    ONR_UNARY_LIST(ONR_X)
#undef ONR_X
};

static int gives_bool(enum onr_unary op) { return op == ONR_UNARY_IS_NAN || op == ONR_UNARY_IS_INF; }

static enum onr_status unary_check(const struct onr_call *call) {
  const struct onr_unary_params *p = call->params;
  if ((unsigned)p->op < ONR_NUM_UNARY) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "there is no unary function number %d", (int)p->op);
}

static uint32_t unary_types(const void *params, size_t i) {
  const enum onr_unary op = ((const struct onr_unary_params *)params)->op;
  if (i == ONR_OUTPUT_TYPE) return gives_bool(op) ? ONRI_DTYPE_BIT(ONR_DTYPE_BOOL) : ONR_AS_INPUT(0);
  return op_types[op];
}

static enum onr_status unary_infer(struct onr_call *call) {
  const struct onr_unary_params *p = call->params;
  call->out[0] = call->in[0];
  if (gives_bool(p->op)) call->out[0].dtype = ONR_DTYPE_BOOL;
  return ONR_STATUS_OK;
}

static enum onr_status unary_plan(struct onr_call *call) {
  const struct onr_unary_params *p = call->params;
  struct unary_state *s = call->state;
  const enum onri_class c = onri_dtype_class(call->in[0].dtype);
  s->dtype = call->in[0].dtype;
  s->gives_bool = gives_bool(p->op);
  s->converts = !onri_is_native(s->dtype);
  s->function = onri_unary_of_class(p->op, c);
  if (onr_env_backend(call->env) == ONR_BACKEND_AUTO) {
    if (ONRI_PART(typed)) s->typed = onri_typed_unary_of(onri_kernels(typed), s->dtype, p->op);
    if (c == ONRI_CLASS_F32 && !s->typed) s->kernel = onri_unary_kernel_f32(p->op);
  }
  if (s->kernel) call->kernel = ONR_KERNEL_VECTOR;
  if (!s->function)
    return onr_fail(call->error, ONR_STATUS_TYPE, "%s is not defined on %s", names[p->op], onr_dtype_name(s->dtype));
  if (!s->gives_bool) call->in_place = 0;
  return ONR_STATUS_OK;
}

static void apply(const struct unary_state *s, const struct onr_unary_params *p, const void *x, void *y, size_t count) {
  if (s->kernel) s->kernel(x, y, count, p->alpha, p->beta);
  else s->function(x, y, count, p);
}

static void unary_part(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const struct unary_state *s = call->state;
  const size_t in_bytes = onr_dtype_size(s->dtype), out_bytes = onr_dtype_size(call->out[0].dtype);
  const char *x = (const char *)call->inputs[0] + begin * in_bytes;
  char *y = (char *)call->outputs[0] + begin * out_bytes;
  if (ONRI_PART(typed) && s->typed) {
    const struct onr_unary_params *p = call->params;
    onri_kernels(typed)->unary_row(s->typed, x, y, end - begin, p->alpha, p->beta, in_bytes, out_bytes);
    return;
  }
  if (!ONRI_CONVERTS || !s->converts) {
    apply(s, call->params, x, y, end - begin);
    return;
  }
  for (size_t i = 0; i < end - begin; i += BLOCK) {
    uint64_t values[BLOCK];
    const size_t count = end - begin - i < BLOCK ? end - begin - i : BLOCK;
    onri_widen(s->dtype, x + i * in_bytes, count, values);
    apply(s, call->params, values, s->gives_bool ? (void *)(y + i) : values, count);
    if (!s->gives_bool) onri_narrow(s->dtype, values, count, y + i * out_bytes);
  }
}

static enum onr_status unary_run(struct onr_call *call) {
  onri_elementwise_for(call->env, (size_t)onr_desc_elements(&call->in[0]), unary_part, call);
  return ONR_STATUS_OK;
}

static uint32_t unary_kernel_types(const void *params, enum onr_kernel kernel) {
  const struct onr_unary_params *p = params;
  return kernel == ONR_KERNEL_VECTOR && onri_unary_kernel_f32(p->op) ? op_types[p->op] & ONRI_DTYPES_F32_AND_HALF : 0;
}

const struct onr_layer onri_layer_unary = {
    .name = "unary",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONRI_LAYER_NO_PRODUCTS | ONRI_LAYER_NO_REDUCTIONS,
    .layout = ONR_LAYOUT_ELEMENTWISE,
    .params_size = sizeof(struct onr_unary_params),
    .state_size = sizeof(struct unary_state),
    .types_by_params = unary_types,
    .check = unary_check,
    .infer = unary_infer,
    .plan = ONRI_WHERE(RUN_unary, unary_plan),
    .run = ONRI_WHERE(RUN_unary, unary_run),
    .kernel_types = unary_kernel_types,
};
