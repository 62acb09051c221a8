/* memory.c: malloc as an allocator, growing arrays, and the arena. */
#include "base/memory/memory.h"

#include <string.h>

#include "base/numbers/checked.h"
#include "base/system/machine.h"

static void *malloc_allocate(void *context, size_t bytes, size_t alignment) {
  size_t rounded;
  (void)context;
  return onri_round_up(bytes ? bytes : 1, alignment, &rounded) ? onri_machine_allocate(rounded, alignment) : NULL;
}

static void malloc_release(void *context, void *memory) {
  (void)context;
  onri_machine_release(memory);
}

const struct onr_allocator onri_malloc_allocator = {NULL, malloc_allocate, malloc_release};

enum onr_status onri_allocator_choose(const struct onr_allocator *given, const struct onr_allocator **allocator,
                                      struct onr_error *error) {
  *allocator = given ? given : &onri_malloc_allocator;
  if ((*allocator)->allocate && (*allocator)->release) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_ARGUMENT, "struct onr_allocator: allocate and release must not be NULL");
}

void *onri_allocate(const struct onr_allocator *allocator, size_t bytes) {
  return allocator->allocate(allocator->context, bytes ? bytes : 1, ONRI_ALIGNMENT);
}

void *onri_allocate_zeroed(const struct onr_allocator *allocator, size_t bytes) {
  void *memory = onri_allocate(allocator, bytes);
  if (memory) memset(memory, 0, bytes);
  return memory;
}

void onri_release(const struct onr_allocator *allocator, void *memory) {
  if (memory) allocator->release(allocator->context, memory);
}

int onri_grow(const struct onr_allocator *allocator, void *array, size_t item_bytes, size_t *capacity, size_t needed) {
  void *old, *grown;
  size_t count, bytes;
  if (needed <= *capacity) return 1;
  count = *capacity < 8 ? 8 : *capacity;
  while (count < needed)
    if (!onri_mul_size(count, 2, &count)) return 0;
  if (!onri_mul_size(count, item_bytes, &bytes)) return 0;
  grown = onri_allocate(allocator, bytes);
  if (!grown) return 0;
  memcpy(&old, array, sizeof(old));
  if (old) memcpy(grown, old, *capacity * item_bytes);
  onri_release(allocator, old);
  memcpy(array, &grown, sizeof(grown));
  *capacity = count;
  return 1;
}

struct onri_arena_block {
  struct onri_arena_block *next;
  size_t used, size;
};

/* Powers of two, with what an allocator may keep in front: blocks of all arenas have the same few sizes. */
enum {
  BLOCK_HEADER = (sizeof(struct onri_arena_block) + 15) / 16 * 16,
  FIRST_BLOCK = 512 - ONRI_ALIGNMENT,
  LARGEST_BLOCK = (1 << 20) - ONRI_ALIGNMENT
};

void onri_arena_init(struct onri_arena *arena, const struct onr_allocator *allocator, size_t budget_bytes) {
  *arena = (struct onri_arena){.allocator = allocator, .budget_bytes = budget_bytes};
}

/* Where AddressSanitizer watches, each item has a block of its own and nothing behind it. */
static struct onri_arena_block *add_block(struct onri_arena *arena, size_t bytes) {
  struct onri_arena_block *block;
  size_t size = ONRI_WATCHED ? 0 : arena->blocks ? arena->blocks->size * 2 + ONRI_ALIGNMENT : FIRST_BLOCK;
  if (size > LARGEST_BLOCK) size = LARGEST_BLOCK;
  if (size < BLOCK_HEADER + bytes) size = BLOCK_HEADER + bytes;
  block = onri_allocate(arena->allocator, size);
  if (!block) return NULL;
  *block = (struct onri_arena_block){.next = arena->blocks, .used = BLOCK_HEADER, .size = size};
  arena->blocks = block;
  return block;
}

void *onri_arena_allocate(struct onri_arena *arena, size_t bytes) {
  struct onri_arena_block *block = arena->blocks;
  void *memory;
  size_t rounded, total;
  if (!onri_round_up(bytes ? bytes : 1, ONRI_WATCHED ? 1 : 16, &rounded) || rounded > SIZE_MAX / 2) return NULL;
  if (!onri_add_size(arena->used_bytes, rounded, &total)) return NULL;
  if (arena->budget_bytes && total > arena->budget_bytes) return NULL;
  if (!block || block->size - block->used < rounded) block = add_block(arena, rounded);
  if (!block) return NULL;
  memory = (char *)block + block->used;
  block->used += rounded;
  arena->used_bytes = total;
  return memset(memory, 0, rounded);
}

void *onri_arena_copy(struct onri_arena *arena, const void *data, size_t bytes) {
  void *copy = onri_arena_allocate(arena, bytes);
  if (copy && bytes) memcpy(copy, data, bytes);
  return copy;
}

char *onri_arena_string(struct onri_arena *arena, const char *text) {
  return text ? onri_arena_copy(arena, text, strlen(text) + 1) : NULL;
}

void onri_arena_clear(struct onri_arena *arena) {
  struct onri_arena_block *block = arena->blocks;
  while (block) {
    struct onri_arena_block *next = block->next;
    onri_release(arena->allocator, block);
    block = next;
  }
  arena->blocks = NULL;
  arena->used_bytes = 0;
}
