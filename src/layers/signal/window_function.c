/* window_function, mel_weights: small tables of signal processing, computed in double.
 *
 * window_function  input 0 size (one integer)  ->  y [size]                              ONNX Hann-, Hamming-,
 * BlackmanWindow-17 mel_weights  inputs as in signal.h       ->  y [dft_length / 2 + 1, num_mel_bins]  ONNX
 * MelWeightMatrix-17
 */
#include <math.h>
#include <string.h>

#include "base/numbers/checked.h"
#include "base/numbers/convert.h"
#include "base/env.h"
#include "base/shape.h"
#include "kernels/move/copy.h"
#include "layers/layers.h"

static enum onr_status read_size(const struct onr_call *c, size_t i, int64_t least, int64_t *size) {
  size_t count;
  ONR_TRY(onri_read_ints(c, i, size, 1, &count));
  if (count != 1) return onr_fail(c->error, ONR_STATUS_SHAPE, "input %zu: expected one integer", i);
  if (*size < least || *size > INT32_MAX)
    return onr_fail(c->error, ONR_STATUS_ATTRIBUTE, "input %zu: %lld is outside of %lld..2^31", i, (long long)*size,
                    (long long)least);
  return ONR_STATUS_OK;
}

static enum onr_status check_type(const struct onr_call *c, enum onr_dtype dtype) {
  if (onri_dtype_class(dtype) != ONRI_CLASS_NONE) return ONR_STATUS_OK;
  return onr_fail(c->error, ONR_STATUS_TYPE, "numbers of type %s cannot be made here", onr_dtype_name(dtype));
}

static enum onr_status window_infer(struct onr_call *c) {
  const struct onr_window_function_params *p = c->params;
  int64_t size;
  ONR_TRY(check_type(c, p->dtype));
  ONR_TRY(read_size(c, 0, 0, &size));
  c->out[0] = onr_desc_make(p->dtype, 1, &size);
  return ONR_STATUS_OK;
}

static double window_value(enum onr_window_function window, double turn) {
  const double pi = 3.14159265358979323846;
  switch (window) {
    case ONR_WINDOW_HANN: return sin(pi * turn) * sin(pi * turn);
    case ONR_WINDOW_HAMMING: return 25.0 / 46 - 21.0 / 46 * cos(2 * pi * turn);
    case ONR_WINDOW_BLACKMAN: return 0.42 - 0.5 * cos(2 * pi * turn) + 0.08 * cos(4 * pi * turn);
  }
  return 0;
}

static enum onr_status window_run(struct onr_call *c) {
  const struct onr_window_function_params *p = c->params;
  const int64_t size = c->out[0].dim[0], last = p->symmetric ? size - 1 : size;
  const size_t element = onr_dtype_size(p->dtype);
  struct onri_pace pace = {c->env, 0};
  for (int64_t n = 0; n < size && !onri_pace_stop(&pace, 64); n++) {
    const double value = window_value(p->function, last > 0 ? (double)n / (double)last : 0);
    onri_store_f64(p->dtype, &value, 1, (char *)c->outputs[0] + (size_t)n * element);
  }
  return ONR_STATUS_OK;
}

static enum onr_status mel_infer(struct onr_call *c) {
  const struct onr_mel_weights_params *p = c->params;
  int64_t bins, length, rate;
  ONR_TRY(check_type(c, p->dtype));
  ONR_TRY(read_size(c, 0, 0, &bins));
  ONR_TRY(read_size(c, 1, 0, &length));
  ONR_TRY(read_size(c, 2, 1, &rate));
  for (size_t i = 3; i < 5; i++) {
    if (onr_desc_elements(&c->in[i]) != 1)
      return onr_fail(c->error, ONR_STATUS_SHAPE, "input %zu: expected one number", i);
  }
  c->out[0] = onr_desc_make(p->dtype, 2, (int64_t[]){length / 2 + 1, bins});
  return ONR_STATUS_OK;
}

/* The spectrogram bin of mel point i of num_mel_bins + 2, spaced evenly; held inside the matrix. */
struct mel {
  double low, step, scale;
  int64_t rows;
};

static double to_mel(double hertz) { return 2595 * log1p(hertz / 700) / 2.302585092994045684; }

static int64_t mel_bin(const struct mel *m, int64_t i) {
  const double hertz = 700 * expm1(((double)i * m->step + m->low) / 2595 * 2.302585092994045684);
  const double bin = floor(m->scale * hertz);
  return !(bin > 0) ? 0 : bin > (double)(m->rows - 1) ? m->rows - 1 : (int64_t)bin;
}

static enum onr_status mel_run(struct onr_call *c) {
  const struct onr_mel_weights_params *p = c->params;
  const int64_t rows = c->out[0].dim[0], bins = c->out[0].dim[1];
  const size_t element = onr_dtype_size(p->dtype);
  double low, high;
  int64_t length, rate;
  onri_load_f64(c->in[3].dtype, c->inputs[3], 1, &low);
  onri_load_f64(c->in[4].dtype, c->inputs[4], 1, &high);
  ONR_TRY(read_size(c, 1, 0, &length));
  ONR_TRY(read_size(c, 2, 1, &rate));
  if (!(low >= 0) || !(high >= low))
    return onr_fail(c->error, ONR_STATUS_ATTRIBUTE, "edges of %g and %g hertz are not in order", low, high);
  const struct mel m = {to_mel(low), (to_mel(high) - to_mel(low)) / (double)(bins + 2),
                        (double)(length + 1) / (double)rate, rows};
  onri_zero_bytes(c->env, c->outputs[0], onr_desc_bytes(&c->out[0]));
  for (int64_t i = 0; i < bins; i++) {
    const int64_t left = mel_bin(&m, i), center = mel_bin(&m, i + 1), right = mel_bin(&m, i + 2);
    for (int64_t j = left; j <= (right > center ? right - 1 : center); j++) {
      const double rising = center > left ? (double)(j - left) / (double)(center - left) : 1;
      const double value = j < center || right == center ? rising : (double)(right - j) / (double)(right - center);
      onri_store_f64(p->dtype, &value, 1, (char *)c->outputs[0] + (size_t)(j * bins + i) * element);
    }
  }
  return ONR_STATUS_OK;
}

/* A cosine or two for each element. */
static int64_t window_steps(const struct onr_call *call) { return ONRI_STEPS(onr_desc_elements(&call->out[0]), 20); }

const struct onr_layer onri_layer_window_function = {.name = "window_function",
                                                     .inputs_min = 1,
                                                     .inputs_max = 1,
                                                     .outputs_min = 1,
                                                     .outputs_max = 1,
                                                     .types = {ONRI_DTYPES_INDEX},
                                                     .shape_inputs = 1,
                                                     .params_size = sizeof(struct onr_window_function_params),
                                                     .infer = window_infer,
                                                     .run = window_run,
                                                     .steps = window_steps};
const struct onr_layer onri_layer_mel_weights = {
    .name = "mel_weights",
    .inputs_min = 5,
    .inputs_max = 5,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_INDEX, ONRI_DTYPES_INDEX, ONRI_DTYPES_INDEX, ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT},
    .shape_inputs = 7,
    .params_size = sizeof(struct onr_mel_weights_params),
    .infer = mel_infer,
    .run = mel_run};
