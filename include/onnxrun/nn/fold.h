/* fold.h: torch.nn.Unfold, Fold: images to columns of sliding blocks and back. Sizes are (height, width). */
#ifndef ONNXRUN_NN_FOLD_H
#define ONNXRUN_NN_FOLD_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* torch.nn.Unfold: x [N, C, H, W] -> [N, C * product of kernel_size, L], or without N. */
struct onr_unfold {
  int64_t kernel_size[2];
  int64_t dilation[2]; /* 0: 1 */
  int64_t padding[2];
  int64_t stride[2]; /* 0: 1 */
};
ONR_API int onr_unfold(struct onr_net *net, int x, const struct onr_unfold *unfold);

/* torch.nn.Fold: x [N, C * product of kernel_size, L] -> [N, C, H, W], or without N; where blocks overlap they are
 * added. */
struct onr_fold {
  int64_t output_size[2]; /* H, W */
  int64_t kernel_size[2];
  int64_t dilation[2]; /* 0: 1 */
  int64_t padding[2];
  int64_t stride[2]; /* 0: 1 */
};
ONR_API int onr_fold(struct onr_net *net, int x, const struct onr_fold *fold);

#ifdef __cplusplus
}
#endif
#endif
