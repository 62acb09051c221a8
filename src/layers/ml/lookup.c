/* lookup.c: each element becomes the value that a table has for it. The keys are sorted once. */
#include "base/numbers/convert.h"
#include "base/shape.h"
#include "layers/index/indices.h"
#include "layers/layers.h"
#include "layers/index/sorted_keys.h"

enum { X, KEYS, VALUES, UNKNOWN, UNKNOWN_VALUE, BLOCK = 64 };

static int two_way(const struct onr_call *call) { return call->num_in > UNKNOWN_VALUE; }

/* Whether x holds values, and keys are wanted. */
static int reversed(const struct onr_call *call) { return two_way(call) && call->in[X].dtype != call->in[KEYS].dtype; }

/* Input i is a list of what can be put in order. */
static enum onr_status check_list(const struct onr_call *call, size_t i) {
  const enum onr_dtype dtype = call->in[i].dtype;
  if (dtype != ONR_DTYPE_STRING && onri_dtype_class(dtype) == ONRI_CLASS_NONE)
    return onr_fail(call->error, ONR_STATUS_TYPE, "a table cannot be searched for %s", onr_dtype_name(dtype));
  return onri_expect_rank(call, i, 1, 1);
}

static enum onr_status lookup_infer(struct onr_call *call) {
  const size_t from = reversed(call) ? VALUES : KEYS, to = reversed(call) ? KEYS : VALUES;
  ONR_TRY(check_list(call, from));
  ONR_TRY(onri_expect_same_dtype(call, from, X)); /* keys or values, by the type of x: no rule of a table */
  ONR_TRY(onri_expect_rank(call, KEYS, 1, 1));
  ONR_TRY(onri_expect_rank(call, VALUES, 1, 1));
  for (size_t i = UNKNOWN; i < call->num_in; i++)
    if (call->in[KEYS].dim[0] != call->in[VALUES].dim[0] || onr_desc_elements(&call->in[i]) != 1)
      return onr_fail(call->error, ONR_STATUS_SHAPE,
                      "%lld keys with %lld values and %lld defaults: expected as many values and one default",
                      (long long)call->in[KEYS].dim[0], (long long)call->in[VALUES].dim[0],
                      (long long)onr_desc_elements(&call->in[i]));
  call->out[0] = call->in[X];
  call->out[0].dtype = call->in[to].dtype;
  return ONR_STATUS_OK;
}

struct lookup_tables {
  struct onri_sorted_keys keys, values; /* values when they are searched, too */
};

static enum onr_status sort_list(struct onr_call *call, size_t input, struct onri_sorted_keys *sorted) {
  const struct onr_desc *list = &call->in[input];
  if (!call->inputs[input])
    return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "the keys and values of a table must be constants");
  ONR_TRY(check_list(call, input));
  return onri_sorted_keys_make(sorted, list->dtype, call->inputs[input], (size_t)onr_desc_elements(list), call->env,
                               call->error);
}

static enum onr_status lookup_prepare(struct onr_call *call) {
  struct lookup_tables *tables = call->prepared;
  ONR_TRY(sort_list(call, KEYS, &tables->keys));
  return two_way(call) ? sort_list(call, VALUES, &tables->values) : ONR_STATUS_OK;
}

static void lookup_release(void *prepared, struct onr_env *env) {
  struct lookup_tables *tables = prepared;
  onri_sorted_keys_release(&tables->keys, env);
  onri_sorted_keys_release(&tables->values, env);
}

static void lookup_part(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const struct lookup_tables *tables = call->prepared;
  const int back = reversed(call);
  const char *x = call->inputs[X], *values = call->inputs[back ? KEYS : VALUES];
  const void *unknown = call->inputs[back ? UNKNOWN_VALUE : UNKNOWN];
  const size_t x_size = onr_dtype_size(call->in[X].dtype), size = onr_dtype_size(call->out[0].dtype);
  int64_t positions[BLOCK];
  for (size_t first = begin; first < end; first += BLOCK) {
    const size_t n = end - first < BLOCK ? end - first : BLOCK;
    onri_sorted_keys_find(back ? &tables->values : &tables->keys, x + first * x_size, n, positions);
    for (size_t i = 0; i < n; i++)
      onri_copy_element((char *)call->outputs[0] + (first + i) * size,
                        positions[i] < 0 ? unknown : values + (size_t)positions[i] * size, size);
  }
}

static enum onr_status lookup_run(struct onr_call *call) {
  onr_parallel_for(call->env, (size_t)onr_desc_elements(&call->in[X]), 1024, lookup_part, call);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_lookup = {
    .name = "lookup",
    .inputs_min = 4,
    .inputs_max = 5,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {0, 0, 0, ONR_AS_INPUT(2), ONR_AS_INPUT(1)},
    .prepared_size = sizeof(struct lookup_tables),
    .infer = lookup_infer,
    .prepare = lookup_prepare,
    .run = lookup_run,
    .release_prepared = lookup_release,
};
