/* What a session holds: memory of its largest shape and no sum over shapes, plans within a bound; trimming; memory that
 * runs out anywhere. */
#include "support/small_session.h"

/* A chain of increments, each in place, that never touches its first result again. */
static struct onr_session *chain(struct builder *b, size_t length) {
  int32_t v = value(b->graph, "x");
  const int32_t x = v;
  for (size_t i = 0; i < length; i++) v = node(b->graph, &increment, &v, 1);
  return finish(b, &x, 1, &v, 1);
}

static void run_zeros(struct onr_session *s, int64_t count, float expected) {
  static float zeros[1 << 20];
  struct onr_tensor y;
  assert_in_range(count, 1, 1 << 20);
  set(s, 0, zeros, count);
  run(s);
  assert_int_equal(onr_session_get_output(s, 0, &y, NULL), ONR_STATUS_OK);
  assert_int_equal(y.desc.dim[0], count);
  assert_true(((const float *)y.data)[0] == expected && ((const float *)y.data)[count - 1] == expected);
}

static void many_shapes_hold_what_the_largest_needs(void **state) {
  size_t alone, before;
  uint32_t random = 1;
  struct builder b = start();
  struct onr_session *s = chain(&b, 100);
  (void)state;
  before = counted_bytes;
  run_zeros(s, 1 << 20, 100);
  alone = counted_bytes - before;
  end(&b, s);
  b = start();
  s = chain(&b, 100);
  before = counted_bytes;
  for (int i = 0; i < 500; i++) {
    random = random * 1664525 + 1013904223;
    run_zeros(s, i % 50 == 49 ? (1 << 20) - i : 1 + (random >> 22), 100);
  }
  run_zeros(s, 1 << 20, 100);
  assert_in_range(counted_bytes - before, 0,
                  alone + (2 << 20) + alone / 7); /* the least that plans may take, and room to grow */
  assert_in_range(onr_session_total_bytes(s), (counted_bytes - before) / 10 * 9, (counted_bytes - before) / 10 * 11);
  end(&b, s);
}

static void shapes_that_repeat_allocate_nothing(void **state) {
  struct builder b = start();
  struct onr_session *s = chain(&b, 10);
  size_t before = 0;
  (void)state;
  for (int round = 0; round < 4; round++) {
    if (round == 1) before = counted_total;
    for (int64_t count = 1; count <= 10000; count *= 10) run_zeros(s, count, 10);
    for (int64_t count = 10000; count > 0; count /= 10) run_zeros(s, count, 10);
  }
  assert_int_equal(counted_total, before);
  end(&b, s);
}

static void the_least_recently_used_go_first(void **state) {
  struct builder b = start_with(&(struct onr_limits){.size = sizeof(struct onr_limits), .plan_bytes = 1});
  struct onr_session *s = chain(&b, 10);
  size_t one, before = counted_bytes;
  (void)state;
  run_zeros(s, 5, 10);
  one = onr_session_total_bytes(s);
  for (int64_t count = 1; count < 100; count++) run_zeros(s, count, 10);
  assert_in_range(onr_session_total_bytes(s), 0, 2 * one); /* the last plan, and the memory of the one before it */
  end(&b, s);
  b = start_with(&(struct onr_limits){.size = sizeof(struct onr_limits), .plan_bytes = 1 << 20});
  s = chain(&b, 10);
  for (int64_t count = 1; count < 1000; count++) {
    run_zeros(s, 7, 10); /* always used: stays, although it is the oldest */
    run_zeros(s, 10 + count, 10);
    before = counted_total;
    run_zeros(s, 7, 10);
    assert_int_equal(counted_total, before);
  }
  end(&b, s);
}

static void plans_make_room_when_memory_is_short(void **state) {
  struct builder b = start();
  struct onr_session *s = chain(&b, 50);
  (void)state;
  run_zeros(s, 1000, 50);
  const uint64_t limit = counted_bytes + counted_bytes / 2;
  end(&b, s);
  b = start_with(&(struct onr_limits){.size = sizeof(struct onr_limits), .total_bytes = limit, .plan_bytes = 1 << 30});
  s = chain(&b, 50);
  for (int64_t count = 1; count <= 300; count++) run_zeros(s, 3 * count, 50);
  assert_in_range(counted_bytes, 0, limit);
  end(&b, s);
}

static void trimming_keeps_results_alone(void **state) {
  struct builder b = start();
  const int32_t x = value(b.graph, "x"), one = node(b.graph, &increment, &x, 1),
                some = node(b.graph, &positive, &one, 1);
  const int32_t twice = node(b.graph, &join, (int32_t[]){some, some}, 2);
  struct onr_session *s = finish(&b, &x, 1, (int32_t[]){one, some, twice}, 3);
  _Alignas(8) float memory[8];
  const size_t empty = counted_bytes;
  (void)state;
  assert_int_equal(onr_session_trim(s, NULL), ONR_STATUS_OK); /* nothing to do yet */
  for (int round = 0; round < 3; round++) {
    assert_int_equal(onr_session_bind_output(s, 2, NULL, 0, NULL), ONR_STATUS_OK);
    for (int64_t count = 1; count < 500; count++) {
      set(s, 0, (float[500]){0}, count);
      run(s);
    }
    const size_t before = counted_bytes;
    if (round == 1) assert_int_equal(onr_session_bind_output(s, 2, memory, sizeof(memory), NULL), ONR_STATUS_OK);
    set(s, 0, (float[]){0, -5, 2}, 3);
    run(s);
    assert_int_equal(onr_session_trim(s, NULL), ONR_STATUS_OK);
    assert_in_range(counted_bytes, empty, empty + (before - empty) / 10);
    for (int again = 0; again < 2; again++) { /* planning something else, and trimming again, change nothing */
      expect(s, 0, (float[]){1, -4, 3}, 3);
      expect(s, 1, (float[]){1, 3}, 2);
      expect(s, 2, (float[]){1, 3, 1, 3}, 4);
      set(s, 0, (float[400]){0}, 400);
      assert_int_equal(onr_session_plan(s, NULL), ONR_STATUS_OK);
      assert_int_equal(onr_session_trim(s, NULL), ONR_STATUS_OK);
    }
  }
  set(s, 0, (float[]){1}, 1);
  assert_int_equal(onr_session_bind_output(s, 2, memory, 4, NULL), ONR_STATUS_OK);
  assert_int_equal(onr_session_run(s, NULL), ONR_STATUS_ARGUMENT); /* no results: nothing to keep */
  assert_int_equal(onr_session_trim(s, NULL), ONR_STATUS_OK);
  assert_in_range(counted_bytes, empty, empty + 4096); /* the table of plans stays */
  end(&b, s);
}

/* --- memory that runs out --- */

static struct onri_graph *body_of(struct builder *b, size_t num_inputs, int32_t *in) {
  struct onri_graph *body;
  assert_int_equal(onri_graph_create(&b->model->env, &body, NULL), ONR_STATUS_OK);
  for (size_t i = 0; i < num_inputs; i++) in[i] = value(body, "in");
  assert_int_equal(onri_graph_set_inputs(body, in, num_inputs, NULL), ONR_STATUS_OK);
  return body;
}

static void set_bodies(struct builder *b, struct onri_node *control, struct onri_graph *const *bodies, int32_t count) {
  assert_non_null(control);
  control->num_bodies = count;
  control->bodies = onri_arena_copy(&b->graph->arena, bodies, (size_t)count * sizeof(*bodies));
}

/* y = x if x[0] < 0 else x, x, three times around; scan: y each time; then the positive ones plus 1. */
static struct onr_session *everything(struct builder *b) {
  const struct onr_loop_params params = {.num_carried = 1};
  const int64_t three = 3;
  const float zero = 0;
  int32_t then_in[2], else_in[2], loop_in[3];
  struct onri_graph *const branches[2] = {body_of(b, 2, then_in), body_of(b, 2, else_in)},
                           *body = body_of(b, 3, loop_in);
  const int32_t same = node(branches[0], &flat, then_in, 1),
                twice = node(branches[1], &join, (int32_t[]){else_in[0], else_in[0]}, 2);
  onri_graph_set_outputs(branches[0], &same, 1, NULL);
  onri_graph_set_outputs(branches[1], &twice, 1, NULL);
  const int32_t nothing =
      onri_graph_add_data(body, &(struct onr_desc){.dtype = ONR_DTYPE_F32, .rank = 1, .dim = {1}}, &zero);
  const int32_t negative = node(body, &below, (int32_t[]){loop_in[2], nothing}, 2), chosen = value(body, NULL);
  set_bodies(b,
             onri_graph_add_node(body, &onri_layer_if, NULL, NULL,
                                 (int32_t[]){negative, loop_in[2], nothing, loop_in[2], nothing}, 5, &chosen, 1),
             branches, 2);
  const int32_t next = node(body, &increment, &chosen, 1), first = node(body, &zeros, &next, 1);
  onri_graph_set_outputs(body, (int32_t[]){loop_in[1], next, first}, 3, NULL);
  const int32_t x = value(b->graph, "x"),
                trips = onri_graph_add_data(b->graph, &(struct onr_desc){.dtype = ONR_DTYPE_I64}, &three);
  const int32_t out[2] = {value(b->graph, NULL), value(b->graph, NULL)};
  set_bodies(
      b, onri_graph_add_node(b->graph, &onri_layer_loop, &params, NULL, (int32_t[]){trips, ONRI_NONE, x}, 3, out, 1),
      &body, 1);
  const int32_t some = node(b->graph, &positive, out, 1), more = node(b->graph, &increment, &some, 1);
  return finish(b, &x, 1, (int32_t[]){out[0], more}, 2);
}

/* Runs with [-1] * count: unchanged twice (-1, 0 after one increment: from then on doubled). */
static enum onr_status try_run(struct onr_session *s, int64_t count) {
  static float input[16];
  const struct onr_tensor x = {onr_desc_make(ONR_DTYPE_F32, 1, &count), input};
  enum onr_status status;
  struct onr_tensor y;
  for (int i = 0; i < 16; i++) input[i] = -1;
  status = onr_session_set_input(s, 0, &x, NULL);
  if (status == ONR_STATUS_OK) status = onr_session_run(s, NULL);
  if (status != ONR_STATUS_OK) {
    assert_int_equal(onr_session_get_output(s, 0, &y, NULL), ONR_STATUS_STATE);
    return status;
  }
  for (size_t k = 0; k < 2; k++) {
    assert_int_equal(onr_session_get_output(s, k, &y, NULL), ONR_STATUS_OK);
    assert_int_equal(y.desc.dim[0], 4 * count);
    for (int64_t i = 0; i < 4 * count; i++) assert_true(((const float *)y.data)[i] == (float)(2 + k));
  }
  return ONR_STATUS_OK;
}

/* The call number counted_fail_at fails, or all from it on; every public function says so, leaves the session usable,
 * and nothing behind. */
static size_t use_with_failure(size_t number, int for_good) {
  struct builder b = start();
  struct onr_session *s = everything(&b);
  const size_t before = counted_total;
  size_t failures = 0;
  counted_fail_at = number ? before + number : 0;
  counted_for_good = for_good;
  for (int64_t count = 1; count <= 3; count++) failures += try_run(s, 3 * count % 7) == ONR_STATUS_NO_MEMORY;
  failures += onr_session_plan(s, NULL) != ONR_STATUS_OK;
  assert_int_equal(onr_session_trim(s, NULL), ONR_STATUS_OK);
  failures += try_run(s, 1) == ONR_STATUS_NO_MEMORY;
  const size_t used = counted_total - before;
  if (!number) assert_int_equal(failures, 0);
  if (for_good) assert_true(failures > 0);
  counted_fail_at = 0;
  for (int64_t count = 4; count > 0; count--) assert_int_equal(try_run(s, count), ONR_STATUS_OK);
  end(&b, s);
  return used;
}

static void memory_may_run_out_anywhere(void **state) {
  const size_t all = use_with_failure(0, 0);
  (void)state;
  assert_in_range(all, 100, 5000);
  for (size_t number = 1; number <= all; number++) {
    use_with_failure(number, 0);
    use_with_failure(number, 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(many_shapes_hold_what_the_largest_needs),
      cmocka_unit_test(shapes_that_repeat_allocate_nothing),
      cmocka_unit_test(the_least_recently_used_go_first),
      cmocka_unit_test(plans_make_room_when_memory_is_short),
      cmocka_unit_test(trimming_keeps_results_alone),
      cmocka_unit_test(memory_may_run_out_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
