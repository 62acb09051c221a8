/* fold_constants.c: a node whose inputs are all constants becomes constants, within a budget of bytes and of work. */
#include "layers/layers.h"
#include "passes/rewrite.h"

/* What is larger than this, and grows by more than this factor, is cheaper to compute than to store. */
#define LARGE_BYTES ((size_t)1 << 20)
#define LARGE_FACTOR 4

static int may_fold(const struct onri_rewrite *rw, const struct onri_node *node) {
  if (!node->layer || node->num_bodies > 0 || node->num_out == 0) return 0;
  if (node->layer->control || node->layer->flags & (ONR_LAYER_DYNAMIC | ONR_LAYER_IMPURE)) return 0;
  for (int32_t k = 0; k < node->num_in; k++)
    if (node->in[k] != ONRI_NONE && !onri_rewrite_is_constant(rw, node->in[k])) return 0;
  return 1;
}

/* The outputs as infer sees them: bytes of all, or SIZE_MAX when infer fails (the node then fails at run time, if it
 * runs). *work: the operations that they take. */
static size_t output_bytes(struct onri_node *node, struct onr_env *env, const struct onr_desc *in,
                           const void *const *inputs, struct onr_desc *out, uint64_t *work) {
  struct onr_error ignored = {0};
  for (int32_t k = 0; k < node->num_out; k++)
    out[k] = (struct onr_desc){.dtype = node->out[k] == ONRI_NONE ? ONR_DTYPE_NONE : ONR_DTYPE_F32};
  struct onr_call call = {.params = node->params,
                          .num_in = (size_t)node->num_in,
                          .num_out = (size_t)node->num_out,
                          .in = in,
                          .out = out,
                          .inputs = inputs,
                          .env = env,
                          .error = &ignored};
  if (onri_call_infer(node->layer, &call) != ONR_STATUS_OK) return SIZE_MAX;
  *work = onri_call_work(node->layer, &call);
  size_t bytes = 0;
  for (int32_t k = 0; k < node->num_out; k++) {
    const size_t more = node->out[k] == ONRI_NONE ? 0 : onr_desc_bytes(&out[k]);
    bytes = more > SIZE_MAX - bytes ? SIZE_MAX : bytes + more;
  }
  return bytes;
}

/* Vectors make products: several multiply-adds in the time of one operation of plain C, which the budget counts. So
 * positions times weights are folded (relative ones of DeBERTa: 512x768 by 768x768 a layer). */
static uint64_t work_of(const struct onri_node *node, const struct onr_desc *out, uint64_t operations) {
  enum { AT_ONCE = 8 };
  const int is_product =
      node->layer == &onri_layer_matmul || node->layer == &onri_layer_gemm || node->layer == &onri_layer_linear;
  return is_product && out->dtype == ONR_DTYPE_F32 && operations < UINT64_MAX ? operations / AT_ONCE : operations;
}

struct work {
  struct onr_desc *in, *out;
  const void **inputs;
  struct onri_constant **outputs;
};

/* *freed: of *in_bytes, those that leave memory with the node. */
static enum onr_status prepare_work(struct onri_rewrite *rw, const struct onri_node *node, struct onri_arena *arena,
                                    struct work *work, size_t *in_bytes, size_t *freed) {
  const size_t num_in = (size_t)node->num_in, num_out = (size_t)node->num_out;
  const size_t in_room = onri_inputs_room(node->layer, num_in), out_room = onri_outputs_room(node->layer, num_out);
  work->in = onri_arena_allocate(arena, in_room * sizeof(*work->in));
  work->out = onri_arena_allocate(arena, out_room * sizeof(*work->out));
  work->inputs = onri_arena_allocate(arena, in_room * sizeof(*work->inputs));
  work->outputs = onri_arena_allocate(arena, num_out * sizeof(*work->outputs));
  if (!work->in || !work->out || !work->inputs || !work->outputs) return onri_rewrite_no_memory(rw);
  *in_bytes = *freed = 0;
  for (size_t k = 0; k < num_in; k++) {
    const struct onri_constant *constant;
    enum onr_status status = ONR_STATUS_OK;
    if (node->in[k] == ONRI_NONE) continue;
    constant = rw->graph->values[node->in[k]].constant;
    work->in[k] = constant->desc;
    work->inputs[k] = onri_value_data(rw->graph, node->in[k], &status, rw->error);
    ONR_TRY(status);
    *in_bytes += onr_desc_bytes(&work->in[k]); /* memory that is there: the sum fits */
    if (rw->uses[node->in[k]] == 1 && constant->references == 1) *freed += onr_desc_bytes(&work->in[k]);
  }
  return ONR_STATUS_OK;
}

/* Readers of the outputs read the constants; the references of `outputs` move into the graph. */
static enum onr_status replace_outputs(struct onri_rewrite *rw, struct onri_node *node,
                                       struct onri_constant **outputs) {
  enum onr_status status = ONR_STATUS_OK;
  for (int32_t k = 0; k < node->num_out; k++) {
    if (!outputs[k]) continue;
    const int32_t v = status == ONR_STATUS_OK ? onri_rewrite_constant(rw, outputs[k]) : -1;
    if (v < 0) {
      if (status != ONR_STATUS_OK) onri_constant_release(outputs[k]);
      status = onri_rewrite_no_memory(rw);
      continue;
    }
    rw->alias[node->out[k]] = v;
    rw->uses[v] = rw->uses[node->out[k]];
    rw->uses[node->out[k]] = 0;
  }
  if (status == ONR_STATUS_OK) onri_rewrite_remove(rw, node);
  return status;
}

static enum onr_status fold_node(struct onri_rewrite *rw, struct onri_node *node, struct onri_arena *arena) {
  struct onr_error why = {0};
  struct work work;
  uint64_t operations;
  size_t in_bytes, freed;
  ONR_TRY(prepare_work(rw, node, arena, &work, &in_bytes, &freed));
  const size_t bytes = output_bytes(node, rw->graph->env, work.in, work.inputs, work.out, &operations);
  if (bytes > LARGE_BYTES && bytes / LARGE_FACTOR > in_bytes) return ONR_STATUS_OK;
  if (onri_makes_text(node, work.out)) return ONR_STATUS_OK;
  operations = work_of(node, work.out, operations);
  const size_t growth = bytes > freed ? bytes - freed : 0;
  if (growth > rw->budget->bytes || operations > rw->budget->work) return ONR_STATUS_OK;
  rw->budget->work -= operations;
  const enum onr_status status = onri_node_evaluate(node, rw->graph->env, work.in, work.inputs, work.outputs, &why);
  if (status == ONR_STATUS_NO_MEMORY && onri_meter_take_refusal(rw->graph->env->meter)) return ONR_STATUS_OK;
  if (status == ONR_STATUS_NO_MEMORY || status == ONR_STATUS_CANCELLED)
    return onr_fail(rw->error, status, "%s", why.message);
  if (status != ONR_STATUS_OK) return ONR_STATUS_OK; /* it may lie in a branch that is never taken */
  rw->budget->bytes -= growth;
  ONR_TRY(replace_outputs(rw, node, work.outputs));
  /* Weights are cut and put together in several steps. */
  for (int32_t k = 0; k < node->num_in; k++) onri_rewrite_release(rw, node->in[k]);
  return ONR_STATUS_OK;
}

static enum onr_status sweep(struct onri_rewrite *rw, int (*skip)(const struct onri_node *node)) {
  struct onri_graph *graph = rw->graph;
  enum onr_status status = ONR_STATUS_OK;
  for (size_t i = 0; i < graph->num_nodes && status == ONR_STATUS_OK; i++) {
    struct onri_node *node = &graph->nodes[i];
    struct onri_arena arena;
    onri_rewrite_visit(rw, node);
    if (!may_fold(rw, node) || skip(node)) continue;
    onri_arena_init(&arena, graph->env->allocator, 0);
    status = onri_env_poll(graph->env, rw->error);
    if (status == ONR_STATUS_OK) status = fold_node(rw, node, &arena);
    onri_arena_clear(&arena);
  }
  return status;
}

static int skip_none(const struct onri_node *node) {
  (void)node;
  return 0;
}

enum onr_status onri_pass_fold(struct onri_rewrite *rw) { return sweep(rw, skip_none); }

/* Dequantized weights: the pass `quantized` wants to see them as they are. */
static int is_dequantize(const struct onri_node *node) { return node->layer == &onri_layer_dequantize_linear; }

enum onr_status onri_pass_fold_but_weights(struct onri_rewrite *rw) { return sweep(rw, is_dequantize); }
