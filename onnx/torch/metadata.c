/* metadata.c: the little of Python's notation that metadata uses. */
#include "onnx/torch/metadata.h"

#include <string.h>

struct onri_slice onri_metadata(Onnx__StringStringEntryProto *const *props, size_t count, const char *key) {
  for (size_t i = 0; i < count; i++)
    if (props[i]->key && props[i]->value.len && !strcmp(props[i]->key, key))
      return (struct onri_slice){(const char *)props[i]->value.data, props[i]->value.len};
  return (struct onri_slice){"", 0};
}

int onri_list_next(struct onri_slice *list, struct onri_slice *entry) {
  const char *text = list->text, *end = text + list->length;
  while (text < end && *text != '\'' && *text != '"') text++;
  if (text == end) return 0;
  const char quote = *text++;
  entry->text = text;
  while (text < end && *text != quote) text += *text == '\\' ? 2 : 1;
  if (text >= end) return 0;
  entry->length = (size_t)(text - entry->text);
  *list = (struct onri_slice){text + 1, (size_t)(end - text - 1)};
  return 1;
}

struct onri_scopes onri_node_scopes(const Onnx__NodeProto *node) {
  return (struct onri_scopes){
      onri_metadata(node->metadata_props, node->n_metadata_props, "pkg.torch.onnx.name_scopes"),
      onri_metadata(node->metadata_props, node->n_metadata_props, "pkg.torch.onnx.class_hierarchy")};
}

/* A class is named with the Python module that it is in. A word without a dot is what the exporter's passes put where
 * they know of no module ("_empty_nn_module_stack_from_metadata_hook"). */
static int is_class(struct onri_slice kind) { return !kind.length || memchr(kind.text, '.', kind.length); }

int onri_scopes_next(struct onri_scopes *scopes, struct onri_slice *path, struct onri_slice *kind) {
  while (onri_list_next(&scopes->paths, path)) {
    struct onri_slice rest = scopes->paths, behind;
    if (!onri_list_next(&rest, &behind)) return 0;
    if (!onri_list_next(&scopes->kinds, kind)) *kind = (struct onri_slice){"", 0};
    if (is_class(*kind)) return 1;
  }
  return 0;
}

int onri_line_next(struct onri_slice *text, struct onri_slice *line) {
  const char *end;
  if (!text->length) return 0;
  end = memchr(text->text, '\n', text->length);
  *line = (struct onri_slice){text->text, end ? (size_t)(end - text->text) : text->length};
  const size_t used = line->length + (end != NULL);
  *text = (struct onri_slice){text->text + used, text->length - used};
  return 1;
}

static size_t behind_last_dot(struct onri_slice path) {
  size_t i = path.length;
  while (i && path.text[i - 1] != '.') i--;
  return i;
}

struct onri_slice onri_last_component(struct onri_slice path) {
  const size_t begin = behind_last_dot(path);
  return (struct onri_slice){path.text + begin, path.length - begin};
}

struct onri_slice onri_parent_path(struct onri_slice path) {
  const size_t begin = behind_last_dot(path);
  return (struct onri_slice){path.text, begin ? begin - 1 : 0};
}

const char *onri_slice_find(struct onri_slice text, const char *part) {
  const size_t length = strlen(part);
  for (size_t i = 0; i + length <= text.length; i++)
    if (!memcmp(text.text + i, part, length)) return text.text + i;
  return NULL;
}
