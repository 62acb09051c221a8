/* solve.c: X with A X = B, and inverses, in double.
 *
 * input 0   A  [..., n, n]           floating-point
 * input 1   B  [n] or [..., n, k]    same dtype; omitted: the identity, X is the inverse
 * output 0  X  [..., n] or [..., n, k], the other dimensions broadcast
 * ONNX      com.microsoft Solve-1, Inverse-1
 *
 * What A is made into is kept for as long as A is the same: within a run, and from run to run when A is a constant.
 */
#include <string.h>

#include "base/numbers/checked.h"
#include "base/numbers/convert.h"
#include "base/shape.h"
#include "kernels/dims.h"
#include "kernels/matmul/lu.h"
#include "layers/layers.h"

struct state {
  struct onri_dims a, b; /* of the matrices, in elements */
  size_t n, k;
  size_t kept_at; /* where the matrix begins whose factors are in `kept`; SIZE_MAX: there are none yet */
  double *kept;   /* [n][n], and [n] rows exchanged; NULL: in the scratch memory */
};

/* The dimensions in front of the last `count` ones. */
static struct onr_desc front(const struct onr_desc *x, int32_t count) {
  struct onr_desc result = *x;
  result.rank = x->rank > count ? x->rank - count : 0;
  return result;
}

static int is_vector(const struct onr_call *call) { return onri_has(call, 1) && call->in[1].rank == 1; }

static enum onr_status solve_infer(struct onr_call *call) {
  const struct onr_desc *a = &call->in[0], *b = &call->in[1];
  ONR_TRY(onri_expect_rank(call, 0, 2, ONR_MAX_RANK));
  const int64_t n = a->dim[a->rank - 1];
  if (a->dim[a->rank - 2] != n)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected square matrices, found %lld x %lld",
                    (long long)a->dim[a->rank - 2], (long long)n);
  call->out[0] = *a;
  if (!onri_has(call, 1)) return ONR_STATUS_OK;
  ONR_TRY(onri_expect_rank(call, 1, 1, ONR_MAX_RANK));
  const int32_t own = is_vector(call) ? 1 : 2; /* dimensions of X that are not broadcast */
  if (b->dim[b->rank - own] != n)
    return onr_fail(call->error, ONR_STATUS_SHAPE,
                    "expected right-hand sides of %lld rows as the matrices have, found %lld", (long long)n,
                    (long long)b->dim[b->rank - own]);
  const struct onr_desc fronts[2] = {front(a, 2), front(b, own)};
  struct onr_desc *x = &call->out[0];
  ONR_TRY(onri_broadcast(&fronts[0], &fronts[1], x, call->error));
  for (int32_t d = b->rank - own; d < b->rank; d++) x->dim[x->rank++] = b->dim[d];
  return ONR_STATUS_OK;
}

/* Strides of the matrices of x, of `size` elements each, as seen from those of the result. */
static struct onri_dims matrices(const struct onr_desc *x, const struct onr_desc *result, size_t size) {
  struct onri_dims dims = {.count = 1};
  int64_t strides[ONR_MAX_RANK] = {0};
  onri_broadcast_strides(x, result, strides);
  for (int32_t d = 0; d < result->rank; d++) onri_dims_add(&dims, result->dim[d], strides[d] * (int64_t)size);
  return dims;
}

static int factors_bytes(size_t n, size_t *bytes) {
  size_t rows;
  return onri_mul_size(n, n, bytes) && onri_mul_size(*bytes, sizeof(double), bytes) &&
         onri_mul_size(n, sizeof(size_t), &rows) && onri_add_size(*bytes, rows, bytes);
}

static enum onr_status solve_plan(struct onr_call *call) {
  const struct onr_desc *a = &call->in[0], *x = &call->out[0];
  const int32_t own = is_vector(call) ? 1 : 2;
  struct state *s = call->state;
  s->n = (size_t)a->dim[a->rank - 1];
  s->k = own == 1 ? 1 : (size_t)x->dim[x->rank - 1];
  const struct onr_desc result = front(x, own), a_front = front(a, 2);
  const struct onr_desc b_front = onri_has(call, 1) ? front(&call->in[1], own) : (struct onr_desc){.dtype = a->dtype};
  s->a = matrices(&a_front, &result, s->n * s->n);
  s->b = matrices(&b_front, &result, s->n * s->k);
  s->kept_at = SIZE_MAX;
  size_t factors, right;
  if (!factors_bytes(s->n, &factors) || !onri_mul_size(s->n, s->k, &right) ||
      !onri_mul_size(right, sizeof(double), &right) || !onri_add_size(factors, right, &call->scratch_bytes))
    return onr_fail(call->error, ONR_STATUS_LIMIT, "matrices of %zu x %zu", s->n, s->n);
  if (!call->inputs[0] || onr_desc_elements(a) == 0) return ONR_STATUS_OK;
  s->kept = onr_env_allocate(call->env, factors);
  return s->kept ? ONR_STATUS_OK
                 : onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for a matrix of %zu x %zu", s->n, s->n);
}

static void solve_release_state(void *state, struct onr_env *env) {
  onr_env_release(env, ((struct state *)state)->kept);
}

static void transpose(double *a, size_t n) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = i + 1; j < n; j++) {
      const double t = a[i * n + j];
      a[i * n + j] = a[j * n + i];
      a[j * n + i] = t;
    }
}

static enum onr_status factor(const struct onr_call *call, size_t matrix, size_t at, double *lu) {
  const struct onr_solve_params *p = call->params;
  struct state *s = call->state;
  const size_t n = s->n, size = onr_dtype_size(call->in[0].dtype);
  int sign;
  size_t step;
  s->kept_at = SIZE_MAX;
  onri_load_f64(call->in[0].dtype, (const char *)call->inputs[0] + at * size, n * n, lu);
  if (p->transpose_a) transpose(lu, n);
  ONR_TRY(onri_lu_factor(lu, n, (size_t *)(lu + n * n), &sign, &step, call->env, call->error));
  if (sign == 0)
    return onr_fail(call->error, ONR_STATUS_ARITHMETIC,
                    "matrix %zu is singular: its column %zu depends on those before", matrix, step);
  s->kept_at = at;
  return ONR_STATUS_OK;
}

static void load_right(const struct onr_call *call, size_t at, double *b) {
  const struct state *s = call->state;
  const enum onr_dtype dtype = call->in[0].dtype;
  if (onri_has(call, 1)) {
    onri_load_f64(dtype, (const char *)call->inputs[1] + at * onr_dtype_size(dtype), s->n * s->k, b);
    return;
  }
  memset(b, 0, s->n * s->n * sizeof(*b));
  for (size_t i = 0; i < s->n; i++) b[i * s->n + i] = 1;
}

static enum onr_status solve_run(struct onr_call *call) {
  struct state *s = call->state;
  const enum onr_dtype dtype = call->in[0].dtype;
  const size_t size = s->n * s->k;
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  double *b = call->scratch, *lu = s->kept ? s->kept : b + size;
  if (!s->kept) s->kept_at = SIZE_MAX;
  for (size_t i = 0; i < s->a.count; i++) {
    const size_t at = onri_dims_offset(&s->a, i);
    if (s->kept_at != at) ONR_TRY(factor(call, i, at, lu));
    load_right(call, onri_dims_offset(&s->b, i), b);
    ONR_TRY(onri_lu_solve(lu, (const size_t *)(lu + s->n * s->n), s->n, b, s->k, call->env, call->error));
    onri_store_f64(dtype, b, size, (char *)call->outputs[0] + i * size * onr_dtype_size(dtype));
  }
  return ONR_STATUS_OK;
}

static int64_t solve_multiply_adds(const struct onr_call *call) {
  const struct onr_desc *a = &call->in[0];
  const int64_t n = a->dim[a->rank - 1];
  int64_t factors, rest, sum;
  return onri_mul_i64(onr_desc_elements(a) / 3, n, &factors) &&
                 onri_mul_i64(onr_desc_elements(&call->out[0]), n, &rest) && onri_add_i64(factors, rest, &sum)
             ? sum
             : INT64_MAX;
}

const struct onr_layer onri_layer_solve = {.name = "solve",
                                           .inputs_min = 1,
                                           .inputs_max = 2,
                                           .outputs_min = 1,
                                           .outputs_max = 1,
                                           .types = {ONRI_DTYPES_FLOAT, ONR_AS_INPUT(0)},
                                           .output_type = ONR_AS_INPUT(0),
                                           .params_size = sizeof(struct onr_solve_params),
                                           .state_size = sizeof(struct state),
                                           .infer = solve_infer,
                                           .plan = solve_plan,
                                           .run = solve_run,
                                           .release_state = solve_release_state,
                                           .multiply_adds = solve_multiply_adds};
