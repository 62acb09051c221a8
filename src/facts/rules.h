/* rules.h: how the shape of a layer's outputs, and the elements of small integer ones, follow from its inputs, as
 * expressions. The same formulas as in the layers' infer, over sizes that are not known yet; a test holds them
 * together. */
#ifndef ONRI_FACTS_RULES_H
#define ONRI_FACTS_RULES_H

#include "facts/facts.h"
#include "layers/layers.h"

/* A node whose inputs are not all numbers. Outputs begin as unknown; what a rule cannot tell it leaves so. */
struct onri_deduction {
  struct onri_facts *facts;
  struct onri_exprs *exprs; /* the facts' */
  const struct onri_node *node;
  struct onri_fact *out; /* [node->num_out] */
};
typedef void (*onri_deduce_fn)(struct onri_deduction *d);

/* The rule of a layer, or NULL. */
onri_deduce_fn onri_deduce_find(const struct onr_layer *layer);

/* --- for rules --- */
/* The fact of input i; one that tells nothing when it is left out. */
const struct onri_fact *onri_fact_in(const struct onri_deduction *d, int32_t i);
static inline int onri_fact_has(const struct onri_deduction *d, int32_t i) {
  return i < d->node->num_in && d->node->in[i] != ONRI_NONE;
}
static inline int onri_fact_has_rank(const struct onri_fact *fact) { return fact->rank != ONRI_UNKNOWN_RANK; }
/* Elements of input i; NULL when they are not known. Input 0 of a rank above 1 counts in row order. */
const onri_expr *onri_fact_elements(const struct onri_deduction *d, int32_t i, int32_t *count);
/* The same where all are numbers that fit `capacity`; returns 0 when they are not. */
int onri_fact_numbers(const struct onri_deduction *d, int32_t i, int64_t *values, int32_t capacity, int32_t *count);
/* Room for elements of output 0; NULL: no memory, or too many. */
onri_expr *onri_fact_make(struct onri_deduction *d, int32_t count);
/* A dimension nobody knows anything about, but that equals itself. */
onri_expr onri_fact_new_dim(struct onri_deduction *d);
static inline onri_expr onri_fact_or_new(struct onri_deduction *d, onri_expr dim) {
  return dim == ONRI_EXPR_ANY ? onri_fact_new_dim(d) : dim;
}
static inline onri_expr onri_fact_number(const struct onri_deduction *d, int64_t value) {
  return onri_expr_number(d->exprs, value);
}
/* The product of dimensions [from, to). */
onri_expr onri_fact_product(struct onri_deduction *d, const struct onri_fact *x, int32_t from, int32_t to);
/* No run goes on where this dimension is 0. */
void onri_fact_is_positive(struct onri_deduction *d, onri_expr dim);
/* Dtype and dims of `from`, no elements. */
void onri_fact_copy(struct onri_fact *to, const struct onri_fact *from);
/* An axis as attributes have it, any number; -1 when out of range, as all are where the rank is not known. */
static inline int32_t onri_fact_axis(int64_t axis, int32_t rank) {
  if (axis < -rank || axis >= rank) return -1;
  return (int32_t)(axis < 0 ? axis + rank : axis);
}

/* --- layers without a rule (fit.c) --- */
enum onr_status onri_facts_fit(struct onri_deduction *d, struct onr_error *error);

/* --- bodies (bodies.c) --- */
enum onr_status onri_facts_of_bodies(struct onri_deduction *d, struct onr_error *error);

#define ONRI_DEDUCE(layer, rule) void rule(struct onri_deduction *d);
#include "facts/rules.inc"
#undef ONRI_DEDUCE

#endif
