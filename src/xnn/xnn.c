/* xnn.c: XNNPACK's initialisation, memory, errors and packed weights. */
#include "xnn/xnn.h"

#include <pthread.h>
#include <string.h>

#include "base/numbers/checked.h"
#include "base/memory/shared.h"
#include "xnn/core.h"

/* XNNPACK knows one allocator for the whole process and passes no context of ours to it, hence a variable of the
 * thread. */
static _Thread_local struct onri_xnn_scope *current_scope;

/* --- memory --- */

/* Lies right before each block. Its size is a multiple of every alignment that XNNPACK asks for. */
struct block_header {
  const struct onr_allocator *allocator; /* NULL: from the reserve */
  void *memory;
  size_t bytes;
};
#define HEADER_BYTES 128
_Static_assert(sizeof(struct block_header) <= HEADER_BYTES, "the header must fit");

/* When an allocation fails, XNNPACK gets a block from here so that code of its that does not check has something to
 * write to; the scope's flag then makes the whole call a failure, which gives the block back at once. Larger blocks are
 * NULL: the code that asks for them checks. */
#define RESERVE_BYTES 65536
static struct {
  pthread_mutex_t lock;
  size_t used, blocks;
  _Alignas(HEADER_BYTES) unsigned char memory[RESERVE_BYTES];
} reserve = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *reserve_allocate(size_t bytes) {
  unsigned char *memory = NULL;
  size_t rounded;
  if (!onri_round_up(bytes, HEADER_BYTES, &rounded) || rounded > RESERVE_BYTES) return NULL;
  pthread_mutex_lock(&reserve.lock);
  if (rounded <= RESERVE_BYTES - reserve.used) {
    memory = reserve.memory + reserve.used;
    reserve.used += rounded;
    reserve.blocks++;
  }
  pthread_mutex_unlock(&reserve.lock);
  return memory;
}

static void reserve_release(void) {
  pthread_mutex_lock(&reserve.lock);
  if (--reserve.blocks == 0) reserve.used = 0;
  pthread_mutex_unlock(&reserve.lock);
}

/* False, and noted, when the scope may not take so much more. */
static int take(struct onri_xnn_scope *scope, size_t bytes) {
  if (!scope) return 1;
  if (bytes > scope->most - scope->taken) scope->too_large = 1;
  if (scope->too_large) return 0;
  scope->taken += bytes;
  return 1;
}

static void *hook_aligned_allocate(void *context, size_t alignment, size_t bytes) {
  struct onri_xnn_scope *scope = current_scope;
  struct block_header header = {.allocator = scope ? scope->allocator : &onri_malloc_allocator, .bytes = bytes};
  size_t total;
  (void)context;
  if (alignment > HEADER_BYTES || !onri_add_size(bytes, HEADER_BYTES, &total)) {
    if (scope) scope->out_of_memory = 1;
    return NULL;
  }
  if (take(scope, total)) header.memory = header.allocator->allocate(header.allocator->context, total, HEADER_BYTES);
  if (!header.memory) {
    if (!scope) return NULL;
    scope->out_of_memory = 1;
    header.allocator = NULL;
    header.memory = reserve_allocate(total);
    if (!header.memory) return NULL;
  }
  unsigned char *block = (unsigned char *)header.memory + HEADER_BYTES;
  memcpy(block - sizeof(header), &header, sizeof(header));
  return block;
}

static struct block_header header_of(const void *pointer) {
  struct block_header header;
  memcpy(&header, (const unsigned char *)pointer - sizeof(header), sizeof(header));
  return header;
}

static void hook_deallocate(void *context, void *pointer) {
  (void)context;
  if (!pointer) return;
  const struct block_header header = header_of(pointer);
  if (!header.allocator) reserve_release();
  else header.allocator->release(header.allocator->context, header.memory);
}

static void *hook_allocate(void *context, size_t bytes) { return hook_aligned_allocate(context, HEADER_BYTES, bytes); }

static void *hook_reallocate(void *context, void *pointer, size_t bytes) {
  if (pointer && current_scope && current_scope->roomy && header_of(pointer).bytes >= bytes) return pointer;
  void *fresh = hook_allocate(context, bytes);
  if (!fresh || !pointer) return fresh;
  const size_t old_bytes = header_of(pointer).bytes;
  memcpy(fresh, pointer, old_bytes < bytes ? old_bytes : bytes);
  hook_deallocate(context, pointer);
  return fresh;
}

static const struct xnn_allocator hook = {
    .allocate = hook_allocate,
    .reallocate = hook_reallocate,
    .deallocate = hook_deallocate,
    .aligned_allocate = hook_aligned_allocate,
    .aligned_deallocate = hook_deallocate,
};

/* --- calls --- */

int onri_xnn_usable(const struct onr_env *env) {
  /* Guards itself against several threads and does its work once. */
  return onr_env_backend(env) == ONR_BACKEND_AUTO && xnn_initialize(&hook) == xnn_status_success;
}

void onri_xnn_delete(struct xnn_operator *op) {
  if (op) (void)xnn_delete_operator(op);
}

void onri_xnn_enter(struct onri_xnn_scope *scope, const struct onr_env *env) {
  *scope = (struct onri_xnn_scope){.allocator = env->allocator, .most = SIZE_MAX, .outer = current_scope};
  current_scope = scope;
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
  scope->allocator->release(scope->allocator->context, scope->discard);
  current_scope = scope->outer;
  if (scope->too_large)
    return onr_fail(error, ONR_STATUS_LIMIT, "XNNPACK's %s would take more than %zu bytes", what, scope->most);
  return raise(status, what, error);
}

enum onr_status onri_xnn_run(struct xnn_operator *op, struct onr_env *env, struct onr_error *error) {
  return raise(xnn_run_operator(op, onri_threads_pool(env->threads)), "operator", error);
}

/* --- packed weights --- */

/* The provider of a packed block lies before its data; an operator holds its address. */
#define PROVIDER_BYTES 64
_Static_assert(sizeof(struct xnn_weights_cache_provider) <= PROVIDER_BYTES, "the provider must fit");

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
  struct onri_xnn_scope *scope = current_scope;
  (void)context;
  scope->allocator->release(scope->allocator->context, scope->discard);
  scope->discard =
      take(scope, bytes) ? scope->allocator->allocate(scope->allocator->context, bytes, HEADER_BYTES) : NULL;
  if (!scope->discard) scope->out_of_memory = 1;
  return scope->discard;
}

static void *packed_address(void *context, size_t offset) { return (unsigned char *)context + offset; }

static void *reserve_packed(void *context, size_t bytes) {
  struct onri_xnn_packing *packing = context;
  struct onri_xnn_packed *packed = packing->packed;
  size_t total;
  onri_xnn_packed_release(packed, packing->env);
  if (onri_add_size(bytes, PROVIDER_BYTES + ONR_SLACK_BYTES, &total) && take(&packing->scope, total))
    packed->block = onr_env_allocate(packing->env, total);
  if (!packed->block) {
    packing->scope.out_of_memory = 1;
    return NULL;
  }
  packed->data = (unsigned char *)packed->block + PROVIDER_BYTES;
  packed->bytes = bytes;
  memset(packed->data, 0, bytes + ONR_SLACK_BYTES); /* what packing leaves out is equal in equal blocks, too */
  return packed->data;
}

static void *packing_address(void *context, size_t offset) {
  return packed_address(((struct onri_xnn_packing *)context)->packed->data, offset);
}

struct xnn_weights_cache_provider *onri_xnn_pack_begin(struct onri_xnn_packing *packing, struct onri_xnn_packed *packed,
                                                       struct onr_env *env) {
  packing->env = env;
  packing->packed = packed;
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

enum onr_status onri_xnn_pack_end(struct onri_xnn_packing *packing, enum xnn_status status, struct xnn_operator *op,
                                  const char *what, struct onr_error *error) {
  struct onri_xnn_packed *packed = packing->packed;
  const enum onr_status result = onri_xnn_leave(&packing->scope, status, &op, what, error);
  onri_xnn_delete(op);
  if (result != ONR_STATUS_OK) {
    onri_xnn_packed_release(packed, packing->env);
    return result;
  }
  const struct xnn_weights_cache_provider provider = {
      .context = packed->data,
      .look_up = found,
      .reserve_space = reserve_discarded,
      .look_up_or_insert = offset_of_insert,
      .is_finalized = provider_is_finalized,
      .offset_to_addr = packed_address,
      .delete_cache = provider_delete,
  };
  memcpy(packed->block, &provider, sizeof(provider));
  packed->block = onri_shared_block(packing->env, packed->block, PROVIDER_BYTES, packed->bytes);
  packed->data = (unsigned char *)packed->block + PROVIDER_BYTES;
  return ONR_STATUS_OK;
}

struct xnn_weights_cache_provider *onri_xnn_packed_cache(const struct onri_xnn_packed *packed) {
  return packed->block;
}
