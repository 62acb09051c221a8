/* expand.c: two-way broadcasting to a shape; and tile: repetition along each dimension. */
#include "base/numbers/checked.h"
#include "base/shape.h"
#include "kernels/move/copy.h"
#include "layers/layers.h"

/* What lies below a dimension that repeats is made once, and copied as a whole, from the innermost of these on. */
struct expand_state {
  struct onri_copy copy;
  int32_t stages; /* behind it: y from what lies there already, `offset` bytes before */
  struct stage {
    struct onri_copy copy;
    size_t offset;
  } stage[ONRI_COPY_MAX_RANK];
};

/* Repeats of dimension d, whose first is there; of dimensions before it, as often as `once` says. */
static struct stage make_stage(size_t size, int32_t rank, int32_t d, const int64_t *dims, const int64_t *once,
                               const int64_t *y_strides) {
  struct stage stage = {.offset = (size_t)y_strides[d] * size};
  int64_t count[ONRI_COPY_MAX_RANK], x_strides[ONRI_COPY_MAX_RANK];
  for (int32_t i = 0; i < rank; i++) {
    count[i] = i < d ? once[i] : i == d ? dims[i] - 1 : dims[i];
    x_strides[i] = i == d ? 0 : y_strides[i];
  }
  onri_copy_make(&stage.copy, size, rank, count, x_strides, y_strides);
  return stage;
}

/* Without dimensions of 1, and neighbours that repeat as one: their number. */
static int32_t merge_repeats(int32_t rank, const int64_t *dims, const int64_t *x_strides, int64_t *merged,
                             int64_t *strides) {
  int32_t n = 0;
  for (int32_t d = 0; d < rank; d++) {
    if (dims[d] == 1) continue;
    if (n > 0 && x_strides[d] == 0 && strides[n - 1] == 0) {
      merged[n - 1] *= dims[d];
      continue;
    }
    merged[n] = dims[d], strides[n++] = x_strides[d];
  }
  return n;
}

static void plan_copies(struct expand_state *s, size_t size, int32_t rank, const int64_t *dims,
                        const int64_t *x_strides) {
  enum { LEAST_BLOCK = 128, LONG_RUN = 128 }; /* bytes: so long, a run is as fast as any copy */
  int64_t merged[ONRI_COPY_MAX_RANK], strides[ONRI_COPY_MAX_RANK], once[ONRI_COPY_MAX_RANK],
      y_strides[ONRI_COPY_MAX_RANK], next = 1;
  const int32_t count = merge_repeats(rank, dims, x_strides, merged, strides);
  s->stages = 0;
  onri_copy_make(&s->copy, size, count, merged, strides, NULL);
  if (s->copy.num_tasks == 0 || (s->copy.size >= LONG_RUN && s->copy.places == 0 && s->copy.words == 0)) return;
  for (int32_t d = count - 1; d >= 0; next *= merged[d--]) {
    y_strides[d] = next;
    once[d] = strides[d] == 0 && next * (int64_t)size >= LEAST_BLOCK ? 1 : merged[d];
  }
  for (int32_t d = count - 1; d >= 0; d--)
    if (once[d] < merged[d]) s->stage[s->stages++] = make_stage(size, count, d, merged, once, y_strides);
  if (s->stages > 0) onri_copy_make(&s->copy, size, count, once, strides, y_strides);
}

static enum onr_status expand_infer(struct onr_call *call) {
  int64_t shape[ONR_MAX_RANK];
  size_t count;
  ONR_TRY(onri_read_ints(call, 1, shape, ONR_MAX_RANK, &count));
  for (size_t d = 0; d < count; d++)
    if (shape[d] < 0)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "dimension %d of the shape to expand to is %lld", (int)d,
                      (long long)shape[d]);
  const struct onr_desc target = onr_desc_make(call->in[0].dtype, (int32_t)count, shape);
  return onri_broadcast(&call->in[0], &target, &call->out[0], call->error);
}

static void wish_view_when_equal(struct onr_call *call) {
  if (onr_desc_elements(&call->in[0]) == onr_desc_elements(&call->out[0])) {
    call->view[0].of = 0;
    call->view[0].offset = 0;
  }
}

static enum onr_status expand_plan(struct onr_call *call) {
  struct expand_state *s = call->state;
  const struct onr_desc *y = &call->out[0];
  int64_t strides[ONR_MAX_RANK];
  onri_broadcast_strides(&call->in[0], y, strides);
  plan_copies(s, onr_dtype_size(y->dtype), y->rank, y->dim, strides);
  wish_view_when_equal(call);
  return ONR_STATUS_OK;
}

static enum onr_status expand_run(struct onr_call *call) {
  const struct expand_state *s = call->state;
  char *y = call->outputs[0];
  if (call->outputs[0] == call->inputs[0]) return ONR_STATUS_OK;
  onri_copy_run(&s->copy, call->env, call->inputs[0], y);
  for (int32_t i = 0; i < s->stages; i++) onri_copy_run(&s->stage[i].copy, call->env, y, y + s->stage[i].offset);
  return ONR_STATUS_OK;
}

static enum onr_status tile_infer(struct onr_call *call) {
  const struct onr_desc x = call->in[0];
  int64_t repeats[ONR_MAX_RANK];
  size_t count;
  ONR_TRY(onri_read_ints(call, 1, repeats, ONR_MAX_RANK, &count));
  if (count != (size_t)x.rank)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "%d repeats for an input of rank %d", (int)count, (int)x.rank);
  struct onr_desc out = x;
  for (int32_t d = 0; d < x.rank; d++) {
    if (repeats[d] < 0)
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "repeats[%d] is %lld: expected 0 or more", (int)d,
                      (long long)repeats[d]);
    if (!onri_mul_i64(x.dim[d], repeats[d], &out.dim[d]))
      return onr_fail(call->error, ONR_STATUS_LIMIT, "%lld repeats of dimension %d of size %lld", (long long)repeats[d],
                      (int)d, (long long)x.dim[d]);
  }
  call->out[0] = out;
  return ONR_STATUS_OK;
}

/* Each dimension becomes two: the repeat, with a stride of 0 in x, and the dimension itself. */
static enum onr_status tile_plan(struct onr_call *call) {
  struct expand_state *s = call->state;
  const struct onr_desc *x = &call->in[0], *y = &call->out[0];
  int64_t dims[ONRI_COPY_MAX_RANK], strides[ONRI_COPY_MAX_RANK], x_strides[ONR_MAX_RANK];
  onri_strides(x, x_strides);
  for (int32_t d = 0; d < x->rank; d++) {
    dims[2 * d] = x->dim[d] == 0 ? 0 : y->dim[d] / x->dim[d];
    dims[2 * d + 1] = x->dim[d];
    strides[2 * d] = 0;
    strides[2 * d + 1] = x_strides[d];
  }
  plan_copies(s, onr_dtype_size(x->dtype), 2 * x->rank, dims, strides);
  wish_view_when_equal(call);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_expand = {
    .name = "expand",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONRI_LAYER_NO_PRODUCTS,
    .types = {0, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 1u << 1,
    .state_size = sizeof(struct expand_state),
    .infer = expand_infer,
    .plan = expand_plan,
    .run = expand_run,
};
const struct onr_layer onri_layer_tile = {
    .name = "tile",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {0, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 1u << 1,
    .state_size = sizeof(struct expand_state),
    .infer = tile_infer,
    .plan = tile_plan,
    .run = expand_run,
};
