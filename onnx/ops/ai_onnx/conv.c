/* conv.c: Conv, ConvTranspose, DeformConv, and the attributes that pools share with them. */
#include "onnx/ops/ai_onnx/conv.h"

static enum onr_status note_rank(const struct onr_node *node, const char *name, size_t count,
                                 struct onr_window *window) {
  if (count > ONR_MAX_SPATIAL)
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "%s has %zu dimensions, at most %d are supported", name, count,
                    ONR_MAX_SPATIAL);
  if (window->rank != 0 && (size_t)window->rank != count)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "%s has %zu dimensions, another attribute has %d", name, count,
                    window->rank);
  window->rank = (int32_t)count;
  return ONR_STATUS_OK;
}

/* A list with one entry of at least `least` for each spatial dimension. */
static enum onr_status read_list(const struct onr_node *node, const char *name, int64_t least,
                                 int64_t values[ONR_MAX_SPATIAL], struct onr_window *window) {
  size_t count;
  const int64_t *list = onri_attr_ints(node, name, &count);
  if (count == 0) return ONR_STATUS_OK;
  ONR_TRY(note_rank(node, name, count, window));
  for (size_t i = 0; i < count; i++) {
    if (list[i] < least)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected %s of at least %lld, found %lld", name,
                      (long long)least, (long long)list[i]);
    values[i] = list[i];
  }
  return ONR_STATUS_OK;
}

static enum onr_status read_pads(const struct onr_node *node, struct onr_window *window) {
  size_t count;
  const int64_t *pads = onri_attr_ints(node, "pads", &count);
  if (count == 0) return ONR_STATUS_OK;
  if (count % 2 != 0)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected an even number of pads, found %zu", count);
  ONR_TRY(note_rank(node, "pads", count / 2, window));
  for (size_t i = 0; i < count; i++) {
    if (pads[i] < 0)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected pads of at least 0, found %lld", (long long)pads[i]);
    if (i < count / 2) window->pad_begin[i] = pads[i];
    else window->pad_end[i - count / 2] = pads[i];
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_import_window(const struct onr_node *node, struct onr_window *window) {
  static const char *const auto_pads[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID",
                                          NULL}; /* as enum onr_auto_pad */
  window->auto_pad = onri_attr_choice(node, "auto_pad", auto_pads, ONR_AUTO_PAD_NOTSET);
  ONR_TRY(read_list(node, "kernel_shape", 1, window->kernel, window));
  ONR_TRY(read_list(node, "strides", 1, window->stride, window));
  ONR_TRY(read_list(node, "dilations", 1, window->dilation, window));
  return read_pads(node, window);
}

static enum onr_status read_group(const struct onr_node *node, int64_t *groups) {
  *groups = onri_attr_int(node, "group", 1);
  if (*groups < 1)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected group of at least 1, found %lld", (long long)*groups);
  return ONR_STATUS_OK;
}

static enum onr_status import_conv(const struct onr_node *node, const struct onr_layer *layer) {
  struct onr_conv_params p = {0};
  if (node->domain[0] != '\0') p.channels_last = onri_attr_int32(node, "channels_last", 0, 0, 1); /* com.microsoft's */
  ONR_TRY(onri_import_window(node, &p.window));
  ONR_TRY(read_group(node, &p.groups));
  return onri_emit(node, layer, &p);
}

static enum onr_status read_conv(const struct onr_node *node) { return import_conv(node, &onri_layer_conv); }
static enum onr_status import_conv_integer(const struct onr_node *node) {
  return import_conv(node, &onri_layer_conv_integer);
}
static enum onr_status import_qlinear_conv(const struct onr_node *node) {
  return import_conv(node, &onri_layer_qlinear_conv);
}

static enum onr_status import_conv_transpose(const struct onr_node *node) {
  struct onr_conv_transpose_params p = {0};
  size_t count;
  ONR_TRY(onri_import_window(node, &p.window));
  ONR_TRY(read_group(node, &p.groups));
  ONR_TRY(read_list(node, "output_padding", 0, p.output_padding, &p.window));
  const int64_t *shape = onri_attr_ints(node, "output_shape", &count);
  if (count > 0) {
    /* The standard lists spatial sizes alone; some exporters put batch and channels in front. */
    if (count > 2 && ((p.window.rank != 0 && count == (size_t)p.window.rank + 2) || count > ONR_MAX_SPATIAL))
      shape += 2, count -= 2;
    ONR_TRY(note_rank(node, "output_shape", count, &p.window));
    p.has_output_shape = 1;
    /* Version 1 gave the odd pixel of padding to the other side. */
    if (node->opset < 11)
      p.window.auto_pad =
          p.window.auto_pad == ONR_AUTO_PAD_SAME_UPPER ? ONR_AUTO_PAD_SAME_LOWER : ONR_AUTO_PAD_SAME_UPPER;
    for (size_t i = 0; i < count; i++) {
      p.output_shape[i] = shape[i];
      if (shape[i] < 1)
        return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected output_shape of at least 1, found %lld",
                        (long long)shape[i]);
    }
  }
  return onri_emit(node, &onri_layer_conv_transpose, &p);
}

static enum onr_status import_deform_conv(const struct onr_node *node) {
  struct onr_deform_conv_params p = {0};
  ONR_TRY(onri_import_window(node, &p.window));
  ONR_TRY(read_group(node, &p.groups));
  p.offset_groups = onri_attr_int(node, "offset_group", 1);
  if (p.offset_groups < 1)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected offset_group of at least 1, found %lld",
                    (long long)p.offset_groups);
  return onri_emit(node, &onri_layer_deform_conv, &p);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, Conv, 1, 2, 3, 1, 1, read_conv)
    ONRI_OP(ai_onnx, ConvInteger, 10, 2, 4, 1, 1, import_conv_integer)
    ONRI_OP(ai_onnx, QLinearConv, 10, 8, 9, 1, 1, import_qlinear_conv)
    ONRI_OP(com_microsoft, QLinearConv, 1, 8, 9, 1, 1, import_qlinear_conv)
    ONRI_OP(ai_onnx, ConvTranspose, 1, 2, 3, 1, 1, import_conv_transpose)
    ONRI_OP(ai_onnx, DeformConv, 19, 3, 5, 1, 1, import_deform_conv)
};
/* clang-format on */
const struct onri_op_table onri_ops_conv = ONRI_OP_TABLE(operators);
