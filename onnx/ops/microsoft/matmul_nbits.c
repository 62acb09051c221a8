/* matmul_nbits.c: MatMulNBits, a product with a weight in 2, 4 or 8 bits. The weight becomes a float tensor, of
 * the scales' type, while loading. */
#include "base/numbers/checked.h"
#include "base/numbers/convert.h"
#include "base/types.h"
#include "onnx/ops/microsoft/common.h"

struct packed {
  size_t rows, columns, blocks, block, bits; /* weight [rows, columns], `blocks` of `block` columns a row */
  const uint8_t *values, *packed_zeros;
  const void *scales, *zeros; /* zeros: one a block of the scales' type, where they are not packed */
  enum onr_dtype dtype;       /* of the scales */
  const int32_t *group;       /* block of each column; NULL: in order */
};

static unsigned bits_at(const uint8_t *row, size_t index, size_t bits) {
  const size_t per_byte = 8 / bits;
  return row[index / per_byte] >> (index % per_byte * bits) & ((1u << bits) - 1u);
}

static float real_at(const struct packed *p, const void *data, size_t index) {
  float value;
  onri_load(p->dtype, (const char *)data + index * onr_dtype_size(p->dtype), 1, &value);
  return value;
}

static void unpack_row(const struct packed *p, size_t row, float *out) {
  const size_t row_bytes = p->blocks * p->block * p->bits / 8, zero_bytes = (p->blocks * p->bits + 7) / 8;
  float zero = (float)(1u << (p->bits - 1)), scale = 0.0f;
  for (size_t k = 0, last = SIZE_MAX; k < p->columns; k++) {
    const size_t block = p->group ? (size_t)p->group[k] : k / p->block, at = row * p->blocks + block;
    if (block != last) {
      scale = real_at(p, p->scales, at);
      if (p->packed_zeros) zero = (float)bits_at(p->packed_zeros + row * zero_bytes, block, p->bits);
      if (p->zeros) zero = real_at(p, p->zeros, at);
      last = block;
    }
    out[k] = ((float)bits_at(p->values + row * row_bytes, k, p->bits) - zero) * scale;
  }
}

/* Contents of constant input i, which has so many elements of this type. */
static enum onr_status read_constant(const struct onr_node *node, int32_t i, enum onr_dtype dtype, uint64_t elements,
                                     const void *data) {
  const int32_t value = onri_in(node, i);
  const struct onri_constant *constant = node->graph->values[value].constant;
  enum onr_status status = ONR_STATUS_OK;
  if (!constant) return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "input %d is not a constant", (int)i);
  if (constant->desc.dtype != dtype)
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "input %d is %s: only %s is supported", (int)i,
                    onr_dtype_name(constant->desc.dtype), onr_dtype_name(dtype));
  if ((uint64_t)onr_desc_elements(&constant->desc) != elements)
    return onr_fail(node->error, ONR_STATUS_SHAPE, "input %d has %lld elements, expected %llu", (int)i,
                    (long long)onr_desc_elements(&constant->desc), (unsigned long long)elements);
  *(const void **)data = onri_value_data(node->graph, value, &status, node->error);
  return status;
}

static enum onr_status read_sizes(const struct onr_node *node, struct packed *p) {
  const int32_t bits = onri_attr_int32(node, "bits", 4, 2, 8);
  p->rows = (size_t)onri_attr_int32(node, "N", 0, 1, INT32_MAX);
  p->columns = (size_t)onri_attr_int32(node, "K", 0, 1, INT32_MAX);
  p->block = (size_t)onri_attr_int32(node, "block_size", 0, 16, 1 << 20);
  p->bits = (size_t)bits;
  if (*node->status != ONR_STATUS_OK) return *node->status;
  if (!p->rows || !p->columns || !p->block)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attributes 'N', 'K' and 'block_size' are all needed");
  if (bits != 2 && bits != 4 && bits != 8)
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED, "attribute 'bits' is %d: 2, 4 and 8 are supported", (int)bits);
  if (p->block & (p->block - 1))
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'block_size' is %zu, expected a power of 2",
                    p->block);
  p->blocks = (p->columns + p->block - 1) / p->block;
  return onri_only(node, "weight_prepacked", 0);
}

static enum onr_status read_scales(const struct onr_node *node, struct packed *p) {
  p->dtype = node->graph->values[node->in[2]].desc.dtype;
  if (!onri_dtype_in(ONRI_DTYPES_F32_AND_HALF, p->dtype)) p->dtype = ONR_DTYPE_F32;
  return read_constant(node, 2, p->dtype, (uint64_t)p->rows * p->blocks, &p->scales);
}

static enum onr_status read_zeros(const struct onr_node *node, struct packed *p) {
  const int32_t value = onri_in(node, 3);
  if (value == ONRI_NONE) return ONR_STATUS_OK;
  if (node->graph->values[value].desc.dtype == ONR_DTYPE_U8)
    return read_constant(node, 3, ONR_DTYPE_U8, (uint64_t)p->rows * ((p->blocks * p->bits + 7) / 8), &p->packed_zeros);
  return read_constant(node, 3, p->dtype, (uint64_t)p->rows * p->blocks, &p->zeros);
}

static enum onr_status read_group(const struct onr_node *node, struct packed *p) {
  if (onri_in(node, 4) == ONRI_NONE) return ONR_STATUS_OK;
  ONR_TRY(read_constant(node, 4, ONR_DTYPE_I32, p->columns, &p->group));
  for (size_t k = 0; k < p->columns; k++)
    if (p->group[k] < 0 || (size_t)p->group[k] >= p->blocks)
      return onr_fail(node->error, ONR_STATUS_INDEX, "column %zu is in block %d, expected 0 to %zu", k,
                      (int)p->group[k], p->blocks - 1);
  return ONR_STATUS_OK;
}

/* The weight [rows, columns]; NULL when out of memory. */
static struct onri_constant *unpack(const struct onr_node *node, const struct packed *p) {
  const struct onr_desc desc = onr_desc_make(p->dtype, 2, (int64_t[]){(int64_t)p->rows, (int64_t)p->columns});
  struct onri_constant *weight = onri_constant_create(node->graph->env, &desc);
  float *row = onr_env_allocate(node->graph->env, p->columns * sizeof(*row));
  for (size_t r = 0; weight && row && r < p->rows; r++) {
    unpack_row(p, r, row);
    onri_store(p->dtype, row, p->columns, (char *)weight->data + r * p->columns * onr_dtype_size(p->dtype));
  }
  onr_env_release(node->graph->env, row);
  if (row) return weight;
  onri_constant_release(weight);
  return NULL;
}

/* Inputs A, B (packed), scales, zero points, block of each column, bias; the last three optional. */
static enum onr_status read_matmul_nbits(const struct onr_node *node) {
  const struct onr_linear_params params = {0};
  struct packed p = {0};
  ONR_TRY(read_sizes(node, &p));
  /* All sizes are below 2^31, and the products of two fit 64 bits. The contents bound what is allocated. */
  ONR_TRY(read_constant(node, 1, ONR_DTYPE_U8, (uint64_t)p.rows * (p.blocks * p.block * p.bits / 8), &p.values));
  ONR_TRY(read_scales(node, &p));
  ONR_TRY(read_zeros(node, &p));
  ONR_TRY(read_group(node, &p));
  struct onri_constant *weight = unpack(node, &p);
  if (!weight)
    return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for a weight of %zu by %zu", p.rows, p.columns);
  const int32_t in[3] = {onri_in(node, 0), onri_graph_add_constant(node->graph, NULL, weight), onri_in(node, 5)};
  if (in[1] < 0) return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for a value of the graph");
  return onri_emit_with(node, &onri_layer_linear, &params, in, in[2] != ONRI_NONE ? 3 : 2, node->out, 1);
}

/* --- the operators --- */
static const struct onri_op operators[] = {
    {"com.microsoft", "MatMulNBits", 1, 3, 6, 1, 1, read_matmul_nbits},
};
const struct onri_op_table onri_ops_microsoft_matmul_nbits = ONRI_OP_TABLE(operators);
