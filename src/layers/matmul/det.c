/* det.c: determinants of square matrices, in double.
 *
 * input 0   x  [..., n, n]  floating-point
 * output 0  y  [...]        same dtype
 * ONNX      Det-11..22
 */
#include "base/numbers/checked.h"
#include "base/numbers/convert.h"
#include "base/shape.h"
#include "kernels/convert/convert.h"
#include "kernels/matmul/lu.h"
#include "layers/layers.h"

static enum onr_status det_infer(struct onr_call *c) {
  const struct onr_desc *x = &c->in[0];
  ONR_TRY(onri_expect_rank(c, 0, 2, ONR_MAX_RANK));
  if (x->dim[x->rank - 1] != x->dim[x->rank - 2])
    return onr_fail(c->error, ONR_STATUS_SHAPE, "expected square matrices, found %lld x %lld",
                    (long long)x->dim[x->rank - 2], (long long)x->dim[x->rank - 1]);
  c->out[0] = onr_desc_make(x->dtype, x->rank - 2, x->dim);
  return ONR_STATUS_OK;
}

/* A matrix in double, and its row exchanges. */
static enum onr_status det_plan(struct onr_call *c) {
  const size_t n = (size_t)c->in[0].dim[c->in[0].rank - 1];
  size_t rows;
  if (onri_mul_size(n, n, &c->scratch_bytes) && onri_mul_size(c->scratch_bytes, sizeof(double), &c->scratch_bytes) &&
      onri_mul_size(n, sizeof(size_t), &rows) && onri_add_size(c->scratch_bytes, rows, &c->scratch_bytes))
    return ONR_STATUS_OK;
  return onr_fail(c->error, ONR_STATUS_LIMIT, "matrices of %zu x %zu", n, n);
}

static enum onr_status determinant(const struct onr_call *c, double *a, size_t n, double *result) {
  int sign;
  size_t step;
  ONR_TRY(onri_lu_factor(a, n, (size_t *)(a + n * n), &sign, &step, c->env, c->error));
  *result = sign;
  for (size_t i = 0; i < n && sign != 0; i++) *result *= a[i * n + i];
  return ONR_STATUS_OK;
}

static enum onr_status det_run(struct onr_call *c) {
  const enum onr_dtype dtype = c->in[0].dtype;
  const size_t n = (size_t)c->in[0].dim[c->in[0].rank - 1], size = onr_dtype_size(dtype);
  const int64_t count = onr_desc_elements(&c->out[0]);
  for (int64_t i = 0; i < count; i++) {
    double y;
    onri_widen_as(dtype, (const char *)c->inputs[0] + (size_t)i * n * n * size, n * n, ONRI_CLASS_F64, c->scratch);
    ONR_TRY(determinant(c, c->scratch, n, &y));
    onri_store_f64(dtype, &y, 1, (char *)c->outputs[0] + (size_t)i * size);
  }
  return ONR_STATUS_OK;
}

static int64_t det_steps(const struct onr_call *c) {
  int64_t product;
  return onri_mul_i64(onr_desc_elements(&c->in[0]), c->in[0].dim[c->in[0].rank - 1], &product) ? product : INT64_MAX;
}

const struct onr_layer onri_layer_det = {.name = "det",
                                         .inputs_min = 1,
                                         .inputs_max = 1,
                                         .outputs_min = 1,
                                         .outputs_max = 1,
                                         .types = {ONRI_DTYPES_FLOAT},
                                         .output_type = ONR_AS_INPUT(0),
                                         .infer = det_infer,
                                         .plan = det_plan,
                                         .run = det_run,
                                         .steps = det_steps};
