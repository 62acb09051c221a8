/* random.c: random, random_like, bernoulli, multinomial: each run starts again from the seed. */
#include <math.h>

#include "base/numbers/checked.h"
#include "kernels/convert/convert.h"
#include "base/env.h"
#include "base/numbers/random_numbers.h"
#include "base/shape.h"
#include "layers/layers.h"

#define BLOCK 64

/* --- random, random_like --- */

static enum onr_status random_desc(struct onr_call *call, struct onr_desc desc) {
  if (onri_dtype_class(desc.dtype) != ONRI_CLASS_F32 && onri_dtype_class(desc.dtype) != ONRI_CLASS_F64)
    return onr_fail(call->error, ONR_STATUS_TYPE, "random numbers of type %s: expected a float type",
                    onr_dtype_name(desc.dtype));
  call->out[0] = desc;
  return ONR_STATUS_OK;
}

static enum onr_status random_infer(struct onr_call *call) {
  const struct onr_random_params *p = call->params;
  for (int32_t d = 0; d < p->rank; d++)
    if (p->dim[d] < 0)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "dimension %d of the shape is %lld", (int)d, (long long)p->dim[d]);
  return random_desc(call, onr_desc_make(p->dtype, p->rank, p->dim));
}

static enum onr_status random_like_infer(struct onr_call *call) {
  const struct onr_random_params *p = call->params;
  struct onr_desc desc = call->in[0];
  if (p->dtype != ONR_DTYPE_NONE) desc.dtype = p->dtype;
  return random_desc(call, desc);
}

static enum onr_status random_run(struct onr_call *call) {
  const struct onr_random_params *p = call->params;
  const enum onr_dtype dtype = call->out[0].dtype;
  const size_t count = (size_t)onr_desc_elements(&call->out[0]);
  const double a = (double)p->a, b = (double)p->b;
  struct onri_random random;
  double values[BLOCK];
  onri_random_seed(&random, p->seed);
  struct onri_pace pace = {call->env, 0};
  for (size_t i = 0; i < count && !onri_pace_stop(&pace, 32 * BLOCK); i += BLOCK) {
    const size_t n = count - i < BLOCK ? count - i : BLOCK;
    for (size_t k = 0; k < n; k++)
      values[k] = p->kind == ONR_RANDOM_NORMAL ? a + b * onri_random_normal(&random)
                                               : a + (b - a) * onri_random_uniform(&random);
    onri_store_f64(dtype, values, n, (char *)call->outputs[0] + i * onr_dtype_size(dtype));
  }
  return ONR_STATUS_OK;
}

/* --- bernoulli --- */

static enum onr_status bernoulli_infer(struct onr_call *call) {
  const struct onr_bernoulli_params *p = call->params;
  call->out[0] = call->in[0];
  if (p->dtype != ONR_DTYPE_NONE) call->out[0].dtype = p->dtype;
  if (onri_dtype_class(call->out[0].dtype) == ONRI_CLASS_NONE)
    return onr_fail(call->error, ONR_STATUS_TYPE, "0 and 1 of type %s", onr_dtype_name(call->out[0].dtype));
  return ONR_STATUS_OK;
}

static enum onr_status bernoulli_run(struct onr_call *call) {
  const struct onr_bernoulli_params *p = call->params;
  const enum onr_dtype from = call->in[0].dtype, to = call->out[0].dtype;
  const size_t count = (size_t)onr_desc_elements(&call->out[0]);
  struct onri_random random;
  double values[BLOCK];
  onri_random_seed(&random, p->seed);
  struct onri_pace pace = {call->env, 0};
  for (size_t i = 0; i < count && !onri_pace_stop(&pace, 32 * BLOCK); i += BLOCK) {
    const size_t n = count - i < BLOCK ? count - i : BLOCK;
    onri_load_f64(from, (const char *)call->inputs[0] + i * onr_dtype_size(from), n, values);
    for (size_t k = 0; k < n; k++) values[k] = onri_random_bernoulli(&random, values[k]);
    onri_store_f64(to, values, n, (char *)call->outputs[0] + i * onr_dtype_size(to));
  }
  return ONR_STATUS_OK;
}

/* --- multinomial --- */

static enum onr_status multinomial_infer(struct onr_call *call) {
  const struct onr_multinomial_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  ONR_TRY(onri_expect_rank(call, 0, 2, 2));
  if (x->dim[1] < 1) return onr_fail(call->error, ONR_STATUS_SHAPE, "there are no classes to draw from");
  if (p->samples < 0) return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "sample_size is %lld", (long long)p->samples);
  const int64_t dims[2] = {x->dim[0], p->samples};
  call->out[0] = onr_desc_make(p->dtype, 2, dims);
  return ONR_STATUS_OK;
}

/* Scratch: the running sum of the classes' weights. */
static enum onr_status multinomial_plan(struct onr_call *call) {
  if (!onri_mul_size((size_t)call->in[0].dim[1], sizeof(double), &call->scratch_bytes))
    return onr_fail(call->error, ONR_STATUS_LIMIT, "the scratch memory of multinomial exceeds the address space");
  return ONR_STATUS_OK;
}

/* sums[c] = the weights of classes 0..c, relative to the largest, so that exp does not overflow. */
static void sum_weights(enum onr_dtype dtype, const char *x, size_t classes, double *sums) {
  double most = -INFINITY, sum = 0;
  onri_load_f64(dtype, x, classes, sums);
  for (size_t c = 0; c < classes; c++) most = fmax(most, sums[c]);
  if (!isfinite(most)) most = 0;
  for (size_t c = 0; c < classes; c++) sums[c] = sum += exp(sums[c] - most);
}

/* The first class whose running sum exceeds `point`; the last one when none does (NaN). */
static int64_t class_at(const double *sums, size_t classes, double point) {
  size_t low = 0, high = classes - 1;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (sums[middle] > point) high = middle;
    else low = middle + 1;
  }
  return (int64_t)low;
}

static enum onr_status multinomial_run(struct onr_call *call) {
  const struct onr_multinomial_params *p = call->params;
  const enum onr_dtype dtype = call->in[0].dtype;
  const size_t batch = (size_t)call->in[0].dim[0], classes = (size_t)call->in[0].dim[1], samples = (size_t)p->samples;
  double *sums = call->scratch;
  struct onri_random random;
  onri_random_seed(&random, p->seed);
  struct onri_pace pace = {call->env, 0};
  for (size_t b = 0; b < batch && !onri_pace_stop(&pace, 4 * classes); b++) {
    sum_weights(dtype, (const char *)call->inputs[0] + b * classes * onr_dtype_size(dtype), classes, sums);
    for (size_t s = 0; s < samples && !onri_pace_stop(&pace, 512); s++) {
      const int64_t drawn = class_at(sums, classes, onri_random_uniform(&random) * sums[classes - 1]);
      onri_narrow(p->dtype, &drawn, 1, (char *)call->outputs[0] + (b * samples + s) * onr_dtype_size(p->dtype));
    }
  }
  return ONR_STATUS_OK;
}

/* Drawing a number, its logarithm and root included, takes about as long as so many additions. */
enum { DRAW_STEPS = 20 };

static int64_t draw_steps(const struct onr_call *call) {
  return ONRI_STEPS(onr_desc_elements(&call->out[0]), DRAW_STEPS);
}

const struct onr_layer onri_layer_random = {
    .name = "random",
    .inputs_min = 0,
    .inputs_max = 0,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONR_LAYER_IMPURE,
    .params_size = sizeof(struct onr_random_params),
    .infer = random_infer,
    .run = random_run,
    .steps = draw_steps,
};
const struct onr_layer onri_layer_random_like = {
    .name = "random_like",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONR_LAYER_IMPURE,
    .params_size = sizeof(struct onr_random_params),
    .infer = random_like_infer,
    .run = random_run,
    .steps = draw_steps,
};
const struct onr_layer onri_layer_bernoulli = {
    .name = "bernoulli",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT},
    .flags = ONR_LAYER_IMPURE,
    .params_size = sizeof(struct onr_bernoulli_params),
    .infer = bernoulli_infer,
    .run = bernoulli_run,
    .steps = draw_steps,
};
const struct onr_layer onri_layer_multinomial = {
    .name = "multinomial",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT},
    .flags = ONR_LAYER_IMPURE,
    .params_size = sizeof(struct onr_multinomial_params),
    .infer = multinomial_infer,
    .plan = multinomial_plan,
    .run = multinomial_run,
    .steps = draw_steps,
};
