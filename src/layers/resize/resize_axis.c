/* resize_axis.c: coordinates, filters and borders of Resize along one axis. */
#include "layers/resize/resize_axis.h"

#include <math.h>

/* Position of output pixel j in the input, in pixels. */
static double position(const struct onr_resize_params *p, const struct onri_resize_axis *a, int64_t j) {
  const double in = (double)a->in, length = a->exact ? (double)a->out : a->scale * in; /* may be a fraction */
  const double x = (double)j;
  switch (p->coordinates) {
    case ONR_RESIZE_ALIGN_CORNERS: return length == 1 ? 0 : x * (in - 1) / (length - 1);
    case ONR_RESIZE_ASYMMETRIC: return a->exact ? x * in / (double)a->out : x / a->scale;
    case ONR_RESIZE_TF_HALF_PIXEL_FOR_NN: return a->exact ? (x + 0.5) * in / (double)a->out : (x + 0.5) / a->scale;
    case ONR_RESIZE_TF_CROP_AND_RESIZE:
      if (length == 1) return (a->start + a->end) * (in - 1) / 2;
      return a->start * (in - 1) + x * (a->end - a->start) * (in - 1) / (length - 1);
    case ONR_RESIZE_PYTORCH_CORNERS: return a->out > 1 ? (x + 0.5) * (in - 1) / ((double)a->out - 1) - 0.5 : -0.5;
    default: break;
  }
  if (p->coordinates == ONR_RESIZE_PYTORCH_HALF_PIXEL && a->out == 1) return 0;
  const double middle = a->exact ? (x + 0.5) * in / (double)a->out - 0.5 : (x + 0.5) / a->scale - 0.5;
  if (p->coordinates != ONR_RESIZE_HALF_PIXEL_SYMMETRIC) return middle;
  return in / 2 * (1 - (double)a->out / length) + middle;
}

static double nearest(const struct onr_resize_params *p, const struct onri_resize_axis *a, double x) {
  switch (p->nearest) {
    case ONR_RESIZE_ROUND_PREFER_CEIL: return floor(x + 0.5);
    case ONR_RESIZE_FLOOR: return floor(x);
    case ONR_RESIZE_CEIL: return ceil(x);
    case ONR_RESIZE_SIMPLE: return a->scale < 1 ? ceil(x) : floor(x);
    default: return ceil(x - 0.5);
  }
}

static double cubic(double distance, double a) {
  const double x = fabs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((x - 5) * x + 8) * x * a - 4 * a;
  return 0;
}

static double linear(double distance) {
  const double x = fabs(distance);
  return x < 1 ? 1 - x : 0;
}

/* Shrinking with antialias stretches the filter by 1 / scale; otherwise 1. */
static double filter_scale(const struct onr_resize_params *p, const struct onri_resize_axis *a) {
  double scale = a->scale;
  if (p->coordinates == ONR_RESIZE_PYTORCH_CORNERS)
    scale = a->out > 1 && a->in > 1 ? (double)(a->out - 1) / (double)(a->in - 1) : 1;
  return p->antialias && scale < 1 ? scale : 1;
}

/* Position of the first tap relative to floor(x). */
static double first_tap(const struct onr_resize_params *p, const struct onri_resize_axis *a) {
  const double reach = p->mode == ONR_RESIZE_CUBIC ? 2 : 1;
  return floor(-reach / filter_scale(p, a)) + 1;
}

enum onr_status onri_resize_axis_taps(const struct onr_resize_params *params, struct onri_resize_axis *axis,
                                      struct onr_error *error) {
  const double taps = params->mode == ONR_RESIZE_NEAREST ? 1 : 2 - 2 * first_tap(params, axis);
  if (taps * (double)axis->out > INT32_MAX || axis->in > INT32_MAX)
    return onr_fail(error, ONR_STATUS_LIMIT, "resizing %lld pixels to %lld takes more than %d weights",
                    (long long)axis->in, (long long)axis->out, INT32_MAX);
  axis->taps = (int32_t)taps;
  return ONR_STATUS_OK;
}

static int32_t held(double i, int64_t in) {
  if (!(i > 0)) return 0;
  return i < (double)(in - 1) ? (int32_t)i : (int32_t)(in - 1);
}

static double weight_at(const struct onr_resize_params *p, double scale, double distance) {
  return p->mode == ONR_RESIZE_CUBIC ? cubic(distance * scale, (double)p->cubic_a) : linear(distance * scale);
}

static int is_outside(const struct onri_resize_axis *a, double i) { return i < 0 || i > (double)(a->in - 1); }

static void fill_weights(const struct onr_resize_params *p, struct onri_resize_axis *a, int64_t j, double x, int wide) {
  const double scale = filter_scale(p, a), base = floor(x) + first_tap(p, a);
  double sum = 0;
  for (int32_t t = 0; t < a->taps; t++)
    if (!p->exclude_outside || !is_outside(a, base + t)) sum += weight_at(p, scale, base + t - x);
  /* Filters of fixed width sum up to 1 by themselves. */
  const double norm = sum != 0 && (p->exclude_outside || scale < 1) ? sum : 1;
  for (int32_t t = 0; t < a->taps; t++) {
    const int64_t at = j * a->taps + t;
    const double weight = p->exclude_outside && is_outside(a, base + t) ? 0 : weight_at(p, scale, base + t - x) / norm;
    a->index[at] = held(base + t, a->in);
    if (wide) ((double *)a->weight)[at] = weight;
    else ((float *)a->weight)[at] = (float)weight;
  }
}

void onri_resize_axis_fill(const struct onr_resize_params *params, struct onri_resize_axis *axis, int wide) {
  for (int64_t j = 0; j < axis->out; j++) {
    double x = axis->active ? position(params, axis, j) : (double)j;
    if (!(x > -1e9 && x < 1e9)) x = x < 0 ? -1e9 : 1e9; /* far away or not a number: the border */
    axis->outside[j] = params->coordinates == ONR_RESIZE_TF_CROP_AND_RESIZE && is_outside(axis, x);
    if (params->mode == ONR_RESIZE_NEAREST) axis->index[j] = held(nearest(params, axis, x), axis->in);
    else fill_weights(params, axis, j, x, wide);
  }
}
