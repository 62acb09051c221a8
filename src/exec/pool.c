#include "exec/pool.h"

#include "base/numbers/checked.h"

/* At the start of spare memory. */
struct onri_spare {
  struct onri_spare *next;
  size_t bytes;
};

enum { MOST_TRIED = 8, SLACK = 64 << 10, LEAST_BYTES = 4096 };

static size_t bin_of(size_t bytes) {
  size_t bin = 0;
  while (bytes >>= 1) bin++;
  return bin < ONRI_POOL_BINS ? bin : ONRI_POOL_BINS - 1;
}

/* Not much more than is needed, so that small values do not keep large memory. */
static void *find(struct onri_pool *pool, size_t bytes, size_t *held) {
  const size_t first = bin_of(bytes);
  for (size_t bin = first; bin < ONRI_POOL_BINS && bin <= first + 1; bin++) {
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
      onri_release(pool->allocator, spare);
    }
  }
}

void *onri_pool_take(struct onri_pool *pool, size_t bytes, size_t *held) {
  void *memory;
  if (bytes < sizeof(struct onri_spare)) bytes = sizeof(struct onri_spare);
  memory = find(pool, bytes, held);
  if (!memory) {
    const size_t most = pool->most_live + pool->most_live / 2 + SLACK;
    size_t after;
    if (!onri_add_size(pool->live, bytes, &after)) return NULL;
    shrink(pool, most > after ? most - after : 0);
    memory = onri_allocate(pool->allocator, bytes);
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
  if (ONRI_WATCHED || held < LEAST_BYTES) {
    onri_release(pool->allocator, memory);
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
