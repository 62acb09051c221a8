/* non_zero.c: the coordinates of elements that are not 0, one column each; and compress: the slices that a condition
 * names. Both count first, then ask for the output. */
#include <string.h>

#include "kernels/convert/convert.h"
#include "base/env.h"
#include "base/shape.h"
#include "layers/index/indices.h"
#include "layers/layers.h"

#define BLOCK 64

static enum onr_status non_zero_infer(struct onr_call *call) {
  const int64_t dims[2] = {call->in[0].rank, onr_desc_elements(&call->in[0])};
  call->out[0] = onr_desc_make(ONR_DTYPE_I64, 2, dims);
  return ONR_STATUS_OK;
}

/* flags[i] = element i of up to BLOCK elements is not 0, for which NaN counts, or not an empty string. */
static void non_zero_flags(enum onr_dtype dtype, const char *x, size_t count, uint8_t flags[BLOCK]) {
  union {
    float f32[2 * BLOCK];
    double f64[2 * BLOCK];
    uint64_t u64[2 * BLOCK];
  } block;
  const enum onr_dtype part = onri_dtype_part(dtype);
  const enum onri_class class = onri_dtype_class(part);
  const size_t parts = onri_dtype_parts(dtype);
  if (dtype == ONR_DTYPE_STRING) {
    for (size_t i = 0; i < count; i++) flags[i] = ((const struct onr_string *)(const void *)x)[i].length != 0;
    return;
  }
  if (dtype == ONR_DTYPE_BOOL) {
    for (size_t i = 0; i < count; i++) flags[i] = x[i] != 0;
    return;
  }
  onri_widen(part, x, count * parts, &block);
  uint8_t each[2 * BLOCK], *to = parts == 1 ? flags : each;
  switch (class) {
    case ONRI_CLASS_F32:
      for (size_t i = 0; i < count * parts; i++) to[i] = block.f32[i] != 0;
      break;
    case ONRI_CLASS_F64:
      for (size_t i = 0; i < count * parts; i++) to[i] = block.f64[i] != 0;
      break;
    default:
      for (size_t i = 0; i < count * parts; i++) to[i] = block.u64[i] != 0;
      break;
  }
  for (size_t i = 0; i < count && parts > 1; i++) flags[i] = each[2 * i] | each[2 * i + 1];
}

/* Where flags are not 0. */
static size_t places_of(const uint8_t *flags, size_t count, uint8_t at[BLOCK]) {
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    at[found] = (uint8_t)i;
    found += flags[i] != 0;
  }
  return found;
}

static int64_t count_non_zero(enum onr_dtype dtype, const char *x, size_t count) {
  const size_t size = onr_dtype_size(dtype);
  uint8_t flags[BLOCK];
  int64_t found = 0;
  for (size_t i = 0; i < count; i += BLOCK) {
    const size_t n = count - i < BLOCK ? count - i : BLOCK;
    non_zero_flags(dtype, x + i * size, n, flags);
    for (size_t k = 0; k < n; k++) found += flags[k];
  }
  return found;
}

/* Where elements lie that are asked for in order. */
struct walk {
  int64_t index[ONR_MAX_RANK]; /* of the line: all but the last coordinate */
  size_t line;                 /* its first element */
};

static void next_line(struct walk *w, const struct onr_desc *x) {
  w->line += (size_t)x->dim[x->rank - 1];
  for (int32_t d = x->rank - 2; d >= 0 && ++w->index[d] == x->dim[d]; d--) w->index[d] = 0;
}

/* Coordinate d of element i goes to y[d * found]. */
static void write_coordinates(const struct onr_desc *x, struct walk *w, size_t i, int64_t *y, int64_t found) {
  const int32_t last = x->rank - 1;
  if (last < 0) return;
  while (i - w->line >= (size_t)x->dim[last]) next_line(w, x);
  for (int32_t d = 0; d < last; d++) y[d * found] = w->index[d];
  y[last * found] = (int64_t)(i - w->line);
}

static enum onr_status non_zero_run(struct onr_call *call) {
  const struct onr_desc *x = &call->in[0];
  const size_t count = (size_t)onr_desc_elements(x), size = onr_dtype_size(x->dtype);
  const char *data = call->inputs[0];
  const int64_t dims[2] = {x->rank, count > 0 ? count_non_zero(x->dtype, data, count) : 0};
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_I64, 2, dims);
  uint8_t flags[BLOCK], at[BLOCK];
  void *data_out;
  ONR_TRY(onr_call_resize(call, 0, &desc, &data_out));
  if (!data_out || dims[1] == 0) return ONR_STATUS_OK;
  int64_t *y = data_out;
  struct walk walk = {{0}, 0};
  struct onri_pace pace = {call->env, 0};
  for (size_t i = 0; i < count && !onri_pace_stop(&pace, 8 * BLOCK); i += BLOCK) {
    const size_t n = count - i < BLOCK ? count - i : BLOCK;
    non_zero_flags(x->dtype, data + i * size, n, flags);
    const size_t found = places_of(flags, n, at);
    for (size_t k = 0; k < found; k++, y++) write_coordinates(x, &walk, i + at[k], y, dims[1]);
  }
  return ONR_STATUS_OK;
}

/* --- compress --- */

/* x seen as [outer][length][block bytes]; flat: as [1][elements][one element]. */
struct compress_view {
  size_t outer, length, block;
  int32_t axis;
};

static enum onr_status compress_view(const struct onr_call *call, struct compress_view *v) {
  const struct onr_compress_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  const size_t size = onr_dtype_size(x->dtype);
  *v = (struct compress_view){1, (size_t)onr_desc_elements(x), size, 0};
  if (p->flat) return ONR_STATUS_OK;
  ONR_TRY(onri_axis_resolve(p->axis, x->rank, &v->axis, call->error));
  v->outer = (size_t)onri_product(x, 0, v->axis);
  v->length = (size_t)x->dim[v->axis];
  v->block = (size_t)onri_product(x, v->axis + 1, x->rank) * size;
  return ONR_STATUS_OK;
}

static void compress_desc(const struct onr_call *call, const struct compress_view *v, int64_t kept,
                          struct onr_desc *out) {
  const struct onr_compress_params *p = call->params;
  const enum onr_dtype dtype = call->in[0].dtype;
  *out = p->flat ? onr_desc_make(dtype, 1, &kept) : call->in[0];
  if (!p->flat) out->dim[v->axis] = kept;
}

static enum onr_status compress_infer(struct onr_call *call) {
  struct compress_view v;
  ONR_TRY(onri_expect_rank(call, 0, 1, ONR_MAX_RANK));
  ONR_TRY(onri_expect_rank(call, 1, 1, 1));
  ONR_TRY(compress_view(call, &v));
  if (call->in[1].dim[0] > (int64_t)v.length)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "%lld conditions for %lld slices", (long long)call->in[1].dim[0],
                    (long long)v.length);
  struct onr_desc out;
  compress_desc(call, &v, call->in[1].dim[0], &out);
  call->out[0] = out;
  return ONR_STATUS_OK;
}

static enum onr_status compress_run(struct onr_call *call) {
  const uint8_t *condition = call->inputs[1];
  const size_t conditions = (size_t)call->in[1].dim[0];
  struct compress_view v;
  struct onr_desc desc;
  void *data;
  int64_t kept = 0;
  ONR_TRY(compress_view(call, &v));
  for (size_t i = 0; i < conditions; i++) kept += condition[i] != 0;
  compress_desc(call, &v, kept, &desc);
  ONR_TRY(onr_call_resize(call, 0, &desc, &data));
  if (!data || onr_desc_elements(&desc) == 0) return ONR_STATUS_OK;
  char *y = data;
  uint8_t at[BLOCK];
  struct onri_pace pace = {call->env, 0};
  for (size_t o = 0; o < v.outer; o++) {
    const char *x = (const char *)call->inputs[0] + o * v.length * v.block;
    for (size_t i = 0; i < conditions; i += BLOCK) {
      const size_t n = conditions - i < BLOCK ? conditions - i : BLOCK, found = places_of(condition + i, n, at);
      if (onri_pace_stop(&pace, n)) return ONR_STATUS_OK;
      for (size_t k = 0; k < found && !onri_pace_stop(&pace, v.block / 8); k++, y += v.block)
        onri_copy_element(y, x + (i + at[k]) * v.block, v.block);
    }
  }
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_non_zero = {
    .name = "non_zero",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .output_type = ONRI_DTYPE_BIT(ONR_DTYPE_I64),
    .flags = ONR_LAYER_DYNAMIC,
    .infer = non_zero_infer,
    .run = non_zero_run,
};
const struct onr_layer onri_layer_compress = {
    .name = "compress",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {0, ONRI_DTYPE_BIT(ONR_DTYPE_BOOL)},
    .output_type = ONR_AS_INPUT(0),
    .flags = ONR_LAYER_DYNAMIC,
    .params_size = sizeof(struct onr_compress_params),
    .infer = compress_infer,
    .run = compress_run,
};
