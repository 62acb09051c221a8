/* resize.h: interpolation along one axis as weighted sums, and nearest neighbours along all axes at once. */
#ifndef ONRI_RESIZE_KERNEL_H
#define ONRI_RESIZE_KERNEL_H

#include "onnxrun/layer.h"

/* x [outer][in][inner] -> y [outer][out][inner]: y[o][j][i] = sum over t of weight[j][t] * x[o][index[j][t]][i]. */
struct onri_resize_pass {
  int64_t outer, in, out, inner;
  int32_t taps;
  const int32_t *index; /* [out][taps] */
  const void *weight;   /* [out][taps], float or double */
};

void onri_resize_pass_f32(const struct onri_resize_pass *pass, const float *x, float *y, struct onr_env *env);
void onri_resize_pass_f64(const struct onri_resize_pass *pass, const double *x, double *y, struct onr_env *env);

/* y[j0][j1]... = x[index[0][j0]][index[1][j1]]..., elements of any size. Axes that are kept have index NULL. */
struct onri_resize_gather {
  int32_t rank;
  int64_t in[ONR_MAX_RANK], out[ONR_MAX_RANK];
  const int32_t *index[ONR_MAX_RANK];
  size_t element; /* bytes */
};

void onri_resize_gather(const struct onri_resize_gather *gather, const void *x, void *y, struct onr_env *env);

#endif
