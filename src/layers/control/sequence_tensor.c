/* sequence_tensor.c: a tensor cut into a sequence, and a sequence put together to a tensor.
 *
 * split_to_sequence     input 0 x, input 1 split (optional): a scalar length or a list of lengths    ONNX
 * SplitToSequence-11 concat_from_sequence  input 0 a sequence of tensors of one type ONNX ConcatFromSequence-11
 */
#include <string.h>

#include "base/numbers/checked.h"
#include "base/env.h"
#include "base/services.h"
#include "base/shape.h"
#include "layers/layers.h"

/* [outer][length][inner_bytes] */
struct along_axis {
  size_t outer, length, inner_bytes;
};

static struct along_axis view_along(const struct onr_desc *desc, int32_t axis) {
  return (struct along_axis){(size_t)onri_product(desc, 0, axis), (size_t)desc->dim[axis],
                             (size_t)onri_product(desc, axis + 1, desc->rank) * onr_dtype_size(desc->dtype)};
}

/* Copies `count` slices from `from` of x to `to` of y. */
static void copy_along(const struct along_axis *x, const char *source, size_t from, const struct along_axis *y,
                       char *target, size_t to, size_t count) {
  for (size_t o = 0; o < x->outer; o++)
    memcpy(target + (o * y->length + to) * y->inner_bytes, source + (o * x->length + from) * x->inner_bytes,
           count * x->inner_bytes);
}

static enum onr_status split_axis(const struct onr_call *c, int32_t *axis) {
  const struct onr_split_to_sequence_params *p = c->params;
  if (c->in[0].rank == 0) return onr_fail(c->error, ONR_STATUS_SHAPE, "a scalar has no axis to be split along");
  return onri_axis_resolve(p->axis, c->in[0].rank, axis, c->error);
}

static enum onr_status split_infer(struct onr_call *c) {
  int32_t axis;
  ONR_TRY(split_axis(c, &axis));
  c->out[0] = (struct onr_desc){.dtype = ONR_DTYPE_SEQUENCE, .rank = 1};
  return ONR_STATUS_OK;
}

/* Length of part i: from a list, of one length, or 1. */
struct parts {
  const struct onr_call *call;
  int64_t count, length; /* length of all but the last part; 0: listed */
  int64_t total;
};

static int64_t listed(const struct onr_call *c, int64_t i) {
  return c->in[1].dtype == ONR_DTYPE_I64 ? ((const int64_t *)c->inputs[1])[i] : ((const int32_t *)c->inputs[1])[i];
}

static int64_t part_length(const struct parts *p, int64_t i) {
  if (!p->length) return listed(p->call, i);
  return i + 1 < p->count ? p->length : p->total - p->length * (p->count - 1);
}

static enum onr_status read_parts(const struct onr_call *c, int64_t total, struct parts *p) {
  int64_t sum = 0;
  *p = (struct parts){c, total, 1, total};
  if (!onri_has(c, 1)) return ONR_STATUS_OK;
  if (c->in[1].rank == 0) {
    p->length = listed(c, 0);
    if (p->length <= 0)
      return onr_fail(c->error, ONR_STATUS_ATTRIBUTE, "a split of %lld is not positive", (long long)p->length);
    p->count = total / p->length + (total % p->length != 0);
    return ONR_STATUS_OK;
  }
  p->count = onr_desc_elements(&c->in[1]);
  p->length = 0;
  for (int64_t i = 0; i < p->count; i++)
    if (listed(c, i) < 0 || !onri_add_i64(sum, listed(c, i), &sum))
      return onr_fail(c->error, ONR_STATUS_SHAPE, "a split is negative");
  if (sum != total)
    return onr_fail(c->error, ONR_STATUS_SHAPE, "the splits add up to %lld, the axis has %lld", (long long)sum,
                    (long long)total);
  return ONR_STATUS_OK;
}

static struct onr_desc part_desc(const struct onr_desc *x, int32_t axis, int64_t length, int keep_axis) {
  struct onr_desc desc = *x;
  desc.dim[axis] = length;
  if (keep_axis) return desc;
  desc.rank--;
  for (int32_t d = axis; d < desc.rank; d++) desc.dim[d] = x->dim[d + 1];
  desc.dim[desc.rank] = 0;
  return desc;
}

/* Gives the parts, each copied to the same place. */
struct part_reader {
  struct onri_values values; /* must be first */
  struct onr_call *call;
  const struct parts *parts;
  struct onr_tensor part;
  struct onri_pace pace;
  int64_t index, start;
  int32_t axis;
  int keep_axis;
};

static int next_part(struct onri_values *values, struct onr_tensor *value) {
  struct part_reader *r = (struct part_reader *)values;
  const struct onr_desc *whole = &r->call->in[0];
  const int64_t length = part_length(r->parts, r->index++);
  const struct along_axis x = view_along(whole, r->axis), y = {x.outer, (size_t)length, x.inner_bytes};
  r->part.desc = part_desc(whole, r->axis, length, r->keep_axis);
  copy_along(&x, r->call->inputs[0], (size_t)r->start, &y, r->part.data, 0, y.length);
  r->start += length;
  *value = r->part;
  return !onri_pace_stop(&r->pace, 64);
}

static enum onr_status split_run(struct onr_call *c) {
  const struct onr_split_to_sequence_params *p = c->params;
  const int keep_axis = p->keep_dims || onri_has(c, 1);
  struct onri_list *list = NULL;
  struct parts parts;
  struct part_reader reader = {.values = {next_part}, .call = c, .parts = &parts, .pace = {c->env, 0}};
  int32_t axis;
  int64_t longest = 0;
  size_t total;
  ONR_TRY(split_axis(c, &axis));
  ONR_TRY(read_parts(c, c->in[0].dim[axis], &parts));
  if (!onri_add_size(onri_list_bytes((size_t)parts.count), onr_desc_bytes(&c->in[0]), &total)) total = SIZE_MAX;
  ONR_TRY(onri_env_expect(c->env, total, c->error));
  for (int64_t i = 0; i < parts.count; i++)
    if (part_length(&parts, i) > longest) longest = part_length(&parts, i);
  reader.axis = axis;
  reader.keep_axis = keep_axis;
  const struct onr_desc room = part_desc(&c->in[0], axis, longest, keep_axis);
  reader.part.data = onri_allocate(c->env->allocator, onr_desc_bytes(&room));
  if (!reader.part.data) return onr_fail(c->error, ONR_STATUS_NO_MEMORY, "no memory for a part of a sequence");
  const enum onr_status status =
      onri_list_read(onri_call_heap(c), &reader.values, (size_t)parts.count, &list, c->error);
  onri_release(c->env->allocator, reader.part.data);
  if (onr_env_cancelled(c->env)) {
    onri_list_release(onri_call_heap(c), list);
    return ONR_STATUS_OK;
  }
  return status == ONR_STATUS_OK ? onri_call_put_list(c, 0, ONR_DTYPE_SEQUENCE, list) : status;
}

static enum onr_status concat_infer(struct onr_call *c) {
  c->out[0] = (struct onr_desc){0};
  return ONR_STATUS_OK;
}

/* Entry i with the new axis, when there is one. */
static struct onr_desc joined_desc(const struct onr_concat_from_sequence_params *p, const struct onr_desc *entry,
                                   int32_t axis) {
  struct onr_desc desc = *entry;
  if (!p->new_axis) return desc;
  for (int32_t d = entry->rank; d > axis; d--) desc.dim[d] = entry->dim[d - 1];
  desc.dim[axis] = 1;
  desc.rank++;
  return desc;
}

static enum onr_status concat_shape(const struct onr_call *c, const struct onr_tensor *sequence, int64_t length,
                                    int32_t *axis, struct onr_desc *whole) {
  const struct onr_concat_from_sequence_params *p = c->params;
  const struct onr_desc first = onr_sequence_entry(sequence, 0).desc;
  if (!onri_dtype_is_element(first.dtype))
    return onr_fail(c->error, ONR_STATUS_TYPE, "expected a sequence of tensors, found one of %s",
                    onr_dtype_name(first.dtype));
  if (first.rank + p->new_axis > ONR_MAX_RANK)
    return onr_fail(c->error, ONR_STATUS_LIMIT, "a result of rank %d", first.rank + 1);
  if (first.rank + p->new_axis == 0)
    return onr_fail(c->error, ONR_STATUS_SHAPE, "scalars can only be stacked along a new axis");
  ONR_TRY(onri_axis_resolve(p->axis, first.rank + p->new_axis, axis, c->error));
  *whole = joined_desc(p, &first, *axis);
  whole->dim[*axis] = 0;
  for (int64_t i = 0; i < length; i++) {
    const struct onr_desc entry = onr_sequence_entry(sequence, i).desc;
    struct onr_desc part = joined_desc(p, &entry, *axis), expected = *whole;
    expected.dim[*axis] = part.dim[*axis];
    if (!onr_desc_equal(&part, &expected)) {
      char text[160];
      return onr_fail(c->error, ONR_STATUS_SHAPE, "entry %lld is %s, unlike the first in type or shape", (long long)i,
                      onr_desc_format(&entry, text, sizeof(text)));
    }
    if (!onri_add_i64(whole->dim[*axis], part.dim[*axis], &whole->dim[*axis]))
      return onr_fail(c->error, ONR_STATUS_LIMIT, "the result is too long");
  }
  return ONR_STATUS_OK;
}

static enum onr_status concat_run(struct onr_call *c) {
  const struct onr_concat_from_sequence_params *p = c->params;
  const struct onr_tensor sequence = {c->in[0], (void *)(uintptr_t)c->inputs[0]};
  const int64_t length = onr_sequence_length(&sequence);
  struct onr_desc whole;
  int32_t axis;
  size_t at = 0;
  void *data;
  if (length < 0)
    return onr_fail(c->error, ONR_STATUS_TYPE, "input 0: expected a sequence, found %s",
                    onr_dtype_name(c->in[0].dtype));
  if (length == 0) return onr_fail(c->error, ONR_STATUS_SHAPE, "an empty sequence cannot be concatenated");
  ONR_TRY(concat_shape(c, &sequence, length, &axis, &whole));
  ONR_TRY(onr_call_resize(c, 0, &whole, &data));
  for (int64_t i = 0; data && i < length; i++) {
    const struct onr_tensor entry = onr_sequence_entry(&sequence, i);
    const struct onr_desc part = joined_desc(p, &entry.desc, axis);
    const struct along_axis x = view_along(&part, axis), y = view_along(&whole, axis);
    copy_along(&x, entry.data, 0, &y, data, at, x.length);
    at += x.length;
    ONR_TRY(onri_env_poll(c->env, c->error));
  }
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_split_to_sequence = {.name = "split_to_sequence",
                                                       .inputs_min = 1,
                                                       .inputs_max = 2,
                                                       .outputs_min = 1,
                                                       .outputs_max = 1,
                                                       .types = {0, ONRI_DTYPES_INDEX},
                                                       .flags = ONR_LAYER_DYNAMIC | ONR_LAYER_MAKES_CONTAINERS,
                                                       .params_size = sizeof(struct onr_split_to_sequence_params),
                                                       .infer = split_infer,
                                                       .run = split_run};
const struct onr_layer onri_layer_concat_from_sequence = {.name = "concat_from_sequence",
                                                          .inputs_min = 1,
                                                          .inputs_max = 1,
                                                          .outputs_min = 1,
                                                          .outputs_max = 1,
                                                          .types = {ONRI_DTYPE_BIT(ONR_DTYPE_SEQUENCE)},
                                                          .flags = ONR_LAYER_DYNAMIC,
                                                          .params_size = sizeof(struct onr_concat_from_sequence_params),
                                                          .infer = concat_infer,
                                                          .run = concat_run};
