/* conv_gemm_work.h: what conv_gemm.c, where channels lie side by side, and conv_slab.c, where pixels do, have in
 * common. */
#ifndef ONRI_CONV_GEMM_WORK_H
#define ONRI_CONV_GEMM_WORK_H

#include <stdatomic.h>

#include "kernels/conv/conv_gemm.h"
#include "kernels/conv/conv_gemm_parts.h"

/* The channels of a group, filled up to whole blocks, and those of one block; the last one may be smaller. */
struct onri_conv_blocks {
  int64_t channels, width;
};
struct onri_conv_blocks onri_conv_blocks_of(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                                            enum onri_conv_form form);

/* Taps [*first, *last) that meet the image for some of the outputs [low, high]. */
void onri_conv_taps_used(const struct onri_axis *a, int64_t low, int64_t high, int64_t *first, int64_t *last);

/* One pixel of input for each of output, and all of them equally far apart, or side by side: by `next`. */
int onri_conv_sees_one_pixel(const struct onri_conv *c, int64_t next);
/* Such an image as one row, where its outputs lie together. */
struct onri_conv onri_conv_in_one_row(const struct onri_conv *c);
/* All results lie together. */
int onri_conv_is_dense(const struct onri_conv *c);

/* Threads take a panel of scratch that no other has. */
struct onri_conv_slots {
  unsigned char *memory;
  size_t count;
};
struct onri_conv_slots onri_conv_slots_in(const struct onri_conv_gemm *operands);
float *onri_conv_slot_take(const struct onri_conv_slots *slots, size_t *slot);
void onri_conv_slot_give(const struct onri_conv_slots *slots, size_t slot);

/* Pixels lie side by side: conv_slab.c. */
void onri_conv_slab_run(const struct onri_conv *c, const struct onri_conv_gemm_kernels *kernels,
                        const struct onri_conv_gemm *operands, struct onr_env *env);

#endif
