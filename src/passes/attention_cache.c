/* attention_cache.c: keys and values that are a past of the caller's and new ones behind it, which leave the model as
 * its present, are attention's own past and present: it may keep them in another form (cache_int8 of a session). */
#include "passes/match.h"

enum { Q, K, V, MASK, PAST_K, PAST_V, LENGTHS, NUM_INPUTS };
enum { Y, PRESENT_K, PRESENT_V, NUM_OUTPUTS };

/* The node that puts an input of the graph and new rows together to v, which but one node reads, and the caller. */
static struct onri_node *joined(const struct onri_rewrite *rw, int32_t v) {
  struct onri_node *node = onri_rewrite_match(rw, v, &onri_layer_concat);
  if (!node || node->num_in != 2 || rw->uses[v] != 2 || !rw->is_output[v] || onri_rewrite_rank(rw, v) != 4) return NULL;
  const struct onr_concat_params *p = node->params;
  const int32_t past = node->in[0];
  const int is_input = rw->graph->values[past].producer == ONRI_NONE && !onri_rewrite_is_constant(rw, past);
  return is_input && (p->axis == 2 || p->axis == -2) ? node : NULL;
}

/* What is told by positions counts them from the first key that the node has as its own. */
static int is_positional(const struct onr_attention_params *p) {
  return p->causal || p->has_window_left || p->has_window_right;
}

static int32_t input_of(const struct onri_node *node, int32_t i) { return i < node->num_in ? node->in[i] : ONRI_NONE; }

static enum onr_status attention(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_attention_params *p = node->params;
  if (node->num_out != 1 || p->kv_heads_inner || is_positional(p) || input_of(node, PAST_K) != ONRI_NONE ||
      input_of(node, LENGTHS) != ONRI_NONE)
    return ONR_STATUS_OK;
  struct onri_node *keys = joined(rw, node->in[K]), *values = joined(rw, node->in[V]);
  if (!keys || !values || keys == values) return ONR_STATUS_OK;
  const int32_t in[NUM_INPUTS - 1] = {node->in[Q],          keys->in[1], values->in[1],
                                      input_of(node, MASK), keys->in[0], values->in[0]};
  const int32_t outputs[NUM_OUTPUTS] = {node->out[Y], node->in[K], node->in[V]};
  int32_t *out = onri_arena_copy(&rw->graph->arena, outputs, sizeof(outputs));
  if (!out) return onri_rewrite_no_memory(rw);
  ONR_TRY(onri_rewrite_become(rw, node, node->layer, node->params, in, NUM_INPUTS - 1));
  node->out = out;
  node->num_out = NUM_OUTPUTS;
  for (int32_t k = PRESENT_K; k < NUM_OUTPUTS; k++)
    rw->graph->values[out[k]].producer = (int32_t)(node - rw->graph->nodes);
  onri_rewrite_remove(rw, keys);
  onri_rewrite_remove(rw, values);
  return ONR_STATUS_OK;
}

enum onr_status onri_pass_attention_cache(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_attention, attention}};
  return onri_rewrite_sweep(rw, rules, sizeof(rules) / sizeof(rules[0]));
}
