/* pool: dead memory is used again, what is spare is bounded, and goes back when told to or when memory is short. */
#include "exec/pool.h"

#include "support/counted_memory.h"

enum { BLOCK = 1 << 18, SLACK = 1 << 16 /* that small runs may keep */ };

static void test_memory_is_used_again(void **state) {
  struct onri_pool pool = {.allocator = &counted_memory};
  size_t held, again;
  (void)state;
  counted_memory_begin();
  void *first = onri_pool_take(&pool, BLOCK, &held), *other = onri_pool_take(&pool, BLOCK, &again);
  assert_non_null(first);
  assert_non_null(other);
  assert_ptr_not_equal(first, other);
  assert_in_range(held, BLOCK, SIZE_MAX);
  onri_pool_give(&pool, first, held);
  const size_t before = counted_total;
  void *second = onri_pool_take(&pool, BLOCK, &held);
  if (!ONRI_WATCHED) { /* AddressSanitizer is to see who reads what is dead */
    assert_ptr_equal(second, first);
    assert_int_equal(counted_total, before);
  }
  first = second;
  onri_pool_give(&pool, first, held);
  onri_pool_give(&pool, other, again);
  onri_pool_clear(&pool);
  assert_int_equal(counted_live, 0);
}

/* Sizes that change: what is held is no more than what was alive at once, and half of it. */
static void test_what_is_held_is_bounded(void **state) {
  struct onri_pool pool = {.allocator = &counted_memory};
  (void)state;
  counted_memory_begin();
  for (size_t size = BLOCK; size <= 16 * BLOCK; size += BLOCK) {
    void *memory[4];
    size_t held[4];
    for (int i = 0; i < 4; i++) {
      memory[i] = onri_pool_take(&pool, size, &held[i]);
      assert_non_null(memory[i]);
      assert_in_range(held[i], size, 2 * size);
      assert_in_range(pool.spare + pool.live, 0, pool.most_live + pool.most_live / 2 + SLACK);
    }
    for (int i = 0; i < 4; i++) onri_pool_give(&pool, memory[i], held[i]);
    assert_int_equal(pool.live, 0);
  }
  onri_pool_clear(&pool);
  assert_int_equal(counted_live, 0);
  assert_int_equal(pool.spare, 0);
}

/* What is spare goes back before a request fails; a failure leaves nothing. */
static void test_memory_that_runs_out(void **state) {
  struct onri_pool pool = {.allocator = &counted_memory};
  size_t held, large;
  (void)state;
  counted_memory_begin();
  void *small = onri_pool_take(&pool, BLOCK, &held);
  assert_non_null(small);
  counted_fail_at = counted_total + 1;
  assert_null(onri_pool_take(&pool, SIZE_MAX / 2, &large));
  onri_pool_give(&pool, small, held);
  onri_pool_clear(&pool);
  assert_int_equal(counted_live, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory_is_used_again),
                                     cmocka_unit_test(test_what_is_held_is_bounded),
                                     cmocka_unit_test(test_memory_that_runs_out)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
