/* shape.h: the formulas on dims that many layers share, each in one place. All report through onr_fail. */
#ifndef ONRI_SHAPE_H
#define ONRI_SHAPE_H

#include "base/types.h"
#include "onnxrun/layer.h"

/* axis may be negative; *result is 0..rank-1. A scalar has one axis, 0 or -1. ATTRIBUTE on failure. */
enum onr_status onri_axis_resolve(int64_t axis, int32_t rank, int32_t *result, struct onr_error *error);
/* The same of an axis that has been found to be in range. */
static inline int32_t onri_axis_at(int64_t axis, int32_t rank) {
  return (int32_t)(axis < 0 ? axis + (rank ? rank : 1) : axis);
}
/* A list of axes as in ReduceSum: each in range, none twice. mask[d] = 1 for those named. */
enum onr_status onri_axes_resolve(const int64_t *axes, size_t count, int32_t rank, uint8_t mask[ONR_MAX_RANK],
                                  struct onr_error *error);
/* NumPy broadcasting of two shapes; dtype of the result is that of a. SHAPE on failure. */
enum onr_status onri_broadcast(const struct onr_desc *a, const struct onr_desc *b, struct onr_desc *result,
                               struct onr_error *error);
/* Row-major strides in elements. */
void onri_strides(const struct onr_desc *desc, int64_t strides[ONR_MAX_RANK]);
/* Strides of x as seen from a broadcast result: 0 where x is repeated. result->rank entries. */
void onri_broadcast_strides(const struct onr_desc *x, const struct onr_desc *result, int64_t strides[ONR_MAX_RANK]);
/* Product of dim[from..to). The descriptor's product has been checked before, so it cannot overflow. */
int64_t onri_product(const struct onr_desc *desc, int32_t from, int32_t to);
/* Product of factors from 0 on, INT64_MAX where it is larger: what a layer's steps are. */
int64_t onri_steps(const int64_t *factors, size_t count);
#define ONRI_STEPS(...) \
  onri_steps((const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
/* Rank, signs, the product in 64 bits (in 31 where there are no elements), and the tensor_bytes limit. The driver calls
 * it on all that infer() writes. */
enum onr_status onri_desc_check(const struct onr_desc *desc, const struct onr_env *env, struct onr_error *error);
/* The same of a tensor whose type may be NONE and dimensions -1: not known. */
enum onr_status onri_desc_check_known(const struct onr_desc *desc, const struct onr_env *env, struct onr_error *error);

/* An integer input (int32 or int64 tensor of rank <= 1) as int64 values, for infer: axes, shapes, pads ...
 * Writes at most `capacity` values, *count always. LIMIT when there are more than capacity.
 * The layer's table says that the input is of ONRI_DTYPES_INDEX. */
enum onr_status onri_read_ints(const struct onr_call *call, size_t input, int64_t *values, size_t capacity,
                               size_t *count);
/* True when input i is there (not omitted). */
static inline int onri_has(const struct onr_call *call, size_t i) {
  return i < call->num_in && call->in[i].dtype != ONR_DTYPE_NONE;
}
/* SHAPE unless the rank of input i lies in [min, max]. */
enum onr_status onri_expect_rank(const struct onr_call *call, size_t i, int32_t min, int32_t max);
/* SHAPE unless input i has this shape. */
enum onr_status onri_expect_shape(const struct onr_call *call, size_t i, int32_t rank, const int64_t *dims);

#endif
