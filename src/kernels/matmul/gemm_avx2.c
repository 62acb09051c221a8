/* gemm_avx2.c: the float32 product for AVX2: twelve of sixteen registers hold sums. */
#include "kernels/matmul/gemm_level.h"

enum { ONRI_MR = 6, ONRI_NR = 16, ONRI_KC = 256 };

#define T float
#define NAME(x) x##_f32
#include "kernels/matmul/gemm_type.h"

void onri_gemm_product_avx2(const struct onri_gemm *gemm) { product_f32(gemm); }
