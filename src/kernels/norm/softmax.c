/* softmax.c: see softmax.h. Narrow types pass through small float32 blocks; double has loops of its own. */
#include "kernels/norm/softmax.h"
#include "kernels/convert/convert.h"

#include <math.h>
#include <string.h>

#include "base/env.h"
#include "kernels/elementwise/vecmath.h"
#include "kernels/kernels.h"
#include "kernels/move/transpose.h"

enum { BLOCK = 256 };

static const float *read_block(const struct onri_softmax *s, size_t at, size_t count, float *buffer) {
  if (s->dtype == ONR_DTYPE_F32) return (const float *)s->x + at;
  onri_widen(s->dtype, (const char *)s->x + at * onr_dtype_size(s->dtype), count, buffer);
  return buffer;
}

static float *write_block(const struct onri_softmax *s, size_t at, float *buffer) {
  return s->dtype == ONR_DTYPE_F32 ? (float *)s->y + at : buffer;
}

static void store_block(const struct onri_softmax *s, size_t at, size_t count, const float *block) {
  if (s->dtype != ONR_DTYPE_F32) onri_narrow(s->dtype, block, count, (char *)s->y + at * onr_dtype_size(s->dtype));
}

/* --- lines in one piece --- */

static void finish_line(const struct onri_softmax *s, size_t start, float max, double sum) {
  float in[BLOCK], out[BLOCK];
  const float scale = (float)(1.0 / sum), shift = (float)log(sum);
  struct onri_pace pace = {s->env, 0};
  for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, BLOCK); i += BLOCK) {
    const size_t count = s->length - i < BLOCK ? s->length - i : BLOCK;
    float *y = write_block(s, start + i, out);
    if (s->kind == ONRI_LOG_SOFTMAX) {
      const float *x = read_block(s, start + i, count, in);
      for (size_t j = 0; j < count; j++) y[j] = (x[j] - max) - shift;
    } else {
      if (s->dtype != ONR_DTYPE_F32) (void)onri_exp_sum_f32(read_block(s, start + i, count, in), max, y, count);
      for (size_t j = 0; j < count; j++) y[j] *= scale;
    }
    store_block(s, start + i, count, y);
  }
}

static void soft_line(const struct onri_softmax *s, size_t start) {
  float in[BLOCK], out[BLOCK], max = -INFINITY;
  double sum = 0.0;
  struct onri_pace pace = {s->env, 0};
  for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, BLOCK); i += BLOCK) {
    const size_t count = s->length - i < BLOCK ? s->length - i : BLOCK;
    max = onri_max_f32(read_block(s, start + i, count, in), max, count);
  }
  for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, 4 * BLOCK); i += BLOCK) {
    const size_t count = s->length - i < BLOCK ? s->length - i : BLOCK;
    /* softmax of float32 keeps the exponentials in y; log-softmax needs x, which y may be, once more */
    float *e = s->kind == ONRI_SOFTMAX ? write_block(s, start + i, out) : out;
    sum += (double)onri_exp_sum_f32(read_block(s, start + i, count, in), max, e, count);
  }
  finish_line(s, start, max, sum);
}

/* --- neighbouring columns --- */

static void finish_columns(const struct onri_softmax *s, size_t start, size_t columns, const float *max,
                           const double *sum) {
  const struct onri_vecmath_kernels *vecmath = onri_kernels(vecmath);
  float in[ONRI_SOFTMAX_COLUMNS], out[ONRI_SOFTMAX_COLUMNS], factor[ONRI_SOFTMAX_COLUMNS];
  for (size_t j = 0; j < columns; j++) factor[j] = (float)(s->kind == ONRI_SOFTMAX ? 1.0 / sum[j] : log(sum[j]));
  struct onri_pace pace = {s->env, 0};
  for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, 8 * columns); i++) {
    const size_t at = start + i * s->inner;
    const float *x = read_block(s, at, columns, in);
    float *y = write_block(s, at, out);
    if (s->kind == ONRI_SOFTMAX) vecmath->exp_scale_each(x, max, factor, y, columns);
    else
      for (size_t j = 0; j < columns; j++) y[j] = (x[j] - max[j]) - factor[j];
    store_block(s, at, columns, y);
  }
}

static void soft_columns(const struct onri_softmax *s, size_t start, size_t columns) {
  const struct onri_vecmath_kernels *vecmath = onri_kernels(vecmath);
  float in[ONRI_SOFTMAX_COLUMNS], max[ONRI_SOFTMAX_COLUMNS];
  double sum[ONRI_SOFTMAX_COLUMNS];
  for (size_t j = 0; j < columns; j++) {
    max[j] = -INFINITY;
    sum[j] = 0.0;
  }
  struct onri_pace pace = {s->env, 0};
  for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, 4 * columns); i++) {
    const float *x = read_block(s, start + i * s->inner, columns, in);
    vecmath->max_each(x, max, columns);
  }
  for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, 8 * columns); i++) {
    const float *x = read_block(s, start + i * s->inner, columns, in);
    vecmath->exp_add_each(x, max, sum, columns);
  }
  finish_columns(s, start, columns, max, sum);
}

/* --- double, and hardmax --- */

static void soft_double(const struct onri_softmax *s, size_t start) {
  enum { PIECE = 1 << 16 /* between two looks at the flag */ };
  const double *x = (const double *)s->x + start;
  double *y = (double *)s->y + start, max = -INFINITY, sum = 0.0;
  struct onri_pace pace = {s->env, 0};
  for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, 2); i++)
    max = x[i * s->inner] > max ? x[i * s->inner] : max;
  if (s->kind == ONRI_SOFTMAX && s->inner == 1 && s->length <= PIECE) {
    const double scale = 1 / onri_kernels(vecmath)->exp_sum_f64(x, max, y, s->length);
    for (size_t i = 0; i < s->length; i++) y[i] *= scale;
    return;
  }
  double exponentials[BLOCK];
  for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, 16 * BLOCK); i += BLOCK) {
    const size_t count = s->length - i < BLOCK ? s->length - i : BLOCK;
    for (size_t j = 0; j < count; j++) exponentials[j] = x[(i + j) * s->inner];
    sum += onri_kernels(vecmath)->exp_sum_f64(exponentials, max, exponentials, count);
  }
  const double shift = log(sum);
  for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, 16); i++) {
    const double v = x[i * s->inner] - max;
    y[i * s->inner] = s->kind == ONRI_LOG_SOFTMAX ? v - shift : exp(v) / sum;
  }
}

static double element(const struct onri_softmax *s, size_t at) {
  double wide;
  float narrow;
  const void *from = (const char *)s->x + at * onr_dtype_size(s->dtype);
  if (s->dtype == ONR_DTYPE_F64) {
    onri_widen(s->dtype, from, 1, &wide);
    return wide;
  }
  onri_widen(s->dtype, from, 1, &narrow);
  return (double)narrow;
}

static void hard_line(const struct onri_softmax *s, size_t start) {
  const double wide[2] = {0.0, 1.0};
  const float narrow[2] = {0.0f, 1.0f};
  size_t best = 0;
  double max = element(s, start);
  struct onri_pace pace = {s->env, 0};
  for (size_t i = 1; i < s->length && !onri_pace_stop(&pace, 8); i++) {
    const double v = element(s, start + i * s->inner);
    if (v > max) {
      max = v;
      best = i;
    }
  }
  for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, 8); i++) {
    void *to = (char *)s->y + (start + i * s->inner) * onr_dtype_size(s->dtype);
    onri_narrow(s->dtype, s->dtype == ONR_DTYPE_F64 ? (const void *)&wide[i == best] : (const void *)&narrow[i == best],
                1, to);
  }
}

/* Float32. A NaN is no maximum, as above. */
static void hard_columns(const struct onri_softmax *s, size_t start, size_t columns) {
  const float *x = (const float *)s->x + start;
  float *y = (float *)s->y + start, most[ONRI_SOFTMAX_COLUMNS];
  size_t place[ONRI_SOFTMAX_COLUMNS];
  const size_t step = s->inner == 1 ? s->length : 1;
  for (size_t j = 0; j < columns; j++) most[j] = x[j * step], place[j] = 0;
  if (s->inner == 1)
    for (size_t j = 0; j < columns; j++) {
      const float *line = x + j * step;
      if (most[j] == most[j]) most[j] = onri_max_f32(line, most[j], s->length);
      while (most[j] == most[j] && line[place[j]] != most[j]) place[j]++;
    }
  else
    for (size_t i = 1; i < s->length; i++)
      for (size_t j = 0; j < columns; j++)
        if (x[i * s->inner + j] > most[j]) most[j] = x[i * s->inner + j], place[j] = i;
  for (size_t i = 0; i < (s->inner == 1 ? columns : s->length); i++)
    memset(y + i * (s->inner == 1 ? s->length : s->inner), 0, (s->inner == 1 ? s->length : columns) * sizeof(*y));
  for (size_t j = 0; j < columns; j++) y[j * step + place[j] * s->inner] = 1.0f;
}

/* `lines` lines of `length` elements of `size` bytes, side by side instead of one behind the other, or, `back`, the
 * other way. */
static void turn(const void *from, void *to, size_t lines, size_t length, size_t size, int back) {
  const size_t line = length * size, column = lines * size;
  const struct onri_transpose t = {from,
                                   to,
                                   (ptrdiff_t)(back ? column : line),
                                   (ptrdiff_t)(back ? line : column),
                                   back ? lines : length,
                                   back ? length : lines};
  onri_transpose(&t, size);
}

enum { SHORT = 8, SOME = 16 /* lines that are worth turning */, TURNED = 2048 /* elements at a time */ };

/* Lines of float32 one behind the other. Those that do not fill a vector become columns for the time. */
static void many_lines(enum onri_softmax_kind kind, const float *x, float *y, size_t lines, size_t length) {
  float turned[TURNED];
  if (length > SHORT || length < 2 || lines < SOME) {
    onri_kernels(softmax)->lines(kind, x, y, lines, length);
    return;
  }
  for (size_t first = 0, n; first < lines; first += n) {
    n = lines - first < TURNED / length ? lines - first : TURNED / length;
    turn(x + first * length, turned, n, length, sizeof(*x), 0);
    onri_kernels(softmax)->columns(kind, turned, turned, n, length, n);
    turn(turned, y + first * length, n, length, sizeof(*x), 1);
  }
}

/* Columns of double, or short lines; what is long goes line by line. */
static int double_columns(const struct onri_softmax *s, size_t start, size_t columns) {
  enum { LONGEST = 1 << 20 /* which it must be possible to cancel */ };
  const double *x = (const double *)s->x + start;
  double *y = (double *)s->y + start, turned[TURNED];
  if (s->kind == ONRI_HARDMAX || s->length * columns > LONGEST) return 0;
  if (s->inner > 1) {
    onri_kernels(softmax)->columns_f64(s->kind, x, y, columns, s->length, s->inner);
    return 1;
  }
  if (s->length > SHORT || columns < SOME) return 0;
  turn(x, turned, columns, s->length, sizeof(*x), 0); /* no more than ONRI_SOFTMAX_COLUMNS of SHORT elements */
  onri_kernels(softmax)->columns_f64(s->kind, turned, turned, columns, s->length, columns);
  turn(turned, y, columns, s->length, sizeof(*x), 1);
  return 1;
}

/* Short lines of narrow floats: many are widened at once, and computed in place. */
static int narrow_lines(const struct onri_softmax *s, size_t start, size_t columns) {
  enum { ELEMENTS = 2048 };
  float block[ELEMENTS];
  if (s->kind == ONRI_HARDMAX || s->inner != 1 || s->length > ELEMENTS / 2) return 0;
  const size_t most = ELEMENTS / s->length;
  for (size_t j = 0; j < columns; j += most) {
    const size_t lines = columns - j < most ? columns - j : most, at = start + j * s->length;
    (void)read_block(s, at, lines * s->length, block);
    many_lines(s->kind, block, block, lines, s->length);
    store_block(s, at, lines * s->length, block);
  }
  return 1;
}

/* Float32 in one call, unless that takes so long that it must be possible to cancel it. */
static int vector_columns(const struct onri_softmax *s, size_t start, size_t columns) {
  enum { LONGEST = 1 << 20 };
  if (s->dtype == ONR_DTYPE_F64) return double_columns(s, start, columns);
  if (s->length * columns > LONGEST) return 0;
  if (s->dtype != ONR_DTYPE_F32) return narrow_lines(s, start, columns);
  const float *x = (const float *)s->x + start;
  float *y = (float *)s->y + start;
  if (s->kind == ONRI_HARDMAX) hard_columns(s, start, columns);
  else if (s->inner == 1) many_lines(s->kind, x, y, columns, s->length);
  else onri_kernels(softmax)->columns(s->kind, x, y, columns, s->length, s->inner);
  return 1;
}

void onri_softmax(const struct onri_softmax *s, size_t outer, size_t column, size_t columns) {
  const size_t start = outer * s->length * s->inner + column;
  struct onri_pace pace = {s->env, 0};
  if (s->length == 0 || onri_pace_stop(&pace, s->length)) return;
  if (vector_columns(s, start, columns)) return;
  if (s->kind == ONRI_HARDMAX || s->dtype == ONR_DTYPE_F64) {
    for (size_t j = 0; j < columns; j++)
      if (s->kind == ONRI_HARDMAX) hard_line(s, start + j * (s->inner == 1 ? s->length : 1));
      else soft_double(s, start + j * (s->inner == 1 ? s->length : 1));
  } else if (s->inner == 1) {
    for (size_t j = 0; j < columns; j++) soft_line(s, start + j * s->length);
  } else {
    soft_columns(s, start, columns);
  }
}
