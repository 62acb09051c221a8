/* meter: memory that is counted before it is given out, and refused with the numbers. */
#include <string.h>

#include "support/counted_memory.h"
#include "support/layer_test.h"

#include "base/memory/meter.h"

static void a_meter_counts_and_refuses(void **state) {
  struct onri_meter meter;
  struct onr_error error = {0};
  (void)state;
  onri_meter_init(&meter, &onri_malloc_allocator, 10000, 100);
  char *a = onri_allocate(&meter.allocator, 4000), *b = meter.allocator.allocate(&meter, 4000, 1024);
  assert_non_null(a);
  assert_non_null(b);
  assert_int_equal((uintptr_t)a % ONRI_ALIGNMENT, 0);
  assert_int_equal((uintptr_t)b % 1024, 0);
  memset(a, 1, 4000);
  memset(b, 2, 4000);
  assert_true(meter.held >= 8100 && meter.held < 10000);
  const uint64_t held = meter.held;
  assert_null(onri_allocate(&meter.allocator, 2000));
  assert_null(onri_allocate(&meter.allocator, SIZE_MAX - 10));
  assert_true(meter.held == held);
  onr_fail(&error, ONR_STATUS_NO_MEMORY, "no memory for a test");
  assert_int_equal(onri_meter_settle(&meter, ONR_STATUS_NO_MEMORY, &error), ONR_STATUS_LIMIT);
  assert_non_null(strstr(error.message, "total_bytes of 10000"));
  assert_non_null(strstr(error.message, "no memory for a test"));
  /* The refusal has been told; the next failure is another one. */
  assert_int_equal(onri_meter_settle(&meter, ONR_STATUS_NO_MEMORY, &error), ONR_STATUS_NO_MEMORY);
  onri_release(&meter.allocator, a);
  onri_release(&meter.allocator, b);
  onri_release(&meter.allocator, NULL);
  assert_true(meter.held == 100);
}

/* Memory that the system refuses is not the limit's fault. */
static void what_the_system_refuses_stays_no_memory(void **state) {
  struct onri_meter meter;
  struct onr_error error = {0};
  (void)state;
  counted_memory_begin();
  onri_meter_init(&meter, &counted_memory, 10000, 0);
  counted_fail_at = 1;
  assert_null(onri_allocate(&meter.allocator, 100));
  assert_true(meter.held == 0);
  onr_fail(&error, ONR_STATUS_NO_MEMORY, "no memory for a test");
  assert_int_equal(onri_meter_take_refusal(&meter), 0);
  assert_int_equal(onri_meter_settle(&meter, ONR_STATUS_NO_MEMORY, &error), ONR_STATUS_NO_MEMORY);
  assert_string_equal(error.message, "no memory for a test");
}

static void a_refusal_is_told_once(void **state) {
  struct onri_meter meter;
  struct onr_error error = {.where = "Conv 'c'"};
  (void)state;
  onri_meter_init(&meter, &onri_malloc_allocator, UINT64_MAX, 0);
  onri_meter_set_limit(&meter, "the limit of a test", 50);
  for (int round = 0; round < 2; round++) {
    assert_null(onri_allocate(&meter.allocator, 51));
    if (round) assert_int_equal(onri_meter_take_refusal(&meter), 1);
    assert_int_equal(onri_meter_settle(&meter, ONR_STATUS_NO_MEMORY, NULL),
                     round ? ONR_STATUS_NO_MEMORY : ONR_STATUS_LIMIT);
  }
  assert_null(onri_allocate(&meter.allocator, 51));
  assert_int_equal(onri_meter_settle(&meter, ONR_STATUS_SHAPE, &error),
                   ONR_STATUS_SHAPE); /* another error is its own */
  assert_null(onri_allocate(&meter.allocator, 51));
  assert_int_equal(onri_meter_settle(&meter, ONR_STATUS_NO_MEMORY, &error), ONR_STATUS_LIMIT);
  assert_non_null(strstr(error.message, "the limit of a test of 50 bytes: 0 are held and 115 more are needed"));
  assert_string_equal(error.where, "Conv 'c'");
  assert_int_equal(onri_meter_take_refusal(NULL), 0);
  assert_int_equal(onri_meter_settle(NULL, ONR_STATUS_NO_MEMORY, &error), ONR_STATUS_NO_MEMORY);
}

/* A model is the same however much memory there is: what somebody went without, unless he says so, fails the load. */
static void a_model_is_whole(void **state) {
  static const struct {
    int asked; /* whether somebody goes on without it knowingly */
    enum onr_status status, expected;
  } cases[] = {{0, ONR_STATUS_OK, ONR_STATUS_LIMIT},        {1, ONR_STATUS_OK, ONR_STATUS_OK},
               {0, ONR_STATUS_ARITY, ONR_STATUS_LIMIT},     {1, ONR_STATUS_ARITY, ONR_STATUS_ARITY},
               {0, ONR_STATUS_NO_MEMORY, ONR_STATUS_LIMIT}, {0, ONR_STATUS_CANCELLED, ONR_STATUS_CANCELLED}};
  struct onri_meter meter;
  (void)state;
  onri_meter_init(&meter, &onri_malloc_allocator, UINT64_MAX, 0);
  onri_meter_set_limit(&meter, "the limit of a test", 50);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct onr_error error = {.message = "what came of it"};
    assert_null(onri_allocate(&meter.allocator, 51));
    if (cases[i].asked) assert_int_equal(onri_meter_take_refusal(&meter), 1);
    assert_int_equal(onri_meter_settle_model(&meter, cases[i].status, &error), cases[i].expected);
    if (cases[i].expected == ONR_STATUS_LIMIT && cases[i].status == ONR_STATUS_ARITY)
      assert_non_null(strstr(error.message, "what came of it"));
    assert_int_equal(onri_meter_settle_model(&meter, ONR_STATUS_OK, NULL), ONR_STATUS_OK); /* told once */
  }
  counted_memory_begin();
  onri_meter_init(&meter, &counted_memory, UINT64_MAX, 0);
  counted_fail_at = counted_total + 1;
  assert_null(onri_allocate(&meter.allocator, 1));
  assert_int_equal(onri_meter_settle_model(&meter, ONR_STATUS_OK, NULL), ONR_STATUS_NO_MEMORY);
  assert_int_equal(onri_meter_settle_model(NULL, ONR_STATUS_SHAPE, NULL), ONR_STATUS_SHAPE);
}

/* All that is asked for counts, to the byte that the limit allows; sums do not wrap. */
static void the_limit_is_exact(void **state) {
  struct onri_meter meter;
  (void)state;
  counted_memory_begin();
  onri_meter_init(&meter, &counted_memory, UINT64_MAX, 0);
  void *first = onri_allocate(&meter.allocator, 100);
  const uint64_t one = meter.held;
  assert_true(one >= 100);
  onri_meter_set_limit(&meter, "the limit of a test", 2 * one);
  void *second = onri_allocate(&meter.allocator, 100);
  assert_non_null(second);
  assert_null(onri_allocate(&meter.allocator, 0)); /* where it starts is noted, too */
  onri_release(&meter.allocator, first);
  onri_meter_set_limit(&meter, "the limit of a test", 2 * one - 1);
  assert_null(onri_allocate(&meter.allocator, 100));
  onri_meter_set_limit(&meter, "the limit of a test", 10); /* less than is held already */
  assert_null(onri_allocate(&meter.allocator, SIZE_MAX - 4096));
  assert_true(meter.held == one);
  onri_release(&meter.allocator, second);
  assert_true(meter.held == 0 && counted_live == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_meter_counts_and_refuses), cmocka_unit_test(what_the_system_refuses_stays_no_memory),
      cmocka_unit_test(a_refusal_is_told_once),     cmocka_unit_test(a_model_is_whole),
      cmocka_unit_test(the_limit_is_exact),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
