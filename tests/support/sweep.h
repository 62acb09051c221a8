/* sweep.h: what tests of thousands of random geometries share: numbers from a fixed seed, values that may be special,
 * and comparison with a reference in double.
 *
 *   struct sweep s = sweep_from(7);
 *   for (int i = 0; i < sweep_cases(2000); i++) { const int64_t k = sweep_pick(&s, 1, 5); ... }
 *
 * ONNXRUN_SWEEP in the environment multiplies the number of cases: for the far larger run of a person. */
#ifndef SWEEP_H
#define SWEEP_H

#include <math.h>
#include <stdlib.h>

#include "support/layer_test.h"

#include "base/numbers/convert.h"

struct sweep {
  uint64_t state;
};

static inline struct sweep sweep_from(uint64_t seed) { return (struct sweep){seed * 0x9E3779B97F4A7C15u + 1}; }

static inline uint32_t sweep_next(struct sweep *s) {
  s->state = s->state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(s->state >> 33);
}

/* Uniform in [low, high]. */
static inline int64_t sweep_pick(struct sweep *s, int64_t low, int64_t high) {
  return low + (int64_t)(sweep_next(s) % (uint64_t)(high - low + 1));
}

/* True in one of `in` cases. */
static inline int sweep_chance(struct sweep *s, uint32_t in) { return sweep_next(s) % in == 0; }

static inline int sweep_cases(int count) {
  const char *factor = getenv("ONNXRUN_SWEEP");
  return count * (factor && atoi(factor) > 0 ? atoi(factor) : 1);
}

/* Values in [-range, range] that the type holds exactly, in x as the type stores them and in wide; `special` of 1,000
 * are NaN or infinite. */
static inline void sweep_fill(struct sweep *s, enum onr_dtype dtype, size_t count, double range, uint32_t special,
                              void *x, double *wide) {
  for (size_t i = 0; i < count; i++) {
    const uint32_t kind = sweep_next(s);
    wide[i] = dtype == ONR_DTYPE_U8   ? (double)(kind % 256)
              : dtype == ONR_DTYPE_I8 ? (double)(kind % 256) - 128
                                      : range * ((double)(kind % 65537) / 32768.0 - 1);
    if (kind / 65537 % 1000 < special)
      wide[i] = kind % 3 == 0 ? (double)INFINITY : kind % 3 == 1 ? -(double)INFINITY : (double)NAN;
  }
  unsigned char *to = x;
  for (size_t i = 0; i < count; i++) {
    if (dtype == ONR_DTYPE_U8) to[i] = (unsigned char)wide[i];
    else if (dtype == ONR_DTYPE_I8) ((int8_t *)x)[i] = (int8_t)wide[i];
    else onri_store_f64(dtype, wide + i, 1, to + i * onr_dtype_size(dtype));
    if (dtype != ONR_DTYPE_U8 && dtype != ONR_DTYPE_I8)
      onri_load_f64(dtype, to + i * onr_dtype_size(dtype), 1, wide + i);
  }
}

/* What a type adds to the relative error of a result. */
static inline double sweep_rounding(enum onr_dtype dtype) {
  return dtype == ONR_DTYPE_F16 ? 1.0 / 1024 : dtype == ONR_DTYPE_BF16 ? 1.0 / 128 : dtype == ONR_DTYPE_F32 ? 1e-7 : 0;
}

/* Index of the first element that differs from the reference by more than absolute + relative * |reference|, or -1. NaN
 * equals NaN; infinities agree. */
static inline int64_t sweep_difference(enum onr_dtype dtype, const void *found, const double *expected, size_t count,
                                       double relative, double absolute, double *value) {
  for (size_t i = 0; i < count; i++) {
    const unsigned char *from = (const unsigned char *)found + i * onr_dtype_size(dtype);
    if (dtype == ONR_DTYPE_U8) *value = *from;
    else if (dtype == ONR_DTYPE_I8) *value = *(const int8_t *)from;
    else onri_load_f64(dtype, from, 1, value);
    if (isnan(*value) && isnan(expected[i])) continue;
    if (isinf(*value) || isinf(expected[i]) ? *value != expected[i]
                                            : !(fabs(*value - expected[i]) <= absolute + relative * fabs(expected[i])))
      return (int64_t)i;
  }
  return -1;
}

#endif
