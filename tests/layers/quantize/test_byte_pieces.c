/* Float32 layers between integers, a piece at a time: the layer by itself on the real numbers, then quantized, says
 * what they are. On both backends, with sizes that leave a last piece which is not full, with one thread and several.
 */
#include <string.h>

#include "support/sweep.h"

#include "layers/layers.h"

enum { MOST = 60000 };

static struct {
  uint8_t x[2 * MOST];
  float real[MOST], w[MOST];
} stored;

struct quantised {
  struct onr_fused_bytes steps;
  double least;
};

static struct quantised draw(struct sweep *s, float scale) {
  static const enum onr_dtype types[] = {ONR_DTYPE_U8, ONR_DTYPE_I8, ONR_DTYPE_U16, ONR_DTYPE_I16};
  const enum onr_dtype dtype = types[sweep_pick(s, 0, 3)];
  const int bits = dtype == ONR_DTYPE_U8 || dtype == ONR_DTYPE_I8 ? 8 : 16;
  const int least = dtype == ONR_DTYPE_I8 ? -128 : dtype == ONR_DTYPE_I16 ? -32768 : 0;
  if (bits == 16) scale /= 256;
  return (struct quantised){{scale, least + (int)sweep_pick(s, 0, (1 << bits) - 1), (int32_t)dtype}, least};
}

static double value_at(enum onr_dtype dtype, const void *data, size_t i) {
  double value;
  onri_load_f64(dtype, (const char *)data + i * onr_dtype_size(dtype), 1, &value);
  return value;
}

/* Real results of the layer itself against those in pieces. */
static void check(struct sweep *s, const struct onr_layer *layer, const void *params, const struct onr_desc *x,
                  struct layer_test *operands) {
  const struct quantised in = draw(s, 0.03f), out = draw(s, 0.02f);
  const enum onr_dtype in_type = (enum onr_dtype)in.steps.dtype, out_type = (enum onr_dtype)out.steps.dtype;
  const size_t count = (size_t)onr_desc_elements(x);
  const struct onr_byte_pieces_params pieces = {
      .layer = layer, .params = params, .input = in.steps, .output = out.steps};
  assert_true(count <= MOST);
  for (size_t i = 0; i < count * onr_dtype_size(in_type); i++) stored.x[i] = (uint8_t)sweep_next(s);
  for (size_t i = 0; i < count; i++)
    stored.real[i] = (float)(value_at(in_type, stored.x, i) - in.steps.zero) * in.steps.scale;
  struct layer_test plain = {.layer = layer, .params = params, .backend = ONR_BACKEND_PORTABLE, .num_out = 1},
                    test = {.layer = &onri_layer_byte_pieces,
                            .params = &pieces,
                            .backend = sweep_chance(s, 4) ? ONR_BACKEND_PORTABLE : ONR_BACKEND_AUTO,
                            .threads = sweep_chance(s, 4) ? 3 : 1,
                            .num_out = 1};
  layer_test_input(&plain, ONR_DTYPE_F32, x->rank, x->dim, stored.real);
  layer_test_input(&test, in_type, x->rank, x->dim, stored.x);
  for (size_t i = 0; i < operands->num_in; i++) {
    const struct onr_desc *d = &operands->in[i].desc;
    layer_test_constant(&plain, d->dtype, d->rank, d->dim, operands->in[i].data);
    layer_test_constant(&test, d->dtype, d->rank, d->dim, operands->in[i].data);
  }
  assert_int_equal(layer_test_run(&plain), ONR_STATUS_OK);
  assert_int_equal(layer_test_run(&test), ONR_STATUS_OK);
  assert_int_equal(test.out[0].desc.dtype, out_type);
  assert_int_equal(onr_desc_elements(&test.out[0].desc), onr_desc_elements(&plain.out[0].desc));
  const double most = out.least + ldexp(1, (int)onr_dtype_size(out_type) * 8) - 1;
  for (size_t i = 0; i < (size_t)onr_desc_elements(&plain.out[0].desc); i++) {
    const double steps = (double)((const float *)plain.out[0].data)[i] / (double)out.steps.scale + out.steps.zero;
    const double near = fmin(fmax(steps, out.least), most), found = value_at(out_type, test.out[0].data, i);
    assert_true(fabs(found - near) <= 0.5 + 1e-5 * fabs(steps) + 2e-3); /* both layers round in float32 */
  }
  layer_test_clear(&plain);
  layer_test_clear(&test);
  layer_test_clear(operands);
}

static void reals(struct layer_test *operands, struct sweep *s, int64_t count) {
  fill_random(stored.w, (size_t)count, 0.5f, 1.5f, sweep_next(s));
  layer_test_constant(operands, ONR_DTYPE_F32, 1, &count, stored.w);
}

/* Rows: softmax and norms. */
static void test_rows(void **state) {
  struct sweep s = sweep_from(31);
  (void)state;
  for (int i = 0; i < sweep_cases(120); i++) {
    const struct onr_desc x = onr_desc_make(
        ONR_DTYPE_F32, 3, (int64_t[]){sweep_pick(&s, 1, 3), sweep_pick(&s, 1, 90), sweep_pick(&s, 1, 200)});
    const int64_t axis = sweep_pick(&s, 0, 2);
    const struct onr_softmax_params softmax = {.axis = sweep_chance(&s, 2) ? axis : axis - 3,
                                               .flatten = sweep_chance(&s, 3)};
    const struct onr_layer_norm_params norm = {.axis = -1, .epsilon = 1e-5f};
    struct layer_test operands = {0};
    if (i % 3 == 2) {
      reals(&operands, &s, x.dim[2]);
      reals(&operands, &s, x.dim[2]);
      check(&s, &onri_layer_layer_norm, &norm, &x, &operands);
    } else {
      check(&s, i % 3 ? &onri_layer_log_softmax : &onri_layer_softmax, &softmax, &x, &operands);
    }
  }
}

/* Planes and images in both layouts: pools, resize, norms of channels, reductions. */
static void test_images(void **state) {
  struct sweep s = sweep_from(32);
  (void)state;
  for (int i = 0; i < sweep_cases(200); i++) {
    const int last = (int)sweep_pick(&s, 0, 1);
    const int64_t channels = sweep_pick(&s, 1, 70), h = sweep_pick(&s, 2, 14), w = sweep_pick(&s, 2, 14),
                  n = sweep_pick(&s, 1, 3);
    const struct onr_desc x =
        onr_desc_make(ONR_DTYPE_F32, 4, last ? (int64_t[]){n, h, w, channels} : (int64_t[]){n, channels, h, w});
    const struct onr_pool_params pool = {
        .window = {.rank = 2, .kernel = {2, 2}, .stride = {sweep_pick(&s, 1, 2), 1}, .pad_end = {1, 0}},
        .count_include_pad = (int32_t)sweep_pick(&s, 0, 1),
        .channels_last = last};
    const struct onr_global_pool_params global = {.channels_last = last};
    const struct onr_resize_params resize = {.mode = ONR_RESIZE_LINEAR, .channels_last = last};
    const struct onr_instance_norm_params norm = {.epsilon = 1e-3f, .channels_last = last};
    const struct onr_reduce_params mean = {.op = ONR_REDUCE_MEAN, .keep_dims = (int32_t)sweep_pick(&s, 0, 1)};
    struct layer_test operands = {0};
    switch (i % 5) {
      case 0: check(&s, &onri_layer_average_pool, &pool, &x, &operands); break;
      case 1: check(&s, &onri_layer_global_average_pool, &global, &x, &operands); break;
      case 2: {
        const int by_sizes = sweep_chance(&s, 2);
        const int64_t four = 4, sizes[] = {n, channels, h * 2, w + 3};
        const float scales[] = {1, 1, 2, 1.5f};
        layer_test_input(&operands, ONR_DTYPE_F32, 0, NULL, NULL);
        if (by_sizes) layer_test_input(&operands, ONR_DTYPE_F32, 0, NULL, NULL);
        layer_test_constant(&operands, by_sizes ? ONR_DTYPE_I64 : ONR_DTYPE_F32, 1, &four,
                            by_sizes ? (const void *)sizes : (const void *)scales);
        check(&s, &onri_layer_resize, &resize, &x, &operands);
        break;
      }
      case 3:
        reals(&operands, &s, channels);
        reals(&operands, &s, channels);
        check(&s, &onri_layer_instance_norm, &norm, &x, &operands);
        break;
      default: {
        const int64_t one = 1, axis = sweep_pick(&s, -4, 3);
        layer_test_constant(&operands, ONR_DTYPE_I64, 1, &one, &axis);
        check(&s, &onri_layer_reduce, &mean, &x, &operands);
      }
    }
  }
}

/* What no pass makes is an error, not a guess. */
static void test_wrong(void **state) {
  const struct onr_byte_pieces_params pieces[] = {{.layer = &onri_layer_top_k, .input = {1, 0, ONR_DTYPE_U8}},
                                                  {.layer = NULL, .input = {1, 0, ONR_DTYPE_U8}},
                                                  {.layer = &onri_layer_global_average_pool,
                                                   .params = &(struct onr_global_pool_params){0},
                                                   .input = {1, 0, ONR_DTYPE_I8}}};
  (void)state;
  for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
    struct layer_test t = {.layer = &onri_layer_byte_pieces, .params = &pieces[i], .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_U8, 3, (int64_t[]){1, 2, 3}, stored.x);
    assert_int_not_equal(layer_test_run(&t), ONR_STATUS_OK);
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_images),
                                     cmocka_unit_test(test_wrong)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
