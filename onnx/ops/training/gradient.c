/* gradient.c: Gradient. The nodes between xs and y are followed backwards, each with its rule. Where the node
 * gives other values for xs and zs than the graph has, those nodes are first written down again for them. */
#include <string.h>

#include "onnx/ops/training/gradient.h"

enum { LOOKS_OF_NODE = 64 }; /* that count as one node: see onri_tape_count */

struct gradient {
  struct onri_tape tape;
  uint8_t *needed, *given; /* y depends on the value; it is one of xs and zs */
  size_t num_nodes;        /* before this node */
  int32_t *x;              /* values that xs and zs name */
  size_t num_x, num_all;   /* of xs; with zs */
  int32_t y;
};

/* --- what the attributes name --- */

static enum onr_status find_value(const struct onr_node *node, const struct onr_string *text, int32_t *value) {
  struct onri_importer *importer = node->importer;
  char *name = onri_arena_allocate(&importer->scratch, text->length + 1);
  if (!name) return onri_import_no_memory(importer);
  memcpy(name, text->text, text->length);
  *value = ONRI_NONE;
  const int found = onri_scope_find(importer, node->scope, name, value);
  if (found < 0) return onri_import_no_memory(importer);
  int is_own = 0;
  for (int32_t i = 0; i < node->num_out; i++) is_own |= node->out[i] == *value;
  if (found && *value != ONRI_NONE && !is_own && strlen(name) == text->length) return ONR_STATUS_OK;
  return onr_fail(node->error, ONR_STATUS_GRAPH, "no value before this node has the name that xs, zs or y gives");
}

/* Made in this graph or given to it. What comes from the graph around it may depend on other values there, unseen here.
 */
static int is_local(const struct onr_node *node, int32_t value) {
  const struct onri_scope *scope = node->scope;
  if (!scope->outer) return 1;
  for (size_t c = 0; c < scope->num_captures; c++)
    if (scope->inner[c] == value) return 0;
  return !node->graph->values[value].constant;
}

static enum onr_status read_names(const struct onr_node *node, struct gradient *g) {
  size_t num_z;
  const struct onr_string *xs = onri_attr_strings(node, "xs", &g->num_x), *zs = onri_attr_strings(node, "zs", &num_z);
  const struct onri_attribute *y = onri_attr_find(node, "y");
  ONR_TRY(*node->status);
  g->num_all = g->num_x + num_z;
  if (!g->num_x || !y || y->kind != ONRI_ATTRIBUTE_STRING)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected the names xs and y, found %zu and %s", g->num_x,
                    y ? "one or another type" : "none");
  if ((size_t)node->num_in != g->num_all || (size_t)node->num_out > g->num_x)
    return onr_fail(node->error, ONR_STATUS_ARITY,
                    "xs and zs have %zu and %zu names, the node has %d inputs and %d outputs", g->num_x, num_z,
                    (int)node->num_in, (int)node->num_out);
  g->x = onri_arena_allocate(&node->importer->scratch, g->num_all * sizeof(*g->x));
  if (!g->x) return onri_import_no_memory(node->importer);
  for (size_t i = 0; i < g->num_all; i++) {
    ONR_TRY(find_value(node, i < g->num_x ? &xs[i] : &zs[i - g->num_x], &g->x[i]));
    if (node->in[i] == ONRI_NONE) return onr_fail(node->error, ONR_STATUS_ARITY, "input %zu is omitted", i);
  }
  ONR_TRY(find_value(node, &y->s, &g->y));
  int local = is_local(node, g->y);
  for (size_t i = 0; i < g->num_x; i++) local &= is_local(node, g->x[i]);
  return local ? ONR_STATUS_OK
               : onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "xs or y lies outside of the body that this node is in");
}

/* --- which nodes count --- */

static int is_flat(const struct onr_layer *layer) { return layer == &onri_layer_shape || layer == &onri_layer_size; }

/* Marks what depends on xs, and what y depends on; both end at the values that are given. */
static enum onr_status mark(struct gradient *g) {
  const struct onri_graph *graph = g->tape.node->graph;
  uint64_t looks = 0;
  for (size_t n = 0; n < g->num_nodes; n++) {
    const struct onri_node *node = &graph->nodes[n];
    int varies = 0;
    looks += (uint64_t)node->num_in + (uint64_t)node->num_out;
    for (int32_t i = 0; i < node->num_in; i++) varies |= node->in[i] != ONRI_NONE && g->tape.varies[node->in[i]];
    for (int32_t i = 0; i < node->num_out; i++)
      if (node->out[i] != ONRI_NONE && !g->given[node->out[i]])
        g->tape.varies[node->out[i]] = varies && !is_flat(node->layer);
  }
  g->needed[g->y] = 1;
  for (size_t n = g->num_nodes; n-- > 0;) {
    const struct onri_node *node = &graph->nodes[n];
    int needed = 0;
    for (int32_t i = 0; i < node->num_out; i++)
      needed |= node->out[i] != ONRI_NONE && g->needed[node->out[i]] && !g->given[node->out[i]];
    for (int32_t i = 0; needed && i < node->num_in; i++)
      if (node->in[i] != ONRI_NONE) g->needed[node->in[i]] = 1;
  }
  return onri_tape_count(g->tape.node->importer, looks / LOOKS_OF_NODE);
}

/* Whether y depends on an output that is not given; *varies: and that on xs. */
static int is_needed(const struct gradient *g, const struct onri_node *node, int *varies) {
  int needed = 0;
  *varies = 0;
  for (int32_t i = 0; i < node->num_out; i++) {
    const int32_t v = node->out[i];
    if (v == ONRI_NONE || !g->needed[v] || g->given[v]) continue;
    needed = 1;
    *varies |= g->tape.varies[v];
  }
  return needed;
}

/* The node again, for what the Gradient node gives instead of its inputs. */
static enum onr_status replay(struct gradient *g, const struct onri_node *node) {
  struct onri_tape *tape = &g->tape;
  int32_t *in = onri_arena_copy(&tape->node->importer->scratch, node->in, (size_t)node->num_in * sizeof(*in));
  if (!in) return onri_import_no_memory(tape->node->importer);
  if (node->num_out != 1 || node->num_bodies || node->layer->flags & ONR_LAYER_IMPURE)
    return onri_tape_no_rule(tape, node);
  for (int32_t i = 0; i < node->num_in; i++)
    if (in[i] != ONRI_NONE) in[i] = tape->now[in[i]];
  const int32_t out = node->out[0]; /* emitting moves the nodes */
  tape->now[out] = onri_tape_emit(tape, node->layer, node->params, in, (size_t)node->num_in);
  return tape->status;
}

static enum onr_status replay_all(struct gradient *g) {
  const struct onri_graph *graph = g->tape.node->graph;
  for (size_t n = 0; n < g->num_nodes; n++) {
    const struct onri_node *node = &graph->nodes[n];
    int varies, replaced = 0;
    if (!is_needed(g, node, &varies)) continue;
    if (varies && node->num_out != 1) return onri_tape_no_rule(&g->tape, node);
    for (int32_t i = 0; i < node->num_in; i++)
      replaced |= node->in[i] != ONRI_NONE && g->tape.now[node->in[i]] != node->in[i];
    if (replaced) ONR_TRY(replay(g, node));
  }
  return ONR_STATUS_OK;
}

static enum onr_status differentiate(struct gradient *g) {
  struct onri_tape *tape = &g->tape;
  const struct onri_graph *graph = tape->node->graph;
  int varies;
  ONR_TRY(replay_all(g));
  tape->gradient[g->y] = onri_tape_stretch(tape, onri_tape_scalar(tape, 1.0f, tape->now[g->y]), tape->now[g->y]);
  for (size_t n = g->num_nodes; n-- > 0;) {
    const struct onri_node forward = graph->nodes[n]; /* a copy: rules emit nodes */
    if (is_needed(g, &forward, &varies) && varies && tape->gradient[forward.out[0]] != ONRI_NONE)
      ONR_TRY(onri_tape_differentiate(tape, &forward));
  }
  return tape->status;
}

/* --- the node --- */

static enum onr_status allocate(const struct onr_node *node, struct gradient *g) {
  const size_t count = node->graph->num_values;
  char *memory = onri_allocate_zeroed(node->importer->env->allocator, count * (2 * sizeof(int32_t) + 3));
  if (!memory) return onri_import_no_memory(node->importer);
  g->num_nodes = node->graph->num_nodes;
  g->tape = (struct onri_tape){.node = node, .now = (int32_t *)(void *)memory};
  g->tape.gradient = g->tape.now + count;
  g->tape.varies = (uint8_t *)(g->tape.gradient + count);
  g->needed = g->tape.varies + count;
  g->given = g->needed + count;
  for (size_t v = 0; v < count; v++) {
    g->tape.now[v] = (int32_t)v;
    g->tape.gradient[v] = ONRI_NONE;
  }
  return ONR_STATUS_OK;
}

static enum onr_status emit_outputs(struct gradient *g) {
  const struct onr_node *node = g->tape.node;
  for (int32_t i = 0; i < node->num_out; i++) {
    const int32_t x = g->x[i];
    if (node->out[i] == ONRI_NONE) continue;
    int32_t value = g->tape.gradient[x];
    if (value == ONRI_NONE)
      value = onri_tape_stretch(&g->tape, onri_tape_scalar(&g->tape, 0.0f, node->in[i]), node->in[i]);
    ONR_TRY(g->tape.status);
    ONR_TRY(onri_emit_with(node, &onri_layer_identity, NULL, &value, 1, &node->out[i], 1));
  }
  return ONR_STATUS_OK;
}

static enum onr_status follow(struct gradient *g) {
  const struct onr_node *node = g->tape.node;
  for (size_t i = 0; i < g->num_all; i++) {
    if (g->given[g->x[i]]) return onr_fail(node->error, ONR_STATUS_GRAPH, "xs and zs name a value twice");
    g->given[g->x[i]] = 1;
    g->tape.varies[g->x[i]] = i < g->num_x;
    g->tape.now[g->x[i]] = node->in[i];
  }
  ONR_TRY(mark(g));
  ONR_TRY(differentiate(g));
  return emit_outputs(g);
}

static enum onr_status read_gradient(const struct onr_node *node) {
  struct gradient g = {.num_x = 0};
  ONR_TRY(read_names(node, &g));
  ONR_TRY(allocate(node, &g));
  const enum onr_status status = follow(&g);
  onri_release(node->importer->env->allocator, g.tape.now);
  return status;
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx_preview_training, Gradient, 1, 1, ONR_VARIADIC, 1, ONR_VARIADIC, read_gradient)
};
/* clang-format on */
const struct onri_op_table onri_ops_training_gradient = ONRI_OP_TABLE(operators);
