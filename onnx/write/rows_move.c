/* rows_move.c: layers that move elements, make them of little, or find them. */
#include <string.h>

#include "onnx/write/spell.h"

static const struct onri_field reshape[] = {
    ONRI_ONLY_ZERO("it takes sizes from other places of its input's shape", struct onr_reshape_params, copy),
    ONRI_ATTRIBUTE_SINCE("allowzero", INT32, struct onr_reshape_params, allow_zero, 14),
};
static const struct onri_field flatten[] = {ONRI_ATTRIBUTE("axis", INT32, struct onr_flatten_params, axis)};
static const struct onri_field bit_cast[] = {ONRI_ATTRIBUTE("to", INT32, struct onr_bit_cast_params, dtype)};
static const struct onri_field transpose[] = {ONRI_LIST("perm", INTS32, struct onr_transpose_params, perm, rank)};
static const struct onri_field concat[] = {ONRI_ATTRIBUTE("axis", INT64, struct onr_concat_params, axis)};
static const char *const pad_modes[] = {"constant", "reflect", "edge", "wrap", NULL}; /* enum onr_pad_mode */
static const struct onri_field pad[] = {ONRI_CHOICE("mode", struct onr_pad_params, mode, pad_modes)};
static const struct onri_field center_crop_pad[] = {
    ONRI_LIST("axes", INTS64, struct onr_center_crop_pad_params, axes, num_axes)};
static const struct onri_field trilu[] = {ONRI_ATTRIBUTE("upper", INT32, struct onr_trilu_params, upper)};
static const struct onri_field reverse_sequence[] = {
    ONRI_ATTRIBUTE("batch_axis", INT32, struct onr_reverse_sequence_params, batch_axis),
    ONRI_ATTRIBUTE("time_axis", INT32, struct onr_reverse_sequence_params, time_axis),
};
static const struct onri_field gather[] = {ONRI_ATTRIBUTE("axis", INT64, struct onr_gather_params, axis)};
static const struct onri_field gather_nd[] = {
    ONRI_ATTRIBUTE("batch_dims", INT64, struct onr_gather_nd_params, batch_dims)};
static const char *const reductions[] = {"none", "add", "mul", "min", "max", NULL}; /* enum onr_reduction */
static const struct onri_field scatter_elements[] = {
    ONRI_ATTRIBUTE("axis", INT64, struct onr_scatter_elements_params, axis),
    ONRI_CHOICE("reduction", struct onr_scatter_elements_params, reduction, reductions),
};
static const struct onri_field scatter_nd[] = {
    ONRI_CHOICE("reduction", struct onr_scatter_nd_params, reduction, reductions)};
static const char *const scatter_modes[] = {"linear", "circular", NULL};
static const struct onri_field tensor_scatter[] = {
    ONRI_ATTRIBUTE("axis", INT64, struct onr_tensor_scatter_params, axis),
    ONRI_CHOICE("mode", struct onr_tensor_scatter_params, circular, scatter_modes),
};
static const struct onri_field top_k[] = {
    ONRI_ATTRIBUTE("axis", INT64, struct onr_top_k_params, axis),
    ONRI_ATTRIBUTE("largest", INT32, struct onr_top_k_params, largest),
};
#define UNLESS_FLAT(type) \
  { .name = "axis", .kind = ONRI_FIELD_INT64, .at = offsetof(type, axis), .given = -(int16_t)offsetof(type, flat) - 1 }
static const struct onri_field unique[] = {
    UNLESS_FLAT(struct onr_unique_params),
    ONRI_ATTRIBUTE("sorted", INT32, struct onr_unique_params, sorted),
};
static const struct onri_field compress[] = {UNLESS_FLAT(struct onr_compress_params)};
static const struct onri_field non_max_suppression[] = {
    ONRI_ATTRIBUTE("center_point_box", INT32, struct onr_non_max_suppression_params, center_point_box)};
static const struct onri_field eye_like[] = {
    ONRI_ATTRIBUTE_SINCE("dtype", INT32, struct onr_eye_like_params, dtype, 9),
    ONRI_ATTRIBUTE("k", INT64, struct onr_eye_like_params, k),
};
static const struct onri_field one_hot[] = {ONRI_ATTRIBUTE("axis", INT64, struct onr_one_hot_params, axis)};
static const struct onri_field cumulative[] = {
    ONRI_ATTRIBUTE("exclusive", INT32, struct onr_cumulative_params, exclusive),
    ONRI_ATTRIBUTE("reverse", INT32, struct onr_cumulative_params, reverse),
};
static const char *const reduce_ops[] = {"ReduceSum",       "ReduceMean",     "ReduceMax", "ReduceMin",
                                         "ReduceProd",      "ReduceL1",       "ReduceL2",  "ReduceLogSum",
                                         "ReduceLogSumExp", "ReduceSumSquare"}; /* enum onr_reduce_op */
static const struct onri_field reduce[] = {
    ONRI_ATTRIBUTE("keepdims", INT32, struct onr_reduce_params, keep_dims),
    ONRI_ATTRIBUTE("noop_with_empty_axes", INT32, struct onr_reduce_params, noop_with_empty_axes),
};
static const char *const arg_ops[] = {"ArgMax", "ArgMin"};
static const struct onri_field arg_reduce[] = {
    ONRI_ATTRIBUTE("axis", INT64, struct onr_arg_reduce_params, axis),
    ONRI_ATTRIBUTE("keepdims", INT32, struct onr_arg_reduce_params, keep_dims),
    ONRI_ATTRIBUTE("select_last_index", INT32, struct onr_arg_reduce_params, select_last),
};

static const char *say_shape(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_shape_params *p = s->node->params;
  const int whole = p->start == 0 && p->end == INT64_MAX;
  (void)row;
  onri_say_begin(s, NULL, "Shape", whole ? 13 : 15);
  onri_say_operands(s);
  if (p->start) onri_say_int(s, "start", p->start);
  if (p->end != INT64_MAX) onri_say_int(s, "end", p->end);
  onri_say_end(s);
  return NULL;
}

/* Without sizes, their number; what is behind the last one that is read counts, too. */
static const char *say_split(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_split_params *p = s->node->params;
  const int has_sizes = onri_say_input(s, 1) != NULL;
  (void)row;
  onri_say_begin(s, NULL, "Split", has_sizes ? 13 : 18);
  for (int32_t i = 0; i <= has_sizes; i++) onri_say_in(s, onri_say_input(s, i));
  for (int32_t i = 0; i < s->node->num_out; i++) {
    const char *name = onri_say_output(s, i);
    onri_say_out(s, name ? name : onri_say_temp(s)); /* an output that is omitted has no part elsewhere */
  }
  onri_say_int(s, "axis", p->axis);
  if (!has_sizes) onri_say_int(s, "num_outputs", s->node->num_out);
  onri_say_end(s);
  return NULL;
}

static const char *say_constant_of_shape(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_constant_of_shape_params *p = s->node->params;
  const struct onr_desc desc = onr_desc_make(p->dtype, 1, (int64_t[]){1});
  (void)row;
  onri_say_begin(s, NULL, "ConstantOfShape", 9);
  onri_say_operands(s);
  onri_say_tensor(s, "value", &desc, p->value);
  onri_say_end(s);
  return NULL;
}

static const struct onri_spelling rows[] = {
    {.layer = &onri_layer_reshape, .op = "Reshape", .since = 13, ONRI_FIELDS(reshape)},
    {.layer = &onri_layer_flatten, .op = "Flatten", .since = 13, ONRI_FIELDS(flatten)},
    {.layer = &onri_layer_squeeze, .op = "Squeeze", .since = 13},
    {.layer = &onri_layer_unsqueeze, .op = "Unsqueeze", .since = 13},
    {.layer = &onri_layer_identity, .op = "Identity", .since = 16},
    {.layer = &onri_layer_bit_cast, .op = "BitCast", .since = 26, ONRI_FIELDS(bit_cast)},
    {.layer = &onri_layer_shape, .say = say_shape},
    {.layer = &onri_layer_size, .op = "Size", .since = 13},
    {.layer = &onri_layer_transpose, .op = "Transpose", .since = 13, ONRI_FIELDS(transpose)},
    {.layer = &onri_layer_expand, .op = "Expand", .since = 13},
    {.layer = &onri_layer_tile, .op = "Tile", .since = 13},
    {.layer = &onri_layer_concat, .op = "Concat", .since = 13, ONRI_FIELDS(concat)},
    {.layer = &onri_layer_split, .say = say_split},
    {.layer = &onri_layer_slice, .op = "Slice", .since = 13},
    {.layer = &onri_layer_pad, .op = "Pad", .since = 19, ONRI_FIELDS(pad)},
    {.layer = &onri_layer_center_crop_pad, .op = "CenterCropPad", .since = 18, ONRI_FIELDS(center_crop_pad)},
    {.layer = &onri_layer_trilu, .op = "Trilu", .since = 14, ONRI_FIELDS(trilu)},
    {.layer = &onri_layer_reverse_sequence, .op = "ReverseSequence", .since = 10, ONRI_FIELDS(reverse_sequence)},
    {.layer = &onri_layer_gather, .op = "Gather", .since = 13, ONRI_FIELDS(gather)},
    {.layer = &onri_layer_gather_elements, .op = "GatherElements", .since = 13, ONRI_FIELDS(gather)},
    {.layer = &onri_layer_gather_nd, .op = "GatherND", .since = 13, ONRI_FIELDS(gather_nd)},
    {.layer = &onri_layer_scatter_elements, .op = "ScatterElements", .since = 18, ONRI_FIELDS(scatter_elements)},
    {.layer = &onri_layer_scatter_nd, .op = "ScatterND", .since = 18, ONRI_FIELDS(scatter_nd)},
    {.layer = &onri_layer_tensor_scatter,
     .op = "TensorScatter",
     .since = 24,
     .most_in = 3,
     ONRI_FIELDS(tensor_scatter)},
    {.layer = &onri_layer_top_k, .op = "TopK", .since = 11, ONRI_FIELDS(top_k)},
    {.layer = &onri_layer_non_zero, .op = "NonZero", .since = 13},
    {.layer = &onri_layer_unique, .op = "Unique", .since = 11, ONRI_FIELDS(unique)},
    {.layer = &onri_layer_compress, .op = "Compress", .since = 11, ONRI_FIELDS(compress)},
    {.layer = &onri_layer_non_max_suppression,
     .op = "NonMaxSuppression",
     .since = 11,
     ONRI_FIELDS(non_max_suppression)},
    {.layer = &onri_layer_constant_of_shape, .say = say_constant_of_shape},
    {.layer = &onri_layer_range, .op = "Range", .since = 11},
    {.layer = &onri_layer_eye_like, .op = "EyeLike", .since = 9, ONRI_FIELDS(eye_like)},
    {.layer = &onri_layer_one_hot, .op = "OneHot", .since = 11, ONRI_FIELDS(one_hot)},
    {.layer = &onri_layer_cum_sum, .op = "CumSum", .since = 14, ONRI_FIELDS(cumulative)},
    {.layer = &onri_layer_cum_prod, .op = "CumProd", .since = 26, ONRI_FIELDS(cumulative)},
    {.layer = &onri_layer_reduce, .since = 18, ONRI_OPS(reduce_ops, struct onr_reduce_params, op), ONRI_FIELDS(reduce)},
    {.layer = &onri_layer_arg_reduce,
     .since = 13,
     ONRI_OPS(arg_ops, struct onr_arg_reduce_params, minimum),
     ONRI_FIELDS(arg_reduce)},
};
const struct onri_spellings onri_rows_move = {rows, sizeof(rows) / sizeof(rows[0])};
