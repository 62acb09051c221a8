/* frame.c: finds the plan, binds addresses, runs the steps. */
#include "exec/frame.h"

#include <string.h>

#include "base/shape.h"
#include "base/system/machine.h"
#include "exec/plan_cache.h"

static enum onr_status no_memory(struct onr_error *error) {
  return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a session");
}

enum onr_status onri_frame_create(struct onri_run *run, struct onri_graph *graph, struct onri_frame **frame,
                                  struct onr_error *error) {
  const struct onr_allocator *allocator = run->env.allocator;
  struct onri_frame *f = onri_allocate_zeroed(allocator, sizeof(*f));
  enum onr_status status;
  *frame = NULL;
  if (!f) return no_memory(error);
  status = onri_workspace_init(&f->space, run, graph, error);
  f->first_node = run->num_nodes;
  f->first_value = run->num_values;
  run->num_nodes += graph->num_nodes;
  run->num_values += graph->num_values;
  f->first_child = onri_allocate_zeroed(allocator, graph->num_nodes * sizeof(*f->first_child));
  for (size_t n = 0; f->first_child && n < graph->num_nodes; n++) {
    f->first_child[n] = (int32_t)f->num_children;
    f->num_children += (size_t)onri_num_bodies(&graph->nodes[n]);
  }
  f->children = onri_allocate_zeroed(allocator, f->num_children * sizeof(struct onri_frame *));
  f->inputs = onri_allocate_zeroed(allocator, graph->num_inputs * sizeof(*f->inputs));
  f->carries = onri_allocate_zeroed(allocator, 2 * graph->num_inputs * sizeof(*f->carries));
  f->sides = onri_allocate_zeroed(allocator, graph->num_inputs);
  if (status == ONR_STATUS_OK && (!f->first_child || !f->children || !f->inputs || !f->carries || !f->sides))
    status = no_memory(error);
  if (status == ONR_STATUS_OK) *frame = f;
  else onri_frame_destroy(f);
  return status;
}

static void release_children(struct onri_frame *frame) {
  for (size_t i = 0; frame->children && i < frame->num_children; i++) {
    onri_frame_destroy(frame->children[i]);
    frame->children[i] = NULL;
  }
}

void onri_frame_destroy(struct onri_frame *frame) {
  struct onri_run *run;
  if (!frame) return;
  run = frame->space.run;
  release_children(frame);
  for (size_t i = 0; frame->carries && i < 2 * frame->space.graph->num_inputs; i++)
    onri_buffer_release(run, &frame->carries[i]);
  onri_workspace_clear(&frame->space);
  onri_release(run->env.allocator, frame->sides);
  onri_release(run->env.allocator, frame->carries);
  onri_release(run->env.allocator, frame->inputs);
  onri_release(run->env.allocator, frame->children);
  onri_release(run->env.allocator, frame->first_child);
  onri_release(run->env.allocator, frame);
}

enum onr_status onri_frame_child(struct onri_frame *frame, const struct onri_node *node, int32_t body,
                                 struct onri_frame **child, struct onr_error *error) {
  struct onri_frame **slot = &frame->children[frame->first_child[node - frame->space.graph->nodes] + body];
  if (!*slot) ONR_TRY(onri_frame_create(frame->space.run, node->bodies[body], slot, error));
  *child = *slot;
  return ONR_STATUS_OK;
}

struct onri_buffer *onri_frame_next(struct onri_frame *frame, size_t index) {
  frame->sides[index] ^= 1;
  return &frame->carries[2 * index + frame->sides[index]];
}

/* Memory for the segments planned so far. */
static enum onr_status reserve(struct onri_plan *plan, struct onr_error *error) {
  for (size_t s = 0; s < plan->num_segments; s++)
    ONR_TRY(onri_workspace_block(plan->space, s, plan->segments[s].block_bytes, error));
  return ONR_STATUS_OK;
}

/* A new plan. Old ones make room for it before it is made, and one of them hands on what its layers hold. When memory
 * is short, it takes the place of all. */
static enum onr_status make_plan(struct onri_workspace *space, const struct onr_tensor *inputs, struct onri_plan **plan,
                                 struct onr_error *error) {
  struct onri_run *run = space->run;
  const uint64_t limit = onri_plan_cache_limit(run), next = space->plan_bytes;
  struct onri_plan *retired = onri_plan_cache_room(&run->plans, next < limit ? limit - next : 0, space);
  enum onr_status status = onri_plan_create(space, inputs, retired, plan, error);
  if (status == ONR_STATUS_NO_MEMORY && onri_make_room(run))
    status = onri_plan_create(space, inputs, NULL, plan, error);
  if (status != ONR_STATUS_OK) return status;
  return onri_plan_cache_add(&run->plans, *plan, error);
}

enum onr_status onri_frame_plan(struct onri_frame *frame, const struct onr_tensor *inputs, struct onr_error *error) {
  struct onri_workspace *space = &frame->space;
  struct onri_plan_cache *cache = &space->run->plans;
  struct onri_plan *plan = onri_plan_cache_find(cache, space, inputs);
  space->plan = plan;
  if (plan) return ONR_STATUS_OK;
  ONR_TRY(make_plan(space, inputs, &plan, error));
  space->plan = plan;
  onri_plan_cache_trim(cache, onri_plan_cache_limit(space->run), plan);
  if (space->pinned) return ONR_STATUS_OK; /* room is made when it runs: results of the last run may lie there */
  space->pinned = plan;
  const enum onr_status status = reserve(plan, error);
  space->pinned = NULL;
  return status;
}

static int64_t rows_of(const struct onri_workspace *space, int32_t v) {
  return onri_is_cache(space, v) ? space->rows[v] : 0;
}

static void bind_rows(const struct onri_workspace *space, struct onri_step *step) {
  /* Layers only read them; they are the plan's. */
  int64_t *in_rows = (int64_t *)step->call.in_rows, *out_rows = (int64_t *)step->call.out_rows;
  for (int32_t i = 0; in_rows && i < step->node->num_in; i++) in_rows[i] = rows_of(space, step->node->in[i]);
  for (int32_t i = 0; out_rows && i < step->node->num_out; i++) out_rows[i] = rows_of(space, step->node->out[i]);
}

/* Writes current addresses into the calls of a segment. */
static void bind(struct onri_plan *plan, size_t index) {
  struct onri_segment *segment = &plan->segments[index];
  for (size_t s = 0; s < segment->num_steps; s++) {
    struct onri_step *step = &segment->steps[s];
    const struct onri_node *node = step->node;
    for (int32_t i = 0; i < node->num_in; i++)
      step->inputs[i] = node->in[i] == ONRI_NONE || (i < 64 && (node->packed_inputs >> i & 1))
                            ? NULL
                            : onri_plan_address(plan, node->in[i]);
    for (int32_t i = 0; i < node->num_out; i++)
      step->outputs[i] = node->out[i] == ONRI_NONE ? NULL : onri_plan_address(plan, node->out[i]);
    bind_rows(plan->space, step);
    if (step->call.scratch_bytes) step->call.scratch = plan->space->blocks[index].data + step->scratch;
  }
  segment->bound = 1;
  segment->moves = plan->space->moves;
}

/* Notes the addresses of this run; segments are bound again only when one has changed. */
static void set_addresses(struct onri_plan *plan, const struct onr_tensor *inputs, void *const *outputs) {
  const struct onri_graph *g = plan->space->graph;
  int changed = 0;
  for (size_t i = 0; i < g->num_inputs; i++) {
    changed |= plan->inputs[i].data != inputs[i].data;
    plan->inputs[i].data = inputs[i].data;
  }
  for (size_t i = 0; i < g->num_outputs; i++) {
    void *data = outputs ? outputs[i] : NULL;
    changed |= plan->outputs[i] != data;
    plan->outputs[i] = data;
  }
  for (size_t s = 0; changed && s < plan->num_segments; s++) plan->segments[s].bound = 0;
}

/* Inputs that are read past their end. */
/* A piece is copied between two looks at the cancel flag. */
#define COPY_PIECE ((size_t)32 << 20)

static enum onr_status copy_inputs(const struct onri_plan *plan, const struct onr_env *env, struct onr_error *error) {
  const struct onri_graph *g = plan->space->graph;
  for (size_t i = 0; i < g->num_inputs; i++) {
    if (plan->locations[g->inputs[i]].storage != ONRI_STORAGE_BLOCK || !plan->inputs[i].data) continue;
    char *to = onri_plan_address(plan, g->inputs[i]);
    const char *from = plan->inputs[i].data;
    for (size_t left = onr_desc_bytes(&plan->inputs[i].desc), piece; left > 0;
         left -= piece, to += piece, from += piece) {
      piece = left < COPY_PIECE ? left : COPY_PIECE;
      memcpy(to, from, piece);
      ONR_TRY(onri_env_poll(env, error));
    }
  }
  return ONR_STATUS_OK;
}

/* Stands still while the caller's `watch` runs. */
static uint64_t now_ns(const struct onri_run *run) { return onri_machine_clock() - run->watched_ns; }

/* time: where it is counted, or NULL. */
static void tell_time(const struct onr_node_where *at, uint64_t begin, struct onri_step_time *time) {
  struct onri_run *run = at->frame->space.run;
  const uint64_t end = now_ns(run);
  if (time) {
    time->runs++;
    time->total_ns += end - begin;
  }
  if (!run->watch) return;
  onri_watch_step(at, begin, end);
  run->watched_ns += now_ns(run) - end;
}

static enum onr_status run_layer(const struct onri_plan *plan, struct onri_step *step) {
  if (!ONRI_WATCHED) return step->node->layer->run(&step->call);
  onri_fence_close(plan->space, step);
  const enum onr_status status = step->node->layer->run(&step->call);
  onri_fence_open(plan->space);
  return status;
}

/* What a layer of the caller's has written: a flat block, or a copy of the handle that it was given. The slot owns it.
 */
static enum onr_status adopt(struct onri_plan *plan, const struct onri_step *step, struct onr_error *error) {
  for (int32_t i = 0; i < step->node->num_out; i++) {
    const int32_t v = step->node->out[i];
    struct onri_list *list;
    if (v == ONRI_NONE || plan->locations[v].storage != ONRI_STORAGE_SLOT || plan->space->slots[v].is_handle) continue;
    const struct onr_tensor value = {plan->inference.descs[v], plan->space->slots[v].data};
    if (!onri_dtype_is_block(value.desc.dtype)) continue;
    ONR_TRY(onri_container_list(&plan->space->run->heap, &value, 1, &list, error));
    ONR_TRY(onri_plan_put_list(plan, v, value.desc.dtype, list, error));
  }
  return ONR_STATUS_OK;
}

static enum onr_status run_step(struct onri_frame *frame, struct onri_plan *plan, struct onri_segment *segment,
                                struct onri_step *step, struct onr_error *error) {
  struct onri_step_time *time = segment->times ? &segment->times[step - segment->steps] : NULL;
  const int is_timed = time || frame->space.run->watch;
  const uint64_t begin = is_timed ? now_ns(frame->space.run) : 0;
  enum onr_status status;
  step->call.error = error;
  frame->node = (int32_t)(step->node - frame->space.graph->nodes);
  if (step->node->layer->control) status = onri_control_run(frame, plan, step, error);
  else status = run_layer(plan, step);
  if (status == ONR_STATUS_OK && step->node->layer->flags & ONR_LAYER_MAKES_CONTAINERS)
    status = adopt(plan, step, error);
  if (is_timed && status == ONR_STATUS_OK)
    tell_time(&(struct onr_node_where){frame, plan, segment, step, 1}, begin, time);
  return onri_node_blame(step->node, status, error);
}

static void drop_dead(struct onri_plan *plan, const struct onri_segment *segment, size_t *dead, int32_t step) {
  for (; *dead < segment->num_deaths && segment->deaths[*dead].step <= step; ++*dead)
    onri_workspace_drop(plan->space, segment->deaths[*dead].value);
}

/* Marks what is computed and will be read in a frame: node `node` is the next, or runs a body. */
static void mark_text(const struct onri_frame *frame, int32_t node, int runs) {
  const struct onri_workspace *space = &frame->space;
  const struct onri_plan *plan = space->pinned;
  for (size_t v = 0; v < space->graph->num_values; v++) {
    const struct onr_desc *desc = &plan->inference.descs[v];
    if (desc->dtype != ONR_DTYPE_STRING || desc->rank < 0 || space->graph->values[v].producer >= node + runs ||
        plan->locations[v].storage == ONRI_STORAGE_KNOWN || !onri_needed_from(&space->uses[v], node))
      continue;
    const struct onr_string *strings = onri_plan_address(plan, (int32_t)v);
    if (strings) onri_heap_mark(&space->run->heap, strings, (size_t)onr_desc_elements(desc));
  }
}

/* Gives back text that no value of the frames that run points to. */
static void collect_text(struct onri_frame *frame, const struct onri_node *next) {
  struct onri_heap *heap = &frame->space.run->heap;
  onri_heap_begin(heap);
  mark_text(frame, (int32_t)(next - frame->space.graph->nodes), 0);
  for (const struct onri_frame *f = frame->outer; f; f = f->outer) mark_text(f, f->node, 1);
  onri_heap_end(heap);
}

static enum onr_status run_segment(struct onri_frame *frame, struct onri_plan *plan, size_t index,
                                   struct onr_error *error) {
  struct onri_segment *segment = &plan->segments[index];
  const struct onr_env *env = &frame->space.run->env;
  size_t dead = 0;
  ONR_TRY(onri_workspace_block(plan->space, index, segment->block_bytes, error));
  if (!segment->bound || segment->moves != plan->space->moves) bind(plan, index);
  ONR_TRY(onri_run_spend(frame->space.run, segment->work, error));
  if (index == 0) ONR_TRY(copy_inputs(plan, env, error));
  ONR_TRY(onri_env_poll(env, error));
  drop_dead(plan, segment, &dead, -1);
  for (size_t s = 0; s < segment->num_steps; s++) {
    if (ONRI_HERE(ONRI_DTYPE_BIT(ONR_DTYPE_STRING)) && onri_heap_is_full(&frame->space.run->heap))
      collect_text(frame, segment->steps[s].node);
    ONR_TRY(run_step(frame, plan, segment, &segment->steps[s], error));
    drop_dead(plan, segment, &dead, (int32_t)s);
    ONR_TRY(onri_env_poll(env, error)); /* it may have stopped half-way */
  }
  return ONR_STATUS_OK;
}

/* A segment that is new, or no longer holds. */
static enum onr_status plan_segment(struct onri_plan *plan, size_t index, struct onr_error *error) {
  struct onri_run *run = plan->space->run;
  enum onr_status status = onri_plan_segment(plan, index, error);
  if (status == ONR_STATUS_NO_MEMORY && onri_make_room(run)) status = onri_plan_segment(plan, index, error);
  onri_plan_cache_trim(&run->plans, onri_plan_cache_limit(run), plan);
  return status;
}

static enum onr_status run_segments(struct onri_frame *frame, struct onri_plan *plan, struct onr_error *error) {
  for (size_t s = 0;; s++) {
    if (s == plan->num_segments || !onri_plan_holds(plan, s)) ONR_TRY(plan_segment(plan, s, error));
    ONR_TRY(run_segment(frame, plan, s, error));
    if (plan->segments[s].end_node == (int32_t)plan->space->graph->num_nodes) return ONR_STATUS_OK;
  }
}

enum onr_status onri_frame_run(struct onri_frame *frame, const struct onr_tensor *inputs, void *const *outputs,
                               struct onr_error *error) {
  struct onri_plan *plan = frame->space.plan;
  struct onri_run *run = frame->space.run;
  enum onr_status status;
  frame->space.pinned = plan;
  set_addresses(plan, inputs, outputs);
  frame->outer = run->innermost;
  run->innermost = frame;
  status = run_segments(frame, plan, error);
  run->innermost = frame->outer;
  if (status != ONR_STATUS_OK) onri_frame_done(frame);
  return status;
}

struct onr_tensor onri_frame_output(const struct onri_frame *frame, size_t index) {
  const struct onri_plan *plan = frame->space.pinned;
  const int32_t v = frame->space.graph->outputs[index];
  return (struct onr_tensor){plan->inference.descs[v], onri_plan_address(plan, v)};
}

void onri_frame_done(struct onri_frame *frame) { frame->space.pinned = NULL; }

void onri_frame_done_bodies(struct onri_frame *frame, const struct onri_node *node) {
  struct onri_frame **children = frame->children + frame->first_child[node - frame->space.graph->nodes];
  for (int32_t b = 0; b < onri_num_bodies(node); b++) {
    if (!children[b]) continue;
    onri_frame_done(children[b]);
    onri_workspace_rest(&children[b]->space);
    for (size_t i = 0; i < 2 * children[b]->space.graph->num_inputs; i++)
      onri_buffer_drop(&children[b]->space, &children[b]->carries[i]);
  }
}

void onri_frame_trim(struct onri_frame *frame, const struct onr_tensor *results, size_t num_results) {
  struct onri_run *run = frame->space.run;
  onri_plan_cache_empty(&run->plans);
  if (!run->plans.num_plans) onri_plan_cache_clear(&run->plans, run->env.allocator);
  run->plans.largest = frame->space.plan_bytes = run->plans.bytes;
  release_children(frame);
  onri_workspace_trim(&frame->space, results, num_results);
  onri_pool_clear(&run->pool);
}
