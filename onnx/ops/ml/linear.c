/* linear.c: LinearRegressor, LinearClassifier, SVMRegressor, SVMClassifier. All compute in float32. */
#include <string.h>

#include "onnx/ops/ml/ml.h"

static enum onr_status no_memory(const struct onr_node *node) {
  return *node->status != ONR_STATUS_OK ? *node->status
                                        : onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for the coefficients");
}

/* Coefficients as a matrix of so many rows; *columns gets what that leaves. */
static enum onr_status matrix(const struct onr_node *node, const char *name, size_t rows, size_t *columns,
                              int32_t *value) {
  size_t count;
  const float *data = onri_attr_floats(node, name, &count);
  if (*node->status != ONR_STATUS_OK) return *node->status;
  if (rows == 0 || count == 0 || count % rows != 0)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' has %zu values: expected a multiple of %zu",
                    name, count, rows);
  *columns = count / rows;
  *value = onri_const_matrix(node, data, rows, *columns);
  return *value == ONRI_NONE ? no_memory(node) : ONR_STATUS_OK;
}

/* A list of so many values; ONRI_NONE when it is absent. */
static enum onr_status list(const struct onr_node *node, const char *name, size_t expected, int32_t *value) {
  size_t count;
  const float *data = onri_attr_floats(node, name, &count);
  *value = ONRI_NONE;
  if (count == 0) return *node->status;
  ONR_TRY(onri_expect_count(node, name, count, expected));
  *value = onri_const_list(node, ONR_DTYPE_F32, data, count);
  return *value == ONRI_NONE ? no_memory(node) : ONR_STATUS_OK;
}

/* x W^T + b with W of `targets` rows. */
static enum onr_status emit_linear(const struct onr_node *node, size_t targets, int32_t y) {
  const struct onr_linear_params params = {0};
  int32_t in[3] = {ONRI_NONE, ONRI_NONE, ONRI_NONE};
  size_t features;
  ONR_TRY(matrix(node, "coefficients", targets, &features, &in[1]));
  ONR_TRY(list(node, "intercepts", targets, &in[2]));
  in[0] = onri_emit_f32(node, onri_in(node, 0));
  return onri_emit_with(node, &onri_layer_linear, &params, in, in[2] == ONRI_NONE ? 2 : 3, &y, 1);
}

static enum onr_status import_linear_regressor(const struct onr_node *node) {
  const enum onr_score_transform transform = onri_attr_transform(node);
  const int32_t targets = onri_attr_int32(node, "targets", 1, 1, INT32_MAX);
  const int32_t y = transform == ONR_SCORE_NONE ? onri_out(node, 0) : onri_temp(node);
  ONR_TRY(emit_linear(node, (size_t)targets, y));
  return transform == ONR_SCORE_NONE ? ONR_STATUS_OK : onri_emit_transform(node, transform, y);
}

/* As many scores as intercepts; without them as many as labels. One score for two labels is that of the second, and its
 * opposite that of the first: so does onnx.reference. */
static enum onr_status import_linear_classifier(const struct onr_node *node) {
  const struct onr_class_scores_params scores = {.transform = onri_attr_transform(node), .second = ONR_SECOND_OPPOSITE};
  const struct onr_class_scores_params alone = {.transform = scores.transform};
  const int32_t y = onri_temp(node), classes = onri_temp(node);
  struct onri_labels labels;
  size_t targets;
  ONR_TRY(onri_attr_labels(node, "classlabels_ints", "classlabels_strings", &labels));
  onri_attr_floats(node, "intercepts", &targets);
  if (targets == 0) targets = labels.count;
  ONR_TRY(emit_linear(node, targets, y));
  ONR_TRY(onri_emit_with(node, &onri_layer_class_scores, labels.count == 2 ? &scores : &alone, &y, 1,
                         (const int32_t[]){classes, onri_out(node, 1)}, 2));
  return onri_emit_labels(node, &labels, classes, targets);
}

/* --- support vectors --- */

static enum onr_status read_kernel(const struct onr_node *node, struct onr_svm_kernel_params *kernel) {
  static const char *const names[] = {
      [ONR_SVM_LINEAR] = "LINEAR", [ONR_SVM_POLY] = "POLY", [ONR_SVM_RBF] = "RBF", [ONR_SVM_SIGMOID] = "SIGMOID", NULL};
  size_t count;
  const float *params = onri_attr_floats(node, "kernel_params", &count);
  *kernel = (struct onr_svm_kernel_params){
      .kernel = (enum onr_svm_kernel)onri_attr_choice(node, "kernel_type", names, ONR_SVM_LINEAR)};
  if (count == 0) return *node->status;
  ONR_TRY(onri_expect_count(node, "kernel_params", count, 3));
  kernel->gamma = params[0];
  kernel->coef0 = params[1];
  kernel->degree = params[2];
  return ONR_STATUS_OK;
}

/* The kernel of x and as many vectors, which the attribute `name` has. */
static enum onr_status emit_kernel(const struct onr_node *node, const struct onr_svm_kernel_params *kernel,
                                   const char *name, size_t vectors, int32_t y) {
  int32_t in[2] = {onri_in(node, 0), ONRI_NONE};
  size_t features;
  ONR_TRY(matrix(node, name, vectors, &features, &in[1]));
  return onri_emit_with(node, &onri_layer_svm_kernel, kernel, in, 2, &y, 1);
}

/* Without support vectors: the coefficients are vectors themselves, and rho is one number. */
static enum onr_status emit_plain(const struct onr_node *node, size_t vectors, int32_t y) {
  const struct onr_svm_kernel_params linear = {.kernel = ONR_SVM_LINEAR};
  const struct onr_binary_params add = {.op = ONR_BINARY_ADD};
  const int32_t products = onri_temp(node);
  size_t count;
  const float *rho = onri_attr_floats(node, "rho", &count);
  if (count == 0) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected a value in 'rho'");
  ONR_TRY(emit_kernel(node, &linear, "coefficients", vectors, products));
  return onri_emit_with(node, &onri_layer_binary, &add, (const int32_t[]){products, onri_const_float(node, rho[0])}, 2,
                        &y, 1);
}

/* 1 or -1 by the sign. */
static enum onr_status emit_sign(const struct onr_node *node, int32_t y) {
  const struct onr_binary_params greater = {.op = ONR_BINARY_GREATER};
  const int32_t inside = onri_temp(node);
  ONR_TRY(onri_emit_with(node, &onri_layer_binary, &greater, (const int32_t[]){y, onri_const_float(node, 0)}, 2,
                         &inside, 1));
  return onri_emit_with(node, &onri_layer_where, NULL,
                        (const int32_t[]){inside, onri_const_float(node, 1), onri_const_float(node, -1)}, 3, node->out,
                        1);
}

static enum onr_status import_svm_regressor(const struct onr_node *node) {
  const struct onr_linear_params sum = {0};
  const enum onr_score_transform transform = onri_attr_transform(node);
  const int32_t vectors = onri_attr_int32(node, "n_supports", 0, 0, INT32_MAX),
                one_class = onri_attr_int(node, "one_class", 0) != 0;
  const int32_t y = transform == ONR_SCORE_NONE && !one_class ? onri_out(node, 0) : onri_temp(node);
  struct onr_svm_kernel_params kernel;
  ONR_TRY(read_kernel(node, &kernel));
  if (vectors == 0) {
    ONR_TRY(emit_plain(node, 1, y));
  } else {
    int32_t in[3] = {onri_temp(node), ONRI_NONE, ONRI_NONE};
    size_t count;
    ONR_TRY(emit_kernel(node, &kernel, "support_vectors", (size_t)vectors, in[0]));
    ONR_TRY(matrix(node, "coefficients", 1, &count, &in[1]));
    ONR_TRY(onri_expect_count(node, "coefficients", count, (size_t)vectors));
    ONR_TRY(list(node, "rho", 1, &in[2]));
    if (in[2] == ONRI_NONE) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected a value in 'rho'");
    ONR_TRY(onri_emit_with(node, &onri_layer_linear, &sum, in, 3, &y, 1));
  }
  if (one_class) return emit_sign(node, y);
  return transform == ONR_SCORE_NONE ? ONR_STATUS_OK : onri_emit_transform(node, transform, y);
}

/* The pairs of classes vote, with or without probabilities. */
static enum onr_status emit_votes(const struct onr_node *node, const struct onr_svm_vote_params *params, size_t vectors,
                                  int32_t classes, int32_t scores, int *probable) {
  const size_t k = params->num_classes, pairs = k * (k - 1) / 2;
  struct onr_svm_kernel_params kernel;
  int32_t in[5] = {onri_temp(node), ONRI_NONE, ONRI_NONE, ONRI_NONE, ONRI_NONE};
  size_t count;
  ONR_TRY(read_kernel(node, &kernel));
  ONR_TRY(emit_kernel(node, &kernel, "support_vectors", vectors, in[0]));
  ONR_TRY(matrix(node, "coefficients", k - 1, &count, &in[1]));
  ONR_TRY(list(node, "rho", pairs, &in[2]));
  ONR_TRY(list(node, "prob_a", pairs, &in[3]));
  ONR_TRY(list(node, "prob_b", pairs, &in[4]));
  *probable = in[3] != ONRI_NONE;
  if (in[2] == ONRI_NONE) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected %zu values in 'rho'", pairs);
  return onri_emit_with(node, &onri_layer_svm_vote, params, in, 5, (const int32_t[]){classes, scores}, 2);
}

static enum onr_status import_svm_classifier(const struct onr_node *node) {
  struct onr_class_scores_params finish = {.transform = onri_attr_transform(node)};
  const int32_t scores = onri_temp(node), classes = onri_temp(node);
  struct onri_labels labels;
  struct onr_svm_vote_params params = {0};
  size_t count, vectors = 0;
  int probable = 0;
  ONR_TRY(onri_attr_labels(node, "classlabels_ints", "classlabels_strings", &labels));
  params.vectors_per_class = onri_attr_ints(node, "vectors_per_class", &count);
  for (size_t i = 0; i < count; i++) {
    if (params.vectors_per_class[i] < 0 || params.vectors_per_class[i] > INT32_MAX)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "class %zu has %lld support vectors", i,
                      (long long)params.vectors_per_class[i]);
    vectors += (size_t)params.vectors_per_class[i];
  }
  if (vectors == 0) {
    ONR_TRY(emit_plain(node, labels.count, scores));
    ONR_TRY(onri_emit_with(node, &onri_layer_class_scores, &finish, &scores, 1,
                           (const int32_t[]){classes, onri_out(node, 1)}, 2));
    return onri_emit_labels(node, &labels, classes, labels.count);
  }
  ONR_TRY(onri_expect_count(node, "vectors_per_class", count, labels.count));
  if (count < 2 || count > UINT16_MAX)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "%zu classes have support vectors: expected 2 to %d", count,
                    UINT16_MAX);
  params.num_classes = (uint32_t)count;
  ONR_TRY(emit_votes(node, &params, vectors, classes, scores, &probable));
  if (count == 2 && !probable) finish.second = ONR_SECOND_OPPOSITE;
  ONR_TRY(onri_emit_with(node, &onri_layer_class_scores, &finish, &scores, 1,
                         (const int32_t[]){ONRI_NONE, onri_out(node, 1)}, 2));
  return onri_emit_labels(node, &labels, classes, count);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx_ml, LinearRegressor, 1, 1, 1, 1, 1, import_linear_regressor)
    ONRI_OP(ai_onnx_ml, LinearClassifier, 1, 1, 1, 2, 2, import_linear_classifier)
    ONRI_OP(ai_onnx_ml, SVMRegressor, 1, 1, 1, 1, 1, import_svm_regressor)
    ONRI_OP(ai_onnx_ml, SVMClassifier, 1, 1, 1, 2, 2, import_svm_classifier)
};
/* clang-format on */
const struct onri_op_table onri_ops_ml_linear = ONRI_OP_TABLE(operators);
