/* attribute_read.c: typed access to the decoded attributes of a node. The first error stays in node->status, so
 * importers read on and the driver reports it when they return. */
#include <string.h>

#include "base/text/text.h"
#include "onnx/node/import.h"

static const char *const kind_names[] = {
    "nothing", "a float", "an int",  "a string", "a tensor",        "a graph",        "floats",
    "ints",    "strings", "tensors", "graphs",   "a sparse tensor", "sparse tensors", "a type",
};

static const char *kind_name(enum onri_attribute_kind kind) {
  return (size_t)kind < sizeof(kind_names) / sizeof(kind_names[0]) ? kind_names[kind] : "something unknown";
}

void onri_node_note(const struct onr_node *node, enum onr_status status) {
  if (*node->status != ONR_STATUS_OK || status == ONR_STATUS_OK) return;
  *node->status = status;
  if (node->error) *node->first_error = *node->error;
}

const struct onri_attribute *onri_attr_find(const struct onr_node *node, const char *name) {
  for (size_t i = 0; node && name && i < node->num_attributes; i++)
    if (!strcmp(node->attributes[i].name, name)) return &node->attributes[i];
  return NULL;
}

int onri_attr_has(const struct onr_node *node, const char *name) { return onri_attr_find(node, name) != NULL; }

/* The attribute when it is there and of that kind; a wrong kind is noted as the node's error. */
static const struct onri_attribute *find_kind(const struct onr_node *node, const char *name,
                                              enum onri_attribute_kind kind) {
  const struct onri_attribute *attribute = onri_attr_find(node, name);
  if (!attribute || attribute->kind == kind) return attribute;
  if (*node->status == ONR_STATUS_OK)
    onri_node_note(node, onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' must be %s, found %s", name,
                                  kind_name(kind), kind_name(attribute->kind)));
  return NULL;
}

int64_t onri_attr_int(const struct onr_node *node, const char *name, int64_t default_value) {
  const struct onri_attribute *attribute = find_kind(node, name, ONRI_ATTRIBUTE_INT);
  return attribute ? attribute->i : default_value;
}

int32_t onri_attr_int32(const struct onr_node *node, const char *name, int32_t default_value, int32_t min,
                        int32_t max) {
  const struct onri_attribute *attribute = find_kind(node, name, ONRI_ATTRIBUTE_INT);
  if (!attribute) return default_value;
  if (attribute->i >= min && attribute->i <= max) return (int32_t)attribute->i;
  if (*node->status == ONR_STATUS_OK)
    onri_node_note(node, onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' must lie in [%d, %d], found %lld",
                                  name, (int)min, (int)max, (long long)attribute->i));
  return default_value;
}

float onri_attr_float(const struct onr_node *node, const char *name, float default_value) {
  const struct onri_attribute *attribute = find_kind(node, name, ONRI_ATTRIBUTE_FLOAT);
  return attribute ? attribute->f : default_value;
}

const int64_t *onri_attr_ints(const struct onr_node *node, const char *name, size_t *count) {
  const struct onri_attribute *attribute = find_kind(node, name, ONRI_ATTRIBUTE_INTS);
  *count = attribute ? attribute->count : 0;
  return attribute ? attribute->ints : NULL;
}

const float *onri_attr_floats(const struct onr_node *node, const char *name, size_t *count) {
  const struct onri_attribute *attribute = find_kind(node, name, ONRI_ATTRIBUTE_FLOATS);
  *count = attribute ? attribute->count : 0;
  return attribute ? attribute->floats : NULL;
}

const struct onr_string *onri_attr_strings(const struct onr_node *node, const char *name, size_t *count) {
  const struct onri_attribute *attribute = find_kind(node, name, ONRI_ATTRIBUTE_STRINGS);
  *count = attribute ? attribute->count : 0;
  return attribute ? attribute->strings : NULL;
}

struct onr_string onri_attr_string(const struct onr_node *node, const char *name, const char *default_value) {
  const struct onri_attribute *attribute = find_kind(node, name, ONRI_ATTRIBUTE_STRING);
  return attribute ? attribute->s : (struct onr_string){default_value, default_value ? strlen(default_value) : 0};
}

static int string_is(const struct onr_string *string, const char *text) {
  return string->length == strlen(text) && !memcmp(string->text, text, string->length);
}

int32_t onri_attr_choice(const struct onr_node *node, const char *name, const char *const *choices,
                         int32_t default_value) {
  const struct onri_attribute *attribute = find_kind(node, name, ONRI_ATTRIBUTE_STRING);
  char found[64];
  if (!attribute) return default_value;
  for (int32_t i = 0; choices[i]; i++)
    if (string_is(&attribute->s, choices[i])) return i;
  if (*node->status == ONR_STATUS_OK)
    onri_node_note(node, onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' has the unknown value '%s'", name,
                                  onri_escape(attribute->s.text, attribute->s.length, found, sizeof(found))));
  return default_value;
}

int64_t onr_node_int(const struct onr_node *node, const char *name, int64_t default_value) {
  return onri_attr_int(node, name, default_value);
}

double onr_node_float(const struct onr_node *node, const char *name, double default_value) {
  const struct onri_attribute *attribute = find_kind(node, name, ONRI_ATTRIBUTE_FLOAT);
  return attribute ? (double)attribute->f : default_value;
}

size_t onr_node_ints(const struct onr_node *node, const char *name, int64_t *values, size_t capacity) {
  size_t count;
  const int64_t *ints = onri_attr_ints(node, name, &count);
  if (values && count && capacity) memcpy(values, ints, (count < capacity ? count : capacity) * sizeof(*values));
  return count;
}

size_t onr_node_floats(const struct onr_node *node, const char *name, float *values, size_t capacity) {
  size_t count;
  const float *floats = onri_attr_floats(node, name, &count);
  if (values && count && capacity) memcpy(values, floats, (count < capacity ? count : capacity) * sizeof(*values));
  return count;
}

size_t onr_node_strings(const struct onr_node *node, const char *name, struct onr_string *values, size_t capacity) {
  size_t count;
  const struct onr_string *strings = onri_attr_strings(node, name, &count);
  if (values && count && capacity) memcpy(values, strings, (count < capacity ? count : capacity) * sizeof(*values));
  return count;
}

const struct onr_layer *onr_node_layer(const struct onr_node *node) { return node ? node->layer : NULL; }

size_t onr_node_num_attributes(const struct onr_node *node) { return node ? node->num_attributes : 0; }

const char *onr_node_attribute(const struct onr_node *node, size_t index, enum onr_attribute *kind) {
  if (!node || index >= node->num_attributes) return NULL;
  if (kind) *kind = (enum onr_attribute)node->attributes[index].kind;
  return node->attributes[index].name;
}

struct onr_string onr_node_string(const struct onr_node *node, const char *name, const char *default_value) {
  return onri_attr_string(node, name, default_value);
}

int onr_node_tensor(const struct onr_node *node, const char *name, struct onr_tensor *tensor) {
  const struct onri_attribute *attribute = find_kind(node, name, ONRI_ATTRIBUTE_TENSOR);
  if (!tensor) return 0;
  *tensor = (struct onr_tensor){0};
  if (!attribute || *node->status != ONR_STATUS_OK) return 0;
  onri_node_note(node, onri_constant_load(attribute->tensor, node->error));
  if (*node->status != ONR_STATUS_OK) return 0;
  *tensor = (struct onr_tensor){attribute->tensor->desc, attribute->tensor->data};
  return 1;
}
