/* winograd_bytes_tiles.h: what winograd_bytes.c takes of each level. */
#ifndef ONRI_WINOGRAD_BYTES_TILES_H
#define ONRI_WINOGRAD_BYTES_TILES_H

#include <stddef.h>
#include <stdint.h>

/* Points of a tile; the fewest channels of an image. */
enum { ONRI_WINOGRAD_BYTES_POINTS = 16, ONRI_WINOGRAD_BYTES_CHANNELS = 32 };

struct onri_winograd_bytes_kernels {
  size_t columns; /* of a panel of weights; 0: this level does not do so */
  /* 4x4 pixels of channels of 16 bits, lines `line` bytes apart; point i goes to v + i * point. */
  void (*forward)(const char *x, size_t line, size_t channels, int16_t *v, size_t point);
  /* Of one point: v [tiles][channels], u [channels / 2][columns][2] -> m [tiles][columns]. */
  void (*product)(const int16_t *v, size_t tiles, size_t channels, const int16_t *u, int32_t *m);
  /* Points `point` elements apart; outputs [2][2][columns], plus start [columns]: lines `line` elements apart, pixels
   * `pixel`. */
  void (*backward)(const int32_t *m, size_t point, const int32_t *start, int32_t *y, size_t line, size_t pixel);
};

#endif
