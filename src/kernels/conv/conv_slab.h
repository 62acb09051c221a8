/* conv_slab.h: the lists of a slab's axis (conv_gemm_parts.h). */
#ifndef ONRI_CONV_SLAB_H
#define ONRI_CONV_SLAB_H

#include "kernels/conv/conv_gemm_parts.h"

/* Taps [first, last) of an axis for `out` outputs from `from` on, by the rests that their pixels leave by the stride,
 * or each by itself. */
struct onri_slab_part {
  int64_t first, last, from, out;
  int by_rest;
};

/* Of each tap its list, and where it begins there. */
struct onri_slab_places {
  int64_t list[ONRI_SLAB_TAPS], shift[ONRI_SLAB_TAPS];
};

void onri_slab_fill(const struct onri_axis *a, const struct onri_slab_part *part, struct onri_slab_axis *to,
                    struct onri_slab_places *places);
/* Pixels of a list of all taps by rests, and how many there are. */
int64_t onri_slab_size(const struct onri_axis *a, int64_t out, int64_t *lists);

#endif
