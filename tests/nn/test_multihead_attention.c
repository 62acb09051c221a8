/* attention, transformer: further keys, masks of each head, sequences without a batch, against PyTorch */
#include "support/nn_case.h"

#include "nn/cases/attention.inc"

enum { E = 8, HIDDEN = 12 };
typedef struct onr_multihead_attention_weights mha_weights;

static const struct onr_multihead_attention
    plain = {.embed_dim = E, .num_heads = 2},
    dims = {.embed_dim = E, .num_heads = 2, .kdim = 3, .vdim = 5},
    zero = {.embed_dim = E, .num_heads = 4, .batch_first = 1, .add_zero_attn = 1, .per_head_weights = 1},
    both = {.embed_dim = E, .num_heads = 2, .add_zero_attn = 1},
    heads = {.embed_dim = E, .num_heads = 2, .per_head_weights = 1},
    first = {.embed_dim = E, .num_heads = 2, .batch_first = 1, .per_head_weights = 1};

/* Weights number 1, 2 ... in PyTorch's order. */
static struct onr_weight next(int *number, size_t count) { return nn_weight(++*number, count); }

static mha_weights take(const struct onr_multihead_attention *p, int biased, int further, int *number) {
  mha_weights w = {0};
  if (p->kdim) {
    w.q_proj_weight = next(number, E * E);
    w.k_proj_weight = next(number, (size_t)(E * p->kdim));
    w.v_proj_weight = next(number, (size_t)(E * p->vdim));
  } else {
    w.in_proj_weight = next(number, 3 * E * E);
  }
  if (biased) w.in_proj_bias = next(number, 3 * E);
  if (further) w.bias_k = next(number, E);
  if (further) w.bias_v = next(number, E);
  w.out_proj_weight = next(number, E * E);
  if (biased) w.out_proj_bias = next(number, E);
  return w;
}

static int attend(struct onr_net *net, const int *in, const struct onr_multihead_attention *p, int biased, int further,
                  int *weights) {
  int number = 0;
  const mha_weights w = take(p, biased, further, &number);
  return onr_multihead_attention(net, in[0], in[1], in[2], in[3], -1, p, &w, weights);
}

static struct onr_affine_weights affine(int *number, size_t out, size_t in) {
  struct onr_affine_weights w;
  w.weight = next(number, out * in);
  w.bias = next(number, out);
  return w;
}

static struct onr_transformer_layer_weights layer(int decoder, int *number) {
  struct onr_transformer_layer_weights w = {0};
  w.self_attn = take(&plain, 1, 0, number);
  if (decoder) w.multihead_attn = take(&plain, 1, 0, number);
  w.linear1 = affine(number, HIDDEN, E);
  w.linear2 = affine(number, E, HIDDEN);
  w.norm1 = affine(number, E, 1);
  w.norm2 = affine(number, E, 1);
  if (decoder) w.norm3 = affine(number, E, 1);
  return w;
}

static int transform(struct onr_net *net, const int *in) {
  const struct onr_transformer p = {.d_model = E,
                                    .nhead = 2,
                                    .dim_feedforward = HIDDEN,
                                    .norm_first = 1,
                                    .num_encoder_layers = 1,
                                    .num_decoder_layers = 1};
  int number = 0;
  struct onr_transformer_layer_weights encoder, decoder;
  struct onr_transformer_weights w = {.encoder = &encoder, .decoder = &decoder};
  encoder = layer(0, &number);
  w.encoder_norm = affine(&number, E, 1);
  decoder = layer(1, &number);
  w.decoder_norm = affine(&number, E, 1);
  return onr_transformer(net, in[0], in[1], -1, -1, NULL, &p, &w);
}

#define LIST(X)                                                   \
  X(mha_bias_kv, attend(net, in, &plain, 1, 1, &out[1]))          \
  X(mha_bias_kv_mask, attend(net, in, &dims, 1, 1, &out[1]))      \
  X(mha_zero, attend(net, in, &zero, 0, 0, &out[1]))              \
  X(mha_both, attend(net, in, &both, 1, 1, &out[1]))              \
  X(mha_no_weights, attend(net, in, &plain, 1, 0, NULL))          \
  X(mha_head_masks, attend(net, in, &heads, 1, 0, &out[1]))       \
  X(mha_alone, attend(net, in, &plain, 1, 0, &out[1]))            \
  X(mha_alone_head_masks, attend(net, in, &first, 1, 1, &out[1])) \
  X(transformer_alone, transform(net, in))
LIST(NN_FUNCTION)

static void agrees_with_pytorch(void **state) {
  static const struct nn_builder builders[] = {LIST(NN_ROW)};
  (void)state;
  nn_check(cases, sizeof(cases) / sizeof(*cases), builders, sizeof(builders) / sizeof(*builders));
}

static int attend_with(struct onr_net *net, int x, const void *weights) {
  return onr_multihead_attention(net, x, x, x, -1, -1, &plain, weights, NULL);
}

static void refuses_wrong_arguments(void **state) {
  const int64_t shape[] = {3, 2, E, E};
  int number = 0;
  mha_weights w = take(&plain, 1, 1, &number);
  (void)state;
  nn_refuses(attend_with, &w, 4, shape, "rank 2 or 3");
  nn_refuses(attend_with, &w, 3, (int64_t[]){3, 2, 7}, "7 and 8");
  w.bias_v = onr_no_weight();
  nn_refuses(attend_with, &w, 3, shape, "bias_v");
  w.bias_k = w.out_proj_weight = onr_no_weight();
  nn_refuses(attend_with, &w, 3, shape, "weight");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_pytorch), cmocka_unit_test(refuses_wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
