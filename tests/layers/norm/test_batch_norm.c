/* batch_norm and lrn against their definitions, in both layouts. */
#include "support/sweep.h"

#include <math.h>

#include "base/numbers/convert.h"
#include "layers/layers.h"
#include "support/image_layout.h"

enum { MAX = 4096 };

static void test_batch_norm(void **state) {
  enum { N = 2, C = 35, PIXELS = 12 };
  static float x[MAX], scale[MAX], bias[MAX], mean[MAX], variance[MAX], expected[MAX];
  (void)state;
  fill_random(x, MAX, -2, 3, 1);
  fill_random(scale, MAX, -1, 1, 2);
  fill_random(bias, MAX, -1, 1, 3);
  fill_random(mean, MAX, -1, 1, 4);
  fill_random(variance, MAX, 0.1f, 2, 5);
  for (int variant = 0; variant < 8; variant++) {
    const int last = variant & 1, training = variant >> 1 & 1;
    const struct onr_batch_norm_params p = {
        .epsilon = 1e-3f, .momentum = 0.75f, .training = training, .channels_last = last};
    double running[2][C];
    for (int64_t c = 0; c < C; c++) {
      double m = 0, v = 0;
      for (int64_t i = 0; i < N * PIXELS; i++)
        m += (double)x[at(last, C, PIXELS, i / PIXELS, c, i % PIXELS)] / (N * PIXELS);
      for (int64_t i = 0; i < N * PIXELS; i++)
        v += pow(x[at(last, C, PIXELS, i / PIXELS, c, i % PIXELS)] - m, 2) / (N * PIXELS);
      running[0][c] = 0.75 * mean[c] + 0.25 * m, running[1][c] = 0.75 * variance[c] + 0.25 * v;
      if (!training) m = mean[c], v = variance[c];
      for (int64_t i = 0; i < N * PIXELS; i++) {
        const int64_t k = at(last, C, PIXELS, i / PIXELS, c, i % PIXELS);
        expected[k] = (float)((x[k] - m) / sqrt(v + (double)p.epsilon) * scale[c] + bias[c]);
      }
    }
    int64_t dims[4];
    image_dims(last, N, C, 3, 4, dims);
    struct layer_test t = {.layer = &onri_layer_batch_norm,
                           .params = &p,
                           .num_out = training ? 3 : 1,
                           .threads = 2,
                           .refuse_wishes = variant >> 2};
    const float *const vectors[] = {scale, bias, mean, variance};
    layer_test_input(&t, ONR_DTYPE_F32, 4, dims, x);
    for (int i = 0; i < 4; i++) layer_test_constant(&t, ONR_DTYPE_F32, 1, (int64_t[]){C}, vectors[i]);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_close(t.out[0].data, expected, N * C * PIXELS, 1e-5, 1e-5);
    for (int i = 0; training && i < 2; i++)
      for (int64_t c = 0; c < C; c++) assert_true(fabs(((float *)t.out[1 + i].data)[c] - running[i][c]) < 1e-6);
    layer_test_clear(&t);
  }
  { /* float16 x with float32 statistics, and float64. */
    const struct onr_batch_norm_params p = {.epsilon = 0};
    const uint16_t half[] = {0x3c00, 0x4000, 0x4200, 0x4400}; /* 1 2 3 4 */
    const float s[] = {2, -1}, b[] = {0.5f, 0}, m[] = {1, 2}, v[] = {4, 1};
    struct layer_test t = {.layer = &onri_layer_batch_norm, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F16, 2, (int64_t[]){2, 2}, half);
    const float *const vectors[] = {s, b, m, v};
    for (int i = 0; i < 4; i++) layer_test_constant(&t, ONR_DTYPE_F32, 1, (int64_t[]){2}, vectors[i]);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    const float wide[] = {0.5f, 0, 2.5f, -2};
    for (int i = 0; i < 4; i++) assert_true(onri_f16_to_f32(((uint16_t *)t.out[0].data)[i]) == wide[i]);
    layer_test_clear(&t);
  }
  { /* One scale for two channels. */
    const struct onr_batch_norm_params p = {0};
    struct layer_test t = {.layer = &onri_layer_batch_norm, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){2, 2}, x);
    for (int i = 0; i < 4; i++) layer_test_constant(&t, ONR_DTYPE_F32, 1, (int64_t[]){1}, scale);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_SHAPE);
    layer_test_clear(&t);
  }
}

enum { LRN_N = 2, LRN_PIXELS = 5 };

static void lrn_reference(const struct onr_lrn_params *p, int64_t channels, const float *x, float *expected) {
  const int last = p->channels_last;
  const int64_t before = p->odd_before ? p->size / 2 : (p->size - 1) / 2, after = p->size - 1 - before;
  for (int64_t n = 0; n < LRN_N; n++)
    for (int64_t i = 0; i < LRN_PIXELS; i++)
      for (int64_t c = 0; c < channels; c++) {
        double sum = 0;
        for (int64_t k = 0; k < channels; k++)
          if ((k >= c - before && k <= c + after) || (p->keep_first && k == 0))
            sum += pow((double)x[at(last, channels, LRN_PIXELS, n, k, i)], 2);
        const int64_t k = at(last, channels, LRN_PIXELS, n, c, i);
        expected[k] = (float)(x[k] / pow(1.5 + (double)p->alpha / (double)p->size * sum, 0.75));
      }
}

/* Windows within the channels and beyond them; values beside which others vanish, which must leave no trace in windows
 * that do not hold them. */
static void test_lrn(void **state) {
  static const int64_t sizes[] = {1, 2, 3, 6, 20, 33, 34, 38, 39, 40, 76, 77, 78, 153, 154, 155, 1000, 1 << 30};
  static const int64_t all_channels[] = {77, 1, 3, 32, 33};
  enum { MOST = LRN_N * 77 * LRN_PIXELS };
  static float x[MOST], expected[MOST];
  (void)state;
  fill_random(x, MOST, -2, 2, 9);
  x[11] = 1e15f;
  x[300] = -3e12f;
  for (size_t few = 0; few < sizeof(all_channels) / sizeof(all_channels[0]); few++)
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
      for (int variant = 0; variant < 8; variant++) {
        const int last = variant & 1;
        const int64_t channels = all_channels[few];
        const struct onr_lrn_params p = {.size = sizes[i],
                                         .alpha = 0.3f,
                                         .beta = 0.75f,
                                         .bias = 1.5f,
                                         .channels_last = last,
                                         .odd_before = variant >> 1 & 1,
                                         .keep_first = variant >> 2 & 1};
        lrn_reference(&p, channels, x, expected);
        struct layer_test t = {.layer = &onri_layer_lrn, .params = &p, .num_out = 1, .threads = 2};
        layer_test_input(&t, ONR_DTYPE_F32, 3,
                         last ? (int64_t[]){LRN_N, LRN_PIXELS, channels} : (int64_t[]){LRN_N, channels, LRN_PIXELS}, x);
        assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
        assert_close(t.out[0].data, expected, (size_t)(LRN_N * channels * LRN_PIXELS), 1e-6, 0);
        layer_test_clear(&t);
      }
}

/* Channels of a few elements, which share a row of vectors. */
static void test_short_channels(void **state) {
  static float x[40000], statistics[4][2000], expected[40000];
  struct sweep s = sweep_from(64);
  (void)state;
  fill_random(x, 40000, -2, 3, 1);
  for (uint32_t i = 0; i < 4; i++) fill_random(statistics[i], 2000, i == 3 ? 0.1f : -1, 2, i + 2);
  for (int turn = 0; turn < sweep_cases(300); turn++) {
    const int64_t channels = sweep_pick(&s, 1, sweep_chance(&s, 2) ? 20 : 1000), inner = sweep_pick(&s, 1, 40);
    const int64_t outer = sweep_pick(&s, 0, 40000 / (channels * inner) < 99 ? 40000 / (channels * inner) : 99);
    const struct onr_batch_norm_params p = {.epsilon = 1e-3f};
    struct layer_test t = {
        .layer = &onri_layer_batch_norm, .params = &p, .num_out = 1, .threads = (uint32_t)sweep_pick(&s, 1, 2)};
    for (int64_t i = 0; i < outer * channels * inner; i++) {
      const int64_t c = i / inner % channels;
      const double factor = (double)statistics[0][c] / sqrt((double)statistics[3][c] + (double)p.epsilon);
      expected[i] = (float)(((double)x[i] - (double)statistics[2][c]) * factor + (double)statistics[1][c]);
    }
    layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){outer, channels, inner}, x);
    for (int i = 0; i < 4; i++) layer_test_input(&t, ONR_DTYPE_F32, 1, &channels, statistics[i]);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_close(t.out[0].data, expected, (size_t)(outer * channels * inner), 1e-5, 1e-5);
    layer_test_clear(&t);
  }
}

/* Channels without elements, in every place of a dimension that is 0. */
static void test_no_elements(void **state) {
  static const float ones[4] = {1, 1, 1, 1};
  (void)state;
  for (int zero = 0; zero < 4; zero++)
    for (int training = 0; training < 2; training++) {
      const struct onr_batch_norm_params p = {.epsilon = 1e-3f, .momentum = 0.75f, .training = training};
      int64_t dims[4] = {2, 4, 3, 5};
      dims[zero] = 0;
      struct layer_test t = {.layer = &onri_layer_batch_norm, .params = &p, .num_out = training ? 3 : 1};
      layer_test_input(&t, ONR_DTYPE_F32, 4, dims, ones);
      for (int i = 0; i < 4; i++) layer_test_constant(&t, ONR_DTYPE_F32, 1, &dims[1], ones);
      assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
      assert_int_equal(onr_desc_elements(&t.out[0].desc), 0);
      layer_test_clear(&t);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_batch_norm), cmocka_unit_test(test_short_channels),
                                     cmocka_unit_test(test_no_elements), cmocka_unit_test(test_lrn)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
