/* infer.c: descriptors through the graph, and the contents of small values that follow from them. */
#include <string.h>

#include "graph/graph.h"

/* Contents up to this size are computed while shapes are inferred: shape arithmetic, masks, position tables. */
enum { KNOWN_BYTES = 1 << 16 };

static size_t widest(const struct onri_graph *graph) {
  size_t most = 1;
  for (size_t n = 0; n < graph->num_nodes; n++) {
    const struct onri_node *node = &graph->nodes[n];
    if (!node->layer) continue;
    const size_t in = onri_inputs_room(node->layer, (size_t)node->num_in),
                 out = onri_outputs_room(node->layer, (size_t)node->num_out);
    most = in > most ? in : most;
    most = out > most ? out : most;
  }
  return most;
}

/* A longer copy, zeroed behind `from` items. 0 when out of memory (array unchanged). */
static int lengthen(const struct onr_allocator *allocator, void *array /* T ** */, size_t item, size_t from,
                    size_t to) {
  void *shorter, *longer = onri_allocate_zeroed(allocator, to * item);
  if (!longer) return 0;
  memcpy(&shorter, array, sizeof(shorter));
  if (from) memcpy(longer, shorter, from * item);
  onri_release(allocator, shorter);
  memcpy(array, &longer, sizeof(longer));
  return 1;
}

static int make_room(struct onri_inference *f) {
  const struct onr_allocator *allocator = f->env->allocator;
  const size_t values = f->graph->num_values, width = widest(f->graph);
  const int is_new = !f->descs;
  if (is_new || values > f->capacity) {
    const size_t spare = is_new ? 0 : values / 8;
    if (!lengthen(allocator, &f->descs, sizeof(*f->descs), f->num_values, values + spare) ||
        !lengthen(allocator, &f->known, sizeof(*f->known), f->num_values, values + spare) ||
        !lengthen(allocator, &f->contents, sizeof(*f->contents), f->num_values, values + spare))
      return 0;
    f->capacity = values + spare;
  }
  if (is_new || width > f->width) {
    if (!lengthen(allocator, &f->in, sizeof(*f->in), 0, width) ||
        !lengthen(allocator, &f->out, sizeof(*f->out), 0, width) ||
        !lengthen(allocator, &f->inputs, sizeof(*f->inputs), 0, width))
      return 0;
    f->width = width;
  }
  return 1;
}

enum onr_status onri_inference_grow(struct onri_inference *inference, int load, struct onr_error *error) {
  struct onri_inference *f = inference;
  f->work_left = ONRI_INFERENCE_WORK;
  if (!make_room(f))
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to infer the shapes of %zu values", f->graph->num_values);
  for (; f->num_values < f->graph->num_values; f->num_values++) {
    const size_t v = f->num_values;
    struct onri_constant *constant = f->graph->values[v].constant;
    f->descs[v].rank = ONRI_UNKNOWN_RANK;
    if (!constant) continue;
    f->descs[v] = constant->desc;
    if (load && onr_desc_bytes(&constant->desc) <= KNOWN_BYTES) ONR_TRY(onri_constant_load(constant, error));
    f->known[v] = constant->data;
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_inference_init(struct onri_inference *inference, struct onri_graph *graph, struct onr_env *env,
                                    int load, struct onr_error *error) {
  enum onr_status status;
  *inference = (struct onri_inference){.graph = graph, .env = env, .content_bytes = KNOWN_BYTES, .room = SIZE_MAX};
  status = onri_inference_grow(inference, load, error);
  if (status != ONR_STATUS_OK) onri_inference_clear(inference);
  return status;
}

void onri_inference_clear(struct onri_inference *inference) {
  const struct onr_allocator *allocator;
  if (!inference->graph) return;
  allocator = inference->env->allocator;
  for (size_t v = 0; inference->contents && v < inference->num_values; v++)
    onri_constant_release(inference->contents[v]);
  onri_release(allocator, inference->descs);
  onri_release(allocator, inference->known);
  onri_release(allocator, inference->contents);
  onri_release(allocator, inference->in);
  onri_release(allocator, inference->out);
  onri_release(allocator, inference->inputs);
  *inference = (struct onri_inference){0};
}

/* Gathers the inputs of a node; returns 0 when a descriptor or the contents of a shape input are missing. */
static int gather(struct onri_inference *f, const struct onri_node *node, int *all_known) {
  const size_t room = onri_inputs_room(node->layer, (size_t)node->num_in);
  *all_known = 1;
  for (size_t i = 0; i < room; i++) {
    f->in[i] = (struct onr_desc){0};
    f->inputs[i] = NULL;
  }
  for (int32_t i = 0; i < node->num_in; i++) {
    const int32_t v = node->in[i];
    if (v == ONRI_NONE) continue;
    if (f->descs[v].rank == ONRI_UNKNOWN_RANK) return 0;
    f->in[i] = f->descs[v];
    f->inputs[i] = f->known[v];
    if (f->known[v]) continue;
    if (i < 32 && (node->layer->shape_inputs >> i & 1)) return 0;
    *all_known = 0;
  }
  return 1;
}

static int small_outputs(const struct onri_inference *f, const struct onri_node *node) {
  size_t bytes = 0;
  for (int32_t i = 0; i < node->num_out; i++) {
    const size_t more = node->out[i] == ONRI_NONE ? 0 : onr_desc_bytes(&f->out[i]);
    if (more > f->content_bytes) return 0;
    bytes += more;
  }
  return bytes <= f->room;
}

static void drop_contents(struct onri_inference *f, int32_t v) {
  if (f->contents[v] && f->room != SIZE_MAX) f->room += onr_desc_bytes(&f->contents[v]->desc);
  onri_constant_release(f->contents[v]);
  f->contents[v] = NULL;
}

static enum onr_status compute(struct onri_inference *f, const struct onri_node *node, struct onr_error *error) {
  struct onri_constant **results = onri_allocate(f->env->allocator, (size_t)node->num_out * sizeof(*results));
  enum onr_status status;
  if (!results) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for the results of a node");
  status = onri_node_evaluate(node, f->env, f->in, f->inputs, results, error);
  for (int32_t i = 0; status == ONR_STATUS_OK && i < node->num_out; i++) {
    if (node->out[i] == ONRI_NONE) continue;
    drop_contents(f, node->out[i]);
    f->contents[node->out[i]] = results[i];
    if (f->room != SIZE_MAX) f->room -= onr_desc_bytes(&results[i]->desc);
    f->known[node->out[i]] = results[i]->data;
    f->descs[node->out[i]] = results[i]->desc;
  }
  onri_release(f->env->allocator, results);
  return status;
}

void onri_inference_forget(struct onri_inference *inference, const struct onri_node *node) {
  for (int32_t i = 0; i < node->num_out; i++) {
    const int32_t v = node->out[i];
    if (v == ONRI_NONE) continue;
    drop_contents(inference, v);
    inference->known[v] = NULL;
    inference->descs[v] = (struct onr_desc){.rank = ONRI_UNKNOWN_RANK};
  }
}

enum onr_status onri_inference_step(struct onri_inference *inference, const struct onri_node *node,
                                    enum onri_inferred *inferred, struct onr_error *error) {
  struct onri_inference *f = inference;
  const struct onr_layer *layer = node->layer;
  enum onr_status status;
  int all_known;
  *inferred = ONRI_BLOCKED;
  if (!gather(f, node, &all_known)) return ONR_STATUS_OK;
  *inferred = ONRI_AT_RUN_TIME;
  if (layer->control) return ONR_STATUS_OK;
  struct onr_call call = {.params = node->params,
                          .num_in = (size_t)node->num_in,
                          .num_out = (size_t)node->num_out,
                          .in = f->in,
                          .out = f->out,
                          .inputs = f->inputs,
                          .env = f->env,
                          .error = error,
                          .in_place = -1};
  status = onri_call_infer(layer, &call);
  if (status != ONR_STATUS_OK || layer->flags & ONR_LAYER_DYNAMIC) return onri_node_blame(node, status, error);
  for (int32_t i = 0; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE) f->descs[node->out[i]] = f->out[i];
  *inferred = ONRI_INFERRED;
  if ((!all_known && !(layer->flags & ONR_LAYER_SHAPE_ONLY)) || layer->flags & ONR_LAYER_IMPURE ||
      onri_makes_text(node, f->out) || !small_outputs(f, node))
    return ONR_STATUS_OK;
  const uint64_t work = layer->flags & ONR_LAYER_SHAPE_ONLY ? 0 : onri_call_work(layer, &call);
  if (work > f->work_left) return ONR_STATUS_OK;
  f->work_left -= work;
  if (!ONRI_PART(evaluate)) return ONR_STATUS_OK; /* the node runs in each run */
  return compute(f, node, error);
}
