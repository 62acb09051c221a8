/* The strided copy against one element at a time: random boxes of up to 16 dimensions, steps forwards, backwards and
 * none, elements and blocks of all sizes, one thread and three. */
#include <stdlib.h>

#include "base/env.h"
#include "kernels/kernels.h"
#include "kernels/move/copy.h"
#include "kernels/move/transpose.h"
#include "support/index_loop.h"

static uint32_t seed = 1;

static int64_t random_below(int64_t n) {
  seed = seed * 1664525u + 1013904223u;
  return (int64_t)(seed >> 8) % n;
}

struct box {
  size_t size;
  int32_t rank;
  int64_t dim[ONRI_COPY_MAX_RANK], x_stride[ONRI_COPY_MAX_RANK], y_stride[ONRI_COPY_MAX_RANK]; /* elements */
};

/* Elements from the first to the last that the strides reach, and where index 0 is. */
static size_t extent(const struct box *b, const int64_t *strides, size_t *start) {
  size_t span = 1;
  *start = 0;
  for (int32_t d = 0; d < b->rank; d++) {
    const size_t reach = b->dim[d] > 0 ? (size_t)(b->dim[d] - 1) * (size_t)llabs(strides[d]) : 0;
    span += reach;
    if (strides[d] < 0) *start += reach;
  }
  return span;
}

static void check(const struct box *b, struct onr_env *env) {
  size_t x_start, y_start;
  const size_t x_span = extent(b, b->x_stride, &x_start), y_span = extent(b, b->y_stride, &y_start);
  unsigned char *x = malloc(x_span * b->size), *y = malloc(y_span * b->size), *expected = malloc(y_span * b->size);
  int64_t index[ONRI_COPY_MAX_RANK] = {0};
  struct onri_copy copy;
  assert_true(x && y && expected);
  fill_distinct(x, x_span, b->size);
  memset(y, 0xcc, y_span * b->size);
  memset(expected, 0xcc, y_span * b->size);
  if (count_of(b->rank, b->dim) > 0) do {
      int64_t from = (int64_t)x_start, to = (int64_t)y_start;
      for (int32_t d = 0; d < b->rank; d++) {
        from += index[d] * b->x_stride[d];
        to += index[d] * b->y_stride[d];
      }
      memcpy(expected + (size_t)to * b->size, x + (size_t)from * b->size, b->size);
    } while (next_index(index, b->rank, b->dim));
  onri_copy_make(&copy, b->size, b->rank, b->dim, b->x_stride, b->y_stride);
  onri_copy_run(&copy, env, x + x_start * b->size, y + y_start * b->size);
  assert_memory_equal(y, expected, y_span * b->size);
  free(x);
  free(y);
  free(expected);
}

/* y's dimensions lie in any order, with gaps now and then; x's steps are anything. */
static void random_box(struct box *b, size_t size, int32_t rank, int64_t most) {
  int32_t order[ONRI_COPY_MAX_RANK];
  int64_t stride = 1;
  *b = (struct box){.size = size, .rank = rank};
  for (int32_t d = 0; d < rank; d++) {
    const int64_t other = random_below(d + 1);
    order[d] = order[other];
    order[other] = d;
    b->dim[d] = random_below(8) == 0 ? 1 : 1 + random_below(most);
    b->x_stride[d] = random_below(5) == 0 ? 0 : random_below(40) - 20;
  }
  for (int32_t i = 0; i < rank; i++) {
    const int32_t d = random_below(3) ? rank - 1 - i : order[i];
    if (b->y_stride[d] == 0) b->y_stride[d] = stride;
    else continue;
    stride *= b->dim[d] + (random_below(4) == 0);
  }
  for (int32_t d = 0; d < rank; d++)
    if (b->y_stride[d] == 0) {
      b->y_stride[d] = stride;
      stride *= b->dim[d];
    }
  if (random_below(3) == 0) /* a dense x in another order: a transpose */
    for (int32_t i = 0, n = 1; i < rank; i++) {
      b->x_stride[order[i]] = n;
      n *= (int32_t)b->dim[order[i]];
    }
}

static void random_boxes(void **state) {
  static const size_t sizes[] = {1, 2, 4, 8, 16, 3, 12, 100};
  struct onr_env env = {.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
  struct onr_env threaded = env;
  (void)state;
  assert_int_equal(onr_threads_create(3, NULL, &threaded.threads, NULL), ONR_STATUS_OK);
  for (int i = 0; i < 4000; i++) {
    struct box b;
    const int32_t rank = (int32_t)random_below(5);
    random_box(&b, sizes[random_below(8)], rank, rank < 3 ? 70 : 12);
    check(&b, i & 1 ? &threaded : &env);
  }
  for (int i = 0; i < 50; i++) {
    struct box b;
    random_box(&b, sizes[random_below(8)], 16, 2);
    check(&b, &threaded);
  }
  onr_threads_destroy(threaded.threads);
}

/* Small dimensions whose elements change places behind larger ones that stay or move too. */
static void small_blocks(void **state) {
  static const size_t sizes[] = {4, 8, 16, 2};
  struct onr_env env = {.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
  (void)state;
  for (int i = 0; i < 3000; i++) {
    struct box b = {.size = sizes[random_below(4)], .rank = 2 + (int32_t)random_below(4)};
    const int32_t fixed = (int32_t)random_below(b.rank - 1);
    int32_t order[ONRI_COPY_MAX_RANK];
    int64_t stride = 1;
    for (int32_t d = 0; d < b.rank; d++) b.dim[d] = 1 + random_below(d < fixed ? 9 : 5), order[d] = d;
    for (int32_t d = b.rank - 1; d > fixed; d--) {
      const int32_t other = fixed + (int32_t)random_below(d - fixed + 1), swap = order[d];
      order[d] = order[other], order[other] = swap;
    }
    for (int32_t d = b.rank; d-- > 0; stride *= b.dim[d]) b.y_stride[d] = stride;
    stride = 1;
    for (int32_t d = b.rank; d-- > 0; stride *= b.dim[order[d]]) b.x_stride[order[d]] = stride;
    check(&b, &env);
  }
}

/* Dense blocks in y of elements, or of short runs of them, that x has once, several times or elsewhere. */
static void repeated_blocks(void **state) {
  static const size_t sizes[] = {4, 8, 16, 2, 1};
  struct onr_env env = {.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
  (void)state;
  for (int i = 0; i < 6000; i++) {
    struct box b = {.size = sizes[random_below(5)], .rank = 2 + (int32_t)random_below(5)};
    int64_t stride = 1, x_stride = 1;
    for (int32_t d = b.rank; d-- > 0; stride *= b.dim[d]) {
      b.dim[d] = 1 + random_below(d == b.rank - 1 && random_below(2) ? 20 : 5);
      b.y_stride[d] = stride;
      b.x_stride[d] = random_below(3) == 0 ? 0 : x_stride;
      if (b.x_stride[d] != 0) x_stride *= b.dim[d] + (random_below(9) == 0);
    }
    check(&b, &env);
  }
}

static void long_runs(void **state) {
  struct onr_env env = {.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
  const struct box whole = {1, 1, {300001}, {1}, {1}}, rows = {4, 2, {3, 20000}, {20001, 1}, {20005, 1}};
  const struct box spread = {4, 1, {100000}, {0}, {1}}, blocks = {40000, 2, {3, 4}, {1, 3}, {4, 1}};
  (void)state;
  assert_int_equal(onr_threads_create(3, NULL, &env.threads, NULL), ONR_STATUS_OK);
  check(&whole, &env);
  check(&rows, &env);
  check(&spread, &env);
  check(&blocks, &env);
  onr_threads_destroy(env.threads);
}

/* Kernels of every level: all counts of rows and columns up to 40 that are few or leave something over, every size. */
static size_t left_over(const struct onri_transpose_kernels *kernels, const struct onri_transpose *t, size_t size,
                        int kind, size_t *done_a) {
  *done_a = t->num_a;
  if (kind == 0) return kernels->separate ? kernels->separate(t, size) : 0;
  if (kind == 1) *done_a = kernels->interleave ? kernels->interleave(t, size) : 0;
  else if (size <= 2) return kernels->stacks(t, size) ? t->num_b : 0;
  else (size == 4 ? kernels->squares_of_4_bytes : kernels->squares_of_8_bytes)(t);
  return t->num_b;
}

static void check_transpose(int level, size_t size, int kind, size_t num_a, size_t num_b, size_t gap) {
  enum { MOST = 48 * 48 * 16 };
  static char x[MOST], y[MOST];
  const size_t x_stride = (num_a + (kind ? gap : 0)) * size, y_stride = (num_b + (kind != 1 ? gap : 0)) * size;
  const struct onri_transpose t = {x, y, (ptrdiff_t)x_stride, (ptrdiff_t)y_stride, num_a, num_b};
  size_t done_a;
  fill_distinct((unsigned char *)x, MOST / size, size);
  memset(y, 0xcc, sizeof(y));
  const size_t done_b = left_over(onri_kernels_at(transpose, level), &t, size, kind, &done_a);
  assert_true(done_a <= num_a && done_b <= num_b);
  for (size_t a = 0; a < num_a + 1; a++)
    for (size_t i = 0; i < y_stride; i++) {
      const size_t b = i / size;
      const char found = y[a * y_stride + i];
      const char expected = a < done_a && b < done_b ? x[b * x_stride + a * size + i % size] : (char)0xcc;
      if (found != expected)
        fail_msg("level %d, elements of %zu, kind %d, %zu by %zu: y[%zu][%zu]", level, size, kind, num_a, num_b, a, b);
    }
}

static void transposes(void **state) {
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (size_t size = 1; size <= 16; size *= 2)
      for (size_t many = 1; many < 40; many++) {
        for (size_t few = 2; few <= ONRI_TRANSPOSE_FEW; few++) check_transpose(level, size, 0, few, many, many % 3);
        for (size_t few = 2; few <= 4; few++) check_transpose(level, size, 1, many, few, many % 3);
        for (size_t other = 1; (size == 4 || size == 8) && other < 40; other += 3)
          check_transpose(level, size, 2, many, other, many % 3);
        for (size_t other = 7; size <= 2 && other < 140; other += 9)
          check_transpose(level, size, 2, many, other, many % 3);
      }
}

/* Blocks of every count of words, in any order, with gaps in y that stay as they are. */
static void permutations(void **state) {
  enum { COUNT = 5, MOST = COUNT * (ONRI_PERMUTED_WORDS + 3) };
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++) {
    const struct onri_transpose_kernels *kernels = onri_kernels_at(transpose, level);
    for (size_t words = 1; words <= kernels->permuted_words; words++) {
      int32_t index[ONRI_PERMUTED_WORDS], x[MOST], y[MOST];
      const size_t x_step = words + words % 2, y_step = words + words % 3;
      for (size_t i = 0; i < words; i++) index[i] = (int32_t)random_below((uint32_t)words);
      for (size_t i = 0; i < MOST; i++) x[i] = (int32_t)i, y[i] = -1;
      const struct onri_permutation p = {
          index, words, COUNT, (const char *)x, (char *)y, (ptrdiff_t)(4 * x_step), (ptrdiff_t)(4 * y_step)};
      kernels->permute(&p);
      for (size_t i = 0; i < MOST; i++) {
        const size_t block = i / y_step, word = i % y_step;
        const int is_written = block < COUNT && word < words;
        assert_int_equal(y[i], is_written ? (int32_t)(block * x_step) + index[word] : -1);
      }
    }
  }
}

/* Blocks of all sizes that vectors copy, apart from each other on both sides; nothing beside them is written. */
static void blocks(void **state) {
  enum { COUNT = 5, GAP = 3, MOST = 300 };
  static char x[COUNT * (MOST + GAP)], y[COUNT * (MOST + 2 * GAP)], expected[sizeof(y)];
  (void)state;
  for (size_t i = 0; i < sizeof(x); i++) x[i] = (char)(i * 7919 % 251);
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (size_t bytes = 1; bytes <= MOST; bytes++)
      for (size_t count = 0; count <= COUNT; count++) {
        const size_t x_step = bytes + GAP, y_step = bytes + 2 * GAP;
        memset(y, 'n', sizeof(y));
        memset(expected, 'n', sizeof(expected));
        for (size_t i = 0; i < count; i++) memcpy(expected + i * y_step, x + i * x_step, bytes);
        const struct onri_blocks given = {x, y, (ptrdiff_t)x_step, (ptrdiff_t)y_step, bytes, count};
        if (!onri_kernels_at(transpose, level)->blocks(&given)) memset(expected, 'n', sizeof(expected));
        assert_memory_equal(y, expected, sizeof(y));
      }
}

static void nothing(void **state) {
  struct onr_env env = {.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
  struct onri_copy copy;
  (void)state;
  onri_copy_make(&copy, 4, 3, DIMS(3, 0, 5), NULL, NULL);
  assert_int_equal(copy.num_tasks, 0);
  onri_copy_run(&copy, &env, NULL, NULL);
  onri_copy_bytes(&env, NULL, NULL, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(random_boxes),    cmocka_unit_test(small_blocks),
                                     cmocka_unit_test(repeated_blocks), cmocka_unit_test(long_runs),
                                     cmocka_unit_test(transposes),      cmocka_unit_test(permutations),
                                     cmocka_unit_test(blocks),          cmocka_unit_test(nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
