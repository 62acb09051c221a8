/* limits.c: their names, units and defaults, and how a text sets one. */
#include <stddef.h>
#include <string.h>

#include "base/env.h"
#include "base/only.h"
#include "base/sized.h"
#include "base/system/machine.h"

#define GIB ((uint64_t)1 << 30)
enum { WIDE = sizeof(void *) > 4 };

/* --- the table --- */

static uint64_t half_of_memory(void) {
  const uint64_t half = onri_machine_memory() / 2, most = WIDE ? UINT64_MAX : 2 * GIB;
  return !half ? 2 * GIB : half < most ? half : most;
}

static uint64_t largest_tensor(void) {
  const uint64_t most = WIDE ? 16 * GIB : GIB, half = half_of_memory();
  return half < most ? half : most;
}

static const struct limit {
  const char *name, *text;
  size_t offset;
  uint64_t standard;
  uint64_t (*of_machine)(void); /* NULL: standard */
  int is_bytes;
} table[] = {
#define LIMIT(name, text, ...) \
  { #name, ONRI_SPEAKS ? text : "", __VA_ARGS__ }
#define AT(name) offsetof(struct onr_limits, name)
    LIMIT(file_bytes, "the model file without large tensors", AT(file_bytes), 2 * GIB, NULL, 1),
    LIMIT(nodes, "nodes of all graphs, functions and sums written out", AT(nodes), 1000000, NULL, 0),
    LIMIT(depth, "nested graphs and functions", AT(depth), 64, NULL, 0),
    LIMIT(name_bytes, "one name in the file", AT(name_bytes), 65536, NULL, 1),
    LIMIT(tensor_bytes, "one tensor", AT(tensor_bytes), 0, largest_tensor, 1),
    LIMIT(total_bytes, "all memory of a model and one session", AT(total_bytes), 0, half_of_memory, 1),
    LIMIT(loop_iterations, "iterations of all loops in one run", AT(loop_iterations), 10000000, NULL, 0),
    LIMIT(plan_bytes, "plans kept for other input shapes", AT(plan_bytes), (uint64_t)64 << 20, NULL, 1),
    LIMIT(work, "operations of one run; more for weights and inputs", AT(work), ONRI_WORK, NULL, 0),
#undef AT
#undef LIMIT
};
enum { NUM_LIMITS = sizeof(table) / sizeof(table[0]) };
_Static_assert(NUM_LIMITS * sizeof(uint64_t) == sizeof(struct onr_limits) - offsetof(struct onr_limits, file_bytes),
               "a line for each limit");

static uint64_t *entry(struct onr_limits *limits, const struct limit *limit) {
  return (uint64_t *)(void *)((char *)limits + limit->offset);
}

static uint64_t standard_of(const struct limit *limit) {
  return limit->of_machine ? limit->of_machine() : limit->standard;
}

struct onr_limits onri_limits_resolve(const struct onr_limits *limits) {
  struct onr_limits resolved = {0};
  if (limits) resolved = *limits;
  resolved.size = sizeof(resolved);
  for (size_t i = 0; i < NUM_LIMITS; i++)
    if (!*entry(&resolved, &table[i])) *entry(&resolved, &table[i]) = standard_of(&table[i]);
  return resolved;
}

size_t onr_num_limits(void) { return NUM_LIMITS; }

enum onr_status onr_limit(size_t index, struct onr_limit_info *info) {
  if (index >= NUM_LIMITS) return ONR_STATUS_ARGUMENT;
  const struct limit *limit = &table[index];
  const struct onr_limit_info found = {
      .name = limit->name, .text = limit->text, .standard = standard_of(limit), .is_bytes = limit->is_bytes};
  return ONRI_SIZED_WRITE(info, &found, onr_limit_info, NULL);
}

/* --- from text --- */

static enum onr_status unknown(const char *name, struct onr_error *error) {
  char names[256];
  size_t used = 0;
  for (size_t i = 0; i < NUM_LIMITS; i++) {
    const size_t length = strlen(table[i].name);
    if (used + length + 3 > sizeof(names)) break;
    if (used) memcpy(names + used, ", ", 2), used += 2;
    memcpy(names + used, table[i].name, length);
    used += length;
  }
  names[used] = '\0';
  return onr_fail(error, ONR_STATUS_ARGUMENT, "there is no limit '%.64s'; there are %s", name, names);
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

/* What a unit stands for; 0: there is none such. Of bytes: K and KiB are 1024, kB is 1000. Of a count: k is 1000. */
static uint64_t factor_of(const char *unit, int is_bytes) {
  static const char letters[] = "kmgt";
  const char *letter = *unit ? strchr(letters, lower(*unit)) : NULL;
  const char *rest = letter ? unit + 1 : unit;
  uint64_t factor = 1, step = is_bytes ? 1024 : 1000;
  const int is_binary = letter && lower(rest[0]) == 'i' && lower(rest[1]) == 'b' && !rest[2];
  const int is_decimal = lower(rest[0]) == 'b' && !rest[1];
  if (*rest && (!is_bytes || (!is_binary && !is_decimal))) return 0;
  if (is_decimal) step = 1000;
  for (const char *at = letters; letter && at <= letter; at++) factor *= step;
  return factor;
}

enum onr_status onr_limits_set(struct onr_limits *limits, const char *name, const char *value,
                               struct onr_error *error) {
  const struct limit *limit = NULL;
  uint64_t number = 0, factor;
  const char *at = value;
  int fits = 1;
  struct onr_limits known;
  if (!limits || !name || !value)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "limits, name and value must not be NULL");
  ONR_TRY(ONRI_SIZED_READ(&known, limits, onr_limits, error));
  for (size_t i = 0; i < NUM_LIMITS; i++)
    if (!strcmp(table[i].name, name)) limit = &table[i];
  if (!limit || limit->offset >= limits->size) return unknown(name, error);
  for (; *at >= '0' && *at <= '9'; at++) {
    fits &= number <= (UINT64_MAX - 9) / 10;
    number = number * 10 + (uint64_t)(*at - '0');
  }
  factor = factor_of(at, limit->is_bytes);
  if (!fits || !number || !factor || number > UINT64_MAX / factor)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "%s: expected a whole number above 0%s, found '%.64s'", name,
                    limit->is_bytes ? ", in bytes or as 64M, 64MiB (both of 1024) or 64MB (of 1000), up to T"
                                    : ", also as 3k (3000), 3M, 3G or 3T",
                    value);
  *entry(limits, limit) = number * factor;
  return ONR_STATUS_OK;
}
