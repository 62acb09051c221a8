/* Letters: counts are those of Python's str.lower and str.upper on single characters that stay single (Unicode 14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text/letter_case.h"
#include "base/text/text.h"

static void test_every_character(void **unused) {
  (void)unused;
  uint64_t lower = 0, upper = 0;
  unsigned changed_lower = 0, changed_upper = 0;
  for (uint32_t c = 0; c < 0x110000; c++) {
    const uint32_t l = onri_lower(c), u = onri_upper(c);
    changed_lower += l != c;
    changed_upper += u != c;
    lower += (uint64_t)l * (l != c);
    upper += (uint64_t)u * (u != c);
  }
  assert_int_equal(changed_lower, 1432);
  assert_int_equal(changed_upper, 1423);
  assert_true(lower == 34914066 && upper == 32038202);
}

static void test_utf8_both_ways(void **unused) {
  (void)unused;
  for (uint32_t c = 0; c < 0x110000; c++) {
    char bytes[4];
    uint32_t back = 0;
    const size_t n = onri_utf8_encode(c, bytes);
    if (c >= 0xD800 && c < 0xE000) continue; /* no characters */
    assert_int_equal(onri_utf8_decode(bytes, n, &back), n);
    assert_int_equal(back, c);
    assert_int_equal(onri_utf8_decode(bytes, n - 1, &back), 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_character), cmocka_unit_test(test_utf8_both_ways)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
