/* reverse_sequence.c: for each item of the batch, the first lengths[b] entries along time in reverse order. */
#include "base/shape.h"
#include "layers/index/indices.h"
#include "layers/layers.h"

#define TASK_BYTES ((size_t)32 * 1024)

static enum onr_status reverse_sequence_infer(struct onr_call *call) {
  const struct onr_reverse_sequence_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  if (p->batch_axis < 0 || p->batch_axis > 1 || p->time_axis != 1 - p->batch_axis)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE,
                    "batch axis %d and time axis %d: expected 0 and 1 in either order", (int)p->batch_axis,
                    (int)p->time_axis);
  ONR_TRY(onri_expect_rank(call, 0, 2, ONR_MAX_RANK));
  ONR_TRY(onri_expect_rank(call, 1, 1, 1));
  if (call->in[1].dim[0] != x->dim[p->batch_axis])
    return onr_fail(call->error, ONR_STATUS_SHAPE, "%lld lengths for a batch of %lld", (long long)call->in[1].dim[0],
                    (long long)x->dim[p->batch_axis]);
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

struct reverse_job {
  struct onri_indices lengths;
  const char *x;
  char *y;
  size_t columns, block; /* x is [rows][columns][block bytes] */
  int time_first;        /* rows are time, else batch */
};

static void reverse_blocks(void *context, size_t begin, size_t end) {
  const struct reverse_job *job = context;
  for (size_t i = begin; i < end; i++) {
    const size_t row = i / job->columns, column = i % job->columns;
    const size_t time = job->time_first ? row : column, batch = job->time_first ? column : row;
    const size_t length = (size_t)onri_index_raw(job->lengths, batch);
    const size_t from = time < length ? length - 1 - time : time;
    const size_t source = job->time_first ? from * job->columns + column : row * job->columns + from;
    onri_copy_element(job->y + i * job->block, job->x + source * job->block, job->block);
  }
}

static enum onr_status reverse_sequence_run(struct onr_call *call) {
  const struct onr_reverse_sequence_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  struct reverse_job job = {onri_indices(call, 1),
                            call->inputs[0],
                            call->outputs[0],
                            (size_t)x->dim[1],
                            (size_t)onri_product(x, 2, x->rank) * onr_dtype_size(x->dtype),
                            p->time_axis == 0};
  for (int64_t b = 0; b < x->dim[p->batch_axis]; b++) {
    const int64_t length = onri_index_raw(job.lengths, (size_t)b);
    if (length < 0 || length > x->dim[p->time_axis])
      return onr_fail(call->error, ONR_STATUS_INDEX, "length %lld of batch item %lld: expected 0..%lld",
                      (long long)length, (long long)b, (long long)x->dim[p->time_axis]);
  }
  if (onr_desc_elements(x) == 0) return ONR_STATUS_OK;
  onr_parallel_for(call->env, (size_t)x->dim[0] * job.columns, job.block < TASK_BYTES ? TASK_BYTES / job.block : 1,
                   reverse_blocks, &job);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_reverse_sequence = {
    .name = "reverse_sequence",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {0, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_reverse_sequence_params),
    .infer = reverse_sequence_infer,
    .run = reverse_sequence_run,
};
