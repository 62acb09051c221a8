/* narrow_weights.c: a product with a constant matrix of 4 or 8 bits that is dequantized reads the narrow matrix: see
 * matmul_nbits in params/matmul.h. Scales are one, one a column, or one a block of a column. */
#include <string.h>

#include "base/numbers/convert.h"
#include "passes/quantized.h"

enum {
  BLOCK = 128, /* of scales that are the same for a whole column */
  READERS = 2, /* a matrix and its embedding; each product has a copy, and copies for many would add up */
};

/* The matrix as it is dequantized: element [p][j] at p * row + j * column, its scale at p / block * scale_row + j *
 * scale_column. */
struct narrow {
  const struct onri_node *dequantize;
  enum onr_dtype dtype;
  int64_t k, n, row, column, block, scale_row, scale_column;
  int bits;
};

static const struct onr_desc *constant_desc(const struct onri_rewrite *rw, int32_t v) {
  return onri_rewrite_is_constant(rw, v) ? &rw->graph->values[v].constant->desc : NULL;
}

static int bits_of(enum onr_dtype dtype) {
  if (dtype == ONR_DTYPE_I4 || dtype == ONR_DTYPE_U4) return 4;
  return dtype == ONR_DTYPE_I8 || dtype == ONR_DTYPE_U8 ? 8 : 0;
}

/* Where the scales of a matrix [k, n] (turned: [n, k]) lie. */
static int match_scales(const struct onr_quantize_params *p, const struct onr_desc *w, const struct onr_desc *scale,
                        int turned, struct narrow *m) {
  const int64_t axis = p->axis < 0 ? p->axis + 2 : p->axis;
  m->block = BLOCK;
  if (p->block_size == 0 && onr_desc_elements(scale) == 1) return 1;
  if (p->block_size == 0) {
    m->scale_column = 1;
    return scale->rank == 1 && scale->dim[0] == m->n && axis == !turned;
  }
  m->block = p->block_size;
  if (scale->rank != 2 || axis != turned || m->block < 16 || m->block > (1 << 20) || m->block & (m->block - 1))
    return 0;
  const int64_t blocks = m->k / m->block + (m->k % m->block != 0);
  m->scale_row = turned ? 1 : m->n, m->scale_column = turned ? blocks : 1;
  for (int32_t d = 0; d < 2; d++)
    if (scale->dim[d] != (d == axis ? blocks : w->dim[d])) return 0;
  return 1;
}

/* v is such a matrix, dequantized to float32. */
static int match_narrow(const struct onri_rewrite *rw, int32_t v, int turned, struct narrow *m) {
  *m = (struct narrow){.dequantize = onri_rewrite_match(rw, v, &onri_layer_dequantize_linear)};
  if (!m->dequantize) return 0;
  const struct onr_quantize_params *p = m->dequantize->params;
  const int32_t zero = m->dequantize->num_in > 2 ? m->dequantize->in[2] : ONRI_NONE;
  const struct onr_desc *w = constant_desc(rw, m->dequantize->in[0]), *scale = constant_desc(rw, m->dequantize->in[1]),
                        *zeros = zero == ONRI_NONE ? NULL : constant_desc(rw, zero);
  if (!w || !scale || rw->uses[m->dequantize->in[0]] > READERS || (zero != ONRI_NONE && !zeros) || w->rank != 2 ||
      scale->dtype != ONR_DTYPE_F32 || (p->output_dtype != ONR_DTYPE_NONE && p->output_dtype != ONR_DTYPE_F32))
    return 0;
  if (zeros && (zeros->dtype != w->dtype || onr_desc_elements(zeros) != onr_desc_elements(scale))) return 0;
  m->dtype = w->dtype, m->bits = bits_of(w->dtype);
  m->k = w->dim[turned], m->n = w->dim[!turned];
  m->row = turned ? 1 : m->n, m->column = turned ? m->k : 1;
  return m->bits && m->k > 0 && m->n > 0 && m->k <= INT32_MAX && m->n <= INT32_MAX &&
         match_scales(p, w, scale, turned, m);
}

/* --- the matrix as matmul_nbits reads it --- */

/* Elements are unsigned there. */
static int32_t unsigned_of(const struct narrow *m, const uint8_t *elements, int64_t at) {
  int64_t value = 0;
  onri_load(m->dtype, elements + at, 1, &value); /* either class of integers */
  return (int32_t)value + (onri_dtype_class(m->dtype) == ONRI_CLASS_I64 ? 1 << (m->bits - 1) : 0);
}

static void put(uint8_t *row, int bits, int64_t i, int32_t value) {
  if (bits == 8) row[i] = (uint8_t)value;
  else row[i / 2] = (uint8_t)(row[i / 2] | value << i % 2 * 4);
}

struct parts {
  int64_t blocks, zero_row;
  struct onri_constant *values, *scales, *zeros;
};

static void fill(const struct narrow *m, const struct parts *to, const uint8_t *w, const float *scales,
                 const uint8_t *zeros) {
  const int64_t w_row = to->blocks * m->block * m->bits / 8;
  uint8_t *values = to->values->data, *zero_rows = to->zeros->data;
  float *scale = to->scales->data;
  memset(values, 0, (size_t)(m->n * w_row));
  memset(zero_rows, 0, (size_t)(m->n * to->zero_row));
  for (int64_t j = 0; j < m->n; j++) {
    for (int64_t p = 0; p < m->k; p++)
      put(values + j * w_row, m->bits, p, unsigned_of(m, w, p * m->row + j * m->column));
    for (int64_t b = 0; b < to->blocks; b++) {
      const int64_t at = b * m->scale_row + j * m->scale_column;
      static const uint8_t none = 0;
      *scale++ = scales[at];
      put(zero_rows + j * to->zero_row, m->bits, b, unsigned_of(m, zeros ? zeros : &none, zeros ? at : 0));
    }
  }
}

static struct onri_constant *list(struct onri_rewrite *rw, enum onr_dtype dtype, int64_t count) {
  const struct onr_desc desc = onr_desc_make(dtype, 1, (int64_t[]){count});
  return onri_constant_create(rw->graph->env, &desc);
}

/* in[1] to in[3] of matmul_nbits. */
static enum onr_status repack(struct onri_rewrite *rw, const struct narrow *m, int32_t *in) {
  enum onr_status status = ONR_STATUS_OK;
  const int32_t zero = m->dequantize->num_in > 2 ? m->dequantize->in[2] : ONRI_NONE;
  const uint8_t *w = onri_value_data(rw->graph, m->dequantize->in[0], &status, rw->error);
  ONR_TRY(status);
  const float *scales = onri_value_data(rw->graph, m->dequantize->in[1], &status, rw->error);
  ONR_TRY(status);
  const uint8_t *zeros = zero == ONRI_NONE ? NULL : onri_value_data(rw->graph, zero, &status, rw->error);
  ONR_TRY(status);
  struct parts parts = {.blocks = m->k / m->block + (m->k % m->block != 0)};
  parts.zero_row = (parts.blocks * m->bits + 7) / 8;
  parts.values = list(rw, ONR_DTYPE_U8, m->n * parts.blocks * m->block * m->bits / 8);
  parts.scales = list(rw, ONR_DTYPE_F32, m->n * parts.blocks);
  parts.zeros = list(rw, ONR_DTYPE_U8, m->n * parts.zero_row);
  const int there = parts.values && parts.scales && parts.zeros;
  if (there) fill(m, &parts, w, scales, zeros);
  in[1] = parts.values ? onri_rewrite_constant(rw, parts.values) : -1;
  in[2] = parts.scales ? onri_rewrite_constant(rw, parts.scales) : -1;
  in[3] = parts.zeros ? onri_rewrite_constant(rw, parts.zeros) : -1;
  return there && in[1] >= 0 && in[2] >= 0 && in[3] >= 0 ? ONR_STATUS_OK : onri_rewrite_no_memory(rw);
}

static enum onr_status product(struct onri_rewrite *rw, struct onri_node *node) {
  struct onri_plain_product p;
  struct narrow m;
  if (!onri_match_plain_product(rw, node, &p) || !match_narrow(rw, p.b, p.turned, &m) ||
      onri_rewrite_desc(rw, p.a)->dtype != ONR_DTYPE_F32 || onri_rewrite_rank(rw, p.a) < 1)
    return ONR_STATUS_OK;
  if (p.bias != ONRI_NONE && (onri_rewrite_rank(rw, p.bias) != 1 || onri_rewrite_dim(rw, p.bias, 0) != m.n))
    return ONR_STATUS_OK;
  const struct onr_matmul_nbits_params params = {
      .bits = m.bits, .block = (int32_t)m.block, .n = m.n, .k = m.k, .in_bytes = 0};
  int32_t in[6] = {p.a, 0, 0, 0, ONRI_NONE, p.bias};
  ONR_TRY(repack(rw, &m, in));
  return onri_rewrite_become(rw, node, &onri_layer_matmul_nbits, &params, in, p.bias == ONRI_NONE ? 4 : 6);
}

enum onr_status onri_pass_narrow_weights(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {
      {&onri_layer_matmul, product}, {&onri_layer_gemm, product}, {&onri_layer_linear, product}};
  return onri_rewrite_sweep(rw, rules, sizeof(rules) / sizeof(rules[0]));
}
