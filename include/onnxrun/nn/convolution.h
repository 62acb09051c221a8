/* convolution.h: torch.nn.Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d.
 *
 * Images are [N, C, spatial...], or one image [C, spatial...]; sizes are listed outermost first (depth, height, width).
 */
#ifndef ONNXRUN_NN_CONVOLUTION_H
#define ONNXRUN_NN_CONVOLUTION_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

enum onr_conv_padding { ONR_CONV_PADDING_NUMBERS, ONR_CONV_PADDING_SAME, ONR_CONV_PADDING_VALID };
enum onr_padding_mode { ONR_PADDING_ZEROS, ONR_PADDING_REFLECT, ONR_PADDING_REPLICATE, ONR_PADDING_CIRCULAR };

/* torch.nn.Conv1d, Conv2d, Conv3d: the first 1, 2 or 3 entries of the lists count. */
struct onr_conv {
  int64_t in_channels, out_channels; /* in_channels = groups: depthwise */
  int64_t kernel_size[3];
  int64_t stride[3];   /* 0: 1 */
  int64_t padding[3];  /* at both ends */
  int64_t dilation[3]; /* 0: 1 */
  int64_t groups;      /* 0: 1 */
  enum onr_conv_padding
      auto_padding; /* padding='same' (stride 1 alone; an odd element goes to the end) or 'valid'; else the numbers */
  enum onr_padding_mode padding_mode;
};
/* weight [out_channels, in_channels / groups, kernel...]; bias [out_channels], onr_no_weight(): none */
ONR_API int onr_conv1d(struct onr_net *net, int x, const struct onr_conv *conv, struct onr_weight weight,
                       struct onr_weight bias);
ONR_API int onr_conv2d(struct onr_net *net, int x, const struct onr_conv *conv, struct onr_weight weight,
                       struct onr_weight bias);
ONR_API int onr_conv3d(struct onr_net *net, int x, const struct onr_conv *conv, struct onr_weight weight,
                       struct onr_weight bias);

/* torch.nn.ConvTranspose1d, ConvTranspose2d, ConvTranspose3d. Output size:
 * (input - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1 */
struct onr_conv_transpose {
  int64_t in_channels, out_channels;
  int64_t kernel_size[3];
  int64_t stride[3]; /* 0: 1 */
  int64_t padding[3];
  int64_t output_padding[3]; /* below stride or dilation */
  int64_t output_size[3];    /* as in the forward call: gives output_padding, from 0 to stride - 1; 0: output_padding as
                                above */
  int64_t dilation[3];       /* 0: 1 */
  int64_t groups;            /* 0: 1 */
};
/* weight [in_channels, out_channels / groups, kernel...]; bias [out_channels], onr_no_weight(): none */
ONR_API int onr_conv_transpose1d(struct onr_net *net, int x, const struct onr_conv_transpose *conv,
                                 struct onr_weight weight, struct onr_weight bias);
ONR_API int onr_conv_transpose2d(struct onr_net *net, int x, const struct onr_conv_transpose *conv,
                                 struct onr_weight weight, struct onr_weight bias);
ONR_API int onr_conv_transpose3d(struct onr_net *net, int x, const struct onr_conv_transpose *conv,
                                 struct onr_weight weight, struct onr_weight bias);

#ifdef __cplusplus
}
#endif
#endif
