/* The scan: what it refuses, what it drops, what it leaves in the file. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/env.h"
#include "onnx/file/decode.h"
#include "onnx/file/scan.h"
#include "support/proto_writer.h"

static enum onr_status scan_with(const struct proto *file, const struct onr_limits *some,
                                 struct onri_skeleton *skeleton) {
  const struct onri_source source = onri_source_memory(file->bytes, file->size);
  const struct onr_limits limits = onri_limits_resolve(some);
  return onri_scan_model(&source, &limits, &onri_malloc_allocator, skeleton, NULL);
}

/* Scans and frees. */
static enum onr_status status_of(struct proto *file, const struct onr_limits *limits) {
  struct onri_skeleton skeleton;
  const enum onr_status status = scan_with(file, limits, &skeleton);
  onri_skeleton_clear(&skeleton);
  proto_free(file);
  return status;
}

/* A model whose graph is one field with these contents. */
static struct proto with_graph_field(uint32_t field, struct proto *contents) {
  struct proto graph = {0};
  proto_message(&graph, field, contents);
  return proto_model(&graph);
}

static struct proto small_model(void) {
  struct proto node = proto_node("", "Relu", "x", "y"), graph = {0}, input = proto_value("x", 4),
               output = proto_value("y", 4);
  proto_text(&node, 3, "first");
  proto_message(&graph, 1, &node);
  proto_text(&graph, 2, "g");
  proto_message(&graph, 11, &input);
  proto_message(&graph, 12, &output);
  return proto_model(&graph);
}

static void test_small_model_is_decoded(void **state) {
  struct proto file = small_model();
  struct onri_skeleton skeleton;
  struct onri_arena arena;
  const Onnx__ModelProto *model;
  (void)state;
  assert_int_equal(scan_with(&file, NULL, &skeleton), ONR_STATUS_OK);
  onri_arena_init(&arena, &onri_malloc_allocator, 0);
  assert_int_equal(onri_decode_model(&skeleton, &arena, &model, NULL), ONR_STATUS_OK);
  assert_int_equal(model->ir_version, 10);
  assert_int_equal(model->n_opset_import, 2);
  assert_int_equal(model->graph->n_node, 1);
  assert_string_equal(model->graph->node[0]->name, "first");
  assert_string_equal(model->graph->node[0]->output[0], "y");
  assert_int_equal(model->graph->input[0]->type->tensor_type->shape->dim[0]->dim_value, 4);
  assert_true(arena.used_bytes <= skeleton.decoded_bytes);
  onri_arena_clear(&arena);
  onri_skeleton_clear(&skeleton);
  proto_free(&file);
}

/* Every cut is refused, or it is at the end of a field of ModelProto; nothing else may happen. */
static void test_every_prefix(void **state) {
  struct proto whole = small_model();
  size_t accepted = 0;
  (void)state;
  for (size_t size = 0; size < whole.size; size++) {
    struct proto cut = {0};
    enum onr_status status;
    proto_raw(&cut, whole.bytes, size);
    status = status_of(&cut, NULL);
    assert_true(status == ONR_STATUS_OK || status == ONR_STATUS_PARSE);
    accepted += status == ONR_STATUS_OK;
  }
  assert_int_equal(accepted, 3); /* behind ir_version, graph and the first operator set */
  proto_free(&whole);
}

static void test_bad_bytes(void **state) {
  static const struct {
    const char *bytes;
    size_t size;
  } cases[] = {
      {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, /* a varint of 11 bytes */
      {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11},     /* one of 65 bits */
      {"\x08", 1},                                              /* cut off */
      {"\x3a\x05"
       "abcd",
       6}, /* more bytes announced than there are */
      {"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"
       "abcd",
       14},                    /* 2^63 - 1 of them */
      {"\x38\x01", 2},         /* the graph as a number */
      {"\x0a\x00", 2},         /* ir_version as bytes */
      {"\x7b", 1},             /* a group */
      {"\x02\x00", 2},         /* field 0 */
      {"\x0e", 1},             /* wire type 6 */
      {"\x3a\x00\x3a\x00", 4}, /* two graphs */
      {"{\"ir_version\": 8}", 17},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct proto file = {0};
    proto_raw(&file, cases[i].bytes, cases[i].size);
    assert_int_equal(status_of(&file, NULL), ONR_STATUS_PARSE);
  }
}

static void test_names(void **state) {
  static const struct {
    const char *bytes;
    size_t size;
    enum onr_status expected;
  } cases[] = {
      {"a\0b", 3, ONR_STATUS_PARSE},
      {"\xff\xfe", 2, ONR_STATUS_PARSE},
      {"\xc0\x80", 2, ONR_STATUS_PARSE},
      {"\xed\xa0\x80", 3, ONR_STATUS_PARSE},
      {"\xf4\x90\x80\x80", 4, ONR_STATUS_PARSE},
      {"\xe2\x82", 2, ONR_STATUS_PARSE},
      {"\xe2\x82\xac", 3, ONR_STATUS_OK},
      {"\xf0\x9f\x98\x80", 4, ONR_STATUS_OK},
      {"", 0, ONR_STATUS_OK},
  };
  const struct onr_limits limits = {.name_bytes = 8};
  struct proto node = {0}, file;
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    proto_bytes(&node, 3, cases[i].bytes, cases[i].size);
    file = with_graph_field(1, &node);
    assert_int_equal(status_of(&file, NULL), cases[i].expected);
  }
  proto_text(&node, 3, "12345678");
  file = with_graph_field(1, &node);
  assert_int_equal(status_of(&file, &limits), ONR_STATUS_OK);
  proto_text(&node, 3, "123456789");
  file = with_graph_field(1, &node);
  assert_int_equal(status_of(&file, &limits), ONR_STATUS_LIMIT);
}

static struct proto nested_graphs(int levels) {
  struct proto inner = {0};
  for (int i = 0; i < levels; i++) {
    struct proto attribute = {0}, node = {0}, graph = {0};
    proto_message(&attribute, 6, &inner);
    proto_message(&node, 5, &attribute);
    proto_message(&graph, 1, &node);
    inner = graph;
  }
  return proto_model(&inner);
}

static void test_depth(void **state) {
  const struct onr_limits shallow = {.depth = 4}, endless = {.depth = UINT64_MAX};
  struct proto file = nested_graphs(60);
  (void)state;
  assert_int_equal(status_of(&file, NULL), ONR_STATUS_OK);
  file = nested_graphs(70);
  assert_int_equal(status_of(&file, NULL), ONR_STATUS_LIMIT);
  file = nested_graphs(4);
  assert_int_equal(status_of(&file, &shallow), ONR_STATUS_OK);
  file = nested_graphs(8);
  assert_int_equal(status_of(&file, &shallow), ONR_STATUS_LIMIT);
  file = nested_graphs(100); /* the scan's own bound */
  assert_int_equal(status_of(&file, &endless), ONR_STATUS_LIMIT);
}

static struct proto repeated(uint32_t field, const char *bytes, size_t size, int times) {
  struct proto graph = {0};
  for (int i = 0; i < times; i++) proto_bytes(&graph, field, bytes, size);
  return graph;
}

static void test_counts(void **state) {
  const struct onr_limits limits = {.nodes = 1000};
  struct proto graph = repeated(1, "\x22\x01R", 3, 1000), file = proto_model(&graph), tensor = {0};
  (void)state;
  assert_int_equal(status_of(&file, &limits), ONR_STATUS_OK);
  graph = repeated(1, "\x22\x01R", 3, 1001);
  file = proto_model(&graph);
  assert_int_equal(status_of(&file, &limits), ONR_STATUS_LIMIT);
  graph = repeated(1, "", 0, 1000000); /* 2 MB that would take more than 100 MB */
  file = proto_model(&graph);
  assert_int_equal(status_of(&file, NULL), ONR_STATUS_LIMIT);
  file = small_model();
  for (int i = 0; i < 20000; i++) proto_int(&file, 127, 0);
  assert_int_equal(status_of(&file, NULL), ONR_STATUS_LIMIT);
  for (int i = 0; i < 65; i++) proto_int(&tensor, 1, 1);
  file = with_graph_field(5, &tensor);
  assert_int_equal(status_of(&file, NULL), ONR_STATUS_LIMIT);
  proto_bytes(&tensor, 1, memset((char[65]){0}, 1, 65), 65); /* the same, packed */
  file = with_graph_field(5, &tensor);
  assert_int_equal(status_of(&file, NULL), ONR_STATUS_LIMIT);
}

static void test_file_bytes(void **state) {
  const struct onr_limits limits = {.file_bytes = 4096};
  static char data[8192];
  struct proto tensor = {0}, file;
  (void)state;
  proto_bytes(&tensor, 9, data, sizeof(data)); /* lifted: does not count */
  file = with_graph_field(5, &tensor);
  assert_int_equal(status_of(&file, &limits), ONR_STATUS_OK);
  proto_bytes(&tensor, 6, data, sizeof(data)); /* a string element: does */
  file = with_graph_field(5, &tensor);
  assert_int_equal(status_of(&file, &limits), ONR_STATUS_LIMIT);
}

static void test_large_data_is_lifted(void **state) {
  static unsigned char data[ONRI_LIFT_BYTES + 4];
  struct proto tensor = {0}, file;
  struct onri_skeleton skeleton;
  (void)state;
  for (size_t i = 0; i < sizeof(data); i++) data[i] = (unsigned char)(i * 7);
  proto_bytes(&tensor, 9, data, sizeof(data));
  file = with_graph_field(5, &tensor);
  assert_int_equal(scan_with(&file, NULL, &skeleton), ONR_STATUS_OK);
  assert_int_equal(skeleton.num_spans, 1);
  assert_int_equal(skeleton.spans[0].bytes, sizeof(data));
  assert_memory_equal(file.bytes + skeleton.spans[0].offset, data, sizeof(data));
  assert_true(skeleton.size < 100);
  onri_skeleton_clear(&skeleton);
  proto_free(&file);
  /* As small as this it stays. */
  proto_bytes(&tensor, 9, data, ONRI_LIFT_BYTES);
  file = with_graph_field(5, &tensor);
  assert_int_equal(scan_with(&file, NULL, &skeleton), ONR_STATUS_OK);
  assert_int_equal(skeleton.num_spans, 0);
  onri_skeleton_clear(&skeleton);
  proto_free(&file);
  /* Two pieces are refused. */
  proto_bytes(&tensor, 4, data, sizeof(data));
  proto_bytes(&tensor, 4, data, 4);
  file = with_graph_field(5, &tensor);
  assert_int_equal(status_of(&file, NULL), ONR_STATUS_PARSE);
}

/* Numbers of a tensor in several pieces, and packed ones of too many bits. */
static void test_pieces(void **state) {
  static const float two[2] = {1, 2};
  static const unsigned char longest[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 1},
                             beyond[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 2};
  (void)state;
  struct proto tensor = {0}, file;
  proto_bytes(&tensor, 4, two, sizeof(two)), proto_bytes(&tensor, 4, two, sizeof(two)), proto_float(&tensor, 4, 3);
  file = with_graph_field(5, &tensor);
  assert_int_equal(status_of(&file, NULL), ONR_STATUS_OK);
  proto_bytes(&tensor, 9, two, sizeof(two)), proto_bytes(&tensor, 9, two, sizeof(two));
  file = with_graph_field(5, &tensor);
  assert_int_equal(status_of(&file, NULL), ONR_STATUS_PARSE);
  proto_bytes(&tensor, 7, longest, sizeof(longest));
  file = with_graph_field(5, &tensor);
  assert_int_equal(status_of(&file, NULL), ONR_STATUS_OK);
  proto_bytes(&tensor, 7, beyond, sizeof(beyond));
  file = with_graph_field(5, &tensor);
  assert_int_equal(status_of(&file, NULL), ONR_STATUS_PARSE);
  proto_bytes(&tensor, 7, beyond, 9); /* cut off */
  file = with_graph_field(5, &tensor);
  assert_int_equal(status_of(&file, NULL), ONR_STATUS_PARSE);
}

/* A file on a disk that is shorter when it is read than when it was opened. */
static void test_file_that_shrinks(void **state) {
  char path[] = "/tmp/onnxrun-scan-XXXXXX";
  const int fd = mkstemp(path);
  struct proto file = small_model(), doc = {0};
  const struct onr_limits limits = onri_limits_resolve(NULL);
  static char text[300000];
  (void)state;
  memset(text, 'a', sizeof(text) - 1);
  proto_text(&file, 6, text), proto_text(&file, 4, text), proto_free(&doc);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, file.bytes, file.size), file.size);
  for (size_t size = file.size; size > 0; size -= size > 5000 ? size / 7 : 1 + size / 40) {
    struct onri_skeleton skeleton;
    struct onri_source source;
    assert_int_equal(onri_source_open(path, &source, NULL), ONR_STATUS_OK);
    assert_int_equal(ftruncate(fd, (off_t)size - 1), 0);
    const enum onr_status status = onri_scan_model(&source, &limits, &onri_malloc_allocator, &skeleton, NULL);
    assert_true(status == ONR_STATUS_IO || status == ONR_STATUS_PARSE || status == ONR_STATUS_OK);
    onri_skeleton_clear(&skeleton);
    onri_source_close(&source);
    assert_int_equal(pwrite(fd, file.bytes, file.size, 0), file.size);
  }
  proto_free(&file);
  close(fd);
  unlink(path);
}

static int holds(const struct onri_skeleton *skeleton, const char *text) {
  const size_t length = strlen(text);
  for (size_t i = 0; i + length <= skeleton->size; i++)
    if (!memcmp(skeleton->bytes + i, text, length)) return 1;
  return 0;
}

static void test_what_nobody_reads_is_dropped(void **state) {
  struct proto node = proto_node("", "Relu", "x", "y"), entry = proto_entry("pkg.torch.onnx.other", "DROPPED"), file;
  struct onri_skeleton skeleton;
  (void)state;
  proto_text(&node, 6, "DROPPED \xff doc string");
  proto_message(&node, 9, &entry);
  entry = proto_entry("pkg.torch.onnx.name_scopes", "KEPT");
  proto_message(&node, 9, &entry);
  file = with_graph_field(1, &node);
  assert_int_equal(scan_with(&file, NULL, &skeleton), ONR_STATUS_OK);
  assert_false(holds(&skeleton, "DROPPED"));
  assert_true(holds(&skeleton, "KEPT"));
  onri_skeleton_clear(&skeleton);
  proto_free(&file);
}

/* 3 GiB of weights, of which the scan reads nothing. The file is sparse. */
static void test_files_above_two_gigabytes(void **state) {
  const uint64_t bytes = (uint64_t)3 << 30;
  char path[] = "/tmp/onnxrun-scan-XXXXXX";
  const int fd = mkstemp(path);
  struct proto head = {0};
  struct onri_source source;
  struct onri_skeleton skeleton;
  const struct onr_limits limits = onri_limits_resolve(NULL);
  (void)state;
  assert_true(fd >= 0);
  proto_int(&head, 1, 10);
  proto_varint(&head, 7 << 3 | 2); /* graph { initializer { raw_data */
  proto_varint(&head, bytes + 14);
  proto_varint(&head, 5 << 3 | 2);
  proto_varint(&head, bytes + 6);
  proto_varint(&head, 9 << 3 | 2);
  proto_varint(&head, bytes);
  assert_int_equal(write(fd, head.bytes, head.size), head.size);
  /* Behind the data: the graph's name, in the six bytes that are left of it. */
  assert_int_equal(pwrite(fd, "\x12\x00", 2, (off_t)(head.size + bytes)), 2);
  assert_int_equal(close(fd), 0);
  assert_int_equal(onri_source_open(path, &source, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_scan_model(&source, &limits, &onri_malloc_allocator, &skeleton, NULL), ONR_STATUS_OK);
  assert_int_equal(skeleton.num_spans, 1);
  assert_int_equal(skeleton.spans[0].offset, head.size);
  assert_true(skeleton.spans[0].bytes == bytes);
  onri_skeleton_clear(&skeleton);
  onri_source_close(&source);
  proto_free(&head);
  unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_small_model_is_decoded),
      cmocka_unit_test(test_every_prefix),
      cmocka_unit_test(test_bad_bytes),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_depth),
      cmocka_unit_test(test_counts),
      cmocka_unit_test(test_file_bytes),
      cmocka_unit_test(test_large_data_is_lifted),
      cmocka_unit_test(test_what_nobody_reads_is_dropped),
      cmocka_unit_test(test_pieces),
      cmocka_unit_test(test_file_that_shrinks),
      cmocka_unit_test(test_files_above_two_gigabytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
