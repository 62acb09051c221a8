/* reduce_simd.c: see reduce_lines.h. Lines that lie side by side have a lane each; a single one is spread over all
 * lanes.
 *
 * Share of what L2 gives on a core with AVX-512: extremes 0.9, sums 0.7, for each float is widened before it is added.
 */
#include "base/only.h"
#include "kernels/kernels.h"
#include "kernels/reduce/run_simd.h"

/* --- lines side by side --- */

enum { TILE = SIMD_REGISTERS == 32 ? 4 : 2, EXTREMES = SIMD_BYTES >= 32 ? 4 : 2 /* vectors of a tile of those */ };

/* A vector of a row: all lanes, or the first `left` of a last one. */
INLINE vf32 of_row(const float *x, vi32 steps, const int gathers, const int full, size_t left) {
  if (gathers) return f32_gather(x, steps);
  return full ? f32_load(x) : f32_load_part(x, left);
}

INLINE vi32 steps_of(size_t step, size_t left) {
  vi32 lane;
  for (int l = 0; l < F32_LANES; l++) lane[l] = (int32_t)((size_t)l < left ? (size_t)l * step : 0);
  return lane;
}

INLINE void load_halves(const double *from, size_t count, vf64 to[2]) {
  to[0] = f64_load_part(from, count);
  to[1] = count > F64_LANES ? f64_load_part(from + F64_LANES, count - F64_LANES) : (vf64){0};
}

/* Of a tile's vectors `full` are whole; a last one has `left` lanes. */
INLINE void sum_tile(const struct onri_lines lines, size_t first, double *acc, const enum onri_take what,
                     const int vectors, const int gathers, const int full, size_t left) {
  const float *x = lines.x + first * lines.column_step;
  const size_t step = gathers ? F32_LANES * lines.column_step : F32_LANES;
  const vi32 steps = steps_of(lines.column_step, left);
  const int has_centre = (what == ONRI_TAKE_SQUARE || what == ONRI_TAKE_EXP) && lines.centre;
  vf64 sum[2 * TILE], centre[2 * TILE];
  UNROLL for (int k = 0; k < vectors; k++) {
    const size_t here = k < full ? F32_LANES : left;
    load_halves(acc + k * F32_LANES, here, sum + 2 * k);
    centre[2 * k] = centre[2 * k + 1] = (vf64){0};
    if (has_centre) load_halves(lines.centre + first + k * F32_LANES, here, centre + 2 * k);
  }
  for (size_t row = 0; row < lines.rows; row++, x += lines.row_step) UNROLL for (int k = 0; k < vectors; k++) {
      if (k < full && !gathers) take_vector(sum + 2 * k, x + k * step, centre + 2 * k, what);
      else take_lanes(sum + 2 * k, of_row(x + k * step, steps, gathers, k < full, left), centre + 2 * k, what);
    }
  UNROLL for (int k = 0; k < vectors; k++) {
    const size_t here = k < full ? F32_LANES : left;
    f64_store_part(acc + k * F32_LANES, sum[2 * k], here);
    if (here > F64_LANES) f64_store_part(acc + k * F32_LANES + F64_LANES, sum[2 * k + 1], here - F64_LANES);
  }
}

/* v where it lies beyond what is there, or is NaN. */
INLINE void further(double *to, vf64 v, const enum onri_take what, size_t left) {
  const vf64 old = f64_load_part(to, left);
  const vi64 more = (vi64)(what == ONRI_TAKE_MAX ? v > old : v < old) | (vi64)(v != v);
  f64_store_part(to, f64_select(more, v, old), left);
}

enum { NEXT = 8 }; /* rows further down that are fetched; sums take so long that they are there */

INLINE void extreme_tile(const struct onri_lines lines, size_t first, double *acc, const enum onri_take what,
                         const int vectors, const int gathers, const int full, size_t left) {
  const float *x = lines.x + first * lines.column_step;
  const size_t step = gathers ? F32_LANES * lines.column_step : F32_LANES;
  const vi32 steps = steps_of(lines.column_step, left);
  vf32 best[EXTREMES];
  vi32 strange[EXTREMES];
  UNROLL for (int k = 0; k < vectors; k++) {
    best[k] = f32_set(what == ONRI_TAKE_MAX ? -INFINITY : INFINITY);
    strange[k] = (vi32){0};
  }
  for (size_t row = 0; row < lines.rows; row++, x += lines.row_step) UNROLL for (int k = 0; k < vectors; k++) {
      if (!gathers) simd_prefetch_vector(x + k * step + NEXT * lines.row_step, k);
      const vf32 v = of_row(x + k * step, steps, gathers, k < full, left);
      best[k] = extreme(best[k], v, what);
      strange[k] |= v != v;
    }
  UNROLL for (int k = 0; k < vectors; k++) {
    const vf32 found = f32_select(strange[k], f32_set(NAN), best[k]);
    const size_t here = k < full ? F32_LANES : left;
    further(acc + k * F32_LANES, f64_from_low(found), what, here);
    if (here > F64_LANES) further(acc + k * F32_LANES + F64_LANES, f64_from_high(found), what, here - F64_LANES);
  }
}

/* --- lines of neighbours --- */

enum {
  LONG = 16,             /* elements: lines of more are better spread than gathered */
  FEW_VECTORS = 2 * RUN, /* of a line: what is done across its lanes at the end is as much as what is loaded */
  GROUP = F32_LANES      /* lines whose last steps are taken together */
};

/* The vector that line x is folded to; the last load goes over some elements once more. */
INLINE vf32 extreme_of_line(const float *x, size_t count, vi32 *strange, const enum onri_take what) {
  const vf32 start = f32_set(what == ONRI_TAKE_MAX ? -INFINITY : INFINITY);
  const vf32 last = count < F32_LANES ? f32_load_part(x, count) : f32_load(x + count - F32_LANES);
  vf32 best = count < F32_LANES ? f32_select(i32_first_lanes(count), last, start) : last;
  *strange |= last != last;
  for (size_t i = 0; i + F32_LANES < count; i += F32_LANES) {
    const vf32 v = f32_load(x + i);
    *strange |= v != v;
    best = extreme(best, v, what);
  }
  return best;
}

/* 0: a NaN is among them, and acc is as it was. */
INLINE int extremes_of_group(const float *x, size_t step, size_t count, double *acc, size_t left,
                             const enum onri_take what) {
  vf32 v[GROUP];
  vi32 strange = {0};
  for (size_t l = 0; l < GROUP; l++) v[l] = extreme_of_line(x + (l < left ? l : 0) * step, count, &strange, what);
  if (i32_any(strange)) return 0;
  UNROLL for (int half = GROUP / 2; half > 0; half /= 2) UNROLL for (int i = 0; i < half; i++) v[i] =
      extreme(f32_interleave_low(v[i], v[i + half]), f32_interleave_high(v[i], v[i + half]), what);
  further(acc, f64_from_low(v[0]), what, left);
  if (left > F64_LANES) further(acc + F64_LANES, f64_from_high(v[0]), what, left - F64_LANES);
  return 1;
}

/* As short_run of each. */
INLINE void sums_of_group(const float *x, size_t step, size_t count, const double *centre, double *acc, size_t left,
                          const enum onri_take what) {
  for (size_t first = 0; first < left; first += F64_LANES) {
    vf64 v[F64_LANES];
    for (size_t l = 0; l < F64_LANES; l++) {
      const size_t line = first + l < left ? first + l : first;
      const float *from = x + line * step;
      const vf64 middle = f64_set(centre ? centre[line] : 0), middles[2] = {middle, middle};
      vf64 sum[2] = {{0}, {0}};
      size_t i = 0;
      for (; i + F32_LANES <= count; i += F32_LANES) take_vector(sum, from + i, middles, what);
      if (i < count && centre) take_part(sum, f32_load_part(from + i, count - i), middles, what, count - i);
      else if (i < count) take_lanes(sum, f32_load_part(from + i, count - i), middles, what); /* zeros behind it */
      v[l] = sum[0] + sum[1];
    }
    f64_store_part(acc + first, f64_load_part(acc + first, left - first) + f64_sums(v), left - first);
  }
}

INLINE int goes_in_groups(const enum onri_take what) { return what != ONRI_TAKE_PROD && what != ONRI_TAKE_EXP; }

typedef double (*run_function)(const float *x, size_t count, double centre, double acc);

INLINE void lines_of_neighbours(const struct onri_lines lines, double *acc, const enum onri_take what,
                                run_function run) {
  const int groups = goes_in_groups(what) && lines.rows <= FEW_VECTORS * F32_LANES;
  for (size_t i = 0, n; i < lines.columns; i += n) {
    const float *x = lines.x + i * lines.column_step;
    const double *centre = lines.centre ? lines.centre + i : NULL;
    n = !groups ? 1 : lines.columns - i < GROUP ? lines.columns - i : GROUP;
    if (groups && is_extreme(what) && extremes_of_group(x, lines.column_step, lines.rows, acc + i, n, what)) continue;
    if (groups && !is_extreme(what)) {
      sums_of_group(x, lines.column_step, lines.rows, centre, acc + i, n, what);
      continue;
    }
    for (size_t l = 0; l < n; l++)
      acc[i + l] = run(x + l * lines.column_step, lines.rows, centre ? centre[l] : 0, acc[i + l]);
  }
}

/* --- lines that lie any other way --- */

INLINE void tile(const struct onri_lines lines, size_t first, double *acc, const enum onri_take what, const int vectors,
                 const int gathers, const int full, size_t left) {
  if (is_extreme(what)) extreme_tile(lines, first, acc, what, vectors, gathers, full, left);
  else sum_tile(lines, first, acc, what, vectors, gathers, full, left);
}

/* Columns side by side, of so many vectors, at most `most`, 2 or 4; the last may be cut short. */
INLINE void some_columns(const struct onri_lines lines, size_t first, double *acc, const enum onri_take what,
                         size_t vectors, const int most) {
  const size_t left = lines.columns - first - (vectors - 1) * F32_LANES;
  if (vectors == (size_t)most && left >= F32_LANES) tile(lines, first, acc, what, most, 0, most, 0);
  else if (vectors == 1) tile(lines, first, acc, what, 1, 0, 0, left);
  else if (vectors == 2) tile(lines, first, acc, what, 2, 0, 1, left);
  else if (most > 2 && vectors == 3) tile(lines, first, acc, what, most - 1, 0, most - 2, left); /* of four */
  else tile(lines, first, acc, what, most, 0, most - 1, left);
}

INLINE void lines_of(const struct onri_lines *given, double *acc, const enum onri_take what, run_function run) {
  const int most = is_extreme(what) ? EXTREMES : is_long(what) ? 2 : TILE;
  const struct onri_lines lines = *given;
  if (lines.row_step == 1 && lines.column_step != 1 &&
      (lines.rows > LONG || (goes_in_groups(what) && lines.rows > 1))) {
    lines_of_neighbours(lines, acc, what, run);
    return;
  }
  if (lines.column_step == 1) /* a vector by itself would wait for its own sum */
    for (size_t i = 0, n; i < lines.columns; i += n * F32_LANES) {
      const size_t vectors = (lines.columns - i + F32_LANES - 1) / F32_LANES;
      n = vectors <= (size_t)most                          ? vectors
          : is_extreme(what) && vectors < 2 * (size_t)most ? vectors / 2
                                                           : (size_t)most;
      some_columns(lines, i, acc + i, what, n, most);
    }
  else
    for (size_t i = 0; i < lines.columns; i += F32_LANES) {
      const size_t left = lines.columns - i;
      tile(lines, i, acc + i, what, 1, 1, 0, left < F32_LANES ? left : F32_LANES);
    }
}

#define TAKE(name)                                                                           \
  SIMD_FUNCTION double run_##name(const float *x, size_t count, double centre, double acc) { \
    return run_of(x, count, centre, acc, ONRI_TAKE_##name);                                  \
  }                                                                                          \
  static void lines_##name(const struct onri_lines *lines, double *acc) {                    \
    lines_of(lines, acc, ONRI_TAKE_##name, run_##name);                                      \
  }
TAKE(SUM)
TAKE(ABS)
TAKE(SQUARE)
TAKE(PROD)
TAKE(MAX)
TAKE(MIN)
TAKE(EXP)
#undef TAKE

/* --- doubles --- */

INLINE vf64 double_taken(vf64 acc, vf64 x, vf64 centre, const enum onri_take what) {
  if (what == ONRI_TAKE_MAX) return f64_greatest(x, acc); /* a NaN in x is passed over */
  if (what == ONRI_TAKE_MIN) return f64_least(x, acc);
  if (what == ONRI_TAKE_EXP) return acc + f64_exp(x - centre);
  return taken(acc, x, centre, what);
}

/* Rows by `vectors` vectors, or by the first `left` lanes of one. */
INLINE void double_tile(const struct onri_double_rows d, size_t first, double *acc, const enum onri_take what,
                        const int vectors, size_t left) {
  const int has_centre = (what == ONRI_TAKE_SQUARE || what == ONRI_TAKE_EXP) && d.centre;
  const double *x = d.x + first;
  vf64 sum[TILE], centre[TILE];
  vi64 strange[TILE];
  UNROLL for (int k = 0; k < vectors; k++) {
    sum[k] = f64_load_part(acc + first + k * F64_LANES, left);
    strange[k] = (vi64){0};
    centre[k] = has_centre ? f64_load_part(d.centre + first + k * F64_LANES, left) : (vf64){0};
  }
  for (size_t row = 0; row < d.rows; row++, x += d.row_step) UNROLL for (int k = 0; k < vectors; k++) {
      const vf64 v = vectors == 1 ? f64_load_part(x, left) : f64_load(x + k * F64_LANES);
      sum[k] = double_taken(sum[k], v, centre[k], what);
      if (is_extreme(what)) strange[k] |= (vi64)(v != v);
    }
  UNROLL for (int k = 0; k < vectors; k++) {
    if (is_extreme(what)) sum[k] = f64_select(strange[k], f64_set((double)NAN), sum[k]);
    f64_store_part(acc + first + k * F64_LANES, sum[k], left);
  }
}

/* The terms of a run that vector k of RUN takes in. */
INLINE void take_double(vf64 *sum, vi64 *strange, vf64 v, vf64 middle, const enum onri_take what) {
  *sum = double_taken(*sum, v, middle, what);
  if (is_extreme(what)) *strange |= (vi64)(v != v);
}

/* vectors: that sum side by side, a power of two. */
INLINE double double_sum_of(const double *x, size_t count, double centre, double acc, const enum onri_take what,
                            const int vectors) {
  const vf64 start = f64_set((double)(what == ONRI_TAKE_MAX   ? -INFINITY
                                      : what == ONRI_TAKE_MIN ? INFINITY
                                                              : what == ONRI_TAKE_PROD)),
             middle = f64_set(centre);
  vf64 sum[RUN];
  vi64 strange[RUN];
  size_t i = 0;
  UNROLL for (int k = 0; k < vectors; k++) sum[k] = start, strange[k] = (vi64){0};
  for (; i + vectors * F64_LANES <= count; i += vectors * F64_LANES) UNROLL for (int k = 0; k < vectors; k++) {
      simd_prefetch_vector(x + i + k * F64_LANES + AHEAD / 2, k);
      take_double(&sum[k], &strange[k], f64_load(x + i + k * F64_LANES), middle, what);
    }
  for (; i < count; i += F64_LANES) {
    const vi64 here = i64_first_lanes(count - i);
    const vf64 v = f64_select(here, f64_load_part(x + i, count - i), is_extreme(what) ? start : middle), old = sum[0];
    take_double(&sum[0], &strange[0], v, middle, what);
    if (!is_extreme(what)) sum[0] = f64_select(here, sum[0], old);
  }
  UNROLL for (int k = vectors / 2; k > 0; k /= 2) UNROLL for (int j = 0; j < k; j++) {
    strange[j] |= strange[j + k];
    sum[j] = what == ONRI_TAKE_PROD ? sum[j] * sum[j + k]
             : is_extreme(what)     ? double_taken(sum[j], sum[j + k], middle, what)
                                    : sum[j] + sum[j + k];
  }
  if (what == ONRI_TAKE_PROD) return acc * f64_product(sum[0]);
  if (!is_extreme(what)) return acc + f64_sum(sum[0]);
  if (i32_any((vi32)strange[0]) || acc != acc) return (double)NAN;
  const double found = what == ONRI_TAKE_MAX ? f64_greatest_lane(sum[0]) : f64_least_lane(sum[0]);
  return (what == ONRI_TAKE_MAX) == (found > acc) ? found : acc;
}

INLINE double double_run_of(const double *x, size_t count, double centre, double acc, const enum onri_take what) {
  return count < RUN * F64_LANES ? double_sum_of(x, count, centre, acc, what, 1)
                                 : double_sum_of(x, count, centre, acc, what, is_long(what) ? 2 : RUN);
}

typedef double (*double_run_function)(const double *x, size_t count, double centre, double acc);

INLINE void doubles_of(const struct onri_double_rows *given, double *acc, const enum onri_take what,
                       double_run_function run) {
  const struct onri_double_rows d = *given;
  size_t i = 0;
  for (; i < d.columns && d.column_step != 1; i++)
    acc[i] = run(d.x + i * d.column_step, d.rows, d.centre ? d.centre[i] : 0, acc[i]);
  const int most = is_long(what) ? 2 : TILE;
  for (; i + most * F64_LANES <= d.columns; i += most * F64_LANES) double_tile(d, i, acc, what, most, F64_LANES);
  for (; i < d.columns; i += F64_LANES) double_tile(d, i, acc, what, 1, d.columns - i);
}

#define TAKE(name)                                                                                   \
  SIMD_FUNCTION double double_run_##name(const double *x, size_t count, double centre, double acc) { \
    return double_run_of(x, count, centre, acc, ONRI_TAKE_##name);                                   \
  }                                                                                                  \
  static void doubles_##name(const struct onri_double_rows *d, double *acc) {                        \
    doubles_of(d, acc, ONRI_TAKE_##name, double_run_##name);                                         \
  }
TAKE(SUM)
TAKE(ABS)
TAKE(SQUARE)
TAKE(PROD)
TAKE(MAX)
TAKE(MIN)
TAKE(EXP)
#undef TAKE

/* --- extremes of integers --- */

/* The last vector of a row that is wider than one overlaps the one before. */
#define GREATEST(bits)                                                                                           \
  INLINE void greatest_tile_##bits(const struct onri_integer_rows r, const int##bits##_t *x, int##bits##_t *acc, \
                                   const int vectors) {                                                          \
    enum { LANES = SIMD_BYTES * 8 / bits };                                                                      \
    const vi##bits flip = (int##bits##_t)r.flip - (vi##bits){0};                                                 \
    vi##bits best[TILE];                                                                                         \
    UNROLL for (int k = 0; k < vectors; k++) best[k] = i##bits##_load(acc + k * LANES);                          \
    for (size_t row = 0; row < r.rows; row++, x += r.row_step) UNROLL for (int k = 0; k < vectors; k++) {        \
        const vi##bits v = i##bits##_load(x + k * LANES) ^ flip, more = (vi##bits)(v > best[k]);                 \
        best[k] = (v & more) | (best[k] & ~more);                                                                \
      }                                                                                                          \
    UNROLL for (int k = 0; k < vectors; k++) i##bits##_store(acc + k * LANES, best[k]);                          \
  }                                                                                                              \
  static void greatest_##bits(const struct onri_integer_rows *given, void *to) {                                 \
    enum { LANES = SIMD_BYTES * 8 / bits };                                                                      \
    const struct onri_integer_rows r = *given;                                                                   \
    const int##bits##_t *x = r.x;                                                                                \
    int##bits##_t *acc = to;                                                                                     \
    size_t i = 0;                                                                                                \
    for (; i + TILE * LANES <= r.columns; i += TILE * LANES) greatest_tile_##bits(r, x + i, acc + i, TILE);      \
    for (; i < r.columns && r.columns >= LANES; i += LANES) {                                                    \
      const size_t at = i + LANES <= r.columns ? i : r.columns - LANES;                                          \
      greatest_tile_##bits(r, x + at, acc + at, 1);                                                              \
    }                                                                                                            \
    for (size_t row = 0; row < r.rows && r.columns < LANES; row++)                                               \
      for (i = 0; i < r.columns; i++) {                                                                          \
        const int##bits##_t v = (int##bits##_t)(x[row * r.row_step + i] ^ (int##bits##_t)r.flip);                \
        acc[i] = v > acc[i] ? v : acc[i];                                                                        \
      }                                                                                                          \
  }
#define GREATEST_OF_RUN(bits)                                                                                 \
  INLINE vi##bits greater_##bits(vi##bits a, vi##bits b) {                                                    \
    const vi##bits more = (vi##bits)(a > b);                                                                  \
    return (a & more) | (b & ~more);                                                                          \
  }                                                                                                           \
  static int64_t greatest_of_run_##bits(const void *from, size_t count, uint64_t flip_bits, int64_t acc) {    \
    enum { LANES = SIMD_BYTES * 8 / bits };                                                                   \
    const int##bits##_t *x = from;                                                                            \
    const vi##bits flip = (int##bits##_t)flip_bits - (vi##bits){0};                                           \
    vi##bits best[RUN];                                                                                       \
    size_t i = 0;                                                                                             \
    if (count < LANES) {                                                                                      \
      for (; i < count; i++) {                                                                                \
        const int##bits##_t v = (int##bits##_t)(x[i] ^ (int##bits##_t)flip_bits);                             \
        acc = v > acc ? v : acc;                                                                              \
      }                                                                                                       \
      return acc;                                                                                             \
    }                                                                                                         \
    UNROLL for (int k = 0; k < RUN; k++) best[k] = i##bits##_load(x) ^ flip;                                  \
    for (; i + RUN * LANES <= count; i += RUN * LANES)                                                        \
      UNROLL for (int k = 0; k < RUN; k++) best[k] =                                                          \
          greater_##bits(best[k], i##bits##_load(x + i + k * LANES) ^ flip);                                  \
    for (; i < count; i += LANES)                                                                             \
      best[0] = greater_##bits(best[0], i##bits##_load(x + (i + LANES <= count ? i : count - LANES)) ^ flip); \
    best[0] = greater_##bits(greater_##bits(best[0], best[1]), greater_##bits(best[2], best[3]));             \
    const int##bits##_t of_all = i##bits##_greatest_lane(best[0]);                                            \
    return of_all > acc ? of_all : acc;                                                                       \
  }

GREATEST_OF_RUN(8)
GREATEST_OF_RUN(16)
GREATEST_OF_RUN(32)
GREATEST_OF_RUN(64)
GREATEST(8)
GREATEST(16)
GREATEST(32)
GREATEST(64)

/* --- sums of integers --- */

INLINE void add_tile(const uint64_t *x, size_t columns, size_t rows, uint64_t *acc, const int vectors, size_t left) {
  vu64 sum[TILE];
  UNROLL for (int k = 0; k < vectors; k++) sum[k] = (vu64)f64_load_part(acc + k * F64_LANES, left);
  for (size_t row = 0; row < rows; row++, x += columns)
    UNROLL for (int k = 0; k < vectors; k++) sum[k] +=
        (vu64)(vectors == 1 ? f64_load_part(x, left) : f64_load(x + k * F64_LANES));
  UNROLL for (int k = 0; k < vectors; k++) f64_store_part(acc + k * F64_LANES, (vf64)sum[k], left);
}

static void add_rows(const uint64_t *x, size_t columns, size_t rows, uint64_t *acc) {
  size_t i = 0;
  for (; i + TILE * F64_LANES <= columns; i += TILE * F64_LANES)
    add_tile(x + i, columns, rows, acc + i, TILE, F64_LANES);
  for (; i < columns; i += F64_LANES) add_tile(x + i, columns, rows, acc + i, 1, columns - i);
}

/* --- groups of few rows --- */

INLINE void extremes_of(const struct onri_reduce_groups g, const enum onri_take what) {
  const float *x = g.x;
  float *y = g.y;
  for (size_t group = 0; group < g.count; group++, x += g.rows * g.columns, y += g.columns)
    for (size_t c = 0; c < g.columns; c += F32_LANES) {
      const size_t left = g.columns - c;
      const float *row = x + c;
      vf32 best = f32_set(what == ONRI_TAKE_MAX ? -INFINITY : INFINITY);
      vi32 strange = {0};
      for (size_t i = 0; i < g.rows; i++, row += g.columns) {
        const vf32 v = left >= F32_LANES ? f32_load(row) : f32_load_part(row, left);
        best = extreme(best, v, what);
        strange |= v != v;
      }
      f32_store_part(y + c, f32_select(strange, f32_set(NAN), best), left);
    }
}

static void extremes(const struct onri_reduce_groups *groups) {
  if (groups->minimum) extremes_of(*groups, ONRI_TAKE_MIN);
  else extremes_of(*groups, ONRI_TAKE_MAX);
}

/* --- places --- */

/* x is taken rather than best, which came before it. */
INLINE vi32 beats(vf32 x, vf32 best, const int minimum, const int last) {
  if (last) return (minimum ? x <= best : x >= best) | (x != x);
  return ~(minimum ? x >= best : x <= best) & (best == best);
}

enum { BLOCK = 1024 };

/* The first, or last, element of x that equals `best`, or is NaN as it is. Where it lies cannot be foreseen, so that
 * 64 elements are asked at once. */
INLINE size_t find(const float *x, size_t count, float best, const int last) {
  enum { BITS = 64 };
  const vi32 is_nan = i32_set(best != best ? -1 : 0);
  for (size_t k = 0; k < count; k += BITS) {
    const size_t i = last ? (count - 1 - k) / BITS * BITS : k, n = count - i < BITS ? count - i : BITS;
    uint64_t bits = 0;
    for (size_t l = 0; l < n; l += F32_LANES) {
      const vf32 v = f32_load_part(x + i + l, n - l);
      bits |= i32_bits((vi32)(v == best) | ((vi32)(v != v) & is_nan)) << l;
    }
    if (n < BITS) bits &= ((uint64_t)1 << n) - 1;
    if (bits) return i + (size_t)(last ? 63 - __builtin_clzll(bits) : __builtin_ctzll(bits));
  }
  return 0;
}

/* Extremes of blocks; then the block that won is looked through. */
INLINE size_t place_of(const float *x, size_t count, const int minimum, const int last) {
  const enum onri_take what = minimum ? ONRI_TAKE_MIN : ONRI_TAKE_MAX;
  float best = 0;
  size_t block = 0;
  for (size_t i = 0; i < count; i += BLOCK) {
    const size_t n = count - i < BLOCK ? count - i : BLOCK;
    const float v = extreme_of_run(x + i, n, minimum ? INFINITY : -INFINITY, what);
    const int wins = i == 0 || (last ? v != v || (minimum ? v <= best : v >= best)
                                     : best == best && (v != v || (minimum ? v < best : v > best)));
    if (wins) best = v, block = i;
  }
  return block + find(x + block, count - block < BLOCK ? count - block : BLOCK, best, last);
}

INLINE void place_tile(const struct onri_lines lines, size_t first, int64_t *place, const int minimum, const int last,
                       const int vectors, const int gathers, const int full, size_t left) {
  const float *x = lines.x + first * lines.column_step;
  const size_t step = gathers ? F32_LANES * lines.column_step : F32_LANES;
  const vi32 steps = steps_of(lines.column_step, left);
  vf32 best[TILE];
  vi32 at[TILE];
  UNROLL for (int k = 0; k < vectors; k++) {
    best[k] = of_row(x + k * step, steps, gathers, full, left);
    at[k] = (vi32){0};
  }
  for (size_t row = 1; row < lines.rows; row++) {
    const vi32 index = i32_set((int32_t)row);
    x += lines.row_step;
    UNROLL for (int k = 0; k < vectors; k++) {
      const vf32 v = of_row(x + k * step, steps, gathers, full, left);
      const vi32 better = beats(v, best[k], minimum, last);
      best[k] = f32_select(better, v, best[k]);
      at[k] = i32_select(better, index, at[k]);
    }
  }
  UNROLL for (int k = 0; k < vectors; k++) {
    int32_t found[F32_LANES];
    i32_store(found, at[k]);
    for (size_t l = 0; l < F32_LANES && l < left; l++) place[(size_t)k * F32_LANES + l] = found[l];
  }
}

INLINE void places_of(const struct onri_lines *given, int64_t *place, const int minimum, const int last) {
  const struct onri_lines lines = *given;
  size_t i = 0;
  if (lines.column_step == 1)
    for (; i + TILE * F32_LANES <= lines.columns; i += TILE * F32_LANES)
      place_tile(lines, i, place + i, minimum, last, TILE, 0, 1, F32_LANES);
  for (; i < lines.columns; i += F32_LANES) {
    const size_t rest = lines.columns - i, left = rest < F32_LANES ? rest : F32_LANES;
    if (lines.column_step == 1) place_tile(lines, i, place + i, minimum, last, 1, 0, 0, left);
    else place_tile(lines, i, place + i, minimum, last, 1, 1, 1, left);
  }
}

#define PLACE(name, minimum, last)                                                                       \
  static size_t place_##name(const float *x, size_t count) { return place_of(x, count, minimum, last); } \
  static void places_##name(const struct onri_lines *lines, int64_t *place) { places_of(lines, place, minimum, last); }
PLACE(first_greatest, 0, 0)
PLACE(last_greatest, 0, 1)
PLACE(first_least, 1, 0)
PLACE(last_least, 1, 1)

/* The order of numbers as that of integers; 0 and -0 are one. */
INLINE vi64 order_of(vf64 x, vi64 flip) {
  const vi64 bits = (vi64)(x + 0.0), order = bits ^ ((vi64)(bits < 0) & INT64_MAX);
  return i64_select((vi64)(x != x), i64_set(INT64_MAX), order ^ flip);
}

INLINE vi64 order_at(const char *x, const enum onri_class class, vi64 flip, size_t lanes) {
  if (class != ONRI_CLASS_F32) {
    const vf64 v = f64_load_part(x, lanes);
    return class == ONRI_CLASS_F64 ? order_of(v, flip) : (vi64)v ^ flip;
  }
  return order_of(lanes >= F64_LANES ? f64_load_f32(x) : f64_from_low(f32_load_part(x, lanes)), flip);
}

INLINE void places_rows_of(const struct onri_places_rows *given, const enum onri_class class, const int last) {
  const struct onri_places_rows r = *given;
  const size_t size = class == ONRI_CLASS_F32 ? sizeof(float) : sizeof(double);
  const vi64 flip = i64_set((r.minimum ? -1 : 0) ^ (class == ONRI_CLASS_U64 ? INT64_MIN : 0));
  for (size_t i = 0; i < r.columns; i += F64_LANES) {
    const size_t lanes = r.columns - i < F64_LANES ? r.columns - i : F64_LANES;
    const char *x = (const char *)r.x + i * size;
    const int is_first = r.first == 0;
    vi64 best = is_first ? order_at(x, class, flip, lanes) : (vi64)f64_load_part(r.best + i, lanes);
    vi64 place = is_first ? (vi64){0} : (vi64)f64_load_part(r.place + i, lanes);
    for (size_t row = 0; row < r.rows; row++, x += r.row_step) {
      const vi64 v = order_at(x, class, flip, lanes), taken = last ? ~(vi64)(best > v) : (vi64)(v > best);
      best = i64_select(taken, v, best);
      place = i64_select(taken, i64_set(r.first + (int64_t)row * r.each), place);
    }
    f64_store_part(r.best + i, (vf64)best, lanes), f64_store_part(r.place + i, (vf64)place, lanes);
  }
}

#define PLACES_ROWS(class)                                            \
  static void places_rows_##class(const struct onri_places_rows *r) { \
    if (r->last) places_rows_of(r, ONRI_CLASS_##class, 1);            \
    else places_rows_of(r, ONRI_CLASS_##class, 0);                    \
  }
PLACES_ROWS(F32)
PLACES_ROWS(F64)
PLACES_ROWS(I64)
PLACES_ROWS(U64)

static void places_rows(const struct onri_places_rows *r) {
  if (r->class == ONRI_CLASS_F32) places_rows_F32(r);
  else if (r->class == ONRI_CLASS_F64) places_rows_F64(r);
  else if (r->class == ONRI_CLASS_U64) places_rows_U64(r);
  else places_rows_I64(r);
}

/* Of means of images sums are all that is needed. */
#define MORE(...) ONRI_IF(ONRI_HAS_PART_reductions, __VA_ARGS__)
#define TAKES(kind)                                                                                        \
  {                                                                                                        \
    [ONRI_TAKE_SUM] = kind##_SUM,                                                                          \
    MORE([ONRI_TAKE_ABS] = kind##_ABS, [ONRI_TAKE_SQUARE] = kind##_SQUARE, [ONRI_TAKE_PROD] = kind##_PROD, \
         [ONRI_TAKE_MAX] = kind##_MAX, [ONRI_TAKE_MIN] = kind##_MIN, [ONRI_TAKE_EXP] = kind##_EXP)         \
  }
const struct onri_reduce_kernels ONRI_AT_LEVEL(onri_reduce_kernels) = {
    .run = TAKES(run),
    .lines = TAKES(lines),
    .double_run = TAKES(double_run),
    .doubles = TAKES(doubles),
    MORE(.greatest_of_run = {greatest_of_run_8, greatest_of_run_16, greatest_of_run_32, greatest_of_run_64},
         .greatest = {greatest_8, greatest_16, greatest_32, greatest_64}, .add_rows = add_rows,
         .place = {{place_first_greatest, place_last_greatest}, {place_first_least, place_last_least}},
         .places = {{places_first_greatest, places_last_greatest}, {places_first_least, places_last_least}},
         .places_rows = places_rows, .extremes = extremes)};
