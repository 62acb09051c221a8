/* window.h: sliding windows with every default and every padding resolved. Used by convolutions and pools. */
#ifndef ONRI_WINDOW_H
#define ONRI_WINDOW_H

#include "onnxrun/layer.h"
#include "base/image.h"
#include "params/window.h"

/* Rank 3 to 5 (SHAPE otherwise) in either layout. *spatial is rank - 2. */
enum onr_status onri_image_view(const struct onr_desc *desc, int32_t channels_last, struct onri_image *image,
                                int32_t *spatial, struct onr_error *error);
/* Descriptor of an image with `spatial` axes. */
struct onr_desc onri_image_desc(enum onr_dtype dtype, int32_t channels_last, int64_t batch, int64_t channels,
                                int32_t spatial, const struct onri_axis axis[ONR_MAX_SPATIAL]);

/* At the end of infer of a layer that samples image input i wherever its parameters or other inputs say: SHAPE when
 * output 0 has pixels and the image has none. */
enum onr_status onri_expect_pixels(const struct onr_call *call, size_t i);

/* Stride, dilation, padding and dilated kernel of each axis, checked; in and kernel come from the caller (leading axes
 * 1). With auto_pad, padding follows from the input. Fails with ATTRIBUTE (sign), SHAPE (rank) or LIMIT (beyond 2^31).
 */
enum onr_status onri_window_resolve(const struct onr_window *window, int32_t spatial,
                                    struct onri_axis axis[ONR_MAX_SPATIAL], struct onr_error *error);
/* Output sizes of windows that only lie within the padded input. SHAPE when one is below `least`: pools may have none
 * where an image is smaller than a window by less than two strides, convolutions need one. */
enum onr_status onri_window_output(int32_t ceil_mode, int64_t least, int32_t spatial,
                                   struct onri_axis axis[ONR_MAX_SPATIAL], struct onr_error *error);

#endif
