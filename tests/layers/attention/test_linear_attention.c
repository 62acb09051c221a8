/* linear_attention against its definition in double, a state at a time. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "base/numbers/convert.h"
#include "layers/layers.h"

enum { CAPACITY = 60000 };
enum { Q, K, V, PAST, DECAY, BETA, NUM_INPUTS };

struct setup {
  size_t batch, steps, heads, kv_heads, width, value_width;
  int gated, delta, past, decay_per_row, one_beta;
  float scale;
  enum onr_dtype dtype, state_dtype;
  uint32_t threads;
};

static float in[NUM_INPUTS][CAPACITY], y[CAPACITY], state[CAPACITY], found[CAPACITY];

/* Random values that the type can hold, as the next input. */
static void add(struct layer_test *t, enum onr_dtype dtype, int32_t rank, const int64_t *dims, int i, float low,
                float high) {
  static float raw[CAPACITY];
  const struct onr_desc desc = onr_desc_make(dtype, rank, dims);
  const size_t count = (size_t)onr_desc_elements(&desc);
  fill_random(in[i], count, low, high, (uint32_t)i + 1);
  onri_store(dtype, in[i], count, raw);
  onri_load(dtype, raw, count, in[i]);
  layer_test_input(t, dtype, rank, dims, raw);
}

/* One step of key head h of row = batch * steps + step; s is its state. */
static void reference_step(const struct setup *s, size_t row, size_t h, double *st) {
  const size_t group = s->heads / s->kv_heads, e = s->width, f = s->value_width;
  const float *k = in[K] + (row * s->kv_heads + h) * e, *v = in[V] + (row * s->kv_heads + h) * f;
  const double beta = (double)in[BETA][s->one_beta ? row : row * s->kv_heads + h];
  for (size_t i = 0; s->gated && i < e * f; i++) {
    const size_t at = row * s->kv_heads + h;
    st[i] *= exp((double)in[DECAY][s->decay_per_row ? at * e + i / f : at]);
  }
  for (size_t m = 0; m < f; m++) {
    double recalled = 0;
    for (size_t d = 0; d < e; d++) recalled += st[d * f + m] * (double)k[d];
    const double u = s->delta ? beta * ((double)v[m] - recalled) : (double)v[m];
    for (size_t d = 0; d < e; d++) st[d * f + m] += (double)k[d] * u;
  }
  for (size_t g = 0; g < group; g++)
    for (size_t m = 0; m < f; m++) {
      const size_t head = row * s->heads + h * group + g;
      double sum = 0;
      for (size_t d = 0; d < e; d++) sum += (double)in[Q][head * e + d] * st[d * f + m];
      y[head * f + m] = (float)(sum * (s->scale != 0 ? (double)s->scale : 1 / sqrt((double)e)));
    }
}

static void reference(const struct setup *s) {
  static double st[CAPACITY];
  const size_t size = s->width * s->value_width;
  for (size_t b = 0; b < s->batch; b++)
    for (size_t h = 0; h < s->kv_heads; h++) {
      const size_t at = (b * s->kv_heads + h) * size;
      for (size_t i = 0; i < size; i++) st[i] = s->past ? (double)in[PAST][at + i] : 0;
      for (size_t t = 0; t < s->steps; t++) reference_step(s, b * s->steps + t, h, st);
      for (size_t i = 0; i < size; i++) state[at + i] = (float)st[i];
    }
}

static double tolerance_of(enum onr_dtype dtype) {
  return dtype == ONR_DTYPE_F32 ? 2e-5 : dtype == ONR_DTYPE_F16 ? 1e-3 : 1e-2;
}

static void check(struct setup s) {
  const struct onr_linear_attention_params params = {(int64_t)s.heads, (int64_t)s.kv_heads, s.scale, s.gated, s.delta};
  const int64_t b = (int64_t)s.batch, t_ = (int64_t)s.steps, h = (int64_t)s.heads, kv = (int64_t)s.kv_heads,
                e = (int64_t)s.width;
  const int64_t f = (int64_t)s.value_width;
  struct layer_test t = {.layer = &onri_layer_linear_attention, .params = &params, .num_out = 2, .threads = s.threads};
  add(&t, s.dtype, 3, (int64_t[]){b, t_, h * e}, Q, -1, 1);
  add(&t, s.dtype, 3, (int64_t[]){b, t_, kv * e}, K, -0.3f, 0.3f);
  add(&t, s.dtype, 3, (int64_t[]){b, t_, kv * f}, V, -1, 1);
  if (s.past) add(&t, s.state_dtype, 4, (int64_t[]){b, kv, e, f}, PAST, -1, 1);
  if (!s.past) layer_test_input(&t, s.dtype, 0, NULL, NULL);
  if (s.gated) add(&t, s.dtype, 3, (int64_t[]){b, t_, s.decay_per_row ? kv * e : kv}, DECAY, -1, 0);
  if (!s.gated) layer_test_input(&t, s.dtype, 0, NULL, NULL);
  if (s.delta) add(&t, s.dtype, 3, (int64_t[]){b, t_, s.one_beta ? 1 : kv}, BETA, 0, 1);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  reference(&s);
  const double y_tolerance = tolerance_of(s.dtype), state_tolerance = tolerance_of(t.out[1].desc.dtype);
  assert_int_equal(t.out[0].desc.dtype, s.dtype);
  assert_int_equal(t.out[1].desc.dtype, s.past ? s.state_dtype : s.dtype);
  onri_load(s.dtype, t.out[0].data, s.batch * s.steps * s.heads * s.value_width, found);
  assert_close(found, y, s.batch * s.steps * s.heads * s.value_width, y_tolerance, y_tolerance);
  onri_load(t.out[1].desc.dtype, t.out[1].data, s.batch * s.kv_heads * s.width * s.value_width, found);
  assert_close(found, state, s.batch * s.kv_heads * s.width * s.value_width, state_tolerance, state_tolerance);
  layer_test_clear(&t);
}

static void test_rules(void **unused) {
  (void)unused;
  for (int flags = 0; flags < 32; flags++) {
    const int gated = flags & 1, delta = flags >> 1 & 1, past = flags >> 2 & 1, rows = flags >> 3 & 1, one = flags >> 4;
    check((struct setup){2, 5, 6, 3, 7, 40, gated, delta, past, rows, one, 0, ONR_DTYPE_F32, ONR_DTYPE_F32, 1});
    check((struct setup){1, 9, 2, 2, 16, 64, gated, delta, past, rows, one, 0.3f, ONR_DTYPE_F32, ONR_DTYPE_F32, 2});
  }
  check((struct setup){1, 1, 4, 1, 8, 33, 1, 1, 1, 0, 0, 0, ONR_DTYPE_F32, ONR_DTYPE_F32, 2});
  check((struct setup){2, 0, 2, 1, 8, 5, 1, 1, 1, 0, 0, 0, ONR_DTYPE_F32, ONR_DTYPE_F32, 1});
  check((struct setup){2, 3, 2, 1, 8, 0, 1, 1, 1, 0, 0, 0, ONR_DTYPE_F32, ONR_DTYPE_F32, 1});
  check((struct setup){0, 3, 2, 1, 8, 5, 1, 1, 1, 0, 0, 0, ONR_DTYPE_F32, ONR_DTYPE_F32, 1});
}

static void test_narrow_types(void **unused) {
  const enum onr_dtype types[] = {ONR_DTYPE_F32, ONR_DTYPE_F16, ONR_DTYPE_BF16};
  (void)unused;
  for (int i = 0; i < 9; i++)
    for (int past = 0; past <= 1; past++)
      check((struct setup){1, 6, 4, 2, 8, 12, 1, 1, past, past, 0, 0, types[i / 3], types[i % 3], 2});
}

struct wrong {
  int64_t heads, kv_heads;
  int64_t k[3], past[4], decay[3], beta[3]; /* 0 in front: omitted */
};

static void add_maybe(struct layer_test *t, int32_t rank, const int64_t *dims, int i) {
  layer_test_input(t, ONR_DTYPE_F32, rank, dims, dims[0] != 0 ? in[i] : NULL);
}

static enum onr_status status_of(const struct wrong *w) {
  const struct onr_linear_attention_params params = {w->heads, w->kv_heads, 0, 1, 1};
  struct layer_test t = {.layer = &onri_layer_linear_attention, .params = &params, .num_out = 2};
  layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){2, 3, 32}, in[Q]);
  add_maybe(&t, 3, w->k, K);
  layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){2, 3, 10}, in[V]);
  add_maybe(&t, 4, w->past, PAST);
  add_maybe(&t, 3, w->decay, DECAY);
  add_maybe(&t, 3, w->beta, BETA);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void test_wrong_shapes(void **unused) {
  static const struct wrong good = {4, 2, {2, 3, 16}, {2, 2, 8, 5}, {2, 3, 2}, {2, 3, 1}};
  struct wrong w = good;
  (void)unused;
  assert_int_equal(status_of(&w), ONR_STATUS_OK);
  w.kv_heads = 3;
  assert_int_equal(status_of(&w), ONR_STATUS_ATTRIBUTE);
  w.kv_heads = 0;
  assert_int_equal(status_of(&w), ONR_STATUS_ATTRIBUTE);
  w = good, w.heads = 6;
  assert_int_equal(status_of(&w), ONR_STATUS_SHAPE);
  w = good, w.heads = 64;
  assert_int_equal(status_of(&w), ONR_STATUS_SHAPE);
  w = good, w.k[2] = 32;
  assert_int_equal(status_of(&w), ONR_STATUS_SHAPE);
  w = good, w.k[1] = 4;
  assert_int_equal(status_of(&w), ONR_STATUS_SHAPE);
  w = good, w.past[3] = 6;
  assert_int_equal(status_of(&w), ONR_STATUS_SHAPE);
  w = good, w.decay[2] = 4;
  assert_int_equal(status_of(&w), ONR_STATUS_SHAPE);
  w = good, w.beta[2] = 16;
  assert_int_equal(status_of(&w), ONR_STATUS_SHAPE);
  w = good, w.beta[0] = 0;
  assert_int_equal(status_of(&w), ONR_STATUS_ARITY);
  w = good, w.decay[0] = 0;
  assert_int_equal(status_of(&w), ONR_STATUS_ARITY);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rules),
      cmocka_unit_test(test_narrow_types),
      cmocka_unit_test(test_wrong_shapes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
