/* conv_direct.c: the portable convolution, for float32 and float64. */
#include "kernels/conv/conv_direct.h"

#include <math.h>

#include "kernels/matmul/gemm.h"

/* A tile of a product: pixels by channels, on the stack. */
enum { PIXELS = 48, CHANNELS = 64 };

/* Taps of a transposed axis that meet output o: k with o + begin - k * dilation = i * stride. They are `step` apart. */
struct walk {
  int64_t common, step, inverse; /* gcd of stride and dilation; stride / common; of dilation / common modulo step */
};

/* Taps first, first + step ... below last. */
struct taps {
  int64_t first, last, step;
};

static int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a - 1) / b) - 1; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* Euclid's algorithm; all values stay below 2^31. */
static struct walk walk_of(const struct onri_axis *a) {
  int64_t r = a->stride, next = a->dilation % a->stride, s = 0, next_s = 1;
  while (next != 0) {
    const int64_t q = r / next, t = r - q * next, t_s = s - q * next_s;
    r = next, next = t, s = next_s, next_s = t_s;
  }
  const int64_t step = a->stride / r;
  return (struct walk){.common = r, .step = step, .inverse = (s % step + step) % step};
}

static struct taps taps_transposed(const struct onri_axis *a, const struct walk *w, int64_t o) {
  const int64_t t = o + a->begin, low = t - a->stride * (a->in - 1);
  struct taps taps = {.first = low > 0 ? onri_ceil_div(low, a->dilation) : 0,
                      .last = least(a->kernel, t / a->dilation + 1),
                      .step = w->step};
  if (t % w->common != 0) return (struct taps){.step = 1};
  const int64_t residue = t / w->common % w->step * w->inverse % w->step;
  taps.first += ((residue - taps.first) % w->step + w->step) % w->step;
  return taps;
}

static struct taps taps_plain(const struct onri_axis *a, int64_t o) {
  struct taps taps = {.step = 1};
  onri_axis_taps(a, o, a->in, &taps.first, &taps.last);
  return taps;
}

static struct taps taps_of(const struct onri_conv *c, const struct walk walk[ONR_MAX_SPATIAL], int axis, int64_t o) {
  return c->transposed ? taps_transposed(&c->axis[axis], &walk[axis], o) : taps_plain(&c->axis[axis], o);
}

/* Where tap k of output o lies, being one of its taps. */
static int64_t input_of(const struct onri_conv *c, int axis, int64_t o, int64_t k) {
  const struct onri_axis *a = &c->axis[axis];
  return c->transposed ? (o + a->begin - k * a->dilation) / a->stride : o * a->stride - a->begin + k * a->dilation;
}

/* An item is a block of output: `rows` rows by `pixels` pixels of one group (depthwise: of all of them). */
struct work {
  const struct onri_conv *c;
  enum onri_class type;
  size_t size; /* of an element */
  struct walk walk[ONR_MAX_SPATIAL];
  int64_t groups, rows, pixels, down, across; /* blocks down and across a plane */
  const void *x, *w, *bias;
  void *y;
};

/* Rows [top, bottom) and pixels [from, to) of plane o0 of output of group g of image n. */
struct block {
  int64_t n, g, o0, top, bottom, from, to;
};

static struct block block_of(const struct work *w, size_t item) {
  const struct onri_conv *c = w->c;
  int64_t rest = (int64_t)item;
  struct block b = {.from = rest % w->across * w->pixels};
  rest /= w->across;
  b.top = rest % w->down * w->rows, rest /= w->down;
  b.o0 = rest % c->axis[0].out, rest /= c->axis[0].out;
  b.g = rest % w->groups, b.n = rest / w->groups;
  b.to = least(c->axis[2].out, b.from + w->pixels);
  b.bottom = least(c->axis[1].out, b.top + w->rows);
  return b;
}

static size_t cut(struct work *w) {
  const struct onri_conv *c = w->c;
  w->groups = onri_conv_is_depthwise(c) ? 1 : c->groups;
  w->rows = 1;
  w->pixels = PIXELS;
  if (c->transposed && !onri_conv_is_depthwise(c)) {
    w->rows = 8; /* the product has all their taps */
    w->pixels = most(1024, 8 * ((c->axis[2].kernel - 1) * c->axis[2].dilation + 1)); /* it is made twice at the edges */
  }
  w->down = (c->axis[1].out - 1) / w->rows + 1;
  w->across = (c->axis[2].out - 1) / w->pixels + 1;
  for (int i = 0; i < ONR_MAX_SPATIAL && c->transposed; i++) w->walk[i] = walk_of(&c->axis[i]);
  return (size_t)(c->x.batch * w->groups * c->axis[0].out * w->down * w->across);
}

static const void *at(const struct work *w, const void *data, int64_t element) {
  return (const char *)data + (size_t)element * w->size;
}

static int64_t y_offset(const struct onri_conv *c, const struct block *b, int64_t row, int64_t pixel) {
  return b->n * c->y.batch_stride + b->o0 * c->y.stride[0] + row * c->y.stride[1] + pixel * c->y.stride[2] +
         b->g * c->group_out * c->y.channel_stride;
}

static int64_t x_offset(const struct onri_conv *c, const struct block *b, int64_t i0, int64_t i1) {
  return b->n * c->x.batch_stride + i0 * c->x.stride[0] + i1 * c->x.stride[1] +
         b->g * c->group_in * c->x.channel_stride;
}

/* --- plain --- */

/* `taps` taps from k of axis 2, for outputs [from, to): they lie in the image. `line`: the row of input; `tap`: of all,
 * the first. */
static void add_taps(const struct work *w, int64_t line, int64_t tap, int64_t k, int64_t taps, int64_t first,
                     int64_t count, int64_t from, int64_t to, void *sums) {
  const struct onri_conv *c = w->c;
  if (from >= to) return;
  const struct onri_gemm gemm = {
      .m = (size_t)(to - from),
      .n = (size_t)count,
      .k = (size_t)(taps * c->group_in),
      .alpha = 1.0,
      .accumulate = 1,
      .a = at(w, w->x, line + input_of(c, 2, from, k) * c->x.stride[2]),
      .a_row = (size_t)(c->axis[2].stride * c->x.stride[2]),
      .a_col = (size_t)(c->group_in > 1 ? c->x.channel_stride : c->axis[2].dilation * c->x.stride[2]),
      .b = at(w, w->w, tap * c->group_in * c->group_out + first),
      .b_row = (size_t)c->group_out,
      .b_col = 1,
      .c = sums,
      .c_row = CHANNELS};
  onri_gemm(w->type, &gemm);
}

/* Whether the channels of taps that are neighbours lie one behind the other, or there is one alone. */
static int taps_run_on(const struct onri_conv *c) {
  return c->group_in == 1 || (c->axis[2].dilation == 1 && c->x.stride[2] == c->group_in * c->x.channel_stride);
}

/* All taps of one row of the kernel, on one row of input. sums: [pixels of the block][CHANNELS]. */
static void add_line(const struct work *w, const struct block *b, int64_t line, int64_t tap, int64_t first,
                     int64_t count, char *sums) {
  const struct onri_conv *c = w->c;
  const struct onri_axis *a = &c->axis[2];
  const size_t row = CHANNELS * w->size;
  int64_t from = b->to, to = b->to; /* outputs whose taps all lie in the image: done at once */
  if (taps_run_on(c)) {
    from = least(b->to, most(b->from, onri_ceil_div(a->begin, a->stride)));
    to = least(b->to, floor_div(a->in - 1 + a->begin - (a->kernel - 1) * a->dilation, a->stride) + 1);
    if (from >= to) from = to = b->to;
    add_taps(w, line, tap, 0, a->kernel, first, count, from, to, sums + (size_t)(from - b->from) * row);
  }
  if (from == b->from && to == b->to) return;
  const int64_t last = taps_plain(a, b->from).last;
  for (int64_t k = taps_plain(a, b->to - 1).first; k < last; k++) {
    const int64_t begin = most(b->from, onri_ceil_div(a->begin - k * a->dilation, a->stride));
    const int64_t end = least(b->to, floor_div(a->in - 1 + a->begin - k * a->dilation, a->stride) + 1);
    const int64_t start = most(begin, to);
    add_taps(w, line, tap + k, k, 1, first, count, begin, least(end, from), sums + (size_t)(begin - b->from) * row);
    add_taps(w, line, tap + k, k, 1, first, count, start, end, sums + (size_t)(start - b->from) * row);
  }
}

static void add_plain(const struct work *w, const struct block *b, int64_t first, int64_t count, void *sums) {
  const struct onri_conv *c = w->c;
  const struct taps t0 = taps_plain(&c->axis[0], b->o0), t1 = taps_plain(&c->axis[1], b->top);
  for (int64_t k0 = t0.first; k0 < t0.last; k0++)
    for (int64_t k1 = t1.first; k1 < t1.last; k1++) {
      const int64_t tap = (b->g * c->axis[0].kernel + k0) * c->axis[1].kernel + k1;
      const int64_t line = x_offset(c, b, input_of(c, 0, b->o0, k0), input_of(c, 1, b->top, k1));
      add_line(w, b, line, tap * c->axis[2].kernel, first, count, sums);
    }
}

/* --- transposed --- */

/* columns [pixels][count] = pixels from i of a row of input, times columns [first, first + count) of the weights under
 * tap k0 of axis 0: [taps of axes 1 and 2][group_out]. */
static void multiply_columns(const struct work *w, const struct block *b, int64_t line, int64_t i, int64_t pixels,
                             int64_t k0, int64_t first, int64_t count, void *columns) {
  const struct onri_conv *c = w->c;
  const int64_t width = c->axis[1].kernel * c->axis[2].kernel * c->group_out;
  const struct onri_gemm gemm = {.m = (size_t)pixels,
                                 .n = (size_t)count,
                                 .k = (size_t)c->group_in,
                                 .alpha = 1.0,
                                 .a = at(w, w->x, line + i * c->x.stride[2]),
                                 .a_row = (size_t)c->x.stride[2],
                                 .a_col = (size_t)c->x.channel_stride,
                                 .b = at(w, w->w, (b->g * c->axis[0].kernel + k0) * c->group_in * width + first),
                                 .b_row = (size_t)width,
                                 .b_col = 1,
                                 .c = columns,
                                 .c_row = CHANNELS};
  onri_gemm(w->type, &gemm);
}

/* Input positions [*first, *last) that meet outputs [from, to) of an axis. */
static void inputs_seen(const struct onri_axis *a, int64_t from, int64_t to, int64_t *first, int64_t *last) {
  *first = most(0, onri_ceil_div(from + a->begin - (a->kernel - 1) * a->dilation, a->stride));
  *last = least(a->in, floor_div(to - 1 + a->begin, a->stride) + 1);
}

/* Taps [*first, *last) through which input i meets outputs [from, to). */
static void taps_used(const struct onri_axis *a, int64_t i, int64_t from, int64_t to, int64_t *first, int64_t *last) {
  *first = most(0, onri_ceil_div(from + a->begin - i * a->stride, a->dilation));
  *last = least(a->kernel, floor_div(to - 1 + a->begin - i * a->stride, a->dilation) + 1);
}

/* --- one type --- */

#define REAL float
#define NAME(x) x##_f32
#define CLASS ONRI_CLASS_F32
#include "kernels/conv/conv_direct_type.h"
#undef REAL
#undef NAME
#undef CLASS

#define REAL double
#define NAME(x) x##_f64
#define CLASS ONRI_CLASS_F64
#include "kernels/conv/conv_direct_type.h"
