/* pool_base.c: pools of float32 for what the compiler assumes of the processor. */
#define ONRI_POOL_KERNELS onri_pool_base
#define ONRI_POOL_LANES 4
#include "kernels/pool/pool_body.h"
