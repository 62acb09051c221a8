/* function.c: torch's functions of tensors that stand between modules. */
#include "onnxrun/nn/function.h"

#include "nn/nn_elementwise.h"
#include "nn/nn_shape.h"

#define BINARY(function, op) \
  int onr_##function(struct onr_net *net, int a, int b) { return onri_net_binary(net, ONR_BINARY_##op, a, b); }
BINARY(add, ADD)
BINARY(sub, SUB)
BINARY(mul, MUL)
BINARY(div, DIV)

int onr_matmul(struct onr_net *net, int a, int b) { return onri_net_2(net, &onri_layer_matmul, NULL, a, b); }

#define REDUCE(function, operation)                                                                    \
  int onr_##function(struct onr_net *net, int x, int64_t dim, int32_t keepdim) {                       \
    const struct onr_reduce_params params = {.op = ONR_REDUCE_##operation, .keep_dims = keepdim != 0}; \
    return onri_net_2(net, &onri_layer_reduce, &params, x, onri_net_ints(net, &dim, 1));               \
  }
REDUCE(mean, MEAN)
REDUCE(sum, SUM)
REDUCE(amax, MAX)

int onr_cat(struct onr_net *net, const int *values, size_t count, int64_t dim) {
  int out;
  if (count < 1) return onri_net_fail(net, ONR_STATUS_ARGUMENT, "cat: expected at least one value");
  if (!onri_net_check_given(net, "cat", "values", values)) return -1;
  for (size_t i = 0; i < count; i++)
    if (values[i] < 0) return onri_net_fail(net, ONR_STATUS_ARGUMENT, "cat: value %zu is %d", i, values[i]);
  return onr_net_layer(net, &onri_layer_concat, &(struct onr_concat_params){dim}, values, count, &out, 1);
}

int onr_slice(struct onr_net *net, int x, int64_t dim, int64_t start, int64_t end) {
  const int in[4] = {x, onri_net_ints(net, &start, 1), onri_net_ints(net, &end, 1), onri_net_ints(net, &dim, 1)};
  int out;
  return onr_net_layer(net, &onri_layer_slice, NULL, in, 4, &out, 1);
}

int onr_select(struct onr_net *net, int x, int64_t dim, int64_t index) {
  const struct onr_desc scalar = {.dtype = ONR_DTYPE_I64};
  return onri_net_2(net, &onri_layer_gather, &(struct onr_gather_params){.axis = dim}, x,
                    onr_net_constant(net, &scalar, &index));
}

int onr_reshape(struct onr_net *net, int x, const int64_t *shape, int32_t rank) {
  if (rank < 0 || rank > ONR_MAX_RANK)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "reshape: expected a rank of 0 to %d, got %d", ONR_MAX_RANK, rank);
  return onri_net_2(net, &onri_layer_reshape, NULL, x, onri_net_ints(net, shape, (size_t)rank));
}

int onr_permute(struct onr_net *net, int x, const int32_t *dims, int32_t rank) {
  struct onr_transpose_params params = {.rank = rank};
  if (rank < 1 || rank > ONR_MAX_RANK)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "permute: expected 1 to %d dims, got %d", ONR_MAX_RANK, rank);
  if (!onri_net_check_given(net, "permute", "dims", dims)) return -1;
  for (int32_t i = 0; i < rank; i++) {
    params.perm[i] = dims[i] < 0 ? dims[i] + rank : dims[i];
    if (params.perm[i] < 0 || params.perm[i] >= rank)
      return onri_net_fail(net, ONR_STATUS_ARGUMENT, "permute: dim %d is outside of -%d to %d", dims[i], rank,
                           rank - 1);
  }
  return onri_net_1(net, &onri_layer_transpose, &params, x);
}

int onr_squeeze(struct onr_net *net, int x, int64_t dim) { return onri_net_squeeze(net, x, dim); }

int onr_unsqueeze(struct onr_net *net, int x, int64_t dim) { return onri_net_unsqueeze(net, x, dim); }
