/* Models with a file for each weight, more of them than stay open: loaded, packed, opened for another default, and what
 * becomes of one whose files change behind its back. */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "onnxrun/onnxrun.h"
#include "support/counted_memory.h"
#include "support/proto_writer.h"

enum { FILES = 140 /* 128 stay open */, COUNT = 600 /* a weight that is not read at once */ };

static char root[64];
static struct onr_error error;
static float weight[COUNT], x[COUNT], scale[COUNT], y[COUNT];
static size_t uses;

static const char *path_of(const char *name) {
  static char path[2][128];
  static int turn;
  turn = !turn;
  snprintf(path[turn], sizeof(path[turn]), "%s/%s", root, name);
  return path[turn];
}

static const char *file_of(int i) {
  static char name[32];
  snprintf(name, sizeof(name), "w%d.bin", i);
  return path_of(name);
}

static void write_file(const char *path, const void *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

/* y = x + scale + w0 + w1 + ..., each w in a file of its own; scale may be given. */
static struct proto make_model(void) {
  const int64_t count = COUNT;
  static char names[FILES * 8 + 16];
  struct proto graph = {0}, node, tensor, value;
  strcpy(names, "x scale");
  for (int i = 0; i < FILES; i++) {
    char name[8], file[16];
    snprintf(name, sizeof(name), "w%d", i), snprintf(file, sizeof(file), "w%d.bin", i);
    strcat(strcat(names, " "), name);
    tensor = proto_tensor(name, 1, &count, 1);
    struct proto location = proto_entry("location", file);
    proto_message(&tensor, 13, &location), proto_int(&tensor, 14, 1), proto_message(&graph, 5, &tensor);
  }
  tensor = proto_tensor("scale", 1, &count, 1), proto_bytes(&tensor, 9, scale, sizeof(scale));
  proto_message(&graph, 5, &tensor);
  node = proto_node("", "Sum", names, "y"), proto_message(&graph, 1, &node);
  value = proto_value("x", COUNT), proto_message(&graph, 11, &value);
  value = proto_value("scale", COUNT), proto_message(&graph, 11, &value);
  value = proto_value("y", COUNT), proto_message(&graph, 12, &value);
  return proto_model(&graph);
}

static int set_up(void **state) {
  (void)state;
  strcpy(root, "/tmp/onnxrun-models-XXXXXX");
  if (!mkdtemp(root)) return 1;
  for (int i = 0; i < COUNT; i++) weight[i] = (float)(i % 7), x[i] = (float)(i % 5), scale[i] = 1;
  for (int i = 0; i < FILES; i++) write_file(file_of(i), weight, sizeof(weight));
  struct proto file = make_model();
  write_file(path_of("m.onnx"), file.bytes, file.size);
  proto_free(&file);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  for (int i = 0; i < FILES; i++) unlink(file_of(i));
  unlink(path_of("m.onnx")), unlink(path_of("packed.onr")), unlink(path_of("out.onnx"));
  return rmdir(root);
}

static void count_use(void *context, const char *kind, const char *domain, const char *name) {
  (void)context, (void)domain;
  uses += !strcmp(kind, "part") && (!strcmp(name, "external") || !strcmp(name, "packed"));
}

static struct onr_model_options options_of(void) {
  struct onr_model_options options = onr_model_options_init();
  options.allocator = &counted_memory;
  options.uses = count_use;
  return options;
}

/* other: of scale. */
static enum onr_status run(const struct onr_model *model, const float *other) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){COUNT});
  const struct onr_tensor in = {desc, x}, given = {desc, (void *)(uintptr_t)other};
  struct onr_session *session;
  enum onr_status status = onr_session_create(model, NULL, &session, &error);
  if (status == ONR_STATUS_OK) status = onr_session_set_input(session, 0, &in, &error);
  if (status == ONR_STATUS_OK && other) status = onr_session_set_input(session, 1, &given, &error);
  if (status == ONR_STATUS_OK) status = onr_session_bind_output(session, 0, y, sizeof(y), &error);
  if (status == ONR_STATUS_OK) status = onr_session_run(session, &error);
  for (int i = 0; status == ONR_STATUS_OK && i < COUNT; i++)
    assert_true(y[i] == x[i] + FILES * weight[i] + (other ? other[i] : 1));
  onr_session_destroy(session);
  return status;
}

static enum onr_status load_and_run(const char *name) {
  static float other[COUNT];
  const struct onr_model_options options = options_of();
  struct onr_model *model;
  for (int i = 0; i < COUNT; i++) other[i] = (float)(i % 3);
  enum onr_status status = onr_model_load(path_of(name), &options, &model, &error);
  if (status != ONR_STATUS_OK) return status;
  status = run(model, NULL);
  if (status == ONR_STATUS_OK && onr_model_num_defaults(model)) status = run(model, other);
  onr_model_destroy(model);
  return status;
}

static enum onr_status pack(void) {
  const struct onr_model_options options = options_of();
  return onr_model_pack(path_of("m.onnx"), &options, path_of("packed.onr"), &error);
}

static enum onr_status run_packed(void) { return load_and_run("packed.onr"); }
static enum onr_status run_plain(void) { return load_and_run("m.onnx"); }
static enum onr_status optimise(void) {
  const struct onr_model_options options = options_of();
  return onr_model_optimise(path_of("m.onnx"), &options, path_of("out.onnx"), NULL, &error);
}

/* All of it, and with some of the allocations failing, spread over all. */
static void try_all(enum onr_status (*deed)(void)) {
  enum { POINTS = 300 };
  counted_memory_begin();
  if (deed() != ONR_STATUS_OK) fail_msg("%s", error.message);
  assert_int_equal(counted_live, 0);
  const size_t total = counted_total;
  for (size_t k = 1; k <= total; k += 1 + total / POINTS) {
    counted_memory_begin();
    counted_fail_at = k;
    const enum onr_status status = deed();
    if (status != ONR_STATUS_OK) assert_int_equal(status, ONR_STATUS_NO_MEMORY);
    assert_int_equal(counted_live, 0);
  }
  counted_memory_begin();
}

static void test_memory(void **state) {
  (void)state;
  try_all(run_plain);
  try_all(pack);
  try_all(run_packed);
  try_all(optimise);
  assert_true(uses > 0);
}

static void test_arguments(void **state) {
  const struct onr_allocator half = {.allocate = counted_memory.allocate};
  struct onr_model_options options = options_of();
  (void)state;
  options.allocator = &half;
  assert_int_equal(onr_model_pack(path_of("m.onnx"), &options, path_of("out.onnx"), &error), ONR_STATUS_ARGUMENT);
  options = options_of(), options.size = 1;
  assert_int_equal(onr_model_pack(path_of("m.onnx"), &options, path_of("out.onnx"), &error), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_model_optimise(path_of("m.onnx"), &options, path_of("out.onnx"), NULL, &error),
                   ONR_STATUS_ARGUMENT);
  options = options_of(), options.external_directory = path_of("w0.bin");
  struct onr_model *model;
  assert_int_equal(onr_model_load(path_of("m.onnx"), &options, &model, &error), ONR_STATUS_IO);
  assert_non_null(strstr(error.message, "it is a file"));
}

/* A model in memory has no folder, but one that the caller names. */
static void test_from_memory(void **state) {
  struct onr_model_options options = options_of();
  struct proto file = make_model();
  struct onr_model *model;
  char directory[sizeof(root)];
  (void)state;
  strcpy(directory, root);
  options.external_directory = directory;
  counted_memory_begin();
  assert_int_equal(onr_model_load_memory(file.bytes, file.size, &options, &model, &error), ONR_STATUS_OK);
  proto_free(&file); /* the model has what it needs for another scale */
  assert_int_equal(run(model, NULL), ONR_STATUS_OK);
  assert_int_equal(run(model, scale), ONR_STATUS_OK);
  onr_model_destroy(model);
}

/* Weights that are read again, for another default: what lies there meanwhile is another file, a shorter one, or none.
 */
static void test_files_that_change(void **state) {
  const struct onr_model_options options = options_of();
  struct onr_model *model;
  (void)state;
  for (int change = 0; change < 3; change++) {
    assert_int_equal(onr_model_load(path_of("m.onnx"), &options, &model, &error), ONR_STATUS_OK);
    assert_int_equal(run(model, NULL), ONR_STATUS_OK);
    if (change == 0)
      write_file(path_of("out.onnx"), weight, sizeof(weight)), rename(path_of("out.onnx"), file_of(FILES - 1));
    else if (change == 1) assert_int_equal(truncate(file_of(FILES - 1), 8), 0);
    else assert_int_equal(unlink(file_of(FILES - 1)), 0);
    const enum onr_status status = run(model, scale);
    assert_true(change == 0 ? status == ONR_STATUS_OK || status == ONR_STATUS_EXTERNAL : status == ONR_STATUS_EXTERNAL);
    onr_model_destroy(model);
    write_file(file_of(FILES - 1), weight, sizeof(weight));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory), cmocka_unit_test(test_arguments),
                                     cmocka_unit_test(test_from_memory), cmocka_unit_test(test_files_that_change)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
