/* Operators of XNNPACK across the plans of a session: a new shape packs no weights again, shapes that repeat allocate
 * nothing, results are those of the portable kernels, and memory may run out anywhere. */
#include "kernels/conv/conv_gemm.h"
#include "kernels/conv/depthwise.h"
#include "support/small_session.h"

#include <math.h>

enum kind { TRANSPOSED, ONE_TAP, DEPTHWISE, DENSE, KINDS };

/* Many channels, so that the weights outweigh the images. */
static const struct {
  int64_t channels, out, groups, kernel;
} sizes[KINDS] = {{256, 128, 1, 4}, {4096, 4096, 4096, 1}, {4096, 4096, 4096, 5}, {64, 64, 1, 4}};

static int32_t add_weight(struct onri_graph *g, enum kind kind) {
  const int64_t in = sizes[kind].channels, out = sizes[kind].out, k = sizes[kind].kernel, group = sizes[kind].groups;
  const struct onr_desc desc = {
      ONR_DTYPE_F32, 4, {kind == TRANSPOSED ? in : out, kind == TRANSPOSED ? out / group : in / group, k, k}};
  const int64_t count = onr_desc_elements(&desc);
  float *data = malloc((size_t)count * sizeof(*data));
  for (int64_t i = 0; i < count; i++) data[i] = (float)((i * 37 + i / 64) % 101 - 50) / 256;
  const int32_t v = onri_graph_add_data(g, &desc, data);
  free(data);
  return v;
}

static size_t weight_bytes(enum kind kind) {
  return (size_t)(sizes[kind].channels / sizes[kind].groups * sizes[kind].out * sizes[kind].kernel *
                  sizes[kind].kernel) *
         sizeof(float);
}

/* One convolution of channels-last images of any size. */
static struct onr_session *convolution(struct builder *b, enum kind kind) {
  const int64_t pad = kind == TRANSPOSED ? 1 : sizes[kind].kernel / 2, stride = kind == TRANSPOSED ? 2 : 1;
  const struct onr_window window = {
      .rank = 2, .pad_begin = {pad, pad}, .pad_end = {pad, pad}, .stride = {stride, stride}};
  const struct onr_conv_params conv = {.window = window, .groups = sizes[kind].groups, .channels_last = 1};
  const struct onr_conv_transpose_params transposed = {
      .window = window, .groups = sizes[kind].groups, .channels_last = 1};
  const int32_t x =
      onri_graph_add_value(b->graph, "x", &(struct onr_desc){ONR_DTYPE_F32, 4, {1, -1, -1, sizes[kind].channels}});
  const int32_t w = add_weight(b->graph, kind), y = value(b->graph, NULL);
  assert_non_null(onri_graph_add_node(b->graph, kind == TRANSPOSED ? &onri_layer_conv_transpose : &onri_layer_conv,
                                      kind == TRANSPOSED ? (const void *)&transposed : &conv, NULL, (int32_t[]){x, w},
                                      2, &y, 1));
  return finish(b, &x, 1, &y, 1);
}

/* Images small enough to be many, and of different shapes: index 0 is the largest. */
static enum onr_status run_image(struct onr_session *s, enum kind kind, int64_t index, struct onr_tensor *y) {
  static float image[8 * 8 * 4096];
  const struct onr_tensor x = {
      onr_desc_make(ONR_DTYPE_F32, 4, (int64_t[]){1, 8 - index / 4, 8 - index % 4, sizes[kind].channels}), image};
  enum onr_status status;
  for (int64_t i = 0; i < onr_desc_elements(&x.desc); i++) image[i] = (float)((i * 13 + index) % 31 - 15) / 16;
  assert_int_equal(onr_session_set_input(s, 0, &x, NULL), ONR_STATUS_OK);
  status = onr_session_run(s, NULL);
  if (status == ONR_STATUS_OK) assert_int_equal(onr_session_get_output(s, 0, y, NULL), ONR_STATUS_OK);
  return status;
}

/* [kind][image]: what the portable kernel says. */
static struct onr_tensor expected[KINDS][16];

static int compute_expected(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    struct builder b = start();
    b.model->env.backend = ONR_BACKEND_PORTABLE;
    struct onr_session *s = convolution(&b, (enum kind)kind);
    for (int64_t i = 0; i < 16; i++) {
      struct onr_tensor *e = &expected[kind][i];
      assert_int_equal(run_image(s, (enum kind)kind, i, e), ONR_STATUS_OK);
      e->data = memcpy(malloc(onr_desc_bytes(&e->desc)), e->data, onr_desc_bytes(&e->desc));
    }
    end(&b, s);
  }
  return 0;
}

static int release_expected(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++)
    for (int i = 0; i < 16; i++) free(expected[kind][i].data);
  return 0;
}

static enum onr_status try_image(struct onr_session *s, enum kind kind, int64_t index) {
  const struct onr_tensor *e = &expected[kind][index];
  const float *want = e->data;
  struct onr_tensor y;
  const enum onr_status status = run_image(s, kind, index, &y);
  if (status != ONR_STATUS_OK) return status;
  assert_true(onr_desc_equal(&y.desc, &e->desc));
  for (int64_t i = 0; i < onr_desc_elements(&y.desc); i++)
    if (fabsf(((const float *)y.data)[i] - want[i]) > 1e-3f * (1 + fabsf(want[i])))
      fail_msg("kind %d, image %d, [%d]: expected %g, found %g", (int)kind, (int)index, (int)i, (double)want[i],
               (double)((const float *)y.data)[i]);
  return ONR_STATUS_OK;
}

/* All are for our own vectors, where this processor has them. */
static int is_own(int kind) {
  return kind == DENSE || kind == TRANSPOSED ? onri_conv_gemm_is_fast() : onri_depthwise_is_fast();
}

static void check_kernel(struct onr_session *s, int kind) {
  struct onr_node_info info = {.size = sizeof(info)};
  assert_int_equal(onr_session_node(s, 0, &info), ONR_STATUS_OK);
  assert_int_equal(info.kernel, is_own(kind) ? ONR_KERNEL_VECTOR : ONR_KERNEL_XNNPACK);
}

/* With plan_bytes 1 the plan of a new shape replaces the one before. */
static void new_shapes_pack_nothing(void **state) {
  (void)state;
  for (int one_plan = 0; one_plan <= 1; one_plan++)
    for (int kind = 0; kind < KINDS; kind++) {
      if (!one_plan && kind == DEPTHWISE && !is_own(kind)) continue; /* as many operators as plans: each packs once */
      struct builder b =
          start_with(&(struct onr_limits){.size = sizeof(struct onr_limits), .plan_bytes = one_plan ? 1 : 1 << 30});
      struct onr_session *s = convolution(&b, (enum kind)kind);
      for (int64_t i = 0; i < 16; i++) {
        const size_t before = counted_sum;
        assert_int_equal(try_image(s, (enum kind)kind, i), ONR_STATUS_OK);
        if (i == 0) check_kernel(s, kind);
        else
          assert_in_range(counted_sum - before, 0,
                          weight_bytes((enum kind)kind) / 2 + (kind == ONE_TAP || kind == DENSE ? 40000 : 0));
      }
      end(&b, s);
    }
}

static void shapes_that_repeat_allocate_nothing(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    struct builder b = start_with(&(struct onr_limits){.size = sizeof(struct onr_limits), .plan_bytes = 1 << 30});
    struct onr_session *s = convolution(&b, (enum kind)kind);
    size_t before = 0;
    for (int round = 0; round < 3; round++) {
      if (round == 1) before = counted_total;
      for (int64_t i = 0; i < 16; i += 3) assert_int_equal(try_image(s, (enum kind)kind, i), ONR_STATUS_OK);
    }
    assert_int_equal(counted_total, before);
    end(&b, s);
  }
}

/* What XNNPACK allocates for operators is a part of the plans. */
static void operators_count_as_plans(void **state) {
  static float image[96 * 128 * 16];
  const struct onr_limits limits = {
      .size = sizeof(limits),
      .plan_bytes = 4 << 20}; /* an image of 96 x 128 has a table of 1,572,864 bytes of pointers */
  struct builder b = start_with(&limits);
  const struct onr_conv_params conv = {.window = {.rank = 2, .pad_begin = {1, 1}, .pad_end = {2, 2}},
                                       .channels_last = 1};
  float *weights = calloc(16 * 16 * 16, sizeof(*weights));
  const int32_t x = onri_graph_add_value(b.graph, "x", &(struct onr_desc){ONR_DTYPE_F32, 4, {1, -1, -1, 16}}),
                y = value(b.graph, NULL);
  const int32_t w = onri_graph_add_data(b.graph, &(struct onr_desc){ONR_DTYPE_F32, 4, {16, 16, 4, 4}}, weights);
  (void)state;
  assert_non_null(onri_graph_add_node(b.graph, &onri_layer_conv, &conv, NULL, (int32_t[]){x, w}, 2, &y, 1));
  struct onr_session *s = finish(&b, &x, 1, &y, 1);
  size_t first = 0;
  for (int64_t height = 96; height > 64; height--) {
    const struct onr_tensor t = {onr_desc_make(ONR_DTYPE_F32, 4, (int64_t[]){1, height, 128, 16}), image};
    assert_int_equal(onr_session_set_input(s, 0, &t, NULL), ONR_STATUS_OK);
    run(s);
    if (!first) first = counted_bytes;
    assert_in_range(counted_bytes, 0, first + limits.plan_bytes);
  }
  check_kernel(s, DENSE);
  free(weights);
  end(&b, s);
}

static size_t use_with_failure(enum kind kind, size_t number, int one_plan) {
  struct builder b =
      start_with(&(struct onr_limits){.size = sizeof(struct onr_limits), .plan_bytes = one_plan ? 1 : 1 << 30});
  struct onr_session *s = convolution(&b, kind);
  const size_t before = counted_total;
  counted_fail_at = number ? before + number : 0;
  for (int64_t i = 12; i < 16; i++) {
    const enum onr_status status = try_image(s, kind, i);
    if (!number) assert_int_equal(status, ONR_STATUS_OK);
    else assert_true(status == ONR_STATUS_OK || status == ONR_STATUS_NO_MEMORY);
  }
  const size_t used = counted_total - before;
  counted_fail_at = 0;
  for (int64_t i = 12; i < 16; i++) assert_int_equal(try_image(s, kind, i), ONR_STATUS_OK);
  end(&b, s);
  return used;
}

static void memory_may_run_out_anywhere(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++)
    for (int one_plan = 0; one_plan <= 1; one_plan++) {
      const size_t all = use_with_failure((enum kind)kind, 0, one_plan);
      assert_in_range(all, 10, 300);
      for (size_t number = 1; number <= all; number++) use_with_failure((enum kind)kind, number, one_plan);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(new_shapes_pack_nothing),
      cmocka_unit_test(shapes_that_repeat_allocate_nothing),
      cmocka_unit_test(operators_count_as_plans),
      cmocka_unit_test(memory_may_run_out_anywhere),
  };
  return cmocka_run_group_tests(tests, compute_expected, release_expected);
}
