/* recurrent.c: torch.nn.RNN, LSTM, GRU and their cells, a layer for each direction. Time comes first inside. */
#include "onnxrun/nn/recurrent.h"

#include <string.h>

#include "base/memory/memory.h"
#include "nn/nn_shape.h"
#include "params/move.h"
#include "params/recurrent.h"

enum { MAX_CELLS = 64, MAX_SIZE = 1 << 20 };

/* gate[i]: which of PyTorch's gates is the layer's gate i. */
struct kind {
  const char *name;
  const struct onr_layer *layer;
  size_t gates, gate[4], outputs;
};
static const struct kind rnn_kind = {"RNN", &onri_layer_rnn, 1, {0}, 2};
static const struct kind gru_kind = {"GRU", &onri_layer_gru, 3, {1, 0, 2}, 2};
static const struct kind lstm_kind = {"LSTM", &onri_layer_lstm, 4, {0, 3, 1, 2}, 3};

/* Blocks of rows in the layer's order of gates, [gates hidden, columns]. */
static void reorder(const struct kind *kind, size_t hidden, size_t columns, const float *from, float *to) {
  const size_t block = hidden * columns;
  for (size_t g = 0; g < kind->gates; g++) memcpy(to + g * block, from + kind->gate[g] * block, block * sizeof(*to));
}

/* The constants W, R and bias (ONRI_NONE without) of one direction in in[1..3], the projection in in[8]. */
static void add_weights(struct onr_net *net, const struct kind *kind, const struct onr_rnn *p, size_t input,
                        const struct onr_rnn_weights *w, int *in) {
  const struct onr_allocator *allocator = net->model->env.allocator;
  const size_t hidden = (size_t)p->hidden_size, rows = kind->gates * hidden,
               output = p->proj_size ? (size_t)p->proj_size : hidden;
  const size_t wide = input > output ? input : output;
  if (!onri_net_check_count(net, kind->name, "weight_ih", w->weight_ih, (int64_t)rows, (int64_t)input) ||
      !onri_net_check_count(net, kind->name, "weight_hh", w->weight_hh, (int64_t)rows, (int64_t)output) ||
      !onri_net_check_count(net, kind->name, "bias_ih", w->bias_ih, (int64_t)rows, 1) ||
      !onri_net_check_count(net, kind->name, "bias_hh", w->bias_hh, (int64_t)rows, 1))
    return;
  float *buffer = onri_allocate(allocator, rows * (wide + 2) * sizeof(*buffer));
  if (!buffer) {
    onri_net_fail(net, ONR_STATUS_NO_MEMORY, "no memory for the weights of %s", kind->name);
    return;
  }
  reorder(kind, hidden, input, w->weight_ih.data, buffer);
  in[1] = onri_net_weight(net, kind->name, "weight_ih", onr_weight(buffer, rows * input), 3,
                          (int64_t[]){1, (int64_t)rows, (int64_t)input});
  reorder(kind, hidden, output, w->weight_hh.data, buffer);
  in[2] = onri_net_weight(net, kind->name, "weight_hh", onr_weight(buffer, rows * output), 3,
                          (int64_t[]){1, (int64_t)rows, (int64_t)output});
  in[8] = onri_net_weight(net, kind->name, "weight_hr", w->weight_hr, 3, (int64_t[]){1, p->proj_size, p->hidden_size});
  in[3] = ONRI_NONE;
  if (w->bias_ih.data) {
    reorder(kind, hidden, 1, w->bias_ih.data, buffer);
    reorder(kind, hidden, 1, w->bias_hh.data, buffer + rows);
    in[3] =
        onri_net_weight(net, kind->name, "bias", onr_weight(buffer, 2 * rows), 2, (int64_t[]){1, 2 * (int64_t)rows});
  }
  onri_release(allocator, buffer);
}

/* One layer in one direction: out[0] [T, B, size], out[1] [1, B, size], out[2] [1, B, hidden]. */
static void direction(struct onr_net *net, const struct kind *kind, const struct onr_rnn *p, int reverse, size_t input,
                      int x, int h, int c, const struct onr_rnn_weights *w, int *out) {
  struct onr_recurrent_params params = {.hidden_size = p->hidden_size, .linear_before_reset = 1};
  int in[9] = {x, ONRI_NONE, ONRI_NONE, ONRI_NONE, ONRI_NONE, h, c, ONRI_NONE, ONRI_NONE};
  size_t count = 9;
  if (!w->weight_ih.data || !w->weight_hh.data || !w->bias_ih.data != !w->bias_hh.data ||
      !w->weight_hr.data != !p->proj_size) {
    onri_net_fail(net, ONR_STATUS_ARGUMENT,
                  "%s: expected both weights, both biases or none, and weight_hr with proj_size alone", kind->name);
    return;
  }
  params.direction = reverse ? ONR_DIRECTION_REVERSE : ONR_DIRECTION_FORWARD;
  if (kind == &rnn_kind && p->relu) params.functions[0].kind = ONR_RECURRENT_RELU;
  add_weights(net, kind, p, input, w, in);
  while (in[count - 1] == ONRI_NONE) count--;
  onr_net_layer(net, kind->layer, &params, in, count, out, kind->outputs);
  out[0] = onri_net_squeeze(net, out[0], 1);
}

static int check(struct onr_net *net, const struct kind *kind, const struct onr_rnn *p) {
  const int64_t layers = p->num_layers ? p->num_layers : 1, directions = p->bidirectional ? 2 : 1;
  if (p->input_size <= 0 || p->input_size > MAX_SIZE || p->hidden_size <= 0 || p->hidden_size > MAX_SIZE)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT,
                         "%s: expected input_size and hidden_size in 1..%d, got %lld and %lld", kind->name, MAX_SIZE,
                         (long long)p->input_size, (long long)p->hidden_size);
  if (layers < 0 || layers * directions > MAX_CELLS)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: expected num_layers times directions in 1..%d, got %d layers",
                         kind->name, MAX_CELLS, (int)p->num_layers);
  if (p->proj_size < 0 || p->proj_size >= p->hidden_size || (p->proj_size && kind != &lstm_kind))
    return onri_net_fail(net, ONR_STATUS_ARGUMENT,
                         "%s: expected proj_size 0 or, for an LSTM, below hidden_size, got %lld", kind->name,
                         (long long)p->proj_size);
  return net->failed ? -1 : 0;
}

/* state [cells, B, size] in parts of [1, B, size]; none: ONRI_NONE each. */
static void split_state(struct onr_net *net, int state, size_t cells, int *parts) {
  const struct onr_split_params params = {.axis = 0, .even = 1};
  for (size_t i = 0; i < cells; i++) parts[i] = state;
  if (state != ONRI_NONE && cells > 1) onr_net_layer(net, &onri_layer_split, &params, &state, 1, parts, cells);
}

static int stack(struct onr_net *net, const struct kind *kind, const struct onr_rnn *p, int x, int h0, int c0,
                 const struct onr_rnn_weights *w, int *h_n, int *c_n) {
  if (h_n) *h_n = -1;
  if (c_n) *c_n = -1;
  if (!onri_net_check_given(net, kind->name, "its parameters", p)) return -1;
  const size_t layers = p->num_layers ? (size_t)p->num_layers : 1, directions = p->bidirectional ? 2 : 1;
  const size_t size = (size_t)(p->proj_size ? p->proj_size : p->hidden_size);
  int h[MAX_CELLS], c[MAX_CELLS];
  const int32_t batch_axis = p->batch_first ? 0 : 1;
  const int given = x;
  if (check(net, kind, p) < 0 || !onri_net_check_given(net, kind->name, "weights", w)) return -1;
  x = onri_net_batch_at(net, x, 3, batch_axis);
  if (h0 != ONRI_NONE) h0 = onri_net_batch_at(net, h0, 3, 1);
  if (c0 != ONRI_NONE) c0 = onri_net_batch_at(net, c0, 3, 1);
  split_state(net, h0, layers * directions, h);
  split_state(net, c0, layers * directions, c);
  if (p->batch_first) x = onri_net_swap_outer(net, x);
  for (size_t l = 0; l < layers && !net->failed; l++) {
    int y[2] = {-1, -1};
    for (size_t d = 0; d < directions; d++) {
      const size_t cell = l * directions + d;
      int out[3] = {-1, -1, -1};
      direction(net, kind, p, d == 1, l ? size * directions : (size_t)p->input_size, x, h[cell], c[cell], &w[cell],
                out);
      y[d] = out[0];
      h[cell] = out[1];
      c[cell] = out[2];
    }
    x = onri_net_concat(net, y, directions, 2);
  }
  if (h_n) *h_n = onri_net_unbatch_at(net, onri_net_concat(net, h, layers * directions, 0), given, 3, 1);
  if (c_n) *c_n = onri_net_unbatch_at(net, onri_net_concat(net, c, layers * directions, 0), given, 3, 1);
  return onri_net_unbatch_at(net, p->batch_first ? onri_net_swap_outer(net, x) : x, given, 3, batch_axis);
}

int onr_rnn(struct onr_net *net, int x, int h0, const struct onr_rnn *rnn, const struct onr_rnn_weights *weights,
            int *h_n) {
  return stack(net, &rnn_kind, rnn, x, h0, ONRI_NONE, weights, h_n, NULL);
}

int onr_gru(struct onr_net *net, int x, int h0, const struct onr_rnn *gru, const struct onr_rnn_weights *weights,
            int *h_n) {
  return stack(net, &gru_kind, gru, x, h0, ONRI_NONE, weights, h_n, NULL);
}

int onr_lstm(struct onr_net *net, int x, int h0, int c0, const struct onr_rnn *lstm,
             const struct onr_rnn_weights *weights, int *h_n, int *c_n) {
  return stack(net, &lstm_kind, lstm, x, h0, c0, weights, h_n, c_n);
}

/* [B, size] or [size] as [1, B, size]. */
static int one_step(struct onr_net *net, int x) {
  return x == ONRI_NONE ? x : onri_net_unsqueeze(net, onri_net_batch_at(net, x, 2, 0), 0);
}

static int without_step(struct onr_net *net, int y, int x) {
  return onri_net_unbatch_at(net, onri_net_squeeze(net, y, 0), x, 2, 0);
}

/* A sequence of one step. */
static int step(struct onr_net *net, const struct kind *kind, const struct onr_rnn *cell, int x, int h, int c,
                const struct onr_rnn_weights *weights, int *c1) {
  if (!onri_net_check_given(net, kind->name, "its parameters", cell)) return -1;
  const struct onr_rnn p = {.input_size = cell->input_size, .hidden_size = cell->hidden_size, .relu = cell->relu};
  const int y = stack(net, kind, &p, one_step(net, x), one_step(net, h), one_step(net, c), weights, NULL, c1);
  if (c1) *c1 = without_step(net, *c1, x);
  return without_step(net, y, x);
}

int onr_rnn_cell(struct onr_net *net, int x, int h, const struct onr_rnn *cell, const struct onr_rnn_weights *weights) {
  return step(net, &rnn_kind, cell, x, h, ONRI_NONE, weights, NULL);
}

int onr_gru_cell(struct onr_net *net, int x, int h, const struct onr_rnn *cell, const struct onr_rnn_weights *weights) {
  return step(net, &gru_kind, cell, x, h, ONRI_NONE, weights, NULL);
}

int onr_lstm_cell(struct onr_net *net, int x, int h, int c, const struct onr_rnn *cell,
                  const struct onr_rnn_weights *weights, int *c1) {
  return step(net, &lstm_kind, cell, x, h, c, weights, c1);
}
