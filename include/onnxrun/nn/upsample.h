/* upsample.h: torch.nn.Upsample (torch.nn.functional.interpolate), UpsamplingNearest2d, UpsamplingBilinear2d,
 * PixelShuffle, PixelUnshuffle, ChannelShuffle. Images are [N, C, spatial...], or one image [C, spatial...]; sizes are
 * listed outermost first. */
#ifndef ONNXRUN_NN_UPSAMPLE_H
#define ONNXRUN_NN_UPSAMPLE_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

enum onr_upsample_mode {
  ONR_UPSAMPLE_NEAREST,       /* 1 to 3 spatial dimensions */
  ONR_UPSAMPLE_NEAREST_EXACT, /* 1 to 3 */
  ONR_UPSAMPLE_LINEAR,        /* 1 */
  ONR_UPSAMPLE_BILINEAR,      /* 2 */
  ONR_UPSAMPLE_BICUBIC,       /* 2 */
  ONR_UPSAMPLE_TRILINEAR,     /* 3 */
  ONR_UPSAMPLE_AREA,          /* 1 to 3 */
};

/* torch.nn.Upsample. size or scale_factor has one entry above 0 for each spatial dimension, the other one none. */
struct onr_upsample {
  int64_t size[3];
  double scale_factor[3];
  enum onr_upsample_mode mode;
  int32_t align_corners; /* linear, bilinear, bicubic, trilinear */
  int32_t
      recompute_scale_factor; /* the sizes that scale_factor gives decide where pixels lie, not scale_factor itself */
  int32_t antialias;          /* bilinear and bicubic */
};
ONR_API int onr_upsample(struct onr_net *net, int x, const struct onr_upsample *upsample);

/* torch.nn.UpsamplingNearest2d, UpsamplingBilinear2d (which aligns corners): only size or scale_factor of the
 * parameters are read. */
ONR_API int onr_upsampling_nearest2d(struct onr_net *net, int x, const struct onr_upsample *upsample);
ONR_API int onr_upsampling_bilinear2d(struct onr_net *net, int x, const struct onr_upsample *upsample);

/* torch.nn.PixelShuffle, PixelUnshuffle: [N, C r r, H, W] -> [N, C, H r, W r], and back. */
ONR_API int onr_pixel_shuffle(struct onr_net *net, int x, int64_t upscale_factor);
ONR_API int onr_pixel_unshuffle(struct onr_net *net, int x, int64_t downscale_factor);

/* torch.nn.ChannelShuffle: x [N, groups c, spatial...]; channel c of group g becomes channel g of group c. */
ONR_API int onr_channel_shuffle(struct onr_net *net, int x, int64_t groups);

#ifdef __cplusplus
}
#endif
#endif
