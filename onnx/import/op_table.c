/* op_table.c: the rows of onnx/ops by number and by name. */
#include <stdlib.h>
#include <string.h>

#include "base/sized.h"
#include "onnx/import/import_file.h"
#include "onnx/ops/table.h"
#include "onnxrun/operators.h"

size_t onr_num_ops(void) {
  size_t count = 0;
  for (size_t t = 0; t < onri_num_op_tables; t++) count += onri_op_tables[t]->count;
  return count;
}

const struct onri_op *onri_op_at(size_t index) {
  for (size_t t = 0; t < onri_num_op_tables; t++) {
    if (index < onri_op_tables[t]->count) return &onri_op_tables[t]->rows[index];
    index -= onri_op_tables[t]->count;
  }
  return NULL;
}

static int compare_names(const struct onri_op *row, const char *domain, const char *op_type) {
  const int order = strcmp(row->op_type, op_type);
  return order ? order : strcmp(row->domain, domain);
}

static int compare_rows(const void *a, const void *b) {
  const struct onri_op *x = *(const struct onri_op *const *)a, *y = *(const struct onri_op *const *)b;
  const int order = compare_names(x, y->domain, y->op_type);
  return order ? order : (x->since_version > y->since_version) - (x->since_version < y->since_version);
}

enum onr_status onri_op_index_make(struct onri_arena *arena, struct onri_op_index *index, struct onr_error *error) {
  index->rows = onri_arena_allocate(arena, onr_num_ops() * sizeof(*index->rows));
  if (!index->rows) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for the table of operators");
  index->count = 0;
  for (size_t t = 0; t < onri_num_op_tables; t++)
    for (size_t i = 0; i < onri_op_tables[t]->count; i++) index->rows[index->count++] = &onri_op_tables[t]->rows[i];
  qsort(index->rows, index->count, sizeof(*index->rows), compare_rows);
  return ONR_STATUS_OK;
}

const struct onri_op *onri_op_find(const struct onri_op_index *index, const char *domain, const char *op_type,
                                   int64_t opset) {
  size_t low = 0,
         high = index->count; /* rows before `low` are not behind the one that is wanted, those from `high` on are */
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const struct onri_op *row = index->rows[middle];
    const int order = compare_names(row, domain, op_type);
    if (order < 0 || (order == 0 && row->since_version <= opset)) low = middle + 1;
    else high = middle;
  }
  if (!low || compare_names(index->rows[low - 1], domain, op_type) != 0) return NULL;
  return index->rows[low - 1];
}

enum onr_status onr_op(size_t index, struct onr_op_info *info) {
  const struct onri_op *row = onri_op_at(index);
  if (!row) return ONR_STATUS_ARGUMENT;
  const struct onr_op_info found = {.domain = row->domain,
                                    .op_type = row->op_type,
                                    .since_version = row->since_version,
                                    .withdrawn = row->import == onri_import_withdrawn,
                                    .inputs_min = row->inputs_min,
                                    .inputs_max = row->inputs_max,
                                    .outputs_min = row->outputs_min,
                                    .outputs_max = row->outputs_max};
  return ONRI_SIZED_WRITE(info, &found, onr_op_info, NULL);
}
