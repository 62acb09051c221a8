/* conv_winograd.c: see conv_winograd.h. */
#include "layers/conv/conv_winograd.h"

#include "base/env.h"
#include "base/memory/blocks.h"
#include "layers/elementwise/widened.h"

static const struct {
  enum onr_method method;
  int outputs;
} sizes[] = {{ONR_METHOD_WINOGRAD_2, 2}, {ONR_METHOD_WINOGRAD_4, 4}, {ONR_METHOD_WINOGRAD_6, 6}};
enum { NUM_SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static int forced_outputs(enum onr_method method) {
  for (int i = 0; i < NUM_SIZES; i++)
    if (sizes[i].method == method) return sizes[i].outputs;
  return 0;
}

enum onr_method onri_conv_winograd_method(const struct onri_conv_winograd *prepared) {
  const int32_t *outputs = prepared->how.outputs;
  for (int i = 0; i < NUM_SIZES; i++)
    if (sizes[i].outputs == (outputs[1] > 1 ? outputs[1] : outputs[2])) return sizes[i].method;
  return ONR_METHOD_RULE;
}

enum onr_status onri_conv_winograd_prepare(struct onr_call *call, const struct onri_conv *c, struct onri_late *weight,
                                           struct onri_conv_winograd *prepared) {
  uint64_t finite;
  size_t bytes;
  if (!onri_winograd_choose(c, forced_outputs(call->env->method), &prepared->how) ||
      !onri_winograd_packed_bytes(c, &prepared->how, &bytes))
    return ONR_STATUS_OK;
  onri_env_tell_part(call->env, "winograd");
  if (onri_block_answer(call->env, &finite)) {
    if (finite) prepared->weights = onri_block_recall(call->env, bytes);
    if (prepared->weights || !finite) return ONR_STATUS_OK;
  }
  ONR_TRY(onri_late_read(call, weight));
  prepared->weights = onri_block_begin(call->env, bytes);
  if (!prepared->weights)
    return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for the weights of a convolution");
  finite = (uint64_t)onri_winograd_pack(c, &prepared->how, weight->values, prepared->weights, call->env);
  onri_block_tell(call->env, finite);
  if (finite) {
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
