/* compile.h: a model as C source for fixed shapes, which needs neither this library nor a loader. */
#ifndef ONNXRUN_COMPILE_H
#define ONNXRUN_COMPILE_H

#include "onnxrun/model.h"

#ifdef __cplusplus
extern "C" {
#endif

enum onr_weights {
  ONR_WEIGHTS_SOURCE, /* arrays in the source */
  ONR_WEIGHTS_FILE,   /* a file that the program maps or reads: its address is an argument of the function */
  ONR_WEIGHTS_OBJECT  /* the same file, which an assembler file includes into the program */
};

enum onr_source_part { ONR_PART_HEADER, ONR_PART_SOURCE, ONR_PART_WEIGHTS, ONR_PART_ASSEMBLER };

struct onr_compile_options {
  size_t size;              /* sizeof(struct onr_compile_options), see api.h */
  const char *name;         /* of the function NAME_run and the files; an identifier of C. NULL: "model" */
  enum onr_weights weights; /* where they lie */
  int static_arena;         /* non-zero: the source has the memory for intermediate results, so that its function is not
                               reentrant; else the caller gives it */
  /* Called with the text of each part in turn, piece by piece, once it is known that all nodes can be written.
   * Returns 0, or 1 to stop: IO. */
  int (*write)(void *context, enum onr_source_part part, const void *data, size_t bytes);
  /* Called for each kind of node that cannot be written, before UNSUPPORTED. The line is gone after the call. NULL: not
   * called. */
  void (*report)(void *context, const char *line);
  void *context; /* the first argument of both */
};
ONR_SIZED(onr_compile_options)

/* What became of it. */
struct onr_compiled {
  size_t size;         /* sizeof(struct onr_compiled), see api.h */
  size_t arena_bytes;  /* intermediate results */
  size_t weight_bytes; /* constants that are read */
  size_t steps;        /* nodes that are computed */
};
ONR_SIZED(onr_compiled)

/* A model that was loaded with the option for_source. inputs: the type and shape of each input, all of them known; one
 * with data is a constant of the program, no argument of its function. compiled may be NULL. UNSUPPORTED when a node
 * cannot be written; nothing has been written then. */
ONR_API enum onr_status onr_model_compile(const struct onr_model *model, const struct onr_tensor *inputs,
                                          const struct onr_compile_options *options, struct onr_compiled *compiled,
                                          struct onr_error *error);

#ifdef __cplusplus
}
#endif
#endif
