/* product.h: the product that matrix products and convolutions of a program share (parts/product.inc). */
#ifndef ONRI_COMPILE_PRODUCT_H
#define ONRI_COMPILE_PRODUCT_H

#include "compile/source.h"

/* Columns that lie side by side for each step of the inner dimension; the last panel has what is left. */
enum { ONRI_PANEL = 32 };

/* Weights [k][n], read at [k * inner_step + n * column_step], times scale, in panels. Returns weights' number. */
int32_t onri_panels(struct onri_source *s, const float *w, int64_t k, int64_t n, int64_t inner_step,
                    int64_t column_step, float scale);

/* y [m][n] = clamp(x w + bias), where row (a, b, c) of m = count[0] count[1] count[2] begins at x + a step[0] + b
 * step[1] + c step[2] and consists of `runs` runs of `length` elements, each at its offset (an array of int32). */
struct onri_product_call {
  const char *x, *w, *bias, *y; /* expressions */
  long long count[3], step[3];
  long long columns, y_step;
  const char *offsets;
  long long runs, length;
  const struct onr_clamp *clamp;
};
void onri_write_product(struct onri_source *s, const struct onri_product_call *call);

#endif
