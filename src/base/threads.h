/* threads.h: the pool behind struct onr_threads. */
#ifndef ONRI_THREADS_H
#define ONRI_THREADS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "onnxrun/runtime.h"

/* Items in chunks, so many for each thread. It begins with its own, which are as near as possible those of the layer
 * before, and then takes from the ends of others'. */
enum { ONRI_SHARES = 16, ONRI_SHARE_CHUNKS = 32 };
struct onri_shares {
  size_t count, chunk, shares; /* threads beyond ONRI_SHARES take from the same ones */
  struct {
    _Alignas(64) _Atomic uint64_t left; /* the first chunk and, in the upper half, the one behind the last */
  } share[ONRI_SHARES];
};
void onri_shares_init(struct onri_shares *s, size_t count, size_t threads);
/* Takes items [*from, *to); 0 when there are no more. */
int onri_shares_take(struct onri_shares *s, size_t thread, size_t *from, size_t *to);

struct pthreadpool;
/* For XNNPACK; NULL for one thread. */
struct pthreadpool *onri_threads_pool(const struct onr_threads *threads);
/* A pool of the caller's as something that pool_bridge.c, and nobody else, takes as a pthreadpool. */
struct pthreadpool *onri_pool_disguise(const struct onr_thread_pool *pool);
void onri_threads_for(struct onr_threads *threads, size_t count, size_t grain,
                      void (*body)(void *context, size_t begin, size_t end), void *context);

#endif
