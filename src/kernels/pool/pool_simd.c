/* pool_simd.c: see pool_rows.h.
 *
 * A maximum that keeps NaN takes three instructions where one that loses it takes one. So the fast one runs, with the
 * sum of all that it sees beside it: when that is NaN (which infinities of both signs make, too) the exact one runs as
 * well.
 *
 * An addition or maximum a load: 3x3 windows take 0.5 of the loads of a core from channels in L2; from pixels, where a
 * window is three lines, then three columns, they are bound by what memory gives. */
#include <math.h>

#include "kernels/kernels.h"
#include "kernels/pool/pool_rows.h"
#include "kernels/simd.h"

enum how { MAX, EXACT_MAX, AVERAGE };

INLINE vf32 start(const enum how how) { return f32_set(how == AVERAGE ? 0.0f : -INFINITY); }

INLINE vf32 combine(const enum how how, vf32 v, vf32 at) {
  if (how == AVERAGE) return v + at;
  const vf32 larger = f32_greatest(at, v);
  return how == MAX ? larger : f32_select(at != at, at, larger);
}

/* --- channels --- */

enum { MOST = 4 }; /* vectors a block */

/* The vectors of a block lie one behind the other but for the last, which goes over channels of the one before once
 * more rather than being cut. With fewer channels than lanes there is one. */
struct part {
  int64_t last;
  size_t lanes;
};

INLINE int64_t place(int c, const int count, struct part part) { return c + 1 < count ? c * F32_LANES : part.last; }

/* With p at each tap of window w. Most windows are small: a loop costs as much as what it does. */
#define EACH_TAP(statement)                                                             \
  for (int64_t i = 0; i < row->taps[0]; i++)                                            \
    for (int64_t j = 0; j < row->taps[1]; j++) {                                        \
      const float *p = x + w->first * row->pixel + i * row->step[0] + j * row->step[1]; \
      if (w->taps == 2 || w->taps == 3) {                                               \
        {statement} p += row->dilated;                                                  \
        { statement }                                                                   \
        if (w->taps == 2) continue;                                                     \
        p += row->dilated;                                                              \
        { statement }                                                                   \
        continue;                                                                       \
      }                                                                                 \
      for (int64_t k = 0; k < w->taps; k++, p += row->dilated) {                        \
        statement                                                                       \
      }                                                                                 \
    }

/* Whether NaN may be among what was seen. */
INLINE int row_block(const enum how how, const struct onri_pool_row *row, const float *x, float *y, const int count,
                     struct part part, const int full) {
  vf32 seen[MOST] = {{0}};
  for (int64_t o = 0; o < row->windows; o++) {
    const struct onri_pool_span *w = &row->span[o];
    vf32 v[MOST];
    UNROLL for (int c = 0; c < count; c++) v[c] = start(how);
    EACH_TAP(UNROLL for (int c = 0; c < count; c++) {
      const float *from = p + place(c, count, part);
      const vf32 at = full ? f32_load(from) : f32_load_part(from, part.lanes);
      v[c] = combine(how, v[c], at);
      if (how == MAX) seen[c] += at;
    })
    UNROLL for (int c = 0; c < count; c++) {
      float *to = y + o * row->y_step + place(c, count, part);
      if (how == AVERAGE) v[c] /= w->divisor;
      if (full) f32_store(to, v[c]);
      else f32_store_part(to, v[c], part.lanes);
    }
  }
  vf32 sum = {0};
  UNROLL for (int c = 0; c < count; c++) sum += seen[c] - seen[c];
  return how == MAX && i32_any(sum != sum);
}

#define ROW(name, how)                                                                                     \
  static int name(const struct onri_pool_row *row, const float *x, float *y, int64_t left) {               \
    const struct part part = {(left < MOST * F32_LANES ? left : MOST * F32_LANES) - F32_LANES, F32_LANES}; \
    const struct part only = {0, (size_t)left};                                                            \
    if (row->channels < F32_LANES) return row_block(how, row, x, y, 1, only, 0);                           \
    if (left <= F32_LANES) return row_block(how, row, x, y, 1, part, 1);                                   \
    if (left <= 2 * F32_LANES) return row_block(how, row, x, y, 2, part, 1);                               \
    if (left <= 3 * F32_LANES) return row_block(how, row, x, y, 3, part, 1);                               \
    return row_block(how, row, x, y, 4, part, 1);                                                          \
  }
ROW(max_channels, MAX)
ROW(exact_max_channels, EXACT_MAX)
ROW(average_channels, AVERAGE)
#undef ROW

static void max_row(const struct onri_pool_row *row, const float *x, float *y) {
  for (int64_t c = 0; c < row->channels; c += MOST * F32_LANES)
    if (max_channels(row, x + c, y + c, row->channels - c)) exact_max_channels(row, x + c, y + c, row->channels - c);
}

static void average_row(const struct onri_pool_row *row, const float *x, float *y) {
  for (int64_t c = 0; c < row->channels; c += MOST * F32_LANES) average_channels(row, x + c, y + c, row->channels - c);
}

/* Channels [c, c + lanes). */
INLINE void places_block(const struct onri_pool_row *row, const struct onri_pool_places *places, const float *x,
                         float *y, int64_t c, size_t lanes, const int full) {
  for (int64_t o = 0; o < row->windows; o++) {
    const struct onri_pool_span *w = &row->span[o];
    const float *corner = x + c + w->first * row->pixel;
    int32_t place[F32_LANES];
    vf32 v = f32_set(-INFINITY);
    vi32 at = i32_set(-1);
    for (int32_t i = 0; i < row->taps[0]; i++)
      for (int32_t j = 0; j < row->taps[1]; j++)
        for (int32_t k = 0; k < w->taps; k++) {
          const float *p = corner + i * row->step[0] + j * row->step[1] + k * row->dilated;
          const int32_t here = row->place + i * row->place_step[0] + j * row->place_step[1] +
                               (int32_t)w->first * row->place_pixel + k * row->place_dilated;
          const vf32 found = full ? f32_load(p) : f32_load_part(p, lanes);
          const vi32 taken = (vi32)(found > v) | (vi32)(found != found) | (at < 0);
          v = f32_select(taken, found, v);
          at = i32_select(taken, i32_set(here), at);
        }
    const int64_t to = o * row->y_step + c;
    if (y && full) f32_store(y + to, v);
    if (y && !full) f32_store_part(y + to, v, lanes);
    i32_store(place, at);
    for (size_t l = 0; l < lanes; l++)
      places->index[to + (int64_t)l] = place[l] + places->first + (c + (int64_t)l) * places->each;
  }
}

static void max_row_places(const struct onri_pool_row *row, const struct onri_pool_places *places, const float *x,
                           float *y) {
  int64_t c = 0;
  for (; c + F32_LANES <= row->channels; c += F32_LANES) places_block(row, places, x, y, c, F32_LANES, 1);
  if (c < row->channels) places_block(row, places, x, y, c, (size_t)(row->channels - c), 0);
}

/* --- channels of bytes --- */

INLINE void max_bytes_of(const struct onri_pool_row *row, const struct onri_pool_span *w, const uint8_t *x, uint8_t *y,
                         uint8_t flip) {
  const vi8 flips = i8_set((int8_t)flip);
  vi8 v = {0};
  for (int64_t i = 0; i < row->taps[0]; i++)
    for (int64_t j = 0; j < row->taps[1]; j++) {
      const uint8_t *p = x + w->first * row->pixel + i * row->step[0] + j * row->step[1];
      for (int64_t k = 0; k < w->taps; k++, p += row->dilated) v = u8_greatest(v, i8_load(p) ^ flips);
    }
  i8_store(y, v ^ flips);
}

/* F32_LANES channels. */
INLINE void max_bytes_some(const struct onri_pool_row *row, const struct onri_pool_span *w, const uint8_t *x,
                           uint8_t *y, uint8_t flip) {
  vi32 v = {0};
  for (int64_t i = 0; i < row->taps[0]; i++)
    for (int64_t j = 0; j < row->taps[1]; j++) {
      const uint8_t *p = x + w->first * row->pixel + i * row->step[0] + j * row->step[1];
      for (int64_t k = 0; k < w->taps; k++, p += row->dilated) {
        const vi32 at = i32_load_u8(p) ^ flip;
        v = i32_select(at > v, at, v);
      }
    }
  i32_store_8(y, v ^ flip);
}

static void max_bytes_one(const struct onri_pool_row *row, const struct onri_pool_span *w, const uint8_t *x, uint8_t *y,
                          uint8_t flip) {
  uint8_t v = 0;
  for (int64_t i = 0; i < row->taps[0]; i++)
    for (int64_t j = 0; j < row->taps[1]; j++)
      for (int64_t k = 0; k < w->taps; k++) {
        const uint8_t at = x[(w->first * row->pixel + k * row->dilated) + i * row->step[0] + j * row->step[1]] ^ flip;
        if (at > v) v = at;
      }
  *y = v ^ flip;
}

/* The last vector goes over channels of the one before once more. */
static void max_bytes(const struct onri_pool_row *row, const uint8_t *x, uint8_t *y, uint8_t flip) {
  for (int64_t o = 0; o < row->windows; o++, y += row->y_step) {
    if (row->channels < F32_LANES)
      for (int64_t c = 0; c < row->channels; c++) max_bytes_one(row, &row->span[o], x + c, y + c, flip);
    else if (row->channels < I8_LANES)
      for (int64_t c = 0; c < row->channels; c += F32_LANES) {
        const int64_t at = c + F32_LANES <= row->channels ? c : row->channels - F32_LANES;
        max_bytes_some(row, &row->span[o], x + at, y + at, flip);
      }
    for (int64_t c = 0; row->channels >= I8_LANES && c < row->channels; c += I8_LANES) {
      const int64_t at = c + I8_LANES <= row->channels ? c : row->channels - I8_LANES;
      max_bytes_of(row, &row->span[o], x + at, y + at, flip);
    }
  }
}

/* --- pixels of bytes --- */

static void max_terms(const uint8_t *x, const size_t *terms, size_t num_terms, uint8_t flip, uint8_t *y, size_t count) {
  enum { SOME = 2 }; /* vectors at a time */
  const vi8 flips = i8_set((int8_t)flip);
  size_t p = 0;
  for (; p + SOME * I8_LANES <= count; p += SOME * I8_LANES) {
    vi8 v[SOME] = {{0}};
    for (size_t t = 0; t < num_terms; t++)
      UNROLL for (int i = 0; i < SOME; i++) v[i] = u8_greatest(v[i], i8_load(x + p + terms[t] + i * I8_LANES));
    UNROLL for (int i = 0; i < SOME; i++) i8_store(y + p + i * I8_LANES, v[i] ^ flips);
  }
  for (; p < count; p += I8_LANES) {
    vi8 v = {0};
    for (size_t t = 0; t < num_terms; t++) v = u8_greatest(v, i8_load(x + p + terms[t]));
    i8_store(y + p, v ^ flips);
  }
}

/* --- pixels --- */

/* Pixels begin at whole vectors, so that no store crosses lines of the cache; padding lies in front. */
enum { PITCH = ONRI_POOL_COLUMNS + 5 * F32_LANES }; /* a vector may begin at the last column of a line, or go by 2 */
INLINE int64_t room_in_front(int64_t padding) { return (F32_LANES - padding % F32_LANES) % F32_LANES; }

/* One vector of the line that those under a row of windows are combined to. count: of lines in a single plane, as a
 * constant, or 0: any. */
INLINE vf32 column(const enum how how, const struct onri_pool_block *b, const float *x, int64_t taps, const int count,
                   const int full, size_t lanes, vf32 *seen) {
  vf32 v = start(how);
  if (count) {
    UNROLL for (int j = 0; j < count; j++) {
      const vf32 at = full ? f32_load(x + j * b->line_step) : f32_load_part(x + j * b->line_step, lanes);
      v = j == 0 && how != AVERAGE ? at : combine(how, v, at);
      if (how == MAX) *seen += at;
    }
    return v;
  }
  for (int64_t i = 0; i < b->planes; i++) {
    const float *p = x + i * b->plane_step;
    for (int64_t j = 0; j < taps; j++, p += b->line_step) {
      const vf32 at = full ? f32_load(p) : f32_load_part(p, lanes);
      v = combine(how, v, at);
      if (how == MAX) *seen += at;
    }
  }
  return v;
}

/* At least a vector: no memset, which compilers see in such loops, is as fast as one store. */
INLINE void fill(float *to, vf32 v, int64_t count) {
  f32_store(to, v);
  for (int64_t i = F32_LANES; i < count; i += F32_LANES) f32_store(to + i, v);
}

INLINE void columns_of(const enum how how, const struct onri_pool_block *b, const struct onri_pool_line *line,
                       const float *x, float *to, const int count, vf32 *seen) {
  const size_t rest = (size_t)b->columns % F32_LANES;
  const int64_t whole = b->columns - (int64_t)rest;
  vf32 all = *seen;
  for (int64_t c = 0; c < whole; c += F32_LANES)
    f32_store(to + c, column(how, b, x + c, line->taps, count, 1, F32_LANES, &all));
  if (rest) {
    const vf32 v = column(how, b, x + whole, line->taps, count, 0, rest, &all);
    f32_store(to + whole, b->after > 0 ? f32_select(i32_first_lanes(rest), v, start(how)) : v);
  }
  *seen = all;
}

INLINE void combine_lines(const enum how how, const struct onri_pool_block *b, const struct onri_pool_line *line,
                          const float *x, float *to, vf32 *seen) {
  fill(to - room_in_front(b->before), start(how), b->before);
  if (how != EXACT_MAX && b->planes == 1 && line->taps == 3) columns_of(how, b, line, x, to + b->before, 3, seen);
  else if (how != EXACT_MAX && b->planes == 1 && line->taps == 2) columns_of(how, b, line, x, to + b->before, 2, seen);
  else columns_of(how, b, line, x, to + b->before, 0, seen);
  if (b->after == 0) return; /* windows end before */
  const int64_t filled = (b->columns + F32_LANES - 1) / F32_LANES * F32_LANES;
  fill(to + b->before + filled, start(how), b->after + 2 * F32_LANES - (filled - b->columns));
}

/* Pixels `stride` apart from x on, which is a constant but where it is 0: step. near: they lie within two vectors. */
INLINE vf32 pixels(const float *x, const int stride, vi32 step, int near) {
  if (stride) return stride == 1 ? f32_load(x) : f32_load_even(x);
  return near ? (vf32)i32_pick(i32_load(x), i32_load(x + F32_LANES), step) : f32_gather(x, step);
}

/* Windows whose first pixels lie within two vectors, where gathering whole vectors takes longer than picking these. */
INLINE int64_t together_of(int64_t stride) {
  const int64_t near = (2 * F32_LANES - 1) / stride + 1;
  return near < F32_LANES && stride <= F32_LANES / 2 ? near : F32_LANES;
}

/* kernel: as a constant, or 0: any. */
INLINE void windows_of(const enum how how, const struct onri_pool_block *b, const struct onri_pool_line *line,
                       const float *x, float *y, const int stride, const int kernel) {
  const int64_t every = stride ? stride : b->stride, taps = kernel ? kernel : b->kernel, dilation = b->dilation;
  const int64_t windows = b->windows, together = stride ? F32_LANES : together_of(every);
  const int near = every <= F32_LANES / 2;
  const float *divisor = b->divisor;
  for (int64_t o = 0; o < windows; o += together) {
    const size_t count = (size_t)(windows - o < together ? windows - o : together);
    const float *p = x + o * every;
    const vi32 step = stride ? (vi32){0} : i32_lanes() * (int32_t)every & i32_first_lanes(count);
    vf32 v = start(how);
    if (kernel) {
      UNROLL for (int k = 0; k < kernel; k++) v = combine(how, v, pixels(p + k * dilation, stride, step, near));
    } else {
      for (int64_t k = 0; k < taps; k++, p += dilation) v = combine(how, v, pixels(p, stride, step, near));
    }
    if (count >= F32_LANES) {
      if (how == AVERAGE) v /= line->counted * f32_load(divisor + o);
      f32_store(y + o, v);
      continue;
    }
    if (how == AVERAGE) v /= line->counted * f32_load_part(divisor + o, count);
    f32_store_part(y + o, v, count);
  }
}

/* Windows of several sizes. */
INLINE void uneven_windows(const enum how how, const struct onri_pool_block *b, const struct onri_pool_line *line,
                           const float *x, float *y) {
  for (int64_t o = 0; o < b->windows; o++) {
    const float *p = x + b->span[o].first;
    float v = how == AVERAGE ? 0 : -INFINITY;
    for (int64_t k = 0; k < b->span[o].taps; k++)
      v = how == AVERAGE ? v + p[k] : p[k] > v || (how == EXACT_MAX && p[k] != p[k]) ? p[k] : v;
    y[o] = how == AVERAGE ? v / (line->counted * b->divisor[o]) : v;
  }
}

INLINE void cut(const enum how how, const struct onri_pool_block *b, const struct onri_pool_line *line, const float *x,
                float *y) {
  if (b->stride == 0) uneven_windows(how, b, line, x, y);
  else if (how == EXACT_MAX) windows_of(how, b, line, x, y, 0, 0); /* rare: one loop for all */
  else if (b->stride == 1 && b->kernel == 3) windows_of(how, b, line, x, y, 1, 3);
  else if (b->stride == 2 && b->kernel == 3) windows_of(how, b, line, x, y, 2, 3);
  else if (b->stride == 2 && b->kernel == 2) windows_of(how, b, line, x, y, 2, 2);
  else if (b->stride == 1) windows_of(how, b, line, x, y, 1, 0);
  else if (b->stride == 2) windows_of(how, b, line, x, y, 2, 0);
  else windows_of(how, b, line, x, y, 0, 0);
}

/* Maxima of many taps: those of 2, 4, 8 ... from each pixel on, then of two of these that overlap. */
enum { MANY_TAPS = 12 };
INLINE struct onri_pool_block with_few_taps(const enum how how, const struct onri_pool_block *b, float *lines) {
  struct onri_pool_block few = *b;
  int64_t part = 1;
  for (; 2 * part <= b->kernel; part *= 2) {
    const int64_t step = part * b->dilation, end = b->before + b->columns + b->after - step;
    for (int64_t l = 0; l < b->lines; l++)
      for (int64_t i = 0; i < end; i += F32_LANES) {
        float *x = lines + l * PITCH + i;
        f32_store(x, combine(how, f32_load(x), f32_load(x + step)));
      }
  }
  few.kernel = part < b->kernel ? 2 : 1;
  few.dilation = (b->kernel - part) * b->dilation;
  return few;
}

/* All lines are combined before windows are cut from them: what was stored has then reached the cache. */
#define BLOCK(name, how)                                                                                \
  static int name(const struct onri_pool_block *b, const float *x, float *y) {                          \
    float lines[ONRI_POOL_LINES][PITCH] __attribute__((aligned(64)));                                   \
    const int64_t room = room_in_front(b->before);                                                      \
    struct onri_pool_block few;                                                                         \
    vf32 seen = {0};                                                                                    \
    for (int64_t i = 0; i < b->lines; i++)                                                              \
      combine_lines(how, b, &b->line[i], x + b->line[i].x, lines[i] + room, &seen);                     \
    if (how != AVERAGE && b->stride != 0 && b->kernel >= MANY_TAPS)                                     \
      few = with_few_taps(how, b, lines[0] + room), b = &few;                                           \
    for (int64_t i = 0; i < b->lines; i++) cut(how, b, &b->line[i], lines[i] + room, y + b->line[i].y); \
    seen -= seen;                                                                                       \
    return i32_any(seen != seen);                                                                       \
  }
BLOCK(max_pixels, MAX)
BLOCK(exact_max_pixels, EXACT_MAX)
BLOCK(average_pixels, AVERAGE)
#undef BLOCK

/* --- planes --- */

/* Vectors of the last line begin in it and may end behind it. */
enum { ROOM = ONRI_POOL_PLANE_PIXELS + 3 * F32_LANES };

/* Padding and pixels; the sum of what was seen less itself, which is NaN where a NaN or an infinity is. */
INLINE vf32 copy_plane(const enum how how, const struct onri_pool_plane *p, const float *x, float *rows,
                       int64_t pitch) {
  const int64_t whole = p->columns / F32_LANES * F32_LANES;
  const size_t rest = (size_t)(p->columns - whole);
  vf32 seen = {0};
  for (int64_t i = 0; i < (p->top + p->lines + p->bottom) * pitch; i += F32_LANES) f32_store(rows + i, start(how));
  float *to = rows + p->top * pitch + p->left;
  for (int64_t line = 0; line < p->lines; line++, x += p->x_line, to += pitch) {
    for (int64_t i = 0; i < whole; i += F32_LANES) {
      const vf32 v = f32_load(x + i);
      f32_store(to + i, v);
      seen += v;
    }
    if (!rest) continue;
    const vf32 v = f32_load_part(x + whole, rest); /* what it writes of the next line is written once more */
    f32_store(to + whole, f32_select(i32_first_lanes(rest), v, start(how)));
    seen += v;
  }
  return seen - seen;
}

/* Each line under a line of windows; taps: as a constant, or 0: any. */
INLINE void down(const enum how how, const struct onri_pool_plane *p, const float *rows, float *tall, int64_t pitch,
                 const int constant) {
  const int64_t step = p->dilation[0] * pitch;
  for (int64_t i = 0; i < p->windows[0] * pitch; i += F32_LANES) {
    vf32 v = start(how);
    UNROLL for (int k = 0; k < constant; k++) v = combine(how, v, f32_load(rows + k * step + i));
    for (int64_t k = constant; k < p->kernel[0]; k++) v = combine(how, v, f32_load(rows + k * step + i));
    f32_store(tall + i, v);
  }
}

INLINE void across(const enum how how, const struct onri_pool_plane *p, const float *tall, float *y, int64_t pitch,
                   const int constant) {
  const int64_t dilation = p->dilation[1], windows = p->windows[1];
  for (int64_t o = 0; o < p->windows[0]; o++, tall += pitch, y += p->y_line)
    for (int64_t i = 0; i < windows; i += F32_LANES) {
      const size_t left = (size_t)(windows - i);
      vf32 v = start(how);
      UNROLL for (int k = 0; k < constant; k++) v = combine(how, v, f32_load(tall + i + k * dilation));
      for (int64_t k = constant; k < p->kernel[1]; k++) v = combine(how, v, f32_load(tall + i + k * dilation));
      if (how == AVERAGE) v /= p->counted[o] * f32_load_part(p->divisor + i, left);
      if (left >= F32_LANES) f32_store(y + i, v);
      else f32_store_part(y + i, v, left);
    }
}

INLINE int plane(const enum how how, const struct onri_pool_plane *p, const float *x, float *y) {
  const int64_t pitch = (onri_pool_plane_width(p) + F32_LANES - 1) / F32_LANES * F32_LANES;
  const int64_t usual = how != EXACT_MAX && p->kernel[0] == p->kernel[1] ? p->kernel[0] : 0;
  float rows[ROOM] __attribute__((aligned(64))), tall[ROOM] __attribute__((aligned(64)));
  const vf32 seen = copy_plane(how, p, x, rows, pitch);
  if (usual == 3) down(how, p, rows, tall, pitch, 3), across(how, p, tall, y, pitch, 3);
  else if (usual == 5) down(how, p, rows, tall, pitch, 5), across(how, p, tall, y, pitch, 5);
  else down(how, p, rows, tall, pitch, 0), across(how, p, tall, y, pitch, 0);
  return how == MAX && i32_any(seen != seen);
}

static void max_plane(const struct onri_pool_plane *p, const float *x, float *y) {
  if (plane(MAX, p, x, y)) (void)plane(EXACT_MAX, p, x, y);
}
static void average_plane(const struct onri_pool_plane *p, const float *x, float *y) { (void)plane(AVERAGE, p, x, y); }

static void max_block(const struct onri_pool_block *b, const float *x, float *y) {
  if (max_pixels(b, x, y)) exact_max_pixels(b, x, y);
}
static void average_block(const struct onri_pool_block *b, const float *x, float *y) { (void)average_pixels(b, x, y); }

const struct onri_pool_kernels ONRI_AT_LEVEL(onri_pool_kernels) = {
    max_row, average_row, max_row_places, max_bytes, max_terms, max_block, average_block, max_plane, average_plane};
