/* A session that is asked for some outputs runs what these need and nothing else: one trunk, two heads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "onnxrun/nn.h"
#include "onnxrun/onnxrun.h"

enum { X, HINT, NUM_INPUTS };
enum { TRUNK, FIRST, SECOND, NUM_OUTPUTS };

static const float x[4] = {-1, 0.5f, 2, 3}, hint[4] = {1, 1, 2, 2};
static struct onr_model *model;
static struct onr_session *session;
static struct onr_error error;

static void expect(enum onr_status expected, enum onr_status status) {
  if (status != expected)
    fail_msg("expected %s, found %s: %s", onr_status_name(expected), onr_status_name(status),
             status == ONR_STATUS_OK ? "" : error.message);
}

/* trunk = softmax x; first = its cumulative products by hint, three nodes; second = sin-like chain of four nodes. */
static int start(void **state) {
  const struct onr_model_options options = {.size = sizeof(options), .disabled_passes = "all"};
  const int64_t dims[] = {1, 4};
  struct onr_net *net;
  (void)state;
  expect(ONR_STATUS_OK, onr_net_create(&options, &net, &error));
  const int a = onr_net_input(net, "x", ONR_DTYPE_F32, 2, dims), b = onr_net_input(net, "hint", ONR_DTYPE_F32, 2, dims);
  const int trunk = onr_softmax(net, a, -1);
  onr_net_output(net, "trunk", trunk);
  onr_net_output(net, "first", onr_mul(net, onr_add(net, trunk, b), b));
  onr_net_output(net, "second", onr_tanh(net, onr_elu(net, onr_mish(net, onr_softsign(net, trunk)), 1)));
  expect(ONR_STATUS_OK, onr_net_finish(net, &model, &error));
  expect(ONR_STATUS_OK, onr_session_create(model, NULL, &session, &error));
  return 0;
}

static int stop(void **state) {
  (void)state;
  onr_session_destroy(session);
  onr_model_destroy(model);
  return 0;
}

static void set(size_t input, const float *data) {
  const struct onr_tensor tensor = {onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){1, 4}), (void *)(uintptr_t)data};
  expect(ONR_STATUS_OK, onr_session_set_input(session, input, &tensor, &error));
}

static void want(const size_t *outputs, size_t count) {
  expect(ONR_STATUS_OK, onr_session_want_outputs(session, outputs, count, &error));
}

static size_t nodes_after_a_run(void) {
  expect(ONR_STATUS_OK, onr_session_run(session, &error));
  return onr_session_num_nodes(session);
}

static void read_all(size_t output, float *data) {
  struct onr_tensor y;
  expect(ONR_STATUS_OK, onr_session_get_output(session, output, &y, &error));
  memcpy(data, y.data, 4 * sizeof(*data));
}

static void only_what_is_needed_is_run(void **state) {
  float all[NUM_OUTPUTS][4], some[4];
  (void)state;
  set(X, x);
  set(HINT, hint);
  assert_int_equal(nodes_after_a_run(), 7);
  for (size_t i = 0; i < NUM_OUTPUTS; i++) read_all(i, all[i]);
  static const size_t nodes[NUM_OUTPUTS] = {1, 3, 5};
  for (size_t i = 0; i < NUM_OUTPUTS; i++) {
    want(&i, 1);
    assert_int_equal(nodes_after_a_run(), nodes[i]);
    read_all(i, some);
    assert_memory_equal(some, all[i], sizeof(some));
    for (size_t k = 0; k < NUM_OUTPUTS; k++) {
      struct onr_tensor y;
      if (k != i) expect(ONR_STATUS_ARGUMENT, onr_session_get_output(session, k, &y, &error));
    }
  }
  want((const size_t[]){SECOND, FIRST, SECOND}, 3);
  assert_int_equal(nodes_after_a_run(), 7);
  want(NULL, 0);
  assert_int_equal(nodes_after_a_run(), 7);
  for (size_t i = 0; i < NUM_OUTPUTS; i++) {
    read_all(i, some);
    assert_memory_equal(some, all[i], sizeof(some));
  }
}

static void inputs_of_other_outputs_may_be_left_out(void **state) {
  (void)state;
  set(X, x);
  expect(ONR_STATUS_ARGUMENT, onr_session_run(session, &error));
  assert_non_null(strstr(error.message, "hint"));
  want((const size_t[]){SECOND}, 1);
  assert_int_equal(nodes_after_a_run(), 5);
  want((const size_t[]){FIRST}, 1);
  expect(ONR_STATUS_ARGUMENT, onr_session_run(session, &error));
  assert_non_null(strstr(error.message, "hint"));
}

static void results_go_when_others_are_wanted(void **state) {
  float bound[4] = {9, 9, 9, 9};
  struct onr_tensor y;
  (void)state;
  set(X, x);
  set(HINT, hint);
  nodes_after_a_run();
  want((const size_t[]){TRUNK}, 1);
  expect(ONR_STATUS_STATE, onr_session_get_output(session, TRUNK, &y, &error));
  expect(ONR_STATUS_OK, onr_session_bind_output(session, FIRST, bound, sizeof(bound), &error));
  nodes_after_a_run();
  assert_true(bound[0] == 9); /* not wanted, not written */
  expect(ONR_STATUS_OK, onr_session_trim(session, &error));
  expect(ONR_STATUS_OK, onr_session_get_output(session, TRUNK, &y, &error));
  expect(ONR_STATUS_ARGUMENT, onr_session_want_outputs(session, (const size_t[]){NUM_OUTPUTS}, 1, &error));
  expect(ONR_STATUS_ARGUMENT, onr_session_want_outputs(session, NULL, 1, &error));
}

static void null_takes_an_input_back(void **state) {
  (void)state;
  set(X, x);
  set(HINT, hint);
  nodes_after_a_run();
  expect(ONR_STATUS_OK, onr_session_set_input(session, HINT, NULL, &error));
  expect(ONR_STATUS_ARGUMENT, onr_session_run(session, &error));
  assert_non_null(strstr(error.message, "'hint' has not been set"));
}

static void memory_is_bound_for_what_is_planned(void **state) {
  float bound[4] = {9, 9, 9, 9};
  struct onr_desc desc;
  struct onr_tensor y;
  (void)state;
  expect(ONR_STATUS_STATE, onr_session_planned_output(session, FIRST, &desc, &error));
  set(X, x);
  set(HINT, hint);
  want((const size_t[]){FIRST}, 1);
  expect(ONR_STATUS_OK, onr_session_plan(session, &error));
  expect(ONR_STATUS_ARGUMENT, onr_session_planned_output(session, SECOND, &desc, &error));
  expect(ONR_STATUS_ARGUMENT, onr_session_planned_output(session, NUM_OUTPUTS, &desc, &error));
  expect(ONR_STATUS_OK, onr_session_planned_output(session, FIRST, &desc, &error));
  expect(ONR_STATUS_OK, onr_session_bind_output(session, FIRST, bound, onr_desc_bytes(&desc), &error));
  nodes_after_a_run();
  expect(ONR_STATUS_OK, onr_session_get_output(session, FIRST, &y, &error));
  assert_ptr_equal(y.data, bound);
  assert_true(onr_desc_equal(&y.desc, &desc));
  expect(ONR_STATUS_OK, onr_session_bind_output(session, FIRST, NULL, 0, &error));
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
  const struct CMUnitTest tests[] = {
      TEST(only_what_is_needed_is_run),          TEST(inputs_of_other_outputs_may_be_left_out),
      TEST(results_go_when_others_are_wanted),   TEST(null_takes_an_input_back),
      TEST(memory_is_bound_for_what_is_planned),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
