/* pool: dead memory is used again, what is spare is bounded, and goes back when told to or when memory is short. */
#include "exec/pool.h"

#include "support/counted_memory.h"
#include "support/layer_test.h"

enum { BLOCK = 1 << 18, SLACK = 1 << 16 /* that small runs may keep */ };

static void test_memory_is_used_again(void **state) {
  struct onri_meter meter;
  struct onri_pool pool;
  size_t held, again;
  (void)state;
  counted_memory_begin();
  onri_meter_init(&meter, &counted_memory, UINT64_MAX, 0);
  onri_pool_init(&pool, &meter);
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

/* Sizes that change: what is held is no more than what was alive at once, and a sixteenth of it. */
static void test_what_is_held_is_bounded(void **state) {
  struct onri_meter meter;
  struct onri_pool pool;
  (void)state;
  counted_memory_begin();
  onri_meter_init(&meter, &counted_memory, UINT64_MAX, 0);
  onri_pool_init(&pool, &meter);
  for (size_t size = BLOCK; size <= 16 * BLOCK; size += BLOCK) {
    void *memory[4];
    size_t held[4];
    for (int i = 0; i < 4; i++) {
      memory[i] = onri_pool_take(&pool, size, &held[i]);
      assert_non_null(memory[i]);
      assert_in_range(held[i], size, 2 * size);
      assert_in_range(pool.spare + pool.live, 0, pool.most_live + pool.most_live / 16 + SLACK);
    }
    for (int i = 0; i < 4; i++) onri_pool_give(&pool, memory[i], held[i]);
    assert_int_equal(pool.live, 0);
    assert_int_equal(meter.held, pool.spare);
  }
  onri_pool_clear(&pool);
  assert_int_equal(counted_live, 0);
  assert_int_equal(pool.spare, 0);
}

/* What is spare goes back before a request fails; a failure leaves nothing. */
static void test_memory_that_runs_out(void **state) {
  struct onri_meter meter;
  struct onri_pool pool;
  size_t held, large;
  (void)state;
  counted_memory_begin();
  onri_meter_init(&meter, &counted_memory, UINT64_MAX, 0);
  onri_pool_init(&pool, &meter);
  void *small = onri_pool_take(&pool, BLOCK, &held);
  assert_non_null(small);
  counted_fail_at = counted_total + 1;
  assert_null(onri_pool_take(&pool, SIZE_MAX / 2, &large));
  onri_pool_give(&pool, small, held);
  onri_pool_clear(&pool);
  assert_int_equal(counted_live, 0);
}

/* As an allocator: a little more is as much as before, and any alignment has its place. */
static void test_memory_of_other_owners(void **state) {
  static const size_t alignments[] = {16, 64, 128, 4096};
  struct onri_meter meter;
  struct onri_pool pool;
  void *memory[100];
  size_t before = 0;
  (void)state;
  counted_memory_begin();
  onri_meter_init(&meter, &counted_memory, UINT64_MAX, 0);
  onri_pool_init(&pool, &meter);
  for (size_t more = 0; more < 100; more++) {
    if (more == 1) before = counted_total;
    for (size_t i = 0; i < 100; i++) {
      const size_t alignment = alignments[i % 4], bytes = 1050 + 250 * i + more;
      memory[i] = pool.allocator.allocate(pool.allocator.context, bytes, alignment);
      assert_non_null(memory[i]);
      assert_int_equal((uintptr_t)memory[i] % alignment, 0);
      memset(memory[i], (int)i, bytes);
    }
    for (size_t i = 0; i < 100; i++) {
      const unsigned char *bytes = memory[i];
      assert_true(bytes[0] == i && bytes[1049 + 250 * i + more] == i);
      pool.allocator.release(pool.allocator.context, memory[i]);
    }
    assert_int_equal(pool.live, 0);
    assert_int_equal(meter.held, pool.spare);
  }
  if (!ONRI_WATCHED) assert_in_range(counted_total - before, 0, 100); /* of 9,900: each grows once at most */
  onri_pool_clear(&pool);
  assert_int_equal(counted_live, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_memory_is_used_again), cmocka_unit_test(test_what_is_held_is_bounded),
      cmocka_unit_test(test_memory_that_runs_out), cmocka_unit_test(test_memory_of_other_owners)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
