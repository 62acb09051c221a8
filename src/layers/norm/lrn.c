/* lrn.c: local response normalisation, y = x / (bias + alpha / size * sum of x^2 over `size` neighbouring
 * channels)^beta.
 *
 * input 0   x  [N, C, ...] (rank from 2), or channels-last
 * output 0  y  like x
 * ONNX      LRN-1..13
 * path      portable: any float; the sum of squares is taken in float64, in time that does not depend on size
 */
#include <math.h>

#include "base/env.h"
#include "base/shape.h"
#include "kernels/elementwise/typed.h"
#include "kernels/kernels.h"
#include "layers/layers.h"
#include "layers/elementwise/scratch.h"
#include "layers/elementwise/widened.h"

enum { PARTS = 16, POWER = 32 /* operations */, WIDE = 32, BATCH = 64 };

struct lrn_state {
  int64_t outer, channels, inner;
  size_t x, y, sums;
};

struct work {
  const struct lrn_state *s;
  const struct onr_lrn_params *p;
  const void *x;
  void *y;
  double *sums; /* [parts][channels] for windows that are wide */
  int wide;
  const struct onr_env *env;
};

static enum onr_status lrn_infer(struct onr_call *call) {
  const struct onr_lrn_params *p = call->params;
  ONR_TRY(onri_expect_rank(call, 0, 2, ONR_MAX_RANK));
  if (p->size < 1 || p->size >= INT32_MAX)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected size from 1 to %d, found %lld", INT32_MAX - 1,
                    (long long)p->size);
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static int is_wide(const struct onr_lrn_params *p) { return p->size > WIDE; }

static size_t parts_of(const struct lrn_state *s) {
  return (size_t)(s->outer * s->inner < PARTS ? s->outer * s->inner : PARTS);
}

static enum onr_status lrn_plan(struct onr_call *call) {
  const struct onr_lrn_params *p = call->params;
  struct lrn_state *s = call->state;
  const struct onr_desc *x = &call->in[0];
  const int32_t axis = p->channels_last ? x->rank - 1 : 1;
  s->outer = onri_product(x, 0, axis);
  s->channels = x->dim[axis];
  s->inner = onri_product(x, axis + 1, x->rank);
  if (is_wide(p)) {
    const size_t elements = onri_size_of((const size_t[]){parts_of(s), (size_t)s->channels}, 2);
    ONR_TRY(onri_scratch_reserve(call, elements > SIZE_MAX / sizeof(double) ? SIZE_MAX : elements * sizeof(double),
                                 &s->sums));
  }
  ONR_TRY(onri_widened_plan(call, x, &s->x));
  return onri_widened_plan(call, &call->out[0], &s->y);
}

static double square_at(const struct work *w, int64_t i) {
  const double v = w->wide ? ((const double *)w->x)[i] : (double)((const float *)w->x)[i];
  return v * v;
}

static void add_squares(const struct work *w, int64_t from, int64_t count, double *sum) {
  if (w->wide) {
    const double *x = (const double *)w->x + from;
    for (int64_t i = 0; i < count; i++) sum[i] += x[i] * x[i];
  } else {
    const float *x = (const float *)w->x + from;
    for (int64_t i = 0; i < count; i++) sum[i] += (double)x[i] * (double)x[i];
  }
}

/* Elements from `at` on, `step` apart, at most BATCH, by their sums, which are lost. */
static void normalise(const struct work *w, int64_t at, int64_t step, int64_t count, double *sum) {
  const double factor = (double)w->p->alpha / (double)w->p->size, exponent = -(double)w->p->beta;
  const struct onri_typed_kernels *typed = onri_kernels(typed);
  const onri_typed_binary power = onri_typed_binary_of(typed, ONR_DTYPE_F64, ONR_BINARY_POW);
  const struct onri_typed_rows rows = {
      .a = sum, .b = &exponent, .y = sum, .rows = 1, .count = (size_t)count, .a_step = 1};
  for (int64_t i = 0; i < count; i++) sum[i] = (double)w->p->bias + factor * sum[i];
  if (power) typed->binary_rows(power, &rows, sizeof(*sum), sizeof(*sum));
  for (int64_t i = 0; i < count && !power; i++) sum[i] = pow(sum[i], exponent);
  if (w->wide) {
    const double *x = (const double *)w->x + at;
    double *y = (double *)w->y + at;
    for (int64_t i = 0; i < count; i++) y[i * step] = x[i * step] * sum[i];
  } else {
    const float *x = (const float *)w->x + at;
    float *y = (float *)w->y + at;
    for (int64_t i = 0; i < count; i++) y[i * step] = (float)((double)x[i * step] * sum[i]);
  }
}

static int64_t before_of(const struct onr_lrn_params *p) { return p->odd_before ? p->size / 2 : (p->size - 1) / 2; }

/* Where the first channel belongs to every window. */
static double first_square(const struct work *w, int64_t from, int64_t first) {
  return w->p->keep_first && first > 0 ? square_at(w, from) : 0;
}

/* Neighbouring pixels, at most BATCH; channels lie `inner` apart. */
static void some_pixels(const struct work *w, int64_t from, int64_t count) {
  const struct lrn_state *s = w->s;
  const int64_t before = before_of(w->p), after = w->p->size - 1 - before;
  double sum[BATCH];
  for (int64_t c = 0; c < s->channels; c++) {
    const int64_t first = c > before ? c - before : 0, last = c + after < s->channels ? c + after : s->channels - 1;
    for (int64_t i = 0; i < count; i++) sum[i] = first_square(w, from + i, first);
    for (int64_t k = first; k <= last; k++) add_squares(w, from + k * s->inner, count, sum);
    normalise(w, from + c * s->inner, 1, count, sum);
  }
}

/* One pixel whose channels lie side by side. What is beside them adds nothing. */
static void one_pixel(const struct work *w, int64_t from) {
  const int64_t channels = w->s->channels, before = before_of(w->p), size = w->p->size;
  double sum[BATCH], square[BATCH + WIDE];
  for (int64_t begin = 0; begin < channels; begin += BATCH) {
    const int64_t count = channels - begin < BATCH ? channels - begin : BATCH, first = begin - before;
    for (int64_t i = 0; i < count + size - 1; i++)
      square[i] = first + i >= 0 && first + i < channels ? square_at(w, from + first + i) : 0;
    for (int64_t i = 0; i < count; i++) sum[i] = first_square(w, from, first + i);
    for (int64_t k = 0; k < size; k++)
      for (int64_t i = 0; i < count; i++) sum[i] += square[i + k];
    normalise(w, from + begin, 1, count, sum);
  }
}

/* `count` pixels whose few channels lie side by side, at most BATCH elements together: powers take them in one go. */
static void few_channels(const struct work *w, int64_t from, int64_t count) {
  const int64_t channels = w->s->channels, before = before_of(w->p), after = w->p->size - 1 - before;
  double sum[BATCH], square[BATCH];
  for (int64_t i = 0; i < count * channels; i++) square[i] = square_at(w, from + i);
  for (int64_t i = 0; i < count * channels; i++) {
    const int64_t c = i % channels, first = c > before ? c - before : 0;
    const int64_t last = c + after < channels ? c + after : channels - 1;
    sum[i] = first_square(w, from + i - c, first);
    for (int64_t k = first; k <= last; k++) sum[i] += square[i - c + k];
  }
  normalise(w, from, 1, count * channels, sum);
}

/* sums[c - begin], c in [begin, end): the squares of window c that lie in front of place begin + size, where a place is
 * a channel + before. */
static void sum_heads(const struct work *w, int64_t from, int64_t begin, int64_t end, double *sums) {
  const int64_t before = before_of(w->p), behind = before + w->s->channels;
  int64_t place = w->p->size < behind - begin ? begin + w->p->size : behind;
  double sum = 0;
  while (place > begin && place > before) {
    place--;
    sum += square_at(w, from + (place - before) * w->s->inner);
    if (place < end) sums[place - begin] = sum;
  }
  for (int64_t c = begin; c < end && c < before; c++) sums[c - begin] = sum;
}

/* The same in one pass over the channels, however large the windows are: `size` windows in a row share a border; each
 * is the sum of what lies in front of it and what lies behind it. Nothing is subtracted, so a large value leaves no
 * error behind. */
static void wide_pixel(const struct work *w, int64_t from, double *sums) {
  const struct lrn_state *s = w->s;
  const int64_t before = before_of(w->p), after = w->p->size - 1 - before;
  for (int64_t begin = 0, end; begin < s->channels; begin = end) {
    double tail = 0;
    end = w->p->size < s->channels - begin ? begin + w->p->size : s->channels;
    sum_heads(w, from, begin, end, sums);
    for (int64_t c = begin; c < end; c++) {
      if (c > begin && c + after < s->channels) tail += square_at(w, from + (c + after) * s->inner);
      sums[c - begin] = first_square(w, from, c - before) + sums[c - begin] + tail;
    }
    for (int64_t c = begin; c < end; c += BATCH)
      normalise(w, from + c * s->inner, s->inner, end - c < BATCH ? end - c : BATCH, sums + (c - begin));
  }
}

static size_t blocks_of(const struct lrn_state *s) { return ((size_t)s->inner + BATCH - 1) / BATCH; }

static int64_t start_of(const struct lrn_state *s, int64_t item) {
  return item / s->inner * s->channels * s->inner + item % s->inner;
}

static void pixels(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct lrn_state *s = w->s;
  struct onri_pace pace = {w->env, 0};
  const uint64_t work = (uint64_t)w->p->size * (uint64_t)s->channels * BATCH;
  if (s->inner == 1 && s->channels <= BATCH / 2) {
    const size_t most = BATCH / (size_t)s->channels;
    for (size_t item = begin; item < end && !onri_pace_stop(&pace, work); item += most)
      few_channels(w, (int64_t)item * s->channels, (int64_t)(end - item < most ? end - item : most));
    return;
  }
  for (size_t item = begin; item < end && !onri_pace_stop(&pace, work); item++) {
    const int64_t outer = (int64_t)(item / blocks_of(s)), pixel = (int64_t)(item % blocks_of(s)) * BATCH;
    const int64_t left = s->inner - pixel;
    if (s->inner == 1) one_pixel(w, outer * s->channels);
    else some_pixels(w, outer * s->channels * s->inner + pixel, left < BATCH ? left : BATCH);
  }
}

static void wide_pixels(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  struct onri_pace pace = {w->env, 0};
  for (size_t part = begin; part < end; part++)
    for (int64_t item = (int64_t)part;
         item < w->s->outer * w->s->inner && !onri_pace_stop(&pace, POWER * (uint64_t)w->s->channels); item += PARTS)
      wide_pixel(w, start_of(w->s, item), w->sums + part * (size_t)w->s->channels);
}

static enum onr_status lrn_run(struct onr_call *call) {
  const struct lrn_state *s = call->state;
  struct work w = {.s = s,
                   .p = call->params,
                   .x = onri_widened_input(call, 0, s->x),
                   .y = onri_widened_output(call, 0, s->y),
                   .sums = (double *)(void *)((char *)call->scratch + s->sums),
                   .wide = onri_is_double(call->in[0].dtype),
                   .env = call->env};
  if (is_wide(w.p)) onr_parallel_for(call->env, parts_of(s), 1, wide_pixels, &w);
  else onr_parallel_for(call->env, (size_t)s->outer * blocks_of(s), s->inner >= BATCH ? 1 : BATCH, pixels, &w);
  onri_widened_finish(call, 0, s->y);
  return ONR_STATUS_OK;
}

static int64_t lrn_steps(const struct onr_call *call) { return ONRI_STEPS(onr_desc_elements(&call->in[0]), POWER); }

const struct onr_layer onri_layer_lrn = {
    .name = "lrn",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT},
    .output_type = ONR_AS_INPUT(0),
    .layout = ONR_LAYOUT_SPATIAL,
    .layout_param = offsetof(struct onr_lrn_params, channels_last),
    .params_size = sizeof(struct onr_lrn_params),
    .state_size = sizeof(struct lrn_state),
    .infer = lrn_infer,
    .plan = lrn_plan,
    .run = lrn_run,
    .steps = lrn_steps,
};
