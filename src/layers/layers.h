/* layers.h: all built-in layers. */
#ifndef ONRI_LAYERS_H
#define ONRI_LAYERS_H

#include "base/only.h"
#include "base/types.h"
#include "params/params.h"

#define ONRI_LAYER(name) extern const struct onr_layer onri_layer_##name;
#include "layers/layers.inc"
#undef ONRI_LAYER
/* What all layers are that a build for a few models leaves out (cmake/only.cmake). */
extern const struct onr_layer onri_layer_absent;

#endif
