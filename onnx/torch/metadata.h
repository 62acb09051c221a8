/* metadata.h: texts that PyTorch's default exporter leaves in nodes and graphs. */
#ifndef ONRI_METADATA_H
#define ONRI_METADATA_H

#include <stddef.h>

#include "onnx.pb-c.h"

struct onri_slice {
  const char *text;
  size_t length;
};

/* Empty when the key is not there. */
struct onri_slice onri_metadata(Onnx__StringStringEntryProto *const *props, size_t count, const char *key);
/* Takes the next entry off a Python list of strings, ['', 'layer1', 'layer1.conv', 'conv2d']. 0: no more. */
int onri_list_next(struct onri_slice *list, struct onri_slice *entry);
/* The modules around a node: two lists side by side whose last entries are the node itself. */
struct onri_scopes {
  struct onri_slice paths,
      kinds; /* ['', 'layer1', 'conv2d'], ['model.Net', 'torch.nn.modules.conv.Conv2d', 'aten.conv2d'] */
};
struct onri_scopes onri_node_scopes(const Onnx__NodeProto *node);
/* Takes the next module off, outermost first. kind: its class, empty where the file does not say. 0: no more. */
int onri_scopes_next(struct onri_scopes *scopes, struct onri_slice *path, struct onri_slice *kind);
/* Takes the next line off a text. 0: no more. */
int onri_line_next(struct onri_slice *text, struct onri_slice *line);
/* What is behind the last dot. */
struct onri_slice onri_last_component(struct onri_slice path);
/* What is before the last dot; empty without a dot. */
struct onri_slice onri_parent_path(struct onri_slice path);
/* Where `part` begins in `text`, or NULL. */
const char *onri_slice_find(struct onri_slice text, const char *part);

#endif
