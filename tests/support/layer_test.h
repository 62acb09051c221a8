/* layer_test.h: runs one layer by itself through infer, prepare, plan, run and release, on a backend of the test's
 * choice.
 *
 *   struct layer_test t = {.layer = &onri_layer_relu, .params = &params, .backend = ONR_BACKEND_PORTABLE, .num_out =
 * 1}; layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){3, 5}, x);   // data is copied; NULL data: an omitted input
 *   layer_test_constant(&t, ONR_DTYPE_F32, 1, (int64_t[]){5}, w);   // known from the start, may be packed
 *   assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);            // or the status that a wrong case should give
 *   const float *y = t.out[0].data;                                 // t.out[0].desc is what infer (or resize) said
 *   layer_test_clear(&t);
 *
 * Inputs end in slack that holds garbage, outputs in a canary: a run that writes past its output fails the test. */
#ifndef LAYER_TEST_H
#define LAYER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include "base/heap.h"
#include "onnxrun/layer.h"

enum { LAYER_TEST_MAX = 64 };
#ifdef ONNXRUN_HAVE_XNNPACK
enum { LAYER_TEST_XNNPACK = 1 }; /* the build has it */
#else
enum { LAYER_TEST_XNNPACK = 0 };
#endif

struct layer_test {
  const struct onr_layer *layer;
  const void *params;
  enum onr_backend backend;
  uint32_t threads;   /* 0: one thread */
  int64_t most_steps; /* of struct onr_env */
  int refuse_wishes;  /* 1: no in-place, no views are granted, although the layer wishes for them */
  size_t num_out;     /* outputs that are wanted */
  uint64_t unwanted;  /* bit i: output i is left out */
  /* results */
  size_t num_in;
  struct onr_tensor in[LAYER_TEST_MAX]; /* after the run: inputs as the layer left them (in-place) */
  uint64_t constants;
  struct onr_tensor out[LAYER_TEST_MAX];
  struct onr_error error;
  int32_t in_place; /* what plan wished */
  struct onr_view view[LAYER_TEST_MAX], into[LAYER_TEST_MAX];
  uint64_t packed_inputs;
  enum onr_kernel kernel; /* which one ran */
  void *memory[3 * LAYER_TEST_MAX];
  size_t num_memory;
  struct onri_heap heap; /* of strings that the layer made; all zero before the first run */
};

void layer_test_input(struct layer_test *t, enum onr_dtype dtype, int32_t rank, const int64_t *dims, const void *data);
void layer_test_constant(struct layer_test *t, enum onr_dtype dtype, int32_t rank, const int64_t *dims,
                         const void *data);
enum onr_status layer_test_run(struct layer_test *t); /* runs twice with one plan, then in place: same bits each time */
void layer_test_clear(struct layer_test *t);

/* |a - b| <= absolute + relative * |b|, NaN equals NaN, infinities must agree; fails with index and values. */
void assert_close(const float *found, const float *expected, size_t count, double relative, double absolute);
/* Uniform floats in [low, high), the same for the same seed. */
void fill_random(float *values, size_t count, float low, float high, uint32_t seed);

#endif
