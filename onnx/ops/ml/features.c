/* features.c: operators of ai.onnx.ml that make the columns of a table ready for a model. */
#include "onnx/ops/ml/ml.h"

static enum onr_status import_scaler(const struct onr_node *node) {
  static const float none[2] = {0, 1}; /* offset, scale */
  static const char *const names[2] = {"offset", "scale"};
  int32_t in[3] = {onri_in(node, 0), ONRI_NONE, ONRI_NONE};
  for (size_t i = 0; i < 2; i++) {
    size_t count;
    const float *values = onri_attr_floats(node, names[i], &count);
    in[i + 1] = count > 0 ? onri_const_list(node, ONR_DTYPE_F32, values, count)
                          : onri_const_list(node, ONR_DTYPE_F32, &none[i], 1);
    if (in[i + 1] == ONRI_NONE) return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for the scale");
  }
  return onri_emit_with(node, &onri_layer_scale_features, NULL, in, 3, node->out, 1);
}

static int32_t cast_like(const struct onr_node *node, enum onr_dtype dtype, const void *values, size_t count,
                         int32_t x) {
  const struct onr_cast_params like = {.to = ONR_DTYPE_NONE};
  const int32_t in[2] = {onri_const_list(node, dtype, values, count), x}, y = onri_temp(node);
  if (in[0] == ONRI_NONE || onri_emit_with(node, &onri_layer_cast_like, &like, in, 2, &y, 1) != ONR_STATUS_OK)
    return ONRI_NONE;
  return y;
}

static enum onr_status import_imputer(const struct onr_node *node) {
  const int64_t replaced_int = onri_attr_int(node, "replaced_value_int64", 0);
  const float replaced_float = onri_attr_float(node, "replaced_value_float", 0);
  size_t num_floats, num_ints;
  const float *floats = onri_attr_floats(node, "imputed_value_floats", &num_floats);
  const int64_t *ints = onri_attr_ints(node, "imputed_value_int64s", &num_ints);
  int32_t in[3] = {onri_in(node, 0), ONRI_NONE, ONRI_NONE};
  if (*node->status == ONR_STATUS_OK && num_floats + num_ints == 0)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE,
                    "expected values in 'imputed_value_floats' or 'imputed_value_int64s'");
  if (num_floats > 0) {
    in[1] = cast_like(node, ONR_DTYPE_F32, &replaced_float, 1, in[0]);
    in[2] = cast_like(node, ONR_DTYPE_F32, floats, num_floats, in[0]);
  } else {
    in[1] = cast_like(node, ONR_DTYPE_I64, &replaced_int, 1, in[0]);
    in[2] = cast_like(node, ONR_DTYPE_I64, ints, num_ints, in[0]);
  }
  if (*node->status == ONR_STATUS_OK && (in[1] == ONRI_NONE || in[2] == ONRI_NONE))
    return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for imputed values");
  return onri_emit_with(node, &onri_layer_impute_features, NULL, in, 3, node->out, 1);
}

/* x / norm, and x where the norm is 0. The norm MAX is the largest element, as ONNX and ONNX Runtime have it;
 * onnx.reference takes the largest absolute value. */
static enum onr_status import_normalizer(const struct onr_node *node) {
  static const char *const norms[] = {"MAX", "L1", "L2", NULL};
  static const enum onr_reduce_op ops[] = {ONR_REDUCE_MAX, ONR_REDUCE_L1, ONR_REDUCE_L2};
  const struct onr_reduce_params reduce = {.op = ops[onri_attr_choice(node, "norm", norms, 0)], .keep_dims = 1};
  const struct onr_binary_params equal = {.op = ONR_BINARY_EQUAL}, divide = {.op = ONR_BINARY_DIV};
  const int64_t last = -1;
  const int32_t x = onri_emit_f32(node, onri_in(node, 0));
  const int32_t norm = onri_temp(node), is_zero = onri_temp(node), divisor = onri_temp(node);
  if (*node->status != ONR_STATUS_OK) return *node->status;
  ONR_TRY(onri_emit_with(node, &onri_layer_reduce, &reduce, (const int32_t[]){x, onri_const_ints(node, &last, 1)}, 2,
                         &norm, 1));
  ONR_TRY(onri_emit_with(node, &onri_layer_binary, &equal, (const int32_t[]){norm, onri_const_float(node, 0)}, 2,
                         &is_zero, 1));
  ONR_TRY(onri_emit_with(node, &onri_layer_where, NULL, (const int32_t[]){is_zero, onri_const_float(node, 1), norm}, 3,
                         &divisor, 1));
  return onri_emit_with(node, &onri_layer_binary, &divide, (const int32_t[]){x, divisor}, 2, node->out, 1);
}

static enum onr_status import_feature_vectorizer(const struct onr_node *node) {
  struct onr_join_features_params params = {0};
  size_t count;
  params.widths = onri_attr_ints(node, "inputdimensions", &count);
  ONR_TRY(onri_expect_count(node, "inputdimensions", count, (size_t)node->num_in));
  return onri_emit(node, &onri_layer_join_features, &params);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx_ml, Scaler, 1, 1, 1, 1, 1, import_scaler)
    ONRI_OP(ai_onnx_ml, Normalizer, 1, 1, 1, 1, 1, import_normalizer)
    ONRI_OP(ai_onnx_ml, Imputer, 1, 1, 1, 1, 1, import_imputer)
    ONRI_OP(ai_onnx_ml, FeatureVectorizer, 1, 1, ONR_VARIADIC, 1, 1, import_feature_vectorizer)
};
/* clang-format on */
const struct onri_op_table onri_ops_ml_features = ONRI_OP_TABLE(operators);
