/* pool_avx512.c: pools of float32 for AVX-512. */
#define ONRI_POOL_KERNELS onri_pool_avx512
#define ONRI_POOL_LANES 16
#include "kernels/pool/pool_body.h"
