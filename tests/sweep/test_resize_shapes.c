/* Thousands of resizes of random rank, axes, sizes and rule against the standard's text in double: every output pixel
 * is a sum over the product of its taps along each axis. NaN and infinities take part; both layouts, several threads.
 */
#include "support/sweep.h"

#include "layers/layers.h"

enum { MOST = 1 << 15, AXES = 4 };

struct geometry {
  struct onr_resize_params params;
  enum onr_dtype dtype;
  uint32_t threads;
  int32_t rank;
  int64_t in[AXES], out[AXES];
};

/* Taps of one output pixel along one axis. */
struct taps {
  int count;
  int64_t at[64];
  double weight[64];
};

static double position(const struct onr_resize_params *p, int64_t in, int64_t out, int64_t j) {
  switch (p->coordinates) {
    case ONR_RESIZE_ALIGN_CORNERS: return out == 1 ? 0 : (double)(j * (in - 1)) / (double)(out - 1);
    case ONR_RESIZE_ASYMMETRIC: return (double)(j * in) / (double)out;
    case ONR_RESIZE_PYTORCH_HALF_PIXEL:
      if (out == 1) return 0;
      break;
    default: break;
  }
  return (double)((2 * j + 1) * in - out) / (double)(2 * out);
}

static double kernel(const struct onr_resize_params *p, double x) {
  const double d = fabs(x), a = (double)p->cubic_a;
  if (p->mode == ONR_RESIZE_LINEAR) return d < 1 ? 1 - d : 0;
  if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
  return d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0;
}

static int64_t nearest(const struct onr_resize_params *p, double x) {
  switch (p->nearest) {
    case ONR_RESIZE_ROUND_PREFER_CEIL: return (int64_t)floor(x + 0.5);
    case ONR_RESIZE_FLOOR: return (int64_t)floor(x);
    case ONR_RESIZE_CEIL: return (int64_t)ceil(x);
    default: return (int64_t)ceil(x - 0.5);
  }
}

static int64_t held(int64_t i, int64_t in) { return i < 0 ? 0 : i >= in ? in - 1 : i; }

static struct taps taps_of(const struct onr_resize_params *p, int64_t in, int64_t out, int64_t j) {
  struct taps t = {.count = 1, .weight = {1}};
  const double x = position(p, in, out, j), scale = (double)out / (double)in;
  if (in == out) {
    t.at[0] = j;
    return t;
  }
  if (p->mode == ONR_RESIZE_NEAREST) {
    t.at[0] = held(nearest(p, x), in);
    return t;
  }
  /* A filter of half width 1 or 2, in pixels of the smaller image when it is stretched. */
  const double stretch = p->antialias && scale < 1 ? scale : 1, reach = (p->mode == ONR_RESIZE_CUBIC ? 2 : 1) / stretch;
  const int64_t middle = (int64_t)floor(x), first = middle + (int64_t)floor(-reach) + 1;
  t.count = (int)(2 - 2 * ((int64_t)floor(-reach) + 1));
  double sum = 0;
  for (int k = 0; k < t.count; k++) {
    const int64_t at = first + k;
    t.at[k] = held(at, in);
    t.weight[k] = p->exclude_outside && (at < 0 || at >= in) ? 0 : kernel(p, ((double)at - x) * stretch);
    sum += t.weight[k];
  }
  for (int k = 0; k < t.count && (p->exclude_outside || stretch < 1); k++) t.weight[k] /= sum;
  return t;
}

static int draw(struct sweep *s, struct geometry *g) {
  static const enum onr_dtype types[] = {ONR_DTYPE_F32, ONR_DTYPE_F32, ONR_DTYPE_F32, ONR_DTYPE_F16, ONR_DTYPE_F64};
  static const int32_t coordinates[] = {ONR_RESIZE_HALF_PIXEL, ONR_RESIZE_PYTORCH_HALF_PIXEL, ONR_RESIZE_ALIGN_CORNERS,
                                        ONR_RESIZE_ASYMMETRIC};
  *g = (struct geometry){.dtype = types[sweep_pick(s, 0, 4)],
                         .rank = (int32_t)sweep_pick(s, 1, AXES),
                         .threads = (uint32_t)sweep_pick(s, 0, 3)};
  g->params = (struct onr_resize_params){.mode = (int32_t)sweep_pick(s, 0, 2),
                                         .coordinates = coordinates[sweep_pick(s, 0, 3)],
                                         .nearest = (int32_t)sweep_pick(s, 0, 3),
                                         .cubic_a = sweep_chance(s, 2) ? -0.75f : -0.5f};
  g->params.antialias = g->params.mode != ONR_RESIZE_NEAREST && sweep_chance(s, 3);
  g->params.exclude_outside = g->params.mode == ONR_RESIZE_CUBIC && sweep_chance(s, 3);
  g->params.channels_last = g->rank >= 3 && sweep_chance(s, 2);
  int64_t size = 1, result = 1;
  for (int32_t d = 0; d < g->rank; d++) {
    g->in[d] = sweep_pick(s, 1, sweep_chance(s, 6) ? 40 : 8);
    g->out[d] = sweep_chance(s, 3) ? g->in[d] : sweep_pick(s, 1, sweep_chance(s, 6) ? 40 : 12);
    if (sweep_chance(s, 60)) g->in[d] = g->out[d] = 0;
    size *= g->in[d], result *= g->out[d];
    if (g->params.antialias && g->in[d] > 12 * g->out[d]) return 0; /* more taps than the reference holds */
    /* Whether a position in the middle of two pixels, or on one, is met hangs on the last bit of a double. */
    if (g->params.mode == ONR_RESIZE_NEAREST && g->in[d] != g->out[d] &&
        g->params.coordinates != ONR_RESIZE_ASYMMETRIC && g->out[d] % (g->in[d] ? g->in[d] : 1) != 0)
      return 0;
    if (g->params.mode == ONR_RESIZE_NEAREST && g->in[d] != g->out[d] &&
        g->params.coordinates == ONR_RESIZE_ALIGN_CORNERS)
      return 0;
  }
  return size <= MOST && result <= MOST;
}

/* The stored dimension that dimension d of the parameters is. */
static int32_t stored(const struct geometry *g, int32_t d) {
  if (!g->params.channels_last || d == 0) return d;
  return d == 1 ? g->rank - 1 : d - 1;
}

/* in and out are in the order in which the image is stored. *largest: sum of the sizes of the summands. */
static size_t reference(const struct geometry *g, const double *x, double *y, double *largest) {
  size_t count = 1;
  for (int32_t d = 0; d < g->rank; d++) count *= (size_t)g->out[d];
  *largest = 0;
  for (size_t i = 0; i < count; i++) {
    struct taps t[AXES];
    int64_t rest = (int64_t)i;
    for (int32_t d = g->rank; d-- > 0;) {
      t[d] = taps_of(&g->params, g->in[d], g->out[d], rest % g->out[d]);
      rest /= g->out[d];
    }
    for (int32_t d = g->rank; d < AXES; d++) t[d] = (struct taps){.count = 1, .weight = {1}};
    double sum = 0, size = 0;
    for (int a = 0; a < t[0].count; a++)
      for (int b = 0; b < t[1].count; b++)
        for (int c = 0; c < t[2].count; c++)
          for (int e = 0; e < t[3].count; e++) {
            const int64_t at[AXES] = {t[0].at[a], t[1].at[b], t[2].at[c], t[3].at[e]};
            int64_t from = 0;
            for (int32_t d = 0; d < g->rank; d++) from = from * g->in[d] + at[d];
            const double term = t[0].weight[a] * t[1].weight[b] * t[2].weight[c] * t[3].weight[e] * x[from];
            sum += term;
            if (isfinite(term)) size += fabs(term);
          }
    y[i] = sum;
    if (size > *largest) *largest = size;
  }
  return count;
}

static void complain(const struct geometry *g, const char *what, int64_t at, double found, double expected) {
  const struct onr_resize_params *p = &g->params;
  fail_msg(
      "%s, %s, mode %d, coordinates %d, nearest %d, antialias %d, exclude %d, a %g, last %d, %u threads: [%d,%d,%d,%d] to [%d,%d,%d,%d]: "
      "element %d is %g instead of %g",
      what, onr_dtype_name(g->dtype), p->mode, p->coordinates, p->nearest, p->antialias, p->exclude_outside,
      (double)p->cubic_a, p->channels_last, (unsigned)g->threads, (int)g->in[0], (int)g->in[1], (int)g->in[2],
      (int)g->in[3], (int)g->out[0], (int)g->out[1], (int)g->out[2], (int)g->out[3], (int)at, found, expected);
}

static void check(struct sweep *s, const struct geometry *g) {
  static double x[MOST], y[MOST];
  static unsigned char data[MOST * 8];
  int64_t sizes[AXES];
  size_t size = 1;
  for (int32_t d = 0; d < g->rank; d++) {
    sizes[d] = g->out[stored(g, d)];
    size *= (size_t)g->in[d];
  }
  /* Where weights are exactly 0 a NaN still counts, but rounding may leave an infinity beside it: hence nearest alone.
   */
  const int specials = g->params.mode == ONR_RESIZE_NEAREST && sweep_chance(s, 2);
  sweep_fill(s, g->dtype, size, 3, specials ? 50 : 0, data, x);
  double largest, found;
  const size_t count = reference(g, x, y, &largest);
  struct layer_test t = {.layer = &onri_layer_resize, .params = &g->params, .num_out = 1, .threads = g->threads};
  layer_test_input(&t, g->dtype, g->rank, g->in, data);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){0}, NULL);
  layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){0}, NULL);
  layer_test_constant(&t, ONR_DTYPE_I64, 1, (int64_t[]){g->rank}, sizes);
  if (layer_test_run(&t) != ONR_STATUS_OK) complain(g, t.error.message, 0, 0, 0);
  if (onr_desc_elements(&t.out[0].desc) != (int64_t)count)
    complain(g, "size", 0, (double)onr_desc_elements(&t.out[0].desc), (double)count);
  const int64_t at = sweep_difference(g->dtype, t.out[0].data, y, count, sweep_rounding(g->dtype) + 1e-6,
                                      2e-6 * (largest + 1), &found);
  if (at >= 0) complain(g, "value", at, found, y[at]);
  layer_test_clear(&t);
}

static void test_random_resizes(void **state) {
  struct sweep s = sweep_from(17);
  int checked = 0;
  (void)state;
  for (int i = 0; i < sweep_cases(3000); i++) {
    struct geometry g;
    if (!draw(&s, &g)) continue;
    check(&s, &g);
    checked++;
  }
  assert_true(checked > sweep_cases(1000));
}

/* One NaN or infinity makes NaN or infinity of the pixels that it counts for, and of no others. */
static void test_specials_in_linear(void **state) {
  static const int32_t coordinates[] = {ONR_RESIZE_HALF_PIXEL, ONR_RESIZE_ALIGN_CORNERS, ONR_RESIZE_ASYMMETRIC};
  struct sweep s = sweep_from(19);
  (void)state;
  for (int i = 0; i < sweep_cases(400); i++) {
    const int64_t in = sweep_pick(&s, 2, 12), out = sweep_pick(&s, 2, 30), channels = sweep_pick(&s, 1, 40),
                  where = sweep_pick(&s, 0, in * channels - 1);
    const struct onr_resize_params p = {
        .mode = ONR_RESIZE_LINEAR, .coordinates = coordinates[sweep_pick(&s, 0, 2)], .channels_last = 1};
    const float value = sweep_chance(&s, 2) ? NAN : INFINITY;
    float x[12 * 40];
    const int64_t sizes[] = {1, channels, out};
    for (int64_t k = 0; k < in * channels; k++) x[k] = 1;
    x[where] = value;
    struct layer_test t = {.layer = &onri_layer_resize, .params = &p, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F32, 3, (int64_t[]){1, in, channels}, x);
    layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){0}, NULL);
    layer_test_input(&t, ONR_DTYPE_F32, 1, (int64_t[]){0}, NULL);
    layer_test_constant(&t, ONR_DTYPE_I64, 1, (int64_t[]){3}, sizes);
    if (layer_test_run(&t) != ONR_STATUS_OK) fail_msg("%s", t.error.message);
    for (int64_t k = 0; k < out * channels && in != out; k++) {
      const struct taps taps = taps_of(&p, in, out, k / channels);
      const float found = ((const float *)t.out[0].data)[k];
      double weight = 0;
      int counts = 0;
      for (int n = 0; n < taps.count; n++)
        if (taps.at[n] * channels + k % channels == where) counts = 1, weight += taps.weight[n];
      if (!counts && found != 1)
        fail_msg("pixel %d of %d to %d, far from %g, is %g", (int)k, (int)in, (int)out, (double)value, (double)found);
      if (counts && weight > 1e-3 && !(isnan(value) ? isnan(found) : found == value || isnan(found)))
        fail_msg("pixel %d of %d to %d is %g beside %g", (int)k, (int)in, (int)out, (double)found, (double)value);
    }
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_resizes), cmocka_unit_test(test_specials_in_linear)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
