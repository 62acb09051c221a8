/* Memory that is bound to an output whose size the run tells: what the last run told counts for nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "onnxrun/layer.h"
#include "onnxrun/net.h"
#include "onnxrun/nn.h"
#include "onnxrun/onnxrun.h"

enum { MOST = 8, GUARD = 77 };

static struct onr_error error;

static void expect(enum onr_status expected, enum onr_status status) {
  if (status != expected)
    fail_msg("expected %s, found %s: %s", onr_status_name(expected), onr_status_name(status),
             status == ONR_STATUS_OK ? "" : error.message);
}

/* x[0..n): as many as there are below 0 ends it. */
static enum onr_status head_infer(struct onr_call *call) {
  call->out[0] = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){0});
  return ONR_STATUS_OK;
}

static enum onr_status head_run(struct onr_call *call) {
  const float *x = call->inputs[0];
  int64_t count = 0;
  void *data;
  while (count < call->in[0].dim[0] && x[count] >= 0) count++;
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, &count);
  ONR_TRY(onr_call_resize(call, 0, &desc, &data));
  if (data) memcpy(data, x, (size_t)count * sizeof(*x));
  return ONR_STATUS_OK;
}

/* x[0..count), count the contents of input 1. */
static enum onr_status first_infer(struct onr_call *call) {
  const int64_t *count = call->inputs[1];
  call->out[0] = onr_desc_make(ONR_DTYPE_F32, 1, count);
  return ONR_STATUS_OK;
}

static enum onr_status first_run(struct onr_call *call) {
  memcpy(call->outputs[0], call->inputs[0], onr_desc_bytes(&call->out[0]));
  return ONR_STATUS_OK;
}

static const struct onr_layer head = {
    "head",         1, 1, 1, 1, .flags = ONR_LAYER_DYNAMIC, .types = {1u << ONR_DTYPE_F32}, .infer = head_infer,
    .run = head_run};
static const struct onr_layer first = {"first",
                                       2,
                                       2,
                                       1,
                                       1,
                                       .types = {1u << ONR_DTYPE_F32, 1u << ONR_DTYPE_I64},
                                       .shape_inputs = 2,
                                       .infer = first_infer,
                                       .run = first_run};

/* y = what the layer gives, or its tanh behind it. */
static struct onr_model *make(const struct onr_layer *layer, int is_last) {
  const int64_t most = MOST;
  struct onr_model *model;
  struct onr_net *net;
  expect(ONR_STATUS_OK, onr_net_create(NULL, &net, &error));
  int in[2] = {onr_net_input(net, "x", ONR_DTYPE_F32, 1, &most)}, y;
  if (layer == &first) in[1] = onr_net_input(net, "count", ONR_DTYPE_I64, 0, NULL);
  onr_net_layer(net, layer, NULL, in, layer == &first ? 2 : 1, &y, 1);
  onr_net_output(net, "y", is_last ? y : onr_tanh(net, y));
  expect(ONR_STATUS_OK, onr_net_finish(net, &model, &error));
  return model;
}

/* Runs it so that y has `count` elements, bound to memory of `room`. */
static void run(const struct onr_model *model, struct onr_session *session, int64_t count, size_t room) {
  float x[MOST], y[MOST + 1];
  struct onr_tensor tensor = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){MOST}), x};
  struct onr_desc desc;
  for (int i = 0; i < MOST; i++) x[i] = i < count ? (float)(i + 1) : -1;
  for (int i = 0; i <= MOST; i++) y[i] = GUARD;
  expect(ONR_STATUS_OK, onr_session_set_input(session, 0, &tensor, &error));
  tensor = (struct onr_tensor){onr_desc_make(ONR_DTYPE_I64, 0, NULL), &count};
  if (onr_model_num_inputs(model) == 2) expect(ONR_STATUS_OK, onr_session_set_input(session, 1, &tensor, &error));
  expect(ONR_STATUS_OK, onr_session_plan(session, &error));
  expect(ONR_STATUS_OK, onr_session_planned_output(session, 0, &desc, &error));
  if (desc.dtype) assert_int_equal(desc.dim[0], count);
  expect(ONR_STATUS_OK, onr_session_bind_output(session, 0, y, room * sizeof(*y), &error));
  expect(room < (size_t)count ? ONR_STATUS_ARGUMENT : ONR_STATUS_OK, onr_session_run(session, &error));
  for (size_t i = room; i <= MOST; i++) assert_true(y[i] == GUARD);
  if (room < (size_t)count) return;
  expect(ONR_STATUS_OK, onr_session_get_output(session, 0, &tensor, &error));
  assert_int_equal(tensor.desc.dim[0], count);
  assert_ptr_equal(tensor.data, y);
  assert_true(!count || (y[0] > 0.5f && y[0] <= 1));
}

static void sizes_change(const struct onr_layer *layer, int is_last) {
  struct onr_model *model = make(layer, is_last);
  struct onr_session *session;
  expect(ONR_STATUS_OK, onr_session_create(model, NULL, &session, &error));
  run(model, session, 2, 2);
  run(model, session, 6, 2); /* larger than the last run's, and than its memory */
  run(model, session, 6, 6);
  run(model, session, 3, 4); /* memory that the last run's would not have fitted */
  run(model, session, 0, 0);
  run(model, session, MOST, MOST);
  onr_session_destroy(session);
  onr_model_destroy(model);
}

static void run_tells(void **state) {
  (void)state;
  sizes_change(&head, 1);
  sizes_change(&head, 0);
}

static void contents_of_an_input_tell(void **state) {
  (void)state;
  sizes_change(&first, 1);
  sizes_change(&first, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(run_tells), cmocka_unit_test(contents_of_an_input_tell)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
