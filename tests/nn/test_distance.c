/* distance: torch.nn's CosineSimilarity and PairwiseDistance against PyTorch */
#include "support/nn_case.h"

#include <math.h>

#include "nn/cases/distance.inc"

#define LIST(X)                                                                      \
  X(cosine, onr_cosine_similarity(net, in[0], in[1], 1, 1e-8f))                      \
  X(cosine_dim, onr_cosine_similarity(net, in[0], in[1], -2, 2))                     \
  X(cosine_broadcast, onr_cosine_similarity(net, in[0], in[1], 1, 1e-8f))            \
  X(pairwise, onr_pairwise_distance(net, in[0], in[1], 2, 1e-6f, 0))                 \
  X(pairwise_1, onr_pairwise_distance(net, in[0], in[1], 1, 0.5f, 1))                \
  X(pairwise_3, onr_pairwise_distance(net, in[0], in[1], 3, 1e-6f, 0))               \
  X(pairwise_half, onr_pairwise_distance(net, in[0], in[1], 0.5f, 1e-6f, 1))         \
  X(pairwise_infinite, onr_pairwise_distance(net, in[0], in[1], INFINITY, 1e-6f, 0)) \
  X(pairwise_0, onr_pairwise_distance(net, in[0], in[1], 0, 1e-6f, 0))               \
  X(pairwise_vectors, onr_pairwise_distance(net, in[0], in[1], 2, 1e-6f, 0))
LIST(NN_FUNCTION)

static void agrees_with_pytorch(void **state) {
  static const struct nn_builder builders[] = {LIST(NN_ROW)};
  (void)state;
  nn_check(cases, sizeof(cases) / sizeof(*cases), builders, sizeof(builders) / sizeof(*builders));
}

static int cosine_of(struct onr_net *net, int x, const void *eps) {
  return onr_cosine_similarity(net, x, x, 2, *(const float *)eps);
}
static int distance_of(struct onr_net *net, int x, const void *p) {
  return onr_pairwise_distance(net, x, x, *(const float *)p, 1e-6f, 0);
}

static void refuses_wrong_arguments(void **state) {
  const int64_t dims[] = {2, 3};
  (void)state;
  nn_refuses(cosine_of, &(float){-1}, 2, dims, "eps");
  nn_refuses(cosine_of, &(float){1e-8f}, 2, dims, "axis 2 is outside");
  nn_refuses(distance_of, &(float){-1}, 2, dims, "p of 0 or more");
  nn_refuses(distance_of, &(float){NAN}, 2, dims, "p of 0 or more");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_pytorch), cmocka_unit_test(refuses_wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
