/* frame.h: runs one graph again and again: its cached plans, and the frames of the bodies of its If, Loop and Scan
 * nodes. */
#ifndef ONRI_FRAME_H
#define ONRI_FRAME_H

#include "exec/plan.h"

struct onri_frame {
  struct onri_workspace space;
  struct onri_frame **children; /* [sum of bodies of all nodes], made when first needed */
  int32_t *first_child;         /* [num_nodes] */
  size_t num_children;
  struct onr_tensor *inputs;   /* [graph->num_inputs] room for whoever runs the frame as a body */
  struct onri_buffer *carries; /* [2 * graph->num_inputs] copies of inputs made for one iteration, two each in turn */
  uint8_t *sides;              /* [graph->num_inputs] which of them was written last */
  struct onri_frame *outer;    /* while it runs: the one that runs it as a body */
  int32_t node;                /* and the node that runs */
  size_t first_node, first_value; /* the numbers that a caller knows its first ones by */
};

/* What a caller sees of a step that has run. */
struct onr_node_where {
  const struct onri_frame *frame;
  const struct onri_plan *plan;
  const struct onri_segment *segment;
  const struct onri_step *step;
  int has_run;
};
/* report.c: tells the caller's `watch` of a step of its frame. */
void onri_watch_step(const struct onr_node_where *at, uint64_t begin_ns, uint64_t end_ns);

enum onr_status onri_frame_create(struct onri_run *run, struct onri_graph *graph, struct onri_frame **frame,
                                  struct onr_error *error);
void onri_frame_destroy(struct onri_frame *frame); /* accepts NULL */
/* Finds or makes the plan for these input shapes: it is what runs next. Memory of the last run's results stays as it
 * is. */
enum onr_status onri_frame_plan(struct onri_frame *frame, const struct onr_tensor *inputs, struct onr_error *error);
/* Runs it with the given inputs. outputs (may be NULL, or hold NULLs): the caller's memory, large enough. Results are
 * read with onri_frame_output until onri_frame_done. */
enum onr_status onri_frame_run(struct onri_frame *frame, const struct onr_tensor *inputs, void *const *outputs,
                               struct onr_error *error);
struct onr_tensor onri_frame_output(const struct onri_frame *frame, size_t index);
/* The results are not read any more: those of this frame, or of the bodies of one of its nodes. */
void onri_frame_done(struct onri_frame *frame);
void onri_frame_done_bodies(struct onri_frame *frame, const struct onri_node *node);
/* Gives back all memory but what these results, of the last run, lie in. */
void onri_frame_trim(struct onri_frame *frame, const struct onr_tensor *results, size_t num_results);
/* The frame of a body of a node of this frame's graph. */
enum onr_status onri_frame_child(struct onri_frame *frame, const struct onri_node *node, int32_t body,
                                 struct onri_frame **child, struct onr_error *error);

/* Memory for the next contents of input `index` of a body: the present ones stay. */
struct onri_buffer *onri_frame_next(struct onri_frame *frame, size_t index);

/* control.c: runs an If, Loop, Scan or SequenceMap step. */
enum onr_status onri_control_run(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                                 struct onr_error *error);

#endif
