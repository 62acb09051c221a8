/* permutation.c: arithmetic on orders of dimensions. */
#include "passes/layout/layout.h"

struct onri_permutation onri_permutation_identity(int32_t rank) {
  struct onri_permutation order = {.rank = rank};
  for (int32_t i = 0; i < rank; i++) order.axis[i] = (uint8_t)i;
  return order;
}

struct onri_permutation onri_permutation_channels_last(int32_t rank) {
  struct onri_permutation order = onri_permutation_identity(rank);
  for (int32_t i = 1; i < rank; i++) order.axis[i] = (uint8_t)(i + 1 < rank ? i + 1 : 1);
  return order;
}

int onri_permutation_is_identity(const struct onri_permutation *order) {
  for (int32_t i = 0; i < order->rank; i++)
    if (order->axis[i] != i) return 0;
  return 1;
}

int onri_permutation_equal(const struct onri_permutation *a, const struct onri_permutation *b) {
  if (onri_permutation_is_identity(a)) return onri_permutation_is_identity(b);
  if (a->rank != b->rank) return 0;
  for (int32_t i = 0; i < a->rank; i++)
    if (a->axis[i] != b->axis[i]) return 0;
  return 1;
}

struct onri_permutation onri_permutation_inverse(const struct onri_permutation *order) {
  struct onri_permutation inverse = {.rank = order->rank};
  for (int32_t i = 0; i < order->rank; i++) inverse.axis[order->axis[i]] = (uint8_t)i;
  return inverse;
}

struct onri_permutation onri_permutation_then(const struct onri_permutation *first,
                                              const struct onri_permutation *second) {
  struct onri_permutation order = {.rank = first->rank};
  if (first->rank < 1) return *second;
  if (second->rank < 1) return *first;
  for (int32_t i = 0; i < first->rank; i++) order.axis[i] = first->axis[second->axis[i]];
  return order;
}
