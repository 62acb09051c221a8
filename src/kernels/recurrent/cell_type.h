/* cell_type.h: the cells with any functions, for one type; included by cell.c with T and NAME(x) defined. */

static T NAME(act)(const struct onri_cell_form *form, int index, T x) {
  double v = (double)x;
  if (form->has_clip) v = v > form->clip ? form->clip : v < -form->clip ? -form->clip : v;
  return (T)function_of(&form->functions[index], v);
}

/* Input of gate g. */
static T NAME(sum)(const struct onri_cell *cell, int g, size_t j) {
  return ((const T *)cell->x[g])[j] + ((const T *)cell->r[g])[j] + ((const T *)cell->bias[g])[j];
}

static T NAME(peep)(const struct onri_cell *cell, int gate, size_t j, T c) {
  return !cell->peephole[gate] ? 0 : ((const T *)cell->peephole[gate])[j] * c;
}

static void NAME(lstm)(const struct onri_cell_form *form, const struct onri_cell *cell) {
  T *h = cell->h, *c = cell->c;
  for (size_t j = 0; j < cell->hidden; j++) {
    const T i = NAME(act)(form, 0, NAME(sum)(cell, 0, j) + NAME(peep)(cell, 0, j, c[j]));
    const T f = form->input_forget ? 1 - i : NAME(act)(form, 0, NAME(sum)(cell, 2, j) + NAME(peep)(cell, 2, j, c[j]));
    const T state = f * c[j] + i * NAME(act)(form, 1, NAME(sum)(cell, 3, j));
    const T o = NAME(act)(form, 0, NAME(sum)(cell, 1, j) + NAME(peep)(cell, 1, j, state));
    c[j] = state;
    h[j] = o * NAME(act)(form, 2, state);
  }
}

static void NAME(gru_gates)(const struct onri_cell_form *form, const struct onri_cell *cell) {
  const T *h = cell->h;
  T *z = cell->z, *rh = cell->rh;
  for (size_t j = 0; j < cell->hidden; j++) {
    z[j] = NAME(act)(form, 0, NAME(sum)(cell, 0, j));
    rh[j] = NAME(act)(form, 0, NAME(sum)(cell, 1, j)) * h[j];
  }
}

static void NAME(gru_finish)(const struct onri_cell_form *form, const struct onri_cell *cell) {
  const T *z = cell->z, *bias_r = cell->bias_r;
  T *h = cell->h;
  for (size_t j = 0; j < cell->hidden; j++) {
    const T n = NAME(act)(form, 1, NAME(sum)(cell, 2, j) + bias_r[j]);
    h[j] = (1 - z[j]) * n + z[j] * h[j];
  }
}

static void NAME(gru)(const struct onri_cell_form *form, const struct onri_cell *cell) {
  const T *x = cell->x[2], *r_product = cell->r[2], *bias = cell->bias[2], *bias_r = cell->bias_r;
  T *h = cell->h;
  for (size_t j = 0; j < cell->hidden; j++) {
    const T z = NAME(act)(form, 0, NAME(sum)(cell, 0, j)), r = NAME(act)(form, 0, NAME(sum)(cell, 1, j));
    const T n = NAME(act)(form, 1, x[j] + bias[j] + r * (r_product[j] + bias_r[j]));
    h[j] = (1 - z) * n + z * h[j];
  }
}

static void NAME(rnn)(const struct onri_cell_form *form, const struct onri_cell *cell) {
  T *h = cell->h;
  for (size_t j = 0; j < cell->hidden; j++) h[j] = NAME(act)(form, 0, NAME(sum)(cell, 0, j));
}
