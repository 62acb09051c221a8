/* normalization.h: torch.nn's normalisations, as in inference. */
#ifndef ONNXRUN_NN_NORMALIZATION_H
#define ONNXRUN_NN_NORMALIZATION_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of BatchNorm and InstanceNorm, all [num_features]. onr_no_weight(): no such parameter (affine=False); without
 * running_mean and running_var: the statistics of x itself (track_running_stats=False). */
struct onr_norm_weights {
  struct onr_weight weight, bias;
  struct onr_weight running_mean, running_var;
};

/* torch.nn.BatchNorm1d, 2d, 3d. (momentum matters in training alone.) */
struct onr_batch_norm {
  int64_t num_features;
  float eps; /* 0: 1e-5 */
};
/* x [N, C] or [N, C, L]. weights NULL: none, in all of these. */
ONR_API int onr_batch_norm1d(struct onr_net *net, int x, const struct onr_batch_norm *p,
                             const struct onr_norm_weights *weights);
/* x [N, C, H, W] */
ONR_API int onr_batch_norm2d(struct onr_net *net, int x, const struct onr_batch_norm *p,
                             const struct onr_norm_weights *weights);
/* x [N, C, D, H, W] */
ONR_API int onr_batch_norm3d(struct onr_net *net, int x, const struct onr_batch_norm *p,
                             const struct onr_norm_weights *weights);

/* torch.nn.InstanceNorm1d, 2d, 3d: each channel of each sample by itself. PyTorch's default is without any weights. */
struct onr_instance_norm {
  int64_t num_features;
  float eps; /* 0: 1e-5 */
};
/* x [N, C, L] or [C, L] */
ONR_API int onr_instance_norm1d(struct onr_net *net, int x, const struct onr_instance_norm *p,
                                const struct onr_norm_weights *weights);
/* x [N, C, H, W] or [C, H, W] */
ONR_API int onr_instance_norm2d(struct onr_net *net, int x, const struct onr_instance_norm *p,
                                const struct onr_norm_weights *weights);
/* x [N, C, D, H, W] or [C, D, H, W] */
ONR_API int onr_instance_norm3d(struct onr_net *net, int x, const struct onr_instance_norm *p,
                                const struct onr_norm_weights *weights);

/* torch.nn.GroupNorm: x [N, C, ...]. weight, bias [num_channels]; onr_no_weight(): none */
struct onr_group_norm {
  int64_t num_groups, num_channels;
  float eps; /* 0: 1e-5 */
};
ONR_API int onr_group_norm(struct onr_net *net, int x, const struct onr_group_norm *p, struct onr_weight weight,
                           struct onr_weight bias);

/* torch.nn.LayerNorm: over the last dimensions, which are normalized_shape [num_dims]. weight, bias of that shape;
 * onr_no_weight(): none */
struct onr_layer_norm {
  int64_t normalized_shape[ONR_MAX_RANK];
  int32_t num_dims; /* 0: 1 */
  float eps;        /* 0: 1e-5 */
};
ONR_API int onr_layer_norm(struct onr_net *net, int x, const struct onr_layer_norm *p, struct onr_weight weight,
                           struct onr_weight bias);

/* torch.nn.RMSNorm: as LayerNorm, x / sqrt(mean(x^2) + eps) weight. */
struct onr_rms_norm {
  int64_t normalized_shape[ONR_MAX_RANK];
  int32_t num_dims; /* 0: 1 */
  float eps;        /* 0: eps=None, the epsilon of float32 */
};
ONR_API int onr_rms_norm(struct onr_net *net, int x, const struct onr_rms_norm *p, struct onr_weight weight);

/* torch.nn.LocalResponseNorm: x / (k + alpha / size * sum of x^2 over `size` channels)^beta. x [N, C, ...]
 * The defaults are 1e-4, 0.75, 1. The channels are c - size / 2 to c + (size - 1) / 2. */
ONR_API int onr_local_response_norm(struct onr_net *net, int x, int64_t size, float alpha, float beta, float k);
/* torch.nn.CrossMapLRN2d: the same for x [N, C, H, W], but the channels reach (size - 1) / 2 to both
 * sides, and channel 0 counts everywhere: PyTorch has it so. */
ONR_API int onr_cross_map_lrn2d(struct onr_net *net, int x, int64_t size, float alpha, float beta, float k);

#ifdef __cplusplus
}
#endif
#endif
