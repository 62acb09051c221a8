/* model_write.h: a rewritten model as an ONNX file. */
#ifndef ONRI_MODEL_WRITE_H
#define ONRI_MODEL_WRITE_H

#include "model/model.h"

/* A model that was rewritten for ONNX (for_onnx) and not prepared. Replaces `path` when all is written; UNSUPPORTED
 * when a layer has no form, each kind of which report is told of. *num_nodes: what was written. */
enum onr_status onri_model_write(const struct onr_model *model, const char *path,
                                 void (*report)(void *context, const char *line), void *context, size_t *num_nodes,
                                 struct onr_error *error);

#endif
