/* What the library asks of the system (src/base/system): the same on each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/memory/memory.h"
#include "base/system/file.h"
#include "base/system/machine.h"
#include "base/system/thread.h"

static char root[64];

static const char *path_of(const char *name) {
  static char path[256];
  snprintf(path, sizeof(path), "%s.%s", root, name);
  return path;
}

static int set_up(void **state) {
  (void)state;
  snprintf(root, sizeof(root), "/tmp/onnxrun-system-%llu", (unsigned long long)onri_machine_process());
  return 0;
}

/* --- paths --- */

static void test_paths(void **state) {
  (void)state;
  assert_string_equal(onri_path_name("a/b/c"), "c");
  assert_string_equal(onri_path_name("c"), "c");
  assert_string_equal(onri_path_name("a/"), "");
  assert_string_equal(onri_path_name("/c"), "c");
  assert_true(onri_path_is_rooted("/c"));
  assert_false(onri_path_is_rooted("a/c"));
  assert_false(onri_path_is_rooted(""));
#ifdef _WIN32
  assert_string_equal(onri_path_name("a\\b/c"), "c");
  assert_string_equal(onri_path_name("a/b\\c"), "c");
  assert_string_equal(onri_path_name("C:c"), "c");
  assert_true(onri_path_is_rooted("\\c"));
  assert_true(onri_path_is_rooted("C:c"));
  assert_true(onri_path_is_rooted("c:stream"));
  assert_false(onri_path_is_rooted("a\\c"));
#else
  assert_string_equal(onri_path_name("a\\c"), "a\\c");
  assert_false(onri_path_is_rooted("C:c"));
#endif
}

/* --- files --- */

static void test_a_file_by_position(void **state) {
  const uint64_t far = (uint64_t)5 << 30; /* beyond 32 bits */
  struct onri_file_info info;
  char text[8] = {0};
  (void)state;
  const int fd = onri_file_create(path_of("new"));
  assert_true(fd >= 0);
  assert_int_equal(onri_file_create(path_of("new")), -1);
  assert_int_equal(errno, EEXIST);
  assert_true(onri_file_write(fd, 2, "abcd", 4));
  assert_int_equal(onri_file_read(fd, 0, text, 8), 6);
  assert_memory_equal(text, "\0\0abcd", 6);
  assert_int_equal(onri_file_read(fd, 6, text, 8), 0);
  assert_int_equal(onri_file_read(fd, 100, text, 8), 0);
  assert_true(onri_file_resize(fd, far + 4));
  assert_true(onri_file_write(fd, far, "wxyz", 4));
  assert_true(onri_file_look(fd, &info));
  assert_int_equal(info.kind, ONRI_FILE_REGULAR);
  assert_true(info.bytes == far + 4);
  assert_int_equal(onri_file_read(fd, far + 1, text, 8), 3);
  assert_memory_equal(text, "xyz", 3);
  assert_int_equal(onri_file_read(fd, far - 4, text, 4), 4);
  assert_memory_equal(text, "\0\0\0\0", 4);
  assert_true(onri_file_resize(fd, 1));
  assert_int_equal(onri_file_read(fd, 0, text, 8), 1);
  onri_file_close(fd);
  onri_file_remove(path_of("new"));
  assert_false(onri_file_look_at(path_of("new"), &info));
  assert_int_equal(onri_file_open(path_of("new")), -1);
  assert_int_equal(errno, ENOENT);
}

static void write_file(const char *name, const char *text) {
  onri_file_remove(path_of(name));
  const int fd = onri_file_create(path_of(name));
  assert_true(fd >= 0);
  assert_true(onri_file_write(fd, 0, text, strlen(text)));
  onri_file_close(fd);
}

static void test_a_file_takes_the_place_of_another(void **state) {
  struct onri_file_info before, after, old;
  char text[4], from[256];
  (void)state;
  write_file("from", "new");
  write_file("to", "old");
  snprintf(from, sizeof(from), "%s", path_of("from"));
  assert_true(onri_file_look_at(from, &before));
  assert_true(onri_file_look_at(path_of("to"), &old));
  assert_true(before.device == old.device && before.index != old.index);
  const int reader = onri_file_open(path_of("to"));
  assert_true(reader >= 0);
#ifdef _WIN32 /* not while somebody reads it */
  assert_false(onri_file_replace(from, path_of("to")));
  assert_int_equal(errno, EACCES);
#else
  assert_true(onri_file_replace(from, path_of("to")));
#endif
  assert_int_equal(onri_file_read(reader, 0, text, 3), 3);
  assert_memory_equal(text, "old", 3);
  onri_file_close(reader);
#ifdef _WIN32
  assert_true(onri_file_replace(from, path_of("to")));
#endif
  assert_false(onri_file_look_at(from, &before));
  assert_true(onri_file_look_at(path_of("to"), &after));
  const int fd = onri_file_open(path_of("to"));
  assert_int_equal(onri_file_read(fd, 0, text, 3), 3);
  assert_memory_equal(text, "new", 3);
  onri_file_close(fd);
  onri_file_remove(path_of("to"));
  assert_false(onri_file_replace(from, path_of("to")));
}

static void test_a_map_outlives_its_descriptor(void **state) {
  (void)state;
  write_file("map", "mapped");
  const int fd = onri_file_open(path_of("map"));
  char *data = onri_file_map(fd, 6);
  onri_file_close(fd);
  assert_non_null(data);
  assert_memory_equal(data, "mapped", 6);
  onri_file_unmap(data, 6);
  onri_file_remove(path_of("map"));
}

/* Names are UTF-8: two letters of other scripts, and one beyond 16 bits. */
static void test_names_of_other_scripts(void **state) {
  static const char name[] = "\xc3\xa9\xe6\x96\x87\xf0\x9f\x98\x80";
  struct onri_file_info info;
  (void)state;
  write_file(name, "x");
  assert_true(onri_file_look_at(path_of(name), &info));
  assert_int_equal(info.bytes, 1);
  const int folder = onri_folder_open("/tmp");
  const int fd = onri_folder_enter(folder, onri_path_name(path_of(name)), 0);
  assert_true(fd >= 0);
  onri_file_close(fd);
  onri_file_close(folder);
  onri_file_remove(path_of(name));
}

static void test_folders(void **state) {
  struct onri_file_info info;
  char name[128];
  (void)state;
  write_file("inside", "x");
  snprintf(name, sizeof(name), "%s", onri_path_name(path_of("inside")));
  assert_int_equal(onri_folder_open(path_of("inside")), -1);
  assert_int_equal(errno, ENOTDIR);
  assert_int_equal(onri_folder_open(path_of("none")), -1);
  assert_int_equal(errno, ENOENT);
  const int folder = onri_folder_open("/tmp"), again = onri_file_duplicate(folder);
  assert_true(folder >= 0 && again >= 0);
  onri_file_close(folder);
  assert_true(onri_file_look(again, &info));
  assert_int_equal(info.kind, ONRI_FILE_FOLDER);
  const int fd = onri_folder_enter(again, name, 0);
  assert_true(fd >= 0);
  onri_file_close(fd);
  assert_int_equal(onri_folder_enter(again, name, 1), -1);
  assert_int_equal(errno, ENOTDIR);
  assert_int_equal(onri_folder_enter(again, "onnxrun-none", 0), -1);
  assert_int_equal(errno, ENOENT);
  assert_true(onri_folder_look(again, name, &info));
  assert_int_equal(info.bytes, 1);
  onri_file_close(again);
  onri_file_remove(path_of("inside"));
}

static void test_a_stream_goes_far(void **state) {
  FILE *file = tmpfile();
  (void)state;
  assert_non_null(file);
  assert_true(onri_file_seek(file, (uint64_t)3 << 30));
  assert_false(onri_file_seek(file, UINT64_MAX));
  fclose(file);
}

/* --- the machine --- */

static void test_machine(void **state) {
  const uint64_t before = onri_machine_clock();
  (void)state;
  assert_true(onri_machine_cores() >= 1);
  assert_true(onri_machine_memory() == 0 || onri_machine_memory() > (uint64_t)16 << 20);
  assert_true(onri_machine_clock() >= before);
  const struct onr_limits limits = onri_limits_resolve(NULL); /* half of the memory at most, where that is known */
  const uint64_t half = onri_machine_memory() / 2;
  assert_true(!half || (limits.total_bytes <= half && limits.tensor_bytes <= half));
  for (size_t alignment = sizeof(void *); alignment <= 4096; alignment *= 2)
    for (size_t bytes = alignment; bytes <= (size_t)8 << 20; bytes *= 16) {
      char *memory = onri_machine_allocate(bytes, alignment);
      assert_non_null(memory);
      assert_int_equal((uintptr_t)memory % alignment, 0);
      memory[0] = memory[bytes - 1] = 1;
      onri_machine_release(memory);
    }
  onri_machine_release(NULL);
}

/* --- threads --- */

struct counted {
  struct onri_lock lock;
  struct onri_condition grown;
  int count;
};

static void count(void *argument) {
  struct counted *c = argument;
  for (int i = 0; i < 1000; i++) {
    onri_lock_take(&c->lock);
    c->count++;
    onri_condition_wake_all(&c->grown);
    onri_lock_leave(&c->lock);
    onri_thread_yield();
  }
}

static void test_threads(void **state) {
  struct counted c = {.count = 0};
  struct onri_thread threads[4];
  (void)state;
  onri_lock_init(&c.lock);
  onri_condition_init(&c.grown);
  for (int i = 0; i < 4; i++) assert_true(onri_thread_start(&threads[i], count, &c));
  onri_lock_take(&c.lock);
  while (c.count < 4000) onri_condition_wait(&c.grown, &c.lock);
  onri_lock_leave(&c.lock);
  for (int i = 0; i < 4; i++) onri_thread_join(&threads[i]);
  assert_int_equal(c.count, 4000);
  onri_condition_clear(&c.grown);
  onri_lock_clear(&c.lock);
  assert_int_equal(onri_thread_forks(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_paths),
      cmocka_unit_test(test_a_file_by_position),
      cmocka_unit_test(test_a_file_takes_the_place_of_another),
      cmocka_unit_test(test_a_map_outlives_its_descriptor),
      cmocka_unit_test(test_names_of_other_scripts),
      cmocka_unit_test(test_folders),
      cmocka_unit_test(test_a_stream_goes_far),
      cmocka_unit_test(test_machine),
      cmocka_unit_test(test_threads),
  };
  return cmocka_run_group_tests(tests, set_up, NULL);
}
