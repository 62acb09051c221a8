/* transformer.h: torch.nn.MultiheadAttention, TransformerEncoderLayer, TransformerEncoder, TransformerDecoderLayer,
 * TransformerDecoder, Transformer.
 *
 * Sequences are [length, batch, features], with batch_first [batch, length, features].
 * Masks are values of the net or -1 for none. bool: true hides, as in PyTorch, and must be an input or a constant of
 * the net; float32: is added to the scores. An attention mask is [queries, keys], [batch heads, queries, keys] or
 * [batch, heads, queries, keys]; a key padding mask is [batch, keys]. Without a batch, sequences are [length,
 * features], and batch is left out everywhere. A query all of whose keys are hidden has no defined result. */
#ifndef ONNXRUN_NN_TRANSFORMER_H
#define ONNXRUN_NN_TRANSFORMER_H

#include "onnxrun/net.h"

#ifdef __cplusplus
extern "C" {
#endif

struct onr_multihead_attention {
  int64_t embed_dim, num_heads;
  int64_t kdim, vdim; /* 0: embed_dim */
  int32_t batch_first;
  int32_t per_head_weights; /* average_attn_weights=False */
  int32_t add_zero_attn;    /* one more key and value of zeros, behind bias_k and bias_v */
};
struct onr_multihead_attention_weights {
  struct onr_weight in_proj_weight;  /* [3 embed, embed]; without it: the next three instead */
  struct onr_weight q_proj_weight;   /* [embed, embed] */
  struct onr_weight k_proj_weight;   /* [embed, kdim] */
  struct onr_weight v_proj_weight;   /* [embed, vdim] */
  struct onr_weight in_proj_bias;    /* [3 embed]; data NULL: none */
  struct onr_weight bias_k, bias_v;  /* add_bias_kv=True: [embed], one more key and value; data NULL: none */
  struct onr_weight out_proj_weight; /* [embed, embed] */
  struct onr_weight out_proj_bias;   /* [embed]; data NULL: none */
};
/* *weights, where not NULL (need_weights), receives [batch, queries, keys], per head [batch, heads, queries, keys]. */
ONR_API int onr_multihead_attention(struct onr_net *net, int query, int key, int value, int attn_mask,
                                    int key_padding_mask, const struct onr_multihead_attention *p,
                                    const struct onr_multihead_attention_weights *w, int *weights);

struct onr_transformer {
  int64_t d_model, nhead;
  int64_t dim_feedforward; /* 0: 2048 */
  float layer_norm_eps;    /* 0: 1e-5 */
  int32_t gelu;            /* activation='gelu'; else relu */
  int32_t batch_first, norm_first;
  size_t num_encoder_layers, num_decoder_layers; /* read by the stacks; taken as they are */
};
/* A weight and a bias; bias.data NULL: none; both NULL: no such layer (a final norm). */
struct onr_affine_weights {
  struct onr_weight weight, bias;
};
struct onr_transformer_layer_weights {
  struct onr_multihead_attention_weights self_attn;
  struct onr_multihead_attention_weights multihead_attn; /* decoder layers alone */
  struct onr_affine_weights linear1, linear2, norm1, norm2;
  struct onr_affine_weights norm3; /* decoder layers alone */
};
/* -1: none. */
struct onr_decoder_masks {
  int tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask;
};

ONR_API int onr_transformer_encoder_layer(struct onr_net *net, int src, int src_mask, int src_key_padding_mask,
                                          const struct onr_transformer *p,
                                          const struct onr_transformer_layer_weights *w);
/* masks NULL: none. */
ONR_API int onr_transformer_decoder_layer(struct onr_net *net, int tgt, int memory,
                                          const struct onr_decoder_masks *masks, const struct onr_transformer *p,
                                          const struct onr_transformer_layer_weights *w);
/* layers[num_encoder_layers], layers[num_decoder_layers] */
ONR_API int onr_transformer_encoder(struct onr_net *net, int src, int src_mask, int src_key_padding_mask,
                                    const struct onr_transformer *p, const struct onr_transformer_layer_weights *layers,
                                    struct onr_affine_weights norm);
ONR_API int onr_transformer_decoder(struct onr_net *net, int tgt, int memory, const struct onr_decoder_masks *masks,
                                    const struct onr_transformer *p, const struct onr_transformer_layer_weights *layers,
                                    struct onr_affine_weights norm);

struct onr_transformer_weights {
  const struct onr_transformer_layer_weights *encoder, *decoder; /* [num_encoder_layers], [num_decoder_layers] */
  struct onr_affine_weights encoder_norm, decoder_norm;
};
/* torch.nn.Transformer: decoder(tgt, encoder(src)). masks NULL: none */
ONR_API int onr_transformer(struct onr_net *net, int src, int tgt, int src_mask, int src_key_padding_mask,
                            const struct onr_decoder_masks *masks, const struct onr_transformer *p,
                            const struct onr_transformer_weights *w);

#ifdef __cplusplus
}
#endif
#endif
