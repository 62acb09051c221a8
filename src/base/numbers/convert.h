/* convert.h: the one place that knows how an element type turns into numbers and back.
 *
 * Kernels that serve many types compute in one of four classes: F32 (float32 and everything narrower that is a float),
 * F64, I64 (signed integers and bool), U64 (unsigned integers). They load a block of elements into the class, compute,
 * and store it: float stores round to nearest even, integer stores wrap, bool stores keep "is it zero". */
#ifndef ONRI_CONVERT_H
#define ONRI_CONVERT_H

#include <stddef.h>
#include <stdint.h>

#include "onnxrun/tensor.h"

enum onri_class { ONRI_CLASS_NONE, ONRI_CLASS_F32, ONRI_CLASS_F64, ONRI_CLASS_I64, ONRI_CLASS_U64 };

enum onri_class onri_dtype_class(enum onr_dtype dtype); /* NONE for STRING, complex, NONE */
size_t onri_class_size(enum onri_class c);              /* 4 or 8; 0 for NONE */
/* Bits that count in one element: 4 for UINT4, 1 for BOOL; 0 for STRING, complex, NONE. */
uint32_t onri_dtype_bits(enum onr_dtype dtype);
/* Bits of one element where elements are packed, as in files: 4 for UINT4, 8 for BOOL, 64 for COMPLEX64; 0 for STRING,
 * NONE. */
uint32_t onri_dtype_packed_bits(enum onr_dtype dtype);

/* A complex number is two parts of a float type; any other type has itself as its only part. */
enum onr_dtype onri_dtype_part(enum onr_dtype dtype);
static inline size_t onri_dtype_parts(enum onr_dtype dtype) { return onri_dtype_part(dtype) == dtype ? 1 : 2; }

/* count elements of dtype at `source` into an array of the dtype's class, and back. Source and target may be unaligned.
 * Does nothing for a dtype of class NONE. Stores to floats of 8 bits and fewer saturate (the default of Cast). */
void onri_load(enum onr_dtype dtype, const void *source, size_t count, void *target);
void onri_store(enum onr_dtype dtype, const void *source, size_t count, void *target);

/* The same as doubles, whatever the class: for layers whose time does not matter. Integers are cut, not rounded. */
void onri_load_f64(enum onr_dtype dtype, const void *source, size_t count, double *target);
void onri_store_f64(enum onr_dtype dtype, const double *source, size_t count, void *target);

float onri_f16_to_f32(uint16_t bits);
uint16_t onri_f16_from_f32(float value); /* nearest even; overflow to infinity; NaN keeps sign and upper payload */
float onri_bf16_to_f32(uint16_t bits);
uint16_t onri_bf16_from_f32(float value);

/* The floats of 8, 6 and 4 bits: F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ, F6E2M3, F6E3M2, F4E2M1; nearest even. Beyond
 * the largest finite value: that value when saturate is set, else infinity or NaN (those of 6 and 4 bits have neither:
 * they always saturate, and NaN becomes a zero). */
struct onri_small_format {
  uint8_t mantissa_bits;
  uint8_t sign_bit; /* the bit itself */
  int8_t bias;
  uint8_t max_code;      /* magnitude bits of the largest finite value */
  uint8_t over_code;     /* what lies beyond it when not saturating: infinity or NaN (whole code when unsigned_zero) */
  uint8_t nan_code;      /* magnitude bits of the NaN we write; 0 when there is none */
  uint8_t infinity;      /* magnitude bits of infinity; 0 when there is none */
  uint8_t unsigned_zero; /* "UZ": the code of -0 is the only NaN */
};
const struct onri_small_format *onri_small_format(enum onr_dtype dtype); /* NULL: none of these */
float onri_small_to_f32(enum onr_dtype dtype, uint8_t bits);
uint8_t onri_small_from_f32(enum onr_dtype dtype, float value, int saturate);

/* F8E8M0, a power of two: 0xFF is NaN. Negative values are taken by magnitude (ONNX leaves them undefined). */
enum onri_rounding { ONRI_ROUND_UP, ONRI_ROUND_DOWN, ONRI_ROUND_NEAREST };
float onri_e8m0_to_f32(uint8_t bits);
uint8_t onri_e8m0_from_f32(float value, int saturate, enum onri_rounding rounding);

#endif
