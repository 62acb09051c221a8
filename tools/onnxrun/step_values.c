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

int step_value(struct step_counts *counts, const struct onr_node_run *run, size_t i, struct step_value *value) {
  struct onr_operand o = {.size = sizeof(o)};
  const char *ending = "";
  char number[16];
  *value = (struct step_value){.copy = NULL};
  if (onr_node_run_output(run, i, &o) != ONR_STATUS_OK || !o.name[0] || !o.tensor.data ||
      !onr_desc_elements(&o.tensor.desc))
    return 0;
  if (number_at(&o.tensor, 0).kind == NO_NUMBER) return 0;
  if (!grow((void **)&counts->written, &counts->capacity, o.value + 1, sizeof(*counts->written))) return 0;
  if (counts->written[o.value]++) {
    snprintf(number, sizeof(number), "#%u", counts->written[o.value]);
    ending = number;
  }
  if (snprintf(value->key, sizeof(value->key), "%s%s", o.name, ending) >= (int)sizeof(value->key)) return 0;
  value->tensor = o.tensor;
  if (!o.order) return 1;
  value->tensor.data = value->copy = reorder(&o.tensor, o.order, &value->tensor.desc);
  return value->copy != NULL;
}

void step_counts_clear(struct step_counts *counts) {
  free(counts->written);
  *counts = (struct step_counts){0};
}
