/* The XNNPACK adapter: every failed allocation is a clean NO_MEMORY that leaks nothing, and packed weights are shared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/layer_test.h"
#include "xnn/xnn_conv.h"

enum { CHANNELS = 20, SIZE = 9, PIXELS = SIZE * SIZE, MANY = 2000 };

/* An allocator that counts what is alive and refuses allocation `fail_at`, or all from there on. */
struct counting {
  long made, alive, fail_at;
  int fail_all;
  size_t asked; /* the largest block that anybody asked for */
};

static void *counting_allocate(void *context, size_t bytes, size_t alignment) {
  struct counting *c = context;
  const size_t total = (bytes + ONR_SLACK_BYTES + alignment - 1) / alignment * alignment;
  const long index = c->made++;
  if (bytes > c->asked) c->asked = bytes;
  if (c->fail_at >= 0 && (c->fail_all ? index >= c->fail_at : index == c->fail_at)) return NULL;
  void *memory = aligned_alloc(alignment, total);
  assert_non_null(memory);
  c->alive++;
  return memory;
}

static void counting_release(void *context, void *memory) {
  struct counting *c = context;
  if (memory) c->alive--;
  free(memory);
}

struct setting {
  struct counting counting;
  struct onr_allocator allocator;
  struct onr_env env;
  struct onr_error error;
};

static void set_up(struct setting *s) {
  memset(s, 0, sizeof(*s));
  s->counting.fail_at = -1;
  s->allocator = (struct onr_allocator){&s->counting, counting_allocate, counting_release};
  s->env = (struct onr_env){.allocator = &s->allocator, .limits = onri_limits_resolve(NULL)};
}

static struct onri_axis axis_of(int64_t in, int64_t kernel, int64_t stride, int64_t pad, int64_t out) {
  return (struct onri_axis){
      .in = in, .out = out, .kernel = kernel, .stride = stride, .dilation = 1, .begin = pad, .end = pad};
}

/* One of each way that XNNPACK has to convolve. */
static struct onri_xnn_conv conv_of(int kind) {
  struct onri_xnn_conv c = {.axis = {axis_of(1, 1, 1, 0, 1)},
                            .batch = 1,
                            .groups = 1,
                            .group_in = CHANNELS,
                            .group_out = CHANNELS,
                            .min = -INFINITY,
                            .max = INFINITY};
  const struct onri_axis same = axis_of(SIZE, 3, 1, 1, SIZE), point = axis_of(SIZE, 1, 1, 0, SIZE);
  c.axis[1] = c.axis[2] = kind == 1 || kind == 3 ? point : same;
  if (kind == 2 || kind == 3) c.groups = CHANNELS, c.group_in = c.group_out = 1;
  if (kind >= 4) {
    c.transposed = 1;
    c.axis[1] = c.axis[2] = kind == 4 ? axis_of(SIZE, 2, 2, 0, 2 * SIZE) : axis_of(SIZE, 3, 1, 1, SIZE);
  }
  return c;
}
enum { KINDS = 6 };

static float weights[CHANNELS * CHANNELS * 9], bias[CHANNELS], image[CHANNELS * PIXELS + 64];

static enum onr_status convolve(struct setting *s, const struct onri_xnn_conv *c, float *y) {
  struct onri_xnn_packed packed = {0};
  struct xnn_operator *op = NULL;
  void *scratch = NULL;
  size_t bytes = 0;
  enum onri_xnn_fit fit;
  int finite_only;
  enum onr_status status = onri_xnn_conv_fit(c, &finite_only, &fit, &s->env, &s->error);
  if (status == ONR_STATUS_OK) status = onri_xnn_conv_pack(&packed, c, weights, bias, &s->env, &s->error);
  if (status == ONR_STATUS_OK) status = onri_xnn_conv_plan(&op, &packed, c, &bytes, &s->env, &s->error);
  if (status != ONR_STATUS_OK) assert_null(op);
  if (status == ONR_STATUS_OK) {
    scratch = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
    status = onri_xnn_conv_run(op, c, scratch, image, y, &s->env, &s->error);
  }
  onri_xnn_delete(op);
  onri_xnn_packed_release(&packed, &s->env);
  free(scratch);
  return status;
}

static void test_failing_allocations(void **state) {
  static float expected[MANY * 4], y[MANY * 4];
  struct setting s;
  (void)state;
  set_up(&s);
  assert_true(onri_xnn_usable(&s.env));
  for (int kind = 0; kind < KINDS; kind++) {
    const struct onri_xnn_conv c = conv_of(kind);
    memset(expected, 0, sizeof(expected));
    s.counting = (struct counting){.fail_at = -1};
    if (convolve(&s, &c, expected) != ONR_STATUS_OK) fail_msg("kind %d: %s", kind, s.error.message);
    assert_int_equal(s.counting.alive, 0);
    const long allocations = s.counting.made;
    assert_true(allocations > 1);
    for (long k = 0; k < 2 * allocations; k++) {
      s.counting = (struct counting){.fail_at = k / 2, .fail_all = (int)(k % 2)};
      const enum onr_status status = convolve(&s, &c, y);
      if (status != ONR_STATUS_NO_MEMORY) fail_msg("kind %d, allocation %ld: %s", kind, k / 2, onr_status_name(status));
      assert_int_equal(s.counting.alive, 0);
    }
    memset(y, 0, sizeof(y));
    s.counting = (struct counting){.fail_at = -1};
    assert_int_equal(convolve(&s, &c, y), ONR_STATUS_OK);
    assert_memory_equal(y, expected, sizeof(y));
  }
}

/* XNNPACK's table of pointers has one for each tap of each output: where kernel and image are large and channels few,
 * that is not asked for. Weights of many narrow groups are not filled up to a tile each. */
static void test_memory_is_bounded(void **state) {
  enum { LONG = 4000 };
  static float long_weights[LONG];
  struct setting s;
  (void)state;
  set_up(&s);
  assert_true(onri_xnn_usable(&s.env));
  for (int transposed = 0; transposed < 2; transposed++) {
    struct onri_xnn_packed packed = {0};
    struct xnn_operator *op = NULL;
    size_t bytes;
    struct onri_xnn_conv c = conv_of(0);
    c.transposed = transposed;
    c.group_in = c.group_out = 1;
    c.axis[1] = axis_of(1, 1, 1, 0, 1);
    c.axis[2] = axis_of(LONG, LONG, 1, transposed ? 0 : LONG - 1, 2 * LONG - 1);
    assert_int_equal(onri_xnn_conv_pack(&packed, &c, long_weights, NULL, &s.env, &s.error), ONR_STATUS_OK);
    assert_int_equal(onri_xnn_conv_plan(&op, &packed, &c, &bytes, &s.env, &s.error), ONR_STATUS_OK);
    assert_null(op);
    assert_true(s.counting.asked < 1 << 20);
    onri_xnn_packed_release(&packed, &s.env);
  }
  struct onri_xnn_packed packed = {0};
  struct onri_xnn_conv c = conv_of(1);
  c.groups = 200000, c.group_in = 2, c.group_out = 1;
  float *many = calloc(400000, sizeof(*many));
  assert_non_null(many);
  const enum onr_status status = onri_xnn_conv_pack(&packed, &c, many, NULL, &s.env, &s.error);
  assert_true(status == ONR_STATUS_OK || status == ONR_STATUS_LIMIT);
  assert_true(s.counting.asked < 16 * 400000 * sizeof(*many) + (2 << 20));
  onri_xnn_packed_release(&packed, &s.env);
  free(many);
  assert_int_equal(s.counting.alive, 0);
}

/* Plans of several threads on one packed block. */
struct job {
  const struct onri_xnn_packed *packed;
  struct onri_xnn_conv conv;
  float y[4 * CHANNELS * PIXELS];
};

static void *run_job(void *argument) {
  struct job *job = argument;
  struct onr_env env = {.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
  for (int round = 0; round < 20; round++) {
    struct xnn_operator *op = NULL;
    size_t bytes;
    if (onri_xnn_conv_plan(&op, job->packed, &job->conv, &bytes, &env, NULL) != ONR_STATUS_OK) return "plan";
    if (onri_xnn_conv_run(op, &job->conv, NULL, image, job->y, &env, NULL) != ONR_STATUS_OK) return "run";
    onri_xnn_delete(op);
  }
  return NULL;
}

static void test_shared_weights(void **state) {
  static struct job jobs[4];
  struct setting s;
  (void)state;
  set_up(&s);
  assert_true(onri_xnn_usable(&s.env));
  for (int kind = 0; kind < KINDS; kind++) {
    struct onri_xnn_packed packed = {0};
    const struct onri_xnn_conv c = conv_of(kind);
    pthread_t threads[4];
    float copy[sizeof(weights) / sizeof(weights[0])];
    memcpy(copy, weights, sizeof(copy));
    assert_int_equal(onri_xnn_conv_pack(&packed, &c, copy, bias, &s.env, &s.error), ONR_STATUS_OK);
    memset(copy, 0xFF, sizeof(copy)); /* nobody reads them again: NaN would show */
    unsigned char *before = malloc(packed.bytes);
    assert_non_null(memcpy(before, packed.data, packed.bytes));
    memset(jobs, 0, sizeof(jobs));
    assert_int_equal(convolve(&s, &c, jobs[0].y), ONR_STATUS_OK);
    static float expected[4 * CHANNELS * PIXELS];
    memcpy(expected, jobs[0].y, sizeof(expected));
    for (int i = 0; i < 4; i++) {
      jobs[i].packed = &packed;
      jobs[i].conv = c;
      assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
      void *failed;
      pthread_join(threads[i], &failed);
      assert_null(failed);
      assert_memory_equal(jobs[i].y, expected, sizeof(expected));
    }
    assert_memory_equal(before, packed.data, packed.bytes);
    free(before);
    onri_xnn_packed_release(&packed, &s.env);
    assert_int_equal(s.counting.alive, 0);
  }
}

static void test_portable_is_respected(void **state) {
  struct setting s;
  (void)state;
  set_up(&s);
  s.env.backend = ONR_BACKEND_PORTABLE;
  assert_false(onri_xnn_usable(&s.env));
}

static int fill(void **state) {
  (void)state;
  fill_random(weights, sizeof(weights) / sizeof(weights[0]), -1, 1, 1);
  fill_random(bias, CHANNELS, -1, 1, 2);
  fill_random(image, CHANNELS * PIXELS, -1, 1, 3);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_failing_allocations),
                                     cmocka_unit_test(test_memory_is_bounded), cmocka_unit_test(test_shared_weights),
                                     cmocka_unit_test(test_portable_is_respected)};
  return cmocka_run_group_tests(tests, fill, NULL);
}
