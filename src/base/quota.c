/* quota.c: cpu.max of Linux' control groups (version 2), cpu.cfs_quota_us (version 1). */
#include "base/quota.h"

#include <stdio.h>
#include <string.h>

#ifdef __linux__

enum { PATH_SIZE = 1024 };

/* The first line of a file, without its end. */
static int read_line(const char *root, const char *path, char *line, size_t size) {
  char name[2 * PATH_SIZE];
  if (snprintf(name, sizeof(name), "%s%s", root, path) >= (int)sizeof(name)) return 0;
  FILE *file = fopen(name, "r");
  if (!file) return 0;
  const int has_line = fgets(line, (int)size, file) != NULL;
  fclose(file);
  if (has_line) line[strcspn(line, "\n")] = '\0';
  return has_line;
}

/* The smaller of what is known and a part of quota / period; less than a core is one. */
static long smaller(long known, long long quota, long long period) {
  if (quota <= 0 || period <= 0) return known;
  const long long cores = quota / period + (quota % period != 0);
  return known && known <= cores ? known : (long)cores;
}

/* Of a group and of all groups around it: the tightest counts. */
static long of_version_2(const char *root, char *group, long known) {
  char path[PATH_SIZE + 64], line[128];
  for (;;) {
    long long quota = 0, period = 0;
    snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpu.max", group);
    if (read_line(root, path, line, sizeof(line)) && sscanf(line, "%lld %lld", &quota, &period) == 2)
      known = smaller(known, quota, period);
    char *slash = strrchr(group, '/');
    if (!slash) return known;
    *slash = '\0';
  }
}

static long of_version_1(const char *root, char *group, long known) {
  char path[PATH_SIZE + 64], line[64];
  for (;;) {
    long long quota = 0, period = 0;
    snprintf(path, sizeof(path), "/sys/fs/cgroup/cpu%s/cpu.cfs_quota_us", group);
    if (read_line(root, path, line, sizeof(line))) sscanf(line, "%lld", &quota);
    snprintf(path, sizeof(path), "/sys/fs/cgroup/cpu%s/cpu.cfs_period_us", group);
    if (read_line(root, path, line, sizeof(line))) sscanf(line, "%lld", &period);
    known = smaller(known, quota, period);
    char *slash = strrchr(group, '/');
    if (!slash) return known;
    *slash = '\0';
  }
}

/* "cpu,cpuacct" has "cpu" */
static int has_controller(const char *list, size_t length) {
  for (const char *at = list; at < list + length; at += strcspn(at, ",:") + 1)
    if (strcspn(at, ",:") == 3 && !memcmp(at, "cpu", 3)) return 1;
  return 0;
}

long onri_quota_of_cores(const char *root) {
  char name[2 * PATH_SIZE], line[PATH_SIZE];
  long known = 0;
  if (snprintf(name, sizeof(name), "%s/proc/self/cgroup", root) >= (int)sizeof(name)) return 0;
  FILE *file = fopen(name, "r");
  if (!file) return 0;
  while (fgets(line, sizeof(line), file)) { /* "0::/group", "4:cpu,cpuacct:/group" */
    char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
    if (!second) continue;
    second[1 + strcspn(second + 1, "\n")] = '\0';
    if (!strcmp(second + 1, "/")) second[1] = '\0';
    if (second == first + 1) known = of_version_2(root, second + 1, known);
    else if (has_controller(first + 1, (size_t)(second - first - 1))) known = of_version_1(root, second + 1, known);
  }
  fclose(file);
  return known;
}

#else

long onri_quota_of_cores(const char *root) {
  (void)root;
  return 0;
}

#endif
