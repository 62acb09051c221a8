/* small_session.h: graphs of small layers, run in a session whose memory is counted and can be made to fail.
 *
 *   struct builder b = start();
 *   const int32_t x = value(b.graph, "x"), y = node(b.graph, &increment, &x, 1);
 *   struct onr_session *s = finish(&b, &x, 1, &y, 1);   // no passes
 *   set(s, 0, (float[]){1, 2}, 2);
 *   run(s);
 *   expect(s, 0, (float[]){2, 3}, 2);
 *   end(&b, s);                                         // nothing is left behind
 */
#ifndef SMALL_SESSION_H
#define SMALL_SESSION_H

#include "support/counted_memory.h"
#include "support/layer_test.h"

#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "layers/layers.h"
#include "onnxrun/session.h"

/* --- layers --- */

/* y = x + 1, in place where allowed */
static inline enum onr_status increment_plan(struct onr_call *c) {
  c->in_place = 0;
  c->scratch_bytes = 100;
  return ONR_STATUS_OK;
}

static const void *incremented; /* where the last one wrote to */

static inline enum onr_status increment_run(struct onr_call *c) {
  const float *x = c->inputs[0];
  float *y = c->outputs[0];
  incremented = y;
  memset(c->scratch, 255, 100);
  for (int64_t i = 0; i < onr_desc_elements(&c->in[0]); i++) y[i] = x[i] + 1;
  return ONR_STATUS_OK;
}

static const struct onr_layer increment = {.name = "increment",
                                           .inputs_min = 1,
                                           .inputs_max = 1,
                                           .outputs_min = 1,
                                           .outputs_max = 1,
                                           .plan = increment_plan,
                                           .run = increment_run};

static inline enum onr_status add_run(struct onr_call *c) {
  const float *a = c->inputs[0], *b = c->inputs[1];
  float *y = c->outputs[0];
  for (int64_t i = 0; i < onr_desc_elements(&c->in[0]); i++) y[i] = a[i] + b[i];
  return ONR_STATUS_OK;
}

static const struct onr_layer add = {.name = "add",
                                     .inputs_min = 2,
                                     .inputs_max = 2,
                                     .outputs_min = 1,
                                     .outputs_max = 1,
                                     .plan = increment_plan,
                                     .run = add_run};

/* flattens, as a view */
static inline enum onr_status flat_infer(struct onr_call *c) {
  const int64_t count = onr_desc_elements(&c->in[0]);
  c->out[0] = onr_desc_make(c->in[0].dtype, 1, &count);
  return ONR_STATUS_OK;
}

static inline enum onr_status flat_plan(struct onr_call *c) {
  c->view[0] = (struct onr_view){0, 0};
  return ONR_STATUS_OK;
}

static inline enum onr_status flat_run(struct onr_call *c) {
  if (c->outputs[0] != c->inputs[0]) memcpy(c->outputs[0], c->inputs[0], onr_desc_bytes(&c->in[0]));
  return ONR_STATUS_OK;
}

static const struct onr_layer flat = {.name = "flat",
                                      .inputs_min = 1,
                                      .inputs_max = 1,
                                      .outputs_min = 1,
                                      .outputs_max = 1,
                                      .infer = flat_infer,
                                      .plan = flat_plan,
                                      .run = flat_run};

/* concatenates vectors, inputs made in place */
static inline enum onr_status join_infer(struct onr_call *c) {
  int64_t count = 0;
  for (size_t i = 0; i < c->num_in; i++) count += onr_desc_elements(&c->in[i]);
  c->out[0] = onr_desc_make(c->in[0].dtype, 1, &count);
  return ONR_STATUS_OK;
}

static inline enum onr_status join_plan(struct onr_call *c) {
  size_t offset = 0;
  for (size_t i = 0; i < c->num_in; i++) {
    c->into[i] = (struct onr_view){0, offset};
    offset += onr_desc_bytes(&c->in[i]);
  }
  return ONR_STATUS_OK;
}

static inline enum onr_status join_run(struct onr_call *c) {
  char *y = c->outputs[0];
  for (size_t i = 0; i < c->num_in; i++) {
    if (c->inputs[i] != y) memcpy(y, c->inputs[i], onr_desc_bytes(&c->in[i]));
    y += onr_desc_bytes(&c->in[i]);
  }
  return ONR_STATUS_OK;
}

static const struct onr_layer join = {.name = "join",
                                      .inputs_min = 1,
                                      .inputs_max = ONR_VARIADIC,
                                      .outputs_min = 1,
                                      .outputs_max = 1,
                                      .infer = join_infer,
                                      .plan = join_plan,
                                      .run = join_run};

/* keeps positive elements: size depends on data */
static inline enum onr_status positive_infer(struct onr_call *c) {
  c->out[0] = c->in[0];
  return ONR_STATUS_OK;
}

static inline enum onr_status positive_run(struct onr_call *c) {
  const float *x = c->inputs[0];
  int64_t count = 0;
  void *data;
  for (int64_t i = 0; i < c->in[0].dim[0]; i++) count += x[i] > 0;
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, &count);
  ONR_TRY(onr_call_resize(c, 0, &desc, &data));
  float *y = data;
  for (int64_t i = 0; i < c->in[0].dim[0]; i++)
    if (x[i] > 0) *y++ = x[i];
  return ONR_STATUS_OK;
}

static const struct onr_layer positive = {.name = "positive",
                                          .inputs_min = 1,
                                          .inputs_max = 1,
                                          .outputs_min = 1,
                                          .outputs_max = 1,
                                          .flags = ONR_LAYER_DYNAMIC,
                                          .infer = positive_infer,
                                          .run = positive_run};

/* [n] -> zeros of as many elements as the first says */
static inline enum onr_status zeros_infer(struct onr_call *c) {
  const int64_t count = (int64_t) * (const float *)c->inputs[0];
  c->out[0] = onr_desc_make(ONR_DTYPE_F32, 1, &count);
  return ONR_STATUS_OK;
}

static inline enum onr_status zeros_run(struct onr_call *c) {
  memset(c->outputs[0], 0, onr_desc_bytes(&c->out[0]));
  return ONR_STATUS_OK;
}

static const struct onr_layer zeros = {.name = "zeros",
                                       .inputs_min = 1,
                                       .inputs_max = 1,
                                       .outputs_min = 1,
                                       .outputs_max = 1,
                                       .shape_inputs = 1,
                                       .infer = zeros_infer,
                                       .run = zeros_run};

/* bool: first element below the second input's first */
static inline enum onr_status below_infer(struct onr_call *c) {
  c->out[0] = (struct onr_desc){.dtype = ONR_DTYPE_BOOL};
  return ONR_STATUS_OK;
}

static inline enum onr_status below_run(struct onr_call *c) {
  *(uint8_t *)c->outputs[0] = *(const float *)c->inputs[0] < *(const float *)c->inputs[1];
  return ONR_STATUS_OK;
}

static const struct onr_layer below = {.name = "below",
                                       .inputs_min = 2,
                                       .inputs_max = 2,
                                       .outputs_min = 1,
                                       .outputs_max = 1,
                                       .infer = below_infer,
                                       .run = below_run};

/* --- a small builder --- */

struct builder {
  struct onr_model *model;
  struct onri_graph *graph;
};

static inline struct builder start_with(const struct onr_limits *limits) {
  struct builder b;
  const struct onr_model_options options = {.size = sizeof(options), .allocator = &counted_memory, .limits = limits};
  counted_memory_begin();
  counted_for_good = 0;
  assert_int_equal(onri_model_create(&options, &b.model, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_graph_create(&b.model->env, &b.graph, NULL), ONR_STATUS_OK);
  return b;
}

static inline struct builder start(void) { return start_with(NULL); }

static inline int32_t value(struct onri_graph *g, const char *name) {
  const struct onr_desc any = {.dtype = ONR_DTYPE_F32, .rank = ONRI_UNKNOWN_RANK};
  return onri_graph_add_value(g, name, &any);
}

static inline int32_t node(struct onri_graph *g, const struct onr_layer *layer, const int32_t *in, size_t num_in) {
  const int32_t out = value(g, NULL);
  assert_non_null(onri_graph_add_node(g, layer, NULL, NULL, in, num_in, &out, 1));
  return out;
}

static inline struct onr_session *finish_with(struct builder *b, const int32_t *in, size_t num_in, const int32_t *out,
                                              size_t num_out, struct onr_threads *threads) {
  const struct onr_model_info info = {0};
  const struct onr_model_options options = {.size = sizeof(options), .disabled_passes = "all"};
  struct onr_session *session;
  struct onr_error error = {0};
  assert_int_equal(onri_graph_set_inputs(b->graph, in, num_in, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(b->graph, out, num_out, NULL), ONR_STATUS_OK);
  if (onri_model_finish(b->model, b->graph, &info, NULL, NULL, &options, &error) != ONR_STATUS_OK)
    fail_msg("%s", error.message);
  assert_int_equal(
      onr_session_create(b->model,
                         &(struct onr_session_options){.size = sizeof(struct onr_session_options), .threads = threads},
                         &session, NULL),
      ONR_STATUS_OK);
  return session;
}

static inline struct onr_session *finish(struct builder *b, const int32_t *in, size_t num_in, const int32_t *out,
                                         size_t num_out) {
  return finish_with(b, in, num_in, out, num_out, NULL);
}

static inline void end(struct builder *b, struct onr_session *session) {
  onr_session_destroy(session);
  onr_model_destroy(b->model);
  assert_int_equal(counted_live, 0);
}

static inline void set(struct onr_session *session, size_t index, const float *data, int64_t count) {
  const struct onr_tensor x = {onr_desc_make(ONR_DTYPE_F32, 1, &count), (void *)(uintptr_t)data};
  assert_int_equal(onr_session_set_input(session, index, &x, NULL), ONR_STATUS_OK);
}

static inline void expect(struct onr_session *session, size_t index, const float *expected, int64_t count) {
  struct onr_tensor y;
  assert_int_equal(onr_session_get_output(session, index, &y, NULL), ONR_STATUS_OK);
  assert_int_equal(onr_desc_elements(&y.desc), count);
  for (int64_t i = 0; i < count; i++)
    if (((const float *)y.data)[i] != expected[i])
      fail_msg("output %zu[%d]: expected %g, found %g", index, (int)i, (double)expected[i],
               (double)((const float *)y.data)[i]);
}

static inline void run(struct onr_session *session) {
  struct onr_error error = {0};
  if (onr_session_run(session, &error) != ONR_STATUS_OK) fail_msg("%s: %s", error.where, error.message);
}

#endif
