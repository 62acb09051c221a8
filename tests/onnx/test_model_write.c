/* onr_model_optimise out of memory, at every allocation: NO_MEMORY, nothing held, no file. */
#define _POSIX_C_SOURCE 200809L
#include "support/counted_memory.h"
#include "support/layer_test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onnxrun/onnxrun.h"

static char target[] = "/tmp/onnxrun_write_XXXXXX";

static enum onr_status write_once(const char *path, struct onr_error *error) {
  struct onr_model_options options = onr_model_options_init();
  options.allocator = &counted_memory;
  return onr_model_optimise(path, &options, target, NULL, error);
}

static void fail_everywhere(const char *path) {
  enum { STEP = 7 }; /* all of them would take minutes */
  struct onr_error error = {0};
  counted_memory_begin();
  assert_int_equal(write_once(path, &error), ONR_STATUS_OK);
  const size_t total = counted_total;
  assert_int_equal(counted_live, 0);
  assert_int_equal(unlink(target), 0);
  for (size_t n = 1; n <= total; n += n + 60 > total ? 1 : STEP) {
    counted_memory_begin();
    counted_fail_at = n;
    const enum onr_status status = write_once(path, &error);
    assert_int_equal(counted_live, 0);
    /* A rewrite may do without what it cannot have. */
    if (status == ONR_STATUS_OK) assert_int_equal(unlink(target), 0);
    else assert_int_equal(status, ONR_STATUS_NO_MEMORY);
    assert_int_equal(access(target, F_OK), -1);
  }
}

static void test_no_memory(void **state) {
  (void)state;
  fail_everywhere(ONNXRUN_FIXTURES "/mlp_ts9/model.onnx");
  fail_everywhere(ONNXRUN_FIXTURES "/while_loop_dynamo/model.onnx");
  fail_everywhere(ONNXRUN_FIXTURES "/softmax_ts9/model.onnx");
}

static void test_arguments(void **state) {
  struct onr_error error = {0};
  (void)state;
  assert_int_equal(onr_model_optimise(NULL, NULL, target, NULL, &error), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_model_optimise("x", NULL, NULL, NULL, NULL), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_model_optimise("/nowhere/x.onnx", NULL, target, NULL, &error), ONR_STATUS_IO);
}

static void test_info(void **state) {
  struct onr_model_info info = {.size = sizeof(info)};
  struct onr_error error = {0};
  (void)state;
  assert_int_equal(onr_model_optimise(ONNXRUN_FIXTURES "/batchnorm2d_ts9/model.onnx", NULL, target, &info, &error),
                   ONR_STATUS_OK);
  assert_int_equal(info.num_nodes, 1); /* BatchNormalization stays what it is where no weights take it in */
  assert_int_equal(unlink(target), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_memory),
      cmocka_unit_test(test_arguments),
      cmocka_unit_test(test_info),
  };
  const int fd = mkstemp(target);
  if (fd < 0) return 1;
  close(fd);
  unlink(target);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
