/* transpose_squares.h: squares of elements of 4 and 8 bytes, and strips of four, for *_simd.c files; see transpose.h.
 */
#ifndef ONRI_TRANSPOSE_SQUARES_H
#define ONRI_TRANSPOSE_SQUARES_H

#include <string.h>

#include "base/types.h"
#include "kernels/move/transpose.h"
#include "kernels/simd.h"

/* Where step i of a line begins: the last one goes over elements of the one before once more rather than being cut. */
INLINE size_t last_begin(size_t i, size_t step, size_t count) { return i + step <= count ? i : count - step; }

/* A part that begins at (a, b). */
static void one_by_one(const struct onri_transpose *t, size_t first_a, size_t first_b, size_t size) {
  for (size_t b = first_b; b < t->num_b; b++)
    for (size_t a = first_a; a < t->num_a; a++)
      memcpy(t->y + (ptrdiff_t)a * t->y_stride + b * size, t->x + (ptrdiff_t)b * t->x_stride + a * size, size);
}

/* Rows of y that lie far apart are written one after another, so that the processor sees a few long streams. */
INLINE int goes_along_y(const struct onri_transpose *t) { return t->y_stride >= 1024; }

/* The last square of a line goes over elements of the one before once more rather than being cut; a line that is
 * shorter than one is cut. */
#define SQUARES(prefix, LANES, BYTES)                                                                                  \
  INLINE void square_##prefix(const struct onri_transpose *t, size_t a, size_t b, size_t columns, size_t rows) {       \
    const char *x = t->x + (ptrdiff_t)b * t->x_stride + a * BYTES;                                                     \
    char *y = t->y + (ptrdiff_t)a * t->y_stride + b * BYTES;                                                           \
    v##prefix v[LANES];                                                                                                \
    if (rows == LANES && columns == LANES) {                                                                           \
      UNROLL for (size_t i = 0; i < LANES; i++) v[i] = prefix##_load(x + (ptrdiff_t)i * t->x_stride);                  \
      prefix##_transpose(v);                                                                                           \
      UNROLL for (size_t i = 0; i < LANES; i++) prefix##_store(y + (ptrdiff_t)i * t->y_stride, v[i]);                  \
    } else if (rows == LANES) {                                                                                        \
      UNROLL for (size_t i = 0; i < LANES; i++) v[i] = prefix##_load_part(x + (ptrdiff_t)i * t->x_stride, columns);    \
      prefix##_transpose(v);                                                                                           \
      UNROLL for (size_t i = 0; i < LANES; i++) if (i < columns) prefix##_store(y + (ptrdiff_t)i * t->y_stride, v[i]); \
    } else {                                                                                                           \
      for (size_t i = 0; i < LANES; i++)                                                                               \
        v[i] = i < rows ? prefix##_load_part(x + (ptrdiff_t)i * t->x_stride, columns) : (v##prefix){0};                \
      prefix##_transpose(v);                                                                                           \
      for (size_t i = 0; i < columns; i++) prefix##_store_part(y + (ptrdiff_t)i * t->y_stride, v[i], rows);            \
    }                                                                                                                  \
  }                                                                                                                    \
  /* Of the first num_a by num_b elements. */                                                                          \
  INLINE void walk_##prefix(const struct onri_transpose *t, size_t num_a, size_t num_b) {                              \
    const size_t rows = num_b < LANES ? num_b : LANES, columns = num_a < LANES ? num_a : LANES;                        \
    const int along_y = goes_along_y(t);                                                                               \
    const size_t outer = along_y ? num_a : num_b, inner = along_y ? num_b : num_a;                                     \
    for (size_t i = 0; i < outer; i += LANES)                                                                          \
      for (size_t k = 0; k < inner; k += LANES) {                                                                      \
        const size_t a = along_y ? i : k, b = along_y ? k : i;                                                         \
        square_##prefix(t, last_begin(a, columns, num_a), last_begin(b, rows, num_b), columns, rows);                  \
      }                                                                                                                \
  }
SQUARES(f64, F64_LANES, 8)
#undef SQUARES

/* Four columns of x by as many rows as a vector has lanes, and four rows of x by as many columns. */
INLINE void tall_strip(const struct onri_transpose *t, size_t a, size_t b) {
  const char *x = t->x + (ptrdiff_t)b * t->x_stride + a * 4;
  char *y = t->y + (ptrdiff_t)a * t->y_stride + b * 4;
  vf32 v[4];
  UNROLL for (int i = 0; i < 4; i++) v[i] = f32_load_fours(x + i * t->x_stride, 4 * t->x_stride);
  f32_transpose_fours(v);
  UNROLL for (int i = 0; i < 4; i++) f32_store(y + i * t->y_stride, v[i]);
}
INLINE void flat_strip(const struct onri_transpose *t, size_t a, size_t b) {
  const char *x = t->x + (ptrdiff_t)b * t->x_stride + a * 4;
  char *y = t->y + (ptrdiff_t)a * t->y_stride + b * 4;
  vf32 v[4];
  UNROLL for (int i = 0; i < 4; i++) v[i] = f32_load(x + i * t->x_stride);
  f32_transpose_fours(v);
  UNROLL for (int i = 0; i < 4; i++) f32_store_fours(y + i * t->y_stride, 4 * t->y_stride, v[i]);
}

/* Rows a power of two apart all want the same place in cache. */
INLINE int is_crowded(ptrdiff_t stride) { return stride % 2048 == 0; }

/* Tall strips side by side until a line of x is used up, which may not stay in cache. Where rows of y do not stay,
 * fewer of them are written at a time, unless x is long, or the stores are of whole lines. */
INLINE void walk_tall(const struct onri_transpose *t) {
  enum { LINE = 64, SHORT_ROW = 1024 };
  const int few = is_crowded(t->y_stride) && (SIMD_BYTES < LINE ? !is_crowded(t->x_stride) : t->x_stride < SHORT_ROW);
  const size_t columns = !goes_along_y(t) ? t->num_a : few ? 4 : LINE / sizeof(float);
  for (size_t first = 0; first < t->num_a; first += columns)
    for (size_t b = 0; b < t->num_b; b += F32_LANES)
      for (size_t a = first; a < first + columns && a < t->num_a; a += 4)
        tall_strip(t, last_begin(a, 4, t->num_a), last_begin(b, F32_LANES, t->num_b));
}

INLINE void walk_flat(const struct onri_transpose *t) {
  for (size_t a = 0; a < t->num_a; a += F32_LANES)
    for (size_t b = 0; b < t->num_b; b += 4)
      flat_strip(t, last_begin(a, F32_LANES, t->num_a), last_begin(b, 4, t->num_b));
}

/* What is too narrow for strips of either kind is no more than 15 by 15. */
static void squares_of_4_bytes(const struct onri_transpose *t) {
  if (t->num_b >= F32_LANES && t->num_a >= 4) walk_tall(t);
  else if (t->num_a >= F32_LANES && t->num_b >= 4) walk_flat(t);
  else one_by_one(t, 0, 0, sizeof(float));
}

static void squares_of_8_bytes(const struct onri_transpose *t) { walk_f64(t, t->num_a, t->num_b); }

/* Squares of 16 bytes a side, as many side by side as a vector has parts of 16 bytes. */
#define STACKS(bits, SIDE)                                                                                             \
  INLINE void turn_##bits(vi8 v[2][SIDE]) {                                                                            \
    UNROLL for (int round = 1, from = 0; round < SIDE; round *= 2, from = !from)                                       \
        UNROLL for (int i = 0; i < SIDE / 2; i++) {                                                                    \
      v[!from][2 * i] = i##bits##_zip_low(v[from][i], v[from][i + SIDE / 2]);                                          \
      v[!from][2 * i + 1] = i##bits##_zip_high(v[from][i], v[from][i + SIDE / 2]);                                     \
    }                                                                                                                  \
    UNROLL for (int i = 0; i < SIDE && SIDE == 8; i++) v[0][i] = v[1][i];                                              \
  }                                                                                                                    \
  /* One beneath the other: a vector of y is a column of all of them. */                                               \
  INLINE void stack_##bits(const struct onri_transpose *t, size_t a, size_t b, int columns) {                          \
    const char *x = t->x + (ptrdiff_t)b * t->x_stride + a * (bits / 8);                                                \
    char *y = t->y + (ptrdiff_t)a * t->y_stride + b * (bits / 8);                                                      \
    vi8 v[2][SIDE];                                                                                                    \
    UNROLL for (int i = 0; i < SIDE; i++) v[0][i] = (vi8)f32_load_fours(x + i * t->x_stride, SIDE * t->x_stride);      \
    turn_##bits(v);                                                                                                    \
    UNROLL for (int i = 0; i < SIDE; i++) if (i < columns) i8_store(y + i * t->y_stride, v[0][i]);                     \
  }                                                                                                                    \
  /* Of the first num_b rows. The last ones of a line go over elements of those before once more rather than being     \
   * cut; a line that is shorter than one is read over its end. */                                                     \
  static void stacks_##bits(const struct onri_transpose *t, size_t num_b) {                                            \
    const size_t num_a = t->num_a, high = SIMD_BYTES * 8 / bits;                                                       \
    for (size_t i = 0; i < num_b; i += high) {                                                                         \
      const size_t b = last_begin(i, high, num_b);                                                                     \
      if (num_a < SIDE) stack_##bits(t, 0, b, (int)num_a);                                                             \
      for (size_t a = 0; a < num_a && num_a >= SIDE; a += SIDE) stack_##bits(t, last_begin(a, SIDE, num_a), b, SIDE);  \
    }                                                                                                                  \
  }                                                                                                                    \
  /* Side by side, of rows too few for a vector of y. */                                                               \
  static void wide_stacks_##bits(const struct onri_transpose *t) {                                                     \
    const size_t wide = SIMD_BYTES * 8 / bits;                                                                         \
    for (size_t i = 0; i < t->num_a; i += wide)                                                                        \
      for (size_t k = 0; k < t->num_b; k += SIDE) {                                                                    \
        const size_t a = last_begin(i, wide, t->num_a), b = last_begin(k, SIDE, t->num_b);                             \
        const char *x = t->x + (ptrdiff_t)b * t->x_stride + a * (bits / 8);                                            \
        char *y = t->y + (ptrdiff_t)a * t->y_stride + b * (bits / 8);                                                  \
        vi8 v[2][SIDE];                                                                                                \
        UNROLL for (int r = 0; r < SIDE; r++) v[0][r] = i8_load(x + r * t->x_stride);                                  \
        turn_##bits(v);                                                                                                \
        UNROLL for (int r = 0; r < SIDE; r++) f32_store_fours(y + r * t->y_stride, SIDE * t->y_stride, (vf32)v[0][r]); \
      }                                                                                                                \
  }                                                                                                                    \
  /* Of the first num_a columns of few rows. What is written over the end of a line of y, the next one goes over. */   \
  static void few_rows_##bits(const struct onri_transpose *t, size_t num_a) {                                          \
    const size_t wide = SIMD_BYTES * 8 / bits;                                                                         \
    for (size_t i = 0; i < num_a; i += wide) {                                                                         \
      const size_t a = last_begin(i, wide, num_a);                                                                     \
      char lines[SIMD_BYTES * 128 / bits], *y = t->y + (ptrdiff_t)a * t->y_stride;                                     \
      vi8 v[2][SIDE] = {{{0}}};                                                                                        \
      UNROLL for (size_t b = 0; b < SIDE; b++) if (b < t->num_b) v[0][b] =                                             \
          i8_load(t->x + (ptrdiff_t)b * t->x_stride + a * (bits / 8));                                                 \
      turn_##bits(v);                                                                                                  \
      UNROLL for (int k = 0; k < SIDE; k++) f32_store_fours(lines + k * 16, SIDE * 16, (vf32)v[0][k]);                 \
      for (size_t k = 0; k < wide; k++) memcpy(y + (ptrdiff_t)k * t->y_stride, lines + k * 16, 16);                    \
    }                                                                                                                  \
  }
STACKS(8, 16)
STACKS(16, 8)
#undef STACKS

/* Lines of `bytes` bytes, `stride` apart, before whose end there are 16 bytes: where they are shorter, others follow.
 */
INLINE size_t reaching_lines(size_t lines, size_t bytes, ptrdiff_t stride) {
  const size_t over = bytes < 16 ? 16 - bytes : 0;
  if (over == 0) return lines;
  if (stride <= 0) return 0;
  const size_t last = (over + (size_t)stride - 1) / (size_t)stride;
  return lines > last ? lines - last : 0;
}

static int stacks(const struct onri_transpose *t, size_t size) {
  enum { FEW_BYTES = 5 };
  const size_t line_x = t->num_a * size, line_y = t->num_b * size, lanes = SIMD_BYTES / size;
  if (!ONRI_HERE_1 && !ONRI_HERE_2) return 0;
  if (size > 2 || line_x < FEW_BYTES || line_y < FEW_BYTES) return 0;
  const size_t rows = reaching_lines(t->num_b, line_x, t->x_stride);
  if (rows >= lanes) {
    (size == 1 ? stacks_8 : stacks_16)(t, rows);
    one_by_one(t, 0, rows, size);
    return 1;
  }
  if (SIMD_BYTES > 16 && line_y >= 16 && t->num_a >= lanes) {
    (size == 1 ? wide_stacks_8 : wide_stacks_16)(t);
    return 1;
  }
  const size_t columns = reaching_lines(t->num_a, line_y, t->y_stride);
  if (line_y >= 16 || t->y_stride != (ptrdiff_t)line_y || columns < lanes) return 0;
  (size == 1 ? few_rows_8 : few_rows_16)(t, columns);
  one_by_one(t, columns, 0, size);
  return 1;
}

#endif
