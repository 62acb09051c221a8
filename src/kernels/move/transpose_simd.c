/* transpose_simd.c: see transpose.h. A vector of the result is picked out of those of x lane by lane; narrow
 * elements lie in lanes of 32 bits meanwhile. In L2 all of it runs at 0.4 to 0.8 of the stores a core can do. */
#include "kernels/kernels.h"
#include "kernels/move/transpose_squares.h"

enum { MOST = ONRI_TRANSPOSE_FEW };

/* --- x in pixels of a few elements, side by side: one row of y for each of these --- */

/* Pixels that fill a vector, and vectors of x that hold them. */
INLINE size_t pixels_of(size_t size) { return size == 16 ? F32_LANES / 4 : size == 8 ? F32_LANES / 2 : F32_LANES; }
INLINE size_t vectors_of(size_t few, size_t size) {
  return (pixels_of(size) * few * size / 4 + F32_LANES - 1) / F32_LANES;
}

/* Elements in a lane of 32 bits, and lanes an element takes: one of them is 1, both are powers of two. */
INLINE int32_t elements_of_lane(size_t size) { return size < 4 ? (int32_t)(4 / size) : 1; }
INLINE int32_t lanes_of_element(size_t size) { return size < 4 ? 1 : (int32_t)(size / 4); }
INLINE int log2_of(int32_t n) { return n >= 4 ? 2 : n >> 1; }

/* Lane d of row `a`: where it lies in x, in units of 32 bits, and how many bits beyond. Rows are short: no divisions.
 */
INLINE void find_lanes(size_t a, size_t few, size_t size, vi32 *index, vi32 *shift) {
  const int32_t each = elements_of_lane(size), parts = lanes_of_element(size);
  const vi32 d = i32_lanes(), element = (d >> log2_of(parts)) * (int32_t)few + (int32_t)a;
  *index = (element >> log2_of(each)) * parts + (d & (parts - 1));
  *shift = (element & (each - 1)) * (int32_t)(size * 8);
}

INLINE void store_lanes(char *y, vi32 v, size_t size) {
  if (size == 1) i32_store_8(y, v);
  else if (size == 2) i32_store_16(y, v);
  else i32_store(y, v);
}

/* vectors: of x, as a constant, or 0: any. */
INLINE size_t separate_of(const struct onri_transpose *t, size_t size, const size_t constant) {
  const size_t few = t->num_a, step = pixels_of(size), count = constant ? constant : vectors_of(few, size);
  const int is_whole = few * step * size == count * SIMD_BYTES;
  vi32 index[MOST], shift[MOST];
  for (size_t a = 0; a < few; a++) find_lanes(a, few, size, &index[a], &shift[a]);
  for (size_t i = 0; i < t->num_b; i += step) {
    if (is_whole ? t->num_b < step : (t->num_b - i) * few * size < count * SIMD_BYTES || t->num_b - i < step) return i;
    const size_t b = last_begin(i, step, t->num_b);
    const char *x = t->x + (ptrdiff_t)b * t->x_stride;
    char *y = t->y + b * size;
    for (size_t a = 0; a < few; a++, y += t->y_stride) {
      const vi32 from = index[a];
      vi32 v = {0};
      for (size_t k = 0; k < count; k += 2) {
        const vi32 first = i32_load(x + k * SIMD_BYTES),
                   second = k + 1 < count ? i32_load(x + (k + 1) * SIMD_BYTES) : first;
        const vi32 picked = i32_pick(first, second, from & (2 * F32_LANES - 1));
        v = k == 0 ? picked : i32_select(from >= (int32_t)(k * F32_LANES), picked, v);
      }
      store_lanes(y, v >> shift[a], size);
    }
  }
  return t->num_b;
}

/* Pairs and fours of 4 bytes, which whole vectors are made of. */
static size_t separate_pairs(const struct onri_transpose *t) {
  if (t->num_b < F32_LANES) return 0;
  for (size_t i = 0; i < t->num_b; i += F32_LANES) {
    const size_t b = last_begin(i, F32_LANES, t->num_b);
    const vf32 first = f32_load(t->x + b * 8), second = f32_load(t->x + b * 8 + SIMD_BYTES);
    f32_store(t->y + b * 4, f32_even(first, second));
    f32_store(t->y + t->y_stride + b * 4, f32_odd(first, second));
  }
  return t->num_b;
}

static size_t separate_fours(const struct onri_transpose *t) {
  if (t->num_b < F32_LANES) return 0;
  for (size_t i = 0; i < t->num_b; i += F32_LANES) tall_strip(t, 0, last_begin(i, F32_LANES, t->num_b));
  return t->num_b;
}

static size_t separate(const struct onri_transpose *t, size_t size) {
  if (size == 4 && t->num_a == 2) return separate_pairs(t);
  if (size == 4 && t->num_a == 4) return separate_fours(t);
  switch (vectors_of(t->num_a, size)) {
    case 1: return separate_of(t, size, 1);
    case 2: return separate_of(t, size, 2);
    case 3: return separate_of(t, size, 3);
    case 4: return separate_of(t, size, 4);
    default: return separate_of(t, size, 0);
  }
}

/* --- the other way --- */

/* Of the dword of y in each lane, element i: the row of x that it comes from, and the lane there. */
INLINE void find_rows(int32_t vector, int32_t i, const int32_t few, size_t size, vi32 *row, vi32 *lane) {
  const int32_t each = elements_of_lane(size), parts = lanes_of_element(size);
  const vi32 at = i32_lanes() + vector * F32_LANES, element = (at >> log2_of(parts)) * each + i;
  const vi32 pixel = few == 2 ? element >> 1 : few == 4 ? element >> 2 : (element * 43) >> 7; /* up to 127: a third */
  *row = element - pixel * few;
  *lane = (pixel * parts + (at & (parts - 1))) & (F32_LANES - 1);
}

INLINE vi32 load_lanes(const char *x, size_t size) {
  return size == 1 ? i32_load_u8(x) : size == 2 ? i32_load_u16(x) : i32_load(x);
}

/* `few` rows of x, as a constant. */
INLINE size_t interleave_of(const struct onri_transpose *t, size_t size, const size_t few) {
  const size_t step = pixels_of(size), count = vectors_of(few, size);
  const size_t each = (size_t)elements_of_lane(size);
  vi32 row[MOST], lane[MOST], x[MOST];
  for (size_t k = 0, o = 0; o < count; o++)
    for (size_t i = 0; i < each; i++, k++) find_rows((int32_t)o, (int32_t)i, (int32_t)few, size, &row[k], &lane[k]);
  if (t->num_a < step) return 0;
  for (size_t first = 0; first < t->num_a; first += step) {
    const size_t a = last_begin(first, step, t->num_a);
    UNROLL for (size_t b = 0; b < few; b++) x[b] = load_lanes(t->x + (ptrdiff_t)b * t->x_stride + a * size, size);
    char *y = t->y + (ptrdiff_t)a * t->y_stride;
    size_t left = step * few * size / 4;
    for (size_t k = 0; k < count * each; k += each, left -= F32_LANES) {
      vi32 all = {0};
      for (size_t i = 0; i < each; i++) {
        vi32 v = i32_pick(x[0], x[1], lane[k + i] + (F32_LANES & (row[k + i] == 1)));
        UNROLL for (size_t b = 2; b < few; b++) v =
            i32_select(row[k + i] == (int32_t)b, i32_pick(x[b], x[b], lane[k + i]), v);
        all |= v << (int32_t)(i * size * 8);
      }
      if (left >= F32_LANES) i32_store(y, all);
      else i32_store_part(y, all, left);
      y += SIMD_BYTES;
    }
  }
  return t->num_a;
}

static size_t interleave_pairs(const struct onri_transpose *t) {
  if (t->num_a < F32_LANES) return 0;
  for (size_t i = 0; i < t->num_a; i += F32_LANES) {
    const size_t a = last_begin(i, F32_LANES, t->num_a);
    const vf32 first = f32_load(t->x + a * 4), second = f32_load(t->x + t->x_stride + a * 4);
    f32_store(t->y + a * 8, f32_interleave_low(first, second));
    f32_store(t->y + a * 8 + SIMD_BYTES, f32_interleave_high(first, second));
  }
  return t->num_a;
}

/* Twice pairs: stores of whole vectors, where those of a strip are of four elements each. */
static size_t interleave_fours(const struct onri_transpose *t) {
  if (t->num_a < F32_LANES) return 0;
  for (size_t i = 0; i < t->num_a; i += F32_LANES) {
    const size_t a = last_begin(i, F32_LANES, t->num_a);
    char *y = t->y + a * 16;
    vf32 x[4], z[4];
    UNROLL for (int b = 0; b < 4; b++) x[b] = f32_load(t->x + b * t->x_stride + a * 4);
    UNROLL for (int b = 0; b < 2; b++) {
      z[b] = f32_interleave_low(x[b], x[b + 2]);
      z[b + 2] = f32_interleave_high(x[b], x[b + 2]);
    }
    UNROLL for (int k = 0; k < 4; k += 2) {
      f32_store(y + k * SIMD_BYTES, f32_interleave_low(z[k], z[k + 1]));
      f32_store(y + (k + 1) * SIMD_BYTES, f32_interleave_high(z[k], z[k + 1]));
    }
  }
  return t->num_a;
}

static size_t interleave(const struct onri_transpose *t, size_t size) {
  if (size == 4 && t->num_b == 2) return interleave_pairs(t);
  if (size == 4 && t->num_b == 4) return interleave_fours(t);
  switch (t->num_b) {
    case 2: return interleave_of(t, size, 2);
    case 3: return interleave_of(t, size, 3);
    case 4: return interleave_of(t, size, 4);
    default: return 0;
  }
}

/* --- blocks that are put in another order --- */

enum { PERMUTED_VECTORS = 4 };

/* vectors: that hold a block, as a constant. */
INLINE void permute_of(const struct onri_permutation *p, const size_t vectors) {
  const size_t words = p->words;
  const char *from = p->x;
  char *y = p->y;
  vi32 index[PERMUTED_VECTORS], x[PERMUTED_VECTORS];
  UNROLL for (size_t i = 0; i < vectors; i++) index[i] = i32_load_part(p->index + i * F32_LANES, words - i * F32_LANES);
  for (size_t block = 0; block < p->count; block++, from += p->x_step, y += p->y_step) {
    UNROLL for (size_t i = 0; i < vectors; i++) x[i] = i32_load_part(from + i * SIMD_BYTES, words - i * F32_LANES);
    UNROLL for (size_t o = 0; o < vectors; o++) {
      const vi32 within = index[o] & (2 * F32_LANES - 1);
      vi32 v = i32_pick(x[0], x[vectors > 1], within);
      if (vectors > 2) v = i32_select(index[o] < 2 * F32_LANES, v, i32_pick(x[2], x[vectors - 1], within));
      i32_store_part(y + o * SIMD_BYTES, v, words - o * F32_LANES);
    }
  }
}

static void permute(const struct onri_permutation *p) {
  switch ((p->words + F32_LANES - 1) / F32_LANES) {
    case 1: permute_of(p, 1); break;
    case 2: permute_of(p, 2); break;
    case 3: permute_of(p, 3); break;
    default: permute_of(p, 4); break;
  }
}

/* --- small blocks, without a call for each --- */

enum { BLOCK_VECTORS = 4 };

/* vectors: whole ones, as a constant; what is left, if anything, lies in one that ends where the block ends. */
INLINE void blocks_of_vectors(const struct onri_blocks b, const size_t vectors, const int has_rest) {
  const char *x = b.x;
  char *y = b.y;
  const size_t last = b.bytes - SIMD_BYTES;
  for (size_t n = 0; n < b.count; n++, x += b.x_step, y += b.y_step) {
    UNROLL for (size_t i = 0; i < vectors; i++) i8_store(y + i * SIMD_BYTES, i8_load(x + i * SIMD_BYTES));
    if (has_rest) i8_store(y + last, i8_load(x + last));
  }
}

/* From one part to two. */
#define BLOCKS_OF_TWO(name, type)                                                  \
  static void name(const struct onri_blocks b) {                                   \
    const char *x = b.x;                                                           \
    char *y = b.y;                                                                 \
    const size_t last = b.bytes - sizeof(type);                                    \
    for (size_t n = 0; n < b.count; n++, x += b.x_step, y += b.y_step) {           \
      type part[2];                                                                \
      memcpy(&part[0], x, sizeof(type)), memcpy(&part[1], x + last, sizeof(type)); \
      memcpy(y, &part[0], sizeof(type)), memcpy(y + last, &part[1], sizeof(type)); \
    }                                                                              \
  }
typedef struct {
  uint64_t half[2];
} sixteen;
typedef struct {
  uint64_t quarter[4];
} thirty_two;
BLOCKS_OF_TWO(blocks_of_8, uint64_t)
BLOCKS_OF_TWO(blocks_of_16, sixteen)
BLOCKS_OF_TWO(blocks_of_32, thirty_two)

/* The first vector ends where those of y are aligned, or goes over some of the next; the last ends where the block
 * ends. memcpy's string instruction runs at half the speed, or a tenth, where x and y are aligned in different ways. */
INLINE void long_block(char *y, const char *x, size_t bytes) {
  enum { TOGETHER = 4 };
  const size_t last = bytes - SIMD_BYTES;
  size_t i = SIMD_BYTES - (uintptr_t)y % SIMD_BYTES;
  i8_store(y, i8_load(x));
  for (; i + TOGETHER * SIMD_BYTES <= bytes; i += TOGETHER * SIMD_BYTES) {
    vi8 v[TOGETHER];
    UNROLL for (int k = 0; k < TOGETHER; k++) v[k] = i8_load(x + i + (size_t)k * SIMD_BYTES);
    UNROLL for (int k = 0; k < TOGETHER; k++) i8_store(y + i + (size_t)k * SIMD_BYTES, v[k]);
  }
  for (; i < last; i += SIMD_BYTES) i8_store(y + i, i8_load(x + i));
  i8_store(y + last, i8_load(x + last));
}

static int blocks(const struct onri_blocks *given) {
  const struct onri_blocks b = *given;
  const size_t vectors = b.bytes / SIMD_BYTES;
  const int has_rest = b.bytes % SIMD_BYTES != 0;
  if (b.bytes < 8 || (vectors > BLOCK_VECTORS && SIMD_BYTES == 16)) return 0;
  if (vectors > BLOCK_VECTORS || (vectors == BLOCK_VECTORS && has_rest))
    for (size_t n = 0; n < b.count; n++)
      long_block(b.y + (ptrdiff_t)n * b.y_step, b.x + (ptrdiff_t)n * b.x_step, b.bytes);
  else if (b.bytes < 16) blocks_of_8(b);
  else if (vectors == 0 && b.bytes <= 32) blocks_of_16(b);
  else if (vectors == 0) blocks_of_32(b);
  else if (vectors == 1) has_rest ? blocks_of_vectors(b, 1, 1) : blocks_of_vectors(b, 1, 0);
  else if (vectors == 2) has_rest ? blocks_of_vectors(b, 2, 1) : blocks_of_vectors(b, 2, 0);
  else if (vectors == 3) has_rest ? blocks_of_vectors(b, 3, 1) : blocks_of_vectors(b, 3, 0);
  else blocks_of_vectors(b, 4, 0);
  return 1;
}

const struct onri_transpose_kernels ONRI_AT_LEVEL(onri_transpose_kernels) = {
    SIMD_BYTES > 16 ? separate : 0,
    SIMD_BYTES > 16 ? interleave : 0,
    stacks,
    squares_of_4_bytes,
    squares_of_8_bytes,
    permute,
    blocks,
    SIMD_BYTES > 16 ? PERMUTED_VECTORS *F32_LANES : 0};
