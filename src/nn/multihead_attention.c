/* multihead_attention.c: torch.nn.MultiheadAttention. Inside, the batch comes first. */
#include <math.h>

#include "nn/nn_elementwise.h"
#include "nn/nn_shape.h"
#include "params/attention.h"
#include "params/reduce.h"
#include "params/shape.h"
#include "onnxrun/nn/linear.h"
#include "onnxrun/nn/transformer.h"

enum { MAX_FEATURES = 1 << 20 };

/* A mask that is added: -inf where a bool hides. */
static int additive(struct onr_net *net, int mask) {
  if (mask < 0 || (size_t)mask >= net->graph->num_values)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "MultiheadAttention: mask %d is no value of this network", mask);
  if (net->graph->values[mask].desc.dtype != ONR_DTYPE_BOOL) return mask;
  return onri_net_3(net, &onri_layer_where, NULL, mask, onri_net_float(net, -INFINITY), onri_net_float(net, 0));
}

/* [queries, keys] or [batch, heads, queries, keys], from [batch heads, queries, keys]. */
static int apart(struct onr_net *net, int mask, int64_t heads) {
  const struct onr_unflatten_params params = {.axis = 0, .num_sizes = 2, .sizes = {-1, heads}};
  if (net->failed || net->graph->values[mask].desc.rank != 3) return additive(net, mask);
  return onri_net_1(net, &onri_layer_unflatten, &params, additive(net, mask));
}

/* Both masks as one that broadcasts to [batch, heads, queries, keys]; ONRI_NONE without either. extra keys are behind
 * those that it knows of, and are never hidden. */
static int joined_mask(struct onr_net *net, int attn_mask, int key_padding_mask, int64_t heads, int64_t extra) {
  int mask = attn_mask == ONRI_NONE ? ONRI_NONE : apart(net, attn_mask, heads);
  if (key_padding_mask != ONRI_NONE) {
    const int batch = onri_net_batch_at(net, additive(net, key_padding_mask), 2, 0);
    const int padding = onri_net_2(net, &onri_layer_unsqueeze, NULL, batch, onri_net_ints(net, (int64_t[]){1, 2}, 2));
    mask = mask == ONRI_NONE ? padding : onri_net_binary(net, ONR_BINARY_ADD, mask, padding);
  }
  return mask == ONRI_NONE || !extra ? mask : onri_net_pad(net, mask, onri_net_ints(net, (int64_t[]){0, extra}, 2), -1);
}

static int check(struct onr_net *net, const struct onr_multihead_attention *p,
                 const struct onr_multihead_attention_weights *w) {
  static const char name[] = "MultiheadAttention";
  if (p->embed_dim <= 0 || p->embed_dim > MAX_FEATURES || p->num_heads <= 0 || p->embed_dim % p->num_heads)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT,
                         "MultiheadAttention: expected embed_dim in 1..%d, a multiple of num_heads, got %lld and %lld",
                         MAX_FEATURES, (long long)p->embed_dim, (long long)p->num_heads);
  if (p->kdim < 0 || p->kdim > MAX_FEATURES || p->vdim < 0 || p->vdim > MAX_FEATURES)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT,
                         "MultiheadAttention: expected kdim and vdim in 0..%d, got %lld and %lld", MAX_FEATURES,
                         (long long)p->kdim, (long long)p->vdim);
  if (!onri_net_check_given(net, name, "w", w) ||
      !onri_net_check_given(net, name, "out_proj_weight", w->out_proj_weight.data))
    return -1;
  if (!w->in_proj_weight.data && !(w->q_proj_weight.data && w->k_proj_weight.data && w->v_proj_weight.data))
    return onri_net_fail(net, ONR_STATUS_ARGUMENT,
                         "%s: expected in_proj_weight, or q_proj_weight, k_proj_weight and v_proj_weight", name);
  if (w->in_proj_weight.data && ((p->kdim && p->kdim != p->embed_dim) || (p->vdim && p->vdim != p->embed_dim)))
    return onri_net_fail(net, ONR_STATUS_ARGUMENT,
                         "MultiheadAttention: in_proj_weight needs kdim and vdim equal to embed_dim");
  if (!w->bias_k.data != !w->bias_v.data)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "MultiheadAttention: expected both bias_k and bias_v or neither");
  if (!onri_net_check_count(net, name, "in_proj_weight", w->in_proj_weight, 3 * p->embed_dim, p->embed_dim) ||
      !onri_net_check_count(net, name, "in_proj_bias", w->in_proj_bias, 3, p->embed_dim))
    return -1;
  return net->failed ? -1 : 0;
}

/* Part i of three. */
static struct onr_weight third(struct onr_weight weight, int64_t i) {
  if (!weight.data) return weight;
  weight.count /= 3;
  weight.data += (size_t)i * weight.count;
  return weight;
}

/* x[0..3): query, key, value [batch, length, features], become their projections. */
static void project(struct onr_net *net, const struct onr_multihead_attention *p,
                    const struct onr_multihead_attention_weights *w, int *x) {
  const int64_t embed = p->embed_dim;
  const int64_t in[3] = {embed, p->kdim ? p->kdim : embed, p->vdim ? p->vdim : embed};
  const struct onr_weight own[3] = {w->q_proj_weight, w->k_proj_weight, w->v_proj_weight};
  for (int64_t i = 0; i < 3; i++)
    x[i] = onr_linear(net, x[i], &(struct onr_linear){in[i], embed},
                      w->in_proj_weight.data ? third(w->in_proj_weight, i) : own[i], third(w->in_proj_bias, i));
}

/* x [batch, length, embed] with one row more for each of the batch. */
static int append(struct onr_net *net, int x, struct onr_weight row, int64_t embed) {
  const int constant = onri_net_weight(net, "MultiheadAttention", "bias_k or bias_v", row, 3, (int64_t[]){1, 1, embed});
  const int dims =
      onri_net_concat(net, (int[]){onri_net_dim(net, x, 0), onri_net_ints(net, (int64_t[]){1, 1}, 2)}, 2, 0);
  return onri_net_concat(net, (int[]){x, onri_net_2(net, &onri_layer_expand, NULL, constant, dims)}, 2, 1);
}

int onr_multihead_attention(struct onr_net *net, int query, int key, int value, int attn_mask, int key_padding_mask,
                            const struct onr_multihead_attention *p, const struct onr_multihead_attention_weights *w,
                            int *weights) {
  if (weights) *weights = -1;
  if (!onri_net_check_given(net, "MultiheadAttention", "its parameters", p)) return -1;
  const struct onr_attention_params params = {
      .heads = p->num_heads, .kv_heads = p->num_heads, .qk_output = ONR_QK_SOFTMAX};
  const struct onr_reduce_params mean = {.op = ONR_REDUCE_MEAN};
  const int32_t batch_axis = p->batch_first ? 0 : 1;
  int in[4] = {query, key, value, ONRI_NONE}, out[4];
  if (check(net, p, w) < 0) return -1;
  for (size_t i = 0; i < 3; i++) {
    in[i] = onri_net_batch_at(net, in[i], 3, batch_axis);
    if (!p->batch_first) in[i] = onri_net_swap_outer(net, in[i]);
  }
  project(net, p, w, in);
  for (size_t i = 1; i < 3; i++) {
    if (w->bias_k.data) in[i] = append(net, in[i], i == 1 ? w->bias_k : w->bias_v, p->embed_dim);
    if (p->add_zero_attn) in[i] = onri_net_pad(net, in[i], onri_net_ints(net, (int64_t[]){0, 1}, 2), 1);
  }
  in[3] = joined_mask(net, attn_mask, key_padding_mask, p->num_heads, !!w->bias_k.data + !!p->add_zero_attn);
  onr_net_layer(net, &onri_layer_attention, &params, in, in[3] == ONRI_NONE ? 3 : 4, out, weights ? 4 : 1);
  if (weights) {
    *weights = p->per_head_weights
                   ? out[3]
                   : onri_net_2(net, &onri_layer_reduce, &mean, out[3], onri_net_ints(net, (int64_t[]){1}, 1));
    *weights = onri_net_unbatch_at(net, *weights, query, 3, 0);
  }
  int y =
      onr_linear(net, out[0], &(struct onr_linear){p->embed_dim, p->embed_dim}, w->out_proj_weight, w->out_proj_bias);
  if (!p->batch_first) y = onri_net_swap_outer(net, y);
  return onri_net_unbatch_at(net, y, query, 3, batch_axis);
}
