/* conv and conv_transpose against the definition in double precision, on both backends, in both layouts. */
#include "kernels/conv/conv_gemm.h"
#include "kernels/conv/depthwise.h"
#include "support/layer_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/numbers/convert.h"
#include "base/cpu.h"
#include "layers/layers.h"

enum { MAX = 1 << 17 };

struct shape {
  int spatial;
  int64_t batch, channels, out_channels, groups;
  int64_t in[3], kernel[3], stride[3], dilation[3], begin[3], end[3];
  int64_t output_padding[3]; /* transposed */
  int bias, auto_pad;
  float min, max; /* equal: no clamp */
};

/* Sizes, strides and padding with missing axes in front. */
struct axes {
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], begin[3];
};

static int64_t size_of(const struct shape *s, int transposed, int i) {
  const int64_t extent = (s->kernel[i] - 1) * s->dilation[i] + 1;
  if (s->auto_pad == ONR_AUTO_PAD_SAME_UPPER || s->auto_pad == ONR_AUTO_PAD_SAME_LOWER)
    return transposed ? s->in[i] * s->stride[i] : (s->in[i] + s->stride[i] - 1) / s->stride[i];
  if (transposed) return s->stride[i] * (s->in[i] - 1) + s->output_padding[i] + extent - s->begin[i] - s->end[i];
  return (s->in[i] + s->begin[i] + s->end[i] - extent) / s->stride[i] + 1;
}

static int64_t begin_of(const struct shape *s, int transposed, int i, int64_t out) {
  const int64_t extent = (s->kernel[i] - 1) * s->dilation[i] + 1;
  int64_t total = transposed ? (s->in[i] - 1) * s->stride[i] + extent + s->output_padding[i] - out
                             : (out - 1) * s->stride[i] + extent - s->in[i];
  if (s->auto_pad == ONR_AUTO_PAD_NOTSET) return s->begin[i];
  if (s->auto_pad == ONR_AUTO_PAD_VALID || total < 0) return 0;
  return s->auto_pad == ONR_AUTO_PAD_SAME_UPPER ? total / 2 : total - total / 2;
}

static struct axes axes_of(const struct shape *s, int transposed) {
  struct axes a;
  for (int i = 0; i < 3; i++) {
    const int from = i - (3 - s->spatial);
    a.in[i] = a.out[i] = a.kernel[i] = a.stride[i] = a.dilation[i] = 1;
    a.begin[i] = 0;
    if (from < 0) continue;
    a.in[i] = s->in[from];
    a.out[i] = size_of(s, transposed, from);
    a.kernel[i] = s->kernel[from];
    a.stride[i] = s->stride[from];
    a.dilation[i] = s->dilation[from];
    a.begin[i] = begin_of(s, transposed, from, a.out[i]);
  }
  return a;
}

static size_t index_of(const struct shape *s, const int64_t size[3], int64_t channels, int last, int64_t n, int64_t c,
                       const int64_t i[3]) {
  const int64_t pixel = (i[0] * size[1] + i[1]) * size[2] + i[2], pixels = size[0] * size[1] * size[2];
  (void)s;
  return (size_t)(last ? (n * pixels + pixel) * channels + c : (n * channels + c) * pixels + pixel);
}

/* Scatters every input pixel through every tap: the definition, in the order that none of our kernels uses. */
static void reference(const struct shape *s, int transposed, int last, const float *x, const float *w,
                      const float *bias, double *y) {
  const struct axes a = axes_of(s, transposed);
  const int64_t in = s->channels / s->groups, out = s->out_channels / s->groups;
  const int64_t pixels = a.out[0] * a.out[1] * a.out[2], taps = a.kernel[0] * a.kernel[1] * a.kernel[2];
  for (int64_t n = 0; n < s->batch; n++)
    for (int64_t m = 0; m < s->out_channels; m++)
      for (int64_t p = 0; p < pixels; p++)
        y[last ? (n * pixels + p) * s->out_channels + m : (n * s->out_channels + m) * pixels + p] =
            s->bias ? bias[m] : 0.0;
  int64_t i[3], k[3], o[3];
  for (int64_t n = 0; n < s->batch; n++)
    for (int64_t c = 0; c < s->channels; c++)
      for (int64_t m = c / in * out; m < (c / in + 1) * out; m++)
        for (i[0] = 0; i[0] < a.in[0]; i[0]++)
          for (i[1] = 0; i[1] < a.in[1]; i[1]++)
            for (i[2] = 0; i[2] < a.in[2]; i[2]++)
              for (int64_t t = 0; t < taps; t++) {
                int inside = 1;
                k[2] = t % a.kernel[2], k[1] = t / a.kernel[2] % a.kernel[1], k[0] = t / a.kernel[2] / a.kernel[1];
                for (int d = 0; d < 3; d++) {
                  if (transposed) {
                    o[d] = i[d] * a.stride[d] + k[d] * a.dilation[d] - a.begin[d];
                  } else {
                    const int64_t at = i[d] + a.begin[d] - k[d] * a.dilation[d];
                    o[d] = at / a.stride[d];
                    inside = inside && at >= 0 && at % a.stride[d] == 0;
                  }
                  inside = inside && o[d] >= 0 && o[d] < a.out[d];
                }
                if (!inside) continue;
                const int64_t weight = transposed ? (c * out + m % out) * taps + t : (m * in + c % in) * taps + t;
                y[index_of(s, a.out, s->out_channels, last, n, m, o)] +=
                    (double)x[index_of(s, a.in, s->channels, last, n, c, i)] * w[weight];
              }
  if (s->min < s->max)
    for (int64_t e = 0; e < s->batch * s->out_channels * pixels; e++) y[e] = fmin(fmax(y[e], s->min), s->max);
}

static struct onr_window window_of(const struct shape *s) {
  struct onr_window w = {.rank = s->spatial, .auto_pad = s->auto_pad};
  for (int i = 0; i < s->spatial; i++) {
    w.stride[i] = s->stride[i], w.dilation[i] = s->dilation[i];
    w.pad_begin[i] = s->begin[i], w.pad_end[i] = s->end[i];
  }
  return w;
}

static void dims_of(const struct shape *s, int last, int64_t channels, const int64_t *spatial, int64_t *dims) {
  dims[0] = s->batch;
  for (int i = 0; i < s->spatial; i++) dims[i + (last ? 1 : 2)] = spatial[i];
  dims[last ? s->spatial + 1 : 1] = channels;
}

/* There is XNNPACK, and its kernels for this processor keep NaN: those for older x86 do not, and see finite images
 * alone. */
static int keeps_nan(void) {
#if defined(__x86_64__) || defined(__i386__)
  return LAYER_TEST_XNNPACK && onri_cpu_level() != ONRI_CPU_BASE;
#else
  return LAYER_TEST_XNNPACK;
#endif
}

static int is_of_pixels(const struct axes *a) {
  for (int i = 0; i < 3; i++)
    if (a->kernel[i] != 1 || a->stride[i] != 1 || a->begin[i] != 0 || a->in[i] != a->out[i]) return 0;
  return 1;
}

/* Nothing is mixed along depth, or nothing along the other two axes. */
static int is_planar(const struct axes *a) {
  int idle[3];
  for (int i = 0; i < 3; i++) idle[i] = a->kernel[i] == 1 && a->in[i] == a->out[i] && a->begin[i] == 0;
  return idle[0] || (idle[1] && idle[2]);
}

static void check_once(const struct shape *s, int transposed, int last, enum onr_backend backend, int constant) {
  static float x[MAX], w[MAX], bias[MAX];
  static double y[MAX];
  static float expected[MAX];
  const struct axes a = axes_of(s, transposed);
  const size_t count = (size_t)(s->batch * s->out_channels * a.out[0] * a.out[1] * a.out[2]);
  int64_t dims[5], weight[5] = {s->out_channels, s->channels / s->groups, s->kernel[0], s->kernel[1], s->kernel[2]};
  const struct onr_clamp clamp = {.enabled = s->min < s->max, .min = s->min, .max = s->max};
  struct onr_conv_params plain = {.window = window_of(s), .groups = s->groups, .clamp = clamp, .channels_last = last};
  struct onr_conv_transpose_params up = {
      .window = window_of(s), .groups = s->groups, .clamp = clamp, .channels_last = last};
  memcpy(up.output_padding, s->output_padding, sizeof(up.output_padding));
  if (transposed) weight[0] = s->channels, weight[1] = s->out_channels / s->groups;
  assert_true(count <= MAX);
  fill_random(x, MAX, -1, 1, 1);
  fill_random(w, MAX, -1, 1, 2);
  fill_random(bias, MAX, -1, 1, 3);
  reference(s, transposed, last, x, w, bias, y);
  for (size_t i = 0; i < count; i++) expected[i] = (float)y[i];
  struct layer_test t = {.layer = transposed ? &onri_layer_conv_transpose : &onri_layer_conv,
                         .backend = backend,
                         .num_out = 1,
                         .params = transposed ? (const void *)&up : (const void *)&plain,
                         .threads = (uint32_t)(1 + last)};
  dims_of(s, last, s->channels, s->in, dims);
  layer_test_input(&t, ONR_DTYPE_F32, s->spatial + 2, dims, x);
  (constant ? layer_test_constant : layer_test_input)(&t, ONR_DTYPE_F32, s->spatial + 2, weight, w);
  if (s->bias)
    (constant ? layer_test_constant : layer_test_input)(&t, ONR_DTYPE_F32, 1, (int64_t[]){s->out_channels}, bias);
  if (layer_test_run(&t) != ONR_STATUS_OK) fail_msg("%s", t.error.message);
  dims_of(s, last, s->out_channels, a.out + 3 - s->spatial, dims);
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, s->spatial + 2, dims);
  assert_true(onr_desc_equal(&desc, &t.out[0].desc));
  const int depthwise =
                s->groups == s->channels && (s->groups == s->out_channels ||
                                             (s->groups > 1 && s->out_channels <= ONRI_DEPTHWISE_OUTPUTS * s->groups)),
            may = !transposed && last && backend == ONR_BACKEND_AUTO && count > 0;
  if (may && constant && !depthwise && s->groups == 1 && is_of_pixels(&a)) /* XNNPACK's, where it is */
    assert_true(t.kernel == ONR_KERNEL_VECTOR || t.kernel == ONR_KERNEL_XNNPACK);
  else if (may && depthwise && onri_depthwise_is_fast()) assert_int_equal(t.kernel, ONR_KERNEL_VECTOR);
  else if (may && constant && !depthwise && (onri_conv_gemm_is_fast() || !LAYER_TEST_XNNPACK || !is_planar(&a)))
    assert_int_equal(t.kernel, ONR_KERNEL_VECTOR);
  else if (may && constant && !depthwise && keeps_nan() && t.kernel != ONR_KERNEL_VECTOR) /* Winograd */
    assert_int_equal(t.kernel, ONR_KERNEL_XNNPACK);
  else if (!transposed && !constant && count > 0 && backend == ONR_BACKEND_PORTABLE)
    assert_int_equal(t.kernel, ONR_KERNEL_PORTABLE);
  /* Sums of up to a few hundred products of numbers below 1. */
  assert_close(t.out[0].data, expected, count, 1e-5, 2e-5);
  layer_test_clear(&t);
}

static void check(const struct shape *s, int transposed) {
  check_once(s, transposed, 0, ONR_BACKEND_PORTABLE, 1);
  check_once(s, transposed, 1, ONR_BACKEND_PORTABLE, 1);
  check_once(s, transposed, 0, ONR_BACKEND_AUTO, 1);
  check_once(s, transposed, 1, ONR_BACKEND_AUTO, 1);
  check_once(s, transposed, 1, ONR_BACKEND_AUTO, 0);
}

#define ONES \
  { 1, 1, 1 }
static const struct shape plain_cases[] = {
    {2, 1, 3, 17, 1, {9, 11}, {3, 3}, ONES, ONES, {1, 1}, {1, 1}, {0}, 1, 0, 0, 0},
    {2, 2, 16, 33, 1, {7, 5}, {1, 1}, ONES, ONES, {0}, {0}, {0}, 1, 0, 0, 6},
    {2, 1, 16, 8, 1, {7, 5}, {1, 1}, {2, 3}, ONES, {0}, {0}, {0}, 0, 0, 0, 0},
    {2, 1, 5, 3, 1, {7, 5}, {1, 1}, ONES, ONES, {1, 0}, {0, 2}, {0}, 1, 0, -1, 1}, /* padded 1x1 */
    {2, 1, 1, 1, 1, {6, 6}, {3, 3}, {2, 2}, ONES, {0}, {0}, {0}, 1, 0, 0, 0},
    {2, 1, 33, 33, 33, {9, 8}, {3, 3}, ONES, ONES, {1, 1}, {1, 1}, {0}, 1, 0, 0, 6}, /* depthwise */
    {2, 2, 17, 17, 17, {9, 8}, {5, 5}, {2, 2}, ONES, {2, 2}, {2, 1}, {0}, 0, 0, 0, 0},
    {2, 1, 17, 17, 17, {20, 20}, {7, 7}, ONES, ONES, {3, 3}, {3, 3}, {0}, 1, 0, 0, 0}, /* beyond the depthwise kernels
                                                                                          of XNNPACK */
    {2, 1, 12, 12, 12, {5, 4}, {1, 1}, ONES, ONES, {0}, {0}, {0}, 1, 0, 0, 0},         /* a scale for each channel */
    {2, 1, 4, 12, 4, {5, 6}, {3, 3}, ONES, ONES, {1, 1}, {1, 1}, {0}, 1, 0, 0, 0},     /* depth multiplier */
    {2, 1, 3, 6, 3, {16, 21}, {3, 3}, ONES, ONES, {1, 1}, {1, 1}, {0}, 1, 0, 0, 6},
    {2, 1, 3, 3, 3, {19, 30}, {5, 3}, {2, 3}, {1, 2}, {2, 4}, {1, 2}, {0}, 1, 0, 0, 0},
    {2, 1, 12, 18, 3, {5, 6}, {3, 2}, ONES, {1, 2}, {0, 2}, {2, 0}, {0}, 1, 0, 0, 0}, /* grouped, asymmetric */
    {2, 1, 3, 4, 1, {13, 12}, {3, 3}, ONES, {3, 2}, {3, 2}, {3, 2}, {0}, 1, 0, 0, 0}, /* dilated */
    {2, 1, 3, 4, 1, {13, 12}, {2, 2}, {5, 4}, ONES, {0}, {0}, {0}, 1, 0, 0, 0},       /* stride above the kernel */
    {2, 1, 3, 4, 1, {2, 2}, {5, 5}, ONES, ONES, {2, 2}, {2, 2}, {0}, 1, 0, 0, 0},     /* kernel above the image */
    {2, 0, 3, 4, 1, {5, 5}, {3, 3}, ONES, ONES, {1, 1}, {1, 1}, {0}, 1, 0, 0, 0},     /* no images */
    {2, 1, 3, 4, 1, {8, 7}, {3, 4}, {2, 2}, ONES, {0}, {0}, {0}, 1, ONR_AUTO_PAD_SAME_UPPER, 0, 0},
    {2, 1, 3, 4, 1, {8, 7}, {3, 4}, {2, 2}, ONES, {0}, {0}, {0}, 1, ONR_AUTO_PAD_SAME_LOWER, 0, 0},
    {2, 1, 3, 4, 1, {8, 7}, {3, 4}, {1, 2}, ONES, {0}, {0}, {0}, 1, ONR_AUTO_PAD_VALID, 0, 0},
    {1, 2, 5, 9, 1, {23}, {5}, {2}, {1}, {2}, {1}, {0}, 1, 0, 0, 0},
    {1, 1, 6, 6, 6, {17}, {3}, {1}, {2}, {2}, {2}, {0}, 1, 0, 0, 0},
    {3, 1, 3, 5, 1, {5, 6, 7}, {3, 2, 3}, {1, 2, 1}, {1, 1, 2}, {1, 0, 2}, {1, 1, 2}, {0}, 1, 0, 0, 0},
    {3, 2, 4, 4, 4, {4, 5, 3}, {2, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {1, 1, 1}, {0}, 0, 0, 0, 0},
    {3, 2, 4, 8, 1, {5, 6, 6}, {1, 3, 3}, {1, 2, 1}, ONES, {0, 1, 1}, {0, 1, 1}, {0}, 1, 0, 0, 0}, /* planes of depth 1
                                                                                                    */
    {3, 1, 4, 8, 1, {5, 6, 7}, {1, 1, 1}, ONES, ONES, {0}, {0}, {0}, 1, 0, 0, 6},
    {3, 2, 4, 8, 1, {7, 4, 5}, {3, 1, 1}, {2, 1, 1}, ONES, {1, 0, 0}, {1, 0, 0}, {0}, 1, 0, 0, 0}, /* along depth alone
                                                                                                    */
    {3, 1, 4, 8, 1, {5, 6, 6}, {1, 3, 3}, {2, 1, 1}, ONES, {0, 1, 1}, {0, 1, 1}, {0}, 1, 0, 0, 0}, /* every other plane
                                                                                                    */
    {3, 1, 4, 8, 1, {5, 6, 6}, {1, 3, 3}, ONES, ONES, {1, 1, 1}, {0, 1, 1}, {0}, 1, 0, 0, 0}, /* a plane of padding */
};

static const struct shape transposed_cases[] = {
    {2, 1, 3, 17, 1, {5, 4}, {3, 3}, {2, 2}, ONES, {1, 1}, {1, 1}, {1, 1}, 1, 0, 0, 0},
    {2, 2, 16, 8, 1, {5, 4}, {2, 2}, {2, 2}, ONES, {0}, {0}, {0}, 1, 0, 0, 6}, /* as in a U-Net */
    {2, 1, 5, 3, 1, {5, 4}, {4, 4}, {2, 2}, ONES, {1, 1}, {1, 1}, {0}, 0, 0, 0, 0},
    {2, 1, 5, 3, 1, {5, 4}, {3, 2}, ONES, {2, 1}, {0}, {0}, {0}, 1, 0, 0, 0},
    {2, 1, 5, 3, 1, {5, 4}, {2, 2}, {3, 4}, ONES, {0, 1}, {0}, {2, 0}, 1, 0, 0, 0},   /* stride above the kernel */
    {2, 1, 12, 18, 3, {4, 5}, {3, 3}, {2, 1}, ONES, {1, 0}, {0, 1}, {0}, 1, 0, 0, 0}, /* grouped */
    {2, 1, 6, 6, 6, {4, 5}, {4, 4}, {2, 2}, ONES, {1, 1}, {1, 1}, {0}, 1, 0, 0, 0},   /* depthwise */
    {2, 0, 3, 4, 1, {5, 5}, {3, 3}, {2, 2}, ONES, {1, 1}, {1, 1}, {0}, 1, 0, 0, 0},
    {2, 1, 3, 4, 1, {5, 5}, {3, 3}, {2, 2}, ONES, {0}, {0}, {0}, 1, ONR_AUTO_PAD_SAME_UPPER, 0, 0},
    {2, 1, 3, 4, 1, {5, 5}, {4, 3}, {3, 2}, ONES, {0}, {0}, {0}, 1, ONR_AUTO_PAD_SAME_LOWER, 0, 0},
    {2, 1, 3, 4, 1, {5, 5}, {1, 2}, {3, 4}, ONES, {0}, {0}, {0}, 1, ONR_AUTO_PAD_SAME_UPPER, 0, 0},
    {1, 2, 5, 9, 1, {11}, {5}, {2}, {1}, {2}, {2}, {1}, 1, 0, 0, 0},
    {3, 1, 3, 5, 1, {3, 4, 2}, {3, 2, 3}, {2, 2, 1}, {1, 1, 1}, {1, 0, 1}, {1, 0, 1}, {1, 0, 0}, 1, 0, 0, 0},
    {3, 2, 4, 6, 1, {3, 4, 4}, {1, 3, 3}, {2, 2, 2}, ONES, {0}, {0}, {0}, 1, 0, 0, 0},
    {3, 2, 4, 40, 1, {3, 4, 4}, {1, 4, 4}, {1, 2, 2}, ONES, {0, 1, 1}, {0, 1, 1}, {0}, 1, 0, 0, 0},
    {1, 1, 4, 40, 1, {1}, {3}, {3}, ONES, {1}, {1}, {0}, 1, 0, 0, 0}, /* fewer outputs than phases */
    {2, 1, 4, 40, 1, {1, 3}, {4, 4}, {4, 4}, ONES, {2, 1}, {1, 2}, {0}, 1, 0, 0, 0},
};

static void test_plain(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(plain_cases) / sizeof(plain_cases[0]); i++) check(&plain_cases[i], 0);
}

static void test_transposed(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(transposed_cases) / sizeof(transposed_cases[0]); i++) check(&transposed_cases[i], 1);
}

static void test_output_shape(void **state) {
  /* 1-D, kernel 3, stride 2, 3 inputs: 7 outputs before padding; output_shape 6 takes one off, at the beginning or the
   * end. */
  const float x[] = {1, 2, 3}, w[] = {1, 10, 100};
  const float full[] = {1, 10, 102, 20, 203, 30, 300};
  (void)state;
  for (int upper = 0; upper < 2; upper++) {
    struct onr_conv_transpose_params p = {
        .window = {.rank = 1, .stride = {2}}, .has_output_shape = 1, .output_shape = {6}};
    p.window.auto_pad = upper ? ONR_AUTO_PAD_SAME_UPPER : ONR_AUTO_PAD_NOTSET;
    struct layer_test t = {.layer = &onri_layer_conv_transpose, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){1, 1, 3}, x);
    layer_test_constant(&t, ONR_DTYPE_F32, 3, (int64_t[]){1, 1, 3}, w);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_int_equal(t.out[0].desc.dim[2], 6);
    assert_close(t.out[0].data, full + !upper, 6, 0, 0);
    layer_test_clear(&t);
  }
}

static void test_dtypes(void **state) {
  const double x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, w[] = {1, -1, 0.5, 2}, bias[] = {0.25};
  const double expected[] = {11.25, 13.75, 18.75, 21.25}; /* x00 - x01 + x10 / 2 + 2 x11 + 1/4 */
  uint16_t x16[9], w16[4], bias16[1];
  const struct onr_conv_params p = {0};
  (void)state;
  for (int kind = 0; kind < 3; kind++) {
    const enum onr_dtype dtype = kind == 0 ? ONR_DTYPE_F64 : kind == 1 ? ONR_DTYPE_F16 : ONR_DTYPE_BF16;
    uint16_t (*narrow)(float) = kind == 1 ? onri_f16_from_f32 : onri_bf16_from_f32;
    float (*wide)(uint16_t) = kind == 1 ? onri_f16_to_f32 : onri_bf16_to_f32;
    for (int i = 0; i < 9; i++) x16[i] = narrow((float)x[i]);
    for (int i = 0; i < 4; i++) w16[i] = narrow((float)w[i]);
    bias16[0] = narrow((float)bias[0]);
    for (int constant = 0; constant < 2; constant++) {
      struct layer_test t = {.layer = &onri_layer_conv, .params = &p, .num_out = 1};
      layer_test_input(&t, dtype, 4, (int64_t[]){1, 1, 3, 3}, kind == 0 ? (const void *)x : x16);
      (constant ? layer_test_constant : layer_test_input)(&t, dtype, 4, (int64_t[]){1, 1, 2, 2},
                                                          kind == 0 ? (const void *)w : w16);
      layer_test_constant(&t, dtype, 1, (int64_t[]){1}, kind == 0 ? (const void *)bias : bias16);
      assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
      for (int i = 0; i < 4; i++) {
        const double found = kind == 0 ? ((double *)t.out[0].data)[i] : (double)wide(((uint16_t *)t.out[0].data)[i]);
        assert_true(fabs(found - expected[i]) <= (kind == 2 ? 0.0625 : 0));
      }
      layer_test_clear(&t);
    }
  }
}

/* float16 images through float32 kernels: the same as the portable kernel, up to the order of sums in float32. */
static void test_narrow(void **state) {
  enum { C = 9, M = 17, SIZE = 7 };
  static uint16_t x[C * SIZE * SIZE], w[M * C * 9], bias[M];
  static float values[M * C * 9];
  uint16_t *const arrays[] = {x, w, bias};
  const size_t counts[] = {C * SIZE * SIZE, M * C * 9, M};
  const struct onr_conv_params p = {.window = {.rank = 2, .pad_begin = {1, 1}, .pad_end = {1, 1}}, .channels_last = 1};
  struct layer_test t[2] = {{.layer = &onri_layer_conv, .params = &p, .backend = ONR_BACKEND_PORTABLE, .num_out = 1},
                            {.layer = &onri_layer_conv, .params = &p, .backend = ONR_BACKEND_AUTO, .num_out = 1}};
  (void)state;
  for (int a = 0; a < 3; a++) {
    fill_random(values, counts[a], -1, 1, (uint32_t)(a + 1));
    for (size_t i = 0; i < counts[a]; i++) arrays[a][i] = onri_f16_from_f32(values[i]);
  }
  for (int b = 0; b < 2; b++) {
    layer_test_input(&t[b], ONR_DTYPE_F16, 4, (int64_t[]){1, SIZE, SIZE, C}, x);
    layer_test_constant(&t[b], ONR_DTYPE_F16, 4, (int64_t[]){M, C, 3, 3}, w);
    layer_test_constant(&t[b], ONR_DTYPE_F16, 1, (int64_t[]){M}, bias);
    assert_int_equal(layer_test_run(&t[b]), ONR_STATUS_OK);
  }
  if (onri_conv_gemm_is_fast()) assert_int_equal(t[1].kernel, ONR_KERNEL_VECTOR);
  for (int i = 0; i < M * SIZE * SIZE; i++) {
    const float a = onri_f16_to_f32(((uint16_t *)t[0].out[0].data)[i]),
                b = onri_f16_to_f32(((uint16_t *)t[1].out[0].data)[i]);
    assert_true(fabsf(a - b) <= 0.002f * fabsf(a) + 1e-4f);
  }
  layer_test_clear(&t[0]);
  layer_test_clear(&t[1]);
}

static enum onr_status status_of(const struct onr_layer *layer, const void *params, const int64_t x[4],
                                 int32_t weight_rank, const int64_t *weight, int64_t bias) {
  static float zeros[MAX];
  struct layer_test t = {.layer = layer, .params = params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 4, x, zeros);
  layer_test_constant(&t, ONR_DTYPE_F32, weight_rank, weight, zeros);
  layer_test_constant(&t, ONR_DTYPE_F32, 1, &bias, zeros);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void test_wrong(void **state) {
  const int64_t x[] = {1, 4, 8, 8}, w[] = {4, 4, 3, 3};
  const struct onr_layer *conv = &onri_layer_conv, *up = &onri_layer_conv_transpose;
  const struct onr_conv_params none = {0};
  struct onr_conv_params p = {0};
  struct onr_conv_transpose_params q = {0};
  (void)state;
  assert_int_equal(status_of(conv, &none, x, 4, w, 4), ONR_STATUS_OK);
  assert_int_equal(status_of(conv, &none, x, 4, (int64_t[]){4, 7, 3, 3}, 4), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(conv, &none, x, 4, (int64_t[]){4, 4, 9, 9}, 4), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(conv, &none, x, 4, (int64_t[]){4, 4, 0, 3}, 4), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(conv, &none, x, 5, (int64_t[]){4, 4, 3, 2, 1}, 4), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(conv, &none, x, 4, w, 1), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(conv, &none, (int64_t[]){1, 4, 2, 2}, 4, w, 4), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(conv, &none, (int64_t[]){1, 4, 0, 0}, 4, w, 4), ONR_STATUS_SHAPE);
  p.groups = 3;
  assert_int_equal(status_of(conv, &p, x, 4, w, 4), ONR_STATUS_SHAPE);
  p.groups = -4;
  assert_int_equal(status_of(conv, &p, x, 4, w, 4), ONR_STATUS_ATTRIBUTE);
  p = (struct onr_conv_params){.window = {.rank = 2, .kernel = {5, 5}}};
  assert_int_equal(status_of(conv, &p, x, 4, w, 4), ONR_STATUS_SHAPE);
  p = (struct onr_conv_params){.window = {.rank = 3, .kernel = {3, 3, 3}}};
  assert_int_equal(status_of(conv, &p, x, 4, w, 4), ONR_STATUS_SHAPE);
  p = (struct onr_conv_params){.window = {.rank = 2, .pad_begin = {-5, -5}}};
  assert_int_equal(status_of(conv, &p, x, 4, w, 4), ONR_STATUS_ATTRIBUTE);
  p = (struct onr_conv_params){.window = {.rank = 2, .pad_end = {(int64_t)1 << 31, 0}}};
  assert_int_equal(status_of(conv, &p, x, 4, w, 4), ONR_STATUS_LIMIT);
  p = (struct onr_conv_params){.window = {.rank = 2, .dilation = {(int64_t)1 << 62, 1}}};
  assert_int_equal(status_of(conv, &p, x, 4, w, 4), ONR_STATUS_LIMIT);
  p = (struct onr_conv_params){.window = {.rank = 2, .stride = {-1, 1}}};
  assert_int_equal(status_of(conv, &p, x, 4, w, 4), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(up, &q, x, 4, w, 4), ONR_STATUS_OK);
  q.output_padding[0] = 99;
  assert_int_equal(status_of(up, &q, x, 4, w, 4), ONR_STATUS_ATTRIBUTE);
  q = (struct onr_conv_transpose_params){.has_output_shape = 1, .output_shape = {-1, -1}};
  assert_int_equal(status_of(up, &q, x, 4, w, 4), ONR_STATUS_ATTRIBUTE);
  q = (struct onr_conv_transpose_params){.window = {.rank = 2, .stride = {(int64_t)1 << 40, 1}}};
  assert_int_equal(status_of(up, &q, x, 4, w, 4), ONR_STATUS_LIMIT);
  q = (struct onr_conv_transpose_params){.window = {.rank = 2, .pad_begin = {10, 10}}};
  assert_int_equal(status_of(up, &q, x, 4, w, 4), ONR_STATUS_SHAPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_plain),  cmocka_unit_test(test_transposed), cmocka_unit_test(test_output_shape),
      cmocka_unit_test(test_dtypes), cmocka_unit_test(test_narrow),     cmocka_unit_test(test_wrong),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
