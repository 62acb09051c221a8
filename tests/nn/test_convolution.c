/* Convolutions against PyTorch (families/convolution.py). */
#include "support/nn_case.h"

#include "cases/convolution.inc"

enum { BIAS = 1 };

static int64_t taps(const int64_t *kernel, int spatial) {
  int64_t product = 1;
  for (int i = 0; i < spatial; i++) product *= kernel[i];
  return product;
}

static int conv(struct onr_net *net, int x, int spatial, int bias, const struct onr_conv *p) {
  const int64_t groups = p->groups ? p->groups : 1;
  const struct onr_weight weight =
      nn_weight(1, (size_t)(p->out_channels * (p->in_channels / groups) * taps(p->kernel_size, spatial)));
  const struct onr_weight b = bias ? nn_weight(2, (size_t)p->out_channels) : onr_no_weight();
  if (spatial == 1) return onr_conv1d(net, x, p, weight, b);
  return spatial == 2 ? onr_conv2d(net, x, p, weight, b) : onr_conv3d(net, x, p, weight, b);
}

static int transpose(struct onr_net *net, int x, int spatial, int bias, const struct onr_conv_transpose *p) {
  const int64_t groups = p->groups ? p->groups : 1;
  const struct onr_weight weight =
      nn_weight(1, (size_t)(p->in_channels * (p->out_channels / groups) * taps(p->kernel_size, spatial)));
  const struct onr_weight b = bias ? nn_weight(2, (size_t)p->out_channels) : onr_no_weight();
  if (spatial == 1) return onr_conv_transpose1d(net, x, p, weight, b);
  return spatial == 2 ? onr_conv_transpose2d(net, x, p, weight, b) : onr_conv_transpose3d(net, x, p, weight, b);
}

#define CONV(name, spatial, bias, ...) NN_BUILD(name, conv(net, in[0], spatial, bias, &(struct onr_conv){__VA_ARGS__}))
#define TRANSPOSE(name, spatial, bias, ...) \
  NN_BUILD(name, transpose(net, in[0], spatial, bias, &(struct onr_conv_transpose){__VA_ARGS__}))

CONV(conv1d, 1, BIAS, 3, 4, .kernel_size = {3})
CONV(conv1d_all, 1, BIAS, 4, 6, .kernel_size = {3}, .stride = {2}, .padding = {2}, .dilation = {2}, .groups = 2)
CONV(conv1d_same, 1, BIAS, 3, 4, .kernel_size = {4}, .dilation = {3}, .auto_padding = ONR_CONV_PADDING_SAME)
CONV(conv1d_unbatched, 1, !BIAS, 3, 4, .kernel_size = {3}, .padding = {7}, .auto_padding = ONR_CONV_PADDING_VALID)
CONV(conv1d_circular, 1, BIAS, 3, 4, .kernel_size = {3}, .padding = {2}, .padding_mode = ONR_PADDING_CIRCULAR)
CONV(conv2d, 2, BIAS, 3, 5, .kernel_size = {3, 3})
CONV(conv2d_oblong, 2, !BIAS, 3, 5, .kernel_size = {3, 2}, .stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2})
CONV(conv2d_pointwise, 2, BIAS, 8, 5, .kernel_size = {1, 1}, .stride = {2, 2})
CONV(conv2d_groups, 2, BIAS, 4, 6, .kernel_size = {3, 3}, .padding = {1, 1}, .groups = 2)
CONV(conv2d_depthwise, 2, BIAS, 6, 6, .kernel_size = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .groups = 6)
CONV(conv2d_multiplier, 2, BIAS, 3, 6, .kernel_size = {3, 3}, .padding = {1, 1}, .groups = 3)
CONV(conv2d_same, 2, BIAS, 3, 4, .kernel_size = {3, 4}, .dilation = {2, 1}, .auto_padding = ONR_CONV_PADDING_SAME)
CONV(conv2d_same_reflect, 2, BIAS, 3, 4, .kernel_size = {3, 4}, .auto_padding = ONR_CONV_PADDING_SAME,
     .padding_mode = ONR_PADDING_REFLECT)
CONV(conv2d_reflect, 2, BIAS, 3, 4, .kernel_size = {3, 3}, .padding = {2, 1}, .padding_mode = ONR_PADDING_REFLECT)
CONV(conv2d_replicate, 2, BIAS, 3, 4, .kernel_size = {3, 3}, .stride = {2, 2}, .padding = {2, 2},
     .padding_mode = ONR_PADDING_REPLICATE)
CONV(conv2d_circular, 2, BIAS, 3, 4, .kernel_size = {3, 3}, .padding = {0, 2}, .padding_mode = ONR_PADDING_CIRCULAR)
CONV(conv2d_unbatched, 2, BIAS, 3, 4, .kernel_size = {3, 3}, .padding = {1, 1})
CONV(conv3d, 3, BIAS, 2, 3, .kernel_size = {2, 2, 2})
CONV(conv3d_all, 3, BIAS, 4, 4, .kernel_size = {2, 3, 1}, .stride = {1, 2, 2}, .padding = {1, 2, 0},
     .dilation = {1, 2, 1}, .groups = 2)
CONV(conv3d_same, 3, BIAS, 2, 3, .kernel_size = {2, 3, 1}, .auto_padding = ONR_CONV_PADDING_SAME)
CONV(conv3d_replicate, 3, BIAS, 2, 3, .kernel_size = {3, 3, 3}, .padding = {1, 1, 1},
     .padding_mode = ONR_PADDING_REPLICATE)
CONV(conv3d_unbatched, 3, BIAS, 2, 3, .kernel_size = {2, 2, 2})
TRANSPOSE(transpose1d, 1, BIAS, 3, 4, .kernel_size = {3})
TRANSPOSE(transpose1d_all, 1, BIAS, 4, 6, .kernel_size = {3}, .stride = {3}, .padding = {1}, .output_padding = {2},
          .dilation = {2}, .groups = 2)
TRANSPOSE(transpose1d_unbatched, 1, BIAS, 3, 4, .kernel_size = {3}, .stride = {2})
TRANSPOSE(transpose2d, 2, BIAS, 3, 4, .kernel_size = {2, 2}, .stride = {2, 2})
TRANSPOSE(transpose2d_oblong, 2, !BIAS, 4, 6, .kernel_size = {3, 2}, .stride = {2, 3}, .padding = {1, 0},
          .output_padding = {1, 2}, .dilation = {2, 1}, .groups = 2)
TRANSPOSE(transpose2d_dilation, 2, BIAS, 3, 4, .kernel_size = {3, 3}, .padding = {2, 2}, .output_padding = {1, 1},
          .dilation = {2, 2})
TRANSPOSE(transpose2d_depthwise, 2, BIAS, 4, 4, .kernel_size = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .groups = 4)
TRANSPOSE(transpose2d_unbatched, 2, BIAS, 3, 4, .kernel_size = {3, 3}, .stride = {2, 2}, .padding = {1, 1},
          .output_padding = {1, 1})
TRANSPOSE(transpose1d_size, 1, BIAS, 3, 4, .kernel_size = {3}, .stride = {4}, .dilation = {2}, .output_size = {27})
TRANSPOSE(transpose2d_size, 2, BIAS, 3, 4, .kernel_size = {3, 3}, .stride = {2, 2}, .padding = {1, 1},
          .output_size = {8, 7})
TRANSPOSE(transpose2d_size_replaces, 2, BIAS, 3, 4, .kernel_size = {3, 3}, .stride = {2, 2}, .padding = {1, 1},
          .output_padding = {1, 1}, .output_size = {7, 8})
TRANSPOSE(transpose2d_size_upscale, 2, BIAS, 3, 4, .kernel_size = {2, 2}, .stride = {2, 2}, .output_size = {9, 8})
TRANSPOSE(transpose3d_size, 3, BIAS, 2, 3, .kernel_size = {2, 2, 2}, .stride = {2, 3, 1}, .output_size = {5, 9, 3})
TRANSPOSE(transpose3d, 3, BIAS, 2, 3, .kernel_size = {2, 2, 2}, .stride = {2, 2, 2})
TRANSPOSE(transpose3d_all, 3, BIAS, 4, 2, .kernel_size = {2, 3, 2}, .stride = {2, 1, 2}, .padding = {0, 1, 1},
          .output_padding = {1, 0, 1}, .dilation = {1, 2, 1}, .groups = 2)
TRANSPOSE(transpose3d_unbatched, 3, BIAS, 2, 2, .kernel_size = {2, 2, 2})

#define BUILDER(name) \
  { #name, name }
static const struct nn_builder builders[] = {
    BUILDER(conv1d),
    BUILDER(conv1d_all),
    BUILDER(conv1d_same),
    BUILDER(conv1d_unbatched),
    BUILDER(conv1d_circular),
    BUILDER(conv2d),
    BUILDER(conv2d_oblong),
    BUILDER(conv2d_pointwise),
    BUILDER(conv2d_groups),
    BUILDER(conv2d_depthwise),
    BUILDER(conv2d_multiplier),
    BUILDER(conv2d_same),
    BUILDER(conv2d_same_reflect),
    BUILDER(conv2d_reflect),
    BUILDER(conv2d_replicate),
    BUILDER(conv2d_circular),
    BUILDER(conv2d_unbatched),
    BUILDER(conv3d),
    BUILDER(conv3d_all),
    BUILDER(conv3d_same),
    BUILDER(conv3d_replicate),
    BUILDER(conv3d_unbatched),
    BUILDER(transpose1d),
    BUILDER(transpose1d_all),
    BUILDER(transpose1d_unbatched),
    BUILDER(transpose2d),
    BUILDER(transpose2d_oblong),
    BUILDER(transpose2d_dilation),
    BUILDER(transpose2d_depthwise),
    BUILDER(transpose2d_unbatched),
    BUILDER(transpose3d),
    BUILDER(transpose3d_all),
    BUILDER(transpose3d_unbatched),
    BUILDER(transpose1d_size),
    BUILDER(transpose2d_size),
    BUILDER(transpose2d_size_replaces),
    BUILDER(transpose2d_size_upscale),
    BUILDER(transpose3d_size),
};

static void agrees_with_pytorch(void **state) {
  (void)state;
  nn_check(cases, sizeof(cases) / sizeof(*cases), builders, sizeof(builders) / sizeof(*builders));
}

/* For one channel. */
static struct onr_weight zeros(const int64_t *kernel) {
  static const float data[9] = {0};
  return onr_weight(data, kernel[0] <= 3 && kernel[1] <= 3 ? (size_t)(kernel[0] * kernel[1]) : 9);
}
static int add_conv(struct onr_net *net, int x, const void *params) {
  const struct onr_conv *p = params;
  return onr_conv2d(net, x, p, zeros(p->kernel_size), onr_no_weight());
}
static int add_transpose(struct onr_net *net, int x, const void *params) {
  const struct onr_conv_transpose *p = params;
  return onr_conv_transpose2d(net, x, p, zeros(p->kernel_size), onr_no_weight());
}
static int add_without_weight(struct onr_net *net, int x, const void *params) {
  return onr_conv2d(net, x, params, onr_no_weight(), onr_no_weight());
}

static void refuses_wrong_convolutions(void **state) {
  static const int64_t image[4] = {1, 1, 8, 8};
  static const struct {
    struct onr_conv p;
    const char *text;
  } wrong[] = {
      {{0, 1, .kernel_size = {1, 1}}, "in_channels"},
      {{1, 1, .kernel_size = {1, 0}}, "kernel_size"},
      {{1, 1, .kernel_size = {INT64_MAX, INT64_MAX}}, "kernel_size"},
      {{INT64_MAX, INT64_MAX, .kernel_size = {3, 3}}, "in_channels"},
      {{INT32_MAX, INT32_MAX, .kernel_size = {INT32_MAX, INT32_MAX}}, "elements"},
      {{1, 1, .kernel_size = {1, 1}, .stride = {-1, 1}}, "stride"},
      {{1, 1, .kernel_size = {1, 1}, .padding = {0, -1}}, "padding"},
      {{1, 1, .kernel_size = {1, 1}, .padding = {INT64_MAX, 0}}, "padding"},
      {{1, 1, .kernel_size = {1, 1}, .dilation = {INT64_MIN, 0}}, "dilation"},
      {{3, 4, .kernel_size = {1, 1}, .groups = 2}, "groups"},
      {{3, 4, .kernel_size = {1, 1}, .groups = -1}, "groups"},
      {{1, 1, .kernel_size = {1, 1}, .stride = {2, 2}, .auto_padding = ONR_CONV_PADDING_SAME}, "stride of 1"},
      {{1, 1, .kernel_size = {1, 1}, .auto_padding = (enum onr_conv_padding)9}, "auto_padding"},
      {{1, 1, .kernel_size = {1, 1}, .padding_mode = (enum onr_padding_mode)9}, "padding_mode"},
      {{1, 1, .kernel_size = {1, 1}, .padding = {8, 0}, .padding_mode = ONR_PADDING_REFLECT}, "border of 8"},
      {{1, 1, .kernel_size = {1, 1}, .padding = {9, 0}, .padding_mode = ONR_PADDING_CIRCULAR}, "more than once"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
    nn_refuses(add_conv, &wrong[i].p, 4, image, wrong[i].text);
  nn_refuses(add_conv, &(struct onr_conv){1, 1, .kernel_size = {1, 1}}, 2, image, "rank 3 or 4");
  nn_refuses(add_without_weight, &(struct onr_conv){1, 1, .kernel_size = {1, 1}}, 4, image, "weight");
}

static void refuses_wrong_transposes(void **state) {
  static const int64_t image[4] = {1, 1, 8, 8};
  static const struct {
    struct onr_conv_transpose p;
    const char *text;
  } wrong[] = {
      {{1, 0, .kernel_size = {1, 1}}, "out_channels"},
      {{1, 1, .kernel_size = {-1, 1}}, "kernel_size"},
      {{1, 1, .kernel_size = {1, 1}, .stride = {INT64_MIN, 0}}, "stride"},
      {{1, 1, .kernel_size = {1, 1}, .padding = {-1, 0}}, "padding"},
      {{1, 1, .kernel_size = {1, 1}, .padding = {4, 0}}, "leaves nothing"},
      {{1, 1, .kernel_size = {1, 1}, .output_padding = {-1, 0}}, "output_padding"},
      {{1, 1, .kernel_size = {1, 1}, .output_padding = {1, 0}}, "output_padding"},
      {{1, 1, .kernel_size = {1, 1}, .dilation = {0, -2}}, "dilation"},
      {{1, 1, .kernel_size = {1, 1}, .stride = {INT32_MAX, INT32_MAX}}, "beyond"},
      {{1, 1, .kernel_size = {1, 1}, .groups = 3}, "groups"},
      {{1, 1, .kernel_size = {3, 3}, .stride = {2, 2}, .output_size = {16, 17}}, "output_size of 17 to 18"},
      {{1, 1, .kernel_size = {3, 3}, .stride = {2, 2}, .output_size = {17, 19}}, "output_size of 17 to 18"},
      {{1, 1, .kernel_size = {3, 3}, .output_size = {-1, 10}}, "output_size"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
    nn_refuses(add_transpose, &wrong[i].p, 4, image, wrong[i].text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_pytorch),
      cmocka_unit_test(refuses_wrong_convolutions),
      cmocka_unit_test(refuses_wrong_transposes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
