/* samples.h: sizes to try for dimensions that a graph leaves open.
 *
 * Each open dimension of an input is a symbol: that of its name (equal names are equal sizes: a session checks that),
 * else one by itself. First whole rows of sizes are tried, until some go through; then, around one that did, each
 * symbol alone takes other sizes: one, small ones, multiples, a large one. */
#ifndef ONRI_SAMPLES_H
#define ONRI_SAMPLES_H

#include "graph/graph.h"

enum { ONRI_TELLING = 9 };
enum { ONRI_SYMBOLS = 63 /* the dimensions beyond share one more, which is never varied */ };

struct onri_symbols {
  size_t count;
  int has_rest;                       /* there is the one more */
  const char *name[ONRI_SYMBOLS + 1]; /* NULL: a dimension by itself */
  int32_t kind[ONRI_SYMBOLS + 1];     /* column of the table of rows: the first dimension, the next two, the others */
  int32_t ordinal[ONRI_SYMBOLS + 1];  /* among those of its kind */
  uint8_t (*of)[ONR_MAX_RANK];        /* [num_inputs] the symbol of each open dimension */
};

struct onri_sizes {
  int64_t value[ONRI_SYMBOLS + 1];
};

enum onr_status onri_symbols_find(const struct onri_graph *graph, struct onri_arena *arena,
                                  struct onri_symbols *symbols, struct onr_error *error);
/* Row `row`; 0 behind the last. *distinct: symbols differ from each other. The distinct rows come first. */
int onri_sizes_row(const struct onri_symbols *symbols, size_t row, struct onri_sizes *sizes, int *distinct);
/* `from` with another size of one symbol; 0 behind the last. The first ONRI_TELLING choices tell enough of a graph that
 * takes most sizes. */
int onri_sizes_vary(const struct onri_sizes *from, size_t symbol, size_t choice, struct onri_sizes *sizes);
/* Bit s: symbol s has another size in b. */
uint64_t onri_sizes_differ(const struct onri_symbols *symbols, const struct onri_sizes *a, const struct onri_sizes *b);
/* Descriptor of input i with these sizes; one without a type has no known rank. */
struct onr_desc onri_sizes_input(const struct onri_graph *graph, const struct onri_symbols *symbols,
                                 const struct onri_sizes *sizes, size_t i);

#endif
