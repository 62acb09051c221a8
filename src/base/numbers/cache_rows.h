/* cache_rows.h: rows of keys and values as a cache of int8 has them: a byte for each element, then the row's scale, a
 * float32 that is not aligned. An element is scale times its byte. */
#ifndef ONRI_CACHE_ROWS_H
#define ONRI_CACHE_ROWS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "onnxrun/tensor.h"

enum { ONRI_CACHE_SCALE_BYTES = 4, ONRI_CACHE_MOST = 127 };

static inline float onri_cache_scale(const int8_t *row, size_t width) {
  float scale;
  memcpy(&scale, row + width, sizeof(scale));
  return scale;
}

/* The largest element is 127 or -127 times the scale. A row that is not finite is NaN as a whole. */
void onri_cache_narrow(enum onr_dtype dtype, const void *elements, size_t width, int8_t *row);
void onri_cache_widen(const int8_t *row, size_t width, enum onr_dtype dtype, void *elements);

#endif
