/* quantize_body.h: the loops, included once for each instruction set with ONRI_LEVEL_TABLE defined. */
#include "kernels/quantize/quantize.h"

#define LANES 32

#define TO(name, type, low, high)                                                                                 \
  static void to_##name(const float *restrict x, type *restrict y, size_t count, float scale, float zero_point) { \
    for (size_t i = 0; i < count; i++) {                                                                          \
      const float quotient = x[i] / scale;                                                                        \
      float v = __builtin_rintf(quotient == quotient ? quotient : 0.0f) + zero_point;                             \
      v = v < low ? low : v;                                                                                      \
      v = v > high ? high : v;                                                                                    \
      y[i] = (type)(int32_t)v;                                                                                    \
    }                                                                                                             \
  }
TO(u8, uint8_t, 0.0f, 255.0f)
TO(i8, int8_t, -128.0f, 127.0f)

#define FROM(name, type)                                                                                            \
  static void from_##name(const type *restrict x, float *restrict y, size_t count, float scale, float zero_point) { \
    for (size_t i = 0; i < count; i++) y[i] = ((float)x[i] - zero_point) * scale;                                   \
  }
FROM(u8, uint8_t)
FROM(i8, int8_t)

static void range(const float *x, size_t count, float *least, float *greatest) {
  float low[LANES] = {0}, high[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= count; i += LANES)
    for (size_t k = 0; k < LANES; k++) {
      low[k] = x[i + k] < low[k] ? x[i + k] : low[k];
      high[k] = x[i + k] > high[k] ? x[i + k] : high[k];
    }
  for (size_t k = 0; i < count; i++, k++) {
    low[k] = x[i] < low[k] ? x[i] : low[k];
    high[k] = x[i] > high[k] ? x[i] : high[k];
  }
  *least = low[0];
  *greatest = high[0];
  for (size_t k = 1; k < LANES; k++) {
    *least = low[k] < *least ? low[k] : *least;
    *greatest = high[k] > *greatest ? high[k] : *greatest;
  }
}

const struct onri_quantize_kernels ONRI_LEVEL_TABLE = {to_u8, to_i8, from_u8, from_i8, range};
