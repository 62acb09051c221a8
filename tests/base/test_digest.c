/* digest: one bit more or less, anywhere, is another digest; threads make no difference; reads that fail are told. */
#include "tests/support/layer_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

enum { BYTES = 3 * (1 << 20) + 777 };

static unsigned char data[BYTES];

static struct onri_digest of(const void *bytes, size_t count) {
  struct onri_digest digest = {{0}};
  onri_digest_add(&digest, bytes, count);
  return digest;
}

static void every_bit_counts(void **state) {
  (void)state;
  for (size_t count = 0; count < 300; count++) {
    const struct onri_digest digest = of(data, count), shorter = of(data, count ? count - 1 : 1);
    assert_false(onri_digest_equal(&digest, &shorter)); /* zeros at the end, too */
    for (size_t bit = 0; bit < count * 8; bit++) {
      data[bit / 8] ^= (unsigned char)(1 << bit % 8);
      const struct onri_digest other = of(data, count);
      data[bit / 8] ^= (unsigned char)(1 << bit % 8);
      assert_true(digest.word[0] != other.word[0] && digest.word[1] != other.word[1]);
    }
  }
}

static void no_two_of_many_are_equal(void **state) {
  enum { COUNT = 4000 };
  static struct onri_digest all[COUNT];
  (void)state;
  for (uint64_t i = 0; i < COUNT; i++) onri_digest_add_number(&all[i], i);
  for (int i = 0; i < COUNT; i++)
    for (int k = 0; k < i; k++) assert_true(all[i].word[0] != all[k].word[0] && all[i].word[1] != all[k].word[1]);
}

static const void *copied(void *context, uint64_t offset, size_t count, void *target) {
  if (context && offset <= 2 << 20 && offset + count > 2 << 20) return NULL;
  return memcpy(target, data + offset, count);
}

static const void *in_place(void *context, uint64_t offset, size_t count, void *target) {
  (void)context, (void)count, (void)target;
  return data + offset;
}

static void threads_make_no_difference(void **state) {
  struct onr_env env = {.allocator = &onri_malloc_allocator};
  (void)state;
  for (uint64_t bytes = 0; bytes <= BYTES; bytes += BYTES / 5) {
    struct onri_digest one = {{0}}, other = {{0}};
    assert_true(onri_digest_add_long(&one, bytes, in_place, NULL, &env));
    for (uint32_t threads = 2; threads < 5; threads++) {
      assert_int_equal(onr_threads_create(threads, NULL, &env.threads, NULL), ONR_STATUS_OK);
      other = (struct onri_digest){{0}};
      assert_true(onri_digest_add_long(&other, bytes, copied, NULL, &env));
      assert_true(onri_digest_equal(&one, &other));
      other = (struct onri_digest){{0}};
      if (bytes > 2 << 20) assert_false(onri_digest_add_long(&other, bytes, copied, data, &env));
      onr_threads_destroy(env.threads);
      env.threads = NULL;
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_bit_counts), cmocka_unit_test(no_two_of_many_are_equal),
                                     cmocka_unit_test(threads_make_no_difference)};
  for (int i = 0; i < BYTES; i++) data[i] = (unsigned char)(i * 31 % 253 * (i % 3 != 0));
  return cmocka_run_group_tests(tests, NULL, NULL);
}
