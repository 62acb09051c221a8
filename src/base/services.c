#include "base/services.h"

#include "base/shape.h"

enum onr_status onr_call_resize(struct onr_call *call, size_t i, const struct onr_desc *desc, void **data) {
  if (!call || !desc || !data)
    return onr_fail(call ? call->error : NULL, ONR_STATUS_ARGUMENT, "call, desc and data must not be NULL");
  const struct onri_executor *executor = call->executor;
  *data = NULL;
  if (!executor || !executor->resize || i >= call->num_out)
    return onr_fail(call->error, ONR_STATUS_INTERNAL, "output %zu cannot be resized here", i);
  ONR_TRY(onri_desc_check(desc, call->env, call->error));
  return executor->resize(call, i, desc, data);
}

const char onri_unread[1];

enum onr_status onri_call_contents(struct onr_call *call, size_t i, const void **data) {
  const struct onri_executor *executor = call->executor;
  *data = i < call->num_in ? call->inputs[i] : NULL;
  return *data == onri_unread ? executor->contents(call, i, data) : ONR_STATUS_OK;
}

char *onr_call_text(struct onr_call *call, size_t bytes) {
  const struct onri_executor *executor = call ? call->executor : NULL;
  return executor && executor->heap && !executor->is_brief ? onri_heap_text(executor->heap, bytes) : NULL;
}

enum onr_status onri_call_put_list(struct onr_call *call, size_t i, enum onr_dtype kind, struct onri_list *list) {
  const struct onri_executor *executor = call->executor;
  struct onri_handle handle = onri_handle_make(list);
  const struct onr_tensor value = {onri_handle_desc(kind), &handle};
  const struct onr_desc desc = onri_flat_desc(&value);
  void *data;
  if (executor->put_list) return executor->put_list(call, i, kind, list);
  const enum onr_status status = onr_call_resize(call, i, &desc, &data);
  if (status == ONR_STATUS_OK && data) onri_flat_write(&value, data);
  onri_list_release(executor->heap, list);
  return status;
}
