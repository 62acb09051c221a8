/* One row a type: its class, the bits that count, how it is stored, how to read and write one element. */
#include "base/numbers/convert.h"

#include <string.h>

#include "base/only.h"

static inline uint32_t bits_of_float(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static inline float float_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

/* The half conversions have no branches, so that the block loops below become vector code. */
static inline float f16_to_f32(uint16_t h) {
  const uint32_t magnitude = (uint32_t)(h & 0x7FFFu) << 13;
  const uint32_t rebias =
      magnitude >= 0x0F800000u ? 224u << 23 : 112u << 23; /* infinity and NaN: to the top exponent */
  const uint32_t normal = magnitude + rebias;
  /* A subnormal is mantissa * 2^-24: give it the exponent of 2^-14, then take that implicit bit away. */
  const uint32_t subnormal = bits_of_float(float_of_bits(magnitude + (113u << 23)) - float_of_bits(113u << 23));
  const uint32_t result = magnitude < 0x00800000u ? subnormal : normal;
  return float_of_bits(result | (uint32_t)(h & 0x8000u) << 16);
}

static inline uint16_t f16_from_f32(float value) {
  const uint32_t bits = bits_of_float(value);
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  const uint32_t rounded = (magnitude - (112u << 23) + 0xFFFu + (magnitude >> 13 & 1u)) >> 13;
  const uint32_t finite = rounded > 0x7C00u ? 0x7C00u : rounded;
  /* Adding 0.5, whose last bit is worth 2^-24, makes the adder round a subnormal. */
  const uint32_t subnormal = bits_of_float(float_of_bits(magnitude) + 0.5f) - bits_of_float(0.5f);
  const uint32_t nan = 0x7E00u | (magnitude >> 13 & 0x1FFu);
  uint32_t result = magnitude < 113u << 23 ? subnormal : finite;
  result = magnitude > 0x7F800000u ? nan : result;
  return (uint16_t)(result | (bits >> 16 & 0x8000u));
}

static inline float bf16_to_f32(uint16_t b) { return float_of_bits((uint32_t)b << 16); }

static inline uint16_t bf16_from_f32(float value) {
  const uint32_t bits = bits_of_float(value);
  const uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
  return (uint16_t)((bits & 0x7FFFFFFFu) > 0x7F800000u ? (bits >> 16 | 0x40u) : rounded);
}

float onri_f16_to_f32(uint16_t bits) { return f16_to_f32(bits); }
uint16_t onri_f16_from_f32(float value) { return f16_from_f32(value); }
float onri_bf16_to_f32(uint16_t bits) { return bf16_to_f32(bits); }
uint16_t onri_bf16_from_f32(float value) { return bf16_from_f32(value); }

#define CLASS_TYPE_F32 float
#define CLASS_TYPE_F64 double
#define CLASS_TYPE_I64 int64_t
#define CLASS_TYPE_U64 uint64_t

/* X(dtype, class, storage, bits, element -> class value, class value -> element) */
#define EACH_DTYPE(X)                                                                                             \
  X(F32, F32, float, 32, x, x)                                                                                    \
  X(F64, F64, double, 64, x, x)                                                                                   \
  X(F16, F32, uint16_t, 16, f16_to_f32(x), f16_from_f32(x))                                                       \
  X(BF16, F32, uint16_t, 16, bf16_to_f32(x), bf16_from_f32(x))                                                    \
  X(F8E4M3FN, F32, uint8_t, 8, onri_small_to_f32(ONR_DTYPE_F8E4M3FN, x),                                          \
    onri_small_from_f32(ONR_DTYPE_F8E4M3FN, x, 1))                                                                \
  X(F8E4M3FNUZ, F32, uint8_t, 8, onri_small_to_f32(ONR_DTYPE_F8E4M3FNUZ, x),                                      \
    onri_small_from_f32(ONR_DTYPE_F8E4M3FNUZ, x, 1))                                                              \
  X(F8E5M2, F32, uint8_t, 8, onri_small_to_f32(ONR_DTYPE_F8E5M2, x), onri_small_from_f32(ONR_DTYPE_F8E5M2, x, 1)) \
  X(F8E5M2FNUZ, F32, uint8_t, 8, onri_small_to_f32(ONR_DTYPE_F8E5M2FNUZ, x),                                      \
    onri_small_from_f32(ONR_DTYPE_F8E5M2FNUZ, x, 1))                                                              \
  X(F6E2M3, F32, uint8_t, 6, onri_small_to_f32(ONR_DTYPE_F6E2M3, x), onri_small_from_f32(ONR_DTYPE_F6E2M3, x, 1)) \
  X(F6E3M2, F32, uint8_t, 6, onri_small_to_f32(ONR_DTYPE_F6E3M2, x), onri_small_from_f32(ONR_DTYPE_F6E3M2, x, 1)) \
  X(F4E2M1, F32, uint8_t, 4, onri_small_to_f32(ONR_DTYPE_F4E2M1, x), onri_small_from_f32(ONR_DTYPE_F4E2M1, x, 1)) \
  X(F8E8M0, F32, uint8_t, 8, onri_e8m0_to_f32(x), onri_e8m0_from_f32(x, 1, ONRI_ROUND_UP))                        \
  X(BOOL, I64, uint8_t, 1, x != 0, x != 0)                                                                        \
  X(I8, I64, int8_t, 8, x, (int8_t)x)                                                                             \
  X(I16, I64, int16_t, 16, x, (int16_t)x)                                                                         \
  X(I32, I64, int32_t, 32, x, (int32_t)x)                                                                         \
  X(I64, I64, int64_t, 64, x, x)                                                                                  \
  X(I4, I64, int8_t, 4, ((x & 15) ^ 8) - 8, (int8_t)(((x & 15) ^ 8) - 8))                                         \
  X(I2, I64, int8_t, 2, ((x & 3) ^ 2) - 2, (int8_t)(((x & 3) ^ 2) - 2))                                           \
  X(U8, U64, uint8_t, 8, x, (uint8_t)x)                                                                           \
  X(U16, U64, uint16_t, 16, x, (uint16_t)x)                                                                       \
  X(U32, U64, uint32_t, 32, x, (uint32_t)x)                                                                       \
  X(U64, U64, uint64_t, 64, x, x)                                                                                 \
  X(U4, U64, uint8_t, 4, x & 15u, (uint8_t)(x & 15u))                                                             \
  X(U2, U64, uint8_t, 2, x & 3u, (uint8_t)(x & 3u))

/* Elements go through memcpy because neither side need be aligned. */
#define DEFINE_DTYPE(dtype, class, storage, bits, read, write)                \
  static void load_##dtype(const void *source, size_t count, void *target) {  \
    for (size_t i = 0; i < count; i++) {                                      \
      storage x;                                                              \
      memcpy(&x, (const char *)source + i * sizeof(x), sizeof(x));            \
      const CLASS_TYPE_##class y = (CLASS_TYPE_##class)(read);                \
      memcpy((char *)target + i * sizeof(y), &y, sizeof(y));                  \
    }                                                                         \
  }                                                                           \
  static void store_##dtype(const void *source, size_t count, void *target) { \
    for (size_t i = 0; i < count; i++) {                                      \
      CLASS_TYPE_##class x;                                                   \
      memcpy(&x, (const char *)source + i * sizeof(x), sizeof(x));            \
      const storage y = (storage)(write);                                     \
      memcpy((char *)target + i * sizeof(y), &y, sizeof(y));                  \
    }                                                                         \
  }
EACH_DTYPE(DEFINE_DTYPE)

struct conversion {
  enum onri_class class;
  uint32_t bits;
  void (*load)(const void *source, size_t count, void *target);
  void (*store)(const void *source, size_t count, void *target);
};

static const struct conversion conversions[ONR_NUM_DTYPES] = {
#define ROW(dtype, class, storage, bits, read, write) \
  ONRI_IF(ONRI_HAS_TYPE_##dtype, [ONR_DTYPE_##dtype] = {ONRI_CLASS_##class, bits, load_##dtype, store_##dtype}, )
    EACH_DTYPE(ROW)
#undef ROW
};

static const struct conversion *conversion_of(enum onr_dtype dtype) {
  return &conversions[(unsigned)dtype < ONR_NUM_DTYPES ? dtype : ONR_DTYPE_NONE];
}

enum onri_class onri_dtype_class(enum onr_dtype dtype) { return conversion_of(dtype)->class; }

uint32_t onri_dtype_bits(enum onr_dtype dtype) { return conversion_of(dtype)->bits; }

uint32_t onri_dtype_packed_bits(enum onr_dtype dtype) {
  const uint32_t bits = onri_dtype_bits(dtype);
  if (dtype == ONR_DTYPE_STRING) return 0;
  return bits > 1 && bits < 8 ? bits : (uint32_t)onr_dtype_size(dtype) * 8;
}

enum onr_dtype onri_dtype_part(enum onr_dtype dtype) {
  return dtype == ONR_DTYPE_C64 ? ONR_DTYPE_F32 : dtype == ONR_DTYPE_C128 ? ONR_DTYPE_F64 : dtype;
}

size_t onri_class_size(enum onri_class c) {
  switch (c) {
    case ONRI_CLASS_F32: return sizeof(float);
    case ONRI_CLASS_F64: return sizeof(double);
    case ONRI_CLASS_I64: return sizeof(int64_t);
    case ONRI_CLASS_U64: return sizeof(uint64_t);
    case ONRI_CLASS_NONE: break;
  }
  return 0;
}

void onri_load(enum onr_dtype dtype, const void *source, size_t count, void *target) {
  const struct conversion *conversion = conversion_of(dtype);
  if (conversion->load) conversion->load(source, count, target);
}

void onri_store(enum onr_dtype dtype, const void *source, size_t count, void *target) {
  const struct conversion *conversion = conversion_of(dtype);
  if (conversion->store) conversion->store(source, count, target);
}

/* --- for callers --- */

void onr_f16_to_f32(const uint16_t *source, float *target, size_t count) {
  if (source && target) load_F16(source, count, target);
}

void onr_f16_from_f32(const float *source, uint16_t *target, size_t count) {
  if (source && target) store_F16(source, count, target);
}

void onr_bf16_to_f32(const uint16_t *source, float *target, size_t count) {
  if (source && target) load_BF16(source, count, target);
}

void onr_bf16_from_f32(const float *source, uint16_t *target, size_t count) {
  if (source && target) store_BF16(source, count, target);
}

static int is_small_float(enum onr_dtype dtype) {
  return onr_dtype_size(dtype) == 1 && onri_dtype_class(dtype) == ONRI_CLASS_F32;
}

int onr_small_to_f32(enum onr_dtype dtype, const uint8_t *source, float *target, size_t count) {
  if (!is_small_float(dtype)) return 0;
  if (source && target) onri_load(dtype, source, count, target);
  return 1;
}

/* What the types have no number for is told, not held to the largest as layers do. */
int onr_small_from_f32(enum onr_dtype dtype, const float *source, uint8_t *target, size_t count) {
  if (!is_small_float(dtype)) return 0;
  for (size_t i = 0; source && target && i < count; i++)
    target[i] = dtype == ONR_DTYPE_F8E8M0 ? onri_e8m0_from_f32(source[i], 0, ONRI_ROUND_NEAREST)
                                          : onri_small_from_f32(dtype, source[i], 0);
  return 1;
}
