/* thread_windows.c: see thread.h. */
#include "base/system/thread.h"

#include <process.h>
#include <windows.h>

_Static_assert(sizeof(SRWLOCK) == sizeof(struct onri_lock), "a pointer");
_Static_assert(sizeof(CONDITION_VARIABLE) == sizeof(struct onri_condition), "a pointer");

static SRWLOCK *of_lock(struct onri_lock *lock) { return (SRWLOCK *)(void *)lock; }
static CONDITION_VARIABLE *of_condition(struct onri_condition *c) { return (CONDITION_VARIABLE *)(void *)c; }

void onri_lock_init(struct onri_lock *lock) { InitializeSRWLock(of_lock(lock)); }
void onri_lock_clear(struct onri_lock *lock) { (void)lock; }
void onri_lock_take(struct onri_lock *lock) { AcquireSRWLockExclusive(of_lock(lock)); }
void onri_lock_leave(struct onri_lock *lock) { ReleaseSRWLockExclusive(of_lock(lock)); }

void onri_condition_init(struct onri_condition *condition) { InitializeConditionVariable(of_condition(condition)); }
void onri_condition_clear(struct onri_condition *condition) { (void)condition; }
void onri_condition_wait(struct onri_condition *condition, struct onri_lock *lock) {
  SleepConditionVariableSRW(of_condition(condition), of_lock(lock), INFINITE, 0);
}
void onri_condition_wake_all(struct onri_condition *condition) { WakeAllConditionVariable(of_condition(condition)); }

static unsigned __stdcall begin(void *thread) {
  const struct onri_thread *t = thread;
  t->body(t->argument);
  return 0;
}

int onri_thread_start(struct onri_thread *thread, void (*body)(void *argument), void *argument) {
  thread->body = body;
  thread->argument = argument;
  thread->handle = (void *)_beginthreadex(NULL, 0, begin, thread, 0, NULL);
  return thread->handle != NULL;
}

void onri_thread_join(struct onri_thread *thread) {
  WaitForSingleObject(thread->handle, INFINITE);
  CloseHandle(thread->handle);
}

void onri_thread_yield(void) { SwitchToThread(); }
unsigned onri_thread_forks(void) { return 0; }
