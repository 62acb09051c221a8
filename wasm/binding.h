/* binding.h: what onnxrun.js calls. An instance of the WebAssembly module holds one model and one session; whoever
 * makes another instance has another model, and whoever drops one has all of its memory back.
 *
 * Addresses and sizes are those of wasm32 (4 bytes). Functions that return a status leave what went wrong in
 * onrw_error, and return 0 (OK) otherwise. Text is UTF-8 and ends in 0. One thread calls; others are in onrw_thread
 * alone. Memory that is handed over is from malloc and free, which the module exports, too. */
#ifndef ONNXRUN_WASM_BINDING_H
#define ONNXRUN_WASM_BINDING_H

#include <onnxrun/onnxrun.h>
#include <onnxrun/sequence.h>
#include <stddef.h>

#define ONRW_API __attribute__((visibility("default"), used))

/* An input or output as declared. The layout is a part of the interface, as is that of struct onr_tensor. */
struct onrw_value {
  const char *name;
  const char *type;                   /* of a sequence, map or optional "seq(tensor(float))"; else NULL */
  int32_t dtype, rank;                /* rank -1: not declared */
  double dim[ONR_MAX_RANK];           /* -1: open */
  const char *dim_name[ONR_MAX_RANK]; /* NULL: it has none */
};
_Static_assert(sizeof(struct onrw_value) == 112 && offsetof(struct onrw_value, dim_name) == 80, "see values.js");
_Static_assert(sizeof(struct onr_tensor) == 80 && offsetof(struct onr_tensor, data) == 72, "see values.js");
_Static_assert(sizeof(struct onr_string) == 8, "see values.js");

enum { ONRW_INPUT = 0, ONRW_OUTPUT = 1 };

/* About the last call that failed. */
ONRW_API const char *onrw_error_status(void); /* "SHAPE" */
ONRW_API const char *onrw_error_where(void);  /* the node, or "" */
ONRW_API const char *onrw_error_message(void);

ONRW_API const char *onrw_version(void); /* onr_version */

/* Before the load: threads of which the calling one is one. The others have to be in onrw_thread by then. may_wait: the
 * calling thread is allowed to sleep (a page's own is not). */
ONRW_API int onrw_set_threads(uint32_t count, int may_wait);
/* What thread `index`, from 1 on, of an instance that shares this one's memory does for ever. */
ONRW_API void onrw_thread(uint32_t index);
/* Before the load: a limit of struct onr_limits by its name. */
ONRW_API int onrw_set_limit(const char *name, const char *value);
/* Once for an instance. data stays where it is: weights are read in place, or packed from there. External data is
 * looked for in the directory "/" where has_files is not 0. */
ONRW_API int onrw_load(const void *data, size_t bytes, int has_files);

/* Inputs that may be left out have the indices behind the others. */
ONRW_API size_t onrw_count(int kind);
ONRW_API size_t onrw_count_required(void);
/* NULL when index is out of range; good until the next call. */
ONRW_API const struct onrw_value *onrw_value(int kind, size_t index);

/* Data is read while the session runs. NULL takes back what was set. */
ONRW_API int onrw_set_input(size_t index, const struct onr_tensor *tensor);
ONRW_API int onrw_run(void);
/* *tensor: output `index`; its data is the session's and good until the next run. */
ONRW_API int onrw_output(size_t index, struct onr_tensor *tensor);

/* Sequences, optionals and maps (onnxrun/sequence.h). */
ONRW_API int32_t onrw_sequence_length(const struct onr_tensor *sequence);
ONRW_API void onrw_sequence_entry(const struct onr_tensor *sequence, int32_t index, struct onr_tensor *entry);
/* A sequence of these entries into *sequence; its data is new memory (NULL: there is none), for free. */
ONRW_API void onrw_sequence_make(int32_t kind, const struct onr_tensor *entries, int32_t count,
                                 struct onr_tensor *sequence);

ONRW_API const char *onrw_dtype_name(int32_t dtype); /* "float32" */

#endif
