/* gemm.c: see gemm.h. */
#include "kernels/matmul/gemm.h"

#include "base/numbers/cast.h"
#include "base/types.h"
#include "kernels/kernels.h"
#include "kernels/matmul/sgemm.h"

enum { ONRI_MR = 4, ONRI_NR = 8, ONRI_KC = 256 };

#define T double
#define NAME(x) x##_f64
#include "kernels/matmul/gemm_type.h"
#undef T
#undef NAME

/* Serves signed integers too: products and sums that wrap have the same bits. */
#define T uint64_t
#define NAME(x) x##_u64
#include "kernels/matmul/gemm_type.h"
#undef T
#undef NAME

static void finish_f64(const struct onri_gemm *g) {
  for (size_t i = 0; i < g->m; i++) {
    double *c = (double *)g->c + i * g->c_row;
    const double *bias = !g->bias ? NULL : (const double *)g->bias + i * g->bias_row;
    for (size_t j = 0; j < g->n; j++) {
      double v = g->alpha * c[j];
      if (bias) v += g->beta * bias[j * g->bias_col];
      if (g->residual) v += ((const double *)g->residual)[i * g->c_row + j];
      if (g->clamp && v < g->min) v = g->min;
      if (g->clamp && v > g->max) v = g->max;
      c[j] = v;
    }
  }
}

static uint64_t to_integer(double value, int is_signed) {
  return is_signed ? (uint64_t)onri_f64_to_i64(value) : onri_f64_to_u64(value);
}
static double to_real(uint64_t value, int is_signed) { return is_signed ? (double)(int64_t)value : (double)value; }

static uint64_t clamp_integer(uint64_t value, const struct onri_gemm *g, int is_signed) {
  const double v = to_real(value, is_signed);
  if (v < g->min) return to_integer(g->min, is_signed);
  return v > g->max ? to_integer(g->max, is_signed) : value;
}

/* Factors other than 1 make it a sum of real numbers, truncated at the end. */
static void finish_integer(const struct onri_gemm *g, int is_signed) {
  const int whole = g->alpha == 1.0 && (!g->bias || g->beta == 1.0);
  for (size_t i = 0; i < g->m; i++) {
    uint64_t *c = (uint64_t *)g->c + i * g->c_row;
    const uint64_t *bias = !g->bias ? NULL : (const uint64_t *)g->bias + i * g->bias_row;
    for (size_t j = 0; j < g->n; j++) {
      const uint64_t b = !bias ? 0 : bias[j * g->bias_col];
      const uint64_t v =
          whole ? c[j] + b
                : to_integer(g->alpha * to_real(c[j], is_signed) + g->beta * to_real(b, is_signed), is_signed);
      c[j] = g->clamp ? clamp_integer(v, g, is_signed) : v;
    }
  }
}

void onri_gemm_finish(enum onri_class c, const struct onri_gemm *gemm) {
  switch (c) {
    case ONRI_CLASS_F32: onri_kernels(sgemm)->finish(gemm); break;
    case ONRI_CLASS_F64:
      if (ONRI_HERE_F64) finish_f64(gemm);
      break;
    case ONRI_CLASS_I64:
    case ONRI_CLASS_U64:
      if (ONRI_HERE_I64 || ONRI_HERE_U64) finish_integer(gemm, c == ONRI_CLASS_I64);
      break;
    case ONRI_CLASS_NONE: break;
  }
  if (!gemm->tail) return;
  const size_t size = onri_class_size(c);
  for (size_t i = 0; i < gemm->m; i++)
    gemm->tail(gemm->tail_context, (char *)gemm->c + i * gemm->c_row * size, gemm->n);
}

void onri_gemm(enum onri_class c, const struct onri_gemm *gemm) {
  switch (c) {
    case ONRI_CLASS_F32: onri_sgemm(gemm); return;
    case ONRI_CLASS_F64:
      if (ONRI_HERE_F64) product_f64(gemm);
      break;
    case ONRI_CLASS_I64:
    case ONRI_CLASS_U64:
      if (ONRI_HERE_I64 || ONRI_HERE_U64) product_u64(gemm);
      break;
    case ONRI_CLASS_NONE: return;
  }
  if (!onri_gemm_is_plain(gemm)) onri_gemm_finish(c, gemm);
}

struct onri_gemm onri_gemm_part(enum onri_class c, const struct onri_gemm *gemm, size_t row, size_t rows, size_t column,
                                size_t columns) {
  const size_t size = onri_class_size(c);
  struct onri_gemm part = *gemm;
  part.m = rows;
  part.n = columns;
  part.a = (const char *)gemm->a + row * gemm->a_row * size;
  if (gemm->b) part.b = (const char *)gemm->b + column * gemm->b_col * size; /* NULL: it is packed */
  part.c = (char *)gemm->c + (row * gemm->c_row + column) * size;
  if (gemm->residual) part.residual = (const char *)gemm->residual + (row * gemm->c_row + column) * size;
  if (gemm->bias) part.bias = (const char *)gemm->bias + (row * gemm->bias_row + column * gemm->bias_col) * size;
  return part;
}

void onri_gemm_long(enum onri_class c, const struct onri_gemm *gemm, const struct onr_env *env) {
  enum { PIECE = 1 << 16 };
  const size_t size = onri_class_size(c);
  struct onri_gemm piece = *gemm;
  if (gemm->k <= PIECE || gemm->accumulate) {
    onri_gemm(c, gemm);
    return;
  }
  piece.alpha = 1;
  piece.bias = piece.residual = NULL;
  piece.clamp = 0;
  piece.tail = NULL;
  for (size_t from = 0; from < gemm->k && !onr_env_cancelled(env); from += PIECE) {
    piece.k = gemm->k - from < PIECE ? gemm->k - from : PIECE;
    piece.a = (const char *)gemm->a + from * gemm->a_col * size;
    piece.b = (const char *)gemm->b + from * gemm->b_row * size;
    piece.accumulate = from > 0;
    onri_gemm(c, &piece);
  }
  if (!onri_gemm_is_plain(gemm)) onri_gemm_finish(c, gemm);
}
