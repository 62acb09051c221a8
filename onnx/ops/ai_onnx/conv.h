/* conv.h: sliding windows in ONNX attributes, for convolutions and pools. */
#ifndef ONRI_IMPORT_CONV_H
#define ONRI_IMPORT_CONV_H

#include "onnx/node/import.h"

/* kernel_shape, strides, dilations, pads and auto_pad. ATTRIBUTE for values out of range or lists of different lengths;
 * UNSUPPORTED for more than ONR_MAX_SPATIAL dimensions. */
enum onr_status onri_import_window(const struct onr_node *node, struct onr_window *window);

#endif
