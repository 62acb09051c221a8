/* A file of packed weights with other bytes in places, with a checksum that is right all the same, or not: the model
 * loads, and no read leaves the file. Where the checksum is wrong, results are those of the model without the file, bit
 * for bit. */
#define _GNU_SOURCE /* memfd_create, mkdtemp */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/base/digest.h"
#include "src/base/env.h"
#include "tests/fuzz/small_model.h"
#include "tests/fuzz/wire.h"
#include "tests/support/proto_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t most, unsigned seed);

enum { SIDE = 6, CHANNELS = 8, ROW = CHANNELS * SIDE * SIDE, OUT = 8, MOST_FILE_BYTES = 1 << 18, MOST_EDITS = 16 };

static struct proto model_bytes;
static unsigned char good[MOST_FILE_BYTES], file[MOST_FILE_BYTES];
static size_t good_size;
static float x[ROW], expected[OUT];

/* As packed_file.c writes it. */
struct header {
  char magic[8];
  uint64_t format, file_bytes, num_records;
  struct onri_digest key[3], checksum;
};

static void add_weight(struct proto *graph, const char *name, const int64_t *dims, size_t rank) {
  struct proto tensor = proto_tensor(name, 1, dims, rank);
  size_t count = 1;
  for (size_t i = 0; i < rank; i++) count *= (size_t)dims[i];
  for (size_t i = 0; i < count; i++) proto_float(&tensor, 4, (float)(i * 37 % 101) / 50 - 1);
  proto_message(graph, 5, &tensor);
}

static void add_shape(struct proto *graph, const char *name, const int64_t *dims, int64_t rank) {
  struct proto tensor = proto_tensor(name, 7, &rank, 1);
  proto_bytes(&tensor, 9, dims, (size_t)rank * sizeof(*dims));
  proto_message(graph, 5, &tensor);
}

static struct proto make_model(void) {
  static const char *const nodes[][3] = {
      {"Reshape", "x image", "i"}, {"Conv", "i w1 b1", "a"}, {"Relu", "a", "b"},       {"Conv", "b w2", "c"},
      {"Reshape", "c row", "r"},   {"MatMul", "r w3", "d"},  {"Reshape", "d out", "y"}};
  struct proto graph = {0}, value;
  for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
    struct proto node = proto_node("", nodes[i][0], nodes[i][1], nodes[i][2]);
    proto_message(&graph, 1, &node);
  }
  add_weight(&graph, "w1", (int64_t[]){CHANNELS, CHANNELS, 1, 1}, 4);
  add_weight(&graph, "b1", (int64_t[]){CHANNELS}, 1);
  add_weight(&graph, "w2", (int64_t[]){CHANNELS, CHANNELS, 3, 3}, 4);
  add_weight(&graph, "w3", (int64_t[]){CHANNELS * (SIDE - 2) * (SIDE - 2), OUT}, 2);
  add_shape(&graph, "image", (int64_t[]){1, CHANNELS, SIDE, SIDE}, 4);
  add_shape(&graph, "row", (int64_t[]){1, -1}, 2);
  add_shape(&graph, "out", (int64_t[]){OUT}, 1);
  value = proto_value("x", ROW);
  proto_message(&graph, 11, &value);
  value = proto_value("y", OUT);
  proto_message(&graph, 12, &value);
  return proto_model(&graph);
}

static enum onr_packed run(const char *packed, int writes, float y[OUT]) {
  const struct onr_model_options options = {.size = sizeof(options),
                                            .allocator = &small_allocator,
                                            .limits = &small_limits,
                                            .packed = packed,
                                            .packed_write = writes};
  const struct onr_tensor in = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){ROW}), x};
  struct onr_model_info info = {.size = sizeof(info)};
  struct onr_session *session = NULL;
  struct onr_model *model = NULL;
  struct onr_error error = {0};
  enum onr_status status = onr_model_load_memory(model_bytes.bytes, model_bytes.size, &options, &model, &error);
  if (status == ONR_STATUS_OK) status = onr_model_get_info(model, &info);
  if (status == ONR_STATUS_OK) status = onr_session_create(model, NULL, &session, &error);
  if (status == ONR_STATUS_OK) status = onr_session_set_input(session, 0, &in, &error);
  if (status == ONR_STATUS_OK) status = onr_session_bind_output(session, 0, y, OUT * sizeof(*y), &error);
  if (status == ONR_STATUS_OK) status = onr_session_run(session, &error);
  if (status != ONR_STATUS_OK) small_abort("a file of packed weights made a model fail", &error);
  if ((info.packed == ONR_PACKED_REFUSED) != (info.packed_note[0] != '\0')) small_abort("no reason", NULL);
  const enum onr_packed packed_how = info.packed;
  onr_session_destroy(session);
  onr_model_destroy(model);
  small_expect_empty();
  return packed_how;
}

static void prepare(void) {
  char folder[] = "/tmp/onnxrun_fuzz_XXXXXX", path[64];
  for (int i = 0; i < ROW; i++) x[i] = (float)(i * 53 % 97) / 40 - 1;
  model_bytes = make_model();
  if (!mkdtemp(folder)) small_abort("no folder", NULL);
  snprintf(path, sizeof(path), "%s/packed", folder);
  if (run(path, 1, expected) != ONR_PACKED_WRITTEN) small_abort("nothing was packed", NULL);
  FILE *from = fopen(path, "rb");
  if (from) {
    good_size = fread(good, 1, sizeof(good), from);
    fclose(from);
  }
  unlink(path);
  rmdir(folder);
  if (good_size < sizeof(struct header) || good_size == sizeof(good)) small_abort("a file of another size", NULL);
}

static const void *range(void *data, uint64_t offset, size_t count, void *target) {
  (void)count, (void)target;
  return (const unsigned char *)data + offset;
}

static void sign(size_t size) {
  struct onr_env env = {.allocator = &small_allocator};
  struct onri_digest checksum = {{0}};
  struct header header;
  memcpy(&header, file, sizeof(header));
  header.file_bytes = size;
  header.checksum = checksum;
  onri_digest_add(&checksum, &header, sizeof(header));
  if (!onri_digest_add_long(&checksum, size - sizeof(header), range, file + sizeof(header), &env)) return;
  header.checksum = checksum;
  memcpy(file, &header, sizeof(header));
}

/* The input: whether it is signed; by how much the size changes; edits of an offset, a length, and as many bytes. Half
 * of all offsets are in the header and the records behind it. */
static size_t edit(const uint8_t *data, size_t size) {
  size_t length = good_size;
  memcpy(file, good, good_size);
  memset(file + good_size, 0, sizeof(file) - good_size);
  if (size < 3) return length;
  const size_t change = data[1] | (size_t)data[2] << 8;
  if (data[0] & 2) length = change <= length ? length - change : 0;
  if (data[0] & 4) length = length + change < sizeof(file) ? length + change : sizeof(file);
  size_t at = 3;
  for (int i = 0; i < MOST_EDITS && at + 4 < size; i++) {
    const size_t far = data[at] & 1 ? 400 : good_size, place = (data[at + 1] | (size_t)data[at + 2] << 8) * 7 % far;
    const size_t count = 1 + data[at + 3] % 16;
    for (size_t k = 0; k < count && at + 4 + k < size; k++) file[place + k] = data[at + 4 + k];
    at += 4 + count;
  }
  return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int fd = -1;
  char path[64];
  float y[OUT];
  if (!good_size) prepare();
  const size_t length = edit(data, size);
  const int is_signed = size > 0 && data[0] & 1 && length >= sizeof(struct header);
  if (is_signed) sign(length);
  if (fd < 0) fd = memfd_create("packed", 0);
  if (ftruncate(fd, 0) != 0 || pwrite(fd, file, length, 0) != (ssize_t)length) small_abort("no file in memory", NULL);
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  run(path, 0, y);
  if (!is_signed && memcmp(y, expected, sizeof(y)) != 0) small_abort("a damaged file changed a result", NULL);
  return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
  (void)seed;
  return LLVMFuzzerMutate(data, size, most);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t most, unsigned seed) {
  /* The edits of both. */
  const size_t kept = a_size < most ? a_size : most, rest = b_size > 3 ? b_size - 3 : 0,
               added = rest < most - kept ? rest : most - kept;
  (void)seed;
  memcpy(out, a, kept);
  if (added) memcpy(out + kept, b + 3, added);
  return kept + added;
}
