#define ONRI_LEVEL_TABLE onri_elementwise_avx512
#include "kernels/elementwise_body.h"
