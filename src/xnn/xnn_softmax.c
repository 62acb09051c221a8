/* xnn_softmax.c: see xnn_softmax.h. */
#include "xnn/xnn_softmax.h"

#include "xnn/core.h"

struct softmax {
  size_t rows, channels;
};

static enum xnn_status create(const void *spec, const void *weights, const void *bias,
                              struct xnn_weights_cache_provider *cache, struct xnn_operator **op) {
  (void)spec, (void)weights, (void)bias, (void)cache;
  return xnn_create_softmax_nc_f32(0, op);
}

static enum xnn_status reshape(struct xnn_operator *op, const void *spec, size_t *scratch_bytes,
                               struct pthreadpool *threads) {
  const struct softmax *s = spec;
  (void)scratch_bytes;
  return xnn_reshape_softmax_nc_f32(op, s->channels, s->channels, s->channels, s->rows, threads);
}

static enum xnn_status setup(struct xnn_operator *op, const struct onri_xnn_pointers *at) {
  return xnn_setup_softmax_nc_f32(op, at->a, at->y);
}

static const struct onri_xnn_family softmax = {"softmax", create, reshape, setup, NULL, NULL, 0};

/* An operator runs to its end, whatever the cancel flag says. More than this takes longer than some 20 ms, and our own
 * kernels, which look at the flag, are as fast. */
#define MOST_SOFTMAX ((size_t)1 << 23)

enum onr_status onri_xnn_softmax_check(size_t rows, size_t channels) {
  ONR_TRY(onri_xnn_sizes_check((size_t[]){rows, channels}, 2));
  return rows * channels <= MOST_SOFTMAX ? ONR_STATUS_OK : ONR_STATUS_UNSUPPORTED;
}

enum onr_status onri_xnn_softmax_plan(struct xnn_operator **op, size_t rows, size_t channels, struct onr_env *env,
                                      struct onr_error *error) {
  size_t none;
  return onri_xnn_plan(&softmax, op, NULL, &(struct softmax){rows, channels}, 0, &none, env, error);
}

enum onr_status onri_xnn_softmax_run(struct xnn_operator *op, const float *x, float *y, struct onr_env *env,
                                     struct onr_error *error) {
  return onri_xnn_run(&softmax, op, &(struct onri_xnn_pointers){.a = x, .y = y}, env, error);
}
