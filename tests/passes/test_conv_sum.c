/* Sums of convolutions of one image: branches that become one, those that must stay, and drawn ones, which give what
 * they gave before. */
#include "support/graph_test.h"
#include "support/sweep.h"

enum { CHANNELS = 4, SIDE = 9 };

struct shape {
  int64_t outputs, kernel, stride, dilation, begin, end, groups;
};

static int32_t conv(struct graph_test *t, int32_t x, struct shape s, int has_bias) {
  const struct onr_conv_params params = {.window = {.rank = 2,
                                                    .stride = {s.stride, s.stride},
                                                    .dilation = {s.dilation, s.dilation},
                                                    .pad_begin = {s.begin, s.begin},
                                                    .pad_end = {s.end, s.end}},
                                         .groups = s.groups};
  const int64_t weights[] = {s.outputs, CHANNELS / s.groups, s.kernel, s.kernel};
  const int32_t in[] = {x, graph_test_constant(t, 4, weights, NULL),
                        has_bias ? graph_test_constant(t, 1, &s.outputs, NULL) : ONRI_NONE};
  return graph_test_node(t, &onri_layer_conv, &params, in, has_bias ? 3 : 2);
}

static int32_t plain(struct graph_test *t, int32_t x, int64_t kernel, int64_t groups) {
  return conv(t, x, (struct shape){CHANNELS, kernel, 1, 1, kernel / 2, kernel / 2, groups}, 1);
}

static int32_t norm(struct graph_test *t, int32_t x) {
  const struct onr_batch_norm_params params = {.epsilon = 1e-3f};
  const int64_t channels = CHANNELS;
  int32_t in[5] = {x};
  for (int k = 1; k < 5; k++) in[k] = graph_test_constant(t, 1, &channels, NULL);
  return graph_test_node(t, &onri_layer_batch_norm, &params, in, 5);
}

static int32_t add(struct graph_test *t, int32_t a, int32_t b) { return graph_test_binary(t, ONR_BINARY_ADD, a, b); }

/* --- forms of networks --- */

static int32_t repvgg(struct graph_test *t, int32_t x) {
  return add(t, add(t, plain(t, x, 3, 1), plain(t, x, 1, 1)), norm(t, x));
}
static int32_t mobileone(struct graph_test *t, int32_t x) {
  int32_t y = norm(t, x);
  for (int k = 0; k < 4; k++) y = add(t, y, plain(t, x, k == 0 ? 1 : 3, CHANNELS));
  return y;
}
static int32_t of_pixels(struct graph_test *t, int32_t x) {
  return add(t, plain(t, x, 1, 1), add(t, plain(t, x, 1, 1), norm(t, x)));
}
static int32_t repvit(struct graph_test *t, int32_t x) {
  return norm(t, add(t, add(t, plain(t, x, 3, CHANNELS), plain(t, x, 1, CHANNELS)), x));
}
static int32_t norms_behind(struct graph_test *t, int32_t x) {
  return add(t, norm(t, plain(t, x, 3, 2)), norm(t, plain(t, x, 5, 2)));
}
static int32_t strided(struct graph_test *t, int32_t x) {
  return add(t, conv(t, x, (struct shape){6, 1, 2, 1, 0, 0, 1}, 0), conv(t, x, (struct shape){6, 3, 2, 1, 1, 1, 1}, 0));
}

/* --- what stays two --- */

static int32_t other_images(struct graph_test *t, int32_t x) {
  return add(t, plain(t, x, 3, 1), plain(t, graph_test_unary(t, ONR_UNARY_EXP, 0, 0, x), 3, 1));
}
static int32_t other_groups(struct graph_test *t, int32_t x) { return add(t, plain(t, x, 3, 1), plain(t, x, 3, 2)); }
static int32_t other_strides(struct graph_test *t, int32_t x) {
  return add(t, conv(t, x, (struct shape){4, 1, 2, 1, 0, 0, 1}, 1), conv(t, x, (struct shape){4, 5, 1, 1, 0, 0, 1}, 1));
}
static int32_t outside(struct graph_test *t, int32_t x) {
  return add(t, conv(t, x, (struct shape){4, 3, 1, 1, 0, 4, 1}, 1), conv(t, x, (struct shape){4, 1, 1, 1, 1, 1, 1}, 1));
}
static int32_t other_dilations(struct graph_test *t, int32_t x) {
  return add(t, conv(t, x, (struct shape){4, 3, 1, 2, 2, 2, 1}, 1), conv(t, x, (struct shape){4, 3, 1, 1, 1, 1, 1}, 1));
}
static int32_t read_twice(struct graph_test *t, int32_t x) {
  const int32_t y = plain(t, x, 3, 1);
  return add(t, add(t, y, plain(t, x, 1, 1)), y);
}
static int32_t activation_between(struct graph_test *t, int32_t x) {
  return add(t, plain(t, x, 3, 1), graph_test_unary(t, ONR_UNARY_RELU, 0, 0, plain(t, x, 3, 1)));
}

static const struct {
  const char *name;
  int32_t (*build)(struct graph_test *t, int32_t x);
  size_t convolutions;
} cases[] = {
    {"repvgg", repvgg, 1},
    {"mobileone", mobileone, 1},
    {"of_pixels", of_pixels, 1},
    {"repvit", repvit, 1},
    {"norms_behind", norms_behind, 1},
    {"strided", strided, 1},
    {"other_images", other_images, 2},
    {"other_groups", other_groups, 2},
    {"other_strides", other_strides, 2},
    {"outside", outside, 2},
    {"other_dilations", other_dilations, 2},
    {"read_twice", read_twice, 2},
    {"activation_between", activation_between, 2},
};

static void test_forms(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct graph_test t;
    graph_test_begin(&t);
    t.tolerance = 1e-5;
    graph_test_output(&t, cases[i].build(&t, graph_test_input(&t, 4, (int64_t[]){2, CHANNELS, SIDE, SIDE})));
    graph_test_check(&t, "layout,residual,conv_chain,fuse_elementwise");
    const size_t found = graph_test_count(&t, &onri_layer_conv);
    if (found != cases[i].convolutions) fail_msg("%s: %zu convolutions", cases[i].name, found);
    if (cases[i].convolutions == 1) assert_int_equal(graph_test_size(&t), 1);
    graph_test_end(&t);
  }
}

/* Padding behind a drawn window such that it has as many places as a kernel of 1 without padding. */
static struct shape draw(struct sweep *s, int64_t stride, int64_t groups) {
  struct shape w = {CHANNELS, sweep_pick(s, 1, 5), stride, sweep_pick(s, 1, 2), 0, 0, groups};
  const int64_t more = (w.kernel - 1) * w.dilation;
  w.begin = sweep_pick(s, 0, more), w.end = more - w.begin;
  return w;
}

static void test_drawn(void **state) {
  struct sweep s = sweep_from(5);
  size_t merged = 0;
  (void)state;
  for (int i = 0; i < sweep_cases(300); i++) {
    struct graph_test t;
    graph_test_begin(&t);
    t.tolerance = 1e-5;
    const int64_t stride = sweep_pick(&s, 1, 2), groups = (int64_t)1 << sweep_pick(&s, 0, 2),
                  count = sweep_pick(&s, 2, 4);
    const int32_t x = graph_test_input(&t, 4, (int64_t[]){1, CHANNELS, SIDE, SIDE});
    int32_t y = conv(&t, x, draw(&s, stride, groups), 1);
    for (int64_t k = 1; k < count; k++) {
      const int kind = stride == 1 ? (int)sweep_pick(&s, 0, 4) : 4;
      const int32_t other = kind == 0   ? norm(&t, x)
                            : kind == 1 ? x
                                        : conv(&t, x, draw(&s, stride, groups), (int)sweep_pick(&s, 0, 1));
      y = sweep_chance(&s, 2) ? add(&t, y, other) : add(&t, other, y);
    }
    graph_test_output(&t, y);
    graph_test_check(&t, "layout,residual,conv_chain");
    merged += graph_test_size(&t) == 1;
    graph_test_end(&t);
  }
  assert_true(merged > (size_t)sweep_cases(300) / 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms), cmocka_unit_test(test_drawn)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
