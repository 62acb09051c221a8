/* linear.h: torch.nn.Linear, Bilinear, Identity. */
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
 * weight [out_features, in_features]; bias [out_features], onr_no_weight(): none */
ONR_API int onr_linear(struct onr_net *net, int x, const struct onr_linear *linear, struct onr_weight weight,
                       struct onr_weight bias);

/* torch.nn.Bilinear: y_k = a W_k b + bias_k for the last dimensions of a [..., in1_features] and b [..., in2_features],
 * which are equal in all others. weight [out_features, in1_features, in2_features]; bias [out_features],
 * onr_no_weight(): none */
struct onr_bilinear {
  int64_t in1_features, in2_features, out_features;
};
ONR_API int onr_bilinear(struct onr_net *net, int a, int b, const struct onr_bilinear *bilinear,
                         struct onr_weight weight, struct onr_weight bias);

/* torch.nn.Identity */
ONR_API int onr_identity(struct onr_net *net, int x);

#ifdef __cplusplus
}
#endif
#endif
