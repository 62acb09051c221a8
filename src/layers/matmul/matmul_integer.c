/* matmul_integer, qlinear_matmul, matmul_integer_real: products of 8-bit matrices: integers, and float8 in the second.
 *
 * matmul_integer   A, B, A's zero point, B's zero point             -> int32
 * qlinear_matmul   a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero, bias (int32, optional)
 *                  -> y_zero's type
 * matmul_integer_real   a, b, a_scale, b_scale, a_zero, b_zero, bias (float32 [n]); the last three optional -> float32
 * Shapes are those of matmul. Zero points and scales: one, or one a row of A, one a column of B.
 * path   vector: integer_product.c, integer_float8.c */
#include "base/services.h"
#include "base/shape.h"
#include "layers/layers.h"
#include "layers/matmul/integer_product.h"

#define BYTES_OR_FLOAT8 (ONRI_DTYPES_8BIT | ONRI_DTYPES_FLOAT8)

static const struct onri_integer_roles integer_roles = {
    0, ONRI_NO_ROLE, 2, 1, ONRI_NO_ROLE, 3, ONRI_NO_ROLE, ONRI_NO_ROLE, ONRI_NO_ROLE};
static const struct onri_integer_roles quantised_roles = {0, 1, 2, 3, 4, 5, 6, 7, 8};
static const struct onri_integer_roles real_roles = {0, 2, 4, 1, 3, 5, ONRI_NO_ROLE, ONRI_NO_ROLE, 6};

static enum onr_status expect_broadcast(const struct onr_call *call, size_t i, int of_rows, const struct onr_desc *to) {
  if (!onri_has(call, i) || onr_desc_elements(&call->in[i]) == 1) return ONR_STATUS_OK;
  const struct onr_desc desc = onri_integer_aligned(call, i, of_rows);
  struct onr_desc result;
  ONR_TRY(onri_broadcast(to, &desc, &result, call->error));
  const int32_t repeated =
      desc.rank - (of_rows ? 1 : 2); /* the dimension that is summed over has no values of its own */
  if (onr_desc_equal(&result, to) && (repeated < 0 || desc.dim[repeated] == 1)) return ONR_STATUS_OK;
  char text[96];
  return onr_fail(call->error, ONR_STATUS_SHAPE, "expected input %zu with one value, or one a %s, found %s", i,
                  of_rows ? "row" : "column", onr_desc_format(&call->in[i], text, sizeof(text)));
}

static enum onr_status integer_shape(const struct onr_call *call, const struct onri_integer_roles *r,
                                     struct onri_product *product, struct onr_desc *out) {
  static const struct onri_product_form form = {.alpha = 1.0f};
  struct onr_desc operands[2] = {call->in[r->a], call->in[r->b]};
  struct onr_call pair = *call;
  operands[0].dtype = operands[1].dtype = ONR_DTYPE_I32;
  pair.in = operands;
  pair.num_in = 2;
  ONR_TRY(onri_product_shape(&pair, &form, product, out));
  ONR_TRY(expect_broadcast(call, r->a_zero, 1, &call->in[r->a]));
  return expect_broadcast(call, r->b_zero, 0, &call->in[r->b]);
}

static enum onr_status matmul_integer_infer(struct onr_call *call) {
  struct onri_product product;
  return integer_shape(call, &integer_roles, &product, &call->out[0]);
}

static enum onr_status scaled_shape(const struct onr_call *call, const struct onri_integer_roles *r,
                                    struct onri_product *product, struct onr_desc *out) {
  ONR_TRY(integer_shape(call, r, product, out));
  ONR_TRY(expect_broadcast(call, r->a_scale, 1, &call->in[r->a]));
  return expect_broadcast(call, r->b_scale, 0, &call->in[r->b]);
}

static enum onr_status matmul_integer_real_infer(struct onr_call *call) {
  const struct onri_integer_roles *r = &real_roles;
  struct onri_product product;
  ONR_TRY(scaled_shape(call, r, &product, &call->out[0]));
  call->out[0].dtype = ONR_DTYPE_F32;
  if (!onri_has(call, r->bias) || (call->in[r->bias].rank == 1 && call->in[r->bias].dim[0] == (int64_t)product.n))
    return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a bias of %zu elements", product.n);
}

static enum onr_status qlinear_matmul_infer(struct onr_call *call) {
  const struct onri_integer_roles *r = &quantised_roles;
  struct onri_product product;
  struct onr_desc out;
  ONR_TRY(scaled_shape(call, r, &product, &out));
  if (onr_desc_elements(&call->in[r->y_scale]) != 1 || onr_desc_elements(&call->in[r->y_zero]) != 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected one scale and one zero point of the result");
  if (onri_has(call, r->bias) &&
      (onri_integer_is_float8(call, r) || call->in[r->bias].rank != 1 ||
       call->in[r->bias].dim[0] != (int64_t)product.n || onr_desc_elements(&call->in[r->a_scale]) != 1))
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a bias of %zu elements, for bytes of one scale",
                    product.n);
  out.dtype = call->in[r->y_zero].dtype;
  call->out[0] = out;
  return ONR_STATUS_OK;
}

static enum onr_status plan(struct onr_call *call, const struct onri_integer_roles *r) {
  struct onri_integer_state *s = call->state;
  struct onr_desc out;
  ONR_TRY(integer_shape(call, r, &s->product, &out));
  return onri_integer_plan(call, r, &out);
}

static int64_t multiply_adds(const struct onr_call *call, const struct onri_integer_roles *r) {
  struct onri_product product;
  struct onr_desc out;
  return integer_shape(call, r, &product, &out) == ONR_STATUS_OK ? onri_product_multiply_adds(&product) : 0;
}

/* What the three layers do with their roles. */
#define WITH_ROLES(layer, roles)                                                                               \
  static enum onr_status layer##_prepare(struct onr_call *call) { return onri_integer_prepare(call, &roles); } \
  static enum onr_status layer##_plan(struct onr_call *call) { return plan(call, &roles); }                    \
  static enum onr_status layer##_run(struct onr_call *call) { return onri_integer_run(call, &roles); }         \
  static int64_t layer##_multiply_adds(const struct onr_call *call) { return multiply_adds(call, &roles); }
WITH_ROLES(matmul_integer, integer_roles)
WITH_ROLES(qlinear_matmul, quantised_roles)
WITH_ROLES(matmul_integer_real, real_roles)

static uint32_t integer_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPES_8BIT : 0;
}

static uint32_t quantised_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? BYTES_OR_FLOAT8 : 0;
}

const struct onr_layer onri_layer_matmul_integer = {
    .name = "matmul_integer",
    .inputs_min = 2,
    .inputs_max = 4,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_8BIT, ONRI_DTYPES_8BIT, ONR_AS_INPUT(0), ONR_AS_INPUT(1)},
    .flags = ONRI_LAYER_READS_LATE,
    .prepared_size = sizeof(struct onri_integer_prepared),
    .state_size = sizeof(struct onri_integer_state),
    .infer = matmul_integer_infer,
    .prepare = matmul_integer_prepare,
    .release_prepared = onri_integer_release_prepared,
    .plan = matmul_integer_plan,
    .run = matmul_integer_run,
    .multiply_adds = matmul_integer_multiply_adds,
    .kernel_types = integer_kernel_types,
};

const struct onr_layer onri_layer_qlinear_matmul = {
    .name = "qlinear_matmul",
    .inputs_min = 8,
    .inputs_max = 9,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {BYTES_OR_FLOAT8, ONRI_DTYPES_F32_AND_HALF, ONR_AS_INPUT(0), BYTES_OR_FLOAT8, ONRI_DTYPES_F32_AND_HALF,
              ONR_AS_INPUT(3), ONRI_DTYPES_F32_AND_HALF, BYTES_OR_FLOAT8, ONRI_DTYPE_BIT(ONR_DTYPE_I32)},
    .flags = ONRI_LAYER_READS_LATE,
    .prepared_size = sizeof(struct onri_integer_prepared),
    .state_size = sizeof(struct onri_integer_state),
    .infer = qlinear_matmul_infer,
    .prepare = qlinear_matmul_prepare,
    .release_prepared = onri_integer_release_prepared,
    .plan = qlinear_matmul_plan,
    .run = qlinear_matmul_run,
    .multiply_adds = qlinear_matmul_multiply_adds,
    .kernel_types = quantised_kernel_types,
};

const struct onr_layer onri_layer_matmul_integer_real = {
    .name = "matmul_integer_real",
    .inputs_min = 4,
    .inputs_max = 7,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_8BIT, ONRI_DTYPES_8BIT, ONRI_DTYPE_BIT(ONR_DTYPE_F32), ONRI_DTYPE_BIT(ONR_DTYPE_F32),
              ONR_AS_INPUT(0), ONR_AS_INPUT(1), ONRI_DTYPE_BIT(ONR_DTYPE_F32)},
    .flags = ONRI_LAYER_READS_LATE,
    .prepared_size = sizeof(struct onri_integer_prepared),
    .state_size = sizeof(struct onri_integer_state),
    .infer = matmul_integer_real_infer,
    .prepare = matmul_integer_real_prepare,
    .release_prepared = onri_integer_release_prepared,
    .plan = matmul_integer_real_plan,
    .run = matmul_integer_real_run,
    .multiply_adds = matmul_integer_real_multiply_adds,
    .kernel_types = integer_kernel_types,
};
