/* Old forms of the shape and movement ops: each node is imported at its opset, computed, and compared with what its
 * specification says. The newest forms are covered by ONNX's own node tests. */
#include <string.h>

#include "graph/graph.h"
#include "onnx/import/import_file.h"
#include "onnxrun/operators.h"
#include "support/index_loop.h"

enum { MAX_VALUES = 32 };

static struct onr_env env;
static struct onri_graph *graph;
static struct onri_constant *computed[MAX_VALUES];
static struct onr_error error, first_error;
static const struct onri_origin origin = {"", "", "", "", ""};

/* One node under test: inputs and attributes are added, then it is imported and computed. */
struct form {
  int32_t in[4], out[4];
  int32_t num_in, num_out;
  struct onri_attribute attributes[4];
  size_t num_attributes;
};

static int set_up(void **state) {
  (void)state;
  env = (struct onr_env){
      .allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL), .backend = ONR_BACKEND_PORTABLE};
  memset(computed, 0, sizeof(computed));
  return onri_graph_create(&env, &graph, NULL) != ONR_STATUS_OK;
}

static int tear_down(void **state) {
  (void)state;
  for (size_t i = 0; i < MAX_VALUES; i++) onri_constant_release(computed[i]);
  onri_graph_destroy(graph);
  return 0;
}

static void add_input(struct form *f, enum onr_dtype dtype, int32_t rank, const int64_t *dims, const void *data) {
  const struct onr_desc desc = onr_desc_make(dtype, rank, dims);
  f->in[f->num_in++] = onri_graph_add_data(graph, &desc, data);
}

static struct onri_attribute *add_attribute(struct form *f, const char *name, enum onri_attribute_kind kind) {
  struct onri_attribute *a = &f->attributes[f->num_attributes++];
  *a = (struct onri_attribute){.name = name, .kind = kind};
  return a;
}

static void add_int(struct form *f, const char *name, int64_t value) {
  add_attribute(f, name, ONRI_ATTRIBUTE_INT)->i = value;
}
static void add_float(struct form *f, const char *name, float value) {
  add_attribute(f, name, ONRI_ATTRIBUTE_FLOAT)->f = value;
}

static void add_ints(struct form *f, const char *name, const int64_t *values, size_t count) {
  struct onri_attribute *a = add_attribute(f, name, ONRI_ATTRIBUTE_INTS);
  a->ints = values;
  a->count = count;
}

static onri_import_fn importer_of(const char *op_type, int64_t opset) {
  const struct onri_op *best = NULL;
  for (size_t i = 0; i < onr_num_ops(); i++) {
    const struct onri_op *op = onri_op_at(i);
    if (op->domain[0] || strcmp(op->op_type, op_type) || op->since_version > opset) continue;
    if (!best || op->since_version > best->since_version) best = op;
  }
  assert_non_null(best);
  return best->import;
}

static enum onr_status import(struct form *f, const char *op_type, int64_t opset, int32_t num_out) {
  enum onr_status status = ONR_STATUS_OK;
  f->num_out = num_out;
  for (int32_t i = 0; i < num_out; i++) f->out[i] = onri_graph_add_value(graph, NULL, NULL);
  struct onri_importer importer = {.env = graph->env};
  const struct onr_node node = {.importer = &importer,
                                .graph = graph,
                                .origin = &origin,
                                .domain = "",
                                .op_type = op_type,
                                .opset = opset,
                                .num_in = f->num_in,
                                .num_out = num_out,
                                .in = f->in,
                                .out = f->out,
                                .attributes = f->attributes,
                                .num_attributes = f->num_attributes,
                                .status = &status,
                                .first_error = &first_error,
                                .error = &error};
  const enum onr_status returned = importer_of(op_type, opset)(&node);
  return status != ONR_STATUS_OK ? status : returned;
}

static const struct onri_constant *value_of(int32_t v) {
  return graph->values[v].constant ? graph->values[v].constant : computed[v];
}

static enum onr_status compute(void) {
  assert_true(graph->num_values <= MAX_VALUES);
  for (size_t n = 0; n < graph->num_nodes; n++) {
    const struct onri_node *node = &graph->nodes[n];
    struct onr_desc in[8] = {{0}};
    const void *inputs[8] = {NULL};
    struct onri_constant *outputs[8] = {NULL};
    for (int32_t i = 0; i < node->num_in; i++)
      if (node->in[i] != ONRI_NONE) {
        in[i] = value_of(node->in[i])->desc;
        inputs[i] = value_of(node->in[i])->data;
      }
    ONR_TRY(onri_node_evaluate(node, &env, in, inputs, outputs, &error));
    for (int32_t i = 0; i < node->num_out; i++) computed[node->out[i]] = outputs[i];
  }
  return ONR_STATUS_OK;
}

static void expect(const struct form *f, int32_t output, enum onr_dtype dtype, int32_t rank, const int64_t *dims,
                   const void *data) {
  const struct onr_desc desc = onr_desc_make(dtype, rank, dims);
  const struct onri_constant *y = computed[f->out[output]];
  assert_true(onr_desc_equal(&desc, &y->desc));
  assert_memory_equal(y->data, data, onr_desc_bytes(&desc));
}

/* Imports, computes and expects the one float32 output. */
static void gives(struct form *f, const char *op_type, int64_t opset, int32_t rank, const int64_t *dims,
                  const float *data) {
  if (import(f, op_type, opset, 1) != ONR_STATUS_OK || compute() != ONR_STATUS_OK)
    fail_msg("%s: %s", op_type, error.message);
  expect(f, 0, ONR_DTYPE_F32, rank, dims, data);
}

static const float six[6] = {1, 2, 3, 4, 5, 6};

static void reshape_1(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 2, DIMS(2, 3), six);
  add_ints(&f, "shape", DIMS(0, -1, 1), 3);
  gives(&f, "Reshape", 1, 3, DIMS(2, 3, 1), six);
}

static void squeeze_1(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 4, DIMS(1, 2, 1, 3), six);
  add_ints(&f, "axes", DIMS(2), 1);
  gives(&f, "Squeeze", 11, 3, DIMS(1, 2, 3), six);
}

static void squeeze_1_all(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 4, DIMS(1, 2, 1, 3), six);
  gives(&f, "Squeeze", 1, 2, DIMS(2, 3), six);
}

static void unsqueeze_1(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 2, DIMS(2, 3), six);
  add_ints(&f, "axes", DIMS(0, 3), 2);
  gives(&f, "Unsqueeze", 1, 4, DIMS(1, 2, 3, 1), six);
}

static void concat_1(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 2, DIMS(2, 1), six);
  add_input(&f, ONR_DTYPE_F32, 2, DIMS(2, 2), six);
  gives(&f, "Concat", 1, 2, DIMS(2, 3), (const float[6]){1, 1, 2, 2, 3, 4}); /* axis 1 when it is not given */
}

static void split_2(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 2, DIMS(2, 3), six);
  add_ints(&f, "split", DIMS(1, 2), 2);
  add_int(&f, "axis", 1);
  assert_int_equal(import(&f, "Split", 11, 2), ONR_STATUS_OK);
  assert_int_equal(compute(), ONR_STATUS_OK);
  expect(&f, 0, ONR_DTYPE_F32, 2, DIMS(2, 1), (const float[2]){1, 4});
  expect(&f, 1, ONR_DTYPE_F32, 2, DIMS(2, 2), (const float[4]){2, 3, 5, 6});
}

/* Before version 18 parts are equal, and what does not divide is an error; from 18 on the last part is shorter. */
static void split_unevenly(void **state) {
  struct form old = {0}, new = {0};
  (void)state;
  add_input(&new, ONR_DTYPE_F32, 1, DIMS(5), six);
  add_int(&new, "num_outputs", 2);
  assert_int_equal(import(&new, "Split", 18, 2), ONR_STATUS_OK);
  assert_int_equal(compute(), ONR_STATUS_OK);
  expect(&new, 0, ONR_DTYPE_F32, 1, DIMS(3), six);
  expect(&new, 1, ONR_DTYPE_F32, 1, DIMS(2), six + 3);
  add_input(&old, ONR_DTYPE_F32, 1, DIMS(5), six);
  assert_int_equal(import(&old, "Split", 13, 2), ONR_STATUS_OK);
  const struct onr_desc in = onr_desc_make(ONR_DTYPE_F32, 1, DIMS(5));
  const void *inputs[1] = {six};
  struct onri_constant *outputs[2] = {NULL};
  assert_int_equal(onri_node_evaluate(&graph->nodes[1], &env, &in, inputs, outputs, &error), ONR_STATUS_SHAPE);
}

static void split_with_wrong_count(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 1, DIMS(6), six);
  add_int(&f, "num_outputs", 3);
  assert_int_equal(import(&f, "Split", 18, 2), ONR_STATUS_ATTRIBUTE);
}

static void slice_1(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 2, DIMS(2, 3), six);
  add_ints(&f, "starts", DIMS(-1, 0), 2);
  add_ints(&f, "ends", DIMS(1000, -1), 2);
  add_ints(&f, "axes", DIMS(0, 1), 2);
  gives(&f, "Slice", 1, 2, DIMS(1, 2), (const float[2]){4, 5});
}

static void slice_1_without_axes(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 2, DIMS(2, 3), six);
  add_ints(&f, "starts", DIMS(1, 1), 2);
  add_ints(&f, "ends", DIMS(2, 3), 2);
  gives(&f, "Slice", 9, 2, DIMS(1, 2), (const float[2]){5, 6});
}

static void tile_1(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 2, DIMS(2, 1), six);
  add_input(&f, ONR_DTYPE_F32, 0, NULL, (const float[1]){3});
  add_input(&f, ONR_DTYPE_F32, 0, NULL, (const float[1]){1});
  gives(&f, "Tile", 1, 2, DIMS(2, 3), (const float[6]){1, 1, 1, 2, 2, 2});
}

static void pad_1(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 1, DIMS(2), six);
  add_ints(&f, "paddings", DIMS(1, 2), 2);
  add_float(&f, "value", 7.5f);
  gives(&f, "Pad", 1, 1, DIMS(5), (const float[5]){7.5f, 1, 2, 7.5f, 7.5f});
}

static void pad_2_reflects(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 1, DIMS(3), six);
  add_ints(&f, "pads", DIMS(2, 1), 2);
  add_attribute(&f, "mode", ONRI_ATTRIBUTE_STRING)->s = (struct onr_string){"reflect", 7};
  gives(&f, "Pad", 10, 1, DIMS(6), (const float[6]){3, 2, 1, 2, 3, 2});
}

static void pad_with_unknown_mode(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 1, DIMS(3), six);
  add_ints(&f, "pads", DIMS(2, 1), 2);
  add_attribute(&f, "mode", ONRI_ATTRIBUTE_STRING)->s = (struct onr_string){"mirror", 6};
  assert_int_equal(import(&f, "Pad", 2, 1), ONR_STATUS_ATTRIBUTE);
}

static void top_k_1(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 2, DIMS(2, 3), six);
  add_int(&f, "k", 2);
  assert_int_equal(import(&f, "TopK", 1, 2), ONR_STATUS_OK);
  assert_int_equal(compute(), ONR_STATUS_OK);
  expect(&f, 0, ONR_DTYPE_F32, 2, DIMS(2, 2), (const float[4]){3, 2, 6, 5});
  expect(&f, 1, ONR_DTYPE_I64, 2, DIMS(2, 2), DIMS(2, 1, 2, 1));
}

static void scatter_9(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 1, DIMS(3), six);
  add_input(&f, ONR_DTYPE_I64, 1, DIMS(2), DIMS(2, 0));
  add_input(&f, ONR_DTYPE_F32, 1, DIMS(2), (const float[2]){9, 8});
  gives(&f, "Scatter", 9, 1, DIMS(3), (const float[3]){8, 2, 9});
}

static void constant_fill_of_contents(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_I32, 1, DIMS(2), (const int32_t[2]){2, 1});
  add_int(&f, "input_as_shape", 1);
  add_float(&f, "value", 4);
  gives(&f, "ConstantFill", 7, 2, DIMS(2, 1), (const float[2]){4, 4});
}

static void constant_fill_of_shape(void **state) {
  struct form f = {0};
  (void)state;
  add_input(&f, ONR_DTYPE_F32, 2, DIMS(2, 1), six);
  add_ints(&f, "extra_shape", DIMS(3), 1);
  add_float(&f, "value", 4);
  gives(&f, "ConstantFill", 1, 3, DIMS(2, 1, 3), (const float[6]){4, 4, 4, 4, 4, 4});
}

static void constant_fill_of_attribute(void **state) {
  struct form f = {0};
  (void)state;
  add_ints(&f, "shape", DIMS(2), 1);
  gives(&f, "ConstantFill", 1, 1, DIMS(2), (const float[2]){0, 0});
}

static void what_is_missing(void **state) {
  static const struct {
    const char *op_type;
    int64_t opset;
  } cases[] = {{"Reshape", 1}, {"Unsqueeze", 1}, {"Concat", 4},   {"Slice", 1},       {"Pad", 1},
               {"Pad", 2},     {"TopK", 1},      {"BitCast", 26}, {"RandomNormal", 1}};
  (void)state;
  for (size_t i = 0; i < 9; i++) {
    struct form f = {0};
    if (strcmp(cases[i].op_type, "RandomNormal")) add_input(&f, ONR_DTYPE_F32, 2, DIMS(2, 3), six);
    assert_int_equal(import(&f, cases[i].op_type, cases[i].opset, 1), ONR_STATUS_ATTRIBUTE);
    assert_true(strstr(error.message, "missing") || strstr(error.message, "needed"));
  }
}

static void transposes_that_are_none(void **state) {
  static const int64_t perms[][2] = {{0, 0}, {0, 2}, {-1, 0}};
  (void)state;
  for (size_t i = 0; i < 3; i++) {
    struct form f = {0};
    add_input(&f, ONR_DTYPE_F32, 2, DIMS(2, 3), six);
    add_ints(&f, "perm", perms[i], 2);
    assert_int_equal(import(&f, "Transpose", 1, 1), ONR_STATUS_ATTRIBUTE);
  }
}

#define FORM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {FORM(reshape_1),
                                     FORM(squeeze_1),
                                     FORM(squeeze_1_all),
                                     FORM(unsqueeze_1),
                                     FORM(concat_1),
                                     FORM(split_2),
                                     FORM(split_unevenly),
                                     FORM(split_with_wrong_count),
                                     FORM(slice_1),
                                     FORM(slice_1_without_axes),
                                     FORM(tile_1),
                                     FORM(pad_1),
                                     FORM(pad_2_reflects),
                                     FORM(pad_with_unknown_mode),
                                     FORM(top_k_1),
                                     FORM(scatter_9),
                                     FORM(constant_fill_of_contents),
                                     FORM(constant_fill_of_shape),
                                     FORM(constant_fill_of_attribute),
                                     FORM(what_is_missing),
                                     FORM(transposes_that_are_none)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
