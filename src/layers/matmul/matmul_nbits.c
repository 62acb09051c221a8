/* matmul_nbits.c: a product with a constant weight of 2, 4 or 8 bits an element, which stays as narrow in memory.
 *
 * inputs   A [..., k], B, scales, zero points, block of each k, bias; what each is says params/matmul.h
 * types    A, scales, bias: float32, float16 or bfloat16, computed in float32
 * path     vectors, on all backends (kernels/matmul/nbits.h): A in float32, or quantised to bytes where that is allowed
 */
#include "base/memory/blocks.h"
#include "base/numbers/checked.h"
#include "base/services.h"
#include "base/shape.h"
#include "kernels/matmul/nbits.h"
#include "layers/elementwise/scratch.h"
#include "layers/layers.h"

enum { A, B, SCALES, ZEROS, GROUP, BIAS };

struct nbits_prepared {
  void *packed;
};

struct nbits_state {
  struct onri_nbits_product product;
  size_t a_at, bias_at, c_at, room_at; /* in scratch; the first three where A is half */
};

static struct onri_nbits weight_of(const struct onr_call *call) {
  const struct onr_matmul_nbits_params *p = call->params;
  struct onri_nbits w = {
      .n = (size_t)p->n, .k = (size_t)p->k, .block = (size_t)p->block, .bits = p->bits, .real = call->in[SCALES].dtype};
  if (onri_has(call, ZEROS)) w.zeros = call->in[ZEROS].dtype == ONR_DTYPE_U8 ? ONRI_NBITS_BYTES : ONRI_NBITS_REALS;
  return w;
}

static enum onr_status nbits_check(const struct onr_call *call) {
  const struct onr_matmul_nbits_params *p = call->params;
  if ((p->bits == 2 || p->bits == 4 || p->bits == 8) && p->block >= 16 && !(p->block & (p->block - 1)) && p->n > 0 &&
      p->n <= INT32_MAX && p->k > 0 && p->k <= INT32_MAX)
    return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "a weight of %lld by %lld in %d bits and blocks of %d",
                  (long long)p->n, (long long)p->k, (int)p->bits, (int)p->block);
}

static enum onr_status expect_elements(const struct onr_call *call, size_t i, uint64_t elements) {
  if (!onri_has(call, i) || (uint64_t)onr_desc_elements(&call->in[i]) == elements) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_SHAPE, "input %zu has %lld elements, expected %llu", i,
                  (long long)onr_desc_elements(&call->in[i]), (unsigned long long)elements);
}

/* n and k are below 2^31, so products of two fit 64 bits. */
static enum onr_status check_weight(const struct onr_call *call) {
  const struct onri_nbits w = weight_of(call);
  const uint64_t blocks = onri_nbits_blocks(&w), bits = (uint64_t)w.bits;
  ONR_TRY(expect_elements(call, B, w.n * (blocks * w.block * bits / 8)));
  ONR_TRY(expect_elements(call, SCALES, w.n * blocks));
  if (onri_has(call, ZEROS) && w.zeros == ONRI_NBITS_REALS && call->in[ZEROS].dtype != w.real)
    return onr_fail(call->error, ONR_STATUS_TYPE, "zero points are %s, expected uint8 or %s",
                    onr_dtype_name(call->in[ZEROS].dtype), onr_dtype_name(w.real));
  ONR_TRY(expect_elements(call, ZEROS, w.n * (w.zeros == ONRI_NBITS_BYTES ? (blocks * bits + 7) / 8 : blocks)));
  return expect_elements(call, GROUP, w.k);
}

static enum onr_status nbits_infer(struct onr_call *call) {
  const struct onr_matmul_nbits_params *p = call->params;
  const struct onr_desc *a = &call->in[A];
  ONR_TRY(check_weight(call));
  ONR_TRY(onri_expect_rank(call, A, 1, ONR_MAX_RANK));
  if (a->dim[a->rank - 1] != p->k)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected input 0 with %lld columns, found %lld", (long long)p->k,
                    (long long)a->dim[a->rank - 1]);
  ONR_TRY(expect_elements(call, BIAS, (uint64_t)p->n));
  call->out[0] = *a;
  call->out[0].dim[a->rank - 1] = p->n;
  return ONR_STATUS_OK;
}

/* --- prepare --- */

/* The block of each k is read in each run: what a file of packed weights says would have to be checked again. */
static enum onr_status check_group(struct onr_call *call, size_t blocks) {
  const void *data;
  if (!onri_has(call, GROUP)) return ONR_STATUS_OK;
  ONR_TRY(onri_call_contents(call, GROUP, &data));
  const int32_t *group = data;
  for (int64_t k = 0; k < onr_desc_elements(&call->in[GROUP]); k++)
    if (group[k] < 0 || (size_t)group[k] >= blocks)
      return onr_fail(call->error, ONR_STATUS_INDEX, "column %lld is in block %d, expected 0 to %zu", (long long)k,
                      (int)group[k], blocks - 1);
  return ONR_STATUS_OK;
}

static enum onr_status read_source(struct onr_call *call, struct onri_nbits_source *from, enum onri_nbits_zeros kind) {
  const void *values, *zeros;
  ONR_TRY(onri_call_contents(call, B, &values));
  ONR_TRY(onri_call_contents(call, SCALES, &from->scales));
  from->values = values;
  if (kind == ONRI_NBITS_MIDDLE) return ONR_STATUS_OK;
  ONR_TRY(onri_call_contents(call, ZEROS, &zeros));
  if (kind == ONRI_NBITS_BYTES) from->packed_zeros = zeros;
  else from->real_zeros = zeros;
  return ONR_STATUS_OK;
}

static enum onr_status nbits_prepare(struct onr_call *call) {
  struct nbits_prepared *prepared = call->prepared;
  struct onri_nbits_source from = {0};
  for (size_t i = B; i <= GROUP; i++)
    if (onri_has(call, i) && !call->inputs[i])
      return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "input %zu is not a constant", i);
  ONR_TRY(check_weight(call));
  const struct onri_nbits w = weight_of(call);
  ONR_TRY(check_group(call, onri_nbits_blocks(&w)));
  const size_t bytes = onri_nbits_packed_bytes(&w);
  ONR_TRY(onri_env_expect(call->env, bytes, call->error));
  call->packed_inputs |= 1u << B | 1u << SCALES | (onri_has(call, ZEROS) ? 1u << ZEROS : 0u);
  prepared->packed = onri_block_recall(call->env, bytes);
  if (prepared->packed) return ONR_STATUS_OK;
  ONR_TRY(read_source(call, &from, w.zeros));
  prepared->packed = onri_block_begin(call->env, bytes);
  if (!prepared->packed) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for packed weights");
  onri_nbits_pack(&w, &from, prepared->packed, call->env);
  prepared->packed = onri_block_end(call->env, prepared->packed, bytes);
  return ONR_STATUS_OK;
}

static void nbits_release_prepared(void *prepared, struct onr_env *env) {
  struct nbits_prepared *p = prepared;
  onr_env_release(env, p->packed);
  p->packed = NULL;
}

/* --- plan and run --- */

static enum onr_status nbits_plan(struct onr_call *call) {
  const struct onr_matmul_nbits_params *p = call->params;
  const struct nbits_prepared *prepared = call->prepared;
  struct nbits_state *s = call->state;
  const size_t elements = (size_t)onr_desc_elements(&call->in[A]);
  if (!prepared->packed) return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "the weight is not a constant");
  s->product =
      (struct onri_nbits_product){.weight = weight_of(call), .packed = prepared->packed, .m = elements / (size_t)p->k};
  s->product.group = onri_has(call, GROUP) ? call->inputs[GROUP] : NULL; /* a constant: it stays there */
  s->product.in_bytes = p->in_bytes && !onri_has(call, GROUP) && p->block <= ONRI_NBITS_BYTES_BLOCK;
  s->room_at = onri_scratch_take(call, onri_nbits_scratch_bytes(&s->product));
  call->kernel = ONR_KERNEL_VECTOR;
  if (onri_is_native(call->in[A].dtype)) return ONR_STATUS_OK;
  s->a_at = onri_scratch_take(call, onri_class_bytes(&call->in[A]));
  if (onri_has(call, BIAS)) s->bias_at = onri_scratch_take(call, onri_class_bytes(&call->in[BIAS]));
  s->c_at = onri_scratch_take(call, onri_size_of((size_t[]){s->product.m, (size_t)p->n, sizeof(float)}, 3));
  return ONR_STATUS_OK;
}

static enum onr_status nbits_run(struct onr_call *call) {
  const struct nbits_state *s = call->state;
  const int converts = !onri_is_native(call->in[A].dtype);
  struct onri_nbits_product product = s->product;
  if (product.m == 0) return ONR_STATUS_OK;
  product.a = onri_converted_input(call, A, s->a_at);
  product.bias = onri_converted_input(call, BIAS, s->bias_at);
  product.c = converts ? (float *)(void *)((char *)call->scratch + s->c_at) : call->outputs[0];
  onri_nbits_run(&product, (char *)call->scratch + s->room_at, call->env);
  if (converts)
    onri_convert(call->env, call->in[A].dtype, product.c, call->outputs[0], product.m * product.weight.n, 1);
  return ONR_STATUS_OK;
}

static int64_t nbits_multiply_adds(const struct onr_call *call) {
  const struct onr_matmul_nbits_params *p = call->params;
  int64_t product;
  return onri_mul_i64(onr_desc_elements(&call->in[A]), p->n, &product) ? product : INT64_MAX;
}

static uint32_t nbits_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPES_F32_AND_HALF : 0;
}

const struct onr_layer onri_layer_matmul_nbits = {
    .name = "matmul_nbits",
    .inputs_min = 3,
    .inputs_max = 6,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_F32_AND_HALF, ONRI_DTYPE_BIT(ONR_DTYPE_U8), ONR_AS_INPUT(A),
              ONRI_DTYPES_F32_AND_HALF | ONRI_DTYPE_BIT(ONR_DTYPE_U8), ONRI_DTYPE_BIT(ONR_DTYPE_I32), ONR_AS_INPUT(A)},
    .output_type = ONR_AS_INPUT(A),
    .flags = ONRI_LAYER_READS_LATE,
    .layout = ONR_LAYOUT_LAST_AXIS,
    .params_size = sizeof(struct onr_matmul_nbits_params),
    .prepared_size = sizeof(struct nbits_prepared),
    .state_size = sizeof(struct nbits_state),
    .check = nbits_check,
    .infer = nbits_infer,
    .prepare = nbits_prepare,
    .release_prepared = nbits_release_prepared,
    .plan = nbits_plan,
    .run = nbits_run,
    .multiply_adds = nbits_multiply_adds,
    .kernel_types = nbits_kernel_types,
};
