/* linear_attention.c: see linear_attention.h. */
#include "kernels/attention/linear_attention.h"

#include "kernels/kernels.h"

void onri_linear_attention(const struct onri_linear_attention *attention) {
  onri_kernels(linear_attention)->run(attention);
}
