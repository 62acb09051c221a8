/* The structs that decode.c makes are those that protobuf-c's own library makes of the same skeleton: of all fixtures,
 * and of what fields and bytes changed at random leave of them, as far as the scan lets it through. Where that library
 * is not installed there is no such test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fuzz/wire.h"
#include "onnx/file/decode.h"

enum { MUTANTS = 8, FLIPS = 3, MOST_BYTES = 300000, ROOM = 4096 };

static uint32_t seed = 1;

/* xorshift: the same numbers on every machine. */
static uint32_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  return seed ^= seed << 5;
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most) {
  (void)most;
  if (size) data[next() % size] ^= (uint8_t)(1u << next() % 8);
  return size;
}

/* Ours name no descriptors, which packing asks for. */
static void describe(ProtobufCMessage *message, const ProtobufCMessageDescriptor *descriptor) {
  message->descriptor = descriptor;
  for (unsigned i = 0; i < descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
    void *place = (char *)message + field->offset;
    if (field->type != PROTOBUF_C_TYPE_MESSAGE) continue;
    const int is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
    const size_t count = is_list ? *(size_t *)(void *)((char *)message + field->quantifier_offset) : 1;
    ProtobufCMessage **messages = is_list ? *(ProtobufCMessage ***)place : place;
    for (size_t k = 0; k < count; k++)
      if (messages[k]) describe(messages[k], field->descriptor);
  }
}

static unsigned char *pack(const ProtobufCMessage *message, size_t *size) {
  *size = protobuf_c_message_get_packed_size(message);
  unsigned char *bytes = malloc(*size + 1);
  assert_non_null(bytes);
  assert_int_equal(protobuf_c_message_pack(message, bytes), *size);
  return bytes;
}

static unsigned char *pack_ours(const struct onri_skeleton *skeleton, size_t *size) {
  const Onnx__ModelProto *model;
  struct onri_arena arena;
  onri_arena_init(&arena, &onri_malloc_allocator, 0);
  assert_int_equal(onri_decode_model(skeleton, &arena, &model, NULL), ONR_STATUS_OK);
  assert_true(arena.used_bytes <= skeleton->decoded_bytes + sizeof(*model));
  describe((ProtobufCMessage *)&model->base, &onnx__model_proto__descriptor);
  unsigned char *bytes = pack(&model->base, size);
  onri_arena_clear(&arena);
  return bytes;
}

static unsigned char *pack_theirs(const struct onri_skeleton *skeleton, size_t *size) {
  Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, skeleton->size, skeleton->bytes);
  assert_non_null(model);
  unsigned char *bytes = pack(&model->base, size);
  onnx__model_proto__free_unpacked(model, NULL);
  return bytes;
}

/* 0: the scan refused it. */
static int compare(const unsigned char *bytes, size_t size) {
  const struct onri_source source = onri_source_memory(bytes, size);
  const struct onr_limits limits = onri_limits_resolve(NULL);
  struct onri_skeleton skeleton;
  size_t our_size, their_size;
  if (onri_scan_model(&source, &limits, &onri_malloc_allocator, &skeleton, NULL) != ONR_STATUS_OK) return 0;
  unsigned char *ours = pack_ours(&skeleton, &our_size), *theirs = pack_theirs(&skeleton, &their_size);
  assert_int_equal(our_size, their_size);
  assert_memory_equal(ours, theirs, our_size);
  free(ours);
  free(theirs);
  onri_skeleton_clear(&skeleton);
  return 1;
}

static size_t mutate(unsigned char *copy, size_t size, int k) {
  if (k % 2 == 0) return wire_mutate(WIRE_MODEL, copy, size, size + ROOM, next());
  for (int flip = 0; flip < FLIPS && size; flip++) size = LLVMFuzzerMutate(copy, size, size);
  return size;
}

static int compare_mutants(const unsigned char *bytes, size_t size) {
  int compared = 0;
  for (int k = 0; k < MUTANTS && size <= MOST_BYTES; k++) {
    unsigned char *copy = malloc(size + ROOM);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    compared += compare(copy, mutate(copy, size, k));
    free(copy);
  }
  return compared;
}

static unsigned char *read_model(const char *fixture, size_t *size) {
  char path[1024];
  snprintf(path, sizeof(path), "%s/%s/model.onnx", ONNXRUN_FIXTURES, fixture);
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  unsigned char *bytes = malloc(*size + 1);
  assert_non_null(bytes);
  assert_int_equal(fread(bytes, 1, *size, file), *size);
  fclose(file);
  return bytes;
}

static void test_fixtures_and_mutants(void **state) {
  DIR *directory = opendir(ONNXRUN_FIXTURES);
  int fixtures = 0, mutants = 0;
  size_t size = 0;
  (void)state;
  assert_non_null(directory);
  for (const struct dirent *entry; (entry = readdir(directory));) {
    unsigned char *bytes = entry->d_name[0] == '.' ? NULL : read_model(entry->d_name, &size);
    if (!bytes) continue;
    seed = 1; /* folders come in any order */
    assert_int_equal(compare(bytes, size), 1);
    fixtures++;
    mutants += compare_mutants(bytes, size);
    free(bytes);
  }
  closedir(directory);
  assert_true(fixtures > 200 && mutants > 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_fixtures_and_mutants)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
