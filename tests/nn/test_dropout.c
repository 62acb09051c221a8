/* dropout: nothing in inference; in training the right share, the right values, whole channels, by seed alone */
#include "support/nn_case.h"

#include <math.h>
#include <string.h>

#include "onnxrun/session.h"

typedef int (*dropout_layer)(struct onr_net *net, int x, const struct onr_dropout *p);

enum { CHANNELS = 2000, LENGTH = 10, COUNT = 2 * CHANNELS * LENGTH };

/* y of a net of one layer for x of a shape whose elements are all `value`. */
static void run(dropout_layer layer, const struct onr_dropout *p, int32_t rank, const int64_t *dims, float value,
                float *y) {
  static float x[COUNT];
  struct onr_net *net;
  struct onr_model *model;
  struct onr_session *session;
  struct onr_error error;
  struct onr_tensor in = {onr_desc_make(ONR_DTYPE_F32, rank, dims), x}, out;
  const size_t count = (size_t)onr_desc_elements(&in.desc);
  assert_true(count <= COUNT);
  for (size_t i = 0; i < count; i++) x[i] = value;
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  onr_net_output(net, "y", layer(net, onr_net_input(net, "x", ONR_DTYPE_F32, rank, dims), p));
  if (onr_net_finish(net, &model, &error) != ONR_STATUS_OK) fail_msg("%s", error.message);
  assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_set_input(session, 0, &in, &error), ONR_STATUS_OK);
  if (onr_session_run(session, &error) != ONR_STATUS_OK) fail_msg("%s", error.message);
  assert_int_equal(onr_session_get_output(session, 0, &out, &error), ONR_STATUS_OK);
  assert_true(onr_desc_equal(&out.desc, &in.desc));
  memcpy(y, out.data, count * sizeof(*y));
  onr_session_destroy(session);
  onr_model_destroy(model);
}

static float y[COUNT], again[COUNT];
static const int64_t shape[] = {2, CHANNELS, LENGTH}, sample[] = {CHANNELS, LENGTH};
static const dropout_layer all_layers[] = {onr_dropout, onr_dropout1d, onr_dropout2d, onr_alpha_dropout,
                                           onr_feature_alpha_dropout};

static void inference_changes_nothing(void **state) {
  const struct onr_dropout off = {.p = 0.5f};
  (void)state;
  for (size_t l = 0; l < sizeof(all_layers) / sizeof(*all_layers); l++)
    for (int given = 0; given < 2; given++) {
      run(all_layers[l], given ? &off : NULL, 3, shape, 1.5f, y);
      for (size_t i = 0; i < COUNT; i++) assert_true(y[i] == 1.5f);
    }
}

/* Items of `item` elements are `dropped` or `kept` as one; the share of the dropped is within 4 deviations of p. */
static void check_items(size_t count, size_t item, double p, float dropped, float kept) {
  size_t drops = 0;
  for (size_t i = 0; i < count; i++) {
    if (i % item) assert_true(y[i] == y[i - 1]);
    else if (fabsf(y[i] - dropped) < 1e-5f) drops++;
    else assert_close(&y[i], &kept, 1, 1e-5, 1e-5);
  }
  const double items = (double)(count / item);
  assert_true(fabs((double)drops - p * items) < 4 * sqrt(items * p * (1 - p)));
}

/* What is dropped and kept of a tensor of ones is PyTorch's, as F.dropout and F.alpha_dropout return it. */
static void training_drops_its_share(void **state) {
  const struct onr_dropout third = {.p = 0.3f, .training = 1, .seed = 1}, half = {.p = 0.5f, .training = 1, .seed = 2};
  (void)state;
  run(onr_dropout, &third, 3, shape, 1, y);
  check_items(COUNT, 1, 0.3, 0, 1 / 0.7f);
  run(onr_dropout1d, &half, 3, shape, 1, y);
  check_items(COUNT, LENGTH, 0.5, 0, 2);
  run(onr_dropout1d, &half, 2, sample, 1, y);
  check_items(COUNT / 2, LENGTH, 0.5, 0, 2);
  run(onr_dropout2d, &third, 4, (int64_t[]){2, CHANNELS, 5, 2}, 1, y);
  check_items(COUNT, LENGTH, 0.3, 0, 1 / 0.7f);
  run(onr_dropout3d, &third, 5, (int64_t[]){2, CHANNELS, 5, 1, 2}, 1, y);
  check_items(COUNT, LENGTH, 0.3, 0, 1 / 0.7f);
  run(onr_dropout3d, &third, 4, (int64_t[]){CHANNELS, 5, 2, 1}, 1, y);
  check_items(COUNT / 2, LENGTH, 0.3, 0, 1 / 0.7f);
  run(onr_alpha_dropout, &third, 3, shape, 1, y);
  check_items(COUNT, 1, 0.3, -1.059548258781433f, 1.315044641494751f);
  run(onr_feature_alpha_dropout, &half, 3, shape, 1, y);
  check_items(COUNT, LENGTH, 0.5, -0.7791939377784729f, 1.6655988693237305f);
}

static void the_extremes(void **state) {
  const struct onr_dropout nothing = {.p = 0, .training = 1}, everything = {.p = 1, .training = 1};
  (void)state;
  for (size_t l = 0; l < sizeof(all_layers) / sizeof(*all_layers); l++) {
    run(all_layers[l], &nothing, 3, shape, 1.5f, y);
    for (size_t i = 0; i < COUNT; i++) assert_true(y[i] == 1.5f);
    run(all_layers[l], &everything, 3, shape, 1.5f, y);
    for (size_t i = 0; i < COUNT; i++) assert_true(y[i] == 0);
  }
}

static void the_seed_decides(void **state) {
  const struct onr_dropout first = {.p = 0.5f, .training = 1, .seed = 7},
                           second = {.p = 0.5f, .training = 1, .seed = 8};
  (void)state;
  run(onr_dropout, &first, 3, shape, 1, y);
  run(onr_dropout, &first, 3, shape, 1, again);
  assert_memory_equal(y, again, sizeof(y));
  run(onr_dropout, &second, 3, shape, 1, again);
  size_t same = 0;
  for (size_t i = 0; i < COUNT; i++) same += y[i] == again[i];
  assert_true(fabs((double)same - COUNT / 2) < 4 * sqrt(COUNT / 4.0));
}

static int add(struct onr_net *net, int x, const void *params) { return onr_dropout1d(net, x, params); }

static void refuses_wrong_arguments(void **state) {
  (void)state;
  nn_refuses(add, &(struct onr_dropout){.p = 1.5f, .training = 1}, 3, shape, "0..1");
  nn_refuses(add, &(struct onr_dropout){.p = NAN, .training = 1}, 3, shape, "0..1");
  nn_refuses(add, &(struct onr_dropout){.p = 0.5f, .training = 1}, 1, shape, "rank 2 or 3");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(inference_changes_nothing),
      cmocka_unit_test(training_drops_its_share),
      cmocka_unit_test(the_extremes),
      cmocka_unit_test(the_seed_decides),
      cmocka_unit_test(refuses_wrong_arguments),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
