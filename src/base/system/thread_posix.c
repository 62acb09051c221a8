/* thread_posix.c: see thread.h. */
#define _POSIX_C_SOURCE 200809L
#include "base/system/thread.h"

#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>

void onri_lock_init(struct onri_lock *lock) { pthread_mutex_init(&lock->mutex, NULL); }
void onri_lock_clear(struct onri_lock *lock) { pthread_mutex_destroy(&lock->mutex); }
void onri_lock_take(struct onri_lock *lock) { pthread_mutex_lock(&lock->mutex); }
void onri_lock_leave(struct onri_lock *lock) { pthread_mutex_unlock(&lock->mutex); }

void onri_condition_init(struct onri_condition *condition) { pthread_cond_init(&condition->condition, NULL); }
void onri_condition_clear(struct onri_condition *condition) { pthread_cond_destroy(&condition->condition); }
void onri_condition_wait(struct onri_condition *condition, struct onri_lock *lock) {
  pthread_cond_wait(&condition->condition, &lock->mutex);
}
void onri_condition_wake_all(struct onri_condition *condition) { pthread_cond_broadcast(&condition->condition); }

static void *begin(void *thread) {
  const struct onri_thread *t = thread;
  t->body(t->argument);
  return NULL;
}

int onri_thread_start(struct onri_thread *thread, void (*body)(void *argument), void *argument) {
  thread->body = body;
  thread->argument = argument;
  return pthread_create(&thread->thread, NULL, begin, thread) == 0;
}

void onri_thread_join(struct onri_thread *thread) { pthread_join(thread->thread, NULL); }
void onri_thread_yield(void) { sched_yield(); }

static atomic_uint forks;
static pthread_once_t counts_forks = PTHREAD_ONCE_INIT;
static void count_fork(void) { atomic_fetch_add(&forks, 1); }
static void count_forks(void) { pthread_atfork(NULL, NULL, count_fork); }

unsigned onri_thread_forks(void) {
  pthread_once(&counts_forks, count_forks);
  return atomic_load_explicit(&forks, memory_order_relaxed);
}
