/* sgemm_simd.c: see sgemm.h and sgemm_tile.h. */
#define ONRI_TILED 1
#include "kernels/kernels.h"
#include "kernels/matmul/sgemm.h"
#include "kernels/matmul/sgemm_tile.h"

/* --- behind a product --- */

struct ending {
  const struct onri_gemm *g;
  vf32 alpha, beta, min, max;
};

INLINE struct ending ending_of(const struct onri_gemm *g) {
  if (!g) return (struct ending){0};
  const double inf = (double)INFINITY;
  return (struct ending){g, f32_set((float)g->alpha), f32_set(g->bias ? (float)g->beta : 1.0f),
                         f32_set((float)(g->clamp ? g->min : -inf)), f32_set((float)(g->clamp ? g->max : inf))};
}

INLINE vf32 bias_of(const struct onri_gemm *g, size_t row, size_t column, size_t count) {
  const float *bias = (const float *)g->bias + row * g->bias_row + column * g->bias_col;
  if (g->bias_col > 1) return f32_gather_part(bias, g->bias_col, count);
  if (!g->bias_col) return f32_set(*bias);
  return count >= F32_LANES ? f32_load(bias) : f32_load_part(bias, count);
}

/* Sums of columns [column, column + count) of a row; bias: theirs. */
INLINE vf32 finished(const struct ending e, vf32 sums, vf32 bias, size_t row, size_t column, size_t count) {
  vf32 v = e.alpha * sums;
  if (e.g->bias) v = f32_fma(e.beta, bias, v);
  if (e.g->residual) {
    const float *residual = (const float *)e.g->residual + row * e.g->c_row + column;
    v += count >= F32_LANES ? f32_load(residual) : f32_load_part(residual, count);
  }
  return f32_clamp(v, e.min, e.max);
}

/* Sums of a row of the slice, from `column` on; e: what is behind them, if anything. */
INLINE void put_sums(const struct onri_sgemm_slice *s, const struct ending e, vf32 v, size_t row, size_t column,
                     size_t left) {
  float *c = s->c + row * s->c_row + column;
  if (s->accumulate) v += f32_load_part(c, left);
  if (e.g) v = finished(e, v, e.g->bias ? bias_of(e.g, row, column, left) : v, row, column, left);
  if (left >= F32_LANES) f32_store(c, v);
  else f32_store_part(c, v, left);
}

/* A tile of C, `columns` wide. */
struct tile {
  const float *a;
  size_t a_row;
  const float *b;
  size_t pitch, step, depth;
  float *c;
  size_t c_row, columns;
  struct sgemm_fetch fetch;
  const float *bias; /* see store_ended; NULL: the sums are all */
  float min, max;
};

INLINE void store_tile(const struct tile t, const int rows, const int vectors, const vf32 *sum) {
  UNROLL for (int r = 0; r < rows; r++) {
    UNROLL for (int v = 0; v < vectors; v++) {
      if ((size_t)v * F32_LANES >= t.columns) break;
      float *c = t.c + (size_t)r * t.c_row + (size_t)v * F32_LANES;
      const size_t left = t.columns - (size_t)v * F32_LANES;
      if (left >= F32_LANES) f32_store(c, sum[r * vectors + v]);
      else f32_store_part(c, sum[r * vectors + v], left);
    }
  }
}

/* Vector v of sums with bias and limits: most layers have no more behind them. */
INLINE void store_ended(const struct tile t, const int rows, const int vectors, const int v, const vf32 *sum) {
  const vf32 min = f32_set(t.min), max = f32_set(t.max);
  const size_t at = (size_t)v * F32_LANES, left = t.columns - at;
  const vf32 bias = f32_load_part(t.bias + at, left);
  UNROLL for (int r = 0; r < rows; r++) {
    const vf32 y = f32_clamp(sum[r * vectors + v] + bias, min, max);
    f32_store_part(t.c + (size_t)r * t.c_row + at, y, left);
  }
}

enum { MOST_SUMS = SGEMM_ROWS * SGEMM_VECTORS > SGEMM_MOST_VECTORS ? SGEMM_ROWS *SGEMM_VECTORS : SGEMM_MOST_VECTORS };

/* The sums of a tile whose C lies from `row` and `column` of the slice on, in whole vectors. Such stay in the cache,
 * and what was stored with a mask would be waited for. So does what is added to other sums. */
SIMD_FUNCTION void finish_tile(const struct onri_sgemm_slice *s, const struct tile *sums, size_t rows, size_t row,
                               size_t column, size_t columns) {
  static const struct onri_gemm none = {.alpha = 1, .beta = 1};
  const struct onri_gemm *g = s->finish ? s->finish : &none;
  const struct ending e = ending_of(g);
  const int accumulate = s->accumulate, each_row = g->bias && g->bias_row;
  const size_t sums_row = sums->c_row, c_row = s->c_row;
  for (size_t j = 0; j < columns; j += 2 * F32_LANES) {
    const size_t at = row * c_row + column + j, left = columns - j, second = left > F32_LANES ? left - F32_LANES : 0;
    const float *from = sums->c + j, *residual = g->residual ? (const float *)g->residual + at : NULL;
    float *c = s->c + at;
    vf32 bias[2] = {f32_set(-0.0f), f32_set(-0.0f)}; /* none: every sum stays as it is */
    for (size_t r = 0; r < rows; r++, from += sums_row, c += c_row) {
      if (g->bias && (r == 0 || each_row)) {
        bias[0] = bias_of(g, row + r, column + j, left);
        if (second) bias[1] = bias_of(g, row + r, column + j + F32_LANES, second);
      }
      vf32 v[2] = {f32_load(from), second ? f32_load(from + F32_LANES) : (vf32){0}};
      if (accumulate) {
        v[0] += f32_load_part(c, left);
        if (second) v[1] += f32_load_part(c + F32_LANES, second);
      }
      UNROLL for (int i = 0; i < 2; i++) v[i] = f32_fma(e.beta, bias[i], e.alpha * v[i]);
      if (residual) {
        v[0] += f32_load_part(residual, left);
        if (second) v[1] += f32_load_part(residual + F32_LANES, second);
        residual += c_row;
      }
      UNROLL for (int i = 0; i < 2; i++) v[i] = f32_clamp(v[i], e.min, e.max);
      f32_store_part(c, v[0], left);
      if (second) f32_store_part(c + F32_LANES, v[1], second);
    }
  }
}

INLINE void run_tile(const struct tile t, const int rows, const int vectors) {
  const struct sgemm_fetch *fetch = rows >= SGEMM_FETCH_ROWS && vectors > 1 ? &t.fetch : NULL;
  vf32 sum[MOST_SUMS];
  sgemm_sums_of_rows(rows, vectors, t.a, t.a_row, t.b, t.pitch, t.step, t.depth, fetch, sum);
  if (!t.bias) {
    store_tile(t, rows, vectors, sum);
    return;
  }
  store_ended(t, rows, vectors, 0, sum);
  if (vectors > 1 && t.columns > F32_LANES) store_ended(t, rows, vectors, 1, sum);
}

#define TILE(n)                                                                  \
  static void tile_##n(const struct tile *t) { run_tile(*t, n, SGEMM_VECTORS); } \
  static void narrow_##n(const struct tile *t) { run_tile(*t, n, 1); }
SGEMM_EACH_ROWS(TILE)
#undef TILE
/* The most vectors of one row, all of them whole. Sums by name: in an array, the compiler keeps so many in memory. */
_Static_assert(SGEMM_MOST_VECTORS == 8 && SGEMM_VECTORS == 2, "four panels of two vectors");
static void one_row(const struct tile *t) {
  const float *a = t->a, *b = t->b, *b1 = b + t->pitch, *b2 = b1 + t->pitch, *b3 = b2 + t->pitch;
  const size_t step = t->step;
  vf32 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
  for (size_t p = 0, i = 0; p < t->depth; p++, i += step) {
    const vf32 x = f32_set(a[p]);
    s0 = f32_fma(x, f32_load(b + i), s0);
    s1 = f32_fma(x, f32_load(b + i + F32_LANES), s1);
    s2 = f32_fma(x, f32_load(b1 + i), s2);
    s3 = f32_fma(x, f32_load(b1 + i + F32_LANES), s3);
    s4 = f32_fma(x, f32_load(b2 + i), s4);
    s5 = f32_fma(x, f32_load(b2 + i + F32_LANES), s5);
    s6 = f32_fma(x, f32_load(b3 + i), s6);
    s7 = f32_fma(x, f32_load(b3 + i + F32_LANES), s7);
  }
  const vf32 sum[SGEMM_MOST_VECTORS] = {s0, s1, s2, s3, s4, s5, s6, s7};
  store_tile(*t, 1, SGEMM_MOST_VECTORS, sum);
}

typedef void (*tile_function)(const struct tile *t);
#define ENTRY(n) {tile_##n, narrow_##n},
static const tile_function tiles[SGEMM_ROWS + 1][2] = {{NULL}, SGEMM_EACH_ROWS(ENTRY)};
#undef ENTRY

/* What store_ended adds, if no more is behind the sums. */
INLINE const float *bias_of_columns(const struct onri_sgemm_slice *s) {
  const struct onri_gemm *g = s->finish;
  return g && !s->accumulate && g->bias && !g->bias_row && g->bias_col == 1 && !g->residual && g->alpha == 1.0 &&
                 g->beta == 1.0
             ? g->bias
             : NULL;
}

/* Columns [from, to) of one row of tiles, from `row` of the slice on; A and B as t says. */
INLINE void run_columns(const struct onri_sgemm_slice *s, struct tile *t, const tile_function functions[2],
                        const float *bias, size_t row, size_t rows, size_t from, size_t to) {
  enum { WIDE = SGEMM_MOST_VECTORS * F32_LANES };
  float room[MOST_SUMS * F32_LANES];
  while (from < to) {
    const size_t left = to - from;
    const int wide = rows == 1 && left >= WIDE;
    const size_t columns = wide ? WIDE : left < SGEMM_COLUMNS ? left : SGEMM_COLUMNS;
    const tile_function function = wide ? one_row : functions[columns <= F32_LANES];
    t->bias = bias ? bias + from : NULL;
    if (s->accumulate || (s->finish && !bias)) {
      t->c = room, t->c_row = t->columns = wide ? WIDE : SGEMM_COLUMNS;
      function(t);
      finish_tile(s, t, rows, row, from, columns);
    } else {
      t->c = s->c + row * s->c_row + from, t->c_row = s->c_row, t->columns = columns;
      function(t);
    }
    t->b += columns / SGEMM_COLUMNS * t->pitch;
    t->fetch.next += t->fetch.step * (t->depth / SGEMM_FETCH_TERMS);
    from += columns;
  }
}

/* Rows that lie at distances of 4 KiB fall on the same lines of the cache, which are some 8: more rows are copied, and
 * so are those whose terms do not lie side by side. All others are read as they lie, at 0.98 of the FMA rate. */
static int copies_rows(const struct onri_sgemm_slice *s, size_t rows) {
  enum { ALIAS = 1024, WAYS = 8 };
  return s->a_col != 1 || (rows > WAYS && s->a_row % ALIAS == 0 && s->columns > SGEMM_COLUMNS);
}

/* Vector j of the sums of FEW rows of B, or of one; count: its columns. */
INLINE vf32 add_rows(const int few, const vf32 *x, const float *b, size_t b_row, vf32 sum, size_t count) {
  UNROLL for (int i = 0; i < few; i++) sum = f32_fma(
      x[i], count < F32_LANES ? f32_load_part(b + (size_t)i * b_row, count) : f32_load(b + (size_t)i * b_row), sum);
  return sum;
}

INLINE void add_lines(const int few, const struct onri_sgemm_slice *s, size_t p, size_t from, size_t count,
                      float *sums) {
  const float *a = s->a + p * s->a_col, *b = (const float *)s->b + p * s->b_row + from;
  vf32 x[8];
  size_t j = 0;
  UNROLL for (int i = 0; i < few; i++) x[i] = f32_set(a[(size_t)i * s->a_col]);
  for (; j + F32_LANES <= count; j += F32_LANES)
    f32_store(sums + j, add_rows(few, x, b + j, s->b_row, f32_load(sums + j), F32_LANES));
  if (j < count) f32_store(sums + j, add_rows(few, x, b + j, s->b_row, f32_load(sums + j), count - j));
}

/* One row of A by B as it lies in memory: row after row, a few at a time, with the sums in memory. */
static void multiply_row(const struct onri_sgemm_slice *s) {
  enum { PART = 4096, FEW = 8 };
  const struct ending e = ending_of(s->finish);
  float sums[PART];
  for (size_t from = 0; from < s->columns; from += PART) {
    const size_t count = s->columns - from < PART ? s->columns - from : PART;
    size_t p = 0;
    for (size_t j = 0; j < count; j += F32_LANES) f32_store(sums + j, (vf32){0});
    for (; p + FEW <= s->depth; p += FEW) add_lines(FEW, s, p, from, count, sums);
    for (; p < s->depth; p++) add_lines(1, s, p, from, count, sums);
    for (size_t j = 0; j < count; j += F32_LANES) put_sums(s, e, f32_load(sums + j), 0, from + j, count - j);
  }
}

/* Columns of B that are contiguous in memory, `col` from one to the next: a vector of them by a row, `depth` terms. */

/* Few terms: four at a time are turned, so that a vector has a term of each column; up to three elements behind a
 * column are read then. left: columns that there are. */
INLINE vf32 short_columns(const float *a, const float *b, size_t col, size_t depth, size_t left) {
  vf32 sum = {0};
  if (left < F32_LANES + (depth % 4 ? 3 : 0)) {
    for (size_t p = 0; p < depth; p++) sum = f32_fma(f32_set(a[p]), f32_gather_part(b + p, col, left), sum);
    return sum;
  }
  for (size_t p = 0; p < depth; p += 4) {
    vf32 x[4];
    UNROLL for (size_t i = 0; i < 4; i++) x[i] =
        f32_load_fours((const char *)(b + i * col + p), (ptrdiff_t)(4 * col * sizeof(float)));
    f32_transpose_fours(x);
    UNROLL for (size_t i = 0; i < 4; i++) if (p + i < depth) sum = f32_fma(f32_set(a[p + i]), x[i], sum);
  }
  return sum;
}

/* Each has a vector of sums of every so many terms. */
INLINE void add_columns(const float *a, const float *b, size_t col, size_t p, size_t depth, const size_t count,
                        vf32 sums[F32_LANES]) {
  for (; p + F32_LANES <= depth; p += F32_LANES) {
    const vf32 x = f32_load(a + p);
    UNROLL for (size_t i = 0; i < count; i++) sums[i] = f32_fma(x, f32_load(b + i * col + p), sums[i]);
  }
  if (p == depth) return;
  const vf32 x = f32_load_part(a + p, depth - p);
  UNROLL for (size_t i = 0; i < count; i++) sums[i] = f32_fma(x, f32_load_part(b + i * col + p, depth - p), sums[i]);
}

INLINE vf32 whole_columns(const float *a, const float *b, size_t col, size_t depth) {
  vf32 sums[F32_LANES];
  UNROLL for (size_t i = 0; i < F32_LANES; i++) sums[i] = (vf32){0};
  add_columns(a, b, col, 0, depth, F32_LANES, sums);
  return f32_sums(sums);
}

SIMD_FUNCTION vf32 last_columns(const float *a, const float *b, size_t col, size_t depth, size_t count) {
  vf32 sums[F32_LANES] = {{0}};
  for (size_t i = 0; i < count; i++) add_columns(a, b + i * col, col, 0, depth, 1, sums + i);
  return f32_sums(sums);
}

/* Many terms: some columns at a time, since those that lie at distances of 4 KiB fall on the same lines of the cache,
 * with several sums each. */
SIMD_FUNCTION vf32 long_columns(const float *a, const float *b, size_t col, size_t depth, size_t count) {
  enum { COLUMNS = 4, SUMS = 4, TERMS = SUMS * F32_LANES };
  const size_t end = depth / TERMS * TERMS;
  vf32 sums[F32_LANES] = {{0}};
  for (size_t first = 0; first < count; first += COLUMNS) {
    const float *at[COLUMNS];
    vf32 sum[COLUMNS * SUMS];
    UNROLL for (size_t i = 0; i < COLUMNS; i++) at[i] = b + (first + i < count ? first + i : first) * col;
    UNROLL for (int i = 0; i < COLUMNS * SUMS; i++) sum[i] = (vf32){0};
    for (size_t p = 0; p < end; p += TERMS) UNROLL for (size_t k = 0; k < SUMS; k++) {
        const vf32 x = f32_load(a + p + k * F32_LANES);
        UNROLL for (size_t i = 0; i < COLUMNS; i++) sum[i * SUMS + k] =
            f32_fma(x, f32_load(at[i] + p + k * F32_LANES), sum[i * SUMS + k]);
      }
    UNROLL for (size_t i = 0; i < COLUMNS; i++) {
      vf32 *all = sums + first + i;
      *all = (sum[i * SUMS] + sum[i * SUMS + 1]) + (sum[i * SUMS + 2] + sum[i * SUMS + 3]);
      add_columns(a, at[i], col, end, depth, 1, all);
    }
  }
  return f32_sums(sums);
}

/* One row of A by such columns. As fast as memory is, up to the third cache. */
static void multiply_row_by_columns(const struct onri_sgemm_slice *s, const float *a) {
  enum { SHORT = 8, LONG = 256, ALIAS = 512 };
  const struct ending e = ending_of(s->finish);
  for (size_t j = 0; j < s->columns; j += F32_LANES) {
    const size_t left = s->columns - j, count = left < F32_LANES ? left : F32_LANES;
    const float *b = (const float *)s->b + j * s->b_col;
    const vf32 sums = s->depth <= SHORT                           ? short_columns(a, b, s->b_col, s->depth, left)
                      : s->depth >= LONG && s->b_col % ALIAS == 0 ? long_columns(a, b, s->b_col, s->depth, count)
                      : count == F32_LANES                        ? whole_columns(a, b, s->b_col, s->depth)
                                                                  : last_columns(a, b, s->b_col, s->depth, count);
    put_sums(s, e, sums, 0, j, count);
  }
}

static void pack_vector(const float *b, size_t b_row, size_t b_col, size_t depth, size_t columns, float *to) {
  sgemm_pack_vectors(b, b_row, b_col, depth, columns, 1, to);
}

/* What each tile of a slice fetches; down: how many tiles are below one another. */
static struct sgemm_fetch fetch_of(const struct onri_sgemm_slice *s, size_t down) {
  const size_t across = s->columns / SGEMM_COLUMNS, terms = s->depth / SGEMM_FETCH_TERMS;
  if (!s->ahead || down < SGEMM_FETCH_DOWN || across == 0 || terms == 0) return (struct sgemm_fetch){s->b, 0};
  return (struct sgemm_fetch){s->ahead, (s->ahead_bytes - 1) / (down * across * terms) + 1};
}

/* The last columns of B where it lies and no vector of it ends there: packed, as a panel or, of many terms, as a
 * vector; `step` columns of which are multiplied at a time. Beside them, if there are many terms, are fewer rows of A
 * than otherwise: room for both is on the stack. */
enum { LAST_FLOATS = 8192, LAST_ROWS = SGEMM_ROWS < 10 ? SGEMM_ROWS : 10, ROW = ONRI_SGEMM_DEPTH + F32_LANES };
_Static_assert(LAST_ROWS *ROW + LAST_FLOATS >= SGEMM_ROWS * ROW, "room for the rows of a whole tile");
_Static_assert(ONRI_SGEMM_DEPTH *F32_LANES <= LAST_FLOATS, "room for a vector of columns");

static void multiply_tiles(const struct onri_sgemm_slice *s) {
  float room[LAST_ROWS * ROW + LAST_FLOATS], *last = room + LAST_ROWS * ROW;
  const size_t odd = ONRI_PART(loose) && s->b_row && !s->padded ? s->columns % F32_LANES : 0,
               step = s->depth * SGEMM_COLUMNS <= LAST_FLOATS ? SGEMM_COLUMNS : F32_LANES,
               whole = odd ? s->columns / step * step : s->columns; /* columns that are read as b lies */
  const size_t pitch = s->depth + F32_LANES,
               copied = odd && SGEMM_ROWS * pitch > LAST_ROWS * ROW ? LAST_ROWS : SGEMM_ROWS;
  const size_t most = copies_rows(s, SGEMM_ROWS) ? copied : SGEMM_ROWS, parts = (s->rows + most - 1) / most,
               least = s->rows / parts, larger = s->rows % parts;
  const float *bias = bias_of_columns(s);
  struct tile t = {.depth = s->depth, .min = -INFINITY, .max = INFINITY};
  if (bias && s->finish->clamp) t.min = (float)s->finish->min, t.max = (float)s->finish->max;
  t.fetch = fetch_of(s, parts);
  if (odd) {
    const float *behind = (const float *)s->b + whole;
    if (step == SGEMM_COLUMNS) sgemm_pack_panel(behind, s->b_row, 1, s->depth, s->columns - whole, last);
    else pack_vector(behind, s->b_row, 1, s->depth, s->columns - whole, last);
  }
  t.pitch = s->b_row ? SGEMM_COLUMNS : s->depth * SGEMM_COLUMNS;
  for (size_t part = 0, row = 0, rows; part < parts; part++, row += rows) {
    rows = least + (part + larger >= parts);
    const float *behind = rows == 1 ? NULL : bias;
    t.a = s->a + row * s->a_row, t.a_row = s->a_row;
    if (copies_rows(s, rows)) {
      sgemm_copy_rows(t.a, s->a_row, s->a_col, rows, s->depth, room, pitch);
      t.a = room, t.a_row = pitch;
    }
    t.b = s->b, t.step = s->b_row ? s->b_row : SGEMM_COLUMNS;
    if (whole) run_columns(s, &t, tiles[rows], behind, row, rows, 0, whole);
    t.b = last, t.step = step;
    if (odd) run_columns(s, &t, tiles[rows], behind, row, rows, whole, s->columns);
  }
}

static void multiply_floats(const struct onri_sgemm_slice *s) {
  if (s->rows == 0) return;
  if (ONRI_PART(loose) && s->b_col > 1) {
    float row[ONRI_SGEMM_DEPTH];
    for (size_t p = 0; p < s->depth && s->a_col != 1; p++) row[p] = s->a[p * s->a_col];
    multiply_row_by_columns(s, s->a_col == 1 ? s->a : row);
  } else if (ONRI_PART(loose) && s->rows == 1 && s->b_row && !s->padded) {
    multiply_row(s);
  } else {
    multiply_tiles(s);
  }
}

/* --- few columns --- */

enum { FEW_TOGETHER = 3 /* rows, whose sums are all in registers */ };

INLINE void few_tile(const struct onri_sgemm_few *f, size_t row, const int rows, const int columns) {
  const float *a = f->a + row * f->a_row, *b = f->b;
  float *c = f->c + row * f->c_row;
  vf32 sum[FEW_TOGETHER * ONRI_SGEMM_FEW], x[FEW_TOGETHER];
  UNROLL for (int i = 0; i < rows * columns; i++) sum[i] = (vf32){0};
  size_t p = 0;
  for (; p + F32_LANES <= f->depth; p += F32_LANES) {
    UNROLL for (int r = 0; r < rows; r++) x[r] = f32_load(a + (size_t)r * f->a_row + p);
    UNROLL for (int j = 0; j < columns; j++) {
      const vf32 y = f32_load(b + (size_t)j * f->b_col + p);
      UNROLL for (int r = 0; r < rows; r++) sum[r * columns + j] = f32_fma(x[r], y, sum[r * columns + j]);
    }
  }
  const size_t left = f->depth - p;
  if (left > 0) {
    UNROLL for (int r = 0; r < rows; r++) x[r] = f32_load_part(a + (size_t)r * f->a_row + p, left);
    UNROLL for (int j = 0; j < columns; j++) {
      const vf32 y = f32_load_part(b + (size_t)j * f->b_col + p, left);
      UNROLL for (int r = 0; r < rows; r++) sum[r * columns + j] = f32_fma(x[r], y, sum[r * columns + j]);
    }
  }
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int j = 0; j < columns; j++) {
    float *to = c + (size_t)r * f->c_row + j;
    *to = f32_sum(sum[r * columns + j]) + (f->accumulate ? *to : 0.0f);
  }
}

INLINE void few_rows(const struct onri_sgemm_few *f, const int columns) {
  size_t row = 0;
  for (; row + FEW_TOGETHER <= f->rows; row += FEW_TOGETHER) few_tile(f, row, FEW_TOGETHER, columns);
  for (; row < f->rows; row++) few_tile(f, row, 1, columns);
}

#define FEW_COLUMNS(n) \
  static void few_##n(const struct onri_sgemm_few *f) { few_rows(f, n); }
FEW_COLUMNS(2)
#if SIMD_BYTES >= 32
FEW_COLUMNS(3)
FEW_COLUMNS(4)
#endif
#if SIMD_BYTES >= 64
FEW_COLUMNS(5)
FEW_COLUMNS(6)
FEW_COLUMNS(7)
FEW_COLUMNS(8)
#endif
#undef FEW_COLUMNS

static void multiply_few(const struct onri_sgemm_few *f) {
  static void (*const functions[])(const struct onri_sgemm_few *) = {
    few_2,
#if SIMD_BYTES >= 32
    few_3,
    few_4,
#endif
#if SIMD_BYTES >= 64
    few_5,
    few_6,
    few_7,
    few_8,
#endif
  };
  functions[f->columns - 2](f);
}

/* --- panels of float16 and bfloat16 --- */

INLINE vf32 load_narrow(const uint16_t *p, const int is_f16) { return is_f16 ? f32_load_f16(p) : f32_load_bf16(p); }

INLINE void store_narrow(const struct onri_sgemm_slice *s, size_t row, size_t panel, const int rows, const int panels,
                         const vf32 *sum) {
  const size_t column = panel * SGEMM_COLUMNS, all = (size_t)panels * SGEMM_COLUMNS, left = s->columns - column;
  const int direct = !s->finish && !s->accumulate;
  struct tile t = {.c = s->c + row * s->c_row + column, .c_row = s->c_row, .columns = left};
  float room[MOST_SUMS * F32_LANES];
  if (!direct) t = (struct tile){.c = room, .c_row = all, .columns = all};
  store_tile(t, rows, panels * SGEMM_VECTORS, sum);
  if (!direct) finish_tile(s, &t, (size_t)rows, row, column, left < all ? left : all);
}

/* `rows` rows of A, the first of which is `row` of the slice, by `panels` panels of B, in the order of the other ways.
 * For few rows: conversions take slots that multiply and add, 0.1 of the time of tiles of 14 rows. */
INLINE void narrow_tile(const struct onri_sgemm_slice *s, size_t row, size_t panel, const int rows, const int panels,
                        const int is_f16) {
  const uint16_t *b = (const uint16_t *)s->b + panel * s->depth * SGEMM_COLUMNS;
  const float *a = s->a + row * s->a_row;
  vf32 sum[MOST_SUMS];
  UNROLL for (int i = 0; i < rows * panels * SGEMM_VECTORS; i++) sum[i] = (vf32){0};
  for (size_t p = 0; p < s->depth; p++, a += s->a_col, b += SGEMM_COLUMNS) {
    UNROLL for (int v = 0; v < panels * SGEMM_VECTORS; v++) {
      const uint16_t *at =
          b + (size_t)(v / SGEMM_VECTORS) * s->depth * SGEMM_COLUMNS + (size_t)(v % SGEMM_VECTORS) * F32_LANES;
      const vf32 column = load_narrow(at, is_f16);
      UNROLL for (int r = 0; r < rows; r++) sum[r * panels * SGEMM_VECTORS + v] =
          f32_fma(f32_set(a[(size_t)r * s->a_row]), column, sum[r * panels * SGEMM_VECTORS + v]);
    }
  }
  store_narrow(s, row, panel, rows, panels, sum);
}

/* One row by the most panels: see one_row. */
INLINE void narrow_row(const struct onri_sgemm_slice *s, size_t row, size_t panel, const int is_f16) {
  const size_t pitch = s->depth * SGEMM_COLUMNS, end = pitch;
  const uint16_t *b = (const uint16_t *)s->b + panel * pitch, *b1 = b + pitch, *b2 = b1 + pitch, *b3 = b2 + pitch;
  const float *a = s->a + row * s->a_row;
  vf32 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
  for (size_t i = 0; i < end; i += SGEMM_COLUMNS, a += s->a_col) {
    const vf32 x = f32_set(*a);
    s0 = f32_fma(x, load_narrow(b + i, is_f16), s0);
    s1 = f32_fma(x, load_narrow(b + i + F32_LANES, is_f16), s1);
    s2 = f32_fma(x, load_narrow(b1 + i, is_f16), s2);
    s3 = f32_fma(x, load_narrow(b1 + i + F32_LANES, is_f16), s3);
    s4 = f32_fma(x, load_narrow(b2 + i, is_f16), s4);
    s5 = f32_fma(x, load_narrow(b2 + i + F32_LANES, is_f16), s5);
    s6 = f32_fma(x, load_narrow(b3 + i, is_f16), s6);
    s7 = f32_fma(x, load_narrow(b3 + i + F32_LANES, is_f16), s7);
  }
  const vf32 sum[SGEMM_MOST_VECTORS] = {s0, s1, s2, s3, s4, s5, s6, s7};
  store_narrow(s, row, panel, 1, SGEMM_MOST_VECTORS / SGEMM_VECTORS, sum);
}

enum { FEW_ROWS = 4, WIDE_PANELS = SGEMM_MOST_VECTORS / SGEMM_VECTORS };
typedef void (*narrow_function)(const struct onri_sgemm_slice *s, size_t row, size_t panel);
#define TILE(name, rows, panels)                                                    \
  static void f16_##name(const struct onri_sgemm_slice *s, size_t row, size_t j) {  \
    narrow_tile(s, row, j, rows, panels, 1);                                        \
  }                                                                                 \
  static void bf16_##name(const struct onri_sgemm_slice *s, size_t row, size_t j) { \
    narrow_tile(s, row, j, rows, panels, 0);                                        \
  }
TILE(few, FEW_ROWS, 1)
TILE(row, 1, 1)
#undef TILE
static void f16_wide_row(const struct onri_sgemm_slice *s, size_t row, size_t j) { narrow_row(s, row, j, 1); }
static void bf16_wide_row(const struct onri_sgemm_slice *s, size_t row, size_t j) { narrow_row(s, row, j, 0); }

static void multiply_narrow(const struct onri_sgemm_slice *s) {
  const int is_f16 = s->narrow == ONR_DTYPE_F16;
  const narrow_function few = is_f16 ? f16_few : bf16_few, row = is_f16 ? f16_row : bf16_row,
                        wide_row = is_f16 ? f16_wide_row : bf16_wide_row;
  const size_t panels = s->columns / SGEMM_COLUMNS + (s->columns % SGEMM_COLUMNS != 0);
  for (size_t i = 0, rows; i < s->rows; i += rows) {
    size_t j = 0;
    rows = s->rows - i >= FEW_ROWS ? FEW_ROWS : 1;
    for (; rows == 1 && (j + WIDE_PANELS) * SGEMM_COLUMNS <= s->columns; j += WIDE_PANELS) wide_row(s, i, j);
    for (; j < panels; j++) (rows == 1 ? row : few)(s, i, j);
  }
}

static void multiply(const struct onri_sgemm_slice *s) {
  if (!ONRI_PART(narrow) || s->narrow == ONR_DTYPE_NONE) multiply_floats(s);
  else multiply_narrow(s);
}

static void pack(const float *b, size_t b_row, size_t b_col, size_t depth, size_t columns, float *packed) {
  size_t j = 0;
  if (b_col == 1) {
    sgemm_pack_panels(b, b_row, depth, columns / SGEMM_COLUMNS, packed);
    j = columns / SGEMM_COLUMNS * SGEMM_COLUMNS;
  }
  for (; j < columns; j += SGEMM_COLUMNS)
    sgemm_pack_panel(b + j * b_col, b_row, b_col, depth, columns - j < SGEMM_COLUMNS ? columns - j : SGEMM_COLUMNS,
                     packed + j * depth);
}

/* --- behind a product that is in memory --- */

INLINE void finish_vector(const struct ending e, size_t row, size_t column, size_t count) {
  float *c = (float *)e.g->c + row * e.g->c_row + column;
  const int whole = count >= F32_LANES;
  const vf32 sums = whole ? f32_load(c) : f32_load_part(c, count);
  const vf32 v = finished(e, sums, e.g->bias ? bias_of(e.g, row, column, count) : sums, row, column, count);
  if (whole) f32_store(c, v);
  else f32_store_part(c, v, count);
}

/* Rows of few columns that lie side by side: a vector holds some whole ones. */
static int folds(const struct onri_gemm *g) {
  return g->n < F32_LANES && g->n > 0 && F32_LANES % g->n == 0 && g->c_row == g->n && (!g->bias || !g->bias_row);
}

static void finish_folded(struct onri_gemm g) {
  const size_t count = g.m * g.n, rows = count / F32_LANES;
  float bias[F32_LANES];
  for (size_t l = 0; g.bias && l < F32_LANES; l++) bias[l] = ((const float *)g.bias)[l % g.n * g.bias_col];
  if (g.bias) g.bias = bias, g.bias_col = 1;
  g.c_row = F32_LANES;
  const struct ending e = ending_of(&g);
  for (size_t i = 0; i < rows; i++) finish_vector(e, i, 0, F32_LANES);
  if (count % F32_LANES) finish_vector(e, rows, 0, count % F32_LANES);
}

static void finish(const struct onri_gemm *gemm) {
  const struct onri_gemm g = *gemm;
  const struct ending e = ending_of(&g);
  if (folds(&g)) {
    finish_folded(g);
    return;
  }
  for (size_t i = 0; i < g.m; i++) {
    size_t j = 0;
    for (; j + F32_LANES <= g.n; j += F32_LANES) finish_vector(e, i, j, F32_LANES);
    if (j < g.n) finish_vector(e, i, j, g.n - j);
  }
}

const struct onri_sgemm_kernels ONRI_AT_LEVEL(onri_sgemm_kernels) = {
    .rows = SGEMM_ROWS,
    .columns = SGEMM_COLUMNS,
    .vector = F32_LANES,
    .pack = pack,
    .pack_vector = ONRI_WHERE(PART_loose, pack_vector),
    .multiply = multiply,
    .multiply_few = ONRI_WHERE(PART_few, multiply_few),
    .finish = finish,
};
