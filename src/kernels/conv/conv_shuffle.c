/* conv_shuffle.c: a transposed convolution whose phases are shuffled (conv_transposed.h).
 *
 * With o + begin = q * stride + rest, outputs of rests that lie side by side and whose taps see the same inputs from q
 * are channels of one output of a convolution with stride 1: a set. They are made in bands of rows that stay in L2. */
#include <string.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/conv/conv_phases.h"
#include "kernels/conv/conv_transposed.h"
#include "kernels/move/transpose.h"

enum { BAND_FLOATS = 64 << 10 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* --- sets --- */

struct set {
  int64_t rest[ONR_MAX_SPATIAL], rests[ONR_MAX_SPATIAL]; /* from one on, so many */
  struct onri_phase_taps taps[ONR_MAX_SPATIAL];
};

/* Those of an axis that begin with `rest`. */
static void take_rests(const struct onri_axis *a, int64_t rest, int i, struct set *set) {
  set->rest[i] = rest;
  set->taps[i] = onri_phase_taps(a, rest);
  for (set->rests[i] = 1; rest + set->rests[i] < a->stride; set->rests[i]++) {
    const struct onri_phase_taps next = onri_phase_taps(a, rest + set->rests[i]);
    if (next.count != set->taps[i].count || next.shift != set->taps[i].shift) break;
  }
}

static struct set first_set(const struct onri_conv *c) {
  struct set set;
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) take_rests(&c->axis[i], 0, i, &set);
  return set;
}

/* 0: there is none. */
static int next_set(const struct onri_conv *c, struct set *set) {
  for (int i = ONR_MAX_SPATIAL - 1; i >= 0; i--) {
    const int64_t next = set->rest[i] + set->rests[i];
    take_rests(&c->axis[i], next < c->axis[i].stride ? next : 0, i, set);
    if (next < c->axis[i].stride) return 1;
  }
  return 0;
}

static int64_t phases_of(const struct set *set) { return set->rests[0] * set->rests[1] * set->rests[2]; }

/* Phase i of a set, as conv_phases.h counts. */
static int64_t phase_at(const struct onri_conv *c, const struct set *set, int64_t i) {
  const int64_t rest[] = {set->rest[0] + i / (set->rests[1] * set->rests[2]),
                          set->rest[1] + i / set->rests[2] % set->rests[1], set->rest[2] + i % set->rests[2]};
  return (rest[0] * c->axis[1].stride + rest[1]) * c->axis[2].stride + rest[2];
}

/* Places of all phases along an axis. */
static int64_t first_place(const struct onri_axis *a) { return a->begin / a->stride; }
static int64_t places_of(const struct onri_axis *a) {
  return a->out > 0 ? (a->out - 1 + a->begin) / a->stride - first_place(a) + 1 : 0;
}

/* The convolution whose channels are [group][phase of the set][channel]. */
static struct onri_conv conv_of(const struct onri_conv *c, const struct set *set) {
  struct onri_conv conv = *c;
  conv.transposed = 0;
  conv.group_out = c->group_out * phases_of(set);
  for (int i = 0; i < ONR_MAX_SPATIAL; i++)
    conv.axis[i] = onri_phase_axis(&c->axis[i], &set->taps[i], first_place(&c->axis[i]), places_of(&c->axis[i]));
  return conv;
}

/* --- packing --- */

static int can(const struct onri_conv *c) {
  int64_t channels;
  return onri_conv_phases_can(c) && onri_mul_i64(c->group_out, onri_conv_phases_count(c), &channels);
}

int onri_conv_phases_are_alike(const struct onri_conv *c) {
  struct set set = first_set(c);
  return !next_set(c, &set);
}

static size_t packed_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels) {
  size_t all = 0;
  struct set set = first_set(c);
  do {
    const struct onri_conv conv = conv_of(c, &set);
    const size_t floats = onri_conv_gemm_packed_floats(&conv, kernels, ONRI_CONV_FIRST);
    if ((floats == 0 && onri_conv_taps(&conv) > 0) || !onri_add_size(all, floats, &all)) return 0;
  } while (next_set(c, &set));
  return all;
}

static void pack(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *weight,
                 float *room, float *packed, struct onr_env *env) {
  struct set set = first_set(c);
  do {
    const struct onri_conv conv = conv_of(c, &set);
    const int64_t phases = phases_of(&set), each = c->group_out * c->group_in * onri_conv_taps(&conv);
    float *part = room + c->groups * phases * each;
    for (int64_t i = 0; i < phases && each > 0; i++) {
      onri_conv_phase_weights(c, phase_at(c, &set, i), weight, sizeof(*weight), part);
      for (int64_t g = 0; g < c->groups; g++)
        memcpy(room + (g * phases + i) * each, part + g * each, (size_t)each * sizeof(*room));
    }
    onri_conv_gemm_pack(&conv, kernels, ONRI_CONV_FIRST, room, packed, env);
    packed += onri_conv_gemm_packed_floats(&conv, kernels, ONRI_CONV_FIRST);
  } while (next_set(c, &set));
}

static size_t bias_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels) {
  size_t all = 0;
  struct set set = first_set(c);
  do {
    const struct onri_conv conv = conv_of(c, &set);
    all += onri_conv_gemm_bias_floats(&conv, kernels, ONRI_CONV_FIRST);
  } while (next_set(c, &set));
  return all;
}

static void pack_bias(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *bias,
                      float *packed) {
  struct set set = first_set(c);
  memset(packed, 0, bias_floats(c, kernels) * sizeof(*packed));
  do {
    const struct onri_conv conv = conv_of(c, &set);
    const size_t floats = onri_conv_gemm_bias_floats(&conv, kernels, ONRI_CONV_FIRST),
                 group = floats / (size_t)c->groups;
    for (int64_t g = 0; bias && g < c->groups; g++)
      for (int64_t i = 0; i < phases_of(&set); i++)
        memcpy(packed + g * (int64_t)group + i * c->group_out, bias + g * c->group_out,
               (size_t)c->group_out * sizeof(*packed));
    packed += floats;
  } while (next_set(c, &set));
}

/* --- planes --- */

/* Rows of a band, of one plane of one image. */
static int64_t rows_of(const struct onri_conv *c) {
  const double row = (double)(c->groups * c->group_out * onri_conv_phases_count(c)) * (double)places_of(&c->axis[2]);
  return row > 0 && row < BAND_FLOATS ? least(places_of(&c->axis[1]), (int64_t)(BAND_FLOATS / row)) : 1;
}

static size_t plane_floats(const struct onri_conv *c) {
  int64_t floats;
  if (!onri_mul_i64(c->groups * c->group_out * onri_conv_phases_count(c), rows_of(c), &floats) ||
      !onri_mul_i64(floats, places_of(&c->axis[2]), &floats) || floats > PTRDIFF_MAX / 8)
    return SIZE_MAX;
  return (size_t)floats;
}

/* A band: rows [row, row + rows) of plane `plane` of image n. */
struct band {
  const struct onri_conv *c;
  const float *planes;
  float *y;
  int64_t n, plane, row, rows, columns;
  struct {
    int64_t first, group; /* its plane of channel 0, planes of a group in its set */
  } phase[ONRI_MOST_PHASES];
};

/* [set][group][phase of the set][channel] */
static void place_phases(struct band *b) {
  const struct onri_conv *c = b->c;
  int64_t first = 0;
  struct set set = first_set(c);
  do {
    const int64_t group = phases_of(&set) * c->group_out;
    for (int64_t i = 0; i < phases_of(&set); i++) {
      b->phase[phase_at(c, &set, i)].first = first + i * c->group_out;
      b->phase[phase_at(c, &set, i)].group = group;
    }
    first += group * c->groups;
  } while (next_set(c, &set));
}

/* Output o of an axis is place *q of a plane of phase *rest. */
static void place_of(const struct onri_axis *a, int64_t o, int64_t *q, int64_t *rest) {
  *q = (o + a->begin) / a->stride - first_place(a);
  *rest = (o + a->begin) % a->stride;
}

/* Place i of each line in turn. Lines of one set lie equally far apart. */
static void weave(const float *const *lines, int64_t stride, int64_t q, int64_t count, float *y) {
  const ptrdiff_t step = stride > 1 ? lines[1] - lines[0] : 0, size = (ptrdiff_t)sizeof(float);
  int64_t alike = 1;
  while (alike < stride && lines[alike] - lines[alike - 1] == step) alike++;
  const struct onri_transpose t = {.x = (const char *)(lines[0] + q),
                                   .y = (char *)y,
                                   .x_stride = step * size,
                                   .y_stride = (ptrdiff_t)stride * size,
                                   .num_a = (size_t)count,
                                   .num_b = (size_t)stride};
  if (stride == 1) memcpy(y, lines[0] + q, (size_t)count * sizeof(float));
  else if (alike == stride) onri_transpose_32(&t);
  else
    for (int64_t i = 0; i < count; i++)
      for (int64_t k = 0; k < stride; k++) y[i * stride + k] = lines[k][q + i];
}

/* lines: of the phases of axis 2, from the place of output 0 on, which leaves `rest`. */
static void shuffle_row(const struct onri_axis *a, const float *const *lines, int64_t rest, float *y, int64_t y_pixel) {
  int64_t q = 0, o = 0;
  for (; o < a->out && (rest > 0 || y_pixel != 1); o++) {
    y[o * y_pixel] = lines[rest][q];
    if (++rest == a->stride) rest = 0, q++;
  }
  const int64_t whole = (a->out - o) / a->stride;
  if (whole > 0) weave(lines, a->stride, q, whole, y + o);
  q += whole, o += whole * a->stride;
  for (rest = 0; o < a->out; o++) y[o] = lines[rest++][q];
}

/* Outputs of an axis that lie at places [q, q + count). */
static int64_t first_output(const struct onri_axis *a, int64_t q) {
  return most(0, (q + first_place(a)) * a->stride - a->begin);
}

/* Rows o0, o1 of channels [begin, end). */
static void shuffle_channels(const struct band *b, int64_t begin, int64_t end, int64_t o0, int64_t o1) {
  const struct onri_conv *c = b->c;
  const struct onri_axis *a = c->axis;
  const float *lines[ONRI_MOST_PHASES];
  int64_t q0, q1, q2, rest0, rest1, rest2;
  place_of(&a[0], o0, &q0, &rest0);
  place_of(&a[1], o1, &q1, &rest1);
  place_of(&a[2], 0, &q2, &rest2);
  const int64_t phase = (rest0 * a[1].stride + rest1) * a[2].stride, row = (q1 - b->row) * b->columns + q2;
  float *y = b->y + b->n * c->y.batch_stride + o0 * c->y.stride[0] + o1 * c->y.stride[1];
  for (int64_t channel = begin; channel < end; channel++) {
    const int64_t g = channel / c->group_out, m = channel - g * c->group_out;
    for (int64_t i = 0; i < a[2].stride; i++) {
      const int64_t plane = b->phase[phase + i].first + g * b->phase[phase + i].group + m;
      lines[i] = b->planes + plane * b->rows * b->columns + row;
    }
    shuffle_row(&a[2], lines, rest2, y + channel * c->y.channel_stride, c->y.stride[2]);
  }
}

/* Rows of outputs of some channels. */
static void shuffle_rows(void *context, size_t begin, size_t end) {
  const struct band *b = context;
  const struct onri_axis *a = b->c->axis;
  const int64_t first1 = first_output(&a[1], b->row), last1 = least(a[1].out, first_output(&a[1], b->row + b->rows));
  const int64_t first0 = first_output(&a[0], b->plane), last0 = least(a[0].out, first_output(&a[0], b->plane + 1));
  for (int64_t o0 = first0; o0 < last0; o0++)
    for (int64_t o1 = first1; o1 < last1; o1++) shuffle_channels(b, (int64_t)begin, (int64_t)end, o0, o1);
}

/* The planes of all sets. */
static void make_planes(const struct band *b, const struct onri_conv_gemm_kernels *kernels,
                        const struct onri_conv_gemm *operands, float *planes, struct onr_env *env) {
  const struct onri_conv *c = b->c;
  struct onri_conv_gemm part = *operands;
  struct set set = first_set(c);
  part.form = ONRI_CONV_FIRST;
  part.x = operands->x + b->n * c->x.batch_stride;
  part.y = planes;
  do {
    struct onri_conv conv = conv_of(c, &set);
    conv.x.batch = 1;
    conv.axis[0].out = 1, conv.axis[0].begin -= b->plane;
    conv.axis[1].out = b->rows, conv.axis[1].begin -= b->row;
    conv.y =
        (struct onri_image){.batch = 1, .channels = conv.groups * conv.group_out, .size = {1, b->rows, b->columns}};
    conv.y.stride[2] = 1, conv.y.stride[1] = b->columns;
    conv.y.stride[0] = conv.y.channel_stride = b->rows * b->columns;
    conv.y.batch_stride = conv.y.channels * conv.y.channel_stride;
    onri_conv_gemm_f32(&conv, kernels, &part, env);
    part.packed += onri_conv_gemm_packed_floats(&conv, kernels, ONRI_CONV_FIRST);
    part.bias += onri_conv_gemm_bias_floats(&conv, kernels, ONRI_CONV_FIRST);
    part.y += conv.y.batch_stride;
  } while (next_set(c, &set));
}

static void run(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                const struct onri_conv_gemm *operands, float *planes, struct onr_env *env) {
  const int64_t rows = rows_of(c), all_rows = places_of(&c->axis[1]);
  struct band b = {.c = c, .planes = planes, .y = operands->y, .columns = places_of(&c->axis[2])};
  place_phases(&b);
  for (b.n = 0; b.n < c->x.batch; b.n++)
    for (b.plane = 0; b.plane < places_of(&c->axis[0]); b.plane++)
      for (b.row = 0; b.row < all_rows && !onr_env_cancelled(env); b.row += rows) {
        b.rows = least(rows, all_rows - b.row);
        make_planes(&b, kernels, operands, planes, env);
        onr_parallel_for(env, (size_t)(c->groups * c->group_out), 1 + (size_t)(1024 / most(b.rows * b.columns, 1)),
                         shuffle_rows, &b);
      }
}

const struct onri_conv_way onri_conv_shuffled = {can, packed_floats, bias_floats, plane_floats, pack, pack_bias, run};
