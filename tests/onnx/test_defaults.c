/* Inputs with a default: y = x + w and z = w + w, where w [2] is an initializer and an input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "onnxrun/onnxrun.h"
#include "support/proto_writer.h"

static const float x[2] = {1, 2}, w[2] = {10, 20};
static struct onr_model *model;
static struct onr_session *session;
static struct onr_error error;

static struct proto make_file(int64_t ir_version) {
  const int64_t dim = 2;
  struct proto graph = {0}, file;
  struct proto tensor = proto_tensor("w", ONR_DTYPE_F32, &dim, 1), value, node;
  proto_bytes(&tensor, 9, w, sizeof(w));
  node = proto_node("", "Add", "x w", "y");
  proto_message(&graph, 1, &node);
  node = proto_node("", "Add", "w w", "z");
  proto_message(&graph, 1, &node);
  proto_message(&graph, 5, &tensor);
  value = proto_value("w", 2); /* first, but behind x for the caller, who must set that one */
  proto_message(&graph, 11, &value);
  value = proto_value("x", 2);
  proto_message(&graph, 11, &value);
  value = proto_value("y", 2);
  proto_message(&graph, 12, &value);
  value = proto_value("z", 2);
  proto_message(&graph, 12, &value);
  file = proto_model(&graph);
  proto_int(&file, 1, ir_version); /* the last one counts */
  return file;
}

static void begin(int64_t ir_version) {
  const struct onr_tensor tensor = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){2}), (void *)(uintptr_t)x};
  struct proto file = make_file(ir_version);
  if (onr_model_load_memory(file.bytes, file.size, NULL, &model, &error) != ONR_STATUS_OK)
    fail_msg("%s", error.message);
  memset(file.bytes, 0, file.size); /* which the caller may do */
  proto_free(&file);
  assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_set_input(session, 0, &tensor, &error), ONR_STATUS_OK);
}

static void end(void) {
  onr_session_destroy(session);
  onr_model_destroy(model);
}

static void set(const float *data) {
  const struct onr_tensor tensor = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){2}), (void *)(uintptr_t)data};
  assert_int_equal(onr_session_set_input(session, 1, data ? &tensor : NULL, &error), ONR_STATUS_OK);
}

static void run(float y, float z) {
  if (onr_session_run(session, &error) != ONR_STATUS_OK) fail_msg("%s", error.message);
  const float expected[2] = {y, z};
  for (size_t i = 0; i < 2; i++) {
    struct onr_tensor found;
    assert_int_equal(onr_session_get_output(session, i, &found, &error), ONR_STATUS_OK);
    assert_true(((const float *)found.data)[0] == expected[i]);
  }
}

static void test_they_are_listed_behind_the_others(void **state) {
  (void)state;
  begin(8);
  assert_int_equal(onr_model_num_inputs(model), 1);
  assert_int_equal(onr_model_num_defaults(model), 1);
  assert_string_equal(onr_model_input(model, 0)->name, "x");
  assert_string_equal(onr_model_input(model, 1)->name, "w");
  assert_int_equal(onr_model_input(model, 1)->dim[0], 2);
  assert_null(onr_model_input(model, 2));
  assert_int_equal(onr_model_find_input(model, "w"), 1);
  end();
}

static void test_set_and_taken_back(void **state) {
  static const float other[2] = {-1, 0}, third[2] = {5, 5};
  (void)state;
  begin(8);
  run(11, 20);
  set(other);
  run(0, -2);
  set(third);
  run(6, 10);
  set(NULL);
  run(11, 20);
  set(other);
  run(0, -2);
  end();
}

static void test_set_before_the_first_run(void **state) {
  static const float other[2] = {-1, 0};
  (void)state;
  begin(4);
  set(other);
  assert_int_equal(onr_session_plan(session, &error), ONR_STATUS_OK);
  run(0, -2);
  end();
}

static void test_sessions_are_apart(void **state) {
  static const float other[2] = {-1, 0};
  struct onr_session *first;
  (void)state;
  begin(8);
  first = session;
  assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
  const struct onr_tensor tensor = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){2}), (void *)(uintptr_t)x};
  assert_int_equal(onr_session_set_input(session, 0, &tensor, &error), ONR_STATUS_OK);
  set(other);
  run(0, -2);
  onr_session_destroy(session);
  session = first;
  run(11, 20);
  end();
}

static void test_what_is_declared_is_checked(void **state) {
  static const float three[3] = {0};
  const struct onr_tensor tensor = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){3}), (void *)(uintptr_t)three};
  (void)state;
  begin(8);
  assert_int_equal(onr_session_set_input(session, 1, &tensor, &error), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_session_set_input(session, 2, &tensor, &error), ONR_STATUS_ARGUMENT);
  run(11, 20);
  end();
}

/* Before IR version 4 all initializers had to be inputs: constants. */
static void test_old_files_have_none(void **state) {
  (void)state;
  begin(3);
  assert_int_equal(onr_model_num_defaults(model), 0);
  assert_null(onr_model_input(model, 1));
  run(11, 20);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_they_are_listed_behind_the_others), cmocka_unit_test(test_set_and_taken_back),
      cmocka_unit_test(test_set_before_the_first_run),          cmocka_unit_test(test_sessions_are_apart),
      cmocka_unit_test(test_what_is_declared_is_checked),       cmocka_unit_test(test_old_files_have_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
