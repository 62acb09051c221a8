/* report.c: the nodes of a session's plan as onnxrun info and bench show them. */
#include <string.h>

#include "base/sized.h"
#include "layers/layers.h"
#include "exec/frame.h"
#include "exec/session.h"

static const struct onri_plan *plan_of(const struct onr_session *session) { return session->frame->space.plan; }

size_t onr_session_num_nodes(const struct onr_session *session) {
  const struct onri_plan *plan = session ? plan_of(session) : NULL;
  const struct onri_segment *last = plan && plan->num_segments ? &plan->segments[plan->num_segments - 1] : NULL;
  return last ? last->first_step + last->num_steps : 0;
}

/* The segment that a step lies in. */
static const struct onri_segment *segment_of(const struct onri_plan *plan, size_t step) {
  size_t low = 0, high = plan->num_segments;
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    if (plan->segments[middle].first_step <= step) low = middle;
    else high = middle;
  }
  return &plan->segments[low];
}

static int64_t parameters_of(const struct onri_graph *graph, const struct onri_node *node) {
  int64_t count = 0;
  for (int32_t i = 0; i < node->num_in; i++)
    if (node->in[i] != ONRI_NONE && graph->values[node->in[i]].constant)
      count += onr_desc_elements(&graph->values[node->in[i]].constant->desc);
  return count;
}

static struct onr_desc desc_of_input(const struct onri_plan *plan, const struct onri_node *node, int32_t i) {
  const int is_known = i < node->num_in && node->in[i] != ONRI_NONE && plan->inference.descs[node->in[i]].rank >= 0;
  return is_known ? plan->inference.descs[node->in[i]] : (struct onr_desc){0};
}

/* Of a layer in pieces: what it computes. */
static const char *shown_name(const struct onri_node *node) {
  if (node->layer != &onri_layer_byte_pieces) return node->layer->name;
  return ((const struct onr_byte_pieces_params *)node->params)->layer->name;
}

static enum onr_status describe(const struct onri_plan *plan, const struct onri_segment *segment,
                                const struct onri_step *step, struct onr_node_info *info) {
  const struct onri_node *node = step->node;
  struct onr_node_info found = {.layer = shown_name(node),
                                .op_type = node->origin->op_type,
                                .name = node->origin->name,
                                .module_path = node->origin->module_path,
                                .source = node->origin->source,
                                .parameters = parameters_of(plan->space->graph, node),
                                .kernel = step->call.kernel,
                                .method = step->call.method,
                                .note = step->call.note};
  if (segment->times) {
    found.runs = segment->times[step - segment->steps].runs;
    found.total_ns = segment->times[step - segment->steps].total_ns;
  }
  if (step->call.num_out && node->out[0] != ONRI_NONE && plan->inference.descs[node->out[0]].rank >= 0)
    found.output = plan->inference.descs[node->out[0]];
  if (node->num_in && node->in[0] != ONRI_NONE) found.input_type = plan->inference.descs[node->in[0]].dtype;
  found.input = desc_of_input(plan, node, 0);
  found.weight = desc_of_input(plan, node, 1);
  if (node->layer->multiply_adds) found.multiply_adds = node->layer->multiply_adds(&step->call);
  return ONRI_SIZED_WRITE(info, &found, onr_node_info, NULL);
}

enum onr_status onr_session_node(const struct onr_session *session, size_t index, struct onr_node_info *info) {
  if (index >= onr_session_num_nodes(session)) return ONR_STATUS_ARGUMENT;
  const struct onri_plan *plan = plan_of(session);
  const struct onri_segment *segment = segment_of(plan, index);
  return describe(plan, segment, &segment->steps[index - segment->first_step], info);
}

/* --- one run, as the caller's `watch` sees it --- */

/* Blocks of segments lie one behind the other. */
static size_t arena_offset(const struct onri_plan *plan, const struct onri_segment *segment, size_t offset) {
  for (const struct onri_segment *s = plan->segments; s < segment; s++) offset += s->block_bytes;
  return offset;
}

void onri_watch_step(const struct onr_node_where *at, uint64_t begin_ns, uint64_t end_ns) {
  const struct onri_frame *frame = at->frame, *outer = frame->outer;
  const struct onri_node *node = at->step->node;
  const size_t scratch_bytes = at->step->call.scratch_bytes;
  const struct onr_node_run run = {
      .node = frame->first_node + (size_t)(node - frame->space.graph->nodes),
      .parent = outer ? outer->first_node + (size_t)outer->node : ONR_NO_NODE,
      .begin_ns = begin_ns,
      .end_ns = end_ns,
      .num_inputs = (size_t)node->num_in,
      .num_outputs = (size_t)node->num_out,
      .scratch_bytes = scratch_bytes,
      .scratch_offset = scratch_bytes ? arena_offset(at->plan, at->segment, at->step->scratch) : 0,
      .at = at,
  };
  frame->space.run->watch(frame->space.run->watch_context, &run);
}

enum onr_status onr_node_run_info(const struct onr_node_run *run, struct onr_node_info *info) {
  return run && run->at ? describe(run->at->plan, run->at->segment, run->at->step, info) : ONR_STATUS_ARGUMENT;
}

enum onr_status onr_session_watch(struct onr_session *session, struct onr_error *error) {
  ONR_TRY(onri_session_enter(session, error));
  const struct onri_frame *frame = session->frame;
  const struct onri_plan *plan = plan_of(session);
  for (size_t s = 0; plan && session->run.watch && s < plan->num_segments; s++)
    for (size_t i = 0; i < plan->segments[s].num_steps; i++) {
      const struct onri_segment *segment = &plan->segments[s];
      onri_watch_step(&(struct onr_node_where){frame, plan, segment, &segment->steps[i], 0}, 0, 0);
    }
  return onri_session_leave(
      session, plan ? ONR_STATUS_OK : onr_fail(error, ONR_STATUS_STATE, "nothing is planned: onr_session_plan first"),
      error);
}

static void find_memory(const struct onri_plan *plan, int32_t v, size_t first_value, struct onr_operand *operand) {
  static const enum onr_storage known[] = {
      [ONRI_STORAGE_NONE] = ONR_STORAGE_NONE,    [ONRI_STORAGE_KNOWN] = ONR_STORAGE_CONSTANT,
      [ONRI_STORAGE_INPUT] = ONR_STORAGE_CALLER, [ONRI_STORAGE_BLOCK] = ONR_STORAGE_ARENA,
      [ONRI_STORAGE_SLOT] = ONR_STORAGE_OWN,     [ONRI_STORAGE_STATE] = ONR_STORAGE_OWN};
  const struct onri_location *place = &plan->locations[v];
  size_t offset = 0;
  for (; place->parent != ONRI_NONE; place = &plan->locations[v = place->parent]) offset += place->offset;
  operand->memory = first_value + (size_t)v;
  operand->storage = known[place->storage];
  if (place->storage != ONRI_STORAGE_BLOCK) return;
  if (place->output != ONRI_NONE && plan->outputs[place->output]) operand->storage = ONR_STORAGE_CALLER;
  else operand->offset = arena_offset(plan, &plan->segments[place->segment], place->offset + offset);
}

static enum onr_status tell_operand(const struct onr_node_run *run, int32_t v, int is_packed,
                                    struct onr_operand *operand) {
  const struct onri_plan *plan = run->at->plan;
  struct onr_operand found = {.name = ""};
  if (v != ONRI_NONE) {
    const struct onri_value *value = &plan->space->graph->values[v];
    found.name = value->name;
    found.order = value->order;
    found.value = run->at->frame->first_value + (size_t)v;
    find_memory(plan, v, run->at->frame->first_value, &found);
    found.tensor.desc = plan->inference.descs[v];
    if (!is_packed && (run->at->has_run || found.storage == ONR_STORAGE_CONSTANT))
      found.tensor.data = onri_plan_address(plan, v);
  }
  return ONRI_SIZED_WRITE(operand, &found, onr_operand, NULL);
}

enum onr_status onr_node_run_input(const struct onr_node_run *run, size_t index, struct onr_operand *operand) {
  if (!run || index >= run->num_inputs) return ONR_STATUS_ARGUMENT;
  const struct onri_node *node = run->at->step->node;
  return tell_operand(run, node->in[index], index < 64 && (node->packed_inputs >> index & 1), operand);
}

enum onr_status onr_node_run_constant(const struct onr_node_run *run, size_t index, void *target,
                                      struct onr_error *error) {
  struct onr_operand operand = onr_operand_init();
  if (!target || onr_node_run_input(run, index, &operand) != ONR_STATUS_OK)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "expected an input of a node that runs, and memory");
  if (operand.storage != ONR_STORAGE_CONSTANT)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "input %zu is no constant", index);
  const struct onri_workspace *space = run->at->plan->space;
  const struct onri_constant *constant = space->graph->values[run->at->step->node->in[index]].constant;
  const void *data = operand.tensor.data ? operand.tensor.data : constant ? constant->data : NULL;
  const size_t bytes = onr_desc_bytes(&operand.tensor.desc);
  if (data || !bytes) {
    if (bytes) memcpy(target, data, bytes);
    return ONR_STATUS_OK;
  }
  if (constant && constant->reload && space->run->rereads)
    return constant->reload(constant->source, constant, target, error);
  return onr_fail(error, ONR_STATUS_STATE, "the contents of input %zu are packed, and not in the file as they were",
                  index);
}

enum onr_status onr_node_run_output(const struct onr_node_run *run, size_t index, struct onr_operand *operand) {
  if (!run || index >= run->num_outputs) return ONR_STATUS_ARGUMENT;
  return tell_operand(run, run->at->step->node->out[index], 0, operand);
}
