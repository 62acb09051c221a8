/* tail.h: the functions that convolutions and products apply themselves (struct onr_tail), in double. */
#ifndef TEST_TAIL_H
#define TEST_TAIL_H

#include "support/sweep.h"

#include "params/tail.h"

static inline double tail_value(const struct onr_tail *tail, double y) {
  const double alpha = (double)tail->function.alpha, beta = (double)tail->function.beta;
  const double gate = fmin(fmax(alpha * y + beta, 0), 1);
  if (!tail->enabled) return y;
  switch (tail->function.op) {
    case ONR_UNARY_SWISH: return y / (1 + exp(-alpha * y));
    case ONR_UNARY_HARD_SWISH: return isnan(y) ? y : y * gate;
    case ONR_UNARY_SIGMOID: return 1 / (1 + exp(-y));
    case ONR_UNARY_TANH: return tanh(y);
    case ONR_UNARY_LEAKY_RELU: return y < 0 ? alpha * y : y;
    case ONR_UNARY_ELU: return y < 0 ? alpha * expm1(y) : y;
    case ONR_UNARY_GELU: return 0.5 * y * (1 + erf(y * sqrt(0.5)));
    case ONR_UNARY_GELU_TANH: return 0.5 * y * (1 + tanh(0.79788456080286535588 * (y + 0.044715 * y * y * y)));
    default: return y;
  }
}

/* None in half of the cases. */
static inline struct onr_tail tail_draw(struct sweep *s) {
  static const struct onr_unary_params functions[] = {
      {ONR_UNARY_SWISH, 1, 0},          {ONR_UNARY_HARD_SWISH, 1.0f / 6, 0.5f},
      {ONR_UNARY_SIGMOID, 0, 0},        {ONR_UNARY_TANH, 0, 0},
      {ONR_UNARY_LEAKY_RELU, 0.25f, 0}, {ONR_UNARY_ELU, 0.5f, 0},
      {ONR_UNARY_GELU, 0, 0},           {ONR_UNARY_GELU_TANH, 0, 0}};
  if (!sweep_chance(s, 2)) return (struct onr_tail){0};
  return (struct onr_tail){1, functions[sweep_pick(s, 0, sizeof(functions) / sizeof(functions[0]) - 1)]};
}

#endif
