/* cast, cast_like: to another element type.
 *
 * input 0   x     any numeric type, bool or string
 * input 1   like  cast_like: only its type is used
 * output 0  y     x's shape
 */
#include <string.h>

#include "kernels/convert/convert.h"
#include "base/env.h"
#include "base/numbers/number_text.h"
#include "base/shape.h"
#include "base/text/text.h"
#include "layers/elementwise/broadcast.h"
#include "layers/layers.h"

static int is_castable(enum onr_dtype dtype) {
  return dtype == ONR_DTYPE_STRING || onri_dtype_class(dtype) != ONRI_CLASS_NONE;
}

static enum onr_status infer_to(struct onr_call *call, enum onr_dtype to) {
  const enum onr_dtype from = call->in[0].dtype;
  const struct onr_cast_params *p = call->params;
  if ((unsigned)p->rounding > ONR_CAST_NEAREST)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "there is no rounding mode number %d", (int)p->rounding);
  if (onr_dtype_size(to) == 0)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "cast to an unknown data type, number %d", (int)to);
  if (from != to && (!is_castable(from) || !is_castable(to)))
    return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "cast from %s to %s", onr_dtype_name(from),
                    onr_dtype_name(to));
  call->out[0] = call->in[0];
  call->out[0].dtype = to;
  return ONR_STATUS_OK;
}

static enum onr_status cast_infer(struct onr_call *call) {
  return infer_to(call, ((const struct onr_cast_params *)call->params)->to);
}

static enum onr_status cast_like_infer(struct onr_call *call) { return infer_to(call, call->in[1].dtype); }

static enum onr_status cast_plan(struct onr_call *call) {
  if (call->in[0].dtype == call->out[0].dtype) call->view[0] = (struct onr_view){0, 0};
  else if (onr_dtype_size(call->in[0].dtype) == onr_dtype_size(call->out[0].dtype)) call->in_place = 0;
  return ONR_STATUS_OK;
}

static void cast_part(void *context, size_t begin, size_t end) {
  static const enum onri_rounding roundings[] = {
      [ONR_CAST_UP] = ONRI_ROUND_UP, [ONR_CAST_DOWN] = ONRI_ROUND_DOWN, [ONR_CAST_NEAREST] = ONRI_ROUND_NEAREST};
  const struct onr_call *call = context;
  const struct onr_cast_params *p = call->params;
  const struct onri_cast cast = {.from = call->in[0].dtype,
                                 .to = call->out[0].dtype,
                                 .saturate = !p->unsaturated,
                                 .rounding = roundings[p->rounding]};
  onri_convert_elements(&cast, (const char *)call->inputs[0] + begin * onr_dtype_size(cast.from),
                        (char *)call->outputs[0] + begin * onr_dtype_size(cast.to), end - begin);
}

static enum onr_status numbers_to_text(struct onr_call *call) {
  const size_t count = (size_t)onr_desc_elements(&call->in[0]), size = onr_dtype_size(call->in[0].dtype);
  struct onr_string *y = call->outputs[0];
  struct onri_pace pace = {call->env, 0};
  for (size_t i = 0; i < count && !onri_pace_stop(&pace, 1024); i++) {
    char text[ONRI_NUMBER_TEXT];
    const size_t length = onri_number_format(call->in[0].dtype, (const char *)call->inputs[0] + i * size, text);
    char *copy = onr_call_text(call, length);
    if (!copy) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for text");
    memcpy(copy, text, length);
    y[i] = (struct onr_string){copy, length};
  }
  return ONR_STATUS_OK;
}

static enum onr_status text_to_numbers(const struct onr_call *call) {
  const struct onr_cast_params *p = call->params;
  const size_t count = (size_t)onr_desc_elements(&call->in[0]), size = onr_dtype_size(call->out[0].dtype);
  const struct onr_string *x = call->inputs[0];
  struct onri_pace pace = {call->env, 0};
  for (size_t i = 0; i < count && !onri_pace_stop(&pace, 256 + 4 * x[i].length); i++) {
    char shown[64];
    const enum onri_number_parsed parsed = onri_number_parse(call->out[0].dtype, x[i].text, x[i].length,
                                                             !p->unsaturated, (char *)call->outputs[0] + i * size);
    if (parsed != ONRI_NUMBER_OK)
      return onr_fail(call->error, ONR_STATUS_DATA, "element %zu, '%s', is %s%s", i,
                      onri_escape(x[i].text, x[i].length, shown, sizeof(shown)),
                      parsed == ONRI_NUMBER_NONE ? "no number: expected one for " : "out of the range of ",
                      onr_dtype_name(call->out[0].dtype));
  }
  return ONR_STATUS_OK;
}

static enum onr_status cast_run(struct onr_call *call) {
  if (call->in[0].dtype == call->out[0].dtype) {
    const size_t bytes = onr_desc_bytes(&call->in[0]);
    if (bytes > 0 && call->inputs[0] != call->outputs[0]) memmove(call->outputs[0], call->inputs[0], bytes);
    return ONR_STATUS_OK;
  }
  if (call->out[0].dtype == ONR_DTYPE_STRING) return numbers_to_text(call);
  if (call->in[0].dtype == ONR_DTYPE_STRING) return text_to_numbers(call);
  onri_elementwise_for(call->env, (size_t)onr_desc_elements(&call->in[0]), cast_part, call);
  return ONR_STATUS_OK;
}

/* A number is written, or read, in the time of some hundred additions. */
enum { TEXT_STEPS = 500 };

static int64_t cast_steps(const struct onr_call *call) {
  const int is_text = call->in[0].dtype == ONR_DTYPE_STRING || call->out[0].dtype == ONR_DTYPE_STRING;
  return ONRI_STEPS(onr_desc_elements(&call->out[0]), is_text ? TEXT_STEPS : 1);
}

const struct onr_layer onri_layer_cast = {
    .name = "cast",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONR_LAYER_TEXT | ONRI_LAYER_NO_PRODUCTS,
    .layout = ONR_LAYOUT_ELEMENTWISE,
    .params_size = sizeof(struct onr_cast_params),
    .infer = cast_infer,
    .plan = cast_plan,
    .run = cast_run,
    .steps = cast_steps,
};

const struct onr_layer onri_layer_cast_like = {
    .name = "cast_like",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .output_type = ONR_AS_INPUT(1),
    .flags = ONR_LAYER_TEXT,
    .layout = ONR_LAYOUT_ELEMENTWISE,
    .params_size = sizeof(struct onr_cast_params),
    .infer = cast_like_infer,
    .plan = cast_plan,
    .run = cast_run,
    .steps = cast_steps,
};
