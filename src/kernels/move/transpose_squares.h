/* transpose_squares.h: squares of elements of 4 and 8 bytes, and strips of four, for *_simd.c files; see transpose.h.
 */
#ifndef ONRI_TRANSPOSE_SQUARES_H
#define ONRI_TRANSPOSE_SQUARES_H

#include <string.h>

#include "kernels/move/transpose.h"
#include "kernels/simd.h"

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
        square_##prefix(t, a + columns > num_a ? num_a - columns : a, b + rows > num_b ? num_b - rows : b, columns,    \
                        rows);                                                                                         \
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

/* The last strip of a line goes over elements of the one before once more rather than being cut. What is too narrow for
 * strips of either kind is done by itself: it is no more than 15 by 15. */
static void squares_of_4_bytes(const struct onri_transpose *t) {
  const size_t num_a = t->num_a, num_b = t->num_b;
  const int is_tall = num_b >= F32_LANES && num_a >= 4, along_y = goes_along_y(t) || !is_tall;
  const size_t step_a = is_tall ? 4 : F32_LANES, step_b = is_tall ? F32_LANES : 4;
  if (!is_tall && (num_a < F32_LANES || num_b < 4)) {
    for (size_t a = 0; a < num_a; a++)
      for (size_t b = 0; b < num_b; b++)
        memcpy(t->y + (ptrdiff_t)a * t->y_stride + b * 4, t->x + (ptrdiff_t)b * t->x_stride + a * 4, 4);
    return;
  }
  const size_t outer = along_y ? num_a : num_b, inner = along_y ? num_b : num_a;
  for (size_t i = 0; i < outer; i += along_y ? step_a : step_b)
    for (size_t k = 0; k < inner; k += along_y ? step_b : step_a) {
      const size_t a = along_y ? i : k, b = along_y ? k : i;
      const size_t from_a = a + step_a > num_a ? num_a - step_a : a, from_b = b + step_b > num_b ? num_b - step_b : b;
      if (is_tall) tall_strip(t, from_a, from_b);
      else flat_strip(t, from_a, from_b);
    }
}

static void squares_of_8_bytes(const struct onri_transpose *t) { walk_f64(t, t->num_a, t->num_b); }

/* Squares of 16 bytes a side, one beneath the other, as many as a vector has parts of 16 bytes: a vector of y is a
 * column of all of them. */
#define STACKS(bits, SIDE)                                                                                        \
  INLINE void stack_##bits(const struct onri_transpose *t, size_t a, size_t b) {                                  \
    const char *x = t->x + (ptrdiff_t)b * t->x_stride + a * (bits / 8);                                           \
    char *y = t->y + (ptrdiff_t)a * t->y_stride + b * (bits / 8);                                                 \
    vi8 v[2][SIDE];                                                                                               \
    UNROLL for (int i = 0; i < SIDE; i++) v[0][i] = (vi8)f32_load_fours(x + i * t->x_stride, SIDE * t->x_stride); \
    UNROLL for (int round = 1, from = 0; round < SIDE; round *= 2, from = !from)                                  \
        UNROLL for (int i = 0; i < SIDE / 2; i++) {                                                               \
      v[!from][2 * i] = i##bits##_zip_low(v[from][i], v[from][i + SIDE / 2]);                                     \
      v[!from][2 * i + 1] = i##bits##_zip_high(v[from][i], v[from][i + SIDE / 2]);                                \
    }                                                                                                             \
    UNROLL for (int i = 0; i < SIDE; i++) i8_store(y + i * t->y_stride, v[SIDE == 8][i]);                         \
  }                                                                                                               \
  /* The last ones of a line go over elements of those before once more rather than being cut. */                 \
  static void stacks_##bits(const struct onri_transpose *t) {                                                     \
    const size_t num_a = t->num_a, num_b = t->num_b, high = SIMD_BYTES * 8 / bits;                                \
    for (size_t b = 0; b < num_b; b += high)                                                                      \
      for (size_t a = 0; a < num_a; a += SIDE)                                                                    \
        stack_##bits(t, a + SIDE > num_a ? num_a - SIDE : a, b + high > num_b ? num_b - high : b);                \
  }
STACKS(8, 16)
STACKS(16, 8)
#undef STACKS

static int stacks(const struct onri_transpose *t, size_t size) {
  if (size > 2 || t->num_a < 16 / size || t->num_b < SIMD_BYTES / size) return 0;
  (size == 1 ? stacks_8 : stacks_16)(t);
  return 1;
}

#endif
