/* report.h: what the parts of 'onnxrun report' share. */
#ifndef TOOL_REPORT_H
#define TOOL_REPORT_H

#include "profile.h"

/* --- peak.c --- */
/* Of this machine, on so many threads; 0: not known. */
struct peak {
  double gflops, gbytes; /* 10^9 operations (a multiply-add is two), and bytes read from memory, a second */
};
struct peak measure_peak(uint32_t threads);

/* --- report_graph.c: the graph that is run, and where its values lie --- */
/* A value, by its number. */
struct report_value {
  int is_known;
  const char *name; /* the model's */
  struct onr_desc desc;
  enum onr_storage storage;
  size_t memory, offset;
  size_t first, last; /* steps between which it lies there, as the root of all that lies in it; of the main graph */
};

struct report_scratch {
  size_t step, offset, bytes;
};

struct report_graph {
  struct cJSON *nodes; /* in the order in which they run, those of bodies before their node */
  struct report_value *values;
  size_t num_values, values_capacity;
  struct report_scratch *scratch;
  size_t num_scratch, scratch_capacity;
  uint8_t *seen; /* by number of node */
  size_t seen_capacity;
  size_t num_steps; /* nodes of the main graph so far */
  const struct profile *profile;
  int no_memory;
};
/* For watch, in a run behind those that are timed. */
void report_take_node(struct report_graph *graph, const struct onr_node_run *run);
/* outputs of the model live to the end. */
struct cJSON *report_values_json(struct report_graph *graph, const struct onr_model *model);
struct cJSON *report_memory_json(const struct report_graph *graph, size_t arena_bytes);
void report_graph_clear(struct report_graph *graph);

/* --- report_file.c: the graph as it is in the file, and its weights --- */
struct report_file;
/* 0, or an exit code after one line on stderr. *file: to be freed with report_file_clear, also on failure. */
int report_file_read(const struct options *options, struct report_file **file);
/* Adds to each node the nodes of the file that it does the work of; and to root those that are not run at all. */
void report_file_match(struct report_file *file, const struct report_graph *graph, struct cJSON *root);
/* Weights with their histograms; the caller's. */
struct cJSON *report_file_weights(struct report_file *file);
void report_file_clear(struct report_file *file);

#endif
