/* watch: what a session tells of each node that runs: numbers, times that nest, operands and where they lie. */
#include "support/small_session.h"

enum { MOST = 16 };

struct seen {
  struct onr_node_run runs[MOST];
  struct onr_node_info infos[MOST];
  struct onr_operand in[MOST], out[MOST]; /* the first ones */
  float written[MOST];
  size_t count;
};

static void see(void *context, const struct onr_node_run *run) {
  struct seen *seen = context;
  assert_true(seen->count < MOST);
  const size_t i = seen->count++;
  seen->runs[i] = *run;
  seen->infos[i] = onr_node_info_init();
  seen->in[i] = onr_operand_init();
  seen->out[i] = onr_operand_init();
  assert_int_equal(onr_node_run_info(run, &seen->infos[i]), ONR_STATUS_OK);
  if (run->num_inputs) assert_int_equal(onr_node_run_input(run, 0, &seen->in[i]), ONR_STATUS_OK);
  assert_int_equal(onr_node_run_output(run, 0, &seen->out[i]), ONR_STATUS_OK);
  if (seen->out[i].tensor.data) seen->written[i] = *(const float *)seen->out[i].tensor.data;
  assert_int_equal(onr_node_run_input(run, run->num_inputs, &seen->in[MOST - 1]), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_node_run_output(run, run->num_outputs, &seen->out[MOST - 1]), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_node_run_output(run, 0, NULL), ONR_STATUS_ARGUMENT);
}

static struct onr_session *watched(struct builder *b, struct onr_session *s, struct seen *seen) {
  const struct onr_session_options options = {.size = sizeof(options), .watch = see, .watch_context = seen};
  onr_session_destroy(s);
  assert_int_equal(onr_session_create(b->model, &options, &s, NULL), ONR_STATUS_OK);
  return s;
}

/* x -> increment -> flat (a view) -> increment -> y; the second one writes over the first. */
static void operands_tell_where_they_lie(void **state) {
  struct builder b = start();
  struct seen seen = {0};
  (void)state;
  const int32_t x = value(b.graph, "x"), one = node(b.graph, &increment, &x, 1), view = node(b.graph, &flat, &one, 1);
  const int32_t y = node(b.graph, &increment, &view, 1);
  struct onr_session *s = watched(&b, finish(&b, &x, 1, &y, 1), &seen);
  assert_int_equal(onr_session_watch(s, NULL), ONR_STATUS_STATE);
  for (size_t round = 1; round <= 2; round++) {
    seen.count = 0;
    set(s, 0, (float[]){4, 5}, 2);
    run(s);
    assert_int_equal(seen.count, 3);
    for (size_t i = 0; i < 3; i++) {
      assert_int_equal(seen.runs[i].node, i);
      assert_true(seen.runs[i].parent == ONR_NO_NODE);
      assert_true(seen.runs[i].begin_ns <= seen.runs[i].end_ns);
      if (i) assert_true(seen.runs[i - 1].end_ns <= seen.runs[i].begin_ns);
      assert_int_equal(seen.out[i].storage, ONR_STORAGE_ARENA);
    }
    assert_string_equal(seen.infos[1].layer, "flat");
    assert_string_equal(seen.in[0].name, "x");
    assert_int_equal(seen.in[0].storage, ONR_STORAGE_CALLER);
    assert_int_equal(seen.in[0].value, seen.in[0].memory);
    assert_int_equal(seen.in[1].value, seen.out[0].value);
    assert_int_equal(seen.out[1].memory, seen.out[0].value);
    assert_int_equal(seen.out[1].offset, seen.out[0].offset);
    assert_ptr_equal(seen.out[1].tensor.data, seen.out[0].tensor.data);
    assert_int_equal(seen.written[0], 5);
    assert_int_equal(seen.written[2], 6);
    assert_int_equal(seen.runs[0].scratch_bytes, 100);
    assert_int_equal(seen.runs[1].scratch_bytes, 0);
    /* scratch lies beside what the node reads and writes */
    assert_true(seen.runs[2].scratch_offset >= seen.out[2].offset + 8 ||
                seen.runs[2].scratch_offset + 100 <= seen.out[2].offset);
  }
  end(&b, s);
}

/* Without a run there are shapes, places, and the data of constants. */
static void a_plan_is_told_without_a_run(void **state) {
  const float w[] = {7, 8};
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){2});
  struct builder b = start();
  struct seen seen = {0};
  (void)state;
  const int32_t c = onri_graph_add_data(b.graph, &desc, w), x = value(b.graph, "x");
  const int32_t sum = value(b.graph, "sum");
  assert_non_null(onri_graph_add_node(b.graph, &add, NULL, NULL, (int32_t[]){c, x}, 2, &sum, 1));
  const int32_t y = node(b.graph, &increment, &sum, 1);
  struct onr_session *s = watched(&b, finish(&b, &x, 1, &y, 1), &seen);
  set(s, 0, (float[]){4, 5}, 2);
  assert_int_equal(onr_session_plan(s, NULL), ONR_STATUS_OK);
  assert_int_equal(onr_session_watch(s, NULL), ONR_STATUS_OK);
  assert_int_equal(seen.count, 2);
  assert_int_equal(seen.in[0].storage, ONR_STORAGE_CONSTANT);
  assert_memory_equal(seen.in[0].tensor.data, w, sizeof(w));
  assert_string_equal(seen.out[0].name, "sum");
  assert_int_equal(seen.out[0].tensor.desc.dim[0], 2);
  assert_null(seen.out[0].tensor.data);
  assert_int_equal(seen.runs[1].begin_ns, 0);
  assert_int_equal(seen.runs[1].end_ns, 0);
  end(&b, s);
}

/* x -> positive (memory of its own: its size is known when it has run) -> increment in the next segment. */
static void segments_lie_one_behind_the_other(void **state) {
  struct builder b = start();
  struct seen seen = {0};
  (void)state;
  const int32_t x = value(b.graph, "x"), one = node(b.graph, &increment, &x, 1);
  const int32_t some = node(b.graph, &positive, &one, 1), y = node(b.graph, &increment, &some, 1);
  const int32_t outputs[] = {one, y};
  struct onr_session *s = watched(&b, finish(&b, &x, 1, outputs, 2), &seen);
  float mine[3];
  set(s, 0, (float[]){1, -5, 3}, 3);
  run(s);
  assert_int_equal(seen.count, 3);
  assert_int_equal(seen.out[1].storage, ONR_STORAGE_OWN);
  assert_int_equal(seen.out[2].storage, ONR_STORAGE_ARENA);
  assert_true(seen.out[2].offset >= seen.out[0].offset + 12); /* both are outputs */
  assert_int_equal(onr_session_bind_output(s, 0, mine, sizeof(mine), NULL), ONR_STATUS_OK);
  seen.count = 0;
  run(s);
  assert_int_equal(seen.out[0].storage, ONR_STORAGE_CALLER);
  assert_ptr_equal(seen.out[0].tensor.data, mine);
  end(&b, s);
}

static void nothing_of_nothing(void **state) {
  struct onr_node_info info = {.size = sizeof(info)};
  struct onr_operand operand = {.size = sizeof(operand)};
  (void)state;
  assert_int_equal(onr_node_run_info(NULL, &info), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_node_run_input(NULL, 0, &operand), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_node_run_output(NULL, 0, &operand), ONR_STATUS_ARGUMENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(operands_tell_where_they_lie), cmocka_unit_test(a_plan_is_told_without_a_run),
      cmocka_unit_test(segments_lie_one_behind_the_other), cmocka_unit_test(nothing_of_nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
