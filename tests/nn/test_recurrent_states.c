/* recurrent: projected states at the start, and sequences without a batch, against PyTorch */
#include "support/nn_case.h"

#include "nn/cases/recurrent.inc"

/* The weights of up to four layers and directions, in PyTorch's order: number 1, 2 ... */
static const struct onr_rnn_weights *weights(size_t gates, const struct onr_rnn *p, int biased) {
  static struct onr_rnn_weights w[4];
  const size_t hidden = (size_t)p->hidden_size, proj = (size_t)p->proj_size, size = proj ? proj : hidden,
               rows = gates * hidden;
  const size_t directions = p->bidirectional ? 2 : 1, cells = (p->num_layers ? (size_t)p->num_layers : 1) * directions;
  int number = 0;
  for (size_t i = 0; i < cells; i++) {
    const size_t input = i < directions ? (size_t)p->input_size : directions * size;
    w[i] = (struct onr_rnn_weights){.weight_ih = nn_weight(number + 1, rows * input),
                                    .weight_hh = nn_weight(number + 2, rows * size)};
    number += 2;
    if (biased) {
      w[i].bias_ih = nn_weight(number + 1, rows);
      w[i].bias_hh = nn_weight(number + 2, rows);
      number += 2;
    }
    if (proj) w[i].weight_hr = nn_weight(++number, proj * hidden);
  }
  return w;
}

static const struct onr_rnn
    plain = {.input_size = 3, .hidden_size = 5},
    first = {.input_size = 3, .hidden_size = 5, .batch_first = 1},
    relu = {.input_size = 3, .hidden_size = 5, .relu = 1},
    deep = {.input_size = 3, .hidden_size = 5, .num_layers = 2, .bidirectional = 1, .batch_first = 1},
    proj = {.input_size = 3, .hidden_size = 5, .num_layers = 2, .bidirectional = 1, .proj_size = 2},
    proj_first = {.input_size = 3, .hidden_size = 4, .batch_first = 1, .proj_size = 3},
    proj_1 = {.input_size = 3, .hidden_size = 4, .proj_size = 1};

#define LSTM(p, biased) onr_lstm(net, in[0], in[1], in[2], &p, weights(4, &p, biased), &out[1], &out[2])
#define LIST(X)                                                                   \
  X(lstm_proj, LSTM(proj, 1))                                                     \
  X(lstm_proj_first, LSTM(proj_first, 0))                                         \
  X(lstm_proj_one_step, LSTM(proj_1, 1))                                          \
  X(lstm_proj_alone, LSTM(proj, 1))                                               \
  X(lstm_alone, LSTM(first, 1))                                                   \
  X(rnn_alone, onr_rnn(net, in[0], -1, &plain, weights(1, &plain, 1), &out[1]))   \
  X(gru_alone, onr_gru(net, in[0], in[1], &deep, weights(3, &deep, 1), &out[1]))  \
  X(rnn_cell_alone, onr_rnn_cell(net, in[0], in[1], &relu, weights(1, &relu, 1))) \
  X(gru_cell_alone, onr_gru_cell(net, in[0], -1, &plain, weights(3, &plain, 1)))  \
  X(lstm_cell_alone, onr_lstm_cell(net, in[0], in[1], in[2], &plain, weights(4, &plain, 1), &out[1]))
LIST(NN_FUNCTION)

static void agrees_with_pytorch(void **state) {
  static const struct nn_builder builders[] = {LIST(NN_ROW)};
  (void)state;
  nn_check(cases, sizeof(cases) / sizeof(*cases), builders, sizeof(builders) / sizeof(*builders));
}

static int rank_4(struct onr_net *net, int x, const void *params) {
  return onr_gru(net, x, -1, params, weights(3, params, 1), NULL);
}

static int state_of_other_size(struct onr_net *net, int x, const void *params) {
  const int h = onr_net_input(net, "h", ONR_DTYPE_F32, 3, (int64_t[]){1, 2, 2});
  return onr_lstm(net, x, h, -1, params, weights(4, params, 1), NULL, NULL);
}

static void refuses_wrong_arguments(void **state) {
  const int64_t dims[] = {4, 2, 3, 3};
  (void)state;
  nn_refuses(rank_4, &plain, 4, dims, "rank 2 or 3");
  nn_refuses(state_of_other_size, &proj_1, 3, dims, "initial_h");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_pytorch), cmocka_unit_test(refuses_wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
