/* dft and stft against the definition, window_function against its formula at known points */
#include "tests/support/layer_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "layers/layers.h"

static const double pi = 3.14159265358979323846;

/* y [rows][kept][2] = transform of x [rows][length] along the second axis. */
static void define(const float *x, int rows, int length, int kept, float *y) {
  for (int r = 0; r < rows; r++)
    for (int k = 0; k < kept; k++) {
      double re = 0, im = 0;
      for (int j = 0; j < length; j++) {
        re += (double)x[r * length + j] * cos(2 * pi * j * k / length);
        im -= (double)x[r * length + j] * sin(2 * pi * j * k / length);
      }
      y[(r * kept + k) * 2] = (float)re;
      y[(r * kept + k) * 2 + 1] = (float)im;
    }
}

static void transforms_of_any_length(void **state) {
  static const int lengths[] = {1, 2, 3, 5, 8, 12, 16, 31, 64};
  (void)state;
  for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
    for (int onesided = 0; onesided < 2; onesided++) {
      const int n = lengths[i], kept = onesided ? n / 2 + 1 : n;
      const struct onr_dft_params params = {.onesided = onesided};
      float x[3 * 64], expected[3 * 64 * 2];
      struct layer_test t = {.layer = &onri_layer_dft, .params = &params, .num_out = 1};
      fill_random(x, (size_t)(3 * n), -1, 1, (uint32_t)n);
      define(x, 3, n, kept, expected);
      layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){3, n, 1}, x);
      assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
      assert_int_equal(t.out[0].desc.dim[1], kept);
      assert_close(t.out[0].data, expected, (size_t)(3 * kept * 2), 1e-5, 1e-5);
      layer_test_clear(&t);
    }
}

static void inverse_brings_a_real_signal_back(void **state) {
  (void)state;
  for (int n = 2; n <= 17; n++) {
    const struct onr_dft_params params = {.inverse = 1, .onesided = 1};
    const int64_t length = n;
    float x[17], spectrum[18 * 2];
    struct layer_test t = {.layer = &onri_layer_dft, .params = &params, .num_out = 1};
    fill_random(x, (size_t)n, -1, 1, (uint32_t)n);
    define(x, 1, n, n / 2 + 1, spectrum);
    layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){1, n / 2 + 1, 2}, spectrum);
    layer_test_constant(&t, ONR_DTYPE_I64, 0, NULL, &length);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_int_equal(t.out[0].desc.dim[2], 1);
    assert_close(t.out[0].data, x, (size_t)n, 1e-5, 1e-5);
    layer_test_clear(&t);
  }
}

/* y = the transform of x, complex, by the definition with exact angles. */
static void define_complex(const double *x, int n, int inverse, double *y) {
  double c[1024], s[1024];
  for (int k = 0; k < n; k++) {
    c[k] = cos(2 * pi * k / n);
    s[k] = (inverse ? 1 : -1) * sin(2 * pi * k / n);
  }
  for (int k = 0; k < n; k++) {
    double re = 0, im = 0;
    for (int j = 0; j < n; j++) {
      re += x[2 * j] * c[j * k % n] - x[2 * j + 1] * s[j * k % n];
      im += x[2 * j] * s[j * k % n] + x[2 * j + 1] * c[j * k % n];
    }
    y[2 * k] = inverse ? re / n : re;
    y[2 * k + 1] = inverse ? im / n : im;
  }
}

/* Lengths around powers of two, primes and products of them, in float64; a line in a middle axis, cut or padded to the
 * length. */
static void transforms_are_exact_to_the_last_digits(void **state) {
  static const int lengths[] = {1, 6, 7, 97, 127, 128, 129, 255, 511, 513, 1000, 1009, 1021};
  (void)state;
  for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
    for (int inverse = 0; inverse < 2; inverse++) {
      const int n = lengths[i], given = n + (inverse ? 3 : -3) > 0 ? n + (inverse ? 3 : -3) : 1;
      const struct onr_dft_params params = {.inverse = inverse};
      const int64_t length = n, axis = 1;
      float random[2 * 1024 * 3];
      double *x = calloc((size_t)given * 3 * 2, sizeof(double)), line[2 * 1021], expected[2 * 1021];
      struct layer_test t = {.layer = &onri_layer_dft, .params = &params, .num_out = 1};
      fill_random(random, (size_t)given * 3 * 2, -1, 1, (uint32_t)n);
      for (int k = 0; k < given * 3 * 2; k++) x[k] = (double)random[k];
      layer_test_input(&t, ONR_DTYPE_F64, 4, (int64_t[]){1, given, 3, 2}, x);
      layer_test_constant(&t, ONR_DTYPE_I64, 0, NULL, &length);
      layer_test_constant(&t, ONR_DTYPE_I64, 0, NULL, &axis);
      assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
      const double *y = t.out[0].data;
      for (int c = 0; c < 3; c++) {
        memset(line, 0, sizeof(line));
        for (int k = 0; k < n && k < given; k++) memcpy(line + 2 * k, x + (k * 3 + c) * 2, 2 * sizeof(double));
        define_complex(line, n, inverse, expected);
        for (int k = 0; k < n; k++)
          for (int part = 0; part < 2; part++)
            assert_true(fabs(y[(k * 3 + c) * 2 + part] - expected[2 * k + part]) <= 1e-13 * n);
      }
      layer_test_clear(&t);
      free(x);
    }
}

static void frames_of_a_signal(void **state) {
  const struct onr_stft_params params = {.onesided = 1};
  const int64_t step = 3;
  float x[2 * 20], window[8], expected[2 * 5 * 5 * 2], frame[8];
  struct layer_test t = {.layer = &onri_layer_stft, .params = &params, .num_out = 1};
  (void)state;
  fill_random(x, 40, -1, 1, 1);
  fill_random(window, 8, 0, 1, 2);
  for (int b = 0; b < 2; b++)
    for (int f = 0; f < 5; f++) {
      for (int k = 0; k < 8; k++) frame[k] = x[b * 20 + f * 3 + k] * window[k];
      define(frame, 1, 8, 5, expected + (b * 5 + f) * 10);
    }
  layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){2, 20}, x);
  layer_test_constant(&t, ONR_DTYPE_I64, 0, NULL, &step);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){8}, window);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_close(t.out[0].data, expected, 100, 1e-5, 1e-5);
  layer_test_clear(&t);
}

static void wrong_lengths_and_steps_are_refused(void **state) {
  const struct onr_dft_params dft = {0};
  const struct onr_stft_params stft = {0};
  const int64_t zero = 0, huge = INT64_MAX;
  const float x[6] = {0};
  (void)state;
  for (int k = 0; k < 2; k++) {
    struct layer_test t = {.layer = &onri_layer_dft, .params = &dft, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){1, 6, 1}, x);
    layer_test_constant(&t, ONR_DTYPE_I64, 0, NULL, k ? &huge : &zero);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_ATTRIBUTE);
    layer_test_clear(&t);
  }
  struct layer_test s = {.layer = &onri_layer_stft, .params = &stft, .num_out = 1};
  layer_test_input(&s, ONR_DTYPE_F32, 2, (int64_t[]){1, 6}, x);
  layer_test_constant(&s, ONR_DTYPE_I64, 0, NULL, &zero);
  layer_test_input(&s, ONR_DTYPE_F32, 1, (int64_t[]){2}, x);
  assert_int_equal(layer_test_run(&s), ONR_STATUS_ATTRIBUTE);
  layer_test_clear(&s);
}

static void windows_have_their_known_values(void **state) {
  const struct onr_window_function_params hann = {ONR_WINDOW_HANN, 1, ONR_DTYPE_F32},
                                          blackman = {ONR_WINDOW_BLACKMAN, 0, ONR_DTYPE_F64};
  const int32_t five = 5, four = 4;
  (void)state;
  struct layer_test t = {.layer = &onri_layer_window_function, .params = &hann, .num_out = 1};
  layer_test_constant(&t, ONR_DTYPE_I32, 0, NULL, &five);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_close(t.out[0].data, (float[]){0, 0.5f, 1, 0.5f, 0}, 5, 1e-6, 1e-6);
  layer_test_clear(&t);
  struct layer_test b = {.layer = &onri_layer_window_function, .params = &blackman, .num_out = 1};
  layer_test_constant(&b, ONR_DTYPE_I32, 0, NULL, &four);
  assert_int_equal(layer_test_run(&b), ONR_STATUS_OK);
  const double *y = b.out[0].data;
  assert_true(fabs(y[0]) < 1e-12 && fabs(y[1] - 0.34) < 1e-12 && fabs(y[2] - 1) < 1e-12);
  layer_test_clear(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(transforms_of_any_length),
      cmocka_unit_test(inverse_brings_a_real_signal_back),
      cmocka_unit_test(transforms_are_exact_to_the_last_digits),
      cmocka_unit_test(frames_of_a_signal),
      cmocka_unit_test(wrong_lengths_and_steps_are_refused),
      cmocka_unit_test(windows_have_their_known_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
