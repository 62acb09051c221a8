/* reshape, flatten, squeeze, unsqueeze, identity, bit_cast, shape and size. */
#include "layers/layers.h"
#include "support/index_loop.h"

struct expectation {
  enum onr_status status;
  int32_t rank;
  int64_t dim[ONR_MAX_RANK];
};

/* Runs a layer with a list as input 1 (NULL: without), granted and refused a view: the elements must stay as they are.
 */
static void check(const struct onr_layer *layer, const void *params, int32_t rank, const int64_t *dims,
                  const int64_t *list, int64_t num, struct expectation e) {
  unsigned char x[16 * 512];
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (int refuse = 0; refuse < 2; refuse++) {
      const enum onr_dtype dtype = sized_dtypes[i];
      const size_t count = count_of(rank, dims);
      struct layer_test t = {.layer = layer, .params = params, .num_out = 1, .refuse_wishes = refuse};
      fill_distinct(x, count, onr_dtype_size(dtype));
      layer_test_input(&t, dtype, rank, dims, x);
      if (list) layer_test_input(&t, ONR_DTYPE_I64, 1, &num, list);
      assert_int_equal(layer_test_run(&t), e.status);
      if (e.status == ONR_STATUS_OK) {
        const struct onr_desc desc = onr_desc_make(dtype, e.rank, e.dim);
        assert_true(onr_desc_equal(&desc, &t.out[0].desc));
        assert_int_equal(t.view[0].of, 0);
        assert_memory_equal(t.out[0].data, x, onr_desc_bytes(&desc));
      } else {
        assert_true(t.error.message[0] != '\0');
      }
      layer_test_clear(&t);
    }
}

static void reshapes(void **state) {
  static const struct onr_reshape_params copy = {0}, allow = {.allow_zero = 1};
  const struct onr_layer *l = &onri_layer_reshape;
  const struct expectation shape = {ONR_STATUS_SHAPE, 0, {0}};
  (void)state;
  check(l, &copy, 3, DIMS(2, 3, 4), DIMS(4, 6), 2, (struct expectation){ONR_STATUS_OK, 2, {4, 6}});
  check(l, &copy, 3, DIMS(2, 3, 4), DIMS(-1), 1, (struct expectation){ONR_STATUS_OK, 1, {24}});
  check(l, &copy, 3, DIMS(2, 3, 4), DIMS(0, -1), 2, (struct expectation){ONR_STATUS_OK, 2, {2, 12}});
  check(l, &copy, 3, DIMS(2, 3, 4), DIMS(1, 1, 2, 1, 3, 1, -1, 1), 8,
        (struct expectation){ONR_STATUS_OK, 8, {1, 1, 2, 1, 3, 1, 4, 1}});
  check(l, &copy, 1, DIMS(1), DIMS(0), 0, (struct expectation){ONR_STATUS_OK, 0, {0}});
  check(l, &copy, 0, NULL, DIMS(1, 1), 2, (struct expectation){ONR_STATUS_OK, 2, {1, 1}});
  check(l, &copy, 3, DIMS(0, 3, 4), DIMS(3, 4, 0), 3, shape);
  check(l, &allow, 3, DIMS(0, 3, 4), DIMS(3, 4, 0), 3, (struct expectation){ONR_STATUS_OK, 3, {3, 4, 0}});
  check(l, &copy, 2, DIMS(0, 3), DIMS(0, 3), 2, (struct expectation){ONR_STATUS_OK, 2, {0, 3}});
  check(l, &copy, 2, DIMS(0, 3), DIMS(-1, 3), 2, (struct expectation){ONR_STATUS_OK, 2, {0, 3}});
  check(l, &allow, 2, DIMS(0, 3), DIMS(0, -1), 2, shape);
  check(l, &copy, 1, DIMS(4), DIMS(-1, -1), 2, shape);
  check(l, &copy, 1, DIMS(4), DIMS(3), 1, shape);
  check(l, &copy, 1, DIMS(4), DIMS(-1, 3), 2, shape);
  check(l, &copy, 1, DIMS(4), DIMS(-2), 1, shape);
  check(l, &copy, 1, DIMS(4), DIMS((INT64_C(1) << 62) + 1, 4), 2, shape);
  check(l, &copy, 1, DIMS(4), DIMS(4, 0), 2, shape);
  check(l, &copy, 1, DIMS(1), DIMS(1, 1, 1, 1, 1, 1, 1, 1, 1), 9, (struct expectation){ONR_STATUS_LIMIT, 0, {0}});
}

static void flattens(void **state) {
  static const int64_t dims[4] = {2, 3, 4, 5};
  (void)state;
  for (int32_t axis = -4; axis <= 4; axis++) {
    const struct onr_flatten_params params = {axis};
    const int32_t at = axis < 0 ? axis + 4 : axis;
    check(&onri_layer_flatten, &params, 4, dims, NULL, 0,
          (struct expectation){ONR_STATUS_OK, 2, {(int64_t)count_of(at, dims), (int64_t)count_of(4 - at, dims + at)}});
  }
  for (int32_t axis = -5; axis <= 5; axis += 10)
    check(&onri_layer_flatten, &(struct onr_flatten_params){axis}, 4, dims, NULL, 0,
          (struct expectation){ONR_STATUS_ATTRIBUTE, 0, {0}});
  check(&onri_layer_flatten, &(struct onr_flatten_params){0}, 0, NULL, NULL, 0,
        (struct expectation){ONR_STATUS_OK, 2, {1, 1}});
  check(&onri_layer_flatten, &(struct onr_flatten_params){1}, 2, DIMS(3, 0), NULL, 0,
        (struct expectation){ONR_STATUS_OK, 2, {3, 0}});
}

static void flattens_some(void **state) {
  const struct onr_layer *l = &onri_layer_flatten_dims;
  (void)state;
  check(l, &(struct onr_flatten_dims_params){1, -1}, 4, DIMS(2, 3, 4, 5), NULL, 0,
        (struct expectation){ONR_STATUS_OK, 2, {2, 60}});
  check(l, &(struct onr_flatten_dims_params){1, 2}, 4, DIMS(2, 3, 4, 5), NULL, 0,
        (struct expectation){ONR_STATUS_OK, 3, {2, 12, 5}});
  check(l, &(struct onr_flatten_dims_params){-3, 1}, 4, DIMS(2, 0, 4, 5), NULL, 0,
        (struct expectation){ONR_STATUS_OK, 4, {2, 0, 4, 5}});
  check(l, &(struct onr_flatten_dims_params){0, -1}, 0, NULL, NULL, 0, (struct expectation){ONR_STATUS_OK, 1, {1}});
  check(l, &(struct onr_flatten_dims_params){2, 1}, 3, DIMS(2, 3, 4), NULL, 0,
        (struct expectation){ONR_STATUS_ATTRIBUTE, 0, {0}});
  check(l, &(struct onr_flatten_dims_params){0, 3}, 3, DIMS(2, 3, 4), NULL, 0,
        (struct expectation){ONR_STATUS_ATTRIBUTE, 0, {0}});
}

static void unflattens(void **state) {
  const struct onr_layer *l = &onri_layer_unflatten;
  const struct onr_unflatten_params three = {1, 3, {1, -1, 2}}, last = {-1, 1, {4}}, twice = {0, 2, {-1, -1}},
                                    many = {0, 8, {6, 1, 1, 1, 1, 1, 1, 1}}, none = {0, 0, {0}}, beyond = {2, 1, {4}},
                                    empty = {0, 2, {0, 3}}, other = {0, 2, {2, 2}};
  (void)state;
  check(l, &three, 2, DIMS(6, 4), NULL, 0, (struct expectation){ONR_STATUS_OK, 4, {6, 1, 2, 2}});
  check(l, &last, 2, DIMS(6, 4), NULL, 0, (struct expectation){ONR_STATUS_OK, 2, {6, 4}});
  check(l, &empty, 2, DIMS(0, 4), NULL, 0, (struct expectation){ONR_STATUS_OK, 3, {0, 3, 4}});
  check(l, &many, 1, DIMS(6), NULL, 0, (struct expectation){ONR_STATUS_OK, 8, {6, 1, 1, 1, 1, 1, 1, 1}});
  check(l, &many, 2, DIMS(6, 4), NULL, 0, (struct expectation){ONR_STATUS_ATTRIBUTE, 0, {0}});
  check(l, &twice, 2, DIMS(6, 4), NULL, 0, (struct expectation){ONR_STATUS_ATTRIBUTE, 0, {0}});
  check(l, &none, 2, DIMS(6, 4), NULL, 0, (struct expectation){ONR_STATUS_ATTRIBUTE, 0, {0}});
  check(l, &beyond, 2, DIMS(6, 4), NULL, 0, (struct expectation){ONR_STATUS_ATTRIBUTE, 0, {0}});
  check(l, &other, 2, DIMS(6, 4), NULL, 0, (struct expectation){ONR_STATUS_SHAPE, 0, {0}});
}

static void squeezes(void **state) {
  const struct onr_layer *l = &onri_layer_squeeze, *u = &onri_layer_unsqueeze;
  (void)state;
  check(l, NULL, 4, DIMS(1, 3, 1, 5), NULL, 0, (struct expectation){ONR_STATUS_OK, 2, {3, 5}});
  check(l, NULL, 4, DIMS(1, 3, 1, 5), DIMS(-2), 1, (struct expectation){ONR_STATUS_OK, 3, {1, 3, 5}});
  check(l, NULL, 4, DIMS(1, 3, 1, 5), DIMS(2, 0), 2, (struct expectation){ONR_STATUS_OK, 2, {3, 5}});
  check(l, NULL, 2, DIMS(1, 1), NULL, 0, (struct expectation){ONR_STATUS_OK, 0, {0}});
  check(l, NULL, 2, DIMS(1, 0), NULL, 0, (struct expectation){ONR_STATUS_OK, 1, {0}});
  check(l, NULL, 2, DIMS(1, 4), DIMS(1), 1, (struct expectation){ONR_STATUS_SHAPE, 0, {0}});
  check(l, NULL, 2, DIMS(1, 4), DIMS(2), 1, (struct expectation){ONR_STATUS_ATTRIBUTE, 0, {0}});
  check(u, NULL, 2, DIMS(3, 5), DIMS(0, -1), 2, (struct expectation){ONR_STATUS_OK, 4, {1, 3, 5, 1}});
  check(u, NULL, 2, DIMS(3, 5), DIMS(3, 1), 2, (struct expectation){ONR_STATUS_OK, 4, {3, 1, 5, 1}});
  check(u, NULL, 0, NULL, DIMS(0), 1, (struct expectation){ONR_STATUS_OK, 1, {1}});
  check(u, NULL, 2, DIMS(3, 5), DIMS(0, 0), 2, (struct expectation){ONR_STATUS_ATTRIBUTE, 0, {0}});
  check(u, NULL, 2, DIMS(3, 5), DIMS(3), 1, (struct expectation){ONR_STATUS_ATTRIBUTE, 0, {0}});
  check(u, NULL, 2, DIMS(3, 5), DIMS(0, 1, 2, 3, 4, 5, 6), 7, (struct expectation){ONR_STATUS_LIMIT, 0, {0}});
  check(u, NULL, 1, DIMS(1), DIMS(0, 1, 2, 3, 4, 5, 6, 7, 8), 9, (struct expectation){ONR_STATUS_LIMIT, 0, {0}});
  check(&onri_layer_identity, NULL, 3, DIMS(3, 1, 7), NULL, 0, (struct expectation){ONR_STATUS_OK, 3, {3, 1, 7}});
}

static void bits_of(enum onr_dtype from, enum onr_dtype to, const void *x, const void *expected,
                    enum onr_status status) {
  const struct onr_bit_cast_params params = {to};
  for (int refuse = 0; refuse < 2; refuse++) {
    struct layer_test t = {.layer = &onri_layer_bit_cast, .params = &params, .num_out = 1, .refuse_wishes = refuse};
    layer_test_input(&t, from, 1, DIMS(3), x);
    assert_int_equal(layer_test_run(&t), status);
    if (status == ONR_STATUS_OK) {
      assert_int_equal(t.out[0].desc.dtype, to);
      assert_memory_equal(t.out[0].data, expected, 3 * onr_dtype_size(to));
    }
    layer_test_clear(&t);
  }
}

static void bit_casts(void **state) {
  const float one[3] = {1.0f, -0.0f, 2.0f};
  const uint32_t bits[3] = {0x3f800000u, 0x80000000u, 0x40000000u};
  const uint8_t nibbles[3] = {0, 7, 15}, crumbs[3] = {1, 2, 3}, bytes[3] = {0, 1, 200}, flags[3] = {0, 1, 1};
  const int8_t signed_nibbles[3] = {0, 7, -1}, signed_crumbs[3] = {1, -2, -1};
  (void)state;
  bits_of(ONR_DTYPE_F32, ONR_DTYPE_U32, one, bits, ONR_STATUS_OK);
  bits_of(ONR_DTYPE_I32, ONR_DTYPE_F32, bits, one, ONR_STATUS_OK);
  bits_of(ONR_DTYPE_U4, ONR_DTYPE_I4, nibbles, signed_nibbles, ONR_STATUS_OK);
  bits_of(ONR_DTYPE_I4, ONR_DTYPE_U4, signed_nibbles, nibbles, ONR_STATUS_OK);
  bits_of(ONR_DTYPE_U2, ONR_DTYPE_I2, crumbs, signed_crumbs, ONR_STATUS_OK);
  bits_of(ONR_DTYPE_I4, ONR_DTYPE_F4E2M1, signed_nibbles, nibbles, ONR_STATUS_OK);
  bits_of(ONR_DTYPE_U8, ONR_DTYPE_BOOL, bytes, flags, ONR_STATUS_OK);
  bits_of(ONR_DTYPE_F32, ONR_DTYPE_U16, one, NULL, ONR_STATUS_TYPE);
  bits_of(ONR_DTYPE_U8, ONR_DTYPE_U4, bytes, NULL, ONR_STATUS_TYPE);
  bits_of(ONR_DTYPE_C128, ONR_DTYPE_STRING, (const char[48]){0}, NULL, ONR_STATUS_TYPE);
}

static void batches(void **state) {
  static const struct onr_batch_params p = {.rank = 3};
  const struct onr_layer *l = &onri_layer_batch;
  const struct expectation wrong = {ONR_STATUS_SHAPE, 0, {0}};
  (void)state;
  check(l, &p, 3, DIMS(2, 3, 4), NULL, 0, (struct expectation){ONR_STATUS_OK, 3, {2, 3, 4}});
  check(l, &p, 2, DIMS(3, 4), NULL, 0, (struct expectation){ONR_STATUS_OK, 3, {1, 3, 4}});
  check(l, &(struct onr_batch_params){3, 1}, 2, DIMS(3, 4), NULL, 0, (struct expectation){ONR_STATUS_OK, 3, {3, 1, 4}});
  check(l, &(struct onr_batch_params){3, 2}, 2, DIMS(3, 4), NULL, 0, (struct expectation){ONR_STATUS_OK, 3, {3, 4, 1}});
  check(l, &(struct onr_batch_params){3, 3}, 2, DIMS(3, 4), NULL, 0,
        (struct expectation){ONR_STATUS_ATTRIBUTE, 0, {0}});
  check(l, &p, 1, DIMS(4), NULL, 0, wrong);
  check(l, &p, 4, DIMS(1, 2, 3, 4), NULL, 0, wrong);
}

static void unbatch(const int64_t *y, int32_t axis, int32_t x_rank, struct expectation e) {
  const struct onr_batch_params p = {.rank = 3, .axis = axis};
  static const float data[24] = {1, 2, 3};
  struct layer_test t = {.layer = &onri_layer_unbatch, .params = &p, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 3, y, data);
  layer_test_input(&t, ONR_DTYPE_F32, x_rank, DIMS(1, 1, 1, 1), data);
  assert_int_equal(layer_test_run(&t), e.status);
  if (e.status == ONR_STATUS_OK) {
    const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, e.rank, e.dim);
    assert_true(onr_desc_equal(&desc, &t.out[0].desc));
    assert_memory_equal(t.out[0].data, data, onr_desc_bytes(&desc));
  }
  layer_test_clear(&t);
}

static void unbatches(void **state) {
  (void)state;
  unbatch(DIMS(2, 3, 4), 0, 3, (struct expectation){ONR_STATUS_OK, 3, {2, 3, 4}});
  unbatch(DIMS(1, 3, 4), 0, 2, (struct expectation){ONR_STATUS_OK, 2, {3, 4}});
  unbatch(DIMS(3, 1, 4), 1, 2, (struct expectation){ONR_STATUS_OK, 2, {3, 4}});
  unbatch(DIMS(1, 3, 4), 1, 2, (struct expectation){ONR_STATUS_SHAPE, 0, {0}});
  unbatch(DIMS(2, 3, 4), 0, 2, (struct expectation){ONR_STATUS_SHAPE, 0, {0}});
  unbatch(DIMS(2, 3, 4), 0, 4, (struct expectation){ONR_STATUS_SHAPE, 0, {0}});
}

static void shapes(void **state) {
  static const int64_t bounds[] = {INT64_MIN, -4, -3, -1, 0, 1, 2, 3, 4, INT64_MAX}, dims[3] = {2, 0, 7};
  (void)state;
  for (size_t a = 0; a < 10; a++)
    for (size_t b = 0; b < 10; b++) {
      const struct onr_shape_params params = {bounds[a], bounds[b]};
      int64_t start = bounds[a] < -3 ? 0 : bounds[a] < 0 ? bounds[a] + 3 : bounds[a] > 3 ? 3 : bounds[a];
      int64_t end = bounds[b] < -3 ? 0 : bounds[b] < 0 ? bounds[b] + 3 : bounds[b] > 3 ? 3 : bounds[b];
      struct layer_test t = {.layer = &onri_layer_shape, .params = &params, .num_out = 1};
      layer_test_input(&t, ONR_DTYPE_F32, 3, dims, "");
      run_ok(&t);
      assert_int_equal(t.out[0].desc.dtype, ONR_DTYPE_I64);
      assert_int_equal(t.out[0].desc.rank, 1);
      assert_int_equal(t.out[0].desc.dim[0], end > start ? end - start : 0);
      if (end > start) assert_memory_equal(t.out[0].data, dims + start, (size_t)(end - start) * sizeof(int64_t));
      layer_test_clear(&t);
    }
  struct layer_test t = {.layer = &onri_layer_size, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_U8, 2, DIMS(2, 3), "abcdef");
  run_ok(&t);
  assert_int_equal(t.out[0].desc.rank, 0);
  assert_int_equal(*(int64_t *)t.out[0].data, 6);
  layer_test_clear(&t);
}

/* The bytes of a sequence are not elements that a layer may move. */
static void sequences_are_no_tensors(void **state) {
  static const struct onr_concat_params params = {0};
  static const struct onr_layer *const layers[] = {&onri_layer_reshape, &onri_layer_squeeze, &onri_layer_transpose,
                                                   &onri_layer_concat,  &onri_layer_tile,    &onri_layer_gather,
                                                   &onri_layer_split,   &onri_layer_shape};
  (void)state;
  for (size_t i = 0; i < 8; i++)
    for (int optional = 0; optional < 2; optional++) {
      struct layer_test t = {.layer = layers[i], .params = &params, .num_out = 1};
      struct onr_transpose_params reverse = {0};
      if (layers[i] == &onri_layer_transpose) t.params = &reverse;
      layer_test_input(&t, optional ? ONR_DTYPE_OPTIONAL : ONR_DTYPE_SEQUENCE, 1, DIMS(16), (const char[16]){0});
      if (layers[i]->inputs_min > 1) layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(1), DIMS(1));
      assert_int_equal(layer_test_run(&t), ONR_STATUS_TYPE);
      layer_test_clear(&t);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(reshapes),      cmocka_unit_test(flattens),
                                     cmocka_unit_test(flattens_some), cmocka_unit_test(unflattens),
                                     cmocka_unit_test(squeezes),      cmocka_unit_test(bit_casts),
                                     cmocka_unit_test(shapes),        cmocka_unit_test(batches),
                                     cmocka_unit_test(unbatches),     cmocka_unit_test(sequences_are_no_tensors)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
