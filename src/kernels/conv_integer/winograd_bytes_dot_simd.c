/* winograd_bytes_dot_simd.c: see winograd_bytes_tiles.h.
 *
 * Share of the rate of pairs of 16 bits with AVX2, 24 tiles of 64 channels: 0.9. */
#include "kernels/conv_integer/winograd_bytes_tiles.h"

#include "kernels/kernels.h"
#include "kernels/simd.h"

#if !HAS_DOT_BYTES
enum { POINTS = ONRI_WINOGRAD_BYTES_POINTS, SIDE = 4 };
enum { VECTORS = SIMD_REGISTERS == 32 ? 4 : 2, COLUMNS = VECTORS * F32_LANES, ROWS = 6 };

/* Four values at the points 0, 1, -1 and infinity. */
INLINE void to_points(const vi16 x[SIDE], vi16 at[SIDE]) {
  at[0] = x[0] - x[2], at[1] = x[1] + x[2], at[2] = x[2] - x[1], at[3] = x[1] - x[3];
}

INLINE void forward_channels(const char *x, size_t line, size_t pixel, int16_t *v, size_t point) {
  vi16 columns[SIDE][SIDE];
  UNROLL for (int j = 0; j < SIDE; j++) {
    vi16 column[SIDE];
    UNROLL for (int i = 0; i < SIDE; i++) column[i] = i16_load(x + (size_t)i * line + (size_t)j * pixel);
    to_points(column, columns[j]);
  }
  UNROLL for (int i = 0; i < SIDE; i++) {
    const vi16 row[SIDE] = {columns[0][i], columns[1][i], columns[2][i], columns[3][i]};
    vi16 at[SIDE];
    to_points(row, at);
    UNROLL for (int j = 0; j < SIDE; j++) i16_store(v + (size_t)(i * SIDE + j) * point, at[j]);
  }
}

/* The last vector lies over the one before where it would be a part of one. */
static void forward(const char *x, size_t line, size_t channels, int16_t *v, size_t point) {
  for (size_t c = 0; c < channels; c += I16_LANES) {
    const size_t at = c + I16_LANES <= channels ? c : channels - I16_LANES;
    forward_channels(x + at * sizeof(int16_t), line, channels * sizeof(int16_t), v + at, point);
  }
}

INLINE void multiply(const int16_t *v, size_t channels, const int16_t *u, int32_t *m, const int rows) {
  vi32 sum[ROWS][VECTORS];
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int k = 0; k < VECTORS; k++) sum[r][k] = (vi32){0};
  for (size_t p = 0; p < channels; p += 2, u += 2 * COLUMNS) {
    vi32 b[VECTORS];
    UNROLL for (int k = 0; k < VECTORS; k++) b[k] = i32_load(u + k * 2 * F32_LANES);
    UNROLL for (int r = 0; r < rows; r++) {
      int32_t pair;
      memcpy(&pair, v + (size_t)r * channels + p, sizeof(pair));
      const vi32 x = i32_set(pair);
      UNROLL for (int k = 0; k < VECTORS; k++) sum[r][k] += i32_dot_pairs(x, b[k]);
    }
  }
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int k = 0; k < VECTORS; k++)
      i32_store(m + r * COLUMNS + k * F32_LANES, sum[r][k]);
}

static void product(const int16_t *v, size_t tiles, size_t channels, const int16_t *u, int32_t *m) {
  size_t t = 0;
  for (; t + ROWS <= tiles; t += ROWS) multiply(v + t * channels, channels, u, m + t * COLUMNS, ROWS);
  for (; t + 2 <= tiles; t += 2) multiply(v + t * channels, channels, u, m + t * COLUMNS, 2);
  if (t < tiles) multiply(v + t * channels, channels, u, m + t * COLUMNS, 1);
}

static void backward(const int32_t *m, size_t point, const int32_t *start, int32_t *y, size_t line, size_t pixel) {
  for (size_t k = 0; k < COLUMNS; k += F32_LANES) {
    vi32 rows[2][SIDE];
    UNROLL for (int j = 0; j < SIDE; j++) {
      vi32 x[SIDE];
      UNROLL for (int i = 0; i < SIDE; i++) x[i] = i32_load(m + (size_t)(i * SIDE + j) * point + k);
      rows[0][j] = x[0] + x[1] + x[2], rows[1][j] = x[1] - x[2] - x[3];
    }
    const vi32 first = i32_load(start + k);
    UNROLL for (int i = 0; i < 2; i++) {
      const vi32 *x = rows[i];
      i32_store(y + (size_t)i * line + k, ((x[0] + x[1] + x[2]) >> 2) + first);
      i32_store(y + (size_t)i * line + pixel + k, ((x[1] - x[2] - x[3]) >> 2) + first);
    }
  }
}

const struct onri_winograd_bytes_kernels ONRI_AT_LEVEL(onri_winograd_bytes_kernels) = {COLUMNS, forward, product,
                                                                                       backward};
#else
const struct onri_winograd_bytes_kernels ONRI_AT_LEVEL(onri_winograd_bytes_kernels) = {0};
#endif
