/* function: torch's functions between modules against PyTorch */
#include "support/nn_case.h"

#include "nn/cases/function.inc"

#define SIZES(...) \
  (const int64_t[]) { __VA_ARGS__ }
#define DIMS(...) \
  (const int32_t[]) { __VA_ARGS__ }
#define ARITHMETIC(X, name)              \
  X(name, onr_##name(net, in[0], in[1])) \
  X(name##_broadcast, onr_##name(net, in[0], in[1]))
#define REDUCTION(X, name)              \
  X(name, onr_##name(net, in[0], 1, 0)) \
  X(name##_keepdim, onr_##name(net, in[0], -1, 1))
#define LIST(X)                                                        \
  ARITHMETIC(X, add)                                                   \
  ARITHMETIC(X, sub)                                                   \
  ARITHMETIC(X, mul)                                                   \
  ARITHMETIC(X, div)                                                   \
  X(matmul, onr_matmul(net, in[0], in[1]))                             \
  X(matmul_batch, onr_matmul(net, in[0], in[1]))                       \
  X(matmul_vector, onr_matmul(net, in[0], in[1]))                      \
  REDUCTION(X, mean)                                                   \
  REDUCTION(X, sum)                                                    \
  REDUCTION(X, amax)                                                   \
  X(cat, onr_cat(net, in, 2, 1))                                       \
  X(cat_last, onr_cat(net, (const int[]){in[0], in[1], in[0]}, 3, -1)) \
  X(cat_one, onr_cat(net, in, 1, 0))                                   \
  X(slice_middle, onr_slice(net, in[0], 1, 1, 3))                      \
  X(slice_end, onr_slice(net, in[0], -1, -2, INT64_MAX))               \
  X(slice_beyond, onr_slice(net, in[0], 0, 1, 9))                      \
  X(select, onr_select(net, in[0], 1, 1))                              \
  X(select_last, onr_select(net, in[0], -1, -1))                       \
  X(reshape, onr_reshape(net, in[0], SIZES(2, -1, 2), 3))              \
  X(reshape_kept, onr_reshape(net, in[0], SIZES(0, 0, 2, 2), 4))       \
  X(permute, onr_permute(net, in[0], DIMS(2, 0, 1), 3))                \
  X(permute_last, onr_permute(net, in[0], DIMS(0, -1, 2, 1), 4))       \
  X(squeeze, onr_squeeze(net, in[0], -2))                              \
  X(unsqueeze, onr_unsqueeze(net, in[0], -1))
LIST(NN_FUNCTION)

static void agrees_with_pytorch(void **state) {
  static const struct nn_builder builders[] = {LIST(NN_ROW)};
  (void)state;
  nn_check(cases, sizeof(cases) / sizeof(*cases), builders, sizeof(builders) / sizeof(*builders));
}

#define WRONG(name, expression) \
  static int name(struct onr_net *net, int x, const void *params) { return (void)params, (expression); }
WRONG(mean_beyond, onr_mean(net, x, 2, 0))
WRONG(cat_beyond, onr_cat(net, &x, 1, -3))
WRONG(cat_of_nothing, onr_cat(net, &x, 0, 0))
WRONG(slice_beyond_dims, onr_slice(net, x, 2, 0, 1))
WRONG(reshape_to_others, onr_reshape(net, x, SIZES(4, 2), 2))
WRONG(reshape_too_deep, onr_reshape(net, x, SIZES(2, 3), 9))
WRONG(permute_beyond, onr_permute(net, x, DIMS(0, 2), 2))
WRONG(permute_twice, onr_permute(net, x, DIMS(1, 1), 2))
WRONG(permute_of_others, onr_permute(net, x, DIMS(0, 2, 1), 3))
WRONG(squeeze_of_more, onr_squeeze(net, x, 0))
WRONG(matmul_of_others, onr_matmul(net, x, x))

static void refuses_wrong_arguments(void **state) {
  const int64_t dims[] = {2, 3};
  static const struct {
    int (*add)(struct onr_net *net, int x, const void *params);
    const char *text;
  } wrong[] = {
      {mean_beyond, "axis 2"},
      {cat_beyond, "axis -3"},
      {cat_of_nothing, "at least one"},
      {slice_beyond_dims, "axis 2"},
      {reshape_to_others, "8 elements, the input 6"},
      {reshape_too_deep, "rank of 0 to 8"},
      {permute_beyond, "dim 2"},
      {permute_twice, "each of 0..1 once"},
      {permute_of_others, "3 entries"},
      {squeeze_of_more, "axis 0 of size 2"},
      {matmul_of_others, "inner dimension"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) nn_refuses(wrong[i].add, NULL, 2, dims, wrong[i].text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_pytorch), cmocka_unit_test(refuses_wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
