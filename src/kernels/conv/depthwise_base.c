/* depthwise_base.c: depthwise rows for what every processor of this kind has. */
#define ONRI_DEPTHWISE_ROWS onri_depthwise_rows_base
#define ONRI_DEPTHWISE_LANES 4
#define OUTPUTS 6
#include "kernels/conv/depthwise_body.h"
