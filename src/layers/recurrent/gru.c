/* gru.c: see params/recurrent.h for inputs and outputs. */
#include "layers/recurrent/recurrent.h"

ONRI_RECURRENT_LAYER(gru, ONRI_GRU, 6, 2, .types = {ONRI_RECURRENT_TYPES});
