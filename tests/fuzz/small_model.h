/* small_model.h: loads a model of a stranger and runs it within small limits, in memory that is exactly as long as it
 * was asked for, filled, and counted. Ends the program where something is wrong that no sanitizer sees. */
#ifndef FUZZ_SMALL_MODEL_H
#define FUZZ_SMALL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "onnxrun/onnxrun.h"

extern const struct onr_allocator small_allocator;
extern const struct onr_limits small_limits;

/* Says why, with the error if there is one, and ends the program. */
_Noreturn void small_abort(const char *why, const struct onr_error *error);
/* Everything that was allocated has been released. */
void small_expect_empty(void);
/* A refusal has a status, a message, and is not a fault of ours. */
void small_check_refusal(enum onr_status status, const struct onr_error *error);

/* The file of a case (wire.h): a model, its inputs, and what is done with it. */
void small_run_case(const uint8_t *data, size_t size);

/* What bits of a case's field 3 mean. */
enum {
  CASE_PORTABLE = 1,      /* the portable backend */
  CASE_THREADS = 2,       /* two threads */
  CASE_DATA_STAYS = 4,    /* of struct onr_model_options */
  CASE_NO_PASSES = 8,     /* no rewrites */
  CASE_TWICE = 16,        /* the whole twice, with other contents of fresh memory: the same results */
  CASE_SOME = 32,         /* only the first output is wanted */
  CASE_STATES = 64,       /* states where the model has them, three runs */
  CASE_BOUND = 128,       /* the first output is bound to memory that may be too small */
  CASE_OTHER_SHAPE = 256, /* open dimensions are 3, not 2, in a second run */
  CASE_CACHE_INT8 = 512   /* of struct onr_session_options */
};

#endif
