/* softmax, log_softmax, hardmax along one axis, or over all dimensions from an axis on.
 *
 * input 0   x  any shape, floating-point
 * output 0  y  x's shape and type
 * path      XNNPACK for softmax of float32 along the last axis; else portable */
#include "base/env.h"
#include "base/shape.h"
#include "kernels/norm/softmax.h"
#include "params/params.h"
#include "xnn/xnn_softmax.h"

struct softmax_state {
  size_t outer, length, inner, grain;
  struct xnn_operator *op;
};

static enum onr_status view_of(const struct onr_call *call, struct softmax_state *s) {
  const struct onr_softmax_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  int32_t axis = x->rank;
  if (!p->flatten || p->axis != x->rank) ONR_TRY(onri_axis_resolve(p->axis, x->rank, &axis, call->error));
  s->outer = (size_t)onri_product(x, 0, axis < x->rank ? axis : x->rank);
  s->length = axis >= x->rank ? 1 : (size_t)(p->flatten ? onri_product(x, axis, x->rank) : x->dim[axis]);
  s->inner = p->flatten || axis >= x->rank ? 1 : (size_t)onri_product(x, axis + 1, x->rank);
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

/* Exponentials of whole lines are a vector kernel, but for double. */
static enum onr_status plan_exp_lines(struct onr_call *call) {
  const struct softmax_state *s = call->state;
  ONR_TRY(plan_lines(call));
  if (call->in[0].dtype != ONR_DTYPE_F64 && s->inner == 1) call->kernel = ONR_KERNEL_VECTOR;
  return ONR_STATUS_OK;
}

static int softmax_by_xnn(const struct onr_call *call, const struct softmax_state *s) {
  return onri_xnn_usable(call->env) && call->in[0].dtype == ONR_DTYPE_F32 && s->inner == 1 &&
         onri_xnn_softmax_check(s->outer, s->length) == ONR_STATUS_OK;
}

static enum onr_status softmax_plan(struct onr_call *call) {
  struct softmax_state *s = call->state;
  ONR_TRY(plan_exp_lines(call));
  if (!softmax_by_xnn(call, s)) return ONR_STATUS_OK;
  call->kernel = ONR_KERNEL_XNNPACK;
  return onri_xnn_softmax_plan(&s->op, s->outer, s->length, call->env, call->error);
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

static enum onr_status run_lines(struct onr_call *call, enum onri_softmax_kind kind) {
  const struct softmax_state *s = call->state;
  struct job job = {{kind, call->in[0].dtype, s->length, s->inner, call->inputs[0], call->outputs[0], call->env},
                    (s->inner + ONRI_SOFTMAX_COLUMNS - 1) / ONRI_SOFTMAX_COLUMNS};
  onr_parallel_for(call->env, s->outer * job.blocks, s->grain, job_range, &job);
  return ONR_STATUS_OK;
}

static enum onr_status softmax_run(struct onr_call *call) {
  struct softmax_state *s = call->state;
  if (!s->op) return run_lines(call, ONRI_SOFTMAX);
  return onri_xnn_softmax_run(s->op, call->inputs[0], call->outputs[0], call->env, call->error);
}

static enum onr_status log_softmax_run(struct onr_call *call) { return run_lines(call, ONRI_LOG_SOFTMAX); }
static enum onr_status hardmax_run(struct onr_call *call) { return run_lines(call, ONRI_HARDMAX); }

static void softmax_release_state(void *state, struct onr_env *env) {
  struct softmax_state *s = state;
  (void)env;
  onri_xnn_delete(s->op);
  s->op = NULL;
}

static uint32_t softmax_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_XNNPACK  ? ONRI_DTYPE_BIT(ONR_DTYPE_F32)
         : kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPES_F32_AND_HALF
                                       : 0;
}

static uint32_t log_softmax_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPES_F32_AND_HALF : 0;
}

#define hardmax_kernel_types NULL

#define SOFTMAX_LAYER(layer_name, plan_function, run_function)   \
  const struct onr_layer onri_layer_##layer_name = {             \
      .name = #layer_name,                                       \
      .inputs_min = 1,                                           \
      .inputs_max = 1,                                           \
      .outputs_min = 1,                                          \
      .outputs_max = 1,                                          \
      .types = {ONRI_DTYPES_FLOAT},                              \
      .output_type = ONR_AS_INPUT(0),                            \
      .flags = ONR_LAYER_OVERREADS,                              \
      .layout = ONRI_LAYOUT_SOFTMAX,                             \
      .layout_param = offsetof(struct onr_softmax_params, axis), \
      .params_size = sizeof(struct onr_softmax_params),          \
      .state_size = sizeof(struct softmax_state),                \
      .infer = softmax_infer,                                    \
      .plan = plan_function,                                     \
      .run = run_function,                                       \
      .release_state = softmax_release_state,                    \
      .kernel_types = layer_name##_kernel_types,                 \
  }

SOFTMAX_LAYER(softmax, softmax_plan, softmax_run);
SOFTMAX_LAYER(log_softmax, plan_exp_lines, log_softmax_run);
SOFTMAX_LAYER(hardmax, plan_lines, hardmax_run);
