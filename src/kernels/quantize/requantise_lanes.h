/* requantise_lanes.h: the rule of onri_requantise for one vector of sums, which byte products and depthwise kernels
 * share. */
#ifndef ONRI_REQUANTISE_LANES_H
#define ONRI_REQUANTISE_LANES_H

#include "kernels/quantize/byte_product.h"
#include "kernels/simd.h"

struct requantise_bounds {
  vf32 low, high;
  vi32 zero;
};

INLINE struct requantise_bounds requantise_bounds_of(const struct onri_requantise *r) {
  return (struct requantise_bounds){f32_set((float)(r->low - r->zero)), f32_set((float)(r->high - r->zero)),
                                    i32_set(r->zero)};
}

/* The first `lanes` results, as bytes. */
INLINE void requantise_lanes(const struct requantise_bounds *b, vi32 sums, vf32 scale, uint8_t *y, size_t lanes) {
  const vf32 real = f32_from_i32(sums) * scale;
  const vi32 steps = i32_nearest(f32_least(f32_greatest(real, b->low), b->high)) + b->zero;
  uint8_t part[F32_LANES];
  i32_store_8(lanes >= F32_LANES ? y : part, steps);
  if (lanes < F32_LANES) memcpy(y, part, lanes);
}

#endif
