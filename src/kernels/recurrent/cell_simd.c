/* cell_simd.c: the cells in float32, see cell.h: any functions, clips, peepholes and coupled gates in the same code,
 * which is compiled once more for the functions that nearly all models have. */
#include "kernels/kernels.h"
#include "kernels/recurrent/cell.h"
#include "kernels/simd/math.h"

INLINE vf32 function_of(const struct onr_recurrent_function *f, vf32 x) {
  const vf32 alpha = f32_set(f->alpha), beta = f32_set(f->beta), zero = {0};
  switch (f->kind) {
    case ONR_RECURRENT_SIGMOID: return f32_sigmoid(x);
    case ONR_RECURRENT_TANH: return f32_tanh(x);
    case ONR_RECURRENT_RELU: return f32_select(x < zero, zero, x);
    case ONR_RECURRENT_AFFINE: return f32_fma(alpha, x, beta);
    case ONR_RECURRENT_LEAKY_RELU: return f32_select(x < zero, alpha * x, x);
    case ONR_RECURRENT_THRESHOLDED_RELU: return f32_select(x < alpha, zero, x);
    case ONR_RECURRENT_SCALED_TANH: return alpha * f32_tanh(beta * x);
    case ONR_RECURRENT_HARD_SIGMOID: return f32_clamp(f32_fma(alpha, x, beta), zero, f32_set(1));
    case ONR_RECURRENT_ELU: return f32_select(x < zero, alpha * f32_expm1_negative(f32_least(zero, x)), x);
    case ONR_RECURRENT_SOFTSIGN: return x / (1.0f + f32_abs(x));
    case ONR_RECURRENT_SOFTPLUS: return f32_softplus(x);
    case ONR_RECURRENT_DEFAULT: /* the layers have put a function in its place */
    case ONR_NUM_RECURRENT_ACTIVATIONS: break;
  }
  return x;
}

/* Function `index` of the direction; usual: it is this one, and nothing is clipped. */
INLINE vf32 act(const struct onri_cell_form *form, int index, vf32 x, const enum onr_recurrent_activation usual) {
  if (usual == ONR_RECURRENT_SIGMOID) return f32_sigmoid(x);
  if (usual == ONR_RECURRENT_TANH) return f32_tanh(x);
  if (form->has_clip) x = f32_clamp(x, f32_set(-(float)form->clip), f32_set((float)form->clip));
  return function_of(&form->functions[index], x);
}

INLINE vf32 at(const void *array, size_t j, size_t left) { return f32_load_part((const float *)array + j, left); }
/* Input of gate g. */
INLINE vf32 sum(const struct onri_cell *cell, int g, size_t j, size_t left) {
  return at(cell->x[g], j, left) + at(cell->r[g], j, left) + at(cell->bias[g], j, left);
}
INLINE vf32 peep(const struct onri_cell *cell, int gate, size_t j, size_t left, vf32 x, vf32 c) {
  return cell->peephole[gate] ? f32_fma(at(cell->peephole[gate], j, left), c, x) : x;
}

enum { GATE = ONR_RECURRENT_SIGMOID, STATE = ONR_RECURRENT_TANH };

INLINE void lstm_of(const struct onri_cell_form *form, const struct onri_cell cell, const int usual) {
  const enum onr_recurrent_activation gate = usual ? GATE : ONR_RECURRENT_DEFAULT,
                                      state = usual ? STATE : ONR_RECURRENT_DEFAULT;
  float *h = cell.h, *c = cell.c;
  for (size_t j = 0; j < cell.hidden; j += F32_LANES) {
    const size_t left = cell.hidden - j;
    const vf32 old = at(c, j, left);
    const vf32 i = act(form, 0, peep(&cell, 0, j, left, sum(&cell, 0, j, left), old), gate);
    const vf32 f = !usual && form->input_forget
                       ? 1.0f - i
                       : act(form, 0, peep(&cell, 2, j, left, sum(&cell, 2, j, left), old), gate);
    const vf32 new = f32_fma(f, old, i * act(form, 1, sum(&cell, 3, j, left), state));
    const vf32 o = act(form, 0, peep(&cell, 1, j, left, sum(&cell, 1, j, left), new), gate);
    f32_store_part(c + j, new, left);
    f32_store_part(h + j, o * act(form, 2, new, state), left);
  }
}

/* all: with linear_before_reset. Else in two parts: z and r h; then h. */
enum gru_part { GRU_ALL, GRU_GATES, GRU_FINISH };

INLINE void gru_of(const struct onri_cell_form *form, const struct onri_cell cell, const enum gru_part part,
                   const int usual) {
  const enum onr_recurrent_activation gate = usual ? GATE : ONR_RECURRENT_DEFAULT,
                                      state = usual ? STATE : ONR_RECURRENT_DEFAULT;
  float *h = cell.h, *z_of = cell.z, *rh = cell.rh;
  for (size_t j = 0; j < cell.hidden; j += F32_LANES) {
    const size_t left = cell.hidden - j;
    const vf32 old = at(h, j, left);
    vf32 z, g;
    if (part == GRU_FINISH) z = at(z_of, j, left), g = sum(&cell, 2, j, left) + at(cell.bias_r, j, left);
    else z = act(form, 0, sum(&cell, 0, j, left), gate), g = act(form, 0, sum(&cell, 1, j, left), gate);
    if (part == GRU_GATES) {
      f32_store_part(z_of + j, z, left);
      f32_store_part(rh + j, g * old, left);
      continue;
    }
    if (part == GRU_ALL) {
      const vf32 product = at(cell.r[2], j, left) + at(cell.bias_r, j, left);
      g = f32_fma(g, product, at(cell.x[2], j, left) + at(cell.bias[2], j, left));
    }
    g = act(form, 1, g, state);
    f32_store_part(h + j, f32_fma(z, old - g, g), left);
  }
}

INLINE void rnn_of(const struct onri_cell_form *form, const struct onri_cell cell, const int usual) {
  float *h = cell.h;
  for (size_t j = 0; j < cell.hidden; j += F32_LANES)
    f32_store_part(h + j, act(form, 0, sum(&cell, 0, j, cell.hidden - j), usual ? STATE : ONR_RECURRENT_DEFAULT),
                   cell.hidden - j);
}

#define CELL(name, call_usual, call_any)                                              \
  static void name(const struct onri_cell_form *form, const struct onri_cell *cell) { \
    if (form->usual) call_usual;                                                      \
    else call_any;                                                                    \
  }
CELL(lstm, lstm_of(form, *cell, 1), lstm_of(form, *cell, 0))
CELL(gru, gru_of(form, *cell, GRU_ALL, 1), gru_of(form, *cell, GRU_ALL, 0))
CELL(gru_gates, gru_of(form, *cell, GRU_GATES, 1), gru_of(form, *cell, GRU_GATES, 0))
CELL(gru_finish, gru_of(form, *cell, GRU_FINISH, 1), gru_of(form, *cell, GRU_FINISH, 0))
CELL(rnn, rnn_of(form, *cell, 1), rnn_of(form, *cell, 0))
#undef CELL

const struct onri_cell_kernels ONRI_AT_LEVEL(onri_cell_kernels) = {lstm, gru, gru_gates, gru_finish, rnn};
