/* plan.h: everything that is fixed for one graph and one set of input shapes.
 *
 * The nodes are cut into segments. All shapes of a segment are known before it runs; a new one starts where a node
 * needs a shape or contents that only running the segments before it can tell (NonZero, If, Loop ...). What a later
 * segment took for granted of computed values is kept as assumptions: while they hold, the segment is used again as it
 * is. */
#ifndef ONRI_PLAN_H
#define ONRI_PLAN_H

#include "base/container.h"
#include "exec/workspace.h"
#include "base/services.h"
/* The last step that reads a value in a slot has run; -1: before the first one. */
struct onri_death {
  int32_t step, value;
};

/* One node of a segment, ready to run. */
struct onri_step {
  const struct onri_node *node;
  struct onr_call call;
  const void **inputs; /* the arrays that call points to */
  void **outputs;
  size_t scratch; /* where call.scratch lies in the segment's block */
};

/* Reads past the end of its inputs. */
static inline int onri_step_overreads(const struct onri_step *step) {
  return (step->node->layer->flags & ONR_LAYER_OVERREADS) && !step->call.exact;
}

/* What options.profile asks for. */
struct onri_step_time {
  uint64_t runs, total_ns;
};

/* What a segment took for granted of a graph input, or of a value that an earlier segment computes. */
struct onri_assumption {
  int32_t value;
  struct onr_desc desc;
  void *contents; /* NULL: only the descriptor matters */
};

struct onri_segment {
  struct onri_arena arena; /* metadata */
  struct onri_step *steps;
  size_t num_steps, first_step; /* steps of all segments before it */
  struct onri_step_time *times; /* [num_steps], or NULL */
  int32_t first_node, end_node;
  size_t block_bytes; /* what its values need of the workspace */
  uint64_t work;      /* operations of its steps */
  struct onri_assumption *assumptions;
  size_t num_assumptions, assumptions_capacity;
  struct onri_death *deaths; /* in the order of steps */
  size_t num_deaths, deaths_capacity;
  int bound;      /* addresses in the steps are those of this run, */
  uint64_t moves; /* and memory has not moved since */
};

enum onri_storage {
  ONRI_STORAGE_NONE,  /* not computed (yet) */
  ONRI_STORAGE_KNOWN, /* constant, or computed while planning */
  ONRI_STORAGE_INPUT, /* the caller's */
  ONRI_STORAGE_BLOCK, /* in the block of a segment, or in the caller's memory for an output */
  ONRI_STORAGE_SLOT,  /* outputs whose size only running tells */
  ONRI_STORAGE_STATE, /* an output that is a cache of the session's, which has memory for it */
};

/* Where a value lives. `parent`: it is a part of that value, at `offset` bytes. */
struct onri_location {
  enum onri_storage storage;
  int32_t parent;  /* ONRI_NONE: own memory */
  size_t offset;   /* in the parent, or in the segment's block */
  int32_t segment; /* BLOCK: which one */
  int32_t last;    /* SLOT: the last node that reads it, or a view of it; INT32_MAX: it is an output */
  int32_t output;  /* BLOCK: index of the graph output whose caller-bound memory may stand in for it; ONRI_NONE */
  int32_t assumed; /* the last segment that took its descriptor for granted; ONRI_NONE */
};

struct onri_plan {
  struct onri_executor executor; /* must be first: call->executor of all steps */
  struct onri_workspace *space;
  struct onri_inference inference;
  struct onri_arena arena;         /* the arrays below */
  struct onr_tensor *inputs;       /* [graph->num_inputs] the shapes it was made for, the data of this run */
  void **outputs;                  /* [graph->num_outputs] the caller's memory for this run; NULL: none */
  struct onri_location *locations; /* [num_values] */
  struct onri_plan *retired;       /* while this one is made: see onri_plan_create */
  struct onri_segment *segments;
  size_t num_segments, segments_capacity;
  size_t bytes; /* all that it holds, with what its layers hold */
  size_t hash;  /* in the session's cache: */
  struct onri_plan *next, *newer, *older;
};

/* Contents of inputs are read where shapes depend on them; other inputs than these may be run later. retired (may be
 * NULL): a plan of this graph that has left the cache; layers take over what it holds, and it is destroyed, also on
 * failure. */
enum onr_status onri_plan_create(struct onri_workspace *space, const struct onr_tensor *inputs,
                                 struct onri_plan *retired, struct onri_plan **plan, struct onr_error *error);
void onri_plan_destroy(struct onri_plan *plan);
/* Makes segment `index` (and drops all from it on). All segments before it have run. */
enum onr_status onri_plan_segment(struct onri_plan *plan, size_t index, struct onr_error *error);
/* True when it was made for inputs of these shapes. */
int onri_plan_fits(const struct onri_plan *plan, const struct onr_tensor *inputs);
/* True when all that segment `index` takes for granted still holds. */
int onri_plan_holds(const struct onri_plan *plan, size_t index);
/* True when a run with these inputs, of the shapes that it was made for, will give the value the descriptor that it has
 * here: not what the last run told. Contents of inputs may be read. */
int onri_plan_is_certain(const struct onri_plan *plan, int32_t value, const struct onr_tensor *inputs);
/* Address of a value now; NULL when it has none. */
void *onri_plan_address(const struct onri_plan *plan, int32_t value);
/* Makes room in the slot of a value, keeps its first `kept` bytes, and sets its descriptor. */
enum onr_status onri_plan_resize(struct onri_plan *plan, int32_t value, const struct onr_desc *desc, size_t kept,
                                 void **data, struct onr_error *error);
/* The value in a slot becomes a container of this list, which it takes over, also on failure. */
enum onr_status onri_plan_put_list(struct onri_plan *plan, int32_t value, enum onr_dtype kind, struct onri_list *list,
                                   struct onr_error *error);
/* Memory that its segments and their slots take of the workspace. */
size_t onri_plan_memory(const struct onri_plan *plan);
/* fence.c: before and after a step runs, where ONRI_WATCHED. */
void onri_fence_close(const struct onri_workspace *space, const struct onri_step *step);
void onri_fence_open(const struct onri_workspace *space);
/* place.c: offsets for all values that segment `index` computes, and the size of its block. */
enum onr_status onri_plan_assign_memory(struct onri_plan *plan, size_t index, struct onr_error *error);

#endif
