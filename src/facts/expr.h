/* expr.h: sizes that are not known yet, as expressions: polynomials with integer coefficients over symbols, and over
 * quotients, maxima, minima and broadcasts of other expressions.
 *
 * Each expression is held once, in one normal form, and has one number: equal numbers mean equal sizes in every run.
 * (The reverse does not hold: two forms of one size may have two numbers.) Quotients by a size take it to be above 0:
 * of a tensor without elements they tell nothing. */
#ifndef ONRI_EXPR_H
#define ONRI_EXPR_H

#include "base/memory/memory.h"

typedef int32_t onri_expr;

enum { ONRI_EXPR_ANY = -1 }; /* nothing is known, not even that it equals itself */

struct onri_term {
  int64_t coefficient; /* not 0 */
  int32_t monomial;    /* 0: the constant term */
};
enum {
  ONRI_EXPR_DEGREE = 6,
  ONRI_EXPR_TERMS = 10,
  ONRI_EXPR_DEPTH = 12,
  ONRI_EXPRS_MOST = 1 << 20,
  ONRI_EXPR_POSITIVE = 32
};

enum onri_atom_kind { ONRI_ATOM_SYMBOL, ONRI_ATOM_QUOTIENT, ONRI_ATOM_MAX, ONRI_ATOM_MIN, ONRI_ATOM_BROADCAST };
struct onri_atom {
  enum onri_atom_kind kind;
  onri_expr a, b;   /* SYMBOL: a is its ordinal */
  int32_t depth;    /* of the atoms in a and b, and 1 */
  int64_t least;    /* it is never below */
  const char *name; /* SYMBOL: as the file has it, or NULL */
};
struct onri_monomial {
  int32_t degree, atom[ONRI_EXPR_DEGREE]; /* in rising order */
};
struct onri_polynomial {
  int32_t count;
  struct onri_term *terms; /* in rising order of monomials */
};

/* Numbers of equal items, by hash. */
struct onri_intern_table {
  int32_t *slots; /* item + 1; 0: free */
  size_t capacity, count;
};

struct onri_exprs {
  struct onri_arena arena; /* terms */
  struct onri_atom *atoms;
  struct onri_monomial *monomials;
  struct onri_polynomial *polynomials; /* [expr] */
  size_t atoms_capacity, monomials_capacity, polynomials_capacity;
  int32_t num_symbols;
  onri_expr positive[ONRI_EXPR_POSITIVE]; /* sums of symbols that are known to be above 0, though each may be 0 */
  int32_t num_positive;
  int32_t contradicts; /* sizes, ranks or types that should be one are not: no run has them */
  struct onri_intern_table atom_table, monomial_table, polynomial_table;
};

/* Where memory is short, expressions become ANY. */
void onri_exprs_init(struct onri_exprs *exprs, const struct onr_allocator *allocator);
void onri_exprs_clear(struct onri_exprs *exprs);

onri_expr onri_expr_number(struct onri_exprs *exprs, int64_t value);
/* A size of its own; name: borrowed, NULL: none. */
onri_expr onri_expr_symbol(struct onri_exprs *exprs, const char *name, int64_t least);
/* The expression that a symbol is, by its ordinal; ANY when there is none. */
onri_expr onri_expr_of_symbol(struct onri_exprs *exprs, int32_t ordinal);
onri_expr onri_expr_add(struct onri_exprs *exprs, onri_expr a, onri_expr b);
onri_expr onri_expr_sub(struct onri_exprs *exprs, onri_expr a, onri_expr b);
onri_expr onri_expr_mul(struct onri_exprs *exprs, onri_expr a, onri_expr b);
/* Rounded down. ANY for a divisor of 0. */
onri_expr onri_expr_div(struct onri_exprs *exprs, onri_expr a, onri_expr b);
onri_expr onri_expr_max(struct onri_exprs *exprs, onri_expr a, onri_expr b);
onri_expr onri_expr_min(struct onri_exprs *exprs, onri_expr a, onri_expr b);
/* The size that two dimensions have together; where they do not fit, no run goes on. */
onri_expr onri_expr_broadcast(struct onri_exprs *exprs, onri_expr a, onri_expr b);

int onri_expr_is_number(const struct onri_exprs *exprs, onri_expr a, int64_t *value);
static inline int onri_expr_is_same(onri_expr a, onri_expr b) { return a == b && a != ONRI_EXPR_ANY; }
/* It is never below; INT64_MIN when unknown. */
int64_t onri_expr_least(const struct onri_exprs *exprs, onri_expr a);
/* The sum of these symbols is above 0. To be told before anything is made of it. */
void onri_expr_is_positive(struct onri_exprs *exprs, const int32_t *symbols, int32_t count);
/* x is 0 wherever a is. 0 when that is not sure. */
int onri_expr_vanishes_with(struct onri_exprs *exprs, onri_expr x, onri_expr a);
/* Its value where symbol s is values[s]. 0 when that does not work out. */
int onri_expr_evaluate(const struct onri_exprs *exprs, onri_expr a, const int64_t *values, int64_t *result);
/* Its symbols join list, each once. 0 when there is no room for them. */
int onri_expr_symbols(const struct onri_exprs *exprs, onri_expr a, int32_t *list, int32_t capacity, int32_t *count);
/* "2*seq + 1", with // for quotients that are rounded down; "?" where a symbol has no name. Returns text. */
char *onri_expr_format(const struct onri_exprs *exprs, onri_expr a, char *text, size_t capacity);

#endif
