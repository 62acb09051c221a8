/* session: plans, segments, control flow, in-place, views, bound outputs, results, counted allocations */
#include "support/small_session.h"

static void values_read_later_are_not_overwritten(void **state) {
  struct builder b = start();
  const int32_t x = value(b.graph, "x"), one = node(b.graph, &increment, &x, 1),
                two = node(b.graph, &increment, &one, 1);
  const int32_t sum = node(b.graph, &add, (int32_t[]){one, two}, 2), flattened = node(b.graph, &flat, &sum, 1);
  const int32_t joined = node(b.graph, &join, (int32_t[]){flattened, one, flattened}, 3),
                last = node(b.graph, &increment, &two, 1);
  struct onr_session *s = finish(&b, &x, 1, (int32_t[]){joined, one, last}, 3);
  const float input[3] = {0, 10, 20};
  (void)state;
  set(s, 0, input, 3);
  for (int i = 0; i < 2; i++) {
    run(s);
    expect(s, 0, (float[]){3, 23, 43, 1, 11, 21, 3, 23, 43}, 9);
    expect(s, 1, (float[]){1, 11, 21}, 3);
    expect(s, 2, (float[]){3, 13, 23}, 3);
  }
  assert_true(input[0] == 0 && input[1] == 10 && input[2] == 20);
  end(&b, s);
}

static void a_run_after_the_first_allocates_nothing(void **state) {
  struct builder b = start();
  const int32_t x = value(b.graph, "x"), p = node(b.graph, &positive, &x, 1), y = node(b.graph, &increment, &p, 1);
  const int32_t z = node(b.graph, &zeros, &y, 1);
  struct onr_session *s = finish(&b, &x, 1, (int32_t[]){y, z}, 2);
  size_t before;
  (void)state;
  set(s, 0, (float[]){3, -1, 5}, 3);
  run(s);
  before = counted_total;
  for (int i = 0; i < 5; i++) run(s);
  assert_int_equal(counted_total, before);
  expect(s, 0, (float[]){4, 6}, 2);
  expect(s, 1, (float[]){0, 0, 0, 0}, 4);
  set(s, 0, (float[]){2, 7, 5}, 3); /* other sizes behind the same input shape: planned anew */
  run(s);
  expect(s, 0, (float[]){3, 8, 6}, 3);
  expect(s, 1, (float[]){0, 0, 0}, 3);
  set(s, 0, (float[]){-2, -7, -5, 1}, 4);
  run(s);
  expect(s, 0, (float[]){2}, 1);
  expect(s, 1, (float[]){0, 0}, 2);
  set(s, 0, (float[]){-2, -1, 5}, 3); /* back to the first plan */
  run(s);
  expect(s, 0, (float[]){6}, 1);
  end(&b, s);
}

static void bound_outputs_are_written_in_place_or_copied(void **state) {
  struct builder b = start();
  const int32_t x = value(b.graph, "x"), y = node(b.graph, &increment, &x, 1), f = node(b.graph, &flat, &y, 1);
  struct onr_session *s = finish(&b, &x, 1, (int32_t[]){y, f}, 2);
  float input[4] = {1, 2, 3, 4};
  _Alignas(8) float first[5] = {0}, second[4] = {0};
  struct onr_error error;
  (void)state;
  first[4] = -1;
  set(s, 0, input, 4);
  assert_int_equal(onr_session_bind_output(s, 0, first, 16, NULL), ONR_STATUS_OK);
  assert_int_equal(onr_session_bind_output(s, 1, second, 16, NULL), ONR_STATUS_OK);
  run(s);
  assert_ptr_equal(incremented, first);
  for (int i = 0; i < 4; i++) assert_true(first[i] == input[i] + 1 && second[i] == input[i] + 1);
  assert_true(first[4] == -1);
  assert_int_equal(onr_session_bind_output(s, 0, first, 12, NULL), ONR_STATUS_OK);
  assert_int_equal(onr_session_run(s, &error), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_session_bind_output(s, 0, NULL, 0, NULL), ONR_STATUS_OK);
  assert_int_equal(onr_session_bind_output(s, 1, input, 16, NULL), ONR_STATUS_OK); /* over the input */
  run(s);
  expect(s, 0, (float[]){2, 3, 4, 5}, 4);
  for (int i = 0; i < 4; i++) assert_true(input[i] == (float)(i + 2));
  end(&b, s);
}

/* Loop: while v[0] < bound[0]: v = v + 1; scan output: v before */
static int had_threads;

static enum onr_status note_threads(struct onr_call *c) {
  had_threads = c->env->threads != NULL;
  memcpy(c->outputs[0], c->inputs[0], onr_desc_bytes(&c->in[0]));
  return ONR_STATUS_OK;
}

static int64_t a_million(const struct onr_call *c) {
  (void)c;
  return 1000000;
}

/* A step that takes microseconds is not shared: waking a thread would take as long. */
static void small_steps_run_on_one_thread(void **state) {
  static const struct onr_layer copying = {.name = "copying",
                                           .inputs_min = 1,
                                           .inputs_max = 1,
                                           .outputs_min = 1,
                                           .outputs_max = 1,
                                           .run = note_threads},
                                heavy = {.name = "heavy",
                                         .inputs_min = 1,
                                         .inputs_max = 1,
                                         .outputs_min = 1,
                                         .outputs_max = 1,
                                         .flags = ONR_LAYER_HEAVY,
                                         .run = note_threads},
                                product = {.name = "product",
                                           .inputs_min = 1,
                                           .inputs_max = 1,
                                           .outputs_min = 1,
                                           .outputs_max = 1,
                                           .run = note_threads,
                                           .multiply_adds = a_million};
  static const struct {
    const struct onr_layer *layer;
    int64_t count;
    int shared;
  } cases[] = {{&copying, 100, 0}, {&copying, 100000, 1}, {&heavy, 100, 1}, {&product, 100, 1}};
  static float data[100000];
  struct onr_threads *threads;
  struct onr_error error;
  (void)state;
  assert_int_equal(onr_threads_create(2, NULL, &threads, &error), ONR_STATUS_OK);
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct builder b = start();
    const int32_t x = value(b.graph, "x");
    const int32_t y = node(b.graph, cases[i].layer, &x, 1);
    struct onr_session *s = finish_with(&b, &x, 1, &y, 1, threads);
    set(s, 0, data, cases[i].count);
    run(s);
    assert_int_equal(had_threads, cases[i].shared && onr_threads_count(threads) > 1);
    end(&b, s);
  }
  onr_threads_destroy(threads);
}

static void loops_carry_and_collect(void **state) {
  struct builder b = start();
  struct onri_graph *body;
  const struct onr_loop_params params = {.num_carried = 1};
  assert_int_equal(onri_graph_create(&b.model->env, &body, NULL), ONR_STATUS_OK);
  const int32_t i = value(body, "i"), cond = value(body, "cond"), v = value(body, "v"), bound = value(body, "bound");
  const int32_t next = node(body, &increment, &v, 1), more = node(body, &below, (int32_t[]){next, bound}, 2);
  onri_graph_set_inputs(body, (int32_t[]){i, cond, v, bound}, 4, NULL);
  onri_graph_set_outputs(body, (int32_t[]){more, next, v}, 3, NULL);
  const int32_t x = value(b.graph, "x"), limit = value(b.graph, "limit");
  const int32_t out[2] = {value(b.graph, NULL), value(b.graph, NULL)};
  struct onri_node *loop = onri_graph_add_node(b.graph, &onri_layer_loop, &params, NULL,
                                               (int32_t[]){ONRI_NONE, ONRI_NONE, x, limit}, 4, out, 2);
  (void)state;
  assert_non_null(loop);
  loop->num_bodies = 1;
  loop->bodies = onri_arena_copy(&b.graph->arena, &body, sizeof(body));
  const int32_t after = node(b.graph, &increment, &out[1], 1);
  struct onr_session *s = finish(&b, (int32_t[]){x, limit}, 2, (int32_t[]){out[0], out[1], after}, 3);
  set(s, 0, (float[]){0, 50}, 2);
  set(s, 1, (float[]){3, 0}, 2);
  size_t before = 0;
  for (int k = 0; k < 3; k++) {
    run(s);
    if (k == 0) before = counted_total;
    expect(s, 0, (float[]){3, 53}, 2);
    expect(s, 1, (float[]){0, 50, 1, 51, 2, 52}, 6);
    expect(s, 2, (float[]){1, 51, 2, 52, 3, 53}, 6);
  }
  assert_int_equal(counted_total, before);
  end(&b, s);
}

static void if_takes_one_branch(void **state) {
  struct builder b = start();
  struct onri_graph *bodies[2];
  for (int k = 0; k < 2; k++) {
    assert_int_equal(onri_graph_create(&b.model->env, &bodies[k], NULL), ONR_STATUS_OK);
    const int32_t v = value(bodies[k], "v"), y = node(bodies[k], &increment, &v, 1);
    const int32_t z = k ? node(bodies[k], &join, (int32_t[]){y, y}, 2) : y; /* shapes differ */
    onri_graph_set_inputs(bodies[k], &v, 1, NULL);
    onri_graph_set_outputs(bodies[k], &z, 1, NULL);
  }
  const int32_t x = value(b.graph, "x"), w = value(b.graph, "w"), c = node(b.graph, &below, (int32_t[]){x, w}, 2),
                y = value(b.graph, NULL);
  struct onri_node *branch = onri_graph_add_node(b.graph, &onri_layer_if, NULL, NULL, (int32_t[]){c, x, w}, 3, &y, 1);
  (void)state;
  assert_non_null(branch);
  branch->num_bodies = 2;
  branch->bodies = onri_arena_copy(&b.graph->arena, bodies, sizeof(bodies));
  const int32_t z = node(b.graph, &increment, &y, 1);
  struct onr_session *s = finish(&b, (int32_t[]){x, w}, 2, &z, 1);
  set(s, 0, (float[]){1}, 1);
  set(s, 1, (float[]){5}, 1);
  run(s);
  expect(s, 0, (float[]){3}, 1);
  set(s, 0, (float[]){9}, 1);
  run(s);
  expect(s, 0, (float[]){7, 7}, 2);
  set(s, 0, (float[]){1}, 1);
  run(s);
  expect(s, 0, (float[]){3}, 1);
  end(&b, s);
}

/* x -> x + 1 twice, as a vector; fails for more than 30 elements. */
static enum onr_status narrow_infer(struct onr_call *c) {
  c->out[0] = c->in[0];
  if (c->in[0].dim[0] > 30) return onr_fail(c->error, ONR_STATUS_SHAPE, "more than 30 elements");
  return ONR_STATUS_OK;
}

static const struct onr_layer narrow = {.name = "narrow",
                                        .inputs_min = 1,
                                        .inputs_max = 1,
                                        .outputs_min = 1,
                                        .outputs_max = 1,
                                        .infer = narrow_infer,
                                        .plan = increment_plan,
                                        .run = increment_run};

static void no_results(struct onr_session *s) {
  struct onr_tensor y;
  struct onr_error error = {0};
  assert_int_equal(onr_session_get_output(s, 0, &y, &error), ONR_STATUS_STATE);
}

static void planning_another_shape_keeps_the_results(void **state) {
  static const float input[32] = {0};
  float ones[32], twos[32];
  (void)state;
  for (int i = 0; i < 32; i++) ones[i] = 1, twos[i] = 2;
  for (int small = 0; small <= 1; small++) {
    struct builder b =
        start_with(&(struct onr_limits){.size = sizeof(struct onr_limits), .plan_bytes = small ? 1 : 1 << 30});
    const int32_t x = value(b.graph, "x"), one = node(b.graph, &narrow, &x, 1),
                  two = node(b.graph, &increment, &one, 1);
    const int32_t some = node(b.graph, &positive, &two, 1);
    struct onr_session *s = finish(&b, &x, 1, (int32_t[]){one, two, some}, 3);
    set(s, 0, input, 8);
    no_results(s);
    assert_int_equal(onr_session_plan(s, NULL), ONR_STATUS_OK);
    no_results(s); /* planned is not run */
    run(s);
    for (int64_t count = 4; count <= 24; count += 4) { /* shorter and longer ones, and the same */
      set(s, 0, input, count);
      assert_int_equal(onr_session_plan(s, NULL), ONR_STATUS_OK);
      expect(s, 0, ones, 8);
      expect(s, 1, twos, 8);
      expect(s, 2, twos, 8);
    }
    set(s, 0, input, 31);
    assert_int_equal(onr_session_plan(s, NULL), ONR_STATUS_SHAPE);
    expect(s, 1, twos, 8);
    assert_int_equal(onr_session_run(s, NULL), ONR_STATUS_SHAPE); /* the results went when the run began */
    no_results(s);
    for (int64_t count = 28; count >= 4; count -= 4) {
      set(s, 0, input, count);
      run(s);
      expect(s, 0, ones, count);
      expect(s, 2, twos, count);
    }
    end(&b, s);
  }
}

static void binding_other_memory_keeps_the_results(void **state) {
  struct builder b = start();
  const int32_t x = value(b.graph, "x"), y = node(b.graph, &increment, &x, 1);
  struct onr_session *s = finish(&b, &x, 1, &y, 1);
  _Alignas(8) float first[2] = {0}, second[2] = {0};
  (void)state;
  set(s, 0, (float[]){1, 2}, 2);
  assert_int_equal(onr_session_bind_output(s, 0, first, sizeof(first), NULL), ONR_STATUS_OK);
  run(s);
  assert_int_equal(onr_session_bind_output(s, 0, second, sizeof(second), NULL), ONR_STATUS_OK);
  expect(s, 0, (float[]){2, 3}, 2);
  run(s);
  expect(s, 0, (float[]){2, 3}, 2);
  assert_true(second[0] == 2 && second[1] == 3);
  assert_int_equal(onr_session_bind_output(s, 0, NULL, 0, NULL), ONR_STATUS_OK);
  expect(s, 0, (float[]){2, 3}, 2);
  second[0] = 0; /* no longer the session's business */
  run(s);
  expect(s, 0, (float[]){2, 3}, 2);
  assert_true(second[0] == 0);
  end(&b, s);
}

static void wrong_use_is_refused(void **state) {
  struct builder b = start();
  const int32_t x = onri_graph_add_value(b.graph, "x", &(struct onr_desc){ONR_DTYPE_F32, 2, {-1, 4}});
  const int32_t y = node(b.graph, &increment, &x, 1);
  struct onr_session *s = finish(&b, &x, 1, &y, 1);
  float data[9] = {0};
  struct onr_tensor t = {onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){2, 4}), data};
  struct onr_tensor result;
  struct onr_error error;
  (void)state;
  assert_int_equal(onr_session_run(s, &error), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_session_get_output(s, 0, &result, &error), ONR_STATUS_STATE);
  assert_int_equal(onr_session_set_input(s, 1, &t, &error), ONR_STATUS_ARGUMENT);
  t.desc.dtype = ONR_DTYPE_I32;
  assert_int_equal(onr_session_set_input(s, 0, &t, &error), ONR_STATUS_ARGUMENT);
  t.desc = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){2, 3});
  assert_int_equal(onr_session_set_input(s, 0, &t, &error), ONR_STATUS_ARGUMENT);
  t.desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){4});
  assert_int_equal(onr_session_set_input(s, 0, &t, &error), ONR_STATUS_ARGUMENT);
  t.desc = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){2, 4});
  t.data = NULL;
  assert_int_equal(onr_session_set_input(s, 0, &t, &error), ONR_STATUS_ARGUMENT);
  t.data = (char *)data + 1;
  assert_int_equal(onr_session_set_input(s, 0, &t, &error), ONR_STATUS_ARGUMENT);
  t.data = data;
  assert_int_equal(onr_session_set_input(s, 0, &t, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_set_input(s, (size_t)-1, &t, &error), ONR_STATUS_ARGUMENT);
  assert_non_null(strstr(error.message, "onr_model_find_input"));
  assert_int_equal(onr_session_get_output(s, (size_t)-1, &result, &error), ONR_STATUS_ARGUMENT);
  assert_non_null(strstr(error.message, "onr_model_find_output"));
  assert_int_equal(onr_session_bind_output(s, 0, (char *)data + 2, 32, &error), ONR_STATUS_ARGUMENT);
  assert_non_null(strstr(error.message, "aligned to 4 bytes"));
  run(s);
  t.desc.dim[0] = 0; /* an empty batch */
  t.data = NULL;
  assert_int_equal(onr_session_set_input(s, 0, &t, &error), ONR_STATUS_OK);
  run(s);
  assert_int_equal(onr_session_get_output(s, 0, &result, &error), ONR_STATUS_OK);
  assert_int_equal(onr_desc_elements(&result.desc), 0);
  end(&b, s);
}

static struct onr_cancel cancel;
static int runs_after;

/* Another thread, as far as the session can tell. */
static enum onr_status cancelling_run(struct onr_call *c) {
  onr_cancel_set(&cancel);
  return increment_run(c);
}

static enum onr_status counted_run(struct onr_call *c) {
  runs_after++;
  return increment_run(c);
}

static const struct onr_layer cancelling = {.name = "cancelling",
                                            .inputs_min = 1,
                                            .inputs_max = 1,
                                            .outputs_min = 1,
                                            .outputs_max = 1,
                                            .plan = increment_plan,
                                            .run = cancelling_run};
static const struct onr_layer counted = {.name = "counted",
                                         .inputs_min = 1,
                                         .inputs_max = 1,
                                         .outputs_min = 1,
                                         .outputs_max = 1,
                                         .plan = increment_plan,
                                         .run = counted_run};

static void a_flag_set_during_a_run_ends_it(void **state) {
  const struct onr_session_options options = {.size = sizeof(options), .cancel = &cancel};
  const struct onr_tensor x = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){2}), (float[]){1, 2}};
  struct onr_session *s;
  struct onr_error error;
  (void)state;
  for (int last = 0; last < 2; last++) { /* the layer during which it is set is not the last one, or it is */
    struct builder b = start();
    const int32_t in = value(b.graph, "x"), one = node(b.graph, &cancelling, &in, 1),
                  out = last ? one : node(b.graph, &counted, &one, 1);
    struct onr_session *other = finish(&b, &in, 1, &out, 1);
    onr_cancel_clear(&cancel);
    runs_after = 0;
    assert_int_equal(onr_session_create(b.model, &options, &s, &error), ONR_STATUS_OK);
    assert_int_equal(onr_session_set_input(s, 0, &x, &error), ONR_STATUS_OK);
    assert_int_equal(onr_session_run(s, &error), ONR_STATUS_CANCELLED);
    assert_int_equal(onr_session_run(s, &error), ONR_STATUS_CANCELLED); /* it is still set */
    assert_int_equal(runs_after, 0);
    onr_session_destroy(s);
    set(other, 0, (float[]){1, 2}, 2); /* a session without the flag does not mind */
    run(other);
    expect(other, 0, last ? (float[]){2, 3} : (float[]){3, 4}, 2);
    end(&b, other);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_flag_set_during_a_run_ends_it),
      cmocka_unit_test(values_read_later_are_not_overwritten),
      cmocka_unit_test(a_run_after_the_first_allocates_nothing),
      cmocka_unit_test(bound_outputs_are_written_in_place_or_copied),
      cmocka_unit_test(small_steps_run_on_one_thread),
      cmocka_unit_test(loops_carry_and_collect),
      cmocka_unit_test(if_takes_one_branch),
      cmocka_unit_test(planning_another_shape_keeps_the_results),
      cmocka_unit_test(binding_other_memory_keeps_the_results),
      cmocka_unit_test(wrong_use_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
