/* binary.c: y = f(a, b) with broadcasting, one table for all functions.
 *
 * inputs    a, b   types: src/params/elementwise.h
 * output 0  y      the broadcast shape; a's type, or bool
 * paths     float32: vector kernels on rows; strings (EQUAL); everything else in tiles through a number class
 */
#include <math.h>
#include <string.h>

#include "kernels/convert/convert.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/typed.h"
#include "kernels/kernels.h"
#include "layers/elementwise/binary_classes.h"
#include "layers/elementwise/broadcast.h"
#include "layers/elementwise/elementwise_types.h"
#include "layers/layers.h"

#define BLOCK 512 /* elements that are converted at a time */

struct binary_state {
  struct onri_broadcast broadcast;
  onri_binary_kernel kernel;      /* float32 rows; NULL: function */
  onri_binary_kernel half_kernel; /* the same for tiles of types that were widened to float32 */
  onri_typed_binary typed;        /* elements as they lie in memory */
  onri_typed_binary class_kernel; /* those of the class, in tiles */
  onri_binary_function function;
  enum onri_class class; /* in which the function computes */
  uint32_t bits;
  int gives_bool;
  int divides; /* integers: look for zeros first */
};

static const struct {
  const char *name;
  uint32_t types;
  int gives_bool;
} ops[ONR_NUM_BINARY] = {
#define ONR_X(name, text, types, is_bool) [ONR_BINARY_##name] = {text, ONRI_TYPES_##types, is_bool},
    ONR_BINARY_LIST(ONR_X)
#undef ONR_X
};

static enum onr_status binary_check(const struct onr_call *call) {
  const struct onr_binary_params *p = call->params;
  if ((unsigned)p->op < ONR_NUM_BINARY) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "there is no binary function number %d", (int)p->op);
}

static uint32_t binary_types(const void *params, size_t i) {
  const enum onr_binary op = ((const struct onr_binary_params *)params)->op;
  if (i == ONR_OUTPUT_TYPE) return ops[op].gives_bool ? ONRI_DTYPE_BIT(ONR_DTYPE_BOOL) : ONR_AS_INPUT(0);
  return i == 0 || op == ONR_BINARY_POW ? ops[op].types : ONR_AS_INPUT(0);
}

static enum onr_status binary_infer(struct onr_call *call) {
  const struct onr_binary_params *p = call->params;
  ONR_TRY(onri_broadcast(&call->in[0], &call->in[1], &call->out[0], call->error));
  if (ops[p->op].gives_bool) call->out[0].dtype = ONR_DTYPE_BOOL;
  return ONR_STATUS_OK;
}

/* The class in which both operands are computed with: their own, except where POW mixes two. */
static enum onri_class common_class(enum onri_class a, enum onri_class b) {
  if (a == b) return a;
  if (a == ONRI_CLASS_I64 && b == ONRI_CLASS_U64) return ONRI_CLASS_I64;
  if (a == ONRI_CLASS_U64 && b == ONRI_CLASS_I64) return ONRI_CLASS_I64;
  return ONRI_CLASS_F64;
}

/* Two operands of the output's shape and type may be overwritten; a broadcast one is read again. */
static int32_t in_place_input(const struct onr_call *call) {
  for (int32_t i = 0; i < 2; i++)
    if (onr_desc_equal(&call->in[i], &call->out[0])) return i;
  return -1;
}

/* Types that need no conversion, and classes. */
static void choose_typed(const struct onr_call *call) {
  static const enum onr_dtype widest[] = {ONR_DTYPE_NONE, ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_I64, ONR_DTYPE_U64};
  const struct onr_binary_params *p = call->params;
  struct binary_state *s = call->state;
  const enum onr_dtype dtype = call->in[0].dtype;
  if (p->clamp.enabled) return;
  if (call->in[1].dtype == dtype) s->typed = onri_typed_binary_of(onri_kernels(typed), dtype, p->op);
  if (p->op != ONR_BINARY_POW) /* whose whole numbers are cut, and so must not be a unit too small */
    s->class_kernel = onri_typed_binary_of(onri_kernels(typed), widest[s->class], p->op);
}

static enum onr_status binary_plan(struct onr_call *call) {
  const struct onr_binary_params *p = call->params;
  struct binary_state *s = call->state;
  const struct onr_desc *operands[2] = {&call->in[0], &call->in[1]};
  const enum onr_dtype dtype = call->in[0].dtype;
  onri_broadcast_make(&s->broadcast, &call->out[0], operands, 2);
  call->in_place = in_place_input(call);
  s->gives_bool = ops[p->op].gives_bool;
  s->bits = onri_dtype_bits(dtype);
  if (dtype == ONR_DTYPE_STRING) return ONR_STATUS_OK; /* EQUAL */
  s->class = common_class(onri_dtype_class(dtype), onri_dtype_class(call->in[1].dtype));
  s->function = onri_binary_of_class(p->op, s->class);
  if (!s->function)
    return onr_fail(call->error, ONR_STATUS_TYPE, "%s is not defined on %s", ops[p->op].name, onr_dtype_name(dtype));
  s->divides = (p->op == ONR_BINARY_DIV || p->op == ONR_BINARY_MOD || p->op == ONR_BINARY_FMOD) &&
               (s->class == ONRI_CLASS_I64 || s->class == ONRI_CLASS_U64);
  if (dtype == ONR_DTYPE_F32 && call->in[1].dtype == dtype && onr_env_backend(call->env) == ONR_BACKEND_AUTO)
    s->kernel = onri_binary_kernel_f32(p->op);
  else if (s->class == ONRI_CLASS_F32 && onr_env_backend(call->env) == ONR_BACKEND_AUTO)
    s->half_kernel = onri_binary_kernel_f32(p->op);
  if (onr_env_backend(call->env) == ONR_BACKEND_AUTO) choose_typed(call);
  if (s->kernel || s->half_kernel) call->kernel = ONR_KERNEL_VECTOR;
  if (s->kernel) onri_broadcast_keep_rows(&s->broadcast, ONRI_FLOAT_ROW);
  return ONR_STATUS_OK;
}

static void run_kernel(void *context, const struct onri_tile *tile, const void *const *at) {
  const struct onr_call *call = context;
  const struct onr_binary_params *p = call->params;
  const struct binary_state *s = call->state;
  const struct onri_binary_rows rows = {.a = at[0],
                                        .b = at[1],
                                        .y = (float *)call->outputs[0] + tile->offset,
                                        .rows = tile->rows,
                                        .count = tile->count,
                                        .a_row = tile->row[0],
                                        .b_row = tile->row[1],
                                        .a_step = tile->step[0],
                                        .b_step = tile->step[1],
                                        .min = p->clamp.enabled ? p->clamp.min : -INFINITY,
                                        .max = p->clamp.enabled ? p->clamp.max : INFINITY};
  s->kernel(&rows);
}

static void run_typed(void *context, const struct onri_tile *tile, const void *const *at) {
  const struct onr_call *call = context;
  const struct binary_state *s = call->state;
  const size_t size = onr_dtype_size(call->in[0].dtype), y_size = onr_dtype_size(call->out[0].dtype);
  const struct onri_typed_rows rows = {.a = at[0],
                                       .b = at[1],
                                       .y = (char *)call->outputs[0] + tile->offset * y_size,
                                       .rows = tile->rows,
                                       .count = tile->count,
                                       .a_row = tile->row[0],
                                       .b_row = tile->row[1],
                                       .a_step = tile->step[0],
                                       .b_step = tile->step[1]};
  onri_kernels(typed)->binary_rows(s->typed, &rows, size, y_size);
}

static void clamp(enum onri_class class, const struct onr_clamp *c, void *values, size_t count) {
  float *x = values;
  double *y = values;
  if (class == ONRI_CLASS_F32)
    for (size_t i = 0; i < count; i++) x[i] = x[i] < c->min ? c->min : x[i] > c->max ? c->max : x[i];
  else if (class == ONRI_CLASS_F64)
    for (size_t i = 0; i < count; i++)
      y[i] = y[i] < (double)c->min ? (double)c->min : y[i] > (double)c->max ? (double)c->max : y[i];
}

/* An operand of a tile as values of the class: in one piece where its rows are one behind the other, or the same. */
static void load_operand(const struct onr_call *call, const struct onri_tile *tile, size_t k, const char *x,
                         uint64_t *values, size_t *row, size_t *step) {
  const struct binary_state *s = call->state;
  const enum onr_dtype dtype = call->in[k].dtype;
  const size_t count = tile->step[k] ? tile->count : 1;
  *step = tile->step[k];
  *row = tile->rows == 1 || tile->row[k] == 0 ? 0 : count;
  if (*row == 0 || tile->row[k] == count) {
    onri_widen_as(dtype, x, *row == 0 ? count : tile->rows * count, s->class, values);
    return;
  }
  for (size_t r = 0; r < tile->rows; r++)
    onri_widen_as(dtype, x + r * tile->row[k] * onr_dtype_size(dtype), count, s->class,
                  (char *)values + r * count * onri_class_size(s->class));
}

static void compute_tile(const struct onr_call *call, const struct onri_tile *tile, const void *const *at, void *y) {
  const struct onr_binary_params *p = call->params;
  const struct binary_state *s = call->state;
  const size_t size = onri_class_size(s->class), y_size = s->gives_bool ? 1 : size;
  uint64_t operand[2][BLOCK];
  struct onri_binary_rows rows = {
      .a = (float *)operand[0], .b = (float *)operand[1], .y = y, .rows = tile->rows, .count = tile->count};
  load_operand(call, tile, 0, at[0], operand[0], &rows.a_row, &rows.a_step);
  load_operand(call, tile, 1, at[1], operand[1], &rows.b_row, &rows.b_step);
  if (s->half_kernel) {
    rows.min = p->clamp.enabled ? p->clamp.min : -INFINITY;
    rows.max = p->clamp.enabled ? p->clamp.max : INFINITY;
    s->half_kernel(&rows);
    return;
  }
  if (s->class_kernel) {
    const struct onri_typed_rows typed = {operand[0], operand[1], y,           rows.rows,  rows.count,
                                          rows.a_row, rows.b_row, rows.a_step, rows.b_step};
    onri_kernels(typed)->binary_rows(s->class_kernel, &typed, size, y_size);
    return;
  }
  for (size_t r = 0; r < tile->rows; r++) {
    const struct onri_binary_values values = {.a = (const char *)operand[0] + r * rows.a_row * size,
                                              .b = (const char *)operand[1] + r * rows.b_row * size,
                                              .y = (char *)y + r * tile->count * y_size,
                                              .a_step = rows.a_step,
                                              .b_step = rows.b_step,
                                              .count = tile->count,
                                              .bits = s->bits};
    s->function(&values);
  }
  if (p->clamp.enabled && !s->gives_bool) clamp(s->class, &p->clamp, y, tile->rows * tile->count);
}

/* A tile of at most BLOCK elements, through the class. */
static void run_tile(void *context, const struct onri_tile *tile, const void *const *at) {
  const struct onr_call *call = context;
  const struct binary_state *s = call->state;
  const enum onr_dtype dtype = call->out[0].dtype;
  const size_t count = tile->rows * tile->count;
  uint64_t result[BLOCK];
  char *y = (char *)call->outputs[0] + tile->offset * onr_dtype_size(dtype);
  compute_tile(call, tile, at, s->gives_bool ? (void *)y : result);
  if (s->gives_bool) return;
  if (s->class == onri_dtype_class(dtype)) {
    onri_narrow(dtype, result, count, y);
  } else { /* POW of two classes */
    static const enum onr_dtype widest[] = {ONR_DTYPE_NONE, ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_I64, ONR_DTYPE_U64};
    const struct onri_cast cast = {.from = widest[s->class], .to = dtype, .saturate = 1};
    onri_convert_elements(&cast, result, y, count);
  }
}

static void run_strings(const struct onr_call *call, size_t begin, size_t end) {
  const struct binary_state *s = call->state;
  struct onri_tile tile;
  for (; begin < end; begin++) {
    onri_broadcast_tile(&s->broadcast, begin, end, 1, &tile);
    const struct onr_string *a = (const struct onr_string *)call->inputs[0] + tile.operand[0];
    const struct onr_string *b = (const struct onr_string *)call->inputs[1] + tile.operand[1];
    ((uint8_t *)call->outputs[0])[begin] =
        a->length == b->length && (a->length == 0 || memcmp(a->text, b->text, a->length) == 0);
  }
}

static void binary_part(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const struct binary_state *s = call->state;
  if (!s->function) {
    run_strings(call, begin, end);
    return;
  }
  const struct onri_operands operands = {{call->inputs[0], call->inputs[1]},
                                         {onr_dtype_size(call->in[0].dtype), onr_dtype_size(call->in[1].dtype)}};
  const int in_place = s->kernel || s->typed; /* computes from memory to memory, not in tiles of some elements */
  onri_broadcast_each(&s->broadcast, &operands, begin, end, in_place ? SIZE_MAX : BLOCK,
                      s->kernel  ? run_kernel
                      : s->typed ? run_typed
                                 : run_tile,
                      context);
}

static enum onr_status check_divisor(const struct onr_call *call) {
  const enum onr_dtype dtype = call->in[1].dtype;
  const size_t count = (size_t)onr_desc_elements(&call->in[1]), size = onr_dtype_size(dtype);
  const struct onri_typed_kernels *typed = onri_kernels(typed);
  const uint64_t zero = 0;
  uint8_t is_zero[8 * BLOCK];
  for (size_t i = 0; i < count; i += sizeof(is_zero)) {
    const size_t n = count - i < sizeof(is_zero) ? count - i : sizeof(is_zero);
    const struct onri_typed_rows rows = {(const char *)call->inputs[1] + i * size, &zero, is_zero, 1, n, 0, 0, 1, 0};
    typed->binary_rows(onri_typed_binary_of(typed, dtype, ONR_BINARY_EQUAL), &rows, size, 1);
    const uint8_t *found = memchr(is_zero, 1, n);
    if (found)
      return onr_fail(call->error, ONR_STATUS_ARITHMETIC, "%s division by zero: element %zu of the divisor is 0",
                      onr_dtype_name(dtype), i + (size_t)(found - is_zero));
  }
  return ONR_STATUS_OK;
}

static enum onr_status binary_run(struct onr_call *call) {
  const struct binary_state *s = call->state;
  if (s->divides && s->broadcast.total > 0) ONR_TRY(check_divisor(call));
  onri_elementwise_for(call->env, s->broadcast.total, binary_part, call);
  return ONR_STATUS_OK;
}

static uint32_t binary_kernel_types(const void *params, enum onr_kernel kernel) {
  const struct onr_binary_params *p = params;
  return kernel == ONR_KERNEL_VECTOR && onri_binary_kernel_f32(p->op) ? ops[p->op].types & ONRI_DTYPES_F32_AND_HALF : 0;
}

const struct onr_layer onri_layer_binary = {
    .name = "binary",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .flags = ONRI_LAYER_NO_PRODUCTS | ONRI_LAYER_NO_REDUCTIONS,
    .layout = ONR_LAYOUT_ELEMENTWISE,
    .params_size = sizeof(struct onr_binary_params),
    .state_size = sizeof(struct binary_state),
    .types_by_params = binary_types,
    .check = binary_check,
    .infer = binary_infer,
    .plan = ONRI_WHERE(RUN_binary, binary_plan),
    .run = ONRI_WHERE(RUN_binary, binary_run),
    .kernel_types = binary_kernel_types,
};
