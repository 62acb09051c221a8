/* nn_image.h: what layers on images have in common: a batch or a single image, sizes of 1 to 3 dimensions. */
#ifndef ONRI_NN_IMAGE_H
#define ONRI_NN_IMAGE_H

#include "nn/net.h"

/* x of rank `rank`, or of one less as a batch of one; and y as x was. */
int onri_net_batch(struct onr_net *net, int x, int32_t rank);
int onri_net_unbatch(struct onr_net *net, int y, int x, int32_t rank);

/* Fails and returns 0 unless each of the `spatial` values is in least..2^31 - 1. layer and name are for the message. */
int onri_net_check_sizes(struct onr_net *net, const char *layer, const char *name, const int64_t *values,
                         int32_t spatial, int64_t least);

#endif
