/* sgemm_tile.h: the innermost part of float32 products, for *_simd.c files.
 *
 * A tile of C is held in registers while the depth is walked: SGEMM_ROWS rows of SGEMM_VECTORS vectors. B comes as
 * panels of SGEMM_COLUMNS columns, [depth][SGEMM_COLUMNS], or as it is where its columns are contiguous. */
#ifndef ONRI_SGEMM_TILE_H
#define ONRI_SGEMM_TILE_H

#include "kernels/simd.h"

enum {
  SGEMM_ROWS = FMA_HAS_LANES          ? 10
               : SIMD_REGISTERS == 32 ? 14
                                      : 6, /* with lanes, beside columns of several terms */
  SGEMM_VECTORS = 2,
  SGEMM_COLUMNS = SGEMM_VECTORS * F32_LANES,
  SGEMM_MOST_VECTORS = 8 /* of one row, or of few */
};

/* B comes from memory for the first tiles of a slice, which would wait for it: while those of the slice before run, it
 * is fetched, some with each term. */
struct sgemm_fetch {
  const char *next;
  size_t step; /* bytes */
};

/* With every so many terms. A line is wanted with every other term of the first of four tiles of 14 rows, and less
 * often of those of 6, which a fetch with each term makes 0.07 slower. Fewer tiles are as fast as memory. */
enum {
  SGEMM_FETCH_TERMS = FMA_HAS_LANES          ? F32_LANES
                      : SIMD_REGISTERS == 32 ? 1
                                             : 2,
  SGEMM_FETCH_DOWN = 4,
  SGEMM_FETCH_ROWS = SIMD_REGISTERS == 32 ? 10 : 4 /* so many tiles have at least these */
};

#if FMA_HAS_LANES
/* As many terms at a time as a vector of A has, each of which is multiplied by where it lies. Returns how many. */
INLINE size_t sgemm_add_lanes(const int rows, const int vectors, const float *a, size_t row, const float *b,
                              size_t pitch, size_t step, size_t depth, const struct sgemm_fetch *fetch, vf32 *sum) {
  const char *next = fetch ? fetch->next : NULL;
  const float *from[SGEMM_ROWS];
  size_t p = 0;
  UNROLL for (int r = 0; r < rows; r++) {
    from[r] = a + (size_t)r * row;
    __asm__("" : "+r"(from[r])); /* else it is worked out from the others again with every load */
  }
  for (; p + F32_LANES <= depth; p += F32_LANES) {
    vf32 at[F32_LANES][SGEMM_MOST_VECTORS];
    if (fetch) simd_prefetch(next), next += fetch->step;
    UNROLL for (int t = 0; t < F32_LANES; t++, b += step) UNROLL for (int v = 0; v < vectors; v++) at[t][v] =
        f32_load(b + (size_t)(v / SGEMM_VECTORS) * pitch + (size_t)(v % SGEMM_VECTORS) * F32_LANES);
    UNROLL for (int r = 0; r < rows; r++, from[r - 1] += F32_LANES) {
      const vf32 x = f32_load(from[r]);
      UNROLL for (int t = 0; t < F32_LANES; t++) UNROLL for (int v = 0; v < vectors; v++) sum[r * vectors + v] =
          f32_fma_lane(x, t, at[t][v], sum[r * vectors + v]);
    }
  }
  return p;
}
#endif

/* sum[rows][vectors] = A [rows, depth] B [depth, vectors]. Vector v of B lies in panel v / SGEMM_VECTORS, `pitch` from
 * one to the next; step: from one row of it to the next. The rows of A are contiguous, `row` apart: a few terms at a
 * time, addressed from every third row. */
INLINE void sgemm_sums_of_rows(const int rows, const int vectors, const float *a, size_t row, const float *b,
                               size_t pitch, size_t step, size_t depth, const struct sgemm_fetch *fetch, vf32 *sum) {
  const char *next = fetch ? fetch->next : NULL;
  enum { TERMS = 4, THIRDS = (SGEMM_ROWS + 2) / 3 };
  const float *third[THIRDS];
  UNROLL for (int i = 0; i < THIRDS; i++) third[i] = a + (size_t)(3 * i) * row;
  UNROLL for (int i = 0; i < rows * vectors; i++) sum[i] = (vf32){0};
  size_t p = 0;
#if FMA_HAS_LANES
  if (rows > 1) {
    p = sgemm_add_lanes(rows, vectors, a, row, b, pitch, step, depth, fetch, sum);
    UNROLL for (int i = 0; i < THIRDS; i++) third[i] += p;
    b += p * step;
    next += fetch ? p / SGEMM_FETCH_TERMS * fetch->step : 0;
  }
#endif
  while (p < depth) {
    const int terms = !(FMA_HAS_LANES && rows > 1) && p + TERMS <= depth ? TERMS : 1;
    UNROLL for (int t = 0; t < TERMS; t++) {
      vf32 at[SGEMM_MOST_VECTORS];
      if (t >= terms) break;
      if (fetch && p % SGEMM_FETCH_TERMS == 0) simd_prefetch(next), next += fetch->step;
      UNROLL for (int v = 0; v < vectors; v++) at[v] =
          f32_load(b + (size_t)(v / SGEMM_VECTORS) * pitch + (size_t)(v % SGEMM_VECTORS) * F32_LANES);
      UNROLL for (int r = 0; r < rows; r++) {
        const vf32 x = f32_set(third[r / 3][(size_t)(r % 3) * row + (size_t)t]);
        UNROLL for (int v = 0; v < vectors; v++) sum[r * vectors + v] = f32_fma(x, at[v], sum[r * vectors + v]);
      }
      b += step;
    }
    UNROLL for (int i = 0; i < THIRDS; i++) third[i] += terms;
    p += (size_t)terms;
  }
}

/* The same of an A of any strides, in less code. */
INLINE void sgemm_sums(const int rows, const int vectors, const float *a, size_t a_row, size_t a_col, const float *b,
                       size_t pitch, size_t step, size_t depth, const struct sgemm_fetch *fetch, vf32 *sum) {
  if (FMA_HAS_LANES && rows > 1 && a_col == 1) {
    sgemm_sums_of_rows(rows, vectors, a, a_row, b, pitch, step, depth, fetch, sum);
    return;
  }
  const char *next = fetch ? fetch->next : NULL;
  UNROLL for (int i = 0; i < rows * vectors; i++) sum[i] = (vf32){0};
  for (size_t p = 0; p < depth; p++, a += a_col, b += step) {
    vf32 at[SGEMM_MOST_VECTORS];
    if (fetch && p % SGEMM_FETCH_TERMS == 0) simd_prefetch(next), next += fetch->step;
    UNROLL for (int v = 0; v < vectors; v++) at[v] =
        f32_load(b + (size_t)(v / SGEMM_VECTORS) * pitch + (size_t)(v % SGEMM_VECTORS) * F32_LANES);
    UNROLL for (int r = 0; r < rows; r++) {
      const vf32 x = f32_set(a[(size_t)r * a_row]);
      UNROLL for (int v = 0; v < vectors; v++) sum[r * vectors + v] = f32_fma(x, at[v], sum[r * vectors + v]);
    }
  }
}

/* F(rows) for each number of rows that a tile may have. */
#define SGEMM_ROWS_UP_TO_6(F) F(1) F(2) F(3) F(4) F(5) F(6)
#define SGEMM_ROWS_UP_TO_10(F) SGEMM_ROWS_UP_TO_6(F) F(7) F(8) F(9) F(10)
#define SGEMM_ROWS_UP_TO_14(F) SGEMM_ROWS_UP_TO_10(F) F(11) F(12) F(13) F(14)
#if FMA_HAS_LANES
#define SGEMM_EACH_ROWS SGEMM_ROWS_UP_TO_10
#elif SIMD_REGISTERS == 32
#define SGEMM_EACH_ROWS SGEMM_ROWS_UP_TO_14
#else
#define SGEMM_EACH_ROWS SGEMM_ROWS_UP_TO_6
#endif

/* to [rows][to_row] = A [rows, depth] of any strides. */
INLINE void sgemm_copy_rows(const float *a, size_t a_row, size_t a_col, size_t rows, size_t depth, float *to,
                            size_t to_row) {
  for (size_t p = 0; p < depth; p += F32_LANES) {
    const size_t terms = depth - p;
    for (size_t first = 0; first < rows; first += F32_LANES) {
      const float *from = a + first * a_row + p * a_col;
      const size_t left = rows - first < F32_LANES ? rows - first : F32_LANES;
      vf32 block[F32_LANES];
      for (size_t i = 0; i < F32_LANES; i++) {
        const float *at = from + i * (a_col == 1 ? a_row : a_col);
        if (a_col == 1) block[i] = i < left ? f32_load_part(at, terms) : (vf32){0};
        else if (i >= terms) block[i] = (vf32){0};
        else block[i] = a_row == 1 ? f32_load_part(at, left) : f32_gather_part(at, a_row, left);
      }
      if (a_col != 1) f32_transpose(block);
      for (size_t i = 0; i < left; i++) f32_store_part(to + (first + i) * to_row + p, block[i], terms);
    }
  }
}

/* A vector of columns, of which `columns` are contiguous in memory: a block of depth at a time, rows `row` apart; 0
 * behind the last one. */
INLINE void sgemm_pack_columns(const float *b, size_t b_col, size_t depth, size_t columns, float *to,
                               const size_t row) {
  vf32 block[F32_LANES];
  size_t p = 0;
  for (; columns >= F32_LANES && p + F32_LANES <= depth; p += F32_LANES) {
    UNROLL for (size_t r = 0; r < F32_LANES; r++) block[r] = f32_load(b + r * b_col + p);
    f32_transpose(block);
    UNROLL for (size_t i = 0; i < F32_LANES; i++) f32_store(to + (p + i) * row, block[i]);
  }
  for (; p < depth; p += F32_LANES) {
    const size_t left = depth - p < F32_LANES ? depth - p : F32_LANES;
    for (size_t r = 0; r < F32_LANES; r++) block[r] = r < columns ? f32_load_part(b + r * b_col + p, left) : (vf32){0};
    f32_transpose(block);
    for (size_t i = 0; i < left; i++) f32_store(to + (p + i) * row, block[i]);
  }
}

/* to [depth][vectors][F32_LANES] = B [depth, columns], 0 behind the last column. */
INLINE void sgemm_pack_vectors(const float *b, size_t b_row, size_t b_col, size_t depth, size_t columns,
                               const size_t vectors, float *to) {
  const size_t row = vectors * F32_LANES;
  for (size_t v = 0; v < vectors; v++, b += F32_LANES * b_col, to += F32_LANES) {
    const size_t left = v * F32_LANES < columns ? columns - v * F32_LANES : 0;
    if (b_row == 1 && b_col != 1) {
      sgemm_pack_columns(b, b_col, depth, left, to, row);
      continue;
    }
    for (size_t p = 0; p < depth; p++)
      f32_store(to + p * row, b_col == 1 ? f32_load_part(b + (left ? p * b_row : 0), left)
                                         : f32_gather_part(b + (left ? p * b_row : 0), b_col, left));
  }
}

/* One panel. */
INLINE void sgemm_pack_panel(const float *b, size_t b_row, size_t b_col, size_t depth, size_t columns, float *to) {
  sgemm_pack_vectors(b, b_row, b_col, depth, columns, SGEMM_VECTORS, to);
}

/* Whole panels of a slice whose rows are contiguous: a few rows at a time, as they lie in memory. */
INLINE void sgemm_pack_panels(const float *b, size_t b_row, size_t depth, size_t panels, float *to) {
  enum { FEW = 8 };
  for (size_t p = 0; p < depth; p += FEW)
    for (size_t j = 0; j < panels; j++) {
      const float *from = b + p * b_row + j * SGEMM_COLUMNS;
      float *at = to + (j * depth + p) * SGEMM_COLUMNS;
      for (size_t i = 0; i < FEW && p + i < depth; i++)
        UNROLL for (size_t v = 0; v < SGEMM_VECTORS; v++)
            f32_store(at + i * SGEMM_COLUMNS + v * F32_LANES, f32_load(from + i * b_row + v * F32_LANES));
    }
}

#endif
