/* conv_phases.c: see conv_phases.h.
 *
 * Output o meets input i through tap k where o + begin = i * stride + k * dilation. With dilation 1, the outputs for
 * which o + begin leaves the rest r by stride meet taps r, r + stride ...: phase r. With stride 1 there is one phase.
 * In a phase the taps run backwards. */
#include "kernels/conv/conv_phases.h"

#include <string.h>

#include "base/numbers/checked.h"

enum { MOST_PHASES = 256 };

int onri_conv_phases_can(const struct onri_conv *c) {
  int64_t phases = 1;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    if (c->axis[a].stride > MOST_PHASES || (c->axis[a].stride > 1 && c->axis[a].dilation > 1 && c->axis[a].kernel > 1))
      return 0;
    phases *= c->axis[a].stride;
  }
  return c->transposed && c->group_in > 0 && c->group_out > 0 && phases <= MOST_PHASES;
}

int64_t onri_conv_phases_count(const struct onri_conv *c) {
  return c->axis[0].stride * c->axis[1].stride * c->axis[2].stride;
}

static void rests_of(const struct onri_conv *c, int64_t phase, int64_t rest[ONR_MAX_SPATIAL]) {
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; phase /= c->axis[a--].stride) rest[a] = phase % c->axis[a].stride;
}

static int64_t taps_of(const struct onri_axis *a, int64_t rest) {
  return rest < a->kernel ? (a->kernel - 1 - rest) / a->stride + 1 : 0;
}

struct onri_conv onri_conv_phase(const struct onri_conv *c, int64_t index, int64_t *y) {
  struct onri_conv phase = *c;
  int64_t rest[ONR_MAX_SPATIAL];
  rests_of(c, index, rest);
  *y = 0;
  phase.transposed = 0;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    const struct onri_axis *from = &c->axis[a];
    const int64_t s = from->stride, first = ((rest[a] - from->begin) % s + s) % s, taps = taps_of(from, rest[a]);
    phase.axis[a] = (struct onri_axis){.in = from->in,
                                       .out = first < from->out ? (from->out - 1 - first) / s + 1 : 0,
                                       .kernel = taps,
                                       .stride = 1,
                                       .dilation = s > 1 ? 1 : from->dilation};
    /* Output 0 meets input (first + begin - rest) / stride through the tap that was the first. */
    phase.axis[a].begin = (taps - 1) * phase.axis[a].dilation - (first + from->begin - rest[a]) / s;
    phase.y.size[a] = phase.axis[a].out;
    phase.y.stride[a] *= s;
    *y += first * c->y.stride[a];
  }
  return phase;
}

size_t onri_conv_phases_packed_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels) {
  size_t all = 0;
  for (int64_t i = 0; i < onri_conv_phases_count(c); i++) {
    int64_t y;
    const struct onri_conv phase = onri_conv_phase(c, i, &y);
    const size_t floats = onri_conv_gemm_packed_floats(&phase, kernels, ONRI_CONV_LAST);
    if ((floats == 0 && onri_conv_taps(&phase) > 0) || !onri_add_size(all, floats, &all)) return 0;
  }
  return all;
}

void onri_conv_phase_weights(const struct onri_conv *c, int64_t index, const void *weight, size_t size, void *to) {
  int64_t y, rest[ONR_MAX_SPATIAL];
  const struct onri_conv phase = onri_conv_phase(c, index, &y);
  const int64_t k0 = phase.axis[0].kernel, k1 = phase.axis[1].kernel, k2 = phase.axis[2].kernel,
                taps = onri_conv_taps(c);
  char *place = to;
  rests_of(c, index, rest);
  for (int64_t g = 0; g < c->groups; g++)
    for (int64_t m = 0; m < c->group_out; m++)
      for (int64_t j = 0; j < c->group_in; j++) {
        const char *from = (const char *)weight + ((g * c->group_in + j) * c->group_out + m) * taps * (int64_t)size;
        for (int64_t t = 0; t < k0 * k1 * k2; t++, place += size) {
          const int64_t back[] = {k0 - 1 - t / (k1 * k2), k1 - 1 - t / k2 % k1, k2 - 1 - t % k2};
          int64_t tap = 0;
          for (int a = 0; a < ONR_MAX_SPATIAL; a++)
            tap = tap * c->axis[a].kernel + rest[a] + back[a] * c->axis[a].stride;
          memcpy(place, from + tap * (int64_t)size, size);
        }
      }
}

void onri_conv_phases_pack(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *weight,
                           float *room, float *packed, struct onr_env *env) {
  for (int64_t i = 0; i < onri_conv_phases_count(c); i++) {
    int64_t y;
    const struct onri_conv phase = onri_conv_phase(c, i, &y);
    onri_conv_phase_weights(c, i, weight, sizeof(*weight), room);
    onri_conv_gemm_pack(&phase, kernels, ONRI_CONV_LAST, room, packed, env);
    packed += onri_conv_gemm_packed_floats(&phase, kernels, ONRI_CONV_LAST);
  }
}

void onri_conv_phases_f32(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                          const struct onri_conv_gemm *operands, struct onr_env *env) {
  struct onri_conv_gemm part = *operands;
  for (int64_t i = 0; i < onri_conv_phases_count(c); i++) {
    int64_t y;
    const struct onri_conv phase = onri_conv_phase(c, i, &y);
    part.y = operands->y + y;
    if (phase.axis[0].out > 0 && phase.axis[1].out > 0 && phase.axis[2].out > 0)
      onri_conv_gemm_f32(&phase, kernels, &part, env);
    part.packed += onri_conv_gemm_packed_floats(&phase, kernels, ONRI_CONV_LAST);
  }
}
