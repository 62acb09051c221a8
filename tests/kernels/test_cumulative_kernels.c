/* Each level's running sums and products against loops over them: rows up and down, in place, all widths up to some
 * vectors. */
#include <stdlib.h>
#include <string.h>

#include "support/sweep.h"

#include "kernels/kernels.h"
#include "kernels/reduce/cumulative.h"

enum { WIDEST = 150, ROWS = 5, STEP = WIDEST + 3, COUNT = ROWS * STEP };

static size_t size_of(enum onri_cumulative_type type) {
  return type == ONRI_CUMULATIVE_F32 || type == ONRI_CUMULATIVE_U32 ? 4 : 8;
}

/* Small enough for products of a few to be exact in each type. */
static void put(enum onri_cumulative_type type, void *to, size_t i, uint64_t v) {
  if (type == ONRI_CUMULATIVE_F32) ((float *)to)[i] = (float)v;
  else if (type == ONRI_CUMULATIVE_F64) ((double *)to)[i] = (double)v;
  else if (type == ONRI_CUMULATIVE_U32) ((uint32_t *)to)[i] = (uint32_t)v;
  else ((uint64_t *)to)[i] = v;
}

static void check(int level, enum onri_cumulative_type type, int product, int exclusive, int reverse, size_t columns) {
  const size_t size = size_of(type), bytes = COUNT * size, first = reverse ? (ROWS - 1) * STEP : 0;
  char *x = malloc(bytes), *expected = malloc(bytes), run[WIDEST * 8], last[WIDEST * 8];
  assert_true(x && expected);
  for (size_t i = 0; i < COUNT; i++) put(type, x, i, i * 7919 % 7), put(type, expected, i, i * 7919 % 7);
  for (size_t c = 0; c < columns; c++) {
    uint64_t sum = c % 3;
    put(type, run, c, sum);
    for (size_t row = 0; row < ROWS; row++) {
      const size_t at = (reverse ? ROWS - 1 - row : row) * STEP + c;
      const uint64_t v = at * 7919 % 7, next = product ? sum * v : sum + v;
      put(type, expected, at, exclusive ? sum : next);
      sum = next;
    }
    put(type, last, c, sum);
  }
  const struct onri_cumulative_rows rows = {x + first * size, x + first * size, run, reverse ? -STEP : STEP, ROWS,
                                            columns,          exclusive};
  onri_kernels_at(cumulative, level)->rows[type][product](&rows);
  assert_memory_equal(x, expected, bytes);
  assert_memory_equal(run, last, columns * size);
  free(x);
  free(expected);
}

static void test_levels(void **state) {
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int type = 0; type < ONRI_NUM_CUMULATIVE; type++)
      for (size_t columns = 1; columns <= WIDEST; columns += columns < 70 ? 1 : 7)
        for (int form = 0; form < 8; form++) check(level, type, form & 1, form >> 1 & 1, form >> 2, columns);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_levels)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
