/* nn_case: builds a net of one layer, runs it, compares. */
#include "support/nn_case.h"

#include <stdlib.h>
#include <string.h>

#include "onnxrun/session.h"

enum { POOL = 1 << 16 };

static void fill(float *values, size_t count, int seed, double low, double high) {
  for (size_t i = 0; i < count; i++)
    values[i] = (float)(low + (high - low) * (double)(((size_t)seed * 7919 + i * 104729) % 2003) / 2002);
}

/* Weight `cut` of those that a layer asks for comes with one number less than it should; 0: none. */
static struct { int cut, asked; } weights;

static struct onr_weight take(int number, size_t count, double low, double high) {
  static float pool[POOL];
  static size_t used;
  if (used + count > POOL) used = 0; /* weights are copied when they are passed: old ones are done with */
  assert_true(count <= POOL);
  used += count;
  fill(pool + used - count, count, 10 + number, low, high);
  return onr_weight(pool + used - count, count - (++weights.asked == weights.cut));
}

struct onr_weight nn_weight(int number, size_t count) {
  return take(number, count, -0.5, 0.5);
}
struct onr_weight nn_variance(int number, size_t count) {
  return take(number, count, 0.5, 1.5);
}

static void compare(const struct onr_tensor *found, const struct nn_values *expected) {
  const size_t count = (size_t)onr_desc_elements(&found->desc);
  assert_int_equal(found->desc.rank, expected->rank);
  for (int32_t d = 0; d < expected->rank; d++) assert_int_equal(found->desc.dim[d], expected->dim[d]);
  if (found->desc.dtype == ONR_DTYPE_I64) {
    for (size_t i = 0; i < count; i++) assert_int_equal(((const int64_t *)found->data)[i], (int64_t)expected->data[i]);
  } else {
    assert_int_equal(found->desc.dtype, ONR_DTYPE_F32);
    assert_close(found->data, expected->data, count, 1e-4, 1e-4);
  }
}

static void run(const struct nn_case *c, struct onr_model *model) {
  struct onr_error error = {0};
  struct onr_session *session;
  float *data[NN_MAX_VALUES] = {NULL};
  assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
  for (size_t i = 0; i < c->num_in; i++) {
    struct onr_tensor x = {onr_desc_make(ONR_DTYPE_F32, c->in[i].rank, c->in[i].dim), NULL};
    const size_t count = (size_t)onr_desc_elements(&x.desc);
    x.data = data[i] = malloc(count * sizeof(float));
    assert_non_null(x.data);
    fill(data[i], count, (int)i + 1, -3, 3);
    assert_int_equal(onr_session_set_input(session, i, &x, &error), ONR_STATUS_OK);
  }
  if (onr_session_run(session, &error) != ONR_STATUS_OK) fail_msg("%s: %s: %s", c->name, error.where, error.message);
  for (size_t i = 0; i < c->num_out; i++) {
    struct onr_tensor y;
    assert_int_equal(onr_session_get_output(session, i, &y, &error), ONR_STATUS_OK);
    compare(&y, &c->out[i]);
  }
  onr_session_destroy(session);
  for (size_t i = 0; i < c->num_in; i++) free(data[i]);
}

/* declared: the network knows the sizes of its inputs beforehand; else only their ranks. */
static void check(const struct nn_case *c, const struct nn_builder *builder, int declared) {
  struct onr_error error = {0};
  struct onr_net *net;
  struct onr_model *model;
  struct onr_desc descs[NN_MAX_VALUES];
  int in[NN_MAX_VALUES] = {-1, -1, -1, -1}, out[NN_MAX_VALUES] = {-1, -1, -1, -1};
  print_message("%s%s\n", c->name, declared ? "" : ", unknown sizes");
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  for (size_t i = 0; i < c->num_in; i++) {
    const int64_t unknown[5] = {ONR_UNKNOWN_DIM, ONR_UNKNOWN_DIM, ONR_UNKNOWN_DIM, ONR_UNKNOWN_DIM, ONR_UNKNOWN_DIM};
    descs[i] = onr_desc_make(ONR_DTYPE_F32, c->in[i].rank, c->in[i].dim);
    in[i] = onr_net_input(net, (const char[]){(char)('a' + i), 0}, ONR_DTYPE_F32, c->in[i].rank,
                          i || declared ? c->in[i].dim : unknown);
  }
  builder->build(net, in, out);
  assert_int_equal(onr_net_parameters(net), c->parameters);
  for (size_t i = 0; i < c->num_out; i++) {
    struct onr_desc shape;
    if (onr_net_shape(net, out[i], descs, c->num_in, &shape, &error) != ONR_STATUS_OK)
      fail_msg("%s: %s", c->name, error.message);
    assert_int_equal(shape.rank, c->out[i].rank);
    for (int32_t d = 0; d < shape.rank; d++) assert_int_equal(shape.dim[d], c->out[i].dim[d]);
    onr_net_output(net, (const char[]){(char)('p' + i), 0}, out[i]);
  }
  if (onr_net_finish(net, &model, &error) != ONR_STATUS_OK) fail_msg("%s: %s: %s", c->name, error.where, error.message);
  run(c, model);
  onr_model_destroy(model);
}

/* A weight that is too short is refused by its length; returns 0 when the layer has no weight of that number. */
static int check_short(const struct nn_case *c, const struct nn_builder *builder, int cut) {
  struct onr_error error = {0};
  struct onr_net *net;
  struct onr_model *model;
  int in[NN_MAX_VALUES] = {-1, -1, -1, -1}, out[NN_MAX_VALUES] = {-1, -1, -1, -1};
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  for (size_t i = 0; i < c->num_in; i++)
    in[i] = onr_net_input(net, (const char[]){(char)('a' + i), 0}, ONR_DTYPE_F32, c->in[i].rank, c->in[i].dim);
  weights.asked = 0;
  weights.cut = cut;
  builder->build(net, in, out);
  weights.cut = 0;
  if (cut > weights.asked) {
    onr_net_destroy(net);
    return 0;
  }
  assert_int_equal(onr_net_finish(net, &model, &error), ONR_STATUS_ARGUMENT);
  if (!strstr(error.message, "expected") || !strstr(error.message, "numbers"))
    fail_msg("%s, weight %d: %s", c->name, cut, error.message);
  return 1;
}

void nn_check(const struct nn_case *cases, size_t num_cases, const struct nn_builder *builders, size_t num_builders) {
  assert_int_equal(num_cases, num_builders);
  for (size_t i = 0; i < num_cases; i++) {
    size_t b = 0;
    while (b < num_builders && strcmp(builders[b].name, cases[i].name) != 0) b++;
    if (b == num_builders) fail_msg("no builder for %s", cases[i].name);
    check(&cases[i], &builders[b], 0);
    check(&cases[i], &builders[b], 1);
    for (int cut = 1; check_short(&cases[i], &builders[b], cut);) cut++;
  }
}

void nn_refuses(int (*add)(struct onr_net *net, int x, const void *params), const void *params, int32_t rank,
                const int64_t *dims, const char *text) {
  struct onr_error error = {0};
  struct onr_net *net;
  struct onr_model *model;
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  onr_net_output(net, "y", add(net, onr_net_input(net, "x", ONR_DTYPE_F32, rank, dims), params));
  assert_int_not_equal(onr_net_finish(net, &model, &error), ONR_STATUS_OK);
  if (!strstr(error.message, text)) fail_msg("expected '%s' in: %s", text, error.message);
}
