/* tokenize: expected values are those of ONNX Runtime's Tokenizer. Without PCRE2 only characters are found. */
#include <string.h>

#include "tests/support/layer_test.h"

#include "layers/layers.h"
#include "layers/text/regex.h"

#define S(text) \
  { text, sizeof(text) - 1 }
enum { TEXTS = 3, PARTS = 18, PATTERNS = 3 };

static int available(void) { return onri_regex_available(NULL) == ONR_STATUS_OK; }

struct token_case {
  enum onr_tokenize_mode mode;
  struct onr_string patterns[PATTERNS]; /* up to an empty one; "" alone counts */
  int64_t min_chars;
  int32_t mark;
  struct onr_string texts[TEXTS]; /* up to one without text */
  int64_t width;
  struct onr_string parts[PARTS];
};

#define CHARACTERS ONR_TOKENIZE_CHARACTERS
#define MATCHES ONR_TOKENIZE_MATCHES
#define BETWEEN ONR_TOKENIZE_BETWEEN

static const struct token_case cases[] = {
    {CHARACTERS,
     {{0}},
     1,
     0,
     {S("ab"), S("\xC3\xA9\xF0\x9F\x98\x80z"), S("")},
     3,
     {S("a"), S("b"), S("#"), S("\xC3\xA9"), S("\xF0\x9F\x98\x80"), S("z"), S("#"), S("#"), S("#")}},
    {CHARACTERS,
     {{0}},
     1,
     1,
     {S("ab"), S("")},
     4,
     {S("\2"), S("a"), S("b"), S("\3"), S("\2"), S("\3"), S("#"), S("#")}},
    {CHARACTERS, {{0}}, 1, 1, {S(""), S("")}, 0, {{0}}},
    /* the longest match, not the first alternative; lazy signs change nothing */
    {MATCHES, {S("a|ab")}, 1, 0, {S("ab a")}, 2, {S("ab"), S("a")}},
    {MATCHES, {S("a*?")}, 1, 0, {S("aa aab b")}, 2, {S("aa"), S("aa")}},
    {MATCHES, {S("a{1,3}")}, 1, 0, {S("aaaa")}, 2, {S("aaa"), S("a")}},
    {MATCHES, {S("[a-z]+")}, 2, 0, {S("aa b aab")}, 2, {S("aa"), S("aab")}},
    {MATCHES, {S("a|abc")}, 3, 0, {S("a abc")}, 1, {S("abc")}},
    {MATCHES, {S("\\w{2}\\b")}, 1, 0, {S("abc abcd")}, 2, {S("bc"), S("cd")}},
    {MATCHES, {S("^foo")}, 1, 0, {S("foofoo x")}, 1, {S("foo")}},
    {MATCHES, {S("^\\w+$")}, 1, 0, {S("ab\ncd")}, 0, {{0}}},
    {MATCHES, {S("(?m)^\\w+$")}, 1, 0, {S("ab\ncd")}, 2, {S("ab"), S("cd")}},
    {MATCHES,
     {S("\\pL+")},
     1,
     1,
     {S("\xC3\xA9t\xC3\xA9 l\xC3\xA0")},
     4,
     {S("\2"), S("\xC3\xA9t\xC3\xA9"), S("l\xC3\xA0"), S("\3")}},
    {MATCHES, {S("(?i)k")}, 1, 0, {S("K\xE2\x84\xAA k")}, 3, {S("K"), S("\xE2\x84\xAA"), S("k")}},
    {MATCHES, {S(".+")}, 1, 0, {S("a\0b")}, 1, {S("a\0b")}},
    {MATCHES, {S("\\Qa[\\E|]")}, 1, 0, {S("a[]")}, 2, {S("a["), S("]")}},
    {BETWEEN,
     {S("[.]"), S(","), S(" ")},
     1,
     1,
     {S("a.b,c"), S("d e"), S("")},
     5,
     {S("\2"), S("a"), S("b"), S("c"), S("\3"), S("\2"), S("d"), S("e"), S("\3"), S("#"), S("\2"), S("\3"), S("#"),
      S("#"), S("#")}},
    {BETWEEN, {S(" "), S("^b")}, 1, 0, {S("foo bar")}, 2, {S("foo"), S("ar")}},
    {BETWEEN, {S("^foo"), S(" ")}, 1, 0, {S("foo bar")}, 1, {S("bar")}},
    {BETWEEN, {S("b*$")}, 1, 0, {S("aab cdb")}, 1, {S("aab cd")}},
    {BETWEEN, {S("x*"), S(" ")}, 1, 0, {S("ab cd")}, 0, {{0}}},
    {BETWEEN, {S(" ")}, 2, 0, {S("a bc d\xC3\xA9")}, 2, {S("bc"), S("d\xC3\xA9")}},
    /* no vertical tab is white space, in a class neither */
    {BETWEEN, {S("\\s")}, 1, 0, {S("a\vb \tc")}, 2, {S("a\vb"), S("c")}},
    {BETWEEN, {S("[\\s,]")}, 1, 0, {S("a\vb,c d")}, 3, {S("a\vb"), S("c"), S("d")}},
    {BETWEEN, {S("\\v")}, 1, 0, {S("a\vb\nc")}, 2, {S("a"), S("b\nc")}},
    {MATCHES, {S("\\S+|x")}, 1, 0, {S("a\vb c")}, 2, {S("a\vb"), S("c")}},
    {MATCHES, {S("[\\Sx]+")}, 1, 0, {S("a\vb c")}, 2, {S("a\vb"), S("c")}},
    {BETWEEN,
     {S("[[:space:]\\s]")},
     1,
     0,
     {S("a\vb\xC2\xA0"
        "c")},
     2,
     {S("a"), S("b\xC2\xA0"
                "c")}}};

static size_t count_of(const struct onr_string *list, size_t most) {
  size_t count = 0;
  while (count < most && list[count].text) count++;
  return count;
}

static void check_parts(const struct token_case *c, const struct onr_tensor *y, size_t number) {
  const struct onr_string *found = y->data;
  const size_t count = (size_t)onr_desc_elements(&y->desc);
  if (y->desc.rank != 2 || y->desc.dim[1] != c->width)
    fail_msg("case %zu: %lld parts", number, (long long)y->desc.dim[1]);
  for (size_t i = 0; i < count; i++)
    if (found[i].length != c->parts[i].length || memcmp(found[i].text, c->parts[i].text, found[i].length) != 0)
      fail_msg("case %zu, part %zu: found '%.*s'", number, i, (int)found[i].length, found[i].text);
}

static void finds_parts(void **unused) {
  (void)unused;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    const struct token_case *c = &cases[i];
    const int64_t count = (int64_t)count_of(c->texts, TEXTS);
    const struct onr_tokenize_params params = {.mode = c->mode,
                                               .patterns = c->patterns,
                                               .num_patterns = count_of(c->patterns, PATTERNS),
                                               .min_chars = c->min_chars,
                                               .mark = c->mark,
                                               .pad = S("#")};
    if (c->mode != CHARACTERS && !available()) continue;
    struct layer_test t = {.layer = &onri_layer_tokenize, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_STRING, 1, &count, c->texts);
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    check_parts(c, &t.out[0], i);
    layer_test_clear(&t);
  }
}

static void no_strings_at_all(void **unused) {
  static const struct {
    int32_t rank;
    int64_t x[2], y[2];
  } shapes[] = {{1, {0}, {0}}, {2, {2, 0}, {2, 0}}, {2, {0, 2}, {0, 0}}};
  const struct onr_tokenize_params params = {.mode = CHARACTERS, .min_chars = 1, .pad = S("#")};
  (void)unused;
  for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
    struct layer_test t = {.layer = &onri_layer_tokenize, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_STRING, shapes[i].rank, shapes[i].x, "");
    assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
    assert_int_equal(t.out[0].desc.rank, shapes[i].rank);
    assert_memory_equal(t.out[0].desc.dim, shapes[i].y, (size_t)shapes[i].rank * sizeof(int64_t));
    layer_test_clear(&t);
  }
}

/* Quadratic, as every search from every place is: 20,000 letters take seconds if nothing stops it. */
static struct onr_string long_text(void) {
  static char letters[20000];
  memset(letters, 'a', sizeof(letters));
  return (struct onr_string){letters, sizeof(letters)};
}

static void refuses(void **unused) {
  const struct {
    enum onr_tokenize_mode mode;
    struct onr_string pattern;
    int64_t min_chars;
    struct onr_string text;
    enum onr_status status;
  } wrong[] = {{CHARACTERS, {0}, 2, S("a"), ONR_STATUS_ATTRIBUTE},
               {CHARACTERS, {0}, 1, S("a\xFF"), ONR_STATUS_DATA},
               {CHARACTERS, {0}, 1, S("\xED\xA0\x80"), ONR_STATUS_DATA},
               {MATCHES, S("a"), 0, S("a"), ONR_STATUS_ATTRIBUTE},
               {MATCHES, S("a"), -1, S("a"), ONR_STATUS_ATTRIBUTE},
               {MATCHES, S("a("), 1, S("a"), ONR_STATUS_ATTRIBUTE},
               {MATCHES, S("\xFF"), 1, S("a"), ONR_STATUS_ATTRIBUTE},
               {MATCHES, S("(a)\\1"), 1, S("a"), ONR_STATUS_ATTRIBUTE},
               {MATCHES, S("a"), 1, S("a\xC3"), ONR_STATUS_DATA},
               {BETWEEN, S("[z-a]"), 1, S("a"), ONR_STATUS_ATTRIBUTE},
               {BETWEEN, S("a"), 1, S("\xC0\x80"), ONR_STATUS_DATA},
               {MATCHES, S("a*b|a"), 1, long_text(), ONR_STATUS_LIMIT},
               {BETWEEN, S("a+[bc]"), 1, long_text(), ONR_STATUS_LIMIT},
               {MATCHES, S("(?:(?:a?){20}){20}[bc]"), 1, long_text(), ONR_STATUS_LIMIT}};
  (void)unused;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    const struct onr_tokenize_params params = {.mode = wrong[i].mode,
                                               .patterns = &wrong[i].pattern,
                                               .num_patterns = wrong[i].mode != CHARACTERS,
                                               .min_chars = wrong[i].min_chars};
    const enum onr_status expected =
        wrong[i].mode == CHARACTERS || available() || wrong[i].min_chars < 1 ? wrong[i].status : ONR_STATUS_UNSUPPORTED;
    struct layer_test t = {.layer = &onri_layer_tokenize, .params = &params, .num_out = 1};
    layer_test_input(&t, ONR_DTYPE_STRING, 1, (int64_t[]){1}, &wrong[i].text);
    const enum onr_status found = layer_test_run(&t);
    if (found != expected) fail_msg("case %zu: status %d (%s)", i, (int)found, t.error.message);
    layer_test_clear(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(finds_parts), cmocka_unit_test(no_strings_at_all),
                                     cmocka_unit_test(refuses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
