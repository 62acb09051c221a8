/* fence.c: in a build that AddressSanitizer watches, a step may touch its inputs, outputs and scratch alone; the rest
 * of the segment's block is closed to it. Without that the values of a segment are one piece of memory, and nobody sees
 * who reads or writes beside his own. */
#include "exec/plan.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__has_feature)
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define CLOSE(memory, bytes) ASAN_POISON_MEMORY_REGION(memory, bytes)
#define OPEN(memory, bytes) ASAN_UNPOISON_MEMORY_REGION(memory, bytes)
#endif
#endif
#ifndef CLOSE
#define CLOSE(memory, bytes) (void)(memory), (void)(bytes)
#define OPEN(memory, bytes) (void)(memory), (void)(bytes)
#endif

void onri_fence_open(const struct onri_workspace *space) {
  for (size_t s = 0; s < space->num_blocks; s++) OPEN(space->blocks[s].data, space->blocks[s].bytes);
}

void onri_fence_close(const struct onri_workspace *space, const struct onri_step *step) {
  const struct onr_call *call = &step->call;
  const size_t slack = onri_step_overreads(step) ? ONR_SLACK_BYTES : 0;
  for (size_t s = 0; s < space->num_blocks; s++) CLOSE(space->blocks[s].data, space->blocks[s].bytes);
  for (size_t i = 0; i < call->num_in; i++)
    if (call->inputs[i]) OPEN(call->inputs[i], onr_desc_bytes(&call->in[i]) + slack);
  for (size_t i = 0; i < call->num_out; i++)
    if (call->outputs[i]) OPEN(call->outputs[i], onr_desc_bytes(&call->out[i]));
  if (call->scratch_bytes) OPEN(call->scratch, call->scratch_bytes + slack);
}
