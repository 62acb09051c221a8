/* tail.h: the function that a layer applies to what it has made, while it is in cache. */
#ifndef ONNXRUN_LAYERS_TAIL_H
#define ONNXRUN_LAYERS_TAIL_H

#include "params/elementwise.h"

/* When enabled: y = function(y), after the layer's clamp. All zero: none. */
struct onr_tail {
  int32_t enabled;
  struct onr_unary_params function; /* of floats, to floats */
};

#endif
