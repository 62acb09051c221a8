/* lookup.c: each element becomes the value that a table has for it. The keys are sorted once. */
#include <string.h>

#include "base/convert.h"
#include "base/shape.h"
#include "kernels/order.h"
#include "layers/indices.h"
#include "layers/layers.h"

enum { X, KEYS, VALUES, UNKNOWN, UNKNOWN_VALUE, BLOCK = 64 };

static int two_way(const struct onr_call *call) { return call->num_in > UNKNOWN_VALUE; }

/* Whether x holds values, and keys are wanted. */
static int reversed(const struct onr_call *call) { return two_way(call) && call->in[X].dtype != call->in[KEYS].dtype; }

static enum onr_status lookup_infer(struct onr_call *call) {
  const enum onr_dtype dtype = call->in[X].dtype;
  const size_t from = reversed(call) ? VALUES : KEYS, to = reversed(call) ? KEYS : VALUES;
  if (dtype != ONR_DTYPE_STRING && onri_dtype_class(dtype) == ONRI_CLASS_NONE)
    return onr_fail(call->error, ONR_STATUS_TYPE, "a table cannot be searched for %s", onr_dtype_name(dtype));
  ONR_TRY(onri_expect_same_dtype(call, from, X));
  ONR_TRY(onri_expect_tensor(call, VALUES));
  ONR_TRY(onri_expect_same_dtype(call, UNKNOWN, VALUES));
  if (two_way(call)) ONR_TRY(onri_expect_same_dtype(call, UNKNOWN_VALUE, KEYS));
  ONR_TRY(onri_expect_rank(call, KEYS, 1, 1));
  ONR_TRY(onri_expect_rank(call, VALUES, 1, 1));
  for (size_t i = UNKNOWN; i < call->num_in; i++)
    if (call->in[KEYS].dim[0] != call->in[VALUES].dim[0] || onr_desc_elements(&call->in[i]) != 1)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "%lld keys with %lld values and %lld defaults: expected as many values and one default",
                      (long long)call->in[KEYS].dim[0], (long long)call->in[VALUES].dim[0], (long long)onr_desc_elements(&call->in[i]));
  call->out[0] = call->in[X];
  call->out[0].dtype = call->in[to].dtype;
  return ONR_STATUS_OK;
}

/* --- the sorted keys --- */

struct sorted {
  int64_t *order;    /* positions in the list */
  uint64_t *numbers; /* order keys of numbers, in that order; NULL for strings */
};

struct lookup_tables {
  struct sorted keys, values; /* values when they are searched, too */
};

static int compare(const struct onr_string *a, const struct onr_string *b) {
  const size_t common = a->length < b->length ? a->length : b->length;
  const int order = common == 0 ? 0 : memcmp(a->text, b->text, common);
  return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static int string_less(const void *context, int64_t a, int64_t b) {
  const struct onr_string *strings = context;
  return compare(&strings[a], &strings[b]) < 0;
}

static int number_less(const void *context, int64_t a, int64_t b) {
  const uint64_t *numbers = context;
  return numbers[a] < numbers[b];
}

static enum onr_status sort_list(struct onr_call *call, size_t input, struct sorted *sorted) {
  const void *list = call->inputs[input];
  const enum onr_dtype dtype = call->in[input].dtype;
  const size_t n = (size_t)onr_desc_elements(&call->in[input]);
  if (list == NULL && n > 0) return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "the keys and values of a table must be constants");
  int64_t *other = onr_env_allocate(call->env, n * sizeof *other);
  uint64_t *numbers = onr_env_allocate(call->env, n * sizeof *numbers);
  sorted->order = onr_env_allocate(call->env, n * sizeof *sorted->order);
  if (dtype != ONR_DTYPE_STRING) sorted->numbers = onr_env_allocate(call->env, n * sizeof *sorted->numbers);
  const int ok = other && numbers && sorted->order && (sorted->numbers || dtype == ONR_DTYPE_STRING);
  if (ok) {
    for (size_t i = 0; i < n; i++) sorted->order[i] = (int64_t)i;
    if (sorted->numbers) onri_order_keys(dtype, list, n, numbers);
    if (sorted->numbers) onri_sort(sorted->order, other, n, number_less, numbers);
    else onri_sort(sorted->order, other, n, string_less, list);
    for (size_t i = 0; sorted->numbers && i < n; i++) sorted->numbers[i] = numbers[sorted->order[i]];
  }
  onr_env_release(call->env, numbers);
  onr_env_release(call->env, other);
  return ok ? ONR_STATUS_OK : onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for a table of %zu keys", n);
}

static enum onr_status lookup_prepare(struct onr_call *call) {
  struct lookup_tables *tables = call->prepared;
  ONR_TRY(sort_list(call, KEYS, &tables->keys));
  return two_way(call) ? sort_list(call, VALUES, &tables->values) : ONR_STATUS_OK;
}

static void lookup_release(void *prepared, struct onr_env *env) {
  struct lookup_tables *tables = prepared;
  onr_env_release(env, tables->keys.order);
  onr_env_release(env, tables->keys.numbers);
  onr_env_release(env, tables->values.order);
  onr_env_release(env, tables->values.numbers);
}

/* --- searching --- */

struct lookup_job {
  const struct onr_call *call;
  const struct sorted *sorted;
  const void *keys, *values, *unknown;
  size_t count; /* of keys */
};

/* Position of the last key that equals x; -1: none. */
static int64_t last_string(const struct lookup_job *job, const struct onr_string *x) {
  const struct onr_string *keys = job->keys;
  size_t low = 0, high = job->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (compare(&keys[job->sorted->order[middle]], x) <= 0) low = middle + 1;
    else high = middle;
  }
  return low > 0 && compare(&keys[job->sorted->order[low - 1]], x) == 0 ? job->sorted->order[low - 1] : -1;
}

static int64_t last_number(const struct lookup_job *job, uint64_t x) {
  const uint64_t *numbers = job->sorted->numbers;
  size_t low = 0, high = job->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (numbers[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low > 0 && numbers[low - 1] == x ? job->sorted->order[low - 1] : -1;
}

static void lookup_part(void *context, size_t begin, size_t end) {
  const struct lookup_job *job = context;
  const enum onr_dtype dtype = job->call->in[X].dtype;
  const size_t size = onr_dtype_size(job->call->out[0].dtype);
  const char *x = job->call->inputs[X];
  uint64_t numbers[BLOCK];
  for (size_t first = begin; first < end; first += BLOCK) {
    const size_t n = end - first < BLOCK ? end - first : BLOCK;
    if (dtype != ONR_DTYPE_STRING) onri_order_keys(dtype, x + first * onr_dtype_size(dtype), n, numbers);
    for (size_t i = 0; i < n; i++) {
      const int64_t at = dtype == ONR_DTYPE_STRING ? last_string(job, (const struct onr_string *)(const void *)x + first + i) : last_number(job, numbers[i]);
      const void *value = at < 0 ? job->unknown : (const char *)job->values + (size_t)at * size;
      onri_copy_element((char *)job->call->outputs[0] + (first + i) * size, value, size);
    }
  }
}

static enum onr_status lookup_run(struct onr_call *call) {
  const struct lookup_tables *tables = call->prepared;
  const int back = reversed(call);
  const struct lookup_job job = {call, back ? &tables->values : &tables->keys, call->inputs[back ? VALUES : KEYS],
                                 call->inputs[back ? KEYS : VALUES], call->inputs[back ? UNKNOWN_VALUE : UNKNOWN],
                                 (size_t)call->in[KEYS].dim[0]};
  onr_parallel_for(call->env, (size_t)onr_desc_elements(&call->in[X]), 1024, lookup_part, (void *)(uintptr_t)&job);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_lookup = {
    .name = "lookup",
    .inputs_min = 4, .inputs_max = 5, .outputs_min = 1, .outputs_max = 1,
    .prepared_size = sizeof(struct lookup_tables),
    .infer = lookup_infer, .prepare = lookup_prepare, .run = lookup_run, .release_prepared = lookup_release,
};
