/* report: the nodes of a plan in their order, over all segments, with what is known of each. */
#include "support/small_session.h"

static int64_t seven(const struct onr_call *call) { return 7 * onr_desc_elements(&call->in[0]); }

static const struct onr_layer counted = {.name = "counted",
                                         .inputs_min = 1,
                                         .inputs_max = 2,
                                         .outputs_min = 1,
                                         .outputs_max = 1,
                                         .plan = increment_plan,
                                         .run = increment_run,
                                         .multiply_adds = seven};

static const struct onri_origin origin = {"Op", "name", "a.b", "B", "net.py:3"};

/* x -> increment -> positive (its size is known when it has run) -> counted with a constant. */
static struct onr_session *make(struct builder *b, int profile) {
  const float w[] = {1, 2, 3, 4, 5};
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){5});
  const int32_t x = value(b->graph, "x"), one = node(b->graph, &increment, &x, 1);
  const int32_t some = node(b->graph, &positive, &one, 1), c = onri_graph_add_data(b->graph, &desc, w);
  const int32_t y = value(b->graph, NULL);
  assert_non_null(onri_graph_add_node(b->graph, &counted, NULL, &origin, (int32_t[]){some, c}, 2, &y, 1));
  struct onr_session *s = finish(b, &x, 1, &y, 1);
  if (!profile) return s;
  onr_session_destroy(s);
  const struct onr_session_options options = {.size = sizeof(options), .profile = 1};
  assert_int_equal(onr_session_create(b->model, &options, &s, NULL), ONR_STATUS_OK);
  return s;
}

static struct onr_node_info info_of(const struct onr_session *s, size_t index) {
  struct onr_node_info info = {.size = sizeof(info)};
  assert_int_equal(onr_session_node(s, index, &info), ONR_STATUS_OK);
  return info;
}

static void nodes_are_listed_over_all_segments(void **state) {
  struct builder b = start();
  struct onr_session *s = make(&b, 0);
  struct onr_node_info info = {.size = sizeof(info)};
  (void)state;
  assert_int_equal(onr_session_num_nodes(s), 0); /* nothing is planned */
  assert_int_equal(onr_session_node(s, 0, &info), ONR_STATUS_ARGUMENT);
  set(s, 0, (float[]){1, -5, 3}, 3);
  run(s);
  assert_int_equal(onr_session_num_nodes(s), 3);
  assert_string_equal(info_of(s, 0).layer, "increment");
  assert_string_equal(info_of(s, 1).layer, "positive");
  info = info_of(s, 2);
  assert_string_equal(info.layer, "counted");
  assert_string_equal(info.op_type, "Op");
  assert_string_equal(info.name, "name");
  assert_string_equal(info.module_path, "a.b");
  assert_string_equal(info.source, "net.py:3");
  assert_int_equal(info.parameters, 5);
  assert_int_equal(info.multiply_adds, 14); /* of the two that are positive */
  assert_int_equal(info.input_type, ONR_DTYPE_F32);
  assert_int_equal(info.output.dim[0], 2);
  assert_int_equal(info.runs, 0); /* nobody asked to profile */
  assert_int_equal(info_of(s, 0).parameters, 0);
  assert_int_equal(onr_session_node(s, 3, &info), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_session_node(s, SIZE_MAX, &info), ONR_STATUS_ARGUMENT);
  end(&b, s);
}

static void runs_are_counted_where_asked(void **state) {
  struct builder b = start();
  struct onr_session *s = make(&b, 1);
  (void)state;
  for (uint64_t round = 1; round <= 3; round++) {
    set(s, 0, (float[]){1, -5, 3}, 3);
    run(s);
    for (size_t n = 0; n < 3; n++) assert_int_equal(info_of(s, n).runs, round);
  }
  end(&b, s);
}

static void nothing_of_nothing(void **state) {
  struct onr_node_info info = {.size = sizeof(info)};
  (void)state;
  assert_int_equal(onr_session_num_nodes(NULL), 0);
  assert_int_equal(onr_session_node(NULL, 0, &info), ONR_STATUS_ARGUMENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nodes_are_listed_over_all_segments),
                                     cmocka_unit_test(runs_are_counted_where_asked),
                                     cmocka_unit_test(nothing_of_nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
