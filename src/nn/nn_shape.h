/* nn_shape.h: short ways for layers that change the shape. */
#ifndef ONRI_NN_SHAPE_H
#define ONRI_NN_SHAPE_H

#include "nn/net.h"

int onri_net_squeeze(struct onr_net *net, int x, int64_t axis);
int onri_net_unsqueeze(struct onr_net *net, int x, int64_t axis);
/* [a, b, c] becomes [b, a, c]: sequences, time first or batch first. */
int onri_net_swap_outer(struct onr_net *net, int x);

#endif
