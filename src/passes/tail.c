/* tail.c: an activation happens inside the convolution or the product that makes its input, while that is in cache.
 * Clipping went there before (clamp.c), and comes first. */
#include "passes/match.h"

/* The tail parameter of a layer; `offset` into its parameters. */
static const struct tailed {
  const struct onr_layer *layer;
  size_t offset;
} tailed[] = {
    {&onri_layer_conv, offsetof(struct onr_conv_params, tail)},
    {&onri_layer_conv_transpose, offsetof(struct onr_conv_transpose_params, tail)},
    {&onri_layer_linear, offsetof(struct onr_linear_params, tail)},
    {&onri_layer_matmul, offsetof(struct onr_matmul_params, tail)},
    {&onri_layer_gemm, offsetof(struct onr_gemm_params, tail)},
};

static enum onr_status into_producer(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_unary_params *p = node->params;
  const int32_t x = node->in[0];
  const struct tailed *found = NULL;
  enum onr_status status = ONR_STATUS_OK;
  struct onri_node *producer = onri_rewrite_producer(rw, x);
  for (size_t i = 0; producer && i < sizeof(tailed) / sizeof(tailed[0]); i++)
    if (tailed[i].layer == producer->layer) found = &tailed[i];
  if (!found || rw->uses[x] != 1 || producer->out[0] != x || onri_rewrite_desc(rw, x)->dtype != ONR_DTYPE_F32 ||
      onri_rewrite_desc(rw, node->out[0])->dtype != ONR_DTYPE_F32) /* halves are rounded in between */
    return ONR_STATUS_OK;
  if (((const struct onr_tail *)(const void *)((const char *)producer->params + found->offset))->enabled)
    return ONR_STATUS_OK;
  char *params = onri_rewrite_params(rw, producer, &status);
  ONR_TRY(status);
  *(struct onr_tail *)(void *)(params + found->offset) = (struct onr_tail){.enabled = 1, .function = *p};
  onri_rewrite_take(rw, producer, node);
  return ONR_STATUS_OK;
}

enum onr_status onri_pass_tail(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_unary, into_producer}};
  return onri_rewrite_sweep(rw, rules, 1);
}
