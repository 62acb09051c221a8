/* sequence.c: building and reading sequences and optionals (base/container.h: lists that share their entries).
 *
 * ONNX  SequenceConstruct-11, SequenceEmpty-11, SequenceInsert-11, SequenceErase-11, SequenceAt-11, SequenceLength-11,
 *       Optional-15, OptionalHasElement-15/18, OptionalGetElement-15/18
 * Sizes depend on contents, so all but the length are DYNAMIC.
 */
#include <string.h>

#include "base/env.h"
#include "base/services.h"
#include "base/shape.h"
#include "layers/layers.h"

static enum onr_status block_infer(struct onr_call *c, enum onr_dtype kind) {
  c->out[0] = (struct onr_desc){.dtype = kind, .rank = 1};
  return ONR_STATUS_OK;
}

static enum onr_status sequence_infer(struct onr_call *c) { return block_infer(c, ONR_DTYPE_SEQUENCE); }

static enum onr_status optional_infer(struct onr_call *c) { return block_infer(c, ONR_DTYPE_OPTIONAL); }

/* The type of an entry is known when the block is. */
static enum onr_status entry_infer(struct onr_call *c) {
  c->out[0] = (struct onr_desc){0};
  return ONR_STATUS_OK;
}

static struct onr_tensor input(const struct onr_call *c, size_t i) {
  return (struct onr_tensor){c->in[i], (void *)(uintptr_t)c->inputs[i]};
}

static enum onr_status write_value(struct onr_call *c, const struct onr_tensor *value) {
  struct onri_list *list;
  void *data;
  if (onri_dtype_is_block(value->desc.dtype)) {
    ONR_TRY(onri_container_list(onri_call_heap(c), value, 1, &list, c->error));
    return onri_call_put_list(c, 0, value->desc.dtype, list);
  }
  ONR_TRY(onr_call_resize(c, 0, &value->desc, &data));
  const size_t bytes = onr_desc_bytes(&value->desc);
  if (data && bytes) memcpy(data, value->data, bytes);
  return ONR_STATUS_OK;
}

static enum onr_status read_length(const struct onr_call *c, const struct onr_tensor *sequence, int64_t *length) {
  *length = sequence->desc.dtype == ONR_DTYPE_MAP ? -1 : onr_sequence_length(sequence);
  if (*length < 0)
    return onr_fail(c->error, ONR_STATUS_TYPE, "input 0: expected a sequence, found %s",
                    onr_dtype_name(sequence->desc.dtype));
  return ONR_STATUS_OK;
}

/* Position input 1 or 2, counted from the end when negative: 0..last; `otherwise` when omitted. */
static enum onr_status read_position(const struct onr_call *c, size_t i, int64_t length, int64_t last,
                                     int64_t default_value, int64_t *position) {
  int64_t value;
  *position = default_value;
  if (onri_has(c, i)) {
    if (onr_desc_elements(&c->in[i]) != 1)
      return onr_fail(c->error, ONR_STATUS_SHAPE, "input %zu: expected one position, found %lld", i,
                      (long long)onr_desc_elements(&c->in[i]));
    value = c->in[i].dtype == ONR_DTYPE_I64 ? *(const int64_t *)c->inputs[i] : *(const int32_t *)c->inputs[i];
    *position = value < 0 ? value + length : value;
  }
  if (*position < 0 || *position > last)
    return onr_fail(c->error, ONR_STATUS_INDEX, "position %lld is outside of a sequence of %lld", (long long)*position,
                    (long long)length);
  return ONR_STATUS_OK;
}

static enum onr_status construct_run(struct onr_call *c) {
  struct onr_tensor *entries = onri_allocate(c->env->allocator, c->num_in * sizeof(*entries));
  struct onri_list *list = NULL;
  if (!entries) return onr_fail(c->error, ONR_STATUS_NO_MEMORY, "no memory for a sequence of %zu", c->num_in);
  for (size_t i = 0; i < c->num_in; i++) entries[i] = input(c, i);
  const enum onr_status status = onri_list_make(onri_call_heap(c), entries, c->num_in, &list, c->error);
  onri_release(c->env->allocator, entries);
  return status == ONR_STATUS_OK ? onri_call_put_list(c, 0, ONR_DTYPE_SEQUENCE, list) : status;
}

/* Input 0 with `added` at `at`, or without what is there (NULL). */
static enum onr_status write_changed(struct onr_call *c, const struct onr_tensor *added, int64_t at) {
  const struct onr_tensor sequence = input(c, 0);
  struct onri_heap *heap = onri_call_heap(c);
  struct onri_list *list, *changed = NULL;
  ONR_TRY(onri_container_list(heap, &sequence, 1, &list, c->error));
  const enum onr_status status = added ? onri_list_insert(heap, list, (size_t)at, added, &changed, c->error)
                                       : onri_list_erase(heap, list, (size_t)at, &changed, c->error);
  onri_list_release(heap, list);
  return status == ONR_STATUS_OK ? onri_call_put_list(c, 0, ONR_DTYPE_SEQUENCE, changed) : status;
}

static enum onr_status insert_run(struct onr_call *c) {
  const struct onr_tensor sequence = input(c, 0), added = input(c, 1);
  int64_t length, at;
  ONR_TRY(read_length(c, &sequence, &length));
  if (length && onr_sequence_entry(&sequence, 0).desc.dtype != added.desc.dtype)
    return onr_fail(c->error, ONR_STATUS_TYPE, "a sequence of %s cannot take a tensor of %s",
                    onr_dtype_name(onr_sequence_entry(&sequence, 0).desc.dtype), onr_dtype_name(added.desc.dtype));
  ONR_TRY(read_position(c, 2, length, length, length, &at));
  return write_changed(c, &added, at);
}

static enum onr_status erase_run(struct onr_call *c) {
  const struct onr_tensor sequence = input(c, 0);
  int64_t length, at;
  ONR_TRY(read_length(c, &sequence, &length));
  ONR_TRY(read_position(c, 1, length, length - 1, length - 1, &at));
  return write_changed(c, NULL, at);
}

static enum onr_status at_run(struct onr_call *c) {
  const struct onr_tensor sequence = input(c, 0);
  struct onr_tensor entry;
  int64_t length, at;
  ONR_TRY(read_length(c, &sequence, &length));
  ONR_TRY(read_position(c, 1, length, length - 1, 0, &at));
  entry = onr_sequence_entry(&sequence, at);
  return write_value(c, &entry);
}

static enum onr_status length_infer(struct onr_call *c) {
  c->out[0] = (struct onr_desc){.dtype = ONR_DTYPE_I64};
  return ONR_STATUS_OK;
}

static enum onr_status length_run(struct onr_call *c) {
  const struct onr_tensor sequence = input(c, 0);
  return read_length(c, &sequence, c->outputs[0]);
}

static enum onr_status optional_run(struct onr_call *c) {
  const struct onr_tensor value = onri_has(c, 0) ? input(c, 0) : (struct onr_tensor){0};
  struct onri_list *list;
  ONR_TRY(onri_list_make(onri_call_heap(c), &value, onri_has(c, 0), &list, c->error));
  return onri_call_put_list(c, 0, ONR_DTYPE_OPTIONAL, list);
}

static enum onr_status has_infer(struct onr_call *c) {
  c->out[0] = (struct onr_desc){.dtype = ONR_DTYPE_BOOL};
  return ONR_STATUS_OK;
}

/* From opset 18 on a tensor or a sequence stands for itself, and a missing input for nothing. */
static enum onr_status has_run(struct onr_call *c) {
  const struct onr_tensor value = onri_has(c, 0) ? input(c, 0) : (struct onr_tensor){0};
  *(uint8_t *)c->outputs[0] =
      (uint8_t)(onri_has(c, 0) && (value.desc.dtype != ONR_DTYPE_OPTIONAL || onr_sequence_length(&value) > 0));
  return ONR_STATUS_OK;
}

static enum onr_status get_run(struct onr_call *c) {
  const struct onr_tensor value = input(c, 0);
  struct onr_tensor entry;
  if (value.desc.dtype != ONR_DTYPE_OPTIONAL) return write_value(c, &value);
  if (onr_sequence_length(&value) < 1) return onr_fail(c->error, ONR_STATUS_INDEX, "the optional has no element");
  entry = onr_sequence_entry(&value, 0);
  return write_value(c, &entry);
}

const struct onr_layer onri_layer_sequence_construct = {.name = "sequence_construct",
                                                        .inputs_min = 0,
                                                        .inputs_max = ONR_VARIADIC,
                                                        .outputs_min = 1,
                                                        .outputs_max = 1,
                                                        .types = {ONR_ANY_TYPE},
                                                        .flags = ONR_LAYER_DYNAMIC | ONR_LAYER_MAKES_CONTAINERS,
                                                        .infer = sequence_infer,
                                                        .run = construct_run};
const struct onr_layer onri_layer_sequence_insert = {
    .name = "sequence_insert",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_SEQUENCE), ONR_ANY_TYPE, ONRI_DTYPES_INDEX},
    .flags = ONR_LAYER_DYNAMIC | ONR_LAYER_MAKES_CONTAINERS,
    .infer = sequence_infer,
    .run = insert_run};
const struct onr_layer onri_layer_sequence_erase = {.name = "sequence_erase",
                                                    .inputs_min = 1,
                                                    .inputs_max = 2,
                                                    .outputs_min = 1,
                                                    .outputs_max = 1,
                                                    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_SEQUENCE), ONRI_DTYPES_INDEX},
                                                    .flags = ONR_LAYER_DYNAMIC | ONR_LAYER_MAKES_CONTAINERS,
                                                    .infer = sequence_infer,
                                                    .run = erase_run};
const struct onr_layer onri_layer_sequence_at = {.name = "sequence_at",
                                                 .inputs_min = 2,
                                                 .inputs_max = 2,
                                                 .outputs_min = 1,
                                                 .outputs_max = 1,
                                                 .types = {ONRI_DTYPE_BIT(ONR_DTYPE_SEQUENCE), ONRI_DTYPES_INDEX},
                                                 .flags = ONR_LAYER_DYNAMIC | ONR_LAYER_MAKES_CONTAINERS,
                                                 .infer = entry_infer,
                                                 .run = at_run};
const struct onr_layer onri_layer_sequence_length = {.name = "sequence_length",
                                                     .inputs_min = 1,
                                                     .inputs_max = 1,
                                                     .outputs_min = 1,
                                                     .outputs_max = 1,
                                                     .types = {ONRI_DTYPE_BIT(ONR_DTYPE_SEQUENCE)},
                                                     .output_type = ONRI_DTYPE_BIT(ONR_DTYPE_I64),
                                                     .infer = length_infer,
                                                     .run = length_run};
const struct onr_layer onri_layer_optional = {.name = "optional",
                                              .inputs_min = 0,
                                              .inputs_max = 1,
                                              .outputs_min = 1,
                                              .outputs_max = 1,
                                              .types = {ONR_ANY_TYPE},
                                              .flags = ONR_LAYER_DYNAMIC | ONR_LAYER_MAKES_CONTAINERS,
                                              .infer = optional_infer,
                                              .run = optional_run};
const struct onr_layer onri_layer_optional_has_element = {.name = "optional_has_element",
                                                          .inputs_min = 0,
                                                          .inputs_max = 1,
                                                          .outputs_min = 1,
                                                          .outputs_max = 1,
                                                          .types = {ONR_ANY_TYPE},
                                                          .output_type = ONRI_DTYPE_BIT(ONR_DTYPE_BOOL),
                                                          .infer = has_infer,
                                                          .run = has_run};
const struct onr_layer onri_layer_optional_get_element = {.name = "optional_get_element",
                                                          .inputs_min = 1,
                                                          .inputs_max = 1,
                                                          .outputs_min = 1,
                                                          .outputs_max = 1,
                                                          .types = {ONR_ANY_TYPE},
                                                          .flags = ONR_LAYER_DYNAMIC | ONR_LAYER_MAKES_CONTAINERS,
                                                          .infer = entry_infer,
                                                          .run = get_run};
