/* clip.c: y = min(max(x, least), most).
 *
 * input 0   x            any numeric type
 * inputs    least, most  one element of x's type, each optional
 * output 0  y            x's shape and type; most where least > most; a NaN bound gives NaN
 * paths     float32: a vector kernel, unless a bound is NaN; integers and double: vectors; the rest through number
 *           classes
 */
#include <math.h>
#include <string.h>

#include "kernels/convert/convert.h"
#include "base/shape.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/typed.h"
#include "kernels/kernels.h"
#include "layers/elementwise/broadcast.h"
#include "layers/layers.h"

#define BLOCK 512

static enum onr_status clip_infer(struct onr_call *call) {
  for (size_t i = 1; i < 3; i++) {
    if (!onri_has(call, i)) continue;
    if (onr_desc_elements(&call->in[i]) != 1) {
      char text[160];
      return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a scalar as the %s, found %s",
                      i == 1 ? "minimum" : "maximum", onr_desc_format(&call->in[i], text, sizeof(text)));
    }
  }
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static enum onr_status clip_plan(struct onr_call *call) {
  call->in_place = 0;
  return ONR_STATUS_OK;
}

/* A NaN on either side is the result, as in the Max and Min that define Clip. */
#define CLIP(class, type)                                                                 \
  static void clip_##class(type * x, size_t count, const type *least, const type *most) { \
    for (size_t i = 0; i < count; i++) {                                                  \
      type v = x[i];                                                                      \
      if (least) v = v > *least || v != v ? v : *least;                                   \
      if (most) v = v < *most || v != v ? v : *most;                                      \
      x[i] = v;                                                                           \
    }                                                                                     \
  }
CLIP(f32, float)
CLIP(f64, double)
CLIP(i64, int64_t)
CLIP(u64, uint64_t)

static void clip_block(enum onri_class c, void *x, size_t count, const void *least, const void *most) {
  switch (c) {
    case ONRI_CLASS_F32: clip_f32(x, count, least, most); break;
    case ONRI_CLASS_F64:
      if (ONRI_HERE_F64) clip_f64(x, count, least, most);
      break;
    case ONRI_CLASS_I64:
      if (ONRI_HERE_I64) clip_i64(x, count, least, most);
      break;
    case ONRI_CLASS_U64:
      if (ONRI_HERE_U64) clip_u64(x, count, least, most);
      break;
    case ONRI_CLASS_NONE: break;
  }
}

static void clip_part(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const enum onr_dtype dtype = call->in[0].dtype;
  const size_t size = onr_dtype_size(dtype);
  uint64_t values[BLOCK], bounds[2];
  const void *bound[2] = {NULL, NULL};
  for (size_t i = 0; i < 2; i++) {
    if (!onri_has(call, i + 1)) continue;
    onri_widen(dtype, call->inputs[i + 1], 1, &bounds[i]);
    bound[i] = &bounds[i];
  }
  for (size_t count; begin < end; begin += count) {
    count = end - begin < BLOCK ? end - begin : BLOCK;
    onri_widen(dtype, (const char *)call->inputs[0] + begin * size, count, values);
    clip_block(onri_dtype_class(dtype), values, count, bound[0], bound[1]);
    onri_narrow(dtype, values, count, (char *)call->outputs[0] + begin * size);
  }
}

/* Types that have vectors of their own: the two functions that define Clip, the second in place. */
static int has_typed(enum onr_dtype dtype) {
  const onri_typed_binary *of = onri_kernels(typed)->binary[dtype];
  return of && of[ONR_BINARY_MIN] && of[ONR_BINARY_MAX];
}

static void typed_part(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const struct onri_typed_kernels *typed = onri_kernels(typed);
  const enum onr_dtype dtype = call->in[0].dtype;
  const size_t size = onr_dtype_size(dtype);
  for (size_t count; begin < end; begin += count) {
    count = end - begin < 4 * BLOCK ? end - begin : 4 * BLOCK;
    const char *x = (const char *)call->inputs[0] + begin * size;
    char *y = (char *)call->outputs[0] + begin * size;
    for (size_t i = 1; i < 3; i++) {
      if (!onri_has(call, i)) continue;
      const struct onri_typed_rows rows = {x, call->inputs[i], y, 1, count, 0, 0, 1, 0};
      typed->binary_rows(typed->binary[dtype][i == 1 ? ONR_BINARY_MAX : ONR_BINARY_MIN], &rows, size, size);
      x = y;
    }
    if (x != y) memmove(y, x, count * size);
  }
}

struct bounds {
  const struct onr_call *call;
  onri_unary_kernel kernel;
  float least, most;
};

static void kernel_part(void *context, size_t begin, size_t end) {
  const struct bounds *b = context;
  b->kernel((const float *)b->call->inputs[0] + begin, (float *)b->call->outputs[0] + begin, end - begin, b->least,
            b->most);
}

static enum onr_status clip_run(struct onr_call *call) {
  const float *least = call->num_in > 1 ? call->inputs[1] : NULL, *most = call->num_in > 2 ? call->inputs[2] : NULL;
  if (call->in[0].dtype == ONR_DTYPE_F32 && onr_env_backend(call->env) == ONR_BACKEND_AUTO &&
      !(least && isnan(*least)) && !(most && isnan(*most))) {
    struct bounds b = {call, onri_unary_kernel_f32(ONR_UNARY_CLIP), least ? *least : -INFINITY,
                       most ? *most : INFINITY};
    onri_elementwise_for(call->env, (size_t)onr_desc_elements(&call->in[0]), kernel_part, &b);
    return ONR_STATUS_OK;
  }
  const int typed = onr_env_backend(call->env) == ONR_BACKEND_AUTO && has_typed(call->in[0].dtype);
  onri_elementwise_for(call->env, (size_t)onr_desc_elements(&call->in[0]), typed ? typed_part : clip_part, call);
  return ONR_STATUS_OK;
}

static uint32_t clip_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPE_BIT(ONR_DTYPE_F32) : 0;
}

const struct onr_layer onri_layer_clip = {
    .name = "clip",
    .inputs_min = 1,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONRI_LAYER_NO_PRODUCTS | ONRI_LAYER_NO_REDUCTIONS,
    .types = {ONRI_DTYPES_NUMBER, ONR_AS_INPUT(0), ONR_AS_INPUT(0)},
    .output_type = ONR_AS_INPUT(0),
    .layout = ONR_LAYOUT_ELEMENTWISE,
    .infer = clip_infer,
    .plan = ONRI_WHERE(RUN_clip, clip_plan),
    .run = ONRI_WHERE(RUN_clip, clip_run),
    .kernel_types = clip_kernel_types,
};
