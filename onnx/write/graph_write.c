/* graph_write.c: the nodes and constants of a graph, under names that are each there once. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text/text.h"
#include "onnx/write/spell.h"

enum { NODE = 1, GRAPH_NAME = 2, INITIALIZER = 5, INPUT = 11, OUTPUT = 12 }; /* of GraphProto */

static const char *no_memory(struct onri_write *file) {
  if (file->status == ONR_STATUS_OK)
    file->status = onr_fail(file->error, ONR_STATUS_NO_MEMORY, "no memory to write a model");
  return NULL;
}

void onri_write_need(struct onri_write *file, int64_t opset) {
  if (file->opset < opset) file->opset = opset;
}

/* --- names --- */

const char *onri_write_name(struct onri_write *file, const char *wanted) {
  char text[32];
  const char *name = wanted;
  for (;;) {
    const char *copy = name && *name ? onri_arena_string(&file->arena, name) : NULL;
    const int added = copy ? onri_names_put(&file->taken, copy, 0) : 0;
    if (added == 1) return copy;
    if (added < 0 || (!copy && name && *name)) return no_memory(file);
    snprintf(text, sizeof(text), "v%" PRIu32, file->num_names++);
    name = text;
  }
}

static const char *name_of(struct onri_spell *s, int32_t v) {
  if (v == ONRI_NONE) return NULL;
  if (!s->names[v]) s->names[v] = onri_write_name(s->file, s->graph->values[v].name);
  return s->names[v];
}

const char *onri_say_input(const struct onri_spell *s, int32_t i) {
  return i < s->node->num_in && s->node->in[i] != ONRI_NONE ? s->names[s->node->in[i]] : NULL;
}
const char *onri_say_output(const struct onri_spell *s, int32_t i) {
  return i < s->node->num_out && s->node->out[i] != ONRI_NONE ? s->names[s->node->out[i]] : NULL;
}
const char *onri_say_temp(struct onri_spell *s) { return onri_write_name(s->file, NULL); }

/* --- constants --- */

/* Shapes and axes stay in the message, where other programs look for them while they load. */
enum { LEAST_BESIDE = 1024 };

/* Contents beside the model are read in place. */
static uint64_t align(uint64_t offset) { return (offset + 63) / 64 * 64; }

static void put_constant(struct onri_spell *s, const char *name, struct onri_constant *constant) {
  struct onri_write *file = s->file;
  if (s->is_body || constant->desc.dtype == ONR_DTYPE_STRING) {
    const enum onr_status status = onri_constant_load(constant, file->error);
    if (status == ONR_STATUS_OK) onri_write_tensor(s->wire, INITIALIZER, name, &constant->desc, constant->data);
    else if (file->status == ONR_STATUS_OK) file->status = status;
    return;
  }
  if (!onri_grow(file->env->allocator, &file->splices, sizeof(*file->splices), &file->splices_capacity,
                 file->num_splices + 1)) {
    no_memory(file);
    return;
  }
  struct onri_splice *splice = &file->splices[file->num_splices++];
  const int is_beside = file->beside && onr_desc_bytes(&constant->desc) >= LEAST_BESIDE;
  *splice = (struct onri_splice){0, file->beside_end, is_beside, constant};
  if (is_beside)
    file->beside_end = align(splice->offset + onri_write_tensor_outside(s->wire, INITIALIZER, name, &constant->desc,
                                                                        file->beside, splice->offset));
  else onri_write_tensor_head(s->wire, INITIALIZER, name, &constant->desc);
  splice->at = s->wire->count;
}

const char *onri_say_data(struct onri_spell *s, const struct onr_desc *desc, const void *data) {
  const char *name = onri_say_temp(s);
  if (name) onri_write_tensor(s->wire, INITIALIZER, name, desc, data);
  return name;
}

/* --- what has no form --- */

static void note_unsaid(struct onri_write *file, const struct onri_node *node, const char *why) {
  char text[256], op[64];
  const struct onri_origin *origin = node->origin;
  const int tells = origin->op_type[0] != '\0';
  onri_escape_string(origin->op_type, op, sizeof(op));
  snprintf(text, sizeof(text), "%s%s%s%s: %s", op, tells ? " (layer " : "", node->layer->name, tells ? ")" : "", why);
  for (size_t i = 0; i < file->num_unsaid; i++)
    if (!strcmp(file->unsaid[i].what, text)) {
      file->unsaid[i].count++;
      return;
    }
  const char *copy = onri_arena_string(&file->arena, text);
  if (!copy || !onri_grow(file->env->allocator, &file->unsaid, sizeof(*file->unsaid), &file->unsaid_capacity,
                          file->num_unsaid + 1)) {
    no_memory(file);
    return;
  }
  file->unsaid[file->num_unsaid++] = (struct onri_unsaid){copy, origin, 1};
}

/* --- nodes --- */

static void write_node(struct onri_spell *s, const struct onri_node *node) {
  const struct onri_spelling *row = onri_spelling_of(node->layer);
  s->node = node;
  s->node_name = node->origin->name;
  for (int32_t i = 0; i < node->num_in; i++) name_of(s, node->in[i]);
  for (int32_t i = 0; i < node->num_out; i++) name_of(s, node->out[i]);
  if (s->file->status != ONR_STATUS_OK) return;
  const char *why = !row ? "ONNX has no operator for it" : row->say ? row->say(s, row) : onri_say_row(s, row);
  if (why) note_unsaid(s->file, node, why);
}

/* --- a graph --- */

/* Constants that nodes read. */
static void write_constants(struct onri_spell *s) {
  const struct onri_graph *graph = s->graph;
  for (size_t n = 0; n < graph->num_nodes; n++) {
    const struct onri_node *node = &graph->nodes[n];
    for (int32_t i = 0; node->layer && i < node->num_in; i++) {
      const int32_t v = node->in[i];
      if (v == ONRI_NONE || !graph->values[v].constant || s->names[v]) continue;
      const char *name = name_of(s, v);
      if (name) put_constant(s, name, graph->values[v].constant);
    }
  }
}

/* An output has a node of its own graph behind it, and one name. */
static const char *write_output(struct onri_spell *s, int32_t v, const char *wanted) {
  if (s->graph->values[v].constant && !s->names[v]) {
    const char *name = name_of(s, v);
    if (name) put_constant(s, name, s->graph->values[v].constant);
  }
  const char *name = wanted ? wanted : onri_say_temp(s), *from = name_of(s, v);
  s->node_name = NULL;
  const int64_t since = s->graph->values[v].desc.dtype == ONR_DTYPE_OPTIONAL ? 16 : 14;
  if (name && from) onri_say_node(s, "Identity", since, &from, 1, name);
  return name;
}

/* Names of outputs that a node makes are settled before the nodes are written; the others follow as copies. */
static void settle_outputs(struct onri_spell *s, const char *const *wanted, const char **settled) {
  for (size_t i = 0; i < s->graph->num_outputs; i++) {
    const int32_t v = s->graph->outputs[i];
    settled[i] = NULL;
    if (s->graph->values[v].producer == ONRI_NONE || s->graph->values[v].constant || s->names[v]) continue;
    settled[i] = wanted ? wanted[i] : onri_write_name(s->file, s->graph->values[v].name);
    s->names[v] = settled[i];
  }
}

static void write_graph(struct onri_spell *s, const char *const *wanted, const char **outputs) {
  settle_outputs(s, wanted, outputs);
  write_constants(s);
  for (size_t n = 0; n < s->graph->num_nodes && s->file->status == ONR_STATUS_OK; n++)
    if (s->graph->nodes[n].layer) write_node(s, &s->graph->nodes[n]);
  for (size_t i = 0; i < s->graph->num_outputs && s->file->status == ONR_STATUS_OK; i++)
    if (!outputs[i]) outputs[i] = write_output(s, s->graph->outputs[i], wanted ? wanted[i] : NULL);
  if (s->wire->failed) no_memory(s->file);
}

static int make_names(struct onri_spell *s, const char ***outputs) {
  s->names = onri_arena_allocate(&s->file->arena, (s->graph->num_values + 1) * sizeof(*s->names));
  *outputs = onri_arena_allocate(&s->file->arena, (s->graph->num_outputs + 1) * sizeof(**outputs));
  return s->names && *outputs;
}

enum onr_status onri_write_main(struct onri_write *file, struct onri_graph *graph, const char *const *inputs,
                                const char *const *wanted, struct onri_wire *wire) {
  struct onri_spell s = {.file = file, .graph = graph, .wire = wire};
  const char **outputs;
  if (!make_names(&s, &outputs)) no_memory(file);
  for (size_t i = 0; i < graph->num_inputs && file->status == ONR_STATUS_OK; i++) {
    s.names[graph->inputs[i]] = inputs[i];
    if (onri_names_put(&file->taken, inputs[i], 0) < 0) no_memory(file);
  }
  for (size_t i = 0; i < graph->num_outputs && file->status == ONR_STATUS_OK; i++)
    if (onri_names_put(&file->taken, wanted[i], 0) < 0) no_memory(file);
  if (file->status == ONR_STATUS_OK) write_graph(&s, wanted, outputs);
  return file->status;
}

/* ONNX Runtime wants to be told what a Loop counts with. Sizes may change from turn to turn: they are not told. */
static void declare_formal(struct onri_spell *s, const struct onri_node *node, size_t i, const char *name) {
  enum { VALUE_NAME = 1, VALUE_TYPE = 2, TENSOR = 1, ELEM_TYPE = 1, SHAPE = 2 };
  const int counts = node->layer == &onri_layer_loop && i < 2;
  const enum onr_dtype dtype =
      counts ? (i ? ONR_DTYPE_BOOL : ONR_DTYPE_I64) : s->graph->values[s->graph->inputs[i]].desc.dtype;
  const size_t begin = onri_wire_begin(s->wire, INPUT);
  onri_wire_text(s->wire, VALUE_NAME, name);
  if (dtype != ONR_DTYPE_NONE && dtype <= ONR_DTYPE_LAST_IN_FILES) {
    const size_t type = onri_wire_begin(s->wire, VALUE_TYPE), tensor = onri_wire_begin(s->wire, TENSOR);
    onri_wire_int(s->wire, ELEM_TYPE, dtype);
    if (counts) onri_wire_bytes(s->wire, SHAPE, "", 0);
    onri_wire_end(s->wire, tensor);
    onri_wire_end(s->wire, type);
  }
  onri_wire_end(s->wire, begin);
}

/* The importer has bounded the depth of bodies. What they capture keeps the name that it has outside. */
void onri_write_body(struct onri_spell *outer, struct onri_graph *body, size_t formal, const char *const *captured,
                     size_t num_captured) {
  struct onri_spell s = {.file = outer->file, .graph = body, .wire = outer->wire, .is_body = 1};
  const char **outputs;
  if (!make_names(&s, &outputs)) {
    no_memory(s.file);
    return;
  }
  onri_wire_text(s.wire, GRAPH_NAME, "body");
  for (size_t i = 0; i < body->num_inputs; i++) {
    const char **name = &s.names[body->inputs[i]];
    if (i < formal) *name = onri_write_name(s.file, body->values[body->inputs[i]].name);
    else *name = i - formal < num_captured ? captured[i - formal] : NULL;
    if (!*name || i >= formal) continue;
    declare_formal(&s, outer->node, i, *name);
  }
  write_graph(&s, NULL, outputs);
  for (size_t i = 0; i < body->num_outputs && s.file->status == ONR_STATUS_OK; i++) {
    const size_t begin = onri_wire_begin(s.wire, OUTPUT);
    onri_wire_text(s.wire, 1, outputs[i]);
    onri_wire_end(s.wire, begin);
  }
}
