/* env: the cancel flag, and the services that layers see. */
#include "base/env.h"

#include <string.h>

#include "base/checked.h"

enum onr_status onri_env_poll(const struct onr_env *env, struct onr_error *error) {
  if (env->cancel && *env->cancel) return onr_fail(error, ONR_STATUS_CANCELLED, "the caller's cancel flag was set");
  return ONR_STATUS_OK;
}

/* The size stands in front of the memory, so that what layers hold can be counted. */
void *onr_env_allocate(struct onr_env *env, size_t bytes) {
  size_t total;
  char *memory = onri_add_size(bytes, ONRI_ALIGNMENT, &total) ? onri_allocate(env->allocator, total) : NULL;
  if (!memory) return NULL;
  memcpy(memory, &bytes, sizeof(bytes));
  if (env->held_bytes) *env->held_bytes += bytes;
  return memory + ONRI_ALIGNMENT;
}

void onr_env_release(struct onr_env *env, void *memory) {
  char *start = memory;
  size_t bytes;
  if (!memory) return;
  start -= ONRI_ALIGNMENT;
  memcpy(&bytes, start, sizeof(bytes));
  if (env->held_bytes) *env->held_bytes -= bytes;
  onri_release(env->allocator, start);
}

enum onr_backend onr_env_backend(const struct onr_env *env) { return env->backend; }

void onr_parallel_for(struct onr_env *env, size_t count, size_t grain,
                      void (*body)(void *context, size_t begin, size_t end), void *context) {
  onri_threads_for(env->threads, count, grain, body, context);
}
