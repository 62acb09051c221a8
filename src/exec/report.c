/* report.c: the nodes of a session's plan as onnxrun info and bench show them. */
#include <string.h>

#include "base/sized.h"
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

enum onr_status onr_session_node(const struct onr_session *session, size_t index, struct onr_node_info *info) {
  if (index >= onr_session_num_nodes(session)) return ONR_STATUS_ARGUMENT;
  const struct onri_plan *plan = plan_of(session);
  struct onr_node_info found;
  const struct onri_segment *segment = segment_of(plan, index);
  const struct onri_step *step = &segment->steps[index - segment->first_step];
  const struct onri_node *node = step->node;
  found = (struct onr_node_info){.layer = node->layer->name,
                                 .op_type = node->origin->op_type,
                                 .name = node->origin->name,
                                 .module_path = node->origin->module_path,
                                 .source = node->origin->source,
                                 .parameters = parameters_of(plan->space->graph, node),
                                 .kernel = step->call.kernel,
                                 .method = step->call.method};
  if (segment->times) {
    found.runs = segment->times[index - segment->first_step].runs;
    found.total_ns = segment->times[index - segment->first_step].total_ns;
  }
  if (step->call.num_out && node->out[0] != ONRI_NONE && plan->inference.descs[node->out[0]].rank >= 0)
    found.output = plan->inference.descs[node->out[0]];
  if (node->num_in && node->in[0] != ONRI_NONE) found.input_type = plan->inference.descs[node->in[0]].dtype;
  found.input = desc_of_input(plan, node, 0);
  found.weight = desc_of_input(plan, node, 1);
  if (node->layer->multiply_adds) found.multiply_adds = node->layer->multiply_adds(&step->call);
  return ONRI_SIZED_WRITE(info, &found, onr_node_info, NULL);
}
