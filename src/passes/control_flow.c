/* control_flow.c: constants move into the bodies that capture them, and an If whose condition is known becomes its
 * branch.
 */
#include "facts/bodies.h"
#include "passes/match.h"

/* --- captures --- */

/* What the body knows of a captured value: its descriptor, and its contents when it is a constant. Returns whether the
 * capture is still needed. */
static int inform(const struct onri_graph *graph, int32_t outer, struct onri_graph *body, int32_t inner) {
  struct onri_value *value = &body->values[inner];
  if (outer == ONRI_NONE) return 1;
  const struct onri_value *from = &graph->values[outer];
  if (!from->constant) {
    if (from->desc.rank != ONRI_UNKNOWN_RANK) value->desc = from->desc;
    return 1;
  }
  for (size_t i = 0; i < body->num_outputs; i++)
    if (body->outputs[i] == inner) return 1;
  onri_constant_retain(from->constant);
  value->constant = from->constant;
  value->desc = from->constant->desc;
  return 0;
}

static enum onr_status captures(struct onri_rewrite *rw, struct onri_node *node) {
  const int32_t formal = onri_body_formal_inputs(node);
  int32_t read = onri_body_explicit_inputs(node), written = read;
  for (int32_t b = 0; b < node->num_bodies; b++) {
    struct onri_graph *body = node->bodies[b];
    size_t kept = (size_t)formal;
    for (size_t i = (size_t)formal; i < body->num_inputs && read < node->num_in; i++, read++) {
      const int32_t outer = node->in[read];
      if (inform(rw->graph, outer, body, body->inputs[i])) {
        node->in[written++] = outer;
        body->inputs[kept++] = body->inputs[i];
      } else {
        rw->uses[outer]--;
        rw->changed = 1;
      }
    }
    body->num_inputs = kept;
  }
  node->num_in = written;
  return ONR_STATUS_OK;
}

enum onr_status onri_pass_captures(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {
      {&onri_layer_if, captures}, {&onri_layer_loop, captures}, {&onri_layer_scan, captures}};
  return onri_rewrite_sweep(rw, rules, sizeof(rules) / sizeof(rules[0]));
}

/* --- if --- */

/* Copies of the branch's values in the graph: captures are what they capture, constants are shared. -1 entries fail. */
static enum onr_status map_values(struct onri_rewrite *rw, const struct onri_node *node, int32_t first_capture,
                                  const struct onri_graph *body, int32_t *map) {
  for (size_t v = 0; v < body->num_values; v++) map[v] = ONRI_NONE;
  for (size_t i = 0; i < body->num_inputs; i++) map[body->inputs[i]] = node->in[first_capture + (int32_t)i];
  for (size_t v = 0; v < body->num_values; v++) {
    const struct onri_value *value = &body->values[v];
    if (value->constant) {
      onri_constant_retain(value->constant);
      map[v] = onri_rewrite_constant(rw, value->constant);
    } else if (value->producer != ONRI_NONE) {
      map[v] = onri_rewrite_value(rw, &value->desc);
    } else {
      continue;
    }
    if (map[v] < 0) return onri_rewrite_no_memory(rw);
  }
  return ONR_STATUS_OK;
}

/* The branch's memory goes with it, and with it the texts of an origin. */
static const struct onri_origin *copy_origin(struct onri_arena *arena, const struct onri_origin *from) {
  struct onri_origin *to = onri_arena_allocate(arena, sizeof(*to));
  if (!to) return NULL;
  *to = (struct onri_origin){onri_arena_string(arena, from->op_type), onri_arena_string(arena, from->name),
                             onri_arena_string(arena, from->module_path), onri_arena_string(arena, from->module_class),
                             onri_arena_string(arena, from->source)};
  return to->op_type && to->name && to->module_path && to->module_class && to->source != NULL ? to : NULL;
}

static void translate(const int32_t *map, const int32_t *from, int32_t count, int32_t *to) {
  for (int32_t k = 0; k < count; k++) to[k] = from[k] == ONRI_NONE ? ONRI_NONE : map[from[k]];
}

static enum onr_status copy_node(struct onri_rewrite *rw, struct onri_node *from, const int32_t *map) {
  struct onri_graph *graph = rw->graph;
  int32_t *in = onri_arena_allocate(&graph->arena, (size_t)(from->num_in + from->num_out + 1) * sizeof(*in));
  const struct onri_origin *origin = copy_origin(&graph->arena, from->origin);
  struct onri_graph **bodies = onri_arena_copy(&graph->arena, from->bodies, (size_t)from->num_bodies * sizeof(*bodies));
  if (!in || !origin || (!bodies && from->num_bodies > 0)) return onri_rewrite_no_memory(rw);
  int32_t *out = in + from->num_in;
  translate(map, from->in, from->num_in, in);
  translate(map, from->out, from->num_out, out);
  struct onri_node *node = onri_graph_add_node(graph, from->layer, from->params, origin, in, (size_t)from->num_in, out,
                                               (size_t)from->num_out);
  if (!node) return onri_rewrite_no_memory(rw);
  node->bodies = bodies;
  node->num_bodies = from->num_bodies;
  from->num_bodies = 0;
  for (int32_t k = 0; k < from->num_in; k++)
    if (in[k] != ONRI_NONE) rw->uses[in[k]]++;
  return ONR_STATUS_OK;
}

/* What the output `from` becomes: `to`, or a copy of it where a graph output would become an input or another output,
 * too. */
static int32_t own_memory(struct onri_rewrite *rw, int32_t from, int32_t to, const struct onri_origin *origin) {
  const int is_input = rw->graph->values[to].producer == ONRI_NONE && !onri_rewrite_is_constant(rw, to);
  if (!rw->is_output[from] || (!is_input && !rw->is_output[to])) return to;
  return onri_rewrite_node(rw, &onri_layer_identity, NULL, origin, &to, 1, onri_rewrite_desc(rw, to));
}

static enum onr_status take_branch(struct onri_rewrite *rw, size_t index, int32_t branch, int32_t *map) {
  const struct onri_node *node = &rw->graph->nodes[index];
  struct onri_graph *body = node->bodies[branch];
  int32_t first_capture = 1;
  if (branch == 1) first_capture += (int32_t)node->bodies[0]->num_inputs;
  ONR_TRY(map_values(rw, node, first_capture, body, map));
  for (size_t n = 0; n < body->num_nodes; n++)
    if (body->nodes[n].layer) ONR_TRY(copy_node(rw, &body->nodes[n], map));
  struct onri_node *removed = &rw->graph->nodes[index];
  for (int32_t k = 0; k < removed->num_out && (size_t)k < body->num_outputs; k++) {
    const int32_t from = removed->out[k];
    if (from == ONRI_NONE) continue;
    const int32_t to = own_memory(rw, from, map[body->outputs[k]], removed->origin);
    if (to < 0) return onri_rewrite_no_memory(rw);
    removed = &rw->graph->nodes[index];
    rw->alias[from] = to;
    rw->uses[to] += rw->uses[from];
    rw->is_output[to] |= rw->is_output[from];
    rw->uses[from] = 0;
  }
  onri_rewrite_remove(rw, removed);
  return ONR_STATUS_OK;
}

static enum onr_status known_if(struct onri_rewrite *rw, struct onri_node *node) {
  double condition;
  if (node->num_bodies != 2 || !onri_rewrite_scalar(rw, node->in[0], &condition)) return ONR_STATUS_OK;
  const int32_t branch = condition != 0 ? 0 : 1;
  const struct onri_graph *body = node->bodies[branch];
  if ((size_t)node->num_in != 1 + node->bodies[0]->num_inputs + node->bodies[1]->num_inputs) return ONR_STATUS_OK;
  int32_t *map = onri_allocate(rw->graph->env->allocator, (body->num_values + 1) * sizeof(*map));
  if (!map) return onri_rewrite_no_memory(rw);
  const enum onr_status status = take_branch(rw, (size_t)(node - rw->graph->nodes), branch, map);
  onri_release(rw->graph->env->allocator, map);
  return status;
}

/* Branches are appended, and so are visited, too: an If in a branch is next. */
enum onr_status onri_pass_known_if(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_if, known_if}};
  return onri_rewrite_sweep(rw, rules, 1);
}
