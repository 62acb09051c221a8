/* depthwise_rows.h: rows of a depthwise convolution. */
#ifndef ONRI_DEPTHWISE_ROWS_H
#define ONRI_DEPTHWISE_ROWS_H

#include "kernels/conv/depthwise.h"
#include "kernels/quantize/byte_product.h"

/* What makes a job one of bytes: elements of x are (byte ^ flip) - zero, sums are exact for up to ONRI_DEPTHWISE_TAPS
 * taps. */
enum { ONRI_DEPTHWISE_TAPS = 256 };
struct onri_depthwise_bytes {
  uint8_t flip; /* 0x80 for signed bytes, whose zero point is then 128 more */
  float zero;
  const int32_t *bias;                      /* of the job's first channel, or NULL */
  const struct onri_requantise *requantise; /* with one scale a channel, the job's first one first; NULL: y is int32 */
};

/* Rows [top, bottom) of one plane of output, for some channels, or all of them. Distances in elements. Bytes: each 1.
 */
struct onri_depthwise_job {
  struct onri_axis axis[ONR_MAX_SPATIAL];
  int64_t x_plane, x_line, x_pixel, y_line, y_pixel; /* from one to the next */
  int64_t channels;                                  /* of output, of all */
  int64_t each, phase; /* channels of output of a group; those before the job's first that are of its own */
  int64_t terms;       /* channels of input of a group: 1, or as grouped.h has it */
  float min, max;
  const void *x;         /* the first of the channels, in pixel 0 of the image: float, or bytes */
  const float *w, *bias; /* of that channel; bias may be NULL */
  void *y;               /* of that channel, in pixel 0 of the output plane: float, bytes, int32 */
  int64_t o0, top, bottom;
  int64_t w_tap, w_line;    /* from one to the next */
  int64_t w_term, w_vector; /* where a group has several channels of input: from one of them, and of the vectors of
                             * channels of output, to the next */
  /* A vector holds neighbours in a row of one channel: axis 2 is that of the rows, axis 1 has the taps of a row, for
   * each of which x begins elsewhere; nothing lies in padding. Else NULL. */
  const int64_t *shifts;
  const struct onri_depthwise_bytes *bytes; /* NULL: float */
  onri_depthwise_tail tail;                 /* NULL: none. Applied to what is done while it is in L1 */
  const void *tail_context;
};

enum { ONRI_DEPTHWISE_TILE = 7 /* outputs at once: images of 7, 14, 28 ... leave no tile half empty */ };

struct onri_depthwise_kernels {
  void (*rows)(const struct onri_depthwise_job *job, int64_t channels);
  int64_t lanes;
};

#endif
