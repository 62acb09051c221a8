#define ONRI_LEVEL_TABLE onri_elementwise_avx512
#include "kernels/elementwise/elementwise_body.h"
