/* meter.h: an allocator that counts what it has given out and refuses what would exceed a limit. A model has one, and
 * so has each session: all memory of theirs comes through it, so what a file makes us hold is counted in one place,
 * before it is held. */
#ifndef ONRI_METER_H
#define ONRI_METER_H

#include <stdatomic.h>

#include "base/memory/memory.h"

struct onri_meter {
  struct onr_allocator allocator; /* what to hand out; it points to this struct, which must stay where it is */
  const struct onr_allocator *under;
  const char *name; /* of the limit, for messages */
  uint64_t limit;
  _Atomic uint64_t held;
  _Atomic uint64_t refused,
      held_then;     /* the last request that was refused for the limit, in bytes (0: none), and `held` at that time */
  atomic_int failed; /* a request, whatever the reason */
};

/* The limit is total_bytes. `held`: what counts from the start, and never leaves. */
void onri_meter_init(struct onri_meter *meter, const struct onr_allocator *under, uint64_t limit, uint64_t held);
/* Memory whose size the caller knows when it gives it back: counted, and nothing is kept in front of it. */
void *onri_meter_take(struct onri_meter *meter, size_t bytes, size_t alignment);
void onri_meter_give(struct onri_meter *meter, void *memory, size_t bytes);
/* Another limit from now on. While others use the meter, too: not allowed. */
void onri_meter_set_limit(struct onri_meter *meter, const char *name, uint64_t limit);
/* 1 when the limit was the reason of a failed allocation since this was asked last. Whoever asks goes on without that
 * memory. meter may be NULL. */
int onri_meter_take_refusal(struct onri_meter *meter);
/* For the end of a public function: a NO_MEMORY whose reason was the limit becomes LIMIT, with the numbers. Other
 * statuses pass. meter may be NULL. */
enum onr_status onri_meter_settle(struct onri_meter *meter, enum onr_status status, struct onr_error *error);
/* The same for what makes or writes a model, which must be the same however much memory there is: where an allocation
 * has failed and nobody has asked for it (onri_meter_take_refusal), whatever came out is NO_MEMORY or LIMIT. */
enum onr_status onri_meter_settle_model(struct onri_meter *meter, enum onr_status status, struct onr_error *error);

#endif
