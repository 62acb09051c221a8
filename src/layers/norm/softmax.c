/* softmax, log_softmax, hardmax along one axis, or over all dimensions from an axis on.
 *
 * input 0   x  any shape, floating-point
 * output 0  y  x's shape and type
 * path      vectors but for double and hardmax */
#include "base/env.h"
#include "base/shape.h"
#include "kernels/move/turned.h"
#include "kernels/norm/softmax.h"
#include "params/params.h"

enum { NARROW = 32 /* bytes side by side that are too few */ };

struct softmax_state {
  size_t outer, length, inner, grain;
};

static enum onr_status view_of(const struct onr_call *call, struct softmax_state *s) {
  const struct onr_softmax_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  int32_t axis = x->rank;
  if (!p->flatten || p->axis != x->rank) ONR_TRY(onri_axis_resolve(p->axis, x->rank, &axis, call->error));
  s->outer = (size_t)onri_product(x, 0, axis < x->rank ? axis : x->rank);
  s->length = axis >= x->rank ? 1 : (size_t)(p->flatten ? onri_product(x, axis, x->rank) : x->dim[axis]);
  s->inner = p->flatten || axis >= x->rank ? 1 : (size_t)onri_product(x, axis + 1, x->rank);
  if (s->length == 1) s->outer *= s->inner, s->inner = 1; /* lines of one element lie one behind the other */
  return ONR_STATUS_OK;
}

static enum onr_status softmax_infer(struct onr_call *call) {
  struct softmax_state view;
  ONR_TRY(view_of(call, &view));
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static enum onr_status plan_lines(struct onr_call *call) {
  struct softmax_state *s = call->state;
  ONR_TRY(view_of(call, s));
  const size_t columns = s->inner < ONRI_SOFTMAX_COLUMNS ? s->inner : ONRI_SOFTMAX_COLUMNS;
  const size_t item = s->length * columns;
  s->grain = item >= 8192 || item == 0 ? 1 : 8192 / item;
  call->in_place = 0;
  return ONR_STATUS_OK;
}

/* Exponentials are a vector kernel, but for double. */
static enum onr_status plan_exp_lines(struct onr_call *call) {
  ONR_TRY(plan_lines(call));
  if (call->in[0].dtype != ONR_DTYPE_F64) call->kernel = ONR_KERNEL_VECTOR;
  return ONR_STATUS_OK;
}

struct job {
  struct onri_softmax kernel;
  size_t blocks; /* of columns */
};

static void job_range(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  for (size_t item = begin; item < end; item++) {
    const size_t column = item % job->blocks * ONRI_SOFTMAX_COLUMNS, rest = job->kernel.inner - column;
    onri_softmax(&job->kernel, item / job->blocks, column, rest < ONRI_SOFTMAX_COLUMNS ? rest : ONRI_SOFTMAX_COLUMNS);
  }
}

static void job_groups(void *context, size_t begin, size_t end) {
  enum { ELEMENTS = 65536 /* that are begun between two looks at the flag */ };
  const struct job *job = context;
  const size_t group = job->kernel.length * job->kernel.inner, most = ELEMENTS / (group + 1) + 1;
  for (size_t count; begin < end; begin += count) {
    count = end - begin < most ? end - begin : most;
    onri_softmax(&job->kernel, begin, 0, count);
  }
}

static enum onr_status run_lines(struct onr_call *call, enum onri_softmax_kind kind) {
  const struct softmax_state *s = call->state;
  const enum onr_dtype dtype = call->in[0].dtype;
  const size_t size = onri_class_size(onri_dtype_class(dtype));
  struct job job = {.kernel = {.kind = kind,
                               .dtype = dtype,
                               .length = s->length,
                               .inner = s->inner,
                               .turned = s->inner > 1 && onri_turns(s->outer, s->length, s->inner, size, NARROW),
                               .x = call->inputs[0],
                               .y = call->outputs[0],
                               .env = call->env},
                    .blocks = (s->inner + ONRI_SOFTMAX_COLUMNS - 1) / ONRI_SOFTMAX_COLUMNS};
  const int in_groups = s->inner == 1 || job.kernel.turned;
  onr_parallel_for(call->env, in_groups ? s->outer : s->outer * job.blocks, s->grain,
                   in_groups ? job_groups : job_range, &job);
  return ONR_STATUS_OK;
}

static enum onr_status softmax_run(struct onr_call *call) { return run_lines(call, ONRI_SOFTMAX); }
static enum onr_status log_softmax_run(struct onr_call *call) { return run_lines(call, ONRI_LOG_SOFTMAX); }
static enum onr_status hardmax_run(struct onr_call *call) { return run_lines(call, ONRI_HARDMAX); }

static uint32_t exp_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPES_F32_AND_HALF : 0;
}

#define SOFTMAX_LAYER(layer_name, plan_function, run_function, types_function) \
  const struct onr_layer onri_layer_##layer_name = {                           \
      .name = #layer_name,                                                     \
      .inputs_min = 1,                                                         \
      .inputs_max = 1,                                                         \
      .outputs_min = 1,                                                        \
      .outputs_max = 1,                                                        \
      .types = {ONRI_DTYPES_FLOAT},                                            \
      .output_type = ONR_AS_INPUT(0),                                          \
      .layout = ONRI_LAYOUT_SOFTMAX,                                           \
      .layout_param = offsetof(struct onr_softmax_params, axis),               \
      .params_size = sizeof(struct onr_softmax_params),                        \
      .state_size = sizeof(struct softmax_state),                              \
      .infer = softmax_infer,                                                  \
      .plan = plan_function,                                                   \
      .run = run_function,                                                     \
      .kernel_types = types_function,                                          \
  }

SOFTMAX_LAYER(softmax, plan_exp_lines, softmax_run, exp_kernel_types);
SOFTMAX_LAYER(log_softmax, plan_exp_lines, log_softmax_run, exp_kernel_types);
SOFTMAX_LAYER(hardmax, plan_lines, hardmax_run, NULL);
