/* nn_case.h: layers of torch.nn against what PyTorch computed (tests/nn/make_nn_cases.py writes the expected values).
 * Inputs and weights are a formula of a seed and a position, the same here and in the generator. */
#ifndef NN_CASE_H
#define NN_CASE_H

#include "support/layer_test.h"

#include "onnxrun/nn.h"

struct nn_values {
  int32_t rank;
  int64_t dim[5];
  const float *data; /* outputs; integers too */
};

enum { NN_MAX_VALUES = 4 };

struct nn_case {
  const char *name;
  size_t num_in, num_out;
  struct nn_values in[NN_MAX_VALUES], out[NN_MAX_VALUES];
  int64_t parameters; /* elements of the module's parameters and floating-point buffers */
};

/* Adds the layer to the net; out has room for the outputs. */
struct nn_builder {
  const char *name;
  void (*build)(struct onr_net *net, const int *in, int *out);
};

/* Weights 1, 2, ... of the module: in [-0.5, 0.5], or [0.5, 1.5] for variances. Owned by the test, good to its end. */
struct onr_weight nn_weight(int number, size_t count);
struct onr_weight nn_variance(int number, size_t count);
/* Every case must have a builder and every builder a case; values within 1e-4 + 1e-4 |expected|. Also checked: the
 * number of parameters, and the shapes without a run. Each case runs with input sizes that are declared, and that are
 * not; and each of its weights is refused when it is one number short. */
void nn_check(const struct nn_case *cases, size_t num_cases, const struct nn_builder *builders, size_t num_builders);

/* A network of one layer, made by add from these parameters, must fail when it is written or finished, with `text` in
 * the message. */
void nn_refuses(int (*add)(struct onr_net *net, int x, const void *params), const void *params, int32_t rank,
                const int64_t *dims, const char *text);

/* A list of X(name, expression) becomes functions and rows: LIST(NN_FUNCTION), then {LIST(NN_ROW)}. */
#define NN_FUNCTION(name, expression) NN_BUILD(build_##name, expression)
#define NN_ROW(name, expression) {#name, build_##name},

#define NN_BUILD(name, expression) \
  static void name(struct onr_net *net, const int *in, int *out) { out[0] = (expression); }

#endif
