/* scratch.c: see operands.h. */
#include "layers/elementwise/scratch.h"
#include "kernels/convert/convert.h"

#include <stdatomic.h>

#include "base/numbers/checked.h"
#include "base/services.h"
#include "base/shape.h"
#include "kernels/elementwise/vecmath.h"

size_t onri_scratch_take(struct onr_call *call, size_t bytes) {
  const size_t at = call->scratch_bytes;
  size_t end;
  if (!onri_add_size(at, bytes, &end) || !onri_add_size(end, ONR_SLACK_BYTES, &end) || !onri_round_up(end, 64, &end))
    end = SIZE_MAX;
  call->scratch_bytes = end;
  return at;
}

size_t onri_size_of(const size_t *sizes, size_t count) {
  size_t product = 1;
  for (size_t i = 0; i < count; i++)
    if (!onri_mul_size(product, sizes[i], &product)) return SIZE_MAX;
  return product;
}

size_t onri_class_bytes(const struct onr_desc *desc) {
  const size_t sizes[] = {(size_t)onr_desc_elements(desc), onri_class_size(onri_dtype_class(desc->dtype))};
  return onri_size_of(sizes, 2);
}

struct conversion {
  enum onr_dtype dtype;
  const char *from;
  char *to;
  size_t from_size, to_size;
  int store;
};

static void convert_part(void *context, size_t begin, size_t end) {
  const struct conversion *c = context;
  const char *from = c->from + begin * c->from_size;
  char *to = c->to + begin * c->to_size;
  if (c->store) onri_narrow(c->dtype, from, end - begin, to);
  else onri_widen(c->dtype, from, end - begin, to);
}

void onri_convert(struct onr_env *env, enum onr_dtype dtype, const void *from, void *to, size_t count, int store) {
  if (!ONRI_CONVERTS) return;
  const size_t outside = onr_dtype_size(dtype), inside = onri_class_size(onri_dtype_class(dtype));
  struct conversion c = {dtype, from, to, store ? inside : outside, store ? outside : inside, store};
  onr_parallel_for(env, count, 16384, convert_part, &c);
}

const void *onri_converted_input(struct onr_call *call, size_t i, size_t at) {
  if (!onri_has(call, i)) return NULL;
  if (onri_is_native(call->in[i].dtype)) return call->inputs[i];
  void *to = (char *)call->scratch + at;
  onri_convert(call->env, call->in[i].dtype, call->inputs[i], to, (size_t)onr_desc_elements(&call->in[i]), 0);
  return to;
}

enum onr_status onri_known_bytes(struct onr_call *call, size_t input, size_t count, int32_t **values, size_t *step) {
  const void *data;
  *values = NULL, *step = 0;
  if (!onri_has(call, input) || !call->inputs[input]) return ONR_STATUS_OK;
  const size_t found = (size_t)onr_desc_elements(&call->in[input]);
  if (found != 1 && found != count) return ONR_STATUS_OK;
  ONR_TRY(onri_call_contents(call, input, &data));
  *values = onr_env_allocate(call->env, found * sizeof(**values));
  if (!*values) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for %zu zero points", found);
  for (size_t i = 0; i < found; i++) (*values)[i] = onri_value8(call->in[input].dtype, data, i);
  *step = found > 1;
  return ONR_STATUS_OK;
}

enum onr_status onri_late_read(struct onr_call *call, struct onri_late *late) {
  const void *data;
  if (late->values) return ONR_STATUS_OK;
  ONR_TRY(onri_call_contents(call, late->input, &data));
  if (!data) return ONR_STATUS_OK;
  const struct onr_desc *desc = &call->in[late->input];
  if (!ONRI_CONVERTS || desc->dtype == ONR_DTYPE_F32 || desc->dtype == ONR_DTYPE_F64) {
    late->values = data;
    return ONR_STATUS_OK;
  }
  const size_t count = (size_t)onr_desc_elements(desc);
  late->owned = onr_env_allocate(call->env, count * sizeof(float) + 1);
  if (!late->owned) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for %zu weights", count);
  onri_widen(desc->dtype, data, count, late->owned);
  late->values = late->owned;
  return ONR_STATUS_OK;
}

void onri_late_release(struct onri_late *late, struct onr_env *env) {
  onr_env_release(env, late->owned);
  late->owned = NULL;
}

struct search {
  const float *x;
  atomic_int found; /* a NaN or an infinity */
};

static void search_range(void *context, size_t begin, size_t end) {
  struct search *s = context;
  if (!onri_all_finite_f32(s->x + begin, end - begin)) atomic_store_explicit(&s->found, 1, memory_order_relaxed);
}

int onri_all_finite(struct onr_env *env, const float *x, size_t count) {
  struct search search = {.x = x};
  onr_parallel_for(env, count, 1 << 14, search_range, &search);
  return !atomic_load_explicit(&search.found, memory_order_relaxed);
}
