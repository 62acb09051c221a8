/* gemm.c: see gemm.h. The loops are written so that compilers turn the inner one into vectors. */
#include "kernels/gemm.h"

#include "base/cpu.h"
#include "kernels/gemm_level.h"

enum { ONRI_MR = 4, ONRI_NR = 8, ONRI_KC = 256 };

#define T double
#define NAME(x) x##_f64
#include "kernels/gemm_type.h"
#undef T
#undef NAME

/* Serves signed integers too: products and sums that wrap have the same bits. */
#define T uint64_t
#define NAME(x) x##_u64
#include "kernels/gemm_type.h"
#undef T
#undef NAME

static void product_f32(const struct onri_gemm *gemm) {
#if ONRI_HAVE_AVX_KERNELS
  switch (onri_cpu_level()) {
    case ONRI_CPU_AVX512: onri_gemm_product_avx512(gemm); return;
    case ONRI_CPU_AVX2: onri_gemm_product_avx2(gemm); return;
    default: break;
  }
#endif
  onri_gemm_product_base(gemm);
}

static void finish_f32(const struct onri_gemm *g) {
  const float alpha = (float)g->alpha, beta = (float)g->beta, min = (float)g->min, max = (float)g->max;
  for (size_t i = 0; i < g->m; i++) {
    float *c = (float *)g->c + i * g->c_row;
    const float *bias = g->bias == NULL ? NULL : (const float *)g->bias + i * g->bias_row;
    if (alpha != 1.0f)
      for (size_t j = 0; j < g->n; j++) c[j] *= alpha;
    if (bias != NULL && beta == 1.0f && g->bias_col == 1)
      for (size_t j = 0; j < g->n; j++) c[j] += bias[j];
    else if (bias != NULL)
      for (size_t j = 0; j < g->n; j++) c[j] += beta * bias[j * g->bias_col];
    if (g->clamp)
      for (size_t j = 0; j < g->n; j++) {
        const float low = c[j] < min ? min : c[j];
        c[j] = low > max ? max : low;
      }
  }
}

static void finish_f64(const struct onri_gemm *g) {
  for (size_t i = 0; i < g->m; i++) {
    double *c = (double *)g->c + i * g->c_row;
    const double *bias = g->bias == NULL ? NULL : (const double *)g->bias + i * g->bias_row;
    for (size_t j = 0; j < g->n; j++) {
      double v = g->alpha * c[j];
      if (bias != NULL) v += g->beta * bias[j * g->bias_col];
      if (g->clamp && v < g->min) v = g->min;
      if (g->clamp && v > g->max) v = g->max;
      c[j] = v;
    }
  }
}

/* A factor times an integer: exact for 1, else rounded towards zero and kept in range. */
static uint64_t scale_integer(uint64_t value, double factor, int is_signed) {
  if (factor == 1.0) return value;
  const double product = factor * (is_signed ? (double)(int64_t)value : (double)value);
  if (!(product > -9.2e18)) return is_signed ? (uint64_t)INT64_MIN : 0;
  if (product < 0) return (uint64_t)(int64_t)product;
  if (product >= 1.8e19) return UINT64_MAX;
  return (uint64_t)product;
}

static uint64_t clamp_integer(uint64_t value, const struct onri_gemm *g, int is_signed) {
  const double v = is_signed ? (double)(int64_t)value : (double)value;
  if (v < g->min) return scale_integer(1, g->min, is_signed);
  if (v > g->max) return scale_integer(1, g->max, is_signed);
  return value;
}

static void finish_integer(const struct onri_gemm *g, int is_signed) {
  for (size_t i = 0; i < g->m; i++) {
    uint64_t *c = (uint64_t *)g->c + i * g->c_row;
    const uint64_t *bias = g->bias == NULL ? NULL : (const uint64_t *)g->bias + i * g->bias_row;
    for (size_t j = 0; j < g->n; j++) {
      uint64_t v = scale_integer(c[j], g->alpha, is_signed);
      if (bias != NULL) v += scale_integer(bias[j * g->bias_col], g->beta, is_signed);
      c[j] = g->clamp ? clamp_integer(v, g, is_signed) : v;
    }
  }
}

void onri_gemm_finish(enum onri_class c, const struct onri_gemm *gemm) {
  switch (c) {
    case ONRI_CLASS_F32: finish_f32(gemm); break;
    case ONRI_CLASS_F64: finish_f64(gemm); break;
    case ONRI_CLASS_I64:
    case ONRI_CLASS_U64: finish_integer(gemm, c == ONRI_CLASS_I64); break;
    case ONRI_CLASS_NONE: break;
  }
}

void onri_gemm(enum onri_class c, const struct onri_gemm *gemm) {
  switch (c) {
    case ONRI_CLASS_F32: product_f32(gemm); break;
    case ONRI_CLASS_F64: product_f64(gemm); break;
    case ONRI_CLASS_I64:
    case ONRI_CLASS_U64: product_u64(gemm); break;
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
  part.b = (const char *)gemm->b + column * gemm->b_col * size;
  part.c = (char *)gemm->c + (row * gemm->c_row + column) * size;
  if (gemm->bias != NULL)
    part.bias = (const char *)gemm->bias + (row * gemm->bias_row + column * gemm->bias_col) * size;
  return part;
}
