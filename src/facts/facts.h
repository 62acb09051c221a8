/* facts.h: what holds for the values of a graph in every run, whatever sizes its open dimensions get.
 *
 * One sweep over the nodes, producers first. Where all that decides a shape is numbers, the layer's own infer is asked.
 * Else a rule (rules.h) says how the dimensions of the outputs follow from those of the inputs as expressions; layers
 * without a rule are asked with several sizes, and what is taken from that is a number that never changes or a
 * dimension of an input that is always met (fit.c). Elements of small integer tensors are expressions, too: shapes that
 * a model computes.
 *
 * Facts are proven, not sampled: passes use them without asking again when a session plans. A value keeps its meaning
 * through all passes, so facts stay, and each pass only adds those of what it has made. */
#ifndef ONRI_FACTS_H
#define ONRI_FACTS_H

#include "facts/expr.h"
#include "graph/graph.h"

enum {
  ONRI_FACT_ELEMENTS = 64, /* of a tensor whose elements are looked at */
  ONRI_FACT_POSITIVE = 32, /* sizes that are known to be above 0, ... */
  ONRI_FACT_SUMMANDS = 4   /* each a sum of so many symbols at most */
};

struct onri_fact {
  enum onr_dtype dtype; /* NONE: unknown */
  int32_t rank;         /* ONRI_UNKNOWN_RANK */
  onri_expr dim[ONR_MAX_RANK];
  int32_t num_elements;      /* of elements; -1: not known */
  const onri_expr *elements; /* of an integer or bool tensor, in order */
};

/* A size that is above 0. */
struct onri_positive {
  int32_t symbols[ONRI_FACT_SUMMANDS], count;
};

struct onri_facts {
  struct onri_graph *graph; /* NULL: nothing to clear */
  int is_main;   /* sessions see to it that inputs have the declared shapes. A body has no such guard, but what
                    it is fed is told by the facts of its node */
  int exact;     /* all inputs have known shapes: an error of infer is one of every run */
  int samples;   /* some layer had no rule: fit.c */
  int32_t depth; /* how many graphs it lies in; set before begin */
  struct onri_exprs exprs;
  struct onri_inference numbers; /* values whose shapes, and contents, are numbers */
  struct onri_fact *of;          /* [num_values] */
  size_t num_values, capacity;
  struct onri_fact *out; /* room for the outputs of the widest node */
  size_t out_capacity;
  int64_t *values; /* [exprs.num_symbols] room for the sizes that layers without a rule are asked with */
  size_t values_capacity;
  int32_t bodies_left; /* that may still be looked into */
  /* Sums of inputs' symbols that are 1 or more in every run that goes on: sizes of images that a window slides over.
   * Found in the first sweep, used by a second one. */
  struct onri_positive positive[ONRI_FACT_POSITIVE];
  int32_t num_positive, num_input_symbols;
  struct onri_arena arena; /* elements */
};

/* Deduces, and writes graph->values[].desc of computed values: rank and dtype where they are known, dimensions where
 * they are numbers. In an exact main graph an error of infer is returned. Clear *facts afterwards, whatever comes back.
 */
enum onr_status onri_facts_begin(struct onri_facts *facts, struct onri_graph *graph, int is_main,
                                 struct onr_error *error);
/* After a pass: the same for what it has made. INTERNAL when a value has another shape than before. */
enum onr_status onri_facts_update(struct onri_facts *facts, struct onr_error *error);
void onri_facts_clear(struct onri_facts *facts);

/* Contents of v that are the same in every run, or NULL. Of the main graph alone. */
struct onri_constant *onri_facts_contents(const struct onri_facts *facts, int32_t v);
/* The dimensions of v; returns its rank. A value that is newer than the facts has those of its descriptor. */
int32_t onri_facts_dims(struct onri_facts *facts, int32_t v, onri_expr dims[ONR_MAX_RANK]);
/* Dimension i of a and dimension j of b are equal in every run. */
int onri_facts_same_dim(const struct onri_facts *facts, int32_t a, int32_t i, int32_t b, int32_t j);

#endif
