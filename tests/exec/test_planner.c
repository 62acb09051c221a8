/* planner: hand-made and random lifetimes: no overlap, aligned, near the lower bound */
#include "tests/support/layer_test.h"

#include "base/memory/memory.h"
#include "exec/planner.h"

static size_t rounded(size_t bytes) { return (bytes + ONRI_ALIGNMENT - 1) / ONRI_ALIGNMENT * ONRI_ALIGNMENT; }

/* The most bytes alive at one step: no placement can need less. */
static size_t lower_bound(const struct onri_block *blocks, size_t count) {
  size_t most = 0;
  for (size_t b = 0; b < count; b++) {
    size_t alive = 0; /* at the step where b starts */
    for (size_t c = 0; c < count; c++)
      if (blocks[c].first <= blocks[b].first && blocks[b].first <= blocks[c].last) alive += rounded(blocks[c].bytes);
    if (alive > most) most = alive;
  }
  return most;
}

static void assert_no_overlap(const struct onri_block *blocks, size_t count, size_t arena) {
  for (size_t a = 0; a < count; a++) {
    assert_int_equal(blocks[a].offset % ONRI_ALIGNMENT, 0);
    assert_true(blocks[a].offset + blocks[a].bytes <= arena);
    for (size_t b = 0; b < a; b++) {
      const int alive_together = blocks[a].first <= blocks[b].last && blocks[b].first <= blocks[a].last;
      const int share_bytes = blocks[a].offset < blocks[b].offset + blocks[b].bytes &&
                              blocks[b].offset < blocks[a].offset + blocks[a].bytes;
      if (alive_together && share_bytes) fail_msg("blocks %zu and %zu overlap", a, b);
    }
  }
}

static size_t plan(struct onri_block *blocks, size_t count) {
  size_t arena;
  assert_int_equal(onri_plan_blocks(blocks, count, &onri_malloc_allocator, &arena, NULL), ONR_STATUS_OK);
  assert_no_overlap(blocks, count, arena);
  return arena;
}

static void a_chain_needs_two_blocks(void **state) {
  struct onri_block blocks[10];
  (void)state;
  for (int i = 0; i < 10; i++) blocks[i] = (struct onri_block){.bytes = 1000, .first = i, .last = i + 1};
  assert_int_equal(plan(blocks, 10), 2 * 1024);
}

static void a_residual_block_keeps_its_input(void **state) {
  struct onri_block blocks[] = {{400, 0, 3, 0}, {800, 1, 2, 0}, {400, 2, 3, 0}, {400, 3, 4, 0}};
  (void)state;
  assert_int_equal(plan(blocks, 4), lower_bound(blocks, 4));
}

static void zero_bytes_and_nothing(void **state) {
  struct onri_block blocks[] = {{0, 0, 5, 0}, {1, 0, 0, 0}};
  (void)state;
  assert_int_equal(plan(blocks, 2), 64);
  assert_int_equal(plan(NULL, 0), 0);
}

static void sums_that_overflow_are_refused(void **state) {
  struct onri_block blocks[] = {{SIZE_MAX / 2, 0, 1, 0}, {SIZE_MAX / 2, 1, 2, 0}, {SIZE_MAX / 2, 2, 3, 0}};
  size_t arena;
  (void)state;
  assert_int_equal(onri_plan_blocks(blocks, 3, &onri_malloc_allocator, &arena, NULL), ONR_STATUS_LIMIT);
  blocks[0].bytes = SIZE_MAX; /* which cannot be rounded */
  assert_int_equal(onri_plan_blocks(blocks, 1, &onri_malloc_allocator, &arena, NULL), ONR_STATUS_LIMIT);
}

static uint32_t next(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

/* Lifetimes as networks have them: mostly short, a few long. */
static void random_blocks(struct onri_block *blocks, size_t count, uint32_t seed) {
  for (size_t i = 0; i < count; i++) {
    const int32_t first = (int32_t)i,
                  length = next(&seed) % 10 ? (int32_t)(next(&seed) % 3) : (int32_t)(next(&seed) % 40);
    blocks[i] = (struct onri_block){.bytes = 1 + next(&seed) % 100000, .first = first, .last = first + length};
  }
}

static void random_lifetimes_come_near_the_bound(void **state) {
  enum { COUNT = 300 };
  struct onri_block blocks[COUNT];
  double sum = 0;
  (void)state;
  for (uint32_t seed = 1; seed <= 20; seed++) {
    random_blocks(blocks, COUNT, seed);
    sum += (double)plan(blocks, COUNT) / (double)lower_bound(blocks, COUNT);
  }
  if (sum / 20 > 1.05) fail_msg("arena is %.3f of the lower bound on average", sum / 20);
}

static void many_blocks_are_placed_by_time(void **state) {
  enum { COUNT = 20000 };
  struct onri_block *blocks = onri_allocate(&onri_malloc_allocator, COUNT * sizeof(*blocks));
  size_t arena;
  (void)state;
  assert_non_null(blocks);
  random_blocks(blocks, COUNT, 7);
  assert_int_equal(onri_plan_blocks(blocks, COUNT, &onri_malloc_allocator, &arena, NULL), ONR_STATUS_OK);
  for (size_t a = 0; a < COUNT;
       a++) /* neighbours in time are the only ones that can meet: lifetimes are at most 40 steps */
    for (size_t b = a > 50 ? a - 50 : 0; b < a; b++) {
      if (blocks[a].first > blocks[b].last) continue;
      assert_false(blocks[a].offset < blocks[b].offset + blocks[b].bytes &&
                   blocks[b].offset < blocks[a].offset + blocks[a].bytes);
    }
  assert_true(arena < (size_t)60 * 100000);
  onri_release(&onri_malloc_allocator, blocks);
}

/* Every other block is freed at once, which leaves more gaps than are remembered; some blocks have no bytes. */
static void gaps_beyond_those_that_are_remembered(void **state) {
  enum { COUNT = 5000, LATER = 1000 };
  struct onri_block *blocks = onri_allocate(&onri_malloc_allocator, COUNT * sizeof(*blocks));
  size_t arena;
  (void)state;
  assert_non_null(blocks);
  for (int i = 0; i < COUNT; i++) {
    const size_t bytes = i % 11 == 0 ? 0 : 64 * (1 + (size_t)(i * 7919 % 101));
    blocks[i] = i < COUNT - LATER ? (struct onri_block){.bytes = bytes, .first = 0, .last = i % 2 ? 9 : 1}
                                  : (struct onri_block){.bytes = bytes, .first = 2, .last = 2 + i % 5};
  }
  assert_int_equal(onri_plan_blocks(blocks, COUNT, &onri_malloc_allocator, &arena, NULL), ONR_STATUS_OK);
  assert_no_overlap(blocks, COUNT, arena);
  onri_release(&onri_malloc_allocator, blocks);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_chain_needs_two_blocks),
      cmocka_unit_test(a_residual_block_keeps_its_input),
      cmocka_unit_test(zero_bytes_and_nothing),
      cmocka_unit_test(sums_that_overflow_are_refused),
      cmocka_unit_test(random_lifetimes_come_near_the_bound),
      cmocka_unit_test(many_blocks_are_placed_by_time),
      cmocka_unit_test(gaps_beyond_those_that_are_remembered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
