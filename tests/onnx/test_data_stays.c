/* A model in memory that outlives it: weights are read in place, from pages that nobody may write to. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "onnxrun/onnxrun.h"
#include "support/counted_memory.h"
#include "support/proto_writer.h"

enum { ROWS = 4096, COLUMNS = 64, TABLE_BYTES = ROWS * COLUMNS * 4, MAPPED = TABLE_BYTES + (1 << 16) };

static struct onr_error error;
static float table[ROWS * COLUMNS];
/* y = table[x], which reads the table as it is, and where `multiplies` z = y . square, which packs its weight. About
 * `behind` bytes follow the table in the file: a doc string. */
static struct proto make_file(int multiplies, size_t behind) {
  const int64_t dims[2] = {ROWS, COLUMNS}, square[2] = {COLUMNS, COLUMNS};
  struct proto graph = {0}, node, tensor, value = {0}, type = {0}, dense = {0}, shape = {0}, dim = {0};
  for (size_t i = 0; i < ROWS * COLUMNS; i++) table[i] = (float)(i % 1009) / 1009;
  node = proto_node("", "Gather", "table x", "y");
  proto_message(&graph, 1, &node);
  if (multiplies) {
    node = proto_node("", "MatMul", "y square", "z");
    proto_message(&graph, 1, &node);
    tensor = proto_tensor("square", ONR_DTYPE_F32, square, 2);
    proto_bytes(&tensor, 9, table, COLUMNS * COLUMNS * 4);
    proto_message(&graph, 5, &tensor);
  }
  proto_text(&dim, 2, "n");
  proto_message(&shape, 1, &dim);
  proto_int(&dense, 1, ONR_DTYPE_I64);
  proto_message(&dense, 2, &shape);
  proto_message(&type, 1, &dense);
  proto_text(&value, 1, "x");
  proto_message(&value, 2, &type);
  proto_message(&graph, 11, &value);
  value = (struct proto){0};
  proto_text(&value, 1, multiplies ? "z" : "y");
  proto_message(&graph, 12, &value);
  tensor = proto_tensor("table", ONR_DTYPE_F32, dims, 2);
  proto_bytes(&tensor, 9, table, TABLE_BYTES);
  proto_message(&graph, 5, &tensor);
  struct proto model = proto_model(&graph);
  char doc[256] = {0};
  assert_true(behind <= sizeof(doc));
  proto_bytes(&model, 6, doc, behind);
  return model;
}

struct loaded {
  char *pages;
  struct onr_model *model;
  size_t weight_bytes, held, most;
};

/* The file is put `shift` bytes behind a page's begin, into pages that are then read-only. */
static struct loaded load(struct proto *file, size_t shift, int data_stays) {
  struct loaded l = {.pages = mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)};
  struct onr_model_options options = onr_model_options_init();
  struct onr_model_info info = onr_model_info_init();
  assert_true(l.pages != MAP_FAILED && shift + file->size <= MAPPED);
  memcpy(l.pages + shift, file->bytes, file->size);
  assert_int_equal(mprotect(l.pages, MAPPED, PROT_READ), 0);
  options.allocator = &counted_memory;
  options.data_stays = data_stays;
  counted_most = counted_bytes;
  const size_t before = counted_bytes;
  if (onr_model_load_memory(l.pages + shift, file->size, &options, &l.model, &error) != ONR_STATUS_OK)
    fail_msg("%s", error.message);
  assert_int_equal(onr_model_get_info(l.model, &info), ONR_STATUS_OK);
  l.weight_bytes = info.weight_bytes;
  l.held = counted_bytes - before;
  l.most = counted_most - before;
  return l;
}

static void unload(struct loaded *l) {
  onr_model_destroy(l->model);
  munmap(l->pages, MAPPED);
}

static void run(const struct loaded *l, float *y) {
  int64_t indices[3] = {0, 17, ROWS - 1};
  const struct onr_tensor x = {onr_desc_make(ONR_DTYPE_I64, 1, (int64_t[]){3}), indices};
  struct onr_session *session;
  struct onr_tensor found;
  assert_int_equal(onr_session_create(l->model, NULL, &session, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_set_input(session, 0, &x, &error), ONR_STATUS_OK);
  if (onr_session_run(session, &error) != ONR_STATUS_OK) fail_msg("%s", error.message);
  assert_int_equal(onr_session_get_output(session, 0, &found, &error), ONR_STATUS_OK);
  assert_int_equal(onr_desc_elements(&found.desc), 3 * COLUMNS);
  memcpy(y, found.data, onr_desc_bytes(&found.desc));
  onr_session_destroy(session);
}

/* Where the table begins in the file. */
static size_t offset_of_table(const struct proto *file) {
  for (size_t at = 0; at + TABLE_BYTES <= file->size; at++)
    if (!memcmp(file->bytes + at, table, TABLE_BYTES)) return at;
  fail();
  return 0;
}

static void weights_are_read_in_place(void **state) {
  enum { BEHIND = 256 };
  (void)state;
  for (int multiplies = 0; multiplies < 2; multiplies++) {
    struct proto file = make_file(multiplies, BEHIND);
    const size_t aligned = (64 - offset_of_table(&file) % 64) % 64;
    float expected[3 * COLUMNS], y[3 * COLUMNS];
    struct loaded copied = load(&file, aligned, 0);
    run(&copied, expected);
    assert_true(copied.held > TABLE_BYTES);
    unload(&copied);
    for (size_t shift = 0; shift < 8; shift++) {
      struct loaded l = load(&file, aligned + shift, 1);
      const int in_place = shift % 4 == 0;
      run(&l, y);
      assert_memory_equal(y, expected, sizeof(y));
      assert_int_equal(l.held < TABLE_BYTES / 8, in_place);
      assert_int_equal(l.most < TABLE_BYTES / 4, in_place);
      assert_int_equal(l.weight_bytes < TABLE_BYTES / 8, in_place);
      unload(&l);
    }
    proto_free(&file);
  }
  assert_int_equal(counted_bytes, 0);
}

/* Kernels may read some bytes past the end of a weight, so they must be there. */
static void a_weight_at_the_very_end_is_copied(void **state) {
  (void)state;
  for (size_t behind = 1; behind < 200; behind += 20) {
    struct proto file = make_file(0, behind);
    const size_t offset = offset_of_table(&file), left = file.size - offset - TABLE_BYTES;
    float y[3 * COLUMNS];
    struct loaded l = load(&file, (64 - offset % 64) % 64, 1);
    run(&l, y);
    assert_int_equal(l.held > TABLE_BYTES, left < 128);
    unload(&l);
    proto_free(&file);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weights_are_read_in_place),
      cmocka_unit_test(a_weight_at_the_very_end_is_copied),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
