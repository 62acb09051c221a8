/* threads.c: struct onr_threads over a crew of our own (ONNXRUN_CREW), over pthreadpool where XNNPACK takes no other,
 * or one thread. */
#include "base/threads.h"

#include <stdatomic.h>

#include "base/crew.h"
#include "base/memory/memory.h"
#include "base/sized.h"
#include "base/system/machine.h"
#include "base/system/thread.h"

#ifdef ONNXRUN_HAVE_PTHREADPOOL
#include <pthreadpool.h>
#endif

struct onr_threads {
  const struct onr_allocator *allocator;
  struct pthreadpool *pool;      /* NULL: one thread, a crew or the caller's */
  struct onri_crew *crew;        /* NULL: none of ours */
  struct onr_thread_pool custom; /* the crew's or the caller's; run NULL: none */
};

enum { MOST_THREADS = 1024 };

#if defined(ONNXRUN_CREW) || defined(ONNXRUN_HAVE_PTHREADPOOL)
/* More threads than cores would wait for one another. */
static uint32_t count_cores(void) {
  const uint32_t count = onri_machine_cores();
  return count > MOST_THREADS ? MOST_THREADS : count;
}

#ifndef ONNXRUN_CREW
static void pass_gate(void *gate) {
  onri_lock_take(gate);
  onri_lock_leave(gate);
}

/* pthreadpool waits for its threads without having looked whether they started, so as many are started here first, all
 * alive at the same time. */
static int can_start(uint32_t num_threads) {
  struct onri_lock gate = ONRI_LOCK_INIT;
  struct onri_thread threads[MOST_THREADS];
  uint32_t started = 0;
  onri_lock_take(&gate);
  while (started < num_threads && onri_thread_start(&threads[started], pass_gate, &gate)) started++;
  onri_lock_leave(&gate);
  for (uint32_t i = 0; i < started; i++) onri_thread_join(&threads[i]);
  return started == num_threads;
}
#endif

static int start(struct onr_threads *threads, uint32_t num_threads) {
#ifdef ONNXRUN_CREW
  threads->crew = onri_crew_create(num_threads, threads->allocator);
  threads->custom =
      (struct onr_thread_pool){.num_threads = num_threads, .context = threads->crew, .run = onri_crew_run};
  return threads->crew != NULL;
#else
  if (can_start(num_threads - 1)) threads->pool = pthreadpool_create(num_threads);
  return threads->pool != NULL;
#endif
}

/* One thread needs no others. */
static enum onr_status start_threads(struct onr_threads *threads, uint32_t num_threads, struct onr_error *error) {
  if (num_threads > MOST_THREADS)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "expected at most %d threads, got %u", MOST_THREADS, num_threads);
  if (!num_threads) num_threads = count_cores();
  if (num_threads == 1 || start(threads, num_threads)) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_NO_MEMORY,
                  "the system does not start %u more threads; ask for fewer, or raise its limits on threads and memory",
                  num_threads - 1);
}
#else
static enum onr_status start_threads(struct onr_threads *threads, uint32_t num_threads, struct onr_error *error) {
  (void)threads, (void)num_threads, (void)error;
  return ONR_STATUS_OK;
}
#endif

/* No threads yet. */
static enum onr_status create(const struct onr_allocator *allocator, struct onr_threads **threads,
                              struct onr_error *error) {
  if (!threads) return onr_fail(error, ONR_STATUS_ARGUMENT, "threads must not be NULL");
  *threads = NULL;
  ONR_TRY(onri_allocator_choose(allocator, &allocator, error));
  *threads = onri_allocate_zeroed(allocator, sizeof(**threads));
  if (!*threads) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a thread pool");
  (*threads)->allocator = allocator;
  return ONR_STATUS_OK;
}

enum onr_status onr_threads_create(uint32_t num_threads, const struct onr_allocator *allocator,
                                   struct onr_threads **threads, struct onr_error *error) {
  ONR_TRY(create(allocator, threads, error));
  const enum onr_status status = start_threads(*threads, num_threads, error);
  if (status == ONR_STATUS_OK) return status;
  onr_threads_destroy(*threads);
  *threads = NULL;
  return status;
}

enum onr_status onr_threads_create_custom(const struct onr_thread_pool *pool, const struct onr_allocator *allocator,
                                          struct onr_threads **threads, struct onr_error *error) {
  struct onr_thread_pool own;
  if (threads) *threads = NULL;
  if (!pool) return onr_fail(error, ONR_STATUS_ARGUMENT, "pool must not be NULL");
  ONR_TRY(ONRI_SIZED_READ(&own, pool, onr_thread_pool, error));
  if (!own.run || own.num_threads < 1 || own.num_threads > MOST_THREADS)
    return onr_fail(error, ONR_STATUS_ARGUMENT,
                    "struct onr_thread_pool: expected run, and num_threads in 1..%d, got %u", MOST_THREADS,
                    own.num_threads);
  ONR_TRY(create(allocator, threads, error));
  (*threads)->custom = own;
  return ONR_STATUS_OK;
}

uint32_t onr_threads_count(const struct onr_threads *threads) {
  if (threads && threads->custom.run) return threads->custom.num_threads;
#ifdef ONNXRUN_HAVE_PTHREADPOOL
  if (threads && threads->pool) return (uint32_t)pthreadpool_get_threads_count(threads->pool);
#else
  (void)threads;
#endif
  return 1;
}

void onr_threads_destroy(struct onr_threads *threads) {
  if (!threads) return;
#if defined(ONNXRUN_CREW)
  onri_crew_destroy(threads->crew);
#elif defined(ONNXRUN_HAVE_PTHREADPOOL)
  if (threads->pool) pthreadpool_destroy(threads->pool);
#endif
  onri_release(threads->allocator, threads);
}

struct pthreadpool *onri_threads_pool(const struct onr_threads *threads) {
#ifdef ONNXRUN_POOL_BRIDGE
  if (threads && threads->custom.run) return onri_pool_disguise(&threads->custom);
#endif
  return threads ? threads->pool : NULL;
}

#ifdef ONNXRUN_HAVE_PTHREADPOOL
struct range_job {
  void (*body)(void *context, size_t begin, size_t end);
  void *context;
};

static void run_range(void *argument, size_t begin, size_t count) {
  const struct range_job *job = argument;
  job->body(job->context, begin, begin + count);
}
#endif

/* --- a crew, or the caller's pool: each of its threads takes ranges until there are no more --- */

void onri_shares_init(struct onri_shares *s, size_t count, size_t threads) {
  const size_t chunk = count / (threads * ONRI_SHARE_CHUNKS) + 1, chunks = count / chunk + (count % chunk != 0);
  s->count = count, s->chunk = chunk, s->shares = threads < ONRI_SHARES ? threads : ONRI_SHARES;
  for (size_t i = 0; i < s->shares; i++) {
    const uint64_t first = chunks * i / s->shares, end = chunks * (i + 1) / s->shares;
    atomic_init(&s->share[i].left, end << 32 | first);
  }
}

/* A chunk of one share: the first, or the last of another thread's. */
static int take_chunk(_Atomic uint64_t *share, int is_own, size_t *chunk) {
  const uint64_t one = 1;
  uint64_t left = atomic_load_explicit(share, memory_order_relaxed);
  while ((uint32_t)left < left >> 32) {
    *chunk = is_own ? (uint32_t)left : (left >> 32) - 1;
    if (atomic_compare_exchange_weak_explicit(share, &left, is_own ? left + one : left - (one << 32),
                                              memory_order_relaxed, memory_order_relaxed))
      return 1;
  }
  return 0;
}

int onri_shares_take(struct onri_shares *s, size_t thread, size_t *from, size_t *to) {
  size_t chunk;
  for (size_t i = 0; i < s->shares; i++) {
    if (!take_chunk(&s->share[(thread + i) % s->shares].left, i == 0, &chunk)) continue;
    *from = chunk * s->chunk;
    *to = s->count - *from < s->chunk ? s->count : *from + s->chunk;
    return 1;
  }
  return 0;
}

struct shared_range {
  void (*body)(void *context, size_t begin, size_t end);
  void *context;
  size_t count, grain;
  struct onri_shares shares; /* of grains */
};

static void take_ranges(void *argument, size_t thread) {
  struct shared_range *r = argument;
  for (size_t from, to; onri_shares_take(&r->shares, thread, &from, &to);)
    for (size_t begin = from * r->grain; from < to; from++, begin += r->grain)
      r->body(r->context, begin, r->count - begin < r->grain ? r->count : begin + r->grain);
}

static void run_custom(const struct onr_thread_pool *pool, size_t count, size_t grain,
                       void (*body)(void *context, size_t begin, size_t end), void *context) {
  const size_t grains = count / grain + (count % grain != 0);
  const size_t threads = grains < pool->num_threads ? grains : pool->num_threads;
  struct shared_range range = {.body = body, .context = context, .count = count, .grain = grain};
  onri_shares_init(&range.shares, grains, threads);
  pool->run(pool->context, threads, take_ranges, &range);
}

void onri_threads_for(struct onr_threads *threads, size_t count, size_t grain,
                      void (*body)(void *context, size_t begin, size_t end), void *context) {
  if (!grain) grain = 1;
  if (threads && threads->custom.run && count > grain && count <= SIZE_MAX / 2) {
    run_custom(&threads->custom, count, grain, body, context);
    return;
  }
#ifdef ONNXRUN_HAVE_PTHREADPOOL
  if (threads && threads->pool && count > grain) {
    struct range_job job = {body, context};
    pthreadpool_parallelize_1d_tile_1d(threads->pool, run_range, &job, count, grain, 0);
    return;
  }
#else
  (void)threads;
#endif
  for (size_t begin = 0; begin < count; begin += grain)
    body(context, begin, count - begin < grain ? count : begin + grain);
}
