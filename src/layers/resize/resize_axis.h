/* resize_axis.h: which input pixels make an output pixel, and with what weights, along one axis. */
#ifndef ONRI_RESIZE_AXIS_H
#define ONRI_RESIZE_AXIS_H

#include "onnxrun/layer.h"
#include "params/resize.h"

struct onri_resize_axis {
  int64_t in, out;
  double scale;      /* output pixels an input pixel */
  int32_t exact;     /* scale is out / in: positions are computed without it */
  double start, end; /* region of interest, for tf_crop_and_resize; else 0 and 1 */
  int32_t active;    /* 0: output pixel j is input pixel j */
  int32_t taps;
  /* Filled by onri_resize_axis_fill: */
  int32_t *index;   /* [out][taps] */
  void *weight;     /* [out][taps], float or double; not for nearest */
  uint8_t *outside; /* [out] 1: takes the extrapolation value; tf_crop_and_resize only */
};

/* One axis for each dimension of input 0, with out, scale, region and active; the inputs that decide are known. */
enum onr_status onri_resize_geometry(const struct onr_call *call, struct onri_resize_axis axis[ONR_MAX_RANK]);
/* Sets taps, for out > 0 and in > 0. LIMIT when the table would be beyond 2^31 entries. */
enum onr_status onri_resize_axis_taps(const struct onr_resize_params *params, struct onri_resize_axis *axis,
                                      struct onr_error *error);
void onri_resize_axis_fill(const struct onr_resize_params *params, struct onri_resize_axis *axis, int wide);

#endif
