/* conv_shuffle.c: a transposed convolution whose phases are shuffled (conv_transposed.h).
 *
 * With o + begin = q * stride + rest, outputs of rests that lie side by side and whose taps see the same inputs from q
 * are channels of one output of a convolution with stride 1: a set. They are made in bands of rows that stay in L2. */
#include <string.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/conv_transposed/conv_planes.h"
#include "kernels/conv_transposed/conv_transposed.h"

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

/* The convolution whose channels are [group][phase of the set][channel]. */
static struct onri_conv conv_of(const struct onri_conv *c, const struct set *set) {
  struct onri_conv conv = *c;
  conv.transposed = 0;
  conv.group_out = c->group_out * phases_of(set);
  for (int i = 0; i < ONR_MAX_SPATIAL; i++)
    conv.axis[i] = onri_phase_axis(&c->axis[i], &set->taps[i], onri_first_place(&c->axis[i]), onri_places(&c->axis[i]));
  return conv;
}

/* --- packing --- */

static int can(const struct onri_conv *c) {
  int64_t channels;
  return onri_conv_phases_can(c) && onri_mul_i64(c->group_out, onri_conv_phases_count(c), &channels);
}

int64_t onri_conv_phase_sets(const struct onri_conv *c) {
  struct set set = first_set(c);
  int64_t sets = 1;
  while (next_set(c, &set)) sets++;
  return sets;
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
  const double row = (double)(c->groups * c->group_out * onri_conv_phases_count(c)) * (double)onri_places(&c->axis[2]);
  return row > 0 && row < BAND_FLOATS ? least(onri_places(&c->axis[1]), (int64_t)(BAND_FLOATS / row)) : 1;
}

static size_t plane_floats(const struct onri_conv *c) {
  int64_t floats;
  if (!onri_mul_i64(c->groups * c->group_out * onri_conv_phases_count(c), rows_of(c), &floats) ||
      !onri_mul_i64(floats, onri_places(&c->axis[2]), &floats) || floats > PTRDIFF_MAX / 8)
    return SIZE_MAX;
  return (size_t)floats;
}

/* [set][group][phase of the set][channel] */
static void place_phases(struct onri_phase_planes *b) {
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

/* The planes of all sets. */
static void make_planes(const struct onri_phase_planes *b, const struct onri_conv_gemm_kernels *kernels,
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
  const int64_t rows = rows_of(c), all_rows = onri_places(&c->axis[1]);
  struct onri_phase_planes b = {
      .c = c, .planes = planes, .y = operands->y, .depth = 1, .columns = onri_places(&c->axis[2])};
  place_phases(&b);
  for (b.n = 0; b.n < c->x.batch; b.n++)
    for (b.plane = 0; b.plane < onri_places(&c->axis[0]); b.plane++)
      for (b.row = 0; b.row < all_rows && !onr_env_cancelled(env); b.row += rows) {
        b.rows = least(rows, all_rows - b.row);
        make_planes(&b, kernels, operands, planes, env);
        onr_parallel_for(env, (size_t)(c->groups * c->group_out), 1 + (size_t)(1024 / most(b.rows * b.columns, 1)),
                         onri_phase_planes_shuffle, &b);
      }
}

const struct onri_conv_way onri_conv_shuffled = {can, packed_floats, bias_floats, plane_floats, pack, pack_bias, run};
