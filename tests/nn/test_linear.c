/* linear, shape: torch.nn's Linear, Bilinear, Identity, Flatten, Unflatten against PyTorch */
#include "support/nn_case.h"

#include "nn/cases/linear.inc"

#define W nn_weight
#define LINEAR(in, out) \
  &(struct onr_linear) { in, out }
#define NO onr_no_weight()
#define BILINEAR(in1, in2, out) \
  &(struct onr_bilinear) { in1, in2, out }
#define SIZES(...) \
  (const int64_t[]) { __VA_ARGS__ }

#define LIST(X)                                                                             \
  X(linear, onr_linear(net, in[0], LINEAR(4, 6), W(1, 24), W(2, 6)))                        \
  X(linear_no_bias, onr_linear(net, in[0], LINEAR(4, 3), W(1, 12), NO))                     \
  X(linear_vector, onr_linear(net, in[0], LINEAR(5, 2), W(1, 10), W(2, 2)))                 \
  X(bilinear, onr_bilinear(net, in[0], in[1], BILINEAR(4, 3, 5), W(1, 60), W(2, 5)))        \
  X(bilinear_no_bias, onr_bilinear(net, in[0], in[1], BILINEAR(2, 5, 3), W(1, 30), NO))     \
  X(bilinear_vector, onr_bilinear(net, in[0], in[1], BILINEAR(3, 4, 2), W(1, 24), W(2, 2))) \
  X(identity, onr_identity(net, in[0]))                                                     \
  X(flatten, onr_flatten(net, in[0], 1, -1))                                                \
  X(flatten_all, onr_flatten(net, in[0], 0, -1))                                            \
  X(flatten_middle, onr_flatten(net, in[0], 1, 2))                                          \
  X(flatten_from_end, onr_flatten(net, in[0], -3, -2))                                      \
  X(flatten_one, onr_flatten(net, in[0], 1, 1))                                             \
  X(unflatten, onr_unflatten(net, in[0], 1, SIZES(2, 3), 2))                                \
  X(unflatten_rest, onr_unflatten(net, in[0], -2, SIZES(2, -1, 1), 3))
LIST(NN_FUNCTION)

static void agrees_with_pytorch(void **state) {
  static const struct nn_builder builders[] = {LIST(NN_ROW)};
  (void)state;
  nn_check(cases, sizeof(cases) / sizeof(*cases), builders, sizeof(builders) / sizeof(*builders));
}

#define WRONG(name, expression) \
  static int name(struct onr_net *net, int x, const void *params) { return (void)params, (expression); }
WRONG(no_features, onr_linear(net, x, LINEAR(0, 3), W(1, 3), NO))
WRONG(other_features, onr_linear(net, x, LINEAR(5, 3), W(1, 15), NO))
WRONG(bilinear_without_weight, onr_bilinear(net, x, x, BILINEAR(3, 3, 3), NO, NO))
WRONG(bilinear_of_others, onr_bilinear(net, x, x, BILINEAR(3, 2, 3), W(1, 18), NO))
WRONG(flatten_beyond, onr_flatten(net, x, 2, -1))
WRONG(flatten_backwards, onr_flatten(net, x, 1, 0))
WRONG(unflatten_nothing, onr_unflatten(net, x, 1, NULL, 0))
WRONG(unflatten_other, onr_unflatten(net, x, 1, SIZES(2, 2), 2))
WRONG(unflatten_uneven, onr_unflatten(net, x, 1, SIZES(2, -1), 2))
WRONG(unflatten_twice, onr_unflatten(net, x, 1, SIZES(-1, -1), 2))

static void refuses_wrong_arguments(void **state) {
  const int64_t dims[] = {2, 3};
  (void)state;
  nn_refuses(no_features, NULL, 2, dims, "in_features");
  nn_refuses(other_features, NULL, 2, dims, "3 and 5");
  nn_refuses(bilinear_without_weight, NULL, 2, dims, "weight");
  nn_refuses(bilinear_of_others, NULL, 2, dims, "3 and 2");
  nn_refuses(flatten_beyond, NULL, 2, dims, "axis 2 is outside");
  nn_refuses(flatten_backwards, NULL, 2, dims, "found 1 and 0");
  nn_refuses(unflatten_nothing, NULL, 2, dims, "sizes");
  nn_refuses(unflatten_other, NULL, 2, dims, "4 elements");
  nn_refuses(unflatten_uneven, NULL, 2, dims, "cannot infer -1");
  nn_refuses(unflatten_twice, NULL, 2, dims, "-1 once");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_pytorch), cmocka_unit_test(refuses_wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
