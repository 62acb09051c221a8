/* pool.h: windowed reductions for any layout. Channels that lie side by side are reduced together. */
#ifndef ONRI_POOL_H
#define ONRI_POOL_H

#include "base/image.h"

enum onri_pool_kind { ONRI_POOL_MAX, ONRI_POOL_AVERAGE, ONRI_POOL_LP };

struct onri_pool {
  enum onri_pool_kind kind;
  struct onri_axis axis[ONR_MAX_SPATIAL];
  struct onri_image x, y;
  int32_t count_padding; /* AVERAGE: padding counts as zeros */
  int32_t p;             /* LP */
  int32_t column_order;  /* MAX: indices count spatial positions with the first axis fastest */
};

/* indices (MAX) may be NULL: [like y] flat positions in x as if it were [N, C, spatial...]. */
void onri_pool_f32(const struct onri_pool *pool, const float *x, float *y, int64_t *indices, struct onr_env *env);
void onri_pool_f64(const struct onri_pool *pool, const double *x, double *y, int64_t *indices, struct onr_env *env);

#endif
