/* rules_shape.c: shapes as data, and the same elements in another shape. */
#include <string.h>

#include "facts/rules.h"

/* A list of dimensions becomes the shape of output 0. `elements` NULL: of unknown sizes. */
static void take_list(struct onri_deduction *d, const onri_expr *elements, int64_t count) {
  struct onri_fact *out = &d->out[0];
  if (count < 0 || count > ONR_MAX_RANK) return;
  out->rank = (int32_t)count;
  for (int32_t i = 0; i < out->rank; i++) {
    out->dim[i] = elements ? elements[i] : ONRI_EXPR_ANY;
    if (out->dim[i] == ONRI_EXPR_ANY || onri_expr_least(d->exprs, out->dim[i]) < 0) out->dim[i] = onri_fact_new_dim(d);
  }
}

/* Elements of input i, and how many there are also where they are not known; -1: not known. */
static const onri_expr *read_list(struct onri_deduction *d, int32_t i, int64_t *count) {
  int32_t known;
  const onri_expr *elements = onri_fact_elements(d, i, &known);
  const struct onri_fact *list = onri_fact_in(d, i);
  *count = elements ? known : -1;
  if (!elements && (list->rank != 1 || !onri_expr_is_number(d->exprs, list->dim[0], count))) *count = -1;
  return elements;
}

void onri_deduce_shape(struct onri_deduction *d) {
  const struct onr_shape_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0);
  struct onri_fact *out = &d->out[0];
  out->dtype = ONR_DTYPE_I64;
  out->rank = 1;
  out->dim[0] = onri_fact_new_dim(d);
  if (!onri_fact_has_rank(x)) return;
  int64_t start = p->start < 0 ? p->start + x->rank : p->start, end = p->end < 0 ? p->end + x->rank : p->end;
  start = start < 0 ? 0 : start > x->rank ? x->rank : start;
  end = end < start ? start : end > x->rank ? x->rank : end;
  out->dim[0] = onri_fact_number(d, end - start);
  onri_expr *y = onri_fact_make(d, (int32_t)(end - start));
  for (int64_t i = start; y && i < end; i++) y[i - start] = x->dim[i];
}

void onri_deduce_size(struct onri_deduction *d) {
  const struct onri_fact *x = onri_fact_in(d, 0);
  d->out[0].dtype = ONR_DTYPE_I64;
  d->out[0].rank = 0;
  onri_expr *y = onri_fact_has_rank(x) ? onri_fact_make(d, 1) : NULL;
  if (y) y[0] = onri_fact_product(d, x, 0, x->rank);
}

/* The product of x's dimensions without those that `out` has, too (each once), divided by what else out has: what -1
 * stands for. */
static onri_expr rest_of(struct onri_deduction *d, const struct onri_fact *x, const struct onri_fact *out,
                         int32_t unknown) {
  const struct onr_reshape_params *p = d->node->params;
  uint8_t used[ONR_MAX_RANK] = {0};
  onri_expr rest = onri_fact_number(d, 1), divisor = rest;
  for (int32_t i = 0; i < out->rank; i++) {
    int32_t same = p->copy[i] - 1;
    if (i == unknown) continue;
    for (int32_t k = 0; k < x->rank && same < 0; k++)
      if (!used[k] && onri_expr_is_same(x->dim[k], out->dim[i])) same = k;
    if (same >= 0) used[same] = 1;
    else divisor = onri_expr_mul(d->exprs, divisor, out->dim[i]);
  }
  for (int32_t k = 0; k < x->rank; k++)
    if (!used[k]) rest = onri_expr_mul(d->exprs, rest, x->dim[k]);
  return onri_expr_div(d->exprs, rest, divisor);
}

/* A computed size that turns out to be 0 is read as "the dimension of x at this place". Whether that is 0, too, or no
 * run goes on. */
static int zero_stays_zero(struct onri_deduction *d, const struct onri_fact *x, int32_t i) {
  const struct onr_reshape_params *p = d->node->params;
  const onri_expr dim = d->out[0].dim[i];
  if (p->allow_zero) return 1;
  if (!onri_fact_has_rank(x)) return onri_expr_least(d->exprs, dim) > 0;
  if (i >= x->rank) onri_fact_is_positive(d, dim);
  return i >= x->rank || onri_expr_vanishes_with(d->exprs, x->dim[i], dim);
}

/* Sizes that may be 0, and then copied, are known only where a copy would give x another number of elements: there is
 * no -1, and no other size is 0 at the same time. */
static void forget_copies(struct onri_deduction *d, const struct onri_fact *x, const onri_expr *list, int32_t unknown) {
  const struct onr_reshape_params *p = d->node->params;
  struct onri_fact *out = &d->out[0];
  int32_t may_vanish = 0;
  int64_t number;
  for (int32_t i = 0; i < out->rank; i++) may_vanish += onri_expr_least(d->exprs, out->dim[i]) < 1;
  for (int32_t i = 0; i < out->rank; i++) {
    if (p->copy[i] || onri_expr_is_number(d->exprs, list[i], &number) || zero_stays_zero(d, x, i)) continue;
    if (unknown >= 0 || may_vanish > 1) out->dim[i] = onri_fact_new_dim(d);
  }
}

/* 0 is the input's dimension, -1 what is left. What may be below 0 tells nothing. */
void onri_deduce_reshape(struct onri_deduction *d) {
  const struct onr_reshape_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0);
  struct onri_fact *out = &d->out[0];
  int64_t count, number;
  int32_t unknown = -1;
  const onri_expr *list = read_list(d, 1, &count);
  out->dtype = x->dtype;
  take_list(d, list, count);
  if (!list || out->rank == ONRI_UNKNOWN_RANK) return;
  for (int32_t i = 0; i < out->rank; i++) {
    if (p->copy[i]) {
      out->dim[i] = p->copy[i] <= x->rank ? x->dim[p->copy[i] - 1] : onri_fact_new_dim(d);
      continue;
    }
    if (!onri_expr_is_number(d->exprs, list[i], &number)) continue;
    if (number == 0 && !p->allow_zero) out->dim[i] = i < x->rank ? x->dim[i] : onri_fact_new_dim(d);
    if (number == -1) unknown = i;
  }
  forget_copies(d, x, list, unknown);
  if (unknown < 0 || !onri_fact_has_rank(x)) return;
  for (int32_t i = 0; i < out->rank; i++)
    if (i != unknown && (out->dim[i] == ONRI_EXPR_ANY || onri_expr_least(d->exprs, out->dim[i]) < 0)) return;
  const onri_expr rest = rest_of(d, x, out, unknown);
  if (rest != ONRI_EXPR_ANY) out->dim[unknown] = rest;
  int32_t elements;
  const onri_expr *values = onri_fact_elements(d, 0, &elements);
  if (values && out->rank <= 1) out->elements = values, out->num_elements = elements;
}

void onri_deduce_flatten(struct onri_deduction *d) {
  const struct onr_flatten_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0);
  struct onri_fact *out = &d->out[0];
  out->dtype = x->dtype;
  out->rank = 2;
  out->dim[0] = out->dim[1] = ONRI_EXPR_ANY;
  const int32_t axis = p->axis < 0 && onri_fact_has_rank(x) ? p->axis + x->rank : p->axis;
  if (onri_fact_has_rank(x) && axis >= 0 && axis <= x->rank) {
    out->dim[0] = onri_fact_product(d, x, 0, axis);
    out->dim[1] = onri_fact_product(d, x, axis, x->rank);
  }
  for (int32_t i = 0; i < 2; i++) out->dim[i] = onri_fact_or_new(d, out->dim[i]);
}

static void append(struct onri_deduction *d, onri_expr dim) {
  struct onri_fact *out = &d->out[0];
  if (out->rank < 0 || out->rank == ONR_MAX_RANK) out->rank = ONRI_UNKNOWN_RANK;
  else out->dim[out->rank++] = onri_fact_or_new(d, dim);
}

void onri_deduce_flatten_dims(struct onri_deduction *d) {
  const struct onr_flatten_dims_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0);
  const int32_t rank = x->rank > 0 ? x->rank : 1, first = onri_fact_axis(p->first, rank),
                last = onri_fact_axis(p->last, rank);
  d->out[0].dtype = x->dtype;
  if (!onri_fact_has_rank(x) || first < 0 || last < first) return;
  d->out[0].rank = 0;
  for (int32_t i = 0; i < first; i++) append(d, x->dim[i]);
  append(d, onri_fact_product(d, x, first, x->rank > 0 ? last + 1 : 0));
  for (int32_t i = last + 1; i < x->rank; i++) append(d, x->dim[i]);
}

void onri_deduce_unflatten(struct onri_deduction *d) {
  const struct onr_unflatten_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0);
  const int32_t axis = onri_fact_axis(p->axis, x->rank);
  onri_expr product = onri_fact_number(d, 1);
  d->out[0].dtype = x->dtype;
  if (!onri_fact_has_rank(x) || axis < 0 || p->num_sizes > ONR_MAX_RANK) return;
  for (int32_t i = 0; i < p->num_sizes; i++)
    if (p->sizes[i] >= 0) product = onri_expr_mul(d->exprs, product, onri_fact_number(d, p->sizes[i]));
  d->out[0].rank = 0;
  for (int32_t i = 0; i < axis; i++) append(d, x->dim[i]);
  for (int32_t i = 0; i < p->num_sizes; i++)
    append(d, p->sizes[i] >= 0 ? onri_fact_number(d, p->sizes[i]) : onri_expr_div(d->exprs, x->dim[axis], product));
  for (int32_t i = axis + 1; i < x->rank; i++) append(d, x->dim[i]);
}

/* Lists and scalars keep their elements. */
static void keep_elements(struct onri_deduction *d) {
  int32_t count;
  const onri_expr *x = onri_fact_elements(d, 0, &count);
  if (x && d->out[0].rank >= 0 && d->out[0].rank <= 1) d->out[0].elements = x, d->out[0].num_elements = count;
}

/* Without axes all dimensions of 1 go: those that may be 1 must be told. */
void onri_deduce_squeeze(struct onri_deduction *d) {
  const struct onri_fact *x = onri_fact_in(d, 0);
  int64_t axes[ONR_MAX_RANK], number;
  int32_t count = 0;
  uint8_t mask[ONR_MAX_RANK] = {0};
  d->out[0].dtype = x->dtype;
  if (!onri_fact_has_rank(x)) return;
  if (onri_fact_has(d, 1)) {
    if (!onri_fact_numbers(d, 1, axes, ONR_MAX_RANK, &count)) return;
    for (int32_t i = 0; i < count; i++) {
      const int32_t axis = onri_fact_axis(axes[i], x->rank);
      if (axis < 0) return;
      mask[axis] = 1;
    }
  } else {
    for (int32_t i = 0; i < x->rank; i++) {
      if (onri_expr_is_number(d->exprs, x->dim[i], &number)) mask[i] = number == 1;
      else if (onri_expr_least(d->exprs, x->dim[i]) < 2) return;
    }
  }
  d->out[0].rank = 0;
  for (int32_t i = 0; i < x->rank; i++)
    if (!mask[i]) append(d, x->dim[i]);
  keep_elements(d);
}

void onri_deduce_unsqueeze(struct onri_deduction *d) {
  const struct onri_fact *x = onri_fact_in(d, 0);
  int64_t axes[ONR_MAX_RANK];
  int32_t count;
  uint8_t mask[ONR_MAX_RANK] = {0};
  d->out[0].dtype = x->dtype;
  if (!onri_fact_has_rank(x) || !onri_fact_numbers(d, 1, axes, ONR_MAX_RANK, &count)) return;
  const int32_t rank = x->rank + count;
  if (rank > ONR_MAX_RANK) return;
  for (int32_t i = 0; i < count; i++) {
    const int32_t axis = onri_fact_axis(axes[i], rank);
    if (axis < 0 || mask[axis]) return;
    mask[axis] = 1;
  }
  d->out[0].rank = 0;
  for (int32_t i = 0, from = 0; i < rank; i++) append(d, mask[i] ? onri_fact_number(d, 1) : x->dim[from++]);
  keep_elements(d);
}

void onri_deduce_expand(struct onri_deduction *d) {
  const struct onri_fact *x = onri_fact_in(d, 0);
  struct onri_fact *out = &d->out[0];
  int64_t count;
  const onri_expr *list = read_list(d, 1, &count);
  out->dtype = x->dtype;
  if (count < 0 || count > ONR_MAX_RANK || !onri_fact_has_rank(x)) return;
  const int32_t rank = x->rank > count ? x->rank : (int32_t)count;
  out->rank = 0;
  for (int32_t i = 0; i < rank; i++) {
    const int32_t a = i - (rank - x->rank), b = i - (rank - (int32_t)count);
    const onri_expr wanted = b < 0 ? onri_fact_number(d, 1) : list ? list[b] : ONRI_EXPR_ANY;
    append(d, a < 0 ? wanted : onri_expr_broadcast(d->exprs, x->dim[a], wanted));
  }
  int32_t elements;
  const onri_expr *values = onri_fact_elements(d, 0, &elements);
  int64_t number;
  if (!values || elements != 1 || out->rank != 1 || !onri_expr_is_number(d->exprs, out->dim[0], &number) ||
      number > ONRI_FACT_ELEMENTS)
    return;
  onri_expr *y = onri_fact_make(d, (int32_t)number);
  for (int32_t i = 0; y && i < number; i++) y[i] = values[0];
}

void onri_deduce_tile(struct onri_deduction *d) {
  const struct onri_fact *x = onri_fact_in(d, 0);
  int64_t count;
  const onri_expr *list = read_list(d, 1, &count);
  d->out[0].dtype = x->dtype;
  if (!onri_fact_has_rank(x)) return;
  d->out[0].rank = 0;
  for (int32_t i = 0; i < x->rank; i++)
    append(d, list && i < count ? onri_expr_mul(d->exprs, x->dim[i], list[i]) : ONRI_EXPR_ANY);
}

void onri_deduce_constant_of_shape(struct onri_deduction *d) {
  const struct onr_constant_of_shape_params *p = d->node->params;
  int64_t count, number;
  const onri_expr *list = read_list(d, 0, &count);
  d->out[0].dtype = p->dtype;
  take_list(d, list, count);
  if (d->out[0].rank != 1 || p->dtype != ONR_DTYPE_I64 || !onri_expr_is_number(d->exprs, d->out[0].dim[0], &number) ||
      number > ONRI_FACT_ELEMENTS)
    return;
  onri_expr *y = onri_fact_make(d, (int32_t)number);
  int64_t value;
  memcpy(&value, p->value, sizeof(value));
  for (int32_t i = 0; y && i < number; i++) y[i] = onri_fact_number(d, value);
}

/* max(ceil((limit - start) / delta), 0) */
void onri_deduce_range(struct onri_deduction *d) {
  struct onri_exprs *x = d->exprs;
  struct onri_fact *out = &d->out[0];
  int32_t n[3];
  int64_t delta;
  const onri_expr *e[3];
  out->dtype = onri_fact_in(d, 0)->dtype;
  out->rank = 1;
  out->dim[0] = onri_fact_new_dim(d);
  for (int32_t i = 0; i < 3; i++) {
    e[i] = onri_fact_elements(d, i, &n[i]);
    if (!e[i] || n[i] != 1) return;
  }
  if (!onri_expr_is_number(x, e[2][0], &delta) || delta < 1) return;
  const onri_expr span = onri_expr_sub(x, e[1][0], e[0][0]);
  const onri_expr steps = onri_expr_div(x, onri_expr_add(x, span, onri_fact_number(d, delta - 1)), e[2][0]);
  const onri_expr length = onri_expr_max(x, steps, onri_fact_number(d, 0));
  if (length != ONRI_EXPR_ANY) out->dim[0] = length;
}

/* Products and extremes of shapes; dimensions as in the layer. */
void onri_deduce_reduce(struct onri_deduction *d) {
  const struct onr_reduce_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0);
  struct onri_fact *out = &d->out[0];
  int64_t axes[ONR_MAX_RANK];
  int32_t count = 0, elements;
  uint8_t mask[ONR_MAX_RANK] = {0};
  out->dtype = x->dtype;
  if (!onri_fact_has_rank(x)) return;
  const int is_told = !onri_fact_has(d, 1) || onri_fact_numbers(d, 1, axes, ONR_MAX_RANK, &count);
  if (!is_told && p->keep_dims) {
    out->rank = 0;
    for (int32_t i = 0; i < x->rank; i++) append(d, ONRI_EXPR_ANY);
  }
  if (!is_told) return;
  for (int32_t i = 0; i < count; i++) {
    const int32_t axis = onri_fact_axis(axes[i], x->rank ? x->rank : 1);
    if (axis < 0) return;
    mask[axis] = 1;
  }
  for (int32_t i = 0; !count && !p->noop_with_empty_axes && i < x->rank; i++) mask[i] = 1;
  out->rank = 0;
  for (int32_t i = 0; i < x->rank; i++) {
    if (!mask[i]) append(d, x->dim[i]);
    else if (p->keep_dims) append(d, onri_fact_number(d, 1));
  }
  const onri_expr *values = onri_fact_elements(d, 0, &elements);
  if (!values || !elements || x->rank != 1 || !mask[0]) return;
  onri_expr result = values[0];
  for (int32_t i = 1; i < elements; i++)
    result = p->op == ONR_REDUCE_SUM    ? onri_expr_add(d->exprs, result, values[i])
             : p->op == ONR_REDUCE_PROD ? onri_expr_mul(d->exprs, result, values[i])
             : p->op == ONR_REDUCE_MAX  ? onri_expr_max(d->exprs, result, values[i])
             : p->op == ONR_REDUCE_MIN  ? onri_expr_min(d->exprs, result, values[i])
                                        : ONRI_EXPR_ANY;
  if (elements == 1 && p->op != ONR_REDUCE_SUM && p->op != ONR_REDUCE_PROD && p->op != ONR_REDUCE_MAX &&
      p->op != ONR_REDUCE_MIN)
    return;
  onri_expr *y = onri_fact_make(d, 1);
  if (y) y[0] = result;
}
