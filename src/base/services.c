#include "base/services.h"

#include "base/shape.h"

enum onr_status onr_call_resize(struct onr_call *call, size_t i, const struct onr_desc *desc, void **data) {
  if (!call || !desc || !data)
    return onr_fail(call ? call->error : NULL, ONR_STATUS_ARGUMENT, "call, desc and data must not be NULL");
  const struct onri_executor *executor = call->executor;
  *data = NULL;
  if (!executor || i >= call->num_out)
    return onr_fail(call->error, ONR_STATUS_INTERNAL, "output %zu cannot be resized here", i);
  ONR_TRY(onri_desc_check(desc, call->env, call->error));
  return executor->resize(call, i, desc, data);
}

char *onr_call_text(struct onr_call *call, size_t bytes) {
  const struct onri_executor *executor = call ? call->executor : NULL;
  return executor && executor->text ? onri_arena_allocate(executor->text, bytes) : NULL;
}
