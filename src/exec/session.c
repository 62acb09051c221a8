/* session.c: the caller's tensors in, one frame that runs, tensors out. */
#include <string.h>

#include "base/container.h"
#include "base/shape.h"
#include "base/sized.h"
#include "exec/frame.h"
#include "model/model.h"
#include "exec/plan_cache.h"
#include "exec/session.h"
#include "exec/variant.h"

enum onr_status onri_session_enter(struct onr_session *s, struct onr_error *error) {
  if (!s) return onr_fail(error, ONR_STATUS_ARGUMENT, "session must not be NULL");
  if (atomic_flag_test_and_set(&s->busy))
    return onr_fail(error, ONR_STATUS_STATE,
                    "the session is in use by another thread; give each thread a session of its own");
  return ONR_STATUS_OK;
}

enum onr_status onri_session_leave(struct onr_session *s, enum onr_status status, struct onr_error *error) {
  status = onri_meter_settle(&s->meter, status, error);
  atomic_flag_clear(&s->busy);
  return status;
}

struct onri_state *onri_session_state(const struct onr_session *session, size_t output) {
  for (size_t i = 0; i < session->states.count; i++)
    if (session->states.items[i].output == output) return &session->states.items[i];
  return NULL;
}

static size_t num_inputs(const struct onr_session *s) { return s->model->graph->num_inputs + s->model->num_defaults; }

enum onr_status onr_session_create(const struct onr_model *model, const struct onr_session_options *options,
                                   struct onr_session **session, struct onr_error *error) {
  const struct onr_allocator *allocator;
  struct onr_session_options own;
  struct onr_session *s;
  enum onr_status status = ONR_STATUS_OK;
  if (session) *session = NULL;
  if (!model || !session) return onr_fail(error, ONR_STATUS_ARGUMENT, "model and session must not be NULL");
  if (model->for_source)
    return onr_fail(error, ONR_STATUS_STATE, "the model was loaded to be compiled (for_source), not to be run");
  ONR_TRY(ONRI_SIZED_READ(&own, options, onr_session_options, error));
  s = onri_allocate_zeroed(model->meter.under, sizeof(*s));
  if (!s) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a session");
  s->model = s->active = model;
  s->model_bytes = atomic_load(&model->meter.held);
  onri_meter_init(&s->meter, model->meter.under, model->meter.limit, s->model_bytes + sizeof(*s));
  s->run = (struct onri_run){.env = model->env,
                             .plan_bytes = model->plan_bytes,
                             .work_limit = model->work,
                             .constant_bytes = model->constant_bytes};
  onri_pool_init(&s->run.pool, &s->meter);
  s->run.env.allocator = allocator = &s->run.pool.allocator;
  s->run.env.meter = &s->meter;
  s->run.env.threads = own.threads;
  s->run.env.cancel = own.cancel;
  s->run.profile = own.profile;
  s->run.watch = own.watch;
  s->run.watch_context = own.watch_context;
  s->cache_int8 = own.cache_int8;
  s->run.rereads = model->rereads;
  s->run.alone = s->run.env;
  s->run.alone.threads = NULL;
  onri_heap_init(&s->run.heap, allocator);
  atomic_flag_clear(&s->busy);
  s->inputs = onri_allocate_zeroed(allocator, num_inputs(s) * sizeof(*s->inputs));
  s->taken = onri_allocate_zeroed(allocator, num_inputs(s) * sizeof(*s->taken));
  s->fed = s->taken;
  s->containers = onri_allocate_zeroed(allocator, num_inputs(s) * sizeof(*s->containers));
  s->flat = onri_allocate_zeroed(allocator, model->graph->num_outputs * sizeof(*s->flat));
  s->bound = onri_allocate_zeroed(allocator, model->graph->num_outputs * sizeof(*s->bound));
  s->direct = onri_allocate_zeroed(allocator, model->graph->num_outputs * sizeof(*s->direct));
  s->results = onri_allocate_zeroed(allocator, model->graph->num_outputs * sizeof(*s->results));
  if (!s->inputs || !s->taken || !s->containers || !s->flat || !s->bound || !s->direct || !s->results)
    status = onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a session");
  else status = onri_frame_create(&s->run, model->graph, &s->frame, error);
  status = onri_meter_settle(&s->meter, status, error);
  if (status == ONR_STATUS_OK) *session = s;
  else onr_session_destroy(s);
  return status;
}

void onr_session_destroy(struct onr_session *session) {
  const struct onr_allocator *allocator;
  if (!session) return;
  allocator = session->run.env.allocator;
  onri_plan_cache_clear(&session->run.plans, allocator);
  if (session->state_calls) session->state_calls->release(session);
  onri_frame_destroy(session->frame);
  if (ONRI_PART(defaults)) onri_variant_clear(&session->variant, allocator);
  for (size_t i = 0; session->containers && i < num_inputs(session); i++)
    onri_buffer_release(&session->run, &session->containers[i]);
  for (size_t i = 0; session->flat && i < session->model->graph->num_outputs; i++)
    onri_buffer_release(&session->run, &session->flat[i]);
  onri_heap_clear(&session->run.heap);
  onri_release(allocator, session->containers);
  onri_release(allocator, session->flat);
  onri_release(allocator, session->taken);
  onri_release(allocator, session->inputs);
  onri_release(allocator, session->bound);
  onri_release(allocator, session->direct);
  onri_release(allocator, session->results);
  onri_release(allocator, session->wanted);
  onri_pool_clear(&session->run.pool);
  onri_release(session->meter.under, session);
}

/* What the caller's memory for elements of this type must be aligned to; 0 for an unknown type. */
static size_t alignment_of(enum onr_dtype dtype) {
  const size_t size = onr_dtype_size(dtype);
  return size > 8 ? 8 : size;
}

/* -1 is what onr_model_find_input and _find_output return. */
enum onr_status onri_session_check_index(const struct onr_session *s, size_t index, const char *what,
                                         struct onr_error *error) {
  if (!s) return onr_fail(error, ONR_STATUS_ARGUMENT, "session must not be NULL");
  const size_t count = *what == 'i' ? num_inputs(s) : s->model->graph->num_outputs;
  if (index < count) return ONR_STATUS_OK;
  if (index == (size_t)-1 || index == (size_t)(unsigned)-1)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "%s -1: onr_model_find_%s says so when the model has none of that name",
                    what, what);
  return onr_fail(error, ONR_STATUS_ARGUMENT, "%s %zu does not exist; the model has %zu", what, index, count);
}

enum onr_status onri_check_input(const struct onr_value_info *info, const struct onr_tensor *tensor,
                                 struct onr_error *error) {
  const struct onr_desc *d = &tensor->desc;
  const size_t alignment = alignment_of(d->dtype);
  char text[160];
  if (!alignment)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "input '%s': unknown data type %d", info->name, (int)d->dtype);
  if (info->dtype != ONR_DTYPE_NONE && d->dtype != info->dtype)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "input '%s': expected %s, got %s", info->name,
                    info->type ? info->type : onr_dtype_name(info->dtype), onr_dtype_name(d->dtype));
  if (d->rank < 0 || d->rank > ONR_MAX_RANK)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "input '%s': rank %d is outside of 0..%d", info->name, d->rank,
                    ONR_MAX_RANK);
  if (info->rank >= 0 && d->rank != info->rank)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "input '%s': expected rank %d, got %s", info->name, info->rank,
                    onr_desc_format(d, text, sizeof(text)));
  for (int32_t k = 0; k < d->rank; k++) {
    if (d->dim[k] < 0)
      return onr_fail(error, ONR_STATUS_ARGUMENT, "input '%s': dimension %d is negative", info->name, k);
    if (info->rank >= 0 && info->dim[k] >= 0 && d->dim[k] != info->dim[k])
      return onr_fail(error, ONR_STATUS_ARGUMENT,
                      "input '%s': dimension %d is fixed to %lld in the model, got %s; declare it dynamic to vary it",
                      info->name, k, (long long)info->dim[k], onr_desc_format(d, text, sizeof(text)));
  }
  if (!tensor->data && onr_desc_elements(d))
    return onr_fail(error, ONR_STATUS_ARGUMENT, "input '%s': data is NULL for %s", info->name,
                    onr_desc_format(d, text, sizeof(text)));
  if ((uintptr_t)tensor->data % alignment)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "input '%s': data must be aligned to %zu bytes", info->name, alignment);
  return ONR_STATUS_OK;
}

static const uint64_t nothing = 0; /* stands in for the data of a tensor without elements */

enum onr_status onr_session_set_input(struct onr_session *session, size_t index, const struct onr_tensor *tensor,
                                      struct onr_error *error) {
  enum onr_status status;
  ONR_TRY(onri_session_check_index(session, index, "input", error));
  ONR_TRY(onri_session_enter(session, error));
  if (!tensor) {
    session->inputs[index] = (struct onr_tensor){0};
    return onri_session_leave(session, ONR_STATUS_OK, error);
  }
  status = onri_check_input(&session->model->inputs[index], tensor, error);
  if (status == ONR_STATUS_OK) status = onri_desc_check(&tensor->desc, &session->run.env, error);
  if (status == ONR_STATUS_OK) {
    session->inputs[index] = *tensor;
    for (int32_t d = tensor->desc.rank; d < ONR_MAX_RANK; d++) session->inputs[index].desc.dim[d] = 0;
    if (!tensor->data) session->inputs[index].data = (void *)(uintptr_t)&nothing;
  }
  return onri_session_leave(session, status, error);
}

static enum onr_status check_bound(const struct onr_session *s, size_t index, enum onr_dtype dtype, const void *data,
                                   struct onr_error *error) {
  const size_t alignment = alignment_of(dtype);
  if (!alignment || (uintptr_t)data % alignment == 0) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_ARGUMENT, "output '%s': memory for %s must be aligned to %zu bytes",
                  s->model->outputs[index].name, onr_dtype_name(dtype), alignment);
}

enum onr_status onr_session_bind_output(struct onr_session *session, size_t index, void *data, size_t bytes,
                                        struct onr_error *error) {
  ONR_TRY(onri_session_check_index(session, index, "output", error));
  if (onri_session_state(session, index))
    return onr_fail(error, ONR_STATUS_ARGUMENT, "output '%s' is a state: the session has memory for it",
                    session->model->outputs[index].name);
  ONR_TRY(check_bound(session, index, session->model->outputs[index].dtype, data, error));
  ONR_TRY(onri_session_enter(session, error));
  session->bound[index] = (struct onr_tensor){
      .desc.dim = {(int64_t)((uint64_t)bytes > INT64_MAX ? INT64_MAX : (uint64_t)bytes)}, .data = data};
  return onri_session_leave(session, ONR_STATUS_OK, error);
}

static int64_t input_dim(const struct onr_session *s, const struct onri_named *symbol) {
  const size_t input = (size_t)symbol->index;
  return s->state_calls ? s->state_calls->input_dim(s, input, symbol->dim) : s->inputs[input].desc.dim[symbol->dim];
}

/* Equal dimension names of the declared inputs, as far as they are set, must have equal sizes. */
static enum onr_status check_symbols(const struct onr_session *s, struct onr_error *error) {
  const struct onr_model *m = s->model;
  const struct onri_named *a = NULL;
  for (size_t k = 0; k < m->num_symbols; k++) {
    const struct onri_named *b = &m->symbols[k];
    if (s->inputs[b->index].desc.dtype == ONR_DTYPE_NONE) continue;
    const int64_t size = input_dim(s, b), before = a ? input_dim(s, a) : size;
    if (size != before && !strcmp(a->name, b->name))
      return onr_fail(error, ONR_STATUS_ARGUMENT, "dimension '%s' is %lld in input '%s' but %lld in input '%s'",
                      a->name, (long long)before, m->inputs[a->index].name, (long long)size, m->inputs[b->index].name);
    a = b;
  }
  return ONR_STATUS_OK;
}

/* A new frame for the graph of a model, for the outputs that are wanted; all plans of the old one go. */
enum onr_status onri_session_start_frame(struct onr_session *s, const struct onr_model *model, const uint8_t *wanted,
                                         struct onr_error *error) {
  struct onri_frame *frame;
  enum onr_status status = onri_frame_create(&s->run, model->graph, &frame, error);
  if (status == ONR_STATUS_OK && wanted) status = onri_workspace_want(&frame->space, wanted, error);
  if (status == ONR_STATUS_OK && s->state_calls) status = s->state_calls->place(s, model, frame, error);
  if (status != ONR_STATUS_OK) {
    onri_frame_destroy(frame);
    return status;
  }
  onri_plan_cache_clear(&s->run.plans, s->run.env.allocator);
  onri_frame_destroy(s->frame);
  s->frame = frame;
  s->active = model;
  s->has_results = 0;
  return ONR_STATUS_OK;
}

static enum onr_status activate(struct onr_session *s, const struct onr_model *model, struct onr_error *error) {
  return s->active == model ? ONR_STATUS_OK : onri_session_start_frame(s, model, s->wanted, error);
}

/* count 0: all. */
static enum onr_status want(struct onr_session *s, const size_t *indices, size_t count, struct onr_error *error) {
  const struct onr_allocator *allocator = s->run.env.allocator;
  uint8_t *wanted = count ? onri_allocate_zeroed(allocator, s->model->graph->num_outputs) : NULL;
  if (count && !wanted) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a session");
  for (size_t i = 0; i < count; i++) wanted[indices[i]] = 1;
  for (size_t i = 0; count && i < s->states.count; i++) wanted[s->states.items[i].output] = 1;
  const enum onr_status status = onri_session_start_frame(s, s->active, wanted, error);
  onri_release(allocator, status == ONR_STATUS_OK ? s->wanted : wanted);
  if (status == ONR_STATUS_OK) s->wanted = wanted;
  return status;
}

enum onr_status onr_session_want_outputs(struct onr_session *session, const size_t *indices, size_t count,
                                         struct onr_error *error) {
  if (!indices && count) return onr_fail(error, ONR_STATUS_ARGUMENT, "indices must not be NULL");
  for (size_t i = 0; i < count; i++) ONR_TRY(onri_session_check_index(session, indices[i], "output", error));
  ONR_TRY(onri_session_enter(session, error));
  return onri_session_leave(session, want(session, indices, count, error), error);
}

static int is_wanted(const struct onr_session *s, size_t output) { return !s->wanted || s->wanted[output]; }

/* Inputs may be left out where nothing that is wanted reads them. */
static enum onr_status check_inputs(const struct onr_session *s, struct onr_error *error) {
  const struct onri_graph *g = s->active->graph;
  for (size_t i = 0; i < g->num_inputs; i++) {
    const struct onri_use *use = &s->frame->space.uses[g->inputs[i]];
    if (s->fed[i].desc.dtype != ONR_DTYPE_NONE) continue;
    if (!s->wanted || use->last_read != ONRI_NONE || use->output != ONRI_NONE)
      return onr_fail(error, ONR_STATUS_ARGUMENT, "input '%s' has not been set", s->active->inputs[i].name);
  }
  return ONR_STATUS_OK;
}

/* The model itself while no input with a default is set, else its variant. */
static enum onr_status choose_variant(struct onr_session *s, struct onr_error *error) {
  s->fed = s->taken;
  if (!onri_variant_is_wanted(s->model, s->inputs)) return activate(s, s->model, error);
  if (!onri_variant_fits(&s->variant, s->model, s->inputs)) {
    ONR_TRY(activate(s, s->model, error)); /* the old variant goes */
    ONR_TRY(onri_variant_make(&s->variant, s->model, s->inputs, &s->run.env, error));
  }
  ONR_TRY(activate(s, s->variant.model, error));
  onri_variant_feed(&s->variant, s->taken);
  s->fed = s->variant.fed;
  return ONR_STATUS_OK;
}

/* What the frame is given: a container is there while it runs, its handle's size is known before. */
static void take_inputs(struct onr_session *s) {
  for (size_t i = 0; i < num_inputs(s); i++) {
    s->taken[i] = s->inputs[i];
    if (onri_dtype_is_block(s->inputs[i].desc.dtype))
      s->taken[i] = (struct onr_tensor){onri_handle_desc(s->inputs[i].desc.dtype), s->containers[i].data};
  }
  if (s->state_calls) s->state_calls->take(s, s->taken);
}

static enum onr_status read_containers(struct onr_session *s, struct onr_error *error) {
  for (size_t i = 0; i < num_inputs(s); i++) {
    const struct onr_desc desc = onri_handle_desc(s->inputs[i].desc.dtype);
    struct onri_handle handle = onri_handle_make(NULL);
    struct onr_tensor kept, value = {desc, &handle};
    if (!onri_dtype_is_block(desc.dtype)) continue;
    ONR_TRY(onri_container_list(&s->run.heap, &s->inputs[i], 0, &handle.list, error));
    const enum onr_status status = onri_buffer_keep(&s->run, &s->containers[i], &value, &kept, error);
    onri_list_release(&s->run.heap, handle.list);
    ONR_TRY(status);
  }
  return ONR_STATUS_OK;
}

static void drop_containers(struct onr_session *s) {
  for (size_t i = 0; i < num_inputs(s); i++) onri_buffer_empty(&s->run, &s->containers[i]);
}

static enum onr_status plan(struct onr_session *s, struct onr_error *error) {
  if (s->state_calls) ONR_TRY(s->state_calls->begin(s, error));
  take_inputs(s);
  if (ONRI_PART(defaults) && s->model->num_defaults) ONR_TRY(choose_variant(s, error));
  ONR_TRY(check_inputs(s, error));
  onri_run_measure(&s->run, s->inputs, num_inputs(s)); /* of containers the plan knows no size */
  if (s->frame->space.plan && onri_plan_fits(s->frame->space.plan, s->fed)) return ONR_STATUS_OK;
  ONR_TRY(check_symbols(s, error));
  return onri_frame_plan(s->frame, s->fed, error);
}

enum onr_status onr_session_plan(struct onr_session *session, struct onr_error *error) {
  ONR_TRY(onri_session_enter(session, error));
  return onri_session_leave(session, plan(session, error), error);
}

static enum onr_status check_wanted(const struct onr_session *s, size_t output, struct onr_error *error) {
  if (is_wanted(s, output)) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_ARGUMENT, "output '%s' is not among those that onr_session_want_outputs was given",
                  s->model->outputs[output].name);
}

enum onr_status onr_session_planned_output(const struct onr_session *session, size_t index, struct onr_desc *desc,
                                           struct onr_error *error) {
  ONR_TRY(onri_session_check_index(session, index, "output", error));
  if (!desc) return onr_fail(error, ONR_STATUS_ARGUMENT, "desc must not be NULL");
  if (!session->frame->space.plan)
    return onr_fail(error, ONR_STATUS_STATE, "the session has no plan: call onr_session_plan first");
  ONR_TRY(check_wanted(session, index, error));
  const struct onri_plan *plan = session->frame->space.plan;
  const int32_t v = session->active->graph->outputs[index];
  const int is_known = onri_plan_is_certain(plan, v, session->fed) &&
                       !onri_dtype_is_block(plan->inference.descs[v].dtype) && !onri_session_state(session, index);
  *desc = is_known ? plan->inference.descs[v] : (struct onr_desc){.dtype = ONR_DTYPE_NONE};
  return ONR_STATUS_OK;
}

static int overlap(const void *a, size_t a_bytes, const void *b, size_t b_bytes) {
  const uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;
  return x < y + b_bytes && y < x + a_bytes;
}

/* Results go straight to bound memory where their size is known, fits, and no input lies there. */
static enum onr_status choose_outputs(struct onr_session *s, struct onr_error *error) {
  const struct onri_graph *g = s->active->graph;
  for (size_t i = 0; i < g->num_outputs; i++) {
    const struct onri_plan *plan = s->frame->space.plan;
    const struct onr_desc *desc = &plan->inference.descs[g->outputs[i]];
    const struct onr_tensor *bound = &s->bound[i];
    s->direct[i] = NULL;
    if (!bound->data || !is_wanted(s, i) || !onri_plan_is_certain(plan, g->outputs[i], s->fed)) continue;
    ONR_TRY(check_bound(s, i, desc->dtype, bound->data, error)); /* where the file does not tell the type */
    if (onr_desc_bytes(desc) > (uint64_t)bound->desc.dim[0])
      return onr_fail(error, ONR_STATUS_ARGUMENT, "output '%s' needs %zu bytes, but the memory bound to it has %lld",
                      s->model->outputs[i].name, onr_desc_bytes(desc), (long long)bound->desc.dim[0]);
    s->direct[i] = bound->data;
    for (size_t k = 0; k < g->num_inputs; k++)
      if (overlap(bound->data, (size_t)bound->desc.dim[0], s->fed[k].data, onr_desc_bytes(&s->fed[k].desc)))
        s->direct[i] = NULL;
  }
  return ONR_STATUS_OK;
}

/* A container leaves as a flat block: in bound memory where it fits, else in the session's. */
static enum onr_status flatten(struct onr_session *s, size_t i, struct onr_error *error) {
  struct onr_tensor *y = &s->results[i];
  const struct onr_desc desc = onri_flat_desc(y);
  const size_t bytes = onr_desc_bytes(&desc);
  char *data = s->bound[i].data;
  ONR_TRY(onri_desc_check(&desc, &s->run.env, error));
  if (!data || bytes > (uint64_t)s->bound[i].desc.dim[0]) {
    ONR_TRY(onri_buffer_grow(&s->run, &s->flat[i], bytes, 0, error));
    data = s->flat[i].data;
  }
  onri_flat_write(y, data);
  *y = (struct onr_tensor){desc, data};
  return ONR_STATUS_OK;
}

/* What did not go straight to bound memory is copied there. */
static enum onr_status take_results(struct onr_session *s, struct onr_error *error) {
  for (size_t i = 0; i < s->model->graph->num_outputs; i++) {
    const struct onr_tensor *bound = &s->bound[i];
    struct onr_tensor *y = &s->results[i];
    *y = (struct onr_tensor){0};
    if (!is_wanted(s, i)) continue;
    *y = onri_frame_output(s->frame, i);
    if (ONRI_PART(containers) && onri_is_handle(y)) ONR_TRY(flatten(s, i, error));
    if (!bound->data || y->data == bound->data) continue;
    const size_t bytes = onr_desc_bytes(&y->desc);
    ONR_TRY(check_bound(s, i, y->desc.dtype, bound->data, error));
    if (bytes > (uint64_t)bound->desc.dim[0])
      return onr_fail(error, ONR_STATUS_ARGUMENT, "output '%s' needs %zu bytes, but the memory bound to it has %lld",
                      s->model->outputs[i].name, bytes, (long long)bound->desc.dim[0]);
    ONR_TRY(onri_env_copy(&s->run.env, bound->data, y->data, bytes, error));
    y->data = bound->data;
  }
  return ONR_STATUS_OK;
}

static enum onr_status run(struct onr_session *s, struct onr_error *error) {
  onri_heap_clear(&s->run.heap);
  ONR_TRY(read_containers(s, error));
  ONR_TRY(plan(s, error));
  ONR_TRY(choose_outputs(s, error));
  if (s->state_calls) ONR_TRY(s->state_calls->lay(s, error));
  take_inputs(s); /* a cache may have moved */
  if (ONRI_PART(defaults) && s->active != s->model) onri_variant_feed(&s->variant, s->taken);
  s->run.work_done = 0;
  s->run.iterations_left = s->run.env.limits.loop_iterations;
  ONR_TRY(onri_frame_run(s->frame, s->fed, s->direct, error));
  ONR_TRY(take_results(s, error));
  return s->state_calls ? s->state_calls->turn(s, error) : ONR_STATUS_OK;
}

enum onr_status onr_session_run(struct onr_session *session, struct onr_error *error) {
  enum onr_status status;
  ONR_TRY(onri_session_enter(session, error));
  onri_frame_done(session->frame);
  status = run(session, error);
  session->has_results = status == ONR_STATUS_OK;
  if (!session->has_results) onri_frame_done(session->frame);
  drop_containers(session);
  return onri_session_leave(session, status, error);
}

enum onr_status onr_session_get_output(struct onr_session *session, size_t index, struct onr_tensor *tensor,
                                       struct onr_error *error) {
  ONR_TRY(onri_session_check_index(session, index, "output", error));
  if (!tensor) return onr_fail(error, ONR_STATUS_ARGUMENT, "tensor must not be NULL");
  if (!session->has_results)
    return onr_fail(error, ONR_STATUS_STATE, "the session has no results: its last run failed, or there was none");
  ONR_TRY(check_wanted(session, index, error));
  const struct onri_state *state = onri_session_state(session, index);
  *tensor = session->results[index];
  if (!state || !state->grows) return ONR_STATUS_OK;
  ONR_TRY(onri_session_enter(session, error));
  const enum onr_status status = session->state_calls->show(session, state, tensor, &session->flat[index], error);
  return onri_session_leave(session, status, error);
}

enum onr_status onr_session_trim(struct onr_session *session, struct onr_error *error) {
  ONR_TRY(onri_session_enter(session, error));
  onri_frame_trim(session->frame, session->results, session->has_results ? session->model->graph->num_outputs : 0);
  return onri_session_leave(session, ONR_STATUS_OK, error);
}

size_t onr_session_arena_bytes(const struct onr_session *session) {
  const struct onri_plan *plan = session ? session->frame->space.plan : NULL;
  return plan ? onri_plan_memory(plan) : 0;
}

size_t onr_session_total_bytes(const struct onr_session *session) {
  return session ? (size_t)(atomic_load(&session->meter.held) - session->model_bytes) : 0;
}
