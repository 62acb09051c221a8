/* pool_bridge.c: XNNPACK's calls of pthreadpool, which the build has renamed (third_party/pool_bridge.cmake). A pool of
 * pthreadpool's own passes on; a pool of the caller's takes the tiles of the nest of loops one by one. */
#include <pthreadpool.h>
#if defined(__SSE__) || defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "base/threads.h"

/* --- denormal numbers, which XNNPACK wants as zeros wherever its operators run --- */

#if defined(__SSE__) || defined(__x86_64__)
enum { FLUSH = 0x8040 };
static uint64_t float_state(void) { return _mm_getcsr(); }
static void set_float_state(uint64_t state) { _mm_setcsr((unsigned)state); }
#elif defined(__aarch64__)
enum { FLUSH = 1 << 24 | 1 << 19 };
static uint64_t float_state(void) {
  uint64_t state;
  __asm__ __volatile__("mrs %0, fpcr" : "=r"(state));
  return state;
}
static void set_float_state(uint64_t state) { __asm__ __volatile__("msr fpcr, %0" : : "r"(state)); }
#else
enum { FLUSH = 0 };
static uint64_t float_state(void) { return 0; }
static void set_float_state(uint64_t state) { (void)state; }
#endif

/* --- an odd address is no pthreadpool's --- */

struct pthreadpool *onri_pool_disguise(const struct onr_thread_pool *pool) {
  return (struct pthreadpool *)((uintptr_t)pool | 1);
}

/* NULL: it is a pthreadpool. */
static const struct onr_thread_pool *custom_pool(const struct pthreadpool *pool) {
  const uintptr_t address = (uintptr_t)pool;
  return address & 1 ? (const struct onr_thread_pool *)(address - 1) : NULL;
}

/* --- nests of loops --- */

enum { MOST_LOOPS = 6 };

struct nest {
  int loops;
  size_t range[MOST_LOOPS], tile[MOST_LOOPS];
  /* Calls function for one tile: its place and its extent. */
  void (*call)(const struct nest *nest, size_t thread, const size_t *at, const size_t *extent);
  void (*function)(void);
  void *context;
  uint32_t flags, kind; /* of processor: the one that is there always */
  size_t steps[MOST_LOOPS];
  struct onri_shares tiles;
};

static void run_tile(const struct nest *n, size_t thread, size_t index) {
  size_t at[MOST_LOOPS], extent[MOST_LOOPS];
  for (int i = n->loops; i-- > 0;) {
    at[i] = index % n->steps[i] * n->tile[i];
    index /= n->steps[i];
    extent[i] = n->range[i] - at[i] < n->tile[i] ? n->range[i] - at[i] : n->tile[i];
  }
  n->call(n, thread, at, extent);
}

static void take_tiles(void *argument, size_t thread) {
  struct nest *n = argument;
  const uint64_t before = float_state();
  if (n->flags & PTHREADPOOL_FLAG_DISABLE_DENORMALS) set_float_state(before | FLUSH);
  for (size_t i, end; onri_shares_take(&n->tiles, thread, &i, &end);)
    for (; i < end; i++) run_tile(n, thread, i);
  set_float_state(before);
}

static void run_nest(const struct onr_thread_pool *pool, struct nest *n) {
  size_t total = 1;
  for (int i = 0; i < n->loops; i++) {
    n->steps[i] = n->range[i] / n->tile[i] + (n->range[i] % n->tile[i] != 0);
    total *= n->steps[i];
  }
  const size_t threads = total < pool->num_threads ? total : pool->num_threads;
  onri_shares_init(&n->tiles, total, threads < 1 ? 1 : threads);
  if (total < 2) take_tiles(n, 0);
  else pool->run(pool->context, threads, take_tiles, n);
}

size_t onri_pool_get_threads_count(pthreadpool_t pool);
size_t onri_pool_get_threads_count(pthreadpool_t pool) {
  const struct onr_thread_pool *custom = custom_pool(pool);
  return custom ? custom->num_threads : pthreadpool_get_threads_count(pool);
}

/* One of pthreadpool's functions: the type of its tasks; what it takes and tasks are called with before the loops; the
 * loops: what it takes for them, passed on, their ranges and tiles, what tasks are called with. Lists in parentheses.
 */
#define OF(...) __VA_ARGS__
#define NEST(...) NEST_OF(__VA_ARGS__)
#define NEST_OF(name, type, before, before_passed, of_kind, before_task, count, takes, passed, ranges, tiles, task)    \
  static void call_##name(const struct nest *n, size_t thread, const size_t *at, const size_t *extent) {               \
    (void)thread, (void)extent;                                                                                        \
    ((pthreadpool_task_##type##_t)n->function)(n->context, OF before_task OF task);                                    \
  }                                                                                                                    \
  void onri_pool_parallelize_##name(pthreadpool_t, pthreadpool_task_##type##_t, void *, OF before OF takes, uint32_t); \
  void onri_pool_parallelize_##name(pthreadpool_t pool, pthreadpool_task_##type##_t function, void *context,           \
                                    OF before OF takes, uint32_t flags) {                                              \
    const struct onr_thread_pool *custom = custom_pool(pool);                                                          \
    struct nest nest = {.loops = count,                                                                                \
                        .range = {OF ranges},                                                                          \
                        .tile = {OF tiles},                                                                            \
                        .call = call_##name,                                                                           \
                        .function = (void (*)(void))function,                                                          \
                        .context = context,                                                                            \
                        .flags = flags,                                                                                \
                        .kind = of_kind};                                                                              \
    if (custom) run_nest(custom, &nest);                                                                               \
    else pthreadpool_parallelize_##name(pool, function, context, OF before_passed OF passed, flags);                   \
  }
#define PLAIN(name, loops) NEST(name, name, (), (), 0, (), loops)
#define THREAD(name, loops) NEST(name##_with_thread, name##_with_thread, (), (), 0, (thread, ), loops)
#define KIND(name, loops) \
  NEST(name##_with_uarch, name##_with_id, (uint32_t kind, uint32_t most, ), (kind, most, ), kind, (n->kind, ), loops)
#define KIND_THREAD(name, loops)                                                                                    \
  NEST(name##_with_uarch_with_thread, name##_with_id_with_thread, (uint32_t kind, uint32_t most, ), (kind, most, ), \
       kind, (n->kind, thread, ), loops)

/* clang-format off: a table; i to o: ranges, t, u: tiles of the last loops */
#define S size_t
#define D1 1, (S i), (i), (i), (1), (at[0])
#define D1T1 1, (S i, S t), (i, t), (i), (t), (at[0], extent[0])
#define D2 2, (S i, S j), (i, j), (i, j), (1, 1), (at[0], at[1])
#define D2T1 2, (S i, S j, S t), (i, j, t), (i, j), (1, t), (at[0], at[1], extent[1])
#define D2T2 2, (S i, S j, S t, S u), (i, j, t, u), (i, j), (t, u), (at[0], at[1], extent[0], extent[1])
#define D3 3, (S i, S j, S k), (i, j, k), (i, j, k), (1, 1, 1), (at[0], at[1], at[2])
#define D3T1 3, (S i, S j, S k, S t), (i, j, k, t), (i, j, k), (1, 1, t), (at[0], at[1], at[2], extent[2])
#define D3T2 \
  3, (S i, S j, S k, S t, S u), (i, j, k, t, u), (i, j, k), (1, t, u), (at[0], at[1], at[2], extent[1], extent[2])
#define D4 4, (S i, S j, S k, S l), (i, j, k, l), (i, j, k, l), (1, 1, 1, 1), (at[0], at[1], at[2], at[3])
#define D4T1 \
  4, (S i, S j, S k, S l, S t), (i, j, k, l, t), (i, j, k, l), (1, 1, 1, t), (at[0], at[1], at[2], at[3], extent[3])
#define D4T2                                                                         \
  4, (S i, S j, S k, S l, S t, S u), (i, j, k, l, t, u), (i, j, k, l), (1, 1, t, u), \
      (at[0], at[1], at[2], at[3], extent[2], extent[3])
#define D5 \
  5, (S i, S j, S k, S l, S m), (i, j, k, l, m), (i, j, k, l, m), (1, 1, 1, 1, 1), (at[0], at[1], at[2], at[3], at[4])
#define D5T1                                                                               \
  5, (S i, S j, S k, S l, S m, S t), (i, j, k, l, m, t), (i, j, k, l, m), (1, 1, 1, 1, t), \
      (at[0], at[1], at[2], at[3], at[4], extent[4])
#define D5T2                                                                                       \
  5, (S i, S j, S k, S l, S m, S t, S u), (i, j, k, l, m, t, u), (i, j, k, l, m), (1, 1, 1, t, u), \
      (at[0], at[1], at[2], at[3], at[4], extent[3], extent[4])
#define D6                                                                                       \
  6, (S i, S j, S k, S l, S m, S o), (i, j, k, l, m, o), (i, j, k, l, m, o), (1, 1, 1, 1, 1, 1), \
      (at[0], at[1], at[2], at[3], at[4], at[5])
#define D6T1                                                                                             \
  6, (S i, S j, S k, S l, S m, S o, S t), (i, j, k, l, m, o, t), (i, j, k, l, m, o), (1, 1, 1, 1, 1, t), \
      (at[0], at[1], at[2], at[3], at[4], at[5], extent[5])
#define D6T2                                                                                                     \
  6, (S i, S j, S k, S l, S m, S o, S t, S u), (i, j, k, l, m, o, t, u), (i, j, k, l, m, o), (1, 1, 1, 1, t, u), \
      (at[0], at[1], at[2], at[3], at[4], at[5], extent[4], extent[5])

PLAIN(1d, D1)
PLAIN(1d_tile_1d, D1T1)
PLAIN(2d, D2)
PLAIN(2d_tile_1d, D2T1)
PLAIN(2d_tile_2d, D2T2)
PLAIN(3d, D3)
PLAIN(3d_tile_1d, D3T1)
PLAIN(3d_tile_2d, D3T2)
PLAIN(4d, D4)
PLAIN(4d_tile_1d, D4T1)
PLAIN(4d_tile_2d, D4T2)
PLAIN(5d, D5)
PLAIN(5d_tile_1d, D5T1)
PLAIN(5d_tile_2d, D5T2)
PLAIN(6d, D6)
PLAIN(6d_tile_1d, D6T1)
PLAIN(6d_tile_2d, D6T2)
THREAD(1d, D1)
THREAD(2d, D2)
THREAD(3d_tile_1d, D3T1)
KIND(1d, D1)
KIND(2d_tile_1d, D2T1)
KIND(2d_tile_2d, D2T2)
KIND(3d_tile_1d, D3T1)
KIND(3d_tile_2d, D3T2)
KIND(4d_tile_2d, D4T2)
KIND_THREAD(2d_tile_1d, D2T1)
KIND_THREAD(3d_tile_1d, D3T1)
