/* planner.h: locations blocks with lifetimes in one arena. Knows nothing of graphs. */
#ifndef ONRI_PLANNER_H
#define ONRI_PLANNER_H

#include <stddef.h>
#include <stdint.h>

#include "onnxrun/runtime.h"

struct onri_block {
  size_t bytes;        /* 0 is allowed; padding and slack included */
  int32_t first, last; /* alive from step `first` to step `last`, both inclusive */
  size_t offset;       /* result; a multiple of ONRI_ALIGNMENT */
};

/* Blocks whose lifetimes meet do not overlap. *arena_bytes: the room needed. NO_MEMORY or LIMIT (sum overflows). */
enum onr_status onri_plan_blocks(struct onri_block *blocks, size_t count, const struct onr_allocator *allocator,
                                 size_t *arena_bytes, struct onr_error *error);
#endif
