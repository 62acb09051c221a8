/* How many cores a container leaves, from files as Linux writes them. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/quota.h"

static char root[64];

/* A file, with the folders that it lies in. */
static void put(const char *path, const char *text) {
  char name[512];
  snprintf(name, sizeof(name), "%s%s", root, path);
  for (char *at = name + strlen(root) + 1; (at = strchr(at, '/')); *at++ = '/') {
    *at = '\0';
    mkdir(name, 0777);
  }
  FILE *file = fopen(name, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static int begin(void **state) {
  (void)state;
  snprintf(root, sizeof(root), "/tmp/onnxrun_quota_XXXXXX");
  return !mkdtemp(root);
}

static int end(void **state) {
  char command[128];
  (void)state;
  snprintf(command, sizeof(command), "rm -r %s", root);
  return system(command);
}

#ifdef __linux__
#define EXPECT(cores) assert_int_equal(onri_quota_of_cores(root), cores)
#else
#define EXPECT(cores) assert_int_equal(onri_quota_of_cores(root), 0)
#endif

static void without_files_there_is_no_quota(void **state) {
  (void)state;
  EXPECT(0);
  put("/proc/self/cgroup", "");
  EXPECT(0);
  put("/proc/self/cgroup", "0::/\n");
  EXPECT(0);
}

static void a_container_sees_its_own_group_as_the_root(void **state) {
  static const struct {
    const char *text;
    long cores;
  } rows[] = {{"200000 100000\n", 2}, {"max 100000\n", 0},   {"150000 100000\n", 2}, {"1000 100000\n", 1},
              {"100000 100000\n", 1}, {"400000 50000\n", 8}, {"nonsense\n", 0},      {"", 0},
              {"-1 100000\n", 0},     {"100000 0\n", 0}};
  (void)state;
  put("/proc/self/cgroup", "0::/\n");
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    put("/sys/fs/cgroup/cpu.max", rows[i].text);
    EXPECT(rows[i].cores);
  }
}

static void the_tightest_group_counts(void **state) {
  (void)state;
  put("/proc/self/cgroup", "0::/a/b\n");
  put("/sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");
  EXPECT(3);
  put("/sys/fs/cgroup/a/cpu.max", "200000 100000\n");
  EXPECT(2);
  put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  EXPECT(2);
  put("/sys/fs/cgroup/a/b/cpu.max", "100000 100000\n");
  EXPECT(1);
}

static void version_1_has_two_files(void **state) {
  (void)state;
  put("/proc/self/cgroup", "5:cpuset:/x\n4:cpu,cpuacct:/docker/id\n1:name=systemd:/docker/id\n");
  put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000\n");
  put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT(4);
  put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  EXPECT(0);
  put("/sys/fs/cgroup/cpu/docker/id/cpu.cfs_quota_us", "250000\n");
  put("/sys/fs/cgroup/cpu/docker/id/cpu.cfs_period_us", "100000\n");
  EXPECT(3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(without_files_there_is_no_quota, begin, end),
      cmocka_unit_test_setup_teardown(a_container_sees_its_own_group_as_the_root, begin, end),
      cmocka_unit_test_setup_teardown(the_tightest_group_counts, begin, end),
      cmocka_unit_test_setup_teardown(version_1_has_two_files, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
