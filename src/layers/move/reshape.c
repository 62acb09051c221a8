/* reshape.c: reshape, flatten, flatten_dims, unflatten, squeeze, unsqueeze, batch, unbatch, identity, bit_cast: the
 * bytes of input 0 under another descriptor. All wish to be a view of it and copy where that was not granted. */
#include "base/numbers/checked.h"
#include "base/numbers/convert.h"
#include "base/env.h"
#include "base/shape.h"
#include "kernels/move/copy.h"
#include "layers/layers.h"

static enum onr_status view_plan(struct onr_call *call) {
  call->view[0].of = 0;
  call->view[0].offset = 0;
  call->in_place = 0;
  return ONR_STATUS_OK;
}

static enum onr_status view_run(struct onr_call *call) {
  if (call->outputs[0] != call->inputs[0])
    onri_copy_bytes(call->env, call->inputs[0], call->outputs[0], onr_desc_bytes(&call->out[0]));
  return ONR_STATUS_OK;
}

/* Replaces -1 in out by what is missing to `total` elements. */
static enum onr_status reshape_complete(struct onr_desc *out, int32_t unknown, int64_t total, struct onr_error *error) {
  int64_t product = 1;
  int empty = 0;
  for (int32_t d = 0; d < out->rank; d++) empty |= out->dim[d] == 0;
  for (int32_t d = 0; d < out->rank && !empty; d++)
    if (d != unknown && !onri_mul_i64(product, out->dim[d], &product))
      return onr_fail(error, ONR_STATUS_SHAPE,
                      "the product of the new dimensions exceeds 64 bits; the input has %lld elements",
                      (long long)total);
  if (empty) product = 0;
  if (unknown >= 0) {
    if (product == 0)
      return onr_fail(error, ONR_STATUS_SHAPE, "-1 at position %d of the shape is undetermined: another dimension is 0",
                      (int)unknown);
    if (total % product != 0)
      return onr_fail(error, ONR_STATUS_SHAPE, "cannot infer -1: %lld elements do not divide by %lld", (long long)total,
                      (long long)product);
    out->dim[unknown] = total / product;
    return ONR_STATUS_OK;
  }
  if (product != total)
    return onr_fail(error, ONR_STATUS_SHAPE, "the new shape has %lld elements, the input %lld", (long long)product,
                    (long long)total);
  return ONR_STATUS_OK;
}

static enum onr_status reshape_infer(struct onr_call *call) {
  const struct onr_reshape_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  int64_t shape[ONR_MAX_RANK];
  size_t count;
  int32_t unknown = -1;
  ONR_TRY(onri_read_ints(call, 1, shape, ONR_MAX_RANK, &count));
  struct onr_desc out = {.dtype = x->dtype, .rank = (int32_t)count};
  for (int32_t d = 0; d < out.rank; d++) {
    out.dim[d] = shape[d];
    if (p->copy[d]) {
      out.dim[d] = 1; /* filled in below */
    } else if (shape[d] == -1) {
      if (unknown >= 0) return onr_fail(call->error, ONR_STATUS_SHAPE, "-1 stands more than once in the new shape");
      unknown = d;
    } else if (shape[d] < -1) {
      return onr_fail(call->error, ONR_STATUS_SHAPE, "dimension %d of the new shape is %lld", (int)d,
                      (long long)shape[d]);
    } else if (shape[d] == 0 && !p->allow_zero) {
      if (d >= x->rank)
        return onr_fail(call->error, ONR_STATUS_SHAPE,
                        "0 at position %d of the new shape copies a dimension of an input of rank %d", (int)d,
                        (int)x->rank);
      out.dim[d] = x->dim[d];
    }
  }
  struct onr_desc rest = *x; /* without what is copied */
  for (int32_t d = 0; d < out.rank; d++) {
    if (!p->copy[d]) continue;
    if (p->copy[d] > x->rank)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "dimension %d of an input of rank %d cannot be copied",
                      p->copy[d] - 1, (int)x->rank);
    rest.dim[p->copy[d] - 1] = 1;
  }
  ONR_TRY(reshape_complete(&out, unknown, onr_desc_elements(&rest), call->error));
  for (int32_t d = 0; d < out.rank; d++)
    if (p->copy[d]) out.dim[d] = x->dim[p->copy[d] - 1];
  call->out[0] = out;
  return ONR_STATUS_OK;
}

static enum onr_status flatten_infer(struct onr_call *call) {
  const struct onr_flatten_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  if (p->axis < -x->rank || p->axis > x->rank)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "axis %d is outside of a rank %d tensor", (int)p->axis,
                    (int)x->rank);
  const int32_t axis = p->axis < 0 ? p->axis + x->rank : p->axis;
  const int64_t dims[2] = {onri_product(x, 0, axis), onri_product(x, axis, x->rank)};
  call->out[0] = onr_desc_make(x->dtype, 2, dims);
  return ONR_STATUS_OK;
}

static enum onr_status flatten_dims_infer(struct onr_call *call) {
  const struct onr_flatten_dims_params *p = call->params;
  const struct onr_desc x = call->in[0];
  const int32_t rank = x.rank > 0 ? x.rank : 1;
  int32_t first, last;
  ONR_TRY(onri_axis_resolve(p->first, rank, &first, call->error));
  ONR_TRY(onri_axis_resolve(p->last, rank, &last, call->error));
  if (first > last)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE,
                    "expected a first dimension that is not behind the last, found %d and %d", (int)first, (int)last);
  call->out[0] = onr_desc_make(x.dtype, first, x.dim);
  call->out[0].dim[call->out[0].rank++] = onri_product(&x, first, x.rank > 0 ? last + 1 : 0);
  for (int32_t d = last + 1; d < x.rank; d++) call->out[0].dim[call->out[0].rank++] = x.dim[d];
  return ONR_STATUS_OK;
}

static enum onr_status unflatten_infer(struct onr_call *call) {
  const struct onr_unflatten_params *p = call->params;
  const struct onr_desc x = call->in[0];
  int32_t axis, unknown = -1;
  ONR_TRY(onri_axis_resolve(p->axis, x.rank, &axis, call->error));
  if (p->num_sizes < 1 || p->num_sizes > ONR_MAX_RANK || x.rank - 1 + p->num_sizes > ONR_MAX_RANK)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected up to %d dimensions, found %d", ONR_MAX_RANK,
                    (int)(x.rank - 1 + p->num_sizes));
  struct onr_desc part = onr_desc_make(x.dtype, p->num_sizes, p->sizes);
  for (int32_t d = 0; d < part.rank; d++) {
    if (part.dim[d] >= 0) continue;
    if (part.dim[d] != -1 || unknown >= 0)
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected sizes of 0 or more, and -1 once, found %lld",
                      (long long)part.dim[d]);
    unknown = d;
  }
  ONR_TRY(reshape_complete(&part, unknown, x.dim[axis], call->error));
  struct onr_desc out = onr_desc_make(x.dtype, axis, x.dim);
  for (int32_t d = 0; d < part.rank; d++) out.dim[out.rank++] = part.dim[d];
  for (int32_t d = axis + 1; d < x.rank; d++) out.dim[out.rank++] = x.dim[d];
  call->out[0] = out;
  return ONR_STATUS_OK;
}

static enum onr_status squeeze_infer(struct onr_call *call) {
  const struct onr_desc x = call->in[0];
  uint8_t mask[ONR_MAX_RANK] = {0};
  if (onri_has(call, 1)) {
    int64_t axes[ONR_MAX_RANK];
    size_t count;
    ONR_TRY(onri_read_ints(call, 1, axes, ONR_MAX_RANK, &count));
    ONR_TRY(onri_axes_resolve(axes, count, x.rank, mask, call->error));
  } else {
    for (int32_t d = 0; d < x.rank; d++) mask[d] = x.dim[d] == 1;
  }
  struct onr_desc out = {.dtype = x.dtype};
  for (int32_t d = 0; d < x.rank; d++) {
    if (mask[d] && x.dim[d] != 1)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "cannot squeeze axis %d of size %lld: expected size 1", (int)d,
                      (long long)x.dim[d]);
    if (!mask[d]) out.dim[out.rank++] = x.dim[d];
  }
  call->out[0] = out;
  return ONR_STATUS_OK;
}

static enum onr_status unsqueeze_infer(struct onr_call *call) {
  const struct onr_desc x = call->in[0];
  int64_t axes[ONR_MAX_RANK];
  size_t count;
  uint8_t mask[ONR_MAX_RANK] = {0};
  ONR_TRY(onri_read_ints(call, 1, axes, ONR_MAX_RANK, &count));
  const int32_t rank = x.rank + (int32_t)count;
  if (rank > ONR_MAX_RANK)
    return onr_fail(call->error, ONR_STATUS_LIMIT, "%d new axes on rank %d exceed the highest rank %d", (int)count,
                    (int)x.rank, ONR_MAX_RANK);
  ONR_TRY(onri_axes_resolve(axes, count, rank, mask, call->error));
  struct onr_desc out = {.dtype = x.dtype, .rank = rank};
  for (int32_t d = 0, from = 0; d < rank; d++) out.dim[d] = mask[d] ? 1 : x.dim[from++];
  call->out[0] = out;
  return ONR_STATUS_OK;
}

/* x is what batch gets, and what unbatch is to make again. */
static enum onr_status batch_check(const struct onr_call *call, const struct onr_desc *x) {
  const struct onr_batch_params *p = call->params;
  if (p->axis < 0 || p->axis >= p->rank)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "axis %d is outside of a rank %d tensor", (int)p->axis,
                    (int)p->rank);
  if (x->rank == p->rank || x->rank == p->rank - 1) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_SHAPE, "expected an input of rank %d or %d, found %d", p->rank - 1, p->rank,
                  x->rank);
}

static enum onr_status batch_infer(struct onr_call *call) {
  const struct onr_batch_params *p = call->params;
  const struct onr_desc x = call->in[0];
  ONR_TRY(batch_check(call, &x));
  call->out[0] = x;
  if (x.rank == p->rank) return ONR_STATUS_OK;
  call->out[0].rank = p->rank;
  call->out[0].dim[p->axis] = 1;
  for (int32_t d = p->axis; d < x.rank; d++) call->out[0].dim[d + 1] = x.dim[d];
  return ONR_STATUS_OK;
}

static enum onr_status unbatch_infer(struct onr_call *call) {
  const struct onr_batch_params *p = call->params;
  char text[128];
  const struct onr_desc y = call->in[0], *x = &call->in[1];
  ONR_TRY(batch_check(call, x));
  call->out[0] = y;
  if (x->rank == p->rank) return ONR_STATUS_OK;
  if (y.rank <= p->axis || y.dim[p->axis] != 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a batch of one, found %s",
                    onr_desc_format(&y, text, sizeof(text)));
  call->out[0].rank = y.rank - 1;
  for (int32_t d = p->axis; d < y.rank - 1; d++) call->out[0].dim[d] = y.dim[d + 1];
  return ONR_STATUS_OK;
}

static enum onr_status bit_cast_infer(struct onr_call *call) {
  const struct onr_bit_cast_params *p = call->params;
  const enum onr_dtype from = call->in[0].dtype;
  if (from == ONR_DTYPE_STRING || p->dtype == ONR_DTYPE_STRING || p->dtype == ONR_DTYPE_NONE ||
      p->dtype > ONR_DTYPE_LAST_IN_FILES)
    return onr_fail(call->error, ONR_STATUS_TYPE, "cannot take the bits of %s as %s", onr_dtype_name(from),
                    onr_dtype_name(p->dtype));
  if (onri_dtype_packed_bits(from) != onri_dtype_packed_bits(p->dtype))
    return onr_fail(call->error, ONR_STATUS_TYPE, "%s has %u bits, %s has %u", onr_dtype_name(from),
                    onri_dtype_packed_bits(from), onr_dtype_name(p->dtype), onri_dtype_packed_bits(p->dtype));
  call->out[0] = call->in[0];
  call->out[0].dtype = p->dtype;
  return ONR_STATUS_OK;
}

/* In memory, signed narrow integers are sign-extended and a bool is 0 or 1. */
static int same_form(enum onr_dtype from, enum onr_dtype to) {
  return from == to || (onri_dtype_packed_bits(to) >= 8 && to != ONR_DTYPE_BOOL);
}

static enum onr_status bit_cast_plan(struct onr_call *call) {
  if (same_form(call->in[0].dtype, call->out[0].dtype)) return view_plan(call);
  call->in_place = 0;
  return ONR_STATUS_OK;
}

static enum onr_status bit_cast_run(struct onr_call *call) {
  const enum onr_dtype to = call->out[0].dtype;
  const uint8_t *x = call->inputs[0];
  uint8_t *y = call->outputs[0];
  if (same_form(call->in[0].dtype, to)) return view_run(call);
  const size_t count = (size_t)onr_desc_elements(&call->out[0]);
  const unsigned bits = onri_dtype_packed_bits(to), mask = (1u << bits) - 1;
  const unsigned sign = to == ONR_DTYPE_I4 || to == ONR_DTYPE_I2 ? 1u << (bits - 1) : 0;
  struct onri_pace pace = {call->env, 0};
  for (size_t i = 0; i < count && !onri_pace_stop(&pace, 1); i++)
    y[i] = to == ONR_DTYPE_BOOL ? x[i] != 0 : (uint8_t)(((x[i] & mask) ^ sign) - sign);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_reshape = {
    .name = "reshape",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONRI_LAYER_NO_PRODUCTS | ONRI_LAYER_NO_REDUCTIONS,
    .types = {0, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 1u << 1,
    .layout = ONRI_LAYOUT_RESHAPE,
    .params_size = sizeof(struct onr_reshape_params),
    .infer = reshape_infer,
    .plan = view_plan,
    .run = view_run,
};
const struct onr_layer onri_layer_flatten = {
    .name = "flatten",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONRI_LAYER_NO_PRODUCTS | ONRI_LAYER_NO_REDUCTIONS,
    .output_type = ONR_AS_INPUT(0),
    .layout = ONRI_LAYOUT_RESHAPE,
    .params_size = sizeof(struct onr_flatten_params),
    .infer = flatten_infer,
    .plan = view_plan,
    .run = view_run,
};
const struct onr_layer onri_layer_flatten_dims = {
    .name = "flatten_dims",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .output_type = ONR_AS_INPUT(0),
    .layout = ONRI_LAYOUT_RESHAPE,
    .params_size = sizeof(struct onr_flatten_dims_params),
    .infer = flatten_dims_infer,
    .plan = view_plan,
    .run = view_run,
};
const struct onr_layer onri_layer_unflatten = {
    .name = "unflatten",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .output_type = ONR_AS_INPUT(0),
    .layout = ONRI_LAYOUT_RESHAPE,
    .params_size = sizeof(struct onr_unflatten_params),
    .infer = unflatten_infer,
    .plan = view_plan,
    .run = view_run,
};
const struct onr_layer onri_layer_squeeze = {
    .name = "squeeze",
    .inputs_min = 1,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONRI_LAYER_NO_PRODUCTS | ONRI_LAYER_NO_REDUCTIONS,
    .types = {0, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 1u << 1,
    .layout = ONRI_LAYOUT_SQUEEZE,
    .infer = squeeze_infer,
    .plan = view_plan,
    .run = view_run,
};
const struct onr_layer onri_layer_unsqueeze = {
    .name = "unsqueeze",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONRI_LAYER_NO_PRODUCTS | ONRI_LAYER_NO_REDUCTIONS,
    .types = {0, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 1u << 1,
    .layout = ONRI_LAYOUT_UNSQUEEZE,
    .infer = unsqueeze_infer,
    .plan = view_plan,
    .run = view_run,
};
const struct onr_layer onri_layer_batch = {
    .name = "batch",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_batch_params),
    .infer = batch_infer,
    .plan = view_plan,
    .run = view_run,
};
const struct onr_layer onri_layer_unbatch = {
    .name = "unbatch",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_batch_params),
    .infer = unbatch_infer,
    .plan = view_plan,
    .run = view_run,
};
const struct onr_layer onri_layer_identity = {
    .name = "identity",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONR_ANY_TYPE},
    .flags = ONR_LAYER_MAKES_CONTAINERS | ONRI_LAYER_NO_PRODUCTS | ONRI_LAYER_NO_REDUCTIONS,
    .layout = ONR_LAYOUT_ELEMENTWISE,
    .plan = view_plan,
    .run = view_run,
};
const struct onr_layer onri_layer_bit_cast = {
    .name = "bit_cast",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .params_size = sizeof(struct onr_bit_cast_params),
    .infer = bit_cast_infer,
    .plan = bit_cast_plan,
    .run = bit_cast_run,
};
