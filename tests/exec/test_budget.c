/* budget: how many operations a run may take, and how many it still may. */
#include "support/small_run.h"

#include "exec/workspace.h"

static void the_callers_limit_counts_alone(void **state) {
  struct onri_run run = {.work_limit = 1000, .constant_bytes = 1 << 30};
  const struct onr_tensor x = vector(NULL, 1 << 20);
  (void)state;
  onri_run_measure(&run, &x, 1);
  assert_int_equal(run.work, 1000);
}

/* Without one: a base, a rate for each byte of weights and inputs, and their product. */
static void bytes_deserve_work(void **state) {
  struct onri_run run = {.constant_bytes = 1000};
  const struct onr_tensor x[] = {vector(NULL, 100), vector(NULL, 25)};
  (void)state;
  onri_run_measure(&run, x, 2);
  assert_int_equal(run.work, ONRI_WORK + (uint64_t)ONRI_WORK_BYTE * 1500 + 1000 * 500);
  onri_run_measure(&run, NULL, 0);
  assert_int_equal(run.work, ONRI_WORK + (uint64_t)ONRI_WORK_BYTE * 1000);
  run.constant_bytes = UINT64_MAX / 100;
  onri_run_measure(&run, x, 2);
  assert_true(run.work == UINT64_MAX); /* and does not wrap */
}

static void what_is_spent_is_gone(void **state) {
  struct onri_run run = {.work = 100};
  struct onr_error error = {0};
  (void)state;
  assert_int_equal(onri_run_allows(&run, 100, &error), ONR_STATUS_OK);
  assert_int_equal(onri_run_allows(&run, 101, &error), ONR_STATUS_LIMIT);
  assert_int_equal(onri_run_spend(&run, 60, &error), ONR_STATUS_OK);
  assert_int_equal(onri_run_allows(&run, 100, &error), ONR_STATUS_OK); /* of a run at all */
  assert_int_equal(onri_run_spend(&run, 41, &error), ONR_STATUS_LIMIT);
  assert_int_equal(run.work_done, 60); /* what is refused is not taken */
  assert_int_equal(onri_run_spend(&run, 40, &error), ONR_STATUS_OK);
  assert_int_equal(onri_run_spend(&run, UINT64_MAX, &error), ONR_STATUS_LIMIT);
  assert_non_null(strstr(error.message, "work"));
  assert_int_equal(onri_run_spend(&run, 1, NULL), ONR_STATUS_LIMIT);
  run = (struct onri_run){.work = UINT64_MAX, .work_done = 5};
  assert_int_equal(onri_run_spend(&run, UINT64_MAX, NULL), ONR_STATUS_OK); /* without a limit sums stay at the end */
  assert_true(run.work_done == UINT64_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_callers_limit_counts_alone),
                                     cmocka_unit_test(bytes_deserve_work), cmocka_unit_test(what_is_spent_is_gone)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
