/* depthwise_body.h: see depthwise_level.h; included with ONRI_DEPTHWISE_ROWS (the function), ONRI_DEPTHWISE_LANES
 * (floats a register) and OUTPUTS (sums at a time: with the weights of a row they fill the registers) defined. */
#include "kernels/conv/depthwise_level.h"

#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

#define LANES 1
#define NAME(x) x##_1
#define IS_WIDE 0
#include "kernels/conv/depthwise_lanes.inc"

#define LANES 4
#define NAME(x) x##_4
#define IS_WIDE (ONRI_DEPTHWISE_LANES == 4)
#include "kernels/conv/depthwise_lanes.inc"

#if ONRI_DEPTHWISE_LANES >= 8
#define LANES 8
#define NAME(x) x##_8
#define IS_WIDE 1
#include "kernels/conv/depthwise_lanes.inc"
#endif

#if ONRI_DEPTHWISE_LANES >= 16
#define LANES 16
#define NAME(x) x##_16
#define IS_WIDE 1
#include "kernels/conv/depthwise_lanes.inc"
#endif

/* As many channels at a time as a register holds, then half as many ... */
void ONRI_DEPTHWISE_ROWS(const struct onri_depthwise_job *job, int64_t channels) {
  struct onri_depthwise_job part = *job;
  for (int64_t lanes; channels > 0; channels -= lanes) {
#if ONRI_DEPTHWISE_LANES >= 16
    if (channels >= 16) lanes = 16, rows_16(&part);
    else
#endif
#if ONRI_DEPTHWISE_LANES >= 8
        if (channels >= 8)
      lanes = 8, rows_8(&part);
    else
#endif
        if (channels >= 4)
      lanes = 4, rows_4(&part);
    else lanes = 1, rows_1(&part);
    part.x += lanes;
    part.w += lanes;
    part.y += lanes;
    if (part.bias) part.bias += lanes;
  }
}
