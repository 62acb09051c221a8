/* rnn.c: h = f(W x + R h + b). See params/recurrent.h for inputs and outputs. */
#include "layers/recurrent/recurrent.h"

ONRI_RECURRENT_LAYER(rnn, ONRI_RNN, 6, 2, .types = {ONRI_RECURRENT_TYPES});
