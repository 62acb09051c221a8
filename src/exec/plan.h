/* plan.h: everything that is fixed for one graph and one set of input shapes.
 *
 * The nodes are cut into segments. All shapes of a segment are known before it runs; a new one starts where a node needs
 * a shape or contents that only running the segments before it can tell (NonZero, If, Loop ...). What a later segment took
 * for granted of computed values is kept as assumptions: while they hold, the segment is used again as it is. */
#ifndef ONRI_PLAN_H
#define ONRI_PLAN_H

#include "graph/evaluate.h"
#include "graph/graph.h"

/* Shared by all frames of a session. */
struct onri_run {
  struct onr_env env;           /* the session's own threads and cancel flag */
  struct onr_env alone;         /* the same without threads, for steps that are too small to share */
  uint64_t iterations_left;     /* of limits.loop_iterations in this run */
  size_t memory_bytes;          /* arenas and slots of all plans of the session */
  size_t model_bytes;
  struct onri_arena text;       /* new text of STRING values of this run */
  int profile;
};

/* One node of a segment, ready to run. */
struct onri_step {
  const struct onri_node *node;
  struct onr_call call;
  const void **inputs;          /* the arrays that call points to */
  void **outputs;
  uint64_t runs, total_ns;
};

/* What a segment took for granted of a graph input, or of a value that an earlier segment computes. */
struct onri_assumption {
  int32_t value;
  struct onr_desc desc;
  void *contents; /* NULL: only the descriptor matters */
};

struct onri_segment {
  struct onri_arena arena;      /* metadata */
  struct onri_step *steps;
  size_t num_steps;
  int32_t first_node, end_node;
  char *memory;
  size_t memory_bytes;
  struct onri_assumption *assumptions;
  size_t num_assumptions, assumptions_capacity;
  int bound;                    /* addresses in the steps are up to date */
};

enum onri_storage {
  ONRI_STORAGE_NONE,    /* not computed (yet) */
  ONRI_STORAGE_KNOWN,   /* constant, or computed while planning */
  ONRI_STORAGE_INPUT,   /* the caller's */
  ONRI_STORAGE_ARENA,   /* in the memory of a segment */
  ONRI_STORAGE_SLOT,    /* grows as needed: outputs whose size only running tells */
};

/* Where a value lives. `parent`: it is a part of that value, at `offset` bytes. */
struct onri_place {
  enum onri_storage storage;
  int32_t parent;       /* ONRI_NONE: own memory */
  size_t offset;        /* in the parent, or in the segment's memory */
  int32_t segment;      /* ARENA: which one */
  int32_t input;        /* index of the graph input; ONRI_NONE for other values */
  int32_t output;       /* ARENA: index of the graph output whose caller-bound memory may stand in for it; ONRI_NONE */
  void *slot;           /* SLOT: memory */
  size_t slot_bytes;
};

struct onri_plan {
  struct onri_executor executor; /* must be first: call->executor of all steps */
  struct onri_plan *next;        /* in the frame's cache */
  struct onri_run *run;
  struct onri_graph *graph;
  struct onri_inference inference;
  struct onr_desc *inputs;       /* [graph->num_inputs] what it was made for */
  struct onri_place *places;     /* [num_values] */
  uint8_t *copied;               /* [graph->num_inputs] 1: copied into the arena first, since the caller's memory has no slack */
  int32_t *last_use;             /* [num_values] last node that reads it; INT32_MAX for graph outputs */
  struct onri_segment *segments;
  size_t num_segments, segments_capacity;
  const void **input_data;       /* [graph->num_inputs] for this run */
  void **output_data;            /* [graph->num_outputs] the caller's memory for this run; NULL: none */
};

/* Contents of inputs are read where shapes depend on them; other inputs than these may be run later. */
enum onr_status onri_plan_create(struct onri_run *run, struct onri_graph *graph, const struct onr_tensor *inputs,
                                 struct onri_plan **plan, struct onr_error *error);
void onri_plan_destroy(struct onri_plan *plan);
/* Makes segment `index` (and drops all from it on). All segments before it have run. */
enum onr_status onri_plan_segment(struct onri_plan *plan, size_t index, struct onr_error *error);
/* True when all that segment `index` takes for granted still holds. */
int onri_plan_holds(const struct onri_plan *plan, size_t index);
/* Address of a value now; NULL when it has none. */
void *onri_plan_address(const struct onri_plan *plan, int32_t value);
/* Makes room in the slot of a value and sets its descriptor. */
enum onr_status onri_plan_resize(struct onri_plan *plan, int32_t value, const struct onr_desc *desc, void **data,
                                 struct onr_error *error);
/* The same, and the first `kept` bytes of the slot keep their contents. */
enum onr_status onri_plan_extend(struct onri_plan *plan, int32_t value, const struct onr_desc *desc, size_t kept, void **data,
                                 struct onr_error *error);
size_t onri_plan_bytes(const struct onri_plan *plan);
/* place.c: offsets for all values that segment `index` computes, and its memory. */
enum onr_status onri_plan_place(struct onri_plan *plan, size_t index, struct onr_error *error);

#endif
