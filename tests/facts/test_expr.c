/* Expressions against plain arithmetic: random trees, evaluated for random sizes. */
#include "facts/expr.h"

#include <stdlib.h>

#include "support/graph_test.h"

enum { SYMBOLS = 4, TREES = 20000, SIZES = 4 };

/* An expression and what it must be for each set of sizes; ok: 0 where a run would not go on. */
struct tree {
  onri_expr expr;
  int64_t value[SIZES];
  int ok[SIZES];
};

static uint64_t state = 88172645463325252u;
static uint64_t draw(uint64_t below) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return state % below;
}

static struct tree leaf(struct onri_exprs *exprs, const onri_expr *symbols, int64_t (*sizes)[SYMBOLS]) {
  struct tree t;
  const uint64_t s = draw(SYMBOLS + 2);
  const int64_t number = (int64_t)draw(9) - 2;
  t.expr = s < SYMBOLS ? symbols[s] : onri_expr_number(exprs, number);
  for (int k = 0; k < SIZES; k++) {
    t.value[k] = s < SYMBOLS ? sizes[k][s] : number;
    t.ok[k] = 1;
  }
  return t;
}

static int64_t floor_div(int64_t a, int64_t b) {
  const int64_t q = a / b;
  return q - (a % b && (a < 0) != (b < 0));
}

static struct tree join(struct onri_exprs *exprs, const struct tree *a, const struct tree *b) {
  struct tree t = {ONRI_EXPR_ANY, {0}, {0}};
  const uint64_t op = draw(7);
  t.expr = op == 0   ? onri_expr_add(exprs, a->expr, b->expr)
           : op == 1 ? onri_expr_sub(exprs, a->expr, b->expr)
           : op == 2 ? onri_expr_mul(exprs, a->expr, b->expr)
           : op == 3 ? onri_expr_div(exprs, a->expr, b->expr)
           : op == 4 ? onri_expr_max(exprs, a->expr, b->expr)
           : op == 5 ? onri_expr_min(exprs, a->expr, b->expr)
                     : onri_expr_broadcast(exprs, a->expr, b->expr);
  for (int k = 0; k < SIZES; k++) {
    const int64_t x = a->value[k], y = b->value[k];
    t.ok[k] = a->ok[k] && b->ok[k];
    if (op == 3) t.ok[k] = t.ok[k] && y > 0;
    if (op == 6) t.ok[k] = t.ok[k] && x >= 0 && y >= 0 && (x == y || x == 1 || y == 1);
    if (!t.ok[k]) continue;
    t.value[k] = op == 0   ? x + y
                 : op == 1 ? x - y
                 : op == 2 ? x * y
                 : op == 3 ? floor_div(x, y)
                 : op == 4 ? (x > y ? x : y)
                 : op == 5 ? (x < y ? x : y)
                           : (x == 1 ? y : x);
  }
  return t;
}

static void test_random_trees(void **unused) {
  int64_t sizes[SIZES][SYMBOLS];
  size_t checked = 0;
  (void)unused;
  for (int n = 0; n < TREES; n++) {
    struct onri_exprs exprs;
    onri_expr symbols[SYMBOLS];
    struct tree stack[6];
    int64_t result;
    onri_exprs_init(&exprs, &onri_malloc_allocator);
    for (int s = 0; s < SYMBOLS; s++) symbols[s] = onri_expr_symbol(&exprs, NULL, 0);
    for (int k = 0; k < SIZES; k++)
      for (int s = 0; s < SYMBOLS; s++) sizes[k][s] = 1 + (int64_t)draw(k < 2 ? 4 : 40);
    for (int i = 0; i < 6; i++) stack[i] = leaf(&exprs, symbols, sizes);
    for (int i = 0; i < 8; i++) {
      struct tree *to = &stack[draw(6)];
      *to = join(&exprs, to, &stack[draw(6)]);
      for (int k = 0; k < SIZES; k++) {
        if (to->expr == ONRI_EXPR_ANY || !to->ok[k]) continue;
        assert_true(onri_expr_evaluate(&exprs, to->expr, sizes[k], &result));
        assert_int_equal(result, to->value[k]);
        assert_true(onri_expr_least(&exprs, to->expr) <= result);
        checked++;
      }
    }
    onri_exprs_clear(&exprs);
  }
  assert_true(checked > TREES);
}

static void expect_text(struct onri_exprs *exprs, onri_expr a, const char *expected) {
  char text[128];
  assert_string_equal(onri_expr_format(exprs, a, text, sizeof(text)), expected);
}

static void test_normal_forms(void **unused) {
  struct onri_exprs e;
  (void)unused;
  onri_exprs_init(&e, &onri_malloc_allocator);
  const onri_expr n = onri_expr_symbol(&e, "n", 0), t = onri_expr_symbol(&e, "time", 0), two = onri_expr_number(&e, 2);
  const onri_expr one = onri_expr_number(&e, 1), odd = onri_expr_add(&e, onri_expr_mul(&e, two, t), one);
  expect_text(&e, odd, "2*time + 1");
  assert_int_equal(onri_expr_div(&e, odd, two), t);
  assert_int_equal(onri_expr_div(&e, onri_expr_mul(&e, n, t), n), t);
  assert_int_equal(onri_expr_sub(&e, odd, odd), onri_expr_number(&e, 0));
  const onri_expr half = onri_expr_div(&e, t, two);
  expect_text(&e, half, "time//2");
  assert_int_equal(onri_expr_div(&e, half, two), onri_expr_div(&e, t, onri_expr_number(&e, 4)));
  expect_text(&e, onri_expr_sub(&e, onri_expr_mul(&e, n, half), two), "n*(time//2) - 2");
  assert_int_equal(onri_expr_max(&e, odd, one), odd);
  assert_int_equal(onri_expr_broadcast(&e, n, one), n);
  /* Sizes that contradict each other: no run has them, but the order in which they are met changes nothing. */
  const onri_expr eight = onri_expr_number(&e, 8);
  assert_int_equal(onri_expr_broadcast(&e, two, eight), onri_expr_broadcast(&e, eight, two));
  assert_int_equal(onri_expr_broadcast(&e, onri_expr_broadcast(&e, n, two), eight),
                   onri_expr_broadcast(&e, onri_expr_broadcast(&e, eight, n), two));
  assert_int_equal(onri_expr_broadcast(&e, n, onri_expr_broadcast(&e, t, n)), onri_expr_broadcast(&e, n, t));
  expect_text(&e, onri_expr_max(&e, n, t), "max(n, time)");
  expect_text(&e, onri_expr_symbol(&e, NULL, 0), "?");
  expect_text(&e, onri_expr_number(&e, -3), "-3");
  assert_int_equal(onri_expr_number(&e, -3), onri_expr_sub(&e, one, onri_expr_number(&e, 4)));
  onri_exprs_clear(&e);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_trees), cmocka_unit_test(test_normal_forms)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
