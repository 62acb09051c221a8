/* random, random_like, bernoulli, multinomial, dropout: first numbers against numpy.random.RandomState, then as
 * distributions: moments, shares of equal parts, independence of neighbours, of the shape and of the seed. */
#include <math.h>

#include "base/numbers/convert.h"
#include "layers/layers.h"
#include "support/index_loop.h"

enum { DRAWS = 40000, SEEDS = 4, PARTS = 16 };

/* --- what a layer draws, as doubles --- */

enum source { UNIFORM, NORMAL, LIKE, BERNOULLI, MULTINOMIAL, DROPOUT, NUM_SOURCES };

/* Mean and deviation of each source as it is set up in sample(). Multinomial: classes 0, 1, 2 with 1/8, 2/8, 5/8. */
static const struct {
  double mean, variance;
} expected[NUM_SOURCES] = {[UNIFORM] = {1, 36.0 / 12},     [NORMAL] = {-2, 16},        [LIKE] = {-2, 16},
                           [BERNOULLI] = {0.3, 0.3 * 0.7}, [MULTINOMIAL] = {1.5, 0.5}, [DROPOUT] = {1, 0.25 / 0.75}};

static struct layer_test set_up(enum source source, uint64_t seed, enum onr_dtype dtype, int32_t rank,
                                const int64_t *dims) {
  static struct onr_random_params random;
  static struct onr_bernoulli_params bernoulli;
  static struct onr_multinomial_params multinomial;
  static struct onr_dropout_params dropout;
  static float x[DRAWS];
  static const float logits[4] = {0, 0.69314718f, 1.60943791f, -INFINITY};
  const float ratio = 0.25f;
  struct layer_test t = {.num_out = 1, .threads = 2};
  for (size_t i = 0; i < DRAWS; i++) x[i] = source == BERNOULLI ? 0.3f : 1;
  switch (source) {
    case UNIFORM:
    case NORMAL:
    case LIKE:
      random = (struct onr_random_params){.kind = source == UNIFORM ? ONR_RANDOM_UNIFORM : ONR_RANDOM_NORMAL,
                                          .dtype = dtype,
                                          .a = -2,
                                          .b = 4,
                                          .seed = seed,
                                          .rank = rank};
      for (int32_t d = 0; d < rank; d++) random.dim[d] = dims[d];
      t.layer = source == LIKE ? &onri_layer_random_like : &onri_layer_random;
      t.params = &random;
      break;
    case BERNOULLI:
      bernoulli = (struct onr_bernoulli_params){dtype, seed};
      t.layer = &onri_layer_bernoulli;
      t.params = &bernoulli;
      break;
    case MULTINOMIAL:
      multinomial = (struct onr_multinomial_params){ONR_DTYPE_I64, DRAWS, seed};
      t.layer = &onri_layer_multinomial;
      t.params = &multinomial;
      layer_test_input(&t, ONR_DTYPE_F32, 2, DIMS(1, 4), logits);
      break;
    default:
      dropout.seed = seed;
      t.layer = &onri_layer_dropout;
      t.params = &dropout;
      t.num_out = 2;
      break;
  }
  if (source == LIKE || source == BERNOULLI || source == DROPOUT) layer_test_input(&t, ONR_DTYPE_F32, rank, dims, x);
  if (source == DROPOUT) layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &ratio);
  if (source == DROPOUT) layer_test_input(&t, ONR_DTYPE_BOOL, 0, NULL, "\1");
  return t;
}

static void sample(enum source source, uint64_t seed, enum onr_dtype dtype, int32_t rank, const int64_t *dims,
                   double *values) {
  struct layer_test t = set_up(source, seed, dtype, rank, dims);
  run_ok(&t);
  onri_load_f64(t.out[0].desc.dtype, t.out[0].data, (size_t)onr_desc_elements(&t.out[0].desc), values);
  layer_test_clear(&t);
}

/* --- against numpy --- */

static void numpy_uniform(void **state) {
  static const struct {
    uint64_t seed;
    double value[5];
  } cases[] = {
      {0,
       {0x1.18fe1565f12a8p-1, 0x1.6e2d4cf608733p-1, 0x1.2cf25ce2031ccp-3, 0x1.45b8f280519f0p-4, 0x1.00e86864bc501p-1}},
      {42,
       {0x1.7f8771e5f51ecp-2, 0x1.e6c4068bbd654p-1, 0x1.415b7a8070ca8p-4, 0x1.9f58b97983ee0p-6, 0x1.20f5a604a512ap-2}},
      {UINT32_MAX,
       {0x1.8fe69a3924820p-4, 0x1.d323d824032b1p-1, 0x1.2369739e9c078p-2, 0x1.cc39c1c9cc10cp-1, 0x1.6f8e202307648p-3}}};
  static const size_t at[5] = {0, 1, 311, 312, 1999}; /* 312 numbers use up the state */
  static double values[2000];
  (void)state;
  for (size_t c = 0; c < 3; c++) {
    sample(UNIFORM, cases[c].seed, ONR_DTYPE_F64, 1, DIMS(2000), values);
    for (size_t k = 0; k < 5; k++) assert_true(fabs(values[at[k]] - (6 * cases[c].value[k] - 2)) < 1e-14);
  }
}

static void numpy_normal(void **state) {
  static const struct {
    uint64_t seed;
    double value[4];
  } cases[] = {{0, {0x1.c398ef3e5cfa5p+0, 0x1.99c2cfacc8953p-2, 0x1.1ca723ee4cda9p-1, -0x1.886d839fd50f8p+0}},
               {42, {0x1.fca2a28a9307cp-2, -0x1.1b2a505de052ap-3, 0x1.663c286b9ddedp+0, -0x1.59b0f783f825ep-1}}};
  static const size_t at[4] = {0, 1, 1000, 2000};
  static double values[2001];
  (void)state;
  for (size_t c = 0; c < 2; c++) {
    sample(NORMAL, cases[c].seed, ONR_DTYPE_F64, 1, DIMS(2001), values);
    for (size_t k = 0; k < 4; k++) assert_true(fabs(values[at[k]] - (4 * cases[c].value[k] - 2)) < 1e-13);
  }
}

static void numpy_bernoulli(void **state) {
  static const struct {
    uint64_t seed;
    const char *drawn;
  } cases[] = {{0, "0011100101001010010100001001110001100101"}, {42, "0111100111011110011100011001110000100011"}};
  double p[40];
  (void)state;
  for (size_t i = 0; i < 40; i++) p[i] = (double[]){0, 0.2, 0.5, 0.7, 1}[i % 5];
  for (size_t c = 0; c < 2; c++) {
    const struct onr_bernoulli_params params = {ONR_DTYPE_I8, cases[c].seed};
    struct layer_test t = {.layer = &onri_layer_bernoulli, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_F64, 1, DIMS(40), p);
    run_ok(&t);
    for (size_t i = 0; i < 40; i++) assert_int_equal(((int8_t *)t.out[0].data)[i], cases[c].drawn[i] - '0');
    layer_test_clear(&t);
  }
}

static void numpy_dropout(void **state) {
  static const char kept[] = "0111111001111001011011011011110111111110"; /* RandomState(7).uniform(size=40) >= 0.3 */
  static const enum onr_dtype masks[] = {ONR_DTYPE_BOOL, ONR_DTYPE_F32};
  const float ratio = 0.3f;
  float x[40];
  (void)state;
  for (size_t i = 0; i < 40; i++) x[i] = (float)i - 20.5f;
  for (int32_t like = 0; like < 2; like++) {
    const struct onr_dropout_params params = {.mask_like_x = like, .seed = 7};
    struct layer_test t = {.layer = &onri_layer_dropout, .params = &params, .num_out = 2};
    layer_test_input(&t, ONR_DTYPE_F32, 2, DIMS(5, 8), x);
    layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, &ratio);
    layer_test_input(&t, ONR_DTYPE_BOOL, 0, NULL, "\1");
    run_ok(&t);
    assert_int_equal(t.out[1].desc.dtype, masks[like]);
    for (size_t i = 0; i < 40; i++) {
      double mask;
      onri_load_f64(masks[like], (char *)t.out[1].data + i * onr_dtype_size(masks[like]), 1, &mask);
      const float y = kept[i] == '1' ? x[i] / 0.7f : 0;
      assert_true(mask == kept[i] - '0');
      assert_close((float *)t.out[0].data + i, &y, 1, 1e-6, 0);
    }
    layer_test_clear(&t);
  }
}

/* --- as distributions --- */

/* Five standard errors: a right generator fails one of these once in millions of seeds, and the seeds are fixed. */
static void check_moments(enum source source, const double *values) {
  const double mean = expected[source].mean, variance = expected[source].variance;
  double sum = 0, squares = 0, fourth = 0, neighbours = 0;
  for (size_t i = 0; i < DRAWS; i++) sum += values[i];
  for (size_t i = 0; i < DRAWS; i++) {
    const double v = values[i] - mean;
    squares += v * v;
    fourth += v * v * v * v;
    if (i + 1 < DRAWS) neighbours += v * (values[i + 1] - mean);
  }
  assert_true(fabs(sum / DRAWS - mean) < 5 * sqrt(variance / DRAWS));
  assert_true(fabs(squares / DRAWS - variance) < 5 * sqrt((fourth / DRAWS - variance * variance) / DRAWS) + 1e-9);
  assert_true(fabs(neighbours / DRAWS / variance) < 5 / sqrt(DRAWS));
}

static void moments(void **state) {
  static double values[SEEDS][DRAWS], again[DRAWS];
  (void)state;
  for (enum source source = 0; source < NUM_SOURCES; source++)
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
      sample(source, seed, ONR_DTYPE_F32, 1, DIMS(DRAWS), values[seed]);
      check_moments(source, values[seed]);
      for (uint64_t other = 0; other < seed; other++)
        assert_memory_not_equal(values[seed], values[other], sizeof(values[0]));
      sample(source, seed, ONR_DTYPE_F32, 3, DIMS(8, 50, 100), again); /* the shape does not matter */
      assert_memory_equal(again, values[seed], sizeof(again));
    }
}

/* Equal parts of the range of probabilities must be equally full: chi square with 15 degrees of freedom, below 60. */
static void shares(void **state) {
  static double values[DRAWS];
  (void)state;
  for (enum source source = UNIFORM; source <= NORMAL; source++)
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
      double part[PARTS] = {0}, pairs[PARTS] = {0}, chi = 0, chi_pairs = 0;
      unsigned before = 0;
      sample(source, seed, ONR_DTYPE_F64, 1, DIMS(DRAWS), values);
      for (size_t i = 0; i < DRAWS; i++) {
        const double at = source == UNIFORM ? (values[i] + 2) / 6 : 0.5 * erfc(-(values[i] + 2) / 4 / sqrt(2.0));
        assert_true(at >= 0 && at <= 1);
        const unsigned which = at == 1 ? PARTS - 1 : (unsigned)(at * PARTS);
        part[which]++;
        if (i % 2) pairs[before / 4 * 4 + which / 4]++; /* quarters of two that follow each other */
        before = which;
      }
      for (size_t k = 0; k < PARTS; k++) {
        chi += pow(part[k] - (double)DRAWS / PARTS, 2) / ((double)DRAWS / PARTS);
        chi_pairs += pow(pairs[k] - DRAWS / 2.0 / PARTS, 2) / (DRAWS / 2.0 / PARTS);
      }
      assert_true(chi < 60 && chi_pairs < 60);
    }
}

static void draws_follow_the_input(void **state) {
  static float x[DRAWS];
  static const struct onr_bernoulli_params coin = {ONR_DTYPE_NONE, ONR_DEFAULT_SEED};
  static const struct onr_multinomial_params dice = {ONR_DTYPE_I32, 20000, 3};
  const float logits[8] = {0, logf(2), logf(5), -INFINITY, -INFINITY, -INFINITY, 3, -INFINITY};
  double ones = 0, share[4] = {0};
  (void)state;
  for (size_t i = 0; i < DRAWS; i++) x[i] = i % 2 ? 0.3f : i % 4 ? 1 : 0;
  struct layer_test b = {.layer = &onri_layer_bernoulli, .params = &coin, .num_out = 1};
  layer_test_input(&b, ONR_DTYPE_F32, 1, DIMS(DRAWS), x);
  run_ok(&b);
  for (size_t i = 0; i < DRAWS; i++) {
    const float y = ((float *)b.out[0].data)[i];
    if (i % 2) ones += (double)y;
    else assert_true(y == x[i]);
  }
  assert_true(fabs(ones / (DRAWS / 2) - 0.3) < 5 * sqrt(0.3 * 0.7 / (DRAWS / 2)));
  layer_test_clear(&b);
  struct layer_test m = {.layer = &onri_layer_multinomial, .params = &dice, .num_out = 1};
  layer_test_input(&m, ONR_DTYPE_F32, 2, DIMS(2, 4), logits);
  run_ok(&m);
  for (size_t i = 0; i < 40000; i++) {
    const int32_t drawn = ((int32_t *)m.out[0].data)[i];
    assert_in_range(drawn, 0, 3);
    if (i < 20000) share[drawn] += 1.0 / 20000;
    else assert_int_equal(drawn, 2);
  }
  assert_true(fabs(share[0] - 0.125) < 0.012 && fabs(share[1] - 0.25) < 0.016 && fabs(share[2] - 0.625) < 0.018 &&
              share[3] == 0);
  layer_test_clear(&m);
}

/* --- dropout outside of training, and wrong inputs --- */

static enum onr_status dropout_of(enum onr_dtype dtype, const void *ratio, const void *training, struct layer_test *t) {
  static const struct onr_dropout_params params = {.seed = 1};
  static const double x[4] = {1, 2, 3, 4};
  *t = (struct layer_test){.layer = &onri_layer_dropout, .params = &params, .num_out = 2};
  layer_test_input(t, dtype, 1, DIMS(4), x);
  layer_test_input(t, ONR_DTYPE_F32, 0, NULL, ratio);
  layer_test_input(t, ONR_DTYPE_BOOL, 0, NULL, training);
  return layer_test_run(t);
}

static void dropout_of_nothing(void **state) {
  static const double x[4] = {1, 2, 3, 4};
  const float zero = 0, half = 0.5f;
  (void)state;
  for (int training = 0; training < 2; training++) {
    struct layer_test t;
    assert_int_equal(dropout_of(ONR_DTYPE_F64, training ? &zero : &half, training ? "\1" : "\0", &t), ONR_STATUS_OK);
    assert_memory_equal(t.out[0].data, x, sizeof(x));
    assert_memory_equal(t.out[1].data, "\1\1\1\1", 4);
    layer_test_clear(&t);
  }
}

static void dropout_failures(void **state) {
  const float one = 1, negative = -0.1f, nan = NAN, half = 0.5f;
  const float *const ratios[] = {&one, &negative, &nan};
  struct layer_test t;
  (void)state;
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(dropout_of(ONR_DTYPE_F64, ratios[i], "\1", &t), ONR_STATUS_ATTRIBUTE);
    layer_test_clear(&t);
    assert_int_equal(dropout_of(ONR_DTYPE_F64, ratios[i], "\0", &t), ONR_STATUS_OK); /* not used */
    layer_test_clear(&t);
  }
  assert_int_equal(dropout_of(ONR_DTYPE_I64, &half, "\1", &t), ONR_STATUS_TYPE);
  layer_test_clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(numpy_uniform),
                                     cmocka_unit_test(numpy_normal),
                                     cmocka_unit_test(numpy_bernoulli),
                                     cmocka_unit_test(numpy_dropout),
                                     cmocka_unit_test(moments),
                                     cmocka_unit_test(shares),
                                     cmocka_unit_test(draws_follow_the_input),
                                     cmocka_unit_test(dropout_of_nothing),
                                     cmocka_unit_test(dropout_failures)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
