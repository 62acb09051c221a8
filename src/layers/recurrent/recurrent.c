/* recurrent.c: plan and run of the recurrent layers. */
#include "layers/recurrent/recurrent.h"
#include "kernels/convert/convert.h"

#include <math.h>
#include <string.h>

#include "base/env.h"
#include "base/shape.h"
#include "kernels/matmul/gemm.h"
#include "layers/elementwise/scratch.h"

/* --- plan --- */

static const enum onr_recurrent_activation defaults[][3] = {
    [ONRI_LSTM] = {ONR_RECURRENT_SIGMOID, ONR_RECURRENT_TANH, ONR_RECURRENT_TANH},
    [ONRI_GRU] = {ONR_RECURRENT_SIGMOID, ONR_RECURRENT_TANH, ONR_RECURRENT_DEFAULT},
    [ONRI_RNN] = {ONR_RECURRENT_TANH, ONR_RECURRENT_DEFAULT, ONR_RECURRENT_DEFAULT},
};
static const size_t functions_of[] = {[ONRI_LSTM] = 3, [ONRI_GRU] = 2, [ONRI_RNN] = 1};

static void resolve_functions(const struct onr_call *call, enum onri_recurrent_kind kind,
                              struct onri_recurrent_state *s) {
  const struct onr_recurrent_params *p = call->params;
  s->usual = !p->has_clip && !p->input_forget;
  for (size_t i = 0; i < functions_of[kind] * s->shape.directions; i++) {
    const enum onr_recurrent_activation usual = defaults[kind][i % functions_of[kind]];
    s->functions[i] = p->functions[i];
    if (s->functions[i].kind == ONR_RECURRENT_DEFAULT) s->functions[i].kind = usual;
    if (s->functions[i].kind != usual) s->usual = 0;
  }
}

static size_t rows_of(const struct onri_recurrent_shape *shape) {
  return onri_size_of((size_t[]){shape->steps, shape->batch}, 2);
}

/* Of what dynamic_quantize_lstm multiplies in bytes. */
static void take_bytes(struct onr_call *call, struct onri_recurrent_state *s) {
  const struct onri_recurrent_prepared *prepared = call->prepared;
  const struct onri_recurrent_shape *h = &s->shape;
  const size_t n = h->gates * h->hidden;
  s->input_bytes = (struct onri_byte_gates){
      .directions = h->directions, .k = h->input, .n = n, .input = ONRI_W, .scale = ONRI_W_SCALE};
  s->recurrent_bytes = (struct onri_byte_gates){
      .directions = h->directions, .k = h->output, .n = n, .input = ONRI_R, .scale = ONRI_R_SCALE};
  onri_byte_gates_plan(call, &s->input_bytes, prepared->input_bytes, rows_of(h));
  onri_byte_gates_plan(call, &s->recurrent_bytes, prepared->recurrent_bytes,
                       onri_size_of((size_t[]){h->directions, h->batch}, 2));
}

static void take_scratch(struct onr_call *call, enum onri_recurrent_kind kind, struct onri_recurrent_state *s) {
  const struct onri_recurrent_shape *h = &s->shape;
  const enum onr_dtype dtype = call->in[ONRI_X].dtype;
  const size_t size = onri_class_size(onri_dtype_class(dtype));
  const size_t states =
      onri_size_of((size_t[]){h->directions, h->batch, h->hidden, size}, 4); /* of h no more: output <= hidden */
  for (size_t i = 0; i < call->num_in; i++)
    if (onri_has(call, i) && i != ONRI_LENGTHS && !onri_is_native(dtype))
      s->operand_at[i] = onri_scratch_take(call, onri_class_bytes(&call->in[i]));
  s->bias_at = onri_scratch_take(call, onri_size_of((size_t[]){h->directions, h->gates + 1, h->hidden, size}, 4));
  s->gates_at =
      onri_scratch_take(call, onri_size_of((size_t[]){rows_of(h), h->directions, h->gates, h->hidden, size}, 5));
  s->product_at = onri_scratch_take(call, onri_size_of((size_t[]){states, h->gates}, 2));
  s->h_at = onri_scratch_take(call, states);
  s->m_at = h->projects ? onri_scratch_take(call, states) : 0;
  s->c_at = kind == ONRI_LSTM ? onri_scratch_take(call, states) : 0;
  s->z_at = kind == ONRI_GRU ? onri_scratch_take(call, states) : 0;
  s->rh_at = kind == ONRI_GRU ? onri_scratch_take(call, states) : 0;
  if (!onri_is_native(dtype) && call->num_out > 0) s->y_at = onri_scratch_take(call, onri_class_bytes(&call->out[0]));
}

/* All steps' products with the input, as one; pointers are missing. */
static struct onri_gemm input_product(const struct onri_recurrent_shape *s) {
  const size_t columns = s->directions * s->gates * s->hidden;
  return (struct onri_gemm){.m = s->steps * s->batch,
                            .n = columns,
                            .k = s->input,
                            .a_row = s->input,
                            .a_col = 1,
                            .b_row = 1,
                            .b_col = s->input,
                            .c_row = columns,
                            .alpha = 1.0};
}

enum onr_status onri_recurrent_plan(struct onr_call *call, enum onri_recurrent_kind kind) {
  const struct onri_recurrent_prepared *prepared = call->prepared;
  struct onri_recurrent_state *s = call->state;
  ONR_TRY(onri_recurrent_shape(call, kind, &s->shape));
  resolve_functions(call, kind, s);
  take_scratch(call, kind, s);
  if (call->in[ONRI_X].dtype == ONR_DTYPE_F64) return ONR_STATUS_OK;
  call->kernel = ONR_KERNEL_VECTOR;
  if (s->shape.steps == 0 || s->shape.batch == 0) return ONR_STATUS_OK;
  if (onri_recurrent_in_bytes(call)) {
    take_bytes(call, s);
    return ONR_STATUS_OK;
  }
  const struct onri_gemm product = input_product(&s->shape);
  s->input = onri_sgemm_plan(&product, prepared->input ? ONRI_SGEMM_PACKED : ONRI_SGEMM_PLAIN, 1,
                             onr_threads_count(call->env->threads));
  s->work_at = onri_scratch_take(call, s->input.scratch_bytes);
  return ONR_STATUS_OK;
}

uint32_t onri_recurrent_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPES_F32_AND_HALF : 0;
}

/* --- run --- */

/* One run. Pointers are to float32 or float64. */
struct walk {
  struct onr_call *call;
  const struct onr_recurrent_params *params;
  struct onri_recurrent_state *s;
  struct onri_recurrent_shape shape;
  enum onri_recurrent_kind kind;
  enum onri_class class;
  size_t size, first_gates; /* first_gates: see onri_recurrent_first_gates */
  const char *r, *peephole, *projection;
  char *bias, *gates, *product, *h, *c, *z, *rh;
  char *m; /* what cells give, to be projected to h; NULL: cells give h */
  char *y; /* NULL when not wanted */
  const int32_t *lengths;
  const void *input_bytes, *recurrent_bytes; /* packed; NULL: weights are no bytes */
};

static char *scratch(const struct walk *w, size_t at) { return (char *)w->call->scratch + at; }

static void add_bias(const struct walk *w, const void *b) {
  const struct onri_recurrent_shape *s = &w->shape;
  const size_t gate_bytes = s->hidden * w->size;
  memset(w->bias, 0, s->directions * (s->gates + 1) * gate_bytes);
  if (!b) return;
  for (size_t d = 0; d < s->directions; d++) {
    const char *from = (const char *)b + d * 2 * s->gates * gate_bytes, *recurrent = from + s->gates * gate_bytes;
    char *to = w->bias + d * (s->gates + 1) * gate_bytes;
    memcpy(to, from, s->gates * gate_bytes);
    for (size_t i = 0; i < s->gates * s->hidden; i++) {
      /* GRU's gate h takes its recurrent bias inside the product with r: it goes to the last row */
      const size_t target = w->kind == ONRI_GRU && i >= 2 * s->hidden ? i + s->hidden : i;
      if (w->class == ONRI_CLASS_F64) ((double *)to)[target] += ((const double *)recurrent)[i];
      else ((float *)to)[target] += ((const float *)recurrent)[i];
    }
  }
}

enum { TILE_ROWS = 64, TILE_COLUMNS = 256 };

struct input_product {
  struct onri_gemm gemm;
  enum onri_class class;
  size_t across;
};

static void input_tiles(void *context, size_t begin, size_t end) {
  const struct input_product *p = context;
  for (size_t tile = begin; tile < end; tile++) {
    const size_t row = tile / p->across * TILE_ROWS, column = tile % p->across * TILE_COLUMNS;
    const size_t rows = p->gemm.m - row < TILE_ROWS ? p->gemm.m - row : TILE_ROWS;
    const size_t columns = p->gemm.n - column < TILE_COLUMNS ? p->gemm.n - column : TILE_COLUMNS;
    const struct onri_gemm part = onri_gemm_part(p->class, &p->gemm, row, rows, column, columns);
    onri_gemm(p->class, &part);
  }
}

/* All steps' products with the input. */
static void multiply_input(const struct walk *w, const void *x, const void *weights) {
  const struct onri_recurrent_prepared *prepared = w->call->prepared;
  struct onri_gemm gemm = input_product(&w->shape);
  if (w->input_bytes) {
    const struct onri_byte_gates *g = &w->s->input_bytes;
    onri_byte_gates_multiply(w->call, g,
                             &(struct onri_byte_gates_product){.columns = w->input_bytes,
                                                               .directions = g->directions,
                                                               .x = x,
                                                               .rows = gemm.m,
                                                               .y = (float *)(void *)w->gates,
                                                               .y_direction = g->n,
                                                               .y_row = gemm.n},
                             w->call->env);
    return;
  }
  gemm.a = x, gemm.b = weights, gemm.c = w->gates;
  if (w->class == ONRI_CLASS_F32) {
    const struct onri_sgemm_batch batch = {.gemm = gemm, .packed = prepared->input, .batches = 1};
    onri_sgemm_run(&batch, &w->s->input, (float *)(void *)scratch(w, w->s->work_at), w->call->env);
    return;
  }
  struct input_product p = {gemm, w->class, (gemm.n + TILE_COLUMNS - 1) / TILE_COLUMNS};
  onr_parallel_for(w->call->env, (gemm.m + TILE_ROWS - 1) / TILE_ROWS * p.across, 1, input_tiles, &p);
}

/* State arrays are [directions][batch][width] inside, whatever the layout outside is. */
static size_t outside_state(const struct walk *w, size_t d, size_t b, size_t width) {
  return (w->params->layout ? b * w->shape.directions + d : d * w->shape.batch + b) * width;
}

static void load_state(const struct walk *w, char *state, size_t width, const void *initial) {
  const struct onri_recurrent_shape *s = &w->shape;
  if (!state) return;
  for (size_t d = 0; d < s->directions; d++)
    for (size_t b = 0; b < s->batch; b++) {
      char *to = state + (d * s->batch + b) * width * w->size;
      if (!initial) memset(to, 0, width * w->size);
      else memcpy(to, (const char *)initial + outside_state(w, d, b, width) * w->size, width * w->size);
    }
}

static void store_state(const struct walk *w, const char *state, size_t width, size_t output) {
  const struct onri_recurrent_shape *s = &w->shape;
  const enum onr_dtype dtype = w->call->in[ONRI_X].dtype;
  if (output >= w->call->num_out || !w->call->outputs[output]) return;
  for (size_t d = 0; d < s->directions; d++)
    for (size_t b = 0; b < s->batch; b++)
      onri_narrow(dtype, state + (d * s->batch + b) * width * w->size, width,
                  (char *)w->call->outputs[output] + outside_state(w, d, b, width) * onr_dtype_size(dtype));
}

/* to [batch, n] = x [batch, k] times weights [n, k], or packed ones. */
static void multiply(const struct walk *w, const float *packed, const char *x, size_t k, const char *weights, size_t n,
                     char *to, size_t step) {
  if (packed) {
    onri_sgemm_rows(packed, n, k, (const float *)(const void *)x, w->shape.batch, (float *)(void *)to, step & 1);
    return;
  }
  const struct onri_gemm gemm = {.m = w->shape.batch,
                                 .n = n,
                                 .k = k,
                                 .a = x,
                                 .a_row = k,
                                 .a_col = 1,
                                 .b = weights,
                                 .b_row = 1,
                                 .b_col = k,
                                 .c = to,
                                 .c_row = n,
                                 .alpha = 1.0};
  onri_gemm(w->class, &gemm);
}

/* The same of all of direction d's gates, which are bytes. Directions are shared out among threads already. */
static void multiply_state_bytes(const struct walk *w, size_t d, const char *h) {
  const struct onri_byte_gates *g = &w->s->recurrent_bytes;
  struct onr_env alone = *w->call->env;
  alone.threads = NULL;
  onri_byte_gates_multiply(
      w->call, g,
      &(struct onri_byte_gates_product){.columns = w->recurrent_bytes,
                                        .first = d,
                                        .directions = 1,
                                        .x = (const float *)(const void *)h,
                                        .rows = w->shape.batch,
                                        .y = (float *)(void *)w->product + d * w->shape.batch * g->n,
                                        .y_row = g->n},
      &alone);
}

/* Product of the first or second part of direction d's gates with h [batch, output]. */
static void multiply_state(const struct walk *w, size_t d, size_t part, const char *h, size_t step) {
  const struct onri_recurrent_prepared *prepared = w->call->prepared;
  const struct onri_recurrent_shape *s = &w->shape;
  if (w->recurrent_bytes) {
    multiply_state_bytes(w, d, h);
    return;
  }
  const size_t gate = d * s->gates + (part ? w->first_gates : 0),
               gates = part ? s->gates - w->first_gates : w->first_gates;
  const char *r = w->r ? w->r + gate * s->hidden * s->output * w->size : NULL;
  multiply(w, prepared->recurrent[d][part], h, s->output, r, gates * s->hidden,
           w->product + gate * s->batch * s->hidden * w->size, step);
}

static size_t length_of(const struct walk *w, size_t b) { return !w->lengths ? w->shape.steps : (size_t)w->lengths[b]; }

/* The time that sequence b is at in step number `step` of direction d. */
static size_t time_of(const struct walk *w, size_t d, size_t b, size_t step) {
  const int reverse = d == 1 || w->params->direction == ONR_DIRECTION_REVERSE;
  return reverse ? length_of(w, b) - 1 - step : step;
}

static struct onri_cell cell_of(const struct walk *w, size_t d, size_t b, size_t time) {
  const struct onri_recurrent_shape *s = &w->shape;
  const size_t row = w->params->layout ? b * s->steps + time : time * s->batch + b, line = s->hidden * w->size;
  const char *x = w->gates + (row * s->directions + d) * s->gates * line, *bias = w->bias + d * (s->gates + 1) * line;
  const char *product = w->product + d * s->gates * s->batch * line;
  const size_t state = (d * s->batch + b) * line;
  struct onri_cell cell = {.hidden = s->hidden, .h = (w->m ? w->m : w->h) + state, .bias_r = bias + s->gates * line};
  for (size_t g = 0; g < s->gates; g++) {
    cell.x[g] = x + g * line;
    cell.r[g] = product + (g < w->first_gates ? b * w->first_gates + g : w->first_gates * s->batch + b) * line;
    cell.bias[g] = bias + g * line;
  }
  if (w->peephole)
    for (size_t g = 0; g < 3; g++) cell.peephole[g] = w->peephole + (d * 3 + g) * line;
  if (w->kind == ONRI_LSTM) cell.c = w->c + state;
  if (w->kind == ONRI_GRU) {
    cell.z = w->z + state;
    cell.rh = w->rh + state;
  }
  return cell;
}

static void write_y(const struct walk *w, size_t d, size_t b, size_t time, const void *h) {
  const struct onri_recurrent_shape *s = &w->shape;
  if (!w->y) return;
  const size_t row =
      w->params->layout ? (b * s->steps + time) * s->directions + d : (time * s->directions + d) * s->batch + b;
  char *to = w->y + row * s->output * w->size;
  if (!h) memset(to, 0, s->output * w->size);
  else memcpy(to, h, s->output * w->size);
}

enum cell_part { WHOLE, GRU_GATES, GRU_FINISH };

/* The cells of all sequences that are still running. */
static void run_cells(const struct walk *w, const struct onri_cell_form *form, size_t d, size_t step,
                      enum cell_part part) {
  for (size_t b = 0; b < w->shape.batch; b++) {
    if (step >= length_of(w, b)) {
      if (part != GRU_GATES) write_y(w, d, b, step, NULL);
      continue;
    }
    const size_t time = time_of(w, d, b, step);
    const struct onri_cell cell = cell_of(w, d, b, time);
    if (part == GRU_GATES) onri_gru_gates(w->class, form, &cell);
    else if (part == GRU_FINISH) onri_gru_finish(w->class, form, &cell);
    else if (w->kind == ONRI_LSTM) onri_lstm_cell(w->class, form, &cell);
    else if (w->kind == ONRI_GRU) onri_gru_cell(w->class, form, &cell);
    else onri_rnn_cell(w->class, form, &cell);
    if (part != GRU_GATES && !w->m) write_y(w, d, b, time, cell.h);
  }
}

/* h of the sequences that are still running, from what their cells gave. The products with the last h are done with. */
static void project(const struct walk *w, size_t d, size_t step) {
  const struct onri_recurrent_prepared *prepared = w->call->prepared;
  const struct onri_recurrent_shape *s = &w->shape;
  const size_t line = s->output * w->size;
  const char *weights = w->projection ? w->projection + d * s->output * s->hidden * w->size : NULL;
  char *result = w->product + d * s->gates * s->batch * s->hidden * w->size;
  multiply(w, prepared->projection[d], w->m + d * s->batch * s->hidden * w->size, s->hidden, weights, s->output, result,
           step);
  for (size_t b = 0; b < s->batch; b++) {
    if (step >= length_of(w, b)) continue;
    char *h = w->h + (d * s->batch + b) * line;
    memcpy(h, result + b * line, line);
    write_y(w, d, b, time_of(w, d, b, step), h);
  }
}

static void run_step(const struct walk *w, const struct onri_cell_form *form, size_t d, size_t step) {
  const struct onri_recurrent_shape *s = &w->shape;
  const size_t state = d * s->batch * s->output * w->size;
  multiply_state(w, d, 0, w->h + state, step);
  if (w->first_gates == s->gates) {
    run_cells(w, form, d, step, WHOLE);
    if (w->m) project(w, d, step);
    return;
  }
  run_cells(w, form, d, step, GRU_GATES);
  multiply_state(w, d, 1, w->rh + state, step);
  run_cells(w, form, d, step, GRU_FINISH);
}

static void run_directions(void *context, size_t begin, size_t end) {
  const struct walk *w = context;
  for (size_t d = begin; d < end; d++) {
    const struct onri_cell_form form = {.functions = w->s->functions + d * functions_of[w->kind],
                                        .has_clip = w->params->has_clip,
                                        .input_forget = w->params->input_forget,
                                        .linear_before_reset = w->params->linear_before_reset,
                                        .clip = (double)w->params->clip,
                                        .usual = w->s->usual};
    for (size_t step = 0; step < w->shape.steps && !onr_env_cancelled(w->call->env); step++)
      run_step(w, &form, d, step);
  }
}

/* Two directions are worth waking a thread for when they take more than some microseconds. */
static void walk_all(struct walk *w, const void *x, const void *weights) {
  const struct onri_recurrent_shape *s = &w->shape;
  const double work = (double)s->steps * (double)s->batch * (double)s->gates * (double)s->hidden * (double)s->output;
  multiply_input(w, x, weights);
  onr_parallel_for(w->call->env, s->directions, work < 1e5 ? s->directions : 1, run_directions, w);
}

static enum onr_status check_lengths(const struct walk *w) {
  for (size_t b = 0; w->lengths && b < w->shape.batch; b++)
    if (w->lengths[b] < 0 || (size_t)w->lengths[b] > w->shape.steps)
      return onr_fail(w->call->error, ONR_STATUS_INDEX, "expected sequence_lens between 0 and %zu, found %d",
                      w->shape.steps, (int)w->lengths[b]);
  return ONR_STATUS_OK;
}

static void point(struct walk *w) {
  const struct onri_recurrent_state *s = w->s;
  const struct onr_call *call = w->call;
  w->bias = scratch(w, s->bias_at);
  w->gates = scratch(w, s->gates_at);
  w->product = scratch(w, s->product_at);
  w->h = scratch(w, s->h_at);
  if (w->kind == ONRI_LSTM) w->c = scratch(w, s->c_at);
  if (w->shape.projects) {
    w->m = scratch(w, s->m_at);
    memset(w->m, 0, w->shape.directions * w->shape.batch * w->shape.hidden * w->size); /* of ended sequences */
  }
  if (w->kind == ONRI_GRU) {
    w->z = scratch(w, s->z_at);
    w->rh = scratch(w, s->rh_at);
    memset(w->rh, 0, w->shape.directions * w->shape.batch * w->shape.hidden * w->size); /* of ended sequences */
  }
  if (call->num_out > 0 && call->outputs[0])
    w->y = onri_is_native(call->in[ONRI_X].dtype) ? call->outputs[0] : scratch(w, s->y_at);
  w->lengths = onri_has(call, ONRI_LENGTHS) ? call->inputs[ONRI_LENGTHS] : NULL;
}

enum onr_status onri_recurrent_run(struct onr_call *call, enum onri_recurrent_kind kind) {
  struct onri_recurrent_state *s = call->state;
  const enum onr_dtype dtype = call->in[ONRI_X].dtype;
  const struct onri_recurrent_prepared *prepared = call->prepared;
  const int packed = prepared->input || onri_recurrent_in_bytes(call);
  struct walk w = {.call = call, .params = call->params, .s = s, .shape = s->shape, .kind = kind};
  const void *operand[ONRI_PROJECTION + 1] = {NULL};
  w.class = onri_dtype_class(dtype);
  w.size = onri_class_size(w.class);
  w.first_gates = onri_recurrent_first_gates(call->params, kind, s->shape.gates);
  point(&w);
  ONR_TRY(check_lengths(&w));
  for (size_t i = 0; i < call->num_in && i <= ONRI_PROJECTION; i++)
    if (i != ONRI_LENGTHS && !(packed && (i == ONRI_W || i == ONRI_R || i == ONRI_PROJECTION)))
      operand[i] = onri_converted_input(call, i, s->operand_at[i]);
  w.r = operand[ONRI_R];
  w.peephole = operand[ONRI_PEEPHOLE];
  w.projection = operand[ONRI_PROJECTION];
  add_bias(&w, operand[ONRI_BIAS]);
  load_state(&w, w.h, s->shape.output, operand[ONRI_H]);
  load_state(&w, w.c, s->shape.hidden, operand[ONRI_C]);
  if (s->shape.steps > 0 && s->shape.batch > 0) {
    if (onri_recurrent_in_bytes(call)) {
      w.input_bytes = onri_byte_gates_begin(call, &s->input_bytes, prepared->input_bytes);
      w.recurrent_bytes = onri_byte_gates_begin(call, &s->recurrent_bytes, prepared->recurrent_bytes);
    }
    walk_all(&w, operand[ONRI_X], operand[ONRI_W]);
  }
  store_state(&w, w.h, s->shape.output, 1);
  store_state(&w, w.c, s->shape.hidden, 2);
  if (w.y && !onri_is_native(dtype))
    onri_convert(call->env, dtype, w.y, call->outputs[0], (size_t)onr_desc_elements(&call->out[0]), 1);
  return ONR_STATUS_OK;
}
