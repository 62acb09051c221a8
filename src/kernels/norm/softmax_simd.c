/* softmax_simd.c: see softmax.h. The exponentials are kept in y while they are summed; columns side by side have a lane
 * each.
 *
 * Share of the FMA rate on a core with AVX-512, lines in L1: 0.5 in the exponentials, which are three quarters of it.
 */
#include "kernels/kernels.h"
#include "kernels/norm/softmax.h"
#include "kernels/simd/math.h"

/* A last vector's lanes behind the line: nothing for a maximum, nothing in a sum. */
INLINE vf32 load_or_least(const float *x, size_t left) {
  return f32_select(i32_first_lanes(left), f32_load_part(x, left), f32_set(-INFINITY));
}

INLINE float greatest(const float *x, size_t length) {
  vf32 most[4] = {f32_set(-INFINITY), f32_set(-INFINITY), f32_set(-INFINITY), f32_set(-INFINITY)};
  size_t i = 0;
  for (; i + 4 * F32_LANES <= length; i += 4 * F32_LANES)
    UNROLL for (int k = 0; k < 4; k++) most[k] = f32_greatest(f32_load(x + i + k * F32_LANES), most[k]);
  for (; i < length; i += F32_LANES) most[0] = f32_greatest(load_or_least(x + i, length - i), most[0]);
  return f32_greatest_lane(f32_greatest(f32_greatest(most[0], most[1]), f32_greatest(most[2], most[3])));
}

/* Sum of exp(x - max), which y keeps unless it is NULL; floats add up a block before doubles do. The next line is
 * fetched meanwhile: the processor itself looks no further than a page. */
INLINE double exponentials(const float *x, float max, float *y, size_t length) {
  enum { BLOCK = 128 * F32_LANES };
  double total = 0;
  for (size_t start = 0; start < length; start += BLOCK) {
    const size_t end = length - start < BLOCK ? length : start + BLOCK;
    vf32 sum[2] = {{0}, {0}};
    size_t i = start;
    for (; i + 2 * F32_LANES <= end; i += 2 * F32_LANES) UNROLL for (int k = 0; k < 2; k++) {
        if (y) simd_prefetch_vector(x + i + k * F32_LANES + length, k);
        if (y) simd_prefetch_vector(y + i + k * F32_LANES + length, k);
        const vf32 e = f32_exp_negative(f32_load(x + i + k * F32_LANES) - max);
        if (y) f32_store(y + i + k * F32_LANES, e);
        sum[k] += e;
      }
    for (; i < end; i += F32_LANES) {
      const vf32 e = f32_exp_negative(f32_load_part(x + i, end - i) - max);
      if (y) f32_store_part(y + i, e, end - i);
      sum[0] += f32_first_lanes(e, end - i);
    }
    total += (double)f32_sum(sum[0] + sum[1]);
  }
  return total;
}

/* So few vectors that they stay in registers; -infinity behind the line becomes 0. */
INLINE void short_line(const float *x, float *y, size_t length, const int vectors) {
  const int last = vectors - 1;
  const size_t left = length - (size_t)last * F32_LANES;
  vf32 v[4], most, sum = {0};
  UNROLL for (int k = 0; k < last; k++) v[k] = f32_load(x + k * F32_LANES);
  most = v[last] = load_or_least(x + last * F32_LANES, left);
  UNROLL for (int k = 0; k < last; k++) most = f32_greatest(v[k], most);
  const float max = f32_greatest_lane(most);
  UNROLL for (int k = 0; k < vectors; k++) sum += v[k] = f32_exp_negative(v[k] - max);
  const float scale = (float)(1.0 / (double)f32_sum(sum));
  UNROLL for (int k = 0; k < last; k++) f32_store(y + k * F32_LANES, v[k] * scale);
  f32_store_part(y + last * F32_LANES, v[last] * scale, left);
}

static void softmax_line(const float *x, float *y, size_t length) {
  if (length <= F32_LANES) { /* stays in a register */
    const vf32 v = f32_load_part(x, length);
    const vf32 e = f32_first_lanes(f32_exp_negative(v - f32_greatest_lane(load_or_least(x, length))), length);
    f32_store_part(y, e / f32_sum(e), length);
    return;
  }
  switch ((length + F32_LANES - 1) / F32_LANES) {
    case 2: short_line(x, y, length, 2); return;
    case 3: short_line(x, y, length, 3); return;
    case 4: short_line(x, y, length, 4); return;
    default: break;
  }
  const float scale = (float)(1.0 / exponentials(x, greatest(x, length), y, length));
  size_t i = 0;
  for (; i + F32_LANES <= length; i += F32_LANES) f32_store(y + i, f32_load(y + i) * scale);
  if (i < length) f32_store_part(y + i, f32_load_part(y + i, length - i) * scale, length - i);
}

/* Short lines take their logarithms together, a lane each. */
static void log_lines(const float *x, float *y, size_t count, size_t length) {
  enum { GROUP = 16, NEAR = 2048 /* floats that stay in the cache */ };
  const size_t most = length * GROUP <= NEAR ? GROUP : length < NEAR ? NEAR / length : 1;
  for (size_t first = 0, group; first < count; first += group) {
    float max[GROUP];
    double sum[GROUP];
    group = count - first < most ? count - first : most;
    for (size_t i = 0; i < GROUP; i++) sum[i] = 1;
    for (size_t i = 0; i < group; i++) {
      const float *line = x + (first + i) * length;
      max[i] = greatest(line, length);
      sum[i] = exponentials(line, max[i], NULL, length);
    }
    for (size_t i = 0; i < group; i += F64_LANES) f64_store(sum + i, f64_log(f64_load(sum + i)));
    for (size_t i = 0; i < group; i++) {
      const float *from = x + (first + i) * length, shift = (float)sum[i];
      float *to = y + (first + i) * length;
      size_t j = 0;
      for (; j + F32_LANES <= length; j += F32_LANES) f32_store(to + j, (f32_load(from + j) - max[i]) - shift);
      if (j < length) f32_store_part(to + j, (f32_load_part(from + j, length - j) - max[i]) - shift, length - j);
    }
  }
}

static void lines(enum onri_softmax_kind kind, const float *x, float *y, size_t count, size_t length) {
  if (kind == ONRI_LOG_SOFTMAX) log_lines(x, y, count, length);
  else
    for (size_t i = 0; i < count; i++) softmax_line(x + i * length, y + i * length, length);
}

enum { TILE = SIMD_REGISTERS == 32 ? 4 : 2 };

INLINE vf32 at(const float *x, const int full, size_t left) { return full ? f32_load(x) : f32_load_part(x, left); }
INLINE void put(float *y, vf32 v, const int full, size_t left) {
  if (full) f32_store(y, v);
  else f32_store_part(y, v, left);
}

/* Of sums: what exponentials are multiplied by, or what logarithms lose. */
INLINE vf32 finish(vf64 low, vf64 high, const int is_log) {
  return is_log ? f32_from_f64(f64_log(low), f64_log(high)) : f32_from_f64(1.0 / low, 1.0 / high);
}

/* Exponentials wait in y for their sum. Where rows are shorter than a vector they are computed again: a load beside
 * what was just stored with a mask waits. */
INLINE void tile(const float *x, float *y, size_t length, size_t inner, const int vectors, const int full, size_t left,
                 const int is_log) {
  const int keeps = full || inner >= F32_LANES;
  vf32 max[TILE], last[TILE];
  vf64 sum[2 * TILE];
  UNROLL for (int k = 0; k < vectors; k++) {
    max[k] = f32_set(-INFINITY);
    sum[2 * k] = sum[2 * k + 1] = (vf64){0};
  }
  for (size_t i = 0; i < length; i++)
    UNROLL for (int k = 0; k < vectors; k++) max[k] =
        f32_greatest(at(x + i * inner + k * F32_LANES, full, left), max[k]);
  for (size_t i = 0; i < length; i++) UNROLL for (int k = 0; k < vectors; k++) {
      const vf32 e = f32_exp_negative(at(x + i * inner + k * F32_LANES, full, left) - max[k]);
      if (!is_log && keeps) put(y + i * inner + k * F32_LANES, e, full, left);
      sum[2 * k] += f64_from_low(e);
      sum[2 * k + 1] += f64_from_high(e);
    }
  UNROLL for (int k = 0; k < vectors; k++) last[k] = finish(sum[2 * k], sum[2 * k + 1], is_log);
  for (size_t i = 0; i < length; i++) UNROLL for (int k = 0; k < vectors; k++) {
      const size_t j = i * inner + (size_t)k * F32_LANES;
      const vf32 below = is_log || !keeps ? at(x + j, full, left) - max[k] : (vf32){0};
      const vf32 e = keeps ? at(y + j, full, left) : f32_exp_negative(below);
      put(y + j, is_log ? below - last[k] : e * last[k], full, left);
    }
}

/* Fewer columns than lanes, all there are: rows lie side by side, and vectors are taken as they come. Each of so many
 * in a row that they are whole rows has its own maximum and its own sum; lanes of one column are joined in the end. */
enum { PERIOD = F32_LANES / 2 /* vectors, at most */ };

static size_t vectors_of_period(size_t inner) {
  size_t vectors = 1;
  while (vectors * F32_LANES % inner != 0) vectors++;
  return vectors;
}

static void fold_max(vf32 *max, size_t lanes, size_t inner) {
  float lane[PERIOD * F32_LANES];
  memcpy(lane, max, lanes * sizeof(*lane));
  for (size_t row = inner; row < lanes; row += inner)
    for (size_t j = 0; j < inner; j++) lane[j] = lane[row + j] > lane[j] ? lane[row + j] : lane[j];
  for (size_t row = inner; row < lanes; row += inner) memcpy(lane + row, lane, inner * sizeof(*lane));
  memcpy(max, lane, lanes * sizeof(*lane));
}

/* Sums become what `finish` says. */
static void fold_sum(const vf64 *sum, vf32 *last, size_t lanes, size_t inner, int is_log) {
  double lane[PERIOD * F32_LANES];
  memcpy(lane, sum, lanes * sizeof(*lane));
  for (size_t row = inner; row < lanes; row += inner)
    for (size_t j = 0; j < inner; j++) lane[j] += lane[row + j];
  for (size_t row = inner; row < lanes; row += inner) memcpy(lane + row, lane, inner * sizeof(*lane));
  for (size_t l = 0; l < lanes; l += F32_LANES)
    last[l / F32_LANES] = finish(f64_load(lane + l), f64_load(lane + l + F64_LANES), is_log);
}

INLINE void folded_columns(const float *x, float *y, size_t length, size_t inner, int is_log, const size_t vectors) {
  const size_t count = length * inner, lanes = vectors * F32_LANES;
  vf32 max[PERIOD], last[PERIOD];
  vf64 sum[2 * PERIOD];
  for (size_t k = 0; k < vectors; k++) max[k] = f32_set(-INFINITY), sum[2 * k] = sum[2 * k + 1] = (vf64){0};
  for (size_t i = 0, k = 0; i < count; i += F32_LANES, k = k + 1 < vectors ? k + 1 : 0)
    max[k] = f32_greatest(load_or_least(x + i, count - i), max[k]);
  fold_max(max, lanes, inner);
  for (size_t i = 0, k = 0; i < count; i += F32_LANES, k = k + 1 < vectors ? k + 1 : 0) {
    const size_t left = count - i;
    const vf32 e = f32_first_lanes(f32_exp_negative(f32_load_part(x + i, left) - max[k]), left);
    if (!is_log) f32_store_part(y + i, e, left);
    sum[2 * k] += f64_from_low(e), sum[2 * k + 1] += f64_from_high(e);
  }
  fold_sum(sum, last, lanes, inner, is_log);
  for (size_t i = 0, k = 0; i < count; i += F32_LANES, k = k + 1 < vectors ? k + 1 : 0) {
    const size_t left = count - i;
    const vf32 v = f32_load_part((is_log ? x : y) + i, left);
    f32_store_part(y + i, is_log ? (v - max[k]) - last[k] : v * last[k], left);
  }
}

static void columns(enum onri_softmax_kind kind, const float *x, float *y, size_t count, size_t length, size_t inner) {
  const int is_log = kind == ONRI_LOG_SOFTMAX;
  size_t j = 0;
  if (count == inner && inner <= F32_LANES / 2 && length >= 4 * F32_LANES) {
    if (F32_LANES % inner == 0) folded_columns(x, y, length, inner, is_log, 1);
    else folded_columns(x, y, length, inner, is_log, vectors_of_period(inner));
    return;
  }
  for (; j + TILE * F32_LANES <= count; j += TILE * F32_LANES)
    if (is_log) tile(x + j, y + j, length, inner, TILE, 1, F32_LANES, 1);
    else tile(x + j, y + j, length, inner, TILE, 1, F32_LANES, 0);
  for (; j < count; j += F32_LANES)
    if (is_log) tile(x + j, y + j, length, inner, 1, 0, count - j, 1);
    else tile(x + j, y + j, length, inner, 1, 0, count - j, 0);
}

/* --- hardmax: a NaN is no maximum, unless it comes first --- */

INLINE void hard_tile(const float *x, float *y, size_t length, size_t inner, const int full, size_t left) {
  vf32 most = at(x, full, left);
  vi32 place = {0};
  for (size_t i = 1; i < length; i++) {
    const vf32 v = at(x + i * inner, full, left);
    const vi32 more = v > most;
    most = f32_select(more, v, most);
    place = i32_select(more, i32_set((int32_t)i), place);
  }
  for (size_t i = 0; i < length; i++) put(y + i * inner, (vf32)((place == (int32_t)i) & (vi32)f32_set(1)), full, left);
}

static void hard_columns(const float *x, float *y, size_t count, size_t length, size_t inner) {
  size_t j = 0;
  for (; j + F32_LANES <= count; j += F32_LANES) hard_tile(x + j, y + j, length, inner, 1, F32_LANES);
  if (j < count) hard_tile(x + j, y + j, length, inner, 0, count - j);
}

/* --- double --- */

INLINE void double_tile(const double *x, double *y, size_t length, size_t inner, size_t left, const int is_log) {
  vf64 max = f64_set(-(double)INFINITY), sum = {0};
  for (size_t i = 0; i < length; i++) max = f64_greatest(f64_load_part(x + i * inner, left), max);
  for (size_t i = 0; i < length; i++) {
    const vf64 e = f64_exp(f64_load_part(x + i * inner, left) - max);
    if (!is_log) f64_store_part(y + i * inner, e, left);
    sum += e;
  }
  const vf64 shift = is_log ? f64_log(sum) : sum;
  for (size_t i = 0; i < length; i++) {
    const vf64 v = f64_load_part((is_log ? x : y) + i * inner, left);
    f64_store_part(y + i * inner, is_log ? (v - max) - shift : v / shift, left);
  }
}

static void columns_f64(enum onri_softmax_kind kind, const double *x, double *y, size_t count, size_t length,
                        size_t inner) {
  for (size_t j = 0; j < count; j += F64_LANES)
    if (kind == ONRI_LOG_SOFTMAX) double_tile(x + j, y + j, length, inner, count - j, 1);
    else double_tile(x + j, y + j, length, inner, count - j, 0);
}

const struct onri_softmax_kernels ONRI_AT_LEVEL(onri_softmax_kernels) = {lines, columns, hard_columns, columns_f64};
