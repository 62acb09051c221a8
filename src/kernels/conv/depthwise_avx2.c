/* depthwise_avx2.c: depthwise rows for AVX2. */
#define ONRI_DEPTHWISE_ROWS onri_depthwise_rows_avx2
#define ONRI_DEPTHWISE_LANES 8
#define OUTPUTS 6
#include "kernels/conv/depthwise_body.h"
