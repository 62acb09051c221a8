/* budget.c: how many operations a run may take, and how many it still may. */
#include "exec/workspace.h"

#include "base/numbers/checked.h"

/* What bytes of a model and of its inputs deserve; see struct onr_limits. */
static uint64_t deserved(uint64_t weights, uint64_t inputs) {
  uint64_t pairs, bytes, sum;
  if (!onri_mul_u64(weights, inputs, &pairs) || !onri_add_u64(weights, inputs, &bytes) ||
      !onri_mul_u64(bytes, ONRI_WORK_BYTE, &bytes) || !onri_add_u64(pairs, bytes, &sum) ||
      !onri_add_u64(sum, ONRI_WORK, &sum))
    return UINT64_MAX;
  return sum;
}

void onri_run_measure(struct onri_run *run, const struct onr_tensor *inputs, size_t count) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < count; i++) bytes += onr_desc_bytes(&inputs[i].desc); /* the caller's memory: the sum fits */
  run->work = run->work_limit ? run->work_limit : deserved(run->constant_bytes, bytes);
}

static enum onr_status too_much(const struct onri_run *run, uint64_t operations, struct onr_error *error) {
  return onr_fail(error, ONR_STATUS_LIMIT,
                  "a run takes %.3g operations or more; the limit work is %.3g for weights and inputs of this size "
                  "(onr_limits.work, --limit work=N sets it)",
                  (double)operations, (double)run->work);
}

enum onr_status onri_run_allows(const struct onri_run *run, uint64_t operations, struct onr_error *error) {
  return operations <= run->work ? ONR_STATUS_OK : too_much(run, operations, error);
}

enum onr_status onri_run_spend(struct onri_run *run, uint64_t operations, struct onr_error *error) {
  uint64_t sum;
  if (!onri_add_u64(run->work_done, operations, &sum)) sum = UINT64_MAX;
  if (sum > run->work) return too_much(run, sum, error);
  run->work_done = sum;
  return ONR_STATUS_OK;
}
