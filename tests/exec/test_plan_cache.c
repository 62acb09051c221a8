/* plan_cache: found by graph and shapes, forgotten by age and size; what is pinned stays. */
#include "support/small_run.h"

#include "exec/plan.h"

enum { SPACES = 2 };

struct caches {
  struct small_run r;
  struct onri_workspace space[SPACES]; /* of one graph twice: x -> increment */
  struct onri_plan_cache *cache;
};

static void begin(struct caches *c) {
  small_run_begin(&c->r);
  const int32_t x = value(c->r.b.graph, "x"), y = node(c->r.b.graph, &increment, &x, 1);
  small_run_close(&c->r, &x, 1, &y, 1);
  c->cache = &c->r.run.plans;
  for (int s = 0; s < SPACES; s++)
    assert_int_equal(onri_workspace_init(&c->space[s], &c->r.run, c->r.b.graph, NULL), ONR_STATUS_OK);
}

static void finish_caches(struct caches *c) {
  onri_plan_cache_clear(c->cache, c->r.run.env.allocator);
  for (int s = 0; s < SPACES; s++) onri_workspace_clear(&c->space[s]);
  small_run_end(&c->r);
}

/* A new plan of space s for count elements, in the cache. */
static struct onri_plan *make(struct caches *c, int s, int64_t count) {
  const struct onr_tensor x = vector(NULL, count);
  struct onri_plan *plan;
  assert_int_equal(onri_plan_create(&c->space[s], &x, NULL, &plan, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_plan_cache_add(c->cache, plan, NULL), ONR_STATUS_OK);
  return plan;
}

static struct onri_plan *find(struct caches *c, int s, int64_t count) {
  const struct onr_tensor x = vector(NULL, count);
  return onri_plan_cache_find(c->cache, &c->space[s], &x);
}

static void check_sum(const struct onri_plan_cache *cache) {
  size_t bytes = 0, count = 0;
  for (const struct onri_plan *p = cache->oldest; p; p = p->newer, count++) bytes += p->bytes;
  assert_int_equal(cache->bytes, bytes);
  assert_int_equal(cache->num_plans, count);
}

static void plans_are_found_by_graph_and_shapes(void **state) {
  struct caches c;
  struct onri_plan *plans[SPACES][300];
  (void)state;
  begin(&c);
  assert_null(find(&c, 0, 1));
  for (int64_t n = 0; n < 300; n++) /* more than there are buckets at first */
    for (int s = 0; s < SPACES; s++) plans[s][n] = make(&c, s, n);
  check_sum(c.cache);
  for (int64_t n = 0; n < 300; n++)
    for (int s = 0; s < SPACES; s++) assert_ptr_equal(find(&c, s, n), plans[s][n]);
  assert_null(find(&c, 0, 300));
  const struct onr_tensor other = {{.dtype = ONR_DTYPE_F64, .rank = 1, .dim = {5}}, NULL};
  assert_null(onri_plan_cache_find(c.cache, &c.space[0], &other)); /* the type is part of it */
  const struct onr_tensor square = {{.dtype = ONR_DTYPE_F32, .rank = 2, .dim = {5, 1}}, NULL};
  assert_null(onri_plan_cache_find(c.cache, &c.space[0], &square));
  finish_caches(&c);
}

static void the_oldest_go_first(void **state) {
  struct caches c;
  (void)state;
  begin(&c);
  for (int64_t n = 0; n < 5; n++) make(&c, 0, n);
  find(&c, 0, 0); /* used again */
  const size_t one = c.cache->bytes / 5;
  onri_plan_cache_trim(c.cache, 3 * one + one / 2, NULL);
  check_sum(c.cache);
  assert_true(!find(&c, 0, 1) && !find(&c, 0, 2));
  assert_true(find(&c, 0, 0) && find(&c, 0, 3) && find(&c, 0, 4));
  finish_caches(&c);
}

static void what_is_used_or_named_stays(void **state) {
  struct caches c;
  (void)state;
  begin(&c);
  struct onri_plan *running = make(&c, 0, 1), *named = make(&c, 1, 1), *last = make(&c, 1, 2);
  c.space[0].pinned = running;
  c.space[1].plan = last;
  onri_plan_cache_trim(c.cache, 0, named);
  assert_int_equal(c.cache->num_plans, 2);
  assert_null(c.space[1].plan); /* nobody points to what is gone */
  assert_ptr_equal(find(&c, 0, 1), running);
  assert_ptr_equal(find(&c, 1, 1), named);
  assert_int_equal(onri_plan_cache_empty(c.cache), 1);
  assert_int_equal(onri_plan_cache_empty(c.cache), 0); /* the pinned one is all there is */
  assert_int_equal(c.cache->num_plans, 1);
  c.space[0].pinned = NULL;
  assert_int_equal(onri_plan_cache_empty(c.cache), 1);
  assert_int_equal(c.cache->bytes, 0);
  finish_caches(&c);
}

/* Room for a plan: the first of the same graph that has to go is handed over, for what its layers hold. */
static void one_that_leaves_is_handed_over(void **state) {
  struct caches c;
  (void)state;
  begin(&c);
  make(&c, 0, 1);
  struct onri_plan *first = make(&c, 1, 1);
  make(&c, 1, 2);
  assert_null(onri_plan_cache_room(c.cache, c.cache->bytes, &c.space[1]));
  assert_int_equal(c.cache->num_plans, 3);
  struct onri_plan *left = onri_plan_cache_room(c.cache, 0, &c.space[1]);
  assert_ptr_equal(left, first);
  assert_int_equal(c.cache->num_plans, 0);
  onri_plan_destroy(left);
  finish_caches(&c);
}

static void sizes_are_noted(void **state) {
  struct caches c;
  (void)state;
  begin(&c);
  struct onri_plan *plan = make(&c, 0, 1);
  const size_t bytes = plan->bytes;
  assert_int_equal(c.cache->largest, bytes);
  onri_plan_cache_resize(c.cache, plan, bytes + 1000);
  assert_int_equal(c.cache->bytes, bytes + 1000);
  assert_int_equal(c.cache->largest, bytes + 1000);
  assert_int_equal(c.space[0].plan_bytes, bytes + 1000);
  onri_plan_cache_resize(c.cache, plan, bytes);
  assert_int_equal(c.cache->largest, bytes + 1000); /* so far */
  check_sum(c.cache);
  finish_caches(&c);
}

static void the_limit_is_the_callers_or_suits_what_is_held(void **state) {
  struct caches c;
  (void)state;
  begin(&c);
  c.r.run.plan_bytes = 12345;
  assert_int_equal(onri_plan_cache_limit(&c.r.run), 12345);
  c.r.run.plan_bytes = 0;
  c.r.run.env.limits.plan_bytes = UINT64_MAX;
  assert_int_equal(onri_plan_cache_limit(&c.r.run), 2 << 20); /* the least */
  void *weights = onri_allocate(c.r.run.env.allocator, 100 << 20);
  assert_in_range(onri_plan_cache_limit(&c.r.run), 25 << 19, 26 << 19); /* an eighth */
  c.r.run.env.limits.plan_bytes = 1 << 20;
  assert_int_equal(onri_plan_cache_limit(&c.r.run), 1 << 20);
  onri_release(c.r.run.env.allocator, weights);
  finish_caches(&c);
}

static void without_memory_for_a_table_a_plan_is_destroyed(void **state) {
  struct caches c;
  struct onri_plan *plan;
  const struct onr_tensor x = vector(NULL, 1);
  (void)state;
  begin(&c);
  assert_int_equal(onri_plan_create(&c.space[0], &x, NULL, &plan, NULL), ONR_STATUS_OK);
  onri_pool_clear(&c.r.run.pool);
  counted_fail_at = counted_total + 1;
  assert_int_equal(onri_plan_cache_add(c.cache, plan, NULL), ONR_STATUS_NO_MEMORY);
  assert_int_equal(c.cache->num_plans, 0);
  finish_caches(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plans_are_found_by_graph_and_shapes),
      cmocka_unit_test(the_oldest_go_first),
      cmocka_unit_test(what_is_used_or_named_stays),
      cmocka_unit_test(one_that_leaves_is_handed_over),
      cmocka_unit_test(sizes_are_noted),
      cmocka_unit_test(the_limit_is_the_callers_or_suits_what_is_held),
      cmocka_unit_test(without_memory_for_a_table_a_plan_is_destroyed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
