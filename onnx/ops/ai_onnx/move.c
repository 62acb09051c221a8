/* move.c: ops that put elements elsewhere by a rule. */
#include <string.h>

#include "onnx/node/import.h"

static enum onr_status import_transpose(const struct onr_node *node) {
  struct onr_transpose_params params = {0};
  size_t count;
  unsigned seen = 0;
  const int64_t *perm = onri_attr_ints(node, "perm", &count);
  if (count > ONR_MAX_RANK)
    return onr_fail(node->error, ONR_STATUS_LIMIT, "attribute 'perm' has %zu entries: the highest rank is %d", count,
                    ONR_MAX_RANK);
  params.rank = (int32_t)count;
  for (size_t i = 0; i < count; i++) {
    if (perm[i] < 0 || perm[i] >= (int64_t)count || (seen >> perm[i] & 1u))
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE,
                      "entry %zu of attribute 'perm' is %lld: expected each of 0..%zu once", i, (long long)perm[i],
                      count - 1);
    seen |= 1u << perm[i];
    params.perm[i] = (int32_t)perm[i];
  }
  return onri_emit(node, &onri_layer_transpose, &params);
}

static enum onr_status import_concat_1(const struct onr_node *node) {
  const struct onr_concat_params params = {.axis = onri_attr_int(node, "axis", 1)};
  return onri_emit(node, &onri_layer_concat, &params);
}

static enum onr_status import_concat(const struct onr_node *node) {
  if (!onri_attr_has(node, "axis")) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'axis' is missing");
  return import_concat_1(node);
}

/* Before version 13 the sizes are an attribute; version 1 also knows them as an input. */
static enum onr_status import_split_1(const struct onr_node *node) {
  const struct onr_split_params params = {.axis = onri_attr_int(node, "axis", 0), .even = 1};
  size_t count;
  const int64_t *sizes = onri_attr_ints(node, "split", &count);
  if (!sizes) return onri_emit(node, &onri_layer_split, &params);
  const int32_t in[2] = {onri_in(node, 0), onri_const_ints(node, sizes, count)};
  return onri_emit_with(node, &onri_layer_split, &params, in, 2, node->out, (size_t)node->num_out);
}

static enum onr_status import_split_13(const struct onr_node *node) {
  const struct onr_split_params params = {.axis = onri_attr_int(node, "axis", 0), .even = 1};
  return onri_emit(node, &onri_layer_split, &params);
}

static enum onr_status import_split(const struct onr_node *node) {
  const struct onr_split_params params = {.axis = onri_attr_int(node, "axis", 0)};
  const int64_t parts = onri_attr_int(node, "num_outputs", node->num_out);
  if (onri_attr_has(node, "num_outputs") && onri_in(node, 1) != ONRI_NONE)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE,
                    "attribute 'num_outputs' and the sizes of the parts exclude each other");
  if (parts != node->num_out)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'num_outputs' is %lld, the node has %d outputs",
                    (long long)parts, (int)node->num_out);
  return onri_emit(node, &onri_layer_split, &params);
}

static enum onr_status import_slice_1(const struct onr_node *node) {
  size_t num_starts, num_ends, num_axes;
  const int64_t *starts = onri_attr_ints(node, "starts", &num_starts);
  const int64_t *ends = onri_attr_ints(node, "ends", &num_ends);
  const int64_t *axes = onri_attr_ints(node, "axes", &num_axes);
  if (!onri_attr_has(node, "starts") || !onri_attr_has(node, "ends"))
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attributes 'starts' and 'ends' are both needed");
  const int32_t in[4] = {onri_in(node, 0), onri_const_ints(node, starts, num_starts),
                         onri_const_ints(node, ends, num_ends),
                         axes != NULL ? onri_const_ints(node, axes, num_axes) : ONRI_NONE};
  return onri_emit_with(node, &onri_layer_slice, NULL, in, axes ? 4 : 3, node->out, (size_t)node->num_out);
}

static enum onr_status import_slice(const struct onr_node *node) { return onri_emit(node, &onri_layer_slice, NULL); }

/* Input i, a scalar of any number type, as an int64 list of one. */
static enum onr_status emit_list_of_one(const struct onr_node *node, int32_t i, int32_t *list) {
  const struct onr_cast_params whole = {.to = ONR_DTYPE_I64};
  const struct onr_reshape_params plain = {0};
  const int64_t one = 1;
  const int32_t scalar = onri_in(node, i), reshape[2] = {onri_temp(node), onri_const_ints(node, &one, 1)};
  ONR_TRY(onri_emit_with(node, &onri_layer_cast, &whole, &scalar, 1, reshape, 1));
  *list = onri_temp(node);
  return onri_emit_with(node, &onri_layer_reshape, &plain, reshape, 2, list, 1);
}

/* x, how often, along which axis: of the repeats, one an axis, all are 1 but this. */
static enum onr_status import_tile_1(const struct onr_node *node) {
  const struct onr_shape_params all = {0, INT64_MAX};
  const struct onr_constant_of_shape_params one = {.dtype = ONR_DTYPE_I64, .value = {1}}; /* little-endian */
  const struct onr_scatter_elements_params put = {0};
  const int32_t shape = onri_temp(node), rank = onri_temp(node), x = onri_in(node, 0);
  int32_t repeats[3] = {onri_temp(node)}, tile[2] = {x, onri_temp(node)};
  ONR_TRY(onri_emit_with(node, &onri_layer_shape, &all, &x, 1, &shape, 1));
  ONR_TRY(onri_emit_with(node, &onri_layer_shape, &all, &shape, 1, &rank, 1));
  ONR_TRY(onri_emit_with(node, &onri_layer_constant_of_shape, &one, &rank, 1, repeats, 1));
  ONR_TRY(emit_list_of_one(node, 2, &repeats[1]));
  ONR_TRY(emit_list_of_one(node, 1, &repeats[2]));
  ONR_TRY(onri_emit_with(node, &onri_layer_scatter_elements, &put, repeats, 3, &tile[1], 1));
  return onri_emit_with(node, &onri_layer_tile, NULL, tile, 2, node->out, (size_t)node->num_out);
}

static enum onr_status import_tile(const struct onr_node *node) { return onri_emit(node, &onri_layer_tile, NULL); }

static const char *const pad_modes[] = {"constant", "reflect", "edge", "wrap", NULL}; /* enum onr_pad_mode */

static enum onr_status emit_old_pad(const struct onr_node *node, const char *attribute) {
  const struct onr_pad_params params = {
      .mode = (enum onr_pad_mode)onri_attr_choice(node, "mode", pad_modes, ONR_PAD_CONSTANT)};
  const float value = onri_attr_float(node, "value", 0.0f);
  size_t count;
  const int64_t *pads = onri_attr_ints(node, attribute, &count);
  if (!onri_attr_has(node, attribute))
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' is missing", attribute);
  /* 0 is 0 of every type; another value is float32, which the layer turns into the type of the input. */
  const int32_t in[3] = {onri_in(node, 0), onri_const_ints(node, pads, count),
                         value != 0.0f ? onri_const_float(node, value) : ONRI_NONE};
  return onri_emit_with(node, &onri_layer_pad, &params, in, value != 0.0f ? 3 : 2, node->out, (size_t)node->num_out);
}

static enum onr_status import_pad_1(const struct onr_node *node) { return emit_old_pad(node, "paddings"); }
static enum onr_status import_pad_2(const struct onr_node *node) { return emit_old_pad(node, "pads"); }

static enum onr_status import_pad(const struct onr_node *node) {
  const struct onr_pad_params params = {
      .mode = (enum onr_pad_mode)onri_attr_choice(node, "mode", pad_modes, ONR_PAD_CONSTANT)};
  return onri_emit(node, &onri_layer_pad, &params);
}

static enum onr_status import_center_crop_pad(const struct onr_node *node) {
  struct onr_center_crop_pad_params params = {0};
  size_t count;
  const int64_t *axes = onri_attr_ints(node, "axes", &count);
  if (count > ONR_MAX_RANK)
    return onr_fail(node->error, ONR_STATUS_LIMIT, "attribute 'axes' has %zu entries: the highest rank is %d", count,
                    ONR_MAX_RANK);
  params.num_axes = (int32_t)count;
  for (size_t i = 0; i < count; i++) params.axes[i] = axes[i];
  return onri_emit(node, &onri_layer_center_crop_pad, &params);
}

static enum onr_status import_trilu(const struct onr_node *node) {
  const struct onr_trilu_params params = {.upper = onri_attr_int(node, "upper", 1) != 0};
  return onri_emit(node, &onri_layer_trilu, &params);
}

static enum onr_status import_reverse_sequence(const struct onr_node *node) {
  const struct onr_reverse_sequence_params params = {.batch_axis = onri_attr_int32(node, "batch_axis", 1, 0, 1),
                                                     .time_axis = onri_attr_int32(node, "time_axis", 0, 0, 1)};
  return onri_emit(node, &onri_layer_reverse_sequence, &params);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, Transpose, 1, 1, 1, 1, 1, import_transpose)
    ONRI_OP(ai_onnx, Concat, 1, 1, ONR_VARIADIC, 1, 1, import_concat_1)
    ONRI_OP(ai_onnx, Concat, 4, 1, ONR_VARIADIC, 1, 1, import_concat)
    ONRI_OP(ai_onnx, Split, 1, 1, 2, 1, ONR_VARIADIC, import_split_1)
    ONRI_OP(ai_onnx, Split, 2, 1, 1, 1, ONR_VARIADIC, import_split_1)
    ONRI_OP(ai_onnx, Split, 13, 1, 2, 1, ONR_VARIADIC, import_split_13)
    ONRI_OP(ai_onnx, Split, 18, 1, 2, 1, ONR_VARIADIC, import_split)
    ONRI_OP(ai_onnx, Slice, 1, 1, 1, 1, 1, import_slice_1)
    ONRI_OP(ai_onnx, Slice, 10, 3, 5, 1, 1, import_slice)
    ONRI_OP(ai_onnx, Tile, 1, 3, 3, 1, 1, import_tile_1)
    ONRI_OP(ai_onnx, Tile, 6, 2, 2, 1, 1, import_tile)
    ONRI_OP(ai_onnx, Pad, 1, 1, 1, 1, 1, import_pad_1)
    ONRI_OP(ai_onnx, Pad, 2, 1, 1, 1, 1, import_pad_2)
    ONRI_OP(ai_onnx, Pad, 11, 2, 3, 1, 1, import_pad)
    ONRI_OP(ai_onnx, Pad, 18, 2, 4, 1, 1, import_pad)
    ONRI_OP(ai_onnx, Trilu, 14, 1, 2, 1, 1, import_trilu)
    ONRI_OP(ai_onnx, ReverseSequence, 10, 2, 2, 1, 1, import_reverse_sequence)
    ONRI_OP(ai_onnx, CenterCropPad, 18, 2, 2, 1, 1, import_center_crop_pad)
};
/* clang-format on */
const struct onri_op_table onri_ops_move = ONRI_OP_TABLE(operators);
