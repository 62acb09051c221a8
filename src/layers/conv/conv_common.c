/* conv_common.c: kernels of conv and conv_transpose.
 *
 * path  XNNPACK: channels-last, constant weights, where onri_xnn_conv_fit and the plan's sizes agree; the weights are
 *       packed in prepare; float16 and bfloat16 images are widened to float32 and narrowed again
 *       vector: channels-last; depthwise; for constant weights Winograd's method (winograd.h, images of finite
 *       numbers), or a product (conv_gemm.h)
 *       portable: everything else; weights that prepare has not packed for it are packed in each run
 */
#include <math.h>
#include <string.h>

#include "base/env.h"
#include "base/memory/blocks.h"
#include "base/numbers/checked.h"
#include "base/shape.h"
#include "kernels/conv/conv_gemm.h"
#include "kernels/conv/depthwise.h"
#include "kernels/elementwise/vecmath.h"
#include "layers/conv/conv.h"
#include "layers/conv/conv_fast.h"
#include "layers/conv/conv_product.h"
#include "layers/conv/conv_variable.h"
#include "layers/elementwise/scratch.h"

enum onr_status onri_conv_check_inputs(const struct onr_call *call, int64_t groups, int transposed) {
  ONR_TRY(onri_expect_rank(call, 0, 3, 2 + ONR_MAX_SPATIAL));
  const struct onr_desc *weight = &call->in[1];
  if (weight->rank != call->in[0].rank)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected weights of rank %d like the input, found rank %d",
                    call->in[0].rank, weight->rank);
  int64_t taps = 1;
  for (int32_t i = 2; i < weight->rank; i++) {
    if (weight->dim[i] < 1)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "the kernel of the weights has a dimension of 0");
    if (!onri_mul_i64(taps, weight->dim[i], &taps) || taps > INT32_MAX)
      return onr_fail(call->error, ONR_STATUS_LIMIT, "the kernel of the weights has more than %d taps", INT32_MAX);
  }
  if (weight->dim[0] % groups != 0)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "weights [%lld, ...] cannot be cut into %lld groups",
                    (long long)weight->dim[0], (long long)groups);
  int64_t out = weight->dim[0];
  if (transposed && !onri_mul_i64(weight->dim[1], groups, &out))
    return onr_fail(call->error, ONR_STATUS_SHAPE, "weights for %lld groups of %lld channels overflow",
                    (long long)groups, (long long)weight->dim[1]);
  if (!onri_has(call, 2)) return ONR_STATUS_OK;
  if (call->in[2].rank != 1 || call->in[2].dim[0] != out)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a bias of %lld elements, found rank %d with %lld",
                    (long long)out, call->in[2].rank, (long long)onr_desc_elements(&call->in[2]));
  return ONR_STATUS_OK;
}

int onri_conv_can_pack(const struct onr_call *call, int64_t groups, int transposed) {
  struct onr_desc in[3] = {call->in[1], call->in[1], {.dtype = ONR_DTYPE_NONE}}; /* x like the weights */
  struct onr_call known = *call;
  if (!call->inputs[1] || groups < 0) return 0;
  if (onri_has(call, 2)) in[2] = call->in[2];
  known.in = in;
  known.num_in = 3;
  known.error = NULL;
  return onri_conv_check_inputs(&known, groups == 0 ? 1 : groups, transposed) == ONR_STATUS_OK;
}

/* The clamp of sums that a residual is added to is not the kernel's, unless it adds it itself. */
static struct onri_conv without_clamp(const struct onr_call *call, const struct onri_conv *c) {
  struct onri_conv bare = *c;
  if (onri_has(call, 3)) bare.min = -INFINITY, bare.max = INFINITY;
  return bare;
}

static struct onri_xnn_conv for_xnn(const struct onr_call *call, const struct onri_conv *conv) {
  const struct onri_conv bare = without_clamp(call, conv), *c = &bare;
  return (struct onri_xnn_conv){
      .axis = {c->axis[0], c->axis[1], c->axis[2]},
      .batch = c->x.batch,
      .groups = c->groups,
      .group_in = c->group_in,
      .group_out = c->group_out,
      .transposed = c->transposed,
      .min = (float)c->min,
      .max = (float)c->max,
  };
}

static enum onr_status pack_portable(struct onr_call *call, const struct onri_conv *c, struct onri_late *weight) {
  struct onri_conv_prepared *p = call->prepared;
  const struct onri_depthwise_kernels *kernels = onri_kernels(depthwise);
  const size_t count =
      ONRI_PART(grouped) && p->grouped ? onri_grouped_floats(c, kernels) : (size_t)onr_desc_elements(&call->in[1]);
  size_t bytes;
  if (!onri_mul_size(count, onri_widened_size(call->in[1].dtype), &bytes))
    return onr_fail(call->error, ONR_STATUS_LIMIT, "the weights of this convolution do not fit in memory");
  p->weights = onri_block_recall(call->env, bytes);
  if (p->weights) return ONR_STATUS_OK;
  ONR_TRY(onri_late_read(call, weight));
  p->weights = onri_block_begin(call->env, bytes);
  if (!p->weights) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
  if (ONRI_PART(grouped) && p->grouped) onri_grouped_pack(c, kernels, weight->values, p->weights);
  else if (ONRI_HERE_F64 && onri_is_double(call->in[1].dtype)) onri_conv_pack_f64(c, weight->values, p->weights);
  else onri_conv_pack_f32(c, weight->values, p->weights);
  p->weights = onri_block_end(call->env, p->weights, bytes);
  return ONR_STATUS_OK;
}

static enum onr_status pack_tuned(struct onr_call *call, const struct onri_xnn_conv *xnn, struct onri_late *weight) {
  struct onri_conv_prepared *p = call->prepared;
  struct onri_late bias = {.input = 2};
  ONR_TRY(onri_xnn_conv_recall(&p->xnn, xnn, call->env, call->error));
  if (p->xnn.data) return ONR_STATUS_OK;
  ONR_TRY(onri_late_read(call, weight));
  enum onr_status status = onri_late_read(call, &bias);
  if (status == ONR_STATUS_OK)
    status = onri_xnn_conv_pack(&p->xnn, xnn, weight->values, bias.values, call->env, call->error);
  onri_late_release(&bias, call->env);
  return status;
}

static enum onr_status pack(struct onr_call *call, const struct onri_conv *c, enum onri_xnn_fit fit,
                            struct onri_late *weight) {
  struct onri_conv_prepared *p = call->prepared;
  const struct onri_xnn_conv xnn = for_xnn(call, c);
  const enum onr_status status = fit == ONRI_XNN_NEVER ? ONR_STATUS_LIMIT : pack_tuned(call, &xnn, weight);
  if (status == ONR_STATUS_OK) {
    p->tuned = (int32_t)fit;
    if (fit == ONRI_XNN_ALWAYS) call->packed_inputs |= onri_has(call, 2) ? 6 : 2;
  }
  if (status != ONR_STATUS_LIMIT) return status;
  ONR_TRY(pack_portable(call, c, weight));
  call->packed_inputs |= 2;
  return ONR_STATUS_OK;
}

/* No NaN and no infinity in weights or bias, if there are any. */
static enum onr_status is_finite(struct onr_call *call, struct onri_late *late, int *finite) {
  enum { MANY = 1 << 18 }; /* are worth waking threads */
  uint64_t answer;
  if (!onri_block_answer(call->env, &answer)) {
    ONR_TRY(onri_late_read(call, late));
    const size_t count = late->values ? (size_t)onr_desc_elements(&call->in[late->input]) : 0;
    answer = count < MANY ? onri_all_finite_f32(late->values, count) : onri_all_finite(call->env, late->values, count);
    onri_block_tell(call->env, answer);
  }
  *finite = answer != 0;
  return ONR_STATUS_OK;
}

/* How far XNNPACK can, given also what it does with NaN: the weights must have none, since it multiplies them by
 * padding. Our transposed kernel is faster than those of XNNPACK that lose NaN. */
static enum onr_status choose(struct onr_call *call, const struct onri_conv *c, struct onri_late *weight,
                              enum onri_xnn_fit *fit) {
  struct onri_conv_prepared *p = call->prepared;
  const struct onri_xnn_conv xnn = for_xnn(call, c);
  struct onri_late bias = {.input = 2};
  int finite_only, finite;
  *fit = ONRI_XNN_NEVER;
  ONR_TRY(is_finite(call, weight, &finite));
  if (!finite) return ONR_STATUS_OK;
  ONR_TRY(onri_xnn_conv_fit(&xnn, &finite_only, fit, call->env, call->error));
  if (*fit == ONRI_XNN_NEVER || !finite_only) return ONR_STATUS_OK;
  ONR_TRY(is_finite(call, &bias, &finite));
  onri_late_release(&bias, call->env);
  *fit = c->transposed || !finite ? ONRI_XNN_NEVER : ONRI_XNN_SOMETIMES;
  p->finite_only = 1;
  return ONR_STATUS_OK;
}

/* Our own vectors of channels are faster than XNNPACK's depthwise kernels for any number of taps, or, where vectors are
 * short, for more than those are made for. */
static int is_own(const struct onri_conv *c) {
  enum { XNNPACK_TAPS = 25 };
  return onri_conv_is_depthwise(c) && !c->transposed && (onri_depthwise_is_fast() || onri_conv_taps(c) > XNNPACK_TAPS);
}

/* Measuring asks for another one. */
static int is_passed_over(const struct onr_call *call, enum onr_method first, enum onr_method last) {
  const enum onr_method method = call->env->method;
  return method != ONR_METHOD_RULE && (method < first || method > last);
}

/* Vectors of several groups, where those of one would be mostly empty. */
static int is_grouped(const struct onr_call *call, const struct onri_conv *c) {
  const struct onri_depthwise_kernels *kernels = onri_kernels(depthwise);
  return onr_env_backend(call->env) != ONR_BACKEND_PORTABLE && onri_depthwise_is_fast() &&
         !onri_is_double(call->in[1].dtype) && onri_grouped_can(c, kernels) && onri_grouped_floats(c, kernels) > 0 &&
         !is_passed_over(call, ONR_METHOD_DEPTHWISE, ONR_METHOD_DEPTHWISE);
}

/* With dilation it sees an image for each of the places between two taps: these must be more than a tile. */
static int has_tiles(const struct onri_conv *c) {
  enum { TILE_OUTPUTS = 4 };
  for (int a = 1; a < ONR_MAX_SPATIAL; a++)
    if (c->axis[a].dilation > 1 && c->axis[a].out > 0 && c->axis[a].out < TILE_OUTPUTS * c->axis[a].dilation) return 0;
  return 1;
}

/* A pixel at a time, with nothing behind it but a clamp, and channels that fill XNNPACK's tiles: it is some 3 % faster
 * then (16 channels to 96: 15 %), and 10 % to 80 % slower with 16, 40, 48, 72, 80, 112, 144 or 320 of them, or where
 * the weights come from memory, which it waits for. */
static int suits_xnn(const struct onr_call *call, const struct onri_conv *c) {
  enum { TILE_CHANNELS = 32, NEAR_WEIGHTS = 128 << 10 };
  const struct onr_conv_params *p = call->params;
  if (c->transposed || c->groups != 1 || c->group_out % TILE_CHANNELS != 0 || p->tail.enabled || onri_has(call, 3) ||
      onri_has(call, ONRI_CONV_SCALE) || c->group_in * c->group_out > NEAR_WEIGHTS)
    return 0;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    if (c->axis[a].kernel != 1 || c->axis[a].stride != 1 || c->axis[a].begin != 0 || c->axis[a].end != 0) return 0;
  return 1;
}

/* Where measuring asks for a method, it is taken where it can be; else the rule has its say. */
static int asks_for(const struct onr_call *call, enum onr_method method) { return call->env->method == method; }

/* So many pairs of channels have weights for Winograd's method that leave the second cache: it waits for them, and
 * float16 is faster (256 channels of 14x14 pixels 1.48 ms and 0.97). */
enum { FAR_WEIGHTS = 1 << 16 };

/* In float16, where the precision may be that. */
static enum onr_status pack_half(struct onr_call *call, const struct onri_conv *c, struct onri_late *weight) {
  int finite = 0;
  if (!ONRI_HALF_LEVELS || call->env->precision != ONR_PRECISION_FAST || onri_conv_fast_why_not(call, c))
    return ONR_STATUS_OK;
  ONR_TRY(is_finite(call, weight, &finite));
  return finite ? onri_conv_fast_prepare(call, c, weight) : ONR_STATUS_OK;
}

/* Winograd's method; one of XNNPACK's kernels, where ours are not the faster ones; a product; or neither. */
static enum onr_status choose_and_pack(struct onr_call *call, const struct onri_conv *c, int tuned,
                                       struct onri_late *weight) {
  struct onri_conv_prepared *p = call->prepared;
  int product;
  const int own = onr_env_backend(call->env) != ONR_BACKEND_PORTABLE;
  if (c->group_in * c->group_out >= FAR_WEIGHTS) ONR_TRY(pack_half(call, c, weight));
  if (p->half) return ONR_STATUS_OK;
  if (own && tuned && has_tiles(c) && !is_passed_over(call, ONR_METHOD_WINOGRAD_2, ONR_METHOD_WINOGRAD_6))
    ONR_TRY(onri_conv_winograd_prepare(call, c, weight, &p->winograd));
  if (p->winograd.weights) return ONR_STATUS_OK; /* the portable kernel may need the weights as they are */
  ONR_TRY(pack_half(call, c, weight));
  if (p->half) return ONR_STATUS_OK;
  product = own && onri_conv_product_suits(call, c);
  if (product) ONR_TRY(is_finite(call, weight, &product)); /* it multiplies them by padding */
  enum onri_xnn_fit fit = ONRI_XNN_NEVER;
  const int is_wanted =
      asks_for(call, ONR_METHOD_XNNPACK) || (suits_xnn(call, c) && !asks_for(call, ONR_METHOD_PRODUCT));
  if (tuned && (!(product && onri_conv_gemm_is_fast()) || is_wanted) && onri_xnn_usable(call->env) &&
      (!onri_has(call, 2) || call->inputs[2]))
    ONR_TRY(choose(call, c, weight, &fit));
  return product && fit == ONRI_XNN_NEVER ? onri_conv_product_pack(call, c, weight) : pack(call, c, fit, weight);
}

enum onr_status onri_conv_prepare(struct onr_call *call, const struct onri_conv *c, int channels_last,
                                  int x_channels_first) {
  struct onri_conv_prepared *p = call->prepared;
  struct onri_late weight = {.input = 1};
  enum onr_status status;
  p->form = onri_conv_product_form(c, channels_last, x_channels_first);
  p->way = onri_conv_product_way(c, p->form);
  int own = is_own(c) && !is_passed_over(call, ONR_METHOD_DEPTHWISE, ONR_METHOD_DEPTHWISE);
  if (own && !channels_last) {
    p->planes = onri_depthwise_suits_planes(c) && onr_env_backend(call->env) != ONR_BACKEND_PORTABLE;
    if (p->planes) ONR_TRY(is_finite(call, &weight, &p->planes));
    own = p->planes;
  }
  p->grouped = ONRI_PART(grouped) && channels_last && !x_channels_first && is_grouped(call, c);
  if (own || p->grouped || (c->transposed && !channels_last && p->form != ONRI_CONV_FIRST) ||
      onri_is_double(call->in[1].dtype))
    status = pack(call, c, ONRI_XNN_NEVER, &weight);
  else status = choose_and_pack(call, c, channels_last && !x_channels_first, &weight);
  onri_late_release(&weight, call->env);
  return status;
}

static int is_tuned(const struct onri_conv_state *s) { return s->op || s->kept || s->pieces.count; }

/* Transposed weights are packed with each operator that is made, and little depends on the sizes: one operator for all
 * plans. So with one tap a channel, where nothing does. */
static int is_shared(const struct onri_xnn_conv *c) {
  int64_t taps = 1;
  for (int32_t d = 0; d < ONR_MAX_SPATIAL; d++) taps *= c->axis[d].kernel;
  return c->transposed || (taps == 1 && c->group_in == 1 && c->group_out == 1);
}

/* Makes the session's operator this plan's, when it is one of the same convolution. */
static enum onr_status use_kept(struct onr_call *call, struct onri_conv_kept *k, size_t *scratch_bytes) {
  const struct onri_conv_prepared *p = call->prepared;
  struct onri_conv_state *s = call->state;
  int fits = 0;
  k->user = NULL;
  if (k->op) ONR_TRY(onri_xnn_conv_resize(&k->op, &k->xnn, &s->xnn, 1, &fits, scratch_bytes, call->env, call->error));
  if (!k->op) {
    ONR_TRY(onri_xnn_conv_plan(&k->op, &p->xnn, &s->xnn, scratch_bytes, call->env, call->error));
    fits = k->op != NULL;
  }
  if (!fits) return ONR_STATUS_OK;
  k->xnn = s->xnn;
  k->user = s;
  return ONR_STATUS_OK;
}

/* What a retired plan has, or a new operator. */
static enum onr_status make_own(struct onr_call *call, size_t *scratch_bytes) {
  const struct onri_conv_prepared *p = call->prepared;
  struct onri_conv_state *s = call->state, *retired = call->retired;
  int fits = 0;
  if (retired && retired->op) {
    s->op = retired->op;
    retired->op = NULL;
    ONR_TRY(onri_xnn_conv_resize(&s->op, &retired->xnn, &s->xnn, 0, &fits, scratch_bytes, call->env, call->error));
    if (fits) return ONR_STATUS_OK;
    onri_xnn_delete(s->op);
    s->op = NULL;
  }
  return onri_xnn_conv_plan(&s->op, &p->xnn, &s->xnn, scratch_bytes, call->env, call->error);
}

static enum onr_status plan_tuned(struct onr_call *call) {
  const struct onri_conv_prepared *p = call->prepared;
  struct onri_conv_state *s = call->state;
  size_t bytes;
  if (p->tuned == ONRI_XNN_NEVER) return ONR_STATUS_OK;
  s->xnn = for_xnn(call, &s->conv);
  ONR_TRY(onri_conv_pieces_plan(&s->pieces, &s->xnn, onri_conv_multiply_adds(&s->conv), &p->xnn, &bytes, call->env,
                                call->error));
  if (!s->pieces.count && call->kept && is_shared(&s->xnn)) {
    ONR_TRY(use_kept(call, call->kept, &bytes));
    if (((struct onri_conv_kept *)call->kept)->user == s) s->kept = call->kept;
  }
  if (!s->pieces.count && !s->kept) ONR_TRY(make_own(call, &bytes));
  if (!is_tuned(s) && p->tuned == ONRI_XNN_ALWAYS)
    return onr_fail(call->error, ONR_STATUS_LIMIT,
                    "a convolution of these sizes is beyond what its packed weights were made for");
  if (!is_tuned(s)) return ONR_STATUS_OK;
  call->kernel = ONR_KERNEL_XNNPACK;
  call->method = ONR_METHOD_XNNPACK;
  /* A widened x lies before this and is read past its end too. */
  return onri_scratch_reserve(call, bytes + ONR_SLACK_BYTES, &s->scratch);
}

enum onr_status onri_conv_plan(struct onr_call *call, const struct onri_conv *c, const struct onr_clamp *clamp,
                               const struct onr_tail *tail) {
  const struct onri_conv_prepared *p = call->prepared;
  struct onri_conv_state *s = call->state;
  size_t bytes;
  s->conv = *c;
  ONR_TRY(onri_conv_tail_plan(call, clamp, tail, &s->tail));
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  ONR_TRY(onri_widened_plan(call, &call->in[0], &s->x));
  ONR_TRY(onri_widened_plan(call, &call->out[0], &s->y));
  if (onri_has(call, 3)) ONR_TRY(onri_widened_plan(call, &call->in[3], &s->residual));
  if (onri_has(call, ONRI_CONV_SCALE))
    ONR_TRY(onri_conv_scale_plan(call, p->product ? onri_conv_product_floats(c, p) : 0, &s->scaled));
  if (ONRI_HALF_LEVELS && p->half) return onri_conv_fast_plan(call);
  if (call->env->precision == ONR_PRECISION_FAST) call->note = onri_conv_fast_why_not(call, c);
  if (p->product) return onri_conv_product_plan(call);
  ONR_TRY(plan_tuned(call));
  if (is_tuned(s) && !p->finite_only) return ONR_STATUS_OK;
  s->winograd = ONRI_PART(winograd) && p->winograd.weights && onr_env_backend(call->env) != ONR_BACKEND_PORTABLE;
  if (ONRI_PART(winograd) && s->winograd) {
    ONR_TRY(onri_conv_winograd_plan(call, c, &p->winograd, &s->winograd_plan, &s->scratch));
    call->kernel = ONR_KERNEL_VECTOR;
    call->method = onri_conv_winograd_method(&p->winograd);
  }
  s->depthwise = onr_env_backend(call->env) != ONR_BACKEND_PORTABLE &&
                 (p->grouped || onri_depthwise_can(c) || (p->planes && onri_depthwise_can_planes(c))) &&
                 (p->grouped || is_own(c)) && !onri_is_double(call->in[0].dtype);
  if (s->depthwise && !is_tuned(s)) call->kernel = ONR_KERNEL_VECTOR, call->method = ONR_METHOD_DEPTHWISE;
  call->exact = s->depthwise && !is_tuned(s) && !s->winograd;
  if (call->method == ONR_METHOD_RULE) call->method = ONR_METHOD_DIRECT;
  s->weight = s->packed = s->bias = ONRI_WIDENED_IN_PLACE;
  if (onri_has(call, 2)) ONR_TRY(onri_widened_plan(call, &call->in[2], &s->bias));
  if (p->weights) return ONR_STATUS_OK;
  if (!onri_mul_size((size_t)onr_desc_elements(&call->in[1]), onri_widened_size(call->in[1].dtype), &bytes))
    bytes = SIZE_MAX;
  ONR_TRY(onri_widened_plan(call, &call->in[1], &s->weight));
  if (ONRI_PART(variable) && !s->winograd && !is_tuned(s)) ONR_TRY(onri_conv_variable_plan(call));
  return onri_scratch_reserve(call, bytes, &s->packed);
}

/* y is as it was computed, not yet narrowed. residual: that the kernel did not add. */
static void apply_tail(struct onr_call *call, const void *residual, void *y) {
  const struct onri_conv_state *s = call->state;
  onri_conv_tail_all(&s->tail, call->in[0].dtype, residual, y, (size_t)onr_desc_elements(&call->out[0]), call->env);
}

static void run_depthwise(struct onr_call *call, const struct onri_conv *c, const float *x, const float *weights,
                          const float *bias, float *y, int with_tail) {
  const struct onri_conv_prepared *p = call->prepared;
  const struct onri_conv_state *s = call->state;
  const onri_depthwise_tail tail = with_tail ? onri_conv_tail_apply : NULL;
  if (ONRI_PART(grouped) && p->grouped)
    onri_grouped_f32(c, onri_kernels(depthwise), x, weights, bias, y, tail, &s->tail, call->env);
  else onri_depthwise_f32(c, x, weights, bias, y, tail, &s->tail, call->env);
}

static enum onr_status run_portable(struct onr_call *call) {
  const struct onri_conv_prepared *p = call->prepared;
  const struct onri_conv_state *s = call->state;
  const int wide = ONRI_HERE_F64 && onri_is_double(call->in[0].dtype);
  const void *x = onri_widened_input(call, 0, s->x), *bias = onri_widened_input(call, 2, s->bias);
  void *y = onri_widened_output(call, 0, s->y);
  const void *weights = p->weights;
  if (!weights) {
    const void *weight = onri_widened_input(call, 1, s->weight);
    void *packed = (unsigned char *)call->scratch + s->packed;
    if (wide) onri_conv_pack_f64(&s->conv, weight, packed);
    else onri_conv_pack_f32(&s->conv, weight, packed);
    weights = packed;
  }
  const struct onri_conv bare = without_clamp(call, &s->conv);
  const int with_tail = !onri_has(call, 3) && onri_conv_has_tail(&s->tail);
  if (s->depthwise) run_depthwise(call, &bare, x, weights, bias, y, with_tail);
  else if (wide) onri_conv_direct_f64(&bare, x, weights, bias, y, call->env);
  else onri_conv_direct_f32(&bare, x, weights, bias, y, call->env);
  if (!s->depthwise || !with_tail) apply_tail(call, onri_widened_input(call, 3, s->residual), y);
  onri_widened_finish(call, 0, s->y);
  return ONR_STATUS_OK;
}

/* 0: the portable kernel must tell. */
static int run_winograd(struct onr_call *call) {
  const struct onri_conv_prepared *p = call->prepared;
  const struct onri_conv_state *s = call->state;
  const float *x = onri_widened_input(call, 0, s->x), *bias = onri_widened_input(call, 2, s->bias);
  float *y = onri_widened_output(call, 0, s->y);
  void *scratch = (unsigned char *)call->scratch + s->scratch;
  const float *residual = onri_widened_input(call, 3, s->residual);
  if (!onri_winograd_f32(&s->conv, &s->winograd_plan, x, p->winograd.weights, bias, residual, y, scratch, call->env))
    return 0;
  apply_tail(call, NULL, y);
  onri_widened_finish(call, 0, s->y);
  return 1;
}

/* With the sizes of this plan. */
static enum onr_status find_operator(struct onr_call *call, struct xnn_operator **op) {
  const struct onri_conv_state *s = call->state;
  size_t bytes;
  *op = s->op;
  if (!s->kept) return ONR_STATUS_OK;
  if (s->kept->user != s) ONR_TRY(use_kept(call, s->kept, &bytes));
  if (s->kept->user != s) return onr_fail(call->error, ONR_STATUS_INTERNAL, "a convolution no longer fits");
  *op = s->kept->op;
  return ONR_STATUS_OK;
}

static enum onr_status run_chosen(struct onr_call *call) {
  const struct onri_conv_prepared *p = call->prepared;
  const struct onri_conv_state *s = call->state;
  struct xnn_operator *op;
  if (ONRI_HALF_LEVELS && p->half) return onri_conv_fast_run(call);
  if (p->product) return onri_conv_product_run(call);
  if (ONRI_PART(winograd) && s->winograd && run_winograd(call)) return ONR_STATUS_OK;
  if (ONRI_PART(variable) && s->variable && onri_conv_variable_run(call)) return ONR_STATUS_OK;
  if (!is_tuned(s)) return run_portable(call);
  const float *x = onri_widened_input(call, 0, s->x);
  if (p->finite_only && !onri_all_finite(call->env, x, (size_t)onr_desc_elements(&call->in[0])))
    return run_portable(call);
  float *y = onri_widened_output(call, 0, s->y);
  void *scratch = (unsigned char *)call->scratch + s->scratch;
  if (s->pieces.count) {
    ONR_TRY(onri_conv_pieces_run(&s->pieces, &s->conv, scratch, x, y, call->env, call->error));
  } else {
    ONR_TRY(find_operator(call, &op));
    ONR_TRY(onri_xnn_conv_run(op, &s->xnn, scratch, x, y, call->env, call->error));
  }
  apply_tail(call, onri_widened_input(call, 3, s->residual), y);
  onri_widened_finish(call, 0, s->y);
  return ONR_STATUS_OK;
}

enum onr_status onri_conv_run(struct onr_call *call) {
  const struct onri_conv_prepared *p = call->prepared;
  const struct onri_conv_state *s = call->state;
  struct onr_call scaled = *call;
  const void *inputs[ONRI_CONV_SCALE];
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  if (!onri_has(call, ONRI_CONV_SCALE) || p->product) return run_chosen(call);
  memcpy(inputs, call->inputs, sizeof(inputs));
  inputs[0] = (unsigned char *)call->scratch + s->scaled;
  onri_conv_scale_image(call, &s->conv, (float *)(void *)((unsigned char *)call->scratch + s->scaled));
  scaled.inputs = inputs;
  scaled.num_in = ONRI_CONV_SCALE;
  return run_chosen(&scaled);
}

void onri_conv_release_state(void *state, struct onr_env *env) {
  struct onri_conv_state *s = state;
  (void)env;
  onri_conv_pieces_release(&s->pieces);
  onri_xnn_delete(s->op);
  s->op = NULL;
  if (s->kept && s->kept->user == s) s->kept->user = NULL;
}

void onri_conv_release_kept(void *kept, struct onr_env *env) {
  struct onri_conv_kept *k = kept;
  (void)env;
  onri_xnn_delete(k->op);
  k->op = NULL;
}

void onri_conv_release_prepared(void *prepared, struct onr_env *env) {
  struct onri_conv_prepared *p = prepared;
  onri_xnn_packed_release(&p->xnn, env);
  onr_env_release(env, p->weights);
  onr_env_release(env, p->product);
  onr_env_release(env, p->product_bias);
  onr_env_release(env, p->half);
  onr_env_release(env, p->winograd.weights);
  p->winograd.weights = NULL;
  p->weights = p->product = p->product_bias = NULL;
  p->half = NULL;
}

uint32_t onri_conv_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_PORTABLE ? 0 : ONRI_DTYPES_F32_AND_HALF; /* VECTOR: depthwise, Winograd */
}

int64_t onri_conv_multiply_adds(const struct onri_conv *c) {
  const struct onri_image *image = c->transposed ? &c->x : &c->y; /* each of its pixels meets every tap */
  return ONRI_STEPS(image->batch, image->size[0], image->size[1], image->size[2], onri_conv_taps(c), c->groups,
                    c->group_in, c->group_out);
}

/* Kernels compute this many output channels at once; where there are fewer, it takes nearly as long. */
enum { TILE = 16 };

/* Pairs of a pixel and a tap along an axis; those in padding take no time. */
static int64_t pairs(const struct onri_conv *c, int i) {
  const int64_t in = c->x.size[i], out = c->y.size[i], taps = c->axis[i].kernel;
  const int64_t most = in > out ? in : out, least = in < out ? in : out;
  return taps < most ? ONRI_STEPS(least, taps) : ONRI_STEPS(least, most);
}

int64_t onri_conv_steps(const struct onri_conv *c) {
  const int64_t channels = c->group_out < 1 || c->group_out >= TILE ? c->group_out : TILE;
  return ONRI_STEPS(c->x.batch, pairs(c, 0), pairs(c, 1), pairs(c, 2), c->groups, c->group_in, channels);
}
