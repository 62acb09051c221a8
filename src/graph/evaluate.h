/* evaluate.h: the part of an executor that layers reach through struct onr_call.executor. */
#ifndef ONRI_EVALUATE_H
#define ONRI_EVALUATE_H

#include "base/memory.h"
#include "onnxrun/layer.h"

/* First member of whatever call->executor points to. */
struct onri_executor {
  enum onr_status (*resize)(struct onr_call *call, size_t i, const struct onr_desc *desc, void **data);
  struct onri_arena *text; /* NULL: there is none */
};

#endif
