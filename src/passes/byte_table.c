/* byte_table.c: a chain from bytes to bytes that depends on one tensor of bytes alone is a table of what becomes of
 * each byte; also where it reads that tensor twice, as x sigmoid(x) does with a quantized sigmoid between. */
#include "passes/match.h"

static int is_byte(int32_t dtype) { return dtype == ONR_DTYPE_U8 || dtype == ONR_DTYPE_I8; }

/* The tensor that input v depends on: behind a table, what that reads. */
static int32_t source_of(const struct onri_rewrite *rw, int32_t v) {
  const struct onri_node *table = onri_rewrite_match(rw, v, &onri_layer_byte_table);
  return table ? table->in[0] : v;
}

/* All bytes, or what a table makes of them. */
static enum onr_status fill(struct onri_rewrite *rw, int32_t v, uint8_t bytes[256]) {
  const struct onri_node *table = onri_rewrite_match(rw, v, &onri_layer_byte_table);
  enum onr_status status = ONR_STATUS_OK;
  const uint8_t *data = table ? onri_value_data(rw->graph, table->in[1], &status, rw->error) : NULL;
  for (int i = 0; i < 256 && status == ONR_STATUS_OK; i++) bytes[i] = data ? data[i] : (uint8_t)i;
  return status;
}

/* The chain's inputs are tensors of the same shape. */
static int reads_one(const struct onri_rewrite *rw, const struct onri_node *node, int32_t *x) {
  const struct onr_fused_elementwise_params *p = node->params;
  *x = node->in[0] == ONRI_NONE ? ONRI_NONE : source_of(rw, node->in[0]);
  if (*x == ONRI_NONE || onri_rewrite_is_constant(rw, *x) || !is_byte(p->output.dtype)) return 0;
  for (int32_t i = 0; i < node->num_in; i++)
    if (node->in[i] == ONRI_NONE || !is_byte(p->input[i].dtype) || source_of(rw, node->in[i]) != *x) return 0;
  return 1;
}

static enum onr_status chain(struct onri_rewrite *rw, struct onri_node *node) {
  uint8_t bytes[ONR_FUSED_BYTES][256];
  struct onr_desc in[ONR_FUSED_BYTES];
  const void *inputs[ONR_FUSED_BYTES];
  struct onri_constant *table = NULL;
  const struct onr_fused_elementwise_params *p = node->params;
  int32_t x;
  if (node->num_in > ONR_FUSED_BYTES || !reads_one(rw, node, &x)) return ONR_STATUS_OK;
  for (int32_t i = 0; i < node->num_in; i++) {
    ONR_TRY(fill(rw, node->in[i], bytes[i]));
    in[i] = onr_desc_make((enum onr_dtype)p->input[i].dtype, 1, (int64_t[]){256});
    inputs[i] = bytes[i];
  }
  ONR_TRY(onri_node_evaluate(node, rw->graph->env, in, inputs, &table, rw->error));
  const int32_t v = onri_rewrite_constant(rw, table);
  if (v < 0) return onri_rewrite_no_memory(rw);
  return onri_rewrite_become(rw, node, &onri_layer_byte_table, NULL, (int32_t[]){x, v}, 2);
}

enum onr_status onri_pass_byte_table(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_fused_elementwise, chain}};
  return onri_rewrite_sweep(rw, rules, 1);
}
