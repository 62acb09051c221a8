/* status.h: what every fallible call returns, and where its details go. */
#ifndef ONNXRUN_STATUS_H
#define ONNXRUN_STATUS_H

#include "onnxrun/api.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One line a status: the enum, its name and its text all come from this list. The numbers never change. */
#define ONR_STATUS_LIST(X)                                                                  \
  X(OK, 0, "success")                                                                       \
  X(PARSE, 1, "the file is not a well-formed ONNX protobuf")                                \
  X(VERSION, 2, "the IR or operator set version is missing or unknown")                     \
  X(GRAPH, 3, "the graph contradicts itself: a cycle, a missing or a doubled name")         \
  X(ARITY, 4, "a node has the wrong number of inputs or outputs")                           \
  X(TYPE, 5, "a data type is not allowed here")                                             \
  X(SHAPE, 6, "a rank or a dimension is not allowed here")                                  \
  X(ATTRIBUTE, 7, "an attribute, or an input that acts as one, is missing or out of range") \
  X(DATA, 8, "tensor data does not fit its type, its dimensions or its use")                \
  X(EXTERNAL, 9, "external tensor data is missing, unsafe or out of bounds")                \
  X(UNSUPPORTED, 10, "legal, but this build has no code for it")                            \
  X(LIMIT, 11, "a limit of struct onr_limits was reached")                                  \
  X(INDEX, 12, "an index found in tensor data is out of range")                             \
  X(ARITHMETIC, 13, "an integer divided by zero, or a singular matrix")                     \
  X(ARGUMENT, 14, "the caller broke the documented contract")                               \
  X(STATE, 15, "calls were made out of order, or by two threads at once")                   \
  X(NO_MEMORY, 16, "an allocation failed")                                                  \
  X(CANCELLED, 17, "the caller's cancel flag was set")                                      \
  X(IO, 18, "a file could not be read or written")                                          \
  X(INTERNAL, 19, "a bug in this library")

enum onr_status {
#define ONR_X(name, value, text) ONR_STATUS_##name = value,
  ONR_STATUS_LIST(ONR_X)
#undef ONR_X
};

/* Filled in on failure only. Owned by the caller, holds no pointers, does not grow. Text that came from a file is
 * escaped and cut. Every function that takes a struct onr_error * accepts NULL. */
struct onr_error {
  enum onr_status status;
  char where[256];   /* "Softmax 'node_softmax_3' (encoder.attn, model.py:41)", or "" */
  char message[512]; /* what was expected, what was found, what to do */
};

/* "SHAPE", "TYPE" ...; "?" for a number that is no status. Static storage. */
ONR_API const char *onr_status_name(enum onr_status status);
/* One sentence about the status. Static storage. */
ONR_API const char *onr_status_text(enum onr_status status);

/* Raise an error: writes `status` and the formatted message into error (when not NULL) and returns status, so that
 * `return onr_fail(c->error, ONR_STATUS_SHAPE, "expected rank 4, found %d", rank);` is the idiom. For your own layers
 * too. format NULL: the message is the sentence of the status. */
ONR_API enum onr_status onr_fail(struct onr_error *error, enum onr_status status, const char *format, ...)
    ONR_PRINTF(3, 4);

/* Inside a library without messages (ONNXRUN_MESSAGES=OFF, docs/small.md). */
#if defined(ONNXRUN_BRIEF)
enum onr_status onri_fail_briefly(struct onr_error *error, enum onr_status status);
#define onr_fail(error, status, ...) (0 ? onr_fail(error, status, __VA_ARGS__) : onri_fail_briefly(error, status))
#endif

/* Forward a failure. */
#define ONR_TRY(expression)                                     \
  do {                                                          \
    const enum onr_status onr_try_status = (expression);        \
    if (onr_try_status != ONR_STATUS_OK) return onr_try_status; \
  } while (0)

#ifdef __cplusplus
}
#endif
#endif
