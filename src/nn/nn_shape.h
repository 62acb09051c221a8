/* nn_shape.h: short ways for layers that change the shape. */
#ifndef ONRI_NN_SHAPE_H
#define ONRI_NN_SHAPE_H

#include "nn/net.h"

/* x of rank `rank`, or of one less, which then gets a dimension of 1 at `axis`; and y with or without it, as x. */
int onri_net_batch_at(struct onr_net *net, int x, int32_t rank, int32_t axis);
int onri_net_unbatch_at(struct onr_net *net, int y, int x, int32_t rank, int32_t axis);
int onri_net_squeeze(struct onr_net *net, int x, int64_t axis);
int onri_net_unsqueeze(struct onr_net *net, int x, int64_t axis);
int onri_net_concat(struct onr_net *net, const int *values, size_t count, int64_t axis);
/* 0 around x on one axis; pads: int64 [2], begin and end. */
int onri_net_pad(struct onr_net *net, int x, int pads, int64_t axis);
/* int64 [1]: dimension d of x. */
int onri_net_dim(struct onr_net *net, int x, int64_t d);
/* [a, b, c] becomes [b, a, c]: sequences, time first or batch first. */
int onri_net_swap_outer(struct onr_net *net, int x);

#endif
