#define ONRI_LEVEL_TABLE onri_quantize_avx2
#include "kernels/quantize/quantize_body.h"
