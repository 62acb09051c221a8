/* probe.h: what is known about shapes before a run.
 *
 * Layers infer from full descriptors only. So a graph with unknown dimensions is inferred with sample values for them,
 * several times with different ones: what comes out the same each time is taken as known. */
#ifndef ONRI_PROBE_H
#define ONRI_PROBE_H

#include "graph/graph.h"
#include "onnxrun/model.h" /* ONR_UNKNOWN_DIM */

struct onri_probe {
  int exact;                        /* every input dimension is declared: descriptors hold for every run */
  size_t num_values;                /* entries of contents */
  struct onri_constant **contents;  /* exact only, else NULL: contents that follow from shapes, NULL entries elsewhere */
  struct onr_desc *samples[2];      /* not exact, and two samples went through in which only dimensions that must be equal
                                       are: all descriptors of each; else NULL. Unknown dimensions that are equal in both
                                       are taken as equal. */
};

/* Writes graph->values[].desc. When the graph is exact and `strict`, an infer error is returned; otherwise descriptors
 * behind a failing node stay unknown. On success the caller clears *probe. */
enum onr_status onri_probe_run(struct onri_graph *graph, int strict, struct onri_probe *probe, struct onr_error *error);
void onri_probe_drop_contents(struct onri_probe *probe, const struct onr_allocator *allocator);
void onri_probe_clear(struct onri_probe *probe, const struct onr_allocator *allocator);

#endif
