/* Maps from and to tensors; what is expected are ONNX Runtime's results for ZipMap and CastMap, onnx.reference's for
 * DictVectorizer. */
#include <string.h>

#include "support/layer_test.h"

#include "layers/layers.h"
#include "onnxrun/sequence.h"

#define S(text) \
  { text, sizeof(text) - 1 }

static void rows_become_maps(void **state) {
  const struct onr_string keys[] = {S("no"), S("yes")};
  const float x[] = {1, 2, 3, 4};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_zip_map, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){2, 2}, x);
  layer_test_constant(&t, ONR_DTYPE_STRING, 1, (int64_t[]){2}, keys);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(onr_sequence_length(&t.out[0]), 2);
  for (int64_t i = 0; i < 2; i++) {
    const struct onr_tensor map = onr_sequence_entry(&t.out[0], i), k = onr_sequence_entry(&map, 0),
                            v = onr_sequence_entry(&map, 1);
    assert_int_equal(map.desc.dtype, ONR_DTYPE_MAP);
    assert_int_equal(onr_sequence_length(&map), 2);
    assert_int_equal(k.desc.dim[0], 2);
    assert_memory_equal(((const struct onr_string *)k.data)[1].text, "yes", 3);
    assert_close(v.data, x + 2 * i, 2, 0, 0);
  }
  layer_test_clear(&t);
  struct layer_test u = {.layer = &onri_layer_zip_map, .num_out = 1};
  layer_test_input(&u, ONR_DTYPE_F32, 2, (int64_t[]){1, 3}, x);
  layer_test_constant(&u, ONR_DTYPE_STRING, 1, (int64_t[]){2}, keys);
  assert_int_equal(layer_test_run(&u), ONR_STATUS_SHAPE);
  layer_test_clear(&u);
}

/* A map of these keys and float32 values, as an input of t. */
static void give_map(struct layer_test *t, enum onr_dtype dtype, const void *keys, const float *values, int64_t count) {
  const struct onr_tensor entries[2] = {{onr_desc_make(dtype, 1, &count), (void *)(uintptr_t)keys},
                                        {onr_desc_make(ONR_DTYPE_F32, 1, &count), (void *)(uintptr_t)values}};
  const struct onr_desc desc = onr_sequence_desc(ONR_DTYPE_MAP, entries, 2);
  _Alignas(64) char block[2048];
  assert_true((size_t)desc.dim[0] <= sizeof(block));
  onr_sequence_write(entries, 2, block);
  layer_test_input(t, ONR_DTYPE_MAP, 1, desc.dim, block);
}

static void check_values(struct onr_map_values_params params, const int64_t *wanted, int64_t num_wanted, int32_t rank,
                         const float *expected, size_t count) {
  const int64_t keys[] = {3, 1, -2};
  const float values[] = {1.5f, 2.5f, -3.75f};
  struct layer_test t = {.layer = &onri_layer_map_values, .params = &params, .num_out = 1};
  give_map(&t, ONR_DTYPE_I64, keys, values, 3);
  if (wanted) layer_test_constant(&t, ONR_DTYPE_I64, 1, &num_wanted, wanted);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(t.out[0].desc.rank, rank);
  assert_int_equal(onr_desc_elements(&t.out[0].desc), count);
  assert_close(t.out[0].data, expected, count, 0, 0);
  layer_test_clear(&t);
}

static void values_of_maps(void **state) {
  (void)state;
  check_values((struct onr_map_values_params){.row = 1}, NULL, 0, 2, (float[]){-3.75f, 2.5f, 1.5f}, 3);
  check_values((struct onr_map_values_params){.row = 1, .by_position = 1, .length = 5}, NULL, 0, 2,
               (float[]){0, 2.5f, 0, 1.5f, 0}, 5);
  check_values((struct onr_map_values_params){.row = 1, .by_position = 1, .length = 2}, NULL, 0, 2, (float[]){0, 2.5f},
               2);
  check_values((struct onr_map_values_params){0}, (int64_t[]){7, -2, 3}, 3, 1, (float[]){0, -3.75f, 1.5f}, 3);
}

static void no_maps(void **state) {
  const struct onr_map_values_params params = {0};
  const struct onr_string keys[] = {S("a")};
  const float one = 1;
  (void)state;
  struct layer_test t = {
      .layer = &onri_layer_map_values, .params = &params, .num_out = 1}; /* strings where numbers are expected */
  give_map(&t, ONR_DTYPE_STRING, keys, &one, 1);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_TYPE);
  layer_test_clear(&t);
  struct layer_test u = {.layer = &onri_layer_map_values, .params = &params, .num_out = 1};
  layer_test_input(&u, ONR_DTYPE_F32, 1, (int64_t[]){1}, &one);
  assert_int_equal(layer_test_run(&u), ONR_STATUS_TYPE);
  layer_test_clear(&u);
  struct layer_test v = {.layer = &onri_layer_map_values, .params = &params, .num_out = 1}; /* a block of nothing */
  layer_test_input(&v, ONR_DTYPE_MAP, 1, (int64_t[]){64}, (char[64]){0});
  assert_int_equal(layer_test_run(&v), ONR_STATUS_TYPE);
  layer_test_clear(&v);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(rows_become_maps), cmocka_unit_test(values_of_maps),
                                     cmocka_unit_test(no_maps)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
