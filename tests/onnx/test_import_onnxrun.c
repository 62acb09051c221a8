/* Attributes of the domain "onnxrun" that the importers refuse. What they compute is in tests/fixtures/onnxrun_*. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <string.h>

#include "onnx/import/import_file.h"
#include "onnxrun/operators.h"

enum { MOST = 4 };

struct wrong {
  const char *op_type;
  struct onri_attribute attributes[MOST];
  enum onr_status status;
  const char *text;
};

static const struct onri_op *row_of(const char *op_type) {
  for (size_t i = 0; i < onr_num_ops(); i++)
    if (strcmp(onri_op_at(i)->domain, "onnxrun") == 0 && strcmp(onri_op_at(i)->op_type, op_type) == 0)
      return onri_op_at(i);
  fail_msg("no row for %s", op_type);
  return NULL;
}

static void refuse(const struct wrong *wrong) {
  static const struct onri_origin origin = {"", "", "", "", ""};
  struct onr_env env = {.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
  const struct onri_op *row = row_of(wrong->op_type);
  struct onr_error error = {0}, first_error;
  struct onri_graph *graph;
  enum onr_status noted = ONR_STATUS_OK, status;
  int32_t in[8], out[2];
  size_t count = 0;
  assert_int_equal(onri_graph_create(&env, &graph, &error), ONR_STATUS_OK);
  for (int32_t i = 0; i < row->inputs_min; i++) in[i] = onri_graph_add_value(graph, NULL, NULL);
  out[0] = onri_graph_add_value(graph, NULL, NULL);
  while (count < MOST && wrong->attributes[count].name) count++;
  struct onri_importer importer = {.env = graph->env};
  const struct onr_node node = {.importer = &importer,
                                .graph = graph,
                                .origin = &origin,
                                .domain = "onnxrun",
                                .op_type = wrong->op_type,
                                .opset = 1,
                                .num_in = row->inputs_min,
                                .num_out = 1,
                                .in = in,
                                .out = out,
                                .attributes = wrong->attributes,
                                .num_attributes = count,
                                .status = &noted,
                                .first_error = &first_error,
                                .error = &error};
  status = row->import(&node);
  assert_int_equal(status != ONR_STATUS_OK ? status : noted, wrong->status);
  if (!strstr(error.message, wrong->text)) fail_msg("expected '%s' in: %s", wrong->text, error.message);
  onri_graph_destroy(graph);
}

#define INTS(n, ...)                                                                  \
  {                                                                                   \
    .name = (n), .kind = ONRI_ATTRIBUTE_INTS, .ints = (const int64_t[]){__VA_ARGS__}, \
    .count = sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)                 \
  }
#define INT(n, v) \
  { .name = (n), .kind = ONRI_ATTRIBUTE_INT, .i = (v) }
#define FLOATS(n, ...) \
  { .name = (n), .kind = ONRI_ATTRIBUTE_FLOATS, .floats = (const float[]){__VA_ARGS__}, .count = 2 }

static void wrong_attributes(void **state) {
  const double ratios[2] = {0.5, 1.5};
  struct onri_constant three = {.desc = onr_desc_make(ONR_DTYPE_F64, 1, (int64_t[]){3}),
                                .data = (void *)(uintptr_t)ratios};
  struct onri_constant high = {.desc = onr_desc_make(ONR_DTYPE_F64, 1, (int64_t[]){2}),
                               .data = (void *)(uintptr_t)ratios};
  struct onri_constant narrow = {.desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){2}),
                                 .data = (void *)(uintptr_t)ratios};
#define RATIO(constant) \
  { .name = "output_ratio", .kind = ONRI_ATTRIBUTE_TENSOR, .tensor = &(constant) }
  const struct wrong list[] = {
      {"AdaptiveAvgPool", {{0}}, ONR_STATUS_ATTRIBUTE, "output_size is required"},
      {"AdaptiveAvgPool", {INTS("output_size", 1, -1)}, ONR_STATUS_ATTRIBUTE, "found -1"},
      {"AdaptiveMaxPool", {INTS("output_size", INT64_MAX)}, ONR_STATUS_ATTRIBUTE, "output_size"},
      {"AdaptiveMaxPool", {INTS("output_size", 1, 1, 1, 1)}, ONR_STATUS_UNSUPPORTED, "4 dimensions"},
      {"AdaptiveMaxPool", {INT("output_size", 1)}, ONR_STATUS_ATTRIBUTE, "output_size"},
      {"AveragePool", {{0}}, ONR_STATUS_ATTRIBUTE, "kernel_shape is required"},
      {"AveragePool", {INTS("kernel_shape", 2, 2), INTS("strides", 0, 1)}, ONR_STATUS_ATTRIBUTE, "strides"},
      {"MaxPool", {INTS("kernel_shape", 2, 2), INTS("pads", 1, 1)}, ONR_STATUS_ATTRIBUTE, "pads"},
      {"MaxUnpool", {INTS("output_size", 4, 4)}, ONR_STATUS_ATTRIBUTE, "kernel_shape is required"},
      {"MaxUnpool", {INTS("kernel_shape", 2, 2), INTS("output_size", 4)}, ONR_STATUS_ATTRIBUTE, "output_size has 1"},
      {"MaxUnpool", {INTS("kernel_shape", 2, 2), INTS("output_size", 4, 0)}, ONR_STATUS_ATTRIBUTE, "output_size"},
      {"FractionalMaxPool", {INTS("kernel_shape", 2), INTS("output_size", 2)}, ONR_STATUS_ATTRIBUTE, "2 or 3"},
      {"FractionalMaxPool", {INTS("kernel_shape", 2, 2)}, ONR_STATUS_ATTRIBUTE, "output_size or output_ratio"},
      {"FractionalMaxPool",
       {INTS("kernel_shape", 2, 2), INTS("output_size", 2, 2, 2)},
       ONR_STATUS_ATTRIBUTE,
       "3 dimensions"},
      {"FractionalMaxPool",
       {INTS("kernel_shape", 2, 2), FLOATS("output_ratio", 0.5f, 0.5f)},
       ONR_STATUS_ATTRIBUTE,
       "float64 tensor"},
      {"FractionalMaxPool", {INTS("kernel_shape", 2, 2), RATIO(three)}, ONR_STATUS_ATTRIBUTE, "2 elements"},
      {"FractionalMaxPool", {INTS("kernel_shape", 2, 2), RATIO(narrow)}, ONR_STATUS_ATTRIBUTE, "float64 tensor"},
      {"FractionalMaxPool", {INTS("kernel_shape", 2, 2), RATIO(high)}, ONR_STATUS_ATTRIBUTE, "found 1.5"},
      {"Unfold", {INTS("strides", 2, 2)}, ONR_STATUS_ATTRIBUTE, "kernel_shape is required"},
      {"Unfold", {INTS("kernel_shape", 2, 2), INTS("pads", -1, 0, 0, 0)}, ONR_STATUS_ATTRIBUTE, "pads"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) refuse(&list[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(wrong_attributes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
