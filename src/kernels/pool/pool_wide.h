/* pool_wide.h: pools whose windows are large and overlap. Axis by axis, and each window along an axis from parts of 1,
 * 2, 4 ... taps, so that the work grows with the logarithm of the kernel. */
#ifndef ONRI_POOL_WIDE_H
#define ONRI_POOL_WIDE_H

#include "kernels/pool/pool.h"

/* Whether that takes far fewer steps than to look at every tap. */
int onri_pool_is_wide(const struct onri_pool *pool);
/* Elements of work that both functions want; SIZE_MAX when they cannot be counted. */
size_t onri_pool_wide_elements(const struct onri_pool *pool);

/* As onri_pool_f32 and onri_pool_f64. work: onri_pool_wide_elements() of the type; places: as many int64 when indices
 * are wanted, else NULL. */
void onri_pool_wide_f32(const struct onri_pool *pool, const float *x, float *y, int64_t *indices, float *work,
                        int64_t *places, struct onr_env *env);
void onri_pool_wide_f64(const struct onri_pool *pool, const double *x, double *y, int64_t *indices, double *work,
                        int64_t *places, struct onr_env *env);

#endif
