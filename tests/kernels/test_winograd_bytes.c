/* Tiles of 2x2 outputs of 3x3 convolutions in integers, at every level that has them, against sums written out: all
 * numbers of tiles, odd rests of channels, values at both ends of what bytes and their zero points give. */
#include "kernels/conv_integer/winograd_bytes_tiles.h"
#include "kernels/kernels.h"
#include "kernels/quantize/byte_tile.h"

#include "support/sweep.h"

enum { POINTS = ONRI_WINOGRAD_BYTES_POINTS, MOST_TILES = 15, MOST_CHANNELS = 70, MOST_COLUMNS = 64, CASES = 60 };

static int16_t x[MOST_TILES][4][4][MOST_CHANNELS]; /* pixels lie as many elements apart as there are channels */
static int w[MOST_COLUMNS][MOST_CHANNELS][3][3];
static int16_t u[POINTS * MOST_CHANNELS * MOST_COLUMNS], v[POINTS * MOST_TILES * MOST_CHANNELS];
static int32_t m[POINTS * MOST_TILES * MOST_COLUMNS], start[MOST_COLUMNS], y[2][2][MOST_COLUMNS];

static int value(struct sweep *s, int low, int high) {
  return sweep_chance(s, 3) ? (sweep_chance(s, 2) ? low : high) : (int)sweep_pick(s, low, high);
}

/* Twice the matrix that weights are transformed with. */
static const int twice[4][3] = {{2, 0, 0}, {1, 1, 1}, {1, -1, 1}, {0, 0, 2}};

static void pack(size_t channels, size_t columns) {
  for (size_t p = 0; p < POINTS; p++)
    for (size_t c = 0; c < channels; c++)
      for (size_t j = 0; j < columns; j++) {
        int sum = 0;
        for (int a = 0; a < 3; a++)
          for (int b = 0; b < 3; b++) sum += twice[p / 4][a] * w[j][c][a][b] * twice[p % 4][b];
        u[p * channels * columns + c / 2 * 2 * columns + j * 2 + c % 2] = (int16_t)sum;
      }
}

static const int16_t *pixel_of(size_t tile, size_t line, size_t pixel, size_t channels) {
  return &x[tile][0][0][0] + line * 4 * channels + pixel * channels;
}

static void check_tile(size_t tile, size_t channels, size_t columns) {
  for (size_t o = 0; o < 4; o++)
    for (size_t j = 0; j < columns; j++) {
      int32_t sum = start[j];
      for (size_t k = 0; k < 9; k++)
        for (size_t c = 0; c < channels; c++)
          sum += pixel_of(tile, o / 2 + k / 3, o % 2 + k % 3, channels)[c] * w[j][c][k / 3][k % 3];
      if (y[o / 2][o % 2][j] != sum)
        fail_msg("%zu channels, tile %zu: output %zu of column %zu is %d instead of %d", channels, tile, o, j,
                 y[o / 2][o % 2][j], sum);
    }
}

static void check(struct sweep *s, const struct onri_winograd_bytes_kernels *kernels) {
  const size_t channels = (size_t)sweep_pick(s, ONRI_WINOGRAD_BYTES_CHANNELS / 2, MOST_CHANNELS / 2) * 2,
               tiles = (size_t)sweep_pick(s, 1, MOST_TILES), columns = kernels->columns;
  assert_in_range(columns, 1, MOST_COLUMNS);
  for (size_t i = 0; i < sizeof(x) / sizeof(int16_t); i++) (&x[0][0][0][0])[i] = (int16_t)value(s, -255, 255);
  for (size_t i = 0; i < sizeof(w) / sizeof(int); i++) (&w[0][0][0][0])[i] = value(s, -128, 127);
  for (size_t j = 0; j < columns; j++) start[j] = value(s, -1000000, 1000000);
  pack(channels, columns);
  for (size_t t = 0; t < tiles; t++)
    kernels->forward((const char *)x[t], 4 * channels * sizeof(int16_t), channels, v + t * channels, tiles * channels);
  for (size_t p = 0; p < POINTS; p++)
    kernels->product(v + p * tiles * channels, tiles, channels, u + p * channels * columns, m + p * tiles * columns);
  for (size_t t = 0; t < tiles; t++) {
    kernels->backward(m + t * columns, tiles * columns, start, &y[0][0][0], 2 * MOST_COLUMNS, MOST_COLUMNS);
    check_tile(t, channels, columns);
  }
}

static void test_tiles(void **state) {
  struct sweep s = sweep_from(12);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++) {
    const struct onri_winograd_bytes_kernels *kernels = onri_kernels_at(winograd_bytes, (enum onri_cpu_level)level);
    /* Where bytes are multiplied as such, their products need no tricks. */
    assert_int_equal(kernels->columns == 0, onri_kernels_at(byte_product, (enum onri_cpu_level)level)->cell == 1);
    for (int i = 0; kernels->columns && i < sweep_cases(CASES); i++) check(&s, kernels);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_tiles)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
