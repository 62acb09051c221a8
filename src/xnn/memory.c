/* memory.c: XNNPACK's memory comes from the allocator of whoever calls it, and is counted. */
#include <string.h>

#include "base/numbers/checked.h"
#include "base/system/thread.h"
#include "xnn/core.h"

/* XNNPACK knows one allocator for the whole process and passes no context of ours to it, hence a variable of the
 * thread. */
static _Thread_local struct onri_xnn_scope *current_scope;

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
  struct onri_lock lock;
  size_t used, blocks;
  _Alignas(HEADER_BYTES) unsigned char memory[RESERVE_BYTES];
} reserve = {.lock = ONRI_LOCK_INIT};

static void *reserve_allocate(size_t bytes) {
  unsigned char *memory = NULL;
  size_t rounded;
  if (!onri_round_up(bytes, HEADER_BYTES, &rounded) || rounded > RESERVE_BYTES) return NULL;
  onri_lock_take(&reserve.lock);
  if (rounded <= RESERVE_BYTES - reserve.used) {
    memory = reserve.memory + reserve.used;
    reserve.used += rounded;
    reserve.blocks++;
  }
  onri_lock_leave(&reserve.lock);
  return memory;
}

static void reserve_release(void) {
  onri_lock_take(&reserve.lock);
  if (--reserve.blocks == 0) reserve.used = 0;
  onri_lock_leave(&reserve.lock);
}

int onri_xnn_take(struct onri_xnn_scope *scope, size_t bytes) {
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
  if (onri_xnn_take(scope, total))
    header.memory = header.allocator->allocate(header.allocator->context, total, HEADER_BYTES);
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

const struct xnn_allocator onri_xnn_allocator = {
    .allocate = hook_allocate,
    .reallocate = hook_reallocate,
    .deallocate = hook_deallocate,
    .aligned_allocate = hook_aligned_allocate,
    .aligned_deallocate = hook_deallocate,
};

void onri_xnn_enter(struct onri_xnn_scope *scope, const struct onr_env *env) {
  *scope = (struct onri_xnn_scope){.allocator = env->allocator, .most = SIZE_MAX, .outer = current_scope};
  current_scope = scope;
}

void onri_xnn_exit(struct onri_xnn_scope *scope) {
  scope->allocator->release(scope->allocator->context, scope->discard);
  current_scope = scope->outer;
}

void *onri_xnn_discarded(size_t bytes) {
  struct onri_xnn_scope *scope = current_scope;
  scope->allocator->release(scope->allocator->context, scope->discard);
  scope->discard =
      onri_xnn_take(scope, bytes) ? scope->allocator->allocate(scope->allocator->context, bytes, HEADER_BYTES) : NULL;
  if (!scope->discard) scope->out_of_memory = 1;
  return scope->discard;
}
