/* Structs that begin with their size, from callers who were compiled with another version: a shorter struct, a longer
 * one, and one without a size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "onnxrun/net.h"
#include "onnxrun/onnxrun.h"
#include "onnxrun/operators.h"
#include "onnxrun/tensor_file.h"

static struct onr_error error;

static struct onr_model *make_model(const struct onr_model_options *options) {
  struct onr_model *model = NULL;
  struct onr_net *net;
  if (onr_net_create(options, &net, &error) != ONR_STATUS_OK) return NULL;
  onr_net_output(net, "x", onr_net_input(net, "x", ONR_DTYPE_F32, 1, (int64_t[]){2}));
  assert_int_equal(onr_net_finish(net, &model, &error), ONR_STATUS_OK);
  return model;
}

/* --- options: each taker reads one of `size` bytes, of which those that are not zero are set by hand --- */

static enum onr_status take_model(const void *options) {
  const struct onr_model_options plain = onr_model_options_init();
  struct onr_model *model = make_model(options ? options : &plain);
  const enum onr_status status = model ? ONR_STATUS_OK : error.status;
  onr_model_destroy(model);
  return status;
}

static enum onr_status take_memory(const void *options) {
  struct onr_model *model;
  const enum onr_status status = onr_model_load_memory("", 0, options, &model, &error);
  assert_null(model);
  return status == ONR_STATUS_ARGUMENT ? status : ONR_STATUS_OK; /* no model: the file is empty */
}

static enum onr_status take_limits(const void *limits) {
  struct onr_model_options options = onr_model_options_init();
  options.limits = limits;
  return take_model(&options);
}

static enum onr_status take_limits_of_file(const void *limits) {
  struct onr_tensor_file_options options = onr_tensor_file_options_init();
  struct onr_tensor tensor;
  options.limits = limits;
  const enum onr_status status = onr_tensor_file_load("/", ONR_DTYPE_NONE, &options, &tensor, NULL, 0, &error);
  return status == ONR_STATUS_ARGUMENT ? status : ONR_STATUS_OK; /* a folder */
}

static enum onr_status take_file(const void *options) {
  struct onr_tensor tensor;
  const enum onr_status status = onr_tensor_file_load("/", ONR_DTYPE_NONE, options, &tensor, NULL, 0, &error);
  return status == ONR_STATUS_ARGUMENT ? status : ONR_STATUS_OK;
}

static enum onr_status take_session(const void *options) {
  struct onr_model *model = make_model(NULL);
  struct onr_session *session;
  const enum onr_status status = onr_session_create(model, options, &session, &error);
  assert_int_equal(session == NULL, status != ONR_STATUS_OK);
  onr_session_destroy(session);
  onr_model_destroy(model);
  return status;
}

static const struct taker {
  enum onr_status (*take)(const void *options);
  size_t size;
  const char *name;
} takers[] = {
    {take_model, sizeof(struct onr_model_options), "onr_model_options"},
    {take_memory, sizeof(struct onr_model_options), "onr_model_options"},
    {take_session, sizeof(struct onr_session_options), "onr_session_options"},
    {take_limits, sizeof(struct onr_limits), "onr_limits"},
    {take_limits_of_file, sizeof(struct onr_limits), "onr_limits"},
    {take_file, sizeof(struct onr_tensor_file_options), "onr_tensor_file_options"},
};
enum { NUM_TAKERS = sizeof(takers) / sizeof(takers[0]), MOST = 4096 };

/* Exactly `size` bytes are readable, so that AddressSanitizer sees a read behind them. */
static enum onr_status take(const struct taker *taker, size_t says, size_t size, size_t set) {
  unsigned char *options = test_malloc(size);
  memset(options, 0, size);
  memcpy(options, &says, sizeof(says));
  if (set) options[set] = 1;
  error = (struct onr_error){0};
  const enum onr_status status = taker->take(options);
  test_free(options);
  if (status == ONR_STATUS_ARGUMENT && !strstr(error.message, taker->name))
    fail_msg("'%s' does not name %s", error.message, taker->name);
  return status;
}

static void every_size_that_a_version_can_have_is_taken(void **state) {
  (void)state;
  for (size_t t = 0; t < NUM_TAKERS; t++)
    for (size_t size = sizeof(size); size <= takers[t].size + 64; size += sizeof(size))
      assert_int_equal(take(&takers[t], size, size, 0), ONR_STATUS_OK);
}

static void other_sizes_are_refused(void **state) {
  (void)state;
  for (size_t t = 0; t < NUM_TAKERS; t++) {
    const size_t wrong[] = {0, 1, 7, takers[t].size - 1, takers[t].size + 1, (size_t)1 << 40, SIZE_MAX};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
      assert_int_equal(take(&takers[t], wrong[i], MOST, 0), ONR_STATUS_ARGUMENT);
  }
}

static void what_the_library_does_not_know_must_be_zero(void **state) {
  (void)state;
  for (size_t t = 0; t < NUM_TAKERS; t++)
    for (size_t at = takers[t].size; at < takers[t].size + 16; at++)
      assert_int_equal(take(&takers[t], takers[t].size + 16, takers[t].size + 16, at), ONR_STATUS_ARGUMENT);
}

static void members_behind_the_size_are_not_read(void **state) {
  struct onr_limits limits = onr_limits_init();
  (void)state;
  limits.total_bytes = 16; /* no model is that small */
  assert_int_equal(take_limits(&limits), ONR_STATUS_LIMIT);
  limits.size = offsetof(struct onr_limits, total_bytes);
  assert_int_equal(take_limits(&limits), ONR_STATUS_OK);
  limits.size = offsetof(struct onr_limits, total_bytes) + sizeof(limits.total_bytes);
  assert_int_equal(take_limits(&limits), ONR_STATUS_LIMIT);
}

static void a_limit_is_set_where_the_struct_has_it(void **state) {
  struct onr_limits limits = onr_limits_init(), old = limits, none = {0};
  (void)state;
  assert_int_equal(onr_limits_set(&limits, "plan_bytes", "1K", &error), ONR_STATUS_OK);
  assert_int_equal(limits.plan_bytes, 1024);
  old.size = offsetof(struct onr_limits, plan_bytes);
  assert_int_equal(onr_limits_set(&old, "plan_bytes", "1K", &error), ONR_STATUS_ARGUMENT);
  assert_int_equal(old.plan_bytes, 0);
  assert_int_equal(onr_limits_set(&old, "depth", "3", &error), ONR_STATUS_OK);
  assert_int_equal(onr_limits_set(&none, "depth", "3", &error), ONR_STATUS_ARGUMENT);
  assert_non_null(strstr(error.message, "sizeof(struct onr_limits)"));
}

/* --- structs that the library fills in --- */

static enum onr_status fill_limit(void *info) { return onr_limit(0, info); }
static enum onr_status fill_op(void *info) { return onr_op(0, info); }
static enum onr_status fill_form(void *form) { return onr_op_describe(0, form, &error); }

static enum onr_status fill_model(void *info) {
  struct onr_model *model = make_model(NULL);
  const enum onr_status status = onr_model_get_info(model, info);
  onr_model_destroy(model);
  return status;
}

static enum onr_status fill_node(void *info) {
  struct onr_model *model = make_model(NULL);
  struct onr_session *session;
  float data[2] = {0};
  const struct onr_tensor x = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){2}), data};
  assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_set_input(session, 0, &x, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_plan(session, &error), ONR_STATUS_OK);
  const enum onr_status status = onr_session_node(session, 0, info);
  onr_session_destroy(session);
  onr_model_destroy(model);
  return status;
}

static const struct filler {
  enum onr_status (*fill)(void *info);
  size_t size;
} fillers[] = {
    {fill_limit, sizeof(struct onr_limit_info)}, {fill_op, sizeof(struct onr_op_info)},
    {fill_form, sizeof(struct onr_op_form)},     {fill_model, sizeof(struct onr_model_info)},
    {fill_node, sizeof(struct onr_node_info)},
};

/* Pointers in them may differ from one call to the next, so what is compared is which bytes were written. */
static void no_more_is_written_than_the_size_says(void **state) {
  enum { BEFORE = 0xa5 };
  (void)state;
  for (size_t f = 0; f < sizeof(fillers) / sizeof(fillers[0]); f++)
    for (size_t size = 0; size <= fillers[f].size + 32; size++) {
      unsigned char *info = test_malloc(fillers[f].size + 64);
      memset(info, BEFORE, fillers[f].size + 64);
      memcpy(info, &size, sizeof(size));
      const int good = size >= sizeof(size) && size % sizeof(size) == 0;
      assert_int_equal(fillers[f].fill(info), good ? ONR_STATUS_OK : ONR_STATUS_ARGUMENT);
      for (size_t i = good ? size : sizeof(size); i < fillers[f].size + 64; i++) assert_int_equal(info[i], BEFORE);
      for (size_t i = fillers[f].size; good && i < size; i++) assert_int_equal(info[i], 0);
      assert_memory_equal(info, &size, sizeof(size));
      test_free(info);
    }
}

static void header_and_library_are_of_one_version(void **state) {
  char text[32];
  (void)state;
  snprintf(text, sizeof(text), "onnxrun %d.%d.%d ", ONR_VERSION / 1000000, ONR_VERSION / 1000 % 1000,
           ONR_VERSION % 1000);
  assert_int_equal(onr_version_number(), ONR_VERSION);
  assert_memory_equal(onr_version(), text, strlen(text));
  assert_non_null(strstr(onr_version(), onr_kernel_library()));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_size_that_a_version_can_have_is_taken),
      cmocka_unit_test(other_sizes_are_refused),
      cmocka_unit_test(what_the_library_does_not_know_must_be_zero),
      cmocka_unit_test(members_behind_the_size_are_not_read),
      cmocka_unit_test(a_limit_is_set_where_the_struct_has_it),
      cmocka_unit_test(no_more_is_written_than_the_size_says),
      cmocka_unit_test(header_and_library_are_of_one_version),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
