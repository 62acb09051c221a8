#include "kernels/index/sort.h"

#include <string.h>

#include "kernels/convert/convert.h"
#include "base/env.h"

#define BLOCK 64
#define SIGN ((uint64_t)1 << 63)

/* Positive floats are ordered like their bits, negative ones the other way round. */
static uint64_t key_of_double(double value) {
  uint64_t bits;
  if (value != value) return UINT64_MAX;
  if (value == 0) return SIGN;
  memcpy(&bits, &value, sizeof(bits));
  return bits & SIGN ? ~bits : bits | SIGN;
}

static uint64_t key_of_float(float value) {
  uint32_t bits;
  if (value != value) return UINT64_MAX;
  if (value == 0) return SIGN;
  memcpy(&bits, &value, sizeof(bits));
  return (uint64_t)(bits >> 31 ? ~bits : bits | (uint32_t)1 << 31) << 32;
}

void onri_sort_keys(enum onr_dtype dtype, const void *x, size_t count, uint64_t *keys, const struct onr_env *env) {
  union {
    float f32[BLOCK];
    double f64[BLOCK];
    int64_t i64[BLOCK];
    uint64_t u64[BLOCK];
  } block;
  const size_t size = onr_dtype_size(dtype);
  const enum onri_class class = onri_dtype_class(dtype);
  struct onri_pace pace = {env, 0};
  for (size_t i = 0; i < count && !onri_pace_stop(&pace, 4 * BLOCK); i += BLOCK) {
    const size_t n = count - i < BLOCK ? count - i : BLOCK;
    onri_widen(dtype, (const char *)x + i * size, n, &block);
    for (size_t k = 0; k < n; k++) {
      switch (class) {
        case ONRI_CLASS_F32: keys[i + k] = key_of_float(block.f32[k]); break;
        case ONRI_CLASS_F64: keys[i + k] = key_of_double(block.f64[k]); break;
        case ONRI_CLASS_I64: keys[i + k] = (uint64_t)block.i64[k] ^ SIGN; break;
        case ONRI_CLASS_U64: keys[i + k] = block.u64[k]; break;
        case ONRI_CLASS_NONE: keys[i + k] = 0; break;
      }
    }
  }
}

int onri_sort_high(uint64_t *items, uint64_t *scratch, size_t count, const struct onr_env *env) {
  enum { BITS = 8, DIGITS = 1 << BITS };
  struct onri_pace pace = {env, 0};
  for (int shift = 32; shift < 64; shift += BITS) { /* an even number of rounds: the last one ends in items */
    size_t place[DIGITS] = {0}, next = 0;
    for (size_t i = 0; i < count; i++) place[items[i] >> shift & (DIGITS - 1)]++;
    for (size_t d = 0; d < DIGITS; d++) {
      const size_t of_digit = place[d];
      place[d] = next;
      next += of_digit;
    }
    for (size_t i = 0; i < count; i++) {
      scratch[place[items[i] >> shift & (DIGITS - 1)]++] = items[i];
      if (onri_pace_stop(&pace, 4)) return 0;
    }
    uint64_t *swap = items;
    items = scratch;
    scratch = swap;
  }
  return 1;
}

static void insert_entries(struct onri_sort_entry *items, size_t count) {
  for (size_t i = 1; i < count; i++) {
    const struct onri_sort_entry e = items[i];
    size_t k = i;
    for (; k > 0 && items[k - 1].key > e.key; k--) items[k] = items[k - 1];
    items[k] = e;
  }
}

/* Digit by digit from the lowest on, without those that are the same in all keys. */
int onri_sort_entries(struct onri_sort_entry *items, struct onri_sort_entry *scratch, size_t count,
                      const struct onr_env *env) {
  enum { FEW = 32, BITS = 8, DIGITS = 1 << BITS, ROUNDS = 64 / BITS };
  size_t place[ROUNDS][DIGITS];
  struct onri_pace pace = {env, 0};
  struct onri_sort_entry *from = items, *to = scratch;
  if (count <= FEW) {
    insert_entries(items, count);
    return 1;
  }
  memset(place, 0, sizeof(place));
  for (size_t i = 0; i < count; i++)
    for (int r = 0; r < ROUNDS; r++) place[r][items[i].key >> (r * BITS) & (DIGITS - 1)]++;
  for (int r = 0; r < ROUNDS; r++) {
    size_t next = 0;
    if (place[r][items[0].key >> (r * BITS) & (DIGITS - 1)] == count) continue;
    for (size_t d = 0; d < DIGITS; d++) {
      const size_t of_digit = place[r][d];
      place[r][d] = next;
      next += of_digit;
    }
    if (onri_pace_stop(&pace, 4 * count)) return 0;
    for (size_t i = 0; i < count; i++) to[place[r][from[i].key >> (r * BITS) & (DIGITS - 1)]++] = from[i];
    struct onri_sort_entry *swap = from;
    from = to;
    to = swap;
  }
  if (from != items) memcpy(items, from, count * sizeof(*items));
  return 1;
}

/* The comparisons, what they compare, and who may stop them. */
struct sorting {
  int (*less)(const void *context, int64_t a, int64_t b);
  const void *context;
  struct onri_pace pace;
};

/* 0: cancelled. */
static int merge(struct sorting *s, const int64_t *from, int64_t *to, size_t begin, size_t middle, size_t end) {
  size_t a = begin, b = middle;
  for (size_t i = begin; i < end; i++) {
    to[i] = b >= end || (a < middle && !s->less(s->context, from[b], from[a])) ? from[a++] : from[b++];
    if (onri_pace_stop(&s->pace, 8)) return 0;
  }
  return 1;
}

void onri_sort(int64_t *items, int64_t *scratch, size_t count, int (*less)(const void *context, int64_t a, int64_t b),
               const void *context, const struct onr_env *env) {
  struct sorting s = {less, context, {env, 0}};
  int64_t *from = items, *to = scratch;
  int going = 1;
  for (size_t width = 1; width < count && going; width *= 2) {
    for (size_t begin = 0; begin < count && going; begin += 2 * width) {
      const size_t middle = count - begin < width ? count : begin + width;
      const size_t end = count - middle < width ? count : middle + width;
      going = merge(&s, from, to, begin, middle, end);
    }
    if (!going) break;
    int64_t *swap = from;
    from = to;
    to = swap;
  }
  if (from != items) memcpy(items, from, count * sizeof(*items));
}
