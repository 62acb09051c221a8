/* sequence.h: sequences, optionals and maps: values that hold tensors (or sequences, or maps).
 *
 * Each is one flat block of memory without pointers: a header, a table of entries, then the entries' data, so that it
 * is copied like any tensor. (A layer's inputs may have another form inside, which these functions read, too, and which
 * is copied in the same way.) As struct onr_tensor: dtype ONR_DTYPE_SEQUENCE, _OPTIONAL or _MAP, rank 1, dim[0] its
 * bytes. An optional is a sequence of no or one entry. A map is one of two: its keys (int64 or string [n], none twice)
 * and their values [n]. Entries that are no tensors are blocks of their own. STRING entries point to text elsewhere, as
 * STRING tensors do. */
#ifndef ONNXRUN_SEQUENCE_H
#define ONNXRUN_SEQUENCE_H

#include "onnxrun/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Number of entries; -1 when the tensor is no well-formed sequence, optional or map. */
ONR_API int64_t onr_sequence_length(const struct onr_tensor *sequence);
/* Entry i; its data lies inside the sequence. All zero (ONR_DTYPE_NONE) where there is no such entry, or where the
 * block is damaged. */
ONR_API struct onr_tensor onr_sequence_entry(const struct onr_tensor *sequence, int64_t i);
/* Descriptor of a sequence of these entries; its dim[0] is the memory it needs. kind: ONR_DTYPE_SEQUENCE, _OPTIONAL or
 * _MAP. */
ONR_API struct onr_desc onr_sequence_desc(enum onr_dtype kind, const struct onr_tensor *entries, int64_t count);
/* Writes it to `memory` of onr_sequence_desc(...).dim[0] bytes, 8-byte aligned. Entries must not overlap memory. */
ONR_API void onr_sequence_write(const struct onr_tensor *entries, int64_t count, void *memory);

#ifdef __cplusplus
}
#endif
#endif
