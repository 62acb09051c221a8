/* layers.h: all built-in layers. */
#ifndef ONRI_LAYERS_H
#define ONRI_LAYERS_H

#include "base/types.h"
#include "params/params.h"

#define ONRI_LAYER(name) extern const struct onr_layer onri_layer_##name;
#include "layers/layers.inc"
#undef ONRI_LAYER

#endif
