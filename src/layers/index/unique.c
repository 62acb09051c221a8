/* unique.c: the different elements of x, or the different slices along an axis.
 *
 * outputs  0 the values; 1 where each stands first; 2 for each item of x the number of its value; 3 how often each
 * occurs Items are sorted by their elements' order keys (strings: by bytes; complex numbers: by their two parts),
 * stably, so that the first of equal ones is the one that stands first in x; then groups are numbered in sorted order
 * or in order of first appearance. */
#include <string.h>

#include "base/numbers/checked.h"
#include "base/numbers/convert.h"
#include "base/env.h"
#include "base/shape.h"
#include "kernels/index/sort.h"
#include "layers/index/indices.h"
#include "layers/layers.h"

/* x as [outer][count][inner]; item i is everything at [][i][]. */
struct items {
  size_t outer, count, inner; /* of parts of elements */
  int32_t axis;
  const uint64_t *keys;
  const struct onr_string *strings;
};

static enum onr_status items_of(const struct onr_call *call, struct items *items) {
  const struct onr_unique_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  *items = (struct items){.outer = 1, .count = (size_t)onr_desc_elements(x), .inner = onri_dtype_parts(x->dtype)};
  if (p->flat) return ONR_STATUS_OK;
  ONR_TRY(onri_axis_resolve(p->axis, x->rank, &items->axis, call->error));
  items->outer = (size_t)onri_product(x, 0, items->axis);
  items->count = (size_t)x->dim[items->axis];
  items->inner *= (size_t)onri_product(x, items->axis + 1, x->rank);
  return ONR_STATUS_OK;
}

static void values_desc(const struct onr_call *call, const struct items *items, int64_t found, struct onr_desc *desc) {
  const struct onr_unique_params *p = call->params;
  *desc = p->flat ? onr_desc_make(call->in[0].dtype, 1, &found) : call->in[0];
  if (!p->flat) desc->dim[items->axis] = found;
}

static enum onr_status unique_infer(struct onr_call *call) {
  const struct onr_unique_params *p = call->params;
  struct items items;
  if (!p->flat) ONR_TRY(onri_expect_rank(call, 0, 1, ONR_MAX_RANK));
  ONR_TRY(items_of(call, &items));
  const int64_t count = (int64_t)items.count;
  struct onr_desc values;
  values_desc(call, &items, count, &values);
  call->out[0] = values;
  for (size_t i = 1; i < call->num_out; i++) call->out[i] = onr_desc_make(ONR_DTYPE_I64, 1, &count);
  return ONR_STATUS_OK;
}

/* Scratch: keys of all elements, then five lists of one number an item. */
static enum onr_status unique_plan(struct onr_call *call) {
  struct items items;
  size_t total, lists;
  const size_t key = sizeof(uint64_t) * onri_dtype_parts(call->in[0].dtype);
  ONR_TRY(items_of(call, &items));
  if (!onri_mul_size((size_t)onr_desc_elements(&call->in[0]), key, &total) ||
      !onri_mul_size(items.count, 5 * sizeof(int64_t), &lists) || !onri_add_size(total, lists, &call->scratch_bytes))
    return onr_fail(call->error, ONR_STATUS_LIMIT, "the scratch memory of unique exceeds the address space");
  if (call->scratch_bytes == 0) call->scratch_bytes = 1; /* of nothing: its parts have addresses all the same */
  return ONR_STATUS_OK;
}

static int compare_strings(const struct onr_string *a, const struct onr_string *b) {
  const size_t shorter = a->length < b->length ? a->length : b->length;
  const int order = shorter > 0 ? memcmp(a->text, b->text, shorter) : 0;
  if (order != 0) return order;
  return a->length < b->length ? -1 : a->length > b->length;
}

static int compare_items(const struct items *items, int64_t a, int64_t b) {
  for (size_t o = 0; o < items->outer; o++) {
    const size_t i = (o * items->count + (size_t)a) * items->inner, j = (o * items->count + (size_t)b) * items->inner;
    for (size_t k = 0; k < items->inner; k++) {
      if (items->strings) {
        const int order = compare_strings(&items->strings[i + k], &items->strings[j + k]);
        if (order != 0) return order;
      } else if (items->keys[i + k] != items->keys[j + k]) {
        return items->keys[i + k] < items->keys[j + k] ? -1 : 1;
      }
    }
  }
  return 0;
}

static int item_less(const void *context, int64_t a, int64_t b) { return compare_items(context, a, b) < 0; }

struct groups {
  size_t found;
  int64_t *first;   /* [found] item that stands first */
  int64_t *counts;  /* [found] */
  int64_t *inverse; /* [count] group of each item */
};

/* order: items sorted. With sorted == 0 groups are renumbered by their first item, which is found by walking the items.
 */
static void make_groups(const struct items *items, const int64_t *order, int64_t *renumber, int sorted,
                        struct groups *g) {
  g->found = 0;
  for (size_t i = 0; i < items->count; i++) {
    if (i == 0 || compare_items(items, order[i - 1], order[i]) != 0) {
      g->first[g->found] = order[i];
      g->counts[g->found++] = 0;
    }
    g->counts[g->found - 1]++;
    g->inverse[order[i]] = (int64_t)g->found - 1;
  }
  if (sorted) return;
  size_t next = 0;
  for (size_t i = 0; i < g->found; i++) renumber[i] = -1;
  for (size_t i = 0; i < items->count; i++) {
    const int64_t group = g->inverse[i];
    if (renumber[group] < 0) renumber[group] = (int64_t)next++;
    g->inverse[i] = renumber[group];
  }
  memset(g->counts, 0, g->found * sizeof(*g->counts));
  for (size_t i = items->count; i-- > 0;) {
    g->counts[g->inverse[i]]++;
    g->first[g->inverse[i]] = (int64_t)i;
  }
}

static enum onr_status write_list(struct onr_call *call, size_t output, const int64_t *list, size_t count) {
  const int64_t dim = (int64_t)count;
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_I64, 1, &dim);
  void *data;
  if (output >= call->num_out) return ONR_STATUS_OK;
  ONR_TRY(onr_call_resize(call, output, &desc, &data));
  if (data && count > 0) memcpy(data, list, count * sizeof(*list));
  return ONR_STATUS_OK;
}

static enum onr_status write_values(struct onr_call *call, const struct items *items, const struct groups *g) {
  const size_t block = items->inner * onr_dtype_size(onri_dtype_part(call->in[0].dtype));
  struct onr_desc desc;
  void *data;
  values_desc(call, items, (int64_t)g->found, &desc);
  ONR_TRY(onr_call_resize(call, 0, &desc, &data));
  if (!data || onr_desc_elements(&desc) == 0) return ONR_STATUS_OK;
  for (size_t o = 0; o < items->outer; o++)
    for (size_t i = 0; i < g->found; i++)
      onri_copy_element((char *)data + (o * g->found + i) * block,
                        (const char *)call->inputs[0] + (o * items->count + (size_t)g->first[i]) * block, block);
  return ONR_STATUS_OK;
}

static enum onr_status unique_run(struct onr_call *call) {
  const struct onr_unique_params *p = call->params;
  const struct onr_desc *x = &call->in[0];
  const size_t total = (size_t)onr_desc_elements(x) * onri_dtype_parts(x->dtype);
  struct items items;
  ONR_TRY(items_of(call, &items));
  uint64_t *keys = call->scratch;
  int64_t *order = (int64_t *)(keys + total), *spare = order + items.count;
  struct groups g = {0, spare + items.count, spare + 2 * items.count, spare + 3 * items.count};
  items.keys = keys;
  if (x->dtype == ONR_DTYPE_STRING) {
    items.strings = call->inputs[0];
  } else if (total > 0) {
    onri_sort_keys(onri_dtype_part(x->dtype), call->inputs[0], total, keys, call->env);
  }
  if (items.outer * items.inner == 1 && !items.strings) {
    struct onri_sort_entry *entries = (struct onri_sort_entry *)(void *)spare; /* where the lists will be */
    for (size_t i = 0; i < items.count; i++) entries[i] = (struct onri_sort_entry){keys[i], (int64_t)i};
    (void)onri_sort_entries(entries, entries + items.count, items.count, call->env);
    for (size_t i = 0; i < items.count; i++) order[i] = entries[i].index;
  } else {
    for (size_t i = 0; i < items.count; i++) order[i] = (int64_t)i;
    onri_sort(order, spare, items.count, item_less, &items, call->env);
  }
  if (onr_env_cancelled(call->env)) return ONR_STATUS_OK;
  make_groups(&items, order, spare, p->sorted, &g);
  ONR_TRY(write_values(call, &items, &g));
  ONR_TRY(write_list(call, 1, g.first, g.found));
  ONR_TRY(write_list(call, 2, g.inverse, items.count));
  return write_list(call, 3, g.counts, g.found);
}

/* Sorting: some 25 comparisons each, of items that lie far apart, or of long ones that are equal. */
static int64_t unique_steps(const struct onr_call *call) {
  enum { ITEM = 512, ELEMENT = 32 };
  struct items items;
  if (items_of(call, &items) != ONR_STATUS_OK) return 0;
  const int64_t elements = ONRI_STEPS(onr_desc_elements(&call->in[0]), ELEMENT);
  const int64_t each = ONRI_STEPS((int64_t)items.count, ITEM);
  return elements > each ? elements : each;
}

const struct onr_layer onri_layer_unique = {
    .name = "unique",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 4,
    .output_type = ONR_AS_INPUT(0),
    .flags = ONR_LAYER_DYNAMIC,
    .params_size = sizeof(struct onr_unique_params),
    .infer = unique_infer,
    .plan = unique_plan,
    .run = unique_run,
    .steps = unique_steps,
};
