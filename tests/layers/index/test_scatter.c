/* scatter_elements, scatter_nd, tensor_scatter against loops in the order of the updates; every reduction and type. */
#include <math.h>

#include "base/numbers/convert.h"
#include "layers/layers.h"
#include "support/index_loop.h"

enum { CAPACITY = 512 };
static const enum onr_dtype numbers[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16, ONR_DTYPE_BF16,
                                         ONR_DTYPE_I8,  ONR_DTYPE_U8,  ONR_DTYPE_I16, ONR_DTYPE_U16,
                                         ONR_DTYPE_I32, ONR_DTYPE_U32, ONR_DTYPE_I64, ONR_DTYPE_U64};
enum { NUM_NUMBERS = 12 };

/* Small whole numbers are exact in every type, so that the reference may be double whatever the type. */
static double read_number(enum onr_dtype dtype, const void *data, size_t i) {
  union {
    float f32;
    double f64;
    int64_t i64;
    uint64_t u64;
  } v;
  onri_load(dtype, (const char *)data + i * onr_dtype_size(dtype), 1, &v);
  switch (onri_dtype_class(dtype)) {
    case ONRI_CLASS_F32: return (double)v.f32;
    case ONRI_CLASS_F64: return v.f64;
    case ONRI_CLASS_I64: return (double)v.i64;
    default: return (double)v.u64;
  }
}

static void write_number(enum onr_dtype dtype, void *data, size_t i, double value) {
  union {
    float f32;
    double f64;
    int64_t i64;
  } v;
  const enum onri_class class = onri_dtype_class(dtype);
  if (class == ONRI_CLASS_F32) v.f32 = (float)value;
  else if (class == ONRI_CLASS_F64) v.f64 = value;
  else v.i64 = (int64_t)value;
  onri_store(dtype, &v, 1, (char *)data + i * onr_dtype_size(dtype));
}

static double reduce(enum onr_reduction op, double a, double b) {
  switch (op) {
    case ONR_REDUCTION_ADD: return a + b;
    case ONR_REDUCTION_MUL: return a * b;
    case ONR_REDUCTION_MIN: return fmin(a, b);
    case ONR_REDUCTION_MAX: return fmax(a, b);
    default: return b;
  }
}

/* Updates repeat places at most three times with factors up to 3: results stay below 127. */
static void scatters_elements(void **state) {
  static const int64_t dims[3] = {4, 3, 5};
  (void)state;
  for (size_t i = 0; i < NUM_NUMBERS; i++)
    for (int op = 0; op <= ONR_REDUCTION_MAX; op++)
      for (int32_t axis = -3; axis < 3; axis++) {
        const struct onr_scatter_elements_params params = {axis, (enum onr_reduction)op};
        const int32_t at = axis < 0 ? axis + 3 : axis;
        int64_t shape[3] = {2, 3, 4}, index[3] = {0}, to[3], indices[CAPACITY];
        char x[CAPACITY * 8], updates[CAPACITY * 8];
        double expected[60];
        shape[at] = 3;
        const size_t num = count_of(3, shape);
        for (size_t k = 0; k < 60; k++) write_number(numbers[i], x, k, expected[k] = (double)(k % 4 + 1));
        for (size_t k = 0; k < num; k++) {
          write_number(numbers[i], updates, k, (double)(k * 5 % 3 + 1));
          indices[k] = (int64_t)(k * 7 % (size_t)dims[at]) - (k % 2 ? dims[at] : 0);
        }
        do {
          memcpy(to, index, sizeof(to));
          const size_t from = flat_index(index, 3, shape);
          to[at] = indices[from] < 0 ? indices[from] + dims[at] : indices[from];
          double *y = &expected[flat_index(to, 3, dims)];
          *y = reduce(params.reduction, *y, read_number(numbers[i], updates, from));
        } while (next_index(index, 3, shape));
        struct layer_test t = {
            .layer = &onri_layer_scatter_elements, .params = &params, .num_out = 1, .refuse_wishes = axis & 1};
        layer_test_input(&t, numbers[i], 3, dims, x);
        layer_test_input(&t, ONR_DTYPE_I64, 3, shape, indices);
        layer_test_input(&t, numbers[i], 3, shape, updates);
        run_ok(&t);
        assert_int_equal(t.in_place, 0);
        for (size_t k = 0; k < 60; k++) assert_true(read_number(numbers[i], t.out[0].data, k) == expected[k]);
        layer_test_clear(&t);
      }
}

/* Rows of many elements, which are taken in parts; each place is met at most once. */
static void scatters_long_rows(void **state) {
  enum { ROWS = 3, COLUMNS = 700, TAKEN = 600 };
  static const int64_t dims[2] = {ROWS, COLUMNS}, shape[2] = {2, TAKEN};
  static float x[ROWS * COLUMNS], updates[2 * TAKEN], expected[ROWS * COLUMNS];
  static int64_t indices[2 * TAKEN];
  (void)state;
  for (int64_t axis = 0; axis < 2; axis++)
    for (int op = 0; op <= ONR_REDUCTION_MAX; op++) {
      const struct onr_scatter_elements_params params = {axis, (enum onr_reduction)op};
      for (size_t k = 0; k < ROWS * COLUMNS; k++) x[k] = expected[k] = (float)(k % 11);
      for (size_t k = 0; k < 2 * TAKEN; k++) {
        const size_t row = k / TAKEN, column = k % TAKEN;
        updates[k] = (float)(k % 7) - 2;
        indices[k] = axis == 0 ? (int64_t)((row + column) % ROWS) : (int64_t)(column * 3 % COLUMNS);
        float *y = &expected[axis == 0 ? (size_t)indices[k] * COLUMNS + column : row * COLUMNS + (size_t)indices[k]];
        *y = (float)reduce(params.reduction, (double)*y, (double)updates[k]);
      }
      struct layer_test t = {.layer = &onri_layer_scatter_elements, .params = &params, .num_out = 1};
      layer_test_input(&t, ONR_DTYPE_F32, 2, dims, x);
      layer_test_input(&t, ONR_DTYPE_I64, 2, shape, indices);
      layer_test_input(&t, ONR_DTYPE_F32, 2, shape, updates);
      run_ok(&t);
      assert_memory_equal(t.out[0].data, expected, sizeof(expected));
      layer_test_clear(&t);
    }
}

static void scatters_nd(void **state) {
  static const int64_t dims[3] = {4, 3, 5};
  (void)state;
  for (size_t i = 0; i < NUM_NUMBERS; i++)
    for (int op = 0; op <= ONR_REDUCTION_MAX; op++)
      for (int32_t depth = 1; depth <= 3; depth++) {
        const struct onr_scatter_nd_params params = {(enum onr_reduction)op};
        const size_t block = count_of(3 - depth, dims + depth);
        int64_t index_dims[2] = {6, depth}, update_dims[3] = {6, 0, 0};
        int32_t indices[18];
        char x[CAPACITY * 8], updates[CAPACITY * 8];
        double expected[60];
        for (int32_t d = depth; d < 3; d++) update_dims[1 + d - depth] = dims[d];
        for (size_t k = 0; k < 60; k++) write_number(numbers[i], x, k, expected[k] = (double)(k % 4 + 1));
        for (size_t k = 0; k < 6 * block; k++) write_number(numbers[i], updates, k, (double)(k * 5 % 3 + 1));
        for (int32_t row = 0; row < 6; row++) {
          int64_t to[3] = {0};
          for (int32_t d = 0; d < depth; d++) {
            to[d] = (row * 2 + d) % dims[d];
            indices[row * depth + d] = (int32_t)(row & 1 ? to[d] - dims[d] : to[d]);
          }
          for (size_t k = 0; k < block; k++) {
            double *y = &expected[flat_index(to, 3, dims) + k];
            *y = reduce(params.reduction, *y, read_number(numbers[i], updates, (size_t)row * block + k));
          }
        }
        struct layer_test t = {.layer = &onri_layer_scatter_nd, .params = &params, .num_out = 1};
        layer_test_input(&t, numbers[i], 3, dims, x);
        layer_test_input(&t, ONR_DTYPE_I32, 2, index_dims, indices);
        layer_test_input(&t, numbers[i], 4 - depth, update_dims, updates);
        run_ok(&t);
        for (size_t k = 0; k < 60; k++) assert_true(read_number(numbers[i], t.out[0].data, k) == expected[k]);
        layer_test_clear(&t);
      }
}

static void every_size_without_reduction(void **state) {
  static const struct onr_scatter_nd_params nd = {ONR_REDUCTION_NONE};
  static const struct onr_scatter_elements_params elements = {0, ONR_REDUCTION_NONE};
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++) {
    const size_t size = onr_dtype_size(sized_dtypes[i]);
    unsigned char x[8 * 16], updates[2 * 16];
    fill_distinct(x, 8, size);
    memset(updates, 200, size);
    memset(updates + size, 201, size);
    for (int which = 0; which < 2; which++) {
      struct layer_test t = {.layer = which ? &onri_layer_scatter_nd : &onri_layer_scatter_elements,
                             .params = which ? (const void *)&nd : (const void *)&elements,
                             .num_out = 1};
      layer_test_input(&t, sized_dtypes[i], 1, DIMS(8), x);
      layer_test_input(&t, ONR_DTYPE_I64, which ? 2 : 1, DIMS(2, 1), DIMS(5, -8));
      layer_test_input(&t, sized_dtypes[i], 1, DIMS(2), updates);
      run_ok(&t);
      for (size_t k = 0; k < 8; k++)
        assert_memory_equal((char *)t.out[0].data + k * size,
                            k == 5   ? updates
                            : k == 0 ? updates + size
                                     : x + k * size,
                            size);
      layer_test_clear(&t);
    }
  }
}

static void nan_and_bool(void **state) {
  static const struct onr_scatter_nd_params max = {ONR_REDUCTION_MAX}, add = {ONR_REDUCTION_ADD},
                                            mul = {ONR_REDUCTION_MUL};
  const float x[3] = {1, NAN, 3}, updates[3] = {NAN, 2, 2};
  const uint8_t flags[3] = {1, 0, 1}, other[3] = {1, 1, 0}, either[3] = {1, 1, 1}, both[3] = {1, 0, 0};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_scatter_nd, .params = &max, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 1, DIMS(3), x);
  layer_test_input(&t, ONR_DTYPE_I64, 2, DIMS(3, 1), DIMS(0, 1, 2));
  layer_test_input(&t, ONR_DTYPE_F32, 1, DIMS(3), updates);
  run_ok(&t);
  assert_close(t.out[0].data, (const float[3]){NAN, NAN, 3}, 3, 0, 0);
  layer_test_clear(&t);
  for (int which = 0; which < 2; which++) {
    struct layer_test b = {.layer = &onri_layer_scatter_nd, .params = which ? &mul : &add, .num_out = 1};
    layer_test_input(&b, ONR_DTYPE_BOOL, 1, DIMS(3), flags);
    layer_test_input(&b, ONR_DTYPE_I64, 2, DIMS(3, 1), DIMS(0, 1, 2));
    layer_test_input(&b, ONR_DTYPE_BOOL, 1, DIMS(3), other);
    run_ok(&b);
    assert_memory_equal(b.out[0].data, which ? both : either, 3);
    layer_test_clear(&b);
  }
}

static void writes_into_caches(void **state) {
  static const int64_t cache[4] = {2, 3, 5, 4}, first[2] = {1, 3};
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (int32_t axis = 1; axis < 4; axis++)
      for (int mode = 0; mode < 3; mode++) { /* linear at 0; linear; circular */
        const struct onr_tensor_scatter_params params = {mode == 1 ? axis - 4 : axis, mode == 2};
        const size_t size = onr_dtype_size(sized_dtypes[i]);
        int64_t update[4] = {2, 3, 5, 4}, index[4] = {0}, to[4], starts[2] = {first[0], first[1]};
        unsigned char x[120 * 16], u[120 * 16], expected[120 * 16];
        update[axis] = mode == 2 ? cache[axis] - 1 : 2;
        if (mode == 1) starts[1] = cache[axis] - 2;
        fill_distinct(x, 120, size);
        fill_distinct(u, count_of(4, update), size);
        for (size_t k = 0; k < count_of(4, update) * size; k++) u[k] ^= 0x5a;
        memcpy(expected, x, 120 * size);
        do {
          memcpy(to, index, sizeof(to));
          to[axis] = (index[axis] + (mode ? starts[index[0]] : 0)) % cache[axis];
          memcpy(expected + flat_index(to, 4, cache) * size, u + flat_index(index, 4, update) * size, size);
        } while (next_index(index, 4, update));
        struct layer_test t = {.layer = &onri_layer_tensor_scatter, .params = &params, .num_out = 1};
        layer_test_input(&t, sized_dtypes[i], 4, cache, x);
        layer_test_input(&t, sized_dtypes[i], 4, update, u);
        if (mode) layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(2), starts);
        run_ok(&t);
        assert_memory_equal(t.out[0].data, expected, 120 * size);
        layer_test_clear(&t);
      }
}

/* A cache of 3 that shall have 6 positions at least: what was there, the update, and zeros between and behind. */
static void a_short_cache_is_made_longer(void **state) {
  const struct onr_tensor_scatter_params params = {.axis = 1};
  static const float x[] = {1, 2, 3, 4, 5, 6}, update[] = {7, 8, 9, 10};
  static const int64_t first[] = {2, 3};
  static const float longer[] = {1, 2, 7, 8, 0, 0, 4, 5, 6, 9, 10, 0}, same[] = {1, 7, 8, 9, 10, 6};
  (void)state;
  for (int64_t least = -1; least <= 6; least += 7) {
    const int64_t early[] = {1, 0}, length = least < 3 ? 3 : least;
    struct layer_test t = {.layer = &onri_layer_tensor_scatter, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 2, DIMS(2, 3), x);
    layer_test_input(&t, ONR_DTYPE_F32, 2, DIMS(2, 2), update);
    layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(2), least < 3 ? early : first);
    layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(1), &least);
    run_ok(&t);
    assert_int_equal(t.out[0].desc.dim[1], length);
    assert_memory_equal(t.out[0].data, least < 3 ? same : longer, sizeof(float) * 2 * (size_t)length);
    layer_test_clear(&t);
  }
}

static enum onr_status status_of(const struct onr_layer *layer, const void *params, int32_t rank, const int64_t *dims,
                                 int32_t index_rank, const int64_t *index_dims, int64_t index, int32_t update_rank,
                                 const int64_t *update_dims) {
  const float x[64] = {0};
  const int64_t indices[8] = {index, 0, 0, 0, 0, 0, 0, 0};
  struct layer_test t = {.layer = layer, .params = params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, rank, dims, x);
  layer_test_input(&t, ONR_DTYPE_I64, index_rank, index_dims, indices);
  layer_test_input(&t, ONR_DTYPE_F32, update_rank, update_dims, x);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static enum onr_status cache_status(int64_t axis, int circular, int64_t length, int64_t first) {
  const struct onr_tensor_scatter_params params = {axis, circular};
  const float x[64] = {0};
  struct layer_test t = {.layer = &onri_layer_tensor_scatter, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 2, DIMS(1, 5), x);
  layer_test_input(&t, ONR_DTYPE_F32, 2, DIMS(1, length), x);
  layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(1), &first);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void wrong_arguments(void **state) {
  static const struct onr_scatter_elements_params e = {0, ONR_REDUCTION_NONE}, axis = {2, ONR_REDUCTION_NONE};
  static const struct onr_scatter_nd_params n = {ONR_REDUCTION_NONE};
  const struct onr_layer *el = &onri_layer_scatter_elements, *nd = &onri_layer_scatter_nd;
  (void)state;
  assert_int_equal(status_of(el, &e, 2, DIMS(4, 2), 2, DIMS(1, 2), -4, 2, DIMS(1, 2)), ONR_STATUS_OK);
  assert_int_equal(status_of(el, &e, 2, DIMS(4, 2), 2, DIMS(1, 2), -9, 2, DIMS(1, 2)), ONR_STATUS_INDEX);
  assert_int_equal(status_of(el, &e, 2, DIMS(4, 2), 2, DIMS(1, 2), 4, 2, DIMS(1, 2)), ONR_STATUS_INDEX);
  assert_int_equal(status_of(el, &axis, 2, DIMS(4, 2), 2, DIMS(1, 2), 0, 2, DIMS(1, 2)), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(el, &e, 2, DIMS(4, 2), 2, DIMS(1, 2), 0, 2, DIMS(2, 1)), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(el, &e, 2, DIMS(4, 2), 2, DIMS(1, 3), 0, 2, DIMS(1, 3)), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(nd, &n, 2, DIMS(4, 2), 2, DIMS(1, 1), 1000000000, 2, DIMS(1, 2)), ONR_STATUS_INDEX);
  assert_int_equal(status_of(nd, &n, 2, DIMS(4, 2), 2, DIMS(1, 1), -5, 2, DIMS(1, 2)), ONR_STATUS_INDEX);
  assert_int_equal(status_of(nd, &n, 2, DIMS(4, 2), 2, DIMS(1, 3), 0, 1, DIMS(1)), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(nd, &n, 2, DIMS(4, 2), 2, DIMS(1, 1), 0, 2, DIMS(1, 3)), ONR_STATUS_SHAPE);
  assert_int_equal(cache_status(1, 0, 2, 3), ONR_STATUS_OK);
  assert_int_equal(cache_status(1, 0, 2, 4), ONR_STATUS_INDEX);
  assert_int_equal(cache_status(1, 0, 2, -1), ONR_STATUS_INDEX);
  assert_int_equal(cache_status(1, 1, 2, 4), ONR_STATUS_OK);
  assert_int_equal(cache_status(1, 1, 6, 0), ONR_STATUS_SHAPE);
  assert_int_equal(cache_status(0, 0, 5, 0), ONR_STATUS_ATTRIBUTE);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(scatters_elements),
                                     cmocka_unit_test(scatters_long_rows),
                                     cmocka_unit_test(scatters_nd),
                                     cmocka_unit_test(every_size_without_reduction),
                                     cmocka_unit_test(nan_and_bool),
                                     cmocka_unit_test(writes_into_caches),
                                     cmocka_unit_test(a_short_cache_is_made_longer),
                                     cmocka_unit_test(wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
