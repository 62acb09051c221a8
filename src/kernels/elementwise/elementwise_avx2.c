#define ONRI_LEVEL_TABLE onri_elementwise_avx2
#include "kernels/elementwise/elementwise_body.h"
