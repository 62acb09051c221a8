/* causal_conv.c: see params/conv.h for inputs and outputs.
 *
 * ONNX      CausalConvWithState-27
 * path      portable, in float32: a block of positions at a time, one multiple of the input for each tap of the kernel
 */
#include <string.h>

#include "base/shape.h"
#include "kernels/convert/convert.h"
#include "kernels/elementwise/vecmath.h"
#include "layers/elementwise/scratch.h"
#include "params/params.h"

enum { X, WEIGHT, BIAS, PAST, NUM_INPUTS };
enum { Y, PRESENT };
enum { BLOCK = 256 };

struct causal_conv_state {
  size_t channels, length, carried; /* carried = taps - 1 */
  size_t rows;                      /* batch x channels */
  size_t at[NUM_INPUTS];
};

static enum onr_status causal_conv_infer(struct onr_call *call) {
  const struct onr_desc *x = &call->in[X], *weight = &call->in[WEIGHT];
  ONR_TRY(onri_expect_rank(call, X, 3, 3));
  ONR_TRY(onri_expect_rank(call, WEIGHT, 3, 3));
  if (weight->dim[2] < 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a kernel of 1 or more taps, found 0");
  ONR_TRY(onri_expect_shape(call, WEIGHT, 3, (int64_t[]){x->dim[1], 1, weight->dim[2]}));
  if (onri_has(call, BIAS)) ONR_TRY(onri_expect_shape(call, BIAS, 1, &x->dim[1]));
  const int64_t carried[] = {x->dim[0], x->dim[1], weight->dim[2] - 1};
  if (onri_has(call, PAST)) ONR_TRY(onri_expect_shape(call, PAST, 3, carried));
  call->out[Y] = *x;
  if (call->num_out > PRESENT) call->out[PRESENT] = onr_desc_make(x->dtype, 3, carried);
  return ONR_STATUS_OK;
}

static enum onr_status causal_conv_plan(struct onr_call *call) {
  struct causal_conv_state *s = call->state;
  const struct onr_desc *x = &call->in[X];
  s->channels = (size_t)x->dim[1];
  s->length = (size_t)x->dim[2];
  s->carried = (size_t)call->in[WEIGHT].dim[2] - 1;
  s->rows = (size_t)x->dim[0] * s->channels;
  if (call->in[X].dtype == ONR_DTYPE_F32) return ONR_STATUS_OK;
  for (size_t i = X; i < NUM_INPUTS; i++)
    if (onri_has(call, i)) s->at[i] = onri_scratch_take(call, onri_class_bytes(&call->in[i]));
  return ONR_STATUS_OK;
}

struct job {
  const struct causal_conv_state *s;
  const float *x, *weight, *bias, *past;
  enum onr_dtype dtype;
  int silu;
  char *y;
};

/* y[i] += sum over the taps of w[j] line[first + i + j], where line = past, then x. */
static void add_taps(const struct job *job, size_t row, size_t first, size_t count, float *y) {
  const size_t carried = job->s->carried;
  const float *w = job->weight + row % job->s->channels * (carried + 1), *x = job->x + row * job->s->length;
  const float *past = job->past ? job->past + row * carried : NULL;
  for (size_t j = 0; j <= carried; j++) {
    const size_t from = first + j, before = from >= carried ? 0 : carried - from < count ? carried - from : count;
    for (size_t i = 0; past && i < before; i++) y[i] += w[j] * past[from + i];
    for (size_t i = before; i < count; i++) y[i] += w[j] * x[from + i - carried];
  }
}

/* The activation sees what the convolution gives in the tensor's own type. */
static void finish(const struct job *job, float *y, size_t count, char *to) {
  float gate[BLOCK];
  if (job->silu) {
    if (job->dtype != ONR_DTYPE_F32) {
      onri_narrow(job->dtype, y, count, to);
      onri_widen(job->dtype, to, count, y);
    }
    onri_sigmoid_f32(y, gate, count);
    for (size_t i = 0; i < count; i++) y[i] *= gate[i];
  }
  onri_narrow(job->dtype, y, count, to);
}

static void conv_range(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  const size_t length = job->s->length;
  float y[BLOCK];
  for (size_t at = begin; at < end; at += BLOCK) {
    const size_t count = end - at < BLOCK ? end - at : BLOCK;
    for (size_t done = 0, part; done < count; done += part) { /* short rows share a block */
      const size_t row = (at + done) / length, first = (at + done) % length;
      const float bias = job->bias ? job->bias[row % job->s->channels] : 0.0f;
      part = length - first < count - done ? length - first : count - done;
      for (size_t i = 0; i < part; i++) y[done + i] = bias;
      add_taps(job, row, first, part, y + done);
    }
    finish(job, y, count, job->y + at * onr_dtype_size(job->dtype));
  }
}

/* The last elements of past and x, or of zeros and x. */
static void write_present(const struct onr_call *call, const struct causal_conv_state *s) {
  const size_t size = onr_dtype_size(call->in[X].dtype), from_x = s->length < s->carried ? s->length : s->carried;
  const size_t old = (s->carried - from_x) * size, new = from_x *size;
  for (size_t row = 0; row < s->rows && s->carried > 0; row++) {
    char *to = (char *)call->outputs[PRESENT] + row * s->carried * size;
    if (old > 0 && onri_has(call, PAST))
      memcpy(to, (const char *)call->inputs[PAST] + row * s->carried * size + new, old);
    else memset(to, 0, old);
    if (new > 0) memcpy(to + old, (const char *)call->inputs[X] + (row + 1) * s->length * size - new, new);
  }
}

static enum onr_status causal_conv_run(struct onr_call *call) {
  const struct onr_causal_conv_params *p = call->params;
  const struct causal_conv_state *s = call->state;
  const float *in[NUM_INPUTS];
  for (size_t i = X; i < NUM_INPUTS; i++) in[i] = onri_converted_input(call, i, s->at[i]);
  struct job job = {s, in[X], in[WEIGHT], in[BIAS], in[PAST], call->in[X].dtype, p->silu != 0, call->outputs[Y]};
  if (call->num_out > PRESENT && call->outputs[PRESENT]) write_present(call, s);
  if (job.y) onr_parallel_for(call->env, s->rows * s->length, 16 * BLOCK, conv_range, &job);
  return ONR_STATUS_OK;
}

static int64_t causal_conv_multiply_adds(const struct onr_call *call) {
  const int64_t elements = onr_desc_elements(&call->in[X]), taps = call->in[WEIGHT].dim[2];
  return taps > 0 && elements > INT64_MAX / taps ? INT64_MAX : elements * taps;
}

const struct onr_layer onri_layer_causal_conv = {
    .name = "causal_conv",
    .inputs_min = 2,
    .inputs_max = 4,
    .outputs_min = 1,
    .outputs_max = 2,
    .types = {ONRI_DTYPES_FLOAT & ~ONRI_DTYPE_BIT(ONR_DTYPE_F64), ONR_AS_INPUT(0), ONR_AS_INPUT(0), ONR_AS_INPUT(0)},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_causal_conv_params),
    .state_size = sizeof(struct causal_conv_state),
    .infer = causal_conv_infer,
    .plan = causal_conv_plan,
    .run = causal_conv_run,
    .multiply_adds = causal_conv_multiply_adds,
};
