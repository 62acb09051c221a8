/* linear_attention_avx512.c: the recurrence for AVX-512. */
#define ONRI_LINEAR_ATTENTION onri_linear_attention_avx512
#include "kernels/attention/linear_attention_body.h"
