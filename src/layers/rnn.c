/* rnn: h = f(W x + R h + b). See onnxrun/layers/recurrent.h for inputs and outputs. */
#include "layers/recurrent.h"

ONRI_RECURRENT_LAYER(rnn, ONRI_RNN, 6, 2);
