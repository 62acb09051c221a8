/* clamp.h: the activation that a kernel applies for nothing. */
#ifndef ONNXRUN_LAYERS_CLAMP_H
#define ONNXRUN_LAYERS_CLAMP_H

#include <stdint.h>

/* When enabled: y = min(max(y, min), max). All zero: none. */
struct onr_clamp {
  int32_t enabled;
  float min, max;
};

#endif
