/* pooling.c: the pools of torch.nn. */
#include "onnxrun/nn/pooling.h"

#include <math.h>
#include <string.h>

#include "nn/nn_elementwise.h"
#include "nn/nn_image.h"
#include "params/pool.h"

/* The window of a pool, checked; padding and dilation may be NULL: none. Returns 0 on failure. */
static int window_of(struct onr_net *net, const char *name, int32_t spatial, const int64_t *kernel,
                     const int64_t *stride, const int64_t *padding, const int64_t *dilation,
                     struct onr_window *window) {
  *window = (struct onr_window){.rank = spatial};
  if (!onri_net_check_sizes(net, name, "kernel_size", kernel, spatial, 1) ||
      !onri_net_check_sizes(net, name, "stride", stride, spatial, 0) ||
      (padding && !onri_net_check_sizes(net, name, "padding", padding, spatial, 0)) ||
      (dilation && !onri_net_check_sizes(net, name, "dilation", dilation, spatial, 0)))
    return 0;
  for (int32_t i = 0; i < spatial; i++) {
    window->kernel[i] = kernel[i];
    window->stride[i] = stride[i] ? stride[i] : kernel[i];
    window->dilation[i] = dilation && dilation[i] ? dilation[i] : 1;
    window->pad_begin[i] = window->pad_end[i] = padding ? padding[i] : 0;
    const int64_t extent = (kernel[i] - 1) * window->dilation[i] + 1;
    if (window->pad_begin[i] <= extent / 2) continue;
    onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: expected padding of at most half of the kernel of %lld, got %lld",
                  name, (long long)extent, (long long)window->pad_begin[i]);
    return 0;
  }
  return 1;
}

/* A pool of one image or a batch, with indices where they are wanted. in[0] is x. */
static int pool(struct onr_net *net, const struct onr_layer *layer, const void *params, int32_t spatial, const int *in,
                size_t num_in, int *indices) {
  int batch[2] = {onri_net_batch(net, in[0], 2 + spatial), num_in > 1 ? in[1] : ONRI_NONE}, out[2] = {-1, -1};
  onr_net_layer(net, layer, params, batch, num_in, out, indices ? 2 : 1);
  if (indices) *indices = onri_net_unbatch(net, out[1], in[0], 2 + spatial);
  return onri_net_unbatch(net, out[0], in[0], 2 + spatial);
}

/* --- MaxPool, MaxUnpool, AvgPool --- */

static int max_pool(struct onr_net *net, const char *name, int32_t spatial, int x, const struct onr_max_pool *p,
                    int *indices) {
  if (indices) *indices = -1;
  if (!onri_net_check_given(net, name, "pool", p)) return -1;
  struct onr_pool_params params = {.ceil_mode = p->ceil_mode != 0, .plane_indices = 1};
  if (!window_of(net, name, spatial, p->kernel_size, p->stride, p->padding, p->dilation, &params.window)) return -1;
  return pool(net, &onri_layer_max_pool, &params, spatial, &x, 1, indices);
}

static int max_unpool(struct onr_net *net, const char *name, int32_t spatial, int x, int indices,
                      const struct onr_max_unpool *p) {
  struct onr_max_unpool_params params = {.plane_indices = 1};
  if (!onri_net_check_given(net, name, "pool", p)) return -1;
  if (!window_of(net, name, spatial, p->kernel_size, p->stride, p->padding, NULL, &params.window) ||
      !onri_net_check_sizes(net, name, "output_size", p->output_size, spatial, 0))
    return -1;
  memcpy(params.output, p->output_size, (size_t)spatial * sizeof(*params.output));
  const int in[2] = {x, onri_net_batch(net, indices, 2 + spatial)};
  return pool(net, &onri_layer_max_unpool, &params, spatial, in, 2, NULL);
}

static int avg_pool(struct onr_net *net, const char *name, int32_t spatial, int x, const struct onr_avg_pool *p) {
  if (!onri_net_check_given(net, name, "pool", p)) return -1;
  struct onr_pool_params params = {
      .ceil_mode = p->ceil_mode != 0, .count_include_pad = !p->exclude_pad, .divisor = p->divisor_override};
  if (!window_of(net, name, spatial, p->kernel_size, p->stride, p->padding, NULL, &params.window)) return -1;
  return pool(net, &onri_layer_average_pool, &params, spatial, &x, 1, NULL);
}

/* --- LPPool --- */

/* The greatest or least |x|. */
static int limit_pool(struct onr_net *net, int32_t spatial, const struct onr_pool_params *params, int least, int x) {
  x = onri_net_unary(net, ONR_UNARY_ABS, 0, 0, x);
  if (least) x = onri_net_unary(net, ONR_UNARY_NEG, 0, 0, x);
  x = pool(net, &onri_layer_max_pool, params, spatial, &x, 1, NULL);
  return least ? onri_net_unary(net, ONR_UNARY_NEG, 0, 0, x) : x;
}

/* An average of powers, times the size of the kernel: the average knows windows that hang over the end. */
static int lp_pool(struct onr_net *net, const char *name, int32_t spatial, int x, const struct onr_lp_pool *p) {
  if (!onri_net_check_given(net, name, "pool", p)) return -1;
  struct onr_pool_params params = {.ceil_mode = p->ceil_mode != 0};
  float taps = 1;
  if (p->norm_type == 0 || isnan(p->norm_type))
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: norm_type is 0", name);
  if (!window_of(net, name, spatial, p->kernel_size, p->stride, NULL, NULL, &params.window)) return -1;
  if (isinf(p->norm_type)) return limit_pool(net, spatial, &params, p->norm_type < 0, x);
  for (int32_t i = 0; i < spatial; i++) taps *= (float)p->kernel_size[i];
  if (p->norm_type == 2) x = onri_net_binary(net, ONR_BINARY_MUL, x, x);
  else if (p->norm_type != 1) x = onri_net_binary(net, ONR_BINARY_POW, x, onri_net_float(net, p->norm_type));
  x = pool(net, &onri_layer_average_pool, &params, spatial, &x, 1, NULL);
  x = onri_net_unary(net, ONR_UNARY_AFFINE, taps, 0, x);
  if (p->norm_type == 1) return x;
  if (p->norm_type == 2) return onri_net_unary(net, ONR_UNARY_SQRT, 0, 0, x);
  return onri_net_binary(net, ONR_BINARY_POW, x, onri_net_float(net, 1 / p->norm_type));
}

/* --- adaptive and fractional --- */

static int adaptive(struct onr_net *net, const char *name, const struct onr_layer *layer,
                    const struct onr_layer *global, int32_t spatial, int x, const int64_t *output_size, int *indices) {
  struct onr_pool_params params = {.adaptive = spatial, .plane_indices = 1};
  int single = 1;
  if (indices) *indices = -1;
  if (!onri_net_check_sizes(net, name, "output_size", output_size, spatial, 0)) return -1;
  for (int32_t i = 0; i < spatial; i++) {
    params.output[i] = output_size[i];
    single &= output_size[i] == 1;
  }
  if (single && !indices) return pool(net, global, &(struct onr_global_pool_params){0}, spatial, &x, 1, NULL);
  return pool(net, layer, &params, spatial, &x, 1, indices);
}

static int adaptive_avg(struct onr_net *net, const char *name, int32_t spatial, int x, const int64_t *output_size) {
  return adaptive(net, name, &onri_layer_average_pool, &onri_layer_global_average_pool, spatial, x, output_size, NULL);
}

static int adaptive_max(struct onr_net *net, const char *name, int32_t spatial, int x, const int64_t *output_size,
                        int *indices) {
  return adaptive(net, name, &onri_layer_max_pool, &onri_layer_global_max_pool, spatial, x, output_size, indices);
}

static int fractional(struct onr_net *net, const char *name, int32_t spatial, int x, int samples,
                      const struct onr_fractional_max_pool *p, int *indices) {
  if (indices) *indices = -1;
  if (!onri_net_check_given(net, name, "pool", p)) return -1;
  struct onr_fractional_max_pool_params params = {.rank = spatial, .seed = p->seed};
  if (!onri_net_check_sizes(net, name, "kernel_size", p->kernel_size, spatial, 1) ||
      !onri_net_check_sizes(net, name, "output_size", p->output_size, spatial, 0))
    return -1;
  for (int32_t i = 0; i < spatial; i++) {
    params.kernel[i] = p->kernel_size[i];
    params.output[i] = p->output_size[i];
    params.ratio[i] = p->output_ratio[i];
    if (params.output[i] == 0 && !(params.ratio[i] > 0 && params.ratio[i] < 1))
      return onri_net_fail(net, ONR_STATUS_ARGUMENT,
                           "%s: expected output_size, or output_ratio between 0 and 1, got %g", name, params.ratio[i]);
  }
  return pool(net, &onri_layer_fractional_max_pool, &params, spatial, (int[]){x, samples}, samples == ONRI_NONE ? 1 : 2,
              indices);
}

/* --- the classes --- */

#define POOLS(n)                                                                                          \
  int onr_max_pool##n##d(struct onr_net *net, int x, const struct onr_max_pool *p, int *indices) {        \
    return max_pool(net, "MaxPool" #n "d", n, x, p, indices);                                             \
  }                                                                                                       \
  int onr_max_unpool##n##d(struct onr_net *net, int x, int indices, const struct onr_max_unpool *p) {     \
    return max_unpool(net, "MaxUnpool" #n "d", n, x, indices, p);                                         \
  }                                                                                                       \
  int onr_avg_pool##n##d(struct onr_net *net, int x, const struct onr_avg_pool *p) {                      \
    return avg_pool(net, "AvgPool" #n "d", n, x, p);                                                      \
  }                                                                                                       \
  int onr_lp_pool##n##d(struct onr_net *net, int x, const struct onr_lp_pool *p) {                        \
    return lp_pool(net, "LPPool" #n "d", n, x, p);                                                        \
  }                                                                                                       \
  int onr_adaptive_avg_pool##n##d(struct onr_net *net, int x, const int64_t *output_size) {               \
    return adaptive_avg(net, "AdaptiveAvgPool" #n "d", n, x, output_size);                                \
  }                                                                                                       \
  int onr_adaptive_max_pool##n##d(struct onr_net *net, int x, const int64_t *output_size, int *indices) { \
    return adaptive_max(net, "AdaptiveMaxPool" #n "d", n, x, output_size, indices);                       \
  }
POOLS(1)
POOLS(2)
POOLS(3)

int onr_fractional_max_pool2d(struct onr_net *net, int x, int samples, const struct onr_fractional_max_pool *p,
                              int *indices) {
  return fractional(net, "FractionalMaxPool2d", 2, x, samples, p, indices);
}

int onr_fractional_max_pool3d(struct onr_net *net, int x, int samples, const struct onr_fractional_max_pool *p,
                              int *indices) {
  return fractional(net, "FractionalMaxPool3d", 3, x, samples, p, indices);
}
