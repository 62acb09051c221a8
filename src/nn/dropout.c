/* dropout.c: torch.nn's Dropout layers; in training a layer of its own. */
#include "onnxrun/nn/dropout.h"

#include <math.h>

#include "base/numbers/convert.h"
#include "base/numbers/random_numbers.h"
#include "base/shape.h"
#include "nn/nn_image.h"

#define BLOCK 64

/* Items are single elements (leading 0), or all that lies behind the first `leading` dimensions. */
struct training_dropout {
  int32_t leading;
  double p, scale, shift, dropped; /* y = scale x + shift, or dropped */
  uint64_t seed;
};

static enum onr_status training_infer(struct onr_call *call) {
  const struct training_dropout *p = call->params;
  ONR_TRY(onri_expect_rank(call, 0, p->leading, ONR_MAX_RANK));
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static enum onr_status training_plan(struct onr_call *call) {
  call->in_place = 0;
  return ONR_STATUS_OK;
}

static enum onr_status training_run(struct onr_call *call) {
  const struct training_dropout *p = call->params;
  const struct onr_desc *x = &call->in[0];
  const size_t size = onr_dtype_size(x->dtype), count = (size_t)onr_desc_elements(x);
  const size_t item = p->leading ? (size_t)onri_product(x, p->leading, x->rank) : 1;
  struct onri_random random;
  double values[BLOCK];
  int kept = 0;
  onri_random_seed(&random, p->seed);
  for (size_t i = 0; i < count; i += BLOCK) {
    const size_t n = count - i < BLOCK ? count - i : BLOCK;
    onri_load_f64(x->dtype, (const char *)call->inputs[0] + i * size, n, values);
    for (size_t k = 0; k < n; k++) {
      if ((i + k) % item == 0) kept = onri_random_uniform(&random) >= p->p;
      values[k] = kept ? values[k] * p->scale + p->shift : p->dropped;
    }
    onri_store_f64(x->dtype, values, n, (char *)call->outputs[0] + i * size);
  }
  return ONR_STATUS_OK;
}

static const struct onr_layer training_layer = {
    .name = "training_dropout",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT},
    .flags = ONR_LAYER_IMPURE,
    .params_size = sizeof(struct training_dropout),
    .infer = training_infer,
    .plan = training_plan,
    .run = training_run,
};

/* batched: the rank of a batch, where x may also be a single sample; 0: x is taken as it is. */
static int dropout(struct onr_net *net, const char *name, int x, const struct onr_dropout *p, int32_t leading,
                   int32_t batched, int alpha) {
  struct training_dropout params = {.leading = leading};
  if (!p || !p->training) return onri_net_1(net, &onri_layer_identity, NULL, x);
  if (!(p->p >= 0 && p->p <= 1))
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: expected p in 0..1, got %g", name, (double)p->p);
  params.p = (double)p->p;
  params.seed = p->seed;
  params.scale = 1 / (1 - params.p);
  if (alpha && params.p < 1) {
    const double limit = -1.0507009873554805 * 1.6732632423543772; /* of SELU */
    params.scale = 1 / sqrt((limit * limit * params.p + 1) * (1 - params.p));
    params.shift = -limit * params.p * params.scale;
    params.dropped = limit * params.scale + params.shift;
  }
  if (!batched) return onri_net_1(net, &training_layer, &params, x);
  return onri_net_unbatch(net, onri_net_1(net, &training_layer, &params, onri_net_batch(net, x, batched)), x, batched);
}

int onr_dropout(struct onr_net *net, int x, const struct onr_dropout *p) {
  return dropout(net, "Dropout", x, p, 0, 0, 0);
}

int onr_dropout1d(struct onr_net *net, int x, const struct onr_dropout *p) {
  return dropout(net, "Dropout1d", x, p, 2, 3, 0);
}

int onr_dropout2d(struct onr_net *net, int x, const struct onr_dropout *p) {
  return dropout(net, "Dropout2d", x, p, 2, 0, 0);
}

int onr_dropout3d(struct onr_net *net, int x, const struct onr_dropout *p) {
  return dropout(net, "Dropout3d", x, p, 2, 5, 0);
}

int onr_alpha_dropout(struct onr_net *net, int x, const struct onr_dropout *p) {
  return dropout(net, "AlphaDropout", x, p, 0, 0, 1);
}

int onr_feature_alpha_dropout(struct onr_net *net, int x, const struct onr_dropout *p) {
  return dropout(net, "FeatureAlphaDropout", x, p, 2, 0, 1);
}
