/* conv_integer_phases.c: each phase is computed into an image of its own, whose pixels are then put in their places. */
#include "kernels/conv_integer/conv_integer_phases.h"

#include <string.h>

#include "base/numbers/checked.h"
#include "kernels/conv_transposed/conv_phases.h"

/* A phase with a dense result. Where it has no taps along an axis it gets one that meets nothing but padding. */
static struct onri_conv phase_of(const struct onri_conv *c, int64_t index, int64_t *y, int *without_taps) {
  struct onri_conv phase = onri_conv_phase(c, index, y);
  *without_taps = onri_conv_taps(&phase) == 0;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    if (phase.axis[a].kernel == 0) phase.axis[a].kernel = 1, phase.axis[a].begin = phase.axis[a].out;
  phase.y.channel_stride = 1;
  phase.y.batch_stride = c->groups * c->group_out;
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; a--) {
    phase.y.stride[a] = phase.y.batch_stride;
    phase.y.batch_stride *= phase.axis[a].out;
  }
  return phase;
}

static size_t rounded(size_t bytes) { return onri_round_up(bytes, 64, &bytes) ? bytes : SIZE_MAX; }

size_t onri_conv_integer_phases_packed_bytes(const struct onri_conv *c) {
  size_t all = 0;
  for (int64_t i = 0; i < onri_conv_phases_count(c); i++) {
    int64_t y;
    int without_taps;
    const struct onri_conv phase = phase_of(c, i, &y, &without_taps);
    if (!onri_add_size(all, rounded(onri_conv_integer_packed_bytes(&phase)), &all)) return SIZE_MAX;
  }
  return all;
}

void onri_conv_integer_phases_pack(const struct onri_conv *c, const void *weight, int is_signed, const int32_t *zeros,
                                   size_t zero_step, void *room, void *packed) {
  const size_t pairs = (size_t)(c->groups * c->group_in * c->group_out);
  char *to = packed;
  for (int64_t i = 0; i < onri_conv_phases_count(c); i++) {
    int64_t y;
    int without_taps;
    const struct onri_conv phase = phase_of(c, i, &y, &without_taps);
    if (without_taps) memset(room, 0, pairs * (size_t)onri_conv_taps(&phase));
    else onri_conv_phase_weights(c, i, weight, 1, room);
    onri_conv_integer_pack(&phase, room, is_signed, zeros, zero_step, to);
    to += rounded(onri_conv_integer_packed_bytes(&phase));
  }
}

static size_t result_bytes(const struct onri_conv *phase) {
  size_t bytes = (size_t)phase->x.batch;
  const int64_t more[] = {phase->axis[0].out, phase->axis[1].out, phase->axis[2].out, phase->groups, phase->group_out};
  for (int i = 0; i < 5; i++)
    if (!onri_mul_size(bytes, (size_t)more[i], &bytes)) return SIZE_MAX;
  return rounded(bytes);
}

/* In scratch: the result of a phase, then what it needs itself. */
size_t onri_conv_integer_phases_scratch(const struct onri_conv *c, int x_signed, uint32_t threads) {
  size_t most = 0;
  for (int64_t i = 0; i < onri_conv_phases_count(c); i++) {
    int64_t y;
    int without_taps;
    size_t bytes;
    const struct onri_conv phase = phase_of(c, i, &y, &without_taps);
    if (result_bytes(&phase) == 0) continue;
    if (!onri_add_size(result_bytes(&phase), onri_conv_integer_scratch(&phase, x_signed, threads), &bytes))
      return SIZE_MAX;
    if (bytes > most) most = bytes;
  }
  return most;
}

struct placing {
  const struct onri_conv *phase;
  const char *from;
  char *to;
  struct onri_image y; /* of the whole */
  int64_t step[ONR_MAX_SPATIAL];
};

/* Rows of pixels of a phase. */
static void place_rows(void *context, size_t begin, size_t end) {
  const struct placing *p = context;
  const struct onri_axis *axis = p->phase->axis;
  const int64_t channels = p->y.channels;
  for (size_t row = begin; row < end; row++) {
    const int64_t i1 = (int64_t)row % axis[1].out, rest = (int64_t)row / axis[1].out, i0 = rest % axis[0].out;
    const char *from = p->from + (int64_t)row * axis[2].out * channels;
    char *to = p->to + rest / axis[0].out * p->y.batch_stride + i0 * p->step[0] + i1 * p->step[1];
    for (int64_t i = 0; i < axis[2].out; i++, from += channels, to += p->step[2])
      if (p->y.channel_stride == 1) memcpy(to, from, (size_t)channels);
      else
        for (int64_t m = 0; m < channels; m++) to[m * p->y.channel_stride] = from[m];
  }
}

void onri_conv_integer_phases(const struct onri_conv_integer *c, struct onr_env *env) {
  const char *weights = c->weights;
  for (int64_t i = 0; i < onri_conv_phases_count(c->conv); i++) {
    int64_t y;
    int without_taps;
    const struct onri_conv phase = phase_of(c->conv, i, &y, &without_taps);
    struct onri_conv_integer part = *c;
    part.conv = &phase;
    part.weights = weights;
    part.y = c->scratch;
    part.scratch = (char *)c->scratch + result_bytes(&phase);
    weights += rounded(onri_conv_integer_packed_bytes(&phase));
    if (result_bytes(&phase) == 0) continue;
    onri_conv_integer(&part, env);
    struct placing placing = {.phase = &phase, .from = part.y, .to = (char *)c->y + y, .y = c->conv->y};
    for (int a = 0; a < ONR_MAX_SPATIAL; a++) placing.step[a] = c->conv->y.stride[a] * c->conv->axis[a].stride;
    onr_parallel_for(env, (size_t)(phase.x.batch * phase.axis[0].out * phase.axis[1].out), 4, place_rows, &placing);
  }
}
