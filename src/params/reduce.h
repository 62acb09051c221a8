/* reduce.h: parameters of reductions. */
#ifndef ONNXRUN_LAYERS_REDUCE_H
#define ONNXRUN_LAYERS_REDUCE_H

#include <stdint.h>

enum onr_reduce_op {
  ONR_REDUCE_SUM,
  ONR_REDUCE_MEAN,
  ONR_REDUCE_MAX,
  ONR_REDUCE_MIN,
  ONR_REDUCE_PROD,
  ONR_REDUCE_L1,
  ONR_REDUCE_L2,
  ONR_REDUCE_LOG_SUM,
  ONR_REDUCE_LOG_SUM_EXP,
  ONR_REDUCE_SUM_SQUARE,
  ONR_NUM_REDUCE_OPS
};

/* reduce. inputs x (any number type; also bool for MAX and MIN), axes (optional, int64 [n]) */
struct onr_reduce_params {
  enum onr_reduce_op op;
  int32_t keep_dims;            /* reduced dimensions stay as 1 */
  int32_t noop_with_empty_axes; /* without axes x is passed on unreduced (but squared, absolute ... as the op says);
                                   else all axes are reduced */
};

/* sum_to: sums over the dimensions along which broadcasting would stretch `like` to x: the gradient of broadcasting.
 * inputs x (any number type), like (its shape counts). No parameters. */

/* arg_reduce: index (int64) of the largest or smallest element along one axis. */
struct onr_arg_reduce_params {
  int64_t axis;
  int32_t minimum; /* 0: largest, 1: smallest */
  int32_t keep_dims;
  int32_t select_last; /* of equal elements, the last one instead of the first */
};

#endif
