/* plan_cache.h: keeps the plans of a session within a bound. */
#ifndef ONRI_PLAN_CACHE_H
#define ONRI_PLAN_CACHE_H

#include "exec/workspace.h"

/* The plan of this graph for inputs of these shapes, now the most recently used; NULL when there is none. */
struct onri_plan *onri_plan_cache_find(struct onri_plan_cache *cache, const struct onri_workspace *space,
                                       const struct onr_tensor *inputs);
/* Takes it over, as the most recently used. On failure it is destroyed. */
enum onr_status onri_plan_cache_add(struct onri_plan_cache *cache, struct onri_plan *plan, struct onr_error *error);
/* A plan in the cache now holds so much. */
void onri_plan_cache_resize(struct onri_plan_cache *cache, struct onri_plan *plan, size_t bytes);
/* Drops the least recently used plans until the rest take no more than `bytes`; `plan` (may be NULL) and those that are
 * pinned stay. */
void onri_plan_cache_trim(struct onri_plan_cache *cache, uint64_t bytes, const struct onri_plan *plan);
/* The same for one more plan of this graph; returns the first of its plans that left, now the caller's, or NULL. */
struct onri_plan *onri_plan_cache_room(struct onri_plan_cache *cache, uint64_t bytes,
                                       const struct onri_workspace *space);
/* The most that all plans of this session may take now. */
uint64_t onri_plan_cache_limit(const struct onri_run *run);
/* Drops all that are not pinned. Returns 1 when one was. */
int onri_plan_cache_empty(struct onri_plan_cache *cache);
void onri_plan_cache_clear(struct onri_plan_cache *cache, const struct onr_allocator *allocator);

#endif
