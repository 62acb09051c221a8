#include "passes/samples.h"

#include <string.h>

/* Sizes of the first dimension (mostly a batch), of the next two, and of the others. Small ones show minimums, large
 * ones satisfy nets that halve an image many times, readers of text want lines 32 or 48 high, and some nets put time
 * first. The step sets symbols of a kind apart, each row by another one, so that no sum or difference looks constant.
 */
struct row {
  int64_t value[3], step;
};
static const struct row distinct_rows[] = {
    {{1, 64, 96}, 32},  {{2, 224, 160}, 64}, {{3, 7, 5}, 2},    {{3, 32, 128}, 96}, {{1, 48, 320}, 32},
    {{2, 48, 160}, 64}, {{4, 60, 120}, 30},  {{96, 2, 64}, 32}, {{6, 12, 24}, 12},
};
static const int64_t equal_rows[][3] = {
    {1, 64, 64}, {2, 224, 224}, {3, 32, 32},  {2, 128, 128},   {1, 1, 1},
    {5, 7, 7},   {12, 12, 12},  {64, 64, 64}, {160, 160, 160},
};
#define NUM_DISTINCT (sizeof(distinct_rows) / sizeof(distinct_rows[0]))
#define NUM_EQUAL (sizeof(equal_rows) / sizeof(equal_rows[0]))

static int32_t find_symbol(struct onri_symbols *symbols, const char *name, int32_t kind) {
  int32_t ordinal = 0;
  for (size_t s = 0; s < symbols->count; s++) {
    if (name && symbols->name[s] && !strcmp(name, symbols->name[s])) return (int32_t)s;
    ordinal += symbols->kind[s] == kind;
  }
  if (symbols->count == ONRI_SYMBOLS) {
    symbols->has_rest = 1;
    symbols->kind[ONRI_SYMBOLS] = kind;
    return ONRI_SYMBOLS;
  }
  symbols->name[symbols->count] = name;
  symbols->kind[symbols->count] = kind;
  symbols->ordinal[symbols->count] = ordinal;
  return (int32_t)symbols->count++;
}

enum onr_status onri_symbols_find(const struct onri_graph *graph, struct onri_arena *arena,
                                  struct onri_symbols *symbols, struct onr_error *error) {
  *symbols = (struct onri_symbols){.count = 0};
  symbols->of = onri_arena_allocate(arena, graph->num_inputs * sizeof(*symbols->of));
  if (!symbols->of)
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for the dimensions of %zu inputs", graph->num_inputs);
  for (size_t i = 0; i < graph->num_inputs; i++) {
    const struct onri_value *value = &graph->values[graph->inputs[i]];
    for (int32_t d = 0; d < value->desc.rank; d++)
      if (value->desc.dim[d] < 0)
        symbols->of[i][d] = (uint8_t)find_symbol(symbols, value->dim_names ? value->dim_names[d] : NULL,
                                                 d == 0  ? 0
                                                 : d < 3 ? 1
                                                         : 2);
  }
  return ONR_STATUS_OK;
}

int onri_sizes_row(const struct onri_symbols *symbols, size_t row, struct onri_sizes *sizes, int *distinct) {
  *distinct = row < NUM_DISTINCT;
  if (row >= NUM_DISTINCT + NUM_EQUAL) return 0;
  for (size_t s = 0; s <= ONRI_SYMBOLS; s++) {
    const int32_t kind = symbols->kind[s];
    const int64_t step = kind == 0 ? 1 : distinct_rows[*distinct ? row : 0].step;
    sizes->value[s] =
        *distinct ? distinct_rows[row].value[kind] + step * symbols->ordinal[s] : equal_rows[row - NUM_DISTINCT][kind];
  }
  return 1;
}

int onri_sizes_vary(const struct onri_sizes *from, size_t symbol, size_t choice, struct onri_sizes *sizes) {
  const int64_t now = from->value[symbol];
  const int64_t choices[] = {1, 2 * now, 3,  50 * now + 1, 3 * now, now + 1, 2,  120 * now, 5,  4, 7,
                             8, 6,       10, 16,           12,      9,       14, 32,        48, 60};
  if (choice >= sizeof(choices) / sizeof(choices[0])) return 0;
  *sizes = *from;
  sizes->value[symbol] = choices[choice];
  return 1;
}

uint64_t onri_sizes_differ(const struct onri_symbols *symbols, const struct onri_sizes *a, const struct onri_sizes *b) {
  uint64_t bits = 0;
  for (size_t s = 0; s < symbols->count; s++) bits |= (uint64_t)(a->value[s] != b->value[s]) << s;
  return bits;
}

struct onr_desc onri_sizes_input(const struct onri_graph *graph, const struct onri_symbols *symbols,
                                 const struct onri_sizes *sizes, size_t i) {
  struct onr_desc desc = graph->values[graph->inputs[i]].desc;
  if (desc.dtype == ONR_DTYPE_NONE) desc.rank = ONRI_UNKNOWN_RANK;
  for (int32_t d = 0; d < desc.rank; d++)
    if (desc.dim[d] < 0) desc.dim[d] = sizes->value[symbols->of[i][d]];
  return desc;
}
