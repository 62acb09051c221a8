/* control.h: parameters of the control-flow layers. */
#ifndef ONNXRUN_LAYERS_CONTROL_H
#define ONNXRUN_LAYERS_CONTROL_H

#include "onnxrun/tensor.h"

/* ONNX Loop. */
struct onr_loop_params {
  int32_t num_carried; /* inputs between cond and the captures */
};

#define ONR_SCAN_MAX 16
/* ONNX Scan. Arrays: one entry a scan input or scan output. */
struct onr_scan_params {
  int32_t num_states, num_scan_inputs;
  int32_t input_axis[ONR_SCAN_MAX], output_axis[ONR_SCAN_MAX];       /* may be negative; default 0 */
  int32_t input_reverse[ONR_SCAN_MAX], output_reverse[ONR_SCAN_MAX]; /* 1: from the last slice to the first */
};

#endif
