/* limits.work: what a run would take is refused before it begins, by sums over nodes, segments and iterations. */
#include "support/small_session.h"

/* y = x, and tells whatever steps it is told to tell */
static int64_t steps_told;
static int times_run;

static int64_t toil_steps(const struct onr_call *call) {
  (void)call;
  return steps_told;
}

static enum onr_status toil_run(struct onr_call *c) {
  times_run++;
  memcpy(c->outputs[0], c->inputs[0], onr_desc_bytes(&c->in[0]));
  return ONR_STATUS_OK;
}

static const struct onr_layer toil = {.name = "toil",
                                      .inputs_min = 1,
                                      .inputs_max = 1,
                                      .outputs_min = 1,
                                      .outputs_max = 1,
                                      .run = toil_run,
                                      .steps = toil_steps};

static const float x[1 << 16] = {1};

static void refused(enum onr_status status, const struct onr_error *error) {
  assert_int_equal(status, ONR_STATUS_LIMIT);
  assert_non_null(strstr(error->message, "limit work"));
  assert_int_equal(times_run, 0);
}

/* A chain of toil, with a constant of so many floats beside it. */
static struct onr_session *chain(struct builder *b, uint64_t limit, size_t length, int64_t constant) {
  *b = start_with(&(struct onr_limits){.size = sizeof(struct onr_limits), .work = limit});
  const int32_t first = value(b->graph, "x");
  int32_t y[2] = {first, first};
  times_run = 0;
  for (size_t i = 0; i < length; i++) y[0] = node(b->graph, &toil, y, 1);
  if (constant) {
    const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, &constant);
    y[1] = onri_graph_add_data(b->graph, &desc, x);
  }
  return finish(b, &first, 1, y, 2);
}

/* Whether a chain of one node with so many steps is planned, for an input and a constant of so many floats. */
static int allows(int64_t steps, int64_t input, int64_t constant) {
  struct builder b;
  struct onr_error error = {0};
  steps_told = steps;
  struct onr_session *s = chain(&b, 0, 1, constant);
  set(s, 0, x, input);
  const enum onr_status status = onr_session_plan(s, &error);
  if (status != ONR_STATUS_OK) refused(status, &error);
  end(&b, s);
  return status == ONR_STATUS_OK;
}

static void bytes_deserve_work(void **state) {
  const int64_t base = 25000000000, slack = 1000, byte = 16384;
  (void)state;
  assert_true(allows(base - slack, 1, 0));
  assert_false(allows(base + 4 * byte + slack, 1, 0));
  assert_true(allows(base + 1000 * 4 * byte - slack, 1000, 0));
  assert_false(allows(base + 1000 * 4 * byte + slack, 1000, 0));
  assert_true(allows(base + 1000 * 4 * byte + 4 * byte - slack, 1, 1000));
  const int64_t both = base + 2 * 4 * 65536 * byte + (int64_t)4 * 65536 * 4 * 65536;
  assert_true(allows(both - slack, 65536, 65536));
  assert_false(allows(both + slack, 65536, 65536));
  assert_true(allows(-1, 1, 0));
  assert_false(allows(INT64_MAX, 1000, 1000));
}

static enum onr_status plan_chain(uint64_t limit, size_t length) {
  struct builder b;
  struct onr_error error = {0};
  steps_told = 10000;
  struct onr_session *s = chain(&b, limit, length, 0);
  set(s, 0, x, 4);
  const enum onr_status status = onr_session_plan(s, &error);
  if (status != ONR_STATUS_OK) refused(status, &error);
  for (int i = 0; i < 3 && status == ONR_STATUS_OK; i++) run(s); /* each run has as much */
  end(&b, s);
  return status;
}

static void nodes_add_up(void **state) {
  (void)state;
  assert_int_equal(plan_chain(45000, 4), ONR_STATUS_OK);
  assert_int_equal(plan_chain(45000, 5), ONR_STATUS_LIMIT);
  assert_int_equal(plan_chain(UINT64_MAX, 50), ONR_STATUS_OK);
}

/* What follows a node whose output's size only running tells is planned while the first part has run. */
static void segments_add_up(void **state) {
  (void)state;
  for (int fits = 0; fits < 2; fits++) {
    struct builder b =
        start_with(&(struct onr_limits){.size = sizeof(struct onr_limits), .work = fits ? 25000 : 15000});
    struct onr_error error = {0};
    const int32_t in = value(b.graph, "x"), before = node(b.graph, &toil, &in, 1),
                  middle = node(b.graph, &positive, &before, 1), after = node(b.graph, &toil, &middle, 1);
    struct onr_session *s = finish(&b, &in, 1, &after, 1);
    steps_told = 10000;
    times_run = 0;
    set(s, 0, x, 4);
    assert_int_equal(onr_session_plan(s, &error), ONR_STATUS_OK);
    assert_int_equal(onr_session_run(s, &error), fits ? ONR_STATUS_OK : ONR_STATUS_LIMIT);
    assert_int_equal(times_run, fits ? 2 : 1);
    if (!fits) assert_non_null(strstr(error.message, "limit work"));
    end(&b, s);
  }
}

/* `count` iterations of toil, or of nothing but a large value that is carried. */
static enum onr_status run_loop(uint64_t limit, int64_t count, int busy, int64_t size) {
  const struct onr_loop_params params = {.num_carried = 1};
  struct builder b = start_with(&(struct onr_limits){.size = sizeof(struct onr_limits), .work = limit});
  struct onri_graph *body;
  struct onr_error error = {0};
  assert_int_equal(onri_graph_create(&b.model->env, &body, NULL), ONR_STATUS_OK);
  const int32_t i = value(body, "i"), go_on = value(body, "go_on"), v = value(body, "v");
  const int32_t w = busy ? node(body, &toil, &v, 1) : v;
  assert_int_equal(onri_graph_set_inputs(body, (int32_t[]){i, go_on, v}, 3, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(body, (int32_t[]){go_on, w}, 2, NULL), ONR_STATUS_OK);
  const int32_t in = value(b.graph, "x"), out = value(b.graph, NULL);
  const int32_t trips = onri_graph_add_data(b.graph, &(struct onr_desc){.dtype = ONR_DTYPE_I64}, &count);
  struct onri_node *loop =
      onri_graph_add_node(b.graph, &onri_layer_loop, &params, NULL, (int32_t[]){trips, ONRI_NONE, in}, 3, &out, 1);
  assert_non_null(loop);
  loop->num_bodies = 1;
  loop->bodies = onri_arena_copy(&b.graph->arena, &body, sizeof(body));
  struct onr_session *s = finish(&b, &in, 1, &out, 1);
  steps_told = 1000;
  set(s, 0, x, size);
  enum onr_status status = ONR_STATUS_OK;
  for (int k = 0; k < 2 && status == ONR_STATUS_OK; k++) status = onr_session_run(s, &error);
  if (status != ONR_STATUS_OK) assert_non_null(strstr(error.message, "limit work"));
  end(&b, s);
  return status;
}

static void iterations_add_up(void **state) {
  (void)state;
  assert_int_equal(run_loop(120000, 100, 1, 4), ONR_STATUS_OK);
  assert_int_equal(run_loop(120000, 200, 1, 4), ONR_STATUS_LIMIT);
  assert_int_equal(run_loop(1000000, 10, 0, 1 << 16), ONR_STATUS_OK);
  assert_int_equal(run_loop(1000000, 100, 0, 1 << 16), ONR_STATUS_LIMIT);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_deserve_work), cmocka_unit_test(nodes_add_up),
                                     cmocka_unit_test(segments_add_up), cmocka_unit_test(iterations_add_up)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
