/* attention and transformers against PyTorch (make_transformer_cases.py) */
#include "tests/support/layer_test.h"

#include <string.h>

#include "onnxrun/nn.h"
#include "onnxrun/session.h"

#include "transformer_cases.inc"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
enum { BATCH = 2, WIDTH = 8, HIDDEN = 12, SRC = 5, TGT = 4, QUERIES = 3, KEYS = 5 };

static const uint8_t padding[BATCH * SRC] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1};
static const uint8_t causal[TGT * TGT] = {0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0};

static struct onr_weight take(const float **w, size_t count) {
  const struct onr_weight taken = onr_weight(*w, count);
  *w += count;
  return taken;
}

static struct onr_affine_weights take_affine(const float **w, size_t out, size_t in) {
  struct onr_affine_weights a;
  a.weight = take(w, out * in);
  a.bias = take(w, out);
  return a;
}

static struct onr_multihead_attention_weights take_attention(const float **w) {
  struct onr_multihead_attention_weights a = {0};
  a.in_proj_weight = take(w, 3 * WIDTH * WIDTH);
  a.in_proj_bias = take(w, 3 * WIDTH);
  a.out_proj_weight = take(w, WIDTH * WIDTH);
  a.out_proj_bias = take(w, WIDTH);
  return a;
}

static struct onr_transformer_layer_weights take_layer(const float **w, int decoder) {
  struct onr_transformer_layer_weights l = {0};
  l.self_attn = take_attention(w);
  if (decoder) l.multihead_attn = take_attention(w);
  l.linear1 = take_affine(w, HIDDEN, WIDTH);
  l.linear2 = take_affine(w, WIDTH, HIDDEN);
  l.norm1 = take_affine(w, WIDTH, 1);
  l.norm2 = take_affine(w, WIDTH, 1);
  if (decoder) l.norm3 = take_affine(w, WIDTH, 1);
  return l;
}

/* Runs on inputs that lie one behind the other in x; the outputs one behind the other are y. Destroys the net. */
static void compare(struct onr_net *net, const float *x, const float *y, size_t num_y) {
  struct onr_model *model;
  struct onr_session *session;
  struct onr_error error;
  size_t done = 0;
  if (onr_net_finish(net, &model, &error) != ONR_STATUS_OK) fail_msg("%s: %s", error.where, error.message);
  assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    const struct onr_value_info *info = onr_model_input(model, i);
    const struct onr_tensor tensor = {onr_desc_make(info->dtype, info->rank, info->dim), (void *)(uintptr_t)x};
    assert_int_equal(onr_session_set_input(session, i, &tensor, &error), ONR_STATUS_OK);
    x += onr_desc_elements(&tensor.desc);
  }
  if (onr_session_run(session, &error) != ONR_STATUS_OK) fail_msg("%s: %s", error.where, error.message);
  for (size_t i = 0; i < onr_model_num_outputs(model); i++) {
    struct onr_tensor out;
    assert_int_equal(onr_session_get_output(session, i, &out, &error), ONR_STATUS_OK);
    const size_t count = (size_t)onr_desc_elements(&out.desc);
    assert_true(count && done + count <= num_y);
    assert_close(out.data, y + done, count, 1e-4, 1e-4);
    done += count;
  }
  assert_int_equal(done, num_y);
  onr_session_destroy(session);
  onr_model_destroy(model);
}

static struct onr_net *begin(void) {
  struct onr_net *net;
  struct onr_error error;
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  return net;
}

static int sequence(struct onr_net *net, const char *name, int first, int64_t length, int64_t width) {
  return onr_net_input(net, name, ONR_DTYPE_F32, 3,
                       first ? (int64_t[]){BATCH, length, width} : (int64_t[]){length, BATCH, width});
}

static int bools(struct onr_net *net, int64_t rows, int64_t columns, const uint8_t *data) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_BOOL, 2, (int64_t[]){rows, columns});
  return onr_net_constant(net, &desc, data);
}

static void attend(const struct onr_multihead_attention *p, const struct onr_multihead_attention_weights *w,
                   const float *x, const float *y, size_t num_y) {
  struct onr_net *net = begin();
  int weights;
  const int q = sequence(net, "q", p->batch_first, QUERIES, WIDTH);
  const int k = sequence(net, "k", p->batch_first, KEYS, p->kdim ? p->kdim : WIDTH);
  const int v = sequence(net, "v", p->batch_first, KEYS, p->vdim ? p->vdim : WIDTH);
  const int mask = onr_net_input(net, "mask", ONR_DTYPE_F32, 2, (int64_t[]){QUERIES, KEYS});
  onr_net_output(net, "y",
                 onr_multihead_attention(net, q, k, v, mask, bools(net, BATCH, KEYS, padding), p, w, &weights));
  onr_net_output(net, "weights", weights);
  compare(net, x, y, num_y);
}

static void multihead_attention(void **state) {
  const float *w = mha_plain_w;
  (void)state;
  const struct onr_multihead_attention_weights plain = take_attention(&w);
  assert_ptr_equal(w, mha_plain_w + COUNT(mha_plain_w));
  attend(&(struct onr_multihead_attention){.embed_dim = WIDTH, .num_heads = 2}, &plain, mha_plain_x, mha_plain_y,
         COUNT(mha_plain_y));
}

static void keys_and_values_of_other_widths(void **state) {
  struct onr_multihead_attention_weights own = {0};
  const float *w = mha_dims_w;
  (void)state;
  own.q_proj_weight = take(&w, WIDTH * WIDTH);
  own.k_proj_weight = take(&w, WIDTH * 6);
  own.v_proj_weight = take(&w, WIDTH * 7);
  own.in_proj_bias = take(&w, 3 * WIDTH);
  own.out_proj_weight = take(&w, WIDTH * WIDTH);
  own.out_proj_bias = take(&w, WIDTH);
  assert_ptr_equal(w, mha_dims_w + COUNT(mha_dims_w));
  attend(
      &(struct onr_multihead_attention){
          .embed_dim = WIDTH, .num_heads = 4, .kdim = 6, .vdim = 7, .batch_first = 1, .per_head_weights = 1},
      &own, mha_dims_x, mha_dims_y, COUNT(mha_dims_y));
}

static void transform(const struct onr_transformer *p, const float *w, size_t num_w, const float *x, const float *y,
                      size_t num_y) {
  struct onr_transformer_layer_weights encoder[2], decoder[2];
  struct onr_transformer_weights weights = {.encoder = encoder, .decoder = decoder};
  const float *at = w;
  struct onr_net *net = begin();
  for (size_t i = 0; i < 2; i++) encoder[i] = take_layer(&at, 0);
  weights.encoder_norm = take_affine(&at, WIDTH, 1);
  for (size_t i = 0; i < 2; i++) decoder[i] = take_layer(&at, 1);
  weights.decoder_norm = take_affine(&at, WIDTH, 1);
  assert_ptr_equal(at, w + num_w);
  const int src = sequence(net, "src", p->batch_first, SRC, WIDTH),
            tgt = sequence(net, "tgt", p->batch_first, TGT, WIDTH);
  const int hidden = bools(net, BATCH, SRC, padding);
  const struct onr_decoder_masks masks = {bools(net, TGT, TGT, causal), -1, -1, hidden};
  onr_net_output(net, "y", onr_transformer(net, src, tgt, -1, hidden, &masks, p, &weights));
  assert_int_equal(onr_net_parameters(net), num_w);
  compare(net, x, y, num_y);
}

static void transformers(void **state) {
  const struct onr_transformer post = {
      .d_model = WIDTH, .nhead = 2, .dim_feedforward = HIDDEN, .num_encoder_layers = 2, .num_decoder_layers = 2};
  struct onr_transformer pre = post;
  (void)state;
  pre.norm_first = pre.gelu = pre.batch_first = 1;
  transform(&post, post_w, COUNT(post_w), post_x, post_y, COUNT(post_y));
  transform(&pre, pre_w, COUNT(pre_w), pre_x, pre_y, COUNT(pre_y));
}

static void wrong_heads_are_refused(void **state) {
  const struct onr_multihead_attention_weights none = {0};
  struct onr_net *net = begin();
  struct onr_model *model;
  struct onr_error error;
  (void)state;
  const int x = sequence(net, "x", 0, 3, WIDTH);
  onr_net_output(
      net, "y",
      onr_multihead_attention(net, x, x, x, -1, -1, &(struct onr_multihead_attention){.embed_dim = 8, .num_heads = 3},
                              &none, NULL));
  assert_int_equal(onr_net_finish(net, &model, &error), ONR_STATUS_ARGUMENT);
  assert_non_null(strstr(error.message, "num_heads"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(multihead_attention),
      cmocka_unit_test(keys_and_values_of_other_widths),
      cmocka_unit_test(transformers),
      cmocka_unit_test(wrong_heads_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
