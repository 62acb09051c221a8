/* trilu.c: the upper or lower triangle of the last two dimensions; the rest is zero. */
#include "base/env.h"
#include "base/shape.h"
#include "layers/layers.h"

#define TASK_BYTES ((size_t)32 * 1024)

static enum onr_status trilu_infer(struct onr_call *call) {
  ONR_TRY(onri_expect_rank(call, 0, 2, ONR_MAX_RANK));
  if (onri_has(call, 1)) {
    if (onr_desc_elements(&call->in[1]) != 1)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "k has %lld elements: expected one",
                      (long long)onr_desc_elements(&call->in[1]));
  }
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static enum onr_status trilu_plan(struct onr_call *call) {
  call->in_place = 0;
  return ONR_STATUS_OK;
}

struct trilu_job {
  const struct onr_env *env;
  const char *x;
  char *y;
  int64_t rows, columns, k;
  size_t size;
  int32_t upper;
};

static void trilu_rows(void *context, size_t begin, size_t end) {
  const struct trilu_job *job = context;
  const size_t row_bytes = (size_t)job->columns * job->size;
  for (size_t i = begin; i < end; i++) {
    const int64_t row = (int64_t)(i % (size_t)job->rows);
    /* Columns before `border` belong to the lower part. */
    int64_t border = job->upper ? row + job->k : row + job->k + 1;
    border = border < 0 ? 0 : border > job->columns ? job->columns : border;
    const size_t lower = (size_t)border * job->size;
    const char *x = job->x + i * row_bytes;
    char *y = job->y + i * row_bytes;
    if (job->upper) {
      onri_env_copy(job->env, y, NULL, lower, NULL);
      onri_env_copy(job->env, y + lower, x + lower, row_bytes - lower, NULL);
    } else {
      onri_env_copy(job->env, y + lower, NULL, row_bytes - lower, NULL);
      onri_env_copy(job->env, y, x, lower, NULL);
    }
  }
}

static enum onr_status trilu_run(struct onr_call *call) {
  const struct onr_trilu_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  const int64_t rows = x->dim[x->rank - 2], columns = x->dim[x->rank - 1];
  int64_t k = onri_has(call, 1) ? *(const int64_t *)call->inputs[1] : 0;
  if (k > columns) k = columns; /* so that row + k does not overflow */
  if (k < -rows) k = -rows;
  struct trilu_job job = {call->env, call->inputs[0],          call->outputs[0], rows, columns,
                          k,         onr_dtype_size(x->dtype), p->upper};
  const size_t bytes = (size_t)columns * job.size;
  if (onr_desc_elements(x) == 0) return ONR_STATUS_OK;
  onr_parallel_for(call->env, (size_t)onri_product(x, 0, x->rank - 1), bytes < TASK_BYTES ? TASK_BYTES / bytes : 1,
                   trilu_rows, &job);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_trilu = {
    .name = "trilu",
    .inputs_min = 1,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {0, ONRI_DTYPE_BIT(ONR_DTYPE_I64)},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_trilu_params),
    .infer = trilu_infer,
    .plan = trilu_plan,
    .run = trilu_run,
};
