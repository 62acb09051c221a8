/* conv_pieces.h: a convolution by XNNPACK in pieces, so that a long one looks at the cancel flag in between: images, or
 * rows of one. XNNPACK itself runs to its end. */
#ifndef ONRI_CONV_PIECES_H
#define ONRI_CONV_PIECES_H

#include "kernels/conv/conv_direct.h"
#include "xnn/xnn_conv.h"

enum { ONRI_CONV_SHAPES = 4 }; /* the first rows, those in the middle, the last two */

struct onri_conv_pieces {
  struct onri_xnn_conv whole;
  int64_t images, rows; /* of a piece; rows along `axis` of the output */
  int32_t axis;
  int32_t count;
  struct onri_xnn_conv shape[ONRI_CONV_SHAPES]; /* pieces of equal shape share an operator */
  struct xnn_operator *op[ONRI_CONV_SHAPES];
};

/* count stays 0 where it is short, or cannot be cut. *scratch_bytes is what any piece wants. */
enum onr_status onri_conv_pieces_plan(struct onri_conv_pieces *pieces, const struct onri_xnn_conv *whole,
                                      int64_t multiply_adds, const struct onri_xnn_packed *packed,
                                      size_t *scratch_bytes, struct onr_env *env, struct onr_error *error);
/* x and y are the images of c. */
enum onr_status onri_conv_pieces_run(const struct onri_conv_pieces *pieces, const struct onri_conv *c, void *scratch,
                                     const float *x, float *y, struct onr_env *env, struct onr_error *error);
void onri_conv_pieces_release(struct onri_conv_pieces *pieces); /* safe on a zeroed struct */

#endif
