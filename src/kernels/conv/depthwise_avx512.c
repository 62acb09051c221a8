/* depthwise_avx512.c: depthwise rows for AVX-512. */
#define ONRI_DEPTHWISE_ROWS onri_depthwise_rows_avx512
#define ONRI_DEPTHWISE_LANES 16
#define OUTPUTS 8
#include "kernels/conv/depthwise_body.h"
