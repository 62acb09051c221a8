/* det: determinants of square matrices, by elimination with row exchanges, in double.
 *
 * input 0   x  [..., n, n]  floating-point
 * output 0  y  [...]        same dtype
 * ONNX      Det-11..22
 */
#include <math.h>

#include "base/checked.h"
#include "base/convert.h"
#include "base/shape.h"
#include "layers/layers.h"

static enum onr_status det_infer(struct onr_call *c) {
  const struct onr_desc *x = &c->in[0];
  ONR_TRY(onri_expect_dtype(c, 0, ONRI_DTYPES_FLOAT));
  ONR_TRY(onri_expect_rank(c, 0, 2, ONR_MAX_RANK));
  if (x->dim[x->rank - 1] != x->dim[x->rank - 2])
    return onr_fail(c->error, ONR_STATUS_SHAPE, "expected square matrices, found %lld x %lld", (long long)x->dim[x->rank - 2],
                    (long long)x->dim[x->rank - 1]);
  c->out[0] = onr_desc_make(x->dtype, x->rank - 2, x->dim);
  return ONR_STATUS_OK;
}

static enum onr_status det_plan(struct onr_call *c) {
  const size_t n = (size_t)c->in[0].dim[c->in[0].rank - 1];
  if (onri_mul_size(n, n, &c->scratch_bytes) && onri_mul_size(c->scratch_bytes, sizeof(double), &c->scratch_bytes)) return ONR_STATUS_OK;
  return onr_fail(c->error, ONR_STATUS_LIMIT, "matrices of %zu x %zu", n, n);
}

static double determinant(double *a, size_t n) {
  double result = 1;
  for (size_t k = 0; k < n; k++) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; i++)
      if (fabs(a[i * n + k]) > fabs(a[pivot * n + k])) pivot = i;
    if (a[pivot * n + k] == 0) return 0;
    if (pivot != k) result = -result;
    for (size_t j = k; j < n && pivot != k; j++) {
      const double t = a[k * n + j];
      a[k * n + j] = a[pivot * n + j];
      a[pivot * n + j] = t;
    }
    result *= a[k * n + k];
    for (size_t i = k + 1; i < n; i++) {
      const double factor = a[i * n + k] / a[k * n + k];
      for (size_t j = k + 1; j < n; j++) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return result;
}

static enum onr_status det_run(struct onr_call *c) {
  const enum onr_dtype dtype = c->in[0].dtype;
  const size_t n = (size_t)c->in[0].dim[c->in[0].rank - 1], size = onr_dtype_size(dtype);
  const int64_t count = onr_desc_elements(&c->out[0]);
  for (int64_t i = 0; i < count; i++) {
    onri_load_f64(dtype, (const char *)c->inputs[0] + (size_t)i * n * n * size, n * n, c->scratch);
    const double y = determinant(c->scratch, n);
    onri_store_f64(dtype, &y, 1, (char *)c->outputs[0] + (size_t)i * size);
  }
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_det = {
    .name = "det", .inputs_min = 1, .inputs_max = 1, .outputs_min = 1, .outputs_max = 1,
    .infer = det_infer, .plan = det_plan, .run = det_run};
