/* Which convolutions read and make channels-first images: one of each kind, of shapes for which the other answer takes
 * twice as long. */
#include "kernels/conv/conv_gemm.h"
#include "kernels/conv_transposed/conv_transposed.h"
#include "layers/conv/conv_layout.h"
#include "layers/conv/conv_product.h"
#include "support/sweep.h"

struct kind {
  const char *why;
  int64_t x[5], weight[5], groups, stride, dilation; /* x without batch; 0 ends dimensions */
  int reads, stays;
};

static const struct kind kinds[] = {
    {"Winograd's method wants channels last", {176, 10, 117}, {32, 176, 3, 3}, 1, 1, 1, 0, 0},
    {"so does that of 5x5", {16, 32, 193}, {80, 16, 5, 5}, 1, 1, 1, 0, 0},
    {"and of dilated kernels", {128, 32, 32}, {64, 128, 3, 3}, 1, 1, 2, 0, 0},
    {"of few inputs, too", {22, 221, 24}, {30, 22, 3, 3}, 1, 1, 2, 0, 0},
    {"a single tap has no dilation", {256, 8, 256}, {16, 256, 1, 1}, 1, 1, 2, 1, 0},
    {"a few pixels of many channels", {13, 7, 7}, {128, 13, 3, 3}, 1, 4, 1, 0, 0},
    {"which with a stride have none", {256, 17, 253}, {16, 256, 3, 3}, 1, 2, 3, 1, 0},
    {"nor to few channels", {256, 40, 40}, {2, 256, 4, 4}, 1, 1, 3, 1, 0},
    {"a picture", {3, 224, 224}, {64, 3, 7, 7}, 1, 2, 1, 1, 0},
    {"short lines leave vectors of pixels half empty", {64, 7, 7}, {128, 64, 2, 2}, 1, 1, 1, 0, 0},
    {"but one output leaves vectors of channels emptier", {504, 12, 12}, {1, 504, 7, 7}, 1, 1, 1, 1, 0},
    {"depthwise: columns stay in registers", {64, 56, 56}, {64, 1, 3, 3}, 64, 1, 1, 0, 1},
    {"depthwise: a long line of few channels", {3, 16384}, {3, 1, 3}, 3, 1, 1, 0, 1},
    {"depthwise: several outputs share what is gathered", {16, 64, 64}, {64, 1, 3, 3}, 16, 1, 1, 0, 1},
    {"depthwise: few pixels of many channels", {512, 8, 8}, {512, 1, 3, 3}, 512, 1, 1, 0, 0},
    {"depthwise: many taps", {128, 56, 56}, {128, 1, 9, 9}, 128, 1, 1, 0, 0},
};

static int32_t count_of(const int64_t *dims) {
  int32_t n = 0;
  while (n < 5 && dims[n] > 0) n++;
  return n;
}

/* With padding that keeps the size, but for the stride. */
static struct onr_desc result_of(const struct kind *k) {
  int64_t y[5] = {1, k->weight[0]};
  const int32_t rank = count_of(k->weight);
  for (int32_t i = 2; i < rank; i++) y[i] = (k->x[i - 1] - 1) / k->stride + 1;
  return onr_desc_make(ONR_DTYPE_F32, rank, y);
}

static void test_kinds(void **state) {
  (void)state;
  if (!onri_conv_gemm_is_fast()) return; /* the portable kernels like channels last */
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    const struct kind *k = &kinds[i];
    const struct onr_desc weight = onr_desc_make(ONR_DTYPE_F32, count_of(k->weight), k->weight), y = result_of(k);
    struct onr_conv_params p = {.groups = k->groups, .window = {.rank = weight.rank - 2}};
    for (int32_t d = 0; d < p.window.rank; d++) p.window.stride[d] = k->stride, p.window.dilation[d] = k->dilation;
    if (onri_conv_reads_channels_first(&p, &weight, &y) != k->reads ||
        onri_conv_stays_channels_first(&p, &weight, &y) != k->stays)
      fail_msg("%s: reads %d, stays %d", k->why, onri_conv_reads_channels_first(&p, &weight, &y),
               onri_conv_stays_channels_first(&p, &weight, &y));
  }
}

/* Transposed: x without batch, weight [inputs, outputs of a group, kernel...], and the way of the layout that is
 * chosen.
 */
static const struct {
  const char *why;
  int64_t x[5], weight[5], groups, stride, dilation;
  int stays;
  const struct onri_conv_way *way;
} transposed[] = {
    {"one output of many inputs", {42, 20, 29}, {42, 1, 5, 5}, 1, 1, 1, 1, &onri_conv_spread_planes},
    {"taps that mostly meet padding", {4096, 1, 48}, {4096, 1, 5, 3}, 32, 1, 2, 1, &onri_conv_spread_planes},
    {"phases of which one has all taps", {50, 28, 44}, {50, 1, 3, 3}, 1, 2, 2, 1, &onri_conv_spread_planes},
    {"phases that fill a vector", {8, 4, 32}, {8, 1, 8, 8}, 1, 4, 1, 1, &onri_conv_shuffled},
    {"one tap", {384, 138}, {384, 1, 1}, 32, 2, 1, 1, &onri_conv_shuffled},
    {"few inputs", {2, 64, 64}, {2, 3, 4, 4}, 1, 2, 1, 1, &onri_conv_shuffled},
    {"short lines", {328, 28, 4}, {328, 3, 4, 4}, 8, 3, 1, 0, &onri_conv_spread},
    {"as many outputs as a vector has", {32, 28, 28}, {32, 16, 2, 2}, 1, 2, 1, 0, &onri_conv_by_phases},
};

static struct onri_conv conv_of(int64_t inputs, const struct onr_desc *weight, int64_t groups, int64_t stride,
                                int64_t dilation) {
  struct onri_conv c = {.groups = groups, .group_in = inputs / groups, .group_out = weight->dim[1], .transposed = 1};
  for (int i = 0; i < ONR_MAX_SPATIAL; i++)
    c.axis[i] = (struct onri_axis){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
  for (int32_t i = 2, a = ONR_MAX_SPATIAL - weight->rank + 2; i < weight->rank; i++, a++)
    c.axis[a].kernel = weight->dim[i], c.axis[a].stride = stride, c.axis[a].dilation = dilation;
  return c;
}

static void test_transposed(void **state) {
  (void)state;
  if (!onri_conv_gemm_is_fast()) return;
  for (size_t i = 0; i < sizeof(transposed) / sizeof(transposed[0]); i++) {
    const int32_t rank = count_of(transposed[i].weight);
    const struct onr_desc weight = onr_desc_make(ONR_DTYPE_F32, rank, transposed[i].weight);
    int64_t dims[5] = {1};
    memcpy(dims + 1, transposed[i].x, sizeof(*dims) * (size_t)(rank - 1));
    const struct onr_desc x = onr_desc_make(ONR_DTYPE_F32, rank, dims);
    const struct onri_conv c =
        conv_of(dims[1], &weight, transposed[i].groups, transposed[i].stride, transposed[i].dilation);
    struct onr_conv_transpose_params p = {.groups = transposed[i].groups, .window = {.rank = rank - 2}};
    for (int32_t d = 0; d < p.window.rank; d++)
      p.window.stride[d] = transposed[i].stride, p.window.dilation[d] = transposed[i].dilation;
    const int stays = onri_conv_transpose_stays_channels_first(&p, &weight, &x);
    if (stays != transposed[i].stays ||
        onri_conv_product_way(&c, stays ? ONRI_CONV_FIRST : ONRI_CONV_LAST) != transposed[i].way)
      fail_msg("%s: stays %d, or another way", transposed[i].why, stays);
  }
}

static void test_volumes(void **state) {
  const struct onr_desc small_planes = onr_desc_make(ONR_DTYPE_F32, 5, (int64_t[]){1, 2048, 8, 2, 2}),
                        of_one = onr_desc_make(ONR_DTYPE_F32, 5, (int64_t[]){1, 120, 7, 7, 8});
  (void)state;
  assert_int_equal(onri_conv_makes_channels_first(&small_planes, 8), 0);
  assert_int_equal(onri_conv_makes_channels_first(&of_one, 60), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds), cmocka_unit_test(test_transposed),
                                     cmocka_unit_test(test_volumes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
