/* conv_shuffle.c: see conv_shuffle.h.
 *
 * With o + begin = q * stride + rest, output o of phase `rest` meets inputs q, q - 1 ...: those of all phases at q are
 * channels of one output of a convolution with stride 1. They are made in bands of rows that stay in L2. */
#include "kernels/conv/conv_shuffle.h"

#include <string.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/conv/conv_phases.h"

enum { BAND_FLOATS = 64 << 10 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

int onri_conv_shuffle_can(const struct onri_conv *c) {
  int64_t channels;
  if (!onri_conv_phases_can(c) || !onri_mul_i64(c->group_out, onri_conv_phases_count(c), &channels)) return 0;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    if (c->axis[a].kernel % c->axis[a].stride != 0) return 0;
  return 1;
}

/* The convolution whose channels are [group][phase][channel]. */
static struct onri_conv shuffled(const struct onri_conv *c) {
  struct onri_conv all = *c;
  all.transposed = 0;
  all.group_out = c->group_out * onri_conv_phases_count(c);
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    const struct onri_axis *from = &c->axis[a];
    const int64_t s = from->stride, first = from->begin / s, taps = from->kernel / s;
    all.axis[a] = (struct onri_axis){.in = from->in,
                                     .out = from->out > 0 ? (from->out - 1 + from->begin) / s - first + 1 : 0,
                                     .kernel = taps,
                                     .stride = 1,
                                     .dilation = s > 1 ? 1 : from->dilation};
    all.axis[a].begin = (taps - 1) * all.axis[a].dilation - first;
  }
  return all;
}

size_t onri_conv_shuffle_packed_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels) {
  const struct onri_conv all = shuffled(c);
  return onri_conv_gemm_packed_floats(&all, kernels, ONRI_CONV_FIRST);
}

void onri_conv_shuffle_pack(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                            const float *weight, float *room, float *packed, struct onr_env *env) {
  const struct onri_conv all = shuffled(c);
  const int64_t phases = onri_conv_phases_count(c), each = c->group_out * c->group_in * onri_conv_taps(&all);
  float *part = room + c->groups * phases * each;
  for (int64_t i = 0; i < phases; i++) {
    onri_conv_phase_weights(c, i, weight, sizeof(*weight), part);
    for (int64_t g = 0; g < c->groups; g++)
      memcpy(room + (g * phases + i) * each, part + g * each, (size_t)each * sizeof(*room));
  }
  onri_conv_gemm_pack(&all, kernels, ONRI_CONV_FIRST, room, packed, env);
}

size_t onri_conv_shuffle_bias_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels) {
  const struct onri_conv all = shuffled(c);
  return onri_conv_gemm_bias_floats(&all, kernels, ONRI_CONV_FIRST);
}

void onri_conv_shuffle_pack_bias(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                                 const float *bias, float *packed) {
  const size_t floats = onri_conv_shuffle_bias_floats(c, kernels), group = floats / (size_t)c->groups;
  memset(packed, 0, floats * sizeof(*packed));
  for (int64_t g = 0; bias && g < c->groups; g++)
    for (int64_t i = 0; i < onri_conv_phases_count(c); i++)
      memcpy(packed + g * (int64_t)group + i * c->group_out, bias + g * c->group_out,
             (size_t)c->group_out * sizeof(*packed));
}

/* Rows of a band, of one plane of one image. */
static int64_t rows_of(const struct onri_conv *all) {
  const double row = (double)(all->groups * all->group_out) * (double)all->axis[2].out;
  return row > 0 && row < BAND_FLOATS ? least(all->axis[1].out, (int64_t)(BAND_FLOATS / row)) : 1;
}

size_t onri_conv_shuffle_plane_floats(const struct onri_conv *c) {
  const struct onri_conv all = shuffled(c);
  int64_t floats;
  if (!onri_mul_i64(all.groups * all.group_out, rows_of(&all), &floats) ||
      !onri_mul_i64(floats, all.axis[2].out, &floats) || floats > PTRDIFF_MAX / 8)
    return SIZE_MAX;
  return (size_t)floats;
}

/* A band: rows [row, row + rows) of plane `plane` of image n. */
struct band {
  const struct onri_conv *c, *all;
  const float *planes;
  float *y;
  int64_t n, plane, row, rows;
};

/* Output o of an axis is place *q of a plane of phase *rest. */
static void place_of(const struct onri_axis *a, int64_t o, int64_t *q, int64_t *rest) {
  *q = (o + a->begin) / a->stride - a->begin / a->stride;
  *rest = (o + a->begin) % a->stride;
}

/* phases: where this row's places lie in the planes of the phases of axis 2, which are `step` apart. */
static void shuffle_row(const struct onri_axis *a, const float *phases, int64_t step, float *y, int64_t y_pixel) {
  int64_t q, rest;
  place_of(a, 0, &q, &rest);
  for (int64_t o = 0; o < a->out; o++) {
    y[o * y_pixel] = phases[rest * step + q];
    if (++rest == a->stride) rest = 0, q++;
  }
}

/* Outputs of an axis that lie at places [q, q + count). */
static int64_t first_output(const struct onri_axis *a, int64_t q) {
  return most(0, (q + a->begin / a->stride) * a->stride - a->begin);
}

/* Rows of outputs of all channels. */
static void shuffle_rows(void *context, size_t begin, size_t end) {
  const struct band *b = context;
  const struct onri_conv *c = b->c;
  const struct onri_axis *a = c->axis;
  const int64_t columns = b->all->axis[2].out, plane = b->rows * columns, step = c->group_out * plane;
  const int64_t first1 = first_output(&a[1], b->row), last1 = least(a[1].out, first_output(&a[1], b->row + b->rows));
  const int64_t first0 = first_output(&a[0], b->plane), last0 = least(a[0].out, first_output(&a[0], b->plane + 1));
  for (int64_t channel = (int64_t)begin; channel < (int64_t)end; channel++)
    for (int64_t o0 = first0; o0 < last0; o0++)
      for (int64_t o1 = first1; o1 < last1; o1++) {
        int64_t q0, q1, rest0, rest1;
        place_of(&a[0], o0, &q0, &rest0);
        place_of(&a[1], o1, &q1, &rest1);
        const int64_t phase = (rest0 * a[1].stride + rest1) * a[2].stride, g = channel / c->group_out;
        const float *phases = b->planes +
                              (g * b->all->group_out + phase * c->group_out + channel % c->group_out) * plane +
                              (q1 - b->row) * columns;
        shuffle_row(
            &a[2], phases, step,
            b->y + b->n * c->y.batch_stride + channel * c->y.channel_stride + o0 * c->y.stride[0] + o1 * c->y.stride[1],
            c->y.stride[2]);
      }
}

void onri_conv_shuffle_f32(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                           const struct onri_conv_gemm *operands, float *planes, struct onr_env *env) {
  const struct onri_conv all = shuffled(c);
  struct onri_conv part = all;
  struct onri_conv_gemm part_operands = *operands;
  const int64_t rows = rows_of(&all);
  part_operands.form = ONRI_CONV_FIRST;
  part_operands.y = planes;
  part.x.batch = part.y.batch = 1;
  part.axis[0].out = 1;
  for (int64_t n = 0; n < c->x.batch; n++)
    for (int64_t plane = 0; plane < all.axis[0].out; plane++)
      for (int64_t row = 0; row < all.axis[1].out && !onr_env_cancelled(env); row += rows) {
        struct band band = {c, &all, planes, operands->y, n, plane, row, least(rows, all.axis[1].out - row)};
        const int64_t columns = all.axis[2].out;
        part.axis[0].begin = all.axis[0].begin - plane, part.axis[1].begin = all.axis[1].begin - row;
        part.axis[1].out = band.rows;
        part.y =
            (struct onri_image){.batch = 1, .channels = all.groups * all.group_out, .size = {1, band.rows, columns}};
        part.y.stride[2] = 1, part.y.stride[1] = columns;
        part.y.stride[0] = part.y.channel_stride = band.rows * columns;
        part.y.batch_stride = part.y.channels * part.y.channel_stride;
        part_operands.x = operands->x + n * c->x.batch_stride;
        onri_conv_gemm_f32(&part, kernels, &part_operands, env);
        onr_parallel_for(env, (size_t)(c->groups * c->group_out), 1 + (size_t)(1024 / most(band.rows * columns, 1)),
                         shuffle_rows, &band);
      }
}
