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
  i32_store_8_part(y, steps, lanes);
}

/* The same for four vectors of sums, as bytes in the order of u8_from_zipped. */
struct requantise_bytes {
  int add;
  int below_one, clamps, flips; /* what most layers need none of is asked for: looked at once for four vectors */
  vi8 low, high;
};

INLINE struct requantise_bytes requantise_bytes_of(const struct onri_requantise *r) {
  const int up = r->low < 0 || r->zero < 0 ? 128 : 0; /* signed bytes as unsigned ones */
  return (struct requantise_bytes){.add = r->zero + up,
                                   .below_one = r->below_one,
                                   .clamps = r->low + up > 0 || r->high + up < UINT8_MAX,
                                   .flips = up,
                                   .low = i8_set((int8_t)(r->low + up)),
                                   .high = i8_set((int8_t)(r->high + up))};
}

/* Nothing but rounding is needed: an unsigned result of a clip that its type does by itself. */
INLINE int requantise_is_plain(const struct onri_requantise *r) {
  return r->below_one && r->zero == 0 && r->low <= 0 && r->high >= UINT8_MAX;
}

/* plain: see above, known. */
INLINE vi8 requantise_4(const struct requantise_bytes *b, const vi32 sums[4], const vf32 scales[4], const int plain) {
  vf32 real[4];
  vi32 steps[4];
  UNROLL for (int q = 0; q < 4; q++) real[q] = f32_from_i32(sums[q]) * scales[q];
  if (plain || b->below_one) UNROLL for (int q = 0; q < 4; q++) steps[q] = i32_nearest(real[q]);
  else UNROLL for (int q = 0; q < 4; q++) steps[q] = i32_nearest_or_far(real[q]);
  if (plain) return u8_from_zipped(steps, 0);
  vi8 result = u8_from_zipped(steps, b->add);
  if (b->clamps) result = u8_clamp(result, b->low, b->high);
  return b->flips ? result ^ i8_set(INT8_MIN) : result;
}

#endif
