/* table.h: all operators, a table a file of importers. */
#ifndef ONRI_OPS_TABLE_H
#define ONRI_OPS_TABLE_H

#include "onnx/node/import.h"

extern const struct onri_op_table *const onri_op_tables[];
extern const size_t onri_num_op_tables;

#endif
