/* cache_rows.c: see cache_rows.h. */
#include "base/numbers/cache_rows.h"

#include <math.h>

#include "base/numbers/convert.h"

enum { BLOCK = 256 };

static size_t block_of(size_t width, size_t at) { return width - at < BLOCK ? width - at : BLOCK; }

static float largest(enum onr_dtype dtype, const char *elements, size_t width) {
  const size_t size = onr_dtype_size(dtype);
  float x[BLOCK], most = 0, sum = 0;
  for (size_t at = 0; at < width; at += BLOCK) {
    const size_t count = block_of(width, at);
    onri_load(dtype, elements + at * size, count, x);
    for (size_t i = 0; i < count; i++) {
      const float a = fabsf(x[i]);
      most = a > most ? a : most;
      sum += x[i] * 0; /* NaN where an element is not finite */
    }
  }
  return sum == 0 ? most : NAN;
}

void onri_cache_narrow(enum onr_dtype dtype, const void *elements, size_t width, int8_t *row) {
  const float scale = largest(dtype, elements, width) / ONRI_CACHE_MOST;
  const float factor = scale > 0 ? 1 / scale : 0; /* infinite where the scale is that small */
  const size_t size = onr_dtype_size(dtype);
  float x[BLOCK];
  for (size_t at = 0; at < width; at += BLOCK) {
    const size_t count = block_of(width, at);
    onri_load(dtype, (const char *)elements + at * size, count, x);
    for (size_t i = 0; i < count; i++) {
      const float y = isfinite(factor) ? x[i] * factor : x[i] / scale;
      row[at + i] = (int8_t)(y < -ONRI_CACHE_MOST  ? -ONRI_CACHE_MOST
                             : y > ONRI_CACHE_MOST ? ONRI_CACHE_MOST
                             : y == y              ? lrintf(y)
                                                   : 0);
    }
  }
  memcpy(row + width, &scale, sizeof(scale));
}

void onri_cache_widen(const int8_t *row, size_t width, enum onr_dtype dtype, void *elements) {
  const float scale = onri_cache_scale(row, width);
  const size_t size = onr_dtype_size(dtype);
  float x[BLOCK];
  for (size_t at = 0; at < width; at += BLOCK) {
    const size_t count = block_of(width, at);
    for (size_t i = 0; i < count; i++) x[i] = scale * row[at + i];
    onri_store(dtype, x, count, (char *)elements + at * size);
  }
}
