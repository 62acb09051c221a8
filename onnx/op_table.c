/* op_table: the rows of onnx/ops.inc as an array. */
#include "onnx/import.h"

enum onr_status onri_import_withdrawn(const struct onr_node *node) {
  return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "%s is no operator of opset %lld any more", node->origin->op_type,
                  (long long)node->opset);
}

const struct onri_op onri_ops[] = {
#define ONRI_OP(domain, op_type, since, in_min, in_max, out_min, out_max, import) \
  {domain, op_type, since, in_min, in_max, out_min, out_max, import},
#include "onnx/ops.inc"
#undef ONRI_OP
    {"", "", 0, 0, 0, 0, 0, NULL}, /* so that the array is never empty */
};
const size_t onri_num_ops = sizeof(onri_ops) / sizeof(onri_ops[0]) - 1;
