/* prepare.c: lets every layer choose a kernel and pack its constant weights, one node after the other, so that at most
 * one node's weights are in memory twice: a constant leaves memory with its last reader that packed it. Threads share
 * the work on one node: reading its weights, and packing them. */
#include <string.h>

#include "base/memory/blocks.h"
#include "base/numbers/checked.h"
#include "base/services.h"
#include "model/model.h"
#include "model/packed.h"

/* Readers of constants that have not packed them; counted over all graphs, since bodies share constants. */
static void count_readers(struct onri_graph *graph) {
  for (size_t n = 0; n < graph->num_nodes; n++) {
    const struct onri_node *node = &graph->nodes[n];
    for (int32_t i = 0; i < node->num_in; i++)
      if (node->in[i] != ONRI_NONE && graph->values[node->in[i]].constant)
        graph->values[node->in[i]].constant->readers++;
    for (int32_t b = 0; b < onri_num_bodies(node); b++) count_readers(node->bodies[b]);
  }
  for (size_t i = 0; i < graph->num_outputs; i++)
    if (graph->values[graph->outputs[i]].constant) graph->values[graph->outputs[i]].constant->readers++;
}

/* Memory that the weights of one node after the other are read into, as large as the largest that is still to come. */
struct reading {
  void *memory;
  size_t bytes;
  struct onri_constant *user; /* whose data is here, NULL: nobody's */
  size_t ahead;               /* the most bytes that this node or a later one reads */
};

/* What has been packed does not come back. */
static void drop_data(struct reading *reading, struct onri_constant *constant) {
  if (--constant->readers > 0) return;
  if (reading->user == constant) reading->user = NULL;
  else if (constant->owned) onri_release(constant->allocator, constant->data);
  constant->reload = constant->of ? NULL : constant->load;
  onri_constant_release(constant->of);
  constant->of = NULL;
  constant->data = NULL;
  constant->owned = 0;
  constant->load = NULL;
}

/* What prepare sees of a value that is not constant: the best knowledge at load time. */
static struct onr_desc expected_desc(const struct onri_value *value) {
  struct onr_desc desc = value->constant ? value->constant->desc : value->desc;
  if (desc.dtype == ONR_DTYPE_NONE) desc.dtype = ONR_DTYPE_F32; /* NONE would say that it is omitted */
  return desc;
}

/* --- contents --- */

/* Smaller ones are not worth it. Memory of this size goes when no more than half of it will be wanted: at the end of a
 * model, all packed weights are there beside it. */
enum { LEAST_READING = 1 << 16, LARGE_READING = 4 << 20 };

static void release_reading(struct reading *reading, const struct onr_allocator *allocator) {
  onri_release(allocator, reading->memory);
  reading->memory = NULL;
  reading->bytes = 0;
}

/* Large contents that are still in the file. */
static int is_unread(const struct onri_constant *constant) {
  return !constant->data && constant->load && onr_desc_bytes(&constant->desc) >= LEAST_READING;
}

/* The most bytes that a node reads into memory that is used again, with the nodes of its bodies. */
static size_t bytes_read(const struct onri_graph *graph, const struct onri_node *node) {
  size_t most = 0;
  for (int32_t i = 0; node->layer->flags & ONRI_LAYER_READS_LATE && i < node->num_in; i++) {
    const struct onri_constant *constant = node->in[i] == ONRI_NONE ? NULL : graph->values[node->in[i]].constant;
    const size_t bytes = constant && is_unread(constant) ? onr_desc_bytes(&constant->desc) : 0;
    if (bytes > most) most = bytes;
  }
  for (int32_t b = 0; b < onri_num_bodies(node); b++)
    for (size_t n = 0; n < node->bodies[b]->num_nodes; n++) {
      const size_t bytes = bytes_read(node->bodies[b], &node->bodies[b]->nodes[n]);
      if (bytes > most) most = bytes;
    }
  return most;
}

static enum onr_status read_contents(struct reading *reading, struct onri_constant *constant,
                                     const struct onr_allocator *allocator, struct onr_error *error) {
  size_t bytes;
  if (constant->data) return ONR_STATUS_OK;
  if (!constant->load || reading->user || !onri_add_size(onr_desc_bytes(&constant->desc), ONR_SLACK_BYTES, &bytes) ||
      bytes < LEAST_READING)
    return onri_constant_load(constant, error);
  if (bytes > reading->bytes) {
    const size_t most = bytes > reading->ahead ? bytes : reading->ahead + ONR_SLACK_BYTES;
    release_reading(reading, allocator);
    reading->memory = onri_allocate(allocator, most);
    if (!reading->memory)
      return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a tensor of %zu bytes", bytes - ONR_SLACK_BYTES);
    reading->bytes = most;
  }
  memset((char *)reading->memory + bytes - ONR_SLACK_BYTES, 0, ONR_SLACK_BYTES);
  ONR_TRY(constant->load(constant->source, constant, reading->memory, error));
  constant->data = reading->memory;
  constant->owned = 0;
  reading->user = constant;
  return ONR_STATUS_OK;
}

/* What a node still reads moves out of memory that is for the next one. */
static enum onr_status settle(struct reading *reading, const struct onr_allocator *allocator, struct onr_error *error) {
  struct onri_constant *constant = reading->user;
  if (constant) {
    const size_t bytes = onr_desc_bytes(&constant->desc) + ONR_SLACK_BYTES;
    void *own = onri_allocate(allocator, bytes);
    if (!own)
      return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a tensor of %zu bytes", bytes - ONR_SLACK_BYTES);
    constant->data = memcpy(own, reading->memory, bytes);
    constant->owned = 1;
    reading->user = NULL;
  }
  return ONR_STATUS_OK;
}

/* Contents that were in the file are going to stay: from the store, where it has them. What is recorded stays until it
 * is written. */
static enum onr_status keep_contents(struct reading *reading, struct onri_constant *constant, struct onr_env *env,
                                     struct onr_error *error) {
  const size_t bytes = onr_desc_bytes(&constant->desc);
  void *stored = constant->data ? NULL : onri_block_recall(env, bytes);
  if (stored) {
    constant->data = stored;
    constant->owned = 0;
    return ONR_STATUS_OK;
  }
  ONR_TRY(onri_constant_load(constant, error));
  ONR_TRY(settle(reading, env->allocator, error));
  if (onri_block_keep(env, constant->data, bytes)) constant->readers++;
  return ONR_STATUS_OK;
}

/* --- nodes --- */

/* What prepare of a layer talks to. */
struct preparation {
  struct onri_executor executor;
  struct onri_graph *graph;
  const struct onri_node *node;
  struct reading reading;
};

static struct onri_constant *constant_of(const struct onri_graph *graph, const struct onri_node *node, int32_t i) {
  return node->in[i] == ONRI_NONE ? NULL : graph->values[node->in[i]].constant;
}

static enum onr_status late_contents(struct onr_call *call, size_t i, const void **data) {
  struct preparation *p = call->executor;
  struct onri_constant *constant = constant_of(p->graph, p->node, (int32_t)i);
  ONR_TRY(read_contents(&p->reading, constant, p->graph->env->allocator, call->error));
  *data = constant->data;
  return ONR_STATUS_OK;
}

static enum onr_status fill_call(struct preparation *p, struct onri_node *node, struct onr_call *call,
                                 struct onr_desc *in, struct onr_desc *out, const void **inputs,
                                 struct onr_error *error) {
  struct onri_graph *graph = p->graph;
  for (int32_t i = 0; i < node->num_in; i++) {
    if (node->in[i] == ONRI_NONE) continue;
    struct onri_constant *constant = constant_of(graph, node, i);
    in[i] = expected_desc(&graph->values[node->in[i]]);
    if (!constant) continue;
    inputs[i] = onri_unread;
    if (is_unread(constant)) {
      if (node->layer->flags & ONRI_LAYER_READS_LATE) continue;
      ONR_TRY(keep_contents(&p->reading, constant, graph->env, error));
    } else {
      ONR_TRY(onri_constant_load(constant, error));
    }
    inputs[i] = constant->data;
  }
  for (int32_t i = 0; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE) out[i] = expected_desc(&graph->values[node->out[i]]);
  *call = (struct onr_call){.params = node->params,
                            .prepared = node->prepared,
                            .num_in = (size_t)node->num_in,
                            .num_out = (size_t)node->num_out,
                            .in = in,
                            .out = out,
                            .inputs = inputs,
                            .env = graph->env,
                            .error = error,
                            .executor = p,
                            .in_place = -1};
  return ONR_STATUS_OK;
}

/* Constants that the layer has packed lose a reader. The others stay in memory, and the records of a store say so. */
static enum onr_status settle_constants(struct preparation *p, const struct onri_node *node, const void *const *inputs,
                                        struct onr_error *error) {
  for (int32_t i = 0; i < node->num_in; i++) {
    struct onri_constant *constant = constant_of(p->graph, node, i);
    if (!constant) continue;
    if (i < 64 && node->packed_inputs >> i & 1) {
      drop_data(&p->reading, constant);
      continue;
    }
    if (inputs[i] == onri_unread) ONR_TRY(keep_contents(&p->reading, constant, p->graph->env, error));
  }
  return settle(&p->reading, p->graph->env->allocator, error);
}

/* In a build for a few models a layer that a rewrite takes out of each is nothing that runs (base/only.h). */
static enum onr_status check_runs(const struct onri_node *node, struct onr_error *error) {
  if (ONRI_PART(more) || node->layer->run || node->layer->control) return ONR_STATUS_OK;
  onr_fail(error, ONR_STATUS_UNSUPPORTED, "this library was made for models in which a rewrite removes such nodes");
  return onri_node_blame(node, ONR_STATUS_UNSUPPORTED, error);
}

static enum onr_status prepare_node(struct preparation *p, struct onri_node *node, struct onr_error *error) {
  const struct onr_allocator *allocator = p->graph->env->allocator;
  struct onri_arena arena;
  struct onr_call call;
  enum onr_status status;
  onri_arena_init(&arena, allocator, 0);
  const size_t in_room = onri_inputs_room(node->layer, (size_t)node->num_in);
  struct onr_desc *in = onri_arena_allocate(&arena, in_room * sizeof(*in));
  struct onr_desc *out =
      onri_arena_allocate(&arena, onri_outputs_room(node->layer, (size_t)node->num_out) * sizeof(*out));
  const void **inputs = onri_arena_allocate(&arena, in_room * sizeof(*inputs));
  p->node = node;
  if (node->layer->prepared_size) node->prepared = onri_allocate_zeroed(allocator, node->layer->prepared_size);
  if (!in || !out || !inputs || (node->layer->prepared_size && !node->prepared))
    status = onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to prepare a layer");
  else status = fill_call(p, node, &call, in, out, inputs, error);
  if (status == ONR_STATUS_OK) status = onri_call_prepare(node->layer, &call);
  if (status == ONR_STATUS_OK) node->packed_inputs = call.packed_inputs;
  if (status == ONR_STATUS_OK) status = settle_constants(p, node, inputs, error);
  onri_arena_clear(&arena);
  return onri_node_blame(node, status, error);
}

static enum onr_status prepare_graph(struct preparation *p, struct onri_graph *graph, const size_t *ahead,
                                     struct onr_error *error) {
  for (size_t n = 0; n < graph->num_nodes; n++) {
    ONR_TRY(onri_env_poll(graph->env, error));
    p->graph = graph;
    if (ahead) p->reading.ahead = ahead[n];
    if (p->reading.bytes >= LARGE_READING && p->reading.ahead < p->reading.bytes / 2)
      release_reading(&p->reading, graph->env->allocator);
    ONR_TRY(check_runs(&graph->nodes[n], error));
    ONR_TRY(prepare_node(p, &graph->nodes[n], error));
    for (int32_t b = 0; b < onri_num_bodies(&graph->nodes[n]); b++)
      ONR_TRY(prepare_graph(p, graph->nodes[n].bodies[b], NULL, error));
  }
  for (size_t i = 0; i < graph->num_outputs; i++) {
    enum onr_status status = ONR_STATUS_OK;
    onri_value_data(graph, graph->outputs[i], &status, error);
    if (status != ONR_STATUS_OK) return status;
  }
  return onri_env_poll(graph->env, error); /* parts of the last layer's weights may have been left out */
}

static enum onr_status prepare_all(struct preparation *p, struct onri_graph *graph, struct onr_error *error) {
  const size_t count = graph->num_nodes;
  size_t *ahead = onri_allocate_zeroed(graph->env->allocator, (count + 1) * sizeof(*ahead));
  if (!ahead) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to prepare a model");
  for (size_t n = count; n-- > 0;) {
    const size_t bytes = bytes_read(graph, &graph->nodes[n]);
    ahead[n] = bytes > ahead[n + 1] ? bytes : ahead[n + 1];
  }
  const enum onr_status status = prepare_graph(p, graph, ahead, error);
  onri_release(graph->env->allocator, ahead);
  return status;
}

/* Bytes of the constants that stayed in memory, but for what is the caller's. */
static size_t constant_bytes(const struct onri_graph *graph) {
  size_t bytes = 0;
  for (size_t v = 0; v < graph->num_values; v++)
    if (graph->values[v].constant && graph->values[v].constant->data && graph->values[v].constant->owned)
      bytes += onr_desc_bytes(&graph->values[v].constant->desc);
  for (size_t n = 0; n < graph->num_nodes; n++)
    for (int32_t b = 0; b < onri_num_bodies(&graph->nodes[n]); b++) bytes += constant_bytes(graph->nodes[n].bodies[b]);
  return bytes;
}

/* Depth is bounded by limits.depth, which the importer checked. */
enum onr_status onri_model_prepare(struct onr_model *model, struct onr_error *error) {
  struct onr_env *env = &model->env;
  struct preparation p = {.executor.contents = late_contents};
  size_t packed_bytes = 0;
  enum onr_status status;
  count_readers(model->graph);
  env->held_bytes = &packed_bytes;
  env->blocks = &model->blocks;
  onri_blocks_open(&model->blocks, model->constant_bytes);
  status = prepare_all(&p, model->graph, error);
  if (ONRI_PART(packed) && status == ONR_STATUS_OK) status = onri_packed_end(model, error);
  onri_blocks_close(&model->blocks, env);
  if (p.reading.user) p.reading.user->data = NULL; /* after a failure */
  release_reading(&p.reading, model->graph->env->allocator);
  env->held_bytes = NULL;
  if (status == ONR_STATUS_OK)
    model->info.weight_bytes = packed_bytes + constant_bytes(model->graph) + model->blocks.store.bytes;
  return status;
}
