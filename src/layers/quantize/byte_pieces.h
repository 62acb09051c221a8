/* byte_pieces.h: which float32 layers can be computed a piece of input 0 at a time. */
#ifndef ONRI_BYTE_PIECES_H
#define ONRI_BYTE_PIECES_H

#include "layers/layers.h"

/* Non-zero: byte_pieces takes the layer, whose inputs but the first are constant where shapes depend on them. */
int onri_byte_pieces_takes(const struct onr_layer *layer);

#endif
