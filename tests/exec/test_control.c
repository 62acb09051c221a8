/* control: If and Loop as a session runs them: which branch, how often, what is carried, and no turn at all. */
#include "support/small_session.h"

/* A body of one node on its last input. Outputs: `first` (an input, or -1: none), then the node's. */
static struct onri_graph *body_of(struct builder *b, const struct onr_layer *layer, size_t num_inputs,
                                  const int32_t *inputs_read, size_t num_read, int first) {
  struct onri_graph *body;
  int32_t in[4], read[2], out[2], count = 0;
  assert_int_equal(onri_graph_create(b->graph->env, &body, NULL), ONR_STATUS_OK);
  for (size_t i = 0; i < num_inputs; i++) in[i] = value(body, NULL);
  for (size_t i = 0; i < num_read; i++) read[i] = in[inputs_read[i]];
  if (first >= 0) out[count++] = in[first];
  out[count++] = node(body, layer, read, num_read);
  assert_int_equal(onri_graph_set_inputs(body, in, num_inputs, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(body, out, (size_t)count, NULL), ONR_STATUS_OK);
  return body;
}

static int32_t control(struct builder *b, const struct onr_layer *layer, const void *params, const int32_t *in,
                       size_t num_in, struct onri_graph *first, struct onri_graph *second) {
  const int32_t out = value(b->graph, NULL);
  struct onri_node *n = onri_graph_add_node(b->graph, layer, params, NULL, in, num_in, &out, 1);
  assert_non_null(n);
  n->bodies = onri_arena_allocate(&b->graph->arena, 2 * sizeof(*n->bodies));
  assert_non_null(n->bodies);
  n->bodies[0] = first;
  n->bodies[1] = second;
  n->num_bodies = second ? 2 : 1;
  return out;
}

/* a < b ? a + 1 : a + b, with the branch chosen anew in each run. */
static void test_a_branch_for_each_run(void **state) {
  struct builder b = start();
  (void)state;
  const int32_t a = value(b.graph, "a"), other = value(b.graph, "b");
  const int32_t condition = node(b.graph, &below, (int32_t[]){a, other}, 2);
  struct onri_graph *yes = body_of(&b, &increment, 1, (int32_t[]){0}, 1, -1),
                    *no = body_of(&b, &add, 2, (int32_t[]){0, 1}, 2, -1);
  const int32_t y = control(&b, &onri_layer_if, NULL, (int32_t[]){condition, a, a, other}, 4, yes, no);
  struct onr_session *s = finish(&b, (int32_t[]){a, other}, 2, &y, 1);
  const float inputs[3][2] = {{1, 5}, {5, 1}, {-3, 0}}, expected[3] = {2, 6, -2};
  for (int i = 0; i < 3; i++) {
    set(s, 0, &inputs[i][0], 1);
    set(s, 1, &inputs[i][1], 1);
    run(s);
    expect(s, 0, &expected[i], 1);
  }
  end(&b, s);
}

/* x is carried, and grows by 1 in each of M turns; with M = 0 it comes back as it was. */
static void test_turns_of_a_loop(void **state) {
  (void)state;
  for (int64_t turns = 0; turns < 5; turns++) {
    struct builder b = start();
    const int32_t x = value(b.graph, "x");
    const struct onr_desc count = {.dtype = ONR_DTYPE_I64}, truth = {.dtype = ONR_DTYPE_BOOL};
    const int32_t m = onri_graph_add_data(b.graph, &count, &turns),
                  go = onri_graph_add_data(b.graph, &truth, &(uint8_t){1});
    struct onri_graph *body = body_of(&b, &increment, 3, (int32_t[]){2}, 1, 1);
    const struct onr_loop_params params = {.num_carried = 1};
    const int32_t y = control(&b, &onri_layer_loop, &params, (int32_t[]){m, go, x}, 3, body, NULL);
    struct onr_session *s = finish(&b, &x, 1, &y, 1);
    set(s, 0, (float[]){1, 20}, 2);
    for (int again = 0; again < 2; again++) {
      run(s);
      expect(s, 0, (float[]){1 + (float)turns, 20 + (float)turns}, 2);
    }
    end(&b, s);
  }
}

/* --- Scan: slices of every axis, forwards and backwards, into every axis --- */

struct scan {
  struct builder b;
  struct onr_session *session;
  float x[24];
  struct onr_desc desc;
};

static void open_scan(struct scan *s, const struct onr_scan_params *params, const struct onr_desc *desc) {
  *s = (struct scan){.b = start(), .desc = *desc};
  const int32_t x = value(s->b.graph, "x");
  struct onri_graph *body = body_of(&s->b, &increment, 1, (int32_t[]){0}, 1, -1);
  const int32_t y = control(&s->b, &onri_layer_scan, params, &x, 1, body, NULL);
  s->session = finish(&s->b, &x, 1, &y, 1);
  for (size_t i = 0; i < 24; i++) s->x[i] = (float)i;
  const struct onr_tensor tensor = {*desc, s->x};
  assert_int_equal(onr_session_set_input(s->session, 0, &tensor, NULL), ONR_STATUS_OK);
}

/* Where dimension d of a slice lies in the whole. */
static int32_t around(int32_t d, int32_t axis) { return d < axis ? d : d + 1; }

/* y[.. j at out_axis ..] = x[.. i at in_axis ..] + 1, element by element. */
static void check_scan(struct scan *s, int32_t in_axis, int32_t out_axis, int backwards) {
  const int32_t rank = s->desc.rank;
  struct onr_tensor y;
  assert_int_equal(onr_session_get_output(s->session, 0, &y, NULL), ONR_STATUS_OK);
  assert_int_equal(y.desc.rank, rank);
  assert_int_equal(y.desc.dim[out_axis], s->desc.dim[in_axis]);
  for (int64_t n = 0; n < onr_desc_elements(&s->desc); n++) {
    int64_t at[ONR_MAX_RANK] = {0}, rest = n, to = 0;
    for (int32_t d = rank; d-- > 0; rest /= s->desc.dim[d]) at[d] = rest % s->desc.dim[d];
    for (int32_t d = 0; d < rank; d++) {
      int64_t index = 0;
      for (int32_t k = 0; k < rank - 1; k++)
        if (around(k, out_axis) == d) index = at[around(k, in_axis)];
      if (d == out_axis) index = backwards ? s->desc.dim[in_axis] - 1 - at[in_axis] : at[in_axis];
      to = to * y.desc.dim[d] + index;
    }
    assert_true(((const float *)y.data)[to] == s->x[n] + 1);
  }
}

static void test_scan_along_every_axis(void **state) {
  (void)state;
  for (int32_t rank = 1; rank <= 3; rank++)
    for (int32_t in_axis = -rank; in_axis < rank; in_axis++)
      for (int32_t out_axis = -rank; out_axis < rank; out_axis++)
        for (int reversals = 0; reversals < 4; reversals++) {
          const struct onr_scan_params params = {.num_scan_inputs = 1,
                                                 .input_axis = {in_axis},
                                                 .output_axis = {out_axis},
                                                 .input_reverse = {reversals & 1},
                                                 .output_reverse = {reversals >> 1}};
          const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, rank, (int64_t[]){2, 3, 4});
          struct scan s;
          open_scan(&s, &params, &desc);
          run(s.session);
          check_scan(&s, in_axis < 0 ? in_axis + rank : in_axis, out_axis < 0 ? out_axis + rank : out_axis,
                     reversals == 1 || reversals == 2);
          end(&s.b, s.session);
        }
}

/* Axes that there are not, also of what has no slices and of scalars. */
static void test_scan_along_no_axis(void **state) {
  static const struct {
    int32_t rank, in_axis, out_axis;
    int64_t length;
  } cases[] = {{2, 2, 0, 3}, {2, -3, 0, 3}, {2, 0, 2, 3},         {2, 0, -3, 3},        {2, 2, 0, 0},
               {2, 0, 2, 0}, {2, 0, -3, 0}, {2, INT32_MIN, 0, 3}, {2, INT32_MAX, 0, 3}, {2, 0, INT32_MIN, 3},
               {0, 0, 0, 1}, {0, -1, 0, 1}, {1, 0, INT32_MAX, 0}, {1, 0, INT32_MIN, 0}};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const struct onr_scan_params params = {
        .num_scan_inputs = 1, .input_axis = {cases[i].in_axis}, .output_axis = {cases[i].out_axis}};
    const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, cases[i].rank, (int64_t[]){cases[i].length, 2});
    struct onr_error error = {.message = ""};
    struct scan s;
    open_scan(&s, &params, &desc);
    assert_int_equal(onr_session_run(s.session, &error), ONR_STATUS_ATTRIBUTE);
    assert_non_null(strstr(error.message, "axis"));
    end(&s.b, s.session);
  }
}

static void test_scan_of_nothing(void **state) {
  const struct onr_scan_params params = {.num_scan_inputs = 1, .input_axis = {-1}, .output_axis = {-1}};
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){3, 0});
  struct onr_tensor y;
  struct scan s;
  (void)state;
  open_scan(&s, &params, &desc);
  run(s.session);
  assert_int_equal(onr_session_get_output(s.session, 0, &y, NULL), ONR_STATUS_OK);
  assert_true(y.desc.rank == 2 && y.desc.dim[0] == 3 && y.desc.dim[1] == 0);
  end(&s.b, s.session);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_branch_for_each_run),
                                     cmocka_unit_test(test_turns_of_a_loop),
                                     cmocka_unit_test(test_scan_along_every_axis),
                                     cmocka_unit_test(test_scan_along_no_axis), cmocka_unit_test(test_scan_of_nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
