/* sorted_keys.c: see sorted_keys.h. */
#include "layers/index/sorted_keys.h"

#include <string.h>

#include "kernels/index/sort.h"

enum { BLOCK = 64 };

static int compare(const struct onr_string *a, const struct onr_string *b) {
  const size_t common = a->length < b->length ? a->length : b->length;
  const int order = common == 0 ? 0 : memcmp(a->text, b->text, common);
  return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static int string_less(const void *context, int64_t a, int64_t b) {
  const struct onr_string *strings = context;
  return compare(&strings[a], &strings[b]) < 0;
}

static int number_less(const void *context, int64_t a, int64_t b) {
  const uint64_t *numbers = context;
  return numbers[a] < numbers[b];
}

enum onr_status onri_sorted_keys_make(struct onri_sorted_keys *keys, enum onr_dtype dtype, const void *list,
                                      size_t count, struct onr_env *env, struct onr_error *error) {
  const int text = dtype == ONR_DTYPE_STRING;
  int64_t *other = onr_env_allocate(env, count * sizeof(*other));
  uint64_t *numbers = text ? NULL : onr_env_allocate(env, count * sizeof(*numbers));
  *keys = (struct onri_sorted_keys){.dtype = dtype, .list = list, .count = count};
  keys->order = onr_env_allocate(env, count * sizeof(*keys->order));
  if (!text) keys->numbers = onr_env_allocate(env, count * sizeof(*keys->numbers));
  const int ok = other && keys->order && (text || (numbers && keys->numbers));
  if (ok) {
    for (size_t i = 0; i < count; i++) keys->order[i] = (int64_t)i;
    if (!text) onri_sort_keys(dtype, list, count, numbers, env);
    onri_sort(keys->order, other, count, text ? string_less : number_less, text ? list : numbers, env);
    for (size_t i = 0; !text && i < count; i++) keys->numbers[i] = numbers[keys->order[i]];
  }
  onr_env_release(env, numbers);
  onr_env_release(env, other);
  return ok ? ONR_STATUS_OK : onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for %zu keys", count);
}

void onri_sorted_keys_release(struct onri_sorted_keys *keys, struct onr_env *env) {
  onr_env_release(env, keys->order);
  onr_env_release(env, keys->numbers);
}

static int64_t find_string(const struct onri_sorted_keys *keys, const struct onr_string *x) {
  const struct onr_string *list = keys->list;
  size_t low = 0, high = keys->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (compare(&list[keys->order[middle]], x) <= 0) low = middle + 1;
    else high = middle;
  }
  return low > 0 && compare(&list[keys->order[low - 1]], x) == 0 ? keys->order[low - 1] : -1;
}

static int64_t find_number(const struct onri_sorted_keys *keys, uint64_t x) {
  size_t low = 0, high = keys->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (keys->numbers[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low > 0 && keys->numbers[low - 1] == x ? keys->order[low - 1] : -1;
}

void onri_sorted_keys_find(const struct onri_sorted_keys *keys, const void *x, size_t count, int64_t *positions) {
  uint64_t numbers[BLOCK];
  for (size_t first = 0; first < count; first += BLOCK) {
    const size_t n = count - first < BLOCK ? count - first : BLOCK;
    if (keys->dtype != ONR_DTYPE_STRING)
      onri_sort_keys(keys->dtype, (const char *)x + first * onr_dtype_size(keys->dtype), n, numbers, NULL);
    for (size_t i = 0; i < n; i++)
      positions[first + i] = keys->dtype == ONR_DTYPE_STRING
                                 ? find_string(keys, (const struct onr_string *)x + first + i)
                                 : find_number(keys, numbers[i]);
  }
}
