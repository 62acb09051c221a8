/* byte_pair_dot_simd.c: see byte_pair.h. Results are whole numbers with a fraction of some bits, made of integers by
 * the ratios of scales; where a fraction of one of them lies so close to the middle that rounding of float32 on the way
 * could decide, the vector is made again, step by step. */
#include "kernels/kernels.h"
#include "kernels/quantize/byte_pair.h"
#include "kernels/simd.h"

enum {
  DIGIT = 15,    /* bits: a ratio is two digits, whose products with bytes fit 32 bits */
  FRACTION = 14, /* bits, at most */
  LARGEST = 16   /* ratio */
};

struct pair {
  vf32 a_scale, b_scale, y_scale, a_zero, b_zero, min, max; /* in steps, one after the other */
  vi8 a_flip, b_flip, y_flip;                               /* signed bytes as unsigned ones */
  int zero, y_add;                                          /* of y; what whole numbers are moved by */
  vi8 low, high;
  int fraction;                        /* bits of it */
  vu32 limit;                          /* fractions up to it, shifted to the upper end, are not sure */
  vi32 high_digits, low_digits, start; /* of a sum: of both ratios; what it begins with */
  vi16 a_zero_16, b_zero_16;           /* of a product */
  vf32 ratio, middle;
};

/* The byte, as an unsigned one, of a number that all results are held to. */
static vi8 bound_of(const struct onri_byte_pair *p, float x, int is_usual, float otherwise) {
  const float low = p->is_signed[ONRI_PAIR_Y] ? -128.0f : 0.0f, high = low + 255.0f,
              quotient = x / p->scale[ONRI_PAIR_Y],
              number = (isnan(quotient) ? 0.0f : rintf(quotient)) + (float)p->zero[ONRI_PAIR_Y];
  const float held = number < low ? low : number > high ? high : number;
  return i8_set((int8_t)(is_usual ? (int)(held - low) : (int)otherwise));
}

static vi32 pairs_of(const int x[2]) { return i32_set((int32_t)((uint32_t)x[0] | (uint32_t)x[1] << 16)); }

/* Numbers have as many bits of fractions as their integers leave room for, and are moved up by half, so that they are
 * rounded down, and by `margin` units of the last bit: what float32 loses, and what is lost here. */
static double start_fractions(struct pair *k, double most) {
  k->fraction = FRACTION;
  while (most >= (double)(1 << (DIGIT - k->fraction))) k->fraction--;
  return 1 << k->fraction;
}
static vu32 limit_of(const struct pair *k, int margin) {
  return (vu32)i32_set((int32_t)(((uint32_t)(2 * margin) << (32 - k->fraction)) - 1));
}

static void start_sum(struct pair *k, const float zero[2], double a, double b) {
  const double one = start_fractions(k, a > b ? a : b), digit = 1 << DIGIT, ratio[] = {a * one, b * one};
  const int margin = 4 + (int)(a + b);
  const double start = 0.5 + margin / one - ((double)zero[0] * a + (double)zero[1] * b), whole = floor(start);
  int high[2], low[2];
  for (int i = 0; i < 2; i++) high[i] = (int)ratio[i], low[i] = (int)((ratio[i] - high[i]) * digit);
  k->high_digits = pairs_of(high);
  k->low_digits = pairs_of(low);
  k->start = i32_set((int32_t)((start - whole) * one * digit));
  k->y_add = k->zero + (int)whole;
  k->limit = limit_of(k, margin);
}

static void start_product(struct pair *k, const float zero[2], double ratio) {
  enum { MARGIN = 6 };
  const double one = start_fractions(k, ratio);
  k->a_zero_16 = i16_set((int16_t)zero[0]);
  k->b_zero_16 = i16_set((int16_t)zero[1]);
  k->ratio = f32_set((float)(ratio * one));
  k->middle = f32_set((float)(one / 2 + MARGIN));
  k->y_add = k->zero;
  k->limit = limit_of(k, MARGIN);
}

static struct pair pair_of(const struct onri_byte_pair *p) {
  const float *scale = p->scale;
  float zero[2];
  int usual = 1;
  for (int i = 0; i < 2; i++) zero[i] = (float)(p->zero[i] + (p->is_signed[i] ? 128 : 0));
  for (int i = 0; i < 3; i++) usual &= scale[i] > 0x1p-60f && scale[i] < 0x1p60f;
  const double y_scale = (double)scale[ONRI_PAIR_Y], a = (double)scale[ONRI_PAIR_A] / y_scale,
               b = (double)scale[ONRI_PAIR_B] / y_scale;
  usual = usual && (p->multiplies ? a * (double)scale[ONRI_PAIR_B] : a + b) < LARGEST;
  struct pair k = {
      .a_scale = f32_set(scale[ONRI_PAIR_A]),
      .b_scale = f32_set(scale[ONRI_PAIR_B]),
      .y_scale = f32_set(scale[ONRI_PAIR_Y]),
      .a_zero = f32_set(zero[ONRI_PAIR_A]),
      .b_zero = f32_set(zero[ONRI_PAIR_B]),
      .min = f32_set(p->min),
      .max = f32_set(p->max),
      .a_flip = i8_set(p->is_signed[ONRI_PAIR_A] ? INT8_MIN : 0),
      .b_flip = i8_set(p->is_signed[ONRI_PAIR_B] ? INT8_MIN : 0),
      .y_flip = i8_set(p->is_signed[ONRI_PAIR_Y] ? INT8_MIN : 0),
      .zero = p->zero[ONRI_PAIR_Y] + (p->is_signed[ONRI_PAIR_Y] ? 128 : 0),
      .low = bound_of(p, p->min, usual, 0.0f),
      .high = bound_of(p, p->max, usual, 255.0f),
      .limit = (vu32)i32_set(-1),
  };
  if (usual && p->multiplies) start_product(&k, zero, a * (double)scale[ONRI_PAIR_B]);
  else if (usual) start_sum(&k, zero, a, b);
  return k;
}

/* One step after the other. */
INLINE vi32 exactly(const struct pair *k, vi32 x, vi32 z, int multiplies) {
  const vf32 a = f32_rounded((f32_from_i32(x) - k->a_zero) * k->a_scale),
             b = f32_rounded((f32_from_i32(z) - k->b_zero) * k->b_scale);
  const vf32 quotient = f32_clamp(multiplies ? a * b : a + b, k->min, k->max) / k->y_scale;
  return i32_nearest_or_far(f32_rint(f32_select(quotient == quotient, quotient, (vf32){0})));
}
SIMD_FUNCTION vi8 all_exactly(const struct pair *k, vi8 x, vi8 z, int multiplies) {
  vi32 as[4], bs[4], steps[4];
  i8_zip4(x, (vi8){0}, (vi8){0}, (vi8){0}, as);
  i8_zip4(z, (vi8){0}, (vi8){0}, (vi8){0}, bs);
  for (int q = 0; q < 4; q++) steps[q] = exactly(k, as[q], bs[q], multiplies);
  return u8_from_zipped(steps, k->zero);
}

/* Sums with fractions, in the order of i8_zip4. */
INLINE void sums_of(const struct pair *k, vi8 x, vi8 z, vi32 to[4]) {
  const vi8 low = i8_zip_low(x, z), high = i8_zip_high(x, z), zero = {0};
  const vi8 both[] = {i8_zip_low(low, zero), i8_zip_high(low, zero), i8_zip_low(high, zero), i8_zip_high(high, zero)};
  UNROLL for (int q = 0; q < 4; q++) to[q] = i32_dot_pairs_add(
      i32_dot_pairs_add(k->start, (vi32)both[q], k->low_digits) >> DIGIT, (vi32)both[q], k->high_digits);
}
INLINE void products_of(const struct pair *k, vi8 x, vi8 z, vi32 to[4]) {
  const vi8 zero = {0};
  i32_products((vi16)i8_zip_low(x, zero) - k->a_zero_16, (vi16)i8_zip_low(z, zero) - k->b_zero_16, to);
  i32_products((vi16)i8_zip_high(x, zero) - k->a_zero_16, (vi16)i8_zip_high(z, zero) - k->b_zero_16, to + 2);
  UNROLL for (int q = 0; q < 4; q++) to[q] = i32_nearest(f32_from_i32(to[q]) * k->ratio + k->middle);
}

INLINE vi8 combined(const struct pair *k, vi8 a, vi8 b, const int multiplies) {
  const vi8 x = a ^ k->a_flip, z = b ^ k->b_flip;
  vi32 steps[4];
  vu32 least = (vu32)i32_set(-1);
  if (multiplies) products_of(k, x, z, steps);
  else sums_of(k, x, z, steps);
  UNROLL for (int q = 0; q < 4; q++) {
    least = u32_least((vu32)steps[q] << (32 - k->fraction), least);
    steps[q] >>= k->fraction;
  }
  vi8 y = u8_from_zipped(steps, k->y_add);
  if (i32_any((vi32)(least <= k->limit))) y = all_exactly(k, x, z, multiplies);
  return u8_clamp(y, k->low, k->high) ^ k->y_flip;
}

INLINE vi8 load_bytes(const uint8_t *x, size_t i, size_t step, size_t left) {
  return !step ? i8_set((int8_t)*x) : left < I8_LANES ? i8_load_part(x + i, left) : i8_load(x + i);
}

INLINE void combine_rows(const struct pair *k, const struct onri_byte_pair_rows *of, const int multiplies) {
  const struct onri_byte_pair_rows r = *of;
  const size_t a_step = r.step[0], b_step = r.step[1], whole = r.count / I8_LANES * I8_LANES, left = r.count - whole;
  for (size_t row = 0; row < r.rows; row++) {
    const uint8_t *a = (const uint8_t *)r.x[0] + row * r.row[0], *b = (const uint8_t *)r.x[1] + row * r.row[1];
    uint8_t *y = (uint8_t *)r.y + row * r.count;
    for (size_t i = 0; i < whole; i += I8_LANES)
      i8_store(y + i, combined(k, load_bytes(a, i, a_step, I8_LANES), load_bytes(b, i, b_step, I8_LANES), multiplies));
    if (left)
      i8_store_part(y + whole,
                    combined(k, load_bytes(a, whole, a_step, left), load_bytes(b, whole, b_step, left), multiplies),
                    left);
  }
}

static void combine(const struct onri_byte_pair *p, const struct onri_byte_pair_rows *rows) {
  const struct pair k = pair_of(p);
  if (p->multiplies) combine_rows(&k, rows, 1);
  else combine_rows(&k, rows, 0);
}

const struct onri_byte_pair_kernels ONRI_AT_LEVEL(onri_byte_pair_kernels) = {combine};
