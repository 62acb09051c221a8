/* expr_text.c: expressions as people and Python write them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "facts/expr.h"

struct writer {
  const struct onri_exprs *exprs;
  char *text;
  size_t capacity, length;
  int nameless; /* a symbol without a name was met, or there was no room */
};

static void put(struct writer *w, const char *text) {
  const size_t more = strlen(text);
  if (w->length + more >= w->capacity) {
    w->nameless = 1;
    return;
  }
  memcpy(w->text + w->length, text, more + 1);
  w->length += more;
}

static void put_number(struct writer *w, int64_t value) {
  char number[32];
  snprintf(number, sizeof(number), "%" PRId64, value);
  put(w, number);
}

static void put_expr(struct writer *w, onri_expr a);

static void put_operand(struct writer *w, onri_expr a) {
  const struct onri_polynomial *p = &w->exprs->polynomials[a];
  const int is_sum = p->count > 1 || (p->count == 1 && p->terms[0].coefficient != 1 && p->terms[0].monomial != 0);
  if (is_sum) put(w, "(");
  put_expr(w, a);
  if (is_sum) put(w, ")");
}

static void put_atom(struct writer *w, const struct onri_atom *atom) {
  static const char *const names[] = {"", "", "max(", "min(", "broadcast("};
  if (atom->kind == ONRI_ATOM_SYMBOL) {
    w->nameless |= !atom->name;
    if (atom->name) put(w, atom->name);
  } else if (atom->kind == ONRI_ATOM_QUOTIENT) {
    put_operand(w, atom->a);
    put(w, "//");
    put_operand(w, atom->b);
  } else {
    put(w, names[atom->kind]);
    put_expr(w, atom->a);
    put(w, ", ");
    put_expr(w, atom->b);
    put(w, ")");
  }
}

static void put_term(struct writer *w, const struct onri_term *term, int is_first) {
  const struct onri_monomial *m = &w->exprs->monomials[term->monomial];
  const int64_t c = term->coefficient;
  if (is_first ? c == -1 && m->degree : 0) put(w, "-");
  if (!is_first) put(w, c < 0 ? " - " : " + ");
  const int64_t shown = !is_first && c < 0 && c != INT64_MIN ? -c : c;
  const int is_one = shown == 1 || (is_first && c == -1);
  if (!m->degree || !is_one) put_number(w, shown);
  for (int32_t i = 0; i < m->degree; i++) {
    const struct onri_atom *atom = &w->exprs->atoms[m->atom[i]];
    const int is_quotient = atom->kind == ONRI_ATOM_QUOTIENT && (m->degree > 1 || !is_one);
    if (i || !is_one) put(w, "*");
    if (is_quotient) put(w, "(");
    put_atom(w, atom);
    if (is_quotient) put(w, ")");
  }
}

/* The constant term, which is the first, stands last: 2*n + 1. */
static void put_expr(struct writer *w, onri_expr a) {
  const struct onri_polynomial *p = &w->exprs->polynomials[a];
  const int has_constant = p->count && p->terms[0].monomial == 0;
  if (!p->count) put(w, "0");
  for (int32_t k = has_constant; k < p->count; k++) put_term(w, &p->terms[k], k == has_constant);
  if (has_constant) put_term(w, &p->terms[0], p->count == 1);
}

char *onri_expr_format(const struct onri_exprs *exprs, onri_expr a, char *text, size_t capacity) {
  struct writer w = {.exprs = exprs, .text = text, .capacity = capacity};
  text[0] = 0;
  if (a != ONRI_EXPR_ANY) put_expr(&w, a);
  if (a == ONRI_EXPR_ANY || w.nameless) snprintf(text, capacity, "?");
  return text;
}
