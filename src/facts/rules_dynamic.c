/* rules_dynamic.c: layers whose results are as long as the data says. The other dimensions are known all the same. */
#include "facts/rules.h"

void onri_deduce_non_zero(struct onri_deduction *d) {
  const struct onri_fact *x = onri_fact_in(d, 0);
  struct onri_fact *out = &d->out[0];
  out->dtype = ONR_DTYPE_I64;
  out->rank = 2;
  out->dim[0] = x->rank > 0 ? onri_fact_number(d, x->rank) : onri_fact_new_dim(d);
  out->dim[1] = onri_fact_new_dim(d);
}

void onri_deduce_compress(struct onri_deduction *d) {
  const struct onr_compress_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0);
  struct onri_fact *out = &d->out[0];
  onri_fact_copy(out, x);
  if (p->flat) out->rank = 1;
  const int32_t axis = p->flat ? 0 : onri_fact_axis(p->axis, x->rank);
  if (axis >= 0) out->dim[axis] = onri_fact_new_dim(d);
  else out->rank = ONRI_UNKNOWN_RANK;
}

void onri_deduce_unique(struct onri_deduction *d) {
  const struct onr_unique_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0);
  const onri_expr found = onri_fact_new_dim(d);
  const int32_t axis = p->flat ? 0 : onri_fact_axis(p->axis, x->rank);
  onri_fact_copy(&d->out[0], x);
  if (p->flat) d->out[0].rank = 1;
  if (axis >= 0) d->out[0].dim[axis] = found;
  else d->out[0].rank = ONRI_UNKNOWN_RANK;
  for (int32_t i = 1; i < d->node->num_out && i < 4; i++) {
    d->out[i].dtype = ONR_DTYPE_I64;
    d->out[i].rank = 1;
    d->out[i].dim[0] = i == 2 ? onri_fact_new_dim(d) : found;
  }
}

void onri_deduce_non_max_suppression(struct onri_deduction *d) {
  d->out[0].dtype = ONR_DTYPE_I64;
  d->out[0].rank = 2;
  d->out[0].dim[0] = onri_fact_new_dim(d);
  d->out[0].dim[1] = onri_fact_number(d, 3);
}
