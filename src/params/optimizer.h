/* optimizer.h: parameters of the training steps. */
#ifndef ONNXRUN_LAYERS_OPTIMIZER_H
#define ONNXRUN_LAYERS_OPTIMIZER_H

#include <stdint.h>

enum onr_optimizer { ONR_OPTIMIZER_MOMENTUM, ONR_OPTIMIZER_NESTEROV, ONR_OPTIMIZER_ADAGRAD, ONR_OPTIMIZER_ADAM };

/* optimizer: one step for one tensor of weights. ONNX ai.onnx.preview.training Momentum-1, Adagrad-1, Adam-1.
 * inputs   rate r, step count t (one number each), weights x, gradient g, state v (momentum, or squares for Adagrad),
 *          second state h (Adam)
 * outputs  new x, v, h */
struct onr_optimizer_params {
  enum onr_optimizer optimizer;
  float alpha, beta;     /* Momentum, Adam */
  float epsilon;         /* Adagrad, Adam */
  float decay;           /* Adagrad */
  float norm, norm_post; /* L2 regularisation before, and for Adam after the step */
};

#endif
