/* cumulative.c: cum_sum and cum_prod: running sums and products along an axis that is an input.
 *
 * x is [outer][length][inner]. A part of at most LANES neighbouring lines goes along the axis together, each line with
 * its running value in the number class of the type; narrow floats are rounded at each store only. */
#include <string.h>

#include "kernels/convert/convert.h"
#include "base/env.h"
#include "base/shape.h"
#include "layers/layers.h"

#define LANES 64

static enum onr_status cumulative_infer(struct onr_call *call) {
  ONR_TRY(onri_expect_rank(call, 0, 1, ONR_MAX_RANK));
  if (onr_desc_elements(&call->in[1]) != 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "axis has %lld elements: expected one",
                    (long long)onr_desc_elements(&call->in[1]));
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static enum onr_status cumulative_plan(struct onr_call *call) {
  call->in_place = 0;
  return ONR_STATUS_OK;
}

union lanes {
  float f32[LANES];
  double f64[LANES];
  uint64_t u64[LANES]; /* signed ones too: sums and products wrap the same way */
};

struct cumulative_job {
  enum onr_dtype dtype;
  int product, exclusive, reverse;
  size_t length, inner, parts; /* parts of the lanes of one outer index */
  const char *x;
  char *y;
  const struct onr_env *env;
};

static void start_lanes(union lanes *run, enum onri_class class, int product) {
  for (size_t i = 0; i < LANES; i++) {
    if (class == ONRI_CLASS_F32) run->f32[i] = (float)product;
    if (class == ONRI_CLASS_F64) run->f64[i] = product;
    if (class != ONRI_CLASS_F32 && class != ONRI_CLASS_F64) run->u64[i] = (uint64_t)product;
  }
}

static void advance(union lanes *run, const union lanes *x, size_t n, enum onri_class class, int product) {
  for (size_t i = 0; i < n; i++) {
    if (class == ONRI_CLASS_F32) {
      run->f32[i] = product ? run->f32[i] * x->f32[i] : run->f32[i] + x->f32[i];
    } else if (class == ONRI_CLASS_F64) {
      run->f64[i] = product ? run->f64[i] * x->f64[i] : run->f64[i] + x->f64[i];
    } else {
      run->u64[i] = product ? run->u64[i] * x->u64[i] : run->u64[i] + x->u64[i];
    }
  }
}

static void cumulative_part(const struct cumulative_job *job, size_t outer, size_t first) {
  const enum onri_class class = onri_dtype_class(job->dtype);
  const size_t size = onr_dtype_size(job->dtype), n = job->inner - first < LANES ? job->inner - first : LANES;
  union lanes run, x;
  struct onri_pace pace = {job->env, 0};
  start_lanes(&run, class, job->product);
  for (size_t step = 0; step < job->length && !onri_pace_stop(&pace, 16 + n); step++) {
    const size_t k = job->reverse ? job->length - 1 - step : step;
    const size_t at = ((outer * job->length + k) * job->inner + first) * size;
    onri_widen(job->dtype, job->x + at, n, &x); /* before the store: y may be x */
    if (job->exclusive) onri_narrow(job->dtype, &run, n, job->y + at);
    advance(&run, &x, n, class, job->product);
    if (!job->exclusive) onri_narrow(job->dtype, &run, n, job->y + at);
  }
}

static void cumulative_parts(void *context, size_t begin, size_t end) {
  const struct cumulative_job *job = context;
  for (size_t i = begin; i < end; i++) cumulative_part(job, i / job->parts, i % job->parts * LANES);
}

static enum onr_status cumulative_run(struct onr_call *call, int product) {
  const struct onr_cumulative_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  int64_t number;
  int32_t axis;
  onri_widen(call->in[1].dtype, call->inputs[1], 1, &number);
  ONR_TRY(onri_axis_resolve(number, x->rank, &axis, call->error));
  if (onr_desc_elements(x) == 0) return ONR_STATUS_OK;
  struct cumulative_job job = {x->dtype,
                               product,
                               p->exclusive,
                               p->reverse,
                               (size_t)x->dim[axis],
                               (size_t)onri_product(x, axis + 1, x->rank),
                               0,
                               call->inputs[0],
                               call->outputs[0],
                               call->env};
  job.parts = (job.inner + LANES - 1) / LANES;
  const size_t work = job.length * (job.inner < LANES ? job.inner : LANES);
  onr_parallel_for(call->env, (size_t)onri_product(x, 0, axis) * job.parts, work < 4096 ? 4096 / work + 1 : 1,
                   cumulative_parts, &job);
  return ONR_STATUS_OK;
}

static enum onr_status cum_sum_run(struct onr_call *call) { return cumulative_run(call, 0); }
static enum onr_status cum_prod_run(struct onr_call *call) { return cumulative_run(call, 1); }

const struct onr_layer onri_layer_cum_sum = {
    .name = "cum_sum",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_NUMBER, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_cumulative_params),
    .infer = cumulative_infer,
    .plan = cumulative_plan,
    .run = cum_sum_run,
};
const struct onr_layer onri_layer_cum_prod = {
    .name = "cum_prod",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_NUMBER, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_cumulative_params),
    .infer = cumulative_infer,
    .plan = cumulative_plan,
    .run = cum_prod_run,
};
