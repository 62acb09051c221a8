/* gemm_base.c: the float32 product for what the compiler assumes of the processor. */
#include "kernels/matmul/gemm_level.h"

enum { ONRI_MR = 4, ONRI_NR = 8, ONRI_KC = 256 };

#define T float
#define NAME(x) x##_f32
#include "kernels/matmul/gemm_type.h"

void onri_gemm_product_base(const struct onri_gemm *gemm) { product_f32(gemm); }
