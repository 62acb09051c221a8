/* resize_simd.c: see resize_rows.h. Sums are taken in vectors of what lies behind the axis. Where nothing does, as many
 * lines as a vector has lanes are turned, so that a vector holds one pixel of each, and back.
 *
 * Rows of two taps are as fast as the first cache, a load and a half for each multiplication; lines pay a shuffle for
 * each 4 pixels that they read or write, and take about as long again. */
#include "kernels/kernels.h"
#include "kernels/resize/resize_rows.h"
#include "kernels/simd.h"

INLINE float fma_1(float a, float b, float c) { return HAS_FMA ? __builtin_fmaf(a, b, c) : a * b + c; }

/* The sum of `taps` products; x: pixel `first`; step: from pixel to pixel. */
INLINE vf32 sum_of(const float *x, int32_t first, int64_t step, const int32_t *index, const float *w, int32_t taps,
                   const int full, size_t lanes) {
  vf32 sum = {0};
  for (int32_t t = 0; t < taps; t++) {
    const float *p = x + (index[t] - first) * step;
    const vf32 at = full ? f32_load(p) : f32_load_part(p, lanes);
    sum = t == 0 ? at * w[0] : f32_fma(f32_set(w[t]), at, sum);
  }
  return sum;
}

INLINE void one_row(float *y, const float *x, int64_t inner, const int32_t *index, const float *w, int32_t taps) {
  int64_t i = 0;
  for (; i + F32_LANES <= inner; i += F32_LANES)
    f32_store(y + i, sum_of(x + i, 0, inner, index, w, taps, 1, F32_LANES));
  if (i == inner) return;
  const size_t left = (size_t)(inner - i);
  f32_store_part(y + i, sum_of(x + i, 0, inner, index, w, taps, 0, left), left);
}

static void rows(const struct onri_resize_pass *p, const float *x, float *y, size_t begin, size_t end) {
  const int64_t inner = p->inner;
  int64_t j = (int64_t)begin % p->out;
  x += (int64_t)begin / p->out * p->in * inner;
  y += (int64_t)begin * inner;
  for (size_t item = begin; item < end; item++, y += inner) {
    const int32_t *index = p->index + j * p->taps;
    const float *w = (const float *)p->weight + j * p->taps;
    if (p->taps == 2) one_row(y, x, inner, index, w, 2);
    else if (p->taps == 4) one_row(y, x, inner, index, w, 4);
    else one_row(y, x, inner, index, w, p->taps);
    if (++j == p->out) j = 0, x += p->in * inner;
  }
}

enum { MOST_COLUMNS = 128, FEWEST_LINES = F32_LANES / 4 };

/* F32_LANES pixels of each of some lines of y, from j on, and the pixels of x that they are made of. */
struct part {
  const int32_t *index;
  const float *weight;
  int32_t taps, first, columns;
  size_t count;
};

static struct part part_of(const struct onri_resize_pass *p, int64_t j) {
  struct part part = {p->index + j * p->taps,
                      (const float *)p->weight + j * p->taps,
                      p->taps,
                      INT32_MAX,
                      0,
                      p->out - j < F32_LANES ? (size_t)(p->out - j) : F32_LANES};
  int32_t last = 0;
  for (size_t i = 0; i < part.count * (size_t)p->taps; i++) {
    if (part.index[i] < part.first) part.first = part.index[i];
    if (part.index[i] > last) last = part.index[i];
  }
  part.columns = last - part.first + 1;
  return part;
}

/* lines: up to F32_LANES; lanes that none or no pixel is for do what another does. */
INLINE void turned(const struct part *p, const float *x, int64_t in, float *y, int64_t out, size_t lines,
                   const int32_t taps) {
  float columns[MOST_COLUMNS][F32_LANES];
  const int full = lines == F32_LANES && p->count == F32_LANES;
  vf32 v[F32_LANES];
  for (int32_t c = 0; c < p->columns; c += F32_LANES) {
    const size_t left = (size_t)(p->columns - c);
    const float *from = x + p->first + c;
    UNROLL for (size_t l = 0; l < F32_LANES; l++) v[l] = f32_load_part(from + (int64_t)(l < lines ? l : 0) * in, left);
    f32_transpose(v);
    UNROLL for (int i = 0; i < F32_LANES; i++) f32_store(columns[c + i], v[i]);
  }
  UNROLL for (size_t j = 0; j < F32_LANES; j++) {
    const size_t from = (j < p->count ? j : 0) * (size_t)taps;
    v[j] = sum_of(columns[0], p->first, F32_LANES, p->index + from, p->weight + from, taps, 1, F32_LANES);
  }
  f32_transpose(v);
  if (full) {
    UNROLL for (size_t l = 0; l < F32_LANES; l++) f32_store(y + (int64_t)l * out, v[l]);
    return;
  }
  UNROLL for (size_t l = 0; l < F32_LANES; l++) if (l < lines) f32_store_part(y + (int64_t)l * out, v[l], p->count);
}

/* The same sums for one line. */
static void straight(const struct part *p, const float *x, float *y) {
  for (size_t j = 0; j < p->count; j++) {
    const int32_t *index = p->index + j * (size_t)p->taps;
    const float *w = p->weight + j * (size_t)p->taps;
    float sum = w[0] * x[index[0]];
    for (int32_t t = 1; t < p->taps; t++) sum = fma_1(w[t], x[index[t]], sum);
    y[j] = sum;
  }
}

static void lines(const struct onri_resize_pass *p, const float *x, float *y, size_t begin, size_t end) {
  const int64_t in = p->in, out = p->out;
  for (int64_t j = 0; j < out; j += F32_LANES) {
    const struct part part = part_of(p, j);
    for (size_t line = begin, count; line < end; line += count) {
      const float *from = x + (int64_t)line * in;
      float *to = y + (int64_t)line * out + j;
      count = end - line < F32_LANES ? end - line : F32_LANES;
      if (count < FEWEST_LINES || part.columns > MOST_COLUMNS) straight(&part, from, to), count = 1;
      else if (p->taps == 2) turned(&part, from, in, to, out, count, 2);
      else turned(&part, from, in, to, out, count, p->taps);
    }
  }
}

#if HAS_TAKE_16
static void take(const struct onri_byte_takes *t, const uint8_t *x, uint8_t *y, size_t room) {
  size_t g = 0, i = 0;
  for (; i < t->count && i + ONRI_TAKE <= room; i += ONRI_TAKE, g++) bytes_take_16(x + t->from[g], t->at[g], y + i);
  if (i >= t->count) return;
  uint8_t last[ONRI_TAKE];
  bytes_take_16(x + t->from[g], t->at[g], last);
  memcpy(y + i, last, t->count - i);
}
#define TAKE take
#else
#define TAKE NULL
#endif

const struct onri_resize_kernels ONRI_AT_LEVEL(onri_resize_kernels) = {rows, lines, TAKE};
