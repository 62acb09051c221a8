#define ONRI_LEVEL_TABLE onri_elementwise_avx2
#include "kernels/elementwise_body.h"
