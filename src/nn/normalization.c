/* normalization.c: torch.nn's BatchNorm, InstanceNorm, GroupNorm, LayerNorm, RMSNorm and response normalisations. */
#include "onnxrun/nn/normalization.h"

#include <float.h>

#include "base/memory/memory.h"
#include "nn/nn_image.h"
#include "params/normalization.h"
#include "params/spatial.h"

enum { MAX_CHANNELS = 1 << 24 };

static const struct onr_norm_weights no_weights;

static int check_eps(struct onr_net *net, const char *name, float eps) {
  if (eps >= 0) return net->failed ? -1 : 0;
  return onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: expected eps of 0 or more, got %g", name, (double)eps);
}

static int check_channels(struct onr_net *net, const char *name, int64_t channels, float eps,
                          const struct onr_norm_weights *w) {
  if (channels <= 0 || channels > MAX_CHANNELS)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: expected num_features in 1..%d, got %lld", name, MAX_CHANNELS,
                         (long long)channels);
  if (!w->running_mean.data != !w->running_var.data)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: expected both running_mean and running_var or neither", name);
  return check_eps(net, name, eps);
}

/* weight, or `value` everywhere, which does not count as parameters. */
static int channels_or(struct onr_net *net, const char *layer, const char *name, struct onr_weight weight,
                       int64_t channels, float value) {
  float *filled;
  int constant;
  if (weight.data) return onri_net_weight(net, layer, name, weight, 1, &channels);
  filled = onri_allocate(net->model->env.allocator, (size_t)channels * sizeof(*filled));
  if (!filled) return onri_net_fail(net, ONR_STATUS_NO_MEMORY, "no memory for %lld channels", (long long)channels);
  for (int64_t c = 0; c < channels; c++) filled[c] = value;
  constant = onri_net_weight(net, layer, name, onr_weight(filled, (size_t)channels), 1, &channels);
  if (constant >= 0) net->parameters -= channels;
  onri_release(net->model->env.allocator, filled);
  return constant;
}

static int batch_norm(struct onr_net *net, const char *name, int x, int32_t min_rank, int32_t max_rank,
                      const struct onr_batch_norm *p, const struct onr_norm_weights *w) {
  if (!onri_net_check_given(net, name, "its parameters", p)) return -1;
  const int64_t channels = p->num_features;
  if (!w) w = &no_weights;
  const struct onr_batch_norm_params params = {.epsilon = p->eps > 0 ? p->eps : 1e-5f,
                                               .training = !w->running_mean.data,
                                               .min_rank = min_rank,
                                               .max_rank = max_rank};
  if (check_channels(net, name, channels, p->eps, w) < 0) return -1;
  const int in[5] = {x, channels_or(net, name, "weight", w->weight, channels, 1),
                     channels_or(net, name, "bias", w->bias, channels, 0),
                     channels_or(net, name, "running_mean", w->running_mean, channels, 0),
                     channels_or(net, name, "running_var", w->running_var, channels, 1)};
  int y;
  return onr_net_layer(net, &onri_layer_batch_norm, &params, in, 5, &y, 1);
}

int onr_batch_norm1d(struct onr_net *net, int x, const struct onr_batch_norm *p,
                     const struct onr_norm_weights *weights) {
  return batch_norm(net, "BatchNorm1d", x, 2, 3, p, weights);
}

int onr_batch_norm2d(struct onr_net *net, int x, const struct onr_batch_norm *p,
                     const struct onr_norm_weights *weights) {
  return batch_norm(net, "BatchNorm2d", x, 4, 4, p, weights);
}

int onr_batch_norm3d(struct onr_net *net, int x, const struct onr_batch_norm *p,
                     const struct onr_norm_weights *weights) {
  return batch_norm(net, "BatchNorm3d", x, 5, 5, p, weights);
}

static int instance_norm(struct onr_net *net, const char *name, int x, int32_t spatial,
                         const struct onr_instance_norm *p, const struct onr_norm_weights *w) {
  if (!onri_net_check_given(net, name, "its parameters", p)) return -1;
  const struct onr_instance_norm_params params = {.epsilon = p->eps > 0 ? p->eps : 1e-5f};
  const int32_t rank = spatial + 2;
  int y = onri_net_batch(net, x, rank);
  if (!w) w = &no_weights;
  if (w->running_mean.data || w->running_var.data) {
    y = batch_norm(net, name, y, rank, rank, &(struct onr_batch_norm){p->num_features, p->eps}, w);
  } else {
    if (check_channels(net, name, p->num_features, p->eps, w) < 0) return -1;
    y = onri_net_3(net, &onri_layer_instance_norm, &params, y,
                   onri_net_weight(net, name, "weight", w->weight, 1, &p->num_features),
                   onri_net_weight(net, name, "bias", w->bias, 1, &p->num_features));
  }
  return onri_net_unbatch(net, y, x, rank);
}

int onr_instance_norm1d(struct onr_net *net, int x, const struct onr_instance_norm *p,
                        const struct onr_norm_weights *weights) {
  return instance_norm(net, "InstanceNorm1d", x, 1, p, weights);
}

int onr_instance_norm2d(struct onr_net *net, int x, const struct onr_instance_norm *p,
                        const struct onr_norm_weights *weights) {
  return instance_norm(net, "InstanceNorm2d", x, 2, p, weights);
}

int onr_instance_norm3d(struct onr_net *net, int x, const struct onr_instance_norm *p,
                        const struct onr_norm_weights *weights) {
  return instance_norm(net, "InstanceNorm3d", x, 3, p, weights);
}

int onr_group_norm(struct onr_net *net, int x, const struct onr_group_norm *p, struct onr_weight weight,
                   struct onr_weight bias) {
  if (!onri_net_check_given(net, "GroupNorm", "its parameters", p)) return -1;
  const struct onr_group_norm_params params = {.groups = p->num_groups, .epsilon = p->eps > 0 ? p->eps : 1e-5f};
  if (p->num_groups <= 0 || p->num_channels <= 0 || p->num_channels > MAX_CHANNELS || p->num_channels % p->num_groups)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT,
                         "GroupNorm: expected num_channels in 1..%d, a multiple of num_groups, got %lld and %lld",
                         MAX_CHANNELS, (long long)p->num_channels, (long long)p->num_groups);
  if (check_eps(net, "GroupNorm", p->eps) < 0) return -1;
  return onri_net_3(net, &onri_layer_group_norm, &params, x,
                    onri_net_weight(net, "GroupNorm", "weight", weight, 1, &p->num_channels),
                    onri_net_weight(net, "GroupNorm", "bias", bias, 1, &p->num_channels));
}

static int check_normalized(struct onr_net *net, const char *name, const int64_t *dims, int32_t num_dims, float eps,
                            struct onr_normalized_shape *shape) {
  if (num_dims < 0 || num_dims > ONR_MAX_RANK)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: expected num_dims in 1..%d, got %d", name, ONR_MAX_RANK,
                         num_dims);
  shape->num_dims = num_dims ? num_dims : 1;
  for (int32_t d = 0; d < shape->num_dims; d++) {
    shape->dim[d] = dims[d];
    if (dims[d] <= 0)
      return onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: expected normalized_shape above 0, got %lld", name,
                           (long long)dims[d]);
  }
  return check_eps(net, name, eps);
}

int onr_layer_norm(struct onr_net *net, int x, const struct onr_layer_norm *p, struct onr_weight weight,
                   struct onr_weight bias) {
  if (!onri_net_check_given(net, "LayerNorm", "its parameters", p)) return -1;
  struct onr_layer_norm_params params = {.epsilon = p->eps > 0 ? p->eps : 1e-5f};
  struct onr_normalized_shape *shape = &params.shape;
  if (check_normalized(net, "LayerNorm", p->normalized_shape, p->num_dims, p->eps, shape) < 0) return -1;
  params.axis = -shape->num_dims;
  const int w = onri_net_weight(net, "LayerNorm", "weight", weight, shape->num_dims, shape->dim);
  const int b = onri_net_weight(net, "LayerNorm", "bias", bias, shape->num_dims, shape->dim);
  return onri_net_3(net, &onri_layer_layer_norm, &params, x, w, b);
}

int onr_rms_norm(struct onr_net *net, int x, const struct onr_rms_norm *p, struct onr_weight weight) {
  if (!onri_net_check_given(net, "RMSNorm", "its parameters", p)) return -1;
  struct onr_rms_norm_params params = {.epsilon = p->eps > 0 ? p->eps : FLT_EPSILON};
  struct onr_normalized_shape *shape = &params.shape;
  if (check_normalized(net, "RMSNorm", p->normalized_shape, p->num_dims, p->eps, shape) < 0) return -1;
  params.axis = -shape->num_dims;
  return onri_net_2(net, &onri_layer_rms_norm, &params, x,
                    onri_net_weight(net, "RMSNorm", "weight", weight, shape->num_dims, shape->dim));
}

static int response_norm(struct onr_net *net, const char *name, int x, const struct onr_lrn_params *params) {
  if (params->size < 1 || params->size > MAX_CHANNELS)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: expected size in 1..%d, got %lld", name, MAX_CHANNELS,
                         (long long)params->size);
  return onri_net_1(net, &onri_layer_lrn, params, x);
}

int onr_local_response_norm(struct onr_net *net, int x, int64_t size, float alpha, float beta, float k) {
  const struct onr_lrn_params params = {.size = size, .alpha = alpha, .beta = beta, .bias = k, .odd_before = 1};
  return response_norm(net, "LocalResponseNorm", x, &params);
}

/* Squares are divided by the size that was asked for, however many channels they come from; PyTorch's running sum over
 * the channels never lets go of the first one. */
int onr_cross_map_lrn2d(struct onr_net *net, int x, int64_t size, float alpha, float beta, float k) {
  const int64_t odd = size > 0 && size % 2 == 0 ? size - 1 : size;
  const struct onr_lrn_params params = {
      .size = odd, .alpha = alpha * (float)odd / (float)size, .beta = beta, .bias = k, .keep_first = 1};
  return response_norm(net, "CrossMapLRN2d", x, &params);
}
