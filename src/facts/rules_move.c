/* rules_move.c: layers that put elements elsewhere. */
#include "facts/rules.h"

/* Lists one behind the other. */
static void concat_elements(struct onri_deduction *d) {
  int32_t total = 0, count;
  for (int32_t i = 0; i < d->node->num_in; i++) {
    if (!onri_fact_elements(d, i, &count) || count > ONRI_FACT_ELEMENTS - total) return;
    total += count;
  }
  onri_expr *y = onri_fact_make(d, total);
  for (int32_t i = 0, at = 0; y && i < d->node->num_in; i++) {
    const onri_expr *x = onri_fact_elements(d, i, &count);
    for (int32_t k = 0; k < count; k++) y[at++] = x[k];
  }
}

/* Dimensions beside the axis are equal in all inputs: the first number is that of all. */
void onri_deduce_concat(struct onri_deduction *d) {
  const struct onr_concat_params *p = d->node->params;
  struct onri_fact *out = &d->out[0];
  int64_t number;
  for (int32_t i = 0; i < d->node->num_in; i++) {
    const struct onri_fact *x = onri_fact_in(d, i);
    if (x->dtype != ONR_DTYPE_NONE) out->dtype = x->dtype;
    if (!onri_fact_has_rank(x)) continue;
    d->exprs->contradicts |= out->rank != ONRI_UNKNOWN_RANK && out->rank != x->rank;
    out->rank = x->rank;
  }
  const int32_t axis = onri_fact_axis(p->axis, out->rank);
  if (axis < 0) out->rank = ONRI_UNKNOWN_RANK;
  for (int32_t k = 0; k < out->rank; k++) {
    out->dim[k] = k == axis ? onri_fact_number(d, 0) : ONRI_EXPR_ANY;
    for (int32_t i = 0; i < d->node->num_in; i++) {
      const struct onri_fact *x = onri_fact_in(d, i);
      const onri_expr dim = x->rank == out->rank ? x->dim[k] : ONRI_EXPR_ANY;
      if (k == axis) out->dim[k] = onri_expr_add(d->exprs, out->dim[k], dim);
      else if (out->dim[k] == ONRI_EXPR_ANY || onri_expr_is_number(d->exprs, dim, &number)) out->dim[k] = dim;
    }
    out->dim[k] = onri_fact_or_new(d, out->dim[k]);
  }
  if (out->rank == 1) concat_elements(d);
}

/* Equal parts, the last one what is left; or as a list says. */
void onri_deduce_split(struct onri_deduction *d) {
  const struct onr_split_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0);
  const int32_t axis = onri_fact_axis(p->axis, x->rank), parts = d->node->num_out;
  int32_t count = 0, elements, at = 0;
  int64_t size;
  const onri_expr *sizes = onri_fact_elements(d, 1, &count), *values = onri_fact_elements(d, 0, &elements);
  const onri_expr n = onri_fact_number(d, parts), whole = axis >= 0 ? x->dim[axis] : ONRI_EXPR_ANY;
  const onri_expr each =
      onri_expr_div(d->exprs, onri_expr_add(d->exprs, whole, onri_fact_number(d, p->even ? 0 : parts - 1)), n);
  for (int32_t i = 0; i < parts; i++) {
    struct onri_fact *out = &d->out[i];
    onri_fact_copy(out, x);
    if (axis < 0) {
      out->rank = ONRI_UNKNOWN_RANK;
      continue;
    }
    if (onri_fact_has(d, 1)) out->dim[axis] = sizes && i < count ? sizes[i] : ONRI_EXPR_ANY;
    else if (i < parts - 1 || p->even || parts == 1) out->dim[axis] = each;
    else out->dim[axis] = onri_expr_sub(d->exprs, whole, onri_expr_mul(d->exprs, each, onri_fact_number(d, parts - 1)));
    out->dim[axis] = onri_fact_or_new(d, out->dim[axis]);
    if (!values || x->rank != 1 || at < 0) continue;
    const int is_told = onri_expr_is_number(d->exprs, out->dim[axis], &size) && size >= 0 && size <= elements - at;
    if (is_told) out->elements = values + at, out->num_elements = (int32_t)size;
    at = is_told ? at + (int32_t)size : -1;
  }
}

/* --- slice --- */

/* An index from the end when it is below 0, held in [0, dim]. ANY where its sign is not known. */
static onri_expr clamp_index(struct onri_deduction *d, onri_expr index, onri_expr dim) {
  struct onri_exprs *x = d->exprs;
  const onri_expr zero = onri_fact_number(d, 0);
  int64_t number;
  if (onri_expr_is_number(x, index, &number)) {
    if (number < -INT32_MAX) return zero;
    if (number < 0) return onri_expr_max(x, onri_expr_add(x, dim, index), zero);
    if (number > INT32_MAX) return dim;
    return onri_expr_min(x, index, dim);
  }
  return onri_expr_least(x, index) >= 0 ? onri_expr_min(x, index, dim) : ONRI_EXPR_ANY;
}

/* From start to end by a step above 0; the whole of it backwards. */
static onri_expr slice_length(struct onri_deduction *d, onri_expr dim, onri_expr start, onri_expr end, int64_t step) {
  struct onri_exprs *x = d->exprs;
  int64_t from, to;
  if (step == -1 && onri_expr_is_number(x, start, &from) && onri_expr_is_number(x, end, &to) &&
      (from == -1 || from > INT32_MAX) && to < -INT32_MAX)
    return dim;
  if (step < 1) return ONRI_EXPR_ANY;
  onri_expr span = onri_expr_sub(x, clamp_index(d, end, dim), clamp_index(d, start, dim));
  if (onri_expr_is_number(x, start, &from) && from >= 0 && from <= INT32_MAX && clamp_index(d, end, dim) == dim)
    span = onri_expr_max(x, onri_expr_sub(x, dim, start), onri_fact_number(d, 0)); /* the same, in simpler form */
  const onri_expr length =
      onri_expr_div(x, onri_expr_add(x, span, onri_fact_number(d, step - 1)), onri_fact_number(d, step));
  return onri_expr_max(x, length, onri_fact_number(d, 0));
}

static void slice_elements(struct onri_deduction *d, int64_t start, int64_t end, int64_t step) {
  int32_t count;
  const onri_expr *x = onri_fact_elements(d, 0, &count);
  if (!x || onri_fact_in(d, 0)->rank != 1 || step == 0) return;
  if (start < 0) start += count;
  if (end < 0 && end > -INT32_MAX) end += count;
  if (step > 0) {
    start = start < 0 ? 0 : start > count ? count : start;
    end = end < 0 ? 0 : end > count ? count : end;
  } else {
    start = start < 0 ? 0 : start > count - 1 ? count - 1 : start;
    end = end < -1 ? -1 : end > count - 1 ? count - 1 : end;
  }
  const int64_t span = step > 0 ? end - start : start - end, size = step > 0 ? step : -step;
  const int64_t length = span <= 0 || count == 0 ? 0 : (span - 1) / size + 1;
  onri_expr *y = onri_fact_make(d, (int32_t)length);
  for (int64_t i = 0; y && i < length; i++) y[i] = x[start + i * step];
  if (y) d->out[0].dim[0] = onri_fact_number(d, length);
}

void onri_deduce_slice(struct onri_deduction *d) {
  const struct onri_fact *x = onri_fact_in(d, 0);
  struct onri_fact *out = &d->out[0];
  int64_t axes[ONR_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7}, steps[ONR_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
  int32_t ns = 0, ne = 0, na = 0, nt = 0;
  const onri_expr *starts = onri_fact_elements(d, 1, &ns), *ends = onri_fact_elements(d, 2, &ne);
  onri_fact_copy(out, x);
  if (!onri_fact_has_rank(x)) return;
  const int has_axes = !onri_fact_has(d, 3) || onri_fact_numbers(d, 3, axes, ONR_MAX_RANK, &na);
  const int has_steps = !onri_fact_has(d, 4) || onri_fact_numbers(d, 4, steps, ONR_MAX_RANK, &nt);
  const int32_t count = starts ? ns : ends ? ne : na;
  const int is_told = has_axes && count > 0 && count <= ONR_MAX_RANK && (!onri_fact_has(d, 3) || na == count);
  for (int32_t k = 0; !is_told && k < x->rank && !(count == 0 && starts); k++) out->dim[k] = onri_fact_new_dim(d);
  for (int32_t i = 0; is_told && i < count; i++) {
    const int32_t axis = onri_fact_axis(axes[i], x->rank);
    if (axis < 0) continue;
    const int is_known = starts && ends && i < ns && i < ne && has_steps && (nt == 0 || i < nt);
    out->dim[axis] =
        onri_fact_or_new(d, is_known ? slice_length(d, x->dim[axis], starts[i], ends[i], steps[i]) : ONRI_EXPR_ANY);
  }
  int64_t start, end;
  if (is_told && has_steps && count == 1 && starts && ends && onri_expr_is_number(d->exprs, starts[0], &start) &&
      onri_expr_is_number(d->exprs, ends[0], &end))
    slice_elements(d, start, end, steps[0]);
}

/* --- gather --- */

void onri_deduce_gather(struct onri_deduction *d) {
  const struct onr_gather_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0), *indices = onri_fact_in(d, 1);
  struct onri_fact *out = &d->out[0];
  int64_t index[ONRI_FACT_ELEMENTS];
  int32_t count, elements;
  const int32_t axis = onri_fact_axis(p->axis, x->rank);
  out->dtype = x->dtype;
  if (!onri_fact_has_rank(x) || !onri_fact_has_rank(indices) || axis < 0 || x->rank - 1 + indices->rank > ONR_MAX_RANK)
    return;
  out->rank = 0;
  for (int32_t k = 0; k < axis; k++) out->dim[out->rank++] = x->dim[k];
  for (int32_t k = 0; k < indices->rank; k++) out->dim[out->rank++] = indices->dim[k];
  for (int32_t k = axis + 1; k < x->rank; k++) out->dim[out->rank++] = x->dim[k];
  const onri_expr *values = onri_fact_elements(d, 0, &elements);
  if (!values || x->rank != 1 || !onri_fact_numbers(d, 1, index, ONRI_FACT_ELEMENTS, &count)) return;
  onri_expr *y = onri_fact_make(d, count);
  for (int32_t i = 0; y && i < count; i++) {
    const int64_t at = index[i] < 0 ? index[i] + elements : index[i];
    y[i] = at >= 0 && at < elements ? values[at] : ONRI_EXPR_ANY;
  }
}

void onri_deduce_pad(struct onri_deduction *d) {
  const struct onri_fact *x = onri_fact_in(d, 0);
  struct onri_fact *out = &d->out[0];
  int64_t axes[ONR_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
  int32_t count = 0, num_axes = x->rank;
  const onri_expr *pads = onri_fact_elements(d, 1, &count);
  onri_fact_copy(out, x);
  if (!onri_fact_has_rank(x)) return;
  const int has_axes = !onri_fact_has(d, 3) || onri_fact_numbers(d, 3, axes, ONR_MAX_RANK, &num_axes);
  if (!has_axes || !pads || count != 2 * num_axes) {
    for (int32_t k = 0; k < x->rank; k++) out->dim[k] = onri_fact_new_dim(d);
    return;
  }
  for (int32_t i = 0; i < num_axes; i++) {
    const int32_t axis = onri_fact_axis(axes[i], x->rank);
    if (axis < 0) continue;
    const onri_expr more = onri_expr_add(d->exprs, pads[i], pads[i + num_axes]);
    out->dim[axis] = onri_fact_or_new(d, onri_expr_add(d->exprs, x->dim[axis], more));
  }
}

void onri_deduce_one_hot(struct onri_deduction *d) {
  const struct onr_one_hot_params *p = d->node->params;
  const struct onri_fact *indices = onri_fact_in(d, 0);
  struct onri_fact *out = &d->out[0];
  int32_t count;
  const onri_expr *depth = onri_fact_elements(d, 1, &count);
  const int32_t axis = onri_fact_axis(p->axis, indices->rank + 1);
  out->dtype = onri_fact_in(d, 2)->dtype;
  if (!onri_fact_has_rank(indices) || axis < 0 || indices->rank == ONR_MAX_RANK) return;
  out->rank = indices->rank + 1;
  for (int32_t k = 0, from = 0; k < out->rank; k++)
    out->dim[k] =
        k != axis ? indices->dim[from++] : onri_fact_or_new(d, depth && count == 1 ? depth[0] : ONRI_EXPR_ANY);
}

void onri_deduce_top_k(struct onri_deduction *d) {
  const struct onr_top_k_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0);
  int32_t count;
  const onri_expr *k = onri_fact_elements(d, 1, &count);
  const int32_t axis = onri_fact_axis(p->axis, x->rank);
  for (int32_t i = 0; i < d->node->num_out && i < 2; i++) {
    struct onri_fact *out = &d->out[i];
    onri_fact_copy(out, x);
    if (axis >= 0) out->dim[axis] = onri_fact_or_new(d, k && count == 1 ? k[0] : ONRI_EXPR_ANY);
    else out->rank = ONRI_UNKNOWN_RANK;
    if (i == 1) out->dtype = ONR_DTYPE_I64;
  }
  if (d->node->num_out > 1 && axis >= 0) d->out[1].dim[axis] = d->out[0].dim[axis];
}
