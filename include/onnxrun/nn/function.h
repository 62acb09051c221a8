/* function.h: what stands between the modules of a forward function: torch's functions of tensors. dim may be negative
 * in all of them. */
#ifndef ONNXRUN_NN_FUNCTION_H
#define ONNXRUN_NN_FUNCTION_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* a + b, a - b, a * b, a / b: of one type, broadcast. A residual connection is an onr_add. */
ONR_API int onr_add(struct onr_net *net, int a, int b);
ONR_API int onr_sub(struct onr_net *net, int a, int b);
ONR_API int onr_mul(struct onr_net *net, int a, int b);
ONR_API int onr_div(struct onr_net *net, int a, int b); /* integers: toward zero */
/* [..., m, k] times [..., k, n], or vectors, as torch.matmul. */
ONR_API int onr_matmul(struct onr_net *net, int a, int b);

/* torch.mean, sum and amax over one dimension, which stays as 1 with keepdim. */
ONR_API int onr_mean(struct onr_net *net, int x, int64_t dim, int32_t keepdim);
ONR_API int onr_sum(struct onr_net *net, int x, int64_t dim, int32_t keepdim);
ONR_API int onr_amax(struct onr_net *net, int x, int64_t dim, int32_t keepdim);

/* torch.cat: values [count], which differ along dim alone. */
ONR_API int onr_cat(struct onr_net *net, const int *values, size_t count, int64_t dim);
/* x[start:end] along dim, as Python has it: what is outside is left out, negative counts from the end, INT64_MAX is the
 * end. */
ONR_API int onr_slice(struct onr_net *net, int x, int64_t dim, int64_t start, int64_t end);
/* torch.select: x[index] along dim, which goes; -1 is the last. An index beyond the dimension fails in the run. */
ONR_API int onr_select(struct onr_net *net, int x, int64_t dim, int64_t index);

/* torch.reshape: shape [rank]; one entry may be -1: what is left; 0: the dimension of x at that place (a batch that is
 * not known). */
ONR_API int onr_reshape(struct onr_net *net, int x, const int64_t *shape, int32_t rank);
/* torch.permute: dimension i of the result is dimension dims[i] of x; dims [rank]. */
ONR_API int onr_permute(struct onr_net *net, int x, const int32_t *dims, int32_t rank);
ONR_API int onr_squeeze(struct onr_net *net, int x, int64_t dim); /* which must be 1 */
ONR_API int onr_unsqueeze(struct onr_net *net, int x, int64_t dim);

#ifdef __cplusplus
}
#endif
#endif
