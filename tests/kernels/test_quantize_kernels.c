/* float32 to 8 and 16 bits and back, and ranges, of every instruction set: exactly what the formula gives in float32,
 * at every length that ends a vector. */
#include <string.h>

#include "support/sweep.h"

#include "kernels/kernels.h"
#include "kernels/quantize/byte_pair.h"
#include "kernels/quantize/quantize.h"

enum { MOST = 200 };

/* The quotient is rounded to float32, then to an integer: in double from there. */
static double quantized(float x, float scale, double zero_point, double low, double high) {
  const volatile float quotient = x / scale;
  const double v = (isnan(quotient) ? 0 : rint((double)quotient)) + zero_point;
  return v < low ? low : v > high ? high : v;
}

static void check_to(struct sweep *s, const struct onri_quantize_kernels *k, size_t count) {
  static const float scales[] = {0.01f, 1, 0.5f, 3e-39f, 1e30f, 1e-25f};
  float x[MOST];
  double wide[MOST];
  uint8_t u[MOST + 1];
  int8_t i8[MOST + 1];
  uint16_t u16[MOST + 1];
  int16_t i16[MOST + 1];
  const float scale = scales[sweep_pick(s, 0, 5)];
  const int zero_u = (int)sweep_pick(s, 0, 255), zero_i = zero_u - 128;
  sweep_fill(s, ONR_DTYPE_F32, count, 3, 30, x, wide);
  if (sweep_chance(s, 2)) /* most of them are bytes */
    for (size_t i = 0; i < count; i++) x[i] = (float)sweep_pick(s, -70000, 70000) * 0.004f * fminf(scale, 1e30f);
  for (size_t i = 0; i < count; i += 3) x[i] = ((float)(i % 40) - 20 + 0.5f) * (scale < 1e-30f ? 1 : scale); /* ties */
  memset(u, 77, sizeof(u));
  memset(i8, 77, sizeof(i8));
  memset(u16, 77, sizeof(u16));
  memset(i16, 77, sizeof(i16));
  const int zero_w = (int)sweep_pick(s, 0, 65535), zero_h = zero_w - 32768;
  k->to[ONRI_STEPS_U8](x, u, count, scale, (float)zero_u);
  k->to[ONRI_STEPS_I8](x, i8, count, scale, (float)zero_i);
  k->to[ONRI_STEPS_U16](x, u16, count, scale, (float)zero_w);
  k->to[ONRI_STEPS_I16](x, i16, count, scale, (float)zero_h);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(u[i], (int)quantized(x[i], scale, zero_u, 0, 255));
    assert_int_equal(i8[i], (int)quantized(x[i], scale, zero_i, -128, 127));
    assert_int_equal(u16[i], (int)quantized(x[i], scale, zero_w, 0, 65535));
    assert_int_equal(i16[i], (int)quantized(x[i], scale, zero_h, -32768, 32767));
  }
  for (size_t i = count; i <= MOST; i++)
    assert_true(u[i] == 77 && i8[i] == 77 && u16[i] == 77 * 257 && i16[i] == 77 * 257);
}

static void check_from(struct sweep *s, const struct onri_quantize_kernels *k, size_t count) {
  uint8_t u[MOST];
  int8_t i8[MOST];
  uint16_t u16[MOST];
  int16_t i16[MOST];
  float y[MOST + 1], z[MOST + 1];
  const float scale = (float)sweep_pick(s, 1, 1000) / 512;
  const int zero_u = (int)sweep_pick(s, 0, 255), zero_i = zero_u - 128;
  for (size_t i = 0; i < count; i++) i8[i] = (int8_t)((u[i] = (uint8_t)sweep_next(s)) - 128);
  for (size_t i = 0; i <= MOST; i++) y[i] = z[i] = 77;
  k->from[ONRI_STEPS_U8](u, y, count, scale, (float)zero_u);
  k->from[ONRI_STEPS_I8](i8, z, count, scale, (float)zero_i);
  for (size_t i = 0; i < count; i++) {
    assert_true((double)y[i] == (double)(u[i] - zero_u) * (double)scale); /* exact: 9 bits by 10 */
    assert_true((double)z[i] == (double)(i8[i] - zero_i) * (double)scale);
  }
  for (size_t i = count; i <= MOST; i++) assert_true(y[i] == 77 && z[i] == 77);
  for (size_t i = 0; i < count; i++) i16[i] = (int16_t)((u16[i] = (uint16_t)sweep_next(s)) - 32768);
  k->from[ONRI_STEPS_U16](u16, y, count, 0.125f, (float)zero_u);
  k->from[ONRI_STEPS_I16](i16, z, count, 0.125f, (float)zero_i);
  for (size_t i = 0; i < count; i++)
    assert_true(y[i] == (float)(u16[i] - zero_u) / 8 && z[i] == (float)(i16[i] - zero_i) / 8);
}

/* A scale and a zero point of each element; ties among them. */
static void check_each(struct sweep *s, const struct onri_quantize_kernels *k, size_t count) {
  float x[MOST], scales[MOST], zeros[MOST], y[MOST + 1], z[MOST + 1];
  for (size_t i = 0; i < count; i++) {
    scales[i] = (float)sweep_pick(s, 0, 1000) / 512;
    zeros[i] = (float)sweep_pick(s, -128, 255);
    x[i] = ((float)sweep_pick(s, -600, 600) / 2) * scales[i];
  }
  for (size_t i = 0; i <= MOST; i++) y[i] = z[i] = 77;
  k->divide(x, y, count, scales, zeros);
  k->multiply(x, z, count, scales, zeros);
  for (size_t i = 0; i < count; i++) {
    const volatile float steps = x[i] - zeros[i];
    assert_true((double)y[i] == quantized(x[i], scales[i], (double)zeros[i], -1e9, 1e9));
    assert_true(z[i] == (float)((double)steps * (double)scales[i]));
  }
  for (size_t i = count; i <= MOST; i++) assert_true(y[i] == 77 && z[i] == 77);
}

static void check_bytes(struct sweep *s, const struct onri_quantize_kernels *k, size_t count) {
  enum { ROWS = 5, PITCH = MOST + 3 };
  static uint8_t x[ROWS * PITCH];
  uint8_t table[256], y[MOST + 1];
  int32_t sums[MOST + 1];
  const size_t rows = (size_t)sweep_pick(s, 0, ROWS);
  const int is_signed = (int)sweep_pick(s, 0, 1);
  for (size_t i = 0; i < sizeof(x); i++) x[i] = (uint8_t)sweep_next(s);
  for (size_t i = 0; i < 256; i++) table[i] = (uint8_t)sweep_next(s);
  y[count] = 77, sums[count] = 77;
  k->table(x, y, count, table);
  k->sums(x, rows, PITCH, count, is_signed, sums);
  for (size_t i = 0; i < count; i++) {
    int32_t sum = 0;
    for (size_t r = 0; r < rows; r++) sum += is_signed ? (int8_t)x[r * PITCH + i] : x[r * PITCH + i];
    assert_int_equal(y[i], table[x[i]]);
    assert_int_equal(sums[i], sum);
  }
  assert_true(y[count] == 77 && sums[count] == 77);
  const size_t lines = (size_t)sweep_pick(s, 0, MOST),
               length = count * (size_t)sweep_pick(s, 1, 3) % (sizeof(x) / (lines + 1));
  sums[lines] = 77;
  k->line_sums(x, lines, length, is_signed, sums);
  for (size_t r = 0; r < lines; r++) {
    int32_t sum = 0;
    for (size_t i = 0; i < length; i++) sum += is_signed ? (int8_t)x[r * length + i] : x[r * length + i];
    assert_int_equal(sums[r], sum);
  }
  assert_int_equal(sums[lines], 77);
}

/* A sum or product as its steps one after the other make it; scales whose sums often lie in the middle of two numbers.
 * Both operands are rows, or one is the same for all rows, or one element for each of them. */
static void check_pair(struct sweep *s, const struct onri_byte_pair_kernels *k, size_t count) {
  enum { ROWS = 3 };
  static const float scales[] = {0.01f, 1, 0.5f, 0.25f, 3e-39f, 1e30f, 0.013f};
  static uint8_t of[2][ROWS * MOST], y[ROWS * MOST + 1];
  struct onri_byte_pair p = {.multiplies = (int)sweep_pick(s, 0, 1), .min = -INFINITY, .max = INFINITY};
  const float scale = scales[sweep_pick(s, 0, 6)];
  for (int i = 0; i < 3; i++) {
    p.is_signed[i] = (int)sweep_pick(s, 0, 1);
    p.zero[i] = (int)sweep_pick(s, 0, 255) - (p.is_signed[i] ? 128 : 0);
    p.scale[i] = sweep_pick(s, 0, 1) ? scale : scale * (float)sweep_pick(s, 1, 40) / 16;
  }
  if (p.multiplies && sweep_pick(s, 0, 1)) p.scale[ONRI_PAIR_Y] *= scale * (float)sweep_pick(s, 1, 300);
  if (sweep_pick(s, 0, 1)) p.min = 0, p.max = scale * (float)sweep_pick(s, 1, 200);
  struct onri_byte_pair_rows rows = {.x = {of[0], of[1]}, .y = y, .rows = ROWS, .count = count};
  for (int i = 0; i < 2; i++) rows.step[i] = (size_t)sweep_pick(s, 0, 1), rows.row[i] = sweep_pick(s, 0, 1) ? count : 0;
  for (size_t i = 0; i < ROWS * count; i++) of[0][i] = (uint8_t)sweep_next(s), of[1][i] = (uint8_t)sweep_next(s);
  memset(y, 77, sizeof(y));
  k->combine(&p, &rows);
  for (size_t i = 0; i < ROWS * count; i++) {
    volatile float x[2];
    for (int j = 0; j < 2; j++) {
      const uint8_t at = of[j][i / count * rows.row[j] + i % count * rows.step[j]];
      const int value = p.is_signed[j] ? (int8_t)at : at;
      x[j] = (float)(value - p.zero[j]) * p.scale[j];
    }
    const volatile float both = p.multiplies ? x[0] * x[1] : x[0] + x[1];
    const int low = p.is_signed[2] ? -128 : 0;
    const float held = both < p.min ? p.min : both > p.max ? p.max : both;
    const int expected = (int)quantized(held, p.scale[2], p.zero[2], low, low + 255);
    assert_int_equal(p.is_signed[2] ? (int8_t)y[i] : y[i], expected);
  }
  for (size_t i = ROWS * count; i <= ROWS * MOST; i++) assert_int_equal(y[i], 77);
}

static void check_range(struct sweep *s, const struct onri_quantize_kernels *k, size_t count, double shift) {
  float x[MOST], low, high;
  double wide[MOST], least = 0, greatest = 0;
  sweep_fill(s, ONR_DTYPE_F32, count, 3, 0, x, wide);
  for (size_t i = 0; i < count; i++) {
    x[i] = sweep_chance(s, 20) ? NAN : (float)(wide[i] + shift); /* both exact */
    if ((double)x[i] < least) least = (double)x[i];
    if ((double)x[i] > greatest) greatest = (double)x[i];
  }
  k->range(x, count, &low, &high);
  assert_true((double)low == least && (double)high == greatest);
}

static void test_every_level(void **state) {
  struct sweep s = sweep_from(21);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (size_t count = 0; count <= MOST; count++) {
      const struct onri_quantize_kernels *k = onri_kernels_at(quantize, level);
      check_to(&s, k, count);
      check_each(&s, k, count);
      check_from(&s, k, count);
      check_bytes(&s, k, count);
      for (int i = 0; i < 8; i++) check_pair(&s, onri_kernels_at(byte_pair, level), count);
      for (int shift = -4; shift <= 4; shift += 4) check_range(&s, k, count, shift);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
