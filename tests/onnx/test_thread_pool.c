/* A pool of the caller's own: here threads of POSIX that take turns at a list, a pool that has no thread at all, and
 * one that goes backwards. All give the bits of one thread, and the work is shared out. A child of fork runs, too. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "onnxrun/nn.h"
#include "onnxrun/onnxrun.h"
#include "onnxrun/tensor_file.h"

enum { MAX_THREADS = 4, MAX_INPUTS = 4 };

static struct onr_error error;

static void expect_ok(enum onr_status status) {
  if (status != ONR_STATUS_OK) fail_msg("%s: %s", onr_status_name(status), error.message);
}

/* --- pools --- */

struct posix_pool {
  pthread_t threads[MAX_THREADS];
  pthread_mutex_t lock;
  pthread_cond_t work, done;
  void (*task)(void *argument, size_t i);
  void *argument;
  size_t count, next, finished;
  int stop;
};

/* Takes tasks while there are any; the lock is held. */
static void take_tasks(struct posix_pool *p) {
  while (p->next < p->count) {
    const size_t i = p->next++;
    pthread_mutex_unlock(&p->lock);
    p->task(p->argument, i);
    pthread_mutex_lock(&p->lock);
    if (++p->finished == p->count) pthread_cond_signal(&p->done);
  }
}

static void *work(void *pool) {
  struct posix_pool *p = pool;
  pthread_mutex_lock(&p->lock);
  while (!p->stop) {
    take_tasks(p);
    if (!p->stop) pthread_cond_wait(&p->work, &p->lock);
  }
  pthread_mutex_unlock(&p->lock);
  return NULL;
}

static atomic_size_t calls, tasks, most_tasks;

static void note(size_t count) {
  atomic_fetch_add(&calls, 1);
  atomic_fetch_add(&tasks, count);
  if (count > atomic_load(&most_tasks)) atomic_store(&most_tasks, count);
}

static void run_posix(void *context, size_t count, void (*task)(void *argument, size_t i), void *argument) {
  struct posix_pool *p = context;
  note(count);
  pthread_mutex_lock(&p->lock);
  p->task = task;
  p->argument = argument;
  p->next = p->finished = 0;
  p->count = count;
  pthread_cond_broadcast(&p->work);
  take_tasks(p);
  while (p->finished < p->count) pthread_cond_wait(&p->done, &p->lock);
  p->count = p->next = 0;
  pthread_mutex_unlock(&p->lock);
}

static void run_backwards(void *context, size_t count, void (*task)(void *argument, size_t i), void *argument) {
  (void)context;
  note(count);
  while (count-- > 0) task(argument, count);
}

/* --- what is run --- */

static const char *fixture(const char *name, const char *file) {
  static char path[512];
  snprintf(path, sizeof(path), "%s/%s/%s", ONNXRUN_FIXTURES, name, file);
  return path;
}

/* All outputs of a committed model, one behind the other. */
static size_t run_model(const char *name, struct onr_threads *threads, unsigned char *bytes, size_t room) {
  struct onr_model_options model_options = onr_model_options_init();
  struct onr_session_options options = onr_session_options_init();
  struct onr_tensor inputs[MAX_INPUTS] = {0}, y;
  struct onr_model *model;
  struct onr_session *session;
  size_t used = 0;
  model_options.threads = options.threads = threads;
  expect_ok(onr_model_load(fixture(name, "model.onnx"), &model_options, &model, &error));
  expect_ok(onr_session_create(model, &options, &session, &error));
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    char file[64];
    snprintf(file, sizeof(file), "test_data_set_0/input_%zu.pb", i);
    expect_ok(onr_tensor_file_load(fixture(name, file), ONR_DTYPE_NONE, NULL, &inputs[i], NULL, 0, &error));
    expect_ok(onr_session_set_input(session, i, &inputs[i], &error));
  }
  expect_ok(onr_session_run(session, &error));
  for (size_t i = 0; i < onr_model_num_outputs(model); i++) {
    expect_ok(onr_session_get_output(session, i, &y, &error));
    const size_t count = onr_desc_bytes(&y.desc);
    assert_true(used + count <= room);
    memcpy(bytes + used, y.data, count);
    used += count;
  }
  onr_session_destroy(session);
  onr_model_destroy(model);
  for (size_t i = 0; i < MAX_INPUTS; i++) onr_tensor_release(NULL, &inputs[i]);
  return used;
}

/* Large enough that its layers are shared out: [256, 512] . [512, 512], relu, layer norm, softmax, in turn. */
static size_t run_net(const char *name, struct onr_threads *threads, unsigned char *bytes, size_t room) {
  enum { ROWS = 256, WIDTH = 512 };
  static float weight[WIDTH * WIDTH], x[ROWS * WIDTH];
  struct onr_model_options model_options = onr_model_options_init();
  struct onr_session_options options = onr_session_options_init();
  const struct onr_tensor input = {onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){ROWS, WIDTH}), x};
  struct onr_net *net;
  struct onr_model *model;
  struct onr_session *session;
  struct onr_tensor y;
  (void)name;
  for (size_t i = 0; i < WIDTH * WIDTH; i++) weight[i] = (float)((i * 7919) % 2003) / 20030 - 0.05f;
  for (size_t i = 0; i < ROWS * WIDTH; i++) x[i] = (float)((i * 104729) % 1009) / 1009;
  model_options.threads = options.threads = threads;
  expect_ok(onr_net_create(&model_options, &net, &error));
  int value = onr_net_input(net, "x", ONR_DTYPE_F32, 2, (int64_t[]){ROWS, WIDTH});
  value =
      onr_linear(net, value, &(struct onr_linear){WIDTH, WIDTH}, onr_weight(weight, WIDTH * WIDTH), onr_no_weight());
  value = onr_layer_norm(net, onr_gelu(net, value), &(struct onr_layer_norm){.normalized_shape = {WIDTH}},
                         onr_no_weight(), onr_no_weight());
  onr_net_output(net, "y", onr_softmax(net, onr_mish(net, value), -1));
  expect_ok(onr_net_finish(net, &model, &error));
  expect_ok(onr_session_create(model, &options, &session, &error));
  expect_ok(onr_session_set_input(session, 0, &input, &error));
  expect_ok(onr_session_run(session, &error));
  expect_ok(onr_session_get_output(session, 0, &y, &error));
  assert_true(onr_desc_bytes(&y.desc) <= room);
  memcpy(bytes, y.data, onr_desc_bytes(&y.desc));
  onr_session_destroy(session);
  onr_model_destroy(model);
  return onr_desc_bytes(&y.desc);
}

static void every_pool_gives_the_bits_of_one_thread(void **state) {
  enum { ROOM = 1 << 22 };
  static const char *const names[] = {"unet_dynamo", "transformer_encoder_layer_dynamo", "lstm_ts",
                                      "inverted_residual_dynamo", "attention_sdpa_dynamo"};
  static struct posix_pool posix = {
      .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
  const struct onr_thread_pool pools[] = {
      {sizeof(pools[0]), 3, &posix, run_posix},
      {sizeof(pools[0]), 1, NULL, run_backwards},
      {sizeof(pools[0]), 64, NULL, run_backwards},
  };
  unsigned char *expected = malloc(ROOM), *found = malloc(ROOM);
  (void)state;
  for (size_t i = 0; i < 2; i++) assert_int_equal(pthread_create(&posix.threads[i], NULL, work, &posix), 0);
  for (size_t p = 0; p < sizeof(pools) / sizeof(pools[0]); p++) {
    struct onr_threads *threads;
    expect_ok(onr_threads_create_custom(&pools[p], NULL, &threads, &error));
    assert_int_equal(onr_threads_count(threads), pools[p].num_threads);
    calls = tasks = most_tasks = 0;
    for (size_t n = 0; n <= sizeof(names) / sizeof(names[0]); n++) {
      const int is_net = n == sizeof(names) / sizeof(names[0]);
      size_t (*run)(const char *, struct onr_threads *, unsigned char *, size_t) = is_net ? run_net : run_model;
      const size_t bytes = run(is_net ? NULL : names[n], NULL, expected, ROOM);
      assert_true(bytes > 0);
      assert_int_equal(run(is_net ? NULL : names[n], threads, found, ROOM), bytes);
      assert_memory_equal(found, expected, bytes);
    }
    assert_true(calls > 0);
    assert_true(most_tasks <= pools[p].num_threads);
    if (pools[p].num_threads > 1) assert_true(tasks > calls); /* shared out */
    onr_threads_destroy(threads);
  }
  pthread_mutex_lock(&posix.lock);
  posix.stop = 1;
  pthread_cond_broadcast(&posix.work);
  pthread_mutex_unlock(&posix.lock);
  for (size_t i = 0; i < 2; i++) pthread_join(posix.threads[i], NULL);
  free(expected);
  free(found);
}

/* One Linear, so that nothing else is shared out. */
static void xnnpack_takes_its_share(void **state) {
  enum { ROWS = 64, WIDTH = 512 };
  static float weight[WIDTH * WIDTH], x[ROWS * WIDTH];
  const struct onr_thread_pool pool = {sizeof(pool), 4, NULL, run_backwards};
  const struct onr_tensor input = {onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){ROWS, WIDTH}), x};
  struct onr_session_options options = onr_session_options_init();
  struct onr_node_info node = onr_node_info_init();
  struct onr_net *net;
  struct onr_model *model;
  struct onr_session *session;
  (void)state;
  expect_ok(onr_threads_create_custom(&pool, NULL, &options.threads, &error));
  expect_ok(onr_net_create(NULL, &net, &error));
  const int value = onr_net_input(net, "x", ONR_DTYPE_F32, 2, (int64_t[]){ROWS, WIDTH});
  onr_net_output(
      net, "y",
      onr_linear(net, value, &(struct onr_linear){WIDTH, WIDTH}, onr_weight(weight, WIDTH * WIDTH), onr_no_weight()));
  expect_ok(onr_net_finish(net, &model, &error));
  expect_ok(onr_session_create(model, &options, &session, &error));
  expect_ok(onr_session_set_input(session, 0, &input, &error));
  most_tasks = 0;
  expect_ok(onr_session_run(session, &error));
  expect_ok(onr_session_node(session, 0, &node));
#ifdef ONNXRUN_POOL_BRIDGE
  if (node.kernel == ONR_KERNEL_XNNPACK) assert_int_equal(most_tasks, 4);
#endif
  onr_session_destroy(session);
  onr_model_destroy(model);
  onr_threads_destroy(options.threads);
}

static void a_pool_that_cannot_be_is_refused(void **state) {
  struct onr_thread_pool pool = onr_thread_pool_init();
  struct onr_threads *threads;
  (void)state;
  pool.num_threads = 2;
  assert_int_equal(onr_threads_create_custom(&pool, NULL, &threads, &error), ONR_STATUS_ARGUMENT);
  pool.run = run_backwards;
  pool.num_threads = 0;
  assert_int_equal(onr_threads_create_custom(&pool, NULL, &threads, &error), ONR_STATUS_ARGUMENT);
  pool.num_threads = 1025;
  assert_int_equal(onr_threads_create_custom(&pool, NULL, &threads, &error), ONR_STATUS_ARGUMENT);
  assert_null(threads);
  assert_int_equal(onr_threads_create_custom(NULL, NULL, &threads, &error), ONR_STATUS_ARGUMENT);
}

#ifndef _WIN32
/* Outputs of a run of the model with its first inputs. */
static size_t run_loaded(const struct onr_model *model, const char *name, struct onr_threads *threads,
                         unsigned char *bytes, size_t room) {
  struct onr_session_options options = onr_session_options_init();
  struct onr_tensor x = {0}, y;
  struct onr_session *session;
  options.threads = threads;
  if (onr_tensor_file_load(fixture(name, "test_data_set_0/input_0.pb"), ONR_DTYPE_NONE, NULL, &x, NULL, 0, NULL) !=
      ONR_STATUS_OK)
    return 0;
  size_t used = 0;
  if (onr_session_create(model, &options, &session, NULL) == ONR_STATUS_OK &&
      onr_session_set_input(session, 0, &x, NULL) == ONR_STATUS_OK && onr_session_run(session, NULL) == ONR_STATUS_OK &&
      onr_session_get_output(session, 0, &y, NULL) == ONR_STATUS_OK && onr_desc_bytes(&y.desc) <= room)
    memcpy(bytes, y.data, used = onr_desc_bytes(&y.desc));
  onr_session_destroy(session);
  onr_tensor_release(NULL, &x);
  return used;
}

/* The child has no threads but its own, and the parent goes on with all of them. */
static void a_child_runs_what_was_loaded(void **state) {
  static const char name[] = "unet_dynamo";
  static unsigned char expected[1 << 20], found[1 << 20];
  struct onr_model_options options = onr_model_options_init();
  struct onr_model *model;
  (void)state;
  expect_ok(onr_threads_create(4, NULL, &options.threads, &error));
  expect_ok(onr_model_load(fixture(name, "model.onnx"), &options, &model, &error));
  const size_t bytes = run_loaded(model, name, options.threads, expected, sizeof(expected));
  assert_true(bytes > 0);
  const pid_t child = fork();
  if (child == 0) {
    const int same =
        run_loaded(model, name, options.threads, found, sizeof(found)) == bytes && !memcmp(found, expected, bytes);
    onr_model_destroy(model);
    onr_threads_destroy(options.threads);
    _exit(!same);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(run_loaded(model, name, options.threads, found, sizeof(found)), bytes);
  assert_memory_equal(found, expected, bytes);
  onr_model_destroy(model);
  onr_threads_destroy(options.threads);
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
#ifndef _WIN32
      cmocka_unit_test(a_child_runs_what_was_loaded),
#endif
      cmocka_unit_test(every_pool_gives_the_bits_of_one_thread),
      cmocka_unit_test(xnnpack_takes_its_share),
      cmocka_unit_test(a_pool_that_cannot_be_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
