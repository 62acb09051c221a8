/* pool_avx2.c: pools of float32 for AVX2. */
#define ONRI_POOL_KERNELS onri_pool_avx2
#define ONRI_POOL_LANES 8
#include "kernels/pool/pool_body.h"
