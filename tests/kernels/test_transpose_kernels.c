/* Two-dimensional transposes of all element sizes, of lines dense and apart, against a loop: nothing beside x is read
 * (its memory ends where it ends), nothing beside y is written. */
#include <stdlib.h>

#include "kernels/kernels.h"
#include "kernels/move/transpose.h"
#include "support/sweep.h"

enum { CASES = 3000, GAP = 0xA5 };

/* Short lines more often than long ones, of which some are powers of two. */
static size_t draw_line(struct sweep *s) {
  if (sweep_chance(s, 12)) return (size_t)1 << sweep_pick(s, 5, 9);
  return (size_t)(sweep_chance(s, 3) ? sweep_pick(s, 1, 300) : sweep_pick(s, 1, 20));
}

/* From one line of `bytes` bytes to the next. */
static size_t draw_stride(struct sweep *s, size_t bytes, size_t size) {
  return sweep_chance(s, 3) ? bytes + size * (size_t)sweep_pick(s, 1, 40) : bytes;
}

/* Of a level; 0: it has none for this. */
static int by_level(const struct onri_transpose *t, size_t size, enum onri_cpu_level level) {
  const struct onri_transpose_kernels *kernels = onri_kernels_at(transpose, level);
  if (size == 4) kernels->squares_of_4_bytes(t);
  else if (size == 8) kernels->squares_of_8_bytes(t);
  else return kernels->stacks(t, size);
  return 1;
}

static void check(struct sweep *s) {
  const size_t size = (size_t)1 << sweep_pick(s, 0, 4), num_a = draw_line(s), num_b = draw_line(s);
  const size_t x_stride = draw_stride(s, num_a * size, size), y_stride = draw_stride(s, num_b * size, size);
  const size_t x_bytes = (num_b - 1) * x_stride + num_a * size, y_bytes = (num_a - 1) * y_stride + num_b * size;
  unsigned char *x = malloc(x_bytes), *y = malloc(y_bytes), *expected = malloc(y_bytes);
  assert_true(x && y && expected);
  for (size_t i = 0; i < x_bytes; i++) x[i] = (unsigned char)sweep_next(s);
  memset(y, GAP, y_bytes);
  memset(expected, GAP, y_bytes);
  for (size_t a = 0; a < num_a; a++)
    for (size_t b = 0; b < num_b; b++) memcpy(expected + a * y_stride + b * size, x + b * x_stride + a * size, size);
  const struct onri_transpose t = {.x = (const char *)x,
                                   .y = (char *)y,
                                   .x_stride = (ptrdiff_t)x_stride,
                                   .y_stride = (ptrdiff_t)y_stride,
                                   .num_a = num_a,
                                   .num_b = num_b};
  onri_transpose(&t, size);
  for (enum onri_cpu_level level = 0;; level++) {
    if (memcmp(y, expected, y_bytes) != 0)
      fail_msg("%zu columns %zu bytes apart, %zu rows %zu apart, of %zu bytes; before level %d", num_a, y_stride, num_b,
               x_stride, size, (int)level);
    if (level > onri_cpu_level()) break;
    memset(y, GAP, y_bytes);
    if (!by_level(&t, size, level)) memcpy(y, expected, y_bytes);
  }
  free(x);
  free(y);
  free(expected);
}

static void test_lines(void **state) {
  struct sweep s = sweep_from(31);
  (void)state;
  for (int i = 0; i < sweep_cases(CASES); i++) check(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
