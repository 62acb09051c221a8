/* pool.h: the windows of a pool, from its descriptors. */
#ifndef ONRI_LAYER_POOL_H
#define ONRI_LAYER_POOL_H

#include "kernels/pool/pool.h"

/* Of input 0 and struct onr_pool_params; *out is the descriptor of output 0. */
enum onr_status onri_pool_geometry(const struct onr_call *call, enum onri_pool_kind kind, struct onri_pool *pool,
                                   struct onr_desc *out);

#endif
