/* pool_body.h: see pool_level.h; included with ONRI_POOL_KERNELS (the table) and ONRI_POOL_LANES (floats a register)
 * defined.
 *
 * On x86 a maximum that keeps NaN takes several instructions where one that loses it takes one. So the fast one runs,
 * with the sum of all that it sees beside it: when that is NaN (which infinities of both signs make too) the exact one
 * runs as well. */
#include <math.h>

#include "kernels/pool/pool_level.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#define KEEPS_NAN 1 /* the maximum of this processor does */
#else
#define KEEPS_NAN 0
#endif

#define INLINE static inline __attribute__((always_inline))
#define MOST 4 /* vectors a block */

/* With p at each tap of window w. Most windows are small: a loop costs as much as what it does. */
#define EACH_TAP(statement)                                                             \
  for (int64_t i = 0; i < row->taps[0]; i++)                                            \
    for (int64_t j = 0; j < row->taps[1]; j++) {                                        \
      const float *p = x + w->first * row->pixel + i * row->step[0] + j * row->step[1]; \
      if (w->taps == 2 || w->taps == 3) {                                               \
        {statement} p += row->dilated;                                                  \
        { statement }                                                                   \
        if (w->taps == 2) continue;                                                     \
        p += row->dilated;                                                              \
        { statement }                                                                   \
        continue;                                                                       \
      }                                                                                 \
      for (int64_t k = 0; k < w->taps; k++, p += row->dilated) {                        \
        statement                                                                       \
      }                                                                                 \
    }

static void exact_max(const struct onri_pool_row *row, const float *x, float *y, int64_t channels) {
  for (int64_t o = 0; o < row->windows; o++, y += row->y_step) {
    const struct onri_pool_span *w = &row->span[o];
    for (int64_t c = 0; c < channels; c++) y[c] = -INFINITY;
    EACH_TAP(for (int64_t c = 0; c < channels; c++) y[c] = p[c] > y[c] || p[c] != p[c] ? p[c] : y[c];)
  }
}

/* All channels, which are no fewer than LANES. The last vector goes over channels of the one before once more rather
 * than being cut. */
#define BLOCKS(block)                                                      \
  for (int64_t c = 0; c < row->channels; c += MOST * LANES) {              \
    const int64_t left = row->channels - c, last = left - LANES;           \
    if (left <= LANES) block(row, x + c, y + c, 1, last);                  \
    else if (left <= 2 * LANES) block(row, x + c, y + c, 2, last);         \
    else if (left <= 3 * LANES) block(row, x + c, y + c, 3, last);         \
    else block(row, x + c, y + c, 4, left < 4 * LANES ? last : 3 * LANES); \
  }

#define LANES ONRI_POOL_LANES
#define NAME(x) x
#include "kernels/pool/pool_block.inc"
#define LANES 4
#define NAME(x) x##_4
#include "kernels/pool/pool_block.inc"
#define LANES 1
#define NAME(x) x##_1
#include "kernels/pool/pool_block.inc"

static void max_any(const struct onri_pool_row *row, const float *x, float *y) {
  if (row->channels >= ONRI_POOL_LANES) max_row(row, x, y);
  else if (row->channels >= 4) max_row_4(row, x, y);
  else max_row_1(row, x, y);
}

static void average_any(const struct onri_pool_row *row, const float *x, float *y) {
  if (row->channels >= ONRI_POOL_LANES) average_row(row, x, y);
  else if (row->channels >= 4) average_row_4(row, x, y);
  else average_row_1(row, x, y);
}

const struct onri_pool_kernels ONRI_POOL_KERNELS = {max_any, average_any};
