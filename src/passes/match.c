#include "passes/match.h"

#include <math.h>
#include <string.h>

int onri_match_near(double a, double b) { return fabs(a - b) <= 1e-5 * fabs(b); }

struct onri_node *onri_match_unary(const struct onri_rewrite *rw, int32_t v, enum onr_unary op) {
  struct onri_node *node = onri_rewrite_match(rw, v, &onri_layer_unary);
  return node && ((const struct onr_unary_params *)node->params)->op == op ? node : NULL;
}

struct onri_node *onri_match_binary(const struct onri_rewrite *rw, int32_t v, enum onr_binary op) {
  struct onri_node *node = onri_rewrite_match(rw, v, &onri_layer_binary);
  if (!node) return NULL;
  const struct onr_binary_params *p = node->params;
  return p->op == op && !p->clamp.enabled ? node : NULL;
}

int onri_match_scalar(const struct onri_rewrite *rw, int32_t v, enum onr_binary op, int32_t *x, double *c) {
  const struct onri_node *node = onri_match_binary(rw, v, op);
  const int commutes = op == ONR_BINARY_ADD || op == ONR_BINARY_MUL;
  for (int side = 1; node && side >= (commutes ? 0 : 1); side--) {
    const int32_t other = node->in[1 - side], constant = node->in[side];
    const int32_t rank = onri_rewrite_rank(rw, other), own = onri_rewrite_rank(rw, constant);
    if (!onri_rewrite_scalar(rw, constant, c) || onri_rewrite_is_constant(rw, other)) continue;
    if (own > 0 && own > rank) continue;
    *x = other;
    return 1;
  }
  return 0;
}

int32_t onri_match_scale(const struct onri_rewrite *rw, int32_t v, double *factor) {
  int32_t x;
  double c;
  *factor = 1;
  if (onri_match_scalar(rw, v, ONR_BINARY_MUL, &x, &c)) {
    *factor = c;
    return x;
  }
  if (onri_match_scalar(rw, v, ONR_BINARY_DIV, &x, &c) && c != 0) {
    *factor = 1 / c;
    return x;
  }
  return v;
}

int onri_match_shift(const struct onri_rewrite *rw, int32_t v, int32_t *x, double *c) {
  if (onri_match_scalar(rw, v, ONR_BINARY_ADD, x, c)) return 1;
  if (!onri_match_scalar(rw, v, ONR_BINARY_SUB, x, c)) return 0;
  *c = -*c;
  return 1;
}

int onri_match_clip(const struct onri_rewrite *rw, int32_t v, int32_t *x, double *low, double *high) {
  const struct onri_node *node = onri_match_unary(rw, v, ONR_UNARY_CLIP);
  *low = 0;
  *high = (double)INFINITY;
  if (node) {
    const struct onr_unary_params *p = node->params;
    *low = (double)p->alpha;
    *high = (double)p->beta;
  } else {
    node = onri_match_unary(rw, v, ONR_UNARY_RELU);
  }
  if (!node) return 0;
  *x = node->in[0];
  return 1;
}

int onri_match_square(const struct onri_rewrite *rw, int32_t v, int32_t *x) {
  const struct onri_node *node = onri_match_unary(rw, v, ONR_UNARY_SQUARE);
  double c;
  if (!node) node = onri_match_binary(rw, v, ONR_BINARY_MUL);
  if (node && (node->num_in == 1 || node->in[0] == node->in[1])) {
    *x = node->in[0];
    return 1;
  }
  return onri_match_scalar(rw, v, ONR_BINARY_POW, x, &c) && c == 2;
}

int onri_match_rsqrt(const struct onri_rewrite *rw, int32_t v, int32_t *x) {
  const struct onri_node *node = onri_match_unary(rw, v, ONR_UNARY_RECIPROCAL), *root;
  double c;
  if (node) {
    root = onri_match_unary(rw, node->in[0], ONR_UNARY_SQRT);
  } else {
    const struct onri_node *quotient = onri_match_binary(rw, v, ONR_BINARY_DIV);
    if (!quotient) return onri_match_scalar(rw, v, ONR_BINARY_POW, x, &c) && c == -0.5;
    if (!onri_rewrite_scalar(rw, quotient->in[0], &c) || c != 1) return 0;
    root = onri_match_unary(rw, quotient->in[1], ONR_UNARY_SQRT);
  }
  if (!root) return 0;
  *x = root->in[0];
  return 1;
}

int onri_match_axes(const struct onri_rewrite *rw, const struct onri_node *node, int32_t rank,
                    uint8_t mask[ONR_MAX_RANK]) {
  int64_t axes[ONR_MAX_RANK];
  size_t count;
  memset(mask, 0, ONR_MAX_RANK);
  if (node->num_in < 2 || rank < 0 || !onri_rewrite_ints(rw, node->in[1], axes, ONR_MAX_RANK, &count) || count == 0)
    return 0;
  for (size_t i = 0; i < count; i++) {
    const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (axis < 0 || axis >= rank) return 0;
    mask[axis] = 1;
  }
  return 1;
}

int32_t onri_match_trailing_reduce(const struct onri_rewrite *rw, int32_t v, enum onr_reduce_op op, int32_t *x) {
  const struct onri_node *node = onri_rewrite_match(rw, v, &onri_layer_reduce);
  uint8_t mask[ONR_MAX_RANK];
  int32_t count = 0;
  if (!node) return 0;
  const struct onr_reduce_params *p = node->params;
  const int32_t rank = onri_rewrite_rank(rw, node->in[0]);
  if (p->op != op || !p->keep_dims || !onri_match_axes(rw, node, rank, mask)) return 0;
  while (count < rank && mask[rank - 1 - count]) count++;
  for (int32_t d = 0; d < rank - count; d++)
    if (mask[d]) return 0;
  *x = node->in[0];
  return count;
}

/* Replaces one factor by those it is a product of; 0 when it is none or there is no room. */
static int split_factor(const struct onri_rewrite *rw, int32_t factors[], size_t *count, size_t i, int is_top,
                        double *scale) {
  const int32_t v = factors[i];
  int32_t x;
  double c;
  if (!is_top && rw->uses[v] != 1) return 0;
  if (onri_match_scalar(rw, v, ONR_BINARY_MUL, &x, &c) ||
      (onri_match_scalar(rw, v, ONR_BINARY_DIV, &x, &c) && c != 0)) {
    *scale *= onri_match_binary(rw, v, ONR_BINARY_MUL) ? c : 1 / c;
    factors[i] = x;
    return 1;
  }
  int32_t more = 0;
  const struct onri_node *product = onri_match_binary(rw, v, ONR_BINARY_MUL);
  if (product) {
    factors[i] = product->in[0];
    x = product->in[1];
    more = 1;
  } else if (onri_match_square(rw, v, &x)) {
    factors[i] = x;
    more = 1;
  } else if (onri_match_scalar(rw, v, ONR_BINARY_POW, &x, &c) && c == 3) {
    factors[i] = x;
    more = 2;
  }
  if (more == 0) return 0;
  if (*count + (size_t)more > ONRI_MATCH_FACTORS) {
    factors[i] = v;
    return 0;
  }
  while (more-- > 0) factors[(*count)++] = x;
  return 1;
}

size_t onri_match_product(const struct onri_rewrite *rw, int32_t v, int32_t factors[ONRI_MATCH_FACTORS],
                          double *scale) {
  size_t count = 1;
  int steps = 0;
  factors[0] = v;
  *scale = 1;
  for (size_t i = 0; i < count && steps < 16;) {
    if (split_factor(rw, factors, &count, i, steps == 0, scale)) steps++;
    else i++;
  }
  return count;
}

const float *onri_match_per_channel(const struct onri_rewrite *rw, int32_t c, int32_t rank, int64_t channels,
                                    int32_t channel_axis, size_t *count) {
  const float *data = onri_rewrite_floats(rw, c, count);
  if (!data || rank < 1) return NULL;
  const struct onr_desc *desc = &rw->graph->values[c].constant->desc;
  if (desc->rank > rank) return NULL;
  for (int32_t d = 0; d < desc->rank; d++) {
    const int32_t of = d + rank - desc->rank;
    if (desc->dim[d] != 1 && (of != channel_axis || desc->dim[d] != channels)) return NULL;
  }
  return data;
}

int onri_match_is_float(const struct onri_rewrite *rw, int32_t v) {
  return onri_dtype_in(ONRI_DTYPES_FLOAT, onri_rewrite_desc(rw, v)->dtype);
}

int onri_match_pixelwise(const struct onri_rewrite *rw, const struct onri_node *conv) {
  const struct onr_conv_params *p = conv->params;
  const struct onr_window *w = &p->window;
  if (p->groups > 1 || onri_rewrite_rank(rw, conv->in[1]) != 4) return 0;
  for (int32_t i = 0; i < 2; i++) {
    if (onri_rewrite_dim(rw, conv->in[1], 2 + i) != 1) return 0;
    if (w->rank == 2 && (w->stride[i] > 1 || w->pad_begin[i] || w->pad_end[i])) return 0;
  }
  return 1;
}

int onri_match_batch_norm(struct onri_rewrite *rw, const struct onri_node *node, int32_t rank, const float **scale,
                          const float **shift, size_t *count) {
  const struct onr_batch_norm_params *p = node->params;
  const float *in[5];
  size_t counts[5];
  for (int32_t k = 1; k < node->num_out; k++)
    if (node->out[k] != ONRI_NONE) return 0;
  if (p->training || p->channels_last || node->num_in < 5) return 0;
  if (rank < p->min_rank || (p->max_rank && rank > p->max_rank)) return 0; /* its error is due */
  for (int i = 1; i < 5; i++) {
    in[i] = onri_rewrite_floats(rw, node->in[i], &counts[i]);
    if (!in[i] || counts[i] != counts[1]) return 0;
  }
  float *values = onri_arena_allocate(&rw->graph->arena, 2 * counts[1] * sizeof(*values));
  if (!values) return 0;
  *scale = values, *shift = values + counts[1], *count = counts[1];
  for (size_t c = 0; c < counts[1]; c++) {
    const double factor = (double)in[1][c] / sqrt((double)in[4][c] + (double)p->epsilon);
    values[c] = (float)factor;
    values[counts[1] + c] = (float)((double)in[2][c] - factor * (double)in[3][c]);
  }
  return 1;
}
