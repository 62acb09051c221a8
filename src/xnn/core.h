/* core.h: for the files of this folder: the life of an operator, spelt once for all families.
 *
 * Every call that may allocate (create, reshape) stands between onri_xnn_enter and onri_xnn_leave, on one thread: the
 * allocations then come from the allocator of env, and one that fails is noticed even where XNNPACK does not look.
 * onri_xnn_pack and onri_xnn_plan see to it. */
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

/* memory.c */
extern const struct xnn_allocator onri_xnn_allocator;
/* False, and noted, when the scope may not take so much more. */
int onri_xnn_take(struct onri_xnn_scope *scope, size_t bytes);
/* Memory of the current scope that goes with it; one block at a time. */
void *onri_xnn_discarded(size_t bytes);
void onri_xnn_exit(struct onri_xnn_scope *scope);
void onri_xnn_enter(struct onri_xnn_scope *scope, const struct onr_env *env);
/* Ends the scope and turns its result into a status with a message; `what` names the operator in it. When it is a
 * failure (LIMIT: beyond `most`), *op (which may be NULL) is deleted and NULL. op itself may be NULL. */
enum onr_status onri_xnn_leave(struct onri_xnn_scope *scope, enum xnn_status status, struct xnn_operator **op,
                               const char *what, struct onr_error *error);

/* --- families --- */

/* Where a run reads and writes. b: the second operand of a product. */
struct onri_xnn_pointers {
  void *scratch;
  const void *a, *b;
  void *y;
};

/* What XNNPACK calls a kind of operator. `spec` is the family's own description of one. */
struct onri_xnn_family {
  const char *name; /* in messages */
  /* cache NULL: weights are not packed, or there are none. */
  enum xnn_status (*create)(const void *spec, const void *weights, const void *bias,
                            struct xnn_weights_cache_provider *cache, struct xnn_operator **op);
  enum xnn_status (*reshape)(struct xnn_operator *op, const void *spec, size_t *scratch_bytes,
                             struct pthreadpool *threads);
  enum xnn_status (*setup)(struct xnn_operator *op, const struct onri_xnn_pointers *at);
  /* Lower scope->most to what is sensible. NULL: no bound. */
  void (*bound_packing)(const void *spec, struct onri_xnn_scope *scope);
  void (*bound_operator)(const void *spec, struct onri_xnn_scope *scope);
  int may_do_without; /* an operator that would take too much is no failure: *op is NULL */
};

/* prepare: weights and bias (NULL: none) are not read after this; *packed stays. */
enum onr_status onri_xnn_pack(const struct onri_xnn_family *family, struct onri_xnn_packed *packed, const void *spec,
                              const void *weights, const void *bias, struct onr_env *env, struct onr_error *error);
/* The same from a file of packed weights that has a block of the size that XNNPACK asks for; else *packed stays empty.
 */
void onri_xnn_recall(const struct onri_xnn_family *family, struct onri_xnn_packed *packed, const void *spec,
                     struct onr_env *env);
/* plan: makes *op, or gives the one that is there other sizes (roomy: its memory never shrinks). packed may be NULL. On
 * failure *op is deleted and NULL. Depthwise, 1x1-depthwise and transposed convolutions pack their weights again when
 * they are made, into memory that is thrown away: give them other sizes instead. */
enum onr_status onri_xnn_plan(const struct onri_xnn_family *family, struct xnn_operator **op,
                              const struct onri_xnn_packed *packed, const void *spec, int roomy, size_t *scratch_bytes,
                              struct onr_env *env, struct onr_error *error);
/* run */
enum onr_status onri_xnn_run(const struct onri_xnn_family *family, struct xnn_operator *op,
                             const struct onri_xnn_pointers *at, struct onr_env *env, struct onr_error *error);

/* --- packing, in prepare --- */
struct onri_xnn_packing {
  struct onri_xnn_scope scope;
  struct xnn_weights_cache_provider provider;
  struct onr_env *env;
  struct onri_xnn_packed *packed;
  int recalls; /* nothing is packed */
};
/* Enters a scope. The operator created with the cache that is returned has its weights in *packed. */
struct xnn_weights_cache_provider *onri_xnn_pack_begin(struct onri_xnn_packing *packing, struct onri_xnn_packed *packed,
                                                       struct onr_env *env);
/* The same, but XNNPACK gets no memory and gives up before it packs: *packed has what a file has for it. */
struct xnn_weights_cache_provider *onri_xnn_recall_begin(struct onri_xnn_packing *packing,
                                                         struct onri_xnn_packed *packed, struct onr_env *env);
void onri_xnn_recall_end(struct onri_xnn_packing *packing, struct xnn_operator *op);
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
