/* origin.h: where a node came from: its module of PyTorch and its line. */
#ifndef ONRI_ORIGIN_H
#define ONRI_ORIGIN_H

#include "onnx/node/importer.h"
#include "onnx/torch/metadata.h"

/* parent: the origin of the function call that the node comes from, or NULL. NULL when out of memory. */
const struct onri_origin *onri_origin_make(struct onri_importer *importer, const Onnx__NodeProto *node,
                                           const struct onri_origin *parent);
/* The module that a node is in, "" when the file does not say; NULL when out of memory. */
const char *onri_module_path(struct onri_importer *importer, const Onnx__NodeProto *node);
/* Text of the file as it is, of any length; what is not UTF-8 is escaped. NULL when out of memory. */
const char *onri_intern_slice(struct onri_importer *importer, struct onri_slice text);
/* Puts the origin into error->where, when that is still empty. Returns status. */
enum onr_status onri_origin_blame(const struct onri_origin *origin, enum onr_status status, struct onr_error *error);

#endif
