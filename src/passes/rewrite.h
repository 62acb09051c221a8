/* rewrite.h: what a pass works with: the graph, how often each value is used, and aliases.
 *
 * A pass visits the nodes in order, producers first, and matches backwards: from the last node of a pattern to its
 * inputs. It turns the last node into the new one in place, or lets an earlier node produce the last one's output. A
 * node that becomes nothing at all is aliased: its readers come later, and see the other value when they are visited.
 * So each pass is one sweep, whatever the file holds. */
#ifndef ONRI_REWRITE_H
#define ONRI_REWRITE_H

#include "graph/graph.h"
#include "params/shape.h"
#include "facts/facts.h"
#include "onnxrun/model.h" /* ONR_UNKNOWN_DIM */

/* What folding may still take, over all graphs of the model. */
struct onri_fold_budget {
  size_t bytes;       /* that constants may grow by */
  uint64_t work;      /* operations */
  int takes_contents; /* contents that shapes tell become constants */
};

struct onri_rewrite {
  struct onri_graph *graph;
  struct onr_error *error;
  struct onri_facts *facts; /* what is known about shapes; values that passes add are not in it */
  int changed;              /* this pass changed something */
  int32_t *uses;            /* [num_values] readers, graph outputs included */
  int32_t *alias;           /* [num_values] the value to read instead, or ONRI_NONE */
  uint8_t *is_output;       /* [num_values] the value is a graph output */
  size_t num_values, uses_capacity, alias_capacity, output_capacity;
  struct onri_fold_budget *budget;
};

typedef enum onr_status (*onri_pass_fn)(struct onri_rewrite *rw);

/* Takes stock of graph. NO_MEMORY on failure. */
enum onr_status onri_rewrite_begin(struct onri_rewrite *rw, struct onri_graph *graph, struct onri_facts *facts,
                                   struct onri_fold_budget *budget, struct onr_error *error);
/* Applies the aliases, tidies the graph when something changed, and frees. Call it after a failure too. */
enum onr_status onri_rewrite_end(struct onri_rewrite *rw, enum onr_status status);

/* --- looking --- */
/* The value to read for v; ONRI_NONE stays. */
int32_t onri_rewrite_resolve(const struct onri_rewrite *rw, int32_t v);
/* Applies aliases to the inputs of a node: first thing at each visit. */
void onri_rewrite_visit(struct onri_rewrite *rw, struct onri_node *node);
/* The live node that makes v, or NULL. */
struct onri_node *onri_rewrite_producer(const struct onri_rewrite *rw, int32_t v);
/* The node that makes v as its output 0, when it is of this layer, else NULL; `sole`: and v has one use. */
struct onri_node *onri_rewrite_match(const struct onri_rewrite *rw, int32_t v, const struct onr_layer *layer);
struct onri_node *onri_rewrite_sole(const struct onri_rewrite *rw, int32_t v, const struct onr_layer *layer);
const struct onr_desc *onri_rewrite_desc(const struct onri_rewrite *rw, int32_t v);
int32_t onri_rewrite_rank(const struct onri_rewrite *rw, int32_t v); /* ONRI_UNKNOWN_RANK when unknown */
/* dim d of v, from the end when d < 0; ONR_UNKNOWN_DIM when unknown or out of range. */
int64_t onri_rewrite_dim(const struct onri_rewrite *rw, int32_t v, int32_t d);
int onri_rewrite_is_constant(const struct onri_rewrite *rw, int32_t v);
/* Dimension i of a and dimension j of b are equal in every run. */
int onri_rewrite_same_dim(const struct onri_rewrite *rw, int32_t a, int32_t i, int32_t b, int32_t j);
/* All dimensions are equal in that sense. */
int onri_rewrite_same_shape(const struct onri_rewrite *rw, int32_t a, int32_t b);
/* Contents of constant v as numbers of type float32, NULL when it is no float32 constant or cannot be read (*rw->error
 * is then untouched: a rewrite that cannot look just does not happen). */
const float *onri_rewrite_floats(const struct onri_rewrite *rw, int32_t v, size_t *count);
/* The one element of a float or integer constant. Returns 0 when v is not that. */
int onri_rewrite_scalar(const struct onri_rewrite *rw, int32_t v, double *value);
/* v is a constant whose elements all equal `value` (at least one element). */
int onri_rewrite_all_equal(const struct onri_rewrite *rw, int32_t v, double value);
/* Integer constant of rank 0 or 1 with at most `capacity` elements. Returns 0 when v is not that. */
int onri_rewrite_ints(const struct onri_rewrite *rw, int32_t v, int64_t *values, size_t capacity, size_t *count);

/* --- changing --- */
/* Readers of the node's output 0 read `to` instead; the node is removed. Not where a graph output would become a graph
 * input or another output, too: they must have memory of their own. */
void onri_rewrite_alias(struct onri_rewrite *rw, struct onri_node *node, int32_t to);
/* Removes the node; its outputs must be unused, or be given to another node with onri_rewrite_take. */
void onri_rewrite_remove(struct onri_rewrite *rw, struct onri_node *node);
/* `node` makes output 0 of `from` as its own output 0; `from` is removed. The old output of `node` must have no other
 * use. */
void onri_rewrite_take(struct onri_rewrite *rw, struct onri_node *node, struct onri_node *from);
/* The node becomes another one with the same outputs. params are copied. Inputs that lose their last use this way are
 * left to the tidying. */
enum onr_status onri_rewrite_become(struct onri_rewrite *rw, struct onri_node *node, const struct onr_layer *layer,
                                    const void *params, const int32_t *in, size_t num_in);
/* Reads `v` at input i (i may be num_in: appended). */
enum onr_status onri_rewrite_set_input(struct onri_rewrite *rw, struct onri_node *node, int32_t i, int32_t v);
/* A writable copy of the node's parameters, which become the node's; NULL (and NO_MEMORY in *status) on failure. */
void *onri_rewrite_params(struct onri_rewrite *rw, struct onri_node *node, enum onr_status *status);
/* New values; -1 when out of memory. */
int32_t onri_rewrite_value(struct onri_rewrite *rw, const struct onr_desc *desc);
int32_t onri_rewrite_data(struct onri_rewrite *rw, const struct onr_desc *desc, const void *data);
int32_t onri_rewrite_constant(struct onri_rewrite *rw, struct onri_constant *constant); /* takes over one reference */
/* A new node with one output, appended (tidying puts it in its place). Returns the output, or -1 when out of memory. */
int32_t onri_rewrite_node(struct onri_rewrite *rw, const struct onr_layer *layer, const void *params,
                          const struct onri_origin *origin, const int32_t *in, size_t num_in,
                          const struct onr_desc *out);
/* How a reshape makes y of x: copies of its dimensions, numbers, and once what is left. 0 where that is not enough, or
 * a dimension is 0. */
struct onri_reshaping {
  struct onr_reshape_params params;
  struct onr_desc list;
  int64_t dims[ONR_MAX_RANK];
};
int onri_rewrite_reshaping(struct onri_rewrite *rw, const onri_expr *x, int32_t x_rank, const onri_expr *y,
                           int32_t y_rank, struct onri_reshaping *reshaping);
/* `node` becomes that reshape of value x. */
enum onr_status onri_rewrite_reshape(struct onri_rewrite *rw, struct onri_node *node, int32_t x,
                                     const struct onri_reshaping *reshaping);
enum onr_status onri_rewrite_no_memory(struct onri_rewrite *rw);

/* What constant v holds leaves memory where nobody reads it any more. Facts, once there are any, may still look at it.
 */
void onri_rewrite_release(struct onri_rewrite *rw, int32_t v);

/* --- patterns --- */
/* What to try on nodes of one layer. A rule that does not apply changes nothing and returns OK. */
struct onri_rewrite_rule {
  const struct onr_layer *layer;
  enum onr_status (*apply)(struct onri_rewrite *rw, struct onri_node *node);
};
/* Visits all nodes in order and tries the rules of their layers, in the order of the table. */
enum onr_status onri_rewrite_sweep(struct onri_rewrite *rw, const struct onri_rewrite_rule *rules, size_t count);

/* --- the passes --- */
#define ONRI_PASS(name, function, form) enum onr_status function(struct onri_rewrite *rw);
#include "passes/passes.inc"
#undef ONRI_PASS

#endif
