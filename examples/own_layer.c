/* A layer of your own, used from C and from an ONNX node of a custom domain; docs/your_own_layer.md walks through it.
 * Prints how far its results are from the built-in layer's; fails when that is more than rounding. */
#include <math.h>
#include <onnxrun/layer.h>
#include <onnxrun/nn.h>
#include <onnxrun/onnxrun.h>
#include <stdio.h>

enum { BATCH = 128, IN = 20, OUT = 30 };

/* [linear] y [n, out] = x [n, in] W^T + b, inputs x, W [out, in], b [out] */
static enum onr_status linear_infer(struct onr_call *c) {
  const struct onr_desc *x = &c->in[0], *w = &c->in[1], *b = &c->in[2];
  if (x->rank != 2 || w->rank != 2 || b->rank != 1 || x->dim[1] != w->dim[1] || b->dim[0] != w->dim[0])
    return onr_fail(c->error, ONR_STATUS_SHAPE, "expected x [n, in], W [out, in] and b [out]");
  c->out[0] = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){x->dim[0], w->dim[0]});
  return ONR_STATUS_OK;
}
static void linear_rows(void *context, size_t begin, size_t end) {
  const struct onr_call *c = context;
  const float *x = c->inputs[0], *w = c->inputs[1], *b = c->inputs[2];
  float *y = c->outputs[0];
  const size_t in = (size_t)c->in[1].dim[1], out = (size_t)c->in[1].dim[0];
  for (size_t n = begin; n < end; n++)
    for (size_t o = 0; o < out; o++) {
      float sum = b[o];
      for (size_t i = 0; i < in; i++) sum += x[n * in + i] * w[o * in + i];
      y[n * out + o] = sum;
    }
}
static enum onr_status linear_run(struct onr_call *c) {
  onr_parallel_for(c->env, (size_t)c->in[0].dim[0], 16, linear_rows, c);
  return ONR_STATUS_OK;
}
enum { F32 = 1 << ONR_DTYPE_F32 };
static const struct onr_layer my_linear = {
    "my_linear", 3, 3, 1, 1, .types = {F32, F32, F32}, .infer = linear_infer, .run = linear_run};
/* [/linear] */

/* [centre] y = factor (x - mean of x's column): parameters, scratch for the means, output over the input */
struct centre_params {
  float factor;
};
static enum onr_status centre_plan(struct onr_call *c) {
  if (c->in[0].dtype != ONR_DTYPE_F32 || c->in[0].rank != 2)
    return onr_fail(c->error, ONR_STATUS_SHAPE, "expected float32 [rows, columns]");
  c->scratch_bytes = (size_t)c->in[0].dim[1] * sizeof(float);
  c->in_place = 0;
  return ONR_STATUS_OK;
}
static void centre_columns(void *context, size_t begin, size_t end) {
  const struct onr_call *c = context;
  const size_t rows = (size_t)c->in[0].dim[0], columns = (size_t)c->in[0].dim[1];
  const float *x = c->inputs[0], factor = ((const struct centre_params *)c->params)->factor;
  float *y = c->outputs[0], *mean = c->scratch;
  for (size_t k = begin; k < end; k++) mean[k] = 0;
  for (size_t r = 0; r < rows; r++)
    for (size_t k = begin; k < end; k++) mean[k] += x[r * columns + k] / (float)rows;
  for (size_t r = 0; r < rows; r++)
    for (size_t k = begin; k < end; k++) y[r * columns + k] = factor * (x[r * columns + k] - mean[k]);
}
static enum onr_status centre_run(struct onr_call *c) {
  onr_parallel_for(c->env, (size_t)c->in[0].dim[1], 16, centre_columns, c);
  return ONR_STATUS_OK;
}
static enum onr_status centre_parse(const struct onr_node *node, void *params, struct onr_error *error) {
  struct centre_params *p = params;
  p->factor = (float)onr_node_float(node, "factor", 1.0);
  return isfinite(p->factor) ? ONR_STATUS_OK : onr_fail(error, ONR_STATUS_ATTRIBUTE, "expected a finite factor");
}
static const struct onr_layer centre = {
    "centre", 1, 1, 1, 1, .params_size = sizeof(struct centre_params), .plan = centre_plan, .run = centre_run};
/* [/centre] */

static float weight[OUT * IN], bias[OUT], x[BATCH * IN];

/* Multiples of 1/8: the same numbers that tests/nn/make_own_layer.py writes into the file. */
static void fill(float *data, size_t count, size_t step) {
  for (size_t i = 0; i < count; i++) data[i] = ((float)(i * step % 17) - 8) / 8;
}

static int fail(const struct onr_error *error) {
  fprintf(stderr, "%s %s: %s\n", onr_status_name(error->status), error->where, error->message);
  return 1;
}

/* [net] From code: the built-in layer and ours side by side. */
static enum onr_status build(struct onr_model **model, struct onr_error *error) {
  struct onr_net *net;
  int y;
  ONR_TRY(onr_net_create(NULL, &net, error));
  const int in = onr_net_input(net, "x", ONR_DTYPE_F32, 2, (int64_t[]){ONR_UNKNOWN_DIM, IN});
  const struct onr_desc w = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){OUT, IN});
  const struct onr_desc b = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){OUT});
  const int operands[] = {in, onr_net_constant(net, &w, weight), onr_net_constant(net, &b, bias)};
  onr_net_layer(net, &my_linear, NULL, operands, 3, &y, 1);
  onr_net_layer(net, &centre, &(struct centre_params){0.5f}, &y, 1, &y, 1);
  onr_net_output(net, "own", y);
  y = onr_linear(net, in, &(struct onr_linear){IN, OUT}, onr_weight(weight, OUT * IN), onr_weight(bias, OUT));
  onr_net_layer(net, &centre, &(struct centre_params){0.5f}, &y, 1, &y, 1);
  onr_net_output(net, "built_in", y);
  return onr_net_finish(net, model, error);
}
/* [/net] */

/* [file] From a file: nodes Linear and Centre of domain "example.layers" become our layers. */
static enum onr_status load(const char *path, struct onr_registry *registry, struct onr_model **model,
                            struct onr_error *error) {
  const struct onr_model_options options = {.size = sizeof(options), .registry = registry};
  ONR_TRY(onr_registry_add(registry, "example.layers", "Linear", &my_linear, NULL, error));
  ONR_TRY(onr_registry_add(registry, "example.layers", "Centre", &centre, centre_parse, error));
  return onr_model_load(path, &options, model, error);
}
/* [/file] */

/* Runs on x; copies output i to y[i]. */
static enum onr_status run(const struct onr_model *model, struct onr_threads *threads, size_t outputs,
                           float y[][BATCH * OUT], struct onr_error *error) {
  const struct onr_session_options options = {.size = sizeof(options), .threads = threads};
  const struct onr_tensor input = {onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){BATCH, IN}), x};
  struct onr_session *session;
  enum onr_status status;
  ONR_TRY(onr_session_create(model, &options, &session, error));
  status = onr_session_set_input(session, 0, &input, error);
  for (size_t i = 0; status == ONR_STATUS_OK && i < outputs; i++)
    status = onr_session_bind_output(session, i, y[i], sizeof(y[i]), error);
  if (status == ONR_STATUS_OK) status = onr_session_run(session, error);
  onr_session_destroy(session);
  return status;
}

static double difference(const float *a, const float *b) {
  double most = 0;
  for (size_t i = 0; i < BATCH * OUT; i++) {
    const double apart = fabs((double)a[i] - (double)b[i]);
    most = apart == apart ? fmax(most, apart) : INFINITY; /* NaN is far away */
  }
  return most;
}

int main(int argc, char **argv) {
  static float y[3][BATCH * OUT];
  struct onr_model *net = NULL, *file = NULL;
  struct onr_registry *registry = NULL;
  struct onr_threads *threads = NULL;
  struct onr_error error;
  int code = 0;
  if (argc != 2) return fprintf(stderr, "usage: %s own_layer.onnx\n", argv[0]), 2;
  fill(weight, OUT * IN, 7);
  fill(bias, OUT, 5);
  fill(x, BATCH * IN, 3);
  if (onr_threads_create(2, NULL, &threads, &error) != ONR_STATUS_OK || build(&net, &error) != ONR_STATUS_OK ||
      run(net, threads, 2, y, &error) != ONR_STATUS_OK ||
      onr_registry_create(NULL, &registry, &error) != ONR_STATUS_OK ||
      load(argv[1], registry, &file, &error) != ONR_STATUS_OK ||
      run(file, threads, 1, y + 2, &error) != ONR_STATUS_OK) {
    code = fail(&error);
  } else {
    const double code_difference = difference(y[0], y[1]), file_difference = difference(y[2], y[1]);
    printf("from code %g, from the file %g away from the built-in layer\n", code_difference, file_difference);
    code = !(code_difference < 1e-5 && file_difference < 1e-5 && fabs((double)y[1][0]) > 1e-3);
  }
  onr_model_destroy(net);
  onr_model_destroy(file);
  onr_registry_destroy(registry);
  onr_threads_destroy(threads);
  return code;
}
