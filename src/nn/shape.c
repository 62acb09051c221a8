/* shape.c: torch.nn.Flatten and Unflatten. */
#include "onnxrun/nn/shape.h"

#include <string.h>

#include "nn/net.h"
#include "params/shape.h"

int onr_flatten(struct onr_net *net, int x, int32_t start_dim, int32_t end_dim) {
  return onri_net_1(net, &onri_layer_flatten_dims, &(struct onr_flatten_dims_params){start_dim, end_dim}, x);
}

int onr_unflatten(struct onr_net *net, int x, int32_t dim, const int64_t *sizes, int32_t num_sizes) {
  struct onr_unflatten_params params = {.axis = dim, .num_sizes = num_sizes};
  if (num_sizes < 1 || num_sizes > ONR_MAX_RANK)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "Unflatten: expected 1..%d sizes, got %d", ONR_MAX_RANK, num_sizes);
  if (!onri_net_check_given(net, "Unflatten", "sizes", sizes)) return -1;
  memcpy(params.sizes, sizes, (size_t)num_sizes * sizeof(*sizes));
  return onri_net_1(net, &onri_layer_unflatten, &params, x);
}
