/* step_values.c: an output of a node that has just run, laid out as the file has it. */
#include "step_values.h"

#include <stdlib.h>
#include <string.h>

/* The memory of x, whose dimension i is dimension order[i] of the result. NULL: out of memory. */
static void *reorder(const struct onr_tensor *x, const uint8_t *order, struct onr_desc *desc) {
  const size_t size = onr_dtype_size(x->desc.dtype);
  const int64_t count = onr_desc_elements(&x->desc);
  char *target = malloc(onr_desc_bytes(&x->desc) + 1);
  int64_t strides[ONR_MAX_RANK], index[ONR_MAX_RANK] = {0}, stride = 1, at = 0;
  *desc = x->desc;
  for (int32_t d = 0; d < x->desc.rank; d++) desc->dim[order[d]] = x->desc.dim[d];
  for (int32_t d = x->desc.rank; d-- > 0; stride *= desc->dim[d]) strides[d] = stride;
  for (int64_t i = 0; target && i < count; i++) {
    memcpy(target + (size_t)at * size, (const char *)x->data + (size_t)i * size, size);
    for (int32_t d = x->desc.rank; d-- > 0;) {
      at += strides[order[d]];
      if (++index[d] < x->desc.dim[d]) break;
      at -= strides[order[d]] * x->desc.dim[d];
      index[d] = 0;
    }
  }
  return target;
}

/* "x", "x#2" */
static char *key_of(const char *name, unsigned turn) {
  const size_t size = strlen(name) + 16;
  char *key = malloc(size);
  if (key && turn == 1) snprintf(key, size, "%s", name);
  else if (key) snprintf(key, size, "%s#%u", name, turn);
  return key;
}

int step_value(struct step_counts *counts, const struct onr_node_run *run, size_t i, struct step_value *value) {
  struct onr_operand o = {.size = sizeof(o)};
  *value = (struct step_value){.copy = NULL};
  if (onr_node_run_output(run, i, &o) != ONR_STATUS_OK || !o.name[0]) return 0;
  if (!o.tensor.data && onr_desc_bytes(&o.tensor.desc)) return 0;
  if (grow((void **)&counts->written, &counts->capacity, o.value + 1, sizeof(*counts->written)))
    value->key = key_of(o.name, ++counts->written[o.value]);
  value->tensor = o.tensor;
  if (o.order) value->tensor.data = value->copy = reorder(&o.tensor, o.order, &value->tensor.desc);
  if (value->key && (!o.order || value->copy)) return 1;
  counts->no_memory = 1;
  step_value_clear(value);
  return 0;
}

void step_value_clear(struct step_value *value) {
  free(value->copy);
  free(value->key);
  *value = (struct step_value){.copy = NULL};
}

void step_counts_clear(struct step_counts *counts) {
  free(counts->written);
  *counts = (struct step_counts){0};
}
