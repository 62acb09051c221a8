/* tensor.h: element types, and dense row-major tensors that point to somebody's memory. */
#ifndef ONNXRUN_TENSOR_H
#define ONNXRUN_TENSOR_H

#include <stdint.h>

#include "onnxrun/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ONR_MAX_RANK 8

/* name, number (that of ONNX TensorProto.DataType), text, bytes of one element in memory.
 * 2-, 4- and 6-bit types hold one element a byte in memory (sign-extended for INT4 and INT2); files pack them.
 * Float types of fewer than 32 bits hold their bit pattern. BOOL holds 0 or 1. MAP, SEQUENCE and
 * OPTIONAL are blocks of bytes that hold tensors (sequence.h); their numbers are ours, ONNX has none. */
#define ONR_DTYPE_LIST(X)                           \
  X(F32, 1, "float32", 4)                           \
  X(U8, 2, "uint8", 1)                              \
  X(I8, 3, "int8", 1)                               \
  X(U16, 4, "uint16", 2)                            \
  X(I16, 5, "int16", 2)                             \
  X(I32, 6, "int32", 4)                             \
  X(I64, 7, "int64", 8)                             \
  X(STRING, 8, "string", sizeof(struct onr_string)) \
  X(BOOL, 9, "bool", 1)                             \
  X(F16, 10, "float16", 2)                          \
  X(F64, 11, "float64", 8)                          \
  X(U32, 12, "uint32", 4)                           \
  X(U64, 13, "uint64", 8)                           \
  X(C64, 14, "complex64", 8)                        \
  X(C128, 15, "complex128", 16)                     \
  X(BF16, 16, "bfloat16", 2)                        \
  X(F8E4M3FN, 17, "float8e4m3fn", 1)                \
  X(F8E4M3FNUZ, 18, "float8e4m3fnuz", 1)            \
  X(F8E5M2, 19, "float8e5m2", 1)                    \
  X(F8E5M2FNUZ, 20, "float8e5m2fnuz", 1)            \
  X(U4, 21, "uint4", 1)                             \
  X(I4, 22, "int4", 1)                              \
  X(F4E2M1, 23, "float4e2m1", 1)                    \
  X(F8E8M0, 24, "float8e8m0", 1)                    \
  X(U2, 25, "uint2", 1)                             \
  X(I2, 26, "int2", 1)                              \
  X(F6E2M3, 27, "float6e2m3", 1)                    \
  X(F6E3M2, 28, "float6e3m2", 1)                    \
  X(MAP, 29, "map", 1)                              \
  X(SEQUENCE, 30, "sequence", 1)                    \
  X(OPTIONAL, 31, "optional", 1)

enum onr_dtype {
  ONR_DTYPE_NONE = 0, /* an omitted optional input, or "not known" */
#define ONR_X(name, value, text, size) ONR_DTYPE_##name = value,
  ONR_DTYPE_LIST(ONR_X)
#undef ONR_X
      ONR_NUM_DTYPES,
  ONR_DTYPE_LAST_IN_FILES = ONR_DTYPE_F6E3M2 /* the largest number that ONNX knows */
};

/* One element of a STRING tensor: UTF-8, not NUL-terminated; may hold NUL. */
struct onr_string {
  const char *text;
  size_t length;
};

/* Type and shape. dim[0] is the outermost dimension; every dim >= 0; entries from rank on are 0. */
struct onr_desc {
  enum onr_dtype dtype;
  int32_t rank; /* 0..ONR_MAX_RANK; 0 is a scalar of one element */
  int64_t dim[ONR_MAX_RANK];
};

/* A dense row-major tensor. Does not own data. data may be NULL when the tensor has no elements. */
struct onr_tensor {
  struct onr_desc desc;
  void *data;
};

ONR_API const char *onr_dtype_name(enum onr_dtype dtype); /* "float32"; "?" for no dtype */
ONR_API size_t onr_dtype_size(enum onr_dtype dtype);      /* bytes in memory; 0 for no dtype */

/* float16 (IEEE binary16) and bfloat16, as bit patterns, from and to float32: `count` elements, in memory that does not
 * overlap. To the nearest, ties to even; beyond the largest number infinity; NaN stays NaN. */
ONR_API void onr_f16_to_f32(const uint16_t *source, float *target, size_t count);
ONR_API void onr_f16_from_f32(const float *source, uint16_t *target, size_t count);
ONR_API void onr_bf16_to_f32(const uint16_t *source, float *target, size_t count);
ONR_API void onr_bf16_from_f32(const float *source, uint16_t *target, size_t count);
/* The same of floats of 8 bits or less (float8..., float6..., float4e2m1), a bit pattern a byte. Beyond the largest
 * number infinity, where the type has none NaN, else the largest; float8e8m0 has no sign. 0, and nothing is done: dtype
 * is none of them. */
ONR_API int onr_small_to_f32(enum onr_dtype dtype, const uint8_t *source, float *target, size_t count);
ONR_API int onr_small_from_f32(enum onr_dtype dtype, const float *source, uint8_t *target, size_t count);

/* A descriptor from its parts. rank must be 0..ONR_MAX_RANK; dims may be NULL for rank 0. */
ONR_API struct onr_desc onr_desc_make(enum onr_dtype dtype, int32_t rank, const int64_t *dims);
/* Number of elements; 0 or more. Saturates at INT64_MAX when the product overflows. */
ONR_API int64_t onr_desc_elements(const struct onr_desc *desc);
/* Bytes in memory. Saturates at SIZE_MAX. */
ONR_API size_t onr_desc_bytes(const struct onr_desc *desc);
ONR_API int onr_desc_equal(const struct onr_desc *a, const struct onr_desc *b);
/* "float32[1,3,?]" into text, "sequence" for what holds tensors; always NUL-terminated, cut at size. Returns text. */
ONR_API char *onr_desc_format(const struct onr_desc *desc, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
