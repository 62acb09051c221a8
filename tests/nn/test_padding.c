/* padding: torch.nn's padding layers against PyTorch */
#include "support/nn_case.h"

#include "nn/cases/padding.inc"

#define NUMBERS1 \
  (const int64_t[]) { 2, 1 }
#define NUMBERS2 \
  (const int64_t[]) { 1, 2, 0, 1 }
#define NUMBERS3 \
  (const int64_t[]) { 1, 0, 2, 1, 1, 1 }
#define CROPS1 \
  (const int64_t[]) { -1, 2 }
#define CROPS2 \
  (const int64_t[]) { 1, -2, -1, 1 }
#define CROPS3 \
  (const int64_t[]) { -1, 1, 1, 0, 0, -1 }

#define PLAIN(X, name, n)                                                   \
  X(name##_pad##n##d, onr_##name##_pad##n##d(net, in[0], NUMBERS##n))       \
  X(name##_pad##n##d_alone, onr_##name##_pad##n##d(net, in[0], NUMBERS##n)) \
  X(name##_pad##n##d_crop, onr_##name##_pad##n##d(net, in[0], CROPS##n))
#define DIMENSION(X, n)                                                       \
  PLAIN(X, zero, n)                                                           \
  PLAIN(X, replication, n)                                                    \
  PLAIN(X, reflection, n)                                                     \
  PLAIN(X, circular, n)                                                       \
  X(constant_pad##n##d, onr_constant_pad##n##d(net, in[0], NUMBERS##n, 3.5f)) \
  X(constant_pad##n##d_alone, onr_constant_pad##n##d(net, in[0], CROPS##n, -0.5f))
#define LIST(X)                                                                         \
  DIMENSION(X, 1)                                                                       \
  DIMENSION(X, 2)                                                                       \
  DIMENSION(X, 3)                                                                       \
  X(circular_whole, onr_circular_pad2d(net, in[0], (const int64_t[]){4, 4, 3, 0}))      \
  X(reflection_beyond_crop, onr_reflection_pad1d(net, in[0], (const int64_t[]){3, -2})) \
  X(replication_of_nothing, onr_replication_pad2d(net, in[0], (const int64_t[]){2, -4, 0, 1}))
LIST(NN_FUNCTION)

static void agrees_with_pytorch(void **state) {
  static const struct nn_builder builders[] = {LIST(NN_ROW)};
  (void)state;
  nn_check(cases, sizeof(cases) / sizeof(*cases), builders, sizeof(builders) / sizeof(*builders));
}

static int add_zero(struct onr_net *net, int x, const void *padding) { return onr_zero_pad2d(net, x, padding); }
static int add_reflection(struct onr_net *net, int x, const void *padding) {
  return onr_reflection_pad1d(net, x, padding);
}

static int add_circular(struct onr_net *net, int x, const void *padding) { return onr_circular_pad1d(net, x, padding); }

static void refuses_wrong_arguments(void **state) {
  const int64_t dims[] = {1, 2, 4, 4}, all[] = {-2, -3, 0, 0}, huge[] = {INT64_MAX, 1, 0, 0}, wide[] = {4, 0, 0, 0};
  (void)state;
  nn_refuses(add_zero, all, 4, dims, "pads of -2 and -3");
  nn_refuses(add_zero, huge, 4, dims, "pads of 9223372036854775807");
  nn_refuses(add_zero, wide, 2, dims, "rank 3 or 4");
  nn_refuses(add_reflection, wide, 3, dims + 1, "border of 4");
  nn_refuses(add_circular, (const int64_t[]){5, 0}, 3, dims + 1, "more than once");
  nn_refuses(add_circular, (const int64_t[]){0, 5}, 3, dims + 1, "more than once");
  nn_refuses(add_reflection, (const int64_t[]){3, -8}, 3, dims + 1, "pads of 0 and -8");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_pytorch), cmocka_unit_test(refuses_wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
