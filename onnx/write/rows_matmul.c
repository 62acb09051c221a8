/* rows_matmul.c: matrix products. */
#include <string.h>

#include "onnx/write/spell.h"

#define BARE(type)                                                                                                \
  ONRI_ONLY_ZERO("it bounds its result", type, clamp), ONRI_ONLY_ZERO("it has a function behind it", type, tail), \
      ONRI_ONLY_ZERO("it is a part of a larger product", type, columns)

static const struct onri_field gemm[] = {
    BARE(struct onr_gemm_params),
    ONRI_ATTRIBUTE("alpha", FLOAT, struct onr_gemm_params, alpha),
    ONRI_ATTRIBUTE("beta", FLOAT, struct onr_gemm_params, beta),
    ONRI_ATTRIBUTE("transA", INT32, struct onr_gemm_params, transpose_a),
    ONRI_ATTRIBUTE("transB", INT32, struct onr_gemm_params, transpose_b),
};
static const struct onri_field matmul[] = {BARE(struct onr_matmul_params)};
static const struct onri_field einsum[] = {ONRI_ATTRIBUTE("equation", TEXT, struct onr_einsum_params, equation)};
static const struct onri_field matmul_nbits[] = {
    ONRI_ATTRIBUTE("bits", INT32, struct onr_matmul_nbits_params, bits),
    ONRI_ATTRIBUTE("block_size", INT32, struct onr_matmul_nbits_params, block),
    ONRI_ATTRIBUTE("N", INT64, struct onr_matmul_nbits_params, n),
    ONRI_ATTRIBUTE("K", INT64, struct onr_matmul_nbits_params, k),
};

/* A product, then its bias. */
static const char *say_matmul(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_matmul_params *p = s->node->params;
  const char *why = onri_fields_check(s, row), *out = onri_say_output(s, 0);
  const char *sum[2] = {onri_say_input(s, 2) ? onri_say_temp(s) : out, onri_say_input(s, 2)};
  const int is_plain = !p->transpose_a && !p->transpose_b && (p->scale == 0.0f || p->scale == 1.0f);
  if (why) return why;
  if (onri_say_input(s, 3)) return "it has an input that the operator does not have";
  onri_say_begin(s, is_plain ? NULL : "com.microsoft", is_plain ? "MatMul" : "FusedMatMul", 13);
  for (int32_t i = 0; i < 2; i++) onri_say_in(s, onri_say_input(s, i));
  onri_say_out(s, sum[0]);
  if (!is_plain) {
    onri_say_int(s, "transA", p->transpose_a);
    onri_say_int(s, "transB", p->transpose_b);
    onri_say_float(s, "alpha", p->scale == 0.0f ? 1.0f : p->scale);
  }
  onri_say_end(s);
  if (sum[1]) onri_say_node(s, "Add", 14, sum, 2, out);
  return NULL;
}

static const char *say_matmul_nbits(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_matmul_nbits_params *p = s->node->params;
  onri_say_row_begin(s, row);
  if (p->in_bytes) onri_say_int(s, "accuracy_level", 4);
  onri_say_end(s);
  return NULL;
}

static const char microsoft[] = "com.microsoft";
static const struct onri_spelling rows[] = {
    {.layer = &onri_layer_gemm, .op = "Gemm", .since = 13, .most_in = 3, ONRI_FIELDS(gemm)},
    {.layer = &onri_layer_matmul, ONRI_FIELDS(matmul), .say = say_matmul},
    {.layer = &onri_layer_matmul_integer, .op = "MatMulInteger", .since = 10, .most_in = 4},
    {.layer = &onri_layer_qlinear_matmul, .op = "QLinearMatMul", .since = 21, .most_in = 8},
    {.layer = &onri_layer_matmul_integer_real, .domain = microsoft, .op = "MatMulIntegerToFloat", .since = 1},
    {.layer = &onri_layer_matmul_nbits,
     .domain = microsoft,
     .op = "MatMulNBits",
     .since = 1,
     ONRI_FIELDS(matmul_nbits),
     .say = say_matmul_nbits},
    {.layer = &onri_layer_einsum, .op = "Einsum", .since = 12, ONRI_FIELDS(einsum)},
    {.layer = &onri_layer_det, .op = "Det", .since = 11},
};
const struct onri_spellings onri_rows_matmul = {rows, sizeof(rows) / sizeof(rows[0])};
