/* threads: struct onr_threads over pthreadpool; one thread where there is none. */
#include "base/threads.h"

#include "base/memory.h"

#ifdef ONNXRUN_HAVE_PTHREADPOOL
#include <pthreadpool.h>
#endif

struct onr_threads {
  const struct onr_allocator *allocator;
  struct pthreadpool *pool; /* NULL: one thread */
};

enum onr_status onr_threads_create(uint32_t num_threads, const struct onr_allocator *allocator,
                                   struct onr_threads **threads, struct onr_error *error) {
  struct onr_threads *t;
  *threads = NULL;
  if (!allocator) allocator = &onri_malloc_allocator;
  if (num_threads > 1024) return onr_fail(error, ONR_STATUS_ARGUMENT, "expected at most 1024 threads, got %u", num_threads);
  t = onri_allocate_zeroed(allocator, sizeof(*t));
  if (!t) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a thread pool");
  t->allocator = allocator;
#ifdef ONNXRUN_HAVE_PTHREADPOOL
  if (num_threads != 1) {
    t->pool = pthreadpool_create(num_threads);
    if (!t->pool) {
      onri_release(allocator, t);
      return onr_fail(error, ONR_STATUS_NO_MEMORY, "could not start %u threads", num_threads);
    }
  }
#endif
  *threads = t;
  return ONR_STATUS_OK;
}

uint32_t onr_threads_count(const struct onr_threads *threads) {
#ifdef ONNXRUN_HAVE_PTHREADPOOL
  if (threads && threads->pool) return (uint32_t)pthreadpool_get_threads_count(threads->pool);
#else
  (void)threads;
#endif
  return 1;
}

void onr_threads_destroy(struct onr_threads *threads) {
  if (!threads) return;
#ifdef ONNXRUN_HAVE_PTHREADPOOL
  if (threads->pool) pthreadpool_destroy(threads->pool);
#endif
  onri_release(threads->allocator, threads);
}

struct pthreadpool *onri_threads_pool(const struct onr_threads *threads) { return threads ? threads->pool : NULL; }

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

void onri_threads_for(struct onr_threads *threads, size_t count, size_t grain,
                      void (*body)(void *context, size_t begin, size_t end), void *context) {
  if (!grain) grain = 1;
#ifdef ONNXRUN_HAVE_PTHREADPOOL
  if (threads && threads->pool && count > grain) {
    struct range_job job = {body, context};
    pthreadpool_parallelize_1d_tile_1d(threads->pool, run_range, &job, count, grain, 0);
    return;
  }
#else
  (void)threads;
#endif
  for (size_t begin = 0; begin < count; begin += grain) body(context, begin, count - begin < grain ? count : begin + grain);
}
