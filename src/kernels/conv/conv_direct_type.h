/* conv_direct_type.h: what depends on the type; included with REAL, NAME(x) for the names it defines and CLASS defined.
 */

void NAME(onri_conv_pack)(const struct onri_conv *c, const REAL *weight, REAL *packed) {
  const int64_t taps = onri_conv_taps(c), in = c->group_in, out = c->group_out,
                width = c->axis[1].kernel * c->axis[2].kernel;
  for (int64_t g = 0; g < c->groups; g++)
    for (int64_t i = 0; i < in; i++)
      for (int64_t o = 0; o < out; o++) {
        const REAL *from = weight + (c->transposed ? (g * in + i) * out + o : (g * out + o) * in + i) * taps;
        for (int64_t t = 0; t < taps; t++) {
          const int64_t plane = g * c->axis[0].kernel + t / width; /* of the kernel */
          const int64_t to = onri_conv_is_depthwise(c) ? (t * c->groups + g) * out + o
                             : c->transposed           ? ((plane * in + i) * width + t % width) * out + o
                                                       : ((g * taps + t) * in + i) * out + o;
          packed[to] = from[t];
        }
      }
}

static REAL NAME(clamped)(const struct onri_conv *c, REAL value) {
  const REAL min = (REAL)c->min, max = (REAL)c->max;
  const REAL low = value < min ? min : value; /* NaN stays */
  return low > max ? max : low;
}

static void NAME(plain)(const struct work *w, const struct block *b) {
  const struct onri_conv *c = w->c;
  const REAL *bias = w->bias;
  REAL sums[PIXELS * CHANNELS];
  for (int64_t first = 0; first < c->group_out; first += CHANNELS) {
    const int64_t count = least(CHANNELS, c->group_out - first);
    for (int64_t p = 0; p < b->to - b->from; p++)
      for (int64_t j = 0; j < count; j++) sums[p * CHANNELS + j] = bias ? bias[b->g * c->group_out + first + j] : 0;
    add_plain(w, b, first, count, sums);
    for (int64_t p = b->from; p < b->to; p++) {
      REAL *y = (REAL *)w->y + y_offset(c, b, b->top, p) + first * c->y.channel_stride;
      const REAL *sum = sums + (p - b->from) * CHANNELS;
      for (int64_t j = 0; j < count; j++) y[j * c->y.channel_stride] = NAME(clamped)(c, sum[j]);
    }
  }
}

/* Adds columns [first, first + count) of pixels [i, i + pixels) of input row i1 to the outputs that they meet. */
static void NAME(scatter)(const struct work *w, const struct block *b, int64_t i1, int64_t i, int64_t pixels,
                          int64_t first, int64_t count, const REAL *columns) {
  const struct onri_conv *c = w->c;
  const struct onri_axis *a1 = &c->axis[1], *a2 = &c->axis[2];
  for (int64_t j = 0, part; j < count; j += part) {
    const int64_t tap = (first + j) / c->group_out, m = (first + j) % c->group_out;
    const int64_t row = i1 * a1->stride + tap / a2->kernel * a1->dilation - a1->begin,
                  shift = tap % a2->kernel * a2->dilation - a2->begin;
    const int64_t begin = most(i, onri_ceil_div(b->from - shift, a2->stride));
    const int64_t end = least(i + pixels, floor_div(b->to - 1 - shift, a2->stride) + 1);
    REAL *y = (REAL *)w->y + y_offset(c, b, row, begin * a2->stride + shift) + m * c->y.channel_stride;
    const REAL *from = columns + (begin - i) * CHANNELS + j;
    part = least(c->group_out - m, count - j);
    for (int64_t p = begin; p < end; p++, y += a2->stride * c->y.stride[2], from += CHANNELS)
      for (int64_t q = 0; q < part; q++) y[q * c->y.channel_stride] += from[q];
  }
}

static void NAME(add_row)(const struct work *w, const struct block *b, int64_t k0, int64_t i1, REAL *columns) {
  const struct onri_conv *c = w->c;
  const int64_t line = x_offset(c, b, input_of(c, 0, b->o0, k0), i1), width = c->axis[2].kernel * c->group_out;
  int64_t from, to, k, last;
  inputs_seen(&c->axis[2], b->from, b->to, &from, &to);
  taps_used(&c->axis[1], i1, b->top, b->bottom, &k, &last);
  for (int64_t first = k * width; first < last * width; first += CHANNELS)
    for (int64_t i = from; i < to; i += PIXELS) {
      const int64_t pixels = least(PIXELS, to - i), count = least(CHANNELS, last * width - first);
      multiply_columns(w, b, line, i, pixels, k0, first, count, columns);
      NAME(scatter)(w, b, i1, i, pixels, first, count, columns);
    }
}

/* Sets the outputs of a block: to the bias, or to what the clamp makes of them. */
static void NAME(start)(const struct work *w, const struct block *b) {
  const struct onri_conv *c = w->c;
  const REAL *bias = w->bias;
  for (int64_t o1 = b->top; o1 < b->bottom; o1++)
    for (int64_t p = b->from; p < b->to; p++)
      for (int64_t m = 0; m < c->group_out; m++)
        ((REAL *)w->y)[y_offset(c, b, o1, p) + m * c->y.channel_stride] = bias ? bias[b->g * c->group_out + m] : 0;
}

static void NAME(finish)(const struct work *w, const struct block *b) {
  const struct onri_conv *c = w->c;
  if (!(c->min > -INFINITY) && !(c->max < INFINITY)) return;
  for (int64_t o1 = b->top; o1 < b->bottom; o1++)
    for (int64_t p = b->from; p < b->to; p++)
      for (int64_t m = 0; m < c->group_out; m++) {
        REAL *y = (REAL *)w->y + y_offset(c, b, o1, p) + m * c->y.channel_stride;
        *y = NAME(clamped)(c, *y);
      }
}

static void NAME(transposed)(const struct work *w, const struct block *b) {
  const struct onri_conv *c = w->c;
  const struct taps t = taps_of(c, w->walk, 0, b->o0);
  REAL columns[PIXELS * CHANNELS];
  int64_t top, bottom;
  inputs_seen(&c->axis[1], b->top, b->bottom, &top, &bottom);
  NAME(start)(w, b);
  for (int64_t k0 = t.first; k0 < t.last; k0 += t.step)
    for (int64_t i1 = top; i1 < bottom; i1++) NAME(add_row)(w, b, k0, i1, columns);
  NAME(finish)(w, b);
}

/* sum[j] += x[j] * w[j]; each: of so many, which begin with j = 0, one x. */
static void NAME(multiply_add)(REAL *restrict sum, const REAL *restrict x, int64_t x_stride, const REAL *restrict w,
                               int64_t count, int64_t each) {
  if (each > 1) {
    for (int64_t j = 0; j < count; j++) sum[j] += x[j / each * x_stride] * w[j];
    return;
  }
  if (x_stride == 1)
    for (int64_t j = 0; j < count; j++) sum[j] += x[j] * w[j];
  else
    for (int64_t j = 0; j < count; j++) sum[j] += x[j * x_stride] * w[j];
}

/* Channels [first, first + count) of one pixel. */
static void NAME(depthwise_pixel)(const struct work *w, const struct block *b, const struct taps t[2], int64_t o,
                                  int64_t first, int64_t count) {
  const struct onri_conv *c = w->c;
  const struct taps t2 = taps_of(c, w->walk, 2, o);
  const REAL *bias = w->bias, *weights = (const REAL *)w->w + first;
  REAL sum[CHANNELS];
  for (int64_t j = 0; j < count; j++) sum[j] = bias ? bias[first + j] : 0;
  for (int64_t k0 = t[0].first; k0 < t[0].last; k0 += t[0].step)
    for (int64_t k1 = t[1].first; k1 < t[1].last; k1 += t[1].step) {
      const int64_t tap = (k0 * c->axis[1].kernel + k1) * c->axis[2].kernel;
      const REAL *line = (const REAL *)w->x + x_offset(c, b, input_of(c, 0, b->o0, k0), input_of(c, 1, b->top, k1)) +
                         first / c->group_out * c->x.channel_stride;
      for (int64_t k2 = t2.first; k2 < t2.last; k2 += t2.step) NAME(multiply_add)
      (sum, line + input_of(c, 2, o, k2) * c->x.stride[2], c->x.channel_stride, weights + (tap + k2) * c->y.channels,
       count, c->group_out);
    }
  REAL *y = (REAL *)w->y + y_offset(c, b, b->top, o) + first * c->y.channel_stride;
  for (int64_t j = 0; j < count; j++) y[j * c->y.channel_stride] = NAME(clamped)(c, sum[j]);
}

static void NAME(depthwise)(const struct work *w, const struct block *b) {
  const struct onri_conv *c = w->c;
  const struct taps t[2] = {taps_of(c, w->walk, 0, b->o0), taps_of(c, w->walk, 1, b->top)};
  const int64_t step = CHANNELS / c->group_out * c->group_out; /* whole groups */
  for (int64_t first = 0; first < c->y.channels; first += step)
    for (int64_t o = b->from; o < b->to; o++)
      NAME(depthwise_pixel)(w, b, t, o, first, least(step, c->y.channels - first));
}

static void NAME(blocks)(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  for (size_t item = begin; item < end; item++) {
    const struct block b = block_of(w, item);
    if (onri_conv_is_depthwise(w->c)) NAME(depthwise)(w, &b);
    else if (w->c->transposed) NAME(transposed)(w, &b);
    else NAME(plain)(w, &b);
  }
}

void NAME(onri_conv_direct)(const struct onri_conv *c, const REAL *x, const REAL *packed, const REAL *bias, REAL *y,
                            struct onr_env *env) {
  struct work w = {.c = c, .type = CLASS, .size = sizeof(REAL), .x = x, .w = packed, .bias = bias, .y = y};
  onr_parallel_for(env, cut(&w), 1, NAME(blocks), &w);
}
