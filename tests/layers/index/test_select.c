/* non_zero, compress, unique, non_max_suppression: layers whose output size depends on data. */
#include <math.h>

#include "layers/layers.h"
#include "support/index_loop.h"

static void non_zeros(void **state) {
  static const int64_t dims[3] = {3, 5, 30};
  float x[450];
  int64_t expected[3][450], index[3] = {0}, found = 0;
  (void)state;
  for (size_t i = 0; i < 450; i++) x[i] = i % 7 == 3 ? (float)i : i % 11 == 4 ? NAN : i % 2 ? -0.0f : 0.0f;
  do {
    if (x[flat_index(index, 3, dims)] == 0) continue;
    for (int32_t d = 0; d < 3; d++) expected[d][found] = index[d];
    found++;
  } while (next_index(index, 3, dims));
  struct layer_test t = {.layer = &onri_layer_non_zero, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 3, dims, x);
  run_ok(&t);
  assert_int_equal(t.out[0].desc.dim[0], 3);
  assert_int_equal(t.out[0].desc.dim[1], found);
  for (int32_t d = 0; d < 3; d++)
    assert_memory_equal((int64_t *)t.out[0].data + d * found, expected[d], (size_t)found * sizeof(int64_t));
  layer_test_clear(&t);
}

static void non_zeros_of_other_types(void **state) {
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_BOOL, ONR_DTYPE_I64, ONR_DTYPE_F16, ONR_DTYPE_F64};
  (void)state;
  for (size_t i = 0; i < 4; i++) {
    const size_t size = onr_dtype_size(dtypes[i]);
    char x[4 * 8] = {0};
    x[2 * size] = 1; /* the smallest positive value of each type */
    struct layer_test t = {.layer = &onri_layer_non_zero, .num_out = 1};
    layer_test_input(&t, dtypes[i], 1, DIMS(4), x);
    run_ok(&t);
    assert_int_equal(t.out[0].desc.dim[1], 1);
    assert_int_equal(*(int64_t *)t.out[0].data, 2);
    layer_test_clear(&t);
  }
  const struct onr_string words[4] = {{"", 0}, {"0", 1}, {NULL, 0}, {"b", 1}};
  struct layer_test strings = {.layer = &onri_layer_non_zero, .num_out = 1};
  layer_test_input(&strings, ONR_DTYPE_STRING, 1, DIMS(4), words);
  run_ok(&strings);
  assert_int_equal(strings.out[0].desc.dim[1], 2);
  assert_memory_equal(strings.out[0].data, ((int64_t[]){1, 3}), 16);
  layer_test_clear(&strings);
  struct layer_test empty = {.layer = &onri_layer_non_zero, .num_out = 1};
  layer_test_input(&empty, ONR_DTYPE_F32, 2, DIMS(0, 3), "");
  run_ok(&empty);
  assert_int_equal(empty.out[0].desc.dim[0], 2);
  assert_int_equal(empty.out[0].desc.dim[1], 0);
  layer_test_clear(&empty);
}

static void compresses(void **state) {
  static const int64_t dims[3] = {2, 4, 3};
  static const uint8_t condition[4] = {1, 0, 0, 1}; /* the fourth is only there for the middle axis */
  (void)state;
  for (size_t i = 0; i < NUM_SIZED_DTYPES; i++)
    for (int32_t axis = -3; axis < 3; axis++) {
      const int32_t at = axis < 0 ? axis + 3 : axis;
      const int64_t conditions = dims[at] < 4 ? 1 : 4, kept = conditions == 1 ? 1 : 2;
      const struct onr_compress_params params = {0, axis};
      const size_t size = onr_dtype_size(sized_dtypes[i]);
      unsigned char x[24 * 16];
      int64_t out[3] = {2, 4, 3}, to[3] = {0}, from[3];
      fill_distinct(x, 24, size);
      out[at] = kept;
      struct layer_test t = {.layer = &onri_layer_compress, .params = &params, .num_out = 1};
      layer_test_input(&t, sized_dtypes[i], 3, dims, x);
      layer_test_input(&t, ONR_DTYPE_BOOL, 1, &conditions, condition);
      run_ok(&t);
      const struct onr_desc desc = onr_desc_make(sized_dtypes[i], 3, out);
      assert_true(onr_desc_equal(&desc, &t.out[0].desc));
      do {
        memcpy(from, to, sizeof(from));
        from[at] = to[at] * 3;
        assert_memory_equal((char *)t.out[0].data + flat_index(to, 3, out) * size, x + flat_index(from, 3, dims) * size,
                            size);
      } while (next_index(to, 3, out));
      layer_test_clear(&t);
    }
  static const struct onr_compress_params flat = {1, 0};
  struct layer_test t = {.layer = &onri_layer_compress, .params = &flat, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_U8, 2, DIMS(2, 3), "abcdef");
  layer_test_input(&t, ONR_DTYPE_BOOL, 1, DIMS(5), "\0\1\0\0\1");
  run_ok(&t);
  assert_int_equal(t.out[0].desc.dim[0], 2);
  assert_memory_equal(t.out[0].data, "be", 2);
  layer_test_clear(&t);
  uint8_t many[200], marks[199];
  for (size_t i = 0; i < 200; i++) many[i] = (uint8_t)i;
  for (size_t i = 0; i < 199; i++) marks[i] = i % 3 == 1;
  struct layer_test blocks = {.layer = &onri_layer_compress, .params = &flat, .num_out = 1};
  layer_test_input(&blocks, ONR_DTYPE_U8, 1, DIMS(200), many);
  layer_test_input(&blocks, ONR_DTYPE_BOOL, 1, DIMS(199), marks);
  run_ok(&blocks);
  assert_int_equal(blocks.out[0].desc.dim[0], 66);
  for (size_t i = 0; i < 66; i++) assert_int_equal(((uint8_t *)blocks.out[0].data)[i], 3 * i + 1);
  layer_test_clear(&blocks);
  struct layer_test long_one = {.layer = &onri_layer_compress, .params = &flat, .num_out = 1};
  layer_test_input(&long_one, ONR_DTYPE_U8, 1, DIMS(2), "ab");
  layer_test_input(&long_one, ONR_DTYPE_BOOL, 1, DIMS(3), "\1\1\1");
  assert_int_equal(layer_test_run(&long_one), ONR_STATUS_SHAPE);
  layer_test_clear(&long_one);
}

static void expect_list(const struct onr_tensor *tensor, int64_t count, const int64_t *expected) {
  assert_int_equal(tensor->desc.dim[0], count);
  assert_memory_equal(tensor->data, expected, (size_t)count * sizeof(int64_t));
}

static void uniques(void **state) {
  const float x[8] = {2, 1, 1, NAN, 3, 2, NAN, -0.0f};
  (void)state;
  for (int sorted = 0; sorted < 2; sorted++) {
    const struct onr_unique_params params = {1, 0, sorted};
    struct layer_test t = {.layer = &onri_layer_unique, .params = &params, .num_out = 4};
    layer_test_input(&t, ONR_DTYPE_F32, 2, DIMS(2, 4), x);
    run_ok(&t);
    if (sorted) {
      assert_close(t.out[0].data, (const float[5]){0, 1, 2, 3, NAN}, 5, 0, 0);
      expect_list(&t.out[1], 5, DIMS(7, 1, 0, 4, 3));
      expect_list(&t.out[2], 8, DIMS(2, 1, 1, 4, 3, 2, 4, 0));
      expect_list(&t.out[3], 5, DIMS(1, 2, 2, 1, 2));
    } else {
      assert_close(t.out[0].data, (const float[5]){2, 1, NAN, 3, 0}, 5, 0, 0);
      expect_list(&t.out[1], 5, DIMS(0, 1, 3, 4, 7));
      expect_list(&t.out[2], 8, DIMS(0, 1, 1, 2, 3, 0, 2, 4));
      expect_list(&t.out[3], 5, DIMS(2, 2, 2, 1, 1));
    }
    assert_int_equal(t.out[0].desc.dim[0], 5);
    layer_test_clear(&t);
  }
}

/* Slices along an axis: [[1,0,0],[1,0,0],[2,3,4]] in both directions. */
static void unique_slices(void **state) {
  static const struct onr_unique_params rows = {0, 0, 1}, columns = {0, -1, 1};
  const int32_t x[9] = {1, 0, 0, 1, 0, 0, 2, 3, 4}, kept[6] = {1, 0, 0, 2, 3, 4},
                sorted[9] = {0, 0, 1, 0, 0, 1, 3, 4, 2};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_unique, .params = &rows, .num_out = 4};
  layer_test_input(&t, ONR_DTYPE_I32, 2, DIMS(3, 3), x);
  run_ok(&t);
  assert_int_equal(t.out[0].desc.dim[0], 2);
  assert_memory_equal(t.out[0].data, kept, sizeof(kept));
  expect_list(&t.out[1], 2, DIMS(0, 2));
  expect_list(&t.out[2], 3, DIMS(0, 0, 1));
  expect_list(&t.out[3], 2, DIMS(2, 1));
  layer_test_clear(&t);
  struct layer_test c = {.layer = &onri_layer_unique, .params = &columns, .num_out = 3, .unwanted = 2};
  layer_test_input(&c, ONR_DTYPE_I32, 2, DIMS(3, 3), x);
  run_ok(&c);
  assert_memory_equal(c.out[0].data, sorted, sizeof(sorted));
  expect_list(&c.out[2], 3, DIMS(2, 0, 1));
  layer_test_clear(&c);
}

static void unique_strings(void **state) {
  static const struct onr_unique_params params = {1, 0, 1};
  const struct onr_string x[4] = {{"b", 1}, {"ab", 2}, {"b", 1}, {"a", 1}};
  (void)state;
  struct layer_test t = {.layer = &onri_layer_unique, .params = &params, .num_out = 3};
  layer_test_input(&t, ONR_DTYPE_STRING, 1, DIMS(4), x);
  run_ok(&t);
  expect_list(&t.out[1], 3, DIMS(3, 1, 0));
  expect_list(&t.out[2], 4, DIMS(2, 1, 2, 0));
  assert_int_equal(((struct onr_string *)t.out[0].data)[1].length, 2);
  layer_test_clear(&t);
}

static void many_uniques(void **state) {
  static const struct onr_unique_params params = {1, 0, 1};
  static int64_t x[5000];
  (void)state;
  for (size_t i = 0; i < 5000; i++) x[i] = (int64_t)(i * 7919 % 1000) - 500;
  struct layer_test t = {.layer = &onri_layer_unique, .params = &params, .num_out = 4};
  layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(5000), x);
  run_ok(&t);
  assert_int_equal(t.out[0].desc.dim[0], 1000);
  for (int64_t i = 0; i < 1000; i++) {
    assert_int_equal(((int64_t *)t.out[0].data)[i], i - 500);
    assert_int_equal(((int64_t *)t.out[3].data)[i], 5);
    assert_int_equal(x[((int64_t *)t.out[1].data)[i]], i - 500);
    assert_in_range(((int64_t *)t.out[1].data)[i], 0, 999);
  }
  for (size_t i = 0; i < 5000; i++) assert_int_equal(((int64_t *)t.out[2].data)[i], x[i] + 500);
  layer_test_clear(&t);
}

/* Overlap of two boxes given as y0 x0 y1 x1, in double. */
static double overlap(const float *a, const float *b) {
  const double h = fmin((double)a[2], (double)b[2]) - fmax((double)a[0], (double)b[0]);
  const double w = fmin((double)a[3], (double)b[3]) - fmax((double)a[1], (double)b[1]);
  const double area_a = ((double)a[2] - (double)a[0]) * ((double)a[3] - (double)a[1]);
  const double area_b = ((double)b[2] - (double)b[0]) * ((double)b[3] - (double)b[1]);
  return h <= 0 || w <= 0 ? 0 : h * w / (area_a + area_b - h * w);
}

enum { BOXES = 40, CLASSES = 3, BATCH = 2 };

static void suppressions(void **state) {
  float boxes[BATCH][BOXES][4], centers[BATCH][BOXES][4], scores[BATCH][CLASSES][BOXES];
  const int64_t most = 6;
  const float iou = 0.3f, least = 0.2f;
  (void)state;
  fill_random(&boxes[0][0][0], BATCH * BOXES * 4, 0, 10, 1);
  fill_random(&scores[0][0][0], BATCH * CLASSES * BOXES, 0, 1, 2);
  scores[0][0][5] = scores[0][0][3]; /* a tie */
  scores[1][1][7] = NAN;
  for (size_t i = 0; i < BATCH * BOXES; i++) {
    float *b = &boxes[i / BOXES][i % BOXES][0], *c = &centers[i / BOXES][i % BOXES][0];
    for (int k = 0; k < 4; k++) b[k] = floorf(b[k]); /* exact in both forms */
    b[2] += b[0] + 1;
    b[3] += b[1] + 1;
    c[0] = (b[1] + b[3]) / 2;
    c[1] = (b[0] + b[2]) / 2;
    c[2] = b[3] - b[1];
    c[3] = b[2] - b[0];
  }
  int64_t expected[BATCH * CLASSES * 6 * 3];
  size_t num = 0;
  for (int64_t n = 0; n < BATCH; n++)
    for (int64_t c = 0; c < CLASSES; c++) {
      const float *s = scores[n][c];
      int64_t chosen[6], count = 0;
      char gone[BOXES] = {0};
      while (count < most) {
        int64_t best = -1;
        for (int64_t i = 0; i < BOXES; i++)
          if (!gone[i] && s[i] > least && (best < 0 || s[i] > s[best])) best = i;
        if (best < 0) break;
        gone[best] = 1;
        int clear = 1;
        for (int64_t k = 0; k < count; k++) clear &= overlap(boxes[n][best], boxes[n][chosen[k]]) <= (double)iou;
        if (!clear) continue;
        chosen[count++] = best;
        expected[num++] = n;
        expected[num++] = c;
        expected[num++] = best;
      }
    }
  for (int form = 0; form < 3; form++) { /* corners, centers, corners in the other order */
    const struct onr_non_max_suppression_params params = {form == 1};
    if (form == 2)
      for (size_t i = 0; i < BATCH * BOXES; i += 2) {
        float *b = boxes[i / BOXES][i % BOXES];
        const float y = b[0];
        b[0] = b[2];
        b[2] = y;
      }
    struct layer_test t = {.layer = &onri_layer_non_max_suppression, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 3, DIMS(BATCH, BOXES, 4), form == 1 ? centers : boxes);
    layer_test_input(&t, ONR_DTYPE_F32, 3, DIMS(BATCH, CLASSES, BOXES), scores);
    layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(1), &most);
    layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &iou);
    layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &least);
    run_ok(&t);
    assert_int_equal(t.out[0].desc.dim[1], 3);
    assert_int_equal(t.out[0].desc.dim[0], num / 3);
    assert_memory_equal(t.out[0].data, expected, num * sizeof(int64_t));
    layer_test_clear(&t);
  }
}

/* Boxes that do not overlap come in the order of their scores, equal ones in their own; 0 and -0 are equal. */
static void suppression_order(void **state) {
  enum { MANY = 700 };
  static float boxes[MANY][4], scores[MANY];
  static const float specials[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e-40f, -1e-40f, 3e38f, -3e38f};
  static const struct onr_non_max_suppression_params params = {0};
  char gone[MANY] = {0};
  const int64_t most = MANY;
  const float iou = 0.5f;
  (void)state;
  fill_random(scores, MANY, -3, 3, 5);
  for (size_t i = 0; i < MANY; i++) {
    boxes[i][0] = (float)(2 * i), boxes[i][2] = (float)(2 * i + 1), boxes[i][3] = 1;
    if (i % 5 == 0) scores[i] = rintf(scores[i]);
    if (i % 7 == 0) scores[i] = specials[i / 7 % 9];
  }
  struct layer_test t = {.layer = &onri_layer_non_max_suppression, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 3, DIMS(1, MANY, 4), boxes);
  layer_test_input(&t, ONR_DTYPE_F32, 3, DIMS(1, 1, MANY), scores);
  layer_test_input(&t, ONR_DTYPE_I64, 1, DIMS(1), &most);
  layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &iou);
  run_ok(&t);
  const int64_t count = t.out[0].desc.dim[0], *found = t.out[0].data;
  for (int64_t k = 0; k < MANY; k++) {
    int best = -1;
    for (int i = 0; i < MANY; i++)
      if (!gone[i] && !isnan(scores[i]) && (best < 0 || scores[i] > scores[best])) best = i;
    if (best < 0) {
      assert_int_equal(count, k);
      break;
    }
    gone[best] = 1;
    assert_int_equal(found[3 * k + 2], best);
  }
  layer_test_clear(&t);
}

static enum onr_status suppression_status(const int64_t *boxes, const int64_t *scores, const float *iou,
                                          int64_t *selected) {
  static const struct onr_non_max_suppression_params params = {0};
  const float x[64] = {0};
  struct layer_test t = {.layer = &onri_layer_non_max_suppression, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 3, boxes, x);
  layer_test_input(&t, ONR_DTYPE_F32, 3, scores, x);
  if (iou) {
    layer_test_input(&t, ONR_DTYPE_I64, 0, NULL, DIMS(3));
    layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, iou);
  }
  const enum onr_status status = layer_test_run(&t);
  *selected = t.out[0].desc.dim[0];
  layer_test_clear(&t);
  return status;
}

static void suppression_limits(void **state) {
  int64_t selected;
  const float half = 0.5f, two = 2;
  (void)state;
  assert_int_equal(suppression_status(DIMS(1, 5, 4), DIMS(1, 1, 5), NULL, &selected), ONR_STATUS_OK);
  assert_int_equal(selected, 0); /* no third input: none a class */
  assert_int_equal(suppression_status(DIMS(1, 5, 4), DIMS(1, 1, 5), &half, &selected), ONR_STATUS_OK);
  assert_int_equal(selected, 3); /* boxes without area overlap nothing */
  assert_int_equal(suppression_status(DIMS(1, 0, 4), DIMS(1, 2, 0), &half, &selected), ONR_STATUS_OK);
  assert_int_equal(selected, 0);
  assert_int_equal(suppression_status(DIMS(1, 5, 4), DIMS(1, 1, 5), &two, &selected), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(suppression_status(DIMS(1, 5, 3), DIMS(1, 1, 5), &half, &selected), ONR_STATUS_SHAPE);
  assert_int_equal(suppression_status(DIMS(1, 5, 4), DIMS(1, 1, 6), &half, &selected), ONR_STATUS_SHAPE);
  assert_int_equal(suppression_status(DIMS(2, 5, 4), DIMS(1, 1, 5), &half, &selected), ONR_STATUS_SHAPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(non_zeros),         cmocka_unit_test(non_zeros_of_other_types),
                                     cmocka_unit_test(compresses),        cmocka_unit_test(uniques),
                                     cmocka_unit_test(unique_slices),     cmocka_unit_test(unique_strings),
                                     cmocka_unit_test(many_uniques),      cmocka_unit_test(suppressions),
                                     cmocka_unit_test(suppression_order), cmocka_unit_test(suppression_limits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
