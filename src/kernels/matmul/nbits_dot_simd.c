/* nbits_dot_simd.c: see nbits_panel.h. Fields are unsigned, bytes of A signed, as the instructions for bytes take them;
 * where both have signs, those of 8 bits are 128 less.
 * Those of AVX2 sum in 16 bits, which hold some products of four bits; eight are twice four. Levels without any
 * multiply pairs of 16 bits.
 *
 * One row by 4 bits that are not in cache, on a core with VNNI: in bytes at the rate of memory (30 GB/s), in float32 at
 * 0.6 of it, 2 bits at 0.35; with AVX2 at 9 and 8 GB/s. 64 rows in bytes: 0.53 of the integer rate (470 GOP/s). */
#include "kernels/kernels.h"
#include "kernels/matmul/nbits_panel.h"
#include "kernels/simd.h"

#if SIMD_BYTES >= 32 || HAS_DOT_BYTES
enum { GROUP = 4, CELL = 1 };
#else
enum { GROUP = 2, CELL = 2 };
#endif
/* AHEAD: words of one row's products are fetched so early that they come from memory. */
enum { AHEAD = 512 };
enum { VECTORS = 2, COLUMNS = VECTORS * F32_LANES, ROWS = SIMD_REGISTERS == 32 ? 8 : 4, FIELD_BITS = 32 / GROUP };

/* Words of a block, steps in a word: in each, the lowest bits of all fields are what is multiplied. */
struct form {
  size_t words, steps;
  int32_t bits, field, all; /* masks: of one field, of all */
  int32_t flip;             /* of all: what takes `taken` off */
  int32_t taken;
};

INLINE struct form form_of(const struct onri_nbits_panel *p) {
  struct form f = {.words = p->block * (size_t)p->bits / 32, .steps = (size_t)(FIELD_BITS / p->bits), .bits = p->bits};
  f.field = (1 << p->bits) - 1;
  f.all = (int32_t)((uint32_t)f.field * (GROUP == 4 ? 0x01010101u : 0x00010001u));
  if (DOT_IS_SIGNED && p->bits == 8) f.taken = 128, f.flip = (int32_t)0x80808080;
  return f;
}

INLINE vf32 load_real(enum onr_dtype type, const char *from, size_t at) {
  if (type == ONR_DTYPE_F32) return f32_load(from + 4 * at);
  return type == ONR_DTYPE_F16 ? f32_load_f16(from + 2 * at) : f32_load_bf16(from + 2 * at);
}
INLINE vf32 scales_at(const struct onri_nbits_panel *p, size_t block, int v) {
  return load_real(p->real, p->scales, block * COLUMNS + (size_t)v * F32_LANES);
}
INLINE vi32 whole_zeros_at(const struct onri_nbits_panel *p, size_t block, int v) {
  return p->kind == ONRI_NBITS_BYTES ? i32_load_u8(p->zeros + block * COLUMNS + (size_t)v * F32_LANES)
                                     : i32_set(1 << (p->bits - 1));
}
/* Zero points from the middle of what the bits can say. */
INLINE vf32 zeros_at(const struct onri_nbits_panel *p, size_t block, int v) {
  const vf32 zeros = p->kind == ONRI_NBITS_REALS ? load_real(p->real, p->zeros, block * COLUMNS + (size_t)v * F32_LANES)
                                                 : f32_from_i32(whole_zeros_at(p, block, v));
  return zeros - (float)(1 << (p->bits - 1));
}

/* --- A in bytes --- */

#if HAS_DOT_BYTES || SIMD_BYTES < 32
INLINE vi32 add_group(vi32 sum, vi32 fields, vi32 a) {
#if HAS_DOT_BYTES
  return i32_dot_bytes(sum, fields, a);
#else
  return sum + i32_dot_pairs(fields, a);
#endif
}

/* A block's words by the cells of each row from byte `at` on. */
INLINE void add_block(struct form f, const uint32_t *words, const char *const cells[ROWS], size_t at, const int rows,
                      vi32 sum[ROWS][VECTORS]) {
  for (size_t w = 0; w < f.words; w++, words += COLUMNS) {
    vu32 x[VECTORS];
    UNROLL for (int v = 0; v < VECTORS; v++) {
      x[v] = u32_load(words + v * F32_LANES);
      if (rows == 1) simd_prefetch_vector(words + v * F32_LANES + AHEAD, v);
    }
    for (size_t s = 0; s < f.steps; s++, at += GROUP * CELL) {
      UNROLL for (int r = 0; r < rows; r++) {
        int32_t group;
        memcpy(&group, cells[r] + at, sizeof(group));
        UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] =
            add_group(sum[r][v], ((vi32)x[v] & f.all) ^ f.flip, i32_set(group));
      }
      UNROLL for (int v = 0; v < VECTORS; v++) x[v] >>= (uint32_t)f.bits;
    }
  }
}
#else
/* Of pairs of products of 4 bits by 7 and a sign: 8 * 2 * 15 * 127 < 2^15. */
enum { STEPS_IN_16_BITS = 8 };

/* Words whose sums 16 bits hold, vectors [first, first + vectors). wide: fields are 8 bits, done as two halves. */
INLINE void add_words(struct form f, const uint32_t *words, size_t count, const char *const cells[ROWS], size_t at,
                      const int rows, const int first, const int vectors, const int wide, vi32 sum[ROWS][VECTORS]) {
  const int32_t mask = wide ? 0x0F0F0F0F : f.all;
  vi16 low[ROWS][VECTORS], high[ROWS][VECTORS];
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++) low[r][v] = high[r][v] = (vi16){0};
  for (size_t w = 0; w < count; w++, words += COLUMNS) {
    vu32 x[VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) x[v] = u32_load(words + (first + v) * F32_LANES);
    for (size_t s = 0; s < f.steps; s++, at += GROUP * CELL) {
      UNROLL for (int r = 0; r < rows; r++) {
        int32_t group;
        memcpy(&group, cells[r] + at, sizeof(group));
        const vi32 a = i32_set(group);
        UNROLL for (int v = 0; v < vectors; v++) {
          low[r][v] += i16_dot_bytes((vi32)x[v] & mask, a);
          if (wide) high[r][v] += i16_dot_bytes((vi32)(x[v] >> 4) & mask, a);
        }
      }
      UNROLL for (int v = 0; v < vectors; v++) x[v] >>= (uint32_t)f.bits;
    }
  }
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++) {
    sum[r][first + v] += i32_dot_pairs((vi32)low[r][v], i32_set(0x00010001));
    if (wide) sum[r][first + v] += i32_dot_pairs((vi32)high[r][v], i32_set(0x00100010));
  }
}

/* A block's words by the cells of each row from byte `at` on. */
INLINE void add_block(struct form f, const uint32_t *words, const char *const cells[ROWS], size_t at, const int rows,
                      vi32 sum[ROWS][VECTORS]) {
  const size_t most = STEPS_IN_16_BITS / f.steps;
  for (size_t w = 0; w < f.words; w += most, words += most * COLUMNS, at += STEPS_IN_16_BITS * GROUP * CELL) {
    const size_t count = f.words - w < most ? f.words - w : most;
    if (f.bits == 8) UNROLL for (int v = 0; v < VECTORS; v++) add_words(f, words, count, cells, at, rows, v, 1, 1, sum);
    else add_words(f, words, count, cells, at, rows, 0, VECTORS, 0, sum);
  }
}
#endif

/* What begins the sums of a block: what the zero points take off them. */
INLINE void begin_block(const struct onri_nbits_panel *p, struct form f, size_t block, const int32_t *const sums[ROWS],
                        const int rows, vi32 sum[ROWS][VECTORS]) {
  vi32 zeros[VECTORS];
  if (p->kind == ONRI_NBITS_MIDDLE) {
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] =
        i32_set(-sums[r][block] * ((1 << (p->bits - 1)) - f.taken));
    return;
  }
  UNROLL for (int v = 0; v < VECTORS; v++) zeros[v] =
      (p->kind == ONRI_NBITS_REALS ? (vi32){0} : whole_zeros_at(p, block, v)) - f.taken;
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] =
      zeros[v] * i32_set(-sums[r][block]);
}

#if HAS_DOT_BYTES
/* Many rows multiply by fields that were unpacked once: of some blocks, which stay in the first cache. Those of 8 bits
 * lie unpacked. */
struct slab {
  const uint32_t *fields;
  size_t from, to; /* blocks */
};
enum { SLAB_BYTES = 1 << 14 };

INLINE void add_slab(const uint32_t *fields, int32_t flip, size_t groups, const char *const cells[ROWS], size_t at,
                     const int rows, vi32 sum[ROWS][VECTORS]) {
  for (size_t g = 0; g < groups; g++, fields += COLUMNS, at += GROUP * CELL) {
    vi32 x[VECTORS];
    UNROLL for (int v = 0; v < VECTORS; v++) x[v] = i32_load(fields + v * F32_LANES) ^ flip;
    UNROLL for (int r = 0; r < rows; r++) {
      int32_t group;
      memcpy(&group, cells[r] + at, sizeof(group));
      UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] = add_group(sum[r][v], x[v], i32_set(group));
    }
  }
}

static void unpack(const struct onri_nbits_panel *p, size_t from, size_t to, uint32_t *fields) {
  const struct form f = form_of(p);
  for (size_t w = from * f.words; w < to * f.words; w++) {
    vu32 x[VECTORS];
    UNROLL for (int v = 0; v < VECTORS; v++) x[v] = u32_load(p->words + w * COLUMNS + v * F32_LANES);
    for (size_t s = 0; s < f.steps; s++, fields += COLUMNS) UNROLL for (int v = 0; v < VECTORS; v++) {
        i32_store(fields + v * F32_LANES, (vi32)x[v] & f.all);
        x[v] >>= (uint32_t)f.bits;
      }
  }
}
#else
struct slab;
#endif

/* Blocks of the slab, which are added to y, or all of them. */
INLINE void bytes_rows(const struct onri_nbits_panel *p, const struct onri_nbits_rows *a, const int rows,
                       const struct slab *slab, float *y, size_t y_row) {
  const struct form f = form_of(p);
  const char *cells[ROWS];
  const int32_t *sums[ROWS];
  vf32 total[ROWS][VECTORS];
  size_t from = 0, to = p->blocks;
#if HAS_DOT_BYTES
  if (slab) from = slab->from, to = slab->to;
#endif
  UNROLL for (int r = 0; r < rows; r++) {
    cells[r] = a->cells + (size_t)r * p->blocks * p->block * CELL, sums[r] = a->sums + (size_t)r * p->blocks;
    UNROLL for (int v = 0; v < VECTORS; v++) total[r][v] =
        from > 0 ? f32_load(y + (size_t)r * y_row + v * F32_LANES) : (vf32){0};
  }
  for (size_t block = from; block < to; block++) {
    const size_t at = block * p->block * CELL;
    vi32 sum[ROWS][VECTORS];
    begin_block(p, f, block, sums, rows, sum);
#if HAS_DOT_BYTES
    if (slab)
      add_slab(slab->fields + (block - from) * p->block / GROUP * COLUMNS, f.flip, p->block / GROUP, cells, at, rows,
               sum);
    else add_block(f, p->words + block * f.words * COLUMNS, cells, at, rows, sum);
#else
    (void)slab;
    add_block(f, p->words + block * f.words * COLUMNS, cells, at, rows, sum);
#endif
    UNROLL for (int v = 0; v < VECTORS; v++) {
      const vf32 scale = scales_at(p, block, v);
      UNROLL for (int r = 0; r < rows; r++) {
        vf32 products = f32_from_i32(sum[r][v]);
        if (p->kind == ONRI_NBITS_REALS)
          products -= load_real(p->real, p->zeros, block * COLUMNS + (size_t)v * F32_LANES) * (float)sums[r][block];
        total[r][v] = f32_fma(products, scale * a->scales[(size_t)r * p->blocks + block], total[r][v]);
      }
    }
  }
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < VECTORS; v++)
      f32_store(y + (size_t)r * y_row + v * F32_LANES, total[r][v]);
}

static void bytes_many(const struct onri_nbits_panel *p, const struct onri_nbits_rows *a, float *y, size_t y_row) {
  bytes_rows(p, a, ROWS, NULL, y, y_row);
}
static void bytes_two(const struct onri_nbits_panel *p, const struct onri_nbits_rows *a, float *y, size_t y_row) {
  bytes_rows(p, a, 2, NULL, y, y_row);
}
static void bytes_one(const struct onri_nbits_panel *p, const struct onri_nbits_rows *a, float *y, size_t y_row) {
  bytes_rows(p, a, 1, NULL, y, y_row);
}

/* The first rows, a multiple of ROWS; returns how many. */
static size_t bytes_by_slabs(const struct onri_nbits_panel *p, const struct onri_nbits_rows *a, size_t rows, float *y,
                             size_t y_row) {
#if HAS_DOT_BYTES
  const size_t some = SLAB_BYTES / COLUMNS / p->block;
  uint32_t fields[SLAB_BYTES / sizeof(uint32_t)] __attribute__((aligned(64)));
  if (rows < 2 * ROWS || some == 0) return 0;
  for (size_t from = 0; from < p->blocks; from += some) {
    struct slab slab = {fields, from, p->blocks - from < some ? p->blocks : from + some};
    if (p->bits == 8) slab.fields = p->words + from * p->block / GROUP * COLUMNS;
    else unpack(p, slab.from, slab.to, fields);
    for (size_t r = 0; r + ROWS <= rows; r += ROWS) {
      const struct onri_nbits_rows part = {a->cells + r * p->blocks * p->block * CELL, a->scales + r * p->blocks,
                                           a->sums + r * p->blocks};
      bytes_rows(p, &part, ROWS, &slab, y + r * y_row, y_row);
    }
  }
  return rows / ROWS * ROWS;
#else
  (void)p, (void)a, (void)rows, (void)y, (void)y_row;
  return 0;
#endif
}

static void bytes(const struct onri_nbits_panel *p, const struct onri_nbits_rows *a, size_t rows, float *y,
                  size_t y_row) {
  const size_t done = bytes_by_slabs(p, a, rows, y, y_row);
  struct onri_nbits_rows rest = {a->cells + done * p->blocks * p->block * CELL, a->scales + done * p->blocks,
                                 a->sums + done * p->blocks};
  y += done * y_row, rows -= done;
  while (rows > 0) {
    const size_t some = rows >= ROWS ? ROWS : rows >= 2 ? 2 : 1;
    (some == ROWS ? bytes_many : some == 2 ? bytes_two : bytes_one)(p, &rest, y, y_row);
    rest.cells += some * p->blocks * p->block * CELL, rest.scales += some * p->blocks, rest.sums += some * p->blocks;
    y += some * y_row, rows -= some;
  }
}

/* x times `factor` as integers of at most 127; NaN as 0: the scale of its block is NaN. */
INLINE vi32 whole(vf32 x, vf32 factor) {
  const vf32 v = f32_clamp(x * factor, f32_set(-127), f32_set(127));
  return i32_nearest(f32_select(v == v, v, (vf32){0}));
}

static void quantise(const float *x, size_t count, size_t block, char *cells, float *scales, int32_t *sums) {
  for (size_t from = 0, b = 0; from < count; from += block, b++) {
    const size_t left = count - from < block ? count - from : block;
    vf32 most = {0}, poison = {0};
    vi32 sum = {0};
    for (size_t i = 0; i < left; i += F32_LANES) {
      const vf32 v = f32_load_part(x + from + i, left - i);
      most = f32_greatest(f32_abs(v), most);
      poison += v * 0.0f; /* NaN where v is, or infinite */
    }
    const float greatest = f32_greatest_lane(most);
    const vf32 factor = f32_set(greatest > 0 ? 127.0f / greatest : 0.0f);
    for (size_t i = 0; i < block; i += F32_LANES) {
      const vi32 v = i < left ? whole(f32_load_part(x + from + i, left - i), factor) : (vi32){0};
      sum += v;
      if (CELL == 1) i32_store_8(cells + from + i, v);
      else i32_store_16(cells + 2 * (from + i), v);
    }
    scales[b] = greatest / 127.0f + f32_sum(poison);
    sums[b] = i32_sum(sum);
  }
}

/* --- in float32 --- */

/* The field of each lane that begins at bit `at`, from the middle: exact, by way of 2^23 and so many. */
INLINE vf32 field_of(vu32 x, const int at, int32_t mask, vf32 middle) {
  return (vf32)(((vi32)(x >> (uint32_t)at) & mask) | 0x4B000000) - middle;
}
INLINE vf32 middle_of(const struct onri_nbits_panel *p) { return f32_set(8388608.0f + (float)(1 << (p->bits - 1))); }
INLINE vf32 table_of(const struct onri_nbits_panel *p) {
  float values[16 > F32_LANES ? 16 : F32_LANES] = {0};
  for (int i = 0; i < 16; i++) values[i] = (float)(i & ((1 << p->bits) - 1)) - (float)(1 << (p->bits - 1));
  return f32_load(values);
}

/* looked: fields of up to 4 bits are looked up in a table of what four bits stand for, whatever lies above them. */
INLINE void row_of(const struct onri_nbits_panel *p, const float *x, const float *sums, float *y, const int looked) {
  const struct form f = form_of(p);
  const vf32 middle = middle_of(p), table = looked ? table_of(p) : middle;
  const uint32_t *words = p->words;
  vf32 total[VECTORS];
  UNROLL for (int v = 0; v < VECTORS; v++) total[v] = (vf32){0};
  for (size_t block = 0; block < p->blocks; block++) {
    vf32 sum[2][VECTORS];
    UNROLL for (int i = 0; i < 2; i++) UNROLL for (int v = 0; v < VECTORS; v++) sum[i][v] = (vf32){0};
    for (size_t w = 0; w < f.words; w++, words += COLUMNS) {
      vu32 fields[VECTORS];
      UNROLL for (int v = 0; v < VECTORS; v++) {
        fields[v] = u32_load(words + v * F32_LANES);
        simd_prefetch_vector(words + v * F32_LANES + AHEAD, v);
      }
      for (size_t s = 0; s < f.steps; s++, x += GROUP) {
        UNROLL for (int g = 0; g < GROUP; g++) {
          const vf32 a = f32_set(x[g]);
          UNROLL for (int v = 0; v < VECTORS; v++) sum[g % 2][v] =
              f32_fma(a,
                      looked ? f32_lookup_16(table, (vi32)(fields[v] >> (uint32_t)(g * FIELD_BITS)))
                             : field_of(fields[v], g * FIELD_BITS, f.field, middle),
                      sum[g % 2][v]);
        }
        UNROLL for (int v = 0; v < VECTORS; v++) fields[v] >>= (uint32_t)f.bits;
      }
    }
    UNROLL for (int v = 0; v < VECTORS; v++) {
      vf32 products = sum[0][v] + sum[1][v];
      if (p->kind != ONRI_NBITS_MIDDLE) products -= zeros_at(p, block, v) * sums[block];
      total[v] = f32_fma(products, scales_at(p, block, v), total[v]);
    }
  }
  UNROLL for (int v = 0; v < VECTORS; v++) f32_store(y + v * F32_LANES, total[v]);
}

static void row(const struct onri_nbits_panel *p, const float *x, const float *sums, float *y) {
  if (HAS_LOOKUP_16 && p->bits <= 4) row_of(p, x, sums, y, 1);
  else row_of(p, x, sums, y, 0);
}

static void widen(const struct onri_nbits_panel *p, const int32_t *group, size_t from, size_t depth, float *to) {
  const struct form f = form_of(p);
  const vf32 middle = middle_of(p);
  const size_t a_word = f.steps * GROUP, shift = (size_t)__builtin_ctzll(p->block);
  const uint32_t *words = p->words + from / a_word * COLUMNS;
  size_t block = SIZE_MAX;
  vf32 scales[VECTORS], zeros[VECTORS];
  for (size_t k = 0; k < depth; words += COLUMNS) {
    vu32 fields[VECTORS];
    UNROLL for (int v = 0; v < VECTORS; v++) fields[v] = u32_load(words + v * F32_LANES);
    for (size_t s = 0; s < f.steps && k < depth; s++) {
      UNROLL for (int g = 0; g < GROUP; g++, k++) {
        const size_t own = group && k < depth ? (size_t)group[from + k] : (from + k) >> shift;
        if (k >= depth) break;
        if (own != block) {
          block = own;
          UNROLL for (int v = 0; v < VECTORS; v++) scales[v] = scales_at(p, block, v), zeros[v] = zeros_at(p, block, v);
        }
        UNROLL for (int v = 0; v < VECTORS; v++)
            f32_store(to + k * COLUMNS + v * F32_LANES,
                      (field_of(fields[v], g * FIELD_BITS, f.field, middle) - zeros[v]) * scales[v]);
      }
      UNROLL for (int v = 0; v < VECTORS; v++) fields[v] >>= (uint32_t)f.bits;
    }
  }
}

const struct onri_nbits_kernels ONRI_AT_LEVEL(onri_nbits_kernels) = {COLUMNS,  GROUP, CELL, ROWS,
                                                                     quantise, bytes, row,  widen};
