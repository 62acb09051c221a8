/* concat and split: each the reverse of the other, checked element by element. */
#include <stdlib.h>

#include "layers/layers.h"
#include "support/index_loop.h"

enum { PARTS = 3 };

/* Splits a tensor of `dims` along axis into lengths[], and joins the parts again. */
static void check(enum onr_dtype dtype, int32_t rank, const int64_t *dims, int32_t axis, const int64_t lengths[PARTS],
                  int negative, int refuse) {
  const size_t size = onr_dtype_size(dtype), count = count_of(rank, dims);
  const struct onr_split_params split = {.axis = negative ? axis - rank : axis};
  const struct onr_concat_params concat = {.axis = split.axis};
  unsigned char *x = malloc(count * size + 1);
  int64_t part[ONR_MAX_RANK], from[ONR_MAX_RANK], offset = 0;
  fill_distinct(x, count, size);
  struct layer_test s = {.layer = &onri_layer_split,
                         .params = &split,
                         .num_out = PARTS,
                         .threads = refuse ? 2 : 1,
                         .refuse_wishes = refuse};
  struct layer_test c = {
      .layer = &onri_layer_concat, .params = &concat, .num_out = 1, .threads = refuse ? 2 : 1, .refuse_wishes = refuse};
  layer_test_input(&s, dtype, rank, dims, x);
  layer_test_input(&s, ONR_DTYPE_I64, 1, DIMS(PARTS), lengths);
  run_ok(&s);
  memcpy(part, dims, (size_t)rank * sizeof(*part));
  for (size_t i = 0; i < PARTS; i++) {
    int64_t index[ONR_MAX_RANK] = {0};
    part[axis] = lengths[i];
    const struct onr_desc desc = onr_desc_make(dtype, rank, part);
    assert_true(onr_desc_equal(&desc, &s.out[i].desc));
    if (count_of(rank, part) > 0) do {
        memcpy(from, index, sizeof(from));
        from[axis] += offset;
        assert_memory_equal((char *)s.out[i].data + flat_index(index, rank, part) * size,
                            x + flat_index(from, rank, dims) * size, size);
      } while (next_index(index, rank, part));
    offset += lengths[i];
    layer_test_input(&c, dtype, rank, part, s.out[i].data);
  }
  run_ok(&c);
  assert_memory_equal(c.out[0].data, x, count * size);
  layer_test_clear(&s);
  layer_test_clear(&c);
  free(x);
}

static void every_axis(void **state) {
  static const int64_t shape[8] = {5, 6, 5, 2, 3, 2, 4, 5};
  static const int64_t patterns[][PARTS] = {{1, 1, 1}, {0, 2, 1}, {3, 0, 0}, {2, 2, 3}};
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (int32_t rank = 1; rank <= 8; rank += rank < 4 ? 1 : 4)
      for (int32_t axis = 0; axis < rank; axis++)
        for (size_t p = 0; p < 4; p++) {
          int64_t dims[8];
          if (rank == 8 && i != 2) continue;
          memcpy(dims, shape, sizeof(dims));
          if (rank == 8) dims[0] = dims[1] = dims[2] = 2;
          dims[axis] = patterns[p][0] + patterns[p][1] + patterns[p][2];
          check(sized_dtypes[i], rank, dims, axis, patterns[p], axis & 1, 0);
          check(sized_dtypes[i], rank, dims, axis, patterns[p], !(axis & 1), 1);
        }
  check(ONR_DTYPE_F32, 3, DIMS(3, 400, 100), 1, DIMS(100, 7, 293), 0, 1);
  check(ONR_DTYPE_F32, 3, DIMS(0, 4, 5), 1, DIMS(1, 1, 2), 0, 0);
}

static void outer_parts_share_memory(void **state) {
  static const struct onr_concat_params concat = {1};
  static const struct onr_split_params split = {1, 0};
  const float x[24] = {0};
  (void)state;
  struct layer_test c = {.layer = &onri_layer_concat, .params = &concat, .num_out = 1};
  layer_test_input(&c, ONR_DTYPE_F32, 3, DIMS(1, 2, 4), x);
  layer_test_input(&c, ONR_DTYPE_F32, 3, DIMS(1, 6, 4), x);
  run_ok(&c);
  assert_int_equal(c.into[0].of, 0);
  assert_int_equal(c.into[1].of, 0);
  assert_int_equal(c.into[1].offset, 2 * 4 * sizeof(float));
  layer_test_clear(&c);
  struct layer_test s = {.layer = &onri_layer_split, .params = &split, .num_out = 2};
  layer_test_input(&s, ONR_DTYPE_F32, 3, DIMS(1, 6, 4), x);
  run_ok(&s);
  assert_int_equal(s.view[1].of, 0);
  assert_int_equal(s.view[1].offset, 3 * 4 * sizeof(float));
  layer_test_clear(&s);
}

/* The inputs that already lie inside the output are not copied: run the table's function on such addresses. */
static void parts_in_place_stay(void **state) {
  static const struct onr_concat_params params = {0};
  float y[5] = {1, 2, 3, 0, 0};
  const float tail[2] = {4, 5}, expected[5] = {1, 2, 3, 4, 5};
  struct onr_desc in[2] = {onr_desc_make(ONR_DTYPE_F32, 1, DIMS(3)), onr_desc_make(ONR_DTYPE_F32, 1, DIMS(2))};
  struct onr_desc out = onr_desc_make(ONR_DTYPE_F32, 1, DIMS(5));
  const void *inputs[2] = {y, tail};
  void *outputs[1] = {y};
  (void)state;
  struct onr_call call = {
      .params = &params, .num_in = 2, .num_out = 1, .in = in, .out = &out, .inputs = inputs, .outputs = outputs};
  assert_int_equal(onri_layer_concat.run(&call), ONR_STATUS_OK);
  assert_memory_equal(y, expected, sizeof(expected));
}

static void even_splits(void **state) {
  const float x[7] = {0, 1, 2, 3, 4, 5, 6};
  static const int64_t parts[] = {1, 2, 3, 4, 7},
                       lengths[][8] = {{7}, {4, 3}, {3, 3, 1}, {2, 2, 2, 1}, {1, 1, 1, 1, 1, 1, 1}};
  (void)state;
  for (size_t i = 0; i < 5; i++) {
    const struct onr_split_params params = {0, 0};
    struct layer_test t = {
        .layer = &onri_layer_split, .params = &params, .num_out = (size_t)parts[i], .refuse_wishes = 1};
    size_t at = 0;
    layer_test_input(&t, ONR_DTYPE_F32, 1, DIMS(7), x);
    run_ok(&t);
    for (size_t k = 0; k < t.num_out; k++) {
      assert_int_equal(t.out[k].desc.dim[0], lengths[i][k]);
      assert_memory_equal(t.out[k].data, x + at, (size_t)lengths[i][k] * sizeof(float));
      at += (size_t)lengths[i][k];
    }
    layer_test_clear(&t);
  }
}

static void outputs_that_nobody_wants(void **state) {
  static const struct onr_split_params params = {1, 0};
  const float x[6] = {0, 1, 2, 3, 4, 5}, expected[2] = {2, 5};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_split, .params = &params, .num_out = 3, .unwanted = 3};
  layer_test_input(&t, ONR_DTYPE_F32, 2, DIMS(2, 3), x);
  run_ok(&t);
  assert_memory_equal(t.out[2].data, expected, sizeof(expected));
  layer_test_clear(&t);
}

static enum onr_status split_status(int64_t axis, int even, size_t num_out, int64_t num, const int64_t *sizes) {
  const struct onr_split_params params = {axis, even};
  const float x[4] = {0};
  struct layer_test t = {.layer = &onri_layer_split, .params = &params, .num_out = num_out};
  layer_test_input(&t, ONR_DTYPE_F32, 1, DIMS(4), x);
  if (sizes) layer_test_input(&t, ONR_DTYPE_I64, 1, &num, sizes);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static enum onr_status concat_status(int64_t axis, enum onr_dtype dtype, int32_t rank, const int64_t *dims) {
  const struct onr_concat_params params = {axis};
  const float x[64] = {0};
  struct layer_test t = {.layer = &onri_layer_concat, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 2, DIMS(2, 3), x);
  layer_test_input(&t, dtype, rank, dims, x);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void wrong_arguments(void **state) {
  (void)state;
  assert_int_equal(split_status(0, 0, 2, 2, DIMS(1, 9)), ONR_STATUS_SHAPE);
  assert_int_equal(split_status(0, 0, 2, 2, DIMS(-1, 5)), ONR_STATUS_SHAPE);
  assert_int_equal(split_status(0, 0, 2, 2, DIMS(INT64_MAX, INT64_MAX)), ONR_STATUS_SHAPE);
  assert_int_equal(split_status(0, 0, 2, 3, DIMS(1, 1, 2)), ONR_STATUS_SHAPE);
  assert_int_equal(split_status(1, 0, 2, 2, DIMS(2, 2)), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(split_status(0, 1, 3, 0, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(split_status(0, 1, 2, 0, NULL), ONR_STATUS_OK);
  assert_int_equal(concat_status(0, ONR_DTYPE_F32, 2, DIMS(4, 3)), ONR_STATUS_OK);
  assert_int_equal(concat_status(5, ONR_DTYPE_F32, 2, DIMS(4, 3)), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(concat_status(0, ONR_DTYPE_F32, 1, DIMS(3)), ONR_STATUS_SHAPE);
  assert_int_equal(concat_status(1, ONR_DTYPE_F32, 2, DIMS(4, 3)), ONR_STATUS_SHAPE);
  assert_int_equal(concat_status(0, ONR_DTYPE_I32, 2, DIMS(4, 3)), ONR_STATUS_TYPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_axis),  cmocka_unit_test(outer_parts_share_memory),  cmocka_unit_test(parts_in_place_stay),
      cmocka_unit_test(even_splits), cmocka_unit_test(outputs_that_nobody_wants), cmocka_unit_test(wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
