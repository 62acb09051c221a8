#include "layer_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/services.h"
#include "graph/graph.h"

enum { CANARY = 64, CANARY_BYTE = 0xA5, SLACK_BYTE = 0xFE };

struct harness {
  struct onri_executor executor;
  struct layer_test *test;
};

static void *keep(struct layer_test *t, void *memory) {
  assert_non_null(memory);
  assert_true(t->num_memory < sizeof(t->memory) / sizeof(t->memory[0]));
  t->memory[t->num_memory++] = memory;
  return memory;
}

static void *make_buffer(struct layer_test *t, size_t bytes, int slack_byte, size_t slack) {
  unsigned char *buffer = keep(t, aligned_alloc(64, (bytes + slack + 63) / 64 * 64 + 64));
  memset(buffer, slack_byte, bytes + slack);
  return buffer;
}

static void add_input(struct layer_test *t, enum onr_dtype dtype, int32_t rank, const int64_t *dims, const void *data,
                      int constant) {
  struct onr_tensor *x = &t->in[t->num_in];
  assert_true(t->num_in < LAYER_TEST_MAX);
  *x = (struct onr_tensor){0};
  if (data) {
    x->desc = onr_desc_make(dtype, rank, dims);
    x->data = make_buffer(t, onr_desc_bytes(&x->desc), SLACK_BYTE, ONR_SLACK_BYTES);
    memcpy(x->data, data, onr_desc_bytes(&x->desc));
    if (constant) t->constants |= (uint64_t)1 << t->num_in;
  }
  t->num_in++;
}

void layer_test_input(struct layer_test *t, enum onr_dtype dtype, int32_t rank, const int64_t *dims, const void *data) {
  add_input(t, dtype, rank, dims, data, 0);
}

void layer_test_constant(struct layer_test *t, enum onr_dtype dtype, int32_t rank, const int64_t *dims,
                         const void *data) {
  add_input(t, dtype, rank, dims, data, 1);
}

static void make_output(struct layer_test *t, size_t i, const struct onr_desc *desc) {
  t->out[i].desc = *desc;
  t->out[i].data = make_buffer(t, onr_desc_bytes(desc), CANARY_BYTE, CANARY);
}

static enum onr_status resize(struct onr_call *call, size_t i, const struct onr_desc *desc, void **data) {
  struct harness *h = call->executor;
  make_output(h->test, i, desc);
  call->out[i] = *desc;
  *data = h->test->out[i].data;
  return ONR_STATUS_OK;
}

static void check_canaries(const struct layer_test *t) {
  for (size_t i = 0; i < t->num_out; i++) {
    if (!t->out[i].data) continue;
    const unsigned char *end = (const unsigned char *)t->out[i].data + onr_desc_bytes(&t->out[i].desc);
    for (size_t k = 0; k < CANARY; k++)
      if (end[k] != CANARY_BYTE) fail_msg("output %zu was written past its end", i);
  }
}

/* Addresses of the outputs: own memory, or the input that the layer wished to overwrite or to view. */
static void place_outputs(struct layer_test *t, struct onr_call *call, void **outputs) {
  for (size_t i = 0; i < t->num_out; i++) {
    outputs[i] = NULL;
    if (t->unwanted >> i & 1) continue;
    if (!t->refuse_wishes && call->view[i].of >= 0 && t->in[call->view[i].of].data) {
      t->out[i] = (struct onr_tensor){call->out[i], NULL};
      outputs[i] = (char *)t->in[call->view[i].of].data + call->view[i].offset;
      continue;
    }
    make_output(t, i, &call->out[i]);
    outputs[i] = t->out[i].data;
  }
}

/* New text stands at another address in each run. */
static void expect_same(const struct onr_layer *layer, const struct onr_desc *desc, const void *first,
                        const void *again) {
  const struct onr_string *a = first, *b = again;
  if (desc->dtype != ONR_DTYPE_STRING || !(layer->flags & ONR_LAYER_TEXT)) {
    assert_memory_equal(first, again, onr_desc_bytes(desc));
    return;
  }
  for (int64_t i = 0; i < onr_desc_elements(desc); i++) {
    assert_int_equal(a[i].length, b[i].length);
    if (a[i].length > 0) assert_memory_equal(a[i].text, b[i].text, a[i].length);
  }
}

static enum onr_status run_twice(struct layer_test *t, const struct onr_layer *layer, struct onr_call *call) {
  void *first[LAYER_TEST_MAX] = {NULL};
  for (int round = 0; round < 2; round++) {
    const enum onr_status status = layer->run(call);
    if (status != ONR_STATUS_OK) return status;
    check_canaries(t);
    for (size_t i = 0; i < t->num_out; i++) {
      const size_t bytes = onr_desc_bytes(&t->out[i].desc);
      if (!t->out[i].data) continue;
      if (round == 0) first[i] = memcpy(keep(t, malloc(bytes + 1)), t->out[i].data, bytes);
      else if (!(layer->flags & ONR_LAYER_IMPURE)) expect_same(layer, &t->out[i].desc, first[i], t->out[i].data);
    }
  }
  return ONR_STATUS_OK;
}

/* Once more, with output 0 in the memory of the input that plan() said it may overwrite: the same bits. */
static enum onr_status run_in_place(struct layer_test *t, const struct onr_layer *layer, struct onr_call *call) {
  const int32_t i = call->in_place;
  if (i < 0 || t->refuse_wishes || !t->out[0].data) return ONR_STATUS_OK;
  const size_t bytes = onr_desc_bytes(&call->out[0]);
  assert_int_equal(onr_desc_bytes(&call->in[i]), bytes);
  void *outputs[LAYER_TEST_MAX];
  memcpy(outputs, call->outputs, t->num_out * sizeof(outputs[0]));
  outputs[0] = t->in[i].data;
  struct onr_call again = *call;
  again.outputs = outputs;
  const enum onr_status status = layer->run(&again);
  if (status == ONR_STATUS_OK) expect_same(layer, &call->out[0], t->in[i].data, t->out[0].data);
  return status;
}

enum onr_status layer_test_run(struct layer_test *t) {
  const struct onr_layer *layer = t->layer;
  struct onr_env env = {.allocator = &onri_malloc_allocator,
                        .limits = onri_limits_resolve(NULL),
                        .backend = t->backend,
                        .most_steps = t->most_steps};
  struct harness h = {{.resize = resize, .heap = &t->heap}, t};
  struct onr_desc in[LAYER_TEST_MAX] = {0}, out[LAYER_TEST_MAX] = {0};
  const void *inputs[LAYER_TEST_MAX] = {NULL};
  void *outputs[LAYER_TEST_MAX] = {NULL};
  enum onr_status status;
  onri_heap_clear(&t->heap);
  onri_heap_init(&t->heap, &onri_malloc_allocator);
  if (t->threads) assert_int_equal(onr_threads_create(t->threads, NULL, &env.threads, NULL), ONR_STATUS_OK);
  struct onr_call call = {.params = t->params,
                          .num_in = t->num_in,
                          .num_out = t->num_out,
                          .in = in,
                          .out = out,
                          .inputs = inputs,
                          .outputs = outputs,
                          .view = t->view,
                          .into = t->into,
                          .env = &env,
                          .error = &t->error,
                          .executor = &h,
                          .in_place = -1};
  for (size_t i = 0; i < LAYER_TEST_MAX; i++) t->view[i].of = t->into[i].of = -1;
  for (size_t i = 0; i < t->num_in; i++) {
    in[i] = t->in[i].desc;
    if ((t->constants >> i & 1) || (i < 32 && (layer->shape_inputs >> i & 1))) inputs[i] = t->in[i].data;
  }
  call.state = keep(t, calloc(1, layer->state_size + 1));
  call.prepared = keep(t, calloc(1, layer->prepared_size + 1));
  status = onri_call_infer(layer, &call);
  if (status == ONR_STATUS_OK) status = onri_call_prepare(layer, &call);
  for (size_t i = 0; i < t->num_out; i++)
    if (t->unwanted >> i & 1) call.out[i] = (struct onr_desc){0};
  if (status == ONR_STATUS_OK && layer->plan) status = layer->plan(&call);
  if (status == ONR_STATUS_OK) {
    for (size_t i = 0; i < t->num_in; i++) inputs[i] = call.packed_inputs >> i & 1 ? NULL : t->in[i].data;
    if (layer->flags & ONR_LAYER_DYNAMIC) memset(outputs, 0, sizeof(outputs));
    else place_outputs(t, &call, outputs);
    call.scratch = make_buffer(t, call.scratch_bytes, CANARY_BYTE, CANARY);
    status = run_twice(t, layer, &call);
    if (status == ONR_STATUS_OK) status = run_in_place(t, layer, &call);
    for (size_t k = 0; k < CANARY; k++)
      assert_int_equal(((unsigned char *)call.scratch)[call.scratch_bytes + k], CANARY_BYTE);
    for (size_t i = 0; i < t->num_out; i++)
      if (!t->out[i].data) t->out[i].data = outputs[i]; /* views */
  }
  t->in_place = call.in_place;
  t->packed_inputs = call.packed_inputs;
  t->kernel = call.kernel;
  if (layer->release_state) layer->release_state(call.state, &env);
  if (layer->release_prepared) layer->release_prepared(call.prepared, &env);
  onr_threads_destroy(env.threads);
  return status;
}

void layer_test_clear(struct layer_test *t) {
  for (size_t i = 0; i < t->num_memory; i++) free(t->memory[i]);
  t->num_memory = t->num_in = 0;
  onri_heap_clear(&t->heap);
}

void assert_close(const float *found, const float *expected, size_t count, double relative, double absolute) {
  for (size_t i = 0; i < count; i++) {
    const double f = found[i], e = expected[i];
    if (isnan(f) && isnan(e)) continue;
    if (f == e || fabs(f - e) <= absolute + relative * fabs(e)) continue;
    fail_msg("element %zu of %zu: expected %.9g, found %.9g", i, count, e, f);
  }
}

void fill_random(float *values, size_t count, float low, float high, uint32_t seed) {
  uint32_t state = seed * 2654435761u + 12345u;
  for (size_t i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    values[i] = low + (high - low) * (float)(state >> 8) / 16777216.0f;
  }
}
