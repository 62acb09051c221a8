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
  int32_t plane_indices; /* MAX: indices begin anew with each channel */
  int32_t adaptive;      /* windows cut axis.in into axis.out parts; nothing else of the axes is used */
  int32_t plain;         /* without vectors */
  int64_t divisor;       /* AVERAGE: instead of the pixels that count; 0: those */
};

/* Channels of x and of y lie side by side. */
static inline int onri_pool_is_last(const struct onri_pool *pool) {
  return pool->x.channel_stride == 1 && pool->y.channel_stride == 1;
}

/* Pixels of x and of y do, and windows are of a size for vectors of pixels. */
int onri_pool_is_pixels(const struct onri_pool *pool);

/* Whether onri_pool_f32 without indices works on vectors of channels or of pixels. */
static inline int onri_pool_is_vector(const struct onri_pool *pool) {
  return !pool->plain && pool->kind != ONRI_POOL_LP && (onri_pool_is_last(pool) || onri_pool_is_pixels(pool));
}

/* Whether it does so with indices: on vectors of channels, of images whose pixels are counted in 32 bits. */
int onri_pool_finds_places(const struct onri_pool *pool);

/* indices (MAX) may be NULL: [like y] flat positions in x as if it were [N, C, spatial...]. */
void onri_pool_f32(const struct onri_pool *pool, const float *x, float *y, int64_t *indices, struct onr_env *env);
/* Maxima of bytes as they are, without indices, of channels that lie side by side, or planes of short lines, ... */
int onri_pool_turns_bytes(const struct onri_pool *pool);
void onri_pool_max_bytes(const struct onri_pool *pool, const void *x, void *y, int is_signed, struct onr_env *env);
/* ... or of pixels that do (pool_bytes.c). scratch: of so many bytes for up to so many threads. */
int onri_pool_is_byte_planes(const struct onri_pool *pool);
size_t onri_pool_byte_planes_scratch(const struct onri_pool *pool, uint32_t threads);
void onri_pool_max_byte_planes(const struct onri_pool *pool, const void *x, void *y, int is_signed, void *scratch,
                               struct onr_env *env);
void onri_pool_f64(const struct onri_pool *pool, const double *x, double *y, int64_t *indices, struct onr_env *env);

#endif
