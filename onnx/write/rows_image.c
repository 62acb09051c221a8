/* rows_image.c: convolutions, pools, and other layers on images. */
#include <string.h>

#include "onnx/write/spell.h"

#define CHANNELS_LAST(type) ONRI_ONLY_ZERO("its channels lie behind the image", type, channels_last)
#define WINDOW(type) \
  { .kind = ONRI_FIELD_WINDOW, .at = offsetof(type, window) }

static const struct onri_field conv[] = {
    CHANNELS_LAST(struct onr_conv_params),
    ONRI_ONLY_ZERO("it bounds its result", struct onr_conv_params, clamp),
    ONRI_ONLY_ZERO("it has a function behind it", struct onr_conv_params, tail),
    WINDOW(struct onr_conv_params),
    ONRI_ATTRIBUTE_SINCE("group", INT64, struct onr_conv_params, groups, -1),
};
static const struct onri_field conv_transpose[] = {
    CHANNELS_LAST(struct onr_conv_transpose_params),
    ONRI_ONLY_ZERO("it bounds its result", struct onr_conv_transpose_params, clamp),
    ONRI_ONLY_ZERO("it has a function behind it", struct onr_conv_transpose_params, tail),
    ONRI_ONLY_ZERO("it is given its size while its padding stays", struct onr_conv_transpose_params, output_size),
    WINDOW(struct onr_conv_transpose_params),
    ONRI_ATTRIBUTE_SINCE("group", INT64, struct onr_conv_transpose_params, groups, -1),
};
static const struct onri_field deform_conv[] = {
    WINDOW(struct onr_deform_conv_params),
    ONRI_ATTRIBUTE_SINCE("group", INT64, struct onr_deform_conv_params, groups, -1),
    ONRI_ATTRIBUTE_SINCE("offset_group", INT64, struct onr_deform_conv_params, offset_groups, -1),
};
static const char *const conv_activations[] = {"none", "silu", NULL};
static const struct onri_field causal_conv[] = {
    ONRI_CHOICE("activation", struct onr_causal_conv_params, silu, conv_activations)};

#define POOL                                                                                              \
  CHANNELS_LAST(struct onr_pool_params),                                                                  \
      ONRI_ONLY_ZERO("its windows follow from the size of its result", struct onr_pool_params, adaptive), \
      ONRI_ONLY_ZERO("it divides by a number of its own", struct onr_pool_params, divisor),               \
      ONRI_ONLY_ZERO("it counts indices in each channel", struct onr_pool_params, plane_indices),         \
      WINDOW(struct onr_pool_params), ONRI_ATTRIBUTE_SINCE("ceil_mode", INT32, struct onr_pool_params, ceil_mode, -1)
static const struct onri_field max_pool[] = {
    POOL, ONRI_ATTRIBUTE_SINCE("storage_order", INT32, struct onr_pool_params, storage_order, -1)};
static const struct onri_field average_pool[] = {
    POOL, ONRI_ATTRIBUTE_SINCE("count_include_pad", INT32, struct onr_pool_params, count_include_pad, -1)};
static const struct onri_field lp_pool[] = {POOL, ONRI_ATTRIBUTE("p", INT32, struct onr_pool_params, p)};
static const struct onri_field global_pool[] = {CHANNELS_LAST(struct onr_global_pool_params)};
static const struct onri_field global_lp_pool[] = {CHANNELS_LAST(struct onr_global_pool_params),
                                                   ONRI_ATTRIBUTE("p", INT32, struct onr_global_pool_params, p)};
static const struct onri_field max_unpool[] = {
    CHANNELS_LAST(struct onr_max_unpool_params),
    ONRI_ONLY_ZERO("it counts indices in each channel", struct onr_max_unpool_params, plane_indices),
    WINDOW(struct onr_max_unpool_params),
};

static const char *const orders[] = {"DCR", "CRD", NULL}; /* enum onr_block_order */
static const struct onri_field depth_to_space[] = {
    CHANNELS_LAST(struct onr_block_params),
    ONRI_ATTRIBUTE("blocksize", INT64, struct onr_block_params, block_size),
    ONRI_CHOICE("mode", struct onr_block_params, order, orders),
};
static const struct onri_field space_to_depth[] = {
    CHANNELS_LAST(struct onr_block_params),
    ONRI_ONLY_ZERO("the order of its channels", struct onr_block_params, order),
    ONRI_ATTRIBUTE("blocksize", INT64, struct onr_block_params, block_size),
};
static const struct onri_field lrn[] = {
    CHANNELS_LAST(struct onr_lrn_params),
    ONRI_ONLY_ZERO("the odd channel of its windows lies before", struct onr_lrn_params, odd_before),
    ONRI_ONLY_ZERO("channel 0 counts in every window", struct onr_lrn_params, keep_first),
    ONRI_ATTRIBUTE("size", INT64, struct onr_lrn_params, size),
    ONRI_ATTRIBUTE("alpha", FLOAT, struct onr_lrn_params, alpha),
    ONRI_ATTRIBUTE("beta", FLOAT, struct onr_lrn_params, beta),
    ONRI_ATTRIBUTE("bias", FLOAT, struct onr_lrn_params, bias),
};
static const char *const grid_modes[] = {"linear", "nearest", "cubic", NULL};       /* enum onr_grid_mode */
static const char *const grid_paddings[] = {"zeros", "border", "reflection", NULL}; /* enum onr_grid_padding */
static const struct onri_field grid_sample[] = {
    CHANNELS_LAST(struct onr_grid_sample_params),
    ONRI_CHOICE("mode", struct onr_grid_sample_params, mode, grid_modes),
    ONRI_CHOICE("padding_mode", struct onr_grid_sample_params, padding, grid_paddings),
    ONRI_ATTRIBUTE("align_corners", INT32, struct onr_grid_sample_params, align_corners),
};
static const struct onri_field affine_grid[] = {
    ONRI_ATTRIBUTE("align_corners", INT32, struct onr_affine_grid_params, align_corners)};
static const struct onri_field col2im[] = {WINDOW(struct onr_col2im_params)};
static const char *const roi_modes[] = {"avg", "max", NULL}; /* enum onr_roi_mode */
static const char *const roi_coordinates[] = {"output_half_pixel", "half_pixel", NULL};
static const struct onri_field roi_align[] = {
    CHANNELS_LAST(struct onr_roi_align_params),
    ONRI_CHOICE("mode", struct onr_roi_align_params, mode, roi_modes),
    ONRI_CHOICE("coordinate_transformation_mode", struct onr_roi_align_params, half_pixel, roi_coordinates),
    ONRI_ATTRIBUTE("output_height", INT64, struct onr_roi_align_params, output_height),
    ONRI_ATTRIBUTE("output_width", INT64, struct onr_roi_align_params, output_width),
    ONRI_ATTRIBUTE("sampling_ratio", INT64, struct onr_roi_align_params, sampling_ratio),
    ONRI_ATTRIBUTE("spatial_scale", FLOAT, struct onr_roi_align_params, spatial_scale),
};
static const char *const pixel_formats[] = {"RGB", "BGR", "Grayscale", NULL}; /* enum onr_pixels */
static const struct onri_field image_decoder[] = {
    ONRI_CHOICE("pixel_format", struct onr_image_decoder_params, pixels, pixel_formats)};

static const char *const resize_modes[] = {"nearest", "linear", "cubic", NULL}; /* enum onr_resize_mode */
static const char *const coordinates[] = {
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
    "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize", NULL}; /* enum onr_resize_coordinates */
static const char *const nearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "floor", NULL};
static const char *const aspects[] = {"stretch", "not_larger", "not_smaller", NULL}; /* enum onr_resize_aspect */
static const struct onri_field resize[] = {
    CHANNELS_LAST(struct onr_resize_params),
    ONRI_ONLY_ZERO("its scales are float64", struct onr_resize_params, wide_scales),
    ONRI_CHOICE("mode", struct onr_resize_params, mode, resize_modes),
    ONRI_CHOICE("coordinate_transformation_mode", struct onr_resize_params, coordinates, coordinates),
    ONRI_CHOICE("nearest_mode", struct onr_resize_params, nearest, nearest),
    {.name = "keep_aspect_ratio_policy",
     .kind = ONRI_FIELD_CHOICE,
     .at = offsetof(struct onr_resize_params, aspect),
     .since = 18,
     .texts = aspects},
    ONRI_ATTRIBUTE_SINCE("antialias", INT32, struct onr_resize_params, antialias, 18),
    ONRI_ATTRIBUTE_SINCE("exclude_outside", INT32, struct onr_resize_params, exclude_outside, -1),
    ONRI_ATTRIBUTE_SINCE("cubic_coeff_a", FLOAT, struct onr_resize_params, cubic_a, -1),
    ONRI_ATTRIBUTE_SINCE("extrapolation_value", FLOAT, struct onr_resize_params, extrapolation_value, -1),
    ONRI_LIST("axes", INTS32, struct onr_resize_params, axes, num_axes),
};

static const char *say_conv_transpose(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_conv_transpose_params *p = s->node->params;
  const char *why = onri_fields_check(s, row);
  if (why) return why;
  onri_say_row_begin(s, row);
  if (p->window.rank > 0) onri_say_ints(s, "output_padding", p->output_padding, (size_t)p->window.rank);
  if (p->has_output_shape) onri_say_ints(s, "output_shape", p->output_shape, (size_t)p->window.rank);
  onri_say_end(s);
  return NULL;
}

static const char *say_max_roi_pool(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_max_roi_pool_params *p = s->node->params;
  onri_say_row_begin(s, row);
  onri_say_ints(s, "pooled_shape", (int64_t[]){p->output_height, p->output_width}, 2);
  onri_say_float(s, "spatial_scale", p->spatial_scale);
  onri_say_end(s);
  return NULL;
}

/* Every scale is known and none shrinks: what the first versions called nearest is then floor. */
static int grows(const struct onri_spell *s) {
  const int32_t v = s->node->num_in > 2 ? s->node->in[2] : ONRI_NONE;
  struct onri_constant *scales = v == ONRI_NONE ? NULL : s->graph->values[v].constant;
  if (!scales || scales->desc.dtype != ONR_DTYPE_F32 || onri_constant_load(scales, NULL) != ONR_STATUS_OK) return 0;
  for (int64_t i = 0; i < onr_desc_elements(&scales->desc); i++)
    if (!(((const float *)scales->data)[i] >= 1)) return 0;
  return 1;
}

static const char *say_resize(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_resize_params *p = s->node->params;
  const int is_new = p->coordinates == ONR_RESIZE_HALF_PIXEL_SYMMETRIC || p->num_axes;
  if (p->mode == ONR_RESIZE_NEAREST && p->nearest == ONR_RESIZE_SIMPLE && !grows(s))
    return "its scales are not known to grow, and the first versions rounded by that";
  if (is_new) onri_write_need(s->file, 19);
  return onri_say_row(s, row);
}

static const struct onri_spelling rows[] = {
    {.layer = &onri_layer_conv, .op = "Conv", .since = 11, .most_in = 3, ONRI_FIELDS(conv)},
    {.layer = &onri_layer_conv_integer, .op = "ConvInteger", .since = 10, .most_in = 4, ONRI_FIELDS(conv)},
    {.layer = &onri_layer_qlinear_conv, .op = "QLinearConv", .since = 10, .most_in = 9, ONRI_FIELDS(conv)},
    {.layer = &onri_layer_conv_transpose,
     .op = "ConvTranspose",
     .since = 11,
     .most_in = 3,
     ONRI_FIELDS(conv_transpose),
     .say = say_conv_transpose},
    {.layer = &onri_layer_deform_conv, .op = "DeformConv", .since = 19, ONRI_FIELDS(deform_conv)},
    {.layer = &onri_layer_causal_conv, .op = "CausalConvWithState", .since = 27, ONRI_FIELDS(causal_conv)},
    {.layer = &onri_layer_max_pool, .op = "MaxPool", .since = 12, ONRI_FIELDS(max_pool)},
    {.layer = &onri_layer_average_pool, .op = "AveragePool", .since = 19, ONRI_FIELDS(average_pool)},
    {.layer = &onri_layer_lp_pool, .op = "LpPool", .since = 18, ONRI_FIELDS(lp_pool)},
    {.layer = &onri_layer_global_max_pool, .op = "GlobalMaxPool", .since = 1, ONRI_FIELDS(global_pool)},
    {.layer = &onri_layer_global_average_pool, .op = "GlobalAveragePool", .since = 1, ONRI_FIELDS(global_pool)},
    {.layer = &onri_layer_global_lp_pool, .op = "GlobalLpPool", .since = 2, ONRI_FIELDS(global_lp_pool)},
    {.layer = &onri_layer_max_unpool, .op = "MaxUnpool", .since = 11, ONRI_FIELDS(max_unpool)},
    {.layer = &onri_layer_depth_to_space, .op = "DepthToSpace", .since = 13, ONRI_FIELDS(depth_to_space)},
    {.layer = &onri_layer_space_to_depth, .op = "SpaceToDepth", .since = 13, ONRI_FIELDS(space_to_depth)},
    {.layer = &onri_layer_lrn, .op = "LRN", .since = 13, ONRI_FIELDS(lrn)},
    {.layer = &onri_layer_grid_sample, .op = "GridSample", .since = 20, ONRI_FIELDS(grid_sample)},
    {.layer = &onri_layer_affine_grid, .op = "AffineGrid", .since = 20, ONRI_FIELDS(affine_grid)},
    {.layer = &onri_layer_col2im, .op = "Col2Im", .since = 18, ONRI_FIELDS(col2im)},
    {.layer = &onri_layer_roi_align, .op = "RoiAlign", .since = 16, ONRI_FIELDS(roi_align)},
    {.layer = &onri_layer_max_roi_pool, .op = "MaxRoiPool", .since = 1, .say = say_max_roi_pool},
    {.layer = &onri_layer_image_decoder, .op = "ImageDecoder", .since = 20, ONRI_FIELDS(image_decoder)},
    {.layer = &onri_layer_resize, .op = "Resize", .since = 13, ONRI_FIELDS(resize), .say = say_resize},
};
const struct onri_spellings onri_rows_image = {rows, sizeof(rows) / sizeof(rows[0])};
