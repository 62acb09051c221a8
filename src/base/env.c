/* env.c: the cancel flag, and the services that layers see. */
#include "base/env.h"

#include <string.h>

#include "base/memory/blocks.h"
#include "base/numbers/checked.h"

void onr_cancel_set(struct onr_cancel *cancel) {
  if (cancel) __atomic_store_n(&cancel->flag, 1, __ATOMIC_RELEASE);
}

void onr_cancel_clear(struct onr_cancel *cancel) {
  if (cancel) __atomic_store_n(&cancel->flag, 0, __ATOMIC_RELEASE);
}

int onr_cancel_is_set(const struct onr_cancel *cancel) {
  return cancel && __atomic_load_n(&cancel->flag, __ATOMIC_RELAXED);
}

int onr_env_cancelled(const struct onr_env *env) { return env && onr_cancel_is_set(env->cancel); }

enum onr_status onri_env_poll(const struct onr_env *env, struct onr_error *error) {
  if (onr_env_cancelled(env)) return onr_fail(error, ONR_STATUS_CANCELLED, "the caller's cancel flag was set");
  return ONR_STATUS_OK;
}

enum onr_status onri_env_copy(const struct onr_env *env, void *to, const void *from, size_t bytes,
                              struct onr_error *error) {
  enum { PIECE = 1 << 22 }; /* memory that is touched for the first time comes at some 0.5 GB/s */
  for (size_t at = 0, count; at < bytes && to != from; at += count) {
    if (at > 0) ONR_TRY(onri_env_poll(env, error));
    count = bytes - at < PIECE ? bytes - at : PIECE;
    if (from) memcpy((char *)to + at, (const char *)from + at, count);
    else memset((char *)to + at, 0, count);
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_env_expect(const struct onr_env *env, size_t bytes, struct onr_error *error) {
  const struct onri_meter *m = env->meter;
  const uint64_t held = m ? atomic_load_explicit(&m->held, memory_order_relaxed) : 0;
  if (!m || (held <= m->limit && bytes <= m->limit - held)) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_LIMIT, "%s of %llu bytes: %llu are held and %zu more are needed", m->name,
                  (unsigned long long)m->limit, (unsigned long long)held, bytes);
}

/* Stands in front of the memory, so that what layers hold can be counted and shared. */
struct block {
  size_t bytes;
  uint32_t owners;
  int32_t is_placed; /* in memory that is not its own */
};
_Static_assert(sizeof(struct block) <= ONRI_ALIGNMENT, "it lies in front of the memory");

static struct block *block_of(void *memory) { return (struct block *)((char *)memory - ONRI_ALIGNMENT); }

void *onr_env_allocate(struct onr_env *env, size_t bytes) {
  size_t total;
  if (!env) return NULL;
  void *memory = onri_add_size(bytes, ONRI_ALIGNMENT, &total) ? onri_allocate(env->allocator, total) : NULL;
  if (!memory) return NULL;
  memory = onri_env_place(env, memory, bytes);
  block_of(memory)->is_placed = 0;
  return memory;
}

void *onri_env_place(struct onr_env *env, void *room, size_t bytes) {
  *(struct block *)room = (struct block){.bytes = bytes, .owners = 1, .is_placed = 1};
  if (env->held_bytes) *env->held_bytes += bytes;
  return (char *)room + ONRI_ALIGNMENT;
}

void onr_env_release(struct onr_env *env, void *memory) {
  if (!env || !memory || onri_blocks_hold(env->blocks, memory) || --block_of(memory)->owners) return;
  if (env->held_bytes) *env->held_bytes -= block_of(memory)->bytes;
  if (!block_of(memory)->is_placed) onri_release(env->allocator, block_of(memory));
}

void onri_env_retain(void *memory) { block_of(memory)->owners++; }

enum onr_backend onr_env_backend(const struct onr_env *env) { return env ? env->backend : ONR_BACKEND_AUTO; }

struct cancellable {
  const struct onr_env *env;
  void (*body)(void *context, size_t begin, size_t end);
  void *context;
};

static void run_unless_cancelled(void *context, size_t begin, size_t end) {
  const struct cancellable *c = context;
  if (!onr_env_cancelled(c->env)) c->body(c->context, begin, end);
}

struct workers {
  const struct onr_env *env;
  void (*body)(void *context, size_t worker, size_t from, size_t to);
  void *context;
  struct onri_shares shares;
};

static void run_workers(void *context, size_t begin, size_t end) {
  struct workers *w = context;
  for (size_t worker = begin; worker < end; worker++)
    for (size_t from, to; !onr_env_cancelled(w->env) && onri_shares_take(&w->shares, worker, &from, &to);)
      w->body(w->context, worker, from, to);
}

void onri_workers_for(struct onr_env *env, size_t workers, size_t items,
                      void (*body)(void *context, size_t worker, size_t from, size_t to), void *context) {
  struct workers w = {.env = env, .body = body, .context = context};
  if (items == 0 || workers == 0) return;
  onri_shares_init(&w.shares, items, workers);
  onr_parallel_for(env, workers, 1, run_workers, &w);
}

void onr_parallel_for(struct onr_env *env, size_t count, size_t grain,
                      void (*body)(void *context, size_t begin, size_t end), void *context) {
  struct cancellable c = {env, body, context};
  if (!env || !body) return;
  if (env->cancel) onri_threads_for(env->threads, count, grain, run_unless_cancelled, &c);
  else onri_threads_for(env->threads, count, grain, body, context);
}
