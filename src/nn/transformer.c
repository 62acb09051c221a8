/* transformer.c: torch.nn's transformer layers, composed as PyTorch composes them. */
#include "onnxrun/nn/transformer.h"

#include "nn/nn_elementwise.h"
#include "onnxrun/nn/linear.h"
#include "onnxrun/nn/normalization.h"

enum { MAX_FEATURES = 1 << 20 };

static int norm(struct onr_net *net, int x, const struct onr_transformer *p, struct onr_affine_weights w) {
  const struct onr_layer_norm params = {.normalized_shape = {p->d_model}, .eps = p->layer_norm_eps};
  if (!w.weight.data) return onri_net_fail(net, ONR_STATUS_ARGUMENT, "the weight of a LayerNorm is missing");
  return onr_layer_norm(net, x, &params, w.weight, w.bias);
}

static int feedforward(struct onr_net *net, int x, const struct onr_transformer *p,
                       const struct onr_transformer_layer_weights *w) {
  const struct onr_unary_params activation = {.op = p->gelu ? ONR_UNARY_GELU : ONR_UNARY_RELU};
  const int64_t hidden = p->dim_feedforward ? p->dim_feedforward : 2048;
  if (hidden < 0 || hidden > MAX_FEATURES)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "expected dim_feedforward in 0..%d, got %lld", MAX_FEATURES,
                         (long long)hidden);
  x = onr_linear(net, x, &(struct onr_linear){p->d_model, hidden}, w->linear1.weight, w->linear1.bias);
  x = onri_net_1(net, &onri_layer_unary, &activation, x);
  return onr_linear(net, x, &(struct onr_linear){hidden, p->d_model}, w->linear2.weight, w->linear2.bias);
}

/* memory ONRI_NONE: attends to itself. */
static int attend(struct onr_net *net, int x, int memory, int mask, int padding, const struct onr_transformer *p,
                  const struct onr_multihead_attention_weights *w) {
  const struct onr_multihead_attention attention = {
      .embed_dim = p->d_model, .num_heads = p->nhead, .batch_first = p->batch_first};
  if (memory == ONRI_NONE) memory = x;
  return onr_multihead_attention(net, x, memory, memory, mask, padding, &attention, w, NULL);
}

int onr_transformer_encoder_layer(struct onr_net *net, int src, int src_mask, int src_key_padding_mask,
                                  const struct onr_transformer *p, const struct onr_transformer_layer_weights *w) {
  if (!onri_net_check_given(net, "TransformerEncoderLayer", "its parameters", p) ||
      !onri_net_check_given(net, "TransformerEncoderLayer", "its weights", w))
    return -1;
  if (p->norm_first) {
    const int normed = norm(net, src, p, w->norm1);
    src = onri_net_binary(net, ONR_BINARY_ADD, src,
                          attend(net, normed, ONRI_NONE, src_mask, src_key_padding_mask, p, &w->self_attn));
    return onri_net_binary(net, ONR_BINARY_ADD, src, feedforward(net, norm(net, src, p, w->norm2), p, w));
  }
  src = norm(net,
             onri_net_binary(net, ONR_BINARY_ADD, src,
                             attend(net, src, ONRI_NONE, src_mask, src_key_padding_mask, p, &w->self_attn)),
             p, w->norm1);
  return norm(net, onri_net_binary(net, ONR_BINARY_ADD, src, feedforward(net, src, p, w)), p, w->norm2);
}

int onr_transformer_decoder_layer(struct onr_net *net, int tgt, int memory, const struct onr_decoder_masks *masks,
                                  const struct onr_transformer *p, const struct onr_transformer_layer_weights *w) {
  const struct onr_decoder_masks none = {ONRI_NONE, ONRI_NONE, ONRI_NONE, ONRI_NONE}, *m = masks ? masks : &none;
  if (!onri_net_check_given(net, "TransformerDecoderLayer", "its parameters", p) ||
      !onri_net_check_given(net, "TransformerDecoderLayer", "its weights", w))
    return -1;
  if (memory < 0) return onri_net_fail(net, ONR_STATUS_ARGUMENT, "TransformerDecoderLayer: expected a memory");
  if (p->norm_first) {
    const int normed = norm(net, tgt, p, w->norm1);
    tgt = onri_net_binary(net, ONR_BINARY_ADD, tgt,
                          attend(net, normed, ONRI_NONE, m->tgt_mask, m->tgt_key_padding_mask, p, &w->self_attn));
    const int query = norm(net, tgt, p, w->norm2);
    tgt =
        onri_net_binary(net, ONR_BINARY_ADD, tgt,
                        attend(net, query, memory, m->memory_mask, m->memory_key_padding_mask, p, &w->multihead_attn));
    return onri_net_binary(net, ONR_BINARY_ADD, tgt, feedforward(net, norm(net, tgt, p, w->norm3), p, w));
  }
  tgt = norm(net,
             onri_net_binary(net, ONR_BINARY_ADD, tgt,
                             attend(net, tgt, ONRI_NONE, m->tgt_mask, m->tgt_key_padding_mask, p, &w->self_attn)),
             p, w->norm1);
  tgt =
      norm(net,
           onri_net_binary(net, ONR_BINARY_ADD, tgt,
                           attend(net, tgt, memory, m->memory_mask, m->memory_key_padding_mask, p, &w->multihead_attn)),
           p, w->norm2);
  return norm(net, onri_net_binary(net, ONR_BINARY_ADD, tgt, feedforward(net, tgt, p, w)), p, w->norm3);
}

int onr_transformer_encoder(struct onr_net *net, int src, int src_mask, int src_key_padding_mask,
                            const struct onr_transformer *p, const struct onr_transformer_layer_weights *layers,
                            struct onr_affine_weights final) {
  if (!onri_net_check_given(net, "TransformerEncoder", "its parameters", p) ||
      !onri_net_check_given(net, "TransformerEncoder", "layers", layers))
    return -1;
  for (size_t i = 0; i < p->num_encoder_layers && src >= 0; i++)
    src = onr_transformer_encoder_layer(net, src, src_mask, src_key_padding_mask, p, &layers[i]);
  return final.weight.data ? norm(net, src, p, final) : src;
}

int onr_transformer_decoder(struct onr_net *net, int tgt, int memory, const struct onr_decoder_masks *masks,
                            const struct onr_transformer *p, const struct onr_transformer_layer_weights *layers,
                            struct onr_affine_weights final) {
  if (!onri_net_check_given(net, "TransformerDecoder", "its parameters", p) ||
      !onri_net_check_given(net, "TransformerDecoder", "layers", layers))
    return -1;
  for (size_t i = 0; i < p->num_decoder_layers && tgt >= 0; i++)
    tgt = onr_transformer_decoder_layer(net, tgt, memory, masks, p, &layers[i]);
  return final.weight.data ? norm(net, tgt, p, final) : tgt;
}

int onr_transformer(struct onr_net *net, int src, int tgt, int src_mask, int src_key_padding_mask,
                    const struct onr_decoder_masks *masks, const struct onr_transformer *p,
                    const struct onr_transformer_weights *w) {
  if (!onri_net_check_given(net, "Transformer", "its parameters", p) ||
      !onri_net_check_given(net, "Transformer", "its weights", w))
    return -1;
  const int memory = onr_transformer_encoder(net, src, src_mask, src_key_padding_mask, p, w->encoder, w->encoder_norm);
  return onr_transformer_decoder(net, tgt, memory, masks, p, w->decoder, w->decoder_norm);
}
