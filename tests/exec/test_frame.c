/* frame: a plan for each shape, results until they are not read any more, frames of bodies, and memory that is carried
 * from one iteration to the next. */
#include "support/small_run.h"

#include "exec/frame.h"

/* x -> increment -> y, and a node with two bodies that never runs. */
static const struct onr_layer controlling = {
    .name = "controlling", .inputs_min = 0, .inputs_max = 1, .outputs_min = 0, .outputs_max = 1, .control = 1};

struct framed {
  struct small_run r;
  struct onri_frame *frame;
};

static void build(struct framed *f) {
  small_run_begin(&f->r);
  struct onri_graph *g = f->r.b.graph;
  const int32_t x = value(g, "x"), y = node(g, &increment, &x, 1);
  small_run_close(&f->r, &x, 1, &y, 1);
}

static void begin(struct framed *f) {
  build(f);
  assert_int_equal(onri_frame_create(&f->r.run, f->r.b.graph, &f->frame, NULL), ONR_STATUS_OK);
}

static void finish_framed(struct framed *f) {
  onri_plan_cache_clear(&f->r.run.plans, f->r.run.env.allocator);
  onri_frame_destroy(f->frame);
  small_run_end(&f->r);
}

static void results_stay_until_done(void **state) {
  struct framed f;
  const float data[] = {1, 2, 3};
  const struct onr_tensor three = vector(data, 3), one = vector(data, 1);
  (void)state;
  begin(&f);
  assert_int_equal(onri_frame_plan(f.frame, &three, NULL), ONR_STATUS_OK);
  struct onri_plan *plan = f.frame->space.plan;
  assert_int_equal(onri_frame_run(f.frame, &three, NULL, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_frame_plan(f.frame, &one, NULL), ONR_STATUS_OK); /* another one is planned meanwhile */
  assert_ptr_not_equal(f.frame->space.plan, plan);
  const struct onr_tensor y = onri_frame_output(f.frame, 0);
  assert_int_equal(y.desc.dim[0], 3);
  assert_memory_equal(y.data, ((float[]){2, 3, 4}), 12);
  onri_frame_done(f.frame);
  assert_int_equal(onri_frame_plan(f.frame, &three, NULL), ONR_STATUS_OK);
  assert_ptr_equal(f.frame->space.plan, plan); /* it was kept */
  finish_framed(&f);
}

static void outputs_may_be_the_callers(void **state) {
  struct framed f;
  const float data[] = {1, 2, 3};
  const struct onr_tensor x = vector(data, 3);
  float y[3] = {0};
  void *outputs[] = {y};
  (void)state;
  begin(&f);
  assert_int_equal(onri_frame_plan(f.frame, &x, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_frame_run(f.frame, &x, outputs, NULL), ONR_STATUS_OK);
  assert_ptr_equal(onri_frame_output(f.frame, 0).data, y);
  assert_true(y[2] == 4);
  outputs[0] = NULL; /* the next run has another address: calls are bound anew */
  assert_int_equal(onri_frame_run(f.frame, &x, outputs, NULL), ONR_STATUS_OK);
  assert_ptr_not_equal(onri_frame_output(f.frame, 0).data, y);
  finish_framed(&f);
}

static void a_failed_run_pins_nothing(void **state) {
  struct framed f;
  const float data[] = {1, 2, 3};
  const struct onr_tensor x = vector(data, 3);
  struct onr_error error = {0};
  (void)state;
  begin(&f);
  assert_int_equal(onri_frame_plan(f.frame, &x, NULL), ONR_STATUS_OK);
  f.r.run.work = 1; /* less than it takes */
  assert_int_equal(onri_frame_run(f.frame, &x, NULL, &error), ONR_STATUS_LIMIT);
  assert_null(f.frame->space.pinned);
  finish_framed(&f);
}

static void memory_runs_out_at_the_start(void **state) {
  struct framed f;
  size_t n = 0;
  enum onr_status status;
  (void)state;
  build(&f);
  do {
    const size_t before = counted_live;
    counted_fail_at = counted_total + ++n;
    status = onri_frame_create(&f.r.run, f.r.b.graph, &f.frame, NULL);
    if (status == ONR_STATUS_OK) break;
    assert_int_equal(status, ONR_STATUS_NO_MEMORY);
    assert_null(f.frame);
    onri_pool_clear(&f.r.run.pool);
    assert_int_equal(counted_live, before);
  } while (n < 100);
  counted_fail_at = 0;
  assert_in_range(n, 6, 99);
  finish_framed(&f);
  onri_frame_destroy(NULL);
}

static void *carried(struct framed *f, size_t bytes) {
  struct onri_buffer *room = onri_frame_next(f->frame, 0);
  assert_int_equal(onri_buffer_grow(&f->r.run, room, bytes + ONR_SLACK_BYTES, 0, NULL), ONR_STATUS_OK);
  return room->data;
}

/* Memory of an iteration stays while the next one's is written, and is used again by the one after it. */
static void carries_take_turns(void **state) {
  struct framed f;
  void *data[5], *larger;
  (void)state;
  begin(&f);
  for (int i = 0; i < 5; i++) data[i] = carried(&f, 100);
  assert_ptr_not_equal(data[0], data[1]);
  for (int i = 2; i < 5; i++) assert_ptr_equal(data[i], data[i - 2]);
  assert_ptr_equal(carried(&f, 100), data[1]);
  memset(data[1], 5, 100);
  larger = carried(&f, 5000);
  memset(larger, 6, 5000 + ONR_SLACK_BYTES);
  for (int i = 0; i < 100; i++) assert_int_equal(((char *)data[1])[i], 5);
  finish_framed(&f);
}

static struct onri_graph *empty_body(struct framed *f) {
  struct onri_graph *body;
  assert_int_equal(onri_graph_create(&f->r.b.model->env, &body, NULL), ONR_STATUS_OK);
  return body;
}

static void bodies_have_frames_of_their_own(void **state) {
  struct framed f;
  struct onri_frame *frames[2][2], *again;
  struct onri_node *nodes[2];
  (void)state;
  build(&f);
  struct onri_graph *g = f.r.b.graph;
  for (int n = 0; n < 2; n++) {
    struct onri_graph *bodies[] = {empty_body(&f), empty_body(&f)};
    struct onri_node *control = onri_graph_add_node(g, &controlling, NULL, NULL, NULL, 0, NULL, 0);
    control->num_bodies = 2;
    control->bodies = onri_arena_copy(&g->arena, bodies, sizeof(bodies));
  }
  for (int n = 0; n < 2; n++) nodes[n] = &g->nodes[1 + n];
  assert_int_equal(onri_frame_create(&f.r.run, g, &f.frame, NULL), ONR_STATUS_OK);
  assert_int_equal(f.frame->num_children, 4);
  for (int n = 0; n < 2; n++)
    for (int b = 0; b < 2; b++) {
      assert_int_equal(onri_frame_child(f.frame, nodes[n], b, &frames[n][b], NULL), ONR_STATUS_OK);
      assert_ptr_equal(frames[n][b]->space.graph, nodes[n]->bodies[b]);
      assert_int_equal(onri_frame_child(f.frame, nodes[n], b, &again, NULL), ONR_STATUS_OK);
      assert_ptr_equal(again, frames[n][b]);
    }
  onri_frame_trim(f.frame, NULL, 0);
  for (size_t i = 0; i < 4; i++) assert_null(f.frame->children[i]);
  assert_int_equal(onri_frame_child(f.frame, nodes[1], 1, &again, NULL), ONR_STATUS_OK); /* and come again */
  finish_framed(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(results_stay_until_done),   cmocka_unit_test(outputs_may_be_the_callers),
      cmocka_unit_test(a_failed_run_pins_nothing), cmocka_unit_test(memory_runs_out_at_the_start),
      cmocka_unit_test(carries_take_turns),        cmocka_unit_test(bodies_have_frames_of_their_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
