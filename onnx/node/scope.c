/* scope.c: names to values. What a body reads from outside becomes an input of the body, and of its node. */
#include "base/text/text.h"
#include "onnx/node/importer.h"

void onri_scope_init(struct onri_scope *scope, struct onri_importer *importer, struct onri_scope *outer,
                     struct onri_graph *graph) {
  *scope = (struct onri_scope){.outer = outer, .graph = graph};
  if (outer) {
    scope->opsets = outer->opsets;
    scope->call = outer->call;
  }
  onri_names_init(&scope->names, importer->env->allocator);
}

void onri_scope_clear(struct onri_scope *scope, struct onri_importer *importer) {
  onri_names_clear(&scope->names);
  onri_release(importer->env->allocator, scope->captured);
  onri_release(importer->env->allocator, scope->inner);
}

static int add_capture(struct onri_importer *importer, struct onri_scope *scope, int32_t outer, int32_t inner) {
  const struct onr_allocator *allocator = importer->env->allocator;
  const size_t needed = scope->num_captures + 1;
  if (!onri_grow(allocator, &scope->captured, sizeof(int32_t), &scope->captured_capacity, needed) ||
      !onri_grow(allocator, &scope->inner, sizeof(int32_t), &scope->inner_capacity, needed))
    return 0;
  scope->captured[scope->num_captures] = outer;
  scope->inner[scope->num_captures++] = inner;
  return 1;
}

/* A value here for a value of the outer graph. Constants are shared instead. Returns -1 when out of memory. */
static int32_t capture(struct onri_importer *importer, struct onri_scope *scope, int32_t outer) {
  const struct onri_value *value = &scope->outer->graph->values[outer];
  int32_t inner;
  if (value->constant) {
    onri_constant_retain(value->constant);
    return onri_graph_add_constant(scope->graph, value->name, value->constant);
  }
  inner = onri_graph_add_value(scope->graph, value->name, &value->desc);
  return inner >= 0 && add_capture(importer, scope, outer, inner) ? inner : -1;
}

/* Parameters of the model are the initializers that something reads; integers that are shapes and indices are none. */
static void mark_parameter(struct onri_importer *importer, const struct onri_scope *scope, int32_t value) {
  const struct onr_desc *desc;
  if (scope->graph != importer->graph || value == ONRI_NONE || (size_t)value >= importer->num_initializers) return;
  if (!scope->graph->values[value].constant) return; /* opened: an input */
  desc = &scope->graph->values[value].desc;
  switch (desc->dtype) {
    case ONR_DTYPE_I32:
    case ONR_DTYPE_I64:
    case ONR_DTYPE_U32:
    case ONR_DTYPE_U64:
    case ONR_DTYPE_BOOL:
    case ONR_DTYPE_STRING: return;
    default: importer->counted[value] = 1;
  }
}

/* Recursion is as deep as bodies are nested, which onri_import_enter bounds. */
int onri_scope_find(struct onri_importer *importer, struct onri_scope *scope, const char *name, int32_t *value) {
  const int32_t known = onri_names_get(&scope->names, name);
  int32_t outer;
  int found;
  if (known >= 0) {
    *value = known - 1;
    mark_parameter(importer, scope, *value);
    return 1;
  }
  if (!scope->outer) return 0;
  found = onri_scope_find(importer, scope->outer, name, &outer);
  if (found != 1) return found;
  *value = outer == ONRI_NONE ? ONRI_NONE : capture(importer, scope, outer);
  if (outer != ONRI_NONE && *value < 0) return -1;
  return onri_names_put(&scope->names, name, *value + 1) < 0 ? -1 : 1;
}

enum onr_status onri_scope_bind(struct onri_importer *importer, struct onri_scope *scope, const char *name,
                                int32_t value) {
  char shown[96];
  const int added = onri_names_put(&scope->names, name, value + 1);
  if (added == 1) return ONR_STATUS_OK;
  if (added < 0) return onri_import_no_memory(importer);
  return onr_fail(importer->error, ONR_STATUS_GRAPH, "the name '%s' is defined twice",
                  onri_escape_string(name, shown, sizeof(shown)));
}
