/* optimizer.c: one training step for one tensor: momentum (plain and Nesterov's), Adagrad, Adam. In double, rounded
 * once.
 *
 * inputs and outputs as in optimizer.h; x, g and the states have one type and shape
 * ONNX  ai.onnx.preview.training Momentum-1, Adagrad-1, Adam-1
 */
#include <math.h>

#include "base/numbers/convert.h"
#include "base/env.h"
#include "base/shape.h"
#include "layers/layers.h"

enum { RATE, COUNT, WEIGHTS, GRADIENT, STATES, BLOCK = 64 };

static enum onr_status optimizer_infer(struct onr_call *c) {
  for (size_t i = RATE; i <= COUNT; i++)
    if (onr_desc_elements(&c->in[i]) != 1)
      return onr_fail(c->error, ONR_STATUS_SHAPE, "input %zu: expected one number", i);
  for (size_t i = GRADIENT; i < c->num_in; i++)
    if (!onr_desc_equal(&c->in[i], &c->in[WEIGHTS])) {
      char found[160], expected[160];
      return onr_fail(c->error, ONR_STATUS_SHAPE, "input %zu: expected %s like the weights, found %s", i,
                      onr_desc_format(&c->in[WEIGHTS], expected, sizeof(expected)),
                      onr_desc_format(&c->in[i], found, sizeof(found)));
    }
  if (c->num_out + GRADIENT != c->num_in)
    return onr_fail(c->error, ONR_STATUS_ARITY, "%zu inputs and %zu outputs", c->num_in, c->num_out);
  for (size_t i = 0; i < c->num_out; i++) c->out[i] = c->in[WEIGHTS];
  return ONR_STATUS_OK;
}

/* x, v and h of one element, before and after. */
static void step(const struct onr_optimizer_params *p, double rate, double count, double gradient, double *x, double *v,
                 double *h) {
  const double alpha = (double)p->alpha, beta = (double)p->beta, epsilon = (double)p->epsilon;
  const double g = (double)p->norm * *x + gradient;
  switch (p->optimizer) {
    case ONR_OPTIMIZER_MOMENTUM:
    case ONR_OPTIMIZER_NESTEROV:
      *v = alpha * *v + (count > 0 ? beta : 1) * g;
      *x -= rate * (p->optimizer == ONR_OPTIMIZER_MOMENTUM ? *v : g + alpha * *v);
      return;
    case ONR_OPTIMIZER_ADAGRAD:
      *v += g * g;
      *x -= rate / (1 + count * (double)p->decay) * g / (sqrt(*v) + epsilon);
      return;
    case ONR_OPTIMIZER_ADAM:
      *v = alpha * *v + (1 - alpha) * g;
      *h = beta * *h + (1 - beta) * g * g;
      if (count > 0) rate *= sqrt(1 - pow(beta, count)) / (1 - pow(alpha, count));
      *x = (1 - (double)p->norm_post) * (*x - rate * *v / (sqrt(*h) + epsilon));
      return;
  }
}

static enum onr_status optimizer_run(struct onr_call *c) {
  const struct onr_optimizer_params *p = c->params;
  const enum onr_dtype dtype = c->in[WEIGHTS].dtype;
  const size_t size = onr_dtype_size(dtype), count = (size_t)onr_desc_elements(&c->in[WEIGHTS]);
  double rate;
  onri_load_f64(c->in[RATE].dtype, c->inputs[RATE], 1, &rate);
  struct onri_pace pace = {c->env, 0};
  for (size_t at = 0; at < count && !onri_pace_stop(&pace, 32 * BLOCK); at += BLOCK) {
    const size_t n = count - at < BLOCK ? count - at : BLOCK;
    double values[4][BLOCK] = {{0}}; /* x, g, v, h */
    for (size_t i = WEIGHTS; i < c->num_in; i++)
      onri_load_f64(dtype, (const char *)c->inputs[i] + at * size, n, values[i - WEIGHTS]);
    for (size_t k = 0; k < n; k++)
      step(p, rate, (double)*(const int64_t *)c->inputs[COUNT], values[1][k], &values[0][k], &values[2][k],
           &values[3][k]);
    for (size_t i = 0; i < c->num_out; i++)
      if (c->outputs[i]) onri_store_f64(dtype, values[i ? i + 1 : 0], n, (char *)c->outputs[i] + at * size);
  }
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_optimizer = {
    .name = "optimizer",
    .inputs_min = 5,
    .inputs_max = 6,
    .outputs_min = 2,
    .outputs_max = 3,
    .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPE_BIT(ONR_DTYPE_I64), ONRI_DTYPES_FLOAT, ONR_AS_INPUT(2), ONR_AS_INPUT(2),
              ONR_AS_INPUT(2)},
    .params_size = sizeof(struct onr_optimizer_params),
    .infer = optimizer_infer,
    .run = optimizer_run};
