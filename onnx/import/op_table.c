/* op_table.c: the rows of onnx/ops by number and by name. */
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

/* Which list an operator's rows are in. A file cannot make them longer: they hold rows of ours alone. */
static size_t list_of(const char *op_type) {
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (; *op_type; op_type++) hash = (hash ^ (unsigned char)*op_type) * 16777619u;
  return hash % ONRI_OP_LISTS;
}

enum onr_status onri_op_index_make(struct onri_arena *arena, struct onri_op_index *index, struct onr_error *error) {
  struct onri_op_entry *entry = onri_arena_allocate(arena, onr_num_ops() * sizeof(*entry));
  index->lists = onri_arena_allocate(arena, ONRI_OP_LISTS * sizeof(*index->lists));
  if (!entry || !index->lists) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for the table of operators");
  for (size_t t = 0; t < onri_num_op_tables; t++)
    for (size_t i = 0; i < onri_op_tables[t]->count; i++, entry++) {
      const struct onri_op *row = &onri_op_tables[t]->rows[i];
      const struct onri_op_entry **list = &index->lists[list_of(row->op_type)];
      *entry = (struct onri_op_entry){row, *list};
      *list = entry;
    }
  return ONR_STATUS_OK;
}

const struct onri_op *onri_op_find(const struct onri_op_index *index, const char *domain, const char *op_type,
                                   int64_t opset) {
  const struct onri_op *newest = NULL;
  for (const struct onri_op_entry *entry = index->lists[list_of(op_type)]; entry; entry = entry->next) {
    const struct onri_op *row = entry->row;
    if (row->since_version > opset || (newest && newest->since_version >= row->since_version)) continue;
    if (!strcmp(row->op_type, op_type) && !strcmp(row->domain, domain)) newest = row;
  }
  return newest;
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
