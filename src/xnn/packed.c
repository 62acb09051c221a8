/* packed.c: packed weights: XNNPACK's cache of weights, which here knows one block. */
#include <string.h>

#include "base/memory/blocks.h"
#include "base/numbers/checked.h"
#include "xnn/core.h"

_Static_assert(sizeof(struct xnn_weights_cache_provider) <= ONRI_XNN_PROVIDER_BYTES, "the provider must fit");

static bool provider_is_finalized(void *context) {
  (void)context;
  return true;
}

static enum xnn_status provider_delete(void *context) {
  (void)context;
  return xnn_status_success;
}

static size_t offset_of_insert(void *context, const struct xnn_weights_cache_look_up_key *key, void *data,
                               size_t bytes) {
  (void)context, (void)key, (void)data, (void)bytes;
  return 0;
}

static size_t found(void *context, const struct xnn_weights_cache_look_up_key *key) {
  (void)context, (void)key;
  return 0;
}

static size_t not_found(void *context, const struct xnn_weights_cache_look_up_key *key) {
  (void)context, (void)key;
  return SIZE_MAX;
}

static void *reserve_discarded(void *context, size_t bytes) {
  (void)context;
  return onri_xnn_discarded(bytes);
}

static void *packed_address(void *context, size_t offset) { return (unsigned char *)context + offset; }

enum { CLEARED_BYTES = 1 << 20 };

static void clear_range(void *memory, size_t begin, size_t end) {
  memset((unsigned char *)memory + begin, 0, end - begin);
}

static void *reserve_packed(void *context, size_t bytes) {
  struct onri_xnn_packing *packing = context;
  struct onri_xnn_packed *packed = packing->packed;
  onri_xnn_packed_release(packed, packing->env);
  if (packing->recalls) {
    if (onri_xnn_take(&packing->scope, bytes)) packed->data = onri_block_recall(packing->env, bytes);
    packed->bytes = bytes;
    return NULL;
  }
  if (onri_xnn_take(&packing->scope, bytes)) packed->data = onri_block_begin(packing->env, bytes);
  if (!packed->data) {
    packing->scope.out_of_memory = 1;
    return NULL;
  }
  packed->bytes = bytes;
  /* What packing leaves out is equal in equal blocks, too. */
  onr_parallel_for(packing->env, bytes, CLEARED_BYTES, clear_range, packed->data);
  return packed->data;
}

static void *packing_address(void *context, size_t offset) {
  return packed_address(((struct onri_xnn_packing *)context)->packed->data, offset);
}

struct xnn_weights_cache_provider *onri_xnn_pack_begin(struct onri_xnn_packing *packing, struct onri_xnn_packed *packed,
                                                       struct onr_env *env) {
  packing->env = env;
  packing->packed = packed;
  packing->recalls = 0;
  packing->provider = (struct xnn_weights_cache_provider){
      .context = packing,
      .look_up = not_found,
      .reserve_space = reserve_packed,
      .look_up_or_insert = offset_of_insert,
      .is_finalized = provider_is_finalized,
      .offset_to_addr = packing_address,
      .delete_cache = provider_delete,
  };
  onri_xnn_enter(&packing->scope, env);
  return &packing->provider;
}

static void provide(struct onri_xnn_packed *packed) {
  const struct xnn_weights_cache_provider provider = {
      .context = packed->data,
      .look_up = found,
      .reserve_space = reserve_discarded,
      .look_up_or_insert = offset_of_insert,
      .is_finalized = provider_is_finalized,
      .offset_to_addr = packed_address,
      .delete_cache = provider_delete,
  };
  memcpy(packed->provider, &provider, sizeof(provider));
}

enum onr_status onri_xnn_pack_end(struct onri_xnn_packing *packing, enum xnn_status status, struct xnn_operator *op,
                                  const char *what, struct onr_error *error) {
  struct onri_xnn_packed *packed = packing->packed;
  const enum onr_status result = onri_xnn_leave(&packing->scope, status, &op, what, error);
  onri_xnn_delete(op);
  if (result != ONR_STATUS_OK) {
    onri_xnn_packed_release(packed, packing->env);
    return result;
  }
  packed->data = onri_block_end(packing->env, packed->data, packed->bytes);
  provide(packed);
  return ONR_STATUS_OK;
}

struct xnn_weights_cache_provider *onri_xnn_recall_begin(struct onri_xnn_packing *packing,
                                                         struct onri_xnn_packed *packed, struct onr_env *env) {
  struct xnn_weights_cache_provider *provider = onri_xnn_pack_begin(packing, packed, env);
  packing->recalls = 1;
  return provider;
}

void onri_xnn_recall_end(struct onri_xnn_packing *packing, struct xnn_operator *op) {
  onri_xnn_delete(op);
  onri_xnn_exit(&packing->scope);
  if (packing->packed->data) provide(packing->packed);
}

struct xnn_weights_cache_provider *onri_xnn_packed_cache(const struct onri_xnn_packed *packed) {
  return (struct xnn_weights_cache_provider *)(uintptr_t)packed->provider;
}
