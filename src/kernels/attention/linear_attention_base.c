/* linear_attention_base.c: the recurrence for any processor. */
#define ONRI_LINEAR_ATTENTION onri_linear_attention_base
#include "kernels/attention/linear_attention_body.h"
