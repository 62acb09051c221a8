/* planner.c: each block in the smallest gap that fits among the blocks alive at the same time, in the best of a few
 * orders: no order is good for all graphs, and one of these is mostly within some percent of what is alive at once.
 * That is quadratic, so graphs of more than EXACT_BLOCKS blocks are placed in the order of their steps from a list of
 * free gaps, the MOST_GAPS largest. */
#include "exec/planner.h"

#include <stdlib.h>
#include <string.h>

#include "base/numbers/checked.h"
#include "base/memory/memory.h"

enum { EXACT_BLOCKS = 4096, MOST_GAPS = 256 };

struct gap {
  size_t offset, bytes;
};

static int larger_first(const void *a, const void *b) {
  const struct onri_block *x = *(struct onri_block *const *)a, *y = *(struct onri_block *const *)b;
  if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
  if (x->first != y->first) return x->first < y->first ? -1 : 1;
  return x < y ? -1 : x > y;
}

static double duration(const struct onri_block *block) { return (double)block->last - block->first + 1; }

static int longer_first(const void *a, const void *b) {
  const double x = duration(*(struct onri_block *const *)a), y = duration(*(struct onri_block *const *)b);
  return x != y ? (x > y ? -1 : 1) : larger_first(a, b);
}

static int larger_area_first(const void *a, const void *b) {
  const struct onri_block *p = *(struct onri_block *const *)a, *q = *(struct onri_block *const *)b;
  const double x = duration(p) * (double)p->bytes, y = duration(q) * (double)q->bytes;
  return x != y ? (x > y ? -1 : 1) : larger_first(a, b);
}

static int starts_first(const void *a, const void *b) {
  const struct onri_block *x = *(struct onri_block *const *)a, *y = *(struct onri_block *const *)b;
  if (x->first != y->first) return x->first < y->first ? -1 : 1;
  return x < y ? -1 : x > y;
}

static int meets(const struct onri_block *a, const struct onri_block *b) {
  return a->first <= b->last && b->first <= a->last;
}

static size_t rounded(size_t bytes) { return (bytes + ONRI_ALIGNMENT - 1) & ~(size_t)(ONRI_ALIGNMENT - 1); }

/* placed[] is kept in the order of offsets. Finds the smallest gap that fits and returns the offset. */
static size_t best_gap(struct onri_block *const *placed, size_t count, const struct onri_block *block) {
  const size_t need = rounded(block->bytes);
  size_t end = 0, best = SIZE_MAX, best_bytes = SIZE_MAX;
  for (size_t i = 0; i < count; i++) {
    const struct onri_block *other = placed[i];
    if (!meets(block, other)) continue;
    if (other->offset > end && other->offset - end >= need && other->offset - end < best_bytes) {
      best = end;
      best_bytes = other->offset - end;
    }
    if (other->offset + rounded(other->bytes) > end) end = other->offset + rounded(other->bytes);
  }
  return best != SIZE_MAX ? best : end;
}

static size_t place_in_order(struct onri_block **order, size_t count, struct onri_block **placed) {
  size_t arena = 0, num_placed = 0;
  for (size_t i = 0; i < count; i++) {
    struct onri_block *block = order[i];
    size_t at = num_placed;
    if (!block->bytes) continue;
    block->offset = best_gap(placed, num_placed, block);
    while (at > 0 && placed[at - 1]->offset > block->offset) {
      placed[at] = placed[at - 1];
      at--;
    }
    placed[at] = block;
    num_placed++;
    if (block->offset + rounded(block->bytes) > arena) arena = block->offset + rounded(block->bytes);
  }
  return arena;
}

static int ends_first(const void *a, const void *b) {
  const struct onri_block *x = *(struct onri_block *const *)a, *y = *(struct onri_block *const *)b;
  if (x->last != y->last) return x->last < y->last ? -1 : 1;
  return x < y ? -1 : x > y;
}

/* No arena is smaller than what is alive at once. */
static size_t most_alive(struct onri_block **starts, struct onri_block **ends, size_t count) {
  size_t alive = 0, most = 0, e = 0;
  qsort(starts, count, sizeof(*starts), starts_first);
  qsort(ends, count, sizeof(*ends), ends_first);
  for (size_t s = 0; s < count; s++) {
    for (; e < count && ends[e]->last < starts[s]->first; e++) alive -= rounded(ends[e]->bytes);
    alive += rounded(starts[s]->bytes);
    if (alive > most) most = alive;
  }
  return most;
}

static size_t place_best(struct onri_block **order, size_t count, struct onri_block **other) {
  static int (*const orders[])(const void *, const void *) = {larger_first, longer_first, larger_area_first};
  enum { ORDERS = sizeof(orders) / sizeof(orders[0]) };
  const size_t least = most_alive(order, other, count), enough = least + least / 64;
  size_t arena = SIZE_MAX, best = 0, i;
  for (i = 0; i < ORDERS && arena > enough; i++) {
    qsort(order, count, sizeof(*order), orders[i]);
    const size_t bytes = place_in_order(order, count, other);
    if (bytes < arena) arena = bytes, best = i;
  }
  if (best == i - 1) return arena;
  qsort(order, count, sizeof(*order), orders[best]);
  return place_in_order(order, count, other);
}

static void remove_gap(struct gap *gaps, size_t *count, size_t i) {
  memmove(&gaps[i], &gaps[i + 1], (*count - i - 1) * sizeof(*gaps));
  (*count)--;
}

static size_t smallest(const struct gap *gaps, size_t count) {
  size_t least = 0;
  for (size_t i = 1; i < count; i++)
    if (gaps[i].bytes < gaps[least].bytes) least = i;
  return least;
}

/* Returns bytes to the list of gaps (sorted by offset), joining neighbours. */
static void give_back(struct gap *gaps, size_t *count, size_t offset, size_t bytes) {
  size_t i = 0;
  while (i < *count && gaps[i].offset < offset) i++;
  if (i > 0 && gaps[i - 1].offset + gaps[i - 1].bytes == offset) {
    gaps[i - 1].bytes += bytes;
    if (i < *count && gaps[i - 1].offset + gaps[i - 1].bytes == gaps[i].offset) {
      gaps[i - 1].bytes += gaps[i].bytes;
      remove_gap(gaps, count, i);
    }
    return;
  }
  if (i < *count && offset + bytes == gaps[i].offset) {
    gaps[i].offset = offset;
    gaps[i].bytes += bytes;
    return;
  }
  memmove(&gaps[i + 1], &gaps[i], (*count - i) * sizeof(*gaps));
  gaps[i] = (struct gap){offset, bytes};
  (*count)++;
  if (*count > MOST_GAPS) remove_gap(gaps, count, smallest(gaps, *count));
}

static size_t take(struct gap *gaps, size_t *count, size_t bytes, size_t *arena) {
  size_t best = SIZE_MAX, offset;
  for (size_t i = 0; i < *count; i++)
    if (gaps[i].bytes >= bytes && (best == SIZE_MAX || gaps[i].bytes < gaps[best].bytes)) best = i;
  if (best == SIZE_MAX) {
    offset = *arena;
    *arena += bytes;
    return offset;
  }
  offset = gaps[best].offset;
  gaps[best].offset += bytes;
  gaps[best].bytes -= bytes;
  if (!gaps[best].bytes) remove_gap(gaps, count, best);
  return offset;
}

static size_t place_by_time(struct onri_block **starts, struct onri_block **ends, struct gap *gaps, size_t count) {
  size_t arena = 0, num_gaps = 0, e = 0;
  qsort(starts, count, sizeof(*starts), starts_first);
  qsort(ends, count, sizeof(*ends), ends_first);
  for (size_t s = 0; s < count; s++) {
    for (; e < count && ends[e]->last < starts[s]->first; e++)
      if (ends[e]->bytes) give_back(gaps, &num_gaps, ends[e]->offset, rounded(ends[e]->bytes));
    if (starts[s]->bytes) starts[s]->offset = take(gaps, &num_gaps, rounded(starts[s]->bytes), &arena);
  }
  return arena;
}

enum onr_status onri_plan_blocks(struct onri_block *blocks, size_t count, const struct onr_allocator *allocator,
                                 size_t *arena_bytes, struct onr_error *error) {
  struct onri_block **order, **other;
  struct gap *gaps;
  size_t sum = 0;
  *arena_bytes = 0;
  for (size_t i = 0; i < count; i++) {
    size_t bytes;
    blocks[i].offset = 0;
    if (!onri_round_up(blocks[i].bytes, ONRI_ALIGNMENT, &bytes) || !onri_add_size(sum, bytes, &sum))
      return onr_fail(error, ONR_STATUS_LIMIT, "the tensors of one run need more than the address space");
  }
  if (!count) return ONR_STATUS_OK;
  order = onri_allocate(allocator, 2 * count * sizeof(*order));
  gaps = onri_allocate(allocator, (MOST_GAPS + 1) * sizeof(*gaps));
  if (order && gaps) {
    other = order + count;
    for (size_t i = 0; i < count; i++) order[i] = other[i] = &blocks[i];
    *arena_bytes = count <= EXACT_BLOCKS ? place_best(order, count, other) : place_by_time(order, other, gaps, count);
  }
  onri_release(allocator, gaps);
  onri_release(allocator, order);
  return order && gaps ? ONR_STATUS_OK : onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to place %zu tensors", count);
}
