/* fold.c: torch.nn.Unfold and Fold. */
#include "onnxrun/nn/fold.h"

#include "nn/nn_image.h"
#include "params/move.h"
#include "params/spatial.h"

static int check(struct onr_net *net, const char *name, const int64_t *kernel, const int64_t *dilation,
                 const int64_t *padding, const int64_t *stride) {
  return onri_net_check_sizes(net, name, "kernel_size", kernel, 2, 1) &&
         onri_net_check_sizes(net, name, "dilation", dilation, 2, 0) &&
         onri_net_check_sizes(net, name, "padding", padding, 2, 0) &&
         onri_net_check_sizes(net, name, "stride", stride, 2, 0);
}

int onr_unfold(struct onr_net *net, int x, const struct onr_unfold *p) {
  struct onr_im2col_params params = {.window = {.rank = 2}};
  if (!onri_net_check_given(net, "Unfold", "unfold", p)) return -1;
  int y = onri_net_batch(net, x, 4);
  if (!check(net, "Unfold", p->kernel_size, p->dilation, p->padding, p->stride)) return -1;
  for (int i = 0; i < 2; i++) {
    params.window.kernel[i] = p->kernel_size[i];
    params.window.dilation[i] = p->dilation[i];
    params.window.stride[i] = p->stride[i];
  }
  if (p->padding[0] || p->padding[1]) {
    const int64_t pads[8] = {0, 0, p->padding[0], p->padding[1], 0, 0, p->padding[0], p->padding[1]};
    y = onri_net_2(net, &onri_layer_pad, &(struct onr_pad_params){ONR_PAD_CONSTANT}, y, onri_net_ints(net, pads, 8));
  }
  return onri_net_unbatch(net, onri_net_1(net, &onri_layer_im2col, &params, y), x, 4);
}

int onr_fold(struct onr_net *net, int x, const struct onr_fold *p) {
  struct onr_col2im_params params = {.window = {.rank = 2}};
  if (!onri_net_check_given(net, "Fold", "fold", p) ||
      !check(net, "Fold", p->kernel_size, p->dilation, p->padding, p->stride) ||
      !onri_net_check_sizes(net, "Fold", "output_size", p->output_size, 2, 1))
    return -1;
  for (int i = 0; i < 2; i++) {
    params.window.dilation[i] = p->dilation[i];
    params.window.stride[i] = p->stride[i];
    params.window.pad_begin[i] = params.window.pad_end[i] = p->padding[i];
  }
  const int image = onri_net_ints(net, p->output_size, 2), block = onri_net_ints(net, p->kernel_size, 2);
  return onri_net_unbatch(net, onri_net_3(net, &onri_layer_col2im, &params, onri_net_batch(net, x, 3), image, block), x,
                          3);
}
