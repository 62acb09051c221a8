/* shape.c: the formulas on dims that many layers share. */
#include "base/shape.h"

#include <string.h>

#include "base/numbers/checked.h"
#include "base/env.h"

enum onr_status onri_axis_resolve(int64_t axis, int32_t rank, int32_t *result, struct onr_error *error) {
  const int64_t bound = rank ? rank : 1;
  if (axis < -bound || axis >= bound)
    return onr_fail(error, ONR_STATUS_ATTRIBUTE, "axis %lld is outside of [-%d, %d] for rank %d", (long long)axis,
                    (int)bound, (int)bound - 1, rank);
  *result = (int32_t)(axis < 0 ? axis + bound : axis);
  return ONR_STATUS_OK;
}

enum onr_status onri_axes_resolve(const int64_t *axes, size_t count, int32_t rank, uint8_t mask[ONR_MAX_RANK],
                                  struct onr_error *error) {
  memset(mask, 0, ONR_MAX_RANK);
  for (size_t i = 0; i < count; i++) {
    int32_t axis = 0;
    ONR_TRY(onri_axis_resolve(axes[i], rank, &axis, error));
    if (mask[axis]) return onr_fail(error, ONR_STATUS_ATTRIBUTE, "axis %lld is named twice", (long long)axes[i]);
    mask[axis] = 1;
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_broadcast(const struct onr_desc *a, const struct onr_desc *b, struct onr_desc *result,
                               struct onr_error *error) {
  const int32_t rank = a->rank > b->rank ? a->rank : b->rank;
  struct onr_desc r = {.dtype = a->dtype, .rank = rank};
  for (int32_t d = 0; d < rank; d++) {
    const int32_t da = d - (rank - a->rank), db = d - (rank - b->rank);
    const int64_t m = da < 0 ? 1 : a->dim[da], n = db < 0 ? 1 : b->dim[db];
    if (m != n && m != 1 && n != 1) {
      char left[128], right[128];
      return onr_fail(error, ONR_STATUS_SHAPE, "%s and %s do not broadcast: %lld against %lld",
                      onr_desc_format(a, left, sizeof(left)), onr_desc_format(b, right, sizeof(right)), (long long)m,
                      (long long)n);
    }
    r.dim[d] = m == 1 ? n : m;
  }
  *result = r;
  return ONR_STATUS_OK;
}

void onri_strides(const struct onr_desc *desc, int64_t strides[ONR_MAX_RANK]) {
  int64_t stride = 1;
  for (int32_t d = desc->rank - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= desc->dim[d];
  }
}

void onri_broadcast_strides(const struct onr_desc *x, const struct onr_desc *result, int64_t strides[ONR_MAX_RANK]) {
  int64_t own[ONR_MAX_RANK];
  onri_strides(x, own);
  for (int32_t d = 0; d < result->rank; d++) {
    const int32_t dx = d - (result->rank - x->rank);
    strides[d] = dx < 0 || x->dim[dx] == 1 ? 0 : own[dx];
  }
}

int64_t onri_product(const struct onr_desc *desc, int32_t from, int32_t to) {
  int64_t product = 1;
  for (int32_t d = from; d < to; d++) product *= desc->dim[d];
  return product;
}

int64_t onri_steps(const int64_t *factors, size_t count) {
  int64_t product = 1;
  for (size_t i = 0; i < count; i++)
    if (!factors[i]) return 0;
  for (size_t i = 0; i < count; i++)
    if (!onri_mul_i64(product, factors[i], &product)) return INT64_MAX;
  return product;
}

enum onr_status onri_desc_check(const struct onr_desc *desc, const struct onr_env *env, struct onr_error *error) {
  char text[160];
  int64_t product = 1;
  size_t bytes;
  if (!onr_dtype_size(desc->dtype)) return onr_fail(error, ONR_STATUS_TYPE, "unknown data type %d", (int)desc->dtype);
  if (!onri_dtype_in(ONRI_DTYPES_HERE, desc->dtype))
    return onr_fail(error, ONR_STATUS_UNSUPPORTED, "%s, and this library was made for models without",
                    onr_dtype_name(desc->dtype));
  if (desc->rank < 0 || desc->rank > ONR_MAX_RANK)
    return onr_fail(error, ONR_STATUS_LIMIT, "rank %d is above the limit of %d", desc->rank, ONR_MAX_RANK);
  for (int32_t d = 0; d < desc->rank; d++) {
    if (desc->dim[d] < 0)
      return onr_fail(error, ONR_STATUS_SHAPE, "dimension %d of %s is negative", d,
                      onr_desc_format(desc, text, sizeof(text)));
    /* Zero dims do not excuse the others: strides are products of them, and loops and lists go over each. */
    if (!onri_mul_i64(product, desc->dim[d] ? desc->dim[d] : 1, &product))
      return onr_fail(error, ONR_STATUS_LIMIT, "%s has more elements than 2^63",
                      onr_desc_format(desc, text, sizeof(text)));
  }
  if (product > INT32_MAX && onr_desc_elements(desc) == 0)
    return onr_fail(error, ONR_STATUS_LIMIT, "%s has no elements, but its other dimensions multiply to more than 2^31",
                    onr_desc_format(desc, text, sizeof(text)));
  if ((uint64_t)product > SIZE_MAX / 2 || !onri_mul_size((size_t)product, onr_dtype_size(desc->dtype), &bytes) ||
      bytes > SIZE_MAX / 4 || onr_desc_bytes(desc) > env->limits.tensor_bytes)
    return onr_fail(error, ONR_STATUS_LIMIT, "%s is larger than the limit of %llu bytes (tensor_bytes)",
                    onr_desc_format(desc, text, sizeof(text)), (unsigned long long)env->limits.tensor_bytes);
  return ONR_STATUS_OK;
}

enum onr_status onri_desc_check_known(const struct onr_desc *desc, const struct onr_env *env, struct onr_error *error) {
  struct onr_desc least = *desc;
  if (desc->dtype == ONR_DTYPE_NONE) least.dtype = ONR_DTYPE_U8;
  for (int32_t d = 0; d < least.rank && d < ONR_MAX_RANK; d++)
    if (least.dim[d] < 0) least.dim[d] = 1;
  return onri_desc_check(&least, env, error);
}

enum onr_status onri_read_ints(const struct onr_call *call, size_t input, int64_t *values, size_t capacity,
                               size_t *count) {
  const struct onr_desc *desc = &call->in[input];
  const void *data = call->inputs[input];
  *count = 0;
  if (desc->rank > 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "input %zu: expected a list of integers, found rank %d", input,
                    desc->rank);
  if (!(ONRI_DTYPES_INDEX & ONRI_DTYPE_BIT(desc->dtype)))
    return onr_fail(call->error, ONR_STATUS_INTERNAL, "input %zu: the layer's table does not ask for integers", input);
  *count = (size_t)onr_desc_elements(desc);
  if (*count > capacity)
    return onr_fail(call->error, capacity == 1 ? ONR_STATUS_SHAPE : ONR_STATUS_LIMIT,
                    "input %zu: expected at most %zu values, found %zu", input, capacity, *count);
  if (*count && !data)
    return onr_fail(call->error, ONR_STATUS_INTERNAL, "input %zu: contents are not known yet", input);
  for (size_t i = 0; i < *count; i++) {
    if (desc->dtype == ONR_DTYPE_I64) {
      values[i] = ((const int64_t *)data)[i];
    } else {
      values[i] = ((const int32_t *)data)[i];
    }
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_expect_rank(const struct onr_call *call, size_t i, int32_t min, int32_t max) {
  char text[160];
  if (call->in[i].rank >= min && call->in[i].rank <= max) return ONR_STATUS_OK;
  if (min == max)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "input %zu: expected rank %d, found %s", i, min,
                    onr_desc_format(&call->in[i], text, sizeof(text)));
  return onr_fail(call->error, ONR_STATUS_SHAPE, "input %zu: expected rank %d to %d, found %s", i, min, max,
                  onr_desc_format(&call->in[i], text, sizeof(text)));
}

enum onr_status onri_expect_shape(const struct onr_call *call, size_t i, int32_t rank, const int64_t *dims) {
  const struct onr_desc expected = onr_desc_make(call->in[i].dtype, rank, dims);
  char wanted[96], found[96];
  if (onr_desc_equal(&expected, &call->in[i])) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_SHAPE, "input %zu: expected %s, found %s", i,
                  onr_desc_format(&expected, wanted, sizeof(wanted)),
                  onr_desc_format(&call->in[i], found, sizeof(found)));
}
