/* xnn.h: what layers may know about XNNPACK. Its own header is included in this folder only.
 *
 * A layer keeps `struct onri_xnn_packed` in `prepared` (the model's, shared by all sessions) and `struct xnn_operator
 * *` in `state`: an operator holds the sizes and pointers of one run, so every plan has its own, made from the packed
 * block. Where making one is dear, plans share it (`kept`) or hand it on (`retired`): see onri_xnn_conv_resize.
 *
 *   prepare   if (onri_xnn_usable(call->env) && ...) onri_xnn_<family>_pack(...)
 *   plan      onri_xnn_<family>_plan(&state->op, &prepared->packed, ...)
 *   run       onri_xnn_<family>_run(state->op, ...)
 *   release   onri_xnn_delete(state->op), onri_xnn_packed_release(&prepared->packed, env)
 *
 * Headers of this folder declare their functions with ONRI_XNN. In a build without XNNPACK they become inline functions
 * that fail, and onri_xnn_usable() is 0, so layers need no #ifdef. */
#ifndef ONRI_XNN_H
#define ONRI_XNN_H

#include "base/env.h"

enum { ONRI_XNN_PROVIDER_BYTES = 64 };
/* Weights in the order the micro-kernels read them. Zeroed: none. The memory is the model's. It stays where it is:
 * operators hold its address. */
struct onri_xnn_packed {
  void *data;
  size_t bytes;
  _Alignas(sizeof(void *)) unsigned char provider[ONRI_XNN_PROVIDER_BYTES]; /* a cache that knows this block */
};

struct xnn_operator;

/* XNNPACK's operators run to their end, whatever the cancel flag says: work of more multiply-adds is given to them in
 * pieces. They take some 20 ms for so many, and several times that on small processors. */
static inline int64_t onri_xnn_most_steps(const struct onr_env *env) {
  return env->most_steps ? env->most_steps : (int64_t)1 << 30;
}

#ifdef ONNXRUN_HAVE_XNNPACK

#define ONRI_XNN(prototype) enum onr_status prototype;

/* True when env asks for tuned kernels and XNNPACK knows this processor. Any thread, any number of times. */
int onri_xnn_usable(const struct onr_env *env);
/* Accepts NULL. */
void onri_xnn_delete(struct xnn_operator *op);

#else

#define ONRI_XNN(prototype)                                                                              \
  _Pragma("GCC diagnostic push")                                                                         \
      _Pragma("GCC diagnostic ignored \"-Wunused-parameter\"") static inline enum onr_status prototype { \
        return ONR_STATUS_UNSUPPORTED;                                                                   \
      }                                                                                                  \
  _Pragma("GCC diagnostic pop")

static inline int onri_xnn_usable(const struct onr_env *env) {
  (void)env;
  return 0;
}
static inline void onri_xnn_delete(struct xnn_operator *op) { (void)op; }

#endif

/* Safe on a zeroed struct, and twice. */
static inline void onri_xnn_packed_release(struct onri_xnn_packed *packed, struct onr_env *env) {
  onr_env_release(env, packed->data);
  packed->data = NULL;
  packed->bytes = 0;
}

#endif
