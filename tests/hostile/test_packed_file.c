/* packed weights in a file: what is mapped computes the same bits as what is packed, and a file that is damaged,
 * forged, of another model or no file at all costs time, says why, and changes no result. */
#define _POSIX_C_SOURCE 200809L
#include "support/counted_memory.h"
#include "support/layer_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/memory/blocks.h"
#include "onnxrun/onnxrun.h"
#include "support/proto_writer.h"

enum { SIDE = 24, IN = 64, INPUTS = IN * SIDE * SIDE, WIDTH = 256, OUT = 32, ROWS = 2000 };

static char folder[] = "/tmp/onnxrun_packed_XXXXXX", packed_path[64];
static struct proto model_file;
static float x[INPUTS], expected[OUT];

/* --- a model whose weights are packed in every way, or kept --- */

static void add_weight(struct proto *graph, const char *name, const int64_t *dims, size_t rank, unsigned seed) {
  struct proto tensor = proto_tensor(name, 1, dims, rank);
  size_t count = 1;
  for (size_t i = 0; i < rank; i++) count *= (size_t)dims[i];
  float *values = malloc(count * sizeof(*values));
  for (size_t i = 0; i < count; i++) {
    seed = seed * 1664525u + 1013904223u;
    values[i] = ((float)(seed >> 8) / (1 << 24) - 0.5f) * 0.2f;
  }
  proto_bytes(&tensor, 9, values, count * sizeof(*values));
  free(values);
  proto_message(graph, 5, &tensor);
}

static void add_shape(struct proto *graph, const char *name, const int64_t *dims, int64_t rank) {
  struct proto tensor = proto_tensor(name, 7, &rank, 1);
  proto_bytes(&tensor, 9, dims, (size_t)rank * sizeof(*dims));
  proto_message(graph, 5, &tensor);
}

static void add_ints(struct proto *node, const char *name, const int64_t *values, int count) {
  struct proto attribute = proto_attribute(name, 7);
  for (int i = 0; i < count; i++) proto_int(&attribute, 8, values[i]);
  proto_message(node, 5, &attribute);
}

static void add_node(struct proto *graph, const char *op, const char *inputs, const char *output, int stride, int pad) {
  struct proto node = proto_node("", op, inputs, output);
  if (stride > 0) add_ints(&node, "strides", (int64_t[]){stride, stride}, 2);
  if (!strcmp(op, "ArgMax")) {
    struct proto axis = proto_attribute("axis", 2);
    proto_int(&axis, 3, 1);
    proto_message(&node, 5, &axis);
  }
  if (pad > 0) add_ints(&node, "pads", (int64_t[]){pad, pad, pad, pad}, 4);
  proto_message(graph, 1, &node);
}

static struct proto make_model(unsigned seed) {
  enum { SMALL = SIDE / 2 };
  struct proto graph = {0}, value;
  add_node(&graph, "Reshape", "x image", "i", 0, 0);
  add_node(&graph, "Conv", "i w1", "a", 1, 0); /* one pixel */
  add_node(&graph, "Relu", "a", "b", 0, 0);
  add_node(&graph, "Conv", "b w2", "c", 1, 1); /* Winograd's method, which keeps the weights */
  add_node(&graph, "Conv", "c w3", "d", 2, 1); /* a product */
  add_node(&graph, "Relu", "d", "e", 0, 0);
  add_node(&graph, "Reshape", "e row", "f", 0, 0);
  add_node(&graph, "MatMul", "f w4", "g", 0, 0); /* panels */
  add_node(&graph, "ArgMax", "g", "best", 0, 0);
  add_node(&graph, "Reshape", "best one", "index", 0, 0);
  add_node(&graph, "Gather", "table index", "h", 0, 0); /* kept */
  add_node(&graph, "Add", "g h", "j", 0, 0);
  add_node(&graph, "Reshape", "j out", "y", 0, 0);
  add_shape(&graph, "image", (int64_t[]){1, IN, SIDE, SIDE}, 4);
  add_shape(&graph, "row", (int64_t[]){1, IN * SMALL * SMALL}, 2);
  add_shape(&graph, "one", (int64_t[]){1}, 1);
  add_shape(&graph, "out", (int64_t[]){OUT}, 1);
  add_weight(&graph, "w1", (int64_t[]){WIDTH, IN, 1, 1}, 4, seed);
  add_weight(&graph, "w2", (int64_t[]){IN, WIDTH, 3, 3}, 4, seed + 1);
  add_weight(&graph, "w3", (int64_t[]){IN, IN, 3, 3}, 4, seed + 2);
  add_weight(&graph, "w4", (int64_t[]){IN * SMALL * SMALL, OUT}, 2, seed + 3);
  add_weight(&graph, "table", (int64_t[]){ROWS, OUT}, 2, seed + 4);
  value = proto_value("x", INPUTS);
  proto_message(&graph, 11, &value);
  value = proto_value("y", OUT);
  proto_message(&graph, 12, &value);
  return proto_model(&graph);
}

/* --- loading and running --- */

struct outcome {
  enum onr_status status;
  enum onr_packed packed;
  char note[160];
  float y[OUT];
};

static struct outcome run_model(const struct proto *file, const struct onr_model_options *options) {
  struct outcome o = {0};
  struct onr_model_info info = {.size = sizeof(info)};
  const struct onr_tensor in = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){INPUTS}), x};
  struct onr_session *session = NULL;
  struct onr_model *model;
  struct onr_error error;
  o.status = onr_model_load_memory(file->bytes, file->size, options, &model, &error);
  if (o.status != ONR_STATUS_OK) {
    snprintf(o.note, sizeof(o.note), "%s", error.message);
    return o;
  }
  assert_int_equal(onr_model_get_info(model, &info), ONR_STATUS_OK);
  o.packed = info.packed;
  snprintf(o.note, sizeof(o.note), "%s", info.packed_note);
  assert_true((o.packed == ONR_PACKED_REFUSED) == (o.note[0] != '\0'));
  o.status = onr_session_create(model, NULL, &session, &error);
  if (o.status == ONR_STATUS_OK) o.status = onr_session_set_input(session, 0, &in, &error);
  if (o.status == ONR_STATUS_OK) o.status = onr_session_bind_output(session, 0, o.y, sizeof(o.y), &error);
  if (o.status == ONR_STATUS_OK) o.status = onr_session_run(session, &error);
  if (o.status != ONR_STATUS_OK) snprintf(o.note, sizeof(o.note), "%s", error.message);
  onr_session_destroy(session);
  onr_model_destroy(model);
  return o;
}

static struct outcome run_packed(const char *path, int writes) {
  const struct onr_model_options options = {.size = sizeof(options), .packed = path, .packed_write = writes};
  return run_model(&model_file, &options);
}

/* The right result, bit for bit, and `note` in what is said. NULL: the file is used. */
static void expect(const struct outcome *o, const char *note) {
  assert_int_equal(o->status, ONR_STATUS_OK);
  if (note && !strstr(o->note, note)) fail_msg("expected '%s', found '%s'", note, o->note);
  assert_int_equal(o->packed, note ? ONR_PACKED_REFUSED : ONR_PACKED_MAPPED);
  assert_memory_equal(o->y, expected, sizeof(expected));
}

/* --- files --- */

struct bytes {
  unsigned char *data;
  size_t size;
};

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

static void write_file(const char *path, const void *data, size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

static int count_files(void) {
  char command[128], line[32] = "";
  snprintf(command, sizeof(command), "ls -A %s | wc -l", folder);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  assert_non_null(fgets(line, sizeof(line), pipe));
  pclose(pipe);
  return atoi(line);
}

/* As packed_file.c writes it. */
struct header {
  char magic[8];
  uint64_t format, file_bytes, num_records;
  struct onri_digest key[3], checksum;
};

static const void *range(void *data, uint64_t offset, size_t count, void *target) {
  (void)count, (void)target;
  return (const unsigned char *)data + offset;
}

/* A file that lies, with a checksum that is right. */
static void sign(struct bytes *b) {
  struct onr_env env = {.allocator = &onri_malloc_allocator};
  struct onri_digest checksum = {{0}};
  struct header header;
  memcpy(&header, b->data, sizeof(header));
  header.checksum = (struct onri_digest){{0}};
  onri_digest_add(&checksum, &header, sizeof(header));
  assert_true(onri_digest_add_long(&checksum, b->size - sizeof(header), range, b->data + sizeof(header), &env));
  header.checksum = checksum;
  memcpy(b->data, &header, sizeof(header));
}

static struct bytes good_file(void) {
  unlink(packed_path);
  const struct outcome o = run_packed(packed_path, 1);
  assert_int_equal(o.status, ONR_STATUS_OK);
  assert_int_equal(o.packed, ONR_PACKED_WRITTEN);
  return read_file(packed_path);
}

/* --- tests --- */

static void what_is_mapped_computes_the_same_bits(void **state) {
  struct onr_threads *threads;
  (void)state;
  free(good_file().data);
  assert_int_equal(count_files(), 1);
  assert_int_equal(onr_threads_create(2, NULL, &threads, NULL), ONR_STATUS_OK);
  for (int i = 0; i < 2; i++) {
    const struct onr_model_options options = {
        .size = sizeof(options), .packed = packed_path, .packed_write = i, .threads = threads};
    const struct outcome o = run_model(&model_file, &options);
    expect(&o, NULL);
  }
  onr_threads_destroy(threads);
  const struct outcome o = run_packed(packed_path, 0);
  expect(&o, NULL);
}

/* Two models, one file: both map it, and either may go first. */
static void models_share_a_file(void **state) {
  const struct onr_model_options options = {.size = sizeof(options), .packed = packed_path};
  struct onr_model *first, *second;
  (void)state;
  free(good_file().data);
  assert_int_equal(onr_model_load_memory(model_file.bytes, model_file.size, &options, &first, NULL), ONR_STATUS_OK);
  assert_int_equal(onr_model_load_memory(model_file.bytes, model_file.size, &options, &second, NULL), ONR_STATUS_OK);
  onr_model_destroy(first);
  const struct outcome o = run_packed(packed_path, 0);
  expect(&o, NULL);
  onr_model_destroy(second);
}

static void it_is_for_one_model_and_its_options(void **state) {
  struct onr_model_options options = {.size = sizeof(options), .packed = packed_path};
  struct proto other = make_model(99);
  struct outcome o;
  (void)state;
  struct bytes good = good_file();
  o = run_model(&other, &options);
  assert_int_equal(o.packed, ONR_PACKED_REFUSED);
  assert_string_equal(o.note, "it is for another model");
  options.backend = ONR_BACKEND_PORTABLE;
  o = run_model(&model_file, &options);
  assert_string_equal(o.note, "it is for other options");
  options = (struct onr_model_options){.size = sizeof(options), .packed = packed_path, .disabled_passes = "all"};
  o = run_model(&model_file, &options);
  assert_string_equal(o.note, "it is for other options");
  /* And is written anew where it does not fit. */
  options = (struct onr_model_options){.size = sizeof(options), .packed = packed_path, .packed_write = 1};
  o = run_model(&other, &options);
  assert_int_equal(o.packed, ONR_PACKED_WRITTEN);
  o = run_model(&other, &options);
  assert_int_equal(o.packed, ONR_PACKED_MAPPED);
  o = run_packed(packed_path, 0);
  expect(&o, "another model");
  /* Whoever packed: another version, another format. */
  struct header header;
  memcpy(&header, good.data, sizeof(header));
  for (int i = 0; i < 2; i++) {
    struct header changed = header;
    if (i) changed.key[0].word[1] ^= 1;
    else changed.format++;
    memcpy(good.data, &changed, sizeof(changed));
    sign(&good);
    write_file(packed_path, good.data, good.size);
    o = run_packed(packed_path, 0);
    expect(&o, "another version");
  }
  free(good.data);
  proto_free(&other);
}

static void a_damaged_file_is_seen(void **state) {
  struct bytes good = good_file();
  struct header header;
  struct outcome o;
  (void)state;
  memcpy(&header, good.data, sizeof(header));
  const size_t table = sizeof(header) + (size_t)header.num_records * sizeof(struct onri_block_record);
  assert_in_range(header.num_records, 7, 60);
  /* Shorter and longer. */
  for (size_t size = 0; size < good.size; size += size < table ? 13 : good.size / 9) {
    write_file(packed_path, good.data, size);
    o = run_packed(packed_path, 0);
    expect(&o, "it is");
  }
  unsigned char *longer = calloc(1, good.size + 4096);
  memcpy(longer, good.data, good.size);
  for (size_t more = 1; more <= 4096; more *= 16) {
    write_file(packed_path, longer, good.size + more);
    o = run_packed(packed_path, 0);
    expect(&o, "it is damaged");
  }
  free(longer);
  /* Any bit of the header, of the records, and some of the rest. */
  for (size_t at = 0; at < good.size; at += at < table ? 5 : 100003) {
    good.data[at] ^= (unsigned char)(1 << at % 8);
    write_file(packed_path, good.data, good.size);
    o = run_packed(packed_path, 0);
    expect(&o, "it is");
    good.data[at] ^= (unsigned char)(1 << at % 8);
  }
  write_file(packed_path, good.data, good.size);
  o = run_packed(packed_path, 0);
  expect(&o, NULL);
  free(good.data);
}

/* Records that lie, with a right checksum: none is believed beyond what the file holds and the layers ask for. */
static void a_forged_file_changes_nothing(void **state) {
  struct bytes good = good_file();
  struct header header;
  struct outcome o;
  (void)state;
  memcpy(&header, good.data, sizeof(header));
  struct onri_block_record *records = (struct onri_block_record *)(void *)(good.data + sizeof(header));
  for (size_t i = 0; i < header.num_records; i++) {
    const struct onri_block_record record = records[i];
    const struct onri_block_record lies[] = {
        {0, record.bytes, record.at},
        {3 - record.kind, record.bytes, record.at},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX},
        {record.kind, record.bytes - 64, record.at},
        {record.kind, record.bytes + 64, record.at},
        {record.kind, UINT64_MAX, record.at},
        {record.kind, 0, record.at},
        {record.kind, record.bytes, record.at + 4},
        {record.kind, record.bytes, good.size},
        {record.kind, record.bytes, good.size / 64 * 64 - record.bytes / 64 * 64},
        {record.kind, record.bytes, UINT64_MAX - 63},
        {record.kind, record.bytes, UINT64_C(1) << 63},
    };
    const size_t count = record.kind == ONRI_BLOCK_DATA ? sizeof(lies) / sizeof(lies[0]) : 3;
    for (size_t k = 0; k < count; k++) {
      records[i] = lies[k];
      sign(&good);
      write_file(packed_path, good.data, good.size);
      o = run_packed(packed_path, 0);
      expect(&o, "do not fit the model");
    }
    records[i] = record;
  }
  /* Fewer records than are asked for, and more. */
  for (uint64_t count = 0; count < header.num_records; count += 3) {
    memcpy(good.data + offsetof(struct header, num_records), &count, sizeof(count));
    sign(&good);
    write_file(packed_path, good.data, good.size);
    o = run_packed(packed_path, 0);
    expect(&o, "do not fit the model");
  }
  const uint64_t counts[] = {header.num_records + 1, UINT64_MAX, UINT64_MAX / sizeof(struct onri_block_record),
                             good.size};
  for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
    memcpy(good.data + offsetof(struct header, num_records), &counts[k], sizeof(counts[k]));
    sign(&good);
    write_file(packed_path, good.data, good.size);
    o = run_packed(packed_path, 0);
    expect(&o, "it");
  }
  free(good.data);
}

static void what_is_no_file_is_refused(void **state) {
  char path[96];
  struct outcome o;
  (void)state;
  snprintf(path, sizeof(path), "%s/nowhere", folder);
  o = run_packed(path, 0);
  expect(&o, "there is no such file");
  for (int writes = 0; writes < 2; writes++) {
    o = run_packed(folder, writes);
    expect(&o, writes ? "something else than a file" : "not a regular file");
    o = run_packed("/dev/null", writes);
    expect(&o, writes ? "something else than a file" : "not a regular file");
    assert_int_equal(mkfifo(path, 0600), 0);
    o = run_packed(path, writes);
    expect(&o, writes ? "something else than a file" : "not a regular file");
    unlink(path);
  }
  snprintf(path, sizeof(path), "%s/nowhere/file", folder);
  o = run_packed(path, 1);
  expect(&o, "no file can be created beside it");
}

/* A disk without room: what was there stays, and nothing is left beside it. */
static void where_there_is_no_room_nothing_is_left(void **state) {
  struct rlimit before, small;
  struct outcome o;
  (void)state;
  write_file(packed_path, "onrpack\n", 8);
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  for (rlim_t most = 0; most < 3000000; most += 700000) {
    small = (struct rlimit){most, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    o = run_packed(packed_path, 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    expect(&o, "it cannot be written");
    assert_int_equal(count_files(), 1);
  }
  struct bytes old = read_file(packed_path);
  assert_int_equal(old.size, 8);
  free(old.data);
}

/* --- memory that runs out --- */

static void memory_that_runs_out_leaves_nothing(void **state) {
  (void)state;
  for (int mapped = 0; mapped < 2; mapped++) {
    const struct onr_model_options options = {
        .size = sizeof(options), .packed = packed_path, .packed_write = !mapped, .allocator = &counted_memory};
    if (mapped) free(good_file().data);
    size_t count = SIZE_MAX;
    for (size_t at = 0; at < count; at += at < 40 ? 1 : 7) {
      if (!mapped) unlink(packed_path);
      counted_memory_begin();
      counted_fail_at = at;
      const struct outcome o = run_model(&model_file, &options);
      if (!at) count = counted_total;
      assert_int_equal(counted_live, 0);
      assert_true(o.status == ONR_STATUS_OK || o.status == ONR_STATUS_NO_MEMORY);
      if (o.status == ONR_STATUS_OK) assert_memory_equal(o.y, expected, sizeof(expected));
      assert_in_range(count_files(), 0, 1);
    }
  }
}

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return 1;
  snprintf(packed_path, sizeof(packed_path), "%s/packed", folder);
  model_file = make_model(1);
  for (int i = 0; i < INPUTS; i++) x[i] = (float)(i * 37 % 101) / 50 - 1;
  const struct outcome plain = run_model(&model_file, NULL);
  if (plain.status != ONR_STATUS_OK || plain.packed != ONR_PACKED_NONE) {
    print_error("%s\n", plain.note);
    return 1;
  }
  memcpy(expected, plain.y, sizeof(expected));
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  unlink(packed_path);
  proto_free(&model_file);
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_mapped_computes_the_same_bits),  cmocka_unit_test(models_share_a_file),
      cmocka_unit_test(it_is_for_one_model_and_its_options),    cmocka_unit_test(a_damaged_file_is_seen),
      cmocka_unit_test(a_forged_file_changes_nothing),          cmocka_unit_test(what_is_no_file_is_refused),
      cmocka_unit_test(where_there_is_no_room_nothing_is_left), cmocka_unit_test(memory_that_runs_out_leaves_nothing)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
