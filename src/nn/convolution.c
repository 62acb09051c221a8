/* convolution.c: torch.nn.Conv1d to Conv3d and ConvTranspose1d to ConvTranspose3d. */
#include "onnxrun/nn/convolution.h"

#include "nn/nn_image.h"
#include "params/conv.h"
#include "params/move.h"

static int64_t or_one(int64_t value) { return value == 0 ? 1 : value; }

/* [rows, columns, kernel...] as a constant. */
static int weight_of(struct onr_net *net, const char *name, struct onr_weight weight, int64_t rows, int64_t columns,
                     const int64_t *kernel, int32_t spatial) {
  int64_t dims[2 + ONR_MAX_SPATIAL] = {rows, columns};
  for (int32_t i = 0; i < spatial; i++) dims[2 + i] = kernel[i];
  return onri_net_weight(net, name, "weight", weight, 2 + spatial, dims);
}

static int check_channels(struct onr_net *net, const char *name, int64_t in, int64_t out, int64_t groups,
                          struct onr_weight weight) {
  const int64_t channels[3] = {in, out, groups};
  if (!onri_net_check_sizes(net, name, "in_channels, out_channels and groups", channels, 3, 1)) return 0;
  if (!onri_net_check_given(net, name, "weight", weight.data)) return 0;
  if (in % groups == 0 && out % groups == 0) return 1;
  onri_net_fail(net, ONR_STATUS_ARGUMENT,
                "%s: expected in_channels and out_channels that %lld groups divide, got %lld and %lld", name,
                (long long)groups, (long long)in, (long long)out);
  return 0;
}

/* --- Conv --- */

/* Padding at both ends of axis i. */
static int padding_of(struct onr_net *net, const char *name, const struct onr_conv *p, int32_t i, int64_t *begin,
                      int64_t *end) {
  const int64_t total = or_one(p->dilation[i]) * (p->kernel_size[i] - 1); /* both below 2^31 */
  *begin = *end = p->auto_padding == ONR_CONV_PADDING_NUMBERS ? p->padding[i] : 0;
  if (p->auto_padding != ONR_CONV_PADDING_SAME) return 1;
  if (or_one(p->stride[i]) != 1) {
    onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: padding 'same' needs a stride of 1, got %lld", name,
                  (long long)p->stride[i]);
    return 0;
  }
  *begin = total / 2;
  *end = total - *begin;
  return 1;
}

static int check_conv(struct onr_net *net, const char *name, const struct onr_conv *p, int32_t spatial,
                      struct onr_weight weight) {
  if (p->auto_padding < ONR_CONV_PADDING_NUMBERS || p->auto_padding > ONR_CONV_PADDING_VALID ||
      p->padding_mode < ONR_PADDING_ZEROS || p->padding_mode > ONR_PADDING_CIRCULAR) {
    onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: unknown auto_padding %d or padding_mode %d", name,
                  (int)p->auto_padding, (int)p->padding_mode);
    return 0;
  }
  return check_channels(net, name, p->in_channels, p->out_channels, or_one(p->groups), weight) &&
         onri_net_check_sizes(net, name, "kernel_size", p->kernel_size, spatial, 1) &&
         onri_net_check_sizes(net, name, "stride", p->stride, spatial, 0) &&
         onri_net_check_sizes(net, name, "padding", p->padding, spatial, 0) &&
         onri_net_check_sizes(net, name, "dilation", p->dilation, spatial, 0);
}

/* The window's padding as a layer in front, which pads with more than zeros; the window then has none. */
static int pad_in_front(struct onr_net *net, int x, enum onr_padding_mode mode, struct onr_window *window) {
  static const enum onr_pad_mode modes[] = {ONR_PAD_CONSTANT, ONR_PAD_REFLECT, ONR_PAD_EDGE,
                                            ONR_PAD_CIRCULAR}; /* as enum onr_padding_mode */
  const int32_t rank = 2 + window->rank;
  int64_t pads[2 * (2 + ONR_MAX_SPATIAL)] = {0};
  int64_t any = 0;
  if (mode == ONR_PADDING_ZEROS) return x;
  for (int32_t i = 0; i < window->rank; i++) {
    any |= pads[2 + i] = window->pad_begin[i];
    any |= pads[rank + 2 + i] = window->pad_end[i];
    window->pad_begin[i] = window->pad_end[i] = 0;
  }
  return any ? onri_net_2(net, &onri_layer_pad, &(struct onr_pad_params){modes[mode]}, x,
                          onri_net_ints(net, pads, 2 * (size_t)rank))
             : x;
}

static int conv(struct onr_net *net, const char *name, int32_t spatial, int x, const struct onr_conv *p,
                struct onr_weight weight, struct onr_weight bias) {
  struct onr_conv_params params = {.window = {.rank = spatial}};
  if (!onri_net_check_given(net, name, "conv", p)) return -1;
  params.groups = p->groups;
  if (!check_conv(net, name, p, spatial, weight)) return -1;
  for (int32_t i = 0; i < spatial; i++) {
    params.window.stride[i] = p->stride[i];
    params.window.dilation[i] = p->dilation[i];
    if (!padding_of(net, name, p, i, &params.window.pad_begin[i], &params.window.pad_end[i])) return -1;
  }
  const int w =
      weight_of(net, name, weight, p->out_channels, p->in_channels / or_one(p->groups), p->kernel_size, spatial);
  const int batch = pad_in_front(net, onri_net_batch(net, x, 2 + spatial), p->padding_mode, &params.window);
  const int y = onri_net_3(net, &onri_layer_conv, &params, batch, w,
                           onri_net_weight(net, name, "bias", bias, 1, &p->out_channels));
  return onri_net_unbatch(net, y, x, 2 + spatial);
}

int onr_conv1d(struct onr_net *net, int x, const struct onr_conv *p, struct onr_weight weight, struct onr_weight bias) {
  return conv(net, "Conv1d", 1, x, p, weight, bias);
}

int onr_conv2d(struct onr_net *net, int x, const struct onr_conv *p, struct onr_weight weight, struct onr_weight bias) {
  return conv(net, "Conv2d", 2, x, p, weight, bias);
}

int onr_conv3d(struct onr_net *net, int x, const struct onr_conv *p, struct onr_weight weight, struct onr_weight bias) {
  return conv(net, "Conv3d", 3, x, p, weight, bias);
}

/* --- ConvTranspose --- */

static int conv_transpose(struct onr_net *net, const char *name, int32_t spatial, int x,
                          const struct onr_conv_transpose *p, struct onr_weight weight, struct onr_weight bias) {
  struct onr_conv_transpose_params params = {.window = {.rank = spatial}};
  if (!onri_net_check_given(net, name, "conv", p)) return -1;
  params.groups = p->groups;
  if (!check_channels(net, name, p->in_channels, p->out_channels, or_one(p->groups), weight) ||
      !onri_net_check_sizes(net, name, "kernel_size", p->kernel_size, spatial, 1) ||
      !onri_net_check_sizes(net, name, "stride", p->stride, spatial, 0) ||
      !onri_net_check_sizes(net, name, "padding", p->padding, spatial, 0) ||
      !onri_net_check_sizes(net, name, "output_padding", p->output_padding, spatial, 0) ||
      !onri_net_check_sizes(net, name, "output_size", p->output_size, spatial, 0) ||
      !onri_net_check_sizes(net, name, "dilation", p->dilation, spatial, 0))
    return -1;
  for (int32_t i = 0; i < spatial; i++) {
    params.window.stride[i] = p->stride[i];
    params.window.dilation[i] = p->dilation[i];
    params.window.pad_begin[i] = params.window.pad_end[i] = p->padding[i];
    params.output_padding[i] = p->output_size[i] ? 0 : p->output_padding[i];
    params.output_size[i] = p->output_size[i];
  }
  const int w =
      weight_of(net, name, weight, p->in_channels, p->out_channels / or_one(p->groups), p->kernel_size, spatial);
  const int batch = onri_net_batch(net, x, 2 + spatial);
  const int y = onri_net_3(net, &onri_layer_conv_transpose, &params, batch, w,
                           onri_net_weight(net, name, "bias", bias, 1, &p->out_channels));
  return onri_net_unbatch(net, y, x, 2 + spatial);
}

int onr_conv_transpose1d(struct onr_net *net, int x, const struct onr_conv_transpose *p, struct onr_weight weight,
                         struct onr_weight bias) {
  return conv_transpose(net, "ConvTranspose1d", 1, x, p, weight, bias);
}

int onr_conv_transpose2d(struct onr_net *net, int x, const struct onr_conv_transpose *p, struct onr_weight weight,
                         struct onr_weight bias) {
  return conv_transpose(net, "ConvTranspose2d", 2, x, p, weight, bias);
}

int onr_conv_transpose3d(struct onr_net *net, int x, const struct onr_conv_transpose *p, struct onr_weight weight,
                         struct onr_weight bias) {
  return conv_transpose(net, "ConvTranspose3d", 3, x, p, weight, bias);
}
