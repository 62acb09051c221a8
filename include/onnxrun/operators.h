/* operators.h: the ONNX operators that this build reads, and what becomes of them. */
#ifndef ONNXRUN_OPERATORS_H
#define ONNXRUN_OPERATORS_H

#include "onnxrun/layer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The ops that this build reads: one entry an op and version from which it is read in another way. For a node, the
 * entry with the largest since_version that is not above the opset in force counts. */
struct onr_op_info {
  size_t size;                  /* sizeof(struct onr_op_info), see api.h */
  const char *domain, *op_type; /* static; domain "" for ai.onnx */
  int32_t since_version;
  int32_t withdrawn;                                        /* non-zero: refused from this version on */
  uint8_t inputs_min, inputs_max, outputs_min, outputs_max; /* ONR_VARIADIC: no upper bound */
};
ONR_SIZED(onr_op_info)
ONR_API size_t onr_num_ops(void);
/* ARGUMENT when index is out of range. In no particular order. */
ONR_API enum onr_status onr_op(size_t index, struct onr_op_info *info);

#define ONR_OP_INPUTS 20 /* most inputs of an op that is not variadic */
#define ONR_OP_LAYERS 16
/* What a node of that op becomes when it has all its inputs and no attributes but those that it needs. */
struct onr_op_form {
  size_t size; /* sizeof(struct onr_op_form), see api.h */
  size_t num_layers, num_inputs;
  const char *layer[ONR_OP_LAYERS];       /* names of the layers, each once, in order; static */
  uint32_t input_types[ONR_OP_INPUTS];    /* bit onr_dtype: input i may have this type */
  uint32_t kernel_types[ONR_NUM_KERNELS]; /* of the layers' first inputs: types that this kernel can compute; 0 for
                                             PORTABLE, which all have */
};
ONR_SIZED(onr_op_form)
/* ARGUMENT when index is out of range, UNSUPPORTED when it depends on the node's attributes and constants. No memory is
 * kept. */
ONR_API enum onr_status onr_op_describe(size_t index, struct onr_op_form *form, struct onr_error *error);

#ifdef __cplusplus
}
#endif
#endif
