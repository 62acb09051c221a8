/* origin.c: where a node came from in PyTorch. The default exporter says so in metadata of the node; the older one in
 * the node's name, "/layer1/layer1.0/conv1/Conv". */
#include <string.h>

#include "base/only.h"
#include "base/text/text.h"
#include "onnx/torch/origin.h"
#include "onnx/torch/metadata.h"

enum { ROOM = 256 };

/* Room for so many bytes of text, on the stack where that has it; NULL: out of memory. */
static char *room_for(struct onri_importer *importer, size_t size, char room[ROOM]) {
  return size <= ROOM ? room : onri_arena_allocate(&importer->scratch, size);
}

static void innermost(const Onnx__NodeProto *node, struct onri_slice *path, struct onri_slice *class) {
  struct onri_scopes scopes = onri_node_scopes(node);
  struct onri_slice next_path, next_class;
  *path = *class = (struct onri_slice){"", 0};
  while (onri_scopes_next(&scopes, &next_path, &next_class)) {
    *path = next_path;
    *class = next_class;
  }
}

/* "model.py:41" from a Python stack trace: the last frame that is not PyTorch's own, or just the last. */
static const char *last_frame(struct onri_importer *importer, struct onri_slice trace) {
  static const char file[] = "File \"", line[] = "\", line ";
  struct onri_slice path = {"", 0}, number = {"", 0};
  int own = 0;
  for (size_t i = 0; i + sizeof(file) < trace.length; i++) {
    struct onri_slice p, n;
    size_t end = i + sizeof(file) - 1;
    int torch = 0;
    if (memcmp(trace.text + i, file, sizeof(file) - 1)) continue;
    p.text = trace.text + end;
    while (end < trace.length && trace.text[end] != '"' && trace.text[end] != '\n') {
      if (trace.length - end > 6 && !memcmp(trace.text + end, "torch/", 6) && p.text == trace.text + end) torch = 1;
      if (trace.text[end++] == '/') p.text = trace.text + end;
    }
    p.length = (size_t)(trace.text + end - p.text);
    i = end;
    if (trace.length - end < sizeof(line) || memcmp(trace.text + end, line, sizeof(line) - 1)) continue;
    n.text = trace.text + end + sizeof(line) - 1;
    for (n.length = 0;
         n.text + n.length < trace.text + trace.length && n.text[n.length] >= '0' && n.text[n.length] <= '9';)
      n.length++;
    if (torch && own) continue;
    own = !torch;
    path = p;
    number = n;
  }
  if (!path.length || number.length > 9) return "";
  char stack[ROOM];
  char *text = room_for(importer, path.length + number.length + 2, stack);
  if (!text) return NULL;
  memcpy(text, path.text, path.length);
  text[path.length] = ':';
  memcpy(text + path.length + 1, number.text, number.length);
  return onri_intern_slice(importer, (struct onri_slice){text, path.length + 1 + number.length});
}

/* "layer1.0.conv1" from "/layer1/layer1.0/conv1/Conv": a segment that repeats the one before it and a dot replaces it.
 */
static void path_from_name(const char *name, char *target) {
  size_t used = 0, last = 0; /* last: where the last segment begins in target, which is no longer than the name */
  target[0] = '\0';
  if (*name != '/') return;
  for (name++;;) {
    const size_t length = strcspn(name, "/"), last_length = used - last;
    if (!name[length]) return; /* the op itself */
    if (used && length > last_length && !memcmp(name, target + last, last_length) && name[last_length] == '.')
      used = last;
    if (used && used != last) target[used++] = '.';
    last = used;
    memcpy(target + used, name, length);
    used += length;
    target[used] = '\0';
    name += length + 1;
  }
}

static int is_text(struct onri_slice s) {
  for (size_t i = 0, n; i < s.length; i += n)
    if (!(n = onri_utf8_sequence((const unsigned char *)s.text + i, s.length - i)) || !s.text[i]) return 0;
  return 1;
}

const char *onri_intern_slice(struct onri_importer *importer, struct onri_slice s) {
  char stack[ROOM];
  const int is_whole = is_text(s);
  const size_t size = is_whole ? s.length + 1 : 4 * s.length + 8;
  char *text = room_for(importer, size, stack);
  if (!text) return NULL;
  if (!is_whole) return onri_intern(&importer->texts, onri_escape(s.text, s.length, text, size));
  if (s.length) memcpy(text, s.text, s.length);
  text[s.length] = '\0';
  return onri_intern(&importer->texts, text);
}

static struct onri_slice whole(const char *text) { return (struct onri_slice){text, strlen(text)}; }

/* Texts are interned, so equal ones have one address. */
static int same(const struct onri_origin *a, const struct onri_origin *b) {
  return a->op_type == b->op_type && a->name == b->name && a->module_path == b->module_path &&
         a->module_class == b->module_class && a->source == b->source;
}

static struct onri_slice metadata(const Onnx__NodeProto *node, const char *key) {
  return onri_metadata(node->metadata_props, node->n_metadata_props, key);
}

/* The exporter folds a BatchNorm into the convolution before it and gives the node the BatchNorm's place in the model;
 * the weight still has the convolution's. */
static struct onri_slice home_of(const Onnx__NodeProto *node, struct onri_slice path, struct onri_slice class) {
  const char *weight = node->n_input > 1 ? node->input[1] : "";
  const size_t length = strlen(weight), tail = strlen(".weight");
  if (!onri_slice_find(class, ".BatchNorm") || !node->op_type || !strcmp(node->op_type, "BatchNormalization"))
    return path;
  if (length <= tail || strcmp(weight + length - tail, ".weight")) return path;
  return (struct onri_slice){weight, length - tail};
}

const char *onri_module_path(struct onri_importer *importer, const Onnx__NodeProto *node) {
  struct onri_slice path, class;
  char stack[ROOM];
  innermost(node, &path, &class);
  if (!path.length && node->name) {
    char *text = room_for(importer, strlen(node->name) + 1, stack);
    if (!text) return NULL;
    path_from_name(node->name, text);
    path = whole(text);
  }
  return onri_intern_slice(importer, home_of(node, path, class));
}

/* What the exporter says of it. */
static void read_place(struct onri_importer *importer, const Onnx__NodeProto *node, struct onri_origin *origin) {
  struct onri_slice path, class;
  innermost(node, &path, &class);
  origin->module_path = onri_module_path(importer, node);
  origin->module_class = onri_intern_slice(importer, class);
  origin->source = last_frame(importer, metadata(node, "pkg.torch.onnx.stack_trace"));
}

const struct onri_origin *onri_origin_make(struct onri_importer *importer, const Onnx__NodeProto *node,
                                           const struct onri_origin *parent) {
  struct onri_origin origin = {.module_path = "", .module_class = "", .source = ""};
  origin.op_type = onri_intern(&importer->texts, node->op_type && *node->op_type ? node->op_type : "?");
  origin.name = onri_intern(&importer->texts, node->name ? node->name : "");
  if (ONRI_PART(more)) read_place(importer, node, &origin);
  if (!origin.op_type || !origin.name || !origin.module_path || !origin.module_class || !origin.source) return NULL;
  if (parent && !*origin.module_path)
    origin.module_path = parent->module_path, origin.module_class = parent->module_class;
  if (parent && !*origin.source) origin.source = parent->source;
  if (!importer->last_origin || !same(importer->last_origin, &origin))
    importer->last_origin = onri_arena_copy(&importer->graph->arena, &origin, sizeof(origin));
  return importer->last_origin;
}

enum onr_status onri_origin_blame(const struct onri_origin *origin, enum onr_status status, struct onr_error *error) {
  const struct onri_node node = {.origin = origin};
  return onri_node_blame(&node, status, error);
}
