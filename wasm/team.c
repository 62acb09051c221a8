/* team.c: see team.h. */
#include "team.h"

#include <stdatomic.h>

/* Who waits looks so often, some tens of microseconds, before it sleeps: layers follow one another sooner. */
enum { LOOKS = 20000 };

static struct {
  _Atomic uint32_t job;     /* how many there have been */
  _Atomic uint32_t at_work; /* threads that have not finished it, but for the caller */
  uint32_t num_threads;
  int may_wait;
  size_t count;
  void (*task)(void *argument, size_t i);
  void *argument;
} team;

/* Until *at is something else than `value`. */
static void wait_while(_Atomic uint32_t *at, uint32_t value, int may_wait) {
  for (int looks = 0; atomic_load_explicit(at, memory_order_acquire) == value; looks++)
    if (looks > LOOKS && may_wait) __builtin_wasm_memory_atomic_wait32((int *)at, (int)value, -1);
}

static void wake(_Atomic uint32_t *at) { __builtin_wasm_memory_atomic_notify((int *)at, UINT32_MAX); }

void team_work(uint32_t index) {
  for (uint32_t job = 0;;) {
    wait_while(&team.job, job, 1);
    job++; /* the next one begins when all have left this one */
    if (index < team.count) team.task(team.argument, index);
    if (atomic_fetch_sub(&team.at_work, 1) == 1) wake(&team.at_work);
  }
}

static void wait_for_others(void) {
  for (uint32_t left; (left = atomic_load(&team.at_work)) > 0;) wait_while(&team.at_work, left, team.may_wait);
}

void team_begin(uint32_t num_threads, int may_wait) {
  team.num_threads = num_threads;
  team.may_wait = may_wait;
}

void team_run(void *context, size_t count, void (*task)(void *argument, size_t i), void *argument) {
  (void)context;
  if (count < 2) {
    task(argument, 0);
    return;
  }
  team.count = count, team.task = task, team.argument = argument;
  atomic_store(&team.at_work, team.num_threads - 1);
  atomic_fetch_add(&team.job, 1);
  wake(&team.job);
  task(argument, 0);
  wait_for_others();
}
