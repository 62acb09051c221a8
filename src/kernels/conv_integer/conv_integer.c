/* conv_integer.c: products of the windows of some pixels, read where they lie in an image that is padded and packed
 * before where need be, with all weights. Depthwise convolutions, and those whose windows meet little but padding, sum
 * up the taps that lie in the image, one after the other. */
#include "kernels/conv_integer/conv_integer.h"

#include <math.h>
#include <string.h>

#include "base/numbers/checked.h"
#include "kernels/conv_integer/byte_image.h"
#include "kernels/conv_integer/byte_planes.h"
#include "kernels/conv_integer/depthwise_dot.h"
#include "kernels/conv/depthwise_rows.h"
#include "kernels/conv_integer/winograd_bytes.h"

static int is_depthwise(const struct onri_conv *c) { return c->group_in == 1 && c->group_out == 1; }
/* Groups of a few channels, which go the same way where there are instructions for it. */
static int is_dot_of_groups(const struct onri_conv *c) { return !is_depthwise(c) && onri_depthwise_dot_can(c); }
static size_t pixels_of(const struct onri_conv *c) {
  return (size_t)(c->axis[0].out * c->axis[1].out * c->axis[2].out);
}

/* --- weights: the columns of each group; depthwise [taps][channels] and what depthwise_dot.h packs; behind these, as
 * they were given where byte_planes.h can take them --- */

/* Of [taps][channels]. */
static size_t plain_bytes(const struct onri_conv *c) {
  size_t bytes;
  return onri_mul_size((size_t)onri_conv_taps(c), (size_t)c->groups, &bytes) && onri_round_up(bytes, 64, &bytes)
             ? bytes
             : SIZE_MAX;
}

/* Without what depthwise_dot.h packs. */
static size_t columns_alone_bytes(const struct onri_conv *c) {
  size_t bytes;
  if (is_depthwise(c)) return plain_bytes(c);
  if (onri_winograd_bytes_can(c)) return onri_winograd_bytes_packed_bytes(c);
  bytes = onri_byte_columns_bytes(onri_byte_window(c), (size_t)c->group_out);
  return onri_mul_size(bytes, (size_t)c->groups, &bytes) ? bytes : SIZE_MAX;
}

static size_t columns_bytes(const struct onri_conv *c) {
  const size_t dot = onri_depthwise_dot_can(c) ? onri_depthwise_dot_packed_bytes(c) : 0;
  size_t bytes;
  return onri_round_up(columns_alone_bytes(c), 64, &bytes) && onri_add_size(bytes, dot, &bytes) ? bytes : SIZE_MAX;
}

static char *dot_at(const struct onri_conv *c, const void *packed) {
  return (char *)packed + (columns_alone_bytes(c) + 63) / 64 * 64;
}

size_t onri_conv_integer_packed_bytes(const struct onri_conv *c) {
  size_t bytes;
  if (!onri_byte_planes_can(c)) return columns_bytes(c);
  return onri_add_size(columns_bytes(c), onri_byte_planes_packed_bytes(c), &bytes) ? bytes : SIZE_MAX;
}

static void pack_columns(const struct onri_conv *c, const void *weight, int is_signed, const int32_t *zeros,
                         size_t zero_step, void *packed) {
  const size_t taps = (size_t)onri_conv_taps(c), k = taps * (size_t)c->group_in, n = (size_t)c->group_out;
  const struct onri_byte_depth window = onri_byte_window(c);
  if (is_depthwise(c)) {
    for (size_t g = 0; g < (size_t)c->groups; g++)
      for (size_t t = 0; t < taps; t++)
        ((uint8_t *)packed)[t * (size_t)c->groups + g] = ((const uint8_t *)weight)[g * taps + t];
    return;
  }
  if (onri_winograd_bytes_can(c)) {
    onri_winograd_bytes_pack(c, weight, is_signed, packed);
    return;
  }
  for (size_t g = 0; g < (size_t)c->groups; g++) {
    const struct onri_byte_matrix matrix = {.b = (const char *)weight + g * n * k,
                                            .inner = (size_t)c->group_in,
                                            .inner_step = taps,
                                            .outer_step = 1,
                                            .column_step = k,
                                            .is_signed = is_signed,
                                            .zeros = zeros ? zeros + g * n * zero_step : NULL,
                                            .zero_step = zero_step};
    void *block = (char *)packed + g * onri_byte_columns_bytes(window, n);
    onri_byte_columns_pack(onri_byte_columns_in(block, window, n), &matrix, window, n);
  }
}

void onri_conv_integer_pack(const struct onri_conv *c, const void *weight, int is_signed, const int32_t *zeros,
                            size_t zero_step, void *packed) {
  pack_columns(c, weight, is_signed, zeros, zero_step, packed);
  if (onri_depthwise_dot_can(c)) onri_depthwise_dot_pack(c, weight, is_signed, dot_at(c, packed));
  if (onri_byte_planes_can(c)) memcpy((char *)packed + columns_bytes(c), weight, onri_byte_planes_packed_bytes(c));
}

/* --- results --- */

/* Of an element of y. */
static size_t result_bytes(const struct onri_conv_integer *c) { return c->requantise ? 1 : sizeof(int32_t); }

/* Rows of results of channels from `channel` on, which lie side by side. */
static void store_rows(const struct onri_conv_integer *c, const struct onri_byte_sums *sums, size_t channel, char *y,
                       size_t y_row) {
  if (c->requantise) {
    const struct onri_requantise r = onri_requantise_from(c->requantise, channel);
    onri_requantise(&r, sums, y, y_row);
  } else if (c->reals) {
    const struct onri_byte_reals r = onri_byte_reals_from(c->reals, channel);
    onri_byte_reals(&r, sums, y, y_row);
  } else {
    for (size_t i = 0; i < sums->rows; i++)
      memcpy(y + i * y_row, sums->sums + i * sums->sums_row, sums->columns * sizeof(*sums->sums));
  }
}

/* Channels [channel, channel + sums.columns) of pixels of an image. */
static void store_pixels(const struct onri_conv_integer *c, size_t image, size_t pixel, size_t channel,
                         const struct onri_byte_sums *sums) {
  const struct onri_image *y = &c->conv->y;
  const size_t size = result_bytes(c), y_row = (size_t)y->stride[ONR_MAX_SPATIAL - 1] * size,
               step = (size_t)y->channel_stride * size;
  char *to = (char *)c->y + image * (size_t)y->batch_stride * size + pixel * y_row + channel * step;
  if (y->channel_stride == 1) {
    store_rows(c, sums, channel, to, y_row);
    return;
  }
  for (size_t j = 0; j < sums->columns; j++) {
    const struct onri_byte_sums one = {sums->sums + j, sums->rows, 1, sums->sums_row};
    store_rows(c, &one, channel + j, to + j * step, y_row);
  }
}

/* --- tap by tap --- */

enum { CHANNELS = 256 };

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
  const struct onri_byte_depth k = onri_byte_window(conv);
  const size_t n = (size_t)conv->group_out;
  const struct onri_byte_columns columns =
      onri_byte_columns_in((char *)c->weights + group * onri_byte_columns_bytes(k, n), k, n);
  for (size_t i = 0; i < (size_t)conv->group_in; i++) {
    const int difference = value_at(x, offset + (int64_t)i * conv->x.channel_stride, c->x_signed) - c->x_zero;
    for (size_t j = 0; j < count; j++)
      sums[j] = (int32_t)((uint32_t)sums[j] +
                          (uint32_t)(difference *
                                     (onri_byte_columns_at(columns, k, tap * (size_t)conv->group_in + i, first + j) -
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
  int64_t from[ONR_MAX_SPATIAL], to[ONR_MAX_SPATIAL], k[ONR_MAX_SPATIAL];
  int32_t sums[CHANNELS];
  for (size_t j = 0; j < count; j++) sums[j] = w->c->bias ? w->c->bias[g * w->channels + first + j] : 0;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    onri_axis_taps(&conv->axis[a], (at.first[a] + conv->axis[a].begin) / conv->axis[a].stride, conv->axis[a].in,
                   &from[a], &to[a]);
  for (k[0] = from[0]; k[0] < to[0]; k[0]++)
    for (k[1] = from[1]; k[1] < to[1]; k[1]++)
      for (k[2] = from[2]; k[2] < to[2]; k[2]++) {
        const size_t tap = (size_t)((k[0] * conv->axis[1].kernel + k[1]) * conv->axis[2].kernel + k[2]);
        int64_t offset = 0;
        for (int a = 0; a < ONR_MAX_SPATIAL; a++)
          offset += (at.first[a] + k[a] * conv->axis[a].dilation) * conv->x.stride[a];
        if (is_depthwise(conv)) add_depthwise_tap(w->c, tap, x, offset, first, count, sums);
        else add_tap(w->c, g, tap, x, offset, first, count, sums);
      }
  store_pixels(w->c, image, pixel, g * w->channels + first, &(struct onri_byte_sums){sums, 1, count, count});
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

/* --- depthwise, channels in vectors --- */

static int has_dot(const struct onri_conv *c) {
  return onri_depthwise_dot_can(c) && onri_depthwise_dot_scratch(c, 1) != SIZE_MAX;
}

static size_t depthwise_scratch(const struct onri_conv *c, uint32_t threads) {
  size_t bytes;
  if (has_dot(c)) return onri_depthwise_dot_scratch(c, threads);
  return onri_mul_size((size_t)onri_conv_taps(c) * sizeof(float), (size_t)c->groups, &bytes) ? bytes : SIZE_MAX;
}

static void run_depthwise_dot(const struct onri_conv_integer *c, struct onr_env *env) {
  const struct onri_depthwise_dot d = {.conv = c->conv,
                                       .x_signed = c->x_signed,
                                       .w_signed = c->w_signed,
                                       .x = c->x,
                                       .x_zero = c->x_zero,
                                       .packed = dot_at(c->conv, c->weights),
                                       .w_zeros = c->w_zeros,
                                       .w_zero_step = c->w_zero_step,
                                       .bias = c->bias,
                                       .requantise = c->requantise,
                                       .reals = c->reals,
                                       .y = c->y,
                                       .scratch = c->scratch};
  onri_depthwise_dot(&d, env);
}

/* Pixels of sums become real numbers where they lie. */
static void sums_to_reals(void *context, size_t begin, size_t end) {
  const struct onri_conv_integer *c = context;
  const struct onri_image *image = &c->conv->y;
  const size_t pixels = pixels_of(c->conv);
  for (size_t i = begin; i < end; i++) {
    int32_t *y = (int32_t *)c->y + (int64_t)(i / pixels) * image->batch_stride +
                 (int64_t)(i % pixels) * image->stride[ONR_MAX_SPATIAL - 1];
    const struct onri_byte_sums sums = {y, 1, (size_t)c->conv->groups, 0};
    store_rows(c, &sums, 0, (char *)y, 0);
  }
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
  if (c->reals) onr_parallel_for(env, (size_t)c->conv->y.batch * pixels_of(c->conv), 64, sums_to_reals, (void *)c);
}

/* --- products --- */

struct windows {
  const struct onri_conv_integer *c;
  struct onri_byte_image image;
  size_t first; /* of the images at hand */
};

static void place_windows(const void *context, size_t batch, size_t row, size_t rows, const char **begins) {
  const struct windows *w = context;
  const size_t groups = (size_t)w->c->conv->groups;
  onri_byte_image_windows(w->c->conv, &w->image, batch / groups, batch % groups, row, rows, begins);
}

/* Of the result from [row][column] on: its channel, its image, and which element it is. */
static size_t channel_of(const struct windows *w, size_t batch, size_t column) {
  return batch % (size_t)w->c->conv->groups * (size_t)w->c->conv->group_out + column;
}
static size_t image_of(const struct windows *w, size_t batch) { return w->first + batch / (size_t)w->c->conv->groups; }
static size_t element_of(const struct windows *w, size_t batch, size_t row, size_t column) {
  const struct onri_image *y = &w->c->conv->y;
  return image_of(w, batch) * (size_t)y->batch_stride + row * (size_t)y->stride[ONR_MAX_SPATIAL - 1] +
         channel_of(w, batch, column);
}

static void store_tile(const void *context, size_t batch, size_t row, size_t column,
                       const struct onri_byte_sums *sums) {
  const struct windows *w = context;
  store_pixels(w->c, image_of(w, batch), row, channel_of(w, batch, column), sums);
}

static uint8_t *bytes_at(const void *context, size_t batch, size_t row, size_t column, struct onri_requantise *r) {
  const struct windows *w = context;
  *r = onri_requantise_from(w->c->requantise, channel_of(w, batch, column));
  return (uint8_t *)w->c->y + element_of(w, batch, row, column);
}

static float *reals_at(const void *context, size_t batch, size_t row, size_t column, struct onri_byte_reals *r) {
  const struct windows *w = context;
  *r = onri_byte_reals_from(w->c->reals, channel_of(w, batch, column));
  return (float *)w->c->y + element_of(w, batch, row, column);
}

/* Pixels that are multiplied as they lie, one behind the other, but for the form of their bytes: some at a time are
 * packed in the cache. */
static int is_dense(const struct onri_conv *c) {
  int64_t dense = c->group_in;
  if (c->groups != 1 || c->x.channel_stride != 1 || c->group_in % ONRI_BYTE_GROUP) return 0;
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; a--) {
    const struct onri_axis *axis = &c->axis[a];
    if (axis->kernel != 1 || axis->stride != 1 || axis->begin || axis->out != axis->in || c->x.stride[a] != dense)
      return 0;
    dense *= axis->in;
  }
  return 1;
}

static void load_pixels(const void *context, size_t batch, size_t row, size_t rows, size_t from, size_t depth, char *to,
                        size_t to_row) {
  const struct windows *w = context;
  const struct onri_conv *c = w->c->conv;
  const size_t k = (size_t)c->group_in;
  const char *x = (const char *)w->c->x + (int64_t)image_of(w, batch) * c->x.batch_stride + row * k + from;
  if (depth == k && to_row == k * onri_byte_cell()) onri_byte_pack(x, rows * k, w->c->x_signed, to);
  else
    for (size_t r = 0; r < rows; r++) onri_byte_pack(x + r * k, depth, w->c->x_signed, to + r * to_row);
}

static void multiply(const struct windows *w, size_t images, const size_t *runs, struct onr_env *env) {
  const struct onri_conv_integer *c = w->c;
  const struct onri_conv *conv = c->conv;
  struct onri_byte_product product = {.batches = images * (size_t)conv->groups,
                                      .m = pixels_of(conv),
                                      .n = (size_t)conv->group_out,
                                      .k = onri_byte_window(conv),
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
                                      .context = w,
                                      .load = load_pixels,
                                      .place = runs ? place_windows : NULL,
                                      .runs = runs,
                                      .y_row = (size_t)conv->y.stride[ONR_MAX_SPATIAL - 1] * result_bytes(c),
                                      .finish = store_tile};
  if (conv->y.channel_stride == 1) {
    product.bytes_at = c->requantise ? bytes_at : NULL;
    product.reals_at = c->reals ? reals_at : NULL;
  }
  onri_byte_product(&product, env);
}

/* How many images are packed before their windows are multiplied: those that stay in the cache, and one at least. */
static size_t images_at_once(const struct onri_conv *c, size_t image_bytes) {
  enum { CACHE = 1 << 19 };
  const size_t most = image_bytes < CACHE ? CACHE / (image_bytes + 1) : 1;
  return most < (size_t)c->x.batch ? most : (size_t)c->x.batch;
}

/* In scratch: the runs, then images; the last window's last run is read to the end of its cells. */
static size_t runs_bytes(const struct onri_conv *c) { return onri_byte_window(c).runs * sizeof(size_t); }

static size_t windows_scratch(const struct onri_conv *c, int x_signed) {
  const size_t image = onri_byte_image_bytes(c);
  size_t bytes;
  if (onri_byte_image_lies(c, x_signed) || is_dense(c)) return runs_bytes(c);
  if (!onri_mul_size(image, images_at_once(c, image), &bytes) ||
      !onri_add_size(bytes, runs_bytes(c) + ONRI_BYTE_GROUP * 2, &bytes))
    return SIZE_MAX;
  return bytes;
}

static void run_windows(const struct onri_conv_integer *c, struct onr_env *env) {
  const struct onri_conv *conv = c->conv;
  const size_t image = onri_byte_image_bytes(conv), batch = (size_t)conv->x.batch;
  const int lies = onri_byte_image_lies(conv, c->x_signed);
  const size_t some = lies ? batch : images_at_once(conv, image);
  size_t *runs = c->scratch;
  char *packed = (char *)c->scratch + runs_bytes(conv);
  struct windows w = {.c = c};
  if (!lies && is_dense(conv)) {
    multiply(&w, batch, NULL, env);
    return;
  }
  if (!lies) memset(packed + some * image, 0, ONRI_BYTE_GROUP * 2);
  for (w.first = 0; w.first < batch; w.first += some) {
    const size_t images = batch - w.first < some ? batch - w.first : some;
    w.image = lies ? onri_byte_image_in_place(conv, c->x)
                   : onri_byte_image_pack(conv, c->x, c->x_signed, c->x_zero, w.first, images, packed, env);
    if (w.first == 0) onri_byte_image_runs(conv, &w.image, runs);
    multiply(&w, images, runs, env);
  }
}

/* --- by Winograd's method --- */

static void store_some(const void *context, size_t image, size_t pixel, size_t channel,
                       const struct onri_byte_sums *sums) {
  store_pixels(context, image, pixel, channel, sums);
}

static void run_winograd(const struct onri_conv_integer *c, struct onr_env *env) {
  const struct onri_winograd_bytes w = {.conv = c->conv,
                                        .x_signed = c->x_signed,
                                        .w_signed = c->w_signed,
                                        .x = c->x,
                                        .x_zero = c->x_zero,
                                        .packed = c->weights,
                                        .w_zeros = c->w_zeros,
                                        .w_zero_step = c->w_zero_step,
                                        .bias = c->bias,
                                        .scratch = c->scratch,
                                        .context = c,
                                        .finish = store_some};
  onri_winograd_bytes(&w, env);
}

/* --- the way --- */

enum way { PLANES, DEPTHWISE, WINOGRAD, TAPS, WINDOWS };

/* Fewer than a sixteenth of the taps lie in the image. */
static int is_mostly_padding(const struct onri_conv *c) {
  double share = 1;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    const double most = ceil((double)c->axis[a].in / (double)c->axis[a].dilation), taps = (double)c->axis[a].kernel;
    if (most < taps) share *= most / taps;
  }
  return share < 1.0 / 16;
}

static enum way way_of(const struct onri_conv *c) {
  int cut = 0; /* windows that begin inside the image: phases of transposed ones */
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) cut |= c->axis[a].begin < 0;
  if (onri_byte_planes_suit(c)) return PLANES;
  if (!cut && is_depthwise(c) && onri_depthwise_can(c) && (has_dot(c) || onri_conv_taps(c) <= ONRI_DEPTHWISE_TAPS))
    return DEPTHWISE;
  if (!cut && is_dot_of_groups(c) && c->y.channel_stride == 1 && has_dot(c)) return DEPTHWISE;
  if (onri_winograd_bytes_can(c)) return WINOGRAD;
  return is_depthwise(c) || is_mostly_padding(c) || onri_byte_image_bytes(c) == SIZE_MAX ? TAPS : WINDOWS;
}

size_t onri_conv_integer_scratch(const struct onri_conv *c, int x_signed, uint32_t threads) {
  const enum way way = way_of(c);
  if (way == PLANES) return onri_byte_planes_scratch(c, threads);
  if (way == WINOGRAD) return onri_winograd_bytes_scratch(c, threads);
  return way == DEPTHWISE ? depthwise_scratch(c, threads) : way == WINDOWS ? windows_scratch(c, x_signed) : 0;
}

void onri_conv_integer(const struct onri_conv_integer *c, struct onr_env *env) {
  const enum way way = way_of(c->conv);
  if (way == PLANES) onri_byte_planes(c, (const char *)c->weights + columns_bytes(c->conv), env);
  else if (way == DEPTHWISE && has_dot(c->conv)) run_depthwise_dot(c, env);
  else if (way == DEPTHWISE) run_depthwise(c, env);
  else if (way == WINOGRAD) run_winograd(c, env);
  else if (way == TAPS) sum_by_taps(c, env);
  else run_windows(c, env);
}
