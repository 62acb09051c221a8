/* byte_product_dot_simd.c: see byte_tile.h. Levels with an instruction for it (VNNI) multiply four unsigned bytes of a
 * row by four signed ones of a column and add them up (of vectors of 32 bytes, too: encoder4x384 dynamic 9.1 ms to 4.5,
 * mobilenet_v2 QDQ U8S8 8.1 to 4.3, resnet18 23.5 to 17.6); the others multiply pairs of 16 bits, which is exact too,
 * where the one for bytes (pmaddubsw) saturates.
 *
 * Share of the integer rate on a core with VNNI (470 GOP/s), 96 rows of depth 576: 0.9; pairs of 16 bits with AVX2
 * reach 1.7 times the FMA rate. */
#include "kernels/kernels.h"
#include "kernels/quantize/byte_tile.h"
#include "kernels/quantize/requantise_lanes.h"
#include "kernels/simd.h"

#if HAS_DOT_BYTES
enum { GROUP = 4, CELL = 1, UNSIGNED_SHIFT = DOT_IS_SIGNED ? -128 : 0, SIGNED_SHIFT = DOT_IS_SIGNED ? 0 : 128 };
#else
enum { GROUP = 2, CELL = 2, UNSIGNED_SHIFT = 0, SIGNED_SHIFT = 0 };
#endif
enum { VECTORS = SIMD_REGISTERS == 32 ? 4 : 2, COLUMNS = VECTORS * F32_LANES, ROWS = 12 };

/* acc + the products of a group of each column, whose elements lie at b, with the same group of a row. */
INLINE vi32 add_group(vi32 acc, vi32 a, vi32 b) {
#if HAS_DOT_BYTES
  return i32_dot_bytes(acc, a, b);
#else
  return acc + i32_dot_pairs(a, b);
#endif
}

INLINE vi32 add_lane(vi32 acc, vi32 a, const int lane, vi32 b) {
#if DOT_HAS_LANES
  return i32_dot_lane(acc, a, lane, b);
#else
  return add_group(acc, i32_set(a[lane]), b);
#endif
}

INLINE vi32 load_column_group(const int8_t *b) {
#if HAS_DOT_BYTES
  return i32_load(b);
#else
  return (vi32)i16_load_i8(b);
#endif
}

INLINE vf32 scales_at(const struct onri_requantise *r, size_t j, size_t lanes) {
  return r->scale_step ? f32_load_part(r->scales + j, lanes) : f32_set(r->scales[0]);
}

/* A vector of scales for each of four vectors of sums, those of 4 / vectors rows. */
INLINE void set_scales(const struct onri_requantise *r, size_t j, size_t lanes, const int vectors, vf32 scales[4]) {
  UNROLL for (int q = 0; q < 4; q++) {
    const size_t from = (size_t)(q % vectors) * F32_LANES;
    scales[q] = scales_at(r, j + from, lanes < from ? 0 : lanes - from);
  }
}

/* The first `rows` of these as bytes, `lanes` of each. */
INLINE void store_bytes(const struct requantise_bytes *b, const vi32 sums[4], const vf32 scales[4], const int vectors,
                        size_t rows, size_t lanes, uint8_t *y, size_t y_row, const int plain) {
  const vi8 result = i8_in_a_row(requantise_4(b, sums, scales, plain));
  UNROLL for (int k = 0; k < 4; k++) if (k < 4 / vectors && (size_t)k < rows)
      i8_store_share(y + (size_t)k * y_row, result, k, 4 / vectors, lanes);
}

/* The product is rounded before the bias is added, as in the operators one after the other. */
INLINE vf32 real_of(vi32 sum, vf32 scale, vf32 bias, const struct onri_byte_reals *r) {
  return f32_clamp(f32_rounded(f32_from_i32(sum) * scale) + bias, f32_set(r->low), f32_set(r->high));
}
INLINE vf32 scales_of_reals(const struct onri_byte_reals *r, size_t j, size_t lanes) {
  return r->scale_step ? f32_load_part(r->scales + j, lanes) : f32_set(r->scales[0]);
}
INLINE vf32 bias_of_reals(const struct onri_byte_reals *r, size_t j, size_t lanes) {
  return r->bias ? f32_load_part(r->bias + j, lanes) : f32_set(-0.0f); /* which changes nothing */
}

/* Rows of a tile as real numbers. */
INLINE void end_in_reals(const struct onri_byte_tile *t, size_t first, const int rows, const int vectors,
                         vi32 sum[ROWS][VECTORS]) {
  const struct onri_byte_reals reals = *t->reals;
  UNROLL for (int v = 0; v < vectors; v++) {
    const size_t j = (size_t)v * F32_LANES;
    if (j >= t->columns) break;
    const size_t lanes = t->columns - j;
    const vf32 scale = scales_of_reals(&reals, j, lanes), bias = bias_of_reals(&reals, j, lanes);
    uint8_t *y = t->y + first * t->y_row + j * sizeof(float);
    UNROLL for (int r = 0; r < rows; r++) {
      const vf32 real = real_of(sum[r][v], scale, bias, &reals);
      if (lanes >= F32_LANES) f32_store(y + (size_t)r * t->y_row, real);
      else f32_store_part(y + (size_t)r * t->y_row, real, lanes);
    }
  }
}

/* Rows of a tile as bytes. Loops have numbers as their ends: where they are unrolled but partly, sums are in memory all
 * the while. */
INLINE void end_in_bytes(const struct onri_byte_tile *t, size_t first, const int rows, const int vectors,
                         const int plain, vi32 sum[ROWS][VECTORS]) {
  uint8_t *y = t->y + first * t->y_row;
  enum { EACH = 4 };
  const struct requantise_bytes bytes = requantise_bytes_of(t->requantise);
  vf32 scales[EACH];
  set_scales(t->requantise, 0, t->columns, vectors, scales);
  UNROLL for (int i = 0; i < ROWS; i++) {
    const int r = i * (EACH / vectors);
    vi32 sums[EACH];
    if (r >= rows) continue;
    UNROLL for (int q = 0; q < EACH; q++) sums[q] = sum[r + q / vectors < rows ? r + q / vectors : r][q % vectors];
    store_bytes(&bytes, sums, scales, vectors, (size_t)(rows - r), t->columns, y + (size_t)r * t->y_row, t->y_row,
                plain);
  }
}

INLINE void reals_column(const struct onri_byte_reals *r, const struct onri_byte_sums *of, size_t j, size_t lanes,
                         char *y, size_t y_row) {
  const struct onri_byte_sums s = *of;
  const vf32 scale = scales_of_reals(r, j, lanes), bias = bias_of_reals(r, j, lanes);
  for (size_t i = 0; i < s.rows; i++, y += y_row)
    f32_store_part(y + j * sizeof(float), real_of(i32_load_part(s.sums + i * s.sums_row + j, lanes), scale, bias, r),
                   lanes);
}

static void reals(const struct onri_byte_reals *of, const struct onri_byte_sums *s, void *y, size_t y_row) {
  const struct onri_byte_reals r = *of;
  size_t j = 0;
  for (; j + F32_LANES <= s->columns; j += F32_LANES) reals_column(&r, s, j, F32_LANES, y, y_row);
  if (j < s->columns) reals_column(&r, s, j, s->columns - j, y, y_row);
}

/* Columns from j on, no more than `vectors` hold, of 4 / vectors rows at once. */
INLINE void requantise_columns(const struct onri_requantise *r, const struct onri_byte_sums *of, size_t j, size_t lanes,
                               const int vectors, uint8_t *y, size_t y_row) {
  const struct requantise_bytes bytes = requantise_bytes_of(r);
  const struct onri_byte_sums s = *of;
  const int rows = 4 / vectors;
  vf32 scales[4];
  set_scales(r, j, lanes, vectors, scales);
  for (size_t i = 0; i < s.rows; i += (size_t)rows) {
    vi32 sums[4];
    UNROLL for (int q = 0; q < 4; q++) {
      const size_t from = (size_t)(q % vectors) * F32_LANES, row = i + (size_t)(q / vectors);
      const int32_t *at = s.sums + (row < s.rows ? row : i) * s.sums_row + j + from;
      sums[q] = lanes >= from + F32_LANES ? i32_load(at) : i32_load_part(at, lanes < from ? 0 : lanes - from);
    }
    store_bytes(&bytes, sums, scales, vectors, s.rows - i, lanes, y + i * y_row + j, y_row, 0);
  }
}

static void requantise(const struct onri_requantise *r, const struct onri_byte_sums *s, uint8_t *y, size_t y_row) {
  size_t j = 0;
  for (; j + I8_LANES <= s->columns; j += I8_LANES) requantise_columns(r, s, j, I8_LANES, 4, y, y_row);
  const size_t left = s->columns - j;
  if (left > F32_LANES * 2) requantise_columns(r, s, j, left, 4, y, y_row);
  else if (left > F32_LANES) requantise_columns(r, s, j, left, 2, y, y_row);
  else if (left > 0) requantise_columns(r, s, j, left, 1, y, y_row);
}

/* What a tile ends in. */
enum end { SUMS, BYTES, PLAIN_BYTES, REALS };

/* One row, whose sums would wait for one another: those of every fourth group are added up by themselves. Returns what
 * lies behind in the panel. */
INLINE const int8_t *sum_of_one_row(const struct onri_byte_tile *t, size_t row, const int8_t *panel, const int vectors,
                                    vi32 sum[VECTORS]) {
  enum { APART = 4 };
  vi32 others[APART][VECTORS];
  UNROLL for (int i = 0; i < APART; i++) UNROLL for (int v = 0; v < vectors; v++) others[i][v] =
      i == 0 ? sum[v] : (vi32){0};
  for (size_t run = 0; run < t->num_runs; run++) {
    const char *at = t->rows[row] + t->runs[run], *end = at + t->depth * CELL;
    for (; at < end; at += GROUP * CELL * APART) UNROLL for (int i = 0; i < APART; i++) {
        int32_t group;
        if (at + i * GROUP * CELL >= end) break;
        memcpy(&group, at + i * GROUP * CELL, sizeof(group));
        const vi32 x = i32_set(group);
        UNROLL for (int v = 0; v < vectors; v++) others[i][v] =
            add_group(others[i][v], x, load_column_group(panel + v * F32_LANES * GROUP));
        panel += COLUMNS * GROUP;
      }
  }
  UNROLL for (int v = 0; v < vectors; v++) sum[v] = others[0][v] + others[1][v] + (others[2][v] + others[3][v]);
  return panel;
}

/* Groups of a row that are loaded at once, where instructions multiply by any lane of a vector; else they are loaded
 * into all lanes. */
enum { LANES_OF_ROW = DOT_HAS_LANES ? F32_LANES : 1 };

/* Adds so many groups of each row, from byte p of it on; returns what lies behind in the panel. */
INLINE const int8_t *add_groups(const char *const *at, size_t p, const int8_t *panel, const int rows, const int vectors,
                                const int groups, vi32 sum[ROWS][VECTORS]) {
  vi32 a[ROWS];
  UNROLL for (int r = 0; r < rows && groups > 1; r++) a[r] = i32_load(at[r] + p);
  UNROLL for (int g = 0; g < groups; g++, panel += COLUMNS * GROUP) {
    vi32 b[VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) b[v] = load_column_group(panel + v * F32_LANES * GROUP);
    UNROLL for (int r = 0; r < rows; r++) {
      int32_t group;
      memcpy(&group, at[r] + p, sizeof(group));
      UNROLL for (int v = 0; v < vectors; v++) sum[r][v] =
          groups > 1 ? add_lane(sum[r][v], a[r], g, b[v]) : add_group(sum[r][v], i32_set(group), b[v]);
    }
  }
  return panel;
}

/* `rows` rows from `first` on by `vectors` vectors of columns. */
INLINE void sum_rows(const struct onri_byte_tile *t, size_t first, const int8_t *panel, const int rows,
                     const int vectors, const enum end end, int32_t *sums) {
  vi32 sum[ROWS][VECTORS];
  const size_t sums_row = t->start ? 0 : t->sums_row;
  const int32_t *start = t->start ? t->start : sums + first * t->sums_row;
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++) sum[r][v] =
      i32_load(start + r * sums_row + v * F32_LANES);
  if (rows == 1) panel = sum_of_one_row(t, first, panel, vectors, sum[0]);
  for (size_t run = 0; run < t->num_runs && rows > 1; run++) {
    const char *at[ROWS];
    UNROLL for (int r = 0; r < rows; r++) at[r] = t->rows[first + r] + t->runs[run];
    size_t p = 0;
    if (LANES_OF_ROW > 1)
      for (; p + LANES_OF_ROW * GROUP * CELL <= t->depth * CELL; p += LANES_OF_ROW * GROUP * CELL)
        panel = add_groups(at, p, panel, rows, vectors, LANES_OF_ROW, sum);
    for (; p < t->depth * CELL; p += GROUP * CELL) panel = add_groups(at, p, panel, rows, vectors, 1, sum);
  }
  if (t->row_factors)
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++) sum[r][v] -=
        i32_set(t->row_factors[first + r]) * i32_load(t->column_factors + v * F32_LANES);
  if (end == BYTES || end == PLAIN_BYTES) {
    end_in_bytes(t, first, rows, vectors, end == PLAIN_BYTES, sum);
    return;
  }
  if (end == REALS) {
    end_in_reals(t, first, rows, vectors, sum);
    return;
  }
  sums += first * t->sums_row;
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++)
      i32_store(sums + r * t->sums_row + v * F32_LANES, sum[r][v]);
}

/* Rows from `first` on that do not fill a block: sums, which become results behind the product. */
INLINE void sum_rest(const struct onri_byte_tile *t, size_t first, const int8_t *panel, const int vectors,
                     int32_t *sums) {
  for (; first + 2 <= t->num_rows; first += 2) sum_rows(t, first, panel, 2, vectors, SUMS, sums);
  if (first < t->num_rows) sum_rows(t, first, panel, 1, vectors, SUMS, sums);
}

SIMD_FUNCTION void rest(const struct onri_byte_tile *t, size_t first, const int8_t *panel, int32_t *sums) {
  if (first >= t->num_rows) return;
  if (t->columns > COLUMNS / 2) sum_rest(t, first, panel, VECTORS, sums);
#if SIMD_REGISTERS == 32
  else if (t->columns > F32_LANES) sum_rest(t, first, panel, VECTORS / 2, sums);
#endif
  else sum_rest(t, first, panel, 1, sums);
  const struct onri_byte_sums of = {sums + first * t->sums_row, t->num_rows - first,
                                    t->columns < COLUMNS ? t->columns : COLUMNS, t->sums_row};
  if (t->requantise) requantise(t->requantise, &of, t->y + first * t->y_row, t->y_row);
  else if (t->reals) reals(t->reals, &of, t->y + first * t->y_row, t->y_row);
}

INLINE void sum_tile(const struct onri_byte_tile *t, const int8_t *panel, const int rows, const int vectors,
                     const enum end end, int32_t *sums) {
  size_t first = 0;
  for (; first + (size_t)rows <= t->num_rows; first += (size_t)rows)
    sum_rows(t, first, panel, rows, vectors, end, sums);
  rest(t, first, panel, sums);
}

/* Few columns: more rows instead, as many as registers hold beside those of rows. */
enum { HALF_ROWS = LANES_OF_ROW > 1 ? 8 : ROWS };
INLINE void any_tile(const struct onri_byte_tile *t, const int8_t *panel, const enum end end, int32_t *sums) {
  if (t->columns > COLUMNS / 2) sum_tile(t, panel, ROWS / 2, VECTORS, end, sums);
#if SIMD_REGISTERS == 32
  else if (t->columns > F32_LANES) sum_tile(t, panel, HALF_ROWS, VECTORS / 2, end, sums);
#endif
  else sum_tile(t, panel, ROWS, 1, end, sums);
}

static void tile_of_sums(const struct onri_byte_tile *t, const int8_t *panel, int32_t *sums) {
  any_tile(t, panel, SUMS, sums);
}
static void tile_of_bytes(const struct onri_byte_tile *t, const int8_t *panel, int32_t *sums) {
  any_tile(t, panel, BYTES, sums);
}
static void tile_of_plain_bytes(const struct onri_byte_tile *t, const int8_t *panel, int32_t *sums) {
  any_tile(t, panel, PLAIN_BYTES, sums);
}
static void tile_of_reals(const struct onri_byte_tile *t, const int8_t *panel, int32_t *sums) {
  any_tile(t, panel, REALS, sums);
}

static void tile(const struct onri_byte_tile *t, const int8_t *panel, int32_t *sums) {
  if (t->requantise && requantise_is_plain(t->requantise)) {
    tile_of_plain_bytes(t, panel, sums);
    return;
  }
  (t->requantise ? tile_of_bytes : t->reals ? tile_of_reals : tile_of_sums)(t, panel, sums);
}

/* GROUP rows. */
#if HAS_DOT_BYTES && SIMD_REGISTERS == 32 /* a vector is a row of a panel */
static void pack_rows(const uint8_t *rows, size_t row_step, uint8_t flip, int8_t *panel, int32_t *sums) {
  const vi8 flips = i8_set((int8_t)flip);
  const vi32 ones = i32_set(0x01010101);
  vi32 zipped[4], groups[4];
  i8_zip4(i8_load(rows) ^ flips, i8_load(rows + row_step) ^ flips, i8_load(rows + 2 * row_step) ^ flips,
          i8_load(rows + 3 * row_step) ^ flips, zipped);
  i32_unzip4(zipped, groups);
  UNROLL for (int v = 0; v < VECTORS; v++) {
    i32_store(panel + v * I8_LANES, groups[v]);
    i32_store(sums + v * F32_LANES, i32_dot_bytes(i32_load(sums + v * F32_LANES), ones, groups[v]));
  }
}
#elif HAS_DOT_BYTES
static void pack_rows(const uint8_t *rows, size_t row_step, uint8_t flip, int8_t *panel, int32_t *sums) {
  const vi32 flips = i32_set(flip), ones = i32_set(0x01010101);
  UNROLL for (int v = 0; v < VECTORS; v++) {
    vi32 groups = {0};
    UNROLL for (int r = 0; r < GROUP; r++) groups |= (i32_load_u8(rows + (size_t)r * row_step + v * F32_LANES) ^ flips)
                                                     << 8 * r;
    i32_store(panel + v * I8_LANES, groups);
    i32_store(sums + v * F32_LANES, i32_dot_bytes(i32_load(sums + v * F32_LANES), ones, groups));
  }
}
#else
static void pack_rows(const uint8_t *rows, size_t row_step, uint8_t flip, int8_t *panel, int32_t *sums) {
  const vi16 flips = (vi16){0} + flip;
  const vi32 ones = i32_set(0x00010001);
  UNROLL for (int c = 0; c < COLUMNS; c += I16_LANES) {
    const vi16 first = i16_load_u8(rows + c) ^ flips, second = i16_load_u8(rows + row_step + c) ^ flips;
    i16_store(panel + 2 * c, first | second << 8);
  }
  UNROLL for (int v = 0; v < VECTORS; v++) {
    const int8_t *groups = panel + v * F32_LANES * GROUP;
    i32_store(sums + v * F32_LANES, add_group(i32_load(sums + v * F32_LANES), ones, load_column_group(groups)));
  }
}
#endif

#if HAS_DOT_BYTES
static void pack(const void *x, size_t count, int is_signed, void *to) {
  const vi8 flip = i8_set((int8_t)(is_signed ? SIGNED_SHIFT : UNSIGNED_SHIFT));
  const int8_t *from = x;
  int8_t *cells = to;
  for (size_t i = 0; i < count; i += I8_LANES)
    i8_store_part(cells + i, i8_load_part(from + i, count - i) ^ flip, count - i);
}
#else
INLINE void widen(const void *x, int is_signed, void *to) {
  i16_store(to, is_signed ? i16_load_i8(x) : i16_load_u8(x));
}

static void pack(const void *x, size_t count, int is_signed, void *to) {
  const uint8_t *from = x;
  int16_t *cells = to;
  size_t i = 0;
  for (; i + I16_LANES <= count; i += I16_LANES) widen(from + i, is_signed, cells + i);
  if (i < count) {
    uint8_t rest[I16_LANES];
    int16_t wide[I16_LANES];
    memcpy(rest, from + i, count - i);
    widen(rest, is_signed, wide);
    memcpy(cells + i, wide, (count - i) * sizeof(wide[0]));
  }
}
#endif

/* Vectors are stored whole where the rows behind have room for them, which are written later. */
static void pack_lines(const void *x, size_t x_row, size_t rows, size_t count, int is_signed, void *to, size_t to_row) {
#if HAS_DOT_BYTES
  const vi8 flip = i8_set((int8_t)(is_signed ? SIGNED_SHIFT : UNSIGNED_SHIFT));
  const char *end = (char *)to + rows * to_row;
  for (size_t r = 0; r < rows; r++) {
    const char *from = (const char *)x + r * x_row;
    char *cells = (char *)to + r * to_row;
    for (size_t i = 0; i < count; i += I8_LANES) {
      const vi8 v = (count - i < I8_LANES ? i8_load_part(from + i, count - i) : i8_load(from + i)) ^ flip;
      if (end - (cells + i) >= I8_LANES) i8_store(cells + i, v);
      else i8_store_part(cells + i, v, count - i);
    }
  }
#else
  for (size_t r = 0; r < rows; r++) pack((const char *)x + r * x_row, count, is_signed, (char *)to + r * to_row);
#endif
}

static void copy(const struct onri_byte_sums *of, int32_t *y, size_t y_row) {
  const struct onri_byte_sums s = *of;
  for (size_t r = 0; r < s.rows; r++)
    for (size_t j = 0; j < s.columns; j += F32_LANES)
      i32_store_part(y + r * y_row + j, i32_load_part(s.sums + r * s.sums_row + j, s.columns - j), s.columns - j);
}

/* Of `count` rows from `first` on. */
INLINE void sum_some(const char *const *rows, size_t first, const int count, size_t from, size_t depth, int32_t *sums) {
  enum { STEP = SIMD_BYTES / CELL };
  const vi32 ones = i32_set(CELL == 1 ? 0x01010101 : 0x00010001);
  vi32 sum[4] = {{0}};
  int32_t of_row[4];
  size_t i = 0;
  for (; i + STEP <= depth; i += STEP)
    UNROLL for (int r = 0; r < count; r++) sum[r] =
        add_group(sum[r], i32_load(rows[first + (size_t)r] + from + i * CELL), ones);
#if HAS_DOT_BYTES
  if (i < depth)
    UNROLL for (int r = 0; r < count; r++) sum[r] =
        add_group(sum[r], (vi32)i8_load_part(rows[first + (size_t)r] + from + i, depth - i), ones);
  i = depth;
#endif
  i32_sum_4(sum, of_row);
  UNROLL for (int r = 0; r < count; r++) {
    const int16_t *cells = (const int16_t *)(const void *)(rows[first + (size_t)r] + from);
    uint32_t all = (uint32_t)sums[first + (size_t)r] + (uint32_t)of_row[r];
    for (size_t k = i; k < depth; k++) all += (uint32_t)(int32_t)cells[k];
    sums[first + (size_t)r] = (int32_t)all;
  }
}

static void row_sums(const char *const *rows, size_t num_rows, size_t from, size_t depth, int32_t *sums) {
  size_t r = 0;
  for (; r + 4 <= num_rows; r += 4) sum_some(rows, r, 4, from, depth, sums);
  for (; r < num_rows; r++) sum_some(rows, r, 1, from, depth, sums);
}

static void correct(int32_t *sums, size_t count, const int32_t *bias, int32_t a_zero, const int32_t *column_sums) {
  const vi32 zero = i32_set(a_zero);
  for (size_t j = 0; j < count; j += F32_LANES) {
    vi32 v = i32_load_part(sums + j, count - j) - zero * i32_load_part(column_sums + j, count - j);
    if (bias) v += i32_load_part(bias + j, count - j);
    i32_store_part(sums + j, v, count - j);
  }
}

const struct onri_byte_product_kernels ONRI_AT_LEVEL(onri_byte_product_kernels) = {
    COLUMNS, GROUP, CELL,      {UNSIGNED_SHIFT, SIGNED_SHIFT}, pack, pack_lines, pack_rows, tile, row_sums, correct,
    copy,    reals, requantise};
