/* quantized_product.c: products of bytes. */
#include "passes/quantized/quantized_parts.h"

/* An operand [k, n] of a product: B itself, or its transpose as a new constant. */
static enum onr_status right_operand(struct onri_rewrite *rw, struct onri_quantised *b, int transpose, int *fits) {
  const struct onr_desc *from = onri_rewrite_is_constant(rw, b->x) ? &rw->graph->values[b->x].constant->desc : NULL;
  enum onr_status status = ONR_STATUS_OK;
  const int64_t rank = onri_rewrite_rank(rw, b->x), axis = b->axis < 0 && rank > 0 ? b->axis + rank : b->axis;
  *fits = b->scales == 1 || (rank == 2 && axis == (transpose ? 0 : 1));
  if (!transpose || !*fits) return ONR_STATUS_OK;
  *fits = from && from->rank == 2;
  if (!*fits) return ONR_STATUS_OK;
  const int64_t rows = from->dim[0], columns = from->dim[1];
  const struct onr_desc desc = onr_desc_make(b->dtype, 2, (int64_t[]){columns, rows});
  const uint8_t *x = onri_value_data(rw->graph, b->x, &status, rw->error);
  ONR_TRY(status);
  struct onri_constant *constant = onri_constant_create(rw->graph->env, &desc);
  if (!constant) return onri_rewrite_no_memory(rw);
  uint8_t *y = constant->data;
  for (int64_t i = 0; i < columns; i++)
    for (int64_t j = 0; j < rows; j++) *y++ = x[j * columns + i];
  b->x = onri_rewrite_constant(rw, constant);
  return b->x < 0 ? onri_rewrite_no_memory(rw) : ONR_STATUS_OK;
}

/* A product of two operands; 0 where its layer's parameters make it more than that. */
static int is_plain_product(const struct onri_node *op, int *turned) {
  if (op->layer == &onri_layer_matmul) {
    const struct onr_matmul_params *p = op->params;
    *turned = p->transpose_b;
    return !p->transpose_a && (p->scale == 0.0f || p->scale == 1.0f) && !p->clamp.enabled;
  }
  if (op->layer == &onri_layer_linear) {
    const struct onr_linear_params *p = op->params;
    *turned = !p->weight_transposed;
    return !p->clamp.enabled;
  }
  const struct onr_gemm_params *p = op->params;
  *turned = p->transpose_b;
  return op->layer == &onri_layer_gemm && !p->transpose_a && p->alpha == 1.0f && (op->num_in < 3 || p->beta == 1.0f) &&
         !p->clamp.enabled;
}

/* v is the transpose of a matrix. */
static int match_turned(const struct onri_rewrite *rw, int32_t v, int32_t *x) {
  const struct onri_node *node = onri_rewrite_match(rw, v, &onri_layer_transpose);
  if (!node || onri_rewrite_rank(rw, node->in[0]) != 2) return 0;
  const struct onr_transpose_params *p = node->params;
  *x = node->in[0];
  return p->rank == 0 || (p->rank == 2 && p->perm[0] == 1);
}

int onri_match_plain_product(const struct onri_rewrite *rw, const struct onri_node *op,
                             struct onri_plain_product *product) {
  *product = (struct onri_plain_product){.bias = ONRI_NONE};
  if (op->num_in < 2 || op->num_in > 3 || op->in[0] == ONRI_NONE || op->in[1] == ONRI_NONE ||
      !is_plain_product(op, &product->turned))
    return 0;
  product->a = op->in[0], product->b = op->in[1];
  if (match_turned(rw, product->b, &product->b)) product->turned = !product->turned;
  if (op->num_in > 2) product->bias = op->in[2];
  return onri_rewrite_rank(rw, product->b) >= 2;
}

enum onr_status onri_quantize_product(struct onri_rewrite *rw, struct onri_node *node,
                                      const struct onri_quantized_target *t, const struct onri_plain_product *p) {
  struct onri_quantised a, b;
  int32_t bias;
  int fits;
  if (!onri_clips_nothing(t) || !onri_match_bytes(rw, p->a, &a) || onri_rewrite_rank(rw, p->a) < 2)
    return ONR_STATUS_OK;
  const int64_t columns = onri_rewrite_dim(rw, p->b, p->turned ? -2 : -1);
  if (p->bias != ONRI_NONE && (columns < 1 || onri_rewrite_rank(rw, p->bias) != 1)) return ONR_STATUS_OK;
  ONR_TRY(onri_match_weights(rw, p->b, &b, &fits));
  if (fits) ONR_TRY(right_operand(rw, &b, p->turned, &fits));
  const struct onri_product_steps steps = {&a, &b, (size_t)columns, t->y.step};
  if (fits) ONR_TRY(onri_product_bias(rw, p->bias, &steps, &bias, &fits));
  if (!fits) return ONR_STATUS_OK;
  return onri_become_quantized(rw, node, &onri_layer_qlinear_matmul, NULL, &steps, t, bias);
}

/* A sum of a product that nobody else reads and a list is the product with a bias. */
int onri_match_biased_product(const struct onri_rewrite *rw, const struct onri_node *sum,
                              struct onri_plain_product *product) {
  const struct onr_binary_params *p = sum->params;
  if (p->op != ONR_BINARY_ADD || p->clamp.enabled) return 0;
  for (int side = 0; side < 2; side++) {
    const struct onri_node *op = onri_rewrite_producer(rw, sum->in[side]);
    if (!op || !onri_multiplies(op->layer) || rw->uses[sum->in[side]] != 1 ||
        onri_rewrite_rank(rw, sum->in[1 - side]) != 1 || !onri_match_plain_product(rw, op, product) ||
        product->bias != ONRI_NONE)
      continue;
    product->bias = sum->in[1 - side];
    return 1;
  }
  return 0;
}

/* A product of bytes that is not quantized: real numbers. */
enum onr_status onri_real_product(struct onri_rewrite *rw, struct onri_node *op) {
  struct onri_quantised a, b;
  struct onri_plain_product p;
  int fits;
  if (!onri_match_plain_product(rw, op, &p) || !onri_match_bytes(rw, p.a, &a) || onri_rewrite_rank(rw, p.a) < 2)
    return ONR_STATUS_OK;
  const int64_t columns = onri_rewrite_dim(rw, p.b, p.turned ? -2 : -1);
  ONR_TRY(onri_match_weights(rw, p.b, &b, &fits));
  if (fits) ONR_TRY(onri_real_bias(rw, &p.bias, columns, &fits));
  if (fits) ONR_TRY(right_operand(rw, &b, p.turned, &fits));
  if (!fits) return ONR_STATUS_OK;
  const int32_t in[] = {a.x, b.x, a.scale, b.scale, a.zero, b.zero, p.bias};
  return onri_rewrite_become(rw, op, &onri_layer_matmul_integer_real, NULL, in, p.bias == ONRI_NONE ? 6 : 7);
}
