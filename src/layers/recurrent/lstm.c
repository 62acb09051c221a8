/* lstm.c: see params/recurrent.h for inputs and outputs. */
#include "layers/recurrent/recurrent.h"

ONRI_RECURRENT_LAYER(lstm, ONRI_LSTM, 9, 3, .types = {ONRI_RECURRENT_TYPES});

#define REAL ONRI_DTYPE_BIT(ONR_DTYPE_F32)
#define AS_WEIGHTS ONR_AS_INPUT(ONRI_W)
static uint32_t last_types(const void *params, size_t i) {
  (void)params;
  return i == ONRI_W_ZERO || i == ONRI_R_ZERO ? AS_WEIGHTS : i == ONRI_R_SCALE ? REAL : 0;
}
ONRI_RECURRENT_LAYER(dynamic_quantize_lstm, ONRI_LSTM, ONRI_RECURRENT_INPUTS, 3,
                     .types = {REAL, ONRI_DTYPES_8BIT, AS_WEIGHTS, REAL, ONRI_DTYPE_BIT(ONR_DTYPE_I32), REAL, REAL,
                               REAL, REAL},
                     .types_by_params = last_types);
