/* registry.h: layers of the caller's own. */
#ifndef ONRI_REGISTRY_H
#define ONRI_REGISTRY_H

#include "onnxrun/layer.h"

struct onri_registered {
  const char *domain, *op_type;
  const struct onr_layer *layer;
  enum onr_status (*parse)(const struct onr_node *node, void *params, struct onr_error *error);
};

/* NULL when the registry (which may be NULL) has no such layer. domain is "" for ai.onnx. */
const struct onri_registered *onri_registry_find(const struct onr_registry *registry, const char *domain,
                                                 const char *op_type);

#endif
