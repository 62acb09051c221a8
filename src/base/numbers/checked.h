/* checked.h: integer arithmetic that says when it overflows. Each returns 1 and writes *result on success, 0 on
 * overflow. */
#ifndef ONRI_CHECKED_H
#define ONRI_CHECKED_H

#include <stddef.h>
#include <stdint.h>

static inline int onri_add_i64(int64_t a, int64_t b, int64_t *result) { return !__builtin_add_overflow(a, b, result); }
static inline int onri_sub_i64(int64_t a, int64_t b, int64_t *result) { return !__builtin_sub_overflow(a, b, result); }
static inline int onri_mul_i64(int64_t a, int64_t b, int64_t *result) { return !__builtin_mul_overflow(a, b, result); }
static inline int onri_add_size(size_t a, size_t b, size_t *result) { return !__builtin_add_overflow(a, b, result); }
static inline int onri_mul_size(size_t a, size_t b, size_t *result) { return !__builtin_mul_overflow(a, b, result); }
static inline int onri_add_u64(uint64_t a, uint64_t b, uint64_t *result) {
  return !__builtin_add_overflow(a, b, result);
}
static inline int onri_mul_u64(uint64_t a, uint64_t b, uint64_t *result) {
  return !__builtin_mul_overflow(a, b, result);
}

/* Up to a multiple of `alignment`, a power of two. */
static inline int onri_round_up(size_t n, size_t alignment, size_t *result) {
  size_t sum;
  if (!onri_add_size(n, alignment - 1, &sum)) return 0;
  *result = sum & ~(alignment - 1);
  return 1;
}

#endif
