/* import_sample.c: GridSample, AffineGrid, Col2Im, RoiAlign, MaxRoiPool. */
#include "onnx/import_conv.h"

enum onr_status onri_import_grid_sample(const struct onr_node *node) {
  static const char *const modes[] = {"linear", "nearest", "cubic", "bilinear", "bicubic", NULL}; /* the last two before version 20 */
  static const char *const paddings[] = {"zeros", "border", "reflection", NULL};                  /* as enum onr_grid_padding */
  static const int32_t meaning[] = {ONR_GRID_LINEAR, ONR_GRID_NEAREST, ONR_GRID_CUBIC, ONR_GRID_LINEAR, ONR_GRID_CUBIC};
  struct onr_grid_sample_params p = {0};
  const int32_t mode = onri_attr_choice(node, "mode", modes, 0);
  p.mode = mode >= 0 && mode < 5 ? meaning[mode] : ONR_GRID_LINEAR;
  p.padding = onri_attr_choice(node, "padding_mode", paddings, ONR_GRID_ZEROS);
  p.align_corners = onri_attr_int32(node, "align_corners", 0, 0, 1);
  return onri_emit(node, &onri_layer_grid_sample, &p);
}

enum onr_status onri_import_affine_grid(const struct onr_node *node) {
  struct onr_affine_grid_params p = {0};
  p.align_corners = onri_attr_int32(node, "align_corners", 0, 0, 1);
  return onri_emit(node, &onri_layer_affine_grid, &p);
}

enum onr_status onri_import_col2im(const struct onr_node *node) {
  struct onr_col2im_params p = {0};
  ONR_TRY(onri_import_window(node, &p.window));
  return onri_emit(node, &onri_layer_col2im, &p);
}

/* Before version 16, coordinates were those of output_half_pixel. */
enum onr_status onri_import_roi_align(const struct onr_node *node) {
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

enum onr_status onri_import_max_roi_pool(const struct onr_node *node) {
  struct onr_max_roi_pool_params p = {0};
  size_t count;
  const int64_t *const shape = onri_attr_ints(node, "pooled_shape", &count);
  if (count != 2) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected a pooled_shape of 2 values, found %zu", count);
  p.output_height = shape[0];
  p.output_width = shape[1];
  p.spatial_scale = onri_attr_float(node, "spatial_scale", 1);
  return onri_emit(node, &onri_layer_max_roi_pool, &p);
}
