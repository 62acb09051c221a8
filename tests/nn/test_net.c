/* net: building, errors that stick, shapes without running, names of modules */
#include "tests/support/layer_test.h"

#include <string.h>

#include "onnxrun/nn.h"
#include "onnxrun/session.h"

static const float weight[2 * 3] = {1, 2, 3, -1, 0, 1}, bias[2] = {10, 20};

static void a_linear_runs(void **state) {
  struct onr_net *net;
  struct onr_model *model;
  struct onr_session *session;
  struct onr_error error = {0};
  struct onr_desc shape;
  const float x[6] = {1, 1, 1, 0, 1, 2};
  (void)state;
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  onr_net_push(net, "head");
  const int in = onr_net_input(net, "x", ONR_DTYPE_F32, 2, (int64_t[]){ONR_UNKNOWN_DIM, 3});
  const int y = onr_linear(net, in, &(struct onr_linear){3, 2}, weight, bias);
  onr_net_pop(net);
  onr_net_output(net, "y", y);
  onr_net_output(net, "same", y);
  assert_int_equal(onr_net_parameters(net), 8);
  const struct onr_desc input = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){5, 3});
  assert_int_equal(onr_net_shape(net, y, &input, 1, &shape, &error), ONR_STATUS_OK);
  assert_true(shape.rank == 2 && shape.dim[0] == 5 && shape.dim[1] == 2);
  assert_int_equal(onr_net_finish(net, &model, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
  const struct onr_tensor tensor = {onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){2, 3}), (void *)(uintptr_t)x};
  assert_int_equal(onr_session_set_input(session, 0, &tensor, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_run(session, &error), ONR_STATUS_OK);
  for (size_t i = 0; i < 2; i++) {
    struct onr_tensor result;
    assert_int_equal(onr_session_get_output(session, i, &result, &error), ONR_STATUS_OK);
    assert_close(result.data, (float[]){16, 20, 18, 22}, 4, 1e-6, 1e-6);
  }
  assert_int_equal(onr_model_find_output(model, "same"), 1);
  onr_session_destroy(session);
  onr_model_destroy(model);
}

static void the_first_error_is_reported(void **state) {
  struct onr_net *net;
  struct onr_model *model;
  struct onr_error error = {0};
  (void)state;
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  int x = onr_net_input(net, "x", ONR_DTYPE_F32, 1, (int64_t[]){3});
  onr_net_push(net, "broken");
  x = onr_linear(net, x, &(struct onr_linear){0, 2}, weight, bias);
  assert_int_equal(x, -1);
  onr_net_pop(net);
  x = onr_identity(net, x);
  onr_net_output(net, "y", x);
  assert_int_equal(onr_net_finish(net, &model, &error), ONR_STATUS_ARGUMENT);
  assert_string_equal(error.where, "broken");
  assert_non_null(strstr(error.message, "in_features"));
  assert_null(model);
}

static void wrong_shapes_are_found_when_it_is_finished(void **state) {
  struct onr_net *net;
  struct onr_model *model;
  struct onr_error error = {0};
  (void)state;
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  onr_net_push(net, "head");
  const int x = onr_net_input(net, "x", ONR_DTYPE_F32, 2, (int64_t[]){1, 4});
  onr_net_output(net, "y", onr_linear(net, x, &(struct onr_linear){3, 2}, weight, bias));
  assert_int_equal(onr_net_finish(net, &model, &error), ONR_STATUS_SHAPE);
  assert_non_null(strstr(error.where, "head"));
}

static void a_net_without_output_and_one_that_is_given_up(void **state) {
  struct onr_net *net;
  struct onr_model *model;
  struct onr_error error = {0};
  (void)state;
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  assert_int_equal(onr_net_finish(net, &model, &error), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  onr_net_input(net, "x", ONR_DTYPE_F32, 0, NULL);
  onr_net_destroy(net);
  onr_net_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_linear_runs),
      cmocka_unit_test(the_first_error_is_reported),
      cmocka_unit_test(wrong_shapes_are_found_when_it_is_finished),
      cmocka_unit_test(a_net_without_output_and_one_that_is_given_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
