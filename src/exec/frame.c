/* frame: finds the plan, binds addresses, runs the steps. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "exec/frame.h"

#include <string.h>
#include <time.h>

static enum onr_status no_memory(struct onr_error *error) { return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a session"); }

enum onr_status onri_frame_create(struct onri_run *run, struct onri_graph *graph, struct onri_frame **frame, struct onr_error *error) {
  const struct onr_allocator *allocator = run->env.allocator;
  struct onri_frame *f = onri_allocate_zeroed(allocator, sizeof(*f));
  *frame = NULL;
  if (!f) return no_memory(error);
  f->run = run;
  f->graph = graph;
  f->first_child = onri_allocate_zeroed(allocator, graph->num_nodes * sizeof(*f->first_child));
  for (size_t n = 0; f->first_child && n < graph->num_nodes; n++) {
    f->first_child[n] = (int32_t)f->num_children;
    f->num_children += (size_t)graph->nodes[n].num_bodies;
  }
  f->children = onri_allocate_zeroed(allocator, f->num_children * sizeof(struct onri_frame *));
  f->inputs = onri_allocate_zeroed(allocator, graph->num_inputs * sizeof(*f->inputs));
  f->carries = onri_allocate_zeroed(allocator, 2 * graph->num_inputs * sizeof(*f->carries));
  if (!f->first_child || !f->children || !f->inputs || !f->carries) {
    onri_frame_destroy(f);
    return no_memory(error);
  }
  *frame = f;
  return ONR_STATUS_OK;
}

void onri_frame_destroy(struct onri_frame *frame) {
  const struct onr_allocator *allocator;
  if (!frame) return;
  allocator = frame->run->env.allocator;
  while (frame->plans) {
    struct onri_plan *next = frame->plans->next;
    onri_plan_destroy(frame->plans);
    frame->plans = next;
  }
  for (size_t i = 0; frame->children && i < frame->num_children; i++) onri_frame_destroy(frame->children[i]);
  for (size_t i = 0; frame->carries && i < 2 * frame->graph->num_inputs; i++) {
    onri_release(allocator, frame->carries[i].data);
    frame->run->memory_bytes -= frame->carries[i].bytes;
  }
  onri_release(allocator, frame->carries);
  onri_release(allocator, frame->inputs);
  onri_release(allocator, frame->children);
  onri_release(allocator, frame->first_child);
  onri_release(allocator, frame);
}

enum onr_status onri_frame_child(struct onri_frame *frame, const struct onri_node *node, int32_t body,
                                 struct onri_frame **child, struct onr_error *error) {
  struct onri_frame **slot = &frame->children[frame->first_child[node - frame->graph->nodes] + body];
  if (!*slot) ONR_TRY(onri_frame_create(frame->run, node->bodies[body], slot, error));
  *child = *slot;
  return ONR_STATUS_OK;
}

enum onr_status onri_frame_carry(struct onri_frame *frame, size_t index, int64_t iteration, size_t bytes, void **data,
                                 struct onr_error *error) {
  struct onri_carry *carry = &frame->carries[2 * index + (size_t)(iteration & 1)];
  struct onri_run *run = frame->run;
  bytes += ONR_SLACK_BYTES;
  if (carry->bytes < bytes) {
    if (run->memory_bytes + run->model_bytes + bytes > run->env.limits.total_bytes)
      return onr_fail(error, ONR_STATUS_LIMIT, "a loop-carried value of %zu bytes would exceed the limit total_bytes", bytes);
    onri_release(run->env.allocator, carry->data);
    run->memory_bytes -= carry->bytes;
    *carry = (struct onri_carry){onri_allocate(run->env.allocator, bytes), bytes};
    if (!carry->data) {
      carry->bytes = 0;
      return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a loop-carried value of %zu bytes", bytes);
    }
    run->memory_bytes += bytes;
  }
  *data = carry->data;
  return ONR_STATUS_OK;
}

static int plan_fits(const struct onri_plan *plan, const struct onr_tensor *inputs) {
  for (size_t i = 0; i < plan->graph->num_inputs; i++)
    if (!onr_desc_equal(&plan->inputs[i], &inputs[i].desc)) return 0;
  return 1;
}

int onri_frame_fits(const struct onri_frame *frame, const struct onr_tensor *inputs) {
  return frame->plans && plan_fits(frame->plans, inputs);
}

/* Drops the least recently used plans while all plans together are over the cap; keeps the first. */
static void trim_plans(struct onri_frame *frame) {
  while (frame->plans && frame->plans->next) {
    struct onri_plan **last = &frame->plans->next;
    size_t bytes = onri_plan_bytes(frame->plans) + onri_plan_bytes(*last);
    while ((*last)->next) {
      last = &(*last)->next;
      bytes += onri_plan_bytes(*last);
    }
    if (bytes <= frame->run->env.limits.plan_bytes) return;
    onri_plan_destroy(*last);
    *last = NULL;
  }
}

enum onr_status onri_frame_plan(struct onri_frame *frame, const struct onr_tensor *inputs, struct onr_error *error) {
  struct onri_plan *plan;
  for (struct onri_plan **link = &frame->plans; *link; link = &(*link)->next) {
    if (!plan_fits(*link, inputs)) continue;
    plan = *link;
    *link = plan->next;
    plan->next = frame->plans;
    frame->plans = plan;
    return ONR_STATUS_OK;
  }
  ONR_TRY(onri_plan_create(frame->run, frame->graph, inputs, &plan, error));
  plan->next = frame->plans;
  frame->plans = plan;
  trim_plans(frame);
  return ONR_STATUS_OK;
}

/* Writes current addresses into the calls of a segment. */
static void bind(struct onri_plan *plan, struct onri_segment *segment) {
  for (size_t s = 0; s < segment->num_steps; s++) {
    struct onri_step *step = &segment->steps[s];
    const struct onri_node *node = step->node;
    for (int32_t i = 0; i < node->num_in; i++)
      step->inputs[i] = node->in[i] == ONRI_NONE || (i < 64 && (node->absorbed >> i & 1)) ? NULL : onri_plan_address(plan, node->in[i]);
    for (int32_t i = 0; i < node->num_out; i++)
      step->outputs[i] = node->out[i] == ONRI_NONE ? NULL : onri_plan_address(plan, node->out[i]);
  }
  segment->bound = 1;
}

/* Notes the addresses of this run; segments are bound again only when one has changed. */
static void set_addresses(struct onri_plan *plan, const struct onr_tensor *inputs, void *const *output_data) {
  const struct onri_graph *g = plan->graph;
  int changed = 0;
  for (size_t i = 0; i < g->num_inputs; i++) {
    changed |= plan->input_data[i] != inputs[i].data;
    plan->input_data[i] = inputs[i].data;
  }
  for (size_t i = 0; i < g->num_outputs; i++) {
    void *data = output_data ? output_data[i] : NULL;
    changed |= plan->output_data[i] != data;
    plan->output_data[i] = data;
  }
  for (size_t s = 0; changed && s < plan->num_segments; s++) plan->segments[s].bound = 0;
}

static void copy_inputs(const struct onri_plan *plan) {
  for (size_t i = 0; i < plan->graph->num_inputs; i++)
    if (plan->copied[i] && plan->input_data[i])
      memcpy(onri_plan_address(plan, plan->graph->inputs[i]), plan->input_data[i], onr_desc_bytes(&plan->inputs[i]));
}

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static enum onr_status run_step(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step, struct onr_error *error) {
  const uint64_t start = frame->run->profile ? now_ns() : 0;
  enum onr_status status;
  step->call.error = error;
  if (step->node->layer->flags & ONR_LAYER_CONTROL) status = onri_control_run(frame, plan, step, error);
  else status = step->node->layer->run(&step->call);
  if (frame->run->profile) {
    step->runs++;
    step->total_ns += now_ns() - start;
  }
  return onri_node_blame(step->node, status, error);
}

static enum onr_status run_segment(struct onri_frame *frame, struct onri_plan *plan, size_t index, struct onr_error *error) {
  struct onri_segment *segment = &plan->segments[index];
  if (!segment->bound) bind(plan, segment);
  for (size_t s = 0; s < segment->num_steps; s++) {
    if (frame->run->env.cancel) ONR_TRY(onri_env_poll(&frame->run->env, error));
    ONR_TRY(run_step(frame, plan, &segment->steps[s], error));
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_frame_run(struct onri_frame *frame, const struct onr_tensor *inputs, void *const *output_data,
                               struct onr_error *error) {
  struct onri_plan *plan = frame->plans;
  set_addresses(plan, inputs, output_data);
  for (size_t s = 0;; s++) {
    if (s == plan->num_segments || !onri_plan_holds(plan, s)) ONR_TRY(onri_plan_segment(plan, s, error));
    if (s == 0) copy_inputs(plan);
    ONR_TRY(run_segment(frame, plan, s, error));
    if (plan->segments[s].end_node == (int32_t)plan->graph->num_nodes) break;
  }
  return ONR_STATUS_OK;
}

struct onr_tensor onri_frame_output(const struct onri_frame *frame, size_t index) {
  const struct onri_plan *plan = frame->plans;
  const int32_t v = frame->graph->outputs[index];
  return (struct onr_tensor){plan->inference.descs[v], onri_plan_address(plan, v)};
}
