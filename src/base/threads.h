/* threads.h: the pool behind struct onr_threads. */
#ifndef ONRI_THREADS_H
#define ONRI_THREADS_H

#include <stddef.h>

#include "onnxrun/runtime.h"

struct pthreadpool;
/* For XNNPACK; NULL for one thread. */
struct pthreadpool *onri_threads_pool(const struct onr_threads *threads);
void onri_threads_for(struct onr_threads *threads, size_t count, size_t grain,
                      void (*body)(void *context, size_t begin, size_t end), void *context);

#endif
