/* Unfold and Fold against PyTorch (families/fold.py). */
#include "support/nn_case.h"

#include "cases/fold.inc"

#define UNFOLD(name, ...) NN_BUILD(name, onr_unfold(net, in[0], &(struct onr_unfold){__VA_ARGS__}))
#define FOLD(name, ...) NN_BUILD(name, onr_fold(net, in[0], &(struct onr_fold){__VA_ARGS__}))

UNFOLD(unfold, .kernel_size = {2, 2})
UNFOLD(unfold_oblong, .kernel_size = {3, 2}, .dilation = {1, 2}, .padding = {2, 1}, .stride = {2, 1})
UNFOLD(unfold_pixels, .kernel_size = {1, 1}, .stride = {2, 2})
UNFOLD(unfold_unbatched, .kernel_size = {3, 3}, .padding = {1, 1})
FOLD(fold, .output_size = {4, 6}, .kernel_size = {2, 2}, .stride = {2, 2})
FOLD(fold_overlap, .output_size = {4, 5}, .kernel_size = {2, 3})
FOLD(fold_oblong, .output_size = {5, 6}, .kernel_size = {3, 2}, .dilation = {1, 2}, .padding = {2, 1}, .stride = {2, 1})
FOLD(fold_unbatched, .output_size = {4, 4}, .kernel_size = {3, 3}, .padding = {1, 1})

#define BUILDER(name) \
  { #name, name }
static const struct nn_builder builders[] = {
    BUILDER(unfold), BUILDER(unfold_oblong), BUILDER(unfold_pixels), BUILDER(unfold_unbatched),
    BUILDER(fold),   BUILDER(fold_overlap),  BUILDER(fold_oblong),   BUILDER(fold_unbatched),
};

static void agrees_with_pytorch(void **state) {
  (void)state;
  nn_check(cases, sizeof(cases) / sizeof(*cases), builders, sizeof(builders) / sizeof(*builders));
}

static int add_unfold(struct onr_net *net, int x, const void *p) { return onr_unfold(net, x, p); }
static int add_fold(struct onr_net *net, int x, const void *p) { return onr_fold(net, x, p); }

static void refuses_wrong_arguments(void **state) {
  static const int64_t image[4] = {1, 2, 4, 4}, columns[3] = {1, 8, 9};
  (void)state;
  nn_refuses(add_unfold, &(struct onr_unfold){.kernel_size = {0, 1}}, 4, image, "kernel_size");
  nn_refuses(add_unfold, &(struct onr_unfold){.kernel_size = {INT64_MAX, 1}}, 4, image, "kernel_size");
  nn_refuses(add_unfold, &(struct onr_unfold){.kernel_size = {1, 1}, .dilation = {-1, 0}}, 4, image, "dilation");
  nn_refuses(add_unfold, &(struct onr_unfold){.kernel_size = {1, 1}, .padding = {0, INT64_MIN}}, 4, image, "padding");
  nn_refuses(add_unfold, &(struct onr_unfold){.kernel_size = {1, 1}, .stride = {0, -3}}, 4, image, "stride");
  nn_refuses(add_unfold, &(struct onr_unfold){.kernel_size = {5, 1}}, 4, image, "does not fit");
  nn_refuses(add_fold, &(struct onr_fold){.kernel_size = {2, 2}, .output_size = {4, 0}}, 3, columns, "output_size");
  nn_refuses(add_fold, &(struct onr_fold){.kernel_size = {2, 2}, .output_size = {4, 5}}, 3, columns, "9");
  nn_refuses(add_fold, &(struct onr_fold){.kernel_size = {3, 2}, .output_size = {4, 4}}, 3, columns, "8");
  nn_refuses(add_fold, &(struct onr_fold){.kernel_size = {2, 2}, .output_size = {4, 4}}, 4, image, "rank 2 or 3");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_pytorch), cmocka_unit_test(refuses_wrong_arguments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
