/* sequence.h: parameters of the layers on sequences and optionals. */
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

#endif
