/* vecmath_body.h: see vecmath_level.h; ONRI_VECMATH names the table. */
#include "kernels/vecmath_level.h"

enum { LANES = 16 };

static void exp_line(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = onri_exp1(x[i]);
}

static void sigmoid_line(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = onri_sigmoid1(x[i]);
}

static void tanh_line(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = onri_tanh1(x[i]);
}

static float exp_sum_line(const float *x, float shift, float *y, size_t count) {
  float lane[LANES] = {0}, sum = 0.0f;
  size_t i = 0;
  for (size_t j = 0; j < count; j++) y[j] = onri_exp1(x[j] - shift);
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

const struct onri_vecmath ONRI_VECMATH = {exp_line, sigmoid_line, tanh_line, exp_sum_line, max_line};
