/* requantise_lanes.h: the rule of onri_requantise for one vector of sums, which byte products and depthwise kernels
 * share. */
#ifndef ONRI_REQUANTISE_LANES_H
#define ONRI_REQUANTISE_LANES_H

#include "kernels/quantize/byte_product.h"
#include "kernels/simd.h"

/* The first `lanes` results, as bytes. */
INLINE void requantise_lanes(const struct onri_requantise *r, vi32 sums, vf32 scale, uint8_t *y, size_t lanes) {
  const vf32 low = f32_set((float)(r->low - r->zero)), high = f32_set((float)(r->high - r->zero));
  const vf32 real = f32_from_i32(sums) * scale;
  const vi32 steps = i32_from_f32(f32_rint(f32_least(f32_greatest(real, low), high))) + i32_set(r->zero);
  uint8_t part[F32_LANES];
  i32_store_8(lanes >= F32_LANES ? y : part, steps);
  if (lanes < F32_LANES) memcpy(y, part, lanes);
}

#endif
