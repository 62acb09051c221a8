/* transpose: every permutation of small shapes, and large ones that reach the tiled kernel, against an index loop. */
#include <stdlib.h>

#include "layers/layers.h"
#include "support/index_loop.h"

static void check(enum onr_dtype dtype, int32_t rank, const int64_t *dims, const int32_t *perm, int refuse) {
  const size_t size = onr_dtype_size(dtype), count = count_of(rank, dims);
  unsigned char *x = malloc(count * size + 1), *expected = malloc(count * size + 1);
  struct onr_transpose_params params = {.rank = rank};
  int64_t out[ONR_MAX_RANK] = {0}, to[ONR_MAX_RANK] = {0}, from[ONR_MAX_RANK];
  fill_distinct(x, count, size);
  for (int32_t d = 0; d < rank; d++) {
    params.perm[d] = perm[d];
    out[d] = dims[perm[d]];
  }
  if (count > 0) do {
      for (int32_t d = 0; d < rank; d++) from[perm[d]] = to[d];
      memcpy(expected + flat_index(to, rank, out) * size, x + flat_index(from, rank, dims) * size, size);
    } while (next_index(to, rank, out));
  struct layer_test t = {.layer = &onri_layer_transpose,
                         .params = &params,
                         .num_out = 1,
                         .threads = refuse ? 3 : 1,
                         .refuse_wishes = refuse};
  layer_test_input(&t, dtype, rank, dims, x);
  run_ok(&t);
  const struct onr_desc desc = onr_desc_make(dtype, rank, out);
  assert_true(onr_desc_equal(&desc, &t.out[0].desc));
  assert_memory_equal(t.out[0].data, expected, count * size);
  layer_test_clear(&t);
  free(x);
  free(expected);
}

/* Calls check with all permutations of perm[fixed..rank). */
static void permute(enum onr_dtype dtype, int32_t rank, const int64_t *dims, int32_t *perm, int32_t fixed) {
  if (fixed == rank) {
    check(dtype, rank, dims, perm, 0);
    check(dtype, rank, dims, perm, 1);
  }
  for (int32_t i = fixed; i < rank; i++) {
    const int32_t a = perm[fixed], b = perm[i];
    perm[fixed] = b;
    perm[i] = a;
    permute(dtype, rank, dims, perm, fixed + 1);
    perm[i] = b;
    perm[fixed] = a;
  }
}

static void all_permutations(void **state) {
  static const int64_t shapes[][5] = {
      {2, 3, 4, 5, 7}, {1, 3, 1, 17, 2}, {3, 1, 1, 1, 5}, {2, 0, 3, 1, 2}, {16, 1, 32, 1, 3}};
  (void)state;
  for (size_t s = 0; s < 5; s++)
    for (int32_t rank = 0; rank <= 5; rank++)
      for (size_t i = 0; i < NUM_SIZED_DTYPES; i++) {
        int32_t perm[5] = {0, 1, 2, 3, 4};
        if (rank == 5 && i != 2) continue;
        permute(sized_dtypes[i], rank, shapes[s], perm, 0);
      }
}

static void tiles_and_edges(void **state) {
  static const int64_t sizes[] = {1, 2, 15, 16, 17, 33, 100};
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (size_t a = 0; a < 7; a++)
      for (size_t b = 0; b < 7; b++) {
        check(sized_dtypes[i], 2, DIMS(sizes[a], sizes[b]), (int32_t[]){1, 0}, 1);
        check(sized_dtypes[i], 3, DIMS(3, sizes[a], sizes[b]), (int32_t[]){0, 2, 1}, 1);
        check(sized_dtypes[i], 3, DIMS(sizes[a], sizes[b], 3), (int32_t[]){1, 0, 2}, 1);
      }
  check(ONR_DTYPE_F32, 2, DIMS(700, 901), (int32_t[]){1, 0}, 1);
  check(ONR_DTYPE_U8, 3, DIMS(7, 70000, 2), (int32_t[]){1, 2, 0}, 1);
  check(ONR_DTYPE_F32, 8, DIMS(2, 3, 2, 1, 3, 2, 4, 2), (int32_t[]){7, 2, 5, 0, 1, 3, 6, 4}, 1);
}

static void reversed_when_empty(void **state) {
  const struct onr_transpose_params params = {0};
  const float x[6] = {0, 1, 2, 3, 4, 5};
  const float expected[6] = {0, 3, 1, 4, 2, 5};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_transpose, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 3, DIMS(2, 1, 3), x);
  run_ok(&t);
  assert_int_equal(t.out[0].desc.dim[0], 3);
  assert_int_equal(t.out[0].desc.dim[2], 2);
  assert_memory_equal(t.out[0].data, expected, sizeof(expected));
  layer_test_clear(&t);
}

static void moves_of_ones_are_views(void **state) {
  const struct onr_transpose_params params = {.rank = 4, .perm = {2, 0, 1, 3}};
  const float x[12] = {0};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_transpose, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 4, DIMS(3, 4, 1, 1), x);
  run_ok(&t);
  assert_int_equal(t.view[0].of, 0);
  assert_int_equal(t.view[0].offset, 0);
  layer_test_clear(&t);
}

static void wrong_perms(void **state) {
  static const struct onr_transpose_params wrong[] = {{.rank = 2, .perm = {1, 0}},
                                                      {.rank = 3, .perm = {0, 0, 0}},
                                                      {.rank = 3, .perm = {0, 1, 3}},
                                                      {.rank = 3, .perm = {0, -1, 1}}};
  const float x[6] = {0};
  (void)state;
  for (size_t i = 0; i < 4; i++) {
    struct layer_test t = {.layer = &onri_layer_transpose, .params = &wrong[i], .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 3, DIMS(1, 2, 3), x);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_ATTRIBUTE);
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_permutations), cmocka_unit_test(tiles_and_edges),
                                     cmocka_unit_test(reversed_when_empty), cmocka_unit_test(moves_of_ones_are_views),
                                     cmocka_unit_test(wrong_perms)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
