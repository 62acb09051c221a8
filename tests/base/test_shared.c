/* shared: equal blocks become one with as many owners; different ones stay apart. */
#include "tests/support/layer_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory/shared.h"

enum { BYTES = 3 * 4096 + 100, OFFSET = 64 };

static size_t live;

static void *counting_allocate(void *context, size_t bytes, size_t alignment) {
  void *memory = onri_malloc_allocator.allocate(NULL, bytes, alignment);
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

/* What lies before OFFSET is different in each; byte `at` is raised by `value`. */
static unsigned char *block(struct onr_env *env, size_t bytes, size_t at, int value) {
  static unsigned char number;
  unsigned char *memory = onr_env_allocate(env, OFFSET + bytes);
  assert_non_null(memory);
  memset(memory, ++number, OFFSET);
  for (size_t i = 0; i < bytes; i++) memory[OFFSET + i] = (unsigned char)(i * 7 % 251);
  memory[OFFSET + at] = (unsigned char)(memory[OFFSET + at] + value);
  return memory;
}

static void equal_blocks_are_held_once(void **state) {
  struct onri_shared_blocks shared = {0};
  size_t held = 0;
  struct onr_env env = {.allocator = &counting, .shared = &shared, .held_bytes = &held};
  (void)state;
  unsigned char *first = onri_shared_block(&env, block(&env, BYTES, 0, 0), OFFSET, BYTES);
  const size_t one = held;
  for (int i = 0; i < 40; i++)
    assert_ptr_equal(onri_shared_block(&env, block(&env, BYTES, 0, 0), OFFSET, BYTES), first);
  assert_int_equal(held, one);
  onri_shared_clear(&shared, &env);
  for (int i = 0; i < 40; i++) onr_env_release(&env, first);
  assert_int_equal(first[OFFSET + 1], 7); /* the first owner still holds it */
  assert_int_equal(held, one);
  onr_env_release(&env, first);
  assert_int_equal(held, 0);
  assert_int_equal(live, 0);
}

/* In what is looked at first, between, at the very end, and in length. */
static void different_blocks_stay_apart(void **state) {
  static const size_t places[] = {0, 63, 64, 4095, 4096, 5000, BYTES - 1};
  enum { COUNT = sizeof(places) / sizeof(*places) };
  struct onri_shared_blocks shared = {0};
  struct onr_env env = {.allocator = &counting, .shared = &shared};
  void *blocks[COUNT + 2];
  (void)state;
  for (size_t i = 0; i < COUNT; i++)
    blocks[i] = onri_shared_block(&env, block(&env, BYTES, places[i], 1), OFFSET, BYTES);
  blocks[COUNT] = onri_shared_block(&env, block(&env, BYTES, 0, 0), OFFSET, BYTES);
  blocks[COUNT + 1] = onri_shared_block(&env, block(&env, BYTES, 0, 0), OFFSET, BYTES - 1);
  for (size_t i = 0; i < COUNT + 2; i++)
    for (size_t j = 0; j < i; j++) assert_ptr_not_equal(blocks[i], blocks[j]);
  onri_shared_clear(&shared, &env);
  for (size_t i = 0; i < COUNT + 2; i++) onr_env_release(&env, blocks[i]);
  assert_int_equal(live, 0);
}

static void the_table_grows(void **state) {
  enum { COUNT = 1000 };
  struct onri_shared_blocks shared = {0};
  struct onr_env env = {.allocator = &counting, .shared = &shared};
  void *blocks[2 * COUNT];
  (void)state;
  for (int i = 0; i < 2 * COUNT; i++) {
    int *value = onr_env_allocate(&env, sizeof(*value));
    *value = i % COUNT;
    blocks[i] = onri_shared_block(&env, value, 0, sizeof(*value));
  }
  for (int i = 0; i < COUNT; i++) assert_ptr_equal(blocks[i], blocks[COUNT + i]);
  for (int i = 0; i < 2 * COUNT; i++) onr_env_release(&env, blocks[i]);
  assert_int_equal(live, COUNT + 2);
  onri_shared_clear(&shared, &env);
  assert_int_equal(live, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_blocks_are_held_once),
      cmocka_unit_test(different_blocks_stay_apart),
      cmocka_unit_test(the_table_grows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
