/* expr.c: expressions in one normal form. */
#include "facts/expr.h"

#include <string.h>

#include "base/only.h"
#include "base/numbers/checked.h"

/* --- items by their contents --- */

static uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
  return hash ^ (hash >> 29);
}

typedef uint64_t (*hash_of)(const struct onri_exprs *exprs, int32_t item);

/* Twice the slots when half are taken. */
static int make_room(struct onri_exprs *exprs, struct onri_intern_table *table, hash_of hash) {
  const struct onr_allocator *allocator = exprs->arena.allocator;
  if (2 * (table->count + 1) <= table->capacity) return 1;
  const size_t capacity = table->capacity ? 2 * table->capacity : 64;
  int32_t *slots = onri_allocate_zeroed(allocator, capacity * sizeof(*slots));
  if (!slots) return 0;
  for (size_t i = 0; i < table->capacity; i++) {
    if (!table->slots[i]) continue;
    size_t at = hash(exprs, table->slots[i] - 1) & (capacity - 1);
    while (slots[at]) at = (at + 1) & (capacity - 1);
    slots[at] = table->slots[i];
  }
  onri_release(allocator, table->slots);
  table->slots = slots;
  table->capacity = capacity;
  return 1;
}

/* The item that equals item `made`, the last one of its array: an earlier one, or itself, which is then taken in. -1:
 * no memory. */
static int32_t intern(struct onri_exprs *exprs, struct onri_intern_table *table, hash_of hash,
                      int (*equal)(const struct onri_exprs *, int32_t, int32_t), int32_t made) {
  if (!make_room(exprs, table, hash)) return -1;
  size_t at = hash(exprs, made) & (table->capacity - 1);
  for (; table->slots[at]; at = (at + 1) & (table->capacity - 1))
    if (equal(exprs, table->slots[at] - 1, made)) return table->slots[at] - 1;
  table->slots[at] = made + 1;
  table->count++;
  return made;
}

static uint64_t hash_atom(const struct onri_exprs *exprs, int32_t i) {
  const struct onri_atom *a = &exprs->atoms[i];
  return mix(mix(mix(1, a->kind), (uint32_t)a->a), (uint32_t)a->b);
}
static int equal_atoms(const struct onri_exprs *exprs, int32_t i, int32_t j) {
  const struct onri_atom *x = &exprs->atoms[i], *y = &exprs->atoms[j];
  return x->kind == y->kind && x->a == y->a && x->b == y->b;
}
static uint64_t hash_monomial(const struct onri_exprs *exprs, int32_t i) {
  const struct onri_monomial *m = &exprs->monomials[i];
  uint64_t hash = mix(2, (uint32_t)m->degree);
  for (int32_t k = 0; k < m->degree; k++) hash = mix(hash, (uint32_t)m->atom[k]);
  return hash;
}
static int equal_monomials(const struct onri_exprs *exprs, int32_t i, int32_t j) {
  const struct onri_monomial *x = &exprs->monomials[i], *y = &exprs->monomials[j];
  return x->degree == y->degree && !memcmp(x->atom, y->atom, (size_t)x->degree * sizeof(x->atom[0]));
}
static uint64_t hash_polynomial(const struct onri_exprs *exprs, int32_t i) {
  const struct onri_polynomial *p = &exprs->polynomials[i];
  uint64_t hash = mix(3, (uint32_t)p->count);
  for (int32_t k = 0; k < p->count; k++)
    hash = mix(mix(hash, (uint64_t)p->terms[k].coefficient), (uint32_t)p->terms[k].monomial);
  return hash;
}
static int equal_polynomials(const struct onri_exprs *exprs, int32_t i, int32_t j) {
  const struct onri_polynomial *x = &exprs->polynomials[i], *y = &exprs->polynomials[j];
  if (x->count != y->count) return 0;
  for (int32_t k = 0; k < x->count; k++)
    if (x->terms[k].coefficient != y->terms[k].coefficient || x->terms[k].monomial != y->terms[k].monomial) return 0;
  return 1;
}

/* --- making --- */

/* A polynomial being made: any order, monomials once each. */
struct sum {
  int32_t count;
  int failed; /* too many terms, or an overflow */
  struct onri_term term[ONRI_EXPR_TERMS];
};

static void sum_add(struct sum *sum, int64_t coefficient, int32_t monomial) {
  int32_t at = 0;
  while (at < sum->count && sum->term[at].monomial < monomial) at++;
  if (at < sum->count && sum->term[at].monomial == monomial) {
    sum->failed |= !onri_add_i64(sum->term[at].coefficient, coefficient, &sum->term[at].coefficient);
    if (sum->term[at].coefficient) return;
    memmove(sum->term + at, sum->term + at + 1, (size_t)(--sum->count - at) * sizeof(sum->term[0]));
    return;
  }
  if (!coefficient || sum->failed) return;
  if (sum->count == ONRI_EXPR_TERMS) {
    sum->failed = 1;
    return;
  }
  memmove(sum->term + at + 1, sum->term + at, (size_t)(sum->count++ - at) * sizeof(sum->term[0]));
  sum->term[at] = (struct onri_term){coefficient, monomial};
}

static void sum_add_scaled(struct sum *sum, const struct onri_exprs *exprs, onri_expr a, int64_t scale) {
  const struct onri_polynomial *p = &exprs->polynomials[a];
  int64_t coefficient;
  for (int32_t k = 0; k < p->count; k++) {
    sum->failed |= !onri_mul_i64(p->terms[k].coefficient, scale, &coefficient);
    if (!sum->failed) sum_add(sum, coefficient, p->terms[k].monomial);
  }
}

static onri_expr sum_finish(struct onri_exprs *exprs, const struct sum *sum) {
  const size_t count = exprs->polynomial_table.count;
  if (sum->failed || count >= ONRI_EXPRS_MOST ||
      !onri_grow(exprs->arena.allocator, &exprs->polynomials, sizeof(*exprs->polynomials), &exprs->polynomials_capacity,
                 count + 1))
    return ONRI_EXPR_ANY;
  struct onri_polynomial *made = &exprs->polynomials[count];
  *made = (struct onri_polynomial){sum->count, (struct onri_term *)sum->term};
  const int32_t found = intern(exprs, &exprs->polynomial_table, hash_polynomial, equal_polynomials, (int32_t)count);
  if (found != (int32_t)count) return found;
  made->terms = sum->count ? onri_arena_copy(&exprs->arena, sum->term, (size_t)sum->count * sizeof(sum->term[0]))
                           : onri_arena_allocate(&exprs->arena, 1);
  if (made->terms) return found;
  *made = (struct onri_polynomial){0}; /* stays in the table, as a second 0 that is found by nobody */
  return ONRI_EXPR_ANY;
}

static int32_t monomial_of(struct onri_exprs *exprs, const struct onri_monomial *m) {
  const size_t count = exprs->monomial_table.count;
  if (!onri_grow(exprs->arena.allocator, &exprs->monomials, sizeof(*exprs->monomials), &exprs->monomials_capacity,
                 count + 1))
    return -1;
  exprs->monomials[count] = *m;
  return intern(exprs, &exprs->monomial_table, hash_monomial, equal_monomials, (int32_t)count);
}

/* The product of two monomials; -1: the degree is too high, or no memory. */
static int32_t monomial_product(struct onri_exprs *exprs, int32_t x, int32_t y) {
  const struct onri_monomial a = exprs->monomials[x], b = exprs->monomials[y];
  struct onri_monomial m = {.degree = a.degree + b.degree};
  if (m.degree > ONRI_EXPR_DEGREE) return -1;
  for (int32_t i = 0, j = 0, k = 0; k < m.degree; k++)
    m.atom[k] = j == b.degree || (i < a.degree && a.atom[i] <= b.atom[j]) ? a.atom[i++] : b.atom[j++];
  return monomial_of(exprs, &m);
}

/* x without the atoms of y; -1 when it does not have them all. */
static int32_t monomial_quotient(struct onri_exprs *exprs, int32_t x, int32_t y) {
  const struct onri_monomial a = exprs->monomials[x], b = exprs->monomials[y];
  struct onri_monomial m = {0};
  int32_t j = 0;
  for (int32_t i = 0; i < a.degree; i++)
    if (j < b.degree && a.atom[i] == b.atom[j]) j++;
    else m.atom[m.degree++] = a.atom[i];
  return j == b.degree ? monomial_of(exprs, &m) : -1;
}

void onri_exprs_init(struct onri_exprs *exprs, const struct onr_allocator *allocator) {
  *exprs = (struct onri_exprs){0};
  onri_arena_init(&exprs->arena, allocator, 0);
  monomial_of(exprs, &(struct onri_monomial){0}); /* 0: the constant term */
}

void onri_exprs_clear(struct onri_exprs *exprs) {
  const struct onr_allocator *allocator = exprs->arena.allocator;
  if (!allocator) return;
  onri_release(allocator, exprs->atoms);
  onri_release(allocator, exprs->monomials);
  onri_release(allocator, exprs->polynomials);
  onri_release(allocator, exprs->atom_table.slots);
  onri_release(allocator, exprs->monomial_table.slots);
  onri_release(allocator, exprs->polynomial_table.slots);
  onri_arena_clear(&exprs->arena);
  *exprs = (struct onri_exprs){0};
}

onri_expr onri_expr_number(struct onri_exprs *exprs, int64_t value) {
  struct sum sum = {0};
  if (!exprs->monomial_table.count) return ONRI_EXPR_ANY;
  sum_add(&sum, value, 0);
  return sum_finish(exprs, &sum);
}

static int32_t depth_of(const struct onri_exprs *exprs, onri_expr a) {
  const struct onri_polynomial *p = &exprs->polynomials[a];
  int32_t most = 0;
  for (int32_t k = 0; k < p->count; k++) {
    const struct onri_monomial *m = &exprs->monomials[p->terms[k].monomial];
    for (int32_t i = 0; i < m->degree; i++)
      if (exprs->atoms[m->atom[i]].depth > most) most = exprs->atoms[m->atom[i]].depth;
  }
  return most;
}

/* The expression that is this atom alone. */
static onri_expr atom_expr(struct onri_exprs *exprs, const struct onri_atom *atom) {
  const size_t count = exprs->atom_table.count;
  struct sum sum = {0};
  if (atom->depth > ONRI_EXPR_DEPTH || !exprs->monomial_table.count ||
      !onri_grow(exprs->arena.allocator, &exprs->atoms, sizeof(*exprs->atoms), &exprs->atoms_capacity, count + 1))
    return ONRI_EXPR_ANY;
  exprs->atoms[count] = *atom;
  const int32_t found = intern(exprs, &exprs->atom_table, hash_atom, equal_atoms, (int32_t)count);
  const int32_t monomial = found < 0 ? -1 : monomial_of(exprs, &(struct onri_monomial){1, {found}});
  if (monomial < 0) return ONRI_EXPR_ANY;
  sum_add(&sum, 1, monomial);
  return sum_finish(exprs, &sum);
}

onri_expr onri_expr_symbol(struct onri_exprs *exprs, const char *name, int64_t least) {
  if (exprs->num_symbols == ONRI_EXPRS_MOST) return ONRI_EXPR_ANY;
  return atom_expr(exprs,
                   &(struct onri_atom){
                       .kind = ONRI_ATOM_SYMBOL, .a = exprs->num_symbols++, .depth = 1, .least = least, .name = name});
}

onri_expr onri_expr_of_symbol(struct onri_exprs *exprs, int32_t ordinal) {
  return ordinal < exprs->num_symbols
             ? atom_expr(exprs, &(struct onri_atom){.kind = ONRI_ATOM_SYMBOL, .a = ordinal, .depth = 1})
             : ONRI_EXPR_ANY;
}

static onri_expr pair(struct onri_exprs *exprs, enum onri_atom_kind kind, onri_expr a, onri_expr b, int64_t least) {
  const int32_t x = depth_of(exprs, a), y = depth_of(exprs, b);
  return atom_expr(exprs,
                   &(struct onri_atom){.kind = kind, .a = a, .b = b, .depth = 1 + (x > y ? x : y), .least = least});
}

/* --- asking --- */

int onri_expr_is_number(const struct onri_exprs *exprs, onri_expr a, int64_t *value) {
  if (a == ONRI_EXPR_ANY) return 0;
  const struct onri_polynomial *p = &exprs->polynomials[a];
  if (p->count > 1 || (p->count == 1 && p->terms[0].monomial != 0)) return 0;
  *value = p->count ? p->terms[0].coefficient : 0;
  return 1;
}

/* The atom that a is, alone; NULL when it is more. */
static const struct onri_atom *sole_atom(const struct onri_exprs *exprs, onri_expr a) {
  const struct onri_polynomial *p = &exprs->polynomials[a];
  if (p->count != 1 || p->terms[0].coefficient != 1) return NULL;
  const struct onri_monomial *m = &exprs->monomials[p->terms[0].monomial];
  return m->degree == 1 ? &exprs->atoms[m->atom[0]] : NULL;
}

/* Each symbol of the sum is a term of its own of p, which has no negative ones. */
static int has_terms_of(const struct onri_exprs *exprs, const struct onri_polynomial *p, onri_expr sum) {
  const struct onri_polynomial *all = &exprs->polynomials[sum];
  int32_t found = 0;
  for (int32_t k = 0; k < p->count; k++) {
    if (p->terms[k].coefficient < 0) return 0;
    for (int32_t i = 0; i < all->count; i++) found += p->terms[k].monomial == all->terms[i].monomial;
  }
  return found == all->count;
}

int64_t onri_expr_least(const struct onri_exprs *exprs, onri_expr a) {
  int64_t sum = 0, product;
  if (a == ONRI_EXPR_ANY) return INT64_MIN;
  const struct onri_polynomial *p = &exprs->polynomials[a];
  for (int32_t k = 0; k < p->count; k++) {
    const struct onri_monomial *m = &exprs->monomials[p->terms[k].monomial];
    product = p->terms[k].coefficient;
    if (product < 0 && m->degree) return INT64_MIN;
    for (int32_t i = 0; i < m->degree; i++) {
      const int64_t least = exprs->atoms[m->atom[i]].least;
      if (least < 0 && m->degree > 1) return INT64_MIN;
      if (!onri_mul_i64(product, least, &product)) return least < 0 ? INT64_MIN : INT64_MAX / 2;
    }
    if (!onri_add_i64(sum, product, &sum)) return product < 0 ? INT64_MIN : INT64_MAX / 2;
  }
  for (int32_t i = 0; sum == 0 && i < exprs->num_positive; i++) sum = has_terms_of(exprs, p, exprs->positive[i]);
  return sum;
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

static int combine(enum onri_atom_kind kind, int64_t a, int64_t b, int64_t *result) {
  switch (kind) {
    case ONRI_ATOM_QUOTIENT:
      if (b <= 0) return 0;
      *result = floor_div(a, b);
      return 1;
    case ONRI_ATOM_MAX: *result = a > b ? a : b; return 1;
    case ONRI_ATOM_MIN: *result = a < b ? a : b; return 1;
    default: *result = a == 1 ? b : a; return a == b || a == 1 || b == 1;
  }
}

/* As deep as ONRI_EXPR_DEPTH. */
int onri_expr_evaluate(const struct onri_exprs *exprs, onri_expr a, const int64_t *values, int64_t *result) {
  int64_t sum = 0;
  if (a == ONRI_EXPR_ANY) return 0;
  const struct onri_polynomial *p = &exprs->polynomials[a];
  for (int32_t k = 0; k < p->count; k++) {
    const struct onri_monomial *m = &exprs->monomials[p->terms[k].monomial];
    int64_t product = p->terms[k].coefficient;
    for (int32_t i = 0; i < m->degree; i++) {
      const struct onri_atom *atom = &exprs->atoms[m->atom[i]];
      int64_t value, x, y;
      if (atom->kind == ONRI_ATOM_SYMBOL) value = values[atom->a];
      else if (!onri_expr_evaluate(exprs, atom->a, values, &x) || !onri_expr_evaluate(exprs, atom->b, values, &y) ||
               !combine(atom->kind, x, y, &value))
        return 0;
      if (!onri_mul_i64(product, value, &product)) return 0;
    }
    if (!onri_add_i64(sum, product, &sum)) return 0;
  }
  *result = sum;
  return 1;
}

static int join(int32_t symbol, int32_t *list, int32_t capacity, int32_t *count) {
  for (int32_t i = 0; i < *count; i++)
    if (list[i] == symbol) return 1;
  if (*count == capacity) return 0;
  list[(*count)++] = symbol;
  return 1;
}

int onri_expr_symbols(const struct onri_exprs *exprs, onri_expr a, int32_t *list, int32_t capacity, int32_t *count) {
  if (a == ONRI_EXPR_ANY) return 1;
  const struct onri_polynomial *p = &exprs->polynomials[a];
  for (int32_t k = 0; k < p->count; k++) {
    const struct onri_monomial *m = &exprs->monomials[p->terms[k].monomial];
    for (int32_t i = 0; i < m->degree; i++) {
      const struct onri_atom *atom = &exprs->atoms[m->atom[i]];
      const int ok = atom->kind == ONRI_ATOM_SYMBOL ? join(atom->a, list, capacity, count)
                                                    : onri_expr_symbols(exprs, atom->a, list, capacity, count) &&
                                                          onri_expr_symbols(exprs, atom->b, list, capacity, count);
      if (!ok) return 0;
    }
  }
  return 1;
}

/* --- arithmetic --- */

static onri_expr add_scaled(struct onri_exprs *exprs, onri_expr a, onri_expr b, int64_t scale) {
  struct sum sum = {0};
  if (a == ONRI_EXPR_ANY || b == ONRI_EXPR_ANY) return ONRI_EXPR_ANY;
  sum_add_scaled(&sum, exprs, a, 1);
  sum_add_scaled(&sum, exprs, b, scale);
  return sum_finish(exprs, &sum);
}

onri_expr onri_expr_add(struct onri_exprs *exprs, onri_expr a, onri_expr b) { return add_scaled(exprs, a, b, 1); }
onri_expr onri_expr_sub(struct onri_exprs *exprs, onri_expr a, onri_expr b) { return add_scaled(exprs, a, b, -1); }

onri_expr onri_expr_mul(struct onri_exprs *exprs, onri_expr a, onri_expr b) {
  struct sum sum = {0};
  if (a == ONRI_EXPR_ANY || b == ONRI_EXPR_ANY) return ONRI_EXPR_ANY;
  const struct onri_polynomial x = exprs->polynomials[a], y = exprs->polynomials[b];
  for (int32_t i = 0; i < x.count; i++)
    for (int32_t j = 0; j < y.count; j++) {
      int64_t coefficient;
      const int32_t monomial = monomial_product(exprs, x.terms[i].monomial, y.terms[j].monomial);
      if (monomial < 0 || !onri_mul_i64(x.terms[i].coefficient, y.terms[j].coefficient, &coefficient))
        return ONRI_EXPR_ANY;
      sum_add(&sum, coefficient, monomial);
    }
  return sum_finish(exprs, &sum);
}

/* a = k b for a number k. */
static int is_multiple(const struct onri_exprs *exprs, onri_expr a, onri_expr b, int64_t *k) {
  const struct onri_polynomial *x = &exprs->polynomials[a], *y = &exprs->polynomials[b];
  if (x->count != y->count || !y->count || x->terms[0].coefficient % y->terms[0].coefficient) return 0;
  *k = x->terms[0].coefficient / y->terms[0].coefficient;
  for (int32_t i = 0; i < x->count; i++) {
    int64_t product;
    if (x->terms[i].monomial != y->terms[i].monomial || !onri_mul_i64(y->terms[i].coefficient, *k, &product) ||
        product != x->terms[i].coefficient)
      return 0;
  }
  return 1;
}

/* Each term of a divided by the one term of b; ANY when one leaves a rest. */
static onri_expr divide_terms(struct onri_exprs *exprs, onri_expr a, onri_expr b) {
  const struct onri_polynomial x = exprs->polynomials[a], y = exprs->polynomials[b];
  struct sum sum = {0};
  for (int32_t i = 0; i < x.count; i++) {
    const int32_t monomial = monomial_quotient(exprs, x.terms[i].monomial, y.terms[0].monomial);
    if (monomial < 0 || x.terms[i].coefficient % y.terms[0].coefficient) return ONRI_EXPR_ANY;
    sum_add(&sum, x.terms[i].coefficient / y.terms[0].coefficient, monomial);
  }
  return sum_finish(exprs, &sum);
}

/* floor(floor(p / m) + r) / d) is floor((p + r m) / (m d)); else *a and *d stay. */
static void flatten(struct onri_exprs *exprs, onri_expr *a, int64_t *d) {
  int64_t rest = 0, m, md, rm;
  const struct onri_polynomial *p = &exprs->polynomials[*a];
  struct sum sum = {0};
  if (p->count == 2 && p->terms[0].monomial == 0) {
    rest = p->terms[0].coefficient;
    sum_add(&sum, 1, p->terms[1].monomial);
    if (p->terms[1].coefficient != 1) return;
  } else if (p->count == 1 && p->terms[0].coefficient == 1) {
    sum_add(&sum, 1, p->terms[0].monomial);
  } else {
    return;
  }
  const onri_expr alone = sum_finish(exprs, &sum);
  const struct onri_atom *atom = alone == ONRI_EXPR_ANY ? NULL : sole_atom(exprs, alone);
  if (!atom || atom->kind != ONRI_ATOM_QUOTIENT || !onri_expr_is_number(exprs, atom->b, &m) ||
      !onri_mul_i64(m, *d, &md) || !onri_mul_i64(rest, m, &rm))
    return;
  const onri_expr whole = onri_expr_add(exprs, atom->a, onri_expr_number(exprs, rm));
  if (whole == ONRI_EXPR_ANY) return;
  *a = whole;
  *d = md;
}

/* By a number above 1: what it divides stands in front of the quotient. */
static onri_expr divide_by_number(struct onri_exprs *exprs, onri_expr a, int64_t d) {
  struct sum whole = {0}, rest = {0};
  const struct onri_polynomial x = exprs->polynomials[a];
  for (int32_t i = 0; i < x.count; i++) {
    const int64_t c = x.terms[i].coefficient;
    const int32_t monomial = x.terms[i].monomial;
    if (c % d == 0 || monomial == 0) sum_add(&whole, floor_div(c, d), monomial);
    if (c % d) sum_add(&rest, monomial == 0 ? c - d * floor_div(c, d) : c, monomial);
  }
  const onri_expr front = sum_finish(exprs, &whole);
  onri_expr left = sum_finish(exprs, &rest);
  int64_t number, divisor = d;
  if (front == ONRI_EXPR_ANY || left == ONRI_EXPR_ANY) return ONRI_EXPR_ANY;
  if (onri_expr_is_number(exprs, left, &number)) return front; /* in [0, d) */
  flatten(exprs, &left, &divisor);
  const int64_t least = onri_expr_least(exprs, left);
  const onri_expr quotient = pair(exprs, ONRI_ATOM_QUOTIENT, left, onri_expr_number(exprs, divisor),
                                  least == INT64_MIN ? INT64_MIN : floor_div(least, divisor));
  return onri_expr_add(exprs, front, quotient);
}

onri_expr onri_expr_div(struct onri_exprs *exprs, onri_expr a, onri_expr b) {
  int64_t x, y;
  if (a == ONRI_EXPR_ANY || b == ONRI_EXPR_ANY) return ONRI_EXPR_ANY;
  const int is_number = onri_expr_is_number(exprs, b, &y);
  if (is_number && y <= 0) return ONRI_EXPR_ANY;
  if (is_number && y == 1) return a;
  if (is_number && onri_expr_is_number(exprs, a, &x)) return onri_expr_number(exprs, floor_div(x, y));
  if (!ONRI_PART(symbols)) return ONRI_EXPR_ANY;
  if (is_number) return divide_by_number(exprs, a, y);
  if (is_multiple(exprs, a, b, &x)) return onri_expr_number(exprs, x);
  if (exprs->polynomials[b].count == 1) {
    const onri_expr exact = divide_terms(exprs, a, b);
    if (exact != ONRI_EXPR_ANY) return exact;
  }
  return pair(exprs, ONRI_ATOM_QUOTIENT, a, b,
              onri_expr_least(exprs, a) >= 0 && onri_expr_least(exprs, b) >= 0 ? 0 : INT64_MIN);
}

/* An order of operands that does not matter is the rising one. */
static onri_expr unordered(struct onri_exprs *exprs, enum onri_atom_kind kind, onri_expr a, onri_expr b,
                           int64_t least) {
  if (!ONRI_PART(symbols)) return ONRI_EXPR_ANY;
  return pair(exprs, kind, a < b ? a : b, a < b ? b : a, least);
}

static int is_at_least(struct onri_exprs *exprs, onri_expr a, onri_expr b) {
  return onri_expr_least(exprs, onri_expr_sub(exprs, a, b)) >= 0;
}

onri_expr onri_expr_max(struct onri_exprs *exprs, onri_expr a, onri_expr b) {
  if (a == ONRI_EXPR_ANY || b == ONRI_EXPR_ANY) return ONRI_EXPR_ANY;
  if (is_at_least(exprs, a, b)) return a;
  if (is_at_least(exprs, b, a)) return b;
  const int64_t x = onri_expr_least(exprs, a), y = onri_expr_least(exprs, b);
  return unordered(exprs, ONRI_ATOM_MAX, a, b, x > y ? x : y);
}

onri_expr onri_expr_min(struct onri_exprs *exprs, onri_expr a, onri_expr b) {
  if (a == ONRI_EXPR_ANY || b == ONRI_EXPR_ANY) return ONRI_EXPR_ANY;
  if (is_at_least(exprs, a, b)) return b;
  if (is_at_least(exprs, b, a)) return a;
  const int64_t x = onri_expr_least(exprs, a), y = onri_expr_least(exprs, b);
  return unordered(exprs, ONRI_ATOM_MIN, a, b, x < y ? x : y);
}

/* b is one of what a is a broadcast of. */
static int is_part(const struct onri_exprs *exprs, onri_expr a, onri_expr b) {
  for (int depth = 0; depth < ONRI_EXPR_DEPTH; depth++) {
    const struct onri_atom *atom = sole_atom(exprs, a);
    if (!atom || atom->kind != ONRI_ATOM_BROADCAST) return 0;
    if (atom->a == b || atom->b == b) return 1;
    a = atom->a > atom->b ? atom->a : atom->b; /* the inner one was there later than its parts */
  }
  return 0;
}

onri_expr onri_expr_broadcast(struct onri_exprs *exprs, onri_expr a, onri_expr b) {
  int64_t x, y;
  const int is_number = onri_expr_is_number(exprs, a, &x);
  if (onri_expr_is_number(exprs, b, &y)) {
    /* Numbers that contradict each other are no run's; the same comes of them in any order. */
    exprs->contradicts |= is_number && x != y && x != 1 && y != 1;
    return y == 1 || (is_number && x != 1 && x > y) ? a : b;
  }
  if (is_number) return x == 1 ? b : a;
  if (a == ONRI_EXPR_ANY || b == ONRI_EXPR_ANY) return ONRI_EXPR_ANY;
  if (!ONRI_PART(symbols)) return a == b ? a : ONRI_EXPR_ANY;
  if (a == b || is_part(exprs, a, b)) return a;
  if (is_part(exprs, b, a)) return b;
  x = onri_expr_least(exprs, a), y = onri_expr_least(exprs, b);
  return unordered(exprs, ONRI_ATOM_BROADCAST, a, b, x >= 1 && y >= 1 ? 1 : 0);
}

void onri_expr_is_positive(struct onri_exprs *exprs, const int32_t *symbols, int32_t count) {
  onri_expr sum = onri_expr_number(exprs, 0);
  for (int32_t i = 0; i < count; i++) sum = onri_expr_add(exprs, sum, onri_expr_of_symbol(exprs, symbols[i]));
  if (sum != ONRI_EXPR_ANY && exprs->num_positive < ONRI_EXPR_POSITIVE) exprs->positive[exprs->num_positive++] = sum;
}

int onri_expr_vanishes_with(struct onri_exprs *exprs, onri_expr x, onri_expr a) {
  if (onri_expr_is_same(x, a) || onri_expr_least(exprs, a) > 0) return 1;
  if (x == ONRI_EXPR_ANY || a == ONRI_EXPR_ANY || exprs->polynomials[a].count != 1) return 0;
  const struct onri_monomial m = exprs->monomials[exprs->polynomials[a].terms[0].monomial];
  for (int32_t i = 0; i < m.degree; i++) {
    const struct onri_atom atom = exprs->atoms[m.atom[i]];
    if (atom.least > 0) continue;
    const onri_expr factor = atom_expr(exprs, &atom);
    if (factor == ONRI_EXPR_ANY || !onri_expr_is_same(onri_expr_mul(exprs, onri_expr_div(exprs, x, factor), factor), x))
      return 0;
  }
  return 1;
}
