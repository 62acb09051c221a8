/* dropout.c: drops elements at random in training, else nothing.
 *
 * input 0   x         any type; in training a float type
 * input 1   ratio     float scalar, optional
 * input 2   training  bool scalar, optional
 * output 0  y         x, as a view when it is known that this is not training
 * output 1  mask      bool or of x's type
 */
#include "base/env.h"
#include "base/numbers/convert.h"
#include "base/numbers/random_numbers.h"
#include "base/shape.h"
#include "kernels/move/copy.h"
#include "layers/layers.h"

#define BLOCK 64
#define FLOATS (ONRI_DTYPES_FLOAT | ONRI_DTYPES_FLOAT8)

static enum onr_status dropout_infer(struct onr_call *call) {
  const struct onr_dropout_params *p = call->params;
  for (size_t i = 1; i < 3; i++) {
    if (!onri_has(call, i)) continue;
    if (onr_desc_elements(&call->in[i]) != 1)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a scalar as input %zu", i);
  }
  call->out[0] = call->in[0];
  if (call->num_out > 1) {
    call->out[1] = call->in[0];
    if (!p->mask_like_x) call->out[1].dtype = ONR_DTYPE_BOOL;
  }
  return ONR_STATUS_OK;
}

static enum onr_status dropout_plan(struct onr_call *call) {
  const uint8_t *training = onri_has(call, 2) ? call->inputs[2] : NULL;
  if (!onri_has(call, 2) || (training && !*training)) call->view[0] = (struct onr_view){0, 0};
  else call->in_place = 0;
  return ONR_STATUS_OK;
}

/* The ratio when this is training, else 0, which drops nothing. */
static enum onr_status read_ratio(const struct onr_call *call, double *ratio) {
  *ratio = 0;
  if (!onri_has(call, 2) || *(const uint8_t *)call->inputs[2] == 0) return ONR_STATUS_OK;
  *ratio = 0.5; /* the default of ONNX */
  if (onri_has(call, 1)) onri_load_f64(call->in[1].dtype, call->inputs[1], 1, ratio);
  if (*ratio >= 0 && *ratio < 1) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected a ratio in [0, 1), found %g", *ratio);
}

/* Element at + k of output i becomes values[k]. */
static void store(const struct onr_call *call, size_t i, const double *values, size_t at, size_t count) {
  if (i < call->num_out && call->outputs[i])
    onri_store_f64(call->out[i].dtype, values, count,
                   (char *)call->outputs[i] + at * onr_dtype_size(call->out[i].dtype));
}

static void drop(const struct onr_call *call, double ratio) {
  const struct onr_dropout_params *p = call->params;
  const enum onr_dtype dtype = call->in[0].dtype;
  const size_t count = (size_t)onr_desc_elements(&call->in[0]);
  struct onri_random random;
  double x[BLOCK], keep[BLOCK];
  onri_random_seed(&random, p->seed);
  for (size_t i = 0; i < count && !onr_env_cancelled(call->env); i += BLOCK) {
    const size_t n = count - i < BLOCK ? count - i : BLOCK;
    onri_load_f64(dtype, (const char *)call->inputs[0] + i * onr_dtype_size(dtype), n, x);
    for (size_t k = 0; k < n; k++) {
      keep[k] = onri_random_uniform(&random) >= ratio;
      x[k] *= keep[k] / (1 - ratio);
    }
    store(call, 0, x, i, n);
    store(call, 1, keep, i, n);
  }
}

static enum onr_status dropout_run(struct onr_call *call) {
  const size_t bytes = onr_desc_bytes(&call->in[0]), count = (size_t)onr_desc_elements(&call->in[0]);
  double ratio, ones[BLOCK];
  ONR_TRY(read_ratio(call, &ratio));
  if (ratio > 0) {
    drop(call, ratio);
    return ONR_STATUS_OK;
  }
  if (call->outputs[0] && call->outputs[0] != call->inputs[0])
    onri_copy_bytes(call->env, call->inputs[0], call->outputs[0], bytes);
  for (size_t k = 0; k < BLOCK; k++) ones[k] = 1;
  for (size_t i = 0; i < count && !onr_env_cancelled(call->env); i += BLOCK)
    store(call, 1, ones, i, count - i < BLOCK ? count - i : BLOCK);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_dropout = {
    .name = "dropout",
    .inputs_min = 1,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 2,
    .flags = ONRI_LAYER_NO_PRODUCTS,
    .types = {FLOATS, FLOATS, ONRI_DTYPE_BIT(ONR_DTYPE_BOOL)},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_dropout_params),
    .infer = dropout_infer,
    .plan = dropout_plan,
    .run = dropout_run,
};
