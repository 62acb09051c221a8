/* Thousands of convolutions, plain and transposed, of random geometry, type, layout and number of threads, on both
 * backends, against the definition in double precision: kernels beyond the image, strides beyond the kernel, dilation,
 * padding on any side, groups, depth 1, zero sizes, output_padding, output_shape, auto_pad, NaN and infinities. */
#include <string.h>

#include "support/conv_geometry.h"
#include "support/tail.h"

static struct {
  double values[MOST];
  unsigned char stored[MOST * 8];
} residual;

static void clamp_all(const struct onr_clamp *clamp, size_t count) {
  for (size_t j = 0; j < count && clamp->enabled; j++) {
    if (data.y[j] < (double)clamp->min) data.y[j] = (double)clamp->min;
    if (data.y[j] > (double)clamp->max) data.y[j] = (double)clamp->max;
  }
}

/* What float32 loses in a sum grows with its partial sums: the root of the number of terms. */
static void compare(const struct geometry *g, const struct axes *a, const struct layer_test *t, const char *name,
                    size_t count) {
  const double single = g->dtype == ONR_DTYPE_F64 ? 1e-14 : 3e-7, terms = (double)operands_of(g).terms;
  double found;
  if (onr_desc_elements(&t->out[0].desc) != (int64_t)count)
    complain(g, a, name, "size", 0, (double)onr_desc_elements(&t->out[0].desc), (double)count);
  const int64_t at = sweep_difference(g->dtype, t->out[0].data, data.y, count, sweep_rounding(g->dtype) + 4 * single,
                                      single * (4 + sqrt(terms) * 8), &found);
  if (at >= 0) complain(g, a, name, "value", at, found, data.y[at]);
}

static enum onr_kernel check(struct sweep *s, const struct geometry *g) {
  const struct axes a = axes_of(g);
  const struct operands o = operands_of(g);
  const char *name = g->transposed ? "conv_transpose" : "conv";
  const struct onr_clamp clamp = {
      .enabled = g->clamped, .min = sweep_chance(s, 2) ? 0 : -1, .max = sweep_chance(s, 2) ? 2 : INFINITY};
  const struct onr_tail tail = tail_draw(s);
  const struct onr_conv_params plain = {
      .window = g->window, .groups = g->groups, .clamp = clamp, .tail = tail, .channels_last = g->channels_last};
  struct onr_conv_transpose_params up = {.window = g->window,
                                         .groups = g->groups,
                                         .clamp = clamp,
                                         .tail = tail,
                                         .channels_last = g->channels_last,
                                         .has_output_shape = g->has_output_shape};
  memcpy(up.output_padding, g->output_padding, sizeof(up.output_padding));
  memcpy(up.output_shape, g->output_shape, sizeof(up.output_shape));
  sweep_fill(s, g->dtype, (size_t)o.x_count, 2, sweep_chance(s, 3) ? (sweep_chance(s, 2) ? 5 : 60) : 0, data.x_stored,
             data.x);
  sweep_fill(s, g->dtype, (size_t)o.w_count, 1, sweep_chance(s, 20) ? 5 : 0, data.w_stored, data.w);
  sweep_fill(s, g->dtype, (size_t)o.outputs, 1, sweep_chance(s, 20) ? 50 : 0, data.bias_stored, data.bias);
  const size_t count = reference(g, &a);
  int64_t y_dims[5] = {g->batch};
  for (int i = 0; i < g->spatial; i++) y_dims[i + (g->channels_last ? 1 : 2)] = a.out[3 - g->spatial + i];
  y_dims[g->channels_last ? g->spatial + 1 : 1] = o.outputs;
  const int has_residual = !g->transposed && sweep_chance(s, 3);
  if (has_residual) sweep_fill(s, g->dtype, count, 2, sweep_chance(s, 3) ? 5 : 0, residual.stored, residual.values);
  for (size_t j = 0; has_residual && j < count; j++) data.y[j] += residual.values[j];
  clamp_all(&clamp, count);
  for (size_t j = 0; j < count; j++) data.y[j] = tail_value(&tail, data.y[j]);

  struct layer_test t = {.layer = g->transposed ? &onri_layer_conv_transpose : &onri_layer_conv,
                         .num_out = 1,
                         .threads = g->threads,
                         .params = g->transposed ? (const void *)&up : (const void *)&plain,
                         .backend = g->backend,
                         .most_steps = sweep_chance(s, 3) ? sweep_pick(s, 1, 5000) : 0}; /* in pieces */
  void (*add)(struct layer_test *, enum onr_dtype, int32_t, const int64_t *, const void *) =
      g->constant ? layer_test_constant : layer_test_input;
  layer_test_input(&t, g->dtype, g->spatial + 2, o.x, data.x_stored);
  add(&t, g->dtype, g->spatial + 2, o.w, data.w_stored);
  if (g->bias || has_residual) add(&t, g->dtype, 1, &o.outputs, g->bias ? data.bias_stored : NULL);
  if (has_residual) layer_test_input(&t, g->dtype, g->spatial + 2, y_dims, residual.stored);
  if (layer_test_run(&t) != ONR_STATUS_OK) complain(g, &a, name, t.error.message, 0, 0, 0);
  compare(g, &a, &t, name, count);
  layer_test_clear(&t);
  return t.kernel;
}

static void test_random_convolutions(void **state) {
  struct sweep s = sweep_from(2);
  int checked = 0, tuned = 0;
  (void)state;
  for (int i = 0; i < sweep_cases(5000); i++) {
    struct geometry g;
    if (!draw(&s, &g)) continue;
    tuned += check(&s, &g) != ONR_KERNEL_PORTABLE;
    checked++;
  }
  assert_true(checked > sweep_cases(2500));
  assert_true(tuned > checked / 10);
}

static void test_large_kernels(void **state) {
  struct sweep s = sweep_from(3);
  int checked = 0;
  (void)state;
  for (int i = 0; i < sweep_cases(1500); i++) {
    struct geometry g;
    if (!draw_large(&s, &g)) continue;
    (void)check(&s, &g);
    checked++;
  }
  assert_true(checked > sweep_cases(200));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_convolutions), cmocka_unit_test(test_large_kernels)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
