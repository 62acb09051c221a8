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
  const int y = onr_linear(net, in, &(struct onr_linear){3, 2}, onr_weight(weight, 6), onr_weight(bias, 2));
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
  x = onr_linear(net, x, &(struct onr_linear){0, 2}, onr_weight(weight, 6), onr_weight(bias, 2));
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
  onr_net_output(net, "y", onr_linear(net, x, &(struct onr_linear){3, 2}, onr_weight(weight, 6), onr_weight(bias, 2)));
  assert_int_equal(onr_net_finish(net, &model, &error), ONR_STATUS_SHAPE);
  assert_non_null(strstr(error.where, "head"));
}

static int without_value(struct onr_net *net, int x) { return onr_add(net, x, -1); }
static int without_first_value(struct onr_net *net, int x) { return onr_add(net, -1, x); }
static int without_name(struct onr_net *net, int x) {
  return (void)x, onr_net_input(net, NULL, ONR_DTYPE_F32, 0, NULL);
}
static int without_dims(struct onr_net *net, int x) { return (void)x, onr_net_input(net, "z", ONR_DTYPE_F32, 2, NULL); }
static int same_input_name(struct onr_net *net, int x) {
  return (void)x, onr_net_input(net, "x", ONR_DTYPE_F32, 0, NULL);
}
static int same_output_name(struct onr_net *net, int x) {
  onr_net_output(net, "y", onr_relu(net, x));
  return onr_net_output(net, "y", onr_tanh(net, x)), -1;
}
static int without_second_part(struct onr_net *net, int x) { return onr_cat(net, (int[]){x, -1}, 2, 0); }
static int without_output_name(struct onr_net *net, int x) { return onr_net_output(net, NULL, x), -1; }
static int without_linear_weight(struct onr_net *net, int x) {
  return onr_linear(net, x, &(struct onr_linear){3, 2}, onr_no_weight(), onr_weight(bias, 2));
}
static int without_gru_weights(struct onr_net *net, int x) {
  return onr_gru(net, x, -1, &(struct onr_rnn){.input_size = 3, .hidden_size = 2}, NULL, NULL);
}
static int without_projections(struct onr_net *net, int x) {
  const struct onr_multihead_attention_weights w = {.out_proj_weight = {weight, 1}};
  return onr_multihead_attention(net, x, x, x, -1, -1,
                                 &(struct onr_multihead_attention){.embed_dim = 1, .num_heads = 1}, &w, NULL);
}
static int without_layers(struct onr_net *net, int x) {
  return onr_transformer_encoder(net, x, -1, -1,
                                 &(struct onr_transformer){.d_model = 3, .nhead = 1, .num_encoder_layers = 1}, NULL,
                                 (struct onr_affine_weights){0});
}

/* What is left out or doubled is named, also where the sizes of x are not known. */
static void what_is_left_out_or_doubled_is_named(void **state) {
  static const struct {
    int (*add)(struct onr_net *net, int x);
    const char *text;
  } wrong[] = {
      {without_value, "binary: input 1"},
      {without_first_value, "binary: input 0"},
      {without_name, "no name"},
      {without_output_name, "no name"},
      {without_dims, "'z': dims is NULL"},
      {without_linear_weight, "Linear: weight is NULL"},
      {without_gru_weights, "GRU: weights is NULL"},
      {without_projections, "in_proj_weight, or q_proj_weight"},
      {same_input_name, "two inputs"},
      {same_output_name, "two outputs"},
      {without_second_part, "value 1 is -1"},
      {without_layers, "layers is NULL"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    struct onr_net *net;
    struct onr_model *model;
    struct onr_error error = {0};
    assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
    const int x = onr_net_input(net, "x", ONR_DTYPE_F32, 2, (int64_t[]){ONR_UNKNOWN_DIM, 3});
    assert_int_equal(wrong[i].add(net, x), -1);
    assert_int_equal(onr_net_finish(net, &model, &error), ONR_STATUS_ARGUMENT);
    if (!strstr(error.message, wrong[i].text)) fail_msg("expected '%s' in: %s", wrong[i].text, error.message);
  }
}

static void a_module_path_is_not_cut(void **state) {
  char name[256];
  struct onr_net *net;
  struct onr_model *model;
  struct onr_error error = {0};
  (void)state;
  memset(name, 'm', sizeof(name) - 1);
  name[sizeof(name) - 1] = '\0';
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  const int x = onr_net_input(net, "x", ONR_DTYPE_F32, 1, (int64_t[]){3});
  onr_net_push(net, name);
  onr_net_push(net, name); /* 255 + 1 + 255: as long as a path may be */
  onr_net_output(net, "y", onr_relu(net, x));
  onr_net_push(net, "");
  assert_int_equal(onr_net_finish(net, &model, &error), ONR_STATUS_LIMIT);
  assert_non_null(strstr(error.message, "longer than 511"));
}

enum { WIDTH = 64, BATCH = 256 };

/* Linear, ReLU, Linear: a Sequential of which each layer has its number. */
static int sequential(struct onr_net *net, int x, const float *w) {
  const struct onr_linear square = {WIDTH, WIDTH};
  for (int i = 0; i < 3; i++) {
    onr_net_push(net, (const char[]){(char)('0' + i), 0});
    onr_net_push(net, i == 1 ? "relu" : "linear");
    x = i == 1 ? onr_relu(net, x) : onr_linear(net, x, &square, onr_weight(w, WIDTH * WIDTH), onr_no_weight());
    onr_net_pop(net);
    onr_net_pop(net);
  }
  return x;
}

/* y [BATCH, WIDTH] = x W^T */
static void multiply(const float *x, const float *w, float *y) {
  for (size_t n = 0; n < BATCH; n++)
    for (size_t o = 0; o < WIDTH; o++) {
      double sum = 0;
      for (size_t i = 0; i < WIDTH; i++) sum += (double)x[n * WIDTH + i] * (double)w[o * WIDTH + i];
      y[n * WIDTH + o] = (float)sum;
    }
}

/* Runs twice with a profile; y is the result. threads NULL: one. */
static void run_profiled(const struct onr_model *model, struct onr_threads *threads, const float *x, float *y) {
  const struct onr_session_options options = {.size = sizeof(options), .threads = threads, .profile = 1};
  const struct onr_tensor in = {onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){BATCH, WIDTH}), (void *)(uintptr_t)x};
  struct onr_session *session;
  struct onr_tensor out;
  struct onr_error error;
  int found[2] = {0, 0};
  assert_int_equal(onr_session_create(model, &options, &session, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_set_input(session, 0, &in, &error), ONR_STATUS_OK);
  for (int i = 0; i < 2; i++) assert_int_equal(onr_session_run(session, &error), ONR_STATUS_OK);
  for (size_t i = 0; i < onr_session_num_nodes(session); i++) {
    struct onr_node_info info = {.size = sizeof(info)};
    assert_int_equal(onr_session_node(session, i, &info), ONR_STATUS_OK);
    if (strcmp(info.module_path, "encoder.0.linear") && strcmp(info.module_path, "encoder.2.linear")) continue;
    found[info.module_path[8] == '2']++;
    assert_string_equal(info.layer, "linear");
    assert_int_equal(info.parameters, WIDTH * WIDTH);
    assert_int_equal(info.multiply_adds, BATCH * WIDTH * WIDTH);
    assert_int_equal(info.runs, 2);
    assert_true(info.total_ns > 0);
  }
  assert_true(found[0] == 1 && found[1] == 1);
  assert_int_equal(onr_session_get_output(session, 0, &out, &error), ONR_STATUS_OK);
  memcpy(y, out.data, BATCH * WIDTH * sizeof(*y));
  onr_session_destroy(session);
}

static void modules_have_names_in_profiles_and_threads_share_the_work(void **state) {
  static float w[WIDTH * WIDTH], x[BATCH * WIDTH], one[BATCH * WIDTH], two[BATCH * WIDTH], hidden[BATCH * WIDTH],
      expected[BATCH * WIDTH];
  struct onr_net *net;
  struct onr_model *model;
  struct onr_threads *threads;
  struct onr_error error = {0};
  (void)state;
  for (size_t i = 0; i < WIDTH * WIDTH; i++) w[i] = (float)(i * 7 % 17) / 64 - 0.125f;
  for (size_t i = 0; i < BATCH * WIDTH; i++) x[i] = (float)(i * 5 % 23) / 16 - 0.75f;
  assert_int_equal(onr_threads_create(2, NULL, &threads, &error), ONR_STATUS_OK);
  assert_int_equal(
      onr_net_create(&(struct onr_model_options){.size = sizeof(struct onr_model_options), .threads = threads}, &net,
                     &error),
      ONR_STATUS_OK);
  const int in = onr_net_input(net, "x", ONR_DTYPE_F32, 2, (int64_t[]){ONR_UNKNOWN_DIM, WIDTH});
  onr_net_push(net, "encoder");
  const int y = sequential(net, in, w);
  onr_net_pop(net);
  onr_net_output(net, "y", y);
  if (onr_net_finish(net, &model, &error) != ONR_STATUS_OK) fail_msg("%s: %s", error.where, error.message);
  run_profiled(model, NULL, x, one);
  run_profiled(model, threads, x, two);
  multiply(x, w, hidden);
  for (size_t i = 0; i < BATCH * WIDTH; i++) hidden[i] = hidden[i] > 0 ? hidden[i] : 0;
  multiply(hidden, w, expected);
  assert_close(one, expected, BATCH * WIDTH, 1e-4, 1e-4);
  assert_close(two, expected, BATCH * WIDTH, 1e-4, 1e-4);
  onr_model_destroy(model);
  onr_threads_destroy(threads);
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
      cmocka_unit_test(what_is_left_out_or_doubled_is_named),
      cmocka_unit_test(a_module_path_is_not_cut),
      cmocka_unit_test(wrong_shapes_are_found_when_it_is_finished),
      cmocka_unit_test(modules_have_names_in_profiles_and_threads_share_the_work),
      cmocka_unit_test(a_net_without_output_and_one_that_is_given_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
