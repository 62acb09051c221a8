/* vecmath_body.h: see vecmath_level.h; ONRI_VECMATH names the table. */
#include "kernels/elementwise/vecmath_level.h"

enum { LANES = 16, BLOCK = 64 };

/* y may be x, which would keep the compiler from using vectors: hence a block in between. */
#define EACH(expression)                                      \
  size_t done = 0;                                            \
  for (; done + BLOCK <= count; done += BLOCK) {              \
    const float *in = x + done;                               \
    float block[BLOCK];                                       \
    for (size_t j = 0; j < BLOCK; j++) block[j] = expression; \
    memcpy(y + done, block, sizeof(block));                   \
  }                                                           \
  if (done < count) {                                         \
    const float *in = x + done;                               \
    const size_t rest = count - done;                         \
    float block[BLOCK];                                       \
    for (size_t j = 0; j < rest; j++) block[j] = expression;  \
    memcpy(y + done, block, rest * sizeof(block[0]));         \
  }

static void exp_line(const float *x, float *y, size_t count) { EACH(onri_exp1(in[j])) }
static void sigmoid_line(const float *x, float *y, size_t count) { EACH(onri_sigmoid1(in[j])) }
static void tanh_line(const float *x, float *y, size_t count) { EACH(onri_tanh1(in[j])) }

static float exp_sum_line(const float *x, float shift, float *y, size_t count) {
  float lane[LANES] = {0}, sum = 0.0f;
  EACH(onri_exp1(in[j] - shift))
  size_t i = 0;
  for (; i + LANES <= count; i += LANES)
    for (int l = 0; l < LANES; l++) lane[l] += y[i + l];
  for (int l = 0; l < LANES; l++) sum += lane[l];
  for (; i < count; i++) sum += y[i];
  return sum;
}

static float max_line(const float *x, float max, size_t count) {
  float lane[LANES];
  size_t i = 0;
  for (int l = 0; l < LANES; l++) lane[l] = max;
  for (; i + LANES <= count; i += LANES)
    for (int l = 0; l < LANES; l++) lane[l] = x[i + l] > lane[l] ? x[i + l] : lane[l];
  for (int l = 0; l < LANES; l++) max = lane[l] > max ? lane[l] : max;
  for (; i < count; i++) max = x[i] > max ? x[i] : max;
  return max;
}

/* The bits of |x| are ordered as the numbers are, with infinity and NaN at the end. */
static int all_finite(const float *x, size_t count) {
  int32_t lane[LANES] = {0}, bits[LANES] = {0}, largest = 0;
  size_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    memcpy(bits, x + i, sizeof(bits));
    for (int l = 0; l < LANES; l++) lane[l] = (bits[l] & INT32_MAX) > lane[l] ? bits[l] & INT32_MAX : lane[l];
  }
  memcpy(bits, x + i, (count - i) * sizeof(bits[0]));
  for (size_t l = 0; l < count - i; l++) lane[l] = (bits[l] & INT32_MAX) > lane[l] ? bits[l] & INT32_MAX : lane[l];
  for (int l = 0; l < LANES; l++) largest = lane[l] > largest ? lane[l] : largest;
  return largest < 0x7F800000;
}

const struct onri_vecmath ONRI_VECMATH = {exp_line, sigmoid_line, tanh_line, exp_sum_line, max_line, all_finite};
