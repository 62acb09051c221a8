/* recurrent.h: torch.nn.RNN, LSTM, GRU and their cells. */
#ifndef ONNXRUN_NN_RECURRENT_H
#define ONNXRUN_NN_RECURRENT_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

struct onr_rnn {
  int64_t input_size, hidden_size;
  int32_t num_layers; /* 0: 1 */
  int32_t batch_first, bidirectional;
  int64_t proj_size; /* LSTM; 0: none */
  int32_t relu;      /* RNN and RNNCell: nonlinearity='relu'; else tanh */
};
/* Weights of one layer in one direction, rows in PyTorch's order of gates (LSTM i f g o, GRU r z n; `gates` is 4, 3,
 * RNN 1). Input of the first layer is input_size, of the others directions * (proj_size or hidden_size). */
struct onr_rnn_weights {
  struct onr_weight weight_ih; /* [gates hidden, input] */
  struct onr_weight weight_hh; /* [gates hidden, proj_size or hidden] */
  struct onr_weight bias_ih;   /* [gates hidden]; both biases or none */
  struct onr_weight bias_hh;   /* [gates hidden] */
  struct onr_weight weight_hr; /* [proj_size, hidden]; with proj_size alone */
};

/* x [T, B, input_size], with batch_first [B, T, input_size]. h0 [layers directions, B, size], where size is proj_size
 * or else hidden_size, c0 [layers directions, B, hidden_size]: -1 for zeros. A single sequence has no B anywhere.
 * weights: one a layer and direction: layer 0, layer 0 reverse, layer 1 ...
 * Returns the output [T, B, directions size]; *h_n and *c_n, where not NULL, receive the last states. */
ONR_API int onr_rnn(struct onr_net *net, int x, int h0, const struct onr_rnn *rnn,
                    const struct onr_rnn_weights *weights, int *h_n);
ONR_API int onr_gru(struct onr_net *net, int x, int h0, const struct onr_rnn *gru,
                    const struct onr_rnn_weights *weights, int *h_n);
ONR_API int onr_lstm(struct onr_net *net, int x, int h0, int c0, const struct onr_rnn *lstm,
                     const struct onr_rnn_weights *weights, int *h_n, int *c_n);

/* One step: x [B, input_size], h and c [B, hidden_size] or -1 for zeros; or all without B. Returns the new h; *c1
 * receives the new c. Only the sizes and relu of the parameters are read. */
ONR_API int onr_rnn_cell(struct onr_net *net, int x, int h, const struct onr_rnn *cell,
                         const struct onr_rnn_weights *weights);
ONR_API int onr_gru_cell(struct onr_net *net, int x, int h, const struct onr_rnn *cell,
                         const struct onr_rnn_weights *weights);
ONR_API int onr_lstm_cell(struct onr_net *net, int x, int h, int c, const struct onr_rnn *cell,
                          const struct onr_rnn_weights *weights, int *c1);

#ifdef __cplusplus
}
#endif
#endif
