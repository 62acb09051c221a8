/* nn_image.c: what layers on images have in common. */
#include "nn/nn_image.h"

#include "nn/nn_shape.h"

int onri_net_batch(struct onr_net *net, int x, int32_t rank) { return onri_net_batch_at(net, x, rank, 0); }

int onri_net_unbatch(struct onr_net *net, int y, int x, int32_t rank) {
  return onri_net_unbatch_at(net, y, x, rank, 0);
}

int onri_net_check_sizes(struct onr_net *net, const char *layer, const char *name, const int64_t *values,
                         int32_t spatial, int64_t least) {
  if (!onri_net_check_given(net, layer, name, values)) return 0;
  for (int32_t i = 0; i < spatial; i++) {
    if (values[i] >= least && values[i] <= INT32_MAX) continue;
    onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: expected %s from %lld to %d, got %lld", layer, name, (long long)least,
                  INT32_MAX, (long long)values[i]);
    return 0;
  }
  return 1;
}
