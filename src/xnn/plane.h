/* plane.h: for the convolutions of this folder: what they have in common, float32 or quantised. */
#ifndef ONRI_XNN_PLANE_H
#define ONRI_XNN_PLANE_H

#include "xnn/core.h"
#include "xnn/xnn_conv.h"

/* A convolution as one of planes: [batch, height, width, groups * group_in]. */
struct onri_plane {
  struct onri_axis height, width;
  int64_t batch, groups, group_in, group_out, taps;
  int32_t transposed;
  int64_t extra_height, extra_width; /* transposed: outputs behind the last tap */
};

/* False when it is none. */
int onri_plane_of(const struct onri_xnn_conv *c, struct onri_plane *plane);
/* Without batch and sizes (transposed: for one pixel). */
int onri_plane_of_weights(const struct onri_xnn_conv *c, struct onri_plane *plane);
/* What is known without sizes, and whether XNNPACK computes it right for those it has. */
enum onri_xnn_fit onri_plane_fit(const struct onri_plane *plane);
int onri_plane_fits(const struct onri_plane *plane);

/* Are they computed by one operator, given other sizes? */
int onri_plane_alike(const struct onri_plane *a, const struct onri_plane *b);

/* Weights in the order that XNNPACK reads: [groups][group_out][taps][group_in]. `size` of an element: 1 or 4. */
void onri_plane_reorder(const struct onri_plane *plane, size_t size, const void *weight, void *target);
/* Bytes of the weights as they are; the product was checked by onri_xnn_conv_fit. */
size_t onri_plane_weight_bytes(const struct onri_plane *plane, size_t size);

/* What the scope of packing, or of an operator, may take: a small multiple of what the convolution works on. */
void onri_plane_bound_packing(const struct onri_plane *plane, size_t size, struct onri_xnn_scope *scope);
void onri_plane_bound_operator(const struct onri_plane *plane, struct onri_xnn_scope *scope);

/* Ends the scope in which an operator was made and reshaped to height x width. What would take too much is no failure:
 * *op is NULL. */
enum onr_status onri_plane_leave(const struct onri_plane *plane, struct onri_xnn_scope *scope, enum xnn_status status,
                                 struct xnn_operator **op, size_t height, size_t width, const char *what,
                                 struct onr_error *error);

#endif
