/* recurrent.h: parameters of LSTM, GRU and the plain recurrent layer, in ONNX's terms. Floating-point.
 *
 * inputs   X [T, B, I], W [D, gates H, I], R [D, gates H, H], bias [D, 2 gates H], lengths (int32 [B]), initial_h [D,
 * B, H] and for LSTM initial_c [D, B, H], P [D, 3 H], projection [D, O, H]. All but X, W, R are optional. outputs  Y
 * [T, D, B, H], Y_h [D, B, H] and for LSTM Y_c [D, B, H]; each optional. With a projection h is its product with what
 * the cell gives, and has O <= H elements in R, initial_h, Y and Y_h (torch.nn's proj_size). layout 1: X [B, T, I], Y
 * [B, T, D, H], states [B, D, H]. Order of the gates: LSTM i o f c; GRU z r h. D is 2 for both directions, else 1.
 *
 * dynamic_quantize_lstm: float32; W [D, I, 4 H] and R [D, H, 4 H] are bytes, and in place of a projection come W's
 * scale and zero point and R's, each [D] or [D, 4 H]. X, and h before each step, are rounded to bytes as
 * dynamic_quantize_linear does. */
#ifndef ONNXRUN_LAYERS_RECURRENT_H
#define ONNXRUN_LAYERS_RECURRENT_H

#include <stdint.h>

enum onr_direction { ONR_DIRECTION_FORWARD, ONR_DIRECTION_REVERSE, ONR_DIRECTION_BOTH };

enum onr_recurrent_activation {
  ONR_RECURRENT_DEFAULT, /* Sigmoid for gates, Tanh for the rest */
  ONR_RECURRENT_SIGMOID,
  ONR_RECURRENT_TANH,
  ONR_RECURRENT_RELU,
  ONR_RECURRENT_AFFINE,
  ONR_RECURRENT_LEAKY_RELU,
  ONR_RECURRENT_THRESHOLDED_RELU,
  ONR_RECURRENT_SCALED_TANH,
  ONR_RECURRENT_HARD_SIGMOID,
  ONR_RECURRENT_ELU,
  ONR_RECURRENT_SOFTSIGN,
  ONR_RECURRENT_SOFTPLUS,
  ONR_NUM_RECURRENT_ACTIVATIONS
};

struct onr_recurrent_function {
  enum onr_recurrent_activation kind;
  float alpha, beta;
};

/* lstm, gru, rnn. */
struct onr_recurrent_params {
  int64_t hidden_size; /* 0: taken from R */
  enum onr_direction direction;
  int32_t layout;              /* 0 or 1 */
  int32_t linear_before_reset; /* gru */
  int32_t input_forget;        /* lstm: f = 1 - i */
  int32_t has_clip;
  float clip; /* cell inputs are cut to [-clip, clip] before the activations */
  /* LSTM f g h (3 a direction), GRU f g (2), rnn f (1); the reverse direction's follow the forward one's */
  struct onr_recurrent_function functions[6];
};

#endif
