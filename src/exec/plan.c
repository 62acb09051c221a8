/* plan.c: shapes and steps of the segments of one graph for one set of input shapes. */
#include "exec/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/numbers/checked.h"
#include "base/shape.h"
#include "exec/plan_cache.h"

static enum onr_status no_memory(struct onr_error *error) {
  return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a plan");
}

/* What a plan holds, from a difference: layers may have given back more than this plan took. */
static size_t counted(uint64_t difference) { return difference > INT64_MAX ? 0 : (size_t)difference; }

static enum onr_status resize_output(struct onr_call *call, size_t i, const struct onr_desc *desc, void **data) {
  struct onri_plan *plan = call->executor;
  const struct onri_step *step = (const struct onri_step *)((const char *)call - offsetof(struct onri_step, call));
  const int32_t v = step->node->out[i];
  call->out[i] = *desc;
  if (v == ONRI_NONE) return ONR_STATUS_OK;
  return onri_plan_resize(plan, v, desc, 0, data, call->error);
}

static enum onr_status put_output(struct onr_call *call, size_t i, enum onr_dtype kind, struct onri_list *list) {
  struct onri_plan *plan = call->executor;
  const struct onri_step *step = (const struct onri_step *)((const char *)call - offsetof(struct onri_step, call));
  call->out[i] = onri_handle_desc(kind);
  if (step->node->out[i] != ONRI_NONE) return onri_plan_put_list(plan, step->node->out[i], kind, list, call->error);
  onri_list_release(&plan->space->run->heap, list);
  return ONR_STATUS_OK;
}

static void destroy_segment(struct onri_plan *plan, struct onri_segment *segment) {
  struct onr_env *env = &plan->space->run->env;
  for (size_t s = 0; s < segment->num_steps; s++) {
    const struct onr_layer *layer = segment->steps[s].node->layer;
    if (layer->release_state && segment->steps[s].call.state) layer->release_state(segment->steps[s].call.state, env);
  }
  for (size_t i = 0; i < segment->num_assumptions; i++) onri_release(env->allocator, segment->assumptions[i].contents);
  onri_release(env->allocator, segment->assumptions);
  onri_release(env->allocator, segment->deaths);
  onri_arena_clear(&segment->arena);
  memset(segment, 0, sizeof(*segment));
}

int onri_plan_fits(const struct onri_plan *plan, const struct onr_tensor *inputs) {
  for (size_t i = 0; i < plan->space->graph->num_inputs; i++)
    if (!onr_desc_equal(&plan->inputs[i].desc, &inputs[i].desc)) return 0;
  return 1;
}

/* Memory of a value that is no part of another. */
static void *address_of_root(const struct onri_plan *plan, int32_t value) {
  const struct onri_location *place = &plan->locations[value];
  switch (place->storage) {
    case ONRI_STORAGE_KNOWN: return (void *)(uintptr_t)plan->inference.known[value];
    case ONRI_STORAGE_INPUT: return plan->inputs[plan->space->uses[value].input].data;
    case ONRI_STORAGE_BLOCK:
      if (place->output != ONRI_NONE && plan->outputs[place->output]) return plan->outputs[place->output];
      return (size_t)place->segment < plan->space->num_blocks ? plan->space->blocks[place->segment].data + place->offset
                                                              : NULL;
    case ONRI_STORAGE_SLOT: return plan->space->slots[value].data;
    case ONRI_STORAGE_STATE: return plan->outputs[plan->space->uses[value].output];
    case ONRI_STORAGE_NONE: break;
  }
  return NULL;
}

void *onri_plan_address(const struct onri_plan *plan, int32_t value) {
  size_t offset = 0;
  char *address;
  for (; plan->locations[value].parent != ONRI_NONE; value = plan->locations[value].parent)
    offset += plan->locations[value].offset;
  address = address_of_root(plan, value);
  return address ? address + offset : NULL;
}

enum onr_status onri_plan_resize(struct onri_plan *plan, int32_t value, const struct onr_desc *desc, size_t kept,
                                 void **data, struct onr_error *error) {
  ONR_TRY(onri_desc_check(desc, &plan->space->run->env, error));
  struct onri_buffer *slot = &plan->space->slots[value];
  onri_buffer_empty(plan->space->run, slot);
  ONR_TRY(onri_workspace_slot(plan->space, value, onr_desc_bytes(desc) + ONR_SLACK_BYTES, kept, error));
  plan->locations[value].storage = ONRI_STORAGE_SLOT;
  plan->inference.descs[value] = *desc;
  *data = slot->data;
  return ONR_STATUS_OK;
}

enum onr_status onri_plan_put_list(struct onri_plan *plan, int32_t value, enum onr_dtype kind, struct onri_list *list,
                                   struct onr_error *error) {
  const struct onr_desc desc = onri_handle_desc(kind);
  void *data;
  const enum onr_status status = onri_plan_resize(plan, value, &desc, 0, &data, error);
  if (status == ONR_STATUS_OK) *(struct onri_handle *)data = onri_handle_make(list);
  else onri_list_release(&plan->space->run->heap, list);
  plan->space->slots[value].is_handle = status == ONR_STATUS_OK;
  return status;
}

size_t onri_plan_memory(const struct onri_plan *plan) {
  size_t bytes = 0;
  for (size_t s = 0; s < plan->num_segments; s++) bytes += plan->segments[s].block_bytes;
  for (size_t v = 0; v < plan->space->graph->num_values; v++) bytes += plan->space->slots[v].bytes;
  return bytes;
}

/* Contents of a value before a segment that assumes them runs. */
static const void *contents_now(const struct onri_plan *plan, int32_t value) {
  const int32_t input = plan->space->uses[value].input;
  return input == ONRI_NONE ? onri_plan_address(plan, value) : plan->inputs[input].data;
}

int onri_plan_holds(const struct onri_plan *plan, size_t index) {
  const struct onri_segment *segment = &plan->segments[index];
  for (size_t i = 0; i < segment->num_assumptions; i++) {
    const struct onri_assumption *a = &segment->assumptions[i];
    if (!onr_desc_equal(&a->desc, &plan->inference.descs[a->value])) return 0;
    if (a->contents && memcmp(a->contents, contents_now(plan, a->value), onr_desc_bytes(&a->desc)) != 0) return 0;
  }
  return 1;
}

static enum onr_status assume(struct onri_plan *plan, struct onri_segment *segment, int32_t value, int contents,
                              struct onr_error *error) {
  const struct onr_allocator *allocator = plan->space->run->env.allocator;
  struct onri_assumption a = {.value = value, .desc = plan->inference.descs[value]};
  const size_t bytes = onr_desc_bytes(&a.desc);
  if (contents) {
    a.contents = onri_allocate(allocator, bytes);
    if (!a.contents) return no_memory(error);
    if (bytes) memcpy(a.contents, contents_now(plan, value), bytes);
  }
  if (!onri_grow(allocator, &segment->assumptions, sizeof(a), &segment->assumptions_capacity,
                 segment->num_assumptions + 1)) {
    onri_release(allocator, a.contents);
    return no_memory(error);
  }
  segment->assumptions[segment->num_assumptions++] = a;
  if (contents) plan->inference.known[value] = segment->assumptions[segment->num_assumptions - 1].contents;
  return ONR_STATUS_OK;
}

/* Descriptors that running told are taken for granted where a node reads them. */
static enum onr_status assume_slots(struct onri_plan *plan, struct onri_segment *segment, size_t index,
                                    const struct onri_node *node, struct onr_error *error) {
  for (int32_t i = 0; ONRI_PART(segments) && i < node->num_in; i++) {
    struct onri_location *place = node->in[i] == ONRI_NONE ? NULL : &plan->locations[node->in[i]];
    if (!place || place->storage != ONRI_STORAGE_SLOT || place->assumed == (int32_t)index) continue;
    if (plan->inference.descs[node->in[i]].rank == ONRI_UNKNOWN_RANK) continue; /* this segment computes it */
    ONR_TRY(assume(plan, segment, node->in[i], 0, error));
    place->assumed = (int32_t)index;
  }
  return ONR_STATUS_OK;
}

/* A graph input, or computed by an earlier segment. */
static int is_available(const struct onri_plan *plan, const struct onri_segment *segment, int32_t value) {
  const int32_t producer = plan->space->graph->values[value].producer;
  if (plan->space->uses[value].input != ONRI_NONE) return 1;
  return producer != ONRI_NONE && producer < segment->first_node &&
         plan->inference.descs[value].rank != ONRI_UNKNOWN_RANK;
}

/* Takes the present contents of a blocked node's shape inputs for granted, as far as they are available. */
static enum onr_status assume_shape_inputs(struct onri_plan *plan, struct onri_segment *segment,
                                           const struct onri_node *node, struct onr_error *error) {
  for (int32_t i = 0; ONRI_PART(segments) && i < node->num_in && i < 32; i++) {
    const int32_t v = node->in[i];
    if (!(node->layer->shape_inputs >> i & 1) || v == ONRI_NONE || plan->inference.known[v]) continue;
    if (is_available(plan, segment, v)) ONR_TRY(assume(plan, segment, v, 1, error));
  }
  return ONR_STATUS_OK;
}

static int is_at_run_time(const struct onri_node *node) {
  return node->layer->control || node->layer->flags & ONR_LAYER_DYNAMIC;
}

/* The first segment knows inputs alone, and takes nothing else for granted than their contents. */
int onri_plan_is_certain(const struct onri_plan *plan, int32_t value, const struct onr_tensor *inputs) {
  const int32_t producer = plan->space->graph->values[value].producer;
  const struct onri_segment *first = plan->segments;
  if (plan->inference.descs[value].rank < 0) return 0;
  for (size_t i = 0; i < first->num_assumptions; i++) {
    const struct onri_assumption *a = &first->assumptions[i];
    const void *contents = inputs[plan->space->uses[a->value].input].data;
    if (a->contents && memcmp(a->contents, contents, onr_desc_bytes(&a->desc)) != 0) return 0;
  }
  return producer == ONRI_NONE || (producer < first->end_node && !is_at_run_time(&plan->space->graph->nodes[producer]));
}

/* Is there anything to run? Not where all outputs are known, or empty. */
static int is_step(const struct onri_plan *plan, const struct onri_node *node) {
  int unknown = 0, elements = 0;
  if (!onri_is_needed(plan->space, node)) return 0;
  for (int32_t i = 0; i < node->num_out; i++) {
    const int32_t v = node->out[i];
    if (v == ONRI_NONE) continue;
    unknown |= !plan->inference.known[v];
    elements |= onr_desc_elements(&plan->inference.descs[v]) != 0;
  }
  return is_at_run_time(node) || (unknown && elements);
}

static int by_node(const void *a, const void *b) {
  const struct onri_step *x = a, *y = b;
  return x->node < y->node ? -1 : x->node > y->node;
}

/* Below these a step takes some microseconds, as long as it takes to wake a sleeping thread; where other programs want
 * the processor, a thread comes milliseconds late. */
enum { SMALL_MULTIPLY_ADDS = 1 << 19, SMALL_BYTES = 1 << 17 };

static int is_small(const struct onr_layer *layer, const struct onr_call *c) {
  uint64_t bytes = 0;
  if (layer->flags & ONR_LAYER_HEAVY) return 0;
  for (size_t i = 0; i < c->num_in; i++) bytes += c->in[i].dtype == ONR_DTYPE_NONE ? 0 : onr_desc_bytes(&c->in[i]);
  for (size_t i = 0; i < c->num_out; i++) bytes += c->out[i].dtype == ONR_DTYPE_NONE ? 0 : onr_desc_bytes(&c->out[i]);
  return bytes < SMALL_BYTES && (!layer->multiply_adds || layer->multiply_adds(c) < SMALL_MULTIPLY_ADDS);
}

/* The state of the same node in the retired plan; NULL where it has none. */
static void *retired_state(const struct onri_plan *plan, const struct onri_segment *segment,
                           const struct onri_node *node) {
  const size_t index = (size_t)(segment - plan->segments);
  const struct onri_segment *old =
      plan->retired && index < plan->retired->num_segments ? &plan->retired->segments[index] : NULL;
  const struct onri_step key = {.node = node};
  const struct onri_step *step = old ? bsearch(&key, old->steps, old->num_steps, sizeof(key), by_node) : NULL;
  return step ? step->call.state : NULL;
}

/* What calling a layer takes, in operations. */
enum { STEP_WORK = 64 };

/* A step that alone, or with those before it, takes more than a run may is refused before anything runs. */
static enum onr_status count_work(const struct onri_plan *plan, struct onri_segment *segment,
                                  const struct onri_step *step, struct onr_error *error) {
  uint64_t work = STEP_WORK;
  if (!step->node->layer->control) work += onri_call_operations(step->node->layer, &step->call);
  if (work < STEP_WORK || !onri_add_u64(segment->work, work, &segment->work)) segment->work = UINT64_MAX;
  return onri_run_allows(plan->space->run, segment->work, error);
}

/* Room for the rows of caches, where the step has some; as long as the other arrays. */
static int add_rows(struct onri_plan *plan, struct onri_segment *segment, struct onri_step *step) {
  const struct onri_node *node = step->node;
  int has_caches = 0;
  for (int32_t i = 0; i < node->num_in; i++) has_caches |= onri_is_cache(plan->space, node->in[i]);
  for (int32_t i = 0; i < node->num_out; i++) has_caches |= onri_is_cache(plan->space, node->out[i]);
  if (!has_caches) return 1;
  step->call.in_rows = onri_arena_allocate(
      &segment->arena, onri_inputs_room(node->layer, (size_t)node->num_in) * sizeof(*step->call.in_rows));
  step->call.out_rows = onri_arena_allocate(
      &segment->arena, onri_outputs_room(node->layer, (size_t)node->num_out) * sizeof(*step->call.out_rows));
  return step->call.in_rows && step->call.out_rows;
}

/* Fills in the call of a step and lets the layer plan. */
static enum onr_status make_step(struct onri_plan *plan, struct onri_segment *segment, const struct onri_node *node,
                                 struct onr_error *error) {
  struct onri_step *step = &segment->steps[segment->num_steps];
  struct onr_call *c = &step->call;
  const size_t num_in = (size_t)node->num_in, num_out = (size_t)node->num_out;
  const size_t in_room = onri_inputs_room(node->layer, num_in), out_room = onri_outputs_room(node->layer, num_out);
  struct onr_desc *in = onri_arena_allocate(&segment->arena, in_room * sizeof(*in));
  const void **inputs = onri_arena_allocate(&segment->arena, in_room * sizeof(*inputs));
  void **outputs = onri_arena_allocate(&segment->arena, out_room * sizeof(*outputs));
  *step = (struct onri_step){.node = node, .inputs = inputs, .outputs = outputs};
  *c = (struct onr_call){.params = node->params,
                         .prepared = node->prepared,
                         .num_in = num_in,
                         .num_out = num_out,
                         .in = in,
                         .inputs = inputs,
                         .outputs = outputs,
                         .in_place = -1,
                         .env = &plan->space->run->env,
                         .error = error,
                         .executor = plan};
  c->out = onri_arena_allocate(&segment->arena, out_room * sizeof(*c->out));
  c->view = onri_arena_allocate(&segment->arena, out_room * sizeof(*c->view));
  c->into = onri_arena_allocate(&segment->arena, in_room * sizeof(*c->into));
  c->state = onri_arena_allocate(&segment->arena, node->layer->state_size);
  ONR_TRY(onri_workspace_kept(plan->space, node, &c->kept, error));
  if (!in || !inputs || !c->out || !outputs || !c->view || !c->into || !c->state || !add_rows(plan, segment, step))
    return no_memory(error);
  c->scratch = c->state; /* of no bytes, until it is placed */
  segment->num_steps++;
  for (size_t i = 0; i < num_in; i++) {
    c->into[i].of = ONRI_NONE;
    if (node->in[i] == ONRI_NONE) continue;
    in[i] = plan->inference.descs[node->in[i]];
    inputs[i] = plan->inference.known[node->in[i]];
  }
  for (size_t i = 0; i < num_out; i++) {
    c->view[i].of = ONRI_NONE;
    if (node->out[i] != ONRI_NONE && !is_at_run_time(node)) c->out[i] = plan->inference.descs[node->out[i]];
  }
  ONR_TRY(count_work(plan, segment, step, error));
  if (is_small(node->layer, c)) c->env = &plan->space->run->alone;
  c->retired = retired_state(plan, segment, node);
  if (node->layer->plan && !node->layer->control) ONR_TRY(node->layer->plan(c));
  c->retired = NULL;
  return ONR_STATUS_OK;
}

static enum onr_status make_steps(struct onri_plan *plan, struct onri_segment *segment, size_t count,
                                  struct onr_error *error) {
  segment->steps = onri_arena_allocate(&segment->arena, count * sizeof(*segment->steps));
  if (!segment->steps) return no_memory(error);
  if (plan->space->run->profile) {
    segment->times = onri_arena_allocate(&segment->arena, count * sizeof(*segment->times));
    if (!segment->times) return no_memory(error);
  }
  for (int32_t n = segment->first_node; n < segment->end_node; n++) {
    const struct onri_node *node = &plan->space->graph->nodes[n];
    if (!is_step(plan, node)) continue;
    const enum onr_status status = make_step(plan, segment, node, error);
    if (status != ONR_STATUS_OK) return onri_node_blame(node, status, error);
  }
  return ONR_STATUS_OK;
}

static enum onr_status infer_node(struct onri_plan *plan, struct onri_segment *segment, size_t index,
                                  const struct onri_node *node, enum onri_inferred *inferred, struct onr_error *error) {
  ONR_TRY(onri_env_poll(&plan->space->run->env, error));
  ONR_TRY(assume_slots(plan, segment, index, node, error));
  ONR_TRY(onri_inference_step(&plan->inference, node, inferred, error));
  if (*inferred != ONRI_BLOCKED) return ONR_STATUS_OK;
  ONR_TRY(assume_shape_inputs(plan, segment, node, error));
  return onri_inference_step(&plan->inference, node, inferred, error);
}

/* Infers nodes from segment->first_node on until one is blocked, and says what kind of memory their values get. */
static enum onr_status infer_nodes(struct onri_plan *plan, struct onri_segment *segment, size_t index,
                                   size_t *num_steps, struct onr_error *error) {
  const struct onri_graph *g = plan->space->graph;
  for (; segment->end_node < (int32_t)g->num_nodes; segment->end_node++) {
    const struct onri_node *node = &g->nodes[segment->end_node];
    enum onri_inferred inferred;
    if (!onri_is_needed(plan->space, node)) continue;
    ONR_TRY(infer_node(plan, segment, index, node, &inferred, error));
    if (inferred == ONRI_BLOCKED) break;
    for (int32_t i = 0; i < node->num_out; i++)
      if (node->out[i] != ONRI_NONE)
        plan->locations[node->out[i]].storage = is_at_run_time(node)                       ? ONRI_STORAGE_SLOT
                                                : plan->inference.known[node->out[i]]      ? ONRI_STORAGE_KNOWN
                                                : onri_is_cache(plan->space, node->out[i]) ? ONRI_STORAGE_STATE
                                                                                           : ONRI_STORAGE_BLOCK;
    *num_steps += (size_t)is_step(plan, node);
  }
  if (segment->end_node == segment->first_node && g->num_nodes > (size_t)segment->first_node)
    return onri_node_blame(&g->nodes[segment->first_node],
                           onr_fail(error, ONR_STATUS_INTERNAL, "an input has not been computed"), error);
  return ONR_STATUS_OK;
}

/* Forgets what a node's outputs were. */
static void forget_node(struct onri_plan *plan, const struct onri_node *node) {
  onri_inference_forget(&plan->inference, node);
  for (int32_t i = 0; i < node->num_out; i++) {
    if (node->out[i] == ONRI_NONE) continue;
    plan->locations[node->out[i]] =
        (struct onri_location){.parent = ONRI_NONE, .output = ONRI_NONE, .assumed = ONRI_NONE};
  }
}

static void drop_assumptions(struct onri_plan *plan, const struct onri_segment *segment) {
  for (size_t i = 0; i < segment->num_assumptions; i++) {
    const struct onri_assumption *a = &segment->assumptions[i];
    if (a->contents && plan->inference.known[a->value] == a->contents) plan->inference.known[a->value] = NULL;
    plan->locations[a->value].assumed = ONRI_NONE;
  }
}

/* Forgets what segments from `index` on computed. */
static void drop_segments(struct onri_plan *plan, size_t index) {
  for (size_t s = plan->num_segments; s-- > index;) {
    struct onri_segment *segment = &plan->segments[s];
    for (int32_t n = segment->first_node;
         ONRI_PART(segments) && n <= segment->end_node && n < (int32_t)plan->space->graph->num_nodes; n++)
      forget_node(plan, &plan->space->graph->nodes[n]);
    if (ONRI_PART(segments)) drop_assumptions(plan, segment);
    destroy_segment(plan, segment);
  }
  if (index < plan->num_segments) plan->num_segments = index;
}

/* v, in a slot, is read by nobody behind node n, which comes after `steps` steps. */
static enum onr_status note_death(struct onri_plan *plan, struct onri_segment *segment, int32_t v, int32_t n,
                                  int32_t steps, struct onr_error *error) {
  while (v != ONRI_NONE && plan->locations[v].parent != ONRI_NONE) v = plan->locations[v].parent;
  if (v == ONRI_NONE || plan->locations[v].storage != ONRI_STORAGE_SLOT || plan->locations[v].last > n)
    return ONR_STATUS_OK;
  if (!onri_grow(plan->space->run->env.allocator, &segment->deaths, sizeof(*segment->deaths), &segment->deaths_capacity,
                 segment->num_deaths + 1))
    return no_memory(error);
  segment->deaths[segment->num_deaths++] = (struct onri_death){steps - 1, v};
  return ONR_STATUS_OK;
}

/* Whatever views there will be are made of values that are still read then, so a last reader found now is the last. */
static enum onr_status find_deaths(struct onri_plan *plan, struct onri_segment *segment, struct onr_error *error) {
  int32_t steps = 0;
  for (int32_t n = segment->first_node; n < segment->end_node; n++) {
    const struct onri_node *node = &plan->space->graph->nodes[n];
    if (steps < (int32_t)segment->num_steps && segment->steps[steps].node == node) steps++;
    for (int32_t i = 0; i < node->num_in; i++) ONR_TRY(note_death(plan, segment, node->in[i], n, steps, error));
    for (int32_t i = 0; i < node->num_out; i++) ONR_TRY(note_death(plan, segment, node->out[i], n, steps, error));
  }
  return ONR_STATUS_OK;
}

static enum onr_status fill_segment(struct onri_plan *plan, size_t index, struct onr_error *error) {
  struct onri_segment *segment = &plan->segments[index];
  size_t num_steps = 0;
  ONR_TRY(infer_nodes(plan, segment, index, &num_steps, error));
  ONR_TRY(make_steps(plan, segment, num_steps, error));
  ONR_TRY(onri_plan_assign_memory(plan, index, error));
  return ONRI_PART(segments) ? find_deaths(plan, segment, error) : ONR_STATUS_OK;
}

static enum onr_status make_segment(struct onri_plan *plan, size_t index, struct onr_error *error) {
  const struct onr_allocator *allocator = plan->space->run->env.allocator;
  const struct onri_segment *before;
  struct onri_segment *segment;
  enum onr_status status;
  drop_segments(plan, index);
  if (!onri_grow(allocator, &plan->segments, sizeof(*plan->segments), &plan->segments_capacity, index + 1))
    return no_memory(error);
  before = index ? &plan->segments[index - 1] : NULL;
  segment = &plan->segments[index];
  *segment = (struct onri_segment){0};
  if (before) {
    segment->first_node = segment->end_node = before->end_node;
    segment->first_step = before->first_step + before->num_steps;
  }
  onri_arena_init(&segment->arena, allocator, 0);
  plan->num_segments = index + 1;
  for (size_t i = 0; !index && i < plan->space->graph->num_inputs; i++)
    plan->locations[plan->space->graph->inputs[i]].storage = ONRI_STORAGE_INPUT;
  status = fill_segment(plan, index, error);
  if (status != ONR_STATUS_OK) drop_segments(plan, index);
  return status;
}

enum onr_status onri_plan_segment(struct onri_plan *plan, size_t index, struct onr_error *error) {
  const uint64_t before = plan->space->run->pool.live;
  plan->inference.work_left = ONRI_INFERENCE_WORK;
  const enum onr_status status = make_segment(plan, index, error);
  onri_plan_cache_resize(&plan->space->run->plans, plan, counted(plan->bytes + plan->space->run->pool.live - before));
  return status;
}

static enum onr_status start(struct onri_plan *p, const struct onr_tensor *inputs, struct onr_error *error) {
  const struct onri_graph *graph = p->space->graph;
  p->inputs = onri_arena_copy(&p->arena, inputs, graph->num_inputs * sizeof(*p->inputs));
  p->outputs = onri_arena_allocate(&p->arena, graph->num_outputs * sizeof(*p->outputs));
  p->locations = onri_arena_allocate(&p->arena, graph->num_values * sizeof(*p->locations));
  if (!p->inputs || !p->outputs || !p->locations) return no_memory(error);
  ONR_TRY(onri_inference_init(&p->inference, p->space->graph, &p->space->run->env, 0, error));
  for (size_t v = 0; v < graph->num_values; v++) {
    p->locations[v] = (struct onri_location){.parent = ONRI_NONE, .output = ONRI_NONE, .assumed = ONRI_NONE};
    if (graph->values[v].constant) p->locations[v].storage = ONRI_STORAGE_KNOWN;
  }
  for (size_t i = 0; i < graph->num_inputs; i++) p->inference.descs[graph->inputs[i]] = inputs[i].desc;
  return make_segment(p, 0, error);
}

enum onr_status onri_plan_create(struct onri_workspace *space, const struct onr_tensor *inputs,
                                 struct onri_plan *retired, struct onri_plan **plan, struct onr_error *error) {
  const struct onr_allocator *allocator = space->run->env.allocator;
  const uint64_t before = space->run->pool.live - (retired ? retired->bytes : 0);
  struct onri_plan *p = onri_allocate_zeroed(allocator, sizeof(*p));
  enum onr_status status;
  *plan = NULL;
  if (!p) {
    onri_plan_destroy(retired);
    return no_memory(error);
  }
  p->executor = (struct onri_executor){
      .resize = resize_output, .put_list = ONRI_PART(containers) ? put_output : NULL, .heap = &space->run->heap};
  p->space = space;
  p->retired = retired;
  onri_arena_init(&p->arena, allocator, 0);
  status = start(p, inputs, error);
  p->retired = NULL;
  onri_plan_destroy(retired);
  p->bytes = counted(space->run->pool.live - before);
  if (status == ONR_STATUS_OK) *plan = p;
  else onri_plan_destroy(p);
  return status;
}

void onri_plan_destroy(struct onri_plan *plan) {
  const struct onr_allocator *allocator;
  if (!plan) return;
  allocator = plan->space->run->env.allocator;
  for (size_t s = 0; s < plan->num_segments; s++) destroy_segment(plan, &plan->segments[s]);
  onri_inference_clear(&plan->inference);
  onri_release(allocator, plan->segments);
  onri_arena_clear(&plan->arena);
  onri_release(allocator, plan);
}
