/* Damaged copies of real models: flipped bits and cut ends. Whatever loads is planned and run on zeros; the sanitizers,
 * the limits and a count of live blocks are the judges. The same seeds every time. ONNXRUN_SWEEP in the environment
 * multiplies the number of flips, and has models cut at every hundredth and at every byte of their first and last 4
 * KiB. */
#include "tests/support/counted_memory.h"
#include "tests/support/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnxrun/onnxrun.h"

static const char *const names[] = {"activations_ts",
                                    "attention_sdpa_dynamo23",
                                    "avgpool_ceil_ts",
                                    "cond_dynamo",
                                    "conv_bn_relu_ts",
                                    "conv_transpose2d_grouped_ts",
                                    "cumsum_triangles_dynamo",
                                    "einsum_ts",
                                    "embedding_bag_ts",
                                    "fold_unfold_dynamo",
                                    "gradient_functions",
                                    "gradient_shapes",
                                    "grid_sample_ts",
                                    "gru_bidirectional_ts",
                                    "integer_maths_ts",
                                    "lstm_bidirectional_ts",
                                    "nms_ts",
                                    "pad_modes_ts",
                                    "scripted_loop_ts",
                                    "shape_ops_ts",
                                    "topk_sort_ts",
                                    "while_loop_dynamo"};
enum {
  NUM_NAMES = sizeof(names) / sizeof(names[0]),
  FLIPS = 1000,
  CUTS = 200,
  NEAR = 4096,
  MAX_INPUTS = 16,
  MAX_INPUT_BYTES = 1 << 20
};

/* xorshift: the same numbers on every machine. */
static uint32_t next(uint32_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 17;
  return *seed ^= *seed << 5;
}

static unsigned char *read_fixture(const char *name, size_t *bytes) {
  char path[1024];
  snprintf(path, sizeof(path), "%s/%s/model.onnx", ONNXRUN_FIXTURES, name);
  FILE *file = fopen(path, "rb");
  if (!file) fail_msg("cannot open %s", path);
  fseek(file, 0, SEEK_END);
  *bytes = (size_t)ftell(file);
  rewind(file);
  unsigned char *data = malloc(*bytes);
  assert_non_null(data);
  assert_int_equal(fread(data, 1, *bytes, file), *bytes);
  fclose(file);
  return data;
}

/* Zeros of the declared size, 2 where it is not declared. NULL data when that is too large to try. */
static struct onr_tensor zeros(const struct onr_value_info *info) {
  int64_t dim[ONR_MAX_RANK];
  const int32_t rank = info->rank < 0 ? 1 : info->rank;
  for (int32_t i = 0; i < rank; i++) dim[i] = info->rank < 0 || info->dim[i] == ONR_UNKNOWN_DIM ? 2 : info->dim[i];
  struct onr_tensor tensor = {onr_desc_make(info->dtype, rank, dim), NULL};
  const size_t bytes = onr_desc_bytes(&tensor.desc);
  if (bytes <= MAX_INPUT_BYTES) tensor.data = calloc(1, bytes + 1);
  return tensor;
}

static enum onr_status run(const struct onr_model *model, struct onr_session *session, struct onr_tensor *inputs,
                           size_t count) {
  for (size_t i = 0; i < count; i++) {
    inputs[i] = zeros(onr_model_input(model, i));
    if (!inputs[i].data) return ONR_STATUS_LIMIT;
    ONR_TRY(onr_session_set_input(session, i, &inputs[i], NULL));
  }
  ONR_TRY(onr_session_plan(session, NULL));
  return onr_session_run(session, NULL);
}

/* How far the bytes came: 0 refused, 1 loaded, 2 ran. */
static int try_model(const void *data, size_t bytes, const char *directory) {
  const struct onr_limits limits = {
      .size = sizeof(limits), .tensor_bytes = 16 << 20, .total_bytes = 64 << 20, .loop_iterations = 1000};
  const struct onr_model_options options = {
      .size = sizeof(options), .allocator = &counted_memory, .limits = &limits, .external_directory = directory};
  struct onr_tensor inputs[MAX_INPUTS] = {0};
  struct onr_session *session = NULL;
  struct onr_error error = {0};
  struct onr_model *model;
  int far = 0;
  const enum onr_status status = onr_model_load_memory(data, bytes, &options, &model, &error);
  if (status != ONR_STATUS_OK) {
    assert_null(model);
    assert_int_equal(error.status, status);
    assert_int_not_equal(status, ONR_STATUS_INTERNAL);
    assert_true(error.message[0] != 0);
  } else {
    const size_t count = onr_model_num_inputs(model);
    far = 1;
    if (count <= MAX_INPUTS && onr_session_create(model, NULL, &session, NULL) == ONR_STATUS_OK)
      far += run(model, session, inputs, count) == ONR_STATUS_OK;
    onr_session_destroy(session);
    onr_model_destroy(model);
  }
  for (size_t i = 0; i < MAX_INPUTS; i++) free(inputs[i].data);
  assert_int_equal(counted_live, 0);
  return far;
}

struct original {
  char directory[1024];
  unsigned char *data;
  size_t bytes;
};

/* The first `length` bytes with so many flipped bits. The copy is exactly as long as it says, so that a read past the
 * end is seen. */
static int try_copy(const struct original *o, size_t length, uint32_t flips, uint32_t *seed) {
  unsigned char *copy = malloc(length + !length);
  assert_non_null(copy);
  memcpy(copy, o->data, length);
  for (; flips > 0; flips--) copy[next(seed) % length] ^= (unsigned char)(1u << next(seed) % 8);
  const int far = try_model(copy, length, o->directory);
  free(copy);
  return far;
}

/* Every hundredth, and every byte near the ends. */
static void cut_everywhere(const struct original *o, size_t *reached) {
  for (size_t length = 0; length < o->bytes; length++) {
    const int is_hundredth = length * 100 / o->bytes != (length + 1) * 100 / o->bytes;
    if (length < NEAR || o->bytes - length <= NEAR || is_hundredth) reached[try_copy(o, length, 0, NULL)]++;
  }
}

static void mutate(const char *name, size_t *reached) {
  uint32_t seed = 2463534242u;
  struct original o;
  o.data = read_fixture(name, &o.bytes);
  snprintf(o.directory, sizeof(o.directory), "%s/%s", ONNXRUN_FIXTURES, name);
  for (int i = 0; i < sweep_cases(FLIPS); i++) reached[try_copy(&o, o.bytes, 1 + next(&seed) % 3, &seed)]++;
  for (int i = 0; i < CUTS; i++) reached[try_copy(&o, next(&seed) % o.bytes, 0, NULL)]++;
  if (sweep_cases(1) > 1) cut_everywhere(&o, reached);
  free(o.data);
}

static void damaged_models_do_no_harm(void **state) {
  size_t reached[3] = {0};
  (void)state;
  for (size_t n = 0; n < NUM_NAMES; n++) mutate(names[n], reached);
  print_message("%zu refused, %zu loaded only, %zu ran\n", reached[0], reached[1], reached[2]);
  assert_true(reached[0] > NUM_NAMES * CUTS / 2); /* cuts are noticed */
  assert_true(reached[2] > NUM_NAMES);            /* and enough damage is small enough to test the run */
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(damaged_models_do_no_harm)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
