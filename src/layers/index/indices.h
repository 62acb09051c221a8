/* indices.h: index tensors (int32 or int64), and copies of single elements, for the gather and scatter layers. */
#ifndef ONRI_INDICES_H
#define ONRI_INDICES_H

#include <string.h>

#include "base/env.h"
#include "base/shape.h"

struct onri_indices {
  const void *data;
  int wide; /* int64, else int32 */
};

static inline struct onri_indices onri_indices(const struct onr_call *call, size_t input) {
  return (struct onri_indices){call->inputs[input], call->in[input].dtype == ONR_DTYPE_I64};
}

static inline int64_t onri_index_raw(struct onri_indices indices, size_t i) {
  return indices.wide ? ((const int64_t *)indices.data)[i] : ((const int32_t *)indices.data)[i];
}

/* In [0, limit) after onri_indices_check. */
static inline int64_t onri_index_at(struct onri_indices indices, size_t i, int64_t limit) {
  const int64_t index = onri_index_raw(indices, i);
  return index < 0 ? index + limit : index;
}

/* Of int64 indices from i on: the first of a block with one outside [-limit, limit), or count. */
static inline size_t onri_first_outside(const int64_t *index, size_t i, size_t count, int64_t limit) {
  enum { BLOCK = 64 };
  for (; i + BLOCK <= count; i += BLOCK) {
    uint64_t outside = 0; /* the highest bit: one of the two is negative */
    for (size_t k = 0; k < BLOCK; k++) {
      const uint64_t at = (uint64_t)index[i + k];
      outside |= (at + (uint64_t)limit) | ((uint64_t)limit - 1 - at);
    }
    if (outside >> 63) return i;
  }
  return i;
}

/* INDEX (or CANCELLED) unless every one of `count` indices from `first` on, `stride` apart, lies in [-limit, limit). */
static inline enum onr_status onri_indices_check(const struct onr_call *call, size_t input, size_t first, size_t stride,
                                                 size_t count, int64_t limit) {
  const struct onri_indices indices = onri_indices(call, input);
  struct onri_pace pace = {call->env, 0};
  enum { PART = 4096 }; /* between two looks at the flag */
  for (size_t i = 0; i < count; i++) {
    const size_t from = i, end = count - i < PART ? count : i + PART;
    if (stride == 1 && indices.wide) i = onri_first_outside((const int64_t *)indices.data + first, i, end, limit);
    if (onri_pace_stop(&pace, 4 + 2 * (i - from))) return onri_env_poll(call->env, call->error);
    if (i == count) break;
    const int64_t index = onri_index_raw(indices, first + i * stride);
    if (index < -limit || index >= limit)
      return onr_fail(call->error, ONR_STATUS_INDEX,
                      "index %lld at position %lld of input %d is out of range for a size of %lld", (long long)index,
                      (long long)(first + i * stride), (int)input, (long long)limit);
  }
  return ONR_STATUS_OK;
}

static inline void onri_copy_element(void *y, const void *x, size_t size) {
  switch (size) {
    case 1: memcpy(y, x, 1); break;
    case 2: memcpy(y, x, 2); break;
    case 4: memcpy(y, x, 4); break;
    case 8: memcpy(y, x, 8); break;
    case 16: memcpy(y, x, 16); break;
    default: memcpy(y, x, size); break;
  }
}

#endif
