/* operator.c: the life of XNNPACK's operators, for all families: pack, plan, run, release. */
#include "xnn/core.h"

#include "base/numbers/checked.h"

int onri_xnn_usable(const struct onr_env *env) {
  /* Guards itself against several threads and does its work once. */
  return onr_env_backend(env) == ONR_BACKEND_AUTO && xnn_initialize(&onri_xnn_allocator) == xnn_status_success;
}

void onri_xnn_delete(struct xnn_operator *op) {
  if (op) (void)xnn_delete_operator(op);
}

static enum onr_status raise(enum xnn_status status, const char *what, struct onr_error *error) {
  switch (status) {
    case xnn_status_success: return ONR_STATUS_OK;
    case xnn_status_out_of_memory: return onr_fail(error, ONR_STATUS_NO_MEMORY, "out of memory in XNNPACK's %s", what);
    case xnn_status_unsupported_parameter:
    case xnn_status_unsupported_hardware:
      return onr_fail(error, ONR_STATUS_UNSUPPORTED, "XNNPACK's %s does not support these parameters on this processor",
                      what);
    default: return onr_fail(error, ONR_STATUS_INTERNAL, "XNNPACK's %s failed with its status %d", what, (int)status);
  }
}

enum onr_status onri_xnn_leave(struct onri_xnn_scope *scope, enum xnn_status status, struct xnn_operator **op,
                               const char *what, struct onr_error *error) {
  if (scope->out_of_memory) status = xnn_status_out_of_memory;
  if (status != xnn_status_success && op) {
    onri_xnn_delete(*op);
    *op = NULL;
  }
  onri_xnn_exit(scope);
  if (scope->too_large)
    return onr_fail(error, ONR_STATUS_LIMIT, "XNNPACK's %s would take more than %zu bytes", what, scope->most);
  return raise(status, what, error);
}

enum onr_status onri_xnn_pack(const struct onri_xnn_family *family, struct onri_xnn_packed *packed, const void *spec,
                              const void *weights, const void *bias, struct onr_env *env, struct onr_error *error) {
  struct onri_xnn_packing packing;
  struct xnn_operator *op = NULL;
  struct xnn_weights_cache_provider *cache = onri_xnn_pack_begin(&packing, packed, env);
  if (family->bound_packing) family->bound_packing(spec, &packing.scope);
  const enum xnn_status status = family->create(spec, weights, bias, cache, &op);
  return onri_xnn_pack_end(&packing, status, op, family->name, error);
}

void onri_xnn_recall(const struct onri_xnn_family *family, struct onri_xnn_packed *packed, const void *spec,
                     struct onr_env *env) {
  static const float unread[1];
  struct onri_xnn_packing packing;
  struct xnn_operator *op = NULL;
  struct xnn_weights_cache_provider *cache = onri_xnn_recall_begin(&packing, packed, env);
  if (family->bound_packing) family->bound_packing(spec, &packing.scope);
  (void)family->create(spec, unread, NULL, cache, &op);
  onri_xnn_recall_end(&packing, op);
}

enum onr_status onri_xnn_plan(const struct onri_xnn_family *family, struct xnn_operator **op,
                              const struct onri_xnn_packed *packed, const void *spec, int roomy, size_t *scratch_bytes,
                              struct onr_env *env, struct onr_error *error) {
  enum xnn_status status = xnn_status_success;
  struct onri_xnn_scope scope;
  onri_xnn_enter(&scope, env);
  scope.roomy = roomy;
  if (family->bound_operator) family->bound_operator(spec, &scope);
  *scratch_bytes = 0;
  if (!*op)
    status =
        family->create(spec, packed ? packed->data : NULL, NULL, packed ? onri_xnn_packed_cache(packed) : NULL, op);
  if (status == xnn_status_success && *op)
    status = family->reshape(*op, spec, scratch_bytes, onri_threads_pool(env->threads));
  const int spared = family->may_do_without && scope.too_large;
  const enum onr_status result = onri_xnn_leave(&scope, status, op, family->name, spared ? NULL : error);
  return spared ? ONR_STATUS_OK : result;
}

enum onr_status onri_xnn_run(const struct onri_xnn_family *family, struct xnn_operator *op,
                             const struct onri_xnn_pointers *at, struct onr_env *env, struct onr_error *error) {
  const enum xnn_status status = family->setup(op, at);
  if (status == xnn_status_success)
    return raise(xnn_run_operator(op, onri_threads_pool(env->threads)), family->name, error);
  return onr_fail(error, ONR_STATUS_INTERNAL, "XNNPACK's %s refused its pointers with status %d", family->name,
                  (int)status);
}
