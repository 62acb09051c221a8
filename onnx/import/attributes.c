/* attributes.c: AttributeProto to struct onri_attribute. Inside a function an attribute may refer to one of the call.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text/text.h"
#include "onnx/import/import_file.h"

enum { SHOWN = 64 };

static enum onr_status fail(struct onri_importer *importer, const char *name, const char *what) {
  char shown[SHOWN];
  return onr_fail(importer->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' %s",
                  onri_escape_string(name, shown, sizeof(shown)), what);
}

/* What the fields that are set say; 0 when none is. */
static int kind_of_fields(const Onnx__AttributeProto *a) {
  if (a->has_f) return ONRI_ATTRIBUTE_FLOAT;
  if (a->has_i) return ONRI_ATTRIBUTE_INT;
  if (a->has_s) return ONRI_ATTRIBUTE_STRING;
  if (a->t) return ONRI_ATTRIBUTE_TENSOR;
  if (a->g) return ONRI_ATTRIBUTE_GRAPH;
  if (a->n_floats) return ONRI_ATTRIBUTE_FLOATS;
  if (a->n_ints) return ONRI_ATTRIBUTE_INTS;
  if (a->n_strings) return ONRI_ATTRIBUTE_STRINGS;
  if (a->n_tensors) return ONRI_ATTRIBUTE_TENSORS;
  if (a->n_graphs) return ONRI_ATTRIBUTE_GRAPHS;
  if (a->sparse_tensor) return ONRI_ATTRIBUTE_SPARSE_TENSOR;
  if (a->has_tp) return ONRI_ATTRIBUTE_TYPE_PROTO;
  return 0;
}

static enum onr_status find_kind(struct onri_importer *importer, const Onnx__AttributeProto *a, int *kind) {
  const int fields = kind_of_fields(a);
  const int declared = a->has_type ? a->type : 0;
  *kind = declared ? declared : fields; /* old files do not declare a type */
  if (!*kind) return fail(importer, a->name, "has no value");
  if (fields && fields != *kind) return fail(importer, a->name, "has a value of another type than it declares");
  if (*kind < ONRI_ATTRIBUTE_FLOAT || *kind > 14) return fail(importer, a->name, "has an unknown type");
  return ONR_STATUS_OK;
}

/* --- values --- */

static enum onr_status hold(struct onri_importer *importer, struct onri_constant *constant) {
  if (!onri_grow(importer->env->allocator, &importer->held, sizeof(constant), &importer->held_capacity,
                 importer->num_held + 1)) {
    onri_constant_release(constant);
    return onri_import_no_memory(importer);
  }
  importer->held[importer->num_held++] = constant;
  return ONR_STATUS_OK;
}

static enum onr_status read_tensor(struct onri_importer *importer, const Onnx__AttributeProto *a,
                                   struct onri_attribute *to) {
  if (to->kind == ONRI_ATTRIBUTE_TENSOR) {
    if (!a->t) return fail(importer, a->name, "has no tensor");
    ONR_TRY(onri_tensor_decode(importer->tensors, a->t, &to->tensor, importer->error));
  } else {
    if (!a->sparse_tensor) return fail(importer, a->name, "has no sparse tensor");
    onri_import_tell_part(importer, "sparse");
    ONR_TRY(onri_sparse_decode(importer->tensors, a->sparse_tensor, &to->tensor, importer->error));
  }
  return hold(importer, to->tensor);
}

static enum onr_status read_bytes(struct onri_importer *importer, const ProtobufCBinaryData *from,
                                  struct onr_string *to) {
  to->length = from->len;
  to->text = onri_arena_allocate(&importer->graph->arena, from->len + 1);
  if (!to->text) return onri_import_no_memory(importer);
  if (from->len) memcpy((char *)to->text, from->data, from->len);
  return ONR_STATUS_OK;
}

static enum onr_status read_list(struct onri_importer *importer, const Onnx__AttributeProto *a,
                                 struct onri_attribute *to) {
  struct onri_arena *arena = &importer->graph->arena;
  struct onr_string *strings;
  if (to->kind == ONRI_ATTRIBUTE_FLOATS) {
    to->count = a->n_floats;
    to->floats = onri_arena_copy(arena, a->floats, a->n_floats * sizeof(float));
    return to->floats ? ONR_STATUS_OK : onri_import_no_memory(importer);
  }
  if (to->kind == ONRI_ATTRIBUTE_INTS) {
    to->count = a->n_ints;
    to->ints = onri_arena_copy(arena, a->ints, a->n_ints * sizeof(int64_t));
    return to->ints ? ONR_STATUS_OK : onri_import_no_memory(importer);
  }
  to->count = a->n_strings;
  to->strings = strings = onri_arena_allocate(arena, a->n_strings * sizeof(*strings));
  if (!strings) return onri_import_no_memory(importer);
  for (size_t i = 0; i < a->n_strings; i++) ONR_TRY(read_bytes(importer, &a->strings[i], &strings[i]));
  return ONR_STATUS_OK;
}

static enum onr_status read_graph(struct onri_importer *importer, struct onri_scope *scope,
                                  const Onnx__AttributeProto *a, struct onri_attribute *to) {
  int32_t *captures;
  if (!a->g) return fail(importer, a->name, "has no graph");
  to->num_graphs = 1;
  to->graphs = onri_arena_allocate(&importer->scratch, sizeof(*to->graphs));
  if (!to->graphs) return onri_import_no_memory(importer);
  if (!ONRI_PART(bodies))
    return onr_fail(importer->error, ONR_STATUS_UNSUPPORTED,
                    "graphs in nodes, and this library was made for models without");
  ONR_TRY(onri_import_body(importer, scope, a->g, &to->graphs[0], &captures, &to->num_captures));
  to->captures = captures;
  return ONR_STATUS_OK;
}

static enum onr_status read_value(struct onri_importer *importer, struct onri_scope *scope,
                                  const Onnx__AttributeProto *a, struct onri_attribute *to) {
  int kind;
  ONR_TRY(find_kind(importer, a, &kind));
  to->name = onri_intern(&importer->texts, a->name);
  if (!to->name) return onri_import_no_memory(importer);
  to->kind = (enum onri_attribute_kind)kind;
  switch (kind) {
    case ONRI_ATTRIBUTE_FLOAT: to->f = a->f; return ONR_STATUS_OK;
    case ONRI_ATTRIBUTE_INT: to->i = a->i; return ONR_STATUS_OK;
    case ONRI_ATTRIBUTE_STRING: return read_bytes(importer, &a->s, &to->s);
    case ONRI_ATTRIBUTE_TENSOR:
    case ONRI_ATTRIBUTE_SPARSE_TENSOR: return read_tensor(importer, a, to);
    case ONRI_ATTRIBUTE_FLOATS:
    case ONRI_ATTRIBUTE_INTS:
    case ONRI_ATTRIBUTE_STRINGS: return read_list(importer, a, to);
    case ONRI_ATTRIBUTE_GRAPH: return read_graph(importer, scope, a, to);
    default: return ONR_STATUS_OK; /* no operator that is known here has such an attribute: seen, but not read */
  }
}

/* --- references --- */

/* The call's attribute, else the function's default; *found = 0 when there is neither, which leaves the attribute out.
 */
static enum onr_status follow(struct onri_importer *importer, struct onri_scope *scope, const Onnx__AttributeProto *a,
                              struct onri_attribute *to, int *found) {
  const struct onri_call *call = scope->call;
  *found = 1;
  if (!call) return fail(importer, a->name, "refers to an attribute of a function, but is in none");
  for (size_t i = 0; i < call->num_attributes; i++) {
    if (strcmp(call->attributes[i].name, a->ref_attr_name)) continue;
    *to = call->attributes[i];
    to->name = onri_intern(&importer->texts, a->name);
    if (!to->name) return onri_import_no_memory(importer);
    if (to->num_graphs)
      return onr_fail(importer->error, ONR_STATUS_UNSUPPORTED, "a graph as an attribute of a function call");
    if (a->has_type && a->type && a->type != (int)to->kind)
      return fail(importer, a->name, "refers to an attribute of another type");
    return ONR_STATUS_OK;
  }
  for (size_t i = 0; i < call->function->proto->n_attribute_proto; i++) {
    const Onnx__AttributeProto *preset = call->function->proto->attribute_proto[i];
    if (!preset->name || strcmp(preset->name, a->ref_attr_name)) continue;
    ONR_TRY(read_value(importer, scope, preset, to));
    to->name = onri_intern(&importer->texts, a->name);
    return to->name ? ONR_STATUS_OK : onri_import_no_memory(importer);
  }
  *found = 0;
  return ONR_STATUS_OK;
}

/* --- the list --- */

static int compare_names(const void *a, const void *b) {
  return strcmp(((const struct onri_attribute *)a)->name, ((const struct onri_attribute *)b)->name);
}

enum onr_status onri_attributes_read(struct onri_importer *importer, struct onri_scope *scope,
                                     Onnx__AttributeProto *const *protos, size_t count,
                                     struct onri_attribute **attributes, size_t *num_attributes) {
  struct onri_attribute *list = onri_arena_allocate(&importer->scratch, count * sizeof(*list));
  size_t n = 0;
  if (!list) return onri_import_no_memory(importer);
  for (size_t i = 0; i < count; i++) {
    const Onnx__AttributeProto *a = protos[i];
    int found = 1;
    if (!a->name || !*a->name) return onr_fail(importer->error, ONR_STATUS_ATTRIBUTE, "an attribute without a name");
    if (a->ref_attr_name && *a->ref_attr_name) ONR_TRY(follow(importer, scope, a, &list[n], &found));
    else ONR_TRY(read_value(importer, scope, a, &list[n]));
    n += (size_t)found;
  }
  /* Equal names are neighbours then. */
  if (n > 1) qsort(list, n, sizeof(*list), compare_names);
  for (size_t i = 1; i < n; i++)
    if (!strcmp(list[i - 1].name, list[i].name)) return fail(importer, list[i].name, "is there twice");
  *attributes = list;
  *num_attributes = n;
  return ONR_STATUS_OK;
}
