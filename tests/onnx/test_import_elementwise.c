/* What the importers of the element-wise family make of a node: layers and parameters, for every historic form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "onnx/import/import_file.h"
#include "onnxrun/operators.h"

static struct onr_env env;
static struct onri_graph *graph;
static struct onr_error error, first_error;
static enum onr_status noted;
static const struct onri_origin origin = {"", "", "", "", ""};

static int set_up(void **state) {
  (void)state;
  env = (struct onr_env){.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
  noted = ONR_STATUS_OK;
  return onri_graph_create(&env, &graph, &error) != ONR_STATUS_OK;
}

static int tear_down(void **state) {
  (void)state;
  onri_graph_destroy(graph);
  return 0;
}

static const struct onri_op *row_of(const char *op_type, int64_t opset) {
  const struct onri_op *best = NULL;
  for (size_t i = 0; i < onr_num_ops(); i++)
    if (onri_op_at(i)->domain[0] == '\0' && strcmp(onri_op_at(i)->op_type, op_type) == 0 &&
        onri_op_at(i)->since_version <= opset && (!best || onri_op_at(i)->since_version > best->since_version))
      best = onri_op_at(i);
  assert_non_null(best);
  return best;
}

/* Imports one node with num_in fresh inputs (those that are not given) and num_out outputs. */
static enum onr_status import(const char *op_type, int64_t opset, const int32_t *in, int32_t num_in, int32_t num_out,
                              const struct onri_attribute *attributes, size_t num_attributes) {
  int32_t inputs[4], outputs[2];
  const struct onri_op *row = row_of(op_type, opset);
  assert_in_range(num_in, row->inputs_min, row->inputs_max);
  assert_in_range(num_out, row->outputs_min, row->outputs_max);
  for (int32_t i = 0; i < num_in; i++) inputs[i] = in ? in[i] : onri_graph_add_value(graph, NULL, NULL);
  for (int32_t i = 0; i < num_out; i++) outputs[i] = onri_graph_add_value(graph, NULL, NULL);
  struct onri_importer importer = {.env = graph->env};
  const struct onr_node node = {.importer = &importer,
                                .graph = graph,
                                .origin = &origin,
                                .domain = "",
                                .op_type = op_type,
                                .opset = opset,
                                .num_in = num_in,
                                .num_out = num_out,
                                .in = inputs,
                                .out = outputs,
                                .attributes = attributes,
                                .num_attributes = num_attributes,
                                .status = &noted,
                                .first_error = &first_error,
                                .error = &error};
  return row->import(&node);
}

static const void *expect_node(size_t i, const struct onr_layer *layer) {
  assert_true(i < graph->num_nodes);
  assert_ptr_equal(graph->nodes[i].layer, layer);
  return graph->nodes[i].params;
}

#define INT(n, v) \
  { .name = n, .kind = ONRI_ATTRIBUTE_INT, .i = v }
#define FLOAT(n, v) \
  { .name = n, .kind = ONRI_ATTRIBUTE_FLOAT, .f = v }
#define STRING(n, v)                                                    \
  {                                                                     \
    .name = n, .kind = ONRI_ATTRIBUTE_STRING, .s = { v, sizeof(v) - 1 } \
  }

static void test_binary(void **state) {
  (void)state;
  assert_int_equal(import("Sub", 13, NULL, 2, 1, NULL, 0), ONR_STATUS_OK);
  const struct onr_binary_params *p = expect_node(0, &onri_layer_binary);
  assert_int_equal(p->op, ONR_BINARY_SUB);
  assert_false(p->clamp.enabled);
  assert_int_equal(graph->num_nodes, 1);
}

static void test_binary_at_an_axis(void **state) {
  (void)state;
  const struct onri_attribute attributes[] = {INT("broadcast", 1), INT("axis", 1)};
  assert_int_equal(import("Add", 6, NULL, 2, 1, attributes, 2), ONR_STATUS_OK);
  const struct onr_align_params *align = expect_node(0, &onri_layer_align);
  const struct onr_binary_params *add = expect_node(1, &onri_layer_binary);
  assert_int_equal(align->axis, 1);
  assert_int_equal(add->op, ONR_BINARY_ADD);
  assert_int_equal(graph->nodes[1].in[0], graph->nodes[0].in[1]);
  assert_int_equal(graph->nodes[1].in[1], graph->nodes[0].out[0]);
}

static void test_prelu_with_a_slope_per_channel(void **state) {
  (void)state;
  const struct onr_desc slope = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){3});
  const float data[3] = {0};
  const int32_t in[2] = {onri_graph_add_value(graph, NULL, NULL), onri_graph_add_data(graph, &slope, data)};
  assert_int_equal(import("PRelu", 6, in, 2, 1, NULL, 0), ONR_STATUS_OK);
  assert_int_equal(((const struct onr_align_params *)expect_node(0, &onri_layer_align))->axis, 1);
  assert_int_equal(import("PRelu", 7, in, 2, 1, NULL, 0), ONR_STATUS_OK);
  assert_int_equal(((const struct onr_binary_params *)expect_node(2, &onri_layer_binary))->op, ONR_BINARY_PRELU);
}

static void test_clip(void **state) {
  (void)state;
  const struct onri_attribute six[] = {FLOAT("max", 6.0f)};
  const struct onr_desc scalar = onr_desc_make(ONR_DTYPE_F32, 0, NULL), integer = onr_desc_make(ONR_DTYPE_I32, 0, NULL);
  const float low = -1.0f, nan = NAN;
  const int32_t one = 1, x = onri_graph_add_value(graph, NULL, NULL);
  assert_int_equal(import("Clip", 6, NULL, 1, 1, six, 1), ONR_STATUS_OK);
  const struct onr_unary_params *p = expect_node(0, &onri_layer_unary);
  assert_true(p->op == ONR_UNARY_CLIP && p->alpha < -3.4e38f && p->beta == 6.0f);
  const int32_t known[2] = {x, onri_graph_add_data(graph, &scalar, &low)};
  assert_int_equal(import("Clip", 13, known, 2, 1, NULL, 0), ONR_STATUS_OK);
  p = expect_node(1, &onri_layer_unary);
  assert_true(p->op == ONR_UNARY_CLIP && p->alpha == -1.0f && p->beta == INFINITY);
  assert_int_equal(graph->nodes[1].num_in, 1);
  const int32_t not_known[3] = {x, ONRI_NONE, onri_graph_add_value(graph, NULL, NULL)};
  assert_int_equal(import("Clip", 13, not_known, 3, 1, NULL, 0), ONR_STATUS_OK);
  (void)expect_node(2, &onri_layer_clip);
  const int32_t not_a_number[2] = {x, onri_graph_add_data(graph, &scalar, &nan)};
  assert_int_equal(import("Clip", 13, not_a_number, 2, 1, NULL, 0), ONR_STATUS_OK);
  (void)expect_node(3, &onri_layer_clip);
  const int32_t integers[2] = {x, onri_graph_add_data(graph, &integer, &one)};
  assert_int_equal(import("Clip", 13, integers, 2, 1, NULL, 0), ONR_STATUS_OK);
  (void)expect_node(4, &onri_layer_clip);
}

static void test_cast(void **state) {
  (void)state;
  const struct onri_attribute name[] = {STRING("to", "FLOAT16")}, number[] = {INT("to", 11), INT("saturate", 0)};
  const struct onri_attribute rounding[] = {INT("to", 24), STRING("round_mode", "nearest")};
  assert_int_equal(import("Cast", 1, NULL, 1, 1, name, 1), ONR_STATUS_OK);
  assert_int_equal(((const struct onr_cast_params *)expect_node(0, &onri_layer_cast))->to, ONR_DTYPE_F16);
  assert_int_equal(import("Cast", 19, NULL, 1, 1, number, 2), ONR_STATUS_OK);
  const struct onr_cast_params *p = expect_node(1, &onri_layer_cast);
  assert_true(p->to == ONR_DTYPE_F64 && p->unsaturated == 1);
  assert_int_equal(import("Cast", 24, NULL, 1, 1, rounding, 2), ONR_STATUS_OK);
  p = expect_node(2, &onri_layer_cast);
  assert_true(p->to == ONR_DTYPE_F8E8M0 && p->unsaturated == 0 && p->rounding == ONR_CAST_NEAREST);
}

/* Each in a graph and with a status of its own. */
static void refuse(const char *op_type, int64_t opset, int32_t num_in, const struct onri_attribute *attributes,
                   size_t count) {
  noted = ONR_STATUS_OK;
  const size_t nodes = graph->num_nodes;
  assert_int_equal(import(op_type, opset, NULL, num_in, 1, attributes, count), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(graph->num_nodes, nodes);
}

static void test_wrong_attributes(void **state) {
  (void)state;
  const struct onri_attribute unknown_name[] = {STRING("to", "QUATERNION")}, unknown[] = {INT("to", 99)},
                              none[] = {INT("to", 0)};
  const struct onri_attribute sideways[] = {STRING("direction", "UP")}, text[] = {STRING("approximate", "no")};
  const struct onri_attribute two[] = {INT("fmod", 2)}, far[] = {INT("axis", 100)};
  refuse("Cast", 1, 1, unknown_name, 1);
  refuse("Cast", 1, 1, NULL, 0);
  refuse("Cast", 13, 1, unknown, 1);
  refuse("Cast", 13, 1, none, 1);
  refuse("Cast", 13, 1, NULL, 0);
  refuse("BitShift", 11, 2, sideways, 1);
  refuse("BitShift", 11, 2, NULL, 0);
  refuse("Gelu", 20, 1, text, 1);
  refuse("Mod", 13, 2, two, 1);
  refuse("Mul", 6, 2, far, 1);
}

static void test_dropout(void **state) {
  (void)state;
  assert_int_equal(import("Dropout", 13, NULL, 2, 1, NULL, 0), ONR_STATUS_OK);
  (void)expect_node(0, &onri_layer_identity);
  assert_int_equal(import("Dropout", 7, NULL, 1, 2, NULL, 0), ONR_STATUS_OK);
  assert_int_equal(((const struct onr_dropout_params *)expect_node(1, &onri_layer_dropout))->mask_like_x, 1);
  assert_int_equal(import("Dropout", 13, NULL, 3, 1, NULL, 0), ONR_STATUS_OK);
  assert_int_equal(((const struct onr_dropout_params *)expect_node(2, &onri_layer_dropout))->mask_like_x, 0);
  const struct onri_attribute seed[] = {INT("seed", 7)};
  const struct onr_desc scalar = onr_desc_make(ONR_DTYPE_BOOL, 0, NULL);
  const int32_t x = onri_graph_add_value(graph, NULL, NULL), no = onri_graph_add_data(graph, &scalar, "\0"),
                yes = onri_graph_add_data(graph, &scalar, "\1");
  assert_int_equal(import("Dropout", 13, (const int32_t[]){x, ONRI_NONE, no}, 3, 1, NULL, 0), ONR_STATUS_OK);
  (void)expect_node(3, &onri_layer_identity);
  assert_int_equal(import("Dropout", 13, (const int32_t[]){x, ONRI_NONE, yes}, 3, 1, seed, 1), ONR_STATUS_OK);
  assert_int_equal(((const struct onr_dropout_params *)expect_node(4, &onri_layer_dropout))->seed, 7);
}

static void test_variadic(void **state) {
  (void)state;
  assert_int_equal(import("Max", 13, NULL, 1, 1, NULL, 0), ONR_STATUS_OK);
  (void)expect_node(0, &onri_layer_identity);
  assert_int_equal(import("Sum", 13, NULL, 3, 1, NULL, 0), ONR_STATUS_OK);
  for (size_t i = 1; i <= 2; i++)
    assert_int_equal(((const struct onr_binary_params *)expect_node(i, &onri_layer_binary))->op, ONR_BINARY_ADD);
  assert_int_equal(graph->nodes[2].in[0], graph->nodes[1].out[0]);
  assert_int_equal(import("Mean", 13, NULL, 2, 1, NULL, 0), ONR_STATUS_OK);
  (void)expect_node(4, &onri_layer_cast_like);
  assert_int_equal(((const struct onr_binary_params *)expect_node(5, &onri_layer_binary))->op, ONR_BINARY_DIV);
  assert_int_equal(graph->nodes[5].in[0], graph->nodes[3].out[0]);
  assert_int_equal(graph->nodes[5].in[1], graph->nodes[4].out[0]);
}

static void test_functions_with_attributes(void **state) {
  (void)state;
  const struct onri_attribute tanh_form[] = {STRING("approximate", "tanh")}, right[] = {STRING("direction", "RIGHT")};
  const struct onri_attribute one[] = {INT("fmod", 1)}, positive[] = {INT("detect_negative", 0)};
  assert_int_equal(import("Gelu", 20, NULL, 1, 1, tanh_form, 1), ONR_STATUS_OK);
  assert_int_equal(((const struct onr_unary_params *)expect_node(0, &onri_layer_unary))->op, ONR_UNARY_GELU_TANH);
  assert_int_equal(import("BitShift", 11, NULL, 2, 1, right, 1), ONR_STATUS_OK);
  assert_int_equal(((const struct onr_binary_params *)expect_node(1, &onri_layer_binary))->op, ONR_BINARY_SHIFT_RIGHT);
  assert_int_equal(import("Mod", 13, NULL, 2, 1, one, 1), ONR_STATUS_OK);
  assert_int_equal(((const struct onr_binary_params *)expect_node(2, &onri_layer_binary))->op, ONR_BINARY_FMOD);
  assert_int_equal(import("IsInf", 20, NULL, 1, 1, positive, 1), ONR_STATUS_OK);
  const struct onr_unary_params *p = expect_node(3, &onri_layer_unary);
  assert_true(p->op == ONR_UNARY_IS_INF && p->alpha == 0.0f && p->beta == 1.0f);
  assert_int_equal(import("Selu", 6, NULL, 1, 1, NULL, 0), ONR_STATUS_OK);
  p = expect_node(4, &onri_layer_unary);
  assert_true(fabsf(p->alpha - 1.6732632f) < 1e-6f && fabsf(p->beta - 1.050701f) < 1e-6f);
}

static void test_quantize(void **state) {
  (void)state;
  const struct onri_attribute attributes[] = {INT("axis", -1), INT("block_size", 32), INT("output_dtype", 22),
                                              INT("saturate", 0)};
  assert_int_equal(import("QuantizeLinear", 21, NULL, 2, 1, attributes, 4), ONR_STATUS_OK);
  const struct onr_quantize_params *p = expect_node(0, &onri_layer_quantize_linear);
  assert_true(p->axis == -1 && p->block_size == 32 && p->output_dtype == ONR_DTYPE_I4 && p->unsaturated == 1);
  assert_int_equal(import("DequantizeLinear", 10, NULL, 3, 1, NULL, 0), ONR_STATUS_OK);
  p = expect_node(1, &onri_layer_dequantize_linear);
  assert_true(p->axis == 1 && p->block_size == 0 && p->output_dtype == ONR_DTYPE_NONE && p->unsaturated == 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_binary),
      TEST(test_binary_at_an_axis),
      TEST(test_prelu_with_a_slope_per_channel),
      TEST(test_clip),
      TEST(test_cast),
      TEST(test_wrong_attributes),
      TEST(test_dropout),
      TEST(test_variadic),
      TEST(test_functions_with_attributes),
      TEST(test_quantize),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
