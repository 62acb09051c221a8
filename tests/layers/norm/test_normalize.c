/* layer_norm, rms_norm, group_norm, instance_norm, lp_norm, mean_variance_norm against sums in double: the test says
 * for each element which slice it belongs to and which entry of scale and bias it takes. */
#include <math.h>
#include <string.h>

#include "support/sweep.h"

#include "base/numbers/convert.h"
#include "layers/layers.h"

enum { CAPACITY = 16384 };
enum kind { VARIANCE, RMS, L1, L2, STD };
static const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16};

static float x[CAPACITY], scale[CAPACITY], bias[CAPACITY], expected[CAPACITY];
static size_t slice[CAPACITY], entry[CAPACITY];
static double mean[CAPACITY], factor[CAPACITY];

static void reference(enum kind kind, size_t count, double epsilon, int has_scale, int has_bias) {
  static double number[CAPACITY], sum[CAPACITY], square[CAPACITY], absolute[CAPACITY], centred[CAPACITY];
  memset(number, 0, sizeof(number));
  memset(sum, 0, sizeof(sum));
  memset(square, 0, sizeof(square));
  memset(absolute, 0, sizeof(absolute));
  memset(centred, 0, sizeof(centred));
  for (size_t i = 0; i < count; i++) {
    const double v = (double)x[i];
    number[slice[i]] += 1;
    sum[slice[i]] += v;
    square[slice[i]] += v * v;
    absolute[slice[i]] += fabs(v);
  }
  for (size_t i = 0; i < count; i++) {
    const double v = (double)x[i] - sum[slice[i]] / number[slice[i]];
    centred[slice[i]] += v * v;
  }
  for (size_t i = 0; i < count; i++) {
    const size_t s = slice[i];
    const double variance = centred[s] / number[s];
    mean[s] = kind == VARIANCE || kind == STD ? sum[s] / number[s] : 0;
    factor[s] = kind == VARIANCE ? 1 / sqrt(variance + epsilon)
                : kind == STD    ? 1 / (sqrt(variance) + 1e-9)
                : kind == RMS    ? 1 / sqrt(square[s] / number[s] + epsilon)
                : kind == L1     ? (absolute[s] == 0 ? 0 : 1 / absolute[s])
                                 : (square[s] == 0 ? 0 : 1 / sqrt(square[s]));
    double y = ((double)x[i] - mean[s]) * factor[s];
    if (has_scale) y *= (double)scale[entry[i]];
    if (has_bias) y += (double)bias[entry[i]];
    expected[i] = (float)y;
  }
}

/* `values` as dtype; they become what is left after rounding. */
static const void *as(enum onr_dtype dtype, float *values, size_t count, void *target) {
  double *wide = target;
  if (dtype == ONR_DTYPE_F64) {
    for (size_t i = 0; i < count; i++) wide[i] = (double)values[i];
  } else {
    onri_store(dtype, values, count, target);
    onri_load(dtype, target, count, values);
  }
  return target;
}

static void read_output(const struct onr_tensor *t, float *y, size_t count) {
  if (t->desc.dtype != ONR_DTYPE_F64) {
    onri_load(t->desc.dtype, t->data, count, y);
    return;
  }
  for (size_t i = 0; i < count; i++) y[i] = (float)((const double *)t->data)[i];
}

struct norm_case {
  const struct onr_layer *layer;
  const void *params;
  enum kind kind;
  double epsilon;
  int32_t rank;
  int64_t dims[5];
  int32_t scale_rank;
  int64_t scale_dims[5];
  int has_scale, has_bias;
};

/* slice[] and entry[] are set. */
static void check(const struct norm_case *c) {
  static double raw[3][CAPACITY];
  static float y[CAPACITY];
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, c->rank, c->dims);
  const struct onr_desc scale_desc = onr_desc_make(ONR_DTYPE_F32, c->scale_rank, c->scale_dims);
  const size_t count = (size_t)onr_desc_elements(&desc), entries = (size_t)onr_desc_elements(&scale_desc);
  for (int d = 0; d < 3; d++)
    for (uint32_t threads = 1; threads <= 2; threads++) {
      fill_random(x, count, -2.0f, 3.0f, 5);
      fill_random(scale, entries, -1.0f, 2.0f, 6);
      fill_random(bias, entries, -1.0f, 2.0f, 7);
      struct layer_test t = {
          .layer = c->layer, .params = c->params, .num_out = 1, .threads = threads, .refuse_wishes = threads == 1};
      layer_test_input(&t, dtypes[d], c->rank, c->dims, as(dtypes[d], x, count, raw[0]));
      if (c->has_scale)
        layer_test_input(&t, dtypes[d], c->scale_rank, c->scale_dims, as(dtypes[d], scale, entries, raw[1]));
      if (c->has_bias)
        layer_test_constant(&t, dtypes[d], c->scale_rank, c->scale_dims, as(dtypes[d], bias, entries, raw[2]));
      assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
      assert_int_equal(t.out[0].desc.dtype, dtypes[d]);
      reference(c->kind, count, c->epsilon, c->has_scale, c->has_bias);
      read_output(&t.out[0], y, count);
      const double tolerance = dtypes[d] == ONR_DTYPE_F16 ? 2e-3 : 2e-6;
      assert_close(y, expected, count, tolerance, tolerance);
      layer_test_clear(&t);
    }
}

static void test_layer_norm(void **unused) {
  const struct onr_layer_norm_params params = {.axis = -2, .epsilon = 1e-3f};
  const struct onr_rms_norm_params rms = {.axis = 2, .epsilon = 1e-3f};
  (void)unused;
  for (int form = 0; form < 6; form++) {
    struct norm_case c = {
        &onri_layer_layer_norm,    &params,  VARIANCE, (double)1e-3f, 4, {3, 2, 5, 131}, form < 4 ? 2 : 1,
        {form < 4 ? 5 : 131, 131}, form > 0, form > 1};
    for (size_t i = 0; i < 3930; i++) {
      slice[i] = i / 655;
      entry[i] = i % (form < 4 ? 655 : 131);
    }
    check(&c);
    c.layer = &onri_layer_rms_norm;
    c.params = &rms;
    c.kind = RMS;
    c.has_bias = 0;
    check(&c);
  }
}

static void test_layer_norm_statistics(void **unused) {
  const struct onr_layer_norm_params params = {.axis = -1, .epsilon = 1e-5f};
  const int64_t dims[] = {5, 37};
  float expected_mean[5], expected_inverse[5];
  (void)unused;
  fill_random(x, 185, 10.0f, 11.0f, 1);
  for (size_t i = 0; i < 185; i++) slice[i] = i / 37;
  reference(VARIANCE, 185, (double)1e-5f, 0, 0);
  for (int i = 0; i < 5; i++) {
    expected_mean[i] = (float)mean[i];
    expected_inverse[i] = (float)factor[i];
  }
  struct layer_test t = {.layer = &onri_layer_layer_norm, .params = &params, .num_out = 3};
  layer_test_input(&t, ONR_DTYPE_F32, 2, dims, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(t.out[1].desc.dim[1], 1);
  assert_close(t.out[1].data, expected_mean, 5, 1e-6, 0);
  assert_close(t.out[2].data, expected_inverse, 5, 1e-6, 0);
  layer_test_clear(&t);
}

static void test_group_norm(void **unused) {
  (void)unused;
  for (int last = 0; last <= 1; last++)
    for (int per_group = 0; per_group <= 1; per_group++)
      for (int affine = 0; affine <= 2; affine++) {
        const struct onr_group_norm_params params = {3, 1e-4f, per_group, last};
        const struct norm_case c = {&onri_layer_group_norm,
                                    &params,
                                    VARIANCE,
                                    (double)1e-4f,
                                    4,
                                    {2, last ? 5 : 6, last ? 7 : 5, last ? 6 : 7},
                                    1,
                                    {per_group ? 3 : 6},
                                    affine > 0,
                                    affine > 1};
        for (size_t i = 0; i < 420; i++) {
          const size_t channel = last ? i % 6 : i / 35 % 6;
          slice[i] = i / 210 * 3 + channel / 2;
          entry[i] = per_group ? channel / 2 : channel;
        }
        check(&c);
      }
}

static void test_instance_norm(void **unused) {
  (void)unused;
  for (int last = 0; last <= 1; last++) {
    const struct onr_instance_norm_params params = {1e-5f, last};
    const struct norm_case c = {&onri_layer_instance_norm,
                                &params,
                                VARIANCE,
                                (double)1e-5f,
                                3,
                                {2, last ? 600 : 3, last ? 3 : 600},
                                1,
                                {3},
                                1,
                                1};
    for (size_t i = 0; i < 3600; i++) {
      entry[i] = last ? i % 3 : i / 600 % 3;
      slice[i] = i / 1800 * 3 + entry[i];
    }
    check(&c);
  }
}

static void test_many_channels_last(void **unused) {
  const struct onr_instance_norm_params params = {1e-5f, 1};
  const struct onr_group_norm_params groups = {37, 1e-5f, 0, 1};
  (void)unused;
  for (size_t width = 1; width <= 3; width++) {
    const int64_t channels = 37 * (int64_t)width;
    struct norm_case c = {
        &onri_layer_group_norm, &groups, VARIANCE, (double)1e-5f, 4, {2, 5, 7, channels}, 1, {channels}, 1, 1};
    for (size_t i = 0; i < 70 * (size_t)channels; i++) {
      entry[i] = i % (size_t)channels;
      slice[i] = i / (35 * (size_t)channels) * 37 + entry[i] / width;
    }
    check(&c);
    c.layer = &onri_layer_instance_norm;
    c.params = &params;
    if (width == 1) check(&c);
  }
}

static void test_norms_without_parameters(void **unused) {
  (void)unused;
  for (int axis = 0; axis < 3; axis++)
    for (int p = 1; p <= 2; p++) {
      const struct onr_lp_norm_params params = {axis - 3, p};
      const struct norm_case c = {
          .layer = &onri_layer_lp_norm, .params = &params, .kind = p == 1 ? L1 : L2, .rank = 3, .dims = {4, 5, 6}};
      for (size_t i = 0; i < 120; i++) slice[i] = axis == 0 ? i % 30 : axis == 1 ? i / 30 * 6 + i % 6 : i / 6;
      check(&c);
    }
  const struct onr_mean_variance_norm_params params = {{0, -2, 3}, 3}, outer = {{0, 2}, 2};
  struct norm_case c = {
      .layer = &onri_layer_mean_variance_norm, .params = &params, .kind = STD, .rank = 4, .dims = {3, 4, 5, 6}};
  for (size_t i = 0; i < 360; i++) slice[i] = i / 30 % 4;
  check(&c);
  c.params = &outer;
  for (size_t i = 0; i < 360; i++) slice[i] = i / 30 % 4 * 6 + i % 6;
  check(&c);
}

/* Lines of all lengths, few and many of them side by side; groups of channels that are one element each. */
static void test_drawn_shapes(void **unused) {
  struct sweep s = sweep_from(67);
  (void)unused;
  for (int turn = 0; turn < sweep_cases(300); turn++) {
    const int64_t inner = sweep_pick(&s, 1, sweep_chance(&s, 3) ? 140 : 16);
    const int64_t length = sweep_pick(&s, 1, sweep_chance(&s, 3) ? CAPACITY / inner : 40),
                  most = CAPACITY / (inner * length);
    const int64_t outer = sweep_pick(&s, 1, most < 300 ? most : 300);
    const struct onr_lp_norm_params params = {1, (int32_t)sweep_pick(&s, 1, 2)};
    const struct norm_case c = {.layer = &onri_layer_lp_norm,
                                .params = &params,
                                .kind = params.p == 1 ? L1 : L2,
                                .rank = 3,
                                .dims = {outer, length, inner}};
    for (size_t i = 0; i < (size_t)(outer * length * inner); i++)
      slice[i] = i / (size_t)(length * inner) * (size_t)inner + i % (size_t)inner;
    check(&c);
  }
  for (int turn = 0; turn < sweep_cases(120); turn++) {
    const int64_t batch = sweep_pick(&s, 1, 5), groups = sweep_pick(&s, 1, 9), group = sweep_pick(&s, 2, 60);
    const int64_t channels = groups * group, most = CAPACITY / (batch * channels);
    const int64_t spatial = sweep_pick(&s, 1, sweep_chance(&s, 3) && most > 3 ? most : 3);
    const int last = sweep_chance(&s, 2);
    const struct onr_group_norm_params params = {.groups = groups, .epsilon = 1e-2f, .channels_last = last};
    const struct norm_case c = {&onri_layer_group_norm,
                                &params,
                                VARIANCE,
                                (double)1e-2f,
                                3,
                                {batch, last ? spatial : channels, last ? channels : spatial},
                                1,
                                {channels},
                                1,
                                1};
    for (size_t i = 0; i < (size_t)(batch * channels * spatial); i++) {
      entry[i] = i / (size_t)(last ? 1 : spatial) % (size_t)channels;
      slice[i] = i / (size_t)(channels * spatial) * (size_t)groups + entry[i] / (size_t)group;
    }
    check(&c);
  }
}

static void test_zero_line(void **unused) {
  const float zero[3] = {0, 0, 0};
  const struct onr_lp_norm_params params = {0, 2};
  struct layer_test t = {.layer = &onri_layer_lp_norm, .params = &params, .num_out = 1};
  (void)unused;
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){3}, zero);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_memory_equal(t.out[0].data, zero, sizeof(zero));
  layer_test_clear(&t);
}

static enum onr_status status_of(const struct onr_layer *layer, const void *params, int32_t rank, const int64_t *dims,
                                 int64_t scale_dim) {
  static const float data[512];
  struct layer_test t = {.layer = layer, .params = params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, rank, dims, data);
  if (scale_dim > 0) layer_test_input(&t, ONR_DTYPE_F32, 1, &scale_dim, data);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void test_wrong_parameters(void **unused) {
  const int64_t dims[] = {2, 6, 5};
  const struct onr_group_norm_params none = {0, 1e-5f, 0, 0}, four = {4, 1e-5f, 0, 0}, three = {3, 1e-5f, 0, 0};
  const struct onr_layer_norm_params far = {.axis = 3, .epsilon = 1e-5f}, last = {.axis = -1, .epsilon = 1e-5f};
  const struct onr_lp_norm_params cubic = {0, 3};
  const struct onr_mean_variance_norm_params twice = {{0, 0}, 2};
  (void)unused;
  assert_int_equal(status_of(&onri_layer_group_norm, &none, 3, dims, 0), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(&onri_layer_group_norm, &four, 3, dims, 0), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(&onri_layer_group_norm, &three, 3, dims, 3), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(&onri_layer_group_norm, &three, 1, dims, 0), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(&onri_layer_layer_norm, &far, 3, dims, 0), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(&onri_layer_layer_norm, &last, 3, dims, 4), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(&onri_layer_lp_norm, &cubic, 3, dims, 0), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(&onri_layer_mean_variance_norm, &twice, 3, dims, 0), ONR_STATUS_ATTRIBUTE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_layer_norm),         cmocka_unit_test(test_layer_norm_statistics),
      cmocka_unit_test(test_group_norm),         cmocka_unit_test(test_instance_norm),
      cmocka_unit_test(test_many_channels_last), cmocka_unit_test(test_norms_without_parameters),
      cmocka_unit_test(test_drawn_shapes),       cmocka_unit_test(test_zero_line),
      cmocka_unit_test(test_wrong_parameters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
