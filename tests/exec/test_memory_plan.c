/* memory_plan: which wishes of layers are granted (a result in place, a view, an input made where the output lies), and
 * which must not be. Each case is a graph; what is asked is whose memory a value is in. */
#include "support/small_run.h"

#include "exec/plan.h"

/* --- layers with wishes --- */

static struct onr_view wished_view, wished_into[2];
static int32_t wished_in_place;
static size_t wished_scratch;

static enum onr_status wish_plan(struct onr_call *c) {
  c->in_place = wished_in_place;
  c->view[0] = wished_view;
  for (size_t i = 0; i < c->num_in; i++) c->into[i] = wished_into[i];
  c->scratch_bytes = wished_scratch;
  return ONR_STATUS_OK;
}

static int64_t result_size; /* of all wishing layers */

static enum onr_status wish_infer(struct onr_call *c) {
  c->out[0] = onr_desc_make(ONR_DTYPE_F32, 1, &result_size);
  return ONR_STATUS_OK;
}

static enum onr_status no_run(struct onr_call *c) { return onr_fail(c->error, ONR_STATUS_INTERNAL, "not run here"); }

#define WISHING                                                                                                 \
  .inputs_min = 1, .inputs_max = 2, .outputs_min = 1, .outputs_max = 1, .infer = wish_infer, .plan = wish_plan, \
  .run = no_run
static const struct onr_layer wishing = {.name = "wishing", WISHING};
static const struct onr_layer overreading = {.name = "overreading", WISHING, .flags = ONR_LAYER_OVERREADS};

/* y = a copy of x, no wishes */
static const struct onr_layer copy = {
    .name = "copy", .inputs_min = 1, .inputs_max = 1, .outputs_min = 1, .outputs_max = 1, .run = no_run};

/* --- the cases --- */

struct placed {
  struct small_run r;
  struct onri_workspace space;
  struct onri_plan *plan;
};

static void begin(struct placed *p) {
  small_run_begin(&p->r);
  wished_view = wished_into[0] = wished_into[1] = (struct onr_view){ONRI_NONE, 0};
  wished_in_place = -1;
  wished_scratch = 0;
  result_size = 8;
}

/* Plans for an input of 8 floats. */
static void plan(struct placed *p, int32_t x, const int32_t *out, size_t num_out) {
  static const float zeros[8];
  const struct onr_tensor in = vector(zeros, 8);
  struct onr_error error = {0};
  small_run_close(&p->r, &x, 1, out, num_out);
  assert_int_equal(onri_workspace_init(&p->space, &p->r.run, p->r.b.graph, NULL), ONR_STATUS_OK);
  if (onri_plan_create(&p->space, &in, NULL, &p->plan, &error) != ONR_STATUS_OK) fail_msg("%s", error.message);
  assert_int_equal(p->plan->num_segments, 1);
}

static void finish_placed(struct placed *p) {
  onri_plan_destroy(p->plan);
  onri_workspace_clear(&p->space);
  small_run_end(&p->r);
}

static int32_t parent(const struct placed *p, int32_t v) { return p->plan->locations[v].parent; }

static int overlap(const struct placed *p, int32_t a, int32_t b) {
  const struct onri_location *x = &p->plan->locations[a], *y = &p->plan->locations[b];
  assert_true(x->parent == ONRI_NONE && y->parent == ONRI_NONE);
  return x->offset < y->offset + 32 + ONR_SLACK_BYTES && y->offset < x->offset + 32 + ONR_SLACK_BYTES;
}

static void a_result_takes_the_place_of_what_dies(void **state) {
  struct placed p;
  (void)state;
  for (int later = 0; later < 2; later++) { /* somebody else reads it later: no */
    begin(&p);
    wished_in_place = 0;
    const int32_t x = value(p.r.b.graph, "x"), a = node(p.r.b.graph, &copy, &x, 1);
    const int32_t b = node(p.r.b.graph, &wishing, &a, 1), c = node(p.r.b.graph, &copy, later ? &a : &b, 1);
    plan(&p, x, (int32_t[]){b, c}, 2);
    assert_int_equal(parent(&p, b), later ? ONRI_NONE : a);
    if (later) assert_false(overlap(&p, a, b));
    finish_placed(&p);
  }
}

static void the_callers_memory_is_not_written(void **state) {
  struct placed p;
  (void)state;
  begin(&p);
  wished_in_place = 0;
  const int32_t x = value(p.r.b.graph, "x"), a = node(p.r.b.graph, &wishing, &x, 1);
  plan(&p, x, &a, 1);
  assert_int_equal(parent(&p, a), ONRI_NONE);
  assert_int_equal(p.plan->locations[x].storage, ONRI_STORAGE_INPUT);
  finish_placed(&p);
}

static void in_place_needs_the_same_size_and_no_second_reader(void **state) {
  struct placed p;
  (void)state;
  for (int twice = 0; twice < 2; twice++) {
    begin(&p);
    wished_in_place = 0;
    result_size = twice ? 8 : 7;
    const int32_t x = value(p.r.b.graph, "x"), a = node(p.r.b.graph, &copy, &x, 1);
    const int32_t view = a; /* the other input is a part of the same memory */
    const int32_t b = node(p.r.b.graph, &flat, &view, 1);
    const int32_t c = node(p.r.b.graph, &wishing, (int32_t[]){a, b}, twice ? 2 : 1);
    const int32_t d = node(p.r.b.graph, &copy, &c, 1);
    plan(&p, x, &d, 1);
    assert_int_equal(parent(&p, c), ONRI_NONE);
    finish_placed(&p);
  }
}

/* A convolution adds to its sums the image that it still reads. */
static void in_place_is_not_over_what_is_read_twice(void **state) {
  struct placed p;
  (void)state;
  begin(&p);
  wished_in_place = 1;
  const int32_t x = value(p.r.b.graph, "x"), a = node(p.r.b.graph, &copy, &x, 1);
  const int32_t c = node(p.r.b.graph, &wishing, (int32_t[]){a, a}, 2), d = node(p.r.b.graph, &copy, &c, 1);
  plan(&p, x, &d, 1);
  assert_int_equal(parent(&p, c), ONRI_NONE);
  finish_placed(&p);
}

static void outputs_stay_in_memory_of_their_own(void **state) {
  struct placed p;
  (void)state;
  begin(&p);
  wished_in_place = 0;
  const int32_t x = value(p.r.b.graph, "x"), a = node(p.r.b.graph, &copy, &x, 1);
  const int32_t b = node(p.r.b.graph, &wishing, &a, 1);
  plan(&p, x, (int32_t[]){a, b}, 2);
  assert_int_equal(parent(&p, b), ONRI_NONE);
  assert_false(overlap(&p, a, b));
  assert_int_equal(p.plan->locations[a].output, 0); /* and may be the caller's */
  assert_int_equal(p.plan->locations[b].output, 1);
  finish_placed(&p);
}

static void views_lie_inside(void **state) {
  static const struct {
    size_t offset;
    int64_t size;
    int granted;
  } cases[] = {{0, 8, 1}, {0, 4, 1}, {16, 4, 1}, {20, 4, 0}, {0, 9, 0}, {SIZE_MAX, 4, 0}, {SIZE_MAX - 3, 1, 0}};
  struct placed p;
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin(&p);
    wished_view = (struct onr_view){0, cases[i].offset};
    result_size = cases[i].size;
    const int32_t x = value(p.r.b.graph, "x"), a = node(p.r.b.graph, &copy, &x, 1);
    const int32_t b = node(p.r.b.graph, &wishing, &a, 1), c = node(p.r.b.graph, &copy, &b, 1);
    plan(&p, x, &c, 1);
    assert_int_equal(parent(&p, b), cases[i].granted ? a : ONRI_NONE);
    if (cases[i].granted) assert_int_equal(p.plan->locations[b].offset, cases[i].offset);
    finish_placed(&p);
  }
}

/* Of an input, unless it is an output: the caller may free the one while it reads the other. */
static void views_of_inputs(void **state) {
  struct placed p;
  (void)state;
  for (int is_output = 0; is_output < 2; is_output++) {
    begin(&p);
    const int32_t x = value(p.r.b.graph, "x"), a = node(p.r.b.graph, &flat, &x, 1);
    const int32_t b = node(p.r.b.graph, &copy, &a, 1);
    plan(&p, x, is_output ? &a : &b, 1);
    assert_int_equal(parent(&p, a), is_output ? ONRI_NONE : x);
    finish_placed(&p);
  }
}

static void a_view_keeps_its_memory_alive(void **state) {
  struct placed p;
  (void)state;
  begin(&p);
  const int32_t x = value(p.r.b.graph, "x"), a = node(p.r.b.graph, &copy, &x, 1);
  const int32_t b = node(p.r.b.graph, &flat, &a, 1), c = node(p.r.b.graph, &copy, &x, 1);
  const int32_t d = node(p.r.b.graph, &copy, &b, 1), e = node(p.r.b.graph, &add, (int32_t[]){c, d}, 2);
  plan(&p, x, &e, 1);
  assert_int_equal(parent(&p, b), a);
  assert_false(overlap(&p, a, c)); /* a lives as long as b, which d reads behind c */
  finish_placed(&p);
}

static void parts_are_made_where_the_whole_lies(void **state) {
  struct placed p;
  (void)state;
  for (int is_output = 0; is_output < 2; is_output++) {
    begin(&p);
    const int32_t x = value(p.r.b.graph, "x"), a = node(p.r.b.graph, &copy, &x, 1), b = node(p.r.b.graph, &copy, &x, 1);
    const int32_t c = node(p.r.b.graph, &join, (int32_t[]){a, b}, 2),
                  d = node(p.r.b.graph, &join, (int32_t[]){c, x}, 2);
    plan(&p, x, (int32_t[]){d, a}, is_output ? 2 : 1);
    assert_int_equal(parent(&p, a), is_output ? ONRI_NONE : d); /* an output keeps its own */
    assert_int_equal(parent(&p, b), d);                         /* one step from the root, however deep */
    assert_int_equal(p.plan->locations[b].offset, 32);
    assert_int_equal(parent(&p, c), d);
    assert_int_equal(parent(&p, x), ONRI_NONE); /* the caller's */
    finish_placed(&p);
  }
}

static void the_same_part_twice_is_copied_once(void **state) {
  struct placed p;
  (void)state;
  begin(&p);
  const int32_t x = value(p.r.b.graph, "x"), a = node(p.r.b.graph, &copy, &x, 1);
  const int32_t b = node(p.r.b.graph, &join, (int32_t[]){a, a}, 2);
  plan(&p, x, &b, 1);
  assert_int_equal(parent(&p, a), b);
  assert_int_equal(p.plan->locations[a].offset, 0); /* the first place; the second one is copied to */
  finish_placed(&p);
}

static void parts_outside_are_not_granted(void **state) {
  struct placed p;
  (void)state;
  begin(&p);
  wished_into[0] = (struct onr_view){0, 4};
  const int32_t x = value(p.r.b.graph, "x"), a = node(p.r.b.graph, &copy, &x, 1);
  const int32_t b = node(p.r.b.graph, &wishing, &a, 1);
  plan(&p, x, &b, 1);
  assert_int_equal(parent(&p, a), ONRI_NONE);
  finish_placed(&p);
}

/* An input that is read past its end is copied to where that may be done; others stay the caller's. */
static void inputs_that_are_read_past_their_end(void **state) {
  struct placed p;
  (void)state;
  for (int over = 0; over < 2; over++) {
    begin(&p);
    const int32_t x = value(p.r.b.graph, "x"), a = node(p.r.b.graph, over ? &overreading : &wishing, &x, 1);
    plan(&p, x, &a, 1);
    assert_int_equal(p.plan->locations[x].storage, over ? ONRI_STORAGE_BLOCK : ONRI_STORAGE_INPUT);
    finish_placed(&p);
  }
}

static void scratch_lies_beside_what_its_step_uses(void **state) {
  struct placed p;
  (void)state;
  begin(&p);
  wished_scratch = 100;
  const int32_t x = value(p.r.b.graph, "x"), a = node(p.r.b.graph, &copy, &x, 1);
  const int32_t b = node(p.r.b.graph, &wishing, &a, 1);
  plan(&p, x, &b, 1);
  const size_t at = p.plan->segments[0].steps[1].scratch;
  for (int i = 0; i < 2; i++) {
    const size_t other = p.plan->locations[i ? b : a].offset;
    assert_true(other + 32 <= at || at + 100 <= other);
  }
  assert_true(at + 100 <= p.plan->segments[0].block_bytes);
  finish_placed(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_result_takes_the_place_of_what_dies),
      cmocka_unit_test(the_callers_memory_is_not_written),
      cmocka_unit_test(in_place_needs_the_same_size_and_no_second_reader),
      cmocka_unit_test(in_place_is_not_over_what_is_read_twice),
      cmocka_unit_test(outputs_stay_in_memory_of_their_own),
      cmocka_unit_test(views_lie_inside),
      cmocka_unit_test(views_of_inputs),
      cmocka_unit_test(a_view_keeps_its_memory_alive),
      cmocka_unit_test(parts_are_made_where_the_whole_lies),
      cmocka_unit_test(the_same_part_twice_is_copied_once),
      cmocka_unit_test(parts_outside_are_not_granted),
      cmocka_unit_test(inputs_that_are_read_past_their_end),
      cmocka_unit_test(scratch_lies_beside_what_its_step_uses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
