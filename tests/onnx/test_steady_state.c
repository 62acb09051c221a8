/* Models in use: a run after the first allocates nothing; threads share one model; a budget is kept; a cancel flag
 * stops. */
#include "tests/support/counted_memory.h"
#include "tests/support/layer_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnxrun/layer.h"
#include "onnxrun/onnxrun.h"
#include "onnxrun/tensor_file.h"

static const char *fixture(const char *name, const char *file) {
  static char path[1024];
  snprintf(path, sizeof(path), "%s/%s/%s", ONNXRUN_FIXTURES, name, file);
  return path;
}

static struct onr_model *load(const char *name, const struct onr_allocator *allocator) {
  const struct onr_model_options options = {.size = sizeof(options), .allocator = allocator};
  struct onr_model *model;
  struct onr_error error = {0};
  if (onr_model_load(fixture(name, "model.onnx"), &options, &model, &error) != ONR_STATUS_OK)
    fail_msg("%s: %s", name, error.message);
  return model;
}

/* All inputs of data set 0, set on the session. */
static void set_inputs(struct onr_session *session, const struct onr_model *model, const char *name,
                       struct onr_tensor *inputs) {
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    char file[64];
    struct onr_error error = {0};
    snprintf(file, sizeof(file), "test_data_set_0/input_%zu.pb", i);
    if (!inputs[i].data)
      assert_int_equal(onr_tensor_file_load(fixture(name, file), ONR_DTYPE_NONE, NULL, &inputs[i], NULL, 0, &error),
                       ONR_STATUS_OK);
    if (onr_session_set_input(session, i, &inputs[i], &error) != ONR_STATUS_OK) fail_msg("%s: %s", name, error.message);
  }
}

static void run(struct onr_session *session, const char *name) {
  struct onr_error error = {0};
  if (onr_session_run(session, &error) != ONR_STATUS_OK) fail_msg("%s: %s: %s", name, error.where, error.message);
}

/* Convolutions, recurrent layers, attention, control flow, data-dependent shapes. */
static const char *const names[] = {"unet_dynamo",
                                    "inverted_residual_ts",
                                    "lstm_bidirectional_dynamo",
                                    "gru_ts",
                                    "transformer_encoder_layer_dynamo",
                                    "cond_dynamo",
                                    "while_loop_dynamo",
                                    "nonzero_ts",
                                    "channel_shuffle_block_ts",
                                    "squeeze_excite_dynamo"};
enum { NUM_NAMES = sizeof(names) / sizeof(names[0]), MAX_INPUTS = 8 };

static void a_run_after_the_first_allocates_nothing(void **state) {
  (void)state;
  for (size_t n = 0; n < NUM_NAMES; n++) {
    struct onr_tensor inputs[MAX_INPUTS] = {0};
    struct onr_session *session;
    struct onr_model *model = load(names[n], &counted_memory);
    assert_int_equal(onr_session_create(model, NULL, &session, NULL), ONR_STATUS_OK);
    set_inputs(session, model, names[n], inputs);
    run(session, names[n]);
    const size_t before = counted_total;
    for (int i = 0; i < 3; i++) run(session, names[n]);
    if (counted_total != before) fail_msg("%s: %zu allocations in three runs", names[n], counted_total - before);
    onr_session_destroy(session);
    onr_model_destroy(model);
    for (size_t i = 0; i < MAX_INPUTS; i++) onr_tensor_release(NULL, &inputs[i]);
    if (counted_live) fail_msg("%s: %zu blocks were not released", names[n], (size_t)counted_live);
  }
}

/* A decoder token by token, so that each step has a length of its own. */
enum { CACHES = 4, HEADS = 2, WIDTH = 8, MOST_STEPS = 1024, MOST_TOKENS = 16 };

struct decoding {
  struct onr_model *model;
  struct onr_session *session;
  float *caches[2][CACHES]; /* read and written in turn */
  int64_t length;           /* in steps of so many tokens: */
  int64_t tokens;
};

static void start_decoding(struct decoding *d, const char *name, uint64_t plan_bytes, int64_t tokens) {
  const struct onr_limits limits = {.size = sizeof(limits), .plan_bytes = plan_bytes};
  const struct onr_model_options options = {.size = sizeof(options), .allocator = &counted_memory, .limits = &limits};
  struct onr_error error = {0};
  *d = (struct decoding){.length = 1, .tokens = tokens};
  if (onr_model_load(fixture(name, "model.onnx"), &options, &d->model, &error) != ONR_STATUS_OK)
    fail_msg("%s: %s", name, error.message);
  assert_int_equal(onr_session_create(d->model, NULL, &d->session, NULL), ONR_STATUS_OK);
  for (int side = 0; side < 2; side++)
    for (int i = 0; i < CACHES; i++)
      d->caches[side][i] = calloc(HEADS * (MOST_STEPS + 1) * MOST_TOKENS * WIDTH, sizeof(float));
}

static void decode(struct decoding *d, int64_t length) {
  static int64_t tokens[MOST_TOKENS];
  const struct onr_tensor ids = {{.dtype = ONR_DTYPE_I64, .rank = 2, .dim = {1, d->tokens}}, tokens};
  assert_in_range(length, 1, MOST_STEPS);
  assert_int_equal(onr_session_set_input(d->session, 0, &ids, NULL), ONR_STATUS_OK);
  for (; d->length <= length; d->length++) {
    const int64_t past = d->length * d->tokens;
    const size_t bytes = (size_t)(HEADS * (past + d->tokens) * WIDTH) * sizeof(float);
    for (size_t i = 0; i < CACHES; i++) {
      const struct onr_tensor cache = {{.dtype = ONR_DTYPE_F32, .rank = 4, .dim = {1, HEADS, past, WIDTH}},
                                       d->caches[d->length & 1][i]};
      assert_int_equal(onr_session_set_input(d->session, 1 + i, &cache, NULL), ONR_STATUS_OK);
      assert_int_equal(onr_session_bind_output(d->session, 1 + i, d->caches[~d->length & 1][i], bytes, NULL),
                       ONR_STATUS_OK);
    }
    run(d->session, "a decoder");
  }
}

static void end_decoding(struct decoding *d) {
  onr_session_destroy(d->session);
  onr_model_destroy(d->model);
  for (int side = 0; side < 2; side++)
    for (int i = 0; i < CACHES; i++) free(d->caches[side][i]);
}

/* Plans of older lengths leave their memory to the next. Each time the length has doubled, what depends on it has grown
 * a few times: in the plan in use alone, or, by default, in all that are kept. */
static void a_new_length_allocates_nothing_but_what_grows(void **state) {
  static const char *const decoders[] = {"cached_decoder_dynamo", "cached_decoder_ts"};
  static const struct {
    uint64_t plan_bytes;
    size_t most;
  } cases[] = {{1, 40}, {0, 250 * sizeof(uint64_t) / sizeof(void *)}}; /* the shorter pointers are, the more are kept */
  (void)state;
  for (size_t n = 0; n < 4; n++) {
    struct decoding d;
    start_decoding(&d, decoders[n % 2], cases[n / 2].plan_bytes, 1);
    decode(&d, MOST_STEPS / 8);
    for (int64_t length = MOST_STEPS / 4; length <= MOST_STEPS; length *= 2) {
      const size_t before = counted_total;
      decode(&d, length);
      if (!ONRI_WATCHED && counted_total - before > cases[n / 2].most)
        fail_msg("%s: %zu allocations up to length %d", decoders[n % 2], counted_total - before, (int)length);
    }
    end_decoding(&d);
    assert_int_equal(counted_live, 0);
  }
}

static void many_lengths_hold_little_more_than_the_last(void **state) {
  struct decoding all, last;
  (void)state;
  start_decoding(&all, "cached_decoder_ts", 1, MOST_TOKENS);
  decode(&all, MOST_STEPS);
  start_decoding(&last, "cached_decoder_ts", 1, MOST_TOKENS);
  last.length = MOST_STEPS;
  decode(&last, MOST_STEPS);
  const size_t least = onr_session_total_bytes(last.session);
  assert_in_range(onr_session_total_bytes(all.session), least, least + least / 5);
  end_decoding(&last);
  end_decoding(&all);
}

/* Results go to memory that is aligned as their type asks for and no more. */
static void bound_memory_needs_the_alignment_of_its_type_alone(void **state) {
  (void)state;
  for (size_t n = 0; n < NUM_NAMES; n++) {
    struct onr_tensor inputs[MAX_INPUTS] = {0}, y;
    struct onr_session *session;
    struct onr_error error;
    struct onr_model *model = load(names[n], NULL);
    assert_int_equal(onr_session_create(model, NULL, &session, NULL), ONR_STATUS_OK);
    set_inputs(session, model, names[n], inputs);
    run(session, names[n]);
    assert_int_equal(onr_session_get_output(session, 0, &y, NULL), ONR_STATUS_OK);
    const size_t bytes = onr_desc_bytes(&y.desc), element = onr_dtype_size(y.desc.dtype);
    char *expected = malloc(bytes + 1), *memory = aligned_alloc(64, bytes / 64 * 64 + 128);
    memcpy(expected, y.data, bytes);
    if (onr_session_bind_output(session, 0, memory + element, bytes, &error) != ONR_STATUS_OK)
      fail_msg("%s: %s", names[n], error.message);
    run(session, names[n]);
    assert_memory_equal(memory + element, expected, bytes);
    free(memory);
    free(expected);
    onr_session_destroy(session);
    onr_model_destroy(model);
    for (size_t i = 0; i < MAX_INPUTS; i++) onr_tensor_release(NULL, &inputs[i]);
  }
}

struct worker {
  const struct onr_model *model;
  const char *name;
  const struct onr_tensor *expected;
  struct onr_tensor *inputs;
  int different;
};

static void *work(void *argument) {
  struct worker *w = argument;
  for (int round = 0; round < 5; round++) {
    struct onr_session *session;
    struct onr_tensor y;
    if (onr_session_create(w->model, NULL, &session, NULL) != ONR_STATUS_OK) {
      w->different = 1;
      return NULL;
    }
    for (size_t i = 0; i < onr_model_num_inputs(w->model); i++) onr_session_set_input(session, i, &w->inputs[i], NULL);
    for (int k = 0; k < 3; k++) {
      if (onr_session_run(session, NULL) != ONR_STATUS_OK ||
          onr_session_get_output(session, 0, &y, NULL) != ONR_STATUS_OK ||
          !onr_desc_equal(&y.desc, &w->expected->desc) ||
          memcmp(y.data, w->expected->data, onr_desc_bytes(&y.desc)) != 0)
        w->different = 1;
    }
    onr_session_destroy(session);
  }
  return NULL;
}

static void threads_share_a_model_and_get_the_same_bits(void **state) {
  enum { THREADS = 4 };
  (void)state;
  for (size_t n = 0; n < NUM_NAMES; n++) {
    struct onr_tensor inputs[MAX_INPUTS] = {0}, expected;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    struct onr_session *session;
    struct onr_model *model = load(names[n], NULL);
    assert_int_equal(onr_session_create(model, NULL, &session, NULL), ONR_STATUS_OK);
    set_inputs(session, model, names[n], inputs);
    run(session, names[n]);
    assert_int_equal(onr_session_get_output(session, 0, &expected, NULL), ONR_STATUS_OK);
    for (int t = 0; t < THREADS; t++) {
      workers[t] = (struct worker){model, names[n], &expected, inputs, 0};
      assert_int_equal(pthread_create(&threads[t], NULL, work, &workers[t]), 0);
    }
    for (int t = 0; t < THREADS; t++) {
      pthread_join(threads[t], NULL);
      if (workers[t].different) fail_msg("%s: thread %d got other results", names[n], t);
    }
    onr_session_destroy(session);
    onr_model_destroy(model);
    for (size_t i = 0; i < MAX_INPUTS; i++) onr_tensor_release(NULL, &inputs[i]);
  }
}

static void pools_of_any_size_give_the_same_bits(void **state) {
  (void)state;
  for (size_t n = 0; n < NUM_NAMES; n++) {
    struct onr_tensor inputs[MAX_INPUTS] = {0}, first = {0};
    struct onr_model *model = load(names[n], NULL);
    for (uint32_t count = 1; count <= 4; count++) {
      struct onr_threads *threads;
      struct onr_session *session;
      struct onr_tensor y;
      assert_int_equal(onr_threads_create(count, NULL, &threads, NULL), ONR_STATUS_OK);
      const struct onr_session_options options = {.size = sizeof(options), .threads = threads};
      assert_int_equal(onr_session_create(model, &options, &session, NULL), ONR_STATUS_OK);
      set_inputs(session, model, names[n], inputs);
      run(session, names[n]);
      assert_int_equal(onr_session_get_output(session, 0, &y, NULL), ONR_STATUS_OK);
      if (!first.data) {
        first = (struct onr_tensor){y.desc, malloc(onr_desc_bytes(&y.desc) + 1)};
        memcpy(first.data, y.data, onr_desc_bytes(&y.desc));
      }
      if (memcmp(first.data, y.data, onr_desc_bytes(&y.desc)) != 0)
        fail_msg("%s: other bits with %u threads", names[n], count);
      onr_session_destroy(session);
      onr_threads_destroy(threads);
    }
    free(first.data);
    onr_model_destroy(model);
    for (size_t i = 0; i < MAX_INPUTS; i++) onr_tensor_release(NULL, &inputs[i]);
  }
}

/* Where it ends under a limit of all memory: 0 while loading, 1 afterwards, 2 not at all. */
static int end_under(uint64_t total_bytes) {
  const struct onr_limits limits = {.size = sizeof(limits), .total_bytes = total_bytes};
  const struct onr_model_options options = {.size = sizeof(options), .limits = &limits};
  struct onr_tensor inputs[MAX_INPUTS] = {0};
  struct onr_session *session = NULL;
  struct onr_model *model;
  struct onr_error error = {0};
  enum onr_status status = onr_model_load(fixture("unet_dynamo", "model.onnx"), &options, &model, &error);
  const int loaded = status == ONR_STATUS_OK;
  if (loaded) status = onr_session_create(model, NULL, &session, &error);
  if (status == ONR_STATUS_OK) {
    set_inputs(session, model, "unet_dynamo", inputs);
    status = onr_session_run(session, &error);
  }
  if (status != ONR_STATUS_OK) {
    assert_int_equal(status, ONR_STATUS_LIMIT);
    assert_non_null(strstr(error.message, "total_bytes"));
  }
  onr_session_destroy(session);
  onr_model_destroy(model);
  for (size_t i = 0; i < MAX_INPUTS; i++) onr_tensor_release(NULL, &inputs[i]);
  return loaded + (status == ONR_STATUS_OK);
}

static void a_limit_of_memory_ends_in_limit_wherever_it_is_met(void **state) {
  int ends[3] = {0};
  (void)state;
  for (uint64_t bytes = 1000; !ends[2]; bytes += bytes / 8) ends[end_under(bytes)]++;
  assert_true(ends[0] > 10); /* what loads is small at first */
  assert_true(ends[1] > 0);
}

static void a_cancel_flag_stops_a_run(void **state) {
  const struct onr_cancel stop = {1};
  const struct onr_session_options cancelled = {.size = sizeof(cancelled), .cancel = &stop};
  struct onr_tensor inputs[MAX_INPUTS] = {0};
  struct onr_session *session;
  struct onr_model *model = load("unet_dynamo", NULL);
  struct onr_error error = {0};
  (void)state;
  assert_int_equal(onr_session_create(model, &cancelled, &session, &error), ONR_STATUS_OK);
  set_inputs(session, model, "unet_dynamo", inputs);
  assert_int_equal(onr_session_run(session, &error), ONR_STATUS_CANCELLED);
  onr_session_destroy(session);
  onr_model_destroy(model);
  for (size_t i = 0; i < MAX_INPUTS; i++) onr_tensor_release(NULL, &inputs[i]);
}

static void models_load_from_memory_that_is_freed(void **state) {
  FILE *file = fopen(fixture("linear_2d_ts", "model.onnx"), "rb");
  char *bytes = malloc(1 << 20);
  struct onr_tensor inputs[MAX_INPUTS] = {0}, y;
  struct onr_session *session;
  struct onr_model *model;
  struct onr_error error = {0};
  (void)state;
  assert_non_null(file);
  const size_t size = fread(bytes, 1, 1 << 20, file);
  fclose(file);
  assert_int_equal(onr_model_load_memory(bytes, size, NULL, &model, &error), ONR_STATUS_OK);
  memset(bytes, 0, size);
  free(bytes);
  assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
  set_inputs(session, model, "linear_2d_ts", inputs);
  run(session, "linear_2d_ts");
  assert_int_equal(onr_session_get_output(session, 0, &y, &error), ONR_STATUS_OK);
  struct onr_tensor expected;
  assert_int_equal(onr_tensor_file_load(fixture("linear_2d_ts", "test_data_set_0/output_0.pb"), ONR_DTYPE_NONE, NULL,
                                        &expected, NULL, 0, &error),
                   ONR_STATUS_OK);
  assert_close(y.data, expected.data, (size_t)onr_desc_elements(&expected.desc), 1e-5, 1e-5);
  onr_tensor_release(NULL, &expected);
  onr_session_destroy(session);
  onr_model_destroy(model);
  onr_tensor_release(NULL, &inputs[0]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_run_after_the_first_allocates_nothing),
      cmocka_unit_test(a_new_length_allocates_nothing_but_what_grows),
      cmocka_unit_test(many_lengths_hold_little_more_than_the_last),
      cmocka_unit_test(bound_memory_needs_the_alignment_of_its_type_alone),
      cmocka_unit_test(threads_share_a_model_and_get_the_same_bits),
      cmocka_unit_test(pools_of_any_size_give_the_same_bits),
      cmocka_unit_test(a_limit_of_memory_ends_in_limit_wherever_it_is_met),
      cmocka_unit_test(a_cancel_flag_stops_a_run),
      cmocka_unit_test(models_load_from_memory_that_is_freed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
