/* Thousands of 8-bit convolutions of random geometry, types, zero points, layout and number of threads, on both
 * backends, against sums in double, which are exact: ConvInteger to the last bit, QLinearConv but for what lies on the
 * edge between two steps. */
#include "support/conv_geometry.h"

#include <string.h>

struct quantisation {
  enum onr_dtype x, w, y;
  uint8_t x_zero, y_zero;
  int zeros, per_channel;
  float x_scale, y_scale;
};

static struct {
  uint8_t x[MOST], w[MOST], w_zeros[MOST];
  float w_scales[MOST];
  int32_t bias[MOST];
} stored;

static int64_t value_of(enum onr_dtype dtype, uint8_t bits) { return dtype == ONR_DTYPE_U8 ? bits : (int8_t)bits; }

static enum onr_dtype byte_type(struct sweep *s) { return sweep_chance(s, 2) ? ONR_DTYPE_U8 : ONR_DTYPE_I8; }

/* Half of the weights lie around 0. */
static struct quantisation draw_quantisation(struct sweep *s, const struct operands *o) {
  struct quantisation q = {.x = byte_type(s),
                           .w = byte_type(s),
                           .y = byte_type(s),
                           .zeros = sweep_chance(s, 2),
                           .per_channel = sweep_chance(s, 2)};
  q.x_zero = (uint8_t)sweep_pick(s, 0, 255), q.y_zero = (uint8_t)sweep_pick(s, 0, 255);
  q.x_scale = (float)sweep_pick(s, 1, 1000) / 16384.0f;
  q.y_scale = q.x_scale * (float)sqrt((double)(o->terms + !o->terms)) * (float)sweep_pick(s, 10, 200);
  for (int64_t m = 0; m < o->outputs; m++) {
    stored.w_zeros[m] = q.zeros ? (uint8_t)sweep_pick(s, 0, 255) : q.w == ONR_DTYPE_U8 ? 128 : 0;
    stored.w_scales[m] = (float)sweep_pick(s, 100, 1000) / 1024.0f;
    stored.bias[m] = (int32_t)sweep_pick(s, -3000, 3000);
  }
  return q;
}

/* Differences from the zero points, in data. */
static void fill(struct sweep *s, const struct geometry *g, const struct operands *o, const struct quantisation *q) {
  for (int64_t i = 0; i < o->x_count; i++) {
    stored.x[i] = (uint8_t)sweep_next(s);
    data.x[i] = (double)(value_of(q->x, stored.x[i]) - value_of(q->x, q->x_zero));
  }
  for (int64_t i = 0; i < o->w_count; i++) {
    const int64_t m = q->per_channel ? i / (o->w_count / o->outputs) : 0;
    stored.w[i] = (uint8_t)sweep_next(s);
    data.w[i] = (double)(value_of(q->w, stored.w[i]) - value_of(q->w, stored.w_zeros[m]));
  }
  for (int64_t m = 0; m < o->outputs && g->bias; m++) data.bias[m] = (double)stored.bias[m];
}

static void add(struct layer_test *t, int constant, enum onr_dtype dtype, int32_t rank, const int64_t *dims,
                const void *values) {
  (constant ? layer_test_constant : layer_test_input)(t, dtype, rank, dims, values);
}

static void compare_sums(const struct geometry *g, const struct axes *a, const struct layer_test *t, size_t count) {
  const int32_t *found = t->out[0].data;
  for (size_t i = 0; i < count; i++)
    if ((double)found[i] != data.y[i]) complain(g, a, "conv_integer", "value", (int64_t)i, (double)found[i], data.y[i]);
}

static void compare_steps(const struct geometry *g, const struct axes *a, const struct quantisation *q,
                          const struct layer_test *t, size_t count) {
  const int64_t channels = operands_of(g).outputs, pixels = a->out[0] * a->out[1] * a->out[2];
  const double low = q->y == ONR_DTYPE_U8 ? 0 : -128, high = low + 255;
  for (size_t i = 0; i < count; i++) {
    const int64_t m = g->channels_last ? (int64_t)i % channels : (int64_t)i / pixels % channels;
    const double real =
        data.y[i] * (double)q->x_scale * (double)stored.w_scales[q->per_channel ? m : 0] / (double)q->y_scale;
    const double found = (double)value_of(q->y, ((const uint8_t *)t->out[0].data)[i]),
                 zero = (double)value_of(q->y, q->y_zero);
    const double edge = fabs(real) * 1e-6 + 1e-6, least = rint(real - edge) + zero, most = rint(real + edge) + zero;
    if (found < fmax(low, fmin(high, least)) || found > fmax(low, fmin(high, most)))
      complain(g, a, "qlinear_conv", "value", (int64_t)i, found, real + zero);
  }
}

static void check(struct sweep *s, const struct geometry *given, int quantised) {
  struct geometry g = *given;
  g.bias = quantised && g.bias;
  const struct axes a = axes_of(&g);
  const struct operands o = operands_of(&g);
  const struct quantisation q = draw_quantisation(s, &o);
  const struct onr_conv_params params = {.window = g.window, .groups = g.groups, .channels_last = g.channels_last};
  const int64_t one = 1, *per = q.per_channel ? &o.outputs : &one;
  fill(s, &g, &o, &q);
  const size_t count = reference(&g, &a);
  struct layer_test t = {.layer = quantised ? &onri_layer_qlinear_conv : &onri_layer_conv_integer,
                         .params = &params,
                         .num_out = 1,
                         .threads = g.threads,
                         .backend = g.backend};
  layer_test_input(&t, q.x, g.spatial + 2, o.x, stored.x);
  if (!quantised) {
    add(&t, g.constant, q.w, g.spatial + 2, o.w, stored.w);
    add(&t, g.constant, q.x, 0, NULL, &q.x_zero);
    add(&t, g.constant, q.w, 1, per, stored.w_zeros);
  } else {
    add(&t, g.constant, ONR_DTYPE_F32, 0, NULL, &q.x_scale);
    add(&t, g.constant, q.x, 0, NULL, &q.x_zero);
    add(&t, g.constant, q.w, g.spatial + 2, o.w, stored.w);
    add(&t, g.constant, ONR_DTYPE_F32, 1, per, stored.w_scales);
    add(&t, g.constant, q.w, 1, per, stored.w_zeros);
    add(&t, g.constant, ONR_DTYPE_F32, 0, NULL, &q.y_scale);
    add(&t, g.constant, q.y, 0, NULL, &q.y_zero);
    if (g.bias) add(&t, g.constant, ONR_DTYPE_I32, 1, &o.outputs, stored.bias);
  }
  if (layer_test_run(&t) != ONR_STATUS_OK) complain(&g, &a, t.layer->name, t.error.message, 0, 0, 0);
  if (onr_desc_elements(&t.out[0].desc) != (int64_t)count)
    complain(&g, &a, t.layer->name, "size", 0, (double)onr_desc_elements(&t.out[0].desc), (double)count);
  if (quantised) compare_steps(&g, &a, &q, &t, count);
  else compare_sums(&g, &a, &t, count);
  layer_test_clear(&t);
}

static void test_random_convolutions(void **state) {
  struct sweep s = sweep_from(3);
  int checked = 0;
  (void)state;
  for (int i = 0; i < sweep_cases(5000); i++) {
    struct geometry g;
    if (!draw(&s, &g) || g.transposed) continue;
    if (sweep_chance(&s, 50)) g.group_in = 0;
    check(&s, &g, !sweep_chance(&s, 3));
    checked++;
  }
  assert_true(checked > sweep_cases(1000));
}

/* Groups of one to four channels, several of which a vector holds. */
static void test_few_channels(void **state) {
  struct sweep s = sweep_from(4);
  int checked = 0;
  (void)state;
  for (int i = 0; i < sweep_cases(4000); i++) {
    struct geometry g;
    if (!draw(&s, &g) || g.transposed) continue;
    const int64_t in = (int64_t[]){1, 1, 2, 4}[sweep_pick(&s, 0, 3)];
    g.channels_last = 1;
    g.group_in = in, g.group_out = in > 1 ? in : sweep_pick(&s, 1, 8);
    g.groups = sweep_pick(&s, 2, 100 / g.group_out);
    if (!fits(&g)) continue;
    check(&s, &g, !sweep_chance(&s, 3));
    checked++;
  }
  assert_true(checked > sweep_cases(500));
}

static void test_large_kernels(void **state) {
  struct sweep s = sweep_from(5);
  int checked = 0;
  (void)state;
  for (int i = 0; i < sweep_cases(2000); i++) {
    struct geometry g;
    if (!draw_large(&s, &g) || g.transposed) continue;
    check(&s, &g, !sweep_chance(&s, 3));
    checked++;
  }
  assert_true(checked > sweep_cases(100));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_convolutions), cmocka_unit_test(test_few_channels),
                                     cmocka_unit_test(test_large_kernels)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
