/* rules_matmul.c: matrix products. */
#include "facts/rules.h"

/* NumPy's matmul of inputs a and b. */
static void multiply(struct onri_deduction *d, int32_t first, int32_t second, int transpose_a, int transpose_b) {
  const struct onri_fact *a = onri_fact_in(d, first), *b = onri_fact_in(d, second);
  struct onri_fact *out = &d->out[0];
  if (a->rank < 1 || b->rank < 1) return;
  const int32_t batch_a = a->rank > 2 ? a->rank - 2 : 0, batch_b = b->rank > 2 ? b->rank - 2 : 0;
  const int32_t batch = batch_a > batch_b ? batch_a : batch_b;
  out->rank = batch;
  for (int32_t k = 0; k < batch; k++) {
    const int32_t i = k - (batch - batch_a), j = k - (batch - batch_b);
    out->dim[k] = i < 0 ? b->dim[j] : j < 0 ? a->dim[i] : onri_expr_broadcast(d->exprs, a->dim[i], b->dim[j]);
    out->dim[k] = onri_fact_or_new(d, out->dim[k]);
  }
  if (a->rank > 1) out->dim[out->rank++] = a->dim[a->rank - (transpose_a ? 1 : 2)];
  if (b->rank > 1) out->dim[out->rank++] = b->dim[b->rank - (transpose_b ? 2 : 1)];
}

void onri_deduce_matmul(struct onri_deduction *d) {
  const struct onr_matmul_params *p = d->node->params;
  multiply(d, 0, 1, p->transpose_a, p->transpose_b);
  d->out[0].dtype = onri_fact_in(d, 0)->dtype;
}

void onri_deduce_matmul_integer(struct onri_deduction *d) {
  multiply(d, 0, 1, 0, 0);
  d->out[0].dtype = ONR_DTYPE_I32;
}

void onri_deduce_matmul_integer_real(struct onri_deduction *d) {
  multiply(d, 0, 1, 0, 0);
  d->out[0].dtype = ONR_DTYPE_F32;
}

void onri_deduce_qlinear_matmul(struct onri_deduction *d) {
  multiply(d, 0, 3, 0, 0);
  d->out[0].dtype = onri_fact_in(d, 7)->dtype;
}

void onri_deduce_linear(struct onri_deduction *d) {
  const struct onr_linear_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0), *w = onri_fact_in(d, 1);
  onri_fact_copy(&d->out[0], x);
  if (x->rank < 1) d->out[0].rank = ONRI_UNKNOWN_RANK;
  else d->out[0].dim[x->rank - 1] = w->rank == 2 ? w->dim[p->weight_transposed ? 1 : 0] : onri_fact_new_dim(d);
}

void onri_deduce_gemm(struct onri_deduction *d) {
  const struct onr_gemm_params *p = d->node->params;
  const struct onri_fact *a = onri_fact_in(d, 0), *b = onri_fact_in(d, 1);
  struct onri_fact *out = &d->out[0];
  out->dtype = a->dtype;
  out->rank = 2;
  out->dim[0] = a->rank == 2 ? a->dim[p->transpose_a ? 1 : 0] : onri_fact_new_dim(d);
  out->dim[1] = b->rank == 2 ? b->dim[p->transpose_b ? 0 : 1] : onri_fact_new_dim(d);
}

void onri_deduce_matmul_nbits(struct onri_deduction *d) {
  const struct onr_matmul_nbits_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0);
  onri_fact_copy(&d->out[0], x);
  if (x->rank < 1) d->out[0].rank = ONRI_UNKNOWN_RANK;
  else d->out[0].dim[x->rank - 1] = onri_expr_number(d->exprs, p->n);
}
