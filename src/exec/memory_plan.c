/* memory_plan.c: where the values of one segment live. Views, in-place results and parts of a Concat share the block of
 * their root; each root gets one block, whose lifetime covers all that lies in it. Times are node indices. */
#include <string.h>

#include "base/numbers/checked.h"
#include "exec/plan.h"
#include "exec/planner.h"

struct placing {
  struct onri_plan *plan;
  struct onri_segment *segment;
  struct onri_lifetime *lifetimes; /* [num_values] of roots */
  int32_t index;
  struct onri_block *blocks; /* NULL while they are counted */
  int32_t *owners;           /* of each block: a value, or -1 - step */
  size_t num_blocks;
  struct onr_error *error;
};

static int32_t node_index(const struct placing *p, const struct onri_step *step) {
  return (int32_t)(step->node - p->plan->space->graph->nodes);
}

/* Halves the way to the root each time it is walked, so that long chains stay cheap. */
static int32_t root_of(const struct onri_plan *plan, int32_t v) {
  struct onri_location *locations = plan->locations;
  while (locations[v].parent != ONRI_NONE) {
    const struct onri_location *parent = &locations[locations[v].parent];
    if (parent->parent != ONRI_NONE) {
      locations[v].offset += parent->offset;
      locations[v].parent = parent->parent;
    }
    v = locations[v].parent;
  }
  return v;
}

static size_t bytes_of(const struct onri_plan *plan, int32_t v) { return onr_desc_bytes(&plan->inference.descs[v]); }

/* Offset of v inside its root. */
static size_t offset_of(const struct onri_plan *plan, int32_t v) {
  size_t offset = 0;
  for (; plan->locations[v].parent != ONRI_NONE; v = plan->locations[v].parent) offset += plan->locations[v].offset;
  return offset;
}

/* Is this root a block of the segment that is being placed? */
static int is_ours(const struct placing *p, int32_t root) {
  const struct onri_location *place = &p->plan->locations[root];
  return place->storage == ONRI_STORAGE_BLOCK && place->segment == p->index;
}

static void attach(struct placing *p, int32_t child, int32_t parent, size_t offset) {
  const int32_t root = root_of(p->plan, parent);
  struct onri_lifetime *whole = &p->lifetimes[root];
  p->plan->locations[child].parent = root;
  p->plan->locations[child].offset = offset + offset_of(p->plan, parent);
  if (p->plan->locations[root].last < p->plan->locations[child].last)
    p->plan->locations[root].last = p->plan->locations[child].last;
  if (!is_ours(p, root)) return;
  if (p->lifetimes[child].last > whole->last) whole->last = p->lifetimes[child].last;
  if (p->lifetimes[child].first < whole->first) whole->first = p->lifetimes[child].first;
}

static void grant_view(struct placing *p, const struct onri_step *step, size_t i) {
  const struct onr_view *wish = &step->call.view[i];
  const int32_t out = step->node->out[i];
  int32_t in, root;
  size_t end;
  if (out == ONRI_NONE || wish->of < 0 || wish->of >= step->node->num_in || onri_is_cache(p->plan->space, out)) return;
  in = step->node->in[wish->of];
  if (in == ONRI_NONE) return;
  root = root_of(p->plan, in);
  const enum onri_storage storage = p->plan->locations[root].storage;
  /* The caller may free its input, or read an output as its own: neither may be the same memory. */
  if (p->plan->space->uses[out].output != ONRI_NONE && (storage == ONRI_STORAGE_INPUT || storage == ONRI_STORAGE_KNOWN))
    return;
  if (!onri_add_size(wish->offset, bytes_of(p->plan, out), &end) || end > bytes_of(p->plan, in)) return;
  attach(p, out, in, wish->offset);
}

static void grant_in_place(struct placing *p, const struct onri_step *step) {
  const int32_t now = node_index(p, step), out = step->node->out[0];
  int32_t in, root;
  if (step->call.in_place < 0 || step->call.in_place >= step->node->num_in || out == ONRI_NONE) return;
  in = step->node->in[step->call.in_place];
  if (in == ONRI_NONE || onri_is_cache(p->plan->space, out) || p->plan->locations[out].parent != ONRI_NONE ||
      bytes_of(p->plan, in) != bytes_of(p->plan, out))
    return;
  root = root_of(p->plan, in);
  if (!is_ours(p, root) || p->lifetimes[root].last > now) return;
  for (int32_t i = 0; i < step->node->num_in; i++) {
    const int32_t other = step->node->in[i];
    if (other != ONRI_NONE && i != step->call.in_place && root_of(p->plan, other) == root) return;
  }
  attach(p, out, in, 0);
}

static void grant_into(struct placing *p, const struct onri_step *step, size_t i) {
  const struct onr_view *wish = &step->call.into[i];
  const int32_t in = step->node->in[i];
  int32_t out, root;
  size_t end;
  if (in == ONRI_NONE || wish->of < 0 || wish->of >= step->node->num_out) return;
  out = step->node->out[wish->of];
  if (out == ONRI_NONE || p->plan->locations[out].parent != ONRI_NONE) return;
  root = root_of(p->plan, in);
  if (!is_ours(p, root) || root == out || offset_of(p->plan, in) != 0 ||
      bytes_of(p->plan, root) != bytes_of(p->plan, in))
    return;
  if (p->lifetimes[root].last == INT32_MAX)
    return; /* a graph output, or read by a later segment: keeps its own memory */
  if (!onri_add_size(wish->offset, bytes_of(p->plan, in), &end) || end > bytes_of(p->plan, out)) return;
  attach(p, root, out, wish->offset);
}

/* A value stays for good when a later segment reads it, or when it is an output. */
static struct onri_lifetime lifetime_of(const struct placing *p, int32_t v, int32_t node) {
  const struct onri_use *use = &p->plan->space->uses[v];
  struct onri_lifetime life = {.first = node, .last = use->last_read};
  if (onri_needed_from(use, p->segment->end_node)) life.last = INT32_MAX;
  if (life.last < node) life.last = node;
  return life;
}

static void start_values(struct placing *p) {
  const struct onri_plan *plan = p->plan;
  for (int32_t n = p->segment->first_node; n < p->segment->end_node; n++) {
    const struct onri_node *node = &plan->space->graph->nodes[n];
    for (int32_t i = 0; i < node->num_out; i++) {
      if (node->out[i] == ONRI_NONE) continue;
      const struct onri_use *use = &plan->space->uses[node->out[i]];
      plan->locations[node->out[i]].segment = p->index;
      plan->locations[node->out[i]].last = use->output != ONRI_NONE ? INT32_MAX
                                           : use->last_read > n     ? use->last_read
                                                                    : n;
      p->lifetimes[node->out[i]] = lifetime_of(p, node->out[i], n);
    }
  }
  for (size_t i = 0; !p->index && i < plan->space->graph->num_inputs; i++)
    p->lifetimes[plan->space->graph->inputs[i]] = (struct onri_lifetime){.last = INT32_MAX};
}

/* Calls visit for every value that the segment may have to place: its own, and with segment 0 the graph inputs. */
static void for_values(struct placing *p, void (*visit)(struct placing *p, int32_t v)) {
  const struct onri_graph *g = p->plan->space->graph;
  for (size_t i = 0; !p->index && i < g->num_inputs; i++) visit(p, g->inputs[i]);
  for (int32_t n = p->segment->first_node; n < p->segment->end_node; n++)
    for (int32_t i = 0; i < g->nodes[n].num_out; i++)
      if (g->nodes[n].out[i] != ONRI_NONE) visit(p, g->nodes[n].out[i]);
}

static void mark_overread(struct placing *p, int32_t v) { p->lifetimes[root_of(p->plan, v)].overread = 1; }

static void mark_if_read_later(struct placing *p, int32_t v) {
  if (p->plan->space->uses[v].last_read >= p->segment->end_node) mark_overread(p, v);
}

/* Marks the roots of all that is read past its end, or may be by a later segment. Views are resolved, so this comes
 * last. */
static void find_overreads(struct placing *p) {
  for (size_t s = 0; s < p->segment->num_steps; s++) {
    const struct onri_node *node = p->segment->steps[s].node;
    for (int32_t i = 0; onri_step_overreads(&p->segment->steps[s]) && i < node->num_in; i++)
      if (node->in[i] != ONRI_NONE) mark_overread(p, node->in[i]);
  }
  for_values(p, mark_if_read_later);
}

/* Graph inputs that are read past their end live in the block of segment 0; the others stay where the caller has them.
 * Behind a cache there is always room. */
static void choose_input_copies(struct placing *p) {
  const struct onri_graph *g = p->plan->space->graph;
  for (size_t i = 0; !p->index && i < g->num_inputs; i++)
    if (p->lifetimes[g->inputs[i]].overread && !onri_is_cache(p->plan->space, g->inputs[i]))
      p->plan->locations[g->inputs[i]].storage = ONRI_STORAGE_BLOCK;
}

static void offer_output_memory(struct placing *p, int32_t v) {
  struct onri_location *place = &p->plan->locations[v];
  if (is_ours(p, v) && place->parent == ONRI_NONE && !p->lifetimes[v].overread)
    place->output = p->plan->space->uses[v].output;
}

static void add_block(struct placing *p, size_t bytes, int32_t first, int32_t last, int32_t owner) {
  if (p->blocks) {
    p->blocks[p->num_blocks] = (struct onri_block){bytes + ONR_SLACK_BYTES, first, last, 0};
    p->owners[p->num_blocks] = owner;
  }
  p->num_blocks++;
}

static void add_value(struct placing *p, int32_t v) {
  if (p->plan->locations[v].parent == ONRI_NONE && is_ours(p, v))
    add_block(p, bytes_of(p->plan, v), p->lifetimes[v].first, p->lifetimes[v].last, v);
}

/* One block a root and one a scratch. */
static void collect_blocks(struct placing *p) {
  p->num_blocks = 0;
  for_values(p, add_value);
  for (size_t s = 0; s < p->segment->num_steps; s++) {
    const struct onri_step *step = &p->segment->steps[s];
    if (step->call.scratch_bytes)
      add_block(p, step->call.scratch_bytes, node_index(p, step), node_index(p, step), -1 - (int32_t)s);
  }
}

static enum onr_status place_blocks(struct placing *p) {
  const struct onr_allocator *allocator = p->plan->space->run->env.allocator;
  enum onr_status status = ONR_STATUS_OK;
  collect_blocks(p);
  p->blocks = onri_allocate(allocator, p->num_blocks * sizeof(*p->blocks));
  p->owners = onri_allocate(allocator, p->num_blocks * sizeof(*p->owners));
  if (!p->blocks || !p->owners)
    status = onr_fail(p->error, ONR_STATUS_NO_MEMORY, "no memory to place %zu tensors", p->num_blocks);
  if (status == ONR_STATUS_OK) {
    collect_blocks(p);
    status = onri_plan_blocks(p->blocks, p->num_blocks, allocator, &p->segment->block_bytes, p->error);
  }
  for (size_t i = 0; status == ONR_STATUS_OK && i < p->num_blocks; i++) {
    if (p->owners[i] >= 0) p->plan->locations[p->owners[i]].offset = p->blocks[i].offset;
    else p->segment->steps[-1 - p->owners[i]].scratch = p->blocks[i].offset;
  }
  onri_release(allocator, p->blocks);
  onri_release(allocator, p->owners);
  return status;
}

static void grant_wishes(struct placing *p, const struct onri_step *step) {
  if (step->node->layer->control || step->node->layer->flags & ONR_LAYER_DYNAMIC) return;
  for (size_t i = 0; i < step->call.num_out; i++) grant_view(p, step, i);
  grant_in_place(p, step);
  for (size_t i = 0; i < step->call.num_in; i++) grant_into(p, step, i);
}

/* Leaves every value one step from its root. Roots that went inside another value did so in the order of nodes, so
 * backwards each way is short. */
static void flatten(const struct placing *p) {
  for (int32_t n = p->segment->end_node; n-- > p->segment->first_node;) {
    const struct onri_node *node = &p->plan->space->graph->nodes[n];
    for (int32_t i = 0; i < node->num_out; i++) {
      struct onri_location *place = node->out[i] == ONRI_NONE ? NULL : &p->plan->locations[node->out[i]];
      if (!place || place->parent == ONRI_NONE) continue;
      place->offset = offset_of(p->plan, node->out[i]);
      while (p->plan->locations[place->parent].parent != ONRI_NONE)
        place->parent = p->plan->locations[place->parent].parent;
    }
  }
}

enum onr_status onri_plan_assign_memory(struct onri_plan *plan, size_t index, struct onr_error *error) {
  struct placing p = {.plan = plan,
                      .segment = &plan->segments[index],
                      .lifetimes = plan->space->lifetimes,
                      .index = (int32_t)index,
                      .error = error};
  start_values(&p);
  for (size_t s = 0; s < p.segment->num_steps; s++) grant_wishes(&p, &p.segment->steps[s]);
  find_overreads(&p);
  choose_input_copies(&p);
  for_values(&p, offer_output_memory);
  flatten(&p);
  return place_blocks(&p);
}
