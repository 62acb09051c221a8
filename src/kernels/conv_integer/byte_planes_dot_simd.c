/* byte_planes_dot_simd.c: see byte_planes_row.h. A vector has a position in each byte; four of them are interleaved, so
 * that a lane of 32 bits has four terms of a position, or two of 16 bits where there is no instruction for four. */
#include "kernels/conv_integer/byte_planes_row.h"
#include "kernels/kernels.h"
#include "kernels/quantize/requantise_lanes.h"
#include "kernels/simd.h"

enum { FOUR = 4, BLOCK = SIMD_REGISTERS == 32 ? 4 : 2 /* outputs whose sums registers hold */ };

/* Four terms of the positions at x, in lanes of as many words as weights have. */
#if HAS_DOT_BYTES
enum { WORDS = 1, UNSIGNED_SHIFT = DOT_IS_SIGNED ? -128 : 0, LOW = INT8_MIN, HIGH = INT8_MAX };
INLINE void load_terms(const uint8_t *x, const size_t *terms, vi32 to[WORDS][4]) {
  i8_zip4(i8_load(x + terms[0]), i8_load(x + terms[1]), i8_load(x + terms[2]), i8_load(x + terms[3]), to[0]);
}
INLINE vi32 add_terms(vi32 sum, vi32 x, int32_t weights) { return i32_dot_bytes(sum, x, i32_set(weights)); }
#else
enum { WORDS = 2, UNSIGNED_SHIFT = 0, LOW = -UINT8_MAX, HIGH = UINT8_MAX };
INLINE void load_terms(const uint8_t *x, const size_t *terms, vi32 to[WORDS][4]) {
  UNROLL for (int w = 0; w < WORDS; w++) {
    const vi8 a = i8_load(x + terms[2 * w]), b = i8_load(x + terms[2 * w + 1]), zero = {0};
    const vi8 low = i8_zip_low(a, b), high = i8_zip_high(a, b);
    to[w][0] = (vi32)i8_zip_low(low, zero), to[w][1] = (vi32)i8_zip_high(low, zero);
    to[w][2] = (vi32)i8_zip_low(high, zero), to[w][3] = (vi32)i8_zip_high(high, zero);
  }
}
INLINE vi32 add_terms(vi32 sum, vi32 x, int32_t weights) { return i32_dot_pairs_add(sum, x, i32_set(weights)); }
#endif

/* What sums end with. */
struct end {
  struct requantise_bytes bytes;
  vf32 scale[BLOCK], bias[BLOCK], low, high;
};

INLINE void store_reals(const struct end *end, const int o, const vi32 sums[4], char *y) {
  vi32 row[4];
  i32_unzip4(sums, row);
  UNROLL for (int q = 0; q < 4; q++) { /* the product is rounded before the bias is added */
    const vf32 real = f32_rounded(f32_from_i32(row[q]) * end->scale[o]) + end->bias[o];
    f32_store(y + q * SIMD_BYTES, f32_clamp(real, end->low, end->high));
  }
}
INLINE void store_sums(const vi32 sums[4], char *y) {
  vi32 row[4];
  i32_unzip4(sums, row);
  UNROLL for (int q = 0; q < 4; q++) i32_store(y + q * SIMD_BYTES, row[q]);
}
INLINE void store_bytes(const struct end *end, const int o, const vi32 sums[4], char *y) {
  const vf32 scales[] = {end->scale[o], end->scale[o], end->scale[o], end->scale[o]};
  i8_store(y, requantise_4(&end->bytes, sums, scales, 0));
}

/* Outputs [first, first + outputs) of the job. */
INLINE void make_outputs(const struct onri_byte_planes_job *of, size_t first, const int outputs) {
  const struct onri_byte_planes_job j = *of;
  const size_t size = j.requantise ? 1 : sizeof(int32_t), step = j.outputs * WORDS;
  struct end end;
  memset(&end, 0, sizeof(end));
  if (j.requantise) end.bytes = requantise_bytes_of(j.requantise);
  if (j.reals) end.low = f32_set(j.reals->low), end.high = f32_set(j.reals->high);
  UNROLL for (int o = 0; o < outputs; o++) {
    const size_t at = first + (size_t)o;
    if (j.requantise) end.scale[o] = f32_set(j.requantise->scales[at * j.requantise->scale_step]);
    if (j.reals) end.scale[o] = f32_set(j.reals->scales[at * j.reals->scale_step]);
    if (j.reals) end.bias[o] = f32_set(j.reals->bias ? j.reals->bias[at] : -0.0f); /* which changes nothing */
  }
  char *y = (char *)j.y + first * j.y_step;
  for (size_t p = 0; p < j.count; p += I8_LANES, y += I8_LANES * size) {
    const int32_t *weights = j.weights + first * WORDS;
    vi32 sums[BLOCK][4];
    UNROLL for (int o = 0; o < outputs; o++) UNROLL for (int q = 0; q < 4; q++) sums[o][q] =
        i32_set(j.start[first + (size_t)o]);
    for (size_t four = 0; four < j.fours; four++, weights += step) {
      vi32 x[WORDS][4];
      load_terms(j.x + p, j.terms + four * FOUR, x);
      UNROLL for (int o = 0; o < outputs; o++) UNROLL for (int w = 0; w < WORDS; w++) UNROLL for (int q = 0; q < 4; q++)
          sums[o][q] = add_terms(sums[o][q], x[w][q], weights[o * WORDS + w]);
    }
    UNROLL for (int o = 0; o < outputs; o++) {
      char *to = y + (size_t)o * j.y_step;
      if (j.requantise) store_bytes(&end, o, sums[o], to);
      else if (j.reals) store_reals(&end, o, sums[o], to);
      else store_sums(sums[o], to);
    }
  }
}

static void row(const struct onri_byte_planes_job *j) {
  size_t first = 0;
#if SIMD_REGISTERS == 32
  for (; first + 4 <= j->outputs; first += 4) make_outputs(j, first, 4);
#endif
  for (; first + 2 <= j->outputs; first += 2) make_outputs(j, first, 2);
  if (first < j->outputs) make_outputs(j, first, 1);
}

static void take(const uint8_t *x, size_t step, size_t count, uint8_t flip, uint8_t *to) {
  const vi8 flips = i8_set((int8_t)flip);
  size_t i = 0;
  if (step == 1)
    for (; i < count; i += I8_LANES) i8_store_part(to + i, i8_load_part(x + i, count - i) ^ flips, count - i);
  if (step == 2)
    for (; i < count; i += I8_LANES) {
      const size_t bytes = (count - i) * 2 - 1; /* no more than there are */
      const vi8 a = i8_load_part(x + 2 * i, bytes),
                b = bytes > I8_LANES ? i8_load_part(x + 2 * i + I8_LANES, bytes - I8_LANES) : a;
      i8_store_part(to + i, i8_even(a, b) ^ flips, count - i);
    }
  if (step == 4)
    for (; i + F32_LANES < count; i += F32_LANES) i32_store_8(to + i, i32_load(x + 4 * i) ^ (vi32)flips);
  for (; i < count; i++) to[i] = x[i * step] ^ flip;
}

const struct onri_byte_planes_kernels ONRI_AT_LEVEL(onri_byte_planes_kernels) = {
    row, take, {UNSIGNED_SHIFT, UNSIGNED_SHIFT + 128}, WORDS, LOW, HIGH};
