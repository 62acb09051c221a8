/* env.h: the context that layers see as struct onr_env. */
#ifndef ONRI_ENV_H
#define ONRI_ENV_H

#include "base/memory.h"
#include "base/threads.h"
#include "onnxrun/layer.h"

struct onr_env {
  const struct onr_allocator *allocator;
  struct onr_threads *threads; /* NULL: the calling thread alone */
  struct onr_limits limits;    /* no zero entries */
  enum onr_backend backend;
  const volatile int *cancel; /* may be NULL */
  size_t *held_bytes;         /* what onr_env_allocate gave out and has not got back; NULL: not counted */
};

/* Fill in the defaults of entries that are 0. limits may be NULL. */
struct onr_limits onri_limits_resolve(const struct onr_limits *limits);
/* CANCELLED when the flag is set. */
enum onr_status onri_env_poll(const struct onr_env *env, struct onr_error *error);

#endif
