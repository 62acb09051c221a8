/* blocks: equal ones become one with as many owners; different ones stay apart; those of a large model lie together. */
#include "tests/support/layer_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory/blocks.h"

enum { BYTES = 3 * 4096 + 100, LARGE = 64 << 20 };

static size_t live, refused_from = SIZE_MAX;

static void *counting_allocate(void *context, size_t bytes, size_t alignment) {
  void *memory = bytes >= refused_from ? NULL : onri_malloc_allocator.allocate(NULL, bytes, alignment);
  (void)context;
  live += memory != NULL;
  return memory;
}

static void counting_release(void *context, void *memory) {
  (void)context;
  live -= memory != NULL;
  free(memory);
}

static const struct onr_allocator counting = {NULL, counting_allocate, counting_release};

/* Byte `at` is raised by `value`. */
static unsigned char *fill(unsigned char *memory, size_t bytes, size_t at, int value) {
  assert_non_null(memory);
  for (size_t i = 0; i < bytes; i++) memory[i] = (unsigned char)(i * 7 % 251);
  memory[at] = (unsigned char)(memory[at] + value);
  return memory;
}

static void *make(struct onr_env *env, size_t bytes, size_t at, int value) {
  return onri_block_end(env, fill(onri_block_begin(env, bytes), bytes, at, value), bytes);
}

static void equal_blocks_are_held_once(void **state) {
  struct onri_blocks blocks = {0};
  size_t held = 0;
  struct onr_env env = {.allocator = &counting, .blocks = &blocks, .held_bytes = &held};
  (void)state;
  onri_blocks_open(&blocks, 0);
  unsigned char *first = make(&env, BYTES, 0, 0);
  const size_t one = held;
  for (int i = 0; i < 40; i++) assert_ptr_equal(make(&env, BYTES, 0, 0), first);
  assert_int_equal(held, one);
  onri_blocks_close(&blocks, &env);
  for (int i = 0; i < 40; i++) onr_env_release(&env, first);
  assert_int_equal(first[1], 7); /* the first owner still holds it */
  assert_int_equal(held, one);
  onr_env_release(&env, first);
  assert_int_equal(held, 0);
  onri_blocks_clear(&blocks, &counting);
  assert_int_equal(live, 0);
}

/* In what is looked at first, between, at the very end, and in length. */
static void different_blocks_stay_apart(void **state) {
  static const size_t places[] = {0, 63, 64, 4095, 4096, 5000, BYTES - 1};
  enum { COUNT = sizeof(places) / sizeof(*places) };
  struct onri_blocks open = {0};
  struct onr_env env = {.allocator = &counting, .blocks = &open};
  void *blocks[COUNT + 2];
  (void)state;
  onri_blocks_open(&open, 0);
  for (size_t i = 0; i < COUNT; i++) blocks[i] = make(&env, BYTES, places[i], 1);
  blocks[COUNT] = make(&env, BYTES, 0, 0);
  blocks[COUNT + 1] = make(&env, BYTES - 1, 0, 0);
  for (size_t i = 0; i < COUNT + 2; i++)
    for (size_t j = 0; j < i; j++) assert_ptr_not_equal(blocks[i], blocks[j]);
  onri_blocks_close(&open, &env);
  for (size_t i = 0; i < COUNT + 2; i++) onr_env_release(&env, blocks[i]);
  onri_blocks_clear(&open, &counting);
  assert_int_equal(live, 0);
}

static void the_table_grows(void **state) {
  enum { COUNT = 1000 };
  struct onri_blocks open = {0};
  struct onr_env env = {.allocator = &counting, .blocks = &open};
  void *blocks[2 * COUNT];
  (void)state;
  onri_blocks_open(&open, 0);
  for (int i = 0; i < 2 * COUNT; i++) {
    int *value = onri_block_begin(&env, sizeof(*value));
    *value = i % COUNT;
    blocks[i] = onri_block_end(&env, value, sizeof(*value));
  }
  for (int i = 0; i < COUNT; i++) assert_ptr_equal(blocks[i], blocks[COUNT + i]);
  for (int i = 0; i < 2 * COUNT; i++) onr_env_release(&env, blocks[i]);
  assert_int_equal(live, COUNT + 2);
  onri_blocks_close(&open, &env);
  onri_blocks_clear(&open, &counting);
  assert_int_equal(live, 0);
}

/* None lies on another, all are aligned, with zeros behind them, and few allocations were made: those of the tables, of
 * the large blocks, and of a few pieces. Where pieces are refused, all have memory of their own. */
static void blocks_of_a_large_model_lie_together(void **state) {
  enum { COUNT = 200 };
  (void)state;
  for (int refuse = 0; refuse < 2; refuse++) {
    struct onri_blocks open = {0};
    size_t held = 0, bytes[COUNT];
    struct onr_env env = {.allocator = &counting, .blocks = &open, .held_bytes = &held};
    unsigned char *blocks[COUNT];
    refused_from = refuse ? 3 << 20 : SIZE_MAX;
    onri_blocks_open(&open, LARGE);
    for (int i = 0; i < COUNT; i++) {
      bytes[i] = (size_t)(i % 50 == 49 ? 2500000 : 1000 + i * 977);
      blocks[i] = make(&env, bytes[i], 0, i % 250 + 1);
      assert_int_equal((uintptr_t)blocks[i] % ONRI_ALIGNMENT, 0);
      if (i % 10 == 3) assert_ptr_equal(make(&env, bytes[i], 0, i % 250 + 1), blocks[i]);
    }
    if (!refuse && !ONRI_WATCHED) assert_in_range(live, 1, 20);
    else assert_in_range(live, COUNT, COUNT + 3);
    for (int i = 0; i < COUNT; i++) {
      for (size_t k = 1; k < bytes[i]; k++) assert_int_equal(blocks[i][k], k * 7 % 251);
      assert_int_equal(blocks[i][0], i % 250 + 1);
      for (size_t k = 0; k < ONR_SLACK_BYTES; k++) assert_int_equal(blocks[i][bytes[i] + k], 0);
    }
    onri_blocks_close(&open, &env);
    for (int i = 0; i < COUNT; i++)
      for (int owners = i % 10 == 3 ? 2 : 1; owners > 0; owners--) onr_env_release(&env, blocks[i]);
    assert_int_equal(held, 0);
    onri_blocks_clear(&open, &counting);
    assert_int_equal(live, 0);
  }
  refused_from = SIZE_MAX;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_blocks_are_held_once),
      cmocka_unit_test(different_blocks_stay_apart),
      cmocka_unit_test(the_table_grows),
      cmocka_unit_test(blocks_of_a_large_model_lie_together),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
