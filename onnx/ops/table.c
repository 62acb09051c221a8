/* table.c: the rows of all importers. A new file of operators is one line here. */
#include "onnx/ops/table.h"

#define TABLES(X)           \
  X(attention)              \
  X(cast)                   \
  X(constant)               \
  X(control)                \
  X(conv)                   \
  X(dense)                  \
  X(elementwise)            \
  X(generate)               \
  X(index)                  \
  X(loss)                   \
  X(move)                   \
  X(norm)                   \
  X(picture)                \
  X(pool)                   \
  X(quantize)               \
  X(recurrent)              \
  X(reduce)                 \
  X(resize)                 \
  X(sample)                 \
  X(sequence)               \
  X(shape)                  \
  X(signal)                 \
  X(spatial)                \
  X(text)                   \
  X(microsoft_attention)    \
  X(microsoft_float)        \
  X(microsoft_group_query)  \
  X(microsoft_lstm)         \
  X(microsoft_matmul_nbits) \
  X(microsoft_quantized)    \
  X(ml_features)            \
  X(ml_linear)              \
  X(ml_map)                 \
  X(ml)                     \
  X(ml_tree)                \
  X(ml_tree5)               \
  X(training_gradient)      \
  X(training_optimizer)

#define DECLARE(name) extern const struct onri_op_table onri_ops_##name;
TABLES(DECLARE)

#define ADDRESS(name) &onri_ops_##name,
const struct onri_op_table *const onri_op_tables[] = {TABLES(ADDRESS)};
const size_t onri_num_op_tables = sizeof(onri_op_tables) / sizeof(*onri_op_tables);
