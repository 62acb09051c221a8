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

/* --- the cells in double --- */

static double act_f64(const struct onri_cell_form *form, int index, double x) {
  double v = (double)x;
  if (form->has_clip) v = v > form->clip ? form->clip : v < -form->clip ? -form->clip : v;
  return (double)function_of(&form->functions[index], v);
}

/* Input of gate g. */
static double sum_f64(const struct onri_cell *cell, int g, size_t j) {
  return ((const double *)cell->x[g])[j] + ((const double *)cell->r[g])[j] + ((const double *)cell->bias[g])[j];
}

static double peep_f64(const struct onri_cell *cell, int gate, size_t j, double c) {
  return !cell->peephole[gate] ? 0 : ((const double *)cell->peephole[gate])[j] * c;
}

static void lstm_f64(const struct onri_cell_form *form, const struct onri_cell *cell) {
  double *h = cell->h, *c = cell->c;
  for (size_t j = 0; j < cell->hidden; j++) {
    const double i = act_f64(form, 0, sum_f64(cell, 0, j) + peep_f64(cell, 0, j, c[j]));
    const double f = form->input_forget ? 1 - i : act_f64(form, 0, sum_f64(cell, 2, j) + peep_f64(cell, 2, j, c[j]));
    const double state = f * c[j] + i * act_f64(form, 1, sum_f64(cell, 3, j));
    const double o = act_f64(form, 0, sum_f64(cell, 1, j) + peep_f64(cell, 1, j, state));
    c[j] = state;
    h[j] = o * act_f64(form, 2, state);
  }
}

static void gru_gates_f64(const struct onri_cell_form *form, const struct onri_cell *cell) {
  const double *h = cell->h;
  double *z = cell->z, *rh = cell->rh;
  for (size_t j = 0; j < cell->hidden; j++) {
    z[j] = act_f64(form, 0, sum_f64(cell, 0, j));
    rh[j] = act_f64(form, 0, sum_f64(cell, 1, j)) * h[j];
  }
}

static void gru_finish_f64(const struct onri_cell_form *form, const struct onri_cell *cell) {
  const double *z = cell->z, *bias_r = cell->bias_r;
  double *h = cell->h;
  for (size_t j = 0; j < cell->hidden; j++) {
    const double n = act_f64(form, 1, sum_f64(cell, 2, j) + bias_r[j]);
    h[j] = (1 - z[j]) * n + z[j] * h[j];
  }
}

static void gru_f64(const struct onri_cell_form *form, const struct onri_cell *cell) {
  const double *x = cell->x[2], *r_product = cell->r[2], *bias = cell->bias[2], *bias_r = cell->bias_r;
  double *h = cell->h;
  for (size_t j = 0; j < cell->hidden; j++) {
    const double z = act_f64(form, 0, sum_f64(cell, 0, j)), r = act_f64(form, 0, sum_f64(cell, 1, j));
    const double n = act_f64(form, 1, x[j] + bias[j] + r * (r_product[j] + bias_r[j]));
    h[j] = (1 - z) * n + z * h[j];
  }
}

static void rnn_f64(const struct onri_cell_form *form, const struct onri_cell *cell) {
  double *h = cell->h;
  for (size_t j = 0; j < cell->hidden; j++) h[j] = act_f64(form, 0, sum_f64(cell, 0, j));
}

void onri_lstm_cell(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell) {
  if (c == ONRI_CLASS_F64) lstm_f64(form, cell);
  else onri_kernels(cell)->lstm(form, cell);
}

void onri_gru_cell(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell) {
  if (c == ONRI_CLASS_F64) gru_f64(form, cell);
  else onri_kernels(cell)->gru(form, cell);
}

void onri_gru_gates(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell) {
  if (c == ONRI_CLASS_F64) gru_gates_f64(form, cell);
  else onri_kernels(cell)->gru_gates(form, cell);
}

void onri_gru_finish(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell) {
  if (c == ONRI_CLASS_F64) gru_finish_f64(form, cell);
  else onri_kernels(cell)->gru_finish(form, cell);
}

void onri_rnn_cell(enum onri_class c, const struct onri_cell_form *form, const struct onri_cell *cell) {
  if (c == ONRI_CLASS_F64) rnn_f64(form, cell);
  else onri_kernels(cell)->rnn(form, cell);
}
