/* plan_cache.c: a hash table for finding, a list for forgetting. */
#include "exec/plan_cache.h"

#include <string.h>

#include "exec/plan.h"

enum { FIRST_BUCKETS = 64, LEAST_SPARE_BYTES = 2 << 20 };

static uint64_t mix(uint64_t hash, uint64_t part) { return (hash ^ part) * 0x9E3779B97F4A7C15u ^ hash >> 29; }

static size_t hash_of(const struct onri_workspace *space, const struct onr_tensor *inputs) {
  uint64_t hash = (uintptr_t)space;
  for (size_t i = 0; i < space->graph->num_inputs; i++) {
    const struct onr_desc *d = &inputs[i].desc;
    hash = mix(hash, (uint64_t)d->dtype << 8 | (uint64_t)d->rank);
    for (int32_t k = 0; k < d->rank; k++) hash = mix(hash, (uint64_t)d->dim[k]);
  }
  return (size_t)(hash ^ hash >> 32);
}

static void unlink_use(struct onri_plan_cache *cache, struct onri_plan *plan) {
  if (plan->newer) plan->newer->older = plan->older;
  else cache->newest = plan->older;
  if (plan->older) plan->older->newer = plan->newer;
  else cache->oldest = plan->newer;
}

static void link_use(struct onri_plan_cache *cache, struct onri_plan *plan) {
  plan->newer = NULL;
  plan->older = cache->newest;
  if (cache->newest) cache->newest->newer = plan;
  else cache->oldest = plan;
  cache->newest = plan;
}

struct onri_plan *onri_plan_cache_find(struct onri_plan_cache *cache, const struct onri_workspace *space,
                                       const struct onr_tensor *inputs) {
  struct onri_plan *plan = space->plan;
  if (!plan || !onri_plan_fits(plan, inputs)) {
    const size_t hash = hash_of(space, inputs);
    plan = cache->num_buckets ? cache->buckets[hash & (cache->num_buckets - 1)] : NULL;
    while (plan && (plan->hash != hash || plan->space != space || !onri_plan_fits(plan, inputs))) plan = plan->next;
  }
  if (!plan || plan == cache->newest) return plan;
  unlink_use(cache, plan);
  link_use(cache, plan);
  return plan;
}

static void insert(struct onri_plan_cache *cache, struct onri_plan *plan) {
  struct onri_plan **bucket = &cache->buckets[plan->hash & (cache->num_buckets - 1)];
  plan->next = *bucket;
  *bucket = plan;
}

/* Twice the buckets. Without memory for them the chains grow longer. */
static void grow(struct onri_plan_cache *cache, const struct onr_allocator *allocator) {
  const size_t count = cache->num_buckets ? 2 * cache->num_buckets : FIRST_BUCKETS;
  struct onri_plan **buckets = onri_allocate_zeroed(allocator, count * sizeof(*buckets));
  if (!buckets) return;
  onri_release(allocator, cache->buckets);
  cache->buckets = buckets;
  cache->num_buckets = count;
  for (struct onri_plan *plan = cache->newest; plan; plan = plan->older) insert(cache, plan);
}

static void note_size(struct onri_plan_cache *cache, const struct onri_plan *plan) {
  if (plan->bytes > cache->largest) cache->largest = plan->bytes;
  if (plan->bytes > plan->space->plan_bytes) plan->space->plan_bytes = plan->bytes;
}

enum onr_status onri_plan_cache_add(struct onri_plan_cache *cache, struct onri_plan *plan, struct onr_error *error) {
  if (cache->num_plans >= cache->num_buckets) grow(cache, plan->space->run->env.allocator);
  if (!cache->num_buckets) {
    onri_plan_destroy(plan);
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to keep a plan");
  }
  plan->hash = hash_of(plan->space, plan->inputs);
  insert(cache, plan);
  link_use(cache, plan);
  cache->num_plans++;
  cache->bytes += plan->bytes;
  note_size(cache, plan);
  return ONR_STATUS_OK;
}

void onri_plan_cache_resize(struct onri_plan_cache *cache, struct onri_plan *plan, size_t bytes) {
  cache->bytes = cache->bytes - plan->bytes + bytes;
  plan->bytes = bytes;
  note_size(cache, plan);
}

static void remove_plan(struct onri_plan_cache *cache, struct onri_plan *plan) {
  struct onri_plan **link = &cache->buckets[plan->hash & (cache->num_buckets - 1)];
  while (*link != plan) link = &(*link)->next;
  *link = plan->next;
  unlink_use(cache, plan);
  cache->num_plans--;
  cache->bytes -= plan->bytes;
  if (plan->space->plan == plan) plan->space->plan = NULL;
}

/* The oldest that may go. */
static struct onri_plan *next_to_go(const struct onri_plan_cache *cache, const struct onri_plan *plan) {
  struct onri_plan *old = cache->oldest;
  while (old && (old == plan || old == old->space->pinned)) old = old->newer;
  return old;
}

void onri_plan_cache_trim(struct onri_plan_cache *cache, uint64_t bytes, const struct onri_plan *plan) {
  struct onri_plan *old;
  while (cache->bytes > bytes && (old = next_to_go(cache, plan)) != NULL) {
    remove_plan(cache, old);
    onri_plan_destroy(old);
  }
}

struct onri_plan *onri_plan_cache_room(struct onri_plan_cache *cache, uint64_t bytes,
                                       const struct onri_workspace *space) {
  struct onri_plan *old, *first = NULL;
  while (cache->bytes > bytes && (old = next_to_go(cache, NULL)) != NULL) {
    remove_plan(cache, old);
    if (!first && old->space == space) first = old;
    else onri_plan_destroy(old);
  }
  return first;
}

/* Besides the largest plan, which is needed anyway, plans may take an eighth of everything else: sessions that see ever
 * new shapes stay near the size of their largest. Where states grow, one plan hands what it holds to the next. */
uint64_t onri_plan_cache_limit(const struct onri_run *run) {
  const uint64_t held = atomic_load_explicit(&run->env.meter->held, memory_order_relaxed) - run->pool.spare;
  uint64_t spare = (held - run->plans.bytes + run->plans.largest) / 8;
  if (run->plan_bytes) return run->plan_bytes;
  if (run->grows) return 2 * (uint64_t)run->plans.largest;
  if (spare < LEAST_SPARE_BYTES) spare = LEAST_SPARE_BYTES;
  return run->plans.largest + spare < run->env.limits.plan_bytes ? run->plans.largest + spare
                                                                 : run->env.limits.plan_bytes;
}

int onri_plan_cache_empty(struct onri_plan_cache *cache) {
  const size_t before = cache->num_plans;
  onri_plan_cache_trim(cache, 0, NULL);
  return cache->num_plans < before;
}

void onri_plan_cache_clear(struct onri_plan_cache *cache, const struct onr_allocator *allocator) {
  while (cache->newest) {
    struct onri_plan *plan = cache->newest;
    remove_plan(cache, plan);
    onri_plan_destroy(plan);
  }
  onri_release(allocator, cache->buckets);
  *cache = (struct onri_plan_cache){0};
}
