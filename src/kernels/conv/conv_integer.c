/* conv_integer.c: products of the windows of some pixels, packed side by side, with all weights. Depthwise
 * convolutions, and those whose windows meet little but padding, sum up the taps that lie in the image, one after the
 * other. */
#include "kernels/conv/conv_integer.h"

#include <math.h>
#include <string.h>

#include "base/numbers/checked.h"
#include "kernels/conv/depthwise_rows.h"

static int is_depthwise(const struct onri_conv *c) { return c->group_in == 1 && c->group_out == 1; }
static size_t depth_of(const struct onri_conv *c) { return (size_t)(onri_conv_taps(c) * c->group_in); }
static size_t pixels_of(const struct onri_conv *c) {
  return (size_t)(c->axis[0].out * c->axis[1].out * c->axis[2].out);
}

/* --- weights: the columns of each group; depthwise [taps][channels] --- */

size_t onri_conv_integer_packed_bytes(const struct onri_conv *c) {
  size_t bytes;
  if (is_depthwise(c)) return onri_mul_size((size_t)onri_conv_taps(c), (size_t)c->groups, &bytes) ? bytes : SIZE_MAX;
  if (!onri_mul_size(onri_byte_columns_bytes(depth_of(c), (size_t)c->group_out), (size_t)c->groups, &bytes))
    return SIZE_MAX;
  return bytes;
}

void onri_conv_integer_pack(const struct onri_conv *c, const void *weight, int is_signed, void *packed) {
  const size_t taps = (size_t)onri_conv_taps(c), k = depth_of(c), n = (size_t)c->group_out;
  if (is_depthwise(c)) {
    for (size_t g = 0; g < (size_t)c->groups; g++)
      for (size_t t = 0; t < taps; t++)
        ((uint8_t *)packed)[t * (size_t)c->groups + g] = ((const uint8_t *)weight)[g * taps + t];
    return;
  }
  for (size_t g = 0; g < (size_t)c->groups; g++) {
    const struct onri_byte_matrix matrix = {
        (const char *)weight + g * n * k, (size_t)c->group_in, taps, 1, k, is_signed};
    onri_byte_columns_pack(onri_byte_columns_in((char *)packed + g * onri_byte_columns_bytes(k, n), k, n), &matrix, k,
                           n);
  }
}

/* --- windows --- */

/* The window of an output pixel: input position of its first tap. */
struct window {
  int64_t first[ONR_MAX_SPATIAL];
};

static struct window window_of(const struct onri_conv *c, size_t pixel) {
  const size_t out1 = (size_t)c->axis[1].out, out2 = (size_t)c->axis[2].out;
  const int64_t o[] = {(int64_t)(pixel / out2 / out1), (int64_t)(pixel / out2 % out1), (int64_t)(pixel % out2)};
  struct window w;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) w.first[a] = o[a] * c->axis[a].stride - c->axis[a].begin;
  return w;
}

/* `count` channels of one tap, or of a run of them. */
static void pack_tap(const struct onri_conv_integer *c, const char *x, size_t count, char *to) {
  const size_t step = c->conv->group_in == 1 ? 1 : (size_t)c->conv->x.channel_stride, cell = onri_byte_cell();
  if (step == 1) onri_byte_pack(x, count, c->x_signed, to);
  else
    for (size_t i = 0; i < count; i++) onri_byte_pack(x + i * step, 1, c->x_signed, to + i * cell);
}

/* A tap of the window, in counters: no division. */
struct tap {
  int64_t k[ONR_MAX_SPATIAL];
};

static void next_tap(const struct onri_axis *axis, struct tap *t) {
  if (++t->k[2] < axis[2].kernel) return;
  t->k[2] = 0;
  if (++t->k[1] < axis[1].kernel) return;
  t->k[1] = 0;
  t->k[0]++;
}

static struct tap tap_at(const struct onri_axis *axis, size_t tap) {
  const int64_t k = (int64_t)tap;
  return (struct tap){{k / axis[2].kernel / axis[1].kernel, k / axis[2].kernel % axis[1].kernel, k % axis[2].kernel}};
}

/* Offset of what lies under the tap; -1: padding. */
static int64_t offset_of(const struct onri_conv *c, const struct window *w, const struct tap *t) {
  int64_t offset = 0;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    const int64_t i = w->first[a] + t->k[a] * c->axis[a].dilation;
    if ((uint64_t)i >= (uint64_t)c->axis[a].in) return -1;
    offset += i * c->x.stride[a];
  }
  return offset;
}

/* How many taps from t on, this one counted, lie side by side in memory and in the image. */
static size_t run_of(const struct onri_conv *c, const struct window *w, const struct tap *t) {
  const struct onri_axis *a = &c->axis[2];
  const int64_t left = a->kernel - t->k[2], inside = a->in - (w->first[2] + t->k[2]);
  if (a->dilation != 1 || c->x.stride[2] != c->group_in || (c->group_in > 1 && c->x.channel_stride != 1)) return 1;
  return (size_t)(left < inside ? left : inside);
}

/* Elements [from, from + depth) of the window of one pixel, taps outside, channels inside. */
static void pack_window(const struct onri_conv_integer *c, const char *x, size_t pixel, size_t from, size_t depth,
                        char *to) {
  const struct onri_conv *conv = c->conv;
  const size_t in = (size_t)conv->group_in, cell = onri_byte_cell();
  const struct window w = window_of(conv, pixel);
  struct tap t = tap_at(conv->axis, from / in);
  for (size_t channel = from % in; depth > 0; channel = 0) {
    const int64_t offset = offset_of(conv, &w, &t);
    const size_t taps = offset < 0 ? 1 : run_of(conv, &w, &t), most = taps * in - channel,
                 count = most < depth ? most : depth;
    if (offset < 0) onri_byte_fill(c->x_zero, count, c->x_signed, to);
    else pack_tap(c, x + offset + (int64_t)channel * conv->x.channel_stride, count, to);
    to += count * cell;
    depth -= count;
    for (size_t i = 0; i < taps; i++) next_tap(conv->axis, &t);
  }
}

static const char *image_of(const struct onri_conv_integer *c, size_t batch) {
  const struct onri_conv *conv = c->conv;
  const size_t groups = (size_t)conv->groups;
  return (const char *)c->x + (int64_t)(batch / groups) * conv->x.batch_stride +
         (int64_t)(batch % groups) * conv->group_in * conv->x.channel_stride;
}

static void load_windows(const void *context, size_t batch, size_t row, size_t rows, size_t from, size_t depth,
                         char *to, size_t to_row) {
  const struct onri_conv_integer *c = context;
  for (size_t r = 0; r < rows; r++) pack_window(c, image_of(c, batch), row + r, from, depth, to + r * to_row);
}

/* --- results --- */

static void store_row(const struct onri_conv_integer *c, const int32_t *sums, size_t channel, size_t count, char *y) {
  struct onri_requantise r;
  if (!c->requantise) {
    memcpy(y, sums, count * sizeof(*sums));
    return;
  }
  r = *c->requantise;
  r.scales += channel * r.scale_step;
  onri_requantise(&r, sums, count, y);
}

/* Channels [channel, channel + count) of a pixel of the image. */
static void store_pixel(const struct onri_conv_integer *c, size_t image, size_t pixel, size_t channel, size_t count,
                        const int32_t *sums) {
  enum { SOME = 64 };
  const struct onri_image *y = &c->conv->y;
  const size_t size = c->requantise ? 1 : sizeof(int32_t), step = (size_t)y->channel_stride * size;
  char *to = (char *)c->y + (image * (size_t)y->batch_stride + pixel * (size_t)y->stride[ONR_MAX_SPATIAL - 1]) * size +
             channel * step;
  if (y->channel_stride == 1) {
    store_row(c, sums, channel, count, to);
    return;
  }
  for (size_t done = 0; done < count; done += SOME) {
    const size_t some = count - done < SOME ? count - done : SOME;
    int32_t row[SOME];
    store_row(c, sums + done, channel + done, some, (char *)row);
    for (size_t j = 0; j < some; j++) memcpy(to + (done + j) * step, (char *)row + j * size, size);
  }
}

static void store_tile(const void *context, size_t batch, size_t row, size_t rows, size_t column, size_t columns,
                       const int32_t *sums, size_t sums_row) {
  const struct onri_conv_integer *c = context;
  const size_t groups = (size_t)c->conv->groups, channel = batch % groups * (size_t)c->conv->group_out + column;
  for (size_t r = 0; r < rows; r++) store_pixel(c, batch / groups, row + r, channel, columns, sums + r * sums_row);
}

/* --- tap by tap --- */

enum { CHANNELS = 256 };

static int32_t w_zero_of(const struct onri_conv_integer *c, size_t channel) {
  return c->w_zeros ? c->w_zeros[channel * c->w_zero_step] : 0;
}

static int value_at(const char *x, int64_t offset, int is_signed) {
  return is_signed ? ((const int8_t *)x)[offset] : ((const uint8_t *)x)[offset];
}

/* sums[j] += (x - x_zero) (weight - w_zero) for output channels [first, first + count) of a group. */
static void add_tap(const struct onri_conv_integer *c, size_t group, size_t tap, const char *x, int64_t offset,
                    size_t first, size_t count, int32_t *sums) {
  const struct onri_conv *conv = c->conv;
  const size_t k = depth_of(conv), n = (size_t)conv->group_out;
  const struct onri_byte_columns columns =
      onri_byte_columns_in((char *)c->weights + group * onri_byte_columns_bytes(k, n), k, n);
  for (size_t i = 0; i < (size_t)conv->group_in; i++) {
    const int difference = value_at(x, offset + (int64_t)i * conv->x.channel_stride, c->x_signed) - c->x_zero;
    for (size_t j = 0; j < count; j++)
      sums[j] = (int32_t)((uint32_t)sums[j] +
                          (uint32_t)(difference * (onri_byte_columns_at(columns, c->w_signed, k,
                                                                        tap * (size_t)conv->group_in + i, first + j) -
                                                   w_zero_of(c, group * n + first + j))));
  }
}

/* The same for channels that each are a group. */
static void add_depthwise_tap(const struct onri_conv_integer *c, size_t tap, const char *x, int64_t offset,
                              size_t first, size_t count, int32_t *sums) {
  const int64_t step = c->conv->x.channel_stride;
  const char *weights = (const char *)c->weights + tap * (size_t)c->conv->groups + first;
  for (size_t j = 0; j < count; j++)
    sums[j] = (int32_t)((uint32_t)sums[j] +
                        (uint32_t)((value_at(x, offset + (int64_t)j * step, c->x_signed) - c->x_zero) *
                                   (value_at(weights, (int64_t)j, c->w_signed) - w_zero_of(c, first + j))));
}

struct work {
  const struct onri_conv_integer *c;
  size_t groups, channels, across; /* a depthwise convolution is one group of all channels */
};

/* Channels [first, first + count) of group g of one output pixel. */
static void sum_pixel(const struct work *w, size_t image, size_t g, size_t pixel, size_t first, size_t count) {
  const struct onri_conv *conv = w->c->conv;
  const struct window at = window_of(conv, pixel);
  const char *x = (const char *)w->c->x + (int64_t)image * conv->x.batch_stride +
                  (int64_t)(w->groups == 1 ? first * (is_depthwise(conv) ? 1 : 0) : g * (size_t)conv->group_in) *
                      conv->x.channel_stride;
  int64_t from[ONR_MAX_SPATIAL], to[ONR_MAX_SPATIAL];
  int32_t sums[CHANNELS];
  struct tap t;
  for (size_t j = 0; j < count; j++) sums[j] = w->c->bias ? w->c->bias[g * w->channels + first + j] : 0;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    onri_axis_taps(&conv->axis[a], (at.first[a] + conv->axis[a].begin) / conv->axis[a].stride, conv->axis[a].in,
                   &from[a], &to[a]);
  for (t.k[0] = from[0]; t.k[0] < to[0]; t.k[0]++)
    for (t.k[1] = from[1]; t.k[1] < to[1]; t.k[1]++)
      for (t.k[2] = from[2]; t.k[2] < to[2]; t.k[2]++) {
        const int64_t offset = offset_of(conv, &at, &t);
        const size_t tap = (size_t)((t.k[0] * conv->axis[1].kernel + t.k[1]) * conv->axis[2].kernel + t.k[2]);
        if (is_depthwise(conv)) add_depthwise_tap(w->c, tap, x, offset, first, count, sums);
        else add_tap(w->c, g, tap, x, offset, first, count, sums);
      }
  store_pixel(w->c, image, pixel, g * w->channels + first, count, sums);
}

static void sum_pixels(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const size_t pixels = pixels_of(w->c->conv);
  for (size_t item = begin; item < end; item++) {
    const size_t first = item % w->across * CHANNELS, rest = item / w->across, left = w->channels - first;
    sum_pixel(w, rest / pixels / w->groups, rest / pixels % w->groups, rest % pixels, first,
              left < CHANNELS ? left : CHANNELS);
  }
}

static void sum_by_taps(const struct onri_conv_integer *c, struct onr_env *env) {
  struct work w = {.c = c, .groups = is_depthwise(c->conv) ? 1 : (size_t)c->conv->groups};
  w.channels = (size_t)(is_depthwise(c->conv) ? c->conv->groups : c->conv->group_out);
  w.across = (w.channels + CHANNELS - 1) / CHANNELS;
  onr_parallel_for(env, (size_t)c->conv->x.batch * w.groups * pixels_of(c->conv) * w.across, 16, sum_pixels, &w);
}

/* Channels in vectors. */
static int has_vectors(const struct onri_conv *c) {
  return onri_depthwise_can(c) && onri_conv_taps(c) <= ONRI_DEPTHWISE_TAPS;
}

size_t onri_conv_integer_scratch(const struct onri_conv *c) {
  size_t bytes;
  if (!has_vectors(c)) return 0;
  return onri_mul_size((size_t)onri_conv_taps(c) * sizeof(float), (size_t)c->groups, &bytes) ? bytes : SIZE_MAX;
}

static void run_depthwise(const struct onri_conv_integer *c, struct onr_env *env) {
  const size_t taps = (size_t)onri_conv_taps(c->conv), channels = (size_t)c->conv->groups;
  float *differences = c->scratch;
  for (size_t t = 0; t < taps; t++)
    for (size_t j = 0; j < channels; j++)
      differences[t * channels + j] =
          (float)(value_at(c->weights, (int64_t)(t * channels + j), c->w_signed) - w_zero_of(c, j));
  const struct onri_depthwise_bytes bytes = {.flip = c->x_signed ? 0x80 : 0,
                                             .zero = (float)(c->x_zero + (c->x_signed ? 128 : 0)),
                                             .bias = c->bias,
                                             .requantise = c->requantise};
  onri_depthwise_bytes(c->conv, c->x, &bytes, differences, c->y, env);
}

/* Fewer than a sixteenth of the taps lie in the image. */
static int is_mostly_padding(const struct onri_conv *c) {
  double share = 1;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    const double most = ceil((double)c->axis[a].in / (double)c->axis[a].dilation), taps = (double)c->axis[a].kernel;
    if (most < taps) share *= most / taps;
  }
  return share < 1.0 / 16;
}

void onri_conv_integer(const struct onri_conv_integer *c, struct onr_env *env) {
  const struct onri_conv *conv = c->conv;
  if (has_vectors(conv)) {
    run_depthwise(c, env);
    return;
  }
  if (is_depthwise(conv) || is_mostly_padding(conv)) {
    sum_by_taps(c, env);
    return;
  }
  const struct onri_byte_product product = {.batches = (size_t)(conv->x.batch * conv->groups),
                                            .m = pixels_of(conv),
                                            .k = depth_of(conv),
                                            .n = (size_t)conv->group_out,
                                            .a_signed = c->x_signed,
                                            .b_signed = c->w_signed,
                                            .columns = c->weights,
                                            .num_columns = (size_t)conv->groups,
                                            .a_zero = &c->x_zero,
                                            .b_zero = c->w_zeros,
                                            .b_zero_step = c->w_zero_step,
                                            .b_zero_block = c->w_zero_step * (size_t)conv->group_out,
                                            .bias = c->bias,
                                            .bias_block = (size_t)conv->group_out,
                                            .context = c,
                                            .load = load_windows,
                                            .finish = store_tile};
  onri_byte_product(&product, env);
}
