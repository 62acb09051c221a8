/* profile.h: what the nodes of a session do, run by run, those in the bodies of If, Loop and Scan too. */
#ifndef TOOL_PROFILE_H
#define TOOL_PROFILE_H

#include "tool.h"

struct profile_node {
  struct onr_node_info info;     /* of its first call; size 0: it has not run */
  size_t parent;                 /* the node in whose body it is, or ONR_NO_NODE */
  uint64_t calls, multiply_adds; /* in the first run, all calls together */
  uint64_t ns, inner_ns;         /* in the present run; of it in its bodies */
  uint64_t *samples;             /* [capacity] times of the last runs, without bodies */
  double self_ms, total_ms;      /* medians: without and with its bodies */
  double share;                  /* of the sum of all self_ms */
};

struct profile_event {
  size_t node;
  uint64_t begin_ns, end_ns;
};

/* What was called in one run, a body's nodes before its own. */
struct profile_run {
  struct profile_event *events;
  size_t count, capacity, lost;
  uint64_t start_ns; /* when the first one began */
};

/* Zeroed before the first run. */
struct profile {
  struct profile_node *nodes; /* by number; some have not run */
  size_t count, nodes_capacity;
  size_t begun, runs, capacity;    /* runs so far; that are counted; whose times are kept */
  struct profile_run now, fastest; /* the run that goes on, and the fastest that was counted */
  int no_memory;
  size_t *order; /* [num_ordered] of those that have run: slowest first */
  size_t num_ordered;
  double sum_ms;
};

/* --- profile.c --- */
/* For watch of struct onr_session_options; context is the profile. */
void profile_watch(void *context, const struct onr_node_run *run);
void profile_begin(struct profile *profile);
/* Counts a run; the first one of a session is not. */
void profile_end(struct profile *profile);
/* After the last run: medians and shares. 0, or an exit code after one line on stderr. */
int profile_finish(struct profile *profile);
void profile_clear(struct profile *profile);

/* Nodes that have something in common. */
struct profile_group {
  const char *name;
  size_t nodes;
  uint64_t multiply_adds;
  double ms, share;
  const char *note; /* the kernel, where all have one */
};
enum profile_key { BY_LAYER, BY_OPERATOR, BY_MODULE, BY_SOURCE, NUM_PROFILE_KEYS };
/* In the order of their time; to be freed; NULL: out of memory. BY_MODULE: with all modules in it. */
struct profile_group *profile_groups(const struct profile *profile, enum profile_key key, size_t *count);

/* --- profile_write.c --- */
void profile_print(const struct profile *profile);
struct cJSON *profile_node_json(const struct profile *profile, size_t number);
void profile_add_json(struct cJSON *root, const struct profile *profile);
void profile_csv(const struct profile *profile);
/* For Chrome and Perfetto. */
int profile_trace(const struct profile *profile, const char *model);

#endif
