/* import.h: what an importer of one op sees. An importer turns a node of any opset into one or more layers of the
 * newest form: what newer opsets pass as an input (axes, shape, pads ...) becomes a constant input when an old node has
 * it as an attribute. It checks attributes (ATTRIBUTE), not shapes: that is the layers' infer. */
#ifndef ONRI_IMPORT_H
#define ONRI_IMPORT_H

#include "base/only.h"
#include "graph/graph.h"
#include "layers/layers.h"

/* One node of the file, inlined and with its names resolved to values. */
struct onr_node {
  struct onri_importer *importer;
  struct onri_graph *graph; /* the graph that is being built */
  struct onri_scope *scope; /* what names mean here */
  const struct onri_origin *origin;
  const char *domain; /* "" for ai.onnx */
  const char *op_type;
  int64_t opset; /* version of the domain that is in force */
  int32_t num_in, num_out;
  const int32_t *in, *out; /* values; ONRI_NONE where omitted (also trailing ones that the file writes as "") */
  const struct onri_attribute *attributes;
  size_t num_attributes;
  const struct onr_layer *layer; /* the caller's own, NULL: a built-in one */
  enum onr_status *status;       /* first error of an attribute read; importers need not look at it */
  struct onr_error *first_error; /* its text, whatever fails after it */
  struct onr_error *error;
};

enum onri_attribute_kind { /* numbers of AttributeProto.AttributeType */
                           ONRI_ATTRIBUTE_FLOAT = 1,
                           ONRI_ATTRIBUTE_INT = 2,
                           ONRI_ATTRIBUTE_STRING = 3,
                           ONRI_ATTRIBUTE_TENSOR = 4,
                           ONRI_ATTRIBUTE_GRAPH = 5,
                           ONRI_ATTRIBUTE_FLOATS = 6,
                           ONRI_ATTRIBUTE_INTS = 7,
                           ONRI_ATTRIBUTE_STRINGS = 8,
                           ONRI_ATTRIBUTE_TENSORS = 9,
                           ONRI_ATTRIBUTE_GRAPHS = 10,
                           ONRI_ATTRIBUTE_SPARSE_TENSOR = 11,
                           ONRI_ATTRIBUTE_TYPE_PROTO = 13
};

/* A decoded attribute. Numbers and strings live as long as the model; `tensor` as long as the import: retain it to keep
 * it. */
struct onri_attribute {
  const char *name;
  enum onri_attribute_kind kind;
  int64_t i;
  float f;
  struct onr_string s;
  const int64_t *ints;
  const float *floats;
  const struct onr_string *strings;
  size_t count;                 /* of ints, floats, strings */
  struct onri_constant *tensor; /* TENSOR, SPARSE_TENSOR (made dense) */
  struct onri_graph **graphs;   /* GRAPH: one closed body graph, for onri_emit_bodies */
  size_t num_graphs;
  const int32_t *captures; /* values of this graph that the bodies capture: appended to node inputs */
  size_t num_captures;
};

/* --- attributes: the value, or `otherwise` when absent. A wrong kind makes the import of the node fail. --- */
/* A failure that importers need not look at: the first one is what the node fails with, by its own text. */
void onri_node_note(const struct onr_node *node, enum onr_status status);
const struct onri_attribute *onri_attr_find(const struct onr_node *node, const char *name); /* NULL when absent */
int onri_attr_has(const struct onr_node *node, const char *name);
int64_t onri_attr_int(const struct onr_node *node, const char *name, int64_t default_value);
/* As int32, ATTRIBUTE error unless min <= value <= max; `otherwise` may lie outside, to tell that the attribute is
 * absent. */
int32_t onri_attr_int32(const struct onr_node *node, const char *name, int32_t default_value, int32_t min, int32_t max);
float onri_attr_float(const struct onr_node *node, const char *name, float default_value);
/* Values and *count; NULL and 0 when absent. */
const int64_t *onri_attr_ints(const struct onr_node *node, const char *name, size_t *count);
const float *onri_attr_floats(const struct onr_node *node, const char *name, size_t *count);
const struct onr_string *onri_attr_strings(const struct onr_node *node, const char *name, size_t *count);
struct onr_string onri_attr_string(const struct onr_node *node, const char *name, const char *default_value);
/* Index of the string in `choices` (NULL-terminated), `otherwise` when absent; ATTRIBUTE error for another text. */
int32_t onri_attr_choice(const struct onr_node *node, const char *name, const char *const *choices,
                         int32_t default_value);

/* --- emitting --- */
/* One layer with the node's own inputs and outputs. */
enum onr_status onri_emit(const struct onr_node *node, const struct onr_layer *layer, const void *params);
/* One layer with these. */
enum onr_status onri_emit_with(const struct onr_node *node, const struct onr_layer *layer, const void *params,
                               const int32_t *in, size_t num_in, const int32_t *out, size_t num_out);
/* One layer with the attributes' body graphs, which it takes over. Inputs are num_in explicit ones; the captures of the
 * bodies are appended. An attribute may be handed over once. */
enum onr_status onri_emit_bodies(const struct onr_node *node, const struct onr_layer *layer, const void *params,
                                 const int32_t *in, size_t num_in, const struct onri_attribute *const *bodies,
                                 size_t num_bodies);
/* The nodes of a body graph go into this graph: in[] stands for its formal inputs, out[] gets the values of its
 * outputs. An attribute may be handed over once. */
enum onr_status onri_emit_inlined(const struct onr_node *node, const struct onri_attribute *body, const int32_t *in,
                                  int32_t *out);
/* A fresh value between layers, and constants; -1 makes the following emit fail with NO_MEMORY, so no check is needed.
 */
int32_t onri_temp(const struct onr_node *node);
int32_t onri_const_ints(const struct onr_node *node, const int64_t *values, size_t count); /* int64 [count] */
int32_t onri_const_int(const struct onr_node *node, int64_t value);                        /* int64 scalar, rank 0 */
int32_t onri_const_float(const struct onr_node *node, float value);                        /* float32 scalar, rank 0 */
/* Input i, ONRI_NONE when omitted. */
static inline int32_t onri_in(const struct onr_node *node, int32_t i) {
  return i < node->num_in ? node->in[i] : ONRI_NONE;
}
static inline int32_t onri_out(const struct onr_node *node, int32_t i) {
  return i < node->num_out ? node->out[i] : ONRI_NONE;
}
/* Contents of a constant; NULL, and noted, when they cannot be read. */
const void *onri_node_data(const struct onr_node *node, int32_t value);

/* --- rows of operators, in the file of their importers --- */
typedef enum onr_status (*onri_import_fn)(const struct onr_node *node);
/* Rows are ONRI_OP(domain, op type, since version, fewest and most inputs, fewest and most outputs, import function),
 * without commas between them; a build for a few models has those of their operators (base/only.h).
 * The row with the largest since_version that is not above the opset in force is taken. Arity is that of the ONNX
 * schema (ONR_VARIADIC: no bound), and a row with onri_import_withdrawn says that the op was withdrawn at that version.
 * An empty name among the first `inputs_min` inputs is an ARITY error: count an input that may be "" as not needed. */
struct onri_op {
  const char *domain, *op_type;
  int32_t since_version;
  uint8_t inputs_min, inputs_max, outputs_min, outputs_max;
  onri_import_fn import;
};
struct onri_op_table {
  const struct onri_op *rows;
  size_t count;
};
#define ONRI_DOMAIN_ai_onnx ""
#define ONRI_DOMAIN_com_microsoft "com.microsoft"
#define ONRI_DOMAIN_ai_onnx_ml "ai.onnx.ml"
#define ONRI_DOMAIN_onnxrun "onnxrun"
#define ONRI_DOMAIN_ai_onnx_preview "ai.onnx.preview"
#define ONRI_DOMAIN_ai_onnx_preview_training "ai.onnx.preview.training"
#define ONRI_OP(domain, op_type, ...) \
  ONRI_IF(ONRI_HAS_OPERATOR_##domain##_##op_type, {ONRI_DOMAIN_##domain, #op_type, __VA_ARGS__}, )
#define ONRI_OP_TABLE(rows) \
  { rows, sizeof(rows) / sizeof(*(rows)) }
enum onr_status onri_import_withdrawn(const struct onr_node *node);

/* layer: lstm, or dynamic_quantize_lstm. */
enum onr_status onri_import_lstm(const struct onr_node *node, const struct onr_layer *layer);

#endif
