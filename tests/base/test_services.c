/* services: what a layer may ask of whoever runs it: checked before anybody is asked, and refused where nobody is. */
#include <stdlib.h>
#include <string.h>

#include "support/layer_test.h"

#include "base/env.h"
#include "base/services.h"

static float room[4];
static size_t asked;
static enum onr_status answer;

static enum onr_status resize(struct onr_call *call, size_t i, const struct onr_desc *desc, void **data) {
  asked++;
  call->out[i] = *desc;
  *data = room;
  return answer;
}

static void outputs_are_resized_by_the_executor(void **state) {
  struct onri_executor executor = {.resize = resize};
  struct onr_env env = {.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
  struct onr_error error = {0};
  struct onr_desc out[2] = {{0}}, desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){4});
  struct onr_call call = {.num_out = 2, .out = out, .env = &env, .error = &error, .executor = &executor};
  void *data = &error;
  (void)state;
  assert_int_equal(onr_call_resize(&call, 1, &desc, &data), ONR_STATUS_OK);
  assert_ptr_equal(data, room);
  assert_int_equal(out[1].dim[0], 4);
  asked = 0;
  assert_int_equal(onr_call_resize(&call, 2, &desc, &data), ONR_STATUS_INTERNAL);
  assert_null(data);
  desc.dim[0] = -1;
  assert_int_not_equal(onr_call_resize(&call, 0, &desc, &data), ONR_STATUS_OK);
  desc.dim[0] = INT64_MAX / 8;
  assert_int_equal(onr_call_resize(&call, 0, &desc, &data), ONR_STATUS_LIMIT);
  desc.rank = ONR_MAX_RANK + 1;
  assert_int_not_equal(onr_call_resize(&call, 0, &desc, &data), ONR_STATUS_OK);
  desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){4});
  assert_int_equal(onr_call_resize(NULL, 0, &desc, &data), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_call_resize(&call, 0, NULL, &data), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_call_resize(&call, 0, &desc, NULL), ONR_STATUS_ARGUMENT);
  call.executor = NULL; /* in infer, prepare and plan there is none */
  assert_int_equal(onr_call_resize(&call, 0, &desc, &data), ONR_STATUS_INTERNAL);
  assert_int_equal(asked, 0);
  call.executor = &executor;
  answer = ONR_STATUS_NO_MEMORY;
  assert_int_equal(onr_call_resize(&call, 0, &desc, &data), ONR_STATUS_NO_MEMORY);
}

static void text_comes_from_the_run(void **state) {
  struct onri_heap heap;
  struct onri_executor executor = {.resize = resize};
  struct onr_call call = {.executor = &executor};
  (void)state;
  assert_null(onr_call_text(&call, 5)); /* there is none */
  assert_null(onr_call_text(NULL, 5));
  onri_heap_init(&heap, &onri_malloc_allocator);
  executor.heap = &heap;
  executor.is_brief = 1;
  assert_null(onr_call_text(&call, 5)); /* it would end before it is read */
  executor.is_brief = 0;
  char *a = onr_call_text(&call, 5), *b = onr_call_text(&call, 5);
  assert_true(a && b && a != b);
  memcpy(a, "abcde", 5);
  memcpy(b, "fghij", 5);
  assert_memory_equal(a, "abcde", 5);
  assert_null(onr_call_text(&call, SIZE_MAX));
  onri_heap_clear(&heap);
}

static void copies_are_cancelled_between_pieces(void **state) {
  enum { BYTES = (9 << 20) + 3, UNTOUCHED = 0xA5, FROM = 0x11 };
  struct onr_cancel cancel = {0};
  const struct onr_env env = {.cancel = &cancel};
  struct onr_error error = {0};
  unsigned char *to = malloc(BYTES), *from = malloc(BYTES);
  (void)state;
  assert_true(to && from);
  memset(from, FROM, BYTES);
  memset(to, UNTOUCHED, BYTES);
  assert_int_equal(onri_env_copy(&env, to, from, BYTES, &error), ONR_STATUS_OK);
  assert_memory_equal(to, from, BYTES);
  assert_int_equal(onri_env_copy(&env, to + 1, NULL, BYTES - 2, &error), ONR_STATUS_OK);
  for (size_t i = 0; i < BYTES; i++) assert_int_equal(to[i], i == 0 || i == BYTES - 1 ? FROM : 0);
  memset(to, UNTOUCHED, BYTES);
  onr_cancel_set(&cancel);
  assert_int_equal(onri_env_copy(&env, to, from, BYTES, &error), ONR_STATUS_CANCELLED);
  assert_int_equal(error.status, ONR_STATUS_CANCELLED);
  assert_int_equal(to[0], FROM); /* what is small is whole */
  assert_int_equal(to[BYTES - 1], UNTOUCHED);
  assert_int_equal(onri_env_copy(&env, to, to, BYTES, &error), ONR_STATUS_OK); /* nothing to be done */
  free(to);
  free(from);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(outputs_are_resized_by_the_executor),
                                     cmocka_unit_test(text_comes_from_the_run),
                                     cmocka_unit_test(copies_are_cancelled_between_pieces)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
