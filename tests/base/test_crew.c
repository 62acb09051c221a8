/* A crew takes every share once, however many threads come; one that is at work, or a parent's, is the caller alone. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/crew.h"
#include "base/memory/memory.h"
#include "base/threads.h"

#ifdef ONNXRUN_CREW
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 8, ITEMS = 5000 };

/* Who took part in a job, and how often each item was taken. */
struct job {
  struct onri_shares shares;
  atomic_uchar taken[ITEMS], came[MOST];
};

static void take(void *argument, size_t thread) {
  struct job *job = argument;
  assert_true(thread < MOST);
  atomic_fetch_add(&job->came[thread], 1);
  for (size_t from, to; onri_shares_take(&job->shares, thread, &from, &to);)
    for (; from < to; from++) atomic_fetch_add(&job->taken[from], 1);
}

static void run_job(struct onri_crew *crew, struct job *job, size_t items, size_t threads) {
  memset(job, 0, sizeof(*job));
  onri_shares_init(&job->shares, items, threads);
  onri_crew_run(crew, threads, take, job);
  assert_int_equal(job->came[0], 1);
  for (size_t i = 1; i < MOST; i++) assert_true(job->came[i] <= (i < threads));
  for (size_t i = 0; i < ITEMS; i++) assert_int_equal(job->taken[i], i < items);
}

static void sleep_ms(long ms) { nanosleep(&(struct timespec){0, ms * 1000000}, NULL); }

static void every_item_is_taken_once(void **state) {
  (void)state;
  for (uint32_t threads = 2; threads <= MOST; threads += 3) {
    struct onri_crew *crew = onri_crew_create(threads, &onri_malloc_allocator);
    struct job job;
    assert_non_null(crew);
    for (size_t items = 0; items <= ITEMS; items += items / 7 + 1) {
      for (size_t count = 1; count <= threads; count++) run_job(crew, &job, items, count);
      if (items % 5 == 0) sleep_ms(2); /* the others fall asleep */
    }
    onri_crew_destroy(crew);
  }
}

static void shares_are_of_threads_and_no_item_is_lost(void **state) {
  (void)state;
  for (size_t threads = 1; threads <= 40; threads += 3)
    for (size_t items = 0; items < 300; items += 7) {
      struct onri_shares shares;
      size_t from, to, sum = 0;
      onri_shares_init(&shares, items, threads);
      if (items >= threads && onri_shares_take(&shares, 0, &from, &to)) {
        assert_int_equal(from, 0); /* its own */
        sum += to - from;
      }
      while (onri_shares_take(&shares, threads / 2, &from, &to)) {
        assert_true(from < to && to <= items);
        sum += to - from;
      }
      assert_int_equal(sum, items);
    }
}

struct user {
  struct onri_crew *crew;
  struct job job;
};

static void *use(void *argument) {
  struct user *user = argument;
  for (int i = 0; i < 2000; i++) run_job(user->crew, &user->job, 100, 3);
  return NULL;
}

static void several_threads_may_use_one(void **state) {
  static struct user users[3];
  pthread_t threads[3];
  struct onri_crew *crew = onri_crew_create(3, &onri_malloc_allocator);
  (void)state;
  for (int i = 0; i < 3; i++) {
    users[i].crew = crew;
    assert_int_equal(pthread_create(&threads[i], NULL, use, &users[i]), 0);
  }
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  onri_crew_destroy(crew);
}

static void a_child_is_alone(void **state) {
  struct onri_crew *crew = onri_crew_create(4, &onri_malloc_allocator);
  struct job job;
  int status;
  (void)state;
  run_job(crew, &job, 100, 4);
  const pid_t child = fork();
  if (child == 0) {
    run_job(crew, &job, 100, 4);
    onri_crew_destroy(crew);
    _exit(job.came[1] + job.came[2] + job.came[3] == 0 ? 0 : 1);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  run_job(crew, &job, 100, 4);
  onri_crew_destroy(crew);
}

static double seconds_used(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}

static void idle_threads_sleep(void **state) {
  struct onri_crew *crew = onri_crew_create(4, &onri_malloc_allocator);
  struct job job;
  (void)state;
  run_job(crew, &job, 100, 4);
  const double before = seconds_used();
  sleep_ms(400);
  assert_true(seconds_used() - before < 0.2); /* of 1.2 that they could take */
  onri_crew_destroy(crew);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_item_is_taken_once),    cmocka_unit_test(shares_are_of_threads_and_no_item_is_lost),
      cmocka_unit_test(several_threads_may_use_one), cmocka_unit_test(a_child_is_alone),
      cmocka_unit_test(idle_threads_sleep),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void) { return 77; }
#endif
