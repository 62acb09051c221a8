/* transformer: torch.nn's attention and transformer layers, composed as PyTorch composes them. */
#include "onnxrun/nn/transformer.h"

#include <math.h>

#include "nn/nn_shape.h"
#include "onnxrun/layers/attention.h"
#include "onnxrun/layers/elementwise.h"
#include "onnxrun/layers/normalization.h"
#include "onnxrun/layers/reduce.h"

enum { MAX_FEATURES = 1 << 20 };

static int binary_add(struct onr_net *net, int a, int b) {
  const struct onr_binary_params params = {.op = ONR_BINARY_ADD};
  return onri_net_2(net, &onri_layer_binary, &params, a, b);
}

/* y = x W^T + b with W [out, in]. */
static int dense(struct onr_net *net, int x, int64_t in, int64_t out, const float *weight, const float *bias) {
  const struct onr_linear_params params = {0};
  if (!weight) return onri_net_fail(net, ONR_STATUS_ARGUMENT, "a weight [%lld, %lld] is missing", (long long)out, (long long)in);
  const int w = onri_net_weight(net, weight, 2, (int64_t[]){out, in});
  return onri_net_3(net, &onri_layer_linear, &params, x, w, onri_net_weight(net, bias, 1, &out));
}

/* A mask that is added: -inf where a bool hides. */
static int additive(struct onr_net *net, int mask) {
  if (mask < 0 || (size_t)mask >= net->graph->num_values)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "MultiheadAttention: mask %d is no value of this network", mask);
  if (net->graph->values[mask].desc.dtype != ONR_DTYPE_BOOL) return mask;
  return onri_net_3(net, &onri_layer_where, NULL, mask, onri_net_float(net, -INFINITY), onri_net_float(net, 0));
}

/* Both masks as one that broadcasts to [batch, heads, queries, keys]; ONRI_NONE without either. */
static int joined_mask(struct onr_net *net, int attn_mask, int key_padding_mask) {
  attn_mask = attn_mask == ONRI_NONE ? attn_mask : additive(net, attn_mask);
  if (key_padding_mask == ONRI_NONE) return attn_mask;
  key_padding_mask = onri_net_2(net, &onri_layer_unsqueeze, NULL, additive(net, key_padding_mask), onri_net_ints(net, (int64_t[]){1, 2}, 2));
  return attn_mask == ONRI_NONE ? key_padding_mask : binary_add(net, attn_mask, key_padding_mask);
}

static int check_attention(struct onr_net *net, const struct onr_multihead_attention *p) {
  if (p->embed_dim <= 0 || p->embed_dim > MAX_FEATURES || p->num_heads <= 0 || p->embed_dim % p->num_heads)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "MultiheadAttention: expected embed_dim in 1..%d, a multiple of num_heads, got %lld and %lld",
                         MAX_FEATURES, (long long)p->embed_dim, (long long)p->num_heads);
  if (p->kdim < 0 || p->kdim > MAX_FEATURES || p->vdim < 0 || p->vdim > MAX_FEATURES)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "MultiheadAttention: expected kdim and vdim in 0..%d, got %lld and %lld", MAX_FEATURES,
                         (long long)p->kdim, (long long)p->vdim);
  return net->failed ? -1 : 0;
}

/* x[0..3): query, key, value [batch, length, features], become their projections. */
static void project(struct onr_net *net, const struct onr_multihead_attention *p, const struct onr_multihead_attention_weights *w, int *x) {
  const int64_t embed = p->embed_dim;
  const int64_t in[3] = {embed, p->kdim ? p->kdim : embed, p->vdim ? p->vdim : embed};
  const float *const apart[3] = {w->q_proj_weight, w->k_proj_weight, w->v_proj_weight};
  if (w->in_proj_weight && (in[1] != embed || in[2] != embed)) {
    onri_net_fail(net, ONR_STATUS_ARGUMENT, "MultiheadAttention: in_proj_weight needs kdim and vdim equal to embed_dim");
    return;
  }
  for (int64_t i = 0; i < 3; i++)
    x[i] = dense(net, x[i], in[i], embed, w->in_proj_weight ? w->in_proj_weight + i * embed * embed : apart[i],
                 w->in_proj_bias ? w->in_proj_bias + i * embed : NULL);
}

int onr_multihead_attention(struct onr_net *net, int query, int key, int value, int attn_mask, int key_padding_mask,
                            const struct onr_multihead_attention *p, const struct onr_multihead_attention_weights *w, int *weights) {
  const struct onr_attention_params params = {.heads = p->num_heads, .kv_heads = p->num_heads, .qk_output = ONR_QK_SOFTMAX};
  const struct onr_reduce_params mean = {.op = ONR_REDUCE_MEAN};
  int in[4] = {query, key, value, ONRI_NONE}, out[4];
  if (weights) *weights = -1;
  if (check_attention(net, p) < 0) return -1;
  for (size_t i = 0; i < 3 && !p->batch_first; i++) in[i] = onri_net_swap_outer(net, in[i]);
  project(net, p, w, in);
  in[3] = joined_mask(net, attn_mask, key_padding_mask);
  onr_net_layer(net, &onri_layer_attention, &params, in, in[3] == ONRI_NONE ? 3 : 4, out, weights ? 4 : 1);
  if (weights)
    *weights = p->per_head_weights ? out[3] : onri_net_2(net, &onri_layer_reduce, &mean, out[3], onri_net_ints(net, (int64_t[]){1}, 1));
  const int y = dense(net, out[0], p->embed_dim, p->embed_dim, w->out_proj_weight, w->out_proj_bias);
  return p->batch_first ? y : onri_net_swap_outer(net, y);
}

static int norm(struct onr_net *net, int x, const struct onr_transformer *p, struct onr_affine_weights w) {
  const struct onr_layer_norm_params params = {.axis = -1, .epsilon = p->layer_norm_eps > 0 ? p->layer_norm_eps : 1e-5f};
  if (!w.weight) return onri_net_fail(net, ONR_STATUS_ARGUMENT, "the weight of a LayerNorm is missing");
  const int weight = onri_net_weight(net, w.weight, 1, &p->d_model);
  return onri_net_3(net, &onri_layer_layer_norm, &params, x, weight, onri_net_weight(net, w.bias, 1, &p->d_model));
}

static int feedforward(struct onr_net *net, int x, const struct onr_transformer *p, const struct onr_transformer_layer_weights *w) {
  const struct onr_unary_params activation = {.op = p->gelu ? ONR_UNARY_GELU : ONR_UNARY_RELU};
  const int64_t hidden = p->dim_feedforward ? p->dim_feedforward : 2048;
  if (hidden < 0 || hidden > MAX_FEATURES)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "expected dim_feedforward in 0..%d, got %lld", MAX_FEATURES, (long long)hidden);
  x = dense(net, x, p->d_model, hidden, w->linear1.weight, w->linear1.bias);
  x = onri_net_1(net, &onri_layer_unary, &activation, x);
  return dense(net, x, hidden, p->d_model, w->linear2.weight, w->linear2.bias);
}

/* memory ONRI_NONE: attends to itself. */
static int attend(struct onr_net *net, int x, int memory, int mask, int padding, const struct onr_transformer *p,
                  const struct onr_multihead_attention_weights *w) {
  const struct onr_multihead_attention attention = {.embed_dim = p->d_model, .num_heads = p->nhead, .batch_first = p->batch_first};
  if (memory == ONRI_NONE) memory = x;
  return onr_multihead_attention(net, x, memory, memory, mask, padding, &attention, w, NULL);
}

int onr_transformer_encoder_layer(struct onr_net *net, int src, int src_mask, int src_key_padding_mask, const struct onr_transformer *p,
                                  const struct onr_transformer_layer_weights *w) {
  if (p->norm_first) {
    const int normed = norm(net, src, p, w->norm1);
    src = binary_add(net, src, attend(net, normed, ONRI_NONE, src_mask, src_key_padding_mask, p, &w->self_attn));
    return binary_add(net, src, feedforward(net, norm(net, src, p, w->norm2), p, w));
  }
  src = norm(net, binary_add(net, src, attend(net, src, ONRI_NONE, src_mask, src_key_padding_mask, p, &w->self_attn)), p, w->norm1);
  return norm(net, binary_add(net, src, feedforward(net, src, p, w)), p, w->norm2);
}

int onr_transformer_decoder_layer(struct onr_net *net, int tgt, int memory, const struct onr_decoder_masks *masks,
                                  const struct onr_transformer *p, const struct onr_transformer_layer_weights *w) {
  const struct onr_decoder_masks none = {ONRI_NONE, ONRI_NONE, ONRI_NONE, ONRI_NONE}, *m = masks ? masks : &none;
  if (memory < 0) return onri_net_fail(net, ONR_STATUS_ARGUMENT, "TransformerDecoderLayer: expected a memory");
  if (p->norm_first) {
    const int normed = norm(net, tgt, p, w->norm1);
    tgt = binary_add(net, tgt, attend(net, normed, ONRI_NONE, m->tgt_mask, m->tgt_key_padding_mask, p, &w->self_attn));
    const int query = norm(net, tgt, p, w->norm2);
    tgt = binary_add(net, tgt, attend(net, query, memory, m->memory_mask, m->memory_key_padding_mask, p, &w->multihead_attn));
    return binary_add(net, tgt, feedforward(net, norm(net, tgt, p, w->norm3), p, w));
  }
  tgt = norm(net, binary_add(net, tgt, attend(net, tgt, ONRI_NONE, m->tgt_mask, m->tgt_key_padding_mask, p, &w->self_attn)), p, w->norm1);
  tgt = norm(net, binary_add(net, tgt, attend(net, tgt, memory, m->memory_mask, m->memory_key_padding_mask, p, &w->multihead_attn)), p,
             w->norm2);
  return norm(net, binary_add(net, tgt, feedforward(net, tgt, p, w)), p, w->norm3);
}

int onr_transformer_encoder(struct onr_net *net, int src, int src_mask, int src_key_padding_mask, const struct onr_transformer *p,
                            const struct onr_transformer_layer_weights *layers, struct onr_affine_weights final) {
  for (size_t i = 0; i < p->num_encoder_layers && src >= 0; i++)
    src = onr_transformer_encoder_layer(net, src, src_mask, src_key_padding_mask, p, &layers[i]);
  return final.weight ? norm(net, src, p, final) : src;
}

int onr_transformer_decoder(struct onr_net *net, int tgt, int memory, const struct onr_decoder_masks *masks, const struct onr_transformer *p,
                            const struct onr_transformer_layer_weights *layers, struct onr_affine_weights final) {
  for (size_t i = 0; i < p->num_decoder_layers && tgt >= 0; i++) tgt = onr_transformer_decoder_layer(net, tgt, memory, masks, p, &layers[i]);
  return final.weight ? norm(net, tgt, p, final) : tgt;
}
