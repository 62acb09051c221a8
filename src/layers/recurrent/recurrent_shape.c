/* recurrent_shape.c: see recurrent_shape.h. Packing depends on the weights' shapes alone. */
#include "layers/recurrent/recurrent_shape.h"

#include "base/env.h"
#include "base/memory/blocks.h"
#include "base/shape.h"
#include "kernels/matmul/sgemm.h"
#include "layers/elementwise/scratch.h"
#include "layers/recurrent/byte_gates.h"

static size_t gates_of(enum onri_recurrent_kind kind) { return kind == ONRI_LSTM ? 4 : kind == ONRI_GRU ? 3 : 1; }

static const char *const input_names[] = {"X",         "W",         "R", "B",         "sequence_lens",
                                          "initial_h", "initial_c", "P", "projection"};
static const char *const step_names[] = {"W_scale", "W_zero_point", "R_scale", "R_zero_point"};

static const char *name_of(const struct onr_call *call, size_t i) {
  return onri_recurrent_in_bytes(call) && i >= ONRI_W_SCALE ? step_names[i - ONRI_W_SCALE] : input_names[i];
}

/* Input i has these dimensions, if it is there. */
static enum onr_status expect_dims(const struct onr_call *call, size_t i, int32_t rank, const int64_t *dims) {
  if (!onri_has(call, i)) return ONR_STATUS_OK;
  const struct onr_desc expected = onr_desc_make(call->in[i].dtype, rank, dims);
  if (onr_desc_equal(&expected, &call->in[i])) return ONR_STATUS_OK;
  char text[96], found[96];
  return onr_fail(call->error, ONR_STATUS_SHAPE, "expected input %zu (%s) as %s, found %s", i, name_of(call, i),
                  onr_desc_format(&expected, text, sizeof(text)), onr_desc_format(&call->in[i], found, sizeof(found)));
}

static int has_projection(const struct onr_call *call) {
  return onri_has(call, ONRI_PROJECTION) && !onri_recurrent_in_bytes(call);
}

static enum onr_status check_ranks(const struct onr_call *call) {
  ONR_TRY(onri_expect_rank(call, ONRI_X, 3, 3));
  if (has_projection(call)) ONR_TRY(onri_expect_rank(call, ONRI_PROJECTION, 3, 3));
  return onri_expect_rank(call, ONRI_R, 3, 3);
}

/* W or R [directions, rows, columns], the last two the other way round in bytes. */
static enum onr_status expect_weights(const struct onr_call *call, size_t i, int64_t directions, int64_t rows,
                                      int64_t columns) {
  const int turned = onri_recurrent_in_bytes(call);
  return expect_dims(call, i, 3, (int64_t[]){directions, turned ? columns : rows, turned ? rows : columns});
}

/* Scales and zero points of bytes are there, [directions] or [directions, rows]. */
static enum onr_status expect_steps(const struct onr_call *call, int64_t directions, int64_t rows) {
  for (size_t i = ONRI_W_SCALE; i < ONRI_RECURRENT_INPUTS; i++) {
    if (!onri_has(call, i))
      return onr_fail(call->error, ONR_STATUS_ARITY, "input %zu (%s) is missing", i, name_of(call, i));
    ONR_TRY(expect_dims(call, i, call->in[i].rank == 1 ? 1 : 2, (int64_t[]){directions, rows}));
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_recurrent_shape(const struct onr_call *call, enum onri_recurrent_kind kind,
                                     struct onri_recurrent_shape *shape) {
  const struct onr_recurrent_params *p = call->params;
  ONR_TRY(check_ranks(call));
  const struct onr_desc *x = &call->in[ONRI_X];
  const int64_t directions = p->direction == ONR_DIRECTION_BOTH ? 2 : 1, gates = (int64_t)gates_of(kind);
  const int projects = has_projection(call);
  const int64_t hidden = p->hidden_size != 0 ? p->hidden_size
                         : projects          ? call->in[ONRI_PROJECTION].dim[2]
                                             : call->in[ONRI_R].dim[onri_recurrent_in_bytes(call) ? 1 : 2];
  const int64_t output = projects ? call->in[ONRI_PROJECTION].dim[1] : hidden;
  const int64_t steps = x->dim[p->layout ? 1 : 0], batch = x->dim[p->layout ? 0 : 1], input = x->dim[2];
  if (hidden < 0 || hidden > INT64_MAX / 16)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a hidden size that agrees with R, found %lld",
                    (long long)hidden);
  if (output > hidden)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a projection to at most %lld elements, found %lld",
                    (long long)hidden, (long long)output);
  const int64_t rows = gates * hidden, both = 2 * rows;
  const int64_t states[] = {p->layout ? batch : directions, p->layout ? directions : batch, hidden};
  if (projects) ONR_TRY(expect_dims(call, ONRI_PROJECTION, 3, (int64_t[]){directions, output, hidden}));
  ONR_TRY(expect_weights(call, ONRI_R, directions, rows, output));
  ONR_TRY(expect_weights(call, ONRI_W, directions, rows, input));
  if (onri_recurrent_in_bytes(call)) ONR_TRY(expect_steps(call, directions, rows));
  ONR_TRY(expect_dims(call, ONRI_BIAS, 2, (int64_t[]){directions, both}));
  ONR_TRY(expect_dims(call, ONRI_LENGTHS, 1, &batch));
  ONR_TRY(expect_dims(call, ONRI_H, 3, (int64_t[]){states[0], states[1], output}));
  ONR_TRY(expect_dims(call, ONRI_C, 3, states));
  ONR_TRY(expect_dims(call, ONRI_PEEPHOLE, 2, (int64_t[]){directions, 3 * hidden}));
  *shape = (struct onri_recurrent_shape){(size_t)steps,      (size_t)batch, (size_t)input,  (size_t)hidden,
                                         (size_t)directions, (size_t)gates, (size_t)output, projects};
  return ONR_STATUS_OK;
}

enum onr_status onri_recurrent_infer(struct onr_call *call, enum onri_recurrent_kind kind) {
  const struct onr_recurrent_params *p = call->params;
  const enum onr_dtype dtype = call->in[ONRI_X].dtype;
  struct onri_recurrent_shape s;
  ONR_TRY(onri_recurrent_shape(call, kind, &s));
  const int64_t steps = (int64_t)s.steps, batch = (int64_t)s.batch, directions = (int64_t)s.directions;
  for (size_t i = 0; i < call->num_out; i++) {
    const int64_t hidden = (int64_t)(i == 2 ? s.hidden : s.output);
    if (i == 0)
      call->out[0] = p->layout ? onr_desc_make(dtype, 4, (int64_t[]){batch, steps, directions, hidden})
                               : onr_desc_make(dtype, 4, (int64_t[]){steps, directions, batch, hidden});
    else
      call->out[i] = p->layout ? onr_desc_make(dtype, 3, (int64_t[]){batch, directions, hidden})
                               : onr_desc_make(dtype, 3, (int64_t[]){directions, batch, hidden});
  }
  return ONR_STATUS_OK;
}

int64_t onri_recurrent_multiply_adds(const struct onr_call *call, enum onri_recurrent_kind kind) {
  struct onri_recurrent_shape s;
  if (onri_recurrent_shape(call, kind, &s) != ONR_STATUS_OK) return 0;
  const size_t gates = onri_size_of((size_t[]){s.gates, s.hidden, s.input + s.output}, 3);
  const size_t projection = s.projects ? onri_size_of((size_t[]){s.hidden, s.output}, 2) : 0;
  const size_t step = gates > SIZE_MAX - projection ? SIZE_MAX : gates + projection;
  const size_t product = onri_size_of((size_t[]){s.steps, s.batch, s.directions, step}, 4);
  return (uint64_t)product > INT64_MAX ? INT64_MAX : (int64_t)product;
}

/* Each time step of each sequence takes a call and activations, however few units there are. */
int64_t onri_recurrent_steps(const struct onr_call *call, enum onri_recurrent_kind kind) {
  enum { STEP = 256 };
  struct onri_recurrent_shape s;
  if (onri_recurrent_shape(call, kind, &s) != ONR_STATUS_OK) return 0;
  return ONRI_STEPS((int64_t)s.steps, (int64_t)s.batch, (int64_t)s.directions, STEP);
}

/* --- packing --- */

/* A constant of float32 or of a narrower type. */
static int is_packable(const struct onr_call *call, size_t i) {
  const struct onr_desc *desc = &call->in[i];
  return call->inputs[i] && onri_is_f32_or_narrower(desc->dtype) && desc->dtype == call->in[ONRI_W].dtype &&
         desc->rank == 3 && onr_desc_elements(desc) > 0 && desc->dim[0] == call->in[ONRI_W].dim[0];
}

static int can_pack(const struct onr_call *call, enum onri_recurrent_kind kind) {
  const struct onr_desc *w = &call->in[ONRI_W], *r = &call->in[ONRI_R];
  const int64_t gates = (int64_t)gates_of(kind);
  if (onr_env_backend(call->env) != ONR_BACKEND_AUTO || !is_packable(call, ONRI_W) || !is_packable(call, ONRI_R))
    return 0;
  if (w->dim[0] > 2 || w->dim[1] != r->dim[1]) return 0;
  if (!onri_has(call, ONRI_PROJECTION)) return r->dim[1] == gates * r->dim[2];
  const struct onr_desc *p = &call->in[ONRI_PROJECTION];
  return is_packable(call, ONRI_PROJECTION) && p->dim[1] == r->dim[2] && r->dim[1] == gates * p->dim[2];
}

/* Weights [n, k], from element `first` of the input on. */
static enum onr_status pack_one(struct onr_call *call, struct onri_late *w, size_t first, size_t n, size_t k,
                                float **packed) {
  const size_t bytes = onri_size_of((size_t[]){onri_sgemm_packed_floats(n, k), sizeof(float)}, 2);
  *packed = onri_block_recall(call->env, bytes);
  if (*packed) return ONR_STATUS_OK;
  ONR_TRY(onri_env_expect(call->env, bytes, call->error));
  ONR_TRY(onri_late_read(call, w));
  *packed = onri_block_begin(call->env, bytes);
  if (!*packed) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for packed weights");
  onri_sgemm_pack((const float *)w->values + first, 1, k, n, k, *packed, call->env);
  *packed = onri_block_end(call->env, *packed, bytes);
  return ONR_STATUS_OK;
}

static enum onr_status pack(struct onr_call *call, enum onri_recurrent_kind kind, struct onri_late *w,
                            struct onri_late *r, struct onri_late *projection) {
  struct onri_recurrent_prepared *prepared = call->prepared;
  const struct onr_desc *dims = &call->in[ONRI_W];
  const size_t gates = gates_of(kind), first = onri_recurrent_first_gates(call->params, kind, gates);
  const size_t directions = (size_t)dims->dim[0], hidden = (size_t)dims->dim[1] / gates,
               output = (size_t)call->in[ONRI_R].dim[2];
  ONR_TRY(pack_one(call, w, 0, directions * gates * hidden, (size_t)dims->dim[2], &prepared->input));
  for (size_t d = 0; d < directions; d++) {
    for (size_t gate = 0, part = 0; gate < gates; gate += first, part++)
      ONR_TRY(pack_one(call, r, (d * gates + gate) * hidden * output, (part ? gates - first : first) * hidden, output,
                       &prepared->recurrent[d][part]));
    if (projection) ONR_TRY(pack_one(call, projection, d * output * hidden, output, hidden, &prepared->projection[d]));
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_recurrent_prepare(struct onr_call *call, enum onri_recurrent_kind kind) {
  struct onri_late w = {.input = ONRI_W}, r = {.input = ONRI_R}, projection = {.input = ONRI_PROJECTION};
  struct onri_recurrent_prepared *prepared = call->prepared;
  if (onri_recurrent_in_bytes(call)) {
    ONR_TRY(onri_byte_gates_prepare(call, ONRI_W, &prepared->input_bytes));
    return onri_byte_gates_prepare(call, ONRI_R, &prepared->recurrent_bytes);
  }
  if (!can_pack(call, kind)) return ONR_STATUS_OK;
  const int projects = onri_has(call, ONRI_PROJECTION);
  const enum onr_status status = pack(call, kind, &w, &r, projects ? &projection : NULL);
  onri_late_release(&w, call->env);
  onri_late_release(&r, call->env);
  onri_late_release(&projection, call->env);
  if (status == ONR_STATUS_OK)
    call->packed_inputs |= 1u << ONRI_W | 1u << ONRI_R | (projects ? 1u << ONRI_PROJECTION : 0);
  return status;
}

static void release(float **packed, struct onr_env *env) {
  onr_env_release(env, *packed);
  *packed = NULL;
}

static void release_bytes(void **packed, struct onr_env *env) {
  onr_env_release(env, *packed);
  *packed = NULL;
}

void onri_recurrent_release_prepared(void *prepared, struct onr_env *env) {
  struct onri_recurrent_prepared *p = prepared;
  release(&p->input, env);
  release_bytes(&p->input_bytes, env);
  release_bytes(&p->recurrent_bytes, env);
  for (int d = 0; d < 2; d++) {
    for (int part = 0; part < ONRI_MAX_PARTS; part++) release(&p->recurrent[d][part], env);
    release(&p->projection[d], env);
  }
}
