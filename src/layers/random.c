/* random.c: random, random_like, bernoulli, multinomial.
 *
 * Number i of a node is a hash of (seed, i): no state, so that runs repeat and threads do not matter. */
#include <math.h>

#include "base/checked.h"
#include "base/convert.h"
#include "base/shape.h"
#include "layers/layers.h"

#define BLOCK 64
#define GRAIN 4096

static uint64_t mix(uint64_t z) { /* the finaliser of SplitMix64 */
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* In [0, 1), 53 bits. */
static double uniform(uint64_t seed, uint64_t i) {
  const uint64_t bits = mix(mix(seed + UINT64_C(0x9e3779b97f4a7c15)) + (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
  return (double)(bits >> 11) * 0x1p-53;
}

/* Box-Muller; 1 - u is never 0. */
static double normal(uint64_t seed, uint64_t i) {
  const double radius = sqrt(-2 * log(1 - uniform(seed, 2 * i)));
  return radius * cos(6.283185307179586 * uniform(seed, 2 * i + 1));
}

/* --- random, random_like --- */

static enum onr_status random_desc(struct onr_call *call, struct onr_desc desc) {
  if (onri_dtype_class(desc.dtype) != ONRI_CLASS_F32 && onri_dtype_class(desc.dtype) != ONRI_CLASS_F64)
    return onr_fail(call->error, ONR_STATUS_TYPE, "random numbers of type %s: expected a float type", onr_dtype_name(desc.dtype));
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

struct random_job {
  const struct onr_random_params *p;
  enum onr_dtype dtype;
  char *y;
};

static void random_part(void *context, size_t begin, size_t end) {
  const struct random_job *job = context;
  const struct onr_random_params *p = job->p;
  const size_t size = onr_dtype_size(job->dtype);
  const double a = (double)p->a, b = (double)p->b;
  double values[BLOCK];
  for (size_t i = begin; i < end; i += BLOCK) {
    const size_t n = end - i < BLOCK ? end - i : BLOCK;
    for (size_t k = 0; k < n; k++)
      values[k] = p->kind == ONR_RANDOM_NORMAL ? a + b * normal(p->seed, i + k) : a + (b - a) * uniform(p->seed, i + k);
    onri_store_f64(job->dtype, values, n, job->y + i * size);
  }
}

static enum onr_status random_run(struct onr_call *call) {
  struct random_job job = {call->params, call->out[0].dtype, call->outputs[0]};
  const size_t count = (size_t)onr_desc_elements(&call->out[0]);
  if (count > 0) onr_parallel_for(call->env, count, GRAIN, random_part, &job);
  return ONR_STATUS_OK;
}

/* --- bernoulli --- */

static enum onr_status bernoulli_infer(struct onr_call *call) {
  const struct onr_bernoulli_params *p = call->params;
  ONR_TRY(onri_expect_dtype(call, 0, ONRI_DTYPES_FLOAT));
  call->out[0] = call->in[0];
  if (p->dtype != ONR_DTYPE_NONE) call->out[0].dtype = p->dtype;
  if (onri_dtype_class(call->out[0].dtype) == ONRI_CLASS_NONE)
    return onr_fail(call->error, ONR_STATUS_TYPE, "0 and 1 of type %s", onr_dtype_name(call->out[0].dtype));
  return ONR_STATUS_OK;
}

/* n elements of a float type as doubles. */
static void load_real(enum onr_dtype dtype, const void *source, size_t n, double *values) {
  float narrow[BLOCK];
  if (onri_dtype_class(dtype) == ONRI_CLASS_F64) {
    onri_load(dtype, source, n, values);
    return;
  }
  onri_load(dtype, source, n, narrow);
  for (size_t k = 0; k < n; k++) values[k] = (double)narrow[k];
}

struct bernoulli_job {
  uint64_t seed;
  enum onr_dtype from, to;
  const char *x;
  char *y;
};

static void bernoulli_part(void *context, size_t begin, size_t end) {
  const struct bernoulli_job *job = context;
  double values[BLOCK];
  for (size_t i = begin; i < end; i += BLOCK) {
    const size_t n = end - i < BLOCK ? end - i : BLOCK;
    load_real(job->from, job->x + i * onr_dtype_size(job->from), n, values);
    for (size_t k = 0; k < n; k++) values[k] = uniform(job->seed, i + k) < values[k] ? 1 : 0;
    onri_store_f64(job->to, values, n, job->y + i * onr_dtype_size(job->to));
  }
}

static enum onr_status bernoulli_run(struct onr_call *call) {
  const struct onr_bernoulli_params *p = call->params;
  struct bernoulli_job job = {p->seed, call->in[0].dtype, call->out[0].dtype, call->inputs[0], call->outputs[0]};
  const size_t count = (size_t)onr_desc_elements(&call->out[0]);
  if (count > 0) onr_parallel_for(call->env, count, GRAIN, bernoulli_part, &job);
  return ONR_STATUS_OK;
}

/* --- multinomial --- */

static enum onr_status multinomial_infer(struct onr_call *call) {
  const struct onr_multinomial_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  ONR_TRY(onri_expect_dtype(call, 0, ONRI_DTYPES_FLOAT));
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
  const size_t size = onr_dtype_size(dtype);
  double most = -INFINITY, sum = 0;
  for (size_t c = 0; c < classes; c += BLOCK) load_real(dtype, x + c * size, classes - c < BLOCK ? classes - c : BLOCK, sums + c);
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
  for (size_t b = 0; b < batch; b++) {
    sum_weights(dtype, (const char *)call->inputs[0] + b * classes * onr_dtype_size(dtype), classes, sums);
    for (size_t s = 0; s < samples; s++) {
      const int64_t drawn = class_at(sums, classes, uniform(p->seed, b * samples + s) * sums[classes - 1]);
      onri_store(p->dtype, &drawn, 1, (char *)call->outputs[0] + (b * samples + s) * onr_dtype_size(p->dtype));
    }
  }
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_random = {
    .name = "random",
    .inputs_min = 0, .inputs_max = 0, .outputs_min = 1, .outputs_max = 1,
    .flags = ONR_LAYER_IMPURE,
    .params_size = sizeof(struct onr_random_params),
    .infer = random_infer, .run = random_run,
};
const struct onr_layer onri_layer_random_like = {
    .name = "random_like",
    .inputs_min = 1, .inputs_max = 1, .outputs_min = 1, .outputs_max = 1,
    .flags = ONR_LAYER_IMPURE,
    .params_size = sizeof(struct onr_random_params),
    .infer = random_like_infer, .run = random_run,
};
const struct onr_layer onri_layer_bernoulli = {
    .name = "bernoulli",
    .inputs_min = 1, .inputs_max = 1, .outputs_min = 1, .outputs_max = 1,
    .flags = ONR_LAYER_IMPURE,
    .params_size = sizeof(struct onr_bernoulli_params),
    .infer = bernoulli_infer, .run = bernoulli_run,
};
const struct onr_layer onri_layer_multinomial = {
    .name = "multinomial",
    .inputs_min = 1, .inputs_max = 1, .outputs_min = 1, .outputs_max = 1,
    .flags = ONR_LAYER_IMPURE,
    .params_size = sizeof(struct onr_multinomial_params),
    .infer = multinomial_infer, .plan = multinomial_plan, .run = multinomial_run,
};
