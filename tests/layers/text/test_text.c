/* Layers on strings; expected values are those of Python's str. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "layers/layers.h"

#define S(text) \
  { text, sizeof(text) - 1 }

static void expect_strings(const struct onr_tensor *y, const struct onr_string *expected, size_t count) {
  const struct onr_string *found = y->data;
  assert_int_equal(onr_desc_elements(&y->desc), count);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(found[i].length, expected[i].length);
    if (expected[i].length > 0) assert_memory_equal(found[i].text, expected[i].text, expected[i].length);
  }
}

static void test_concat(void **unused) {
  (void)unused;
  const struct onr_string a[] = {S("cat"), S(""), S("sn\0ke")}, b[] = {S("s"), S("")};
  const struct onr_string expected[] = {S("cats"), S("s"), S("sn\0kes"), S("cat"), S(""), S("sn\0ke")};
  struct layer_test t = {.layer = &onri_layer_string_concat, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_STRING, 1, (int64_t[]){3}, a);
  layer_test_input(&t, ONR_DTYPE_STRING, 2, (int64_t[]){2, 1}, b);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  expect_strings(&t.out[0], expected, 6);
  layer_test_clear(&t);
}

static void check_split(struct onr_string_split_params params, const struct onr_string x[2],
                        const struct onr_string *expected, size_t width, const int64_t counts[2]) {
  struct layer_test t = {.layer = &onri_layer_string_split, .params = &params, .num_out = 2};
  layer_test_input(&t, ONR_DTYPE_STRING, 1, (int64_t[]){2}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_int_equal(t.out[0].desc.rank, 2);
  expect_strings(&t.out[0], expected, 2 * width);
  assert_memory_equal(t.out[1].data, counts, 2 * sizeof(*counts));
  layer_test_clear(&t);
}

static void test_split(void **unused) {
  (void)unused;
  check_split((struct onr_string_split_params){S("--"), -1}, (struct onr_string[]){S("a--b---c--"), S("")},
              (struct onr_string[]){S("a"), S("b"), S("-c"), S(""), S(""), S(""), S(""), S("")}, 4, (int64_t[]){4, 1});
  check_split((struct onr_string_split_params){S(""), -1}, (struct onr_string[]){S(" a\t b\n"), S("  ")},
              (struct onr_string[]){S("a"), S("b"), S(""), S("")}, 2, (int64_t[]){2, 0});
  check_split((struct onr_string_split_params){S(""), 1}, (struct onr_string[]){S(" a  b c "), S("x ")},
              (struct onr_string[]){S("a"), S("b c "), S("x"), S("")}, 2, (int64_t[]){2, 1});
  check_split((struct onr_string_split_params){S(""), -1},
              (struct onr_string[]){S("a\xE3\x80\x80z\xC2\xA0"), S("\x1F\xFF")},
              (struct onr_string[]){S("a"), S("z"), S("\xFF"), S("")}, 2, (int64_t[]){2, 1});
  check_split((struct onr_string_split_params){S("aab"), -1}, (struct onr_string[]){S("aaab"), S("aabaacaab")},
              (struct onr_string[]){S("a"), S(""), S(""), S(""), S("aac"), S("")}, 3, (int64_t[]){2, 3});
  check_split((struct onr_string_split_params){S("."), 0}, (struct onr_string[]){S("a.b"), S(".")},
              (struct onr_string[]){S("a.b"), S(".")}, 1, (int64_t[]){1, 1});
}

static void check_normalize(enum onr_letter_case letter_case, int case_sensitive, const struct onr_string *expected,
                            size_t count) {
  const struct onr_string x[] = {S("Monday"), S("two z"), S("monday"), S("Z")}, stop[] = {S("monday"), S("z")};
  const struct onr_string_normalize_params params = {letter_case, case_sensitive, stop, 2};
  struct layer_test t = {.layer = &onri_layer_string_normalize, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_STRING, 2, (int64_t[]){1, 4}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  expect_strings(&t.out[0], expected, count);
  layer_test_clear(&t);
}

static void test_normalize(void **unused) {
  (void)unused;
  check_normalize(ONR_CASE_KEEP, 1, (struct onr_string[]){S("Monday"), S("two z"), S("Z")}, 3);
  check_normalize(ONR_CASE_LOWER, 1, (struct onr_string[]){S("monday"), S("two z"), S("z")}, 3);
  check_normalize(ONR_CASE_UPPER, 0, (struct onr_string[]){S("TWO Z")}, 1);
  const struct onr_string x[] = {S("a")}, nothing[] = {S("")};
  const struct onr_string_normalize_params params = {ONR_CASE_KEEP, 0, x, 1};
  struct layer_test t = {.layer = &onri_layer_string_normalize, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_STRING, 1, (int64_t[]){1}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  expect_strings(&t.out[0], nothing, 1);
  layer_test_clear(&t);
}

static enum onr_status change_case(enum onr_letter_case to, struct onr_string text, struct onr_string stop,
                                   struct onr_string *expected) {
  const struct onr_string_normalize_params params = {to, 0, &stop, 1};
  struct layer_test t = {.layer = &onri_layer_string_normalize, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_STRING, 1, (int64_t[]){1}, &text);
  const enum onr_status status = layer_test_run(&t);
  if (status == ONR_STATUS_OK) expect_strings(&t.out[0], expected, 1);
  layer_test_clear(&t);
  return status;
}

static void test_letters_of_all_scripts(void **unused) {
  (void)unused;
  static const struct {
    struct onr_string small, capital;
  } pairs[] = {{S("straße"), S("STRAßE")}, {S("àéþ"), S("ÀÉÞ")}, {S("żółć"), S("ŻÓŁĆ")},
               {S("αβγωά"), S("ΑΒΓΩΆ")},   {S("жёѓ"), S("ЖЁЃ")}, {S("ագև"), S("ԱԳև")},
               {S("აბ"), S("ᲐᲑ")},     {S("ⱥⱦ"), S("ȺȾ")},   {S("𐐨z"), S("𐐀Z")}};
  for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
    struct onr_string small = pairs[i].small, capital = pairs[i].capital, nothing = S("");
    assert_int_equal(change_case(ONR_CASE_UPPER, small, nothing, &capital), ONR_STATUS_OK);
    assert_int_equal(change_case(ONR_CASE_LOWER, capital, nothing, &small), ONR_STATUS_OK);
    assert_int_equal(change_case(ONR_CASE_KEEP, capital, small, &nothing), ONR_STATUS_OK);
  }
  const struct onr_string broken = S("a\xC3(");
  assert_int_equal(change_case(ONR_CASE_UPPER, broken, (struct onr_string)S("b"), NULL), ONR_STATUS_DATA);
  assert_int_equal(change_case(ONR_CASE_KEEP, (struct onr_string)S("b"), broken, NULL), ONR_STATUS_DATA);
}

static void test_normalize_refuses_rows(void **unused) {
  (void)unused;
  const struct onr_string x[] = {S("a"), S("b")};
  const struct onr_string_normalize_params params = {ONR_CASE_KEEP, 0, NULL, 0};
  struct layer_test t = {.layer = &onri_layer_string_normalize, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_STRING, 2, (int64_t[]){2, 1}, x);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_SHAPE);
  layer_test_clear(&t);
}

static void test_lookup(void **unused) {
  (void)unused;
  const float x[] = {1.5f, NAN, -0.0f, 7.0f}, keys[] = {1.5f, 0.0f, NAN, 1.5f};
  const struct onr_string values[] = {S("first"), S("zero"), S("nan"), S("last")}, otherwise[] = {S("?")};
  const struct onr_string expected[] = {S("last"), S("nan"), S("zero"), S("?")};
  struct layer_test t = {.layer = &onri_layer_lookup, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){2, 2}, x);
  layer_test_constant(&t, ONR_DTYPE_F32, 1, (int64_t[]){4}, keys);
  layer_test_constant(&t, ONR_DTYPE_STRING, 1, (int64_t[]){4}, values);
  layer_test_input(&t, ONR_DTYPE_STRING, 1, (int64_t[]){1}, otherwise);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  expect_strings(&t.out[0], expected, 4);
  layer_test_clear(&t);
}

static void test_lookup_of_strings(void **unused) {
  (void)unused;
  const struct onr_string x[] = {S("b"), S(""), S("ab")}, keys[] = {S("b"), S("ab")};
  const int16_t values[] = {3, -4}, otherwise = 9, expected[] = {3, 9, -4};
  struct layer_test t = {.layer = &onri_layer_lookup, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_STRING, 1, (int64_t[]){3}, x);
  layer_test_constant(&t, ONR_DTYPE_STRING, 1, (int64_t[]){2}, keys);
  layer_test_constant(&t, ONR_DTYPE_I16, 1, (int64_t[]){2}, values);
  layer_test_input(&t, ONR_DTYPE_I16, 0, NULL, &otherwise);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_memory_equal(t.out[0].data, expected, sizeof(expected));
  layer_test_clear(&t);
}

/* x of the values' type: the table is read the other way. */
static void test_lookup_reversed(void **unused) {
  (void)unused;
  const int64_t x[] = {7, 5, 6, 7}, values[] = {5, 7, 7}, unknown_value = -1;
  const struct onr_string keys[] = {S("five"), S("seven"), S("last seven")}, unknown_key[] = {S("?")};
  const struct onr_string expected[] = {S("last seven"), S("five"), S("?"), S("last seven")};
  struct layer_test t = {.layer = &onri_layer_lookup, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_I64, 1, (int64_t[]){4}, x);
  layer_test_constant(&t, ONR_DTYPE_STRING, 1, (int64_t[]){3}, keys);
  layer_test_constant(&t, ONR_DTYPE_I64, 1, (int64_t[]){3}, values);
  layer_test_input(&t, ONR_DTYPE_I64, 0, NULL, &unknown_value);
  layer_test_input(&t, ONR_DTYPE_STRING, 1, (int64_t[]){1}, unknown_key);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  expect_strings(&t.out[0], expected, 4);
  layer_test_clear(&t);
}

/* Every key of many, in no order, is found. */
static void test_lookup_many(void **unused) {
  enum { N = 1000 };
  static int32_t keys[N];
  static int64_t values[N];
  const int64_t unknown = -1;
  (void)unused;
  for (int i = 0; i < N; i++) {
    keys[i] = (int32_t)((uint32_t)i * 2654435761u); /* odd: no two are equal */
    values[i] = i;
  }
  struct layer_test t = {.layer = &onri_layer_lookup, .num_out = 1, .threads = 2};
  layer_test_input(&t, ONR_DTYPE_I32, 1, (int64_t[]){N}, keys);
  layer_test_constant(&t, ONR_DTYPE_I32, 1, (int64_t[]){N}, keys);
  layer_test_constant(&t, ONR_DTYPE_I64, 1, (int64_t[]){N}, values);
  layer_test_input(&t, ONR_DTYPE_I64, 0, NULL, &unknown);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_memory_equal(t.out[0].data, values, sizeof(values));
  layer_test_clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_concat),
                                     cmocka_unit_test(test_split),
                                     cmocka_unit_test(test_normalize),
                                     cmocka_unit_test(test_normalize_refuses_rows),
                                     cmocka_unit_test(test_letters_of_all_scripts),
                                     cmocka_unit_test(test_lookup),
                                     cmocka_unit_test(test_lookup_of_strings),
                                     cmocka_unit_test(test_lookup_reversed),
                                     cmocka_unit_test(test_lookup_many)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
