/* gemm_level.h: the float32 product for each instruction set. */
#ifndef ONRI_GEMM_LEVEL_H
#define ONRI_GEMM_LEVEL_H

#include "kernels/matmul/gemm.h"

void onri_gemm_product_base(const struct onri_gemm *gemm);
void onri_gemm_product_avx2(const struct onri_gemm *gemm);
void onri_gemm_product_avx512(const struct onri_gemm *gemm);

#endif
