/* clamp.c: ReLU and clipping by constants happen inside the layer that makes their input. */
#include <math.h>

#include "passes/match.h"

/* The clamp parameter of a layer; `offset` into its parameters. */
struct clamping {
  const struct onr_layer *layer;
  size_t offset;
};

static const struct clamping clampings[] = {
    {&onri_layer_conv, offsetof(struct onr_conv_params, clamp)},
    {&onri_layer_conv_integer_real, offsetof(struct onr_conv_params, clamp)},
    {&onri_layer_conv_transpose, offsetof(struct onr_conv_transpose_params, clamp)},
    {&onri_layer_linear, offsetof(struct onr_linear_params, clamp)},
    {&onri_layer_matmul, offsetof(struct onr_matmul_params, clamp)},
    {&onri_layer_gemm, offsetof(struct onr_gemm_params, clamp)},
    {&onri_layer_binary, offsetof(struct onr_binary_params, clamp)},
};

static const struct clamping *find_clamping(const struct onri_node *node) {
  for (size_t i = 0; node && i < sizeof(clampings) / sizeof(clampings[0]); i++)
    if (clampings[i].layer == node->layer) return &clampings[i];
  return NULL;
}

static int takes_clamp(const struct onri_node *node) {
  if (node->layer != &onri_layer_binary) return 1;
  const enum onr_binary op = ((const struct onr_binary_params *)node->params)->op;
  return op == ONR_BINARY_ADD || op == ONR_BINARY_SUB || op == ONR_BINARY_MUL || op == ONR_BINARY_DIV;
}

static float limit(float value, const struct onr_clamp *clamp) { return fminf(fmaxf(value, clamp->min), clamp->max); }

/* The unary node's clip goes into the producer of its input. */
static enum onr_status into_producer(struct onri_rewrite *rw, struct onri_node *node) {
  int32_t x;
  double low, high;
  enum onr_status status = ONR_STATUS_OK;
  if (!onri_match_clip(rw, node->out[0], &x, &low, &high) || !(low <= high) || !onri_match_is_float(rw, x))
    return ONR_STATUS_OK;
  struct onri_node *producer = onri_rewrite_producer(rw, x);
  const struct clamping *clamping = find_clamping(producer);
  if (!clamping || rw->uses[x] != 1 || producer->out[0] != x || !takes_clamp(producer)) return ONR_STATUS_OK;
  const struct onr_clamp outer = {.enabled = 1, .min = (float)low, .max = (float)high};
  char *params = onri_rewrite_params(rw, producer, &status);
  ONR_TRY(status);
  struct onr_clamp *clamp = (struct onr_clamp *)(void *)(params + clamping->offset);
  if (clamp->enabled) {
    clamp->min = limit(clamp->min, &outer);
    clamp->max = limit(clamp->max, &outer);
  } else {
    *clamp = outer;
  }
  onri_rewrite_take(rw, producer, node);
  return ONR_STATUS_OK;
}

enum onr_status onri_pass_clamp(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_unary, into_producer}};
  return onri_rewrite_sweep(rw, rules, 1);
}

/* clip with known bounds becomes the unary form, which all the patterns know. */
static enum onr_status simplify(struct onri_rewrite *rw, struct onri_node *node) {
  struct onr_unary_params params = {.op = ONR_UNARY_CLIP, .alpha = -INFINITY, .beta = INFINITY};
  double bound;
  if (!onri_match_is_float(rw, node->in[0])) return ONR_STATUS_OK;
  for (int32_t i = 1; i < node->num_in; i++) {
    if (node->in[i] == ONRI_NONE) continue;
    if (!onri_rewrite_scalar(rw, node->in[i], &bound) || (double)(float)bound != bound) return ONR_STATUS_OK;
    *(i == 1 ? &params.alpha : &params.beta) = (float)bound;
  }
  return onri_rewrite_become(rw, node, &onri_layer_unary, &params, node->in, 1);
}

enum onr_status onri_pass_clip(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_clip, simplify}};
  return onri_rewrite_sweep(rw, rules, 1);
}
