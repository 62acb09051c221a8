/* evaluate: one node through all phases: in which order, with what in its call, on which backend, and what is left
 * when a phase fails. */
#include <string.h>

#include "support/counted_memory.h"
#include "support/graph_test.h"

#include "base/services.h"

/* --- a layer that writes down what happens to it --- */

static char calls[16];   /* one letter a phase */
static char fails;       /* the phase that is to fail */
static int runs_dynamic; /* resizes its output */
static enum onr_backend backend;
static const void *seen[3];

static void note(char phase) {
  const size_t length = strlen(calls);
  assert_true(length + 1 < sizeof(calls));
  calls[length] = phase;
}

static enum onr_status phase(const struct onr_call *call, char name) {
  note(name);
  return fails == name ? onr_fail(call->error, ONR_STATUS_SHAPE, "phase %c", name) : ONR_STATUS_OK;
}

static enum onr_status noted_check(const struct onr_call *call) { return phase(call, 'c'); }

static enum onr_status noted_infer(struct onr_call *call) {
  ONR_TRY(phase(call, 'i'));
  for (size_t i = 0; i < call->num_out; i++) call->out[i] = call->in[0];
  return ONR_STATUS_OK;
}

static enum onr_status noted_prepare(struct onr_call *call) {
  ONR_TRY(phase(call, 'p'));
  *(int *)call->prepared = 3;
  call->packed_inputs = 2; /* input 1 */
  return ONR_STATUS_OK;
}

static enum onr_status noted_plan(struct onr_call *call) {
  ONR_TRY(phase(call, 'l'));
  assert_int_equal(*(const int *)call->prepared, 3);
  *(int *)call->state = 4;
  call->scratch_bytes = 1000;
  call->in_place = 0;
  return ONR_STATUS_OK;
}

static enum onr_status noted_run(struct onr_call *call) {
  ONR_TRY(phase(call, 'r'));
  backend = call->env->backend;
  assert_null(call->env->threads);
  for (size_t i = 0; i < 3; i++) seen[i] = call->inputs[i];
  memset(call->scratch, 1, 1000);
  void *y = call->outputs[0];
  assert_ptr_not_equal(y, call->inputs[0]);
  if (runs_dynamic) {
    const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){1});
    ONR_TRY(onr_call_resize(call, 0, &desc, &y));
  }
  memcpy(y, call->inputs[0], sizeof(float));
  return ONR_STATUS_OK;
}

static void noted_release_state(void *memory, struct onr_env *env) {
  (void)env;
  note(*(const int *)memory ? 'S' : 's');
}

static void noted_release_prepared(void *memory, struct onr_env *env) {
  (void)env;
  note(*(const int *)memory ? 'P' : 'q');
}

#define NOTED                                                                                                          \
  .name = "noted", .inputs_min = 1, .inputs_max = 3, .outputs_min = 1, .outputs_max = 2, .prepared_size = sizeof(int), \
  .state_size = sizeof(int), .check = noted_check, .infer = noted_infer, .prepare = noted_prepare, .plan = noted_plan, \
  .run = noted_run, .release_state = noted_release_state, .release_prepared = noted_release_prepared
static const struct onr_layer noted = {NOTED}, noted_dynamic = {NOTED, .flags = ONR_LAYER_DYNAMIC};
static const struct onr_layer controlling = {.name = "controlling", .inputs_max = 9, .outputs_max = 9, .control = 1};

/* --- the cases --- */

static const float numbers[] = {7, 8, 9};

struct one_node {
  struct onr_env env;
  int32_t in[3], out[2];
  struct onri_node node;
  struct onr_desc descs[3];
  const void *inputs[3];
  struct onri_constant *outputs[2];
  struct onr_error error;
};

static const struct onri_origin origin = {"Noted", "n", "", "", ""};

static void begin(struct one_node *o, const struct onr_layer *layer, int64_t count) {
  memset(o, 0, sizeof(*o));
  memset(calls, 0, sizeof(calls));
  fails = 0;
  runs_dynamic = 0;
  counted_memory_begin();
  o->env =
      (struct onr_env){.allocator = &counted_memory, .limits = onri_limits_resolve(NULL), .backend = ONR_BACKEND_AUTO};
  o->out[1] = ONRI_NONE;
  o->node =
      (struct onri_node){.layer = layer, .origin = &origin, .num_in = 2, .num_out = 2, .in = o->in, .out = o->out};
  for (int i = 0; i < 2; i++) {
    o->descs[i] = onr_desc_make(ONR_DTYPE_F32, 1, &count);
    o->inputs[i] = numbers;
  }
}

static enum onr_status evaluate(struct one_node *o) {
  memset(o->outputs, 0xff, sizeof(o->outputs));
  return onri_node_evaluate(&o->node, &o->env, o->descs, o->inputs, o->outputs, &o->error);
}

static void all_phases_in_order(void **state) {
  struct one_node o;
  (void)state;
  begin(&o, &noted, 3);
  assert_int_equal(evaluate(&o), ONR_STATUS_OK);
  assert_string_equal(calls, "cicplrSP"); /* checked before infer and before prepare */
  assert_int_equal(backend, ONR_BACKEND_PORTABLE);
  assert_ptr_equal(seen[0], numbers);
  assert_null(seen[1]); /* it was packed */
  assert_null(seen[2]); /* it was left out, and may be looked at */
  assert_non_null(o.outputs[0]);
  assert_null(o.outputs[1]);
  assert_int_equal(o.outputs[0]->desc.dim[0], 3);
  assert_true(*(const float *)o.outputs[0]->data == 7);
  onri_constant_release(o.outputs[0]);
  assert_int_equal(counted_live, 0);
}

static void nothing_runs_for_no_elements(void **state) {
  struct one_node o;
  (void)state;
  begin(&o, &noted, 0);
  assert_int_equal(evaluate(&o), ONR_STATUS_OK);
  assert_string_equal(calls, "ci");
  onri_constant_release(o.outputs[0]);
  begin(&o, &noted_dynamic, 1); /* but where running tells how many there are */
  runs_dynamic = 1;
  o.descs[0].dim[0] = 3;
  assert_int_equal(evaluate(&o), ONR_STATUS_OK);
  assert_int_equal(o.outputs[0]->desc.dim[0], 1);
  assert_true(*(const float *)o.outputs[0]->data == 7);
  onri_constant_release(o.outputs[0]);
  assert_int_equal(counted_live, 0);
}

static void a_phase_that_fails_ends_it(void **state) {
  static const struct {
    char phase;
    const char *calls;
  } cases[] = {{'c', "c"}, {'i', "ci"}, {'p', "cicpsq"}, {'l', "cicplsP"}, {'r', "cicplrSP"}};
  struct one_node o;
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin(&o, &noted, 3);
    fails = cases[i].phase;
    assert_int_equal(evaluate(&o), ONR_STATUS_SHAPE);
    assert_string_equal(calls, cases[i].calls);
    assert_string_equal(o.error.where, "Noted 'n'");
    assert_null(o.outputs[0]);
    assert_int_equal(counted_live, 0);
  }
}

static void the_table_is_checked_first(void **state) {
  struct one_node o;
  (void)state;
  begin(&o, &noted, 3);
  o.node.num_in = 0;
  assert_int_equal(evaluate(&o), ONR_STATUS_ARITY);
  o.node.num_in = 4;
  assert_int_equal(evaluate(&o), ONR_STATUS_ARITY);
  o.node.num_in = 2;
  o.node.num_out = 0;
  assert_int_equal(evaluate(&o), ONR_STATUS_ARITY);
  o.node.num_out = 2;
  o.descs[0] = (struct onr_desc){0}; /* omitted */
  assert_int_equal(evaluate(&o), ONR_STATUS_ARITY);
  assert_string_equal(calls, "");
  begin(&o, &controlling, 3);
  assert_int_equal(evaluate(&o), ONR_STATUS_INTERNAL);
  assert_null(o.outputs[0]);
}

static void limits_hold(void **state) {
  struct one_node o;
  (void)state;
  begin(&o, &noted, 3);
  o.env.limits.tensor_bytes = 11;
  assert_int_equal(evaluate(&o), ONR_STATUS_LIMIT);
  assert_string_equal(calls, "ci"); /* before it is held */
  assert_int_equal(counted_live, 0);
}

static void memory_may_run_out_anywhere(void **state) {
  struct one_node o;
  enum onr_status status;
  size_t n = 0;
  (void)state;
  do {
    begin(&o, &noted, 3);
    counted_fail_at = ++n;
    status = evaluate(&o);
    if (status != ONR_STATUS_OK) assert_int_equal(status, ONR_STATUS_NO_MEMORY);
    onri_constant_release(o.outputs[0]);
    assert_int_equal(counted_live, 0);
  } while (status != ONR_STATUS_OK);
  assert_true(n > 3);
}

/* What prepare sees of inputs that are not constant: that they are there, and their type. */
static enum onr_status curious_prepare(struct onr_call *call) {
  assert_int_equal(call->in[0].dtype, ONR_DTYPE_F32);
  assert_int_equal(call->in[0].rank, ONRI_UNKNOWN_RANK);
  assert_int_equal(call->in[1].dim[0], 3);
  assert_int_equal(call->in[2].dtype, ONR_DTYPE_NONE);
  call->packed_inputs = 2;
  return ONR_STATUS_OK;
}

static void prepare_sees_constants_alone(void **state) {
  static const struct onr_layer curious = {.name = "curious",
                                           .inputs_min = 1,
                                           .inputs_max = 3,
                                           .outputs_min = 1,
                                           .outputs_max = 1,
                                           .prepare = curious_prepare};
  struct onr_env env = {.allocator = &counted_memory, .limits = onri_limits_resolve(NULL)};
  struct onr_desc in[3] = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){5}),
                           onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){3})};
  const void *inputs[3] = {NULL, numbers, NULL};
  struct onr_call call = {.num_in = 2, .num_out = 1, .in = in, .inputs = inputs, .env = &env};
  (void)state;
  counted_memory_begin();
  assert_int_equal(onri_call_prepare(&curious, &call), ONR_STATUS_OK);
  assert_int_equal(call.packed_inputs, 2);
  assert_int_equal(in[0].dim[0], 5); /* the caller's own are as they were */
  assert_int_equal(counted_live, 0);
}

static int64_t many(const struct onr_call *call) {
  (void)call;
  return 1000;
}
static int64_t some(const struct onr_call *call) {
  (void)call;
  return 10;
}

static void operations_are_counted(void **state) {
  const struct onr_layer plain = {.name = "plain"}, product = {.name = "product", .multiply_adds = many, .steps = some};
  const struct onr_layer steps = {.name = "steps", .multiply_adds = some, .steps = many};
  const struct onr_layer heavy = {.name = "heavy", .flags = ONR_LAYER_HEAVY};
  const struct onr_layer chooser = {.name = "chooser", .flags = ONR_LAYER_SELECTS};
  struct onr_desc in[2] = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){50})}; /* and one that is omitted */
  struct onr_desc out[1] = {onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){2, 3})};
  const struct onr_call call = {.num_in = 2, .num_out = 1, .in = in, .out = out};
  (void)state;
  assert_int_equal(onri_call_operations(&plain, &call), 56);
  assert_int_equal(onri_call_operations(&chooser, &call), 6); /* reads no more than it writes */
  assert_int_equal(onri_call_operations(&product, &call), 1000);
  assert_int_equal(onri_call_operations(&steps, &call), 1000);
  in[1] = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){5000});
  assert_int_equal(onri_call_operations(&product, &call), 5056);
  assert_int_equal(onri_call_work(&plain, &call), 5056);
  assert_true(onri_call_work(&heavy, &call) == UINT64_MAX);
  in[0].dim[0] = in[1].dim[0] = INT64_MAX;
  out[0].dim[0] = INT64_MAX;
  assert_true(onri_call_operations(&plain, &call) == UINT64_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_phases_in_order),
      cmocka_unit_test(nothing_runs_for_no_elements),
      cmocka_unit_test(a_phase_that_fails_ends_it),
      cmocka_unit_test(the_table_is_checked_first),
      cmocka_unit_test(limits_hold),
      cmocka_unit_test(memory_may_run_out_anywhere),
      cmocka_unit_test(prepare_sees_constants_alone),
      cmocka_unit_test(operations_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
