/* quantize.c: y = saturate(round(x / scale) + zero_point); dequantize_linear: y = (x - zero_point) scale.
 *
 * input 0   x           quantize: float types, int32; dequantize: integers of up to 32 bits, float8, float6, float4
 * input 1   scale       float types, float8e8m0, int32; shapes: quantize_grid.h
 * input 2   zero_point  optional, of the quantized type and the scale's shape
 * output 0  y           x's shape
 * paths     float32 with 8 and 16 bits: vector kernels on runs of one scale; the rest in blocks
 */
#include <math.h>
#include <string.h>

#include "kernels/convert/convert.h"
#include "base/shape.h"
#include "kernels/kernels.h"
#include "kernels/quantize/quantize.h"
#include "layers/elementwise/broadcast.h"
#include "layers/layers.h"
#include "layers/quantize/quantize_grid.h"

#define BLOCK 256

#define BIT(dtype) ONRI_DTYPE_BIT(ONR_DTYPE_##dtype)
#define SCALES (ONRI_DTYPES_FLOAT | BIT(F8E8M0) | BIT(I32))

struct quantize_state {
  struct onri_quantize_grid grid;
  const struct onri_quantize_kernels *kernels; /* NULL: the general way */
};

static enum onr_status expect_output(const struct onr_call *call, enum onr_dtype dtype, uint32_t mask) {
  if ((unsigned)dtype < 32 && (mask >> dtype & 1u)) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_TYPE, "%s cannot be the output type here", onr_dtype_name(dtype));
}

/* A zero point has the type of the output. */
static uint32_t quantize_types(const void *params, size_t i) {
  const enum onr_dtype dtype = ((const struct onr_quantize_params *)params)->output_dtype;
  return i == 2 && (unsigned)dtype < ONR_NUM_DTYPES && dtype != ONR_DTYPE_NONE ? ONRI_DTYPE_BIT(dtype) : 0;
}

static enum onr_status quantize_infer(struct onr_call *call) {
  const struct onr_quantize_params *p = call->params;
  struct onri_quantize_grid grid;
  enum onr_dtype dtype = p->output_dtype;
  if (onri_has(call, 2)) {
    dtype = call->in[2].dtype;
  }
  if (dtype == ONR_DTYPE_NONE) dtype = ONR_DTYPE_U8;
  ONR_TRY(expect_output(call, dtype, ONRI_DTYPES_QUANTIZED));
  if (p->precision != ONR_DTYPE_NONE) ONR_TRY(expect_output(call, p->precision, ONRI_DTYPES_FLOAT));
  ONR_TRY(onri_quantize_grid_make(call, &grid));
  call->out[0] = call->in[0];
  call->out[0].dtype = dtype;
  return ONR_STATUS_OK;
}

static enum onr_status dequantize_infer(struct onr_call *call) {
  const struct onr_quantize_params *p = call->params;
  struct onri_quantize_grid grid;
  const enum onr_dtype dtype = p->output_dtype != ONR_DTYPE_NONE ? p->output_dtype : call->in[1].dtype;
  ONR_TRY(expect_output(call, dtype, ONRI_DTYPES_FLOAT));
  ONR_TRY(onri_quantize_grid_make(call, &grid));
  call->out[0] = call->in[0];
  call->out[0].dtype = dtype;
  return ONR_STATUS_OK;
}

static enum onr_status quantize_plan(struct onr_call *call) {
  const struct onr_quantize_params *p = call->params;
  struct quantize_state *s = call->state;
  const struct onr_desc *x = &call->in[0], *y = &call->out[0];
  const int known = (x->dtype == ONR_DTYPE_F32 && onri_steps_of(y->dtype) >= 0) ||
                    (y->dtype == ONR_DTYPE_F32 && onri_steps_of(x->dtype) >= 0);
  if (onr_env_backend(call->env) == ONR_BACKEND_AUTO && known && call->in[1].dtype == ONR_DTYPE_F32 &&
      (p->precision == ONR_DTYPE_NONE || p->precision == ONR_DTYPE_F32))
    s->kernels = onri_kernels(quantize);
  if (s->kernels) call->kernel = ONR_KERNEL_VECTOR;
  return onri_quantize_grid_make(call, &s->grid);
}

/* `count` scales or zero points of a run (one when its step is 0), as values of class c. */
static void load_run(const struct onr_call *call, size_t input, const struct onri_quantize_run *run, enum onri_class c,
                     void *target) {
  const enum onr_dtype dtype = call->in[input].dtype;
  onri_widen_as(dtype, (const char *)call->inputs[input] + run->first * onr_dtype_size(dtype),
                run->step ? run->count : 1, c, target);
}

/* Greatest and least value of an integer type of `bits` bits. */
static float least_of(enum onr_dtype dtype) {
  return onri_dtype_class(dtype) == ONRI_CLASS_U64 ? 0.0f : -ldexpf(1.0f, (int)onri_dtype_bits(dtype) - 1);
}
static float greatest_of(enum onr_dtype dtype) {
  const int is_signed = onri_dtype_class(dtype) == ONRI_CLASS_I64;
  return ldexpf(1.0f, (int)onri_dtype_bits(dtype) - is_signed) - 1.0f;
}

static void store_integers(enum onr_dtype dtype, const float *q, const float *zero, size_t zero_step, size_t count,
                           void *y) {
  const float least = least_of(dtype), greatest = greatest_of(dtype);
  int64_t values[BLOCK];
  for (size_t i = 0; i < count; i++) {
    const float v = rintf(isnan(q[i]) ? 0.0f : q[i]) + zero[i * zero_step];
    values[i] = (int64_t)(v < least ? least : v > greatest ? greatest : v);
  }
  onri_narrow(dtype, values, count, y);
}

/* A run of at most BLOCK elements: the quotient in the precision asked for, then the output type. */
static void quantize_block(const struct onr_call *call, size_t begin, const struct onri_quantize_run *run) {
  const struct onr_quantize_params *p = call->params;
  const enum onr_dtype dtype = call->out[0].dtype, x_type = call->in[0].dtype;
  const enum onr_dtype precision = p->precision != ONR_DTYPE_NONE ? p->precision : call->in[1].dtype;
  char *y = (char *)call->outputs[0] + begin * onr_dtype_size(dtype);
  float x[BLOCK], scale[BLOCK], zero[BLOCK] = {0};
  uint16_t half[BLOCK];
  onri_widen_as(x_type, (const char *)call->inputs[0] + begin * onr_dtype_size(x_type), run->count, ONRI_CLASS_F32, x);
  load_run(call, 1, run, ONRI_CLASS_F32, scale);
  if (onri_has(call, 2)) load_run(call, 2, run, ONRI_CLASS_F32, zero);
  for (size_t i = 0; i < run->count; i++) x[i] = x[i] / scale[i * run->step];
  if (precision == ONR_DTYPE_F16 || precision == ONR_DTYPE_BF16) {
    onri_narrow(precision, x, run->count, half);
    onri_widen(precision, half, run->count, x);
  }
  if (onri_dtype_class(dtype) == ONRI_CLASS_F32) {
    const struct onri_cast cast = {.from = ONR_DTYPE_F32, .to = dtype, .saturate = !p->unsaturated};
    for (size_t i = 0; i < run->count; i++) x[i] += zero[i * run->step];
    onri_convert_elements(&cast, x, y, run->count);
  } else {
    store_integers(dtype, x, zero, run->step, run->count, y);
  }
}

/* `count` elements from x to y; scale and zero point of each, or (is_one) one of both for all. */
static void quantize_fast(const struct onr_call *call, const void *x, void *y, size_t count, const float *scale,
                          const float *zero, int is_one) {
  const struct onri_quantize_kernels *kernels = ((const struct quantize_state *)call->state)->kernels;
  const int steps = onri_steps_of(call->out[0].dtype);
  float number[BLOCK];
  if (is_one) {
    kernels->to[steps](x, y, count, scale[0], zero[0]);
    return;
  }
  kernels->divide(x, number, count, scale, zero);
  kernels->to[steps](number, y, count, 1.0f, 0.0f);
}

static void dequantize_block(const struct onr_call *call, size_t begin, const struct onri_quantize_run *run) {
  const enum onr_dtype dtype = call->out[0].dtype, x_type = call->in[0].dtype;
  const int floats = onri_dtype_class(x_type) == ONRI_CLASS_F32;
  char *y = (char *)call->outputs[0] + begin * onr_dtype_size(dtype);
  const char *x = (const char *)call->inputs[0] + begin * onr_dtype_size(x_type);
  const struct onri_cast cast = {.from = ONR_DTYPE_F32, .to = dtype, .saturate = 1};
  float scale[BLOCK], real[BLOCK], real_zero[BLOCK] = {0};
  int64_t integer[BLOCK], zero[BLOCK] = {0};
  load_run(call, 1, run, ONRI_CLASS_F32, scale);
  if (floats) {
    onri_widen(x_type, x, run->count, real);
    if (onri_has(call, 2)) load_run(call, 2, run, ONRI_CLASS_F32, real_zero);
    for (size_t i = 0; i < run->count; i++) real[i] -= real_zero[i * run->step];
  } else { /* int32 differences do not fit into float32 before they are taken */
    onri_widen_as(x_type, x, run->count, ONRI_CLASS_I64, integer);
    if (onri_has(call, 2)) load_run(call, 2, run, ONRI_CLASS_I64, zero);
    for (size_t i = 0; i < run->count; i++) real[i] = (float)(integer[i] - zero[i * run->step]);
  }
  for (size_t i = 0; i < run->count; i++) real[i] *= scale[i * run->step];
  onri_convert_elements(&cast, real, y, run->count);
}

static void dequantize_fast(const struct onr_call *call, const void *x, void *y, size_t count, const float *scale,
                            const float *zero, int is_one) {
  const struct onri_quantize_kernels *kernels = ((const struct quantize_state *)call->state)->kernels;
  const int steps = onri_steps_of(call->in[0].dtype);
  kernels->from[steps](x, y, count, is_one ? scale[0] : 1.0f, is_one ? zero[0] : 0.0f);
  if (!is_one) kernels->multiply(y, y, count, scale, zero);
}

struct ways {
  void (*fast)(const struct onr_call *call, const void *x, void *y, size_t count, const float *scale, const float *zero,
               int is_one);
  void (*block)(const struct onr_call *call, size_t begin, const struct onri_quantize_run *run);
};

/* --- vectors --- */

/* `count` scales and zero points from `first` on, of one slice of the axis each. */
static void load_slices(const struct onr_call *call, size_t first, size_t count, float *scale, float *zero) {
  const struct onri_quantize_run run = {count, first, 1};
  load_run(call, 1, &run, ONRI_CLASS_F32, scale);
  if (onri_has(call, 2)) load_run(call, 2, &run, ONRI_CLASS_F32, zero);
  else memset(zero, 0, count * sizeof(*zero));
}

/* Those of `count` elements from `begin` on, at most BLOCK, around an axis. */
static void spread(const struct onr_call *call, size_t begin, size_t count, float *scale, float *zero) {
  const struct onri_quantize_grid *grid = &((const struct quantize_state *)call->state)->grid;
  float scales[BLOCK], zeros[BLOCK];
  size_t inside = begin % grid->inner, slice = begin / grid->inner % grid->length;
  for (size_t i = 0; i < count; slice = 0) {
    const size_t most = (inside + count - i + grid->inner - 1) / grid->inner, left = grid->length - slice,
                 slices = most < left ? most : left;
    load_slices(call, slice, slices, scales, zeros);
    for (size_t s = 0; s < slices; s++, inside = 0)
      for (size_t k = inside; k < grid->inner && i < count; k++, i++) scale[i] = scales[s], zero[i] = zeros[s];
  }
}

/* What `period` elements hold is repeated until there are `count`. */
static void repeat(float *values, size_t period, size_t count) {
  for (size_t n = period; n < count; n += period) memcpy(values + n, values, period * sizeof(*values));
}

/* Elements of few runs of a scale each: a turn of the axis that fits a block is spread once. */
static void over_slices(const struct onr_call *call, size_t begin, size_t end, const struct ways *ways) {
  const struct onri_quantize_grid *grid = &((const struct quantize_state *)call->state)->grid;
  const size_t turn = grid->length * grid->inner, whole = turn <= BLOCK ? BLOCK / turn * turn : BLOCK,
               x_size = onr_dtype_size(call->in[0].dtype), y_size = onr_dtype_size(call->out[0].dtype);
  float scale[BLOCK], zero[BLOCK];
  for (size_t at = begin, count; at < end; at += count) {
    count = end - at < whole ? end - at : whole;
    if (turn > BLOCK) spread(call, at, count, scale, zero);
    else if (at == begin) {
      spread(call, at, turn, scale, zero);
      repeat(scale, turn, whole);
      repeat(zero, turn, whole);
    }
    ways->fast(call, (const char *)call->inputs[0] + at * x_size, (char *)call->outputs[0] + at * y_size, count, scale,
               zero, 0);
  }
}

/* Elements of longer runs: scales of some slices are loaded at a time. */
static void over_long_slices(const struct onr_call *call, size_t begin, size_t end, const struct ways *ways) {
  const struct onri_quantize_grid *grid = &((const struct quantize_state *)call->state)->grid;
  const size_t x_size = onr_dtype_size(call->in[0].dtype), y_size = onr_dtype_size(call->out[0].dtype);
  float scale[BLOCK], zero[BLOCK];
  size_t slice = begin / grid->inner % grid->length, loaded = 0, left = 0; /* of those that are loaded */
  for (size_t at = begin, count; at < end; at += count, left--, loaded++) {
    if (left == 0) {
      left = grid->length - slice < BLOCK ? grid->length - slice : BLOCK, loaded = 0;
      load_slices(call, slice, left, scale, zero);
    }
    count = grid->inner - (at == begin ? begin % grid->inner : 0);
    if (count > end - at) count = end - at;
    ways->fast(call, (const char *)call->inputs[0] + at * x_size, (char *)call->outputs[0] + at * y_size, count,
               scale + loaded, zero + loaded, 1);
    if (++slice == grid->length) slice = 0;
  }
}

static void fast_run(const struct onr_call *call, size_t begin, const struct onri_quantize_run *run,
                     const struct ways *ways) {
  float scale[BLOCK], zero[BLOCK];
  load_slices(call, run->first, run->step ? run->count : 1, scale, zero);
  ways->fast(call, (const char *)call->inputs[0] + begin * onr_dtype_size(call->in[0].dtype),
             (char *)call->outputs[0] + begin * onr_dtype_size(call->out[0].dtype), run->count, scale, zero,
             run->step == 0);
}

enum { SHORT = 64 }; /* elements of one scale that are better spread than a run of their own */

static void over_runs(const struct onr_call *call, size_t begin, size_t end, const struct ways *ways) {
  const struct quantize_state *s = call->state;
  struct onri_quantize_run run;
  if (s->kernels && s->grid.kind == ONRI_GRID_AXIS) {
    if (s->grid.inner < SHORT) over_slices(call, begin, end, ways);
    else over_long_slices(call, begin, end, ways);
    return;
  }
  for (; begin < end; begin += run.count) {
    run = onri_quantize_grid_run(&s->grid, begin, end - begin);
    if (!s->kernels || run.step) run.count = run.count < BLOCK ? run.count : BLOCK;
    if (s->kernels) fast_run(call, begin, &run, ways);
    else ways->block(call, begin, &run);
  }
}

static void quantize_part(void *context, size_t begin, size_t end) {
  static const struct ways ways = {quantize_fast, quantize_block};
  over_runs(context, begin, end, &ways);
}
static void dequantize_part(void *context, size_t begin, size_t end) {
  static const struct ways ways = {dequantize_fast, dequantize_block};
  over_runs(context, begin, end, &ways);
}

static enum onr_status quantize_run(struct onr_call *call) {
  onri_elementwise_for(call->env, (size_t)onr_desc_elements(&call->in[0]), quantize_part, call);
  return ONR_STATUS_OK;
}
static enum onr_status dequantize_run(struct onr_call *call) {
  onri_elementwise_for(call->env, (size_t)onr_desc_elements(&call->in[0]), dequantize_part, call);
  return ONR_STATUS_OK;
}

static uint32_t quantize_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPE_BIT(ONR_DTYPE_F32) : 0;
}

const struct onr_layer onri_layer_quantize_linear = {
    .name = "quantize_linear",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT | BIT(I32), SCALES, ONRI_DTYPES_QUANTIZED},
    .layout = ONR_LAYOUT_ALONG_AXIS,
    .layout_param = offsetof(struct onr_quantize_params, axis),
    .params_size = sizeof(struct onr_quantize_params),
    .state_size = sizeof(struct quantize_state),
    .types_by_params = quantize_types,
    .infer = quantize_infer,
    .plan = quantize_plan,
    .run = quantize_run,
    .kernel_types = quantize_kernel_types,
};

static uint32_t dequantize_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? BIT(U8) | BIT(I8) | BIT(U16) | BIT(I16) : 0;
}

const struct onr_layer onri_layer_dequantize_linear = {
    .name = "dequantize_linear",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_QUANTIZED | BIT(I32), SCALES, ONR_AS_INPUT(0)},
    .layout = ONR_LAYOUT_ALONG_AXIS,
    .layout_param = offsetof(struct onr_quantize_params, axis),
    .params_size = sizeof(struct onr_quantize_params),
    .state_size = sizeof(struct quantize_state),
    .infer = dequantize_infer,
    .plan = quantize_plan,
    .run = dequantize_run,
    .kernel_types = dequantize_kernel_types,
};
