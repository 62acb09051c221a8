/* common.h: what the importers of com.microsoft share. They write an op as a small graph of layers. */
#ifndef ONRI_IMPORT_MICROSOFT_H
#define ONRI_IMPORT_MICROSOFT_H

#include "onnx/node/import.h"

/* One layer with one new output, which is returned. A failure is kept in node->status: the emit that follows returns
 * it. */
int32_t onri_make(const struct onr_node *node, const struct onr_layer *layer, const void *params, const int32_t *in,
                  size_t num_in);
int32_t onri_make_binary(const struct onr_node *node, enum onr_binary op, int32_t a, int32_t b);
int32_t onri_make_cast(const struct onr_node *node, int32_t x, enum onr_dtype to);
/* x of rank r - n with dimensions of 1 at `axes` of the result. */
int32_t onri_make_unsqueeze(const struct onr_node *node, int32_t x, const int64_t *axes, size_t count);
/* 0, 1 ... n - 1, where n (int64) is dimension `axis` of x, or a value [1]; and such an n itself as int64 [1]. */
int32_t onri_make_range(const struct onr_node *node, int32_t x, int64_t axis);
int32_t onri_make_range_to(const struct onr_node *node, int32_t count);
int32_t onri_make_dim(const struct onr_node *node, int32_t x, int64_t axis);
/* (x - zero) scale with one scale; zero may be ONRI_NONE. */
int32_t onri_make_dequantize(const struct onr_node *node, int32_t x, int32_t scale, int32_t zero);
/* x in the shape that a constant gives: 0 and -1 as in reshape. */
int32_t onri_make_reshape(const struct onr_node *node, int32_t x, const int64_t *shape, size_t rank);
/* x cut into `count` parts (new values out[]) along axis; sizes NULL: of equal size. */
enum onr_status onri_make_split(const struct onr_node *node, int32_t x, int64_t axis, const int64_t *sizes,
                                int32_t *out, size_t count);
/* A number of heads, which is a required attribute. */
enum onr_status onri_read_heads(const struct onr_node *node, const char *name, int64_t *heads);
/* An UNSUPPORTED error when integer attribute `name` is there and not `only`. */
enum onr_status onri_only(const struct onr_node *node, const char *name, int64_t only);

#endif
