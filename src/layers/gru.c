/* gru: see onnxrun/layers/recurrent.h for inputs and outputs. */
#include "layers/recurrent.h"

ONRI_RECURRENT_LAYER(gru, ONRI_GRU, 6, 2);
