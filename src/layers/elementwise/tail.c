/* tail.c: see tail.h. */
#include "layers/elementwise/tail.h"

#include "base/env.h"
#include "layers/elementwise/widened.h"

enum onr_status onri_tail_plan(const struct onr_call *call, const struct onr_tail *params, struct onri_tail *tail) {
  const enum onri_class c = onri_is_double(call->in[0].dtype) ? ONRI_CLASS_F64 : ONRI_CLASS_F32;
  if (!params->enabled) return ONR_STATUS_OK;
  tail->function = params->function;
  if (c == ONRI_CLASS_F32 && onr_env_backend(call->env) != ONR_BACKEND_PORTABLE)
    tail->kernel = onri_unary_kernel_f32(params->function.op);
  tail->portable = onri_unary_of_class(params->function.op, c);
  return tail->portable
             ? ONR_STATUS_OK
             : onr_fail(call->error, ONR_STATUS_INTERNAL, "the function behind a layer of floats has no kernel");
}

void onri_tail_apply(const void *context, void *y, size_t count) {
  const struct onri_tail *t = context;
  if (t->kernel) t->kernel(y, y, count, t->function.alpha, t->function.beta);
  else t->portable(y, y, count, &t->function);
}
