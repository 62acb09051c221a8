/* thread.h: threads, locks and conditions. thread_posix.c, thread_windows.c. */
#ifndef ONRI_SYSTEM_THREAD_H
#define ONRI_SYSTEM_THREAD_H

#if defined(_WIN32)
/* Windows' own: all zeros is a free one. */
struct onri_lock {
  void *state;
};
struct onri_condition {
  void *state;
};
struct onri_thread {
  void *handle;
  void (*body)(void *argument);
  void *argument;
};
#define ONRI_LOCK_INIT \
  { 0 }
#else
#include <pthread.h>
struct onri_lock {
  pthread_mutex_t mutex;
};
struct onri_condition {
  pthread_cond_t condition;
};
struct onri_thread {
  pthread_t thread;
  void (*body)(void *argument);
  void *argument;
};
#define ONRI_LOCK_INIT \
  { PTHREAD_MUTEX_INITIALIZER }
#endif

void onri_lock_init(struct onri_lock *lock);
void onri_lock_clear(struct onri_lock *lock);
void onri_lock_take(struct onri_lock *lock);
void onri_lock_leave(struct onri_lock *lock);

void onri_condition_init(struct onri_condition *condition);
void onri_condition_clear(struct onri_condition *condition);
/* Under the lock; may return without reason. */
void onri_condition_wait(struct onri_condition *condition, struct onri_lock *lock);
void onri_condition_wake_all(struct onri_condition *condition);

/* body(argument) on a thread of its own; `thread` stays where it is until joined. 0: the system starts none. */
int onri_thread_start(struct onri_thread *thread, void (*body)(void *argument), void *argument);
void onri_thread_join(struct onri_thread *thread);
/* Others may have the core. */
void onri_thread_yield(void);

/* How often this process was copied (fork) since the first call: a copy has none of the threads of before. Always 0 on
 * Windows. */
unsigned onri_thread_forks(void);

#endif
