/* image.h: image tensors of either layout and windows over them, as kernels see them: always three axes; missing ones
 * come first and have size and window 1. */
#ifndef ONRI_IMAGE_H
#define ONRI_IMAGE_H

#include "onnxrun/layer.h"
#include "params/window.h"

struct onri_axis {
  int64_t in, out, kernel, stride, dilation, begin, end; /* begin, end: padding */
};

/* An image tensor: offsets in elements. */
struct onri_image {
  int64_t batch, channels, size[ONR_MAX_SPATIAL];
  int64_t batch_stride, channel_stride, stride[ONR_MAX_SPATIAL];
};

/* a / b upwards, b > 0. */
static inline int64_t onri_ceil_div(int64_t a, int64_t b) { return a > 0 ? (a - 1) / b + 1 : a / b; }

/* The greatest common divisor. a > 0, b >= 0. */
static inline int64_t onri_common_divisor(int64_t a, int64_t b) {
  while (b != 0) {
    const int64_t rest = a % b;
    a = b, b = rest;
  }
  return a;
}

/* Input position under tap k of the window at output position o; 0 when it lies in the padding. */
static inline int onri_axis_tap(const struct onri_axis *a, int64_t o, int64_t k, int64_t *i) {
  *i = o * a->stride - a->begin + k * a->dilation;
  return *i >= 0 && *i < a->in;
}

/* Taps [*first, *last) of the window at output position o that lie before `limit` (a->in: inside the image) and not in
 * the padding at the beginning. The usual window lies inside, and takes no division. */
static inline void onri_axis_taps(const struct onri_axis *a, int64_t o, int64_t limit, int64_t *first, int64_t *last) {
  const int64_t start = o * a->stride - a->begin, end = start + (a->kernel - 1) * a->dilation;
  *first = start < 0 ? (a->dilation - 1 - start) / a->dilation : 0;
  *last = end < limit ? a->kernel : start < limit ? (limit - start + a->dilation - 1) / a->dilation : 0;
}

/* The axis of a piece with outputs [row, row + rows); returns the input row that it begins with. Each output sees a row
 * of the image. */
static inline int64_t onri_axis_cut(struct onri_axis *a, int64_t row, int64_t rows) {
  const int64_t from = row * a->stride - a->begin,
                to = from + (rows - 1) * a->stride + (a->kernel - 1) * a->dilation + 1;
  const int64_t first = from > 0 ? from : 0, last = to < a->in ? to : a->in;
  a->begin = first - from;
  a->end = to - last;
  a->in = last - first;
  a->out = rows;
  return first;
}

/* Input position under tap k of a transposed window, where a->begin is taken from the output. */
static inline int onri_axis_tap_transposed(const struct onri_axis *a, int64_t o, int64_t k, int64_t *i) {
  const int64_t t = o + a->begin - k * a->dilation;
  *i = a->stride == 1 ? t : t / a->stride; /* divisions take long */
  return t >= 0 && *i * a->stride == t && *i < a->in;
}

#endif
