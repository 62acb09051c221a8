/* fused_elementwise.c: several element-wise operations in one pass over memory, see params/elementwise.h.
 *
 * inputs    x0 ...  float32, or integers of 8 and 16 bits as the parameters say; broadcast against each other
 * output 0  y       the common shape; float32, or such integers
 * path      tiles that stay in the first-level cache; the first step reads input 0 and the last one writes y directly
 */
#include <math.h>
#include <string.h>

#include "base/shape.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/quantize/byte_pair.h"
#include "layers/elementwise/binary_classes.h"
#include "layers/elementwise/broadcast.h"
#include "layers/layers.h"
#include "layers/elementwise/unary_classes.h"
#include "layers/quantize/steps.h"

#define BLOCK 1024 /* float32 elements of a tile */
#define F32_OR_STEPS (ONRI_DTYPE_BIT(ONR_DTYPE_F32) | ONRI_DTYPES_STEPS)

struct step {
  onri_unary_kernel unary_kernel; /* tuned backend */
  onri_binary_kernel binary_kernel;
  onri_unary_function unary; /* portable backend, and functions that have no kernel */
  onri_binary_function binary;
  int is_affine; /* a product, and the next step adds to it: both are one */
};

struct chain_state {
  struct onri_broadcast broadcast;
  struct step steps[ONR_FUSED_STEPS];
  size_t most; /* elements of a tile */
  int is_pair, takes_bytes;
};

static int binary_allowed(int32_t op) {
  switch (op) {
    case ONR_BINARY_ADD:
    case ONR_BINARY_SUB:
    case ONR_BINARY_MUL:
    case ONR_BINARY_DIV:
    case ONR_BINARY_POW:
    case ONR_BINARY_MIN:
    case ONR_BINARY_MAX:
    case ONR_BINARY_PRELU: return 1;
    default: return 0;
  }
}

static int unary_allowed(int32_t op) {
  return op >= 0 && op < ONR_NUM_UNARY && op != ONR_UNARY_IS_NAN && op != ONR_UNARY_IS_INF &&
         onri_unary_of_class((enum onr_unary)op, ONRI_CLASS_F32) != NULL;
}

static enum onr_status check_step(const struct onr_call *call, int32_t k, const struct onr_fused_step *step) {
  if (step->kind == ONR_FUSED_UNARY) {
    if (unary_allowed(step->op)) return ONR_STATUS_OK;
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "step %d: unary function %d cannot be in a chain", k, step->op);
  }
  if (step->kind != ONR_FUSED_BINARY && step->kind != ONR_FUSED_REVERSED)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "step %d: there is no kind %d", k, (int)step->kind);
  if (!binary_allowed(step->op))
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "step %d: binary function %d cannot be in a chain", k, step->op);
  if (step->operand < ONR_FUSED_CONSTANT || step->operand >= (int32_t)call->num_in)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "step %d: operand %d of a chain with %zu inputs", k,
                    step->operand, call->num_in);
  return ONR_STATUS_OK;
}

static enum onr_status check_types(const struct onr_call *call, const struct onr_fused_elementwise_params *p) {
  size_t bytes = 0;
  for (size_t i = 0; i < call->num_in; i++) bytes += p->input[i].dtype != ONR_DTYPE_NONE;
  if (bytes > ONR_FUSED_BYTES)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected at most %d inputs of integers, found %zu",
                    ONR_FUSED_BYTES, bytes);
  for (size_t i = 0; i < call->num_in; i++)
    if (call->in[i].dtype != onri_steps_dtype(&p->input[i]))
      return onr_fail(call->error, ONR_STATUS_TYPE, "expected input %zu of type %s, found %s", i,
                      onr_dtype_name(onri_steps_dtype(&p->input[i])), onr_dtype_name(call->in[i].dtype));
  return ONR_STATUS_OK;
}

static enum onr_status chain_infer(struct onr_call *call) {
  const struct onr_fused_elementwise_params *p = call->params;
  struct onr_desc shape = call->in[0];
  ONR_TRY(check_types(call, p));
  const int least = p->output.dtype == ONR_DTYPE_NONE; /* other steps of the same numbers are something to do, too */
  if (p->num_steps < least || p->num_steps > ONR_FUSED_STEPS)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected %d to %d steps, found %d", least, ONR_FUSED_STEPS,
                    p->num_steps);
  for (int32_t k = 0; k < p->num_steps; k++) ONR_TRY(check_step(call, k, &p->steps[k]));
  for (size_t i = 0; i < call->num_in; i++) {
    const struct onr_desc so_far = shape;
    ONR_TRY(onri_broadcast(&so_far, &call->in[i], &shape, call->error));
  }
  call->out[0] = shape;
  call->out[0].dtype = onri_steps_dtype(&p->output);
  return ONR_STATUS_OK;
}

static int is_affine(const struct onr_fused_elementwise_params *p, int32_t k) {
  const struct onr_fused_step *product = &p->steps[k], *sum = &p->steps[k + 1];
  return k + 1 < p->num_steps && product->kind != ONR_FUSED_UNARY && product->op == ONR_BINARY_MUL &&
         !product->clamp.enabled && sum->kind != ONR_FUSED_UNARY && sum->op == ONR_BINARY_ADD;
}

static int is_8bit(const struct onr_fused_bytes *b) { return b->dtype == ONR_DTYPE_U8 || b->dtype == ONR_DTYPE_I8; }

/* What is one step, and reads input 0 as it lies, needs no room between steps. */
static size_t largest_tile(const struct onr_call *call) {
  const struct onr_fused_elementwise_params *p = call->params;
  const struct chain_state *s = call->state;
  const int is_one = p->num_steps == 1 || (p->num_steps == 2 && s->steps[0].is_affine);
  for (size_t i = 0; i < call->num_in; i++)
    if (p->input[i].dtype != ONR_DTYPE_NONE) return BLOCK;
  return is_one && p->output.dtype == ONR_DTYPE_NONE && onr_desc_equal(&call->in[0], &call->out[0]) ? SIZE_MAX : BLOCK;
}

/* A sum or product of two inputs of bytes, as bytes. */
static int is_pair(const struct onr_call *call) {
  const struct onr_fused_elementwise_params *p = call->params;
  const struct onr_fused_step *step = &p->steps[0];
  return call->num_in == 2 && p->num_steps == 1 && step->kind != ONR_FUSED_UNARY &&
         (step->op == ONR_BINARY_ADD || step->op == ONR_BINARY_MUL) && step->operand == 1 && is_8bit(&p->output) &&
         is_8bit(&p->input[0]) && is_8bit(&p->input[1]);
}

/* Elements of a row that kernels take as it is: a factor and a summand for all of it cost next to nothing. */
static size_t long_row(const struct onr_call *call) {
  enum { AFFINE_ROW = 5 };
  const struct chain_state *s = call->state;
  const int32_t last = s->broadcast.rank - 1;
  int affine = s->steps[0].is_affine;
  for (size_t i = 1; i < call->num_in; i++) affine &= s->broadcast.stride[i][last] == 0;
  return affine ? AFFINE_ROW : ONRI_FLOAT_ROW;
}

/* Elements of a tile of bytes: none of them is copied, but for operands of short rows. */
enum { PAIR_TILE = 1 << 20, PAIR_SPREAD = 2048 };

static enum onr_status chain_plan(struct onr_call *call) {
  const struct onr_fused_elementwise_params *p = call->params;
  struct chain_state *s = call->state;
  const struct onr_desc *operands[ONR_FUSED_INPUTS];
  const int tuned = onr_env_backend(call->env) == ONR_BACKEND_AUTO;
  if (tuned) call->kernel = ONR_KERNEL_VECTOR;
  for (size_t i = 0; i < call->num_in; i++) operands[i] = &call->in[i];
  onri_broadcast_make(&s->broadcast, &call->out[0], operands, call->num_in);
  for (int32_t i = (int32_t)call->num_in - 1; i >= 0; i--)
    if (onr_desc_equal(&call->in[i], &call->out[0])) call->in_place = i;
  for (int32_t k = 0; k < p->num_steps; k++) {
    const struct onr_fused_step *step = &p->steps[k];
    if (step->kind == ONR_FUSED_UNARY) {
      s->steps[k].unary = onri_unary_of_class((enum onr_unary)step->op, ONRI_CLASS_F32);
      if (tuned) s->steps[k].unary_kernel = onri_unary_kernel_f32((enum onr_unary)step->op);
    } else {
      s->steps[k].binary = onri_binary_of_class((enum onr_binary)step->op, ONRI_CLASS_F32);
      if (tuned) s->steps[k].binary_kernel = onri_binary_kernel_f32((enum onr_binary)step->op);
      s->steps[k].is_affine = tuned && is_affine(p, k);
    }
  }
  if (tuned) onri_broadcast_keep_rows(&s->broadcast, long_row(call));
  s->most = largest_tile(call);
  s->is_pair = tuned && is_pair(call);
  if (s->is_pair) s->most = s->broadcast.period ? PAIR_SPREAD : PAIR_TILE;
  s->takes_bytes = 0;
  for (size_t i = 0; i < call->num_in; i++) s->takes_bytes |= p->input[i].dtype != ONR_DTYPE_NONE;
  return ONR_STATUS_OK;
}

/* --- run --- */

/* What the steps read of a tile: `at` of input i as float32, with its distances in the tile. */
struct source {
  const float *at[ONR_FUSED_INPUTS];
  float wide[ONR_FUSED_BYTES][BLOCK]; /* bytes, widened */
};

/* Rows that repeat are widened once. */
static void widen_input(const struct onr_call *call, struct onri_tile *tile, size_t i, const void *x, float *wide) {
  const struct onr_fused_elementwise_params *p = call->params;
  const size_t count = tile->step[i] ? tile->count : 1, rows = tile->row[i] || tile->rows == 1 ? tile->rows : 1;
  if (tile->row[i] == count) {
    onri_steps_load(&p->input[i], x, 0, rows * count, wide);
    return;
  }
  for (size_t r = 0; r < rows; r++) onri_steps_load(&p->input[i], x, r * tile->row[i], count, wide + r * count);
  if (rows > 1) tile->row[i] = count;
}

static void find_sources(const struct onr_call *call, struct onri_tile *tile, const void *const *at,
                         struct source *source) {
  const struct onr_fused_elementwise_params *p = call->params;
  size_t bytes = 0;
  for (size_t i = 0; i < call->num_in; i++) {
    if (p->input[i].dtype == ONR_DTYPE_NONE) {
      source->at[i] = at[i];
      continue;
    }
    source->at[i] = source->wide[bytes];
    widen_input(call, tile, i, at[i], source->wide[bytes++]);
  }
}

static void apply_unary(const struct step *s, const struct onr_fused_step *step, const float *x, float *y,
                        size_t count) {
  const struct onr_unary_params params = {(enum onr_unary)step->op, step->alpha, step->beta};
  if (s->unary_kernel) s->unary_kernel(x, y, count, step->alpha, step->beta);
  else s->unary(x, y, count, &params);
}

static void apply_binary(const struct step *s, const struct onri_binary_rows *rows) {
  if (s->binary_kernel) {
    s->binary_kernel(rows);
    return;
  }
  for (size_t r = 0; r < rows->rows; r++) {
    float *y = rows->y + r * rows->count;
    const struct onri_binary_values values = {.a = rows->a + r * rows->a_row,
                                              .b = rows->b + r * rows->b_row,
                                              .y = y,
                                              .a_step = rows->a_step,
                                              .b_step = rows->b_step,
                                              .count = rows->count};
    s->binary(&values);
    for (size_t i = 0; i < rows->count; i++) y[i] = y[i] < rows->min ? rows->min : y[i] > rows->max ? rows->max : y[i];
  }
}

/* The tile of input i as an operand: *row and *step say how it repeats. */
static const float *operand_of(const struct source *source, const struct onr_fused_step *step,
                               const struct onri_tile *tile, size_t *row, size_t *distance) {
  if (step->operand == ONR_FUSED_CONSTANT) {
    *row = *distance = 0;
    return &step->constant;
  }
  *row = tile->row[step->operand];
  *distance = tile->step[step->operand];
  return source->at[step->operand];
}

/* v and the operand, in order. */
static struct onri_binary_rows rows_of(const struct source *source, const struct onr_fused_step *step,
                                       const struct onri_tile *tile, const float *v, float *y) {
  struct onri_binary_rows rows = {.y = y,
                                  .rows = tile->rows,
                                  .count = tile->count,
                                  .min = step->clamp.enabled ? step->clamp.min : -INFINITY,
                                  .max = step->clamp.enabled ? step->clamp.max : INFINITY};
  const float **own = step->kind == ONR_FUSED_REVERSED ? &rows.b : &rows.a;
  if (step->kind == ONR_FUSED_REVERSED) {
    rows.a = operand_of(source, step, tile, &rows.a_row, &rows.a_step);
    rows.b_row = tile->count;
    rows.b_step = 1;
  } else {
    rows.b = operand_of(source, step, tile, &rows.b_row, &rows.b_step);
    rows.a_row = tile->count;
    rows.a_step = 1;
  }
  *own = v;
  return rows;
}

/* A product and the sum behind it. */
static void affine_steps(const struct source *source, const struct onr_fused_step *steps, const struct onri_tile *tile,
                         const float *v, float *y) {
  struct onri_affine_rows rows = {.product = rows_of(source, &steps[0], tile, v, y)};
  const struct onr_clamp *clamp = &steps[1].clamp;
  rows.c = operand_of(source, &steps[1], tile, &rows.c_row, &rows.c_step);
  if (clamp->enabled) rows.product.min = clamp->min, rows.product.max = clamp->max;
  onri_kernels(elementwise)->affine(&rows);
}

/* Input 0 as a dense tile: where it lies when it is one, else unfolded into `buffer`. */
static const float *start_of(const struct source *source, const struct onri_tile *tile, float *buffer) {
  const float *x = source->at[0];
  if (tile->step[0] == 1 && (tile->rows == 1 || tile->row[0] == tile->count)) return x;
  for (size_t r = 0; r < tile->rows; r++)
    for (size_t i = 0; i < tile->count; i++) buffer[r * tile->count + i] = x[r * tile->row[0] + i * tile->step[0]];
  return buffer;
}

static void chain_tile(void *context, const struct onri_tile *given, const void *const *at) {
  const struct onr_call *call = context;
  const struct onr_fused_elementwise_params *p = call->params;
  const struct chain_state *s = call->state;
  const int to_bytes = p->output.dtype != ONR_DTYPE_NONE;
  float buffer[BLOCK];
  struct source source;
  struct onri_tile widened;
  if (s->takes_bytes) widened = *given;
  find_sources(call, &widened, at, &source);
  const struct onri_tile *tile = s->takes_bytes ? &widened : given;
  const float *v = start_of(&source, tile, buffer);
  for (int32_t k = 0; k < p->num_steps; k++) {
    const int is_affine = s->steps[k].is_affine;
    k += is_affine;
    float *y = k + 1 == p->num_steps && !to_bytes ? (float *)call->outputs[0] + tile->offset : buffer;
    if (is_affine) {
      affine_steps(&source, &p->steps[k - 1], tile, v, y);
    } else if (p->steps[k].kind == ONR_FUSED_UNARY) {
      apply_unary(&s->steps[k], &p->steps[k], v, y, tile->rows * tile->count);
    } else {
      const struct onri_binary_rows rows = rows_of(&source, &p->steps[k], tile, v, y);
      apply_binary(&s->steps[k], &rows);
    }
    v = y;
  }
  if (to_bytes) onri_steps_store(&p->output, v, tile->rows * tile->count, call->outputs[0], tile->offset);
}

/* A sum or product of bytes. */
static void pair_tile(void *context, const struct onri_tile *tile, const void *const *at) {
  const struct onr_call *call = context;
  const struct onr_fused_elementwise_params *p = call->params;
  const struct onr_fused_bytes *bytes[] = {&p->input[0], &p->input[1], &p->output};
  const struct onr_clamp *clamp = &p->steps[0].clamp;
  struct onri_byte_pair pair = {.multiplies = p->steps[0].op == ONR_BINARY_MUL,
                                .min = clamp->enabled ? clamp->min : -INFINITY,
                                .max = clamp->enabled ? clamp->max : INFINITY};
  for (size_t i = 0; i < 3; i++) {
    pair.scale[i] = bytes[i]->scale, pair.zero[i] = bytes[i]->zero;
    pair.is_signed[i] = bytes[i]->dtype == ONR_DTYPE_I8;
  }
  const struct onri_byte_pair_rows rows = {.x = {at[0], at[1]},
                                           .row = {tile->row[0], tile->row[1]},
                                           .step = {tile->step[0], tile->step[1]},
                                           .y = (char *)call->outputs[0] + tile->offset,
                                           .rows = tile->rows,
                                           .count = tile->count};
  onri_kernels(byte_pair)->combine(&pair, &rows);
}

static void chain_part(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const struct chain_state *s = call->state;
  const onri_tile_body body = s->is_pair ? pair_tile : chain_tile;
  struct onri_operands operands;
  for (size_t i = 0; i < call->num_in; i++)
    operands.x[i] = call->inputs[i], operands.size[i] = onr_dtype_size(call->in[i].dtype);
  onri_broadcast_each(&s->broadcast, &operands, begin, end, s->most, body, context);
}

static enum onr_status chain_run(struct onr_call *call) {
  const struct chain_state *s = call->state;
  onri_elementwise_for(call->env, s->broadcast.total, chain_part, call);
  return ONR_STATUS_OK;
}

static uint32_t chain_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? F32_OR_STEPS : 0;
}

const struct onr_layer onri_layer_fused_elementwise = {
    .name = "fused_elementwise",
    .inputs_min = 1,
    .inputs_max = ONR_FUSED_INPUTS,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONRI_LAYER_NO_PRODUCTS,
    .types = {F32_OR_STEPS, F32_OR_STEPS},
    .layout = ONR_LAYOUT_ELEMENTWISE,
    .params_size = sizeof(struct onr_fused_elementwise_params),
    .state_size = sizeof(struct chain_state),
    .infer = chain_infer,
    .plan = chain_plan,
    .run = chain_run,
    .kernel_types = chain_kernel_types,
};
