/* crew.c: see crew.h. */
#include "base/crew.h"

#include <stdatomic.h>

#include "base/memory/memory.h"
#include "base/system/machine.h"
#include "base/system/thread.h"

/* A job is a number, how many threads may take part, and behind it how many of them came. */
enum { CAME = 16, MOST = 16, LINE = 64 };
#define CAME_OF(gate) ((size_t)((gate) & (((uint64_t)1 << CAME) - 1)))
#define MOST_OF(gate) ((size_t)((gate) >> CAME & (((uint64_t)1 << MOST) - 1)))
#define JOB_OF(gate) ((gate) >> (CAME + MOST))

/* Who waits looks so often before others may have the core, and sleeps behind a millisecond: layers follow one another
 * sooner. */
enum { LOOKS = 64, AWAKE_NS = 1000000 };

struct member {
  struct onri_crew *crew;
  struct onri_thread thread;
  size_t index;
};

struct onri_crew {
  _Alignas(LINE) _Atomic uint64_t gate;
  _Alignas(LINE) _Atomic size_t done; /* threads that left the job, but for the caller */
  _Alignas(LINE) atomic_flag is_busy;
  const struct onr_allocator *allocator;
  void (*task)(void *argument, size_t i);
  void *argument;
  atomic_int stops;
  _Atomic uint32_t sleepers;
  struct onri_lock lock; /* for those who sleep */
  struct onri_condition wake;
  unsigned forks; /* before its threads were started */
  uint32_t num_threads;
  struct member members[]; /* num_threads - 1 */
};

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ __volatile__("yield");
#endif
}

/* A child has none of its parent's threads. */
static int is_orphan(const struct onri_crew *c) { return onri_thread_forks() != c->forks; }

static int has_news(struct onri_crew *c, uint64_t job) {
  return JOB_OF(atomic_load_explicit(&c->gate, memory_order_acquire)) != job ||
         atomic_load_explicit(&c->stops, memory_order_relaxed);
}

static void sleep_until_news(struct onri_crew *c, uint64_t job) {
  onri_lock_take(&c->lock);
  atomic_fetch_add(&c->sleepers, 1); /* before the gate is looked at: who opens it does the reverse */
  while (JOB_OF(atomic_load(&c->gate)) == job && !atomic_load(&c->stops)) onri_condition_wait(&c->wake, &c->lock);
  atomic_fetch_sub(&c->sleepers, 1);
  onri_lock_leave(&c->lock);
}

static void wait_for_news(struct onri_crew *c, uint64_t job) {
  const uint64_t end = onri_machine_clock() + AWAKE_NS;
  do {
    for (int i = 0; i < LOOKS; i++) {
      if (has_news(c, job)) return;
      relax();
    }
    onri_thread_yield();
  } while (onri_machine_clock() < end);
  sleep_until_news(c, job);
}

/* Takes part in job `gate` if it is one for this thread and still open. */
static void join_in(struct onri_crew *c, size_t index, uint64_t gate) {
  const uint64_t job = JOB_OF(gate);
  while (JOB_OF(gate) == job && index < MOST_OF(gate))
    if (atomic_compare_exchange_weak_explicit(&c->gate, &gate, gate + 1, memory_order_acquire, memory_order_acquire)) {
      c->task(c->argument, index);
      atomic_fetch_add_explicit(&c->done, 1, memory_order_release);
      return;
    }
}

static void work(void *member) {
  const struct member *m = member;
  struct onri_crew *c = m->crew;
  uint64_t job = 0;
  while (!atomic_load_explicit(&c->stops, memory_order_relaxed)) {
    const uint64_t gate = atomic_load_explicit(&c->gate, memory_order_acquire);
    if (JOB_OF(gate) == job) {
      wait_for_news(c, job);
      continue;
    }
    job = JOB_OF(gate);
    join_in(c, m->index, gate);
  }
}

static void wake(struct onri_crew *c) {
  if (atomic_load(&c->sleepers) == 0) return;
  onri_lock_take(&c->lock);
  onri_condition_wake_all(&c->wake);
  onri_lock_leave(&c->lock);
}

/* Lets nobody in any more, and waits for those who came. */
static void finish(struct onri_crew *c, uint64_t job) {
  const uint64_t closed = job << (CAME + MOST);
  const size_t came = CAME_OF(atomic_exchange_explicit(&c->gate, closed, memory_order_acq_rel));
  for (int looks = 0; atomic_load_explicit(&c->done, memory_order_acquire) != came; looks++) {
    if (looks % LOOKS < LOOKS - 1) relax();
    else onri_thread_yield();
  }
}

void onri_crew_run(void *crew, size_t count, void (*task)(void *argument, size_t i), void *argument) {
  struct onri_crew *c = crew;
  if (count < 2 || is_orphan(c) || atomic_flag_test_and_set_explicit(&c->is_busy, memory_order_acquire)) {
    task(argument, 0);
    return;
  }
  const uint64_t job = JOB_OF(atomic_load_explicit(&c->gate, memory_order_relaxed)) + 1;
  c->task = task, c->argument = argument;
  atomic_store_explicit(&c->done, 0, memory_order_relaxed);
  atomic_store(&c->gate, job << (CAME + MOST) | (uint64_t)count << CAME);
  wake(c);
  task(argument, 0);
  finish(c, job);
  atomic_flag_clear_explicit(&c->is_busy, memory_order_release);
}

struct onri_crew *onri_crew_create(uint32_t num_threads, const struct onr_allocator *allocator) {
  struct onri_crew *c = onri_allocate(allocator, sizeof(*c) + (num_threads - 1) * sizeof(struct member));
  if (!c) return NULL;
  *c = (struct onri_crew){
      .is_busy = ATOMIC_FLAG_INIT, .allocator = allocator, .forks = onri_thread_forks(), .num_threads = 1};
  onri_lock_init(&c->lock);
  onri_condition_init(&c->wake);
  for (; c->num_threads < num_threads; c->num_threads++) {
    struct member *m = &c->members[c->num_threads - 1];
    *m = (struct member){.crew = c, .index = c->num_threads};
    if (onri_thread_start(&m->thread, work, m)) continue;
    onri_crew_destroy(c);
    return NULL;
  }
  return c;
}

static void stop(struct onri_crew *c) {
  onri_lock_take(&c->lock);
  atomic_store(&c->stops, 1);
  onri_condition_wake_all(&c->wake);
  onri_lock_leave(&c->lock);
  for (uint32_t i = 0; i + 1 < c->num_threads; i++) onri_thread_join(&c->members[i].thread);
  onri_condition_clear(&c->wake);
  onri_lock_clear(&c->lock);
}

void onri_crew_destroy(struct onri_crew *crew) {
  if (!crew) return;
  if (!is_orphan(crew)) stop(crew);
  onri_release(crew->allocator, crew);
}
