/* module_signature.c: parameters as the default exporter lists them.
 *
 * It lists the names of all parameters (graph_signature) and says for each node which of them its operation took
 * (fx_node). An initializer of a parameter's name is that parameter. Others were transposed, or folded into another
 * one, and are found through the nodes. */
#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "onnx/torch/module_reading.h"

static int is_float(const struct onri_module_reading *r, int32_t initializer) {
  return (ONRI_DTYPES_FLOAT & ONRI_DTYPE_BIT(r->importer->graph->values[initializer].desc.dtype)) != 0;
}

/* "p_fc_weight: PARAMETER target='fc.weight'" or "b_bn_running_mean: BUFFER target='bn.running_mean' persistent=True"
 */
static int read_line(struct onri_slice line, const char *key, struct onri_slice *argument, struct onri_slice *target) {
  const char *found = onri_slice_find(line, key);
  if (!found) return 0;
  *argument = (struct onri_slice){line.text, (size_t)(found - line.text)};
  const char *begin = found + strlen(key), *end = memchr(begin, '\'', (size_t)(line.text + line.length - begin));
  if (!end) return 0;
  *target = (struct onri_slice){begin, (size_t)(end - begin)};
  return 1;
}

static char *copy(struct onri_module_reading *r, struct onri_slice text) {
  char *to = onri_arena_allocate(&r->importer->scratch, text.length + 1);
  if (to && text.length) memcpy(to, text.text, text.length);
  return to;
}

static int ends_with(struct onri_slice text, const char *end) {
  const size_t length = strlen(end);
  return text.length >= length && !memcmp(text.text + text.length - length, end, length);
}

/* The initializer of a parameter's name, or what ONNX Runtime's quantizer has made of it; -1: none. 0: no memory. */
static int find_initializer(struct onri_module_reading *r, struct onri_slice target, int32_t *value) {
  static const char quantized[] = "_quantized";
  char *name = onri_arena_allocate(&r->importer->scratch, target.length + sizeof(quantized));
  if (!name) return 0;
  memcpy(name, target.text, target.length);
  name[target.length] = '\0';
  *value = onri_names_get(&r->initializers, name);
  memcpy(name + target.length, quantized, sizeof(quantized));
  if (*value < 0) *value = onri_names_get(&r->initializers, name);
  return 1;
}

static enum onr_status add_parameter(struct onri_module_reading *r, struct onri_slice argument,
                                     struct onri_slice target) {
  const int32_t module = onri_module_of(r, onri_parent_path(target), (struct onri_slice){"", 0});
  char *as_argument = copy(r, argument);
  int32_t value;
  if (module < 0 || !as_argument || !find_initializer(r, target, &value)) return onri_import_no_memory(r->importer);
  if (value >= 0) onri_add_elements(&r->modules[module].parameters, onri_initializer_elements(r, value));
  if (!onri_reading_grow(r, &r->parameters, sizeof(*r->parameters), &r->parameters_capacity, r->num_parameters + 1) ||
      onri_names_put(&r->arguments, as_argument, (int32_t)r->num_parameters) < 0)
    return onri_import_no_memory(r->importer);
  r->parameters[r->num_parameters++] = (struct onri_parameter){
      .module = module, .value = value, .is_bias = ends_with(target, "bias"), .found = value >= 0};
  return ONR_STATUS_OK;
}

static enum onr_status add_buffer(struct onri_module_reading *r, struct onri_slice target) {
  const int32_t module = onri_module_of(r, onri_parent_path(target), (struct onri_slice){"", 0});
  int32_t value;
  if (module < 0 || !find_initializer(r, target, &value)) return onri_import_no_memory(r->importer);
  if (value >= 0 && is_float(r, value))
    onri_add_elements(&r->modules[module].buffers, onri_initializer_elements(r, value));
  return ONR_STATUS_OK;
}

static enum onr_status read_signature(struct onri_module_reading *r, struct onri_slice signature) {
  struct onri_slice line, argument, target;
  while (onri_line_next(&signature, &line)) {
    if (read_line(line, ": PARAMETER target='", &argument, &target)) ONR_TRY(add_parameter(r, argument, target));
    else if (read_line(line, ": BUFFER target='", &argument, &target)) ONR_TRY(add_buffer(r, target));
  }
  return ONR_STATUS_OK;
}

/* The next parameter in fx_node's text; -1: no more. */
static int32_t next_parameter(const struct onri_module_reading *r, struct onri_slice *text) {
  while (text->length) {
    const char *begin = memchr(text->text, '%', text->length), *end = text->text + text->length, *p;
    char name[256];
    if (!begin) break;
    for (p = begin + 1;
         p < end && (*p == '_' || (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'));)
      p++;
    *text = (struct onri_slice){p, (size_t)(end - p)};
    const size_t length = (size_t)(p - begin - 1);
    if (length >= sizeof(name)) continue;
    memcpy(name, begin + 1, length);
    name[length] = '\0';
    const int32_t found = onri_names_get(&r->arguments, name);
    if (found >= 0) return found;
  }
  *text = (struct onri_slice){"", 0};
  return -1;
}

/* The first parameter of an operation that no initializer is named after; -1: none. */
static int32_t first_missing(const struct onri_module_reading *r, struct onri_slice text) {
  for (int32_t p = next_parameter(r, &text); p >= 0; p = next_parameter(r, &text))
    if (r->parameters[p].value < 0) return p;
  return -1;
}

static int is_recurrent(const Onnx__NodeProto *node) {
  return node->op_type &&
         (!strcmp(node->op_type, "LSTM") || !strcmp(node->op_type, "GRU") || !strcmp(node->op_type, "RNN"));
}

/* W, R and B of the standard's node hold all of the layer's weights; its initial states are none. */
static void count_recurrent(struct onri_module_reading *r, const Onnx__NodeProto *node, int32_t module) {
  for (size_t i = 1; i < 4; i++) {
    const int32_t value = onri_node_initializer(r, node, i);
    if (value < 0 || r->seen[value]) continue;
    r->seen[value] = 1;
    onri_add_elements(&r->modules[module].parameters, onri_initializer_elements(r, value));
  }
}

static int64_t int_attribute(const Onnx__NodeProto *node, const char *name, int64_t default_value) {
  for (size_t i = 0; i < node->n_attribute; i++)
    if (node->attribute[i]->name && !strcmp(node->attribute[i]->name, name)) return node->attribute[i]->i;
  return default_value;
}

/* Channels that a convolution or a product with a weight makes; 0: another operator. */
static int64_t output_channels(const struct onri_module_reading *r, const Onnx__NodeProto *node) {
  const char *op = node->op_type ? node->op_type : "";
  const int32_t weight = onri_node_initializer(r, node, 1);
  const struct onr_desc *desc;
  if (weight < 0) return 0;
  desc = &r->importer->graph->values[weight].desc;
  if (desc->rank < 2) return 0;
  if (!strcmp(op, "Conv")) return desc->dim[0];
  if (!strcmp(op, "MatMul")) return desc->dim[desc->rank - 1];
  if (!strcmp(op, "Gemm")) return desc->dim[int_attribute(node, "transB", 0) ? 0 : 1];
  if (strcmp(op, "ConvTranspose")) return 0;
  const int64_t group = int_attribute(node, "group", 1);
  return group > 0 && desc->dim[1] <= INT64_MAX / group ? desc->dim[1] * group : 0;
}

/* What one node says of the parameters that no initializer is named after. */
static enum onr_status find_missing(struct onri_module_reading *r, size_t n) {
  const Onnx__NodeProto *node = r->graph->node[n];
  struct onri_slice text = onri_node_metadata(node, "pkg.torch.onnx.fx_node");
  const int32_t operation = first_missing(r, text);
  const int folded = node->op_type && strcmp(node->op_type, "BatchNormalization") &&
                     onri_slice_find(onri_node_metadata(node, "pkg.torch.onnx.class_hierarchy"), ".BatchNorm") != NULL;
  if (operation < 0) return ONR_STATUS_OK;
  if (is_recurrent(node)) count_recurrent(r, node, r->parameters[operation].module);
  const int64_t channels = output_channels(r, node);
  for (int32_t p = next_parameter(r, &text); p >= 0; p = next_parameter(r, &text)) {
    struct onri_parameter *parameter = &r->parameters[p];
    if (parameter->value >= 0) r->taken[parameter->value] = n + 1;
    if (is_recurrent(node)) parameter->found = 1;
    else if (channels && (folded || parameter->is_bias)) parameter->channels = channels;
  }
  for (size_t i = 0; i < node->n_input && !folded && !is_recurrent(node); i++) {
    const int32_t value = onri_node_initializer(r, node, i);
    if (value < 0 || !is_float(r, value) || r->taken[value] == n + 1) continue;
    if (!onri_reading_grow(r, &r->strays, sizeof(*r->strays), &r->strays_capacity, r->num_strays + 1))
      return onri_import_no_memory(r->importer);
    r->strays[r->num_strays++] = (struct onri_stray){operation, onri_initializer_elements(r, value)};
  }
  return ONR_STATUS_OK;
}

static int by_operation_and_size(const void *left, const void *right) {
  const struct onri_stray *a = left, *b = right;
  if (a->operation != b->operation) return a->operation < b->operation ? -1 : 1;
  return a->elements > b->elements ? -1 : a->elements < b->elements;
}

/* Scale and offset of a BatchNorm that was folded, and biases that were zero and left out. */
static void count_channels(struct onri_module_reading *r) {
  for (size_t p = 0; p < r->num_parameters; p++) {
    struct onri_parameter *parameter = &r->parameters[p];
    if (parameter->found || !parameter->channels) continue;
    parameter->found = 1;
    onri_add_elements(&r->modules[parameter->module].parameters, parameter->channels);
  }
}

/* An operation's largest constants are its parameters; smaller ones are the exporter's own zeros and ones. */
static enum onr_status match_strays(struct onri_module_reading *r) {
  size_t *next = onri_arena_allocate(&r->importer->scratch, (r->num_parameters + 1) * sizeof(*next));
  if (!next) return onri_import_no_memory(r->importer);
  if (r->num_strays) qsort(r->strays, r->num_strays, sizeof(*r->strays), by_operation_and_size);
  for (size_t s = r->num_strays; s--;) next[r->strays[s].operation] = s + 1;
  for (size_t n = 0; n < r->graph->n_node; n++) {
    struct onri_slice text = onri_node_metadata(r->graph->node[n], "pkg.torch.onnx.fx_node");
    const int32_t operation = first_missing(r, text);
    for (int32_t p = next_parameter(r, &text); p >= 0 && operation >= 0; p = next_parameter(r, &text)) {
      const size_t s = next[operation];
      if (r->parameters[p].found || !s || s > r->num_strays || r->strays[s - 1].operation != operation) continue;
      r->parameters[p].found = 1;
      next[operation]++;
      onri_add_elements(&r->modules[r->parameters[p].module].parameters, r->strays[s - 1].elements);
    }
  }
  for (size_t p = 0; p < r->num_parameters; p++) r->modules[r->parameters[p].module].unknown += !r->parameters[p].found;
  return ONR_STATUS_OK;
}

enum onr_status onri_signature_read(struct onri_module_reading *r, struct onri_slice signature) {
  ONR_TRY(read_signature(r, signature));
  for (size_t n = 0; n < r->graph->n_node; n++) ONR_TRY(find_missing(r, n));
  count_channels(r);
  return match_strays(r);
}
