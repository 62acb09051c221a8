/* nll_loss.c: see params/loss.h. One gathered element a place, so it runs on one thread; sums are in double, in order.
 */
#include "kernels/convert/convert.h"
#include "base/env.h"
#include "base/shape.h"
#include "layers/layers.h"

enum { X, TARGET, WEIGHT };

static enum onr_status nll_loss_infer(struct onr_call *call) {
  const struct onr_nll_loss_params *p = call->params;
  const struct onr_desc *x = &call->in[X], *target = &call->in[TARGET];
  struct onr_desc places;
  ONR_TRY(onri_expect_rank(call, X, 2, ONR_MAX_RANK));
  places = onr_desc_make(target->dtype, x->rank - 1, x->dim + 1);
  places.dim[0] = x->dim[0];
  if (!onr_desc_equal(&places, target)) {
    char expected[96], found[96];
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a class for each place, %s, found %s",
                    onr_desc_format(&places, expected, sizeof(expected)),
                    onr_desc_format(target, found, sizeof(found)));
  }
  if (onri_has(call, WEIGHT)) {
    ONR_TRY(onri_expect_rank(call, WEIGHT, 1, 1));
    if (call->in[WEIGHT].dim[0] != x->dim[1])
      return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a weight for each of %lld classes, found %lld",
                      (long long)x->dim[1], (long long)call->in[WEIGHT].dim[0]);
  }
  call->out[0] = p->reduction == ONR_LOSS_NONE ? places : onr_desc_make(x->dtype, 0, NULL);
  call->out[0].dtype = x->dtype;
  return ONR_STATUS_OK;
}

static double real_at(enum onr_dtype dtype, const void *data, size_t i) {
  double value;
  if (dtype == ONR_DTYPE_F32) return (double)((const float *)data)[i];
  onri_widen_as(dtype, (const char *)data + i * onr_dtype_size(dtype), 1, ONRI_CLASS_F64, &value);
  return value;
}

static void store_real(enum onr_dtype dtype, double value, void *data, size_t i) {
  const struct onri_cast cast = {.from = ONR_DTYPE_F64, .to = dtype};
  onri_convert_elements(&cast, &value, (char *)data + i * onr_dtype_size(dtype), 1);
}

/* The loss at one place, and its weight: both 0 where the target is the ignored number. */
static enum onr_status loss_at(const struct onr_call *call, size_t place, double *loss, double *weight) {
  const struct onr_nll_loss_params *p = call->params;
  const struct onr_desc *x = &call->in[X];
  const size_t inner = (size_t)onri_product(x, 2, x->rank), classes = (size_t)x->dim[1];
  int64_t target;
  onri_widen_as(call->in[TARGET].dtype,
                (const char *)call->inputs[TARGET] + place * onr_dtype_size(call->in[TARGET].dtype), 1, ONRI_CLASS_I64,
                &target);
  *loss = *weight = 0;
  if (p->has_ignored && target == p->ignored) return ONR_STATUS_OK;
  if (target < 0 || target >= x->dim[1])
    return onr_fail(call->error, ONR_STATUS_INDEX, "target %zu is class %lld: expected 0 to %lld", place,
                    (long long)target, (long long)x->dim[1] - 1);
  *weight = onri_has(call, WEIGHT) ? real_at(x->dtype, call->inputs[WEIGHT], (size_t)target) : 1;
  *loss =
      -*weight * real_at(x->dtype, call->inputs[X], (place / inner * classes + (size_t)target) * inner + place % inner);
  return ONR_STATUS_OK;
}

static enum onr_status nll_loss_run(struct onr_call *call) {
  const struct onr_nll_loss_params *p = call->params;
  const size_t places = (size_t)onr_desc_elements(&call->in[TARGET]);
  double sum = 0, weights = 0;
  struct onri_pace pace = {call->env, 0};
  for (size_t i = 0; i < places && !onri_pace_stop(&pace, 8); i++) {
    double loss, weight;
    ONR_TRY(loss_at(call, i, &loss, &weight));
    if (p->reduction == ONR_LOSS_NONE) store_real(call->out[0].dtype, loss, call->outputs[0], i);
    sum += loss;
    weights += weight;
  }
  if (p->reduction != ONR_LOSS_NONE)
    store_real(call->out[0].dtype, p->reduction == ONR_LOSS_MEAN ? sum / weights : sum, call->outputs[0], 0);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_nll_loss = {
    .name = "nll_loss",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPES_INDEX, ONR_AS_INPUT(0)},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_nll_loss_params),
    .infer = nll_loss_infer,
    .run = nll_loss_run,
};
