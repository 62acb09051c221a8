/* steps.h: some elements of a tensor of integers that stand for (x - zero) scale, or of float32, as float32 and back.
 */
#ifndef ONRI_STEPS_H
#define ONRI_STEPS_H

#include <string.h>

#include "kernels/kernels.h"
#include "kernels/quantize/quantize.h"
#include "params/elementwise.h"

#define ONRI_DTYPES_STEPS (ONRI_DTYPES_8BIT | ONRI_DTYPE_BIT(ONR_DTYPE_U16) | ONRI_DTYPE_BIT(ONR_DTYPE_I16))

static inline enum onr_dtype onri_steps_dtype(const struct onr_fused_bytes *b) {
  return b->dtype == ONR_DTYPE_NONE ? ONR_DTYPE_F32 : (enum onr_dtype)b->dtype;
}

/* `count` elements of x from element `at` on. */
static inline void onri_steps_load(const struct onr_fused_bytes *b, const void *x, size_t at, size_t count, float *y) {
  const char *from = (const char *)x + at * onr_dtype_size(onri_steps_dtype(b));
  if (b->dtype == ONR_DTYPE_NONE) memcpy(y, from, count * sizeof(*y));
  else onri_kernels(quantize)->from[onri_steps_of(onri_steps_dtype(b))](from, y, count, b->scale, (float)b->zero);
}

static inline void onri_steps_store(const struct onr_fused_bytes *b, const float *x, size_t count, void *y, size_t at) {
  char *to = (char *)y + at * onr_dtype_size(onri_steps_dtype(b));
  if (b->dtype == ONR_DTYPE_NONE) memcpy(to, x, count * sizeof(*x));
  else onri_kernels(quantize)->to[onri_steps_of(onri_steps_dtype(b))](x, to, count, b->scale, (float)b->zero);
}

#endif
