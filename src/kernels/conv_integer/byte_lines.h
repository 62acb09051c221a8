/* byte_lines.h: channels of bytes laid out so that each tap of a window lies at a fixed distance from where the window
 * begins, and windows lie side by side, whatever strides and dilations are: pixels that leave the same remainder by the
 * stride go together, in every axis. Padding is written out. */
#ifndef ONRI_BYTE_LINES_H
#define ONRI_BYTE_LINES_H

#include <stddef.h>

#include "base/image.h"

enum { ONRI_BYTE_VECTOR = 64 /* bytes of the widest */ };

/* Some rows of windows along one axis at a time, the first that has more than one: a strip. A position stands for each
 * window, and for what lies between the ends of their rows. */
struct onri_byte_lines {
  struct onri_axis axis[ONR_MAX_SPATIAL]; /* those of all windows */
  size_t parts[ONR_MAX_SPATIAL];          /* remainders that taps meet */
  size_t count[ONR_MAX_SPATIAL];          /* pixels of one */
  int along;
  int64_t rows;       /* of a strip; the last one may have fewer */
  size_t strips;      /* of an image */
  size_t part, plane; /* bytes: of one remainder of a channel, of all of them */
  size_t positions;   /* whole vectors */
};
/* 0: it is too much. */
int onri_byte_lines_set(const struct onri_axis axis[ONR_MAX_SPATIAL], struct onri_byte_lines *l);

struct onri_byte_strip_of {
  struct onri_axis axis[ONR_MAX_SPATIAL]; /* of its windows */
  int64_t first;                          /* row of windows */
  size_t positions;                       /* up to the last window's */
};
void onri_byte_lines_strip(const struct onri_byte_lines *l, size_t index, struct onri_byte_strip_of *s);

/* A channel that lies at x, of pixels `stride` apart, into `plane` bytes; every byte, and `outside` for padding, ^
 * flip. */
void onri_byte_lines_pack(const struct onri_byte_lines *l, const struct onri_byte_strip_of *s, const uint8_t *x,
                          const int64_t stride[ONR_MAX_SPATIAL], uint8_t outside, uint8_t flip, uint8_t *to);
/* Bytes from a window's position to its tap, a number below those of all axes. */
size_t onri_byte_lines_distance(const struct onri_byte_lines *l, size_t tap);
/* The windows among positions, of `size` bytes, to the channel at y, whose pixels lie `stride` elements apart. */
void onri_byte_lines_store(const struct onri_byte_lines *l, const struct onri_byte_strip_of *s, const void *positions,
                           size_t size, void *y, const int64_t stride[ONR_MAX_SPATIAL]);

#endif
