/* probe.h: what is known about shapes before a run.
 *
 * Layers infer from full descriptors only. So a graph with open dimensions is inferred with sample sizes for them
 * (samples.h), many times with different ones. Samples prove nothing; what is taken from them as known must have had
 * every chance to vary:
 *
 *   a dimension   is the same in all samples, and each symbol that it depends on took two sizes among them;
 *   two equal     dimensions: the same, equal in each sample;
 *   a rank        is the same in all samples, and no layer in front of it chooses a rank by sizes (squeeze of all 1s
 * ...).
 *
 * A value keeps its meaning through all passes, so the samples stay, and each pass only adds what it has made. */
#ifndef ONRI_PROBE_H
#define ONRI_PROBE_H

#include "graph/graph.h"
#include "onnxrun/model.h" /* ONR_UNKNOWN_DIM */
#include "passes/samples.h"

struct onri_sample {
  struct onri_sizes sizes;
  struct onri_inference inference;
};

struct onri_probe {
  struct onri_graph *graph; /* NULL: nothing to clear */
  int exact;                /* every input dimension is declared: one sample, which holds for every run */
  int is_strict; /* what is declared is checked by sessions: the main graph; when exact, an infer error is returned */
  struct onri_symbols symbols;
  struct onri_sample *samples; /* [num_samples] first those that went through, then some that a node ended: they tell
                                  about values in front of it, where the others have not varied enough */
  size_t num_through, num_samples, capacity;
  uint64_t varied;   /* symbols that took two sizes among those that went through */
  uint64_t *depends; /* [num_values] symbols that a value depends on */
  uint8_t *doubtful; /* [num_values] the rank may depend on sizes */
  size_t num_values;
  struct onri_arena arena;
};

/* Infers and writes graph->values[].desc. When the graph is exact and `strict`, an infer error is returned; otherwise
 * descriptors behind a failing node stay unknown. Clear *probe afterwards, whatever comes back. */
enum onr_status onri_probe_begin(struct onri_probe *probe, struct onri_graph *graph, int strict,
                                 struct onr_error *error);
/* After a pass: the same for what it has made. INTERNAL when a value has another shape than before. */
enum onr_status onri_probe_update(struct onri_probe *probe, struct onr_error *error);
void onri_probe_clear(struct onri_probe *probe);

/* Contents of v that follow from shapes in every run, or NULL. Only of the main graph: nobody checks what a body is
 * fed. */
struct onri_constant *onri_probe_contents(const struct onri_probe *probe, int32_t v);
/* Dimension i of a and dimension j of b, both unknown, are equal. */
int onri_probe_same_dim(const struct onri_probe *probe, int32_t a, int32_t i, int32_t b, int32_t j);

#endif
