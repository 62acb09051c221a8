/* sample.c: GridSample, AffineGrid, Col2Im, RoiAlign, MaxRoiPool, and Unfold of the domain "onnxrun". */
#include "onnx/ops/ai_onnx/conv.h"

static enum onr_status import_grid_sample(const struct onr_node *node) {
  static const char *const modes[] = {"linear",   "nearest", "cubic",
                                      "bilinear", "bicubic", NULL};              /* the last two before version 20 */
  static const char *const paddings[] = {"zeros", "border", "reflection", NULL}; /* as enum onr_grid_padding */
  static const int32_t meaning[] = {ONR_GRID_LINEAR, ONR_GRID_NEAREST, ONR_GRID_CUBIC, ONR_GRID_LINEAR, ONR_GRID_CUBIC};
  struct onr_grid_sample_params p = {0};
  const int32_t mode = onri_attr_choice(node, "mode", modes, 0);
  p.mode = mode >= 0 && mode < 5 ? meaning[mode] : ONR_GRID_LINEAR;
  p.padding = onri_attr_choice(node, "padding_mode", paddings, ONR_GRID_ZEROS);
  p.align_corners = onri_attr_int32(node, "align_corners", 0, 0, 1);
  return onri_emit(node, &onri_layer_grid_sample, &p);
}

static enum onr_status import_affine_grid(const struct onr_node *node) {
  struct onr_affine_grid_params p = {0};
  p.align_corners = onri_attr_int32(node, "align_corners", 0, 0, 1);
  return onri_emit(node, &onri_layer_affine_grid, &p);
}

static enum onr_status import_col2im(const struct onr_node *node) {
  struct onr_col2im_params p = {0};
  ONR_TRY(onri_import_window(node, &p.window));
  return onri_emit(node, &onri_layer_col2im, &p);
}

/* The padding is a layer of its own. */
static enum onr_status import_unfold(const struct onr_node *node) {
  static const struct onr_pad_params zeros = {ONR_PAD_CONSTANT};
  struct onr_im2col_params p = {0};
  int64_t pads[2 * (2 + ONR_MAX_SPATIAL)] = {0}, any = 0;
  int32_t x = onri_in(node, 0);
  ONR_TRY(onri_import_window(node, &p.window));
  if (p.window.kernel[0] == 0) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "kernel_shape is required");
  if (p.window.auto_pad != ONR_AUTO_PAD_NOTSET)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "Unfold has no auto_pad");
  for (int32_t i = 0; i < p.window.rank; i++) {
    any |= pads[2 + i] = p.window.pad_begin[i];
    any |= pads[2 + p.window.rank + 2 + i] = p.window.pad_end[i];
    p.window.pad_begin[i] = p.window.pad_end[i] = 0;
  }
  if (any) {
    const int32_t in[2] = {x, onri_const_ints(node, pads, 2 * (2 + (size_t)p.window.rank))};
    x = onri_temp(node);
    ONR_TRY(onri_emit_with(node, &onri_layer_pad, &zeros, in, 2, &x, 1));
  }
  return onri_emit_with(node, &onri_layer_im2col, &p, &x, 1, node->out, 1);
}

/* Before version 16, coordinates were those of output_half_pixel. */
static enum onr_status import_roi_align(const struct onr_node *node) {
  static const char *const modes[] = {"avg", "max", NULL}; /* as enum onr_roi_mode */
  static const char *const coordinates[] = {"output_half_pixel", "half_pixel", NULL};
  struct onr_roi_align_params p = {0};
  p.mode = onri_attr_choice(node, "mode", modes, ONR_ROI_AVERAGE);
  p.half_pixel = onri_attr_choice(node, "coordinate_transformation_mode", coordinates, node->opset >= 16);
  p.output_height = onri_attr_int(node, "output_height", 1);
  p.output_width = onri_attr_int(node, "output_width", 1);
  p.sampling_ratio = onri_attr_int(node, "sampling_ratio", 0);
  p.spatial_scale = onri_attr_float(node, "spatial_scale", 1);
  return onri_emit(node, &onri_layer_roi_align, &p);
}

static enum onr_status import_max_roi_pool(const struct onr_node *node) {
  struct onr_max_roi_pool_params p = {0};
  size_t count;
  const int64_t *shape = onri_attr_ints(node, "pooled_shape", &count);
  if (count != 2)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected a pooled_shape of 2 values, found %zu", count);
  p.output_height = shape[0];
  p.output_width = shape[1];
  p.spatial_scale = onri_attr_float(node, "spatial_scale", 1);
  return onri_emit(node, &onri_layer_max_roi_pool, &p);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, GridSample, 16, 2, 2, 1, 1, import_grid_sample)
    ONRI_OP(ai_onnx, AffineGrid, 20, 2, 2, 1, 1, import_affine_grid)
    ONRI_OP(ai_onnx, Col2Im, 18, 3, 3, 1, 1, import_col2im)
    ONRI_OP(ai_onnx, RoiAlign, 10, 3, 3, 1, 1, import_roi_align)
    ONRI_OP(ai_onnx, MaxRoiPool, 1, 2, 2, 1, 1, import_max_roi_pool)
    ONRI_OP(onnxrun, Unfold, 1, 1, 1, 1, 1, import_unfold)
};
/* clang-format on */
const struct onri_op_table onri_ops_sample = ONRI_OP_TABLE(operators);
