/* dft, stft: Fourier transforms along an axis, and of overlapping frames. Sums in double; floats of any width.
 *
 * dft   x [..., n, ..., 1 or 2] -> y [..., m, ..., 2]; m is length, or length / 2 + 1 when onesided. Inverse and
 * onesided: y is real, [..., length, ..., 1], x the first half of a spectrum whose other half is its conjugate. stft  x
 * [batch, n, 1 or 2] -> y [batch, frames, bins, 2] ONNX  DFT-17..20, STFT-17
 */
#include <string.h>

#include "base/numbers/checked.h"
#include "base/numbers/convert.h"
#include "base/env.h"
#include "base/shape.h"
#include "kernels/signal/fft.h"
#include "layers/index/indices.h"
#include "layers/layers.h"

/* What the transforms of one plan share. */
struct transforms {
  struct onri_fft fft;
  void *tables;
  size_t lines, parts;
};

struct dft_state {
  int64_t outer, inner, steps; /* x viewed as [outer][steps of x][inner][parts] */
  int64_t length, out_steps;   /* of the transform; kept of it */
  int32_t parts, out_parts;    /* 1 real, 2 complex */
  int32_t inverse, onesided;
  struct transforms transforms;
};

enum { MOST_PARTS = 16 };

/* Tables for all lines, and room for a line for each part of the work. */
static enum onr_status plan_transforms(struct onr_call *c, int64_t lines, int64_t length, struct transforms *t) {
  size_t bytes, tables;
  t->lines = (size_t)lines;
  t->parts = lines < MOST_PARTS ? (size_t)lines : MOST_PARTS;
  if ((uint64_t)length > SIZE_MAX / 8)
    return onr_fail(c->error, ONR_STATUS_LIMIT, "a transform of length %lld", (long long)length);
  if (!onri_mul_size(onri_fft_room((size_t)length), sizeof(double), &bytes) ||
      !onri_mul_size(onri_fft_tables((size_t)length), sizeof(double), &tables) ||
      !onri_mul_size(bytes, t->parts, &c->scratch_bytes))
    return onr_fail(c->error, ONR_STATUS_LIMIT, "a transform of length %lld", (long long)length);
  t->tables = onr_env_allocate(c->env, tables);
  const int needs_room = onri_fft_size((size_t)length) != (size_t)length;
  double *room = t->tables && needs_room ? onr_env_allocate(c->env, bytes) : NULL; /* not kept: it is half of it all */
  if (!t->tables || (needs_room && !room))
    return onr_fail(c->error, ONR_STATUS_NO_MEMORY, "no memory for the tables of a transform of length %lld",
                    (long long)length);
  onri_fft_init(&t->fft, (size_t)length, t->tables, room, c->env);
  onr_env_release(c->env, room);
  return onri_env_poll(c->env, c->error);
}

/* --- numbers of one part, which are real, or two; `stride` bytes lie from one to the next --- */

enum { BLOCK = 128 };

static void load_numbers(enum onr_dtype dtype, const char *x, size_t stride, size_t count, size_t parts,
                         struct onri_fft_line line) {
  const size_t bytes = onr_dtype_size(dtype) * parts;
  char gathered[2 * BLOCK * sizeof(double)];
  double values[2 * BLOCK];
  for (size_t at = 0; at < count; at += BLOCK) {
    const size_t some = count - at < BLOCK ? count - at : BLOCK;
    const char *from = x + at * stride;
    for (size_t k = 0; k < some && stride != bytes; k++)
      onri_copy_element(gathered + k * bytes, from + k * stride, bytes);
    onri_load_f64(dtype, stride == bytes ? from : gathered, some * parts, values);
    for (size_t k = 0; k < some; k++) line.re[at + k] = values[k * parts];
    for (size_t k = 0; k < some; k++) line.im[at + k] = parts > 1 ? values[2 * k + 1] : 0;
  }
}

static void store_numbers(enum onr_dtype dtype, struct onri_fft_line line, size_t count, size_t parts, char *y,
                          size_t stride) {
  const size_t bytes = onr_dtype_size(dtype) * parts;
  char scattered[2 * BLOCK * sizeof(double)];
  double values[2 * BLOCK];
  for (size_t at = 0; at < count; at += BLOCK) {
    const size_t some = count - at < BLOCK ? count - at : BLOCK;
    char *to = y + at * stride;
    for (size_t k = 0; k < some; k++) values[k * parts] = line.re[at + k];
    for (size_t k = 0; k < some && parts > 1; k++) values[2 * k + 1] = line.im[at + k];
    onri_store_f64(dtype, values, some * parts, stride == bytes ? to : scattered);
    for (size_t k = 0; k < some && stride != bytes; k++)
      onri_copy_element(to + k * stride, scattered + k * bytes, bytes);
  }
}

/* --- */

/* One line through its transform. */
typedef void (*line_fn)(const struct onr_call *c, size_t line, double *room);

struct line_job {
  const struct onr_call *call;
  const struct transforms *transforms;
  line_fn line;
};

static void part_of_lines(void *context, size_t part, size_t end) {
  const struct line_job *job = context;
  const struct transforms *t = job->transforms;
  for (; part < end; part++)
    for (size_t line = part; line < t->lines && !onr_env_cancelled(job->call->env); line += t->parts)
      job->line(job->call, line, (double *)job->call->scratch + part * onri_fft_room(t->fft.length));
}

static enum onr_status run_lines(const struct onr_call *c, const struct transforms *t, line_fn line) {
  struct line_job job = {c, t, line};
  onr_parallel_for(c->env, t->parts, 1, part_of_lines, &job);
  return ONR_STATUS_OK;
}

/* Each line takes n log n butterflies, three times where the length is no power of two, of ten operations. */
static int64_t steps_of(int64_t lines, int64_t length) {
  int64_t product = (uint64_t)length > SIZE_MAX / 8 ? INT64_MAX : (int64_t)onri_fft_size((size_t)length);
  int64_t rounds = 30;
  for (int64_t n = product; n > 1; n /= 2) rounds += 30;
  return onri_mul_i64(product, rounds, &product) && onri_mul_i64(product, lines, &product) ? product : INT64_MAX;
}

static enum onr_status read_one(const struct onr_call *c, size_t i, int64_t *value) {
  size_t count;
  if (!onri_has(c, i)) return ONR_STATUS_OK;
  ONR_TRY(onri_read_ints(c, i, value, 1, &count));
  return count == 1 ? ONR_STATUS_OK : onr_fail(c->error, ONR_STATUS_SHAPE, "input %zu: expected one integer", i);
}

static enum onr_status check_length(const struct onr_call *c, int64_t length) {
  if (length >= 1 && length <= INT32_MAX) return ONR_STATUS_OK;
  return onr_fail(c->error, ONR_STATUS_ATTRIBUTE, "a transform of length %lld", (long long)length);
}

static enum onr_status dft_view(const struct onr_call *c, struct dft_state *s, int32_t *axis) {
  const struct onr_dft_params *p = c->params;
  const struct onr_desc *x = &c->in[0];
  int64_t wanted_axis = -2;
  ONR_TRY(onri_expect_rank(c, 0, 2, ONR_MAX_RANK));
  ONR_TRY(read_one(c, 2, &wanted_axis));
  ONR_TRY(onri_axis_resolve(wanted_axis, x->rank, axis, c->error));
  if (*axis == x->rank - 1)
    return onr_fail(c->error, ONR_STATUS_ATTRIBUTE, "the last dimension holds real and imaginary parts, no signal");
  if (x->dim[x->rank - 1] != 1 && x->dim[x->rank - 1] != 2)
    return onr_fail(c->error, ONR_STATUS_SHAPE, "the last dimension must be 1 (real) or 2 (complex), found %lld",
                    (long long)x->dim[x->rank - 1]);
  *s = (struct dft_state){.outer = onri_product(x, 0, *axis),
                          .inner = onri_product(x, *axis + 1, x->rank - 1),
                          .steps = x->dim[*axis],
                          .parts = (int32_t)x->dim[x->rank - 1],
                          .inverse = p->inverse,
                          .onesided = p->onesided};
  s->out_parts = p->inverse && p->onesided ? 1 : 2;
  s->length = p->inverse && p->onesided ? 2 * (s->steps - 1) : s->steps;
  ONR_TRY(read_one(c, 1, &s->length));
  ONR_TRY(check_length(c, s->length));
  s->out_steps = p->onesided && !p->inverse ? s->length / 2 + 1 : s->length;
  return ONR_STATUS_OK;
}

static enum onr_status dft_infer(struct onr_call *c) {
  struct dft_state s;
  int32_t axis;
  ONR_TRY(dft_view(c, &s, &axis));
  c->out[0] = c->in[0];
  c->out[0].dim[axis] = s.out_steps;
  c->out[0].dim[c->in[0].rank - 1] = s.out_parts;
  return ONR_STATUS_OK;
}

static enum onr_status dft_plan(struct onr_call *c) {
  struct dft_state *s = c->state;
  int32_t axis;
  ONR_TRY(dft_view(c, s, &axis));
  return plan_transforms(c, s->outer * s->inner, s->length, &s->transforms);
}

/* Cut or filled with zeros to the length; half a spectrum gets its other half. */
static void complete_line(const struct dft_state *s, size_t given, struct onri_fft_line line) {
  const size_t length = (size_t)s->length;
  memset(line.re + given, 0, (length - given) * sizeof(double));
  memset(line.im + given, 0, (length - given) * sizeof(double));
  if (!s->inverse || !s->onesided) return;
  line.im[0] = 0;
  if (length % 2 == 0) line.im[length / 2] = 0;
  for (size_t k = length / 2 + 1; k < length; k++) line.re[k] = line.re[length - k], line.im[k] = -line.im[length - k];
}

static void dft_line(const struct onr_call *c, size_t i, double *room) {
  const struct dft_state *s = c->state;
  const struct onri_fft *fft = &s->transforms.fft;
  const enum onr_dtype dtype = c->in[0].dtype;
  const size_t given = (size_t)(s->length < s->steps ? s->length : s->steps), inner = (size_t)s->inner;
  const size_t in = onr_dtype_size(dtype) * (size_t)s->parts, out = onr_dtype_size(dtype) * (size_t)s->out_parts;
  const char *x = (const char *)c->inputs[0] + (i / inner * (size_t)s->steps * inner + i % inner) * in;
  char *y = (char *)c->outputs[0] + (i / inner * (size_t)s->out_steps * inner + i % inner) * out;
  struct onri_fft_line line = onri_fft_first(fft, room);
  load_numbers(dtype, x, inner * in, given, (size_t)s->parts, line);
  complete_line(s, given, line);
  line = onri_fft_run(fft, room, s->inverse, c->env);
  store_numbers(dtype, line, (size_t)s->out_steps, (size_t)s->out_parts, y, inner * out);
}

static enum onr_status dft_run(struct onr_call *c) {
  return run_lines(c, &((const struct dft_state *)c->state)->transforms, dft_line);
}

static int64_t dft_steps(const struct onr_call *c) {
  struct dft_state s;
  int32_t axis;
  return dft_view(c, &s, &axis) == ONR_STATUS_OK ? steps_of(s.outer * s.inner, s.length) : 0;
}

static void dft_release_state(void *state, struct onr_env *env) {
  struct dft_state *s = state;
  onr_env_release(env, s->transforms.tables);
  s->transforms.tables = NULL;
}

struct stft_state {
  int64_t step, length, frames, bins;
  struct transforms transforms;
};

static enum onr_status stft_view(const struct onr_call *c, struct stft_state *s) {
  const struct onr_stft_params *p = c->params;
  const struct onr_desc *x = &c->in[0];
  ONR_TRY(onri_expect_rank(c, 0, 2, 3));
  if (x->rank == 3 && x->dim[2] != 1 && x->dim[2] != 2)
    return onr_fail(c->error, ONR_STATUS_SHAPE, "the last dimension must be 1 (real) or 2 (complex), found %lld",
                    (long long)x->dim[2]);
  s->length = 0;
  if (onri_has(c, 2)) {
    ONR_TRY(onri_expect_rank(c, 2, 1, 1));
    s->length = c->in[2].dim[0];
  }
  ONR_TRY(read_one(c, 1, &s->step));
  ONR_TRY(read_one(c, 3, &s->length));
  ONR_TRY(check_length(c, s->length));
  if (s->step < 1) return onr_fail(c->error, ONR_STATUS_ATTRIBUTE, "a frame step of %lld", (long long)s->step);
  if (onri_has(c, 2) && c->in[2].dim[0] != s->length)
    return onr_fail(c->error, ONR_STATUS_SHAPE, "a window of %lld for frames of %lld", (long long)c->in[2].dim[0],
                    (long long)s->length);
  s->frames = x->dim[1] < s->length ? 0 : 1 + (x->dim[1] - s->length) / s->step;
  s->bins = p->onesided ? s->length / 2 + 1 : s->length;
  return ONR_STATUS_OK;
}

static enum onr_status stft_infer(struct onr_call *c) {
  struct stft_state s;
  ONR_TRY(stft_view(c, &s));
  c->out[0] = onr_desc_make(c->in[0].dtype, 4, (int64_t[]){c->in[0].dim[0], s.frames, s.bins, 2});
  return ONR_STATUS_OK;
}

static enum onr_status stft_plan(struct onr_call *c) {
  struct stft_state *s = c->state;
  ONR_TRY(stft_view(c, s));
  return plan_transforms(c, c->in[0].dim[0] * s->frames, s->length, &s->transforms);
}

static void stft_line(const struct onr_call *c, size_t f, double *room) {
  const struct stft_state *s = c->state;
  const struct onr_desc *x = &c->in[0];
  const size_t size = onr_dtype_size(x->dtype), parts = x->rank == 3 ? (size_t)x->dim[2] : 1;
  const size_t length = (size_t)s->length, bins = (size_t)s->bins;
  const int64_t start = (int64_t)f / s->frames * x->dim[1] + (int64_t)f % s->frames * s->step;
  struct onri_fft_line line = onri_fft_first(&s->transforms.fft, room);
  load_numbers(x->dtype, (const char *)c->inputs[0] + (size_t)start * parts * size, parts * size, length, parts, line);
  if (onri_has(c, 2)) {
    double *window = onri_fft_other(&s->transforms.fft, room).re;
    onri_load_f64(x->dtype, c->inputs[2], length, window);
    for (size_t k = 0; k < length; k++) line.re[k] *= window[k], line.im[k] *= window[k];
  }
  line = onri_fft_run(&s->transforms.fft, room, 0, c->env);
  store_numbers(x->dtype, line, bins, 2, (char *)c->outputs[0] + f * bins * 2 * size, 2 * size);
}

static enum onr_status stft_run(struct onr_call *c) {
  return run_lines(c, &((const struct stft_state *)c->state)->transforms, stft_line);
}

static int64_t stft_steps(const struct onr_call *c) {
  struct stft_state s;
  return stft_view(c, &s) == ONR_STATUS_OK ? steps_of(c->in[0].dim[0] * s.frames, s.length) : 0;
}

static void stft_release_state(void *state, struct onr_env *env) {
  struct stft_state *s = state;
  onr_env_release(env, s->transforms.tables);
  s->transforms.tables = NULL;
}

const struct onr_layer onri_layer_dft = {.name = "dft",
                                         .inputs_min = 1,
                                         .inputs_max = 3,
                                         .outputs_min = 1,
                                         .outputs_max = 1,
                                         .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPES_INDEX, ONRI_DTYPES_INDEX},
                                         .output_type = ONR_AS_INPUT(0),
                                         .shape_inputs = 6,
                                         .params_size = sizeof(struct onr_dft_params),
                                         .state_size = sizeof(struct dft_state),
                                         .infer = dft_infer,
                                         .plan = dft_plan,
                                         .run = dft_run,
                                         .release_state = dft_release_state,
                                         .steps = dft_steps};
const struct onr_layer onri_layer_stft = {
    .name = "stft",
    .inputs_min = 2,
    .inputs_max = 4,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPES_INDEX, ONR_AS_INPUT(0), ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 10,
    .params_size = sizeof(struct onr_stft_params),
    .state_size = sizeof(struct stft_state),
    .infer = stft_infer,
    .plan = stft_plan,
    .run = stft_run,
    .release_state = stft_release_state,
    .steps = stft_steps};
