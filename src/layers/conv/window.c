/* window.c: shapes of sliding windows. */
#include "layers/conv/window.h"

#include "base/numbers/checked.h"

enum onr_status onri_image_view(const struct onr_desc *desc, int32_t channels_last, struct onri_image *image,
                                int32_t *spatial, struct onr_error *error) {
  if (desc->rank < 3 || desc->rank > 2 + ONR_MAX_SPATIAL) {
    char text[128];
    return onr_fail(error, ONR_STATUS_SHAPE, "expected an image of 1 to %d spatial dimensions (rank 3 to %d), found %s",
                    ONR_MAX_SPATIAL, 2 + ONR_MAX_SPATIAL, onr_desc_format(desc, text, sizeof(text)));
  }
  const int32_t n = desc->rank - 2, lead = ONR_MAX_SPATIAL - n;
  int64_t step = channels_last ? desc->dim[desc->rank - 1] : 1;
  image->batch = desc->dim[0];
  image->channels = desc->dim[channels_last ? desc->rank - 1 : 1];
  for (int32_t a = ONR_MAX_SPATIAL - 1; a >= 0; a--) {
    image->size[a] = a < lead ? 1 : desc->dim[a - lead + (channels_last ? 1 : 2)];
    image->stride[a] = step;
    if (!onri_mul_i64(step, image->size[a], &step)) step = INT64_MAX; /* refused later: tensor_bytes */
  }
  image->channel_stride = channels_last ? 1 : step;
  image->batch_stride = step;
  if (!channels_last && !onri_mul_i64(step, image->channels, &image->batch_stride)) image->batch_stride = INT64_MAX;
  *spatial = n;
  return ONR_STATUS_OK;
}

struct onr_desc onri_image_desc(enum onr_dtype dtype, int32_t channels_last, int64_t batch, int64_t channels,
                                int32_t spatial, const struct onri_axis axis[ONR_MAX_SPATIAL]) {
  int64_t dims[ONR_MAX_RANK] = {batch};
  for (int32_t i = 0; i < spatial; i++) dims[i + (channels_last ? 1 : 2)] = axis[ONR_MAX_SPATIAL - spatial + i].out;
  dims[channels_last ? spatial + 1 : 1] = channels;
  return onr_desc_make(dtype, spatial + 2, dims);
}

enum onr_status onri_expect_pixels(const struct onr_call *call, size_t i) {
  if (onr_desc_elements(&call->out[0]) == 0 || onr_desc_elements(&call->in[i]) > 0) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_SHAPE, "input %zu: the image has no pixels, but output 0 has", i);
}

/* Value i of an attribute, or its default where the window does not say. */
static enum onr_status entry(const struct onr_window *window, const int64_t *values, int32_t i, int64_t least,
                             int64_t default_value, const char *name, int64_t *result, struct onr_error *error) {
  const int64_t value = window->rank == 0 || (values[i] == 0 && least > 0) ? default_value : values[i];
  if (value < least)
    return onr_fail(error, ONR_STATUS_ATTRIBUTE, "expected %s of at least %lld, found %lld", name, (long long)least,
                    (long long)value);
  if (value > INT32_MAX)
    return onr_fail(error, ONR_STATUS_LIMIT, "%s %lld is beyond the limit of %d", name, (long long)value, INT32_MAX);
  *result = value;
  return ONR_STATUS_OK;
}

static void pad_same(struct onri_axis *a, int64_t extent, int lower) {
  const int64_t out = a->in / a->stride + (a->in % a->stride != 0);
  int64_t total = (out - 1) * a->stride + extent - a->in;
  if (total < 0) total = 0;
  a->begin = lower ? total - total / 2 : total / 2;
  a->end = total - a->begin;
}

enum onr_status onri_window_resolve(const struct onr_window *window, int32_t spatial,
                                    struct onri_axis axis[ONR_MAX_SPATIAL], struct onr_error *error) {
  if (window->rank != 0 && window->rank != spatial)
    return onr_fail(error, ONR_STATUS_SHAPE, "the window has %d dimensions, the image %d", window->rank, spatial);
  for (int32_t i = 0; i < ONR_MAX_SPATIAL - spatial; i++)
    axis[i] = (struct onri_axis){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
  for (int32_t i = 0; i < spatial; i++) {
    struct onri_axis *a = &axis[ONR_MAX_SPATIAL - spatial + i];
    ONR_TRY(entry(window, window->stride, i, 1, 1, "a stride", &a->stride, error));
    ONR_TRY(entry(window, window->dilation, i, 1, 1, "a dilation", &a->dilation, error));
    ONR_TRY(entry(window, window->pad_begin, i, 0, 0, "padding", &a->begin, error));
    ONR_TRY(entry(window, window->pad_end, i, 0, 0, "padding", &a->end, error));
    if (window->auto_pad != ONR_AUTO_PAD_NOTSET) a->begin = a->end = 0;
    int64_t extent;
    if (!onri_mul_i64(a->kernel - 1, a->dilation, &extent) || !onri_add_i64(extent, 1, &extent) || extent > INT32_MAX) {
      if (a->dilation == 1)
        return onr_fail(error, ONR_STATUS_SHAPE, "a window of %lld is larger than any image", (long long)a->kernel);
      return onr_fail(error, ONR_STATUS_LIMIT, "a window of %lld with dilation %lld reaches beyond the limit of %d",
                      (long long)a->kernel, (long long)a->dilation, INT32_MAX);
    }
    if (a->in > INT32_MAX)
      return onr_fail(error, ONR_STATUS_LIMIT, "an image size of %lld is beyond the limit of %d", (long long)a->in,
                      INT32_MAX);
    if (window->auto_pad == ONR_AUTO_PAD_SAME_UPPER || window->auto_pad == ONR_AUTO_PAD_SAME_LOWER)
      pad_same(a, extent, window->auto_pad == ONR_AUTO_PAD_SAME_LOWER);
  }
  return ONR_STATUS_OK;
}

/* As the standard has it, for an image with a pixel or more; below 0 where it has nothing to say. */
static int64_t places(const struct onri_axis *a, int32_t ceil_mode) {
  const int64_t padded = a->in + a->begin + a->end, room = padded - ((a->kernel - 1) * a->dilation + 1);
  int64_t steps = room / a->stride; /* towards 0 */
  if (ceil_mode ? room > 0 && room % a->stride != 0 : room < 0 && room % a->stride != 0) steps += ceil_mode ? 1 : -1;
  if (ceil_mode && steps > 0 && steps * a->stride >= a->in + a->begin) steps--; /* it would begin in the padding */
  return steps + 1;
}

enum onr_status onri_window_output(int32_t ceil_mode, int64_t least, int32_t spatial,
                                   struct onri_axis axis[ONR_MAX_SPATIAL], struct onr_error *error) {
  for (int32_t i = ONR_MAX_SPATIAL - spatial; i < ONR_MAX_SPATIAL; i++) {
    struct onri_axis *a = &axis[i];
    a->out = places(a, ceil_mode);
    if (a->in == 0 || a->out < least)
      return onr_fail(
          error, ONR_STATUS_SHAPE,
          "a window of %lld pixels (kernel %lld, dilation %lld) does not fit an image of %lld with padding %lld + %lld",
          (long long)((a->kernel - 1) * a->dilation + 1), (long long)a->kernel, (long long)a->dilation,
          (long long)a->in, (long long)a->begin, (long long)a->end);
  }
  return ONR_STATUS_OK;
}
