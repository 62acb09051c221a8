/* onri_broadcast_each over drawn shapes: each element of the result is seen once, in order, with the operands' elements
 * that belong to it, whatever their sizes, where a part begins and ends, and how many go together. */
#include <string.h>

#include "support/sweep.h"

#include "base/shape.h"
#include "layers/elementwise/broadcast.h"

enum { MOST = 40000, OPERANDS = 3 };

static char memory[OPERANDS][MOST * 16]; /* element i begins with the number i, as far as it has room for it */

struct seen {
  struct onr_desc result, in[OPERANDS];
  size_t size[OPERANDS], next, most;
};

/* Where element `index` of the result lies in operand k. */
static size_t position(const struct seen *s, size_t k, size_t index) {
  const struct onr_desc *x = &s->in[k];
  size_t at = 0, stride = 1;
  for (int32_t back = 1; back <= s->result.rank; back++) {
    const size_t dim = (size_t)s->result.dim[s->result.rank - back], coordinate = index % dim;
    index /= dim;
    if (back > x->rank) continue;
    if (x->dim[x->rank - back] != 1) at += coordinate * stride;
    stride *= (size_t)x->dim[x->rank - back];
  }
  return at;
}

static void see(void *context, const struct onri_tile *tile, const void *const *at) {
  struct seen *s = context;
  assert_int_equal(tile->offset, s->next);
  assert_true(tile->rows * tile->count > 0 && tile->rows * tile->count <= s->most);
  for (size_t r = 0; r < tile->rows; r++)
    for (size_t i = 0; i < tile->count; i++, s->next++)
      for (size_t k = 0; k < OPERANDS; k++) {
        const char *found = (const char *)at[k] + (r * tile->row[k] + i * tile->step[k]) * s->size[k];
        assert_memory_equal(found, memory[k] + position(s, k, s->next) * s->size[k], s->size[k]);
      }
}

/* One in two operands lacks a dimension, or some in front. */
static struct onr_desc draw_operand(struct sweep *s, const struct onr_desc *result, enum onr_dtype dtype) {
  const int32_t first = sweep_chance(s, 3) ? (int32_t)sweep_pick(s, 0, result->rank) : 0;
  struct onr_desc x = {.dtype = dtype};
  const int whole = sweep_chance(s, 3);
  for (int32_t d = first; d < result->rank; d++) x.dim[x.rank++] = !whole && sweep_chance(s, 2) ? 1 : result->dim[d];
  return x;
}

static struct onr_desc draw_result(struct sweep *s) {
  static const int64_t dims[] = {1, 1, 2, 2, 3, 4, 5, 7, 8, 15, 16, 31, 33, 63, 64, 100, 255, 257, 700};
  struct onr_desc y = {.rank = (int32_t)sweep_pick(s, 0, 6)};
  size_t total = 1;
  for (int32_t d = 0; d < y.rank; d++) {
    y.dim[d] = dims[sweep_pick(s, 0, sizeof(dims) / sizeof(dims[0]) - 1)];
    if (total * (size_t)y.dim[d] > MOST) y.dim[d] = 1;
    total *= (size_t)y.dim[d];
  }
  return y;
}

static void test_drawn_shapes(void **state) {
  static const enum onr_dtype dtypes[] = {ONR_DTYPE_U8, ONR_DTYPE_F16, ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_C128};
  struct sweep s = sweep_from(61);
  (void)state;
  for (int turn = 0; turn < sweep_cases(600); turn++) {
    struct seen seen = {.result = draw_result(&s)};
    struct onri_broadcast b;
    struct onri_operands operands;
    const struct onr_desc *in[OPERANDS];
    for (size_t k = 0; k < OPERANDS; k++) {
      const enum onr_dtype dtype = dtypes[sweep_pick(&s, 0, 4)];
      seen.in[k] = draw_operand(&s, &seen.result, dtype);
      in[k] = &seen.in[k];
      operands.size[k] = seen.size[k] = onr_dtype_size(dtype);
      operands.x[k] = memory[k];
      const size_t shown = seen.size[k] < sizeof(size_t) ? seen.size[k] : sizeof(size_t);
      for (size_t i = 0; i < MOST; i++) memcpy(memory[k] + i * seen.size[k], &i, shown);
    }
    onri_broadcast_make(&b, &seen.result, in, OPERANDS);
    for (int part = 0; part < 4; part++) {
      const size_t begin = part == 0 ? 0 : (size_t)sweep_pick(&s, 0, (int64_t)b.total - 1);
      const size_t end = part == 0 ? b.total : (size_t)sweep_pick(&s, (int64_t)begin + 1, (int64_t)b.total);
      seen.next = begin;
      seen.most = sweep_chance(&s, 2) ? SIZE_MAX : (size_t)sweep_pick(&s, ONRI_PERIOD, 4 * ONRI_PERIOD);
      onri_broadcast_each(&b, &operands, begin, end, seen.most, see, &seen);
      assert_int_equal(seen.next, end);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_drawn_shapes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
