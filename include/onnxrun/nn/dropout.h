/* dropout.h: torch.nn's Dropout layers. In inference they do nothing; in training, which is asked for, they are random:
 * a function of the seed and the place in x, so that every run of the model drops the same. Give each layer its own
 * seed. */
#ifndef ONNXRUN_NN_DROPOUT_H
#define ONNXRUN_NN_DROPOUT_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

struct onr_dropout {
  float
      p; /* the probability to be dropped, 0..1; PyTorch's default is 0.5. Taken as it is, and read in training alone */
  int32_t training;
  uint64_t seed;
};

/* p NULL: inference, in all of these.
 * Single elements become 0, the others x / (1 - p). */
ONR_API int onr_dropout(struct onr_net *net, int x, const struct onr_dropout *p);
/* Whole channels: x [N, C, L] or [C, L]; [N, C, H, W] or [N, C, L]; [N, C, D, H, W] or [C, D, H, W]. */
ONR_API int onr_dropout1d(struct onr_net *net, int x, const struct onr_dropout *p);
ONR_API int onr_dropout2d(struct onr_net *net, int x, const struct onr_dropout *p);
ONR_API int onr_dropout3d(struct onr_net *net, int x, const struct onr_dropout *p);
/* Elements, or whole channels of x [N, C, ...], take SELU's negative limit; then all are scaled and moved so that a
 * mean of 0 and a variance of 1 stay as they are. */
ONR_API int onr_alpha_dropout(struct onr_net *net, int x, const struct onr_dropout *p);
ONR_API int onr_feature_alpha_dropout(struct onr_net *net, int x, const struct onr_dropout *p);

#ifdef __cplusplus
}
#endif
#endif
