/* shape.h: torch.nn.Flatten, Unflatten. */
#ifndef ONNXRUN_NN_SHAPE_H
#define ONNXRUN_NN_SHAPE_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* torch.nn.Flatten: the dimensions start_dim .. end_dim become one. PyTorch's defaults are 1 and -1. */
ONR_API int onr_flatten(struct onr_net *net, int x, int32_t start_dim, int32_t end_dim);
/* torch.nn.Unflatten: dimension dim becomes sizes [num_sizes]; one of them may be -1. */
ONR_API int onr_unflatten(struct onr_net *net, int x, int32_t dim, const int64_t *sizes, int32_t num_sizes);

#ifdef __cplusplus
}
#endif
#endif
