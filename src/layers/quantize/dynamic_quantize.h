/* dynamic_quantize.h: what dynamic_quantize_linear computes, for layers that round their inputs themselves. */
#ifndef ONRI_DYNAMIC_QUANTIZE_H
#define ONRI_DYNAMIC_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>

#include "onnxrun/layer.h"

struct onri_dynamic_steps {
  float scale;
  int32_t zero;
};
/* y may be NULL. */
struct onri_dynamic_steps onri_dynamic_quantise(struct onr_env *env, const float *x, size_t count, uint8_t *y);

#endif
