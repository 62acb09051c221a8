/* file_kind.h: what a file is that was taken for ONNX and is none. */
#ifndef ONRI_FILE_KIND_H
#define ONRI_FILE_KIND_H

#include "base/memory/memory.h"
#include "onnx/file/source.h"

/* Whether these first bytes of a file are fields of a model, as far as they go. */
int onri_begins_as_model(const unsigned char *first, size_t bytes);

/* After reading a file as `wanted` ("ONNX model") has ended in `status`: where the file's first bytes show that it is
 * something else, raises PARSE with the name of that, else leaves the error as it is. path NULL: from memory. Returns
 * the status. */
enum onr_status onri_file_kind_blame(const struct onri_source *source, const struct onr_allocator *allocator,
                                     const char *path, const char *wanted, enum onr_status status,
                                     struct onr_error *error);

#endif
