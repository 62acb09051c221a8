/* names.h: names to numbers, and each text stored once. */
#ifndef ONRI_NAMES_H
#define ONRI_NAMES_H

#include <stdint.h>

#include "base/memory/memory.h"

struct onri_name_entry {
  const char *name; /* NULL: free */
  uint64_t hash;
  int32_t value;
};

/* A hash table with a key of its own, so that a file cannot be made to collide. Names are not copied. */
struct onri_names {
  const struct onr_allocator *allocator;
  struct onri_name_entry *entries;
  size_t count, capacity;
  uint64_t key[2];
};

void onri_names_init(struct onri_names *names, const struct onr_allocator *allocator);
void onri_names_clear(struct onri_names *names);
/* The value (>= 0), or -1. */
int32_t onri_names_get(const struct onri_names *names, const char *name);
/* 1: added; 0: the name is there already and keeps its value; -1: out of memory. */
int onri_names_put(struct onri_names *names, const char *name, int32_t value);

/* One copy of each text. */
struct onri_interner {
  struct onri_names names;
  struct onri_arena *arena; /* where the copies live */
};
/* NULL when out of memory. */
const char *onri_intern(struct onri_interner *interner, const char *text);

#endif
