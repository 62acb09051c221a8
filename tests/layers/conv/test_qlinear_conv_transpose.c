/* qlinear_conv_transpose against integer sums that are scattered, of random geometry, types and zero points, in both
 * layouts. */
#include <string.h>

#include "support/sweep.h"

#include "layers/layers.h"

enum { MOST = 20000 };

struct setup {
  enum onr_dtype x, w, y;
  int channels_last, per_channel, with_bias;
  int64_t batch, groups, in, out; /* channels of a group */
  int64_t size[3], kernel[3], stride[3], dilation[3], begin[3], y_size[3];
  int32_t rank;
};

static struct {
  uint8_t x[MOST], w[MOST], w_zeros[64];
  int64_t sums[MOST];
  float w_scales[64];
  int32_t bias[64];
} stored;

static int64_t value(enum onr_dtype dtype, uint8_t bits) { return dtype == ONR_DTYPE_U8 ? bits : (int8_t)bits; }

static enum onr_dtype byte_type(struct sweep *s) { return sweep_chance(s, 2) ? ONR_DTYPE_U8 : ONR_DTYPE_I8; }

static struct setup draw(struct sweep *s, struct onr_conv_transpose_params *p) {
  struct setup c = {.x = byte_type(s), .w = byte_type(s), .y = byte_type(s)};
  c.channels_last = sweep_chance(s, 2), c.per_channel = sweep_chance(s, 2), c.with_bias = sweep_chance(s, 2);
  c.batch = sweep_pick(s, 1, 2), c.groups = sweep_chance(s, 3) ? sweep_pick(s, 2, 4) : 1;
  c.in = sweep_chance(s, 4) ? 1 : sweep_pick(s, 1, 12), c.out = sweep_chance(s, 4) ? 1 : sweep_pick(s, 1, 9);
  c.rank = (int32_t)sweep_pick(s, 1, 3);
  *p = (struct onr_conv_transpose_params){
      .window = {.rank = c.rank}, .groups = c.groups, .channels_last = c.channels_last};
  for (int a = 0; a < 3; a++) c.size[a] = c.kernel[a] = c.stride[a] = c.dilation[a] = c.y_size[a] = 1;
  for (int32_t i = 0; i < c.rank; i++) {
    const int a = 3 - c.rank + i;
    int64_t end, more;
    do {
      c.size[a] = sweep_pick(s, 1, c.rank == 3 ? 3 : 6), c.kernel[a] = sweep_pick(s, 1, 4);
      c.stride[a] = sweep_pick(s, 1, 4), c.dilation[a] = c.stride[a] == 1 ? sweep_pick(s, 1, 2) : 1;
      c.begin[a] = sweep_pick(s, 0, 4), end = sweep_pick(s, 0, 2), more = sweep_pick(s, 0, c.stride[a] - 1);
      c.y_size[a] = c.stride[a] * (c.size[a] - 1) + (c.kernel[a] - 1) * c.dilation[a] + 1 + more - c.begin[a] - end;
    } while (c.y_size[a] < 1);
    p->window.stride[i] = c.stride[a], p->window.dilation[i] = c.dilation[a];
    p->window.pad_begin[i] = c.begin[a], p->window.pad_end[i] = end, p->output_padding[i] = more;
  }
  return c;
}

/* Element of an image [batch, channels, spatial...]. */
static size_t place(const struct setup *c, const int64_t *size, int64_t channels, int64_t n, int64_t m,
                    const int64_t at[3]) {
  const int64_t pixel = (at[0] * size[1] + at[1]) * size[2] + at[2], pixels = size[0] * size[1] * size[2];
  return (size_t)(c->channels_last ? (n * pixels + pixel) * channels + m : (n * channels + m) * pixels + pixel);
}

static void scatter(const struct setup *c, int64_t x_zero) {
  const int64_t taps = c->kernel[0] * c->kernel[1] * c->kernel[2], pixels = c->size[0] * c->size[1] * c->size[2];
  memset(stored.sums, 0, sizeof(stored.sums));
  for (int64_t n = 0; n < c->batch; n++)
    for (int64_t i = 0; i < c->groups * c->in; i++)
      for (int64_t pixel = 0; pixel < pixels; pixel++)
        for (int64_t m = 0; m < c->out; m++)
          for (int64_t t = 0; t < taps; t++) {
            const int64_t from[] = {pixel / c->size[2] / c->size[1], pixel / c->size[2] % c->size[1],
                                    pixel % c->size[2]};
            const int64_t k[] = {t / c->kernel[2] / c->kernel[1], t / c->kernel[2] % c->kernel[1], t % c->kernel[2]};
            const int64_t g = i / c->in, channel = g * c->out + m;
            int64_t to[3];
            int inside = 1;
            for (int a = 0; a < 3; a++) {
              to[a] = from[a] * c->stride[a] + k[a] * c->dilation[a] - c->begin[a];
              inside &= to[a] >= 0 && to[a] < c->y_size[a];
            }
            if (!inside) continue;
            const int64_t x = value(c->x, stored.x[place(c, c->size, c->groups * c->in, n, i, from)]) - x_zero;
            const int64_t w = value(c->w, stored.w[(i * c->out + m) * taps + t]) -
                              value(c->w, stored.w_zeros[c->per_channel ? channel : 0]);
            stored.sums[place(c, c->y_size, c->groups * c->out, n, channel, to)] += x * w;
          }
}

static void dims(const struct setup *c, const int64_t *size, int64_t channels, int64_t to[5]) {
  int32_t d = 0;
  to[d++] = c->batch;
  if (!c->channels_last) to[d++] = channels;
  for (int a = 3 - c->rank; a < 3; a++) to[d++] = size[a];
  if (c->channels_last) to[d++] = channels;
}

static void check_results(const struct setup *c, const struct layer_test *t, float scale, int64_t y_zero) {
  const int64_t channels = c->groups * c->out, pixels = c->y_size[0] * c->y_size[1] * c->y_size[2],
                low = c->y == ONR_DTYPE_U8 ? 0 : -128;
  assert_int_equal(onr_desc_elements(&t->out[0].desc), c->batch * channels * pixels);
  for (int64_t i = 0; i < c->batch * channels * pixels; i++) {
    const int64_t m = c->channels_last ? i % channels : i / pixels % channels;
    const int64_t sum = stored.sums[i] + (c->with_bias ? stored.bias[m] : 0);
    const float real = rintf((float)sum * (scale * stored.w_scales[c->per_channel ? m : 0] / 1.5f)) + (float)y_zero;
    const float expected = fminf(fmaxf(real, (float)low), (float)(low + 255));
    assert_int_equal(value(c->y, ((const uint8_t *)t->out[0].data)[i]), (int64_t)expected);
  }
}

static void test_random(void **state) {
  struct sweep s = sweep_from(41);
  (void)state;
  for (int i = 0; i < sweep_cases(250); i++) {
    struct onr_conv_transpose_params params;
    const struct setup c = draw(&s, &params);
    const int64_t channels = c.groups * c.out, taps = c.kernel[0] * c.kernel[1] * c.kernel[2];
    const uint8_t x_zero = (uint8_t)sweep_next(&s), y_zero = (uint8_t)sweep_next(&s);
    const float x_scale = (float)sweep_pick(&s, 1, 9) / 512, y_scale = 1.5f;
    int64_t x_dims[5], w_dims[5] = {c.groups * c.in, c.out};
    dims(&c, c.size, c.groups * c.in, x_dims);
    for (int32_t d = 0; d < c.rank; d++) w_dims[2 + d] = c.kernel[3 - c.rank + d];
    assert_true(c.batch * channels * c.y_size[0] * c.y_size[1] * c.y_size[2] <= MOST &&
                w_dims[0] * c.out * taps <= MOST);
    for (size_t k = 0; k < MOST; k++) stored.x[k] = (uint8_t)sweep_next(&s), stored.w[k] = (uint8_t)sweep_next(&s);
    for (int k = 0; k < 64; k++) {
      stored.w_zeros[k] = (uint8_t)sweep_next(&s), stored.bias[k] = (int32_t)sweep_pick(&s, -9999, 9999);
      stored.w_scales[k] = (float)sweep_pick(&s, 1, 9) / 16;
    }
    struct layer_test t = {.layer = &onri_layer_qlinear_conv_transpose,
                           .params = &params,
                           .num_out = 1,
                           .threads = sweep_chance(&s, 4) ? 2 : 1,
                           .backend = sweep_chance(&s, 3) ? ONR_BACKEND_PORTABLE : ONR_BACKEND_AUTO};
    layer_test_input(&t, c.x, c.rank + 2, x_dims, stored.x);
    layer_test_constant(&t, ONR_DTYPE_F32, 0, NULL, &x_scale);
    layer_test_constant(&t, c.x, 0, NULL, &x_zero);
    layer_test_constant(&t, c.w, c.rank + 2, w_dims, stored.w);
    layer_test_constant(&t, ONR_DTYPE_F32, c.per_channel, &channels, stored.w_scales);
    layer_test_constant(&t, c.w, c.per_channel, &channels, stored.w_zeros);
    layer_test_constant(&t, ONR_DTYPE_F32, 0, NULL, &y_scale);
    layer_test_constant(&t, c.y, 0, NULL, &y_zero);
    if (c.with_bias) layer_test_constant(&t, ONR_DTYPE_I32, 1, &channels, stored.bias);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    scatter(&c, value(c.x, x_zero));
    check_results(&c, &t, x_scale, value(c.y, y_zero));
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
