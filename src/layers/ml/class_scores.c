/* class_scores.c: which class the scores of a row are for, and the scores as the post_transform of ai.onnx.ml wants
 * them. onnx.reference and ONNX Runtime agree but for the sum in SOFTMAX_ZERO (onnx.reference's is taken) and for one
 * score a row (ONNX Runtime's is taken). */
#include <math.h>

#include "base/numbers/convert.h"
#include "base/shape.h"
#include "layers/layers.h"

enum { CLASS, SCORES };

static int64_t width_of(const struct onr_call *call) {
  const struct onr_class_scores_params *p = call->params;
  const int64_t width = call->in[0].dim[call->in[0].rank - 1];
  return width == 1 && p->second != ONR_SECOND_NONE ? 2 : width;
}

static enum onr_status scores_infer(struct onr_call *call) {
  const struct onr_desc *x = &call->in[0];
  ONR_TRY(onri_expect_rank(call, 0, 1, 2));
  if (x->dim[x->rank - 1] < 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a score or more a row, found none");
  const int64_t dims[2] = {x->rank == 2 ? x->dim[0] : 1, width_of(call)};
  call->out[CLASS] = onr_desc_make(ONR_DTYPE_I64, 1, dims);
  if (call->num_out > SCORES) call->out[SCORES] = onr_desc_make(x->dtype, 2, dims);
  return ONR_STATUS_OK;
}

/* A row of scores needs room in float64, in and out. */
static enum onr_status scores_plan(struct onr_call *call) {
  const size_t elements = (size_t)onr_desc_elements(&call->in[0]);
  if (elements > SIZE_MAX / (2 * sizeof(double)))
    return onr_fail(call->error, ONR_STATUS_LIMIT, "the scratch memory of the scores exceeds the address space");
  call->scratch_bytes = 2 * elements * sizeof(double);
  return ONR_STATUS_OK;
}

static double logistic(double v) {
  const double positive = 1 / (1 + exp(-fabs(v)));
  return v < 0 ? 1 - positive : positive;
}

/* The inverse of the normal distribution, approximately: its definition is this formula. */
static double probit(double v) {
  const double x = 2 * v - 1, square = (1 - x) * (1 + x), pi = 3.14159265358979323846;
  if (square == 0) return 0;
  const double ln = log(square), a = 2 / (pi * 0.147) + 0.5 * ln;
  return sqrt(2) * copysign(sqrt(sqrt(a * a - ln / 0.147) - a), x);
}

/* With `zeros`, a score of zero stays near zero. */
static void softmax(double *y, size_t n, int zeros) {
  double largest = y[0], sum = 0;
  for (size_t i = 1; i < n; i++) largest = y[i] > largest ? y[i] : largest;
  for (size_t i = 0; i < n; i++) {
    y[i] = zeros && fabs(y[i]) <= 1e-7 ? y[i] * exp(-largest) : exp(y[i] - largest);
    sum += y[i];
  }
  for (size_t i = 0; i < n; i++) y[i] = sum == 0 ? 0.5 : y[i] / sum;
}

static void transform(enum onr_score_transform kind, double *y, size_t n) {
  if (kind == ONR_SCORE_PROBIT)
    for (size_t i = 0; i < n; i++) y[i] = probit(y[i]);
  if (kind == ONR_SCORE_LOGISTIC && n > 1)
    for (size_t i = 0; i < n; i++) y[i] = logistic(y[i]);
  if (kind == ONR_SCORE_SOFTMAX || kind == ONR_SCORE_SOFTMAX_ZERO) {
    if (n > 1) softmax(y, n, kind == ONR_SCORE_SOFTMAX_ZERO);
  }
}

/* NaN is no best score unless all are. */
static int64_t best_of(const double *y, size_t n) {
  size_t best = 0;
  for (size_t i = 1; i < n; i++)
    if (y[i] > y[best] || (y[best] != y[best] && y[i] == y[i])) best = i;
  return (int64_t)best;
}

static int64_t finish_row(const struct onr_class_scores_params *p, double *y, size_t n, size_t width) {
  int64_t best = n == 1 ? y[0] > (double)p->threshold : best_of(y, n);
  if (n == 1 && width == 2) {
    y[1] = y[0];
    y[0] = p->second == ONR_SECOND_OPPOSITE ? -y[0] : 1 - y[0];
  }
  transform(p->transform, y, width);
  if (n > 1 && p->transform == ONR_SCORE_SOFTMAX_ZERO) best = best_of(y, n);
  return best;
}

static void score_rows(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const struct onr_desc *x = &call->in[0];
  const size_t n = (size_t)x->dim[x->rank - 1], width = (size_t)width_of(call), size = onr_dtype_size(x->dtype);
  int64_t *classes = call->outputs[CLASS];
  char *scores = call->num_out > SCORES ? call->outputs[SCORES] : NULL;
  for (size_t row = begin; row < end; row++) {
    double *y = (double *)call->scratch + row * 2 * n;
    onri_load_f64(x->dtype, (const char *)call->inputs[0] + row * n * size, n, y);
    const int64_t best = finish_row(call->params, y, n, width);
    if (classes) classes[row] = best;
    if (scores) onri_store_f64(x->dtype, y, width, scores + row * width * size);
  }
}

static enum onr_status scores_run(struct onr_call *call) {
  onr_parallel_for(call->env, (size_t)(call->in[0].rank == 2 ? call->in[0].dim[0] : 1), 256, score_rows, call);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_class_scores = {
    .name = "class_scores",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 2,
    .types = {ONRI_DTYPES_FLOAT},
    .output_type = ONRI_DTYPE_BIT(ONR_DTYPE_I64),
    .flags = ONR_LAYER_HEAVY,
    .params_size = sizeof(struct onr_class_scores_params),
    .infer = scores_infer,
    .plan = scores_plan,
    .run = scores_run,
};
