#include "passes/probe.h"

#include <string.h>

/* Sample values for unknown dimensions: of dimension 0 (mostly a batch), of 1 and 2, and of the others. Small ones show up
 * minimums, large ones satisfy nets that halve an image many times, and readers of text want lines 32 or 48 high. */
struct sample {
  int64_t value[3];
  int distinct; /* dimensions that are not declared equal differ */
};
static const struct sample samples[] = {
    {{1, 64, 96}, 1}, {{2, 224, 160}, 1}, {{3, 7, 5}, 1},  {{3, 32, 128}, 1}, {{1, 48, 320}, 1}, {{2, 48, 160}, 1},
    {{1, 64, 64}, 0}, {{2, 224, 224}, 0}, {{3, 32, 32}, 0},  {{2, 128, 128}, 0}, {{1, 1, 1}, 0},   {{5, 7, 7}, 0},
};
#define NUM_SAMPLES (sizeof samples / sizeof samples[0])
#define ENOUGH_SAMPLES 3 /* successful inferences after which the knowledge is taken as settled */
#define NUM_SYMBOLS 16   /* more than that are not told apart */

/* What an unknown dimension is to the samples. */
struct symbol {
  const char *name; /* NULL: a dimension by itself */
  int32_t kind;     /* index into struct sample.value */
  int32_t ordinal;  /* among those of its kind */
};

static int is_known(const struct onr_desc *desc) {
  if (desc->dtype == ONR_DTYPE_NONE || desc->rank == ONRI_UNKNOWN_RANK) return 0;
  for (int32_t d = 0; d < desc->rank; d++)
    if (desc->dim[d] == ONR_UNKNOWN_DIM) return 0;
  return 1;
}

static const char *dim_name(const struct onri_value *value, int32_t d) {
  return value->dim_names != NULL ? value->dim_names[d] : NULL;
}

/* The symbol of a dimension: that of its name, else a new one. The last one stands for all that come after it. */
static int32_t find_symbol(const struct onri_value *value, int32_t d, struct symbol *symbols, int32_t *count) {
  const char *name = dim_name(value, d);
  const int32_t kind = d == 0 ? 0 : d < 3 ? 1 : 2;
  int32_t ordinal = 0;
  for (int32_t i = 0; i < *count; i++) {
    if (name != NULL && symbols[i].name != NULL && strcmp(name, symbols[i].name) == 0) return i;
    ordinal += symbols[i].kind == kind;
  }
  if (*count == NUM_SYMBOLS) return NUM_SYMBOLS - 1;
  symbols[*count] = (struct symbol){name, kind, ordinal};
  return (*count)++;
}

static int64_t sample_value(const struct sample *sample, const struct symbol *symbol) {
  const int64_t step = symbol->kind == 0 ? 1 : 32;
  return sample->value[symbol->kind] + (sample->distinct ? step * symbol->ordinal : 0);
}

static void sample_inputs(const struct onri_graph *graph, const struct sample *sample, struct onr_desc *inputs, int32_t *num_symbols) {
  struct symbol symbols[NUM_SYMBOLS];
  *num_symbols = 0;
  for (size_t i = 0; i < graph->num_inputs; i++) {
    const struct onri_value *value = &graph->values[graph->inputs[i]];
    inputs[i] = value->desc;
    for (int32_t d = 0; d < inputs[i].rank; d++)
      if (inputs[i].dim[d] == ONR_UNKNOWN_DIM) inputs[i].dim[d] = sample_value(sample, &symbols[find_symbol(value, d, symbols, num_symbols)]);
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

static void release_samples(struct onri_probe *probe, const struct onr_allocator *allocator) {
  for (int i = 0; i < 2; i++) {
    onri_release(allocator, probe->samples[i]);
    probe->samples[i] = NULL;
  }
}

struct work {
  struct onr_desc *inputs, *descs, *known;
};

static enum onr_status probe_exact(struct onri_graph *graph, int strict, struct onri_probe *probe, struct work *work,
                                   struct onr_error *error) {
  struct onr_error ignored = {0};
  int32_t num_symbols;
  sample_inputs(graph, &samples[0], work->inputs, &num_symbols);
  const enum onr_status status =
      onri_graph_infer(graph, work->inputs, work->known, probe->contents, strict ? error : &ignored);
  if (status == ONR_STATUS_NO_MEMORY || status == ONR_STATUS_CANCELLED || strict) return status;
  return ONR_STATUS_OK;
}

/* Takes up one inference. Of failed ones, only as long as none has succeeded. */
static void learn(const struct onri_graph *graph, struct work *work, int is_first, int succeeded_before, int succeeds) {
  if (is_first || (succeeds && !succeeded_before))
    memcpy(work->known, work->descs, graph->num_values * sizeof *work->known);
  else
    for (size_t v = 0; v < graph->num_values; v++) intersect(&work->known[v], &work->descs[v]);
}

/* Samples until enough of them went through. When none does, what all of them agree on in front of the failing node is
 * still known; a single success says nothing about its dims, for they are samples. */
static enum onr_status probe_samples(struct onri_graph *graph, struct onri_probe *probe, struct work *work, int *found,
                                     struct onr_error *error) {
  size_t succeeded = 0, kept = 0;
  for (size_t s = 0; s < NUM_SAMPLES && succeeded < ENOUGH_SAMPLES; s++) {
    struct onr_error ignored = {0};
    int32_t num_symbols;
    if (!samples[s].distinct && succeeded >= 2) break;
    sample_inputs(graph, &samples[s], work->inputs, &num_symbols);
    const enum onr_status status = onri_graph_infer(graph, work->inputs, work->descs, probe->contents, &ignored);
    release_contents(probe->contents, probe->num_values);
    if (status == ONR_STATUS_NO_MEMORY || status == ONR_STATUS_CANCELLED) return onr_fail(error, status, "%s", ignored.message);
    if (status != ONR_STATUS_OK && succeeded > 0) continue;
    learn(graph, work, s == 0, succeeded > 0, status == ONR_STATUS_OK);
    if (status != ONR_STATUS_OK) continue;
    if (samples[s].distinct && num_symbols < NUM_SYMBOLS && kept < 2)
      memcpy(probe->samples[kept++], work->descs, graph->num_values * sizeof *work->descs);
    succeeded++;
  }
  *found = succeeded != 1;
  if (kept < 2) release_samples(probe, graph->env->allocator);
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
  work.descs = onri_arena_allocate(&arena, (graph->num_values + 1) * sizeof *work.descs);
  work.known = onri_arena_allocate(&arena, (graph->num_values + 1) * sizeof *work.known);
  probe->contents = onri_allocate_zeroed(allocator, (graph->num_values + 1) * sizeof(struct onri_constant *));
  for (int i = 0; i < 2; i++) probe->samples[i] = onri_allocate_zeroed(allocator, (graph->num_values + 1) * sizeof(struct onr_desc));
  if (work.inputs == NULL || work.descs == NULL || work.known == NULL || probe->contents == NULL ||
      probe->samples[0] == NULL || probe->samples[1] == NULL) {
    status = onr_fail(error, ONR_STATUS_NO_MEMORY, "out of memory for the shapes of %zu values", graph->num_values);
  } else {
    int found = 1;
    for (size_t i = 0; i < graph->num_inputs; i++)
      if (!is_known(&graph->values[graph->inputs[i]].desc)) probe->exact = 0;
    status = probe->exact ? probe_exact(graph, strict, probe, &work, error)
                          : probe_samples(graph, probe, &work, &found, error);
    if (!found) forget(graph, work.known);
    if (status == ONR_STATUS_OK) write_back(graph, work.known);
  }
  onri_arena_clear(&arena);
  if (status == ONR_STATUS_OK && probe->exact) release_samples(probe, allocator);
  if (status == ONR_STATUS_OK && !probe->exact) onri_probe_drop_contents(probe, allocator);
  if (status != ONR_STATUS_OK) onri_probe_clear(probe, allocator);
  return status;
}

void onri_probe_drop_contents(struct onri_probe *probe, const struct onr_allocator *allocator) {
  if (probe->contents != NULL) release_contents(probe->contents, probe->num_values);
  onri_release(allocator, probe->contents);
  probe->contents = NULL;
}

void onri_probe_clear(struct onri_probe *probe, const struct onr_allocator *allocator) {
  onri_probe_drop_contents(probe, allocator);
  release_samples(probe, allocator);
}
