/* Nests of loops on a caller's pool give the tiles that pthreadpool gives: the same calls, in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/threads.h"
#include "onnxrun/runtime.h"

#ifdef ONNXRUN_POOL_BRIDGE
enum { THREADS = 3 };

/* A sum over calls, so that their order does not matter. */
static uint64_t sum, calls;

static void note(const size_t *arguments, size_t count) {
  uint64_t hash = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < count; i++) hash = (hash ^ arguments[i]) * UINT64_C(1099511628211);
  sum += hash;
  calls++;
}

static void task1(void *c, size_t a) { note((size_t[]){(size_t)c, a}, 2); }
static void task2(void *c, size_t a, size_t b) { note((size_t[]){(size_t)c, a, b}, 3); }
static void task3(void *c, size_t a, size_t b, size_t d) { note((size_t[]){(size_t)c, a, b, d}, 4); }
static void task4(void *c, size_t a, size_t b, size_t d, size_t e) { note((size_t[]){(size_t)c, a, b, d, e}, 5); }
static void task5(void *c, size_t a, size_t b, size_t d, size_t e, size_t f) {
  note((size_t[]){(size_t)c, a, b, d, e, f}, 6);
}
static void task6(void *c, size_t a, size_t b, size_t d, size_t e, size_t f, size_t g) {
  note((size_t[]){(size_t)c, a, b, d, e, f, g}, 7);
}
static void task7(void *c, size_t a, size_t b, size_t d, size_t e, size_t f, size_t g, size_t h) {
  note((size_t[]){(size_t)c, a, b, d, e, f, g, h}, 8);
}
static void task8(void *c, size_t a, size_t b, size_t d, size_t e, size_t f, size_t g, size_t h, size_t i) {
  note((size_t[]){(size_t)c, a, b, d, e, f, g, h, i}, 9);
}

/* The thread is any below the number of threads, so it does not count. */
static void thread1(void *c, size_t thread, size_t a) {
  assert_true(thread < THREADS);
  task1(c, a);
}
static void thread2(void *c, size_t thread, size_t a, size_t b) {
  assert_true(thread < THREADS);
  task2(c, a, b);
}
static void thread4(void *c, size_t thread, size_t a, size_t b, size_t d, size_t e) {
  assert_true(thread < THREADS);
  task4(c, a, b, d, e);
}

static void run_backwards(void *context, size_t count, void (*task)(void *argument, size_t i), void *argument) {
  (void)context;
  assert_true(count <= THREADS);
  while (count-- > 0) task(argument, count);
}

/* pthreadpool's header is for src/base alone: what is tested is declared here. */
#define NEST(name, task_type, task, ...)                                                             \
  void onri_pool_parallelize_##name(struct pthreadpool *, task_type, void *, __VA_ARGS__, uint32_t); \
  void pthreadpool_parallelize_##name(struct pthreadpool *, task_type, void *, __VA_ARGS__, uint32_t);
#define S size_t
typedef void (*type1)(void *, S);
typedef void (*type2)(void *, S, S);
typedef void (*type3)(void *, S, S, S);
typedef void (*type4)(void *, S, S, S, S);
typedef void (*type5)(void *, S, S, S, S, S);
typedef void (*type6)(void *, S, S, S, S, S, S);
typedef void (*type7)(void *, S, S, S, S, S, S, S);
typedef void (*type8)(void *, S, S, S, S, S, S, S, S);
NEST(1d, type1, task1, S)
NEST(1d_tile_1d, type2, task2, S, S)
NEST(2d, type2, task2, S, S)
NEST(2d_tile_1d, type3, task3, S, S, S)
NEST(2d_tile_2d, type4, task4, S, S, S, S)
NEST(3d, type3, task3, S, S, S)
NEST(3d_tile_1d, type4, task4, S, S, S, S)
NEST(3d_tile_2d, type5, task5, S, S, S, S, S)
NEST(4d, type4, task4, S, S, S, S)
NEST(4d_tile_1d, type5, task5, S, S, S, S, S)
NEST(4d_tile_2d, type6, task6, S, S, S, S, S, S)
NEST(5d, type5, task5, S, S, S, S, S)
NEST(5d_tile_1d, type6, task6, S, S, S, S, S, S)
NEST(5d_tile_2d, type7, task7, S, S, S, S, S, S, S)
NEST(6d, type6, task6, S, S, S, S, S, S)
NEST(6d_tile_1d, type7, task7, S, S, S, S, S, S, S)
NEST(6d_tile_2d, type8, task8, S, S, S, S, S, S, S, S)
NEST(1d_with_thread, type2, thread1, S)
NEST(2d_with_thread, type3, thread2, S, S)
NEST(3d_tile_1d_with_thread, type5, thread4, S, S, S, S)

#define CHECK(name, task, ...)                                                                        \
  do {                                                                                                \
    sum = calls = 0;                                                                                  \
    pthreadpool_parallelize_##name(NULL, task, (void *)(uintptr_t)7, __VA_ARGS__, 0);                 \
    const uint64_t expected = sum, many = calls;                                                      \
    assert_true(many > 0);                                                                            \
    for (int custom = 0; custom < 2; custom++) {                                                      \
      sum = calls = 0;                                                                                \
      onri_pool_parallelize_##name(custom ? pool : NULL, task, (void *)(uintptr_t)7, __VA_ARGS__, 1); \
      assert_int_equal(calls, many);                                                                  \
      assert_true(sum == expected);                                                                   \
    }                                                                                                 \
  } while (0)

static void nests_are_those_of_pthreadpool(void **state) {
  struct onr_thread_pool mine = onr_thread_pool_init();
  struct onr_threads *threads;
  (void)state;
  mine.num_threads = THREADS;
  mine.run = run_backwards;
  assert_int_equal(onr_threads_create_custom(&mine, NULL, &threads, NULL), ONR_STATUS_OK);
  struct pthreadpool *pool = onri_threads_pool(threads);
  assert_non_null(pool);
  for (size_t t = 1; t < 5; t++)
    for (size_t u = 1; u < 5; u++) {
      CHECK(1d, task1, t);
      CHECK(1d_tile_1d, task2, 7 + t, u);
      CHECK(2d, task2, t, u);
      CHECK(2d_tile_1d, task3, 3, 7 + t, u);
      CHECK(2d_tile_2d, task4, 5, 7, t, u);
      CHECK(3d, task3, 2, t, u);
      CHECK(3d_tile_1d, task4, 2, 3, 6 + t, u);
      CHECK(3d_tile_2d, task5, 2, 5, 7, t, u);
      CHECK(4d, task4, 2, 3, t, u);
      CHECK(4d_tile_1d, task5, 2, 3, 2, 6 + t, u);
      CHECK(4d_tile_2d, task6, 2, 3, 5, 7, t, u);
      CHECK(5d, task5, 2, 3, 2, t, u);
      CHECK(5d_tile_1d, task6, 2, 1, 3, 2, 6 + t, u);
      CHECK(5d_tile_2d, task7, 2, 1, 3, 5, 7, t, u);
      CHECK(6d, task6, 2, 1, 3, 2, t, u);
      CHECK(6d_tile_1d, task7, 2, 1, 3, 2, 2, 6 + t, u);
      CHECK(6d_tile_2d, task8, 2, 1, 3, 2, 5, 7, t, u);
      CHECK(1d_with_thread, thread1, 7 + t);
      CHECK(2d_with_thread, thread2, t, u);
      CHECK(3d_tile_1d_with_thread, thread4, 2, 3, 6 + t, u);
    }
  sum = calls = 0;
  onri_pool_parallelize_2d(pool, task2, NULL, 3, 0, 0);
  assert_int_equal(calls, 0);
  onr_threads_destroy(threads);
}
#else
static void nests_are_those_of_pthreadpool(void **state) {
  (void)state;
  skip(); /* no XNNPACK that was built with onnxrun */
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nests_are_those_of_pthreadpool)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
