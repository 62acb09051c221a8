/* TensorProto in every encoding, and what is refused. Values come from numpy or are worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "onnx/file/decode.h"
#include "support/proto_writer.h"

static struct onr_env env;
static struct onri_sources *sources;

static int set_up(void **state) {
  (void)state;
  env = (struct onr_env){.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
  return onri_sources_create(env.allocator, &sources, NULL) != ONR_STATUS_OK;
}

static int tear_down(void **state) {
  (void)state;
  onri_sources_destroy(sources);
  return 0;
}

/* Decodes and loads `tensor`, wrapped as the initializer of a graph (field 5, or 15 for a sparse one); frees it. */
static enum onr_status decode(struct proto *tensor, uint32_t field, struct onri_constant **constant) {
  struct onri_tensor_decoder decoder = {.env = &env, .sources = sources};
  struct proto graph = {0}, file;
  struct onri_skeleton skeleton;
  struct onri_arena arena;
  const Onnx__ModelProto *model;
  struct onr_error error = {.message = ""};
  enum onr_status status;
  *constant = NULL;
  proto_message(&graph, field, tensor);
  file = proto_model(&graph);
  sources->main = onri_source_memory(file.bytes, file.size);
  assert_int_equal(onri_scan_model(&sources->main, &env.limits, env.allocator, &skeleton, NULL), ONR_STATUS_OK);
  onri_arena_init(&arena, env.allocator, 0);
  assert_int_equal(onri_decode_model(&skeleton, &arena, &model, NULL), ONR_STATUS_OK);
  decoder.spans = skeleton.spans;
  decoder.num_spans = skeleton.num_spans;
  status = field == 5 ? onri_tensor_decode(&decoder, model->graph->initializer[0], constant, &error)
                      : onri_sparse_decode(&decoder, model->graph->sparse_initializer[0], constant, &error);
  if (status == ONR_STATUS_OK) status = onri_constant_load(*constant, &error);
  assert_int_equal(status != ONR_STATUS_OK, error.message[0] != '\0');
  if (status != ONR_STATUS_OK) {
    onri_constant_release(*constant);
    *constant = NULL;
  }
  onri_arena_clear(&arena);
  onri_skeleton_clear(&skeleton);
  proto_free(&file);
  return status;
}

static void expect(struct proto *tensor, enum onr_dtype dtype, const void *bytes, size_t size) {
  struct onri_constant *constant;
  assert_int_equal(decode(tensor, 5, &constant), ONR_STATUS_OK);
  assert_int_equal(constant->desc.dtype, dtype);
  assert_int_equal(onr_desc_bytes(&constant->desc), size);
  assert_memory_equal(constant->data, bytes, size);
  onri_constant_release(constant);
}

static void expect_failure(struct proto *tensor, uint32_t field, enum onr_status expected) {
  struct onri_constant *constant;
  assert_int_equal(decode(tensor, field, &constant), expected);
}

static struct proto vector(int32_t dtype, int64_t count) { return proto_tensor("w", dtype, &count, 1); }

static void test_raw(void **state) {
  static const struct {
    enum onr_dtype dtype;
    size_t size;
  } types[] = {{ONR_DTYPE_F32, 4},   {ONR_DTYPE_U8, 1},   {ONR_DTYPE_I8, 1},       {ONR_DTYPE_U16, 2},
               {ONR_DTYPE_I16, 2},   {ONR_DTYPE_I32, 4},  {ONR_DTYPE_I64, 8},      {ONR_DTYPE_F16, 2},
               {ONR_DTYPE_F64, 8},   {ONR_DTYPE_U32, 4},  {ONR_DTYPE_U64, 8},      {ONR_DTYPE_C64, 8},
               {ONR_DTYPE_C128, 16}, {ONR_DTYPE_BF16, 2}, {ONR_DTYPE_F8E4M3FN, 1}, {ONR_DTYPE_F8E8M0, 1}};
  static unsigned char bytes[16 * 501];
  (void)state;
  for (size_t i = 0; i < sizeof(bytes); i++) bytes[i] = (unsigned char)(i * 31 + 5);
  for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
    for (int64_t count = 3; count <= 501; count += 498) { /* in the skeleton, and left in the file */
      struct proto w = vector((int32_t)types[t].dtype, count);
      proto_bytes(&w, 9, bytes, (size_t)count * types[t].size);
      expect(&w, types[t].dtype, bytes, (size_t)count * types[t].size);
    }
}

static void packed(struct proto *w, uint32_t field, const int64_t *values, size_t count) {
  struct proto list = {0};
  for (size_t i = 0; i < count; i++) proto_varint(&list, (uint64_t)values[i]);
  proto_message(w, field, &list);
}

static void test_typed_fields(void **state) {
  static const int64_t numbers[4] = {0, 1, 100, 127};
  static const uint16_t as_u16[4] = {0, 1, 100, 127};
  static const uint8_t as_u8[4] = {0, 1, 100, 127};
  static const int32_t as_i32[4] = {0, 1, 100, 127};
  static const uint32_t as_u32[4] = {0, 1, 100, 127};
  static const int64_t negative[2] = {-1, -128};
  static const float floats[4] = {1.5f, -2, 0.25f, 3};
  static const double doubles[4] = {1.5, -2, 0.25, 3};
  struct proto w;
  (void)state;
  w = vector(ONR_DTYPE_F16, 4), packed(&w, 5, numbers, 4), expect(&w, ONR_DTYPE_F16, as_u16, 8);
  w = vector(ONR_DTYPE_BF16, 4), packed(&w, 5, numbers, 4), expect(&w, ONR_DTYPE_BF16, as_u16, 8);
  w = vector(ONR_DTYPE_I16, 4), packed(&w, 5, numbers, 4), expect(&w, ONR_DTYPE_I16, as_u16, 8);
  w = vector(ONR_DTYPE_U8, 4), packed(&w, 5, numbers, 4), expect(&w, ONR_DTYPE_U8, as_u8, 4);
  w = vector(ONR_DTYPE_F8E5M2, 4), packed(&w, 5, numbers, 4), expect(&w, ONR_DTYPE_F8E5M2, as_u8, 4);
  w = vector(ONR_DTYPE_F6E2M3, 2), packed(&w, 5, numbers, 2), expect(&w, ONR_DTYPE_F6E2M3, as_u8, 2); /* not packed */
  w = vector(ONR_DTYPE_F6E3M2, 3), packed(&w, 5, numbers, 3),
  expect_failure(&w, 5, ONR_STATUS_DATA); /* 100 has 7 bits */
  w = vector(ONR_DTYPE_I32, 4), packed(&w, 5, numbers, 4), expect(&w, ONR_DTYPE_I32, as_i32, 16);
  w = vector(ONR_DTYPE_U32, 4), packed(&w, 11, numbers, 4), expect(&w, ONR_DTYPE_U32, as_u32, 16);
  w = vector(ONR_DTYPE_U64, 4), packed(&w, 11, numbers, 4), expect(&w, ONR_DTYPE_U64, numbers, 32);
  w = vector(ONR_DTYPE_I64, 4), packed(&w, 7, numbers, 4), expect(&w, ONR_DTYPE_I64, numbers, 32);
  w = vector(ONR_DTYPE_I8, 2), packed(&w, 5, negative, 2), expect(&w, ONR_DTYPE_I8, "\xff\x80", 2);
  w = vector(ONR_DTYPE_BOOL, 2), packed(&w, 5, numbers, 2), expect(&w, ONR_DTYPE_BOOL, "\0\1", 2);
  w = vector(ONR_DTYPE_F32, 4), proto_bytes(&w, 4, floats, 16), expect(&w, ONR_DTYPE_F32, floats, 16);
  w = vector(ONR_DTYPE_C64, 2), proto_bytes(&w, 4, floats, 16), expect(&w, ONR_DTYPE_C64, floats, 16);
  w = vector(ONR_DTYPE_F64, 4), proto_bytes(&w, 10, doubles, 32), expect(&w, ONR_DTYPE_F64, doubles, 32);
  w = vector(ONR_DTYPE_C128, 2), proto_bytes(&w, 10, doubles, 32), expect(&w, ONR_DTYPE_C128, doubles, 32);
  w = vector(ONR_DTYPE_F32, 4); /* one field an element */
  for (int i = 0; i < 4; i++) proto_float(&w, 4, floats[i]);
  expect(&w, ONR_DTYPE_F32, floats, 16);
}

static void test_large_float_data_stays_in_the_file(void **state) {
  static float floats[1000];
  struct proto w = vector(ONR_DTYPE_F32, 1000);
  (void)state;
  for (int i = 0; i < 1000; i++) floats[i] = (float)i * 0.5f;
  proto_bytes(&w, 4, floats, sizeof(floats));
  expect(&w, ONR_DTYPE_F32, floats, sizeof(floats));
}

/* Low bits come first; two's complement where signed. */
static void test_packed_types(void **state) {
  static const int64_t bytes[3] = {0x8F, 0x17, 0x05};
  static unsigned char many[2000], spread[4000];
  struct proto w;
  (void)state;
  w = vector(ONR_DTYPE_I4, 5), proto_bytes(&w, 9, "\x8F\x17\x05", 3),
  expect(&w, ONR_DTYPE_I4, "\xff\xf8\x07\x01\x05", 5);
  w = vector(ONR_DTYPE_U4, 5), proto_bytes(&w, 9, "\x8F\x17\x05", 3),
  expect(&w, ONR_DTYPE_U4, "\x0f\x08\x07\x01\x05", 5);
  w = vector(ONR_DTYPE_U4, 5), packed(&w, 5, bytes, 3), expect(&w, ONR_DTYPE_U4, "\x0f\x08\x07\x01\x05", 5);
  w = vector(ONR_DTYPE_F4E2M1, 2), proto_bytes(&w, 9, "\x8F", 1), expect(&w, ONR_DTYPE_F4E2M1, "\x0f\x08", 2);
  w = vector(ONR_DTYPE_I2, 5), proto_bytes(&w, 9, "\xE4\x02", 2), expect(&w, ONR_DTYPE_I2, "\x00\x01\xfe\xff\xfe", 5);
  w = vector(ONR_DTYPE_U2, 5), proto_bytes(&w, 9, "\xE4\x02", 2), expect(&w, ONR_DTYPE_U2, "\x00\x01\x02\x03\x02", 5);
  for (size_t i = 0; i < sizeof(spread); i++) {
    spread[i] = (unsigned char)(i * 5 % 16);
    many[i / 2] = (unsigned char)(many[i / 2] | spread[i] << (i % 2 * 4));
  }
  for (int64_t count = 3999; count <= 4000; count++) { /* left in the file, spread in place */
    w = vector(ONR_DTYPE_U4, count);
    if (count % 2) many[1999] &= 0x0F;
    else many[1999] = (unsigned char)(spread[3998] | spread[3999] << 4);
    proto_bytes(&w, 9, many, 2000);
    expect(&w, ONR_DTYPE_U4, spread, (size_t)count);
  }
}

static void test_strings(void **state) {
  struct proto w = vector(ONR_DTYPE_STRING, 2);
  struct onri_constant *constant;
  const struct onr_string *strings;
  (void)state;
  proto_bytes(&w, 6, "a\0b", 3);
  proto_bytes(&w, 6, "", 0);
  assert_int_equal(decode(&w, 5, &constant), ONR_STATUS_OK);
  strings = constant->data;
  assert_int_equal(strings[0].length, 3);
  assert_memory_equal(strings[0].text, "a\0b", 3);
  assert_int_equal(strings[1].length, 0);
  onri_constant_release(constant);
}

static void test_scalar_and_empty(void **state) {
  struct proto w = proto_tensor("w", ONR_DTYPE_F32, NULL, 0);
  const int64_t empty[2] = {3, 0};
  const float one = 1;
  (void)state;
  proto_bytes(&w, 9, &one, 4);
  expect(&w, ONR_DTYPE_F32, &one, 4);
  w = proto_tensor("w", ONR_DTYPE_F32, empty, 2);
  expect(&w, ONR_DTYPE_F32, &one, 0);
}

static void test_what_is_refused(void **state) {
  static const char zeros[4096];
  static const int64_t bad_f16[2] = {70000, 0}, bad_i8[1] = {128}, bad_bool[1] = {2}, bad_u32[1] = {(int64_t)1 << 32};
  static const int64_t overflow[2] = {(int64_t)1 << 32, (int64_t)1 << 32}, two_negative[2] = {-2, -2},
                       with_zero[3] = {(int64_t)1 << 40, (int64_t)1 << 40, 0}, nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  struct proto w;
  (void)state;
  w = vector(1, 4), proto_bytes(&w, 9, zeros, 15), expect_failure(&w, 5, ONR_STATUS_DATA);
  w = vector(1, 4), proto_bytes(&w, 9, zeros, 4096), expect_failure(&w, 5, ONR_STATUS_DATA);
  w = vector(1, 4), proto_bytes(&w, 4, zeros, 12), expect_failure(&w, 5, ONR_STATUS_DATA);
  w = vector(1, 4), proto_bytes(&w, 9, zeros, 16), proto_bytes(&w, 4, zeros, 16),
  expect_failure(&w, 5, ONR_STATUS_DATA);
  w = vector(1, 4), expect_failure(&w, 5, ONR_STATUS_DATA);
  w = vector(1, 4), proto_bytes(&w, 10, zeros, 32),
  expect_failure(&w, 5, ONR_STATUS_DATA); /* double_data for float32 */
  w = vector(1, -4), proto_bytes(&w, 9, zeros, 16), expect_failure(&w, 5, ONR_STATUS_SHAPE);
  w = vector(1, ((int64_t)1 << 62) + 1), proto_bytes(&w, 9, zeros, 4), expect_failure(&w, 5, ONR_STATUS_SHAPE);
  w = proto_tensor("w", 1, overflow, 2), expect_failure(&w, 5, ONR_STATUS_SHAPE);
  w = proto_tensor("w", 1, two_negative, 2), proto_bytes(&w, 9, zeros, 16), expect_failure(&w, 5, ONR_STATUS_SHAPE);
  w = proto_tensor("w", 1, with_zero, 3), expect_failure(&w, 5, ONR_STATUS_SHAPE);
  w = proto_tensor("w", 1, nine, 9), proto_bytes(&w, 9, zeros, 4), expect_failure(&w, 5, ONR_STATUS_LIMIT);
  w = vector(0, 4), proto_bytes(&w, 9, zeros, 16), expect_failure(&w, 5, ONR_STATUS_TYPE);
  w = vector(29, 4), proto_bytes(&w, 9, zeros, 16), expect_failure(&w, 5, ONR_STATUS_TYPE);
  w = vector(-7, 4), proto_bytes(&w, 9, zeros, 16), expect_failure(&w, 5, ONR_STATUS_TYPE);
  w = vector(ONR_DTYPE_F16, 2), packed(&w, 5, bad_f16, 2), expect_failure(&w, 5, ONR_STATUS_DATA);
  w = vector(ONR_DTYPE_I8, 1), packed(&w, 5, bad_i8, 1), expect_failure(&w, 5, ONR_STATUS_DATA);
  w = vector(ONR_DTYPE_BOOL, 1), packed(&w, 5, bad_bool, 1), expect_failure(&w, 5, ONR_STATUS_DATA);
  w = vector(ONR_DTYPE_BOOL, 2), proto_bytes(&w, 9, "\2\xff", 2), expect_failure(&w, 5, ONR_STATUS_DATA);
  w = vector(ONR_DTYPE_U32, 1), packed(&w, 11, bad_u32, 1), expect_failure(&w, 5, ONR_STATUS_DATA);
  w = vector(ONR_DTYPE_STRING, 1), proto_bytes(&w, 9, zeros, 16), expect_failure(&w, 5, ONR_STATUS_DATA);
  w = vector(1, 4), proto_bytes(&w, 3, "", 0), proto_bytes(&w, 9, zeros, 16),
  expect_failure(&w, 5, ONR_STATUS_UNSUPPORTED);
  w = vector(1, 4), proto_int(&w, 14, 2), proto_bytes(&w, 9, zeros, 16), expect_failure(&w, 5, ONR_STATUS_DATA);
}

/* A bool that lies in the file is looked at when it is loaded. */
static void test_large_bool(void **state) {
  static unsigned char bytes[3000];
  struct proto w = vector(ONR_DTYPE_BOOL, 3000);
  (void)state;
  for (size_t i = 0; i < sizeof(bytes); i++) bytes[i] = i % 3 == 0;
  proto_bytes(&w, 9, bytes, sizeof(bytes));
  expect(&w, ONR_DTYPE_BOOL, bytes, sizeof(bytes));
  bytes[2999] = 3;
  w = vector(ONR_DTYPE_BOOL, 3000);
  proto_bytes(&w, 9, bytes, sizeof(bytes));
  expect_failure(&w, 5, ONR_STATUS_DATA);
}

static void test_tensor_limit(void **state) {
  static char zeros[4096];
  struct proto w = vector(1, 1024);
  (void)state;
  env.limits.tensor_bytes = 4095;
  proto_bytes(&w, 9, zeros, 4096);
  expect_failure(&w, 5, ONR_STATUS_LIMIT);
}

static struct proto sparse(const int64_t *dims, size_t rank, const int64_t *index_dims, size_t index_rank,
                           const int64_t *indices, size_t num_indices, int64_t num_values) {
  static const float values[4] = {1, 2, 3, 4};
  struct proto s = {0}, v = vector(1, num_values), i = proto_tensor(NULL, ONR_DTYPE_I64, index_dims, index_rank);
  proto_bytes(&v, 9, values, (size_t)num_values * 4);
  proto_bytes(&i, 9, indices, num_indices * 8);
  proto_message(&s, 1, &v);
  proto_message(&s, 2, &i);
  for (size_t d = 0; d < rank; d++) proto_int(&s, 3, dims[d]);
  return s;
}

static void test_sparse(void **state) {
  static const int64_t dims[2] = {2, 3}, flat[3] = {0, 2, 4}, pairs[6] = {0, 0, 0, 2, 1, 1}, three[1] = {3},
                       three_two[2] = {3, 2}, far[3] = {0, 2, 6}, negative[3] = {-1, 2, 4}, unsorted[3] = {2, 0, 4},
                       twice[3] = {0, 2, 2}, two[1] = {2};
  static const float expected[6] = {1, 0, 2, 0, 3, 0};
  struct onri_constant *constant;
  struct proto s;
  (void)state;
  for (int form = 0; form < 2; form++) {
    s = form ? sparse(dims, 2, three_two, 2, pairs, 6, 3) : sparse(dims, 2, three, 1, flat, 3, 3);
    assert_int_equal(decode(&s, 15, &constant), ONR_STATUS_OK);
    assert_int_equal(constant->desc.rank, 2);
    assert_memory_equal(constant->data, expected, sizeof(expected));
    onri_constant_release(constant);
  }
  s = sparse(dims, 2, three, 1, far, 3, 3), expect_failure(&s, 15, ONR_STATUS_DATA);
  s = sparse(dims, 2, three, 1, negative, 3, 3), expect_failure(&s, 15, ONR_STATUS_DATA);
  s = sparse(dims, 2, three, 1, unsorted, 3, 3), expect_failure(&s, 15, ONR_STATUS_DATA);
  s = sparse(dims, 2, three, 1, twice, 3, 3), expect_failure(&s, 15, ONR_STATUS_DATA);
  s = sparse(dims, 2, two, 1, flat, 2, 3), expect_failure(&s, 15, ONR_STATUS_DATA);
}

/* A whole number of any type, with `count` elements, all 0; dims of rank 0 to 3 whose product it is. */
static struct proto zeros_of(int32_t dtype, const int64_t *dims, size_t rank, size_t count) {
  static const int64_t none[64];
  struct proto w = proto_tensor("w", dtype, dims, rank);
  if (dtype == ONR_DTYPE_STRING)
    for (size_t i = 0; i < count; i++) proto_bytes(&w, 6, "s", 1);
  else proto_bytes(&w, 9, none, count * (dtype == ONR_DTYPE_I64 ? 8 : 4));
  return w;
}

/* Values and indices of every rank, count and type but those that fit. */
static void test_sparse_that_does_not_fit(void **state) {
  static const struct {
    int32_t value_type;
    size_t value_rank;
    int32_t index_type;
    size_t index_rank;
    int64_t index_dims[3];
    enum onr_status expected;
  } cases[] = {
      {ONR_DTYPE_F32, 0, ONR_DTYPE_I64, 1, {1}, ONR_STATUS_DATA},
      {ONR_DTYPE_F32, 2, ONR_DTYPE_I64, 1, {1}, ONR_STATUS_DATA},
      {ONR_DTYPE_STRING, 1, ONR_DTYPE_I64, 1, {1}, ONR_STATUS_UNSUPPORTED},
      {ONR_DTYPE_F32, 1, ONR_DTYPE_I32, 1, {1}, ONR_STATUS_TYPE},
      {ONR_DTYPE_F32, 1, ONR_DTYPE_F32, 1, {1}, ONR_STATUS_TYPE},
      {ONR_DTYPE_F32, 1, ONR_DTYPE_I64, 0, {0}, ONR_STATUS_DATA},
      {ONR_DTYPE_F32, 1, ONR_DTYPE_I64, 3, {1, 1, 2}, ONR_STATUS_DATA},
      {ONR_DTYPE_F32, 1, ONR_DTYPE_I64, 2, {1, 1}, ONR_STATUS_DATA},
      {ONR_DTYPE_F32, 1, ONR_DTYPE_I64, 2, {1, 3}, ONR_STATUS_DATA},
      {ONR_DTYPE_F32, 1, ONR_DTYPE_I64, 2, {2, 2}, ONR_STATUS_DATA},
  };
  static const int64_t ones[2] = {1, 1};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    size_t count = 1;
    for (size_t d = 0; d < cases[i].index_rank; d++) count *= (size_t)cases[i].index_dims[d];
    struct proto s = {0}, v = zeros_of(cases[i].value_type, ones, cases[i].value_rank, 1),
                 k = zeros_of(cases[i].index_type, cases[i].index_dims, cases[i].index_rank, count);
    proto_message(&s, 1, &v);
    proto_message(&s, 2, &k);
    for (int d = 0; d < 2; d++) proto_int(&s, 3, 2);
    expect_failure(&s, 15, cases[i].expected);
  }
}

/* One of a sparse tensor's parts missing or wrong in itself; pairs of indices out of either dimension. */
static void test_sparse_parts(void **state) {
  static const int64_t dims[2] = {2, 3}, pair[2] = {1, 2}, one[1] = {1},
                       pairs[][2] = {{-1, 0}, {2, 0}, {0, -1}, {0, 3}, {INT64_MIN, 0}, {0, INT64_MAX}};
  (void)state;
  for (uint32_t missing = 1; missing <= 2; missing++) {
    struct proto s = {0}, part = zeros_of(missing == 1 ? ONR_DTYPE_I64 : ONR_DTYPE_F32, one, 1, 1);
    proto_message(&s, 3 - missing, &part);
    proto_int(&s, 3, 2);
    expect_failure(&s, 15, ONR_STATUS_DATA);
  }
  for (uint32_t broken = 1; broken <= 2; broken++) {
    struct proto s = {0}, v = zeros_of(ONR_DTYPE_F32, one, 1, broken == 1 ? 2 : 1),
                 k = zeros_of(ONR_DTYPE_I64, one, 1, broken == 2 ? 2 : 1);
    proto_message(&s, 1, &v);
    proto_message(&s, 2, &k);
    proto_int(&s, 3, 2);
    expect_failure(&s, 15, ONR_STATUS_DATA);
  }
  for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
    struct proto s = sparse(dims, 2, (int64_t[]){1, 2}, 2, pairs[i], 2, 1);
    expect_failure(&s, 15, ONR_STATUS_DATA);
  }
  struct proto s = sparse((int64_t[]){2, -3}, 2, (int64_t[]){1, 2}, 2, pair, 2, 1);
  expect_failure(&s, 15, ONR_STATUS_SHAPE);
}

/* Every field of contents beside every other one; too small numbers, too. */
static void test_two_contents(void **state) {
  static const uint32_t fields[] = {9, 4, 5, 6, 7, 10, 11}; /* raw, float, int32, string, int64, double, uint64 */
  static const int64_t one[1] = {1}, low_i8[1] = {-129}, low_u8[1] = {-1};
  static const char zeros[4096];
  enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };
  (void)state;
  for (size_t a = 0; a < FIELDS; a++)
    for (size_t b = 0; b < FIELDS; b++) {
      if (a == b) continue;
      struct proto w = vector(ONR_DTYPE_F64, 1);
      for (int side = 0; side < 2; side++) {
        const uint32_t field = fields[side ? b : a];
        if (field == 5 || field == 7 || field == 11) packed(&w, field, one, 1);
        else proto_bytes(&w, field, zeros, 8);
      }
      expect_failure(&w, 5, ONR_STATUS_DATA);
    }
  for (int large = 0; large < 2; large++) { /* double_data, in the file or not */
    struct onri_constant *constant;
    struct proto w = vector(ONR_DTYPE_F64, large ? 512 : 2);
    proto_bytes(&w, 10, zeros, large ? 4096 : 16);
    assert_int_equal(decode(&w, 5, &constant), ONR_STATUS_OK);
    assert_int_equal(onr_desc_elements(&constant->desc), large ? 512 : 2);
    onri_constant_release(constant);
  }
  struct proto w = vector(ONR_DTYPE_I8, 1);
  packed(&w, 5, low_i8, 1), expect_failure(&w, 5, ONR_STATUS_DATA);
  w = vector(ONR_DTYPE_U8, 1), packed(&w, 5, low_u8, 1), expect_failure(&w, 5, ONR_STATUS_DATA);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_raw),
      TEST(test_typed_fields),
      TEST(test_large_float_data_stays_in_the_file),
      TEST(test_packed_types),
      TEST(test_strings),
      TEST(test_scalar_and_empty),
      TEST(test_what_is_refused),
      TEST(test_large_bool),
      TEST(test_tensor_limit),
      TEST(test_sparse),
      TEST(test_sparse_that_does_not_fit),
      TEST(test_sparse_parts),
      TEST(test_two_contents),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
