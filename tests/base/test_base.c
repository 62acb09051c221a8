/* checked arithmetic, the arena, descriptors, statuses, shape formulas and threads */
#define _GNU_SOURCE /* pthread_setattr_default_np */
#include "tests/support/layer_test.h"

#include <pthread.h>
#include <string.h>

#include "base/numbers/checked.h"
#include "base/memory/memory.h"
#include "base/shape.h"
#include "base/env.h"

static void checked_arithmetic(void **state) {
  int64_t i;
  size_t s;
  (void)state;
  assert_true(onri_add_i64(INT64_MAX - 1, 1, &i) && i == INT64_MAX);
  assert_false(onri_add_i64(INT64_MAX, 1, &i));
  assert_false(onri_sub_i64(INT64_MIN, 1, &i));
  assert_true(onri_mul_i64(INT64_C(3037000499), INT64_C(3037000499), &i));
  assert_false(onri_mul_i64(INT64_C(3037000500), INT64_C(3037000500), &i));
  assert_false(onri_mul_size(SIZE_MAX / 2 + 1, 2, &s));
  assert_true(onri_round_up(65, 64, &s) && s == 128);
  assert_true(onri_round_up(0, 64, &s) && s == 0);
  assert_false(onri_round_up(SIZE_MAX - 3, 64, &s));
}

/* Whoever raises an error: what it shows cannot command a terminal, and ends in dots where it is cut. */
static void messages_are_fit_for_a_terminal(void **state) {
  struct onr_error error;
  char name[2000];
  (void)state;
  onr_fail(&error, ONR_STATUS_ARGUMENT, "input '%s' is not 'a\\b'",
           "d\xC3\xA9j\xC3\xA0\x1b[31m\xC2\x9b\xE2\x80\xAE\xff\n");
  assert_string_equal(error.message, "input 'd\xC3\xA9j\xC3\xA0\\x1b[31m\\u009b\\u202e\\xff\\x0a' is not 'a\\b'");
  memset(name, 'n', sizeof(name) - 1);
  name[sizeof(name) - 1] = '\0';
  onr_fail(&error, ONR_STATUS_ARGUMENT, "input '%s'", name);
  assert_true(strlen(error.message) < sizeof(error.message));
  assert_string_equal(error.message + strlen(error.message) - 5, "nn...");
}

static void every_status_has_a_name_and_a_text(void **state) {
  (void)state;
  for (int s = ONR_STATUS_OK; s <= ONR_STATUS_INTERNAL; s++) {
    assert_string_not_equal(onr_status_name((enum onr_status)s), "?");
    assert_true(strlen(onr_status_text((enum onr_status)s)) > 3);
  }
  assert_string_equal(onr_status_name((enum onr_status)20), "?");
  assert_string_equal(onr_status_name((enum onr_status) - 1), "?");
}

static void arena_grows_and_keeps_its_budget(void **state) {
  struct onri_arena arena;
  (void)state;
  onri_arena_init(&arena, &onri_malloc_allocator, 100000);
  for (int i = 0; i < 50; i++) {
    unsigned char *p = onri_arena_allocate(&arena, 1000);
    assert_non_null(p);
    for (int k = 0; k < 1000; k++) assert_int_equal(p[k], 0);
    memset(p, 255, 1000);
  }
  assert_null(onri_arena_allocate(&arena, 60000));
  assert_null(onri_arena_allocate(&arena, SIZE_MAX));
  assert_non_null(onri_arena_allocate(&arena, 40000));
  onri_arena_clear(&arena);
  assert_int_equal(arena.used_bytes, 0);
}

static void descriptors_saturate(void **state) {
  struct onr_desc big = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){INT64_C(1) << 32, INT64_C(1) << 32});
  char text[16];
  (void)state;
  assert_true(onr_desc_elements(&big) == INT64_MAX);
  assert_true(onr_desc_bytes(&big) == SIZE_MAX);
  big.dim[1] = 0;
  assert_true(onr_desc_elements(&big) == 0);
  assert_string_equal(onr_desc_format(&big, text, sizeof(text)), "float32[4294967");
  struct onr_desc scalar = onr_desc_make(ONR_DTYPE_I64, 0, NULL);
  assert_int_equal(onr_desc_elements(&scalar), 1);
  assert_int_equal(onr_desc_bytes(&scalar), 8);
  assert_string_equal(onr_desc_format(&scalar, text, sizeof(text)), "int64[]");
}

static void descriptors_are_checked(void **state) {
  struct onr_env env = {.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
  struct onr_desc d = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){3, -1});
  struct onr_error error;
  (void)state;
  assert_int_equal(onri_desc_check(&d, &env, &error), ONR_STATUS_SHAPE);
  d.dim[1] = INT64_C(1) << 62;
  assert_int_equal(onri_desc_check(&d, &env, &error), ONR_STATUS_LIMIT);
  d = onr_desc_make(ONR_DTYPE_F32, 3, (int64_t[]){INT64_C(1) << 40, INT64_C(1) << 40, 0});
  assert_int_equal(onri_desc_check(&d, &env, &error), ONR_STATUS_LIMIT);
  d = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){10});
  assert_int_equal(onri_desc_check(&d, &env, &error), ONR_STATUS_OK);
  env.limits.tensor_bytes = 39;
  assert_int_equal(onri_desc_check(&d, &env, &error), ONR_STATUS_LIMIT);
  d.dtype = ONR_DTYPE_NONE;
  assert_int_equal(onri_desc_check(&d, &env, &error), ONR_STATUS_TYPE);
}

static void broadcasting_follows_numpy(void **state) {
  const struct onr_desc a = onr_desc_make(ONR_DTYPE_F32, 3, (int64_t[]){2, 1, 5});
  const struct onr_desc b = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){3, 1});
  const struct onr_desc c = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){4});
  const struct onr_desc expected = onr_desc_make(ONR_DTYPE_F32, 3, (int64_t[]){2, 3, 5});
  struct onr_desc r;
  struct onr_error error;
  int64_t strides[ONR_MAX_RANK];
  (void)state;
  assert_int_equal(onri_broadcast(&a, &b, &r, &error), ONR_STATUS_OK);
  assert_true(onr_desc_equal(&r, &expected));
  assert_int_equal(onri_broadcast(&a, &c, &r, &error), ONR_STATUS_SHAPE);
  onri_broadcast_strides(&a, &expected, strides);
  assert_true(strides[0] == 5 && strides[1] == 0 && strides[2] == 1);
  onri_broadcast_strides(&b, &expected, strides);
  assert_true(strides[0] == 0 && strides[1] == 1 && strides[2] == 0);
}

static void axes_are_resolved(void **state) {
  struct onr_error error;
  uint8_t mask[ONR_MAX_RANK];
  int32_t axis;
  (void)state;
  assert_int_equal(onri_axis_resolve(-1, 4, &axis, &error), ONR_STATUS_OK);
  assert_int_equal(axis, 3);
  assert_int_equal(onri_axis_resolve(INT64_MIN, 4, &axis, &error), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(onri_axis_resolve(4, 4, &axis, &error), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(onri_axes_resolve((int64_t[]){0, -1}, 2, 3, mask, &error), ONR_STATUS_OK);
  assert_true(mask[0] && !mask[1] && mask[2]);
  assert_int_equal(onri_axes_resolve((int64_t[]){1, -2}, 2, 3, mask, &error), ONR_STATUS_ATTRIBUTE);
}

static void count_body(void *context, size_t begin, size_t end) {
  unsigned char *seen = context;
  for (size_t i = begin; i < end; i++) seen[i]++;
}

static void parallel_for_covers_all_once(void **state) {
  struct onr_threads *threads;
  unsigned char seen[1001] = {0};
  (void)state;
  assert_int_equal(onr_threads_create(3, NULL, &threads, NULL), ONR_STATUS_OK);
  onri_threads_for(threads, sizeof(seen), 7, count_body, seen);
  onri_threads_for(NULL, sizeof(seen), 64, count_body, seen);
  for (size_t i = 0; i < sizeof(seen); i++) assert_int_equal(seen[i], 2);
  onr_threads_destroy(threads);
}

static void limits_are_set_by_name(void **state) {
  struct onr_limits limits = {.size = sizeof(limits)};
  struct onr_limit_info info = {.size = sizeof(info)};
  struct onr_error error;
  (void)state;
  assert_int_equal(onr_limits_set(&limits, "total_bytes", "3G", &error), ONR_STATUS_OK);
  assert_true(limits.total_bytes == (uint64_t)3 << 30);
  assert_int_equal(onr_limits_set(&limits, "plan_bytes", "64K", &error), ONR_STATUS_OK);
  assert_true(limits.plan_bytes == 65536);
  static const struct {
    const char *text;
    uint64_t bytes, count; /* 0: refused */
  } units[] = {{"3", 3, 3},
               {"3k", 3072, 3000},
               {"3K", 3072, 3000},
               {"3kB", 3000, 0},
               {"3KiB", 3072, 0},
               {"3B", 3, 0},
               {"64M", 64 << 20, 64000000},
               {"64MB", 64000000, 0},
               {"64mb", 64000000, 0},
               {"64MiB", 64 << 20, 0},
               {"2GiB", (uint64_t)2 << 30, 0},
               {"2GB", 2000000000, 0},
               {"1T", (uint64_t)1 << 40, 1000000000000},
               {"1TB", 1000000000000, 0},
               {"1iB", 0, 0},
               {"1MBs", 0, 0},
               {"1Mi", 0, 0},
               {"1BB", 0, 0},
               {"1 M", 0, 0},
               {"1P", 0, 0}};
  for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
    limits.plan_bytes = limits.nodes = 0;
    assert_int_equal(onr_limits_set(&limits, "plan_bytes", units[i].text, &error) == ONR_STATUS_OK, units[i].bytes > 0);
    assert_int_equal(onr_limits_set(&limits, "nodes", units[i].text, &error) == ONR_STATUS_OK, units[i].count > 0);
    assert_true(limits.plan_bytes == units[i].bytes && limits.nodes == units[i].count);
  }
  assert_int_equal(onr_limits_set(&limits, "nodes", "17", &error), ONR_STATUS_OK);
  assert_true(limits.nodes == 17);
  const char *const bad[][2] = {{"nodes", ""},
                                {"nodes", "-1"},
                                {"nodes", "0"},
                                {"total_bytes", "G"},
                                {"total_bytes", " 1"},
                                {"total_bytes", "99999999999999999999"},
                                {"total_bytes", "18000000T"},
                                {"TOTAL_BYTES", "1"},
                                {"", "1"}};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(onr_limits_set(&limits, bad[i][0], bad[i][1], &error), ONR_STATUS_ARGUMENT);
  assert_true(limits.total_bytes == (uint64_t)3 << 30 && limits.nodes == 17);
  onr_limits_set(&limits, "nobody", "1", &error);
  for (size_t i = 0; i < onr_num_limits(); i++) {
    assert_int_equal(onr_limit(i, &info), ONR_STATUS_OK);
    assert_non_null(strstr(error.message, info.name));
    assert_true(info.standard > 0 && info.text[0]);
    assert_int_equal(onr_limits_set(&limits, info.name, "5", NULL), ONR_STATUS_OK);
  }
  assert_int_equal(onr_limit(onr_num_limits(), &info), ONR_STATUS_ARGUMENT);
  const uint64_t *all = &limits.file_bytes;
  for (size_t i = 0; i < onr_num_limits(); i++) assert_true(all[i] == 5);
  const struct onr_limits resolved = onri_limits_resolve(NULL);
  assert_true(resolved.tensor_bytes <= resolved.total_bytes);
}

/* A hang here is the fault. Not under an emulator, which would give such a stack all of the memory there is. */
static void a_pool_whose_threads_cannot_start_is_an_error(void **state) {
#if defined(__GLIBC__) && defined(__LP64__) && !defined(ONNXRUN_EMULATED)
  struct onr_threads *threads = NULL;
  struct onr_error error;
  pthread_attr_t usual, huge;
  assert_int_equal(pthread_getattr_default_np(&usual), 0);
  assert_int_equal(pthread_getattr_default_np(&huge), 0);
  assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 46), 0); /* no stack of that size can be had */
  assert_int_equal(pthread_setattr_default_np(&huge), 0);
  const enum onr_status status = onr_threads_create(4, NULL, &threads, &error);
  assert_int_equal(pthread_setattr_default_np(&usual), 0);
  assert_int_equal(status, ONR_STATUS_NO_MEMORY);
  assert_non_null(strstr(error.message, "3 more threads"));
  assert_null(threads);
#endif
  struct onr_threads *most = NULL;
  struct onr_error wrong;
  (void)state;
  assert_int_equal(onr_threads_create(1 << 20, NULL, &most, &wrong), ONR_STATUS_ARGUMENT);
  onr_threads_destroy(most);
}

struct stopping {
  struct onr_cancel cancel;
  size_t parts;
};

static void stop_after_five(void *context, size_t begin, size_t end) {
  struct stopping *s = context;
  (void)begin, (void)end;
  if (++s->parts >= 5) onr_cancel_set(&s->cancel);
}

static void parallel_for_leaves_out_what_has_not_begun(void **state) {
  struct stopping s = {0};
  struct onr_env env = {.allocator = &onri_malloc_allocator};
  struct onri_pace pace = {&env, 0};
  (void)state;
  onr_parallel_for(&env, 100, 10, stop_after_five, &s); /* without a flag it goes on */
  assert_int_equal(s.parts, 10);
  s = (struct stopping){0};
  env.cancel = &s.cancel;
  onr_parallel_for(&env, 100, 10, stop_after_five, &s);
  assert_int_equal(s.parts, 5);
  assert_true(onr_env_cancelled(&env));
  assert_false(onri_pace_stop(&pace, ONRI_PACE - 1));
  assert_true(onri_pace_stop(&pace, 1));
  onr_cancel_clear(&s.cancel);
  assert_false(onri_pace_stop(&pace, ONRI_PACE));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parallel_for_leaves_out_what_has_not_begun),
      cmocka_unit_test(limits_are_set_by_name),
      cmocka_unit_test(checked_arithmetic),
      cmocka_unit_test(every_status_has_a_name_and_a_text),
      cmocka_unit_test(messages_are_fit_for_a_terminal),
      cmocka_unit_test(arena_grows_and_keeps_its_budget),
      cmocka_unit_test(descriptors_saturate),
      cmocka_unit_test(descriptors_are_checked),
      cmocka_unit_test(broadcasting_follows_numpy),
      cmocka_unit_test(axes_are_resolved),
      cmocka_unit_test(parallel_for_covers_all_once),
      cmocka_unit_test(a_pool_whose_threads_cannot_start_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
