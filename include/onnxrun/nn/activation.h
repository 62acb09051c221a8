/* activation.h: the activations of torch.nn. Scalars are taken as they are; PyTorch's defaults are in the comments. */
#ifndef ONNXRUN_NN_ACTIVATION_H
#define ONNXRUN_NN_ACTIVATION_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

ONR_API int onr_elu(struct onr_net *net, int x, float alpha);        /* 1 */
ONR_API int onr_hardshrink(struct onr_net *net, int x, float lambd); /* 0.5 */
ONR_API int onr_hardsigmoid(struct onr_net *net, int x);
ONR_API int onr_hardtanh(struct onr_net *net, int x, float min_val, float max_val); /* -1, 1 */
ONR_API int onr_hardswish(struct onr_net *net, int x);
ONR_API int onr_leaky_relu(struct onr_net *net, int x, float negative_slope); /* 0.01 */
ONR_API int onr_log_sigmoid(struct onr_net *net, int x);
/* weight [num_parameters]: one for all channels, or one for each of axis 1. */
ONR_API int onr_prelu(struct onr_net *net, int x, int64_t num_parameters, struct onr_weight weight);
ONR_API int onr_relu(struct onr_net *net, int x);
ONR_API int onr_relu6(struct onr_net *net, int x);
/* As in inference: the slope is the mean of lower and upper. */
ONR_API int onr_rrelu(struct onr_net *net, int x, float lower, float upper); /* 1/8, 1/3 */
ONR_API int onr_selu(struct onr_net *net, int x);
ONR_API int onr_celu(struct onr_net *net, int x, float alpha); /* 1 */
ONR_API int onr_gelu(struct onr_net *net, int x);
ONR_API int onr_gelu_tanh(struct onr_net *net, int x); /* GELU(approximate='tanh') */
ONR_API int onr_sigmoid(struct onr_net *net, int x);
ONR_API int onr_silu(struct onr_net *net, int x);
ONR_API int onr_mish(struct onr_net *net, int x);
/* log(1 + exp(beta x)) / beta, and x where beta x > threshold. */
ONR_API int onr_softplus(struct onr_net *net, int x, float beta, float threshold); /* 1, 20 */
ONR_API int onr_softshrink(struct onr_net *net, int x, float lambd);               /* 0.5 */
ONR_API int onr_softsign(struct onr_net *net, int x);
ONR_API int onr_tanh(struct onr_net *net, int x);
ONR_API int onr_tanhshrink(struct onr_net *net, int x);
/* x > threshold ? x : value */
ONR_API int onr_threshold(struct onr_net *net, int x, float threshold, float value);
/* dim may be negative in all of these. */
ONR_API int onr_glu(struct onr_net *net, int x, int64_t dim); /* -1 */
ONR_API int onr_softmin(struct onr_net *net, int x, int64_t dim);
ONR_API int onr_softmax(struct onr_net *net, int x, int64_t dim);
ONR_API int onr_softmax2d(struct onr_net *net, int x); /* over the channels of [N, C, H, W] or [C, H, W] */
ONR_API int onr_log_softmax(struct onr_net *net, int x, int64_t dim);

#ifdef __cplusplus
}
#endif
#endif
