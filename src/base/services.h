/* services.h: what a layer may ask of whoever runs it, through struct onr_call.executor: onr_call_resize,
 * onr_call_text. */
#ifndef ONRI_SERVICES_H
#define ONRI_SERVICES_H

#include "base/memory/memory.h"
#include "onnxrun/layer.h"

/* First member of whatever call->executor points to. */
struct onri_executor {
  enum onr_status (*resize)(struct onr_call *call, size_t i, const struct onr_desc *desc, void **data);
  struct onri_arena *text; /* NULL: there is none */
};

#endif
