/* types.h: what the tables of layers say: sets of data types, the rule of each input, layouts, kinds of control. */
#ifndef ONRI_TYPES_H
#define ONRI_TYPES_H

#include <stddef.h>

#include "base/only.h"
#include "onnxrun/layer.h"

#define ONRI_DTYPE_BIT(d) (1u << (d))
static inline int onri_dtype_in(uint32_t types, enum onr_dtype dtype) { return (int)(types >> dtype & 1); }
#define ONRI_DTYPES_FLOAT                                                                          \
  (ONRI_DTYPE_BIT(ONR_DTYPE_F32) | ONRI_DTYPE_BIT(ONR_DTYPE_F64) | ONRI_DTYPE_BIT(ONR_DTYPE_F16) | \
   ONRI_DTYPE_BIT(ONR_DTYPE_BF16))
#define ONRI_DTYPES_FLOAT8                                                                                        \
  (ONRI_DTYPE_BIT(ONR_DTYPE_F8E4M3FN) | ONRI_DTYPE_BIT(ONR_DTYPE_F8E4M3FNUZ) | ONRI_DTYPE_BIT(ONR_DTYPE_F8E5M2) | \
   ONRI_DTYPE_BIT(ONR_DTYPE_F8E5M2FNUZ))
#define ONRI_DTYPES_F32_AND_HALF \
  (ONRI_DTYPE_BIT(ONR_DTYPE_F32) | ONRI_DTYPE_BIT(ONR_DTYPE_F16) | ONRI_DTYPE_BIT(ONR_DTYPE_BF16))
#define ONRI_DTYPES_SIGNED                                                                        \
  (ONRI_DTYPE_BIT(ONR_DTYPE_I8) | ONRI_DTYPE_BIT(ONR_DTYPE_I16) | ONRI_DTYPE_BIT(ONR_DTYPE_I32) | \
   ONRI_DTYPE_BIT(ONR_DTYPE_I64))
#define ONRI_DTYPES_UNSIGNED                                                                      \
  (ONRI_DTYPE_BIT(ONR_DTYPE_U8) | ONRI_DTYPE_BIT(ONR_DTYPE_U16) | ONRI_DTYPE_BIT(ONR_DTYPE_U32) | \
   ONRI_DTYPE_BIT(ONR_DTYPE_U64))
#define ONRI_DTYPES_NUMBER (ONRI_DTYPES_FLOAT | ONRI_DTYPES_SIGNED | ONRI_DTYPES_UNSIGNED)
/* Floats of 8, 6 and 4 bits, and what numbers are quantised to. */
#define ONRI_DTYPES_SMALL_FLOAT                                                               \
  (ONRI_DTYPES_FLOAT8 | ONRI_DTYPE_BIT(ONR_DTYPE_F6E2M3) | ONRI_DTYPE_BIT(ONR_DTYPE_F6E3M2) | \
   ONRI_DTYPE_BIT(ONR_DTYPE_F4E2M1))
#define ONRI_DTYPES_QUANTIZED                                                                                   \
  (ONRI_DTYPES_SMALL_FLOAT | ONRI_DTYPES_8BIT | ONRI_DTYPE_BIT(ONR_DTYPE_U16) | ONRI_DTYPE_BIT(ONR_DTYPE_I16) | \
   ONRI_DTYPE_BIT(ONR_DTYPE_U4) | ONRI_DTYPE_BIT(ONR_DTYPE_I4) | ONRI_DTYPE_BIT(ONR_DTYPE_U2) |                 \
   ONRI_DTYPE_BIT(ONR_DTYPE_I2))
/* What indices, axes, shapes and pads come in. */
#define ONRI_DTYPES_INDEX (ONRI_DTYPE_BIT(ONR_DTYPE_I32) | ONRI_DTYPE_BIT(ONR_DTYPE_I64))
#define ONRI_DTYPES_8BIT (ONRI_DTYPE_BIT(ONR_DTYPE_I8) | ONRI_DTYPE_BIT(ONR_DTYPE_U8))
/* What holds other tensors (onnxrun/sequence.h). */
#define ONRI_DTYPES_BLOCK \
  (ONRI_DTYPE_BIT(ONR_DTYPE_MAP) | ONRI_DTYPE_BIT(ONR_DTYPE_SEQUENCE) | ONRI_DTYPE_BIT(ONR_DTYPE_OPTIONAL))
#define ONRI_DTYPES_TENSOR (ONR_ANY_TYPE & ~ONRI_DTYPES_BLOCK)
static inline int onri_dtype_is_block(enum onr_dtype dtype) {
  return ONRI_PART(containers) && onri_dtype_in(ONRI_DTYPES_BLOCK, dtype);
}
/* Those that values of this library's models have. */
#if defined(ONNXRUN_ONLY)
#define ONRI_IF_HERE(name, ...) ONRI_IF(ONRI_HAS_TYPE_##name, | ONRI_DTYPE_BIT(ONR_DTYPE_##name))
#define ONRI_DTYPES_HERE (0 ONR_DTYPE_LIST(ONRI_IF_HERE))
#else
#define ONRI_DTYPES_HERE ONR_ANY_TYPE
#endif
/* Whether some have to be widened before plain loops compute with them. */
#define ONRI_CONVERTS                                                                                         \
  ONRI_HERE(~(ONRI_DTYPE_BIT(ONR_DTYPE_F32) | ONRI_DTYPE_BIT(ONR_DTYPE_F64) | ONRI_DTYPE_BIT(ONR_DTYPE_I64) | \
              ONRI_DTYPE_BIT(ONR_DTYPE_U64) | ONRI_DTYPE_BIT(ONR_DTYPE_STRING) | ONRI_DTYPES_BLOCK))
#define ONRI_HERE(types) ((ONRI_DTYPES_HERE & (types)) != 0)
/* Those of the number classes of base/numbers/convert.h that not every model has. */
#define ONRI_HERE_1 /* elements of a byte */                                            \
  ONRI_HERE(ONRI_DTYPES_QUANTIZED | ONRI_DTYPES_8BIT | ONRI_DTYPE_BIT(ONR_DTYPE_BOOL) | \
            ONRI_DTYPE_BIT(ONR_DTYPE_F8E8M0))
#define ONRI_HERE_16 ONRI_HERE(ONRI_DTYPE_BIT(ONR_DTYPE_C128) | ONRI_DTYPE_BIT(ONR_DTYPE_STRING))
#define ONRI_HERE_2 /* of two */                                                                             \
  ONRI_HERE(ONRI_DTYPE_BIT(ONR_DTYPE_F16) | ONRI_DTYPE_BIT(ONR_DTYPE_BF16) | ONRI_DTYPE_BIT(ONR_DTYPE_I16) | \
            ONRI_DTYPE_BIT(ONR_DTYPE_U16))
#define ONRI_HERE_F64 ONRI_HERE(ONRI_DTYPE_BIT(ONR_DTYPE_F64) | ONRI_DTYPE_BIT(ONR_DTYPE_C128))
#define ONRI_HERE_I64                                                                            \
  ONRI_HERE(ONRI_DTYPES_SIGNED | ONRI_DTYPE_BIT(ONR_DTYPE_BOOL) | ONRI_DTYPE_BIT(ONR_DTYPE_I4) | \
            ONRI_DTYPE_BIT(ONR_DTYPE_I2))
#define ONRI_HERE_U64 ONRI_HERE(ONRI_DTYPES_UNSIGNED | ONRI_DTYPE_BIT(ONR_DTYPE_U4) | ONRI_DTYPE_BIT(ONR_DTYPE_U2))
/* A type whose tensors may be cut into slices. */
static inline int onri_dtype_is_element(enum onr_dtype dtype) {
  return onr_dtype_size(dtype) > 0 && !onri_dtype_is_block(dtype);
}

/* The rule of input i, never 0: a set or ONR_AS_INPUT(k). params have been checked. */
uint32_t onri_input_types(const struct onr_layer *layer, const void *params, size_t i);
/* The same of output 0; 0: only infer tells. */
uint32_t onri_output_type(const struct onr_layer *layer, const void *params);
/* k when the rule is ONR_AS_INPUT(k), -1 when it is a set. */
static inline int32_t onri_types_as(uint32_t types) { return types & 1 ? (int32_t)(types >> 1) : -1; }
/* TYPE unless every input whose rank is known has a type that the layer's table allows. */
enum onr_status onri_types_check(const struct onr_layer *layer, const struct onr_call *call);
/* INTERNAL unless output 0, which infer wrote, has the type of the table. */
enum onr_status onri_output_type_check(const struct onr_layer *layer, const struct onr_call *call);
/* TYPE unless both inputs have one type: for what a table cannot say. */
enum onr_status onri_expect_same_dtype(const struct onr_call *call, size_t i, size_t j);

/* How the executor runs a layer that has bodies and no run of its own (src/exec/control.c). */
enum onri_control { ONRI_CONTROL_NONE, ONRI_CONTROL_IF, ONRI_CONTROL_LOOP, ONRI_CONTROL_SCAN, ONRI_CONTROL_MAP };

/* Layout rules that know the parameters of a layer (src/passes/layout/layout_table.c). */
enum onri_layout_built_in {
  ONRI_LAYOUT_CONV = ONR_LAYOUT_BUILT_IN,
  ONRI_LAYOUT_CONV_BYTES,
  ONRI_LAYOUT_CONV_TRANSPOSE,
  ONRI_LAYOUT_UNPOOL,
  ONRI_LAYOUT_RESIZE,
  ONRI_LAYOUT_POOL,
  ONRI_LAYOUT_EITHER, /* spatial, as fast in the logical order as channels last */
  ONRI_LAYOUT_SOFTMAX,
  ONRI_LAYOUT_CONCAT,
  ONRI_LAYOUT_GATHER,
  ONRI_LAYOUT_ARG_REDUCE,
  ONRI_LAYOUT_REDUCE,
  ONRI_LAYOUT_MATMUL,
  ONRI_LAYOUT_TRANSPOSE,
  ONRI_LAYOUT_SQUEEZE,
  ONRI_LAYOUT_UNSQUEEZE,
  ONRI_LAYOUT_PAD,
  ONRI_LAYOUT_SLICE,
  ONRI_LAYOUT_RESHAPE,
  ONRI_LAYOUT_ATTENTION,
  ONRI_LAYOUT_SHAPE,
  ONRI_LAYOUT_SIZE,
  ONRI_NUM_LAYOUTS
};

#endif
