/* env.h: the context that layers see as struct onr_env. */
#ifndef ONRI_ENV_H
#define ONRI_ENV_H

#include "base/only.h"
#include "base/memory/meter.h"
#include "base/threads.h"
#include "onnxrun/layer.h"

struct onr_env {
  const struct onr_allocator *allocator;
  struct onri_meter *meter;    /* behind allocator; NULL: nobody counts */
  struct onr_threads *threads; /* NULL: the calling thread alone */
  struct onr_limits limits;    /* no zero entries */
  enum onr_backend backend;
  enum onr_precision precision;
  enum onr_method method;          /* that layers take where they can; RULE: their own choice */
  const struct onr_cancel *cancel; /* may be NULL */
  struct onri_blocks *blocks;      /* blocks.h; NULL: nothing is kept together or shared */
  int64_t most_steps;              /* multiply-adds that XNNPACK may be given at once; 0: xnn.h's bound. Tests set it */
  /* Of struct onr_model_options: told what takes part, while a model is loaded; NULL: not told. */
  void (*uses)(void *context, const char *kind, const char *domain, const char *name);
  void *uses_context;
  size_t *held_bytes; /* what onr_env_allocate gave out and has not got back; NULL: not counted */
};

/* A part of the library that takes part (base/only.h). */
static inline void onri_env_tell_part(const struct onr_env *env, const char *name) {
  if (ONRI_PART(more) && env->uses) env->uses(env->uses_context, "part", "", name);
}

/* The default of limits.work: what nothing but a few bytes may take (VGG-19 takes 20 * 10^9), and what bytes add: about
 * an hour of text for a large language model, a large picture for a network that restores it. */
#define ONRI_WORK ((uint64_t)25000000000)
enum { ONRI_WORK_BYTE = 16384 };

/* limits.c: fills in the defaults of entries that are 0. limits may be NULL. */
struct onr_limits onri_limits_resolve(const struct onr_limits *limits);
/* One more owner of memory from onr_env_allocate. One thread at a time, as the release that gives it back. */
void onri_env_retain(void *memory);
/* As onr_env_allocate, in room of ONRI_ALIGNMENT + bytes, aligned as much, which outlives what is returned. */
void *onri_env_place(struct onr_env *env, void *room, size_t bytes);
/* For serial loops that may take long: asks for the cancel flag once in a few million operations. */
struct onri_pace {
  const struct onr_env *env;
  uint64_t done; /* operations since it was asked */
};
enum { ONRI_PACE = 1 << 22 };
/* 1: stop. operations: about how many the coming turn of the loop takes. */
static inline int onri_pace_stop(struct onri_pace *pace, uint64_t operations) {
  pace->done += operations;
  if (pace->done < ONRI_PACE) return 0;
  pace->done = 0;
  return onr_env_cancelled(pace->env);
}

/* Items that take scratch of a thread's own: each of so many workers begins with its own share, as near as possible
 * that of the layer before, for what it wrote is in its cache, and then takes from the ends of others'. body: items
 * [from, to) for one worker. */
void onri_workers_for(struct onr_env *env, size_t workers, size_t items,
                      void (*body)(void *context, size_t worker, size_t from, size_t to), void *context);

/* LIMIT when so many bytes more will be needed as there are not, so that memory is not filled first. */
enum onr_status onri_env_expect(const struct onr_env *env, size_t bytes, struct onr_error *error);
/* As memcpy, or zeros where `from` is NULL; to may be from. Looks at the cancel flag now and then: CANCELLED, and the
 * rest stays as it was. */
enum onr_status onri_env_copy(const struct onr_env *env, void *to, const void *from, size_t bytes,
                              struct onr_error *error);
/* CANCELLED when the flag is set. */
enum onr_status onri_env_poll(const struct onr_env *env, struct onr_error *error);

#endif
