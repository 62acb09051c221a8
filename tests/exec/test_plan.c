/* plan: what planning takes grows with the graph and no faster, however the graph is cut into segments */
#include "support/small_session.h"

#include "onnxrun/sequence.h"

/* --- chains of n nodes of one kind; every node's result is the next one's input --- */

typedef int32_t add_link(struct builder *b, int32_t x);

static int32_t add_positive(struct builder *b, int32_t x) { return node(b->graph, &positive, &x, 1); }

static int32_t add_increment(struct builder *b, int32_t x) { return node(b->graph, &increment, &x, 1); }

/* The last part of a vector of its own size: in place inside it. */
static int32_t add_join(struct builder *b, int32_t x) { return node(b->graph, &join, &x, 1); }

static int32_t add_flat(struct builder *b, int32_t x) { return node(b->graph, &flat, &x, 1); }

static struct onri_graph *increment_body(struct builder *b) {
  struct onri_graph *body;
  assert_int_equal(onri_graph_create(&b->model->env, &body, NULL), ONR_STATUS_OK);
  const int32_t v = value(body, "v"), y = node(body, &increment, &v, 1);
  assert_int_equal(onri_graph_set_inputs(body, &v, 1, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(body, &y, 1, NULL), ONR_STATUS_OK);
  return body;
}

static int32_t add_control(struct builder *b, const struct onr_layer *layer, const void *params, const int32_t *in,
                           size_t num_in, struct onri_graph *const *bodies, int32_t num_bodies) {
  const int32_t out = value(b->graph, NULL);
  struct onri_node *control = onri_graph_add_node(b->graph, layer, params, NULL, in, num_in, &out, 1);
  assert_non_null(control);
  control->num_bodies = num_bodies;
  control->bodies = onri_arena_copy(&b->graph->arena, bodies, (size_t)num_bodies * sizeof(*bodies));
  return out;
}

static int32_t add_if(struct builder *b, int32_t x) {
  struct onri_graph *const bodies[2] = {increment_body(b), increment_body(b)};
  const int32_t condition = node(b->graph, &below, (int32_t[]){x, x}, 2);
  return add_control(b, &onri_layer_if, NULL, (int32_t[]){condition, x, x}, 3, bodies, 2);
}

static int32_t add_scan(struct builder *b, int32_t x) {
  const struct onr_scan_params params = {.num_scan_inputs = 1};
  struct onri_graph *body = increment_body(b);
  return add_control(b, &onri_layer_scan, &params, &x, 1, &body, 1);
}

static int32_t add_loop(struct builder *b, int32_t x) {
  const struct onr_loop_params params = {.num_carried = 1};
  const int64_t two = 2;
  const int32_t trips = onri_graph_add_data(b->graph, &(struct onr_desc){.dtype = ONR_DTYPE_I64}, &two);
  struct onri_graph *body;
  assert_int_equal(onri_graph_create(&b->model->env, &body, NULL), ONR_STATUS_OK);
  const int32_t i = value(body, "i"), go_on = value(body, "go_on"), v = value(body, "v"),
                y = node(body, &increment, &v, 1);
  assert_int_equal(onri_graph_set_inputs(body, (int32_t[]){i, go_on, v}, 3, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(body, (int32_t[]){go_on, y}, 2, NULL), ONR_STATUS_OK);
  return add_control(b, &onri_layer_loop, &params, (int32_t[]){trips, ONRI_NONE, x}, 3, &body, 1);
}

static int32_t add_map(struct builder *b, int32_t x) {
  const struct onr_sequence_map_params params = {.num_mapped = 1};
  struct onri_graph *body = increment_body(b);
  return add_control(b, &onri_layer_sequence_map, &params, &x, 1, &body, 1);
}

struct usage {
  size_t held_bytes, allocated_bytes, allocations; /* by the session, for its first run */
};

/* all: every link is a graph output, so nothing is forgotten. */
static struct usage measure(add_link *link, size_t count, int all, const struct onr_tensor *x, double more_each) {
  struct builder b = start();
  int32_t *links = malloc((count + 1) * sizeof(*links));
  struct usage before;
  struct onr_tensor y;
  links[0] = onri_graph_add_value(b.graph, "x", &(struct onr_desc){.dtype = x->desc.dtype, .rank = ONRI_UNKNOWN_RANK});
  for (size_t i = 0; i < count; i++) links[i + 1] = link(&b, links[i]);
  struct onr_session *s = finish(&b, links, 1, all ? links + 1 : links + count, all ? count : 1);
  before = (struct usage){counted_bytes, counted_sum, counted_total};
  assert_int_equal(onr_session_set_input(s, 0, x, NULL), ONR_STATUS_OK);
  run(s);
  const struct usage used = {counted_bytes - before.held_bytes, counted_sum - before.allocated_bytes,
                             counted_total - before.allocations};
  assert_int_equal(onr_session_get_output(s, all ? count - 1 : 0, &y, NULL), ONR_STATUS_OK);
  if (y.desc.dtype == ONR_DTYPE_SEQUENCE) y = onr_sequence_entry(&y, 0);
  assert_float_equal(*(const float *)y.data, 5 + more_each * (double)count, 0);
  free(links);
  end(&b, s);
  return used;
}

static void grows_in_proportion(add_link *link, const struct onr_tensor *x, double more_each) {
  for (int all = 0; all <= 1; all++) {
    const struct usage one = measure(link, 500, all, x, more_each), four = measure(link, 2000, all, x, more_each);
    assert_in_range(four.held_bytes, 0, 5 * one.held_bytes);
    assert_in_range(four.allocated_bytes, 0, 5 * one.allocated_bytes);
    assert_in_range(four.allocations, 0, 5 * one.allocations);
  }
}

static const float data[3] = {5, 6, 7};
static const struct onr_tensor vector = {{.dtype = ONR_DTYPE_F32, .rank = 1, .dim = {3}}, (void *)(uintptr_t)data};

static void data_dependent_chains(void **state) {
  (void)state;
  grows_in_proportion(add_positive, &vector, 0);
}

static void chains_of_control_flow(void **state) {
  (void)state;
  grows_in_proportion(add_if, &vector, 1);
  grows_in_proportion(add_loop, &vector, 2);
  grows_in_proportion(add_scan, &vector, 1);
}

static void chains_of_sequence_maps(void **state) {
  uint64_t block[64];
  struct onr_tensor sequence = {onr_sequence_desc(ONR_DTYPE_SEQUENCE, &vector, 1), block};
  (void)state;
  assert_in_range(sequence.desc.dim[0], 0, sizeof(block));
  onr_sequence_write(&vector, 1, block);
  grows_in_proportion(add_map, &sequence, 1);
}

/* A value of such a chain is found without walking through all before it. */
static void long_chains_share_one_block(void **state) {
  (void)state;
  assert_in_range(measure(add_increment, 100000, 0, &vector, 1).held_bytes, 0, 100000 * 2000);
  assert_in_range(measure(add_flat, 100000, 0, &vector, 0).held_bytes, 0, 100000 * 2000);
  assert_in_range(measure(add_join, 100000, 0, &vector, 0).held_bytes, 0, 100000 * 2000);
}

/* One map over n entries: each is copied once, and once more into the sequence. */
static void a_long_sequence_is_copied_once(void **state) {
  size_t used[2];
  (void)state;
  for (int k = 0; k < 2; k++) {
    const int64_t length = k ? 4000 : 1000;
    struct onr_tensor *entries = malloc((size_t)length * sizeof(*entries));
    for (int64_t i = 0; i < length; i++) entries[i] = vector;
    const struct onr_desc desc = onr_sequence_desc(ONR_DTYPE_SEQUENCE, entries, length);
    const struct onr_tensor sequence = {desc, malloc((size_t)desc.dim[0])};
    onr_sequence_write(entries, length, sequence.data);
    used[k] = measure(add_map, 1, 0, &sequence, 1).allocated_bytes;
    free(sequence.data);
    free(entries);
  }
  assert_in_range(used[1], 0, 5 * used[0]);
}

/* A layer of a caller's may copy a container like any tensor, whatever form it has inside. */
static enum onr_status copied_infer(struct onr_call *c) {
  c->out[0] = (struct onr_desc){.dtype = ONR_DTYPE_SEQUENCE, .rank = 1};
  return ONR_STATUS_OK;
}

static enum onr_status copied_run(struct onr_call *c) {
  void *to;
  const enum onr_status status = onr_call_resize(c, 0, &c->in[0], &to);
  if (status == ONR_STATUS_OK) memcpy(to, c->inputs[0], onr_desc_bytes(&c->in[0]));
  return status;
}

static const struct onr_layer copied = {
    .name = "copied",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONR_ANY_TYPE},
    .flags = ONR_LAYER_DYNAMIC | ONR_LAYER_MAKES_CONTAINERS,
    .infer = copied_infer,
    .run = copied_run,
};

static void containers_are_copied_like_tensors(void **state) {
  uint64_t block[64];
  const struct onr_tensor sequence = {onr_sequence_desc(ONR_DTYPE_SEQUENCE, &vector, 1), block};
  struct builder b = start();
  struct onr_tensor y;
  (void)state;
  onr_sequence_write(&vector, 1, block);
  const int32_t x = onri_graph_add_value(b.graph, "x", &(struct onr_desc){.dtype = ONR_DTYPE_SEQUENCE, .rank = 1});
  b.graph->values[x].desc.dim[0] = ONR_UNKNOWN_DIM;
  const int32_t one = node(b.graph, &copied, &x, 1), two = node(b.graph, &copied, &one, 1),
                longer = node(b.graph, &onri_layer_sequence_erase, &two, 1), three = node(b.graph, &copied, &two, 1);
  struct onr_session *s = finish(&b, &x, 1, (int32_t[]){three, one, longer}, 3);
  for (int turn = 0; turn < 3; turn++) {
    assert_int_equal(onr_session_set_input(s, 0, &sequence, NULL), ONR_STATUS_OK);
    run(s);
    for (size_t i = 0; i < 2; i++) {
      assert_int_equal(onr_session_get_output(s, i, &y, NULL), ONR_STATUS_OK);
      assert_true(onr_desc_equal(&y.desc, &sequence.desc));
      assert_memory_equal(y.data, block, onr_desc_bytes(&y.desc));
    }
    assert_int_equal(onr_session_get_output(s, 2, &y, NULL), ONR_STATUS_OK);
    assert_int_equal(onr_sequence_length(&y), 0);
  }
  end(&b, s);
}

/* Loop: v = v, 1; each turn has a shape of its own. */
static void loops_with_growing_shapes(void **state) {
  const struct onr_loop_params params = {.num_carried = 1};
  const struct onr_limits limits = {.size = sizeof(limits), .plan_bytes = 1 << 18};
  const float one = 1;
  struct builder b = start_with(&limits);
  struct onri_graph *body;
  struct onr_tensor y;
  (void)state;
  assert_int_equal(onri_graph_create(&b.model->env, &body, NULL), ONR_STATUS_OK);
  const int32_t i = value(body, "i"), go_on = value(body, "go_on"), v = value(body, "v");
  const int32_t tail =
      onri_graph_add_data(body, &(struct onr_desc){.dtype = ONR_DTYPE_F32, .rank = 1, .dim = {1}}, &one);
  const int32_t longer = node(body, &join, (int32_t[]){v, tail}, 2);
  onri_graph_set_inputs(body, (int32_t[]){i, go_on, v}, 3, NULL);
  onri_graph_set_outputs(body, (int32_t[]){go_on, longer}, 2, NULL);
  const int32_t trips = onri_graph_add_value(b.graph, "trips", &(struct onr_desc){.dtype = ONR_DTYPE_I64}),
                x = value(b.graph, "x");
  const int32_t out = add_control(&b, &onri_layer_loop, &params, (int32_t[]){trips, ONRI_NONE, x}, 3, &body, 1);
  struct onr_session *s = finish(&b, (int32_t[]){trips, x}, 2, &out, 1);
  const size_t before = counted_bytes;
  set(s, 1, data, 3);
  for (int64_t count = 2000; count >= 0; count -= 1000) { /* from the longest down: what grew serves again */
    const struct onr_tensor t = {{.dtype = ONR_DTYPE_I64}, &count};
    assert_int_equal(onr_session_set_input(s, 0, &t, NULL), ONR_STATUS_OK);
    run(s);
    assert_int_equal(onr_session_get_output(s, 0, &y, NULL), ONR_STATUS_OK);
    assert_int_equal(y.desc.dim[0], 3 + count);
    for (int64_t k = 0; k < 3 + count; k++) assert_true(((const float *)y.data)[k] == (k < 3 ? data[k] : 1));
    assert_in_range(counted_bytes - before, 0, limits.plan_bytes + (1 << 17)); /* plans, and values of 8 KB */
  }
  end(&b, s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(data_dependent_chains),
      cmocka_unit_test(chains_of_control_flow),
      cmocka_unit_test(chains_of_sequence_maps),
      cmocka_unit_test(long_chains_share_one_block),
      cmocka_unit_test(a_long_sequence_is_copied_once),
      cmocka_unit_test(loops_with_growing_shapes),
      cmocka_unit_test(containers_are_copied_like_tensors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
