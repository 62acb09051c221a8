/* recurrent_shape.h: what lstm, gru and rnn are: their inputs, shapes of them, and weights that are packed. */
#ifndef ONRI_RECURRENT_SHAPE_H
#define ONRI_RECURRENT_SHAPE_H

#include "base/services.h"
#include "base/types.h"
#include "params/params.h"

enum onri_recurrent_kind { ONRI_LSTM, ONRI_GRU, ONRI_RNN };

enum { ONRI_MAX_PARTS = 2 };

/* Inputs by name. LSTM alone has the last three; dynamic_quantize_lstm has scales and zero points for a projection. */
enum {
  ONRI_X,
  ONRI_W,
  ONRI_R,
  ONRI_BIAS,
  ONRI_LENGTHS,
  ONRI_H,
  ONRI_C,
  ONRI_PEEPHOLE,
  ONRI_PROJECTION,
  ONRI_W_SCALE = ONRI_PROJECTION,
  ONRI_W_ZERO,
  ONRI_R_SCALE,
  ONRI_R_ZERO,
  ONRI_RECURRENT_INPUTS
};

struct onri_recurrent_shape {
  size_t steps, batch, input, hidden, directions, gates;
  size_t output; /* width of h: hidden, or what the projection gives */
  int projects;
};

/* Constant weights, packed for kernels/matmul/sgemm.h; NULL: not. */
struct onri_recurrent_prepared {
  float *input;                        /* W of all directions and gates */
  float *recurrent[2][ONRI_MAX_PARTS]; /* R of a direction, of the gates of one product */
  float *projection[2];
  void *input_bytes, *recurrent_bytes; /* of dynamic_quantize_lstm, in their stead */
};

enum onr_status onri_recurrent_infer(struct onr_call *call, enum onri_recurrent_kind kind);
enum onr_status onri_recurrent_prepare(struct onr_call *call, enum onri_recurrent_kind kind);
void onri_recurrent_release_prepared(void *prepared, struct onr_env *env);
int64_t onri_recurrent_multiply_adds(const struct onr_call *call, enum onri_recurrent_kind kind);
int64_t onri_recurrent_steps(const struct onr_call *call, enum onri_recurrent_kind kind);

/* The gates that the first product of a step gives: all, but for the one of GRU that waits for the reset gate. The rest
 * is a second product. */
static inline size_t onri_recurrent_first_gates(const struct onr_recurrent_params *p, enum onri_recurrent_kind kind,
                                                size_t gates) {
  return kind == ONRI_GRU && !p->linear_before_reset ? gates - 1 : gates;
}

/* It is dynamic_quantize_lstm. */
static inline int onri_recurrent_in_bytes(const struct onr_call *call) {
  return onri_dtype_in(ONRI_DTYPES_8BIT, call->in[ONRI_W].dtype);
}

/* Shapes of all inputs checked against each other. */
enum onr_status onri_recurrent_shape(const struct onr_call *call, enum onri_recurrent_kind kind,
                                     struct onri_recurrent_shape *shape);

#endif
