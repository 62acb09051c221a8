/* conv_phases.c: see conv_phases.h.
 *
 * Output o meets input i through tap k where o + begin = i * stride + k * dilation. The outputs for which o + begin
 * leaves the rest r by stride meet the taps for which k * dilation leaves it too: phase r. In a phase the taps run
 * backwards. */
#include "kernels/conv_transposed/conv_phases.h"

#include <string.h>

#include "base/numbers/checked.h"
#include "kernels/conv_transposed/conv_transposed.h"

int onri_conv_phases_can(const struct onri_conv *c) {
  int64_t phases = 1;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    if (c->axis[a].stride > ONRI_MOST_PHASES) return 0;
    phases *= c->axis[a].stride;
  }
  return c->transposed && c->group_in > 0 && c->group_out > 0 && phases <= ONRI_MOST_PHASES;
}

int64_t onri_conv_phases_count(const struct onri_conv *c) {
  return c->axis[0].stride * c->axis[1].stride * c->axis[2].stride;
}

struct onri_phase_taps onri_phase_taps(const struct onri_axis *a, int64_t rest) {
  const int64_t stride = a->stride, dilation = a->kernel > 1 ? a->dilation : 1;
  const int64_t common = onri_common_divisor(stride, dilation);
  struct onri_phase_taps taps = {.step = stride / common, .dilation = dilation / common};
  while (taps.first < a->kernel && taps.first < taps.step && taps.first * dilation % stride != rest) taps.first++;
  if (taps.first >= a->kernel || taps.first >= taps.step) return (struct onri_phase_taps){.step = 1, .dilation = 1};
  taps.count = (a->kernel - 1 - taps.first) / taps.step + 1;
  taps.shift = taps.first * dilation / stride;
  return taps;
}

static void rests_of(const struct onri_conv *c, int64_t phase, int64_t rest[ONR_MAX_SPATIAL]) {
  for (int a = ONR_MAX_SPATIAL - 1; a >= 0; phase /= c->axis[a--].stride) rest[a] = phase % c->axis[a].stride;
}

struct onri_axis onri_phase_axis(const struct onri_axis *a, const struct onri_phase_taps *taps, int64_t place,
                                 int64_t out) {
  return (struct onri_axis){.in = a->in,
                            .out = out,
                            .kernel = taps->count,
                            .stride = 1,
                            .dilation = taps->dilation,
                            .begin = (taps->count - 1) * taps->dilation + taps->shift - place};
}

struct onri_conv onri_conv_phase(const struct onri_conv *c, int64_t index, int64_t *y) {
  struct onri_conv phase = *c;
  int64_t rest[ONR_MAX_SPATIAL];
  rests_of(c, index, rest);
  *y = 0;
  phase.transposed = 0;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    const struct onri_axis *from = &c->axis[a];
    const int64_t s = from->stride, first = ((rest[a] - from->begin) % s + s) % s;
    const struct onri_phase_taps taps = onri_phase_taps(from, rest[a]);
    phase.axis[a] = onri_phase_axis(from, &taps, (first + from->begin - rest[a]) / s,
                                    first < from->out ? (from->out - 1 - first) / s + 1 : 0);
    phase.y.size[a] = phase.axis[a].out;
    phase.y.stride[a] *= s;
    *y += first * c->y.stride[a];
  }
  return phase;
}

static size_t packed_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels) {
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
  int64_t rest[ONR_MAX_SPATIAL];
  struct onri_phase_taps of[ONR_MAX_SPATIAL];
  char *place = to;
  rests_of(c, index, rest);
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) of[a] = onri_phase_taps(&c->axis[a], rest[a]);
  const int64_t k0 = of[0].count, k1 = of[1].count, k2 = of[2].count, taps = onri_conv_taps(c);
  for (int64_t g = 0; g < c->groups; g++)
    for (int64_t m = 0; m < c->group_out; m++)
      for (int64_t j = 0; j < c->group_in; j++) {
        const char *from = (const char *)weight + ((g * c->group_in + j) * c->group_out + m) * taps * (int64_t)size;
        for (int64_t t = 0; t < k0 * k1 * k2; t++, place += size) {
          const int64_t back[] = {k0 - 1 - t / (k1 * k2), k1 - 1 - t / k2 % k1, k2 - 1 - t % k2};
          int64_t tap = 0;
          for (int a = 0; a < ONR_MAX_SPATIAL; a++) tap = tap * c->axis[a].kernel + of[a].first + back[a] * of[a].step;
          memcpy(place, from + tap * (int64_t)size, size);
        }
      }
}

static void pack(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *weight,
                 float *room, float *packed, struct onr_env *env) {
  for (int64_t i = 0; i < onri_conv_phases_count(c); i++) {
    int64_t y;
    const struct onri_conv phase = onri_conv_phase(c, i, &y);
    onri_conv_phase_weights(c, i, weight, sizeof(*weight), room);
    onri_conv_gemm_pack(&phase, kernels, ONRI_CONV_LAST, room, packed, env);
    packed += onri_conv_gemm_packed_floats(&phase, kernels, ONRI_CONV_LAST);
  }
}

static size_t bias_floats(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels) {
  return onri_conv_gemm_bias_floats(c, kernels, ONRI_CONV_LAST);
}

static void pack_bias(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels, const float *bias,
                      float *packed) {
  onri_conv_gemm_pack_bias(c, kernels, ONRI_CONV_LAST, bias, packed);
}

static size_t no_floats(const struct onri_conv *c) {
  (void)c;
  return 0;
}

static void run(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                const struct onri_conv_gemm *operands, float *scratch, struct onr_env *env) {
  (void)scratch;
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

const struct onri_conv_way onri_conv_by_phases = {
    onri_conv_phases_can, packed_floats, bias_floats, no_floats, pack, pack_bias, run};
