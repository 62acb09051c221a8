/* winograd_simd.c: see winograd_tiles.h. Vectors hold channels, so that transforms are sums of vectors; the products
 * multiply a number of a tile with two vectors of weights, for as many tiles as there are registers.
 *
 * Share of the FMA rate on a core with AVX-512 (128 GFLOP/s): the products 0.9; of all, counted as direct sums, with 6
 * points an axis: 56x56x64 2.9, 28x28x128 3.2, 14x14x256 2.4, 128x128x32 2.5, 256x256x16 1.5 (it waits for memory). */
#define ONRI_TILED 1
#include "kernels/conv/winograd_tiles.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"

enum {
  ROWS = SIMD_REGISTERS == 32 ? 12 : 6,
  POINTS = ONRI_WINOGRAD_POINTS,
  TILE = ONRI_WINOGRAD_PLANE_POINTS * ONRI_WINOGRAD_PLANE_POINTS /* lines are shorter */
};

/* --- transforms along an axis; all factors are constants once the loops are unrolled --- */

/* c[k]: factors of y^k in the product of y - a^2 of all pairs but one (-1: of all). */
INLINE void polynomial(const int pairs, const int but, double *c) {
  int degree = 0;
  c[0] = 1;
  UNROLL for (int p = 0; p < pairs; p++) {
    const double a = onri_winograd_pairs[pairs][p];
    if (p == but) continue;
    c[degree + 1] = c[degree];
    UNROLL for (int k = degree; k > 0; k--) c[k] = c[k - 1] - a * a * c[k];
    c[0] *= -a * a;
    degree++;
  }
}

INLINE vf32 add_times(double factor, vf32 x, vf32 sum) { return f32_fma(f32_set((float)factor), x, sum); }

INLINE void forward_axis(const int n, const vf32 *d, vf32 *v, const int step) {
  const int pairs = n / 2 - 1;
  double c[ONRI_WINOGRAD_PAIRS + 1];
  if (n == 1) {
    v[0] = d[0];
    return;
  }
  vf32 zero = d[n - 2], infinity = d[n - 1];
  polynomial(pairs, -1, c);
  UNROLL for (int k = 0; k < pairs; k++) {
    zero = add_times(c[k], d[2 * k], zero);
    infinity = add_times(c[k], d[2 * k + 1], infinity);
  }
  v[0] = zero, v[(n - 1) * step] = infinity;
  UNROLL for (int p = 0; p < pairs; p++) {
    const double a = onri_winograd_pairs[pairs][p];
    vf32 even = d[n - 2], odd = d[n - 3];
    polynomial(pairs, p, c);
    UNROLL for (int k = 0; k < pairs - 1; k++) {
      even = add_times(c[k], d[2 * k + 2], even);
      odd = add_times(c[k], d[2 * k + 1], odd);
    }
    v[(2 * p + 1) * step] = add_times(a, odd, even);
    v[(2 * p + 2) * step] = add_times(-a, odd, even);
  }
}

INLINE void backward_axis(const int n, const int m, const vf32 *z, vf32 *y, const int step) {
  const int pairs = n / 2 - 1;
  vf32 sum[ONRI_WINOGRAD_PAIRS], difference[ONRI_WINOGRAD_PAIRS];
  double power[ONRI_WINOGRAD_PAIRS];
  if (n == 1) {
    y[0] = z[0];
    return;
  }
  UNROLL for (int p = 0; p < pairs; p++) {
    sum[p] = z[2 * p + 1] + z[2 * p + 2];
    difference[p] = z[2 * p + 1] - z[2 * p + 2];
    power[p] = 1;
  }
  UNROLL for (int i = 0; i < m; i++) {
    vf32 at = i == 0 ? z[0] : i == m - 1 ? z[n - 1] : (vf32){0};
    if (i == 0 && m == 1) at += z[n - 1];
    UNROLL for (int p = 0; p < pairs; p++) {
      at = add_times(power[p], i % 2 ? difference[p] : sum[p], at);
      power[p] *= onri_winograd_pairs[pairs][p];
    }
    y[i * step] = at;
  }
}

/* --- tiles --- */

/* A vector of channels of a tile's inputs that lie in the image, zeros for the others. */
static void copy_patch(const struct onri_winograd_job *job, const float *x, int64_t i1, int64_t i2, float *patch) {
  const struct onri_axis *a1 = &job->axis[1], *a2 = &job->axis[2];
  for (int32_t r = 0; r < job->how.points[1]; r++, i1 += a1->dilation) {
    int64_t column = i2;
    for (int32_t j = 0; j < job->how.points[2]; j++, column += a2->dilation, patch += F32_LANES) {
      const int inside = i1 >= 0 && i1 < a1->in && column >= 0 && column < a2->in;
      f32_store(patch, inside ? f32_load(x + i1 * job->x_stride[1] + column * job->x_stride[2]) : (vf32){0});
    }
  }
}

INLINE void forward_patch(const int n1, const int n2, const float *x, int64_t line, int64_t pixel, int64_t plane,
                          float *v) {
  vf32 half[TILE], d[POINTS], to[POINTS];
  for (int j = 0; j < n2; j++) {
    UNROLL for (int i = 0; i < n1; i++) d[i] = f32_load(x + i * line + j * pixel);
    forward_axis(n1, d, half + j, n2);
  }
  for (int i = 0; i < n1; i++) {
    forward_axis(n2, half + i * n2, to, 1);
    UNROLL for (int j = 0; j < n2; j++) f32_store(v + (i * n2 + j) * plane, to[j]);
  }
}

INLINE void forward_tile(const struct onri_winograd_job *job, const float *x, const int64_t *at, float *v, const int n1,
                         const int n2) {
  const struct onri_axis *a0 = &job->axis[0], *a1 = &job->axis[1], *a2 = &job->axis[2];
  const int64_t i1 = at[1] - a1->begin, i2 = at[2] - a2->begin, step = job->block * F32_LANES;
  const int64_t line = a1->dilation * job->x_stride[1], pixel = a2->dilation * job->x_stride[2];
  const int whole =
      i1 >= 0 && i1 + (n1 - 1) * a1->dilation < a1->in && i2 >= 0 && i2 + (n2 - 1) * a2->dilation < a2->in;
  float patch[TILE * F32_LANES];
  for (int64_t k = 0, i0 = at[0] * a0->stride - a0->begin; k < a0->kernel; k++, i0 += a0->dilation) {
    const int outside = i0 < 0 || i0 >= a0->in;
    for (int64_t c = 0; c < job->channels; c += F32_LANES, v += step) {
      const float *from = x + i0 * job->x_stride[0] + c;
      if (outside) {
        for (int p = 0; p < n1 * n2; p++) f32_store(v + p * job->v_plane, (vf32){0});
      } else if (whole) {
        forward_patch(n1, n2, from + i1 * job->x_stride[1] + i2 * job->x_stride[2], line, pixel, job->v_plane, v);
      } else {
        copy_patch(job, from, i1, i2, patch);
        forward_patch(n1, n2, patch, n2 * F32_LANES, F32_LANES, job->v_plane, v);
      }
    }
  }
}

/* One row of outputs of a tile: `left` of them are there. residual: NULL, or theirs. */
INLINE void finish_row(const struct onri_winograd_job *job, const vf32 *sum, const int m, int64_t left, size_t lanes,
                       vf32 bias, const float *residual, float *y, vf32 *finite) {
  const vf32 min = f32_set(job->min), max = f32_set(job->max);
  const int64_t pixel = job->axis[2].dilation * job->y_stride[2];
  UNROLL for (int j = 0; j < m; j++) {
    vf32 to = sum[j] + bias;
    if (j >= left) continue;
    if (residual) to += f32_load_part(residual + j * pixel, lanes);
    to = f32_clamp(to, min, max);
    *finite = f32_fma(sum[j], (vf32){0}, *finite);
    if (lanes >= F32_LANES) f32_store(y + j * pixel, to);
    else f32_store_part(y + j * pixel, to, lanes);
  }
}

/* Outputs of an axis from `at` on, in steps of the dilation. */
INLINE int64_t outputs_left(const struct onri_axis *a, int64_t at) {
  return a->dilation == 1 ? a->out - at : (a->out - at + a->dilation - 1) / a->dilation;
}

INLINE void backward_tile(const struct onri_winograd_job *job, const float *z, const int64_t *at, int64_t channels,
                          const struct onri_winograd_target *target, float *finite, const int n1, const int m1,
                          const int n2, const int m2) {
  const int64_t left1 = outputs_left(&job->axis[1], at[1]), left2 = outputs_left(&job->axis[2], at[2]);
  const int64_t line = job->axis[1].dilation * job->y_stride[1];
  const int rows = left1 < m1 ? (int)left1 : m1;
  vf32 half[TILE], d[POINTS], to[POINTS], all = f32_load(finite);
  const int64_t first = at[0] * job->y_stride[0] + at[1] * job->y_stride[1] + at[2] * job->y_stride[2];
  for (int64_t c = 0; c < channels; c += F32_LANES, z += job->block * F32_LANES) {
    const size_t lanes = channels - c < F32_LANES ? (size_t)(channels - c) : F32_LANES;
    const vf32 add = target->bias ? f32_load_part(target->bias + c, lanes) : (vf32){0};
    for (int j = 0; j < n2; j++) {
      UNROLL for (int i = 0; i < n1; i++) d[i] = f32_load(z + (i * n2 + j) * job->z_plane);
      backward_axis(n1, m1, d, half + j, n2);
    }
    for (int i = 0; i < rows; i++) {
      backward_axis(n2, m2, half + i * n2, to, 1);
      const float *residual = target->residual ? target->residual + first + i * line + c : NULL;
      finish_row(job, to, m2, left2, lanes, add, residual, target->y + first + i * line + c, &all);
    }
  }
  f32_store(finite, all);
}

/* Every way of doing a kernel of 3 or 5 taps on planes, and on lines of either axis. */
#define EACH_PLANE(X) X(4, 2) X(6, 4) X(6, 2)
#define EACH_LINE(X) EACH_PLANE(X) X(8, 6) X(8, 4)
#define BACKWARD(name, n1, m1, n2, m2)                                                                  \
  static void backward_##name(const struct onri_winograd_job *job, const float *z, const int64_t *at,   \
                              int64_t channels, const struct onri_winograd_target *to, float *finite) { \
    backward_tile(job, z, at, channels, to, finite, n1, m1, n2, m2);                                    \
  }
#define FORWARD(name, n1, n2)                                                                                    \
  static void forward_##name(const struct onri_winograd_job *job, const float *x, const int64_t *at, float *v) { \
    forward_tile(job, x, at, v, n1, n2);                                                                         \
  }
#define BACKWARD_PLANE(n, m) BACKWARD(plane_##n##_##m, n, m, n, m)
#define BACKWARD_LINE(n, m)              \
  BACKWARD(across_##n##_##m, 1, 1, n, m) \
  BACKWARD(down_##n##_##m, n, m, 1, 1)
#define FORWARD_LINE(n)     \
  FORWARD(across_##n, 1, n) \
  FORWARD(down_##n, n, 1)
EACH_PLANE(BACKWARD_PLANE)
EACH_LINE(BACKWARD_LINE)
FORWARD(plane_4, 4, 4)
FORWARD(plane_6, 6, 6)
FORWARD_LINE(4)
FORWARD_LINE(6)
FORWARD_LINE(8)

enum { PLANE, ACROSS, DOWN, KINDS };

static int kind_of(const struct onri_winograd *how) {
  return how->points[1] == 1 ? ACROSS : how->points[2] == 1 ? DOWN : PLANE;
}

static void forward(const struct onri_winograd_job *job, const float *x, const int64_t at[ONR_MAX_SPATIAL], float *v) {
  typedef void function(const struct onri_winograd_job *, const float *, const int64_t *, float *);
  static function *const by_points[KINDS][POINTS / 2 + 1] = {
      {[2] = forward_plane_4, forward_plane_6},
      {[2] = forward_across_4, forward_across_6, forward_across_8},
      {[2] = forward_down_4, forward_down_6, forward_down_8},
  };
  const int kind = kind_of(&job->how);
  by_points[kind][job->how.points[kind == DOWN ? 1 : 2] / 2](job, x, at, v);
}

static void backward(const struct onri_winograd_job *job, const float *z, const int64_t at[ONR_MAX_SPATIAL],
                     int64_t channels, const struct onri_winograd_target *to, float *finite) {
  typedef void function(const struct onri_winograd_job *, const float *, const int64_t *, int64_t,
                        const struct onri_winograd_target *, float *);
#define PLANES(n, m) [n / 2][m / 2] = backward_plane_##n##_##m,
#define ACROSSES(n, m) [n / 2][m / 2] = backward_across_##n##_##m,
#define DOWNS(n, m) [n / 2][m / 2] = backward_down_##n##_##m,
  static function *const by_length[KINDS][POINTS / 2 + 1][POINTS / 2] = {
      {EACH_PLANE(PLANES)}, {EACH_LINE(ACROSSES)}, {EACH_LINE(DOWNS)}};
#undef PLANES
#undef ACROSSES
#undef DOWNS
  const int kind = kind_of(&job->how), axis = kind == DOWN ? 1 : 2;
  by_length[kind][job->how.points[axis] / 2][job->how.outputs[axis] / 2](job, z, at, channels, to, finite);
}

/* --- products --- */

/* tiles: of a point, lines of a vector of channels; z: the same. */
INLINE void product(const struct onri_winograd_job *job, const float *v, const float *u, float *z, const int rows,
                    const int vectors) {
  const int64_t taps = job->axis[0].kernel, step = job->block * F32_LANES;
  vf32 sum[ROWS][2];
  UNROLL for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = (vf32){0};
  for (int64_t k = 0; k < taps; k++)
    for (int64_t c = 0; c < job->channels; c += F32_LANES, v += step) {
      const int64_t left = job->channels - c, count = left < F32_LANES ? left : F32_LANES;
      for (int64_t l = 0; l < count; l++, u += ONRI_WINOGRAD_PANEL * F32_LANES) {
        const vf32 u0 = f32_load(u), u1 = vectors > 1 ? f32_load(u + F32_LANES) : u0;
        UNROLL for (int i = 0; i < rows; i++) {
          const vf32 x = f32_set(v[i * F32_LANES + l]);
          sum[i][0] = f32_fma(x, u0, sum[i][0]);
          if (vectors > 1) sum[i][1] = f32_fma(x, u1, sum[i][1]);
        }
      }
    }
  UNROLL for (int i = 0; i < rows; i++) {
    f32_store(z + i * F32_LANES, sum[i][0]);
    if (vectors > 1) f32_store(z + step + i * F32_LANES, sum[i][1]);
  }
}

#if SIMD_REGISTERS == 32
#define EACH_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#else
#define EACH_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)
#endif
#define PRODUCTS(rows)                                                                                            \
  static void product_##rows##_1(const struct onri_winograd_job *job, const float *v, const float *u, float *z) { \
    product(job, v, u, z, rows, 1);                                                                               \
  }                                                                                                               \
  static void product_##rows##_2(const struct onri_winograd_job *job, const float *v, const float *u, float *z) { \
    product(job, v, u, z, rows, 2);                                                                               \
  }
EACH_ROWS(PRODUCTS)

static void multiply(const struct onri_winograd_job *job, int64_t tiles, int64_t vectors, const float *v,
                     const float *u, float *z) {
  typedef void function(const struct onri_winograd_job *, const float *, const float *, float *);
#define ROW(rows) [rows] = {product_##rows##_1, product_##rows##_2},
  static function *const by_rows[ROWS + 1][2] = {EACH_ROWS(ROW)};
#undef ROW
  const int64_t points = job->how.points[1] * job->how.points[2], parts = (tiles - 1) / ROWS + 1;
  const int64_t depth = job->axis[0].kernel * job->channels;
  for (int64_t p = 0; p < points; p++) {
    for (int64_t part = 0; part < parts; part++) { /* alike in size: few rows do not hide the latency */
      const int64_t first = tiles * part / parts, rows = tiles * (part + 1) / parts - first;
      by_rows[rows][vectors - 1](job, v + first * F32_LANES, u, z + first * F32_LANES);
    }
    v += job->v_plane, z += job->z_plane, u += depth * ONRI_WINOGRAD_PANEL * F32_LANES;
  }
}

/* --- weights: in double, since what is lost here is lost in every sum --- */

enum { ROW = ONRI_WINOGRAD_PANEL * F32_LANES / F64_LANES }; /* vectors of the channels of a panel */

/* The sum of g[k] from[k * step]. */
INLINE void sum_rows(const double *g, int taps, const vf64 (*from)[ROW], int step, vf64 *to) {
  UNROLL for (int m = 0; m < ROW; m++) to[m] = f64_set(g[0]) * from[0][m];
  for (int k = 1; k < taps; k++)
    UNROLL for (int m = 0; m < ROW; m++) to[m] = f64_fma(f64_set(g[k]), from[k * step][m], to[m]);
}

static int pack(const struct onri_winograd_packing *p, const float *weight, int64_t channels, int64_t distance,
                float *to, int64_t step) {
  const int taps1 = p->taps[0], taps2 = p->taps[1];
  vf64 taps[POINTS * POINTS][ROW], half[POINTS][ROW], sum[ROW];
  vf32 wrong = {0};
  float line[ONRI_WINOGRAD_PANEL * F32_LANES] = {0};
  for (int t = 0; t < taps1 * taps2; t++) {
    for (int64_t m = 0; m < channels; m++) line[m] = weight[m * distance + t];
    UNROLL for (int m = 0; m < ROW; m++) taps[t][m] = f64_load_f32(line + m * F64_LANES);
  }
  for (int i = 0; i < p->points[0]; i++) {
    for (int k = 0; k < taps2; k++) sum_rows(p->g[0][i], taps1, (const vf64(*)[ROW])taps + k, taps2, half[k]);
    for (int j = 0; j < p->points[1]; j++, to += step) {
      sum_rows(p->g[1][j], taps2, (const vf64(*)[ROW])half, 1, sum);
      UNROLL for (int m = 0; m < ROW; m++) f64_store_f32(to + m * F64_LANES, sum[m]);
      UNROLL for (int m = 0; m < ONRI_WINOGRAD_PANEL; m++) wrong =
          f32_fma(f32_load(to + m * F32_LANES), (vf32){0}, wrong);
    }
  }
  return !i32_any(wrong != wrong);
}

const struct onri_winograd_kernels ONRI_AT_LEVEL(onri_winograd_kernels) = {F32_LANES, ROWS,     forward,
                                                                           multiply,  backward, pack};
