/* meter.c: the size of a block, and where it starts, stand right before it. */
#include "base/memory/meter.h"

#include <stdio.h>
#include <string.h>

#include "base/numbers/checked.h"

struct block {
  size_t bytes, room; /* with the room before it; that room */
};

void *onri_meter_take(struct onri_meter *m, size_t bytes, size_t alignment) {
  const uint64_t before = atomic_fetch_add_explicit(&m->held, bytes, memory_order_relaxed);
  const int refused = before > m->limit || bytes > m->limit - before;
  void *memory = refused ? NULL : m->under->allocate(m->under->context, bytes, alignment);
  if (memory) return memory;
  atomic_fetch_sub_explicit(&m->held, bytes, memory_order_relaxed);
  atomic_store_explicit(&m->failed, 1, memory_order_relaxed);
  if (!refused) return NULL;
  atomic_store_explicit(&m->held_then, before, memory_order_relaxed);
  atomic_store_explicit(&m->refused, bytes, memory_order_relaxed);
  return NULL;
}

void onri_meter_give(struct onri_meter *m, void *memory, size_t bytes) {
  atomic_fetch_sub_explicit(&m->held, bytes, memory_order_relaxed);
  m->under->release(m->under->context, memory);
}

static void *meter_allocate(void *context, size_t bytes, size_t alignment) {
  struct block block = {.room = alignment > sizeof(block) ? alignment : sizeof(block)};
  if (!onri_add_size(bytes, block.room, &block.bytes)) return NULL;
  char *start = onri_meter_take(context, block.bytes, alignment);
  if (!start) return NULL;
  memcpy(start + block.room - sizeof(block), &block, sizeof(block));
  return start + block.room;
}

static void meter_release(void *context, void *memory) {
  struct block block;
  if (!memory) return;
  memcpy(&block, (char *)memory - sizeof(block), sizeof(block));
  onri_meter_give(context, (char *)memory - block.room, block.bytes);
}

void onri_meter_init(struct onri_meter *meter, const struct onr_allocator *under, uint64_t limit, uint64_t held) {
  meter->allocator = (struct onr_allocator){meter, meter_allocate, meter_release};
  meter->under = under;
  onri_meter_set_limit(meter, "the limit total_bytes", limit);
  atomic_init(&meter->held, held);
  atomic_init(&meter->refused, 0);
  atomic_init(&meter->held_then, 0);
  atomic_init(&meter->failed, 0);
}

void onri_meter_set_limit(struct onri_meter *meter, const char *name, uint64_t limit) {
  meter->name = name;
  meter->limit = limit;
}

int onri_meter_take_refusal(struct onri_meter *meter) {
  if (!meter) return 0;
  atomic_store(&meter->failed, 0);
  return atomic_exchange(&meter->refused, 0) != 0;
}

enum onr_status onri_meter_settle(struct onri_meter *meter, enum onr_status status, struct onr_error *error) {
  unsigned long long refused, held;
  struct onr_error before;
  if (!meter) return status;
  refused = atomic_exchange(&meter->refused, 0);
  atomic_store(&meter->failed, 0);
  held = atomic_load(&meter->held_then);
  if (status != ONR_STATUS_NO_MEMORY || !refused) return status;
  if (!error) return ONR_STATUS_LIMIT;
  before = *error;
  onr_fail(error, ONR_STATUS_LIMIT, "%s of %llu bytes: %llu are held and %llu more are needed (%.200s)", meter->name,
           (unsigned long long)meter->limit, held, refused, before.message);
  memcpy(error->where, before.where, sizeof(error->where));
  return ONR_STATUS_LIMIT;
}

enum onr_status onri_meter_settle_model(struct onri_meter *meter, enum onr_status status, struct onr_error *error) {
  const int lacks = meter && atomic_load(&meter->failed);
  char what[256];
  if (!lacks || status == ONR_STATUS_NO_MEMORY || status == ONR_STATUS_CANCELLED)
    return onri_meter_settle(meter, status, error);
  if (error)
    snprintf(what, sizeof(what), "%s", status == ONR_STATUS_OK ? "some of the model is missing" : error->message);
  return onri_meter_settle(
      meter, error ? onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory (%s)", what) : ONR_STATUS_NO_MEMORY, error);
}
