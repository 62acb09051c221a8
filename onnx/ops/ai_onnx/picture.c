/* picture.c: ImageDecoder. */
#include "onnx/node/import.h"

static enum onr_status import_image_decoder(const struct onr_node *node) {
  static const char *const formats[] = {"RGB", "BGR", "Grayscale", NULL}; /* enum onr_pixels */
  const struct onr_image_decoder_params params = {
      (enum onr_pixels)onri_attr_choice(node, "pixel_format", formats, ONR_PIXELS_RGB)};
  return onri_emit(node, &onri_layer_image_decoder, &params);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, ImageDecoder, 20, 1, 1, 1, 1, import_image_decoder)
};
/* clang-format on */
const struct onri_op_table onri_ops_picture = ONRI_OP_TABLE(operators);
