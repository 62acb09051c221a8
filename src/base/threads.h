/* threads.h: the pool behind struct onr_threads. */
#ifndef ONRI_THREADS_H
#define ONRI_THREADS_H

#include <stddef.h>

#include "onnxrun/runtime.h"

struct pthreadpool;
/* For XNNPACK; NULL for one thread. */
struct pthreadpool *onri_threads_pool(const struct onr_threads *threads);
/* A pool of the caller's as something that pool_bridge.c, and nobody else, takes as a pthreadpool. */
struct pthreadpool *onri_pool_disguise(const struct onr_thread_pool *pool);
void onri_threads_for(struct onr_threads *threads, size_t count, size_t grain,
                      void (*body)(void *context, size_t begin, size_t end), void *context);

#endif
