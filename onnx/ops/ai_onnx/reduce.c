/* reduce.c: reductions; axes were an attribute before version 18 (ReduceSum: 13). */
#include "onnx/node/import.h"

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

#define REDUCTION(name, op)                                                                                       \
  static enum onr_status import_reduce_##name##_1(const struct onr_node *node) { return by_attribute(node, op); } \
  static enum onr_status import_reduce_##name(const struct onr_node *node) { return by_input(node, op); }
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

static enum onr_status import_arg_max(const struct onr_node *node) { return arg_reduce(node, 0); }
static enum onr_status import_arg_min(const struct onr_node *node) { return arg_reduce(node, 1); }

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, ReduceSum, 1, 1, 1, 1, 1, import_reduce_sum_1)
    ONRI_OP(ai_onnx, ReduceSum, 13, 1, 2, 1, 1, import_reduce_sum)
    ONRI_OP(ai_onnx, ReduceMean, 1, 1, 1, 1, 1, import_reduce_mean_1)
    ONRI_OP(ai_onnx, ReduceMean, 18, 1, 2, 1, 1, import_reduce_mean)
    ONRI_OP(ai_onnx, ReduceMax, 1, 1, 1, 1, 1, import_reduce_max_1)
    ONRI_OP(ai_onnx, ReduceMax, 18, 1, 2, 1, 1, import_reduce_max)
    ONRI_OP(ai_onnx, ReduceMin, 1, 1, 1, 1, 1, import_reduce_min_1)
    ONRI_OP(ai_onnx, ReduceMin, 18, 1, 2, 1, 1, import_reduce_min)
    ONRI_OP(ai_onnx, ReduceProd, 1, 1, 1, 1, 1, import_reduce_prod_1)
    ONRI_OP(ai_onnx, ReduceProd, 18, 1, 2, 1, 1, import_reduce_prod)
    ONRI_OP(ai_onnx, ReduceL1, 1, 1, 1, 1, 1, import_reduce_l1_1)
    ONRI_OP(ai_onnx, ReduceL1, 18, 1, 2, 1, 1, import_reduce_l1)
    ONRI_OP(ai_onnx, ReduceL2, 1, 1, 1, 1, 1, import_reduce_l2_1)
    ONRI_OP(ai_onnx, ReduceL2, 18, 1, 2, 1, 1, import_reduce_l2)
    ONRI_OP(ai_onnx, ReduceLogSum, 1, 1, 1, 1, 1, import_reduce_log_sum_1)
    ONRI_OP(ai_onnx, ReduceLogSum, 18, 1, 2, 1, 1, import_reduce_log_sum)
    ONRI_OP(ai_onnx, ReduceLogSumExp, 1, 1, 1, 1, 1, import_reduce_log_sum_exp_1)
    ONRI_OP(ai_onnx, ReduceLogSumExp, 18, 1, 2, 1, 1, import_reduce_log_sum_exp)
    ONRI_OP(ai_onnx, ReduceSumSquare, 1, 1, 1, 1, 1, import_reduce_sum_square_1)
    ONRI_OP(ai_onnx, ReduceSumSquare, 18, 1, 2, 1, 1, import_reduce_sum_square)
    ONRI_OP(ai_onnx, ArgMax, 1, 1, 1, 1, 1, import_arg_max)
    ONRI_OP(ai_onnx, ArgMin, 1, 1, 1, 1, 1, import_arg_min)
};
/* clang-format on */
const struct onri_op_table onri_ops_reduce = ONRI_OP_TABLE(operators);
