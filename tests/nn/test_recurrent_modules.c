/* RNN, LSTM, GRU and their cells against PyTorch (make_recurrent_cases.py) */
#include "tests/support/layer_test.h"

#include <string.h>

#include "onnxrun/nn.h"
#include "onnxrun/session.h"

#include "recurrent_cases.inc"

enum kind { RNN, GRU, LSTM };
enum { BATCH = 2, STEPS = 4, IN = 3, HIDDEN = 5 };

struct one_case {
  enum kind kind;
  int cell;
  struct onr_rnn p;
  int no_bias;
  const float *x, *w, *s, *y;
  size_t num_w, num_y;
};

static struct onr_weight take(const float **next, size_t count) {
  const struct onr_weight taken = onr_weight(*next, count);
  *next += count;
  return taken;
}

/* Cuts the flat parameters, PyTorch's order: weight_ih, weight_hh, bias_ih, bias_hh, weight_hr of each cell. */
static size_t cut(const struct one_case *c, struct onr_rnn_weights *weights, size_t cells) {
  const size_t gates = c->kind == RNN ? 1 : c->kind == GRU ? 3 : 4, directions = c->p.bidirectional ? 2 : 1;
  const size_t size = c->p.proj_size ? (size_t)c->p.proj_size : HIDDEN;
  const float *w = c->w;
  for (size_t i = 0; i < cells; i++) {
    const size_t input = i < directions ? IN : directions * size;
    weights[i] = (struct onr_rnn_weights){.weight_ih = take(&w, gates * HIDDEN * input)};
    weights[i].weight_hh = take(&w, gates * HIDDEN * size);
    if (!c->no_bias) weights[i].bias_ih = take(&w, gates * HIDDEN);
    if (!c->no_bias) weights[i].bias_hh = take(&w, gates * HIDDEN);
    if (c->p.proj_size) weights[i].weight_hr = take(&w, size * HIDDEN);
  }
  return (size_t)(w - c->w);
}

static void build(struct onr_net *net, const struct one_case *c, const struct onr_rnn_weights *weights, size_t cells) {
  const int64_t *dims = c->cell ? (int64_t[]){BATCH, IN} : (int64_t[]){ONR_UNKNOWN_DIM, ONR_UNKNOWN_DIM, IN};
  const int64_t size = c->p.proj_size ? c->p.proj_size : HIDDEN, h_dims[3] = {(int64_t)cells, BATCH, size},
                c_dims[3] = {(int64_t)cells, BATCH, HIDDEN};
  const struct onr_desc h_desc = onr_desc_make(ONR_DTYPE_F32, c->cell ? 2 : 3, h_dims + c->cell);
  const struct onr_desc c_desc = onr_desc_make(ONR_DTYPE_F32, c->cell ? 2 : 3, c_dims + c->cell);
  const int x = onr_net_input(net, "x", ONR_DTYPE_F32, c->cell ? 2 : 3, dims);
  const int h = c->s ? onr_net_constant(net, &h_desc, c->s) : -1;
  const int s = c->s && c->kind == LSTM ? onr_net_constant(net, &c_desc, c->s + cells * BATCH * (size_t)size) : -1;
  int h_n = -1, c_n = -1, y;
  if (c->cell)
    y = c->kind == RNN   ? onr_rnn_cell(net, x, h, &c->p, weights)
        : c->kind == GRU ? onr_gru_cell(net, x, h, &c->p, weights)
                         : onr_lstm_cell(net, x, h, s, &c->p, weights, &c_n);
  else
    y = c->kind == RNN   ? onr_rnn(net, x, h, &c->p, weights, &h_n)
        : c->kind == GRU ? onr_gru(net, x, h, &c->p, weights, &h_n)
                         : onr_lstm(net, x, h, s, &c->p, weights, &h_n, &c_n);
  onr_net_output(net, "y", y);
  if (h_n >= 0) onr_net_output(net, "h_n", h_n);
  if (c_n >= 0) onr_net_output(net, "c_n", c_n);
}

/* All outputs one behind the other are PyTorch's. */
static void compare(const struct onr_model *model, const struct one_case *c) {
  struct onr_session *session;
  struct onr_error error;
  size_t done = 0;
  const int64_t *dims = c->cell            ? (int64_t[]){BATCH, IN, 0}
                        : c->p.batch_first ? (int64_t[]){BATCH, STEPS, IN}
                                           : (int64_t[]){STEPS, BATCH, IN};
  const struct onr_tensor x = {onr_desc_make(ONR_DTYPE_F32, c->cell ? 2 : 3, dims), (void *)(uintptr_t)c->x};
  assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_set_input(session, 0, &x, &error), ONR_STATUS_OK);
  if (onr_session_run(session, &error) != ONR_STATUS_OK) fail_msg("%s: %s", error.where, error.message);
  for (size_t i = 0; i < onr_model_num_outputs(model); i++) {
    struct onr_tensor y;
    assert_int_equal(onr_session_get_output(session, i, &y, &error), ONR_STATUS_OK);
    const size_t count = (size_t)onr_desc_elements(&y.desc);
    assert_true(count && done + count <= c->num_y);
    assert_close(y.data, c->y + done, count, 1e-4, 1e-4);
    done += count;
  }
  assert_int_equal(done, c->num_y);
  onr_session_destroy(session);
}

static void check(const struct one_case *c) {
  const size_t cells = (size_t)(c->p.num_layers ? c->p.num_layers : 1) * (c->p.bidirectional ? 2 : 1);
  const size_t size = c->p.proj_size ? (size_t)c->p.proj_size : HIDDEN;
  const size_t states = !c->s ? 0 : cells * BATCH * (size + (c->kind == LSTM ? HIDDEN : 0));
  struct onr_rnn_weights weights[4];
  struct onr_net *net;
  struct onr_model *model;
  struct onr_error error;
  assert_int_equal(cut(c, weights, cells), c->num_w);
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  build(net, c, weights, cells);
  assert_int_equal(onr_net_parameters(net), c->num_w + states);
  if (onr_net_finish(net, &model, &error) != ONR_STATUS_OK) fail_msg("%s: %s", error.where, error.message);
  compare(model, c);
  onr_model_destroy(model);
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DATA(name) .x = name##_x, .w = name##_w, .num_w = COUNT(name##_w), .y = name##_y, .num_y = COUNT(name##_y)

static void rnn(void **state) {
  (void)state;
  check(&(struct one_case){RNN, 0, {IN, HIDDEN, .num_layers = 1}, DATA(rnn_plain)});
  check(&(struct one_case){
      RNN, 0, {IN, HIDDEN, .num_layers = 2, .bidirectional = 1, .relu = 1}, .no_bias = 1, DATA(rnn_relu)});
  check(&(struct one_case){RNN, 1, {IN, HIDDEN, .num_layers = 1}, .s = rnn_cell_s, DATA(rnn_cell)});
}

static void gru(void **state) {
  (void)state;
  check(&(struct one_case){GRU, 0, {IN, HIDDEN, .num_layers = 1}, DATA(gru_plain)});
  check(&(struct one_case){
      GRU, 0, {IN, HIDDEN, .num_layers = 2, .bidirectional = 1, .batch_first = 1}, .s = gru_deep_s, DATA(gru_deep)});
  check(&(struct one_case){GRU, 1, {IN, HIDDEN, .num_layers = 1}, .s = gru_cell_s, DATA(gru_cell)});
}

static void lstm(void **state) {
  (void)state;
  check(&(struct one_case){LSTM, 0, {IN, HIDDEN, .num_layers = 1}, DATA(lstm_plain)});
  check(&(struct one_case){
      LSTM, 0, {IN, HIDDEN, .num_layers = 2, .bidirectional = 1, .batch_first = 1}, .s = lstm_deep_s, DATA(lstm_deep)});
  check(
      &(struct one_case){LSTM, 0, {IN, HIDDEN, .num_layers = 2, .bidirectional = 1, .proj_size = 2}, DATA(lstm_proj)});
  check(&(struct one_case){LSTM,
                           0,
                           {IN, HIDDEN, .num_layers = 2, .bidirectional = 1, .batch_first = 1, .proj_size = 4},
                           .s = lstm_proj_state_s,
                           DATA(lstm_proj_state)});
  check(&(struct one_case){LSTM,
                           0,
                           {IN, HIDDEN, .num_layers = 1, .proj_size = 1},
                           .no_bias = 1,
                           .s = lstm_proj_bare_s,
                           DATA(lstm_proj_bare)});
  check(&(struct one_case){LSTM, 1, {IN, HIDDEN, .num_layers = 1}, .s = lstm_cell_s, DATA(lstm_cell)});
}

static void wrong_parameters_are_refused(void **state) {
  const float w[100] = {0};
  const struct onr_rnn_weights whole = {.weight_ih = {w, 4}, .weight_hh = {w, 4}};
  const struct onr_rnn_weights half = {.weight_ih = {w, 4}, .weight_hh = {w, 4}, .bias_ih = {w, 2}};
  const struct onr_rnn good = {2, 2, .num_layers = 1}, empty = {0, 2, .num_layers = 1},
                       projected = {2, 2, .proj_size = 1}, deep = {2, 2, .num_layers = 1000};
  struct onr_net *net;
  struct onr_model *model;
  struct onr_error error;
  const struct {
    const struct onr_rnn *p;
    const struct onr_rnn_weights *weights;
    const char *text;
  } cases[] = {{&empty, &whole, "input_size"},
               {&projected, &whole, "proj_size"},
               {&deep, &whole, "num_layers"},
               {&good, &half, "biases"}};
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
    const int x = onr_net_input(net, "x", ONR_DTYPE_F32, 3, (int64_t[]){1, 1, 2});
    onr_net_output(net, "y", onr_gru(net, x, -1, cases[i].p, cases[i].weights, NULL));
    assert_int_equal(onr_net_finish(net, &model, &error), ONR_STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, cases[i].text));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rnn),
      cmocka_unit_test(gru),
      cmocka_unit_test(lstm),
      cmocka_unit_test(wrong_parameters_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
