/* name_index: every name is found at its first place, and no other is. */
#include <stdio.h>
#include <string.h>

#include "support/layer_test.h"

#include "model/name_index.h"

static void every_name_is_found(void **state) {
  enum { COUNT = 257 };
  static char names[COUNT][16];
  struct onri_named list[COUNT];
  (void)state;
  for (size_t count = 0; count <= COUNT; count++) {
    for (size_t i = 0; i < count; i++) {
      const size_t k = i * 101 % COUNT; /* in no order */
      snprintf(names[i], sizeof(names[i]), "n%zu", 2 * k);
      list[i] = (struct onri_named){names[i], (int32_t)i, 0};
    }
    onri_named_sort(list, count);
    for (size_t i = 0; i < count; i++) assert_int_equal(onri_named_find(list, count, names[i])->index, i);
    for (size_t i = 0; i < 2 * COUNT; i += 31) {
      char name[16];
      snprintf(name, sizeof(name), "n%zu", i | 1);
      assert_null(onri_named_find(list, count, name));
    }
    assert_null(onri_named_find(list, count, ""));
    assert_null(onri_named_find(list, count, "zz")); /* behind all of them */
  }
}

static void equal_names_are_in_the_order_of_places(void **state) {
  struct onri_named list[] = {{"h", 2, 0}, {"w", 0, 3}, {"h", 0, 2}, {"h", 0, 1}, {"a", 9, 9}, {"h", 1, 5}};
  (void)state;
  onri_named_sort(list, 6);
  const struct onri_named *h = onri_named_find(list, 6, "h");
  assert_ptr_equal(h, &list[1]);
  static const int32_t places[][2] = {{0, 1}, {0, 2}, {1, 5}, {2, 0}};
  for (size_t i = 0; i < 4; i++) assert_true(h[i].index == places[i][0] && h[i].dim == places[i][1]);
  assert_string_equal(list[5].name, "w");
}

static void names_are_compared_as_a_whole(void **state) {
  struct onri_named list[] = {{"ab", 0, 0}, {"a", 1, 0}, {"abc", 2, 0}, {"", 3, 0}, {"\xC3\xA4", 4, 0}};
  (void)state;
  onri_named_sort(list, 5);
  assert_int_equal(onri_named_find(list, 5, "a")->index, 1);
  assert_int_equal(onri_named_find(list, 5, "abc")->index, 2);
  assert_int_equal(onri_named_find(list, 5, "")->index, 3);
  assert_int_equal(onri_named_find(list, 5, "\xC3\xA4")->index, 4);
  assert_null(onri_named_find(list, 5, "abcd"));
  assert_null(onri_named_find(NULL, 0, "a"));
  onri_named_sort(NULL, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_name_is_found),
                                     cmocka_unit_test(equal_names_are_in_the_order_of_places),
                                     cmocka_unit_test(names_are_compared_as_a_whole)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
