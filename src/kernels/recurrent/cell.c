/* cell.c: see cell.h. */
#include "kernels/recurrent/cell.h"

#include <math.h>

#include "kernels/kernels.h"

static double softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }

static double function_of(const struct onr_recurrent_function *f, double x) {
  const double alpha = (double)f->alpha, beta = (double)f->beta;
  double y;
  switch (f->kind) {
    case ONR_RECURRENT_SIGMOID: return 1.0 / (1.0 + exp(-x));
    case ONR_RECURRENT_TANH: return tanh(x);
    case ONR_RECURRENT_RELU: return x < 0.0 ? 0.0 : x;
    case ONR_RECURRENT_AFFINE: return alpha * x + beta;
    case ONR_RECURRENT_LEAKY_RELU: return x < 0.0 ? alpha * x : x;
    case ONR_RECURRENT_THRESHOLDED_RELU: return x < alpha ? 0.0 : x;
    case ONR_RECURRENT_SCALED_TANH: return alpha * tanh(beta * x);
    case ONR_RECURRENT_HARD_SIGMOID: y = alpha * x + beta; return y < 0.0 ? 0.0 : y > 1.0 ? 1.0 : y;
    case ONR_RECURRENT_ELU: return x < 0.0 ? alpha * expm1(x) : x;
    case ONR_RECURRENT_SOFTSIGN: return x / (1.0 + fabs(x));
    case ONR_RECURRENT_SOFTPLUS: return softplus(x);
    case ONR_RECURRENT_DEFAULT: /* the layers have put a function in its place */
    case ONR_NUM_RECURRENT_ACTIVATIONS: break;
  }
  return x;
}

#define T float
#define NAME(x) x##_f32
#include "kernels/recurrent/cell_type.h"
#undef T
#undef NAME

#define T double
#define NAME(x) x##_f64
#include "kernels/recurrent/cell_type.h"
#undef T
#undef NAME

void onri_lstm_cell(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell) {
  if (form->fast) onri_kernels()->cell->lstm(cell);
  else if (c == ONRI_CLASS_F64) lstm_f64(form, cell);
  else lstm_f32(form, cell);
}

void onri_rnn_cell(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell) {
  if (form->fast) onri_kernels()->cell->rnn(cell);
  else if (c == ONRI_CLASS_F64) rnn_f64(form, cell);
  else rnn_f32(form, cell);
}

void onri_gru_cell(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell) {
  if (form->fast) onri_kernels()->cell->gru(cell);
  else if (c == ONRI_CLASS_F64) gru_f64(form, cell);
  else gru_f32(form, cell);
}

void onri_gru_gates(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell) {
  if (c == ONRI_CLASS_F64) gru_gates_f64(form, cell);
  else gru_gates_f32(form, cell);
}

void onri_gru_finish(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell) {
  if (c == ONRI_CLASS_F64) gru_finish_f64(form, cell);
  else gru_finish_f32(form, cell);
}
