/* Images of either layout: channels behind the batch, or last. */
#ifndef TESTS_IMAGE_LAYOUT_H
#define TESTS_IMAGE_LAYOUT_H

#include <stdint.h>

/* Position of (n, c, pixel) in either layout. */
static inline int64_t at(int last, int64_t channels, int64_t pixels, int64_t n, int64_t c, int64_t pixel) {
  return last ? (n * pixels + pixel) * channels + c : (n * channels + c) * pixels + pixel;
}

static inline void image_dims(int last, int64_t n, int64_t c, int64_t h, int64_t w, int64_t dims[4]) {
  dims[0] = n;
  dims[1] = last ? h : c;
  dims[2] = last ? w : h;
  dims[3] = last ? c : w;
}

#endif
