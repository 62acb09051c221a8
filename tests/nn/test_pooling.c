/* Pools against PyTorch (families/pooling.py). */
#include "support/nn_case.h"

#include <math.h>

#include "cases/pooling.inc"

#define SIZES(...) ((const int64_t[3]){__VA_ARGS__})

/* --- with one result, or with indices as the second one --- */
#define MAX(name, n, ...) NN_BUILD(name, onr_max_pool##n##d(net, in[0], &(struct onr_max_pool){__VA_ARGS__}, NULL))
#define MAX_INDEX(name, n, ...) \
  NN_BUILD(name, onr_max_pool##n##d(net, in[0], &(struct onr_max_pool){__VA_ARGS__}, &out[1]))
#define AVERAGE(name, n, ...) NN_BUILD(name, onr_avg_pool##n##d(net, in[0], &(struct onr_avg_pool){__VA_ARGS__}))
#define LP(name, n, ...) NN_BUILD(name, onr_lp_pool##n##d(net, in[0], &(struct onr_lp_pool){__VA_ARGS__}))
#define ADAPTIVE(name, n, ...) NN_BUILD(name, onr_adaptive_avg_pool##n##d(net, in[0], SIZES(__VA_ARGS__)))
#define ADAPTIVE_MAX(name, n, ...) NN_BUILD(name, onr_adaptive_max_pool##n##d(net, in[0], SIZES(__VA_ARGS__), NULL))
#define ADAPTIVE_INDEX(name, n, ...) \
  NN_BUILD(name, onr_adaptive_max_pool##n##d(net, in[0], SIZES(__VA_ARGS__), &out[1]))
#define SEEDED(name, n, indices, ...) \
  NN_BUILD(name, onr_fractional_max_pool##n##d(net, in[0], -1, &(struct onr_fractional_max_pool){__VA_ARGS__}, indices))
#define FRACTIONAL(name, n, indices, ...)                                               \
  NN_BUILD(name, onr_fractional_max_pool##n##d(net, in[0], onr_hardsigmoid(net, in[1]), \
                                               &(struct onr_fractional_max_pool){__VA_ARGS__}, indices))

/* A max pool with the window of the unpool behind it. */
#define UNPOOL(name, n)                                                         \
  static int name(struct onr_net *net, int x, const struct onr_max_unpool *p) { \
    struct onr_max_pool pool = {.ceil_mode = 0};                                \
    int indices = -1;                                                           \
    for (int i = 0; i < n; i++) {                                               \
      pool.kernel_size[i] = p->kernel_size[i];                                  \
      pool.stride[i] = p->stride[i];                                            \
      pool.padding[i] = p->padding[i];                                          \
    }                                                                           \
    x = onr_max_pool##n##d(net, x, &pool, &indices);                            \
    return onr_max_unpool##n##d(net, x, indices, p);                            \
  }
UNPOOL(there_and_back1, 1)
UNPOOL(there_and_back2, 2)
UNPOOL(there_and_back3, 3)
#define BACK(name, n, ...) NN_BUILD(name, there_and_back##n(net, in[0], &(struct onr_max_unpool){__VA_ARGS__}))

MAX(max1d, 1, .kernel_size = {3})
MAX_INDEX(max1d_all, 1, .kernel_size = {3}, .stride = {2}, .padding = {1}, .dilation = {2}, .ceil_mode = 1)
MAX_INDEX(max1d_unbatched, 1, .kernel_size = {2})
MAX(max2d, 2, .kernel_size = {2, 2})
MAX_INDEX(max2d_oblong, 2, .kernel_size = {3, 2}, .stride = {1, 2}, .padding = {1, 0}, .dilation = {2, 1})
MAX(max2d_ceil, 2, .kernel_size = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .ceil_mode = 1)
MAX(max2d_small, 2, .kernel_size = {3, 5}, .stride = {2, 4}, .ceil_mode = 1)
MAX_INDEX(max2d_unbatched, 2, .kernel_size = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .ceil_mode = 1)
MAX(max3d, 3, .kernel_size = {2, 2, 2})
MAX_INDEX(max3d_all, 3, .kernel_size = {2, 3, 2}, .stride = {1, 2, 2}, .padding = {1, 1, 0}, .dilation = {1, 1, 2},
          .ceil_mode = 1)
MAX(max3d_unbatched, 3, .kernel_size = {2, 2, 2}, .stride = {1, 1, 1})
BACK(unpool1d, 1, .kernel_size = {2})
BACK(unpool1d_size, 1, .kernel_size = {2}, .output_size = {9})
BACK(unpool2d, 2, .kernel_size = {2, 2})
BACK(unpool2d_size, 2, .kernel_size = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .output_size = {6, 8})
BACK(unpool2d_unbatched, 2, .kernel_size = {2, 2}, .output_size = {5, 7})
BACK(unpool3d, 3, .kernel_size = {2, 2, 2})
BACK(unpool3d_size, 3, .kernel_size = {1, 2, 2}, .output_size = {2, 5, 3})
AVERAGE(avg1d, 1, .kernel_size = {3})
AVERAGE(avg1d_all, 1, .kernel_size = {3}, .stride = {2}, .padding = {1}, .ceil_mode = 1, .exclude_pad = 1)
AVERAGE(avg1d_unbatched, 1, .kernel_size = {3}, .stride = {1}, .padding = {1})
AVERAGE(avg2d, 2, .kernel_size = {2, 2})
AVERAGE(avg2d_pad, 2, .kernel_size = {3, 3}, .stride = {2, 2}, .padding = {1, 1})
AVERAGE(avg2d_exclude, 2, .kernel_size = {3, 2}, .stride = {2, 1}, .padding = {1, 1}, .exclude_pad = 1)
AVERAGE(avg2d_ceil, 2, .kernel_size = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .ceil_mode = 1)
AVERAGE(avg2d_small, 2, .kernel_size = {4, 4}, .stride = {3, 3}, .ceil_mode = 1)
AVERAGE(avg2d_divisor, 2, .kernel_size = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .divisor_override = 5)
AVERAGE(avg2d_divisor_ceil, 2, .kernel_size = {3, 3}, .stride = {2, 2}, .ceil_mode = 1, .divisor_override = -2)
AVERAGE(avg2d_unbatched, 2, .kernel_size = {2, 2}, .stride = {1, 1})
AVERAGE(avg3d, 3, .kernel_size = {2, 2, 2})
AVERAGE(avg3d_all, 3, .kernel_size = {2, 3, 2}, .stride = {1, 2, 2}, .padding = {1, 1, 0}, .ceil_mode = 1,
        .exclude_pad = 1, .divisor_override = 7)
AVERAGE(avg3d_unbatched, 3, .kernel_size = {2, 2, 2}, .stride = {1, 1, 1}, .padding = {1, 1, 1})
LP(lp1d, 1, .norm_type = 2, .kernel_size = {3})
LP(lp1d_one, 1, .norm_type = 1, .kernel_size = {3}, .stride = {2}, .ceil_mode = 1)
LP(lp2d, 2, .norm_type = 2, .kernel_size = {2, 2})
LP(lp2d_odd, 2, .norm_type = 3, .kernel_size = {3, 2}, .stride = {1, 2})
LP(lp2d_ceil, 2, .norm_type = 4, .kernel_size = {3, 3}, .stride = {2, 2}, .ceil_mode = 1)
LP(lp2d_unbatched, 2, .norm_type = 2, .kernel_size = {2, 2}, .stride = {1, 1})
LP(lp2d_infinite, 2, .norm_type = INFINITY, .kernel_size = {2, 2})
LP(lp2d_least, 2, .norm_type = -INFINITY, .kernel_size = {2, 2})
LP(lp3d, 3, .norm_type = 2, .kernel_size = {2, 2, 2})
LP(lp3d_all, 3, .norm_type = 6, .kernel_size = {2, 3, 1}, .stride = {1, 2, 1}, .ceil_mode = 1)
ADAPTIVE(adaptive_avg1d, 1, 5)
ADAPTIVE(adaptive_avg1d_even, 1, 4)
ADAPTIVE(adaptive_avg2d, 2, 3, 5)
ADAPTIVE(adaptive_avg2d_even, 2, 3, 2)
ADAPTIVE(adaptive_avg2d_one, 2, 1, 1)
ADAPTIVE(adaptive_avg2d_none, 2, 0, 3)
ADAPTIVE(adaptive_avg2d_larger, 2, 7, 9)
ADAPTIVE(adaptive_avg3d, 3, 2, 0, 3)
ADAPTIVE(adaptive_avg3d_unbatched, 3, 2, 2, 2)
ADAPTIVE_INDEX(adaptive_max1d, 1, 5)
ADAPTIVE_MAX(adaptive_max1d_even, 1, 4)
ADAPTIVE_INDEX(adaptive_max2d, 2, 3, 5)
ADAPTIVE_MAX(adaptive_max2d_even, 2, 3, 2)
ADAPTIVE_MAX(adaptive_max2d_one, 2, 1, 1)
ADAPTIVE_INDEX(adaptive_max2d_one_index, 2, 1, 1)
ADAPTIVE_INDEX(adaptive_max3d, 3, 2, 0, 3)
ADAPTIVE_MAX(adaptive_max3d_unbatched, 3, 2, 2, 2)
FRACTIONAL(fractional2d, 2, &out[1], .kernel_size = {2, 2}, .output_size = {5, 4})
FRACTIONAL(fractional2d_ratio, 2, NULL, .kernel_size = {3, 2}, .output_ratio = {0.4, 0.7})
FRACTIONAL(fractional2d_unbatched, 2, NULL, .kernel_size = {2, 2}, .output_size = {1, 7})
FRACTIONAL(fractional3d, 3, &out[1], .kernel_size = {2, 2, 2}, .output_size = {2, 4, 5})
FRACTIONAL(fractional3d_ratio, 3, NULL, .kernel_size = {1, 2, 3}, .output_ratio = {0.5, 0.6, 0.5})
FRACTIONAL(fractional3d_unbatched, 3, NULL, .kernel_size = {2, 2, 2}, .output_size = {3, 3, 3})
SEEDED(fractional2d_seed, 2, &out[1], .kernel_size = {2, 2}, .output_size = {4, 5})
SEEDED(fractional3d_seed, 3, NULL, .kernel_size = {2, 2, 2}, .output_ratio = {0.5, 0.6, 0.7}, .seed = 7)

#define BUILDER(name) \
  { #name, name }
static const struct nn_builder builders[] = {
    BUILDER(max1d),
    BUILDER(max1d_all),
    BUILDER(max1d_unbatched),
    BUILDER(max2d),
    BUILDER(max2d_oblong),
    BUILDER(max2d_ceil),
    BUILDER(max2d_unbatched),
    BUILDER(max2d_small),
    BUILDER(max3d),
    BUILDER(max3d_all),
    BUILDER(max3d_unbatched),
    BUILDER(unpool1d),
    BUILDER(unpool1d_size),
    BUILDER(unpool2d),
    BUILDER(unpool2d_size),
    BUILDER(unpool2d_unbatched),
    BUILDER(unpool3d),
    BUILDER(unpool3d_size),
    BUILDER(avg1d),
    BUILDER(avg1d_all),
    BUILDER(avg1d_unbatched),
    BUILDER(avg2d),
    BUILDER(avg2d_pad),
    BUILDER(avg2d_exclude),
    BUILDER(avg2d_ceil),
    BUILDER(avg2d_divisor),
    BUILDER(avg2d_small),
    BUILDER(avg2d_divisor_ceil),
    BUILDER(avg2d_unbatched),
    BUILDER(avg3d),
    BUILDER(avg3d_all),
    BUILDER(avg3d_unbatched),
    BUILDER(lp1d),
    BUILDER(lp1d_one),
    BUILDER(lp2d),
    BUILDER(lp2d_odd),
    BUILDER(lp2d_ceil),
    BUILDER(lp2d_unbatched),
    BUILDER(lp2d_infinite),
    BUILDER(lp2d_least),
    BUILDER(lp3d),
    BUILDER(lp3d_all),
    BUILDER(adaptive_avg1d),
    BUILDER(adaptive_avg1d_even),
    BUILDER(adaptive_avg2d),
    BUILDER(adaptive_avg2d_even),
    BUILDER(adaptive_avg2d_one),
    BUILDER(adaptive_avg2d_none),
    BUILDER(adaptive_avg2d_larger),
    BUILDER(adaptive_avg3d),
    BUILDER(adaptive_avg3d_unbatched),
    BUILDER(adaptive_max1d),
    BUILDER(adaptive_max1d_even),
    BUILDER(adaptive_max2d),
    BUILDER(adaptive_max2d_even),
    BUILDER(adaptive_max2d_one),
    BUILDER(adaptive_max2d_one_index),
    BUILDER(adaptive_max3d),
    BUILDER(adaptive_max3d_unbatched),
    BUILDER(fractional2d),
    BUILDER(fractional2d_seed),
    BUILDER(fractional3d_seed),
    BUILDER(fractional2d_ratio),
    BUILDER(fractional2d_unbatched),
    BUILDER(fractional3d),
    BUILDER(fractional3d_ratio),
    BUILDER(fractional3d_unbatched),
};

static void agrees_with_pytorch(void **state) {
  (void)state;
  nn_check(cases, sizeof(cases) / sizeof(*cases), builders, sizeof(builders) / sizeof(*builders));
}

static int add_max(struct onr_net *net, int x, const void *p) { return onr_max_pool2d(net, x, p, NULL); }
static int add_average(struct onr_net *net, int x, const void *p) { return onr_avg_pool2d(net, x, p); }
static int add_lp(struct onr_net *net, int x, const void *p) { return onr_lp_pool2d(net, x, p); }
static int add_adaptive(struct onr_net *net, int x, const void *p) { return onr_adaptive_avg_pool2d(net, x, p); }
static int add_adaptive_max(struct onr_net *net, int x, const void *p) {
  return onr_adaptive_max_pool2d(net, x, p, NULL);
}
static int add_fractional(struct onr_net *net, int x, const void *p) {
  return onr_fractional_max_pool2d(net, x, -1, p, NULL);
}
static int add_back(struct onr_net *net, int x, const void *p) { return there_and_back2(net, x, p); }

static const int64_t image[4] = {1, 2, 6, 6};
static void refuses(int (*add)(struct onr_net *net, int x, const void *params), const void *params, const char *text) {
  nn_refuses(add, params, 4, image, text);
}

static void refuses_wrong_windows(void **state) {
  (void)state;
  refuses(add_max, &(struct onr_max_pool){.kernel_size = {2, 0}}, "kernel_size");
  refuses(add_max, &(struct onr_max_pool){.kernel_size = {INT64_MAX, 2}}, "kernel_size");
  refuses(add_max, &(struct onr_max_pool){.kernel_size = {2, 2}, .stride = {-1, 0}}, "stride");
  refuses(add_max, &(struct onr_max_pool){.kernel_size = {2, 2}, .padding = {2, 0}}, "half of the kernel");
  refuses(add_max, &(struct onr_max_pool){.kernel_size = {3, 3}, .dilation = {INT64_MIN, 0}}, "dilation");
  refuses(add_max, &(struct onr_max_pool){.kernel_size = {INT32_MAX, 2}, .dilation = {INT32_MAX, 0}}, "limit");
  refuses(add_max, &(struct onr_max_pool){.kernel_size = {7, 2}, .stride = {2, 2}}, "does not fit");
  refuses(add_max, &(struct onr_max_pool){.kernel_size = {7, 2}, .stride = {1, 1}, .ceil_mode = 1}, "does not fit");
  refuses(add_average, &(struct onr_avg_pool){.kernel_size = {2, 2}, .padding = {-1, 0}}, "padding");
  refuses(add_lp, &(struct onr_lp_pool){.kernel_size = {2, 2}}, "norm_type");
  refuses(add_lp, &(struct onr_lp_pool){.norm_type = NAN, .kernel_size = {2, 2}}, "norm_type");
  refuses(add_back, &(struct onr_max_unpool){.kernel_size = {2, 2}, .output_size = {4, 6}}, "output size above 4");
  refuses(add_back, &(struct onr_max_unpool){.kernel_size = {2, 2}, .output_size = {6, 8}}, "below 8");
  refuses(add_back, &(struct onr_max_unpool){.kernel_size = {2, 2}, .output_size = {6, -1}}, "output_size");
  nn_refuses(add_max, &(struct onr_max_pool){.kernel_size = {2, 2}}, 5, (const int64_t[]){1, 1, 1, 4, 4},
             "rank 3 or 4");
}

static void refuses_wrong_outputs(void **state) {
  (void)state;
  refuses(add_adaptive, SIZES(-1, 2), "output_size");
  refuses(add_adaptive, SIZES(INT64_MAX, 2), "output_size");
  refuses(add_adaptive, SIZES(INT32_MAX, INT32_MAX), "bytes");
  nn_refuses(add_adaptive, SIZES(2, 2), 4, (const int64_t[]){1, 2, 0, 4}, "no pixels");
  nn_refuses(add_adaptive_max, SIZES(0, 2), 2, (const int64_t[]){3, 4}, "rank 3 or 4");
  refuses(add_fractional, &(struct onr_fractional_max_pool){.kernel_size = {2, 2}}, "output_ratio");
  refuses(add_fractional, &(struct onr_fractional_max_pool){.kernel_size = {2, 2}, .output_ratio = {0.5, 1.5}},
          "output_ratio");
  refuses(add_fractional, &(struct onr_fractional_max_pool){.kernel_size = {0, 2}, .output_size = {2, 2}},
          "kernel_size");
  refuses(add_fractional, &(struct onr_fractional_max_pool){.kernel_size = {2, 2}, .output_size = {6, 2}},
          "6 windows of 2");
  refuses(add_fractional, &(struct onr_fractional_max_pool){.kernel_size = {2, 2}, .output_ratio = {0.1, 0.5}},
          "0 windows");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_pytorch),
      cmocka_unit_test(refuses_wrong_windows),
      cmocka_unit_test(refuses_wrong_outputs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
