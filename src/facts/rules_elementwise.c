/* rules_elementwise.c: layers that work on each element by itself, broadcast or not. */
#include "facts/rules.h"

/* Output 0 gets the common shape of the inputs. Left unknown where a rank is. */
static void broadcast_inputs(struct onri_deduction *d, int32_t count) {
  struct onri_fact *out = &d->out[0];
  out->rank = 0;
  for (int32_t i = 0; i < count; i++) {
    const struct onri_fact *x = onri_fact_in(d, i);
    if (!onri_fact_has_rank(x)) out->rank = ONRI_UNKNOWN_RANK;
    if (out->rank == ONRI_UNKNOWN_RANK) return;
    struct onri_fact wide = {.rank = x->rank > out->rank ? x->rank : out->rank};
    for (int32_t k = 0; k < wide.rank; k++) {
      const int32_t a = k - (wide.rank - out->rank), b = k - (wide.rank - x->rank);
      wide.dim[k] = a < 0 ? x->dim[b] : b < 0 ? out->dim[a] : onri_expr_broadcast(d->exprs, out->dim[a], x->dim[b]);
    }
    for (int32_t k = 0; k < wide.rank; k++) out->dim[k] = wide.dim[k];
    out->rank = wide.rank;
  }
  for (int32_t k = 0; k < out->rank; k++) out->dim[k] = onri_fact_or_new(d, out->dim[k]);
}

static int is_integer(enum onr_dtype dtype) { return onri_dtype_in(ONRI_DTYPES_INDEX, dtype); }

/* 1 or 0 where that is certain. */
static onri_expr truth(const struct onri_deduction *d, int is_true, int is_false) {
  return is_true ? onri_fact_number(d, 1) : is_false ? onri_fact_number(d, 0) : ONRI_EXPR_ANY;
}

static onri_expr compare(const struct onri_deduction *d, enum onr_binary op, onri_expr a, onri_expr b) {
  const int64_t more = onri_expr_least(d->exprs, onri_expr_sub(d->exprs, a, b)),
                less = onri_expr_least(d->exprs, onri_expr_sub(d->exprs, b, a));
  switch (op) {
    case ONR_BINARY_EQUAL: return truth(d, onri_expr_is_same(a, b), more > 0 || less > 0);
    case ONR_BINARY_LESS: return truth(d, less > 0, more >= 0);
    case ONR_BINARY_GREATER: return truth(d, more > 0, less >= 0);
    case ONR_BINARY_LESS_OR_EQUAL: return truth(d, less >= 0, more > 0);
    case ONR_BINARY_GREATER_OR_EQUAL: return truth(d, more >= 0, less > 0);
    default: return ONRI_EXPR_ANY;
  }
}

/* Integers of runs that go on: sizes, far from the ends of their type. */
static onri_expr combine(const struct onri_deduction *d, enum onr_binary op, onri_expr a, onri_expr b) {
  struct onri_exprs *x = d->exprs;
  const int rounds_down = onri_expr_least(x, a) >= 0 && onri_expr_least(x, b) >= 0;
  switch (op) {
    case ONR_BINARY_ADD: return onri_expr_add(x, a, b);
    case ONR_BINARY_SUB: return onri_expr_sub(x, a, b);
    case ONR_BINARY_MUL: return onri_expr_mul(x, a, b);
    case ONR_BINARY_DIV: return rounds_down ? onri_expr_div(x, a, b) : ONRI_EXPR_ANY;
    case ONR_BINARY_MOD:
    case ONR_BINARY_FMOD:
      return rounds_down ? onri_expr_sub(x, a, onri_expr_mul(x, b, onri_expr_div(x, a, b))) : ONRI_EXPR_ANY;
    case ONR_BINARY_MIN: return onri_expr_min(x, a, b);
    case ONR_BINARY_MAX: return onri_expr_max(x, a, b);
    default: return compare(d, op, a, b);
  }
}

/* Of scalars and lists of one length; a list of one counts for all. */
static void combine_elements(struct onri_deduction *d, enum onr_binary op) {
  int32_t na, nb;
  const onri_expr *a = onri_fact_elements(d, 0, &na), *b = onri_fact_elements(d, 1, &nb);
  if (!a || !b || d->out[0].rank > 1 || (na != nb && na != 1 && nb != 1)) return;
  const int32_t count = na == 1 ? nb : na;
  onri_expr *y = onri_fact_make(d, count);
  for (int32_t i = 0; y && i < count; i++) y[i] = combine(d, op, a[na == 1 ? 0 : i], b[nb == 1 ? 0 : i]);
}

void onri_deduce_binary(struct onri_deduction *d) {
  static const uint8_t is_bool[] = {
#define ONR_X(name, text, types, gives_bool) gives_bool,
      ONR_BINARY_LIST(ONR_X)
#undef ONR_X
  };
  const struct onr_binary_params *p = d->node->params;
  const enum onr_dtype dtype = onri_fact_in(d, 0)->dtype;
  broadcast_inputs(d, 2);
  d->out[0].dtype = is_bool[p->op] ? ONR_DTYPE_BOOL : dtype;
  if (is_integer(dtype) && d->out[0].rank != ONRI_UNKNOWN_RANK) combine_elements(d, p->op);
}

void onri_deduce_where(struct onri_deduction *d) {
  int32_t nc, na, nb;
  broadcast_inputs(d, 3);
  d->out[0].dtype = onri_fact_in(d, 1)->dtype;
  const onri_expr *c = onri_fact_elements(d, 0, &nc), *a = onri_fact_elements(d, 1, &na),
                  *b = onri_fact_elements(d, 2, &nb);
  if (!c || !a || !b || d->out[0].rank > 1 || d->out[0].rank < 0) return;
  int32_t count = nc > na ? nc : na;
  if (nb > count) count = nb;
  if ((nc != count && nc != 1) || (na != count && na != 1) || (nb != count && nb != 1)) return;
  onri_expr *y = onri_fact_make(d, count);
  for (int32_t i = 0; y && i < count; i++) {
    const onri_expr yes = a[na == 1 ? 0 : i], no = b[nb == 1 ? 0 : i];
    int64_t condition;
    if (onri_expr_is_number(d->exprs, c[nc == 1 ? 0 : i], &condition)) y[i] = condition ? yes : no;
    else y[i] = onri_expr_is_same(yes, no) ? yes : ONRI_EXPR_ANY;
  }
}

void onri_deduce_fused_elementwise(struct onri_deduction *d) {
  const struct onr_fused_elementwise_params *p = d->node->params;
  broadcast_inputs(d, d->node->num_in);
  d->out[0].dtype = p->output.dtype != ONR_DTYPE_NONE ? (enum onr_dtype)p->output.dtype : ONR_DTYPE_F32;
}

/* Elements pass through. */
static void pass_elements(struct onri_deduction *d) {
  int32_t count;
  const onri_expr *x = onri_fact_elements(d, 0, &count);
  if (!x) return;
  d->out[0].elements = x;
  d->out[0].num_elements = count;
}

void onri_deduce_unary(struct onri_deduction *d) {
  const struct onr_unary_params *p = d->node->params;
  int32_t count;
  onri_fact_copy(&d->out[0], onri_fact_in(d, 0));
  if (p->op == ONR_UNARY_IS_NAN || p->op == ONR_UNARY_IS_INF) d->out[0].dtype = ONR_DTYPE_BOOL;
  if (p->op != ONR_UNARY_NEG || !is_integer(d->out[0].dtype)) return;
  const onri_expr *x = onri_fact_elements(d, 0, &count);
  onri_expr *y = x ? onri_fact_make(d, count) : NULL;
  for (int32_t i = 0; y && i < count; i++) y[i] = onri_expr_sub(d->exprs, onri_fact_number(d, 0), x[i]);
}

void onri_deduce_cast(struct onri_deduction *d) {
  const struct onr_cast_params *p = d->node->params;
  const enum onr_dtype from = onri_fact_in(d, 0)->dtype;
  onri_fact_copy(&d->out[0], onri_fact_in(d, 0));
  d->out[0].dtype = p->to;
  if (is_integer(p->to) && (is_integer(from) || from == ONR_DTYPE_BOOL)) pass_elements(d);
}

void onri_deduce_identity(struct onri_deduction *d) {
  onri_fact_copy(&d->out[0], onri_fact_in(d, 0));
  pass_elements(d);
}
