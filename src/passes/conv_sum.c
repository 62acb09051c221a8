/* conv_sum.c: convolutions of one image whose results are summed are one convolution, as are the branches that RepVGG
 * and MobileOne are trained with. A batch norm of the image, and in depthwise convolutions the image itself, is such a
 * branch, too, where a tap lies on each pixel. */
#include <string.h>

#include "passes/match.h"

/* A convolution of float32 with constant weights and bias, and nothing behind it. */
struct branch {
  struct onri_node *node;
  const struct onr_desc *desc; /* of the weights [M, C / groups, kernel...] */
  const float *weights, *bias; /* bias: NULL: none */
  int64_t groups, taps;
  int32_t spatial;
  int64_t stride[ONR_MAX_SPATIAL], dilation[ONR_MAX_SPATIAL], begin[ONR_MAX_SPATIAL];
};

/* y = scale x + shift, a channel each. */
struct scale {
  const float *scale, *shift; /* NULL: 1 and 0 */
  size_t count;
};

static int read_window(const struct onr_conv_params *p, struct branch *b) {
  const struct onr_window *w = &p->window;
  if (p->clamp.enabled || p->tail.enabled || p->channels_last || p->x_channels_first) return 0;
  if (w->rank != 0 && (w->rank != b->spatial || w->auto_pad != ONR_AUTO_PAD_NOTSET)) return 0;
  for (int32_t a = 0; a < b->spatial; a++) {
    b->stride[a] = w->rank && w->stride[a] ? w->stride[a] : 1;
    b->dilation[a] = w->rank && w->dilation[a] ? w->dilation[a] : 1;
    b->begin[a] = w->rank ? w->pad_begin[a] : 0;
    if (b->stride[a] < 1 || b->dilation[a] < 1 || b->begin[a] < 0) return 0;
    b->taps *= b->desc->dim[2 + a];
  }
  b->groups = p->groups ? p->groups : 1;
  return b->groups > 0 && b->desc->dim[0] % b->groups == 0;
}

/* The convolution that makes v for one reader. */
static int read_branch(const struct onri_rewrite *rw, int32_t v, struct branch *b) {
  size_t count;
  *b = (struct branch){.node = onri_rewrite_sole(rw, v, &onri_layer_conv), .taps = 1};
  if (!b->node || b->node->num_in < 2 || b->node->num_in > 3) return 0;
  b->weights = onri_rewrite_floats(rw, b->node->in[1], &count);
  if (!b->weights || count == 0) return 0;
  b->desc = &rw->graph->values[b->node->in[1]].constant->desc;
  b->spatial = b->desc->rank - 2;
  if (b->spatial < 1 || b->spatial > ONR_MAX_SPATIAL || !read_window(b->node->params, b)) return 0;
  if (b->node->num_in < 3 || b->node->in[2] == ONRI_NONE) return 1;
  b->bias = onri_rewrite_floats(rw, b->node->in[2], &count);
  return b->bias && count == (size_t)b->desc->dim[0];
}

/* Which tap of `outer` sees what the first one of `inner` does; 0: none, or not all of them. A single tap has no
 * dilation. */
static int find_tap(const struct branch *outer, const struct branch *inner, int64_t first[ONR_MAX_SPATIAL]) {
  if (outer->spatial != inner->spatial || outer->groups != inner->groups ||
      outer->desc->dim[0] != inner->desc->dim[0] || outer->desc->dim[1] != inner->desc->dim[1])
    return 0;
  for (int32_t a = 0; a < outer->spatial; a++) {
    const int64_t taps = outer->desc->dim[2 + a], fewer = inner->desc->dim[2 + a],
                  apart = taps > 1 ? outer->dilation[a] : 1, ahead = outer->begin[a] - inner->begin[a];
    if (outer->stride[a] != inner->stride[a] || (fewer > 1 && inner->dilation[a] != apart)) return 0;
    first[a] = ahead / apart;
    if (ahead < 0 || ahead % apart != 0 || fewer > taps || first[a] > taps - fewer) return 0;
  }
  return 1;
}

/* The tap that lies on each pixel of an image of as many channels; -1: none. */
static int64_t middle_tap(const struct branch *b) {
  int64_t tap = 0;
  if (b->desc->dim[0] != b->groups * b->desc->dim[1]) return -1;
  for (int32_t a = 0; a < b->spatial; a++) {
    const int64_t taps = b->desc->dim[2 + a], apart = taps > 1 ? b->dilation[a] : 1;
    if (b->stride[a] != 1 || b->begin[a] % apart != 0 || b->begin[a] / apart >= taps) return -1;
    tap = tap * taps + b->begin[a] / apart;
  }
  return tap;
}

static float sum_of(float a, float b) { return (float)((double)a + (double)b); }

static void add_weights(const struct branch *outer, const struct branch *inner, const int64_t first[ONR_MAX_SPATIAL],
                        float *weights) {
  const int64_t pairs = outer->desc->dim[0] * outer->desc->dim[1];
  for (int64_t t = 0; t < inner->taps; t++) {
    int64_t rest = t, at = 0, step = 1;
    for (int32_t a = outer->spatial; a-- > 0; step *= outer->desc->dim[2 + a]) {
      at += (rest % inner->desc->dim[2 + a] + first[a]) * step;
      rest /= inner->desc->dim[2 + a];
    }
    for (int64_t i = 0; i < pairs; i++)
      weights[i * outer->taps + at] = sum_of(weights[i * outer->taps + at], inner->weights[i * inner->taps + t]);
  }
}

static void add_scale(const struct branch *b, const struct scale *s, int64_t tap, float *weights) {
  const int64_t inputs = b->desc->dim[1];
  for (int64_t m = 0; m < b->desc->dim[0]; m++) {
    float *at = weights + (m * inputs + m % inputs) * b->taps + tap;
    *at = sum_of(*at, s->scale ? s->scale[m] : 1);
  }
}

/* The bias of `b` with `more` added; ONRI_NONE where both are none. */
static enum onr_status make_bias(struct onri_rewrite *rw, const struct branch *b, const float *more, int32_t *bias) {
  const struct onr_desc desc = {.dtype = ONR_DTYPE_F32, .rank = 1, .dim = {b->desc->dim[0]}};
  *bias = ONRI_NONE;
  if (!b->bias && !more) return ONR_STATUS_OK;
  struct onri_constant *constant = onri_constant_create(rw->graph->env, &desc);
  if (!constant) return onri_rewrite_no_memory(rw);
  float *values = constant->data;
  for (int64_t m = 0; m < desc.dim[0]; m++) values[m] = sum_of(b->bias ? b->bias[m] : 0, more ? more[m] : 0);
  *bias = onri_rewrite_constant(rw, constant);
  return *bias < 0 ? onri_rewrite_no_memory(rw) : ONR_STATUS_OK;
}

/* Many sums may share weights, of which each would have its own. */
static int takes_budget(struct onri_rewrite *rw, const struct branch *b) {
  const size_t bytes = onr_desc_bytes(b->desc), growth = rw->uses[b->node->in[1]] > 1 ? bytes : 0;
  const uint64_t work = bytes / sizeof(float);
  if (growth > rw->budget->bytes || work > rw->budget->work) return 0;
  rw->budget->bytes -= growth, rw->budget->work -= work;
  return 1;
}

/* A copy of the weights of `b`, to be changed; NULL: out of memory. */
static struct onri_constant *copy_weights(struct onri_rewrite *rw, const struct branch *b) {
  struct onri_constant *copy = onri_constant_create(rw->graph->env, b->desc);
  if (copy) memcpy(copy->data, b->weights, onr_desc_bytes(b->desc));
  return copy;
}

/* The sum becomes `b` with these weights, and `more` in its bias; other: what made the other operand, NULL: it stays.
 */
static enum onr_status become(struct onri_rewrite *rw, struct onri_node *sum, const struct branch *b,
                              struct onri_constant *weights, const float *more, struct onri_node *other) {
  struct onri_node *conv = b->node;
  const int32_t old[] = {conv->in[1], other && other->layer == conv->layer ? other->in[1] : ONRI_NONE};
  int32_t in[] = {conv->in[0], ONRI_NONE, ONRI_NONE};
  const enum onr_status status = make_bias(rw, b, more, &in[2]);
  if (status != ONR_STATUS_OK) onri_constant_release(weights);
  ONR_TRY(status);
  in[1] = onri_rewrite_constant(rw, weights);
  if (in[1] < 0) return onri_rewrite_no_memory(rw);
  ONR_TRY(onri_rewrite_become(rw, sum, conv->layer, conv->params, in, 3));
  sum->origin = conv->origin;
  onri_rewrite_remove(rw, conv);
  if (other) onri_rewrite_remove(rw, other);
  for (int i = 0; i < 2; i++) onri_rewrite_release(rw, old[i]);
  return ONR_STATUS_OK;
}

static enum onr_status merge(struct onri_rewrite *rw, struct onri_node *sum, const struct branch *outer,
                             const struct branch *inner, const int64_t first[ONR_MAX_SPATIAL]) {
  if (!takes_budget(rw, outer)) return ONR_STATUS_OK;
  struct onri_constant *weights = copy_weights(rw, outer);
  if (!weights) return onri_rewrite_no_memory(rw);
  add_weights(outer, inner, first, weights->data);
  return become(rw, sum, outer, weights, inner->bias, inner->node);
}

static enum onr_status both(struct onri_rewrite *rw, struct onri_node *sum) {
  struct branch a, b;
  int64_t first[ONR_MAX_SPATIAL];
  if (!read_branch(rw, sum->in[0], &a) || !read_branch(rw, sum->in[1], &b) || a.node->in[0] != b.node->in[0])
    return ONR_STATUS_OK;
  if (find_tap(&a, &b, first)) return merge(rw, sum, &a, &b, first);
  return find_tap(&b, &a, first) ? merge(rw, sum, &b, &a, first) : ONR_STATUS_OK;
}

/* How value v follows from the image x of a convolution of these channels. *node: what makes it, NULL where it is the
 * image. */
static int read_scale(struct onri_rewrite *rw, int32_t v, const struct branch *b, struct scale *s,
                      struct onri_node **node) {
  *s = (struct scale){0};
  *node = NULL;
  if (v == b->node->in[0]) return b->groups > 1 && b->desc->dim[1] == 1;
  *node = onri_rewrite_sole(rw, v, &onri_layer_batch_norm);
  return *node && (*node)->in[0] == b->node->in[0] &&
         onri_match_batch_norm(rw, *node, b->desc->rank, &s->scale, &s->shift, &s->count) &&
         s->count == (size_t)b->desc->dim[0];
}

static enum onr_status with_scale(struct onri_rewrite *rw, struct onri_node *sum) {
  for (int side = 0; side < 2; side++) {
    struct branch b;
    struct scale scale;
    struct onri_node *other;
    if (!read_branch(rw, sum->in[side], &b) || !read_scale(rw, sum->in[1 - side], &b, &scale, &other)) continue;
    const int64_t tap = middle_tap(&b);
    if (tap < 0 || !takes_budget(rw, &b)) continue;
    struct onri_constant *weights = copy_weights(rw, &b);
    if (!weights) return onri_rewrite_no_memory(rw);
    add_scale(&b, &scale, tap, weights->data);
    return become(rw, sum, &b, weights, scale.shift, other);
  }
  return ONR_STATUS_OK;
}

static enum onr_status sum(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_binary_params *p = node->params;
  const int32_t rank = onri_rewrite_rank(rw, node->in[0]);
  if (p->op != ONR_BINARY_ADD || p->clamp.enabled || rank < 3 || !onri_rewrite_same_shape(rw, node->in[0], node->in[1]))
    return ONR_STATUS_OK;
  ONR_TRY(both(rw, node));
  return node->layer == &onri_layer_binary ? with_scale(rw, node) : ONR_STATUS_OK;
}

enum onr_status onri_pass_conv_sum(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_binary, sum}};
  return onri_rewrite_sweep(rw, rules, 1);
}
