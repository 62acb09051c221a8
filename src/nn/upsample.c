/* upsample.c: torch.nn.Upsample and its relatives, PixelShuffle, PixelUnshuffle, ChannelShuffle. */
#include "onnxrun/nn/upsample.h"

#include <math.h>

#include "nn/nn_image.h"
#include "params/pool.h"
#include "params/resize.h"
#include "params/spatial.h"

/* What a mode is to the resize layer. spatial: the dimensions it needs; 0: any. */
static const struct mode {
  const char *name;
  int32_t spatial, interpolates;
  enum onr_resize_mode mode;
  enum onr_resize_coordinates coordinates;
  enum onr_resize_nearest nearest;
} modes[] = {
    /* as enum onr_upsample_mode */
    {"nearest", 0, 0, ONR_RESIZE_NEAREST, ONR_RESIZE_ASYMMETRIC, ONR_RESIZE_FLOOR},
    {"nearest-exact", 0, 0, ONR_RESIZE_NEAREST, ONR_RESIZE_HALF_PIXEL, ONR_RESIZE_ROUND_PREFER_CEIL},
    {"linear", 1, 1, ONR_RESIZE_LINEAR, ONR_RESIZE_HALF_PIXEL, ONR_RESIZE_FLOOR},
    {"bilinear", 2, 1, ONR_RESIZE_LINEAR, ONR_RESIZE_HALF_PIXEL, ONR_RESIZE_FLOOR},
    {"bicubic", 2, 1, ONR_RESIZE_CUBIC, ONR_RESIZE_HALF_PIXEL, ONR_RESIZE_FLOOR},
    {"trilinear", 3, 1, ONR_RESIZE_LINEAR, ONR_RESIZE_HALF_PIXEL, ONR_RESIZE_FLOOR},
    {"area", 0, 0, ONR_RESIZE_NEAREST, ONR_RESIZE_HALF_PIXEL, ONR_RESIZE_FLOOR},
};

/* Entries in front of the first 0. */
static int32_t count_sizes(const struct onr_upsample *p) {
  int32_t count = 0;
  while (count < 3 && p->size[count] != 0) count++;
  return count;
}

static int32_t count_scales(const struct onr_upsample *p) {
  int32_t count = 0;
  while (count < 3 && p->scale_factor[count] != 0) count++;
  return count;
}

static int check(struct onr_net *net, const struct onr_upsample *p) {
  const int32_t sizes = count_sizes(p), scales = count_scales(p), spatial = sizes + scales;
  if ((int)p->mode < 0 || (size_t)p->mode >= sizeof(modes) / sizeof(*modes))
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "Upsample: unknown mode %d", (int)p->mode);
  const struct mode *mode = &modes[p->mode];
  if ((sizes == 0) == (scales == 0))
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "Upsample: expected either size or scale_factor");
  for (int32_t i = 0; i < scales; i++)
    if (!(p->scale_factor[i] > 0) || isinf(p->scale_factor[i]))
      return onri_net_fail(net, ONR_STATUS_ARGUMENT, "Upsample: expected scale_factor above 0, got %g",
                           p->scale_factor[i]);
  if (!onri_net_check_sizes(net, "Upsample", "size", p->size, sizes, 1)) return -1;
  if (mode->spatial && mode->spatial != spatial)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "Upsample: expected %d sizes or scale factors for mode %s, got %d",
                         mode->spatial, mode->name, spatial);
  if (p->align_corners && !mode->interpolates)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "Upsample: align_corners does not go with mode %s", mode->name);
  if (p->antialias && mode->spatial != 2)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT,
                         "Upsample: antialias goes with bilinear and bicubic alone, not with mode %s", mode->name);
  return net->failed ? -1 : spatial;
}

static enum onr_resize_coordinates coordinates_of(const struct onr_upsample *p) {
  if (!p->align_corners) return modes[p->mode].coordinates;
  return p->antialias ? ONR_RESIZE_PYTORCH_CORNERS : ONR_RESIZE_ALIGN_CORNERS;
}

static int wide_scales(struct onr_net *net, const double *scales, int32_t count) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F64, 1, (int64_t[]){count});
  const int value = onr_net_constant(net, &desc, scales);
  if (value >= 0) net->parameters -= count; /* numbers of the formula, not weights */
  return value;
}

static int resize(struct onr_net *net, int x, const struct onr_upsample *p, int32_t spatial) {
  const struct mode *mode = &modes[p->mode];
  const int by_size = count_sizes(p) > 0;
  struct onr_resize_params params = {.mode = (int32_t)mode->mode,
                                     .coordinates = (int32_t)coordinates_of(p),
                                     .nearest = (int32_t)mode->nearest,
                                     .antialias = p->antialias != 0,
                                     .exclude_outside = p->antialias != 0,
                                     .cubic_a = p->antialias ? -0.5f : -0.75f,
                                     .wide_scales = 1,
                                     .recompute_scales = p->recompute_scale_factor || p->align_corners,
                                     .num_axes = spatial};
  for (int32_t i = 0; i < spatial; i++) params.axes[i] = 2 + i;
  const int in[4] = {x, ONRI_NONE, by_size ? ONRI_NONE : wide_scales(net, p->scale_factor, spatial),
                     by_size ? onri_net_ints(net, p->size, (size_t)spatial) : ONRI_NONE};
  int out = -1;
  return onr_net_layer(net, &onri_layer_resize, &params, in, by_size ? 4 : 3, &out, 1);
}

int onr_upsample(struct onr_net *net, int x, const struct onr_upsample *p) {
  const int32_t spatial = onri_net_check_given(net, "Upsample", "upsample", p) ? check(net, p) : -1;
  if (spatial < 0) return -1;
  int y = onri_net_batch(net, x, 2 + spatial);
  if (p->mode == ONR_UPSAMPLE_AREA) {
    struct onr_pool_params params = {.adaptive = spatial};
    for (int32_t i = 0; i < spatial; i++) {
      params.output[i] = p->size[i];
      params.ratio[i] = p->scale_factor[i];
    }
    y = onri_net_1(net, &onri_layer_average_pool, &params, y);
  } else {
    y = resize(net, y, p, spatial);
  }
  return onri_net_unbatch(net, y, x, 2 + spatial);
}

static int upsample_2d(struct onr_net *net, int x, const struct onr_upsample *p, enum onr_upsample_mode mode,
                       int32_t align_corners) {
  struct onr_upsample plain = {.mode = mode, .align_corners = align_corners};
  if (!onri_net_check_given(net, "UpsamplingNearest2d or UpsamplingBilinear2d", "upsample", p)) return -1;
  for (int i = 0; i < 2; i++) {
    plain.size[i] = p->size[i];
    plain.scale_factor[i] = p->scale_factor[i];
  }
  if (count_sizes(&plain) + count_scales(&plain) != 2)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT,
                         "UpsamplingNearest2d and UpsamplingBilinear2d: expected 2 sizes or 2 scale factors");
  return onr_upsample(net, x, &plain);
}

int onr_upsampling_nearest2d(struct onr_net *net, int x, const struct onr_upsample *p) {
  return upsample_2d(net, x, p, ONR_UPSAMPLE_NEAREST, 0);
}

int onr_upsampling_bilinear2d(struct onr_net *net, int x, const struct onr_upsample *p) {
  return upsample_2d(net, x, p, ONR_UPSAMPLE_BILINEAR, 1);
}

static int blocks(struct onr_net *net, const char *name, const struct onr_layer *layer, int x, int64_t factor) {
  if (!onri_net_check_sizes(net, name, "a factor", &factor, 1, 1)) return -1;
  const int y = onri_net_1(net, layer, &(struct onr_block_params){factor, ONR_BLOCK_CRD, 0}, onri_net_batch(net, x, 4));
  return onri_net_unbatch(net, y, x, 4);
}

int onr_pixel_shuffle(struct onr_net *net, int x, int64_t upscale_factor) {
  return blocks(net, "PixelShuffle", &onri_layer_depth_to_space, x, upscale_factor);
}

int onr_pixel_unshuffle(struct onr_net *net, int x, int64_t downscale_factor) {
  return blocks(net, "PixelUnshuffle", &onri_layer_space_to_depth, x, downscale_factor);
}

int onr_channel_shuffle(struct onr_net *net, int x, int64_t groups) {
  if (!onri_net_check_sizes(net, "ChannelShuffle", "groups", &groups, 1, 1)) return -1;
  return onri_net_1(net, &onri_layer_channel_shuffle, &(struct onr_channel_shuffle_params){groups, 0}, x);
}
