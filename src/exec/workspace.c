/* workspace.c: who needs which value, and memory that grows. */
#include "exec/workspace.h"

#include <string.h>

#include "base/container.h"
#include "base/numbers/checked.h"
#include "base/shape.h"
#include "exec/plan_cache.h"

/* wanted NULL: all outputs. */
static void find_uses(struct onri_workspace *space, const uint8_t *wanted) {
  const struct onri_graph *g = space->graph;
  for (size_t v = 0; v < g->num_values; v++) space->uses[v] = (struct onri_use){ONRI_NONE, ONRI_NONE, ONRI_NONE};
  for (size_t n = 0; n < g->num_nodes; n++)
    for (int32_t i = 0; i < g->nodes[n].num_in && onri_is_needed(space, &g->nodes[n]); i++)
      if (g->nodes[n].in[i] != ONRI_NONE) space->uses[g->nodes[n].in[i]].last_read = (int32_t)n;
  for (size_t i = 0; i < g->num_inputs; i++) space->uses[g->inputs[i]].input = (int32_t)i;
  for (size_t i = 0; i < g->num_outputs; i++)
    if (!wanted || wanted[i]) space->uses[g->outputs[i]].output = (int32_t)i;
}

/* A node is needed when one of its outputs is; producers come first, so one way back finds them all. */
static void find_needed(struct onri_workspace *space, const uint8_t *wanted, uint8_t *values) {
  const struct onri_graph *g = space->graph;
  for (size_t i = 0; i < g->num_outputs; i++)
    if (wanted[i]) values[g->outputs[i]] = 1;
  for (size_t n = g->num_nodes; n-- > 0;) {
    const struct onri_node *node = &g->nodes[n];
    for (int32_t i = 0; i < node->num_out; i++)
      if (node->out[i] != ONRI_NONE) space->needed[n] |= values[node->out[i]];
    for (int32_t i = 0; space->needed[n] && i < node->num_in; i++)
      if (node->in[i] != ONRI_NONE) values[node->in[i]] = 1;
  }
}

enum onr_status onri_workspace_want(struct onri_workspace *space, const uint8_t *wanted, struct onr_error *error) {
  const struct onr_allocator *allocator = space->run->env.allocator;
  uint8_t *values = onri_allocate_zeroed(allocator, space->graph->num_values);
  space->needed = onri_allocate_zeroed(allocator, space->graph->num_nodes);
  if (values && space->needed) {
    find_needed(space, wanted, values);
    find_uses(space, wanted);
  }
  onri_release(allocator, values);
  return values && space->needed ? ONR_STATUS_OK : onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a session");
}

enum onr_status onri_workspace_init(struct onri_workspace *space, struct onri_run *run, struct onri_graph *graph,
                                    struct onr_error *error) {
  const struct onr_allocator *allocator = run->env.allocator;
  *space = (struct onri_workspace){.run = run, .graph = graph};
  space->uses = onri_allocate(allocator, graph->num_values * sizeof(*space->uses));
  space->lifetimes = onri_allocate_zeroed(allocator, graph->num_values * sizeof(*space->lifetimes));
  space->slots = onri_allocate_zeroed(allocator, graph->num_values * sizeof(*space->slots));
  space->kept = onri_allocate_zeroed(allocator, graph->num_nodes * sizeof(*space->kept));
  if (!space->kept || !space->uses || !space->lifetimes || !space->slots)
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to run a graph of %zu values", graph->num_values);
  find_uses(space, NULL);
  return ONR_STATUS_OK;
}

enum onr_status onri_workspace_kept(struct onri_workspace *space, const struct onri_node *node, void **kept,
                                    struct onr_error *error) {
  void **slot = &space->kept[node - space->graph->nodes];
  if (node->layer->kept_size && !*slot) {
    *slot = onri_allocate_zeroed(space->run->env.allocator, node->layer->kept_size);
    if (!*slot) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for what a layer keeps");
  }
  *kept = *slot;
  return ONR_STATUS_OK;
}

static void release_kept(struct onri_workspace *space) {
  for (size_t n = 0; space->kept && n < space->graph->num_nodes; n++) {
    if (!space->kept[n]) continue;
    if (space->graph->nodes[n].layer->release_kept)
      space->graph->nodes[n].layer->release_kept(space->kept[n], &space->run->env);
    onri_release(space->run->env.allocator, space->kept[n]);
    space->kept[n] = NULL;
  }
}

void onri_workspace_clear(struct onri_workspace *space) {
  const struct onr_allocator *allocator = space->run->env.allocator;
  release_kept(space);
  for (size_t b = 0; b < space->num_blocks; b++) onri_buffer_release(space->run, &space->blocks[b]);
  for (size_t v = 0; space->slots && v < space->graph->num_values; v++)
    onri_buffer_release(space->run, &space->slots[v]);
  onri_release(allocator, space->blocks);
  onri_release(allocator, space->slots);
  onri_release(allocator, space->rows);
  onri_release(allocator, space->kept);
  onri_release(allocator, space->needed);
  onri_release(allocator, space->lifetimes);
  onri_release(allocator, space->uses);
}

/* What is larger is given back when it is dead; what is not keeps its place, so that addresses stay. */
enum { LARGE_BYTES = 4096 };

int onri_make_room(struct onri_run *run) {
  const int is_spare = run->pool.spare > 0;
  onri_pool_clear(&run->pool);
  if (!onri_plan_cache_empty(&run->plans) && !is_spare) return 0;
  onri_meter_take_refusal(run->env.meter);
  return 1;
}

/* With `more` bytes where there are so many. What is spare, and cached plans, make room before memory is said to be
 * short. */
static enum onr_status resize(struct onri_run *run, struct onri_buffer *buffer, size_t bytes, size_t more, size_t kept,
                              struct onr_error *error) {
  struct onri_buffer old = *buffer;
  if (!kept) onri_buffer_release(run, buffer);
  *buffer = (struct onri_buffer){0};
  if (onri_add_size(bytes, more, &more)) buffer->data = onri_pool_take(&run->pool, more, &buffer->bytes);
  if (!buffer->data) buffer->data = onri_pool_take(&run->pool, bytes, &buffer->bytes);
  if (!buffer->data && onri_make_room(run)) buffer->data = onri_pool_take(&run->pool, bytes, &buffer->bytes);
  if (!buffer->data) {
    *buffer = kept ? old : (struct onri_buffer){0};
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for the %zu bytes that this run needs", bytes);
  }
  if (!kept) return ONR_STATUS_OK;
  const enum onr_status status = onri_env_copy(&run->env, buffer->data, old.data, kept, error);
  onri_buffer_release(run, &old);
  return status;
}

enum onr_status onri_buffer_grow(struct onri_run *run, struct onri_buffer *buffer, size_t bytes, size_t kept,
                                 struct onr_error *error) {
  return bytes <= buffer->bytes ? ONR_STATUS_OK : resize(run, buffer, bytes, buffer->bytes / 2, kept, error);
}

enum onr_status onri_buffer_renew(struct onri_run *run, struct onri_buffer *buffer, size_t bytes, size_t more,
                                  struct onr_error *error) {
  return resize(run, buffer, bytes, more, 0, error);
}

void onri_buffer_empty(struct onri_run *run, struct onri_buffer *buffer) {
  struct onri_handle *handle = (struct onri_handle *)(void *)buffer->data;
  if (!ONRI_PART(containers) || !buffer->is_handle) return;
  onri_list_release(&run->heap, handle->list);
  *handle = onri_handle_make(NULL); /* a layer that stops half-way leaves what is there */
  buffer->is_handle = 0;
}

enum onr_status onri_buffer_keep(struct onri_run *run, struct onri_buffer *buffer, const struct onr_tensor *value,
                                 struct onr_tensor *kept, struct onr_error *error) {
  const int is_container = onri_dtype_is_block(value->desc.dtype);
  const struct onr_desc desc = is_container ? onri_handle_desc(value->desc.dtype) : value->desc;
  struct onri_handle handle = onri_handle_make(NULL);
  const struct onr_tensor from = {desc, is_container ? &handle : value->data};
  if (is_container) ONR_TRY(onri_container_list(&run->heap, value, 1, &handle.list, error));
  onri_buffer_empty(run, buffer);
  const enum onr_status status = onri_buffer_grow(run, buffer, onr_desc_bytes(&desc) + ONR_SLACK_BYTES, 0, error);
  if (status != ONR_STATUS_OK) {
    if (is_container) onri_list_release(&run->heap, handle.list);
    return status;
  }
  buffer->is_handle = is_container;
  ONR_TRY(onri_env_copy(&run->env, buffer->data, from.data, onr_desc_bytes(&desc), error)); /* of a handle: whole */
  *kept = (struct onr_tensor){desc, buffer->data};
  return ONR_STATUS_OK;
}

void onri_buffer_release(struct onri_run *run, struct onri_buffer *buffer) {
  onri_buffer_empty(run, buffer);
  onri_pool_give(&run->pool, buffer->data, buffer->bytes);
  *buffer = (struct onri_buffer){0};
}

enum onr_status onri_workspace_block(struct onri_workspace *space, size_t segment, size_t bytes,
                                     struct onr_error *error) {
  if (segment < space->num_blocks && bytes <= space->blocks[segment].bytes) return ONR_STATUS_OK;
  if (!bytes) return ONR_STATUS_OK;
  if (!onri_grow(space->run->env.allocator, &space->blocks, sizeof(*space->blocks), &space->blocks_capacity,
                 segment + 1))
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for %zu parts of a plan", segment + 1);
  for (; space->num_blocks <= segment; space->num_blocks++) space->blocks[space->num_blocks] = (struct onri_buffer){0};
  space->moves++;
  /* Sizes that grow from run to run take a new block now and then. */
  const size_t eighth = space->blocks[segment].bytes / 8, more = bytes - space->blocks[segment].bytes;
  return resize(space->run, &space->blocks[segment], bytes, more < eighth ? eighth - more : 0, 0, error);
}

enum onr_status onri_workspace_slot(struct onri_workspace *space, int32_t value, size_t bytes, size_t kept,
                                    struct onr_error *error) {
  if (bytes <= space->slots[value].bytes) return ONR_STATUS_OK;
  space->moves++;
  return onri_buffer_grow(space->run, &space->slots[value], bytes, kept, error);
}

void onri_buffer_drop(struct onri_workspace *space, struct onri_buffer *buffer) {
  onri_buffer_empty(space->run, buffer);
  if (buffer->bytes < LARGE_BYTES) return;
  onri_buffer_release(space->run, buffer);
  space->moves++;
}

void onri_workspace_drop(struct onri_workspace *space, int32_t value) { onri_buffer_drop(space, &space->slots[value]); }

void onri_workspace_rest(struct onri_workspace *space) {
  for (size_t b = 0; b < space->num_blocks; b++) onri_buffer_drop(space, &space->blocks[b]);
  for (size_t v = 0; v < space->graph->num_values; v++) onri_buffer_drop(space, &space->slots[v]);
}

static void release_unless_read(struct onri_workspace *space, struct onri_buffer *buffer,
                                const struct onr_tensor *results, size_t num_results) {
  for (size_t i = 0; i < num_results; i++) {
    const uintptr_t at = (uintptr_t)results[i].data, start = (uintptr_t)buffer->data;
    if (at >= start && at - start < buffer->bytes) return;
  }
  onri_buffer_release(space->run, buffer);
}

void onri_workspace_trim(struct onri_workspace *space, const struct onr_tensor *results, size_t num_results) {
  if (!space->pinned) release_kept(space);
  for (size_t b = 0; b < space->num_blocks; b++) release_unless_read(space, &space->blocks[b], results, num_results);
  for (size_t v = 0; v < space->graph->num_values; v++)
    release_unless_read(space, &space->slots[v], results, num_results);
  space->moves++;
}
