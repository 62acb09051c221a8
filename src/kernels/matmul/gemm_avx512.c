/* gemm_avx512.c: the float32 product for AVX-512: 24 of 32 registers hold sums. */
#include "kernels/matmul/gemm_level.h"

enum { ONRI_MR = 12, ONRI_NR = 32, ONRI_KC = 256 };

#define T float
#define NAME(x) x##_f32
#include "kernels/matmul/gemm_type.h"

void onri_gemm_product_avx512(const struct onri_gemm *gemm) { product_f32(gemm); }
