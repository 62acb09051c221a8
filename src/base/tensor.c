/* tensor.c: element types and descriptors. */
#include "onnxrun/tensor.h"

#include <stdio.h>
#include <string.h>

#include "base/numbers/checked.h"

static const struct {
  const char *name;
  size_t size;
} dtypes[ONR_NUM_DTYPES] = {
#define ONR_X(name, value, text, size) [value] = {text, size},
    ONR_DTYPE_LIST(ONR_X)
#undef ONR_X
};

static int known(enum onr_dtype dtype) { return dtype > ONR_DTYPE_NONE && dtype < ONR_NUM_DTYPES; }

const char *onr_dtype_name(enum onr_dtype dtype) { return known(dtype) ? dtypes[dtype].name : "?"; }

size_t onr_dtype_size(enum onr_dtype dtype) { return known(dtype) ? dtypes[dtype].size : 0; }

struct onr_desc onr_desc_make(enum onr_dtype dtype, int32_t rank, const int64_t *dims) {
  struct onr_desc desc = {.dtype = dtype, .rank = rank};
  for (int32_t d = 0; dims && d < rank && d < ONR_MAX_RANK; d++) desc.dim[d] = dims[d];
  return desc;
}

int64_t onr_desc_elements(const struct onr_desc *desc) {
  int64_t count = 1;
  int overflow = 0;
  if (!desc) return 0;
  for (int32_t d = 0; d < desc->rank; d++) {
    if (desc->dim[d] == 0) return 0;
    if (!onri_mul_i64(count, desc->dim[d], &count)) overflow = 1;
  }
  return overflow ? INT64_MAX : count;
}

size_t onr_desc_bytes(const struct onr_desc *desc) {
  const int64_t count = onr_desc_elements(desc);
  size_t bytes;
  if (!desc) return 0;
  if (count < 0 || (uint64_t)count > SIZE_MAX || !onri_mul_size((size_t)count, onr_dtype_size(desc->dtype), &bytes))
    return SIZE_MAX;
  return bytes;
}

int onr_desc_equal(const struct onr_desc *a, const struct onr_desc *b) {
  if (!a || !b) return a == b;
  if (a->dtype != b->dtype || a->rank != b->rank) return 0;
  for (int32_t d = 0; d < a->rank; d++)
    if (a->dim[d] != b->dim[d]) return 0;
  return 1;
}

char *onr_desc_format(const struct onr_desc *desc, char *text, size_t size) {
  static const struct onr_desc none = {0};
  size_t used = 0;
  if (!text || !size) return text;
  if (!desc) desc = &none;
  if (desc->dtype == ONR_DTYPE_SEQUENCE || desc->dtype == ONR_DTYPE_OPTIONAL || desc->dtype == ONR_DTYPE_MAP) {
    snprintf(text, size, "%s", onr_dtype_name(desc->dtype)); /* its dimension counts bytes */
    return text;
  }
  int n = snprintf(text, size, "%s[", desc->dtype == ONR_DTYPE_NONE ? "none" : onr_dtype_name(desc->dtype));
  for (int32_t d = 0; n >= 0 && d < desc->rank; d++) {
    used += (size_t)n;
    if (used >= size) return text;
    if (desc->dim[d] < 0) n = snprintf(text + used, size - used, d ? ",?" : "?");
    else n = snprintf(text + used, size - used, d ? ",%lld" : "%lld", (long long)desc->dim[d]);
  }
  if (n < 0) return text;
  used += (size_t)n;
  if (used < size) snprintf(text + used, size - used, "]");
  return text;
}
