/* half_product_half_simd.c: see half_product.h. */
#include "kernels/kernels.h"
#include "kernels/matmul/half_product.h"
#include "kernels/matmul/sgemm_tile.h"
#include "kernels/simd/half.h"

#if HAS_F16

enum { VECTORS = 2, COLUMNS = VECTORS * F16_LANES, MOST_PANELS = 4 /* of one row */ };
_Static_assert(COLUMNS == 2 * SGEMM_COLUMNS, "a panel is two of float32");
_Static_assert(ONRI_HALF_ROWS *VECTORS + VECTORS + 1 <= SIMD_REGISTERS, "sums stay in registers");

/* --- scales: a power of two, which makes the largest finite number one of [2^order, 2^(order + 1)) --- */

enum { A_ORDER = 3, B_ORDER = 4 };
_Static_assert(ONRI_HALF_TERMS << (A_ORDER + B_ORDER + 2) <= 1 << 15, "no sum is beyond float16");

/* The magnitude's bits, 0 where it is not finite. They are in order as integers. */
INLINE vi32 size_of(vf32 x) {
  const vi32 bits = (vi32)x & 0x7FFFFFFF;
  return bits & (bits < 0x7F800000);
}

INLINE vi32 larger(vi32 a, vi32 b) {
  const vi32 first = a > b;
  return (a & first) | (b & ~first);
}

/* The factor, and what turns it back; sizes so small that one of both would not be normal are taken for larger ones. */
INLINE vf32 factor_of(vi32 size, const int order, vf32 *back) {
  const vi32 exponent = larger(size >> 23, i32_set(order + 1));
  *back = (vf32)((exponent - order) << 23);
  return (vf32)((254 + order - exponent) << 23);
}

/* --- packing --- */

static void measure(const float *floats, size_t depth, int32_t *sizes) {
  for (size_t j = 0; j < SGEMM_COLUMNS; j += F32_LANES) {
    vi32 size = i32_load(sizes + j);
    for (size_t p = 0; p < depth; p++) size = larger(size, size_of(f32_load(floats + p * SGEMM_COLUMNS + j)));
    i32_store(sizes + j, size);
  }
}

static void pack_half(const float *floats, size_t from, size_t depth, size_t half, const int32_t *sizes, void *packed) {
  float *scales = packed;
  uint16_t *halves = (uint16_t *)(scales + COLUMNS) + from * COLUMNS + half * SGEMM_COLUMNS;
  scales += half * SGEMM_COLUMNS;
  for (size_t j = 0; j < SGEMM_COLUMNS; j += F32_LANES) {
    vf32 back;
    const vf32 factor = factor_of(i32_load(sizes + j), B_ORDER, &back);
    f32_store(scales + j, back);
    for (size_t p = 0; p < depth; p++)
      f32_store_f16(halves + p * COLUMNS + j, factor * f32_load(floats + p * SGEMM_COLUMNS + j));
  }
}

INLINE vf32 load_terms(const float *a, size_t step, size_t count) {
  if (step != 1) return f32_gather_part(a, step, count);
  return count < F32_LANES ? f32_load_part(a, count) : f32_load(a);
}

/* Beyond the depth up to a whole vector, zeros are written. */
static void pack_rows(const float *a, size_t a_row, size_t a_col, size_t rows, size_t depth, uint32_t *packed,
                      float *scales) {
  for (size_t r = 0; r < rows; r++, a += a_row, packed += ONRI_HALF_PITCH) {
    vi32 size = {0};
    vf32 back;
    int32_t lanes[F32_LANES], most = 0;
    for (size_t p = 0; p < depth; p += F32_LANES)
      size = larger(size, size_of(load_terms(a + p * a_col, a_col, depth - p)));
    i32_store(lanes, size);
    for (size_t l = 0; l < F32_LANES; l++) most = most > lanes[l] ? most : lanes[l];
    const vf32 factor = factor_of(i32_set(most), A_ORDER, &back);
    scales[r] = back[0];
    for (size_t p = 0; p < depth; p += F32_LANES)
      i32_store(packed + p, f16_pairs(factor * load_terms(a + p * a_col, a_col, depth - p)));
  }
}

/* --- products --- */

enum { PER_VECTOR = 2 /* of float32 in one of float16 */, MOST_SUMS = ONRI_HALF_ROWS * VECTORS };
_Static_assert(MOST_PANELS *VECTORS <= MOST_SUMS, "a row of panels fits the room");

/* wide[rows][panels * VECTORS * PER_VECTOR] = the sums of a tile, not scaled. */
INLINE void sum_tile(const struct onri_half_slice *s, const char *b, size_t pitch, const int rows, const int panels,
                     const int vectors, vf32 *wide) {
  const int count = rows * panels * vectors;
  UNROLL for (int i = 0; i < count * PER_VECTOR; i++) wide[i] = (vf32){0};
  for (size_t from = 0; from < s->depth; from += ONRI_HALF_TERMS) {
    const size_t left = s->depth - from, terms = left < ONRI_HALF_TERMS ? left : ONRI_HALF_TERMS;
    const uint32_t *a = s->a + from;
    const char *at = b + COLUMNS * sizeof(float) + from * COLUMNS * sizeof(uint16_t);
    vf16 sum[MOST_SUMS];
    UNROLL for (int i = 0; i < count; i++) sum[i] = f16_zero();
    for (size_t p = 0; p < terms; p++, a++, at += COLUMNS * sizeof(uint16_t)) {
      vf16 x[MOST_PANELS * VECTORS];
      UNROLL for (int v = 0; v < panels * vectors; v++) x[v] =
          f16_load(at + (size_t)(v / vectors) * pitch + (size_t)(v % vectors) * F16_LANES * sizeof(uint16_t));
      UNROLL for (int r = 0; r < rows; r++) {
        const vf16 y = f16_pair(a + r * ONRI_HALF_PITCH);
        UNROLL for (int v = 0; v < panels * vectors; v++) sum[r * panels * vectors + v] =
            f16_fma(y, x[v], sum[r * panels * vectors + v]);
      }
    }
    UNROLL for (int i = 0; i < count; i++) {
      wide[i * PER_VECTOR] += f16_low(sum[i]);
      wide[i * PER_VECTOR + 1] += f16_high(sum[i]);
    }
  }
}

/* From panel b on, whose first column is `column`. */
INLINE void run_tile(const struct onri_half_slice *s, const char *b, size_t pitch, size_t column, const int rows,
                     const int panels, const int vectors) {
  enum { EACH = VECTORS * PER_VECTOR };
  vf32 wide[MOST_SUMS * PER_VECTOR];
  sum_tile(s, b, pitch, rows, panels, vectors, wide);
  for (int v = 0; v < panels * vectors * PER_VECTOR; v++) {
    const size_t at = column + (size_t)v * F32_LANES, left = s->columns - at;
    if (at >= s->columns) break;
    const vf32 scale = f32_load(b + (size_t)(v / EACH) * pitch + (size_t)(v % EACH) * sizeof(vf32));
    for (int r = 0; r < rows; r++) {
      float *c = s->c + (size_t)r * s->c_row + at;
      vf32 sums = wide[r * panels * vectors * PER_VECTOR + v] * f32_set(s->a_scales[r]) * scale;
      if (s->accumulate) sums += left < F32_LANES ? f32_load_part(c, left) : f32_load(c);
      if (left < F32_LANES) f32_store_part(c, sums, left);
      else f32_store(c, sums);
    }
  }
}

typedef void (*tile_function)(const struct onri_half_slice *s, const char *b, size_t pitch, size_t column);
#define TILE_OF(name, rows, panels, vectors)                                                      \
  static void name(const struct onri_half_slice *s, const char *b, size_t pitch, size_t column) { \
    run_tile(s, b, pitch, column, rows, panels, vectors);                                         \
  }
#define TILE(n) TILE_OF(tile_##n, n, 1, VECTORS) TILE_OF(narrow_##n, n, 1, 1)
SGEMM_ROWS_UP_TO_14(TILE)
TILE_OF(wide_row, 1, MOST_PANELS, VECTORS)
#undef TILE
#define ENTRY(n) {tile_##n, narrow_##n},
static const tile_function tiles[][2] = {{NULL}, SGEMM_ROWS_UP_TO_14(ENTRY)};
#undef ENTRY
_Static_assert(sizeof(tiles) / sizeof(tiles[0]) == ONRI_HALF_ROWS + 1, "a function for each number of rows");

static void multiply(const struct onri_half_slice *s) {
  const size_t pitch = COLUMNS * (sizeof(float) + s->depth * sizeof(uint16_t));
  const char *b = s->b;
  for (size_t column = 0, panels; column < s->columns; column += panels * COLUMNS, b += panels * pitch) {
    const size_t left = s->columns - column;
    panels = s->rows == 1 && left >= MOST_PANELS * COLUMNS ? MOST_PANELS : 1;
    (panels > 1 ? wide_row : tiles[s->rows][left <= F16_LANES])(s, b, pitch, column);
  }
}

const struct onri_half_product_kernels ONRI_AT_LEVEL(onri_half_product_kernels) = {ONRI_HALF_ROWS, COLUMNS,   measure,
                                                                                   pack_half,      pack_rows, multiply};

#else
const struct onri_half_product_kernels ONRI_AT_LEVEL(onri_half_product_kernels) = {0};
#endif
