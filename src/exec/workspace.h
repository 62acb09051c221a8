/* workspace.h: what all plans of one graph share: its memory, as large as the largest of them needs, and the facts of
 * the graph that no shape changes. A plan holds offsets only; its addresses are bound again when memory has moved. */
#ifndef ONRI_WORKSPACE_H
#define ONRI_WORKSPACE_H

#include "base/heap.h"
#include "exec/pool.h"
#include "graph/graph.h"
#include "onnxrun/session.h"

struct onri_frame;
struct onri_plan;

/* Every plan of a session, of its bodies too: found by shapes in constant time, the least recently used goes first. */
struct onri_plan_cache {
  struct onri_plan **buckets;
  size_t num_buckets, num_plans;
  struct onri_plan *newest, *oldest;
  size_t bytes;   /* of all plans, with what their layers hold */
  size_t largest; /* so far */
};

/* Shared by all frames of a session. */
struct onri_run {
  struct onr_env env;   /* the session's own allocator, threads and cancel flag */
  struct onr_env alone; /* the same without threads, for steps that are too small to share */
  struct onri_plan_cache plans;
  struct onri_pool pool;    /* the memory of all buffers */
  uint64_t plan_bytes;      /* the caller's limit of them; 0: as many as suit what the session holds */
  uint64_t iterations_left; /* of limits.loop_iterations in this run */
  uint64_t constant_bytes;  /* of the model */
  uint64_t work_limit;      /* the caller's limit of operations; 0: as many as weights and inputs deserve */
  uint64_t work, work_done; /* operations that a run with the present inputs may take, and that this one has taken */
  struct onri_heap heap;    /* text and containers of this run */
  struct onri_frame *innermost;                                 /* of those that run */
  void (*watch)(void *context, const struct onr_node_run *run); /* of the caller; NULL: none */
  void *watch_context;
  int rereads;                  /* contents that were packed may be read from the file again */
  uint64_t watched_ns;          /* time spent in it */
  size_t num_nodes, num_values; /* of all frames so far, which count theirs from there on */
  int profile;
  int grows; /* states grow: lengths hardly come back */
};

/* Memory that grows as needed. */
struct onri_buffer {
  char *data;
  size_t bytes;
  int is_handle; /* of a container lies there, and owns its list */
};

/* Who needs a value. */
struct onri_use {
  int32_t last_read; /* the last node that reads it; ONRI_NONE: none does */
  int32_t input;     /* its index among the graph's inputs, or ONRI_NONE */
  int32_t output;    /* its index among the graph's outputs, or ONRI_NONE */
};

/* While a segment is placed: when the block of a root is in use, and whether something is read past its end. */
struct onri_lifetime {
  int32_t first, last;
  int overread;
};

struct onri_workspace {
  struct onri_run *run;
  struct onri_graph *graph;
  struct onri_use *uses;           /* [num_values] */
  struct onri_lifetime *lifetimes; /* [num_values] */
  uint8_t *needed;                 /* [num_nodes] by the outputs that are wanted; NULL: all are */
  void **kept;                     /* [num_nodes] what layers keep for all plans; NULL: nothing yet */
  struct onri_buffer *slots;       /* [num_values] values whose size only running tells */
  struct onri_buffer *blocks;      /* [segment] values that one segment computes */
  size_t num_blocks, blocks_capacity;
  struct onri_plan *plan;   /* the one planned or run last; NULL when it has left the cache */
  size_t plan_bytes;        /* of its largest plan so far */
  struct onri_plan *pinned; /* runs, or its results are still read: stays in the cache */
  uint64_t moves;           /* of blocks and slots so far */
  /* [num_values] caches that grow where they lie (state.h): how many rows there is room for, NO_ROWS: it is no such
   * value; NULL: there are none. */
  int64_t *rows;
};

#define ONRI_NO_ROWS (-1)
static inline int onri_is_cache(const struct onri_workspace *space, int32_t v) {
  return v != ONRI_NONE && space->rows && space->rows[v] != ONRI_NO_ROWS;
}

/* budget.c: sets what a run with these inputs may take. */
void onri_run_measure(struct onri_run *run, const struct onr_tensor *inputs, size_t count);
/* LIMIT when a run may not take so many operations at all. */
enum onr_status onri_run_allows(const struct onri_run *run, uint64_t operations, struct onr_error *error);
/* Takes them from what is left of this run; LIMIT when that is less. */
enum onr_status onri_run_spend(struct onri_run *run, uint64_t operations, struct onr_error *error);

enum onr_status onri_workspace_init(struct onri_workspace *space, struct onri_run *run, struct onri_graph *graph,
                                    struct onr_error *error);
/* wanted [num_outputs]: which outputs are not 0. Before the first plan. */
enum onr_status onri_workspace_want(struct onri_workspace *space, const uint8_t *wanted, struct onr_error *error);
void onri_workspace_clear(struct onri_workspace *space);
/* What the layer of a node keeps; NULL when it keeps nothing. */
enum onr_status onri_workspace_kept(struct onri_workspace *space, const struct onri_node *node, void **kept,
                                    struct onr_error *error);
/* Room for a segment; what was there is lost when it grows. */
enum onr_status onri_workspace_block(struct onri_workspace *space, size_t segment, size_t bytes,
                                     struct onr_error *error);
/* Room for a value; its first `kept` bytes keep their contents. */
enum onr_status onri_workspace_slot(struct onri_workspace *space, int32_t value, size_t bytes, size_t kept,
                                    struct onr_error *error);
/* What lies there is not read any more: large memory is given back. */
void onri_buffer_drop(struct onri_workspace *space, struct onri_buffer *buffer);
/* Gives back what is large, in a frame that does not run: others may have it meanwhile. */
void onri_workspace_rest(struct onri_workspace *space);
/* When memory is short: 1 when something was given back that is not needed now. */
int onri_make_room(struct onri_run *run);
/* The value is not read any more. */
void onri_workspace_drop(struct onri_workspace *space, int32_t value);
/* Gives back what holds none of these results. */
void onri_workspace_trim(struct onri_workspace *space, const struct onr_tensor *results, size_t num_results);

/* At least `bytes`, and spare room when it grows again, so that growing step by step is linear. Sets data to NULL on
 * failure. */
enum onr_status onri_buffer_grow(struct onri_run *run, struct onri_buffer *buffer, size_t bytes, size_t kept,
                                 struct onr_error *error);
/* New memory in its place, with `more` bytes where there are so many. */
enum onr_status onri_buffer_renew(struct onri_run *run, struct onri_buffer *buffer, size_t bytes, size_t more,
                                  struct onr_error *error);
void onri_buffer_release(struct onri_run *run, struct onri_buffer *buffer);
/* The container that lies there ends. */
void onri_buffer_empty(struct onri_run *run, struct onri_buffer *buffer);
/* Copies a value there: *kept. Containers are shared. */
enum onr_status onri_buffer_keep(struct onri_run *run, struct onri_buffer *buffer, const struct onr_tensor *value,
                                 struct onr_tensor *kept, struct onr_error *error);

static inline int onri_is_needed(const struct onri_workspace *space, const struct onri_node *node) {
  return !space->needed || space->needed[node - space->graph->nodes];
}

/* Is it read by node `node` or a later one, or an output? */
static inline int onri_needed_from(const struct onri_use *use, int32_t node) {
  return use->output != ONRI_NONE || use->last_read >= node;
}

#endif
