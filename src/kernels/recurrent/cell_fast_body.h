/* cell_fast_body.h: see cell_fast.h; ONRI_FAST_CELLS names the table. */
#include "kernels/recurrent/cell_fast.h"
#include "kernels/elementwise/vecmath.h"

/* In blocks, with a loop for each function: compilers turn those into vectors, but not one loop with five of them. */
enum { BLOCK = 64 };

static void sigmoid_sum(const float *restrict x, const float *restrict r, const float *restrict b, float *restrict y,
                        size_t n) {
  for (size_t j = 0; j < n; j++) y[j] = onri_sigmoid1(x[j] + r[j] + b[j]);
}

static void tanh_sum(const float *restrict x, const float *restrict r, const float *restrict b, float *restrict y,
                     size_t n) {
  for (size_t j = 0; j < n; j++) y[j] = onri_tanh1(x[j] + r[j] + b[j]);
}

static const float *at(const void *array, size_t j) { return (const float *)array + j; }

static void lstm_block(const struct onri_cell *cell, size_t from, size_t n) {
  float i[BLOCK], o[BLOCK], f[BLOCK], g[BLOCK];
  float *restrict h = (float *)cell->h + from, *restrict c = (float *)cell->c + from;
  sigmoid_sum(at(cell->x[0], from), at(cell->r[0], from), at(cell->bias[0], from), i, n);
  sigmoid_sum(at(cell->x[1], from), at(cell->r[1], from), at(cell->bias[1], from), o, n);
  sigmoid_sum(at(cell->x[2], from), at(cell->r[2], from), at(cell->bias[2], from), f, n);
  tanh_sum(at(cell->x[3], from), at(cell->r[3], from), at(cell->bias[3], from), g, n);
  for (size_t j = 0; j < n; j++) c[j] = f[j] * c[j] + i[j] * g[j];
  for (size_t j = 0; j < n; j++) h[j] = o[j] * onri_tanh1(c[j]);
}

static void gru_block(const struct onri_cell *cell, size_t from, size_t n) {
  float z[BLOCK], r[BLOCK], g[BLOCK];
  const float *restrict product = at(cell->r[2], from), *restrict bias_r = at(cell->bias_r, from);
  float *restrict h = (float *)cell->h + from;
  sigmoid_sum(at(cell->x[0], from), at(cell->r[0], from), at(cell->bias[0], from), z, n);
  sigmoid_sum(at(cell->x[1], from), at(cell->r[1], from), at(cell->bias[1], from), r, n);
  for (size_t j = 0; j < n; j++) r[j] *= product[j] + bias_r[j];
  tanh_sum(at(cell->x[2], from), r, at(cell->bias[2], from), g, n);
  for (size_t j = 0; j < n; j++) h[j] = g[j] + z[j] * (h[j] - g[j]);
}

static void lstm(const struct onri_cell *cell) {
  for (size_t j = 0; j < cell->hidden; j += BLOCK)
    lstm_block(cell, j, cell->hidden - j < BLOCK ? cell->hidden - j : BLOCK);
}

static void gru(const struct onri_cell *cell) {
  for (size_t j = 0; j < cell->hidden; j += BLOCK)
    gru_block(cell, j, cell->hidden - j < BLOCK ? cell->hidden - j : BLOCK);
}

static void rnn(const struct onri_cell *cell) {
  tanh_sum(cell->x[0], cell->r[0], cell->bias[0], cell->h, cell->hidden);
}

const struct onri_cell_kernels ONRI_FAST_CELLS = {lstm, gru, rnn};
