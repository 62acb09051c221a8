/* transpose.c: y[i0, i1, ...] = x with its dimensions in another order. A move of dimensions of 1 is a view. */
#include "base/shape.h"
#include "kernels/move/copy.h"
#include "layers/layers.h"

struct transpose_state {
  struct onri_copy copy;
};

static int32_t source_dim(const struct onr_transpose_params *p, int32_t rank, int32_t d) {
  return p->rank == 0 ? rank - 1 - d : p->perm[d];
}

static enum onr_status transpose_infer(struct onr_call *call) {
  const struct onr_transpose_params *p = call->params;
  const struct onr_desc x = call->in[0];
  if (p->rank != 0 && p->rank != x.rank)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "perm has %d entries, the input has rank %d", (int)p->rank,
                    (int)x.rank);
  struct onr_desc out = {.dtype = x.dtype, .rank = x.rank};
  unsigned seen = 0;
  for (int32_t d = 0; d < x.rank; d++) {
    const int32_t from = source_dim(p, x.rank, d);
    if (from < 0 || from >= x.rank || (seen >> from & 1u))
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "perm[%d] = %d: expected each of 0..%d once", (int)d,
                      (int)from, (int)x.rank - 1);
    seen |= 1u << from;
    out.dim[d] = x.dim[from];
  }
  call->out[0] = out;
  return ONR_STATUS_OK;
}

static enum onr_status transpose_plan(struct onr_call *call) {
  const struct onr_transpose_params *p = call->params;
  struct transpose_state *s = call->state;
  const struct onr_desc *x = &call->in[0], *y = &call->out[0];
  int64_t strides[ONR_MAX_RANK], moved[ONR_MAX_RANK];
  onri_strides(x, strides);
  for (int32_t d = 0; d < y->rank; d++) moved[d] = strides[source_dim(p, y->rank, d)];
  onri_copy_make(&s->copy, onr_dtype_size(x->dtype), y->rank, y->dim, moved, NULL);
  if (onri_copy_is_contiguous(&s->copy)) {
    call->view[0].of = 0;
    call->view[0].offset = 0;
  }
  return ONR_STATUS_OK;
}

static enum onr_status transpose_run(struct onr_call *call) {
  const struct transpose_state *s = call->state;
  if (call->outputs[0] != call->inputs[0]) onri_copy_run(&s->copy, call->env, call->inputs[0], call->outputs[0]);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_transpose = {
    .name = "transpose",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONRI_LAYER_NO_PRODUCTS | ONRI_LAYER_NO_REDUCTIONS,
    .output_type = ONR_AS_INPUT(0),
    .layout = ONRI_LAYOUT_TRANSPOSE,
    .params_size = sizeof(struct onr_transpose_params),
    .state_size = sizeof(struct transpose_state),
    .infer = transpose_infer,
    .plan = ONRI_WHERE(RUN_transpose, transpose_plan),
    .run = ONRI_WHERE(RUN_transpose, transpose_run),
};
