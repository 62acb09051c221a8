/* dynamic_quantize.c: uint8 with a scale and zero point that cover the range of x and 0.
 *
 * input 0   x           float32, any shape
 * output 0  y           uint8, x's shape
 * output 1  scale       float32 scalar: (greatest - least) / 255; 1 / 255 when they are equal
 * output 2  zero_point  uint8 scalar: where 0 lies
 */
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/shape.h"
#include "kernels/kernels.h"
#include "kernels/quantize/quantize.h"
#include "layers/elementwise/broadcast.h"
#include "layers/layers.h"
#include "layers/quantize/dynamic_quantize.h"

static enum onr_status dynamic_infer(struct onr_call *call) {
  call->out[0] = call->in[0];
  call->out[0].dtype = ONR_DTYPE_U8;
  if (call->num_out > 1) call->out[1] = onr_desc_make(ONR_DTYPE_F32, 0, NULL);
  if (call->num_out > 2) call->out[2] = onr_desc_make(ONR_DTYPE_U8, 0, NULL);
  return ONR_STATUS_OK;
}

static enum onr_status dynamic_plan(struct onr_call *call) {
  if (onr_env_backend(call->env) == ONR_BACKEND_AUTO) call->kernel = ONR_KERNEL_VECTOR;
  return ONR_STATUS_OK;
}

struct job {
  const struct onri_quantize_kernels *kernels;
  const float *x;
  uint8_t *y;
  float scale, zero_point;
  _Atomic uint32_t below, above; /* the bits of -least and of greatest: those of larger numbers are larger */
};

static void raise(_Atomic uint32_t *most, float to) {
  uint32_t bits, so_far = atomic_load(most);
  memcpy(&bits, &to, sizeof(bits));
  while (bits > so_far && !atomic_compare_exchange_weak(most, &so_far, bits)) {
  }
}

static float number_of(_Atomic uint32_t *most) {
  const uint32_t bits = atomic_load(most);
  float number;
  memcpy(&number, &bits, sizeof(number));
  return number;
}

static void range_part(void *context, size_t begin, size_t end) {
  struct job *job = context;
  float least, greatest;
  job->kernels->range(job->x + begin, end - begin, &least, &greatest);
  raise(&job->below, 0.0f - least); /* not -0 */
  raise(&job->above, greatest);
}

static void dynamic_part(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  job->kernels->to[ONRI_STEPS_U8](job->x + begin, job->y + begin, end - begin, job->scale, job->zero_point);
}

static struct onri_dynamic_steps quantise(struct onr_env *env, const struct onri_quantize_kernels *kernels,
                                          const float *x, size_t count, uint8_t *y) {
  struct job job = {.kernels = kernels, .x = x, .y = y};
  onri_elementwise_for(env, count, range_part, &job);
  const float least = 0.0f - number_of(&job.below), greatest = number_of(&job.above);
  job.scale = (greatest == least ? 1.0f : greatest - least) / 255.0f;
  const float zero = rintf(-least / job.scale);
  job.zero_point = isnan(zero) || zero < 0.0f ? 0.0f : zero > 255.0f ? 255.0f : zero; /* NaN: the range is infinite */
  if (job.y) onri_elementwise_for(env, count, dynamic_part, &job);
  return (struct onri_dynamic_steps){job.scale, (int32_t)job.zero_point};
}

struct onri_dynamic_steps onri_dynamic_quantise(struct onr_env *env, const float *x, size_t count, uint8_t *y) {
  return quantise(env, onri_kernels(quantize), x, count, y);
}

static enum onr_status dynamic_run(struct onr_call *call) {
  const int is_vector = call->kernel == ONR_KERNEL_VECTOR;
  const enum onri_cpu_level level = is_vector ? onri_cpu_level() : ONRI_CPU_BASE;
  const struct onri_dynamic_steps steps = quantise(call->env, onri_kernels_at(quantize, level), call->inputs[0],
                                                   (size_t)onr_desc_elements(&call->in[0]), call->outputs[0]);
  if (call->num_out > 1 && call->outputs[1]) *(float *)call->outputs[1] = steps.scale;
  if (call->num_out > 2 && call->outputs[2]) *(uint8_t *)call->outputs[2] = (uint8_t)steps.zero;
  return ONR_STATUS_OK;
}

static uint32_t dynamic_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPE_BIT(ONR_DTYPE_F32) : 0;
}

const struct onr_layer onri_layer_dynamic_quantize_linear = {
    .name = "dynamic_quantize_linear",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 3,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_F32)},
    .output_type = ONRI_DTYPE_BIT(ONR_DTYPE_U8),
    .layout = ONR_LAYOUT_ELEMENTWISE,
    .infer = dynamic_infer,
    .plan = dynamic_plan,
    .run = dynamic_run,
    .kernel_types = dynamic_kernel_types,
};
