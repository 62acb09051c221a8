/* generate.c: ops that make data out of little. */
#include <string.h>

#include "onnx/node/import.h"

/* An attribute that names an element type; ONR_DTYPE_NONE when absent. */
static enum onr_dtype attr_dtype(const struct onr_node *node, const char *name, enum onr_dtype default_value) {
  return (enum onr_dtype)onri_attr_int32(node, name, (int32_t)default_value, 1, ONR_DTYPE_LAST_IN_FILES);
}

static enum onr_status import_constant_of_shape(const struct onr_node *node) {
  struct onr_constant_of_shape_params params = {.dtype = ONR_DTYPE_F32};
  const struct onri_attribute *value = onri_attr_find(node, "value");
  if (value) {
    if (value->kind != ONRI_ATTRIBUTE_TENSOR || !value->tensor)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'value' must be a tensor");
    if (onr_desc_elements(&value->tensor->desc) != 1)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'value' has %lld elements: expected one",
                      (long long)onr_desc_elements(&value->tensor->desc));
    ONR_TRY(onri_constant_load(value->tensor, node->error));
    params.dtype = value->tensor->desc.dtype;
    memcpy(params.value, value->tensor->data, onr_dtype_size(params.dtype));
  }
  return onri_emit(node, &onri_layer_constant_of_shape, &params);
}

/* An experimental op of the first years, still written by the TorchScript exporter at opset 7: the shape is that of the
 * input, or the contents of the input, or an attribute; `extra_shape` is appended. */
static enum onr_status import_constant_fill(const struct onr_node *node) {
  struct onr_constant_of_shape_params params = {.dtype = attr_dtype(node, "dtype", ONR_DTYPE_F32)};
  const float value = onri_attr_float(node, "value", 0.0f);
  size_t num_shape, num_extra;
  const int64_t *shape = onri_attr_ints(node, "shape", &num_shape),
                *extra = onri_attr_ints(node, "extra_shape", &num_extra);
  int32_t dims = onri_in(node, 0);
  if (params.dtype == ONR_DTYPE_F32) {
    memcpy(params.value, &value, sizeof(value));
  } else if (value != 0.0f) {
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "a value other than 0 of type %s",
                    onr_dtype_name(params.dtype));
  }
  if (dims == ONRI_NONE) {
    dims = onri_const_ints(node, shape, num_shape);
  } else if (onri_attr_int(node, "input_as_shape", 0) == 0) {
    const struct onr_shape_params all = {0, INT64_MAX};
    const int32_t of = dims;
    dims = onri_temp(node);
    ONR_TRY(onri_emit_with(node, &onri_layer_shape, &all, &of, 1, &dims, 1));
  }
  if (num_extra > 0) {
    const struct onr_concat_params front = {0};
    const int32_t parts[2] = {dims, onri_const_ints(node, extra, num_extra)};
    dims = onri_temp(node);
    ONR_TRY(onri_emit_with(node, &onri_layer_concat, &front, parts, 2, &dims, 1));
  }
  return onri_emit_with(node, &onri_layer_constant_of_shape, &params, &dims, 1, node->out, (size_t)node->num_out);
}

/* `stash_type` asks for sums in float32; here each element is computed at once in float64. */
static enum onr_status import_range(const struct onr_node *node) { return onri_emit(node, &onri_layer_range, NULL); }

static enum onr_status import_eye_like(const struct onr_node *node) {
  const struct onr_eye_like_params params = {.dtype = attr_dtype(node, "dtype", ONR_DTYPE_NONE),
                                             .k = onri_attr_int(node, "k", 0)};
  return onri_emit(node, &onri_layer_eye_like, &params);
}

static enum onr_status import_one_hot(const struct onr_node *node) {
  const struct onr_one_hot_params params = {.axis = onri_attr_int(node, "axis", -1)};
  return onri_emit(node, &onri_layer_one_hot, &params);
}

static struct onr_cumulative_params cumulative_params(const struct onr_node *node) {
  return (struct onr_cumulative_params){.exclusive = onri_attr_int32(node, "exclusive", 0, 0, 1),
                                        .reverse = onri_attr_int32(node, "reverse", 0, 0, 1)};
}

static enum onr_status import_cum_sum(const struct onr_node *node) {
  const struct onr_cumulative_params params = cumulative_params(node);
  return onri_emit(node, &onri_layer_cum_sum, &params);
}

static enum onr_status import_cum_prod(const struct onr_node *node) {
  const struct onr_cumulative_params params = cumulative_params(node);
  return onri_emit(node, &onri_layer_cum_prod, &params);
}

/* The seed is a float: its whole part as the reference takes it, or its bits where that is no 32-bit number. */
static uint64_t attr_seed(const struct onr_node *node) {
  const float seed = onri_attr_float(node, "seed", 0.0f);
  uint32_t bits;
  if (!onri_attr_has(node, "seed")) return ONR_DEFAULT_SEED;
  if (seed >= 0 && seed < 4294967296.0f) return (uint64_t)seed;
  memcpy(&bits, &seed, sizeof(bits));
  return bits;
}

static struct onr_random_params random_params(const struct onr_node *node, enum onr_random_kind kind,
                                              enum onr_dtype dtype) {
  const int is_normal = kind == ONR_RANDOM_NORMAL;
  return (struct onr_random_params){.kind = kind,
                                    .dtype = attr_dtype(node, "dtype", dtype),
                                    .a = onri_attr_float(node, is_normal ? "mean" : "low", 0.0f),
                                    .b = onri_attr_float(node, is_normal ? "scale" : "high", 1.0f),
                                    .seed = attr_seed(node)};
}

static enum onr_status emit_random(const struct onr_node *node, enum onr_random_kind kind) {
  struct onr_random_params params = random_params(node, kind, ONR_DTYPE_F32);
  size_t count;
  const int64_t *shape = onri_attr_ints(node, "shape", &count);
  if (!onri_attr_has(node, "shape")) return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'shape' is missing");
  if (count > ONR_MAX_RANK)
    return onr_fail(node->error, ONR_STATUS_LIMIT, "attribute 'shape' has %zu entries: the highest rank is %d", count,
                    ONR_MAX_RANK);
  params.rank = (int32_t)count;
  for (size_t d = 0; d < count; d++) params.dim[d] = shape[d];
  return onri_emit(node, &onri_layer_random, &params);
}

static enum onr_status import_random_normal(const struct onr_node *node) {
  return emit_random(node, ONR_RANDOM_NORMAL);
}
static enum onr_status import_random_uniform(const struct onr_node *node) {
  return emit_random(node, ONR_RANDOM_UNIFORM);
}

static enum onr_status import_random_normal_like(const struct onr_node *node) {
  const struct onr_random_params params = random_params(node, ONR_RANDOM_NORMAL, ONR_DTYPE_NONE);
  return onri_emit(node, &onri_layer_random_like, &params);
}

static enum onr_status import_random_uniform_like(const struct onr_node *node) {
  const struct onr_random_params params = random_params(node, ONR_RANDOM_UNIFORM, ONR_DTYPE_NONE);
  return onri_emit(node, &onri_layer_random_like, &params);
}

static enum onr_status import_bernoulli(const struct onr_node *node) {
  const struct onr_bernoulli_params params = {.dtype = attr_dtype(node, "dtype", ONR_DTYPE_NONE),
                                              .seed = attr_seed(node)};
  return onri_emit(node, &onri_layer_bernoulli, &params);
}

static enum onr_status import_multinomial(const struct onr_node *node) {
  const struct onr_multinomial_params params = {.dtype = attr_dtype(node, "dtype", ONR_DTYPE_I32),
                                                .samples = onri_attr_int(node, "sample_size", 1),
                                                .seed = attr_seed(node)};
  if (params.dtype != ONR_DTYPE_I32 && params.dtype != ONR_DTYPE_I64)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'dtype' names %s: expected int32 or int64",
                    onr_dtype_name(params.dtype));
  return onri_emit(node, &onri_layer_multinomial, &params);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, ConstantOfShape, 9, 1, 1, 1, 1, import_constant_of_shape)
    ONRI_OP(ai_onnx, ConstantFill, 1, 0, 1, 1, 1, import_constant_fill)
    ONRI_OP(ai_onnx, Range, 11, 3, 3, 1, 1, import_range)
    ONRI_OP(ai_onnx, EyeLike, 9, 1, 1, 1, 1, import_eye_like)
    ONRI_OP(ai_onnx, OneHot, 9, 3, 3, 1, 1, import_one_hot)
    ONRI_OP(ai_onnx, CumSum, 11, 2, 2, 1, 1, import_cum_sum)
    ONRI_OP(ai_onnx, CumProd, 26, 2, 2, 1, 1, import_cum_prod)
    ONRI_OP(ai_onnx, RandomNormal, 1, 0, 0, 1, 1, import_random_normal)
    ONRI_OP(ai_onnx, RandomUniform, 1, 0, 0, 1, 1, import_random_uniform)
    ONRI_OP(ai_onnx, RandomNormalLike, 1, 1, 1, 1, 1, import_random_normal_like)
    ONRI_OP(ai_onnx, RandomUniformLike, 1, 1, 1, 1, 1, import_random_uniform_like)
    ONRI_OP(ai_onnx, Bernoulli, 15, 1, 1, 1, 1, import_bernoulli)
    ONRI_OP(ai_onnx, Multinomial, 7, 1, 1, 1, 1, import_multinomial)
};
/* clang-format on */
const struct onri_op_table onri_ops_generate = ONRI_OP_TABLE(operators);
