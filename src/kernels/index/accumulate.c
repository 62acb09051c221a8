/* accumulate.c: see accumulate.h. */
#include "kernels/index/accumulate.h"

#include <string.h>

#include "kernels/convert/convert.h"

#define BLOCK 64

#define COMBINE_FLOAT(T)                                             \
  for (size_t i = 0; i < count; i++) {                               \
    const T a = y[i], b = x[i];                                      \
    switch (op) {                                                    \
      case ONR_REDUCTION_ADD: y[i] = a + b; break;                   \
      case ONR_REDUCTION_MUL: y[i] = a * b; break;                   \
      case ONR_REDUCTION_MIN: y[i] = b < a || b != b ? b : a; break; \
      case ONR_REDUCTION_MAX: y[i] = b > a || b != b ? b : a; break; \
      case ONR_REDUCTION_NONE: y[i] = b; break;                      \
    }                                                                \
  }

static void combine_f32(enum onr_reduction op, float *y, const float *x, size_t count) { COMBINE_FLOAT(float) }
static void combine_f64(enum onr_reduction op, double *y, const double *x, size_t count) { COMBINE_FLOAT(double) }

/* Sums and products wrap, so they are taken unsigned. */
static void combine_i64(enum onr_reduction op, int64_t *y, const int64_t *x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const int64_t a = y[i], b = x[i];
    switch (op) {
      case ONR_REDUCTION_ADD: y[i] = (int64_t)((uint64_t)a + (uint64_t)b); break;
      case ONR_REDUCTION_MUL: y[i] = (int64_t)((uint64_t)a * (uint64_t)b); break;
      case ONR_REDUCTION_MIN: y[i] = b < a ? b : a; break;
      case ONR_REDUCTION_MAX: y[i] = b > a ? b : a; break;
      case ONR_REDUCTION_NONE: y[i] = b; break;
    }
  }
}

static void combine_u64(enum onr_reduction op, uint64_t *y, const uint64_t *x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const uint64_t a = y[i], b = x[i];
    switch (op) {
      case ONR_REDUCTION_ADD: y[i] = a + b; break;
      case ONR_REDUCTION_MUL: y[i] = a * b; break;
      case ONR_REDUCTION_MIN: y[i] = b < a ? b : a; break;
      case ONR_REDUCTION_MAX: y[i] = b > a ? b : a; break;
      case ONR_REDUCTION_NONE: y[i] = b; break;
    }
  }
}

static void combine_bool(enum onr_reduction op, uint8_t *y, const uint8_t *x, size_t count) {
  const int either = op == ONR_REDUCTION_ADD || op == ONR_REDUCTION_MAX;
  for (size_t i = 0; i < count; i++)
    y[i] = op == ONR_REDUCTION_NONE ? x[i] : either ? (uint8_t)(y[i] | x[i]) : (uint8_t)(y[i] & x[i]);
}

void onri_accumulate(enum onr_dtype dtype, enum onr_reduction op, void *y, const void *x, size_t count) {
  union {
    float f32[BLOCK];
    double f64[BLOCK];
    int64_t i64[BLOCK];
    uint64_t u64[BLOCK];
  } a, b;
  if (dtype == ONR_DTYPE_F32) {
    combine_f32(op, y, x, count);
    return;
  }
  if (dtype == ONR_DTYPE_BOOL) {
    combine_bool(op, y, x, count);
    return;
  }
  const size_t size = onr_dtype_size(dtype);
  for (size_t i = 0; i < count; i += BLOCK) {
    const size_t n = count - i < BLOCK ? count - i : BLOCK;
    char *target = (char *)y + i * size;
    onri_widen(dtype, target, n, &a);
    onri_widen(dtype, (const char *)x + i * size, n, &b);
    switch (onri_dtype_class(dtype)) {
      case ONRI_CLASS_F32: combine_f32(op, a.f32, b.f32, n); break;
      case ONRI_CLASS_F64: combine_f64(op, a.f64, b.f64, n); break;
      case ONRI_CLASS_I64: combine_i64(op, a.i64, b.i64, n); break;
      case ONRI_CLASS_U64: combine_u64(op, a.u64, b.u64, n); break;
      case ONRI_CLASS_NONE: return;
    }
    onri_narrow(dtype, &a, n, target);
  }
}

#define PUT(bytes) \
  for (size_t i = 0; i < count; i++) memcpy(y + (size_t)at[i] * (bytes), x + i * (bytes), (bytes));

static void put_at(size_t size, char *y, const int64_t *at, const char *x, size_t count) {
  switch (size) {
    case 1: PUT(1) break;
    case 2: PUT(2) break;
    case 4: PUT(4) break;
    case 8: PUT(8) break;
    default: PUT(size) break;
  }
}

/* No branches: the processor could not foresee them. */
#define EACH(type, value)              \
  for (size_t i = 0; i < count; i++) { \
    const type a = y[at[i]], b = x[i]; \
    y[at[i]] = (type)(value);          \
  }                                    \
  break;
/* wide: the type that sums and products are taken in. */
#define COMBINE_AT(name, type, wide)                                                                                \
  static void combine_##name##_at(enum onr_reduction op, type *y, const int64_t *at, const type *x, size_t count) { \
    switch (op) {                                                                                                   \
      case ONR_REDUCTION_ADD: EACH(type, (wide)a + (wide)b)                                                         \
      case ONR_REDUCTION_MUL: EACH(type, (wide)a *(wide)b)                                                          \
      case ONR_REDUCTION_MIN: EACH(type, ((b < a) | (b != b)) ? b : a)                                              \
      case ONR_REDUCTION_MAX: EACH(type, ((b > a) | (b != b)) ? b : a)                                              \
      case ONR_REDUCTION_NONE: break;                                                                               \
    }                                                                                                               \
  }
COMBINE_AT(f32, float, float)
COMBINE_AT(f64, double, double)
COMBINE_AT(i32, int32_t, uint32_t)
COMBINE_AT(i64, int64_t, uint64_t)

void onri_accumulate_at(enum onr_dtype dtype, enum onr_reduction op, void *y, const int64_t *at, const void *x,
                        size_t count) {
  const size_t size = onr_dtype_size(dtype);
  if (op == ONR_REDUCTION_NONE) {
    put_at(size, y, at, x, count);
    return;
  }
  switch (dtype) {
    case ONR_DTYPE_F32: combine_f32_at(op, y, at, x, count); return;
    case ONR_DTYPE_F64: combine_f64_at(op, y, at, x, count); return;
    case ONR_DTYPE_I32: combine_i32_at(op, y, at, x, count); return;
    case ONR_DTYPE_I64: combine_i64_at(op, y, at, x, count); return;
    default: break;
  }
  for (size_t i = 0; i < count; i++)
    onri_accumulate(dtype, op, (char *)y + (size_t)at[i] * size, (const char *)x + i * size, 1);
}
