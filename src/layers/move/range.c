/* range.c: start, start + delta, ... up to but without limit. Each element is start + i * delta: no error adds up, and
 * parts can be made in any order. Integers are counted in 64 unsigned bits, where no difference overflows. */
#include <math.h>

#include "kernels/convert/convert.h"
#include "base/shape.h"
#include "layers/layers.h"

#define BLOCK 64
#define GRAIN 8192

union number {
  float f32;
  double f64;
  int64_t i64;
  uint64_t u64;
};

static enum onr_status count_real(double start, double limit, double delta, int64_t *count, struct onr_error *error) {
  const double n = ceil((limit - start) / delta);
  if (isnan(n) || delta == 0)
    return onr_fail(error, ONR_STATUS_ATTRIBUTE, "a range from %g to %g in steps of %g has no length", start, limit,
                    delta);
  if (n >= 0x1p62)
    return onr_fail(error, ONR_STATUS_LIMIT, "a range from %g to %g in steps of %g", start, limit, delta);
  *count = n > 0 ? (int64_t)n : 0;
  return ONR_STATUS_OK;
}

static enum onr_status count_integer(int rising, uint64_t distance, uint64_t step, int64_t *count,
                                     struct onr_error *error) {
  if (step == 0) return onr_fail(error, ONR_STATUS_ATTRIBUTE, "the step of a range is 0");
  const uint64_t n = rising && distance > 0 ? (distance - 1) / step + 1 : 0;
  if (n > INT64_MAX) return onr_fail(error, ONR_STATUS_LIMIT, "a range of %llu elements", (unsigned long long)n);
  *count = (int64_t)n;
  return ONR_STATUS_OK;
}

static enum onr_status range_infer(struct onr_call *call) {
  const enum onr_dtype dtype = call->in[0].dtype;
  union number v[3];
  int64_t count = 0;
  for (size_t i = 0; i < 3; i++) {
    if (onr_desc_elements(&call->in[i]) != 1)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "input %d has %lld elements: expected a scalar", (int)i,
                      (long long)onr_desc_elements(&call->in[i]));
    onri_widen(dtype, call->inputs[i], 1, &v[i]);
  }
  switch (onri_dtype_class(dtype)) {
    case ONRI_CLASS_F32:
      ONR_TRY(count_real((double)v[0].f32, (double)v[1].f32, (double)v[2].f32, &count, call->error));
      break;
    case ONRI_CLASS_F64: ONR_TRY(count_real(v[0].f64, v[1].f64, v[2].f64, &count, call->error)); break;
    case ONRI_CLASS_U64:
      ONR_TRY(count_integer(v[1].u64 > v[0].u64, v[1].u64 - v[0].u64, v[2].u64, &count, call->error));
      break;
    case ONRI_CLASS_I64: {
      const int up = v[2].i64 > 0;
      const uint64_t distance = up ? v[1].u64 - v[0].u64 : v[0].u64 - v[1].u64;
      ONR_TRY(count_integer(up ? v[1].i64 > v[0].i64 : v[1].i64 < v[0].i64, distance, up ? v[2].u64 : 0 - v[2].u64,
                            &count, call->error));
      break;
    }
    case ONRI_CLASS_NONE: break;
  }
  call->out[0] = onr_desc_make(dtype, 1, &count);
  return ONR_STATUS_OK;
}

struct range_job {
  enum onr_dtype dtype;
  union number start, delta;
  char *y;
};

static void range_part(void *context, size_t begin, size_t end) {
  const struct range_job *job = context;
  const size_t size = onr_dtype_size(job->dtype);
  union {
    float f32[BLOCK];
    double f64[BLOCK];
    uint64_t u64[BLOCK];
  } block;
  const enum onri_class class = onri_dtype_class(job->dtype);
  for (size_t i = begin; i < end; i += BLOCK) {
    const size_t n = end - i < BLOCK ? end - i : BLOCK;
    for (size_t k = 0; k < n; k++) {
      if (class == ONRI_CLASS_F32) {
        block.f32[k] = (float)((double)job->start.f32 + (double)(i + k) * (double)job->delta.f32);
      } else if (class == ONRI_CLASS_F64) {
        block.f64[k] = job->start.f64 + (double)(i + k) * job->delta.f64;
      } else {
        block.u64[k] = job->start.u64 + (uint64_t)(i + k) * job->delta.u64;
      }
    }
    onri_narrow(job->dtype, &block, n, job->y + i * size);
  }
}

static enum onr_status range_run(struct onr_call *call) {
  struct range_job job = {.dtype = call->in[0].dtype, .y = call->outputs[0]};
  onri_widen(job.dtype, call->inputs[0], 1, &job.start);
  onri_widen(job.dtype, call->inputs[2], 1, &job.delta);
  const size_t count = (size_t)call->out[0].dim[0];
  if (count > 0) onr_parallel_for(call->env, count, GRAIN, range_part, &job);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_range = {
    .name = "range",
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_NUMBER, ONR_AS_INPUT(0), ONR_AS_INPUT(0)},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 7,
    .infer = range_infer,
    .run = range_run,
};
