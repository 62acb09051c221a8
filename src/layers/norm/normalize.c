/* normalize.c: see normalize.h. */
#include "layers/norm/normalize.h"

#include "kernels/convert/convert.h"
#include "base/shape.h"

enum onr_status onri_normalize_check(const struct onr_call *call, const struct onr_desc *entries) {
  for (size_t i = 1; i <= 2; i++) {
    struct onr_desc result;
    if (!onri_has(call, i)) continue;
    ONR_TRY(onri_broadcast(entries, &call->in[i], &result, call->error));
    result.dtype = entries->dtype;
    if (!onr_desc_equal(&result, entries)) {
      char text[96], expected[96];
      return onr_fail(call->error, ONR_STATUS_SHAPE, "expected input %zu to broadcast to %s, found %s", i,
                      onr_desc_format(entries, expected, sizeof(expected)),
                      onr_desc_format(&call->in[i], text, sizeof(text)));
    }
  }
  return ONR_STATUS_OK;
}

/* Used where it lies: the right type and nothing to repeat. */
static int direct(const struct onr_call *call, size_t i, const struct onr_desc *entries) {
  const enum onr_dtype wanted = call->in[0].dtype == ONR_DTYPE_F64 ? ONR_DTYPE_F64 : ONR_DTYPE_F32;
  return call->in[i].dtype == wanted && onr_desc_elements(&call->in[i]) == onr_desc_elements(entries);
}

static size_t plan_entries(struct onr_call *call, size_t i, const struct onr_desc *entries) {
  const size_t at = call->scratch_bytes, size = onri_class_size(onri_dtype_class(call->in[0].dtype));
  if (onri_has(call, i) && !direct(call, i, entries))
    call->scratch_bytes += ((size_t)onr_desc_elements(entries) * size + 63) / 64 * 64;
  return at;
}

void onri_normalize_plan(struct onr_call *call, struct onri_normalize_state *state) {
  struct onri_normalize *n = &state->kernel;
  n->dtype = call->in[0].dtype;
  n->y_dtype = call->out[0].dtype;
  if (n->slices.rank == 0) n->slices.count = 1;
  if (n->rows.rank == 0) n->rows.count = 1;
  onri_normalize_merge(n);
  const size_t slice = n->rows.count * n->run * (n->turned > 0 ? n->slices.count / n->turned : n->merge);
  state->grain = slice == 0 || slice >= 8192 ? 1 : 8192 / slice;
  state->scale_at = plan_entries(call, 1, &state->entries);
  state->bias_at = plan_entries(call, 2, &state->entries);
}

static const void *read_entries(struct onr_call *call, size_t i, const struct onr_desc *entries, size_t at) {
  if (!onri_has(call, i)) return NULL;
  if (direct(call, i, entries)) return call->inputs[i];
  const struct onr_desc *desc = &call->in[i];
  const size_t size = onr_dtype_size(desc->dtype), count = (size_t)onr_desc_elements(entries);
  const enum onri_class class = onri_dtype_class(call->in[0].dtype);
  char *to = (char *)call->scratch + at;
  struct onri_dims dims = {0};
  int64_t strides[ONR_MAX_RANK];
  onri_broadcast_strides(desc, entries, strides);
  for (int32_t d = 0; d < entries->rank; d++) onri_dims_add(&dims, entries->dim[d], strides[d]);
  for (size_t e = 0; e < count; e++)
    onri_widen_as(desc->dtype, (const char *)call->inputs[i] + onri_dims_offset(&dims, e) * size, 1, class,
                  to + e * onri_class_size(class));
  return to;
}

static void normalize_items(void *context, size_t begin, size_t end) { onri_normalize(context, begin, end); }

void onri_normalize_run(struct onr_call *call, struct onri_normalize_state *state) {
  struct onri_normalize *n = &state->kernel;
  n->env = call->env;
  n->x = call->inputs[0];
  n->y = call->outputs[0];
  n->scale = read_entries(call, 1, &state->entries, state->scale_at);
  n->bias = read_entries(call, 2, &state->entries, state->bias_at);
  n->mean = call->num_out > 1 ? call->outputs[1] : NULL;
  n->inverse = call->num_out > 2 ? call->outputs[2] : NULL;
  onr_parallel_for(call->env, onri_normalize_items(n), state->grain, normalize_items, n);
}
