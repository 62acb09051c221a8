/* features.c: columns of a table made ready for a model: scale_features, impute_features, join_features. */
#include <string.h>

#include "kernels/convert/convert.h"
#include "base/shape.h"
#include "layers/index/indices.h"
#include "layers/layers.h"

enum { BLOCK = 64, GRAIN = 4096 };

/* Input i says something of each feature, or one thing of all. */
static enum onr_status expect_per_feature(const struct onr_call *call, size_t i) {
  const struct onr_desc *x = &call->in[0];
  ONR_TRY(onri_expect_rank(call, 0, 1, ONR_MAX_RANK));
  ONR_TRY(onri_expect_rank(call, i, 1, 1));
  const int64_t found = call->in[i].dim[0], features = x->dim[x->rank - 1];
  if (found == 1 || found == features) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_SHAPE,
                  "input %zu has %lld values for %lld features: expected one, or one for each", i, (long long)found,
                  (long long)features);
}

static size_t features_of(const struct onr_call *call) { return (size_t)call->in[0].dim[call->in[0].rank - 1]; }

/* --- scale_features --- */

enum { OFFSET = 1, SCALE };

static enum onr_status scale_infer(struct onr_call *call) {
  for (size_t i = OFFSET; i <= SCALE; i++) {
    ONR_TRY(expect_per_feature(call, i));
  }
  call->out[0] = call->in[0];
  call->out[0].dtype = ONR_DTYPE_F32;
  return ONR_STATUS_OK;
}

/* In float64 whatever x is: what is left of a large number less a large offset must be right. */
static void scale_part(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const enum onr_dtype dtype = call->in[0].dtype;
  const size_t features = features_of(call);
  const float *offset = call->inputs[OFFSET], *scale = call->inputs[SCALE];
  const size_t offset_step = call->in[OFFSET].dim[0] > 1, scale_step = call->in[SCALE].dim[0] > 1;
  float *y = call->outputs[0];
  double x[BLOCK];
  for (size_t first = begin; first < end; first += BLOCK) {
    const size_t n = end - first < BLOCK ? end - first : BLOCK;
    onri_load_f64(dtype, (const char *)call->inputs[0] + first * onr_dtype_size(dtype), n, x);
    size_t f = first % features;
    for (size_t i = 0; i < n; i++) {
      y[first + i] = (float)((x[i] - (double)offset[f * offset_step]) * (double)scale[f * scale_step]);
      if (++f == features) f = 0;
    }
  }
}

static enum onr_status scale_run(struct onr_call *call) {
  onr_parallel_for(call->env, (size_t)onr_desc_elements(&call->out[0]), GRAIN, scale_part, call);
  return ONR_STATUS_OK;
}

/* --- impute_features --- */

enum { REPLACED = 1, IMPUTED };

static enum onr_status impute_infer(struct onr_call *call) {
  ONR_TRY(expect_per_feature(call, IMPUTED));
  if (onr_desc_elements(&call->in[REPLACED]) != 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected one value to replace");
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static int is_replaced(enum onr_dtype dtype, const void *x, const void *replaced) {
  double a, b;
  if (!(ONRI_DTYPES_FLOAT & ONRI_DTYPE_BIT(dtype))) return !memcmp(x, replaced, onr_dtype_size(dtype));
  onri_load_f64(dtype, x, 1, &a);
  onri_load_f64(dtype, replaced, 1, &b);
  return a == b || (a != a && b != b);
}

static void impute_part(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const enum onr_dtype dtype = call->in[0].dtype;
  const size_t size = onr_dtype_size(dtype), features = features_of(call), step = call->in[IMPUTED].dim[0] > 1;
  for (size_t i = begin; i < end; i++) {
    const char *x = (const char *)call->inputs[0] + i * size;
    if (is_replaced(dtype, x, call->inputs[REPLACED]))
      x = (const char *)call->inputs[IMPUTED] + i % features * step * size;
    onri_copy_element((char *)call->outputs[0] + i * size, x, size);
  }
}

static enum onr_status impute_run(struct onr_call *call) {
  onr_parallel_for(call->env, (size_t)onr_desc_elements(&call->out[0]), GRAIN, impute_part, call);
  return ONR_STATUS_OK;
}

/* --- join_features --- */

static enum onr_status join_infer(struct onr_call *call) {
  const struct onr_join_features_params *p = call->params;
  int64_t rows = 0, columns = 0;
  for (size_t i = 0; i < call->num_in; i++) {
    const struct onr_desc *x = &call->in[i];
    ONR_TRY(onri_expect_rank(call, i, 1, 2));
    const int64_t found = x->rank == 2 ? x->dim[0] : 1;
    if (i > 0 && found != rows)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "input %zu has %lld rows, those before it %lld", i,
                      (long long)found, (long long)rows);
    rows = found;
    if (p->widths[i] < 0 || p->widths[i] > INT32_MAX)
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "input %zu has the width %lld: expected 0 to %d", i,
                      (long long)p->widths[i], INT32_MAX);
    columns += p->widths[i];
  }
  call->out[0] = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){rows, columns});
  return ONR_STATUS_OK;
}

static void join_rows(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const struct onr_join_features_params *p = call->params;
  const size_t columns = (size_t)call->out[0].dim[1];
  for (size_t row = begin; row < end; row++) {
    float *y = (float *)call->outputs[0] + row * columns;
    for (size_t i = 0; i < call->num_in; i++) {
      const struct onr_desc *x = &call->in[i];
      const struct onri_cast cast = {.from = x->dtype, .to = ONR_DTYPE_F32};
      const size_t width = (size_t)p->widths[i], has = (size_t)x->dim[x->rank - 1], copied = has < width ? has : width;
      if (copied > 0)
        onri_convert_elements(&cast, (const char *)call->inputs[i] + row * has * onr_dtype_size(x->dtype), y, copied);
      memset(y + copied, 0, (width - copied) * sizeof(*y));
      y += width;
    }
  }
}

static enum onr_status join_run(struct onr_call *call) {
  if (onr_desc_elements(&call->out[0]) > 0)
    onr_parallel_for(call->env, (size_t)call->out[0].dim[0], BLOCK, join_rows, call);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_scale_features = {
    .name = "scale_features",
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_NUMBER, ONRI_DTYPE_BIT(ONR_DTYPE_F32), ONRI_DTYPE_BIT(ONR_DTYPE_F32)},
    .output_type = ONRI_DTYPE_BIT(ONR_DTYPE_F32),
    .infer = scale_infer,
    .run = scale_run};
const struct onr_layer onri_layer_impute_features = {.name = "impute_features",
                                                     .inputs_min = 3,
                                                     .inputs_max = 3,
                                                     .outputs_min = 1,
                                                     .outputs_max = 1,
                                                     .types = {ONRI_DTYPES_NUMBER, ONR_AS_INPUT(0), ONR_AS_INPUT(0)},
                                                     .output_type = ONR_AS_INPUT(0),
                                                     .infer = impute_infer,
                                                     .run = impute_run};
const struct onr_layer onri_layer_join_features = {.name = "join_features",
                                                   .inputs_min = 1,
                                                   .inputs_max = ONR_VARIADIC,
                                                   .outputs_min = 1,
                                                   .outputs_max = 1,
                                                   .types = {ONRI_DTYPES_NUMBER, ONRI_DTYPES_NUMBER},
                                                   .output_type = ONRI_DTYPE_BIT(ONR_DTYPE_F32),
                                                   .params_size = sizeof(struct onr_join_features_params),
                                                   .infer = join_infer,
                                                   .run = join_run};
