/* Scatters to all places of a box, with indices that are constant or spelled out as TorchScript does, and others, which
 * stay. */
#include "support/graph_test.h"
#include "support/sweep.h"

enum { MOST_RANK = 4, MOST_SIDE = 6 };

struct update {
  int32_t rank, depth; /* of x, and of the box */
  int64_t x[MOST_RANK], start[MOST_RANK], size[MOST_RANK];
};

static size_t places(const struct update *u) {
  size_t count = 1;
  for (int32_t d = 0; d < u->depth; d++) count *= (size_t)u->size[d];
  return count;
}

static int32_t constant_indices(struct graph_test *t, const struct update *u, int64_t *values) {
  int64_t dims[MOST_RANK + 1];
  for (size_t i = 0; i < places(u); i++) {
    size_t rest = i;
    for (int32_t d = u->depth; d-- > 0; rest /= (size_t)u->size[d])
      values[i * (size_t)u->depth + (size_t)d] = u->start[d] + (int64_t)(rest % (size_t)u->size[d]);
  }
  for (int32_t d = 0; d < u->depth; d++) dims[d] = u->size[d];
  dims[u->depth] = u->depth;
  return graph_test_int_tensor(t, u->depth + 1, dims, values);
}

/* concat of unsqueeze(expand(places of one axis, sizes), -1) */
static int32_t spelled_indices(struct graph_test *t, const struct update *u) {
  const struct onr_concat_params join = {.axis = -1};
  int32_t parts[MOST_RANK];
  for (int32_t d = 0; d < u->depth; d++) {
    int64_t line[MOST_SIDE], dims[MOST_RANK];
    for (int64_t i = 0; i < u->size[d]; i++) line[i] = u->start[d] + i;
    for (int32_t k = 0; k < u->depth; k++) dims[k] = k == d ? u->size[d] : 1;
    const int32_t expand[] = {graph_test_int_tensor(t, u->depth - d, dims + d, line),
                              graph_test_ints(t, (size_t)u->depth, u->size)};
    const int32_t unsqueeze[] = {graph_test_node(t, &onri_layer_expand, NULL, expand, 2),
                                 graph_test_ints(t, 1, (int64_t[]){-1})};
    parts[d] = graph_test_node(t, &onri_layer_unsqueeze, NULL, unsqueeze, 2);
  }
  return graph_test_node(t, &onri_layer_concat, &join, parts, (size_t)u->depth);
}

static int32_t scatter(struct graph_test *t, const struct update *u, int32_t indices, enum onr_reduction reduction) {
  const struct onr_scatter_nd_params params = {.reduction = reduction};
  int64_t dims[MOST_RANK];
  for (int32_t d = 0; d < u->rank; d++) dims[d] = d < u->depth ? u->size[d] : u->x[d];
  const int32_t in[] = {graph_test_input(t, u->rank, u->x), indices, graph_test_input(t, u->rank, dims)};
  return graph_test_node(t, &onri_layer_scatter_nd, &params, in, 3);
}

static struct update draw(struct sweep *s) {
  struct update u = {.rank = (int32_t)sweep_pick(s, 1, MOST_RANK)};
  u.depth = (int32_t)sweep_pick(s, 1, u.rank);
  for (int32_t d = 0; d < u.rank; d++) {
    u.x[d] = sweep_pick(s, 1, MOST_SIDE);
    u.size[d] = sweep_chance(s, 3) ? sweep_pick(s, 1, u.x[d]) : u.x[d];
    u.start[d] = sweep_pick(s, 0, u.x[d] - u.size[d]);
  }
  return u;
}

static void test_boxes(void **state) {
  struct sweep s = sweep_from(17);
  size_t gone = 0;
  (void)state;
  for (int i = 0; i < sweep_cases(400); i++) {
    int64_t values[MOST_SIDE * MOST_SIDE * MOST_SIDE * MOST_SIDE * MOST_RANK];
    const struct update u = draw(&s);
    const int is_spelled = sweep_chance(&s, 2);
    struct graph_test t;
    graph_test_begin(&t);
    const int32_t indices = is_spelled ? spelled_indices(&t, &u) : constant_indices(&t, &u, values);
    /* What is made is not the output itself: that may not be an input of the graph. */
    graph_test_output(&t, graph_test_unary(&t, ONR_UNARY_NEG, 0, 0, scatter(&t, &u, indices, ONR_REDUCTION_NONE)));
    graph_test_check(&t, is_spelled ? "fold_constants" : NULL);
    gone += graph_test_count(&t, &onri_layer_scatter_nd) == 0;
    graph_test_end(&t);
  }
  assert_true(gone > (size_t)sweep_cases(400) / 2);
}

/* Added instead of written; in another order; from the end; a small part; rows that are copied. The last one goes. */
static void test_what_stays(void **state) {
  static const struct {
    struct update update;
    enum onr_reduction reduction;
    int swap;
  } cases[] = {{{2, 2, {4, 5}, {1, 0}, {2, 5}}, ONR_REDUCTION_ADD, 0},
               {{2, 2, {4, 5}, {1, 0}, {2, 5}}, ONR_REDUCTION_NONE, 1},
               {{2, 2, {4, 5}, {-2, 0}, {2, 5}}, ONR_REDUCTION_NONE, 0},
               {{2, 2, {40, 5}, {3, 0}, {2, 5}}, ONR_REDUCTION_NONE, 0},
               {{2, 1, {4, 16}, {1}, {2}}, ONR_REDUCTION_NONE, 0},
               {{2, 2, {4, 5}, {1, 0}, {2, 5}}, ONR_REDUCTION_NONE, 0}};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const int is_last = i + 1 == sizeof(cases) / sizeof(cases[0]);
    int64_t values[64];
    struct graph_test t;
    graph_test_begin(&t);
    int32_t indices = constant_indices(&t, &cases[i].update, values);
    if (cases[i].swap) {
      const int64_t first = values[0];
      values[0] = values[10], values[10] = first;
      indices = graph_test_int_tensor(&t, 3, (int64_t[]){2, 5, 2}, values);
    }
    graph_test_output(&t, scatter(&t, &cases[i].update, indices, cases[i].reduction));
    graph_test_check(&t, NULL);
    if (graph_test_count(&t, &onri_layer_scatter_nd) != (size_t)!is_last) fail_msg("case %zu", i);
    graph_test_end(&t);
  }
}

/* A concat would take more updates than there are places, or fewer. */
static void test_open_updates(void **state) {
  const struct update u = {2, 2, {4, 5}, {1, 0}, {GRAPH_TEST_SAMPLE, 5}};
  const struct onr_scatter_nd_params params = {.reduction = ONR_REDUCTION_NONE};
  int64_t values[GRAPH_TEST_SAMPLE * 5 * 2];
  struct graph_test t;
  (void)state;
  graph_test_begin(&t);
  const int32_t in[] = {graph_test_input(&t, 2, u.x), constant_indices(&t, &u, values),
                        graph_test_input(&t, 2, (int64_t[]){-1, 5})};
  graph_test_output(
      &t, graph_test_unary(&t, ONR_UNARY_NEG, 0, 0, graph_test_node(&t, &onri_layer_scatter_nd, &params, in, 3)));
  graph_test_check(&t, NULL);
  assert_int_equal(graph_test_count(&t, &onri_layer_scatter_nd), 1);
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_boxes), cmocka_unit_test(test_what_stays),
                                     cmocka_unit_test(test_open_updates)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
