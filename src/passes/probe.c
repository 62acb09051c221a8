#include "passes/probe.h"

#include <string.h>

#include "layers/layers.h"

#define ENOUGH_ROWS 3                 /* rows of sizes that went through; then single symbols are varied */
#define FAILED_KEPT 12                /* samples that are kept although a node failed */
#define MOST_SAMPLES 64               /* ... and fewer for a large graph: */
#define SAMPLE_WORK ((size_t)1500000) /* nodes and values in all samples together */
#define SAMPLE_SHARE 16               /* all samples together may take this part of the memory */
#define CONTENT_BYTES ((size_t)4096)  /* contents that a sample computes: shapes, not masks ... */
#define SAMPLE_ROOM ((size_t)2 << 20) /* ... and all of one sample */

static int is_open(const struct onri_graph *graph, size_t i) {
  const struct onr_desc *desc = &graph->values[graph->inputs[i]].desc;
  if (desc->dtype == ONR_DTYPE_NONE || desc->rank == ONRI_UNKNOWN_RANK) return 1;
  for (int32_t d = 0; d < desc->rank; d++)
    if (desc->dim[d] < 0) return 1;
  return 0;
}

/* --- one sample --- */

static int is_inferred(const struct onri_inference *f, const struct onri_node *node) {
  for (int32_t i = 0; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE && f->descs[node->out[i]].rank == ONRI_UNKNOWN_RANK) return 0;
  return 1;
}

/* A pass may make a value in another way, but not with another shape. `before`: [num_out] what was known of the
 * outputs. */
static enum onr_status compare(const struct onri_inference *f, const struct onri_node *node,
                               const struct onr_desc *before, struct onr_error *error) {
  char was[160], is[160];
  for (int32_t i = 0; i < node->num_out; i++) {
    const int32_t v = node->out[i];
    if (v == ONRI_NONE || before[i].rank == ONRI_UNKNOWN_RANK || onr_desc_equal(&before[i], &f->descs[v])) continue;
    return onri_node_blame(
        node,
        onr_fail(error, ONR_STATUS_INTERNAL, "output %d was %s and is %s", i,
                 onr_desc_format(&before[i], was, sizeof(was)), onr_desc_format(&f->descs[v], is, sizeof(is))),
        error);
  }
  return ONR_STATUS_OK;
}

/* The node once more, although its outputs are known. */
static enum onr_status check_again(struct onri_inference *f, const struct onri_node *node, struct onr_desc *before,
                                   struct onr_error *error) {
  enum onri_inferred inferred;
  for (int32_t i = 0; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE) before[i] = f->descs[node->out[i]];
  ONR_TRY(onri_inference_step(f, node, &inferred, error));
  return inferred == ONRI_INFERRED ? compare(f, node, before, error) : ONR_STATUS_OK;
}

/* Infers what is not inferred yet; `check`: the rest, too. An error of a node ends it. */
static enum onr_status infer(struct onri_inference *f, int check, struct onr_error *error) {
  const struct onri_graph *graph = f->graph;
  struct onr_desc *before = check ? onri_allocate_zeroed(f->env->allocator, f->width * sizeof(*before)) : NULL;
  enum onr_status status = ONR_STATUS_OK;
  enum onri_inferred inferred;
  if (check && !before) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to infer shapes");
  for (size_t n = 0; n < graph->num_nodes && status == ONR_STATUS_OK; n++) {
    const struct onri_node *node = &graph->nodes[n];
    if (!is_inferred(f, node)) status = onri_inference_step(f, node, &inferred, error);
    else if (check) status = check_again(f, node, before, error);
  }
  onri_release(f->env->allocator, before);
  return status;
}

/* What no other sizes could mend. */
static int is_final(const struct onri_probe *probe, enum onr_status status) {
  if (status == ONR_STATUS_NO_MEMORY || status == ONR_STATUS_CANCELLED || status == ONR_STATUS_INTERNAL) return 1;
  return status != ONR_STATUS_OK && probe->exact && probe->is_strict;
}

static void drop_sample(struct onri_probe *probe) {
  onri_inference_clear(&probe->samples[--probe->num_samples].inference);
}

/* The last sample has gone through: it joins those in front. */
static void move_to_front(struct onri_probe *probe) {
  const struct onri_sample last = probe->samples[probe->num_samples - 1];
  probe->samples[probe->num_samples - 1] = probe->samples[probe->num_through];
  probe->samples[probe->num_through++] = last;
}

static int is_taken(const struct onri_probe *probe, const struct onri_sizes *sizes) {
  for (size_t s = 0; s < probe->num_samples && !probe->exact; s++)
    if (!onri_sizes_differ(&probe->symbols, sizes, &probe->samples[s].sizes)) return 1;
  return 0;
}

/* Infers with these sizes. */
static enum onr_status take(struct onri_probe *probe, const struct onri_sizes *sizes, struct onr_error *error) {
  struct onri_graph *graph = probe->graph;
  struct onr_error why = {0};
  enum onr_status status;
  if (is_taken(probe, sizes)) return ONR_STATUS_OK;
  ONR_TRY(onri_env_poll(graph->env, error));
  if (!onri_grow(graph->env->allocator, &probe->samples, sizeof(*probe->samples), &probe->capacity,
                 probe->num_samples + 1))
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to infer shapes");
  struct onri_sample *sample = &probe->samples[probe->num_samples];
  sample->sizes = *sizes;
  ONR_TRY(onri_inference_init(&sample->inference, graph, graph->env, 1, error));
  probe->num_samples++;
  if (!probe->exact) {
    sample->inference.content_bytes = CONTENT_BYTES;
    sample->inference.room = SAMPLE_ROOM;
  }
  for (size_t i = 0; i < graph->num_inputs; i++)
    sample->inference.descs[graph->inputs[i]] = onri_sizes_input(graph, &probe->symbols, sizes, i);
  status = infer(&sample->inference, 0, &why);
  if (is_final(probe, status)) {
    if (error) *error = why;
    return status;
  }
  if (status == ONR_STATUS_OK) move_to_front(probe);
  else if (probe->num_samples - probe->num_through > FAILED_KEPT) drop_sample(probe);
  return ONR_STATUS_OK;
}

/* --- all samples --- */

static enum onr_status take_rows(struct onri_probe *probe, struct onr_error *error) {
  struct onri_sizes sizes;
  int distinct;
  for (size_t row = 0; probe->num_through < ENOUGH_ROWS && onri_sizes_row(&probe->symbols, row, &sizes, &distinct);
       row++) {
    if (!distinct && probe->num_through >= 2) break;
    ONR_TRY(take(probe, &sizes, error));
  }
  return ONR_STATUS_OK;
}

/* How many samples a graph is worth: fewer for a large one, or where memory is short. */
static size_t most_samples(const struct onri_graph *graph) {
  const size_t each =
      graph->num_values * (sizeof(struct onr_desc) + sizeof(void *) + sizeof(struct onri_constant *)) + 1;
  const size_t work = SAMPLE_WORK / (graph->num_values + graph->num_nodes + 1);
  const uint64_t memory = graph->env->limits.total_bytes / SAMPLE_SHARE / each;
  const size_t most = work < MOST_SAMPLES ? work : MOST_SAMPLES;
  return memory < most ? (size_t)memory : most;
}

static enum onr_status take_variations(struct onri_probe *probe, struct onr_error *error) {
  const struct onri_sizes base = probe->samples[0].sizes;
  const size_t most = most_samples(probe->graph);
  struct onri_sizes sizes;
  size_t tried = 0;
  for (size_t choice = 0; onri_sizes_vary(&base, 0, choice, &sizes); choice++) {
    if (choice >= ONRI_TELLING && 3 * probe->num_through >= tried) break;
    for (size_t s = 0; s < probe->symbols.count && tried < most; s++) {
      onri_sizes_vary(&base, s, choice, &sizes);
      if (sizes.value[s] == base.value[s]) continue;
      ONR_TRY(take(probe, &sizes, error));
      tried++;
    }
  }
  return ONR_STATUS_OK;
}

static enum onr_status take_samples(struct onri_probe *probe, struct onr_error *error) {
  if (probe->exact) return take(probe, &(struct onri_sizes){{0}}, error);
  ONR_TRY(take_rows(probe, error));
  if (probe->num_through) ONR_TRY(take_variations(probe, error));
  for (size_t s = 1; s < probe->num_through; s++)
    probe->varied |= onri_sizes_differ(&probe->symbols, &probe->samples[0].sizes, &probe->samples[s].sizes);
  return ONR_STATUS_OK;
}

/* --- facts --- */

static int has_value(const struct onri_probe *probe, size_t sample, int32_t v) {
  return probe->samples[sample].inference.descs[v].rank != ONRI_UNKNOWN_RANK;
}

/* How many samples to look at for facts about a and b (which may be the same): all that came as far as these values, or
 * 0 when they did not vary all that matters. Of several symbols that some node behind wants to be equal, only those
 * that went through tell what is equal. */
static size_t evidence(const struct onri_probe *probe, int32_t a, int32_t b) {
  const uint64_t wanted = probe->depends[a] | probe->depends[b];
  const int is_coupled = a != b && (wanted & (wanted - 1));
  const struct onri_sizes *first = NULL;
  uint64_t varied = 0;
  if (is_coupled && probe->num_through && !(wanted & ~probe->varied)) return probe->num_through;
  if (probe->exact || !(wanted & ~probe->varied)) return probe->num_samples;
  for (size_t s = 0; s < probe->num_samples; s++) {
    if (!has_value(probe, s, a) || !has_value(probe, s, b)) continue;
    if (!first) first = &probe->samples[s].sizes;
    varied |= onri_sizes_differ(&probe->symbols, first, &probe->samples[s].sizes);
  }
  return wanted & ~varied ? 0 : probe->num_samples;
}

/* What the samples agree on. */
static struct onr_desc agreement(const struct onri_probe *probe, int32_t v) {
  const size_t trusted = evidence(probe, v, v), count = trusted              ? trusted
                                                        : probe->num_through ? probe->num_through
                                                                             : probe->num_samples;
  struct onr_desc known = {.rank = ONRI_UNKNOWN_RANK};
  int is_first = 1;
  for (size_t s = 0; s < count; s++) {
    const struct onr_desc *found = &probe->samples[s].inference.descs[v];
    if (s >= probe->num_through && !has_value(probe, s, v)) continue;
    if (is_first) known = *found;
    is_first = 0;
    if (known.dtype != found->dtype) known.dtype = ONR_DTYPE_NONE;
    if (known.rank != found->rank) known.rank = ONRI_UNKNOWN_RANK;
    for (int32_t d = 0; d < known.rank; d++)
      if (known.dim[d] != found->dim[d] || !trusted) known.dim[d] = ONR_UNKNOWN_DIM;
  }
  if (probe->doubtful[v]) known.rank = ONRI_UNKNOWN_RANK;
  return known;
}

static int has_open_dim(const struct onr_desc *desc) {
  for (int32_t d = 0; d < desc->rank; d++)
    if (desc->dim[d] < 0) return 1;
  return desc->rank == ONRI_UNKNOWN_RANK;
}

/* The rank of the outputs follows from sizes: a squeeze of whatever is 1, a list of dimensions whose length is open. */
static int chooses_rank(const struct onri_graph *graph, const struct onri_node *node) {
  if (node->layer == &onri_layer_squeeze && (node->num_in < 2 || node->in[1] == ONRI_NONE) &&
      has_open_dim(&graph->values[node->in[0]].desc))
    return 1;
  for (int32_t i = 0; i < node->num_in && i < 32; i++)
    if (node->layer->shape_inputs >> i & 1 && node->in[i] != ONRI_NONE &&
        has_open_dim(&graph->values[node->in[i]].desc))
      return 1;
  return 0;
}

/* A reshape to a list of numbers has these dimensions, whatever it gets: all but -1 and 0. NULL when the node is none.
 */
static const int64_t *declared_shape(const struct onri_graph *graph, const struct onri_node *node, int32_t *rank) {
  const struct onri_constant *list =
      node->layer == &onri_layer_reshape && node->in[1] != ONRI_NONE ? graph->values[node->in[1]].constant : NULL;
  if (!list || !list->data || list->desc.dtype != ONR_DTYPE_I64 || list->desc.rank != 1 ||
      list->desc.dim[0] > ONR_MAX_RANK)
    return NULL;
  *rank = (int32_t)list->desc.dim[0];
  return list->data;
}

static void write_fact(struct onri_probe *probe, const struct onri_node *node, int32_t v) {
  struct onr_desc *desc = &probe->graph->values[v].desc;
  int32_t rank;
  const int64_t *declared = declared_shape(probe->graph, node, &rank);
  if (declared) probe->doubtful[v] = 0;
  *desc = agreement(probe, v);
  for (int32_t d = 0; declared && desc->rank == rank && d < rank; d++)
    if (declared[d] > 0) desc->dim[d] = declared[d];
}

/* Descriptors of computed values; constants and inputs keep theirs: they are declared. */
static void write_facts(struct onri_probe *probe) {
  struct onri_graph *graph = probe->graph;
  for (size_t n = 0; n < graph->num_nodes; n++) {
    const struct onri_node *node = &graph->nodes[n];
    uint64_t depends = 0;
    uint8_t doubtful = (uint8_t)chooses_rank(graph, node);
    for (int32_t i = 0; i < node->num_in; i++) {
      if (node->in[i] == ONRI_NONE) continue;
      depends |= probe->depends[node->in[i]];
      doubtful |= probe->doubtful[node->in[i]];
    }
    for (int32_t i = 0; i < node->num_out; i++) {
      if (node->out[i] == ONRI_NONE) continue;
      probe->depends[node->out[i]] = depends;
      probe->doubtful[node->out[i]] = doubtful;
      write_fact(probe, node, node->out[i]);
    }
  }
}

/* Room for all values; inputs depend on their own symbols. */
static enum onr_status make_room(struct onri_probe *probe, struct onr_error *error) {
  const struct onri_graph *graph = probe->graph;
  probe->num_values = graph->num_values;
  probe->depends = onri_arena_allocate(&probe->arena, probe->num_values * sizeof(*probe->depends));
  probe->doubtful = onri_arena_allocate(&probe->arena, probe->num_values);
  if (!probe->depends || !probe->doubtful)
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for the shapes of %zu values", probe->num_values);
  for (size_t i = 0; i < graph->num_inputs; i++) {
    const struct onr_desc *desc = &graph->values[graph->inputs[i]].desc;
    for (int32_t d = 0; d < desc->rank; d++)
      if (desc->dim[d] < 0) probe->depends[graph->inputs[i]] |= UINT64_C(1) << probe->symbols.of[i][d];
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_probe_begin(struct onri_probe *probe, struct onri_graph *graph, int strict,
                                 struct onr_error *error) {
  *probe = (struct onri_probe){.graph = graph, .exact = 1, .is_strict = strict};
  onri_arena_init(&probe->arena, graph->env->allocator, 0);
  for (size_t i = 0; i < graph->num_inputs; i++)
    if (is_open(graph, i)) probe->exact = 0;
  ONR_TRY(onri_symbols_find(graph, &probe->arena, &probe->symbols, error));
  ONR_TRY(take_samples(probe, error));
  ONR_TRY(make_room(probe, error));
  write_facts(probe);
  return ONR_STATUS_OK;
}

enum onr_status onri_probe_update(struct onri_probe *probe, struct onr_error *error) {
  for (size_t s = 0; s < probe->num_samples; s++) {
    struct onri_inference *f = &probe->samples[s].inference;
    struct onr_error why = {0};
    ONR_TRY(onri_env_poll(probe->graph->env, error));
    ONR_TRY(onri_inference_grow(f, 1, error));
    const enum onr_status status = infer(f, s == 0, &why);
    if (!is_final(probe, status)) continue;
    if (error) *error = why;
    return status;
  }
  ONR_TRY(make_room(probe, error));
  write_facts(probe);
  return ONR_STATUS_OK;
}

void onri_probe_clear(struct onri_probe *probe) {
  if (!probe->graph) return;
  while (probe->num_samples) drop_sample(probe);
  onri_release(probe->graph->env->allocator, probe->samples);
  onri_arena_clear(&probe->arena);
  *probe = (struct onri_probe){.graph = NULL};
}

struct onri_constant *onri_probe_contents(const struct onri_probe *probe, int32_t v) {
  return probe->exact && probe->is_strict && (size_t)v < probe->num_values ? probe->samples[0].inference.contents[v]
                                                                           : NULL;
}

int onri_probe_same_dim(const struct onri_probe *probe, int32_t a, int32_t i, int32_t b, int32_t j) {
  if ((size_t)a >= probe->num_values || (size_t)b >= probe->num_values || probe->doubtful[a] || probe->doubtful[b])
    return 0;
  const size_t count = evidence(probe, a, b);
  for (size_t s = 0; s < count; s++) {
    const struct onr_desc *x = &probe->samples[s].inference.descs[a], *y = &probe->samples[s].inference.descs[b];
    if (s >= probe->num_through && (!has_value(probe, s, a) || !has_value(probe, s, b))) continue;
    if (x->rank <= i || y->rank <= j || x->dim[i] != y->dim[j]) return 0;
  }
  return count > 1;
}
