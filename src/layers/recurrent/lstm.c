/* lstm.c: see params/recurrent.h for inputs and outputs. */
#include "layers/recurrent/recurrent.h"

ONRI_RECURRENT_LAYER(lstm, ONRI_LSTM, 9, 3);
