/* deform_conv against the definition with tent weights over the whole image; max_roi_pool by hand. */
#include "support/layer_test.h"

#include <math.h>
#include <string.h>

#include "layers/layers.h"

enum { N = 2, C = 4, M = 6, H = 7, W = 6, MAX = 8192 };

/* Every pixel weighs by how near it lies to (y, x): no neighbour is looked up. */
static double tent(const float *plane, double y, double x) {
  double sum = 0;
  for (int i = 0; i < H; i++)
    for (int j = 0; j < W; j++) sum += fmax(0, 1 - fabs(y - i)) * fmax(0, 1 - fabs(x - j)) * (double)plane[i * W + j];
  return sum;
}

static void check(int groups, int offset_groups, int kernel, int stride, int dilation, int pad, int with_bias,
                  int with_mask) {
  static float x[MAX], w[MAX], offset[MAX], bias[M], mask[MAX], expected[MAX];
  const int taps = kernel * kernel, in = C / groups, out = M / groups;
  const int oh = (H + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1,
            ow = (W + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1;
  fill_random(x, MAX, -1, 1, 1);
  fill_random(w, MAX, -1, 1, 2);
  fill_random(offset, MAX, -3, 3, 3);
  fill_random(bias, M, -1, 1, 4);
  fill_random(mask, MAX, 0, 1, 5);
  for (int n = 0; n < N; n++)
    for (int m = 0; m < M; m++)
      for (int o = 0; o < oh * ow; o++) {
        double sum = with_bias ? bias[m] : 0;
        for (int i = 0; i < in; i++)
          for (int t = 0; t < taps; t++) {
            const int c = m / out * in + i, map = (n * offset_groups + c / (C / offset_groups)) * taps + t;
            const double y = o / ow * stride - pad + t / kernel * dilation + (double)offset[2 * map * oh * ow + o];
            const double z =
                o % ow * stride - pad + t % kernel * dilation + (double)offset[(2 * map + 1) * oh * ow + o];
            sum += tent(x + (n * C + c) * H * W, y, z) * w[(m * in + i) * taps + t] *
                   (with_mask ? mask[map * oh * ow + o] : 1);
          }
        expected[(n * M + m) * oh * ow + o] = (float)sum;
      }
  struct onr_deform_conv_params p = {.groups = groups, .offset_groups = offset_groups, .window = {.rank = 2}};
  for (int d = 0; d < 2; d++) {
    p.window.stride[d] = stride, p.window.dilation[d] = dilation;
    p.window.pad_begin[d] = p.window.pad_end[d] = pad;
  }
  struct layer_test t = {.layer = &onri_layer_deform_conv, .params = &p, .num_out = 1, .threads = 2};
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){N, C, H, W}, x);
  layer_test_constant(&t, ONR_DTYPE_F32, 4, (int64_t[]){M, in, kernel, kernel}, w);
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){N, 2 * offset_groups * taps, oh, ow}, offset);
  layer_test_constant(&t, ONR_DTYPE_F32, 1, (int64_t[]){M}, with_bias ? bias : NULL);
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){N, offset_groups * taps, oh, ow}, with_mask ? mask : NULL);
  if (layer_test_run(&t) != ONR_STATUS_OK) fail_msg("%s", t.error.message);
  assert_int_equal(t.out[0].desc.dim[2], oh);
  assert_close(t.out[0].data, expected, (size_t)(N * M * oh * ow), 1e-5, 1e-5);
  layer_test_clear(&t);
}

static void test_deform_conv(void **state) {
  (void)state;
  check(1, 1, 3, 1, 1, 1, 1, 1);
  check(2, 1, 2, 1, 1, 0, 0, 0);
  check(1, 2, 3, 2, 1, 0, 1, 0);
  check(2, 4, 2, 1, 2, 1, 0, 1);
}

static void test_depthwise(void **state) {
  /* One tap, moved half a pixel to the right, halved by the mask. */
  const float x[] = {2, 4, 6, 10, 20, 30}, w[] = {1, -1}, mask[] = {0.5f, 0.5f, NAN, NAN, 0.5f, 0.5f};
  float offset[12] = {0};
  const struct onr_deform_conv_params p = {.groups = 2};
  struct layer_test t = {.layer = &onri_layer_deform_conv, .params = &p, .num_out = 1};
  (void)state;
  for (int i = 3; i < 6; i++) offset[i] = 0.5f; /* columns */
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 2, 1, 3}, x);
  layer_test_constant(&t, ONR_DTYPE_F32, 4, (int64_t[]){2, 1, 1, 1}, w);
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 2, 1, 3}, offset);
  layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, NULL);
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 1, 3}, mask);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_close(t.out[0].data, (float[]){1.5f, 2.5f, NAN, -7.5f, -12.5f, NAN}, 6, 1e-6, 0);
  layer_test_clear(&t);
}

static void test_wrong_offsets(void **state) {
  static const float zeros[MAX];
  const struct onr_deform_conv_params p = {0};
  struct layer_test t = {.layer = &onri_layer_deform_conv, .params = &p, .num_out = 1};
  (void)state;
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 4, 4}, zeros);
  layer_test_constant(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 2, 2}, zeros);
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 4, 3, 3}, zeros); /* 8 are needed */
  assert_int_equal(layer_test_run(&t), ONR_STATUS_SHAPE);
  layer_test_clear(&t);
}

static enum onr_status pool(struct layer_test *t, const struct onr_max_roi_pool_params *p, const float *rois,
                            int64_t count) {
  float x[16];
  for (int i = 0; i < 16; i++) x[i] = (float)(i * 5 % 16); /* 0 5 10 15 / 4 9 14 3 / 8 13 2 7 / 12 1 6 11 */
  t->layer = &onri_layer_max_roi_pool;
  t->params = p;
  t->num_out = 1;
  layer_test_input(t, ONR_DTYPE_F32, 4, (int64_t[]){1, 1, 4, 4}, x);
  layer_test_input(t, ONR_DTYPE_F32, 2, (int64_t[]){count, 5}, rois);
  return layer_test_run(t);
}

static void test_max_roi_pool(void **state) {
  const struct onr_max_roi_pool_params p = {.output_height = 2, .output_width = 2, .spatial_scale = 0.5f};
  const float rois[] = {0, 0, 0, 6, 6, 0, 2, 2, 4, 6, 0, 20, 20, 30, 30}, wrong[] = {1, 0, 0, 6, 6},
              nan[] = {NAN, 0, 0, 6, 6};
  struct layer_test t = {0};
  (void)state;
  assert_int_equal(pool(&t, &p, rois, 3), ONR_STATUS_OK);
  /* All of the image; columns 1 to 2 and rows 1 to 3, whose middle row belongs to both cells; nothing. */
  assert_close(t.out[0].data, (float[]){9, 15, 13, 11, 13, 14, 13, 6, 0, 0, 0, 0}, 12, 0, 0);
  layer_test_clear(&t);
  assert_int_equal(pool(&t, &p, wrong, 1), ONR_STATUS_INDEX);
  layer_test_clear(&t);
  assert_int_equal(pool(&t, &p, nan, 1), ONR_STATUS_INDEX);
  layer_test_clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_deform_conv), cmocka_unit_test(test_depthwise),
                                     cmocka_unit_test(test_wrong_offsets), cmocka_unit_test(test_max_roi_pool)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
