/* normalization: torch.nn's normalisations against PyTorch */
#include "support/nn_case.h"

#include <math.h>

#include "nn/cases/normalization.inc"

#define W nn_weight
#define NO onr_no_weight()
#define ALL(n) \
  &(struct onr_norm_weights) { W(1, n), W(2, n), W(3, n), nn_variance(4, n) }
#define KEPT(n) \
  &(struct onr_norm_weights) { .running_mean = W(1, n), .running_var = nn_variance(2, n) }
#define AFFINE(n) \
  &(struct onr_norm_weights) { .weight = W(1, n), .bias = W(2, n) }
#define BATCH(n, e) \
  &(struct onr_batch_norm) { .num_features = n, .eps = e }
#define INSTANCE(n, e) \
  &(struct onr_instance_norm) { .num_features = n, .eps = e }
#define GROUP(g, c, e) \
  &(struct onr_group_norm) { .num_groups = g, .num_channels = c, .eps = e }
#define LAYER(n, e, ...)                                         \
  &(struct onr_layer_norm) {                                     \
    .num_dims = n, .eps = e, .normalized_shape = { __VA_ARGS__ } \
  }
#define RMS(n, e, ...)                                           \
  &(struct onr_rms_norm) {                                       \
    .num_dims = n, .eps = e, .normalized_shape = { __VA_ARGS__ } \
  }

#define LIST(X)                                                                          \
  X(batch_norm1d, onr_batch_norm1d(net, in[0], BATCH(4, 0), ALL(4)))                     \
  X(batch_norm1d_length, onr_batch_norm1d(net, in[0], BATCH(4, 1e-3f), ALL(4)))          \
  X(batch_norm1d_own, onr_batch_norm1d(net, in[0], BATCH(4, 0), AFFINE(4)))              \
  X(batch_norm2d, onr_batch_norm2d(net, in[0], BATCH(3, 0), ALL(3)))                     \
  X(batch_norm2d_plain, onr_batch_norm2d(net, in[0], BATCH(3, 0), KEPT(3)))              \
  X(batch_norm2d_own, onr_batch_norm2d(net, in[0], BATCH(3, 0.1f), NULL))                \
  X(batch_norm3d, onr_batch_norm3d(net, in[0], BATCH(2, 0), ALL(2)))                     \
  X(batch_norm3d_own, onr_batch_norm3d(net, in[0], BATCH(2, 0), AFFINE(2)))              \
  X(instance_norm1d, onr_instance_norm1d(net, in[0], INSTANCE(3, 0), NULL))              \
  X(instance_norm1d_alone, onr_instance_norm1d(net, in[0], INSTANCE(3, 0), AFFINE(3)))   \
  X(instance_norm1d_kept_alone, onr_instance_norm1d(net, in[0], INSTANCE(3, 0), ALL(3))) \
  X(instance_norm2d, onr_instance_norm2d(net, in[0], INSTANCE(3, 0.2f), AFFINE(3)))      \
  X(instance_norm2d_kept, onr_instance_norm2d(net, in[0], INSTANCE(3, 0), KEPT(3)))      \
  X(instance_norm2d_alone, onr_instance_norm2d(net, in[0], INSTANCE(3, 0), NULL))        \
  X(instance_norm3d, onr_instance_norm3d(net, in[0], INSTANCE(2, 0), AFFINE(2)))         \
  X(instance_norm3d_kept, onr_instance_norm3d(net, in[0], INSTANCE(2, 0), ALL(2)))       \
  X(instance_norm3d_alone, onr_instance_norm3d(net, in[0], INSTANCE(2, 0), NULL))        \
  X(group_norm, onr_group_norm(net, in[0], GROUP(2, 6, 0), W(1, 6), W(2, 6)))            \
  X(group_norm_plain, onr_group_norm(net, in[0], GROUP(3, 6, 0.1f), NO, NO))             \
  X(group_norm_flat, onr_group_norm(net, in[0], GROUP(2, 6, 0), W(1, 6), W(2, 6)))       \
  X(layer_norm, onr_layer_norm(net, in[0], LAYER(0, 0, 5), W(1, 5), W(2, 5)))            \
  X(layer_norm_2, onr_layer_norm(net, in[0], LAYER(2, 0.01f, 3, 5), W(1, 15), W(2, 15))) \
  X(layer_norm_3, onr_layer_norm(net, in[0], LAYER(3, 0, 2, 3, 5), NO, NO))              \
  X(layer_norm_no_bias, onr_layer_norm(net, in[0], LAYER(2, 0, 3, 5), W(1, 15), NO))     \
  X(layer_norm_vector, onr_layer_norm(net, in[0], LAYER(0, 0, 7), W(1, 7), W(2, 7)))     \
  X(rms_norm, onr_rms_norm(net, in[0], RMS(0, 0, 5), W(1, 5)))                           \
  X(rms_norm_2, onr_rms_norm(net, in[0], RMS(2, 0.1f, 3, 5), W(1, 15)))                  \
  X(rms_norm_plain, onr_rms_norm(net, in[0], RMS(0, 0, 5), NO))                          \
  X(local_response_norm, onr_local_response_norm(net, in[0], 3, 1e-4f, 0.75f, 1))        \
  X(local_response_norm_even, onr_local_response_norm(net, in[0], 4, 0.5f, 0.6f, 2))     \
  X(local_response_norm_5, onr_local_response_norm(net, in[0], 5, 0.3f, 0.75f, 1))       \
  X(cross_map_lrn2d, onr_cross_map_lrn2d(net, in[0], 3, 1e-4f, 0.75f, 1))                \
  X(cross_map_lrn2d_even, onr_cross_map_lrn2d(net, in[0], 4, 0.5f, 0.6f, 2))             \
  X(cross_map_lrn2d_one, onr_cross_map_lrn2d(net, in[0], 2, 0.5f, 0.75f, 1))
LIST(NN_FUNCTION)

static void agrees_with_pytorch(void **state) {
  static const struct nn_builder builders[] = {LIST(NN_ROW)};
  (void)state;
  nn_check(cases, sizeof(cases) / sizeof(*cases), builders, sizeof(builders) / sizeof(*builders));
}

#define WRONG(name, expression) \
  static int name(struct onr_net *net, int x, const void *params) { return (void)params, (expression); }
WRONG(no_features, onr_batch_norm1d(net, x, BATCH(0, 0), NULL))
WRONG(bad_eps, onr_batch_norm1d(net, x, BATCH(3, NAN), NULL))
WRONG(half_kept, onr_instance_norm1d(net, x, INSTANCE(3, 0), &(struct onr_norm_weights){.running_mean = W(1, 3)}))
WRONG(batch2d, onr_batch_norm2d(net, x, BATCH(3, 0), KEPT(3)))
WRONG(instance1d, onr_instance_norm1d(net, x, INSTANCE(3, 0), AFFINE(3)))
WRONG(uneven_groups, onr_group_norm(net, x, GROUP(4, 6, 0), NO, NO))
WRONG(other_channels, onr_group_norm(net, x, GROUP(3, 9, 0), NO, NO))
WRONG(no_shape, onr_layer_norm(net, x, LAYER(0, 0, 0), NO, NO))
WRONG(many_dims, onr_rms_norm(net, x, RMS(ONR_MAX_RANK + 1, 0, 3), NO))
WRONG(other_shape, onr_layer_norm(net, x, LAYER(2, 0, 3, 1), NO, NO))
WRONG(no_size, onr_local_response_norm(net, x, 0, 1, 1, 1))

static void refuses_wrong_arguments(void **state) {
  const int64_t dims[4] = {2, 3, 4, 5};
  (void)state;
  nn_refuses(no_features, NULL, 2, dims, "num_features");
  nn_refuses(bad_eps, NULL, 2, dims, "eps");
  nn_refuses(half_kept, NULL, 2, dims, "running_var");
  nn_refuses(batch2d, NULL, 3, dims, "rank 4");
  nn_refuses(batch2d, NULL, 4, (int64_t[]){2, 2, 4, 5}, "2 elements");
  nn_refuses(instance1d, NULL, 4, dims, "rank 2 or 3");
  nn_refuses(uneven_groups, NULL, 3, dims, "num_groups");
  nn_refuses(other_channels, NULL, 2, (int64_t[]){2, 8}, "3 groups");
  nn_refuses(no_shape, NULL, 2, dims, "normalized_shape");
  nn_refuses(many_dims, NULL, 2, dims, "num_dims");
  nn_refuses(other_shape, NULL, 3, dims, "dimension 2 of size 1");
  nn_refuses(no_size, NULL, 3, dims, "size");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_pytorch), cmocka_unit_test(refuses_wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
