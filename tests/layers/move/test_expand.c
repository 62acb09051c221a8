/* expand, tile, constant_of_shape against index loops. */
#include <stdlib.h>

#include "layers/layers.h"
#include "support/index_loop.h"

/* y[index] = x[index modulo x's dims], aligned at the last dimension: true of broadcasting and of tiling. */
static void check(const struct onr_layer *layer, enum onr_dtype dtype, int32_t rank, const int64_t *dims,
                  const int64_t *list, int64_t num, int32_t out_rank, const int64_t *out, int refuse) {
  const size_t size = onr_dtype_size(dtype), count = count_of(rank, dims);
  unsigned char *x = malloc(count * size + 1);
  int64_t to[ONR_MAX_RANK] = {0}, from[ONR_MAX_RANK];
  fill_distinct(x, count, size);
  struct layer_test t = {.layer = layer, .num_out = 1, .threads = refuse ? 3 : 1, .refuse_wishes = refuse};
  layer_test_input(&t, dtype, rank, dims, x);
  layer_test_input(&t, ONR_DTYPE_I64, 1, &num, list);
  run_ok(&t);
  const struct onr_desc desc = onr_desc_make(dtype, out_rank, out);
  assert_true(onr_desc_equal(&desc, &t.out[0].desc));
  if (count_of(out_rank, out) > 0) do {
      for (int32_t d = 0; d < rank; d++) from[d] = to[d + out_rank - rank] % dims[d];
      assert_memory_equal((char *)t.out[0].data + flat_index(to, out_rank, out) * size,
                          x + flat_index(from, rank, dims) * size, size);
    } while (next_index(to, out_rank, out));
  layer_test_clear(&t);
  free(x);
}

static void expands(void **state) {
  const struct onr_layer *l = &onri_layer_expand;
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (int refuse = 0; refuse < 2; refuse++) {
      const enum onr_dtype t = sized_dtypes[i];
      check(l, t, 3, DIMS(3, 1, 5), DIMS(2, 3, 4, 1), 4, 4, DIMS(2, 3, 4, 5), refuse);
      check(l, t, 3, DIMS(3, 1, 5), DIMS(1), 1, 3, DIMS(3, 1, 5), refuse);
      check(l, t, 0, NULL, DIMS(7, 3), 2, 2, DIMS(7, 3), refuse);
      check(l, t, 0, NULL, DIMS(0), 0, 0, NULL, refuse);
      check(l, t, 2, DIMS(4, 1), DIMS(4, 300), 2, 2, DIMS(4, 300), refuse);
      check(l, t, 2, DIMS(1, 300), DIMS(70, 1), 2, 2, DIMS(70, 300), refuse);
      check(l, t, 4, DIMS(2, 1, 3, 1), DIMS(1, 5, 1, 7), 4, 4, DIMS(2, 5, 3, 7), refuse);
      check(l, t, 8, DIMS(1, 2, 1, 2, 1, 2, 1, 2), DIMS(2, 1, 2, 1, 2, 1, 2, 1), 8, 8, DIMS(2, 2, 2, 2, 2, 2, 2, 2),
            refuse);
      check(l, t, 2, DIMS(1, 3), DIMS(0, 3), 2, 2, DIMS(0, 3), refuse);
    }
  check(l, ONR_DTYPE_F32, 1, DIMS(1), DIMS(100000), 1, 1, DIMS(100000), 1);
}

static void tiles(void **state) {
  const struct onr_layer *l = &onri_layer_tile;
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (int refuse = 0; refuse < 2; refuse++) {
      const enum onr_dtype t = sized_dtypes[i];
      check(l, t, 3, DIMS(3, 1, 5), DIMS(2, 3, 4), 3, 3, DIMS(6, 3, 20), refuse);
      check(l, t, 2, DIMS(3, 4), DIMS(1, 1), 2, 2, DIMS(3, 4), refuse);
      check(l, t, 1, DIMS(1), DIMS(500), 1, 1, DIMS(500), refuse);
      check(l, t, 1, DIMS(7), DIMS(33), 1, 1, DIMS(231), refuse);
      check(l, t, 2, DIMS(3, 4), DIMS(2, 0), 2, 2, DIMS(6, 0), refuse);
      check(l, t, 2, DIMS(0, 4), DIMS(2, 3), 2, 2, DIMS(0, 12), refuse);
      check(l, t, 0, NULL, DIMS(0), 0, 0, NULL, refuse);
      check(l, t, 8, DIMS(1, 2, 1, 2, 1, 3, 1, 2), DIMS(2, 1, 2, 2, 1, 1, 3, 2), 8, 8, DIMS(2, 2, 2, 4, 1, 3, 3, 4),
            refuse);
    }
  check(l, ONR_DTYPE_F32, 2, DIMS(300, 40), DIMS(3, 2), 2, 2, DIMS(900, 80), 1);
}

static void constants(void **state) {
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++) {
    struct onr_constant_of_shape_params params = {.dtype = sized_dtypes[i]};
    const size_t size = onr_dtype_size(params.dtype);
    fill_distinct(params.value, 1, size);
    params.value[0] = 77;
    struct layer_test t = {.layer = &onri_layer_constant_of_shape, .params = &params, .num_out = 1, .threads = 2};
    layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(2), DIMS(31, 300));
    run_ok(&t);
    assert_int_equal(t.out[0].desc.dim[1], 300);
    for (size_t k = 0; k < 9300; k++) assert_memory_equal((char *)t.out[0].data + k * size, params.value, size);
    layer_test_clear(&t);
  }
}

static enum onr_status status_of(const struct onr_layer *layer, const int64_t *list, int64_t num) {
  static const struct onr_constant_of_shape_params params = {.dtype = ONR_DTYPE_F32};
  const float x[4] = {0};
  struct layer_test t = {.layer = layer, .params = &params, .num_out = 1};
  if (layer != &onri_layer_constant_of_shape) layer_test_input(&t, ONR_DTYPE_F32, 1, DIMS(4), x);
  layer_test_input(&t, ONR_DTYPE_I64, 1, &num, list);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void wrong_arguments(void **state) {
  (void)state;
  assert_int_equal(status_of(&onri_layer_expand, DIMS(3), 1), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(&onri_layer_expand, DIMS(-1), 1), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(&onri_layer_expand, DIMS(INT64_C(1) << 40, 4), 2), ONR_STATUS_LIMIT);
  assert_int_equal(status_of(&onri_layer_tile, DIMS(INT64_C(1) << 40), 1), ONR_STATUS_LIMIT);
  assert_int_equal(status_of(&onri_layer_tile, DIMS(INT64_C(1) << 62), 1), ONR_STATUS_LIMIT);
  assert_int_equal(status_of(&onri_layer_tile, DIMS(-1), 1), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(&onri_layer_tile, DIMS(1, 1), 2), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(&onri_layer_constant_of_shape, DIMS(1 << 20, 1 << 20), 2), ONR_STATUS_LIMIT);
  assert_int_equal(status_of(&onri_layer_constant_of_shape, DIMS(-1), 1), ONR_STATUS_SHAPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(expands), cmocka_unit_test(tiles), cmocka_unit_test(constants),
                                     cmocka_unit_test(wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
