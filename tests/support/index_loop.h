/* index_loop.h: counting over all indices of a shape, for references that are obvious, and data whose elements can be
 * told apart whatever their size. */
#ifndef INDEX_LOOP_H
#define INDEX_LOOP_H

#include <string.h>

#include "support/layer_test.h"

#define DIMS(...) ((int64_t[]){__VA_ARGS__})

/* On to the next index in row-major order; 0 behind the last one. Start with zeros and a shape that is not empty. */
static inline int next_index(int64_t *index, int32_t rank, const int64_t *dims) {
  for (int32_t d = rank - 1; d >= 0; d--) {
    if (++index[d] < dims[d]) return 1;
    index[d] = 0;
  }
  return 0;
}

static inline size_t flat_index(const int64_t *index, int32_t rank, const int64_t *dims) {
  size_t flat = 0;
  for (int32_t d = 0; d < rank; d++) flat = flat * (size_t)dims[d] + (size_t)index[d];
  return flat;
}

static inline size_t count_of(int32_t rank, const int64_t *dims) {
  size_t count = 1;
  for (int32_t d = 0; d < rank; d++) count *= (size_t)dims[d];
  return count;
}

/* Element i carries its own number in all of its bytes. */
static inline void fill_distinct(void *data, size_t count, size_t size) {
  unsigned char *bytes = data;
  for (size_t i = 0; i < count; i++)
    for (size_t b = 0; b < size; b++) bytes[i * size + b] = (unsigned char)(i * 37 / (b == 0 ? 1 : b * 29) + b);
}

static inline void run_ok(struct layer_test *t) {
  if (layer_test_run(t) != ONR_STATUS_OK) fail_msg("%s: %s", onr_status_name(t->error.status), t->error.message);
}

/* One type of each element size. */
static const enum onr_dtype sized_dtypes[] = {ONR_DTYPE_U8,  ONR_DTYPE_F16,  ONR_DTYPE_F32,
                                              ONR_DTYPE_I64, ONR_DTYPE_C128, ONR_DTYPE_STRING};
enum { NUM_SIZED_DTYPES = 6 };

#endif
