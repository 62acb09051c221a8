/* needs.c: see needs.h. */
#include "model/needs.h"

#include "layers/layers.h"
#include "layers/matmul/product.h"
#include "onnxrun/model.h"

static void tell_part(const struct onri_passes_listener *listener, const char *name) {
  listener->uses(listener->uses_context, "part", "", name);
}

/* Element-wise kernels that layers call without asking for them. */
static void tell_called(const struct onri_passes_listener *listener, const struct onr_layer *layer) {
  static const struct {
    const struct onr_layer *layer;
    const char *kind, *name;
  } called[] = {{&onri_layer_conv, "binary", "MUL"},
                {&onri_layer_clip, "unary", "CLIP"},
                {&onri_layer_clip, "binary", "MIN"},
                {&onri_layer_clip, "binary", "MAX"},
                {&onri_layer_batch_norm, "unary", "AFFINE"},
                {&onri_layer_batch_norm, "part", "affine"},
                {&onri_layer_lrn, "binary", "POW"},
                {&onri_layer_lrn, "type", "F64"},
                {&onri_layer_binary, "binary", "EQUAL"},
                {&onri_layer_fused_elementwise, "part", "affine"},
                {&onri_layer_binary, "part", "binary"},
                {&onri_layer_clip, "part", "binary"},
                {&onri_layer_lrn, "part", "binary"},
                {&onri_layer_conv_transpose, "part", "transposed"},
                {&onri_layer_qlinear_conv_transpose, "part", "transposed"}};
  for (size_t i = 0; i < sizeof(called) / sizeof(called[0]); i++)
    if (called[i].layer == layer) listener->uses(listener->uses_context, called[i].kind, "", called[i].name);
}

static void tell_function(const struct onri_passes_listener *listener, const struct onri_node *node) {
#define X(name, ...) #name,
  static const char *const unary[] = {ONR_UNARY_LIST(X)}, *const binary[] = {ONR_BINARY_LIST(X)};
#undef X
  if (node->layer == &onri_layer_unary)
    listener->uses(listener->uses_context, "unary", "", unary[((const struct onr_unary_params *)node->params)->op]);
  if (node->layer == &onri_layer_binary)
    listener->uses(listener->uses_context, "binary", "", binary[((const struct onr_binary_params *)node->params)->op]);
  if (node->layer != &onri_layer_fused_elementwise) return;
  const struct onr_fused_elementwise_params *fused = node->params;
  for (int32_t i = 0; i < fused->num_steps; i++) {
    const int is_unary = fused->steps[i].kind == ONR_FUSED_UNARY;
    listener->uses(listener->uses_context, is_unary ? "unary" : "binary", "",
                   (is_unary ? unary : binary)[fused->steps[i].op]);
  }
}

static void tell_type(const struct onri_passes_listener *listener, enum onr_dtype dtype) {
#define X(name, value, ...) [ONR_DTYPE_##name] = #name,
  static const char *const types[ONR_NUM_DTYPES] = {"NONE", ONR_DTYPE_LIST(X)};
#undef X
  listener->uses(listener->uses_context, "type", "", types[dtype]);
  if (onri_dtype_is_block(dtype)) tell_part(listener, "containers");
  if (onri_dtype_in(ONRI_DTYPES_8BIT, dtype)) tell_part(listener, "bytes");
}

/* Inputs that are omitted count, too. */
static int32_t num_constants(const struct onri_graph *graph, const struct onri_node *node) {
  int32_t count = 0;
  for (int32_t i = 0; i < node->num_in; i++)
    count += node->in[i] == ONRI_NONE || graph->values[node->in[i]].constant != NULL;
  return count;
}

static void tell_products(const struct onri_passes_listener *listener, const struct onri_graph *graph,
                          const struct onri_node *node) {
  const struct onr_layer *layer = node->layer;
  const int is_computed = node->num_in && num_constants(graph, node) == node->num_in;
  if (is_computed) tell_part(listener, "evaluate");
  if (layer->flags & ONRI_LAYER_NO_PRODUCTS) return;
  const int is_product = layer == &onri_layer_gemm || layer == &onri_layer_matmul || layer == &onri_layer_linear;
  const struct onri_value *b = is_product && node->in[1] != ONRI_NONE ? &graph->values[node->in[1]] : NULL;
  const int is_packed = b && b->constant && onri_product_packs(&b->constant->desc);
  if (!is_packed || is_computed) tell_part(listener, "loose"), tell_part(listener, "plain");
  if (!is_packed || onri_product_may_be_few(&b->constant->desc)) tell_part(listener, "few");
}

/* Convolutions that the layout may turn for Winograd's method, those of a few channels a group, and of weights that are
 * computed. */
static void tell_convolutions(const struct onri_passes_listener *listener, const struct onri_graph *graph,
                              const struct onri_node *node) {
  const struct onr_conv_params *p = node->params;
  if (node->layer != &onri_layer_conv || node->num_in < 2 || node->in[1] == ONRI_NONE) return;
  const struct onr_desc *weight = &graph->values[node->in[1]].desc;
  if (!graph->values[node->in[1]].constant) tell_part(listener, "variable");
  if (p->groups > 1 && (weight->rank < 2 || weight->dim[1] != 1)) tell_part(listener, "grouped");
  int is_wide = weight->rank < 0, is_dense = 1;
  for (int32_t d = 2; d < weight->rank; d++) is_wide |= weight->dim[d] != 1;
  for (int d = 0; d < ONR_MAX_SPATIAL; d++) is_dense &= p->window.stride[d] <= 1;
  if (is_wide && is_dense && (weight->rank < 2 || weight->dim[1] != 1)) tell_part(listener, "winograd");
}

static enum onr_dtype type_of(const struct onri_graph *graph, const struct onri_facts *facts, int32_t v) {
  return (size_t)v < facts->num_values ? facts->of[v].dtype : graph->values[v].desc.dtype;
}

/* Rewrites may take a layer out before it runs. What is no float may be computed when a model is loaded or planned. */
static void tell_run(const struct onri_passes_listener *listener, const struct onri_graph *graph,
                     const struct onri_facts *facts, const struct onri_node *node, int is_last) {
  int runs = is_last;
  for (int32_t i = 0; i < node->num_out; i++) {
    if (node->out[i] == ONRI_NONE) continue;
    const enum onr_dtype dtype = type_of(graph, facts, node->out[i]);
    runs |= dtype != ONR_DTYPE_NONE && !onri_dtype_in(ONRI_DTYPES_FLOAT, dtype);
  }
  if (!runs && num_constants(graph, node) < node->num_in) return;
  listener->uses(listener->uses_context, "run", "", node->layer->name);
  if (!(node->layer->flags & ONRI_LAYER_NO_REDUCTIONS)) tell_part(listener, "reductions");
  if (node->layer == &onri_layer_unary &&
      (type_of(graph, facts, node->in[0]) != ONR_DTYPE_F32 || type_of(graph, facts, node->out[0]) != ONR_DTYPE_F32))
    tell_part(listener, "typed");
}

static void tell_layer(const struct onri_passes_listener *listener, const struct onri_graph *graph,
                       const struct onri_node *node) {
  const struct onr_layer *layer = node->layer;
  listener->uses(listener->uses_context, "layer", "", layer->name);
  if (onri_num_bodies(node)) tell_part(listener, "bodies");
  if (layer->flags & ONR_LAYER_MAKES_CONTAINERS) tell_part(listener, "containers");
  if (layer->flags & ONR_LAYER_DYNAMIC || layer->control || layer->shape_inputs) tell_part(listener, "segments");
  tell_called(listener, layer);
  tell_function(listener, node);
  tell_products(listener, graph, node);
  tell_convolutions(listener, graph, node);
}

void onri_needs_tell(const struct onri_passes_listener *listener, const struct onri_graph *graph,
                     const struct onri_facts *facts, int is_last) {
  if (!ONRI_PART(more) || !listener->uses) return;
  for (size_t i = 0; i < graph->num_nodes; i++)
    if (graph->nodes[i].layer) {
      tell_layer(listener, graph, &graph->nodes[i]);
      tell_run(listener, graph, facts, &graph->nodes[i], is_last);
    }
  uint32_t types = 0;
  for (size_t v = 0; v < graph->num_values; v++) types |= ONRI_DTYPE_BIT(graph->values[v].desc.dtype);
  for (size_t v = 0; v < facts->num_values; v++) types |= ONRI_DTYPE_BIT(facts->of[v].dtype);
  for (int dtype = 0; dtype < ONR_NUM_DTYPES; dtype++)
    if (onri_dtype_in(types, (enum onr_dtype)dtype)) tell_type(listener, (enum onr_dtype)dtype);
  /* What plans compute of sizes that are open now. */
  if (facts->graph && !facts->exact && types & ~(ONRI_DTYPES_FLOAT | 1u)) tell_part(listener, "evaluate");
  if (facts->samples) tell_part(listener, "samples");
  if (facts->graph && !facts->exact) tell_part(listener, "symbols");
}

void onri_needs_tell_rewrite(const struct onri_passes_listener *listener, const char *name) {
  if (ONRI_PART(more) && listener->uses) listener->uses(listener->uses_context, "rewrite", "", name);
}
