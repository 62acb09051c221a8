/* lstm, gru, rnn and dynamic_quantize_lstm against ONNX's equations in double, step by step. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "base/numbers/convert.h"
#include "layers/layers.h"

enum { CAPACITY = 40000 };
enum kind { LSTM, GRU, RNN };
static const struct onr_layer *const layers[] = {&onri_layer_lstm, &onri_layer_gru, &onri_layer_rnn};
static const size_t gates_of[] = {4, 3, 1};

struct setup {
  enum kind kind;
  size_t steps, batch, input, hidden;
  struct onr_recurrent_params params;
  int bias, lengths, states, peephole, constant;
  size_t projection; /* width of h; 0: hidden */
  enum onr_dtype dtype;
  int in_bytes; /* h is rounded before each step: of one sequence */
};

static float x[CAPACITY], w[CAPACITY], r[CAPACITY], bias[CAPACITY], h0[CAPACITY], c0[CAPACITY], peephole[CAPACITY],
    projection[CAPACITY];
static float expected_y[CAPACITY], expected_h[CAPACITY], expected_c[CAPACITY];
static int32_t lengths[16];

static double activate(const struct onr_recurrent_function *f, int usual_tanh, double v,
                       const struct onr_recurrent_params *p) {
  if (p->has_clip) v = fmin(fmax(v, -(double)p->clip), (double)p->clip);
  switch (f->kind) {
    case ONR_RECURRENT_DEFAULT: return usual_tanh ? tanh(v) : 1 / (1 + exp(-v));
    case ONR_RECURRENT_RELU: return fmax(v, 0);
    case ONR_RECURRENT_HARD_SIGMOID: return fmin(fmax((double)f->alpha * v + (double)f->beta, 0), 1);
    case ONR_RECURRENT_SOFTSIGN: return v / (1 + fabs(v));
    case ONR_RECURRENT_TANH: return tanh(v);
    case ONR_RECURRENT_SIGMOID: return 1 / (1 + exp(-v));
    case ONR_RECURRENT_ELU: return v < 0 ? (double)f->alpha * (exp(v) - 1) : v;
    case ONR_RECURRENT_SOFTPLUS: return log(1 + exp(v));
    default: return NAN;
  }
}

static size_t width_of(const struct setup *s) { return s->projection ? s->projection : s->hidden; }

static double dot(const float *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)a[i] * b[i];
  return sum;
}

/* W x, R h or a bias of gate g, unit j of direction d. */
static double input_part(const struct setup *s, size_t d, size_t g, size_t j, const double *xt) {
  const size_t gates = gates_of[s->kind], row = (d * gates + g) * s->hidden + j;
  return dot(w + row * s->input, xt, s->input) +
         (s->bias ? (double)bias[d * 2 * gates * s->hidden + g * s->hidden + j] : 0);
}

static double recurrent_bias(const struct setup *s, size_t d, size_t g, size_t j) {
  const size_t gates = gates_of[s->kind];
  return s->bias ? (double)bias[(d * 2 * gates + gates + g) * s->hidden + j] : 0;
}

static double recurrent_part(const struct setup *s, size_t d, size_t g, size_t j, const double *h) {
  return dot(r + ((d * gates_of[s->kind] + g) * s->hidden + j) * width_of(s), h, width_of(s)) +
         recurrent_bias(s, d, g, j);
}

/* What dynamic_quantize_linear makes of these, as real numbers. */
static void round_to_bytes(double *values, size_t count) {
  float least = 0, greatest = 0;
  for (size_t i = 0; i < count; i++)
    least = fminf(least, (float)values[i]), greatest = fmaxf(greatest, (float)values[i]);
  const float scale = (greatest == least ? 1.0f : greatest - least) / 255.0f, zero = rintf(-least / scale);
  for (size_t i = 0; i < count; i++)
    values[i] = (fmin(fmax(rint(values[i] / (double)scale) + (double)zero, 0), 255) - (double)zero) * (double)scale;
}

static void lstm_step(const struct setup *s, size_t d, const double *xt, double *h, double *c) {
  const struct onr_recurrent_function *f = s->params.functions + 3 * d;
  const float *p = peephole + d * 3 * s->hidden;
  double next[64];
  if (s->in_bytes) round_to_bytes(h, s->hidden);
  for (size_t j = 0; j < s->hidden; j++) {
    double in[4];
    for (size_t g = 0; g < 4; g++) in[g] = input_part(s, d, g, j, xt) + recurrent_part(s, d, g, j, h);
    if (s->peephole) in[0] += (double)p[j] * c[j];
    if (s->peephole) in[2] += (double)p[2 * s->hidden + j] * c[j];
    const double i = activate(&f[0], 0, in[0], &s->params);
    const double forget = s->params.input_forget ? 1 - i : activate(&f[0], 0, in[2], &s->params);
    c[j] = forget * c[j] + i * activate(&f[1], 1, in[3], &s->params);
    if (s->peephole) in[1] += (double)p[s->hidden + j] * c[j];
    next[j] = activate(&f[0], 0, in[1], &s->params) * activate(&f[2], 1, c[j], &s->params);
  }
  for (size_t j = 0; j < width_of(s); j++)
    h[j] = s->projection ? dot(projection + (d * s->projection + j) * s->hidden, next, s->hidden) : next[j];
}

static void gru_step(const struct setup *s, size_t d, const double *xt, double *h) {
  const struct onr_recurrent_function *f = s->params.functions + 2 * d;
  double reset[64], next[64];
  for (size_t j = 0; j < s->hidden; j++)
    reset[j] = activate(&f[0], 0, input_part(s, d, 1, j, xt) + recurrent_part(s, d, 1, j, h), &s->params);
  for (size_t j = 0; j < s->hidden; j++) {
    const double z = activate(&f[0], 0, input_part(s, d, 0, j, xt) + recurrent_part(s, d, 0, j, h), &s->params);
    double gated[64], inner;
    for (size_t i = 0; i < s->hidden; i++) gated[i] = reset[i] * h[i];
    inner =
        s->params.linear_before_reset ? reset[j] * recurrent_part(s, d, 2, j, h) : recurrent_part(s, d, 2, j, gated);
    next[j] = (1 - z) * activate(&f[1], 1, input_part(s, d, 2, j, xt) + inner, &s->params) + z * h[j];
  }
  memcpy(h, next, s->hidden * sizeof(*h));
}

static void rnn_step(const struct setup *s, size_t d, const double *xt, double *h) {
  double next[64];
  for (size_t j = 0; j < s->hidden; j++)
    next[j] =
        activate(&s->params.functions[d], 1, input_part(s, d, 0, j, xt) + recurrent_part(s, d, 0, j, h), &s->params);
  memcpy(h, next, s->hidden * sizeof(*h));
}

static void reference(const struct setup *s) {
  const size_t directions = s->params.direction == ONR_DIRECTION_BOTH ? 2 : 1;
  const int last = s->params.layout;
  memset(expected_y, 0, sizeof(expected_y));
  for (size_t d = 0; d < directions; d++)
    for (size_t b = 0; b < s->batch; b++) {
      const size_t index = last ? b * directions + d : d * s->batch + b, width = width_of(s);
      const size_t length = s->lengths ? (size_t)lengths[b] : s->steps;
      double h[64] = {0}, c[64] = {0}, xt[64];
      for (size_t j = 0; j < width && s->states; j++) h[j] = (double)h0[index * width + j];
      for (size_t j = 0; j < s->hidden && s->states; j++) c[j] = (double)c0[index * s->hidden + j];
      for (size_t step = 0; step < length; step++) {
        const size_t t = d == 1 || s->params.direction == ONR_DIRECTION_REVERSE ? length - 1 - step : step;
        for (size_t i = 0; i < s->input; i++)
          xt[i] = (double)x[(last ? b * s->steps + t : t * s->batch + b) * s->input + i];
        if (s->kind == LSTM) lstm_step(s, d, xt, h, c);
        if (s->kind == GRU) gru_step(s, d, xt, h);
        if (s->kind == RNN) rnn_step(s, d, xt, h);
        const size_t row = last ? (b * s->steps + t) * directions + d : (t * directions + d) * s->batch + b;
        for (size_t j = 0; j < width; j++) expected_y[row * width + j] = (float)h[j];
      }
      for (size_t j = 0; j < width; j++) expected_h[index * width + j] = (float)h[j];
      for (size_t j = 0; j < s->hidden; j++) expected_c[index * s->hidden + j] = (float)c[j];
    }
}

static void add(struct layer_test *t, enum onr_dtype dtype, int constant, int32_t rank, const int64_t *dims,
                float *values) {
  static double raw[CAPACITY];
  const struct onr_desc desc = onr_desc_make(dtype, rank, dims);
  const size_t count = (size_t)onr_desc_elements(&desc);
  if (dtype == ONR_DTYPE_F64)
    for (size_t i = 0; i < count; i++) raw[i] = (double)values[i];
  else onri_store(dtype, values, count, raw);
  if (dtype != ONR_DTYPE_F64) onri_load(dtype, raw, count, values);
  if (constant) layer_test_constant(t, dtype, rank, dims, raw);
  else layer_test_input(t, dtype, rank, dims, raw);
}

static void compare(const struct onr_tensor *t, const float *expected) {
  static float found[CAPACITY];
  const size_t count = (size_t)onr_desc_elements(&t->desc);
  const double tolerance = t->desc.dtype == ONR_DTYPE_F16 ? 3e-3 : 3e-6;
  if (t->desc.dtype == ONR_DTYPE_F64)
    for (size_t i = 0; i < count; i++) found[i] = (float)((const double *)t->data)[i];
  else onri_load(t->desc.dtype, t->data, count, found);
  assert_close(found, expected, count, tolerance, tolerance);
}

static void check(struct setup s) {
  const int64_t steps = (int64_t)s.steps, batch = (int64_t)s.batch, hidden = (int64_t)s.hidden,
                input = (int64_t)s.input;
  const int64_t directions = s.params.direction == ONR_DIRECTION_BOTH ? 2 : 1,
                rows = (int64_t)gates_of[s.kind] * hidden;
  const int last = s.params.layout;
  const int64_t outer = last ? batch : directions, inner = last ? directions : batch, width = (int64_t)width_of(&s);
  s.dtype = s.dtype == ONR_DTYPE_NONE ? ONR_DTYPE_F32 : s.dtype;
  for (uint32_t run = 0; run < 4; run++) {
    float *const all[] = {x, w, r, bias, h0, c0, peephole, projection};
    const float range =
        s.hidden > 16 ? 0.1f : 0.6f; /* many large weights make the steps chaotic: rounding errors grow */
    for (uint32_t i = 0; i < 8; i++) fill_random(all[i], CAPACITY, -range, range, i + 1);
    for (int i = 0; i < 16; i++) lengths[i] = (int32_t)((size_t)(i * 3 + 2) % (s.steps + 1));
    struct layer_test t = {.layer = layers[s.kind],
                           .params = &s.params,
                           .num_out = s.kind == LSTM ? 3 : 2,
                           .threads = 1 + (run & 1),
                           .backend = run < 2 ? ONR_BACKEND_PORTABLE : ONR_BACKEND_AUTO};
    add(&t, s.dtype, 0, 3, last ? (int64_t[]){batch, steps, input} : (int64_t[]){steps, batch, input}, x);
    add(&t, s.dtype, s.constant, 3, (int64_t[]){directions, rows, input}, w);
    add(&t, s.dtype, s.constant, 3, (int64_t[]){directions, rows, width}, r);
    if (s.bias) add(&t, s.dtype, s.constant, 2, (int64_t[]){directions, 2 * rows}, bias);
    else layer_test_input(&t, s.dtype, 0, NULL, NULL);
    layer_test_input(&t, ONR_DTYPE_I32, 1, &batch, s.lengths ? lengths : NULL);
    if (s.states) add(&t, s.dtype, 0, 3, (int64_t[]){outer, inner, width}, h0);
    else layer_test_input(&t, s.dtype, 0, NULL, NULL);
    if (s.kind == LSTM && s.states) add(&t, s.dtype, 0, 3, (int64_t[]){outer, inner, hidden}, c0);
    if (s.kind == LSTM && !s.states) layer_test_input(&t, s.dtype, 0, NULL, NULL);
    if (s.kind == LSTM && s.peephole) add(&t, s.dtype, 1, 2, (int64_t[]){directions, 3 * hidden}, peephole);
    if (s.projection && !s.peephole) layer_test_input(&t, s.dtype, 0, NULL, NULL);
    if (s.projection) add(&t, s.dtype, s.constant, 3, (int64_t[]){directions, width, hidden}, projection);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    reference(&s);
    compare(&t.out[0], expected_y);
    compare(&t.out[1], expected_h);
    if (s.kind == LSTM) compare(&t.out[2], expected_c);
    layer_test_clear(&t);
  }
}

static void test_default_functions(void **unused) {
  (void)unused;
  for (int kind = LSTM; kind <= RNN; kind++)
    for (int direction = 0; direction < 3; direction++)
      for (int flags = 0; flags < 16; flags++)
        check((struct setup){.kind = (enum kind)kind,
                             .steps = 5,
                             .batch = 3,
                             .input = 7,
                             .hidden = 9,
                             .params = {.direction = (enum onr_direction)direction,
                                        .layout = flags & 1,
                                        .linear_before_reset = flags >> 3},
                             .bias = flags >> 1 & 1,
                             .lengths = flags >> 2 & 1,
                             .states = flags >> 3,
                             .constant = flags & 2});
}

static void test_sizes(void **unused) {
  (void)unused;
  for (int kind = LSTM; kind <= RNN; kind++) {
    struct setup s = {.kind = (enum kind)kind,
                      .steps = 21,
                      .batch = 1,
                      .input = 33,
                      .hidden = 61,
                      .bias = 1,
                      .constant = 1,
                      .params = {.direction = ONR_DIRECTION_BOTH, .linear_before_reset = 1}};
    check(s);
    s.steps = 1;
    s.input = s.hidden = 1;
    check(s);
    s.steps = 0;
    check(s);
    s.steps = 2;
    s.batch = 0;
    check(s);
  }
}

static void test_number_types(void **unused) {
  (void)unused;
  for (int kind = LSTM; kind <= RNN; kind++)
    for (int i = 0; i < 4; i++)
      check((struct setup){.kind = (enum kind)kind,
                           .steps = 4,
                           .batch = 2,
                           .input = 5,
                           .hidden = 6,
                           .bias = 1,
                           .states = 1,
                           .params = {.direction = ONR_DIRECTION_BOTH, .linear_before_reset = 1},
                           .constant = i & 1,
                           .dtype = i & 2 ? ONR_DTYPE_F64 : ONR_DTYPE_F16});
}

static void test_lstm_options(void **unused) {
  (void)unused;
  for (int flags = 1; flags < 8; flags++)
    check((struct setup){.kind = LSTM,
                         .steps = 6,
                         .batch = 2,
                         .input = 4,
                         .hidden = 5,
                         .bias = 1,
                         .states = 1,
                         .constant = 1,
                         .params = {.direction = ONR_DIRECTION_BOTH,
                                    .input_forget = flags & 1,
                                    .has_clip = flags >> 1 & 1,
                                    .clip = 0.3f},
                         .peephole = flags >> 2});
}

static void test_projection(void **unused) {
  (void)unused;
  for (size_t width = 1; width <= 9; width += 4)
    for (int direction = 0; direction < 3; direction++)
      for (int flags = 0; flags < 32; flags++)
        check((struct setup){.kind = LSTM,
                             .steps = 5,
                             .batch = 3,
                             .input = 4,
                             .hidden = 9,
                             .projection = width,
                             .bias = flags & 1,
                             .params = {.direction = (enum onr_direction)direction, .layout = flags >> 1 & 1},
                             .constant = flags >> 2 & 1,
                             .lengths = flags >> 3 & 1,
                             .states = flags >> 4});
  for (int i = 0; i < 4; i++)
    check((struct setup){.kind = LSTM,
                         .steps = 4,
                         .batch = 2,
                         .input = 5,
                         .hidden = 6,
                         .projection = 3,
                         .bias = 1,
                         .states = 1,
                         .peephole = i & 1,
                         .params = {.direction = ONR_DIRECTION_BOTH},
                         .constant = i & 1,
                         .dtype = i & 2 ? ONR_DTYPE_F64 : ONR_DTYPE_F16});
}

static void test_other_functions(void **unused) {
  (void)unused;
  const struct onr_recurrent_function relu = {ONR_RECURRENT_RELU, 0, 0},
                                      hard = {ONR_RECURRENT_HARD_SIGMOID, 0.3f, 0.4f},
                                      soft = {ONR_RECURRENT_SOFTSIGN, 0, 0}, tanh_ = {ONR_RECURRENT_TANH, 0, 0},
                                      elu = {ONR_RECURRENT_ELU, 0.5f, 0}, plus = {ONR_RECURRENT_SOFTPLUS, 0, 0};
  for (int lbr = 0; lbr <= 1; lbr++)
    for (int kind = LSTM; kind <= RNN; kind++)
      check((struct setup){.kind = (enum kind)kind,
                           .steps = 4,
                           .batch = 2,
                           .input = 4,
                           .hidden = 5,
                           .bias = 1,
                           .constant = 1,
                           .params = {.direction = ONR_DIRECTION_BOTH,
                                      .linear_before_reset = lbr,
                                      .functions = {hard, soft, relu, elu, tanh_, plus}}});
}

/* Bytes [directions, k, 4 hidden], and in `real` what they stand for, turned as lstm has them. */
struct byte_weights {
  uint8_t values[CAPACITY], zeros[CAPACITY];
  float scales[CAPACITY];
};
static void make_bytes(struct byte_weights *b, size_t directions, size_t k, size_t n, int is_signed, int each,
                       uint32_t seed, float *real) {
  static float random[CAPACITY];
  fill_random(random, CAPACITY, 0, 256, seed);
  for (size_t i = 0; i < directions * n; i++) {
    const size_t at = each ? i : i / n;
    b->zeros[at] = (uint8_t)((is_signed ? 3 : 130) - (int)(at % 7));
    b->scales[at] = 0.003f + 0.0002f * (float)(at % 5);
  }
  for (size_t d = 0; d < directions; d++)
    for (size_t p = 0; p < k; p++)
      for (size_t j = 0; j < n; j++) {
        const size_t i = (d * k + p) * n + j, at = each ? d * n + j : d;
        b->values[i] = (uint8_t)random[i];
        const int steps = is_signed ? (int8_t)b->values[i] - (int8_t)b->zeros[at] : b->values[i] - b->zeros[at];
        real[(d * n + j) * k + p] = (float)steps * b->scales[at];
      }
}

static void add_bytes(struct layer_test *t, int constant, enum onr_dtype dtype, int32_t rank, const int64_t *dims,
                      const void *data) {
  (constant ? layer_test_constant : layer_test_input)(t, dtype, rank, dims, data);
}

static void check_bytes(struct setup s, int is_signed, int each) {
  static struct byte_weights in, back;
  const size_t directions = s.params.direction == ONR_DIRECTION_BOTH ? 2 : 1, n = 4 * s.hidden;
  const int64_t batch = 1, steps = (int64_t)s.steps, hidden = (int64_t)s.hidden, input = (int64_t)s.input,
                both = (int64_t)directions, rows = (int64_t)n;
  const enum onr_dtype type = is_signed ? ONR_DTYPE_I8 : ONR_DTYPE_U8;
  s.kind = LSTM, s.batch = 1, s.in_bytes = s.bias = s.states = 1;
  make_bytes(&in, directions, s.input, n, is_signed, each, 1, w);
  make_bytes(&back, directions, s.hidden, n, is_signed, each, 2, r);
  fill_random(x, CAPACITY, -1, 1, 3);
  fill_random(bias, CAPACITY, -0.3f, 0.3f, 4);
  fill_random(h0, CAPACITY, -0.5f, 0.5f, 5);
  fill_random(c0, CAPACITY, -0.5f, 0.5f, 6);
  struct layer_test t = {.layer = &onri_layer_dynamic_quantize_lstm, .params = &s.params, .num_out = 3, .threads = 2};
  layer_test_input(&t, ONR_DTYPE_F32, 3, s.params.layout ? (int64_t[]){1, steps, input} : (int64_t[]){steps, 1, input},
                   x);
  add_bytes(&t, s.constant, type, 3, (int64_t[]){both, input, rows}, in.values);
  add_bytes(&t, s.constant, type, 3, (int64_t[]){both, hidden, rows}, back.values);
  layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){both, 2 * rows}, bias);
  layer_test_input(&t, ONR_DTYPE_I32, 1, &batch, NULL);
  const int64_t states[] = {s.params.layout ? 1 : both, s.params.layout ? both : 1, hidden};
  layer_test_input(&t, ONR_DTYPE_F32, 3, states, h0);
  layer_test_input(&t, ONR_DTYPE_F32, 3, states, c0);
  layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, NULL);
  for (int i = 0; i < 2; i++) {
    const struct byte_weights *b = i ? &back : &in;
    add_bytes(&t, s.constant, ONR_DTYPE_F32, each ? 2 : 1, (int64_t[]){both, rows}, b->scales);
    add_bytes(&t, s.constant, type, each ? 2 : 1, (int64_t[]){both, rows}, b->zeros);
  }
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  double rounded[CAPACITY];
  for (size_t i = 0; i < s.steps * s.input; i++) rounded[i] = (double)x[i];
  round_to_bytes(rounded, s.steps * s.input);
  for (size_t i = 0; i < s.steps * s.input; i++) x[i] = (float)rounded[i];
  reference(&s);
  compare(&t.out[0], expected_y);
  compare(&t.out[1], expected_h);
  compare(&t.out[2], expected_c);
  layer_test_clear(&t);
}

static void test_bytes(void **unused) {
  static const size_t sizes[][3] = {
      {5, 7, 9}, {3, 1, 1}, {4, 33, 17}, {1, 64, 61}, {0, 3, 4}}; /* steps, input, hidden */
  (void)unused;
  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
    for (int flags = 0; flags < 16; flags++)
      check_bytes((struct setup){.steps = sizes[i][0],
                                 .input = sizes[i][1],
                                 .hidden = sizes[i][2],
                                 .constant = flags & 1,
                                 .params = {.direction = (enum onr_direction)(flags % 3), .layout = flags >> 3}},
                  flags >> 1 & 1, flags >> 2 & 1);
}

/* --- what a file can get wrong --- */

struct wrong {
  const struct onr_layer *layer;
  int64_t w_rows, hidden, directions, hidden_size;
  int32_t length;
  enum onr_status status;
};

static void test_wrong_shapes(void **unused) {
  static const float zero[4096];
  const struct wrong cases[] = {
      {&onri_layer_lstm, 12, 3, 1, 7, 1, ONR_STATUS_SHAPE},
      {&onri_layer_lstm, 12, 3, 1, (int64_t)1 << 61, 1, ONR_STATUS_SHAPE},
      {&onri_layer_lstm, 12, 3, 1, -1, 1, ONR_STATUS_SHAPE},
      {&onri_layer_lstm, 12, 3, 1, 3, 99, ONR_STATUS_INDEX},
      {&onri_layer_lstm, 12, 3, 1, 3, -1, ONR_STATUS_INDEX},
      {&onri_layer_gru, 12, 3, 1, 3, 1, ONR_STATUS_SHAPE},
      {&onri_layer_lstm, 12, 3, 2, 3, 1, ONR_STATUS_SHAPE},
      {&onri_layer_lstm, 12, 3, 1, 3, 2, ONR_STATUS_OK},
  };
  (void)unused;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const struct wrong *c = &cases[i];
    const struct onr_recurrent_params params = {.hidden_size = c->hidden_size};
    struct layer_test t = {.layer = c->layer, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){2, 1, 4}, zero);
    layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){c->directions, c->w_rows, 4}, zero);
    layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){c->directions, c->w_rows, c->hidden}, zero);
    layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, NULL);
    layer_test_input(&t, ONR_DTYPE_I32, 1, (int64_t[]){1}, &c->length);
    assert_int_equal(layer_test_run(&t), c->status);
    layer_test_clear(&t);
  }
}

/* Projections that fit neither R nor the cell. */
static void test_wrong_projections(void **unused) {
  static const float zero[4096];
  const int64_t wrong[][4] = {{1, 2, 4, 2}, {1, 3, 3, 2}, {2, 2, 3, 2}, {1, 4, 3, 4}, {1, 2, 3, 3}},
                right[4] = {1, 2, 3, 2}; /* then the width of R */
  (void)unused;
  for (size_t i = 0; i < 6; i++) {
    const int64_t *dims = i < 5 ? wrong[i] : right;
    const struct onr_recurrent_params params = {.hidden_size = 3};
    struct layer_test t = {.layer = &onri_layer_lstm, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){2, 1, 4}, zero);
    layer_test_constant(&t, ONR_DTYPE_F32, 3, (int64_t[]){1, 12, 4}, zero);
    layer_test_constant(&t, ONR_DTYPE_F32, 3, (int64_t[]){1, 12, dims[3]}, zero);
    for (int k = 3; k < 8; k++) layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, NULL);
    layer_test_constant(&t, ONR_DTYPE_F32, 3, dims, zero);
    assert_int_equal(layer_test_run(&t), i < 5 ? ONR_STATUS_SHAPE : ONR_STATUS_OK);
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_default_functions),
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_number_types),
      cmocka_unit_test(test_lstm_options),
      cmocka_unit_test(test_other_functions),
      cmocka_unit_test(test_projection),
      cmocka_unit_test(test_bytes),
      cmocka_unit_test(test_wrong_shapes),
      cmocka_unit_test(test_wrong_projections),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
