/* model: options that are read, what a finished model declares and owns, and what failures leave behind. */
#include <string.h>

#include "support/counted_memory.h"
#include "support/layer_test.h"

#include "layers/layers.h"
#include "model/model.h"

static size_t kept, released; /* what the importer gave, and what was given back to it */

static void release_keep(void *keep) {
  assert_ptr_equal(keep, &kept);
  released++;
}

static const char *const symbols[] = {"batch", NULL};

/* x [batch, 3] + w -> y. Values get the names of a file. */
static struct onri_graph *make_graph(struct onr_model *model, int broken) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){ONR_UNKNOWN_DIM, 3});
  const struct onr_desc row = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){3});
  const struct onr_binary_params add = {.op = ONR_BINARY_ADD};
  struct onri_graph *graph;
  if (onri_graph_create(&model->env, &graph, NULL) != ONR_STATUS_OK) return NULL;
  const int32_t x = onri_graph_add_value(graph, "x", &desc), y = onri_graph_add_value(graph, "y", NULL);
  const int32_t w = onri_graph_add_data(graph, &row, (float[]){1, 2, 3});
  int ok = x >= 0 && y >= 0 && w >= 0 &&
           onri_graph_add_node(graph, &onri_layer_binary, &add, NULL, (int32_t[]){x, w}, 2, &y, 1);
  if (ok) graph->values[x].dim_names = symbols;
  ok = ok && onri_graph_set_inputs(graph, &x, 1, NULL) == ONR_STATUS_OK;
  ok = ok && onri_graph_set_outputs(graph, broken ? &w : &y, 1, NULL) == ONR_STATUS_OK;
  if (ok && broken) graph->outputs[0] = 77;
  if (ok) return graph;
  onri_graph_destroy(graph);
  return NULL;
}

static enum onr_status make_model(struct onr_model **model, int broken, const char *disabled, struct onr_error *error) {
  const struct onr_model_options options = {.size = sizeof(options), .allocator = &counted_memory};
  const struct onr_model_options finish = {.size = sizeof(finish), .disabled_passes = disabled};
  char producer[] = "somebody";
  struct onr_model_info info = {.producer_name = producer};
  kept = released = 0;
  ONR_TRY(onri_model_create(&options, model, error));
  struct onri_graph *graph = make_graph(*model, broken);
  if (!graph) return ONR_STATUS_NO_MEMORY;
  const enum onr_status status = onri_model_finish(*model, graph, &info, &kept, release_keep, &finish, error);
  memset(producer, '-', sizeof(producer) - 1); /* strings were copied */
  return status;
}

static void a_model_declares_its_values(void **state) {
  struct onr_model *model;
  struct onr_model_info info = {.size = sizeof(info)};
  struct onr_error error = {0};
  (void)state;
  counted_memory_begin();
  if (make_model(&model, 0, NULL, &error) != ONR_STATUS_OK) fail_msg("%s", error.message);
  const struct onr_value_info *x = onr_model_input(model, 0), *y = onr_model_output(model, 0);
  assert_string_equal(x->name, "x");
  assert_string_equal(x->dim_name[0], "batch");
  assert_null(x->dim_name[1]);
  assert_true(x->dim[0] == ONR_UNKNOWN_DIM && x->dim[1] == 3);
  assert_int_equal(y->rank, 2); /* nobody declared it: it follows from the inputs */
  assert_int_equal(y->dtype, ONR_DTYPE_F32);
  assert_int_equal(y->dim[1], 3);
  assert_string_equal(y->dim_name[0], "batch");
  assert_int_equal(onr_model_find_input(model, "x"), 0);
  assert_int_equal(onr_model_find_input(model, "y"), -1);
  assert_int_equal(onr_model_find_output(model, "y"), 0);
  assert_null(onr_model_input(model, 1));
  assert_null(onr_model_output(model, SIZE_MAX));
  assert_int_equal(onr_model_get_info(model, &info), ONR_STATUS_OK);
  assert_string_equal(info.producer_name, "somebody");
  assert_string_equal(info.producer_version, ""); /* never NULL */
  assert_int_equal(info.num_nodes, 1);
  assert_int_equal(model->constant_bytes, 12);
  assert_true(info.weight_bytes >= 12);
  assert_int_equal(released, 0);
  onr_model_destroy(model);
  assert_int_equal(released, 1);
  assert_int_equal(counted_live, 0);
}

static void nothing_of_nothing(void **state) {
  struct onr_model_info info = {.size = sizeof(info)};
  (void)state;
  assert_int_equal(onr_model_num_inputs(NULL), 0);
  assert_int_equal(onr_model_num_outputs(NULL), 0);
  assert_int_equal(onr_model_num_defaults(NULL), 0);
  assert_int_equal(onr_model_num_modules(NULL), 0);
  assert_null(onr_model_input(NULL, 0));
  assert_null(onr_model_output(NULL, 0));
  assert_null(onr_model_module(NULL, 0));
  assert_int_equal(onr_model_find_input(NULL, "x"), -1);
  assert_int_equal(onr_model_get_info(NULL, &info), ONR_STATUS_ARGUMENT);
  onr_model_destroy(NULL);
}

/* Graph and keep go with the model, whatever happened. */
static void a_failure_takes_over_all_the_same(void **state) {
  struct onr_model *model;
  struct onr_error error = {0};
  (void)state;
  for (int broken = 0; broken < 2; broken++) {
    counted_memory_begin();
    const enum onr_status status = make_model(&model, broken, broken ? NULL : "no_such_pass", &error);
    assert_int_equal(status, broken ? ONR_STATUS_INTERNAL : ONR_STATUS_ARGUMENT);
    assert_int_equal(released, 0);
    onr_model_destroy(model);
    assert_int_equal(released, 1);
    assert_int_equal(counted_live, 0);
  }
}

static void memory_may_run_out_anywhere(void **state) {
  enum onr_status status;
  size_t n = 0;
  (void)state;
  do {
    struct onr_model *model = NULL;
    counted_memory_begin();
    counted_fail_at = ++n;
    status = make_model(&model, 0, NULL, NULL);
    if (status != ONR_STATUS_OK) assert_int_equal(status, ONR_STATUS_NO_MEMORY);
    onr_model_destroy(model);
    assert_int_equal(counted_live, 0);
  } while (status != ONR_STATUS_OK && n < 10000);
  assert_in_range(n, 10, 9999);
}

static void options_are_checked(void **state) {
  const struct onr_allocator half = {.allocate = counted_memory.allocate};
  struct onr_model_options options = {.size = sizeof(options), .allocator = &half}, read;
  struct onr_model *model = (struct onr_model *)1;
  (void)state;
  assert_int_equal(onri_model_create(&options, &model, NULL), ONR_STATUS_ARGUMENT);
  assert_null(model);
  memset(&read, 1, sizeof(read));
  assert_int_equal(onri_model_options_read(NULL, &read, NULL), ONR_STATUS_OK); /* none: all zero */
  assert_null(read.allocator);
  assert_null(read.disabled_passes);
  options.size = 3;
  assert_int_equal(onri_model_options_read(&options, &read, NULL), ONR_STATUS_ARGUMENT);
  counted_memory_begin();
  options =
      (struct onr_model_options){.size = sizeof(options),
                                 .allocator = &counted_memory,
                                 .limits = &(struct onr_limits){.size = sizeof(struct onr_limits), .plan_bytes = 77}};
  assert_int_equal(onri_model_create(&options, &model, NULL), ONR_STATUS_OK);
  assert_int_equal(model->plan_bytes, 77);
  assert_int_equal(model->work, 0); /* the caller does not limit it */
  assert_true(model->env.limits.total_bytes > 0 && model->env.limits.work > 0);
  assert_true(model->meter.held > 0); /* the model itself counts */
  onr_model_destroy(model);
  assert_int_equal(counted_live, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_model_declares_its_values),
      cmocka_unit_test(nothing_of_nothing),
      cmocka_unit_test(a_failure_takes_over_all_the_same),
      cmocka_unit_test(memory_may_run_out_anywhere),
      cmocka_unit_test(options_are_checked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
