/* One step of the recurrent layers against its formulas in double: the cells of every instruction set at every width
 * that ends a vector, and those of float32 and float64 with all that may be asked of them. */
#include <stdio.h>
#include <string.h>

#include "support/sweep.h"

#include "kernels/kernels.h"
#include "kernels/recurrent/cell.h"

enum { MOST = 200, GATES = 4 };
enum kind { LSTM, GRU, RNN, NUM_KINDS };

/* Operands in double, and as one of the types. */
struct step {
  size_t hidden;
  double x[GATES][MOST], r[GATES][MOST], bias[GATES][MOST], bias_r[MOST], peephole[3][MOST], h[MOST], c[MOST];
  double new_h[MOST], new_c[MOST];
};

static double sigmoid(double v) { return 1 / (1 + exp(-v)); }
static double clipped(double v, double clip) { return v < -clip ? -clip : v > clip ? clip : v; }

/* ONNX's equations with default functions; infinite clip: none. It bounds what goes into every function. */
static void reference(enum kind kind, struct step *s, int peepholes, int input_forget, double clip) {
  for (size_t j = 0; j < s->hidden; j++) {
    double sum[GATES];
    for (int g = 0; g < GATES; g++) sum[g] = s->x[g][j] + s->r[g][j] + s->bias[g][j];
    if (kind == RNN) s->new_h[j] = tanh(clipped(sum[0], clip));
    if (kind == GRU) {
      const double z = sigmoid(clipped(sum[0], clip)), r = sigmoid(clipped(sum[1], clip));
      const double n = tanh(clipped(s->x[2][j] + r * (s->r[2][j] + s->bias_r[j]) + s->bias[2][j], clip));
      s->new_h[j] = (1 - z) * n + z * s->h[j];
    }
    if (kind != LSTM) continue;
    const double *p[3] = {s->peephole[0], s->peephole[1], s->peephole[2]};
    const double i = sigmoid(clipped(sum[0] + (peepholes ? p[0][j] * s->c[j] : 0), clip));
    const double f = input_forget ? 1 - i : sigmoid(clipped(sum[2] + (peepholes ? p[2][j] * s->c[j] : 0), clip));
    s->new_c[j] = f * s->c[j] + i * tanh(clipped(sum[3], clip));
    s->new_h[j] =
        sigmoid(clipped(sum[1] + (peepholes ? p[1][j] * s->new_c[j] : 0), clip)) * tanh(clipped(s->new_c[j], clip));
  }
}

static char memory[40][(MOST + 1) * sizeof(double)];

static void *stored(enum onr_dtype dtype, size_t slot, const double *values, size_t count) {
  memset(memory[slot], 0x55, sizeof(memory[slot]));
  onri_store_f64(dtype, values, count, memory[slot]);
  return memory[slot];
}

static void fill(struct sweep *s, double *values, size_t count, double range) {
  float narrow[MOST];
  sweep_fill(s, ONR_DTYPE_F32, count, range, 0, narrow, values);
}

static struct onri_cell random_step(struct sweep *s, struct step *step, enum onr_dtype dtype, size_t hidden) {
  struct onri_cell cell = {.hidden = hidden};
  const double range = sweep_chance(s, 4) ? 30 : 2; /* gates that are shut, too */
  step->hidden = hidden;
  for (size_t g = 0; g < GATES; g++) {
    fill(s, step->x[g], hidden, range);
    fill(s, step->r[g], hidden, 1);
    fill(s, step->bias[g], hidden, 1);
    cell.x[g] = stored(dtype, g, step->x[g], hidden);
    cell.r[g] = stored(dtype, 4 + g, step->r[g], hidden);
    cell.bias[g] = stored(dtype, 8 + g, step->bias[g], hidden);
  }
  for (size_t p = 0; p < 3; p++) fill(s, step->peephole[p], hidden, 1);
  fill(s, step->bias_r, hidden, 1);
  fill(s, step->h, hidden, 1);
  fill(s, step->c, hidden, 1);
  cell.bias_r = stored(dtype, 12, step->bias_r, hidden);
  cell.h = stored(dtype, 13, step->h, hidden);
  cell.c = stored(dtype, 14, step->c, hidden);
  return cell;
}

static void expect(const char *what, enum onr_dtype dtype, const void *found, const double *expected, size_t hidden) {
  const unsigned char *behind = (const unsigned char *)found + hidden * onr_dtype_size(dtype);
  double value;
  const int64_t at =
      sweep_difference(dtype, found, expected, hidden, 0, dtype == ONR_DTYPE_F32 ? 1.5e-6 : 1e-12, &value);
  if (at >= 0) fail_msg("%s of %zu: element %d is %.9g instead of %.9g", what, hidden, (int)at, value, expected[at]);
  for (size_t i = 0; i < onr_dtype_size(dtype); i++) assert_int_equal(behind[i], 0x55);
}

/* GRU without linear_before_reset: r h goes into the product, which is r[2] here. */
static void reference_parts(struct step *s, double *rh) {
  for (size_t j = 0; j < s->hidden; j++) {
    const double z = sigmoid(s->x[0][j] + s->r[0][j] + s->bias[0][j]);
    const double n = tanh(s->x[2][j] + s->r[2][j] + s->bias[2][j] + s->bias_r[j]);
    rh[j] = sigmoid(s->x[1][j] + s->r[1][j] + s->bias[1][j]) * s->h[j];
    s->new_h[j] = (1 - z) * n + z * s->h[j];
  }
}

static void check_parts(const char *level, const struct onri_cell_kernels *kernels, const struct onri_cell_form *form,
                        struct onri_cell cell, struct step *step) {
  static double zeros[MOST];
  double rh[MOST];
  reference_parts(step, rh);
  cell.z = stored(ONR_DTYPE_F32, 30, zeros, step->hidden);
  cell.rh = stored(ONR_DTYPE_F32, 31, zeros, step->hidden);
  kernels->gru_gates(form, &cell);
  expect(level, ONR_DTYPE_F32, cell.rh, rh, step->hidden);
  kernels->gru_finish(form, &cell);
  expect(level, ONR_DTYPE_F32, cell.h, step->new_h, step->hidden);
}

/* Both as the usual functions, which have code of their own, and as any. */
static void test_cells_of_every_level(void **state) {
  static const struct onr_recurrent_function gates[] = {
      {.kind = ONR_RECURRENT_SIGMOID}, {.kind = ONR_RECURRENT_TANH}, {.kind = ONR_RECURRENT_TANH}};
  struct sweep s = sweep_from(31);
  static struct step step;
  (void)state;
  for (int l = 0; l <= (int)onri_cpu_level(); l++)
    for (size_t hidden = 1; hidden < MOST; hidden++)
      for (enum kind kind = LSTM; kind < NUM_KINDS; kind++) {
        const struct onri_cell_kernels *kernels = onri_kernels_at(cell, l);
        char name[16];
        snprintf(name, sizeof(name), "level %d", (int)l);
        const struct onri_cell_form form = {.usual = !sweep_chance(&s, 3), .functions = gates + (kind == RNN)};
        const int peepholes = kind == LSTM && sweep_chance(&s, 2);
        struct onri_cell cell = random_step(&s, &step, ONR_DTYPE_F32, hidden);
        if (kind == GRU && sweep_chance(&s, 2)) {
          check_parts(name, kernels, &form, cell, &step);
          continue;
        }
        for (size_t p = 0; peepholes && p < 3; p++)
          cell.peephole[p] = stored(ONR_DTYPE_F32, 20 + p, step.peephole[p], hidden);
        reference(kind, &step, peepholes, 0, (double)INFINITY);
        (kind == LSTM ? kernels->lstm : kind == GRU ? kernels->gru : kernels->rnn)(&form, &cell);
        expect(name, ONR_DTYPE_F32, cell.h, step.new_h, hidden);
        expect(name, ONR_DTYPE_F32, cell.c, kind == LSTM ? step.new_c : step.c, hidden);
      }
}

/* With clips, peepholes and coupled gates. */
static void test_cells_of_both_types(void **state) {
  static const struct onr_recurrent_function gates[] = {
      {.kind = ONR_RECURRENT_SIGMOID}, {.kind = ONR_RECURRENT_TANH}, {.kind = ONR_RECURRENT_TANH}};
  static const struct onr_recurrent_function plain[] = {{.kind = ONR_RECURRENT_TANH}};
  struct sweep s = sweep_from(32);
  static struct step step;
  (void)state;
  for (int round = 0; round < sweep_cases(2000); round++) {
    const enum onr_dtype dtype = round & 1 ? ONR_DTYPE_F64 : ONR_DTYPE_F32;
    const enum onri_class class = round & 1 ? ONRI_CLASS_F64 : ONRI_CLASS_F32;
    const enum kind kind = (enum kind)(round / 2 % NUM_KINDS);
    const size_t hidden = (size_t)sweep_pick(&s, 1, 70);
    const int peepholes = kind == LSTM && sweep_chance(&s, 2);
    const struct onri_cell_form form = {.functions = kind == RNN ? plain : gates,
                                        .has_clip = sweep_chance(&s, 2),
                                        .clip = 0.75,
                                        .input_forget = kind == LSTM && sweep_chance(&s, 2),
                                        .linear_before_reset = kind == GRU};
    struct onri_cell cell = random_step(&s, &step, dtype, hidden);
    for (size_t p = 0; peepholes && p < 3; p++) cell.peephole[p] = stored(dtype, 20 + p, step.peephole[p], hidden);
    reference(kind, &step, peepholes, form.input_forget, form.has_clip ? form.clip : (double)INFINITY);
    (kind == LSTM ? onri_lstm_cell : kind == GRU ? onri_gru_cell : onri_rnn_cell)(class, &form, &cell);
    expect("h", dtype, cell.h, step.new_h, hidden);
    expect("c", dtype, cell.c, kind == LSTM ? step.new_c : step.c, hidden);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_cells_of_every_level),
                                     cmocka_unit_test(test_cells_of_both_types)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
