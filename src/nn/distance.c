/* distance.c: torch.nn.CosineSimilarity and PairwiseDistance, composed of reductions. */
#include "onnxrun/nn/distance.h"

#include <math.h>

#include "nn/nn_elementwise.h"
#include "params/reduce.h"

static int reduce(struct onr_net *net, enum onr_reduce_op op, int x, int64_t axis, int32_t keep) {
  const struct onr_reduce_params params = {.op = op, .keep_dims = keep};
  return onri_net_2(net, &onri_layer_reduce, &params, x, onri_net_ints(net, &axis, 1));
}

static int unit(struct onr_net *net, int x, int64_t dim, float eps) {
  const int norm =
      onri_net_binary(net, ONR_BINARY_MAX, reduce(net, ONR_REDUCE_L2, x, dim, 1), onri_net_float(net, eps));
  return onri_net_binary(net, ONR_BINARY_DIV, x, norm);
}

int onr_cosine_similarity(struct onr_net *net, int a, int b, int64_t dim, float eps) {
  if (!(eps >= 0))
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "CosineSimilarity: expected eps of 0 or more, got %g", (double)eps);
  return reduce(net, ONR_REDUCE_SUM,
                onri_net_binary(net, ONR_BINARY_MUL, unit(net, a, dim, eps), unit(net, b, dim, eps)), dim, 0);
}

int onr_pairwise_distance(struct onr_net *net, int a, int b, float p, float eps, int32_t keepdim) {
  int x;
  if (!(p >= 0) || isnan(eps))
    return onri_net_fail(net, ONR_STATUS_ARGUMENT,
                         "PairwiseDistance: expected p of 0 or more and a number eps, got %g and %g", (double)p,
                         (double)eps);
  x = onri_net_unary(net, ONR_UNARY_AFFINE, 1, eps, onri_net_binary(net, ONR_BINARY_SUB, a, b));
  if (p == 1) return reduce(net, ONR_REDUCE_L1, x, -1, keepdim);
  if (p == 2) return reduce(net, ONR_REDUCE_L2, x, -1, keepdim);
  x = onri_net_unary(net, ONR_UNARY_ABS, 0, 0, x);
  if (isinf(p)) return reduce(net, ONR_REDUCE_MAX, x, -1, keepdim);
  if (p == 0)
    return reduce(net, ONR_REDUCE_SUM, onri_net_unary(net, ONR_UNARY_SIGN, 0, 0, x), -1, keepdim); /* how many differ */
  x = reduce(net, ONR_REDUCE_SUM, onri_net_binary(net, ONR_BINARY_POW, x, onri_net_float(net, p)), -1, keepdim);
  return onri_net_binary(net, ONR_BINARY_POW, x, onri_net_float(net, 1 / p));
}
