/* image.h: windows over images, for convolutions and pools that are written as C. */
#ifndef ONRI_COMPILE_IMAGE_H
#define ONRI_COMPILE_IMAGE_H

#include "compile/source.h"
#include "layers/conv/window.h"

/* An image operand, three spatial axes (missing ones first, of size 1), and the window over it. */
struct onri_windows {
  struct onri_image x, y;
  struct onri_axis axis[ONR_MAX_SPATIAL];
  int32_t spatial;
};
/* kernel: of each of the spatial dimensions, outermost first; NULL: window's. 0: it cannot be. */
int onri_windows_of(struct onri_source *s, const struct onr_window *window, const int64_t *kernel,
                    int32_t x_channels_last, int32_t y_channels_last, struct onri_windows *w);

/* Input x with its padding, channels last, in elements of `size` bytes that are `fill` where there is no image: an
 * expression, and how far apart neighbours lie. */
struct onri_padded {
  char name[32];
  int64_t batch_stride, stride[ONR_MAX_SPATIAL];
};
/* most: how far windows reach on each axis. */
void onri_write_padded(struct onri_source *s, const struct onri_windows *w, enum onr_dtype dtype, const char *x,
                       const char *fill, struct onri_padded *padded);

#endif
