/* generate.h: layers that make data out of little: constants, ranges, running sums, random numbers. */
#ifndef ONNXRUN_LAYERS_GENERATE_H
#define ONNXRUN_LAYERS_GENERATE_H

#include "onnxrun/tensor.h"

/* constant_of_shape: shape (int64 list) -> a tensor of one repeated element. */
struct onr_constant_of_shape_params {
  enum onr_dtype dtype;
  unsigned char value[16]; /* one element, as in memory; a string's text must outlive the graph */
};

/* range: start, limit, delta (scalars of one type) -> start + i * delta. No parameters. */

/* eye_like: x [rows, columns] -> ones on diagonal k. */
struct onr_eye_like_params {
  enum onr_dtype dtype; /* NONE: that of x */
  int64_t k;
};

/* one_hot: indices, depth (scalar), values [off, on]: a new axis of length depth. Indices out of range give off alone.
 */
struct onr_one_hot_params {
  int64_t axis; /* of the result */
};

/* cum_sum, cum_prod: x, axis (integer scalar). */
struct onr_cumulative_params {
  int32_t exclusive, reverse;
};

/* Random numbers are those of numpy.random.RandomState(seed), in row order: every run gives the same ones.
 * A node without a seed has ONR_DEFAULT_SEED. */
#define ONR_DEFAULT_SEED UINT64_C(0x6f6e6e7872756e)

enum onr_random_kind { ONR_RANDOM_NORMAL, ONR_RANDOM_UNIFORM };
/* random: a tensor of a fixed shape. random_like: of the shape of x. */
struct onr_random_params {
  enum onr_random_kind kind;
  enum onr_dtype dtype; /* a float type; random_like: NONE is that of x */
  float a, b;           /* normal: mean, scale; uniform: low, high */
  uint64_t seed;
  int32_t rank; /* random only */
  int64_t dim[ONR_MAX_RANK];
};

/* bernoulli: 1 with the probability x, else 0. */
struct onr_bernoulli_params {
  enum onr_dtype dtype; /* NONE: that of x */
  uint64_t seed;
};

/* multinomial: x [batch, classes], unnormalised log-probabilities -> [batch, samples] of class numbers. */
struct onr_multinomial_params {
  enum onr_dtype dtype; /* I32 or I64 */
  int64_t samples;
  uint64_t seed;
};

#endif
