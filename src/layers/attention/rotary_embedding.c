/* rotary_embedding.c: see params/attention.h for inputs.
 *
 * output 0  X's shape and type
 * path      portable, in float32 or float64 */
#include <string.h>

#include "kernels/convert/convert.h"
#include "base/shape.h"
#include "layers/elementwise/scratch.h"
#include "params/params.h"

enum { X, COS, SIN, POSITIONS };

struct rotary_state {
  size_t batch, heads, rows, width, half;
  size_t x_batch, x_head, x_row;
  size_t table_rows; /* with positions */
  size_t cos_at, sin_at;
};

static enum onr_status table_shape(const struct onr_call *call, const struct rotary_state *s, int64_t half) {
  const struct onr_desc *cos = &call->in[COS];
  if (!onr_desc_equal(cos, &call->in[SIN]))
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected cosines and sines of one shape");
  const int has_positions = onri_has(call, POSITIONS);
  ONR_TRY(onri_expect_rank(call, COS, has_positions ? 2 : 3, has_positions ? 2 : 3));
  const int rows_fit = has_positions || (cos->dim[0] == (int64_t)s->batch && cos->dim[1] == (int64_t)s->rows);
  if (cos->dim[cos->rank - 1] != half || !rows_fit) {
    char text[96];
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected %lld angles for each position of X, found %s",
                    (long long)half, onr_desc_format(cos, text, sizeof(text)));
  }
  if (!has_positions) return ONR_STATUS_OK;
  const int64_t dims[] = {(int64_t)s->batch, (int64_t)s->rows};
  const struct onr_desc expected = onr_desc_make(ONR_DTYPE_I64, 2, dims);
  if (!onr_desc_equal(&expected, &call->in[POSITIONS]))
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected positions [%lld,%lld]", (long long)dims[0],
                    (long long)dims[1]);
  return ONR_STATUS_OK;
}

static enum onr_status shape_of(const struct onr_call *call, struct rotary_state *s) {
  const struct onr_rotary_params *p = call->params;
  const struct onr_desc *x = &call->in[X];
  ONR_TRY(onri_expect_rank(call, X, 3, 4));
  if (x->rank == 3 && (p->heads <= 0 || x->dim[2] % p->heads != 0))
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected a number of heads that divides %lld, found %lld",
                    (long long)x->dim[2], (long long)p->heads);
  const int64_t heads = x->rank == 3 ? p->heads : x->dim[1], rows = x->dim[x->rank - 2];
  const int64_t width = x->rank == 3 ? x->dim[2] / heads : x->dim[3];
  const int64_t turned = p->rotary_size == 0 ? width : p->rotary_size;
  if (turned < 0 || turned > width || turned % 2 != 0)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected an even rotary size of at most %lld, found %lld",
                    (long long)width, (long long)turned);
  s->batch = (size_t)x->dim[0];
  s->heads = (size_t)heads;
  s->rows = (size_t)rows;
  s->width = (size_t)width;
  s->half = (size_t)turned / 2;
  s->x_batch = (size_t)(heads * rows * width);
  s->x_head = (size_t)(x->rank == 3 ? width : rows * width);
  s->x_row = (size_t)(x->rank == 3 ? heads * width : width);
  s->table_rows = (size_t)call->in[COS].dim[0];
  return table_shape(call, s, turned / 2);
}

static enum onr_status rotary_infer(struct onr_call *call) {
  struct rotary_state s;
  ONR_TRY(shape_of(call, &s));
  call->out[0] = call->in[X];
  return ONR_STATUS_OK;
}

static enum onr_status rotary_plan(struct onr_call *call) {
  struct rotary_state *s = call->state;
  ONR_TRY(shape_of(call, s));
  if (onri_is_native(call->in[X].dtype)) return ONR_STATUS_OK;
  s->cos_at = onri_scratch_take(call, onri_class_bytes(&call->in[COS]));
  s->sin_at = onri_scratch_take(call, onri_class_bytes(&call->in[SIN]));
  return ONR_STATUS_OK;
}

struct job {
  const struct rotary_state *s;
  enum onr_dtype dtype;
  int interleaved;
  const char *x;
  char *y;
  const void *cos, *sin;
  const int64_t *positions;
};

enum { PAIRS = 64 };

/* Turns the pairs (a[i], b[i]) by the angles from entry `angle` of the tables on. */
static void turn_f32(const struct job *job, size_t angle, size_t count, float *a, float *b) {
  const float *cos = (const float *)job->cos + angle, *sin = (const float *)job->sin + angle;
  for (size_t i = 0; i < count; i++) {
    const float re = a[i] * cos[i] - b[i] * sin[i];
    b[i] = a[i] * sin[i] + b[i] * cos[i];
    a[i] = re;
  }
}

static void turn_f64(const struct job *job, size_t angle, size_t count, double *a, double *b) {
  const double *cos = (const double *)job->cos + angle, *sin = (const double *)job->sin + angle;
  for (size_t i = 0; i < count; i++) {
    const double re = a[i] * cos[i] - b[i] * sin[i];
    b[i] = a[i] * sin[i] + b[i] * cos[i];
    a[i] = re;
  }
}

union pairs {
  float f32[PAIRS];
  double f64[PAIRS];
};

/* `count` elements that lie `step` apart, from element `at` of x into `values`, and from there into y. */
static void read_pairs(const struct job *job, size_t at, size_t step, size_t count, union pairs *values) {
  const size_t size = onr_dtype_size(job->dtype), unit = onri_class_size(onri_dtype_class(job->dtype));
  if (step == 1) onri_widen(job->dtype, job->x + at * size, count, values);
  for (size_t i = 0; step != 1 && i < count; i++)
    onri_widen(job->dtype, job->x + (at + step * i) * size, 1, (char *)values + i * unit);
}

static void write_pairs(const struct job *job, size_t at, size_t step, size_t count, const union pairs *values) {
  const size_t size = onr_dtype_size(job->dtype), unit = onri_class_size(onri_dtype_class(job->dtype));
  if (step == 1) onri_narrow(job->dtype, values, count, job->y + at * size);
  for (size_t i = 0; step != 1 && i < count; i++)
    onri_narrow(job->dtype, (const char *)values + i * unit, 1, job->y + (at + step * i) * size);
}

/* Pairs [first, first + count) of the head at element `at`. */
static void turn_pairs(const struct job *job, size_t at, size_t angle, size_t first, size_t count) {
  const size_t step = job->interleaved ? 2 : 1, at_a = at + first * step;
  const size_t at_b = job->interleaved ? at_a + 1 : at_a + job->s->half;
  union pairs a, b;
  read_pairs(job, at_a, step, count, &a);
  read_pairs(job, at_b, step, count, &b);
  if (job->dtype == ONR_DTYPE_F64) turn_f64(job, angle + first, count, a.f64, b.f64);
  else turn_f32(job, angle + first, count, a.f32, b.f32);
  write_pairs(job, at_a, step, count, &a);
  write_pairs(job, at_b, step, count, &b);
}

static void rotary_range(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  const struct rotary_state *s = job->s;
  const size_t size = onr_dtype_size(job->dtype);
  for (size_t item = begin; item < end; item++) {
    const size_t row = item % s->rows, head = item / s->rows % s->heads, batch = item / (s->rows * s->heads);
    const size_t at = batch * s->x_batch + head * s->x_head + row * s->x_row, line = batch * s->rows + row;
    const size_t angle = (job->positions ? (size_t)job->positions[line] : line) * s->half;
    for (size_t first = 0; first < s->half; first += PAIRS)
      turn_pairs(job, at, angle, first, s->half - first < PAIRS ? s->half - first : PAIRS);
    const size_t rest = at + 2 * s->half;
    memmove(job->y + rest * size, job->x + rest * size, (s->width - 2 * s->half) * size);
  }
}

static enum onr_status rotary_run(struct onr_call *call) {
  const struct rotary_state *s = call->state;
  const struct onr_rotary_params *p = call->params;
  struct job job = {s, call->in[X].dtype, p->interleaved, call->inputs[X], call->outputs[0], NULL, NULL, NULL};
  if (onri_has(call, POSITIONS)) {
    job.positions = call->inputs[POSITIONS];
    for (size_t i = 0; i < s->batch * s->rows; i++)
      if (job.positions[i] < 0 || (size_t)job.positions[i] >= s->table_rows)
        return onr_fail(call->error, ONR_STATUS_INDEX, "expected positions between 0 and %zu, found %lld",
                        s->table_rows, (long long)job.positions[i]);
  }
  job.cos = onri_converted_input(call, COS, s->cos_at);
  job.sin = onri_converted_input(call, SIN, s->sin_at);
  onr_parallel_for(call->env, s->batch * s->heads * s->rows, 64, rotary_range, &job);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_rotary_embedding = {
    .name = "rotary_embedding",
    .inputs_min = 3,
    .inputs_max = 4,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT, ONR_AS_INPUT(0), ONR_AS_INPUT(0), ONRI_DTYPE_BIT(ONR_DTYPE_I64)},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_rotary_params),
    .state_size = sizeof(struct rotary_state),
    .infer = rotary_infer,
    .plan = rotary_plan,
    .run = rotary_run,
};
