/* plan: shapes and steps of the segments of one graph for one set of input shapes. */
#include "exec/plan.h"

#include <string.h>

#include "base/shape.h"

static enum onr_status no_memory(struct onr_error *error) { return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a plan"); }

static void find_last_uses(struct onri_plan *plan) {
  const struct onri_graph *g = plan->graph;
  for (size_t v = 0; v < g->num_values; v++) plan->last_use[v] = -1;
  for (size_t n = 0; n < g->num_nodes; n++)
    for (int32_t i = 0; i < g->nodes[n].num_in; i++)
      if (g->nodes[n].in[i] != ONRI_NONE) plan->last_use[g->nodes[n].in[i]] = (int32_t)n;
  for (size_t i = 0; i < g->num_outputs; i++) plan->last_use[g->outputs[i]] = INT32_MAX;
}

static enum onr_status resize_output(struct onr_call *call, size_t i, const struct onr_desc *desc, void **data) {
  struct onri_plan *plan = call->executor;
  const struct onri_step *step = (const struct onri_step *)((const char *)call - offsetof(struct onri_step, call));
  const int32_t v = step->node->out[i];
  call->out[i] = *desc;
  if (v == ONRI_NONE) return ONR_STATUS_OK;
  return onri_plan_resize(plan, v, desc, data, call->error);
}

enum onr_status onri_plan_create(struct onri_run *run, struct onri_graph *graph, const struct onr_tensor *inputs,
                                 struct onri_plan **plan, struct onr_error *error) {
  const struct onr_allocator *allocator = run->env.allocator;
  struct onri_plan *p = onri_allocate_zeroed(allocator, sizeof(*p));
  enum onr_status status;
  *plan = NULL;
  if (!p) return no_memory(error);
  p->executor = (struct onri_executor){.resize = resize_output, .text = &run->text};
  p->run = run;
  p->graph = graph;
  p->inputs = onri_allocate_zeroed(allocator, graph->num_inputs * sizeof(*p->inputs));
  p->places = onri_allocate_zeroed(allocator, graph->num_values * sizeof(*p->places));
  p->copied = onri_allocate_zeroed(allocator, graph->num_inputs);
  p->last_use = onri_allocate(allocator, graph->num_values * sizeof(*p->last_use));
  p->input_data = onri_allocate_zeroed(allocator, graph->num_inputs * sizeof(*p->input_data));
  p->output_data = onri_allocate_zeroed(allocator, graph->num_outputs * sizeof(*p->output_data));
  status = p->inputs && p->places && p->copied && p->last_use && p->input_data && p->output_data ? ONR_STATUS_OK : no_memory(error);
  if (status == ONR_STATUS_OK) status = onri_inference_init(&p->inference, graph, &run->env, 0, error);
  if (status == ONR_STATUS_OK) {
    find_last_uses(p);
    for (size_t v = 0; v < graph->num_values; v++) {
      p->places[v] = (struct onri_place){.parent = ONRI_NONE, .input = ONRI_NONE, .output = ONRI_NONE};
      if (graph->values[v].constant) p->places[v].storage = ONRI_STORAGE_KNOWN;
    }
    for (size_t i = 0; i < graph->num_inputs; i++) {
      p->inputs[i] = inputs[i].desc;
      p->input_data[i] = inputs[i].data;
      p->inference.descs[graph->inputs[i]] = inputs[i].desc;
      p->places[graph->inputs[i]].input = (int32_t)i;
    }
    status = onri_plan_segment(p, 0, error);
  }
  if (status == ONR_STATUS_OK) *plan = p;
  else onri_plan_destroy(p);
  return status;
}

static void destroy_segment(struct onri_plan *plan, struct onri_segment *segment) {
  struct onr_env *env = &plan->run->env;
  for (size_t s = 0; s < segment->num_steps; s++) {
    const struct onr_layer *layer = segment->steps[s].node->layer;
    if (layer->release_state && segment->steps[s].call.state) layer->release_state(segment->steps[s].call.state, env);
  }
  for (size_t i = 0; i < segment->num_assumptions; i++) onri_release(env->allocator, segment->assumptions[i].contents);
  onri_release(env->allocator, segment->assumptions);
  onri_release(env->allocator, segment->memory);
  plan->run->memory_bytes -= segment->memory_bytes;
  onri_arena_clear(&segment->arena);
  memset(segment, 0, sizeof(*segment));
}

void onri_plan_destroy(struct onri_plan *plan) {
  const struct onr_allocator *allocator;
  if (!plan) return;
  allocator = plan->run->env.allocator;
  for (size_t s = 0; s < plan->num_segments; s++) destroy_segment(plan, &plan->segments[s]);
  for (size_t v = 0; plan->places && v < plan->graph->num_values; v++) {
    onri_release(allocator, plan->places[v].slot);
    plan->run->memory_bytes -= plan->places[v].slot_bytes;
  }
  onri_inference_clear(&plan->inference);
  onri_release(allocator, plan->segments);
  onri_release(allocator, plan->inputs);
  onri_release(allocator, plan->places);
  onri_release(allocator, plan->copied);
  onri_release(allocator, plan->last_use);
  onri_release(allocator, plan->input_data);
  onri_release(allocator, plan->output_data);
  onri_release(allocator, plan);
}

void *onri_plan_address(const struct onri_plan *plan, int32_t value) {
  size_t offset = 0;
  const struct onri_place *place = &plan->places[value];
  while (place->parent != ONRI_NONE) {
    offset += place->offset;
    value = place->parent;
    place = &plan->places[value];
  }
  switch (place->storage) {
    case ONRI_STORAGE_KNOWN: return (char *)plan->inference.known[value] + offset;
    case ONRI_STORAGE_INPUT: return (char *)plan->input_data[place->input] + offset;
    case ONRI_STORAGE_ARENA: return plan->segments[place->segment].memory + place->offset + offset;
    case ONRI_STORAGE_SLOT: return place->slot ? (char *)place->slot + offset : NULL;
    case ONRI_STORAGE_NONE: break;
  }
  return NULL;
}

/* Values that grow from run to run get spare room, so that they settle. */
static enum onr_status grow_slot(struct onri_plan *plan, struct onri_place *place, size_t bytes, size_t kept, struct onr_error *error) {
  struct onri_run *run = plan->run;
  const size_t grown = bytes + (place->slot_bytes ? bytes / 2 : 0);
  void *slot;
  if (run->memory_bytes + run->model_bytes + grown > run->env.limits.total_bytes)
    return onr_fail(error, ONR_STATUS_LIMIT, "a value of %zu bytes would exceed the limit total_bytes", bytes);
  slot = onri_allocate(run->env.allocator, grown);
  if (!slot) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a value of %zu bytes", bytes);
  if (kept) memcpy(slot, place->slot, kept);
  onri_release(run->env.allocator, place->slot);
  run->memory_bytes += grown - place->slot_bytes;
  place->slot = slot;
  place->slot_bytes = grown;
  for (size_t s = 0; s < plan->num_segments; s++) plan->segments[s].bound = 0;
  return ONR_STATUS_OK;
}

enum onr_status onri_plan_extend(struct onri_plan *plan, int32_t value, const struct onr_desc *desc, size_t kept, void **data,
                                 struct onr_error *error) {
  struct onri_place *place = &plan->places[value];
  ONR_TRY(onri_desc_check(desc, &plan->run->env, error));
  const size_t bytes = onr_desc_bytes(desc) + ONR_SLACK_BYTES;
  if (place->slot_bytes < bytes) ONR_TRY(grow_slot(plan, place, bytes, kept, error));
  place->storage = ONRI_STORAGE_SLOT;
  plan->inference.descs[value] = *desc;
  *data = place->slot;
  return ONR_STATUS_OK;
}

enum onr_status onri_plan_resize(struct onri_plan *plan, int32_t value, const struct onr_desc *desc, void **data,
                                 struct onr_error *error) {
  return onri_plan_extend(plan, value, desc, 0, data, error);
}

size_t onri_plan_bytes(const struct onri_plan *plan) {
  size_t bytes = 0;
  for (size_t s = 0; s < plan->num_segments; s++) bytes += plan->segments[s].memory_bytes;
  for (size_t v = 0; v < plan->graph->num_values; v++) bytes += plan->places[v].slot_bytes;
  return bytes;
}

/* Contents of a value before a segment that assumes them runs. */
static const void *contents_now(const struct onri_plan *plan, int32_t value) {
  const int32_t input = plan->places[value].input;
  return input == ONRI_NONE ? onri_plan_address(plan, value) : plan->input_data[input];
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
  const struct onr_allocator *allocator = plan->run->env.allocator;
  struct onri_assumption a = {.value = value, .desc = plan->inference.descs[value]};
  const size_t bytes = onr_desc_bytes(&a.desc);
  if (contents) {
    a.contents = onri_allocate(allocator, bytes);
    if (!a.contents) return no_memory(error);
    if (bytes) memcpy(a.contents, contents_now(plan, value), bytes);
  }
  if (!onri_grow(allocator, &segment->assumptions, sizeof(a), &segment->assumptions_capacity, segment->num_assumptions + 1)) {
    onri_release(allocator, a.contents);
    return no_memory(error);
  }
  segment->assumptions[segment->num_assumptions++] = a;
  if (contents) plan->inference.known[value] = segment->assumptions[segment->num_assumptions - 1].contents;
  return ONR_STATUS_OK;
}

/* All descriptors that running told are assumptions of the segments behind. */
static enum onr_status assume_slots(struct onri_plan *plan, struct onri_segment *segment, struct onr_error *error) {
  for (size_t v = 0; segment->first_node > 0 && v < plan->graph->num_values; v++)
    if (plan->places[v].storage == ONRI_STORAGE_SLOT && plan->places[v].parent == ONRI_NONE &&
        plan->last_use[v] >= segment->first_node && plan->inference.descs[v].rank != ONRI_UNKNOWN_RANK)
      ONR_TRY(assume(plan, segment, (int32_t)v, 0, error));
  return ONR_STATUS_OK;
}

/* A graph input, or computed by an earlier segment. */
static int is_available(const struct onri_plan *plan, const struct onri_segment *segment, int32_t value) {
  const int32_t producer = plan->graph->values[value].producer;
  if (plan->places[value].input != ONRI_NONE) return 1;
  return producer != ONRI_NONE && producer < segment->first_node && plan->inference.descs[value].rank != ONRI_UNKNOWN_RANK;
}

/* Takes the present contents of a blocked node's shape inputs for granted, as far as they are available. */
static enum onr_status assume_shape_inputs(struct onri_plan *plan, struct onri_segment *segment, const struct onri_node *node,
                                           struct onr_error *error) {
  for (int32_t i = 0; i < node->num_in && i < 32; i++) {
    const int32_t v = node->in[i];
    if (!(node->layer->shape_inputs >> i & 1) || v == ONRI_NONE || plan->inference.known[v]) continue;
    if (is_available(plan, segment, v)) ONR_TRY(assume(plan, segment, v, 1, error));
  }
  return ONR_STATUS_OK;
}

static int has_elements(const struct onri_plan *plan, const struct onri_node *node) {
  for (int32_t i = 0; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE && onr_desc_elements(&plan->inference.descs[node->out[i]])) return 1;
  return 0;
}

static int all_known(const struct onri_plan *plan, const struct onri_node *node) {
  for (int32_t i = 0; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE && !plan->inference.known[node->out[i]]) return 0;
  return 1;
}

/* Below these a step takes some microseconds, as long as it takes to wake a sleeping thread; where other programs want the
 * processor, a thread comes milliseconds late. */
enum { SMALL_MULTIPLY_ADDS = 1 << 19, SMALL_BYTES = 1 << 17 };

static int is_small(const struct onr_layer *layer, const struct onr_call *c) {
  uint64_t bytes = 0;
  if (layer->flags & ONR_LAYER_HEAVY) return 0;
  for (size_t i = 0; i < c->num_in; i++) bytes += c->in[i].dtype == ONR_DTYPE_NONE ? 0 : onr_desc_bytes(&c->in[i]);
  for (size_t i = 0; i < c->num_out; i++) bytes += c->out[i].dtype == ONR_DTYPE_NONE ? 0 : onr_desc_bytes(&c->out[i]);
  return bytes < SMALL_BYTES && (!layer->multiply_adds || layer->multiply_adds(c) < SMALL_MULTIPLY_ADDS);
}

/* Fills in the call of a step and lets the layer plan. */
static enum onr_status make_step(struct onri_plan *plan, struct onri_segment *segment, const struct onri_node *node,
                                 int at_run_time, struct onr_error *error) {
  struct onri_step *step = &segment->steps[segment->num_steps];
  struct onr_call *c = &step->call;
  const size_t num_in = (size_t)node->num_in, num_out = (size_t)node->num_out;
  const size_t in_room = onri_inputs_room(node->layer, num_in), out_room = onri_outputs_room(node->layer, num_out);
  struct onr_desc *in = onri_arena_allocate(&segment->arena, in_room * sizeof(*in));
  const void **inputs = onri_arena_allocate(&segment->arena, in_room * sizeof(*inputs));
  void **outputs = onri_arena_allocate(&segment->arena, out_room * sizeof(*outputs));
  *step = (struct onri_step){.node = node, .inputs = inputs, .outputs = outputs};
  *c = (struct onr_call){.params = node->params, .prepared = node->prepared, .num_in = num_in, .num_out = num_out,
                         .in = in, .inputs = inputs, .outputs = outputs, .in_place = -1, .env = &plan->run->env,
                         .error = error, .executor = plan};
  c->out = onri_arena_allocate(&segment->arena, out_room * sizeof(*c->out));
  c->view = onri_arena_allocate(&segment->arena, out_room * sizeof(*c->view));
  c->inside = onri_arena_allocate(&segment->arena, in_room * sizeof(*c->inside));
  c->state = onri_arena_allocate(&segment->arena, node->layer->state_size);
  if (!in || !inputs || !c->out || !outputs || !c->view || !c->inside || !c->state) return no_memory(error);
  segment->num_steps++;
  for (size_t i = 0; i < num_in; i++) {
    c->inside[i].of = ONRI_NONE;
    if (node->in[i] == ONRI_NONE) continue;
    in[i] = plan->inference.descs[node->in[i]];
    inputs[i] = plan->inference.known[node->in[i]];
  }
  for (size_t i = 0; i < num_out; i++) {
    c->view[i].of = ONRI_NONE;
    if (node->out[i] != ONRI_NONE && !at_run_time) c->out[i] = plan->inference.descs[node->out[i]];
  }
  if (is_small(node->layer, c)) c->env = &plan->run->alone;
  if (node->layer->plan && !(node->layer->flags & ONR_LAYER_CONTROL)) ONR_TRY(node->layer->plan(c));
  return ONR_STATUS_OK;
}

/* Infers and makes steps for nodes from segment->first_node on, until one is blocked. */
static enum onr_status make_steps(struct onri_plan *plan, struct onri_segment *segment, struct onr_error *error) {
  const struct onri_graph *g = plan->graph;
  size_t n = (size_t)segment->first_node;
  for (; n < g->num_nodes; n++) {
    const struct onri_node *node = &g->nodes[n];
    enum onri_inferred inferred;
    ONR_TRY(onri_inference_step(&plan->inference, node, &inferred, error));
    if (inferred == ONRI_BLOCKED) {
      ONR_TRY(assume_shape_inputs(plan, segment, node, error));
      ONR_TRY(onri_inference_step(&plan->inference, node, &inferred, error));
      if (inferred == ONRI_BLOCKED && n == (size_t)segment->first_node)
        return onri_node_blame(node, onr_fail(error, ONR_STATUS_INTERNAL, "an input has not been computed"), error);
    }
    if (inferred == ONRI_BLOCKED) break;
    for (int32_t i = 0; i < node->num_out; i++)
      if (node->out[i] != ONRI_NONE)
        plan->places[node->out[i]].storage = inferred == ONRI_AT_RUN_TIME                 ? ONRI_STORAGE_SLOT
                                             : plan->inference.known[node->out[i]] ? ONRI_STORAGE_KNOWN
                                                                                   : ONRI_STORAGE_ARENA;
    if (inferred == ONRI_INFERRED && (all_known(plan, node) || !has_elements(plan, node))) continue;
    const enum onr_status status = make_step(plan, segment, node, inferred == ONRI_AT_RUN_TIME, error);
    if (status != ONR_STATUS_OK) return onri_node_blame(node, status, error);
  }
  segment->end_node = (int32_t)n;
  return ONR_STATUS_OK;
}

static void reset_inputs(struct onri_plan *plan) {
  for (size_t i = 0; i < plan->graph->num_inputs; i++) {
    plan->places[plan->graph->inputs[i]].storage = ONRI_STORAGE_INPUT;
    plan->copied[i] = 0;
  }
}

/* Forgets what segments from `index` on computed. */
static void drop_segments(struct onri_plan *plan, size_t index) {
  if (index >= plan->num_segments) return;
  for (size_t n = (size_t)plan->segments[index].first_node; n < plan->graph->num_nodes; n++) {
    const struct onri_node *node = &plan->graph->nodes[n];
    onri_inference_forget(&plan->inference, node);
    for (int32_t i = 0; i < node->num_out; i++) {
      if (node->out[i] == ONRI_NONE) continue;
      struct onri_place *place = &plan->places[node->out[i]];
      place->storage = ONRI_STORAGE_NONE;
      place->parent = ONRI_NONE;
      place->offset = 0;
    }
  }
  for (size_t s = index; s < plan->num_segments; s++) {
    for (size_t i = 0; i < plan->segments[s].num_assumptions; i++) {
      const struct onri_assumption *a = &plan->segments[s].assumptions[i];
      if (plan->inference.known[a->value] == a->contents) plan->inference.known[a->value] = NULL;
    }
    destroy_segment(plan, &plan->segments[s]);
  }
  plan->num_segments = index;
}

enum onr_status onri_plan_segment(struct onri_plan *plan, size_t index, struct onr_error *error) {
  const struct onr_allocator *allocator = plan->run->env.allocator;
  const size_t num_nodes = plan->graph->num_nodes;
  struct onri_segment *segment;
  enum onr_status status;
  const int32_t first = index ? plan->segments[index - 1].end_node : 0;
  drop_segments(plan, index);
  if (index == 0) reset_inputs(plan);
  if (!onri_grow(allocator, &plan->segments, sizeof(*plan->segments), &plan->segments_capacity, index + 1)) return no_memory(error);
  segment = &plan->segments[index];
  memset(segment, 0, sizeof(*segment));
  plan->num_segments = index + 1;
  onri_arena_init(&segment->arena, allocator, 0);
  segment->first_node = segment->end_node = first;
  segment->steps = onri_arena_allocate(&segment->arena, (num_nodes - (size_t)first) * sizeof(*segment->steps));
  if (!segment->steps) status = no_memory(error);
  else status = assume_slots(plan, segment, error);
  if (status == ONR_STATUS_OK) status = make_steps(plan, segment, error);
  if (status == ONR_STATUS_OK) status = onri_plan_place(plan, index, error);
  if (status != ONR_STATUS_OK) drop_segments(plan, index);
  return status;
}
