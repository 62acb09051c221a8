/* cast from and to strings: expected texts are those of NumPy 2.4, expected numbers those of Python. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "base/numbers/convert.h"
#include "layers/layers.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void expect_texts(enum onr_dtype dtype, const void *x, const char *const *expected, size_t count) {
  const struct onr_cast_params params = {.to = ONR_DTYPE_STRING};
  struct layer_test t = {.layer = &onri_layer_cast, .params = &params, .num_out = 1};
  layer_test_input(&t, dtype, 1, (int64_t[]){(int64_t)count}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  const struct onr_string *y = t.out[0].data;
  for (size_t i = 0; i < count; i++)
    if (y[i].length != strlen(expected[i]) || memcmp(y[i].text, expected[i], y[i].length) != 0)
      fail_msg("%s %zu: expected %s, found %.*s", onr_dtype_name(dtype), i, expected[i], (int)y[i].length, y[i].text);
  layer_test_clear(&t);
}

static void test_floats_to_text(void **unused) {
  (void)unused;
  const float f32[] = {0,     -0.0f,     1,         1.5f,     0.1f, 1 / 3.0f, 100000,    1e6f,     123456792, 1e-4f,
                       1e-5f, 0x1p-126f, 0x1p-149f, 0x1p-96f, NAN,  INFINITY, -INFINITY, -2.5e-7f, 999999};
  static const char *const t32[] = {"0.0",        "-0.0",          "1.0",      "1.5",           "0.1",
                                    "0.33333334", "100000.0",      "1e+06",    "1.2345679e+08", "1e-04",
                                    "1e-05",      "1.1754944e-38", "1e-45",    "1.2621775e-29", "nan",
                                    "inf",        "-inf",          "-2.5e-07", "999999.0"};
  expect_texts(ONR_DTYPE_F32, f32, t32, COUNT(f32));
  const double f64[] = {1 / 3.0, 0.1, 0.0001, 1e15, 1e16, 1e300, 0x1p-1074, 123456789.125, -7};
  static const char *const t64[] = {
      "0.3333333333333333", "0.1", "0.0001", "1000000000000000.0", "1e+16", "1e+300", "5e-324",
      "123456789.125",      "-7.0"};
  expect_texts(ONR_DTYPE_F64, f64, t64, COUNT(f64));
  const uint16_t f16[] = {0x2E66, 0x3C00, 0x7BFF, 0x6800,
                          0x2400, 0x0001, 0x7E00}; /* 0.1, 1, 65504, 2048, 2^-6, 2^-24, NaN */
  static const char *const t16[] = {"0.1", "1.0", "6.55e+04", "2.048e+03", "0.01563", "6e-08", "nan"};
  expect_texts(ONR_DTYPE_F16, f16, t16, COUNT(f16));
}

static void test_integers_to_text(void **unused) {
  (void)unused;
  expect_texts(ONR_DTYPE_I64, (int64_t[]){0, -5, INT64_MAX, INT64_MIN},
               (const char *[]){"0", "-5", "9223372036854775807", "-9223372036854775808"}, 4);
  expect_texts(ONR_DTYPE_U64, (uint64_t[]){UINT64_MAX}, (const char *[]){"18446744073709551615"}, 1);
  expect_texts(ONR_DTYPE_I8, (int8_t[]){-128, 127}, (const char *[]){"-128", "127"}, 2);
  expect_texts(ONR_DTYPE_BOOL, (uint8_t[]){0, 1}, (const char *[]){"False", "True"}, 2);
}

/* One text to one element. */
static enum onr_status parse(enum onr_dtype to, const char *text, void *element) {
  const struct onr_cast_params params = {.to = to};
  const struct onr_string x = {text, strlen(text)};
  struct layer_test t = {.layer = &onri_layer_cast, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_STRING, 0, NULL, &x);
  const enum onr_status status = layer_test_run(&t);
  if (status == ONR_STATUS_OK) memcpy(element, t.out[0].data, onr_dtype_size(to));
  layer_test_clear(&t);
  return status;
}

static void test_text_to_floats(void **unused) {
  (void)unused;
  static const struct {
    const char *text;
    double value;
  } good[] = {{"1", 1},
              {" +1.5\n", 1.5},
              {"-1e3", -1000},
              {".5", 0.5},
              {"5.", 5},
              {"1E-5", 1e-5},
              {"1e400", INFINITY},
              {"-1e-400", -0.0},
              {"INF", INFINITY},
              {"+inf", INFINITY},
              {"-Infinity", -INFINITY},
              {"9007199254740993", 9007199254740992.0},
              {"0.1", 0.1},
              {"1e23", 1e23},
              {"000.000e99999999999999999999", 0},
              {"1e99999999999999999999", INFINITY}};
  double y;
  for (size_t i = 0; i < COUNT(good); i++) {
    assert_int_equal(parse(ONR_DTYPE_F64, good[i].text, &y), ONR_STATUS_OK);
    if (y != good[i].value || signbit(y) != signbit(good[i].value)) fail_msg("'%s': found %.17g", good[i].text, y);
  }
  assert_int_equal(parse(ONR_DTYPE_F64, "-NaN", &y), ONR_STATUS_OK);
  assert_true(isnan(y));
  static const char *const wrong[] = {"",  " ", "abc", "0x10", "1_0",  "12a",     "1e", "1e+",
                                      ".", "-", "--1", "1 2",  "True", "infinit", "1,5"};
  for (size_t i = 0; i < COUNT(wrong); i++)
    for (int d = 0; d < 2; d++)
      if (parse(d ? ONR_DTYPE_I64 : ONR_DTYPE_F64, wrong[i], &y) != ONR_STATUS_DATA)
        fail_msg("'%s' is taken for a number", wrong[i]);
}

/* The middle between two doubles, and a little more than it, told by digit 1000. */
static void test_every_digit_counts(void **unused) {
  (void)unused;
  char text[1100] = "1.00000000000000011102230246251565404236316680908203125";
  double y;
  assert_int_equal(parse(ONR_DTYPE_F64, text, &y), ONR_STATUS_OK);
  assert_true(y == 1.0);
  memset(text + strlen(text), '0', 1000 - strlen(text));
  text[1000] = '1';
  assert_int_equal(parse(ONR_DTYPE_F64, text, &y), ONR_STATUS_OK);
  assert_true(y == 1.0 + 0x1p-52);
  memset(text, '1', 1000);
  memcpy(text + 1000, "e-999", 6);
  assert_int_equal(parse(ONR_DTYPE_F64, text, &y), ONR_STATUS_OK);
  assert_true(y == 1.1111111111111111);
}

static void test_text_to_integers(void **unused) {
  (void)unused;
  static const struct {
    enum onr_dtype dtype;
    const char *text;
    enum onr_status status;
    int64_t value;
  } cases[] = {{ONR_DTYPE_I64, "9223372036854775807", ONR_STATUS_OK, INT64_MAX},
               {ONR_DTYPE_I64, "9223372036854775808", ONR_STATUS_DATA, 0},
               {ONR_DTYPE_I64, "-9223372036854775808", ONR_STATUS_OK, INT64_MIN},
               {ONR_DTYPE_I64, "-9223372036854775809", ONR_STATUS_DATA, 0},
               {ONR_DTYPE_I64, "100.5", ONR_STATUS_OK, 100},
               {ONR_DTYPE_I64, "-1.25e1", ONR_STATUS_OK, -12},
               {ONR_DTYPE_I64, "1e-9", ONR_STATUS_OK, 0},
               {ONR_DTYPE_I64, "1e30", ONR_STATUS_DATA, 0},
               {ONR_DTYPE_I64, "nan", ONR_STATUS_DATA, 0},
               {ONR_DTYPE_I64, "inf", ONR_STATUS_DATA, 0},
               {ONR_DTYPE_U64, "18446744073709551615", ONR_STATUS_OK, -1},
               {ONR_DTYPE_U64, "18446744073709551616", ONR_STATUS_DATA, 0},
               {ONR_DTYPE_I8, "-128", ONR_STATUS_OK, -128},
               {ONR_DTYPE_I8, "128", ONR_STATUS_DATA, 0},
               {ONR_DTYPE_U8, "255", ONR_STATUS_OK, 255},
               {ONR_DTYPE_U8, "-1", ONR_STATUS_DATA, 0},
               {ONR_DTYPE_U8, "-0", ONR_STATUS_OK, 0},
               {ONR_DTYPE_I4, "-8", ONR_STATUS_OK, -8},
               {ONR_DTYPE_U4, "16", ONR_STATUS_DATA, 0},
               {ONR_DTYPE_BOOL, "0.0", ONR_STATUS_OK, 0},
               {ONR_DTYPE_BOOL, "-2", ONR_STATUS_OK, 1},
               {ONR_DTYPE_BOOL, "True", ONR_STATUS_OK, 1},
               {ONR_DTYPE_BOOL, "False", ONR_STATUS_OK, 0},
               {ONR_DTYPE_BOOL, "yes", ONR_STATUS_DATA, 0}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    int64_t element = 0, value = 0;
    if (parse(cases[i].dtype, cases[i].text, &element) != cases[i].status)
      fail_msg("'%s' as %s", cases[i].text, onr_dtype_name(cases[i].dtype));
    if (cases[i].status != ONR_STATUS_OK) continue;
    onri_load(cases[i].dtype, &element, 1, &value);
    assert_true(value == cases[i].value);
  }
}

static void test_error_names_the_element(void **unused) {
  (void)unused;
  const struct onr_cast_params params = {.to = ONR_DTYPE_F32};
  const struct onr_string x[] = {{"1", 1}, {"a\x1b\xff", 3}};
  struct layer_test t = {.layer = &onri_layer_cast, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_STRING, 1, (int64_t[]){2}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_DATA);
  assert_string_equal(t.error.message, "element 1, 'a\\x1b\\xff', is no number: expected one for float32");
  layer_test_clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_floats_to_text),   cmocka_unit_test(test_integers_to_text),
      cmocka_unit_test(test_text_to_floats),   cmocka_unit_test(test_every_digit_counts),
      cmocka_unit_test(test_text_to_integers), cmocka_unit_test(test_error_names_the_element)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
