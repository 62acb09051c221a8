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

/* What the families of this folder are told of one. */
struct onri_plane_spec {
  struct onri_plane plane;
  float min, max;
};
/* The bounds of an operator, for the families. */
void onri_plane_spec_bound(const void *spec, struct onri_xnn_scope *scope);
/* What a reshape to height x width gives; another size than ours would write outside of our output. */
enum xnn_status onri_plane_reshaped(const struct onri_plane *plane, enum xnn_status status, size_t alignment,
                                    size_t height, size_t width);

/* Packs weights [groups * group_out, group_in, taps] (transposed: [groups * group_in, group_out, taps]) of elements of
 * `size`. *spec (min and max filled in) gets its plane. */
enum onr_status onri_plane_pack(const struct onri_xnn_family *family, struct onri_xnn_packed *packed,
                                struct onri_plane_spec *spec, const struct onri_xnn_conv *c, size_t size,
                                const void *weight, const void *bias, struct onr_env *env, struct onr_error *error);
/* See onri_xnn_recall. */
void onri_plane_recall(const struct onri_xnn_family *family, struct onri_xnn_packed *packed,
                       struct onri_plane_spec *spec, const struct onri_xnn_conv *c, struct onr_env *env);
/* A new operator; *op stays NULL where the sizes do not fit. */
enum onr_status onri_plane_plan(const struct onri_xnn_family *family, struct xnn_operator **op,
                                const struct onri_xnn_packed *packed, struct onri_plane_spec *spec,
                                const struct onri_xnn_conv *c, size_t *scratch_bytes, struct onr_env *env,
                                struct onr_error *error);
/* See onri_xnn_conv_resize. */
enum onr_status onri_plane_resize(const struct onri_xnn_family *family, struct xnn_operator **op,
                                  const struct onri_xnn_conv *was, const struct onri_xnn_conv *c, int roomy, int *fits,
                                  size_t *scratch_bytes, struct onr_env *env, struct onr_error *error);

#endif
