/* Types of what holds tensors in words, as ONNX writes them; whatever the bytes are, what comes out is a text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "onnx/import/type_text.h"

enum { TENSOR = 1, SEQUENCE = 4, MAP = 5, OPTIONAL = 9, FLOAT = 1, STRING = 8, INT64 = 7 };

/* Bytes of a message, put together from the inside out. */
struct bytes {
  unsigned char data[512];
  size_t count;
};

static struct bytes field(int number, const struct bytes *inner) {
  struct bytes b = {{(unsigned char)(number << 3 | 2), (unsigned char)inner->count}, inner->count + 2};
  assert_true(inner->count < 128);
  memcpy(b.data + 2, inner->data, inner->count);
  return b;
}

static struct bytes tensor(int dtype) {
  const struct bytes elem = {{1 << 3, (unsigned char)dtype}, 2};
  return field(TENSOR, &elem);
}

/* A TypeProto of what holds values of that type: behind its field's number the length, then what it holds. */
static struct bytes container(int kind, int key, const struct bytes *type) {
  struct bytes own = {{1 << 3, (unsigned char)key}, kind == MAP ? 2 : 0};
  const struct bytes inner = field(kind == MAP ? 2 : 1, type);
  memcpy(own.data + own.count, inner.data, inner.count);
  own.count += inner.count;
  return field(kind, &own);
}

/* A copy of its own size: what is read behind it is seen by the sanitizer. */
static const char *text_of(int kind, const unsigned char *own, size_t count, char *text, size_t size) {
  unsigned char *copy = malloc(count + 1);
  Onnx__TypeProto type = {.base = {0}};
  assert_non_null(copy);
  memcpy(copy, own, count);
  const ProtobufCBinaryData data = {count, copy};
  type.has_sequence_type = kind == SEQUENCE;
  type.has_map_type = kind == MAP;
  type.has_optional_type = kind == OPTIONAL;
  if (kind == SEQUENCE) type.sequence_type = data;
  if (kind == MAP) type.map_type = data;
  if (kind == OPTIONAL) type.optional_type = data;
  onri_type_text(&type, text, size);
  free(copy);
  return text;
}

static void check(const struct bytes *b, const char *expected) {
  char text[256];
  assert_string_equal(text_of(b->data[0] >> 3, b->data + 2, b->count - 2, text, sizeof(text)), expected);
}

static void test_words(void **state) {
  const struct bytes floats = tensor(FLOAT), strings = tensor(STRING), nothing = {{0}, 0};
  const struct bytes sequence = container(SEQUENCE, 0, &floats), map = container(MAP, INT64, &strings);
  const struct bytes maps = container(SEQUENCE, 0, &map), optional = container(OPTIONAL, 0, &sequence);
  const struct bytes unknown = container(SEQUENCE, 0, &nothing), odd = tensor(99),
                     of_odd = container(SEQUENCE, 0, &odd);
  (void)state;
  check(&sequence, "seq(tensor(float))");
  check(&map, "map(int64,tensor(string))");
  check(&maps, "seq(map(int64,tensor(string)))");
  check(&optional, "optional(seq(tensor(float)))");
  check(&unknown, "seq(?)");
  check(&of_odd, "seq(tensor(?))");
}

static void test_depth(void **state) {
  struct bytes b = tensor(FLOAT);
  (void)state;
  for (int i = 0; i < 20; i++) b = container(SEQUENCE, 0, &b);
  check(&b, "seq(seq(seq(seq(seq(seq(seq(seq(?))))))))");
}

static void test_broken(void **state) {
  const struct bytes strings = tensor(STRING), map = container(MAP, INT64, &strings),
                     maps = container(SEQUENCE, 0, &map);
  char text[256];
  (void)state;
  for (size_t size = 1; size < 40; size++)
    assert_true(strlen(text_of(SEQUENCE, maps.data + 2, maps.count - 2, text, size)) < size);
  for (size_t count = 0; count < maps.count - 2; count++) {
    text_of(SEQUENCE, maps.data + 2, count, text, sizeof(text));
    assert_memory_equal(text, "seq(", 4);
  }
  for (size_t i = 2; i < maps.count; i++)
    for (int value = 0; value < 256; value++) {
      struct bytes broken = maps;
      broken.data[i] = (unsigned char)value;
      text_of(SEQUENCE, broken.data + 2, broken.count - 2, text, sizeof(text));
      assert_int_equal(text[strlen(text) - 1], ')');
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_words),
      cmocka_unit_test(test_depth),
      cmocka_unit_test(test_broken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
