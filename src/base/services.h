/* services.h: what a layer may ask of whoever runs it, through struct onr_call.executor: onr_call_resize,
 * onr_call_text. */
#ifndef ONRI_SERVICES_H
#define ONRI_SERVICES_H

#include "base/container.h"
#include "onnxrun/layer.h"

/* First member of whatever call->executor points to. */
struct onri_executor {
  enum onr_status (*resize)(struct onr_call *call, size_t i, const struct onr_desc *desc, void **data);
  /* Takes over the list, also on failure. NULL: containers are written as flat blocks. */
  enum onr_status (*put_list)(struct onr_call *call, size_t i, enum onr_dtype kind, struct onri_list *list);
  struct onri_heap *heap; /* for text and containers; NULL: there is none */
  int is_brief;           /* the heap ends with the call: there is no text */
  /* While a model is prepared: see onri_call_contents. */
  enum onr_status (*contents)(struct onr_call *call, size_t i, const void **data);
};

/* A flag of a layer beyond those of layer.h: in prepare, the contents of large constants are in call->inputs as
 * onri_unread, not NULL and no more, until they are asked for with onri_call_contents. */
enum { ONRI_LAYER_READS_LATE = 1 << 30 };
extern const char onri_unread[1];
/* In prepare: the contents of a constant input, NULL for one that is not constant. */
enum onr_status onri_call_contents(struct onr_call *call, size_t i, const void **data);

/* In run: output i becomes a container of this list, which it takes over, also on failure. */
enum onr_status onri_call_put_list(struct onr_call *call, size_t i, enum onr_dtype kind, struct onri_list *list);
/* The heap of the call; NULL where the executor has none. */
static inline struct onri_heap *onri_call_heap(const struct onr_call *call) {
  return call->executor ? ((const struct onri_executor *)call->executor)->heap : NULL;
}

#endif
