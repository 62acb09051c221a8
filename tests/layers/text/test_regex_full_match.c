/* regex_full_match: expected values are those of RE2. Without PCRE2 the layer says what is missing. */
#include <string.h>

#include "support/layer_test.h"

#include "layers/layers.h"
#include "layers/text/regex.h"

#define S(text) \
  { text, sizeof(text) - 1 }

static int available(void) { return onri_regex_available(NULL) == ONR_STATUS_OK; }

/* The status, or the result when that is OK. */
static enum onr_status match(struct onr_string pattern, struct onr_string text, int *full) {
  const struct onr_regex_full_match_params params = {pattern};
  struct layer_test t = {.layer = &onri_layer_regex_full_match, .params = &params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_STRING, 0, NULL, &text);
  const enum onr_status status = layer_test_run(&t);
  if (status == ONR_STATUS_OK) *full = *(const uint8_t *)t.out[0].data;
  layer_test_clear(&t);
  return status;
}

static void test_matches(void **unused) {
  (void)unused;
  static const struct {
    struct onr_string pattern, text;
    int full;
  } cases[] = {{S("a|ab"), S("ab"), 1},
               {S("a"), S("ab"), 0},
               {S("a"), S("ba"), 0},
               {S(""), S(""), 1},
               {S(""), S("a"), 0},
               {S("a$"), S("a\n"), 0},
               {S("."), S("\n"), 0},
               {S("(?s)."), S("\n"), 1},
               {S("."), S("\xC3\xA9"), 1},
               {S("[\\w.-]+"), S("a_1.-"), 1},
               {S("\\w"), S("\xC3\xA9"), 0},
               {S("\\pL+"), S("\xC3\xA9t\xC3\xA9"), 1},
               {S("(?i)abc"), S("aBC"), 1},
               {S("a{2,3}"), S("aaaa"), 0},
               {S("x.y"), S("x\0y"), 1},
               {S("\\x{1F600}"), S("\xF0\x9F\x98\x80"), 1},
               {S("\\d+\\s\\D"), S("42\tx"), 1},
               {S("^\\bab\\b$"), S("ab"), 1},
               /* takes a search that goes back exponentially long */
               {S("(a+)+[bd]"), S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac"), 0},
               {S("(?:a|a)*(?:a|a)*(?:a|a)*[xy]"), S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 0},
               {S("a{,2}"), S("a{,2}"), 1},
               {S("a{2}?"), S("aa"), 1},
               {S("^*\\b+a"), S("a"), 1},
               {S("[\\d-z]+"), S("2-z"), 1},
               {S("[a-c-e]+"), S("b-e"), 1},
               {S("[[.a.]]"), S(".]"), 1},
               {S("[[:^alpha:]-]+"), S("-1"), 1},
               {S("\\12\\0\\x0a"), S("\n\0\n"), 1},
               {S("\\_\\-{}]"), S("_-{}]"), 1},
               {S("\\Qa*\\E*"), S("a**"), 1},
               {S("\\Q("), S("("), 1},
               {S("(?i-s:A)(?)"), S("a"), 1},
               {S("(?P<n>a)(?<n>b)"), S("ab"), 1},
               {S("(|a)+()*"), S("aaa"), 1},
               {S("(?m)a$(?s:.)^"), S("a\n"), 1},
               {S("(?m:a$)\n"), S("a\n"), 1},
               {S("(?:(?m)a)$\n"), S("a\n"), 0},
               {S("(?m)(?-m:a$)\n"), S("a\n"), 0},
               {S("(a|(?m)b$)\n"), S("b\n"), 1},
               {S("\\p{^L}\\PL"), S("12"), 1},
               {S("\\s"), S("\v"), 0},
               {S("[\\s]"), S("\v"), 0},
               {S("\\S[\\S]"), S("\v\v"), 1},
               {S("\\v"), S("\n"), 0},
               {S("[[:space:]]"), S("\v"), 1},
               {S("[]\\s]+"), S("] ]"), 1},
               {S("\\Q\\s\\E"), S("\\s"), 1},
               {S("(?P<n>a)+?"), S("aaa"), 1}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    int full = -1;
    if (!available()) skip();
    assert_int_equal(match(cases[i].pattern, cases[i].text, &full), ONR_STATUS_OK);
    if (full != cases[i].full) fail_msg("'%s' and '%s': found %d", cases[i].pattern.text, cases[i].text.text, full);
  }
}

static void test_wrong(void **unused) {
  (void)unused;
  static const struct {
    struct onr_string pattern, text;
    enum onr_status status;
  } cases[] = {{S("a("), S(""), ONR_STATUS_ATTRIBUTE},
               {S("[z-a]"), S(""), ONR_STATUS_ATTRIBUTE},
               {S("*"), S(""), ONR_STATUS_ATTRIBUTE},
               {S("\xFF"), S(""), ONR_STATUS_ATTRIBUTE},
               {S("\\C"), S(""), ONR_STATUS_ATTRIBUTE},
               {S("((a{60000}){60000}){9}"), S(""), ONR_STATUS_ATTRIBUTE},
               {S("a"), S("\xFF"), ONR_STATUS_DATA},
               {S("a"), S("\xED\xA0\x80"), ONR_STATUS_DATA},
               /* what PCRE2 has and RE2 has not */
               {S("(?R)?a(?R)"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("(a)\\1"), S("aa"), ONR_STATUS_ATTRIBUTE},
               {S("(?=a)a"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("(?<=a)a"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("(?>a)"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("(?#a)"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("(?x) a"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("(*UCP)a"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("a++"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("a\\Kb"), S("ab"), ONR_STATUS_ATTRIBUTE},
               {S("\\h"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("\\Z"), S(""), ONR_STATUS_ATTRIBUTE},
               /* and what both refuse */
               {S("a**"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("a{2}{3}"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("a{1001}"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("a{2,1}"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("(?i)*"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("(?-:a)"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("(?P<>a)"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("(?P<n"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("a)"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("[a"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("[]"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("[a-\\d]"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("[\\b]"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("[[:foo:]]"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("\\p{Klingon}"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("\\p{"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("\\x4"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("\\x{110000}"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("\\"), S("a"), ONR_STATUS_ATTRIBUTE},
               {S("(?i"), S("a"), ONR_STATUS_ATTRIBUTE}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    int full;
    const enum onr_status status = match(cases[i].pattern, cases[i].text, &full);
    if (status != (available() ? cases[i].status : ONR_STATUS_UNSUPPORTED))
      fail_msg("'%s': found %s", cases[i].pattern.text, onr_status_name(status));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_matches), cmocka_unit_test(test_wrong)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
