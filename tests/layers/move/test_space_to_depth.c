/* depth_to_space, space_to_depth and channel_shuffle against their definitions, in both layouts. */
#include "support/layer_test.h"

#include <string.h>

#include "layers/layers.h"
#include "support/image_layout.h"

enum { MAX = 4096 };

static void test_blocks(void **state) {
  enum { N = 2, C = 3, H = 2, W = 4 };
  (void)state;
  for (int variant = 0; variant < 8; variant++) {
    const int last = variant & 1, crd = variant >> 1 & 1, down = variant >> 2;
    for (int64_t b = 1; b <= 3; b++) {
      /* small: [N, C * b * b, H, W], large: [N, C, H * b, W * b]; one holds its own positions, the other follows. */
      int32_t small[MAX], large[MAX];
      const int64_t count = N * C * b * b * H * W;
      for (int64_t n = 0; n < N; n++)
        for (int64_t c = 0; c < C; c++)
          for (int64_t y = 0; y < H * b; y++)
            for (int64_t x = 0; x < W * b; x++) {
              const int64_t part = y % b * b + x % b;
              const int64_t s = at(last, C * b * b, H * W, n, crd ? c * b * b + part : part * C + c, y / b * W + x / b);
              const int64_t l = at(last, C, H * b * W * b, n, c, y * W * b + x);
              small[s] = large[l] = (int32_t)(7 * s + 1);
            }
      const struct onr_block_params p = {.block_size = b, .order = crd, .channels_last = last};
      struct layer_test t = {.layer = down ? &onri_layer_space_to_depth : &onri_layer_depth_to_space,
                             .params = &p,
                             .num_out = 1,
                             .threads = 2};
      int64_t from[4], to[4];
      image_dims(last, N, C * b * b, H, W, down ? to : from);
      image_dims(last, N, C, H * b, W * b, down ? from : to);
      layer_test_input(&t, ONR_DTYPE_I32, 4, from, down ? large : small);
      assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
      for (int i = 0; i < 4; i++) assert_int_equal(t.out[0].desc.dim[i], to[i]);
      assert_memory_equal(t.out[0].data, down ? small : large, (size_t)count * sizeof(small[0]));
      layer_test_clear(&t);
    }
  }
}

static enum onr_status block_status(const struct onr_layer *layer, int64_t block) {
  static const float zeros[64];
  const struct onr_block_params p = {.block_size = block};
  struct layer_test t = {.layer = layer, .params = &p, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 4, (int64_t[]){1, 4, 2, 2}, zeros);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void test_wrong_blocks(void **state) {
  (void)state;
  assert_int_equal(block_status(&onri_layer_depth_to_space, 0), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(block_status(&onri_layer_depth_to_space, (int64_t)1 << 40), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(block_status(&onri_layer_depth_to_space, 3), ONR_STATUS_SHAPE);
  assert_int_equal(block_status(&onri_layer_space_to_depth, -1), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(block_status(&onri_layer_space_to_depth, 3), ONR_STATUS_SHAPE);
  assert_int_equal(block_status(&onri_layer_space_to_depth, 2), ONR_STATUS_OK);
}

static void test_channel_shuffle(void **state) {
  enum { N = 2, G = 3, EACH = 4, PIXELS = 5 };
  uint8_t x[N * G * EACH * PIXELS], expected[sizeof(x)];
  (void)state;
  for (int last = 0; last < 2; last++) {
    for (int64_t n = 0; n < N; n++)
      for (int64_t g = 0; g < G; g++)
        for (int64_t c = 0; c < EACH; c++)
          for (int64_t i = 0; i < PIXELS; i++)
            x[at(last, G * EACH, PIXELS, n, g * EACH + c, i)] = expected[at(last, G * EACH, PIXELS, n, c * G + g, i)] =
                (uint8_t)(n * 120 + g * 40 + c * 10 + i);
    const struct onr_channel_shuffle_params p = {.groups = G, .channels_last = last};
    struct layer_test t = {.layer = &onri_layer_channel_shuffle, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_U8, 3, last ? (int64_t[]){N, PIXELS, G * EACH} : (int64_t[]){N, G * EACH, PIXELS},
                     x);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_memory_equal(t.out[0].data, expected, sizeof(x));
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_blocks), cmocka_unit_test(test_wrong_blocks),
                                     cmocka_unit_test(test_channel_shuffle)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
