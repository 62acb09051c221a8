/* byte_image.h: images of bytes whose windows byte_product.h reads where they lie: padded, channels last, packed. */
#ifndef ONRI_BYTE_IMAGE_H
#define ONRI_BYTE_IMAGE_H

#include "kernels/conv/conv_direct.h"
#include "kernels/quantize/byte_product.h"

/* The runs of a window: rows of its kernel where these lie side by side, else taps. */
struct onri_byte_depth onri_byte_window(const struct onri_conv *c);

/* The caller's image is such a one. */
int onri_byte_image_lies(const struct onri_conv *c, int x_signed);
/* One image padded and packed; SIZE_MAX where that is too much: it would be many times as large as x and y. */
size_t onri_byte_image_bytes(const struct onri_conv *c);
/* However large that is; SIZE_MAX where it does not fit. */
size_t onri_byte_image_padded_bytes(const struct onri_conv *c);

struct onri_byte_image {
  const char *x;                            /* the first of them, where the first window begins */
  size_t batch_step, step[ONR_MAX_SPATIAL]; /* bytes from one image and one position to the next */
};
struct onri_byte_image onri_byte_image_in_place(const struct onri_conv *c, const void *x);
/* Images [first, first + count) of x, padded with the element `zero`, into `to`. */
struct onri_byte_image onri_byte_image_pack(const struct onri_conv *c, const void *x, int x_signed, int zero,
                                            size_t first, size_t count, void *to, struct onr_env *env);
/* Lines [line, line + lines) of planes [plane, plane + planes) of one image, both counted from where its padding
 * begins, on the calling thread. */
struct onri_byte_strip {
  size_t plane, planes, line, lines;
};
size_t onri_byte_strip_bytes(const struct onri_conv *c, const struct onri_byte_strip *strip);
struct onri_byte_image onri_byte_strip_pack(const struct onri_conv *c, const void *x, int x_signed, int zero,
                                            size_t batch, const struct onri_byte_strip *strip, void *to);
/* Bytes from the begin of a window to each of its runs: onri_byte_window(c).runs of them. */
void onri_byte_image_runs(const struct onri_conv *c, const struct onri_byte_image *image, size_t *runs);
/* Where the windows of output pixels [pixel, pixel + count) of a group begin. */
void onri_byte_image_windows(const struct onri_conv *c, const struct onri_byte_image *image, size_t batch, size_t group,
                             size_t pixel, size_t count, const char **begins);

#endif
