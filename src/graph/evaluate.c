/* evaluate.c: one node through all phases of its layer. */
#include "base/services.h"

#include <string.h>

#include "base/numbers/checked.h"
#include "base/shape.h"
#include "graph/graph.h"

int onri_makes_text(const struct onri_node *node, const struct onr_desc *out) {
  if (!(node->layer->flags & ONR_LAYER_TEXT)) return 0;
  for (int32_t i = 0; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE && out[i].dtype == ONR_DTYPE_STRING) return 1;
  return 0;
}

static enum onr_status check_arity(const struct onr_layer *layer, const struct onr_call *call) {
  if (call->num_in < layer->inputs_min || (layer->inputs_max != ONR_VARIADIC && call->num_in > layer->inputs_max))
    return onr_fail(call->error, ONR_STATUS_ARITY, "expected %d to %d inputs, found %zu", layer->inputs_min,
                    layer->inputs_max, call->num_in);
  if (call->num_out < layer->outputs_min || (layer->outputs_max != ONR_VARIADIC && call->num_out > layer->outputs_max))
    return onr_fail(call->error, ONR_STATUS_ARITY, "expected %d to %d outputs, found %zu", layer->outputs_min,
                    layer->outputs_max, call->num_out);
  for (size_t i = 0; i < layer->inputs_min; i++)
    if (call->in[i].dtype == ONR_DTYPE_NONE)
      return onr_fail(call->error, ONR_STATUS_ARITY, "input %zu is required but was left out", i);
  return ONR_STATUS_OK;
}

static enum onr_status check_outputs(const struct onr_layer *layer, const struct onr_call *call) {
  for (size_t i = 0; i < call->num_out; i++) {
    if (call->out[i].dtype == ONR_DTYPE_NONE) continue;
    ONR_TRY(onri_desc_check(&call->out[i], call->env, call->error));
    if (onri_dtype_is_block(call->out[i].dtype) && !(layer->flags & ONR_LAYER_MAKES_CONTAINERS))
      return onr_fail(call->error, ONR_STATUS_TYPE, "output %zu: expected a tensor, found %s", i,
                      onr_dtype_name(call->out[i].dtype));
  }
  return ONR_STATUS_OK;
}

static enum onr_status check_call(const struct onr_layer *layer, const struct onr_call *call) {
  ONR_TRY(check_arity(layer, call));
  return layer->check ? layer->check(call) : ONR_STATUS_OK;
}

/* What a model's prepare may know: nothing of the inputs that are not constant. */
enum onr_status onri_call_prepare(const struct onr_layer *layer, struct onr_call *call) {
  const struct onr_allocator *allocator = call->env->allocator;
  const size_t bytes = onri_inputs_room(layer, call->num_in) * sizeof(struct onr_desc);
  struct onr_desc *in = onri_allocate_zeroed(allocator, bytes);
  struct onr_call known = *call;
  enum onr_status status;
  if (!in) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory to prepare a layer");
  for (size_t i = 0; i < call->num_in; i++) {
    in[i] = call->in[i];
    if (!call->inputs[i] && in[i].dtype != ONR_DTYPE_NONE)
      in[i] = (struct onr_desc){.dtype = in[i].dtype, .rank = ONRI_UNKNOWN_RANK};
  }
  known.in = in;
  status = check_call(layer, &known);
  known.error = NULL; /* constants of other types: infer says so, if it comes to that */
  const int fits = status == ONR_STATUS_OK && onri_types_check(layer, &known) == ONR_STATUS_OK;
  known.error = call->error;
  if (fits && layer->prepare) status = layer->prepare(&known);
  call->packed_inputs = known.packed_inputs;
  onri_release(allocator, in);
  return status;
}

enum onr_status onri_call_infer(const struct onr_layer *layer, struct onr_call *call) {
  ONR_TRY(check_call(layer, call));
  ONR_TRY(onri_types_check(layer, call));
  for (size_t i = 0; i < call->num_out; i++) call->out[i] = (struct onr_desc){0};
  if (layer->infer) {
    ONR_TRY(layer->infer(call));
  } else {
    for (size_t i = 0; i < call->num_out; i++) call->out[i] = call->in[0];
  }
  ONR_TRY(check_outputs(layer, call));
  return onri_output_type_check(layer, call);
}

uint64_t onri_call_operations(const struct onr_layer *layer, const struct onr_call *call) {
  uint64_t work = 0;
  for (size_t i = layer->flags & ONR_LAYER_SELECTS ? call->num_in : 0; i < call->num_in + call->num_out; i++) {
    const struct onr_desc *desc = i < call->num_in ? &call->in[i] : &call->out[i - call->num_in];
    if (desc->dtype != ONR_DTYPE_NONE && !onri_add_u64(work, (uint64_t)onr_desc_elements(desc), &work))
      return UINT64_MAX;
  }
  const int64_t products = layer->multiply_adds ? layer->multiply_adds(call) : 0;
  const int64_t steps = layer->steps ? layer->steps(call) : 0;
  const int64_t most = products > steps ? products : steps;
  return most > 0 && (uint64_t)most > work ? (uint64_t)most : work;
}

uint64_t onri_call_work(const struct onr_layer *layer, const struct onr_call *call) {
  return layer->flags & ONR_LAYER_HEAVY ? UINT64_MAX : onri_call_operations(layer, call);
}

/* Arrays of one evaluation, and the executor that DYNAMIC layers talk to. */
struct evaluation {
  struct onri_executor executor;
  struct onri_heap heap;
  struct onr_call call;
  struct onri_constant **constants; /* [num_out] */
  struct onr_env env;
};

static enum onr_status evaluation_resize(struct onr_call *call, size_t i, const struct onr_desc *desc, void **data) {
  struct evaluation *e = call->executor;
  onri_constant_release(e->constants[i]);
  e->constants[i] = onri_constant_create(call->env, desc);
  call->out[i] = *desc;
  if (!e->constants[i]) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for output %zu", i);
  *data = e->constants[i]->data;
  return ONR_STATUS_OK;
}

static enum onr_status allocate_outputs(struct evaluation *e, const struct onri_node *node, void **outputs) {
  for (size_t i = 0; i < e->call.num_out; i++) {
    if (node->out[i] == ONRI_NONE) {
      e->call.out[i] = (struct onr_desc){0};
      continue;
    }
    if (e->call.out[i].dtype == ONR_DTYPE_NONE)
      return onr_fail(e->call.error, ONR_STATUS_ARITY, "output %zu is not made by %s", i, node->layer->name);
    e->constants[i] = onri_constant_create(&e->env, &e->call.out[i]);
    if (!e->constants[i]) return onr_fail(e->call.error, ONR_STATUS_NO_MEMORY, "no memory for output %zu", i);
    outputs[i] = e->constants[i]->data;
  }
  return ONR_STATUS_OK;
}

static int nothing_to_do(const struct onr_call *call) {
  for (size_t i = 0; i < call->num_out; i++)
    if (call->outputs[i] && onr_desc_elements(&call->out[i])) return 0;
  return 1;
}

static enum onr_status run_phases(struct evaluation *e, const struct onr_layer *layer, const void **inputs) {
  struct onr_call *call = &e->call;
  enum onr_status status = ONR_STATUS_OK;
  if (!(layer->flags & ONR_LAYER_DYNAMIC) && nothing_to_do(call)) return ONR_STATUS_OK;
  call->in_place = -1;
  status = onri_call_prepare(layer, call);
  for (size_t i = 0; i < call->num_in && i < 64; i++)
    if (call->packed_inputs >> i & 1) inputs[i] = NULL;
  if (status == ONR_STATUS_OK && layer->plan) status = layer->plan(call);
  if (status == ONR_STATUS_OK) {
    call->scratch = onri_allocate(e->env.allocator, call->scratch_bytes);
    if (!call->scratch)
      status = onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for %zu bytes of scratch", call->scratch_bytes);
  }
  if (status == ONR_STATUS_OK) status = layer->run(call);
  if (status == ONR_STATUS_OK) status = onri_env_poll(&e->env, call->error); /* it may have stopped half-way */
  if (layer->release_state && call->state) layer->release_state(call->state, &e->env);
  if (layer->release_prepared && call->prepared) layer->release_prepared(call->prepared, &e->env);
  onri_release(e->env.allocator, call->scratch);
  return status;
}

enum onr_status onri_node_evaluate(const struct onri_node *node, struct onr_env *env, const struct onr_desc *in,
                                   const void *const *inputs, struct onri_constant **outputs, struct onr_error *error) {
  const struct onr_layer *layer = node->layer;
  const size_t num_in = (size_t)node->num_in, num_out = (size_t)node->num_out;
  struct evaluation e = {.executor = {.resize = evaluation_resize, .is_brief = 1}, .constants = outputs, .env = *env};
  struct onri_arena arena;
  enum onr_status status = ONR_STATUS_OK;
  memset(outputs, 0, num_out * sizeof(*outputs));
  if (layer->control) return onr_fail(error, ONR_STATUS_INTERNAL, "%s cannot be evaluated alone", layer->name);
  onri_env_tell_part(env, "evaluate");
  if (!ONRI_PART(more) && !layer->run)
    return onr_fail(error, ONR_STATUS_UNSUPPORTED, "this library was made for models without '%s'", layer->name);
  onri_heap_init(&e.heap, env->allocator);
  e.executor.heap = &e.heap;
  e.env.backend = ONR_BACKEND_PORTABLE;
  e.env.threads = NULL;
  onri_arena_init(&arena, env->allocator, 0);
  const size_t in_room = onri_inputs_room(layer, num_in), out_room = onri_outputs_room(layer, num_out);
  struct onr_desc *run_in = onri_arena_allocate(&arena, in_room * sizeof(*run_in));
  const void **run_inputs = onri_arena_allocate(&arena, in_room * sizeof(*run_inputs));
  void **run_outputs = onri_arena_allocate(&arena, out_room * sizeof(*run_outputs));
  e.call = (struct onr_call){.params = node->params,
                             .num_in = num_in,
                             .num_out = num_out,
                             .in = run_in,
                             .inputs = run_inputs,
                             .outputs = run_outputs,
                             .env = &e.env,
                             .error = error,
                             .executor = &e,
                             .in_place = -1};
  e.call.out = onri_arena_allocate(&arena, out_room * sizeof(*e.call.out));
  e.call.view = onri_arena_allocate(&arena, out_room * sizeof(*e.call.view));
  e.call.into = onri_arena_allocate(&arena, in_room * sizeof(*e.call.into));
  e.call.state = onri_arena_allocate(&arena, layer->state_size);
  e.call.prepared = onri_arena_allocate(&arena, layer->prepared_size);
  if (!run_in || !run_inputs || !run_outputs || !e.call.out || !e.call.view || !e.call.into || !e.call.state ||
      !e.call.prepared)
    status = onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to evaluate a node");
  if (status == ONR_STATUS_OK) {
    for (size_t i = 0; i < out_room; i++) e.call.view[i].of = ONRI_NONE;
    for (size_t i = 0; i < in_room; i++) e.call.into[i].of = ONRI_NONE;
    for (size_t i = 0; i < num_in; i++) {
      run_in[i] = in[i];
      run_inputs[i] = inputs[i];
    }
    status = onri_call_infer(layer, &e.call);
  }
  if (status == ONR_STATUS_OK) status = allocate_outputs(&e, node, run_outputs);
  if (status == ONR_STATUS_OK) status = run_phases(&e, layer, run_inputs);
  onri_arena_clear(&arena);
  onri_heap_clear(&e.heap);
  if (status == ONR_STATUS_OK) return status;
  for (size_t i = 0; i < num_out; i++) {
    onri_constant_release(outputs[i]);
    outputs[i] = NULL;
  }
  return onri_node_blame(node, status, error);
}
