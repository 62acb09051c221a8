/* conv_layout.h: what the layout pass asks about convolutions. */
#ifndef ONRI_CONV_LAYOUT_H
#define ONRI_CONV_LAYOUT_H

#include "params/conv.h"
#include "onnxrun/layer.h"

/* Whether a convolution with these constant weights reads a channels-first image as fast as a channels-last one that is
 * made of it, and makes a channels-last one of it: x_channels_first. y: as below. */
int onri_conv_reads_channels_first(const struct onr_conv_params *p, const struct onr_desc *weight,
                                   const struct onr_desc *y);
/* Whether it reads a channels-first image and makes such a one as fast as it would a channels-last one of a
 * channels-last one; else it wants the latter. */
int onri_conv_stays_channels_first(const struct onr_conv_params *p, const struct onr_desc *weight,
                                   const struct onr_desc *y);
/* The same of a convolution of bytes. */
int onri_conv_bytes_stay_channels_first(const struct onr_conv_params *p, const struct onr_desc *weight,
                                        const struct onr_desc *y);
/* Whether a transposed convolution reads and makes channels-first images as fast as channels-last ones: it has few
 * outputs to a group, and lines of x that fill vectors. */
int onri_conv_transpose_stays_channels_first(const struct onr_conv_transpose_params *p, const struct onr_desc *weight,
                                             const struct onr_desc *x);
/* Whether it has so few channels that vectors of pixels are the faster ones, whoever reads it: convolutions read either
 * layout. */
int onri_conv_has_few_outputs(const struct onr_desc *y);
/* Whether such an output (channels-first dimensions, which may be unknown) is made as fast channels-first as
 * channels-last: images fill vectors of pixels, or these better than a group's channels theirs. */
int onri_conv_makes_channels_first(const struct onr_desc *y, int64_t groups);

#endif
