/* constant: contents that are in memory, or come from the file when asked for, once; owners that are counted. */
#include <string.h>

#include "support/counted_memory.h"
#include "support/graph_test.h"

static const float numbers[] = {1, 2, 3};
static int loads, load_fails;

static enum onr_status load(void *source, const struct onri_constant *constant, void *target, struct onr_error *error) {
  loads++;
  if (load_fails) return onr_fail(error, ONR_STATUS_IO, "the disk is gone");
  memcpy(target, (const char *)source + constant->offset, (size_t)constant->bytes);
  return ONR_STATUS_OK;
}

static struct onri_constant *in_file(struct onr_env *env) {
  struct onri_constant *c = onri_allocate_zeroed(env->allocator, sizeof(*c));
  assert_non_null(c);
  *c = (struct onri_constant){.desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){2}),
                              .allocator = env->allocator,
                              .references = 1,
                              .load = load,
                              .source = (void *)(uintptr_t)numbers,
                              .offset = 4,
                              .bytes = 8};
  loads = load_fails = 0;
  return c;
}

static struct onr_env counted_env(void) {
  counted_memory_begin();
  return (struct onr_env){.allocator = &counted_memory, .limits = onri_limits_resolve(NULL)};
}

static void new_contents_have_slack_behind_them(void **state) {
  struct onr_env env = counted_env();
  (void)state;
  struct onri_constant *c =
      onri_constant_create(&env, &(struct onr_desc){.dtype = ONR_DTYPE_U8, .rank = 1, .dim = {5}});
  assert_non_null(c);
  assert_int_equal(c->references, 1);
  memset(c->data, 7, 5 + ONR_SLACK_BYTES); /* all of it is ours */
  onri_constant_release(c);
  c = onri_constant_create(&env, &(struct onr_desc){.dtype = ONR_DTYPE_U8, .rank = 1, .dim = {0}});
  assert_non_null(c);
  assert_non_null(c->data); /* an empty tensor has contents, too */
  onri_constant_release(c);
  assert_null(onri_constant_create(&env, &(struct onr_desc){.dtype = ONR_DTYPE_F64, .rank = 2, .dim = {INT64_MAX, 9}}));
  assert_int_equal(counted_live, 0);
}

static void every_owner_releases_once(void **state) {
  struct onr_env env = counted_env();
  (void)state;
  struct onri_constant *c = onri_constant_create(&env, &(struct onr_desc){.dtype = ONR_DTYPE_F32});
  assert_non_null(c);
  onri_constant_retain(c);
  onri_constant_retain(c);
  onri_constant_release(c);
  onri_constant_release(c);
  assert_int_equal(counted_live, 2);
  onri_constant_release(c);
  assert_int_equal(counted_live, 0);
  onri_constant_release(NULL);
}

static void a_file_is_read_once_and_when_needed(void **state) {
  struct onr_env env = counted_env();
  struct onr_error error = {0};
  (void)state;
  struct onri_constant *c = in_file(&env);
  assert_int_equal(loads, 0);
  for (int i = 0; i < 2; i++) assert_int_equal(onri_constant_load(c, &error), ONR_STATUS_OK);
  assert_int_equal(loads, 1);
  assert_memory_equal(c->data, numbers + 1, 8);
  onri_constant_release(c);
  assert_int_equal(counted_live, 0);
}

static void a_failed_load_leaves_nothing_and_may_be_tried_again(void **state) {
  struct onr_env env = counted_env();
  struct onr_error error = {0};
  (void)state;
  struct onri_constant *c = in_file(&env);
  load_fails = 1;
  assert_int_equal(onri_constant_load(c, &error), ONR_STATUS_IO);
  assert_string_equal(error.message, "the disk is gone");
  assert_null(c->data);
  assert_int_equal(counted_live, 1);
  load_fails = 0;
  counted_fail_at = counted_total + 1;
  assert_int_equal(onri_constant_load(c, NULL), ONR_STATUS_NO_MEMORY);
  assert_int_equal(loads, 1); /* it was not even asked for */
  assert_int_equal(onri_constant_load(c, &error), ONR_STATUS_OK);
  onri_constant_release(c);
  assert_int_equal(counted_live, 0);
}

static void what_was_packed_is_not_read_again(void **state) {
  struct onr_env env = counted_env();
  struct onr_error error = {0};
  (void)state;
  struct onri_constant *c = onri_constant_create(&env, &(struct onr_desc){.dtype = ONR_DTYPE_F32});
  onri_release(c->allocator, c->data);
  c->data = NULL;
  assert_int_equal(onri_constant_load(c, &error), ONR_STATUS_INTERNAL);
  assert_non_null(strstr(error.message, "packed"));
  onri_constant_release(c);
}

static void memory_of_others_stays_theirs(void **state) {
  struct onr_env env = counted_env();
  float mine[8] = {4};
  (void)state;
  struct onri_constant *c = onri_constant_create(&env, &(struct onr_desc){.dtype = ONR_DTYPE_F32});
  onri_release(c->allocator, c->data);
  c->data = mine;
  c->owned = 0;
  onri_constant_release(c);
  assert_int_equal(counted_live, 0);
  assert_true(mine[0] == 4);
}

static void data_of_values(void **state) {
  struct graph_test t;
  enum onr_status status = ONR_STATUS_OK;
  (void)state;
  graph_test_begin(&t);
  const int32_t x = graph_test_input(&t, 1, (int64_t[]){2}), c = graph_test_scalar(&t, 5);
  const int32_t f = onri_graph_add_constant(t.graph, "w", in_file(&t.env));
  const int32_t g = onri_graph_add_constant(t.graph, "v", in_file(&t.env));
  assert_null(onri_value_data(t.graph, ONRI_NONE, &status, &t.error));
  assert_null(onri_value_data(t.graph, x, &status, &t.error));
  assert_true(*(const float *)onri_value_data(t.graph, c, &status, &t.error) == 5);
  assert_memory_equal(onri_value_data(t.graph, f, &status, &t.error), numbers + 1, 8);
  assert_int_equal(status, ONR_STATUS_OK);
  load_fails = 1;
  assert_null(onri_value_data(t.graph, g, &status, &t.error));
  assert_int_equal(status, ONR_STATUS_IO);
  graph_test_end(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(new_contents_have_slack_behind_them),
      cmocka_unit_test(every_owner_releases_once),
      cmocka_unit_test(a_file_is_read_once_and_when_needed),
      cmocka_unit_test(a_failed_load_leaves_nothing_and_may_be_tried_again),
      cmocka_unit_test(what_was_packed_is_not_read_again),
      cmocka_unit_test(memory_of_others_stays_theirs),
      cmocka_unit_test(data_of_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
