/* resize.c: Resize, and Upsample, which it replaced. */
#include "onnx/node/importer.h"

static const char *const modes[] = {"nearest", "linear", "cubic", NULL}; /* as enum onr_resize_mode */

/* Upsample and Resize-10 place pixels by x / scale. */
static enum onr_status read_old(const struct onr_node *node, struct onr_resize_params *p) {
  static const char *const old_modes[] = {"nearest", "linear", "bilinear", NULL};
  const int32_t mode = onri_attr_choice(node, "mode", old_modes, 0);
  *p = (struct onr_resize_params){.mode = mode == 0 ? ONR_RESIZE_NEAREST : ONR_RESIZE_LINEAR,
                                  .coordinates = ONR_RESIZE_ASYMMETRIC,
                                  .nearest = ONR_RESIZE_SIMPLE};
  return ONR_STATUS_OK;
}

static enum onr_status emit_scales(const struct onr_node *node, const struct onr_resize_params *p, int32_t scales) {
  const int32_t in[] = {onri_in(node, 0), ONRI_NONE, scales};
  return onri_emit_with(node, &onri_layer_resize, p, in, 3, node->out, 1);
}

static enum onr_status emit_fixed(const struct onr_node *node, const float *scales, size_t count) {
  struct onr_resize_params p;
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){(int64_t)count});
  ONR_TRY(read_old(node, &p));
  const int32_t constant = onri_graph_add_data(node->graph, &desc, scales);
  if (constant < 0) return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "out of memory");
  return emit_scales(node, &p, constant);
}

static enum onr_status import_upsample_1(const struct onr_node *node) {
  if (!onri_attr_has(node, "height_scale") || !onri_attr_has(node, "width_scale"))
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "height_scale and width_scale are required");
  const float scales[] = {1, 1, onri_attr_float(node, "height_scale", 1), onri_attr_float(node, "width_scale", 1)};
  return emit_fixed(node, scales, 4);
}

static enum onr_status import_upsample_7(const struct onr_node *node) {
  size_t count;
  const float *scales = onri_attr_floats(node, "scales", &count);
  if (count == 0) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "scales are required");
  return emit_fixed(node, scales, count);
}

/* Upsample-9 and Resize-10: scales are an input. */
static enum onr_status import_resize_10(const struct onr_node *node) {
  struct onr_resize_params p;
  ONR_TRY(read_old(node, &p));
  return emit_scales(node, &p, onri_in(node, 1));
}

static enum onr_status read_axes(const struct onr_node *node, struct onr_resize_params *p) {
  size_t count;
  const int64_t *axes = onri_attr_ints(node, "axes", &count);
  if (count > ONR_MAX_RANK)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "%zu axes are more than the highest rank %d", count,
                    ONR_MAX_RANK);
  for (size_t i = 0; i < count; i++) {
    if (axes[i] < -ONR_MAX_RANK || axes[i] >= ONR_MAX_RANK)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "axis %lld is out of range", (long long)axes[i]);
    p->axes[i] = (int32_t)axes[i];
  }
  p->num_axes = (int32_t)count;
  return ONR_STATUS_OK;
}

static enum onr_status import_resize_11(const struct onr_node *node) {
  static const char *const coordinates[] = {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
                                            "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize", NULL};
  static const char *const nearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};
  static const char *const aspects[] = {"stretch", "not_larger", "not_smaller", NULL};
  struct onr_resize_params p = {0};
  p.mode = onri_attr_choice(node, "mode", modes, ONR_RESIZE_NEAREST);
  p.coordinates = onri_attr_choice(node, "coordinate_transformation_mode", coordinates, ONR_RESIZE_HALF_PIXEL);
  p.nearest = onri_attr_choice(node, "nearest_mode", nearest, ONR_RESIZE_ROUND_PREFER_FLOOR);
  p.aspect = onri_attr_choice(node, "keep_aspect_ratio_policy", aspects, ONR_RESIZE_STRETCH);
  p.antialias = onri_attr_int32(node, "antialias", 0, 0, 1);
  p.exclude_outside = onri_attr_int32(node, "exclude_outside", 0, 0, 1);
  p.cubic_a = onri_attr_float(node, "cubic_coeff_a", -0.75f);
  p.extrapolation_value = onri_attr_float(node, "extrapolation_value", 0);
  /* Aligned corners follow from the sizes; ONNX's reference lets them follow from the scale, whose size may be a
   * fraction. */
  p.recompute_scales = p.coordinates == ONR_RESIZE_ALIGN_CORNERS && node->importer && node->importer->from_pytorch;
  ONR_TRY(read_axes(node, &p));
  return onri_emit(node, &onri_layer_resize, &p);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, Upsample, 1, 1, 1, 1, 1, import_upsample_1)
    ONRI_OP(ai_onnx, Upsample, 7, 1, 1, 1, 1, import_upsample_7)
    ONRI_OP(ai_onnx, Upsample, 9, 2, 2, 1, 1, import_resize_10)
    ONRI_OP(ai_onnx, Resize, 10, 2, 2, 1, 1, import_resize_10)
    ONRI_OP(ai_onnx, Resize, 11, 1, 4, 1, 1, import_resize_11)
};
/* clang-format on */
const struct onri_op_table onri_ops_resize = ONRI_OP_TABLE(operators);
