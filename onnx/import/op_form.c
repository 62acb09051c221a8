/* op_form.c: what a node of each op becomes, found by importing a specimen of it: the layers that the importer emits,
 * the data types that their own checks allow, and their kernels. */
#include <string.h>

#include "base/sized.h"
#include "base/types.h"
#include "onnx/import/import_file.h"
#include "onnxrun/operators.h"
#include "onnxrun/version.h"

enum { MOST_VARIADIC = 8, MOST_OUTPUTS = 4, SPECIMEN_RANK = 4, BODY_NAMES = 3 };

/* One attempt: ops differ in what they cannot do without. */
struct attempt {
  int32_t num_in, num_out;
  int attributes, constants,
      matrices; /* with the attributes below; constants for all inputs but the first; inputs of rank 2, not 4 */
};

struct import {
  struct onr_env env;
  struct onri_importer importer;
  struct onri_graph *graph;
  int32_t in[ONR_OP_INPUTS];
  struct onr_error *error;
};

static const int64_t zeros[4] = {0, 0, 0, 0}, ones[4] = {1, 1, 1, 1};
static const float scales[4] = {1, 1, 1, 1};
static const struct onr_string leaf = {"LEAF", 4};
#define INT(attribute, value) \
  { .name = attribute, .kind = ONRI_ATTRIBUTE_INT, .i = (value) }
#define INTS(attribute, values, number) \
  { .name = attribute, .kind = ONRI_ATTRIBUTE_INTS, .ints = (values), .count = (number) }
#define FLOAT(attribute, value) \
  { .name = attribute, .kind = ONRI_ATTRIBUTE_FLOAT, .f = (value) }
#define FLOATS(attribute, values, number) \
  { .name = attribute, .kind = ONRI_ATTRIBUTE_FLOATS, .floats = (values), .count = (number) }
#define TEXT(attribute, value)                                                          \
  {                                                                                     \
    .name = attribute, .kind = ONRI_ATTRIBUTE_STRING, .s = { value, sizeof(value) - 1 } \
  }
/* Values that any op which needs an attribute of this name takes. */
static const struct onri_attribute specimens[] = {
    INT("to", ONR_DTYPE_F32),
    INT("axis", 0),
    INT("blocksize", 1),
    INT("block_size", 16),
    INT("num_groups", 1),
    INT("size", 1),
    INT("k", 1),
    INT("N", 16),
    INT("K", 16),
    INT("num_heads", 1),
    INT("kv_num_heads", 1),
    INT("hidden_size", 1),
    INT("num_scan_inputs", 1),
    INTS("kernel_shape", ones, 2),
    INTS("pooled_shape", ones, 2),
    INTS("shape", ones, 1),
    INTS("axes", zeros, 1),
    INTS("starts", zeros, 1),
    INTS("ends", ones, 1),
    INTS("paddings", zeros, 2),
    INTS("pads", zeros, 4),
    INTS("keys_int64s", ones, 1),
    INTS("values_int64s", ones, 1),
    INTS("inputdimensions", ones, 4),
    INTS("cats_int64s", ones, 1),
    INTS("classlabels_ints", ones, 1),
    INTS("output_size", ones, 2),
    INTS("classlabels_int64s", ones, 1),
    INTS("int64_vocabulary", ones, 1),
    FLOATS("nodes_values", scales, 1),
    INTS("nodes_treeids", zeros, 1),
    INTS("nodes_nodeids", zeros, 1),
    INTS("nodes_featureids", zeros, 1),
    INTS("nodes_truenodeids", zeros, 1),
    INTS("nodes_falsenodeids", zeros, 1),
    {.name = "nodes_modes", .kind = ONRI_ATTRIBUTE_STRINGS, .strings = &leaf, .count = 1},
    FLOATS("imputed_value_floats", scales, 1),
    FLOATS("coefficients", scales, 1),
    FLOATS("intercepts", scales, 1),
    FLOAT("height_scale", 1),
    FLOAT("width_scale", 1),
    FLOAT("value_float", 1),
    FLOATS("scales", scales, 4),
    TEXT("equation", "ij->ij"),
    TEXT("direction", "LEFT"),
};
enum { NUM_SPECIMENS = sizeof(specimens) / sizeof(specimens[0]) };

/* A body with as many inputs as the node (branches of If: none) and one output. */
static enum onr_status add_body(struct import *m, const char *name, int32_t num_in, struct onri_attribute *attribute) {
  struct onri_importer *importer = &m->importer;
  struct onri_graph **body = onri_arena_allocate(&importer->scratch, sizeof(struct onri_graph *));
  int32_t inputs[ONR_OP_INPUTS];
  if (!body || !onri_grow(m->env.allocator, &importer->orphans, sizeof(*body), &importer->orphans_capacity,
                          importer->num_orphans + 1))
    return onri_import_no_memory(importer);
  ONR_TRY(onri_graph_create(&m->env, body, m->error));
  importer->orphans[importer->num_orphans++] = *body;
  for (int32_t i = 0; i <= num_in; i++) inputs[i] = onri_graph_add_value(*body, NULL, NULL);
  *attribute = (struct onri_attribute){.name = name, .kind = ONRI_ATTRIBUTE_GRAPH, .graphs = body, .num_graphs = 1};
  ONR_TRY(onri_graph_set_inputs(*body, inputs, (size_t)num_in, m->error));
  return onri_graph_set_outputs(*body, &inputs[num_in], 1, m->error);
}

static enum onr_status specimen_attributes(struct import *m, const struct attempt *a,
                                           struct onri_attribute *attributes) {
  memcpy(attributes, specimens, sizeof(specimens));
  ONR_TRY(add_body(m, "body", a->num_in, &attributes[NUM_SPECIMENS]));
  ONR_TRY(add_body(m, "then_branch", 0, &attributes[NUM_SPECIMENS + 1]));
  return add_body(m, "else_branch", 0, &attributes[NUM_SPECIMENS + 2]);
}

static enum onr_status import_specimen(struct import *m, const struct onri_op *row, const struct attempt *a) {
  static const struct onri_origin origin = {"", "", "", "", ""};
  static const struct onr_desc scalar = {.dtype = ONR_DTYPE_I64};
  const struct onr_desc desc = {.rank = a->matrices ? 2 : SPECIMEN_RANK, .dim = {-1, -1, -1, -1}};
  struct onri_attribute attributes[NUM_SPECIMENS + BODY_NAMES];
  enum onr_status status = ONR_STATUS_OK, result;
  struct onr_error first_error;
  int32_t out[MOST_OUTPUTS];
  struct onr_node node = {.importer = &m->importer,
                          .graph = m->graph,
                          .origin = &origin,
                          .domain = row->domain,
                          .op_type = row->op_type,
                          .opset = row->since_version,
                          .num_in = a->num_in,
                          .num_out = a->num_out,
                          .in = m->in,
                          .out = out,
                          .attributes = attributes,
                          .status = &status,
                          .first_error = &first_error,
                          .error = m->error};
  if (a->attributes) {
    ONR_TRY(specimen_attributes(m, a, attributes));
    node.num_attributes = NUM_SPECIMENS + BODY_NAMES;
  }
  for (int32_t i = 0; i < a->num_in; i++)
    m->in[i] = a->constants && i > 0 ? onri_graph_add_data(m->graph, &scalar, ones)
                                     : onri_graph_add_value(m->graph, NULL, &desc);
  for (int32_t i = 0; i < a->num_out; i++) out[i] = onri_graph_add_value(m->graph, NULL, NULL);
  result = row->import(&node);
  return status != ONR_STATUS_OK ? status : result;
}

/* --- what the layers allow --- */

/* From the last layer to the first: what may a value be so that all its readers take it? */
static enum onr_status allow(struct import *m, size_t num_in, struct onr_op_form *form) {
  uint32_t *types = onri_arena_allocate(&m->importer.scratch, (m->graph->num_values + 1) * sizeof(*types));
  if (!types) return onri_import_no_memory(&m->importer);
  memset(types, 0xff, m->graph->num_values * sizeof(*types));
  for (size_t n = m->graph->num_nodes; n-- > 0;) {
    const struct onri_node *node = &m->graph->nodes[n];
    const struct onr_layer *layer = node->layer;
    const int32_t kept =
        node->num_out && node->out[0] != ONRI_NONE ? onri_types_as(onri_output_type(layer, node->params)) : -1;
    if (kept >= 0 && kept < node->num_in && node->in[kept] != ONRI_NONE) types[node->in[kept]] &= types[node->out[0]];
    for (int32_t i = 0; i < node->num_in; i++) {
      const uint32_t rule = onri_input_types(layer, node->params, (size_t)i);
      const int32_t v = node->in[i], as = onri_types_as(rule);
      if (v == ONRI_NONE) continue;
      if (as < 0) types[v] &= rule;
      else if (as < node->num_in && node->in[as] != ONRI_NONE) types[node->in[as]] = types[v] &= types[node->in[as]];
    }
  }
  form->num_inputs = num_in;
  for (size_t i = 0; i < num_in; i++) form->input_types[i] = types[m->in[i]] & ~1u;
  return ONR_STATUS_OK;
}

static void add_layer(struct onr_op_form *form, const char *name) {
  size_t i = 0;
  while (i < form->num_layers && strcmp(form->layer[i], name)) i++;
  if (i == form->num_layers && i < ONR_OP_LAYERS) form->layer[form->num_layers++] = name;
}

static void name_layers(const struct onri_graph *graph, struct onr_op_form *form) {
  const int has_xnnpack = strcmp(onr_kernel_library(), "none") != 0;
  for (size_t n = 0; n < graph->num_nodes; n++) {
    const struct onr_layer *layer = graph->nodes[n].layer;
    add_layer(form, layer->name);
    for (int k = 0; layer->kernel_types && k < ONR_NUM_KERNELS; k++)
      if (k != ONR_KERNEL_XNNPACK || has_xnnpack)
        form->kernel_types[k] |= layer->kernel_types(graph->nodes[n].params, (enum onr_kernel)k);
  }
}

static enum onr_status describe(const struct onri_op *row, const struct attempt *a, struct onr_op_form *form,
                                struct onr_error *error) {
  struct import m = {.env = {.allocator = &onri_malloc_allocator,
                             .limits = onri_limits_resolve(NULL),
                             .backend = ONR_BACKEND_PORTABLE},
                     .error = error};
  enum onr_status status;
  *form = (struct onr_op_form){0};
  ONR_TRY(onri_graph_create(&m.env, &m.graph, error));
  onri_importer_init(&m.importer, &m.env, m.graph, NULL, NULL, error);
  status = import_specimen(&m, row, a);
  if (status == ONR_STATUS_OK) status = allow(&m, (size_t)a->num_in, form);
  if (status == ONR_STATUS_OK) name_layers(m.graph, form);
  onri_importer_clear(&m.importer);
  onri_graph_destroy(m.graph);
  return status;
}

/* A node without its optional inputs may become other layers. */
static enum onr_status add_shortest(const struct onri_op *row, struct attempt a, struct onr_op_form *form) {
  struct onr_op_form least;
  struct onr_error unused = {0};
  if (a.num_in == row->inputs_min) return ONR_STATUS_OK;
  a.num_in = row->inputs_min;
  const enum onr_status status = describe(row, &a, &least, &unused);
  if (status != ONR_STATUS_OK) return status == ONR_STATUS_NO_MEMORY ? status : ONR_STATUS_OK;
  for (size_t i = 0; i < least.num_layers; i++) add_layer(form, least.layer[i]);
  for (int k = 0; k < ONR_NUM_KERNELS; k++) form->kernel_types[k] |= least.kernel_types[k];
  return ONR_STATUS_OK;
}

static enum onr_status describe_row(const struct onri_op *row, struct onr_op_form *form, struct onr_error *error) {
  const int32_t most = row->inputs_max == ONR_VARIADIC ? MOST_VARIADIC : row->inputs_max;
  const int32_t outputs = row->outputs_max == ONR_VARIADIC ? MOST_OUTPUTS - 1 : row->outputs_min;
  enum onr_status status = ONR_STATUS_OK;
  *form = (struct onr_op_form){0};
  if (row->import == onri_import_withdrawn) return ONR_STATUS_OK;
  for (int32_t num_in = most; num_in >= row->inputs_min; num_in--) /* as many inputs as can come together */
    for (int32_t num_out = row->outputs_min; num_out <= outputs; num_out++)
      for (int needs = 0; needs < 8; needs++) {
        const struct attempt a = {num_in, num_out, needs & 1, needs >> 1 & 1, needs >> 2};
        status = describe(row, &a, form, error);
        if (status == ONR_STATUS_OK) return add_shortest(row, a, form);
        if (status == ONR_STATUS_NO_MEMORY) return status;
      }
  return onr_fail(error, ONR_STATUS_UNSUPPORTED, "what %s becomes depends on its attributes and constants",
                  row->op_type);
}

enum onr_status onr_op_describe(size_t index, struct onr_op_form *form, struct onr_error *error) {
  const struct onri_op *row = onri_op_at(index);
  struct onr_op_form own;
  if (!row) return onr_fail(error, ONR_STATUS_ARGUMENT, "there is no op %zu", index);
  ONR_TRY(ONRI_SIZED_WRITE(form, &(struct onr_op_form){0}, onr_op_form, error));
  ONR_TRY(describe_row(row, &own, error));
  return ONRI_SIZED_WRITE(form, &own, onr_op_form, error);
}
