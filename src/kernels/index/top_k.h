/* top_k.h: which of many numbers may be among the greatest or the smallest. Of a line's keys, the greater is the
 * better: int32_t for numbers of class F32, int64_t for all others. */
#ifndef ONRI_TOP_K_KERNEL_H
#define ONRI_TOP_K_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/numbers/convert.h"
#include "onnxrun/layer.h"

enum { ONRI_TOP_K_BLOCK = 64 };

/* Lines of float32 side by side: element i of all of them is a row of `count` from x + i * row on. values and at,
 * [k][count]: the best, and where they are. k: at most ONRI_TOP_K_COLUMNS. */
enum { ONRI_TOP_K_COLUMNS = 8 };
struct onri_top_k_columns {
  const float *x;
  size_t row, count, length, k;
  int largest;
  float *values;
  int32_t *at;
};

struct onri_top_k_kernels {
  /* -0 equals 0; all NaN are equal, and greater than every number. */
  void (*keys)(enum onri_class class, const void *x, size_t count, int largest, void *keys);
  /* peaks[j] is the best of keys j, j + groups, j + 2 groups ...; groups, a multiple of BLOCK, is at most count. */
  void (*peaks)(size_t size, const void *keys, size_t count, size_t groups, void *peaks);
  /* Bit i % BLOCK of above[i / BLOCK]: keys[i] > limit. Bits from count on are 0. */
  void (*above)(size_t size, const void *keys, size_t count, int64_t limit, uint64_t *above);
  /* Where the k best of at most BLOCK keys are, the best first; those of one key in the order in which they lie. */
  void (*best)(size_t size, const void *keys, size_t count, size_t k, int64_t *at);
  void (*columns)(const struct onri_top_k_columns *columns);
};

/* x [outer][length][inner] float32, values and indices [outer][k][inner]; either may be NULL. */
struct onri_top_k_lines {
  size_t outer, length, inner, k;
  int largest;
  const float *x;
  float *values;
  int64_t *indices;
};
/* Whether lines go together in vectors, a lane each, and that is the faster way: they are short, or one is wanted. */
int onri_top_k_is_columns(size_t outer, size_t length, size_t inner, size_t k);
void onri_top_k_in_columns(const struct onri_top_k_lines *lines, struct onr_env *env);

#endif
