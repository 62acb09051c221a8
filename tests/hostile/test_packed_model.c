/* A packed model, which a stranger may have made: what is cut, changed or forged with right checksums ends in an error
 * or computes what it should, and nothing outside of the file is read. */
#define _POSIX_C_SOURCE 200809L
#include "support/layer_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/memory/blocks.h"
#include "onnxrun/onnxrun.h"
#include "support/proto_writer.h"

enum { IN = 64, OUT = 32 };

static char folder[] = "/tmp/onnxrun_packed_model_XXXXXX", model_path[80], packed_path[80];
static float x[IN], expected[OUT];

struct bytes {
  unsigned char *data;
  size_t size;
};

/* As packed_model.c and packed_file.c write them. */
struct head {
  char magic[8];
  uint64_t format, file_bytes, num_sources, part_at, part_bytes;
  struct onri_digest checksum;
};
struct part {
  char magic[8];
  uint64_t format, file_bytes, num_records;
  struct onri_digest key[3], checksum;
};

static void write_file(const char *path, const void *data, size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

static struct bytes read_file(const char *path) {
  struct bytes b = {NULL, 0};
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  fseek(file, 0, SEEK_END);
  b.size = (size_t)ftell(file);
  rewind(file);
  b.data = malloc(b.size + 1);
  assert_int_equal(fread(b.data, 1, b.size, file), b.size);
  fclose(file);
  return b;
}

/* y = x * w + table[1] */
static struct proto make_model(void) {
  struct proto graph = {0}, value;
  const int64_t weight_dims[] = {IN, OUT}, table_dims[] = {400, OUT}, index = 1;
  float w[IN * OUT], *table = calloc(400 * OUT, sizeof(*table));
  const struct {
    const char *op, *inputs, *output;
  } nodes[] = {{"MatMul", "x w", "p"}, {"Gather", "table index", "row"}, {"Add", "p row", "y"}};
  for (size_t i = 0; i < 3; i++) {
    struct proto node = proto_node("", nodes[i].op, nodes[i].inputs, nodes[i].output);
    proto_message(&graph, 1, &node);
  }
  for (int i = 0; i < IN * OUT; i++) w[i] = (float)(i % 97 - 48) / 50;
  for (int i = 0; i < 400 * OUT; i++) table[i] = (float)(i % 89) / 8;
  struct proto tensor = proto_tensor("w", 1, weight_dims, 2);
  proto_bytes(&tensor, 9, w, sizeof(w));
  proto_message(&graph, 5, &tensor);
  tensor = proto_tensor("table", 1, table_dims, 2);
  proto_bytes(&tensor, 9, table, 400 * OUT * sizeof(*table));
  proto_message(&graph, 5, &tensor);
  tensor = proto_tensor("index", 7, NULL, 0);
  proto_bytes(&tensor, 9, &index, sizeof(index));
  proto_message(&graph, 5, &tensor);
  value = proto_value("x", IN);
  proto_message(&graph, 11, &value);
  value = proto_value("y", OUT);
  proto_message(&graph, 12, &value);
  for (int o = 0; o < OUT; o++) {
    double sum = (double)table[OUT + o];
    for (int i = 0; i < IN; i++) sum += (double)x[i] * (double)w[i * OUT + o];
    expected[o] = (float)sum;
  }
  free(table);
  return proto_model(&graph);
}

/* matches: where it runs, the results must be right. */
static enum onr_status run(const struct bytes *file, int matches) {
  struct onr_session *session = NULL;
  struct onr_model *model;
  struct onr_error error;
  float y[OUT];
  const struct onr_tensor in = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){IN}), x};
  write_file(packed_path, file->data, file->size);
  enum onr_status status = onr_model_load(packed_path, NULL, &model, &error);
  if (status != ONR_STATUS_OK) return status;
  assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
  status = onr_session_set_input(session, 0, &in, &error);
  if (status == ONR_STATUS_OK) status = onr_session_bind_output(session, 0, y, sizeof(y), &error);
  if (status == ONR_STATUS_OK) status = onr_session_run(session, &error);
  for (int i = 0; matches && status == ONR_STATUS_OK && i < OUT; i++)
    if (!(y[i] - expected[i] < 1e-4f && expected[i] - y[i] < 1e-4f)) fail_msg("element %d is %g", i, (double)y[i]);
  onr_session_destroy(session);
  onr_model_destroy(model);
  return status;
}

static const void *range(void *data, uint64_t offset, size_t count, void *target) {
  (void)count, (void)target;
  return (const unsigned char *)data + offset;
}

/* A checksum that is right, where the head leaves a file that has one. */
static void sign(struct bytes *b) {
  struct onr_env env = {.allocator = &onri_malloc_allocator};
  struct onri_digest checksum = {{0}};
  struct head head;
  struct part part;
  memcpy(&head, b->data, sizeof(head));
  if (head.part_at > b->size || head.part_at < sizeof(head) || b->size - head.part_at < sizeof(part)) return;
  memcpy(&part, b->data + head.part_at, sizeof(part));
  if (part.num_records > (b->size - head.part_at - sizeof(part)) / sizeof(struct onri_block_record)) return;
  const uint64_t bytes =
      head.part_at - sizeof(head) + sizeof(part) + part.num_records * sizeof(struct onri_block_record);
  head.checksum = (struct onri_digest){{0}};
  onri_digest_add(&checksum, &head, sizeof(head));
  assert_true(onri_digest_add_long(&checksum, bytes, range, b->data + sizeof(head), &env));
  head.checksum = checksum;
  memcpy(b->data, &head, sizeof(head));
}

static struct bytes good_file(size_t *checked) {
  struct head head;
  struct part part;
  struct onr_error error;
  if (onr_model_pack(model_path, NULL, packed_path, &error) != ONR_STATUS_OK) fail_msg("%s", error.message);
  struct bytes good = read_file(packed_path);
  memcpy(&head, good.data, sizeof(head));
  memcpy(&part, good.data + head.part_at, sizeof(part));
  *checked = (size_t)head.part_at + sizeof(part) + (size_t)part.num_records * sizeof(struct onri_block_record);
  return good;
}

static void it_computes_the_same(void **state) {
  size_t checked;
  struct bytes good = good_file(&checked);
  (void)state;
  assert_int_equal(run(&good, 1), ONR_STATUS_OK);
  assert_true(good.size < 4 * (IN * OUT + 400 * OUT) * sizeof(float));
  free(good.data);
}

static void what_is_cut_or_changed_is_seen(void **state) {
  size_t checked;
  struct bytes good = good_file(&checked);
  (void)state;
  for (size_t size = 0; size < good.size; size += size < 400 ? 7 : good.size / 11) {
    const struct bytes cut = {good.data, size};
    assert_int_not_equal(run(&cut, 1), ONR_STATUS_OK);
  }
  for (size_t at = 0; at < checked; at += at < 400 ? 3 : 1009) {
    good.data[at] ^= (unsigned char)(1 << at % 8);
    assert_int_not_equal(run(&good, 1), ONR_STATUS_OK);
    good.data[at] ^= (unsigned char)(1 << at % 8);
  }
  assert_int_equal(run(&good, 1), ONR_STATUS_OK);
  free(good.data);
}

/* Every number of the head, of the entry and of its extents lies, with a right checksum. */
static void numbers_that_lie_hurt_nobody(void **state) {
  size_t checked;
  struct bytes good = good_file(&checked);
  unsigned char *kept = malloc(good.size);
  uint64_t entry[5];
  (void)state;
  memcpy(kept, good.data, good.size);
  memcpy(entry, good.data + sizeof(struct head), sizeof(entry)); /* size, extents, where, name, where */
  const uint64_t lies[] = {0,
                           1,
                           7,
                           8,
                           good.size - 8,
                           good.size,
                           good.size + 4096,
                           UINT64_C(1) << 32,
                           UINT64_C(1) << 61,
                           UINT64_C(1) << 63,
                           UINT64_MAX - 7,
                           UINT64_MAX};
  size_t places[128], count = 0;
  for (size_t at = 8; at < offsetof(struct head, checksum); at += 8) places[count++] = at;
  for (size_t at = 0; at < sizeof(entry); at += 8) places[count++] = sizeof(struct head) + at;
  assert_in_range(entry[1], 1, 30);
  for (uint64_t i = 0; i < entry[1] * 3; i++) places[count++] = (size_t)(entry[2] + i * 8);
  for (size_t p = 0; p < count; p++)
    for (size_t k = 0; k < sizeof(lies) / sizeof(lies[0]); k++) {
      memcpy(good.data + places[p], &lies[k], sizeof(lies[k]));
      sign(&good);
      run(&good, 0);
      memcpy(good.data, kept, good.size);
    }
  free(kept);
  free(good.data);
}

static void records_that_lie_are_not_believed(void **state) {
  size_t checked;
  struct bytes good = good_file(&checked);
  struct head head;
  struct part part;
  (void)state;
  memcpy(&head, good.data, sizeof(head));
  memcpy(&part, good.data + head.part_at, sizeof(part));
  unsigned char *records = good.data + head.part_at + sizeof(part);
  for (size_t i = 0; i < part.num_records; i++) {
    struct onri_block_record record;
    memcpy(&record, records + i * sizeof(record), sizeof(record));
    const struct onri_block_record lies[] = {{0, record.bytes, record.at},
                                             {record.kind, UINT64_MAX, record.at},
                                             {record.kind, record.bytes, head.part_bytes},
                                             {record.kind, record.bytes, UINT64_MAX - 63},
                                             {record.kind, record.bytes + 64, record.at},
                                             {record.kind, record.bytes, record.at + 4}};
    for (size_t k = 0; record.kind == ONRI_BLOCK_DATA && k < sizeof(lies) / sizeof(lies[0]); k++) {
      memcpy(records + i * sizeof(record), &lies[k], sizeof(record));
      sign(&good);
      run(&good, 1);
    }
    memcpy(records + i * sizeof(record), &record, sizeof(record));
  }
  free(good.data);
}

/* Blocks are not compared with their checksum by a load: whatever is in them is only a number. */
static void blocks_of_anything_run(void **state) {
  size_t checked;
  struct bytes good = good_file(&checked);
  (void)state;
  for (int round = 0; round < 3; round++) {
    memset(good.data + checked, round == 0 ? 0xFF : round == 1 ? 0x80 : 0x7F, good.size - checked);
    assert_int_equal(run(&good, 0), ONR_STATUS_OK);
  }
  free(good.data);
}

static int set_up(void **state) {
  (void)state;
  for (int i = 0; i < IN; i++) x[i] = (float)(i % 13 - 6) / 7;
  if (!mkdtemp(folder)) return 1;
  snprintf(model_path, sizeof(model_path), "%s/model.onnx", folder);
  snprintf(packed_path, sizeof(packed_path), "%s/model.onr", folder);
  struct proto model = make_model();
  write_file(model_path, model.bytes, model.size);
  proto_free(&model);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  unlink(model_path);
  unlink(packed_path);
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_computes_the_same),         cmocka_unit_test(what_is_cut_or_changed_is_seen),
      cmocka_unit_test(numbers_that_lie_hurt_nobody), cmocka_unit_test(records_that_lie_are_not_believed),
      cmocka_unit_test(blocks_of_anything_run),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
