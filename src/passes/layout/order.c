/* order: arithmetic on orders of dimensions. */
#include "passes/layout/layout.h"

struct onri_order onri_order_identity(int32_t rank) {
  struct onri_order order = {.rank = rank};
  for (int32_t i = 0; i < rank; i++) order.axis[i] = (uint8_t)i;
  return order;
}

struct onri_order onri_order_channels_last(int32_t rank) {
  struct onri_order order = onri_order_identity(rank);
  for (int32_t i = 1; i < rank; i++) order.axis[i] = (uint8_t)(i + 1 < rank ? i + 1 : 1);
  return order;
}

int onri_order_is_identity(const struct onri_order *order) {
  for (int32_t i = 0; i < order->rank; i++)
    if (order->axis[i] != i) return 0;
  return 1;
}

int onri_order_equal(const struct onri_order *a, const struct onri_order *b) {
  if (onri_order_is_identity(a)) return onri_order_is_identity(b);
  if (a->rank != b->rank) return 0;
  for (int32_t i = 0; i < a->rank; i++)
    if (a->axis[i] != b->axis[i]) return 0;
  return 1;
}

struct onri_order onri_order_inverse(const struct onri_order *order) {
  struct onri_order inverse = {.rank = order->rank};
  for (int32_t i = 0; i < order->rank; i++) inverse.axis[order->axis[i]] = (uint8_t)i;
  return inverse;
}

struct onri_order onri_order_then(const struct onri_order *first, const struct onri_order *second) {
  struct onri_order order = {.rank = first->rank};
  if (first->rank < 1) return *second;
  if (second->rank < 1) return *first;
  for (int32_t i = 0; i < first->rank; i++) order.axis[i] = first->axis[second->axis[i]];
  return order;
}
