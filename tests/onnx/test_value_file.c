/* Files of values, byte by byte: every kind and nesting, what does not fit, and memory that runs out at every single
 * allocation. */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "onnxrun/onnxrun.h"
#include "onnxrun/tensor_file.h"
#include "support/counted_memory.h"
#include "support/proto_writer.h"

static char path[64];
static struct onr_error error;

static int set_up(void **state) {
  (void)state;
  strcpy(path, "/tmp/onnxrun-value-XXXXXX");
  const int fd = mkstemp(path);
  return fd < 0 || close(fd);
}

static int tear_down(void **state) {
  (void)state;
  return unlink(path);
}

static enum onr_status load(enum onr_dtype kind, const struct onr_limits *limits) {
  const struct onr_tensor_file_options options = {
      .size = sizeof(options), .allocator = &counted_memory, .limits = limits};
  struct onr_tensor value;
  char name[8];
  const enum onr_status status = onr_tensor_file_load(path, kind, &options, &value, name, sizeof(name), &error);
  if (status == ONR_STATUS_OK) onr_tensor_release(&counted_memory, &value);
  else assert_null(value.data);
  assert_int_equal(counted_live, 0);
  return status;
}

static void write_file(struct proto *value) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(value->bytes, 1, value->size, file), value->size);
  assert_int_equal(fclose(file), 0);
  proto_free(value);
}

/* What the file ends in, and that every allocation may fail on the way there. */
static void expect(enum onr_dtype kind, struct proto *value, enum onr_status expected) {
  write_file(value);
  counted_memory_begin();
  assert_int_equal(load(kind, NULL), expected);
  const size_t total = counted_total;
  for (size_t k = 1; k <= total; k++) {
    counted_memory_begin();
    counted_fail_at = k;
    const enum onr_status status = load(kind, NULL);
    if (status != expected) assert_int_equal(status, ONR_STATUS_NO_MEMORY);
  }
  counted_memory_begin();
}

static struct proto tensor(int32_t dtype, int64_t count) {
  static const char zeros[64];
  struct proto t = proto_tensor("t", dtype, &count, 1);
  proto_bytes(&t, 9, zeros, (size_t)count * (dtype == 7 ? 8 : 4));
  return t;
}

static struct proto text(const char *word) {
  const int64_t one = 1;
  struct proto t = proto_tensor("t", 8, &one, 1);
  proto_text(&t, 6, word);
  return t;
}

/* A message that holds one other in this field. */
static struct proto holder(uint32_t field, struct proto inner) {
  struct proto h = {0};
  proto_message(&h, field, &inner);
  return h;
}

enum { TENSORS = 3, SEQUENCES = 5, MAPS = 6, OPTIONALS = 7, OPTIONAL_TENSOR = 3, OPTIONAL_SEQUENCE = 5, OPTIONAL = 7 };

static struct proto map(int64_t keys, struct proto values) {
  struct proto m = {0};
  proto_text(&m, 1, "m");
  for (int64_t i = 0; i < keys; i++) proto_int(&m, 3, i);
  proto_message(&m, 5, &values);
  return m;
}

static struct proto two(struct proto a, struct proto b) {
  struct proto s = holder(TENSORS, a);
  proto_message(&s, TENSORS, &b);
  return s;
}

static void test_tensors(void **state) {
  struct proto t = tensor(1, 3);
  (void)state;
  expect(ONR_DTYPE_F32, &t, ONR_STATUS_OK);
  t = text("some words that are longer than a name");
  expect(ONR_DTYPE_F32, &t, ONR_STATUS_OK);
  t = tensor(99, 0);
  expect(ONR_DTYPE_F32, &t, ONR_STATUS_TYPE);
  static unsigned char bools[5000];
  const int64_t count = sizeof(bools);
  bools[4000] = 2;
  t = proto_tensor("t", 9, &count, 1), proto_bytes(&t, 9, bools, sizeof(bools));
  expect(ONR_DTYPE_F32, &t, ONR_STATUS_DATA);
}

static void test_sequences(void **state) {
  struct proto s = two(text("a"), tensor(1, 2)), inner = holder(TENSORS, tensor(7, 1)), m = map(1, inner);
  (void)state;
  proto_text(&s, 1, "s");
  expect(ONR_DTYPE_SEQUENCE, &s, ONR_STATUS_OK);
  s = holder(MAPS, m);
  inner = holder(TENSORS, tensor(1, 4)), proto_message(&s, SEQUENCES, &inner);
  inner = holder(OPTIONAL_TENSOR, tensor(1, 4)), proto_message(&s, OPTIONALS, &inner);
  expect(ONR_DTYPE_SEQUENCE, &s, ONR_STATUS_OK);
  for (uint32_t field = SEQUENCES; field <= OPTIONALS; field++) { /* what is inside is wrong */
    s = holder(field, field == MAPS ? map(1, holder(TENSORS, tensor(99, 0))) : holder(3, tensor(99, 0)));
    expect(ONR_DTYPE_SEQUENCE, &s, ONR_STATUS_TYPE);
  }
}

static void test_optionals(void **state) {
  struct proto o = holder(OPTIONAL, holder(OPTIONAL_TENSOR, tensor(1, 2)));
  (void)state;
  expect(ONR_DTYPE_OPTIONAL, &o, ONR_STATUS_OK);
  o = holder(OPTIONAL_SEQUENCE, holder(TENSORS, tensor(1, 2)));
  expect(ONR_DTYPE_OPTIONAL, &o, ONR_STATUS_OK);
  o = (struct proto){0}, proto_text(&o, 1, "none");
  expect(ONR_DTYPE_OPTIONAL, &o, ONR_STATUS_OK);
  o = holder(OPTIONAL, holder(OPTIONAL_TENSOR, tensor(99, 0)));
  expect(ONR_DTYPE_OPTIONAL, &o, ONR_STATUS_TYPE);
  o = holder(OPTIONAL_SEQUENCE, holder(TENSORS, tensor(99, 0)));
  expect(ONR_DTYPE_OPTIONAL, &o, ONR_STATUS_TYPE);
}

static void test_maps(void **state) {
  struct proto m = map(2, two(tensor(1, 1), tensor(1, 1)));
  (void)state;
  expect(ONR_DTYPE_MAP, &m, ONR_STATUS_OK);
  m = (struct proto){0};
  proto_text(&m, 4, "key"), proto_text(&m, 4, "other");
  struct proto values = two(text("a"), text("b"));
  proto_message(&m, 5, &values);
  expect(ONR_DTYPE_MAP, &m, ONR_STATUS_OK);
  m = map(2, two(tensor(1, 1), tensor(1, 2))); /* one value a key */
  expect(ONR_DTYPE_MAP, &m, ONR_STATUS_DATA);
  m = map(2, two(tensor(1, 1), tensor(7, 1))); /* of one type */
  expect(ONR_DTYPE_MAP, &m, ONR_STATUS_DATA);
  m = map(2, holder(TENSORS, tensor(1, 1)));
  expect(ONR_DTYPE_MAP, &m, ONR_STATUS_DATA);
  m = map(1, holder(TENSORS, tensor(99, 0)));
  expect(ONR_DTYPE_MAP, &m, ONR_STATUS_TYPE);
  m = map(1, holder(TENSORS, tensor(1, 1))), proto_text(&m, 4, "key");
  expect(ONR_DTYPE_MAP, &m, ONR_STATUS_DATA);
}

static void test_arguments(void **state) {
  const struct onr_limits small = {.size = sizeof(small), .tensor_bytes = 8};
  const struct onr_allocator half = {.allocate = counted_memory.allocate};
  struct onr_tensor value = {.data = &error};
  struct proto t = tensor(1, 3);
  (void)state;
  write_file(&t);
  assert_int_equal(load(ONR_DTYPE_F32, &small), ONR_STATUS_LIMIT);
  assert_int_equal(onr_tensor_file_load(path, ONR_DTYPE_F32, NULL, &value, NULL, 0, NULL), ONR_STATUS_OK);
  onr_tensor_release(&half, &value); /* no allocator: nothing is done */
  assert_non_null(value.data);
  onr_tensor_release(NULL, &value);
  assert_null(value.data);
  const struct onr_tensor_file_options wrong = {.size = 1},
                                       no_release = {.size = sizeof(no_release), .allocator = &half},
                                       bad_limits = {.size = sizeof(bad_limits),
                                                     .limits = &(struct onr_limits){.size = 1}};
  assert_int_equal(onr_tensor_file_load(path, ONR_DTYPE_F32, &wrong, &value, NULL, 0, NULL), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_tensor_file_load(path, ONR_DTYPE_F32, &no_release, &value, NULL, 0, NULL), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_tensor_file_load(path, ONR_DTYPE_F32, &bad_limits, &value, NULL, 0, NULL), ONR_STATUS_ARGUMENT);
  char name[1] = "x"; /* without room */
  assert_int_equal(onr_tensor_file_load(path, ONR_DTYPE_F32, NULL, &value, name, 0, NULL), ONR_STATUS_OK);
  onr_tensor_release(NULL, &value);
  t = (struct proto){0};
  write_file(&t);
  for (int kind = ONR_DTYPE_MAP; kind <= ONR_DTYPE_OPTIONAL; kind++)
    if (load((enum onr_dtype)kind, NULL) == ONR_STATUS_INTERNAL) fail();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_tensors), cmocka_unit_test(test_sequences),
                                     cmocka_unit_test(test_optionals), cmocka_unit_test(test_maps),
                                     cmocka_unit_test(test_arguments)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
