/* Upsample, PixelShuffle and ChannelShuffle against PyTorch (families/upsample.py). */
#include "support/nn_case.h"

#include <math.h>

#include "cases/upsample.inc"

#define UPSAMPLE(name, m, ...) \
  NN_BUILD(name, onr_upsample(net, in[0], &(struct onr_upsample){.mode = ONR_UPSAMPLE_##m, __VA_ARGS__}))

UPSAMPLE(nearest1d, NEAREST, .size = {7})
UPSAMPLE(nearest1d_scale, NEAREST, .scale_factor = {1.7})
UPSAMPLE(nearest2d, NEAREST, .scale_factor = {2, 2})
UPSAMPLE(nearest2d_down, NEAREST, .size = {2, 3})
UPSAMPLE(nearest2d_recomputed, NEAREST, .scale_factor = {1.3, 2.6}, .recompute_scale_factor = 1)
UPSAMPLE(nearest3d, NEAREST, .scale_factor = {1, 2, 1.5})
UPSAMPLE(nearest_rounded, NEAREST, .scale_factor = {0.57})
UPSAMPLE(exact1d, NEAREST_EXACT, .size = {8})
UPSAMPLE(exact2d, NEAREST_EXACT, .scale_factor = {0.6, 1.9})
UPSAMPLE(exact3d, NEAREST_EXACT, .size = {3, 5, 4})
UPSAMPLE(linear, LINEAR, .size = {9})
UPSAMPLE(linear_corners, LINEAR, .scale_factor = {1.5}, .align_corners = 1)
UPSAMPLE(linear_one, LINEAR, .size = {1})
UPSAMPLE(bilinear, BILINEAR, .scale_factor = {2, 2})
UPSAMPLE(bilinear_size, BILINEAR, .size = {7, 3})
UPSAMPLE(bilinear_scale, BILINEAR, .scale_factor = {1.7, 0.6})
UPSAMPLE(bilinear_recomputed, BILINEAR, .scale_factor = {1.7, 0.6}, .recompute_scale_factor = 1)
UPSAMPLE(bilinear_corners, BILINEAR, .size = {7, 3}, .align_corners = 1)
UPSAMPLE(bicubic, BICUBIC, .scale_factor = {2, 2})
UPSAMPLE(bicubic_scale, BICUBIC, .scale_factor = {1.7, 0.6})
UPSAMPLE(bicubic_corners, BICUBIC, .size = {7, 4}, .align_corners = 1)
UPSAMPLE(trilinear, TRILINEAR, .scale_factor = {2, 1.5, 1})
UPSAMPLE(trilinear_corners, TRILINEAR, .size = {3, 5, 2}, .align_corners = 1)
UPSAMPLE(bilinear_antialias, BILINEAR, .size = {3, 5}, .antialias = 1)
UPSAMPLE(bilinear_antialias_up, BILINEAR, .scale_factor = {1.6, 0.45}, .antialias = 1)
UPSAMPLE(bicubic_antialias, BICUBIC, .size = {3, 5}, .antialias = 1)
UPSAMPLE(bicubic_antialias_up, BICUBIC, .scale_factor = {1.6, 0.45}, .antialias = 1)
UPSAMPLE(bilinear_antialias_corners, BILINEAR, .size = {3, 9}, .antialias = 1, .align_corners = 1)
UPSAMPLE(bicubic_antialias_corners, BICUBIC, .size = {3, 9}, .antialias = 1, .align_corners = 1)
UPSAMPLE(bilinear_antialias_corners_one, BILINEAR, .size = {1, 3}, .antialias = 1, .align_corners = 1)
UPSAMPLE(bicubic_antialias_corners_one, BICUBIC, .size = {1, 3}, .antialias = 1, .align_corners = 1)
UPSAMPLE(bicubic_antialias_corners_scale, BICUBIC, .scale_factor = {1.6, 0.45}, .antialias = 1, .align_corners = 1)
UPSAMPLE(area_scale, AREA, .scale_factor = {0.57, 1.3})
UPSAMPLE(area_scale_1d, AREA, .scale_factor = {0.6})
UPSAMPLE(area, AREA, .size = {3, 4})
NN_BUILD(upsampling_nearest2d, onr_upsampling_nearest2d(net, in[0], &(struct onr_upsample){.scale_factor = {2, 2}}))
NN_BUILD(upsampling_bilinear2d, onr_upsampling_bilinear2d(net, in[0], &(struct onr_upsample){.size = {5, 6}}))
NN_BUILD(upsampling_bilinear2d_scale,
         onr_upsampling_bilinear2d(net, in[0], &(struct onr_upsample){.scale_factor = {1.7, 1.7}}))
NN_BUILD(pixel_shuffle, onr_pixel_shuffle(net, in[0], 2))
NN_BUILD(pixel_shuffle_unbatched, onr_pixel_shuffle(net, in[0], 3))
NN_BUILD(pixel_unshuffle, onr_pixel_unshuffle(net, in[0], 2))
NN_BUILD(pixel_unshuffle_unbatched, onr_pixel_unshuffle(net, in[0], 3))
NN_BUILD(channel_shuffle, onr_channel_shuffle(net, in[0], 2))
NN_BUILD(channel_shuffle_1d, onr_channel_shuffle(net, in[0], 3))

#define BUILDER(name) \
  { #name, name }
static const struct nn_builder builders[] = {
    BUILDER(nearest1d),
    BUILDER(nearest1d_scale),
    BUILDER(nearest2d),
    BUILDER(nearest2d_down),
    BUILDER(nearest2d_recomputed),
    BUILDER(nearest3d),
    BUILDER(nearest_rounded),
    BUILDER(exact1d),
    BUILDER(exact2d),
    BUILDER(exact3d),
    BUILDER(linear),
    BUILDER(linear_corners),
    BUILDER(linear_one),
    BUILDER(bilinear),
    BUILDER(bilinear_size),
    BUILDER(bilinear_scale),
    BUILDER(bilinear_recomputed),
    BUILDER(bilinear_corners),
    BUILDER(bicubic),
    BUILDER(bicubic_scale),
    BUILDER(bicubic_corners),
    BUILDER(trilinear),
    BUILDER(trilinear_corners),
    BUILDER(bilinear_antialias),
    BUILDER(bilinear_antialias_up),
    BUILDER(bicubic_antialias),
    BUILDER(bicubic_antialias_up),
    BUILDER(area),
    BUILDER(upsampling_nearest2d),
    BUILDER(upsampling_bilinear2d),
    BUILDER(upsampling_bilinear2d_scale),
    BUILDER(pixel_shuffle),
    BUILDER(pixel_shuffle_unbatched),
    BUILDER(pixel_unshuffle),
    BUILDER(pixel_unshuffle_unbatched),
    BUILDER(channel_shuffle),
    BUILDER(channel_shuffle_1d),
    BUILDER(bilinear_antialias_corners),
    BUILDER(bicubic_antialias_corners),
    BUILDER(bilinear_antialias_corners_one),
    BUILDER(bicubic_antialias_corners_one),
    BUILDER(bicubic_antialias_corners_scale),
    BUILDER(area_scale),
    BUILDER(area_scale_1d),
};

static void agrees_with_pytorch(void **state) {
  (void)state;
  nn_check(cases, sizeof(cases) / sizeof(*cases), builders, sizeof(builders) / sizeof(*builders));
}

static int add_upsample(struct onr_net *net, int x, const void *p) { return onr_upsample(net, x, p); }
static int add_nearest2d(struct onr_net *net, int x, const void *p) { return onr_upsampling_nearest2d(net, x, p); }
static int add_shuffle(struct onr_net *net, int x, const void *p) {
  return onr_pixel_shuffle(net, x, *(const int64_t *)p);
}
static int add_unshuffle(struct onr_net *net, int x, const void *p) {
  return onr_pixel_unshuffle(net, x, *(const int64_t *)p);
}
static int add_channel_shuffle(struct onr_net *net, int x, const void *p) {
  return onr_channel_shuffle(net, x, *(const int64_t *)p);
}

static void refuses_wrong_sizes(void **state) {
  static const int64_t image[4] = {1, 6, 4, 4};
  static const struct {
    struct onr_upsample p;
    const char *text;
  } wrong[] = {
      {{.mode = ONR_UPSAMPLE_NEAREST}, "either size or scale_factor"},
      {{.size = {2, 2}, .scale_factor = {2, 2}}, "either size or scale_factor"},
      {{.size = {-2, 2}}, "size"},
      {{.size = {INT64_MAX, 2}}, "size"},
      {{.size = {INT32_MAX, INT32_MAX}}, "elements"},
      {{.scale_factor = {-1, 2}}, "scale_factor"},
      {{.scale_factor = {2, NAN}}, "scale_factor"},
      {{.scale_factor = {INFINITY, 2}}, "scale_factor"},
      {{.scale_factor = {1e30, 2}}, "beyond"},
      {{.scale_factor = {2}}, "rank 2 or 3"},
      {{.size = {2}, .mode = ONR_UPSAMPLE_BILINEAR}, "2 sizes"},
      {{.size = {2, 2}, .align_corners = 1}, "align_corners"},
      {{.size = {2, 2}, .antialias = 1}, "antialias"},
      {{.scale_factor = {0.2, 1}, .mode = ONR_UPSAMPLE_AREA}, "4 pixels times 0.2"},
      {{.scale_factor = {1, 1e30}, .mode = ONR_UPSAMPLE_AREA}, "4 pixels times 1e+30"},
      {{.size = {2, 2}, .mode = (enum onr_upsample_mode)7}, "mode 7"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
    nn_refuses(add_upsample, &wrong[i].p, 4, image, wrong[i].text);
  nn_refuses(add_nearest2d, &(struct onr_upsample){.size = {3}}, 4, image, "2 sizes");
}

static void refuses_wrong_factors(void **state) {
  static const int64_t image[4] = {1, 6, 4, 4};
  (void)state;
  nn_refuses(add_shuffle, &(int64_t){0}, 4, image, "factor");
  nn_refuses(add_shuffle, &(int64_t){INT64_MAX}, 4, image, "factor");
  nn_refuses(add_shuffle, &(int64_t){2}, 4, image, "6 channels");
  nn_refuses(add_unshuffle, &(int64_t){-1}, 4, image, "factor");
  nn_refuses(add_unshuffle, &(int64_t){3}, 4, image, "multiple");
  nn_refuses(add_unshuffle, &(int64_t){2}, 2, image, "rank 3 or 4");
  nn_refuses(add_channel_shuffle, &(int64_t){0}, 4, image, "groups");
  nn_refuses(add_channel_shuffle, &(int64_t){4}, 4, image, "4 groups");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_pytorch),
      cmocka_unit_test(refuses_wrong_sizes),
      cmocka_unit_test(refuses_wrong_factors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
