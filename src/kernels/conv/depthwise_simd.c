/* depthwise_simd.c: see depthwise_rows.h. A vector holds channels; a few outputs of a row are summed at a time, and
 * with the weights of one row of the kernel they fill the registers. Jobs are passed by value: what is stored might be
 * part of them for all that the compiler knows.
 *
 * Share of the FMA rate on a core with AVX-512 (128 GFLOP/s), images that fit L2: 7x7 0.9, 5x5 0.8, 3x3 0.45 (it loads
 * as much as it multiplies). */
#include "kernels/conv/depthwise_rows.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"

enum { OUTPUTS = SIMD_REGISTERS == 32 ? 8 : 6 };

/* The channels of a vector: all lanes, or the first `lanes`. */
INLINE vf32 load(const float *x, const int full, size_t lanes) { return full ? f32_load(x) : f32_load_part(x, lanes); }

INLINE void finish(const struct onri_depthwise_job job, float *y, int64_t count, const vf32 *sum, const int full,
                   size_t lanes) {
  const vf32 min = f32_set(job.min), max = f32_set(job.max);
  UNROLL for (int i = 0; i < OUTPUTS; i++, y += job.y_pixel) {
    if (i >= count) continue;
    if (full) f32_store(y, f32_clamp(sum[i], min, max));
    else f32_store_part(y, f32_clamp(sum[i], min, max), lanes);
  }
}

/* One row of the kernel on one row of input, for OUTPUTS outputs: columns of input from `first` on, which is at `x`.
 * inside: all of them lie in the image; else those outside are left out. */
INLINE void fixed_line(const struct onri_depthwise_job job, const float *x, const float *w, int64_t first,
                       const int taps, const int stride, const int inside, vf32 *sum) {
  vf32 weight[7];
  UNROLL for (int k = 0; k < taps; k++) weight[k] = f32_load(w + k * job.channels);
  UNROLL for (int j = 0; j < (OUTPUTS - 1) * stride + taps; j++, x += job.x_pixel) {
    if (!inside && (uint64_t)(first + j) >= (uint64_t)job.axis[2].in) continue;
    const vf32 at = f32_load(x);
    UNROLL for (int k = 0; k < taps; k++) if (j >= k && (j - k) % stride == 0 && (j - k) / stride < OUTPUTS)
        sum[(j - k) / stride] = f32_fma(at, weight[k], sum[(j - k) / stride]);
  }
}

INLINE void any_line(const struct onri_depthwise_job job, const float *x, const float *w, int64_t first, vf32 *sum,
                     const int full, size_t lanes) {
  const struct onri_axis a = job.axis[2];
  const int64_t step = a.stride * job.x_pixel, last = (OUTPUTS - 1) * a.stride;
  for (int64_t k = 0; k < a.kernel; k++, w += job.channels, first += a.dilation, x += a.dilation * job.x_pixel) {
    const vf32 weight = load(w, full, lanes);
    const int inside = first >= 0 && first + last < a.in;
    for (int i = 0; i < OUTPUTS; i++)
      if (inside || (uint64_t)(first + i * a.stride) < (uint64_t)a.in)
        sum[i] = f32_fma(load(x + i * step, full, lanes), weight, sum[i]);
  }
}

/* OUTPUTS outputs of one row, from o on. taps 0: any. */
INLINE void tile(const struct onri_depthwise_job job, int64_t o, int64_t row, const int taps, const int stride,
                 const int inside, const int full, size_t lanes) {
  const struct onri_axis a0 = job.axis[0], a1 = job.axis[1], a2 = job.axis[2];
  const int64_t top0 = job.o0 * a0.stride - a0.begin, top1 = row * a1.stride - a1.begin,
                first = o * a2.stride - a2.begin;
  const vf32 bias = job.bias ? load(job.bias, full, lanes) : (vf32){0};
  vf32 sum[OUTPUTS];
  UNROLL for (int i = 0; i < OUTPUTS; i++) sum[i] = bias;
  for (int64_t k0 = 0, i0 = top0; k0 < a0.kernel; k0++, i0 += a0.dilation) {
    if ((uint64_t)i0 >= (uint64_t)a0.in) continue;
    const float *x = job.x + i0 * job.x_plane + top1 * job.x_line + first * job.x_pixel;
    const float *w = job.w + k0 * a1.kernel * a2.kernel * job.channels;
    for (int64_t k1 = 0, i1 = top1; k1 < a1.kernel; k1++, i1 += a1.dilation) {
      const float *line = x, *weights = w;
      x += a1.dilation * job.x_line;
      w += a2.kernel * job.channels;
      if ((uint64_t)i1 >= (uint64_t)a1.in) continue;
      if (taps) fixed_line(job, line, weights, first, taps, stride, inside, sum);
      else any_line(job, line, weights, first, sum, full, lanes);
    }
  }
  finish(job, job.y + row * job.y_line + o * job.y_pixel, a2.out - o, sum, full, lanes);
}

/* has_inside: tiles without a column in padding have code of their own. */
#define ROWS(name, row_taps, row_stride, has_inside, full)                                              \
  static void rows_##name(const struct onri_depthwise_job *p, size_t lanes) {                           \
    const struct onri_depthwise_job job = *p;                                                           \
    const struct onri_axis a = job.axis[2];                                                             \
    for (int64_t o = 0; o < a.out; o += OUTPUTS) {                                                      \
      const int64_t first = o * a.stride - a.begin, last = first + (OUTPUTS - 1) * a.stride + a.kernel; \
      const int is_inside = has_inside && first >= 0 && last <= a.in;                                   \
      for (int64_t row = job.top; row < job.bottom; row++)                                              \
        if (is_inside) tile(job, o, row, row_taps, row_stride, has_inside, full, lanes);                \
        else tile(job, o, row, row_taps, row_stride, 0, full, lanes);                                   \
    }                                                                                                   \
  }
ROWS(any, 0, 0, 0, 1)
ROWS(part, 0, 0, 0, 0)
ROWS(3, 3, 1, 1, 1)
ROWS(3_by_2, 3, 2, 1, 1)
ROWS(5, 5, 1, 0, 1)
ROWS(5_by_2, 5, 2, 0, 1)
ROWS(7, 7, 1, 0, 1)
#undef ROWS

static void whole_vector(const struct onri_depthwise_job *job) {
  const struct onri_axis *a = &job->axis[2];
  if (a->dilation == 1 && a->stride == 1 && a->kernel == 3) rows_3(job, F32_LANES);
  else if (a->dilation == 1 && a->stride == 2 && a->kernel == 3) rows_3_by_2(job, F32_LANES);
  else if (a->dilation == 1 && a->stride == 1 && a->kernel == 5) rows_5(job, F32_LANES);
  else if (a->dilation == 1 && a->stride == 2 && a->kernel == 5) rows_5_by_2(job, F32_LANES);
  else if (a->dilation == 1 && a->stride == 1 && a->kernel == 7) rows_7(job, F32_LANES);
  else rows_any(job, F32_LANES);
}

static void rows(const struct onri_depthwise_job *job, int64_t channels) {
  struct onri_depthwise_job part = *job;
  for (; channels > 0; channels -= F32_LANES) {
    if (channels >= F32_LANES) whole_vector(&part);
    else rows_part(&part, (size_t)channels);
    part.x += F32_LANES;
    part.w += F32_LANES;
    part.y += F32_LANES;
    if (part.bias) part.bias += F32_LANES;
  }
}

const struct onri_depthwise_kernels ONRI_AT_LEVEL(onri_depthwise_kernels) = {rows};
