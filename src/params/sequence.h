/* sequence.h: parameters of the layers on sequences, optionals and maps. */
#ifndef ONNXRUN_LAYERS_SEQUENCE_H
#define ONNXRUN_LAYERS_SEQUENCE_H

#include "onnxrun/tensor.h"

/* ONNX SplitToSequence. */
struct onr_split_to_sequence_params {
  int32_t axis;
  int32_t keep_dims; /* 0: parts of length 1 lose the axis; only without a split input */
};

/* ONNX ConcatFromSequence. */
struct onr_concat_from_sequence_params {
  int32_t axis;
  int32_t new_axis; /* 1: stack along a new axis */
};

/* ONNX SequenceMap. Inputs: num_mapped values (sequences are walked, tensors repeated), then captures. */
struct onr_sequence_map_params {
  int32_t num_mapped;
};

/* zip_map: x [n, k] (or [k]; any number type), keys [k] (int64 or string) -> a sequence of n maps. No parameters. */

/* map_values: map, wanted keys [n] (optional, constant) -> the values of these keys; without them all values in the
 * order of their keys, which are int64. A key that is not in the map has the value 0 or "". */
struct onr_map_values_params {
  int32_t row;         /* the result is [1, n] instead of [n] */
  int32_t by_position; /* without wanted keys: the value of key i is element i, of `length`; other keys are left out */
  int64_t length;
};

#endif
