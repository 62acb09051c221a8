/* softmax.c: see softmax.h. Narrow types pass through small float32 blocks; double has loops of its own. */
#include "kernels/norm/softmax.h"
#include "kernels/convert/convert.h"

#include <math.h>
#include <string.h>

#include "base/env.h"
#include "kernels/elementwise/vecmath.h"
#include "kernels/kernels.h"
#include "kernels/move/turned.h"

enum { BLOCK = 256, LONGEST = 1 << 22 /* elements; of more it must be possible to cancel them on the way */ };

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

/* Rows of few columns that lie one behind the other are taken together as one. */
struct block {
  size_t start, columns, rows; /* rows: so many together, the last time fewer */
};

static size_t numbers_from(const struct onri_softmax *s, const struct block *b, size_t row) {
  return (s->length - row < b->rows ? s->length - row : b->rows) * b->columns;
}

static void finish_columns(const struct onri_softmax *s, const struct block *b, const float *max, const double *sum) {
  const struct onri_vecmath_kernels *vecmath = onri_kernels(vecmath);
  const size_t width = b->columns * b->rows;
  float in[ONRI_SOFTMAX_COLUMNS], out[ONRI_SOFTMAX_COLUMNS], factor[ONRI_SOFTMAX_COLUMNS];
  for (size_t j = 0; j < width; j++) factor[j] = (float)(s->kind == ONRI_SOFTMAX ? 1.0 / sum[j] : log(sum[j]));
  struct onri_pace pace = {s->env, 0};
  for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, 8 * width); i += b->rows) {
    const size_t at = b->start + i * s->inner, count = numbers_from(s, b, i);
    const float *x = read_block(s, at, count, in);
    float *y = write_block(s, at, out);
    if (s->kind == ONRI_SOFTMAX) vecmath->exp_scale_each(x, max, factor, y, count);
    else
      for (size_t j = 0; j < count; j++) y[j] = (x[j] - max[j]) - factor[j];
    store_block(s, at, count, y);
  }
}

/* Each column's value of all rows that were taken together, for all of them. */
static void share_max(const struct block *b, float *max) {
  for (size_t j = b->columns; j < b->columns * b->rows; j++)
    if (max[j] > max[j % b->columns]) max[j % b->columns] = max[j];
  for (size_t j = b->columns; j < b->columns * b->rows; j++) max[j] = max[j % b->columns];
}

static void share_sum(const struct block *b, double *sum) {
  for (size_t j = b->columns; j < b->columns * b->rows; j++) sum[j % b->columns] += sum[j];
  for (size_t j = b->columns; j < b->columns * b->rows; j++) sum[j] = sum[j % b->columns];
}

static void soft_columns(const struct onri_softmax *s, size_t start, size_t columns) {
  const struct onri_vecmath_kernels *vecmath = onri_kernels(vecmath);
  const struct block b = {start, columns, columns == s->inner ? ONRI_SOFTMAX_COLUMNS / columns : 1};
  const size_t width = columns * b.rows;
  float in[ONRI_SOFTMAX_COLUMNS], max[ONRI_SOFTMAX_COLUMNS];
  double sum[ONRI_SOFTMAX_COLUMNS];
  for (size_t j = 0; j < width; j++) {
    max[j] = -INFINITY;
    sum[j] = 0.0;
  }
  struct onri_pace pace = {s->env, 0};
  for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, 4 * width); i += b.rows) {
    const size_t count = numbers_from(s, &b, i);
    vecmath->max_each(read_block(s, start + i * s->inner, count, in), max, count);
  }
  share_max(&b, max);
  for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, 8 * width); i += b.rows) {
    const size_t count = numbers_from(s, &b, i);
    vecmath->exp_add_each(read_block(s, start + i * s->inner, count, in), max, sum, count);
  }
  share_sum(&b, sum);
  finish_columns(s, &b, max, sum);
}

/* --- double --- */

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

/* --- hardmax: a NaN is no maximum, unless it comes first --- */

/* Columns side by side, whose lines are so short that an int32 numbers their elements. */
#define HARD_COLUMNS(name, T, read, write, store)                                                                     \
  static __attribute__((cold)) void hard_columns_##name(const struct onri_softmax *s, size_t start, size_t columns) { \
    T in[ONRI_SOFTMAX_COLUMNS], out[ONRI_SOFTMAX_COLUMNS], most[ONRI_SOFTMAX_COLUMNS];                                \
    int32_t place[ONRI_SOFTMAX_COLUMNS] = {0};                                                                        \
    struct onri_pace pace = {s->env, 0};                                                                              \
    memcpy(most, read(s, start, columns, in), columns * sizeof(T));                                                   \
    for (size_t i = 1; i < s->length && !onri_pace_stop(&pace, 2 * columns); i++) {                                   \
      const T *x = read(s, start + i * s->inner, columns, in);                                                        \
      for (size_t j = 0; j < columns; j++)                                                                            \
        if (x[j] > most[j]) most[j] = x[j], place[j] = (int32_t)i;                                                    \
    }                                                                                                                 \
    for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, 2 * columns); i++) {                                   \
      T *y = write(s, start + i * s->inner, out);                                                                     \
      for (size_t j = 0; j < columns; j++) y[j] = (T)(place[j] == (int32_t)i);                                        \
      store(s, start + i * s->inner, columns, y);                                                                     \
    }                                                                                                                 \
  }
static const double *read_f64(const struct onri_softmax *s, size_t at, size_t count, double *buffer) {
  (void)count, (void)buffer;
  return (const double *)s->x + at;
}
static double *write_f64(const struct onri_softmax *s, size_t at, double *buffer) {
  (void)buffer;
  return (double *)s->y + at;
}
static void store_f64(const struct onri_softmax *s, size_t at, size_t count, const double *block) {
  (void)s, (void)at, (void)count, (void)block;
}
HARD_COLUMNS(f32, float, read_block, write_block, store_block)
HARD_COLUMNS(f64, double, read_f64, write_f64, store_f64)

static size_t place_of_most_f64(const struct onri_softmax *s, const double *x) {
  size_t place = 0;
  struct onri_pace pace = {s->env, 0};
  for (size_t i = 0; i < s->length && !onri_pace_stop(&pace, BLOCK); i += BLOCK)
    for (size_t j = i; j < s->length && j < i + BLOCK; j++)
      if (x[j] > x[place]) place = j;
  return place;
}

static size_t place_of_most_f32(const struct onri_softmax *s, size_t start) {
  float in[BLOCK], most = *read_block(s, start, 1, in);
  size_t place = 0;
  struct onri_pace pace = {s->env, 0};
  for (size_t i = 0; i < s->length && most == most && !onri_pace_stop(&pace, BLOCK); i += BLOCK) {
    const size_t count = s->length - i < BLOCK ? s->length - i : BLOCK;
    const float *x = read_block(s, start + i, count, in), here = onri_max_f32(x, most, count);
    if (i > 0 && !(here > most)) continue;
    most = here;
    for (place = i; x[place - i] != most;) place++;
  }
  return place;
}

static void hard_line(const struct onri_softmax *s, size_t start) {
  const int is_double = s->dtype == ONR_DTYPE_F64;
  const size_t size = onr_dtype_size(s->dtype);
  const size_t place = is_double ? place_of_most_f64(s, (const double *)s->x + start) : place_of_most_f32(s, start);
  const float narrow = 1;
  const double wide = 1;
  char *y = (char *)s->y + start * size;
  onri_env_copy(s->env, y, NULL, s->length * size, NULL);
  if (s->dtype == ONR_DTYPE_F32) ((float *)s->y)[start + place] = narrow;
  else onri_narrow(s->dtype, is_double ? (const void *)&wide : &narrow, 1, y + place * size);
}

static void hard_columns(const struct onri_softmax *s, size_t start, size_t columns) {
  if (s->dtype == ONR_DTYPE_F64) hard_columns_f64(s, start, columns);
  else if (s->dtype == ONR_DTYPE_F32 && s->length * columns <= LONGEST)
    onri_kernels(softmax)->hard_columns((const float *)s->x + start, (float *)s->y + start, columns, s->length,
                                        s->inner);
  else hard_columns_f32(s, start, columns);
}

/* --- groups of lines --- */

enum {
  SHORT = 8,
  SHORT_HARD = 64,
  SOME = 16 /* lines that are worth turning */,
  NARROW = 2048 /* narrow floats widened at a time */
};

static void turned_columns(void *context, void *columns, size_t count) {
  struct onri_softmax s = *(const struct onri_softmax *)context;
  s.inner *= count;
  s.x = s.y = columns;
  if (s.kind == ONRI_HARDMAX)
    for (size_t j = 0; j < s.inner; j += ONRI_SOFTMAX_COLUMNS)
      hard_columns(&s, j, s.inner - j < ONRI_SOFTMAX_COLUMNS ? s.inner - j : ONRI_SOFTMAX_COLUMNS);
  else if (s.dtype == ONR_DTYPE_F64)
    onri_kernels(softmax)->columns_f64(s.kind, columns, columns, s.inner, s.length, s.inner);
  else onri_kernels(softmax)->columns(s.kind, columns, columns, s.inner, s.length, s.inner);
}

/* `count` groups of float32 or double, one behind the other. */
static void some_groups(const struct onri_softmax *s, size_t start, size_t count) {
  const size_t size = onr_dtype_size(s->dtype), at = start * size;
  struct onri_softmax turned = *s;
  const size_t most = s->kind == ONRI_HARDMAX ? SHORT_HARD : SHORT;
  if (s->turned || (s->length <= most && s->length > 1 && count >= SOME)) {
    onri_turned(turned_columns, &turned, (const char *)s->x + at, (char *)s->y + at, count, s->length * s->inner, size,
                s->env);
  } else if (s->kind != ONRI_HARDMAX && s->dtype == ONR_DTYPE_F32) {
    onri_kernels(softmax)->lines(s->kind, (const float *)s->x + start, (float *)s->y + start, count, s->length);
  } else {
    for (size_t i = 0; i < count; i++)
      if (s->kind == ONRI_HARDMAX) hard_line(s, start + i * s->length);
      else soft_double(s, start + i * s->length);
  }
}

/* Narrow floats: many are widened at once, and computed in place. */
static void narrow_groups(const struct onri_softmax *s, size_t start, size_t count) {
  float block[NARROW];
  struct onri_softmax wide = *s;
  const size_t group = s->length * s->inner, most = NARROW / group;
  wide.dtype = ONR_DTYPE_F32;
  wide.x = wide.y = block;
  for (size_t j = 0; j < count; j += most) {
    const size_t some = count - j < most ? count - j : most, at = start + j * group;
    (void)read_block(s, at, some * group, block);
    some_groups(&wide, 0, some);
    store_block(s, at, some * group, block);
  }
}

static void groups(const struct onri_softmax *s, size_t start, size_t count) {
  const int is_wide = s->dtype == ONR_DTYPE_F32 || s->dtype == ONR_DTYPE_F64;
  if (!is_wide && s->length * s->inner <= NARROW / 2) {
    narrow_groups(s, start, count);
  } else if (is_wide && (s->turned || s->length * count <= LONGEST)) {
    some_groups(s, start, count);
  } else {
    for (size_t j = 0; j < count; j++)
      if (s->kind == ONRI_HARDMAX) hard_line(s, start + j * s->length);
      else if (s->dtype == ONR_DTYPE_F64) soft_double(s, start + j * s->length);
      else soft_line(s, start + j * s->length);
  }
}

/* --- lines of one element: 1, or 0 as a logarithm; what is no number, or infinite, stays none --- */

static void alone_f64(const struct onri_softmax *s, size_t start, size_t count) {
  const double *x = (const double *)s->x + start, all = s->kind != ONRI_LOG_SOFTMAX;
  double *y = (double *)s->y + start;
  for (size_t i = 0; i < count; i++) y[i] = s->kind == ONRI_HARDMAX ? 1 : x[i] - x[i] + all;
}

static void alone(const struct onri_softmax *s, size_t start, size_t count) {
  const float all = s->kind != ONRI_LOG_SOFTMAX;
  float in[BLOCK], out[BLOCK];
  if (s->dtype == ONR_DTYPE_F64) {
    alone_f64(s, start, count);
    return;
  }
  for (size_t i = 0; i < count; i += BLOCK) {
    const size_t some = count - i < BLOCK ? count - i : BLOCK;
    const float *x = read_block(s, start + i, some, in);
    float *y = write_block(s, start + i, out);
    for (size_t j = 0; j < some; j++) y[j] = s->kind == ONRI_HARDMAX ? 1 : x[j] - x[j] + all;
    store_block(s, start + i, some, y);
  }
}

void onri_softmax(const struct onri_softmax *s, size_t outer, size_t column, size_t columns) {
  const size_t start = outer * s->length * s->inner + column;
  struct onri_pace pace = {s->env, 0};
  if (s->length == 0 || onri_pace_stop(&pace, s->length)) return;
  if (s->length == 1 && s->inner == 1) {
    alone(s, start, columns);
  } else if (s->inner == 1 || s->turned) {
    groups(s, start, columns);
  } else if (s->kind == ONRI_HARDMAX && s->length <= INT32_MAX) {
    hard_columns(s, start, columns);
  } else if (s->dtype == ONR_DTYPE_F32 && s->length * columns <= LONGEST) {
    onri_kernels(softmax)->columns(s->kind, (const float *)s->x + start, (float *)s->y + start, columns, s->length,
                                   s->inner);
  } else if (s->dtype == ONR_DTYPE_F64 && s->length * columns <= LONGEST) {
    onri_kernels(softmax)->columns_f64(s->kind, (const double *)s->x + start, (double *)s->y + start, columns,
                                       s->length, s->inner);
  } else if (s->dtype == ONR_DTYPE_F64) {
    for (size_t j = 0; j < columns; j++) soft_double(s, start + j);
  } else {
    soft_columns(s, start, columns);
  }
}
