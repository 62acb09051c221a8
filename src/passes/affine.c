/* affine.c: a scale and a shift a channel go into the weights and the bias of the layer in front. BatchNorm is one,
 * too.
 */
#include <string.h>

#include "base/numbers/checked.h"
#include "passes/match.h"

/* y = scale x + shift, a channel each; NULL: 1 and 0. `count` is 1 or the number of channels. */
struct affine {
  const float *scale, *shift;
  size_t num_scales, num_shifts;
};

/* How a layer's weights lie: out channels are outer-most groups of `outer` x channels x `inner`. */
struct weights {
  int32_t bias_input;
  int64_t outer, channels, inner; /* element (o, c, i) belongs to output channel c */
  struct onr_clamp clamp;
};

static int read_conv(const struct onri_node *node, const struct onr_desc *w, struct weights *out) {
  const struct onr_conv_params *p = node->params;
  if (w->rank < 3) return 0;
  *out = (struct weights){.bias_input = 2, .outer = 1, .channels = w->dim[0], .clamp = p->clamp};
  out->inner = w->dim[0] > 0 ? onr_desc_elements(w) / w->dim[0] : 0;
  return 1;
}

/* [C, M / groups, kernel...]: with several groups, channel numbers depend on the row. */
static int read_conv_transpose(const struct onri_node *node, const struct onr_desc *w, struct weights *out) {
  const struct onr_conv_transpose_params *p = node->params;
  if (w->rank < 3 || p->groups > 1 || w->dim[0] < 1 || w->dim[1] < 1) return 0;
  *out = (struct weights){.bias_input = 2, .outer = w->dim[0], .channels = w->dim[1], .clamp = p->clamp};
  out->inner = onr_desc_elements(w) / w->dim[0] / w->dim[1];
  return 1;
}

static void read_matrix(const struct onr_desc *w, int rows, struct weights *out) {
  out->outer = rows ? 1 : w->dim[0];
  out->channels = w->dim[rows ? 0 : 1];
  out->inner = rows ? w->dim[1] : 1;
}

static int read_linear(const struct onri_node *node, const struct onr_desc *w, struct weights *out) {
  const struct onr_linear_params *p = node->params;
  if (w->rank != 2) return 0;
  *out = (struct weights){.bias_input = 2, .clamp = p->clamp};
  read_matrix(w, !p->weight_transposed, out);
  return 1;
}

static int read_matmul(const struct onri_node *node, const struct onr_desc *w, struct weights *out) {
  const struct onr_matmul_params *p = node->params;
  if (w->rank != 2) return 0;
  *out = (struct weights){.bias_input = 2, .clamp = p->clamp};
  read_matrix(w, p->transpose_b, out);
  return 1;
}

static int read_gemm(const struct onri_node *node, const struct onr_desc *w, struct weights *out) {
  const struct onr_gemm_params *p = node->params;
  if (w->rank != 2 || p->beta != 1.0f) return 0;
  *out = (struct weights){.bias_input = 2, .clamp = p->clamp};
  read_matrix(w, p->transpose_b, out);
  return 1;
}

static const struct {
  const struct onr_layer *layer;
  int (*read)(const struct onri_node *node, const struct onr_desc *w, struct weights *out);
} weighted[] = {
    {&onri_layer_conv, read_conv},     {&onri_layer_conv_transpose, read_conv_transpose},
    {&onri_layer_linear, read_linear}, {&onri_layer_matmul, read_matmul},
    {&onri_layer_gemm, read_gemm},
};

/* The layer that makes v, when its weights and bias are float32 constants and nobody else reads v. */
static struct onri_node *find_weighted(const struct onri_rewrite *rw, int32_t v, struct weights *weights) {
  struct onri_node *node = onri_rewrite_producer(rw, v);
  size_t count;
  if (!node || node->num_out != 1 || rw->uses[v] != 1 || node->num_in < 2) return NULL;
  for (size_t i = 0; i < sizeof(weighted) / sizeof(weighted[0]); i++) {
    if (weighted[i].layer != node->layer || !onri_rewrite_is_constant(rw, node->in[1])) continue;
    const struct onr_desc *w = &rw->graph->values[node->in[1]].constant->desc;
    if (w->dtype != ONR_DTYPE_F32 || !weighted[i].read(node, w, weights) || weights->clamp.enabled ||
        weights->channels < 1)
      return NULL;
    if (node->num_in > 2 && node->in[2] != ONRI_NONE) {
      const float *bias = onri_rewrite_floats(rw, node->in[2], &count);
      if (!bias || (count != 1 && count != (size_t)weights->channels)) return NULL;
      if (onri_rewrite_rank(rw, node->in[2]) > 1) return NULL;
    }
    return node;
  }
  return NULL;
}

/* bias' = scale bias + shift */
static enum onr_status write_bias(struct onri_rewrite *rw, struct onri_node *node, const struct weights *w,
                                  const struct affine *a) {
  const struct onr_desc desc = {.dtype = ONR_DTYPE_F32, .rank = 1, .dim = {w->channels}};
  size_t count = 0;
  const int32_t old = node->num_in > 2 ? node->in[2] : ONRI_NONE;
  const float *bias = old == ONRI_NONE ? NULL : onri_rewrite_floats(rw, old, &count);
  struct onri_constant *constant = onri_constant_create(rw->graph->env, &desc);
  if (!constant) return onri_rewrite_no_memory(rw);
  float *target = constant->data;
  for (size_t c = 0; c < (size_t)w->channels; c++) {
    const double scale = a->scale ? (double)a->scale[a->num_scales > 1 ? c : 0] : 1;
    const double shift = a->shift ? (double)a->shift[a->num_shifts > 1 ? c : 0] : 0;
    target[c] = (float)(scale * (bias ? (double)bias[count > 1 ? c : 0] : 0) + shift);
  }
  const int32_t v = onri_rewrite_constant(rw, constant);
  return v < 0 ? onri_rewrite_no_memory(rw) : onri_rewrite_set_input(rw, node, w->bias_input, v);
}

static enum onr_status write_weights(struct onri_rewrite *rw, struct onri_node *node, const struct weights *w,
                                     const struct affine *a) {
  size_t count, at = 0;
  const struct onr_desc desc = rw->graph->values[node->in[1]].constant->desc;
  const float *source = onri_rewrite_floats(rw, node->in[1], &count);
  struct onri_constant *constant = source ? onri_constant_create(rw->graph->env, &desc) : NULL;
  if (!constant) return onri_rewrite_no_memory(rw);
  float *target = constant->data;
  for (int64_t o = 0; o < w->outer; o++)
    for (size_t c = 0; c < (size_t)w->channels; c++) {
      const float scale = a->scale[a->num_scales > 1 ? c : 0];
      for (int64_t i = 0; i < w->inner; i++, at++) target[at] = source[at] * scale;
    }
  const int32_t v = onri_rewrite_constant(rw, constant);
  return v < 0 ? onri_rewrite_no_memory(rw) : onri_rewrite_set_input(rw, node, 1, v);
}

/* `node` = scale, shift of `weighted`: into its weights. */
static enum onr_status absorb(struct onri_rewrite *rw, struct onri_node *node, struct onri_node *layer,
                              const struct weights *w, const struct affine *a) {
  size_t count;
  /* They are not looked at, and so stay in the file, where they are not scaled. */
  if (a->scale && !onri_rewrite_floats(rw, layer->in[1], &count)) return ONR_STATUS_OK;
  if (a->scale) ONR_TRY(write_weights(rw, layer, w, a));
  if (a->shift || (layer->num_in > 2 && layer->in[2] != ONRI_NONE)) ONR_TRY(write_bias(rw, layer, w, a));
  onri_rewrite_take(rw, layer, node);
  return ONR_STATUS_OK;
}

/* Channel axis of the output of a weighted layer. A convolution that a file wants channels-last is not channels-first.
 */
static int32_t channel_axis(const struct onri_rewrite *rw, const struct onri_node *layer) {
  const struct onr_conv_params *conv = layer->params;
  const struct onr_conv_transpose_params *transposed = layer->params;
  if (layer->layer == &onri_layer_conv && !conv->channels_last) return 1;
  if (layer->layer == &onri_layer_conv_transpose && !transposed->channels_last) return 1;
  return onri_rewrite_rank(rw, layer->out[0]) - 1;
}

/* add, sub, mul or div of a weighted layer's output and a constant. */
static enum onr_status binary(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_binary_params *p = node->params;
  const int is_sum = p->op == ONR_BINARY_ADD, commutes = is_sum || p->op == ONR_BINARY_MUL;
  if (p->clamp.enabled || !(commutes || p->op == ONR_BINARY_SUB || p->op == ONR_BINARY_DIV)) return ONR_STATUS_OK;
  for (int side = 0; side < (commutes ? 2 : 1); side++) {
    struct weights w;
    size_t count;
    struct onri_node *layer = find_weighted(rw, node->in[side], &w);
    if (!layer) continue;
    const int32_t rank = onri_rewrite_rank(rw, node->in[side]);
    const float *c = onri_match_per_channel(rw, node->in[1 - side], rank, w.channels, channel_axis(rw, layer), &count);
    if (!c) continue;
    float *values = onri_arena_copy(&rw->graph->arena, c, count * sizeof(*c));
    if (!values) return onri_rewrite_no_memory(rw);
    for (size_t i = 0; i < count; i++) {
      if (p->op == ONR_BINARY_SUB) values[i] = -values[i];
      if (p->op == ONR_BINARY_DIV) values[i] = 1.0f / values[i];
    }
    struct affine a = {0};
    if (is_sum || p->op == ONR_BINARY_SUB) a = (struct affine){.shift = values, .num_shifts = count};
    else a = (struct affine){.scale = values, .num_scales = count};
    return absorb(rw, node, layer, &w, &a);
  }
  return ONR_STATUS_OK;
}

static int read_batch_norm(struct onri_rewrite *rw, const struct onri_node *node, int32_t rank, struct affine *a) {
  size_t count;
  if (!onri_match_batch_norm(rw, node, rank, &a->scale, &a->shift, &count)) return 0;
  a->num_scales = a->num_shifts = count;
  return 1;
}

/* mul and add with constants [C, 1, ...]: chains of element-wise work take them in. */
static enum onr_status write_out(struct onri_rewrite *rw, struct onri_node *node, const struct affine *a,
                                 int32_t rank) {
  struct onr_desc desc = {.dtype = ONR_DTYPE_F32, .rank = rank - 1, .dim = {(int64_t)a->num_scales}};
  for (int32_t d = 1; d < rank - 1; d++) desc.dim[d] = 1;
  const struct onr_binary_params mul = {.op = ONR_BINARY_MUL}, add = {.op = ONR_BINARY_ADD};
  const struct onri_origin *origin = node->origin;
  const size_t index = (size_t)(node - rw->graph->nodes);
  const struct onr_desc out = *onri_rewrite_desc(rw, node->in[0]);
  const int32_t product_in[2] = {node->in[0], onri_rewrite_data(rw, &desc, a->scale)};
  const int32_t sum_in[2] = {onri_rewrite_node(rw, &onri_layer_binary, &mul, origin, product_in, 2, &out),
                             onri_rewrite_data(rw, &desc, a->shift)};
  if (sum_in[0] < 0 || sum_in[1] < 0) return onri_rewrite_no_memory(rw);
  return onri_rewrite_become(rw, &rw->graph->nodes[index], &onri_layer_binary, &add, sum_in, 2);
}

/* What the node multiplies and adds, where it does just that; *layer: whose weights can take it in, or NULL. */
static int is_affine(struct onri_rewrite *rw, const struct onri_node *node, struct affine *a, struct weights *w,
                     struct onri_node **layer) {
  const int32_t rank = onri_rewrite_rank(rw, node->in[0]);
  if (rank < 2 || onri_rewrite_desc(rw, node->in[0])->dtype != ONR_DTYPE_F32 || !read_batch_norm(rw, node, rank, a))
    return 0;
  *layer = find_weighted(rw, node->in[0], w);
  if (*layer && (channel_axis(rw, *layer) != 1 || (size_t)w->channels != a->num_scales)) *layer = NULL;
  return 1;
}

static enum onr_status batch_norm(struct onri_rewrite *rw, struct onri_node *node) {
  struct affine a;
  struct weights w;
  struct onri_node *layer;
  return is_affine(rw, node, &a, &w, &layer) && layer ? absorb(rw, node, layer, &w, &a) : ONR_STATUS_OK;
}

static enum onr_status lone_batch_norm(struct onri_rewrite *rw, struct onri_node *node) {
  struct affine a;
  struct weights w;
  struct onri_node *layer;
  return is_affine(rw, node, &a, &w, &layer) ? write_out(rw, node, &a, onri_rewrite_rank(rw, node->in[0]))
                                             : ONR_STATUS_OK;
}

enum onr_status onri_pass_affine(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_batch_norm, batch_norm}, {&onri_layer_binary, binary}};
  return onri_rewrite_sweep(rw, rules, sizeof(rules) / sizeof(rules[0]));
}

/* Those that no weights take in. */
enum onr_status onri_pass_batch_norm(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_batch_norm, lone_batch_norm}};
  return onri_rewrite_sweep(rw, rules, sizeof(rules) / sizeof(rules[0]));
}
