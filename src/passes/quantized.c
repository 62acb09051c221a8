/* quantized.c: dequantize -> op -> quantize becomes the op on 8-bit integers, in whatever form the file spelt it
 * (QuantizeLinear and DequantizeLinear around an op, or the QLinear operators, which importers spell so).
 *
 * One scale and one zero point a tensor, constant; those of weights one an output channel. What is clipped before it is
 * quantized is clipped in steps. Runs before constants behind dequantize_linear are folded: weights stay 8 bits. */
#include <math.h>
#include <string.h>

#include "base/numbers/convert.h"
#include "layers/quantize/byte_pieces.h"
#include "passes/quantized.h"

static int is_byte(enum onr_dtype dtype) { return dtype == ONR_DTYPE_U8 || dtype == ONR_DTYPE_I8; }
static int is_steps(enum onr_dtype dtype) { return is_byte(dtype) || dtype == ONR_DTYPE_U16 || dtype == ONR_DTYPE_I16; }

/* scale and zero point of a node: constants, float32 scales. */
static int match_steps(const struct onri_rewrite *rw, const struct onri_node *node, struct onri_quantised *q) {
  const struct onr_quantize_params *p = node->params;
  size_t zeros;
  if (p->block_size != 0) return 0;
  q->scale = node->in[1];
  q->zero = node->num_in > 2 ? node->in[2] : ONRI_NONE;
  q->axis = p->axis;
  const float *scales = onri_rewrite_floats(rw, q->scale, &q->scales);
  if (!scales || q->scales == 0) return 0;
  for (size_t i = 0; i < q->scales; i++)
    if (!(scales[i] > 0) || isinf(scales[i])) return 0;
  q->step = (double)scales[0];
  q->offset = 0;
  if (q->zero == ONRI_NONE) return 1;
  if (!onri_rewrite_is_constant(rw, q->zero)) return 0;
  zeros = (size_t)onr_desc_elements(&rw->graph->values[q->zero].constant->desc);
  return zeros == q->scales && (zeros > 1 || onri_rewrite_scalar(rw, q->zero, &q->offset));
}

/* Files need not say the types of their values; zero points have those of what is quantized. */
static enum onr_dtype type_of(const struct onri_rewrite *rw, const struct onri_quantised *q, int32_t v,
                              enum onr_dtype otherwise) {
  const enum onr_dtype dtype = onri_rewrite_desc(rw, v)->dtype;
  if (q->zero != ONRI_NONE) return onri_rewrite_desc(rw, q->zero)->dtype;
  return dtype != ONR_DTYPE_NONE ? dtype : otherwise;
}

static int may_be_float(const struct onri_rewrite *rw, int32_t v) {
  const enum onr_dtype dtype = onri_rewrite_desc(rw, v)->dtype;
  return dtype == ONR_DTYPE_F32 || dtype == ONR_DTYPE_NONE;
}

/* v = dequantize_linear to float32. */
static int match_dequantize(const struct onri_rewrite *rw, int32_t v, struct onri_quantised *q) {
  const struct onri_node *node = onri_rewrite_match(rw, v, &onri_layer_dequantize_linear);
  if (!node || !may_be_float(rw, v) || !match_steps(rw, node, q)) return 0;
  const enum onr_dtype to = ((const struct onr_quantize_params *)node->params)->output_dtype;
  q->x = node->in[0];
  q->dtype = type_of(rw, q, q->x, ONR_DTYPE_NONE);
  return to == ONR_DTYPE_NONE || to == ONR_DTYPE_F32;
}

int onri_match_steps(const struct onri_rewrite *rw, int32_t v, struct onri_quantised *q) {
  return match_dequantize(rw, v, q) && is_steps(q->dtype) && q->scales == 1;
}

int onri_match_bytes(const struct onri_rewrite *rw, int32_t v, struct onri_quantised *q) {
  return onri_match_steps(rw, v, q) && is_byte(q->dtype);
}

int onri_match_quantize(const struct onri_rewrite *rw, const struct onri_node *node, struct onri_quantised *q) {
  const struct onr_quantize_params *p = node->params;
  q->x = node->in[0];
  if (p->precision != ONR_DTYPE_NONE && p->precision != ONR_DTYPE_F32) return 0;
  if (!may_be_float(rw, q->x) || !match_steps(rw, node, q) || q->scales != 1) return 0;
  q->dtype = type_of(rw, q, node->out[0], p->output_dtype != ONR_DTYPE_NONE ? p->output_dtype : ONR_DTYPE_U8);
  return is_steps(q->dtype);
}

/* The zero points as an input that is there; -1 when out of memory. */
static int32_t zero_input(struct onri_rewrite *rw, const struct onri_quantised *q) {
  const struct onr_desc desc = {.dtype = q->dtype};
  if (q->zero != ONRI_NONE) return q->zero;
  return onri_rewrite_data(rw, &desc, (const uint8_t[2]){0});
}

static double lowest(enum onr_dtype dtype) {
  return dtype == ONR_DTYPE_I8 ? INT8_MIN : dtype == ONR_DTYPE_I16 ? INT16_MIN : 0;
}
static double highest(enum onr_dtype dtype) { return lowest(dtype) + (is_byte(dtype) ? UINT8_MAX : UINT16_MAX); }

static int multiplies(const struct onr_layer *layer) {
  return layer == &onri_layer_conv || layer == &onri_layer_matmul || layer == &onri_layer_gemm ||
         layer == &onri_layer_linear;
}

/* --- biases, in steps of the product --- */

/* Real values of a bias: float32, or dequantized int32 of one scale or one a channel. */
static int bias_at(const struct onri_rewrite *rw, int32_t v, size_t channels, double *bias) {
  struct onri_quantised q;
  size_t count;
  const float *reals = onri_rewrite_floats(rw, v, &count);
  if (reals) {
    for (size_t i = 0; i < channels && count == channels; i++) bias[i] = (double)reals[i];
    return count == channels;
  }
  if (!match_dequantize(rw, v, &q) || q.dtype != ONR_DTYPE_I32 || q.offset != 0 ||
      (q.scales != 1 && q.scales != channels) ||
      (q.scales > 1 && q.zero != ONRI_NONE && !onri_rewrite_all_equal(rw, q.zero, 0)) ||
      !onri_rewrite_is_constant(rw, q.x))
    return 0;
  enum onr_status status = ONR_STATUS_OK;
  const int32_t *steps = onri_value_data(rw->graph, q.x, &status, NULL);
  const float *scales = onri_rewrite_floats(rw, q.scale, &count);
  if (!steps || !scales || (size_t)onr_desc_elements(&rw->graph->values[q.x].constant->desc) != channels) return 0;
  for (size_t i = 0; i < channels; i++) bias[i] = (double)steps[i] * (double)scales[q.scales > 1 ? i : 0];
  return 1;
}

/* v holds so many numbers that are known: what is made of them needs no more memory than they do. */
static int is_list_of(const struct onri_rewrite *rw, int32_t v, size_t channels) {
  struct onri_quantised q;
  if (match_dequantize(rw, v, &q)) v = q.x;
  return onri_rewrite_is_constant(rw, v) && (size_t)onr_desc_elements(&rw->graph->values[v].constant->desc) == channels;
}

/* The bias v (ONRI_NONE: none) as a float32 list; *fits is 0 where it is none. */
static enum onr_status real_bias(struct onri_rewrite *rw, int32_t *v, int64_t channels, int *fits) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, &channels);
  struct onr_env *env = rw->graph->env;
  size_t count;
  *fits = 1;
  if (*v == ONRI_NONE) return ONR_STATUS_OK;
  *fits = channels > 0 && onri_rewrite_rank(rw, *v) == 1 && is_list_of(rw, *v, (size_t)channels);
  if (!*fits) return ONR_STATUS_OK;
  if (onri_rewrite_floats(rw, *v, &count)) return ONR_STATUS_OK;
  double *reals = onr_env_allocate(env, (size_t)channels * sizeof(*reals));
  struct onri_constant *constant = reals ? onri_constant_create(env, &desc) : NULL;
  *fits = constant && bias_at(rw, *v, (size_t)channels, reals);
  for (int64_t i = 0; i < channels && *fits; i++) ((float *)constant->data)[i] = (float)reals[i];
  onr_env_release(env, reals);
  if (!constant) return onri_rewrite_no_memory(rw);
  if (*fits) *v = onri_rewrite_constant(rw, constant);
  else onri_constant_release(constant);
  return *v < 0 ? onri_rewrite_no_memory(rw) : ONR_STATUS_OK;
}

struct product_steps {
  const struct onri_quantised *x, *w;
  size_t channels;
  double y; /* a step of the result */
};
/* What rounding a bias may move a result by, in its steps. */
static const double MOST_MOVED = 1.0 / 32;

/* The bias of a product as int32; ONRI_NONE where there is none; *fits is 0 where it cannot be said so. */
static enum onr_status product_bias(struct onri_rewrite *rw, int32_t v, const struct product_steps *p, int32_t *bias,
                                    int *fits) {
  const size_t channels = p->channels;
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_I32, 1, (int64_t[]){(int64_t)channels});
  struct onr_env *env = rw->graph->env;
  size_t count;
  *bias = ONRI_NONE;
  *fits = 1;
  if (v == ONRI_NONE) return ONR_STATUS_OK;
  *fits = is_list_of(rw, v, channels);
  if (!*fits) return ONR_STATUS_OK;
  const float *scales = onri_rewrite_floats(rw, p->w->scale, &count);
  double *reals = onr_env_allocate(env, (channels + 1) * sizeof(*reals));
  struct onri_constant *constant = onri_constant_create(rw->graph->env, &desc);
  if (!reals || !constant) {
    onr_env_release(env, reals);
    if (constant) onri_constant_release(constant);
    return onri_rewrite_no_memory(rw);
  }
  *fits = scales && bias_at(rw, v, channels, reals);
  for (size_t i = 0; i < channels && *fits; i++) {
    const double step = p->x->step * (double)scales[p->w->scales > 1 ? i : 0], steps = rint(reals[i] / step);
    *fits = fabs(steps) < 0x1p30 && fabs(steps * step - reals[i]) <= MOST_MOVED * p->y;
    if (*fits) ((int32_t *)constant->data)[i] = (int32_t)steps;
  }
  onr_env_release(env, reals);
  if (!*fits) {
    onri_constant_release(constant);
    return ONR_STATUS_OK;
  }
  *bias = onri_rewrite_constant(rw, constant);
  return *bias < 0 ? onri_rewrite_no_memory(rw) : ONR_STATUS_OK;
}

/* --- what is quantized --- */

/* Nodes that are looked at: quantize_linear of, perhaps, a clip of `v`. */
struct target {
  struct onri_quantised y;
  int32_t v;        /* what the op makes */
  double low, high; /* of the clip, infinite where there is none */
};

static int match_target(const struct onri_rewrite *rw, const struct onri_node *node, struct target *t) {
  if (!onri_match_quantize(rw, node, &t->y) || rw->uses[t->y.x] != 1) return 0;
  t->v = t->y.x;
  t->low = -INFINITY, t->high = INFINITY;
  int32_t x;
  if (onri_match_clip(rw, t->y.x, &x, &t->low, &t->high) && rw->uses[x] == 1 && t->low <= t->high) t->v = x;
  else t->low = -INFINITY, t->high = INFINITY;
  return 1;
}

/* The clip changes nothing that the type does not hold back anyway. */
static int clips_nothing(const struct target *t) {
  return rint(t->low / t->y.step) + t->y.offset <= lowest(t->y.dtype) &&
         rint(t->high / t->y.step) + t->y.offset >= highest(t->y.dtype);
}

/* --- convolutions --- */

/* v, a constant of 4 bits, as bytes. */
static enum onr_status widen(struct onri_rewrite *rw, int32_t *v) {
  const struct onr_desc from = rw->graph->values[*v].constant->desc;
  const size_t count = (size_t)onr_desc_elements(&from);
  struct onr_desc desc = from;
  enum onr_status status = ONR_STATUS_OK;
  desc.dtype = from.dtype == ONR_DTYPE_U4 ? ONR_DTYPE_U8 : ONR_DTYPE_I8;
  const uint8_t *x = onri_value_data(rw->graph, *v, &status, rw->error);
  ONR_TRY(status);
  struct onri_constant *constant = onri_constant_create(rw->graph->env, &desc);
  if (!constant) return onri_rewrite_no_memory(rw);
  for (size_t i = 0; i < count; i++) {
    int64_t value = 0;
    onri_load(from.dtype, x + i, 1, &value); /* either class of integers */
    ((uint8_t *)constant->data)[i] = (uint8_t)value;
  }
  *v = onri_rewrite_constant(rw, constant);
  return *v < 0 ? onri_rewrite_no_memory(rw) : ONR_STATUS_OK;
}

/* v, dequantized weights, as bytes and their steps; *fits is 0 where they are none. */
static enum onr_status match_weights(struct onri_rewrite *rw, int32_t v, struct onri_quantised *w, int *fits) {
  const int known = match_dequantize(rw, v, w);
  *fits = known && is_byte(w->dtype);
  if (!known || (w->dtype != ONR_DTYPE_I4 && w->dtype != ONR_DTYPE_U4) || !onri_rewrite_is_constant(rw, w->x))
    return ONR_STATUS_OK;
  ONR_TRY(widen(rw, &w->x));
  if (w->zero != ONRI_NONE) ONR_TRY(widen(rw, &w->zero));
  w->dtype = w->dtype == ONR_DTYPE_U4 ? ONR_DTYPE_U8 : ONR_DTYPE_I8;
  *fits = 1;
  return ONR_STATUS_OK;
}

/* What conv and conv_transpose have in common, and where their weights have the output channels. */
struct convolution {
  const struct onr_layer *layer; /* of bytes */
  int64_t groups;                /* whose channels are those of dimension `axis` each; 1 where it has all channels */
  int32_t axis;
  size_t clamp; /* in the parameters */
  union {
    struct onr_conv_params plain;
    struct onr_conv_transpose_params transposed;
  } params;
};

/* Windows that move by more than 1 lie close together, and there are not too many phases. */
static int has_phases(const struct onr_conv_transpose_params *p) {
  int64_t phases = 1;
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) {
    const int64_t stride = p->window.stride[i] > 0 ? p->window.stride[i] : 1;
    if (stride > 16 || (stride > 1 && p->window.dilation[i] > 1)) return 0;
    phases *= stride;
  }
  return phases <= 64;
}

static int match_convolution(const struct onri_node *op, struct convolution *c) {
  if (op->layer == &onri_layer_conv) {
    *c = (struct convolution){
        .layer = &onri_layer_qlinear_conv, .groups = 1, .clamp = offsetof(struct onr_conv_params, clamp)};
    c->params.plain = *(const struct onr_conv_params *)op->params;
    return !c->params.plain.clamp.enabled && !c->params.plain.tail.enabled;
  }
  const struct onr_conv_transpose_params *p = op->params;
  *c = (struct convolution){.layer = &onri_layer_qlinear_conv_transpose,
                            .groups = p->groups > 1 ? p->groups : 1,
                            .axis = 1,
                            .clamp = offsetof(struct onr_conv_transpose_params, clamp)};
  c->params.transposed = *p;
  return !p->clamp.enabled && !p->tail.enabled && has_phases(p);
}

/* v, values of 1 or 4 bytes, as a list for so many channels: `each` of them share one, and all are repeated. */
static enum onr_status spread(struct onri_rewrite *rw, int32_t *v, int64_t channels, int64_t each) {
  const struct onr_desc from = rw->graph->values[*v].constant->desc;
  const struct onr_desc desc = onr_desc_make(from.dtype, 1, &channels);
  const size_t size = onr_dtype_size(from.dtype);
  enum onr_status status = ONR_STATUS_OK;
  const char *x = onri_value_data(rw->graph, *v, &status, rw->error);
  ONR_TRY(status);
  struct onri_constant *constant = onri_constant_create(rw->graph->env, &desc);
  if (!constant) return onri_rewrite_no_memory(rw);
  for (int64_t m = 0; m < channels; m++)
    memcpy((char *)constant->data + (size_t)m * size, x + (size_t)(m / each % onr_desc_elements(&from)) * size, size);
  *v = onri_rewrite_constant(rw, constant);
  return *v < 0 ? onri_rewrite_no_memory(rw) : ONR_STATUS_OK;
}

/* Scales and zero points of weights as those of all output channels; *fits is 0 where it cannot be said so. */
static enum onr_status weights_of_channels(struct onri_rewrite *rw, const struct convolution *c,
                                           struct onri_quantised *w, int *fits) {
  const struct onr_desc *weights = &rw->graph->values[w->x].constant->desc;
  const int64_t axis = w->axis < 0 ? w->axis + weights->rank : w->axis, channels = weights->dim[c->axis];
  *fits = 1;
  if (w->scales == 1) return ONR_STATUS_OK;
  const int of_channels = axis == c->axis && (int64_t)w->scales == channels;
  /* the first dimension of transposed ones is that of x's channels, each a group of its own */
  const int of_groups = axis == 0 && c->axis == 1 && (int64_t)w->scales == c->groups && weights->dim[0] == c->groups;
  *fits = of_channels || of_groups;
  if (!*fits || (of_channels && c->groups == 1)) return ONR_STATUS_OK;
  const int64_t each = of_channels ? 1 : channels, all = channels * c->groups;
  ONR_TRY(spread(rw, &w->scale, all, each));
  if (w->zero != ONRI_NONE) ONR_TRY(spread(rw, &w->zero, all, each));
  w->scales = (size_t)all;
  return ONR_STATUS_OK;
}

static enum onr_status conv(struct onri_rewrite *rw, struct onri_node *node, const struct target *t,
                            const struct onri_node *op) {
  struct convolution c;
  struct onri_quantised x, w;
  int32_t bias;
  int fits;
  if (op->num_in > 3 || !match_convolution(op, &c) || !onri_match_bytes(rw, op->in[0], &x)) return ONR_STATUS_OK;
  ONR_TRY(match_weights(rw, op->in[1], &w, &fits));
  if (!fits || !onri_rewrite_is_constant(rw, w.x)) return ONR_STATUS_OK;
  const struct onr_desc *weights = &rw->graph->values[w.x].constant->desc;
  if (weights->rank <= c.axis) return ONR_STATUS_OK;
  const int64_t channels = weights->dim[c.axis];
  if (channels < 1 || channels > INT64_MAX / c.groups) return ONR_STATUS_OK;
  ONR_TRY(weights_of_channels(rw, &c, &w, &fits));
  if (!fits) return ONR_STATUS_OK;
  *(struct onr_clamp *)(void *)((char *)&c.params + c.clamp) =
      (struct onr_clamp){.enabled = !clips_nothing(t), .min = (float)t->low, .max = (float)t->high};
  const struct product_steps steps = {&x, &w, (size_t)(channels * c.groups), t->y.step};
  ONR_TRY(product_bias(rw, op->num_in > 2 ? op->in[2] : ONRI_NONE, &steps, &bias, &fits));
  if (!fits) return ONR_STATUS_OK;
  const int32_t in[] = {
      x.x, x.scale, zero_input(rw, &x), w.x, w.scale, zero_input(rw, &w), t->y.scale, zero_input(rw, &t->y), bias};
  if (in[2] < 0 || in[5] < 0 || in[7] < 0) return onri_rewrite_no_memory(rw);
  return onri_rewrite_become(rw, node, c.layer, &c.params, in, bias == ONRI_NONE ? 8 : 9);
}

/* --- products --- */

/* An operand [k, n] of a product: B itself, or its transpose as a new constant. */
static enum onr_status right_operand(struct onri_rewrite *rw, struct onri_quantised *b, int transpose, int *fits) {
  const struct onr_desc *from = onri_rewrite_is_constant(rw, b->x) ? &rw->graph->values[b->x].constant->desc : NULL;
  enum onr_status status = ONR_STATUS_OK;
  const int64_t rank = onri_rewrite_rank(rw, b->x), axis = b->axis < 0 ? b->axis + rank : b->axis;
  *fits = b->scales == 1 || (rank == 2 && axis == (transpose ? 0 : 1));
  if (!transpose || !*fits) return ONR_STATUS_OK;
  *fits = from && from->rank == 2;
  if (!*fits) return ONR_STATUS_OK;
  const int64_t rows = from->dim[0], columns = from->dim[1];
  const struct onr_desc desc = onr_desc_make(b->dtype, 2, (int64_t[]){columns, rows});
  const uint8_t *x = onri_value_data(rw->graph, b->x, &status, rw->error);
  ONR_TRY(status);
  struct onri_constant *constant = onri_constant_create(rw->graph->env, &desc);
  if (!constant) return onri_rewrite_no_memory(rw);
  uint8_t *y = constant->data;
  for (int64_t i = 0; i < columns; i++)
    for (int64_t j = 0; j < rows; j++) *y++ = x[j * columns + i];
  b->x = onri_rewrite_constant(rw, constant);
  return b->x < 0 ? onri_rewrite_no_memory(rw) : ONR_STATUS_OK;
}

/* A product of two operands; 0 where its layer's parameters make it more than that. */
static int is_plain_product(const struct onri_node *op, int *turned) {
  if (op->layer == &onri_layer_matmul) {
    const struct onr_matmul_params *p = op->params;
    *turned = p->transpose_b;
    return !p->transpose_a && (p->scale == 0.0f || p->scale == 1.0f) && !p->clamp.enabled;
  }
  if (op->layer == &onri_layer_linear) {
    const struct onr_linear_params *p = op->params;
    *turned = !p->weight_transposed;
    return !p->clamp.enabled;
  }
  const struct onr_gemm_params *p = op->params;
  *turned = p->transpose_b;
  return op->layer == &onri_layer_gemm && !p->transpose_a && p->alpha == 1.0f && (op->num_in < 3 || p->beta == 1.0f) &&
         !p->clamp.enabled;
}

/* v is the transpose of a matrix. */
static int match_turned(const struct onri_rewrite *rw, int32_t v, int32_t *x) {
  const struct onri_node *node = onri_rewrite_match(rw, v, &onri_layer_transpose);
  if (!node || onri_rewrite_rank(rw, node->in[0]) != 2) return 0;
  const struct onr_transpose_params *p = node->params;
  *x = node->in[0];
  return p->rank == 0 || (p->rank == 2 && p->perm[0] == 1);
}

int onri_match_plain_product(const struct onri_rewrite *rw, const struct onri_node *op,
                             struct onri_plain_product *product) {
  *product = (struct onri_plain_product){.bias = ONRI_NONE};
  if (op->num_in < 2 || op->num_in > 3 || op->in[0] == ONRI_NONE || op->in[1] == ONRI_NONE ||
      !is_plain_product(op, &product->turned))
    return 0;
  product->a = op->in[0], product->b = op->in[1];
  if (match_turned(rw, product->b, &product->b)) product->turned = !product->turned;
  if (op->num_in > 2) product->bias = op->in[2];
  return onri_rewrite_rank(rw, product->b) >= 2;
}

static enum onr_status product(struct onri_rewrite *rw, struct onri_node *node, const struct target *t,
                               const struct onri_plain_product *p) {
  struct onri_quantised a, b;
  int32_t bias;
  int fits;
  if (!clips_nothing(t) || !onri_match_bytes(rw, p->a, &a) || onri_rewrite_rank(rw, p->a) < 2) return ONR_STATUS_OK;
  const int64_t columns = onri_rewrite_dim(rw, p->b, p->turned ? -2 : -1);
  if (p->bias != ONRI_NONE && (columns < 1 || onri_rewrite_rank(rw, p->bias) != 1)) return ONR_STATUS_OK;
  ONR_TRY(match_weights(rw, p->b, &b, &fits));
  if (fits) ONR_TRY(right_operand(rw, &b, p->turned, &fits));
  const struct product_steps steps = {&a, &b, (size_t)columns, t->y.step};
  if (fits) ONR_TRY(product_bias(rw, p->bias, &steps, &bias, &fits));
  if (!fits) return ONR_STATUS_OK;
  const int32_t in[] = {
      a.x, a.scale, zero_input(rw, &a), b.x, b.scale, zero_input(rw, &b), t->y.scale, zero_input(rw, &t->y), bias};
  if (in[2] < 0 || in[5] < 0 || in[7] < 0) return onri_rewrite_no_memory(rw);
  return onri_rewrite_become(rw, node, &onri_layer_qlinear_matmul, NULL, in, bias == ONRI_NONE ? 8 : 9);
}

/* A sum of a product that nobody else reads and a list is the product with a bias. */
static int match_biased_product(const struct onri_rewrite *rw, const struct onri_node *sum,
                                struct onri_plain_product *product) {
  const struct onr_binary_params *p = sum->params;
  if (p->op != ONR_BINARY_ADD || p->clamp.enabled) return 0;
  for (int side = 0; side < 2; side++) {
    const struct onri_node *op = onri_rewrite_producer(rw, sum->in[side]);
    if (!op || !multiplies(op->layer) || rw->uses[sum->in[side]] != 1 ||
        onri_rewrite_rank(rw, sum->in[1 - side]) != 1 || !onri_match_plain_product(rw, op, product) ||
        product->bias != ONRI_NONE)
      continue;
    product->bias = sum->in[1 - side];
    return 1;
  }
  return 0;
}

/* A product of bytes that is not quantized: real numbers. */
static enum onr_status real_product(struct onri_rewrite *rw, struct onri_node *op) {
  struct onri_quantised a, b;
  struct onri_plain_product p;
  int fits;
  if (!onri_match_plain_product(rw, op, &p) || !onri_match_bytes(rw, p.a, &a) || onri_rewrite_rank(rw, p.a) < 2)
    return ONR_STATUS_OK;
  const int64_t columns = onri_rewrite_dim(rw, p.b, p.turned ? -2 : -1);
  ONR_TRY(match_weights(rw, p.b, &b, &fits));
  if (fits) ONR_TRY(real_bias(rw, &p.bias, columns, &fits));
  if (fits) ONR_TRY(right_operand(rw, &b, p.turned, &fits));
  if (!fits) return ONR_STATUS_OK;
  const int32_t in[] = {a.x, b.x, a.scale, b.scale, a.zero, b.zero, p.bias};
  return onri_rewrite_become(rw, op, &onri_layer_matmul_integer_real, NULL, in, p.bias == ONRI_NONE ? 6 : 7);
}

/* A convolution of bytes that is not quantized. */
static enum onr_status real_conv(struct onri_rewrite *rw, struct onri_node *op) {
  struct onri_quantised x, w;
  const struct onr_conv_params *p = op->params;
  int32_t bias = op->num_in > 2 ? op->in[2] : ONRI_NONE;
  int fits;
  if (op->num_in > 3 || p->tail.enabled || !onri_match_bytes(rw, op->in[0], &x)) return ONR_STATUS_OK;
  ONR_TRY(match_weights(rw, op->in[1], &w, &fits));
  if (!fits || !onri_rewrite_is_constant(rw, w.x)) return ONR_STATUS_OK;
  const int64_t channels = rw->graph->values[w.x].constant->desc.dim[0];
  if (w.scales != 1 && (w.axis != 0 || (int64_t)w.scales != channels)) return ONR_STATUS_OK;
  ONR_TRY(real_bias(rw, &bias, channels, &fits));
  if (!fits) return ONR_STATUS_OK;
  const int32_t in[] = {x.x, w.x, x.scale, w.scale, x.zero, w.zero, bias};
  return onri_rewrite_become(rw, op, &onri_layer_conv_integer_real, p, in, bias == ONRI_NONE ? 6 : 7);
}

/* --- dynamic quantisation: a product in integers, then a cast, a scale and perhaps a bias --- */

/* A scale of the left side: one, known when the model runs or before. */
static int is_one_float(const struct onri_rewrite *rw, int32_t v) {
  const struct onr_desc *desc = onri_rewrite_desc(rw, v);
  return desc->dtype == ONR_DTYPE_F32 && desc->rank >= 0 && onr_desc_elements(desc) == 1;
}

/* Constant scales of the right side: one, or one a channel, which is dimension `axis` of `rank` of the result. */
static int are_scales(const struct onri_rewrite *rw, int32_t v, int64_t channels, int from_end) {
  const struct onr_desc *desc = onri_rewrite_desc(rw, v);
  if (!onri_rewrite_is_constant(rw, v) || desc->dtype != ONR_DTYPE_F32) return 0;
  if (onr_desc_elements(desc) == 1) return 1;
  return desc->rank >= from_end && onr_desc_elements(desc) == channels && desc->dim[desc->rank - from_end] == channels;
}

/* v as a list, which is what a bias or scales of channels are. */
static enum onr_status as_list(struct onri_rewrite *rw, int32_t *v) {
  const struct onri_constant *from = rw->graph->values[*v].constant;
  enum onr_status status = ONR_STATUS_OK;
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){onr_desc_elements(&from->desc)});
  if (from->desc.rank <= 1) return ONR_STATUS_OK;
  const float *values = onri_value_data(rw->graph, *v, &status, rw->error);
  ONR_TRY(status);
  *v = onri_rewrite_data(rw, &desc, values);
  return *v < 0 ? onri_rewrite_no_memory(rw) : ONR_STATUS_OK;
}

/* The sums of an integer layer, how far from the end of a result's dimensions its channels lie, and how many they are.
 */
static const struct onri_node *match_sums(const struct onri_rewrite *rw, int32_t v, int *from_end, int64_t *channels) {
  const struct onri_node *node = onri_rewrite_sole(rw, v, &onri_layer_matmul_integer);
  if (node) {
    *from_end = 1, *channels = onri_rewrite_dim(rw, node->in[1], -1);
    return node;
  }
  node = onri_rewrite_sole(rw, v, &onri_layer_conv_integer);
  if (!node || onri_rewrite_rank(rw, node->in[1]) < 3) return NULL;
  *from_end = onri_rewrite_rank(rw, node->in[1]) - 1, *channels = onri_rewrite_dim(rw, node->in[1], 0);
  return node;
}

/* factor (a_scale * b_scale, or anything of one element) times the sums as float32. */
static enum onr_status scaled_sums(struct onri_rewrite *rw, struct onri_node *node) {
  for (int side = 0; side < 2; side++) {
    int64_t channels;
    int from_end;
    const struct onri_node *cast = onri_rewrite_sole(rw, node->in[side], &onri_layer_cast);
    const struct onri_node *sums = cast ? match_sums(rw, cast->in[0], &from_end, &channels) : NULL;
    const struct onri_node *factor = onri_match_binary(rw, node->in[1 - side], ONR_BINARY_MUL);
    if (!sums || ((const struct onr_cast_params *)cast->params)->to != ONR_DTYPE_F32 || !factor) continue;
    int32_t b = factor->in[1];
    if (!is_one_float(rw, factor->in[0]) || !are_scales(rw, b, channels, from_end)) continue;
    ONR_TRY(as_list(rw, &b));
    const int32_t in[] = {sums->in[0],
                          sums->in[1],
                          factor->in[0],
                          b,
                          sums->num_in > 2 ? sums->in[2] : ONRI_NONE,
                          sums->num_in > 3 ? sums->in[3] : ONRI_NONE};
    if (sums->layer == &onri_layer_matmul_integer)
      return onri_rewrite_become(rw, node, &onri_layer_matmul_integer_real, NULL, in, 6);
    struct onr_conv_params params = *(const struct onr_conv_params *)sums->params;
    params.clamp.enabled = 0;
    return onri_rewrite_become(rw, node, &onri_layer_conv_integer_real, &params, in, 6);
  }
  return ONR_STATUS_OK;
}

/* A layer of real products without a bias, and where its channels are. */
static struct onri_node *match_real(const struct onri_rewrite *rw, int32_t v, int *from_end, int64_t *channels) {
  struct onri_node *node = onri_rewrite_sole(rw, v, &onri_layer_matmul_integer_real);
  if (!node) node = onri_rewrite_sole(rw, v, &onri_layer_conv_integer_real);
  if (!node || node->num_in > 6) return NULL;
  const int is_conv = node->layer == &onri_layer_conv_integer_real;
  if (is_conv && ((const struct onr_conv_params *)node->params)->clamp.enabled) return NULL;
  *channels = onri_rewrite_dim(rw, node->in[1], is_conv ? 0 : -1);
  *from_end = is_conv ? onri_rewrite_rank(rw, node->in[1]) - 1 : 1;
  return *from_end > 0 ? node : NULL;
}

static enum onr_status biased_sums(struct onri_rewrite *rw, struct onri_node *node) {
  for (int side = 0; side < 2; side++) {
    int64_t channels;
    int from_end;
    int32_t bias = node->in[1 - side];
    struct onri_node *product = match_real(rw, node->in[side], &from_end, &channels);
    if (!product || !are_scales(rw, bias, channels, from_end)) continue;
    const struct onr_desc *desc = onri_rewrite_desc(rw, bias);
    /* one value for all is no list of channels, and more dimensions than the product has make its result larger */
    if (onr_desc_elements(desc) != channels || desc->rank < from_end) continue;
    if (desc->rank > (product->layer == &onri_layer_conv_integer_real ? from_end + 1 : 1)) continue;
    ONR_TRY(as_list(rw, &bias));
    const int32_t in[] = {
        product->in[0], product->in[1], product->in[2], product->in[3], product->in[4], product->in[5], bias};
    const void *params = product->params;
    return onri_rewrite_become(rw, node, product->layer, params, in, 7);
  }
  return ONR_STATUS_OK;
}

static enum onr_status binary(struct onri_rewrite *rw, struct onri_node *node) {
  const struct onr_binary_params *p = node->params;
  if (p->clamp.enabled) return ONR_STATUS_OK;
  if (p->op == ONR_BINARY_MUL) return scaled_sums(rw, node);
  return p->op == ONR_BINARY_ADD ? biased_sums(rw, node) : ONR_STATUS_OK;
}

/* --- layers that only choose or move elements: they move bytes --- */

static int same_steps(const struct onri_quantised *a, const struct onri_quantised *b) {
  return a->dtype == b->dtype && a->scales == 1 && b->scales == 1 && a->step == b->step && a->offset == b->offset;
}

static int moves_input_0(const struct onri_rewrite *rw, const struct onri_node *op, enum onr_dtype dtype) {
  static const struct onr_layer *const layers[] = {
      &onri_layer_reshape,         &onri_layer_flatten,  &onri_layer_squeeze,        &onri_layer_unsqueeze,
      &onri_layer_transpose,       &onri_layer_slice,    &onri_layer_gather,         &onri_layer_expand,
      &onri_layer_identity,        &onri_layer_tile,     &onri_layer_depth_to_space, &onri_layer_space_to_depth,
      &onri_layer_gather_elements, &onri_layer_gather_nd};
  if (op->num_out != 1 || op->num_in < 1) return 0;
  if (op->layer == &onri_layer_max_pool) return is_byte(dtype);
  if (op->layer == &onri_layer_resize) {
    const struct onr_resize_params *p = op->params;
    return p->mode == ONR_RESIZE_NEAREST && p->coordinates != ONR_RESIZE_TF_CROP_AND_RESIZE;
  }
  if (op->layer == &onri_layer_pad) {
    const struct onr_pad_params *p = op->params;
    return p->mode != ONR_PAD_CONSTANT || op->num_in < 3 || op->in[2] == ONRI_NONE ||
           onri_rewrite_all_equal(rw, op->in[2], 0);
  }
  for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
    if (op->layer == layers[i]) return 1;
  return 0;
}

/* v as integers in the steps of the target, clipped as it is: what was dequantized, or quantized again; -1 when out of
 * memory. */
static int32_t in_steps_of(struct onri_rewrite *rw, int32_t v, const struct onri_node *quantize,
                           const struct target *t) {
  const struct onri_quantised *y = &t->y;
  const struct onri_origin *origin = quantize->origin;
  const void *params = quantize->params;
  struct onri_quantised x;
  struct onr_desc desc = *onri_rewrite_desc(rw, v);
  if (clips_nothing(t) && onri_match_steps(rw, v, &x) && same_steps(&x, y)) return x.x;
  if (!clips_nothing(t)) {
    const struct onr_unary_params clip = {.op = ONR_UNARY_CLIP, .alpha = (float)t->low, .beta = (float)t->high};
    v = onri_rewrite_node(rw, &onri_layer_unary, &clip, origin, &v, 1, &desc);
  }
  desc.dtype = y->dtype;
  const int32_t in[] = {v, y->scale, y->zero};
  return v < 0 ? -1
               : onri_rewrite_node(rw, &onri_layer_quantize_linear, params, origin, in, y->zero == ONRI_NONE ? 2 : 3,
                                   &desc);
}

/* What made v and is read by nobody any more, so that it is no reader of what comes before. */
static void drop(struct onri_rewrite *rw, int32_t v) {
  for (struct onri_node *node;
       (node = onri_rewrite_producer(rw, v)) && node->num_out == 1 && node->num_in > 0 && rw->uses[v] == 0;) {
    const int32_t before = node->in[0];
    onri_rewrite_remove(rw, node);
    v = before;
  }
}

/* What is chosen or moved may as well be quantized before. Maxima, too: quantizing keeps the order. */
static enum onr_status move(struct onri_rewrite *rw, struct onri_node *node, const struct target *t,
                            const struct onri_node *op) {
  struct onri_quantised x;
  int32_t in[8];
  const size_t count = (size_t)op->num_in;
  const struct onr_layer *layer = op->layer;
  const void *params = op->params;
  if (count > 8 || !onri_match_steps(rw, op->in[0], &x)) return ONR_STATUS_OK;
  const int is_pad = layer == &onri_layer_pad;
  for (size_t i = 0; i < count; i++) in[i] = op->in[i];
  if (is_pad) in[2] = zero_input(rw, &t->y);       /* what stands for 0 */
  const ptrdiff_t index = node - rw->graph->nodes; /* a new node moves them */
  in[0] = in_steps_of(rw, in[0], node, t);
  if (in[0] < 0 || (is_pad && in[2] < 0)) return onri_rewrite_no_memory(rw);
  ONR_TRY(onri_rewrite_become(rw, &rw->graph->nodes[index], layer, params, in, is_pad && count < 3 ? 3 : count));
  drop(rw, t->y.x);
  return ONR_STATUS_OK;
}

/* A part of what is split is a slice. */
static enum onr_status split(struct onri_rewrite *rw, struct onri_node *node, const struct target *t,
                             const struct onri_node *op) {
  struct onri_quantised x;
  int64_t sizes[64], place[2] = {0}, axis = ((const struct onr_split_params *)op->params)->axis;
  size_t count;
  int32_t in[4], part = 0;
  const struct onr_desc one = onr_desc_make(ONR_DTYPE_I64, 1, (int64_t[]){1});
  if (!onri_match_steps(rw, op->in[0], &x) || op->num_in < 2 || op->in[1] == ONRI_NONE ||
      !onri_rewrite_ints(rw, op->in[1], sizes, sizeof(sizes) / sizeof(sizes[0]), &count) ||
      count != (size_t)op->num_out)
    return ONR_STATUS_OK;
  while (op->out[part] != t->v) place[0] += sizes[part++];
  place[1] = place[0] + sizes[part];
  const ptrdiff_t index = node - rw->graph->nodes; /* a new node moves them */
  in[0] = in_steps_of(rw, op->in[0], node, t);
  in[1] = onri_rewrite_data(rw, &one, &place[0]);
  in[2] = onri_rewrite_data(rw, &one, &place[1]);
  in[3] = onri_rewrite_data(rw, &one, &axis);
  for (int i = 0; i < 4; i++)
    if (in[i] < 0) return onri_rewrite_no_memory(rw);
  return onri_rewrite_become(rw, &rw->graph->nodes[index], &onri_layer_slice, NULL, in, 4);
}

/* What is put together of inputs from `first` on. */
static enum onr_status join(struct onri_rewrite *rw, struct onri_node *node, const struct target *t,
                            const struct onri_node *op, size_t first) {
  struct onri_quantised x;
  const size_t count = (size_t)op->num_in;
  const struct onr_layer *layer = op->layer;
  const void *params = op->params;
  int any = 0;
  for (size_t i = first; i < count; i++) any |= onri_match_steps(rw, op->in[i], &x);
  if (!any) return ONR_STATUS_OK;
  int32_t *in = onri_arena_allocate(&rw->graph->arena, count * sizeof(*in));
  if (!in) return onri_rewrite_no_memory(rw);
  const ptrdiff_t index = node - rw->graph->nodes, op_index = op - rw->graph->nodes; /* new nodes move them */
  for (size_t i = 0; i < count; i++) {
    in[i] = rw->graph->nodes[op_index].in[i];
    if (i < first) continue;
    in[i] = in_steps_of(rw, in[i], &rw->graph->nodes[index], t);
    if (in[i] < 0) return onri_rewrite_no_memory(rw);
  }
  ONR_TRY(onri_rewrite_become(rw, &rw->graph->nodes[index], layer, params, in, count));
  drop(rw, t->y.x);
  return ONR_STATUS_OK;
}

/* --- what stays float32 --- */

/* Chains of these take and give bytes when passes are done, or only move what they get. */
static int is_light(const struct onr_layer *layer) {
  static const struct onr_layer *const layers[] = {&onri_layer_quantize_linear,
                                                   &onri_layer_dequantize_linear,
                                                   &onri_layer_cast,
                                                   &onri_layer_binary,
                                                   &onri_layer_unary,
                                                   &onri_layer_clip,
                                                   &onri_layer_reshape,
                                                   &onri_layer_flatten,
                                                   &onri_layer_squeeze,
                                                   &onri_layer_unsqueeze,
                                                   &onri_layer_transpose,
                                                   &onri_layer_slice,
                                                   &onri_layer_gather,
                                                   &onri_layer_expand,
                                                   &onri_layer_identity,
                                                   &onri_layer_split,
                                                   &onri_layer_where,
                                                   &onri_layer_tile,
                                                   &onri_layer_pad,
                                                   &onri_layer_concat};
  for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
    if (layer == layers[i]) return 1;
  return 0;
}

/* NULL: it reads nothing that was quantized, or is none to tell of. */
static const char *why_float(const struct onri_rewrite *rw, const struct onri_node *node) {
  int reads = 0, of_first = 0;
  if (!node->layer || is_light(node->layer) || node->num_out < 1 || rw->uses[node->out[0]] == 0) return NULL;
  for (int32_t i = 0; i < node->num_in; i++) {
    if (node->in[i] == ONRI_NONE || !onri_rewrite_match(rw, node->in[i], &onri_layer_dequantize_linear)) continue;
    reads = 1, of_first |= i == 0;
  }
  if (!reads) return NULL;
  if (onri_byte_pieces_takes(node->layer)) return NULL;
  if (node->layer == &onri_layer_conv_transpose)
    return "it is not quantized again, or its weights or bias are none that kernels of bytes take";
  if (!multiplies(node->layer)) return "there is no kernel of bytes for it";
  return of_first ? "its weights, scales, zero points or bias are none that kernels of bytes take"
                  : "what it multiplies its quantized weights by is not quantized";
}

static enum onr_status note_float_layers(struct onri_rewrite *rw) {
  struct onri_graph *graph = rw->graph;
  size_t count = 0;
  for (size_t i = 0; i < graph->num_nodes; i++) count += why_float(rw, &graph->nodes[i]) != NULL;
  if (count == 0) return ONR_STATUS_OK;
  struct onr_float_layer *notes = onri_arena_allocate(&graph->arena, count * sizeof(*notes));
  if (!notes) return onri_rewrite_no_memory(rw);
  graph->float_layers = notes;
  for (size_t i = 0; i < graph->num_nodes; i++) {
    const struct onri_node *node = &graph->nodes[i];
    const char *reason = why_float(rw, node);
    if (!reason) continue;
    notes[graph->num_float_layers++] =
        (struct onr_float_layer){node->layer->name, node->origin->name, node->origin->module_path, reason};
  }
  return ONR_STATUS_OK;
}

/* --- the pass --- */

static enum onr_status apply(struct onri_rewrite *rw, struct onri_node *node) {
  struct target t;
  if (!match_target(rw, node, &t)) return ONR_STATUS_OK;
  const struct onri_node *op = onri_rewrite_producer(rw, t.v);
  if (op && op->layer == &onri_layer_split) return split(rw, node, &t, op);
  if (!op || op->num_in < 1 || op->out[0] != t.v) return ONR_STATUS_OK;
  if (is_byte(t.y.dtype) && (op->layer == &onri_layer_conv || op->layer == &onri_layer_conv_transpose))
    return conv(rw, node, &t, op);
  struct onri_plain_product p;
  if (is_byte(t.y.dtype) && ((multiplies(op->layer) && onri_match_plain_product(rw, op, &p)) ||
                             (op->layer == &onri_layer_binary && match_biased_product(rw, op, &p))))
    return product(rw, node, &t, &p);
  if (op->layer == &onri_layer_concat) return join(rw, node, &t, op, 0);
  if (op->layer == &onri_layer_where && op->num_in == 3) return join(rw, node, &t, op, 1);
  return moves_input_0(rw, op, t.y.dtype) ? move(rw, node, &t, op) : ONR_STATUS_OK;
}

enum onr_status onri_pass_quantized(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule quantizing[] = {{&onri_layer_quantize_linear, apply}};
  static const struct onri_rewrite_rule others[] = {{&onri_layer_matmul, real_product},
                                                    {&onri_layer_gemm, real_product},
                                                    {&onri_layer_linear, real_product},
                                                    {&onri_layer_conv, real_conv},
                                                    {&onri_layer_binary, binary}};
  ONR_TRY(onri_rewrite_sweep(rw, quantizing, 1));
  ONR_TRY(onri_rewrite_sweep(rw, others, sizeof(others) / sizeof(others[0])));
  return note_float_layers(rw);
}
