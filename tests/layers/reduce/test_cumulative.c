/* cum_sum, cum_prod, trilu, reverse_sequence against loops. */
#include <stdlib.h>

#include "layers/layers.h"
#include "support/index_loop.h"
#include "support/sweep.h"

static void check(int product, int exclusive, int reverse, int32_t rank, const int64_t *dims, int32_t axis) {
  const struct onr_cumulative_params params = {exclusive, reverse};
  const struct onr_layer *layer = product ? &onri_layer_cum_prod : &onri_layer_cum_sum;
  const int32_t at = axis < 0 ? axis + rank : axis;
  const size_t count = count_of(rank, dims);
  float *x = malloc(count * sizeof(*x)), *y = malloc(count * sizeof(*y));
  int64_t *whole = malloc(count * sizeof(*whole)), *expected = malloc(count * sizeof(*expected));
  int64_t index[ONR_MAX_RANK] = {0}, from[ONR_MAX_RANK];
  for (size_t i = 0; i < count; i++) {
    whole[i] = (int64_t)(i * 7 % 5) - 2;
    x[i] = product ? 0.75f + 0.05f * (float)(i % 10) : (float)whole[i] + 0.25f;
  }
  do {
    double real = product;
    uint64_t integer = (uint64_t)product;
    for (int64_t k = 0; k < dims[at]; k++) {
      const int64_t i = index[at];
      if (!(reverse ? k > i : k < i) && !(k == i && !exclusive)) continue;
      memcpy(from, index, sizeof(from));
      from[at] = k;
      const size_t f = flat_index(from, rank, dims);
      real = product ? real * (double)x[f] : real + (double)x[f];
      integer = product ? integer * (uint64_t)whole[f] : integer + (uint64_t)whole[f];
    }
    y[flat_index(index, rank, dims)] = (float)real;
    expected[flat_index(index, rank, dims)] = (int64_t)integer;
  } while (next_index(index, rank, dims));
  for (int integers = 0; integers < 2; integers++) {
    struct layer_test t = {.layer = layer, .params = &params, .num_out = 1, .threads = 2};
    layer_test_input(&t, integers ? ONR_DTYPE_I64 : ONR_DTYPE_F32, rank, dims, integers ? (void *)whole : (void *)x);
    layer_test_input(&t, ONR_DTYPE_I32, 0, NULL, &axis);
    run_ok(&t);
    assert_int_equal(t.in_place, 0);
    if (integers) assert_memory_equal(t.out[0].data, expected, count * sizeof(*expected));
    else assert_close(t.out[0].data, y, count, 1e-5, 1e-5);
    layer_test_clear(&t);
  }
  free(x);
  free(y);
  free(whole);
  free(expected);
}

static void cumulates(void **state) {
  (void)state;
  for (int flags = 0; flags < 8; flags++) {
    for (int32_t axis = -3; axis < 3; axis++) {
      check(flags & 1, flags >> 1 & 1, flags >> 2, 3, DIMS(4, 1, 9), axis);
      check(flags & 1, flags >> 1 & 1, flags >> 2, 3, DIMS(3, 5, 130), axis);
    }
    check(flags & 1, flags >> 1 & 1, flags >> 2, 1, DIMS(200), -1);
    check(flags & 1, flags >> 1 & 1, flags >> 2, 1, DIMS(1), 0);
  }
}

/* Short lines, which are turned, and those that are not. */
static void cumulates_drawn_shapes(void **state) {
  struct sweep s = sweep_from(66);
  (void)state;
  for (int turn = 0; turn < sweep_cases(300); turn++) {
    const int64_t length = sweep_pick(&s, 1, sweep_chance(&s, 3) ? 150 : 20), inner = sweep_pick(&s, 1, 40);
    const int64_t outer = sweep_pick(&s, 1, sweep_chance(&s, 2) ? 200 : 10);
    const int flags = (int)sweep_pick(&s, 0, 7);
    if (outer * length * inner < 50000) check(flags & 1, flags >> 1 & 1, flags >> 2, 3, DIMS(outer, length, inner), 1);
  }
}

static void cumulative_failures(void **state) {
  static const struct onr_cumulative_params params = {0};
  const float x[4] = {0};
  (void)state;
  for (int64_t axis = -2; axis <= 1; axis++) {
    struct layer_test t = {.layer = &onri_layer_cum_sum, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 1, DIMS(4), x);
    layer_test_input(&t, ONR_DTYPE_I64, 0, NULL, &axis);
    assert_int_equal(layer_test_run(&t), axis == -2 || axis == 1 ? ONR_STATUS_ATTRIBUTE : ONR_STATUS_OK);
    layer_test_clear(&t);
  }
}

static void triangles(void **state) {
  static const int64_t diagonals[] = {INT64_MIN, -5, -4, -1, 0, 1, 2, 4, INT64_MAX}, dims[3] = {2, 5, 4};
  static const unsigned char zero[16] = {0};
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (size_t k = 0; k < 9; k++)
      for (int32_t upper = 0; upper < 2; upper++) {
        const struct onr_trilu_params params = {upper};
        const size_t size = onr_dtype_size(sized_dtypes[i]);
        const int64_t diagonal = diagonals[k] < -9 ? -9 : diagonals[k] > 9 ? 9 : diagonals[k];
        unsigned char x[40 * 16];
        int64_t index[3] = {0};
        fill_distinct(x, 40, size);
        struct layer_test t = {.layer = &onri_layer_trilu, .params = &params, .num_out = 1, .refuse_wishes = upper};
        layer_test_input(&t, sized_dtypes[i], 3, dims, x);
        if (diagonals[k] != 0) layer_test_input(&t, ONR_DTYPE_I64, 0, NULL, &diagonals[k]);
        run_ok(&t);
        do {
          const int keep = upper ? index[2] - index[1] >= diagonal : index[2] - index[1] <= diagonal;
          const size_t at = flat_index(index, 3, dims) * size;
          assert_memory_equal((char *)t.out[0].data + at, keep ? x + at : zero, size);
        } while (next_index(index, 3, dims));
        layer_test_clear(&t);
      }
}

static void reverses(void **state) {
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (int32_t batch_axis = 0; batch_axis < 2; batch_axis++)
      for (int32_t rank = 2; rank <= 3; rank++) {
        const struct onr_reverse_sequence_params params = {batch_axis, 1 - batch_axis};
        const size_t size = onr_dtype_size(sized_dtypes[i]);
        const int64_t lengths[3] = {0, 4, 3}, dims[3] = {batch_axis ? 4 : 3, batch_axis ? 3 : 4, 5};
        int64_t to[3] = {0}, from[3];
        unsigned char x[60 * 16];
        fill_distinct(x, 60, size);
        struct layer_test t = {.layer = &onri_layer_reverse_sequence, .params = &params, .num_out = 1};
        layer_test_input(&t, sized_dtypes[i], rank, dims, x);
        layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(3), lengths);
        run_ok(&t);
        do {
          const int64_t length = lengths[to[batch_axis]], time = to[1 - batch_axis];
          memcpy(from, to, sizeof(from));
          from[1 - batch_axis] = time < length ? length - 1 - time : time;
          assert_memory_equal((char *)t.out[0].data + flat_index(to, rank, dims) * size,
                              x + flat_index(from, rank, dims) * size, size);
        } while (next_index(to, rank, dims));
        layer_test_clear(&t);
      }
}

static void reverse_failures(void **state) {
  static const struct onr_reverse_sequence_params good = {1, 0}, same = {1, 1};
  static const struct {
    const struct onr_reverse_sequence_params *params;
    int64_t num, length;
    enum onr_status status;
  } cases[] = {{&good, 2, 3, ONR_STATUS_OK},
               {&good, 2, 4, ONR_STATUS_INDEX},
               {&good, 2, -1, ONR_STATUS_INDEX},
               {&good, 1, 3, ONR_STATUS_SHAPE},
               {&same, 2, 3, ONR_STATUS_ATTRIBUTE}};
  const float x[6] = {0};
  (void)state;
  for (size_t i = 0; i < 5; i++) {
    struct layer_test t = {.layer = &onri_layer_reverse_sequence, .params = cases[i].params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 2, DIMS(3, 2), x);
    layer_test_input(&t, ONR_DTYPE_I64, 1, &cases[i].num, DIMS(1, cases[i].length));
    assert_int_equal(layer_test_run(&t), cases[i].status);
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(cumulates),
                                     cmocka_unit_test(cumulates_drawn_shapes),
                                     cmocka_unit_test(cumulative_failures),
                                     cmocka_unit_test(triangles),
                                     cmocka_unit_test(reverses),
                                     cmocka_unit_test(reverse_failures)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
