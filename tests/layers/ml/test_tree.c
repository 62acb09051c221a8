/* tree_ensemble and class_scores: small trees worked out by hand, and what is no tree. Whole models with results of
 * onnx.reference and ONNX Runtime are in tests/onnx/history/forms_ml.py. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "layers/layers.h"

/* x0 <= 1 ? (x1 is one of 2, 5 ? votes 0, 1 : vote 2) : vote 3 */
static const struct onr_tree_node nodes[] = {
    {.mode = ONR_TREE_LEQ, .feature = 0, .value = 1, .yes = 1, .no = 4},
    {.mode = ONR_TREE_MEMBER, .feature = 1, .yes = 2, .no = 3, .members = 1, .num_members = 2, .nan_yes = 1},
    {.mode = ONR_TREE_LEAF, .yes = 0, .no = 2},
    {.mode = ONR_TREE_LEAF, .yes = 2, .no = 3},
    {.mode = ONR_TREE_LEAF, .yes = 3, .no = 4},
};
static const struct onr_tree_vote votes[] = {{0, 1}, {1, 10}, {1, 20}, {0, 4}};
static const uint32_t root = 0;
static const double members[] = {9, 5, 2};

static struct onr_tree_ensemble_params one_tree(void) {
  return (struct onr_tree_ensemble_params){.nodes = nodes,
                                           .roots = &root,
                                           .votes = votes,
                                           .members = members,
                                           .num_nodes = 5,
                                           .num_roots = 1,
                                           .num_votes = 4,
                                           .num_members = 3,
                                           .targets = 2,
                                           .num_features = 2,
                                           .aggregate = ONR_TREE_SUM};
}

static enum onr_status run_tree(struct layer_test *t, const struct onr_tree_ensemble_params *p, int32_t rank,
                                const int64_t *dims, const float *x) {
  *t = (struct layer_test){.layer = &onri_layer_tree_ensemble, .params = p, .num_out = 1, .threads = 2};
  layer_test_input(t, ONR_DTYPE_F32, rank, dims, x);
  return layer_test_run(t);
}

static void votes_of_the_leaves(void **state) {
  const struct onr_tree_ensemble_params p = one_tree();
  const float x[] = {0, 2, 1, 5, 1, 3, 2, 2, -1, NAN, NAN, 5}, expected[] = {1, 10, 1, 10, 0, 20, 4, 0, 1, 10, 4, 0};
  struct layer_test t;
  (void)state;
  assert_int_equal(run_tree(&t, &p, 2, (int64_t[]){6, 2}, x), ONR_STATUS_OK);
  assert_int_equal(t.out[0].desc.dim[1], 2);
  assert_close(t.out[0].data, expected, 12, 0, 0);
  layer_test_clear(&t);
  assert_int_equal(run_tree(&t, &p, 1, (int64_t[]){2}, x), ONR_STATUS_OK); /* one row */
  assert_int_equal(t.out[0].desc.dim[0], 1);
  assert_close(t.out[0].data, expected, 2, 0, 0);
  layer_test_clear(&t);
}

/* Each mode asked of 0, 1, 2 and NaN about 1; votes 1 for yes, 0 for no. A NaN is unequal to 1. */
static void modes(void **state) {
  static const float expected[][4] = {
      [ONR_TREE_LEQ] = {1, 1, 0, 0}, [ONR_TREE_LT] = {1, 0, 0, 0}, [ONR_TREE_GTE] = {0, 1, 1, 0},
      [ONR_TREE_GT] = {0, 0, 1, 0},  [ONR_TREE_EQ] = {0, 1, 0, 0}, [ONR_TREE_NEQ] = {1, 0, 1, 1}};
  const struct onr_tree_vote yes = {0, 1};
  const float x[] = {0, 1, 2, NAN};
  (void)state;
  for (int mode = 0; mode <= ONR_TREE_NEQ; mode++)
    for (int nan_yes = 0; nan_yes < 2; nan_yes++) {
      const struct onr_tree_node tree[] = {
          {.mode = (enum onr_tree_mode)mode, .value = 1, .yes = 1, .no = 2, .nan_yes = nan_yes},
          {.mode = ONR_TREE_LEAF, .yes = 0, .no = 1},
          {.mode = ONR_TREE_LEAF}};
      const struct onr_tree_ensemble_params p = {.nodes = tree,
                                                 .roots = &root,
                                                 .votes = &yes,
                                                 .num_nodes = 3,
                                                 .num_roots = 1,
                                                 .num_votes = 1,
                                                 .targets = 1,
                                                 .num_features = 1,
                                                 .aggregate = ONR_TREE_SUM};
      struct layer_test t;
      assert_int_equal(run_tree(&t, &p, 2, (int64_t[]){4, 1}, x), ONR_STATUS_OK);
      assert_close(t.out[0].data, expected[mode], 3, 0, 0);
      assert_true(((const float *)t.out[0].data)[3] == (nan_yes ? 1 : expected[mode][3]));
      layer_test_clear(&t);
    }
}

/* 200 rows in blocks, eight at a time, and the same rows one by one. Tree t asks x0 <= t / 4 and votes t or -t. */
static void blocks_of_rows(void **state) {
  enum { TREES = 9, N = 200 };
  struct onr_tree_node forest[3 * TREES];
  struct onr_tree_vote all[2 * TREES];
  uint32_t roots[TREES];
  float x[N], expected[N];
  struct layer_test t;
  (void)state;
  for (uint32_t i = 0; i < TREES; i++) {
    forest[3 * i] = (struct onr_tree_node){.mode = ONR_TREE_LEQ, .value = i / 4.0, .yes = 3 * i + 1, .no = 3 * i + 2};
    forest[3 * i + 1] = (struct onr_tree_node){.mode = ONR_TREE_LEAF, .yes = 2 * i, .no = 2 * i + 1};
    forest[3 * i + 2] = (struct onr_tree_node){.mode = ONR_TREE_LEAF, .yes = 2 * i + 1, .no = 2 * i + 2};
    all[2 * i] = (struct onr_tree_vote){0, i};
    all[2 * i + 1] = (struct onr_tree_vote){0, -(double)i};
    roots[i] = 3 * i;
  }
  const double base = 0.5;
  struct onr_tree_ensemble_params p = {.nodes = forest,
                                       .roots = roots,
                                       .votes = all,
                                       .base = &base,
                                       .num_nodes = 3 * TREES,
                                       .num_roots = TREES,
                                       .num_votes = 2 * TREES,
                                       .num_base = 1,
                                       .targets = 1,
                                       .num_features = 1,
                                       .aggregate = ONR_TREE_AVERAGE};
  fill_random(x, N, -1, 3, 5);
  for (size_t n = 0; n < N; n++) {
    double sum = 0;
    for (int i = 0; i < TREES; i++) sum += x[n] <= (float)i / 4 ? i : -i;
    expected[n] = (float)(sum / TREES + base);
  }
  assert_int_equal(run_tree(&t, &p, 2, (int64_t[]){N, 1}, x), ONR_STATUS_OK);
  assert_close(t.out[0].data, expected, N, 1e-6, 1e-6);
  layer_test_clear(&t);
  p.aggregate = ONR_TREE_MAX;
  assert_int_equal(run_tree(&t, &p, 2, (int64_t[]){1, 1}, (float[]){1.1f}), ONR_STATUS_OK);
  assert_close(t.out[0].data, (float[]){8.5f}, 1, 0, 0);
  layer_test_clear(&t);
}

static void expect_refused(const struct onr_tree_ensemble_params *p, enum onr_status status) {
  const float x[] = {0, 0};
  struct layer_test t;
  assert_int_equal(run_tree(&t, p, 2, (int64_t[]){1, 2}, x), status);
  layer_test_clear(&t);
}

static void no_trees(void **state) {
  struct onr_tree_node changed[5];
  struct onr_tree_ensemble_params p;
  (void)state;
  for (int wrong = 0; wrong < 8; wrong++) {
    memcpy(changed, nodes, sizeof(nodes));
    p = one_tree();
    p.nodes = changed;
    if (wrong == 0) changed[1].yes = 0; /* a cycle */
    if (wrong == 1) changed[0].no = 1;  /* two ways to a node */
    if (wrong == 2) changed[0].no = 5;  /* no such node */
    if (wrong == 3) changed[2].no = 5;  /* no such vote */
    if (wrong == 4) changed[1].num_members = UINT32_MAX;
    if (wrong == 5) changed[1].feature = -1;
    if (wrong == 6) changed[1].mode = (enum onr_tree_mode)9;
    if (wrong == 7) p.targets = 1; /* a vote for another */
    expect_refused(&p, ONR_STATUS_ATTRIBUTE);
  }
  p = one_tree();
  p.num_features = 3;
  expect_refused(&p, ONR_STATUS_SHAPE);
  p = one_tree();
  p.num_base = 3;
  expect_refused(&p, ONR_STATUS_ATTRIBUTE);
}

static void check_scores(const struct onr_class_scores_params *p, int64_t width, const float *x, int64_t best,
                         const float *expected, size_t count) {
  struct layer_test t = {.layer = &onri_layer_class_scores, .params = p, .num_out = 2};
  layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){1, width}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(((const int64_t *)t.out[0].data)[0], best);
  assert_int_equal(onr_desc_elements(&t.out[1].desc), count);
  assert_close(t.out[1].data, expected, count, 1e-5, 1e-6);
  layer_test_clear(&t);
}

/* Values of onnx.reference's functions softmax, logistic, softmax_zero and probit. */
static void class_scores(void **state) {
  struct onr_class_scores_params p = {ONR_SCORE_NONE, ONR_SECOND_NONE, 0};
  const float x[] = {0.25f, 0, 0.75f};
  (void)state;
  check_scores(&p, 3, x, 2, x, 3);
  p.transform = ONR_SCORE_SOFTMAX;
  check_scores(&p, 3, x, 2, (float[]){0.29175596f, 0.22721977f, 0.48102426f}, 3);
  p.transform = ONR_SCORE_LOGISTIC;
  check_scores(&p, 3, x, 2, (float[]){0.5621765f, 0.5f, 0.6791787f}, 3);
  p.transform = ONR_SCORE_SOFTMAX_ZERO;
  check_scores(&p, 3, x, 2, (float[]){0.37754067f, 0, 0.62245933f}, 3);
  check_scores(&p, 3, (float[]){-1, 0, -2}, 0, (float[]){0.7310586f, 0, 0.26894143f}, 3); /* a zero is no best score */
  p.transform = ONR_SCORE_PROBIT;
  check_scores(&p, 2, (float[]){0.25f, 0.75f}, 1, (float[]){-0.67457425f, 0.67457425f}, 2);
  check_scores(&p, 1, (float[]){0.75f}, 1, (float[]){0.67457425f}, 1);
  p = (struct onr_class_scores_params){ONR_SCORE_NONE, ONR_SECOND_COMPLEMENT, 0.5f};
  check_scores(&p, 1, (float[]){0.25f}, 0, (float[]){0.75f, 0.25f}, 2);
  p = (struct onr_class_scores_params){ONR_SCORE_LOGISTIC, ONR_SECOND_OPPOSITE, 0};
  check_scores(&p, 1, (float[]){0.25f}, 1, (float[]){0.4378235f, 0.5621765f}, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(votes_of_the_leaves), cmocka_unit_test(modes),
                                     cmocka_unit_test(blocks_of_rows), cmocka_unit_test(no_trees),
                                     cmocka_unit_test(class_scores)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
