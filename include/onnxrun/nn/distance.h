/* distance.h: torch.nn.CosineSimilarity, PairwiseDistance. a and b are broadcast against each other. */
#ifndef ONNXRUN_NN_DISTANCE_H
#define ONNXRUN_NN_DISTANCE_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* sum of a b / (max(|a|, eps) max(|b|, eps)) along dim, which goes. PyTorch's defaults are 1 and 1e-8. */
ONR_API int onr_cosine_similarity(struct onr_net *net, int a, int b, int64_t dim, float eps);
/* (sum |a - b + eps|^p)^(1/p) along the last dimension, which goes unless keepdim; p from 0 on, or INFINITY for the
 * largest. PyTorch's defaults are 2, 1e-6 and 0. */
ONR_API int onr_pairwise_distance(struct onr_net *net, int a, int b, float p, float eps, int32_t keepdim);

#ifdef __cplusplus
}
#endif
#endif
