/* core.h: for the files of this folder: calls into XNNPACK with the caller's memory, and packed weights.
 *
 * Every call that may allocate (create, reshape) stands between onri_xnn_enter and onri_xnn_leave, on one thread: the
 * allocations then come from the allocator of env, and one that fails is noticed even where XNNPACK does not look. */
#ifndef ONRI_XNN_CORE_H
#define ONRI_XNN_CORE_H

#include <xnnpack.h>

#include "xnn/xnn.h"

/* Dimensions and their products stay below this where XNNPACK computes with them: it does not check for overflow. */
#define ONRI_XNN_MAX ((int64_t)1 << 31)

/* What XNNPACK allocates is counted before it is held: the first block that takes a scope beyond `most` bytes is
 * refused. */
struct onri_xnn_scope {
  const struct onr_allocator *allocator;
  size_t most, taken; /* enter says SIZE_MAX; whoever knows what is sensible lowers it */
  int out_of_memory, too_large;
  int roomy;     /* blocks that are reallocated never shrink, so that sizes that repeat allocate nothing */
  void *discard; /* memory for packing that nobody needs, see onri_xnn_packed_cache */
  struct onri_xnn_scope *outer;
};

void onri_xnn_enter(struct onri_xnn_scope *scope, const struct onr_env *env);
/* Ends the scope and turns its result into a status with a message; `what` names the operator in it. When it is a
 * failure (LIMIT: beyond `most`), *op (which may be NULL) is deleted and NULL. op itself may be NULL. */
enum onr_status onri_xnn_leave(struct onri_xnn_scope *scope, enum xnn_status status, struct xnn_operator **op,
                               const char *what, struct onr_error *error);

/* --- packing, in prepare --- */
struct onri_xnn_packing {
  struct onri_xnn_scope scope;
  struct xnn_weights_cache_provider provider;
  struct onr_env *env;
  struct onri_xnn_packed *packed;
};
/* Enters a scope. The operator created with the cache that is returned has its weights in *packed. */
struct xnn_weights_cache_provider *onri_xnn_pack_begin(struct onri_xnn_packing *packing, struct onri_xnn_packed *packed,
                                                       struct onr_env *env);
/* Leaves it and deletes the operator (NULL when it was not created), the block stays. On failure *packed is zeroed. */
enum onr_status onri_xnn_pack_end(struct onri_xnn_packing *packing, enum xnn_status status, struct xnn_operator *op,
                                  const char *what, struct onr_error *error);

/* --- operators on packed weights, in plan --- */
/* A cache in which every look-up finds `packed`. Fully connected operators and convolutions by matrix product then read
 * no weights at all. Depthwise, 1x1-depthwise and transposed convolutions pack before they ask: what they pack goes to
 * memory that onri_xnn_leave throws away, so pass packed->data for their kernel (readable, and never smaller than the
 * kernel) and NULL for their bias, and make them seldom: see onri_xnn_conv_resize. */
struct xnn_weights_cache_provider *onri_xnn_packed_cache(const struct onri_xnn_packed *packed);

#endif
