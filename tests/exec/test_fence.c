/* fence: while a step runs, the rest of the segment's block is closed to it; in a build that AddressSanitizer watches.
 */
#include "support/small_run.h"

#include "exec/plan.h"

#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif
#ifdef WATCHED
#include <sanitizer/asan_interface.h>

static const struct onr_layer overreading = {.name = "overreading", .flags = ONR_LAYER_OVERREADS};

static void a_step_may_touch_what_is_its_own(void **state) {
  struct small_run r;
  small_run_begin(&r);
  struct onri_workspace space;
  const int32_t x = value(r.b.graph, "x");
  (void)state;
  small_run_close(&r, &x, 1, &x, 1);
  assert_int_equal(onri_workspace_init(&space, &r.run, r.b.graph, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_workspace_block(&space, 0, 4096, NULL), ONR_STATUS_OK);
  char *block = space.blocks[0].data;
  for (int over = 0; over < 2; over++) {
    const struct onri_node node = {.layer = over ? &overreading : &increment};
    struct onr_desc in = onr_desc_make(ONR_DTYPE_U8, 1, (int64_t[]){64}), out = in;
    const void *inputs[] = {block + 1024};
    void *outputs[] = {block + 2048};
    const struct onri_step step = {.node = &node,
                                   .call = {.num_in = 1,
                                            .num_out = 1,
                                            .in = &in,
                                            .out = &out,
                                            .inputs = inputs,
                                            .outputs = outputs,
                                            .scratch = block + 3072,
                                            .scratch_bytes = 64}};
    onri_fence_close(&space, &step);
    for (size_t own = 1024; own <= 3072; own += 1024) {
      assert_null(__asan_region_is_poisoned(block + own, 64));
      assert_true(__asan_address_is_poisoned(block + own - 1));
      assert_int_equal(__asan_address_is_poisoned(block + own + 64), !over || own == 2048);
    }
    assert_true(__asan_address_is_poisoned(block));
    onri_fence_open(&space);
    assert_null(__asan_region_is_poisoned(block, 4096));
  }
  onri_workspace_clear(&space);
  small_run_end(&r);
}
#else
static void a_step_may_touch_what_is_its_own(void **state) {
  (void)state;
  skip(); /* nobody watches in this build: nothing is closed */
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_step_may_touch_what_is_its_own)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
