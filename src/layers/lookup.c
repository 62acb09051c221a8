/* lookup.c: each element becomes the value that a table has for it. */
#include <string.h>

#include "base/convert.h"
#include "base/shape.h"
#include "layers/indices.h"
#include "layers/layers.h"

static enum onr_status lookup_infer(struct onr_call *call) {
  const enum onr_dtype dtype = call->in[0].dtype;
  if (dtype != ONR_DTYPE_STRING && onri_dtype_class(dtype) == ONRI_CLASS_NONE)
    return onr_fail(call->error, ONR_STATUS_TYPE, "a table cannot be searched for %s", onr_dtype_name(dtype));
  ONR_TRY(onri_expect_same_dtype(call, 1, 0));
  ONR_TRY(onri_expect_tensor(call, 2));
  ONR_TRY(onri_expect_same_dtype(call, 3, 2));
  ONR_TRY(onri_expect_rank(call, 1, 1, 1));
  ONR_TRY(onri_expect_rank(call, 2, 1, 1));
  if (call->in[1].dim[0] != call->in[2].dim[0] || onr_desc_elements(&call->in[3]) != 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "%lld keys with %lld values and %lld defaults: expected as many values and one default",
                    (long long)call->in[1].dim[0], (long long)call->in[2].dim[0], (long long)onr_desc_elements(&call->in[3]));
  call->out[0] = call->in[0];
  call->out[0].dtype = call->in[2].dtype;
  return ONR_STATUS_OK;
}

static int same_string(const struct onr_string *a, const struct onr_string *b) {
  return a->length == b->length && (a->length == 0 || memcmp(a->text, b->text, a->length) == 0);
}

static int same_number(enum onr_dtype dtype, const void *a, const void *b) {
  union {
    float f32;
    double f64;
    uint64_t u64;
  } x, y;
  onri_load(dtype, a, 1, &x);
  onri_load(dtype, b, 1, &y);
  switch (onri_dtype_class(dtype)) {
    case ONRI_CLASS_F32: return x.f32 == y.f32 || (x.f32 != x.f32 && y.f32 != y.f32);
    case ONRI_CLASS_F64: return x.f64 == y.f64 || (x.f64 != x.f64 && y.f64 != y.f64);
    default: return x.u64 == y.u64;
  }
}

static void lookup_part(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const enum onr_dtype dtype = call->in[0].dtype;
  const size_t key_size = onr_dtype_size(dtype), size = onr_dtype_size(call->out[0].dtype), n = (size_t)call->in[1].dim[0];
  const char *x = call->inputs[0], *keys = call->inputs[1], *values = call->inputs[2];
  for (size_t i = begin; i < end; i++) {
    const char *element = x + i * key_size, *value = call->inputs[3];
    for (size_t k = n; k-- > 0;) {
      const char *key = keys + k * key_size;
      if (!(dtype == ONR_DTYPE_STRING ? same_string((const void *)element, (const void *)key) : same_number(dtype, element, key)))
        continue;
      value = values + k * size;
      break;
    }
    onri_copy_element((char *)call->outputs[0] + i * size, value, size);
  }
}

static enum onr_status lookup_run(struct onr_call *call) {
  onr_parallel_for(call->env, (size_t)onr_desc_elements(&call->in[0]), 256, lookup_part, call);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_lookup = {
    .name = "lookup",
    .inputs_min = 4, .inputs_max = 4, .outputs_min = 1, .outputs_max = 1,
    .infer = lookup_infer, .run = lookup_run,
};
