/* The recurrence of linear attention of every instruction set against its definition in double: with and without decay
 * (one for all rows of the state, or one each) and beta, several query heads, arrays with gaps, any number of columns.
 */
#include <string.h>

#include "support/sweep.h"

#include "kernels/attention/linear_attention.h"
#include "kernels/kernels.h"

enum { STEPS = 6, WIDTH = 19, HEADS = 3, COLUMNS = ONRI_LINEAR_COLUMNS, GAP = 5, ROOM = STEPS * (HEADS * 64 + GAP) };

static float q[ROOM], k[ROOM], v[ROOM], decay[ROOM], beta[ROOM], y[ROOM], start[WIDTH * COLUMNS],
    found[WIDTH * COLUMNS];
static double expected[ROOM], state[WIDTH * COLUMNS];

static double decay_of(const struct onri_linear_attention *a, size_t t, size_t d) {
  return a->decay ? (double)a->decay[t * a->decay_step + d * a->decay_stride] : 1;
}

static void reference(const struct onri_linear_attention *a) {
  for (size_t i = 0; i < ROOM; i++) expected[i] = 77;
  for (size_t i = 0; i < a->width * COLUMNS; i++) state[i] = (double)start[i];
  for (size_t t = 0; t < a->steps; t++) {
    for (size_t d = 0; d < a->width; d++)
      for (size_t c = 0; c < a->columns; c++) state[d * COLUMNS + c] *= decay_of(a, t, d);
    for (size_t c = 0; c < a->columns; c++) {
      double u = (double)v[t * a->v_step + c];
      for (size_t d = 0; a->beta && d < a->width; d++) u -= state[d * COLUMNS + c] * (double)k[t * a->k_step + d];
      if (a->beta) u *= (double)a->beta[t * a->beta_step];
      for (size_t d = 0; d < a->width; d++) state[d * COLUMNS + c] += (double)k[t * a->k_step + d] * u;
      for (size_t h = 0; h < a->query_heads; h++) {
        double sum = 0;
        for (size_t d = 0; d < a->width; d++)
          sum += state[d * COLUMNS + c] * (double)q[t * a->q_step + h * a->width + d];
        expected[t * a->y_step + h * a->y_head + c] = (double)a->scale * sum;
      }
    }
  }
}

static void fill(struct sweep *s, float *values, size_t count, double range) {
  static double wide[ROOM];
  sweep_fill(s, ONR_DTYPE_F32, count, range, 0, values, wide);
}

static void check(struct sweep *s, size_t level) {
  const size_t width = (size_t)sweep_pick(s, 1, WIDTH), columns = (size_t)sweep_pick(s, 1, COLUMNS);
  const size_t heads = (size_t)sweep_pick(s, 1, HEADS), gap = (size_t)sweep_pick(s, 0, GAP);
  struct onri_linear_attention a = {.steps = (size_t)sweep_pick(s, 0, STEPS),
                                    .width = width,
                                    .columns = columns,
                                    .query_heads = heads,
                                    .q = q,
                                    .k = k,
                                    .v = v,
                                    .y = y,
                                    .q_step = heads * width + gap,
                                    .k_step = width + gap,
                                    .v_step = columns + gap,
                                    .y_step = heads * columns + gap,
                                    .y_head = columns,
                                    .decay_stride = (size_t)sweep_pick(s, 0, 1),
                                    .decay_step = width + gap,
                                    .beta_step = 1 + gap,
                                    .scale = 0.375f,
                                    .state = found};
  if (sweep_chance(s, 2)) a.decay = decay;
  if (sweep_chance(s, 2)) a.beta = beta;
  fill(s, q, ROOM, 1), fill(s, k, ROOM, 0.5), fill(s, v, ROOM, 1), fill(s, decay, ROOM, 1), fill(s, beta, ROOM, 1);
  fill(s, start, WIDTH * COLUMNS, 1);
  for (size_t i = 0; i < WIDTH * COLUMNS; i++)
    if (i % COLUMNS >= columns) start[i] = 0;
  memcpy(found, start, sizeof(found));
  for (size_t i = 0; i < ROOM; i++) y[i] = 77;
  reference(&a);
  onri_kernels_at(linear_attention, (enum onri_cpu_level)level)->run(&a);
  double value;
  int64_t at = sweep_difference(ONR_DTYPE_F32, y, expected, ROOM, 1e-5, 1e-5, &value);
  if (at >= 0)
    fail_msg("level %d, %zu x %zu: y[%d] is %g instead of %g", (int)level, width, columns, (int)at, value,
             expected[at]);
  at = sweep_difference(ONR_DTYPE_F32, found, state, width * COLUMNS, 1e-5, 1e-5, &value); /* zero behind columns */
  if (at >= 0)
    fail_msg("level %d, %zu x %zu: state[%d] is %g instead of %g", (int)level, width, columns, (int)at, value,
             state[at]);
}

static void test_every_level(void **unused) {
  struct sweep s = sweep_from(41);
  (void)unused;
  for (size_t l = 0; l <= (size_t)onri_cpu_level(); l++)
    for (int round = 0; round < sweep_cases(1500); round++) check(&s, l);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
