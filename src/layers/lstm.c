/* lstm: see onnxrun/layers/recurrent.h for inputs and outputs. */
#include "layers/recurrent.h"

ONRI_RECURRENT_LAYER(lstm, ONRI_LSTM, 9, 3);
