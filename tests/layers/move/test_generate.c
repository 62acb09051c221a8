/* range, eye_like, one_hot. */
#include <math.h>

#include "base/numbers/convert.h"
#include "layers/layers.h"
#include "support/index_loop.h"

static enum onr_status range_of(enum onr_dtype dtype, const void *start, const void *limit, const void *delta,
                                struct layer_test *t) {
  *t = (struct layer_test){.layer = &onri_layer_range, .num_out = 1, .threads = 2};
  layer_test_input(t, dtype, 0, NULL, start);
  layer_test_input(t, dtype, 0, NULL, limit);
  layer_test_input(t, dtype, 0, NULL, delta);
  return layer_test_run(t);
}

static void integer_ranges(void **state) {
  static const int64_t cases[][4] = {/* start, limit, delta, count */
                                     {0, 10, 1, 10},
                                     {0, 10, 3, 4},
                                     {10, 0, -3, 4},
                                     {5, 5, 1, 0},
                                     {5, 4, 1, 0},
                                     {4, 5, -1, 0},
                                     {-3, 20000, 1, 20003},
                                     {INT64_MIN, INT64_MAX, INT64_MAX, 3},
                                     {INT64_MAX, INT64_MIN, INT64_MIN, 2},
                                     {INT64_MAX - 2, INT64_MAX, 1, 2}};
  (void)state;
  for (size_t i = 0; i < 10; i++) {
    struct layer_test t;
    assert_int_equal(range_of(ONR_DTYPE_I64, &cases[i][0], &cases[i][1], &cases[i][2], &t), ONR_STATUS_OK);
    assert_int_equal(t.out[0].desc.dim[0], cases[i][3]);
    uint64_t value = (uint64_t)cases[i][0];
    for (int64_t k = 0; k < cases[i][3]; k++, value += (uint64_t)cases[i][2])
      assert_true(((uint64_t *)t.out[0].data)[k] == value);
    layer_test_clear(&t);
  }
  for (int16_t delta = -3; delta <= 3; delta++) {
    const int16_t start = -7, limit = 8;
    struct layer_test t;
    assert_int_equal(range_of(ONR_DTYPE_I16, &start, &limit, &delta, &t),
                     delta == 0 ? ONR_STATUS_ATTRIBUTE : ONR_STATUS_OK);
    if (delta > 0) assert_int_equal(t.out[0].desc.dim[0], (15 + delta - 1) / delta);
    if (delta > 0) assert_int_equal(((int16_t *)t.out[0].data)[1], -7 + delta);
    layer_test_clear(&t);
  }
}

static void real_ranges(void **state) {
  static const double cases[][4] = {
      {0, 1, 0.25, 4}, {0, 1, 0.3, 4}, {1, -2, -0.5, 6}, {2, 1, 0.1, 0}, {0, 5000, 0.5, 10000}};
  (void)state;
  for (size_t i = 0; i < 5; i++) {
    const float f[3] = {(float)cases[i][0], (float)cases[i][1], (float)cases[i][2]};
    struct layer_test t;
    assert_int_equal(range_of(ONR_DTYPE_F32, &f[0], &f[1], &f[2], &t), ONR_STATUS_OK);
    assert_int_equal(t.out[0].desc.dim[0], (int64_t)cases[i][3]);
    for (size_t k = 0; k < (size_t)cases[i][3]; k++) {
      const float expected = (float)((double)f[0] + (double)k * (double)f[2]);
      assert_close((float *)t.out[0].data + k, &expected, 1, 0, 0);
    }
    layer_test_clear(&t);
    assert_int_equal(range_of(ONR_DTYPE_F64, &cases[i][0], &cases[i][1], &cases[i][2], &t), ONR_STATUS_OK);
    for (size_t k = 0; k < (size_t)cases[i][3]; k++)
      assert_true(((double *)t.out[0].data)[k] == cases[i][0] + (double)k * cases[i][2]);
    layer_test_clear(&t);
  }
  const uint16_t half[3] = {0x0000, 0x4200, 0x3c00}, expected[3] = {0x0000, 0x3c00, 0x4000}; /* 0, 3, 1 -> 0, 1, 2 */
  struct layer_test t;
  assert_int_equal(range_of(ONR_DTYPE_F16, &half[0], &half[1], &half[2], &t), ONR_STATUS_OK);
  assert_memory_equal(t.out[0].data, expected, sizeof(expected));
  layer_test_clear(&t);
}

static void range_failures(void **state) {
  const float zero = 0, one = 1, nan = NAN, tiny = 1e-38f, infinite = INFINITY;
  const int64_t low = INT64_MIN, high = INT64_MAX, step = 1, far = INT64_C(1) << 40, none = 0;
  struct layer_test t;
  (void)state;
  assert_int_equal(range_of(ONR_DTYPE_F32, &zero, &one, &zero, &t), ONR_STATUS_ATTRIBUTE);
  layer_test_clear(&t);
  assert_int_equal(range_of(ONR_DTYPE_F32, &zero, &nan, &one, &t), ONR_STATUS_ATTRIBUTE);
  layer_test_clear(&t);
  assert_int_equal(range_of(ONR_DTYPE_F32, &zero, &one, &tiny, &t), ONR_STATUS_LIMIT);
  layer_test_clear(&t);
  assert_int_equal(range_of(ONR_DTYPE_F32, &zero, &infinite, &one, &t), ONR_STATUS_LIMIT);
  layer_test_clear(&t);
  assert_int_equal(range_of(ONR_DTYPE_I64, &low, &high, &step, &t), ONR_STATUS_LIMIT);
  layer_test_clear(&t);
  assert_int_equal(range_of(ONR_DTYPE_I64, &none, &far, &step, &t), ONR_STATUS_LIMIT);
  layer_test_clear(&t);
  assert_int_equal(range_of(ONR_DTYPE_BOOL, "\0", "\1", "\1", &t), ONR_STATUS_TYPE);
  layer_test_clear(&t);
}

static void eyes(void **state) {
  static const int64_t offsets[] = {INT64_MIN, -4, -3, -1, 0, 2, 4, 5, INT64_MAX};
  const float x[20] = {0};
  (void)state;
  for (size_t i = 0; i < 9; i++)
    for (int dtype = 0; dtype < 3; dtype++) {
      const enum onr_dtype dtypes[] = {ONR_DTYPE_NONE, ONR_DTYPE_I64, ONR_DTYPE_F16};
      const struct onr_eye_like_params params = {dtypes[dtype], offsets[i]};
      struct layer_test t = {.layer = &onri_layer_eye_like, .params = &params, .num_out = 1};
      layer_test_input(&t, ONR_DTYPE_F32, 2, DIMS(4, 5), x);
      run_ok(&t);
      for (int64_t k = 0; k < 20; k++) {
        const int one = offsets[i] > -20 && offsets[i] < 20 && k % 5 == k / 5 + offsets[i];
        if (dtype == 0) assert_true(((float *)t.out[0].data)[k] == (float)one);
        if (dtype == 1) assert_true(((int64_t *)t.out[0].data)[k] == one);
        if (dtype == 2) assert_true(((uint16_t *)t.out[0].data)[k] == (one ? 0x3c00 : 0));
      }
      layer_test_clear(&t);
    }
}

static void one_hots(void **state) {
  static const int64_t indices[6] = {0, -1, 4, 5, -5, -6}; /* the fourth and the last are out of range: off alone */
  const int32_t narrow[6] = {0, -1, 4, 5, -5, -6};
  const float real[6] = {0, -1, 4, 5, -5, -6}, five = 5;
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (int32_t axis = -3; axis < 3; axis++)
      for (int form = 0; form < 3; form++) {
        const struct onr_one_hot_params params = {axis};
        const int32_t at = axis < 0 ? axis + 3 : axis;
        const size_t size = onr_dtype_size(sized_dtypes[i]);
        int64_t out[3], to[3] = {0}, index[2];
        unsigned char values[2 * 16];
        memset(values, 1, size);
        memset(values + size, 2, size);
        for (int32_t d = 0, from = 0; d < 3; d++) out[d] = d == at ? 5 : DIMS(2, 3)[from++];
        struct layer_test t = {.layer = &onri_layer_one_hot, .params = &params, .num_out = 1};
        layer_test_input(&t,
                         form == 0   ? ONR_DTYPE_I64
                         : form == 1 ? ONR_DTYPE_I32
                                     : ONR_DTYPE_F32,
                         2, DIMS(2, 3),
                         form == 0   ? (const void *)indices
                         : form == 1 ? (const void *)narrow
                                     : (const void *)real);
        if (form == 2) layer_test_input(&t, ONR_DTYPE_F32, 1, DIMS(1), &five);
        else layer_test_input(&t, ONR_DTYPE_I64, 0, NULL, DIMS(5));
        layer_test_input(&t, sized_dtypes[i], 1, DIMS(2), values);
        run_ok(&t);
        const struct onr_desc desc = onr_desc_make(sized_dtypes[i], 3, out);
        assert_true(onr_desc_equal(&desc, &t.out[0].desc));
        do {
          for (int32_t d = 0, n = 0; d < 3; d++)
            if (d != at) index[n++] = to[d];
          const int64_t named = indices[flat_index(index, 2, DIMS(2, 3))];
          const int on = named == to[at] || named + 5 == to[at];
          assert_memory_equal((char *)t.out[0].data + flat_index(to, 3, out) * size, values + (on ? size : 0), size);
        } while (next_index(to, 3, out));
        layer_test_clear(&t);
      }
}

static enum onr_status one_hot_status(enum onr_dtype dtype, const void *depth, int64_t num_values) {
  static const struct onr_one_hot_params params = {-1};
  const float values[3] = {0};
  struct layer_test t = {.layer = &onri_layer_one_hot, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(1), DIMS(0));
  layer_test_input(&t, dtype, 0, NULL, depth);
  layer_test_input(&t, ONR_DTYPE_F32, 1, &num_values, values);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void one_hot_failures(void **state) {
  const float nan = NAN;
  (void)state;
  assert_int_equal(one_hot_status(ONR_DTYPE_I64, DIMS(3), 2), ONR_STATUS_OK);
  assert_int_equal(one_hot_status(ONR_DTYPE_I64, DIMS(-3), 2), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(one_hot_status(ONR_DTYPE_F32, &nan, 2), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(one_hot_status(ONR_DTYPE_I64, DIMS(INT64_C(1) << 40), 2), ONR_STATUS_LIMIT);
  assert_int_equal(one_hot_status(ONR_DTYPE_I64, DIMS(3), 3), ONR_STATUS_SHAPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(integer_ranges), cmocka_unit_test(real_ranges),
                                     cmocka_unit_test(range_failures), cmocka_unit_test(eyes),
                                     cmocka_unit_test(one_hots),       cmocka_unit_test(one_hot_failures)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
