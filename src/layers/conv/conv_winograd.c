/* conv_winograd.c: see conv_winograd.h. */
#include "layers/conv/conv_winograd.h"

#include "base/env.h"
#include "base/memory/blocks.h"
#include "layers/elementwise/widened.h"

enum onr_status onri_conv_winograd_prepare(struct onr_call *call, const struct onri_conv *c, const float *weight,
                                           struct onri_conv_winograd *prepared) {
  size_t bytes;
  if (!onri_winograd_choose(c, &prepared->how) || !onri_winograd_packed_bytes(c, &prepared->how, &bytes))
    return ONR_STATUS_OK;
  prepared->weights = onri_block_begin(call->env, bytes);
  if (!prepared->weights)
    return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
  if (onri_winograd_pack(c, &prepared->how, weight, prepared->weights, call->env)) {
    prepared->weights = onri_block_end(call->env, prepared->weights, bytes);
  } else {
    onr_env_release(call->env, prepared->weights);
    prepared->weights = NULL;
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_conv_winograd_plan(struct onr_call *call, const struct onri_conv *c,
                                        const struct onri_conv_winograd *prepared, struct onri_winograd_plan *plan,
                                        size_t *scratch) {
  size_t bytes;
  if (!onri_winograd_plan(c, &prepared->how, onr_threads_count(call->env->threads), plan, &bytes)) bytes = SIZE_MAX;
  return onri_scratch_reserve(call, bytes, scratch);
}
