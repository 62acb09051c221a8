/* linear_attention_avx2.c: the recurrence for AVX2. */
#define ONRI_LINEAR_ATTENTION onri_linear_attention_avx2
#include "kernels/attention/linear_attention_body.h"
