/* text: UTF-8 by Unicode's table 3-7 of well-formed sequences, and strings of a file made fit for messages. */
#include <string.h>

#include "support/layer_test.h"

#include "base/text/text.h"

/* The rows of the table: how many bytes, and the range of each of the first two; the others are 80..BF. */
static const struct {
  unsigned char first[2], second[2];
  size_t bytes;
} rows[] = {
    {{0x00, 0x7F}, {0x00, 0xFF}, 1}, {{0xC2, 0xDF}, {0x80, 0xBF}, 2}, {{0xE0, 0xE0}, {0xA0, 0xBF}, 3},
    {{0xE1, 0xEC}, {0x80, 0xBF}, 3}, {{0xED, 0xED}, {0x80, 0x9F}, 3}, {{0xEE, 0xEF}, {0x80, 0xBF}, 3},
    {{0xF0, 0xF0}, {0x90, 0xBF}, 4}, {{0xF1, 0xF3}, {0x80, 0xBF}, 4}, {{0xF4, 0xF4}, {0x80, 0x8F}, 4},
};

static int is_tail(unsigned c) { return c >= 0x80 && c <= 0xBF; }

static size_t expected_length(const unsigned char *text, size_t length) {
  for (size_t r = 0; length && r < sizeof(rows) / sizeof(rows[0]); r++) {
    if (text[0] < rows[r].first[0] || text[0] > rows[r].first[1]) continue;
    if (rows[r].bytes == 1) return 1;
    if (length < rows[r].bytes || text[1] < rows[r].second[0] || text[1] > rows[r].second[1]) return 0;
    for (size_t i = 2; i < rows[r].bytes; i++)
      if (!is_tail(text[i])) return 0;
    return rows[r].bytes;
  }
  return 0;
}

/* All pairs of first bytes, with ends of the ranges behind them, cut at every length. */
static void sequences_are_those_of_the_table(void **state) {
  static const unsigned char ends[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
  (void)state;
  for (unsigned a = 0; a < 256; a++)
    for (unsigned b = 0; b < 256; b++)
      for (size_t k = 0; k < sizeof(ends) * sizeof(ends); k++)
        for (size_t length = 0; length <= 4; length++) {
          const unsigned char text[4] = {(unsigned char)a, (unsigned char)b, ends[k % 6], ends[k / 6]};
          unsigned char exact[4]; /* what lies behind is not read */
          memcpy(exact, text, sizeof(exact));
          for (size_t i = length; i < 4; i++) exact[i] = 0xFF;
          if (onri_utf8_sequence(exact, length) != expected_length(exact, length))
            fail_msg("%02x %02x %02x %02x, %zu bytes", text[0], text[1], text[2], text[3], length);
        }
}

/* Every character there and back; surrogates have no encoding that is read. */
static void characters_there_and_back(void **state) {
  (void)state;
  for (uint32_t c = 0; c < 0x110000; c++) {
    char bytes[4];
    uint32_t back = 0;
    const size_t n = onri_utf8_encode(c, bytes);
    assert_int_equal(n, c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
    if (c >= 0xD800 && c < 0xE000) {
      assert_int_equal(onri_utf8_decode(bytes, n, &back), 0);
      continue;
    }
    assert_int_equal(onri_utf8_decode(bytes, n, &back), n);
    assert_int_equal(back, c);
    assert_int_equal(onri_utf8_decode(bytes, n - 1, &back), 0);
  }
}

static void names_are_escaped(void **state) {
  static const struct {
    const char *text, *shown;
  } cases[] = {
      {"", ""},
      {"conv1/weight", "conv1/weight"},
      {"\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80", "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80"}, /* letters stay */
      {"a'b\\c\"d", "a\\'b\\\\c\"d"},
      {"\x01\n\t\x7F", "\\x01\\x0a\\x09\\x7f"},
      {"\xFF\xC3", "\\xff\\xc3"},
      {"\xED\xA0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
      {"\xC2\x9B", "\\u009b"},             /* CSI, as one character */
      {"\xE2\x80\xAE"
       "evil",
       "\\u202eevil"}, /* right to left */
      {"\xEF\xBB\xBF"
       "bom",
       "\\ufeffbom"}, /* takes no room */
  };
  char target[64];
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    assert_string_equal(onri_escape_string(cases[i].text, target, sizeof(target)), cases[i].shown);
  assert_string_equal(onri_escape("a\0b", 3, target, sizeof(target)), "a\\x00b");
  assert_string_equal(onri_escape_message("it's C:\\ \x1b", target, sizeof(target)), "it's C:\\ \\x1b");
}

/* At every size: ends in NUL, within the size, whole characters and whole escapes, and dots where something is missing.
 */
static void what_does_not_fit_is_cut(void **state) {
  static const char text[] = "ab\n\xC3\xA4\xE2\x82\xAC'\xF0\x9F\x98\x80zz";
  static const char whole[] = "ab\\x0a\xC3\xA4\xE2\x82\xAC\\'\xF0\x9F\x98\x80zz";
  (void)state;
  for (size_t size = 8; size < sizeof(whole) + 8; size++) {
    char target[64];
    memset(target, 1, sizeof(target));
    onri_escape_string(text, target, size);
    const size_t length = strlen(target);
    assert_true(length < size);
    for (size_t i = size; i < sizeof(target); i++) assert_int_equal(target[i], 1);
    if (size >= sizeof(whole)) {
      assert_string_equal(target, whole);
      continue;
    }
    assert_string_equal(target + length - 3, "...");
    assert_memory_equal(target, whole, length - 3);
    for (size_t i = 0, n; i < length; i += n)
      assert_true((n = onri_utf8_sequence((const unsigned char *)target + i, length - i)) > 0);
  }
}

static void bytes_that_are_not_utf8_are_told(void **state) {
  const struct onr_string good =
                              {"gr\xC3\xBC"
                               "n",
                               5},
                          bad = {"ab\xC3", 3}, none = {"", 0};
  struct onr_error error = {0};
  (void)state;
  assert_int_equal(onri_expect_utf8(&good, "string", 0, &error), ONR_STATUS_OK);
  assert_int_equal(onri_expect_utf8(&none, "string", 0, &error), ONR_STATUS_OK);
  assert_int_equal(onri_expect_utf8(&bad, "string", 3, &error), ONR_STATUS_DATA);
  assert_string_equal(error.message, "string 3 is not UTF-8 at byte 2");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sequences_are_those_of_the_table),
      cmocka_unit_test(characters_there_and_back),
      cmocka_unit_test(names_are_escaped),
      cmocka_unit_test(what_does_not_fit_is_cut),
      cmocka_unit_test(bytes_that_are_not_utf8_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
