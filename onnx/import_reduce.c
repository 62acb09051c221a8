/* import_reduce.c: reductions; axes were an attribute before version 18 (ReduceSum: 13). */
#include "onnx/import.h"

static enum onr_status by_attribute(const struct onr_node *node, enum onr_reduce_op op) {
  const struct onr_reduce_params params = {.op = op, .keep_dims = onri_attr_int(node, "keepdims", 1) != 0};
  size_t count;
  const int64_t *axes = onri_attr_ints(node, "axes", &count);
  if (count == 0) return onri_emit(node, &onri_layer_reduce, &params);
  if (count > ONR_MAX_RANK)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected at most %d axes, found %zu", ONR_MAX_RANK, count);
  const int32_t in[] = {onri_in(node, 0), onri_const_ints(node, axes, count)};
  return onri_emit_with(node, &onri_layer_reduce, &params, in, 2, node->out, (size_t)node->num_out);
}

static enum onr_status by_input(const struct onr_node *node, enum onr_reduce_op op) {
  const struct onr_reduce_params params = {
      .op = op,
      .keep_dims = onri_attr_int(node, "keepdims", 1) != 0,
      .noop_with_empty_axes = onri_attr_int(node, "noop_with_empty_axes", 0) != 0,
  };
  return onri_emit(node, &onri_layer_reduce, &params);
}

#define REDUCTION(name, op)                                                                                        \
  enum onr_status onri_import_reduce_##name##_1(const struct onr_node *node) { return by_attribute(node, op); }    \
  enum onr_status onri_import_reduce_##name(const struct onr_node *node) { return by_input(node, op); }
REDUCTION(sum, ONR_REDUCE_SUM)
REDUCTION(mean, ONR_REDUCE_MEAN)
REDUCTION(max, ONR_REDUCE_MAX)
REDUCTION(min, ONR_REDUCE_MIN)
REDUCTION(prod, ONR_REDUCE_PROD)
REDUCTION(l1, ONR_REDUCE_L1)
REDUCTION(l2, ONR_REDUCE_L2)
REDUCTION(log_sum, ONR_REDUCE_LOG_SUM)
REDUCTION(log_sum_exp, ONR_REDUCE_LOG_SUM_EXP)
REDUCTION(sum_square, ONR_REDUCE_SUM_SQUARE)

static enum onr_status arg_reduce(const struct onr_node *node, int32_t minimum) {
  const struct onr_arg_reduce_params params = {
      .axis = onri_attr_int(node, "axis", 0),
      .minimum = minimum,
      .keep_dims = onri_attr_int(node, "keepdims", 1) != 0,
      .select_last = onri_attr_int(node, "select_last_index", 0) != 0,
  };
  return onri_emit(node, &onri_layer_arg_reduce, &params);
}

enum onr_status onri_import_arg_max(const struct onr_node *node) { return arg_reduce(node, 0); }
enum onr_status onri_import_arg_min(const struct onr_node *node) { return arg_reduce(node, 1); }
