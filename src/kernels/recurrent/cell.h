/* cell.h: one time step of one sequence of LSTM, GRU and the plain recurrent layer, after the matrix products. */
#ifndef ONRI_CELL_H
#define ONRI_CELL_H

#include "base/numbers/convert.h"
#include "params/recurrent.h"

/* Arrays of float32, or of float64 with class F64; each [hidden]. Gates in ONNX's order: i o f c; z r h; one for rnn.
 */
struct onri_cell {
  size_t hidden;
  const void *x[4];        /* products with the input */
  const void *r[4];        /* products with the previous h */
  const void *bias[4];     /* both biases added up, except that of GRU's h gate: the input's alone */
  const void *bias_r;      /* GRU's h gate: the recurrent bias */
  const void *peephole[3]; /* LSTM: i o f; NULL: none */
  void *h, *c;             /* read and written */
  void *z, *rh;            /* GRU without linear_before_reset: written by the first part */
};

/* What is the same for all steps. */
struct onri_cell_form {
  const struct onr_recurrent_function *functions; /* of the direction; none is DEFAULT */
  int has_clip, input_forget, linear_before_reset;
  double clip;
  int usual; /* default functions, no clip, no input_forget: float32 has code of its own for them */
};

/* What a level has for float32: see the functions below. */
struct onri_cell_kernels {
  void (*lstm)(const struct onri_cell_form *form, const struct onri_cell *cell);
  void (*gru)(const struct onri_cell_form *form, const struct onri_cell *cell);
  void (*gru_gates)(const struct onri_cell_form *form, const struct onri_cell *cell);
  void (*gru_finish)(const struct onri_cell_form *form, const struct onri_cell *cell);
  void (*rnn)(const struct onri_cell_form *form, const struct onri_cell *cell);
};

void onri_lstm_cell(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell);
void onri_rnn_cell(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell);
/* With linear_before_reset: all of GRU's step. */
void onri_gru_cell(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell);
/* Without: z and rh = r h from gates 0 and 1, then h from gate 2, whose r[2] is the product of rh. */
void onri_gru_gates(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell);
void onri_gru_finish(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell);

#endif
