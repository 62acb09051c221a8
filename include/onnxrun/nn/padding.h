/* padding.h: torch.nn's padding layers. padding holds two numbers for each dimension, the last dimension first: left,
 * right, top, bottom, front, back. A negative number crops. x [N, C, ...] or [C, ...]. */
#ifndef ONNXRUN_NN_PADDING_H
#define ONNXRUN_NN_PADDING_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

ONR_API int onr_constant_pad1d(struct onr_net *net, int x, const int64_t padding[2], float value);
ONR_API int onr_constant_pad2d(struct onr_net *net, int x, const int64_t padding[4], float value);
ONR_API int onr_constant_pad3d(struct onr_net *net, int x, const int64_t padding[6], float value);
ONR_API int onr_zero_pad1d(struct onr_net *net, int x, const int64_t padding[2]);
ONR_API int onr_zero_pad2d(struct onr_net *net, int x, const int64_t padding[4]);
ONR_API int onr_zero_pad3d(struct onr_net *net, int x, const int64_t padding[6]);
/* The outermost elements again. */
ONR_API int onr_replication_pad1d(struct onr_net *net, int x, const int64_t padding[2]);
ONR_API int onr_replication_pad2d(struct onr_net *net, int x, const int64_t padding[4]);
ONR_API int onr_replication_pad3d(struct onr_net *net, int x, const int64_t padding[6]);
/* Mirrored at the outermost elements: less than the dimension. */
ONR_API int onr_reflection_pad1d(struct onr_net *net, int x, const int64_t padding[2]);
ONR_API int onr_reflection_pad2d(struct onr_net *net, int x, const int64_t padding[4]);
ONR_API int onr_reflection_pad3d(struct onr_net *net, int x, const int64_t padding[6]);
/* From the other end: at most the dimension. */
ONR_API int onr_circular_pad1d(struct onr_net *net, int x, const int64_t padding[2]);
ONR_API int onr_circular_pad2d(struct onr_net *net, int x, const int64_t padding[4]);
ONR_API int onr_circular_pad3d(struct onr_net *net, int x, const int64_t padding[6]);

#ifdef __cplusplus
}
#endif
#endif
