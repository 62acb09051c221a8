#include "passes/probe.h"

#include <string.h>

/* Sample values for unknown dimensions: of dimension 0 (mostly a batch), of 1 and 2, and of the others. Small ones show up
 * minimums, large ones satisfy nets that halve an image many times, and readers of text want lines 32 or 48 high. */
static const int64_t samples[][3] = {{1, 64, 64}, {2, 224, 224}, {3, 32, 160}, {1, 48, 320}, {2, 48, 160}, {2, 128, 128}, {1, 1, 1}, {5, 7, 7}};
#define NUM_SAMPLES (sizeof samples / sizeof samples[0])
#define NUM_NAMED_INPUTS 64
#define ENOUGH_SAMPLES 3 /* successful inferences after which the knowledge is taken as settled */

static int is_known(const struct onr_desc *desc) {
  if (desc->dtype == ONR_DTYPE_NONE || desc->rank == ONRI_UNKNOWN_RANK) return 0;
  for (int32_t d = 0; d < desc->rank; d++)
    if (desc->dim[d] == ONR_UNKNOWN_DIM) return 0;
  return 1;
}

static const char *dim_name(const struct onri_value *value, int32_t d) {
  return value->dim_names != NULL ? value->dim_names[d] : NULL;
}

/* The index a dimension samples by: a name counts by its first appearance, so that equal names get equal values. Files with
 * more named inputs than anybody writes are not searched to the end. */
static int32_t sample_column(const struct onri_graph *graph, size_t input, int32_t d) {
  const char *name = dim_name(&graph->values[graph->inputs[input]], d);
  if (name == NULL) return d;
  for (size_t i = 0; i <= input && i < NUM_NAMED_INPUTS; i++) {
    const struct onri_value *value = &graph->values[graph->inputs[i]];
    for (int32_t k = 0; k < value->desc.rank; k++) {
      const char *other = value->desc.dim[k] == ONR_UNKNOWN_DIM ? dim_name(value, k) : NULL;
      if (other != NULL && strcmp(name, other) == 0) return k;
    }
  }
  return d;
}

static int64_t sample_value(size_t sample, int32_t column) { return samples[sample][column == 0 ? 0 : column < 3 ? 1 : 2]; }

static void sample_inputs(const struct onri_graph *graph, const int32_t *columns, size_t sample, struct onr_desc *inputs) {
  for (size_t i = 0; i < graph->num_inputs; i++) {
    inputs[i] = graph->values[graph->inputs[i]].desc;
    for (int32_t d = 0; d < inputs[i].rank; d++)
      if (inputs[i].dim[d] == ONR_UNKNOWN_DIM) inputs[i].dim[d] = sample_value(sample, columns[i * ONR_MAX_RANK + (size_t)d]);
  }
}

/* What two inferences agree on. */
static void intersect(struct onr_desc *known, const struct onr_desc *found) {
  if (known->dtype != found->dtype) known->dtype = ONR_DTYPE_NONE;
  if (known->rank != found->rank) known->rank = ONRI_UNKNOWN_RANK;
  for (int32_t d = 0; d < known->rank; d++)
    if (known->dim[d] != found->dim[d]) known->dim[d] = ONR_UNKNOWN_DIM;
}

static void release_contents(struct onri_constant **contents, size_t count) {
  for (size_t v = 0; v < count; v++) {
    onri_constant_release(contents[v]);
    contents[v] = NULL;
  }
}

struct work {
  struct onr_desc *inputs, *descs, *known;
  int32_t *columns;
};

static enum onr_status probe_exact(struct onri_graph *graph, int strict, struct onri_probe *probe, struct work *work,
                                   struct onr_error *error) {
  struct onr_error ignored = {0};
  sample_inputs(graph, work->columns, 0, work->inputs);
  const enum onr_status status =
      onri_graph_infer(graph, work->inputs, work->known, probe->contents, strict ? error : &ignored);
  if (status == ONR_STATUS_NO_MEMORY || status == ONR_STATUS_CANCELLED || strict) return status;
  return ONR_STATUS_OK;
}

/* Samples until enough of them went through. When none does, what all of them agree on in front of the failing node is
 * still known; a single success says nothing about its dims, for they are samples. */
static enum onr_status probe_samples(struct onri_graph *graph, struct onri_probe *probe, struct work *work, int *found,
                                     struct onr_error *error) {
  size_t succeeded = 0;
  for (size_t s = 0; s < NUM_SAMPLES && succeeded < ENOUGH_SAMPLES; s++) {
    struct onr_error ignored = {0};
    sample_inputs(graph, work->columns, s, work->inputs);
    const enum onr_status status = onri_graph_infer(graph, work->inputs, work->descs, probe->contents, &ignored);
    release_contents(probe->contents, probe->num_values);
    if (status == ONR_STATUS_NO_MEMORY || status == ONR_STATUS_CANCELLED) return onr_fail(error, status, "%s", ignored.message);
    if (status != ONR_STATUS_OK && succeeded > 0) continue;
    if (s == 0 || (status == ONR_STATUS_OK && succeeded == 0))
      memcpy(work->known, work->descs, graph->num_values * sizeof *work->known);
    else
      for (size_t v = 0; v < graph->num_values; v++) intersect(&work->known[v], &work->descs[v]);
    succeeded += status == ONR_STATUS_OK;
  }
  *found = succeeded != 1;
  return ONR_STATUS_OK;
}

static void forget(struct onri_graph *graph, struct onr_desc *known) {
  for (size_t v = 0; v < graph->num_values; v++) known[v] = (struct onr_desc){.rank = ONRI_UNKNOWN_RANK};
}

/* Constants and inputs keep their descriptors: they are declared, not inferred. */
static void write_back(struct onri_graph *graph, const struct onr_desc *known) {
  for (size_t v = 0; v < graph->num_values; v++)
    if (graph->values[v].producer != ONRI_NONE) graph->values[v].desc = known[v];
}

enum onr_status onri_probe_run(struct onri_graph *graph, int strict, struct onri_probe *probe, struct onr_error *error) {
  const struct onr_allocator *allocator = graph->env->allocator;
  struct onri_arena arena;
  struct work work;
  enum onr_status status = ONR_STATUS_OK;
  *probe = (struct onri_probe){.exact = 1, .num_values = graph->num_values};
  onri_arena_init(&arena, allocator, 0);
  work.inputs = onri_arena_allocate(&arena, (graph->num_inputs + 1) * sizeof *work.inputs);
  work.columns = onri_arena_allocate(&arena, (graph->num_inputs + 1) * ONR_MAX_RANK * sizeof *work.columns);
  work.descs = onri_arena_allocate(&arena, (graph->num_values + 1) * sizeof *work.descs);
  work.known = onri_arena_allocate(&arena, (graph->num_values + 1) * sizeof *work.known);
  probe->contents = onri_allocate_zeroed(allocator, (graph->num_values + 1) * sizeof(struct onri_constant *));
  if (work.inputs == NULL || work.columns == NULL || work.descs == NULL || work.known == NULL || probe->contents == NULL) {
    status = onr_fail(error, ONR_STATUS_NO_MEMORY, "out of memory for the shapes of %zu values", graph->num_values);
  } else {
    int found = 1;
    for (size_t i = 0; i < graph->num_inputs; i++) {
      const struct onr_desc *desc = &graph->values[graph->inputs[i]].desc;
      if (!is_known(desc)) probe->exact = 0;
      for (int32_t d = 0; d < desc->rank; d++) work.columns[i * ONR_MAX_RANK + (size_t)d] = sample_column(graph, i, d);
    }
    status = probe->exact ? probe_exact(graph, strict, probe, &work, error)
                          : probe_samples(graph, probe, &work, &found, error);
    if (!found) forget(graph, work.known);
    if (status == ONR_STATUS_OK) write_back(graph, work.known);
  }
  onri_arena_clear(&arena);
  if (status != ONR_STATUS_OK || !probe->exact) onri_probe_clear(probe, allocator);
  return status;
}

void onri_probe_clear(struct onri_probe *probe, const struct onr_allocator *allocator) {
  if (probe->contents != NULL) release_contents(probe->contents, probe->num_values);
  onri_release(allocator, probe->contents);
  probe->contents = NULL;
}
