#include "exec/pool.h"

#include <string.h>

#include "base/numbers/checked.h"

/* At the start of spare memory. */
struct onri_spare {
  struct onri_spare *next;
  size_t bytes;
};

/* Right before memory that the allocator has handed out. */
struct header {
  void *start;
  size_t held;
};
_Static_assert(sizeof(struct header) <= ONRI_ALIGNMENT, "it lies in front of the memory");

enum { MOST_TRIED = 8, SLACK_PART = 16, SLACK = 64 << 10, ROUNDED = 128 << 10 };

/* The power of two, and which quarter behind it. */
static size_t bin_of(size_t bytes) {
  size_t power = 0, rest = bytes;
  while (rest >= 8) {
    rest >>= 1;
    power++;
  }
  return 4 * power + rest % 4;
}

/* Not much more than is needed, so that small values do not keep large memory. */
static void *find(struct onri_pool *pool, size_t bytes, size_t *held) {
  const size_t first = bin_of(bytes);
  for (size_t bin = first; bin < ONRI_POOL_BINS && bin <= first + 4; bin++) {
    struct onri_spare **link = &pool->bins[bin];
    for (int tried = 0; *link && tried < MOST_TRIED; tried++, link = &(*link)->next) {
      struct onri_spare *spare = *link;
      if (spare->bytes < bytes || spare->bytes / 2 > bytes) continue;
      *link = spare->next;
      pool->spare -= spare->bytes;
      *held = spare->bytes;
      return spare;
    }
  }
  return NULL;
}

/* Gives back the largest until no more than `most` is spare. */
static void shrink(struct onri_pool *pool, size_t most) {
  for (size_t bin = ONRI_POOL_BINS; bin-- > 0;) {
    while (pool->spare > most && pool->bins[bin]) {
      struct onri_spare *spare = pool->bins[bin];
      pool->bins[bin] = spare->next;
      pool->spare -= spare->bytes;
      onri_meter_give(pool->meter, spare, spare->bytes);
    }
  }
}

static void *fresh(struct onri_pool *pool, size_t bytes) {
  size_t after;
  if (!onri_add_size(pool->live, bytes, &after)) return NULL;
  const size_t most = after > pool->most_live ? after : pool->most_live;
  shrink(pool, most - after + most / SLACK_PART + SLACK);
  void *memory = onri_meter_take(pool->meter, bytes, ONRI_ALIGNMENT);
  if (memory || !pool->spare) return memory;
  shrink(pool, 0);
  return onri_meter_take(pool->meter, bytes, ONRI_ALIGNMENT);
}

void *onri_pool_take(struct onri_pool *pool, size_t bytes, size_t *held) {
  if (bytes < sizeof(struct onri_spare)) bytes = sizeof(struct onri_spare);
  void *memory = find(pool, bytes, held);
  if (!memory) {
    memory = fresh(pool, bytes);
    *held = bytes;
  }
  if (!memory) return NULL;
  pool->live += *held;
  if (pool->live > pool->most_live) pool->most_live = pool->live;
  return memory;
}

void onri_pool_give(struct onri_pool *pool, void *memory, size_t held) {
  struct onri_spare *spare = memory;
  if (!memory) return;
  pool->live -= held;
  if (ONRI_WATCHED) {
    onri_meter_give(pool->meter, memory, held);
    return;
  }
  *spare = (struct onri_spare){pool->bins[bin_of(held)], held};
  pool->bins[bin_of(held)] = spare;
  pool->spare += held;
}

void onri_pool_clear(struct onri_pool *pool) {
  shrink(pool, 0);
  pool->most_live = pool->live;
}

/* --- as an allocator --- */

/* Up to the next quarter of a power of two: what grows a little is as large as before. */
static size_t rounded(size_t bytes) {
  size_t quarter = 16;
  if (ONRI_WATCHED || bytes > ROUNDED) return bytes;
  while (quarter * 8 <= bytes) quarter *= 2;
  return (bytes + quarter - 1) & ~(quarter - 1);
}

static void *allocate(void *context, size_t bytes, size_t alignment) {
  const size_t room = alignment > ONRI_ALIGNMENT ? alignment : ONRI_ALIGNMENT;
  struct header header;
  size_t total;
  if (!onri_add_size(bytes, room, &total)) return NULL;
  header.start = onri_pool_take(context, rounded(total), &header.held);
  if (!header.start) return NULL;
  const uintptr_t end = (uintptr_t)header.start + room;
  char *memory = (char *)header.start + room - end % room;
  memcpy(memory - sizeof(header), &header, sizeof(header));
  return memory;
}

static void release(void *context, void *memory) {
  struct header header;
  if (!memory) return;
  memcpy(&header, (char *)memory - sizeof(header), sizeof(header));
  onri_pool_give(context, header.start, header.held);
}

void onri_pool_init(struct onri_pool *pool, struct onri_meter *meter) {
  *pool = (struct onri_pool){.allocator = {pool, allocate, release}, .meter = meter};
}
