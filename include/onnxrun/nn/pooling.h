/* pooling.h: the pools of torch.nn. Images are [N, C, spatial...], or one image [C, spatial...]; sizes are listed
 * outermost first (depth, height, width), of which the first 1, 2 or 3 entries count. *indices, where not NULL
 * (return_indices), receives int64 positions in the image of each channel. */
#ifndef ONNXRUN_NN_POOLING_H
#define ONNXRUN_NN_POOLING_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* torch.nn.MaxPool1d, MaxPool2d, MaxPool3d */
struct onr_max_pool {
  int64_t kernel_size[3];
  int64_t stride[3];   /* 0: kernel_size */
  int64_t padding[3];  /* at most half of the kernel */
  int64_t dilation[3]; /* 0: 1 */
  int32_t ceil_mode;
};
ONR_API int onr_max_pool1d(struct onr_net *net, int x, const struct onr_max_pool *pool, int *indices);
ONR_API int onr_max_pool2d(struct onr_net *net, int x, const struct onr_max_pool *pool, int *indices);
ONR_API int onr_max_pool3d(struct onr_net *net, int x, const struct onr_max_pool *pool, int *indices);

/* torch.nn.MaxUnpool1d, MaxUnpool2d, MaxUnpool3d: x to where indices say, zeros elsewhere. */
struct onr_max_unpool {
  int64_t kernel_size[3];
  int64_t stride[3]; /* 0: kernel_size */
  int64_t padding[3];
  int64_t output_size[3]; /* 0: (input - 1) stride - 2 padding + kernel_size; else less than a stride from that */
};
ONR_API int onr_max_unpool1d(struct onr_net *net, int x, int indices, const struct onr_max_unpool *pool);
ONR_API int onr_max_unpool2d(struct onr_net *net, int x, int indices, const struct onr_max_unpool *pool);
ONR_API int onr_max_unpool3d(struct onr_net *net, int x, int indices, const struct onr_max_unpool *pool);

/* torch.nn.AvgPool1d, AvgPool2d, AvgPool3d */
struct onr_avg_pool {
  int64_t kernel_size[3];
  int64_t stride[3];  /* 0: kernel_size */
  int64_t padding[3]; /* at most half of the kernel */
  int32_t ceil_mode;
  int32_t exclude_pad;      /* count_include_pad=False */
  int64_t divisor_override; /* 0: none */
};
ONR_API int onr_avg_pool1d(struct onr_net *net, int x, const struct onr_avg_pool *pool);
ONR_API int onr_avg_pool2d(struct onr_net *net, int x, const struct onr_avg_pool *pool);
ONR_API int onr_avg_pool3d(struct onr_net *net, int x, const struct onr_avg_pool *pool);

/* torch.nn.LPPool1d, LPPool2d, LPPool3d: (sum of x^p)^(1/p); of negative sums NaN, as in PyTorch. */
struct onr_lp_pool {
  float norm_type; /* p, not 0; may be infinite */
  int64_t kernel_size[3];
  int64_t stride[3]; /* 0: kernel_size */
  int32_t ceil_mode;
};
ONR_API int onr_lp_pool1d(struct onr_net *net, int x, const struct onr_lp_pool *pool);
ONR_API int onr_lp_pool2d(struct onr_net *net, int x, const struct onr_lp_pool *pool);
ONR_API int onr_lp_pool3d(struct onr_net *net, int x, const struct onr_lp_pool *pool);

/* torch.nn.AdaptiveAvgPool1d to AdaptiveAvgPool3d, AdaptiveMaxPool1d to AdaptiveMaxPool3d.
 * output_size [1], [2] or [3]; 0: that of x (PyTorch's None) */
ONR_API int onr_adaptive_avg_pool1d(struct onr_net *net, int x, const int64_t *output_size);
ONR_API int onr_adaptive_avg_pool2d(struct onr_net *net, int x, const int64_t *output_size);
ONR_API int onr_adaptive_avg_pool3d(struct onr_net *net, int x, const int64_t *output_size);
ONR_API int onr_adaptive_max_pool1d(struct onr_net *net, int x, const int64_t *output_size, int *indices);
ONR_API int onr_adaptive_max_pool2d(struct onr_net *net, int x, const int64_t *output_size, int *indices);
ONR_API int onr_adaptive_max_pool3d(struct onr_net *net, int x, const int64_t *output_size, int *indices);

/* torch.nn.FractionalMaxPool2d, FractionalMaxPool3d */
struct onr_fractional_max_pool {
  int64_t kernel_size[3];
  int64_t output_size[3];
  double output_ratio[3]; /* in (0, 1); where output_size is 0 */
  uint64_t seed;          /* of the samples, where they are not given: each run gives what PyTorch does after
                             torch.manual_seed(seed) */
};
/* samples [N, C, 2 or 3] in [0, 1) as PyTorch's _random_samples, which give PyTorch's result; -1: none */
ONR_API int onr_fractional_max_pool2d(struct onr_net *net, int x, int samples,
                                      const struct onr_fractional_max_pool *pool, int *indices);
ONR_API int onr_fractional_max_pool3d(struct onr_net *net, int x, int samples,
                                      const struct onr_fractional_max_pool *pool, int *indices);

#ifdef __cplusplus
}
#endif
#endif
