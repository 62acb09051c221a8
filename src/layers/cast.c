/* cast, cast_like: to another element type.
 *
 * input 0   x     any numeric type or bool
 * input 1   like  cast_like: only its type is used
 * output 0  y     x's shape
 */
#include <string.h>

#include "base/cast.h"
#include "base/shape.h"
#include "layers/broadcast.h"
#include "layers/layers.h"

static enum onr_status infer_to(struct onr_call *call, enum onr_dtype to) {
  const enum onr_dtype from = call->in[0].dtype;
  const struct onr_cast_params *p = call->params;
  if ((unsigned)p->rounding > ONR_CAST_NEAREST)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "there is no rounding mode number %d", (int)p->rounding);
  if (onr_dtype_size(to) == 0)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "cast to an unknown data type, number %d", (int)to);
  if (from != to && (onri_dtype_class(from) == ONRI_CLASS_NONE || onri_dtype_class(to) == ONRI_CLASS_NONE))
    return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "cast from %s to %s", onr_dtype_name(from), onr_dtype_name(to));
  call->out[0] = call->in[0];
  call->out[0].dtype = to;
  return ONR_STATUS_OK;
}

static enum onr_status cast_infer(struct onr_call *call) {
  return infer_to(call, ((const struct onr_cast_params *)call->params)->to);
}

static enum onr_status cast_like_infer(struct onr_call *call) { return infer_to(call, call->in[1].dtype); }

static enum onr_status cast_plan(struct onr_call *call) {
  if (call->in[0].dtype == call->out[0].dtype)
    call->view[0] = (struct onr_place){0, 0};
  else if (onr_dtype_size(call->in[0].dtype) == onr_dtype_size(call->out[0].dtype))
    call->in_place = 0;
  return ONR_STATUS_OK;
}

static void cast_part(void *context, size_t begin, size_t end) {
  static const enum onri_rounding roundings[] = {
      [ONR_CAST_UP] = ONRI_ROUND_UP, [ONR_CAST_DOWN] = ONRI_ROUND_DOWN, [ONR_CAST_NEAREST] = ONRI_ROUND_NEAREST};
  const struct onr_call *call = context;
  const struct onr_cast_params *p = call->params;
  const struct onri_cast cast = {.from = call->in[0].dtype, .to = call->out[0].dtype, .saturate = !p->unsaturated,
                                 .rounding = roundings[p->rounding]};
  onri_cast_elements(&cast, (const char *)call->inputs[0] + begin * onr_dtype_size(cast.from),
                     (char *)call->outputs[0] + begin * onr_dtype_size(cast.to), end - begin);
}

static enum onr_status cast_run(struct onr_call *call) {
  if (call->in[0].dtype == call->out[0].dtype) {
    const size_t bytes = onr_desc_bytes(&call->in[0]);
    if (bytes > 0 && call->inputs[0] != call->outputs[0]) memmove(call->outputs[0], call->inputs[0], bytes);
    return ONR_STATUS_OK;
  }
  onri_elementwise_for(call->env, (size_t)onr_desc_elements(&call->in[0]), cast_part, call);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_cast = {
    .name = "cast",
    .inputs_min = 1, .inputs_max = 1, .outputs_min = 1, .outputs_max = 1,
    .params_size = sizeof(struct onr_cast_params),
    .infer = cast_infer,
    .plan = cast_plan,
    .run = cast_run,
};

const struct onr_layer onri_layer_cast_like = {
    .name = "cast_like",
    .inputs_min = 2, .inputs_max = 2, .outputs_min = 1, .outputs_max = 1,
    .params_size = sizeof(struct onr_cast_params),
    .infer = cast_like_infer,
    .plan = cast_plan,
    .run = cast_run,
};
