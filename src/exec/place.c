/* place: where the values of one segment live. Views, in-place results and parts of a Concat share the block of their
 * root; each root gets one block, whose lifetime covers all that lies in it. Times are node indices. */
#include <string.h>

#include "base/checked.h"
#include "exec/plan.h"
#include "exec/planner.h"

struct placing {
  struct onri_plan *plan;
  struct onri_segment *segment;
  int32_t index;
  int32_t *first, *last; /* [num_values] of roots */
  struct onr_error *error;
};

static int32_t node_index(const struct placing *p, const struct onri_step *step) {
  return (int32_t)(step->node - p->plan->graph->nodes);
}

static int32_t root_of(const struct onri_plan *plan, int32_t v) {
  while (plan->places[v].parent != ONRI_NONE) v = plan->places[v].parent;
  return v;
}

static size_t bytes_of(const struct onri_plan *plan, int32_t v) { return onr_desc_bytes(&plan->inference.descs[v]); }

/* Offset of v inside its root. */
static size_t offset_of(const struct onri_plan *plan, int32_t v) {
  size_t offset = 0;
  for (; plan->places[v].parent != ONRI_NONE; v = plan->places[v].parent) offset += plan->places[v].offset;
  return offset;
}

/* Is this root a block of the segment that is being placed? */
static int is_ours(const struct placing *p, int32_t root) {
  const struct onri_place *place = &p->plan->places[root];
  return place->storage == ONRI_STORAGE_ARENA && place->segment == p->index;
}

static void attach(struct placing *p, int32_t child, int32_t parent, size_t offset) {
  const int32_t root = root_of(p->plan, parent);
  p->plan->places[child].parent = parent;
  p->plan->places[child].offset = offset;
  if (!is_ours(p, root)) return;
  if (p->last[child] > p->last[root]) p->last[root] = p->last[child];
  if (p->first[child] < p->first[root]) p->first[root] = p->first[child];
}

static void grant_view(struct placing *p, const struct onri_step *step, size_t i) {
  const struct onr_place *wish = &step->call.view[i];
  const int32_t out = step->node->out[i];
  int32_t in, root;
  size_t end;
  if (out == ONRI_NONE || wish->of < 0 || wish->of >= step->node->num_in) return;
  in = step->node->in[wish->of];
  if (in == ONRI_NONE) return;
  root = root_of(p->plan, in);
  const enum onri_storage storage = p->plan->places[root].storage;
  /* The caller may free its input, or read an output as its own: neither may be the same memory. */
  if (p->plan->last_use[out] == INT32_MAX && (storage == ONRI_STORAGE_INPUT || storage == ONRI_STORAGE_KNOWN)) return;
  if (!onri_add_size(wish->offset, bytes_of(p->plan, out), &end) || end > bytes_of(p->plan, in)) return;
  attach(p, out, in, wish->offset);
}

static void grant_in_place(struct placing *p, const struct onri_step *step) {
  const int32_t now = node_index(p, step), out = step->node->out[0];
  int32_t in, root;
  if (step->call.in_place < 0 || step->call.in_place >= step->node->num_in || out == ONRI_NONE) return;
  in = step->node->in[step->call.in_place];
  if (in == ONRI_NONE || p->plan->places[out].parent != ONRI_NONE || bytes_of(p->plan, in) != bytes_of(p->plan, out)) return;
  root = root_of(p->plan, in);
  if (!is_ours(p, root) || p->last[root] > now) return;
  for (int32_t i = 0; i < step->node->num_in; i++) {
    const int32_t other = step->node->in[i];
    if (other != ONRI_NONE && other != in && root_of(p->plan, other) == root) return;
  }
  attach(p, out, in, 0);
}

static void grant_inside(struct placing *p, const struct onri_step *step, size_t i) {
  const struct onr_place *wish = &step->call.inside[i];
  const int32_t in = step->node->in[i];
  int32_t out, root;
  size_t end;
  if (in == ONRI_NONE || wish->of < 0 || wish->of >= step->node->num_out) return;
  out = step->node->out[wish->of];
  if (out == ONRI_NONE || p->plan->places[out].parent != ONRI_NONE) return;
  root = root_of(p->plan, in);
  if (!is_ours(p, root) || root == out || offset_of(p->plan, in) != 0 || bytes_of(p->plan, root) != bytes_of(p->plan, in)) return;
  if (p->last[root] == INT32_MAX) return; /* a graph output, or read by a later segment: keeps its own memory */
  if (!onri_add_size(wish->offset, bytes_of(p->plan, in), &end) || end > bytes_of(p->plan, out)) return;
  attach(p, root, out, wish->offset);
}

static void start_values(struct placing *p) {
  const struct onri_plan *plan = p->plan;
  for (int32_t n = p->segment->first_node; n < p->segment->end_node; n++) {
    const struct onri_node *node = &plan->graph->nodes[n];
    for (int32_t i = 0; i < node->num_out; i++) {
      const int32_t v = node->out[i];
      if (v == ONRI_NONE) continue;
      plan->places[v].parent = plan->places[v].output = ONRI_NONE;
      plan->places[v].segment = p->index;
      p->first[v] = n;
      p->last[v] = plan->last_use[v] >= p->segment->end_node ? INT32_MAX : plan->last_use[v];
      if (p->last[v] < n) p->last[v] = n;
    }
  }
}

/* Marks the roots of all that is read past its end: overread[root] = 1. Views are resolved, so this comes last. */
static void find_overreads(const struct placing *p, uint8_t *overread) {
  const struct onri_plan *plan = p->plan;
  for (size_t s = 0; s < p->segment->num_steps; s++) {
    const struct onri_step *step = &p->segment->steps[s];
    for (int32_t i = 0; step->node->layer->flags & ONR_LAYER_OVERREADS && i < step->node->num_in; i++)
      if (step->node->in[i] != ONRI_NONE) overread[root_of(plan, step->node->in[i])] = 1;
  }
  for (int32_t n = p->segment->end_node; n < (int32_t)plan->graph->num_nodes; n++)
    for (int32_t i = 0; i < plan->graph->nodes[n].num_in; i++) {
      const int32_t v = plan->graph->nodes[n].in[i];
      if (v != ONRI_NONE) overread[root_of(plan, v)] = 1;
    }
}

/* Graph inputs that are read past their end live in the arena of segment 0; the others stay where the caller has them. */
static void choose_input_copies(struct placing *p, const uint8_t *overread) {
  struct onri_plan *plan = p->plan;
  for (size_t i = 0; i < plan->graph->num_inputs; i++) {
    const int32_t v = plan->graph->inputs[i];
    plan->copied[i] = overread[v];
    if (!overread[v]) continue;
    plan->places[v].storage = ONRI_STORAGE_ARENA;
    plan->places[v].segment = 0;
    p->first[v] = 0;
    p->last[v] = INT32_MAX;
  }
}

static void offer_output_memory(struct placing *p, const uint8_t *overread) {
  struct onri_plan *plan = p->plan;
  for (size_t i = 0; i < plan->graph->num_outputs; i++) {
    const int32_t v = plan->graph->outputs[i];
    if (is_ours(p, v) && plan->places[v].parent == ONRI_NONE && !overread[v]) plan->places[v].output = (int32_t)i;
  }
}

static enum onr_status allocate_memory(struct placing *p, size_t bytes) {
  struct onri_run *run = p->plan->run;
  size_t total;
  if (!onri_add_size(run->memory_bytes + run->model_bytes, bytes, &total) || total > run->env.limits.total_bytes)
    return onr_fail(p->error, ONR_STATUS_LIMIT, "this run needs %zu bytes of memory; the limit total_bytes is %llu", bytes,
                    (unsigned long long)run->env.limits.total_bytes);
  if (!bytes) return ONR_STATUS_OK;
  p->segment->memory = onri_allocate(run->env.allocator, bytes);
  if (!p->segment->memory)
    return onr_fail(p->error, ONR_STATUS_NO_MEMORY, "no memory for the %zu bytes that this run needs", bytes);
  p->segment->memory_bytes = bytes;
  run->memory_bytes += bytes;
  return ONR_STATUS_OK;
}

/* One block a root and one a scratch; returns how many. Pass blocks NULL to count only. */
static size_t collect_blocks(const struct placing *p, struct onri_block *blocks, int32_t *owners) {
  const struct onri_plan *plan = p->plan;
  size_t count = 0;
  for (size_t v = 0; v < plan->graph->num_values; v++) {
    if (plan->places[v].parent != ONRI_NONE || !is_ours(p, (int32_t)v) || p->last[v] < 0) continue;
    if (blocks) {
      blocks[count] = (struct onri_block){bytes_of(plan, (int32_t)v) + ONR_SLACK_BYTES, p->first[v], p->last[v], 0};
      owners[count] = (int32_t)v;
    }
    count++;
  }
  for (size_t s = 0; s < p->segment->num_steps; s++) {
    const struct onri_step *step = &p->segment->steps[s];
    if (!step->call.scratch_bytes) continue;
    if (blocks) {
      blocks[count] = (struct onri_block){step->call.scratch_bytes + ONR_SLACK_BYTES, node_index(p, step), node_index(p, step), 0};
      owners[count] = -1 - (int32_t)s;
    }
    count++;
  }
  return count;
}

static enum onr_status place_blocks(struct placing *p) {
  const struct onr_allocator *allocator = p->plan->run->env.allocator;
  const size_t count = collect_blocks(p, NULL, NULL);
  struct onri_block *blocks = onri_allocate(allocator, count * sizeof(*blocks));
  int32_t *owners = onri_allocate(allocator, count * sizeof(*owners));
  enum onr_status status = ONR_STATUS_OK;
  size_t bytes = 0;
  if (!blocks || !owners) status = onr_fail(p->error, ONR_STATUS_NO_MEMORY, "no memory to place %zu tensors", count);
  if (status == ONR_STATUS_OK) {
    collect_blocks(p, blocks, owners);
    status = onri_plan_blocks(blocks, count, allocator, &bytes, p->error);
  }
  if (status == ONR_STATUS_OK) status = allocate_memory(p, bytes);
  for (size_t b = 0; status == ONR_STATUS_OK && b < count; b++) {
    if (owners[b] >= 0) p->plan->places[owners[b]].offset = blocks[b].offset;
    else p->segment->steps[-1 - owners[b]].call.scratch = p->segment->memory + blocks[b].offset;
  }
  onri_release(allocator, blocks);
  onri_release(allocator, owners);
  return status;
}

enum onr_status onri_plan_place(struct onri_plan *plan, size_t index, struct onr_error *error) {
  const struct onr_allocator *allocator = plan->run->env.allocator;
  const size_t values = plan->graph->num_values;
  struct placing p = {.plan = plan, .segment = &plan->segments[index], .index = (int32_t)index, .error = error};
  uint8_t *overread = onri_allocate_zeroed(allocator, values);
  enum onr_status status = ONR_STATUS_OK;
  p.first = onri_allocate_zeroed(allocator, values * sizeof(*p.first));
  p.last = onri_allocate(allocator, values * sizeof(*p.last));
  if (!overread || !p.first || !p.last) status = onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to place %zu values", values);
  if (status == ONR_STATUS_OK) {
    for (size_t v = 0; v < values; v++) p.last[v] = -1;
    start_values(&p);
    for (size_t s = 0; s < p.segment->num_steps; s++) {
      const struct onri_step *step = &p.segment->steps[s];
      if (step->node->layer->flags & (ONR_LAYER_DYNAMIC | ONR_LAYER_CONTROL)) continue;
      for (size_t i = 0; i < step->call.num_out; i++) grant_view(&p, step, i);
      grant_in_place(&p, step);
      for (size_t i = 0; i < step->call.num_in; i++) grant_inside(&p, step, i);
    }
    find_overreads(&p, overread);
    if (index == 0) choose_input_copies(&p, overread);
    offer_output_memory(&p, overread);
    status = place_blocks(&p);
  }
  onri_release(allocator, overread);
  onri_release(allocator, p.first);
  onri_release(allocator, p.last);
  return status;
}
