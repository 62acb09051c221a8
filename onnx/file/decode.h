/* decode.h: from a skeleton to the structs that protoc-c declares, and from TensorProto to constants. */
#ifndef ONRI_DECODE_H
#define ONRI_DECODE_H

#include "base/numbers/convert.h"
#include "graph/graph.h"
#include "onnx.pb-c.h"
#include "onnx/file/external.h"
#include "onnx/file/scan.h"

/* Everything of *model lies in the arena. */
enum onr_status onri_decode_model(const struct onri_skeleton *skeleton, struct onri_arena *arena,
                                  const Onnx__ModelProto **model, struct onr_error *error);

struct onri_tensor_decoder {
  struct onr_env *env;
  struct onri_sources *sources;
  const struct onri_span *spans;
  size_t num_spans;
  struct onri_constant *
      *shared; /* [num_spans] a reference each to what has been made of the span, or NULL; NULL: not shared */
};

/* Type, dimensions and sizes are checked; contents that are not in the skeleton are read when the constant is loaded,
 * and only then is it seen whether booleans are 0 or 1. *constant has one reference, which is the caller's. A tensor
 * that is decoded again (in a function that is called again) is the same constant when its contents are a span. */
enum onr_status onri_tensor_decode(const struct onri_tensor_decoder *decoder, const Onnx__TensorProto *tensor,
                                   struct onri_constant **constant, struct onr_error *error);
/* Made dense. Indices must be sorted, without repetition, and in range. */
enum onr_status onri_sparse_decode(const struct onri_tensor_decoder *decoder, const Onnx__SparseTensorProto *sparse,
                                   struct onri_constant **constant, struct onr_error *error);

/* --- pieces shared by tensor.c and tensor_load.c --- */

/* Contents in the form of raw_data to the form in memory. raw may be the end of target. DATA for a bool that is not 0
 * or 1. */
enum onr_status onri_raw_to_memory(enum onr_dtype dtype, const unsigned char *raw, size_t elements, void *target,
                                   struct onr_error *error);
/* A constant that reads `bytes` bytes of raw form from file (NULL: the model file) when it is loaded. */
enum onr_status onri_lazy_constant(const struct onri_tensor_decoder *decoder, const struct onr_desc *desc,
                                   struct onri_external_file *file, uint64_t offset, uint64_t bytes,
                                   struct onri_constant **constant, struct onr_error *error);

#endif
