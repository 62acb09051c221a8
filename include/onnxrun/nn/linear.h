/* linear.h: torch.nn.Linear, Identity. */
#ifndef ONNXRUN_NN_LINEAR_H
#define ONNXRUN_NN_LINEAR_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* torch.nn.Linear */
struct onr_linear {
  int64_t in_features, out_features;
};
/* y [..., out] = x [..., in] W^T + b
 * weight [out_features, in_features]; bias [out_features], NULL: none */
ONR_API int onr_linear(struct onr_net *net, int x, const struct onr_linear *linear, const float *weight, const float *bias);

/* torch.nn.Identity */
ONR_API int onr_identity(struct onr_net *net, int x);

#ifdef __cplusplus
}
#endif
#endif
