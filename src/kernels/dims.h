/* dims.h: a walk over some dimensions of a tensor, in any order. */
#ifndef ONRI_DIMS_H
#define ONRI_DIMS_H

#include <stddef.h>
#include <stdint.h>

/* Sizes and strides in elements, outermost first. With rank 0 set count to 1: one position, at 0. */
struct onri_dims {
  int32_t rank;
  size_t count; /* product of dim */
  size_t dim[8], stride[8];
};

/* Append a dimension as the innermost one, merged with the last where the two are one. */
static inline void onri_dims_add(struct onri_dims *dims, int64_t dim, int64_t stride) {
  const int32_t last = dims->rank - 1;
  if (dims->rank == 0) dims->count = 1;
  if (dim == 1) return;
  if (last >= 0 && dims->stride[last] == (size_t)dim * (size_t)stride) {
    dims->dim[last] *= (size_t)dim;
    dims->stride[last] = (size_t)stride;
    dims->count *= (size_t)dim;
    return;
  }
  dims->dim[dims->rank] = (size_t)dim;
  dims->stride[dims->rank++] = (size_t)stride;
  dims->count *= (size_t)dim;
}

/* Where position `index` lies. */
static inline size_t onri_dims_offset(const struct onri_dims *dims, size_t index) {
  size_t offset = 0;
  if (dims->rank == 1) return index * dims->stride[0];
  for (int32_t d = dims->rank; d-- > 0;) {
    offset += index % dims->dim[d] * dims->stride[d];
    index /= dims->dim[d];
  }
  return offset;
}

#endif
