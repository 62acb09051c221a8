/* convert.h: the one place that knows how an element type turns into numbers and back.
 *
 * Kernels that serve many types compute in one of four classes: F32 (float32 and everything narrower that is a float),
 * F64, I64 (signed integers and bool), U64 (unsigned integers). They load a block of elements into the class, compute,
 * and store it: float stores round to nearest even, integer stores wrap. */
#ifndef ONRI_CONVERT_H
#define ONRI_CONVERT_H

#include <stddef.h>
#include <stdint.h>

#include "onnxrun/tensor.h"

enum onri_class { ONRI_CLASS_NONE, ONRI_CLASS_F32, ONRI_CLASS_F64, ONRI_CLASS_I64, ONRI_CLASS_U64 };

enum onri_class onri_dtype_class(enum onr_dtype dtype); /* NONE for STRING, complex, NONE */
size_t onri_class_size(enum onri_class c);               /* 4 or 8 */

/* count elements of dtype at `source` into an array of the dtype's class, and back. Source and target may be unaligned. */
void onri_load(enum onr_dtype dtype, const void *source, size_t count, void *target);
void onri_store(enum onr_dtype dtype, const void *source, size_t count, void *target);

float onri_f16_to_f32(uint16_t bits);
uint16_t onri_f16_from_f32(float value); /* nearest even; overflow to infinity */
float onri_bf16_to_f32(uint16_t bits);
uint16_t onri_bf16_from_f32(float value);

#endif
