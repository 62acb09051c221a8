/* tensor_file.h: values as ONNX stores them in files of their own (TensorProto, MapProto, SequenceProto,
 * OptionalProto: "input_0.pb"). */
#ifndef ONNXRUN_TENSOR_FILE_H
#define ONNXRUN_TENSOR_FILE_H

#include "onnxrun/runtime.h"
#include "onnxrun/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

struct onr_tensor_file_options {
  size_t size;                           /* sizeof(struct onr_tensor_file_options), see api.h */
  const struct onr_allocator *allocator; /* NULL: malloc */
  const struct onr_limits *limits;       /* NULL: the defaults; tensor_bytes bounds the file, too */
};
ONR_SIZED(onr_tensor_file_options)

/* Reads one value. `kind` says which message the file holds, since nothing in it does: ONR_DTYPE_MAP,
 * ONR_DTYPE_SEQUENCE, ONR_DTYPE_OPTIONAL, or anything else for a TensorProto. On success tensor->data is the caller's,
 * to be freed with onr_tensor_release, and `name` (may be NULL) holds its name, cut at name_size. options may
 * be NULL. */
ONR_API enum onr_status onr_tensor_file_load(const char *path, enum onr_dtype kind,
                                             const struct onr_tensor_file_options *options, struct onr_tensor *tensor,
                                             char *name, size_t name_size, struct onr_error *error);
/* The same allocator again, NULL: malloc's. Accepts NULL, and a tensor with data NULL. */
ONR_API void onr_tensor_release(const struct onr_allocator *allocator, struct onr_tensor *tensor);

#ifdef __cplusplus
}
#endif
#endif
