/* cell_simd.c: the cells with default functions in float32, see cell.h. */
#include "kernels/kernels.h"
#include "kernels/recurrent/cell.h"
#include "kernels/simd_math.h"

INLINE vf32 at(const void *array, size_t j, size_t left) { return f32_load_part((const float *)array + j, left); }
/* Input of gate g. */
INLINE vf32 sum(const struct onri_cell *cell, int g, size_t j, size_t left) {
  return at(cell->x[g], j, left) + at(cell->r[g], j, left) + at(cell->bias[g], j, left);
}

static void lstm(const struct onri_cell *given) {
  const struct onri_cell cell = *given;
  float *h = cell.h, *c = cell.c;
  for (size_t j = 0; j < cell.hidden; j += F32_LANES) {
    const size_t left = cell.hidden - j;
    const vf32 i = f32_sigmoid(sum(&cell, 0, j, left)), o = f32_sigmoid(sum(&cell, 1, j, left));
    const vf32 f = f32_sigmoid(sum(&cell, 2, j, left)), g = f32_tanh(sum(&cell, 3, j, left));
    const vf32 state = f32_fma(f, at(c, j, left), i * g);
    f32_store_part(c + j, state, left);
    f32_store_part(h + j, o * f32_tanh(state), left);
  }
}

static void gru(const struct onri_cell *given) {
  const struct onri_cell cell = *given;
  float *h = cell.h;
  for (size_t j = 0; j < cell.hidden; j += F32_LANES) {
    const size_t left = cell.hidden - j;
    const vf32 z = f32_sigmoid(sum(&cell, 0, j, left)), r = f32_sigmoid(sum(&cell, 1, j, left));
    const vf32 product = at(cell.r[2], j, left) + at(cell.bias_r, j, left);
    const vf32 g = f32_tanh(at(cell.x[2], j, left) + r * product + at(cell.bias[2], j, left));
    f32_store_part(h + j, f32_fma(z, at(h, j, left) - g, g), left);
  }
}

static void rnn(const struct onri_cell *given) {
  const struct onri_cell cell = *given;
  float *h = cell.h;
  for (size_t j = 0; j < cell.hidden; j += F32_LANES)
    f32_store_part(h + j, f32_tanh(sum(&cell, 0, j, cell.hidden - j)), cell.hidden - j);
}

const struct onri_cell_kernels ONRI_AT_LEVEL(onri_cell_kernels) = {lstm, gru, rnn};
