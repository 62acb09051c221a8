/* microsoft.c: the pieces that com.microsoft's ops are written with. */
#include "onnx/ops/microsoft/common.h"

int32_t onri_make(const struct onr_node *node, const struct onr_layer *layer, const void *params, const int32_t *in,
                  size_t num_in) {
  const int32_t out = onri_temp(node);
  const enum onr_status status = onri_emit_with(node, layer, params, in, num_in, &out, 1);
  onri_node_note(node, status);
  return out;
}

int32_t onri_make_binary(const struct onr_node *node, enum onr_binary op, int32_t a, int32_t b) {
  const struct onr_binary_params params = {.op = op};
  return onri_make(node, &onri_layer_binary, &params, (int32_t[]){a, b}, 2);
}

int32_t onri_make_cast(const struct onr_node *node, int32_t x, enum onr_dtype to) {
  const struct onr_cast_params params = {.to = to};
  return onri_make(node, &onri_layer_cast, &params, &x, 1);
}

int32_t onri_make_unsqueeze(const struct onr_node *node, int32_t x, const int64_t *axes, size_t count) {
  return onri_make(node, &onri_layer_unsqueeze, NULL, (int32_t[]){x, onri_const_ints(node, axes, count)}, 2);
}

int32_t onri_make_dim(const struct onr_node *node, int32_t x, int64_t axis) {
  const struct onr_shape_params params = {.start = axis, .end = axis == -1 ? INT64_MAX : axis + 1};
  return onri_make(node, &onri_layer_shape, &params, &x, 1);
}

int32_t onri_make_range(const struct onr_node *node, int32_t x, int64_t axis) {
  return onri_make_range_to(node, onri_make_dim(node, x, axis));
}

int32_t onri_make_range_to(const struct onr_node *node, int32_t count) {
  const int32_t scalar = onri_make(node, &onri_layer_squeeze, NULL, &count, 1);
  return onri_make(node, &onri_layer_range, NULL, (int32_t[]){onri_const_int(node, 0), scalar, onri_const_int(node, 1)},
                   3);
}

int32_t onri_make_dequantize(const struct onr_node *node, int32_t x, int32_t scale, int32_t zero) {
  const struct onr_quantize_params params = {.axis = 0};
  return onri_make(node, &onri_layer_dequantize_linear, &params, (int32_t[]){x, scale, zero},
                   zero == ONRI_NONE ? 2 : 3);
}

enum onr_status onri_only(const struct onr_node *node, const char *name, int64_t only) {
  const int64_t value = onri_attr_int(node, name, only);
  if (value == only) return ONR_STATUS_OK;
  return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "attribute '%s' is %lld: only %lld is supported", name,
                  (long long)value, (long long)only);
}

enum onr_status onri_make_split(const struct onr_node *node, int32_t x, int64_t axis, const int64_t *sizes,
                                int32_t *out, size_t count) {
  const struct onr_split_params params = {.axis = axis, .even = 1};
  const int32_t in[2] = {x, sizes ? onri_const_ints(node, sizes, count) : ONRI_NONE};
  for (size_t i = 0; i < count; i++) out[i] = onri_temp(node);
  return onri_emit_with(node, &onri_layer_split, &params, in, sizes ? 2 : 1, out, count);
}

int32_t onri_make_reshape(const struct onr_node *node, int32_t x, const int64_t *shape, size_t rank) {
  const struct onr_reshape_params params = {0};
  return onri_make(node, &onri_layer_reshape, &params, (int32_t[]){x, onri_const_ints(node, shape, rank)}, 2);
}

enum onr_status onri_read_heads(const struct onr_node *node, const char *name, int64_t *heads) {
  *heads = onri_attr_int32(node, name, 0, 1, 1 << 16);
  if (*node->status == ONR_STATUS_OK && *heads == 0)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' is missing", name);
  return *node->status;
}
