/* resize_level.h: rows of an interpolation pass of float32, for each instruction set. */
#ifndef ONRI_RESIZE_LEVEL_H
#define ONRI_RESIZE_LEVEL_H

#include "kernels/resize/resize.h"

/* Rows [begin, end) of outer * out rows of `inner` elements. */
typedef void (*onri_resize_rows)(const struct onri_resize_pass *pass, const float *x, float *y, size_t begin,
                                 size_t end);

void onri_resize_rows_base(const struct onri_resize_pass *pass, const float *x, float *y, size_t begin, size_t end);
void onri_resize_rows_avx2(const struct onri_resize_pass *pass, const float *x, float *y, size_t begin, size_t end);
void onri_resize_rows_avx512(const struct onri_resize_pass *pass, const float *x, float *y, size_t begin, size_t end);

#endif
